//! Selective disclosure: what is shown is what was signed, and every trick with disclosures and with the key binding
//! is refused by the check that names it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use consent::Timestamp;
use identity::Verification;
use identity::jose::{
    Binding, Concealed, SdJwtError, TokenOptions, did_jwk, issue_sd_jwt, issue_token, present_sd_jwt,
    verify_presentation_token, verify_sd_jwt, verify_sd_jwt_presentation,
};
use identity::vc::{KeyKind, Policy, Signer, verify_credential};
use serde_json::{Value, json};

const NONCE: &str = "n-1";
const LAB: &str = "https://lab.example";
const POINTERS: [&str; 6] =
    ["/given_name", "/address", "/address/street", "/address/lines/0", "/nationalities/0", "/nationalities/1"];

fn key(kind: KeyKind, number: u8) -> Signer {
    Signer::from_secret(kind, &vec![number; kind.secret_len()]).unwrap()
}

fn now() -> Timestamp {
    "2026-11-22T13:00:00Z".parse().unwrap()
}

fn policy() -> Policy {
    Policy { challenge: Some(NONCE.to_owned()), domain: Some(LAB.to_owned()), ..Policy::new(now()) }
}

fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer,
        "iat": now().unix(),
        "vct": "https://biobank.example/enrolment",
        "given_name": "Ada",
        "address": { "street": "Main", "lines": ["a", "b"], "code": 7 },
        "nationalities": ["AT", "DE", "FR"],
    })
}

fn issued(kind: KeyKind, holder: &Signer) -> String {
    let issuer = key(kind, 7);
    let concealed = Concealed { pointers: &POINTERS, decoys: 2, holder: Some(&holder.id()) };
    issue_sd_jwt(&claims(issuer.id().as_str()), &concealed, &issuer).unwrap()
}

fn binding(holder: &Signer) -> Binding<'_> {
    Binding { key: holder, nonce: NONCE, audience: LAB, now: now() }
}

fn presented(shown: &[&str]) -> String {
    let holder = key(KeyKind::P256, 9);
    present_sd_jwt(&issued(KeyKind::Ed25519, &holder), shown, Some(&binding(&holder))).unwrap()
}

fn check(text: &str) -> Verification<Value> {
    verify_sd_jwt_presentation(text, &policy())
}

#[track_caller]
fn fails_at(text: &str, name: &str) {
    let verification = check(text);
    assert!(verification.verified.is_none(), "{name}");
    assert!(verification.failed().contains(&name), "{name}: {:?}", verification.checks);
}

fn opened(part: &str) -> Value {
    serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
}

fn sign(number: u8, header: &Value, payload: &Value) -> String {
    let signed = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(payload.to_string()));
    let signature = identity::SigningKey::from_seed([number; 32]).sign(signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(signature))
}

/// An SD-JWT that a careless or hostile issuer makes: these claims and disclosures, whatever they are.
fn made(payload: Value, disclosures: &[String]) -> String {
    let issuer = key(KeyKind::Ed25519, 7).id();
    let mut all = json!({ "iss": issuer.as_str(), "vct": "urn:x" });
    all.as_object_mut().unwrap().extend(payload.as_object().unwrap().clone());
    let header = json!({ "alg": "EdDSA", "typ": "dc+sd-jwt", "kid": issuer.verification_method() });
    let parts = disclosures.iter().map(|one| format!("{one}~"));
    std::iter::once(format!("{}~", sign(7, &header, &all))).chain(parts).collect()
}

fn disclosure(value: &Value) -> (String, String) {
    let text = BASE64.encode(value.to_string());
    let digest = BASE64.encode(identity::sha256(text.as_bytes()));
    (text, digest)
}

#[track_caller]
fn held_fails_at(text: &str, name: &str) {
    let verification = verify_sd_jwt(text, &Policy::new(now()));
    assert!(verification.failed().contains(&name), "{name}: {:?}", verification.checks);
}

