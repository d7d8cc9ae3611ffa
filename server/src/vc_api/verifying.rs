//! `POST /credentials/verify` and `POST /presentations/verify`.

use super::answer::{Refusal, of_credential, of_presentation};
use super::routes::{at_work, body};
use super::{Desk, conformance};
use crate::clock::now;
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use consent::Timestamp;
use identity::status::StatusLists;
use identity::vc::{Finding, Judge, Policy, named_lists, verify_credential, verify_presentation};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const OPTIONS: [&str; 6] = ["challenge", "domain", "checks", "waive", "presentationHeader", "expectedProofPurpose"];

pub(super) async fn credential(State(desk): State<Arc<Desk>>, request: Request) -> Result<Response, Refusal> {
    let (document, policy) = asked(&desk, request, "verifiableCredential", "assertionMethod").await?;
    Ok(of_credential(&at_work(&desk, move |_| verify_credential(&document, &policy)).await?))
}

pub(super) async fn presentation(State(desk): State<Arc<Desk>>, request: Request) -> Result<Response, Refusal> {
    let (document, mut policy) = asked(&desk, request, "verifiablePresentation", "authentication").await?;
    // Who gave out a challenge, or says who they are, wants to see that somebody answers.
    policy.unsigned = desk.conformance || (policy.challenge.is_none() && policy.domain.is_none());
    Ok(of_presentation(&at_work(&desk, move |_| verify_presentation(&document, &policy)).await?))
}

async fn asked(desk: &Arc<Desk>, request: Request, name: &str, purpose: &str) -> Result<(Vec<u8>, Policy), Refusal> {
    let mut said = body(request).await?;
    let document = said.remove(name).ok_or_else(|| Refusal::Options(format!("{name} is missing")))?;
    let none = json!({});
    let options = said.get("options").filter(|options| !options.is_null()).unwrap_or(&none);
    let options = options.as_object().ok_or_else(|| Refusal::Options("options is not an object".to_owned()))?;
    if !desk.conformance {
        only(&said, &["options"])?;
        only(options, &OPTIONS)?;
    }
    // A yes would be about the one purpose that is checked.
    if text(options, "expectedProofPurpose")?.is_some_and(|expected| expected != purpose) {
        return Err(Refusal::Options(format!("{name} is proven for {purpose} only")));
    }
    let mut policy = Policy::new(now());
    policy.challenge = text(options, "challenge")?;
    policy.domain = text(options, "domain")?;
    policy.presentation_header = bytes(options, "presentationHeader")?;
    // The caller decides what it does not need to know; the report says so.
    for name in texts(options, "waive")?.unwrap_or_default() {
        if !policy.waive(&name) {
            return Err(Refusal::Options(format!("{name:.40} is no check that can stay open")));
        }
    }
    if let Some(trust) = &desk.trust {
        policy.trust = Some(trust.list());
        policy.waived.retain(|name| *name != "trust");
    }
    policy.waived.extend(desk.conformance.then_some("status"));
    let document = document.to_string().into_bytes();
    policy.resolver = desk.look_up(&document).await;
    let fetched = match &desk.fetched {
        Some(fetched) => fetched.look_up(&desk.lists.of_others(named_lists(&document)), policy.now).await,
        None => BTreeMap::new(),
    };
    let lists = StatusLists { lists: fetched, resolver: policy.resolver.clone() };
    policy.status = Some(Arc::new(KnownLists { desk: desk.clone(), lists }));
    // "The proof only": who signed is not compared with whom the document names. Test suites also mean it where they
    // say nothing.
    let proof_only = !said.contains_key("options") || options.get("checks") == Some(&json!(["proof"]));
    policy.binding = !(desk.conformance && proof_only);
    Ok((document, policy))
}

/// Refuses names that are not known: one that is passed over could have been the one that mattered.
pub(super) fn only(object: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refusal::Options(format!("{name:.40} is not an option that is known"))),
        None => Ok(()),
    }
}

/// Bytes as base64url in multibase.
pub(super) fn bytes(object: &Map<String, Value>, name: &str) -> Result<Option<Vec<u8>>, Refusal> {
    let Some(text) = text(object, name)? else { return Ok(None) };
    let bytes = text.strip_prefix('u').and_then(|base64| BASE64_URL_SAFE_NO_PAD.decode(base64).ok());
    bytes.map(Some).ok_or_else(|| Refusal::Options(format!("{name} is not base64url in multibase")))
}

pub(super) fn texts(object: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Refusal> {
    let wrong = || Refusal::Options(format!("{name} is not a list of texts"));
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(several)) => {
            let texts = several.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<_>>();
            texts.map(Some).ok_or_else(wrong)
        }
        Some(_) => Err(wrong()),
    }
}

pub(super) fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::Options(format!("{name} is not a text"))),
    }
}

/// Knows the status lists that this service hosts, and those that were fetched.
struct KnownLists {
    desk: Arc<Desk>,
    lists: StatusLists,
}

impl std::fmt::Debug for KnownLists {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.lists.fmt(f)
    }
}

impl Judge for KnownLists {
    fn judge(&self, credential: &Map<String, Value>, now: Timestamp) -> Finding {
        let counted = self.desk.conformance.then(|| conformance::as_specified(credential));
        let credential = counted.as_ref().unwrap_or(credential);
        let mut known = self.lists.clone();
        known.lists.extend(self.desk.lists.named_by(credential, &self.desk.keys, now));
        known.judge(credential, now)
    }
}
