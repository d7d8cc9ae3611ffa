//! One line to fill in, and the clipboard.

use js_sys::{Function, Reflect};
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

/// Puts the text of a field on the clipboard, and calls back if that worked.
///
/// Some web views have no clipboard of their own; there the field is selected and copied as a person would.
pub fn copy_field(field: &NodeRef, done: Callback<()>) {
    let (Some(window), Some(field)) = (web_sys::window(), field.cast::<web_sys::HtmlInputElement>()) else { return };
    field.select();
    let clipboard = window.navigator().clipboard();
    spawn_local(async move {
        let copied = !clipboard.is_undefined() && JsFuture::from(clipboard.write_text(&field.value())).await.is_ok();
        if copied || copy_selection() {
            done.emit(());
        }
    });
}

fn copy_selection() -> bool {
    let copy = || {
        let document = web_sys::window()?.document()?;
        let command = Reflect::get(&document, &"execCommand".into()).ok()?.dyn_into::<Function>().ok()?;
        command.call1(&document, &"copy".into()).ok()?.as_bool()
    };
    copy().unwrap_or(false)
}
