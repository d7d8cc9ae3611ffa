//! Who is calling: requests are signed with the caller's DID (RFC 9421), fresh, and used once.

use crate::Problem;
use crate::access;
use crate::biobank::Biobank;
use crate::capability::{CAPABILITY_HEADER, Capability};
use crate::clock::now;
use crate::desk::Account;
use crate::founding;
use crate::guard::Principal;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use consent::{StudyId, Timestamp};
use identity::{Did, RequestHeaders, verify_request};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::time::Duration;

/// How old a signed request may be, in seconds.
const MAX_AGE: i64 = 300;
/// How many fresh requests of one caller are remembered; beyond it the caller waits rather than be forgotten.
const MAX_NONCES: usize = 50_000;
/// How many of a caller whom the biobank does not know: only who pairs is one.
const MAX_NONCES_OF_STRANGER: usize = 100;
/// How many such callers are remembered.
const MAX_STRANGERS: usize = 20_000;
/// Nonces are forgotten by such spans of their time, in seconds.
const SPAN: i64 = 60;
/// After how many calls those are forgotten who have nothing fresh any more.
const TIDY_AFTER: usize = 4_096;

/// Remembers the nonces of fresh requests, so that none counts twice.
pub struct Nonces {
    /// Requests from before the start could have been seen by the process before this one.
    started: Timestamp,
    /// A nonce is kept as a keyed hash: two that fall together make an honest caller sign again, no more.
    hasher: RandomState,
    seen: Mutex<Seen>,
}

/// Fresh nonces by caller; those of strangers apart, so that they take no room from the others.
#[derive(Default)]
struct Seen {
    known: HashMap<Did, Fresh>,
    strangers: HashMap<Did, Fresh>,
    calls: usize,
}

/// The fresh nonces of one caller, by the span in which they were made.
#[derive(Default)]
struct Fresh(BTreeMap<i64, HashSet<u64>>);

impl Fresh {
    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|span, _| (span + 1) * SPAN + MAX_AGE >= now.unix());
    }

    fn len(&self) -> usize {
        self.0.values().map(HashSet::len).sum()
    }

    /// Whether it is new.
    fn insert(&mut self, created: Timestamp, nonce: u64) -> bool {
        self.0.entry(created.unix().div_euclid(SPAN)).or_default().insert(nonce)
    }
}

impl Seen {
    fn tidy(&mut self, now: Timestamp) {
        for book in [&mut self.known, &mut self.strangers] {
            book.retain(|_, fresh| {
                fresh.forget(now);
                fresh.len() > 0
            });
        }
    }
}

impl Nonces {
    pub fn new() -> Self {
        Self { started: now(), hasher: RandomState::new(), seen: Mutex::default() }
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
        let nonce = self.hasher.hash_one(&caller.nonce);
        self.remember(caller.did.clone(), known, caller.created, nonce, now)?;
        Ok(caller.did)
    }

