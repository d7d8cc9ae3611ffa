//! What an answer looks like: its state in one word, its data, its rules, and what was answered to questions.

use crate::components::{Chip, Shape, Tone};
use crate::i18n;
use bridge::{ConsentCard, RecordView};
use consent::{Answer, Choice, ConsentState, DataKind, Message, Vocabulary};
use yew::prelude::*;

/// The state, as a word with its sign and colour. What was signed counts as done only where the record's proof checked.
pub fn chip(card: &ConsentCard) -> Html {
    let signed = !matches!(card.state, ConsentState::Refused | ConsentState::Requested | ConsentState::Deferred);
    let (tone, shape, word) = match &card.record {
        RecordView::Refused => (Tone::Stop, Shape::Alert, t!("state-problem")),
        RecordView::Saved | RecordView::Sent if signed => (Tone::Wait, Shape::Cloud, t!("state-unrecorded")),
        _ => look(card),
    };
    html! { <Chip {tone} {shape} text={word} /> }
}

fn look(card: &ConsentCard) -> (Tone, Shape, String) {
    let over = card.until.is_some_and(|until| i18n::now() > until.end());
    match (card.state, card.paused_until) {
        (ConsentState::Active, _) if over => state(ConsentState::Expired),
        (ConsentState::Suspended, Some(day)) => {
            (Tone::Wait, Shape::Pause, t!("state-paused-until", date = i18n::date(day)))
        }
        (other, _) => state(other),
    }
}

/// How a state looks, and its word.
pub fn state(state: ConsentState) -> (Tone, Shape, String) {
    match state {
        ConsentState::Active => (Tone::Ok, Shape::Check, t!("state-allowed")),
        ConsentState::Requested | ConsentState::Deferred => (Tone::Wait, Shape::Clock, t!("state-waiting")),
        ConsentState::Expired | ConsentState::Revoked => (Tone::Off, Shape::Flag, t!("state-ended")),
        ConsentState::Withdrawn | ConsentState::DestroySample => (Tone::Off, Shape::Cross, t!("state-stopped")),
        ConsentState::NoContact | ConsentState::NoAccess => {
            (Tone::Wait, Shape::Minus, t!(format!("state-{}", state.code())))
        }
        ConsentState::Suspended => (Tone::Wait, Shape::Pause, t!("state-suspended")),
        ConsentState::Superseded => (Tone::Off, Shape::Layers, t!("state-superseded")),
        ConsentState::Refused => (Tone::Off, Shape::Cross, t!("state-refused")),
        ConsentState::Invalidated => (Tone::Stop, Shape::Alert, t!("state-invalidated")),
        _ => (Tone::Stop, Shape::Alert, t!("state-problem")),
    }
}

/// "My DNA data", one a line.
pub fn my_data(kinds: &[DataKind]) -> Html {
    html! { <ul class="lines">{ for kinds.iter().map(|kind| html! { <li>{ my(*kind) }</li> }) }</ul> }
}

/// "My DNA data".
pub fn my(kind: DataKind) -> String {
    t!(format!("data-my-{}", kind.code()))
}

/// The rules, one sentence a line.
pub fn rules(rules: &[Message]) -> Html {
    html! { <ul class="lines">{ for rules.iter().map(|rule| html! { <li>{ i18n::message(rule) }</li> }) }</ul> }
}

/// Each question with its answer; nothing where none was answered.
pub fn answers(choice: &Choice) -> Option<Html> {
    let say = |kind: &str, code: &str, answer: Answer| {
        html! {
            <li><span>{ t!(format!("{kind}-{code}")) }</span>{ " " }
                <strong>{ t!(format!("answer-{}", answer.code())) }</strong></li>
        }
    };
    let questions = choice.answers.iter().map(|(asked, answer)| say("question", asked.code(), answer));
    let results = choice.preferences.results.iter().map(|(asked, answer)| say("result", asked.code(), answer));
    let contact = choice.preferences.contact.iter().map(|(asked, answer)| say("contact", asked.code(), answer));
    let all: Vec<Html> = questions.chain(results).chain(contact).collect();
    (!all.is_empty()).then(|| html! { <ul class="lines asked">{ for all }</ul> })
}
