//! From a document to statements, as JSON-LD would make them.

use super::super::{
    CONTEXT_CONSENT, CONTEXT_V2, PROOF_TYPE, TYPE_CONSENT, TYPE_CREDENTIAL, TYPE_ENROLMENT, TYPE_PRESENTATION,
};
use super::quads::{Blank, Part, Quads};
use super::table::{Kind, Scope, Table, Term};
use super::text::{is_address, quote};
use serde_json::{Map, Value};

const RDF_TYPE: &str = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>";
const XSD_INTEGER: &str = "^^<http://www.w3.org/2001/XMLSchema#integer>";
const TRUE: &str = "\"true\"^^<http://www.w3.org/2001/XMLSchema#boolean>";
const FALSE: &str = "\"false\"^^<http://www.w3.org/2001/XMLSchema#boolean>";
/// Objects inside of each other: a consent has five.
const DEEPEST: usize = 8;

/// The statements of a credential without its proof.
pub(super) fn credential<'t>(table: &'t Table, document: &Map<String, Value>) -> Option<Quads<'t>> {
    let mut walk = Walk { table, quads: Quads::default() };
    walk.credential(document, None)?;
    Some(walk.quads)
}

/// The statements of a presentation without its proof, but with those of the credentials inside.
pub(super) fn presentation<'t>(table: &'t Table, document: &Map<String, Value>) -> Option<Quads<'t>> {
    let mut walk = Walk { table, quads: Quads::default() };
    is_list(document.get("@context"), &[CONTEXT_V2]).then_some(())?;
    is_list(document.get("type"), &[TYPE_PRESENTATION]).then_some(())?;
    let node = Part::Blank(walk.quads.blank()?);
    walk.kind(node, TYPE_PRESENTATION, None)?;
    for (name, value) in document {
        match (name.as_str(), value) {
            ("@context" | "type" | "proof", _) => {}
            ("holder", Value::String(_)) => walk.single(node, &table.presentation, "holder", value, None)?,
            ("verifiableCredential", Value::Array(items)) => {
                for item in items {
                    let graph = walk.graph(node, &table.presentation, name, None)?;
                    walk.credential(item.as_object()?, Some(graph))?;
                }
            }
            _ => return None,
        }
    }
    Some(walk.quads)
}

/// The statements of a proof's options.
pub(super) fn options<'t>(table: &'t Table, proof: &Map<String, Value>) -> Option<Quads<'t>> {
    // Without these the library takes it for no proof.
    ["type", "cryptosuite", "verificationMethod", "proofPurpose"]
        .iter()
        .all(|name| proof.contains_key(*name))
        .then_some(())?;
    let mut walk = Walk { table, quads: Quads::default() };
    walk.proof(proof, false, None)?;
    Some(walk.quads)
}

struct Walk<'t> {
    table: &'t Table,
    quads: Quads<'t>,
}

