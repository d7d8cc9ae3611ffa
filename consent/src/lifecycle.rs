//! The life of a consent: states, moves, and the fold of signed steps.
//!
//! A scope (a donor and a study) has one life. Each consent that is given in it is a version; at most one version is
//! the head. Nothing here needs anybody to be online: what ends by a date has ended on that date.

use crate::vocabulary::{OWN, Vocabulary, by_id};
use crate::{Date, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A list of words with a code each, as a vocabulary.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$term_doc:meta])* $term:ident = $code:literal $(, $other:literal)*;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$term_doc])* $term,)* }

        impl Vocabulary for $name {
            const ALL: &'static [Self] = &[$(Self::$term,)*];

            fn code(self) -> &'static str {
                match self { $(Self::$term => $code,)* }
            }

            fn id(self) -> &'static str {
                match self { $(Self::$term => concat!("https://w3id.org/consent-wallet/v1#", $code),)* }
            }

            fn read(text: &str) -> Option<Self> {
                match text {
                    $($code $(| $other)* => Some(Self::$term),)*
                    _ if text.starts_with(OWN) => by_id(text),
                    _ => None,
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::read(&text).ok_or_else(|| de::Error::custom(concat!("not a known ", stringify!($name))))
            }
        }
    };
}

words! {
    /// Where a consent stands. The names in brackets are those of the Data Privacy Vocabulary (DPV 2).
    ConsentState {
        /// Asked, not answered (`ConsentRequested`).
        Requested = "requested";
        /// "Decide later" (`ConsentRequestDeferred`).
        Deferred = "deferred";
        /// Answered with no (`ConsentRefused`).
        Refused = "refused";
        /// Given, and valid for use (`ConsentGiven`).
        Active = "active";
        /// Paused by the donor, until a day or until the donor says so. DPV has no word for it.
        Suspended = "suspended";
        /// Replaced by a later version (`RenewedConsentGiven` on the successor).
        Superseded = "superseded";
        /// Over by its date, or never answered in time (`ConsentExpired`).
        Expired = "expired";
        /// Taken back as far as contact goes; use goes on as consented.
        NoContact = "withdrawnNoContact", "noContact";
        /// Taken back for everything new; what is there may be used as consented.
        NoAccess = "withdrawnNoAccess", "noAccess";
        /// Taken back: no further use (`ConsentWithdrawn`).
        Withdrawn = "withdrawn", "noUse", "withdrawnNoUse";
        /// Taken back, and the sample is to be destroyed.
        DestroySample = "withdrawnDestroySample", "destroySample", "destroy";
        /// Ended by the biobank, an ethics board or a court (`ConsentRevoked`).
        Revoked = "revoked";
        /// Never valid, or not any more: fraud, lost capacity, majority without confirmation (`ConsentInvalidated`).
        Invalidated = "invalidated";
    }
}

words! {
    /// How far a donor takes a consent back. Each level holds all of those before it; nobody goes back a level.
    Withdrawal {
        /// Nobody calls or writes any more. Use goes on.
        NoContact = "noContact";
        /// Nothing new is collected. What is there may be used.
        NoAccess = "noAccess";
        /// No further use.
        NoUse = "noUse";
        /// No further use, and what is left of the sample is destroyed.
        DestroySample = "destroySample", "destroy";
    }
}

impl Withdrawal {
    /// The state at this level.
    pub fn state(self) -> ConsentState {
        match self {
            Self::NoContact => ConsentState::NoContact,
            Self::NoAccess => ConsentState::NoAccess,
            Self::NoUse => ConsentState::Withdrawn,
            Self::DestroySample => ConsentState::DestroySample,
        }
    }
}

impl ConsentState {
    /// How far the consent is taken back, if it is.
    pub fn withdrawal(self) -> Option<Withdrawal> {
        Withdrawal::ALL.iter().copied().find(|level| level.state() == self)
    }

    /// Whether data may still be used under the consent, if only those that are there already.
    pub fn allows_use(self) -> bool {
        matches!(self, Self::Active | Self::NoContact | Self::NoAccess)
    }

    /// Whether the donor has an answer to give: nothing stands and nothing was said.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Deferred)
    }
}

