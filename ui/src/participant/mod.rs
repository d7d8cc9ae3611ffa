//! The participant: who asks, what is shared, and how to stop.

mod answer;
mod done;
mod home;
mod invitation;
mod key;
mod leave;
mod request;
mod review;
mod sharing;

use crate::components::{ActivityPage, Frame, Place, Shape};
use crate::hooks::{Load, use_load, use_sync};
use bridge::{ReadHome, ReceiptView, Role, Session, Stage};
use consent::{ConsentState, DataKind, StudyId};
use done::Done;
use home::HomePage;
use invitation::Invitation;
use key::KeyPage;
use leave::Leave;
use request::Request;
use review::Review;
use sharing::SharingPage;
use yew::prelude::*;

/// Where the participant is.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// What waits and what is shared.
    Home,
    /// One request; what was chosen before, when coming back from the review.
    Request(StudyId, Chosen),
    /// What would be signed.
    Review(StudyId, Chosen),
    /// What became of an answer.
    Done(ReceiptView),
    /// All answers.
    Sharing,
    /// Whether to leave a study.
    Leave(StudyId),
    /// Everything that happened.
    Activity,
    /// The key.
    Key,
}

/// The kinds of data that a person ticked, bound to the text beside which they stood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chosen {
    /// The digest of the request as it was shown.
    pub notice: String,
    /// What is ticked.
    pub data: Vec<DataKind>,
}

impl Page {
    /// The place in the side bar that the page belongs to.
    fn place(&self) -> usize {
        match self {
            Self::Done(receipt) if receipt.state == ConsentState::Withdrawn => 1,
            Self::Home | Self::Request(..) | Self::Review(..) | Self::Done(_) => 0,
            Self::Sharing | Self::Leave(_) => 1,
            Self::Activity => 2,
            Self::Key => 3,
        }
    }
}

/// Properties of the participant's side of the program.
#[derive(Properties, PartialEq)]
pub struct ParticipantProps {
    /// Where the program stands.
    pub session: Session,
}

/// The participant's side of the program.
#[component]
pub fn Participant(props: &ParticipantProps) -> Html {
    let session = props.session.clone();
    if session.stage == Stage::Ready {
        html! { <Connected institution={session.institution.map(AttrValue::from)} /> }
    } else {
        html! { <Frame role={Role::Participant}><Invitation demo={session.demo} link={session.invitation} /></Frame> }
    }
}

#[derive(Properties, PartialEq)]
struct ConnectedProps {
    institution: Option<AttrValue>,
}

#[component]
fn Connected(props: &ConnectedProps) -> Html {
    let page = use_state(|| Page::Home);
    let sync = use_sync(true);
    let (home, reload) = use_load(ReadHome {});
    {
        // Home brings the state of the record along, fresher than the timer.
        let sync = sync.clone();
        use_effect_with(home.clone(), move |home| {
            if let Load::Ready(home) = home {
                sync.set(Some(home.sync.clone()));
            }
        });
    }
    let go = {
        let page = page.setter();
        use_callback((), move |next: Page, ()| page.set(next))
    };
    // While home is asked for again, the side bar keeps the counts that it had.
    let counts = use_mut_ref(|| (0, 0));
    if let Load::Ready(home) = &home {
        *counts.borrow_mut() = (home.requests.len(), home.asks as usize);
    }
    let (requests, asks) = *counts.borrow();
    let places = vec![
        Place { count: requests, ..Place::new(Shape::Home, t!("nav-home")) },
        Place { count: asks, ..Place::new(Shape::Share, t!("nav-sharing")) },
        Place::new(Shape::Log, t!("nav-activity")),
        Place::new(Shape::Key, t!("nav-key")),
    ];
    let on_go = {
        let (go, reload) = (go.clone(), reload.clone());
        Callback::from(move |place| {
            if place == 0 {
                reload.emit(());
            }
            go.emit(match place {
                0 => Page::Home,
                1 => Page::Sharing,
                2 => Page::Activity,
                _ => Page::Key,
            });
        })
    };
    let back = {
        let (go, reload) = (go.clone(), reload.clone());
        Callback::from(move |()| {
            reload.emit(());
            go.emit(Page::Home);
        })
    };
    let content = match (*page).clone() {
        Page::Home => html! { <HomePage {home} {reload} {go} /> },
        Page::Request(study, before) => {
            let key = format!("request-{study}");
            html! { <Request {key} {study} {before} {go} {back} /> }
        }
        Page::Review(study, chosen) => html! { <Review {study} {chosen} {go} /> },
        Page::Done(receipt) => html! { <Done {receipt} {go} {back} /> },
        Page::Sharing => html! { <SharingPage {go} /> },
        Page::Leave(study) => html! { <Leave {study} {go} /> },
        Page::Activity => html! { <ActivityPage role={Role::Participant} /> },
        Page::Key => html! { <KeyPage /> },
    };
    html! {
        <Frame role={Role::Participant} institution={props.institution.clone()} {places} current={page.place()} {on_go}
            sync={(*sync).clone()}>
            { content }
        </Frame>
    }
}
