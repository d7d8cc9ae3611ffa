//! The service for institutions, asked over HTTP: what it signs it verifies, and every trick is refused.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod vc_service;

use reqwest::Client;
use serde_json::{Value, json};
use server::vc_api::{VcOptions, start};
use vc_service::{EXAMPLES, Service, V2, credential};

const INSTANCES: [(&str, &str); 6] = [
    ("eddsa-rdfc-2022", "ed"),
    ("eddsa-jcs-2022", "ed"),
    ("ecdsa-rdfc-2019-p256", "p256"),
    ("ecdsa-rdfc-2019-p384", "p384"),
    ("ecdsa-jcs-2019-p256", "p256"),
    ("ecdsa-jcs-2019-p384", "p384"),
];

#[tokio::test]
async fn every_instance_signs_what_the_service_verifies() {
    let service = Service::plain().await;
    for (instance, key) in INSTANCES {
        let good = service.signed(instance, key).await;
        let (status, said) = service.verified(&good, json!({})).await;
        assert_eq!((status, &said["verified"]), (200, &json!(true)), "{instance}: {said}");
        let mut bad = good.clone();
        bad["credentialSubject"]["alumniOf"] = json!("Another");
        let (status, said) = service.verified(&bad, json!({})).await;
        assert_eq!((status, &said["verified"]), (400, &json!(false)), "{instance}");
        assert!(said["errors"][0].as_str().unwrap().starts_with("signature"), "{said}");
    }
    let body = json!({ "credential": credential(&service.keys["ed"]), "options": {} }).to_string();
    let (status, said) = service.post("/eddsa-rdfc-2022/credentials/issue?bare=1", body.clone()).await;
    assert_eq!((status, said["proof"]["cryptosuite"].as_str()), (201, Some("eddsa-rdfc-2022")));
    assert_eq!(service.post("/rsa-1977/credentials/issue", body).await.0, 404);
}

#[tokio::test]
async fn a_part_is_disclosed_and_nothing_else() {
    let service = Service::plain().await;
    for (instance, key) in [("ecdsa-sd-2023-p256", "p256"), ("bbs-2023", "bls")] {
        let issue = format!("/{instance}/credentials/issue");
        let asked = |pointers: Value| json!({ "credential": credential(&service.keys[key]), "options": { "mandatoryPointers": pointers } });
        for bad in [json!(["/credentialSubject/invalidPointer"]), json!(["issuer"]), json!("/issuer"), json!([7])] {
            assert_eq!(service.post(&issue, asked(bad).to_string()).await.0, 400);
        }
        let (status, said) = service.post(&issue, asked(json!(["/issuer", "/credentialSubject/id"])).to_string()).await;
        assert_eq!(status, 201, "{said}");
        let base = &said["verifiableCredential"];
        let (status, said) = service.verified(base, json!({})).await;
        assert_eq!(status, 400);
        assert!(said["errors"][0].as_str().unwrap().starts_with("proof-shape: proof 1: a base proof"), "{said}");

        let derive = |base: &Value, options: Value| {
            let body = json!({ "verifiableCredential": base, "options": options }).to_string();
            let service = &service;
            async move { service.post("/credentials/derive", body).await }
        };
        let (status, said) = derive(base, json!({})).await;
        assert_eq!(status, 201, "{said}");
        let derived = &said["verifiableCredential"];
        assert!(derived["credentialSubject"].get("alumniOf").is_none());
        assert_eq!(service.verified(derived, json!({})).await.0, 200);
        let (status, said) = derive(base, json!({ "selectivePointers": ["/credentialSubject/alumniOf"] })).await;
        assert_eq!((status, &said["verifiableCredential"]["credentialSubject"]), (201, &base["credentialSubject"]));
        assert_eq!(service.verified(&said["verifiableCredential"], json!({})).await.0, 200);
        let mut without = derived.clone();
        without["credentialSubject"].as_object_mut().unwrap().remove("id");
        assert_eq!(service.verified(&without, json!({})).await.0, 400);

        for options in
            [json!({ "selectivePointers": ["/x"] }), json!({ "selective": [] }), json!({ "presentationHeader": "z1" })]
        {
            assert_eq!(derive(base, options).await.0, 400);
        }
        assert_eq!(derive(derived, json!({})).await.0, 400, "from a derived one nothing is derived");
        let mut other = base.clone();
        other["credentialSubject"]["alumniOf"] = json!("Another");
        assert_eq!(derive(&other, json!({ "selectivePointers": ["/credentialSubject/alumniOf"] })).await.0, 400);
        if key == "bls" {
            let (status, said) = derive(base, json!({ "presentationHeader": "uAQID" })).await;
            assert_eq!(status, 201, "{said}");
            for (header, expected) in [(json!("uAQID"), 200), (json!("uAQIE"), 400), (json!(null), 400)] {
                let options = json!({ "presentationHeader": header });
                assert_eq!(service.verified(&said["verifiableCredential"], options).await.0, expected);
            }
        }
    }
    assert_eq!(service.post("/credentials/derive", "{}".to_owned()).await.0, 400);
    let whole = service.signed("eddsa-rdfc-2022", "ed").await;
    let body = json!({ "verifiableCredential": whole }).to_string();
    assert_eq!(service.post("/credentials/derive", body).await.0, 400);
}

