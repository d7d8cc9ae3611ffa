//! The one client for foreign documents, against real servers on this machine that try everything; and what a
//! verification makes of a DID document that was fetched.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod loopback;

use consent::Timestamp;
use identity::did_document::{Age, CacheTimes, DidUrl, ResolveError};
use identity::vc::{IssueOptions, KeyKind, Policy, Signer, Suite, issue, named_dids, verify_credential};
use identity::web::{FetchError, Fetcher, Wanted, WebResolver};
use loopback::{Answer, Host, json as good_json, with_head};
use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const JSON: Wanted<'_> = Wanted { kinds: &["application/json"], max_bytes: 1_000 };

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_795_000_000 + seconds)
}

async fn fetched(answer: impl Fn(&str) -> Answer + Send + Sync + 'static, path: &str) -> Result<Vec<u8>, FetchError> {
    let host = Host::open(answer).await;
    Fetcher::loopback(&host.root).unwrap().fetch(&host.url(path), JSON).await
}

#[tokio::test]
async fn a_document_comes_with_nothing_told_about_the_asker() {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = heads.clone();
    let answer = move |head: &str| {
        seen.lock().unwrap().push(head.to_ascii_lowercase());
        match head.split(' ').nth(1).unwrap() {
            "/a" => with_head("302 Found", "location: /b\r\nset-cookie: id=1", b""),
            _ => good_json("{}"),
        }
    };
    assert_eq!(fetched(answer, "/a").await, Ok(b"{}".to_vec()));
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 2);
    for head in heads.iter() {
        for name in ["cookie:", "authorization:", "referer:", "user-agent:", "accept-encoding:"] {
            assert!(!head.contains(name), "{head}");
        }
    }
}

#[tokio::test]
async fn answers_are_bounded() {
    let long = "x".repeat(1_001);
    assert_eq!(fetched(move |_| good_json(&long), "/").await, Err(FetchError::TooLong));
    assert_eq!(fetched(|_| Answer::Endless, "/").await, Err(FetchError::TooLong));
    assert_eq!(fetched(|_| good_json(&"x".repeat(1_000)), "/").await.unwrap().len(), 1_000);
    let html = |_: &str| with_head("200 OK", "content-type: text/html", b"{}");
    assert_eq!(fetched(html, "/").await, Err(FetchError::Kind));
    let none = |_: &str| with_head("200 OK", "x: y", b"{}");
    assert_eq!(fetched(none, "/").await, Err(FetchError::Kind));
    for status in ["404 Not Found", "500 Oops", "204 No Content", "206 Partial Content", "300 Choices", "304 Same"] {
        let answer = move |_: &str| with_head(status, "content-type: application/json", b"");
        assert_eq!(fetched(answer, "/").await, Err(FetchError::Status(status[..3].parse().unwrap())));
    }
    // A gigabyte of spaces, packed into a megabyte: it is never unpacked.
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    (0..64).for_each(|_| packer.write_all(&[b' '; 1 << 20]).unwrap());
    let bomb = packer.finish().unwrap();
    let packed = move |_: &str| {
        with_head("200 OK", "content-type: application/json\r\ncontent-encoding: gzip", &bomb[..bomb.len().min(900)])
    };
    assert_eq!(fetched(packed, "/").await, Err(FetchError::Packed));
    let not_http = |_: &str| Answer::Bytes(b"220 mail.example ESMTP\r\n".to_vec());
    assert_eq!(fetched(not_http, "/").await, Err(FetchError::Unreachable));
}

