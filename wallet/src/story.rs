//! The journal folded: what is true now. Pure; the same events always give the same story.

use crate::alarm::Alarm;
use crate::event::{Ask, Connection, Direction, Event, Membership};
use crate::journal::Row;
use crate::statement::Statement;
use bridge::{RecordView, Recorded};
use consent::{Choices, ConsentState, Date, Life, Move, Step, StudyId, StudyRequest, Timestamp};
use identity::Credential;
use ledger::{ConsentEntry, EntryHash};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A signed entry on its way into the record.
#[derive(Debug, Clone)]
pub struct Sending {
    /// The entry.
    pub entry: ConsentEntry,
    /// For which study.
    pub study: StudyId,
    /// When it was signed.
    pub signed: Timestamp,
    /// Whether the biobank has it.
    pub sent: bool,
    /// Its place, once a receipt checked.
    pub recorded: Option<Recorded>,
    /// The receipt.
    pub receipt: Option<String>,
    /// Why the last try failed.
    pub failure: Option<bridge::Failure>,
    /// Whether the biobank took a withdrawal of the same study while this one was still refused: it is history then,
    /// and not sent again.
    pub overtaken: bool,
}

impl Sending {
    /// Whether it takes a consent back: that goes out whatever became of the entries before it.
    pub fn takes_back(&self) -> bool {
        matches!(self.entry.event().step(), Move::Withdraw(_))
    }

    /// Whether other institutions still have to sign for it.
    pub fn waits_for_others(&self) -> bool {
        self.recorded.as_ref().and_then(|it| it.quorum.as_ref()).is_some_and(|quorum| !quorum.reached)
    }

    /// Whether the biobank still has to take it.
    pub fn waits(&self) -> bool {
        !self.sent && !self.overtaken
    }

    /// Where the entry stands, for a screen.
    pub fn record(&self) -> RecordView {
        match (&self.recorded, self.sent) {
            (Some(recorded), _) => RecordView::Recorded(recorded.clone()),
            (None, true) => RecordView::Sent,
            (None, false) => match &self.failure {
                Some(failure) if failure.code != bridge::Code::Offline => RecordView::Refused,
                _ => RecordView::Saved,
            },
        }
    }
}

/// A signed step and the text under it.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The step.
    pub step: Step<EntryHash>,
    /// What it does.
    pub direction: Direction,
    /// The text that was shown.
    pub statement: Option<Statement>,
    /// The credential, where a version was signed.
    pub credential: Option<Credential>,
    /// The request as it was when the person signed.
    pub request: StudyRequest,
}

/// The participant's answer to a study.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The request as it was when the person answered: what was seen stays what is shown, whatever the biobank
    /// lists today.
    pub request: StudyRequest,
    /// The life of the consent.
    pub life: Life<EntryHash>,
    /// When the person last did something.
    pub at: Timestamp,
    /// The credential by which it was given or changed last.
    pub credential: Option<Credential>,
    /// The entry by which it was given or changed last.
    pub grant: Option<EntryHash>,
    /// Everything that was signed, oldest first.
    pub signed: Vec<Signed>,
}

impl Answer {
    /// Where the consent stands on a day.
    pub fn state(&self, day: Date) -> ConsentState {
        self.life.state_at(day)
    }
}

/// Everything that the journal says.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// The events that a screen can show, oldest first.
    pub rows: Vec<Row>,
    /// The biobank.
    pub connection: Option<Connection>,
    /// The place of staff and researchers.
    pub membership: Option<Membership>,
    /// The studies' requests, as the biobank signed them last.
    pub studies: BTreeMap<StudyId, StudyRequest>,
    /// The highest version of each study that was ever read.
    pub highest: BTreeMap<StudyId, u32>,
    /// The signed texts behind `studies`.
    pub signed_studies: Vec<String>,
    /// The answers.
    pub answers: BTreeMap<StudyId, Answer>,
    /// Standing choices, and when they were saved.
    pub choices: Option<(Choices, Timestamp)>,
    /// The entries, in the order in which they were signed.
    pub sending: Vec<Sending>,
    /// The latest checkpoint that was trusted.
    pub checkpoint: Option<String>,
    /// The alarm; it stays, unless the record only was shorter for a while.
    pub alarm: Option<Alarm>,
    /// Entries whose credential the biobank was handed, or will not take.
    pub handed_over: BTreeSet<EntryHash>,
    /// Signed entries that this version can not read.
    pub unreadable: u32,
    /// Questions that came (participant) or went (researcher).
    pub asks: Vec<Ask>,
    /// How many donors each question went to.
    pub asked: BTreeMap<String, u32>,
    /// Questions that are answered.
    pub answered: BTreeSet<String>,
    /// Proofs that came, by question.
    pub proofs: BTreeMap<String, Vec<Value>>,
}

