//! The status that the service for institutions gives to credentials: who changes it, what it says, and that no holder
//! and no stranger gets around it.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod vc_service;

use serde_json::{Value, json};
use server::vc_api::VcOptions;
use vc_service::{Service, V2, credential};

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
