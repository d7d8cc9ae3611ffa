//! The proofs of a document: one, a set, or a chain.

use super::model::{is_url, moment, objects};
use super::suite::Suite;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What a proof of a credential is for.
pub(crate) const PURPOSE_CREDENTIAL: &str = "assertionMethod";
/// What a proof of a presentation is for.
pub(crate) const PURPOSE_PRESENTATION: &str = "authentication";
/// How many proofs a document may have.
pub(super) const MAX_PROOFS: usize = 16;

const MEMBERS: [&str; 13] = [
    "@context",
    "id",
    "type",
    "cryptosuite",
    "created",
    "expires",
    "verificationMethod",
    "proofPurpose",
    "proofValue",
    "domain",
    "challenge",
    "nonce",
    "previousProof",
];

pub(super) type Proof = Map<String, Value>;

/// All proofs of a document.
pub(super) fn proofs(document: &Map<String, Value>) -> Result<Vec<&Proof>, String> {
    let found = objects(document, "proof")?.unwrap_or_default();
    if found.len() > MAX_PROOFS { Err(format!("more than {MAX_PROOFS} proofs")) } else { Ok(found) }
}

/// The members that a proof must have, in their forms, and none that is not known.
pub(super) fn shape(proof: &Proof) -> Result<(), String> {
    if let Some(name) = proof.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(format!("{name:.40} is not a member of a proof"));
    }
    for name in ["type", "verificationMethod", "proofPurpose", "proofValue"] {
        if !proof.get(name).is_some_and(Value::is_string) {
            return Err(format!("{name} is missing or not a text"));
        }
    }
    if moment(proof, "created")?.is_none() && Suite::of_proof(proof).is_ok_and(Suite::needs_date) {
        return Err("created is missing".to_owned());
    }
    moment(proof, "expires")?;
    for name in ["cryptosuite", "challenge", "nonce"] {
        if proof.get(name).is_some_and(|value| !value.is_string()) {
            return Err(format!("{name} is not a text"));
        }
    }
    if proof.contains_key("domain") && texts(proof, "domain").is_none() {
        return Err("domain is neither a text nor a list of texts".to_owned());
    }
    match proof.get("id") {
        None => Ok(()),
        Some(Value::String(id)) if is_url(id) => Ok(()),
        Some(_) => Err("the id of the proof is not a URL".to_owned()),
    }
}

/// One text or several.
pub(super) fn texts<'a>(proof: &'a Proof, name: &str) -> Option<Vec<&'a str>> {
    match proof.get(name)? {
        Value::String(one) => Some(vec![one]),
        Value::Array(items) if !items.is_empty() => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// The proofs that this one follows, each of them once and all of them there.
pub(super) fn followed<'a>(proof: &Proof, all: &[&'a Proof]) -> Result<Vec<&'a Proof>, String> {
    if !proof.contains_key("previousProof") {
        return Ok(Vec::new());
    }
    let names = texts(proof, "previousProof").ok_or("previousProof is neither a text nor a list of texts")?;
    let unique: BTreeSet<&str> = names.iter().copied().collect();
    if unique.len() != names.len() {
        return Err("previousProof names a proof twice".to_owned());
    }
    let mut found = Vec::new();
    for name in names {
        let mut with_name = all.iter().filter(|other| other.get("id").and_then(Value::as_str) == Some(name));
        match (with_name.next(), with_name.next()) {
            (Some(one), None) => found.push(*one),
            (None, _) => return Err("previousProof names a proof that is not there".to_owned()),
            _ => return Err("two proofs have the same id".to_owned()),
        }
    }
    Ok(found)
}

/// Which proofs no other one follows. The chains have to have an end.
pub(super) fn last(all: &[&Proof]) -> Result<Vec<bool>, String> {
    let mut followed_by = vec![Vec::new(); all.len()];
    for (number, proof) in all.iter().enumerate() {
        for other in followed(proof, all)? {
            let at = all.iter().position(|one| std::ptr::eq(*one, other)).unwrap_or(number);
            followed_by[at].push(number);
        }
    }
    // Who is taken away in the order of the chain; what is left goes in a circle.
    let mut open: Vec<usize> = (0..all.len()).collect();
    loop {
        let before = open.len();
        let left = open.clone();
        open.retain(|number| followed_by[*number].iter().any(|follower| left.contains(follower)));
        if open.is_empty() {
            break;
        }
        if open.len() == before {
            return Err("the proofs follow each other in a circle".to_owned());
        }
    }
    Ok(followed_by.iter().map(Vec::is_empty).collect())
}
