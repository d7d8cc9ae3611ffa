//! What may be signed. Reading is generous, signing is not: a signed policy says one thing, in terms that everybody
//! understands in the same way.

use crate::decide::{is_identifier, is_party};
use crate::modifier::{Focus, Modifier};
use crate::place::{self, Place};
use crate::reading::LONGEST_LIST;
use crate::vocabulary::{Answer, Permission, Question, Vocabulary};
use crate::{Date, Policy};
use std::fmt;

/// Why a policy can not be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// It permits nothing.
    NoPermission,
    /// It has several permissions, and nobody could tell which counts.
    SeveralPermissions,
    /// It shares no kind of data.
    NoData,
    /// `DS` without a disease, or a disease without `DS`.
    DiseaseMismatch,
    /// A disease that is no `PREFIX:number`, or without the hierarchy and version in which it was chosen.
    DiseaseUnclear(String),
    /// Two clauses that contradict each other.
    Contradiction(&'static str, &'static str),
    /// The geographical restrictions have no place in common.
    NoPlaceLeft,
    /// A text that is no place.
    PlaceUnknown(String),
    /// A name where an identifier must stand.
    PartyUnclear(String),
    /// A condition without its argument: places without a place.
    NothingNamed(&'static str),
    /// A list that is longer than a reader takes.
    TooLong(&'static str),
    /// The same condition twice.
    Repeated(&'static str),
    /// A time limit of no months, or without the day of issue.
    TimeUnclear,
    /// It ends before it begins.
    EndsBeforeItBegins,
    /// A term that this version does not know.
    UnknownTerm(String),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPermission => f.write_str("the policy permits nothing"),
            Self::SeveralPermissions => f.write_str("the policy has several permissions, and only one can count"),
            Self::NoData => f.write_str("the policy shares no kind of data"),
            Self::DiseaseMismatch => f.write_str("disease terms and the permission DS need each other"),
            Self::DiseaseUnclear(term) => write!(f, "the disease {term:?} is not a term of the named hierarchy"),
            Self::Contradiction(one, other) => write!(f, "the policy contradicts itself: {one} and {other}"),
            Self::NoPlaceLeft => f.write_str("the geographical restrictions have no place in common"),
            Self::PlaceUnknown(place) => write!(f, "{place:?} is not a place of ISO 3166, EU or EEA"),
            Self::PartyUnclear(id) => write!(f, "{id:?} is not a DID, ROR or ORCID identifier"),
            Self::NothingNamed(code) => write!(f, "the condition {code} names nothing"),
            Self::TooLong(what) => write!(f, "the list of {what} is too long"),
            Self::Repeated(code) => write!(f, "the condition {code} stands twice"),
            Self::TimeUnclear => f.write_str("the time limit needs its months and the day of issue"),
            Self::EndsBeforeItBegins => f.write_str("the policy ends before it begins"),
            Self::UnknownTerm(word) => write!(f, "the policy has a term that this version does not know: {word:?}"),
        }
    }
}

impl std::error::Error for PolicyError {}

impl Policy {
    /// Refuses a policy that must not be signed: empty, contradictory, or not understood.
    pub fn validate(&self) -> Result<(), PolicyError> {
        if let Some(word) = self.unknown.first() {
            return Err(PolicyError::UnknownTerm(word.clone()));
        }
        self.validate_permission()?;
        if self.shared().is_empty() {
            return Err(PolicyError::NoData);
        }
        self.validate_diseases()?;
        self.validate_modifiers()?;
        self.validate_places()?;
        if matches!((self.issued, self.until), (Some(issued), Some(until)) if until < issued) {
            return Err(PolicyError::EndsBeforeItBegins);
        }
        Ok(())
    }

    fn validate_permission(&self) -> Result<(), PolicyError> {
        let contradiction = |one, other| Err(PolicyError::Contradiction(one, other));
        match self.permissions.as_slice() {
            [] => Err(PolicyError::NoPermission),
            [Permission::Poa] if self.modifiers.contains(&Modifier::Npoa) => contradiction("POA", "NPOA"),
            // "No restriction" with a restriction is not "no restriction".
            [Permission::Nres] => match self.modifiers.iter().find(|modifier| !is_duty(modifier)) {
                Some(modifier) => contradiction("NRES", modifier.code()),
                None => Ok(()),
            },
            [_] => Ok(()),
            _ if self.permits(Permission::Poa) && self.permits(Permission::Gru) => contradiction("GRU", "POA"),
            _ => Err(PolicyError::SeveralPermissions),
        }
    }

