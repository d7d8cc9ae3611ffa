//! A state: always a word, a sign and a colour.

use super::{Icon, Shape};
use yew::prelude::*;

/// The colour's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Good.
    Ok,
    /// Not yet.
    Wait,
    /// Against, or broken.
    Stop,
    /// Over, or not in use.
    Off,
}

impl Tone {
    /// Its CSS class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wait => "wait",
            Self::Stop => "stop",
            Self::Off => "off",
        }
    }
}

/// Properties of a state.
#[derive(Properties, PartialEq)]
pub struct ChipProps {
    /// The colour's role.
    pub tone: Tone,
    /// The sign.
    pub shape: Shape,
    /// The word.
    pub text: AttrValue,
}

/// A state.
#[component]
pub fn Chip(props: &ChipProps) -> Html {
    html! {
        <span class={classes!("state", props.tone.class())}><Icon shape={props.shape} size={14} />{ &props.text }</span>
    }
}
