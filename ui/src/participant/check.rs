//! What a pause, its end or a withdrawal means, and the text of it: read, then signed.

use super::{Deed, Page, meaning};
use crate::components::{Button, Kind, Problem, Shape, Title, loaded};
use crate::hooks::{use_action, use_escape, use_load};
use bridge::{DonorStep, PrepareStep, SignStep, StepView};
use consent::{StudyId, Vocabulary};
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct CheckProps {
    /// Which study.
    pub study: StudyId,
    /// What the person is about to do.
    pub step: DonorStep,
    /// Goes to a page.
    pub go: Callback<Page>,
}

/// The page.
#[component]
pub fn Check(props: &CheckProps) -> Html {
    let (study, step) = (props.study.clone(), props.step);
    let (load, reload) = use_load(PrepareStep { study: study.clone(), step });
    let sign = use_action::<SignStep>(props.go.reform(move |receipt| Page::Done(receipt, Deed::Step(step))));
    let on_back = {
        let study = study.clone();
        props.go.reform(move |()| match step {
            DonorStep::Pause { .. } => Page::Pause(study.clone(), Some(step)),
            DonorStep::Resume => Page::Consent(study.clone()),
            DonorStep::Withdraw { level } => Page::Leave(study.clone(), Some(level)),
        })
    };
    use_escape(on_back.clone());
    let on_keep = {
        let study = study.clone();
        props.go.reform(move |()| Page::Consent(study.clone()))
    };
    let page = loaded(&load, t!("check-title"), &reload, |view: std::rc::Rc<StepView>| {
        let digest = view.statement.digest.clone();
        let on_sign = sign.run.reform(move |()| SignStep { study: study.clone(), step, digest: digest.clone() });
        let (kind, label) = match step {
            DonorStep::Pause { .. } => (Kind::Main, t!("check-pause")),
            DonorStep::Resume => (Kind::Main, t!("check-resume")),
            DonorStep::Withdraw { level } => (Kind::Danger, t!(format!("withdrawal-{}", level.code()))),
        };
        html! {
            <>
                <Title text={t!("check-title")} />
                <p class="lead"><strong>{ &view.title }</strong>{ " · " }{ &view.organisation }<br />
                    { t!("review-lead") }</p>
                <div class="card">
                    <h2>{ t!("check-text") }</h2>
                    { meaning::paragraphs(&view.statement) }
                    <details>
                        <summary>{ t!("check-details") }</summary>
                        <p class="soft small">{ t!("statement-mark-help") }</p>
                        { meaning::mark(&view.statement) }
                    </details>
                    if !view.effects.is_empty() {
                        <h2>{ t!("review-effects") }</h2>
                        { meaning::effects(&view.effects) }
                    }
                    if let Some(failure) = sign.failure.clone() {
                        <Problem {failure} on_retry={sign.again.clone()} />
                    }
                    <p class="soft small gap">{ t!("check-offline") }{ " " }{ t!("review-keychain") }</p>
                    <div class="bar answers"><span class="grow"></span><div class="pair">
                        <Button text={t!("request-keep")} on_press={on_keep} />
                        <Button {kind} icon={Shape::Pen} text={label} on_press={on_sign} busy={sign.busy} />
                    </div></div>
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
