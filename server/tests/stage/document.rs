//! Holds the answers that a test gets against `openapi.json`: each status is one that the operation names, and each
//! body of JSON is of the form that stands there, for every role that the tests call in.

use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("../../openapi.json")).unwrap());

/// A schema is made ready once: the place of the answer in the document, and what judges it.
static READY: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Breaks the test off if the document does not name this answer. What it does not describe (another method, a path
/// that is none) is not judged.
pub fn hold(method: &str, path: &str, status: u16, kind: Option<&str>, body: &Value) {
    let Some((template, operation)) = operation(method, path) else { return };
    let place = format!("{method} {template} {status}");
    let response = &operation["responses"][status.to_string()];
    let response = match response["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => response,
    };
    assert!(response.is_object(), "{place} is not in the document: {body}");
    let content = response["content"].as_object().filter(|content| !content.is_empty());
    let Some(content) = content else {
        assert_eq!(body, &json!(""), "{place} has no body in the document");
        return;
    };
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default();
    let described = content.get(kind).unwrap_or_else(|| panic!("{place} comes as {kind:?}, which is not described"));
    if kind.ends_with("json") {
        let judge = Arc::clone(READY.lock().unwrap().entry(place.clone()).or_insert_with(|| {
            let root = json!({ "components": DOCUMENT["components"], "allOf": [described["schema"]] });
            Arc::new(jsonschema::draft202012::options().should_validate_formats(true).build(&root).unwrap())
        }));
        let wrong: Vec<String> =
            judge.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{place} is not as described: {wrong:#?}\n{body}");
    }
}

/// The operation at a path: of the templates that fit, the one with the fewest parameters.
fn operation(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let fitting = paths.iter().filter(|(template, _)| fits(template, path));
    let (template, item) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
    Some((template.as_str(), item.get(method.to_lowercase())?))
}

fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            // The path of a tile goes on to the end.
            (Some("{path}"), Some(_)) => return true,
            (Some(wanted), Some(found)) if wanted == found || wanted.starts_with('{') && !found.is_empty() => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}
