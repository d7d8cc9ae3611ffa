//! Asking the core from inside components.

use crate::app::Live;
use crate::core::call;
use bridge::{Command, Failure, Sync, SyncView};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// A view on its way.
#[derive(Debug, PartialEq)]
pub enum Load<V> {
    /// Not here yet.
    Waiting,
    /// Here.
    Ready(Rc<V>),
    /// It did not come.
    Failed(Failure),
}

// By hand, since `derive` would ask for `V: Clone`.
impl<V> Clone for Load<V> {
    fn clone(&self) -> Self {
        match self {
            Self::Waiting => Self::Waiting,
            Self::Ready(view) => Self::Ready(view.clone()),
            Self::Failed(failure) => Self::Failed(failure.clone()),
        }
    }
}

/// Asks for a view, and asks again whenever the core says that something changed.
///
/// A view that is shown stays until a newer one is here: a failed refresh is told by the status line, not by
/// taking the page away.
#[hook]
pub fn use_load<C>(command: C) -> (Load<C::View>, Callback<()>)
where
    C: Command + Clone + PartialEq + 'static,
    C::View: 'static,
{
    let tick = use_context::<Live>().map_or(0, |live| live.tick);
    let state = use_state(|| Load::Waiting);
    let again = use_state(|| 0_u32);
    // The number of the latest question, and whether any was answered: late answers to old questions are dropped.
    let latest = use_mut_ref(|| (0_u32, false));
    {
        let state = state.clone();
        use_effect_with((command, tick, *again), move |(command, _, _)| {
            let (command, state) = (command.clone(), state.clone());
            latest.borrow_mut().0 += 1;
            let mine = latest.borrow().0;
            spawn_local(async move {
                let answer = call(command).await;
                if latest.borrow().0 != mine {
                    return;
                }
                match answer {
                    Ok(view) => {
                        latest.borrow_mut().1 = true;
                        state.set(Load::Ready(Rc::new(view)));
                    }
                    Err(_) if latest.borrow().1 => {}
                    Err(failure) => state.set(Load::Failed(failure)),
                }
            });
        });
    }
    let reload = {
        let state = state.clone();
        Callback::from(move |()| {
            state.set(Load::Waiting);
            again.set(again.wrapping_add(1));
        })
    };
    ((*state).clone(), reload)
}

/// A step that a person takes by pressing a button.
pub struct Action<C> {
    /// On its way.
    pub busy: bool,
    /// Why the last try failed.
    pub failure: Option<Failure>,
    /// Takes the step, unless one is on its way.
    pub run: Callback<C>,
    /// Takes the last step again.
    pub again: Callback<()>,
}

/// Sends a command when asked to, and gives the answer to `done`.
#[hook]
pub fn use_action<C>(done: Callback<C::View>) -> Action<C>
where
    C: Command + Clone + 'static,
    C::View: 'static,
{
    let busy = use_state(|| false);
    let failure = use_state(|| None::<Failure>);
    // A second press comes faster than a render, so the guard is not the state.
    let guard = use_mut_ref(|| false);
    let last = use_mut_ref(|| None::<C>);
    let run = {
        let (busy, failure, last) = (busy.clone(), failure.clone(), last.clone());
        Callback::from(move |command: C| {
            if std::mem::replace(&mut *guard.borrow_mut(), true) {
                return;
            }
            *last.borrow_mut() = Some(command.clone());
            busy.set(true);
            failure.set(None);
            let (busy, failure, guard, done) = (busy.clone(), failure.clone(), guard.clone(), done.clone());
            spawn_local(async move {
                let answer = call(command).await;
                *guard.borrow_mut() = false;
                busy.set(false);
                match answer {
                    Ok(view) => done.emit(view),
                    Err(reason) => failure.set(Some(reason)),
                }
            });
        })
    };
    let again = {
        let run = run.clone();
        Callback::from(move |()| {
            let command = last.borrow().clone();
            if let Some(command) = command {
                run.emit(command);
            }
        })
    };
    Action { busy: *busy, failure: (*failure).clone(), run, again }
}