#[test]
fn what_is_shown_is_what_the_verifier_reads() {
    let holder = key(KeyKind::P256, 9);
    for kind in [KeyKind::Ed25519, KeyKind::P256, KeyKind::P384] {
        let held = issued(kind, &holder);
        let token = opened(held.split('.').nth(1).unwrap());
        let text = token.to_string();
        for hidden in ["Ada", "Main", "\"AT\"", "\"DE\""] {
            assert!(!text.contains(hidden), "{hidden} is in clear");
        }
        assert_eq!(token["_sd"].as_array().unwrap().len(), 2 + 2, "two claims and two decoys");
        assert_eq!(token["nationalities"].as_array().unwrap().len(), 3 + 2);

        let all = verify_sd_jwt(&held, &Policy::new(now())).verified.unwrap();
        let mut expected = claims(key(kind, 7).id().as_str());
        expected["cnf"] = json!({ "jwk": holder.id().to_jwk().unwrap() });
        assert_eq!(*all, expected);

        let text = present_sd_jwt(&held, &["/address/street", "/nationalities/1"], Some(&binding(&holder))).unwrap();
        let verification = check(&text);
        let shown = verification.verified.unwrap_or_else(|| panic!("{:?}", verification.checks));
        assert_eq!(shown["address"], json!({ "street": "Main", "lines": ["b"], "code": 7 }));
        assert_eq!(shown["nationalities"], json!(["DE", "FR"]));
        assert_eq!(shown.get("given_name"), None);
        assert!(shown.get("_sd").is_none() && shown.get("_sd_alg").is_none());
    }
    let nothing = check(&presented(&[])).verified.unwrap();
    assert_eq!(nothing["nationalities"], json!(["FR"]));
    assert_eq!(nothing.get("address"), None);
}

#[test]
fn a_w3c_credential_takes_this_form_too() {
    let issuer = key(KeyKind::P256, 7);
    let credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential"],
        "issuer": did_jwk(&issuer.id()).unwrap(),
        "credentialSubject": { "id": "did:example:1", "alumniOf": "A", "name": "B" },
    });
    let concealed = Concealed { pointers: &["/credentialSubject/name"], ..Concealed::default() };
    let held = issue_sd_jwt(&credential, &concealed, &issuer).unwrap();
    let shown = present_sd_jwt(&held, &["/credentialSubject/alumniOf"], None).unwrap();
    let verification = verify_sd_jwt(&shown, &Policy::new(now()));
    assert_eq!(verification.verified.unwrap()["credentialSubject"], json!({ "id": "did:example:1", "alumniOf": "A" }));
    let url = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": format!("data:application/vc+sd-jwt,{held}"),
        "type": "EnvelopedVerifiableCredential",
    });
    let verification = verify_credential(url.to_string().as_bytes(), &Policy::new(now()));
    assert!(verification.verified.is_some(), "{:?}", verification.checks);
    // A credential by its type is none of W3C, whatever its envelope calls it.
    let typed = issued(KeyKind::Ed25519, &key(KeyKind::P256, 9));
    for (media, name) in [("vc+sd-jwt", "typ"), ("dc+sd-jwt", "envelope")] {
        let mut other = url.clone();
        other["id"] = json!(format!("data:application/{media},{typed}"));
        let failed = verify_credential(other.to_string().as_bytes(), &Policy::new(now())).failed();
        assert_eq!(failed, [name], "{media}");
    }
    for pointer in ["/type", "/issuer", "/@context"] {
        let concealed = Concealed { pointers: &[pointer], ..Concealed::default() };
        assert!(matches!(issue_sd_jwt(&credential, &concealed, &issuer), Err(SdJwtError::Pointer(_))));
    }
}