    fn validate_diseases(&self) -> Result<(), PolicyError> {
        if self.permits(Permission::Ds) == self.diseases.is_empty() {
            return Err(PolicyError::DiseaseMismatch);
        }
        if self.diseases.len() > LONGEST_LIST {
            return Err(PolicyError::TooLong("DS"));
        }
        let Some(first) = self.diseases.first() else { return Ok(()) };
        let Some(ontology) = &self.ontology else { return Err(PolicyError::DiseaseUnclear(first.clone())) };
        let belongs = |term: &&String| {
            let number = term.strip_prefix(&ontology.system).and_then(|rest| rest.strip_prefix(':'));
            number.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        };
        match self.diseases.iter().find(|term| !belongs(term)) {
            Some(term) => Err(PolicyError::DiseaseUnclear(term.clone())),
            None => Ok(()),
        }
    }

    fn validate_modifiers(&self) -> Result<(), PolicyError> {
        for (place, modifier) in self.modifiers.iter().enumerate() {
            // Several places, months or lists would each hold; a person reads one of them.
            if self.modifiers[..place].iter().any(|before| before.code() == modifier.code()) && modifier.code() != "GS"
            {
                return Err(PolicyError::Repeated(modifier.code()));
            }
            match arguments(modifier) {
                Some(0) => return Err(PolicyError::NothingNamed(modifier.code())),
                Some(length) if length > LONGEST_LIST => return Err(PolicyError::TooLong(modifier.code())),
                _ => {}
            }
            match modifier {
                Modifier::Ts { months } if *months == 0 || self.issued.is_none() => {
                    return Err(PolicyError::TimeUnclear);
                }
                Modifier::Is { institutions: ids } | Modifier::Us { users: ids } | Modifier::Col { with: ids } => {
                    if let Some(id) = ids.iter().find(|id| !is_party(id)) {
                        return Err(PolicyError::PartyUnclear(id.clone()));
                    }
                }
                Modifier::Ps { projects } => {
                    if let Some(id) = projects.iter().find(|id| !is_identifier(id)) {
                        return Err(PolicyError::PartyUnclear(id.clone()));
                    }
                }
                _ => {}
            }
        }
        let says = |question, answer| self.answers.get(question) == Some(answer);
        let has = |modifier: &Modifier| self.modifiers.contains(modifier);
        for (modifier, question) in [(Modifier::Nctrl, Question::Controls), (Modifier::Nagr, Question::Aggregate)] {
            if has(&modifier) && says(question, Answer::Yes) {
                return Err(PolicyError::Contradiction(modifier.code(), question.code()));
            }
        }
        for modifier in &self.modifiers {
            if let Modifier::Rs { topics } = modifier {
                let refused = topics.iter().find_map(|focus| match focus {
                    Focus::Flag(flag) => Some(flag.question()).filter(|question| says(*question, Answer::No)),
                    Focus::Topic(_) => None,
                });
                if let Some(question) = refused {
                    return Err(PolicyError::Contradiction("RS", question.code()));
                }
            }
        }
        let wide = [Modifier::Npuncu, Modifier::Npu];
        if wide.iter().any(has) && !self.recipients.is_empty() && self.recipients.iter().all(|kind| kind.makes_profit())
        {
            return Err(PolicyError::Contradiction("NPU", "recipients"));
        }
        Ok(())
    }

    fn validate_places(&self) -> Result<(), PolicyError> {
        let mut restrictions = Vec::new();
        for modifier in &self.modifiers {
            if let Modifier::Gs { places } = modifier {
                if let Some(odd) = places.iter().find(|text| Place::read(text).is_none()) {
                    return Err(PolicyError::PlaceUnknown(odd.clone()));
                }
                restrictions.push(places.iter().filter_map(|text| Place::read(text)).collect::<Vec<_>>());
            }
        }
        if restrictions.len() < 2 {
            return Ok(());
        }
        // Some place of one restriction lies in all the others: without a day at hand, by the members of today's lists.
        let Ok(day) = "9999-12-31".parse::<Date>() else { return Err(PolicyError::NoPlaceLeft) };
        let in_all = |place: &Place<'_>| restrictions.iter().all(|places| place::allowed(*place, places, day));
        if restrictions.iter().flatten().any(in_all) { Ok(()) } else { Err(PolicyError::NoPlaceLeft) }
    }
}

/// How long the list is that a condition needs. Nothing for one that needs none: with whom to work together (`COL`)
/// may stay open.
fn arguments(modifier: &Modifier) -> Option<usize> {
    match modifier {
        Modifier::Rs { topics } => Some(topics.len()),
        Modifier::Gs { places: list }
        | Modifier::Us { users: list }
        | Modifier::Ps { projects: list }
        | Modifier::Is { institutions: list } => Some(list.len()),
        Modifier::Col { with } => Some(with.len()).filter(|length| *length > 0),
        _ => None,
    }
}

fn is_duty(modifier: &Modifier) -> bool {
    matches!(
        modifier,
        Modifier::Pub | Modifier::Rtn | Modifier::Col { .. } | Modifier::Irb | Modifier::Nri | Modifier::Nrl
    )
}
