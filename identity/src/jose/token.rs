//! What all signed tokens share: a strict header, a signature, and the times of a JWT (RFC 7519, RFC 8725).

use super::algorithm::Algorithm;
use super::named::only_key;
use crate::canonical::{parse_document, parse_strict, to_canonical};
use crate::credential::Checks;
use crate::jws::{Parts, signing_input, take_apart};
use crate::vc::{KeyId, MAX_AHEAD, MAX_BYTES, MAX_DEPTH, Policy, Signer, maker};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consent::Timestamp;
use serde_json::{Map, Value, json};

/// The longest header, in bytes, and its levels.
const MAX_HEADER: usize = 4096;
const MAX_HEADER_LEVELS: usize = 4;
/// Members of a header that bring a key along, point at one, or change what the rest means. None of them is ever
/// followed, and who uses one expects that it is.
const REFUSED: [&str; 11] = ["crit", "b64", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "zip", "enc", "epk"];

/// The checks of [`read`], in their order.
pub(crate) const OF_TOKEN: [&str; 6] = ["size", "form", "header", "typ", "algorithm", "json"];

/// The name of the check that failed, and why.
pub(crate) type Refused = (&'static str, String);

/// A token whose form is right. Nobody has looked at its signature.
pub(crate) struct Token<'a> {
    pub(crate) typ: String,
    pub(crate) payload: Map<String, Value>,
    header: Map<String, Value>,
    algorithm: Algorithm,
    parts: Parts<'a>,
}

/// Reads a token of one of these types by one of these algorithms.
pub(crate) fn read<'a>(compact: &'a str, types: &[&str], algorithms: &[Algorithm]) -> Result<Token<'a>, Refused> {
    if compact.len() > MAX_BYTES {
        return Err(("size", format!("longer than {MAX_BYTES} bytes")));
    }
    let parts = take_apart(compact).map_err(|error| ("form", error.to_string()))?;
    let header =
        parse_strict(&parts.header, MAX_HEADER, MAX_HEADER_LEVELS).map_err(|error| ("header", error.to_string()))?;
    let Value::Object(header) = header else { return Err(("header", "not an object".to_owned())) };
    if let Some(name) = REFUSED.iter().find(|name| header.contains_key(**name)) {
        return Err(("header", format!("{name} is refused")));
    }
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    // RFC 7515, section 4.1.9: the prefix may be left out, and media types have no case.
    let typ = text("typ").unwrap_or_default().to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ).to_owned();
    if !types.contains(&typ.as_str()) {
        return Err(("typ", format!("typ is not {}", types.join(" or "))));
    }
    let algorithm = text("alg").and_then(Algorithm::of_name).filter(|algorithm| algorithms.contains(algorithm));
    let algorithm = algorithm.ok_or(("algorithm", "an algorithm that is not good enough here".to_owned()))?;
    match parse_document(&parts.payload, MAX_BYTES, MAX_DEPTH) {
        Ok(Value::Object(payload)) => Ok(Token { typ, payload, header, algorithm, parts }),
        Ok(_) => Err(("json", "not an object".to_owned())),
        Err(error) => Err(("json", error.to_string())),
    }
}

/// What a token says of its key and of itself, for whoever has to look something up before it can be verified.
pub(crate) fn unread(compact: &str) -> Option<(String, Map<String, Value>)> {
    let parts = take_apart(compact).ok().filter(|_| compact.len() <= MAX_BYTES)?;
    let header = parse_strict(&parts.header, MAX_HEADER, MAX_HEADER_LEVELS).ok()?;
    let Ok(Value::Object(payload)) = parse_document(&parts.payload, MAX_BYTES, MAX_DEPTH) else { return None };
    Some((header.get("kid")?.as_str()?.to_owned(), payload))
}

