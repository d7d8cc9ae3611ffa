//! Finding by typing, and what was found: a combobox as the ARIA Authoring Practices describe it, and chips.

use super::{Icon, Shape, value_of};
use js_sys::{Function, Object, Reflect};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

/// Something that can be found and chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is known by.
    pub key: String,
    /// What it is called.
    pub label: String,
    /// A word more, such as another name.
    pub detail: Option<String>,
}

/// Properties of a search.
#[derive(Properties, PartialEq)]
pub struct SearchFieldProps {
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
    /// What is typed.
    pub query: AttrValue,
    /// What was found for it, the best first.
    pub found: Vec<Item>,
    /// The keys of what is chosen already.
    #[prop_or_default]
    pub chosen: Vec<String>,
    /// Takes what is typed.
    pub on_query: Callback<String>,
    /// Takes the key of what is picked.
    pub on_pick: Callback<String>,
}

/// A line to type in, and a list under it. The focus stays in the line; the arrow keys move through the list, Enter
/// picks, Escape closes the list.
#[component]
pub fn SearchField(props: &SearchFieldProps) -> Html {
    let id = &props.id;
    let open = use_state(|| false);
    let active = use_state(|| None::<usize>);
    let shown = *open && !props.found.is_empty();
    // An answer that came late can be shorter than the place where the person was.
    let at = active.filter(|at| shown && *at < props.found.len());
    use_effect_with((id.clone(), shown, props.found.len()), |(id, shown, _)| {
        if *shown {
            reveal(&format!("{id}-list"));
        }
    });
    use_effect_with((id.clone(), at), |(id, at)| {
        if let Some(at) = at {
            bring_into_view(&format!("{id}-list"), &option_id(id, *at));
        }
    });

    let pick = {
        let (open, active, on_pick, on_query) =
            (open.setter(), active.setter(), props.on_pick.clone(), props.on_query.clone());
        move |key: &str| {
            open.set(false);
            active.set(None);
            on_query.emit(String::new());
            on_pick.emit(key.to_owned());
        }
    };
    let oninput = {
        let (open, active, on_query) = (open.setter(), active.setter(), props.on_query.clone());
        Callback::from(move |event: InputEvent| {
            open.set(true);
            active.set(None);
            on_query.emit(value_of(&event));
        })
    };
    let onkeydown = {
        let (open, active, found, pick) = (open.setter(), active.setter(), props.found.clone(), pick.clone());
        let (on_query, typed) = (props.on_query.clone(), !props.query.is_empty());
        Callback::from(move |event: KeyboardEvent| {
            let count = found.len();
            match event.key().as_str() {
                "ArrowDown" if count > 0 => {
                    open.set(true);
                    active.set(Some(at.map_or(0, |at| (at + 1) % count)));
                }
                "ArrowUp" if count > 0 => {
                    open.set(true);
                    active.set(Some(at.map_or(count - 1, |at| (at + count - 1) % count)));
                }
                "Enter" => {
                    if let Some(item) = at.and_then(|at| found.get(at)) {
                        pick(&item.key);
                    }
                }
                // Only what there is to close is closed; a second press belongs to the page.
                "Escape" if shown => open.set(false),
                "Escape" if typed => on_query.emit(String::new()),
                _ => return,
            }
            event.prevent_default();
        })
    };
    let close = {
        let (open, active) = (open.setter(), active.setter());
        Callback::from(move |_: FocusEvent| {
            open.set(false);
            active.set(None);
        })
    };
    // A press on the list must not take the focus away, which would close it.
    let hold = Callback::from(|event: MouseEvent| event.prevent_default());
    let option = |(place, item): (usize, &Item)| {
        let taken = props.chosen.contains(&item.key);
        let onclick = {
            let (pick, key) = (pick.clone(), item.key.clone());
            Callback::from(move |_: MouseEvent| pick(&key))
        };
        html! {
            <li key={item.key.clone()} id={option_id(id, place)} role="option" {onclick}
                aria-selected={if at == Some(place) { "true" } else { "false" }}>
                <span>{ &item.label }</span>
                if taken {
                    <span class="soft small">{ t!("search-chosen") }</span>
                } else if let Some(detail) = &item.detail {
                    <span class="soft small">{ detail }</span>
                }
            </li>
        }
    };
    let status =
        if props.query.trim().is_empty() { String::new() } else { t!("search-count", count = props.found.len()) };
    let described = described_by(id, props.error.is_some(), props.hint.is_some());
    html! {
        <div class="field search">
            <label for={id.clone()}>{ &props.label }</label>
            if let Some(hint) = &props.hint {
                <p class="soft small" id={format!("{id}-hint")}>{ hint }</p>
            }
            if let Some(error) = &props.error {
                <p class="error" id={format!("{id}-error")} role="alert">{ error }</p>
            }
            <div class="search-box">
                <Icon shape={Shape::Search} size={18} />
                <input id={id.clone()} type="text" role="combobox" value={props.query.clone()} {oninput} {onkeydown}
                    onblur={close} autocomplete="off" autocapitalize="off" spellcheck="false" aria-autocomplete="list"
                    aria-expanded={if shown { "true" } else { "false" }} aria-controls={format!("{id}-list")}
                    aria-activedescendant={at.map(|at| option_id(id, at))}
                    aria-invalid={props.error.is_some().then_some("true")}
                    aria-describedby={described} />
                <ul class="found" id={format!("{id}-list")} role="listbox" aria-label={props.label.clone()}
                    hidden={!shown} onmousedown={hold}>
                    { for props.found.iter().enumerate().map(option) }
                </ul>
            </div>
            <p class="soft small found-count" role="status">{ status }</p>
        </div>
    }
}

