#![doc = include_str!("../README.md")]

pub mod canonical;
mod credential;
mod did;
mod jws;
mod key;
mod random;
mod request;
mod sealed;
mod secret;

pub use did::{Did, DidError};
pub use jws::{JwsError, MAX_JWS, VerifiedJws, sign_jws, verify_jws};
pub use key::{BadKey, BadSignature, PublicKey, SigningKey};
pub use request::{Caller, RequestError, RequestHeaders, sign_request, verify_request};
pub use sealed::{SealError, open, seal};
pub use secret::{Fingerprint, FingerprintError, ProfileSecret};
pub use credential::*;
