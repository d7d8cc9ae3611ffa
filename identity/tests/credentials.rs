//! Credentials and presentations: what is made verifies, and each attack fails at the check that is meant for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may break off and print")]

mod common;

use common::*;
use consent::{DataKind, Modifier, Permission, Policy, TermSystem};
use identity::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn expected(challenge: Option<&str>) -> ExpectedPresentation {
    ExpectedPresentation {
        transaction: None,
        challenge: challenge.map(str::to_owned),
        domain: "wallet.example".to_owned(),
        now: now().plus_seconds(60),
        max_age_seconds: 300,
    }
}

#[track_caller]
fn assert_fails<T>(verification: &Verification<T>, names: &[&str]) {
    assert!(verification.verified.is_none());
    assert_eq!(verification.failed(), names, "{:#?}", verification.checks);
}

#[track_caller]
fn assert_passes<T>(verification: Verification<T>) -> T {
    assert!(verification.failed().is_empty(), "{:#?}", verification.checks);
    assert!(verification.checks.iter().all(|check| check.result == CheckResult::Passed));
    verification.verified.expect("verified").into_inner()
}

#[tokio::test]
async fn a_consent_verifies_and_carries_its_claims() {
    let credential = consent_credential().await;
    println!("{}", serde_json::to_string_pretty(credential.value()).unwrap());
    let verified = assert_passes(verify_consent(&credential.to_bytes(), now()).await);
    assert_eq!(verified.claims, consent_claims());
    assert_eq!(verified.credential, credential);
    assert_eq!(credential.value()["validUntil"], "2028-12-31T23:59:59Z");
    assert_eq!(credential.hash(), canonical::sha256(&credential.to_bytes()));
    let again: Credential = serde_json::from_slice(&serde_json::to_vec(&credential).unwrap()).unwrap();
    assert_eq!((again.id(), again.hash()), (credential.id(), credential.hash()));
    assert_ne!(consent_credential().await.id(), credential.id());
}

#[tokio::test]
async fn an_enrolment_verifies_and_carries_its_claims() {
    let (from, until) = (now(), now().plus_seconds(365 * DAY));
    let credential = issue_enrolment(&biobank(), &enrolment_claims(), from, until).await.unwrap();
    let (issuer, subject) = (biobank().did(), donor().did());
    let bytes = credential.to_bytes();
    let verified = assert_passes(verify_enrolment(&bytes, &issuer, &issuer, &subject, now()).await);
    assert_eq!(verified, enrolment_claims());
    assert_fails(&verify_enrolment(&bytes, &issuer, &issuer, &attacker().did(), now()).await, &["claims"]);
    assert_fails(&verify_enrolment(&bytes, &attacker().did(), &issuer, &subject, now()).await, &["claims"]);
    assert_fails(&verify_enrolment(&bytes, &issuer, &attacker().did(), &subject, now()).await, &["signer-is-issuer"]);
    // A stranger can say it, and nobody who knows by which key the biobank speaks believes it.
    let strangers = issue_enrolment(&attacker(), &enrolment_claims(), from, until).await.unwrap().to_bytes();
    assert_fails(&verify_enrolment(&strangers, &issuer, &issuer, &subject, now()).await, &["signer-is-issuer"]);
    assert_fails(&verify_enrolment(&bytes, &issuer, &issuer, &subject, until.plus_seconds(1)).await, &["valid-until"]);
    assert_fails(
        &verify_enrolment(&bytes, &issuer, &issuer, &subject, from.plus_seconds(-301)).await,
        &["created", "valid-from"],
    );
}

#[tokio::test]
async fn a_presentation_verifies_and_hands_out_its_credentials() {
    for challenge in [Some("3d1f0a9c"), None] {
        let presentation = presentation(challenge).await;
        let held = assert_passes(verify_presentation(&presentation.to_bytes(), &expected(challenge)).await);
        assert_eq!(held.holder, donor().did());
        assert_eq!(held.credentials.len(), 1);
        assert_passes(verify_consent(&held.credentials[0].to_bytes(), now()).await);
    }
    let empty = present(&donor(), &[], Some("x1"), "wallet.example", now(), now().plus_seconds(60)).await.unwrap();
    let held = assert_passes(verify_presentation(&empty.to_bytes(), &expected(Some("x1"))).await);
    assert!(held.credentials.is_empty());
}

