//! A proof, a purpose, one button, and the answer.

use super::form::{Draft, PurposeForm};
use super::proof::ProofField;
use super::result::ResultPage;
use crate::app::Live;
use crate::components::{Button, Kind, Problem, Title, loaded};
use crate::hooks::{use_action, use_load};
use bridge::{Check, CheckView, ReadStudies, Studies};
use std::rc::Rc;
use yew::prelude::*;

/// The page.
#[component]
pub fn CheckPage() -> Html {
    let (load, reload) = use_load(ReadStudies {});
    loaded(&load, t!("form-title"), &reload, |studies| html! { <Bench {studies} /> })
}

#[derive(Properties, PartialEq)]
struct BenchProps {
    studies: Rc<Studies>,
}

#[component]
fn Bench(props: &BenchProps) -> Html {
    let live = use_context::<Live>();
    let draft = {
        let first = props.studies.studies.first().cloned();
        use_state(|| Draft::from_study(first.as_ref()))
    };
    let proof = use_state(String::new);
    let file = use_state(|| None::<String>);
    let result = use_state(|| None::<CheckView>);
    let complaint = use_state(|| None::<&'static str>);
    let check = {
        let result = result.setter();
        use_action::<Check>(Callback::from(move |view: CheckView| {
            if let Some(live) = &live {
                live.announce.emit(t!("result-announce", outcome = super::result::title(&view)));
            }
            result.set(Some(view));
        }))
    };
    if let Some(view) = &*result {
        let on_change = {
            let result = result.setter();
            Callback::from(move |()| result.set(None))
        };
        let on_new = {
            let (result, proof, file) = (result.setter(), proof.setter(), file.setter());
            Callback::from(move |()| {
                proof.set(String::new());
                file.set(None);
                result.set(None);
            })
        };
        return html! {
            <ResultPage view={view.clone()} {on_change} {on_new} on_again={check.again.clone()} busy={check.busy}
                failure={check.failure.clone()} studies={props.studies.clone()} />
        };
    }
    let onsubmit = {
        let (draft, proof, complaint, run) = (draft.clone(), proof.clone(), complaint.clone(), check.run.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let found = if proof.trim().is_empty() {
                Some("form-proof-missing")
            } else if draft.ethics_incomplete() {
                Some("form-ethics-incomplete")
            } else if draft.publication_incomplete() {
                Some("form-publication-incomplete")
            } else {
                None
            };
            complaint.set(found);
            if found.is_none() {
                run.emit(Check { proof: (*proof).clone(), study: draft.study(), purpose: draft.purpose() });
            }
        })
    };
    let on_proof = {
        let (proof, file, complaint) = (proof.setter(), file.setter(), complaint.setter());
        Callback::from(move |(text, name): (String, Option<String>)| {
            proof.set(text);
            file.set(name);
            complaint.set(None);
        })
    };
    let on_draft = {
        let (draft, complaint) = (draft.setter(), complaint.setter());
        Callback::from(move |next| {
            draft.set(next);
            complaint.set(None);
        })
    };
    html! {
        <form {onsubmit} novalidate=true>
            <Title text={t!("form-title")} />
            <p class="lead">{ t!("form-lead") }</p>
            <ProofField text={(*proof).clone()} file={(*file).clone()} on_change={on_proof} />
            <PurposeForm draft={(*draft).clone()} studies={props.studies.clone()} {on_draft} />
            if let Some(id) = *complaint {
                <p class="error" role="alert">{ t!(id) }</p>
            }
            if let Some(failure) = check.failure.clone() {
                <Problem {failure} on_retry={check.again.clone()} busy={check.busy} />
            }
            <div class="bar end bare">
                <Button kind={Kind::Main} text={t!("form-button")} submits=true busy={check.busy} />
            </div>
        </form>
    }
}
