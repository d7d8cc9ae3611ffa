//! The study's questions, and the wishes about results and contact. None is answered beforehand, and none has to be.

use crate::components::{AnswerField, Chip, Shape, Tone};
use bridge::RequestView;
use consent::{Answer, Answers, Choice, ContactKind, Preferences, Question, ResultKind, Vocabulary};
use std::rc::Rc;
use yew::prelude::*;

/// Whether the study asks anything.
pub fn asked(view: &RequestView) -> bool {
    !view.questions.is_empty() || !view.results.is_empty() || !view.contact.is_empty()
}

/// Properties of the part.
#[derive(Properties, PartialEq)]
pub struct WishesProps {
    /// The request.
    pub view: Rc<RequestView>,
    /// What is chosen.
    pub choice: Choice,
    /// Takes what is chosen.
    pub on_choice: Callback<Choice>,
}

/// The part.
#[component]
pub fn Wishes(props: &WishesProps) -> Html {
    let (view, choice) = (&props.view, &props.choice);
    let before = view.current.as_ref();
    // Each field changes a copy of what is chosen.
    let keep = || (props.on_choice.clone(), choice.clone());
    let question = |question: &Question| {
        let (on_choice, choice) = keep();
        field("question", *question, choice.answers, before.map(|before| before.answers), move |answers| {
            on_choice.emit(Choice { answers, ..choice.clone() });
        })
    };
    let result = |result: &ResultKind| {
        let (on_choice, choice) = keep();
        let (now, before) = (choice.preferences.results, before.map(|before| before.preferences.results));
        field("result", *result, now, before, move |results| {
            let preferences = Preferences { results, ..choice.preferences };
            on_choice.emit(Choice { preferences, ..choice.clone() });
        })
    };
    let contact = |reason: &ContactKind| {
        let (on_choice, choice) = keep();
        let (now, before) = (choice.preferences.contact, before.map(|before| before.preferences.contact));
        field("contact", *reason, now, before, move |contact| {
            let preferences = Preferences { contact, ..choice.preferences };
            on_choice.emit(Choice { preferences, ..choice.clone() });
        })
    };
    html! {
        <div class="wishes">
            if !view.questions.is_empty() {
                <h2>{ t!("request-questions") }</h2>
                <p class="soft">{ t!("request-questions-help") }</p>
                { for view.questions.iter().map(question) }
            }
            if !view.results.is_empty() {
                <h2>{ t!("request-results") }</h2>
                { for view.results.iter().map(result) }
            }
            if !view.contact.is_empty() {
                <h2>{ t!("request-contact") }</h2>
                { for view.contact.iter().map(contact) }
            }
        </div>
    }
}

/// One question; where an answer is in force, a mark if it becomes another one.
fn field<Q: Vocabulary + PartialEq>(
    kind: &str,
    question: Q,
    now: Answers<Q>,
    before: Option<Answers<Q>>,
    set: impl Fn(Answers<Q>) + 'static,
) -> Html {
    let id = format!("{kind}-{}", question.code());
    let differs = before.is_some_and(|before| before.get(question) != now.get(question));
    let on_answer = Callback::from(move |answer: Answer| set(now.with(question, answer)));
    html! {
        <div class="wish" key={id.clone()}>
            <AnswerField id={id.clone()} question={t!(id)} help={t!(format!("{id}-help"))} answer={now.get(question)}
                {on_answer} />
            if differs {
                <Chip tone={Tone::Wait} shape={Shape::Pen} text={t!("change-mark")} />
            }
        </div>
    }
}
