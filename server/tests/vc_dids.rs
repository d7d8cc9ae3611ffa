//! DIDs over HTTP: what the two resolution interfaces promise, and everything that a stranger's DID tries.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[path = "../../identity/tests/loopback/mod.rs"]
mod loopback;

use identity::vc::{IssueOptions, KeyKind, Signer, Suite, issue};
use identity::web::Fetcher;
use loopback::{Answer, Host, json as good_json, with_head};
use reqwest::{Client, Url};
use serde_json::{Value, json};
use server::vc_api::{RunningVcApi, VcOptions, start};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const KEY: &str = "did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b";

struct Service {
    running: RunningVcApi,
    http: Client,
}

impl Service {
    async fn open(web: Option<Fetcher>) -> Self {
        let options = VcOptions { web, ..VcOptions::new("127.0.0.1:0".parse().unwrap()) };
        Self { running: start(options).await.unwrap(), http: Client::builder().no_proxy().build().unwrap() }
    }

    /// Status, content type and body of `GET path/DID?options`.
    async fn get(&self, path: &str, did: &str, options: &[(&str, &str)], accept: &str) -> (u16, String, Value) {
        let mut url = Url::parse(&self.running.address).unwrap();
        url.path_segments_mut().unwrap().extend(path.split('/')).push(did);
        url.query_pairs_mut().extend_pairs(options);
        let mut request = self.http.get(url);
        if !accept.is_empty() {
            request = request.header("accept", accept);
        }
        let answer = request.send().await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (answer.status().as_u16(), kind, answer.json().await.unwrap())
    }

    async fn resolved(&self, did: &str) -> (u16, Value) {
        let (status, _, said) = self.get("identifiers", did, &[], "application/did-resolution").await;
        (status, said)
    }

    async fn error_of(&self, did: &str, options: &[(&str, &str)]) -> (u16, String) {
        let (status, _, said) = self.get("identifiers", did, options, "").await;
        let kind = said["didResolutionMetadata"]["error"]["type"].as_str().unwrap_or_default();
        (status, kind.rsplit('#').next().unwrap().to_owned())
    }

