//! A token within a document: an `EnvelopedVerifiableCredential` or `EnvelopedVerifiablePresentation` (VCDM 2.0,
//! sections 4.13 and 4.14).

use super::credential::verify_held_token;
use super::sd_jwt::verify_enveloped;
use super::token::unread;
use super::verify_presentation_token;
use crate::credential::{Checks, Verification};
use crate::vc::{KeyId, Policy, PresentationReport};
use serde_json::{Map, Value, json};

const CREDENTIAL: &str = "EnvelopedVerifiableCredential";
const PRESENTATION: &str = "EnvelopedVerifiablePresentation";
const OF_ENVELOPE: [&str; 1] = ["envelope"];

/// What is in an envelope, or why it can not be opened.
pub(crate) struct Enveloped<'a>(Result<Content<'a>, String>);

enum Content<'a> {
    Credential(&'a str),
    SelectiveCredential(&'a str),
    Presentation(&'a str),
}

impl<'a> Enveloped<'a> {
    /// Takes a document for an envelope if its type says so.
    pub(crate) fn of(document: &'a Map<String, Value>) -> Option<Self> {
        let kinds = document.get("type")?;
        let kind = [CREDENTIAL, PRESENTATION]
            .into_iter()
            .find(|kind| kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.contains(&json!(kind))))?;
        Some(Self(open(document, kind)))
    }

    /// What the token says of its key, and what is in it; nobody has verified it.
    pub(crate) fn unread(&self) -> Option<(String, Map<String, Value>)> {
        match self.0.as_ref().ok()? {
            Content::Credential(token) | Content::Presentation(token) => unread(token),
            Content::SelectiveCredential(text) => unread(text.split('~').next()?),
        }
    }

    /// `keys` are those that prove the presentation which the credential is in, if it is in one.
    pub(crate) fn verify_credential(&self, keys: Option<&[KeyId]>, policy: &Policy) -> Verification<Value> {
        match &self.0 {
            Ok(Content::Credential(token)) => verify_held_token(token, keys, policy),
            Ok(Content::SelectiveCredential(token)) => verify_enveloped(token, keys, policy),
            Ok(Content::Presentation(_)) => refused("a presentation where a credential was expected"),
            Err(error) => refused(error),
        }
    }

    pub(crate) fn verify_presentation(&self, policy: &Policy) -> PresentationReport {
        match &self.0 {
            Ok(Content::Presentation(token)) => verify_presentation_token(token, policy),
            Ok(_) => PresentationReport {
                presentation: refused("a credential where a presentation was expected"),
                credentials: Vec::new(),
            },
            Err(error) => PresentationReport { presentation: refused(error), credentials: Vec::new() },
        }
    }
}

fn refused(error: &str) -> Verification<Value> {
    let mut checks = Checks::new(&OF_ENVELOPE);
    checks.record::<()>("envelope", Err(error.to_owned()));
    checks.conclude(None)
}

/// An envelope holds a token in its `id` and says nothing else: what stands beside it is signed by nobody.
fn open<'a>(document: &'a Map<String, Value>, kind: &str) -> Result<Content<'a>, String> {
    if let Some(name) = document.keys().find(|name| !["@context", "id", "type"].contains(&name.as_str())) {
        return Err(format!("an envelope has no {name:.40}"));
    }
    if document.get("type").and_then(Value::as_array).is_some_and(|kinds| kinds.len() > 1) {
        return Err("an envelope has one type".to_owned());
    }
    let id = document.get("id").and_then(Value::as_str).ok_or("an envelope has an id")?;
    let data = id.strip_prefix("data:").ok_or("the id of an envelope is no data URL")?;
    let (media, token) = data.split_once(',').ok_or("the id of an envelope is no data URL")?;
    match (kind, media) {
        (CREDENTIAL, "application/vc+jwt") => Ok(Content::Credential(token)),
        (CREDENTIAL, "application/vc+sd-jwt") => Ok(Content::SelectiveCredential(token)),
        (PRESENTATION, "application/vp+jwt") => Ok(Content::Presentation(token)),
        _ => Err("a media type that is not known".to_owned()),
    }
}

/// A `vc+jwt` or `vp+jwt` in its envelope.
pub fn envelope(token: &str, presents: bool) -> Value {
    let (kind, media) = if presents { (PRESENTATION, "vp+jwt") } else { (CREDENTIAL, "vc+jwt") };
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": format!("data:application/{media},{token}"),
        "type": kind,
    })
}
