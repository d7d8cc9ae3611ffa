//! Every check that makes a credential or a presentation valid.

use super::checks::{Checks, Verification};
use super::claims::{ConsentClaims, EnrolmentClaims, member, members};
use super::signature::{Open, Question, lists};
use super::{
    CONTEXT_CONSENT, CONTEXT_V2, CRYPTOSUITE, Credential, PROOF_TYPE, PURPOSE_CREDENTIAL, PURPOSE_PRESENTATION,
    TYPE_CONSENT, TYPE_CREDENTIAL, TYPE_ENROLMENT, TYPE_PRESENTATION,
};
use crate::Did;
use crate::canonical::{JsonError, parse_strict};
use consent::Timestamp;
use serde_json::{Map, Value, json};

/// The longest credential or presentation that is read, in bytes.
pub(super) const MAX_BYTES: usize = 1_000_000;
/// A presentation of consents is eight levels deep.
const MAX_DEPTH: usize = 16;
/// How far another clock may run ahead, in seconds.
const MAX_AHEAD: i64 = 300;
/// How many credentials one presentation may hold: each costs time to canonicalise.
const MAX_CREDENTIALS: usize = 64;

/// A consent that was verified: the claims, and the credential as it was signed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConsentCredential {
    /// What was allowed.
    pub claims: ConsentClaims,
    /// The signed document.
    pub credential: Credential,
}

/// What a presentation holds. The credentials were not verified: do so one by one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HeldCredentials {
    /// Who presents; also the subject of each credential.
    pub holder: Did,
    /// The credentials as they were presented.
    pub credentials: Vec<Credential>,
}

/// What a verifier expects of a presentation.
#[derive(Debug, Clone)]
pub struct ExpectedPresentation {
    /// The challenge that was given out; `None` if none was, and then none may be present.
    pub challenge: Option<String>,
    /// The verifier's own name, to which the presentation must be addressed.
    pub domain: String,
    /// The hash of what the holder was to agree to; `None` if there was nothing, and then none may be present.
    pub transaction: Option<String>,
    /// The moment of the verification.
    pub now: Timestamp,
    /// How old the proof may be.
    pub max_age_seconds: i64,
}

const CREDENTIAL_CHECKS: [&str; 13] = [
    "size",
    "json",
    "context",
    "type",
    "proof-count",
    "suite",
    "purpose",
    "signer-is-issuer",
    "created",
    "valid-from",
    "valid-until",
    "signature",
    "claims",
];

const PRESENTATION_CHECKS: [&str; 15] = [
    "size",
    "json",
    "context",
    "type",
    "proof-count",
    "suite",
    "purpose",
    "signer-is-issuer",
    "created",
    "expires",
    "challenge",
    "audience",
    "transaction-data",
    "signature",
    "claims",
];

/// Without these the library is not even asked: they bound what it gets to see.
const BEFORE_SIGNATURE: [&str; 9] =
    ["size", "json", "context", "type", "proof-count", "suite", "purpose", "signer-is-issuer", "claims"];

/// Verifies that `biobank` enrolled `subject`, a donor. `issuer` is the key by which the biobank speaks: the one that it
/// is named by, or one that followed.
pub async fn verify_enrolment(
    bytes: &[u8],
    biobank: &Did,
    issuer: &Did,
    subject: &Did,
    now: Timestamp,
) -> Verification<EnrolmentClaims> {
    let mut checks = Checks::new(&CREDENTIAL_CHECKS);
    let Some(document) = read(&mut checks, bytes) else { return checks.conclude(None) };
    let content = checks.record("claims", {
        enrolment(&document).and_then(|claims| {
            if claims.donor != *subject {
                Err("the credential is about somebody else".to_owned())
            } else if claims.biobank != *biobank {
                Err("the credential is another biobank's".to_owned())
            } else {
                Ok(claims)
            }
        })
    });
    let question = check_credential(&mut checks, &document, TYPE_ENROLMENT, Some(issuer), now);
    Open { checks, content, question }.settle().await
}

