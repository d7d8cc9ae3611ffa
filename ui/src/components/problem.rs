//! What went wrong, and what the person can do about it.

use super::{Button, Icon, Shape};
use crate::i18n;
use bridge::Failure;
use yew::prelude::*;

/// Properties of a problem.
#[derive(Properties, PartialEq)]
pub struct ProblemProps {
    /// What the core said.
    pub failure: Failure,
    /// Tries again, where that makes sense.
    #[prop_or_default]
    pub on_retry: Option<Callback<()>>,
    /// Whether the step is on its way again.
    #[prop_or_default]
    pub busy: bool,
}

/// A panel that a screen reader reads at once.
#[component]
pub fn Problem(props: &ProblemProps) -> Html {
    let (happened, advice) = i18n::failure(&props.failure);
    html! {
        <div class="problem" role="alert">
            <Icon shape={Shape::Alert} size={22} />
            <div class="grow"><strong>{ happened }</strong><p>{ advice }</p></div>
            if let Some(on_press) = props.on_retry.clone() {
                <Button text={t!("retry")} {on_press} busy={props.busy} />
            }
        </div>
    }
}
