//! `POST /credentials/verify` and `POST /presentations/verify`.

use super::Desk;
use super::answer::{Refusal, of_credential, of_presentation};
use super::routes::{at_work, body};
use crate::clock::now;
use axum::extract::{Request, State};
use axum::response::Response;
use identity::status::{verify_status, verify_statuses};
use identity::vc::{Policy, verify_credential, verify_presentation};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(super) async fn credential(State(desk): State<Arc<Desk>>, request: Request) -> Result<Response, Refusal> {
    let Asked { document, policy, proof_only } = asked(&desk, request, "verifiableCredential").await?;
    let verified = at_work(&desk, move |desk| {
        let verified = verify_credential(&document, &policy);
        if proof_only {
            return verified;
        }
        let lists = desk.lists.named_by(verified.verified.as_deref(), &desk.keys, policy.now);
        verify_status(verified, &lists, policy.now)
    });
    Ok(of_credential(&verified.await?))
}

pub(super) async fn presentation(State(desk): State<Arc<Desk>>, request: Request) -> Result<Response, Refusal> {
    let Asked { document, mut policy, proof_only } = asked(&desk, request, "verifiablePresentation").await?;
    // Who gave out a challenge, or says who they are, wants to see that somebody answers.
    policy.unsigned = desk.conformance || (policy.challenge.is_none() && policy.domain.is_none());
    let verified = at_work(&desk, move |desk| {
        let report = verify_presentation(&document, &policy);
        if proof_only {
            return report;
        }
        let held = report.credentials.iter().filter_map(|one| one.verified.as_deref());
        let lists = desk.lists.named_by(held, &desk.keys, policy.now);
        verify_statuses(report, &lists, policy.now)
    });
    Ok(of_presentation(&verified.await?))
}

/// What is to be verified, and how.
struct Asked {
    document: Vec<u8>,
    policy: Policy,
    /// "The proof only": neither who signed is compared with whom the document names, nor any status asked for.
    proof_only: bool,
}

async fn asked(desk: &Desk, request: Request, name: &str) -> Result<Asked, Refusal> {
    let mut said = body(request).await?;
    let document = said.remove(name).ok_or_else(|| Refusal::Options(format!("{name} is missing")))?;
    let none = json!({});
    let options = said.get("options").filter(|options| !options.is_null()).unwrap_or(&none);
    let options = options.as_object().ok_or_else(|| Refusal::Options("options is not an object".to_owned()))?;
    let mut policy = Policy::new(now());
    policy.challenge = text(options, "challenge")?;
    policy.domain = text(options, "domain")?;
    let proof_only = desk.conformance && options.get("checks") == Some(&json!(["proof"]));
    policy.binding = !proof_only;
    Ok(Asked { document: document.to_string().into_bytes(), policy, proof_only })
}

pub(super) fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::Options(format!("{name} is not a text"))),
    }
}
