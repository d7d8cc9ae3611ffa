//! The head of a page, and what stands in its place while it loads, fails or is empty.

use super::{Icon, Problem, Shape};
use crate::app::Live;
use crate::hooks::Load;
use yew::prelude::*;

/// Properties of a title.
#[derive(Properties, PartialEq)]
pub struct TitleProps {
    /// The one heading of the page.
    pub text: AttrValue,
}

/// The page's heading. It takes the focus when the page opens, so that a screen reader starts there.
#[component]
pub fn Title(props: &TitleProps) -> Html {
    let heading = use_node_ref();
    {
        let heading = heading.clone();
        use_effect_with((), move |()| {
            if let Some(window) = web_sys::window() {
                window.scroll_to_with_x_and_y(0.0, 0.0);
            }
            if let Some(heading) = heading.cast::<web_sys::HtmlElement>() {
                // Focus is a courtesy; a window that refuses it still shows the page.
                drop(heading.focus());
            }
        });
    }
    // The frame of the window says whose profile this is, whatever the page.
    let role = use_context::<Live>().and_then(|live| live.role);
    use_effect_with((props.text.clone(), role), |(page, role)| {
        let page = page.to_string();
        let text = match role {
            Some(role) => t!("window-title", page = page, role = t!(format!("role-{}", role.name()))),
            None => t!("window-title-start", page = page),
        };
        if let Some(document) = web_sys::window().and_then(|window| window.document()) {
            document.set_title(&text);
        }
    });
    html! { <h1 tabindex="-1" ref={heading}>{ &props.text }</h1> }
}

/// A quiet sign that something is on its way.
#[component]
pub fn Loading() -> Html {
    html! { <p class="loading soft"><span class="spinner" aria-hidden="true"></span>{ t!("loading") }</p> }
}

/// The page of a view, or why it is not here.
pub fn loaded<V>(
    load: &Load<V>,
    title: String,
    reload: &Callback<()>,
    page: impl FnOnce(std::rc::Rc<V>) -> Html,
) -> Html {
    match load {
        Load::Waiting => html! { <Loading /> },
        Load::Ready(view) => page(view.clone()),
        Load::Failed(failure) => html! {
            <>
                <Title text={title} />
                <Problem failure={failure.clone()} on_retry={reload.clone()} />
            </>
        },
    }
}

/// The same for a part of a page that has its title already.
pub fn loaded_part<V>(load: &Load<V>, reload: &Callback<()>, part: impl FnOnce(std::rc::Rc<V>) -> Html) -> Html {
    match load {
        Load::Waiting => html! { <Loading /> },
        Load::Ready(view) => part(view.clone()),
        Load::Failed(failure) => html! { <Problem failure={failure.clone()} on_retry={reload.clone()} /> },
    }
}

/// Properties of an empty place.
#[derive(Properties, PartialEq)]
pub struct EmptyProps {
    /// The picture.
    pub shape: Shape,
    /// What is not here.
    pub title: AttrValue,
    /// When it will be.
    pub text: AttrValue,
    /// The button that fills it.
    #[prop_or_default]
    pub children: Html,
}

/// An empty place that says when it will fill.
#[component]
pub fn Empty(props: &EmptyProps) -> Html {
    html! {
        <div class="card empty">
            <span class="disc large"><Icon shape={props.shape} size={28} /></span>
            <h2>{ &props.title }</h2>
            <p class="soft">{ &props.text }</p>
            { props.children.clone() }
        </div>
    }
}
