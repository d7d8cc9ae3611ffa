//! What a donor allowed.

use crate::{ConsentState, DataKind, Date, Permission};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A condition on a permission: a data use modifier (DUO:0000017).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "UPPERCASE")]
pub enum Modifier {
    /// Only organisations that make no profit, DUO:0000045.
    Npu,
    /// Only uses that are not commercial, DUO:0000046.
    Ncu,
    /// No general methods research, DUO:0000015.
    Nmds,
    /// No research on population origins or ancestry, DUO:0000044.
    Npoa,
    /// Only in these places, DUO:0000022. ISO 3166-1 alpha-2 codes.
    Gs {
        /// The countries in which the data may be processed.
        places: Vec<String>,
    },
    /// An ethics board must approve first, DUO:0000021.
    Irb,
    /// Results must be published, DUO:0000019. A duty.
    Pub,
    /// Results must come back to the biobank, DUO:0000029. A duty.
    Rtn,
    /// A term that this version does not know: always a matter for review.
    #[serde(other)]
    Unknown,
}

impl Modifier {
    /// The term's code, as in `NPU`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Npu => "NPU",
            Self::Ncu => "NCU",
            Self::Nmds => "NMDS",
            Self::Npoa => "NPOA",
            Self::Gs { .. } => "GS",
            Self::Irb => "IRB",
            Self::Pub => "PUB",
            Self::Rtn => "RTN",
            Self::Unknown => "unknown",
        }
    }
}

/// What a donor allows: permissions, conditions, kinds of data, and until when.
///
/// `status` is not part of what is signed. Whoever decides sets it from the folded ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Policy {
    /// Data use permissions; a policy without any allows nothing.
    pub permissions: Vec<Permission>,
    /// Disease terms (MONDO or DOID), the argument of `DS`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diseases: Vec<String>,
    /// Conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modifiers: Vec<Modifier>,
    /// The kinds of data that the donor chose to share.
    pub data: Vec<DataKind>,
    /// The last day of use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// The state of the consent at the moment of the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ConsentState>,
}

/// Why a policy can not be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// It permits nothing.
    NoPermission,
    /// It shares no kind of data.
    NoData,
    /// `DS` without a disease, or a disease without `DS`.
    DiseaseMismatch,
    /// Permissions that contradict one another.
    Contradiction,
    /// `GS` without a place.
    NoPlace,
    /// A term that this version does not know.
    UnknownTerm,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPermission => "the policy permits nothing",
            Self::NoData => "the policy shares no kind of data",
            Self::DiseaseMismatch => "disease terms and the permission DS need each other",
            Self::Contradiction => "the policy contradicts itself",
            Self::NoPlace => "the geographical restriction names no place",
            Self::UnknownTerm => "the policy has a term that this version does not know",
        })
    }
}

impl std::error::Error for PolicyError {}

impl Policy {
    /// Refuses a policy that must not be signed: empty, contradictory, or not understood.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let permits = |p| self.permissions.contains(&p);
        if self.permissions.is_empty() {
            return Err(PolicyError::NoPermission);
        }
        if self.data.is_empty() {
            return Err(PolicyError::NoData);
        }
        if permits(Permission::Ds) == self.diseases.is_empty() {
            return Err(PolicyError::DiseaseMismatch);
        }
        // A signed policy says one thing: two permissions would leave open which of them counts.
        if self.permissions.len() > 1 || (permits(Permission::Poa) && self.modifiers.contains(&Modifier::Npoa)) {
            return Err(PolicyError::Contradiction);
        }
        for modifier in &self.modifiers {
            match modifier {
                Modifier::Gs { places } if places.is_empty() => return Err(PolicyError::NoPlace),
                Modifier::Unknown => return Err(PolicyError::UnknownTerm),
                _ => {}
            }
        }
        Ok(())
    }
}
