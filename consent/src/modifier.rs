//! Conditions on a permission: the modifiers of DUO, the legacy codes of dbGaP, and two of our own.

use crate::reading::{self, Dated, Name, Object, Strings};
use crate::vocabulary::{Flag, Topic, Vocabulary, duo_number};
use crate::{Date, OWN};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use std::{fmt, mem};

/// What research can be restricted to: a group of people, or a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Focus {
    /// A group of people or a delicate matter.
    Flag(Flag),
    /// A topic.
    Topic(Topic),
}

impl Focus {
    /// The code that a policy carries.
    pub fn code(self) -> &'static str {
        match self {
            Self::Flag(flag) => flag.code(),
            Self::Topic(topic) => topic.code(),
        }
    }

    /// The focus of a code or identifier.
    pub fn read(text: &str) -> Option<Self> {
        Flag::read(text).map(Self::Flag).or_else(|| Topic::read(text).map(Self::Topic))
    }
}

/// One row a modifier: variant, code, identifier. The argument, where there is one, is told in the variant.
macro_rules! modifiers {
    ($($(#[$doc:meta])* $name:ident $({ $field:ident: $type:ty, $field_doc:literal })? = $code:literal, $id:expr;)*) => {
        /// A condition on a permission: a data use modifier (DUO:0000017), a legacy code, or one of our own.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Modifier {
            $($(#[$doc])* $name $({ #[doc = $field_doc] $field: $type })?,)*
        }

        impl Modifier {
            /// The codes and identifiers of all modifiers.
            pub const TERMS: &'static [(&'static str, &'static str)] = &[$(($code, $id),)*];

            /// The term's code, as in `NPU`.
            pub fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code,)* }
            }

            /// The term's identifier: a DUO id, or an URI of our own.
            pub fn id(&self) -> &'static str {
                match self { $(Self::$name { .. } => $id,)* }
            }
        }
    };
}

modifiers! {
    /// Only research on these groups of people or topics. All of them must hold.
    Rs { topics: Vec<Focus>, "What research is restricted to." } = "RS", "DUO:0000012";
    /// No general methods research.
    Nmds = "NMDS", "DUO:0000015";
    /// Genetic studies only.
    Gso = "GSO", "DUO:0000016";
    /// Not for profit, non commercial use only: NPU and NCU together. (DUO files NPU and NCU as kinds of this term,
    /// although it is their conjunction; a reasoner over subclasses would read it backwards.)
    Npuncu = "NPUNCU", "DUO:0000018";
    /// Organisations that make no profit only. About the organisation.
    Npu = "NPU", "DUO:0000045";
    /// Non-commercial use only. About the use: a company may do research.
    Ncu = "NCU", "DUO:0000046";
    /// Results must be published. A duty.
    Pub = "PUB", "DUO:0000019";
    /// The user must work together with the primary investigators. A duty.
    Col { with: Vec<String>, "With whom, if the policy says." } = "COL", "DUO:0000020";
    /// An ethics board must approve. A duty, and review until it did.
    Irb = "IRB", "DUO:0000021";
    /// Only in these places: ISO 3166-1 alpha-2, ISO 3166-2, `EU` or `EEA`.
    Gs { places: Vec<String>, "Where the data may be processed." } = "GS", "DUO:0000022";
    /// No publication before this day.
    Mor { date: Date, "The first day of publication." } = "MOR", "DUO:0000024";
    /// Use for so many months from the issue of the consent.
    Ts { months: u32, "The months." } = "TS", "DUO:0000025";
    /// Only by these people: DIDs or ORCID identifiers.
    Us { users: Vec<String>, "Who." } = "US", "DUO:0000026";
    /// Only in these projects, by identifier.
    Ps { projects: Vec<String>, "Which." } = "PS", "DUO:0000027";
    /// Only by these institutions: DIDs or ROR identifiers.
    Is { institutions: Vec<String>, "Which." } = "IS", "DUO:0000028";
    /// Results must come back to the biobank. A duty.
    Rtn = "RTN", "DUO:0000029";
    /// Clinical care is allowed as well. The only modifier that widens.
    Cc = "CC", "DUO:0000043";
    /// No research on population origins or ancestry.
    Npoa = "NPOA", "DUO:0000044";
    /// No use as controls for other diseases (legacy).
    Nctrl = "NCTRL", "https://w3id.org/consent-wallet/v1#NCTRL";
    /// No publication of aggregate data for all (legacy).
    Nagr = "NAGR", "https://w3id.org/consent-wallet/v1#NAGR";
    /// No re-identification. A duty; asked for in DUO issue 131, without a term until now.
    Nri = "NRI", "https://w3id.org/consent-wallet/v1#NRI";
    /// No relinking. A duty; as above.
    Nrl = "NRL", "https://w3id.org/consent-wallet/v1#NRL";
}

