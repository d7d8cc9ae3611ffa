//! Bitstring Status List 1.0 (W3C): an entry in a credential, and the credential that holds the list.

use super::bits::MAX_SIZE;
use super::{Purpose, Reading, Status, StatusBits, StatusError};
use crate::jose::verify_token;
use crate::vc::{Policy, is_url, verify_credential};
use consent::Timestamp;
use serde_json::{Map, Value, json};

const ENTRY: &str = "BitstringStatusListEntry";
const LIST: &str = "BitstringStatusList";
const LIST_CREDENTIAL: &str = "BitstringStatusListCredential";

/// An entry of a list, as a credential names it (section 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BitstringEntry {
    /// The URL of the list.
    pub list: String,
    /// The place in the list, from 0.
    pub index: u64,
    /// What the list is about.
    pub purpose: Purpose,
    /// How many bits the entry has, 1 to 8.
    pub size: u8,
    /// What each value means, from 0: as many as there are values, or none.
    pub messages: Vec<String>,
    /// Where to read more, as URLs.
    pub references: Vec<String>,
}

impl BitstringEntry {
    /// An entry of one bit.
    pub fn new(list: String, index: u64, purpose: Purpose) -> Self {
        Self { list, index, purpose, size: 1, messages: Vec::new(), references: Vec::new() }
    }

    /// The entry as a `credentialStatus`.
    pub fn to_json(&self) -> Value {
        let mut entry = Map::from_iter([
            ("type".to_owned(), json!(ENTRY)),
            ("id".to_owned(), json!(format!("{}#{}", self.list, self.index))),
            ("statusPurpose".to_owned(), json!(self.purpose.name())),
            ("statusListIndex".to_owned(), json!(self.index.to_string())),
            ("statusListCredential".to_owned(), json!(self.list)),
        ]);
        if !self.messages.is_empty() {
            let messages = (0..)
                .zip(&self.messages)
                .map(|(value, text): (u8, _)| json!({ "status": format!("{value:#x}"), "message": text }));
            entry.insert("statusSize".to_owned(), json!(self.size));
            entry.insert("statusMessage".to_owned(), messages.collect());
        }
        if !self.references.is_empty() {
            entry.insert("statusReference".to_owned(), json!(self.references));
        }
        Value::Object(entry)
    }

    /// Reads a `credentialStatus`.
    pub(super) fn parse(value: &Value) -> Result<Self, StatusError> {
        let malformed = StatusError::Malformed;
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        if text("type").ok_or(malformed("a status has no type"))? != ENTRY {
            return Err(StatusError::Unknown);
        }
        let list = text("statusListCredential").filter(|url| is_url(url));
        let list = list.ok_or(malformed("statusListCredential is no URL"))?.to_owned();
        if text("id") == Some(&list) {
            return Err(malformed("the id of an entry is that of its list"));
        }
        let index =
            text("statusListIndex").and_then(whole).ok_or(malformed("statusListIndex is no number in a text"))?;
        let purpose = text("statusPurpose").ok_or(malformed("statusPurpose is missing"))?;
        let purpose = Purpose::of_name(purpose).ok_or(StatusError::Unknown)?;
        let size = match value.get("statusSize") {
            None => 1,
            Some(size) => size.as_u64().and_then(|size| u8::try_from(size).ok()).unwrap_or_default(),
        };
        if !(1..=MAX_SIZE).contains(&size) {
            return Err(malformed("statusSize is not from 1 to 8"));
        }
        let messages = messages(value.get("statusMessage"), 1 << size)?;
        if messages.is_empty() && (size > 1 || purpose == Purpose::Message) {
            return Err(malformed("statusMessage is missing"));
        }
        let references = match value.get("statusReference") {
            None => Some(Vec::new()),
            Some(Value::String(one)) => Some(vec![one.clone()]),
            Some(Value::Array(several)) => several.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
            Some(_) => None,
        };
        let references = references.filter(|all| all.iter().all(|url| is_url(url)));
        let references = references.ok_or(malformed("statusReference is no URL and no list of URLs"))?;
        Ok(Self { list, index, purpose, size, messages, references })
    }

