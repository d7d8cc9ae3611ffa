//! The technical side of an entry, inside a disclosure.

use crate::i18n;
use bridge::Recorded;
use yew::prelude::*;

/// Properties of an entry's evidence.
#[derive(Properties, PartialEq)]
pub struct EvidenceProps {
    /// The entry.
    pub record: Recorded,
}

/// Where the entry stands, its hash, and when its proof was checked.
#[component]
pub fn Evidence(props: &EvidenceProps) -> Html {
    let record = &props.record;
    html! {
        <details>
            <summary>{ t!("record-disclosure") }</summary>
            <dl class="evidence">
                <dt>{ t!("record-index") }</dt><dd class="code">{ record.index }</dd>
                <dt>{ t!("record-hash") }</dt><dd class="code">{ &record.hash }</dd>
                <dt>{ t!("record-checked") }</dt><dd>{ i18n::when(record.checked) }</dd>
            </dl>
        </details>
    }
}
