//! Researchers: check a proof against a purpose and the live record, and ask donors for proof.

mod check;
mod form;
mod more;
mod proof;
mod requests;
mod result;

use crate::components::{ActivityPage, Connect, Frame, Place, Shape};
use crate::hooks::use_sync;
use bridge::{Role, Session, Stage};
use check::CheckPage;
use requests::RequestsPage;
use yew::prelude::*;

/// Properties of the researcher's side of the program.
#[derive(Properties, PartialEq)]
pub struct ResearcherProps {
    /// Where the program stands.
    pub session: Session,
}

/// The researcher's side of the program.
#[component]
pub fn Researcher(props: &ResearcherProps) -> Html {
    let session = &props.session;
    let connected = session.stage == Stage::Ready;
    let place = use_state(|| 0_usize);
    let sync = use_sync(connected);
    if !connected {
        return html! {
            <Frame role={Role::Researcher}>
                <Connect role={Role::Researcher} demo={session.demo.clone()} />
            </Frame>
        };
    }
    let places = vec![
        Place::new(Shape::Check, t!("nav-check")),
        Place::new(Shape::Ask, t!("nav-requests")),
        Place::new(Shape::Log, t!("activity")),
    ];
    let on_go = {
        let place = place.setter();
        Callback::from(move |next| place.set(next))
    };
    let content = match *place {
        0 => html! { <CheckPage /> },
        1 => html! { <RequestsPage /> },
        _ => html! { <ActivityPage role={Role::Researcher} /> },
    };
    html! {
        <Frame role={Role::Researcher} institution={session.institution.clone().map(AttrValue::from)} {places}
            current={*place} {on_go} sync={(*sync).clone()} wide=true>
            { content }
        </Frame>
    }
}
