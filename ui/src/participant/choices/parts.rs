//! The questions of each part.

use super::draft::{Draft, Part, Scope, Where};
use super::places::PlaceSearch;
use crate::components::{AnswerField, DiseaseSearch};
use consent::{
    Answer, Answers, Choices, ContactKind, DataKind, OrganisationKind, Permission, Question, ResultKind, Vocabulary,
};
use std::rc::Rc;
use yew::prelude::*;

/// Questions that can be hard to read stand in a disclosure.
const DELICATE: [Question; 6] = [
    Question::Population,
    Question::VulnerablePopulations,
    Question::IllegalBehavior,
    Question::SexualDiseases,
    Question::PsychologicalTraits,
    Question::StigmatizeDiseases,
];

/// A way to change a draft that a control can hold on to.
#[derive(Clone)]
struct Change {
    draft: Rc<Draft>,
    on_draft: Callback<Draft>,
}

impl Change {
    fn by<T: 'static>(&self, edit: impl Fn(&mut Draft, T) + 'static) -> Callback<T> {
        let Self { draft, on_draft } = self.clone();
        Callback::from(move |value: T| {
            let mut next = (*draft).clone();
            edit(&mut next, value);
            on_draft.emit(next);
        })
    }
}

/// The questions of one part.
pub fn part(part: Part, draft: &Draft, on_draft: &Callback<Draft>, complain: bool) -> Html {
    let change = Change { draft: Rc::new(draft.clone()), on_draft: on_draft.clone() };
    match part {
        Part::Purpose => purpose(&change, complain),
        Part::Who => answers(&change, "recipient", OrganisationKind::ALL, |choices| &mut choices.who),
        Part::What => answers(&change, "data-my", DataKind::ALL, |choices| &mut choices.what),
        Part::Where => places(&change, complain),
        Part::Questions => questions(&change),
        Part::Results => answers(&change, "result", ResultKind::ALL, |choices| &mut choices.preferences.results),
        Part::Contact => answers(&change, "contact", ContactKind::ALL, |choices| &mut choices.preferences.contact),
    }
}

/// One question for each term. A label of a few words has none of its own help and stands beside its answers.
fn answers<Q: Vocabulary + PartialEq + 'static>(
    change: &Change,
    kind: &'static str,
    terms: &[Q],
    of: fn(&mut Choices) -> &mut Answers<Q>,
) -> Html {
    let short = matches!(kind, "recipient" | "data-my");
    let mut now = change.draft.answers.clone();
    let now = *of(&mut now);
    let field = |term: &Q| {
        let term = *term;
        let code = term.code();
        let on_answer = change.by(move |draft, answer| of(&mut draft.answers).set(term, Some(answer)));
        let help = (!short).then(|| AttrValue::from(t!(format!("{kind}-{code}-help"))));
        html! {
            <AnswerField key={code} id={format!("{kind}-{code}")} question={t!(format!("{kind}-{code}"))} {help}
                answer={now.get(term)} {on_answer} />
        }
    };
    html! { <div class={classes!("answers-of", short.then_some("short"))}>{ for terms.iter().map(field) }</div> }
}

fn questions(change: &Change) -> Html {
    let (delicate, plain): (Vec<Question>, Vec<Question>) =
        Question::ALL.iter().copied().partition(|question| DELICATE.contains(question));
    html! {
        <>
            { answers(change, "question", &plain, |choices| &mut choices.questions) }
            <details class="delicate">
                <summary>{ t!("choices-delicate", count = delicate.len()) }</summary>
                { answers(change, "question", &delicate, |choices| &mut choices.questions) }
            </details>
        </>
    }
}

fn purpose(change: &Change, complain: bool) -> Html {
    let draft = &change.draft;
    let scope = draft.scope;
    let mut options = vec![
        ("any", Scope::For(Permission::Gru), matches!(scope, Some(Scope::For(Permission::Gru | Permission::Nres)))),
        ("health", Scope::For(Permission::Hmb), scope == Some(Scope::For(Permission::Hmb))),
        ("some", Scope::For(Permission::Ds), scope == Some(Scope::For(Permission::Ds))),
    ];
    if scope == Some(Scope::For(Permission::Poa)) {
        options.push(("ancestry", Scope::For(Permission::Poa), true));
    }
    options.push(("unsure", Scope::NotSure, scope == Some(Scope::NotSure)));
    let single = |id: &'static str, now: Option<Answer>, of: fn(&mut Choices) -> &mut Option<Answer>| {
        html! {
            <AnswerField id={format!("choices-{id}")} question={t!(format!("choices-{id}"))}
                help={t!(format!("choices-{id}-help"))} answer={now}
                on_answer={change.by(move |draft, answer| *of(&mut draft.answers) = Some(answer))} />
        }
    };
    let missing = complain && draft.unfinished() == Some(Part::Purpose);
    html! {
        <>
            { options_of("scope", options, &change.by(|draft, scope| draft.scope = Some(scope))) }
            if scope == Some(Scope::For(Permission::Ds)) {
                <div class="inset">
                    <DiseaseSearch id="choices-diseases" label={t!("choices-diseases")}
                        hint={t!("choices-diseases-hint")} chosen={draft.diseases.clone()}
                        error={missing.then(|| AttrValue::from(t!("choices-diseases-missing")))}
                        on_change={change.by(|draft, diseases| draft.diseases = diseases)} />
                </div>
            }
            <div class="answers-of">
                { single("ancestry", draft.answers.ancestry, |choices| &mut choices.ancestry) }
                { single("methods", draft.answers.methods, |choices| &mut choices.methods) }
                { single("commercial", draft.answers.commercial, |choices| &mut choices.commercial) }
            </div>
        </>
    }
}

fn places(change: &Change, complain: bool) -> Html {
    let draft = &change.draft;
    let options = [("anywhere", Where::Anywhere), ("only", Where::Only), ("unsure", Where::NotSure)];
    let options = options.map(|(name, place)| (name, place, draft.place == Some(place)));
    let missing = complain && draft.unfinished() == Some(Part::Where);
    html! {
        <>
            { options_of("place", options.to_vec(), &change.by(|draft, place| draft.place = Some(place))) }
            if draft.place == Some(Where::Only) {
                <div class="inset">
                    <PlaceSearch chosen={draft.places.clone()}
                        error={missing.then(|| AttrValue::from(t!("choices-places-missing")))}
                        on_change={change.by(|draft, places| draft.places = places)} />
                </div>
            }
        </>
    }
}

/// One question with answers of its own, each with a word of help.
fn options_of<T: Copy + 'static>(
    name: &'static str,
    options: Vec<(&'static str, T, bool)>,
    on_choose: &Callback<T>,
) -> Html {
    let option = |(code, value, on): (&'static str, T, bool)| {
        let id = format!("choices-{name}-{code}");
        html! {
            <div class="choice" key={code}>
                <input type="radio" id={id.clone()} name={format!("choices-{name}")} value={code} checked={on}
                    onchange={on_choose.reform(move |_: Event| value)} aria-describedby={format!("{id}-help")} />
                <div>
                    <label for={id.clone()}>{ t!(id.clone()) }</label>
                    <p class="soft small" id={format!("{id}-help")}>{ t!(format!("{id}-help")) }</p>
                </div>
            </div>
        }
    };
    html! {
        <fieldset class="answer-field">
            <legend>{ t!(format!("choices-{name}")) }</legend>
            { for options.into_iter().map(option) }
        </fieldset>
    }
}