#[tokio::test]
async fn tricks_are_refused_over_http_too() {
    let service = Service::plain().await;
    let good = service.signed("eddsa-rdfc-2022", "ed").await;
    for (place, value, check) in [
        ("/issuer", service.keys["p256"].clone(), "signer-is-issuer"),
        ("/proof/proofPurpose", json!("authentication"), "purpose"),
        ("/proof/cryptosuite", json!("eddsa-rdfc-2021"), "suite"),
        ("/proof/created", json!("2999-01-01T00:00:00Z"), "created"),
        ("/proof/proofValue", json!("z0OIl"), "signature"),
        ("/@context", json!([V2]), "terms"),
        ("/@context", json!([V2, "https://example.org/x"]), "context"),
        ("/@context", json!([V2, EXAMPLES, { "name": "urn:evil" }]), "terms"),
        ("/type", json!("VerifiableCredential"), "type"),
        ("/proof", json!([]), "proof-count"),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        let (status, said) = service.verified(&bad, json!({ "checks": ["proof"] })).await;
        assert_eq!(status, 400, "{place}");
        let errors = said["errors"].as_array().unwrap();
        assert!(errors.iter().any(|error| error.as_str().unwrap().starts_with(check)), "{place}: {said}");
    }
    assert_eq!(service.verified(&good, json!({ "domain": "b.example" })).await.0, 400);
    assert_eq!(service.verified(&good, json!({ "challenge": "c" })).await.0, 400);
    for (purpose, status) in [("assertionMethod", 200), ("authentication", 400)] {
        assert_eq!(service.verified(&good, json!({ "expectedProofPurpose": purpose })).await.0, status);
    }
    for (body, status) in [
        (format!("{{\"verifiableCredential\":{good},\"verifiableCredential\":{good}}}"), 400),
        (format!("{{\"verifiableCredential\":{}{}}}", "[".repeat(200), "]".repeat(200)), 400),
        ("{\"verifiableCredential\":{\"n\":1e999}}".to_owned(), 400),
        ("x".to_owned(), 400),
        ("{}".to_owned(), 400),
        (format!("\"{}\"", "x".repeat(10_000_000)), 413),
    ] {
        assert_eq!(service.post("/credentials/verify", body).await.0, status);
    }
    for credential in [json!(null), json!(4), json!({}), json!({ "@context": [V2] })] {
        let (status, said) =
            service.post("/eddsa-jcs-2022/credentials/issue", json!({ "credential": credential }).to_string()).await;
        assert_eq!(status, 400, "{said}");
    }
    // In somebody else's name, and with an option that nobody knows.
    let other = json!({ "credential": credential(&service.keys["p256"]) }).to_string();
    assert_eq!(service.post("/eddsa-rdfc-2022/credentials/issue", other).await.0, 400);
    let option = json!({ "credential": credential(&service.keys["ed"]), "options": { "expiry": "x" } }).to_string();
    assert_eq!(service.post("/eddsa-rdfc-2022/credentials/issue", option).await.0, 400);
}

