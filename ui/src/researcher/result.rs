//! The answer to a check: one large word, every reason, every check that was made.

use crate::components::{Button, Icon, Kind, Problem, Shape, Title};
use crate::i18n;
use bridge::{CheckResult, CheckRow, CheckView, Failure, ReasonView, Recorded, Studies};
use consent::Outcome;
use std::rc::Rc;
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct ResultProps {
    /// The answer.
    pub view: CheckView,
    /// The studies, for their names.
    pub studies: Rc<Studies>,
    /// Checks the same again.
    pub on_again: Callback<()>,
    /// Whether it is being checked again.
    pub busy: bool,
    /// Why checking again failed.
    pub failure: Option<Failure>,
    /// Back to the form with what was filled in.
    pub on_change: Callback<()>,
    /// Back to the form without the proof.
    pub on_new: Callback<()>,
}

/// The page.
#[component]
pub fn ResultPage(props: &ResultProps) -> Html {
    let view = &props.view;
    let name = view
        .study
        .as_ref()
        .and_then(|study| props.studies.studies.iter().find(|card| card.study == *study))
        .map(|card| card.title.clone());
    html! {
        <div>
            <div class="row topline">
                <Button kind={Kind::Quiet} icon={Shape::Back} text={t!("result-change")}
                    on_press={props.on_change.clone()} />
            </div>
            <div class={classes!("card", "verdict", tone(view))}>
                <span class={classes!("disc", "huge", tone(view))}><Icon shape={shape(view)} size={40} /></span>
                <div class="grow">
                    // A new answer is a new page: the heading takes the focus again.
                    <Title key={format!("{:?}", view.live_at)} text={title(view)} />
                    <p class="lead">{ t!(format!("result-lead-{}", key(view))) }</p>
                    <p class="soft small">{ live(view) }</p>
                </div>
                <Button text={t!("result-again")} on_press={props.on_again.clone()} busy={props.busy} />
            </div>
            if let Some(failure) = props.failure.clone() {
                <Problem {failure} on_retry={props.on_again.clone()} busy={props.busy} />
            }
            { body(view, name) }
            <div class="bar end bare">
                <Button kind={Kind::Main} text={t!("result-new")} on_press={props.on_new.clone()} />
            </div>
        </div>
    }
}

/// Reasons, duties, evidence and checks of an answer.
pub fn body(view: &CheckView, study: Option<String>) -> Html {
    let passed = view.checks.iter().filter(|row| row.result == CheckResult::Passed).count();
    html! {
        <>
            <div class="halves">
                if view.outcome.is_none() {
                    <section>
                        <h2>{ t!("result-why-not") }</h2>
                        <ul class="card checks">{
                            for view.checks.iter().filter(|row| row.result != CheckResult::Passed).map(check)
                        }</ul>
                    </section>
                }
                if !view.reasons.is_empty() {
                    <section>
                        <h2>{ t!("result-reasons") }</h2>
                        <ul class="card ticks">{ for view.reasons.iter().map(reason) }</ul>
                        if !view.duties.is_empty() {
                            <h2>{ t!("result-duties") }</h2>
                            <ul class="card ticks">{ for view.duties.iter().map(|duty| html! {
                                <li><Icon shape={Shape::Pen} size={18} />{ t!(format!("duty-{duty}")) }</li>
                            }) }</ul>
                        }
                    </section>
                }
                if view.given.is_some() || view.signer.is_some() || view.study.is_some() {
                    <section><h2>{ t!("result-evidence") }</h2>{ evidence(view, study) }</section>
                }
            </div>
            <div class="row head"><h2 class="grow">{ t!("result-checks") }</h2>
                <span class="soft small">{ t!("result-checks-count", passed = passed, all = view.checks.len()) }</span>
            </div>
            <ul class="card checks">{ for view.checks.iter().map(check) }</ul>
        </>
    }
}

