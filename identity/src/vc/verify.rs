//! Every check of any credential and of any presentation.

use super::jsonld::with_room;
use super::keys::KeyId;
use super::model::{self, Model};
use super::proof::{PURPOSE_CREDENTIAL, PURPOSE_PRESENTATION, Proof, followed, last, proofs, shape, texts};
use super::suite::{Form, Hash, Suite};
use super::transform::{signed_bytes, without_proof};
use super::{MAX_BYTES, MAX_DEPTH, TYPE_CREDENTIAL, TYPE_PRESENTATION, jsonld, selective};
use crate::canonical::{JsonError, parse_document};
use crate::credential::{Checks, Verification};
use consent::Timestamp;
use serde_json::{Map, Value};

/// How far another clock may run ahead, in seconds.
const MAX_AHEAD: i64 = 300;
/// How many credentials one presentation may hold.
const MAX_CREDENTIALS: usize = 64;

/// What a verifier asks for.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The moment of the verification.
    pub now: Timestamp,
    /// The challenge that was given out. A presentation that is signed has to answer one.
    pub challenge: Option<String>,
    /// The verifier's own name. What is addressed to somebody has to be addressed to it.
    pub domain: Option<String>,
    /// The presentation header that was given out. A proof by `bbs-2023` with one has to answer it.
    pub presentation_header: Option<Vec<u8>>,
    /// The context of the pseudonym that was asked for. Proofs by `bbs-2023` then have to show one.
    pub pseudonym_context: Option<String>,
    /// The suites that are good enough.
    pub suites: Vec<Suite>,
    /// Whether the key has to be that of whom the document names. A verifier that says no learns that somebody signed,
    /// and not who; only test suites have a reason to.
    pub binding: bool,
    /// Whether a presentation may come without a proof: then nobody shows that they hold anything.
    pub unsigned: bool,
}

impl Policy {
    /// Everything that this program knows, with all checks.
    pub fn new(now: Timestamp) -> Self {
        let suites = vec![
            Suite::EddsaRdfc2022,
            Suite::EddsaJcs2022,
            Suite::EcdsaRdfc2019,
            Suite::EcdsaJcs2019,
            Suite::EcdsaSd2023,
            Suite::Bbs2023,
            Suite::Ed25519Signature2020,
        ];
        Self {
            now,
            challenge: None,
            domain: None,
            presentation_header: None,
            pseudonym_context: None,
            suites,
            binding: true,
            unsigned: false,
        }
    }
}

/// What came of a presentation, and of each credential in it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PresentationReport {
    /// The presentation; it holds only if each of its credentials does.
    pub presentation: Verification<Value>,
    /// The credentials, in their order.
    pub credentials: Vec<Verification<Value>>,
}

const BEFORE: [&str; 2] = ["size", "json"];
const OF_CREDENTIAL: [&str; 9] =
    ["context", "type", "id", "issuer", "subject", "valid-from", "valid-until", "members", "terms"];
const OF_PRESENTATION: [&str; 6] = ["context", "type", "id", "holder", "credentials", "terms"];
const OF_PROOFS: [&str; 11] = [
    "proof-count",
    "proof-shape",
    "suite",
    "purpose",
    "created",
    "expires",
    "challenge",
    "audience",
    "previous-proof",
    "signer-is-issuer",
    "signature",
];
/// Without these nothing is canonicalised and no signature is looked at: they bound the work.
const BEFORE_SIGNATURE: [&str; 7] =
    ["context", "type", "terms", "proof-count", "proof-shape", "suite", "previous-proof"];

/// Verifies a credential of any kind.
pub fn verify_credential(bytes: &[u8], policy: &Policy) -> Verification<Value> {
    let work = || {
        let mut checks = Checks::new(&[&BEFORE[..], &OF_CREDENTIAL, &OF_PROOFS].concat());
        let document = read(&mut checks, bytes);
        match document {
            Some(document) => credential(checks, document, policy),
            None => checks.conclude(None),
        }
    };
    with_room(work).unwrap_or_else(broke_off)
}

