//! Webhooks: data holders are told of entries that concern them, signed by the institution, in the order of the log,
//! at least once. What can not be delivered is tried again, more and more seldom, and is never lost from sight.

mod address;
mod post;
mod rows;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use address::Reach;
use rows::LEASE;
pub use rows::{DeadLetter, Hook};

use crate::access::commitment;
use crate::biobank::Biobank;
use crate::clock::now;
use crate::desk::{DeskError, StudyKey};
use crate::stream::{Told, published, read_entries};
use crate::tables::TablesError;
use consent::{StudyId, Timestamp};
use ledger::event::InstitutionEvent;
use ledger::{Entry, Event, Hash};
use post::Refused;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How many entries a hook looks at before it writes down how far it came.
const STRIDE: u64 = 1_024;
/// How long a hook rests after the desk failed.
const REST: Duration = Duration::from_secs(5);

/// What a dead letter says whose entry can not be read any more.
const PRUNED: &str = "the entry was pruned";

/// How patient deliveries are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The wait after the first try that failed; it doubles with each one.
    pub first: Duration,
    /// The longest wait. When a try after it fails too, the entry becomes a dead letter.
    pub longest: Duration,
}

impl Pace {
    /// One second, doubling up to twelve hours: 18 tries in about 30 hours.
    pub(crate) const NORMAL: Self = Self { first: Duration::from_secs(1), longest: Duration::from_secs(12 * 3_600) };

    /// How long to wait after this many tries; none when it was the last one.
    fn wait(&self, attempts: u32) -> Option<Duration> {
        let doubled = |times| self.first.checked_mul(1u32.checked_shl(times)?);
        let before = attempts.saturating_sub(1);
        match doubled(before) {
            Some(wait) if wait <= self.longest => Some(wait),
            // What would be longer is the longest, once.
            _ => doubled(before.checked_sub(1)?).filter(|last| *last < self.longest).map(|_| self.longest),
        }
    }
}

/// What all hooks share.
pub struct Webhooks {
    pub(crate) reach: Reach,
    pub(crate) pace: Pace,
    /// This process among those that share the desk.
    node: String,
    /// Moves on with each change that staff make.
    changed: watch::Sender<u64>,
}

impl Webhooks {
    /// Hooks of an institution.
    pub(crate) fn new(reach: Reach, pace: Pace) -> Self {
        Self { reach, pace, node: uuid::Uuid::new_v4().to_string(), changed: watch::Sender::new(0) }
    }

