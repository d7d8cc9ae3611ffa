//! The claims of both credentials, to and from the one JSON form that each has.

use crate::Did;
use consent::{Modifier, Notice, Place, Policy, Preferences, StudyId, Terms, Vocabulary};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What a biobank says about a donor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentClaims {
    /// The donor's DID towards this biobank.
    pub donor: Did,
    /// The biobank, by the DID that it was founded with. It issues, by its key of today.
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
    /// The text that the donor was shown.
    pub notice: Notice,
    /// What is allowed.
    pub policy: Policy,
    /// Wishes about results and contact.
    pub preferences: Preferences,
    /// The terms of the study, and who answers for the donor.
    pub terms: Terms,
    /// SHA-256 of the consent credential that this one replaces, in lower-case hex.
    pub supersedes: Option<String>,
}

/// The version of the members of a consent credential, as the credential names it.
pub const CONSENT_SCHEMA: &str = "1.1.0";

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

    pub(super) fn from_subject(subject: &Map<String, Value>) -> Result<Self, String> {
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
        let mut subject = json!({
            "id": self.subject,
            "schemaVersion": CONSENT_SCHEMA,
            "biobank": self.biobank,
            "study": self.study,
            "studyVersion": self.version,
            "recipient": self.recipient,
            "notice": self.notice,
            "dataUse": self.policy,
        });
        // What was not said is not there.
        if !self.preferences.is_empty() {
            subject["preferences"] = json!(self.preferences);
        }
        if !self.terms.is_empty() {
            subject["terms"] = json!(self.terms);
        }
        if let Some(supersedes) = &self.supersedes {
            subject["supersedes"] = json!(supersedes);
        }
        subject
    }

    pub(super) fn from_subject(subject: &Map<String, Value>) -> Result<Self, String> {
        let claims = Self {
            subject: member(subject, "id")?,
            biobank: member(subject, "biobank")?,
            study: member(subject, "study")?,
            version: member(subject, "studyVersion")?,
            recipient: member(subject, "recipient")?,
            notice: member(subject, "notice")?,
            policy: member(subject, "dataUse")?,
            preferences: optional(subject, "preferences")?.unwrap_or_default(),
            terms: optional(subject, "terms")?.unwrap_or_default(),
            supersedes: optional(subject, "supersedes")?,
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
        address("recipient", &self.recipient, &["did", "https"])?;
        if self.version == 0 {
            return Err("studyVersion counts from 1".to_owned());
        }
        check_notice(&self.notice)?;
        if self.supersedes.as_ref().is_some_and(|hash| !is_sha256(hash)) {
            return Err("supersedes is not a SHA-256 in lower-case hex".to_owned());
        }
        check_policy(&self.policy)?;
        check_terms(&self.terms)
    }
}

fn check_notice(notice: &Notice) -> Result<(), String> {
    address("the notice's uri", &notice.uri, &["urn", "https"])?;
    if notice.version == 0 {
        return Err("the notice's version counts from 1".to_owned());
    }
    if !is_sha256(&notice.sha256) {
        return Err("the notice's sha256 is not a SHA-256 in lower-case hex".to_owned());
    }
    let tag = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if notice.language.len() > 35 || notice.language.len() < 2 || !notice.language.bytes().all(tag) {
        return Err("language is not a language tag".to_owned());
    }
    Ok(())
}

fn check_policy(policy: &Policy) -> Result<(), String> {
    list("permissions", policy.permissions.iter().map(|permission| permission.code().to_owned()))?;
    list("diseases", policy.diseases.iter().cloned())?;
    list("data", policy.shared().iter().map(|kind| kind.code().to_owned()))?;
    list("recipients", policy.recipients.iter().map(|kind| kind.code().to_owned()))?;
    if let Some(ontology) = &policy.ontology {
        text("system", &ontology.system)?;
        text("version", &ontology.version)?;
    }
    objects("modifiers", &policy.modifiers)?;
    for modifier in &policy.modifiers {
        match modifier {
            Modifier::Gs { places: items }
            | Modifier::Col { with: items }
            | Modifier::Us { users: items }
            | Modifier::Ps { projects: items }
            | Modifier::Is { institutions: items } => list(modifier.code(), items.iter().cloned())?,
            Modifier::Rs { topics } => list("topics", topics.iter().map(|focus| focus.code().to_owned()))?,
            _ => {}
        }
    }
    Ok(())
}

fn check_terms(terms: &Terms) -> Result<(), String> {
    list("legalBasis", terms.legal_basis.iter().cloned())?;
    if terms.jurisdiction.as_ref().is_some_and(|place| Place::read(place).is_none()) {
        return Err("jurisdiction is not a place of ISO 3166".to_owned());
    }
    terms.community.as_ref().map_or(Ok(()), |body| address("community", body, &["did", "https"]))?;
    terms.provenance.as_ref().map_or(Ok(()), |hash| text("provenance", hash))?;
    if let Some(ethics) = &terms.ethics {
        text("committee", &ethics.committee)?;
        text("number", &ethics.number)?;
    }
    objects("assets", &terms.assets)?;
    terms.assets.iter().try_for_each(|asset| list("ids", asset.ids.iter().cloned()))?;
    if let Some(withdrawal) = &terms.withdrawal {
        list("levels", withdrawal.levels.iter().map(|level| level.code().to_owned()))?;
    }
    if let Some(acting) = &terms.acting_for {
        text("relation", &acting.relation)?;
        text("evidence", &acting.evidence)?;
    }
    if let Some(check) = &terms.comprehension {
        text("quiz", &check.quiz)?;
        if check.score > 100 {
            return Err("score is not a part of 100".to_owned());
        }
    }
    Ok(())
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// A text that is no absolute URI would fall out of the signed graph without a word.
fn address(name: &str, uri: &str, schemes: &[&str]) -> Result<(), String> {
    text(name, uri)?;
    if iref::Uri::new(uri).is_ok_and(|uri| schemes.contains(&uri.scheme().as_str())) {
        Ok(())
    } else {
        Err(format!("{name} is not an absolute URI of a scheme that is allowed"))
    }
}

/// Objects in a list are nodes without a name. Of two that say the same, in whatever order, one could be dropped and
/// many would take the canonicalisation longer than a lifetime: it tries each order of nodes that it can not tell apart.
fn objects<T: Serialize>(name: &str, items: &[T]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for item in items {
        let mut item = json!(item);
        for list in item.as_object_mut().into_iter().flat_map(|members| members.values_mut()) {
            if let Value::Array(list) = list {
                list.sort_by_key(Value::to_string);
            }
        }
        if !seen.insert(item.to_string()) || seen.len() > MAX_LIST {
            return Err(format!("{name} repeats an item or is too long"));
        }
    }
    Ok(())
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
pub(super) fn member<T: DeserializeOwned>(object: &Map<String, Value>, name: &str) -> Result<T, String> {
    let value = object.get(name).ok_or_else(|| format!("{name} is missing"))?;
    T::deserialize(value).map_err(|_| format!("{name} is not of the expected form"))
}

/// Reads a member that may be missing.
fn optional<T: DeserializeOwned>(object: &Map<String, Value>, name: &str) -> Result<Option<T>, String> {
    if object.contains_key(name) { member(object, name).map(Some) } else { Ok(None) }
}

/// What was understood, written again, must be what was read: nothing signed goes unread, nothing read is unsigned.
fn exactly(read: &Map<String, Value>, written: &Value) -> Result<(), String> {
    if Some(read) == written.as_object() {
        Ok(())
    } else {
        Err("credentialSubject has more or other members than expected".to_owned())
    }
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