/// The ids of what a screen reader says after the name: what is wrong, then the help.
pub(super) fn described_by(id: &str, error: bool, hint: bool) -> Option<String> {
    match (error, hint) {
        (true, true) => Some(format!("{id}-error {id}-hint")),
        (true, false) => Some(format!("{id}-error")),
        (false, true) => Some(format!("{id}-hint")),
        (false, false) => None,
    }
}

fn option_id(id: &str, place: usize) -> String {
    format!("{id}-option-{place}")
}

fn element(id: &str) -> Option<HtmlElement> {
    web_sys::window()?.document()?.get_element_by_id(id)?.dyn_into().ok()
}

/// Scrolls the page as little as shows the whole list.
fn reveal(id: &str) {
    let Some(found) = element(id) else { return };
    let scroll = || {
        let how = Object::new();
        Reflect::set(&how, &"block".into(), &"nearest".into()).ok()?;
        let scroll = Reflect::get(&found, &"scrollIntoView".into()).ok()?.dyn_into::<Function>().ok()?;
        scroll.call1(&found, &how).ok()
    };
    // A list that is not moved can still be scrolled to.
    drop(scroll());
}

/// Scrolls the list, and only the list.
fn bring_into_view(list: &str, option: &str) {
    let (Some(list), Some(option)) = (element(list), element(option)) else { return };
    let (top, bottom) = (option.offset_top(), option.offset_top() + option.offset_height());
    if top < list.scroll_top() {
        list.set_scroll_top(top);
    } else if bottom > list.scroll_top() + list.client_height() {
        list.set_scroll_top(bottom - list.client_height());
    }
}

/// Properties of what was chosen.
#[derive(Properties, PartialEq)]
pub struct ChosenProps {
    /// The id of the search that they were chosen in; it takes the focus when the last one goes.
    pub search: AttrValue,
    /// What they are, for a screen reader.
    pub label: AttrValue,
    /// What is chosen.
    pub items: Vec<Item>,
    /// Takes the key of what is removed.
    pub on_remove: Callback<String>,
}

/// Chips, each with a button that removes it.
#[component]
pub fn Chosen(props: &ChosenProps) -> Html {
    let button_id = |item: &Item| format!("{}-remove-{}", props.search, item.key);
    let chip = |(place, item): (usize, &Item)| {
        // The focus goes to a neighbour before its place is gone, so that nobody is thrown to the top of the page.
        let neighbour = props.items.get(place + 1).or_else(|| place.checked_sub(1).and_then(|p| props.items.get(p)));
        let next = neighbour.map_or_else(|| props.search.to_string(), button_id);
        let (on_remove, key) = (props.on_remove.clone(), item.key.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            if let Some(next) = element(&next) {
                drop(next.focus());
            }
            on_remove.emit(key.clone());
        });
        html! {
            <li key={item.key.clone()}>
                <span>{ &item.label }</span>
                <button type="button" id={button_id(item)} {onclick}
                    aria-label={t!("search-remove", name = item.label.clone())}><Icon shape={Shape::Cross} size={16} /></button>
            </li>
        }
    };
    html! {
        if !props.items.is_empty() {
            <ul class="chosen" aria-label={props.label.clone()}>{ for props.items.iter().enumerate().map(chip) }</ul>
        }
    }
}
