//! Selective disclosure for signed tokens (SD-JWT, RFC 9901) and the credentials made of it (SD-JWT VC).

mod issue;
mod present;
mod unfold;
mod verify;

pub use issue::{Concealed, issue_sd_jwt};
pub use present::{Binding, present_sd_jwt};
pub(super) use verify::verify_enveloped;
pub use verify::{verify_sd_jwt, verify_sd_jwt_presentation};

use crate::vc::MAX_BYTES;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use unfold::Disclosure;

/// A credential by its type (SD-JWT VC), and a W3C credential (VC-JOSE-COSE, section 3.2).
const TYP_TYPED: &str = "dc+sd-jwt";
const TYP_W3C: &str = "vc+sd-jwt";
const TYP_BINDING: &str = "kb+jwt";
const HASH: &str = "sha-256";
/// How many disclosures one token may have.
const MAX_DISCLOSURES: usize = 2_000;

/// Why a token was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdJwtError {
    /// The claims can not be signed.
    #[error("the claims can not be signed: {0}")]
    Claims(String),
    /// The claims name somebody else as their issuer.
    #[error("the claims are in somebody else's name")]
    OtherName,
    /// What is to be concealed or shown is not there, or may not be concealed.
    #[error("{0} can not be concealed or shown")]
    Pointer(String),
    /// What is to be presented is no SD-JWT as its issuer made it.
    #[error("not an SD-JWT to present: {0}")]
    Held(String),
    /// The credential is not bound to this key.
    #[error("the credential is bound to another key, or to none")]
    Binding,
    /// The signature could not be made.
    #[error("the signature could not be made")]
    Signature,
}

/// An SD-JWT taken apart (RFC 9901, section 4); nothing of it is believed yet.
struct Parts<'a> {
    /// What the issuer signed.
    token: &'a str,
    disclosures: Vec<Disclosure<'a>>,
    /// The key binding, if there is one.
    binding: Option<&'a str>,
    /// Everything before the key binding, which signs the hash of it.
    bound: &'a str,
}

fn take_apart(text: &str) -> Result<Parts<'_>, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("longer than {MAX_BYTES} bytes"));
    }
    let (rest, binding) = text.rsplit_once('~').ok_or("there is no ~")?;
    let bound = &text[..=rest.len()];
    let mut parts = rest.split('~');
    let token = parts.next().unwrap_or_default();
    let disclosures: Vec<&str> = parts.collect();
    if disclosures.len() > MAX_DISCLOSURES {
        return Err(format!("more than {MAX_DISCLOSURES} disclosures"));
    }
    let disclosures = disclosures.into_iter().map(Disclosure::parse).collect::<Result<_, _>>()?;
    Ok(Parts { token, disclosures, binding: Some(binding).filter(|binding| !binding.is_empty()), bound })
}

/// The base64url of the SHA-256 of a text in US-ASCII.
fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(crate::sha256(text.as_bytes()))
}