    /// The status by the credential that the URL of the list answered with (section 3.2): JSON with a proof, or a
    /// `vc+jwt`.
    pub(super) fn read(&self, issuer: &str, list: &[u8], policy: &Policy) -> Result<Reading, StatusError> {
        let verification = match std::str::from_utf8(list) {
            Ok(text) if !text.trim_start().starts_with('{') => verify_token(text.trim(), policy),
            _ => verify_credential(list, policy),
        };
        let failed = verification.failed();
        let list = verification.verified.ok_or(StatusError::NotVerified(failed))?;
        let own = |name: &str, expected: &str| {
            let value = list.get(name);
            value.and_then(|value| value.as_str().or_else(|| value.get("id")?.as_str())) == Some(expected)
        };
        if !own("issuer", issuer) || !own("id", &self.list) || !holds(list.get("type"), LIST_CREDENTIAL) {
            return Err(StatusError::OtherList);
        }
        let subject = list.get("credentialSubject").ok_or(StatusError::Malformed("the list has no subject"))?;
        if !holds(subject.get("type"), LIST) {
            return Err(StatusError::Malformed("the subject is no status list"));
        }
        if !holds(subject.get("statusPurpose"), self.purpose.name()) {
            return Err(StatusError::OtherPurpose);
        }
        let ttl = match subject.get("ttl") {
            None => None,
            Some(ttl) => {
                Some(ttl.as_u64().filter(|ttl| *ttl > 0).ok_or(StatusError::Malformed("ttl is no time"))? / 1000)
            }
        };
        let packed = subject.get("encodedList").and_then(Value::as_str);
        let bits = StatusBits::decode(packed.ok_or(StatusError::Malformed("encodedList is missing"))?, self.size)?;
        let value = bits.get(self.index).ok_or(StatusError::Range)?;
        Ok(Reading { status: self.meaning(value), ttl })
    }

    fn meaning(&self, value: u8) -> Status {
        match (self.purpose, value) {
            (Purpose::Revocation | Purpose::Suspension | Purpose::Refresh, 0) => Status::Live,
            (Purpose::Revocation, _) => Status::Revoked,
            (Purpose::Suspension, _) => Status::Suspended,
            (Purpose::Refresh | Purpose::Message, value) => {
                let text = self.messages.get(usize::from(value)).cloned().unwrap_or_else(|| self.purpose.to_string());
                Status::Message { value, text, references: self.references.clone() }
            }
        }
    }
}

/// A number as everybody writes it.
fn whole(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

fn holds(value: Option<&Value>, name: &str) -> bool {
    value.is_some_and(|value| value == name || value.as_array().is_some_and(|all| all.iter().any(|one| one == name)))
}

/// The messages in the order of their values; there is one for each value.
fn messages(value: Option<&Value>, values: usize) -> Result<Vec<String>, StatusError> {
    let malformed = StatusError::Malformed("statusMessage is not one message for each value");
    let Some(value) = value else { return Ok(Vec::new()) };
    let given = value.as_array().filter(|given| given.len() == values).ok_or(malformed.clone())?;
    let mut messages = vec![None; values];
    for one in given {
        let status = one.get("status").and_then(Value::as_str).and_then(|text| text.strip_prefix("0x"));
        let place =
            status.and_then(|hex| usize::from_str_radix(hex, 16).ok()).and_then(|value| messages.get_mut(value));
        let text = one.get("message").and_then(Value::as_str).ok_or(malformed.clone())?;
        *place.ok_or(malformed.clone())? = Some(text.to_owned());
    }
    messages.into_iter().collect::<Option<_>>().ok_or(malformed)
}

/// What a list says of itself.
#[derive(Debug, Clone)]
pub struct ListTerms<'a> {
    /// The URL under which it is hosted.
    pub url: &'a str,
    /// Who signs it: the issuer of the credentials that name it.
    pub issuer: &'a str,
    /// What it is about.
    pub purpose: Purpose,
    /// From when it is valid.
    pub valid_from: Timestamp,
    /// Until when it is valid: somebody who hides a newer list can do so for no longer.
    pub valid_until: Timestamp,
    /// For how long it may be kept, in seconds.
    pub ttl: u64,
}

/// The credential of a list (section 2.2), still to be signed.
pub fn list_credential(bits: &StatusBits, terms: &ListTerms) -> Result<Value, StatusError> {
    Ok(json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": terms.url,
        "type": ["VerifiableCredential", LIST_CREDENTIAL],
        "issuer": terms.issuer,
        "validFrom": terms.valid_from,
        "validUntil": terms.valid_until,
        "credentialSubject": {
            "id": format!("{}#list", terms.url),
            "type": LIST,
            "statusPurpose": terms.purpose.name(),
            "encodedList": bits.encode()?,
            "ttl": terms.ttl * 1000,
        },
    }))
}
