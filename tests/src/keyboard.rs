//! A person without a mouse: only Tab, Shift and Tab, the arrows, Space, Enter, Escape and letters reach the window.
//! Where the focus is, is asked of the page in the words that a screen reader would use: role, name, group.

use crate::Window;
use std::time::{Duration, Instant};
use thirtyfour::error::WebDriverErrorInner;
use thirtyfour::prelude::*;

/// How often Tab may be pressed before a control counts as out of reach.
const FARTHEST: usize = 150;
/// How long a page may take to answer a key.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the focus may take to move; after that it has nowhere to go.
const MOVES: Duration = Duration::from_secs(2);

/// What has the focus: its role, its name, the names of what it stands in, whether it is chosen, and where it is.
const FOCUSED: &str = r"
    const words = (e) => {
        if (!e) return '';
        const copy = e.cloneNode(true);
        copy.querySelectorAll('[aria-hidden=true]').forEach((part) => part.remove());
        return copy.textContent.replace(/\s+/g, ' ').trim();
    };
    const of_ids = (ids) => ids.split(' ').map((id) => words(document.getElementById(id))).join(' ').trim();
    const e = document.activeElement;
    if (!e || e === document.body) return { place: -1, role: '', name: '', about: '', chosen: false, busy: false, seen: true };
    const tag = e.tagName.toLowerCase();
    const role = e.getAttribute('role') || (tag === 'input'
        ? ({ checkbox: 'checkbox', radio: 'radio', file: 'file' }[e.type] || 'textbox')
        : { h1: 'heading', h2: 'heading', textarea: 'textbox', select: 'combobox' }[tag] || tag);
    const label = e.labels && e.labels[0];
    const name = e.getAttribute('aria-labelledby') ? of_ids(e.getAttribute('aria-labelledby'))
        : e.getAttribute('aria-label') || words(label || e);
    const about = [];
    for (let at = e.parentElement; at; at = at.parentElement) {
        const legend = at.tagName === 'FIELDSET' && at.querySelector('legend');
        if (legend) about.push(words(legend));
        if (at.getAttribute('aria-labelledby')) about.push(of_ids(at.getAttribute('aria-labelledby')));
        if (at.getAttribute('aria-label')) about.push(at.getAttribute('aria-label'));
    }
    if (e.getAttribute('aria-describedby')) about.push(of_ids(e.getAttribute('aria-describedby')));
    const box = e.getBoundingClientRect();
    const seen = box.bottom > 0 && box.top < innerHeight && box.width > 0;
    const place = [...document.querySelectorAll('*')].indexOf(e);
    return { place, role, name, about: about.join(' | '), chosen: !!e.checked, busy: e.getAttribute('aria-busy') === 'true', seen };";

/// What has the focus.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
struct Focus {
    /// Which of the page's elements it is.
    place: i64,
    role: String,
    name: String,
    about: String,
    chosen: bool,
    busy: bool,
    seen: bool,
}

impl Focus {
    fn is(&self, role: &str, name: &str, about: &str) -> bool {
        self.role == role && !self.busy && self.about.contains(about) && {
            // A place of the side bar, or a part of a form, may have a count behind its name.
            let rest = self.name.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.trim_start().starts_with(|c: char| c.is_ascii_digit()))
        }
    }
}

/// The keys of an open window.
pub struct Keyboard<'a> {
    window: &'a Window,
}

impl<'a> Keyboard<'a> {
    /// The keyboard of this window.
    pub fn of(window: &'a Window) -> Self {
        Self { window }
    }

    /// Goes to the button of this name and presses Enter.
    pub async fn press(&self, name: &str) -> WebDriverResult<()> {
        self.press_about("", name).await
    }

    /// Goes to the button of this name that stands in, or speaks of, something, and presses Enter.
    pub async fn press_about(&self, about: &str, name: &str) -> WebDriverResult<()> {
        self.reach("button", name, about).await?;
        self.key(Key::Enter).await
    }

    /// Goes to the box of this name and presses Space.
    pub async fn tick(&self, name: &str) -> WebDriverResult<()> {
        self.reach("checkbox", name, "").await?;
        self.type_keys(" ").await
    }

    /// Goes into the group of radio buttons and moves to one of them by the arrows.
    pub async fn choose(&self, group: &str, name: &str) -> WebDriverResult<()> {
        self.reach_any("radio", group).await?;
        // Not every web view goes from the last one on to the first.
        for arrow in [Key::Down, Key::Up] {
            loop {
                let focus = self.focus().await?;
                if focus.is("radio", name, group) && focus.seen {
                    return if focus.chosen { Ok(()) } else { self.type_keys(" ").await };
                }
                if !self.moved_by(arrow.clone(), &focus).await? {
                    break;
                }
            }
        }
        let focus = self.focus().await?;
        Err(self.lost(&format!("no answer {name:?} in sight in {group:?}"), &focus).await?)
    }

