//! `ecdsa-sd-2023` (vc-di-ecdsa, section 3.5): the issuer signs the mandatory statements together, and each other one
//! with a key that is made for this credential alone.

use super::cbor::{Components, fixed, list, map, write};
use super::parts::{Label, Labels, Parts, divide, relabelled};
use super::{Disclosure, Request, Signed};
use crate::vc::keys::{KeyId, KeyKind, Signer};
use crate::{random, sha256};
use serde_json::{Map, Value as Json};

pub(super) const BASE: [u8; 3] = [0xd9, 0x5d, 0x00];
pub(super) const DERIVED: [u8; 3] = [0xd9, 0x5d, 0x01];

/// What the issuer gives to the holder.
pub(super) struct Base {
    signature: [u8; 64],
    /// The key of this credential, as a Multikey.
    key: [u8; 35],
    hmac: [u8; 32],
    signatures: Vec<[u8; 64]>,
    pointers: Vec<String>,
}

/// What the holder gives to a verifier.
pub(super) struct Derived {
    signature: [u8; 64],
    key: [u8; 35],
    signatures: Vec<[u8; 64]>,
    labels: Vec<Label>,
    mandatory: Vec<usize>,
}

impl Base {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut components = Components::read(text, BASE)?;
        let base = Self {
            signature: components.exactly()?,
            key: components.exactly()?,
            hmac: components.exactly()?,
            signatures: components.signatures()?,
            pointers: components.pointers()?,
        };
        components.end().map(|()| base)
    }

    fn write(&self) -> Result<String, String> {
        let (signatures, pointers) = (self.signatures.iter().map(|one| one.as_slice()), self.pointers.iter().cloned());
        let (signature, key, hmac) = (self.signature.as_slice(), self.key.as_slice(), self.hmac.as_slice());
        write(&BASE, vec![signature.into(), key.into(), hmac.into(), list(signatures), list(pointers)])
    }
}

impl Derived {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut components = Components::read(text, DERIVED)?;
        let derived = Self {
            signature: components.exactly()?,
            key: components.exactly()?,
            signatures: components.signatures()?,
            labels: components.labels(|label| Ok(Label::Hmac(fixed(label)?)))?,
            mandatory: components.places()?,
        };
        components.end().map(|()| derived)
    }

    fn write(&self) -> Result<String, String> {
        let (signature, key) = (self.signature.as_slice(), self.key.as_slice());
        let signatures = list(self.signatures.iter().map(|one| one.as_slice()));
        let mandatory = list(self.mandatory.iter().map(|place| *place as u64));
        write(&DERIVED, vec![signature.into(), key.into(), signatures, map(&self.labels), mandatory])
    }
}

/// The bytes that the issuer signs.
fn together(proof_hash: &[u8], key: &[u8; 35], mandatory: &[String]) -> Vec<u8> {
    [proof_hash, key, &sha256(mandatory.concat().as_bytes())].concat()
}

/// A key that signs the statements of one credential and is then forgotten.
pub(super) fn own_key() -> Signer {
    loop {
        // Some numbers are no private key, far less than one in a billion.
        if let Ok(key) = Signer::from_secret(KeyKind::P256, &random::bytes::<32>()) {
            return key;
        }
    }
}

/// `hmac` and `own` are random, and made for this credential.
pub(super) fn sign(
    signed: &Signed<'_>,
    pointers: &[String],
    issuer: &Signer,
    hmac: [u8; 32],
    own: &Signer,
) -> Result<String, String> {
    let parts = Parts::of(signed.document, Labels::Hmac, &hmac)?;
    let places: Vec<usize> = parts.choose(pointers)?.places.into_iter().collect();
    let (mandatory, others) = divide(parts.lines, &places)?;
    let key = own.id().multikey().try_into().map_err(|_| "not a key of P-256")?;
    let signature = |key: &Signer, bytes: &[u8]| {
        key.sign(bytes).and_then(|signature| signature.try_into().ok()).ok_or("a signature could not be made")
    };
    let signatures = others.iter().map(|line| signature(own, line.as_bytes())).collect::<Result<_, _>>()?;
    let signature = signature(issuer, &together(&signed.proof_hash, &key, &mandatory))?;
    Base { signature, key, hmac, signatures, pointers: pointers.to_vec() }.write()
}

pub(super) fn derive(document: &Map<String, Json>, value: &str, asked: &Request<'_>) -> Result<Disclosure, String> {
    let base = Base::read(value)?;
    if !asked.presentation_header.is_empty() || asked.pseudonym.is_some() {
        return Err("ecdsa-sd-2023 has no place for a presentation header or a pseudonym".to_owned());
    }
    let parts = Parts::of(document, Labels::Hmac, &base.hmac)?;
    let disclosed = asked.disclose(document, &parts, &base.pointers)?;
    if base.signatures.len() + disclosed.all_mandatory.len() != parts.lines.len() {
        return Err("the base proof has not one signature for each statement".to_owned());
    }
    let signatures = disclosed.others.iter().map(|place| base.signatures[*place]).collect();
    let (labels, mandatory) = (disclosed.labels, disclosed.mandatory);
    let value = Derived { signature: base.signature, key: base.key, signatures, labels, mandatory }.write()?;
    Ok(Disclosure { document: disclosed.document, value })
}

pub(super) fn verify(signed: &Signed<'_>, value: &str, issuer: &KeyId) -> Result<bool, String> {
    let derived = Derived::read(value)?;
    let (mandatory, others) = divide(relabelled(signed.document, &derived.labels)?, &derived.mandatory)?;
    if others.len() != derived.signatures.len() {
        return Err("there is not one signature for each statement".to_owned());
    }
    let own = KeyId::from_multikey(&derived.key).map_err(|error| format!("the key of the credential: {error}"))?;
    if own.kind() != KeyKind::P256 {
        return Err("the key of the credential is not one of P-256".to_owned());
    }
    let each = others.iter().zip(&derived.signatures).all(|(line, signature)| own.verify(line.as_bytes(), signature));
    Ok(each && issuer.verify(&together(&signed.proof_hash, &derived.key, &mandatory), &derived.signature))
}
