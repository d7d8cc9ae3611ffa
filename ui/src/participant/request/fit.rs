//! Whether a request fits the person's choices: a hint, never an answer.

use crate::components::{Button, Icon, Kind, Shape, Tone};
use crate::i18n;
use crate::participant::Page;
use bridge::FitView;
use consent::Outcome;
use yew::prelude::*;

/// How an outcome looks here: colour, sign and the id of its words.
pub fn look(outcome: Outcome) -> (Tone, Shape, &'static str) {
    match outcome {
        Outcome::Permit => (Tone::Ok, Shape::Check, "fits-permit"),
        Outcome::Deny => (Tone::Stop, Shape::Alert, "fits-deny"),
        Outcome::Review => (Tone::Wait, Shape::Ask, "fits-review"),
    }
}

/// The hint, with what stands against the request or is open.
pub fn note(fits: &FitView, go: &Callback<Page>) -> Html {
    let (tone, shape, id) = look(fits.outcome);
    html! {
        <section class={classes!("fit", tone.class())} aria-labelledby="fit">
            <Icon {shape} size={22} />
            <div class="grow">
                <h2 id="fit">{ t!(id) }</h2>
                if !fits.reasons.is_empty() {
                    <ul class="lines">
                        { for fits.reasons.iter().map(|reason| html! { <li>{ i18n::message(reason) }</li> }) }
                    </ul>
                }
                <p class="soft small">{ t!("fits-free") }</p>
            </div>
            <Button kind={Kind::Quiet} text={t!("fits-see")} on_press={go.reform(|()| Page::Choices)} />
        </section>
    }
}
