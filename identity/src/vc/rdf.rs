//! Statements: what an expanded document says, as quads. What can not be said in them is refused and never left out.

use crate::to_canonical;
use json_ld::object::value::Literal;
use json_ld::{BlankIdBuf, ExpandedDocument, Id, Indexed, IriBuf, Node, Object, ValidId, Value};
use json_syntax::Print;
use std::collections::HashMap;

/// How many statements a document may make, and how many things without a name it may speak of.
const MAX_QUADS: usize = 20_000;
const MAX_BLANKS: usize = 4_000;
/// How many bytes the statements may have together: each repeats the names that it is about.
const MAX_TEXT: usize = 16 << 20;

pub(super) const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Term {
    Iri(String),
    Blank(u32),
    /// The text and what follows it: nothing, `@` and a language, or `^^` and a data type.
    Literal(String, String),
}

impl Term {
    /// About how many bytes it takes.
    fn len(&self) -> usize {
        match self {
            Self::Iri(iri) => iri.len(),
            Self::Blank(_) => 8,
            Self::Literal(text, rest) => text.len() + rest.len(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Quad {
    pub(super) subject: Term,
    pub(super) predicate: String,
    pub(super) object: Term,
    /// The default graph has no name.
    pub(super) graph: Option<Term>,
}

impl Quad {
    pub(super) fn blanks(&self) -> impl Iterator<Item = u32> {
        [Some(&self.subject), Some(&self.object), self.graph.as_ref()].into_iter().flatten().filter_map(|term| {
            match term {
                Term::Blank(blank) => Some(*blank),
                _ => None,
            }
        })
    }

    /// The canonical N-Quads line.
    pub(super) fn line(&self, label: &impl Fn(u32) -> String) -> String {
        let mut line = String::with_capacity(160);
        write(&mut line, &self.subject, label);
        line.push_str(" <");
        line.push_str(&self.predicate);
        line.push_str("> ");
        write(&mut line, &self.object, label);
        if let Some(graph) = &self.graph {
            line.push(' ');
            write(&mut line, graph, label);
        }
        line.push_str(" .\n");
        line
    }
}

fn write(line: &mut String, term: &Term, label: &impl Fn(u32) -> String) {
    match term {
        Term::Iri(iri) => {
            line.push('<');
            line.push_str(iri);
            line.push('>');
        }
        Term::Blank(blank) => line.push_str(&label(*blank)),
        Term::Literal(text, rest) => {
            line.push('"');
            for c in text.chars() {
                match c {
                    '"' => line.push_str("\\\""),
                    '\\' => line.push_str("\\\\"),
                    '\n' => line.push_str("\\n"),
                    '\r' => line.push_str("\\r"),
                    '\t' => line.push_str("\\t"),
                    '\u{8}' => line.push_str("\\b"),
                    '\u{c}' => line.push_str("\\f"),
                    c if c < ' ' || c == '\u{7f}' => line.push_str(&format!("\\u{:04X}", u32::from(c))),
                    c => line.push(c),
                }
            }
            line.push('"');
            line.push_str(rest);
        }
    }
}

/// A set of statements. Blank nodes are numbered from 0.
#[derive(Debug, Default)]
pub(super) struct Statements {
    pub(super) quads: Vec<Quad>,
    pub(super) blanks: usize,
    /// What the document is about, if that is one thing.
    pub(super) root: Option<Term>,
    text: usize,
    labels: HashMap<String, u32>,
}

type Expanded = Indexed<Object<IriBuf, BlankIdBuf>>;

impl Statements {
    pub(super) fn of(document: &ExpandedDocument<IriBuf, BlankIdBuf>) -> Result<Self, String> {
        let mut all = Self::default();
        let mut roots = Vec::new();
        for object in document.objects() {
            roots.push(all.object(object, &None)?);
        }
        all.root = roots.pop().filter(|_| roots.is_empty());
        if all.quads.is_empty() { Err("the document says nothing".to_owned()) } else { Ok(all) }
    }

    fn blank(&mut self) -> Result<Term, String> {
        if self.blanks >= MAX_BLANKS {
            return Err(format!("more than {MAX_BLANKS} things without a name"));
        }
        self.blanks += 1;
        Ok(Term::Blank(self.blanks as u32 - 1))
    }

    fn id(&mut self, id: &Id<IriBuf, BlankIdBuf>) -> Result<Term, String> {
        match id {
            Id::Valid(ValidId::Iri(iri)) => Ok(Term::Iri(iri.as_str().to_owned())),
            Id::Valid(ValidId::Blank(label)) => {
                if let Some(blank) = self.labels.get(label.as_str()) {
                    return Ok(Term::Blank(*blank));
                }
                let term = self.blank()?;
                if let Term::Blank(blank) = term {
                    self.labels.insert(label.as_str().to_owned(), blank);
                }
                Ok(term)
            }
            Id::Invalid(_) => Err("an identifier or a type is not an absolute IRI".to_owned()),
        }
    }

    fn say(&mut self, subject: &Term, predicate: &str, object: Term, graph: &Option<Term>) -> Result<(), String> {
        if self.quads.len() >= MAX_QUADS {
            return Err(format!("more than {MAX_QUADS} statements"));
        }
        self.text += subject.len() + predicate.len() + object.len() + graph.as_ref().map_or(0, Term::len);
        if self.text > MAX_TEXT {
            return Err(format!("statements of more than {MAX_TEXT} bytes"));
        }
        let (subject, predicate, graph) = (subject.clone(), predicate.to_owned(), graph.clone());
        self.quads.push(Quad { subject, predicate, object, graph });
        Ok(())
    }

    fn object(&mut self, object: &Expanded, graph: &Option<Term>) -> Result<Term, String> {
        match object.inner() {
            Object::Value(value) => literal(value),
            Object::Node(node) => self.node(node, graph),
            Object::List(list) => {
                let items = list.iter().map(|item| self.object(item, graph)).collect::<Result<Vec<_>, _>>()?;
                let mut rest = Term::Iri(format!("{RDF}nil"));
                for item in items.into_iter().rev() {
                    let head = self.blank()?;
                    self.say(&head, &format!("{RDF}first"), item, graph)?;
                    self.say(&head, &format!("{RDF}rest"), rest, graph)?;
                    rest = head;
                }
                Ok(rest)
            }
        }
    }

    fn node(&mut self, node: &Node<IriBuf, BlankIdBuf>, graph: &Option<Term>) -> Result<Term, String> {
        let subject = match &node.id {
            Some(id) => self.id(id)?,
            None => self.blank()?,
        };
        for kind in node.types.iter().flatten() {
            let kind = self.id(kind)?;
            self.say(&subject, &format!("{RDF}type"), kind, graph)?;
        }
        for (property, objects) in &node.properties {
            let property = predicate(property)?;
            for object in objects {
                let object = self.object(object, graph)?;
                self.say(&subject, &property, object, graph)?;
            }
        }
        for (property, nodes) in node.reverse_properties.iter().flat_map(|reverse| reverse.iter()) {
            let property = predicate(property)?;
            for other in nodes {
                let other = self.node(other.inner(), graph)?;
                self.say(&other, &property, subject.clone(), graph)?;
            }
        }
        for other in node.included.iter().flatten() {
            self.node(other.inner(), graph)?;
        }
        for object in node.graph.iter().flatten() {
            self.object(object, &Some(subject.clone()))?;
        }
        Ok(subject)
    }
}

fn predicate(property: &Id<IriBuf, BlankIdBuf>) -> Result<String, String> {
    match property {
        Id::Valid(ValidId::Iri(iri)) => Ok(iri.as_str().to_owned()),
        _ => Err("a property is not an absolute IRI".to_owned()),
    }
}

fn literal(value: &Value<IriBuf>) -> Result<Term, String> {
    let typed = |text: String, datatype: &str| {
        let rest = if datatype == format!("{XSD}string") { String::new() } else { format!("^^<{datatype}>") };
        Term::Literal(text, rest)
    };
    Ok(match value {
        Value::Literal(literal, datatype) => {
            let datatype = datatype.as_ref().map(|iri| iri.as_str());
            match literal {
                Literal::Null => return Err("a value is null".to_owned()),
                Literal::Boolean(value) => typed(value.to_string(), datatype.unwrap_or(&format!("{XSD}boolean"))),
                Literal::String(text) => typed(text.to_string(), datatype.unwrap_or(&format!("{XSD}string"))),
                Literal::Number(number) => {
                    let double: f64 = number.as_str().parse().map_err(|_| "a number can not be read".to_owned())?;
                    let as_double = double.fract() != 0.0 || datatype == Some(&format!("{XSD}double"));
                    let (text, natural) =
                        if as_double { (double_text(double), "double") } else { (format!("{double:.0}"), "integer") };
                    typed(text, datatype.unwrap_or(&format!("{XSD}{natural}")))
                }
            }
        }
        Value::LangString(text) => {
            // Others write the language in lower case, and so must who wants the same bytes.
            let language = match text.language() {
                Some(tag) if tag.as_well_formed().is_some() => Some(tag.as_str().to_ascii_lowercase()),
                Some(_) => return Err("a language is not a language tag".to_owned()),
                None => None,
            };
            let rest = match (language, text.direction()) {
                (Some(language), None) => format!("@{language}"),
                (language, Some(direction)) => {
                    let language = language.unwrap_or_default();
                    format!("^^<https://www.w3.org/ns/i18n#{language}_{}>", direction.as_str())
                }
                (None, None) => String::new(),
            };
            Term::Literal(text.as_str().to_owned(), rest)
        }
        Value::Json(json) => {
            let json: serde_json::Value =
                serde_json::from_str(&json.compact_print().to_string()).map_err(|error| error.to_string())?;
            let text = to_canonical(&json).map_err(|error| error.to_string())?;
            typed(String::from_utf8(text).map_err(|error| error.to_string())?, &format!("{RDF}JSON"))
        }
    })
}

/// The canonical text of an `xsd:double`: one digit, a point, at least one digit, `E` and the exponent.
fn double_text(double: f64) -> String {
    let text = format!("{double:.15e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.trim_end_matches('0');
    let zero = if digits.ends_with('.') { "0" } else { "" };
    format!("{digits}{zero}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_others_write_them() {
        for (double, text) in [(7.8, "7.8E0"), (5.0, "5.0E0"), (0.001, "1.0E-3"), (-1234.5, "-1.2345E3")] {
            assert_eq!(double_text(double), text);
        }
    }

    #[test]
    fn what_a_line_can_not_hold_is_escaped() {
        let object = Term::Literal("a\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}ä".to_owned(), String::new());
        let quad = Quad { subject: Term::Blank(0), predicate: "urn:p".to_owned(), object, graph: None };
        let line = quad.line(&|_| "_:x".to_owned());
        assert_eq!(line, "_:x <urn:p> \"a\\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u007Fä\" .\n");
    }
}
