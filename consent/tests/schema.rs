//! The schemas in `schema/`: what they say is what this version writes, and the other way round.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use common::{any_policy, any_purpose, matcher, today};
use consent::*;
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::select;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

const FILES: [(&str, &str); 3] = [
    ("policy", include_str!("../schema/policy.schema.json")),
    ("purpose", include_str!("../schema/purpose.schema.json")),
    ("decision", include_str!("../schema/decision.schema.json")),
];

static SCHEMAS: LazyLock<[(Value, Validator); 3]> = LazyLock::new(|| {
    FILES.map(|(_, text)| {
        let schema: Value = serde_json::from_str(text).unwrap();
        let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
        (schema, validator)
    })
});

fn schema(name: &str) -> &'static (Value, Validator) {
    let place = FILES.iter().position(|(known, _)| *known == name).unwrap();
    &SCHEMAS[place]
}

fn errors(name: &str, value: &impl Serialize) -> Vec<String> {
    let value = serde_json::to_value(value).unwrap();
    schema(name).1.iter_errors(&value).map(|error| format!("{} at {}", error, error.instance_path())).collect()
}

/// The constants of a list of terms, each with its description.
fn constants(schema: &Value, definition: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let terms = schema["$defs"][definition]["oneOf"].as_array().unwrap_or_else(|| panic!("{definition}"));
    terms.iter().map(|term| (text(&term["const"]), text(&term["description"]))).collect()
}

#[test]
fn each_file_is_a_schema_of_its_draft_under_its_own_name() {
    for (name, text) in FILES {
        let schema: Value = serde_json::from_str(text).unwrap();
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["$id"], format!("https://w3id.org/consent-wallet/schema/{name}.schema.json"));
    }
}

