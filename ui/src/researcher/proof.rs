//! Three ways to hand over a proof: choose the file, drop it, or paste its text.

use crate::components::{Icon, Shape, value_of};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use yew::prelude::*;

/// Properties of the part.
#[derive(Properties, PartialEq)]
pub struct ProofProps {
    /// The text of the proof.
    pub text: String,
    /// The name of the file that it came from.
    pub file: Option<String>,
    /// Takes a text and where it came from.
    pub on_change: Callback<(String, Option<String>)>,
}

/// The part.
#[component]
pub fn ProofField(props: &ProofProps) -> Html {
    let over = use_state(|| false);
    let onchange = {
        let on_change = props.on_change.clone();
        Callback::from(move |event: Event| {
            let input = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
            if let Some(file) = input.and_then(|input| input.files()).and_then(|files| files.get(0)) {
                read(file, on_change.clone());
            }
        })
    };
    let ondrop = {
        let (on_change, over) = (props.on_change.clone(), over.setter());
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            over.set(false);
            let files = event.data_transfer().and_then(|data| data.files());
            if let Some(file) = files.and_then(|files| files.get(0)) {
                read(file, on_change.clone());
            }
        })
    };
    let hover = |inside: bool| {
        let over = over.setter();
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            over.set(inside);
        })
    };
    let on_paste = props.on_change.reform(|event: InputEvent| (value_of(&event), None));
    html! {
        <fieldset class={classes!("card", "drop", over.then_some("over"))} {ondrop} ondragover={hover(true)}
            ondragenter={hover(true)} ondragleave={hover(false)}>
            <legend>{ t!("form-proof") }</legend>
            <div class="columns">
                <div class="field">
                    <label for="proof-file">{ t!("form-file") }</label>
                    <p class="soft small" id="proof-file-hint">
                        { if *over { t!("form-drop") } else { t!("form-file-hint") } }</p>
                    <input id="proof-file" type="file" {onchange} aria-describedby="proof-file-hint"
                        accept=".json,.jsonld,.vp,.txt,application/json,application/vp,text/plain" />
                    if let Some(name) = props.file.clone() {
                        <p class="loaded" role="status"><Icon shape={Shape::Check} size={18} />
                            { t!("form-file-chosen", name = name) }</p>
                    }
                </div>
                <div class="field">
                    <label for="proof-text">{ t!("form-paste") }</label>
                    <textarea id="proof-text" class="code" rows="4" spellcheck="false" autocomplete="off"
                        value={if props.file.is_some() { String::new() } else { props.text.clone() }}
                        oninput={on_paste} />
                </div>
            </div>
        </fieldset>
    }
}

/// Larger files are not read at all; the core has its own, smaller limit and says so.
const LARGEST: f64 = 16.0 * 1024.0 * 1024.0;

fn read(file: web_sys::File, on_change: Callback<(String, Option<String>)>) {
    if file.size() > LARGEST {
        // The core answers "too large" to this stand-in just as to the file.
        let text = " ".repeat(LARGEST as usize / 8) + "x";
        return on_change.emit((text, Some(file.name())));
    }
    spawn_local(async move {
        if let Some(text) = JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string()) {
            on_change.emit((text, Some(file.name())));
        }
    });
}