/// Verifies a presentation of any kind, with the credentials that it holds.
pub fn verify_presentation(bytes: &[u8], policy: &Policy) -> PresentationReport {
    let work = || {
        let mut checks = Checks::new(&[&BEFORE[..], &OF_PRESENTATION, &OF_PROOFS].concat());
        match read(&mut checks, bytes) {
            Some(document) => presentation(checks, document, policy),
            None => PresentationReport { presentation: checks.conclude(None), credentials: Vec::new() },
        }
    };
    let broken = || PresentationReport { presentation: broke_off(), credentials: Vec::new() };
    with_room(work).unwrap_or_else(broken)
}

fn broke_off() -> Verification<Value> {
    let mut checks = Checks::new(&BEFORE);
    checks.record::<()>("json", Err("the check broke off".to_owned()));
    checks.conclude(None)
}

fn read(checks: &mut Checks, bytes: &[u8]) -> Option<Map<String, Value>> {
    let parsed = parse_document(bytes, MAX_BYTES, MAX_DEPTH);
    if let Err(error @ JsonError::TooLong(_)) = parsed {
        return checks.record("size", Err(error.to_string()));
    }
    checks.record("size", Ok(()));
    let object = parsed.map_err(|error| error.to_string()).and_then(|value| match value {
        Value::Object(object) => Ok(object),
        _ => Err("not an object".to_owned()),
    });
    checks.record("json", object)
}

fn credential(mut checks: Checks, document: Map<String, Value>, policy: &Policy) -> Verification<Value> {
    let model = checks.record("context", model::context(&document));
    checks.record("type", model::types(&document, TYPE_CREDENTIAL, true));
    checks.record("id", model::id(&document));
    let issuer = checks.record("issuer", model::party(&document, "issuer"));
    checks.record("subject", model::subject(&document));
    // Without a model its dates have no names.
    let model = model.unwrap_or(Model::Two);
    match model::validity(&document, model) {
        Ok((from, until)) => {
            let begun = from.is_none_or(|from| from <= policy.now.plus_seconds(MAX_AHEAD));
            checks.record("valid-from", if begun { Ok(()) } else { Err("not valid yet".to_owned()) });
            let lasts = until.is_none_or(|until| policy.now <= until);
            checks.record("valid-until", if lasts { Ok(()) } else { Err("not valid any more".to_owned()) });
        }
        Err(error) => {
            checks.record::<()>("valid-from", Err(error));
        }
    }
    checks.record("members", model::members(&document, model, false));
    terms(&mut checks, &document);
    prove(&mut checks, &document, issuer, PURPOSE_CREDENTIAL, policy);
    checks.conclude(Some(Value::Object(document)))
}

fn presentation(mut checks: Checks, document: Map<String, Value>, policy: &Policy) -> PresentationReport {
    checks.record("context", model::context(&document));
    checks.record("type", model::types(&document, TYPE_PRESENTATION, false));
    checks.record("id", model::id(&document));
    let named = document.get("holder").map(|_| model::party(&document, "holder")).transpose();
    let holder = checks.record("holder", named).flatten();
    let mut credentials = Vec::new();
    let held = match model::objects(&document, "verifiableCredential") {
        // Presenting nothing shows control of a key.
        _ if document.get("verifiableCredential").is_some_and(|held| held.as_array().is_some_and(Vec::is_empty)) => {
            Ok(Vec::new())
        }
        Ok(held) => Ok(held.unwrap_or_default()),
        Err(error) => Err(error),
    };
    let outcome = match held {
        Ok(held) if held.len() <= MAX_CREDENTIALS => {
            // A challenge and an address belong to the presentation.
            let inner = Policy { challenge: None, domain: None, ..policy.clone() };
            for one in held {
                let mut checks = Checks::new(&[&BEFORE[..], &OF_CREDENTIAL, &OF_PROOFS].concat());
                for name in BEFORE {
                    checks.record(name, Ok(()));
                }
                credentials.push(credential(checks, one.clone(), &inner));
            }
            if credentials.iter().all(|one| one.verified.is_some()) {
                Ok(())
            } else {
                Err("a credential did not pass its checks".to_owned())
            }
        }
        Ok(_) => Err(format!("more than {MAX_CREDENTIALS} credentials")),
        Err(error) => Err(error),
    };
    checks.record("credentials", outcome);
    terms(&mut checks, &document);
    if policy.unsigned && !document.contains_key("proof") {
        // Nobody claims anything, so there is nothing to prove; the report says so.
        for name in OF_PROOFS {
            checks.record(name, Ok(()));
        }
        checks.remark("proof-count", "there is no proof: nobody shows that they hold these credentials");
    } else {
        let expected = match (&policy.challenge, &policy.unsigned) {
            (None, false) => Err("no challenge was given, so an old presentation would pass for a new one".to_owned()),
            _ => Ok(()),
        };
        checks.record("challenge", expected);
        prove(&mut checks, &document, holder, PURPOSE_PRESENTATION, policy);
    }
    PresentationReport { presentation: checks.conclude(Some(Value::Object(document))), credentials }
}

