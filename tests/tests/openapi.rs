//! `server/openapi.json` and the service's table of routes say the same, and the document keeps its own rules.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use jsonschema::Validator;
use proof::Biobankd;
use serde_json::{Map, Value, json};
use server::{Accepts, Problem, ROUTES, Route, Who};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn document() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/openapi.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// All operations by method and path.
fn operations(document: &Value) -> BTreeMap<(String, String), &Value> {
    let mut all = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(METHODS.contains(&method.as_str()), "{method} {path}");
            all.insert((method.to_uppercase(), path.clone()), operation);
        }
    }
    all
}

/// A path of the table as the document writes it.
fn written(route: &Route) -> (String, String) {
    (route.method.to_owned(), route.path.replace("{*", "{"))
}

/// What stands under a reference, or the value itself.
fn at<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.strip_prefix('#').unwrap())
            .unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => value,
    }
}

/// A validator for a schema of the document.
fn validator(document: &Value, schema: &Value) -> Validator {
    let root = json!({ "components": document["components"], "allOf": [schema] });
    jsonschema::draft202012::meta::validate(&root).unwrap();
    jsonschema::draft202012::options().should_validate_formats(true).build(&root).unwrap()
}

#[test]
fn the_document_has_the_routes_of_the_table_and_no_others() {
    let document = document();
    let described: BTreeSet<_> = operations(&document).into_keys().collect();
    let served: BTreeSet<_> = ROUTES.iter().map(written).collect();
    let difference: Vec<_> = described.symmetric_difference(&served).collect();
    assert!(difference.is_empty(), "only in one of them: {difference:?}");
    assert_eq!(served.len(), ROUTES.len());
}

#[test]
fn each_operation_says_who_may_call_it_and_how_it_refuses() {
    let document = document();
    let operations = operations(&document);
    let mut ids = BTreeSet::new();
    for route in ROUTES {
        let operation = operations[&written(route)];
        let name = format!("{} {}", route.method, route.path);
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{name}: an id for each");
        assert_eq!(operation["x-action"], route.action, "{name}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");

        let signed = matches!(route.who, Who::Signer | Who::Known);
        let security = operation["security"].as_array().unwrap();
        assert_eq!(!security.is_empty(), signed, "{name}");
        for scheme in security.iter().flat_map(|one| one.as_object().unwrap().keys()) {
            assert!(document["components"]["securitySchemes"][scheme].is_object(), "{name}: {scheme}");
        }
        let body = &operation["requestBody"];
        if matches!(route.accepts, Accepts::Nothing) || route.method == "GET" {
            assert!(body.is_null(), "{name}: no body");
        }
        let json = body["content"]["application/json"].is_object();
        assert!(body.is_null() || json || matches!(route.accepts, Accepts::Bytes(_)), "{name}: the form of the body");

        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name}: how it ends well");
        let mut expected = vec!["408", "429"];
        expected.extend(if signed { &["400", "401", "403", "413"][..] } else { &[] });
        expected.extend(if body.is_null() { &[][..] } else { &["400", "413"] });
        for status in expected {
            assert!(responses.contains_key(status), "{name}: {status}");
        }
        for (status, response) in responses.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
            let response = at(&document, response);
            let content = response["content"].as_object().unwrap();
            // What other logs ask is answered as C2SP says.
            let by_specification = operation["tags"][0] == "federation" && !content.is_empty();
            let problem = content.contains_key("application/problem+json");
            assert!(problem || by_specification, "{name}: {status} is a problem");
            assert!(!response["description"].as_str().unwrap().is_empty(), "{name}: {status}");
        }
        let named: BTreeSet<&str> = route.path.split('{').skip(1).map(|p| p.split('}').next().unwrap()).collect();
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let in_path = parameters.iter().filter(|p| p["in"] == "path");
        let described: BTreeSet<&str> = in_path.map(|p| p["name"].as_str().unwrap()).collect();
        assert_eq!(described, named.iter().map(|name| name.trim_start_matches('*')).collect(), "{name}");
    }
}

#[test]
fn every_status_of_a_problem_is_told() {
    let document = document();
    let told: BTreeSet<String> = operations(&document)
        .values()
        .flat_map(|operation| operation["responses"].as_object().unwrap().keys().cloned())
        .collect();
    for (code, status) in Problem::CODES {
        // No operation has a wrong method or breaks by design.
        assert!(told.contains(&status.to_string()) || [405, 500].contains(status), "{code}: {status}");
        let problem = json!({
            "type": format!("urn:consent-wallet:problem:{code}"),
            "title": "T", "status": status, "code": code, "detail": "D",
        });
        let validator = validator(&document, &json!({ "$ref": "#/components/schemas/Problem" }));
        assert!(validator.is_valid(&problem), "{code}");
    }
}

/// Every place of the document that has a schema and an example for it: where, schema, example.
fn examples<'a>(value: &'a Value, place: &str, found: &mut Vec<(String, &'a Value, &'a Value)>) {
    let step = |map: &'a Map<String, Value>, found: &mut Vec<_>| {
        for (name, inner) in map {
            examples(inner, &format!("{place}/{name}"), found);
        }
    };
    match value {
        Value::Object(map) => {
            if let (Some(schema), Some(example)) = (map.get("schema"), map.get("example")) {
                found.push((place.to_owned(), schema, example));
            }
            // Several of them with names, or those that stand within their schema.
            match map.get("examples") {
                Some(Value::Object(named)) => {
                    let schema = map.get("schema").unwrap_or_else(|| panic!("{place}: examples of nothing"));
                    found.extend(named.values().map(|named| (place.to_owned(), schema, &named["value"])));
                }
                Some(Value::Array(within)) => {
                    found.extend(within.iter().map(|example| (place.to_owned(), value, example)));
                }
                _ => {}
            }
            step(map, found);
        }
        Value::Array(list) => list.iter().for_each(|inner| examples(inner, place, found)),
        _ => {}
    }
}

#[test]
fn every_example_is_one_of_its_schema() {
    let document = document();
    let mut found = Vec::new();
    examples(&document, "", &mut found);
    assert!(found.len() > ROUTES.len(), "only {} examples", found.len());
    for (place, schema, example) in &found {
        let validator = validator(&document, schema);
        let errors: Vec<String> = validator.iter_errors(example).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{place}: {errors:?}");
    }
    // What the service answers with JSON has an example, and a member less is one too few.
    for ((method, path), operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let content = &at(&document, response)["content"]["application/json"];
            if content.is_null() || path == "/v1/openapi.json" {
                continue;
            }
            let (place, schema) = (format!("{method} {path} {status}"), at(&document, &content["schema"]));
            if content["examples"].is_object() {
                continue;
            }
            assert!(!content["example"].is_null(), "{place}: an example");
            let required = schema["required"].as_array().unwrap_or_else(|| panic!("{place}: what is required"));
            for name in required {
                let mut less = content["example"].clone();
                assert!(less.as_object_mut().unwrap().remove(name.as_str().unwrap()).is_some(), "{place}");
                assert!(!validator(&document, schema).is_valid(&less), "{place}: without {name}");
            }
        }
    }
}

#[tokio::test]
async fn the_service_serves_the_document() {
    let work = tempfile::tempdir().unwrap();
    let biobank = Biobankd::start(&work.path().join("biobank")).unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(format!("{}/v1/openapi.json", biobank.address())).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    // Not shown where it differs: it is long.
    assert!(answer.json::<Value>().await.unwrap() == document(), "another document is served");
}
