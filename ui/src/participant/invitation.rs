//! Link or code, then who invites, then Join.

use crate::app::Live;
use crate::components::{Button, Field, Icon, Kind, Problem, Shape, Title};
use crate::core::call;
use crate::hooks::use_action;
use crate::i18n;
use bridge::{AcceptInvitation, Demo, InvitationPreview, Look, ReadInvitation};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct InvitationProps {
    /// A biobank on this machine to start from.
    pub demo: Option<Demo>,
    /// A link that the program was started with.
    pub link: Option<String>,
}

/// Opens an invitation.
#[component]
pub fn Invitation(props: &InvitationProps) -> Html {
    let preview = use_state(|| None::<InvitationPreview>);
    let demo = props.demo.as_ref();
    let text = use_state(|| props.link.clone().unwrap_or_default());
    let address = use_state(|| demo.map(|demo| demo.address.clone()).unwrap_or_default());
    let missing = use_state(|| false);
    let open = {
        let preview = preview.setter();
        use_action::<ReadInvitation>(Callback::from(move |view| preview.set(Some(view))))
    };
    if let Some(view) = &*preview {
        let on_not_now = {
            let preview = preview.setter();
            Callback::from(move |()| preview.set(None))
        };
        return html! { <Preview view={view.clone()} {on_not_now} /> };
    }
    let by_code = is_code(&text);
    let onsubmit = {
        let (text, address, missing, run) = (text.clone(), address.clone(), missing.clone(), open.run.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let text = text.trim().to_owned();
            missing.set(text.is_empty() || (by_code && address.trim().is_empty()));
            if text.is_empty() || (by_code && address.trim().is_empty()) {
                return;
            }
            let address = by_code.then(|| address.trim().to_owned());
            run.emit(ReadInvitation { text, address });
        })
    };
    let needed = |value: &str| (*missing && value.trim().is_empty()).then(|| AttrValue::from(t!("field-needed")));
    let type_into = |state: &UseStateHandle<String>| {
        let state = state.setter();
        Callback::from(move |text| state.set(text))
    };
    html! {
        <div class="narrow" key="open">
            <Title text={t!("open-title")} />
            <p class="lead">{ t!("open-lead") }</p>
            <form class="card" {onsubmit} novalidate=true>
                <Field id="invitation" label={t!("open-field")} hint={t!("open-field-hint")} error={needed(&text)}
                    value={(*text).clone()} on_input={type_into(&text)} />
                if by_code {
                    <Field id="invitation-address" label={t!("open-address")} hint={t!("open-address-hint")}
                        error={needed(&address)} value={(*address).clone()} on_input={type_into(&address)} />
                    if props.demo.is_some() {
                        <p class="note"><Icon shape={Shape::Desk} size={20} />{ t!("open-demo") }</p>
                    }
                }
                if let Some(failure) = open.failure.clone() {
                    <Problem {failure} />
                }
                <div class="bar end">
                    <Button kind={Kind::Main} text={t!("open-button")} submits=true busy={open.busy} />
                </div>
            </form>
            <h2>{ t!("open-steps") }</h2>
            <ol class="steps">
                { for ["open-step-1", "open-step-2", "open-step-3"].map(|id| html! { <li>{ t!(id) }</li> }) }
            </ol>
        </div>
    }
}

/// A code is a few letters and digits; a link has a colon or a slash.
fn is_code(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.chars().count() <= 12 && !text.contains([':', '/', '.'])
}

#[derive(Properties, PartialEq)]
struct PreviewProps {
    view: InvitationPreview,
    on_not_now: Callback<()>,
}

#[component]
fn Preview(props: &PreviewProps) -> Html {
    let live = use_context::<Live>();
    let join = use_action::<AcceptInvitation>(Callback::from(move |_home| {
        let live = live.clone();
        spawn_local(async move {
            if let (Some(live), Ok(session)) = (live, call(Look {}).await) {
                live.enter.emit(session);
            }
        });
    }));
    let pin = use_state(String::new);
    let on_pin = {
        let pin = pin.setter();
        Callback::from(move |typed| pin.set(typed))
    };
    let view = &props.view;
    let typed = view.pin.then(|| pin.trim().to_owned());
    html! {
        <div class="narrow" key="preview">
            <span class="disc large"><Icon shape={Shape::Letter} size={28} /></span>
            <Title text={t!("invite-title", biobank = view.biobank.clone())} />
            <p class="lead">{ t!("invite-lead") }</p>
            <div class="card">
                <ul class="ticks">
                    <li><Icon shape={Shape::Check} size={18} />{ t!("invite-point-1") }</li>
                    <li><Icon shape={Shape::Check} size={18} />{ t!("invite-point-2") }</li>
                    if let Some(expires) = view.expires {
                        <li><Icon shape={Shape::Clock} size={18} />
                            { t!("invite-point-3", date = i18n::day(expires)) }</li>
                    }
                </ul>
                if view.pin {
                    <Field id="invitation-pin" label={t!("invite-pin")} hint={t!("open-field-hint")}
                        value={(*pin).clone()} on_input={on_pin} />
                }
                <details>
                    <summary>{ t!("invite-details") }</summary>
                    <dl class="evidence">
                        <dt>{ t!("open-address") }</dt><dd class="code">{ &view.address }</dd>
                        <dt>{ t!("invite-did") }</dt><dd class="code">{ &view.did }</dd>
                    </dl>
                </details>
                if let Some(failure) = join.failure.clone() {
                    <Problem {failure} on_retry={join.again.clone()} />
                }
                <div class="bar end">
                    <Button text={t!("invite-not-now")} on_press={props.on_not_now.clone()} />
                    <Button kind={Kind::Main} text={t!("invite-join")} busy={join.busy}
                        on_press={join.run.reform(move |()| AcceptInvitation { pin: typed.clone() })} />
                </div>
            </div>
        </div>
    }
}
