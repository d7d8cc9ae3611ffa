//! The claims of both credentials, to and from the one JSON form that each has.

use crate::Did;
use consent::{Policy, StudyId};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What a biobank says about a donor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentClaims {
    /// The donor's DID towards this biobank.
    pub donor: Did,
    /// The biobank, which is the issuer.
    pub biobank: Did,
    /// The name of the biobank.
    pub biobank_name: String,
    /// The number under which the biobank knows the donor.
    pub donor_number: String,
}

/// What a donor allows a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentClaims {
    /// The donor's DID for this study: subject and issuer alike.
    pub subject: Did,
    /// The biobank that holds samples and data.
    pub biobank: Did,
    /// The study.
    pub study: StudyId,
    /// The version of its protocol, counted from 1.
    pub version: u32,
    /// The organisation that asks: an absolute URI (a DID, a ROR identifier).
    pub recipient: String,
    /// SHA-256 of the text that the donor was shown, in lower-case hex.
    pub notice: String,
    /// The language of that text (BCP 47).
    pub language: String,
    /// What is allowed.
    pub policy: Policy,
}

/// Longest text and longest list in a claim. Canonicalisation takes more than linear time, so the input is bounded.
const MAX_TEXT: usize = 512;
const MAX_LIST: usize = 64;

impl EnrolmentClaims {
    pub(super) fn to_subject(&self) -> Value {
        json!({
            "id": self.donor,
            "biobank": self.biobank,
            "biobankName": self.biobank_name,
            "donorNumber": self.donor_number,
        })
    }

    pub(super) fn from_subject(subject: &Value) -> Result<Self, String> {
        let claims = Self {
            donor: member(subject, "id")?,
            biobank: member(subject, "biobank")?,
            biobank_name: member(subject, "biobankName")?,
            donor_number: member(subject, "donorNumber")?,
        };
        exactly(subject, &claims.to_subject())?;
        claims.check()?;
        Ok(claims)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        text("biobankName", &self.biobank_name)?;
        text("donorNumber", &self.donor_number)
    }
}

impl ConsentClaims {
    pub(super) fn to_subject(&self) -> Value {
        json!({
            "id": self.subject,
            "biobank": self.biobank,
            "study": self.study,
            "studyVersion": self.version,
            "recipient": self.recipient,
            "notice": self.notice,
            "language": self.language,
            "dataUse": self.policy,
        })
    }

    pub(super) fn from_subject(subject: &Value) -> Result<Self, String> {
        let claims = Self {
            subject: member(subject, "id")?,
            biobank: member(subject, "biobank")?,
            study: member(subject, "study")?,
            version: member(subject, "studyVersion")?,
            recipient: member(subject, "recipient")?,
            notice: member(subject, "notice")?,
            language: member(subject, "language")?,
            policy: member(subject, "dataUse")?,
        };
        exactly(subject, &claims.to_subject())?;
        claims.check()?;
        Ok(claims)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.policy.validate().map_err(|error| error.to_string())?;
        if self.policy.status.is_some() {
            return Err("the state of a consent is not part of what is signed".to_owned());
        }
        text("recipient", &self.recipient)?;
        // An address that is none would fall out of the signed graph without a word.
        if !iref::Uri::new(&self.recipient).is_ok_and(|uri| matches!(uri.scheme().as_str(), "did" | "https")) {
            return Err("recipient is not a DID or an https URI".to_owned());
        }
        if self.version == 0 {
            return Err("studyVersion counts from 1".to_owned());
        }
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if self.notice.len() != 64 || !self.notice.bytes().all(hex) {
            return Err("notice is not a SHA-256 in lower-case hex".to_owned());
        }
        let tag = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if self.language.len() > 35 || self.language.len() < 2 || !self.language.bytes().all(tag) {
            return Err("language is not a language tag".to_owned());
        }
        let policy = &self.policy;
        list("permissions", policy.permissions.iter().map(|permission| permission.code().to_owned()))?;
        list("diseases", policy.diseases.iter().cloned())?;
        list("data", policy.data.iter().map(|kind| kind.code().to_owned()))?;
        list("modifiers", policy.modifiers.iter().map(|modifier| modifier.code().to_owned()))?;
        for modifier in &policy.modifiers {
            if let consent::Modifier::Gs { places } = modifier {
                list("places", places.iter().cloned())?;
            }
        }
        Ok(())
    }
}

/// A list as RDF sees it is a set: repetition would be lost, so it is refused.
fn list(name: &str, items: impl Iterator<Item = String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for item in items {
        text(name, &item)?;
        if !seen.insert(item) || seen.len() > MAX_LIST {
            return Err(format!("{name} repeats an item or is too long"));
        }
    }
    Ok(())
}

fn text(name: &str, text: &str) -> Result<(), String> {
    if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(format!("{name} is empty, too long, or has control characters"));
    }
    Ok(())
}

/// Reads one member. Error texts name the member, never its content.
pub(super) fn member<T: serde::de::DeserializeOwned>(object: &Value, name: &str) -> Result<T, String> {
    let value = object.get(name).ok_or_else(|| format!("{name} is missing"))?;
    serde_json::from_value(value.clone()).map_err(|_| format!("{name} is not of the expected form"))
}

/// What was understood, written again, must be what was read: nothing signed goes unread, nothing read is unsigned.
fn exactly(read: &Value, written: &Value) -> Result<(), String> {
    if read == written { Ok(()) } else { Err("credentialSubject has more or other members than expected".to_owned()) }
}

/// Refuses members beside the expected ones, and lists those that are missing.
pub(super) fn members(object: &Map<String, Value>, required: &[&str], optional: &[&str]) -> Result<(), String> {
    if let Some(name) = required.iter().find(|name| !object.contains_key(**name)) {
        return Err(format!("{name} is missing"));
    }
    if object.keys().all(|name| required.contains(&name.as_str()) || optional.contains(&name.as_str())) {
        Ok(())
    } else {
        Err("there is a member that is not known".to_owned())
    }
}
