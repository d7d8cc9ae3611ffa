//! The forms as they were last looked at: a change of what others read is seen in a diff.

use super::*;
use serde_json::Value;
use std::path::Path;

/// `GOLDEN=write cargo test` writes the files anew; then the diff is to be read.
fn hold(name: &str, value: &Value) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/exchange/golden").join(name);
    let text = format!("{value:#}\n");
    if std::env::var_os("GOLDEN").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "{name} is another than it was");
}

#[test]
fn the_forms_are_as_they_were() {
    let record = sample::record();
    hold("fhir.json", &fhir::export(&record));
    hold("odrl.json", &odrl::export(&record));
    hold("dpv.json", &dpv::export(&record));
    let over =
        ConsentRecord { state: ConsentState::Withdrawn, state_since: sample::at("2027-03-01T09:00:00Z"), ..record };
    hold("fhir-withdrawn.json", &fhir::export(&over));
    hold("odrl-withdrawn.json", &odrl::export(&over));
    hold("dpv-withdrawn.json", &dpv::export(&over));
}