    /// Wakes the deliveries: staff changed a hook.
    pub(crate) fn wake(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// The name by which hooks ask for a kind of entry: its `typ` without the version.
pub(crate) fn event_name(typ: &str) -> &str {
    typ.split_once(".v").map_or(typ, |(name, _)| name)
}

/// All names that a hook can ask for.
pub(crate) fn event_names() -> BTreeSet<&'static str> {
    let of_donors =
        [ledger::GRANT_TYPE, ledger::CHANGE_TYPE, ledger::SUSPEND_TYPE, ledger::RESUME_TYPE, ledger::WITHDRAW_TYPE];
    of_donors.into_iter().chain(InstitutionEvent::TYPES.iter().copied()).map(event_name).collect()
}

/// Delivers as long as the service is there.
pub(crate) async fn run(biobank: Weak<Biobank>) {
    let Some((mut changed, mut closing)) =
        biobank.upgrade().map(|open| (open.webhooks.changed.subscribe(), open.closing.subscribe()))
    else {
        return;
    };
    let (mut running, mut tasks) = (BTreeSet::new(), JoinSet::new());
    loop {
        changed.mark_unchanged();
        let hooks = on_desk(&biobank, |open| open.desk.hooks()).await;
        for (id, _) in hooks.unwrap_or_default() {
            if running.insert(id.clone()) {
                let biobank = biobank.clone();
                tasks.spawn(async move {
                    serve(&biobank, &id).await;
                    id
                });
            }
        }
        // Leaving ends the tasks: they are dropped with their set.
        tokio::select! {
            Some(ended) = tasks.join_next() => {
                if let Ok(id) = ended {
                    running.remove(&id);
                }
            }
            changed = changed.changed() => if changed.is_err() { return },
            _ = closing.changed() => return,
        }
    }
}

/// What a hook has to do next.
enum Todo {
    /// The hook was deleted.
    Gone,
    /// Everything that is in the log was delivered or passed over.
    Nothing,
    /// Another node delivers.
    Elsewhere,
    /// An entry is due, after this wait; the hook as it stood.
    Deliver(Box<(Hook, Told, Duration)>),
    /// A dead letter gets one more try.
    Again(Box<(Hook, Told, DeadLetter)>),
}

/// Serves one hook until it is deleted.
async fn serve(biobank: &Weak<Biobank>, id: &str) {
    let Some((mut sizes, mut changed)) =
        biobank.upgrade().map(|open| (open.stream.sizes(), open.webhooks.changed.subscribe()))
    else {
        return;
    };
    loop {
        sizes.mark_unchanged();
        changed.mark_unchanged();
        let owned = id.to_owned();
        let wait = match on_desk(biobank, move |open| todo(open, &owned)).await {
            None if biobank.strong_count() == 0 => return,
            None => Some(REST),
            Some(Todo::Gone) => return,
            Some(Todo::Nothing) => None,
            Some(Todo::Elsewhere) => Some(Duration::from_secs(LEASE.unsigned_abs())),
            Some(Todo::Again(due)) => {
                let (hook, told, letter) = *due;
                let result = post::post(biobank, id, &hook, &told).await;
                settle(biobank, id, letter, result).await;
                continue;
            }
            Some(Todo::Deliver(due)) if due.2.is_zero() => {
                let (hook, told, _) = *due;
                let result = post::post(biobank, id, &hook, &told).await;
                record(biobank, id, hook, told, result).await;
                continue;
            }
            Some(Todo::Deliver(due)) => Some(due.2),
        };
        let rest = async {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = rest => {}
            // New entries do not shorten the wait of an older one.
            size = sizes.changed(), if wait.is_none() => if size.is_err() { return },
            changed = changed.changed() => if changed.is_err() { return },
        }
    }
}

/// Finds what is due, and passes over what the hook did not ask for.
fn todo(biobank: &Biobank, id: &str) -> Result<Todo, DeskError> {
    let Some(mut hook) = biobank.desk.hook(id)? else { return Ok(Todo::Gone) };
    // A node that ends leaves its hooks to the others, after a while.
    if biobank.log.store().is_shared() && !biobank.desk.lease_hook(id, &biobank.webhooks.node, now())? {
        return Ok(Todo::Elsewhere);
    }
    for letter in biobank.desk.dead_letters(id)?.into_iter().filter(|letter| letter.again) {
        if let Some(told) = entries(biobank, letter.index, letter.index + 1)?.into_iter().next() {
            return Ok(Todo::Again(Box::new((hook, told, letter))));
        }
        // An entry that was pruned can not be told of any more, and must not keep the others from their try.
        let unreadable = DeadLetter { again: false, error: PRUNED.into(), ..letter };
        biobank.desk.settle(id, unreadable.index, Some(&unreadable))?;
    }
    let (start, end) = (hook.next, published(biobank));
    let mut next = start;
    while next < end {
        let page = entries(biobank, next, end)?;
        let Some(first) = page.first() else { break };
        if first.index > next {
            hook = miss(biobank, id, hook, next, first.index)?;
        }
        for told in page {
            if !wants(biobank, &hook, &told) {
                next = told.index + 1;
                continue;
            }
            if told.index != hook.next {
                hook = pass_over(biobank, id, hook, told.index)?;
            }
            let wait = wait(&hook, biobank.webhooks.pace, now());
            return Ok(Todo::Deliver(Box::new((hook, told, wait))));
        }
    }
    if next - start >= STRIDE {
        pass_over(biobank, id, hook, next)?;
    }
    Ok(Todo::Nothing)
}

fn entries(biobank: &Biobank, first: u64, end: u64) -> Result<Vec<Told>, DeskError> {
    read_entries(biobank, first, end).map_err(|_| TablesError::new("the record can not be read").into())
}

fn pass_over(biobank: &Biobank, id: &str, hook: Hook, next: u64) -> Result<Hook, DeskError> {
    let after = Hook { next, attempts: 0, retry_at: None, ..hook.clone() };
    biobank.desk.move_hook(id, &hook, &after)?;
    Ok(after)
}

/// Goes on behind entries that were pruned before anybody was told of them: nobody can be any more, and staff see it.
fn miss(biobank: &Biobank, id: &str, hook: Hook, from: u64, to: u64) -> Result<Hook, DeskError> {
    tracing::error!(hook = id, from, to, "entries were pruned before this hook was told of them");
    let dropped = hook.dropped.saturating_add(to - from);
    let after =
        Hook { next: to, attempts: 0, retry_at: None, last_error: Some(PRUNED.into()), dropped, ..hook.clone() };
    biobank.desk.move_hook(id, &hook, &after)?;
    Ok(after)
}

/// How long an entry still waits for its next try. A clock that was set back lengthens no wait.
fn wait(hook: &Hook, pace: Pace, now: Timestamp) -> Duration {
    let (Some(at), Some(longest)) = (hook.retry_at, pace.wait(hook.attempts)) else { return Duration::ZERO };
    Duration::from_secs(u64::try_from(at.unix() - now.unix()).unwrap_or_default()).min(longest)
}

/// Whether a hook asked for this entry. One whose study can not be told goes to all: it is public, and a holder of
/// data must not miss a withdrawal because the desk has forgotten whose it is.
fn wants(biobank: &Biobank, hook: &Hook, told: &Told) -> bool {
    let Ok(entry) = Entry::parse(&told.bytes) else { return false };
    let asked = hook.events.iter().any(|event| event == event_name(entry.said().typ()));
    asked && hook.study.as_ref().is_none_or(|study| study_of(biobank, &entry).is_none_or(|of| of == *study))
}

/// The study that an entry is about, if it is about one and the desk knows.
pub(crate) fn study_of(biobank: &Biobank, entry: &Entry) -> Option<StudyId> {
    let event = match entry.said() {
        Event::Consent(said) => return study_of_subject(biobank, entry, &said.subject),
        Event::Institution(event) => event,
    };
    match event {
        InstitutionEvent::Study(said) => Some(said.study.clone()),
        InstitutionEvent::AccessRequest(said) => Some(said.study.clone()),
        InstitutionEvent::Snapshot(said) => Some(said.study.clone()),
        _ => subject_of(entry).and_then(|subject| study_of_subject(biobank, entry, &subject)),
    }
}

/// The subject that an entry is about, if it is about one.
pub(crate) fn subject_of(entry: &Entry) -> Option<Hash> {
    match entry.said() {
        Event::Consent(said) => Some(said.subject),
        Event::Institution(InstitutionEvent::Ending(said)) => Some(said.subject),
        Event::Institution(InstitutionEvent::KeyRotation(said)) => Some(said.subject),
        Event::Institution(InstitutionEvent::KeyRebinding(said)) => Some(said.subject),
        Event::Institution(_) => None,
    }
}

fn study_of_subject(biobank: &Biobank, entry: &Entry, subject: &Hash) -> Option<StudyId> {
    let fits = |key: &StudyKey| commitment(key) == Some(*subject);
    if let Some(key) = biobank.desk.study_key(entry.signer()).ok()?.filter(fits) {
        return Some(key.study);
    }
    // Another key speaks for the subject by now, or the institution itself: rare enough to look through all of them.
    biobank.desk.study_keys().ok()?.into_iter().map(|(_, key)| key).find(fits).map(|key| key.study)
}

/// Writes down what became of a try.
async fn record(biobank: &Weak<Biobank>, id: &str, hook: Hook, told: Told, result: Result<(), Refused>) {
    let id = id.to_owned();
    let written = on_desk(biobank, move |open| {
        let behind = Hook { next: told.index + 1, attempts: 0, retry_at: None, ..hook.clone() };
        let Err(refused) = result else {
            let after = Hook { delivered: Some(told.index), last_error: None, ..behind };
            return open.desk.move_hook(&id, &hook, &after);
        };
        let (attempts, error) = (hook.attempts.saturating_add(1), refused.to_string());
        tracing::warn!(hook = id, index = told.index, attempts, error, "a webhook was not delivered");
        if let Some(wait) = open.webhooks.pace.wait(attempts) {
            let retry_at = now().plus_seconds(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX));
            let after = Hook { attempts, retry_at: Some(retry_at), last_error: Some(error), ..hook.clone() };
            return open.desk.move_hook(&id, &hook, &after);
        }
        let event = Entry::parse(&told.bytes).map_or("", |entry| event_name(entry.said().typ())).to_owned();
        let letter = DeadLetter {
            index: told.index,
            hash: told.hash,
            event,
            error: error.clone(),
            attempts,
            at: now(),
            again: false,
        };
        open.desk.bury(&id, &hook, &Hook { last_error: Some(error), ..behind }, &letter)
    });
    if written.await.is_none() {
        tokio::time::sleep(REST).await;
    }
}

/// Writes down what became of one more try of a dead letter.
async fn settle(biobank: &Weak<Biobank>, id: &str, letter: DeadLetter, result: Result<(), Refused>) {
    let id = id.to_owned();
    let written = on_desk(biobank, move |open| match result {
        Ok(()) => open.desk.settle(&id, letter.index, None),
        Err(refused) => {
            let attempts = letter.attempts.saturating_add(1);
            let tried = DeadLetter { again: false, attempts, error: refused.to_string(), at: now(), ..letter };
            open.desk.settle(&id, tried.index, Some(&tried))
        }
    });
    if written.await.is_none() {
        tokio::time::sleep(REST).await;
    }
}

/// Works on the desk from a thread that may wait. None when the service is gone or the desk failed.
async fn on_desk<T: Send + 'static>(
    biobank: &Weak<Biobank>,
    work: impl FnOnce(&Arc<Biobank>) -> Result<T, DeskError> + Send + 'static,
) -> Option<T> {
    let open = biobank.upgrade()?;
    match tokio::task::spawn_blocking(move || work(&open)).await {
        Ok(Ok(done)) => Some(done),
        Ok(Err(error)) => {
            tracing::error!(%error, "webhooks");
            None
        }
        Err(_) => None,
    }
}
