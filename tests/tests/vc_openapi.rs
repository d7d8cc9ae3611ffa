//! `server/vc-api.openapi.json` and the table of routes of the service for institutions say the same, and each example
//! is one of its schema.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use serde_json::{Value, json};
use server::vc_api::ROUTES;
use std::collections::BTreeSet;
use std::path::Path;

fn document() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/vc-api.openapi.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_document_has_the_routes_of_the_table_and_no_others() {
    let document = document();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            described.insert((method.to_uppercase(), path.clone()));
            let name = format!("{method} {path}");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");
            let responses = operation["responses"].as_object().unwrap();
            let mut expected = vec!["408"];
            if method == "post" {
                assert!(operation["requestBody"]["content"]["application/json"].is_object(), "{name}");
                expected.extend(["400", "413"]);
            }
            for status in expected {
                assert!(responses.contains_key(status), "{name}: {status}");
            }
            let named: BTreeSet<&str> = path.split('{').skip(1).map(|part| part.split('}').next().unwrap()).collect();
            let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
            let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
            assert_eq!(in_path.map(|parameter| parameter["name"].as_str().unwrap()).collect::<BTreeSet<_>>(), named);
        }
    }
    let served: BTreeSet<_> = ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert_eq!(described, served);
}

/// Every schema with an example for it.
fn examples<'a>(value: &'a Value, found: &mut Vec<(&'a Value, &'a Value)>) {
    match value {
        Value::Object(map) => {
            if let (Some(schema), Some(example)) = (map.get("schema"), map.get("example")) {
                found.push((schema, example));
            }
            map.values().for_each(|inner| examples(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| examples(inner, found)),
        _ => {}
    }
}

#[test]
fn every_example_is_one_of_its_schema() {
    let document = document();
    let mut found = Vec::new();
    examples(&document["paths"], &mut found);
    assert!(found.len() > 2 * ROUTES.len());
    for (schema, example) in found {
        let root = json!({ "components": document["components"], "allOf": [schema] });
        let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&root).unwrap();
        let errors: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{example}: {errors:?}");
    }
}
