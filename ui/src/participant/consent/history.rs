//! Every version and every step, the latest first: what was done, what it changed, and the text that was signed.

use crate::components::{Chip, Evidence, Icon, Shape, Tone};
use crate::i18n;
use crate::participant::{answer, meaning};
use bridge::{HistoryRow, RecordView};
use yew::prelude::*;

/// The rows as a line through time.
pub fn timeline(rows: &[HistoryRow]) -> Html {
    html! { <ol class="timeline card">{ for rows.iter().map(row) }</ol> }
}

fn row(row: &HistoryRow) -> Html {
    let chip = match (&row.record, row.state) {
        (RecordView::Refused, _) => Some((Tone::Stop, Shape::Alert, t!("state-problem"))),
        (RecordView::Saved | RecordView::Sent, _) => Some((Tone::Wait, Shape::Cloud, t!("state-unrecorded"))),
        (_, state) => state.map(answer::state),
    };
    html! {
        <li key={row.entry.clone()}>
            <div class="row wrap top">
                <div class="grow">
                    <p><strong>{ i18n::message(&row.message) }</strong></p>
                    <p class="soft small">
                        <time datetime={row.at.to_string()}>{ i18n::when(row.at) }</time>
                        if let Some(version) = row.version {
                            { " · " }{ t!("history-version", version = version) }
                        }
                    </p>
                </div>
                if let Some((tone, shape, text)) = chip {
                    <Chip {tone} {shape} {text} />
                }
            </div>
            if !row.differences.is_empty() {
                { meaning::differences(&row.differences) }
            }
            if !row.statement.paragraphs.is_empty() {
                <details>
                    <summary>{ t!("history-text") }</summary>
                    { meaning::paragraphs(&row.statement) }
                    { same(row.same) }
                    { meaning::mark(&row.statement) }
                </details>
            }
            if let RecordView::Recorded(record) = row.record.clone() {
                <Evidence {record} />
            }
        </li>
    }
}

/// Whether the text, made anew, is the one that was signed.
fn same(same: Option<bool>) -> Html {
    let (class, shape, id) = match same {
        Some(true) => ("ok-line", Shape::Check, "history-same"),
        Some(false) => ("stop-line", Shape::Alert, "history-not-same"),
        None => ("off-line", Shape::Minus, "history-unknown"),
    };
    html! { <p class={classes!("same", class)}><Icon {shape} size={18} /><span>{ t!(id) }</span></p> }
}
