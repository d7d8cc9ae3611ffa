//! Making credentials and presentations.

use super::claims::{ConsentClaims, EnrolmentClaims};
use super::{
    CONTEXT_CONSENT, CONTEXT_V2, Credential, PURPOSE_CREDENTIAL, PURPOSE_PRESENTATION, Presentation, TYPE_CONSENT,
    TYPE_CREDENTIAL, TYPE_ENROLMENT, TYPE_PRESENTATION, signature,
};
use crate::{SigningKey, random};
use consent::{PolicyError, Timestamp};
use serde_json::{Value, json};

/// Why a credential or a presentation could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The policy must not be signed.
    #[error("{0}")]
    Policy(PolicyError),
    /// A claim is missing, too long or contradicts the key that signs.
    #[error("the claims can not be signed: {0}")]
    Claims(String),
    /// The time of validity ends before it begins.
    #[error("the time of validity ends before it begins")]
    Period,
    /// The library could not make the signature.
    #[error("the signature could not be made: {0}")]
    Signature(String),
}

/// Issues the credential of an enrolment; the issuer is the DID of `key`, by which the biobank speaks today. That it does
/// is for the reader to find out from the biobank's log.
pub async fn issue_enrolment(
    key: &SigningKey,
    claims: &EnrolmentClaims,
    from: Timestamp,
    until: Timestamp,
) -> Result<Credential, CredentialError> {
    claims.check().map_err(CredentialError::Claims)?;
    issue(key, TYPE_ENROLMENT, claims.to_subject(), from, Some(until)).await
}

/// Issues a consent; the issuer is the DID of `key`, which must be the subject's. It is valid to the end of the last
/// day of the policy, if there is one.
pub async fn issue_consent(
    key: &SigningKey,
    claims: &ConsentClaims,
    from: Timestamp,
) -> Result<Credential, CredentialError> {
    claims.policy.validate().map_err(CredentialError::Policy)?;
    if key.did() != claims.subject {
        return Err(CredentialError::Claims("the key is not the subject's".to_owned()));
    }
    claims.check().map_err(CredentialError::Claims)?;
    issue(key, TYPE_CONSENT, claims.to_subject(), from, claims.policy.until.map(|day| day.end())).await
}

async fn issue(
    key: &SigningKey,
    kind: &str,
    subject: Value,
    from: Timestamp,
    until: Option<Timestamp>,
) -> Result<Credential, CredentialError> {
    if until.is_some_and(|until| until < from) {
        return Err(CredentialError::Period);
    }
    let id = uuid::Builder::from_random_bytes(random::bytes()).into_uuid();
    let mut credential = json!({
        "@context": [CONTEXT_V2, CONTEXT_CONSENT],
        "id": id.urn().to_string(),
        "type": [TYPE_CREDENTIAL, kind],
        "issuer": key.did(),
        "validFrom": from,
        "credentialSubject": subject,
    });
    if let Some(until) = until {
        credential["validUntil"] = json!(until);
    }
    let options = options(key, PURPOSE_CREDENTIAL, from);
    let signed = sign(key, credential, options).await?;
    Credential::try_from(signed).map_err(|error| CredentialError::Signature(error.to_string()))
}

/// To whom a presentation is made, and what it answers.
#[derive(Debug, Clone, Copy)]
pub struct Audience<'a> {
    /// The name of the verifier.
    pub domain: &'a str,
    /// The challenge, if one was given.
    pub challenge: Option<&'a str>,
    /// The hash of what is agreed to beside showing the credentials, if there is such a thing.
    pub transaction: Option<&'a str>,
}

/// Presents credentials (or none, which shows control of the key) to `domain`, in answer to a challenge if one was
/// given. The proof is made `at` a moment and ends at `expires`.
pub async fn present(
    key: &SigningKey,
    credentials: &[Credential],
    challenge: Option<&str>,
    domain: &str,
    at: Timestamp,
    expires: Timestamp,
) -> Result<Presentation, CredentialError> {
    present_to(key, credentials, Audience { domain, challenge, transaction: None }, at, expires).await
}

/// As [`present`], with something that is agreed to: its hash is the `nonce` of the proof.
pub async fn present_to(
    key: &SigningKey,
    credentials: &[Credential],
    to: Audience<'_>,
    at: Timestamp,
    expires: Timestamp,
) -> Result<Presentation, CredentialError> {
    if expires < at {
        return Err(CredentialError::Period);
    }
    let mut presentation = json!({
        "@context": [CONTEXT_V2],
        "type": [TYPE_PRESENTATION],
        "holder": key.did(),
    });
    if !credentials.is_empty() {
        presentation["verifiableCredential"] = json!(credentials);
    }
    let mut options = options(key, PURPOSE_PRESENTATION, at);
    options["expires"] = json!(expires);
    options["domain"] = json!(to.domain);
    if let Some(challenge) = to.challenge {
        options["challenge"] = json!(challenge);
    }
    if let Some(transaction) = to.transaction {
        options["nonce"] = json!(transaction);
    }
    sign(key, presentation, options).await.map(Presentation)
}

fn options(key: &SigningKey, purpose: &str, created: Timestamp) -> Value {
    json!({
        "verificationMethod": key.did().verification_method(),
        "proofPurpose": purpose,
        "created": created,
    })
}

async fn sign(key: &SigningKey, document: Value, options: Value) -> Result<Value, CredentialError> {
    signature::sign(key, document, options).await.map_err(CredentialError::Signature)
}
