//! Any credential: every suite signs what every verifier reads, and every trick is refused by the check that names it.

use identity::Verification;
use identity::did_document::{DidUrl, KeyFormat, key_document};
use identity::vc::{
    IssueError, IssueOptions, KeyId, KeyIdError, KeyKind, MAX_BYTES, Policy, Signer, Suite, issue, verify_credential,
    verify_presentation,
};
use serde_json::{Value, json};

const V1: &str = "https://www.w3.org/2018/credentials/v1";
const DATA_INTEGRITY: &str = "https://w3id.org/security/data-integrity/v2";
const V2: &str = "https://www.w3.org/ns/credentials/v2";
const EXAMPLES: &str = "https://www.w3.org/ns/credentials/examples/v2";

const SUITES: [(Suite, KeyKind); 6] = [
    (Suite::EddsaRdfc2022, KeyKind::Ed25519),
    (Suite::EddsaJcs2022, KeyKind::Ed25519),
    (Suite::EcdsaRdfc2019, KeyKind::P256),
    (Suite::EcdsaRdfc2019, KeyKind::P384),
    (Suite::EcdsaJcs2019, KeyKind::P256),
    (Suite::EcdsaJcs2019, KeyKind::P384),
];

fn key(kind: KeyKind, number: u8) -> Signer {
    Signer::from_secret(kind, &vec![number; kind.secret_len()]).unwrap()
}

fn options(suite: Suite) -> IssueOptions {
    IssueOptions::new(suite, "2026-11-22T12:00:00Z".parse().unwrap())
}

fn policy() -> Policy {
    Policy::new("2026-11-22T13:00:00Z".parse().unwrap())
}

fn credential(issuer: &KeyId) -> Value {
    json!({
        "@context": [V2, EXAMPLES],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": issuer.as_str(),
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": { "id": "did:example:abcdefgh", "alumniOf": "The School of Examples", "grade": 1.5, "year": 7 },
    })
}

fn signed(suite: Suite, kind: KeyKind) -> Value {
    let key = key(kind, 7);
    issue(&credential(&key.id()), &options(suite), &key).unwrap()
}

fn check(document: &Value) -> Verification<Value> {
    verify_credential(document.to_string().as_bytes(), &policy())
}

#[track_caller]
fn fails_at(document: &Value, check_name: &str) {
    let verification = check(document);
    assert!(verification.verified.is_none());
    assert!(verification.failed().contains(&check_name), "{:?}", verification.checks);
}

#[test]
fn every_suite_with_every_key_makes_what_verifies_and_nothing_else() {
    for (suite, kind) in SUITES {
        let good = signed(suite, kind);
        assert!(check(&good).verified.is_some(), "{suite} {kind:?}: {:?}", check(&good).checks);
        assert_eq!(good, signed(suite, kind), "no randomness in a signature");
        for (place, value) in [
            ("/credentialSubject/alumniOf", json!("Another")),
            ("/credentialSubject/year", json!(8)),
            ("/validFrom", json!("2025-01-01T00:00:00Z")),
            ("/proof/created", json!("2026-11-22T12:00:01Z")),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(place).unwrap() = value;
            fails_at(&bad, "signature");
        }
        // The same bytes under the other suite of the same keys.
        for (other, _) in SUITES.iter().filter(|(other, _)| *other != suite && other.takes(kind)) {
            let mut bad = good.clone();
            bad["proof"]["cryptosuite"] = json!(other.name());
            fails_at(&bad, "signature");
        }
    }
    let ed = key(KeyKind::Ed25519, 7);
    let wrong = issue(&credential(&ed.id()), &options(Suite::EcdsaRdfc2019), &ed);
    assert_eq!(wrong, Err(IssueError::Suite));
    assert_eq!(issue(&credential(&ed.id()), &options(Suite::Ed25519Signature2020), &ed), Err(IssueError::Suite));
}

#[test]
fn nobody_signs_in_another_name() {
    let (own, other) = (key(KeyKind::P256, 7), key(KeyKind::P256, 8));
    let document = credential(&other.id());
    assert_eq!(issue(&document, &options(Suite::EcdsaRdfc2019), &own), Err(IssueError::OtherName));
    let forced = IssueOptions { own_name: false, ..options(Suite::EcdsaRdfc2019) };
    let spoofed = issue(&document, &forced, &own).unwrap();
    assert_eq!(check(&spoofed).failed(), ["signer-is-issuer"]);
    let proof_only = Policy { binding: false, ..policy() };
    assert!(verify_credential(spoofed.to_string().as_bytes(), &proof_only).verified.is_some());
}

