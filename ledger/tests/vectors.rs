//! Other people's vectors for inclusion and consistency proofs (transparency-dev/merkle), good and bad ones.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "in a test a panic is the report")]

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ledger::{Hash, leaf_hash, verify_consistency, verify_inclusion};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/merkle");
    beside.is_dir().then_some(beside)
}

fn vectors(dir: &Path) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(vectors(&path));
        } else if path.extension().is_some_and(|e| e == "json") {
            let value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            found.push((path.display().to_string(), value));
        }
    }
    found
}

/// A hash of a vector; those of a wrong length can not even be written as a `Hash`, which is a refusal.
fn hash(value: &Value) -> Option<Hash> {
    let bytes = BASE64_STANDARD.decode(value.as_str()?).ok()?;
    Some(Hash::from_bytes(bytes.try_into().ok()?))
}

/// A root of a vector. Some carry a few words instead of a hash, where only equality counts.
fn root(value: &Value) -> Option<Hash> {
    let bytes = BASE64_STANDARD.decode(value.as_str()?).ok().filter(|bytes| !bytes.is_empty())?;
    Some(hash(value).unwrap_or_else(|| leaf_hash(&bytes)))
}

fn hashes(value: &Value) -> Option<Vec<Hash>> {
    match value {
        Value::Null => Some(Vec::new()),
        list => list.as_array()?.iter().map(hash).collect(),
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn inclusion(v: &Value) -> Option<bool> {
    let (leaf, root, proof) = (hash(&v["leafHash"])?, hash(&v["root"])?, hashes(&v["proof"])?);
    Some(verify_inclusion(number(&v["leafIdx"]), number(&v["treeSize"]), leaf, &proof, root).is_ok())
}

fn consistency(v: &Value) -> Option<bool> {
    let (old, new, proof) = (root(&v["root1"])?, root(&v["root2"])?, hashes(&v["proof"])?);
    Some(verify_consistency(number(&v["size1"]), old, number(&v["size2"]), new, &proof).is_ok())
}

fn check(kind: &str, least: usize, accepts: fn(&Value) -> Option<bool>) {
    let Some(folder) = folder() else {
        println!("skipped: the folder with the vectors of transparency-dev/merkle is missing");
        return;
    };
    let all = vectors(&folder.join(kind));
    assert!(all.len() >= least, "only {} vectors", all.len());
    assert!(all.iter().any(|(_, v)| v["wantErr"] == false), "no good vector");
    for (name, vector) in all {
        let wanted = vector["wantErr"] == false;
        assert_eq!(accepts(&vector).unwrap_or(false), wanted, "{name}: {}", vector["desc"]);
    }
}

#[test]
fn inclusion_vectors() {
    check("inclusion", 25, inclusion);
}

#[test]
fn consistency_vectors() {
    check("consistency", 25, consistency);
}
