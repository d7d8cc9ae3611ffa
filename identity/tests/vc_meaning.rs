//! What a holder can write otherwise without breaking a signature over statements, and why it helps nobody.

use identity::vc::{Finding, IssueOptions, Judge, KeyKind, Policy, Signer, Suite, issue, verify_credential};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const V1: &str = "https://www.w3.org/2018/credentials/v1";
const V2: &str = "https://www.w3.org/ns/credentials/v2";
const DATA_INTEGRITY: &str = "https://w3id.org/security/data-integrity/v2";
const VOCABULARY: &str = "https://www.w3.org/2018/credentials#";
const DATE: &str = "http://www.w3.org/2001/XMLSchema#dateTime";
const ID: &str = "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33";

fn policy() -> Policy {
    Policy::new("2026-11-22T13:00:00Z".parse().unwrap())
}

fn key() -> Signer {
    Signer::from_secret(KeyKind::Ed25519, &[7; 32]).unwrap()
}

fn signed(mut credential: Value, suite: Suite) -> Value {
    credential["issuer"] = json!(key().id().as_str());
    issue(&credential, &IssueOptions::new(suite, "2026-11-22T12:00:00Z".parse().unwrap()), &key()).unwrap()
}

fn over() -> Value {
    json!({
        "@context": [V2],
        "id": ID,
        "type": ["VerifiableCredential"],
        "validUntil": "2026-01-01T00:00:00Z",
        "credentialStatus": {
            "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "7",
            "statusListCredential": "https://biobank.example/status/1",
        },
        "credentialSubject": { "id": "did:example:1" },
    })
}

/// What fails. The signature is right in all of these: that is what makes them dangerous.
#[track_caller]
fn failed(document: &Value) -> Vec<&'static str> {
    let mut policy = policy();
    policy.waive("status");
    let verification = verify_credential(document.to_string().as_bytes(), &policy);
    assert!(verification.verified.is_none());
    verification.failed()
}

fn take(document: &mut Value, name: &str) -> Value {
    document.as_object_mut().unwrap().remove(name).unwrap()
}

#[test]
fn an_end_and_a_status_can_not_be_hidden_under_another_name() {
    let good = signed(over(), Suite::EddsaRdfc2022);
    assert_eq!(failed(&good), ["valid-until"]);
    let end = json!({ "@type": DATE, "@value": "2026-01-01T00:00:00Z" });
    let hide = |change: &dyn Fn(&mut Value)| {
        let mut document = good.clone();
        take(&mut document, "validUntil");
        change(&mut document);
        failed(&document)
    };
    let by_address = |document: &mut Value| document[format!("{VOCABULARY}validUntil")] = end.clone();
    let by_context = |document: &mut Value| {
        let own = json!({ "ends": { "@id": format!("{VOCABULARY}validUntil"), "@type": DATE } });
        document["@context"].as_array_mut().unwrap().push(own);
        document["ends"] = json!("2026-01-01T00:00:00Z");
    };
    let nested = |document: &mut Value| {
        document["@context"].as_array_mut().unwrap().push(json!({ "more": "@nest" }));
        document["more"] = json!({ "validUntil": "2026-01-01T00:00:00Z" });
    };
    let beside = |document: &mut Value| {
        document["@included"] = json!([{ "id": ID, (format!("{VOCABULARY}validUntil")): end.clone() }]);
    };
    let hidings: [&dyn Fn(&mut Value); 4] = [&by_address, &by_context, &nested, &beside];
    for (number, change) in hidings.into_iter().enumerate() {
        assert_eq!(hide(change), ["terms"], "{number}");
    }
    // The status. In the suite that signs the text it would be noticed anyway.
    for suite in [Suite::EddsaRdfc2022, Suite::EddsaJcs2022] {
        let mut lasting = over();
        take(&mut lasting, "validUntil");
        let mut document = signed(lasting, suite);
        let status = take(&mut document, "credentialStatus");
        document[format!("{VOCABULARY}credentialStatus")] = status;
        assert_eq!(failed(&document), ["terms"], "{suite}");
    }
}

