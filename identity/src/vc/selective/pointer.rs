//! JSON pointers (RFC 6901), and what of a document they choose (vc-di-ecdsa, section 3.4: `selectJsonLd`).

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How many pointers there may be: each is followed through the document.
pub(super) const MAX_POINTERS: usize = 1_000;

/// What comes along with anything inside an object: without it the rest would mean something else.
const ALONG: [&str; 5] = ["@context", "id", "@id", "type", "@type"];

/// The parts of a document that were chosen, as a tree.
#[derive(Debug, Default)]
struct Choice {
    whole: bool,
    inside: BTreeMap<String, Choice>,
}

/// The document with nothing but what the pointers choose and what belongs to it; nothing without any pointer.
pub(super) fn select<P: AsRef<str>>(
    document: &Map<String, Value>,
    pointers: &[P],
) -> Result<Option<Map<String, Value>>, String> {
    if pointers.len() > MAX_POINTERS {
        return Err(format!("more than {MAX_POINTERS} pointers"));
    }
    let mut all = Choice::default();
    for pointer in pointers {
        choose(&mut all, document, pointer.as_ref())?;
    }
    Ok((!pointers.is_empty()).then(|| keep_members(document, &all)))
}

fn choose(all: &mut Choice, document: &Map<String, Value>, pointer: &str) -> Result<(), String> {
    let nothing = || format!("{pointer:.80} names nothing in this document");
    let mut tokens = tokens(pointer).ok_or_else(|| format!("{pointer:.80} is not a JSON pointer"))?.into_iter();
    let (mut at, mut value): (_, Option<&Value>) = (all, None);
    for token in &mut tokens {
        let next = match value {
            None => document.get(&token),
            Some(Value::Object(members)) => members.get(&token),
            Some(Value::Array(items)) => index(&token).and_then(|index| items.get(index)),
            Some(_) => None,
        };
        value = Some(next.ok_or_else(nothing)?);
        at = at.inside.entry(token).or_default();
    }
    at.whole = true;
    Ok(())
}

/// The names on the way, in plain letters.
fn tokens(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let plain = |token: &str| {
        let escapes = token.matches('~').count();
        let known = token.matches("~0").count() + token.matches("~1").count();
        (escapes == known).then(|| token.replace("~1", "/").replace("~0", "~"))
    };
    pointer.strip_prefix('/')?.split('/').map(plain).collect()
}

/// A place in a list, in the one form that it may have.
fn index(token: &str) -> Option<usize> {
    token.parse().ok().filter(|index: &usize| index.to_string() == token)
}

fn keep_members(members: &Map<String, Value>, choice: &Choice) -> Map<String, Value> {
    if choice.whole {
        return members.clone();
    }
    let kept = |(name, value): (&String, &Value)| {
        if ALONG.contains(&name.as_str()) {
            return Some((name.clone(), value.clone()));
        }
        choice.inside.get(name).map(|inside| (name.clone(), keep(value, inside)))
    };
    members.iter().filter_map(kept).collect()
}

fn keep(value: &Value, choice: &Choice) -> Value {
    match value {
        _ if choice.whole => value.clone(),
        Value::Object(members) => Value::Object(keep_members(members, choice)),
        Value::Array(items) => {
            let kept =
                |(at, item): (usize, &Value)| choice.inside.get(&at.to_string()).map(|inside| keep(item, inside));
            items.iter().enumerate().filter_map(kept).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn selected(document: &Value, pointers: &[&str]) -> Result<Value, String> {
        let selection = select(document.as_object().unwrap(), pointers)?;
        Ok(selection.map_or(Value::Null, Value::Object))
    }

    #[test]
    fn what_is_chosen_comes_with_what_gives_it_its_meaning() {
        let document = json!({
            "@context": ["urn:c"], "id": "urn:x", "type": ["T"], "issuer": "urn:i",
            "subject": { "type": "S", "a/b": 1, "m~n": 2, "list": [{ "id": "urn:0", "x": 1 }, 7, { "x": 2, "y": 3 }] },
        });
        let chosen = selected(&document, &["/subject/list/2/x", "/subject/list/1", "/subject/a~1b"]).unwrap();
        let subject = json!({ "type": "S", "a/b": 1, "list": [7, { "x": 2 }] });
        assert_eq!(chosen, json!({ "@context": ["urn:c"], "id": "urn:x", "type": ["T"], "subject": subject }));
        assert_eq!(selected(&document, &["/subject/m~0n"]).unwrap()["subject"]["m~n"], json!(2));
        assert_eq!(selected(&document, &[""]).unwrap(), document);
        assert_eq!(
            selected(&document, &["/subject/list", "/subject/list/0/x"]).unwrap()["subject"]["list"][1],
            json!(7)
        );
        assert_eq!(selected(&document, &[]).unwrap(), Value::Null);
    }

    #[test]
    fn what_names_nothing_is_refused() {
        let document = json!({ "a": [{ "b": "c" }], "0": 1 });
        for bad in ["a", "/x", "/a/1", "/a/00", "/a/+0", "/a/-", "/a/0/b/0", "/a~2", "/a~", "/", "/a/", "#/a"] {
            assert!(selected(&document, &[bad]).is_err(), "{bad}");
        }
        assert!(selected(&document, &["/0"]).is_ok());
        assert!(selected(&document, &vec!["/0"; MAX_POINTERS + 1]).is_err());
    }
}
