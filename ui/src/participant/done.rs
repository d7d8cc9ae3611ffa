//! What became of an answer. "Recorded" only where the proof checked; the page follows by itself.

use super::Page;
use crate::app::Live;
use crate::components::{Button, Evidence, Icon, Kind, Shape, Title};
use crate::hooks::{Load, use_load};
use crate::i18n;
use bridge::{ReadSharing, ReceiptView, RecordView};
use consent::ConsentState;
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct DoneProps {
    /// What the core said right after signing.
    pub receipt: ReceiptView,
    /// Goes to a page.
    pub go: Callback<Page>,
    /// Goes home.
    pub back: Callback<()>,
}

/// The page.
#[component]
pub fn Done(props: &DoneProps) -> Html {
    let live = use_context::<Live>();
    let (load, _) = use_load(ReadSharing {});
    {
        // The side bar tells at once that an answer waits, or that none does.
        let live = live.clone();
        use_effect_with((), move |()| {
            if let Some(live) = live {
                live.refresh.emit(());
            }
        });
    }
    let receipt = &props.receipt;
    // The newest word on this answer: the receipt, unless the list knows more.
    let record = match &load {
        Load::Ready(sharing) => sharing
            .consents
            .iter()
            .find(|card| card.study == receipt.study && card.state == receipt.state)
            .map_or_else(|| receipt.record.clone(), |card| card.record.clone()),
        _ => receipt.record.clone(),
    };
    {
        let at_first = matches!(receipt.record, RecordView::Recorded(_));
        use_effect_with(matches!(record, RecordView::Recorded(_)), move |recorded| {
            if let Some(live) = live.filter(|_| *recorded && !at_first) {
                live.announce.emit(t!("done-live"));
            }
        });
    }
    let left = receipt.state == ConsentState::Withdrawn;
    let waits = matches!(record, RecordView::Saved | RecordView::Sent);
    let left_title = t!("done-left-title", study = receipt.title.clone());
    let (tone, shape, title, text) = match &record {
        RecordView::Recorded(entry) => (
            "ok",
            Shape::Check,
            if left { left_title.clone() } else { t!("done-recorded-title") },
            t!("done-recorded-text", number = i18n::entry_number(entry.index), time = i18n::time(entry.checked)),
        ),
        RecordView::Sent => ("wait", Shape::Clock, t!("done-sent-title"), t!("done-sent-text")),
        RecordView::Saved | RecordView::Local => ("wait", Shape::Cloud, t!("done-saved-title"), t!("done-saved-text")),
        RecordView::Refused if left => ("bad", Shape::Alert, t!("done-problem-title"), t!("done-left-problem-text")),
        RecordView::Refused => ("bad", Shape::Alert, t!("done-problem-title"), t!("done-problem-text")),
    };
    let done = matches!(record, RecordView::Recorded(_));
    html! {
        <div class="reading finish">
            <span class={classes!("disc", "huge", tone)}><Icon {shape} size={40} /></span>
            <Title text={title} />
            if left && done {
                <p class="lead">{ t!("done-left-text") }{ " " }{ t!("done-recorded-title") }{ "." }</p>
            } else if left && waits {
                <p class="lead">{ left_title }{ ". " }{ t!("done-left-saved-text") }</p>
            } else {
                <p class="eyebrow">{ &receipt.title }</p>
            }
            <p class="lead">{ text }</p>
            if waits {
                <p class="soft">{ t!("done-wait") }</p>
            }
            if let RecordView::Recorded(entry) = record {
                <div class="card"><Evidence record={entry} /></div>
            }
            <div class="bar center">
                <Button text={t!("done-sharing")} on_press={props.go.reform(|()| Page::Sharing)} />
                <Button kind={Kind::Main} text={t!("done-home")} on_press={props.back.clone()} />
            </div>
        </div>
    }
}
