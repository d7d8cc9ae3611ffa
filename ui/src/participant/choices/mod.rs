//! What a participant would allow in general. Choices sign nothing; they tell which studies fit.

mod draft;
mod import;
mod meaning;
mod parts;
mod places;

use crate::app::Live;
use crate::components::{Button, Icon, Kind, Problem, Shape, Title, loaded};
use crate::hooks::{use_action, use_load};
use crate::i18n;
use bridge::{ChoicesView, ImportView, ReadChoices, SaveChoices};
use draft::{Draft, Part};
use import::Import;
use meaning::Meaning;
pub use meaning::differences;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// The page.
#[component]
pub fn ChoicesPage() -> Html {
    let (load, reload) = use_load(ReadChoices {});
    loaded(&load, t!("choices-title"), &reload, |view| html! { <Editor {view} /> })
}

#[derive(Properties, PartialEq)]
struct EditorProps {
    view: Rc<ChoicesView>,
}

/// What is said beside the buttons, until something else changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Undone,
}

#[component]
fn Editor(props: &EditorProps) -> Html {
    let live = use_context::<Live>();
    let saved = use_state(|| props.view.clone());
    let base = Draft::new(&saved.choices, &saved.diseases, saved.saved.is_some());
    let draft = {
        let base = base.clone();
        use_state(move || draft::left(&props.view.choices).unwrap_or(base))
    };
    let part = use_state(|| Part::Purpose);
    // Counts the tries to save something half chosen: each shows the mistake and goes to it.
    let complaints = use_state(|| 0_u32);
    let said = use_state(|| Said::Nothing);
    let note = use_node_ref();
    let changed = draft.differs(&base);
    use_effect_with(((*draft).clone(), saved.choices.clone(), changed), |(draft, saved, changed)| {
        draft::keep(saved, changed.then_some(draft));
    });
    {
        let unfinished = draft.unfinished();
        use_effect_with(*complaints, move |complaints| match unfinished {
            Some(Part::Purpose) if *complaints > 0 => focus("choices-diseases"),
            Some(Part::Where) if *complaints > 0 => focus("choices-places"),
            _ => {}
        });
    }
    let on_draft = {
        let (draft, said, complaints) = (draft.setter(), said.setter(), complaints.setter());
        Callback::from(move |next: Draft| {
            said.set(Said::Nothing);
            if next.unfinished().is_none() {
                complaints.set(0);
            }
            draft.set(next);
        })
    };
    let go = {
        let part = part.setter();
        Callback::from(move |next: Part| part.set(next))
    };
    let to_note = {
        let note = note.clone();
        move || {
            if let Some(note) = note.cast::<web_sys::HtmlElement>() {
                drop(note.focus());
            }
        }
    };
    let save = {
        let (saved, draft, to_note) = (saved.setter(), draft.setter(), to_note.clone());
        let complaints = complaints.setter();
        use_action::<SaveChoices>(Callback::from(move |view: ChoicesView| {
            draft.set(Draft::new(&view.choices, &view.diseases, true));
            complaints.set(0);
            // The button goes away; the focus must not go with it.
            to_note();
            if let (Some(live), Some(at)) = (&live, view.saved) {
                live.announce.emit(t!("choices-saved", when = i18n::when(at)));
                // Home tells which requests fit.
                live.refresh.emit(());
            }
            saved.set(Rc::new(view));
        }))
    };
    let on_save = {
        let (run, draft, part, complaints) = (save.run.clone(), draft.clone(), part.setter(), complaints.clone());
        Callback::from(move |()| match draft.unfinished() {
            Some(unfinished) => {
                part.set(unfinished);
                complaints.set(complaints.wrapping_add(1));
            }
            None => run.emit(SaveChoices { choices: draft.choices() }),
        })
    };
    let on_undo = {
        let (draft, base, complaints, said) = (draft.setter(), base.clone(), complaints.setter(), said.setter());
        Callback::from(move |()| {
            draft.set(base.clone());
            complaints.set(0);
            said.set(Said::Undone);
            to_note();
        })
    };
    let on_import = {
        let (draft, on_draft, saved) = (draft.clone(), on_draft.clone(), saved.clone());
        Callback::from(move |view: Rc<ImportView>| on_draft.emit(draft.with_read(&view, &saved.choices)))
    };
    let (sign, status) = match (changed, *said, saved.saved) {
        (true, ..) => (Shape::Pen, t!("choices-unsaved")),
        (_, Said::Undone, Some(_)) => (Shape::Back, t!("choices-undone")),
        (_, _, Some(at)) => (Shape::Check, t!("choices-saved", when = i18n::when(at))),
        (_, _, None) => (Shape::Clock, t!("choices-never")),
    };
    html! {
        <div class="choices">
            <Title text={t!("choices-title")} />
            <p class="lead">{ t!("choices-lead") }</p>
            <nav class="parts" aria-label={t!("choices-parts")}>
                { for Part::ALL.iter().map(|one| tab(*one, *one == *part, &draft, &go)) }
            </nav>
            <div class="beside">
                <div>
                    <PartCard part={*part} draft={(*draft).clone()} {on_draft} {go} complain={*complaints > 0} />
                    <Import on_read={on_import} />
                </div>
                <Meaning choices={draft.choices()} {changed} />
            </div>
            if let Some(failure) = save.failure.clone() {
                <Problem {failure} on_retry={save.again.clone()} busy={save.busy} />
            }
            <div class={classes!("save-bar", changed.then_some("changed"))} role="group" aria-label={t!("choices-saving")}>
                <p class="status-line" tabindex="-1" ref={note}>
                    <Icon shape={sign} size={18} /><span>{ status }</span></p>
                if changed {
                    <Button text={t!("choices-undo")} on_press={on_undo} />
                    <Button kind={Kind::Main} text={t!("choices-save")} on_press={on_save} busy={save.busy} />
                }
            </div>
        </div>
    }
}

