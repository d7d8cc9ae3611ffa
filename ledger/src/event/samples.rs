//! The life of samples.

use super::Label;
use crate::hash::{EntryHash, Hash};
use consent::Timestamp;
use serde::{Deserialize, Serialize};

/// A step in the life of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleEvent {
    /// The sample that this one was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Hash>,
    /// Where it is, as a code of the institution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Label>,
    /// The latest entry of the same sample; none for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<EntryHash>,
    /// The commitment to the sample's number.
    pub sample: Hash,
    /// What happened.
    pub step: SampleStep,
    /// When.
    pub time: Timestamp,
}

/// What can happen to a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SampleStep {
    /// Taken from a donor.
    Collect,
    /// Made from another sample.
    Derive,
    /// Brought to another place.
    Move,
    /// Nothing is left of it.
    Consume,
    /// Destroyed.
    Destroy,
}