#[test]
fn a_model_does_not_lose_the_dates_of_the_other() {
    let old = json!({
        "@context": [V1, DATA_INTEGRITY],
        "id": ID,
        "type": ["VerifiableCredential"],
        "issuanceDate": "2025-01-01T00:00:00Z",
        "expirationDate": "2026-01-01T00:00:00Z",
        "credentialSubject": { "id": "did:example:1" },
    });
    let mut document = signed(old, Suite::EddsaRdfc2022);
    assert_eq!(failed(&document), ["valid-until"]);
    let dated = |name: &str| json!({ "@id": format!("{VOCABULARY}{name}"), "@type": DATE });
    document["@context"] =
        json!([V2, { "issuanceDate": dated("issuanceDate"), "expirationDate": dated("expirationDate") }]);
    assert_eq!(failed(&document), ["terms"]);
}

#[test]
fn a_subject_and_a_type_are_all_read_or_the_credential_is_refused() {
    let mut two = over();
    take(&mut two, "validUntil");
    take(&mut two, "credentialStatus");
    two["credentialSubject"] = json!([{ "id": "did:example:1" }, { "id": "did:example:2" }]);
    let mut document = signed(two, Suite::EddsaRdfc2022);
    document["credentialSubject"] = json!([{ "id": "did:example:1" }]);
    document[format!("{VOCABULARY}credentialSubject")] = json!([{ "@id": "did:example:2" }]);
    assert_eq!(failed(&document), ["terms"]);
    document["credentialSubject"] = json!([{ "id": "did:example:1" }, { "id": "did:example:2" }]);
    take(&mut document, &format!("{VOCABULARY}credentialSubject"));
    document["@type"] = json!(["https://example.org/More"]);
    assert!(failed(&document).contains(&"terms"));
}

#[derive(Debug)]
struct Trusts;

impl Judge for Trusts {
    fn judge(&self, _: &Map<String, Value>, _: consent::Timestamp) -> Finding {
        Finding::Holds("a list".to_owned())
    }
}

#[test]
fn a_list_of_issuers_is_not_asked_about_types_that_a_credential_names_itself() {
    let badge = |context: Value, kind: &str| {
        json!({
            "@context": [V2, context],
            "type": ["VerifiableCredential", kind],
            "credentialSubject": { "id": "did:example:1" },
        })
    };
    let visitor = badge(json!({ "VisitorBadge": "https://example.org/VisitorBadge" }), "VisitorBadge");
    let mut document = signed(visitor, Suite::EddsaRdfc2022);
    document["@context"] = json!([V2, { "StaffBadge": "https://example.org/VisitorBadge" }]);
    document["type"] = json!(["VerifiableCredential", "StaffBadge"]);
    let check = |policy: &Policy| verify_credential(document.to_string().as_bytes(), policy);
    // The signature is right, and without a list nobody goes by the name.
    assert!(check(&policy()).verified.is_some());
    assert_eq!(check(&Policy { trust: Some(Arc::new(Trusts)), ..policy() }).failed(), ["trust"]);
}

#[test]
fn contexts_that_are_worked_through_again_and_again_are_bounded() {
    let scoped = |inner: Value| json!({ "@context": [V2, { "Bomb": { "@id": "https://example.org/Bomb", "@context": inner } }] });
    let small: Map<String, Value> =
        (0..400).map(|number| (format!("t{number}"), json!(format!("https://example.org/{number}")))).collect();
    for (inner, count) in [(json!([V2]), 1), (json!({ "@import": V2 }), 1), (Value::Object(small), 1_900)] {
        let mut document = over();
        document["@context"] = scoped(inner)["@context"].clone();
        let objects: Vec<Value> = (0..count).map(|_| json!({ "type": ["Bomb", "Bomb", "Bomb"] })).collect();
        document["credentialSubject"] = json!({ "https://example.org/all": objects });
        document["issuer"] = json!(key().id().as_str());
        let options = IssueOptions::new(Suite::EddsaRdfc2022, "2026-11-22T12:00:00Z".parse().unwrap());
        let refused = issue(&document, &options, &key()).unwrap_err().to_string();
        assert!(["context", "terms"].iter().any(|word| refused.contains(word)), "{refused}");
    }
    // A long name that everything repeats.
    let mut document = over();
    document["credentialSubject"] = json!({
        "id": format!("urn:{}", "x".repeat(20_000)),
        "https://example.org/numbers": (0..2_000).collect::<Vec<_>>(),
    });
    document["issuer"] = json!(key().id().as_str());
    let options = IssueOptions::new(Suite::EddsaRdfc2022, "2026-11-22T12:00:00Z".parse().unwrap());
    let refused = issue(&document, &options, &key()).unwrap_err().to_string();
    assert!(refused.contains("bytes"), "{refused}");
}