#[tokio::test]
async fn slow_servers_are_left() {
    let begun = Instant::now();
    let (drip, silence) = tokio::join!(fetched(|_| Answer::Drip, "/"), fetched(|_| Answer::Silence, "/"));
    assert_eq!((drip, silence), (Err(FetchError::TimedOut), Err(FetchError::TimedOut)));
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn redirects_are_checked_like_the_first_address() {
    let round = |_: &str| with_head("302 Found", "location: /again", b"");
    assert_eq!(fetched(round, "/").await, Err(FetchError::Redirects));
    for place in [
        "http://localhost/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:192.168.0.1]/",
        "https://[fd00::1]/",
        "https://2852039166/",
        "https://user:word@localhost:8443/",
        "https://localhost:25/",
        "ftp://localhost/",
        "file:///etc/passwd",
        "data:application/json,{}",
        "//",
    ] {
        let answer = move |_: &str| with_head("307 Elsewhere", &format!("location: {place}"), b"");
        assert_eq!(fetched(answer, "/").await, Err(FetchError::Address), "{place}");
    }
    let nowhere = |_: &str| with_head("301 Elsewhere", "x: y", b"");
    assert_eq!(fetched(nowhere, "/").await, Err(FetchError::Address));
}

#[tokio::test]
async fn what_ships_never_asks_this_machine() {
    let host = Host::open(|_| good_json("{}")).await;
    let client = Fetcher::public().unwrap();
    for address in [
        host.url("/"),
        format!("https://127.0.0.1:{}/", host.port),
        format!("https://[::ffff:127.0.0.1]:{}/", host.port),
        format!("https://2130706433:{}/", host.port),
        "https://intranet/".to_owned(),
        "https://printer.local./".to_owned(),
    ] {
        assert_eq!(client.fetch(&address, JSON).await, Err(FetchError::Address), "{address}");
    }
    // A name that leads here is looked up and not connected to.
    let name = format!("https://localhost.localdomain:{}/", host.port);
    assert_eq!(client.fetch(&name, JSON).await, Err(FetchError::Unreachable));
    assert_eq!(host.asked.load(Ordering::SeqCst), 0);
    // Another certificate than the one that vouches.
    let other = Host::open(|_| good_json("{}")).await;
    let trusting = Fetcher::loopback(&other.root).unwrap();
    assert_eq!(trusting.fetch(&host.url("/"), JSON).await, Err(FetchError::Unreachable));
}

fn document(did: &str, key: &Signer, purpose: &str) -> String {
    let method = format!("{did}#k");
    let mut document = json!({
        "id": did,
        "verificationMethod": [{ "id": method, "type": "Multikey", "controller": did, "publicKeyMultibase": key.id().multibase() }],
    });
    document[purpose] = json!([method]);
    document.to_string()
}

fn signed(did: &str, key: &Signer, method: &str) -> Value {
    let credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": did,
        "credentialSubject": { "id": "did:example:abcdefgh", "alumniOf": "The School of Examples" },
    });
    let mut options = IssueOptions::new(Suite::EddsaJcs2022, at(0));
    options.method = Some(method.to_owned());
    // A forger's program does not ask whose name it is.
    options.own_name = false;
    issue(&credential, &options, key).unwrap()
}