#[test]
fn what_is_bound_to_a_key_is_in_no_presentation_by_another() {
    let (issuer, holder, thief) = (key(KeyKind::P256, 7), key(KeyKind::P256, 9), key(KeyKind::P256, 8));
    let credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential"],
        "issuer": issuer.id().as_str(),
        "credentialSubject": { "id": "did:example:1", "alumniOf": "A" },
    });
    let bound_to = holder.id();
    let concealed = Concealed { holder: Some(&bound_to), ..Concealed::default() };
    let held = issue_sd_jwt(&credential, &concealed, &issuer).unwrap();
    let presented_by = |key: &Signer| {
        let presentation = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiablePresentation"],
            "holder": key.id().as_str(),
            "verifiableCredential": [{
                "@context": ["https://www.w3.org/ns/credentials/v2"],
                "id": format!("data:application/vc+sd-jwt,{held}"),
                "type": "EnvelopedVerifiableCredential",
            }],
        });
        let (nonce, audience) = (Some(NONCE.to_owned()), Some(LAB.to_owned()));
        let options = TokenOptions { nonce, audience, ..TokenOptions::new(now()) };
        verify_presentation_token(&issue_token(&presentation, &options, key).unwrap(), &policy())
    };
    let own = presented_by(&holder);
    assert!(own.presentation.verified.is_some(), "{:?} {:?}", own.presentation.checks, own.credentials[0].checks);
    let stolen = presented_by(&thief);
    assert_eq!(stolen.presentation.failed(), ["credentials"]);
    assert_eq!(stolen.credentials[0].failed(), ["key-binding"]);
}

#[test]
fn the_key_binding_can_not_be_left_out_or_kept() {
    let text = presented(&["/given_name"]);
    let (bound, kb) = text.rsplit_once('~').unwrap();
    fails_at(&format!("{bound}~"), "key-binding");
    fails_at(&format!("{bound}~x"), "key-binding");
    fails_at(&text[..text.len() - 4], "key-binding");
    for (changes, name) in [
        (Policy { challenge: Some("n-2".to_owned()), ..policy() }, "challenge"),
        (Policy { challenge: None, ..policy() }, "challenge"),
        (Policy { domain: Some("https://other.example".to_owned()), ..policy() }, "audience"),
        (Policy { domain: None, ..policy() }, "audience"),
        (Policy { now: now().plus_seconds(301), ..policy() }, "key-binding"),
        (Policy { now: now().plus_seconds(-301), ..policy() }, "key-binding"),
    ] {
        let failed = verify_sd_jwt_presentation(&text, &changes).failed();
        assert!(failed.contains(&name), "{name}: {failed:?}");
    }
    // One more, one fewer or another disclosure than the holder chose.
    let other = presented(&["/given_name", "/nationalities/0"]);
    fails_at(&format!("{}~{kb}", other.rsplit_once('~').unwrap().0), "sd-hash");
    fails_at(&format!("{}~{kb}", bound.rsplit_once('~').unwrap().0), "sd-hash");
    // What was presented is not what the issuer handed out.
    held_fails_at(&text, "key-binding");
    assert!(matches!(present_sd_jwt(&text, &[], None), Err(SdJwtError::Held(_))));
    // Somebody else's key.
    let (holder, thief) = (key(KeyKind::P256, 9), key(KeyKind::P256, 8));
    let held = issued(KeyKind::Ed25519, &holder);
    assert_eq!(present_sd_jwt(&held, &[], Some(&binding(&thief))), Err(SdJwtError::Binding));
}

#[test]
fn a_key_binding_of_another_make_is_refused() {
    let holder = key(KeyKind::Ed25519, 9);
    let held = issued(KeyKind::Ed25519, &holder);
    let bound = present_sd_jwt(&held, &[], None).unwrap();
    let hash = BASE64.encode(identity::sha256(bound.as_bytes()));
    let header = json!({ "alg": "EdDSA", "typ": "kb+jwt" });
    let claims = json!({ "iat": now().unix(), "aud": LAB, "nonce": NONCE, "sd_hash": hash });
    let with = |part: &str, name: &str, value: Value, number: u8| {
        let (mut header, mut claims) = (header.clone(), claims.clone());
        let object = if part == "header" { &mut header } else { &mut claims };
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value;
        }
        format!("{bound}{}", sign(number, &header, &claims))
    };
    assert!(check(&with("claims", "iat", json!(now().unix()), 9)).verified.is_some());
    fails_at(&with("claims", "iat", json!(now().unix()), 8), "key-binding");
    for (part, name, value, failed) in [
        ("header", "typ", json!("JWT"), "key-binding"),
        ("header", "typ", Value::Null, "key-binding"),
        ("header", "alg", json!("none"), "key-binding"),
        ("header", "alg", json!("HS256"), "key-binding"),
        ("header", "alg", json!("ES256"), "key-binding"),
        ("header", "jwk", key(KeyKind::Ed25519, 8).id().to_jwk().unwrap(), "key-binding"),
        ("header", "crit", json!(["x"]), "key-binding"),
        ("claims", "iat", Value::Null, "key-binding"),
        ("claims", "exp", json!(now().unix() - 1), "key-binding"),
        ("claims", "nonce", Value::Null, "challenge"),
        ("claims", "nonce", json!(7), "challenge"),
        ("claims", "aud", Value::Null, "audience"),
        ("claims", "sd_hash", Value::Null, "sd-hash"),
        ("claims", "sd_hash", json!(""), "sd-hash"),
    ] {
        fails_at(&with(part, name, value, 9), failed);
    }
    // A credential that is bound to nobody can be presented by anybody.
    let issuer = key(KeyKind::Ed25519, 7);
    let free = issue_sd_jwt(&self::claims(issuer.id().as_str()), &Concealed::default(), &issuer).unwrap();
    let hash = BASE64.encode(identity::sha256(free.as_bytes()));
    let claims = json!({ "iat": now().unix(), "aud": LAB, "nonce": NONCE, "sd_hash": hash });
    fails_at(&format!("{free}{}", sign(9, &header, &claims)), "key-binding");
}

