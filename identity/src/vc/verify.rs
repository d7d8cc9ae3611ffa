//! Every check of any credential and of any presentation.

use super::jsonld::with_room;
use super::keys::KeyId;
use super::meaning::is_read;
use super::model::{self, Model};
use super::policy::{Policy, QUESTIONS};
use super::proof::{PURPOSE_CREDENTIAL, PURPOSE_PRESENTATION, Proof, followed, last, proofs, shape, texts};
use super::rdf::Statements;
use super::suite::{Form, Hash, Suite};
use super::transform::{signed_bytes, without_proof};
use super::{MAX_BYTES, MAX_DEPTH, TYPE_CREDENTIAL, TYPE_PRESENTATION, jsonld, selective};
use crate::canonical::{JsonError, parse_document};
use crate::credential::{Checks, Verification};
use crate::did_document::DidUrl;
use crate::jose::Enveloped;
use consent::Timestamp;
use serde_json::{Map, Value};

/// How far another clock may run ahead, in seconds.
pub(crate) const MAX_AHEAD: i64 = 300;
/// How many credentials one presentation may hold.
pub(super) const MAX_CREDENTIALS: usize = 64;

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
pub(crate) const OF_CREDENTIAL: [&str; 9] =
    ["context", "type", "id", "issuer", "subject", "valid-from", "valid-until", "members", "terms"];
pub(crate) const OF_PRESENTATION: [&str; 6] = ["context", "type", "id", "holder", "credentials", "terms"];
const OF_PROOFS: [&str; 13] = [
    "proof-count",
    "proof-shape",
    "suite",
    "purpose",
    "created",
    "expires",
    "freshness",
    "challenge",
    "audience",
    "previous-proof",
    "resolution",
    "signer-is-issuer",
    "signature",
];
/// Without these nothing is canonicalised and no signature is looked at: they bound the work.
const BEFORE_SIGNATURE: [&str; 8] =
    ["context", "type", "terms", "proof-count", "proof-shape", "suite", "previous-proof", "resolution"];

/// Verifies a credential of any kind, an `EnvelopedVerifiableCredential` included.
pub fn verify_credential(bytes: &[u8], policy: &Policy) -> Verification<Value> {
    let work = || {
        let mut checks = Checks::new(&[&BEFORE[..], &OF_CREDENTIAL, &OF_PROOFS, &QUESTIONS].concat());
        let document = read(&mut checks, bytes);
        match document {
            Some(document) => match Enveloped::of(&document) {
                Some(enveloped) => enveloped.verify_credential(None, policy),
                None => credential(checks, document, policy),
            },
            None => checks.conclude(None),
        }
    };
    with_room(work).unwrap_or_else(broke_off)
}

/// Verifies a presentation of any kind, an `EnvelopedVerifiablePresentation` included, with the credentials that it holds.
pub fn verify_presentation(bytes: &[u8], policy: &Policy) -> PresentationReport {
    let work = || {
        let mut checks = Checks::new(&[&BEFORE[..], &OF_PRESENTATION, &OF_PROOFS].concat());
        match read(&mut checks, bytes) {
            Some(document) => match Enveloped::of(&document) {
                Some(enveloped) => enveloped.verify_presentation(policy),
                None => presentation(checks, document, policy),
            },
            None => PresentationReport { presentation: checks.conclude(None), credentials: Vec::new() },
        }
    };
    let broken = || PresentationReport { presentation: broke_off(), credentials: Vec::new() };
    with_room(work).unwrap_or_else(broken)
}

pub(crate) fn broke_off() -> Verification<Value> {
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
    let issuer = content(&mut checks, &document, policy.now);
    prove(&mut checks, &document, issuer, PURPOSE_CREDENTIAL, policy);
    policy.ask(&mut checks, &document, "credentialStatus");
    checks.conclude(Some(Value::Object(document)))
}

/// Everything of a credential but its proofs; hands back who it says that it is from.
pub(crate) fn content<'a>(checks: &mut Checks, document: &'a Map<String, Value>, now: Timestamp) -> Option<&'a str> {
    let model = checks.record("context", model::context(document));
    checks.record("type", model::types(document, TYPE_CREDENTIAL, true));
    checks.record("id", model::id(document));
    let issuer = checks.record("issuer", model::party(document, "issuer"));
    checks.record("subject", model::subject(document));
    // Without a model its dates have no names.
    let model = model.unwrap_or(Model::Two);
    match model::validity(document, model) {
        Ok((from, until)) => {
            let begun = from.is_none_or(|from| from <= now.plus_seconds(MAX_AHEAD));
            checks.record("valid-from", if begun { Ok(()) } else { Err("not valid yet".to_owned()) });
            let lasts = until.is_none_or(|until| now <= until);
            checks.record("valid-until", if lasts { Ok(()) } else { Err("not valid any more".to_owned()) });
        }
        Err(error) => {
            checks.record::<()>("valid-from", Err(error));
        }
    }
    checks.record("members", model::members(document, model, false));
    terms(checks, document, |statements| is_read(document, model, statements));
    issuer
}

