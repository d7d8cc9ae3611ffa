//! JSON without surprises: one way to write it (RFC 8785), one strict way to read it.

use serde::Serialize;
use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A value that has no canonical form, such as a map whose keys are not texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no canonical JSON: {0}")]
pub struct CanonicalError(String);

/// The canonical bytes of a value (RFC 8785).
pub fn to_canonical(value: &impl Serialize) -> Result<Vec<u8>, CanonicalError> {
    serde_json_canonicalizer::to_vec(value).map_err(|error| CanonicalError(error.to_string()))
}

/// Why bytes were not accepted as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// More bytes than allowed.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// More levels of arrays and objects than allowed.
    #[error("nested deeper than {0} levels")]
    TooDeep(usize),
    /// The same member twice in one object: two readers could see two different things.
    #[error("a member is named twice in one object")]
    DuplicateMember,
    /// A number that is not a whole number between -(2^53 - 1) and 2^53 - 1.
    #[error("a number is not a whole number that every reader understands alike")]
    Number,
    /// Not JSON.
    #[error("not JSON (at byte {0})")]
    Syntax(usize),
}

/// Reads JSON of at most `max_len` bytes and `max_depth` levels. No member may be named twice, and numbers are whole
/// numbers that a double holds exactly.
///
/// `serde_json` alone keeps the last of two equal members, and reads an object that imitates its own inner form of a
/// number as a number; hence a reader of our own.
pub fn parse_strict(bytes: &[u8], max_len: usize, max_depth: usize) -> Result<Value, JsonError> {
    if bytes.len() > max_len {
        return Err(JsonError::TooLong(max_len));
    }
    Reader { bytes, at: 0, max_depth, decimals: false }.whole()
}

/// Reads JSON as [`parse_strict`] does, but lets decimals in that a double holds: other people's documents have them.
/// Whole numbers still have to be ones that every reader understands alike, however they are written.
pub(crate) fn parse_document(bytes: &[u8], max_len: usize, max_depth: usize) -> Result<Value, JsonError> {
    if bytes.len() > max_len {
        return Err(JsonError::TooLong(max_len));
    }
    Reader { bytes, at: 0, max_depth, decimals: true }.whole()
}

/// The largest whole number that a double and all its neighbours hold exactly.
const MAX_SAFE: i64 = (1 << 53) - 1;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    max_depth: usize,
    decimals: bool,
}

impl Reader<'_> {
    fn whole(mut self) -> Result<Value, JsonError> {
        let value = self.value(0)?;
        self.space();
        if self.at == self.bytes.len() { Ok(value) } else { Err(self.syntax()) }
    }

    fn syntax(&self) -> JsonError {
        JsonError::Syntax(self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes this byte if it comes next, after space.
    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.space();
        match self.peek() {
            Some(b'{' | b'[') if depth >= self.max_depth => Err(JsonError::TooDeep(self.max_depth)),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let rest = &self.bytes[self.at..];
                for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
                {
                    if rest.starts_with(word.as_bytes()) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.syntax())
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.at += 1;
        let mut members = Map::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            let name = self.string()?;
            // The inner form of serde_json: later conversions would take such an object for a number.
            if name.starts_with("$serde_json::") || !self.take(b':') {
                return Err(self.syntax());
            }
            let value = self.value(depth)?;
            if members.insert(name, value).is_some() {
                return Err(JsonError::DuplicateMember);
            }
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.syntax());
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err(self.syntax());
            }
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.syntax());
        }
        self.at += 1;
        let mut is_plain = true;
        loop {
            match self.peek() {
                None => return Err(self.syntax()),
                Some(b'"') => break,
                Some(b'\\') => (is_plain, self.at) = (false, self.at + 2),
                Some(byte) => (is_plain, self.at) = (is_plain && byte >= b' ', self.at + 1),
            }
        }
        self.at += 1;
        if is_plain {
            let text = std::str::from_utf8(&self.bytes[start + 1..self.at - 1]);
            return text.map(str::to_owned).map_err(|_| JsonError::Syntax(start));
        }
        // serde_json knows the escapes, the surrogates and UTF-8, and refuses control characters.
        let slice = self.bytes.get(start..self.at).ok_or(JsonError::Syntax(start))?;
        serde_json::from_slice(slice).map_err(|_| JsonError::Syntax(start))
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.bytes[start..self.at]).map_err(|_| JsonError::Number)?;
        if self.decimals && text.contains(['.', 'e', 'E']) {
            return decimal(text);
        }
        let number: i64 = text.parse().map_err(|_| JsonError::Number)?;
        // Refuses a plus sign, leading zeros and minus zero, which are not the canonical text.
        if number.to_string() != text || !(-MAX_SAFE..=MAX_SAFE).contains(&number) {
            return Err(JsonError::Number);
        }
        Ok(Value::Number(Number::from(number)))
    }
}

/// A number with a point or an exponent, as the double that other readers make of it.
fn decimal(text: &str) -> Result<Value, JsonError> {
    // serde_json knows the grammar; Rust's own reader takes more.
    let number: Number = serde_json::from_str(text).map_err(|_| JsonError::Number)?;
    let double = number.as_f64().filter(|double| double.is_finite()).ok_or(JsonError::Number)?;
    let lost = double == 0.0 && text.split(['e', 'E']).next().is_some_and(|digits| digits.contains(|c| c > '0'));
    if lost || (double.fract() == 0.0 && double.abs() > MAX_SAFE as f64) {
        return Err(JsonError::Number);
    }
    if double.fract() == 0.0 {
        // Everybody writes 1.0 as 1.
        return Ok(Value::Number(Number::from(double as i64)));
    }
    Number::from_f64(double).map(Value::Number).ok_or(JsonError::Number)
}