fn hierarchy(system: &str) -> TermSystem {
    TermSystem { system: system.to_owned(), version: "2026-05-05".to_owned() }
}

#[tokio::test]
async fn every_term_of_a_policy_is_covered_by_the_signature() {
    let variants = |policy: Policy| ConsentClaims { policy, ..consent_claims() };
    let base = Policy { modifiers: Vec::new(), until: None, data: Some(vec![DataKind::Survey]), ..policy() };
    let mut all = Vec::new();
    for permission in [Permission::Nres, Permission::Gru, Permission::Hmb, Permission::Ds, Permission::Poa] {
        let diseases = if permission == Permission::Ds { vec!["MONDO:0005148".to_owned()] } else { Vec::new() };
        let ontology = (permission == Permission::Ds).then(|| hierarchy("MONDO"));
        all.push(variants(Policy { permissions: vec![permission], diseases, ontology, ..base.clone() }));
    }
    let (npu, ncu, nmds, npoa) = (Modifier::Npu, Modifier::Ncu, Modifier::Nmds, Modifier::Npoa);
    let gs = |place: &str| Modifier::Gs { places: vec![place.to_owned()] };
    for modifier in [npu, ncu, nmds, npoa, gs("DE"), gs("FR"), Modifier::Irb, Modifier::Pub, Modifier::Rtn] {
        all.push(variants(Policy { modifiers: vec![modifier], ..base.clone() }));
    }
    use DataKind::*;
    for kind in [Genome, HealthRecord, Sample, Imaging, Device] {
        all.push(variants(Policy { data: Some(vec![kind]), ..base.clone() }));
    }
    for disease in ["MONDO:0004975", "DOID:9352"] {
        let (permissions, diseases) = (vec![Permission::Ds], vec![disease.to_owned()]);
        let ontology = disease.split_once(':').map(|(system, _)| hierarchy(system));
        all.push(variants(Policy { permissions, diseases, ontology, ..base.clone() }));
    }

    let mut previous: Option<Value> = None;
    for claims in all {
        let credential = issue_consent(&donor(), &claims, now()).await.unwrap();
        assert_passes(verify_consent(&credential.to_bytes(), now()).await);
        if let Some(previous) = previous {
            // The claims of one credential under the proof of another: well-formed, but not what was signed.
            let swapped = changed(credential.value(), |value| {
                value["credentialSubject"]["dataUse"] = previous["credentialSubject"]["dataUse"].clone();
            });
            assert_fails(&verify_consent(&swapped, now()).await, &["signature"]);
        }
        previous = Some(credential.value().clone());
    }
}

#[tokio::test]
async fn an_edited_field_fails_at_the_signature() {
    let credential = consent_credential().await;
    let other = key(9).did().to_string();
    let subject = |name: &'static str, value: Value| {
        changed(credential.value(), move |json| json["credentialSubject"][name] = value)
    };
    let edited = [
        subject("biobank", json!(other)),
        subject("recipient", json!(other)),
        subject("study", json!("heart-2027")),
        subject("studyVersion", json!(4)),
        changed(credential.value(), |json| json["credentialSubject"]["notice"]["sha256"] = json!("cd".repeat(32))),
        changed(credential.value(), |json| json["credentialSubject"]["notice"]["language"] = json!("en")),
        changed(credential.value(), |json| json["id"] = json!("urn:uuid:00000000-0000-4000-8000-000000000000")),
        changed(credential.value(), |json| json["validFrom"] = json!("2026-11-22T11:59:59Z")),
        changed(credential.value(), |json| json["proof"]["created"] = json!("2026-11-22T11:59:59Z")),
        changed(credential.value(), |json| {
            json["validUntil"] = json!("2029-12-31T23:59:59Z");
            json["credentialSubject"]["dataUse"]["until"] = json!("2029-12-31");
        }),
    ];
    for (number, bytes) in edited.iter().enumerate() {
        assert!(bytes != &credential.to_bytes());
        let verification = verify_consent(bytes, now()).await;
        assert_eq!(verification.failed(), ["signature"], "edit {number}: {:#?}", verification.checks);
    }
    let bytes = changed(credential.value(), |json| {
        let value = json["proof"]["proofValue"].as_str().unwrap().to_owned();
        let last = if value.ends_with('2') { "3" } else { "2" };
        json["proof"]["proofValue"] = json!(format!("{}{last}", &value[..value.len() - 1]));
    });
    assert_fails(&verify_consent(&bytes, now()).await, &["signature"]);
}

