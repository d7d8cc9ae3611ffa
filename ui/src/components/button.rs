//! A button that shows when its step is on the way.

use super::{Icon, Shape};
use yew::prelude::*;

/// How much weight a button has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// One of several that weigh the same.
    #[default]
    Plain,
    /// The one step that the page is for.
    Main,
    /// A way out, or a side step.
    Quiet,
    /// The way to a step that ends something.
    Stop,
    /// The step that ends something.
    Danger,
}

/// Properties of a button.
#[derive(Properties, PartialEq)]
pub struct ButtonProps {
    /// Its words, which are its accessible name.
    pub text: AttrValue,
    /// Its weight.
    #[prop_or_default]
    pub kind: Kind,
    /// A sign before the words.
    #[prop_or_default]
    pub icon: Option<Shape>,
    /// Whether its step is on the way.
    #[prop_or_default]
    pub busy: bool,
    /// The id of the element that says what the button is about.
    #[prop_or_default]
    pub about: Option<AttrValue>,
    /// Whether it sends the form around it; then `on_press` may stay away.
    #[prop_or_default]
    pub submits: bool,
    /// What to do.
    #[prop_or_default]
    pub on_press: Callback<()>,
}

/// A button. While busy it keeps its place, name and focus, and does nothing.
#[component]
pub fn Button(props: &ButtonProps) -> Html {
    let class = match props.kind {
        Kind::Plain => "plain",
        Kind::Main => "main",
        Kind::Quiet => "quiet",
        Kind::Stop => "stop",
        Kind::Danger => "danger",
    };
    let (press, busy, submits) = (props.on_press.clone(), props.busy, props.submits);
    let onclick = Callback::from(move |event: MouseEvent| {
        if busy {
            event.prevent_default();
        } else if !submits {
            press.emit(());
        }
    });
    html! {
        <button type={if submits { "submit" } else { "button" }} {class} {onclick}
            aria-busy={busy.then_some("true")} aria-disabled={busy.then_some("true")}
            aria-describedby={props.about.clone()}>
            if busy {
                <span class="spinner" aria-hidden="true"></span>
            } else if let Some(shape) = props.icon {
                <Icon {shape} size={18} />
            }
            <span>{ &props.text }</span>
        </button>
    }
}
