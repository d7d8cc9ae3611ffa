//! Lists of trusted issuers: signed by the operator, handed out by the service, and gone by where credentials are
//! checked; never an older one again, never somebody else's.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use consent::Timestamp;
use identity::vc::{IssueOptions, KeyKind, Signer, Suite, issue};
use identity::{SigningKey, TrustClaims, TrustError, TrustList, TrustedIssuer, sign_jws};
use serde_json::{Value, json};
use server::vc_api::{TrustPlace, TrustSource, VcOptions, start};
use server::{Institution, Options, StoreAddress, publish_trusted_issuers, rotate_institution_key};
use std::path::Path;

fn biobank() -> SigningKey {
    SigningKey::from_seed([5; 32])
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn issuer(did: &str, types: &[&str], until: Option<&str>) -> TrustedIssuer {
    let types = types.iter().map(|name| (*name).to_owned()).collect();
    TrustedIssuer { issuer: did.to_owned(), types, until: until.map(at) }
}

fn lab() -> Signer {
    Signer::from_secret(KeyKind::P256, &[7; 32]).unwrap()
}

fn claims() -> TrustClaims {
    let issuers = vec![
        issuer(lab().id().as_str(), &["AlumniCredential"], None),
        issuer("did:web:old.example", &["AlumniCredential"], Some("2026-01-01T00:00:00Z")),
    ];
    TrustClaims::first(issuers, at("2026-11-01T00:00:00Z"), at("2999-01-01T00:00:00Z"))
}

#[test]
fn a_list_is_read_in_its_one_form_and_never_backwards() {
    let (key, now) = (biobank(), at("2026-11-02T00:00:00Z"));
    let first = TrustList::sign(&key, &claims()).unwrap();
    let read = |jws: &str, seen: Option<&TrustList>| TrustList::read(jws, &key.did(), seen.map(TrustList::seen), now);
    let list = read(&first, None).unwrap();
    assert_eq!(read(&first, Some(&list)).unwrap(), list, "the same one again");

    let next = TrustList::sign(&key, &list.next(vec![], now, at("2027-01-01T00:00:00Z"))).unwrap();
    let newer = read(&next, Some(&list)).unwrap();
    assert_eq!(newer.claims().version, 2);
    assert_eq!(read(&first, Some(&newer)), Err(TrustError::Rollback(2)));
    // Two texts of one version, and a second version that follows another first one.
    let other = TrustList::sign(&key, &TrustClaims { until: at("2998-01-01T00:00:00Z"), ..claims() }).unwrap();
    assert_eq!(read(&other, Some(&list)), Err(TrustError::Rollback(1)));
    let of_other = read(&other, None).unwrap().next(vec![], now, at("2027-01-01T00:00:00Z"));
    assert_eq!(read(&TrustList::sign(&key, &of_other).unwrap(), Some(&list)), Err(TrustError::Fork));
    // Who missed a version takes the one after it: it can not be older.
    let third = TrustList::sign(&key, &newer.next(vec![], now, at("2027-01-01T00:00:00Z"))).unwrap();
    assert!(read(&third, Some(&list)).is_ok());

    assert_eq!(
        read(&TrustList::sign(&SigningKey::from_seed([6; 32]), &claims()).unwrap(), None),
        Err(TrustError::Signer)
    );
    assert_eq!(TrustList::read(&first, &key.did(), None, at("2026-10-31T00:00:00Z")), Err(TrustError::Future));
    assert!(matches!(read(&first.replace('.', ","), None), Err(TrustError::Jws(_))));
    assert!(matches!(read(&format!("{}A", first), None), Err(TrustError::Jws(_))));
    let good = serde_json::to_value(claims()).unwrap();
    let typ = "consent-trusted-issuers.v1+jws";
    let signed = |typ: &str, said: &Value| sign_jws(&key, typ, &identity::to_canonical(said).unwrap());
    assert!(read(&signed(typ, &good), None).is_ok());
    assert!(matches!(read(&signed("log-key.v1+jws", &good), None), Err(TrustError::Form(_))));
    assert!(matches!(
        read(&sign_jws(&key, typ, good.to_string().replace(':', ": ").as_bytes()), None),
        Err(TrustError::Form(_))
    ));
    for (place, value) in [
        ("/version", json!(0)),
        ("/version", json!(2)),
        ("/version", json!("1")),
        ("/until", json!("2026-10-01T00:00:00Z")),
        ("/until", json!("soon")),
        ("/issuers/0/issuer", json!("did:web:ex\u{430}mple.org")),
        ("/issuers/0/issuer", json!("did:web:old.example")),
        ("/issuers/0/types", json!([])),
        ("/issuers/0/types", json!(["a\u{0}"])),
        ("/issuers/0/types", json!(vec!["a"; 17])),
        ("/issuers/0", json!({ "issuer": "did:web:x.example", "types": ["a"], "note": "b" })),
        ("/issuers", json!(vec![json!({ "issuer": "did:web:x.example", "types": ["a"] }); 301])),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        assert!(matches!(read(&signed(typ, &bad), None), Err(TrustError::Form(_))), "{place}");
    }
    let mut bad = good;
    bad["previous"] = json!("00".repeat(32));
    assert!(matches!(read(&signed(typ, &bad), None), Err(TrustError::Form(_))));
}

fn signed(types: Value) -> Value {
    let key = lab();
    let credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": types,
        "issuer": key.id().as_str(),
        "credentialSubject": { "id": "did:example:abcdefgh", "alumniOf": "The School of Examples" },
    });
    issue(&credential, &IssueOptions::new(Suite::EcdsaJcs2019, at("2026-11-22T12:00:00Z")), &key).unwrap()
}

