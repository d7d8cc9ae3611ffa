//! One line to fill in, and the clipboard.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use yew::prelude::*;

/// Properties of a field.
#[derive(Properties, PartialEq)]
pub struct FieldProps {
    /// Its id in the page.
    pub id: AttrValue,
    /// Its label, which is its accessible name.
    pub label: AttrValue,
    /// Help under the label.
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    /// What is wrong with what was typed.
    #[prop_or_default]
    pub error: Option<AttrValue>,
    /// The kind of input.
    #[prop_or(AttrValue::Static("text"))]
    pub kind: AttrValue,
    /// What is typed.
    pub value: AttrValue,
    /// Takes what is typed.
    pub on_input: Callback<String>,
}

/// A labelled line.
#[component]
pub fn Field(props: &FieldProps) -> Html {
    let id = &props.id;
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = match (&props.hint, &props.error) {
        (_, Some(_)) if props.hint.is_some() => Some(format!("{error_id} {hint_id}")),
        (_, Some(_)) => Some(error_id.clone()),
        (Some(_), None) => Some(hint_id.clone()),
        (None, None) => None,
    };
    let oninput = props.on_input.reform(|event: InputEvent| value_of(&event));
    html! {
        <div class="field">
            <label for={id.clone()}>{ &props.label }</label>
            if let Some(hint) = &props.hint {
                <p class="soft small" id={hint_id}>{ hint }</p>
            }
            if let Some(error) = &props.error {
                <p class="error" id={error_id} role="alert">{ error }</p>
            }
            <input id={id.clone()} type={props.kind.clone()} value={props.value.clone()} {oninput}
                autocomplete="off" autocapitalize="off" spellcheck="false"
                aria-invalid={props.error.is_some().then_some("true")} aria-describedby={described} />
        </div>
    }
}

/// The text of the input, text area or choice that an event comes from.
pub fn value_of(event: &Event) -> String {
    let Some(target) = event.target() else { return String::new() };
    if let Some(input) = target.dyn_ref::<web_sys::HtmlInputElement>() {
        return input.value();
    }
    if let Some(area) = target.dyn_ref::<web_sys::HtmlTextAreaElement>() {
        return area.value();
    }
    target.dyn_ref::<web_sys::HtmlSelectElement>().map(web_sys::HtmlSelectElement::value).unwrap_or_default()
}

/// Puts a text on the clipboard, and calls back if that worked.
pub fn copy_text(text: String, done: Callback<()>) {
    spawn_local(async move {
        let Some(window) = web_sys::window() else { return };
        if JsFuture::from(window.navigator().clipboard().write_text(&text)).await.is_ok() {
            done.emit(());
        }
    });
}
