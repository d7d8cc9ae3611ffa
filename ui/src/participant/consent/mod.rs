//! One answer: how it stands, what can be done with it, what to keep of it, and everything that happened to it.
//! Leaving stands apart, at the end, in another word than changing.

mod copies;
mod history;

use super::{Aim, Page, answer};
use crate::app::Live;
use crate::components::{Button, Evidence, Icon, Kind, Problem, Shape, Title, loaded};
use crate::hooks::{use_action, use_escape, use_load};
use crate::i18n;
use bridge::{AskAgain, ConsentView, DonorStep, Possible, ReadConsent, RecordView};
use consent::{ConsentState, StudyId, Vocabulary};
use copies::Copies;
use std::rc::Rc;
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct ConsentPageProps {
    /// Which study.
    pub study: StudyId,
    /// Goes to a page.
    pub go: Callback<Page>,
}

/// The page.
#[component]
pub fn ConsentPage(props: &ConsentPageProps) -> Html {
    let (load, reload) = use_load(ReadConsent { study: props.study.clone() });
    let live = use_context::<Live>();
    let on_back = props.go.reform(|()| Page::Sharing);
    use_escape(on_back.clone());
    let again = {
        let (go, study) = (props.go.clone(), props.study.clone());
        use_action::<AskAgain>(Callback::from(move |_| {
            if let Some(live) = &live {
                live.announce.emit(t!("sharing-again-announce"));
                live.refresh.emit(());
            }
            go.emit(Page::request(study.clone(), Aim::Answer));
        }))
    };
    let page = loaded(&load, t!("consent-title"), &reload, |view: Rc<ConsentView>| {
        let study = props.study.clone();
        let on_again = again.run.reform(move |()| AskAgain { study: study.clone() });
        let study = props.study.clone();
        let to = |page: fn(StudyId) -> Page| {
            let study = study.clone();
            props.go.reform(move |()| page(study.clone()))
        };
        let tile = |what: Possible| match what {
            Possible::Change => {
                tile(Shape::Sliders, "consent-change", to(|study| Page::request(study, Aim::Change)), false)
            }
            Possible::Extend => tile(Shape::Calendar, "consent-extend", to(|s| Page::request(s, Aim::Extend)), false),
            Possible::Pause => tile(Shape::Pause, "consent-pause", to(|study| Page::Pause(study, None)), false),
            Possible::Resume => {
                tile(Shape::Play, "consent-resume", to(|study| Page::Check(study, DonorStep::Resume)), false)
            }
            Possible::AskAgain => tile(Shape::Letter, "consent-again", on_again.clone(), again.busy),
            // These have places of their own below.
            Possible::Leave | Possible::Prove => html! {},
        };
        let can = |what| view.possible.contains(&what);
        let any = view.possible.iter().any(|what| !matches!(what, Possible::Leave | Possible::Prove));
        let further = view.card.state.withdrawal().is_some();
        let (leave, text) = if further { ("leave-more", "leave-more-text") } else { ("leave-this", "leave-this-text") };
        html! {
            <>
                <Title text={view.card.title.clone()} />
                <div class="row wrap asker-line">
                    <p class="lead grow">{ &view.card.organisation }</p>
                    { answer::chip(&view.card) }
                </div>
                <div class="card">{ standing(&view) }</div>
                if any {
                    <section aria-labelledby="consent-do">
                        <h2 id="consent-do">{ t!("consent-do") }</h2>
                        <div class="tiles">{ for view.possible.iter().map(|what| tile(*what)) }</div>
                        if let Some(failure) = again.failure.clone() {
                            <Problem {failure} on_retry={again.again.clone()} />
                        }
                    </section>
                }
                <Copies study={props.study.clone()} proof={can(Possible::Prove)} />
                <section aria-labelledby="consent-history">
                    <h2 id="consent-history">{ t!("consent-history") }</h2>
                    <p class="soft">{ t!("consent-history-text") }</p>
                    { history::timeline(&view.history) }
                </section>
                if can(Possible::Leave) {
                    <section class="apart" aria-labelledby="consent-leave">
                        <div class="row wrap">
                            <div class="grow">
                                <h2 id="consent-leave">{ t!(if further { "leave-further" } else { "leave-heading" }) }</h2>
                                <p class="soft">{ t!(text) }</p>
                            </div>
                            <Button kind={Kind::Stop} text={t!(leave)} on_press={to(|study| Page::Leave(study, None))} />
                        </div>
                    </section>
                }
            </>
        }
    });
    html! {
        <div class="reading">
            <div class="row topline">
                <Button kind={Kind::Quiet} icon={Shape::Back} text={t!("back")} on_press={on_back} />
            </div>
            { page }
        </div>
    }
}

/// How it stands now.
fn standing(view: &ConsentView) -> Html {
    let card = &view.card;
    let waits = matches!(card.record, RecordView::Saved | RecordView::Sent);
    // By which rules and until when: only as long as that is so. What held before stands in the history.
    let stands = card.state.allows_use() || card.state == ConsentState::Suspended;
    let about = match (card.state, card.paused_until) {
        (ConsentState::Suspended, Some(day)) => t!("consent-paused-until", date = i18n::date(day)),
        (ConsentState::Suspended, None) => t!("consent-paused"),
        (ConsentState::Active, _) => t!("consent-active"),
        (state, _) => match state.withdrawal() {
            Some(level) => t!(format!("withdrawal-{}-text", level.code())),
            None => t!(format!("state-{}", state.code())),
        },
    };
    html! {
        <>
            <dl class="facts tight">
                <dt>{ t!("consent-now") }</dt><dd>{ about }</dd>
                if !card.data.is_empty() {
                    <dt>{ t!("sharing-data") }</dt><dd>{ answer::my_data(&card.data) }</dd>
                }
                if let Some(until) = card.until.filter(|_| stands) {
                    <dt>{ t!("sharing-until") }</dt><dd>{ i18n::date(until) }</dd>
                }
                if stands && !card.rules.is_empty() {
                    <dt>{ t!("sharing-rules") }</dt><dd>{ answer::rules(&card.rules) }</dd>
                }
                if let Some(answers) = answer::answers(&view.choice).filter(|_| stands) {
                    <dt>{ t!("consent-answers") }</dt><dd>{ answers }</dd>
                }
                <dt>{ t!("sharing-answered") }</dt><dd>{ i18n::when(card.answered) }</dd>
            </dl>
            if waits {
                <p class="soft small gap">{ t!("sharing-unrecorded") }</p>
            }
            if let RecordView::Recorded(record) = card.record.clone() {
                <Evidence {record} />
            }
        </>
    }
}

/// A step with its words and a word of help, as one large button.
fn tile(shape: Shape, id: &'static str, on_press: Callback<()>, busy: bool) -> Html {
    let help = format!("{id}-help");
    let onclick = Callback::from(move |_: MouseEvent| {
        if !busy {
            on_press.emit(());
        }
    });
    html! {
        <button type="button" class="tile" {onclick} key={id} aria-labelledby={id} aria-describedby={help.clone()}
            aria-busy={busy.then_some("true")} aria-disabled={busy.then_some("true")}>
            <Icon {shape} size={22} />
            <strong {id}>{ t!(id) }</strong>
            <small id={help.clone()}>{ t!(help) }</small>
        </button>
    }
}
