//! Whether what a verifier reads by name is all that the statements say.
//!
//! In the suites that sign statements neither names nor contexts are signed: whoever holds a credential can write
//! `validUntil` under its address, nest it, or bring it in by a context, and the signature stays right. A verifier that
//! looks for the name would find nothing to hold against the credential. So of everything by which a verifier decides
//! there have to be as many statements about the document as there are values under the one name that is read.

use super::model::Model;
use super::rdf::{RDF, Statements, Term};
use serde_json::{Map, Value};

/// The vocabulary of both data models.
const CREDENTIALS: &str = "https://www.w3.org/2018/credentials#";

/// What a verifier decides by, and the one model in which it is read, if not in both.
const DECISIVE: [(&str, Option<Model>); 11] = [
    ("credentialSubject", None),
    ("issuer", None),
    ("credentialStatus", None),
    ("credentialSchema", None),
    ("termsOfUse", None),
    ("refreshService", None),
    ("evidence", None),
    ("issuanceDate", Some(Model::One)),
    ("expirationDate", Some(Model::One)),
    ("validFrom", Some(Model::Two)),
    ("validUntil", Some(Model::Two)),
];

/// Compares the members of a credential with its statements.
pub(super) fn is_read(credential: &Map<String, Value>, model: Model, statements: &Statements) -> Result<(), String> {
    let root = statements.root.as_ref().ok_or("the document speaks of several things at once")?;
    let said = |predicate: &str| about(statements, root, predicate);
    if said(&format!("{RDF}type")) != values(credential, "type") {
        return Err("a type of the credential is written where it is not read".to_owned());
    }
    for (name, only) in DECISIVE {
        let read = if only.is_none_or(|only| only == model) { values(credential, name) } else { 0 };
        if said(&format!("{CREDENTIALS}{name}")) != read {
            return Err(format!("{name} of the credential is written where it is not read"));
        }
    }
    Ok(())
}

fn about(statements: &Statements, root: &Term, predicate: &str) -> usize {
    statements.quads.iter().filter(|quad| quad.predicate == predicate && quad.subject == *root).count()
}

fn values(object: &Map<String, Value>, name: &str) -> usize {
    match object.get(name) {
        None => 0,
        Some(Value::Array(several)) => several.len(),
        Some(_) => 1,
    }
}
