//! A grant as a GA4GH visa of the type `ControlledAccessGrants`, for clearinghouses that know nothing of this log.
//!
//! Sources: GA4GH AAI OIDC Profile 1.2 ("Visa Document Token Format", "Visa Assertions") and GA4GH Passport 1.2
//! ("ControlledAccessGrants", "URL Claims"). The token is a JWS with the media type `vnd.ga4gh.visa+jwt`.
//!
//! Two things are not as the profile says, and a clearinghouse that holds to its letter refuses the visa:
//!
//! 1. `alg` "MUST be RS256 or ES256" there. The keys here are Ed25519, so it is EdDSA (RFC 8037).
//! 2. `iss` and `jku` are https URLs there. They are here too where the operator says at which address the service is
//!    reached: `iss` is that address, `jku` the JWK set below it. Where nobody says it, both are the did:key of the
//!    institution, which is its own key.
//!
//! `kid` is the DID's verification method, in the visa and in the set.
//!
//! `value` and `source` are URLs below the log's origin, which is a host and a path (C2SP tlog-checkpoint).

use crate::public::PublicAddress;
use crate::routes::KEYS_PATH;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consent::StudyId;
use identity::{SigningKey, to_canonical};
use ledger::EntryHash;
use ledger::event::AccessGrant;
use serde_json::{Value, json};
use url::Url;

/// GA4GH Passport, "URL Claims".
const MAX_URL: usize = 255;

/// The visa of a grant; none if the origin of the log makes no https URL.
pub fn of(
    key: &SigningKey,
    origin: &str,
    address: Option<&PublicAddress>,
    study: &StudyId,
    entry: &EntryHash,
    grant: &AccessGrant,
) -> Option<String> {
    let base = Url::parse(&format!("https://{origin}")).ok().filter(|url| url.host_str().is_some())?;
    let source = base.origin().ascii_serialization();
    let mut value = base;
    value.path_segments_mut().ok()?.pop_if_empty().extend(["studies", study.as_str()]);
    if value.as_str().len() > MAX_URL || source.len() > MAX_URL {
        return None;
    }
    let did = key.did();
    let (issuer, keys) = match address {
        Some(address) => (address.to_string(), address.route(KEYS_PATH)),
        None => (did.to_string(), did.to_string()),
    };
    let header = json!({
        "alg": "EdDSA",
        "jku": keys,
        "kid": did.verification_method(),
        "typ": "vnd.ga4gh.visa+jwt",
    });
    let token = json!({
        "iss": issuer,
        "sub": grant.holder,
        "iat": grant.time.unix(),
        // The visa ends with the grant, which ends within the hour.
        "exp": grant.expires.unix(),
        // One grant, one visa: it can be recognised, not multiplied.
        "jti": format!("urn:consent-wallet:grant:{entry}"),
        "ga4gh_visa_v1": {
            "type": "ControlledAccessGrants",
            "asserted": grant.time.unix(),
            "value": value.as_str(),
            "source": source,
            "by": "dac",
        },
    });
    // Texts and whole numbers always have a canonical form.
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(to_canonical(value).unwrap_or_default());
    let signed = format!("{}.{}", part(&header), part(&token));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    Some(format!("{signed}.{signature}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Hash;

    fn grant() -> AccessGrant {
        AccessGrant {
            decision: Hash::from([1; 32]),
            expires: "2026-11-23T11:00:00Z".parse().unwrap(),
            holder: SigningKey::from_seed([2; 32]).did(),
            purpose: Hash::from([3; 32]),
            request: None,
            time: "2026-11-23T10:00:00Z".parse().unwrap(),
        }
    }

    fn visa_at(origin: &str, address: Option<&PublicAddress>) -> Option<String> {
        let (key, study) = (SigningKey::from_seed([1; 32]), "heart".parse().unwrap());
        of(&key, origin, address, &study, &EntryHash::of(b"grant"), &grant())
    }

    fn visa(origin: &str) -> Option<String> {
        visa_at(origin, None)
    }

    fn parts(token: &str) -> (Value, Value) {
        let decode = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        let mut parts = token.split('.');
        (decode(parts.next().unwrap()), decode(parts.next().unwrap()))
    }

    #[test]
    fn a_visa_says_what_the_grant_says_under_the_institutions_signature() {
        let token = visa("biobank.example/log").unwrap();
        let (header, claims) = parts(&token);
        let institution = SigningKey::from_seed([1; 32]).did();
        assert_eq!(header["typ"], "vnd.ga4gh.visa+jwt");
        assert_eq!(claims["iss"], json!(institution));
        assert_eq!(claims["sub"], json!(grant().holder));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
        assert_eq!(claims["ga4gh_visa_v1"]["value"], "https://biobank.example/log/studies/heart");
        assert_eq!(claims["ga4gh_visa_v1"]["source"], "https://biobank.example");
        assert_eq!(claims["ga4gh_visa_v1"]["by"], "dac");
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature: [u8; 64] = URL_SAFE_NO_PAD.decode(signature).unwrap().try_into().unwrap();
        institution.public_key().verify(signed.as_bytes(), &signature).unwrap();
        assert!(institution.public_key().verify(format!("{signed}x").as_bytes(), &signature).is_err());
    }

    #[test]
    fn where_the_address_is_known_it_is_the_issuer_and_has_the_keys() {
        let kid = SigningKey::from_seed([1; 32]).did().verification_method();
        let did = SigningKey::from_seed([1; 32]).did();
        let address = "https://ledger.biobank.example/".parse().unwrap();
        for (address, issuer, keys) in [
            (Some(&address), "https://ledger.biobank.example", "https://ledger.biobank.example/v1/jwks.json"),
            (None, did.as_str(), did.as_str()),
        ] {
            let (header, claims) = parts(&visa_at("biobank.example/log", address).unwrap());
            assert_eq!((&claims["iss"], &header["jku"], &header["kid"]), (&json!(issuer), &json!(keys), &json!(kid)));
            assert_eq!(header["alg"], "EdDSA");
        }
    }

    #[test]
    fn an_origin_that_is_no_address_gives_no_visa() {
        assert!(visa("").is_none());
        assert!(visa("a b").is_none());
        assert!(visa(&format!("biobank.example/{}", "x".repeat(250))).is_none());
    }
}
