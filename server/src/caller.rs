//! Who is calling: requests are signed with the caller's DID (RFC 9421), fresh, and used once.

use crate::Problem;
use crate::biobank::Biobank;
use crate::capability::{CAPABILITY_HEADER, Capability};
use crate::clock::now;
use crate::guard::Principal;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use consent::{StudyId, Timestamp};
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
        presented: &Presented,
        body: &[u8],
        knows: impl FnOnce(&Did) -> Result<bool, Problem>,
    ) -> Result<Did, Problem> {
        let now = now();
        let Presented { headers, method, authority, path, query, .. } = presented;
        let caller = verify_request(headers, method, authority, path, query, body, now, MAX_AGE)
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

/// What a signed request shows of its caller.
pub struct Presented {
    headers: RequestHeaders,
    method: String,
    authority: String,
    path: String,
    query: String,
    capability: Option<String>,
}

impl Presented {
    /// Takes it from the head of a request.
    pub fn read(parts: &Parts) -> Result<Self, Problem> {
        let headers = RequestHeaders {
            signature_input: text(&parts.headers, "signature-input")?,
            signature: text(&parts.headers, "signature")?,
            content_digest: text(&parts.headers, "content-digest")?,
        };
        let capability = match parts.headers.contains_key(CAPABILITY_HEADER) {
            true => Some(text(&parts.headers, CAPABILITY_HEADER).map_err(|_| Problem::bad_capability())?),
            false => None,
        };
        Ok(Self {
            headers,
            method: parts.method.as_str().to_owned(),
            authority: text(&parts.headers, "host")?,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or("").to_owned(),
            capability,
        })
    }
}

/// A caller whose signature checked.
#[derive(Debug, Clone)]
pub struct Known {
    /// Who signed.
    pub did: Did,
    /// In which role they call.
    pub principal: Principal,
    /// Whether the role is handed on to them by a capability.
    pub delegated: bool,
}

/// Checks who calls, and in which role. `strangers` says whether those may call who are not on the books.
pub fn identify(
    biobank: &Biobank,
    presented: &Presented,
    body: &[u8],
    action: &str,
    strangers: bool,
) -> Result<Known, Problem> {
    let mut role = Principal::Stranger;
    let delegated = presented.capability.is_some();
    let did = biobank.nonces.caller(presented, body, |did| {
        role = match &presented.capability {
            Some(capability) => delegated_role(biobank, capability, did, action, &presented.path)?,
            None => role_of(biobank, did)?,
        };
        match role {
            Principal::Stranger if !strangers => Err(Problem::not_allowed()),
            Principal::Stranger => Ok(false),
            _ => Ok(true),
        }
    })?;
    Ok(Known { did, principal: role, delegated })
}

/// The role of whoever handed on the capability, if it opens this call and they still have one.
fn delegated_role(
    biobank: &Biobank,
    capability: &str,
    caller: &Did,
    action: &str,
    path: &str,
) -> Result<Principal, Problem> {
    let capability = Capability::read(capability, &biobank.did, caller, now())?;
    if !capability.opens(action, path) {
        return Err(Problem::not_allowed());
    }
    match role_of(biobank, &capability.by)? {
        account @ Principal::Account { .. } => Ok(account),
        _ => Err(Problem::not_allowed()),
    }
}

/// In which role a DID calls, by the desk's books.
pub fn role_of(biobank: &Biobank, did: &Did) -> Result<Principal, Problem> {
    let desk = &biobank.desk;
    if let Some(account) = desk.account(did).map_err(Problem::internal)? {
        return Ok(Principal::Account { role: account.role, organisation: account.organisation });
    }
    let donor = desk.is_donor(did).map_err(Problem::internal)?;
    match desk.study_key(did).map_err(Problem::internal)? {
        Some(key) => Ok(Principal::Participant { donor, organisation: organisation_of(biobank, &key.study) }),
        None if donor => Ok(Principal::Participant { donor, organisation: None }),
        None => Ok(Principal::Stranger),
    }
}

/// Which organisation runs a study that is on the list.
pub fn organisation_of(biobank: &Biobank, id: &StudyId) -> Option<String> {
    biobank.studies.iter().find(|study| study.id == *id).map(|study| study.organisation.id.clone())
}

fn text(headers: &HeaderMap, name: &str) -> Result<String, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (Some(Ok(value)), None) => Ok(value.to_owned()),
        _ => Err(Problem::bad_signature()),
    }
}
