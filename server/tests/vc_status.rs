//! Status lists that others host: fetched where the operator said so, whole, once in a while, and never believed more
//! than their signature.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[path = "../../identity/tests/loopback/mod.rs"]
mod loopback;

use consent::Timestamp;
use identity::status::{BitstringEntry, ListTerms, Purpose, StatusBits, list_credential};
use identity::vc::{IssueOptions, KeyKind, Signer, Suite, issue};
use identity::web::Fetcher;
use loopback::{Answer, Host, json as good_json, with_head};
use reqwest::Client;
use serde_json::{Value, json};
use server::vc_api::{VcOptions, start};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

fn key(number: u8) -> Signer {
    Signer::from_secret(KeyKind::Ed25519, &[number; 32]).unwrap()
}

#[allow(clippy::disallowed_methods, reason = "the test's clock")]
fn now() -> Timestamp {
    Timestamp::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap())
}

fn signed(document: &Value, number: u8) -> Value {
    issue(document, &IssueOptions::new(Suite::EddsaJcs2022, now()), &key(number)).unwrap()
}

/// A list in which entry 5 is set.
fn list(url: &str, number: u8) -> String {
    let mut bits = StatusBits::new(1).unwrap();
    bits.set(5, 1).unwrap();
    let issuer = key(number).id();
    let terms = ListTerms {
        url,
        issuer: issuer.as_str(),
        purpose: Purpose::Revocation,
        valid_from: now(),
        valid_until: now().plus_seconds(3600),
        ttl: 300,
    };
    signed(&list_credential(&bits, &terms).unwrap(), number).to_string()
}

fn credential(url: &str, index: u64) -> Value {
    let document = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": key(7).id().as_str(),
        "credentialSubject": { "id": "did:example:1" },
        "credentialStatus": BitstringEntry::new(url.to_owned(), index, Purpose::Revocation).to_json(),
    });
    signed(&document, 7)
}

async fn asked(address: &str, credential: &Value) -> (u16, String) {
    let body = json!({ "verifiableCredential": credential });
    let http = Client::builder().no_proxy().build().unwrap();
    let answer = http.post(format!("{address}/credentials/verify")).json(&body).send().await.unwrap();
    let status = answer.status().as_u16();
    let said: Value = answer.json().await.unwrap();
    let check = said["checks"].as_array().unwrap().iter().find(|check| check["name"] == "status").unwrap().clone();
    (status, format!("{} {}", check["result"].as_str().unwrap(), check["detail"].as_str().unwrap()))
}

#[tokio::test]
async fn lists_of_others_are_fetched_whole_and_not_for_each_question() {
    let lists = Arc::new(Mutex::new(std::collections::BTreeMap::<String, String>::new()));
    let served = lists.clone();
    let host = Host::open(move |head| match head.split(' ').nth(1).unwrap_or_default() {
        "/endless" => Answer::Endless,
        "/moved" => with_head("302 Found", "location: http://169.254.169.254/latest", b""),
        "/page" => with_head("200 OK", "content-type: text/html", b"<html>"),
        "/packed" => with_head("200 OK", "content-type: application/json\r\ncontent-encoding: gzip", b"x"),
        path => match served.lock().unwrap().get(path) {
            Some(list) => good_json(list),
            None => with_head("404 Not Found", "content-type: text/plain", b"no"),
        },
    })
    .await;
    let put = |path: &str, list: String| lists.lock().unwrap().insert(path.to_owned(), list);
    let good = host.url("/status/1");
    put("/status/1", list(&good, 7));
    put("/stranger", list(&host.url("/stranger"), 8));
    put("/other", list(&good, 7));
    put("/forged", list(&host.url("/forged"), 7).replace("\"ttl\":300000", "\"ttl\":300001"));

    let web = Some(Fetcher::loopback(&host.root).unwrap());
    let running = start(VcOptions { web, ..VcOptions::new("127.0.0.1:0".parse().unwrap()) }).await.unwrap();
    let address = &running.address;
    assert_eq!(asked(address, &credential(&good, 6)).await, (200, "passed ".to_owned()));
    assert_eq!(asked(address, &credential(&good, 5)).await, (400, format!("failed {good}: revoked")));
    assert_eq!(host.asked.load(Ordering::SeqCst), 1, "the list is kept, whoever asks about whichever entry");

    for (path, why) in [
        ("/stranger", "not the list"),
        ("/other", "not the list"),
        ("/forged", "did not pass its checks: signature"),
        ("/missing", "could not be had"),
        ("/moved", "could not be had"),
        ("/page", "could not be had"),
        ("/packed", "could not be had"),
        ("/endless", "could not be had"),
    ] {
        let (status, said) = asked(address, &credential(&host.url(path), 6)).await;
        assert!(
            status == 400 && said.starts_with("not-made could not be checked") && said.contains(why),
            "{path}: {said}"
        );
    }
    let before = host.asked.load(Ordering::SeqCst);
    asked(address, &credential(&host.url("/missing"), 6)).await;
    assert_eq!(host.asked.load(Ordering::SeqCst), before, "one that is missing is not asked for at once again");
    // Addresses inside the network, in the clear, or with a name and a password.
    for url in
        ["https://10.0.0.1/status/1", "http://localhost/status/1", "https://a:b@localhost/x", "file:///etc/passwd"]
    {
        let (status, said) = asked(address, &credential(url, 6)).await;
        assert!(status == 400 && said.contains("could not be had"), "{url}: {said}");
    }

    // Without the operator's word nothing is fetched.
    let running = start(VcOptions::new("127.0.0.1:0".parse().unwrap())).await.unwrap();
    let before = host.asked.load(Ordering::SeqCst);
    let (status, said) = asked(&running.address, &credential(&good, 6)).await;
    assert!(status == 400 && said.contains("could not be had"), "{said}");
    assert_eq!(host.asked.load(Ordering::SeqCst), before);
}