/// The attacker signs with their own key and writes the donor's DID as issuer.
#[tokio::test]
async fn a_spoofed_issuer_fails_at_the_signer() {
    let claims = ConsentClaims { subject: attacker().did(), ..consent_claims() };
    let forged = issue_consent(&attacker(), &claims, now()).await.unwrap();
    let donor = donor().did().to_string();
    let bytes = changed(forged.value(), |json| {
        json["issuer"] = json!(donor);
        json["credentialSubject"]["id"] = json!(donor);
    });
    assert_fails(&verify_consent(&bytes, now()).await, &["signer-is-issuer"]);
    // The same with the donor's key named: now the signature is not of that key.
    let bytes = changed(forged.value(), |json| {
        json["issuer"] = json!(donor);
        json["credentialSubject"]["id"] = json!(donor);
        json["proof"]["verificationMethod"] = json!(common::donor().did().verification_method());
    });
    assert_fails(&verify_consent(&bytes, now()).await, &["signature"]);
    // Consent for somebody else under one's own name.
    let bytes = changed(forged.value(), |json| json["credentialSubject"]["id"] = json!(donor));
    assert_fails(&verify_consent(&bytes, now()).await, &["signer-is-issuer"]);
}

#[tokio::test]
async fn a_spoofed_holder_fails_at_the_signer() {
    let stolen = consent_credential().await;
    let at = (now(), now().plus_seconds(600));
    // Somebody who got hold of the credential presents it as their own.
    let own = present(&attacker(), &[stolen], Some("c1"), "wallet.example", at.0, at.1).await.unwrap();
    assert_fails(&verify_presentation(&own.to_bytes(), &expected(Some("c1"))).await, &["claims"]);
    let bytes = changed(own.value(), |json| json["holder"] = json!(donor().did()));
    assert_fails(&verify_presentation(&bytes, &expected(Some("c1"))).await, &["signer-is-issuer"]);
}

#[tokio::test]
async fn a_swapped_purpose_fails_at_the_purpose() {
    let credential = consent_credential().await;
    for purpose in ["authentication", "keyAgreement", "capabilityInvocation", ""] {
        let bytes = changed(credential.value(), |json| json["proof"]["proofPurpose"] = json!(purpose));
        assert_fails(&verify_consent(&bytes, now()).await, &["purpose"]);
    }
    let presentation = presentation(Some("c1")).await;
    let bytes = changed(presentation.value(), |json| json["proof"]["proofPurpose"] = json!("assertionMethod"));
    assert_fails(&verify_presentation(&bytes, &expected(Some("c1"))).await, &["purpose"]);
}

#[tokio::test]
async fn a_replay_fails_at_the_challenge_the_audience_or_the_time() {
    let bytes = presentation(Some("c1")).await.to_bytes();
    assert_fails(&verify_presentation(&bytes, &expected(Some("c2"))).await, &["challenge"]);
    assert_fails(&verify_presentation(&bytes, &expected(None)).await, &["challenge"]);
    let unasked = presentation(None).await.to_bytes();
    assert_fails(&verify_presentation(&unasked, &expected(Some("c1"))).await, &["challenge"]);

    let other = ExpectedPresentation { domain: "other.example".to_owned(), ..expected(Some("c1")) };
    assert_fails(&verify_presentation(&bytes, &other).await, &["audience"]);

    let at = |seconds| ExpectedPresentation { now: now().plus_seconds(seconds), ..expected(Some("c1")) };
    assert_fails(&verify_presentation(&bytes, &at(301)).await, &["created"]);
    assert_fails(&verify_presentation(&bytes, &at(-301)).await, &["created"]);
    assert_passes(verify_presentation(&bytes, &at(-300)).await);
    let patient = ExpectedPresentation { max_age_seconds: 3600, ..at(601) };
    assert_fails(&verify_presentation(&bytes, &patient).await, &["expires"]);
}

