//! The holder's side: a proof of a part, from the proof of the whole.

use super::{PseudonymSecret, Request, bbs, check_value, ecdsa, pointer, verify};
use crate::vc::jsonld::with_room;
use crate::vc::keys::KeyId;
use crate::vc::proof::proofs;
use crate::vc::suite::{Form, Suite};
use crate::vc::transform::without_proof;
use serde_json::{Value, json};

/// What to disclose.
#[derive(Debug, Clone, Default)]
pub struct DeriveOptions {
    /// JSON pointers (RFC 6901) to what is disclosed beside what is mandatory.
    pub pointers: Vec<String>,
    /// What the proof is made for, such as the verifier's challenge, in at most 1,000 bytes. For `bbs-2023` only.
    pub presentation_header: Vec<u8>,
    /// The `id` of the base proof, if there are several.
    pub proof_id: Option<String>,
}

/// Why nothing was derived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeriveError {
    /// There is not one base proof to derive from.
    #[error("there is nothing to derive from: {0}")]
    Document(String),
    /// A pointer names nothing, or another option can not be met.
    #[error("the options can not be met: {0}")]
    Options(String),
    /// The base proof is not right, or the document is not the one that was signed.
    #[error("no proof can be derived: {0}")]
    Proof(String),
}

/// Derives a credential that discloses what is mandatory and what was chosen, and nothing else.
///
/// The result was verified, so who holds a credential with a wrong base proof learns it here.
pub fn derive(credential: &Value, options: &DeriveOptions) -> Result<Value, DeriveError> {
    in_room(credential, options, None)
}

/// As [`derive`], under the pseudonym that the holder has in a context, such as a verifier's name or a study. The
/// credential was signed with a commitment to the secret.
pub fn derive_as(
    secret: &PseudonymSecret,
    context: &str,
    credential: &Value,
    options: &DeriveOptions,
) -> Result<Value, DeriveError> {
    in_room(credential, options, Some((secret, context)))
}

type Holder<'a> = Option<(&'a PseudonymSecret, &'a str)>;

fn in_room(credential: &Value, options: &DeriveOptions, holder: Holder<'_>) -> Result<Value, DeriveError> {
    let broke_off = || Err(DeriveError::Proof("the work broke off".to_owned()));
    with_room(|| narrow(credential, options, holder)).unwrap_or_else(broke_off)
}

fn narrow(credential: &Value, options: &DeriveOptions, holder: Holder<'_>) -> Result<Value, DeriveError> {
    let document = credential.as_object().ok_or_else(|| DeriveError::Document("not an object".to_owned()))?;
    let wanted = |proof: &Value| options.proof_id.as_deref().is_none_or(|id| proof["id"].as_str() == Some(id));
    let mut base = None;
    for proof in proofs(document).map_err(DeriveError::Document)? {
        let suite = Suite::of_proof(proof).ok().filter(|suite| suite.form() == Form::Parts);
        if let Some(suite) = suite.filter(|_| wanted(&json!(proof)))
            && base.replace((proof, suite)).is_some()
        {
            return Err(DeriveError::Document("several base proofs, of which none was chosen".to_owned()));
        }
    }
    let (proof, suite) = base.ok_or_else(|| DeriveError::Document("no base proof".to_owned()))?;
    let method = proof.get("verificationMethod").and_then(Value::as_str).unwrap_or_default();
    let issuer = KeyId::from_verification_method(method).map_err(|error| DeriveError::Document(error.to_string()))?;
    let value = proof.get("proofValue").and_then(Value::as_str).unwrap_or_default();

    let bare = without_proof(document);
    pointer::select(&bare, &options.pointers).map_err(DeriveError::Options)?;
    let (pointers, presentation_header) = (options.pointers.as_slice(), options.presentation_header.as_slice());
    let asked = Request { pointers, presentation_header, pseudonym: holder };
    let derived = match suite {
        Suite::Bbs2023 => bbs::derive(&bare, value, &asked, &issuer),
        _ => ecdsa::derive(&bare, value, &asked),
    };
    let mut derived = derived.map_err(DeriveError::Proof)?;
    let mut proof = proof.clone();
    proof.insert("proofValue".to_owned(), json!(derived.value));
    check_value(&proof, suite).map_err(DeriveError::Proof)?;
    let context = holder.map(|(_, context)| context);
    if !verify(&derived.document, &proof, suite, &issuer, context).map_err(DeriveError::Proof)? {
        return Err(DeriveError::Proof("the base proof is not one of this document".to_owned()));
    }
    derived.document.insert("proof".to_owned(), Value::Object(proof));
    Ok(Value::Object(derived.document))
}