#[tokio::test]
async fn an_institution_signs_under_its_did_web() {
    let key = Signer::from_secret(KeyKind::Ed25519, &[7; 32]).unwrap();
    let (shown, purpose) =
        (Signer::from_secret(KeyKind::Ed25519, &[7; 32]).unwrap(), Arc::new(Mutex::new("assertionMethod")));
    let now_for = purpose.clone();
    let host = Host::open(move |head| {
        let port = head.split("localhost:").nth(1).unwrap().split("\r\n").next().unwrap();
        good_json(&document(&format!("did:web:localhost%3A{port}"), &shown, *now_for.lock().unwrap()))
    })
    .await;
    let did = host.did();
    let credential = signed(&did, &key, &format!("{did}#k"));
    let bytes = credential.to_string().into_bytes();
    let named = named_dids(&bytes);
    assert_eq!(named.iter().map(DidUrl::as_str).collect::<Vec<_>>(), [did.as_str()]);

    let resolver = WebResolver::new(Fetcher::loopback(&host.root).unwrap(), CacheTimes::default());
    let policy = |at_hand, seconds| Policy { resolver: Arc::new(at_hand), ..Policy::new(at(seconds)) };
    let verification = verify_credential(&bytes, &policy(resolver.look_up(&named, at(0)).await, 0));
    assert!(verification.verified.is_some(), "{:?}", verification.checks);
    let resolution = verification.checks.iter().find(|check| check.name == "resolution").unwrap();
    assert!(resolution.evidence.contains("fetched 0 s ago"), "{resolution:?}");

    // Kept for ten minutes, and the report says since when.
    let verification = verify_credential(&bytes, &policy(resolver.look_up(&named, at(90)).await, 90));
    let resolution = verification.checks.iter().find(|check| check.name == "resolution").unwrap();
    assert!(resolution.evidence.contains("kept since 90 s"), "{resolution:?}");
    assert_eq!(host.asked.load(Ordering::SeqCst), 1);

    // A verifier that wants it fresher, one that did not look, and one that knows keys only.
    let strict = Policy { max_document_age: 60, ..policy(resolver.look_up(&named, at(90)).await, 90) };
    for policy in [strict, policy(Default::default(), 0), Policy::new(at(0))] {
        let failed = verify_credential(&bytes, &policy).failed();
        assert_eq!(failed, ["resolution", "signer-is-issuer"]);
    }
    // Another key of the same name in the proof, and the institution's name over a stranger's key.
    let other = Signer::from_secret(KeyKind::Ed25519, &[8; 32]).unwrap();
    for (forged, check) in [
        (signed(&did, &other, &format!("{did}#k")), "signature"),
        (signed(&did, &other, &format!("{did}#other")), "resolution"),
        (signed(&did, &other, &other.id().verification_method()), "signer-is-issuer"),
    ] {
        let policy = policy(resolver.look_up(&named, at(90)).await, 90);
        assert!(verify_credential(forged.to_string().as_bytes(), &policy).failed().contains(&check), "{check}");
    }
    // The document changes its mind: the key is for logging in only.
    *purpose.lock().unwrap() = "authentication";
    let later = verify_credential(&bytes, &policy(resolver.look_up(&named, at(601)).await, 601));
    assert_eq!(later.failed(), ["resolution", "signer-is-issuer"]);
}

#[tokio::test]
async fn what_a_host_says_of_a_did_is_kept_for_a_short_while() {
    let host = Host::open(|head| match head.split(' ').nth(1).unwrap() {
        "/gone/did.json" => with_head("410 Gone", "x: y", b""),
        "/other/did.json" => good_json("{\"id\":\"did:web:other.example\"}"),
        _ => with_head("404 Not Found", "x: y", b""),
    })
    .await;
    let resolver = WebResolver::new(Fetcher::loopback(&host.root).unwrap(), CacheTimes { found: 600, failed: 30 });
    for (path, error) in [("", ResolveError::NotFound), (":gone", ResolveError::Deactivated)] {
        let did = DidUrl::parse_did(&format!("{}{path}", host.did())).unwrap();
        for seconds in [0, 29] {
            assert_eq!(resolver.resolve(&did, at(seconds)).await.unwrap_err(), error);
        }
    }
    assert_eq!(host.asked.load(Ordering::SeqCst), 2);
    let other = DidUrl::parse_did(&format!("{}:other", host.did())).unwrap();
    assert!(matches!(resolver.resolve(&other, at(0)).await, Err(ResolveError::InvalidDocument(_))));
    let gone = DidUrl::parse_did(&host.did()).unwrap();
    assert_eq!(resolver.resolve(&gone, at(30)).await, Err(ResolveError::NotFound));
    assert_eq!(host.asked.load(Ordering::SeqCst), 4);
    let key = DidUrl::parse_did("did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b").unwrap();
    assert_eq!(resolver.resolve(&key, at(0)).await.unwrap().age, Age::Fixed);
}
