//! Answers from other systems as a person's choices: what they mean is taken over, the rest is listed.

use super::{ctrl, fhir};
use consent::{
    Answer, Answers, Choices, DataKind, Date, Message, OrganisationKind, Permission, Place, TermSystem, Timestamp,
    Vocabulary, words,
};
use identity::canonical::{JsonError, parse_strict};
use serde::Serialize;

/// The largest file that is read, in bytes.
pub const MAX_IMPORT: usize = 1 << 20;
/// A FHIR Consent with nested provisions is some twelve levels deep.
const MAX_DEPTH: usize = 32;
/// What is shown of a foreign text.
const MAX_SHOWN: usize = 160;
/// How many questions or lines of one file are read.
pub(super) const MAX_QUESTIONS: usize = 5_000;
/// How many diseases one file can name.
const MAX_DISEASES: usize = 1_000;
/// How many things that were left out are told one by one.
const MAX_LEFT_OUT: usize = 500;

/// The lists of members that hold on this day are today's.
const LAST_DAY: &str = "9999-12-31";

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Format {
    /// Questions and answers as JSON.
    CtrlJson,
    /// Questions and answers as a table.
    CtrlCsv,
    /// A FHIR Consent, R4 or R5.
    FhirConsent,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Imported {
    /// The form that was recognised.
    pub format: Format,
    /// The choices; what was not said there is not said here.
    pub choices: Choices,
    /// How many answers and clauses were taken over.
    pub read: u32,
    /// What was not taken over, each with its reason, in plain words.
    pub left_out: Vec<String>,
}

/// Why a file was refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// More than [`MAX_IMPORT`] bytes.
    #[error("the file is larger than one megabyte")]
    TooLong,
    /// JSON that readers could understand in different ways, or none.
    #[error("the file can not be read as JSON: {0}")]
    Json(JsonError),
    /// A table with a broken line.
    #[error("line {0} of the table can not be read")]
    Table(usize),
    /// More questions than a person was ever asked.
    #[error("the file has more than {MAX_QUESTIONS} questions or lines")]
    TooMany,
    /// None of the forms.
    #[error("the file is neither a set of answers nor a FHIR Consent")]
    Unknown,
}

/// Reads answers in any of the forms that are known; the form is recognised by what stands in it.
pub fn import(text: &str) -> Result<Imported, ImportError> {
    import_at(text, crate::clock::now())
}

/// What is over by a date is no wish any more, so the moment counts.
fn import_at(text: &str, now: Timestamp) -> Result<Imported, ImportError> {
    if text.len() > MAX_IMPORT {
        return Err(ImportError::TooLong);
    }
    let text = text.trim_start_matches('\u{feff}').trim();
    if !text.starts_with(['{', '[']) {
        return ctrl::read_table(text);
    }
    let value = parse_strict(text.as_bytes(), MAX_IMPORT, MAX_DEPTH).map_err(ImportError::Json)?;
    if value.get("resourceType").is_some() { fhir::read::read(&value, now) } else { ctrl::read_json(&value) }
}

/// Gathers what several answers say about the same thing. Two that differ are never added up: places are those that
/// both allow, and of a yes and a no remains "not sure".
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub choices: Choices,
    pub read: u32,
    left_out: Vec<String>,
    more: usize,
    permissions: Vec<(Permission, Answer)>,
    places: Option<Vec<String>>,
    no_place: bool,
    who: Option<Vec<OrganisationKind>>,
    what: Option<Vec<DataKind>>,
    forgotten: bool,
}

impl Gathered {
    /// Says that something was not taken over, and why.
    pub fn leave_out(&mut self, what: &str, why: &str) {
        if self.left_out.len() < MAX_LEFT_OUT {
            self.left_out.push(format!("{}: {why}", shown(what)));
        } else {
            self.more += 1;
        }
    }

    /// Says something about the file as a whole.
    pub fn note(&mut self, text: String) {
        self.left_out.push(text);
    }

    /// One more answer to one question.
    pub fn answer(&mut self, what: &str, place: fn(&mut Choices) -> &mut Option<Answer>, answer: Answer) {
        let before = *place(&mut self.choices);
        let (answer, agree) = both(before, answer);
        *place(&mut self.choices) = Some(answer);
        self.count(what, agree);
    }