#[tokio::test]
async fn edited_proof_options_fail_at_the_signature() {
    let presentation = presentation(Some("c1")).await;
    let edit = |name: &'static str, value: &'static str| {
        changed(presentation.value(), move |json| json["proof"][name] = json!(value))
    };
    let bytes = edit("challenge", "c2");
    assert_fails(&verify_presentation(&bytes, &expected(Some("c2"))).await, &["signature"]);
    let bytes = edit("domain", "other.example");
    let other = ExpectedPresentation { domain: "other.example".to_owned(), ..expected(Some("c1")) };
    assert_fails(&verify_presentation(&bytes, &other).await, &["signature"]);
    for (name, value) in [("expires", "2030-01-01T00:00:00Z"), ("created", "2026-11-22T12:00:30Z")] {
        let bytes = edit(name, value);
        assert_fails(&verify_presentation(&bytes, &expected(Some("c1"))).await, &["signature"]);
    }
}

#[tokio::test]
async fn more_or_fewer_proofs_fail_at_their_count() {
    let credential = consent_credential().await;
    let two = |json: &mut Value| json["proof"] = json!([json["proof"].clone(), json["proof"].clone()]);
    assert_fails(&verify_consent(&changed(credential.value(), two), now()).await, &["proof-count"]);
    let one = |json: &mut Value| json["proof"] = json!([json["proof"].clone()]);
    assert_fails(&verify_consent(&changed(credential.value(), one), now()).await, &["proof-count"]);
    let none = changed(credential.value(), |json| {
        json.as_object_mut().unwrap().remove("proof");
    });
    assert_fails(&verify_consent(&none, now()).await, &["proof-count"]);
    let not_made: Vec<_> = verify_consent(&none, now()).await.checks;
    assert!(not_made.iter().any(|check| check.name == "signature" && check.result == CheckResult::NotMade));

    let presentation = presentation(None).await;
    assert_fails(&verify_presentation(&changed(presentation.value(), two), &expected(None)).await, &["proof-count"]);
    // A credential without its proof inside a presentation.
    let bare = changed(presentation.value(), |json| {
        json["verifiableCredential"][0].as_object_mut().unwrap().remove("proof");
    });
    assert_fails(&verify_presentation(&bare, &expected(None)).await, &["claims"]);
}

#[tokio::test]
async fn other_contexts_fail_at_the_context() {
    let credential = consent_credential().await;
    let (v2, ours) = (json!("https://www.w3.org/ns/credentials/v2"), json!(CONTEXT_CONSENT));
    let redefinition = json!({ "recipient": "https://evil.example/ignored", "GRU": "https://evil.example/HMB" });
    let contexts = [
        json!([v2, ours, "https://evil.example/context"]),
        json!([v2, "https://evil.example/context"]),
        json!([v2, ours, redefinition]),
        json!([v2, redefinition]),
        json!([ours, v2]),
        json!([v2]),
        json!(v2),
        json!([]),
        json!(null),
    ];
    for context in contexts {
        let bytes = changed(credential.value(), |json| json["@context"] = context.clone());
        assert_fails(&verify_consent(&bytes, now()).await, &["context"]);
    }
    // A context further inside is a member that is not known.
    let inner = changed(credential.value(), |json| json["credentialSubject"]["@context"] = redefinition.clone());
    assert_fails(&verify_consent(&inner, now()).await, &["claims"]);
    let presentation = presentation(None).await;
    let inner = changed(presentation.value(), |json| {
        json["verifiableCredential"][0]["@context"] = json!([v2, ours, redefinition]);
    });
    assert_fails(&verify_presentation(&inner, &expected(None)).await, &["claims"]);
}

