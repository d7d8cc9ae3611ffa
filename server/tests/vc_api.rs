//! The service for institutions, asked over HTTP: what it signs it verifies, and every trick is refused.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use reqwest::Client;
use serde_json::{Value, json};
use server::vc_api::{RunningVcApi, VcOptions, start};

const V2: &str = "https://www.w3.org/ns/credentials/v2";
const EXAMPLES: &str = "https://www.w3.org/ns/credentials/examples/v2";
const INSTANCES: [(&str, &str); 6] = [
    ("eddsa-rdfc-2022", "ed"),
    ("eddsa-jcs-2022", "ed"),
    ("ecdsa-rdfc-2019-p256", "p256"),
    ("ecdsa-rdfc-2019-p384", "p384"),
    ("ecdsa-jcs-2019-p256", "p256"),
    ("ecdsa-jcs-2019-p384", "p384"),
];

struct Service {
    running: RunningVcApi,
    http: Client,
    keys: Value,
}

impl Service {
    async fn open(options: VcOptions) -> Self {
        let running = start(options).await.unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        let keys = http.get(format!("{}/keys", running.address)).send().await.unwrap().json().await.unwrap();
        Self { running, http, keys }
    }

    async fn plain() -> Self {
        Self::open(VcOptions::new("127.0.0.1:0".parse().unwrap())).await
    }

    async fn post(&self, path: &str, body: String) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.running.address)).body(body);
        let answer = request.header("content-type", "application/json").send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn post_to(&self, path: String, body: String) -> (u16, Value) {
        self.post(&path, body).await
    }

    async fn signed(&self, instance: &str, key: &str) -> Value {
        let body = json!({ "credential": credential(&self.keys[key]) }).to_string();
        let (status, mut said) = self.post(&format!("/{instance}/credentials/issue"), body).await;
        assert_eq!(status, 201, "{said}");
        said["verifiableCredential"].take()
    }

    async fn verified(&self, credential: &Value, options: Value) -> (u16, Value) {
        let body = json!({ "verifiableCredential": credential, "options": options });
        self.post("/credentials/verify", body.to_string()).await
    }
}

fn credential(issuer: &Value) -> Value {
    json!({
        "@context": [V2, EXAMPLES],
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": issuer,
        "credentialSubject": { "id": "did:example:abcdefgh", "alumniOf": "The School of Examples" },
    })
}

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
async fn what_was_issued_is_revoked_and_suspended_by_the_operator_alone() {
    let work = tempfile::tempdir().unwrap();
    let options =
        || VcOptions { keys: Some(work.path().join("keys")), ..VcOptions::new("127.0.0.1:0".parse().unwrap()) };
    // The address of the lists has to stay the same from start to start.
    let url = || Some("https://biobank.example/vc/".parse().unwrap());
    let mut service = Service::open(VcOptions { url: url(), ..options() }).await;
    let mut indices = Vec::new();
    for (instance, key, purpose) in [
        ("eddsa-rdfc-2022", "ed", "1"),
        ("ecdsa-jcs-2019-p256", "p256", "revocation"),
        ("eddsa-jcs-2022", "ed", "suspension"),
    ] {
        let body = json!({ "credential": credential(&service.keys[key]) }).to_string();
        let (status, said) = service.post(&format!("/{instance}/credentials/issue?status={purpose}"), body).await;
        assert_eq!(status, 201, "{said}");
        let signed = &said["verifiableCredential"];
        let entry = signed["credentialStatus"].clone();
        assert_eq!(entry["type"], "BitstringStatusListEntry");
        indices.push(entry["statusListIndex"].as_str().unwrap().parse::<u64>().unwrap());
        assert_eq!(service.verified(signed, json!({})).await.0, 200, "{purpose}");

        // The list is one that everybody can verify, of the same issuer, and says that nothing is wrong.
        let path = entry["statusListCredential"].as_str().unwrap().strip_prefix("https://biobank.example/vc").unwrap();
        let get = async |service: &Service| -> Value {
            service.http.get(format!("{}{path}", service.running.address)).send().await.unwrap().json().await.unwrap()
        };
        let list = get(&service).await;
        assert_eq!((&list["issuer"], &list["id"]), (&signed["issuer"], &entry["statusListCredential"]));
        assert_eq!(service.verified(&list, json!({})).await.0, 200, "{list}");

        let set = |status: bool| json!({ "credentialStatus": entry, "status": status }).to_string();
        let change = format!("{}/credentials/status", service.running.address);
        let request = service.http.post(&change).header("content-type", "application/json").body(set(true));
        let forwarded = request.header("x-forwarded-for", "192.0.2.1").send().await.unwrap();
        assert_eq!(forwarded.status().as_u16(), 403);
        let request = service.http.post(&change).header("content-type", "text/plain").body(set(true));
        assert_eq!(request.send().await.unwrap().status().as_u16(), 400, "a web page can send this without asking");
        assert_eq!(service.post("/credentials/status", set(true)).await.0, 200);
        assert_eq!(service.post("/credentials/status", set(true)).await.0, 200, "once more changes nothing");
        // Kept from start to start.
        service = Service::open(VcOptions { url: url(), ..options() }).await;
        let (status, said) = service.verified(signed, json!({ "checks": ["proof"] })).await;
        assert_eq!(status, 400);
        assert!(said["errors"][0].as_str().unwrap().starts_with("status: "), "{said}");
        let held = json!({ "@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": [signed] });
        let held = json!({ "verifiablePresentation": held }).to_string();
        let (status, said) = service.post("/presentations/verify", held.clone()).await;
        assert_eq!((status, &said["credentials"][0]["verified"]), (400, &json!(false)), "{said}");
        // A suspension ends; what was revoked stays so.
        let (status, _) = service.post("/credentials/status", set(false)).await;
        let suspended = purpose == "suspension";
        assert_eq!(status, if suspended { 200 } else { 400 });
        assert_eq!(service.verified(signed, json!({})).await.0, if suspended { 200 } else { 400 });
        assert_eq!(service.post("/presentations/verify", held).await.0, if suspended { 200 } else { 400 });
        assert!(get(&service).await["credentialSubject"]["encodedList"].as_str().unwrap().len() > 40);
    }
    assert_ne!(indices, [0, 0, 0]);
}

