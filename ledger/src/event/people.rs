//! Who may act, and under which keys the institution and its log speak.

use super::Label;
use crate::checkpoint::LogKey;
use consent::Timestamp;
use identity::Did;
use serde::{Deserialize, Serialize};

/// What somebody may do at an institution, as far as its log knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Speaks for the institution itself. One key has this role; the first entry that names it founds the log.
    Institution,
    /// Registers samples and studies, and re-binds keys, two together.
    Staff,
    /// Asks for access, and tells of use.
    Researcher,
    /// Decides on access.
    Committee,
    /// Reads what is not public.
    Auditor,
    /// Another institution of the consortium.
    Member,
}

/// Somebody joins, changes the role, or leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    /// Whether the member may act from now on.
    pub active: bool,
    /// Who.
    pub member: Did,
    /// For which organisation.
    pub organisation: Label,
    /// As what.
    pub role: Role,
    /// When.
    pub time: Timestamp,
}

/// The institution speaks with another key from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstitutionKey {
    /// The new key.
    pub key: Did,
    /// The new key's signature that somebody holds it.
    pub proof: String,
    /// When.
    pub time: Timestamp,
}

/// The log signs its checkpoints with this key from now on, beside one of another algorithm if it has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogKeyChange {
    /// When.
    pub time: Timestamp,
    /// The verifier key (C2SP signed-note).
    pub vkey: LogKey,
}
