//! The purpose: what for, with which data, by whom, where.

use super::more::More;
use crate::components::{DiseaseSearch, Field, value_of};
use crate::core::call;
use crate::i18n;
use bridge::{DiseaseView, SearchDiseases, Studies, StudyCard};
use consent::{DataKind, EthicsApproval, OrganisationKind, Purpose, StudyId, Topic, Vocabulary};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// The topics that most purposes state; the others stand inside the disclosure.
pub const TOPICS: [Topic; 5] = [Topic::Gru, Topic::Hmb, Topic::Ds, Topic::Poa, Topic::Methods];
/// The places with a box of their own; others are typed.
const PLACES: [&str; 6] = ["NL", "BE", "DE", "FR", "LU", "US"];

/// What stands in the form. Lists that are typed stay text until they are sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Draft {
    study: Option<StudyId>,
    pub(super) purpose: Purpose,
    diseases: Vec<DiseaseView>,
    /// Whether half a day stands in the field of the publication.
    pub(super) publication_wrong: bool,
    other_places: String,
    committee: String,
    number: String,
    valid_until: String,
}

impl Draft {
    /// Starts from what a study stated when it was approved.
    pub fn from_study(card: Option<&StudyCard>) -> Self {
        let Some(card) = card else { return Self::default() };
        let mut purpose = card.purpose.clone();
        let others: Vec<String> = purpose.places.extract_if(.., |place| !PLACES.contains(&place.as_str())).collect();
        let ethics = purpose.ethics_approval.take();
        let part = |f: fn(&EthicsApproval) -> String| ethics.as_ref().map(f).unwrap_or_default();
        Self {
            study: Some(card.study.clone()),
            diseases: purpose.diseases.iter().map(|term| named(term)).collect(),
            publication_wrong: false,
            other_places: others.join(", "),
            committee: part(|ethics| ethics.committee.clone()),
            number: part(|ethics| ethics.number.clone()),
            valid_until: part(|ethics| ethics.valid_until.to_string()),
            purpose,
        }
    }

    /// The study that is chosen, if any.
    pub fn study(&self) -> Option<StudyId> {
        self.study.clone()
    }

    /// The purpose as it is sent.
    pub fn purpose(&self) -> Purpose {
        let mut purpose = self.purpose.clone();
        purpose.diseases = if purpose.topics.contains(&Topic::Ds) {
            self.diseases.iter().map(|disease| disease.term.clone()).collect()
        } else {
            Vec::new()
        };
        purpose.places.extend(split(&self.other_places).into_iter().map(|place| place.to_uppercase()));
        purpose.ethics_approval = self.valid_until.parse().ok().map(|valid_until| EthicsApproval {
            committee: self.committee.trim().to_owned(),
            number: self.number.trim().to_owned(),
            valid_until,
        });
        purpose
    }

    /// The first disease whose name is not known here yet.
    fn unnamed(&self) -> Option<String> {
        self.diseases.iter().find(|disease| disease.label == disease.term).map(|disease| disease.term.clone())
    }

    /// The same, with the name of a disease.
    fn with_name(&self, found: &DiseaseView) -> Self {
        let mut next = self.clone();
        for disease in next.diseases.iter_mut().filter(|disease| disease.term == found.term) {
            disease.label.clone_from(&found.label);
        }
        next
    }

    /// Whether half a day of publication was typed: it must not pass for none.
    pub fn publication_incomplete(&self) -> bool {
        self.publication_wrong
    }

    /// Whether an ethics approval was begun but not finished: half of one must not pass for none.
    pub fn ethics_incomplete(&self) -> bool {
        let parts = [&self.committee, &self.number, &self.valid_until];
        let filled = parts.iter().filter(|part| !part.trim().is_empty()).count();
        (1..3).contains(&filled)
    }
}