fn options(list: &Path, keys: &Path, by: &SigningKey) -> VcOptions {
    let source = TrustSource { biobank: by.did(), place: TrustPlace::File(list.to_owned()) };
    let keys = Some(keys.to_owned());
    VcOptions { trust: Some(source), keys, ..VcOptions::new("127.0.0.1:0".parse().unwrap()) }
}

/// The status, and result and words of the check of trust.
async fn asked(options: VcOptions, credential: &Value, waive: &[&str]) -> (u16, String, String) {
    let running = start(options).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = json!({ "verifiableCredential": credential, "options": { "waive": waive } });
    let answer = http.post(format!("{}/credentials/verify", running.address)).json(&body).send().await.unwrap();
    let (status, said) = (answer.status().as_u16(), answer.json::<Value>().await.unwrap());
    let check = said["checks"].as_array().unwrap().iter().find(|check| check["name"] == "trust").unwrap();
    let words = format!("{}{}", check["detail"].as_str().unwrap(), check["evidence"].as_str().unwrap());
    (status, check["result"].as_str().unwrap().to_owned(), words)
}

#[tokio::test]
async fn only_who_is_on_the_list_may_issue_what_it_says() {
    let work = tempfile::tempdir().unwrap();
    let (file, keys, key) = (work.path().join("list"), work.path().join("keys"), biobank());
    std::fs::write(&file, TrustList::sign(&key, &claims()).unwrap()).unwrap();
    let good = signed(json!(["VerifiableCredential", "AlumniCredential"]));
    let (status, result, words) = asked(options(&file, &keys, &key), &good, &[]).await;
    assert_eq!((status, result.as_str()), (200, "passed"), "{words}");
    assert!(words.contains("version 1 of the list of did:key:"), "{words}");
    // Without a list nobody is asked, and the report says so.
    let (status, result, _) = asked(VcOptions::new("127.0.0.1:0".parse().unwrap()), &good, &[]).await;
    assert_eq!((status, result.as_str()), (200, "waived"));

    for types in
        [json!(["VerifiableCredential", "AlumniCredential", "OtherCredential"]), json!(["VerifiableCredential"])]
    {
        let (status, result, words) = asked(options(&file, &keys, &key), &signed(types), &[]).await;
        assert_eq!((status, result.as_str()), (400, "failed"), "{words}");
    }
    // Nobody on the list; and a list that is over, which no caller can waive.
    let none = TrustClaims { issuers: Vec::new(), ..claims() };
    let over = TrustClaims { until: at("2026-11-02T00:00:00Z"), ..claims() };
    for (claims, expected) in [(none, "failed"), (over, "not-made")] {
        let (file, keys) = (work.path().join(expected), work.path().join(format!("{expected}-keys")));
        std::fs::write(&file, TrustList::sign(&key, &claims).unwrap()).unwrap();
        let (status, result, words) = asked(options(&file, &keys, &key), &good, &["trust"]).await;
        assert_eq!((status, result.as_str()), (400, expected), "{words}");
    }
}

