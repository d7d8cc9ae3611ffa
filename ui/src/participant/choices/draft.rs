//! What stands in the form: choices, and what they can not say while a person is still choosing.

use bridge::{DiseaseView, ImportView};
use consent::{
    Answers, Choices, ContactKind, DataKind, OrganisationKind, Permission, Question, ResultKind, Vocabulary,
};
use std::cell::RefCell;

/// What for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The person knows.
    For(Permission),
    /// The person is not sure.
    NotSure,
}

/// Where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// Anywhere.
    Anywhere,
    /// Only in the places that are named.
    Only,
    /// The person is not sure.
    NotSure,
}

/// A part of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What for.
    Purpose,
    /// Who.
    Who,
    /// Which data.
    What,
    /// Where.
    Where,
    /// Single questions.
    Questions,
    /// Results.
    Results,
    /// Contact.
    Contact,
}

impl Part {
    /// All parts, in the order of the page.
    pub const ALL: [Self; 7] =
        [Self::Purpose, Self::Who, Self::What, Self::Where, Self::Questions, Self::Results, Self::Contact];

    /// The name in the ids of its words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Purpose => "purpose",
            Self::Who => "who",
            Self::What => "what",
            Self::Where => "where",
            Self::Questions => "questions",
            Self::Results => "results",
            Self::Contact => "contact",
        }
    }

    /// The part before.
    pub fn previous(self) -> Option<Self> {
        let place = Self::ALL.iter().position(|part| *part == self)?;
        Self::ALL.get(place.checked_sub(1)?).copied()
    }

    /// The part after.
    pub fn next(self) -> Option<Self> {
        let place = Self::ALL.iter().position(|part| *part == self)?;
        Self::ALL.get(place + 1).copied()
    }
}

/// What stands in the form.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What for; nothing before the person answers.
    pub scope: Option<Scope>,
    /// Diseases, kept while the person looks at another scope.
    pub diseases: Vec<DiseaseView>,
    /// Where; nothing before the person answers.
    pub place: Option<Where>,
    /// Places, kept while the person looks at another answer.
    pub places: Vec<String>,
    /// The answers that are yes, no or not sure. Its other members are set by [`Draft::choices`].
    pub answers: Choices,
}

impl Draft {
    /// Starts from choices. `answered` tells whether they were ever saved: then what they leave open is "not sure",
    /// for that is what the program takes them for; otherwise nothing is chosen beforehand.
    pub fn new(choices: &Choices, diseases: &[DiseaseView], answered: bool) -> Self {
        let scope = choices.scope.map(Scope::For).or(answered.then_some(Scope::NotSure));
        let place = match &choices.places {
            Some(places) if places.is_empty() => Some(Where::Anywhere),
            Some(_) => Some(Where::Only),
            None => answered.then_some(Where::NotSure),
        };
        Self {
            scope,
            diseases: diseases.to_vec(),
            place,
            places: choices.places.clone().unwrap_or_default(),
            answers: choices.clone(),
        }
    }

    /// The choices as they would be saved. What is half chosen counts as not sure, never as more.
    pub fn choices(&self) -> Choices {
        let scope = match self.scope {
            Some(Scope::For(Permission::Ds)) if self.diseases.is_empty() => None,
            Some(Scope::For(permission)) => Some(permission),
            Some(Scope::NotSure) | None => None,
        };
        let named = scope == Some(Permission::Ds);
        let diseases = if named { self.diseases.iter().map(|one| one.term.clone()).collect() } else { Vec::new() };
        let places = match self.place {
            Some(Where::Anywhere) => Some(Vec::new()),
            // An empty list would mean anywhere.
            Some(Where::Only) if !self.places.is_empty() => Some(self.places.clone()),
            Some(Where::Only | Where::NotSure) | None => None,
        };
        Choices { scope, diseases, places, ..self.answers.clone() }
    }

    /// What was read from a file, laid over what stands in the form: the rest stays as it is. The file was read on top
    /// of the saved choices, so what differs from them is what it said.
    pub fn with_read(&self, read: &ImportView, saved: &Choices) -> Self {
        fn lay<Q: Vocabulary + PartialEq>(form: &mut Answers<Q>, read: Answers<Q>, saved: Answers<Q>) {
            for question in Q::ALL.iter().filter(|question| read.get(**question) != saved.get(**question)) {
                form.set(*question, read.get(*question));
            }
        }
        let said = &read.choices;
        let fresh = Self::new(said, &read.diseases, false);
        let mut next = self.clone();
        if said.scope != saved.scope || said.diseases != saved.diseases {
            (next.scope, next.diseases) = (fresh.scope, fresh.diseases);
        }
        if said.places != saved.places {
            (next.place, next.places) = (fresh.place, fresh.places);
        }
        let form = &mut next.answers;
        for (form, said, saved) in [
            (&mut form.ancestry, said.ancestry, saved.ancestry),
            (&mut form.methods, said.methods, saved.methods),
            (&mut form.commercial, said.commercial, saved.commercial),
        ] {
            if said != saved {
                *form = said;
            }
        }
        lay(&mut form.who, said.who, saved.who);
        lay(&mut form.what, said.what, saved.what);
        lay(&mut form.questions, said.questions, saved.questions);
        lay(&mut form.preferences.results, said.preferences.results, saved.preferences.results);
        lay(&mut form.preferences.contact, said.preferences.contact, saved.preferences.contact);
        next
    }

    /// The part where something is begun and not finished.
    pub fn unfinished(&self) -> Option<Part> {
        if self.scope == Some(Scope::For(Permission::Ds)) && self.diseases.is_empty() {
            Some(Part::Purpose)
        } else if self.place == Some(Where::Only) && self.places.is_empty() {
            Some(Part::Where)
        } else {
            None
        }
    }

    /// Whether it says something else than another one.
    pub fn differs(&self, other: &Self) -> bool {
        (self.scope, self.place) != (other.scope, other.place) || self.choices() != other.choices()
    }

    /// How many questions of a part are answered, and how many it has.
    pub fn count(&self, part: Part) -> (usize, usize) {
        fn of<Q: Vocabulary + PartialEq>(answers: Answers<Q>) -> (usize, usize) {
            (answers.iter().count(), Q::ALL.len())
        }
        let answers = &self.answers;
        match part {
            Part::Purpose => {
                let single = [answers.ancestry, answers.methods, answers.commercial];
                let answered = single.iter().filter(|answer| answer.is_some()).count();
                (answered + usize::from(self.scope.is_some()), single.len() + 1)
            }
            Part::Who => of::<OrganisationKind>(answers.who),
            Part::What => of::<DataKind>(answers.what),
            Part::Where => (usize::from(self.place.is_some()), 1),
            Part::Questions => of::<Question>(answers.questions),
            Part::Results => of::<ResultKind>(answers.preferences.results),
            Part::Contact => of::<ContactKind>(answers.preferences.contact),
        }
    }
}

thread_local! {
    /// Changes that are not saved, with the choices that they change: who looks at another page finds them again.
    static LEFT: RefCell<Option<(Choices, Draft)>> = const { RefCell::new(None) };
}

/// Keeps what is not saved while the window is open; nothing forgets it.
pub fn keep(saved: &Choices, draft: Option<&Draft>) {
    LEFT.set(draft.map(|draft| (saved.clone(), draft.clone())));
}

/// What was left unsaved on top of these choices.
pub fn left(saved: &Choices) -> Option<Draft> {
    LEFT.with_borrow(|left| left.as_ref().filter(|(base, _)| base == saved).map(|(_, draft)| draft.clone()))
}
