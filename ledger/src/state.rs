//! The state machine over the entries of one log. Pure: the same entries give the same state everywhere.

use crate::entry::Entry;
use crate::hash::{EntryHash, Hash};
use consent::{ConsentState, Date, ImpossibleMove, Standing, Timestamp, Vocabulary};
use identity::Did;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The version that counts, or counted last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRecord {
    /// Its entry.
    pub entry: EntryHash,
    /// Its number in the log.
    pub index: u64,
    /// The salted hash of the policy.
    pub policy: Hash,
    /// The hash of the credential.
    pub credential: Hash,
    /// When the donor decided.
    pub time: Timestamp,
}

/// What the log says of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectState {
    /// The only key that may speak for the subject: the one that spoke first.
    pub signer: Did,
    /// Where the consent stands, with its dates.
    pub standing: Standing,
    /// The last version. It counts only while the standing allows use.
    pub grant: GrantRecord,
    /// The last entry.
    pub latest: EntryHash,
    /// Its number in the log.
    pub latest_index: u64,
}

impl SubjectState {
    /// The state on a day: what ends by a date has ended on that day, whoever is online.
    pub fn state_at(&self, day: Date) -> ConsentState {
        self.standing.at(day)
    }
}

/// Why an entry changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The first entry of a subject gives no consent.
    #[error("there is no consent that could be changed or ended")]
    NotGranted,
    /// The life cycle does not know the step from where the consent stands.
    #[error("{0}")]
    Impossible(ImpossibleMove),
    /// The entry follows another entry than the latest one.
    #[error("the entry does not follow the latest one of its subject")]
    PreviousMismatch {
        /// The latest entry of the subject; none if there is none.
        latest: Option<EntryHash>,
    },
    /// Another key than the first one speaks for the subject.
    #[error("another key speaks for this subject")]
    ForeignKey,
    /// The number is not above those that were seen.
    #[error("an entry is applied out of order")]
    OutOfOrder,
}

/// The fold of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// The lowest number that may come next.
    next: u64,
    subjects: BTreeMap<Hash, SubjectState>,
}

impl State {
    /// The state of the empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether an entry could be the next one.
    pub fn check(&self, entry: &Entry) -> Result<(), Rejected> {
        step(self.subjects.get(&entry.event().subject), self.next, entry).map(|_| ())
    }

    /// Applies entry number `index`. A rejected entry changes nothing.
    pub fn apply(&mut self, index: u64, entry: &Entry) -> Result<(), Rejected> {
        if index < self.next {
            return Err(Rejected::OutOfOrder);
        }
        let after = step(self.subjects.get(&entry.event().subject), index, entry)?;
        self.subjects.insert(entry.event().subject, after);
        self.next = index.saturating_add(1);
        Ok(())
    }

    /// Begins a batch: entries are judged one after the other, and the state stays as it is until the batch is kept.
    pub fn stage(&self) -> Staged<'_> {
        Staged { base: self, changes: Changes { next: self.next, subjects: BTreeMap::new() } }
    }

    /// Takes over a batch that was staged on this state.
    pub fn keep(&mut self, changes: Changes) {
        self.next = changes.next;
        self.subjects.extend(changes.subjects);
    }

    /// What the log says of a subject.
    pub fn subject(&self, commitment: &Hash) -> Option<&SubjectState> {
        self.subjects.get(commitment)
    }

    /// All subjects, sorted by commitment.
    pub fn subjects(&self) -> impl Iterator<Item = (&Hash, &SubjectState)> {
        self.subjects.iter()
    }

    /// A hash over everything that the log says, so that two readers can compare what they understood.
    pub fn digest(&self) -> Hash {
        let mut digest = Sha256::new().chain_update("consent-wallet/state/v1\n");
        for (commitment, subject) in &self.subjects {
            let day = |day: Option<Date>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
            digest.update(format!(
                "{commitment} {} {} {} {} {} {} {} {}\n",
                subject.standing.written.code(),
                day(subject.standing.until),
                day(subject.standing.paused_until),
                subject.signer,
                subject.grant.index,
                subject.grant.entry,
                subject.latest_index,
                subject.latest,
            ));
        }
        let bytes: [u8; 32] = digest.finalize().into();
        Hash::from_bytes(bytes)
    }
}

/// A batch on top of a state.
#[derive(Debug)]
pub struct Staged<'a> {
    base: &'a State,
    changes: Changes,
}

/// What a batch changes.
#[derive(Debug)]
pub struct Changes {
    next: u64,
    subjects: BTreeMap<Hash, SubjectState>,
}

impl Staged<'_> {
    /// Applies entry number `index` to the batch. A rejected entry changes nothing.
    pub fn apply(&mut self, index: u64, entry: &Entry) -> Result<(), Rejected> {
        if index < self.changes.next {
            return Err(Rejected::OutOfOrder);
        }
        let subject = &entry.event().subject;
        let known = self.changes.subjects.get(subject).or_else(|| self.base.subjects.get(subject));
        let after = step(known, index, entry)?;
        self.changes.subjects.insert(*subject, after);
        self.changes.next = index.saturating_add(1);
        Ok(())
    }

    /// The changes, to be kept or dropped.
    pub fn into_changes(self) -> Changes {
        self.changes
    }
}

/// The rules: what a subject becomes by an entry.
fn step(known: Option<&SubjectState>, index: u64, entry: &Entry) -> Result<SubjectState, Rejected> {
    // A foreign key learns nothing of the subject, not even its latest entry.
    if known.is_some_and(|subject| subject.signer != *entry.signer()) {
        return Err(Rejected::ForeignKey);
    }
    let event = entry.event();
    let latest = known.map(|subject| subject.latest);
    if known.is_none() && event.given().is_none() {
        return Err(Rejected::NotGranted);
    }
    if event.previous != latest {
        return Err(Rejected::PreviousMismatch { latest });
    }
    let standing = known.map(|subject| subject.standing).unwrap_or_default();
    let standing = standing.after(event.step(), event.time.date(), event.until()).map_err(Rejected::Impossible)?;
    let (signer, hash) = (entry.signer().clone(), entry.hash());
    let grant = match (event.given(), known) {
        (Some(given), _) => {
            let (policy, credential, time) = (given.policy, given.credential, event.time);
            GrantRecord { entry: hash, index, policy, credential, time }
        }
        (None, Some(known)) => known.grant.clone(),
        (None, None) => return Err(Rejected::NotGranted),
    };
    Ok(SubjectState { signer, standing, grant, latest: hash, latest_index: index })
}
