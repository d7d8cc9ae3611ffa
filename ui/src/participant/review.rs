//! What would be signed: one sentence a choice, then one button.

use super::{Page, answer};
use crate::components::{Button, Icon, Kind, Problem, Shape, Title, loaded};
use crate::hooks::{use_action, use_load};
use crate::i18n;
use bridge::{ReviewAnswer, Sign};
use consent::{DataKind, StudyId};
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct ReviewProps {
    /// Which study.
    pub study: StudyId,
    /// What the person ticked.
    pub data: Vec<DataKind>,
    /// Goes to a page.
    pub go: Callback<Page>,
}

/// The page.
#[component]
pub fn Review(props: &ReviewProps) -> Html {
    let (study, data) = (props.study.clone(), props.data.clone());
    let (load, reload) = use_load(ReviewAnswer { study: study.clone(), data: data.clone() });
    let sign = use_action::<Sign>(props.go.reform(Page::Done));
    let on_back = {
        let (study, data) = (study.clone(), data.clone());
        props.go.reform(move |()| Page::Request(study.clone(), data.clone()))
    };
    let on_sign = sign.run.reform(move |()| Sign { study: study.clone(), data: data.clone() });
    let page = loaded(&load, t!("review-title"), &reload, |view| {
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
                <Title text={t!("review-title")} />
                <p class="lead"><strong>{ &view.title }</strong><br />{ t!("review-lead") }</p>
                <div class="card">
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
                    if let Some(failure) = sign.failure.clone() {
                        <Problem {failure} on_retry={sign.again.clone()} />
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
