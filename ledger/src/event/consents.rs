//! What institutions say of consents, and the keys that speak for a donor.

use crate::hash::{EntryHash, Hash};
use consent::Timestamp;
use identity::{Did, verify_jws};
use serde::{Deserialize, Serialize};

/// The institution, an ethics board or a court ends a consent. From then on the donor's yes counts again only after the
/// institution has asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// Why.
    pub cause: Cause,
    /// Whose consent: the commitment to donor and study.
    pub subject: Hash,
    /// When.
    pub time: Timestamp,
}

/// Why an institution ends a consent. The first three revoke it, the others say that it is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// An ethics board.
    Ethics,
    /// A court or an authority.
    Court,
    /// The institution can not keep what it promised, for instance because a study ended.
    Institution,
    /// Somebody else signed.
    Fraud,
    /// The donor could not decide.
    Capacity,
    /// The donor came of age and did not confirm.
    Majority,
}

impl Cause {
    /// The move in the life of the consent.
    pub fn step(self) -> consent::Move {
        match self {
            Self::Ethics | Self::Court | Self::Institution => consent::Move::Revoke,
            Self::Fraud | Self::Capacity | Self::Majority => consent::Move::Invalidate,
        }
    }
}

/// The institution asks again, after it ended a consent: a yes of the donor counts from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asking {
    /// Whom: the commitment to donor and study.
    pub subject: Hash,
    /// When.
    pub time: Timestamp,
}

/// A donor speaks with another study key from now on, and says so with the old one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRotation {
    /// The new key.
    pub key: Did,
    /// The latest entry of the subject.
    pub previous: EntryHash,
    /// The new key's signature that somebody holds it.
    pub proof: String,
    /// The commitment to donor and study.
    pub subject: Hash,
    /// When.
    pub time: Timestamp,
}

/// A donor lost the study key: one member of staff binds the consent to a new one, and another agrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRebinding {
    /// The signature of the second member of staff.
    pub approval: String,
    /// The new key.
    pub key: Did,
    /// The latest entry of the subject.
    pub previous: EntryHash,
    /// The new key's signature that somebody holds it.
    pub proof: String,
    /// The commitment to donor and study.
    pub subject: Hash,
    /// When.
    pub time: Timestamp,
}

impl KeyRebinding {
    /// Who agreed. The signature was checked when the entry was read.
    pub fn approver(&self) -> Option<Did> {
        verify_jws(&self.approval).ok().map(|jws| jws.signer)
    }
}
