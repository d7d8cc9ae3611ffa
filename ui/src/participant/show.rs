//! A link that asks for proof: who asks, for what, what would be told, and the two answers.

use super::Page;
use crate::app::Live;
use crate::components::{Button, Field, Icon, Kind, Problem, Shape, Title};
use crate::hooks::use_action;
use crate::i18n;
use bridge::{AskedCredential, DeclinePresentation, Present, PresentationView, ReadPresentation, Shown, WantView};
use consent::{StudyId, Topic, Vocabulary};
use std::collections::BTreeMap;
use yew::prelude::*;

/// Everything that a consent says. This form of proof has no parts, so all of it is told.
const CLAUSES: [&str; 11] = [
    "study",
    "dataUse",
    "recipient",
    "preferences",
    "terms",
    "notice",
    "studyVersion",
    "biobank",
    "supersedes",
    "schemaVersion",
    "id",
];

/// Properties of the page.
#[derive(Properties, PartialEq)]
pub struct ShowProps {
    /// Goes to a page.
    pub go: Callback<Page>,
}

/// The page: the link, then what it asks for.
#[component]
pub fn ShowPage(props: &ShowProps) -> Html {
    let asked = use_state(|| None::<PresentationView>);
    let text = use_state(String::new);
    let missing = use_state(|| false);
    let open = {
        let asked = asked.setter();
        use_action::<ReadPresentation>(Callback::from(move |view| asked.set(Some(view))))
    };
    if let Some(view) = &*asked {
        return html! { <Asked view={view.clone()} go={props.go.clone()} /> };
    }
    let onsubmit = {
        let (text, missing, run) = (text.clone(), missing.clone(), open.run.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let text = text.trim().to_owned();
            missing.set(text.is_empty());
            if !text.is_empty() {
                run.emit(ReadPresentation { text });
            }
        })
    };
    let type_into = {
        let text = text.setter();
        Callback::from(move |typed| text.set(typed))
    };
    let error = (*missing && text.trim().is_empty()).then(|| AttrValue::from(t!("field-needed")));
    let on_back = props.go.reform(|()| Page::Sharing);
    html! {
        <div class="narrow" key="link">
            <Title text={t!("show-title")} />
            <p class="lead">{ t!("show-lead") }</p>
            <form class="card" {onsubmit} novalidate=true>
                <Field id="show-link" label={t!("show-field")} hint={t!("show-field-hint")} {error}
                    value={(*text).clone()} on_input={type_into} />
                if let Some(failure) = open.failure.clone() {
                    <Problem {failure} />
                }
                <div class="bar end"><div class="pair">
                    <Button text={t!("show-back")} on_press={on_back} />
                    <Button kind={Kind::Main} text={t!("show-open")} submits=true busy={open.busy} />
                </div></div>
            </form>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct AskedProps {
    view: PresentationView,
    go: Callback<Page>,
}

/// What was chosen: for each credential that is shown, whose consent.
type Picks = BTreeMap<String, StudyId>;

#[component]
fn Asked(props: &AskedProps) -> Html {
    let view = &props.view;
    // What is needed is in, with the first consent that fits; what is not needed is out until the person puts it in.
    let picks = use_state(|| {
        let needed = view.wants.iter().filter(|want| want.required).flat_map(|want| &want.credentials);
        needed.filter_map(|one| Some((one.id.clone(), one.studies.first()?.study.clone()))).collect::<Picks>()
    });
    let live = use_context::<Live>();
    let done = |said: &'static str| {
        let (live, go) = (live.clone(), props.go.clone());
        Callback::from(move |_| {
            if let Some(live) = &live {
                live.announce.emit(t!(said));
                live.refresh.emit(());
            }
            go.emit(Page::Activity);
        })
    };
    let share = use_action::<Present>(done("show-shared"));
    let keep = use_action::<DeclinePresentation>(done("show-kept"));
    let on_share = {
        let (picks, run) = (picks.clone(), share.run.clone());
        Callback::from(move |()| {
            let chosen = picks.iter().map(|(id, study)| Shown { id: id.clone(), study: study.clone() });
            run.emit(Present { chosen: chosen.collect() });
        })
    };
    let who = match (&view.organisation, &view.name) {
        (Some(organisation), _) => organisation.clone(),
        (None, Some(name)) => name.clone(),
        (None, None) => view.goes_to.clone(),
    };
    html! {
        <div class="narrow" key="asked">
            <span class="disc large"><Icon shape={Shape::Ask} size={28} /></span>
            <Title text={t!("show-who", who = who)} />
            if view.organisation.is_some() {
                <p class="lead">{ t!("show-vouched") }</p>
            } else {
                <p class="note wait"><Icon shape={Shape::Alert} size={20} />{ t!("show-unknown") }</p>
            }
            if let Some(purpose) = &view.purpose {
                <p class="gap">{ t!("sharing-ask-what-for") }{ ": " }{ topics(purpose) }{ "." }</p>
            }
            { for view.wants.iter().enumerate().map(|(place, want)| wanted(place, want, &picks)) }
            <section class="card" aria-labelledby="show-hidden">
                <h2 id="show-hidden">{ t!("show-hidden") }</h2>
                <ul class="ticks gap">{ for ["name", "number", "others"].map(|what| html! {
                    <li><Icon shape={Shape::Minus} size={18} />{ t!(format!("show-hidden-{what}")) }</li>
                }) }</ul>
                <details>
                    <summary>{ t!("invite-details") }</summary>
                    <dl class="evidence">
                        <dt>{ t!("show-client") }</dt><dd class="code">{ &view.client }</dd>
                        <dt>{ t!("show-goes-to") }</dt><dd class="code">{ &view.goes_to }</dd>
                    </dl>
                </details>
                if let Some(failure) = share.failure.clone() {
                    <Problem {failure} on_retry={share.again.clone()} />
                }
                <div class="bar end"><div class="pair">
                    <Button text={t!("show-keep")} busy={keep.busy}
                        on_press={keep.run.reform(|()| DeclinePresentation {})} />
                    <Button text={t!("show-share")} busy={share.busy} on_press={on_share} />
                </div></div>
            </section>
        </div>
    }
}

