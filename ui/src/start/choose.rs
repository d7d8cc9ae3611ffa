//! Who are you?

use crate::app::Live;
use crate::components::{Icon, Problem, Shape, Title};
use crate::hooks::use_action;
use bridge::{OpenProfile, Role};
use yew::prelude::*;

/// Three cards, one a role.
#[component]
pub fn Choose() -> Html {
    let live = use_context::<Live>();
    let open = use_action::<OpenProfile>(Callback::from(move |session| {
        if let Some(live) = &live {
            live.enter.emit(session);
        }
    }));
    let card = |role: Role| {
        let shape = match role {
            Role::Participant => Shape::Person,
            Role::Staff => Shape::Desk,
            Role::Researcher => Shape::Microscope,
        };
        let name = role.name();
        let run = open.run.clone();
        let text_id = format!("role-text-{name}");
        html! {
            <li key={name}>
                <button class="role" disabled={open.busy} aria-describedby={text_id.clone()}
                    onclick={move |_| run.emit(OpenProfile { role })}>
                    <span class="disc"><Icon {shape} size={26} /></span>
                    <strong>{ t!(format!("choose-{name}")) }</strong>
                </button>
                <p class="soft" id={text_id}>{ t!(format!("choose-{name}-text")) }</p>
            </li>
        }
    };
    html! {
        <div class="welcome">
            <div class="brand"><span class="mark"><Icon shape={Shape::Helix} size={24} /></span>{ t!("app-name") }</div>
            <Title text={t!("choose-title")} />
            <p class="lead">{ t!("choose-lead") }</p>
            if let Some(failure) = open.failure.clone() {
                <Problem {failure} on_retry={open.again.clone()} />
            }
            <ul class="roles">{ for Role::ALL.into_iter().map(card) }</ul>
            <details class="about">
                <summary>{ t!("about-title", version = env!("CARGO_PKG_VERSION")) }</summary>
                <p class="soft">{ t!("about-licence") }</p>
                <p class="soft">{ t!("about-mondo") }</p>
                <p class="soft">{ t!("about-font") }</p>
            </details>
        </div>
    }
}