fn presentation(mut checks: Checks, document: Map<String, Value>, policy: &Policy) -> PresentationReport {
    let keys = |_: Option<&str>| {
        let signers = proofs(&document).unwrap_or_default().into_iter();
        let signers = signers.filter_map(|proof| signer(proof, PURPOSE_PRESENTATION, policy).ok());
        signers.map(|signer| signer.key).collect::<Vec<_>>()
    };
    let (holder, credentials) = presented(&mut checks, &document, keys, policy);
    if policy.unsigned && !document.contains_key("proof") {
        // Nobody claims anything, so there is nothing to prove; the report says so.
        for name in OF_PROOFS {
            checks.waive(name, "there is no proof: nobody shows that they hold these credentials");
        }
    } else {
        asked(&mut checks, policy);
        prove(&mut checks, &document, holder, PURPOSE_PRESENTATION, policy);
    }
    PresentationReport { presentation: checks.conclude(Some(Value::Object(document))), credentials }
}

/// A verifier that wants to see a proof has to have given out a challenge.
pub(crate) fn asked(checks: &mut Checks, policy: &Policy) {
    let expected = match (&policy.challenge, &policy.unsigned) {
        (None, false) => Err("no challenge was given, so an old presentation would pass for a new one".to_owned()),
        _ => Ok(()),
    };
    checks.record("challenge", expected);
}

