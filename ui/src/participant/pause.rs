//! For how long to pause: until a day, or until the person says so. None of them is chosen beforehand.

use super::Page;
use crate::components::{Button, DateField, Entered, Kind, Shape, Title, loaded};
use crate::hooks::{use_escape, use_load};
use crate::i18n;
use bridge::{DonorStep, ReadConsent};
use consent::{Date, StudyId};
use yew::prelude::*;

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct PauseProps {
    /// Which study.
    pub study: StudyId,
    /// What was chosen before, when coming back.
    pub before: Option<DonorStep>,
    /// Goes to a page.
    pub go: Callback<Page>,
}

/// How a pause ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Day,
    Open,
}

/// The page.
#[component]
pub fn Pause(props: &PauseProps) -> Html {
    let (load, reload) = use_load(ReadConsent { study: props.study.clone() });
    let end = use_state(|| match props.before {
        Some(DonorStep::Pause { until: Some(_) }) => Some(End::Day),
        Some(DonorStep::Pause { until: None }) => Some(End::Open),
        _ => None,
    });
    let day = use_state(|| match props.before {
        Some(DonorStep::Pause { until: Some(day) }) => Entered::Day(day),
        _ => Entered::Nothing,
    });
    let snag = use_state(|| None::<&'static str>);
    let on_back = {
        let study = props.study.clone();
        props.go.reform(move |()| Page::Consent(study.clone()))
    };
    use_escape(on_back.clone());
    let on_continue = {
        let (go, study, snag) = (props.go.clone(), props.study.clone(), snag.setter());
        let step = match (*end, *day) {
            (Some(End::Open), _) => Ok(DonorStep::Pause { until: None }),
            (Some(End::Day), Entered::Day(day)) => Ok(DonorStep::Pause { until: Some(day) }),
            (Some(End::Day), _) => Err("pause-no-day"),
            (None, _) => Err("pause-nothing"),
        };
        Callback::from(move |()| match step {
            Ok(step) => go.emit(Page::Check(study.clone(), step)),
            Err(id) => snag.set(Some(id)),
        })
    };
    let option = |value: End, id: &'static str, help: &'static str| {
        let on_choose = {
            let (end, snag) = (end.setter(), snag.setter());
            Callback::from(move |_: Event| {
                end.set(Some(value));
                snag.set(None);
            })
        };
        html! {
            <div class="choice">
                <input type="radio" name="pause" {id} checked={*end == Some(value)} onchange={on_choose}
                    aria-describedby={help} />
                <div><label for={id}>{ t!(id) }</label><p class="soft small" id={help}>{ t!(help) }</p></div>
            </div>
        }
    };
    let on_day = {
        let (day, snag) = (day.setter(), snag.setter());
        Callback::from(move |entered| {
            day.set(entered);
            snag.set(None);
        })
    };
    let page = loaded(&load, t!("consent-pause"), &reload, |view| {
        let today = i18n::now().date();
        let value = if let Entered::Day(day) = *day { Some(day) } else { None };
        html! {
            <>
                <Title text={t!("pause-title", study = view.card.title.clone())} />
                <p class="lead">{ t!("pause-lead") }</p>
                <div class="card">
                    <fieldset>
                        <legend class="gap-below">{ t!("pause-how-long") }</legend>
                        { option(End::Day, "pause-day", "pause-day-help") }
                        if *end == Some(End::Day) {
                            <div class="inset">
                                <DateField id="pause-until" label={t!("pause-until")} hint={last_day(view.card.until)}
                                    {value} min={today} max={view.card.until} quick={quick(today, view.card.until)}
                                    on_change={on_day} />
                            </div>
                        }
                        { option(End::Open, "pause-open", "pause-open-help") }
                    </fieldset>
                    if let Some(id) = *snag {
                        <p class="error gap" role="alert">{ t!(id) }</p>
                    }
                    <div class="bar answers"><span class="grow"></span><div class="pair">
                        <Button text={t!("request-keep")} on_press={on_back.clone()} />
                        <Button text={t!("request-continue")} on_press={on_continue} />
                    </div></div>
                </div>
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

fn last_day(until: Option<Date>) -> Option<AttrValue> {
    until.map(|until| AttrValue::from(t!("pause-until-hint", date = i18n::date(until))))
}

/// The days that are asked for most, as far as the consent lasts so long.
fn quick(today: Date, until: Option<Date>) -> Vec<(AttrValue, Date)> {
    [(1, "pause-month-1"), (3, "pause-month-3"), (6, "pause-month-6")]
        .into_iter()
        .filter_map(|(months, id)| Some((AttrValue::from(t!(id)), today.plus_months(months)?)))
        .filter(|(_, day)| until.is_none_or(|until| *day <= until))
        .collect()
}