/// Verifies a consent that a donor issued about themselves.
pub async fn verify_consent(bytes: &[u8], now: Timestamp) -> Verification<ConsentCredential> {
    open_consent(bytes, now).settle().await
}

/// The same, with the signature asked of the library in every case: a second opinion, and many times slower.
pub async fn verify_consent_by_library(bytes: &[u8], now: Timestamp) -> Verification<ConsentCredential> {
    let mut open = open_consent(bytes, now);
    if let (Question::Ours(_), Some(consent)) = (&open.question, &open.content) {
        open.question = Question::Library(consent.credential.value().clone());
    }
    open.settle().await
}

/// All checks of a consent but the signature.
pub(super) fn open_consent(bytes: &[u8], now: Timestamp) -> Open<ConsentCredential> {
    let mut checks = Checks::new(&CREDENTIAL_CHECKS);
    let Some(document) = read(&mut checks, bytes) else { return Open::closed(checks) };
    let claims = checks.record("claims", consent(&document));
    // The subject of a consent is its issuer: nobody consents for somebody else.
    let subject = claims.as_ref().map(|claims| &claims.subject);
    let question = check_credential(&mut checks, &document, TYPE_CONSENT, subject, now);
    let content =
        claims.and_then(|claims| Some(ConsentCredential { claims, credential: Credential::of_strict(document)? }));
    Open { checks, content, question }
}

/// Verifies who presents, to whom, and when. The credentials inside are still to be verified one by one.
pub async fn verify_presentation(bytes: &[u8], expected: &ExpectedPresentation) -> Verification<HeldCredentials> {
    let mut checks = Checks::new(&PRESENTATION_CHECKS);
    let Some(document) = read(&mut checks, bytes) else { return checks.conclude(None) };
    let content = checks.record("claims", held(&document));
    checks.record("context", equals(&document, "@context", &json!([CONTEXT_V2])));
    checks.record("type", equals(&document, "type", &json!([TYPE_PRESENTATION])));
    let mut signer = None;
    if let Some(proof) = checks.record("proof-count", one_proof(&document)) {
        let members = ["created", "expires", "domain"];
        checks.record("suite", suite(proof, &members, &["challenge", "nonce"]));
        signer = check_signer(&mut checks, proof, document.get("holder"), None, PURPOSE_PRESENTATION);
        checks.record("created", created(proof, expected.now, Some(expected.max_age_seconds)));
        checks.record("expires", not_after(proof, "expires", expected.now, true));
        checks.record("challenge", bound(proof, "challenge", expected.challenge.as_deref()));
        checks.record("audience", equals(proof, "domain", &json!(expected.domain)));
        checks.record("transaction-data", bound(proof, "nonce", expected.transaction.as_deref()));
    }
    let question = question(&checks, &document, signer.as_ref());
    Open { checks, content, question }.settle().await
}

