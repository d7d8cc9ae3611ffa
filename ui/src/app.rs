//! The window's root: which screen comes first, what every page shares, and the line that is read aloud.

use crate::components::{Loading, Problem, Title};
use crate::core::{call, on_changed};
use crate::hooks::use_focus_in_sight;
use crate::participant::Participant;
use crate::researcher::Researcher;
use crate::staff::Staff;
use crate::start::Start;
use bridge::{Failure, Look, Role, Session, Stage};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// What every page can reach.
#[derive(Clone, PartialEq)]
pub struct Live {
    /// Whose profile is open, or was to be opened.
    pub role: Option<Role>,
    /// Grows with each change that the core tells of; whoever shows a view asks again.
    pub tick: u32,
    /// Makes every page ask again.
    pub refresh: Callback<()>,
    /// Says something to a screen reader without moving the focus.
    pub announce: Callback<String>,
    /// Goes where a new session says.
    pub enter: Callback<Session>,
}

struct Tick(u32);

impl Reducible for Tick {
    type Action = ();

    fn reduce(self: Rc<Self>, (): ()) -> Rc<Self> {
        Rc::new(Self(self.0.wrapping_add(1)))
    }
}

/// The program.
#[component]
pub fn App() -> Html {
    let session = use_state(|| None::<Result<Session, Failure>>);
    let tick = use_reducer(|| Tick(0));
    let spoken = use_state(String::new);

    use_focus_in_sight();
    let look = {
        let session = session.clone();
        use_callback((), move |(), ()| {
            let session = session.clone();
            spawn_local(async move { session.set(Some(call(Look {}).await)) });
        })
    };
    {
        let (look, tick) = (look.clone(), tick.dispatcher());
        use_effect_with((), move |()| {
            on_changed(move || tick.dispatch(()));
            look.emit(());
        });
    }
    let refresh = {
        let tick = tick.dispatcher();
        use_callback((), move |(), ()| tick.dispatch(()))
    };
    let announce = {
        let spoken = spoken.setter();
        use_callback((), move |text: String, ()| spoken.set(text))
    };
    let enter = {
        let session = session.setter();
        use_callback((), move |next: Session, ()| session.set(Some(Ok(next))))
    };
    let role = session.as_ref().and_then(|session| session.as_ref().ok()).and_then(|session| session.role);
    let live = Live { role, tick: tick.0, refresh, announce, enter };

    let page = match &*session {
        None => html! { <main class="alone"><Loading /></main> },
        Some(Err(failure)) => html! {
            <main class="alone">
                <Title text={t!("app-name")} />
                <Problem failure={failure.clone()} on_retry={look} />
            </main>
        },
        Some(Ok(session)) => stage(session),
    };
    html! {
        <ContextProvider<Live> context={live}>
            { page }
            <div class="hidden" role="status" aria-live="polite">{ (*spoken).clone() }</div>
        </ContextProvider<Live>>
    }
}

fn stage(session: &Session) -> Html {
    let session = session.clone();
    match (session.stage, session.role) {
        (Stage::Unconnected | Stage::Ready, Some(Role::Participant)) => html! { <Participant {session} /> },
        (Stage::Unconnected | Stage::Ready, Some(Role::Staff)) => html! { <Staff {session} /> },
        (Stage::Unconnected | Stage::Ready, Some(Role::Researcher)) => html! { <Researcher {session} /> },
        _ => html! { <Start {session} /> },
    }
}
