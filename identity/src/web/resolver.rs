//! Resolving DIDs, with the network where it is needed (DID Resolution, section 4).

use super::{FetchError, Fetcher, Wanted};
use crate::did_document::{
    Age, AtHand, Cache, CacheTimes, DidDocument, DidUrl, Local, MAX_DOCUMENT, ResolveError, Resolved, Resolver,
    address_of,
};
use consent::Timestamp;
use futures_util::future::join_all;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// What documents are published as. Many servers know a file's ending and not what is in it.
const KINDS: [&str; 5] =
    ["application/did", "application/did+json", "application/did+ld+json", "application/json", "application/ld+json"];
/// How many answers are kept: at their longest, 128 MB.
const ROOM: usize = 1_000;
/// How many requests are open at once, whoever asks for them.
const AT_ONCE: usize = 16;

/// Resolves `did:key`, `did:jwk` and `did:web`, and keeps what it fetched for a while.
#[derive(Debug)]
pub struct WebResolver {
    fetcher: Fetcher,
    cache: Mutex<Cache>,
    open: Semaphore,
}

impl WebResolver {
    /// A resolver that fetches with this client.
    pub fn new(fetcher: Fetcher, times: CacheTimes) -> Self {
        Self { fetcher, cache: Mutex::new(Cache::new(times, ROOM)), open: Semaphore::new(AT_ONCE) }
    }

    /// The document of a DID at this moment, from the cache if it is fresh enough.
    pub async fn resolve(&self, did: &DidUrl, now: Timestamp) -> Result<Resolved, ResolveError> {
        let Some(address) = address_of(did)? else { return Local.resolve(did) };
        if let Some(known) = self.cache().get(did, now) {
            return known;
        }
        let _turn = self.open.acquire().await;
        let wanted = Wanted { kinds: &KINDS, max_bytes: MAX_DOCUMENT };
        let answer = match self.fetcher.fetch(&address, wanted).await {
            Ok(bytes) => DidDocument::read(&bytes, did),
            Err(error) => Err(missing(error)),
        };
        self.cache().put(did, answer.clone(), now);
        answer.map(|document| Resolved { document, age: Age::Fetched(now) })
    }

    /// Looks up everything that a verification needs, all at once, and lays it by for it.
    pub async fn look_up(&self, dids: &[DidUrl], now: Timestamp) -> AtHand {
        let answers = join_all(dids.iter().map(|did| self.resolve(did, now))).await;
        let mut at_hand = AtHand::default();
        dids.iter().zip(answers).for_each(|(did, answer)| at_hand.put(did, answer));
        at_hand
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // Each change of it is whole, also where a thread broke off.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a missing document says of the DID (did:web method, section 3.2).
fn missing(error: FetchError) -> ResolveError {
    match error {
        FetchError::Status(404) => ResolveError::NotFound,
        FetchError::Status(410) => ResolveError::Deactivated,
        other => ResolveError::Unreachable(other.to_string()),
    }
}