fn read(checks: &mut Checks, bytes: &[u8]) -> Option<Map<String, Value>> {
    let parsed = parse_strict(bytes, MAX_BYTES, MAX_DEPTH);
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

/// The checks of both credentials, and what is left to ask about the signature.
fn check_credential(
    checks: &mut Checks,
    document: &Map<String, Value>,
    kind: &str,
    issuer: Option<&Did>,
    now: Timestamp,
) -> Question {
    checks.record("context", equals(document, "@context", &json!([CONTEXT_V2, CONTEXT_CONSENT])));
    checks.record("type", equals(document, "type", &json!([TYPE_CREDENTIAL, kind])));
    let mut signer = None;
    if let Some(proof) = checks.record("proof-count", one_proof(document)) {
        checks.record("suite", suite(proof, &["created"], &[]));
        signer = check_signer(checks, proof, document.get("issuer"), issuer, PURPOSE_CREDENTIAL);
        checks.record("created", created(proof, now, None));
    }
    checks.record("valid-from", valid_from(document, now));
    checks.record("valid-until", not_after(document, "validUntil", now, false));
    question(checks, document, signer.as_ref())
}

/// The key that signed is the one key of whoever the document names, who is whom we expect; and the DID document
/// lists it for the purpose. Hands out whose key it is.
fn check_signer(
    checks: &mut Checks,
    proof: &Map<String, Value>,
    named: Option<&Value>,
    expected: Option<&Did>,
    purpose: &str,
) -> Option<Did> {
    let method = proof.get("verificationMethod").and_then(Value::as_str).unwrap_or_default();
    let named = named.and_then(Value::as_str).and_then(|text| match expected {
        // A DID has one text, and reading it takes longer than comparing it.
        Some(expected) if expected.as_str() == text => Some(expected.clone()),
        _ => text.parse::<Did>().ok(),
    });
    let signer = match named {
        None => Err("the issuer or holder is not an Ed25519 did:key".to_owned()),
        Some(did) if expected.is_some_and(|expected| *expected != did) => {
            Err("the issuer is not the one that is expected".to_owned())
        }
        Some(did) if did.verification_method() != method => {
            Err("the proof was made by a key that is not the issuer's or holder's".to_owned())
        }
        Some(did) => Ok(did),
    };
    let stated = equals(proof, "proofPurpose", &json!(purpose));
    let signer = checks.record("signer-is-issuer", signer);
    if let Some(did) = &signer {
        checks.record("purpose", stated.and(lists(did, method, purpose)));
    } else if stated.is_err() {
        checks.record("purpose", stated);
    }
    signer
}

fn question(checks: &Checks, document: &Map<String, Value>, signer: Option<&Did>) -> Question {
    match signer {
        Some(signer) if checks.all_passed(&BEFORE_SIGNATURE) => Question::about(document, signer),
        _ => Question::None,
    }
}

fn equals(object: &Map<String, Value>, name: &str, expected: &Value) -> Result<(), String> {
    match object.get(name) {
        Some(found) if found == expected => Ok(()),
        Some(_) => Err(format!("{name} is not what is expected")),
        None => Err(format!("{name} is missing")),
    }
}

fn one_proof(document: &Map<String, Value>) -> Result<&Map<String, Value>, String> {
    match document.get("proof") {
        Some(Value::Object(proof)) => Ok(proof),
        Some(_) => Err("proof is not one object".to_owned()),
        None => Err("there is no proof".to_owned()),
    }
}

fn suite(proof: &Map<String, Value>, required: &[&str], optional: &[&str]) -> Result<(), String> {
    equals(proof, "type", &json!(PROOF_TYPE))?;
    equals(proof, "cryptosuite", &json!(CRYPTOSUITE))?;
    let mut all = vec!["type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue"];
    all.extend(required);
    members(proof, &all, optional)?;
    if proof.values().all(Value::is_string) { Ok(()) } else { Err("a member of the proof is not a text".to_owned()) }
}

fn moment(object: &Map<String, Value>, name: &str) -> Result<Timestamp, String> {
    let text = object.get(name).and_then(Value::as_str).ok_or_else(|| format!("{name} is missing"))?;
    text.parse().map_err(|_| format!("{name} is not a time"))
}

fn created(proof: &Map<String, Value>, now: Timestamp, max_age: Option<i64>) -> Result<(), String> {
    let created = moment(proof, "created")?;
    if created > now.plus_seconds(MAX_AHEAD) {
        return Err("the proof was made in the future".to_owned());
    }
    if max_age.is_some_and(|seconds| created < now.plus_seconds(-seconds)) {
        return Err("the proof is too old".to_owned());
    }
    Ok(())
}

fn not_after(object: &Map<String, Value>, name: &str, now: Timestamp, required: bool) -> Result<(), String> {
    if !required && !object.contains_key(name) {
        return Ok(());
    }
    if now <= moment(object, name)? { Ok(()) } else { Err(format!("{name} has passed")) }
}

fn valid_from(document: &Map<String, Value>, now: Timestamp) -> Result<(), String> {
    if moment(document, "validFrom")? <= now.plus_seconds(MAX_AHEAD) {
        Ok(())
    } else {
        Err("validFrom is in the future".to_owned())
    }
}

/// What a proof is bound to: what was given out, and nothing where nothing was.
fn bound(proof: &Map<String, Value>, name: &str, expected: Option<&str>) -> Result<(), String> {
    match expected {
        Some(given) => equals(proof, name, &json!(given)),
        None if proof.contains_key(name) => Err(format!("there is a {name} that nobody gave")),
        None => Ok(()),
    }
}

const CREDENTIAL_MEMBERS: [&str; 7] = ["@context", "id", "type", "issuer", "validFrom", "credentialSubject", "proof"];

fn enrolment(document: &Map<String, Value>) -> Result<EnrolmentClaims, String> {
    shape(document)?;
    let subject = subject(document)?;
    EnrolmentClaims::from_subject(subject)
}

fn consent(document: &Map<String, Value>) -> Result<ConsentClaims, String> {
    shape(document)?;
    let subject = subject(document)?;
    let claims = ConsentClaims::from_subject(subject)?;
    // The end of the credential is the end of the policy; two different ends would leave open which of them counts.
    let until = document.get("validUntil").map(|_| moment(document, "validUntil")).transpose()?;
    if until != claims.policy.until.map(|day| day.end()) {
        return Err("validUntil is not the end of the policy's last day".to_owned());
    }
    Ok(claims)
}

fn subject(document: &Map<String, Value>) -> Result<&Map<String, Value>, String> {
    let subject = document.get("credentialSubject").ok_or("credentialSubject is missing")?;
    subject.as_object().ok_or_else(|| "credentialSubject is not an object".to_owned())
}

/// The members of a credential beside its claims. A missing proof is for another check to tell.
fn shape(document: &Map<String, Value>) -> Result<(), String> {
    let (required, optional) = (&CREDENTIAL_MEMBERS[..6], ["proof", "validUntil"]);
    members(document, required, &optional)?;
    let id = document.get("id").and_then(Value::as_str).ok_or("id is not a text")?;
    let uuid = id.strip_prefix("urn:uuid:").and_then(|text| uuid::Uuid::try_parse(text).ok());
    // Writing it again refuses the other ways to write a UUID.
    match uuid {
        Some(uuid) if uuid.urn().to_string() == id => Ok(()),
        _ => Err("id is not a urn:uuid".to_owned()),
    }
}

fn held(document: &Map<String, Value>) -> Result<HeldCredentials, String> {
    members(document, &["@context", "type", "holder"], &["proof", "verifiableCredential"])?;
    let holder: Did = member(document, "holder")?;
    let list = match document.get("verifiableCredential") {
        None => &Vec::new(),
        Some(Value::Array(list)) if (1..=MAX_CREDENTIALS).contains(&list.len()) => list,
        Some(_) => return Err("verifiableCredential is not a list of 1 to 64 credentials".to_owned()),
    };
    let mut credentials = Vec::new();
    for item in list {
        let object = item.as_object().ok_or("a credential is not an object")?;
        // Their form bounds what the library gets to see. Their signatures are for the caller to verify.
        equals(object, "@context", &json!([CONTEXT_V2, CONTEXT_CONSENT]))?;
        suite(one_proof(object)?, &["created"], &[])?;
        let subject = if equals(object, "type", &json!([TYPE_CREDENTIAL, TYPE_CONSENT])).is_ok() {
            consent(object)?.subject
        } else {
            equals(object, "type", &json!([TYPE_CREDENTIAL, TYPE_ENROLMENT]))?;
            enrolment(object)?.donor
        };
        if subject != holder {
            return Err("a credential is about somebody other than the holder".to_owned());
        }
        credentials.push(Credential::try_from(item.clone()).map_err(|error| error.to_string())?);
    }
    Ok(HeldCredentials { holder, credentials })
}
