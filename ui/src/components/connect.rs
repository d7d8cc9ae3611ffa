//! Connects a staff or researcher profile to its institution.

use super::{Button, Field, Icon, Kind, Problem, Shape, Title};
use crate::app::Live;
use crate::hooks::use_action;
use bridge::{Demo, Role};
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct ConnectProps {
    /// Whose profile.
    pub role: Role,
    /// A biobank on this machine to start from.
    pub demo: Option<Demo>,
}

/// Address, one-time code, one button.
#[component]
pub fn Connect(props: &ConnectProps) -> Html {
    let live = use_context::<Live>();
    let demo = props.demo.clone();
    let address = use_state(|| demo.as_ref().map(|demo| demo.address.clone()).unwrap_or_default());
    let code = use_state(|| demo.and_then(|demo| demo.code).unwrap_or_default());
    let missing = use_state(|| false);
    let connect = use_action::<bridge::Connect>(Callback::from(move |session| {
        if let Some(live) = &live {
            live.enter.emit(session);
        }
    }));
    let onsubmit = {
        let (address, code, missing, run) = (address.clone(), code.clone(), missing.clone(), connect.run.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let (address, code) = (address.trim().to_owned(), code.trim().to_owned());
            missing.set(address.is_empty() || code.is_empty());
            if !address.is_empty() && !code.is_empty() {
                run.emit(bridge::Connect { address, code });
            }
        })
    };
    let needed = |value: &str| (*missing && value.trim().is_empty()).then(|| AttrValue::from(t!("field-needed")));
    let type_into = |state: &UseStateHandle<String>| {
        let state = state.setter();
        Callback::from(move |text| state.set(text))
    };
    let name = props.role.name();
    html! {
        <div class="narrow">
            <Title text={t!(format!("connect-title-{name}"))} />
            <p class="lead">{ t!(format!("connect-lead-{name}")) }</p>
            <form class="card" {onsubmit} novalidate=true>
                if props.demo.is_some() {
                    <p class="note"><Icon shape={Shape::Desk} size={20} />{ t!("connect-demo") }</p>
                }
                <Field id="connect-address" label={t!("connect-address")} hint={t!("connect-address-hint")}
                    value={(*address).clone()} on_input={type_into(&address)} error={needed(&address)} />
                <Field id="connect-code" label={t!("connect-code")} hint={t!("connect-code-hint")}
                    value={(*code).clone()} on_input={type_into(&code)} error={needed(&code)} />
                if let Some(failure) = connect.failure.clone() {
                    <Problem {failure} />
                }
                <div class="bar end">
                    <Button kind={Kind::Main} text={t!("connect-button")} submits=true busy={connect.busy} />
                </div>
            </form>
        </div>
    }
}
