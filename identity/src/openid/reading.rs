//! What every text of these protocols is read with: JSON objects, bounded, whose members have one type each.

use super::{MAX_BYTES, MAX_DEPTH, MAX_TEXT, Read, Refused};
use crate::canonical::{JsonError, parse_document};
use serde_json::{Map, Value};

/// Reads one JSON object.
pub(super) fn object(bytes: &[u8]) -> Read<Map<String, Value>> {
    match parse_document(bytes, MAX_BYTES, MAX_DEPTH) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Refused::new("json", "not an object")),
        Err(error @ JsonError::TooLong(_)) => Err(Refused::new("size", error.to_string())),
        Err(error) => Err(Refused::new("json", error.to_string())),
    }
}

/// A member that has to be there and be a text, under the name of the check that it belongs to.
pub(super) fn text<'a>(object: &'a Map<String, Value>, name: &str, check: &'static str) -> Read<&'a str> {
    optional_text(object, name, check)?.ok_or_else(|| Refused::new(check, format!("{name} is missing")))
}

/// A member that may be missing.
pub(super) fn optional_text<'a>(
    object: &'a Map<String, Value>,
    name: &str,
    check: &'static str,
) -> Read<Option<&'a str>> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.len() <= MAX_TEXT => Ok(Some(text)),
        Some(_) => Err(Refused::new(check, format!("{name} is not a text of 1 to {MAX_TEXT} bytes"))),
    }
}

/// A member that is a list that is not empty, if it is there.
pub(super) fn list<'a>(
    object: &'a Map<String, Value>,
    name: &str,
    most: usize,
    check: &'static str,
) -> Read<Option<&'a [Value]>> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::Array(items)) if (1..=most).contains(&items.len()) => Ok(Some(items)),
        Some(_) => Err(Refused::new(check, format!("{name} is not a list of 1 to {most}"))),
    }
}

/// A list of texts, if it is there.
pub(super) fn texts(
    object: &Map<String, Value>,
    name: &str,
    most: usize,
    check: &'static str,
) -> Read<Option<Vec<String>>> {
    let Some(items) = list(object, name, most, check)? else { return Ok(None) };
    let texts = items.iter().map(|item| item.as_str().filter(|text| text.len() <= MAX_TEXT).map(str::to_owned));
    texts.collect::<Option<_>>().map(Some).ok_or_else(|| Refused::new(check, format!("{name} holds what is no text")))
}

/// An address that something is fetched from or sent to: https, or http for whoever lets this machine speak to itself,
/// without a name, a password and a fragment. Whether the host may be talked to is for the caller's client to say.
pub(super) fn address<'a>(text: &'a str, check: &'static str) -> Read<&'a str> {
    let uri = iref::Uri::new(text).ok().filter(|uri| {
        matches!(uri.scheme().as_str(), "https" | "http")
            && uri.fragment().is_none()
            && uri.authority().is_some_and(|place| place.user_info().is_none() && !place.host().is_empty())
    });
    uri.map(|_| text).ok_or_else(|| Refused::new(check, "not an address of the web"))
}
