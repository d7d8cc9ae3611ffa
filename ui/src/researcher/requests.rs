//! Asks all donors of a study for proof, and lists what came back.

use super::result;
use crate::app::Live;
use crate::components::{Button, Chip, Empty, Kind, Problem, Shape, Title, Tone, loaded_part, value_of};
use crate::hooks::{use_action, use_load};
use crate::i18n;
use bridge::{AskForProof, AskRow, CheckView, ReadAsks, ReadStudies};
use yew::prelude::*;

/// The page.
#[component]
pub fn RequestsPage() -> Html {
    let live = use_context::<Live>();
    let (studies, reload_studies) = use_load(ReadStudies {});
    let (asks, reload_asks) = use_load(ReadAsks {});
    let chosen = use_state(String::new);
    let ask = use_action::<AskForProof>(Callback::from(move |_| {
        if let Some(live) = &live {
            live.announce.emit(t!("requests-sent"));
            live.refresh.emit(());
        }
    }));
    let form = loaded_part(&studies, &reload_studies, |view| {
        if view.studies.is_empty() {
            return html! { <p class="note">{ t!("requests-no-studies") }</p> };
        }
        let card = view.studies.iter().find(|card| card.study.as_str() == *chosen).or(view.studies.first()).cloned();
        let on_choose = {
            let chosen = chosen.setter();
            Callback::from(move |event: Event| chosen.set(value_of(&event)))
        };
        let on_ask = {
            let (card, run) = (card.clone(), ask.run.clone());
            Callback::from(move |()| {
                if let Some(card) = card.clone() {
                    run.emit(AskForProof { study: card.study, purpose: card.purpose });
                }
            })
        };
        html! {
            <section class="card" aria-labelledby="new-request">
                <h2 id="new-request">{ t!("requests-new") }</h2>
                <div class="row wrap bottom">
                    <div class="field grow">
                        <label for="request-study">{ t!("requests-study") }</label>
                        <select id="request-study" onchange={on_choose}>
                            { for view.studies.iter().map(|other| html! {
                                <option value={other.study.to_string()}
                                    selected={card.as_ref().is_some_and(|card| card.study == other.study)}>
                                    { &other.title }</option>
                            }) }
                        </select>
                    </div>
                    <Button kind={Kind::Main} icon={Shape::Ask} text={t!("requests-ask")} on_press={on_ask}
                        busy={ask.busy} />
                </div>
                if let Some(failure) = ask.failure.clone() {
                    <Problem {failure} on_retry={ask.again.clone()} />
                }
            </section>
        }
    });
    let list = loaded_part(&asks, &reload_asks, |view| {
        if view.asks.is_empty() {
            return html! {
                <Empty shape={Shape::Ask} title={t!("requests-empty-title")} text={t!("requests-empty-text")} />
            };
        }
        html! {
            <section aria-labelledby="requests"><h2 id="requests">{ t!("requests-list") }</h2>
                <div class="stack">{ for view.asks.iter().map(row) }</div></section>
        }
    });
    html! {
        <>
            <Title text={t!("requests-title")} />
            <p class="lead">{ t!("requests-lead") }</p>
            { form }
            { list }
        </>
    }
}

fn row(ask: &AskRow) -> Html {
    let id = format!("ask-{}", ask.id);
    html! {
        <article class="card" key={ask.id.clone()} aria-labelledby={id.clone()}>
            <div class="row top wrap">
                <div class="grow"><h3 {id}>{ &ask.title }</h3>
                    <p class="soft small">{ t!("requests-asked", when = i18n::when(ask.asked)) }</p></div>
                <span class="soft">{ t!("requests-count", answers = ask.answers.len(), sent = ask.sent) }</span>
            </div>
            if ask.answers.is_empty() {
                <p class="soft gap">{ t!("requests-no-answers") }</p>
            } else {
                <ul class="list" aria-label={t!("requests-answers")}>
                    { for ask.answers.iter().enumerate().map(|(place, view)| answer(place + 1, view, &ask.title)) }
                </ul>
            }
        </article>
    }
}

fn answer(number: usize, view: &CheckView, study: &str) -> Html {
    let tone = match result::tone(view) {
        "ok" => Tone::Ok,
        "stop" => Tone::Stop,
        _ => Tone::Wait,
    };
    let data = i18n::data_list(&view.data);
    html! {
        <li class="answer">
            <details>
                <summary>
                    <span class="grow"><strong>{ t!("requests-answer", number = number) }</strong>
                        <span class="soft small">{ data }
                            if let Some(at) = view.live_at {
                                { " · " }{ t!("requests-live", time = i18n::time_with_seconds(at)) }
                            }
                        </span></span>
                    <Chip {tone} shape={result::shape(view)} text={result::title(view)} />
                </summary>
                { result::body(view, Some(study.to_owned())) }
            </details>
        </li>
    }
}
