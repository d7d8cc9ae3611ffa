//! One request, to be read in peace. Nothing is ticked, both answers weigh the same, Escape decides later.

use super::{Chosen, Page, answer};
use crate::components::{Button, Chip, Icon, Kind, Problem, Shape, Title, Tone, loaded};
use crate::hooks::{Load, use_action, use_escape, use_load};
use crate::i18n;
use bridge::{Code, Defer, ReadRequest, Refuse, RequestView};
use consent::{DataKind, DataOffer, StudyId};
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct RequestProps {
    /// Which study.
    pub study: StudyId,
    /// What the person chose before, when coming back from the review.
    pub before: Chosen,
    /// Goes to a page.
    pub go: Callback<Page>,
    /// Goes home.
    pub back: Callback<()>,
}

/// The page.
#[component]
pub fn Request(props: &RequestProps) -> Html {
    let (load, reload) = use_load(ReadRequest { study: props.study.clone() });
    let chosen = use_state(|| props.before.clone());
    let notice = match &load {
        Load::Ready(view) => view.notice.clone(),
        _ => String::new(),
    };
    // Ticks belong to the text that they stood beside: when the request changes, nothing is ticked again.
    let ticked = if chosen.notice == notice { chosen.data.clone() } else { Vec::new() };
    let changed = !chosen.data.is_empty() && chosen.notice != notice;
    let nothing = use_state(|| false);
    let home = props.back.reform(|_| ());
    let refuse = use_action::<Refuse>(home.clone());
    let defer = use_action::<Defer>(home);

    let study = props.study.clone();
    let on_later = {
        let study = study.clone();
        defer.run.reform(move |()| Defer { study: study.clone() })
    };
    use_escape(on_later.clone());
    let on_no = {
        let study = study.clone();
        refuse.run.reform(move |()| Refuse { study: study.clone() })
    };
    let on_continue = {
        let (go, nothing) = (props.go.clone(), nothing.clone());
        let answer = Chosen { notice: notice.clone(), data: ticked.clone() };
        Callback::from(move |()| {
            nothing.set(answer.data.is_empty());
            if !answer.data.is_empty() {
                go.emit(Page::Review(study.clone(), answer.clone()));
            }
        })
    };
    let on_tick = {
        let (chosen, nothing, ticked) = (chosen.clone(), nothing.clone(), ticked.clone());
        Callback::from(move |kind: DataKind| {
            let mut next = ticked.clone();
            match next.iter().position(|other| *other == kind) {
                Some(place) => drop(next.remove(place)),
                None => next.push(kind),
            }
            nothing.set(false);
            chosen.set(Chosen { notice: notice.clone(), data: next });
        })
    };
    let back = html! {
        <Button kind={Kind::Quiet} icon={Shape::Back} text={t!("back")} on_press={props.back.clone()} />
    };
    let page = loaded(&load, t!("request-title"), &reload, |view| {
        html! {
            <>
                <Title text={t!("request-title")} />
                <div class="row wrap who-asks">
                    <p class="lead grow"><strong>{ &view.organisation }</strong><br />{ &view.title }</p>
                    <Chip tone={Tone::Ok} shape={Shape::Check} text={t!("request-checked",
                        biobank = view.checked_by.clone(), date = i18n::date(view.checked_on))} />
                </div>
                <div class="card">
                    { facts(&view, &ticked, &on_tick) }
                    { disclosure(&view) }
                    if changed {
                        <Problem failure={bridge::Failure::new(Code::RequestChanged)} />
                    }
                    if *nothing {
                        <Problem failure={bridge::Failure::new(Code::NothingChosen)} />
                    }
                    { for [(&refuse.failure, &refuse.again), (&defer.failure, &defer.again)].into_iter()
                        .filter_map(|(failure, again)| Some(html! {
                            <Problem failure={failure.clone()?} on_retry={again.clone()} />
                        })) }
                    <div class="bar answers">
                        <Button kind={Kind::Quiet} text={t!("request-later")} on_press={on_later} busy={defer.busy} />
                        <div class="pair">
                            <Button text={t!("request-no")} on_press={on_no} busy={refuse.busy} />
                            <Button text={t!("request-continue")} on_press={on_continue} />
                        </div>
                    </div>
                </div>
            </>
        }
    });
    let count = match &load {
        Load::Ready(view) => t!("request-count", position = view.position, of = view.of),
        _ => String::new(),
    };
    html! {
        <div class="reading">
            <div class="row topline">{ back }<span class="grow"></span><span class="soft">{ count }</span></div>
            { page }
        </div>
    }
}

fn facts(view: &RequestView, ticked: &[DataKind], on_tick: &Callback<DataKind>) -> Html {
    let offer = |offer: &DataOffer| {
        let kind = offer.kind;
        let id = format!("offer-{}", kind.code());
        html! {
            <div class="choice" key={kind.code()}>
                <input type="checkbox" id={id.clone()} checked={ticked.contains(&kind)}
                    onchange={on_tick.reform(move |_: Event| kind)} aria-describedby={format!("{id}-detail")} />
                <div><label for={id.clone()}>{ answer::my(kind) }</label>
                    <p class="soft small" id={format!("{id}-detail")}>{ &offer.detail }</p></div>
            </div>
        }
    };
    html! {
        <div class="facts">
            <h2>{ t!("request-why") }</h2>
            <p>{ &view.why }</p>
            <fieldset class="fact-choice">
                <legend>{ t!("request-what") }</legend>
                <div><p class="gap-below">{ t!("request-choose") }</p>{ for view.offers.iter().map(offer) }</div>
            </fieldset>
            <h2>{ t!("request-rules") }</h2>
            { answer::rules(&view.rules) }
            <h2>{ t!("request-until") }</h2>
            <p>{ view.until.map_or_else(|| t!("request-until-none"), i18n::date) }</p>
            <h2>{ t!("request-risk") }</h2>
            <p>{ t!("request-risk-text") }</p>
            <h2>{ t!("request-change") }</h2>
            <div><p>{ t!("request-change-text") }</p><p class="gap">{ t!("request-care-text") }</p></div>
        </div>
    }
}

fn disclosure(view: &RequestView) -> Html {
    html! {
        <details>
            <summary>{ t!("request-disclosure") }</summary>
            <h3><Icon shape={Shape::File} size={18} />{ t!("request-text") }</h3>
            <div class="full-text">{ for view.text.split("\n\n").map(|part| html! { <p>{ part }</p> }) }</div>
            <h3><Icon shape={Shape::Lock} size={18} />{ t!("request-record") }</h3>
            <p>{ t!("request-record-text") }</p>
            <dl class="evidence">
                <dt>{ t!("request-signer") }</dt><dd class="code">{ &view.signer }</dd>
                <dt>{ t!("request-notice") }</dt><dd class="code">{ &view.notice }</dd>
            </dl>
        </details>
    }
}