#[test]
fn purpose_time_suite_and_audience_are_compared() {
    let good = signed(Suite::EddsaRdfc2022, KeyKind::Ed25519);
    for (place, value, name) in [
        ("/proof/proofPurpose", json!("authentication"), "purpose"),
        ("/proof/created", json!("2027-01-01T00:00:00Z"), "created"),
        ("/proof/created", json!("2026-11-22T12:00:00"), "created"),
        ("/proof/cryptosuite", json!("eddsa-rdfc-2021"), "suite"),
        ("/proof/type", json!("JsonWebSignature2020"), "suite"),
        ("/proof/proofValue", json!("uAAAA"), "signature"),
        ("/proof/proofValue", json!("z0OIl"), "signature"),
        ("/proof/proofValue", json!(format!("z{}", "1".repeat(500_000))), "signature"),
        ("/proof/verificationMethod", json!("did:key:z6Mkfoo#z6Mkfoo"), "signer-is-issuer"),
        ("/proof", json!([]), "proof-count"),
        ("/proof", json!("x"), "proof-count"),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        fails_at(&bad, name);
    }
    for name in ["type", "verificationMethod", "proofPurpose", "proofValue"] {
        let mut bad = good.clone();
        bad["proof"].as_object_mut().unwrap().remove(name);
        fails_at(&bad, "proof-shape");
    }
    // The moment is optional, though this one was signed with it; not for who sets an age, and not in the suite of 2020.
    let mut undated = good.clone();
    undated["proof"].as_object_mut().unwrap().remove("created");
    assert_eq!(check(&undated).failed(), ["signature"]);
    let fresh = Policy { max_proof_age: Some(3600), ..policy() };
    assert_eq!(verify_credential(undated.to_string().as_bytes(), &fresh).failed(), ["freshness", "signature"]);
    undated["proof"]["type"] = json!("Ed25519Signature2020");
    undated["proof"].as_object_mut().unwrap().remove("cryptosuite");
    fails_at(&undated, "proof-shape");
    let key = key(KeyKind::Ed25519, 7);
    let over = IssueOptions { expires: Some("2026-11-22T12:30:00Z".parse().unwrap()), ..options(Suite::EddsaJcs2022) };
    assert_eq!(check(&issue(&credential(&key.id()), &over, &key).unwrap()).failed(), ["expires"]);
    for (name, value, failed) in
        [("validUntil", "2026-11-22T12:59:59Z", "valid-until"), ("validFrom", "2026-12-01T00:00:00Z", "valid-from")]
    {
        let mut document = credential(&key.id());
        document[name] = json!(value);
        assert_eq!(check(&issue(&document, &options(Suite::EddsaRdfc2022), &key).unwrap()).failed(), [failed]);
    }
    let only = Policy { suites: vec![Suite::EcdsaRdfc2019], ..policy() };
    assert!(verify_credential(good.to_string().as_bytes(), &only).failed().contains(&"suite"));

    let addressed = IssueOptions { domain: Some("b.example".to_owned()), ..options(Suite::EddsaRdfc2022) };
    let addressed = issue(&credential(&key.id()), &addressed, &key).unwrap().to_string();
    for (own, fine) in [(None, false), (Some("a.example"), false), (Some("b.example"), true)] {
        let verification =
            verify_credential(addressed.as_bytes(), &Policy { domain: own.map(str::to_owned), ..policy() });
        assert_eq!(verification.verified.is_some(), fine, "{own:?}");
    }
}

