//! What the choices mean for the studies that run or ask, while the person still thinks.

use crate::components::{Chip, Icon, Shape, Tone, loaded_part};
use crate::hooks::use_load;
use crate::i18n;
use bridge::{EffectView, SimulateChoices, SimulationView};
use consent::{Choices, Difference, Direction, Effect, Message};
use wasm_bindgen::prelude::*;
use yew::prelude::*;

/// How long the choices must stand still before the core is asked.
const STILL_MS: i32 = 300;

/// Properties of the panel.
#[derive(Properties, PartialEq)]
pub struct MeaningProps {
    /// The choices as they stand in the form.
    pub choices: Choices,
    /// Whether they differ from what is saved.
    pub changed: bool,
}

/// The panel.
#[component]
pub fn Meaning(props: &MeaningProps) -> Html {
    let choices = use_still(&props.choices);
    let (load, reload) = use_load(SimulateChoices { choices });
    let changed = props.changed;
    html! {
        <section class="meaning" aria-labelledby="choices-meaning">
            <h2 id="choices-meaning">{ t!("choices-meaning") }</h2>
            { loaded_part(&load, &reload, |view| panel(&view, changed)) }
        </section>
    }
}

fn panel(view: &SimulationView, changed: bool) -> Html {
    let fits = view.effects.iter().filter(|one| matches!(one.effect, Effect::GoesOn | Effect::Opens)).count();
    html! {
        <>
            <p class="soft" role="status">
                { t!("choices-meaning-count", fits = fits, all = view.effects.len()) }</p>
            if view.effects.is_empty() {
                <p class="soft small">{ t!("choices-meaning-empty") }</p>
            } else {
                <ul class="effects">{ for view.effects.iter().map(effect) }</ul>
            }
            <p class="soft small">{ t!("choices-meaning-note") }</p>
            if changed {
                <h3>{ t!("choices-differences") }</h3>
                if view.differences.is_empty() {
                    <p class="soft small">{ t!("choices-differences-none") }</p>
                }
                { differences(&view.differences) }
            }
        </>
    }
}

fn effect(view: &EffectView) -> Html {
    // Choices stop nothing and start nothing, so the words here are those of fitting, not of stopping.
    let (tone, shape, id) = match view.effect {
        Effect::GoesOn => (Tone::Ok, Shape::Check, "choices-effect-goesOn"),
        Effect::Opens => (Tone::Ok, Shape::Plus, "choices-effect-opens"),
        Effect::Stops => (Tone::Stop, Shape::Cross, "choices-effect-stops"),
        Effect::NeedsLook => (Tone::Wait, Shape::Eye, "choices-effect-needsLook"),
        Effect::StaysOut => (Tone::Off, Shape::Minus, "choices-effect-staysOut"),
    };
    html! {
        <li key={view.study.to_string()}>
            <p class="study">{ &view.title }</p>
            <Chip {tone} {shape} text={t!(id)} />
            if !view.reasons.is_empty() {
                <ul class="soft small reasons">
                    { for view.reasons.iter().map(|reason| html! { <li>{ i18n::message(reason) }</li> }) }
                </ul>
            }
        </li>
    }
}

/// The differences of two versions, those that allow more first, each with what it was and what it is.
pub fn differences(differences: &[Difference]) -> Html {
    let groups = [
        (Direction::Wider, Shape::Plus, "direction-wider"),
        (Direction::Narrower, Shape::Minus, "direction-narrower"),
        (Direction::Other, Shape::Switch, "direction-other"),
    ];
    let group = |(direction, shape, id): (Direction, Shape, &str)| {
        let mut rows = differences.iter().filter(|one| one.direction == direction).peekable();
        rows.peek()?;
        Some(html! {
            <div class="difference">
                <h4><Icon {shape} size={16} />{ t!(id) }</h4>
                <ul class="lines">{ for rows.map(difference) }</ul>
            </div>
        })
    };
    html! { <div class="differences">{ for groups.into_iter().filter_map(group) }</div> }
}

fn difference(one: &Difference) -> Html {
    match (&one.before, &one.after) {
        (Some(before), Some(after)) if before.id == after.id && question(before).is_some() => html! {
            <li><p>{ i18n::message(before) }</p>
                <p class="soft small">{ t!("choices-was", text = answer(before)) }</p>
                <p>{ t!("choices-is", text = answer(after)) }</p></li>
        },
        (Some(before), Some(after)) => html! {
            <li><p class="soft small">{ t!("choices-was", text = sentence(before)) }</p>
                <p>{ t!("choices-is", text = sentence(after)) }</p></li>
        },
        (None, Some(after)) => html! { <li>{ t!("choices-came", text = sentence(after)) }</li> },
        (Some(before), None) => html! { <li>{ t!("choices-gone", text = sentence(before)) }</li> },
        (None, None) => Html::default(),
    }
}

/// A clause in words. The words of a question leave out its answer, so it is said after it.
fn sentence(message: &Message) -> String {
    match question(message) {
        Some(_) => t!("choices-answered", question = i18n::message(message), answer = answer(message)),
        None => i18n::message(message),
    }
}

/// The answer's code, if the message is a question with its answer.
fn question(message: &Message) -> Option<&str> {
    let is_question = ["question-", "result-", "contact-"].iter().any(|start| message.id.starts_with(start));
    message.args.get("answer").filter(|_| is_question).map(String::as_str)
}

fn answer(message: &Message) -> String {
    question(message).map(|code| t!(format!("answer-{code}"))).unwrap_or_default()
}

/// A value once it has stood still for a while.
#[hook]
fn use_still<T: Clone + PartialEq + 'static>(value: &T) -> T {
    let still = use_state(|| value.clone());
    {
        let still = still.setter();
        use_effect_with(value.clone(), move |value| {
            let value = value.clone();
            let timer = Timeout::start(STILL_MS, move || still.set(value));
            move || drop(timer)
        });
    }
    (*still).clone()
}

/// A timer that rings once, and not at all if it is dropped before.
struct Timeout {
    id: Option<i32>,
    _closure: Closure<dyn FnMut()>,
}

impl Timeout {
    fn start(after_ms: i32, ring: impl FnOnce() + 'static) -> Self {
        let closure = Closure::once(ring);
        let function = closure.as_ref().unchecked_ref();
        let id = web_sys::window()
            .and_then(|w| w.set_timeout_with_callback_and_timeout_and_arguments_0(function, after_ms).ok());
        Self { id, _closure: closure }
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        if let (Some(window), Some(id)) = (web_sys::window(), self.id) {
            window.clear_timeout_with_handle(id);
        }
    }
}
