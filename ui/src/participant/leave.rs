//! Whether to leave a study: a page of its own, with what it means, so that nobody leaves by mistake.

use super::Page;
use crate::components::{Button, Icon, Kind, Problem, Shape, Title, loaded};
use crate::hooks::{use_action, use_escape, use_load};
use bridge::{Code, Failure, ReadSharing, Withdraw};
use consent::StudyId;
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct LeaveProps {
    /// Which study.
    pub study: StudyId,
    /// Goes to a page.
    pub go: Callback<Page>,
}

/// The page.
#[component]
pub fn Leave(props: &LeaveProps) -> Html {
    let (load, reload) = use_load(ReadSharing {});
    let withdraw = use_action::<Withdraw>(props.go.reform(Page::Done));
    let on_stay = props.go.reform(|()| Page::Sharing);
    use_escape(on_stay.clone());
    let study = props.study.clone();
    let on_leave = withdraw.run.reform(move |()| Withdraw { study: study.clone() });
    let page = loaded(&load, t!("sharing-leave"), &reload, |view| {
        let Some(card) = view.consents.iter().find(|card| card.study == props.study) else {
            return html! {
                <><Title text={t!("sharing-leave")} /><Problem failure={Failure::new(Code::StudyUnknown)} /></>
            };
        };
        let point = |(shape, id): (Shape, &str)| html! { <li><Icon {shape} size={20} />{ t!(id) }</li> };
        html! {
            <>
                <Title text={t!("leave-title", study = card.title.clone())} />
                <p class="lead">{ t!("leave-lead", organisation = card.organisation.clone()) }</p>
                <div class="card">
                    <h2>{ t!("leave-happens") }</h2>
                    <ul class="ticks">
                        { for [
                            (Shape::Flag, "leave-point-1"),
                            (Shape::Clock, "leave-point-2"),
                            (Shape::Log, "leave-point-3"),
                            (Shape::Check, "leave-point-4"),
                            (Shape::Cloud, "leave-offline"),
                        ].into_iter().map(point) }
                    </ul>
                    if let Some(failure) = withdraw.failure.clone() {
                        <Problem {failure} on_retry={withdraw.again.clone()} />
                    }
                    <div class="bar answers"><span class="grow"></span><div class="pair">
                        <Button text={t!("leave-stay")} on_press={on_stay.clone()} />
                        <Button kind={Kind::Stop} text={t!("leave-confirm")} on_press={on_leave}
                            busy={withdraw.busy} />
                    </div></div>
                </div>
            </>
        }
    });
    html! {
        <div class="reading">
            <div class="row topline">
                <Button kind={Kind::Quiet} icon={Shape::Back} text={t!("back")} on_press={on_stay.clone()} />
            </div>
            { page }
        </div>
    }
}
