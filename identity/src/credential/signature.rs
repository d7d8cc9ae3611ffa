//! The last check: the signature. Our own credentials are checked here, everything else by the library.

use super::checks::{Checks, Verification};
use super::{CRYPTOSUITE, PROOF_TYPE, PURPOSE_CREDENTIAL, PURPOSE_PRESENTATION, linked, template};
use crate::{Did, PublicKey, SigningKey};
use serde_json::{Map, Value, json};

/// Of a signature that is not right.
const WRONG: &str = "the signature does not match";

/// A verification that lacks nothing but the signature.
pub(super) struct Open<T> {
    pub checks: Checks,
    pub content: Option<T>,
    pub question: Question,
}

/// What is to be asked about a signature.
pub(super) enum Question {
    /// Nothing: another check failed before.
    None,
    /// Whether this key signed these bytes.
    Ours(Box<Signed>),
    /// Whether the library takes this document.
    Library(Value),
}

/// A signature, what it is about, and whose it must be.
pub(super) struct Signed {
    pub key: PublicKey,
    pub bytes: [u8; 64],
    pub signature: [u8; 64],
}

impl Question {
    /// The question about a document whose proof names the key of `signer`.
    pub(super) fn about(document: &Map<String, Value>, signer: &Did) -> Self {
        match signed(document, signer) {
            Some(signed) => Self::Ours(Box::new(signed)),
            None => Self::Library(Value::Object(document.clone())),
        }
    }
}

fn signed(document: &Map<String, Value>, signer: &Did) -> Option<Signed> {
    let proof = document.get("proof")?.as_object()?;
    let mut signature = [0; 64];
    let value = proof.get("proofValue")?.as_str()?.strip_prefix('z')?;
    // Decoding base58 takes quadratic time; 64 bytes are never longer.
    let length = if value.len() <= 88 { bs58::decode(value).onto(&mut signature).ok()? } else { 0 };
    let bytes = template::signed_bytes(document, proof).filter(|_| length == signature.len())?;
    Some(Signed { key: signer.public_key(), bytes, signature })
}

impl<T> Open<T> {
    /// Without anything to ask.
    pub(super) fn closed(checks: Checks) -> Self {
        Self { checks, content: None, question: Question::None }
    }

    /// With this answer about the signature, if one was given.
    pub(super) fn conclude(mut self, answer: Option<Result<(), String>>) -> Verification<T> {
        if let Some(answer) = answer {
            self.checks.record("signature", answer);
        }
        self.checks.conclude(self.content)
    }

    /// Asks, and waits only if it is the library that must be asked.
    pub(super) async fn settle(mut self) -> Verification<T> {
        let answer = match std::mem::replace(&mut self.question, Question::None) {
            Question::None => None,
            Question::Ours(signed) => Some(signed.check()),
            Question::Library(document) => Some(linked::verify(document).await),
        };
        self.conclude(answer)
    }
}

impl Signed {
    pub(super) fn check(&self) -> Result<(), String> {
        self.key.verify(&self.bytes, &self.signature).map_err(|_| WRONG.to_owned())
    }
}

/// Adds a proof with these options to a document.
pub(super) async fn sign(key: &SigningKey, mut document: Value, options: Value) -> Result<Value, String> {
    match proof(key, &document, &options) {
        Some(proof) => {
            document["proof"] = proof;
            Ok(document)
        }
        None => linked::sign(document, key.seed(), key.did(), options).await,
    }
}

pub(super) fn proof(key: &SigningKey, document: &Value, options: &Value) -> Option<Value> {
    let mut proof = options.clone();
    proof["type"] = json!(PROOF_TYPE);
    proof["cryptosuite"] = json!(CRYPTOSUITE);
    let bytes = template::signed_bytes(document.as_object()?, proof.as_object()?)?;
    proof["proofValue"] = json!(format!("z{}", bs58::encode(key.sign(&bytes)).into_string()));
    Some(proof)
}

/// Whether the DID document of `did` lists this verification method for this purpose. The document of an Ed25519
/// `did:key` follows from the DID: it has the one key, for these purposes.
pub(super) fn lists(did: &Did, method: &str, purpose: &str) -> Result<(), String> {
    let is_known = [PURPOSE_CREDENTIAL, PURPOSE_PRESENTATION].contains(&purpose);
    if is_known && did.verification_method() == method {
        Ok(())
    } else {
        Err("the DID document does not list the key for this purpose".to_owned())
    }
}
