//! A grant as a GA4GH visa of the type `ControlledAccessGrants`, for clearinghouses that know nothing of this log.
//!
//! Sources: GA4GH AAI OIDC Profile 1.2 ("Visa Document Token Format", "Visa Assertions") and GA4GH Passport 1.2
//! ("ControlledAccessGrants", "URL Claims"). The token is a JWS with the media type `vnd.ga4gh.visa+jwt`.
//!
//! Where the operator says at which address the service is reached, a visa is as the profile wants it: `iss` is that
//! address, `jku` the JWK set below it, and the key there signs with ES256. Where nobody says it there is no address at
//! which anybody could fetch a key: then `iss` and `jku` are the did:key of the institution, whose Ed25519 key signs
//! (EdDSA, RFC 8037), for readers of DIDs; a clearinghouse that holds to the letter refuses such a visa.
//!
//! `kid` is the verification method of the key as a did:key, in the visa and in the set.
//!
//! `value` and `source` are URLs below the log's origin, which is a host and a path (C2SP tlog-checkpoint).

use crate::public::PublicAddress;
use crate::routes::KEYS_PATH;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consent::StudyId;
use identity::vc::Signer;
use identity::{SigningKey, to_canonical};
use ledger::EntryHash;
use ledger::event::AccessGrant;
use serde_json::{Value, json};
use url::Url;

/// GA4GH Passport, "URL Claims".
const MAX_URL: usize = 255;

/// The two keys, of which one signs.
#[derive(Clone, Copy)]
pub struct Keys<'k> {
    /// The institution's.
    pub institution: &'k SigningKey,
    /// The one in the JWK set, for P-256.
    pub visas: &'k Signer,
}

/// The visa of a grant; none if the origin of the log makes no https URL.
pub fn of(
    keys: Keys<'_>,
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
    let did = keys.institution.did();
    let (algorithm, issuer, jku, kid) = match address {
        Some(at) => ("ES256", at.to_string(), at.route(KEYS_PATH), keys.visas.id().verification_method()),
        None => ("EdDSA", did.to_string(), did.to_string(), did.verification_method()),
    };
    let header = json!({
        "alg": algorithm,
        "jku": jku,
        "kid": kid,
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
    let signature = match address {
        Some(_) => keys.visas.sign(signed.as_bytes())?,
        None => keys.institution.sign(signed.as_bytes()).to_vec(),
    };
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::vc::KeyKind;
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

    fn visas() -> Signer {
        Signer::from_secret(KeyKind::P256, &[3; 32]).unwrap()
    }

    fn visa_at(origin: &str, address: Option<&PublicAddress>) -> Option<String> {
        let (key, study) = (SigningKey::from_seed([1; 32]), "heart".parse().unwrap());
        let keys = Keys { institution: &key, visas: &visas() };
        of(keys, origin, address, &study, &EntryHash::of(b"grant"), &grant())
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
        let did = SigningKey::from_seed([1; 32]).did();
        let address = "https://ledger.biobank.example/".parse().unwrap();
        let (in_set, own) = (visas().id().verification_method(), did.verification_method());
        for (address, algorithm, issuer, keys, kid) in [
            (
                Some(&address),
                "ES256",
                "https://ledger.biobank.example",
                "https://ledger.biobank.example/v1/jwks.json",
                in_set,
            ),
            (None, "EdDSA", did.as_str(), did.as_str(), own),
        ] {
            let (header, claims) = parts(&visa_at("biobank.example/log", address).unwrap());
            assert_eq!((&claims["iss"], &header["jku"]), (&json!(issuer), &json!(keys)));
            assert_eq!((&header["alg"], &header["kid"]), (&json!(algorithm), &json!(kid)));
        }
    }

    #[test]
    fn an_origin_that_is_no_address_gives_no_visa() {
        assert!(visa("").is_none());
        assert!(visa("a b").is_none());
        assert!(visa(&format!("biobank.example/{}", "x".repeat(250))).is_none());
    }
}