/// A step in the life of a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Move {
    /// A study asks (again): a new request, or a new version of the protocol.
    Ask,
    /// The donor wants to decide later.
    Defer,
    /// The donor says no.
    Refuse,
    /// A request was not answered in time.
    Lapse,
    /// The donor says yes.
    Give,
    /// The donor signs a new version: modified, extended or renewed. The one before is superseded.
    Change,
    /// The donor pauses it.
    Suspend,
    /// The donor lets it go on.
    Resume,
    /// The last day is over.
    Expire,
    /// The donor takes it back, to a level.
    Withdraw(Withdrawal),
    /// Biobank, ethics board or court end it.
    Revoke,
    /// It turns out not to be valid.
    Invalidate,
}

impl Move {
    /// Whether it ends something, for good or for a time.
    fn is_end(self) -> bool {
        matches!(self, Self::Withdraw(_) | Self::Suspend | Self::Revoke | Self::Invalidate)
    }

    /// Whether it is about a request, and leaves the consents of before as they ended.
    fn is_answer(self) -> bool {
        matches!(self, Self::Ask | Self::Defer | Self::Refuse | Self::Lapse)
    }
}

/// A move that the life cycle does not know from this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImpossibleMove {
    /// Where the consent stands.
    pub from: ConsentState,
    /// What was tried.
    pub step: Move,
}

impl ImpossibleMove {
    /// Why, as a code.
    pub fn reason(self) -> &'static str {
        use ConsentState as S;
        match (self.from, self.step) {
            (from, Move::Withdraw(_)) if from.withdrawal().is_some() => "a withdrawal can only become stronger",
            (S::Suspended | S::Expired | S::Revoked | S::Invalidated, Move::Withdraw(_)) => {
                "nothing may be used now, and this level would allow use"
            }
            (from, Move::Give) if from.allows_use() || from == S::Suspended => "consent is already given",
            (from, Move::Ask) if from.allows_use() => "use still goes on; take all of it back first",
            (from, _) if from.withdrawal().is_some() => "the consent is withdrawn",
            (S::Superseded, _) => "a later version took its place",
            (S::Expired | S::Revoked | S::Invalidated | S::Refused, _) => "it must be asked for again first",
            (S::Requested | S::Deferred, _) => "no consent was given yet",
            (S::Suspended, _) => "the consent is paused",
            _ => "the consent is not in a state for it",
        }
    }
}

impl fmt::Display for ImpossibleMove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, step) = (self.from.code(), self.step);
        write!(f, "a consent that is {from} can not take the step {step:?}: {}", self.reason())
    }
}

impl std::error::Error for ImpossibleMove {}

/// The state after a move.
pub fn advance(from: ConsentState, step: Move) -> Result<ConsentState, ImpossibleMove> {
    use ConsentState::{Active, Deferred, Expired, Invalidated, Refused, Requested, Revoked, Suspended};
    match (from, step) {
        (Requested, Move::Defer) => Ok(Deferred),
        (Requested | Deferred, Move::Refuse) => Ok(Refused),
        (Requested | Deferred, Move::Lapse) => Ok(Expired),
        (Requested | Deferred, Move::Give) => Ok(Active),
        (Active, Move::Change) => Ok(Active),
        (Active, Move::Suspend) => Ok(Suspended),
        (Suspended, Move::Resume) => Ok(Active),
        (Active | Suspended, Move::Expire) => Ok(Expired),
        (Active, Move::Withdraw(level)) => Ok(level.state()),
        // Where nothing may be used, taking back must not open anything: only the levels that end use are left. Also
        // after the last day a person can have what is left of a sample destroyed.
        (Suspended | Expired | Revoked | Invalidated, Move::Withdraw(level)) if !level.state().allows_use() => {
            Ok(level.state())
        }
        (from, Move::Withdraw(level)) if from.withdrawal().is_some_and(|now| level > now) => Ok(level.state()),
        // Also while only contact or collecting was taken back, an ethics board must be able to end the use.
        (from, Move::Revoke) if from.allows_use() || from == Suspended => Ok(Revoked),
        (from, Move::Invalidate) if from.allows_use() || from == Suspended => Ok(Invalidated),
        // What was taken back stays so. A study that asks anew begins a new consent.
        (Refused | Expired | Revoked | Invalidated, Move::Ask) => Ok(Requested),
        // While use goes on, at a mild level, the way out is a stronger level: a new question must not hide it.
        (from, Move::Ask) if from.withdrawal().is_some() && !from.allows_use() => Ok(Requested),
        _ => Err(ImpossibleMove { from, step }),
    }
}

