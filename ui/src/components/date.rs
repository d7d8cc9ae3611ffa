//! A day, in three parts: no engine's own calendar is needed, and day and month can not be mixed up.

use super::search::described_by;
use super::value_of;
use consent::Date;
use yew::prelude::*;

/// What stands in a date field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Entered {
    /// Nothing at all.
    #[default]
    Nothing,
    /// Half a date, a day that does not exist, or one that is too early or too late.
    Wrong,
    /// A day.
    Day(Date),
}

/// Properties of a date field.
#[derive(Properties, PartialEq)]
pub struct DateFieldProps {
    /// Its id in the page.
    pub id: AttrValue,
    /// Its legend, which is the group's accessible name.
    pub label: AttrValue,
    /// Help under the legend.
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    /// What is wrong, where the page knows more than the field.
    #[prop_or_default]
    pub error: Option<AttrValue>,
    /// The day that is chosen. A day that changes from outside is shown.
    pub value: Option<Date>,
    /// The first day that can be chosen.
    #[prop_or_default]
    pub min: Option<Date>,
    /// The last day that can be chosen.
    #[prop_or_default]
    pub max: Option<Date>,
    /// Days that a person can choose with one press, each with its words.
    #[prop_or_default]
    pub quick: Vec<(AttrValue, Date)>,
    /// Takes what stands in the field now.
    pub on_change: Callback<Entered>,
}

/// Day, month and year as they were typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Parts {
    day: String,
    month: String,
    year: String,
}

impl Parts {
    fn of(date: Date) -> Self {
        let (year, month, day) = date.ymd();
        Self { day: day.to_string(), month: month.to_string(), year: year.to_string() }
    }

    fn date(&self) -> Option<Date> {
        let number = |text: &str| text.trim().parse::<u32>().ok();
        let (day, month, year) = (number(&self.day)?, number(&self.month)?, number(&self.year)?);
        format!("{year:04}-{month:02}-{day:02}").parse().ok()
    }

    fn is_empty(&self) -> bool {
        [&self.day, &self.month, &self.year].iter().all(|part| part.trim().is_empty())
    }

    /// Whether the person is done typing: nobody is told of a mistake in the middle of a year.
    fn is_whole(&self) -> bool {
        !self.day.trim().is_empty() && !self.month.is_empty() && self.year.trim().len() >= 4
    }

    fn read(&self, min: Option<Date>, max: Option<Date>) -> Result<Entered, String> {
        match self.date() {
            None if self.is_empty() => Ok(Entered::Nothing),
            None => Err(t!("date-wrong")),
            Some(day) => {
                let late = max.filter(|max| day > *max).map(|max| ("date-late", max));
                match min.filter(|min| day < *min).map(|min| ("date-early", min)).or(late) {
                    Some((id, limit)) => Err(t!(id, date = crate::i18n::date(limit))),
                    None => Ok(Entered::Day(day)),
                }
            }
        }
    }
}

/// A day, month and year to fill in, and buttons for the days that are asked for most.
#[component]
pub fn DateField(props: &DateFieldProps) -> Html {
    let id = &props.id;
    let parts = use_state(|| props.value.map(Parts::of).unwrap_or_default());
    let month = use_node_ref();
    {
        let parts = parts.clone();
        use_effect_with(props.value, move |value| {
            if let Some(value) = value.filter(|value| parts.date() != Some(*value)) {
                parts.set(Parts::of(value));
            }
        });
    }
    {
        // A choice that a person made once no longer follows the markup.
        let month = month.clone();
        use_effect_with(parts.month.clone(), move |value| {
            if let Some(select) = month.cast::<web_sys::HtmlSelectElement>() {
                select.set_value(value);
            }
        });
    }
    let (min, max) = (props.min, props.max);
    let take = {
        let (parts, on_change) = (parts.setter(), props.on_change.clone());
        move |next: Parts| {
            on_change.emit(next.read(min, max).unwrap_or(Entered::Wrong));
            parts.set(next);
        }
    };
    let typed = |edit: fn(&mut Parts, String)| {
        let (now, take) = ((*parts).clone(), take.clone());
        move |text: String| {
            let mut next = now.clone();
            edit(&mut next, text);
            take(next);
        }
    };
    let input = |edit: fn(&mut Parts, String)| {
        let typed = typed(edit);
        Callback::from(move |event: InputEvent| typed(value_of(&event)))
    };
    let onchange = {
        let typed = typed(|parts, text| parts.month = text);
        Callback::from(move |event: Event| typed(value_of(&event)))
    };
    let own = if parts.is_whole() { parts.read(min, max).err().map(AttrValue::from) } else { None };
    let error = own.or_else(|| props.error.clone());
    let invalid = error.is_some().then_some("true");
    let described = described_by(id, error.is_some(), props.hint.is_some());
    let quick = |(text, day): &(AttrValue, Date)| {
        let (take, day) = (take.clone(), *day);
        let onclick = Callback::from(move |_: MouseEvent| take(Parts::of(day)));
        html! {
            <button type="button" class="pick" {onclick}
                aria-pressed={if parts.date() == Some(day) { "true" } else { "false" }}>{ text }</button>
        }
    };
    let part = |name: &str, label: String, value: &str, longest: &'static str, oninput: Callback<InputEvent>| {
        let id = format!("{id}-{name}");
        html! {
            <div class={classes!("date-part", name.to_owned())}>
                <label for={id.clone()}>{ label }</label>
                <input {id} type="text" inputmode="numeric" maxlength={longest} value={value.to_owned()} {oninput}
                    autocomplete="off" aria-invalid={invalid} />
            </div>
        }
    };
    html! {
        <fieldset class="date-field" id={id.clone()}
            aria-describedby={described}>
            <legend>{ &props.label }</legend>
            if let Some(hint) = &props.hint {
                <p class="soft small" id={format!("{id}-hint")}>{ hint }</p>
            }
            if let Some(error) = &error {
                <p class="error" id={format!("{id}-error")} role="alert">{ error }</p>
            }
            if !props.quick.is_empty() {
                <div class="picks">{ for props.quick.iter().map(quick) }</div>
            }
            <div class="date-parts">
                { part("day", t!("date-day"), &parts.day, "2", input(|parts, text| parts.day = text)) }
                <div class="date-part month">
                    <label for={format!("{id}-month")}>{ t!("date-month") }</label>
                    <select id={format!("{id}-month")} ref={month} {onchange} aria-invalid={invalid}>
                        <option value=""></option>
                        { for (1..=12).map(|number| html! {
                            <option value={number.to_string()}>{ t!("month", month = number) }</option>
                        }) }
                    </select>
                </div>
                { part("year", t!("date-year"), &parts.year, "4", input(|parts, text| parts.year = text)) }
            </div>
        </fieldset>
    }
}
