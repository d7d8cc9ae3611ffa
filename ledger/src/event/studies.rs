//! Studies and policies, the sets of who consents, and the places where checkpoints are kept as well.

use super::Label;
use crate::hash::Hash;
use consent::{Date, StudyId, Timestamp};
use serde::{Deserialize, Serialize};

/// A version of a study is published, or a study opens or closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyVersion {
    /// Whether donors may join and researchers ask.
    pub open: bool,
    /// Who runs it.
    pub organisation: Label,
    /// The SHA-256 of the canonical JSON of the request that donors read.
    pub request: Hash,
    /// The study.
    pub study: StudyId,
    /// When.
    pub time: Timestamp,
    /// The version of its protocol.
    pub version: u32,
}

/// A version of a policy is published: rules of access, of retention, of the federation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyVersion {
    /// The SHA-256 of its text.
    pub document: Hash,
    /// Its name.
    pub policy: Label,
    /// When.
    pub time: Timestamp,
    /// Its version.
    pub version: u32,
}

/// The set of study pseudonyms with a live consent for a purpose on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The day.
    pub epoch: Date,
    /// The public key under which the pseudonyms were made (C2SP vrf-r255).
    pub key: Hash,
    /// The SHA-256 of the canonical JSON of the purpose.
    pub purpose: Hash,
    /// The root over the set.
    pub root: Hash,
    /// How many leaves it has, with those that hide the true count.
    pub size: u64,
    /// The study.
    pub study: StudyId,
    /// When.
    pub time: Timestamp,
}

/// A checkpoint of this log was written down somewhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// What kind of place, as a code.
    pub kind: Label,
    /// Where to find it there.
    pub reference: Label,
    /// The root of the checkpoint.
    pub root: Hash,
    /// Its size.
    pub size: u64,
    /// When.
    pub time: Timestamp,
}