    /// Opens the disclosure of this name.
    pub async fn open(&self, name: &str) -> WebDriverResult<()> {
        self.reach("summary", name, "").await?;
        self.key(Key::Enter).await
    }

    /// Types into the field with this label, in place of what is there.
    pub async fn type_into(&self, label: &str, about: &str, text: &str) -> WebDriverResult<()> {
        self.reach("textbox", label, about).await?;
        self.replace(text).await
    }

    /// Types a day into a field of three parts.
    pub async fn type_day(&self, field: &str, day: consent::Date) -> WebDriverResult<()> {
        let (year, month, day) = day.ymd();
        self.type_into("Day", field, &day.to_string()).await?;
        self.reach("combobox", "Month", field).await?;
        // From the empty line at the top, one press a month.
        self.key(Key::Home).await?;
        for _ in 0..month {
            self.key(Key::Down).await?;
        }
        self.type_into("Year", field, &year.to_string()).await
    }

    /// Types into the combobox with this label and takes the first that is found.
    pub async fn find(&self, label: &str, text: &str) -> WebDriverResult<()> {
        self.reach("combobox", label, "").await?;
        self.type_keys(text).await?;
        self.window.find("//*[@role='option']").await?;
        self.key(Key::Down).await?;
        self.key(Key::Enter).await
    }

    /// Presses Escape.
    pub async fn escape(&self) -> WebDriverResult<()> {
        self.key(Key::Escape).await
    }

    /// Presses Tab until the focus is there; everything that it passes on the way can be seen.
    async fn reach(&self, role: &str, name: &str, about: &str) -> WebDriverResult<()> {
        self.travel(&format!("{role} {name:?} about {about:?}"), |focus| focus.is(role, name, about)).await
    }

    async fn reach_any(&self, role: &str, about: &str) -> WebDriverResult<()> {
        self.travel(&format!("a {role} about {about:?}"), |focus| focus.role == role && focus.about.contains(about))
            .await
    }

    async fn travel(&self, what: &str, there: impl Fn(&Focus) -> bool) -> WebDriverResult<()> {
        let mut focus = self.focus().await?;
        for _ in 0..FARTHEST {
            if there(&focus) {
                if focus.seen {
                    return Ok(());
                }
                return Err(self.lost(&format!("{what} has the focus, but is out of sight"), &focus).await?);
            }
            self.moved_by(Key::Tab, &focus).await?;
            focus = self.focus().await?;
        }
        Err(self.lost(&format!("Tab does not reach {what}"), &focus).await?)
    }

    /// Waits until the heading of this page has the focus, as a screen reader needs it, and nothing loads any more.
    pub async fn page(&self, heading: &str) -> WebDriverResult<()> {
        self.window.heading(heading).await?;
        let begun = Instant::now();
        loop {
            let focus = self.focus().await?;
            if focus.role == "heading" && focus.name.contains(heading) {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(self.lost(&format!("the heading {heading:?} has not the focus"), &focus).await?);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn replace(&self, text: &str) -> WebDriverResult<()> {
        let chain = self.window.page().action_chain();
        chain.key_down(Key::Control).send_keys("a").key_up(Key::Control).perform().await?;
        self.key(Key::Backspace).await?;
        self.type_keys(text).await
    }

    /// Presses a key that moves the focus, and waits until it did: a busy window answers later than its driver.
    async fn moved_by(&self, key: Key, from: &Focus) -> WebDriverResult<bool> {
        self.key(key).await?;
        let begun = Instant::now();
        while begun.elapsed() < MOVES {
            if self.focus().await?.place != from.place {
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(false)
    }

    async fn focus(&self) -> WebDriverResult<Focus> {
        let found = self.window.run(FOCUSED, vec![]).await?;
        serde_json::from_value(found).map_err(|error| WebDriverErrorInner::Json(error.to_string()).into())
    }

    async fn key(&self, key: Key) -> WebDriverResult<()> {
        self.window.page().action_chain().key_down(key.clone()).key_up(key).perform().await
    }

    async fn type_keys(&self, text: &str) -> WebDriverResult<()> {
        self.window.page().action_chain().send_keys(text).perform().await
    }

    async fn lost(&self, what: &str, focus: &Focus) -> WebDriverResult<WebDriverError> {
        self.window.picture("lost").await?;
        Ok(WebDriverErrorInner::NotFound(what.to_owned(), format!("the focus is at {focus:?}")).into())
    }
}
