//! How long it takes to hold a file of proofs against a record: `consentctl verify-batch --ledger`, and one proof at a
//! time inside of a program. `scripts/bench verify` runs it with optimised programs and prints the figures.
//!
//! The proof is one that a wallet made, repeated: each line is read, checked and looked up like any other.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement may break off and print")]

#[allow(dead_code, reason = "a measurement takes its part")]
#[path = "../tests/stage/mod.rs"]
mod stage;

use proof::program;
use serde_json::Value;
use stage::Stage;
use std::io::{BufWriter, Write as _};
use std::process::Command;
use std::time::Instant;
use wallet::check::Expected;
use wallet::research::Checker;

/// Lines of the file.
const LINES: u32 = 100_000;
/// Checks of one proof after each other.
const ROUNDS: u32 = 500;

#[tokio::main]
async fn main() {
    let stage = Stage::set().await;
    let proof: Value = serde_json::from_slice(&std::fs::read(&stage.proof).unwrap()).unwrap();
    let (line, address) = (proof.to_string(), stage.biobank.address());
    let (file, purpose) = (stage.root.path().join("proofs.jsonl"), stage.root.path().join("purpose.json"));
    let mut lines = BufWriter::new(std::fs::File::create(&file).unwrap());
    (0..LINES).for_each(|_| writeln!(lines, "{line}").unwrap());
    lines.into_inner().unwrap().sync_all().unwrap();
    std::fs::write(&purpose, serde_json::to_vec(&stage.purpose).unwrap()).unwrap();

    let cache = stage.root.path().join("cache");
    let begun = Instant::now();
    let output = Command::new(program("CONSENTCTL", "consentctl"))
        .arg("verify-batch")
        .arg(&file)
        .arg("--purpose")
        .arg(&purpose)
        .arg("--cache")
        .arg(&cache)
        .args(["--ledger", &address])
        .output()
        .unwrap();
    let took = begun.elapsed();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().filter(|line| line.ends_with(" permit")).count(), LINES as usize, "{said:.200}");
    println!("test cohort/file@{LINES} ... bench: {} ns/iter (+/- 0)", took.as_nanos());

    let checker = Checker::at(&address, None, &cache).await.unwrap();
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        let view = checker.check(line.as_bytes(), &stage.purpose, &Expected::default(), wallet::now()).await;
        assert!(view.outcome.is_some(), "{:?}", view.checks);
    }
    let each = begun.elapsed().as_nanos() / u128::from(ROUNDS);
    println!("test cohort/one@1 ... bench: {each} ns/iter (+/- 0)");
}