#[test]
fn sets_and_chains_hold_together() {
    let (issuer, witness) = (key(KeyKind::Ed25519, 7), key(KeyKind::P384, 9));
    let named = |id: &str| IssueOptions { id: Some(id.to_owned()), own_name: false, ..options(Suite::EcdsaRdfc2019) };
    let first = issue(&credential(&issuer.id()), &named("urn:proof:1"), &witness).unwrap();
    fails_at(&first, "signer-is-issuer");
    let follows = IssueOptions { previous: vec!["urn:proof:1".to_owned()], ..options(Suite::EddsaRdfc2022) };
    let chain = issue(&first, &follows, &issuer).unwrap();
    assert!(check(&chain).verified.is_some(), "{:?}", check(&chain).checks);

    let mut removed = chain.clone();
    removed["proof"].as_array_mut().unwrap().remove(0);
    fails_at(&removed, "previous-proof");
    let mut cut = chain.clone();
    cut["proof"].as_array_mut().unwrap().pop();
    fails_at(&cut, "signer-is-issuer");
    let mut changed = chain.clone();
    changed["proof"][0]["created"] = json!("2026-11-22T11:00:00Z");
    fails_at(&changed, "signature");
    let foreign = issue(&chain, &named("urn:proof:3"), &witness).unwrap();
    fails_at(&foreign, "signer-is-issuer");
    let mut circle = chain.clone();
    circle["proof"][1]["id"] = json!("urn:proof:2");
    circle["proof"][0]["previousProof"] = json!("urn:proof:2");
    fails_at(&circle, "previous-proof");
    let unknown = IssueOptions { previous: vec!["urn:proof:9".to_owned()], ..options(Suite::EddsaRdfc2022) };
    assert!(matches!(issue(&first, &unknown, &issuer), Err(IssueError::Options(_))));
    // A set of the issuer's own proofs.
    let jcs = issue(&chain, &options(Suite::EddsaJcs2022), &issuer).unwrap();
    assert!(check(&jcs).verified.is_some(), "{:?}", check(&jcs).checks);
}

#[test]
fn terms_that_can_not_be_told_are_neither_signed_nor_verified() {
    let key = key(KeyKind::Ed25519, 7);
    let with = |change: fn(&mut Value)| {
        let mut document = credential(&key.id());
        change(&mut document);
        document
    };
    let cases: [fn(&mut Value); 14] = [
        |d| d["@context"] = json!([V2]),
        |d| d["@context"] = json!([V2, "https://example.org/unknown"]),
        |d| d["@context"] = json!([EXAMPLES, V2]),
        |d| d["@context"] = json!(V2),
        |d| d["@context"] = json!([V2, V1, EXAMPLES]),
        |d| d["@context"] = json!([V2, EXAMPLES, { "name": "https://evil.example/name" }]),
        |d| d["@context"] = json!([V2, EXAMPLES, { "VerifiableCredential": "https://evil.example/X" }]),
        |d| d["@context"] = json!([V2, EXAMPLES, { "alumniOf": null }]),
        |d| d["@context"] = json!([V2, EXAMPLES, { "alumniOf": "@index" }]),
        |d| d["@context"] = json!([V2, EXAMPLES, null]),
        |d| d["credentialSubject"]["@index"] = json!("not signed"),
        |d| d["credentialSubject"]["@unheard"] = json!("not signed"),
        |d| d["credentialSubject"]["id"] = json!("relative"),
        |d| d["credentialSubject"] = json!({ "@context": { "alumniOf": { "@id": null } }, "alumniOf": "x" }),
    ];
    for (number, change) in cases.into_iter().enumerate() {
        let document = with(change);
        for suite in [Suite::EddsaRdfc2022, Suite::EddsaJcs2022] {
            let made = issue(&document, &options(suite), &key);
            assert!(matches!(made, Err(IssueError::Document(_))), "{number} {suite}: {made:?}");
        }
        let mut forged = document;
        forged["proof"] = signed(Suite::EddsaRdfc2022, KeyKind::Ed25519)["proof"].clone();
        assert!(check(&forged).verified.is_none(), "{number}");
    }
    // A context after the fact changes nothing that JSON hashes cover.
    let mut late = signed(Suite::EddsaJcs2022, KeyKind::Ed25519);
    late["proof"]["@context"] = json!([V2]);
    fails_at(&late, "signature");
}

#[test]
fn a_context_may_be_a_whole_context_document() {
    let key = key(KeyKind::Ed25519, 7);
    let with = |context: Value| {
        let mut document = credential(&key.id());
        document["@context"] = json!([V2, context]);
        document["type"] = json!(["VerifiableCredential"]);
        document["credentialSubject"] = json!({ "grade": 1 });
        document
    };
    let grade = json!({ "grade": "https://example.org/grade" });
    let mut made = issue(&with(json!({ "@context": grade })), &options(Suite::EddsaRdfc2022), &key).unwrap();
    assert!(check(&made).verified.is_some(), "{:?}", check(&made).checks);
    made["@context"] = json!([V2, grade]);
    assert!(check(&made).verified.is_some(), "the same statements");
    for context in [
        json!({ "@context": grade, "grade": "https://example.org/other" }),
        json!({ "@context": { "@context": grade } }),
        json!({ "@context": "https://example.org/unknown" }),
        json!({ "@context": { "VerifiableCredential": "https://evil.example/X" } }),
        json!({ "@context": { "grade": null } }),
    ] {
        let made = issue(&with(context.clone()), &options(Suite::EddsaRdfc2022), &key);
        assert!(matches!(made, Err(IssueError::Document(_))), "{context}: {made:?}");
    }
}

