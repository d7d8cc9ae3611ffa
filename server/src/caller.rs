//! Who is calling: requests are signed with the caller's DID (RFC 9421), fresh, and used once.

use crate::Problem;
use crate::clock::now;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use consent::Timestamp;
use identity::{Did, RequestHeaders, verify_request};
use std::collections::HashMap;
use std::sync::Mutex;

/// How old a signed request may be, in seconds.
const MAX_AGE: i64 = 300;
/// How many nonces are remembered at most; beyond it the service refuses rather than forgets.
const MAX_NONCES: usize = 100_000;

/// Remembers the nonces of fresh requests, so that none counts twice.
pub struct Nonces {
    /// Requests from before the start could have been seen by the process before this one.
    started: Timestamp,
    seen: Mutex<HashMap<String, Timestamp>>,
}

impl Nonces {
    pub fn new() -> Self {
        Self { started: now(), seen: Mutex::default() }
    }

    /// The DID that signed this request, unless the signature, its age or its nonce is wrong.
    pub fn caller(&self, parts: &Parts, body: &[u8]) -> Result<Did, Problem> {
        let headers = RequestHeaders {
            signature_input: text(&parts.headers, "signature-input")?,
            signature: text(&parts.headers, "signature")?,
            content_digest: text(&parts.headers, "content-digest")?,
        };
        let authority = text(&parts.headers, "host")?;
        let now = now();
        let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or(""));
        let caller =
            verify_request(&headers, parts.method.as_str(), &authority, path, query, body, now, MAX_AGE)
                .map_err(|_| Problem::bad_signature())?;
        if caller.created < self.started {
            return Err(Problem::replayed());
        }
        let mut seen = self.seen.lock().map_err(Problem::internal)?;
        seen.retain(|_, created| created.plus_seconds(MAX_AGE) >= now);
        if seen.len() >= MAX_NONCES || seen.insert(caller.nonce, caller.created).is_some() {
            return Err(Problem::replayed());
        }
        Ok(caller.did)
    }
}

fn text(headers: &HeaderMap, name: &str) -> Result<String, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (Some(Ok(value)), None) => Ok(value.to_owned()),
        _ => Err(Problem::bad_signature()),
    }
}