/// A signed step: an entry of the record, or of a wallet's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<Id> {
    /// The name of the entry: its hash.
    pub id: Id,
    /// The entry that it follows in its scope.
    pub previous: Option<Id>,
    /// What was done.
    pub step: Move,
    /// When it was signed.
    pub at: Timestamp,
    /// The last day of a consent or of a pause, if it has one.
    pub day: Option<Date>,
}

/// One consent of a life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version<Id> {
    /// The entry by which it was given.
    pub id: Id,
    /// When.
    pub at: Timestamp,
    /// Its last day, if it has one.
    pub until: Option<Date>,
    /// What it became. The head has the state of the life.
    pub state: ConsentState,
}

/// Where a life stands, with the dates that can change it without anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Standing {
    /// The state that was last written down. What dates have changed since is in [`Standing::at`].
    #[serde(rename = "state")]
    pub written: ConsentState,
    /// The last day of the consent, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// The last day of the pause, if the consent is paused and the pause has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Date>,
}

impl Default for Standing {
    fn default() -> Self {
        Self { written: ConsentState::Requested, until: None, paused_until: None }
    }
}

impl Standing {
    /// The state on a day: a consent ends with its last day, a pause with its own.
    pub fn at(self, day: Date) -> ConsentState {
        let standing = self.written.allows_use() || self.written == ConsentState::Suspended;
        if standing && self.until.is_some_and(|until| day > until) {
            return ConsentState::Expired;
        }
        if self.written == ConsentState::Suspended && self.paused_until.is_some_and(|last| day > last) {
            return ConsentState::Active;
        }
        self.written
    }

    /// Where it stands after a step on a day. `last` is the last day of a consent that is given, or of a pause.
    pub fn after(self, step: Move, on: Date, last: Option<Date>) -> Result<Self, ImpossibleMove> {
        let mut from = self.at(on);
        match step {
            // Who gives consent anew has been asked anew.
            Move::Give => from = advance(from, Move::Ask).unwrap_or(from),
            // Writes down what the date has done already.
            Move::Expire => from = self.written,
            _ => {}
        }
        let written = advance(from, step)?;
        let until = if matches!(step, Move::Give | Move::Change) { last } else { self.until };
        Ok(Self { written, until, paused_until: last.filter(|_| step == Move::Suspend) })
    }
}

/// The life of the consents of one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life<Id> {
    standing: Standing,
    versions: Vec<Version<Id>>,
    latest: Option<Id>,
}

impl<Id> Default for Life<Id> {
    fn default() -> Self {
        Self { standing: Standing::default(), versions: Vec::new(), latest: None }
    }
}

impl<Id: Clone + PartialEq> Life<Id> {
    /// Where it stands.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// The state on a day.
    pub fn state_at(&self, day: Date) -> ConsentState {
        self.standing.at(day)
    }

    /// All versions, oldest first; the last is the head.
    pub fn versions(&self) -> &[Version<Id>] {
        &self.versions
    }

    /// The entry that the next one must follow.
    pub fn latest(&self) -> Option<&Id> {
        self.latest.as_ref()
    }

    /// Takes a step that leaves no entry: asking, deferring, refusing.
    pub fn take(&mut self, step: Move, on: Date) -> Result<(), ImpossibleMove> {
        self.close_head(on);
        self.standing = self.standing.after(step, on, None)?;
        Ok(())
    }

    /// Takes a signed step. Whether it follows the latest one is for the caller to say: a log refuses what does not,
    /// [`fold`] lets only what ends something pass.
    pub fn follow(&mut self, step: &Step<Id>) -> Result<(), ImpossibleMove> {
        let on = step.at.date();
        let after = self.standing.after(step.step, on, step.day)?;
        self.close_head(on);
        if matches!(step.step, Move::Give | Move::Change) {
            // Suspended is written there still when the pause has ended by itself.
            let stands = |head: &&mut Version<Id>| matches!(head.state, ConsentState::Active | ConsentState::Suspended);
            if let Some(head) = self.versions.last_mut().filter(stands) {
                head.state = ConsentState::Superseded;
            }
            let (id, at, until) = (step.id.clone(), step.at, step.day);
            self.versions.push(Version { id, at, until, state: after.written });
        } else if let Some(head) = self.versions.last_mut().filter(|_| !step.step.is_answer()) {
            head.state = after.written;
        }
        self.standing = after;
        self.latest = Some(step.id.clone());
        Ok(())
    }

