//! An invitation as a picture, a link and a code. It is shown once.

use super::Page;
use crate::app::Live;
use crate::components::{Button, Icon, Kind, Problem, Shape, Title, copy_field};
use crate::hooks::use_action;
use crate::i18n;
use bridge::{InvitationView, Invite, QrView};
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct InvitationProps {
    /// The invitation.
    pub view: InvitationView,
    /// Goes to a page.
    pub go: Callback<Page>,
}

/// The page.
#[component]
pub fn InvitationPage(props: &InvitationProps) -> Html {
    let live = use_context::<Live>();
    let copied = use_state(|| false);
    let another = use_action::<Invite>(props.go.reform(Page::Invitation));
    let link = use_node_ref();
    let view = &props.view;
    let on_copy = {
        let (link, copied) = (link.clone(), copied.setter());
        Callback::from(move |()| {
            let (live, copied) = (live.clone(), copied.clone());
            copy_field(
                &link,
                Callback::from(move |()| {
                    copied.set(true);
                    if let Some(live) = &live {
                        live.announce.emit(t!("copied"));
                    }
                }),
            );
        })
    };
    html! {
        <div>
            <div class="row topline">
                <Button kind={Kind::Quiet} icon={Shape::Back} text={t!("invitation-done")}
                    on_press={props.go.reform(|()| Page::Donors)} />
            </div>
            <Title text={t!("invitation-title", donor = view.donor.clone())} />
            <p class="lead">{ t!("invitation-lead") }</p>
            <div class="card invitation">
                <section aria-labelledby="invitation-qr">
                    <h2 id="invitation-qr">{ t!("invitation-qr") }</h2>
                    { qr(&view.qr) }
                </section>
                <div class="stack grow">
                    <section aria-labelledby="invitation-code">
                        <h2 id="invitation-code">{ t!("invitation-code") }</h2>
                        <p class="big-code code">{ &view.code }</p>
                        <p class="soft small">{ t!("invitation-code-hint", address = view.address.clone()) }</p>
                    </section>
                    <section aria-labelledby="invitation-link">
                        <h2 id="invitation-link">{ t!("invitation-link") }</h2>
                        <div class="row copy-line">
                            <input ref={link} class="code grow" type="text" readonly=true value={view.link.clone()}
                                aria-labelledby="invitation-link" />
                            <Button icon={if *copied { Shape::Check } else { Shape::Copy }} about="invitation-link"
                                text={if *copied { t!("copied") } else { t!("copy") }} on_press={on_copy} />
                        </div>
                    </section>
                    <p class="note"><Icon shape={Shape::Clock} size={20} />
                        <span>{ t!("invitation-once", date = i18n::day(view.expires)) }
                            <span class="soft small">{ t!("invitation-shown-once") }</span></span></p>
                </div>
            </div>
            if let Some(failure) = another.failure.clone() {
                <Problem {failure} on_retry={another.again.clone()} />
            }
            <div class="bar end bare">
                <Button text={t!("invitation-another")} busy={another.busy}
                    on_press={another.run.reform(|()| Invite {})} />
            </div>
        </div>
    }
}

/// Black on white in both colour schemes, with the four quiet modules that scanners need.
fn qr(qr: &QrView) -> Html {
    let side = qr.size + 8;
    html! {
        <svg class="qr" viewBox={format!("-4 -4 {side} {side}")} role="img" aria-label={t!("invitation-qr-alt")}
            shape-rendering="crispEdges">
            <rect x="-4" y="-4" width={side.to_string()} height={side.to_string()} fill="#ffffff" />
            <path d={qr.path.clone()} fill="#000000" />
        </svg>
    }
}
