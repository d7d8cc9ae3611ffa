//! What stands in the codings of a foreign consent.

use super::codes::{DUO, OBO, OWN_SYSTEM, PROVISION_TYPE};
use consent::{Modifier, OWN, Policy, rules, words};
use serde_json::{Map, Value, json};

/// The items of a list; a single value is a list of one, nothing is an empty one.
pub(super) fn each(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.as_slice(),
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
    .iter()
}

pub(super) fn url(extension: &Value) -> &str {
    extension["url"].as_str().unwrap_or("an extension without a name")
}

pub(super) fn own_name(extension: &Value) -> Option<&str> {
    url(extension).strip_prefix(OWN)
}

/// The stated type of a provision.
pub(super) fn kind(provision: &Map<String, Value>) -> Option<&str> {
    let extensions = provision.get("extension").into_iter().flat_map(each);
    let stated = extensions.filter(|extension| url(extension) == PROVISION_TYPE);
    let mut all = stated.map(|extension| extension["valueCode"].as_str()).chain(
        // R4.
        provision.get("type").map(Value::as_str),
    );
    match (all.next().flatten(), all.next()) {
        (kind, None) => kind,
        // Two types are none.
        _ => None,
    }
}

/// The identifier of a coding, if its system is DUO's or ours.
pub(super) fn term(coding: &Value) -> Option<&str> {
    let code = coding["code"].as_str()?;
    match coding["system"].as_str()? {
        DUO => Some(code),
        OBO if code.starts_with("DUO") => Some(code),
        OWN_SYSTEM => Some(code),
        _ => None,
    }
}

/// The prefix of a disease's hierarchy.
pub(super) fn disease_system(system: &str, code: &str) -> Option<String> {
    let (prefix, digits) = code.split_once(':')?;
    let named = system == format!("{OBO}{}.owl", prefix.to_lowercase());
    let number = !digits.is_empty() && digits.len() <= 10 && digits.bytes().all(|b| b.is_ascii_digit());
    (named && number && matches!(prefix, "MONDO" | "DOID")).then(|| prefix.to_owned())
}

/// The condition of a coding with its argument.
pub(super) fn modifier(coding: &Value, id: &str) -> Option<Modifier> {
    let mut members = json!({ "code": id });
    for extension in each(&coding["extension"]) {
        let name = own_name(extension)?;
        match name {
            "date" => members["date"] = extension["valueDate"].clone(),
            "months" => members["months"] = extension["valuePositiveInt"].clone(),
            "places" | "topics" | "with" | "users" | "projects" | "institutions" => {
                let value = json!(extension["valueString"].as_str()?);
                match &mut members[name] {
                    Value::Array(values) => values.push(value),
                    none => *none = json!([value]),
                }
            }
            _ => return None,
        }
    }
    serde_json::from_value(members).ok()
}

/// A coding as it can be shown to a person.
pub(super) fn named(coding: &Value) -> String {
    let part = |name: &str| coding[name].as_str().map(str::to_owned);
    part("display").or_else(|| part("code")).unwrap_or_else(|| "a code".to_owned())
}

/// A condition in words for a person.
pub(super) fn sentence(modifier: &Modifier) -> String {
    let policy = Policy { modifiers: vec![modifier.clone()], ..Policy::default() };
    let said: Vec<_> = rules(&policy).iter().map(|message| words::sentence("en", message)).collect();
    said.join(" ")
}

pub(super) fn short(text: &str) -> String {
    crate::exchange::import::shown(text)
}