    /// Takes a pause that was signed while another one, which its signer had not seen, held already: the longer counts.
    fn pause_as_well(&mut self, step: &Step<Id>) {
        let paused_until = self.standing.paused_until.zip(step.day).map(|(one, other)| one.max(other));
        self.standing.paused_until = paused_until;
        self.latest = Some(step.id.clone());
    }

    /// What ended by its date has ended, whatever comes next.
    fn close_head(&mut self, on: Date) {
        if self.standing.at(on) == ConsentState::Expired
            && let Some(head) = self.versions.last_mut()
            && matches!(head.state, ConsentState::Active | ConsentState::Suspended)
        {
            head.state = ConsentState::Expired;
        }
    }
}

/// A step that was passed over, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver<Id> {
    /// Which.
    pub id: Id,
    /// Why.
    pub why: Passed,
}

/// Why a step was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Passed {
    /// The life cycle does not know it from there.
    Impossible(ImpossibleMove),
    /// It follows an entry that is not the latest, and would allow something: whoever signed it had not seen
    /// everything.
    NotLatest,
    /// The entry that it follows is not there. One that ends something counts nevertheless.
    Unlinked,
    /// The same entry a second time.
    Repeated,
}

/// Folds the steps of one scope, in whatever order they arrived: the links between them say what came first, and
/// where they leave it open (two devices, both offline) the moment and then the name of the entry.
///
/// A step that ends or narrows counts wherever it stands: a withdrawal closes every consent of its scope, also one
/// that was given beside it. A step that allows something counts only if it follows the latest entry.
pub fn fold<Id: Clone + Ord>(steps: impl IntoIterator<Item = Step<Id>>) -> (Life<Id>, Vec<PassedOver<Id>>) {
    let mut passed = Vec::new();
    let mut by_id: BTreeMap<Id, Step<Id>> = BTreeMap::new();
    for step in steps {
        match by_id.get(&step.id) {
            Some(_) => passed.push(PassedOver { id: step.id, why: Passed::Repeated }),
            None => {
                by_id.insert(step.id.clone(), step);
            }
        }
    }
    let mut waiting: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
    let mut ready: BTreeSet<(Timestamp, Id)> = BTreeSet::new();
    for step in by_id.values() {
        match &step.previous {
            None => {
                ready.insert((step.at, step.id.clone()));
            }
            Some(previous) => waiting.entry(previous.clone()).or_default().push(step.id.clone()),
        }
    }
    let mut life = Life::default();
    while let Some((_, id)) = ready.pop_first() {
        let Some(step) = by_id.remove(&id) else { continue };
        let (ends, now) = (step.step.is_end(), life.state_at(step.at.date()));
        let latest = step.previous.as_ref() == life.latest();
        if !latest && step.step == Move::Suspend && now == ConsentState::Suspended {
            life.pause_as_well(&step);
        } else if !latest && !ends {
            passed.push(PassedOver { id: id.clone(), why: Passed::NotLatest });
        } else if let Err(error) = life.follow(&step) {
            passed.push(PassedOver { id: id.clone(), why: Passed::Impossible(error) });
        }
        for next in waiting.remove(&id).into_iter().flatten() {
            if let Some(step) = by_id.get(&next) {
                ready.insert((step.at, next));
            }
        }
    }
    // What they follow is missing, and may have been anything: what allows something is passed over, what ends
    // something is not. A withdrawal waits for nothing.
    let mut ends: Vec<&Step<Id>> = by_id.values().filter(|step| step.step.is_end()).collect();
    ends.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    for step in ends {
        if step.step == Move::Suspend && life.state_at(step.at.date()) == ConsentState::Suspended {
            life.pause_as_well(step);
        } else {
            // One that has nothing to end is passed over like the others.
            life.follow(step).ok();
        }
    }
    passed.extend(by_id.into_keys().map(|id| PassedOver { id, why: Passed::Unlinked }));
    (life, passed)
}
