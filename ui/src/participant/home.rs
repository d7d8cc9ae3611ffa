//! The first page: what waits, what is shared, what happened lately.

use super::{Aim, Page, answer, request};
use crate::components::{Button, Chip, Empty, Icon, Kind, Shape, Title, Tone, activity_row, loaded};
use crate::hooks::Load;
use crate::i18n;
use bridge::{ConsentCard, Home, RequestCard};
use consent::{ConsentState, Outcome};
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct HomeProps {
    /// The view.
    pub home: Load<Home>,
    /// Asks for it again.
    pub reload: Callback<()>,
    /// Goes to a page.
    pub go: Callback<Page>,
}

/// The page.
#[component]
pub fn HomePage(props: &HomeProps) -> Html {
    loaded(&props.home, t!("nav-home"), &props.reload, |home| page(&home, &props.go))
}

fn page(home: &Home, go: &Callback<Page>) -> Html {
    let shared: Vec<&ConsentCard> = home.consents.iter().filter(|card| shares(card)).collect();
    let title = match home.requests.len() {
        0 => t!("home-title-none"),
        count => t!("home-title-waiting", count = count),
    };
    html! {
        <>
            <Title text={title} />
            <p class="lead">{ t!("home-lead") }</p>
            if home.asks > 0 {
                <div class="note row">
                    <Icon shape={Shape::Ask} size={22} />
                    <p class="grow">{ t!("home-asks", count = home.asks) }</p>
                    <Button text={t!("home-asks-button")} on_press={go.reform(|()| Page::Sharing)} />
                </div>
            }
            if home.requests.is_empty() {
                <Empty shape={Shape::Letter} title={t!("home-empty-title")} text={t!("home-empty-text")} />
            } else {
                <section aria-label={t!("home-requests")} class="stack">
                    { for home.requests.iter().map(|card| request(card, go)) }
                </section>
            }
            if !home.consents.is_empty() {
                <section aria-labelledby="home-shared">
                    <div class="row head"><h2 id="home-shared" class="grow">{ t!("home-shared") }</h2>
                        <Button kind={Kind::Quiet} text={t!("home-all-sharing")}
                            on_press={go.reform(|()| Page::Sharing)} /></div>
                    <div class="card list-card">
                        if shared.is_empty() {
                            <p class="soft pad">{ t!("home-shared-none") }</p>
                        } else {
                            <ul class="list">{ for shared.into_iter().map(|card| consent(card, go)) }</ul>
                        }
                    </div>
                </section>
            }
            if !home.lately.is_empty() {
                <section aria-labelledby="home-lately">
                    <div class="row head"><h2 id="home-lately" class="grow">{ t!("home-lately") }</h2>
                        <Button kind={Kind::Quiet} text={t!("home-all-activity")}
                            on_press={go.reform(|()| Page::Activity)} /></div>
                    <div class="card list-card"><ul class="list">
                        { for home.lately.iter().take(4).map(|row| activity_row(row, false)) }
                    </ul></div>
                </section>
            }
        </>
    }
}

fn request(card: &RequestCard, go: &Callback<Page>) -> Html {
    let study = card.study.clone();
    let id = format!("request-{study}");
    let on_press = go.reform(move |()| Page::request(study.clone(), Aim::Answer));
    // Whoever has chosen nothing yet is not told at every study that they are not sure.
    let fits = (card.fits != Outcome::Review).then(|| request::look(card.fits));
    html! {
        <article class="card request" aria-labelledby={id.clone()}>
            <div class="grow">
                <h2 id={id.clone()}>{ &card.title }</h2>
                <p class="asker">{ t!("home-why", organisation = card.organisation.clone()) }</p>
                <p class="soft">{ &card.why }</p>
                if card.deferred || fits.is_some() {
                    <div class="row wrap chips">
                        if let Some((tone, shape, id)) = fits {
                            <Chip {tone} {shape} text={t!(id)} />
                        }
                        if card.deferred {
                            <Chip tone={Tone::Wait} shape={Shape::Clock} text={t!("home-deferred")} />
                        }
                    </div>
                }
            </div>
            <Button kind={Kind::Main} text={t!("home-read")} about={id} {on_press} />
        </article>
    }
}

/// Whether the study has the person's data, be it paused or without new ones.
fn shares(card: &ConsentCard) -> bool {
    card.state.allows_use() || card.state == ConsentState::Suspended
}

fn consent(card: &ConsentCard, go: &Callback<Page>) -> Html {
    let study = card.study.clone();
    let id = format!("shared-{}", card.study);
    let data = i18n::data_list(&card.data);
    html! {
        <li>
            <div class="grow">
                <strong id={id.clone()}>{ &card.title }</strong>
                <p class="soft small">{ data }
                    if let Some(until) = card.until {
                        { " · " }{ t!("home-until", date = i18n::date(until)) }
                    }
                </p>
            </div>
            { answer::chip(card) }
            <Button kind={Kind::Quiet} text={t!("home-see")} about={id}
                on_press={go.reform(move |()| Page::Consent(study.clone()))} />
        </li>
    }
}
