//! Everything that happened in this profile, failed steps too.

use super::{Chip, Empty, Evidence, Icon, Shape, Title, Tone, loaded};
use crate::hooks::use_load;
use crate::i18n;
use bridge::{ActivityRow, ReadActivity, Role};
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct ActivityProps {
    /// Whose activity.
    pub role: Role,
}

/// The page.
#[component]
pub fn ActivityPage(props: &ActivityProps) -> Html {
    let (load, reload) = use_load(ReadActivity {});
    loaded(&load, t!("activity"), &reload, |view| {
        html! {
            <>
                <Title text={t!("activity")} />
                <p class="lead">{ t!(format!("activity-lead-{}", props.role.name())) }</p>
                if view.rows.is_empty() {
                    <Empty shape={Shape::Log} title={t!("activity-empty-title")} text={t!("activity-empty-text")} />
                } else {
                    <div class="card list-card"><ul class="list">{ for view.rows.iter().map(|r| row(r, true)) }</ul></div>
                }
            </>
        }
    })
}

/// One step: what, when, whether it went well, and its evidence if `full`.
pub fn row(row: &ActivityRow, full: bool) -> Html {
    let failure = row.failure.as_ref().map(i18n::failure);
    let sign = if row.ok { Shape::Check } else { Shape::Alert };
    html! {
        <li class="event">
            <span class={classes!("disc", "small", (!row.ok).then_some("bad"))}><Icon shape={sign} size={18} /></span>
            <div class="grow">
                <p>{ i18n::message(&row.message) }</p>
                if let Some((happened, advice)) = failure.filter(|_| full) {
                    <p class="soft small">{ happened }{ " " }{ advice }</p>
                }
                if let Some(record) = row.record.clone().filter(|_| full) {
                    <Evidence {record} />
                }
            </div>
            <div class="aside">
                if !row.ok {
                    <Chip tone={Tone::Stop} shape={Shape::Cross} text={t!("activity-did-not-work")} />
                }
                <time class="soft small" datetime={row.at.to_string()}>{ i18n::when(row.at) }</time>
            </div>
        </li>
    }
}
