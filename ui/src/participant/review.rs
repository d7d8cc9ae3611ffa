//! What would be signed: one sentence a choice, what becomes different, what it does to the study, then one button.

use super::{Aim, Chosen, Deed, Page, answer, meaning};
use crate::components::{Button, Icon, Kind, Problem, Shape, Title, loaded};
use crate::hooks::{Load, use_action, use_escape, use_load};
use crate::i18n;
use bridge::{Code, Failure, ReviewAnswer, Sign, SummaryView};
use consent::{DataKind, StudyId, Vocabulary};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct ReviewProps {
    /// Which study.
    pub study: StudyId,
    /// Why the request was opened.
    pub aim: Aim,
    /// What the person chose, and beside which text.
    pub chosen: Chosen,
    /// Goes to a page.
    pub go: Callback<Page>,
}

/// The page.
#[component]
pub fn Review(props: &ReviewProps) -> Html {
    let (study, aim) = (props.study.clone(), props.aim);
    let Chosen { notice, choice } = props.chosen.clone();
    let (load, reload) =
        use_load(ReviewAnswer { study: study.clone(), notice: notice.clone(), choice: choice.clone() });
    let sign = use_action::<Sign>(props.go.reform(move |receipt| Page::Done(receipt, Deed::Version(aim))));
    let on_back = {
        let (study, chosen) = (study.clone(), props.chosen.clone());
        props.go.reform(move |()| Page::Request(study.clone(), aim, chosen.clone()))
    };
    use_escape(on_back.clone());
    // The same answer to a changed request fails again: what helps is to read it.
    let retry = |failure: Option<&Failure>, again: &Callback<()>| match failure {
        Some(failure) if failure.code == Code::RequestChanged => on_back.clone(),
        _ => again.clone(),
    };
    let on_reload = retry(if let Load::Failed(failure) = &load { Some(failure) } else { None }, &reload);
    let on_resign = retry(sign.failure.as_ref(), &sign.again);
    let title = if aim == Aim::Answer { t!("review-title") } else { t!("review-change-title") };
    let page = loaded(&load, title.clone(), &on_reload, |view: Rc<SummaryView>| {
        let digest = view.statement.digest.clone();
        let answers = answer::answers(&choice);
        let on_sign = sign.run.reform(move |()| Sign {
            study: study.clone(),
            notice: notice.clone(),
            choice: choice.clone(),
            digest: digest.clone(),
        });
        html! {
            <>
                <Title text={title} />
                <p class="lead"><strong>{ &view.title }</strong><br />{ t!("review-lead") }</p>
                if !view.differences.is_empty() {
                    <div class="card">
                        <h2>{ t!("review-changes") }</h2>
                        { meaning::differences(&view.differences) }
                    </div>
                }
                <div class="card">
                    { sentences(&view) }
                    if let Some(answers) = answers {
                        <h2>{ t!("review-answers") }</h2>
                        { answers }
                    }
                    if !view.effects.is_empty() {
                        <h2>{ t!("review-effects") }</h2>
                        { meaning::effects(&view.effects) }
                    }
                    <details>
                        <summary>{ t!("review-text") }</summary>
                        { meaning::paragraphs(&view.statement) }
                        <p class="soft small gap">{ t!("statement-mark-help") }</p>
                        { meaning::mark(&view.statement) }
                    </details>
                    if let Some(failure) = sign.failure.clone() {
                        <Problem {failure} on_retry={on_resign} />
                    }
                    <div class="bar">
                        <p class="soft small grow">{ t!("review-keychain") }</p>
                        <Button kind={Kind::Main} icon={Shape::Pen} text={t!("review-sign")} on_press={on_sign}
                            busy={sign.busy} />
                    </div>
                </div>
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

fn sentences(view: &SummaryView) -> Html {
    let share = |kind: &DataKind| {
        let id = format!("review-share-{}", kind.code());
        html! { <li class="ok-line"><Icon shape={Shape::Check} size={20} />
        { t!(id, organisation = view.organisation.clone()) }</li> }
    };
    let keep = |kind: &DataKind| {
        html! { <li class="off-line"><Icon shape={Shape::Lock} size={20} />
        { t!(format!("review-keep-{}", kind.code())) }</li> }
    };
    html! {
        <>
            <h2>{ t!("review-shared") }</h2>
            <ul class="ticks">{ for view.shared.iter().map(share) }</ul>
            if !view.kept.is_empty() {
                <h2>{ t!("review-kept") }</h2>
                <ul class="ticks">{ for view.kept.iter().map(keep) }</ul>
            }
            <h2>{ t!("request-rules") }</h2>
            { answer::rules(&view.rules) }
            <h2>{ t!("request-until") }</h2>
            <p>{ view.until.map_or_else(|| t!("request-until-none"), i18n::date) }</p>
        </>
    }
}
