//! Documents that were fetched, for as long as they are believed.

use super::{Age, DidDocument, DidUrl, Local, ResolveError, Resolved, Resolver, address_of};
use consent::Timestamp;
use std::collections::BTreeMap;

/// How long an answer is kept, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheTimes {
    /// A document. A key that its owner takes out is believed for so long.
    pub found: i64,
    /// That there is none, or that nobody answered: short, but long enough that a host is not asked again and again.
    pub failed: i64,
}

impl Default for CacheTimes {
    fn default() -> Self {
        Self { found: 600, failed: 30 }
    }
}

/// The last answers, each with the moment at which it came. It holds a bounded number of them.
#[derive(Debug, Clone)]
pub struct Cache {
    times: CacheTimes,
    room: usize,
    answers: BTreeMap<String, (Timestamp, Result<DidDocument, ResolveError>)>,
}

impl Cache {
    /// An empty cache with room for so many answers.
    pub fn new(times: CacheTimes, room: usize) -> Self {
        Self { times, room, answers: BTreeMap::new() }
    }

    /// What is known of a DID at this moment, or `None` if it has to be asked for.
    pub fn get(&self, did: &DidUrl, now: Timestamp) -> Option<Result<Resolved, ResolveError>> {
        let (then, answer) = self.answers.get(did.did()).filter(|answer| self.is_fresh(answer, now))?;
        Some(answer.clone().map(|document| Resolved { document, age: Age::Cached(*then) }))
    }

    /// Keeps an answer. Where there is no room, the oldest one goes.
    pub fn put(&mut self, did: &DidUrl, answer: Result<DidDocument, ResolveError>, now: Timestamp) {
        if !self.answers.contains_key(did.did()) && self.answers.len() >= self.room {
            let oldest = self.answers.iter().min_by_key(|(_, (then, _))| *then).map(|(did, _)| did.clone());
            oldest.map(|did| self.answers.remove(&did));
        }
        if self.room > 0 {
            self.answers.insert(did.did().to_owned(), (now, answer));
        }
    }

    /// What came after now by this clock is not believed: nobody can say how old it is.
    fn is_fresh(&self, (then, answer): &(Timestamp, Result<DidDocument, ResolveError>), now: Timestamp) -> bool {
        let lasts = if answer.is_ok() { self.times.found } else { self.times.failed };
        *then <= now && now < then.plus_seconds(lasts)
    }
}

/// Answers that were got for one verification, beside the DIDs that are keys.
#[derive(Debug, Clone, Default)]
pub struct AtHand(BTreeMap<String, Result<Resolved, ResolveError>>);

impl AtHand {
    /// Lays an answer by.
    pub fn put(&mut self, did: &DidUrl, answer: Result<Resolved, ResolveError>) {
        self.0.insert(did.did().to_owned(), answer);
    }
}

impl Resolver for AtHand {
    fn resolve(&self, did: &DidUrl) -> Result<Resolved, ResolveError> {
        match address_of(did)? {
            None => Local.resolve(did),
            Some(_) => self.0.get(did.did()).cloned().unwrap_or(Err(ResolveError::NotAtHand)),
        }
    }
}
