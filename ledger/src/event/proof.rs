//! Signatures inside of entries: that somebody holds a new key, and that a second person agrees.

use super::{InstitutionEvent, canonical};
use crate::entry::EntryError;
use crate::hash::{EntryHash, Hash};
use identity::{Did, SigningKey, sign_jws, verify_jws};
use serde_json::json;

/// The `typ` by which a new key shows that somebody holds it.
const KEY_PROOF_TYPE: &str = "key-proof.v1+jws";
/// The `typ` by which a second member of staff agrees to a re-binding.
const KEY_APPROVAL_TYPE: &str = "key-approval.v1+jws";

impl InstitutionEvent {
    /// The signatures inside of an entry are checked as it is read, so that the rules need no cryptography.
    pub(crate) fn check_inner_signatures(&self, signer: &Did) -> Result<(), EntryError> {
        match self {
            Self::InstitutionKey(said) => check_proof(&said.proof, &said.key, signer.as_str()),
            Self::KeyRotation(said) => check_proof(&said.proof, &said.key, &binding(&said.subject, &said.previous)),
            Self::KeyRebinding(said) => {
                let binding = binding(&said.subject, &said.previous);
                check_proof(&said.proof, &said.key, &binding)?;
                let approval = verify_jws(&said.approval).map_err(|_| EntryError::Signature)?;
                let same = approval.payload == statement(&said.key, &binding);
                if same && approval.typ == KEY_APPROVAL_TYPE { Ok(()) } else { Err(EntryError::Signature) }
            }
            _ => Ok(()),
        }
    }
}

/// The signature of a new study key that somebody holds it, for one subject after one entry.
pub fn prove_study_key(key: &SigningKey, subject: &Hash, previous: &EntryHash) -> String {
    sign_jws(key, KEY_PROOF_TYPE, &statement(&key.did(), &binding(subject, previous)))
}

/// The signature of a second member of staff under a re-binding.
pub fn approve_rebinding(staff: &SigningKey, key: &Did, subject: &Hash, previous: &EntryHash) -> String {
    sign_jws(staff, KEY_APPROVAL_TYPE, &statement(key, &binding(subject, previous)))
}

/// The signature of an institution's new key that somebody holds it, for the institution that speaks with the old key.
pub fn prove_institution_key(key: &SigningKey, old: &Did) -> String {
    sign_jws(key, KEY_PROOF_TYPE, &statement(&key.did(), old.as_str()))
}

fn binding(subject: &Hash, previous: &EntryHash) -> String {
    format!("{subject} {previous}")
}

fn statement(key: &Did, what: &str) -> Vec<u8> {
    canonical(&json!({ "for": what, "key": key }))
}

fn check_proof(proof: &str, key: &Did, what: &str) -> Result<(), EntryError> {
    let jws = verify_jws(proof).map_err(|_| EntryError::Signature)?;
    let holds = jws.signer == *key && jws.typ == KEY_PROOF_TYPE && jws.payload == statement(key, what);
    if holds { Ok(()) } else { Err(EntryError::Signature) }
}
