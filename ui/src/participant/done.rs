//! What became of a signed step. "Recorded" only where the proof checked; the page follows by itself.

use super::{Aim, Deed, Page};
use crate::app::Live;
use crate::components::{Button, Evidence, Icon, Kind, Shape, Title};
use crate::hooks::{Load, use_load};
use crate::i18n;
use bridge::{DonorStep, ReadSharing, ReceiptView, RecordView};
use consent::Vocabulary;
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct DoneProps {
    /// What the core said right after signing.
    pub receipt: ReceiptView,
    /// What was signed.
    pub deed: Deed,
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
    // The newest word on this step: the receipt, unless the list knows more.
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
    let name = name(props.deed);
    let (title_id, text_id) = (format!("did-{name}"), format!("did-{name}-text"));
    let title_of_deed = t!(title_id, study = receipt.title.clone());
    let waits = matches!(record, RecordView::Saved | RecordView::Sent);
    let (tone, shape, title, text) = match &record {
        RecordView::Recorded(entry) => (
            "ok",
            Shape::Check,
            title_of_deed,
            t!("done-recorded-text", number = i18n::entry_number(entry.index), time = i18n::time(entry.checked)),
        ),
        RecordView::Sent => ("wait", Shape::Clock, t!("done-sent-title"), t!("done-sent-text")),
        RecordView::Saved | RecordView::Local => ("wait", Shape::Cloud, t!("done-saved-title"), t!("done-saved-text")),
        RecordView::Refused if props.deed == Deed::Version(Aim::Answer) => {
            ("bad", Shape::Alert, t!("done-problem-title"), t!("done-problem-text"))
        }
        RecordView::Refused => ("bad", Shape::Alert, t!("done-problem-title"), t!("done-problem-step")),
    };
    let refused = matches!(record, RecordView::Refused);
    let study = receipt.study.clone();
    html! {
        <div class="reading finish">
            <span class={classes!("disc", "huge", tone)}><Icon {shape} size={40} /></span>
            <Title text={title.clone()} />
            if !title.contains(&receipt.title) {
                <p class="eyebrow">{ &receipt.title }</p>
            }
            if !refused {
                <p class="lead">{ t!(text_id) }</p>
            }
            <p class={if refused { "lead" } else { "soft" }}>{ text }</p>
            if waits {
                <p class="soft">{ t!("done-wait") }</p>
            }
            if let RecordView::Recorded(entry) = record {
                <div class="card"><Evidence record={entry} /></div>
            }
            <div class="bar center">
                <Button text={t!("done-details")} on_press={props.go.reform(move |()| Page::Consent(study.clone()))} />
                <Button kind={Kind::Main} text={t!("done-home")} on_press={props.back.clone()} />
            </div>
        </div>
    }
}

/// The name of what was signed in the ids of its words.
fn name(deed: Deed) -> &'static str {
    match deed {
        Deed::Version(Aim::Answer) => "answer",
        Deed::Version(Aim::Change) => "change",
        Deed::Version(Aim::Extend) => "extend",
        Deed::Step(DonorStep::Pause { .. }) => "pause",
        Deed::Step(DonorStep::Resume) => "resume",
        Deed::Step(DonorStep::Withdraw { level }) => level.code(),
    }
}
