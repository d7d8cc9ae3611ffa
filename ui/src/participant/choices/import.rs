//! Answers that were given in another system, read from its file into the form.

use crate::app::Live;
use crate::components::{Button, Icon, Problem, Shape, value_of};
use crate::hooks::use_action;
use bridge::{ImportChoices, ImportView};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use yew::prelude::*;

/// Larger files are not read at all; the core has its own limit.
const LARGEST: f64 = 4.0 * 1024.0 * 1024.0;

/// Properties of the part.
#[derive(Properties, PartialEq)]
pub struct ImportProps {
    /// Takes what was read. Nothing is saved by it.
    pub on_read: Callback<Rc<ImportView>>,
}

/// A file or its text, one button, and what became of it.
#[component]
pub fn Import(props: &ImportProps) -> Html {
    let live = use_context::<Live>();
    let text = use_state(String::new);
    let complaint = use_state(|| None::<&'static str>);
    let result = use_state(|| None::<Rc<ImportView>>);
    let import = {
        let (result, on_read) = (result.setter(), props.on_read.clone());
        use_action::<ImportChoices>(Callback::from(move |view: ImportView| {
            let view = Rc::new(view);
            if let Some(live) = &live {
                live.announce.emit(t!("choices-import-read", count = view.read));
            }
            if view.read > 0 {
                on_read.emit(view.clone());
            }
            result.set(Some(view));
        }))
    };
    let take = {
        let (text, complaint, result) = (text.setter(), complaint.setter(), result.setter());
        move |next: Option<String>| {
            result.set(None);
            complaint.set(next.is_none().then_some("choices-import-unreadable"));
            text.set(next.unwrap_or_default());
        }
    };
    let on_file = {
        let take = take.clone();
        Callback::from(move |event: Event| {
            let input = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
            let Some(file) = input.and_then(|input| input.files()).and_then(|files| files.get(0)) else { return };
            let take = take.clone();
            spawn_local(async move {
                let small = file.size() <= LARGEST;
                let read = if small { JsFuture::from(file.text()).await.ok() } else { None };
                take(read.and_then(|read| read.as_string()));
            });
        })
    };
    let on_paste = Callback::from(move |event: InputEvent| take(Some(value_of(&event))));
    let on_press = {
        let (text, complaint, run) = (text.clone(), complaint.setter(), import.run.clone());
        Callback::from(move |()| {
            if text.trim().is_empty() {
                complaint.set(Some("choices-import-missing"));
            } else {
                run.emit(ImportChoices { text: (*text).clone() });
            }
        })
    };
    html! {
        <details class="card import">
            <summary>{ t!("choices-import") }</summary>
            <p class="soft">{ t!("choices-import-lead") }</p>
            <div class="columns gap">
                <div class="field">
                    <label for="import-file">{ t!("choices-import-file") }</label>
                    <input id="import-file" type="file" onchange={on_file} accept=".json,application/json,text/plain" />
                </div>
                <div class="field">
                    <label for="import-text">{ t!("choices-import-text") }</label>
                    <textarea id="import-text" class="code" rows="4" spellcheck="false" autocomplete="off"
                        value={(*text).clone()} oninput={on_paste} />
                </div>
            </div>
            if let Some(id) = *complaint {
                <p class="error gap" role="alert">{ t!(id) }</p>
            }
            if let Some(failure) = import.failure.clone() {
                <Problem {failure} />
            }
            <div class="bar end bare">
                <Button text={t!("choices-import-button")} {on_press} busy={import.busy} />
            </div>
            if let Some(view) = &*result {
                { report(view) }
            }
        </details>
    }
}

fn report(view: &ImportView) -> Html {
    let sign = if view.read > 0 { Shape::Check } else { Shape::Minus };
    html! {
        <div class="import-result">
            <p class="note"><Icon shape={sign} size={20} />{ t!("choices-import-read", count = view.read) }</p>
            if !view.left_out.is_empty() {
                <p class="gap">{ t!("choices-import-left-out", count = view.left_out.len()) }</p>
                <ul class="left-out">{ for view.left_out.iter().map(|text| html! { <li>{ text }</li> }) }</ul>
            }
        </div>
    }
}
