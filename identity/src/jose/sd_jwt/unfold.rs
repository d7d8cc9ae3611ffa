//! Putting disclosures back where their digests stand (RFC 9901, section 7.1, step 3).

use super::{HASH, digest};
use crate::canonical::parse_document;
use crate::vc::{MAX_BYTES, MAX_DEPTH};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// One claim or item that its holder can show.
pub(super) struct Disclosure<'a> {
    pub(super) text: &'a str,
    pub(super) digest: String,
    /// The name of a claim; items of an array have none.
    name: Option<String>,
    value: Value,
}

impl<'a> Disclosure<'a> {
    /// Reads a disclosure: an array of a salt, a name unless it is an item, and a value.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| "a disclosure is not in base64url")?;
        let parsed = parse_document(&bytes, MAX_BYTES, MAX_DEPTH).map_err(|error| format!("a disclosure: {error}"))?;
        let Value::Array(items) = parsed else { return Err("a disclosure is no array".to_owned()) };
        let (name, value) = match items.as_slice() {
            [Value::String(_), value] => (None, value),
            [Value::String(_), Value::String(name), value] => (Some(name.clone()), value),
            _ => return Err("a disclosure is not a salt, a name and a value".to_owned()),
        };
        if name.as_deref().is_some_and(reserved) {
            return Err("a disclosure has a reserved name".to_owned());
        }
        Ok(Self { text, digest: digest(text), name, value: value.clone() })
    }
}

pub(super) fn reserved(name: &str) -> bool {
    ["_sd", "...", "_sd_alg"].contains(&name)
}

/// Claims with all their disclosures in place.
pub(super) struct Unfolded {
    pub(super) claims: Map<String, Value>,
    /// Where each disclosure stands, by its digest, as a JSON pointer (RFC 6901).
    pub(super) places: BTreeMap<String, String>,
}

/// Puts the disclosures in their places. Each has exactly one, and no digest stands anywhere twice.
pub(super) fn unfold(payload: &Map<String, Value>, disclosures: &[Disclosure]) -> Result<Unfolded, String> {
    if payload.get("_sd_alg").is_some_and(|named| named != HASH) {
        return Err(format!("_sd_alg is not {HASH}"));
    }
    let mut payload = payload.clone();
    payload.remove("_sd_alg");
    let by_digest: BTreeMap<&str, &Disclosure> = disclosures.iter().map(|one| (one.digest.as_str(), one)).collect();
    if by_digest.len() != disclosures.len() {
        return Err("a disclosure is there twice".to_owned());
    }
    let mut work = Work { by_digest, seen: BTreeSet::new(), places: BTreeMap::new() };
    let claims = work.object(&payload, "", 1)?;
    if work.places.len() != disclosures.len() {
        return Err("a disclosure that no digest stands for".to_owned());
    }
    Ok(Unfolded { claims, places: work.places })
}

struct Work<'a> {
    by_digest: BTreeMap<&'a str, &'a Disclosure<'a>>,
    seen: BTreeSet<String>,
    places: BTreeMap<String, String>,
}

impl<'a> Work<'a> {
    fn value(&mut self, value: &Value, place: &str, depth: usize) -> Result<Value, String> {
        match value {
            Value::Object(object) => self.object(object, place, depth + 1).map(Value::Object),
            Value::Array(items) => self.array(items, place, depth + 1).map(Value::Array),
            other => Ok(other.clone()),
        }
    }

    fn object(&mut self, object: &Map<String, Value>, place: &str, depth: usize) -> Result<Map<String, Value>, String> {
        within(depth)?;
        let mut claims = Map::new();
        for (name, value) in object.iter().filter(|(name, _)| *name != "_sd") {
            if reserved(name) {
                return Err(format!("{name} stands where it means nothing"));
            }
            claims.insert(name.clone(), self.value(value, &under(place, name), depth)?);
        }
        let digests = match object.get("_sd") {
            None => return Ok(claims),
            Some(Value::Array(digests)) => digests,
            Some(_) => return Err("_sd is no array".to_owned()),
        };
        for digest in digests {
            let Some(disclosure) = self.take(digest)? else { continue };
            let name = disclosure.name.as_ref().ok_or("an item is disclosed where a claim belongs")?;
            let place = under(place, name);
            let value = self.value(&disclosure.value, &place, depth)?;
            if claims.insert(name.clone(), value).is_some() {
                return Err("a claim is disclosed that is there already".to_owned());
            }
            self.places.insert(disclosure.digest.clone(), place);
        }
        Ok(claims)
    }

    fn array(&mut self, items: &[Value], place: &str, depth: usize) -> Result<Vec<Value>, String> {
        within(depth)?;
        let mut shown = Vec::new();
        for item in items {
            let place = format!("{place}/{}", shown.len());
            let Some(digest) = item.get("...") else {
                shown.push(self.value(item, &place, depth)?);
                continue;
            };
            if item.as_object().is_none_or(|item| item.len() != 1) {
                return Err("an item that is a digest and something else".to_owned());
            }
            let Some(disclosure) = self.take(digest)? else { continue };
            if disclosure.name.is_some() {
                return Err("a claim is disclosed where an item belongs".to_owned());
            }
            shown.push(self.value(&disclosure.value, &place, depth)?);
            self.places.insert(disclosure.digest.clone(), place);
        }
        Ok(shown)
    }

    /// The disclosure of a digest, if the holder shows it.
    fn take(&mut self, digest: &Value) -> Result<Option<&'a Disclosure<'a>>, String> {
        let digest = digest.as_str().ok_or("a digest is no text")?;
        if !self.seen.insert(digest.to_owned()) {
            return Err("a digest stands in two places".to_owned());
        }
        Ok(self.by_digest.get(digest).copied())
    }
}

fn within(depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH { Err(format!("nested deeper than {MAX_DEPTH} levels")) } else { Ok(()) }
}

fn under(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}
