//! The participant's standing choices: saved, compared with what studies ask, and tried out.

use crate::clock::now;
use crate::event::Event;
use crate::exchange::{self, ImportError};
use crate::profile::Profile;
use crate::story::Story;
use bridge::{ChoicesView, Code, DiseaseView, Diseases, EffectView, Failure, FitView, ImportView, SimulationView};
use consent::ontology::{Found, Ontology};
use consent::{
    Answers, Choices, ConsentState, Decision, Effect, Matcher, Message, Outcome, Permission, Preferences, ReasonCode,
    StudyRequest, TermSystem, Vocabulary, disease_name, explain,
};

/// The longest search for a disease, in characters.
const LONGEST_QUERY: usize = 100;
/// How many diseases a search shows.
const FOUND: usize = 12;
/// How many diseases a person can choose.
const MOST_DISEASES: usize = 40;

/// What was saved last.
pub fn view(profile: &Profile) -> Result<ChoicesView, Failure> {
    profile.read(|story| {
        let (choices, saved) =
            story.choices.clone().map_or_else(|| (Choices::default(), None), |(c, at)| (c, Some(at)));
        ChoicesView { diseases: named(&choices), choices, saved }
    })
}

/// Saves choices that this version understands.
pub fn save(profile: &Profile, choices: Choices) -> Result<(), Failure> {
    let choices = checked(choices)?;
    profile.record(Event::ChoicesSaved { choices })
}

/// What other choices would mean for each study that runs or asks.
pub fn simulate(profile: &Profile, choices: Choices) -> Result<SimulationView, Failure> {
    let choices = checked(choices)?;
    profile.read(|story| {
        let before = saved(story);
        // Against choices that were never made there is nothing to be different from.
        let differences = story.choices.as_ref().map(|(saved, _)| {
            explain((&saved.policy(), &saved.preferences), (&choices.policy(), &choices.preferences))
        });
        let effects = concerned(story)
            .map(|request| {
                let after = compare(&choices, request);
                let effect = Effect::between(compare(&before, request).outcome, after.outcome);
                EffectView {
                    study: request.id.clone(),
                    title: request.title.clone(),
                    effect,
                    reasons: objections(&after),
                }
            })
            .collect();
        SimulationView { differences: differences.unwrap_or_default(), effects }
    })
}

/// Whether a request fits the saved choices, and what stands against it.
pub fn fit(story: &Story, request: &StudyRequest) -> FitView {
    let decision = compare(&saved(story), request);
    FitView { outcome: decision.outcome, reasons: objections(&decision) }
}

/// Choices from a file of another system, on top of the saved ones.
pub fn import(profile: &Profile, text: &str) -> Result<ImportView, Failure> {
    let imported = exchange::import(text).map_err(|error| match error {
        ImportError::TooLong | ImportError::TooMany => Code::TooLarge,
        _ => Code::ImportUnreadable,
    })?;
    let (mut found, mut left_out) = (imported.choices, imported.left_out);
    // A disease that this hierarchy does not know can not be compared, so it is not taken over.
    found.diseases.retain(|term| {
        let known = matches!(Ontology::mondo().find(term), Found::Live(_));
        if !known {
            left_out.push(format!("{term}: this wallet does not know the illness"));
        }
        known
    });
    if found.scope == Some(Permission::Ds) && found.diseases.is_empty() {
        found.scope = None;
    }
    let choices = checked(over(profile.read(saved)?, found))?;
    Ok(ImportView { diseases: named(&choices), choices, read: imported.read, left_out })
}

/// One set of choices on top of another: what the upper one leaves open, the lower one says.
fn over(lower: Choices, upper: Choices) -> Choices {
    fn both<Q: Vocabulary + PartialEq>(lower: Answers<Q>, upper: Answers<Q>) -> Answers<Q> {
        lower.iter().chain(upper.iter()).collect()
    }
    let scope = upper.scope.or(lower.scope);
    let diseases = if upper.scope.is_some() { upper.diseases } else { lower.diseases };
    Choices {
        scope,
        diseases,
        ontology: None,
        ancestry: upper.ancestry.or(lower.ancestry),
        methods: upper.methods.or(lower.methods),
        commercial: upper.commercial.or(lower.commercial),
        who: both(lower.who, upper.who),
        what: both(lower.what, upper.what),
        places: upper.places.or(lower.places),
        questions: both(lower.questions, upper.questions),
        preferences: Preferences {
            results: both(lower.preferences.results, upper.preferences.results),
            contact: both(lower.preferences.contact, upper.preferences.contact),
        },
    }
}

