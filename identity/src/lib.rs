#![doc = include_str!("../README.md")]

mod batch;
pub mod canonical;
mod credential;
mod did;
pub mod did_document;
pub mod jose;
mod jws;
mod key;
#[cfg(feature = "keychain")]
mod keychain;
pub mod openid;
#[cfg(feature = "keychain")]
mod profile;
mod random;
mod request;
mod sealed;
mod secret;
pub mod status;
mod trust;
pub mod vc;
#[cfg(feature = "web")]
pub mod web;

pub use batch::{Claim, all_verify};
pub use canonical::{CanonicalError, JsonError, parse_strict, sha256, to_canonical};
pub use credential::{
    Audience, CHUNK, CONSENT_CONTEXT, CONSENT_CONTEXT_SHA256, CONSENT_SCHEMA, CONTEXT_CONSENT,
    CREDENTIALS_CONTEXT_SHA256, Check, CheckResult, ConsentClaims, ConsentCredential, Credential, CredentialError,
    EnrolmentClaims, ExpectedPresentation, HeldCredentials, NotACredential, Presentation, Verification, Verified,
    canonical_nquads, canonical_proof_options, issue_consent, issue_enrolment, policy_hash, present, present_to,
    verify_chunk, verify_consent, verify_consent_by_library, verify_consents, verify_enrolment, verify_presentation,
};
pub use did::{Did, DidError};
pub use jws::{JwsError, MAX_JWS, VerifiedJws, sign_jws, verify_jws};
pub use key::{BadKey, BadSignature, PublicKey, SigningKey};
#[cfg(feature = "keychain")]
pub use keychain::{KEYCHAIN_SERVICE, KeychainError, keychain_name, read_secret, store_secret};
#[cfg(feature = "keychain")]
pub use profile::{ProfileError, ProfileState, adopt_profile, create_profile, inspect_profile};
pub use request::{Caller, RequestError, RequestHeaders, sign_request, verify_request};
pub use sealed::{SealError, open, seal};
pub use secret::{Fingerprint, FingerprintError, ProfileSecret};
pub use trust::{SeenVersion, TRUST_TYPE, TrustClaims, TrustError, TrustList, TrustedIssuer};