impl Serialize for Modifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", self.code())?;
        match self {
            Self::Rs { topics } => {
                map.serialize_entry("topics", &topics.iter().map(|focus| focus.code()).collect::<Vec<_>>())?;
            }
            Self::Col { with } if !with.is_empty() => map.serialize_entry("with", with)?,
            Self::Gs { places } => map.serialize_entry("places", places)?,
            Self::Mor { date } => map.serialize_entry("date", date)?,
            Self::Ts { months } => map.serialize_entry("months", months)?,
            Self::Us { users } => map.serialize_entry("users", users)?,
            Self::Ps { projects } => map.serialize_entry("projects", projects)?,
            Self::Is { institutions } => map.serialize_entry("institutions", institutions)?,
            _ => {}
        }
        map.end()
    }
}

/// One modifier of a document: what was read, or the words that were not understood.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// None where the term says nothing new (`RU`), or was not understood.
    pub modifier: Option<Modifier>,
    /// Terms and arguments that were not understood.
    pub unknown: Vec<String>,
}

/// What a modifier can carry.
#[derive(Default)]
struct Arguments {
    places: Vec<String>,
    institutions: Vec<String>,
    users: Vec<String>,
    projects: Vec<String>,
    with: Vec<String>,
    topics: Vec<String>,
    months: Option<u64>,
    date: Option<Dated>,
}

impl Arguments {
    /// The names of those that no term took.
    fn left(&self) -> impl Iterator<Item = &'static str> {
        let left = [
            ("places", !self.places.is_empty()),
            ("institutions", !self.institutions.is_empty()),
            ("users", !self.users.is_empty()),
            ("projects", !self.projects.is_empty()),
            ("with", !self.with.is_empty()),
            ("topics", !self.topics.is_empty()),
            ("months", self.months.is_some()),
            ("date", self.date.is_some()),
        ];
        left.into_iter().filter(|(_, there)| *there).map(|(name, _)| name)
    }
}

impl Read {
    fn understand(code: &str, mut arguments: Arguments, mut unknown: Vec<String>) -> Self {
        let modifier = known(code, &mut arguments, &mut unknown);
        // `CC` with places, `IRB` with a date: a condition that this version would not keep.
        unknown.extend(arguments.left().map(str::to_owned));
        // A term with an argument that was not understood is itself not understood.
        if !unknown.is_empty() {
            let what = format!("{} {}", short(code), short(&unknown.join(" ")));
            return Self { modifier: None, unknown: vec![what.trim().to_owned()] };
        }
        match modifier {
            Ok(modifier) => Self { modifier, unknown },
            Err(()) => Self { modifier: None, unknown: vec![short(code)] },
        }
    }
}

/// The modifier of a code in any of its spellings. `Err` where it is unknown or lacks its argument.
fn known(code: &str, arguments: &mut Arguments, unknown: &mut Vec<String>) -> Result<Option<Modifier>, ()> {
    let code = match duo_number(code) {
        // Obsolete "research use only": what every consent says that has no CC.
        Some(14) => return Ok(None),
        Some(number) => {
            let same = |(_, id): &&(&str, &str)| duo_number(id) == Some(number);
            Modifier::TERMS.iter().find(same).map(|(code, _)| *code).ok_or(())?
        }
        None if code.starts_with(OWN) => {
            Modifier::TERMS.iter().find(|(_, id)| *id == code).map(|(code, _)| *code).ok_or(())?
        }
        None => code,
    };
    let some = |list: &mut Vec<String>| if list.is_empty() { Err(()) } else { Ok(mem::take(list)) };
    let only = |flag| Modifier::Rs { topics: vec![Focus::Flag(flag)] };
    Ok(Some(match code {
        "RS" => {
            let mut topics = Vec::new();
            for word in some(&mut arguments.topics)? {
                match Focus::read(&word) {
                    Some(focus) => reading::add(&mut topics, focus),
                    None => unknown.push(word),
                }
            }
            Modifier::Rs { topics }
        }
        "RS-PD" => only(Flag::Pediatric),
        "RS-POP" => only(Flag::Population),
        // Without a word on which sex, the legacy code says only that there is a restriction.
        "RS-G" => match mem::take(&mut arguments.topics).as_slice() {
            [word] => match Flag::read(word) {
                Some(sex @ (Flag::Female | Flag::Male)) => only(sex),
                _ => return Err(()),
            },
            _ => return Err(()),
        },
        "NMDS" => Modifier::Nmds,
        "GSO" => Modifier::Gso,
        "NPUNCU" => Modifier::Npuncu,
        "NPU" => Modifier::Npu,
        "NCU" => Modifier::Ncu,
        "PUB" => Modifier::Pub,
        "COL" => Modifier::Col { with: mem::take(&mut arguments.with) },
        "IRB" => Modifier::Irb,
        "GS" => Modifier::Gs { places: some(&mut arguments.places)? },
        "MOR" => match arguments.date.take() {
            Some(Dated::Day(date)) => Modifier::Mor { date },
            Some(Dated::Other(word)) => {
                unknown.push(word);
                return Ok(None);
            }
            None => return Err(()),
        },
        "TS" => Modifier::Ts { months: arguments.months.take().and_then(|months| months.try_into().ok()).ok_or(())? },
        "US" => Modifier::Us { users: some(&mut arguments.users)? },
        "PS" => Modifier::Ps { projects: some(&mut arguments.projects)? },
        "IS" => Modifier::Is { institutions: some(&mut arguments.institutions)? },
        "RTN" => Modifier::Rtn,
        "CC" => Modifier::Cc,
        "RU" => return Ok(None),
        "NPOA" => Modifier::Npoa,
        "NCTRL" => Modifier::Nctrl,
        "NAGR" => Modifier::Nagr,
        "NRI" => Modifier::Nri,
        "NRL" => Modifier::Nrl,
        _ => return Err(()),
    }))
}