#[tokio::test]
async fn other_types_fail_at_the_type() {
    let credential = consent_credential().await;
    for types in [json!(["VerifiableCredential"]), json!(["VerifiableCredential", "BiobankEnrolmentCredential"])] {
        let bytes = changed(credential.value(), |json| json["type"] = types);
        assert_fails(&verify_consent(&bytes, now()).await, &["type"]);
    }
    // An enrolment is no consent, and a presentation is neither.
    let enrolment = issue_enrolment(&biobank(), &enrolment_claims(), now(), now().plus_seconds(DAY)).await.unwrap();
    let failed = verify_consent(&enrolment.to_bytes(), now()).await.failed();
    assert!(failed.contains(&"type") && failed.contains(&"claims"), "{failed:?}");
}

#[tokio::test]
async fn foreign_suites_fail_at_the_suite() {
    let credential = consent_credential().await;
    for suite in ["ecdsa-rdfc-2019", "eddsa-jcs-2022", "bbs-2023", ""] {
        let bytes = changed(credential.value(), |json| json["proof"]["cryptosuite"] = json!(suite));
        assert_fails(&verify_consent(&bytes, now()).await, &["suite"]);
    }
    let old = changed(credential.value(), |json| json["proof"]["type"] = json!("Ed25519Signature2020"));
    assert_fails(&verify_consent(&old, now()).await, &["suite"]);
    for (name, value) in [("@context", json!({ "x": "https://evil.example/" })), ("nonce", json!("1"))] {
        let bytes = changed(credential.value(), |json| json["proof"][name] = value);
        assert_fails(&verify_consent(&bytes, now()).await, &["suite"]);
    }
}

#[tokio::test]
async fn unknown_terms_fail_at_the_claims() {
    let credential = consent_credential().await;
    let edits: [fn(&mut Value); 10] = [
        |json| json["evidence"] = json!("none"),
        |json| json["credentialSubject"]["extra"] = json!(1),
        |json| json["credentialSubject"]["dataUse"]["extra"] = json!(1),
        |json| json["credentialSubject"]["dataUse"]["status"] = json!("active"),
        |json| json["credentialSubject"]["dataUse"]["permissions"] = json!(["ALL"]),
        |json| json["credentialSubject"]["dataUse"]["permissions"] = json!(["HMB", "HMB"]),
        |json| json["credentialSubject"]["dataUse"]["modifiers"] = json!([{ "code": "XYZ" }]),
        |json| json["credentialSubject"]["dataUse"]["modifiers"][0]["places"] = json!(["DE"]),
        |json| json["credentialSubject"]["dataUse"]["data"] = json!(["genome", "thoughts"]),
        |json| json["id"] = json!("urn:uuid:00000000-0000-4000-8000-00000000000A"),
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let verification = verify_consent(&changed(credential.value(), edit), now()).await;
        assert_eq!(verification.failed(), ["claims"], "edit {number}: {:#?}", verification.checks);
    }
}

