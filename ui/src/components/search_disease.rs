//! Diseases by name, as many as a person wants to name.

use super::Problem;
use super::search::{Chosen, Item, SearchField};
use crate::app::Live;
use crate::hooks::{Load, use_load};
use crate::i18n;
use bridge::{DiseaseView, SearchDiseases};
use yew::prelude::*;

/// Properties of the search.
#[derive(Properties, PartialEq)]
pub struct DiseaseSearchProps {
    /// Its id in the page.
    pub id: AttrValue,
    /// Its label, which is its accessible name.
    pub label: AttrValue,
    /// Help under the label.
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    /// What is wrong.
    #[prop_or_default]
    pub error: Option<AttrValue>,
    /// What is chosen.
    pub chosen: Vec<DiseaseView>,
    /// How many can be chosen.
    #[prop_or(40)]
    pub most: usize,
    /// Takes what is chosen now.
    pub on_change: Callback<Vec<DiseaseView>>,
}

/// A search, and what was chosen as chips above it.
#[component]
pub fn DiseaseSearch(props: &DiseaseSearchProps) -> Html {
    let live = use_context::<Live>();
    let query = use_state(String::new);
    // It asks at once for nothing: that makes the core ready, so that the first letter is answered as fast as the next.
    let (load, reload) = use_load(SearchDiseases { query: query.trim().to_owned() });
    let found = match &load {
        Load::Ready(view) if !query.trim().is_empty() => view.found.clone(),
        _ => Vec::new(),
    };
    let full = props.chosen.len() >= props.most;
    let say = {
        let announce = live.map(|live| live.announce);
        move |text: String| {
            if let Some(announce) = &announce {
                announce.emit(text);
            }
        }
    };
    let on_pick = {
        let (chosen, found, on_change, say) =
            (props.chosen.clone(), found.clone(), props.on_change.clone(), say.clone());
        Callback::from(move |term: String| {
            let Some(disease) = found.iter().find(|disease| disease.term == term) else { return };
            if full || chosen.iter().any(|other| other.term == term) {
                return;
            }
            say(t!("search-added", name = disease.label.clone()));
            let mut next = chosen.clone();
            // By whatever name it was found, it is kept by its own.
            next.push(DiseaseView { synonym: None, ..disease.clone() });
            on_change.emit(next);
        })
    };
    let on_remove = {
        let (chosen, on_change) = (props.chosen.clone(), props.on_change.clone());
        Callback::from(move |term: String| {
            if let Some(gone) = chosen.iter().find(|disease| disease.term == term) {
                say(t!("search-removed", name = gone.label.clone()));
            }
            on_change.emit(chosen.iter().filter(|disease| disease.term != term).cloned().collect());
        })
    };
    let item = |disease: &DiseaseView| Item {
        key: disease.term.clone(),
        label: i18n::sentence_case(disease.label.clone()),
        detail: disease.synonym.as_ref().map(|name| t!("search-also", name = name.clone())),
    };
    let hint = if full { Some(AttrValue::from(t!("search-full", count = props.most))) } else { props.hint.clone() };
    html! {
        <div class="search-many">
            <Chosen search={props.id.clone()} label={t!("search-diseases-chosen")}
                items={props.chosen.iter().map(item).collect::<Vec<_>>()} {on_remove} />
            <SearchField id={props.id.clone()} label={props.label.clone()} {hint} error={props.error.clone()}
                query={(*query).clone()} found={found.iter().map(item).collect::<Vec<_>>()}
                chosen={props.chosen.iter().map(|disease| disease.term.clone()).collect::<Vec<_>>()}
                on_query={let query = query.setter(); Callback::from(move |text| query.set(text))} {on_pick} />
            if let Load::Failed(failure) = &load {
                <Problem failure={failure.clone()} on_retry={reload} />
            }
        </div>
    }
}
