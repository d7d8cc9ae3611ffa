//! `consentctl load` against a real biobank: what it reports is what the log holds.

use proof::{Biobankd, program};
use std::process::Command;

fn load(biobank: &Biobankd, more: &[&str]) -> (Option<i32>, String, String) {
    let run = Command::new(program("CONSENTCTL", "consentctl"))
        .args(["load", "--ledger", &biobank.address()])
        .args(more)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (run.status.code(), text(&run.stdout), text(&run.stderr))
}

fn code(biobank: &Biobankd) -> String {
    biobank.told()["staffCode"].as_str().unwrap().to_owned()
}

#[test]
fn every_acknowledged_entry_is_looked_for_and_reads_are_counted() {
    let scratch = tempfile::tempdir().unwrap();
    let mut biobank = Biobankd::start(&scratch.path().join("biobank")).unwrap();
    let sizes = ["--entries", "60", "--connections", "3", "--subjects", "6"];
    let codes = code(&biobank);
    let (status, said, told) =
        load(&biobank, &[&sizes[..], &["--staff-code", &codes, "--batch", "4", "--then-half"]].concat());
    assert_eq!(status, Some(0), "{said}{told}");
    assert!(said.contains("audit: sound"), "{said}");
    // Both rounds, at full speed and at half of it.
    assert!(said.contains("all 120 acknowledged entries are there, each under its number"), "{said}");
    assert!(said.matches("durable signed entries: ").count() == 2 && said.contains("4 in a request"), "{said}");

    for what in ["proofs", "decisions"] {
        // A code is used once: each start tells another.
        biobank.kill();
        biobank.restart(&[]).unwrap();
        let codes = code(&biobank);
        let (status, said, told) =
            load(&biobank, &["--read", what, "--entries", "20", "--connections", "2", "--staff-code", &codes]);
        assert_eq!(status, Some(0), "{what}: {said}{told}");
        assert!(said.contains("20 in ") && !said.contains("error"), "{what}: {said}");
    }
    // The log is too short for a full tile, and that is said.
    let (status, said, told) = load(&biobank, &["--read", "tiles"]);
    assert_eq!((status, said.as_str()), (Some(4), ""), "{told}");
    assert!(told.contains("no full tile"), "{told}");
    // Nobody gets in without a code.
    assert_eq!(load(&biobank, &["--entries", "1", "--staff-code", "AAAA-AAAA"]).0, Some(4));
    assert_eq!(load(&biobank, &["--entries", "1"]).0, Some(4));
}
