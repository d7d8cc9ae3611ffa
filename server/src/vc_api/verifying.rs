//! `POST /credentials/verify` and `POST /presentations/verify`.

use super::Desk;
use super::answer::{Refusal, of_credential, of_presentation};
use super::routes::{at_work, body};
use crate::clock::now;
use axum::extract::{Request, State};
use axum::response::Response;
use consent::Timestamp;
use identity::status::StatusLists;
use identity::vc::{Finding, Judge, Policy, named_lists, verify_credential, verify_presentation};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) async fn credential(State(desk): State<Arc<Desk>>, request: Request) -> Result<Response, Refusal> {
    let (document, policy) = asked(&desk, request, "verifiableCredential").await?;
    Ok(of_credential(&at_work(&desk, move |_| verify_credential(&document, &policy)).await?))
}

pub(super) async fn presentation(State(desk): State<Arc<Desk>>, request: Request) -> Result<Response, Refusal> {
    let (document, mut policy) = asked(&desk, request, "verifiablePresentation").await?;
    // Who gave out a challenge, or says who they are, wants to see that somebody answers.
    policy.unsigned = desk.conformance || (policy.challenge.is_none() && policy.domain.is_none());
    Ok(of_presentation(&at_work(&desk, move |_| verify_presentation(&document, &policy)).await?))
}

async fn asked(desk: &Arc<Desk>, request: Request, name: &str) -> Result<(Vec<u8>, Policy), Refusal> {
    let mut said = body(request).await?;
    let document = said.remove(name).ok_or_else(|| Refusal::Options(format!("{name} is missing")))?;
    let none = json!({});
    let options = said.get("options").filter(|options| !options.is_null()).unwrap_or(&none);
    let options = options.as_object().ok_or_else(|| Refusal::Options("options is not an object".to_owned()))?;
    let mut policy = Policy::new(now());
    policy.challenge = text(options, "challenge")?;
    policy.domain = text(options, "domain")?;
    // The caller decides what it does not need to know; the report says so.
    for name in names(options, "waive")? {
        if !policy.waive(name) {
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
    // "The proof only": who signed is not compared with whom the document names.
    let proof_only = options.get("checks") == Some(&json!(["proof"]));
    policy.binding = !(desk.conformance && proof_only);
    Ok((document, policy))
}

fn names<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Vec<&'a str>, Refusal> {
    let listed = match object.get(name) {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(items)) => items.iter().map(Value::as_str).collect(),
        Some(_) => None,
    };
    listed.ok_or_else(|| Refusal::Options(format!("{name} is not a list of texts")))
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
        let mut known = self.lists.clone();
        known.lists.extend(self.desk.lists.named_by(credential, &self.desk.keys, now));
        known.judge(credential, now)
    }
}
