//! What a study asks of a donor.

use crate::{
    Answers, ContactKind, DataKind, Date, Organisation, Policy, Preferences, Purpose, Question, ResultKind, Terms,
};
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

/// What a participant chooses in answer to a study.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Choice {
    /// The kinds of data to share.
    pub data: Vec<DataKind>,
    /// Answers to the study's questions.
    #[serde(default)]
    pub answers: Answers<Question>,
    /// Wishes about results and contact.
    #[serde(default)]
    pub preferences: Preferences,
    /// The last day, where the participant wants an earlier one than the study asks for.
    #[serde(default)]
    pub until: Option<Date>,
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
    /// The rules that it will keep; `data` is missing here, the donor's choice fills it.
    pub policy: Policy,
    /// What it will do, in the terms that machines compare.
    pub purpose: Purpose,
    /// Questions that the donor answers with yes, no or "not sure".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// Results that the study can tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<ResultKind>,
    /// Reasons for which the study would like to get in touch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contact: Vec<ContactKind>,
    /// What it promises beside: law, ethics, how long, how a consent can be taken back.
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    pub terms: Terms,
    /// The full text.
    pub text: String,
    /// The language of the text (BCP 47).
    pub language: String,
    /// The day on which the biobank checked the study.
    pub checked: Date,
}