fn topics(purpose: &consent::Purpose) -> Html {
    let diseases = i18n::terms(&purpose.diseases.join(", "));
    let topics = purpose.topics.iter().map(|topic| match topic {
        Topic::Ds if !diseases.is_empty() => t!("term-DS-of", diseases = diseases.as_str()),
        topic => i18n::term(topic.code()),
    });
    html! { { i18n::list(topics.collect()) } }
}

/// One thing that is wanted, with a box where the person may leave it out.
fn wanted(place: usize, want: &WantView, picks: &UseStateHandle<Picks>) -> Html {
    let heading = format!("want-{place}");
    let shown = want.credentials.iter().all(|one| picks.contains_key(&one.id));
    let onchange = {
        let (picks, credentials) = (picks.clone(), want.credentials.clone());
        Callback::from(move |_: Event| {
            let mut next = (*picks).clone();
            for one in &credentials {
                match one.studies.first().filter(|_| !shown) {
                    Some(first) => drop(next.insert(one.id.clone(), first.study.clone())),
                    None => drop(next.remove(&one.id)),
                }
            }
            picks.set(next);
        })
    };
    html! {
        <section class="card" aria-labelledby={heading.clone()} key={heading.clone()}>
            <h2 id={heading.clone()}>{ if want.required { t!("show-needed") } else { t!("show-optional") } }</h2>
            if !want.required {
                <div class="choice">
                    <input type="checkbox" id={format!("{heading}-box")} checked={shown} {onchange} />
                    <label class="grow" for={format!("{heading}-box")}>{ t!("show-include") }</label>
                </div>
            }
            { for want.credentials.iter().map(|one| credential(one, picks)) }
        </section>
    }
}

fn credential(one: &AskedCredential, picks: &UseStateHandle<Picks>) -> Html {
    let option = |study: &bridge::StudyName| {
        let (picks, id, study) = (picks.clone(), one.id.clone(), study.clone());
        let checked = picks.get(&id) == Some(&study.study);
        let title = study.title.clone();
        let onchange = {
            let id = id.clone();
            Callback::from(move |_: Event| {
                let mut next = (*picks).clone();
                next.insert(id.clone(), study.study.clone());
                picks.set(next);
            })
        };
        html! {
            <label class="option">
                <input type="radio" name={format!("study-{id}")} {checked} {onchange} /><span>{ title }</span>
            </label>
        }
    };
    let (asked, beside): (Vec<_>, Vec<_>) =
        CLAUSES.iter().partition(|clause| one.asked.iter().any(|name| name == *clause));
    let words = |clauses: &[&&str]| clauses.iter().map(|clause| t!(format!("told-{clause}"))).collect::<Vec<_>>();
    html! {
        <>
            if let [only] = one.studies.as_slice() {
                <p>{ t!("show-consent", study = only.title.clone()) }</p>
            } else {
                <fieldset class="answer-field"><legend>{ t!("show-which") }</legend>
                    <div class="options">{ for one.studies.iter().map(option) }</div></fieldset>
            }
            <dl class="facts tight">
                if !asked.is_empty() {
                    <dt>{ t!("show-asked") }</dt><dd>{ i18n::list(words(&asked)) }</dd>
                }
                <dt>{ t!("show-beside") }</dt><dd>{ i18n::list(words(&beside)) }</dd>
            </dl>
        </>
    }
}
