//! What a study asks of a donor.

use crate::{DataKind, Date, Organisation, Policy};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;
use std::str::FromStr;

/// The name of a study inside one biobank: 1 to 64 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct StudyId(String);

/// A text that is not a study's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StudyIdError;

impl fmt::Display for StudyIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a study's name has 1 to 64 of a-z, 0-9 and -")
    }
}

impl std::error::Error for StudyIdError {}

impl StudyId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StudyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StudyId {
    type Err = StudyIdError;

    fn from_str(text: &str) -> Result<Self, StudyIdError> {
        let fits =
            (1..=64).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if fits { Ok(Self(text.to_owned())) } else { Err(StudyIdError) }
    }
}

impl<'de> Deserialize<'de> for StudyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// One kind of data that a study asks for, in words for the donor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataOffer {
    /// The kind.
    pub kind: DataKind,
    /// Where it comes from, in one sentence: "Read from your blood sample of 2024."
    pub detail: String,
}

/// A study's request as the biobank checked and signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StudyRequest {
    /// The study.
    pub id: StudyId,
    /// The version of its protocol, counted from 1.
    pub version: u32,
    /// Its name.
    pub title: String,
    /// The name of the organisation that asks.
    pub organisation_name: String,
    /// The organisation: identifier (a DID) and profit status.
    pub organisation: Organisation,
    /// Why, in one plain sentence.
    pub why: String,
    /// The kinds of data that it asks for. The donor chooses among them.
    pub offers: Vec<DataOffer>,
    /// The rules that it will keep; `data` is empty here, the donor's choice fills it.
    pub policy: Policy,
    /// The full text.
    pub text: String,
    /// The language of the text (BCP 47).
    pub language: String,
    /// The day on which the biobank checked the study.
    pub checked: Date,
}
