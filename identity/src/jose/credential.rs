//! Credentials and presentations as signed tokens (W3C VC-JOSE-COSE, section 3.1).

use super::named::own_method;
use super::token::{OF_TOKEN, Token, note, read, sign};
use crate::credential::{Checks, Verification};
use crate::vc::{
    IssueError, KeyId, OF_CREDENTIAL, OF_PRESENTATION, PURPOSE_CREDENTIAL, PURPOSE_PRESENTATION, Policy,
    PresentationReport, QUESTIONS, Signer, TYPE_PRESENTATION, asked, broke_off, content, maker, presented, sound,
    types, with_room,
};
use consent::Timestamp;
use serde_json::{Map, Value, json};

pub(super) const TYP_CREDENTIAL: &str = "vc+jwt";
pub(super) const TYP_PRESENTATION: &str = "vp+jwt";
/// Claims of the token, which are not part of the document that it holds (RFC 7519, section 4.1).
const OF_JWT: [&str; 9] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce", "cnf"];
pub(super) const OF_CLAIMS: [&str; 9] = [
    "claims",
    "created",
    "expires",
    "freshness",
    "challenge",
    "audience",
    "resolution",
    "signer-is-issuer",
    "signature",
];

/// How to sign a token.
#[derive(Debug, Clone)]
pub struct TokenOptions {
    /// When it is made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// What it answers.
    pub nonce: Option<String>,
    /// Who it is for.
    pub audience: Option<String>,
}

impl TokenOptions {
    /// A token for everybody and without an end.
    pub fn new(created: Timestamp) -> Self {
        Self { created, expires: None, nonce: None, audience: None }
    }
}

/// Signs a credential as `vc+jwt`, or a presentation as `vp+jwt`. The issuer or holder is named by the `did:key` or by
/// the `did:jwk` of the key.
pub fn issue_token(document: &Value, options: &TokenOptions, key: &Signer) -> Result<String, IssueError> {
    with_room(|| token_of(document, options, key)).unwrap_or(Err(IssueError::Signature))
}

fn token_of(document: &Value, options: &TokenOptions, key: &Signer) -> Result<String, IssueError> {
    let mut payload = document.as_object().cloned().ok_or_else(|| IssueError::Document("not an object".to_owned()))?;
    let taken = OF_JWT.iter().chain(&["vc", "vp"]).find(|name| payload.contains_key(**name));
    if let Some(name) = taken {
        return Err(IssueError::Document(format!("{name} is a claim of tokens")));
    }
    let presents = types(&payload, TYPE_PRESENTATION, false).is_ok();
    let named = sound(&payload, presents)?.map(str::to_owned);
    let id = key.id();
    let method = match &named {
        Some(name) => own_method(&id, name).ok_or(IssueError::OtherName)?,
        None => id.verification_method(),
    };
    let mut claim = |name: &str, value: Option<Value>| value.map(|value| payload.insert(name.to_owned(), value));
    claim("iat", Some(json!(options.created.unix())));
    claim("exp", options.expires.map(|end| json!(end.unix())));
    claim("nonce", options.nonce.as_ref().map(|nonce| json!(nonce)));
    claim("aud", options.audience.as_ref().map(|audience| json!(audience)));
    let (typ, cty) = if presents { (TYP_PRESENTATION, "vp") } else { (TYP_CREDENTIAL, "vc") };
    let header = Map::from_iter([("cty".to_owned(), json!(cty)), ("kid".to_owned(), json!(method))]);
    sign(key, typ, header, &payload).ok_or(IssueError::Signature)
}

/// Verifies a credential that is a `vc+jwt`, and hands back the credential without the claims of the token.
pub fn verify_token(token: &str, policy: &Policy) -> Verification<Value> {
    verify_held_token(token, None, policy)
}

/// The same for a credential in a presentation that these keys prove; without any it stands alone.
pub(super) fn verify_held_token(token: &str, keys: Option<&[KeyId]>, policy: &Policy) -> Verification<Value> {
    let work = || {
        let names = [&OF_TOKEN[..], &OF_CREDENTIAL, &["key-binding"], &OF_CLAIMS, &QUESTIONS].concat();
        let mut checks = Checks::new(&names);
        let read = note(&mut checks, &OF_TOKEN, read(token, &[TYP_CREDENTIAL], &policy.algorithms));
        let Some(token) = read else { return checks.conclude(None) };
        let document = without_claims(&token.payload);
        let issuer = content(&mut checks, &document, policy.now);
        checks.record("claims", claims(&token.payload, issuer));
        held(&mut checks, &token.payload, keys, policy);
        prove(&mut checks, &token, issuer, PURPOSE_CREDENTIAL, policy);
        unanswered(&mut checks, policy);
        policy.ask(&mut checks, &document, "credentialStatus");
        checks.conclude(Some(Value::Object(document)))
    };
    with_room(work).unwrap_or_else(broke_off)
}

