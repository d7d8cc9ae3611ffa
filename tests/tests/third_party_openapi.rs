//! The service as its OpenAPI document describes it, asked by schemathesis: what it makes up must never break the
//! service, and every answer must be one of the document.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may break off and print")]

#[path = "../third_party/common.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod common;

use common::{Served, third_party};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many inputs are made up for one operation, beside those for every border of its schema.
const EXAMPLES: &str = "12";
/// What is looked at in each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/openapi.json")
}

/// Asks as whoever has the key of this seed, or unsigned.
fn ask(python: &Path, served: &Served, who: &str, seed: Option<[u8; 32]>) {
    let mut command = Command::new(python.with_file_name("schemathesis"));
    command.arg("run").arg(document()).args(["-u", &served.biobank.address(), "--checks", CHECKS]);
    command.args(["--phases", "examples,coverage,fuzzing", "-n", EXAMPLES, "--seed", "7", "--max-time", "25"]);
    command.args(["--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure"]);
    // A stream of events does not end by itself.
    command.args(["--exclude-path-regex", "^/v1/stream", "--request-timeout", "20"]);
    command.env("SCHEMATHESIS_HOOKS", third_party("python/hooks.py"));
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("SIGN_WITH", seed.map(hex::encode).unwrap_or_default());
    let folder = tempfile::tempdir().unwrap();
    let output = command.current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{who}:\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let count = said.lines().find(|line| line.contains(" generated")).unwrap_or_default().trim();
    println!("{who}: {count}");
    assert!(!count.is_empty(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_the_service_answers_as_the_document_says() {
    let Some(python) = std::env::var_os("THIRD_PARTY_PYTHON").map(PathBuf::from) else {
        println!("skipped: scripts/test sets up a Python with schemathesis and names it in THIRD_PARTY_PYTHON");
        return;
    };
    let work = tempfile::tempdir().unwrap();
    let served = Served::open(&work.path().join("biobank")).await;
    let staff = served.paired("staffCode", 201).await;
    served.paired("researcherCode", 202).await;
    let donor = served.donor(&staff, 203).await;
    let entry = donor.grants(None);
    let (status, said) = served.post("/v1/entries", entry.bytes().to_vec()).await;
    assert!(status == 200 || status == 202, "{status}: {said}");

    tokio::task::block_in_place(|| {
        ask(&python, &served, "nobody", None);
        ask(&python, &served, "staff", Some([201; 32]));
        ask(&python, &served, "a researcher", Some([202; 32]));
        ask(&python, &served, "a stranger", Some([99; 32]));
    });
    // What was asked got beyond the gate, and nothing broke behind it: told by the service's own figures.
    let (_, figures) = served.get("/metrics").await;
    let figures = String::from_utf8(figures).unwrap();
    let answered: Vec<&str> = figures.lines().filter(|line| line.starts_with("biobankd_requests_total")).collect();
    let ended = |digit: char| answered.iter().filter(|line| line.contains(&format!("status=\"{digit}"))).count();
    println!("routes and statuses: {} of them well, {} refused", ended('2'), ended('4'));
    assert!(ended('2') >= 15 && ended('4') >= 40, "{figures}");
    assert!(!figures.contains("status=\"500\""), "{figures}");
    // It still works, and what was there is there.
    let (status, receipt) = served.get(&format!("/v1/entries/{}/proof", entry.hash())).await;
    assert_eq!(status, 200);
    let key = served.vkey.parse().unwrap();
    ledger::Receipt::verify(std::str::from_utf8(&receipt).unwrap(), entry.bytes(), &key).unwrap();
}
