//! The table of donors, by number.

use super::Page;
use crate::components::{Button, Chip, Empty, Kind, Problem, Shape, Title, Tone, loaded};
use crate::hooks::{use_action, use_load};
use crate::i18n;
use bridge::{DonorRow, Donors, InvitationState, Invite, ReadDonors};
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct DonorsProps {
    /// Goes to a page.
    pub go: Callback<Page>,
}

/// The page.
#[component]
pub fn DonorsPage(props: &DonorsProps) -> Html {
    let (load, reload) = use_load(ReadDonors {});
    let invite = use_action::<Invite>(props.go.reform(Page::Invitation));
    let button = html! {
        <Button kind={Kind::Main} icon={Shape::Letter} text={t!("donors-invite")} busy={invite.busy}
            on_press={invite.run.reform(|()| Invite {})} />
    };
    let failed = html! {
        if let Some(failure) = invite.failure.clone() {
            <Problem {failure} on_retry={invite.again.clone()} />
        }
    };
    loaded(&load, t!("donors-title"), &reload, |view| {
        if view.rows.is_empty() {
            return html! {
                <>
                    <Title text={t!("donors-title")} />
                    <p class="lead">{ &view.biobank }</p>
                    { failed }
                    <Empty shape={Shape::People} title={t!("donors-empty-title")} text={t!("donors-empty-text")}>
                        { button }
                    </Empty>
                </>
            };
        }
        html! {
            <>
                <div class="row wrap page-head">
                    <div class="grow"><Title text={t!("donors-title")} /><p class="lead">{ lead(&view) }</p></div>
                    { button }
                </div>
                { failed }
                { table(&view) }
                <p class="soft small gap">{ t!("donors-privacy") }</p>
            </>
        }
    })
}

fn lead(view: &Donors) -> String {
    let count = |state| view.rows.iter().filter(|row| row.state == state).count();
    t!("donors-lead-joined", joined = count(InvitationState::Accepted), open = count(InvitationState::Sent))
}

fn table(view: &Donors) -> Html {
    let heads = ["donors-donor", "donors-state", "donors-invited", "donors-joined", "donors-consents", "donors-until"];
    html! {
        <div class="card table-card" role="region" aria-label={t!("donors-table")} tabindex="0">
            <table>
                <caption class="hidden">{ t!("donors-table") }</caption>
                <thead><tr>{ for heads.map(|id| html! { <th scope="col">{ t!(id) }</th> }) }</tr></thead>
                <tbody>{ for view.rows.iter().map(row) }</tbody>
            </table>
        </div>
    }
}

fn row(row: &DonorRow) -> Html {
    let (tone, shape, id) = match row.state {
        InvitationState::Sent => (Tone::Wait, Shape::Clock, "donors-state-sent"),
        InvitationState::Accepted => (Tone::Ok, Shape::Check, "donors-state-accepted"),
        InvitationState::Expired => (Tone::Off, Shape::Flag, "donors-state-expired"),
    };
    let consents = match (row.live, row.withdrawn) {
        (0, 0) => t!("donors-none"),
        (live, 0) => t!("donors-consents-live", live = live),
        (live, withdrawn) => t!("donors-consents-both", live = live, withdrawn = withdrawn),
    };
    // What an accepted invitation was valid until is of no use to anyone.
    let until = if row.state == InvitationState::Accepted { "–".to_owned() } else { i18n::day(row.expires) };
    html! {
        <tr key={row.donor.clone()}>
            <th scope="row" class="code">{ &row.donor }</th>
            <td><Chip {tone} {shape} text={t!(id)} /></td>
            <td>{ i18n::day(row.invited) }</td>
            <td class={row.joined.is_none().then_some("soft")}>
                { row.joined.map_or_else(|| t!("donors-not-yet"), i18n::day) }</td>
            <td class={(row.live + row.withdrawn == 0).then_some("soft")}>{ consents }</td>
            <td class="soft">{ until }</td>
        </tr>
    }
}
