//! GA4GH visas of the type `ControlledAccessGrants`: that a requester may use a data set, for at most an hour.
//!
//! Sources: GA4GH AAI OIDC Profile 1.2 ("Visa Document Token Format", "Visa Assertions") and GA4GH Passport 1.2
//! ("ControlledAccessGrants"). The token is a JWS (RFC 7515) with the media type `vnd.ga4gh.visa+jwt`.
//!
//! 1. A visa is made for a permit only: of the whole decision, by the matcher, at the moment of the visa.
//! 2. The key that signs is the biobank's or the participant's, both of whom decide over these data; nobody else's.
//! 3. `exp` is an hour away at most, and never beyond the last day of the consent.
//! 4. `value` and `source` are https URLs of at most 255 characters (Passport 1.2, "URL Claims"). A participant is no
//!    organisation; then `source` is `https://no.organization`, as the text asks for.
//! 5. `by` is `dac`: "a Data Access Committee or other authority that is responsible as a grantee decision-maker".
//!
//! Two things are not as the profile says, and a clearinghouse that holds to its letter refuses the visa. `alg` "MUST be
//! RS256 or ES256" there; the keys here are Ed25519, so it is EdDSA (RFC 8037). `iss` and `jku` are https URLs there;
//! here they are the did:key of the signer, which is its own key: nothing has to be fetched, and nothing can be. The
//! visa that a biobank's service makes names an address where it has one (`server/src/access/visa.rs`).

use super::ConsentRecord;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consent::{Decision, Matcher, Outcome, Policy, Purpose, Timestamp};
use identity::{Did, SigningKey, canonical};
use serde_json::json;
use std::io::Read as _;
use std::path::Path;
use zeroize::Zeroizing;

/// The longest life of a visa, in seconds (GA4GH AAI: "a lifetime of an hour or less").
pub const MAX_LIFE: i64 = 3600;
/// GA4GH Passport, "URL Claims".
const MAX_URL: usize = 255;
/// The source where no organisation makes the assertion (GA4GH Passport, "source").
const NO_ORGANISATION: &str = "https://no.organization";

/// What a visa is about, beside the consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who gets access: the subject of the visa, as the issuer knows them.
    pub subject: String,
    /// The data set or study, as an https URL.
    pub value: String,
    /// The organisation that decides, as an https URL. Nothing for a participant.
    pub source: Option<String>,
    /// What the requester wants to do.
    pub purpose: Purpose,
}

/// Why there is no visa.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VisaError {
    /// The decision is not permit.
    #[error("no visa: the decision is {outcome}{reason}")]
    NotPermitted {
        /// Deny or review.
        outcome: &'static str,
        /// The first reason for it.
        reason: String,
    },
    /// Nobody looked whether the consent is still in force.
    #[error("no visa: it is not known whether the consent is still in force")]
    StateUnknown,
    /// The purpose names another organisation than the consent.
    #[error("no visa: the consent is given to another organisation than the purpose names")]
    OtherOrganisation,
    /// The key belongs to nobody who decides over the data.
    #[error("no visa: the key is neither the biobank's nor the participant's")]
    Key,
    /// Not an https URL of at most 255 characters, or a text where one must stand.
    #[error("no visa: {0} is not an https URL of at most 255 characters")]
    Url(&'static str),
    /// Whoever gets access has no name.
    #[error("no visa: the subject is empty or longer than 255 characters")]
    Subject,
}

/// A signed visa, as a compact JWS.
pub fn export(
    record: &ConsentRecord,
    grant: &Grant,
    matcher: &Matcher<'_>,
    key: &SigningKey,
    at: Timestamp,
) -> Result<String, VisaError> {
    let (claims, signer) = (&record.claims, key.did());
    if signer != claims.biobank && signer != claims.subject {
        return Err(VisaError::Key);
    }
    if record.state_checked.is_none() {
        return Err(VisaError::StateUnknown);
    }
    if grant.subject.trim().is_empty() || grant.subject.len() > MAX_URL {
        return Err(VisaError::Subject);
    }
    let source = grant.source.as_deref().unwrap_or(NO_ORGANISATION);
    check_url("value", &grant.value)?;
    check_url("source", source)?;
    if grant.purpose.organisation.id != claims.recipient {
        return Err(VisaError::OtherOrganisation);
    }
    let policy = Policy { status: Some(record.state), ..claims.policy.clone() };
    permitted(&matcher.decide(&policy, &grant.purpose, at.date()))?;
    let last = record.valid_until.map_or(i64::MAX, Timestamp::unix);
    let token = json!({
        "iss": signer,
        "sub": grant.subject,
        "iat": at.unix(),
        "exp": at.plus_seconds(MAX_LIFE).unix().min(last),
        // The same consent, subject and moment give the same token: it can be recognised, not multiplied.
        "jti": format!("{}/{}", record.credential_id, at.unix()),
        "ga4gh_visa_v1": {
            "type": "ControlledAccessGrants",
            "asserted": at.unix(),
            "value": grant.value,
            "source": source,
            "by": "dac",
        },
    });
    Ok(sign(key, &signer, &token))
}

