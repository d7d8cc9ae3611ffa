//! From the pre-authorised code to the credential (OpenID4VCI 1.0, sections 6 to 8 and 12), both sides.

use super::offer::{GRANT, Offer};
use super::reading::{address, object, text};
use super::{Read, Refused, jwt};
use crate::credential::{CONTEXT_CONSENT, CONTEXT_V2, CRYPTOSUITE, TYPE_CREDENTIAL, TYPE_ENROLMENT};
use crate::{Did, SigningKey, sign_jws, to_canonical};
use consent::Timestamp;
use serde_json::{Value, json};

/// The name under which a biobank offers its enrolment.
pub const ENROLMENT_CONFIGURATION: &str = "BiobankEnrolment";
/// The `typ` of a proof that somebody holds a key (section 8.2.1.1, appendix F.1).
pub const PROOF_TYPE: &str = "openid4vci-proof+jwt";
/// How old such a proof may be, in seconds.
const PROOF_AGE: i64 = 300;

/// What a wallet needs of an issuer's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerMetadata {
    /// Where the credential is asked for.
    pub credential_endpoint: String,
    /// Where the nonce for a proof comes from, if proofs need one.
    pub nonce_endpoint: Option<String>,
}

impl IssuerMetadata {
    /// Reads the metadata of `issuer` (section 12.2.4), which has to offer `configuration` to a holder of a did:key.
    pub fn read(bytes: &[u8], issuer: &str, configuration: &str) -> Read<Self> {
        const CHECK: &str = "metadata";
        let refused = |detail: &str| Refused::new(CHECK, detail);
        let said = object(bytes)?;
        if text(&said, "credential_issuer", CHECK)? != issuer {
            return Err(refused("of another issuer"));
        }
        if said.contains_key("authorization_servers") {
            return Err(refused("it names a server of its own"));
        }
        let offered = said.get("credential_configurations_supported").and_then(|all| all.get(configuration));
        let offered = offered.ok_or_else(|| refused("the credential is not offered"))?;
        let lists = |list: &Value, name: &str| list.as_array().is_some_and(|list| list.iter().any(|one| one == name));
        if offered["format"] != "ldp_vc"
            || !lists(&offered["proof_types_supported"]["jwt"]["proof_signing_alg_values_supported"], "EdDSA")
        {
            return Err(refused("the credential is not one that this wallet can hold"));
        }
        let place = |name: &str| -> Read<Option<String>> {
            let Some(text) = super::reading::optional_text(&said, name, CHECK)? else { return Ok(None) };
            address(text, CHECK).map(|place| Some(place.to_owned()))
        };
        let credential_endpoint = place("credential_endpoint")?;
        Ok(Self {
            credential_endpoint: credential_endpoint.ok_or_else(|| refused("credential_endpoint is missing"))?,
            nonce_endpoint: place("nonce_endpoint")?,
        })
    }
}

/// The metadata of a biobank that enrols at this address.
pub fn issuer_metadata(issuer: &str, name: &str) -> Value {
    json!({
        "credential_issuer": issuer,
        "credential_endpoint": format!("{issuer}/v1/openid/credential"),
        "nonce_endpoint": format!("{issuer}/v1/openid/nonce"),
        "display": [{ "name": name }],
        "credential_configurations_supported": { ENROLMENT_CONFIGURATION: {
            "format": "ldp_vc",
            "credential_signing_alg_values_supported": [CRYPTOSUITE],
            "cryptographic_binding_methods_supported": ["did:key"],
            "proof_types_supported": { "jwt": { "proof_signing_alg_values_supported": ["EdDSA"] } },
            "credential_definition": {
                "@context": [CONTEXT_V2, CONTEXT_CONSENT],
                "type": [TYPE_CREDENTIAL, TYPE_ENROLMENT],
            },
            // By this member wallets that also know drafts see that it is version 1.0.
            "credential_metadata": { "display": [{ "name": name }] },
        } },
    })
}

/// The metadata of the same biobank as an authorization server (RFC 8414).
pub fn server_metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/v1/openid/token"),
        "response_types_supported": ["token"],
        "grant_types_supported": [GRANT],
        "token_endpoint_auth_methods_supported": ["none"],
        "pre-authorized_grant_anonymous_access_supported": true,
    })
}

/// Reads where tokens of `issuer` come from (RFC 8414, section 3.3).
pub fn read_server_metadata(bytes: &[u8], issuer: &str) -> Read<String> {
    const CHECK: &str = "metadata";
    let said = object(bytes)?;
    if text(&said, "issuer", CHECK)? != issuer {
        return Err(Refused::new(CHECK, "of another server"));
    }
    address(text(&said, "token_endpoint", CHECK)?, CHECK).map(str::to_owned)
}