/// Verifies a presentation that is a `vp+jwt`, with the credentials that it holds.
pub fn verify_presentation_token(token: &str, policy: &Policy) -> PresentationReport {
    let work = || {
        let mut checks = Checks::new(&[&OF_TOKEN[..], &OF_PRESENTATION, &OF_CLAIMS].concat());
        let read = note(&mut checks, &OF_TOKEN, read(token, &[TYP_PRESENTATION], &policy.algorithms));
        let Some(token) = read else {
            return PresentationReport { presentation: checks.conclude(None), credentials: Vec::new() };
        };
        let document = without_claims(&token.payload);
        let keys = |holder: Option<&str>| {
            let made = token.method(holder).and_then(|method| maker(&method, PURPOSE_PRESENTATION, policy));
            made.map(|made| made.key).into_iter().collect::<Vec<_>>()
        };
        let (holder, credentials) = presented(&mut checks, &document, keys, policy);
        checks.record("claims", claims(&token.payload, holder));
        asked(&mut checks, policy);
        prove(&mut checks, &token, holder, PURPOSE_PRESENTATION, policy);
        PresentationReport { presentation: checks.conclude(Some(Value::Object(document))), credentials }
    };
    let broken = || PresentationReport { presentation: broke_off(), credentials: Vec::new() };
    with_room(work).unwrap_or_else(broken)
}

fn prove(checks: &mut Checks, token: &Token, named: Option<&str>, purpose: &str, policy: &Policy) {
    token.times(checks, policy);
    token.addressed(checks, policy.challenge.as_deref(), policy.domain.as_deref());
    token.prove(checks, named, purpose, policy);
}

/// The key that a credential is bound to: `cnf` (RFC 7800) with a JWK, or with the DID URL of a key.
pub(super) fn bound_key(payload: &Map<String, Value>, policy: &Policy) -> Result<KeyId, String> {
    let confirmation = payload.get("cnf").and_then(Value::as_object).ok_or("the credential is bound to no key")?;
    match (confirmation.get("jwk"), confirmation.get("kid")) {
        (Some(jwk), None) => KeyId::from_jwk(jwk).map_err(|error| format!("cnf: {error}")),
        (None, Some(Value::String(kid))) => maker(kid, PURPOSE_PRESENTATION, policy).map(|made| made.key),
        _ => Err("cnf has another form than those that are known".to_owned()),
    }
}

/// Whether a credential that is bound to a key is in a presentation that this key proves; in somebody else's, a thief
/// shows it. Of one that stands alone nobody says that they hold it, and the report says so.
pub(super) fn held(checks: &mut Checks, payload: &Map<String, Value>, keys: Option<&[KeyId]>, policy: &Policy) {
    match keys {
        _ if !payload.contains_key("cnf") => checks.waive("key-binding", "the credential is bound to no key"),
        None => checks.waive("key-binding", "there is none: nobody shows that they hold this credential"),
        Some(keys) => {
            let other = || "the holder's key is not shown to be that of the presentation".to_owned();
            let shown = bound_key(payload, policy).and_then(|key| keys.contains(&key).then_some(()).ok_or_else(other));
            checks.record("key-binding", shown);
        }
    }
}

/// Nothing that only a proof by `bbs-2023` can show is in a token, so where it was asked for a token is no answer.
pub(super) fn unanswered(checks: &mut Checks, policy: &Policy) {
    if policy.presentation_header.is_some() {
        checks.record::<()>("challenge", Err("a token has no presentation header".to_owned()));
    }
    if policy.pseudonym_context.is_some() {
        checks.record::<()>("audience", Err("a token has no pseudonym".to_owned()));
    }
}

pub(super) fn without_claims(payload: &Map<String, Value>) -> Map<String, Value> {
    payload.iter().filter(|(name, _)| !OF_JWT.contains(&name.as_str())).map(|(n, v)| (n.clone(), v.clone())).collect()
}

/// The claims that repeat the document say the same as it does (section 3.1.3), and there are no `vc` and `vp`, which
/// belong to the encoding before this one.
pub(super) fn claims(payload: &Map<String, Value>, named: Option<&str>) -> Result<(), String> {
    if let Some(name) = ["vc", "vp"].iter().find(|name| payload.contains_key(**name)) {
        return Err(format!("the claim {name} belongs to another encoding"));
    }
    let subject = payload.get("credentialSubject").and_then(|subject| subject.get("id"));
    let named = named.map(|name| json!(name));
    for (claim, same) in [("iss", named.as_ref()), ("sub", subject), ("jti", payload.get("id"))] {
        if payload.get(claim).is_some_and(|value| Some(value) != same) {
            return Err(format!("{claim} is not what the document says"));
        }
    }
    Ok(())
}