fn tab(part: Part, here: bool, draft: &Draft, go: &Callback<Part>) -> Html {
    let (answered, all) = draft.count(part);
    let onclick = go.reform(move |_: MouseEvent| part);
    html! {
        <button type="button" class={classes!("part", (answered == all).then_some("full"))} key={part.name()} {onclick}
            aria-current={here.then_some("step")}>
            if answered == all {
                <Icon shape={Shape::Check} size={16} />
            }
            <span>{ t!(format!("choices-{}", part.name())) }</span>
            <small aria-hidden="true">{ t!("choices-part-count", answered = answered, all = all) }</small>
            <span class="hidden">{ t!("choices-part-count-spoken", answered = answered, all = all) }</span>
        </button>
    }
}

#[derive(Properties, PartialEq)]
struct PartCardProps {
    part: Part,
    draft: Draft,
    on_draft: Callback<Draft>,
    go: Callback<Part>,
    complain: bool,
}

/// One part of the form, with the way to its neighbours.
#[component]
fn PartCard(props: &PartCardProps) -> Html {
    let part = props.part;
    let heading = use_node_ref();
    let first = use_mut_ref(|| true);
    {
        let (heading, complain) = (heading.clone(), props.complain);
        use_effect_with(part, move |_| {
            // The page itself begins at its title; a part that is gone to begins at its heading.
            let opened = std::mem::replace(&mut *first.borrow_mut(), false);
            if let Some(heading) = heading.cast::<web_sys::HtmlElement>().filter(|_| !opened && !complain) {
                drop(heading.focus());
            }
        });
    }
    let name = part.name();
    let step = |to: Option<Part>, id: &str, kind: Kind| {
        let to = to?;
        let text = t!(id, part = t!(format!("choices-{}", to.name())));
        Some(html! { <Button {kind} {text} on_press={props.go.reform(move |()| to)} /> })
    };
    html! {
        <section class="card part-card" aria-labelledby="choices-part">
            <h2 id="choices-part" tabindex="-1" ref={heading}>{ t!(format!("choices-{name}-title")) }</h2>
            <p class="soft">{ t!(format!("choices-{name}-lead")) }</p>
            <div class="questions" key={name}>
                { parts::part(part, &props.draft, &props.on_draft, props.complain) }
            </div>
            <div class="bar">
                { step(part.previous(), "choices-previous", Kind::Quiet) }
                <span class="grow"></span>
                { step(part.next(), "choices-next", Kind::Plain) }
            </div>
        </section>
    }
}

fn focus(id: &str) {
    let found = web_sys::window().and_then(|window| window.document()).and_then(|page| page.get_element_by_id(id));
    if let Some(found) = found.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok()) {
        drop(found.focus());
    }
}
