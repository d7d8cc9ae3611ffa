//! The first run of a role: what the key is and where it lives, and one button.

use crate::app::Live;
use crate::components::{Button, Icon, Kind, Problem, Shape, Title};
use crate::hooks::use_action;
use bridge::{CloseProfile, CreateProfile, Role};
use yew::prelude::*;

/// Properties of the first run.
#[derive(Properties, PartialEq)]
pub struct FirstRunProps {
    /// Whose first run.
    pub role: Role,
}

/// Explains, then makes the key.
#[component]
pub fn FirstRun(props: &FirstRunProps) -> Html {
    let live = use_context::<Live>();
    let enter = Callback::from(move |session| {
        if let Some(live) = &live {
            live.enter.emit(session);
        }
    });
    let make = use_action::<CreateProfile>(enter.clone());
    let close = use_action::<CloseProfile>(enter);
    let role = props.role;
    let name = role.name();
    let points = [
        (Shape::Key, t!("first-key"), t!("first-key-text")),
        (Shape::Safe, t!("first-keychain"), t!("first-keychain-text")),
        (Shape::Pen, t!("first-answers"), t!(format!("first-answers-text-{name}"))),
    ];
    let on_make = make.run.reform(move |()| CreateProfile { role });
    let on_other = close.run.reform(|()| CloseProfile {});
    html! {
        <div class="narrow">
            <p class="eyebrow">{ t!(format!("role-{name}")) }</p>
            <Title text={t!("first-title")} />
            <p class="lead">{ t!(format!("first-lead-{name}")) }</p>
            <ul class="points card">
                { for points.into_iter().map(|(shape, title, text)| html! {
                    <li><span class="disc small"><Icon {shape} size={20} /></span>
                        <div><strong>{ title }</strong><p class="soft">{ text }</p></div></li>
                }) }
            </ul>
            if let Some(failure) = make.failure.clone() {
                <Problem {failure} on_retry={make.again.clone()} />
            }
            if let Some(failure) = close.failure.clone() {
                <Problem {failure} on_retry={close.again.clone()} />
            }
            <div class="bar end">
                <Button kind={Kind::Quiet} text={t!("first-other")} on_press={on_other} busy={close.busy} />
                <Button kind={Kind::Main} text={t!("first-make")} on_press={on_make} busy={make.busy} />
            </div>
        </div>
    }
}