impl Story {
    /// Adds one event.
    pub fn add(&mut self, row: Row) {
        match &row.event {
            Event::Joined { connection, .. } => self.connection = Some(connection.clone()),
            Event::Connected { connection, membership } => {
                self.connection = Some(connection.clone());
                self.membership = Some(membership.clone());
            }
            Event::StudiesRead { requests } => {
                self.signed_studies.clone_from(requests);
                self.studies = crate::studies::newest(requests);
                for (id, request) in &self.studies {
                    let highest = self.highest.entry(id.clone()).or_default();
                    *highest = request.version.max(*highest);
                }
            }
            Event::Refused { study } => self.answer(study, Move::Refuse, row.at),
            Event::Deferred { study } => self.answer(study, Move::Defer, row.at),
            Event::AskedAgain { study } => self.answer(study, Move::Ask, row.at),
            Event::Signed { study, direction, entry, credential, statement } => {
                self.signed(study, *direction, entry, credential.as_ref(), statement.as_ref(), row.at);
            }
            Event::ChoicesSaved { choices } => self.choices = Some((choices.clone(), row.at)),
            Event::Sent { entry } => {
                self.with(entry, |sending| {
                    sending.sent = true;
                    sending.failure = None;
                });
                self.overtake(entry);
            }
            Event::SendFailed { entry, failure } => self.with(entry, |sending| sending.failure = Some(failure.clone())),
            Event::Recorded { entry, index, receipt, quorum } => {
                let (hash, quorum) = (entry.to_string(), quorum.clone());
                let recorded = Recorded { index: *index, hash, checked: row.at, quorum };
                self.with(entry, |sending| {
                    sending.sent = true;
                    sending.recorded = Some(recorded);
                    sending.receipt = Some(receipt.clone());
                });
            }
            Event::HandedOver { entry, .. } => {
                self.handed_over.insert(*entry);
            }
            Event::CheckpointSeen { note } => self.checkpoint = Some(note.clone()),
            Event::LogKeyChanged { vkey, .. } => {
                if let Some(connection) = &mut self.connection {
                    let former = std::mem::replace(&mut connection.vkey, vkey.clone());
                    connection.former.push(former);
                }
            }
            Event::BiobankKeyChanged { speaker, .. } => {
                if let Some(connection) = &mut self.connection {
                    connection.speaker = Some(speaker.clone());
                }
            }
            Event::AccountRenewed { statement } => {
                if let Some(membership) = &mut self.membership {
                    membership.statement.clone_from(statement);
                }
            }
            Event::LogForked { trusted, seen, proof } => {
                let (trusted, seen, proof) = (trusted.clone(), seen.clone(), proof.clone());
                let alarm = Alarm { trusted, seen, proof, noticed: row.at, lasting: false };
                self.alarm = Some(alarm.after(self.alarm.take(), self.connection.as_ref()));
            }
            Event::StillShorter { note } => {
                if let Some(alarm) = &mut self.alarm {
                    alarm.seen.clone_from(note);
                }
            }
            Event::LogReturned => {
                self.alarm = None;
                // What the shorter log took need not be in this one. Sending it twice is harmless.
                self.sending.iter_mut().filter(|s| s.recorded.is_none()).for_each(|s| s.sent = false);
            }
            Event::AskReceived { ask } => self.asks.push(ask.clone()),
            Event::Asked { ask, sent } => {
                self.asks.push(ask.clone());
                self.asked.insert(ask.id.clone(), *sent);
            }
            Event::AskAnswered { id, .. } => {
                self.answered.insert(id.clone());
            }
            Event::AnswerReceived { id, proof } => self.proofs.entry(id.clone()).or_default().push(proof.clone()),
            Event::ProfileCreated
            | Event::JoinFailed { .. }
            | Event::ProofSaved { .. }
            | Event::ReceiptSaved { .. }
            | Event::Presented { .. }
            | Event::NotPresented { .. }
            | Event::Invited { .. }
            | Event::Checked { .. }
            | Event::Failed { .. } => {}
        }
        // Checkpoints come with every donor's entry; the newest is kept above, and none is shown.
        if !matches!(row.event, Event::CheckpointSeen { .. } | Event::StillShorter { .. }) {
            self.rows.push(row);
        }
    }

