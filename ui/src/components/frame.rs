//! The frame around every page of an open profile: places on the left, the page on the right.

use super::{Alarm, Icon, Problem, Shape};
use crate::app::Live;
use crate::hooks::use_action;
use crate::i18n;
use bridge::{CloseProfile, Role, SyncView};
use yew::prelude::*;

/// A place in the side bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Its sign.
    pub shape: Shape,
    /// Its name.
    pub name: String,
    /// How many things wait there.
    pub count: usize,
}

impl Place {
    /// A place where nothing waits.
    pub fn new(shape: Shape, name: String) -> Self {
        Self { shape, name, count: 0 }
    }
}

/// Properties of the frame.
#[derive(Properties, PartialEq)]
pub struct FrameProps {
    /// Whose profile is open.
    pub role: Role,
    /// The institution, once connected.
    #[prop_or_default]
    pub institution: Option<AttrValue>,
    /// The places, none before the profile is connected.
    #[prop_or_default]
    pub places: Vec<Place>,
    /// Which place is open, if it is one of them.
    #[prop_or_default]
    pub current: Option<usize>,
    /// Goes to a place.
    #[prop_or_default]
    pub on_go: Callback<usize>,
    /// What stands at the foot of the side bar, beside the way out of the profile.
    #[prop_or_default]
    pub foot: Html,
    /// The state of the record.
    #[prop_or_default]
    pub sync: Option<SyncView>,
    /// Whether the page is a wide one with tables.
    #[prop_or_default]
    pub wide: bool,
    /// The page.
    pub children: Html,
}

/// The frame.
#[component]
pub fn Frame(props: &FrameProps) -> Html {
    let live = use_context::<Live>();
    let close = use_action::<CloseProfile>(Callback::from(move |session| {
        if let Some(live) = &live {
            live.enter.emit(session);
        }
    }));
    let on_switch = close.run.reform(|_: MouseEvent| CloseProfile {});
    let name = props.role.name();
    let place = |(index, place): (usize, &Place)| {
        let go = props.on_go.reform(move |_: MouseEvent| index);
        html! {
            <li key={index}>
                <button class="place" onclick={go} aria-current={(Some(index) == props.current).then_some("page")}>
                    <Icon shape={place.shape} />
                    <span>{ &place.name }</span>
                    if place.count > 0 {
                        <span class="count">{ place.count }</span>
                    }
                </button>
            </li>
        }
    };
    let alarm = props.sync.as_ref().and_then(|sync| sync.alarm.clone());
    html! {
        <div class="frame">
            <header class="side">
                <div class="brand">
                    <span class="mark"><Icon shape={Shape::Helix} size={22} /></span>
                    <span class="who">{ t!(format!("brand-{name}")) }<small>{ t!(format!("role-{name}")) }</small></span>
                </div>
                if !props.places.is_empty() {
                    <nav aria-label={t!("places")}><ul>{ for props.places.iter().enumerate().map(place) }</ul></nav>
                }
                <div class="foot">
                    if let Some(sync) = &props.sync {
                        { status(sync, props.institution.as_ref()) }
                    }
                    { props.foot.clone() }
                    <button class="place soft" onclick={on_switch}>
                        <Icon shape={Shape::Switch} /><span>{ t!("switch-profile") }</span>
                    </button>
                </div>
            </header>
            <main class={props.wide.then_some("wide")}>
                if let Some(alarm) = &alarm {
                    // Another alarm begins anew: what was saved of the one before says nothing of it.
                    <Alarm key={alarm.noticed.to_string()} alarm={alarm.clone()} />
                }
                if let Some(failure) = close.failure.clone() {
                    <Problem {failure} on_retry={close.again.clone()} />
                }
                { props.children.clone() }
            </main>
        </div>
    }
}

/// One line on the record, in full and in short: the style sheet shows the one that fits.
fn status(sync: &SyncView, institution: Option<&AttrValue>) -> Html {
    let count = sync.waiting;
    let (tone, shape, full, short) = if sync.alarm.is_some() {
        ("stop", Shape::Alert, t!("sync-forked"), t!("sync-forked-short"))
    } else if !sync.online && count > 0 {
        ("wait", Shape::Offline, t!("sync-offline-waiting", count = count), t!("sync-offline-short"))
    } else if !sync.online {
        ("off", Shape::Offline, t!("sync-offline"), t!("sync-offline-short"))
    } else if count > 0 {
        ("wait", Shape::Cloud, t!("sync-waiting", count = count), t!("sync-waiting-short", count = count))
    } else if let Some(at) = sync.checked {
        let time = i18n::time(at);
        ("ok", Shape::Check, t!("sync-checked", time = time.clone()), t!("sync-checked-short", time = time))
    } else {
        ("ok", Shape::Check, t!("sync-fresh"), t!("sync-fresh-short"))
    };
    html! {
        <div class="status" role="group" aria-label={t!("status")}>
            <span class={classes!("dot", tone)}><Icon {shape} size={14} /></span>
            <p>
                if let Some(institution) = institution {
                    <strong class="full">{ institution }</strong>
                }
                <span class="full">{ full }</span><span class="short">{ short }</span>
            </p>
        </div>
    }
}
