//! Disclosing a part of a credential: `ecdsa-sd-2023` and `bbs-2023` (vc-di-ecdsa, sections 3.4 to 3.6; vc-di-bbs,
//! section 3).
//!
//! The issuer signs a base proof for the holder. The holder derives a proof for a verifier, of the mandatory statements
//! and of those that the holder chooses. A base proof is no proof for a verifier: it would give everything away.

mod bbs;
mod cbor;
mod derive;
mod ecdsa;
mod names;
mod parts;
mod pointer;
mod pseudonym;
#[cfg(test)]
mod vectors;

pub use derive::{DeriveError, DeriveOptions, derive, derive_as};
pub use pseudonym::PseudonymSecret;

use super::keys::{KeyId, Signer};
use super::proof::Proof;
use super::suite::{Hash, Suite};
use super::transform::canonical_options;
use crate::random;
use parts::{Label, Parts};
use serde_json::{Map, Value};

/// What decides whether a credential holds, and for whom and what: mandatory, if the issuer names nothing else.
const DECISIVE: [&str; 8] = [
    "issuer",
    "validFrom",
    "validUntil",
    "issuanceDate",
    "expirationDate",
    "credentialStatus",
    "credentialSchema",
    "termsOfUse",
];

/// A document without its proofs, and the hash of the options of the proof.
struct Signed<'a> {
    document: &'a Map<String, Value>,
    proof_hash: Vec<u8>,
}

impl<'a> Signed<'a> {
    /// `proof` may have its value, which is no part of the options.
    fn of(document: &'a Map<String, Value>, proof: &Proof, suite: Suite) -> Result<Self, String> {
        if proof.contains_key("previousProof") {
            return Err("a proof of parts can not follow another one".to_owned());
        }
        let mut options = proof.clone();
        options.remove("proofValue");
        let options = canonical_options(document, &options, suite, Hash::Sha256)?;
        Ok(Self { document, proof_hash: Hash::Sha256.digest(options.as_bytes()) })
    }
}

/// A derived document and the value of its proof.
struct Disclosure {
    document: Map<String, Value>,
    value: String,
}

/// What a holder wants to disclose.
struct Request<'a> {
    pointers: &'a [String],
    presentation_header: &'a [u8],
    /// Under which secret, and in which context.
    pseudonym: Option<(&'a PseudonymSecret, &'a str)>,
}

/// What comes of it, for both suites.
struct Disclosed {
    document: Map<String, Value>,
    labels: Vec<Label>,
    /// The places of the mandatory statements in the whole document.
    all_mandatory: Vec<usize>,
    /// Their places among what is disclosed.
    mandatory: Vec<usize>,
    /// The places of the others that are disclosed, among all that are not mandatory.
    others: Vec<usize>,
}

impl Request<'_> {
    fn disclose(
        &self,
        document: &Map<String, Value>,
        parts: &Parts,
        mandatory: &[String],
    ) -> Result<Disclosed, String> {
        let together: Vec<&String> = mandatory.iter().chain(self.pointers).collect();
        let chosen = parts.choose(&together)?;
        let all_mandatory: Vec<usize> = parts.choose(mandatory)?.places.into_iter().collect();
        let is_mandatory = |place: &usize| all_mandatory.binary_search(place).is_ok();
        let at_mandatory = chosen.places.iter().enumerate().filter(|(_, place)| is_mandatory(place));
        // Before this place lie as many mandatory statements as are smaller than it.
        let before = |place: &usize| all_mandatory.partition_point(|mandatory| mandatory < place);
        let others = chosen.places.iter().filter(|place| !is_mandatory(place));
        Ok(Disclosed {
            document: pointer::select(document, &together)?.ok_or("nothing is chosen, and nothing is mandatory")?,
            labels: parts.labels_of(&chosen)?,
            mandatory: at_mandatory.map(|(at, _)| at).collect(),
            others: others.map(|place| place - before(place)).collect(),
            all_mandatory,
        })
    }
}

/// The mandatory pointers of a credential: those that were named, each of which has to name something.
pub(super) fn mandatory(document: &Map<String, Value>, named: Option<&[String]>) -> Result<Vec<String>, String> {
    let Some(named) = named else {
        let there = DECISIVE.iter().filter(|name| document.contains_key(**name));
        return Ok(there.map(|name| format!("/{name}")).collect());
    };
    pointer::select(document, named).map(|_| named.to_vec())
}

/// The value of a base proof.
pub(super) fn sign(
    document: &Map<String, Value>,
    proof: &Proof,
    suite: Suite,
    pointers: &[String],
    commitment: Option<&[u8]>,
    issuer: &Signer,
) -> Result<String, String> {
    let signed = Signed::of(document, proof, suite)?;
    match suite {
        Suite::Bbs2023 => {
            let holder = commitment.map(|commitment| (commitment, *pseudonym::random_number()));
            bbs::sign(&signed, pointers, issuer, &bbs::Fresh { hmac: random::bytes(), holder })
        }
        _ => ecdsa::sign(&signed, pointers, issuer, random::bytes(), &ecdsa::own_key()),
    }
}

/// Whether a value is that of a derived proof, in its one spelling.
pub(super) fn check_value(proof: &Proof, suite: Suite) -> Result<(), String> {
    let value = value(proof);
    let of_holder: &[[u8; 3]] =
        if suite == Suite::Bbs2023 { &[bbs::BASE, bbs::BASE_OF_HOLDER] } else { &[ecdsa::BASE] };
    if of_holder.iter().any(|header| cbor::has(value, *header)) {
        return Err("a base proof is for the holder, who derives one from it for a verifier".to_owned());
    }
    match suite {
        Suite::Bbs2023 => bbs::Derived::read(value).map(drop),
        _ => ecdsa::Derived::read(value).map(drop),
    }
}

/// What a derived proof of `bbs-2023` says that it was made for, and whether it shows a pseudonym.
pub(super) fn answer(proof: &Proof) -> Result<(Vec<u8>, bool), String> {
    let derived = bbs::Derived::read(value(proof))?;
    Ok((derived.presentation_header, derived.pseudonym.is_some()))
}

/// Whether this can be a holder's commitment, and the suite has a place for it.
pub(super) fn check_commitment(suite: Suite, commitment: Option<&[u8]>) -> Result<(), String> {
    match commitment {
        None => Ok(()),
        Some(bytes) if suite == Suite::Bbs2023 && bytes.len() == pseudonym::COMMITMENT => Ok(()),
        Some(_) => Err("not a commitment, or not one for this suite".to_owned()),
    }
}

/// The pseudonym of whoever derived a proof of `bbs-2023`, as a compressed point of 48 bytes. It says something only if
/// the credential was verified, in the context that was asked for.
pub fn pseudonym(credential: &Value) -> Option<[u8; 48]> {
    let proof = credential.get("proof")?.as_object()?;
    bbs::Derived::read(value(proof)).ok()?.pseudonym.map(|shown| shown.point)
}

/// Whether a derived proof is right for what was disclosed, and in this context if it shows a pseudonym.
pub(super) fn verify(
    document: &Map<String, Value>,
    proof: &Proof,
    suite: Suite,
    issuer: &KeyId,
    context: Option<&str>,
) -> Result<bool, String> {
    let signed = Signed::of(document, proof, suite)?;
    match suite {
        Suite::Bbs2023 => bbs::verify(&signed, value(proof), issuer, context),
        _ => ecdsa::verify(&signed, value(proof), issuer),
    }
}

fn value(proof: &Proof) -> &str {
    proof.get("proofValue").and_then(Value::as_str).unwrap_or_default()
}