#[test]
fn the_data_model_is_kept() {
    let key = key(KeyKind::Ed25519, 7);
    for (name, values) in [
        ("type", vec![json!(null), json!("VerifiableCredential"), json!([]), json!([4]), json!(["Other"])]),
        ("issuer", vec![json!(null), json!(true), json!(4), json!([]), json!("x"), json!({})]),
        ("credentialSubject", vec![json!(null), json!(true), json!(4), json!([]), json!("x"), json!({}), json!([{}])]),
        (
            "validUntil",
            vec![json!("2025-01-01T00:00:00Z"), json!("2027-01-01"), json!("2027-01-01T00:00:00"), json!(4)],
        ),
        ("id", vec![json!("x"), json!(["urn:a"]), json!(4)]),
        ("name", vec![json!(4), json!({ "@value": "x", "extra": "y" }), json!({ "@value": 4 })]),
        ("credentialStatus", vec![json!({ "id": "urn:a" }), json!("x")]),
        ("credentialSchema", vec![json!({ "id": "urn:a" }), json!({ "type": "JsonSchema" })]),
        ("refreshService", vec![json!({ "id": "urn:a" })]),
        ("termsOfUse", vec![json!({ "id": "urn:a" })]),
        ("evidence", vec![json!({ "id": "urn:a" })]),
    ] {
        for value in values {
            let mut document = credential(&key.id());
            document[name] = value.clone();
            let made = issue(&document, &options(Suite::EddsaRdfc2022), &key);
            assert!(matches!(made, Err(IssueError::Document(_))), "{name} {value}: {made:?}");
        }
    }
    let old = json!({
        "@context": [V1],
        "type": ["VerifiableCredential"],
        "issuer": { "id": key.id().as_str() },
        "issuanceDate": "2026-01-01T00:00:00Z",
        "expirationDate": "2027-01-01T00:00:00Z",
        "credentialSubject": { "id": "did:example:1" },
    });
    for (suite, _) in SUITES.iter().take(2) {
        let made = issue(&old, &options(*suite), &key).unwrap();
        assert!(check(&made).verified.is_some(), "{suite}: {:?}", check(&made).checks);
        assert_eq!(made["@context"], json!([V1, DATA_INTEGRITY]), "the document says what its proof means");
    }
    let mut undated = old.clone();
    undated.as_object_mut().unwrap().remove("issuanceDate");
    assert!(issue(&undated, &options(Suite::EddsaJcs2022), &key).is_err());
}

#[test]
fn a_presentation_answers_one_challenge_of_one_verifier() {
    let holder = key(KeyKind::P256, 3);
    let held = signed(Suite::EddsaRdfc2022, KeyKind::Ed25519);
    let document = json!({
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": holder.id().as_str(),
        "verifiableCredential": [held],
    });
    let mut own = options(Suite::EcdsaRdfc2019);
    (own.challenge, own.domain) = (Some("c1".to_owned()), Some("b.example".to_owned()));
    let presented = issue(&document, &own, &holder).unwrap();
    let verify = |document: &Value, challenge: Option<&str>, domain: Option<&str>, unsigned| {
        let (challenge, domain) = (challenge.map(str::to_owned), domain.map(str::to_owned));
        let policy = Policy { challenge, domain, unsigned, ..policy() };
        verify_presentation(document.to_string().as_bytes(), &policy)
    };
    let good = verify(&presented, Some("c1"), Some("b.example"), false);
    assert!(good.presentation.verified.is_some(), "{:?}", good.presentation.checks);
    for (challenge, domain, failed) in [
        (Some("c2"), Some("b.example"), "challenge"),
        (None, Some("b.example"), "challenge"),
        (Some("c1"), Some("a.example"), "audience"),
        (Some("c1"), None, "audience"),
    ] {
        assert_eq!(verify(&presented, challenge, domain, false).presentation.failed(), [failed]);
    }
    let mut swapped = presented.clone();
    swapped["holder"] = json!(key(KeyKind::P256, 4).id().as_str());
    assert!(verify(&swapped, Some("c1"), Some("b.example"), false).presentation.failed().contains(&"signer-is-issuer"));
    let mut spoiled = presented.clone();
    spoiled["verifiableCredential"][0]["credentialSubject"]["alumniOf"] = json!("Another");
    let report = verify(&spoiled, Some("c1"), Some("b.example"), false);
    assert!(report.presentation.failed().contains(&"credentials"));
    assert_eq!(report.credentials[0].failed(), ["signature"]);
    // Without a proof only where the verifier says so.
    let mut bare = presented;
    bare.as_object_mut().unwrap().remove("proof");
    assert!(verify(&bare, None, None, false).presentation.verified.is_none());
    assert!(verify(&bare, None, None, true).presentation.verified.is_some());
}

