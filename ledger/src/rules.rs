//! The rules of a log: what an entry changes, or why it changes nothing. Pure: no clock, no fractions, no order but
//! that of the entries, and nothing is read but the records that [`crate::keys_of`] names.

mod access;
mod consents;
mod people;
mod samples;
mod studies;

use crate::entry::{Entry, Event};
use crate::event::{InstitutionEvent, Role};
use crate::hash::{EntryHash, Hash};
use crate::record::{AuthorityRecord, Key, MemberRecord, Record, StudyRecord, SubjectState};
use consent::{ConsentState, ImpossibleMove, Outcome, StudyId, Timestamp};
use identity::Did;

/// The longest grant of access, in seconds.
pub const MAX_GRANT_SECONDS: i64 = 3600;

/// Why an entry changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    /// Another key than the one that is bound to it speaks for the subject.
    #[error("another key speaks for this subject")]
    ForeignKey,
    /// The signer may not say this.
    #[error("the signer may not say this")]
    NotAllowed,
    /// The entry names something that the log does not know, or that is not open.
    #[error("the entry is about something that is not there: {0}")]
    NotThere(Key),
    /// It was said before, or something newer was.
    #[error("the same or something newer was said before: {0}")]
    NotNew(Key),
    /// Times or dates do not fit each other.
    #[error("the times of the entry do not fit")]
    Time,
    /// The number is not above those that were seen.
    #[error("an entry is applied out of order")]
    OutOfOrder,
}

/// What an entry brings about beside the records: what others have to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// A consent changed its state, as of the day on which the entry was signed.
    Consent {
        /// Whose.
        subject: Hash,
        /// Where it stood.
        before: ConsentState,
        /// Where it stands.
        after: ConsentState,
    },
    /// The institution asks again for a consent that it had ended.
    Asked {
        /// Whom.
        subject: Hash,
    },
    /// Another key speaks for a subject.
    Key {
        /// For whom.
        subject: Hash,
        /// The key.
        key: Did,
    },
    /// A study has a new version, opens or closes.
    Study {
        /// Which.
        study: StudyId,
        /// The version.
        version: u32,
        /// Whether it is open.
        open: bool,
    },
    /// A request for access was answered.
    Decision {
        /// Which.
        request: EntryHash,
        /// How.
        outcome: Outcome,
    },
    /// Data were used.
    Use {
        /// Under which grant.
        grant: EntryHash,
    },
    /// Who may act changed.
    Member {
        /// Who.
        member: Did,
        /// Whether from now on they may.
        active: bool,
    },
    /// Nothing that others have to be told.
    None,
}

/// What an entry does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The records that it writes, sorted by their keys.
    pub changes: Vec<(Key, Record)>,
    /// What it brings about.
    pub effect: Effect,
}

/// Records by their keys. A host gives those that [`crate::keys_of`] names.
pub trait Records {
    /// The record under a key, if there is one.
    fn record(&self, key: &Key) -> Option<&Record>;
}

impl Applied {
    fn new(mut changes: Vec<(Key, Record)>, effect: Effect) -> Self {
        // The state hash must not depend on the order in which a rule happens to write.
        changes.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self { changes, effect }
    }

    fn one(key: Key, record: Record, effect: Effect) -> Self {
        Self { changes: vec![(key, record)], effect }
    }
}

/// Judges entry number `index`.
pub fn apply(records: &impl Records, index: u64, entry: &Entry) -> Result<Applied, Rejected> {
    let rules = Rules { records, index, entry };
    let event = match entry.said() {
        Event::Consent(event) => return rules.consent(event),
        Event::Institution(event) => event,
    };
    match event {
        InstitutionEvent::Member(said) => rules.member(said),
        InstitutionEvent::InstitutionKey(said) => rules.institution_key(said),
        InstitutionEvent::LogKey(said) => rules.log_key(said),
        InstitutionEvent::Study(said) => rules.study(said),
        InstitutionEvent::Policy(said) => rules.policy(said),
        InstitutionEvent::Ending(said) => rules.ending(said),
        InstitutionEvent::Asking(said) => rules.asking(said),
        InstitutionEvent::KeyRotation(said) => rules.rotation(said),
        InstitutionEvent::KeyRebinding(said) => rules.rebinding(said),
        InstitutionEvent::AccessRequest(said) => rules.request(said),
        InstitutionEvent::AccessDecision(said) => rules.decision(said),
        InstitutionEvent::AccessGrant(said) => rules.grant(said),
        InstitutionEvent::AccessUse(said) => rules.used(said),
        InstitutionEvent::Sample(said) => rules.sample(said),
        InstitutionEvent::Snapshot(said) => rules.snapshot(said),
        InstitutionEvent::Anchor(said) => rules.anchor(said),
    }
}

/// The rules for one entry; each kind has its own.
struct Rules<'a, R> {
    records: &'a R,
    index: u64,
    entry: &'a Entry,
}

impl<R: Records> Rules<'_, R> {
    fn find_member(&self, did: &Did) -> Option<&MemberRecord> {
        match self.records.record(&Key::member(did)) {
            Some(Record::Member(member)) => Some(member),
            _ => None,
        }
    }

    fn find_subject(&self, subject: &Hash) -> Option<&SubjectState> {
        match self.records.record(&Key::subject(subject)) {
            Some(Record::Subject(known)) => Some(known),
            _ => None,
        }
    }

    fn find_study(&self, study: &StudyId) -> Option<&StudyRecord> {
        match self.records.record(&Key::study(study)) {
            Some(Record::Study(study)) => Some(study),
            _ => None,
        }
    }

    fn find_authority(&self) -> Option<&AuthorityRecord> {
        match self.records.record(&Key::authority()) {
            Some(Record::Authority(authority)) => Some(authority),
            _ => None,
        }
    }

    /// The signer acts in one of these roles.
    fn by(&self, roles: &[Role]) -> Result<&MemberRecord, Rejected> {
        let member = self.find_member(self.entry.signer()).filter(|member| member.active);
        member.filter(|member| roles.contains(&member.role)).ok_or(Rejected::NotAllowed)
    }

    /// The signer speaks for the institution.
    fn by_institution(&self) -> Result<&AuthorityRecord, Rejected> {
        self.find_authority().filter(|authority| authority.key == *self.entry.signer()).ok_or(Rejected::NotAllowed)
    }
}

/// Whether a word is no older than the last one on the same matter: entries that name none before them could otherwise
/// be held back, or written a second time, to bring back what was ended.
fn follows(last: Timestamp, time: Timestamp) -> Result<(), Rejected> {
    if time >= last { Ok(()) } else { Err(Rejected::Time) }
}
