//! Credentials and presentations: what a biobank says about a donor, what a donor allows, and how both are shown.
//!
//! The credential library stays behind this module; callers see plain types only.

mod checks;
mod claims;
#[cfg(test)]
#[path = "../../tests/generated/mod.rs"]
mod generated;
#[cfg(test)]
mod graph_tests;
mod issue;
mod linked;
mod many;
#[cfg(test)]
mod many_tests;
mod signature;
mod template;
mod verify;

pub(crate) use checks::Checks;
pub use checks::{Check, CheckResult, Verification, Verified};
pub use claims::{CONSENT_SCHEMA, ConsentClaims, EnrolmentClaims};
pub use issue::{Audience, CredentialError, issue_consent, issue_enrolment, present, present_to};
pub use linked::{CONSENT_CONTEXT, CONSENT_CONTEXT_SHA256, CREDENTIALS_CONTEXT_SHA256};
pub use many::{CHUNK, verify_chunk, verify_consents};
pub use verify::{
    ConsentCredential, ExpectedPresentation, HeldCredentials, verify_consent, verify_consent_by_library,
    verify_enrolment, verify_presentation,
};

use crate::canonical::{sha256, to_canonical};
use consent::Policy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::OnceLock;

/// The base context of the Verifiable Credentials Data Model 2.0.
pub(crate) const CONTEXT_V2: &str = "https://www.w3.org/ns/credentials/v2";
/// The context of this program's own terms; its text is [`CONSENT_CONTEXT`].
pub const CONTEXT_CONSENT: &str = "https://w3id.org/consent-wallet/v1";
pub(crate) const TYPE_CREDENTIAL: &str = "VerifiableCredential";
pub(crate) const TYPE_ENROLMENT: &str = "BiobankEnrolmentCredential";
pub(crate) const TYPE_CONSENT: &str = "ResearchConsentCredential";
pub(crate) const TYPE_PRESENTATION: &str = "VerifiablePresentation";
pub(crate) const PROOF_TYPE: &str = "DataIntegrityProof";
pub(crate) const CRYPTOSUITE: &str = "eddsa-rdfc-2022";
pub(crate) const PURPOSE_CREDENTIAL: &str = "assertionMethod";
pub(crate) const PURPOSE_PRESENTATION: &str = "authentication";

/// A credential in its JSON form. Nothing about it is checked: the verify functions do that.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Credential {
    value: Value,
    id: String,
    /// Made when it is first asked for.
    hash: OnceLock<[u8; 32]>,
}

/// A JSON value that is not an object with an `id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a credential")]
pub struct NotACredential;

impl Credential {
    /// The identifier, a random `urn:uuid:` in credentials of this program.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// SHA-256 of the canonical JSON.
    pub fn hash(&self) -> [u8; 32] {
        *self.hash.get_or_init(|| sha256(&self.to_bytes()))
    }

    /// Of a document that the strict reader let in, which always has a canonical form.
    fn of_strict(document: Map<String, Value>) -> Option<Self> {
        let id = document.get("id")?.as_str()?.to_owned();
        Some(Self { value: Value::Object(document), id, hash: OnceLock::new() })
    }

    /// The JSON.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The canonical JSON as bytes, for a file, a letter or the verify functions.
    pub fn to_bytes(&self) -> Vec<u8> {
        // It was canonicalised once already, or came from the strict reader.
        to_canonical(&self.value).unwrap_or_default()
    }
}

impl TryFrom<Value> for Credential {
    type Error = NotACredential;

    fn try_from(value: Value) -> Result<Self, NotACredential> {
        let id = value.get("id").and_then(Value::as_str).ok_or(NotACredential)?.to_owned();
        let hash = sha256(&to_canonical(&value).map_err(|_| NotACredential)?);
        Ok(Self { value, id, hash: hash.into() })
    }
}

impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Credential {}

impl From<Credential> for Value {
    fn from(credential: Credential) -> Self {
        credential.value
    }
}

impl fmt::Debug for Credential {
    /// The id only: credentials are personal and must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.id)
    }
}

/// A presentation in its JSON form.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Presentation(Value);

impl Presentation {
    /// The JSON.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The canonical JSON as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // What `present` made, and what was read as JSON, has a canonical form.
        to_canonical(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Presentation {
    /// Nothing of the content: presentations are personal and must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presentation")
    }
}

/// What the ledger records of a policy: SHA-256 of the credential's id, a line break, and the canonical policy.
///
/// The id is random, so equal policies of two donors have different hashes.
pub fn policy_hash(credential_id: &str, policy: &Policy) -> [u8; 32] {
    let mut bytes = credential_id.as_bytes().to_vec();
    bytes.push(b'\n');
    // A policy holds texts and lists only, which always have a canonical form.
    bytes.extend(to_canonical(policy).unwrap_or_default());
    sha256(&bytes)
}

/// The canonical N-Quads (RDFC-1.0) of a credential or a presentation without its proof, as our signatures are about
/// them; `None` for documents that are not in the form of our own, which only the library can read.
pub fn canonical_nquads(document: &Value) -> Option<String> {
    template::canonical_text(document.as_object()?)
}

/// The canonical N-Quads of the options of a proof, as [`canonical_nquads`].
pub fn canonical_proof_options(proof: &Value) -> Option<String> {
    template::canonical_options(proof.as_object()?)
}
