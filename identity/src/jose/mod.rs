//! Credentials as signed tokens: VC-JOSE (`vc+jwt`, `vp+jwt`) and SD-JWT VC with key binding (RFC 9901).
//!
//! Keys are those of [`crate::vc`], named by `did:key` or `did:jwk`. A key that a token brings along, or points at, is
//! never used.

mod algorithm;
mod credential;
mod envelope;
mod named;
mod sd_jwt;
pub(crate) mod token;

pub use algorithm::Algorithm;
pub use credential::{TokenOptions, issue_token, verify_presentation_token, verify_token};
pub(crate) use envelope::Enveloped;
pub use envelope::envelope;
pub use named::did_jwk;
pub use sd_jwt::{
    Binding, Concealed, SdJwtError, issue_sd_jwt, present_sd_jwt, verify_sd_jwt, verify_sd_jwt_presentation,
};
