//! The keychain is absent, locked, empty, or holds another key. None of these screens offers a new identity.

use crate::app::Live;
use crate::components::{Button, Icon, Kind, Problem, Shape, Title};
use crate::hooks::use_action;
use crate::i18n;
use bridge::{CloseProfile, OpenProfile, ReuseKey, Role, Session, Stage};
use yew::prelude::*;

/// Properties of a keychain screen.
#[derive(Properties, PartialEq)]
pub struct KeychainProps {
    /// What is wrong.
    pub stage: Stage,
    /// Whose profile.
    pub role: Role,
    /// The fingerprint of the wallet that is expected.
    pub fingerprint: Option<String>,
}

/// What happened, what to do, and one button.
#[component]
pub fn Keychain(props: &KeychainProps) -> Html {
    let live = use_context::<Live>();
    let enter = Callback::from(move |session| {
        if let Some(live) = &live {
            live.enter.emit(session);
        }
    });
    let tried = use_state(|| None::<String>);
    let open = {
        let (enter, tried, stage) = (enter.clone(), tried.setter(), props.stage);
        use_action::<OpenProfile>(Callback::from(move |session: Session| {
            if session.stage == stage {
                // Without a word the page would look as if the button did nothing.
                tried.set(Some(t!("keychain-same", time = i18n::time(i18n::now()))));
            }
            enter.emit(session);
        }))
    };
    let reuse = use_action::<ReuseKey>(enter.clone());
    let close = use_action::<CloseProfile>(enter);
    let role = props.role;
    let (name, shape) = match props.stage {
        Stage::KeychainAbsent => ("keychain-absent", Shape::Safe),
        Stage::KeychainLocked => ("keychain-locked", Shape::Lock),
        Stage::KeyMissing => ("key-missing", Shape::Alert),
        Stage::KeyForeign => ("key-foreign", Shape::Alert),
        _ => ("key-without-profile", Shape::Key),
    };
    let main = if props.stage == Stage::KeyWithoutProfile {
        let on_press = reuse.run.reform(move |()| ReuseKey { role });
        html! { <Button kind={Kind::Main} text={t!("key-without-profile-use")} {on_press} busy={reuse.busy} /> }
    } else {
        let on_press = open.run.reform(move |()| OpenProfile { role });
        html! { <Button kind={Kind::Main} text={t!("try-again")} {on_press} busy={open.busy} /> }
    };
    let failures = [
        (open.failure.clone(), open.again.clone()),
        (reuse.failure.clone(), reuse.again.clone()),
        (close.failure.clone(), close.again.clone()),
    ];
    html! {
        <div class="narrow">
            <span class="disc large"><Icon {shape} size={28} /></span>
            <p class="eyebrow">{ t!(format!("role-{}", role.name())) }</p>
            <Title text={t!(format!("{name}-title"))} />
            <p class="lead">{ t!(format!("{name}-text")) }</p>
            <div class="card"><p>{ t!(format!("{name}-todo")) }</p>
                if let Some(fingerprint) = props.fingerprint.clone() {
                    <p class="soft small gap">{ t!("keychain-expected") }</p>
                    <p class="code">{ fingerprint }</p>
                }
            </div>
            <p class="soft gap" role="status">{ (*tried).clone().unwrap_or_default() }</p>
            { for failures.into_iter().filter_map(|(failure, on_retry)| Some(html! {
                <Problem failure={failure?} {on_retry} />
            })) }
            <div class="bar end">
                <Button kind={Kind::Quiet} text={t!("first-other")} busy={close.busy}
                    on_press={close.run.reform(|()| CloseProfile {})} />
                { main }
            </div>
        </div>
    }
}