impl<'t> Walk<'t> {
    /// A credential; with its proof where it stands in a presentation, which is in a `graph`.
    fn credential(&mut self, document: &Map<String, Value>, graph: Option<Blank>) -> Option<()> {
        is_list(document.get("@context"), &[CONTEXT_V2, CONTEXT_CONSENT]).then_some(())?;
        let node = self.address(document.get("id")?)?;
        let kind = [TYPE_ENROLMENT, TYPE_CONSENT]
            .into_iter()
            .find(|kind| is_list(document.get("type"), &[TYPE_CREDENTIAL, kind]))?;
        self.kind(node, TYPE_CREDENTIAL, graph)?;
        self.kind(node, kind, graph)?;
        let scope = &self.table.credential;
        for (name, value) in document {
            match (name.as_str(), value) {
                ("@context" | "id" | "type", _) => {}
                ("issuer" | "validFrom" | "validUntil", Value::String(_)) => {
                    self.single(node, scope, name, value, graph)?;
                }
                ("credentialSubject", Value::Object(subject)) => {
                    let about = self.address(subject.get("id")?)?;
                    self.quads.push(node, &scope.term(name)?.iri, about, graph);
                    for (name, value) in subject.iter().filter(|(name, _)| *name != "id") {
                        self.member(about, &self.table.subject, name, value, graph, DEEPEST)?;
                    }
                }
                // The own proof of a document is not among what it signs.
                ("proof", _) if graph.is_none() => {}
                ("proof", Value::Object(proof)) => {
                    let inner = self.graph(node, scope, name, graph)?;
                    self.proof(proof, true, Some(inner))?;
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// A proof: whole, or the options only.
    fn proof(&mut self, proof: &Map<String, Value>, is_whole: bool, graph: Option<Blank>) -> Option<()> {
        let node = Part::Blank(self.quads.blank()?);
        (proof.get("type")?.as_str()? == PROOF_TYPE).then_some(())?;
        self.kind(node, PROOF_TYPE, graph)?;
        for (name, value) in proof {
            value.is_string().then_some(())?;
            match name.as_str() {
                "type" => {}
                "proofValue" if !is_whole => {}
                "created" | "expires" | "cryptosuite" | "verificationMethod" | "proofPurpose" | "domain"
                | "challenge" | "nonce" | "proofValue" => {
                    self.single(node, &self.table.proof, name, value, graph)?;
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// A new graph, and the statement that a node has it.
    fn graph(&mut self, node: Part<'t>, scope: &'t Scope, name: &str, graph: Option<Blank>) -> Option<Blank> {
        let term = scope.term(name).filter(|term| term.kind == Kind::Graph)?;
        let inner = self.quads.blank()?;
        self.quads.push(node, &term.iri, Part::Blank(inner), graph);
        Some(inner)
    }

    fn kind(&mut self, node: Part<'t>, kind: &str, graph: Option<Blank>) -> Option<()> {
        self.quads.push(node, RDF_TYPE, Part::Fixed(self.table.type_iri(kind)?), graph);
        Some(())
    }

    /// A member whose value is a text.
    fn single(
        &mut self,
        node: Part<'t>,
        scope: &'t Scope,
        name: &str,
        value: &Value,
        graph: Option<Blank>,
    ) -> Option<()> {
        self.member(node, scope, name, value, graph, 0)
    }

    /// A member of a node. `depth` says how many more objects may stand inside of each other.
    fn member(
        &mut self,
        node: Part<'t>,
        scope: &'t Scope,
        name: &str,
        value: &Value,
        graph: Option<Blank>,
        depth: usize,
    ) -> Option<()> {
        let term = scope.term(name)?;
        match value {
            Value::Array(items) if term.is_set => {
                items.iter().try_for_each(|item| self.value(node, scope, term, item, graph, depth))
            }
            _ if term.is_set => None,
            _ => self.value(node, scope, term, value, graph, depth),
        }
    }

    fn value(
        &mut self,
        node: Part<'t>,
        scope: &'t Scope,
        term: &'t Term,
        value: &Value,
        graph: Option<Blank>,
        depth: usize,
    ) -> Option<()> {
        // What names inside of this member mean.
        let inner = term.scope.as_ref().unwrap_or(scope);
        let object = match (&term.kind, value) {
            (Kind::Text, Value::String(text)) => self.quads.made(|out| quote(text, out))?,
            (Kind::Typed(datatype), Value::String(text)) => self.quads.made(|out| {
                let is_quoted = quote(text, out);
                out.push_str(datatype);
                is_quoted
            })?,
            (Kind::Integer, Value::Number(number)) => {
                // Larger ones are written in other ways by some.
                let number = number.as_u64().and_then(|number| u32::try_from(number).ok())?;
                self.quads.made(|out| {
                    out.push_str(&format!("\"{number}\"{XSD_INTEGER}"));
                    true
                })?
            }
            (Kind::Boolean, Value::Bool(yes)) => Part::Fixed(if *yes { TRUE } else { FALSE }),
            (Kind::Word, Value::String(word)) => Part::Fixed(&inner.term(word)?.iri),
            (Kind::Node, Value::String(_)) => self.address(value)?,
            (Kind::Node, Value::Object(members)) => {
                // The names of a subject mean nothing certain inside of a member that has no context of its own.
                let is_clear = term.scope.is_some() || !std::ptr::eq(scope, &self.table.subject);
                let depth = depth.checked_sub(1).filter(|_| is_clear)?;
                let blank = Part::Blank(self.quads.blank()?);
                self.quads.push(node, &term.iri, blank, graph);
                let before = self.quads.len();
                for (name, value) in members {
                    self.member(blank, inner, name, value, graph, depth)?;
                }
                // About nodes without a statement the readers of JSON-LD differ.
                return (self.quads.len() > before).then_some(());
            }
            _ => return None,
        };
        self.quads.push(node, &term.iri, object, graph);
        Some(())
    }

    fn address(&mut self, value: &Value) -> Option<Part<'t>> {
        let text = value.as_str().filter(|text| is_address(text))?;
        self.quads.made(|out| {
            out.push('<');
            out.push_str(text);
            out.push('>');
            true
        })
    }
}

/// Whether a value is this list of texts.
fn is_list(value: Option<&Value>, expected: &[&str]) -> bool {
    let Some(Value::Array(items)) = value else { return false };
    items.len() == expected.len() && items.iter().zip(expected).all(|(item, expected)| item.as_str() == Some(*expected))
}
