//! Consent in the forms that others read, and answers that others wrote: one file a format.
//!
//! | form | for | file |
//! |---|---|---|
//! | HL7 FHIR R5 Consent | hospitals | [`fhir`] |
//! | W3C ODRL 2.2 agreement | data spaces | [`odrl`] |
//! | ISO/IEC TS 27560 receipt in DPV 2 | the person, data protection officers | [`dpv`] |
//! | GA4GH visa | genome archives | [`visa`] |
//! | PDF | the person, on paper | [`pdf`] |
//! | answers of other systems | a person's choices | [`import`](import()) |
//!
//! An export says what was signed and nothing beside. An import takes over what it understands, lists what it does
//! not, and never makes more out of two answers than both of them allow.

mod ctrl;
pub mod dpv;
pub mod fhir;
mod import;
pub mod odrl;
pub mod pdf;
pub mod source;
pub mod visa;

pub use import::{Format, ImportError, Imported, MAX_IMPORT, import};

use consent::{ConsentState, Modifier, OWN, Timestamp};
use identity::{ConsentClaims, canonical};
use serde_json::Value;

/// A moment in the life of a consent, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// The state that the consent has from here.
    pub state: ConsentState,
    /// What happened, in plain words.
    pub words: String,
    /// Number and hash of its entry in the record, once it is there.
    pub entry: Option<(u64, String)>,
}

/// Everything that an export says. Plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRecord {
    /// What was signed.
    pub claims: ConsentClaims,
    /// The credential's identifier, `urn:uuid:…`.
    pub credential_id: String,
    /// SHA-256 of its canonical JSON.
    pub credential_hash: [u8; 32],
    /// When it was signed.
    pub issued: Timestamp,
    /// The end of its last day, if it has one.
    pub valid_until: Option<Timestamp>,
    /// Where the consent stands.
    pub state: ConsentState,
    /// Since when.
    pub state_since: Timestamp,
    /// When the record was last looked at for this state. Nothing: the state is the one that was signed, and nobody
    /// looked.
    pub state_checked: Option<Timestamp>,
    /// The study's name; empty where it is not known.
    pub study_title: String,
    /// The name of the organisation that asks; empty where it is not known.
    pub organisation_name: String,
    /// The name of the biobank; empty where it is not known.
    pub biobank_name: String,
    /// The text that was signed; empty where it is not known.
    pub statement: String,
    /// Number and hash of the entry that recorded this consent.
    pub entry: Option<(u64, String)>,
    /// The life of the consent, oldest first.
    pub events: Vec<Moment>,
}

impl ConsentRecord {
    /// A record of what a credential itself says: the state is the one that was signed, and nobody looked further.
    pub fn as_signed(consent: &identity::ConsentCredential, issued: Timestamp) -> Self {
        let claims = consent.claims.clone();
        Self {
            credential_id: consent.credential.id().to_owned(),
            credential_hash: consent.credential.hash(),
            issued,
            valid_until: claims.policy.until.map(consent::Date::end),
            state: ConsentState::Active,
            state_since: issued,
            state_checked: None,
            study_title: String::new(),
            organisation_name: String::new(),
            biobank_name: String::new(),
            statement: String::new(),
            entry: None,
            events: Vec::new(),
            claims,
        }
    }

    /// The UUID of the credential without its scheme.
    fn uuid(&self) -> &str {
        self.credential_id.strip_prefix("urn:uuid:").unwrap_or(&self.credential_id)
    }

    /// The study's name, or its identifier where the name is not known.
    fn study(&self) -> &str {
        named(&self.study_title, self.claims.study.as_str())
    }

    fn organisation(&self) -> &str {
        named(&self.organisation_name, &self.claims.recipient)
    }

    fn biobank(&self) -> &str {
        named(&self.biobank_name, self.claims.biobank.as_str())
    }
}

fn named<'a>(name: &'a str, id: &'a str) -> &'a str {
    if name.trim().is_empty() { id } else { name }
}

/// The receipt that the person keeps, as bytes: the canonical JSON (RFC 8785) of [`dpv::export`]. These bytes are what
/// the printed receipt carries inside and what its code names.
pub fn receipt(record: &ConsentRecord) -> Vec<u8> {
    // Texts, lists and whole numbers always have a canonical form.
    canonical::to_canonical(&dpv::export(record)).unwrap_or_default()
}

/// SHA-256 of [`receipt`].
pub fn receipt_hash(record: &ConsentRecord) -> [u8; 32] {
    canonical::sha256(&receipt(record))
}

/// The full IRI of an identifier: `DUO:0000042` lives at `http://purl.obolibrary.org/obo/DUO_0000042`.
fn iri(id: &str) -> String {
    match id.split_once(':') {
        Some((prefix @ ("DUO" | "MONDO" | "DOID" | "HP" | "NCIT"), number)) => {
            format!("http://purl.obolibrary.org/obo/{prefix}_{number}")
        }
        _ => id.to_owned(),
    }
}

/// One of this project's own terms as an IRI.
fn own(term: &str) -> String {
    format!("{OWN}{term}")
}

/// Puts a member in place if there is something to say.
fn put(object: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value.filter(|value| !matches!(value, Value::Array(items) if items.is_empty())) {
        object[name] = value;
    }
}

/// What a modifier does to a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Something must not be done.
    Prohibition,
    /// Use is limited to an argument: places, months, people, topics.
    Limit,
    /// Whoever uses the data must do something.
    Duty,
    /// It allows more.
    Permission,
}

fn kind(modifier: &Modifier) -> Kind {
    match modifier {
        Modifier::Nmds
        | Modifier::Npuncu
        | Modifier::Npu
        | Modifier::Ncu
        | Modifier::Npoa
        | Modifier::Nctrl
        | Modifier::Nagr => Kind::Prohibition,
        Modifier::Rs { .. }
        | Modifier::Gso
        | Modifier::Gs { .. }
        | Modifier::Mor { .. }
        | Modifier::Ts { .. }
        | Modifier::Us { .. }
        | Modifier::Ps { .. }
        | Modifier::Is { .. } => Kind::Limit,
        Modifier::Pub | Modifier::Col { .. } | Modifier::Irb | Modifier::Rtn | Modifier::Nri | Modifier::Nrl => {
            Kind::Duty
        }
        Modifier::Cc => Kind::Permission,
    }
}

/// The argument of a modifier: the name of its member and what stands there.
fn argument(modifier: &Modifier) -> Option<(String, Value)> {
    let Ok(Value::Object(members)) = serde_json::to_value(modifier) else { return None };
    members.into_iter().find(|(name, _)| name != "code")
}

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
pub(crate) mod sample;
