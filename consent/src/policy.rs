//! What a donor allows.

use crate::modifier::{Modifier, Modifiers, read_permissions};
use crate::reading::{self, AnswersSeed, Object, SomeWords, Strings, Words};
use crate::vocabulary::{Answers, DataKind, OrganisationKind, Permission, Question};
use crate::{ConsentState, Date};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// The hierarchy in which diseases are named, and its version: `MONDO`, `2026-05-05`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermSystem {
    /// The prefix of its terms.
    pub system: String,
    /// Its version.
    pub version: String,
}

/// What a donor allows: permissions, conditions, answers, kinds of data, and until when.
///
/// `status` is not part of what is signed: whoever decides sets it from the folded record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Data use permissions; a policy without any allows nothing. A signed policy has exactly one.
    pub permissions: Vec<Permission>,
    /// Disease terms as `PREFIX:number` (MONDO or DOID), the argument of `DS`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diseases: Vec<String>,
    /// The hierarchy in which the diseases were chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ontology: Option<TermSystem>,
    /// Conditions. Each must hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modifiers: Vec<Modifier>,
    /// The kinds of data that the donor chose to share. Without the member the policy is not about kinds of data;
    /// with an empty list nothing is shared. A signed policy has at least one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Vec<DataKind>>,
    /// Answers to single questions.
    #[serde(skip_serializing_if = "Answers::is_empty")]
    pub answers: Answers<Question>,
    /// The kinds of organisation that may use the data; without any, each may.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<OrganisationKind>,
    /// The day on which the consent was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued: Option<Date>,
    /// The last day of use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// The state of the consent at the moment of the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ConsentState>,
    /// Words that this version did not understand when it read the policy. Each is a matter for review.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Policy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a policy")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Policy, A::Error> {
                let mut policy = Policy::default();
                let mut added = Vec::new();
                reading::members(map, |name, object: &mut Object<'_, A>| {
                    let unknown = &mut policy.unknown;
                    match name {
                        "permissions" => policy.permissions = object.seed(Permissions(&mut added, unknown))?,
                        "diseases" => policy.diseases = object.seed(Strings)?,
                        "ontology" => policy.ontology = object.value()?,
                        "modifiers" => policy.modifiers = object.seed(Modifiers(unknown))?,
                        "data" => policy.data = object.seed(SomeWords(Words::new(unknown)))?,
                        "answers" => policy.answers = object.seed(AnswersSeed(unknown, PhantomData))?,
                        "recipients" => policy.recipients = object.seed(Words::new(unknown))?,
                        "issued" => policy.issued = object.value()?,
                        "until" => policy.until = object.value()?,
                        "status" => policy.status = object.seed(reading::Word(unknown, PhantomData))?,
                        "unknown" => unknown.extend(object.seed(Strings)?),
                        _ => {
                            object.skip()?;
                            reading::keep(unknown, name);
                        }
                    }
                    Ok(())
                })?;
                added.into_iter().for_each(|modifier| reading::add(&mut policy.modifiers, modifier));
                Ok(policy)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

struct Permissions<'a>(&'a mut Vec<Modifier>, &'a mut Vec<String>);

impl<'de> DeserializeSeed<'de> for Permissions<'_> {
    type Value = Vec<Permission>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        read_permissions(deserializer, self.0, self.1)
    }
}

impl Policy {
    /// Whether a permission stands in the policy.
    pub fn permits(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// The kinds of data that are shared.
    pub fn shared(&self) -> &[DataKind] {
        self.data.as_deref().unwrap_or_default()
    }

    /// The first modifier that a function picks.
    pub fn find<'p, T>(&'p self, pick: impl Fn(&'p Modifier) -> Option<T>) -> Option<T> {
        self.modifiers.iter().find_map(pick)
    }
}
