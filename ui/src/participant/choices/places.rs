//! Places by name: the countries of the world, and two groups of them.

use crate::app::Live;
use crate::components::{Chosen, Icon, Item, SearchField, Shape};
use crate::i18n;
use consent::Place;
use yew::prelude::*;

/// The groups come first: they say in one word what would take thirty.
const OFTEN: [&str; 2] = ["EU", "EEA"];
/// How many places a search shows.
const FOUND: usize = 12;

/// Properties of the search.
#[derive(Properties, PartialEq)]
pub struct PlaceSearchProps {
    /// What is chosen.
    pub chosen: Vec<String>,
    /// What is wrong.
    pub error: Option<AttrValue>,
    /// Takes what is chosen now.
    pub on_change: Callback<Vec<String>>,
}

/// A search, and what was chosen as chips above it.
#[component]
pub fn PlaceSearch(props: &PlaceSearchProps) -> Html {
    let live = use_context::<Live>();
    let query = use_state(String::new);
    let all = use_memo((), |()| all());
    let found: Vec<Item> = search(&all, &query);
    let say = move |id: &'static str, code: &str| {
        if let Some(live) = &live {
            live.announce.emit(t!(id, name = name(code)));
        }
    };
    let on_pick = {
        let (chosen, on_change, say) = (props.chosen.clone(), props.on_change.clone(), say.clone());
        Callback::from(move |code: String| {
            if !chosen.contains(&code) {
                say("search-added", &code);
                on_change.emit(chosen.iter().cloned().chain([code]).collect());
            }
        })
    };
    let on_remove = {
        let (chosen, on_change) = (props.chosen.clone(), props.on_change.clone());
        Callback::from(move |code: String| {
            say("search-removed", &code);
            on_change.emit(chosen.iter().filter(|other| **other != code).cloned().collect());
        })
    };
    let often = |code: &'static str| {
        let on = props.chosen.iter().any(|other| other == code);
        let press = if on { on_remove.clone() } else { on_pick.clone() };
        let onclick = press.reform(move |_: MouseEvent| code.to_owned());
        html! {
            <button type="button" class="pick" {onclick} aria-pressed={if on { "true" } else { "false" }}>
                <Icon shape={if on { Shape::Check } else { Shape::Plus }} size={16} />{ name(code) }</button>
        }
    };
    html! {
        <div class="search-many">
            <Chosen search="choices-places" label={t!("choices-places-chosen")}
                items={props.chosen.iter().map(|code| item(code)).collect::<Vec<_>>()} on_remove={on_remove.clone()} />
            <SearchField id="choices-places" label={t!("choices-places")} hint={t!("choices-places-hint")}
                error={props.error.clone()} query={(*query).clone()} {found} chosen={props.chosen.clone()}
                on_query={let query = query.setter(); Callback::from(move |text| query.set(text))}
                on_pick={on_pick.clone()} />
            <div class="picks" role="group" aria-label={t!("choices-places-often")}>{ for OFTEN.map(often) }</div>
        </div>
    }
}

fn item(code: &str) -> Item {
    Item { key: code.to_owned(), label: name(code), detail: None }
}

fn name(code: &str) -> String {
    i18n::sentence_case(i18n::term(code))
}

/// Every place that a policy can name as a whole, by name.
fn all() -> Vec<Item> {
    let letters = || 'A'..='Z';
    let countries = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
    let countries = countries.filter(|code| matches!(Place::read(code), Some(Place::Country(_))));
    let mut all: Vec<Item> =
        OFTEN.iter().map(|code| (*code).to_owned()).chain(countries).map(|code| item(&code)).collect();
    all.sort_by_key(|place| bare(&place.label));
    all
}

/// The name as people look for it: without case, accents that keyboards lack, and the article.
fn bare(name: &str) -> String {
    let name: String = name.to_lowercase().chars().map(plain).collect();
    name.strip_prefix("the ").map(str::to_owned).unwrap_or(name)
}

fn plain(letter: char) -> char {
    match letter {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        _ => letter,
    }
}

/// Names that begin with what was typed, then those with a word that does; a code finds its place.
fn search(all: &[Item], query: &str) -> Vec<Item> {
    let query = bare(query.trim());
    if query.is_empty() {
        return Vec::new();
    }
    let begins = |place: &&Item| bare(&place.label).starts_with(&query) || place.key.to_lowercase() == query;
    let inside = |place: &&Item| {
        let name = bare(&place.label);
        name.split([' ', '-', '(', '’']).any(|word| word.starts_with(&query)) || name.contains(&format!(" {query}"))
    };
    let first = all.iter().filter(begins);
    let then = all.iter().filter(|place| !begins(place)).filter(inside);
    first.chain(then).take(FOUND).cloned().collect()
}