    /// Where a study's consent stands on a day; a study that was never answered is requested.
    pub fn state(&self, study: &StudyId, day: Date) -> ConsentState {
        self.answers.get(study).map_or(ConsentState::Requested, |answer| answer.state(day))
    }

    /// The entry with this hash.
    pub fn find(&self, entry: &EntryHash) -> Option<&Sending> {
        self.sending.iter().find(|sending| sending.entry.hash() == *entry)
    }

    /// Studies that wait for an answer, those said "later" to last.
    pub fn waiting(&self, day: Date) -> Vec<&StudyRequest> {
        let with = |state| self.studies.values().filter(move |study| self.state(&study.id, day) == state);
        with(ConsentState::Requested).chain(with(ConsentState::Deferred)).collect()
    }

    /// Questions for proof that a participant can still answer.
    pub fn open_asks(&self, day: Date) -> impl Iterator<Item = &Ask> {
        self.asks
            .iter()
            .filter(move |ask| !self.answered.contains(&ask.id) && self.state(&ask.study, day) == ConsentState::Active)
    }

    /// A step without an entry. The deed checked it before it wrote the event; one that does not fit changes nothing.
    fn answer(&mut self, study: &StudyId, step: Move, at: Timestamp) {
        let Some(mut answer) = self.answer_to(study, at) else { return };
        if answer.life.take(step, at.date()).is_ok() {
            // Every answer is to the request of today.
            answer.request = self.studies.get(study).cloned().unwrap_or(answer.request);
            answer.at = at;
            self.answers.insert(study.clone(), answer);
        }
    }

    fn answer_to(&self, study: &StudyId, at: Timestamp) -> Option<Answer> {
        let fresh = |request: &StudyRequest| Answer {
            request: request.clone(),
            life: Life::default(),
            at,
            credential: None,
            grant: None,
            signed: Vec::new(),
        };
        self.answers.get(study).cloned().or_else(|| self.studies.get(study).map(fresh))
    }

    fn signed(
        &mut self,
        study: &StudyId,
        direction: Direction,
        entry: &str,
        credential: Option<&Credential>,
        statement: Option<&Statement>,
        at: Timestamp,
    ) {
        let Ok(entry) = ConsentEntry::parse(entry.as_bytes()) else {
            self.unreadable += 1;
            return;
        };
        let (event, hash) = (entry.event(), entry.hash());
        let step = Step { id: hash, previous: event.previous, step: event.step(), at: event.time, day: event.until() };
        if let Some(mut answer) = self.answer_to(study, at)
            && answer.life.follow(&step).is_ok()
        {
            answer.at = at;
            if event.given().is_some() {
                // A consent is to the request of today; a change stays with the one that was signed.
                if direction == Direction::Grant {
                    answer.request = self.studies.get(study).cloned().unwrap_or(answer.request);
                }
                answer.grant = Some(hash);
                answer.credential = credential.cloned();
            }
            let (statement, credential) = (statement.cloned(), credential.cloned());
            let request = answer.request.clone();
            answer.signed.push(Signed { step, direction, statement, credential, request });
            self.answers.insert(study.clone(), answer);
        }
        let (study, signed) = (study.clone(), at);
        self.sending.push(Sending {
            entry,
            study,
            signed,
            sent: false,
            recorded: None,
            receipt: None,
            failure: None,
            overtaken: false,
        });
    }

    /// What was signed for a study before a withdrawal that the biobank took, and was refused, has no more to say.
    fn overtake(&mut self, entry: &EntryHash) {
        let Some(at) = self.sending.iter().position(|s| s.entry.hash() == *entry && s.takes_back()) else { return };
        let (before, rest) = self.sending.split_at_mut(at);
        before.iter_mut().filter(|s| s.study == rest[0].study && !s.sent).for_each(|s| s.overtaken = true);
    }

    fn with(&mut self, entry: &EntryHash, change: impl FnOnce(&mut Sending)) {
        if let Some(sending) = self.sending.iter_mut().find(|sending| sending.entry.hash() == *entry) {
            change(sending);
        }
    }
}