/// Diseases by name, for a person who types.
pub fn search(query: &str) -> Diseases {
    let mondo = Ontology::mondo();
    let query: String = query.chars().take(LONGEST_QUERY).collect();
    let found = mondo.search(&query, FOUND).into_iter();
    let found = found.map(|hit| DiseaseView { term: hit.curie, label: hit.label, synonym: hit.synonym }).collect();
    Diseases { found, ontology: format!("{} {}", mondo.prefix(), mondo.version()) }
}

/// Names of the diseases in choices.
pub fn named(choices: &Choices) -> Vec<DiseaseView> {
    let view = |term: &String| DiseaseView { term: term.clone(), label: disease_name(term), synonym: None };
    choices.diseases.iter().map(view).collect()
}

/// What stands against a decision or leaves it open, in a participant's words: each point once.
pub fn objections(decision: &Decision<'_>) -> Vec<Message> {
    let against = decision.reasons.iter().filter(|reason| reason.outcome != Outcome::Permit);
    let mut points: Vec<Message> = against
        .map(|reason| {
            let (policy, purpose) = (reason.policy.as_ref(), reason.purpose.as_ref());
            match reason.code {
                ReasonCode::DataNotShared => Message::new("fit-data").with("data", purpose),
                ReasonCode::AnsweredNotSure if policy == "data" => Message::new("fit-data-open").with("data", purpose),
                ReasonCode::RecipientNotAllowed => Message::new("fit-who").with("recipients", purpose),
                ReasonCode::AnsweredNotSure if policy == "recipients" => {
                    Message::new("fit-who-open").with("recipients", purpose)
                }
                ReasonCode::PlaceNotAllowed => Message::new("fit-place").with("places", purpose),
                ReasonCode::Commercial | ReasonCode::CommercialNotStated | ReasonCode::ForProfit => {
                    Message::new("fit-money")
                }
                ReasonCode::NoMethods => Message::new("fit-methods"),
                ReasonCode::NoAncestry => Message::new("fit-ancestry"),
                ReasonCode::TopicNotCovered | ReasonCode::DiseaseNotCovered | ReasonCode::NothingPermitted => {
                    Message::new("fit-purpose")
                }
                ReasonCode::AnsweredNo => Message::new("fit-question").with("question", format!("question-{policy}")),
                ReasonCode::AnsweredNotSure if policy == "scope" => Message::new("fit-purpose-open"),
                ReasonCode::AnsweredNotSure if policy == "places" => Message::new("fit-place-open"),
                ReasonCode::Withdrawn | ReasonCode::Refused | ReasonCode::Paused | ReasonCode::Expired => {
                    Message::new("fit-not-in-force")
                }
                _ if reason.outcome == Outcome::Deny => Message::new("fit-not-allowed"),
                _ => Message::new("fit-open"),
            }
        })
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    points.retain(|point| seen.insert(point.clone()));
    points
}

fn saved(story: &Story) -> Choices {
    story.choices.as_ref().map(|(choices, _)| choices.clone()).unwrap_or_default()
}

fn compare(choices: &Choices, request: &StudyRequest) -> Decision<'static> {
    choices.compare(&Matcher::new(&[Ontology::mondo()]), &request.purpose, now().date())
}

/// The studies that run with this person's data, and those that ask.
fn concerned(story: &Story) -> impl Iterator<Item = &StudyRequest> {
    let day = now().date();
    let running = story
        .answers
        .values()
        .filter(move |answer| answer.state(day).allows_use() || answer.state(day) == ConsentState::Suspended);
    running.map(|answer| &answer.request).chain(story.waiting(day))
}

/// Choices from the window or a file: bounded, and each disease a term of the hierarchy at hand.
pub fn checked(mut choices: Choices) -> Result<Choices, Failure> {
    let mondo = Ontology::mondo();
    let known = |term: &String| matches!(mondo.find(term), Found::Live(_));
    let places = choices.places.iter().flatten();
    if choices.diseases.len() > MOST_DISEASES
        || !choices.diseases.iter().all(known)
        || places.clone().count() > 300
        || !places.clone().all(|place| consent::Place::read(place).is_some())
    {
        return Err(Code::NotPossible.into());
    }
    choices.ontology = (!choices.diseases.is_empty())
        .then(|| TermSystem { system: mondo.prefix().to_owned(), version: mondo.version().to_owned() });
    Ok(choices)
}
