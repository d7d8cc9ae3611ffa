//! What a researcher wants to do.

use crate::Date;
use crate::reading::{self, Object, Strings, Word, Words};
use crate::vocabulary::{DataKind, Flag, OrganisationKind, Topic};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// Who asks. A kind that is not stated is not assumed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Organisation {
    /// A DID or a ROR identifier.
    pub id: String,
    /// What kind of organisation, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<OrganisationKind>,
    /// Words that were not understood.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// An approval by an ethics board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Purpose {
    /// Topics of the investigation; without any, nothing can be decided but "review".
    pub topics: Vec<Topic>,
    /// Disease terms as `PREFIX:number` (MONDO or DOID). Each must be covered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diseases: Vec<String>,
    /// Whether the use is commercial, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commercial: Option<bool>,
    /// Who asks.
    pub organisation: Organisation,
    /// Where the data will be processed: ISO 3166-1 alpha-2, ISO 3166-2, `EU` or `EEA`.
    pub places: Vec<String>,
    /// The kinds of data that will be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<DataKind>,
    /// The day of the first publication, if one was agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publishes_on: Option<Date>,
    /// The approval of an ethics board, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ethics_approval: Option<EthicsApproval>,
    /// The people who will use the data: DIDs or ORCID identifiers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// The identifier of the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Whether genotypes are part of the work, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genetic: Option<bool>,
    /// Groups of people and delicate matters that the purpose is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sensitive: Vec<Flag>,
    /// Words that this version did not understand when it read the purpose. Each is a matter for review.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

impl<'de> Deserialize<'de> for Purpose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Purpose;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a purpose")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Purpose, A::Error> {
                let mut purpose = Purpose::default();
                reading::members(map, |name, object: &mut Object<'_, A>| {
                    let unknown = &mut purpose.unknown;
                    match name {
                        "topics" => purpose.topics = object.seed(Words::new(unknown))?,
                        "diseases" => purpose.diseases = object.seed(Strings)?,
                        "commercial" => purpose.commercial = object.value()?,
                        "organisation" => purpose.organisation = object.value::<Option<_>>()?.unwrap_or_default(),
                        "places" => purpose.places = object.seed(Strings)?,
                        "data" => purpose.data = object.seed(Words::new(unknown))?,
                        "publishesOn" => purpose.publishes_on = object.value()?,
                        "ethicsApproval" => purpose.ethics_approval = object.seed(SomeApproval(unknown))?,
                        "users" => purpose.users = object.seed(Strings)?,
                        "project" => purpose.project = object.value()?,
                        "genetic" => purpose.genetic = object.value()?,
                        "sensitive" => purpose.sensitive = object.seed(Words::new(unknown))?,
                        "unknown" => unknown.extend(object.seed(Strings)?),
                        _ => {
                            object.skip()?;
                            reading::keep(unknown, name);
                        }
                    }
                    Ok(())
                })?;
                Ok(purpose)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

impl<'de> Deserialize<'de> for EthicsApproval {
    /// Reads an approval all of which must be known; inside a purpose unknown members are kept for review instead.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut unknown = Vec::new();
        let approval = SomeApproval(&mut unknown).deserialize(deserializer)?;
        match (approval, unknown.first()) {
            (Some(approval), None) => Ok(approval),
            (Some(_), Some(name)) => Err(de::Error::custom(format_args!("not a known member: {name}"))),
            (None, _) => Err(de::Error::custom("an ethics approval is missing")),
        }
    }
}

/// An approval, or nothing; members that are not known go to the list of unknown words.
struct SomeApproval<'a>(&'a mut Vec<String>);

impl<'de> DeserializeSeed<'de> for SomeApproval<'_> {
    type Value = Option<EthicsApproval>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for SomeApproval<'_> {
    type Value = Option<EthicsApproval>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ethics approval")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let (mut committee, mut number, mut valid_until) = (String::new(), String::new(), None);
        reading::members(map, |name, object: &mut Object<'_, A>| {
            match name {
                "committee" => committee = object.value::<Option<_>>()?.unwrap_or_default(),
                "number" => number = object.value::<Option<_>>()?.unwrap_or_default(),
                "validUntil" => valid_until = Some(object.value()?),
                _ => {
                    object.skip()?;
                    reading::keep(self.0, name);
                }
            }
            Ok(())
        })?;
        let valid_until = valid_until.ok_or_else(|| de::Error::missing_field("validUntil"))?;
        Ok(Some(EthicsApproval { committee, number, valid_until }))
    }
}

impl<'de> Deserialize<'de> for Organisation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Organisation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an organisation")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Organisation, A::Error> {
                let mut organisation = Organisation::default();
                reading::members(map, |name, object: &mut Object<'_, A>| {
                    let unknown = &mut organisation.unknown;
                    match name {
                        "id" => organisation.id = object.value::<Option<_>>()?.unwrap_or_default(),
                        "kind" => organisation.kind = object.seed(Word(unknown, PhantomData))?,
                        "unknown" => unknown.extend(object.seed(Strings)?),
                        _ => {
                            object.skip()?;
                            reading::keep(unknown, name);
                        }
                    }
                    Ok(())
                })?;
                Ok(organisation)
            }
        }

        deserializer.deserialize_map(Members)
    }
}
