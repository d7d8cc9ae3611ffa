//! Refusals as problem details (RFC 9457): a code and words for the caller, another line for the log.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::time::Duration;

/// A refusal.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: &'static str,
    latest: Option<String>,
    wait: Option<Duration>,
    cause: Option<String>,
}

/// What goes to the log with a refusal, and never to the caller.
#[derive(Debug, Clone)]
pub(crate) struct Cause(pub String);

/// The code of a refusal, for the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused(pub &'static str);

/// One row a refusal: constructor, status, code, what happened, what the caller can do.
macro_rules! problems {
    ($($name:ident = $status:ident, $code:literal, $title:literal, $detail:literal;)*) => {
        impl Problem { $(pub(crate) fn $name() -> Self {
            Self::new(StatusCode::$status, $code, $title, $detail)
        })*
            /// Every code with its status, as the API's description lists them.
            pub const CODES: &[(&str, u16)] = &[$(($code, StatusCode::$status.as_u16())),*, ("internal", 500)];
        }
    };
}

problems! {
    malformed = BAD_REQUEST, "malformed", "The request does not have the form that this route expects.",
        "Compare its members with the API's description.";
    too_deep = BAD_REQUEST, "too-deep", "The body is nested deeper than this service reads.", "Nest less.";
    bad_entry = BAD_REQUEST, "bad-entry", "The entry is not well formed, or its signature does not check.",
        "Sign it again in the one form that the log's format names.";
    bad_signature = UNAUTHORIZED, "bad-signature", "The request is not signed as RFC 9421 and this service ask.",
        "Sign method, host, path, query and body digest, with a clock that is right.";
    replayed = UNAUTHORIZED, "replayed", "This signed request was seen before, or is too old.",
        "Sign it again with a fresh nonce.";
    bad_capability = UNAUTHORIZED, "bad-capability", "The capability is not valid for this caller now.",
        "Ask for a new one, and sign the request with the key that it names.";
    not_allowed = FORBIDDEN, "not-allowed", "This caller may not do this.",
        "Ask the biobank if you think that you should.";
    unknown_signer = FORBIDDEN, "unknown-signer", "The entry's key is not registered for this subject.",
        "Register the key first.";
    presentation_refused = FORBIDDEN, "presentation-refused", "The presentation did not pass the checks.",
        "Ask for a new challenge and answer that.";
    code_unknown = NOT_FOUND, "code-unknown", "No such code.", "Read the code again, or ask for a new one.";
    not_found = NOT_FOUND, "not-found", "There is nothing at this address.", "Check the path.";
    method_not_allowed = METHOD_NOT_ALLOWED, "method-not-allowed", "This address does not take this method.",
        "Compare the method with the API's description.";
    timed_out = REQUEST_TIMEOUT, "timed-out", "The request took too long.", "Send it again, and faster.";
    code_used = CONFLICT, "code-used", "This code was used before.", "Ask for a new one.";
    code_expired = GONE, "code-expired", "This code is too old.", "Ask for a new one.";
    against_rules = CONFLICT, "against-rules", "The record's rules do not allow this entry.",
        "Read the record again: what it says now decides what can follow.";
    previous_mismatch = CONFLICT, "previous-mismatch", "The entry does not follow the subject's latest entry.",
        "Catch up with the latest entry and sign again.";
    not_permitted = CONFLICT, "not-permitted", "The consents do not cover this.",
        "Ask for a decision: it names the reasons.";
    not_in_force = CONFLICT, "not-in-force", "This is not the credential of the consent in force.",
        "Hand over the one that the latest version records.";
    decision_old = CONFLICT, "decision-old", "The decision is too old.", "Ask for a new one.";
    grant_over = GONE, "grant-over", "The grant has ended.", "Ask for a new decision and a new grant.";
    mailbox_full = INSUFFICIENT_STORAGE, "mailbox-full", "The receiver's mailbox is full.",
        "Wait until the receiver has read.";
    address_not_allowed = BAD_REQUEST, "address-not-allowed", "A webhook may not lead to this address.",
        "Give an https address that is public, with port 443 or one from 1024 on.";
    too_many_hooks = INSUFFICIENT_STORAGE, "too-many-hooks", "There are as many webhooks as there may be.",
        "Delete one first.";
    too_many_listeners = SERVICE_UNAVAILABLE, "too-many-listeners", "Too many listen at this moment.",
        "Read the record in its usual form, or come back later.";
    busy = SERVICE_UNAVAILABLE, "busy", "Too many entries wait.", "Try again in a moment.";
    stopped = SERVICE_UNAVAILABLE, "stopped", "The log can not be written.", "Try again later.";
    too_large = PAYLOAD_TOO_LARGE, "too-large", "The request is larger than this route accepts.", "Send less.";
    too_many_tries = TOO_MANY_REQUESTS, "too-many-tries", "Too many wrong codes.", "Wait a minute.";
    too_many_requests = TOO_MANY_REQUESTS, "too-many-requests", "This caller asks too often.",
        "Wait as long as Retry-After says.";
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: &'static str) -> Self {
        Self { status, code, title, detail, latest: None, wait: None, cause: None }
    }

    /// Something failed on this side. The cause goes to the log, never to the caller.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        let detail = "Try again later, and name the request id if you ask the biobank.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The service failed.", detail).because(cause)
    }

    /// Says to the log why. Nothing that a person sent belongs here.
    pub(crate) fn because(mut self, cause: impl std::fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Names the subject's latest entry, so that an honest caller can catch up.
    pub(crate) fn with_latest(mut self, latest: impl ToString) -> Self {
        self.latest = Some(latest.to_string());
        self
    }

    /// Says how long to wait.
    pub(crate) fn after(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }
}

impl Problem {
    /// The refusal as JSON: the body of an answer, or one place in an answer about many.
    pub(crate) fn shown(&self) -> Value {
        let mut body = json!({
            "type": format!("urn:consent-wallet:problem:{}", self.code),
            "title": self.title,
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some(latest) = &self.latest {
            body["latest"] = latest.as_str().into();
        }
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.shown())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = self.wait {
            // Whole seconds, and never too few of them.
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
        }
        response.extensions_mut().insert(Refused(self.code));
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(Cause(cause));
        }
        response
    }
}