/// The name of the answer in message ids.
pub fn key(view: &CheckView) -> &'static str {
    match view.outcome {
        Some(Outcome::Permit) => "permit",
        Some(Outcome::Review) => "review",
        Some(Outcome::Deny) => "deny",
        None if view.checks.iter().any(|row| row.result == CheckResult::Failed) => "not-valid",
        None => "unchecked",
    }
}

/// The answer in one word.
pub fn title(view: &CheckView) -> String {
    t!(format!("result-title-{}", key(view)))
}

/// The answer's colour.
pub fn tone(view: &CheckView) -> &'static str {
    match view.outcome {
        Some(Outcome::Permit) => "ok",
        Some(Outcome::Deny) => "stop",
        None if key(view) == "not-valid" => "stop",
        Some(Outcome::Review) | None => "wait",
    }
}

/// The answer's sign.
pub fn shape(view: &CheckView) -> Shape {
    match view.outcome {
        Some(Outcome::Permit) => Shape::Check,
        Some(Outcome::Review) => Shape::People,
        Some(Outcome::Deny) => Shape::Cross,
        None if key(view) == "not-valid" => Shape::Alert,
        None => Shape::Offline,
    }
}

fn live(view: &CheckView) -> String {
    match (view.live_at, view.log_size) {
        (Some(at), Some(size)) => {
            t!("result-live", time = i18n::time_with_seconds(at), count = size, size = i18n::number(size))
        }
        _ => t!("result-not-live"),
    }
}

fn reason(reason: &ReasonView) -> Html {
    let (class, shape, id) = match reason.outcome {
        Outcome::Permit => ("ok-line", Shape::Check, "result-title-permit"),
        Outcome::Review => ("wait-line", Shape::Clock, "result-title-review"),
        Outcome::Deny => ("stop-line", Shape::Cross, "result-title-deny"),
    };
    html! {
        <li {class}><Icon {shape} size={18} /><span><span class="hidden">{ t!(id) }{ ": " }</span>
            { i18n::message(&reason.message) }</span></li>
    }
}

fn evidence(view: &CheckView, study: Option<String>) -> Html {
    let entry = |record: &Recorded| {
        html! {
            <>
                { t!("result-entry", number = i18n::entry_number(record.index), when = i18n::when(record.checked)) }
                <details><summary>{ t!("record-hash") }</summary><p class="code">{ &record.hash }</p></details>
            </>
        }
    };
    let study = study.or_else(|| view.study.as_ref().map(ToString::to_string));
    html! {
        <dl class="card facts tight">
            if let Some(study) = study {
                <dt>{ t!("result-study") }</dt><dd>{ study }</dd>
            }
            if !view.data.is_empty() {
                <dt>{ t!("result-data") }</dt><dd>{ i18n::data_list(&view.data) }</dd>
            }
            if let Some(given) = &view.given {
                <dt>{ t!("result-given") }</dt><dd>{ entry(given) }</dd>
            }
            if let Some(withdrawn) = &view.withdrawn {
                <dt>{ t!("result-withdrawn") }</dt><dd class="stop-line">{ entry(withdrawn) }</dd>
            }
            if let Some(signer) = &view.signer {
                <dt>{ t!("result-signer") }</dt><dd class="code">{ signer }</dd>
            }
        </dl>
    }
}

fn check(row: &CheckRow) -> Html {
    let (class, shape, id) = match row.result {
        CheckResult::Passed => ("ok-line", Shape::Check, "result-check-passed"),
        CheckResult::Failed => ("stop-line", Shape::Cross, "result-check-failed"),
        CheckResult::NotMade => ("off-line", Shape::Minus, "result-check-not-made"),
    };
    html! {
        <li {class}>
            <Icon {shape} size={18} />
            <div>
                <span>{ t!(format!("check-{}", row.name)) }</span>
                <span class="verdict-word">{ t!(id) }</span>
                if !row.detail.is_empty() {
                    <details><summary>{ t!("more") }</summary><p class="code">{ &row.detail }</p></details>
                }
            </div>
        </li>
    }
}
