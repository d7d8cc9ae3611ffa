//! The facts of the public DUOS test suites, where they lie beside the project. We agree with all of them but those
//! listed here, each with its reason.

use consent::ontology::Ontology;
use consent::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What we answer otherwise, and why. `NAME = answer`; facts that two suites tell differently stand here too.
const DIFFERENCES: &[(&str, Outcome, &str)] = &[
    ("DUOS-V4 MDS+3", Outcome::Review, METHODS_ONLY),
    ("DUOS-TT MRPc-uc2", Outcome::Review, METHODS_ONLY),
    (
        "DUOS-TT MRPc-HMBuc4",
        Outcome::Deny,
        "NMDS forbids methods without a disease; DUOS V4 never reads NMDS, V2 and FireCloud do",
    ),
    ("DUOS-V2 noPurposeDisease", Outcome::Review, "a request that states no topic is for a person"),
    ("DUOS-V2 gen+M", Outcome::Review, SEX),
    ("DUOS-V2 gen+F", Outcome::Review, SEX),
    ("DUOS-V2 ped+2", Outcome::Review, "V4 abstains on children unless the consent speaks of them; so do we"),
    ("DUOS-V2 genNA+M", Outcome::Review, SEX),
    ("DUOS-V2 genNA+F", Outcome::Review, SEX),
];

const METHODS_ONLY: &str = "methods alone on data for named diseases: V4 says yes, FireCloud no; a person says";
const SEX: &str = "V2 permits and V4 abstains on one sex; nobody answered the question, so a person says";

fn shared(path: &str) -> Option<Vec<u8>> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(path)).ok()
}

/// The policy and the purpose of one fact, and whether it is about one facet only: without a permission or a topic.
fn encode(consent: &Map<String, Value>, request: &Map<String, Value>) -> (Policy, Purpose, bool) {
    let is = |map: &Map<String, Value>, name: &str| map.get(name) == Some(&json!(true));
    let mut permissions = Vec::new();
    let mut modifiers = Vec::new();
    for (name, value) in consent {
        match (name.as_str(), value) {
            ("DS", _) => permissions.push(json!("DS")),
            ("GRU" | "HMB" | "POA", Value::Bool(true)) => permissions.push(json!(name)),
            ("NPU" | "NMDS" | "NAGR" | "NCTRL" | "RS-PD", Value::Bool(true)) => modifiers.push(json!({"code": name})),
            ("commercialUse", Value::Bool(false)) => modifiers.push(json!({"code": "NCU"})),
            ("RS-G", Value::String(sex)) if sex != "N/A" => {
                modifiers.push(json!({"code": "RS", "topics": [sex.to_lowercase()]}));
            }
            ("controlSetOption", Value::String(yes)) if yes == "No" => modifiers.push(json!({"code": "NCTRL"})),
            ("NPU" | "NMDS" | "NAGR" | "RS-PD", Value::Bool(false)) | ("commercialUse", Value::Bool(true)) => {}
            ("RS-G" | "controlSetOption", _) => {}
            other => panic!("{other:?}"),
        }
    }
    let mut topics = Vec::new();
    let mut sensitive = Vec::new();
    let mut purpose = json!({});
    for (name, value) in request {
        match (name.as_str(), value) {
            ("DS", _) => topics.push("DS"),
            ("GRU" | "HMB" | "POA", Value::Bool(true)) => topics.push(name),
            ("MDS", Value::Bool(true)) => topics.push("methods"),
            ("CTRL" | "controls", Value::Bool(true)) => topics.push("controls"),
            ("AGR", Value::Bool(true)) => topics.push("aggregate"),
            ("NPU", Value::Bool(nonprofit)) => {
                purpose["organisation"] = json!({"kind": if *nonprofit { "nonProfit" } else { "commercial" }});
            }
            ("commercialUse", value) => {
                purpose["commercial"] = value.clone();
                purpose["organisation"] = json!({"kind": "commercial"});
            }
            ("PD", Value::Bool(false)) => {}
            ("gender", Value::String(sex)) => sensitive.push(if sex.starts_with('M') { "male" } else { "female" }),
            (flag, Value::Bool(true)) if Flag::read(flag).is_some() => sensitive.push(flag),
            ("COL" | "IRB" | "other" | "secondaryOther", _) => purpose[name] = value.clone(),
            other => panic!("{other:?}"),
        }
    }
    // A fact without a permission, or without a topic, is about its facet alone.
    let one_facet = ["NPU", "commercialUse", "PD", "gender"].iter().any(|name| request.contains_key(*name));
    let facet = permissions.is_empty() && !is(consent, "NMDS") || topics.is_empty() && one_facet;
    purpose["topics"] = json!(topics);
    purpose["sensitive"] = json!(sensitive);
    purpose["diseases"] = request.get("DS").cloned().unwrap_or(json!([]));
    let policy = json!({
        "permissions": permissions,
        "diseases": consent.get("DS").cloned().unwrap_or(json!([])),
        "modifiers": modifiers,
    });
    (serde_json::from_value(policy).unwrap(), serde_json::from_value(purpose).unwrap(), facet)
}

#[test]
fn we_agree_with_the_public_suites_but_where_we_say_why() {
    let (Some(cases), Some(hierarchy)) = (shared("cases/duo-cases.json"), shared("data/HumanDO.tsv.gz")) else {
        println!("skipped: the facts of the public suites are not beside this copy of the project");
        return;
    };
    let cases: Value = serde_json::from_slice(&cases).unwrap();
    let hierarchy = Ontology::read(&hierarchy).unwrap();
    let ontologies = [&hierarchy];
    let matcher = Matcher::new(&ontologies);
    let at = "2026-11-22".parse().unwrap();
    let mut differences: BTreeMap<String, Outcome> =
        DIFFERENCES.iter().map(|(name, ours, _)| ((*name).to_owned(), *ours)).collect();
    let cases = cases["cases"].as_array().unwrap();
    assert!(cases.len() >= 95);
    let mut wrong = Vec::new();
    for case in cases {
        let name = format!("{} {}", case["suite"].as_str().unwrap(), case["id"].as_str().unwrap());
        let (policy, purpose, facet) =
            encode(case["consent"].as_object().unwrap(), case["request"].as_object().unwrap());
        let matcher = if facet { matcher.facet() } else { matcher };
        let decision = matcher.decide(&policy, &purpose, at);
        let theirs = match case["expect"].as_str().unwrap() {
            "permit" => Outcome::Permit,
            "deny" => Outcome::Deny,
            "abstain" => Outcome::Review,
            other => panic!("{other}"),
        };
        let expected = differences.remove(&name).unwrap_or(theirs);
        if decision.outcome != expected {
            wrong.push(format!("{name}: expected {expected:?}, facet {facet}, {decision:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(differences.is_empty(), "no such facts: {differences:?}");
}