fn terms(checks: &mut Checks, document: &Map<String, Value>) {
    if checks.all_passed(&["context", "type"]) {
        let outcome = jsonld::statements(&Value::Object(without_proof(document))).map(drop);
        checks.record("terms", outcome);
    }
}

/// All proofs of a document. `named` is whom it says that it is from; a presentation may say nothing.
fn prove(checks: &mut Checks, document: &Map<String, Value>, named: Option<&str>, purpose: &str, policy: &Policy) {
    let all = match proofs(document) {
        Ok(all) if all.is_empty() => Err("there is no proof".to_owned()),
        other => other,
    };
    let Some(all) = checks.record("proof-count", all) else { return };
    for (number, proof) in (1..).zip(&all) {
        let mut record = |name, outcome: Result<(), String>| {
            checks.record(name, outcome.map_err(|error| format!("proof {number}: {error}")));
        };
        record("proof-shape", shape(proof).and_then(|()| value(proof)));
        record("suite", suite(proof, policy).map(drop));
        let stated = proof.get("proofPurpose").and_then(Value::as_str) == Some(purpose);
        record("purpose", if stated { Ok(()) } else { Err(format!("proofPurpose is not {purpose}")) });
        record("created", created(proof, policy.now));
        record("expires", expires(proof, policy.now));
        record("challenge", challenge(proof, policy.challenge.as_deref()));
        record("challenge", presentation_header(proof, policy.presentation_header.as_deref()));
        record("audience", pseudonym(proof, policy.pseudonym_context.as_deref()));
        record("audience", audience(proof, policy.domain.as_deref()));
    }
    let Some(last) = checks.record("previous-proof", last(&all)) else { return };
    if policy.binding {
        for (proof, _) in all.iter().zip(&last).filter(|(_, last)| **last) {
            checks.record("signer-is-issuer", binding(proof, named, purpose));
        }
    } else {
        checks.record("signer-is-issuer", Ok(()));
        checks.remark("signer-is-issuer", "not compared: the verifier asked for the proof only");
    }
    if checks.all_passed(&BEFORE_SIGNATURE) {
        for (number, proof) in (1..).zip(&all) {
            let outcome = signature(document, proof, &all, policy);
            checks.record("signature", outcome.map_err(|error| format!("proof {number}: {error}")));
        }
    }
}

/// The form of the value, where that is more than a signature.
fn value(proof: &Proof) -> Result<(), String> {
    match Suite::of_proof(proof) {
        Ok(suite) if suite.form() == Form::Parts => selective::check_value(proof, suite),
        _ => Ok(()),
    }
}

/// A derived proof answers with bytes of its own, because its options are the issuer's.
fn presentation_header(proof: &Proof, expected: Option<&[u8]>) -> Result<(), String> {
    let Ok(Suite::Bbs2023) = Suite::of_proof(proof) else { return Ok(()) };
    match (selective::answer(proof)?.0.as_slice(), expected) {
        (found, Some(expected)) if found == expected => Ok(()),
        ([], None) => Ok(()),
        (_, None) => Err("there is a presentation header that this verifier did not give".to_owned()),
        _ => Err("not the presentation header that was given".to_owned()),
    }
}

/// Whether a proof shows a pseudonym if, and only if, one was asked for. In which context is part of what is proven.
fn pseudonym(proof: &Proof, context: Option<&str>) -> Result<(), String> {
    let Ok(Suite::Bbs2023) = Suite::of_proof(proof) else { return Ok(()) };
    match (selective::answer(proof)?.1, context) {
        (true, Some(_)) | (false, None) => Ok(()),
        (true, None) => Err("there is a pseudonym that this verifier did not ask for".to_owned()),
        (false, Some(_)) => Err("there is no pseudonym".to_owned()),
    }
}

