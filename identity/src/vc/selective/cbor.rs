//! Proof values: multibase, three bytes that say what follows, and CBOR (RFC 8949) in its one deterministic form.

use super::parts::{Label, MAX_STATEMENTS};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value;

const LARGE_NUMBER: u64 = 2;

/// Arrays within the array of components, and nothing deeper.
const MAX_LEVELS: usize = 8;

/// Reads the components of a proof value that begins with this header.
///
/// What was read is written again and compared, so a value has one spelling: no longer forms of numbers and lengths, no
/// lengths that come later, and nothing behind the end.
pub(super) fn read(text: &str, header: [u8; 3]) -> Result<Vec<Value>, String> {
    let base64 = text.strip_prefix('u').ok_or("proofValue is not base64url in multibase")?;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(base64).map_err(|_| "proofValue is not base64url without padding")?;
    let body = bytes.strip_prefix(&header).ok_or("proofValue has not the header of such a proof")?;
    let value: Value = ciborium::de::from_reader_with_recursion_limit(body, MAX_LEVELS)
        .map_err(|_| "proofValue is not CBOR".to_owned())?;
    match value {
        Value::Array(components) if write(&header, components.clone())? == text => Ok(components),
        _ => Err("proofValue is not an array in deterministic CBOR".to_owned()),
    }
}

/// Whether a proof value has this header.
pub(super) fn has(text: &str, header: [u8; 3]) -> bool {
    // Three bytes are four letters.
    text.strip_prefix('u').and_then(|rest| rest.get(..4)) == Some(BASE64_URL_SAFE_NO_PAD.encode(header).as_str())
}

/// The text of these components.
pub(super) fn write(header: &[u8; 3], components: Vec<Value>) -> Result<String, String> {
    let mut bytes = header.to_vec();
    ciborium::into_writer(&Value::Array(components), &mut bytes).map_err(|error| error.to_string())?;
    Ok(format!("u{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// Takes one component after the other.
pub(super) struct Components(std::vec::IntoIter<Value>);

impl Components {
    pub(super) fn read(text: &str, header: [u8; 3]) -> Result<Self, String> {
        Ok(Self(read(text, header)?.into_iter()))
    }

    fn next(&mut self) -> Result<Value, String> {
        self.0.next().ok_or_else(|| "proofValue has too few components".to_owned())
    }

    pub(super) fn end(mut self) -> Result<(), String> {
        if self.0.next().is_none() { Ok(()) } else { Err("proofValue has too many components".to_owned()) }
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, String> {
        self.next()?.into_bytes().map_err(|_| "a component is not a string of bytes".to_owned())
    }

    pub(super) fn exactly<const N: usize>(&mut self) -> Result<[u8; N], String> {
        fixed(self.next()?)
    }

    pub(super) fn number(&mut self) -> Result<usize, String> {
        number(self.next()?)
    }

    pub(super) fn array<T>(&mut self, item: impl Fn(Value) -> Result<T, String>) -> Result<Vec<T>, String> {
        let items = self.next()?.into_array().map_err(|_| "a component is not an array")?;
        if items.len() > MAX_STATEMENTS {
            return Err("a component has too many items".to_owned());
        }
        items.into_iter().map(item).collect()
    }

    pub(super) fn signatures(&mut self) -> Result<Vec<[u8; 64]>, String> {
        self.array(fixed)
    }

    pub(super) fn pointers(&mut self) -> Result<Vec<String>, String> {
        self.array(|item| item.into_text().map_err(|_| "a pointer is not a text".to_owned()))
    }

    /// A large number, as 32 bytes (RFC 8949, section 3.4.3).
    pub(super) fn large_number(&mut self) -> Result<[u8; 32], String> {
        let bytes = match self.next()? {
            Value::Tag(LARGE_NUMBER, bytes) => bytes.into_bytes().ok(),
            _ => None,
        };
        let bytes = bytes.filter(|bytes| bytes.len() <= 32 && bytes.first() != Some(&0)).ok_or("not a large number")?;
        let mut number = [0; 32];
        number[32 - bytes.len()..].copy_from_slice(&bytes);
        Ok(number)
    }

    /// Places, each of them once and going up, as everybody writes them.
    pub(super) fn places(&mut self) -> Result<Vec<usize>, String> {
        let places = self.array(number)?;
        if places.is_sorted_by(|one, next| one < next) { Ok(places) } else { Err("places do not go up".to_owned()) }
    }

    /// Labels for `c14n0` and so on: none is missing, and no two things get the same.
    pub(super) fn labels(&mut self, label: impl Fn(Value) -> Result<Label, String>) -> Result<Vec<Label>, String> {
        let map = self.next()?.into_map().map_err(|_| "the label map is not a map")?;
        if map.len() > MAX_STATEMENTS {
            return Err("the label map is too large".to_owned());
        }
        let mut labels = Vec::with_capacity(map.len());
        for (at, (key, value)) in map.into_iter().enumerate() {
            if number(key)? != at {
                return Err("the label map leaves a label out, or is not in order".to_owned());
            }
            labels.push(label(value)?);
        }
        let mut sorted = labels.clone();
        sorted.sort_unstable();
        let distinct = sorted.is_sorted_by(|one, next| one < next);
        if distinct { Ok(labels) } else { Err("the label map gives two things one label".to_owned()) }
    }
}

/// A string of so many bytes.
pub(super) fn fixed<const N: usize>(value: Value) -> Result<[u8; N], String> {
    let bytes = value.into_bytes().ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| format!("a component is not a string of {N} bytes"))
}

pub(super) fn number(value: Value) -> Result<usize, String> {
    value.as_integer().and_then(|number| number.try_into().ok()).ok_or_else(|| "not a place".to_owned())
}

/// A list of places, and a list of texts or bytes, as components.
pub(super) fn list<T>(items: impl IntoIterator<Item = T>) -> Value
where
    Value: From<T>,
{
    Value::Array(items.into_iter().map(Value::from).collect())
}

/// A large number.
pub(super) fn large_number(number: &[u8; 32]) -> Value {
    let bytes = number.iter().copied().skip_while(|byte| *byte == 0).collect();
    Value::Tag(LARGE_NUMBER, Box::new(Value::Bytes(bytes)))
}

/// A label map.
pub(super) fn map(labels: &[Label]) -> Value {
    let value = |label: &Label| match label {
        Label::Hmac(mac) => Value::Bytes(mac.to_vec()),
        Label::Rank(rank) => Value::from(*rank),
    };
    Value::Map(labels.iter().enumerate().map(|(at, label)| (Value::from(at as u64), value(label))).collect())
}
