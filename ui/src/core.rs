//! The only door to the core: `window.__TAURI_INTERNALS__`.

use bridge::{Code, Command, Failure};
use js_sys::{Function, JSON, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Sends a command and waits for its view.
///
/// Both ways go through JSON text, so that both ends see exactly what `serde_json` writes.
pub async fn call<C: Command>(command: C) -> Result<C::View, Failure> {
    let request = serde_json::to_string(&command).map_err(|_| Code::Internal)?;
    let request = JSON::parse(&request).map_err(|_| Code::Internal)?;
    let arguments = object(&[("request", &request)]);
    match invoke(C::NAME, &arguments).await {
        Ok(view) => read(&view).ok_or_else(|| Code::Internal.into()),
        Err(failure) => Err(read(&failure).unwrap_or_else(|| Code::Internal.into())),
    }
}

/// Calls `heard` whenever the core says that something changed.
///
/// The subscription lives as long as the window, so its closure is never taken back.
pub fn on_changed(heard: impl Fn() + 'static) {
    let heard = Closure::<dyn Fn(JsValue)>::new(move |_| heard());
    let handler = heard.into_js_value();
    wasm_bindgen_futures::spawn_local(async move {
        // Outside the app's window there is nobody to listen to; the screens still work by asking.
        drop(listen(&handler).await);
    });
}

async fn listen(handler: &JsValue) -> Result<JsValue, JsValue> {
    let internals = internals()?;
    let transform: Function = Reflect::get(&internals, &"transformCallback".into())?.dyn_into()?;
    let id = transform.call1(&internals, handler)?;
    let target = object(&[("kind", &"WebviewWindow".into()), ("label", &"main".into())]);
    let arguments = object(&[("event", &"changed".into()), ("target", &target), ("handler", &id)]);
    invoke("plugin:event|listen", &arguments).await
}

async fn invoke(name: &str, arguments: &JsValue) -> Result<JsValue, JsValue> {
    let internals = internals()?;
    let invoke: Function = Reflect::get(&internals, &"invoke".into())?.dyn_into()?;
    let promise: Promise = invoke.call2(&internals, &name.into(), arguments)?.dyn_into()?;
    JsFuture::from(promise).await
}

fn internals() -> Result<JsValue, JsValue> {
    Reflect::get(&js_sys::global(), &"__TAURI_INTERNALS__".into())
}

fn object(members: &[(&str, &JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in members {
        // Setting a member of a fresh plain object can not fail.
        drop(Reflect::set(&object, &(*name).into(), value));
    }
    object.into()
}

fn read<T: serde::de::DeserializeOwned>(value: &JsValue) -> Option<T> {
    let text = String::from(JSON::stringify(value).ok()?);
    serde_json::from_str(&text).ok()
}