#[tokio::test]
async fn hostile_bytes_fail_before_anything_is_parsed() {
    let big = vec![b' '; 10_000_000];
    assert_fails(&verify_consent(&big, now()).await, &["size"]);
    assert_fails(&verify_presentation(&big, &expected(None)).await, &["size"]);
    let levels = 10_000;
    for (open, inner, close) in [("[", "", "]"), (r#"{"a":"#, "1", "}")] {
        let deep = format!("{}{inner}{}", open.repeat(levels), close.repeat(levels));
        assert_fails(&verify_consent(deep.as_bytes(), now()).await, &["json"]);
        assert_fails(&verify_presentation(deep.as_bytes(), &expected(None)).await, &["json"]);
    }
    let text = String::from_utf8(consent_credential().await.to_bytes()).unwrap();
    let twice = text.replacen(r#""issuer":"#, r#""issuer":"did:key:z6Mkother","issuer":"#, 1);
    assert_ne!(text, twice);
    assert_fails(&verify_consent(twice.as_bytes(), now()).await, &["json"]);
    let escaped = text.replacen(r#""issuer":"#, r#""issu\u0065r":"did:key:z6Mkother","issuer":"#, 1);
    assert_fails(&verify_consent(escaped.as_bytes(), now()).await, &["json"]);
    for bytes in [&b""[..], b"null", b"[]", b"\xff", b"{} {}", &text.as_bytes()[..text.len() - 1]] {
        let verification = verify_consent(bytes, now()).await;
        assert_fails(&verification, &["json"]);
        let made = verification.checks.iter().filter(|check| check.result != CheckResult::NotMade).count();
        assert_eq!(made, 2, "size and json only");
    }
}

#[tokio::test]
async fn times_of_a_consent_are_checked_against_the_clock_that_is_passed_in() {
    let bytes = consent_credential().await.to_bytes();
    let last = "2028-12-31T23:59:59Z".parse().unwrap();
    assert_passes(verify_consent(&bytes, last).await);
    assert_fails(&verify_consent(&bytes, last.plus_seconds(1)).await, &["valid-until"]);
    assert_fails(&verify_consent(&bytes, now().plus_seconds(-301)).await, &["created", "valid-from"]);
}

#[tokio::test]
async fn what_must_not_be_signed_is_not_signed() {
    let key = donor();
    let wrong = |policy| ConsentClaims { policy, ..consent_claims() };
    let empty = issue_consent(&key, &wrong(Policy::default()), now()).await;
    assert!(matches!(empty, Err(CredentialError::Policy(_))));
    let status = Some(consent::ConsentState::Active);
    let stated = issue_consent(&key, &wrong(Policy { status, ..policy() }), now()).await;
    assert!(matches!(stated, Err(CredentialError::Claims(_))));
    let gs = |places: [&str; 2]| Modifier::Gs { places: places.map(str::to_owned).to_vec() };
    let twice = Policy { modifiers: vec![gs(["DE", "FR"]), gs(["FR", "DE"])], ..policy() };
    assert!(matches!(issue_consent(&key, &wrong(twice), now()).await, Err(CredentialError::Claims(_))));
    let other = issue_consent(&attacker(), &consent_claims(), now()).await;
    assert!(matches!(other, Err(CredentialError::Claims(_))));
    let late = "2029-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(issue_consent(&key, &consent_claims(), late).await, Err(CredentialError::Period));
}

#[test]
fn the_hash_of_a_policy_depends_on_the_credential() {
    let hash = policy_hash("urn:uuid:1", &policy());
    assert_eq!(hash, policy_hash("urn:uuid:1", &policy()));
    assert_ne!(hash, policy_hash("urn:uuid:2", &policy()));
    assert_ne!(hash, policy_hash("urn:uuid:1", &Policy { until: None, ..policy() }));
}

#[test]
fn the_bundled_contexts_are_the_pinned_ones() {
    assert_eq!(hex::encode(canonical::sha256(CONSENT_CONTEXT.as_bytes())), CONSENT_CONTEXT_SHA256);
    assert!(CONSENT_CONTEXT.contains("http://www.w3.org/2001/XMLSchema#"));
    assert!(!CONSENT_CONTEXT.contains("https://www.w3.org/2001/XMLSchema#"));
}

#[test]
fn what_is_printed_of_a_credential_is_its_id() {
    let credential = Credential::try_from(json!({ "id": "urn:uuid:1", "secret": "sickness" })).unwrap();
    assert_eq!(format!("{credential:?}"), "Credential(urn:uuid:1)");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Wherever one byte is changed, nothing verifies.
    #[test]
    fn every_bent_byte_of_a_credential_is_noticed(at in any::<prop::sample::Index>(), with in 0x20u8..0x7f) {
        let runtime = runtime();
        let original = runtime.block_on(consent_credential()).to_bytes();
        let mut bytes = original.clone();
        let at = at.index(bytes.len());
        bytes[at] = with;
        let verified = runtime.block_on(verify_consent(&bytes, now())).verified.is_some();
        prop_assert_eq!(verified, bytes == original, "byte {} as {:?}", at, char::from(with));
    }

    #[test]
    fn no_bytes_make_a_verification_panic(bytes: Vec<u8>) {
        let runtime = runtime();
        prop_assert!(runtime.block_on(verify_consent(&bytes, now())).verified.is_none());
        prop_assert!(runtime.block_on(verify_presentation(&bytes, &expected(None))).verified.is_none());
    }
}