/// Reads a key from a file: a seed of 32 bytes as 64 hexadecimal digits, and nothing else but a line break. On Unix
/// the file must be for its owner alone (`chmod 600`).
pub fn read_key(path: &Path) -> Result<SigningKey, KeyFileError> {
    let mut file = std::fs::File::open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            return Err(KeyFileError::Open);
        }
    }
    let mut text = Zeroizing::new(Vec::with_capacity(66));
    std::io::Read::take(&mut file, 66).read_to_end(&mut text)?;
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii_end(), seed.as_mut()).map_err(|_| KeyFileError::Form)?;
    Ok(SigningKey::from_seed(*seed))
}

/// Why a key was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file can not be read.
    #[error("the key can not be read: {0}")]
    File(#[from] std::io::Error),
    /// Others can read the file.
    #[error("the key can be read by others: make it readable for you alone (chmod 600)")]
    Open,
    /// Not 64 hexadecimal digits.
    #[error("the key is not 64 hexadecimal digits")]
    Form,
}

fn permitted(decision: &Decision<'_>) -> Result<(), VisaError> {
    let outcome = match decision.outcome {
        Outcome::Permit => return Ok(()),
        Outcome::Deny => "deny",
        _ => "review",
    };
    let reason = decision.reasons.iter().find(|reason| reason.outcome == decision.outcome);
    let reason = reason.map_or_else(String::new, |reason| format!(" ({})", reason.code.code()));
    Err(VisaError::NotPermitted { outcome, reason })
}

fn check_url(name: &'static str, text: &str) -> Result<(), VisaError> {
    let url = url::Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.host_str().is_some());
    if text.len() <= MAX_URL && text.is_ascii() && url.is_some() { Ok(()) } else { Err(VisaError::Url(name)) }
}