/// Writes down what came of steps that follow each other: those before the one that failed have passed.
pub(crate) fn note<T>(checks: &mut Checks, names: &[&'static str], outcome: Result<T, Refused>) -> Option<T> {
    let failed = outcome.as_ref().err().map(|(name, _)| *name);
    for name in names.iter().take_while(|name| Some(**name) != failed) {
        checks.record(name, Ok(()));
    }
    match outcome {
        Ok(value) => Some(value),
        Err((name, detail)) => checks.record(name, Err(detail)),
    }
}

impl Token<'_> {
    /// The DID URL of the key that the token says it is signed with: `kid`, or the one key of whom the token names.
    pub(crate) fn method(&self, named: Option<&str>) -> Result<String, String> {
        match (self.header.get("kid"), named) {
            (Some(Value::String(kid)), Some(named)) if kid.starts_with('#') => Ok(format!("{named}{kid}")),
            (Some(Value::String(kid)), _) => Ok(kid.clone()),
            (Some(_), _) => Err("kid is not a text".to_owned()),
            (None, Some(named)) => {
                only_key(named).ok_or_else(|| "there is no kid, and the issuer has many keys".to_owned())
            }
            (None, None) => Err("nothing names the key".to_owned()),
        }
    }

    /// Whether this is the key's signature, by the algorithm of the key.
    pub(crate) fn signed_by(&self, key: &KeyId) -> Result<(), String> {
        if Algorithm::of_key(key.kind()) != Some(self.algorithm) {
            return Err("the algorithm does not go with this kind of key".to_owned());
        }
        let signature = &self.parts.signature;
        let right =
            signature.len() == key.kind().signature_len() && key.verify(self.parts.signed.as_bytes(), signature);
        if right { Ok(()) } else { Err("the signature is not right".to_owned()) }
    }

    /// The times of the token itself: `iat` and `nbf` have begun, `exp` is not over, and `iat` is not too long ago.
    pub(crate) fn times(&self, checks: &mut Checks, policy: &Policy) {
        let begun = checks.record("created", self.begun(policy.now));
        checks.record("expires", self.lasts(policy.now));
        let Some(seconds) = policy.max_proof_age else {
            return checks.waive("freshness", "the verifier sets no age");
        };
        let fresh = begun.flatten().is_some_and(|made| made >= policy.now.plus_seconds(-seconds));
        let old = || Err("made longer ago than the verifier allows".to_owned());
        checks.record("freshness", if fresh { Ok(()) } else { old() });
    }

    /// Whether the token is not over.
    pub(crate) fn lasts(&self, now: Timestamp) -> Result<(), String> {
        match moment(&self.payload, "exp")? {
            Some(end) if end < now => Err("the token is over".to_owned()),
            _ => Ok(()),
        }
    }

    /// When the token was made, if it says so; that is not in the future.
    pub(crate) fn begun(&self, now: Timestamp) -> Result<Option<Timestamp>, String> {
        let latest = now.plus_seconds(MAX_AHEAD);
        for name in ["iat", "nbf"] {
            if moment(&self.payload, name)?.is_some_and(|begins| begins > latest) {
                return Err(format!("{name} is in the future"));
            }
        }
        moment(&self.payload, "iat")
    }

    /// Who the token is for: `aud`, which is one name or several.
    pub(crate) fn audience(&self) -> Result<Option<Vec<&str>>, String> {
        let found = match self.payload.get("aud") {
            None => return Ok(None),
            Some(Value::String(one)) => Some(vec![one.as_str()]),
            Some(Value::Array(several)) => several.iter().map(Value::as_str).collect(),
            Some(_) => None,
        };
        found.map(Some).ok_or_else(|| "aud is neither a text nor a list of texts".to_owned())
    }

    /// Whether the token answers what the verifier gave out and is for the verifier. Both must be silent where one is.
    pub(crate) fn addressed(&self, checks: &mut Checks, challenge: Option<&str>, own: Option<&str>) {
        let answers = match (self.payload.get("nonce").map(Value::as_str), challenge) {
            (None, None) => Ok(()),
            (Some(Some(found)), Some(expected)) if found == expected => Ok(()),
            (Some(_), None) => Err("there is a nonce that this verifier did not give".to_owned()),
            _ => Err("not the nonce that was given".to_owned()),
        };
        checks.record("challenge", answers);
        let addressed = self.audience().and_then(|audience| match (audience, own) {
            (None, None) => Ok(()),
            (Some(found), Some(own)) if found.contains(&own) => Ok(()),
            (Some(_), None) => Err("addressed to somebody, and this verifier did not say who it is".to_owned()),
            _ => Err("not addressed to this verifier".to_owned()),
        });
        checks.record("audience", addressed);
    }

    /// The signature, and whether its key is that of whom the token names, for this purpose.
    pub(crate) fn prove(&self, checks: &mut Checks, named: Option<&str>, purpose: &str, policy: &Policy) {
        let made = self.method(named).and_then(|method| maker(&method, purpose, policy));
        let Some(made) = checks.record("resolution", made) else { return };
        checks.show("resolution", &made.evidence);
        if policy.binding {
            let same = named.is_none_or(|named| named == made.did);
            let other = || Err("the token was signed by a key that is not the issuer's or holder's".to_owned());
            checks.record("signer-is-issuer", if same { Ok(()) } else { other() });
        } else {
            checks.waive("signer-is-issuer", "the verifier asked for the proof only");
        }
        checks.record("signature", self.signed_by(&made.key));
    }
}

/// A NumericDate (RFC 7519, section 2) in whole seconds.
pub(crate) fn moment(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, String> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => match value.as_i64() {
            // Other numbers would be moved to the nearest moment that can be written.
            Some(seconds) if Timestamp::from_unix(seconds).unix() == seconds => Ok(Some(Timestamp::from_unix(seconds))),
            _ => Err(format!("{name} is not a moment in whole seconds")),
        },
    }
}

/// Signs a payload. The header gets `alg`, `typ` and what else is given.
pub(crate) fn sign(key: &Signer, typ: &str, more: Map<String, Value>, payload: &Map<String, Value>) -> Option<String> {
    let mut header = more;
    header.insert("alg".to_owned(), json!(Algorithm::of_key(key.id().kind())?.name()));
    header.insert("typ".to_owned(), json!(typ));
    let signed = signing_input(&to_canonical(&header).ok()?, &to_canonical(payload).ok()?);
    let signature = key.sign(signed.as_bytes())?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
