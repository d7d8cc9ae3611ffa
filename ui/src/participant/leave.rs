//! How far to leave a study: each level told as it is, none chosen beforehand. A place of its own and a word of its
//! own, so that nobody leaves who only wants to change what is shared.

use super::{Aim, Page};
use crate::components::{Button, Icon, Kind, Problem, Shape, Title, loaded};
use crate::hooks::{use_escape, use_load};
use bridge::{DonorStep, Possible, ReadConsent};
use consent::{StudyId, Vocabulary, Withdrawal};
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct LeaveProps {
    /// Which study.
    pub study: StudyId,
    /// What was chosen before, when coming back.
    pub before: Option<Withdrawal>,
    /// Goes to a page.
    pub go: Callback<Page>,
}

/// The page.
#[component]
pub fn Leave(props: &LeaveProps) -> Html {
    let (load, reload) = use_load(ReadConsent { study: props.study.clone() });
    let chosen = use_state(|| props.before);
    let nothing = use_state(|| false);
    let to = |page: fn(StudyId) -> Page| {
        let study = props.study.clone();
        props.go.reform(move |()| page(study.clone()))
    };
    let on_back = to(Page::Consent);
    use_escape(on_back.clone());
    let on_continue = {
        let (study, go, nothing, chosen) = (props.study.clone(), props.go.clone(), nothing.clone(), *chosen);
        Callback::from(move |()| match chosen {
            Some(level) => go.emit(Page::Check(study.clone(), DonorStep::Withdraw { level })),
            None => nothing.set(true),
        })
    };
    let page = loaded(&load, t!("leave-this"), &reload, |view| {
        let further = view.card.state.withdrawal().is_some();
        let level = |level: &Withdrawal| {
            let (level, code) = (*level, level.code());
            let id = format!("level-{code}");
            let on_choose = {
                let (chosen, nothing) = (chosen.setter(), nothing.setter());
                Callback::from(move |_: Event| {
                    chosen.set(Some(level));
                    nothing.set(false);
                })
            };
            html! {
                <div class="choice" key={code}>
                    <input type="radio" name="level" id={id.clone()} value={code} checked={*chosen == Some(level)}
                        onchange={on_choose} aria-describedby={format!("{id}-text")} />
                    <div><label for={id.clone()}>{ t!(format!("withdrawal-{code}")) }</label>
                        <p class="soft" id={format!("{id}-text")}>{ t!(format!("withdrawal-{code}-text")) }</p></div>
                </div>
            }
        };
        let title = if further { t!("leave-further") } else { t!("leave-title", study = view.card.title.clone()) };
        html! {
            <>
                <Title text={title} />
                <p class="lead">{ t!("leave-lead", organisation = view.card.organisation.clone()) }</p>
                <div class="card">
                    <fieldset>
                        <legend class="gap-below">{ t!("leave-how-far") }</legend>
                        { for view.levels.iter().map(level) }
                    </fieldset>
                    <p class="soft gap">{ t!("leave-only-more") }{ " " }{ t!("leave-care") }</p>
                    if *nothing {
                        <p class="error gap" role="alert">{ t!("leave-nothing") }</p>
                    }
                    <div class="bar answers"><span class="grow"></span><div class="pair">
                        <Button text={t!("leave-stay")} on_press={on_back.clone()} />
                        <Button text={t!("request-continue")} on_press={on_continue} />
                    </div></div>
                </div>
                if view.possible.contains(&Possible::Change) {
                    <div class="note row wrap">
                        <Icon shape={Shape::Sliders} size={20} />
                        <p class="grow">{ t!("leave-or-change") }</p>
                        <Button text={t!("consent-change")} on_press={to(|study| Page::request(study, Aim::Change))} />
                    </div>
                }
                if view.levels.is_empty() {
                    <Problem failure={bridge::Failure::new(bridge::Code::NotPossible)} />
                }
            </>
        }
    });
    html! {
        <div class="reading">
            <div class="row topline">
                <Button kind={Kind::Quiet} icon={Shape::Back} text={t!("back")} on_press={on_back.clone()} />
            </div>
            { page }
        </div>
    }
}
