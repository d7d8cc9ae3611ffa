//! From a document to its statements: JSON-LD 1.1 by the library `json-ld`, with everything bounded and nothing
//! dropped in silence.

use super::contexts::{LOADER, bundled};
use super::rdf::Statements;
use json_ld::expansion::{Action, Options, Policy};
use json_ld::{Context, Expand};
use json_syntax::Parse;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::future::Future;
use std::pin::pin;
use std::task::{Context as Wait, Poll, Waker};

/// How many members and items a document may have: each costs time under each context.
const MAX_PARTS: usize = 20_000;
const MAX_OBJECTS: usize = 2_000;
/// How many types one thing may have: each can bring a context along.
const MAX_TYPES: usize = 32;
/// How many terms the contexts within a document may define.
const MAX_TERMS: usize = 500;
/// How often a document may name a context: each time it is worked through anew.
const MAX_CONTEXTS: usize = 400;
/// How often a term that holds at one place only may be defined again: at each member where it could hold.
const MAX_REDEFINED: usize = 2_000_000;

/// Room for the recursion of the library, on whatever thread it is asked.
const STACK: usize = 16 << 20;

/// What a document may use of JSON-LD. `@index` is missing: it is not part of what is signed.
const KEYWORDS: [&str; 13] = [
    "@context",
    "@id",
    "@type",
    "@value",
    "@language",
    "@direction",
    "@list",
    "@set",
    "@graph",
    "@included",
    "@reverse",
    "@nest",
    "@json",
];
/// What a context within a document may use beside them.
const CONTEXT_KEYWORDS: [&str; 8] =
    ["@base", "@vocab", "@version", "@protected", "@propagate", "@container", "@prefix", "@none"];

/// The statements of a document, or why they can not be told for sure.
pub(super) fn statements(document: &Value) -> Result<Statements, String> {
    Bounds::default().whole(document)?;
    let text = defined(document).to_string();
    let (document, _) = json_syntax::Value::parse_str(&text).map_err(|error| error.to_string())?;
    let policy = Policy { invalid: Action::Reject, vocab: Action::Keep, allow_undefined: false };
    let options = Options { policy, ..Options::default() };
    let vocabulary = json_ld::rdf_types::vocabulary::no_vocabulary_mut();
    let expanded = at_once(document.expand_full(vocabulary, Context::default(), None, &*LOADER, options, ()))
        .ok_or("a context would have to be fetched")?
        .map_err(|error| format!("the terms can not be told: {error}"))?;
    Statements::of(&expanded)
}

/// The document with definitions only. A context in it may be a whole context document, as it would stand at an address
/// of its own; the library knows those from addresses alone, so what is in it takes its place. One with anything beside
/// its definitions is left to the library, which refuses it: what stands there would vanish.
fn defined(document: &Value) -> Cow<'_, Value> {
    fn inner(context: &Value) -> Option<&Value> {
        let whole = context.as_object().filter(|members| members.len() == 1)?;
        whole.get("@context").filter(|inner| inner.is_object())
    }
    let contexts = document.get("@context").and_then(Value::as_array);
    let Some(contexts) = contexts.filter(|contexts| contexts.iter().any(|context| inner(context).is_some())) else {
        return Cow::Borrowed(document);
    };
    let contexts = contexts.iter().map(|context| inner(context).unwrap_or(context).clone()).collect();
    let mut document = document.clone();
    document["@context"] = Value::Array(contexts);
    Cow::Owned(document)
}

/// The result of work that waits for nobody, as the bundled contexts are there already.
fn at_once<T>(work: impl Future<Output = T>) -> Option<T> {
    match pin!(work).poll(&mut Wait::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

/// Does work on a stack of known size. A panic of the library is a refusal and no crash.
pub(crate) fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("credential".to_owned()).stack_size(STACK);
        thread.spawn_scoped(scope, work).ok()?.join().ok()
    })
}

