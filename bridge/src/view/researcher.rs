//! What a researcher sees.

use crate::view::Recorded;
use consent::{DataKind, Message, Outcome, Purpose, StudyId, Timestamp};
use serde::{Deserialize, Serialize};

/// The studies of a biobank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Studies {
    /// The researcher's organisation.
    pub organisation: String,
    /// The studies of this organisation.
    pub studies: Vec<StudyCard>,
}

/// A study and the purpose that it stated when it was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StudyCard {
    /// The study.
    pub study: StudyId,
    /// Its name.
    pub title: String,
    /// A purpose to start from; the researcher changes it.
    pub purpose: Purpose,
}

/// The answer to a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckView {
    /// Permit, review or deny; nothing if the proof itself is not valid or could not be checked.
    pub outcome: Option<Outcome>,
    /// Every reason, the strictest first.
    pub reasons: Vec<ReasonView>,
    /// What the user of the data owes.
    pub duties: Vec<String>,
    /// Every check that was made, in order.
    pub checks: Vec<CheckRow>,
    /// The study, if the proof says which.
    pub study: Option<StudyId>,
    /// The kinds of data that the consent covers.
    pub data: Vec<DataKind>,
    /// Who signed (DID).
    pub signer: Option<String>,
    /// The entry by which the consent was given.
    pub given: Option<Recorded>,
    /// The entry by which it was withdrawn.
    pub withdrawn: Option<Recorded>,
    /// How fresh: when the record was read and verified from end to end.
    pub live_at: Option<Timestamp>,
    /// How many entries the record had then.
    pub log_size: Option<u64>,
}

/// One comparison and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReasonView {
    /// What this reason alone would answer.
    pub outcome: Outcome,
    /// The sentence.
    pub message: Message,
    /// The clause of the policy.
    pub policy: String,
    /// The clause of the purpose.
    pub purpose: String,
}

/// One named check and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckRow {
    /// Which check (`check-…`).
    pub name: String,
    /// Passed, failed or not made.
    pub result: CheckResult,
    /// Evidence or reason, for the disclosure.
    pub detail: String,
}

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckResult {
    /// It held.
    Passed,
    /// It did not hold.
    Failed,
    /// It could not be made.
    NotMade,
}

/// Questions for proof and what came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asks {
    /// Latest first.
    pub asks: Vec<AskRow>,
}

/// One question and its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskRow {
    /// Which question.
    pub id: String,
    /// The study.
    pub study: StudyId,
    /// Its name.
    pub title: String,
    /// When it was asked.
    pub asked: Timestamp,
    /// How many donors were asked.
    pub sent: u32,
    /// The answers, each checked again just now.
    pub answers: Vec<CheckView>,
}
