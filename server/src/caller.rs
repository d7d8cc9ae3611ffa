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
/// How many fresh requests of one caller are remembered; beyond it the caller is refused rather than forgotten.
const MAX_NONCES: usize = 2_000;
/// How many callers whom the biobank does not know are remembered: only who pairs is one.
const MAX_STRANGERS: usize = 1_000;

/// Remembers the nonces of fresh requests, so that none counts twice.
pub struct Nonces {
    /// Requests from before the start could have been seen by the process before this one.
    started: Timestamp,
    seen: Mutex<Seen>,
}

/// Fresh nonces by caller; those of strangers apart, so that they take no room from the others.
#[derive(Default)]
struct Seen {
    known: HashMap<Did, HashMap<String, Timestamp>>,
    strangers: HashMap<Did, HashMap<String, Timestamp>>,
}

impl Nonces {
    pub fn new() -> Self {
        Self { started: now(), seen: Mutex::default() }
    }

    /// The DID that signed this request, unless the signature, its age or its nonce is wrong.
    ///
    /// `knows` says whether the biobank has this DID on its books. Strangers are heard where they may call at all, and
    /// take no room from the others.
    pub fn caller(
        &self,
        parts: &Parts,
        body: &[u8],
        knows: impl FnOnce(&Did) -> Result<bool, Problem>,
    ) -> Result<Did, Problem> {
        let headers = RequestHeaders {
            signature_input: text(&parts.headers, "signature-input")?,
            signature: text(&parts.headers, "signature")?,
            content_digest: text(&parts.headers, "content-digest")?,
        };
        let authority = text(&parts.headers, "host")?;
        let now = now();
        let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or(""));
        let caller = verify_request(&headers, parts.method.as_str(), &authority, path, query, body, now, MAX_AGE)
            .map_err(|_| Problem::bad_signature())?;
        if caller.created < self.started {
            return Err(Problem::replayed());
        }
        let known = knows(&caller.did)?;
        let mut seen = self.seen.lock().map_err(Problem::internal)?;
        let Seen { known: of_known, strangers } = &mut *seen;
        if !known && !strangers.contains_key(&caller.did) {
            let fresh = |created: &Timestamp| created.plus_seconds(MAX_AGE) >= now;
            strangers.retain(|_, nonces| nonces.values().any(fresh));
            if strangers.len() >= MAX_STRANGERS {
                return Err(Problem::too_many_tries());
            }
        }
        let book = if known { of_known } else { strangers };
        let nonces = book.entry(caller.did.clone()).or_default();
        nonces.retain(|_, created| created.plus_seconds(MAX_AGE) >= now);
        if nonces.len() >= MAX_NONCES || nonces.insert(caller.nonce, caller.created).is_some() {
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