/// Everything of a presentation but its proofs: who it says that it is from, and what came of each credential in it.
/// `keys` are those that prove it, in the name of this holder.
pub(crate) fn presented<'a>(
    checks: &mut Checks,
    document: &'a Map<String, Value>,
    keys: impl FnOnce(Option<&str>) -> Vec<KeyId>,
    policy: &Policy,
) -> (Option<&'a str>, Vec<Verification<Value>>) {
    checks.record("context", model::context(document));
    checks.record("type", model::types(document, TYPE_PRESENTATION, false));
    checks.record("id", model::id(document));
    let named = document.get("holder").map(|_| model::party(document, "holder")).transpose();
    let holder = checks.record("holder", named).flatten();
    let keys = keys(holder);
    let mut credentials = Vec::new();
    let held = match model::objects(document, "verifiableCredential") {
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
            credentials.extend(held.into_iter().map(|one| held_credential(one, &keys, &inner)));
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
    // Whoever presents signs, and would deceive nobody but about themselves.
    terms(checks, document, |_| Ok(()));
    (holder, credentials)
}

fn held_credential(document: &Map<String, Value>, keys: &[KeyId], policy: &Policy) -> Verification<Value> {
    if let Some(enveloped) = Enveloped::of(document) {
        return enveloped.verify_credential(Some(keys), policy);
    }
    let mut checks = Checks::new(&[&BEFORE[..], &OF_CREDENTIAL, &OF_PROOFS, &QUESTIONS].concat());
    for name in BEFORE {
        checks.record(name, Ok(()));
    }
    credential(checks, document.clone(), policy)
}

fn terms(checks: &mut Checks, document: &Map<String, Value>, fits: impl FnOnce(&Statements) -> Result<(), String>) {
    if checks.all_passed(&["context", "type"]) {
        let outcome = jsonld::statements(&Value::Object(without_proof(document))).and_then(|all| fits(&all));
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
        if let Some(seconds) = policy.max_proof_age {
            record("freshness", freshness(proof, policy.now.plus_seconds(-seconds)));
        }
        record("challenge", challenge(proof, policy.challenge.as_deref()));
        record("challenge", presentation_header(proof, purpose, policy.presentation_header.as_deref()));
        record("audience", pseudonym(proof, purpose, policy.pseudonym_context.as_deref()));
        record("audience", audience(proof, policy.domain.as_deref()));
    }
    if policy.max_proof_age.is_none() {
        checks.waive("freshness", "the verifier sets no age");
    }
    let Some(last) = checks.record("previous-proof", last(&all)) else { return };
    let signers: Vec<_> = all.iter().map(|proof| signer(proof, purpose, policy)).collect();
    for (number, signer) in (1..).zip(&signers) {
        let found = signer.as_ref().map(|signer| signer.evidence.as_str());
        if let Some(found) = checks.record("resolution", found.map_err(|error| format!("proof {number}: {error}"))) {
            checks.show("resolution", found);
        }
    }
    if policy.binding {
        for (signer, _) in signers.iter().zip(&last).filter(|(_, last)| **last) {
            checks.record("signer-is-issuer", binding(signer, named, purpose));
        }
    } else {
        checks.waive("signer-is-issuer", "the verifier asked for the proof only");
    }
    if checks.all_passed(&BEFORE_SIGNATURE) {
        for (number, (proof, signer)) in (1..).zip(all.iter().zip(&signers)) {
            let outcome = signer.as_ref().map_err(Clone::clone);
            let outcome = outcome.and_then(|signer| signature(document, proof, &all, &signer.key, policy));
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
fn presentation_header(proof: &Proof, purpose: &str, expected: Option<&[u8]>) -> Result<(), String> {
    let Ok(Suite::Bbs2023) = Suite::of_proof(proof) else { return unanswered(purpose, expected.is_some()) };
    match (selective::answer(proof)?.0.as_slice(), expected) {
        (found, Some(expected)) if found == expected => Ok(()),
        ([], None) => Ok(()),
        (_, None) => Err("there is a presentation header that this verifier did not give".to_owned()),
        _ => Err("not the presentation header that was given".to_owned()),
    }
}

/// Whether a proof shows a pseudonym if, and only if, one was asked for. In which context is part of what is proven.
fn pseudonym(proof: &Proof, purpose: &str, context: Option<&str>) -> Result<(), String> {
    let Ok(Suite::Bbs2023) = Suite::of_proof(proof) else { return unanswered(purpose, context.is_some()) };
    match (selective::answer(proof)?.1, context) {
        (true, Some(_)) | (false, None) => Ok(()),
        (true, None) => Err("there is a pseudonym that this verifier did not ask for".to_owned()),
        (false, Some(_)) => Err("there is no pseudonym".to_owned()),
    }
}

/// A credential by another suite can not give what was asked for. A presentation around it need not: it has a challenge.
fn unanswered(purpose: &str, asked: bool) -> Result<(), String> {
    if asked && purpose == PURPOSE_CREDENTIAL {
        return Err("only bbs-2023 can answer what this verifier asked for".to_owned());
    }
    Ok(())
}

fn suite(proof: &Proof, policy: &Policy) -> Result<Suite, String> {
    let suite = Suite::of_proof(proof).map_err(|error| error.to_string())?;
    if policy.suites.contains(&suite) { Ok(suite) } else { Err(format!("{suite} is not good enough here")) }
}

fn created(proof: &Proof, now: Timestamp) -> Result<(), String> {
    match model::moment(proof, "created")? {
        Some(created) if created <= now.plus_seconds(MAX_AHEAD) => Ok(()),
        Some(_) => Err("made in the future".to_owned()),
        None if Suite::of_proof(proof).is_ok_and(Suite::needs_date) => Err("created is missing".to_owned()),
        None => Ok(()),
    }
}

fn expires(proof: &Proof, now: Timestamp) -> Result<(), String> {
    match model::moment(proof, "expires")? {
        Some(expires) if expires < now => Err("the proof is over".to_owned()),
        _ => Ok(()),
    }
}

fn freshness(proof: &Proof, oldest: Timestamp) -> Result<(), String> {
    match model::moment(proof, "created")? {
        Some(created) if created >= oldest => Ok(()),
        _ => Err("made longer ago than the verifier allows".to_owned()),
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

/// Who made a proof.
pub(crate) struct Maker {
    pub(crate) did: String,
    pub(crate) key: KeyId,
    /// From where it is known that the key is theirs, and how old that is.
    pub(crate) evidence: String,
}

fn signer(proof: &Proof, purpose: &str, policy: &Policy) -> Result<Maker, String> {
    maker(proof.get("verificationMethod").and_then(Value::as_str).unwrap_or_default(), purpose, policy)
}

/// The key with this DID URL, if the document of its DID lists it for this purpose.
pub(crate) fn maker(method: &str, purpose: &str, policy: &Policy) -> Result<Maker, String> {
    if method.starts_with("did:key:") {
        // By far the most, and a document would say nothing new.
        let key = KeyId::from_verification_method(method).map_err(|error| format!("verificationMethod: {error}"))?;
        let evidence = format!("{key}: the DID itself says its key");
        return Ok(Maker { did: key.to_string(), key, evidence });
    }
    let url = DidUrl::parse(method).map_err(|error| format!("verificationMethod: {error}"))?;
    let found = policy.resolver.resolve(&url).map_err(|error| format!("{}: {error}", url.did()))?;
    if found.age.seconds(policy.now) > policy.max_document_age {
        return Err(format!("{}: its document is {} s old", url.did(), found.age.seconds(policy.now)));
    }
    let key = found.document.key_for(purpose, method)?.clone();
    let evidence = format!("{}: {}", url.did(), found.age.told(policy.now));
    Ok(Maker { did: url.did().to_owned(), key, evidence })
}

/// Whether the proof's key is one of whom the document names.
fn binding(signer: &Result<Maker, String>, named: Option<&str>, purpose: &str) -> Result<(), String> {
    match (signer, named) {
        (Ok(signer), Some(named)) if signer.did == named => Ok(()),
        (Ok(_), None) if purpose == PURPOSE_PRESENTATION => Ok(()),
        (Ok(_), _) => Err("the proof was made by a key that is not the issuer's or holder's".to_owned()),
        (Err(error), _) => Err(error.clone()),
    }
}

fn signature(
    document: &Map<String, Value>,
    proof: &Proof,
    all: &[&Proof],
    key: &KeyId,
    policy: &Policy,
) -> Result<(), String> {
    let suite = suite(proof, policy)?;
    if !suite.takes(key.kind()) {
        return Err("the suite does not go with this kind of key".to_owned());
    }
    let mut bare = without_proof(document);
    let wrong = || Err("the signature is not right".to_owned());
    if suite.form() == Form::Parts {
        let context = policy.pseudonym_context.as_deref();
        return if selective::verify(&bare, proof, suite, key, context)? { Ok(()) } else { wrong() };
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
