//! Words: message ids and arguments in, sentences out. No sentence is put together anywhere else.

use bridge::Failure;
use consent::{DataKind, Date, Message, Timestamp, Vocabulary, words};
use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use unic_langid::LanguageIdentifier;
use wasm_bindgen::JsValue;

/// The one language that there is.
const LANGUAGE: &str = "en";

/// All files of it; the words of consent are those that the core signs and prints.
const ENGLISH: &[&str] = &[
    include_str!("../locales/en/common.ftl"),
    include_str!("../locales/en/participant.ftl"),
    include_str!("../locales/en/choices.ftl"),
    include_str!("../locales/en/staff.ftl"),
    include_str!("../locales/en/researcher.ftl"),
    words::ENGLISH,
    include_str!("../locales/en/failures.ftl"),
];

thread_local! {
    static BUNDLE: FluentBundle<FluentResource> = bundle();
}

fn bundle() -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new(vec![LANGUAGE.parse::<LanguageIdentifier>().unwrap_or_default()]);
    // The marks that isolate arguments would show up in accessible names.
    bundle.set_use_isolating(false);
    for source in ENGLISH {
        // A file with a broken message still gives its good ones; a test reads them all.
        let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

/// `t!("home-title")` or `t!("request-count", position = 1, of = 2)`.
macro_rules! t {
    ($id:expr) => { $crate::i18n::text(&$id, None) };
    ($id:expr, $($name:ident = $value:expr),+ $(,)?) => {{
        let mut args = fluent_bundle::FluentArgs::new();
        $(args.set(stringify!($name), $value);)+
        $crate::i18n::text(&$id, Some(&args))
    }};
}

/// The sentence of a message; its id where the locale lacks it, so that a gap is seen.
pub fn text(id: &str, args: Option<&FluentArgs>) -> String {
    find(id, args).unwrap_or_else(|| id.to_owned())
}

fn find(id: &str, args: Option<&FluentArgs>) -> Option<String> {
    BUNDLE.with(|bundle| {
        let pattern = bundle.get_message(id)?.value()?;
        Some(bundle.format_pattern(pattern, args, &mut Vec::new()).into_owned())
    })
}

/// A message of the core, its terms in words.
pub fn message(message: &Message) -> String {
    text(&message.id, Some(&words::gaps(LANGUAGE, message)))
}

/// What happened, and what the person can do.
pub fn failure(failure: &Failure) -> (String, String) {
    let mut args = FluentArgs::new();
    args.set("check", "none");
    for (name, value) in &failure.args {
        let value = match name.as_str() {
            "check" => find(&format!("check-{value}"), None).unwrap_or_else(|| value.clone()),
            _ => value.clone(),
        };
        args.set(name.clone(), value);
    }
    let name = failure.code.name();
    (text(&format!("err-{name}"), Some(&args)), text(&format!("rec-{name}"), Some(&args)))
}

/// Codes with commas between them, as words with "and" before the last.
pub fn terms(codes: &str) -> String {
    words::terms(LANGUAGE, codes)
}

/// One code as it stands inside a sentence; an unknown one stays as it is.
pub fn term(code: &str) -> String {
    words::term(LANGUAGE, code)
}

/// "a, b and c".
pub fn list(items: Vec<String>) -> String {
    words::list(LANGUAGE, items)
}

/// Kinds of data as one list: "DNA data and health record".
pub fn data_list(kinds: &[DataKind]) -> String {
    sentence_case(list(kinds.iter().map(|kind| term(kind.code())).collect()))
}

/// The first letter large, as at the start of a line.
pub fn sentence_case(text: String) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// "1,204".
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The number of an entry as people count, from 1; the record itself counts from 0.
pub fn entry_number(index: u64) -> String {
    number(index.saturating_add(1))
}

/// "31 December 2028".
pub fn date(date: Date) -> String {
    words::date(LANGUAGE, date)
}

/// The day of a moment where the person is.
pub fn day(at: Timestamp) -> String {
    let local = local(at);
    let month = t!("month", month = local.get_month() + 1);
    t!("date", day = local.get_date(), month = month, year = local.get_full_year())
}

/// "14:02" where the person is.
pub fn time(at: Timestamp) -> String {
    let local = local(at);
    format!("{:02}:{:02}", local.get_hours(), local.get_minutes())
}

/// "14:02:31" where the person is.
pub fn time_with_seconds(at: Timestamp) -> String {
    format!("{}:{:02}", time(at), local(at).get_seconds())
}

/// "today, 14:02", "yesterday, 14:02" or "3 May 2026, 14:02".
pub fn when(at: Timestamp) -> String {
    let (day_of, today) = (day(at), day(now()));
    let time = time(at);
    if day_of == today {
        t!("when-today", time = time)
    } else if day_of == day(now().plus_seconds(-86_400)) {
        t!("when-yesterday", time = time)
    } else {
        t!("when-day", date = day_of, time = time)
    }
}

/// The moment on this computer's clock. Only for what is shown; nothing is decided by it.
pub fn now() -> Timestamp {
    Timestamp::from_unix((js_sys::Date::now() / 1000.0) as i64)
}

fn local(at: Timestamp) -> js_sys::Date {
    js_sys::Date::new(&JsValue::from_f64(at.unix() as f64 * 1000.0))
}