    async fn verified(&self, credential: &Value, options: Value) -> (u16, Value) {
        let body = json!({ "verifiableCredential": credential, "options": options });
        let request = self.http.post(format!("{}/credentials/verify", self.running.address)).json(&body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

fn check<'a>(said: &'a Value, name: &str) -> &'a Value {
    said["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

fn failed(said: &Value) -> Vec<&str> {
    let checks = said["checks"].as_array().unwrap().iter();
    checks.filter(|check| check["result"] == "failed").map(|check| check["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_key_is_resolved_in_every_form_that_was_asked_for() {
    let service = Service::open(None).await;
    for (accept, kind, said_kind) in [
        ("", "application/did-resolution", Some("application/did")),
        ("*/*", "application/did-resolution", Some("application/did")),
        ("application/did-resolution", "application/did-resolution", Some("application/did-resolution")),
        ("application/did", "application/did", None),
        ("application/did+json", "application/did+json", None),
        ("text/html, application/did+ld+json;q=0.9", "application/did+ld+json", None),
    ] {
        let (status, found, said) = service.get("identifiers", KEY, &[], accept).await;
        assert_eq!((status, found.as_str()), (200, kind), "{accept}");
        assert_eq!(said["didResolutionMetadata"]["contentType"].as_str(), said_kind, "{accept}");
        let document = if said_kind.is_some() { &said["didDocument"] } else { &said };
        assert_eq!(document["id"], KEY);
    }
    assert_eq!(service.get("identifiers", KEY, &[], "image/png").await.0, 406);
    assert_eq!(service.error_of(KEY, &[("accept", "image/png")]).await, (406, "REPRESENTATION_NOT_SUPPORTED".into()));
    let nothing = service.http.get(format!("{}/identifiers/", service.running.address)).send().await.unwrap();
    assert_eq!(nothing.status().as_u16(), 400);
    for did in ["not-a-did", "did:example", "did:key:z0OIl", "did:key:-4:z6Mk", "did:k\u{435}y:z6Mk"] {
        assert_eq!(service.error_of(did, &[]).await, (400, "INVALID_DID".into()), "{did}");
    }
    let huge = format!("did:key:z{}", "1".repeat(30_000));
    assert_eq!(service.error_of(&huge, &[]).await.0, 400);
    for did in ["did:unsupported:123456789abcdefghi", "did:web:biobank.example"] {
        assert_eq!(service.error_of(did, &[]).await, (501, "METHOD_NOT_SUPPORTED".into()), "{did}");
    }
}

#[tokio::test]
async fn options_are_understood_or_refused() {
    let service = Service::open(None).await;
    for name in ["service", "serviceType", "relativeRef", "versionId", "versionTime", "hl", "accept"] {
        for value in ["\u{1f525}", "\u{41f}\u{440}", "foo\u{200b}bar"] {
            assert_eq!(service.error_of(KEY, &[(name, value)]).await, (400, "INVALID_OPTIONS".into()), "{name}");
        }
    }
    for (name, value) in [
        ("relativeRef", "my path/file"),
        ("relativeRef", "file#section"),
        ("relativeRef", "dir/with?query=value"),
        ("versionTime", "2025-10-07 12:30:45"),
        ("versionTime", "2025-13-07T12:30:45Z"),
        ("versionTime", "2025-10-07T12:30:45+24:00"),
        ("versionTime", "2025-10-07T00:00:00+02:00"),
        ("versionTime", "2025-10-07T00:00:00"),
        ("versionTime", "2025-10-07T00:00:00.123Z"),
        ("versionTime", "2025-10-07"),
        ("enableExperimentalPublicKeyTypes", "perhaps"),
        ("oldest", "true"),
    ] {
        assert_eq!(service.error_of(KEY, &[(name, value)]).await, (400, "INVALID_OPTIONS".into()), "{name}={value}");
    }
    assert_eq!(service.error_of(KEY, &[("service", "a"), ("service", "b")]).await.0, 400);
    for name in ["versionId", "hl"] {
        assert_eq!(service.error_of(KEY, &[(name, "1")]).await, (501, "FEATURE_NOT_SUPPORTED".into()));
    }
    for (name, value) in
        [("service", "linkedDomain"), ("relativeRef", "my%20path/file"), ("versionTime", "2025-10-07T14:30:00Z")]
    {
        assert_eq!(service.get("identifiers", KEY, &[(name, value)], "").await.0, 200, "{name}={value}");
    }
    for (format, kind) in
        [("JsonWebKey2020", "JsonWebKey2020"), ("Ed25519VerificationKey2020", "Ed25519VerificationKey2020")]
    {
        for path in ["identifiers", "1.0/identifiers"] {
            let (status, _, said) = service.get(path, KEY, &[("publicKeyFormat", format)], "").await;
            assert_eq!((status, said["didDocument"]["verificationMethod"][0]["type"].as_str()), (200, Some(kind)));
        }
    }
}

#[tokio::test]
async fn what_a_did_url_names_is_handed_out() {
    let service = Service::open(None).await;
    let method = format!("{KEY}#{}", &KEY[8..]);
    let (status, kind, said) = service.get("identifiers", &method, &[], "application/did-url-dereferencing").await;
    assert_eq!((status, kind.as_str()), (200, "application/did-url-dereferencing"));
    assert_eq!(said["contentStream"]["id"], method.as_str());
    assert!(said["contentMetadata"].is_object() && said["dereferencingMetadata"]["contentType"].is_string());
    let (status, _, said) = service.get("identifiers", KEY, &[], "application/did-url-dereferencing").await;
    assert_eq!((status, said["contentStream"]["id"].as_str()), (200, Some(KEY)));
    let (status, kind, said) = service.get("identifiers", &method, &[], "application/json").await;
    assert_eq!((status, kind.as_str(), said["id"].as_str()), (200, "application/json", Some(method.as_str())));
    assert_eq!(service.error_of(&format!("{KEY}#other"), &[]).await, (404, "NOT_FOUND".into()));
    assert_eq!(service.error_of(&format!("{KEY}?service=x"), &[]).await, (404, "NOT_FOUND".into()));
    assert_eq!(service.error_of(&format!("{KEY}/^#x"), &[]).await, (400, "INVALID_DID_URL".into()));

    let (status, _, said) = service.get("1.0/identifiers", &method, &[], "").await;
    assert_eq!((status, said["didDocument"]["controller"].as_str()), (200, Some(KEY)));
    let experimental =
        [("publicKeyFormat", "Ed25519VerificationKey2018"), ("enableExperimentalPublicKeyTypes", "false")];
    for (did, options, place, word) in [
        ("notDid:key:z6Mk", &[][..], "didResolutionMetadata", "invalidDid"),
        ("did:key:@", &[], "didResolutionMetadata", "invalidDid"),
        ("did:key:zTjsVPtY", &[], "didResolutionMetadata", "invalidPublicKeyLength"),
        (&format!("{KEY}/^bar^/?query=`#x"), &[], "didDereferencingMetadata", "invalidDidUrl"),
        (&format!("{KEY}/?query=true#x"), &[], "didDereferencingMetadata", "invalidDidUrl"),
        (KEY, &[("publicKeyFormat", "unknown")], "didResolutionMetadata", "unsupportedPublicKeyType"),
        (&method, &experimental, "didDereferencingMetadata", "invalidPublicKeyType"),
        (&format!("{KEY}#z6LS"), &experimental, "didDereferencingMetadata", "invalidPublicKeyType"),
    ] {
        let (status, kind, said) = service.get("1.0/identifiers", did, options, "").await;
        assert!((400..500).contains(&status) && kind.starts_with("application/ld+json"), "{did}");
        assert_eq!(said[place]["error"], word, "{did}");
        assert!(said["didDocument"].is_object() && said["@context"].is_string());
    }
}

/// A document of an institution whose key is this one.
fn document(head: &str, key: &Signer) -> String {
    let port = head.split("localhost:").nth(1).unwrap().split("\r\n").next().unwrap();
    let did = format!("did:web:localhost%3A{port}");
    let method = json!({
        "id": "#k", "type": "JsonWebKey", "controller": did, "publicKeyJwk": key.id().to_jwk().unwrap(),
    });
    json!({ "id": did, "verificationMethod": [method], "assertionMethod": ["#k"] }).to_string()
}

fn key() -> Signer {
    Signer::from_secret(KeyKind::P256, &[7; 32]).unwrap()
}

fn signed(did: &str, more: Value) -> Value {
    let mut credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": did,
        "credentialSubject": { "id": "did:example:abcdefgh", "alumniOf": "The School of Examples" },
    });
    credential.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut options = IssueOptions::new(Suite::EcdsaRdfc2019, "2026-11-22T12:00:00Z".parse().unwrap());
    options.method = Some(format!("{did}#k"));
    issue(&credential, &options, &key()).unwrap()
}

#[tokio::test]
async fn institutions_are_resolved_and_verified_where_the_operator_said_so() {
    let host = Host::open(|head| match head.split(' ').nth(1).unwrap() {
        "/.well-known/did.json" => good_json(&document(head, &key())),
        "/gone/did.json" => with_head("410 Gone", "x: y", b""),
        "/html/did.json" => with_head("200 OK", "content-type: text/html", b"<p>"),
        "/theirs/did.json" => good_json(&document(head, &key())),
        _ => with_head("404 Not Found", "x: y", b""),
    })
    .await;
    let service = Service::open(Some(Fetcher::loopback(&host.root).unwrap())).await;
    let did = host.did();
    let (status, said) = service.resolved(&did).await;
    let metadata = &said["didResolutionMetadata"];
    assert_eq!((status, said["didDocument"]["id"].as_str(), &metadata["fromCache"]), (200, Some(&*did), &json!(false)));
    let (_, said) = service.resolved(&did).await;
    assert_eq!(said["didResolutionMetadata"]["fromCache"], true);
    for (path, status, code) in [
        (":nobody", 404, "NOT_FOUND"),
        (":html", 500, "INTERNAL_ERROR"),
        (":theirs", 500, "INVALID_DID_DOCUMENT"),
        (":..:x", 400, "INVALID_DID"),
    ] {
        assert_eq!(service.error_of(&format!("{did}{path}"), &[]).await, (status, code.to_owned()), "{path}");
    }
    let (status, said) = service.resolved(&format!("{did}:gone")).await;
    assert_eq!((status, &said["didDocumentMetadata"]["deactivated"]), (410, &json!(true)));
    assert_eq!(service.error_of(&did, &[("versionTime", "2025-10-07T14:30:00Z")]).await.0, 501);

    let good = signed(&did, json!({}));
    let (status, said) = service.verified(&good, json!({})).await;
    assert_eq!(status, 200, "{said}");
    assert!(check(&said, "resolution")["evidence"].as_str().unwrap().contains("kept since"), "{said}");
    let mut bad = good.clone();
    bad["credentialSubject"]["alumniOf"] = json!("Another");
    assert_eq!(failed(&service.verified(&bad, json!({})).await.1), ["signature"]);

    // Strict by default: the same service without the operator's word asks nobody.
    let strict = Service::open(None).await;
    let before = host.asked.load(Ordering::SeqCst);
    assert_eq!(failed(&strict.verified(&good, json!({})).await.1), ["resolution", "signer-is-issuer"]);
    assert_eq!(host.asked.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn no_document_makes_the_service_ask_inside_the_institutions_network() {
    let host = Host::open(|head| good_json(&document(head, &key()))).await;
    let service = Service::open(Some(Fetcher::public().unwrap())).await;
    for did in [
        host.did(),
        format!("did:web:localhost.localdomain%3A{}", host.port),
        "did:web:127.0.0.1".to_owned(),
        format!("did:web:127.0.0.1%3A{}", host.port),
        "did:web:169.254.169.254:latest:meta-data".to_owned(),
        "did:web:2130706433".to_owned(),
        "did:web:0x7f000001".to_owned(),
        "did:web:%5B%3A%3A1%5D".to_owned(),
        "did:web:%5B%3A%3Affff%3A10.0.0.1%5D".to_owned(),
        "did:web:intranet".to_owned(),
        "did:web:localhost%3A25".to_owned(),
        "did:web:evil.example%40localhost".to_owned(),
        "did:web:evil.example%2F..%2Fx".to_owned(),
        "did:web:loc\u{430}lhost".to_owned(),
    ] {
        let (status, said) = service.resolved(&did).await;
        assert!(status == 400 || status == 500, "{did}: {said}");
        assert!(said["didDocument"].is_null());
        let mut forged = signed("did:web:biobank.example", json!({}));
        forged["issuer"] = json!(did);
        forged["proof"]["verificationMethod"] = json!(format!("{did}#k"));
        let (status, said) = service.verified(&forged, json!({})).await;
        assert_eq!(status, 400, "{did}");
        assert!(failed(&said).contains(&"resolution") || failed(&said).contains(&"issuer"), "{did}: {said}");
    }
    // A list of revocations and a schema name addresses too; nobody asks those either, and that is no yes.
    let url = host.url("/status/1");
    let own = Signer::from_secret(KeyKind::P256, &[7; 32]).unwrap();
    let status_entry = json!({ "credentialStatus": {
        "id": format!("{url}#7"), "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
        "statusListIndex": "7", "statusListCredential": url,
    }});
    let mut credential = signed(own.id().as_str(), status_entry);
    credential.as_object_mut().unwrap().remove("proof");
    let options = IssueOptions::new(Suite::EcdsaRdfc2019, "2026-11-22T12:00:00Z".parse().unwrap());
    let credential = issue(&credential, &options, &own).unwrap();
    let (status, said) = service.verified(&credential, json!({})).await;
    assert_eq!((status, &check(&said, "status")["result"]), (400, &json!("not-made")), "{said}");
    assert!(said["errors"][0].as_str().unwrap().starts_with("status"), "{said}");
    let (status, said) = service.verified(&credential, json!({ "waive": ["status"] })).await;
    assert_eq!((status, &check(&said, "status")["result"]), (200, &json!("waived")), "{said}");
    for waive in [json!(["signature"]), json!("status"), json!([1])] {
        assert_eq!(service.verified(&credential, json!({ "waive": waive })).await.0, 400);
    }
    assert_eq!(host.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_slow_host_holds_nobody_up() {
    let slow = Host::open(|_| Answer::Silence).await;
    let service = Service::open(Some(Fetcher::loopback(&slow.root).unwrap())).await;
    // Sixteen names of the same host, each of them slow: they are asked at once, and not more than a few of them.
    let proofs: Vec<Value> =
        (0..16).map(|number| signed(&format!("{}:{number}", slow.did()), json!({}))["proof"].clone()).collect();
    let mut credential = signed(&slow.did(), json!({}));
    credential["proof"] = json!(proofs);
    let begun = Instant::now();
    let (status, said) = service.verified(&credential, json!({})).await;
    assert_eq!(status, 400);
    assert!(failed(&said).contains(&"resolution"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(18), "{:?}", begun.elapsed());
    assert!(slow.asked.load(Ordering::SeqCst) <= 8);
}
