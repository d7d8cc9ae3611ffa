//! Every answer and where it stands, and who asks for proof.

use super::{Aim, Page, answer};
use crate::app::Live;
use crate::components::{Button, Empty, Icon, Problem, Shape, Title, loaded};
use crate::hooks::{use_action, use_load};
use crate::i18n;
use bridge::{AnswerAsk, AskAgain, AskCard, ConsentCard, ReadSharing, RecordView};
use consent::{ConsentState, Topic, Vocabulary};
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct SharingProps {
    /// Goes to a page.
    pub go: Callback<Page>,
}

/// The page.
#[component]
pub fn SharingPage(props: &SharingProps) -> Html {
    let (load, reload) = use_load(ReadSharing {});
    loaded(&load, t!("sharing-title"), &reload, |view| {
        html! {
            <>
                <Title text={t!("sharing-title")} />
                <p class="lead">{ t!("sharing-lead") }</p>
                <div class="bar"><p class="soft small grow">{ t!("sharing-link-help") }</p>
                    <Button text={t!("sharing-link")} on_press={props.go.reform(|()| Page::Show)} /></div>
                if !view.asks.is_empty() {
                    <section class="stack" aria-labelledby="asks">
                        <h2 id="asks">{ t!("sharing-asks") }</h2>
                        { for view.asks.iter().map(|ask| html! {
                            <Ask key={ask.id.clone()} ask={ask.clone()} />
                        }) }
                    </section>
                }
                if view.consents.is_empty() {
                    <Empty shape={Shape::Share} title={t!("sharing-empty-title")} text={t!("sharing-empty-text")} />
                } else {
                    <div class="stack">{ for view.consents.iter().map(|card| html! {
                        <Consent key={card.study.to_string()} card={card.clone()} go={props.go.clone()} />
                    }) }</div>
                }
            </>
        }
    })
}

#[derive(Properties, PartialEq)]
struct AskProps {
    ask: AskCard,
}

#[component]
fn Ask(props: &AskProps) -> Html {
    let live = use_context::<Live>();
    let shared = use_mut_ref(|| false);
    let answer = {
        let shared = shared.clone();
        use_action::<AnswerAsk>(Callback::from(move |_| {
            if let Some(live) = &live {
                let id = if *shared.borrow() { "sharing-ask-shared" } else { "sharing-ask-declined" };
                live.announce.emit(t!(id));
                // The list here and the count in the side bar both follow.
                live.refresh.emit(());
            }
        }))
    };
    let ask = &props.ask;
    let heading = format!("ask-{}", ask.id);
    let respond = |share: bool| {
        let (id, shared, run) = (ask.id.clone(), shared.clone(), answer.run.clone());
        Callback::from(move |()| {
            *shared.borrow_mut() = share;
            run.emit(AnswerAsk { id: id.clone(), share });
        })
    };
    let diseases = i18n::terms(&ask.purpose.diseases.join(", "));
    let topics = ask.purpose.topics.iter().map(|topic| match topic {
        Topic::Ds if !diseases.is_empty() => t!("term-DS-of", diseases = diseases.as_str()),
        topic => i18n::term(topic.code()),
    });
    html! {
        <article class="card ask" aria-labelledby={heading.clone()}>
            <div class="row top">
                <span class="disc"><Icon shape={Shape::Ask} size={22} /></span>
                <div class="grow">
                    <h3 id={heading.clone()}>{ t!("sharing-ask-title", organisation = ask.organisation.clone()) }</h3>
                    <p>{ t!("sharing-ask-text", study = ask.title.clone()) }</p>
                    <p class="soft small gap">{ t!("sharing-ask-what-for") }{ ": " }
                        { i18n::list(topics.collect()) }{ ". " }
                        { t!("sharing-ask-when", when = i18n::when(ask.asked)) }{ "." }</p>
                </div>
            </div>
            if let Some(failure) = answer.failure.clone() {
                <Problem {failure} on_retry={answer.again.clone()} />
            }
            <div class="bar end"><div class="pair">
                <Button text={t!("sharing-ask-not-now")} about={heading.clone()} on_press={respond(false)} />
                <Button text={t!("sharing-ask-share")} about={heading} on_press={respond(true)} busy={answer.busy} />
            </div></div>
        </article>
    }
}

#[derive(Properties, PartialEq)]
struct ConsentProps {
    card: ConsentCard,
    go: Callback<Page>,
}

#[component]
fn Consent(props: &ConsentProps) -> Html {
    let card = &props.card;
    let again = {
        let (go, study, live) = (props.go.clone(), card.study.clone(), use_context::<Live>());
        use_action::<AskAgain>(Callback::from(move |_| {
            if let Some(live) = &live {
                live.announce.emit(t!("sharing-again-announce"));
                live.refresh.emit(());
            }
            go.emit(Page::request(study.clone(), Aim::Answer));
        }))
    };
    let study = card.study.clone();
    let on_again = again.run.reform(move |()| AskAgain { study: study.clone() });
    let study = card.study.clone();
    let on_see = props.go.reform(move |()| Page::Consent(study.clone()));
    let heading = format!("consent-{}", card.study);
    let stands = card.state.allows_use() || card.state == ConsentState::Suspended;
    let waits = matches!(card.record, RecordView::Saved | RecordView::Sent);
    html! {
        <article class="card" aria-labelledby={heading.clone()}>
            <div class="row top wrap">
                <div class="grow"><h2 id={heading.clone()}>{ &card.title }</h2>
                    <p class="soft">{ &card.organisation }</p></div>
                { answer::chip(card) }
            </div>
            <dl class="facts tight">
                if !card.data.is_empty() {
                    <dt>{ t!("sharing-data") }</dt><dd>{ i18n::data_list(&card.data) }</dd>
                }
                if let Some(until) = card.until.filter(|_| card.state.allows_use()) {
                    <dt>{ t!("sharing-until") }</dt><dd>{ i18n::date(until) }</dd>
                }
                <dt>{ t!("sharing-answered") }</dt><dd>{ i18n::when(card.answered) }</dd>
            </dl>
            if waits {
                <p class="soft small gap">{ t!("sharing-unrecorded") }</p>
            }
            if let Some(failure) = again.failure.clone() {
                <Problem {failure} on_retry={again.again.clone()} />
            }
            <div class="bar">
                if card.state == ConsentState::Refused {
                    // A "no" was not signed, so there is nothing more to see.
                    <p class="soft small grow">{ t!("consent-again-help") }</p>
                    <Button text={t!("consent-again")} about={heading.clone()} on_press={on_again} busy={again.busy} />
                } else {
                    <p class="soft small grow">
                        { if stands { t!("sharing-see-help") } else { t!("sharing-over-help") } }</p>
                    <Button text={t!("sharing-see")} about={heading} on_press={on_see} />
                }
            </div>
        </article>
    }
}
