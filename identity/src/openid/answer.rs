//! The answer to a request (OpenID4VP 1.0, sections 8.1 to 8.3).

use super::encryption::Recipient;
use super::reading::{optional_text, text};
use super::{Read, Refused};
use crate::canonical::parse_document;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub use super::encryption::AnswerKey;

/// The longest answer that is read, in bytes.
pub(super) const MAX_ANSWER: usize = 1 << 20;
const MAX_DEPTH: usize = 24;
/// How many presentations an answer may hold.
const MAX_PRESENTATIONS: usize = 64;
/// Where the entries and receipts of the consents that are shown stand, beside `vp_token` and in the same shape: one
/// object `{entry, receipt}` a presentation. Verifiers that do not know the member have to pass over it (RFC 6749,
/// section 4.1.2); those that do need no copy of the log to find the entry.
const RECORDS: &str = "consent_records";

/// How an answer travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealing {
    /// As it is (`direct_post`).
    Open,
    /// Encrypted to a key of the verifier (`direct_post.jwt`).
    To(Box<Recipient>),
}

/// What a wallet answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The request's `state`, handed back.
    pub state: Option<String>,
    /// The presentations, by the name of the credential query that they meet.
    pub presentations: BTreeMap<String, Vec<Value>>,
    /// Entry and receipt of what is shown, as [`Answer::presentations`].
    pub records: BTreeMap<String, Vec<Value>>,
}

/// The body of the form that is posted to the `response_uri`.
pub fn form(answer: &Answer, sealing: &Sealing) -> Read<String> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    match sealing {
        Sealing::Open => {
            form.append_pair("vp_token", &json!(answer.presentations).to_string());
            if !answer.records.is_empty() {
                form.append_pair(RECORDS, &json!(answer.records).to_string());
            }
            answer.state.as_ref().map(|state| form.append_pair("state", state));
        }
        Sealing::To(recipient) => {
            let mut content = json!({ "vp_token": answer.presentations });
            if !answer.records.is_empty() {
                content[RECORDS] = json!(answer.records);
            }
            if let Some(state) = &answer.state {
                content["state"] = json!(state);
            }
            form.append_pair("response", &recipient.seal(content.to_string().as_bytes())?);
        }
    }
    Ok(form.finish())
}

/// Reads what was posted. With a key the answer has to be encrypted, without one it must not be: a verifier gets what it
/// asked for, or nothing.
pub fn read_answer(body: &[u8], key: Option<&AnswerKey>) -> Read<Answer> {
    if body.len() > 2 * MAX_ANSWER {
        return Err(Refused::new("size", "the answer is too long"));
    }
    let mut said = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        if said.insert(name.into_owned(), Value::String(value.into_owned())).is_some() {
            return Err(Refused::new("json", "a parameter is there twice"));
        }
    }
    let parsed = match (key, said.get("response").and_then(Value::as_str)) {
        (Some(key), Some(sealed)) if said.len() == 1 => content(&key.open(sealed)?)?,
        (None, None) => {
            for name in ["vp_token", RECORDS] {
                if let Some(Value::String(text)) = said.get(name) {
                    let whole = Value::Object(content(text.as_bytes())?);
                    said.insert(name.to_owned(), whole);
                }
            }
            said
        }
        _ => {
            return Err(Refused::new(
                "encryption",
                "the answer is encrypted and should not be, or the other way round",
            ));
        }
    };
    if parsed.contains_key("error") {
        return Err(Refused::new("response-type", format!("the wallet refused: {}", text(&parsed, "error", "json")?)));
    }
    Ok(Answer {
        state: optional_text(&parsed, "state", "state")?.map(str::to_owned),
        presentations: lists(parsed.get("vp_token"))?.ok_or_else(|| Refused::new("json", "vp_token is missing"))?,
        records: lists(parsed.get(RECORDS))?.unwrap_or_default(),
    })
}

fn content(bytes: &[u8]) -> Read<Map<String, Value>> {
    match parse_document(bytes, MAX_ANSWER, MAX_DEPTH) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Refused::new("json", "not an object")),
        Err(error) => Err(Refused::new("json", error.to_string())),
    }
}

/// Lists of values by name. An answer shows something for each name.
fn lists(value: Option<&Value>) -> Read<Option<BTreeMap<String, Vec<Value>>>> {
    let Some(value) = value else { return Ok(None) };
    let list = |(name, list): (&String, &Value)| {
        let list = list.as_array().filter(|list| (1..=MAX_PRESENTATIONS).contains(&list.len()))?;
        Some((name.clone(), list.clone()))
    };
    let lists = value.as_object().filter(|lists| lists.len() <= MAX_PRESENTATIONS);
    let lists: Option<_> = lists.and_then(|lists| lists.iter().map(list).collect());
    lists.map(Some).ok_or_else(|| Refused::new("json", "not lists by the names of credential queries"))
}