#[test]
fn hostile_bytes_are_refused_before_they_cost_anything() {
    let good = signed(Suite::EddsaRdfc2022, KeyKind::Ed25519).to_string();
    let verify = |text: &str| verify_credential(text.as_bytes(), &policy()).failed();
    assert_eq!(verify(&format!("{good}{}", " ".repeat(MAX_BYTES))), ["size"]);
    assert_eq!(verify(&"[".repeat(900_000)), ["json"]);
    assert_eq!(verify(&good.replacen("\"issuer\":", "\"issuer\":\"x\",\"issuer\":", 1)), ["json"]);
    for number in ["1e999", "9007199254740993", "1e22", "01", "1e-999", "1."] {
        assert_eq!(verify(&good.replacen("1.5", number, 1)), ["json"], "{number}");
    }
    let key = key(KeyKind::Ed25519, 7);
    let mut deep = json!("x");
    for _ in 0..25 {
        deep = json!({ "in": deep });
    }
    let mut document = credential(&key.id());
    document["credentialSubject"]["deep"] = deep;
    assert!(issue(&document, &options(Suite::EddsaRdfc2022), &key).is_ok(), "what is let in has room");
    document["credentialSubject"]["many"] = Value::Array(vec![json!({}); 2_100]);
    assert!(matches!(issue(&document, &options(Suite::EddsaRdfc2022), &key), Err(IssueError::Document(_))));
}

#[test]
fn a_graph_of_look_alikes_is_given_up() {
    // Every node knows every other one, and nothing tells them apart.
    let names: Vec<String> = (0..12).map(|number| format!("_:n{number}")).collect();
    let others =
        |own: &String| names.iter().filter(|name| *name != own).map(|name| json!({ "id": name })).collect::<Vec<_>>();
    let nodes: Vec<Value> = names.iter().map(|name| json!({ "id": name, "knows": others(name) })).collect();
    let key = key(KeyKind::Ed25519, 7);
    let mut document = credential(&key.id());
    document["credentialSubject"]["friends"] = json!(nodes);
    let made = issue(&document, &options(Suite::EddsaRdfc2022), &key);
    assert!(matches!(&made, Err(IssueError::Document(why)) if why.contains("look alike")), "{made:?}");
}

#[test]
fn a_key_has_one_text() {
    for kind in [KeyKind::Ed25519, KeyKind::P256, KeyKind::P384] {
        let id = key(kind, 7).id();
        assert_eq!(id.as_str().parse::<KeyId>(), Ok(id.clone()));
        assert_eq!(KeyId::from_verification_method(&id.verification_method()), Ok(id.clone()));
        assert!(KeyId::from_verification_method(id.as_str()).is_err());
        assert_eq!(
            key_document(&DidUrl::parse_did(id.as_str()).unwrap(), KeyFormat::Multikey).unwrap().json()["verificationMethod"]
                [0]["publicKeyMultibase"],
            id.multibase()
        );
    }
    // Of the did:key specification.
    for text in [
        "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
        "did:key:z82Lm1MpAkeJcix9K8TMiLd5NMAhnwkjjCBeWHXyu3U4oT2MVJJKXkcVBgjGhnLBn2Kaau9",
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    ] {
        assert_eq!(text.parse::<KeyId>().map(|id| id.to_string()), Ok(text.to_owned()));
    }
    for (text, error) in [
        ("did:web:example.org", KeyIdError::Method),
        ("did:key", KeyIdError::Invalid),
        ("did:key:", KeyIdError::Invalid),
        ("did:key:z", KeyIdError::KeyType),
        ("did:key:u7QE", KeyIdError::Invalid),
        ("did:key:z0OIl", KeyIdError::Invalid),
        ("did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc", KeyIdError::KeyType),
        ("did:key:z2DQV5Tm64jwFsRi2chqem1Wt2aP6bP34vi2itLNof8JFdG", KeyIdError::Length),
        ("example", KeyIdError::Invalid),
    ] {
        assert_eq!(text.parse::<KeyId>(), Err(error), "{text}");
    }
}
