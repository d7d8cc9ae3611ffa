//! The terms, each with its identifier in the ontology that defines it.

use serde::{Deserialize, Serialize};

/// What a donor allows at all: a data use permission (DUO:0000001).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Permission {
    /// No restriction, DUO:0000004.
    Nres,
    /// General research use, DUO:0000042.
    Gru,
    /// Health, medical or biomedical research, DUO:0000006.
    Hmb,
    /// Disease specific research, DUO:0000007; the policy names the diseases.
    Ds,
    /// Population origins or ancestry research only, DUO:0000011.
    Poa,
}

impl Permission {
    /// The term's identifier in DUO.
    pub fn duo(self) -> &'static str {
        match self {
            Self::Nres => "DUO:0000004",
            Self::Gru => "DUO:0000042",
            Self::Hmb => "DUO:0000006",
            Self::Ds => "DUO:0000007",
            Self::Poa => "DUO:0000011",
        }
    }

    /// The term's code, as in `GRU`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Nres => "NRES",
            Self::Gru => "GRU",
            Self::Hmb => "HMB",
            Self::Ds => "DS",
            Self::Poa => "POA",
        }
    }
}

/// What a researcher wants to do: the topics of an investigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// General research.
    #[serde(rename = "GRU")]
    Gru,
    /// Health, medical or biomedical research, DUO:0000037.
    #[serde(rename = "HMB")]
    Hmb,
    /// Research on named diseases, DUO:0000040.
    #[serde(rename = "DS")]
    Ds,
    /// Population origins or ancestry research, DUO:0000033.
    #[serde(rename = "POA")]
    Poa,
    /// Development of methods, DUO:0000031.
    #[serde(rename = "methods")]
    Methods,
    /// A term that this version does not know: always a matter for review.
    #[serde(other)]
    Unknown,
}

impl Topic {
    /// The code that a purpose carries for this topic.
    pub fn code(self) -> &'static str {
        match self {
            Self::Gru => "GRU",
            Self::Hmb => "HMB",
            Self::Ds => "DS",
            Self::Poa => "POA",
            Self::Methods => "methods",
            Self::Unknown => "unknown",
        }
    }
}

/// A kind of data or sample that a donor can share or keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DataKind {
    /// Sequence or genotype data.
    Genome,
    /// Entries of the electronic health record.
    HealthRecord,
    /// Answers to questionnaires.
    Survey,
    /// The material itself: blood, saliva, tissue.
    Sample,
    /// Pictures such as MRI or CT.
    Imaging,
    /// Readings of a device that the donor wears or uses.
    Device,
}

impl DataKind {
    /// The name as it is written in a policy.
    pub fn code(self) -> &'static str {
        match self {
            Self::Genome => "genome",
            Self::HealthRecord => "healthRecord",
            Self::Survey => "survey",
            Self::Sample => "sample",
            Self::Imaging => "imaging",
            Self::Device => "device",
        }
    }
}