    /// One more answer to a question of a vocabulary.
    pub fn set<Q: Vocabulary + PartialEq>(
        &mut self,
        what: &str,
        answers: fn(&mut Choices) -> &mut Answers<Q>,
        question: Q,
        answer: Answer,
    ) {
        let answers = answers(&mut self.choices);
        let (answer, agree) = both(answers.get(question), answer);
        answers.set(question, Some(answer));
        self.count(what, agree);
    }

    fn count(&mut self, what: &str, agree: bool) {
        if agree {
            self.read += 1;
        } else {
            self.leave_out(what, "it was answered in two ways, so it counts as not sure");
        }
    }

    /// One more answer on what research is for.
    pub fn permission(&mut self, permission: Permission, answer: Answer) {
        self.permissions.push((permission, answer));
        self.read += 1;
    }

    /// One more list of places; an empty one means anywhere. What remains lies in all of the lists.
    pub fn places(&mut self, what: &str, places: Vec<String>) {
        if let Some(odd) = places.iter().find(|place| Place::read(place).is_none()) {
            let why = format!("{} is not a country code, so no place was taken over", shown(odd));
            self.no_place = true;
            return self.leave_out(what, &why);
        }
        self.read += 1;
        let mut all = places;
        let mut places = Vec::new();
        // There are as many places as countries; a long list repeats itself.
        for place in all.drain(..) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        self.places = Some(match self.places.take() {
            None => places,
            Some(before) if before.is_empty() => places,
            Some(before) if places.is_empty() => before,
            Some(before) => {
                let common = common(&before, &places);
                if common.is_empty() {
                    self.no_place = true;
                    self.leave_out(what, "no place fits all the answers, so no place was taken over");
                }
                common
            }
        });
    }

    /// Whether places were named that could not be kept.
    pub fn has_lost_places(&self) -> bool {
        self.no_place
    }

    /// The kinds of organisations that something is limited to; the others are not welcome. None: no limit.
    pub fn only_for(&mut self, kinds: Vec<OrganisationKind>) {
        self.read += narrow(&mut self.who, kinds);
    }

    /// The kinds of data that something is limited to; the others are not given. None: no limit.
    pub fn only_of(&mut self, kinds: Vec<DataKind>) {
        self.read += narrow(&mut self.what, kinds);
    }

    /// One more disease; false if it belongs to another hierarchy than those before, or if there are too many.
    pub fn disease(&mut self, term: &str, ontology: TermSystem) -> bool {
        if self.choices.ontology.as_ref().is_some_and(|before| *before != ontology) {
            return false;
        }
        if self.choices.diseases.len() >= MAX_DISEASES {
            return false;
        }
        self.choices.ontology = Some(ontology);
        if !self.choices.diseases.iter().any(|other| other == term) {
            self.choices.diseases.push(term.to_owned());
        }
        self.read += 1;
        true
    }

    /// Takes back all that was allowed: something that limits it can not be said. What was refused stays.
    pub fn forget_permissions(&mut self) {
        const WHY: &str = "something that limits it can not be taken over";
        for (permission, answer) in std::mem::take(&mut self.permissions) {
            if answer == Answer::Yes {
                self.leave_out(named(permission), WHY);
            } else {
                self.permissions.push((permission, answer));
            }
        }
        for question in consent::Question::ALL {
            if self.choices.questions.get(*question) == Some(Answer::Yes) {
                self.choices.questions.set(*question, None);
                self.leave_out(&words::sentence("en", &Message::new(format!("question-{}", question.code()))), WHY);
            }
        }
        self.forgotten = true;
    }

    /// The end: settles what the answers say together.
    pub fn finish(mut self, format: Format) -> Imported {
        // Whoever gave places that can not be kept is not taken to allow each place.
        self.choices.places = self.places.take().filter(|_| !self.no_place);
        if let Some(kinds) = self.who.take() {
            limit(&mut self.choices.who, &kinds, self.forgotten);
        }
        if let Some(kinds) = self.what.take() {
            limit(&mut self.choices.what, &kinds, self.forgotten);
        }
        self.settle_scope();
        if self.choices.scope != Some(Permission::Ds) && !self.choices.diseases.is_empty() {
            let diseases = std::mem::take(&mut self.choices.diseases).join(", ");
            self.choices.ontology = None;
            self.leave_out(&diseases, "the answers do not limit research to these diseases");
        }
        if self.more > 0 {
            self.left_out.push(format!("And {} more.", self.more));
        }
        Imported { format, choices: self.choices, read: self.read, left_out: self.left_out }
    }