/// How often the wallet sends what waits and asks for news while it is open.
const SYNC_EVERY_MS: i32 = 30_000;

/// The state of the record: asked for at once, then again and again while the profile is connected.
#[hook]
pub fn use_sync(connected: bool) -> UseStateHandle<Option<SyncView>> {
    let live = use_context::<Live>();
    let state = use_state(|| None::<SyncView>);
    let shown = use_mut_ref(|| None::<SyncView>);
    {
        let state = state.clone();
        use_effect_with(connected, move |connected| {
            let ask = move || {
                let (state, shown, live) = (state.clone(), shown.clone(), live.clone());
                spawn_local(async move {
                    let Ok(view) = call(Sync {}).await else { return };
                    let before = shown.borrow_mut().replace(view.clone());
                    // Something was sent or came in, or there is an alarm or no more: the pages ask again.
                    let differs = |before: SyncView| before.waiting != view.waiting || before.alarm != view.alarm;
                    let moved = before.is_some_and(differs);
                    state.set(Some(view));
                    if let Some(live) = live.filter(|_| moved) {
                        live.refresh.emit(());
                    }
                });
            };
            let timer = connected.then(|| {
                ask();
                Interval::start(SYNC_EVERY_MS, ask)
            });
            move || drop(timer)
        });
    }
    state
}

/// A repeating timer that stops when it is dropped.
struct Interval {
    id: Option<i32>,
    _closure: Closure<dyn Fn()>,
}

impl Interval {
    fn start(every_ms: i32, tick: impl Fn() + 'static) -> Self {
        let closure = Closure::<dyn Fn()>::new(tick);
        let function = closure.as_ref().unchecked_ref();
        let id = web_sys::window()
            .and_then(|w| w.set_interval_with_callback_and_timeout_and_arguments_0(function, every_ms).ok());
        Self { id, _closure: closure }
    }
}

impl Drop for Interval {
    fn drop(&mut self) {
        if let (Some(window), Some(id)) = (web_sys::window(), self.id) {
            window.clear_interval_with_handle(id);
        }
    }
}

/// Calls back when the person presses Escape anywhere in the window.
#[hook]
pub fn use_escape(pressed: Callback<()>) {
    use_effect_with(pressed, |pressed| {
        let pressed = pressed.clone();
        let heard = Closure::<dyn Fn(KeyboardEvent)>::new(move |event: KeyboardEvent| {
            if event.key() == "Escape" && !event.default_prevented() {
                pressed.emit(());
            }
        });
        let window = web_sys::window();
        if let Some(window) = &window {
            drop(window.add_event_listener_with_callback("keydown", heard.as_ref().unchecked_ref()));
        }
        move || {
            if let Some(window) = window {
                drop(window.remove_event_listener_with_callback("keydown", heard.as_ref().unchecked_ref()));
            }
        }
    });
}

/// Keeps what takes the focus in sight. Some web views move the focus by the arrow keys and do not scroll to it.
#[hook]
pub fn use_focus_in_sight() {
    use_effect_with((), |()| {
        let heard = Closure::<dyn Fn(FocusEvent)>::new(|event: FocusEvent| {
            if let Some(element) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) {
                let near = web_sys::ScrollIntoViewOptions::new();
                near.set_block(web_sys::ScrollLogicalPosition::Nearest);
                element.scroll_into_view_with_scroll_into_view_options(&near);
            }
        });
        let window = web_sys::window();
        if let Some(window) = &window {
            drop(window.add_event_listener_with_callback("focusin", heard.as_ref().unchecked_ref()));
        }
        move || {
            if let Some(window) = window {
                drop(window.remove_event_listener_with_callback("focusin", heard.as_ref().unchecked_ref()));
            }
        }
    });
}
