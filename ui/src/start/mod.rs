//! Before a profile is open: who are you, the first run, and what to do about the keychain.

mod choose;
mod first_run;
mod keychain;

use bridge::{Session, Stage};
use choose::Choose;
use first_run::FirstRun;
use keychain::Keychain;
use yew::prelude::*;

/// Properties of the screens before a profile is open.
#[derive(Properties, PartialEq)]
pub struct StartProps {
    /// Where the program stands.
    pub session: Session,
}

/// Picks the screen of the session's stage.
#[component]
pub fn Start(props: &StartProps) -> Html {
    let session = props.session.clone();
    let content = match (session.stage, session.role) {
        (Stage::FirstRun, Some(role)) => html! { <FirstRun {role} /> },
        (Stage::Choose, _) | (_, None) => html! { <Choose /> },
        (stage, Some(role)) => {
            html! { <Keychain key={format!("{stage:?}")} {stage} {role} fingerprint={session.fingerprint} /> }
        }
    };
    html! { <main class="alone">{ content }</main> }
}