fn suite(proof: &Proof, policy: &Policy) -> Result<Suite, String> {
    let suite = Suite::of_proof(proof).map_err(|error| error.to_string())?;
    if policy.suites.contains(&suite) { Ok(suite) } else { Err(format!("{suite} is not good enough here")) }
}

fn created(proof: &Proof, now: Timestamp) -> Result<(), String> {
    match model::moment(proof, "created")? {
        Some(created) if created <= now.plus_seconds(MAX_AHEAD) => Ok(()),
        Some(_) => Err("made in the future".to_owned()),
        None if Suite::of_proof(proof).is_ok_and(|suite| !suite.is_dated()) => Ok(()),
        None => Err("created is missing".to_owned()),
    }
}

fn expires(proof: &Proof, now: Timestamp) -> Result<(), String> {
    match model::moment(proof, "expires")? {
        Some(expires) if expires < now => Err("the proof is over".to_owned()),
        _ => Ok(()),
    }
}

fn challenge(proof: &Proof, expected: Option<&str>) -> Result<(), String> {
    match (proof.get("challenge").and_then(Value::as_str), expected) {
        (None, None) => Ok(()),
        (Some(found), Some(expected)) if found == expected => Ok(()),
        (Some(_), None) => Err("there is a challenge that this verifier did not give".to_owned()),
        _ => Err("not the challenge that was given".to_owned()),
    }
}

fn audience(proof: &Proof, own: Option<&str>) -> Result<(), String> {
    match (texts(proof, "domain"), own) {
        (None, None) => Ok(()),
        (Some(found), Some(own)) if found.contains(&own) => Ok(()),
        (Some(_), None) => Err("addressed to somebody, and this verifier did not say who it is".to_owned()),
        _ => Err("not addressed to this verifier".to_owned()),
    }
}

fn signer(proof: &Proof) -> Result<KeyId, String> {
    let method = proof.get("verificationMethod").and_then(Value::as_str).unwrap_or_default();
    KeyId::from_verification_method(method).map_err(|error| format!("verificationMethod: {error}"))
}

/// Whether the proof's key is the one of whom the document names.
fn binding(proof: &Proof, named: Option<&str>, purpose: &str) -> Result<(), String> {
    match (signer(proof), named) {
        (Ok(key), Some(named)) if key.as_str() == named => Ok(()),
        (Ok(_), None) if purpose == PURPOSE_PRESENTATION => Ok(()),
        (Ok(_), _) => Err("the proof was made by a key that is not the issuer's or holder's".to_owned()),
        (Err(error), _) => Err(error),
    }
}

fn signature(document: &Map<String, Value>, proof: &Proof, all: &[&Proof], policy: &Policy) -> Result<(), String> {
    let (suite, key) = (suite(proof, policy)?, signer(proof)?);
    if !suite.takes(key.kind()) {
        return Err("the suite does not go with this kind of key".to_owned());
    }
    let mut bare = without_proof(document);
    let wrong = || Err("the signature is not right".to_owned());
    if suite.form() == Form::Parts {
        let context = policy.pseudonym_context.as_deref();
        return if selective::verify(&bare, proof, suite, &key, context)? { Ok(()) } else { wrong() };
    }
    let value = proof.get("proofValue").and_then(Value::as_str).unwrap_or_default();
    // Twice the bytes are more letters than base58 takes.
    let base58 = value.strip_prefix('z').filter(|text| text.len() <= 2 * key.kind().signature_len());
    let signature = base58.and_then(|text| bs58::decode(text).into_vec().ok());
    let signature = signature.ok_or("proofValue is not a signature in base58btc")?;
    if signature.len() != key.kind().signature_len() {
        return Err("proofValue is too long or too short".to_owned());
    }
    let previous = followed(proof, all)?;
    if !previous.is_empty() {
        bare.insert("proof".to_owned(), serde_json::json!(previous));
    }
    let mut options = proof.clone();
    options.remove("proofValue");
    let bytes = signed_bytes(&bare, &options, suite, Hash::of_key(key.kind()))?;
    if key.verify(&bytes, &signature) { Ok(()) } else { wrong() }
}