    /// The narrowest kind of research that was allowed, unless it or a kind inside it was refused: who says yes to
    /// something wide and to something narrow has not said which of the two counts.
    fn settle_scope(&mut self) {
        let said = |answer: Answer| {
            self.permissions.iter().filter(move |(_, other)| *other == answer).map(|(permission, _)| *permission)
        };
        let allowed: Vec<_> = said(Answer::Yes).collect();
        let narrowest = allowed.iter().copied().find(|one| allowed.iter().all(|other| other.includes(*one)));
        let refused = narrowest.and_then(|narrowest| {
            // Research can leave out where people come from, and be research still.
            let inner = |inner: &Permission| {
                narrowest.includes(*inner) && (*inner != Permission::Poa || narrowest == Permission::Poa)
            };
            said(Answer::No).chain(said(Answer::Undecided)).find(inner)
        });
        let no_origins = said(Answer::No).any(|permission| permission == Permission::Poa);
        match (narrowest, refused) {
            (Some(Permission::Ds), None) if self.choices.diseases.is_empty() => {
                self.leave_out(named(Permission::Ds), "no disease was named");
            }
            (Some(narrowest), None) => self.choices.scope = Some(narrowest),
            (Some(narrowest), Some(refused)) => {
                let why = format!("{} was answered in another way", named(refused));
                self.leave_out(named(narrowest), &why);
            }
            (None, _) => {
                for permission in allowed {
                    self.leave_out(named(permission), "it was allowed beside another kind of research");
                }
            }
        }
        if no_origins {
            let (answer, _) = both(self.choices.ancestry, Answer::No);
            self.choices.ancestry = Some(answer);
        }
    }
}

/// What research is for, in words for a person.
pub(super) fn named(permission: Permission) -> &'static str {
    match permission {
        Permission::Nres => "use for anything",
        Permission::Gru => "any kind of research",
        Permission::Hmb => "research on health",
        Permission::Ds => "research on named illnesses",
        Permission::Poa => "research on where people come from",
    }
}

fn both(before: Option<Answer>, answer: Answer) -> (Answer, bool) {
    match before {
        None => (answer, true),
        Some(before) if before == answer => (answer, true),
        Some(_) => (Answer::Undecided, false),
    }
}

/// One more limit to kinds; what remains lies in all of them. How many were read.
fn narrow<T: Copy + PartialEq>(limits: &mut Option<Vec<T>>, kinds: Vec<T>) -> u32 {
    if kinds.is_empty() {
        return 0;
    }
    let read = u32::try_from(kinds.len()).unwrap_or(u32::MAX);
    *limits = Some(match limits.take() {
        None => kinds,
        Some(before) => before.into_iter().filter(|kind| kinds.contains(kind)).collect(),
    });
    read
}

/// Kinds outside a limit are refused. Those inside it are allowed, unless they were refused elsewhere, or what allows
/// them was forgotten.
fn limit<T: Vocabulary + PartialEq>(answers: &mut Answers<T>, kinds: &[T], forgotten: bool) {
    for kind in T::ALL {
        if !kinds.contains(kind) {
            answers.set(*kind, Some(Answer::No));
        } else if answers.get(*kind).is_none() && !forgotten {
            answers.set(*kind, Some(Answer::Yes));
        }
    }
}

/// The places of either list that lie in the other, by the members that groups of countries have today.
fn common(one: &[String], other: &[String]) -> Vec<String> {
    let Ok(on) = LAST_DAY.parse::<Date>() else { return Vec::new() };
    let inside = |place: &str, all: &[String]| {
        let all: Vec<_> = all.iter().filter_map(|other| Place::read(other)).collect();
        Place::read(place).is_some_and(|place| all.iter().any(|other| place.within(*other, on)))
    };
    let mut kept: Vec<String> = one.iter().filter(|place| inside(place, other)).cloned().collect();
    let more: Vec<_> = other.iter().filter(|place| inside(place, one) && !kept.contains(place)).cloned().collect();
    kept.extend(more);
    kept
}

/// A foreign text as it can be shown: on one line, and not all of it.
pub(super) fn shown(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SHOWN + 1).collect();
    if clean.chars().count() > MAX_SHOWN {
        format!("{}…", clean.chars().take(MAX_SHOWN).collect::<String>())
    } else {
        clean
    }
}

#[cfg(test)]
mod tests;
