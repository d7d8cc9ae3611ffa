//! Every check of an SD-JWT (RFC 9901, section 7.3; SD-JWT VC, section 3.5).

use super::issue::SHOWN;
use super::unfold::unfold;
use super::{Parts, TYP_BINDING, TYP_TYPED, TYP_W3C, digest, take_apart};
use crate::credential::{Checks, Verification};
use crate::jose::credential::{OF_CLAIMS, bound_key, claims, held, unanswered, without_claims};
use crate::jose::token::{OF_TOKEN, Token, note, read};
use crate::vc::{KeyId, PURPOSE_CREDENTIAL, Policy, QUESTIONS, broke_off, content, with_room};
use serde_json::{Map, Value};

/// How old a key binding may be, in seconds, where the verifier sets no age.
const MAX_AGE: i64 = 300;
const OF_DISCLOSURE: [&str; 1] = ["disclosures"];
const OF_BINDING: [&str; 2] = ["key-binding", "sd-hash"];
/// What judges read of a W3C credential. Of an SD-JWT VC nobody compares these with who signed.
const OF_W3C: [&str; 4] = ["@context", "issuer", "credentialStatus", "type"];

/// Verifies an SD-JWT as its issuer handed it out, and hands back its claims with everything that is disclosed.
pub fn verify_sd_jwt(text: &str, policy: &Policy) -> Verification<Value> {
    let work = || {
        verify(text, &[TYP_TYPED, TYP_W3C], policy, |checks, parts, token| loose(checks, parts, token, None, policy))
    };
    with_room(work).unwrap_or_else(broke_off)
}

/// Verifies an SD-JWT that its holder presents: bound to the challenge, the verifier and the moment of the policy by
/// the key that the issuer named.
pub fn verify_sd_jwt_presentation(text: &str, policy: &Policy) -> Verification<Value> {
    let work =
        || verify(text, &[TYP_TYPED, TYP_W3C], policy, |checks, parts, token| bind(checks, parts, token, policy));
    with_room(work).unwrap_or_else(broke_off)
}

/// Verifies what an envelope holds, which is a W3C credential: alone, or in a presentation that these keys prove.
pub(crate) fn verify_enveloped(text: &str, keys: Option<&[KeyId]>, policy: &Policy) -> Verification<Value> {
    let work = || verify(text, &[TYP_W3C], policy, |checks, parts, token| loose(checks, parts, token, keys, policy));
    with_room(work).unwrap_or_else(broke_off)
}

fn verify(
    text: &str,
    types: &[&str],
    policy: &Policy,
    bind: impl FnOnce(&mut Checks, &Parts, &Token),
) -> Verification<Value> {
    let mut checks = Checks::new(&[&OF_TOKEN[..], &OF_DISCLOSURE, &OF_BINDING, &OF_CLAIMS, &QUESTIONS].concat());
    let Some(parts) = checks.record("disclosures", take_apart(text)) else { return checks.conclude(None) };
    let token = read(parts.token, types, &policy.algorithms);
    let Some(token) = note(&mut checks, &OF_TOKEN, token) else { return checks.conclude(None) };
    token.times(&mut checks, policy);
    bind(&mut checks, &parts, &token);
    unanswered(&mut checks, policy);
    let unfolded = unfold(&token.payload, &parts.disclosures);
    let Some(unfolded) = checks.record("disclosures", unfolded) else { return checks.conclude(None) };
    let shown = unfolded.claims;
    let hidden = SHOWN.iter().find(|name| shown.contains_key(**name) && !token.payload.contains_key(**name));
    let open = hidden.map_or(Ok(()), |name| Err(format!("{name} may not be concealed")));
    let (issuer, content) = if token.typ == TYP_W3C {
        let document = without_claims(&shown);
        // These checks are added as they are made: before, nobody knew that it is a W3C credential.
        let issuer = content(&mut checks, &document, policy.now).map(str::to_owned);
        checks.record("claims", open.and_then(|()| claims(&shown, issuer.as_deref())));
        (issuer, document)
    } else {
        let issuer = shown.get("iss").and_then(Value::as_str).map(str::to_owned);
        checks.record("claims", open.and_then(|()| typed(&shown)));
        (issuer, shown)
    };
    token.prove(&mut checks, issuer.as_deref(), PURPOSE_CREDENTIAL, policy);
    policy.ask(&mut checks, &content, if token.typ == TYP_W3C { "credentialStatus" } else { "status" });
    checks.conclude(Some(Value::Object(content)))
}

/// The claims that every SD-JWT VC has, in their forms, and none that would make it look like a W3C credential.
fn typed(claims: &Map<String, Value>) -> Result<(), String> {
    if let Some(name) = OF_W3C.iter().find(|name| claims.contains_key(**name)) {
        return Err(format!("{name} belongs to W3C credentials"));
    }
    for name in ["vct", "iss"] {
        if claims.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(format!("{name} is missing or is no text"));
        }
    }
    if claims.get("status").is_some_and(|status| !status.is_object()) {
        return Err("status is no object".to_owned());
    }
    Ok(())
}

/// A credential without a key binding of its own: alone, or in a presentation that these keys prove.
fn loose(checks: &mut Checks, parts: &Parts, token: &Token, keys: Option<&[KeyId]>, policy: &Policy) {
    if parts.binding.is_some() {
        checks.record::<()>("key-binding", Err("it is presented to somebody".to_owned()));
    }
    held(checks, &token.payload, keys, policy);
    checks.waive("sd-hash", "there is no key binding that could have one");
    token.addressed(checks, policy.challenge.as_deref(), policy.domain.as_deref());
}

/// The key binding of a credential that its holder presents.
fn bind(checks: &mut Checks, parts: &Parts, token: &Token, policy: &Policy) {
    let Some(text) = checks.record("key-binding", parts.binding.ok_or_else(|| "there is none".to_owned())) else {
        return;
    };
    let binding = read(text, &[TYP_BINDING], &policy.algorithms).map_err(|(name, error)| format!("{name}: {error}"));
    let Some(binding) = checks.record("key-binding", binding) else { return };
    let signed = bound_key(&token.payload, policy)
        .and_then(|key| binding.signed_by(&key))
        .and_then(|()| fresh(&binding, policy));
    checks.record("key-binding", signed);
    // Without a challenge an old presentation would pass for a new one, and without a name another verifier's.
    for (name, given) in [("challenge", &policy.challenge), ("audience", &policy.domain)] {
        let outcome = given.as_ref().map(drop).ok_or_else(|| "this verifier asked for none".to_owned());
        checks.record(name, outcome);
    }
    binding.addressed(checks, policy.challenge.as_deref(), policy.domain.as_deref());
    let hash = binding.payload.get("sd_hash").and_then(Value::as_str);
    let same = hash == Some(digest(parts.bound).as_str());
    checks.record("sd-hash", if same { Ok(()) } else { Err("not the hash of what is presented".to_owned()) });
}

fn fresh(binding: &Token, policy: &Policy) -> Result<(), String> {
    binding.lasts(policy.now)?;
    match binding.begun(policy.now)? {
        Some(made) if made >= policy.now.plus_seconds(-policy.max_proof_age.unwrap_or(MAX_AGE)) => Ok(()),
        Some(_) => Err("the key binding is too old".to_owned()),
        None => Err("the key binding does not say when it was made".to_owned()),
    }
}