#[tokio::test]
async fn only_programs_on_this_machine_have_things_signed() {
    let service = Service::plain().await;
    let url = format!("{}/eddsa-rdfc-2022/credentials/issue", service.running.address);
    let body = json!({ "credential": credential(&service.keys["ed"]) }).to_string();
    let asked = |kind: &'static str| service.http.post(&url).header("content-type", kind).body(body.clone());
    let forwarded = asked("application/json").header("x-forwarded-for", "192.0.2.1").send().await.unwrap();
    assert_eq!(forwarded.status().as_u16(), 403);
    // A web page from elsewhere, with a name of its own that leads to this machine or without.
    let change = format!("{}/credentials/status", service.running.address);
    for (header, value, here) in [
        ("host", "evil.example", false),
        ("host", "localhost.evil.example:8490", false),
        ("host", "192.0.2.1", false),
        ("host", "", false),
        ("host", "localhost:8490", true),
        ("host", "127.0.0.2", true),
        ("host", "[::1]:8490", true),
        ("origin", "http://evil.example", false),
        ("origin", "http://127.0.0.1.evil.example:8490", false),
        ("origin", "null", false),
        ("origin", "http://localhost:3000", true),
        ("origin", "https://[::1]", true),
    ] {
        let status = asked("application/json").header(header, value).send().await.unwrap().status().as_u16();
        assert_eq!(status, if here { 201 } else { 403 }, "{header}: {value}");
        let request = service.http.post(&change).header("content-type", "application/json").body("{}");
        let status = request.header(header, value).send().await.unwrap().status().as_u16();
        assert_eq!(status, if here { 400 } else { 403 }, "{header}: {value}");
    }
    // A web page can send this without asking.
    assert_eq!(asked("text/plain").send().await.unwrap().status().as_u16(), 400);
    assert!(start(VcOptions::new("0.0.0.0:0".parse().unwrap())).await.is_err(), "in the clear, and for all to reach");
}

#[tokio::test]
async fn tokens_in_their_envelopes_are_verified_too() {
    use identity::jose::{TokenOptions, envelope, issue_token};
    let service = Service::plain().await;
    let key = identity::vc::Signer::from_secret(identity::vc::KeyKind::P256, &[7; 32]).unwrap();
    let token = |document: &Value| {
        issue_token(document, &TokenOptions::new(consent::Timestamp::from_unix(1_790_000_000)), &key).unwrap()
    };
    let good = token(&credential(&json!(key.id().as_str())));
    let (status, said) = service.verified(&envelope(&good, false), json!({})).await;
    assert_eq!((status, &said["verified"]), (200, &json!(true)), "{said}");
    let (status, said) = service.verified(&envelope(&good[..good.len() - 2], false), json!({})).await;
    assert_eq!(status, 400, "{said}");
    let (head, rest) = good.split_once('.').unwrap();
    let none = format!("{}.{}.", "eyJhbGciOiJub25lIiwidHlwIjoidmMrand0In0", rest.split('.').next().unwrap());
    let (_, said) = service.verified(&envelope(&none, false), json!({})).await;
    assert!(said["errors"][0].as_str().unwrap().starts_with("algorithm"), "{said} {head}");
    let bare = json!({ "@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": [envelope(&good, false)] });
    let ask = |presentation: Value| {
        service
            .post_to("/presentations/verify".to_owned(), json!({ "verifiablePresentation": presentation }).to_string())
    };
    let (status, said) = ask(bare.clone()).await;
    assert_eq!(status, 200, "{said}");
    assert_eq!(ask(envelope(&token(&bare), true)).await.0, 200);
    assert_eq!(ask(envelope(&good, true)).await.0, 400, "a credential is no presentation");
}

#[tokio::test]
async fn presentations_are_verified_with_what_they_hold() {
    let service = Service::plain().await;
    let held = service.signed("ecdsa-jcs-2019-p256", "p256").await;
    let bare = json!({ "@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": [held] });
    let ask = |presentation: Value, options: Value| {
        let body = json!({ "verifiablePresentation": presentation, "options": options }).to_string();
        service.post("/presentations/verify", body)
    };
    let (status, said) = ask(bare.clone(), json!({})).await;
    assert_eq!((status, said["credentials"][0]["verified"].as_bool()), (200, Some(true)), "{said}");
    assert_eq!(ask(bare.clone(), json!({ "challenge": "c", "domain": "b.example" })).await.0, 400, "nobody answers");
    // A challenge under another name, or in another place, is not passed over.
    let (status, said) = ask(bare.clone(), json!({ "Challenge": "c" })).await;
    assert_eq!((status, said["code"].as_str()), (400, Some("bad-options")), "{said}");
    for (name, value) in [("challenge", json!("c")), ("Options", json!({ "challenge": "c" }))] {
        let beside = json!({ "verifiablePresentation": bare, name: value }).to_string();
        let (status, said) = service.post("/presentations/verify", beside).await;
        assert_eq!((status, said["code"].as_str()), (400, Some("bad-options")), "{name}: {said}");
    }
    let mut bad = bare;
    bad["verifiableCredential"][0]["issuer"] = service.keys["ed"].clone();
    assert_eq!(ask(bad, json!({})).await.0, 400);
}