#[test]
fn each_list_of_terms_is_the_vocabulary_with_its_identifiers() {
    fn hold<T: Vocabulary>(file: &str, definition: &str) {
        let found = constants(&schema(file).0, definition);
        let codes: Vec<_> = found.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(codes, T::ALL.iter().map(|term| term.code()).collect::<Vec<_>>(), "{file} {definition}");
        for (term, (_, description)) in T::ALL.iter().zip(&found) {
            assert!(description.contains(term.id()), "{description} lacks {}", term.id());
        }
    }
    hold::<Permission>("policy", "permission");
    hold::<DataKind>("policy", "dataKind");
    hold::<OrganisationKind>("policy", "organisationKind");
    hold::<Answer>("policy", "answer");
    hold::<ConsentState>("policy", "state");
    hold::<Topic>("purpose", "topic");
    hold::<Flag>("purpose", "flag");
    hold::<DataKind>("purpose", "dataKind");
    hold::<OrganisationKind>("purpose", "organisationKind");

    let questions: BTreeSet<_> =
        schema("policy").0["properties"]["answers"]["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        questions,
        Question::ALL.iter().map(|question| question.code().to_owned()).collect::<Vec<_>>().iter().collect()
    );
    let modifiers = schema("policy").0["$defs"]["modifier"]["oneOf"].as_array().unwrap();
    let modifiers: Vec<_> = modifiers
        .iter()
        .map(|modifier| {
            (modifier["properties"]["code"]["const"].as_str().unwrap(), modifier["description"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        modifiers.iter().map(|(code, _)| *code).collect::<Vec<_>>(),
        Modifier::TERMS.iter().map(|(code, _)| *code).collect::<Vec<_>>()
    );
    for ((_, id), (_, description)) in Modifier::TERMS.iter().zip(&modifiers) {
        assert!(description.contains(id), "{description} lacks {id}");
    }
    // All that a restriction of research can name, each once.
    let foci: BTreeSet<_> = constants(&schema("policy").0, "focus").into_iter().map(|(code, _)| code).collect();
    let flags = Flag::ALL.iter().map(|flag| flag.code().to_owned());
    assert_eq!(foci, flags.chain(Topic::ALL.iter().map(|topic| topic.code().to_owned())).collect());

    let codes =
        |definition| constants(&schema("decision").0, definition).into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    assert_eq!(codes("reasonCode"), ReasonCode::ALL.iter().map(|code| code.code()).collect::<Vec<_>>());
    assert_eq!(codes("outcome"), [Outcome::Permit, Outcome::Review, Outcome::Deny].map(Outcome::code));
}

#[test]
fn the_examples_are_valid_and_read() {
    for (name, _) in FILES {
        for example in schema(name).0["examples"].as_array().unwrap() {
            assert_eq!(errors(name, example), Vec::<String>::new(), "{example}");
            match name {
                "policy" => {
                    let read: Policy = serde_json::from_value(example.clone()).unwrap();
                    assert!(read.unknown.is_empty() && serde_json::to_value(&read).unwrap() == *example);
                }
                "purpose" => assert!(serde_json::from_value::<Purpose>(example.clone()).unwrap().unknown.is_empty()),
                _ => {
                    let read: Decision<'_> = serde_json::from_value(example.clone()).unwrap();
                    assert_eq!(serde_json::to_value(&read).unwrap(), *example);
                }
            }
        }
    }
}

#[test]
fn what_this_version_does_not_write_is_not_valid() {
    let refused = [
        ("policy", json!({})),
        ("policy", json!({"permissions": ["GRU"], "exceptOnSundays": true})),
        ("policy", json!({"permissions": ["DUO:0000042"]})),
        ("policy", json!({"permissions": ["GRU", "GRU"]})),
        ("policy", json!({"permissions": ["GRU"], "modifiers": ["NPU"]})),
        ("policy", json!({"permissions": ["GRU"], "modifiers": [{"code": "XYZ"}]})),
        ("policy", json!({"permissions": ["GRU"], "modifiers": [{"code": "GS"}]})),
        ("policy", json!({"permissions": ["GRU"], "modifiers": [{"code": "GS", "places": []}]})),
        ("policy", json!({"permissions": ["GRU"], "modifiers": [{"code": "CC", "places": ["NL"]}]})),
        ("policy", json!({"permissions": ["GRU"], "modifiers": [{"code": "TS", "months": -1}]})),
        ("policy", json!({"permissions": ["GRU"], "answers": {"telepathy": "yes"}})),
        ("policy", json!({"permissions": ["GRU"], "issued": "2026-02-30"})),
        ("policy", json!({"permissions": ["GRU"], "diseases": null})),
        ("policy", json!({"permissions": ["GRU"], "ontology": {"system": "MONDO"}})),
        ("purpose", json!({"topics": ["GRU"], "places": []})),
        ("purpose", json!({"topics": ["GRU"], "places": [], "organisation": {"id": "", "owner": "x"}})),
        ("purpose", json!({"topics": ["GRU"], "places": [], "organisation": {"id": ""}, "alsoFor": "resale"})),
        ("purpose", json!({"topics": ["MDS"], "places": [], "organisation": {"id": ""}})),
        ("decision", json!({"decision": "permit", "reasons": [], "duties": [], "evaluated": [], "note": ""})),
        ("decision", json!({"decision": "allow", "reasons": [], "duties": [], "evaluated": []})),
    ];
    for (name, value) in refused {
        assert_ne!(errors(name, &value), Vec::<String>::new(), "{value}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2000), ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_valid(policy in any_policy(), purpose in any_purpose(), status in proptest::option::of(select(ConsentState::ALL))) {
        let policy = Policy { status, ..policy };
        let none = Vec::<String>::new();
        prop_assert_eq!(errors("policy", &policy), none.clone());
        prop_assert_eq!(errors("purpose", &purpose), none.clone());
        prop_assert_eq!(errors("decision", &matcher().decide(&policy, &purpose, today())), none);
    }

    #[test]
    fn a_member_more_is_one_too_many(policy in any_policy(), purpose in any_purpose(), name in "[a-z]{9,12}") {
        let decision = serde_json::to_value(matcher().decide(&policy, &purpose, today())).unwrap();
        let values = [("policy", serde_json::to_value(&policy).unwrap()), ("purpose", serde_json::to_value(&purpose).unwrap()), ("decision", decision)];
        for (file, mut value) in values {
            // No member has such a name.
            if schema(file).0["properties"].get(&name).is_none() {
                value[&name] = json!(1);
                prop_assert!(!errors(file, &value).is_empty());
            }
        }
    }
}
