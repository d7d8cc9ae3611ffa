//! The participant: who asks, what is shared, how to change it, and how to stop.

mod answer;
mod check;
mod choices;
mod consent;
mod done;
mod home;
mod invitation;
mod key;
mod leave;
mod meaning;
mod pause;
mod request;
mod review;
mod sharing;
mod show;

use crate::components::{ActivityPage, Frame, Icon, Place, Shape};
use crate::hooks::{Load, use_load, use_sync};
use ::consent::{Choice, StudyId, Withdrawal};
use bridge::{DonorStep, ReadHome, ReceiptView, Role, Session, Stage};
use check::Check;
use choices::ChoicesPage;
use consent::ConsentPage;
use done::Done;
use home::HomePage;
use invitation::Invitation;
use key::KeyPage;
use leave::Leave;
use pause::Pause;
use request::Request;
use review::Review;
use sharing::SharingPage;
use show::ShowPage;
use yew::prelude::*;

/// Where the participant is.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// What waits and what is shared.
    Home,
    /// One request, to be answered or to change the answer; what was chosen before, when coming back from the review.
    Request(StudyId, Aim, Chosen),
    /// What would be signed.
    Review(StudyId, Aim, Chosen),
    /// What became of a signed step.
    Done(ReceiptView, Deed),
    /// All answers.
    Sharing,
    /// A link that asks for proof.
    Show,
    /// One answer, with everything that happened to it.
    Consent(StudyId),
    /// For how long to pause; what was chosen before, when coming back.
    Pause(StudyId, Option<DonorStep>),
    /// How far to leave a study; what was chosen before, when coming back.
    Leave(StudyId, Option<Withdrawal>),
    /// What a pause, its end or a withdrawal means, before it is signed.
    Check(StudyId, DonorStep),
    /// Standing wishes.
    Choices,
    /// Everything that happened.
    Activity,
    /// The key.
    Key,
}

/// Why a request is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// To answer it.
    Answer,
    /// To change the answer that is in force.
    Change,
    /// To let the answer that is in force last longer.
    Extend,
}

/// What was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// A version of the consent.
    Version(Aim),
    /// A step with a consent that was given.
    Step(DonorStep),
}

/// What a person chose, bound to the text beside which it stood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chosen {
    /// The digest of the request as it was shown; empty as long as nothing was chosen.
    pub notice: String,
    /// What is chosen.
    pub choice: Choice,
}

impl Page {
    /// A request of which nothing is chosen yet.
    pub fn request(study: StudyId, aim: Aim) -> Self {
        Self::Request(study, aim, Chosen::default())
    }

    /// The place in the side bar that the page belongs to, if it is one of them.
    fn place(&self) -> Option<usize> {
        Some(match self {
            Self::Home | Self::Done(_, Deed::Version(Aim::Answer)) => 0,
            Self::Request(_, Aim::Answer, _) | Self::Review(_, Aim::Answer, _) => 0,
            Self::Request(..) | Self::Review(..) | Self::Done(..) | Self::Sharing | Self::Consent(_) => 1,
            Self::Show => 1,
            Self::Pause(..) | Self::Leave(..) | Self::Check(..) => 1,
            Self::Choices => 2,
            Self::Activity => 3,
            Self::Key => return None,
        })
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
        Place::new(Shape::Sliders, t!("nav-choices")),
        Place::new(Shape::Log, t!("nav-activity")),
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
                2 => Page::Choices,
                _ => Page::Activity,
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
    // The key is looked at once in a while: it stands beside the profile, not among the four places.
    let foot = html! {
        <button class="place soft" onclick={go.reform(|_: MouseEvent| Page::Key)}
            aria-current={(*page == Page::Key).then_some("page")}>
            <Icon shape={Shape::Key} /><span>{ t!("nav-key") }</span>
        </button>
    };
    let content = match (*page).clone() {
        Page::Home => html! { <HomePage {home} {reload} {go} /> },
        Page::Request(study, aim, before) => {
            let key = format!("request-{aim:?}-{study}");
            html! { <Request {key} {study} {aim} {before} {go} {back} /> }
        }
        Page::Review(study, aim, chosen) => html! { <Review {study} {aim} {chosen} {go} /> },
        Page::Done(receipt, deed) => html! { <Done {receipt} {deed} {go} {back} /> },
        Page::Sharing => html! { <SharingPage {go} /> },
        Page::Show => html! { <ShowPage {go} /> },
        Page::Consent(study) => html! { <ConsentPage {study} {go} /> },
        Page::Pause(study, before) => html! { <Pause {study} {before} {go} /> },
        Page::Leave(study, before) => html! { <Leave {study} {before} {go} /> },
        Page::Check(study, step) => html! { <Check {study} {step} {go} /> },
        Page::Choices => html! { <ChoicesPage /> },
        Page::Activity => html! { <ActivityPage role={Role::Participant} /> },
        Page::Key => html! { <KeyPage /> },
    };
    html! {
        <Frame role={Role::Participant} institution={props.institution.clone()} {places} current={page.place()} {on_go}
            sync={(*sync).clone()} {foot}>
            { content }
        </Frame>
    }
}
