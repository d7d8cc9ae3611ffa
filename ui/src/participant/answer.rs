//! What an answer looks like in a list: its state in one word, its data and its rules.

use crate::components::{Chip, Shape, Tone};
use crate::i18n;
use bridge::{ConsentCard, RecordView};
use consent::{ConsentState, DataKind, Message};
use yew::prelude::*;

/// The state, as a word with its sign and colour. "Allowed" and "Stopped" only where the record's proof checked.
pub fn chip(card: &ConsentCard) -> Html {
    let over = card.until.is_some_and(|until| i18n::now() > until.end());
    let (tone, shape, id) = match (card.state, &card.record) {
        (_, RecordView::Refused) => (Tone::Stop, Shape::Alert, "state-problem"),
        (ConsentState::Refused, _) => (Tone::Off, Shape::Cross, "state-refused"),
        (ConsentState::Active | ConsentState::Withdrawn, RecordView::Saved | RecordView::Sent) => {
            (Tone::Wait, Shape::Cloud, "state-unrecorded")
        }
        (ConsentState::Withdrawn, _) => (Tone::Off, Shape::Cross, "state-stopped"),
        (ConsentState::Active, RecordView::Recorded(_)) if over => (Tone::Off, Shape::Flag, "state-ended"),
        (ConsentState::Active, RecordView::Recorded(_)) => (Tone::Ok, Shape::Check, "state-allowed"),
        (ConsentState::Requested | ConsentState::Deferred, _) => (Tone::Wait, Shape::Clock, "state-waiting"),
        _ => (Tone::Stop, Shape::Alert, "state-problem"),
    };
    html! { <Chip {tone} {shape} text={t!(id)} /> }
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
