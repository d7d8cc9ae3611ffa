//! What a donor wishes beside the use of data: results and contact.

use crate::reading::{self, AnswersSeed, Object};
use crate::vocabulary::{Answers, ContactKind, ResultKind};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// Wishes about results and contact. What was not asked has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Preferences {
    /// Results of research that the donor wants to hear of.
    #[serde(skip_serializing_if = "Answers::is_empty")]
    pub results: Answers<ResultKind>,
    /// Reasons for which the donor may be contacted.
    #[serde(skip_serializing_if = "Answers::is_empty")]
    pub contact: Answers<ContactKind>,
}

impl Preferences {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.results.is_empty() && self.contact.is_empty()
    }
}

impl<'de> Deserialize<'de> for Preferences {
    /// A wish that is not understood is an error: unlike a condition it could not lead to review, and would be lost.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Preferences;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("preferences")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Preferences, A::Error> {
                let (mut preferences, mut unknown) = (Preferences::default(), Vec::new());
                reading::members(map, |name, object: &mut Object<'_, A>| {
                    match name {
                        "results" => preferences.results = object.seed(AnswersSeed(&mut unknown, PhantomData))?,
                        "contact" => preferences.contact = object.seed(AnswersSeed(&mut unknown, PhantomData))?,
                        _ => return Err(de::Error::custom("a member that is not known")),
                    }
                    Ok(())
                })?;
                match unknown.first() {
                    Some(word) => Err(de::Error::custom(format_args!("not a known wish: {word}"))),
                    None => Ok(preferences),
                }
            }
        }

        deserializer.deserialize_map(Members)
    }
}

impl<'de, Q: crate::Vocabulary + PartialEq> Deserialize<'de> for Answers<Q> {
    /// Reads answers all of which must be known; inside a policy unknown ones are kept for review instead.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut unknown = Vec::new();
        let answers = de::DeserializeSeed::deserialize(AnswersSeed(&mut unknown, PhantomData), deserializer)?;
        match unknown.first() {
            Some(word) => Err(de::Error::custom(format_args!("not a known answer: {word}"))),
            None => Ok(answers),
        }
    }
}