#[tokio::test]
async fn a_status_that_the_service_did_not_give_is_not_changed_and_never_good() {
    let service = Service::plain().await;
    let issue = |credential: Value, query: &'static str| {
        let body = json!({ "credential": credential }).to_string();
        service.post_to(format!("/eddsa-jcs-2022/credentials/issue{query}"), body)
    };
    let (_, said) = issue(credential(&service.keys["ed"]), "?status=1").await;
    let entry = said["verifiableCredential"]["credentialStatus"].clone();
    assert_eq!(issue(credential(&service.keys["ed"]), "?status=destruction").await.0, 400);
    let change = |name: &'static str, value: Value| {
        let mut other = entry.clone();
        other[name] = value;
        service
            .post_to("/credentials/status".to_owned(), json!({ "credentialStatus": other, "status": true }).to_string())
    };
    let index: u64 = entry["statusListIndex"].as_str().unwrap().parse().unwrap();
    let list = entry["statusListCredential"].as_str().unwrap();
    for (name, value) in [
        ("statusListIndex", json!(((index + 1) % 131_072).to_string())),
        ("statusListIndex", json!("131072")),
        ("statusListIndex", json!("x")),
        ("statusListIndex", json!(7)),
        ("statusPurpose", json!("suspension")),
        ("statusListCredential", json!("https://elsewhere.example/status/1")),
        ("statusListCredential", json!(list.replace("/status/1", "/status/2"))),
        ("statusListCredential", json!(list.replace("/status/1", "/status/9"))),
        ("type", json!("StatusList2021Entry")),
    ] {
        assert_eq!(change(name, value.clone()).await.0, 404, "{name} {value}");
    }
    for body in
        [json!({}), json!({ "credentialStatus": entry }), json!({ "credentialStatus": entry, "status": "true" })]
    {
        assert_eq!(service.post("/credentials/status", body.to_string()).await.0, 400, "{body}");
    }
    // A credential whose list nobody here has: its proof is right, and it is not verified.
    let mut elsewhere = credential(&service.keys["ed"]);
    elsewhere["credentialStatus"] = entry.clone();
    elsewhere["credentialStatus"]["statusListCredential"] = json!("https://elsewhere.example/status/1");
    assert_eq!(issue(elsewhere.clone(), "?status=1").await.0, 400, "it has a status already");
    let (status, said) = issue(elsewhere, "").await;
    assert_eq!(status, 201, "{said}");
    let (status, said) = service.verified(&said["verifiableCredential"], json!({})).await;
    assert_eq!((status, said["errors"].as_array().unwrap().len()), (400, 1), "{said}");
    assert!(said["errors"][0].as_str().unwrap().starts_with("status: could not be checked"), "{said}");
    // The key of BBS signs nothing that all can read, so it has no lists.
    for purpose in ["1", "revocation", "suspension"] {
        let body = json!({ "credential": credential(&service.keys["bls"]) }).to_string();
        let (status, said) = service.post(&format!("/bbs-2023/credentials/issue?status={purpose}"), body).await;
        assert_eq!((status, said["code"].as_str()), (400, Some("bad-options")), "{said}");
    }
    for number in 1..=6 {
        let answer = service.http.get(format!("{}/status/{number}", service.running.address)).send().await.unwrap();
        let list: Value = answer.json().await.unwrap();
        assert_eq!(service.verified(&list, json!({})).await.0, 200, "{list}");
    }
    for path in
        ["/status/0", "/status/7", "/status/8", "/status/9", "/status/-1", "/status/x", "/status/99999999999999999999"]
    {
        let answer = service.http.get(format!("{}{path}", service.running.address)).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 404, "{path}");
    }
}

