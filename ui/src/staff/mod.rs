//! Staff of a biobank: donors and invitations.

mod donors;
mod invitation;

use crate::components::{ActivityPage, Connect, Frame, Place, Shape};
use crate::hooks::use_sync;
use bridge::{InvitationView, Role, Session, Stage};
use donors::DonorsPage;
use invitation::InvitationPage;
use yew::prelude::*;

/// Where the staff member is.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// The table.
    Donors,
    /// An invitation that was just made.
    Invitation(InvitationView),
    /// Everything that happened.
    Activity,
}

/// Properties of the staff's side of the program.
#[derive(Properties, PartialEq)]
pub struct StaffProps {
    /// Where the program stands.
    pub session: Session,
}

/// The staff's side of the program.
#[component]
pub fn Staff(props: &StaffProps) -> Html {
    let session = &props.session;
    let connected = session.stage == Stage::Ready;
    let page = use_state(|| Page::Donors);
    let sync = use_sync(connected);
    let go = {
        let page = page.setter();
        use_callback((), move |next: Page, ()| page.set(next))
    };
    if !connected {
        return html! { <Frame role={Role::Staff}><Connect role={Role::Staff} demo={session.demo.clone()} /></Frame> };
    }
    let places = vec![Place::new(Shape::People, t!("nav-donors")), Place::new(Shape::Log, t!("activity"))];
    let on_go = go.reform(|place| if place == 0 { Page::Donors } else { Page::Activity });
    let (current, wide, content) = match (*page).clone() {
        Page::Donors => (0, true, html! { <DonorsPage {go} /> }),
        Page::Invitation(view) => (0, false, {
            let key = view.donor.clone();
            html! { <InvitationPage {key} {view} {go} /> }
        }),
        Page::Activity => (1, false, html! { <ActivityPage role={Role::Staff} /> }),
    };
    html! {
        <Frame role={Role::Staff} institution={session.institution.clone().map(AttrValue::from)} {places} {current}
            {on_go} sync={(*sync).clone()} {wide}>
            { content }
        </Frame>
    }
}
