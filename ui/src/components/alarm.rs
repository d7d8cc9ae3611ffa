//! The alarm: the biobank's record is not the one that this computer saw before. What happened, as a picture and in
//! words, and what a person can do.

use super::{Button, Icon, Problem, Shape};
use crate::hooks::use_action;
use crate::i18n;
use bridge::{AlarmView, HeadView, SaveEvidence, SavedFile};
use yew::prelude::*;

/// Properties of the alarm.
#[derive(Properties, PartialEq)]
pub struct AlarmProps {
    /// What was seen.
    pub alarm: AlarmView,
}

/// The alarm, above every page.
#[component]
pub fn Alarm(props: &AlarmProps) -> Html {
    let saved = use_state(|| None::<String>);
    let save = {
        let saved = saved.setter();
        use_action::<SaveEvidence>(Callback::from(move |file: SavedFile| saved.set(Some(file.path))))
    };
    let AlarmView { before, after, noticed, proven } = &props.alarm;
    let shorter = after.size < before.size;
    let (title, happened) = if shorter {
        (t!("alarm-title-shorter"), t!("alarm-shorter"))
    } else {
        (t!("alarm-title-other"), t!("alarm-other"))
    };
    let worth = match (*proven, shorter) {
        (true, _) => t!("alarm-proven"),
        (false, true) => t!("alarm-shorter-not-proven"),
        (false, false) => t!("alarm-other-not-proven"),
    };
    let head = |name: String, head: &HeadView| {
        html! {
            <div>
                <dt>{ name }</dt>
                <dd>{ t!("alarm-entries", count = head.size) }<br/><span class="code">{ &head.root[..head.root.len().min(16)] }{ "…" }</span></dd>
            </div>
        }
    };
    html! {
        <section class="alarm" role="alert" aria-labelledby="alarm">
            <div class="row top">
                { picture(shorter) }
                <div class="grow">
                    <h2 id="alarm">{ title }</h2>
                    <p>{ happened }</p>
                    <p>{ worth }</p>
                    <p><strong>{ t!("alarm-stop") }</strong></p>
                </div>
            </div>
            <dl class="heads">
                { head(t!("alarm-before"), before) }
                { head(t!("alarm-after"), after) }
                <div><dt>{ t!("alarm-noticed") }</dt><dd>{ i18n::time(*noticed) }</dd></div>
            </dl>
            <div class="row wrap">
                <p class="soft grow" id="alarm-help">{ t!("alarm-save-hint") }</p>
                <Button icon={Shape::File} text={t!("alarm-save")} about="alarm-help" on_press={save.run.reform(|()| SaveEvidence {})} busy={save.busy} />
            </div>
            <div role="status">
                if let Some(path) = saved.as_ref() {
                    <div class="note"><Icon shape={Shape::Check} size={20} />
                        <div><p>{ t!("alarm-saved") }</p><p class="code">{ path }</p></div></div>
                }
            </div>
            if let Some(failure) = save.failure.clone() {
                <Problem {failure} on_retry={save.again.clone()} />
            }
        </section>
    }
}

/// A chain of entries that parts in two, or one whose end is gone.
fn picture(shorter: bool) -> Html {
    let dots = |at: [(u32, u32); 3], class: &'static str| {
        let dot = |(x, y): (u32, u32)| html! { <circle {class} cx={x.to_string()} cy={y.to_string()} r="6" /> };
        at.into_iter().map(dot).collect::<Html>()
    };
    html! {
        <svg class="fork" viewBox={if shorter { "0 16 168 32" } else { "0 0 168 64" }} width="168"
            height={if shorter { "32" } else { "64" }} aria-hidden="true">
            if shorter {
                <path class="seen" d="M8 32 H72" />
                <path class="missing" d="M78 32 H160" />
                { dots([(104, 32), (132, 32), (160, 32)], "missing") }
            } else {
                <path class="seen" d="M8 32 H72 L104 14 H160" />
                <path class="shown" d="M72 32 L104 50 H160" />
                { dots([(104, 14), (132, 14), (160, 14)], "seen") }
                { dots([(104, 50), (132, 50), (160, 50)], "shown") }
            }
            { dots([(8, 32), (40, 32), (72, 32)], "common") }
        </svg>
    }
}
