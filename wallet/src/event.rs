//! What the journal holds: one event a step, failed steps too.

use crate::statement::Statement;
use bridge::{Failure, QuorumView, Recorded};
use consent::{Choices, Outcome, Purpose, StudyId, Timestamp, Withdrawal};
use identity::{Credential, Did};
use ledger::{Act, EntryHash, Hash};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The biobank, its address and the log that it keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Where `biobankd` answers.
    pub address: String,
    /// The biobank's DID: the name that it was founded with.
    pub biobank: Did,
    /// The key by which it speaks, once that is another than its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<Did>,
    /// Its name.
    pub name: String,
    /// The log's verifier key (C2SP signed-note), as the biobank's DID signed it.
    pub vkey: String,
    /// The keys that the log had before, the oldest first: older receipts bear their signatures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<String>,
    /// Which other institutions must have signed a checkpoint (C2SP tlog-policy), as the biobank's DID signed it when
    /// this profile connected. It stays: a biobank can not talk a wallet into fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

impl Connection {
    /// The key by which the biobank speaks.
    pub fn speaker(&self) -> &Did {
        self.speaker.as_ref().unwrap_or(&self.biobank)
    }
}

/// A researcher's or staff member's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The organisation's identifier.
    pub organisation: String,
    /// Its name.
    pub organisation_name: String,
    /// The biobank's signature under both and the profile's DID.
    pub statement: String,
}

/// A question for proof, as it came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Its id.
    pub id: String,
    /// The researcher's DID, where the answer goes.
    pub from: Did,
    /// The study.
    pub study: StudyId,
    /// Who asks.
    pub organisation_name: String,
    /// What the proof must carry, so that it is fresh.
    pub challenge: String,
    /// What for.
    pub purpose: Purpose,
    /// When.
    pub asked: Timestamp,
}

/// What an entry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// Gives consent.
    Grant,
    /// Puts another version in its place.
    Change,
    /// Pauses it.
    Suspend,
    /// Ends the pause.
    Resume,
    /// Takes it back, as far as use goes.
    Withdraw,
    /// Takes it back, as far as contact goes.
    NoContact,
    /// Takes it back, as far as new data go.
    NoAccess,
}

impl Direction {
    /// What an act does.
    pub fn of(act: &Act) -> Self {
        match act {
            Act::Grant(_) => Self::Grant,
            Act::Change(_) => Self::Change,
            Act::Suspend { .. } => Self::Suspend,
            Act::Resume => Self::Resume,
            Act::Withdraw { level: Withdrawal::NoContact } => Self::NoContact,
            Act::Withdraw { level: Withdrawal::NoAccess } => Self::NoAccess,
            Act::Withdraw { .. } => Self::Withdraw,
        }
    }