#[tokio::test]
async fn no_holder_leaves_out_the_status_that_the_service_gave() {
    let service = Service::plain().await;
    let mut whole = credential(&service.keys["p256"]);
    whole["validFrom"] = json!("2020-01-01T00:00:00Z");
    whole["validUntil"] = json!("2999-01-01T00:00:00Z");
    for pointers in [json!(["/issuer"]), json!(["/credentialStatus", "/issuer", "/validUntil"]), json!(null)] {
        let body = json!({ "credential": whole, "options": { "mandatoryPointers": pointers } }).to_string();
        let (status, said) = service.post("/ecdsa-sd-2023-p256/credentials/issue?status=1", body).await;
        assert_eq!(status, 201, "{said}");
        let base = &said["verifiableCredential"];
        let options = json!({ "selectivePointers": ["/credentialSubject/alumniOf"] });
        let body = json!({ "verifiableCredential": base, "options": options }).to_string();
        let (status, said) = service.post("/credentials/derive", body).await;
        assert_eq!(status, 201, "{said}");
        let derived = &said["verifiableCredential"];
        for member in ["credentialStatus", "validFrom", "validUntil"] {
            assert_eq!(derived[member], base[member], "{pointers}: {member}");
        }
        assert_eq!(service.verified(derived, json!({})).await.0, 200);
        let set = json!({ "credentialStatus": derived["credentialStatus"], "status": true }).to_string();
        assert_eq!(service.post("/credentials/status", set).await.0, 200);
        let (status, said) = service.verified(derived, json!({})).await;
        assert_eq!(status, 400);
        assert!(said["errors"][0].as_str().unwrap().starts_with("status: "), "{said}");
    }
}

#[tokio::test]
async fn a_status_says_what_its_values_mean_and_where_to_read_more() {
    let options = VcOptions { conformance: true, ..VcOptions::new("127.0.0.1:0".parse().unwrap()) };
    let (strict, lax) = (Service::plain().await, Service::open(options).await);
    let issue = async |service: &Service, query: &str, options: Value| {
        let body = json!({ "credential": credential(&service.keys["ed"]), "options": options }).to_string();
        service.post(&format!("/eddsa-rdfc-2022/credentials/issue{query}"), body).await
    };
    let (messages, page) = (json!(["valid", "taken back"]), json!("https://biobank.example/status"));
    let words = json!({ "statusMessage": messages, "statusReference": page });
    let (status, said) = issue(&strict, "?status=1", words.clone()).await;
    assert_eq!(status, 201, "{said}");
    let signed = &said["verifiableCredential"];
    let entry = &signed["credentialStatus"];
    let expected = json!([{ "status": "0x0", "message": "valid" }, { "status": "0x1", "message": "taken back" }]);
    assert_eq!((&entry["statusSize"], &entry["statusMessage"]), (&json!(1), &expected));
    assert_eq!(entry["statusReference"], json!([page]));
    assert_eq!(strict.verified(signed, json!({})).await.0, 200);
    assert_eq!(issue(&strict, "", words).await.0, 400, "there is no status");
    for (name, value) in [
        ("statusMessage", json!(["valid"])),
        ("statusMessage", json!("valid")),
        ("statusReference", json!("page 7")),
        ("statusReference", json!([7])),
        ("statusSize", json!(2)),
    ] {
        assert_eq!(issue(&strict, "?status=1", json!({ name: value })).await.0, 400, "{name} {value}");
    }

    // The suite counts a message for each bit. What it is given is revoked like any other.
    let (_, said) = issue(&lax, "?status=1", json!({})).await;
    let signed = &said["verifiableCredential"];
    let entry = &signed["credentialStatus"];
    assert_eq!(entry["statusMessage"].as_array().map(Vec::len), Some(2), "{entry}");
    assert_eq!((&entry["statusSize"], &entry["statusReference"]), (&json!(2), &entry["statusListCredential"]));
    assert_eq!(lax.verified(signed, json!({})).await.0, 200);
    let set = json!({ "credentialStatus": entry, "status": true }).to_string();
    assert_eq!(lax.post("/credentials/status", set).await.0, 200);
    let (status, said) = lax.verified(signed, json!({ "checks": ["proof"] })).await;
    assert!(status == 400 && said["errors"][0].as_str().unwrap().ends_with("revoked"), "{said}");
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
