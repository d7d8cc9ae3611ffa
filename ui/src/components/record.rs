//! The technical side of an entry, inside a disclosure.

use crate::i18n;
use bridge::{QuorumView, Recorded};
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
        <>
        if let Some(quorum) = &record.quorum {
            { others(quorum) }
        }
        <details>
            <summary>{ t!("record-disclosure") }</summary>
            <dl class="evidence">
                <dt>{ t!("record-index") }</dt><dd class="code">{ record.index }</dd>
                <dt>{ t!("record-hash") }</dt><dd class="code">{ &record.hash }</dd>
                <dt>{ t!("record-checked") }</dt><dd>{ i18n::when(record.checked) }</dd>
                if let Some(quorum) = &record.quorum {
                    if !quorum.signed.is_empty() {
                        <dt>{ t!("record-signed") }</dt><dd>{ quorum.signed.join(", ") }</dd>
                    }
                    if !quorum.missing.is_empty() {
                        <dt>{ t!("record-missing") }</dt><dd>{ quorum.missing.join(", ") }</dd>
                    }
                }
            </dl>
        </details>
        </>
    }
}

/// What other institutions did about the entry: one dot for each, and a sentence.
fn others(quorum: &QuorumView) -> Html {
    let (signed, all) = (quorum.signed.len(), quorum.signed.len() + quorum.missing.len());
    let text = if quorum.reached {
        t!("record-confirmed", signed = signed)
    } else {
        t!("record-waits", signed = signed, all = all)
    };
    html! {
        <p class={classes!("others", quorum.reached.then_some("reached"))}>
            <span class="dots" aria-hidden="true">
                { for (0..all).map(|at| html! { <i class={(at < signed).then_some("on")} /> }) }
            </span>
            { text }
        </p>
    }
}
