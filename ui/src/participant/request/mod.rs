//! One request, to be read in peace. Nothing is ticked, both answers weigh the same, Escape decides later.
//!
//! The same page changes an answer that is in force: then what was chosen stands there, and what becomes different is
//! marked.

mod facts;
mod fit;
mod wishes;

pub use fit::look;

use super::{Aim, Chosen, Page};
use crate::components::{Button, Chip, Entered, Kind, Problem, Shape, Title, Tone, loaded};
use crate::hooks::{Load, use_action, use_escape, use_load};
use crate::i18n;
use bridge::{Code, Defer, Failure, ReadRequest, Refuse, RequestView};
use consent::{Choice, StudyId};
use facts::{Facts, LastDay};
use std::rc::Rc;
use wishes::Wishes;
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct RequestProps {
    /// Which study.
    pub study: StudyId,
    /// Why it is opened.
    pub aim: Aim,
    /// What the person chose before, when coming back from the review.
    pub before: Chosen,
    /// Goes to a page.
    pub go: Callback<Page>,
    /// Goes home.
    pub back: Callback<()>,
}

/// What keeps a person from going on.
#[derive(Debug, Clone, PartialEq)]
enum Snag {
    /// The core has words for it.
    Failure(Code),
    /// The page has.
    Words(String),
}

/// The page.
#[component]
pub fn Request(props: &RequestProps) -> Html {
    let (aim, study) = (props.aim, props.study.clone());
    let (load, reload) = use_load(ReadRequest { study: study.clone() });
    let chosen = use_state(|| props.before.clone());
    let day_is_wrong = use_state(|| false);
    let snag = use_state(|| None::<Snag>);
    let home = props.back.reform(|_| ());
    let refuse = use_action::<Refuse>(home.clone());
    let defer = use_action::<Defer>(home);

    let on_later = {
        let study = study.clone();
        defer.run.reform(move |()| Defer { study: study.clone() })
    };
    let on_no = {
        let study = study.clone();
        refuse.run.reform(move |()| Refuse { study: study.clone() })
    };
    let on_keep = {
        let study = study.clone();
        props.go.reform(move |()| Page::Consent(study.clone()))
    };
    let on_back = if aim == Aim::Answer { props.back.clone() } else { on_keep.clone() };
    use_escape(if aim == Aim::Answer { on_later.clone() } else { on_keep.clone() });

    let page = loaded(&load, t!("request-title"), &reload, |view: Rc<RequestView>| {
        let choice = standing(&chosen, &view);
        // What was ticked belongs to the text that it stood beside: when that changes, nothing is ticked again.
        let stale = !chosen.notice.is_empty() && chosen.notice != view.notice;
        let on_choice = {
            let (chosen, snag, notice) = (chosen.setter(), snag.setter(), view.notice.clone());
            Callback::from(move |choice: Choice| {
                snag.set(None);
                chosen.set(Chosen { notice: notice.clone(), choice });
            })
        };
        let on_day = {
            let (wrong, snag, on_choice, choice) =
                (day_is_wrong.setter(), snag.setter(), on_choice.clone(), choice.clone());
            Callback::from(move |entered: Entered| {
                wrong.set(entered == Entered::Wrong);
                snag.set(None);
                match entered {
                    Entered::Day(day) => on_choice.emit(Choice { until: Some(day), ..choice.clone() }),
                    Entered::Nothing => on_choice.emit(Choice { until: None, ..choice.clone() }),
                    Entered::Wrong => {}
                }
            })
        };
        let on_continue = {
            let (go, snag, study) = (props.go.clone(), snag.setter(), study.clone());
            let found = what_is_missing(aim, &view, &choice, *day_is_wrong);
            let answer = Chosen { notice: view.notice.clone(), choice: choice.clone() };
            Callback::from(move |()| match &found {
                Some(found) => snag.set(Some(found.clone())),
                None => go.emit(Page::Review(study.clone(), aim, answer.clone())),
            })
        };
        let answers = html! {
            <>
                if stale {
                    <Problem failure={Failure::new(Code::RequestChanged)} />
                }
                { match (*snag).clone() {
                    Some(Snag::Failure(code)) => html! { <Problem failure={Failure::new(code)} /> },
                    Some(Snag::Words(words)) => html! { <p class="error gap" role="alert">{ words }</p> },
                    None => html! {},
                } }
                { for [(&refuse.failure, &refuse.again), (&defer.failure, &defer.again)].into_iter()
                    .filter_map(|(failure, again)| Some(html! {
                        <Problem failure={failure.clone()?} on_retry={again.clone()} />
                    })) }
                <div class="bar answers">
                    if aim == Aim::Answer {
                        <Button kind={Kind::Quiet} text={t!("request-later")} on_press={on_later} busy={defer.busy} />
                    } else {
                        <span class="grow"></span>
                    }
                    <div class="pair">
                        if aim == Aim::Answer {
                            <Button text={t!("request-no")} on_press={on_no} busy={refuse.busy} />
                        } else {
                            <Button text={t!("request-keep")} on_press={on_keep} />
                        }
                        <Button text={t!("request-continue")} on_press={on_continue} />
                    </div>
                </div>
            </>
        };
        let head = html! {
            <>
                <Title text={title(aim)} />
                <div class="row wrap asker-line">
                    <p class="lead grow">{ &view.title }{ " · " }{ &view.organisation }</p>
                    if aim == Aim::Answer {
                        <Chip tone={Tone::Ok} shape={Shape::Check} text={t!("request-checked",
                            biobank = view.checked_by.clone(), date = i18n::date(view.checked_on))} />
                    }
                </div>
            </>
        };
        if aim == Aim::Extend {
            return html! {
                <>
                    { head }
                    <div class="card">
                        <p class="gap-below">{ t!("extend-text") }</p>
                        <LastDay view={view.clone()} until={choice.until} aim={aim} {on_day} />
                        { answers }
                    </div>
                </>
            };
        }
        html! {
            <>
                { head }
                if aim == Aim::Answer {
                    { fit::note(&view.fits, &props.go) }
                } else {
                    <p class="soft gap">{ t!("change-lead") }</p>
                }
                <div class="card">
                    <Facts view={view.clone()} choice={choice.clone()} aim={aim} on_choice={on_choice.clone()} {on_day} />
                    if !wishes::asked(&view) {
                        { answers.clone() }
                    }
                </div>
                if wishes::asked(&view) {
                    <div class="card">
                        <Wishes {view} {choice} {on_choice} />
                        { answers }
                    </div>
                }
            </>
        }
    });
    let count = match &load {
        Load::Ready(view) if aim == Aim::Answer && view.position > 0 => {
            t!("request-count", position = view.position, of = view.of)
        }
        _ => String::new(),
    };
    html! {
        <div class="reading">
            <div class="row topline">
                <Button kind={Kind::Quiet} icon={Shape::Back} text={t!("back")} on_press={on_back} />
                <span class="grow"></span><span class="soft">{ count }</span>
            </div>
            { page }
        </div>
    }
}

