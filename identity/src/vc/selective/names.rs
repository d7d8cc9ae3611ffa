//! Names for the things of a document that have none, so that a part of it speaks of the same things as the whole
//! (vc-di-ecdsa, section 3.4: `skolemizeCompactJsonLd`).
//!
//! The specification expands the document, adds the names and compacts it again. Here they are put into the document as
//! it is, so that pointers mean the places that their author saw. That they change nothing else is checked.

use crate::vc::jsonld::statements;
use crate::vc::rdf::{Quad, Term};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// How the names begin; the rest is a number.
const PREFIX: &str = "urn:bnid:";

/// Members of objects that are no things without a name: they have one, or are values, lists and sets.
const NOT_NAMELESS: [&str; 5] = ["id", "@id", "@value", "@list", "@set"];

/// A document in which everything has a name, and how many names were given out.
pub(super) struct Named {
    pub(super) document: Map<String, Value>,
    pub(super) names: usize,
}

impl Named {
    pub(super) fn of(document: &Map<String, Value>) -> Result<Self, String> {
        if Value::Object(document.clone()).to_string().contains(PREFIX) {
            return Err(format!("the document has names of its own that begin with {PREFIX}"));
        }
        let mut named = Self { document: Map::new(), names: 0 };
        named.document = named.members(document, true);
        // Inside a JSON literal nothing is a thing, which shows once the statements are there.
        let mut used = BTreeSet::new();
        for quad in statements(&Value::Object(named.document.clone()))?.quads {
            used.extend([&quad.subject, &quad.object].into_iter().chain(quad.graph.as_ref()).filter_map(number));
        }
        unname(&mut named.document, &used);
        Ok(named)
    }

    fn members(&mut self, members: &Map<String, Value>, thing: bool) -> Map<String, Value> {
        let mut named = Map::new();
        if thing && !members.keys().any(|name| NOT_NAMELESS.contains(&name.as_str())) {
            named.insert("@id".to_owned(), json!(format!("{PREFIX}{}", self.names)));
            self.names += 1;
        }
        for (name, value) in members {
            let value = match (name.as_str(), value) {
                ("@context" | "@value", value) => value.clone(),
                ("@reverse", Value::Object(members)) => Value::Object(self.members(members, false)),
                (_, value) => self.value(value),
            };
            named.insert(name.clone(), value);
        }
        named
    }

    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => Value::Object(self.members(members, true)),
            other => other.clone(),
        }
    }
}

/// Takes away the names that no statement uses.
fn unname(members: &mut Map<String, Value>, used: &BTreeSet<u32>) {
    let own = members.get("@id").and_then(Value::as_str).and_then(parse);
    if own.is_some_and(|own| !used.contains(&own)) {
        members.remove("@id");
    }
    let mut open: Vec<&mut Value> = members.values_mut().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => unname(members, used),
            _ => {}
        }
    }
}

fn parse(iri: &str) -> Option<u32> {
    iri.strip_prefix(PREFIX)?.parse().ok()
}

fn number(term: &Term) -> Option<u32> {
    match term {
        Term::Iri(iri) => parse(iri),
        _ => None,
    }
}

/// The statements of a document with names, which become numbers of blank nodes again.
pub(super) fn nameless(document: &Map<String, Value>) -> Result<Vec<Quad>, String> {
    let open = |term: Term| match number(&term) {
        Some(number) => Ok(Term::Blank(number)),
        None if matches!(term, Term::Blank(_)) => {
            Err("a list, or a name that only this document knows, can not be disclosed in parts".to_owned())
        }
        None => Ok(term),
    };
    let quads = statements(&Value::Object(document.clone()))?.quads.into_iter();
    let opened = quads.map(|quad| {
        let graph = quad.graph.map(open).transpose()?;
        Ok(Quad { subject: open(quad.subject)?, predicate: quad.predicate, object: open(quad.object)?, graph })
    });
    opened.collect()
}
