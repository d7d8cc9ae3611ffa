//! The forms of the data model: 2.0, and 1.1 as it was before.

use super::contexts::{V1, V2, bundled};
use super::related;
use consent::Timestamp;
use json_ld::Iri;
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// Which data model a document follows; its first context says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    One,
    Two,
}

/// The first context names the model; all others are known, or definitions of the document's own.
pub(super) fn context(document: &Object) -> Result<Model, String> {
    let contexts = document.get("@context").ok_or("@context is missing")?.as_array().ok_or("@context is not a list")?;
    let model = match contexts.first().and_then(Value::as_str) {
        Some(V2) => Model::Two,
        Some(V1) => Model::One,
        _ => return Err("the first context is not that of a verifiable credential".to_owned()),
    };
    for context in contexts {
        match context {
            Value::String(url) if bundled(url).is_none() => {
                return Err("a context that is not known".to_owned());
            }
            Value::String(_) | Value::Object(_) => {}
            _ => return Err("a context is neither an address nor an object".to_owned()),
        }
    }
    if contexts.iter().filter(|context| context.as_str().is_some_and(|url| url == V1 || url == V2)).count() > 1 {
        return Err("the context of the data model is named twice".to_owned());
    }
    Ok(model)
}

/// A list of names, one of which is the `expected` one.
pub(crate) fn types(document: &Object, expected: &str, list_only: bool) -> Result<(), String> {
    let found = match document.get("type") {
        None => return Err("type is missing".to_owned()),
        Some(Value::Array(items)) => items.iter().map(|item| item.as_str()).collect::<Option<Vec<_>>>(),
        Some(Value::String(one)) if !list_only => Some(vec![one.as_str()]),
        Some(_) => None,
    };
    let found = found.ok_or("type is not a list of names")?;
    if found.contains(&expected) { Ok(()) } else { Err(format!("type does not name {expected}")) }
}

/// Whether a text is a URL, with a scheme, as the data model wants them.
pub fn is_url(text: &str) -> bool {
    Iri::new(text).is_ok()
}

fn url(object: &Object, name: &str, place: &str, required: bool) -> Result<(), String> {
    match object.get(name) {
        None if required => Err(format!("{place} has no {name}")),
        None => Ok(()),
        Some(Value::String(text)) if is_url(text) => Ok(()),
        Some(_) => Err(format!("{name} of {place} is not a URL")),
    }
}

/// The one identifier of a document, if it has one.
pub(super) fn id(document: &Object) -> Result<(), String> {
    url(document, "id", "the document", false)
}

/// Who issues, or who holds: a URL, or an object with one.
pub(super) fn party<'a>(document: &'a Object, name: &str) -> Result<&'a str, String> {
    let id = match document.get(name) {
        None => return Err(format!("{name} is missing")),
        Some(Value::String(id)) => Some(id.as_str()),
        Some(Value::Object(party)) => party.get("id").and_then(Value::as_str),
        Some(_) => None,
    };
    let id = id.ok_or_else(|| format!("{name} is neither a URL nor an object with one"))?;
    if is_url(id) { Ok(id) } else { Err(format!("{name} is not a URL")) }
}

/// One object or several, none of them empty.
pub(super) fn subject(document: &Object) -> Result<(), String> {
    let subjects = objects(document, "credentialSubject")?.ok_or("credentialSubject is missing")?;
    for subject in subjects {
        if subject.is_empty() {
            return Err("credentialSubject says nothing".to_owned());
        }
        url(subject, "id", "credentialSubject", false)?;
    }
    Ok(())
}

/// The one object or the objects of a list, which is not empty.
pub(super) fn objects<'a>(document: &'a Object, name: &str) -> Result<Option<Vec<&'a Object>>, String> {
    let found = match document.get(name) {
        None => return Ok(None),
        Some(Value::Object(one)) => Some(vec![one]),
        Some(Value::Array(items)) if !items.is_empty() => items.iter().map(Value::as_object).collect(),
        Some(_) => None,
    };
    found.map(Some).ok_or_else(|| format!("{name} is neither an object nor a list of objects"))
}

/// A moment with its zone (`xsd:dateTimeStamp`).
pub(super) fn moment(object: &Object, name: &str) -> Result<Option<Timestamp>, String> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if text.get(10..11) == Some("T") => {
            text.parse().map(Some).map_err(|_| format!("{name} is not a date and time with its zone"))
        }
        Some(_) => Err(format!("{name} is not a date and time with its zone")),
    }
}

/// From when to when a credential is valid.
pub(super) fn validity(document: &Object, model: Model) -> Result<(Option<Timestamp>, Option<Timestamp>), String> {
    let (from, until) = match model {
        Model::Two => ("validFrom", "validUntil"),
        Model::One => ("issuanceDate", "expirationDate"),
    };
    let (begins, ends) = (moment(document, from)?, moment(document, until)?);
    if model == Model::One && begins.is_none() {
        return Err(format!("{from} is missing"));
    }
    if begins.zip(ends).is_some_and(|(begins, ends)| ends < begins) {
        return Err(format!("{until} is before {from}"));
    }
    Ok((begins, ends))
}

/// Everything else that has a form. `issuing` looks at what only the issuer can still mend.
pub(super) fn members(document: &Object, model: Model, issuing: bool) -> Result<(), String> {
    // What has to have a type, and what also needs an identifier.
    let typed: &[(&str, bool)] = match model {
        Model::Two => &[
            ("credentialStatus", false),
            ("credentialSchema", true),
            ("refreshService", false),
            ("termsOfUse", false),
            ("evidence", false),
            ("confidenceMethod", false),
            ("renderMethod", false),
            ("proof", false),
        ],
        Model::One => &[
            ("credentialStatus", true),
            ("credentialSchema", true),
            ("refreshService", true),
            ("termsOfUse", false),
            ("evidence", false),
            ("proof", false),
        ],
    };
    for (name, needs_id) in typed {
        for object in objects(document, name)?.unwrap_or_default() {
            let named = match object.get("type") {
                Some(Value::String(kind)) => !kind.is_empty(),
                Some(Value::Array(kinds)) => !kinds.is_empty() && kinds.iter().all(Value::is_string),
                _ => false,
            };
            if !named {
                return Err(format!("{name} has no type"));
            }
            url(object, "id", name, *needs_id)?;
        }
    }
    if model == Model::Two {
        words(document, "the document")?;
        if let Some(Value::Object(issuer)) = document.get("issuer") {
            words(issuer, "issuer")?;
        }
        related::check(document, issuing)?;
    }
    Ok(())
}

/// Names and descriptions: a text, one in a language, or a list of those.
fn words(object: &Object, place: &str) -> Result<(), String> {
    for name in ["name", "description"] {
        let fine = match object.get(name) {
            None => true,
            Some(Value::Array(items)) => items.iter().all(is_word),
            Some(other) => is_word(other),
        };
        if !fine {
            return Err(format!("{name} of {place} is neither a text nor one in a language"));
        }
    }
    Ok(())
}

fn is_word(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Object(word) => {
            word.get("@value").is_some_and(Value::is_string)
                && word.iter().all(|(name, value)| match name.as_str() {
                    "@value" => true,
                    "@language" => value.as_str().is_some_and(is_language),
                    "@direction" => matches!(value.as_str(), Some("ltr" | "rtl")),
                    _ => false,
                })
        }
        _ => false,
    }
}

fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let first =
        parts.next().is_some_and(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic()));
    first && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}
