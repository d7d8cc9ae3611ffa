//! What a step means: what it does to studies, and the text that is signed.

pub use super::choices::differences;
use crate::components::{Chip, Shape, Tone};
use crate::i18n;
use bridge::{EffectView, StatementView};
use consent::Effect;
use yew::prelude::*;

/// What would happen to each study: a word with its sign and colour, a sentence, and why.
pub fn effects(effects: &[EffectView]) -> Html {
    html! { <ul class="outcomes">{ for effects.iter().map(effect) }</ul> }
}

fn effect(view: &EffectView) -> Html {
    let (tone, shape, code) = match view.effect {
        Effect::GoesOn => (Tone::Ok, Shape::Check, "goesOn"),
        Effect::Opens => (Tone::Ok, Shape::Plus, "opens"),
        Effect::NeedsLook => (Tone::Wait, Shape::Eye, "needsLook"),
        Effect::Stops => (Tone::Stop, Shape::Cross, "stops"),
        Effect::StaysOut => (Tone::Off, Shape::Minus, "staysOut"),
    };
    html! {
        <li>
            <Chip {tone} {shape} text={t!(format!("effect-{code}"))} />
            <div class="grow">
                <p>{ t!(format!("effect-{code}-text"), study = view.title.clone()) }</p>
                if !view.reasons.is_empty() {
                    <ul class="lines soft small">
                        { for view.reasons.iter().map(|reason| html! { <li>{ i18n::message(reason) }</li> }) }
                    </ul>
                }
            </div>
        </li>
    }
}

/// The text that is signed, paragraph by paragraph.
pub fn paragraphs(statement: &StatementView) -> Html {
    html! {
        <div class="full-text">{ for statement.paragraphs.iter().map(|part| html! { <p>{ part }</p> }) }</div>
    }
}

/// The mark by which the text can be known again.
pub fn mark(statement: &StatementView) -> Html {
    html! {
        <dl class="evidence"><dt>{ t!("statement-mark") }</dt><dd class="code">{ &statement.digest }</dd></dl>
    }
}
