//! The table: what each member of our credentials is called in the graph, and what its values may be.
//!
//! It is read from the bundled texts of the two contexts at first use, so that it says what they say. The reader knows
//! only those forms of a context that ours have; whatever else is in one makes the table empty, and then every
//! credential takes the general path.

use super::super::linked::{CONSENT_CONTEXT, CREDENTIALS_CONTEXT};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a value of a member is in the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text: a literal without a type.
    Text,
    /// A text that is a literal of this type, as it stands after the text: `^^<http://…>`.
    Typed(String),
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// An address, or an object without one.
    Node,
    /// A word of the same context.
    Word,
    /// An object, or several, in a graph of its own.
    Graph,
}

/// A member, or a word.
#[derive(Debug)]
pub(super) struct Term {
    /// `<https://…>`.
    pub iri: String,
    pub kind: Kind,
    /// The value is a list, whose order means nothing.
    pub is_set: bool,
    /// What the names inside mean; where there is none, what they meant outside.
    pub scope: Option<Scope>,
}

/// The names that mean something at one place.
#[derive(Debug, Default)]
pub(super) struct Scope(HashMap<String, Term>);

impl Scope {
    pub(super) fn term(&self, name: &str) -> Option<&Term> {
        self.0.get(name)
    }
}

/// The places at which a document of ours begins.
#[derive(Debug)]
pub(super) struct Table {
    /// Members of a credential.
    pub credential: Scope,
    /// Members of its subject.
    pub subject: Scope,
    /// Members of a presentation.
    pub presentation: Scope,
    /// Members of a proof.
    pub proof: Scope,
    /// Each type that a document or a proof may have, with its address.
    types: HashMap<&'static str, String>,
}

impl Table {
    /// `<https://…>` of a type.
    pub(super) fn type_iri(&self, name: &str) -> Option<&str> {
        self.types.get(name).map(String::as_str)
    }
}

pub(super) static TABLE: LazyLock<Option<Table>> = LazyLock::new(|| read(CREDENTIALS_CONTEXT, CONSENT_CONTEXT));

const TYPES: [&str; 5] = [
    super::super::TYPE_CREDENTIAL,
    super::super::TYPE_ENROLMENT,
    super::super::TYPE_CONSENT,
    super::super::TYPE_PRESENTATION,
    super::super::PROOF_TYPE,
];

fn read(credentials: &str, consent: &str) -> Option<Table> {
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    let (credentials, consent) = (parse(credentials)?, parse(consent)?);
    let (credentials, consent) = (credentials.get("@context")?, consent.get("@context")?);
    // The members of a type stand in the context of the type.
    let of_type = |name: &str| scope(credentials.get(name)?.get("@context")?);
    let mut types = HashMap::new();
    for name in TYPES {
        let found = credentials.get(name).or_else(|| consent.get(name))?;
        let id = found.as_str().or_else(|| found.get("@id")?.as_str())?;
        types.insert(name, iri(id)?);
    }
    let table = Table {
        credential: of_type("VerifiableCredential")?,
        subject: scope(consent)?,
        presentation: of_type("VerifiablePresentation")?,
        proof: of_type("DataIntegrityProof")?,
        types,
    };
    // An address begins with a scheme that is no term: else it would be an abbreviation of another address.
    let is_term = |scheme: &&str| credentials.get(scheme).is_some() || mentions(consent, scheme);
    (!super::SCHEMES.iter().any(is_term)).then_some(table)
}

/// Whether a term of this name stands anywhere in a context.
fn mentions(context: &Value, name: &str) -> bool {
    context
        .as_object()
        .is_some_and(|members| members.iter().any(|(member, value)| member == name || mentions(value, name)))
}

fn scope(context: &Value) -> Option<Scope> {
    let mut terms = HashMap::new();
    for (name, definition) in context.as_object()? {
        match (name.as_str(), definition) {
            ("@version" | "@protected", _) => {}
            // The two names that stand for keywords are looked at by whoever walks a document.
            ("id", Value::String(keyword)) if keyword == "@id" => {}
            ("type", Value::String(keyword)) if keyword == "@type" => {}
            (name, _) if name.starts_with('@') || name.contains(':') => return None,
            (name, Value::String(id)) => {
                let plain = Term { iri: iri(id)?, kind: Kind::Text, is_set: false, scope: None };
                terms.insert(name.to_owned(), plain);
            }
            (name, Value::Object(definition)) => {
                terms.insert(name.to_owned(), term(definition)?);
            }
            _ => return None,
        }
    }
    Some(Scope(terms))
}

