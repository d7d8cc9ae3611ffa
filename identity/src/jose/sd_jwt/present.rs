//! Showing some of an SD-JWT to one verifier (RFC 9901, sections 4.3 and 7.2).

use super::unfold::unfold;
use super::{SdJwtError, TYP_BINDING, TYP_TYPED, TYP_W3C, digest, take_apart};
use crate::jose::algorithm::Algorithm;
use crate::jose::credential::bound_key;
use crate::jose::token::{read, sign};
use crate::vc::{Policy, Signer};
use consent::Timestamp;
use serde_json::{Map, Value, json};

/// What shows one verifier, once, that the holder's own key presents.
#[derive(Clone, Copy)]
pub struct Binding<'a> {
    /// The key that the credential is bound to.
    pub key: &'a Signer,
    /// What the verifier gave out.
    pub nonce: &'a str,
    /// The verifier's name.
    pub audience: &'a str,
    /// The moment of the presentation.
    pub now: Timestamp,
}

/// Shows the claims and items at these JSON pointers, what they are within, and what was never concealed.
pub fn present_sd_jwt(held: &str, shown: &[&str], binding: Option<&Binding>) -> Result<String, SdJwtError> {
    let parts = take_apart(held).map_err(SdJwtError::Held)?;
    if parts.binding.is_some() {
        return Err(SdJwtError::Held("it was presented already".to_owned()));
    }
    let token =
        read(parts.token, &[TYP_TYPED, TYP_W3C], &Algorithm::ALL).map_err(|(_, error)| SdJwtError::Held(error))?;
    let unfolded = unfold(&token.payload, &parts.disclosures).map_err(SdJwtError::Held)?;
    let all = Value::Object(unfolded.claims);
    if let Some(missing) = shown.iter().find(|pointer| all.pointer(pointer).is_none()) {
        return Err(SdJwtError::Pointer((*missing).to_owned()));
    }
    let needed = |place: &str| {
        let within =
            |pointer: &str| pointer.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        shown.iter().any(|pointer| within(pointer))
    };
    let mut text = format!("{}~", parts.token);
    for disclosure in &parts.disclosures {
        if unfolded.places.get(&disclosure.digest).is_some_and(|place| needed(place)) {
            text.push_str(disclosure.text);
            text.push('~');
        }
    }
    let Some(binding) = binding else { return Ok(text) };
    if bound_key(&token.payload, &Policy::new(binding.now)).ok() != Some(binding.key.id()) {
        return Err(SdJwtError::Binding);
    }
    let claims = Map::from_iter([
        ("iat".to_owned(), json!(binding.now.unix())),
        ("aud".to_owned(), json!(binding.audience)),
        ("nonce".to_owned(), json!(binding.nonce)),
        ("sd_hash".to_owned(), json!(digest(&text))),
    ]);
    text += &sign(binding.key, TYP_BINDING, Map::new(), &claims).ok_or(SdJwtError::Signature)?;
    Ok(text)
}