fn sign(key: &SigningKey, signer: &Did, token: &serde_json::Value) -> String {
    let header = json!({
        "alg": "EdDSA",
        "jku": signer,
        "kid": signer.verification_method(),
        "typ": "vnd.ga4gh.visa+jwt",
    });
    // Texts and whole numbers always have a canonical form.
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(canonical::to_canonical(value).unwrap_or_default());
    let signed = format!("{}.{}", part(&header), part(token));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use consent::{
        ConsentState, DataKind, EthicsApproval, Flag, Organisation, OrganisationKind, Permission, Topic, Vocabulary,
    };
    use serde_json::Value;

    fn purpose() -> Purpose {
        Purpose {
            topics: vec![Topic::Hmb],
            commercial: Some(false),
            organisation: Organisation {
                id: "https://ror.org/027bh9e22".into(),
                kind: Some(OrganisationKind::Academic),
                ..Organisation::default()
            },
            places: vec!["NL".into()],
            data: vec![DataKind::Genome],
            ethics_approval: Some(EthicsApproval {
                committee: "METC".into(),
                number: "1".into(),
                valid_until: "2029-12-31".parse().unwrap(),
            }),
            ..Purpose::default()
        }
    }

    fn record() -> ConsentRecord {
        let mut policy = sample::policy();
        policy.modifiers = vec![consent::Modifier::Npu, consent::Modifier::Irb];
        (policy.permissions, policy.diseases, policy.ontology) = (vec![Permission::Hmb], Vec::new(), None);
        sample::of(policy)
    }

    fn grant() -> Grant {
        Grant {
            subject: "researcher-7@biobank.example".into(),
            value: "https://biobank.example/datasets/heart-rhythm".into(),
            source: Some("https://biobank.example".into()),
            purpose: purpose(),
        }
    }

    fn now() -> Timestamp {
        sample::at("2026-11-24T10:00:00Z")
    }

    fn make(record: &ConsentRecord, grant: &Grant, seed: u8) -> Result<String, VisaError> {
        export(record, grant, &Matcher::new(&[]), &sample::key(seed), now())
    }

    fn parts(token: &str) -> (Value, Value) {
        let decode = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        let mut parts = token.split('.');
        (decode(parts.next().unwrap()), decode(parts.next().unwrap()))
    }

    #[test]
    fn a_permit_becomes_a_visa_that_its_key_signed() {
        let token = make(&record(), &grant(), 2).unwrap();
        let (header, claims) = parts(&token);
        let biobank = sample::key(2).did();
        assert_eq!(header["typ"], "vnd.ga4gh.visa+jwt");
        assert_eq!(header["alg"], "EdDSA");
        assert_eq!(header["kid"], json!(biobank.verification_method()));
        assert_eq!(claims["iss"], json!(biobank));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
        let visa = &claims["ga4gh_visa_v1"];
        assert_eq!(visa["type"], "ControlledAccessGrants");
        assert_eq!(visa["by"], "dac");
        assert_eq!(visa["value"], "https://biobank.example/datasets/heart-rhythm");
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature: [u8; 64] = URL_SAFE_NO_PAD.decode(signature).unwrap().try_into().unwrap();
        biobank.public_key().verify(signed.as_bytes(), &signature).unwrap();
        assert!(biobank.public_key().verify(format!("{signed}x").as_bytes(), &signature).is_err());
    }

    #[test]
    fn a_visa_ends_with_the_consent() {
        let until = now().plus_seconds(60);
        let token = make(&ConsentRecord { valid_until: Some(until), ..record() }, &grant(), 1).unwrap();
        assert_eq!(parts(&token).1["exp"], json!(until.unix()));
    }

    #[test]
    fn a_key_is_read_from_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let write = |text: &str, mode: u32| {
            std::fs::write(&file, text).unwrap();
            #[cfg(unix)]
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
            read_key(&file)
        };
        assert_eq!(
            write(&format!("{}\n", "01".repeat(32)), 0o600).ok().map(|key| key.did()),
            Some(sample::key(1).did())
        );
        for text in ["", "01", &"01".repeat(33), &"zz".repeat(32), &format!(" {}", "01".repeat(32))] {
            assert!(matches!(write(text, 0o600), Err(KeyFileError::Form)), "{text}");
        }
        #[cfg(unix)]
        assert!(matches!(write(&"01".repeat(32), 0o644), Err(KeyFileError::Open)));
        assert!(matches!(read_key(&folder.path().join("none")), Err(KeyFileError::File(_))));
    }

    #[test]
    fn nothing_but_a_permit_becomes_a_visa() {
        let refused = |grant: &Grant, record: &ConsentRecord| make(record, grant, 2).unwrap_err();
        let change = |change: fn(&mut Purpose)| {
            let mut grant = grant();
            change(&mut grant.purpose);
            refused(&grant, &record())
        };
        for (change, outcome) in [
            (change(|purpose| purpose.topics = vec![Topic::Gru]), "deny"),
            (change(|purpose| purpose.organisation.kind = Some(OrganisationKind::Commercial)), "deny"),
            (change(|purpose| purpose.ethics_approval = None), "review"),
            (change(|purpose| purpose.topics.clear()), "review"),
            (change(|purpose| purpose.sensitive = vec![Flag::Pediatric]), "review"),
            (change(|purpose| purpose.unknown = vec!["x".into()]), "review"),
        ] {
            assert!(matches!(&change, VisaError::NotPermitted { outcome: o, .. } if *o == outcome), "{change}");
        }
        for state in ConsentState::ALL.iter().filter(|state| !state.allows_use()) {
            let record = ConsentRecord { state: *state, ..record() };
            assert!(matches!(refused(&grant(), &record), VisaError::NotPermitted { .. }), "{state:?}");
        }
        let unchecked = ConsentRecord { state_checked: None, state: ConsentState::Active, ..record() };
        assert_eq!(refused(&grant(), &unchecked), VisaError::StateUnknown);
        assert_eq!(make(&record(), &grant(), 66).unwrap_err(), VisaError::Key);
        assert_eq!(change(|purpose| purpose.organisation.id.clear()), VisaError::OtherOrganisation);
        let long = format!("https://biobank.example/{}", "x".repeat(255));
        for value in ["", "heart", "http://biobank.example/x", "https://", long.as_str()] {
            let grant = Grant { value: value.into(), ..grant() };
            assert_eq!(refused(&grant, &record()), VisaError::Url("value"), "{value}");
        }
        assert_eq!(refused(&Grant { subject: " ".into(), ..grant() }, &record()), VisaError::Subject);
    }
}
