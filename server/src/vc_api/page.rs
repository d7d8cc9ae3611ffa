//! `GET /`: a page on which a person drops a credential and reads what every check found.

use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};

/// The page runs its own script, asks this service, and can do nothing else; markup in a document stays text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const GUARDS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-cache"),
];

fn served(kind: &'static str, text: &'static str) -> Response {
    (GUARDS, [(header::CONTENT_TYPE, kind)], text).into_response()
}

pub(super) async fn text() -> Response {
    served("text/html; charset=utf-8", include_str!("../../page/index.html"))
}

pub(super) async fn style() -> Response {
    served("text/css; charset=utf-8", include_str!("../../page/page.css"))
}

pub(super) async fn script() -> Response {
    served("text/javascript; charset=utf-8", include_str!("../../page/page.js"))
}
