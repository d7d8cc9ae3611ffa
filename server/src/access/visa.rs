//! A grant as a GA4GH visa of the type `ControlledAccessGrants`, for clearinghouses that know nothing of this log.
//!
//! Sources: GA4GH AAI OIDC Profile 1.2 ("Visa Document Token Format", "Visa Assertions") and GA4GH Passport 1.2
//! ("ControlledAccessGrants", "URL Claims"). The token is a JWS with the media type `vnd.ga4gh.visa+jwt`. The profile
//! names RS256 and ES256; the keys here are Ed25519, so `alg` is EdDSA (RFC 8037), and `iss` and `jku` are the did:key
//! of the institution, which is its own key.
//!
//! `value` and `source` are URLs below the log's origin, which is a host and a path (C2SP tlog-checkpoint).

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
pub fn of(key: &SigningKey, origin: &str, study: &StudyId, entry: &EntryHash, grant: &AccessGrant) -> Option<String> {
    let base = Url::parse(&format!("https://{origin}")).ok().filter(|url| url.host_str().is_some())?;
    let source = base.origin().ascii_serialization();
    let mut value = base;
    value.path_segments_mut().ok()?.pop_if_empty().extend(["studies", study.as_str()]);
    if value.as_str().len() > MAX_URL || source.len() > MAX_URL {
        return None;
    }
    let issuer = key.did();
    let header = json!({
        "alg": "EdDSA",
        "jku": issuer,
        "kid": issuer.verification_method(),
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

    fn visa(origin: &str) -> Option<String> {
        of(&SigningKey::from_seed([1; 32]), origin, &"heart".parse().unwrap(), &EntryHash::of(b"grant"), &grant())
    }

    #[test]
    fn a_visa_says_what_the_grant_says_under_the_institutions_signature() {
        let token = visa("biobank.example/log").unwrap();
        let mut parts = token.split('.');
        let mut next = || {
            let bytes = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
            serde_json::from_slice::<Value>(&bytes).unwrap()
        };
        let (header, claims) = (next(), next());
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
    fn an_origin_that_is_no_address_gives_no_visa() {
        assert!(visa("").is_none());
        assert!(visa("a b").is_none());
        assert!(visa(&format!("biobank.example/{}", "x".repeat(250))).is_none());
    }
}
