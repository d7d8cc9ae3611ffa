//! A second opinion on the canonical form that our signatures are about: pyld, which shares no code with us or with the
//! library, must write the same N-Quads for the same documents.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "in a test a panic is the report")]

#[path = "../third_party/common.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod common;
#[path = "../../identity/tests/generated/mod.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod generated;

use common::{feed, third_party};
use generated::{Generator, mutate};
use identity::{CONSENT_CONTEXT, canonical_nquads, canonical_proof_options};
use proof::interop::{Seen, note, pypi};
use serde_json::{Map, Value, json};
use std::process::Command;

/// The document without its proof, as it is signed, and the options of the proof as a document of their own.
fn signed(mut document: Map<String, Value>) -> [Value; 2] {
    let mut options = document.remove("proof").unwrap();
    options.as_object_mut().unwrap().remove("proofValue");
    options["@context"] = document["@context"].clone();
    [Value::Object(document), options]
}

#[test]
fn pyld_writes_the_same_canonical_form() {
    let Some(python) = std::env::var_os("THIRD_PARTY_PYTHON") else {
        println!("skipped: scripts/test sets up a Python with pyld and names it in THIRD_PARTY_PYTHON");
        return;
    };
    let (mut documents, mut ours) = (Vec::new(), Vec::new());
    for seed in 0..300 {
        let mut generator = Generator::new(1_000_000 + seed);
        let document = generator.document();
        let (changed, _) = mutate(&document, &mut generator);
        for document in [document, changed] {
            let Some(proof) = document.get("proof").filter(|proof| proof.is_object()) else { continue };
            let (Some(text), Some(options)) =
                (canonical_nquads(&Value::Object(document.clone())), canonical_proof_options(proof))
            else {
                continue;
            };
            ours.extend([text, options]);
            documents.extend(signed(document));
        }
    }
    assert!(documents.len() > 700, "{} documents", documents.len());
    let contexts = json!({
        "https://www.w3.org/ns/credentials/v2":
            serde_json::from_str::<Value>(include_str!("../../identity/contexts/credentials-v2.jsonld")).unwrap(),
        "https://w3id.org/consent-wallet/v1": serde_json::from_str::<Value>(CONSENT_CONTEXT).unwrap(),
    });
    let mut program = Command::new(python);
    program.arg(third_party("python/canonical.py"));
    let input = serde_json::to_vec(&json!({ "contexts": contexts, "documents": documents })).unwrap();
    let output = feed(&mut program, &input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: Vec<String> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(theirs.len(), ours.len());
    for ((ours, theirs), document) in ours.iter().zip(&theirs).zip(&documents) {
        assert_eq!(ours, theirs, "{document}");
    }
    let seen = Seen { ours: ours.len(), ..Seen::default() };
    note("canonical N-Quads (RDFC-1.0)", &pypi("PyLD"), seen);
}
