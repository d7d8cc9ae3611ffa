//! The port of DUOS that the benchmarks run beside our matcher answers as DUOS does: what its public tests say, and
//! the answers for which it is known.

mod duos;

use consent::Flag;
use consent::Vocabulary;
use consent::ontology::Ontology;
use duos::{Answer, Dataset, Request, decide};
use serde_json::{Map, Value};
use std::path::PathBuf;

/// Three diseases, so that the test needs no file: cancer over colon carcinoma, and diabetes beside them.
const HIERARCHY: &str = "format-version: 1.2\n\n[Term]\nid: DOID:162\nname: cancer\n\n\
    [Term]\nid: DOID:1520\nname: colon carcinoma\nis_a: DOID:162\n\n[Term]\nid: DOID:9351\nname: diabetes mellitus\n";

fn request() -> Request {
    Request::default()
}

fn cancer() -> Dataset {
    Dataset { diseases: vec!["DOID:162".into()], ..Dataset::default() }
}

#[test]
fn it_has_the_mistakes_for_which_it_is_known() {
    let hierarchy = Ontology::from_obo(HIERARCHY).unwrap();
    let general = Request { general: true, ..request() };
    let health = Request { health: true, ..request() };
    let for_health = Dataset { health: true, ..Dataset::default() };
    let cases = [
        ("general research on a consent for cancer", general.clone(), cancer(), Answer::Approve),
        (
            "general research on a consent for ancestry",
            general.clone(),
            Dataset { ancestry: true, ..Dataset::default() },
            Answer::Approve,
        ),
        ("general research on a consent that says nothing", general, Dataset::default(), Answer::Approve),
        // The consent also says NMDS, for which there is no field.
        ("methods on a consent for cancer", Request { methods: true, ..request() }, cancer(), Answer::Approve),
        // The consent also says GS, IRB, COL, MOR and GSO, for which there is no field.
        ("health research on a consent with five conditions", health.clone(), for_health.clone(), Answer::Approve),
        (
            "diabetes on a consent for health and for cancer",
            Request { diseases: vec!["DOID:9351".into()], ..request() },
            Dataset { health: true, ..cancer() },
            Answer::Approve,
        ),
        (
            "children and health on a consent for cancer",
            Request { delicate: true, ..health.clone() },
            cancer(),
            Answer::Abstain,
        ),
        (
            "an unknown profit status on a consent for non-profit use",
            health,
            Dataset { non_profit: true, ..for_health },
            Answer::Deny,
        ),
    ];
    for (what, request, dataset, expected) in cases {
        assert_eq!(decide(&request, &dataset, &hierarchy), expected, "{what}");
    }
}

#[test]
fn diseases_of_a_request_are_all_needed_and_those_of_a_dataset_are_alternatives() {
    let hierarchy = Ontology::from_obo(HIERARCHY).unwrap();
    let asks = |terms: &[&str]| Request { diseases: terms.iter().map(ToString::to_string).collect(), ..request() };
    let both = Dataset { diseases: vec!["DOID:9351".into(), "DOID:162".into()], ..Dataset::default() };
    assert_eq!(decide(&asks(&["DOID:1520", "DOID:9351"]), &both, &hierarchy), Answer::Approve);
    assert_eq!(decide(&asks(&["DOID:1520", "DOID:9351"]), &cancer(), &hierarchy), Answer::Deny);
    assert_eq!(decide(&asks(&["DOID:404"]), &both, &hierarchy), Answer::Deny, "a term that nobody knows");
}

fn shared(path: &str) -> Option<Vec<u8>> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(path)).ok()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn read_dataset(fields: &Map<String, Value>) -> Dataset {
    let mut dataset = Dataset::default();
    for (name, value) in fields {
        match name.as_str() {
            "DS" => dataset.diseases = texts(value),
            "GRU" => dataset.general = value == true,
            "HMB" => dataset.health = value == true,
            "POA" => dataset.ancestry = value == true,
            "NPU" => dataset.non_profit = value == true,
            other => panic!("{other}"),
        }
    }
    dataset
}

fn read_request(fields: &Map<String, Value>) -> Request {
    let mut request = request();
    for (name, value) in fields {
        match name.as_str() {
            "DS" => request.diseases = texts(value),
            "GRU" => request.general = value == true,
            "HMB" => request.health = value == true,
            "POA" => request.ancestry = value == true,
            "MDS" => request.methods = value == true,
            "NPU" => request.non_profit = value.as_bool(),
            // No rule looks at these: alone they state nothing usable.
            "COL" | "IRB" | "other" | "secondaryOther" => {}
            flag if Flag::read(flag).is_some() => request.delicate = value != false,
            other => panic!("{other}"),
        }
    }
    request
}

#[test]
fn it_answers_as_the_public_tests_of_duos_say() {
    let (Some(cases), Some(hierarchy)) = (shared("cases/duo-cases.json"), shared("data/HumanDO.tsv.gz")) else {
        println!("skipped: the facts of the public suites are not beside this copy of the project");
        return;
    };
    let cases: Value = serde_json::from_slice(&cases).unwrap();
    let hierarchy = Ontology::read(&hierarchy).unwrap();
    let cases: Vec<&Value> =
        cases["cases"].as_array().unwrap().iter().filter(|case| case["suite"] == "DUOS-V4").collect();
    assert_eq!(cases.len(), 33);
    for case in cases {
        let (request, dataset) =
            (read_request(case["request"].as_object().unwrap()), read_dataset(case["consent"].as_object().unwrap()));
        let expected = match case["expect"].as_str().unwrap() {
            "permit" => Answer::Approve,
            "deny" => Answer::Deny,
            "abstain" => Answer::Abstain,
            other => panic!("{other}"),
        };
        assert_eq!(decide(&request, &dataset, &hierarchy), expected, "{case}");
    }
}