/// The form that asks for a token (section 6.1).
pub fn token_request(offer: &Offer, pin: Option<&str>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", GRANT).append_pair("pre-authorized_code", &offer.code);
    if let Some(pin) = pin {
        form.append_pair("tx_code", pin);
    }
    form.finish()
}

/// Reads that form: the pre-authorised code and what was typed.
pub fn read_token_request(body: &[u8]) -> Read<(String, Option<String>)> {
    const CHECK: &str = "token";
    let mut said = std::collections::BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body) {
        if said.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Refused::new(CHECK, "a parameter is there twice"));
        }
    }
    if said.get("grant_type").map(String::as_str) != Some(GRANT) {
        return Err(Refused::new(CHECK, "another grant than the pre-authorised code"));
    }
    let code = said.remove("pre-authorized_code").ok_or_else(|| Refused::new(CHECK, "there is no code"))?;
    Ok((code, said.remove("tx_code")))
}

/// Reads a token (section 6.2). Only one that whoever has it may use is known.
pub fn read_token(bytes: &[u8]) -> Read<String> {
    const CHECK: &str = "token";
    let said = object(bytes)?;
    let token = text(&said, "access_token", CHECK)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if !text(&said, "token_type", CHECK)?.eq_ignore_ascii_case("bearer") || !token.bytes().all(fits) {
        return Err(Refused::new(CHECK, "not a bearer token"));
    }
    Ok(token.to_owned())
}

/// Reads a nonce (section 7.2).
pub fn read_nonce(bytes: &[u8]) -> Read<String> {
    text(&object(bytes)?, "c_nonce", "proof").map(str::to_owned)
}

/// The body that asks for a credential, with a proof that `key` is the holder's (section 8.2).
pub fn credential_request(
    key: &SigningKey,
    issuer: &str,
    configuration: &str,
    nonce: Option<&str>,
    now: Timestamp,
) -> Value {
    let mut claims = json!({ "aud": issuer, "iat": now.unix() });
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    // Texts and a whole number always have a canonical form.
    let proof = sign_jws(key, PROOF_TYPE, &to_canonical(&claims).unwrap_or_default());
    json!({ "credential_configuration_id": configuration, "proofs": { "jwt": [proof] } })
}

/// Reads that body: the holder, and the nonce that the proof is bound to. One proof, of one Ed25519 key.
pub fn read_credential_request(body: &[u8], issuer: &str, now: Timestamp) -> Read<(Did, String)> {
    const CHECK: &str = "proof";
    let refused = |detail: &str| Refused::new(CHECK, detail);
    let said = object(body)?;
    if text(&said, "credential_configuration_id", "credential")? != ENROLMENT_CONFIGURATION {
        return Err(Refused::new("credential", "not a credential that is offered"));
    }
    let proofs = said.get("proofs").and_then(Value::as_object).filter(|proofs| proofs.len() == 1);
    let proof = match proofs.and_then(|proofs| proofs.get("jwt")).and_then(Value::as_array).map(Vec::as_slice) {
        Some([Value::String(proof)]) => proof,
        _ => return Err(refused("not one proof by a JWT")),
    };
    let signed = jwt::open(proof, PROOF_TYPE)?;
    if text(&signed.claims, "aud", "audience")? != issuer {
        return Err(Refused::new("audience", "made for another issuer"));
    }
    jwt::times(&signed.claims, now)?;
    let made = signed.claims.get("iat").and_then(Value::as_i64);
    if made.is_none_or(|made| made < now.unix() - PROOF_AGE) {
        return Err(Refused::new("expires", "the proof is too old"));
    }
    let holder = signed.signer.as_str().parse().map_err(|_| refused("the key is not an Ed25519 did:key"))?;
    Ok((holder, text(&signed.claims, "nonce", CHECK)?.to_owned()))
}

/// The answer with a credential (section 8.3).
pub fn credential_answer(credential: &Value) -> Value {
    json!({ "credentials": [{ "credential": credential }] })
}

/// Reads that answer. A credential that comes later is not waited for.
pub fn read_credential_answer(bytes: &[u8]) -> Read<Value> {
    let said = object(bytes)?;
    match said.get("credentials").and_then(Value::as_array).map(Vec::as_slice) {
        Some([one]) if one["credential"].is_object() => Ok(one["credential"].clone()),
        _ => Err(Refused::new("credential", "not one credential")),
    }
}
