//! Refusals as problem details (RFC 9457): a code and a sentence for the caller, another line for the log.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    latest: Option<String>,
}

/// One row a refusal: constructor, status, code, sentence.
macro_rules! problems {
    ($($name:ident = $status:ident, $code:literal, $title:literal;)*) => {
        impl Problem { $(pub(crate) fn $name() -> Self {
            Self { status: StatusCode::$status, code: $code, title: $title, latest: None }
        })* }
    };
}

problems! {
    malformed = BAD_REQUEST, "malformed", "The request does not have the form that this route expects.";
    bad_entry = BAD_REQUEST, "bad-entry", "The entry is not well formed, or its signature does not check.";
    bad_signature = UNAUTHORIZED, "bad-signature", "The request is not signed as RFC 9421 and this service ask.";
    replayed = UNAUTHORIZED, "replayed", "This signed request was seen before, or is too old.";
    not_allowed = FORBIDDEN, "not-allowed", "This caller may not do this.";
    unknown_signer = FORBIDDEN, "unknown-signer", "The entry's key is not registered for this subject.";
    presentation_refused = FORBIDDEN, "presentation-refused", "The presentation did not pass the checks.";
    code_unknown = NOT_FOUND, "code-unknown", "No such code.";
    not_found = NOT_FOUND, "not-found", "There is nothing at this address.";
    code_used = CONFLICT, "code-used", "This code was used before.";
    code_expired = GONE, "code-expired", "This code is too old.";
    against_rules = CONFLICT, "against-rules", "The record's rules do not allow this entry.";
    previous_mismatch = CONFLICT, "previous-mismatch", "The entry does not follow the subject's latest entry.";
    mailbox_full = INSUFFICIENT_STORAGE, "mailbox-full", "The receiver's mailbox is full.";
    busy = SERVICE_UNAVAILABLE, "busy", "Too many entries wait. Try again in a moment.";
    stopped = SERVICE_UNAVAILABLE, "stopped", "The log can not be written.";
    too_large = PAYLOAD_TOO_LARGE, "too-large", "The request is larger than this route accepts.";
    too_many_tries = TOO_MANY_REQUESTS, "too-many-tries", "Too many wrong codes. Wait a minute.";
}

impl Problem {
    /// Something failed on this side. The cause goes to the log, never to the caller.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "request failed");
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, code: "internal", title: "The service failed.", latest: None }
    }

    /// Names the subject's latest entry, so that an honest caller can catch up.
    pub(crate) fn with_latest(mut self, latest: impl ToString) -> Self {
        self.latest = Some(latest.to_string());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({ "title": self.title, "status": self.status.as_u16(), "code": self.code });
        if let Some(latest) = self.latest {
            body["latest"] = latest.into();
        }
        (self.status, [(header::CONTENT_TYPE, "application/problem+json")], Json(body).into_response().into_body())
            .into_response()
    }
}