#[derive(Default)]
struct Bounds {
    parts: usize,
    objects: usize,
    terms: usize,
    contexts: usize,
    /// Terms of contexts that hold at one place only.
    scoped: usize,
}

impl Bounds {
    fn whole(mut self, document: &Value) -> Result<(), String> {
        self.walk(document)?;
        if self.parts * self.scoped > MAX_REDEFINED {
            Err("terms would be defined too often".to_owned())
        } else {
            Ok(())
        }
    }

    fn count(&mut self, parts: usize) -> Result<(), String> {
        self.parts += parts;
        if self.parts > MAX_PARTS { Err("too many members and items".to_owned()) } else { Ok(()) }
    }

    fn walk(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Array(items) => {
                self.count(items.len())?;
                items.iter().try_for_each(|item| self.walk(item))
            }
            Value::Object(members) => {
                self.objects += 1;
                self.count(members.len())?;
                if self.objects > MAX_OBJECTS {
                    return Err("too many objects".to_owned());
                }
                members.iter().try_for_each(|(name, value)| self.member(name, value))
            }
            _ => Ok(()),
        }
    }

    fn member(&mut self, name: &str, value: &Value) -> Result<(), String> {
        if name == "@context" {
            return self.context(value, false);
        }
        if name.starts_with('@') && !KEYWORDS.contains(&name) {
            return Err("a member looks like a keyword and is none that is signed".to_owned());
        }
        let types = matches!(name, "type" | "@type");
        if types && value.as_array().is_some_and(|types| types.len() > MAX_TYPES) {
            return Err("too many types".to_owned());
        }
        self.walk(value)
    }

    /// A context, of the document or (`scoped`) of a term. The second kind is worked through at each use of the term, so
    /// it can not bring a whole other one along.
    fn context(&mut self, context: &Value, scoped: bool) -> Result<(), String> {
        match context {
            Value::String(_) if scoped => Err("a context of a term names another context".to_owned()),
            Value::String(url) if bundled(url).is_some() => {
                self.contexts += 1;
                if self.contexts > MAX_CONTEXTS { Err("too many contexts".to_owned()) } else { self.count(1) }
            }
            Value::String(_) => Err("a context that is not known".to_owned()),
            Value::Array(items) => {
                if items.len() > MAX_TYPES {
                    return Err("too many contexts".to_owned());
                }
                items.iter().try_for_each(|item| self.context(item, scoped))
            }
            Value::Object(terms) => self.terms(terms, scoped),
            _ => Err("a context is neither an address nor an object".to_owned()),
        }
    }

    /// A context within a document. A term without a meaning would vanish from what is signed.
    fn terms(&mut self, terms: &Map<String, Value>, scoped: bool) -> Result<(), String> {
        self.terms += terms.len();
        self.scoped += if scoped { terms.len() } else { 0 };
        if self.terms > MAX_TERMS {
            return Err("too many terms are defined".to_owned());
        }
        let known = |text: &str| !text.starts_with('@') || KEYWORDS.contains(&text) || CONTEXT_KEYWORDS.contains(&text);
        for (name, value) in terms {
            if !known(name) {
                return Err("a context uses a keyword that is not known".to_owned());
            }
            let fine = match value {
                Value::Null => false,
                Value::String(text) => known(text),
                Value::Array(items) if name == "@container" => {
                    items.iter().all(|item| item.as_str().is_some_and(|text| text != "@index" && known(text)))
                }
                Value::Array(_) | Value::Object(_) if name == "@context" => {
                    self.context(value, true)?;
                    true
                }
                Value::Array(_) => false,
                Value::Object(inner) => {
                    self.terms(inner, scoped)?;
                    true
                }
                Value::Bool(_) | Value::Number(_) => true,
            };
            if !fine {
                return Err("a context takes a meaning away, or gives one that is not signed".to_owned());
            }
        }
        Ok(())
    }
}
