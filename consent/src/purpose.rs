//! What a researcher wants to do.

use crate::{DataKind, Date, Topic};
use serde::{Deserialize, Serialize};

/// Whether an organisation makes profit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OrganisationKind {
    /// A university, a public hospital, a charity.
    NonProfit,
    /// A company.
    Commercial,
}

/// Who asks. Profit status that is not stated is not assumed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Organisation {
    /// A DID or ROR identifier.
    pub id: String,
    /// Profit status, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<OrganisationKind>,
}

/// An approval by an ethics board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EthicsApproval {
    /// The board that approved.
    pub committee: String,
    /// Its number for this approval.
    pub number: String,
    /// The last day on which the approval holds.
    pub valid_until: Date,
}

/// A research purpose: what for, by whom, where, with which kinds of data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Purpose {
    /// Topics of the investigation; without any, nothing can be decided but "review".
    pub topics: Vec<Topic>,
    /// Disease terms (MONDO or DOID).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diseases: Vec<String>,
    /// Whether the use is commercial, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commercial: Option<bool>,
    /// Who asks.
    pub organisation: Organisation,
    /// Where the data will be processed: ISO 3166-1 alpha-2 codes.
    pub places: Vec<String>,
    /// The kinds of data that will be used.
    pub data: Vec<DataKind>,
    /// The approval of an ethics board, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ethics_approval: Option<EthicsApproval>,
}
