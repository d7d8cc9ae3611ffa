//! The operator's guide (README.md) step by step, without `--demo`: first start, first staff, studies, codes for others,
//! a copy, and the way back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod program;
mod stage;

use identity::SigningKey;
use program::{Service, biobankd, path};
use serde_json::{Value, json};
use stage::{Biobank, HOSPITAL, text};
use std::fs;

/// The callers of a service.
async fn callers(address: &str) -> Biobank {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let log: Value = http.get(format!("{address}/v1/log")).send().await.unwrap().json().await.unwrap();
    let (did, vkey) = (text(&log["did"]).parse().unwrap(), text(&log["vkey"]).parse().unwrap());
    Biobank { dir: tempfile::tempdir().unwrap(), running: None, address: address.to_owned(), http, did, vkey }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_follows_the_guide_has_a_biobank() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let (data, copy, keys, back) = (at("biobankd"), at("copy"), at("keys"), at("back"));
    let code = data.join("first-staff.code");
    // First start: the name and the origin are kept, and the first code is written.
    let first = ["--name", "A Biobank", "--origin", "biobank.example/own", "--staff-code", path(&code)];
    let service = Service::ready(&data, &first).await;
    assert!(!data.join("demo.json").exists());
    service.end();

    // The studies, as `--demo` writes them. From now on the service starts without words.
    let mut demo = Biobank::open().await;
    demo.close().await;
    fs::copy(demo.data().join("studies.json"), data.join("studies.json")).unwrap();
    let service = Service::ready(&data, &[]).await;
    let biobank = callers(&service.address).await;
    assert_eq!(biobank.vkey.name(), "biobank.example/own");
    let (_, listed) = biobank.get("/v1/studies").await;
    assert!(!listed["studies"].as_array().unwrap().is_empty());

    // Accounts and codes.
    let (staff, auditor) = (SigningKey::from_seed([1; 32]), SigningKey::from_seed([2; 32]));
    let pair = async |key: &SigningKey, code: &str| biobank.sends(key, "/v1/pair", &json!({ "code": code })).await.0;
    assert_eq!(pair(&staff, fs::read_to_string(&code).unwrap().trim()).await, 200);
    let wanted = json!({ "role": "auditor", "organisation": HOSPITAL, "organisationName": "A hospital" });
    let (status, made) = biobank.sends(&staff, "/v1/pairing-codes", &wanted).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(pair(&auditor, text(&made["code"])).await, 200);
    assert_eq!(biobank.sends(&staff, "/v1/invitations", &json!({})).await.0, 200);

    // A copy while it runs, the keys for a safe, and a look at the public folder.
    let (done, said) = biobankd(&["backup", "--data", path(&data), "--to", path(&copy)]);
    assert!(done, "{said}");
    let (done, said) = biobankd(&["backup", "--data", path(&data), "--to", path(&keys), "--with-keys"]);
    assert!(done, "{said}");
    let (sound, said) = biobankd(&["check", "--data", path(&data), "--running"]);
    assert!(sound, "{said}");
    service.end();
    let (sound, said) = biobankd(&["check", "--data", path(&data)]);
    assert!(sound, "{said}");

    // The way back: the keys out of the safe, the rest out of the copy, and what was published last.
    fs::create_dir(&back).unwrap();
    for name in ["institution.key", "log.key", "pseudonym.key"] {
        fs::copy(keys.join(name), back.join(name)).unwrap();
    }
    let newest = data.join("log/public/checkpoint");
    let restore = ["restore", "--from", path(&copy), "--data", path(&back), "--newest", path(&newest)];
    let (done, said) = biobankd(&restore);
    assert!(done, "{said}");
    let service = Service::ready(&back, &[]).await;
    let again = callers(&service.address).await;
    assert_eq!((&again.did, again.vkey.to_string()), (&biobank.did, biobank.vkey.to_string()));
    let (status, donors) = again.asks(&staff, "/v1/donors").await;
    assert_eq!((status, donors["donors"].as_array().map(Vec::len)), (200, Some(1)), "{donors}");
    service.end();
}
