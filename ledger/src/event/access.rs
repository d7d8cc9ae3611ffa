//! Access to what a study holds: asked for, decided, granted, used.

use super::Label;
use crate::hash::{EntryHash, Hash};
use consent::{Date, Outcome, StudyId, Timestamp};
use identity::Did;
use serde::{Deserialize, Serialize};

/// A researcher asks for access to what a study holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRequest {
    /// For which organisation.
    pub organisation: Label,
    /// The SHA-256 of the canonical JSON of the purpose.
    pub purpose: Hash,
    /// The study.
    pub study: StudyId,
    /// When.
    pub time: Timestamp,
    /// The version of the study that was read.
    pub version: u32,
}

/// The data access committee answers a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessDecision {
    /// Yes, no, or not yet.
    pub outcome: Outcome,
    /// The SHA-256 of the reasons as they were given to the researcher.
    pub reasons: Hash,
    /// The request, by its entry.
    pub request: EntryHash,
    /// When.
    pub time: Timestamp,
    /// The last day of a yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// The institution lets one key use data for one purpose, for an hour at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessGrant {
    /// The SHA-256 of the signed decision on which the grant rests.
    pub decision: Hash,
    /// When it ends.
    pub expires: Timestamp,
    /// To whom.
    pub holder: Did,
    /// The SHA-256 of the canonical JSON of the purpose.
    pub purpose: Hash,
    /// The request that a committee allowed, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<EntryHash>,
    /// When it begins.
    pub time: Timestamp,
}

/// Data were used under a grant. Which donors' they were only those donors can tell, with what the institution hands
/// to each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessUse {
    /// The grant, by its entry.
    pub grant: EntryHash,
    /// When.
    pub time: Timestamp,
    /// The commitment to the list of subjects.
    pub uses: Hash,
}