fn title(aim: Aim) -> String {
    match aim {
        Aim::Answer => t!("request-title"),
        Aim::Change => t!("change-title"),
        Aim::Extend => t!("extend-title"),
    }
}

/// What stands on the page now: what was chosen beside this very text, or else what is in force, or nothing.
fn standing(chosen: &Chosen, view: &RequestView) -> Choice {
    if chosen.notice == view.notice { chosen.choice.clone() } else { view.current.clone().unwrap_or_default() }
}

fn what_is_missing(aim: Aim, view: &RequestView, choice: &Choice, day_is_wrong: bool) -> Option<Snag> {
    let last = |choice: &Choice| choice.until.or(view.until);
    let current = view.current.as_ref();
    let same = current.is_some_and(|current| {
        let data = |choice: &Choice| choice.data.iter().map(|kind| *kind as u8).fold(0_u8, |all, kind| all | 1 << kind);
        data(current) == data(choice)
            && current.answers == choice.answers
            && current.preferences == choice.preferences
            && last(current) == last(choice)
    });
    if day_is_wrong {
        Some(Snag::Words(t!("request-day-wrong")))
    } else if choice.data.is_empty() {
        Some(Snag::Failure(Code::NothingChosen))
    } else if aim == Aim::Extend && current.and_then(last).is_some_and(|now| last(choice).is_some_and(|day| day <= now))
    {
        Some(Snag::Words(t!("extend-not-later")))
    } else if aim != Aim::Answer && same {
        Some(Snag::Words(t!("change-nothing")))
    } else {
        None
    }
}