#[tokio::test]
async fn an_older_list_is_refused_after_a_new_start() {
    let work = tempfile::tempdir().unwrap();
    let (file, keys, key) = (work.path().join("list"), work.path().join("keys"), biobank());
    let first = TrustList::sign(&key, &claims()).unwrap();
    let list = TrustList::read(&first, &key.did(), None, at("2026-11-02T00:00:00Z")).unwrap();
    let next = list.next(Vec::new(), at("2026-11-02T00:00:00Z"), at("2999-01-01T00:00:00Z"));
    std::fs::write(&file, TrustList::sign(&key, &next).unwrap()).unwrap();
    drop(start(options(&file, &keys, &key)).await.unwrap());
    std::fs::write(&file, &first).unwrap();
    let refused = |error: Result<_, server::StartError>| error.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused(start(options(&file, &keys, &key)).await).contains("version 2 was seen before"));
    // Another biobank's list, none at all, and a memory that can not be read.
    assert!(refused(start(options(&file, &keys, &SigningKey::from_seed([6; 32]))).await).contains("somebody else"));
    assert!(!refused(start(options(&work.path().join("none"), &keys, &key)).await).is_empty());
    std::fs::write(keys.join("trusted-issuers.seen.json"), "{").unwrap();
    assert!(!refused(start(options(&file, &keys, &key)).await).is_empty());
}

#[tokio::test]
async fn the_service_hands_out_what_its_operator_signed() {
    let work = tempfile::tempdir().unwrap();
    let institution = Institution { name: "A".to_owned(), origin: "a.example/log".to_owned() };
    assert!(publish_trusted_issuers(work.path(), Vec::new(), 9).is_err(), "no institution lies here");
    let options = Options::new(work.path().to_owned(), "127.0.0.1:0".parse().unwrap(), institution);
    let running = server::start(options).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1/trusted-issuers", running.address);
    assert_eq!(http.get(&url).send().await.unwrap().status().as_u16(), 404);
    let issuers = vec![issuer("did:web:lab.example", &["LabResult"], None)];
    assert_eq!(publish_trusted_issuers(work.path(), issuers.clone(), 90).unwrap().claims().version, 1);
    let second = publish_trusted_issuers(work.path(), issuers, 90).unwrap();
    let answer = http.get(&url).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/jose");
    let text = answer.text().await.unwrap();
    let seed: [u8; 32] = std::fs::read(work.path().join("institution.key")).unwrap().try_into().unwrap();
    let did = SigningKey::from_seed(seed).did();
    let read = TrustList::read(&text, &did, None, second.claims().issued).unwrap();
    assert_eq!(read, second);
    // Another key speaks for the institution, and goes on with the list that the former one signed.
    running.close().await;
    rotate_institution_key(work.path(), &StoreAddress::Embedded, false).unwrap();
    let third = publish_trusted_issuers(work.path(), Vec::new(), 90).unwrap();
    assert_eq!((third.claims().version, &third.claims().previous), (3, &Some(second.seen().sha256.clone())));
    // A list that lies damaged is not followed by another first one.
    std::fs::write(work.path().join("trusted-issuers.jws"), "x").unwrap();
    assert!(publish_trusted_issuers(work.path(), Vec::new(), 9).is_err());
}
