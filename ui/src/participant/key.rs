//! The key, as far as it may be shown.

use crate::components::{Icon, Shape, Title, loaded};
use crate::hooks::use_load;
use bridge::ReadKey;
use yew::prelude::*;

/// The page.
#[component]
pub fn KeyPage() -> Html {
    let (load, reload) = use_load(ReadKey {});
    loaded(&load, t!("key-title"), &reload, |view| {
        let place = match view.keychain.as_str() {
            known @ ("secret-service" | "apple-keychain" | "windows-credential-manager") => {
                format!("key-where-{known}")
            }
            _ => "key-where-other".to_owned(),
        };
        html! {
            <div class="reading">
                <Title text={t!("key-title")} />
                <p class="lead">{ t!("key-lead") }</p>
                <div class="card">
                    <h2>{ t!("key-fingerprint") }</h2>
                    <p class="fingerprint code">{ &view.fingerprint }</p>
                    <p class="soft">{ t!("key-fingerprint-text") }</p>
                    <ul class="points">
                        <li><span class="disc small"><Icon shape={Shape::Safe} /></span>
                            <div><strong>{ t!("key-where") }</strong><p class="soft">{ t!(place) }</p></div></li>
                        <li><span class="disc small"><Icon shape={Shape::Alert} /></span>
                            <div><strong>{ t!("key-lost") }</strong><p class="soft">{ t!("key-lost-text") }</p></div></li>
                    </ul>
                    <details>
                        <summary>{ t!("key-names") }</summary>
                        <p class="soft">{ t!("key-names-text") }</p>
                        if view.pseudonyms.is_empty() {
                            <p>{ t!("key-names-none") }</p>
                        }
                        <dl class="evidence">{ for view.pseudonyms.iter().map(|name| html! {
                            <><dt>{ &name.name }</dt><dd class="code">{ &name.did }</dd></>
                        }) }</dl>
                    </details>
                </div>
            </div>
        }
    })
}