fn short(code: &str) -> String {
    code.chars().filter(|c| !c.is_control()).take(64).collect()
}

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOf;

        impl<'de> Visitor<'de> for OneOf {
            type Value = Read;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a modifier: an object with a code, or a code")
            }

            fn visit_str<E: de::Error>(self, code: &str) -> Result<Read, E> {
                Ok(Read::understand(code, Arguments::default(), Vec::new()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Read, A::Error> {
                let (mut code, mut arguments, mut unknown) = (String::new(), Arguments::default(), Vec::new());
                reading::members(map, |name, object: &mut Object<'_, A>| {
                    match name {
                        "code" => code = object.value()?,
                        "places" => arguments.places = object.seed(Strings)?,
                        "institutions" => arguments.institutions = object.seed(Strings)?,
                        "users" => arguments.users = object.seed(Strings)?,
                        "projects" => arguments.projects = object.seed(Strings)?,
                        "with" => arguments.with = object.seed(Strings)?,
                        "topics" => arguments.topics = object.seed(Strings)?,
                        "months" => arguments.months = object.value()?,
                        "date" => arguments.date = object.value()?,
                        _ => {
                            object.skip()?;
                            unknown.push(short(name));
                        }
                    }
                    Ok(())
                })?;
                Ok(Read::understand(&code, arguments, unknown))
            }
        }

        deserializer.deserialize_any(OneOf)
    }
}

/// A list of modifiers; what was not understood goes to `unknown`.
pub(crate) struct Modifiers<'a>(pub &'a mut Vec<String>);

impl<'de> DeserializeSeed<'de> for Modifiers<'_> {
    type Value = Vec<Modifier>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let mut modifiers = Vec::new();
        reading::each(deserializer, |read: Read| {
            modifiers.extend(read.modifier);
            self.0.extend(read.unknown);
        })?;
        Ok(modifiers)
    }
}

impl<'de> Deserialize<'de> for Modifier {
    /// Reads one modifier; one that is not understood is an error here. Inside a policy it becomes an unknown term.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Read::deserialize(deserializer)?;
        read.modifier.ok_or_else(|| de::Error::custom("not a known modifier"))
    }
}

/// A list of permissions. The obsolete GRU-CC (DUO:0000005) is GRU with CC.
pub(crate) fn read_permissions<'de, D: Deserializer<'de>>(
    deserializer: D,
    modifiers: &mut Vec<Modifier>,
    unknown: &mut Vec<String>,
) -> Result<Vec<crate::Permission>, D::Error> {
    let mut permissions = Vec::new();
    reading::each(deserializer, |Name(word): Name<'de>| match crate::Permission::read(&word) {
        Some(permission) => reading::add(&mut permissions, permission),
        None if word == "GRU-CC" || duo_number(&word) == Some(5) => {
            reading::add(&mut permissions, crate::Permission::Gru);
            reading::add(modifiers, Modifier::Cc);
        }
        None => reading::keep(unknown, &word),
    })?;
    Ok(permissions)
}
