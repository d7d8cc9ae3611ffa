//! Resolving DIDs and what their URLs name. Two forms, because the tests of the two specifications ask for errors in
//! different ones.

use super::Desk;
use super::answer::typed;
use super::resolving::{Options, Trouble, find};
use crate::clock::now;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use identity::did_document::{Age, DidUrl, ResolveError, Resolved};
use serde_json::{Value, json};
use std::sync::Arc;

const CONTEXT: &str = "https://w3id.org/did-resolution/v1";
const RESOLUTION: &str = "application/did-resolution";
const DEREFERENCING: &str = "application/did-url-dereferencing";
const DOCUMENT: &str = "application/did";
/// All names under which a document alone can be asked for.
const DOCUMENTS: [&str; 3] = [DOCUMENT, "application/did+json", "application/did+ld+json"];
/// What takes any form.
const ANY: [&str; 4] = ["*/*", "application/*", "application/json", "application/ld+json"];
const LEGACY: &str = "application/ld+json;profile=\"https://w3id.org/did-resolution\"";

type Named = Query<Vec<(String, String)>>;

/// Without a DID there is nothing to resolve.
pub(super) async fn nothing() -> Response {
    failed(ResolveError::InvalidDid.into())
}

/// As in the DID resolution specification: errors are problem details.
pub(super) async fn resolve(
    State(desk): State<Arc<Desk>>,
    Path(text): Path<String>,
    Query(options): Named,
    headers: HeaderMap,
) -> Response {
    let options = Options(options);
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kinds = options.accepted(accept);
    let reads = |kind: &str| kinds.iter().any(|one| one == kind);
    let any = kinds.is_empty() || ANY.into_iter().any(reads);
    let answer = async {
        let url = DidUrl::parse(&text)?;
        let found = find(&desk, &url, &options).await?;
        let below = url.fragment().is_some() || !url.path_and_query().is_empty();
        if below || reads(DEREFERENCING) {
            // Who reads any JSON, and says so, gets what the URL names without anything around it.
            let bare = !reads(DEREFERENCING) && (reads("application/json") || reads(DOCUMENT));
            return match part(&found, &url).ok_or_else(Trouble::nothing_there)? {
                content if bare => Ok(typed(StatusCode::OK, "application/json", &content)),
                content if any || reads(DEREFERENCING) => {
                    Ok(typed(StatusCode::OK, DEREFERENCING, &dereferenced(content)))
                }
                _ => Err(Trouble::representation()),
            };
        }
        let document = found.document.json();
        match DOCUMENTS.into_iter().find(|kind| reads(kind)) {
            Some(kind) if !reads(RESOLUTION) => Ok(typed(StatusCode::OK, kind, document)),
            // The specification has the type of the answer here, and the one of the document there.
            _ if reads(RESOLUTION) => Ok(resolved(document, told(&found, RESOLUTION))),
            _ if any => Ok(resolved(document, told(&found, DOCUMENT))),
            _ => Err(Trouble::representation()),
        }
    };
    answer.await.unwrap_or_else(failed)
}

fn resolved(document: &Value, metadata: Value) -> Response {
    typed(StatusCode::OK, RESOLUTION, &result(document.clone(), json!({}), metadata))
}

/// What a DID URL names: the document, a verification method, or a service. Paths and queries name nothing here.
fn part(found: &Resolved, url: &DidUrl) -> Option<Value> {
    match url.fragment() {
        _ if !url.path_and_query().is_empty() => None,
        None => Some(found.document.json().clone()),
        Some(_) => found.document.part(url.as_str()).cloned(),
    }
}

fn dereferenced(content: Value) -> Value {
    let metadata = json!({ "contentType": DOCUMENT });
    json!({ "@context": CONTEXT, "dereferencingMetadata": metadata, "contentStream": content, "contentMetadata": {} })
}

fn failed(trouble: Trouble) -> Response {
    let error = json!({ "type": format!("https://www.w3.org/ns/did#{}", trouble.code), "title": trouble.title });
    let about = if trouble.status == StatusCode::GONE { json!({ "deactivated": true }) } else { json!({}) };
    let metadata = json!({ "contentType": RESOLUTION, "error": error });
    typed(trouble.status, RESOLUTION, &result(Value::Null, about, metadata))
}

/// As the earlier interface had it: errors are words, and what a DID URL names takes the place of the document.
pub(super) async fn resolve_legacy(
    State(desk): State<Arc<Desk>>,
    Path(text): Path<String>,
    Query(options): Named,
) -> Response {
    let answer = async {
        let url = DidUrl::parse(&text)?;
        if !url.path_and_query().is_empty() {
            return Err(ResolveError::InvalidDidUrl.into());
        }
        let found = find(&desk, &url, &Options(options)).await?;
        let content = part(&found, &url).ok_or_else(Trouble::nothing_there)?;
        let metadata = told(&found, "application/did+ld+json");
        let mut said = result(content, json!({}), metadata.clone());
        if url.fragment().is_some() {
            said["didDereferencingMetadata"] = metadata;
        }
        Ok(typed(StatusCode::OK, LEGACY, &said))
    };
    answer.await.unwrap_or_else(|trouble: Trouble| {
        let error = json!({ "error": trouble.word });
        let mut said = result(json!({}), json!({}), error.clone());
        if text.contains(['#', '/', '?']) {
            said["didDereferencingMetadata"] = error;
        }
        typed(trouble.status, LEGACY, &said)
    })
}

/// What is said of a document: its type, and of one that was fetched its age in seconds and whether it was kept.
fn told(found: &Resolved, kind: &str) -> Value {
    let mut said = json!({ "contentType": kind });
    if found.age != Age::Fixed {
        said["age"] = found.age.seconds(now()).into();
        said["fromCache"] = matches!(found.age, Age::Cached(_)).into();
    }
    said
}

fn result(document: Value, about: Value, metadata: Value) -> Value {
    json!({
        "@context": CONTEXT,
        "didDocument": document,
        "didDocumentMetadata": about,
        "didResolutionMetadata": metadata,
    })
}
