//! What the service answers to, as one table, and what every route shares.

use super::answer::{Refusal, typed};
use super::{Desk, deriving, identifiers, issuing, page, status, verifying};
use crate::Problem;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use identity::JsonError;
use identity::vc::{MAX_BYTES, read_json};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// How long a request may take until its answer begins, the reading of its body included.
const PATIENCE: Duration = Duration::from_secs(20);

/// One route, for the router and for the description.
pub struct VcRoute {
    /// The method.
    pub method: &'static str,
    /// The path, with its names in braces.
    pub path: &'static str,
    handler: fn() -> MethodRouter<Arc<Desk>>,
}

/// Every route of the service.
#[rustfmt::skip]
pub const ROUTES: &[VcRoute] = &[
    VcRoute { method: "GET", path: "/", handler: || get(page::text) },
    VcRoute { method: "GET", path: "/page.css", handler: || get(page::style) },
    VcRoute { method: "GET", path: "/page.js", handler: || get(page::script) },
    VcRoute { method: "POST", path: "/{instance}/credentials/issue", handler: || post(issuing::post) },
    VcRoute { method: "POST", path: "/credentials/verify", handler: || post(verifying::credential) },
    VcRoute { method: "POST", path: "/credentials/derive", handler: || post(deriving::post) },
    VcRoute { method: "POST", path: "/presentations/verify", handler: || post(verifying::presentation) },
    VcRoute { method: "POST", path: "/credentials/status", handler: || post(status::change) },
    VcRoute { method: "GET", path: "/status/{number}", handler: || get(status::list) },
    VcRoute { method: "GET", path: "/keys", handler: || get(keys) },
    VcRoute { method: "GET", path: "/identifiers/", handler: || get(identifiers::nothing) },
    VcRoute { method: "GET", path: "/identifiers/{did}", handler: || get(identifiers::resolve) },
    VcRoute { method: "GET", path: "/1.0/identifiers/{did}", handler: || get(identifiers::resolve_legacy) },
    VcRoute { method: "GET", path: "/openapi.json", handler: || get(description) },
];

pub(super) fn router(desk: Arc<Desk>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        router = router.route(route.path, (route.handler)());
    }
    router
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn(in_time))
        .with_state(desk)
}

async fn in_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(PATIENCE, next.run(request)).await;
    answer.unwrap_or_else(|_| Problem::timed_out().into_response())
}

async fn keys(State(desk): State<Arc<Desk>>) -> Response {
    let ids: Map<String, Value> = desk.keys.ids().map(|(name, did)| (name.to_owned(), did.into())).collect();
    typed(StatusCode::OK, "application/json", &Value::Object(ids))
}

async fn description() -> Response {
    let mut response = include_str!("../../vc-api.openapi.json").into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

/// The body of a request: one JSON object, strictly read. A page of some web site can not send one without asking
/// first, because of its media type.
pub(super) async fn body(request: Request) -> Result<Map<String, Value>, Refusal> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind != "application/json" && kind != "application/ld+json" {
        return Err(Problem::malformed().into());
    }
    let bytes = to_bytes(request.into_body(), MAX_BYTES).await.map_err(|_| Problem::too_large())?;
    match read_json(&bytes) {
        Ok(Value::Object(said)) => Ok(said),
        Err(JsonError::TooDeep(_)) => Err(Problem::too_deep().into()),
        Ok(_) | Err(_) => Err(Problem::malformed().into()),
    }
}

/// Does what takes a processor on a thread for it, never too much at once.
pub(super) async fn at_work<T: Send + 'static>(
    desk: &Arc<Desk>,
    work: impl FnOnce(&Desk) -> T + Send + 'static,
) -> Result<T, Refusal> {
    let own = desk.clone();
    let permit = desk.work.clone().acquire_owned().await.map_err(|error| Refusal::from(Problem::internal(error)))?;
    let done = tokio::task::spawn_blocking(move || {
        // It counts until it ends, also when nobody waits for it any more.
        let _permit = permit;
        work(&own)
    });
    done.await.map_err(|error| Problem::internal(error).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vc_api::keyring::Keyring;
    use crate::vc_api::lists::Lists;
    use tokio::sync::Semaphore;
    use tokio::time::timeout;

    #[tokio::test]
    async fn work_that_nobody_waits_for_counts_until_it_ends() {
        let keys = Keyring::open(None).unwrap();
        let lists = Lists::open(None, String::new(), &keys).unwrap();
        let work = Arc::new(Semaphore::new(1));
        let desk = Arc::new(Desk {
            keys,
            lists,
            conformance: false,
            issue_for_all: false,
            web: None,
            fetched: None,
            trust: None,
            work,
        });
        let (end, ended) = std::sync::mpsc::channel();
        let given_up = timeout(Duration::from_millis(50), at_work(&desk, move |_| ended.recv())).await;
        assert!(given_up.is_err());
        assert_eq!(desk.work.available_permits(), 0);
        assert!(timeout(Duration::from_millis(50), at_work(&desk, |_| ())).await.is_err(), "there is no room");
        end.send(()).unwrap();
        assert!(timeout(PATIENCE, at_work(&desk, |_| ())).await.is_ok());
    }
}
