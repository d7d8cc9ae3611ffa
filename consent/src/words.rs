//! Messages as sentences: ids and gaps in, words out. No sentence is put together anywhere else.
//!
//! The words stand in `words/`, one Fluent file a language. The interface adds the same files to its own, so that what
//! is seen, what is signed and what is printed are the same words.

use crate::sentence::{Message, disease_name};
use crate::{Date, Place};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::sync::OnceLock;
use unic_langid::LanguageIdentifier;

/// The words in English, as a Fluent file.
pub const ENGLISH: &str = include_str!("../words/en.ftl");

/// Each language (BCP 47) with its file. The first is the one to fall back to.
const FILES: &[(&str, &str)] = &[("en", ENGLISH)];

type Bundle = FluentBundle<FluentResource>;

/// The languages that there are words in.
pub fn languages() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(language, _)| *language)
}

/// The language that a person gets who asks for one: what is shown in English must not be filed as another language.
pub fn language(asked: &str) -> &'static str {
    FILES.get(place_of(asked).unwrap_or(0)).map_or("en", |(language, _)| language)
}

/// The sentence of a message in a language: in English where the language lacks it, and its id where that lacks it
/// too, so that a gap is seen.
pub fn sentence(language: &str, message: &Message) -> String {
    find(language, &message.id, Some(&gaps(language, message))).unwrap_or_else(|| message.id.clone())
}

/// What fills the gaps of a message: terms, days and questions in words, everything else as it is. A gap that is
/// filled with terms has a second one beside it, with `-code` behind its name, for the terms as they were (`none` for
/// an empty text): a sentence can choose by it.
pub fn gaps(language: &str, message: &Message) -> FluentArgs<'static> {
    let mut gaps = FluentArgs::new();
    for (name, value) in &message.args {
        let words = match name.as_str() {
            "places" | "diseases" | "policy" | "purpose" | "data" | "recipients" | "topics" | "answer" | "date" => {
                let code = if value.is_empty() { "none" } else { value };
                gaps.set(format!("{name}-code"), code.to_owned());
                FluentValue::from(terms(language, value))
            }
            "question" => FluentValue::from(question(language, value)),
            // A number, not its digits: "1 month", "2 months".
            "months" => value.parse::<u32>().map_or_else(|_| FluentValue::from(value.clone()), FluentValue::from),
            _ => FluentValue::from(value.clone()),
        };
        gaps.set(name.clone(), words);
    }
    gaps
}

/// Several codes as words, with "and" before the last.
///
/// Codes have commas between them. Names of diseases have a line each, as thousands of them hold a comma: a text that is
/// not made of codes alone is never cut at its commas.
pub fn terms(language: &str, codes: &str) -> String {
    let separator = if codes.split(", ").all(|code| is_code(language, code)) { ", " } else { "\n" };
    list(language, codes.split(separator).map(|code| term(language, code)).collect())
}

/// One code as it stands inside a sentence: a term, a place, a day or a disease. An unknown one stays as it is.
pub fn term(language: &str, code: &str) -> String {
    if let Ok(day) = code.parse() {
        return date(language, day);
    }
    find(language, &format!("term-{code}"), None).unwrap_or_else(|| disease_name(code))
}

/// "a, b and c".
pub fn list(language: &str, mut items: Vec<String>) -> String {
    match items.pop() {
        None => String::new(),
        Some(last) if items.is_empty() => last,
        Some(last) => {
            let mut args = FluentArgs::new();
            args.set("first", items.join(", "));
            args.set("last", last);
            find(language, "list-two", Some(&args)).unwrap_or_default()
        }
    }
}

/// "31 December 2028".
pub fn date(language: &str, date: Date) -> String {
    let (year, month, day) = date.ymd();
    let mut args = FluentArgs::new();
    args.set("month", month);
    let month = find(language, "month", Some(&args)).unwrap_or_default();
    args.set("month", month);
    args.set("day", day);
    args.set("year", year);
    find(language, "date", Some(&args)).unwrap_or_default()
}

/// A question inside a sentence is named by its message, `question-…`; any other text is the question itself.
fn question(language: &str, text: &str) -> String {
    let is_id = ["question-", "result-", "contact-"].iter().any(|start| text.starts_with(start));
    is_id.then(|| find(language, text, None)).flatten().unwrap_or_else(|| text.to_owned())
}

fn is_code(language: &str, text: &str) -> bool {
    // `MONDO:0005015`, `did:web:…`, `https://…`
    let identifier = text.contains(':') && !text.contains(' ');
    identifier || Place::read(text).is_some() || find(language, &format!("term-{text}"), None).is_some()
}

fn find(language: &str, id: &str, args: Option<&FluentArgs<'_>>) -> Option<String> {
    let bundles = bundles();
    let asked = place_of(language).and_then(|place| bundles.get(place));
    asked.into_iter().chain(bundles.first()).find_map(|bundle| {
        let pattern = bundle.get_message(id)?.value()?;
        Some(bundle.format_pattern(pattern, args, &mut Vec::new()).into_owned())
    })
}

/// The file of a language: the very one, or the one of the same language elsewhere (`en` for `en-GB`).
fn place_of(language: &str) -> Option<usize> {
    let main = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let exact = FILES.iter().position(|(other, _)| other.eq_ignore_ascii_case(language));
    exact.or_else(|| FILES.iter().position(|(other, _)| main(other) == main(language)))
}

fn bundles() -> &'static [Bundle] {
    static BUNDLES: OnceLock<Vec<Bundle>> = OnceLock::new();
    BUNDLES.get_or_init(|| FILES.iter().map(|(language, file)| bundle(language, file)).collect())
}

fn bundle(language: &str, file: &str) -> Bundle {
    let mut bundle = Bundle::new_concurrent(vec![language.parse::<LanguageIdentifier>().unwrap_or_default()]);
    // The marks that isolate arguments would show up in accessible names, and in what is signed.
    bundle.set_use_isolating(false);
    // A file with a broken message still gives its good ones; a test reads them all.
    let resource = FluentResource::try_new(file.to_owned()).unwrap_or_else(|(resource, _)| resource);
    bundle.add_resource_overriding(resource);
    bundle
}