    fn remember(&self, did: Did, known: bool, created: Timestamp, nonce: u64, now: Timestamp) -> Result<(), Problem> {
        let wait = || Problem::too_many_requests().after(Duration::from_secs(SPAN.unsigned_abs()));
        let mut seen = self.seen.lock().map_err(Problem::internal)?;
        seen.calls += 1;
        if seen.calls % TIDY_AFTER == 0 {
            seen.tidy(now);
        }
        if !known && !seen.strangers.contains_key(&did) && seen.strangers.len() >= MAX_STRANGERS {
            seen.tidy(now);
            if seen.strangers.len() >= MAX_STRANGERS {
                return Err(wait());
            }
        }
        let most = if known { MAX_NONCES } else { MAX_NONCES_OF_STRANGER };
        let fresh = if known { seen.known.entry(did) } else { seen.strangers.entry(did) }.or_default();
        fresh.forget(now);
        if fresh.len() >= most {
            return Err(wait());
        }
        if fresh.insert(created, nonce) { Ok(()) } else { Err(Problem::replayed()) }
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
    /// Who handed the role on to them by a capability.
    pub delegated_by: Option<Did>,
}

/// Checks who calls, and in which role. `strangers` says whether those may call who are not on the books.
pub fn identify(
    biobank: &Biobank,
    presented: &Presented,
    body: &[u8],
    action: &str,
    strangers: bool,
) -> Result<Known, Problem> {
    let (mut principal, mut delegated_by) = (Principal::Stranger, None);
    let did = biobank.nonces.caller(presented, body, |did| {
        principal = match &presented.capability {
            Some(capability) => {
                let (maker, role) = delegated_role(biobank, capability, did, action, &presented.path)?;
                delegated_by = Some(maker);
                role
            }
            None => role_of(biobank, did)?,
        };
        match principal {
            Principal::Stranger if !strangers => Err(Problem::not_allowed()),
            Principal::Stranger => Ok(false),
            _ => Ok(true),
        }
    })?;
    Ok(Known { did, principal, delegated_by })
}

/// Who handed on the capability and their role, if it opens this call and they still have one.
fn delegated_role(
    biobank: &Biobank,
    capability: &str,
    caller: &Did,
    action: &str,
    path: &str,
) -> Result<(Did, Principal), Problem> {
    let capability = Capability::read(capability, &biobank.key.did(), caller, now())?;
    if !capability.opens(action, path) {
        return Err(Problem::not_allowed());
    }
    match role_of(biobank, &capability.by)? {
        account @ Principal::Account { .. } => Ok((capability.by, account)),
        _ => Err(Problem::not_allowed()),
    }
}

/// The account of a DID: what the desk has written down, as long as the log says the same of them.
pub fn account_of(biobank: &Biobank, did: &Did) -> Result<Option<Account>, Problem> {
    let Some(account) = biobank.desk.account(did).map_err(Problem::internal)? else { return Ok(None) };
    let member = access::member(biobank, did)?;
    let counts = member.is_some_and(|member| {
        member.role == founding::role(account.role) && member.organisation == account.organisation
    });
    Ok(counts.then_some(account))
}

/// In which role a DID calls, by the desk's books.
pub fn role_of(biobank: &Biobank, did: &Did) -> Result<Principal, Problem> {
    let desk = &biobank.desk;
    if let Some(account) = account_of(biobank, did)? {
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

#[cfg(test)]
mod tests {
    use super::*;
    use identity::SigningKey;

    fn did(number: u16) -> Did {
        let mut seed = [9; 32];
        seed[..2].copy_from_slice(&number.to_be_bytes());
        SigningKey::from_seed(seed).did()
    }

    #[test]
    fn a_nonce_counts_once_for_as_long_as_its_request_is_fresh() {
        let nonces = Nonces::new();
        let start = now();
        let (one, two) = (did(1), did(2));
        let say =
            |who: &Did, nonce, at| nonces.remember(who.clone(), true, start, nonce, start.plus_seconds(at)).is_ok();
        assert!(say(&one, 7, 0));
        assert!(say(&two, 7, 0), "the nonce of another caller is another nonce");
        for at in [0, 1, 299, 300, 301] {
            assert!(!say(&one, 7, at), "after {at} seconds");
        }
        // Then the request itself is too old, and its nonce is forgotten.
        assert!(say(&one, 8, MAX_AGE + 2 * SPAN));
        assert_eq!(nonces.seen.lock().unwrap().known[&one].len(), 1);
    }

    #[test]
    fn a_caller_beyond_the_bound_waits_and_is_not_forgotten() {
        let nonces = Nonces::new();
        let start = now();
        for nonce in 0..MAX_NONCES as u64 {
            nonces.remember(did(1), true, start, nonce, start).unwrap();
        }
        assert!(nonces.remember(did(1), true, start, u64::MAX, start).is_err());
        assert!(nonces.remember(did(1), true, start, 0, start).is_err(), "an old one is still known");
        assert!(nonces.remember(did(2), true, start, 0, start).is_ok());
        let later = start.plus_seconds(MAX_AGE + 2 * SPAN);
        assert!(nonces.remember(did(1), true, later, u64::MAX, later).is_ok());
    }

    #[test]
    fn strangers_take_no_room_from_the_others() {
        let nonces = Nonces::new();
        let start = now();
        for nonce in 0..MAX_NONCES_OF_STRANGER as u64 {
            nonces.remember(did(1), false, start, nonce, start).unwrap();
        }
        assert!(nonces.remember(did(1), false, start, u64::MAX, start).is_err(), "one of them has few");
        for number in 2..=u16::try_from(MAX_STRANGERS).unwrap() {
            nonces.remember(did(number), false, start, 0, start).unwrap();
        }
        assert!(nonces.remember(did(u16::MAX), false, start, 0, start).is_err(), "and there are so many of them");
        assert!(nonces.remember(did(u16::MAX), true, start, 0, start).is_ok(), "who is known is heard");
        let later = start.plus_seconds(MAX_AGE + 2 * SPAN);
        assert!(nonces.remember(did(u16::MAX - 1), false, later, 0, later).is_ok(), "until they are forgotten");
        assert_eq!(nonces.seen.lock().unwrap().strangers.len(), 1);
    }
}
