//! One change to a document: to something else of the same form, or to something that is not of our form at all.

use super::Generator;
use serde_json::{Map, Value, json};

/// The changed document, and what was changed.
pub fn mutate(document: &Map<String, Value>, generator: &mut Generator) -> (Map<String, Value>, String) {
    let mut changed = Value::Object(document.clone());
    let mut all = Vec::new();
    paths(&changed, "", &mut all);
    let path = generator.one(&all).clone();
    let what = match generator.below(8) {
        0..=2 => replace(&mut changed, &path, generator),
        3 => wrap(&mut changed, &path, generator),
        4 => add(&mut changed, &path, generator),
        5 => rename(&mut changed, &path, generator),
        6 => repeat(&mut changed, &path),
        _ => remove(&mut changed, &path),
    };
    let Value::Object(changed) = changed else { unreachable!("no change touches the whole") };
    (changed, format!("{what} {path}"))
}

/// The paths of all values inside a value, in JSON pointer form.
fn paths(value: &Value, at: &str, all: &mut Vec<String>) {
    let mut go = |name: &str, child: &Value| {
        let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        all.push(at.clone());
        paths(child, &at, all);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, child)| go(name, child)),
        Value::Array(items) => items.iter().enumerate().for_each(|(place, child)| go(&place.to_string(), child)),
        _ => {}
    }
}

fn replace(document: &mut Value, path: &str, generator: &mut Generator) -> &'static str {
    let (text, address) = (generator.text(), generator.address());
    let other = [
        json!(text),
        json!(address),
        json!(generator.below(1 << 31)),
        json!(-7),
        json!(9_007_199_254_740_991_i64),
        json!(true),
        json!(false),
        json!(null),
        json!({}),
        json!([]),
        json!([text.clone()]),
        json!({ "name": text.clone() }),
        json!({ "@value": text.clone(), "@language": "en" }),
        json!({ "@id": address.clone() }),
        json!({ "@list": [text.clone()] }),
        json!("a\tb\u{8}\u{c}\u{7f}\u{85}\r\n"),
        json!(format!("{address}\u{e9}")),
        json!("mailto:somebody@example.org"),
        json!("HTTPS://EXAMPLE.org/../a"),
        json!("urn:a b"),
        json!("/relative"),
        json!("_:b0"),
        json!("yes"),
        json!("HMB"),
        json!("code"),
        json!("id"),
        json!("@type"),
        json!("study:1"),
        json!("2026-11-22"),
        json!("2026-11-22T12:00:00.5+01:00"),
        json!(""),
    ];
    let other = generator.one(&other).clone();
    if let Some(value) = document.pointer_mut(path) {
        *value = other;
    }
    "replaced"
}

fn wrap(document: &mut Value, path: &str, generator: &mut Generator) -> &'static str {
    let Some(value) = document.pointer_mut(path) else { return "nothing at" };
    match (value, generator.below(2)) {
        (value @ Value::Array(_), _) => {
            let first = value.get(0).cloned().unwrap_or_default();
            *value = first;
            "unwrapped"
        }
        (value, 0) => {
            *value = json!([value.clone()]);
            "wrapped"
        }
        (value, _) => {
            *value = json!([[value.clone()]]);
            "wrapped twice"
        }
    }
}

fn add(document: &mut Value, path: &str, generator: &mut Generator) -> &'static str {
    let names = [
        "unheardOf",
        "study",
        "name",
        "description",
        "id",
        "type",
        "@id",
        "@type",
        "@context",
        "@graph",
        "@reverse",
        "@included",
        "language",
        "modifiers",
        "notice",
        "yes",
        "nonce",
        "issuer",
        "biobank",
        "evidence",
        "version",
        "https://example.org/own",
    ];
    let name = *generator.one(&names);
    let value = match generator.below(4) {
        0 => json!(generator.address()),
        1 => json!({ "version": 1 }),
        2 => json!([{ "code": "GS" }]),
        _ => json!(generator.text()),
    };
    let mut path = path.to_owned();
    // The nearest object that holds the place.
    loop {
        match document.pointer_mut(&path) {
            Some(Value::Object(members)) => {
                members.insert(name.to_owned(), value);
                return "a member more beside or in";
            }
            _ => path = path.rsplit_once('/').map_or_else(String::new, |(parent, _)| parent.to_owned()),
        }
    }
}

fn rename(document: &mut Value, path: &str, generator: &mut Generator) -> &'static str {
    let names = ["unheardOf", "code", "until", "name", "uri", "version", "controls", "@id", "from", "data", "topics"];
    let (parent, name) = path.rsplit_once('/').unwrap_or_default();
    if let Some(Value::Object(members)) = document.pointer_mut(parent)
        && let Some(value) = members.remove(name)
    {
        members.insert((*generator.one(&names)).to_owned(), value);
    }
    "renamed"
}

fn repeat(document: &mut Value, path: &str) -> &'static str {
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let place = if document.pointer(path).is_some_and(Value::is_array) { path } else { parent };
    if let Some(Value::Array(items)) = document.pointer_mut(place)
        && let Some(first) = items.first().cloned()
    {
        items.push(first);
    }
    "repeated in"
}

fn remove(document: &mut Value, path: &str) -> &'static str {
    let (parent, name) = path.rsplit_once('/').unwrap_or_default();
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.remove(name)),
        Some(Value::Array(items)) => {
            if let Ok(place) = name.parse::<usize>() {
                items.remove(place);
            }
        }
        _ => {}
    }
    "removed"
}