    /// The id of its sentence in the activity, and of that in a consent's history.
    pub fn messages(self) -> (&'static str, &'static str) {
        match self {
            Self::Grant => ("activity-granted", "history-granted"),
            Self::Change => ("activity-changed", "history-changed"),
            Self::Suspend => ("activity-paused", "history-paused"),
            Self::Resume => ("activity-resumed", "history-resumed"),
            Self::Withdraw => ("activity-withdrew", "history-withdrew"),
            Self::NoContact => ("activity-no-contact", "history-no-contact"),
            Self::NoAccess => ("activity-no-access", "history-no-access"),
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Event {
    /// The profile was made.
    ProfileCreated,
    /// The participant joined a biobank.
    Joined {
        /// Which.
        connection: Connection,
        /// The enrolment credential, checked.
        credential: Credential,
    },
    /// Joining did not work.
    JoinFailed {
        /// Why.
        failure: Failure,
    },
    /// A staff or researcher profile was connected.
    Connected {
        /// To which biobank.
        connection: Connection,
        /// As whom.
        membership: Membership,
    },
    /// The biobank's list of studies changed; each is signed and was checked.
    StudiesRead {
        /// The signed requests.
        requests: Vec<String>,
    },
    /// The participant said no.
    Refused {
        /// To which study.
        study: StudyId,
    },
    /// The participant decides later.
    Deferred {
        /// On which study.
        study: StudyId,
    },
    /// The participant wants to answer anew, after a no or a withdrawal.
    AskedAgain {
        /// Which study.
        study: StudyId,
    },
    /// An entry was signed. From here on it is sent until it is recorded.
    Signed {
        /// For which study.
        study: StudyId,
        /// What it does.
        direction: Direction,
        /// The signed entry.
        entry: String,
        /// The consent credential, where one was issued.
        credential: Option<Credential>,
        /// The text that was shown and signed.
        #[serde(default)]
        statement: Option<Statement>,
    },
    /// The biobank has the entry.
    Sent {
        /// Which.
        entry: EntryHash,
    },
    /// Sending did not work this time.
    SendFailed {
        /// Which entry.
        entry: EntryHash,
        /// Why.
        failure: Failure,
    },
    /// The receipt of an entry checked on this machine.
    Recorded {
        /// Which entry.
        entry: EntryHash,
        /// Its place.
        index: u64,
        /// The receipt (C2SP tlog-proof).
        receipt: String,
        /// What the other institutions did about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quorum: Option<QuorumView>,
    },
    /// The biobank was handed the credential of an entry.
    HandedOver {
        /// Which entry.
        entry: EntryHash,
        /// Whether it took it. If not, it never will.
        taken: bool,
    },
    /// A checkpoint that is consistent with the one before.
    CheckpointSeen {
        /// The signed note.
        note: String,
    },
    /// The log has another key. The former key and the biobank both said so.
    LogKeyChanged {
        /// The entry that names it.
        entry: EntryHash,
        /// The new key (C2SP signed-note).
        vkey: String,
    },
    /// The biobank speaks by another key. Its former key said so, in the log.
    BiobankKeyChanged {
        /// The entry that names it.
        entry: EntryHash,
        /// The new key.
        speaker: Did,
    },
    /// The biobank's word for who this is, under its key of today.
    AccountRenewed {
        /// The signed word.
        statement: String,
    },
    /// The log went back or forked. Both checkpoints are the evidence.
    LogForked {
        /// The one that was trusted.
        trusted: String,
        /// The one that does not follow from it.
        seen: String,
        /// The proof that it does not, if there is one.
        #[serde(default)]
        proof: Vec<Hash>,
    },
    /// The log that had become shorter moved on, and still has less than was trusted.
    StillShorter {
        /// The signed note.
        note: String,
    },
    /// The log that had become shorter is whole again: it begins with all that was ever seen of it.
    LogReturned,
    /// The participant saved standing choices.
    ChoicesSaved {
        /// What was chosen.
        choices: Choices,
    },
    /// A receipt was written to a file.
    ReceiptSaved {
        /// Of which study's consent.
        study: StudyId,
    },
    /// A proof was written to a file.
    ProofSaved {
        /// Of which study's consent.
        study: StudyId,
    },
    /// A researcher asks for proof.
    AskReceived {
        /// The question.
        ask: Ask,
    },
    /// The participant answered a question.
    AskAnswered {
        /// Which.
        id: String,
        /// With proof or with no.
        shared: bool,
    },
    /// The participant showed a consent in answer to a request of OpenID4VP.
    Presented {
        /// Of which study.
        study: StudyId,
        /// To whom.
        to: String,
    },
    /// The participant kept what such a request asked for.
    NotPresented {
        /// Who asked.
        to: String,
    },
    /// Staff invited a donor.
    Invited {
        /// The donor's number.
        donor: String,
    },
    /// A researcher checked a proof.
    Checked {
        /// The answer, if there was one.
        outcome: Option<Outcome>,
        /// The study, if the proof told.
        study: Option<StudyId>,
        /// The entry that was looked at.
        record: Option<Recorded>,
    },
    /// A researcher asked a study's donors for proof.
    Asked {
        /// The question.
        ask: Ask,
        /// How many were asked.
        sent: u32,
    },
    /// A donor answered a question with proof.
    AnswerReceived {
        /// Which question.
        id: String,
        /// The proof as it came.
        proof: Value,
    },
    /// A step did not work.
    Failed {
        /// Which command.
        command: String,
        /// Why.
        failure: Failure,
    },
}

impl Event {
    /// The stop points just before and just after this event is durable.
    pub(crate) fn stop_name(&self) -> (&'static str, &'static str) {
        match self {
            Self::Signed { .. } => ("before-signed", "after-signed"),
            Self::Sent { .. } => ("before-sent", "after-sent"),
            Self::Recorded { .. } => ("before-recorded", "after-recorded"),
            _ => ("", ""),
        }
    }
}
