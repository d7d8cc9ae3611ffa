//! The journal folded: what is true now. Pure; the same events always give the same story.

use crate::event::{Ask, Connection, Direction, Event, Membership};
use crate::journal::Row;
use bridge::{RecordView, Recorded};
use consent::{ConsentState, Move, StudyId, StudyRequest, Timestamp, advance};
use identity::Credential;
use ledger::{Entry, EntryHash};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A signed entry on its way into the record.
#[derive(Debug, Clone)]
pub struct Sending {
    /// The entry.
    pub entry: Entry,
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
}

impl Sending {
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

/// The participant's answer to a study.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The request as it was when the person answered: what was seen stays what is shown, whatever the biobank
    /// lists today.
    pub request: StudyRequest,
    /// Where the consent stands.
    pub state: ConsentState,
    /// When it got there.
    pub at: Timestamp,
    /// The credential by which it was given last.
    pub credential: Option<Credential>,
    /// The entry by which it was given last.
    pub grant: Option<EntryHash>,
    /// The latest entry of this subject.
    pub latest: Option<EntryHash>,
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
    /// The signed texts behind `studies`.
    pub signed_studies: Vec<String>,
    /// The answers.
    pub answers: BTreeMap<StudyId, Answer>,
    /// The entries, in the order in which they were signed.
    pub sending: Vec<Sending>,
    /// The latest checkpoint that was trusted.
    pub checkpoint: Option<String>,
    /// The alarm.
    pub forked: bool,
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
                self.studies = requests.iter().filter_map(|jws| crate::studies::read_checked(jws)).collect();
            }
            Event::Refused { study } => self.answer(study, Move::Refuse, row.at),
            Event::Deferred { study } => self.answer(study, Move::Defer, row.at),
            Event::AskedAgain { study } => self.answer(study, Move::Ask, row.at),
            Event::Signed { study, direction, entry, credential } => {
                self.signed(study, *direction, entry, credential.as_ref(), row.at);
            }
            Event::Sent { entry } => {
                self.with(entry, |sending| {
                    sending.sent = true;
                    sending.failure = None;
                });
            }
            Event::SendFailed { entry, failure } => self.with(entry, |sending| sending.failure = Some(failure.clone())),
            Event::Recorded { entry, index, receipt } => {
                let recorded = Recorded { index: *index, hash: entry.to_string(), checked: row.at };
                self.with(entry, |sending| {
                    sending.sent = true;
                    sending.recorded = Some(recorded);
                    sending.receipt = Some(receipt.clone());
                });
            }
            Event::CheckpointSeen { note } => self.checkpoint = Some(note.clone()),
            Event::LogForked { .. } => self.forked = true,
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
            | Event::Invited { .. }
            | Event::Checked { .. }
            | Event::Failed { .. } => {}
        }
        // Checkpoints come with every donor's entry; the newest is kept above, and none is shown.
        if !matches!(row.event, Event::CheckpointSeen { .. }) {
            self.rows.push(row);
        }
    }

    /// Where a study's consent stands; a study that was never answered is requested.
    pub fn state(&self, study: &StudyId) -> ConsentState {
        self.answers.get(study).map_or(ConsentState::Requested, |answer| answer.state)
    }

    /// The entry with this hash.
    pub fn find(&self, entry: &EntryHash) -> Option<&Sending> {
        self.sending.iter().find(|sending| sending.entry.hash() == *entry)
    }

    /// Studies that wait for an answer, those said "later" to last.
    pub fn waiting(&self) -> Vec<&StudyRequest> {
        let with = |state| self.studies.values().filter(move |study| self.state(&study.id) == state);
        with(ConsentState::Requested).chain(with(ConsentState::Deferred)).collect()
    }

    /// Questions for proof that a participant can still answer.
    pub fn open_asks(&self) -> impl Iterator<Item = &Ask> {
        self.asks
            .iter()
            .filter(|ask| !self.answered.contains(&ask.id) && self.state(&ask.study) == ConsentState::Active)
    }

    fn answer(&mut self, study: &StudyId, step: Move, at: Timestamp) {
        // The deed checked the move before it wrote the event; an event that does not fit changes nothing.
        let Ok(state) = advance(self.state(study), step) else { return };
        let answer = match (self.answers.remove(study), self.studies.get(study)) {
            // Taking back changes nothing of what was agreed; every other answer is to the request of today.
            (Some(answer), Some(request)) if step != Move::Withdraw => {
                Answer { state, at, request: request.clone(), ..answer }
            }
            (Some(answer), _) => Answer { state, at, ..answer },
            (None, Some(request)) => {
                Answer { request: request.clone(), state, at, credential: None, grant: None, latest: None }
            }
            (None, None) => return,
        };
        self.answers.insert(study.clone(), answer);
    }

    fn signed(
        &mut self,
        study: &StudyId,
        direction: Direction,
        entry: &str,
        credential: Option<&Credential>,
        at: Timestamp,
    ) {
        let Ok(entry) = Entry::parse(entry.as_bytes()) else { return };
        let hash = entry.hash();
        self.answer(study, if direction == Direction::Grant { Move::Give } else { Move::Withdraw }, at);
        if let Some(answer) = self.answers.get_mut(study) {
            answer.latest = Some(hash);
            if direction == Direction::Grant {
                answer.grant = Some(hash);
                answer.credential = credential.cloned();
            }
        }
        let (study, signed) = (study.clone(), at);
        self.sending.push(Sending { entry, study, signed, sent: false, recorded: None, receipt: None, failure: None });
    }

    fn with(&mut self, entry: &EntryHash, change: impl FnOnce(&mut Sending)) {
        if let Some(sending) = self.sending.iter_mut().find(|sending| sending.entry.hash() == *entry) {
            change(sending);
        }
    }
}