#[test]
fn disclosures_have_one_place_each() {
    let (name, name_digest) = disclosure(&json!(["salt", "given_name", "Ada"]));
    let (item, item_digest) = disclosure(&json!(["salt", "AT"]));
    let good = made(json!({ "_sd": [name_digest], "list": [{ "...": item_digest }] }), &[name.clone(), item.clone()]);
    let verification = verify_sd_jwt(&good, &Policy::new(now()));
    assert_eq!(verification.verified.unwrap()["list"], json!(["AT"]));

    let nested = |levels: usize| {
        let (mut all, mut digest) = (Vec::new(), None::<String>);
        for level in 0..levels {
            let value = digest.map_or(json!(1), |digest| json!({ "_sd": [digest] }));
            let (text, next) = disclosure(&json!([level.to_string(), "a", value]));
            all.push(text);
            digest = Some(next);
        }
        made(json!({ "_sd": [digest.unwrap()] }), &all)
    };
    assert!(verify_sd_jwt(&nested(20), &Policy::new(now())).verified.is_some());
    held_fails_at(&nested(40), "disclosures");

    let (reserved, reserved_digest) = disclosure(&json!(["salt", "_sd", ["x"]]));
    let (dots, dots_digest) = disclosure(&json!(["salt", "...", "x"]));
    let (long, long_digest) = disclosure(&json!(["salt", "a", "b", "c"]));
    let (salted, salted_digest) = disclosure(&json!([7, "a", "b"]));
    let (again, again_digest) = disclosure(&json!(["other", "given_name", "Eve"]));
    let (twice, twice_digest) = {
        let text = BASE64.encode(r#"["s","a",{"b":1,"b":2}]"#);
        let digest = BASE64.encode(identity::sha256(text.as_bytes()));
        (text, digest)
    };
    for (payload, disclosures) in [
        (json!({ "_sd": [name_digest] }), vec![name.clone(), name.clone()]),
        (json!({ "_sd": [name_digest, name_digest] }), vec![name.clone()]),
        (json!({ "_sd": [name_digest], "a": { "_sd": [name_digest] } }), vec![name.clone()]),
        (json!({ "_sd": ["x", "x"] }), vec![]),
        (json!({ "_sd": ["x"], "list": [{ "...": "x" }] }), vec![]),
        (json!({ "_sd": [name_digest] }), vec![name.clone(), item.clone()]),
        (json!({}), vec![name.clone()]),
        (json!({ "_sd": [item_digest] }), vec![item.clone()]),
        (json!({ "list": [{ "...": name_digest }] }), vec![name.clone()]),
        (json!({ "list": [{ "...": item_digest, "a": 1 }] }), vec![item.clone()]),
        (json!({ "_sd": [name_digest], "given_name": "Eve" }), vec![name.clone()]),
        (json!({ "_sd": [name_digest, again_digest] }), vec![name.clone(), again]),
        (json!({ "_sd": [reserved_digest] }), vec![reserved]),
        (json!({ "_sd": [dots_digest] }), vec![dots]),
        (json!({ "_sd": [long_digest] }), vec![long]),
        (json!({ "_sd": [salted_digest] }), vec![salted]),
        (json!({ "_sd": [twice_digest] }), vec![twice]),
        (json!({ "_sd": name_digest }), vec![name.clone()]),
        (json!({ "_sd": [7] }), vec![]),
        (json!({ "list": [{ "...": 7 }] }), vec![]),
        (json!({ "a": { "...": "x" } }), vec![]),
        (json!({ "a": { "_sd_alg": "sha-256" } }), vec![]),
        (json!({ "_sd_alg": "sha-512", "_sd": [name_digest] }), vec![name.clone()]),
        (json!({ "_sd_alg": "md5" }), vec![]),
        (json!({ "_sd_alg": 7 }), vec![]),
        (json!({ "_sd": [name_digest] }), vec![format!("{name}=")]),
        (json!({ "_sd": [name_digest] }), vec![String::new()]),
    ] {
        let what = payload.to_string();
        let verification = verify_sd_jwt(&made(payload, &disclosures), &Policy::new(now()));
        assert!(verification.failed().contains(&"disclosures"), "{what}: {:?}", verification.checks);
    }
    // Of more disclosures than are read, none is.
    held_fails_at(&made(json!({}), &vec![name; 2_001]), "disclosures");
    held_fails_at("", "disclosures");
    held_fails_at(good.split('~').next().unwrap(), "disclosures");
    held_fails_at("~", "form");
}

#[test]
fn what_everybody_sees_is_not_concealed_and_has_its_form() {
    for name in ["iss", "vct", "exp", "cnf", "status"] {
        let (text, digest) = disclosure(&json!(["salt", name, {}]));
        let header =
            json!({ "alg": "EdDSA", "typ": "dc+sd-jwt", "kid": key(KeyKind::Ed25519, 7).id().verification_method() });
        let mut payload = json!({ "iss": key(KeyKind::Ed25519, 7).id().as_str(), "vct": "urn:x", "_sd": [digest] });
        payload.as_object_mut().unwrap().remove(name);
        held_fails_at(&format!("{}~{text}~", sign(7, &header, &payload)), "claims");
    }
    for (payload, name) in [
        (json!({ "vct": 7 }), "claims"),
        (json!({ "vct": "" }), "claims"),
        (json!({ "iss": Value::Null }), "claims"),
        (json!({ "iss": "did:example:victim" }), "signer-is-issuer"),
        (json!({ "status": "live" }), "claims"),
        // Whoever judges issuers and statuses would read these, and not who signed.
        (json!({ "issuer": "did:example:trusted" }), "claims"),
        (json!({ "type": ["VerifiableCredential", "Enrolment"] }), "claims"),
        (json!({ "@context": ["https://www.w3.org/ns/credentials/v2"] }), "claims"),
        (json!({ "credentialStatus": {} }), "claims"),
        (json!({ "exp": now().unix() - 1 }), "expires"),
        (json!({ "nbf": now().unix() + 301 }), "created"),
        (json!({ "nonce": "x" }), "challenge"),
    ] {
        held_fails_at(&made(payload, &[]), name);
    }
    let issuer = key(KeyKind::Ed25519, 7);
    let with = |name: &str, value: Value| {
        let mut claims = claims(issuer.id().as_str());
        claims[name] = value;
        issue_sd_jwt(&claims, &Concealed::default(), &issuer)
    };
    assert_eq!(with("iss", json!("did:example:victim")), Err(SdJwtError::OtherName));
    for (name, value) in [("_sd", json!([])), ("a", json!({ "...": 1 })), ("cnf", json!({})), ("vct", json!(7))] {
        assert!(matches!(with(name, value), Err(SdJwtError::Claims(_))), "{name}");
    }
    for pointer in ["", "/", "/vct", "/missing", "/nationalities/01", "/nationalities/9", "nothing"] {
        let concealed = Concealed { pointers: &[pointer], ..Concealed::default() };
        let refused = issue_sd_jwt(&claims(issuer.id().as_str()), &concealed, &issuer);
        assert!(matches!(refused, Err(SdJwtError::Pointer(_))), "{pointer}");
    }
}
