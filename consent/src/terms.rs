//! What a consent says beside the use of data: the text that was shown, and the terms of the study.

use crate::{DataKind, Date, EthicsApproval, Withdrawal};
use serde::{Deserialize, Serialize};

/// The exact text that a person was shown before signing (ISO/IEC TS 27560: privacy notice).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Where the text is from: `urn:consent-wallet:study:heart-rhythm`, `urn:consent-wallet:text:withdraw-noUse`.
    pub uri: String,
    /// The version of the text, counted from 1.
    pub version: u32,
    /// SHA-256 of its UTF-8 bytes, in lower-case hex.
    pub sha256: String,
    /// Its language (BCP 47).
    pub language: String,
}

/// One thing that is shared: which samples or data sets, and from which time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// The kind.
    pub kind: DataKind,
    /// Identifiers: a MIABIS sample id, a GA4GH DRS id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// The first day that the data are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day that the data are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// How a consent can be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WithdrawalTerms {
    /// The levels that are offered.
    pub levels: Vec<Withdrawal>,
    /// Days within which the biobank has done what a withdrawal asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_days: Option<u32>,
}

/// Somebody who answers for a donor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ActingFor {
    /// `parent`, `guardian` or `proxy`.
    pub relation: String,
    /// An identifier of the evidence of authority, never the document itself.
    pub evidence: String,
    /// Whether the donor agreed in their own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assent: Option<bool>,
    /// The day on which the donor answers for themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub majority: Option<Date>,
}

/// A check of what was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comprehension {
    /// Which questions.
    pub quiz: String,
    /// Right answers, in percent.
    pub score: u8,
    /// When.
    pub at: Date,
}

/// The terms of a consent that are not about the use of data itself. All are optional: what was not said is not there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Terms {
    /// Legal bases, as identifiers of the Data Privacy Vocabulary: `eu-gdpr:A6-1-a`, `eu-gdpr:A9-2-a`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub legal_basis: Vec<String>,
    /// Whose law holds: ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<String>,
    /// The ethics approval of the study.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ethics: Option<EthicsApproval>,
    /// What exactly is shared, where the study knows it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<Asset>,
    /// The last day on which something new is collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collect_until: Option<Date>,
    /// The last day on which it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<Date>,
    /// How it can be taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<WithdrawalTerms>,
    /// Who answers for the donor, if somebody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<ActingFor>,
    /// The body of a community that has to agree as well (a DID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub community: Option<String>,
    /// The hash of the custody chain of a sample or device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<String>,
    /// What was understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comprehension: Option<Comprehension>,
}

impl Terms {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