fn term(definition: &Map<String, Value>) -> Option<Term> {
    let text = |name: &str| definition.get(name).map(|value| value.as_str());
    if !definition.keys().all(|key| matches!(key.as_str(), "@id" | "@type" | "@container" | "@context")) {
        return None;
    }
    let kind = match text("@type") {
        None => Kind::Text,
        Some(Some("@id")) => Kind::Node,
        Some(Some("@vocab")) => Kind::Word,
        Some(Some("http://www.w3.org/2001/XMLSchema#integer")) => Kind::Integer,
        Some(Some("http://www.w3.org/2001/XMLSchema#boolean")) => Kind::Boolean,
        Some(Some(id)) => Kind::Typed(format!("^^{}", iri(id)?)),
        Some(None) => return None,
    };
    let (kind, is_set) = match (text("@container"), kind) {
        (None, kind) => (kind, false),
        (Some(Some("@set")), kind) => (kind, true),
        (Some(Some("@graph")), Kind::Node) => (Kind::Graph, false),
        _ => return None,
    };
    let inner = match definition.get("@context") {
        // Nothing is known inside but what the inner document brings along.
        None | Some(Value::Null) => None,
        Some(context) => Some(scope(context)?),
    };
    Some(Term { iri: iri(text("@id")??)?, kind, is_set, scope: inner })
}

/// The address of a term, which in our contexts is always written out.
fn iri(id: &str) -> Option<String> {
    let is_plain = id.starts_with("http://") || id.starts_with("https://");
    (is_plain && super::text::is_plain_iri(id)).then(|| format!("<{id}>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_the_contexts_say() {
        let table = TABLE.as_ref().unwrap();
        let own = |name: &str| format!("<https://w3id.org/consent-wallet/v1#{name}>");
        let notice = table.subject.term("notice").unwrap();
        assert_eq!((&notice.iri, &notice.kind, notice.is_set), (&own("notice"), &Kind::Node, false));
        let version = notice.scope.as_ref().unwrap().term("version").unwrap();
        assert_eq!((&version.iri, &version.kind), (&own("noticeVersion"), &Kind::Integer));
        let permissions = table.subject.term("dataUse").unwrap().scope.as_ref().unwrap().term("permissions").unwrap();
        assert_eq!((&permissions.kind, permissions.is_set), (&Kind::Word, true));
        let created = table.proof.term("created").unwrap();
        assert_eq!(created.kind, Kind::Typed("^^<http://www.w3.org/2001/XMLSchema#dateTime>".to_owned()));
        assert_eq!(table.credential.term("proof").unwrap().kind, Kind::Graph);
        assert!(table.subject.term("id").is_none() && table.subject.term("@protected").is_none());
        assert_eq!(table.type_iri("DataIntegrityProof"), Some("<https://w3id.org/security#DataIntegrityProof>"));
    }

    /// A context that uses more of JSON-LD than the reader knows gives no table, and no wrong one.
    #[test]
    fn a_form_of_context_that_is_not_known_gives_no_table() {
        assert!(read(CREDENTIALS_CONTEXT, CONSENT_CONTEXT).is_some());
        let good = r#""study": "https://w3id.org/consent-wallet/v1#study""#;
        for other in [
            r#""study": { "@reverse": "https://w3id.org/consent-wallet/v1#study" }"#,
            r#""study": { "@id": "https://w3id.org/consent-wallet/v1#study", "@language": "en" }"#,
            r#""study": { "@id": "https://w3id.org/consent-wallet/v1#study", "@container": "@list" }"#,
            r#""study": { "@id": "https://w3id.org/consent-wallet/v1#study", "@container": ["@set"] }"#,
            r#""study": "v1:study""#,
            r#""study": null"#,
            r#""@vocab": "https://example.org/""#,
            r#""@base": "https://example.org/""#,
            r#""@language": "en""#,
            r#""urn": "https://example.org/""#,
        ] {
            let changed = CONSENT_CONTEXT.replacen(good, other, 1);
            assert_ne!(changed, CONSENT_CONTEXT);
            assert!(read(CREDENTIALS_CONTEXT, &changed).is_none(), "{other}");
        }
    }
}
