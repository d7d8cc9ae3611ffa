//! Any verifiable credential: several suites and kinds of keys, both data models, documents of everybody's making.
//!
//! [`crate::verify_consent`] and its neighbours know exactly one form of what they read. This module knows none: it
//! reads what it gets by JSON-LD, bounded, from contexts that are part of the program.

mod contexts;
mod issue;
mod jsonld;
mod jwk;
mod keys;
mod lookup;
mod meaning;
mod model;
mod policy;
mod proof;
mod rdf;
mod rdfc;
mod related;
mod selective;
mod suite;
mod transform;
#[cfg(test)]
mod vectors;
mod verify;

pub(crate) use contexts::{DID_V1, ED25519_2020, MULTIKEY_V1};
pub use issue::{IssueError, IssueOptions, issue};
pub use keys::{BadSecret, KeyId, KeyIdError, KeyKind, Signer};
pub use lookup::{named_dids, named_lists};
pub use model::is_url;
pub use policy::{Finding, Judge, Policy};
pub use selective::{DeriveError, DeriveOptions, PseudonymSecret, derive, derive_as, pseudonym};
pub use suite::{Suite, UnknownSuite};
pub use verify::{PresentationReport, verify_credential, verify_presentation};

pub(crate) use issue::sound;
pub(crate) use jsonld::with_room;
pub(crate) use model::types;
pub(crate) use policy::QUESTIONS;
pub(crate) use proof::{PURPOSE_CREDENTIAL, PURPOSE_PRESENTATION};
pub(crate) use verify::{MAX_AHEAD, OF_CREDENTIAL, OF_PRESENTATION, asked, broke_off, content, maker, presented};

use crate::JsonError;
use serde_json::Value;

/// The longest document that is read, in bytes.
pub const MAX_BYTES: usize = 1_000_000;
/// The most levels of arrays and objects.
pub const MAX_DEPTH: usize = 32;

pub(crate) const TYPE_CREDENTIAL: &str = "VerifiableCredential";
pub(crate) const TYPE_PRESENTATION: &str = "VerifiablePresentation";

/// Reads JSON with the bounds of this module: no member twice, and only numbers that every reader understands alike.
pub fn read_json(bytes: &[u8]) -> Result<Value, JsonError> {
    crate::canonical::parse_document(bytes, MAX_BYTES, MAX_DEPTH)
}