fn split(text: &str) -> Vec<String> {
    text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// A disease of which only the term is known here.
fn named(term: &str) -> DiseaseView {
    DiseaseView { term: term.to_owned(), label: i18n::term(term), synonym: None }
}

pub(super) fn toggle<T: PartialEq>(list: &mut Vec<T>, item: T) {
    match list.iter().position(|other| *other == item) {
        Some(place) => drop(list.remove(place)),
        None => list.push(item),
    }
}

/// Properties of the form.
#[derive(Properties, PartialEq)]
pub struct PurposeProps {
    /// What stands in it.
    pub draft: Draft,
    /// The studies to start from.
    pub studies: Rc<Studies>,
    /// Takes a changed draft.
    pub on_draft: Callback<Draft>,
}

/// The form.
#[component]
pub fn PurposeForm(props: &PurposeProps) -> Html {
    let draft = &props.draft;
    // Each control changes a copy of the draft.
    let change = |edit: Rc<dyn Fn(&mut Draft)>| {
        let (draft, on_draft) = (draft.clone(), props.on_draft.clone());
        Callback::from(move |_: Event| {
            let mut next = draft.clone();
            edit(&mut next);
            on_draft.emit(next);
        })
    };
    let typed = |edit: fn(&mut Draft, String)| {
        let (draft, on_draft) = (draft.clone(), props.on_draft.clone());
        Callback::from(move |text: String| {
            let mut next = draft.clone();
            edit(&mut next, text);
            on_draft.emit(next);
        })
    };
    let on_study = {
        let (studies, on_draft) = (props.studies.clone(), props.on_draft.clone());
        Callback::from(move |event: Event| {
            let id = value_of(&event);
            on_draft.emit(Draft::from_study(studies.studies.iter().find(|card| card.study.as_str() == id)));
        })
    };
    {
        // A study states terms; a person reads names. The core knows them, one after the other.
        let (draft, on_draft) = (draft.clone(), props.on_draft.clone());
        use_effect_with(draft.unnamed(), move |term| {
            if let Some(query) = term.clone() {
                spawn_local(async move {
                    if let Some(found) =
                        call(SearchDiseases { query }).await.ok().and_then(|view| view.found.first().cloned())
                    {
                        on_draft.emit(draft.with_name(&found));
                    }
                });
            }
        });
    }
    let on_diseases = {
        let (draft, on_draft) = (draft.clone(), props.on_draft.clone());
        Callback::from(move |diseases| on_draft.emit(Draft { diseases, ..draft.clone() }))
    };
    let purpose = &draft.purpose;
    let topics = TOPICS.map(|topic| {
        let edit = change(Rc::new(move |draft: &mut Draft| toggle(&mut draft.purpose.topics, topic)));
        tick(
            "checkbox",
            "topic",
            topic.code(),
            t!(format!("topic-{}", topic.code())),
            purpose.topics.contains(&topic),
            edit,
        )
    });
    let data = DataKind::ALL.iter().map(|kind| {
        let (kind, code) = (*kind, kind.code());
        let edit = change(Rc::new(move |draft: &mut Draft| toggle(&mut draft.purpose.data, kind)));
        tick("checkbox", "data", code, t!(format!("data-{code}")), purpose.data.contains(&kind), edit)
    });
    let places = PLACES.map(|place| {
        let edit = change(Rc::new(move |draft: &mut Draft| toggle(&mut draft.purpose.places, place.to_owned())));
        let on = purpose.places.iter().any(|other| other == place);
        tick("checkbox", "place", place, t!(format!("place-{place}")), on, edit)
    });
    let stated = OrganisationKind::ALL.iter().map(|kind| (kind.code(), Some(*kind)));
    let kinds = stated.chain([("unstated", None)]).map(|(code, kind)| {
        let label = kind.map_or_else(|| t!("option-unstated"), |_| t!(format!("form-organisation-{code}")));
        let edit = change(Rc::new(move |draft: &mut Draft| draft.purpose.organisation.kind = kind));
        tick("radio", "organisation", code, label, purpose.organisation.kind == kind, edit)
    });
    let commercial =
        [("yes", t!("yes"), Some(true)), ("no", t!("no"), Some(false)), ("unstated", t!("option-unstated"), None)].map(
            |(code, label, value)| {
                let edit = change(Rc::new(move |draft: &mut Draft| draft.purpose.commercial = value));
                tick("radio", "commercial", code, label, purpose.commercial == value, edit)
            },
        );
    html! {
        <fieldset class="card">
            <legend>{ t!("form-purpose") }</legend>
            <div class="field">
                <label for="study">{ t!("form-study") }</label>
                <select id="study" onchange={on_study}>
                    { for props.studies.studies.iter().map(|card| html! {
                        <option value={card.study.to_string()} selected={draft.study.as_ref() == Some(&card.study)}>
                            { &card.title }</option>
                    }) }
                    <option value="" selected={draft.study.is_none()}>{ t!("form-study-none") }</option>
                </select>
            </div>
            <div class="columns">
                <div>
                    { group(t!("form-topics"), topics) }
                    if purpose.topics.contains(&Topic::Ds) {
                        <DiseaseSearch id="diseases" label={t!("form-diseases")} hint={t!("form-diseases-hint")}
                            chosen={draft.diseases.clone()} on_change={on_diseases} />
                    }
                </div>
                { group(t!("form-data"), data) }
                <div>
                    { group(t!("form-places"), places) }
                    <Field id="other-places" label={t!("form-places-other")} hint={t!("form-places-other-hint")}
                        value={draft.other_places.clone()} on_input={typed(|draft, text| draft.other_places = text)} />
                </div>
                { group(t!("form-organisation"), kinds) }
                { group(t!("form-commercial"), commercial) }
            </div>
            <More draft={draft.clone()} on_draft={props.on_draft.clone()} />
            <details open={!draft.committee.is_empty()}>
                <summary>{ t!("form-ethics") }</summary>
                <div class="columns three">
                    <Field id="ethics-committee" label={t!("form-ethics-committee")} value={draft.committee.clone()}
                        on_input={typed(|draft, text| draft.committee = text)} />
                    <Field id="ethics-number" label={t!("form-ethics-number")} value={draft.number.clone()}
                        on_input={typed(|draft, text| draft.number = text)} />
                    <Field id="ethics-until" kind="date" label={t!("form-ethics-until")}
                        value={draft.valid_until.clone()} on_input={typed(|draft, text| draft.valid_until = text)} />
                </div>
            </details>
        </fieldset>
    }
}

/// A group of boxes or radio buttons under its legend.
pub(super) fn group(legend: String, ticks: impl IntoIterator<Item = Html>) -> Html {
    let ticks = ticks.into_iter();
    html! { <fieldset class="group"><legend>{ legend }</legend>{ for ticks }</fieldset> }
}

/// One box or radio button with its words.
pub(super) fn tick(
    kind: &'static str,
    name: &'static str,
    code: &str,
    label: String,
    on: bool,
    edit: Callback<Event>,
) -> Html {
    html! {
        <label class="tick" key={code.to_owned()}>
            <input type={kind} {name} value={code.to_owned()} checked={on} onchange={edit} /><span>{ label }</span>
        </label>
    }
}
