//! Why, what, by which rules, until when, with what risk: a word on the left, what it means on the right.

use crate::components::{Chip, DateField, Entered, Icon, Shape, Tone};
use crate::i18n;
use crate::participant::{Aim, answer};
use bridge::RequestView;
use consent::{Choice, DataKind, DataOffer, Date, Vocabulary};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of the facts.
#[derive(Properties, PartialEq)]
pub struct FactsProps {
    /// The request.
    pub view: Rc<RequestView>,
    /// What is chosen.
    pub choice: Choice,
    /// Why the request is opened.
    pub aim: Aim,
    /// Takes what is chosen.
    pub on_choice: Callback<Choice>,
    /// Takes what stands in the field of the last day.
    pub on_day: Callback<Entered>,
}

/// The facts.
#[component]
pub fn Facts(props: &FactsProps) -> Html {
    let (view, choice) = (&props.view, &props.choice);
    let before = view.current.as_ref().map(|current| &current.data);
    let offer = |offer: &DataOffer| {
        let kind = offer.kind;
        let id = format!("offer-{}", kind.code());
        let ticked = choice.data.contains(&kind);
        let differs = before.is_some_and(|before| before.contains(&kind) != ticked);
        let onchange = {
            let (on_choice, choice) = (props.on_choice.clone(), choice.clone());
            let offered: Vec<DataKind> = view.offers.iter().map(|offer| offer.kind).collect();
            Callback::from(move |_: Event| {
                // In the order in which they are offered, whatever was pressed first.
                let wanted = |other: &DataKind| choice.data.contains(other) != (*other == kind);
                let data = offered.iter().copied().filter(wanted).collect();
                on_choice.emit(Choice { data, ..choice.clone() });
            })
        };
        html! {
            <div class="choice" key={kind.code()}>
                <input type="checkbox" id={id.clone()} checked={ticked} {onchange}
                    aria-describedby={format!("{id}-detail")} />
                <div class="grow"><label for={id.clone()}>{ answer::my(kind) }</label>
                    <p class="soft small" id={format!("{id}-detail")}>{ &offer.detail }</p></div>
                if differs {
                    <Chip tone={Tone::Wait} shape={Shape::Pen} text={t!("change-mark")} />
                }
            </div>
        }
    };
    let lead = if props.aim == Aim::Answer { t!("request-choose") } else { t!("change-choose") };
    html! {
        <>
            <div class="facts">
                <h2>{ t!("request-why") }</h2>
                <p>{ &view.why }</p>
                <fieldset class="fact-choice">
                    <legend>{ t!("request-what") }</legend>
                    <div><p class="gap-below">{ lead }</p>{ for view.offers.iter().map(offer) }</div>
                </fieldset>
                <h2>{ t!("request-rules") }</h2>
                { answer::rules(&view.rules) }
                <h2>{ t!("request-until") }</h2>
                <div>
                    if props.aim == Aim::Answer {
                        <p>{ choice.until.or(view.until).map_or_else(|| t!("request-until-none"), i18n::date) }</p>
                        <details>
                            <summary>{ t!("request-until-earlier") }</summary>
                            <LastDay view={view.clone()} until={choice.until} aim={props.aim} on_day={props.on_day.clone()} />
                        </details>
                    } else {
                        <LastDay view={view.clone()} until={choice.until} aim={props.aim} on_day={props.on_day.clone()} />
                    }
                </div>
                <h2>{ t!("request-risk") }</h2>
                <p>{ t!("request-risk-text") }</p>
                <h2>{ t!("request-change") }</h2>
                <div><p>{ t!("request-change-text") }</p><p class="gap">{ t!("request-care-text") }</p></div>
            </div>
            { disclosure(view) }
        </>
    }
}

/// Properties of the field of the last day.
#[derive(Properties, PartialEq)]
pub struct LastDayProps {
    /// The request.
    pub view: Rc<RequestView>,
    /// The day that is chosen.
    pub until: Option<Date>,
    /// Why the request is opened.
    pub aim: Aim,
    /// Takes what stands in the field.
    pub on_day: Callback<Entered>,
}

/// The last day of a consent: at most that of the study, and not in the past.
#[component]
pub fn LastDay(props: &LastDayProps) -> Html {
    let view = &props.view;
    let current = view.current.as_ref().and_then(|current| current.until).or(view.until);
    let value = props.until.or(if props.aim == Aim::Answer { None } else { view.until });
    let hint = match (props.aim, current, view.until) {
        (Aim::Extend, Some(now), Some(last)) => {
            t!("extend-hint", now = i18n::date(now), last = i18n::date(last))
        }
        (_, _, Some(last)) => t!("change-until-hint", last = i18n::date(last)),
        _ => t!("request-until-none"),
    };
    let differs = view.current.is_some() && value != current;
    let quick = view.until.map(|last| (AttrValue::from(t!("extend-to-the-end")), last));
    let quick: Vec<_> = quick.filter(|_| props.aim == Aim::Extend).into_iter().collect();
    html! {
        <div class="last-day">
            <DateField id="until" label={t!("change-until")} {hint} {value} min={i18n::now().date()} max={view.until}
                {quick} on_change={props.on_day.clone()} />
            if differs {
                <Chip tone={Tone::Wait} shape={Shape::Pen} text={t!("change-mark")} />
            }
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