#[tokio::test]
async fn less_than_all_checks_only_for_test_suites() {
    let options = VcOptions { conformance: true, ..VcOptions::new("127.0.0.1:0".parse().unwrap()) };
    let (strict, lax) = (Service::plain().await, Service::open(options).await);
    let body = json!({ "credential": credential(&json!("https://vc.example/issuers/5678")) }).to_string();
    let (status, said) = lax.post("/eddsa-rdfc-2022/credentials/issue", body).await;
    assert_eq!(status, 201, "{said}");
    let signed = &said["verifiableCredential"];
    assert_eq!(lax.verified(signed, json!({})).await.0, 400);
    assert_eq!(lax.verified(signed, json!({ "checks": ["proof"] })).await.0, 200);
    assert_eq!(strict.verified(signed, json!({ "checks": ["proof"] })).await.0, 400);
    let silent = json!({ "verifiableCredential": signed }).to_string();
    assert_eq!(lax.post("/credentials/verify", silent.clone()).await.0, 200);
    let unknown = json!({ "checks": ["proof"], "documentLoader": "x" });
    assert_eq!(lax.verified(signed, unknown.clone()).await.0, 200);
    let (status, said) = strict.verified(signed, unknown).await;
    assert_eq!((status, said["code"].as_str()), (400, Some("bad-options")), "{said}");
    assert_eq!(strict.post("/credentials/verify", silent).await.0, 400);
}

#[tokio::test]
async fn dids_of_keys_are_resolved_in_both_forms() {
    let service = Service::plain().await;
    let get = |path: String, accept: &'static str| {
        let request = service.http.get(format!("{}{path}", service.running.address)).header("accept", accept);
        async move {
            let answer = request.send().await.unwrap();
            let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
            (answer.status().as_u16(), kind, answer.json::<Value>().await.unwrap())
        }
    };
    for (name, did) in service.keys.as_object().unwrap() {
        let did = did.as_str().unwrap();
        let (status, kind, said) =
            get(format!("/identifiers/{}", did.replace(':', "%3A")), "application/did-resolution").await;
        assert_eq!(
            (status, kind.as_str()),
            (200, said["didResolutionMetadata"]["contentType"].as_str().unwrap()),
            "{name}"
        );
        assert_eq!(said["didDocument"]["id"], did);
        let (status, kind, said) = get(format!("/identifiers/{did}"), "application/did").await;
        assert_eq!((status, kind.as_str(), said["id"].as_str()), (200, "application/did", Some(did)));
        let (status, _, said) = get(format!("/1.0/identifiers/{did}"), "application/ld+json").await;
        assert_eq!((status, said["didDocument"]["verificationMethod"][0]["type"].as_str()), (200, Some("Multikey")));
    }
    for (did, status, code, word) in [
        ("did:web:example.org", 501, "METHOD_NOT_SUPPORTED", "methodNotSupported"),
        ("did:key:z0OIl", 400, "INVALID_DID", "invalidDid"),
        ("did:key:z2DQV5Tm64jwFsRi2chqem1Wt2aP6bP34vi2itLNof8JFdG", 400, "INVALID_DID", "invalidPublicKeyLength"),
        ("did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc", 400, "INVALID_DID", "unsupportedPublicKeyType"),
    ] {
        let (found, _, said) = get(format!("/identifiers/{did}"), "*/*").await;
        let kind = format!("https://www.w3.org/ns/did#{code}");
        assert_eq!((found, &said["didResolutionMetadata"]["error"]["type"]), (status, &json!(kind)));
        let (found, _, said) = get(format!("/1.0/identifiers/{did}"), "*/*").await;
        assert_eq!((found, &said["didResolutionMetadata"]["error"]), (status, &json!(word)));
    }
    let did = service.keys["ed"].as_str().unwrap();
    assert_eq!(get(format!("/identifiers/{did}"), "image/png").await.0, 406);
}

#[tokio::test]
async fn keys_are_kept_where_only_the_operator_reads_them_and_tls_needs_no_files() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().join("keys");
    let options = || VcOptions {
        keys: Some(folder.clone()),
        tls_listen: Some("127.0.0.1:0".parse().unwrap()),
        ..VcOptions::new("127.0.0.1:0".parse().unwrap())
    };
    let first = Service::open(options()).await;
    let again = Service::open(options()).await;
    assert_eq!(first.keys, again.keys);
    assert_ne!(first.keys, Service::plain().await.keys);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        for file in std::fs::read_dir(&folder).unwrap() {
            assert_eq!(mode(&file.unwrap().path()), 0o600);
        }
    }
    let url = format!("{}/keys", first.running.tls_address.as_ref().unwrap());
    assert!(first.http.get(&url).send().await.is_err(), "nobody vouches for it");
    let trusting = Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build().unwrap();
    let keys: Value = trusting.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(keys, first.keys);
}
