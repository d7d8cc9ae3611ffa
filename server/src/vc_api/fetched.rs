//! Status lists that others host: fetched whole, so that nobody learns about whom it is, and kept for a while, so that
//! they do not learn how often either.

use consent::Timestamp;
use futures_util::future::join_all;
use identity::vc::MAX_BYTES;
use identity::web::{Fetcher, Wanted};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// The media types of lists: of JSON with a proof, of tokens, and of whoever does not know better.
const KINDS: [&str; 7] = [
    "application/json",
    "application/ld+json",
    "application/vc",
    "application/vc+ld+json",
    "application/vc+jwt",
    "application/statuslist+jwt",
    "application/jwt",
];
/// How long a list is kept, in seconds, and one that could not be had.
const KEPT: i64 = 300;
const KEPT_MISSING: i64 = 30;
/// How many are kept: at their longest, 64 MB.
const ROOM: usize = 64;
/// How many requests are open at once, whoever asks for them.
const AT_ONCE: usize = 16;

/// When each URL was asked, and what it answered.
type Kept = BTreeMap<String, (Timestamp, Option<Vec<u8>>)>;

pub(super) struct FetchedLists {
    fetcher: Fetcher,
    kept: Mutex<Kept>,
    open: Semaphore,
}

impl FetchedLists {
    pub(super) fn new(fetcher: Fetcher) -> Self {
        Self { fetcher, kept: Mutex::default(), open: Semaphore::new(AT_ONCE) }
    }

    /// Those of the lists that can be had.
    pub(super) async fn look_up(&self, urls: &[String], now: Timestamp) -> BTreeMap<String, Vec<u8>> {
        let found = join_all(urls.iter().map(|url| self.one(url, now))).await;
        urls.iter().cloned().zip(found).filter_map(|(url, list)| Some((url, list?))).collect()
    }

    async fn one(&self, url: &str, now: Timestamp) -> Option<Vec<u8>> {
        if let Some((_, list)) = self.kept().get(url).filter(|(then, list)| fresh(*then, list.is_some(), now)) {
            return list.clone();
        }
        let _turn = self.open.acquire().await;
        let list = self.fetcher.fetch(url, Wanted { kinds: &KINDS, max_bytes: MAX_BYTES }).await;
        let list = list.inspect_err(|error| tracing::debug!(%error, "a status list could not be fetched")).ok();
        let mut kept = self.kept();
        kept.retain(|_, (then, list)| fresh(*then, list.is_some(), now));
        if kept.len() >= ROOM
            && let Some(oldest) = kept.iter().min_by_key(|(_, (then, _))| *then).map(|(url, _)| url.clone())
        {
            kept.remove(&oldest);
        }
        kept.insert(url.to_owned(), (now, list.clone()));
        list
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Each change of it is whole, also where a thread broke off.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh(then: Timestamp, there: bool, now: Timestamp) -> bool {
    // A clock that went back makes everything old.
    (0..=if there { KEPT } else { KEPT_MISSING }).contains(&(now.unix() - then.unix()))
}
