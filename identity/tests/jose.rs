//! Credentials as signed tokens: every algorithm and both kinds of names, and every trick refused by the check that
//! names it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use consent::Timestamp;
use identity::jose::{
    Algorithm, TokenOptions, did_jwk, envelope, issue_token, verify_presentation_token, verify_token,
};
use identity::vc::{
    IssueError, IssueOptions, KeyId, KeyKind, Policy, Signer, Suite, issue, named_dids, named_lists, verify_credential,
    verify_presentation,
};
use identity::{CheckResult, Verification};
use serde_json::{Value, json};

const V2: &str = "https://www.w3.org/ns/credentials/v2";
const EXAMPLES: &str = "https://www.w3.org/ns/credentials/examples/v2";
const KINDS: [(KeyKind, &str); 3] = [(KeyKind::Ed25519, "EdDSA"), (KeyKind::P256, "ES256"), (KeyKind::P384, "ES384")];

fn key(kind: KeyKind, number: u8) -> Signer {
    Signer::from_secret(kind, &vec![number; kind.secret_len()]).unwrap()
}

fn now() -> Timestamp {
    "2026-11-22T13:00:00Z".parse().unwrap()
}

fn credential(issuer: &str) -> Value {
    json!({
        "@context": [V2, EXAMPLES],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": issuer,
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": { "id": "did:example:abcdefgh", "alumniOf": "The School of Examples", "grade": 1.5 },
    })
}

fn signed(kind: KeyKind) -> String {
    let key = key(kind, 7);
    issue_token(&credential(key.id().as_str()), &TokenOptions::new(now()), &key).unwrap()
}

fn check(token: &str) -> Verification<Value> {
    verify_token(token, &Policy::new(now()))
}

#[track_caller]
fn fails_at(token: &str, name: &str) {
    let verification = check(token);
    assert!(verification.verified.is_none(), "{name}");
    assert!(verification.failed().contains(&name), "{name}: {:?}", verification.checks);
}

/// The header and the payload of a token.
fn opened(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| serde_json::from_slice(&BASE64.decode(part).unwrap_or_default()));
    (parts.next().unwrap().unwrap(), parts.next().unwrap().unwrap())
}

/// A token as a library without scruples would sign it.
fn forged(kind: KeyKind, number: u8, header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(payload));
    let signature = key(kind, number).sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64.encode(signature))
}

/// The good token of Ed25519 with members of its header and of its payload changed, signed again by its own key.
fn changed(header: &[(&str, Value)], payload: &[(&str, Value)]) -> String {
    let (mut head, mut claims) = opened(&signed(KeyKind::Ed25519));
    for (object, changes) in [(&mut head, header), (&mut claims, payload)] {
        for (name, value) in changes {
            if value.is_null() {
                object.as_object_mut().unwrap().remove(*name);
            } else {
                object[*name] = value.clone();
            }
        }
    }
    forged(KeyKind::Ed25519, 7, &head.to_string(), &claims.to_string())
}

#[test]
fn every_algorithm_signs_what_is_verified_under_both_names() {
    for (kind, algorithm) in KINDS {
        let key = key(kind, 7);
        let by_key = (key.id().to_string(), key.id().verification_method());
        let by_jwk = (did_jwk(&key.id()).unwrap(), format!("{}#0", did_jwk(&key.id()).unwrap()));
        for (did, method) in [by_key, by_jwk] {
            let document = credential(&did);
            let token = issue_token(&document, &TokenOptions::new(now()), &key).unwrap();
            let (header, claims) = opened(&token);
            assert_eq!(header["alg"], algorithm);
            assert_eq!((&header["typ"], &header["cty"]), (&json!("vc+jwt"), &json!("vc")));
            assert_eq!(header["kid"], method);
            assert_eq!(claims["iat"], now().unix());
            let verified = check(&token).verified.unwrap();
            assert_eq!(*verified, document, "the claims of the token are not part of the credential");
        }
        assert_eq!(KeyId::from_jwk(&key.id().to_jwk().unwrap()).unwrap(), key.id());
        let other = issue_token(&credential("did:example:victim"), &TokenOptions::new(now()), &key);
        assert_eq!(other, Err(IssueError::OtherName));
    }
}

#[test]
fn a_changed_token_is_refused() {
    for (kind, _) in KINDS {
        let token = signed(kind);
        for place in 0..3 {
            let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
            let mut bytes = BASE64.decode(&parts[place]).unwrap();
            let last = bytes.len() - 2;
            bytes[last] ^= 1;
            parts[place] = BASE64.encode(bytes);
            assert!(check(&parts.join(".")).verified.is_none(), "part {place}");
        }
        let payload = token.split('.').nth(1).unwrap();
        let mut other = opened(&token).1;
        other["credentialSubject"]["alumniOf"] = json!("Another");
        fails_at(&token.replace(payload, &BASE64.encode(other.to_string())), "signature");
    }
}

#[test]
fn algorithms_are_the_keys_own_and_on_the_list() {
    for name in ["none", "None", "NONE", "HS256", "RS256", "ES256K", "ES512", "PS256", "", "eddsa"] {
        fails_at(&changed(&[("alg", json!(name))], &[]), "algorithm");
    }
    fails_at(&changed(&[("alg", Value::Null)], &[]), "algorithm");
    fails_at(&changed(&[("alg", json!(["EdDSA"]))], &[]), "algorithm");
    // The name of another algorithm on a key that has its own.
    fails_at(&changed(&[("alg", json!("ES256"))], &[]), "signature");
    // Without a signature, as the attack on `none` leaves it.
    let unsigned = changed(&[("alg", json!("none"))], &[]);
    fails_at(&format!("{}.", unsigned.rsplit_once('.').unwrap().0), "algorithm");
    let good = signed(KeyKind::Ed25519);
    fails_at(&format!("{}.", good.rsplit_once('.').unwrap().0), "signature");
    assert!(check(&changed(&[("alg", json!("Ed25519"))], &[])).verified.is_some(), "the newer name of the same");
    let narrow = Policy { algorithms: vec![Algorithm::Es256], ..Policy::new(now()) };
    assert!(verify_token(&good, &narrow).failed().contains(&"algorithm"));
    assert!(verify_token(&signed(KeyKind::P256), &narrow).verified.is_some());
}

#[test]
fn a_header_that_brings_or_points_at_a_key_is_refused() {
    let jwk = key(KeyKind::Ed25519, 9).id().to_jwk().unwrap();
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MII"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
    ] {
        fails_at(&changed(&[(name, value)], &[]), "header");
    }
    fails_at(&changed(&[("kid", json!("did:key:z6MkOIl#x"))], &[]), "resolution");
    fails_at(&changed(&[("kid", json!("../../dev/null"))], &[]), "resolution");
    fails_at(&changed(&[("kid", json!(7))], &[]), "resolution");
    fails_at(&changed(&[("typ", json!("JWT"))], &[]), "typ");
    fails_at(&changed(&[("typ", json!("vp+jwt"))], &[]), "typ");
    fails_at(&changed(&[("typ", Value::Null)], &[]), "typ");
    assert!(check(&changed(&[("typ", json!("application/VC+JWT"))], &[])).verified.is_some());
    assert!(check(&changed(&[("kid", Value::Null)], &[])).verified.is_some(), "the issuer has one key");
}

#[test]
fn a_stranger_does_not_sign_for_a_victim() {
    let (victim, stranger) = (key(KeyKind::P256, 7), key(KeyKind::P256, 9));
    let good = issue_token(&credential(victim.id().as_str()), &TokenOptions::new(now()), &victim).unwrap();
    let (mut header, claims) = opened(&good);
    fails_at(&forged(KeyKind::P256, 9, &header.to_string(), &claims.to_string()), "signature");
    header["kid"] = json!(stranger.id().verification_method());
    fails_at(&forged(KeyKind::P256, 9, &header.to_string(), &claims.to_string()), "signer-is-issuer");
    // The same key under its other name is another issuer.
    header["kid"] = json!(format!("{}#0", did_jwk(&victim.id()).unwrap()));
    fails_at(&forged(KeyKind::P256, 7, &header.to_string(), &claims.to_string()), "signer-is-issuer");
}

#[test]
fn claims_and_document_say_the_same() {
    let issuer = key(KeyKind::Ed25519, 7).id().to_string();
    let good = [("iss", json!(issuer)), ("sub", json!("did:example:abcdefgh")), ("nbf", json!(now().unix()))];
    assert!(check(&changed(&[], &good)).verified.is_some());
    for (name, value, failed) in [
        ("iss", json!("did:example:victim"), "claims"),
        ("sub", json!("did:example:other"), "claims"),
        ("jti", json!("urn:x"), "claims"),
        ("vc", json!({}), "claims"),
        ("vp", json!({}), "claims"),
        ("exp", json!(now().unix() - 1), "expires"),
        ("exp", json!("2999"), "expires"),
        ("exp", json!(i64::from(i32::MAX) * 1000), "expires"),
        ("iat", json!(now().unix() + 301), "created"),
        ("nbf", json!(now().unix() + 301), "created"),
        ("iat", json!(1.5), "created"),
        ("aud", json!("b.example"), "audience"),
        ("aud", json!(7), "audience"),
        ("nonce", json!("n"), "challenge"),
        ("validFrom", json!("2999-01-01T00:00:00Z"), "valid-from"),
        ("validUntil", json!("2026-02-01T00:00:00Z"), "valid-until"),
        ("issuer", json!("not a url"), "issuer"),
        ("credentialSubject", json!([]), "subject"),
        ("credentialStatus", json!({}), "members"),
        ("type", json!(["Other"]), "type"),
        ("@context", json!([V2, "https://evil.example/v1"]), "context"),
        ("@context", json!([V2]), "terms"),
    ] {
        fails_at(&changed(&[], &[(name, value)]), failed);
    }
}

#[test]
fn odd_forms_are_refused() {
    let good = signed(KeyKind::Ed25519);
    let parts: Vec<&str> = good.split('.').collect();
    for bad in [
        String::new(),
        "a.b".to_owned(),
        format!("{good}."),
        format!("{good}=="),
        format!(" {good}"),
        format!("{}.{}.{}", parts[0], parts[1].replace('A', "+"), "/"),
        good.replacen('.', "=.", 1),
        format!("{good}\u{0}"),
    ] {
        let verification = check(&bad);
        assert!(verification.verified.is_none() && !verification.failed().is_empty(), "{bad}");
    }
    let (header, claims) = opened(&good);
    let twice = header.to_string().replacen('{', "{\"alg\":\"none\",", 1);
    fails_at(&forged(KeyKind::Ed25519, 7, &twice, &claims.to_string()), "header");
    let twice = claims.to_string().replacen('{', "{\"issuer\":\"did:example:victim\",", 1);
    fails_at(&forged(KeyKind::Ed25519, 7, &header.to_string(), &twice), "json");
    fails_at(&forged(KeyKind::Ed25519, 7, "[]", "{}"), "header");
    fails_at(&forged(KeyKind::Ed25519, 7, &header.to_string(), "[]"), "json");
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    fails_at(&forged(KeyKind::Ed25519, 7, &header.to_string(), &deep), "json");
    fails_at(&"a".repeat(1_000_001), "size");
}

#[test]
fn keys_in_json_are_public_whole_and_of_a_known_kind() {
    let good = key(KeyKind::P256, 7).id().to_jwk().unwrap();
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        KeyId::from_jwk(&jwk)
    };
    assert!(with("use", json!("sig")).is_ok() && with("kid", json!("x")).is_ok());
    for (name, value) in [
        ("d", json!("AA")),
        ("use", json!("enc")),
        ("key_ops", json!(["encrypt"])),
        ("crv", json!("P-384")),
        ("crv", json!("secp256k1")),
        ("kty", json!("oct")),
        ("x", json!("AA")),
        ("y", good["x"].clone()),
        ("x", json!(7)),
    ] {
        assert!(with(name, value).is_err(), "{name}");
    }
    for did in ["did:jwk:", "did:jwk:e30", "did:jwk:!", "did:jwk:bnVsbA", "did:web:example.org", "did:key:z0OIl", "x"] {
        let changes = [("issuer", json!(did))];
        fails_at(&changed(&[("kid", Value::Null)], &changes), if did == "x" { "issuer" } else { "resolution" });
    }
}

fn presentation(holder: &Signer, held: Value) -> Value {
    json!({
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": holder.id().as_str(),
        "verifiableCredential": held,
    })
}

#[test]
fn presentations_hold_tokens_and_documents_and_answer_one_verifier() {
    let (issuer, holder) = (key(KeyKind::Ed25519, 7), key(KeyKind::P256, 9));
    let proved = issue(&credential(issuer.id().as_str()), &IssueOptions::new(Suite::EddsaJcs2022, now()), &issuer);
    let held = json!([envelope(&signed(KeyKind::P384), false), proved.unwrap()]);
    let options = TokenOptions {
        nonce: Some("n-1".to_owned()),
        audience: Some("lab.example".to_owned()),
        expires: Some(now().plus_seconds(60)),
        created: now(),
    };
    let token = issue_token(&presentation(&holder, held.clone()), &options, &holder).unwrap();
    let policy =
        Policy { challenge: Some("n-1".to_owned()), domain: Some("lab.example".to_owned()), ..Policy::new(now()) };
    let report = verify_presentation_token(&token, &policy);
    assert!(report.presentation.verified.is_some(), "{:?}", report.presentation.checks);
    assert_eq!(report.credentials.len(), 2);
    let enveloped = envelope(&token, true).to_string();
    assert!(verify_presentation(enveloped.as_bytes(), &policy).presentation.verified.is_some());

    let fails = |policy: Policy, name: &str| {
        let failed = verify_presentation_token(&token, &policy).presentation.failed();
        assert!(failed.contains(&name), "{name}: {failed:?}");
    };
    fails(Policy { challenge: Some("n-2".to_owned()), ..policy.clone() }, "challenge");
    fails(Policy { challenge: None, ..policy.clone() }, "challenge");
    fails(Policy { domain: Some("other.example".to_owned()), ..policy.clone() }, "audience");
    fails(Policy { now: now().plus_seconds(61), ..policy.clone() }, "expires");
    // A credential is no presentation, and the other way round.
    assert!(verify_presentation_token(&signed(KeyKind::P256), &policy).presentation.failed().contains(&"typ"));
    assert!(verify_token(&token, &policy).failed().contains(&"typ"));

    // One bad credential spoils the presentation.
    let mut bad = held;
    bad[0] = envelope(&changed(&[], &[("vc", json!({}))]), false);
    let token = issue_token(&presentation(&holder, bad), &options, &holder).unwrap();
    let report = verify_presentation_token(&token, &policy);
    assert!(report.presentation.failed().contains(&"credentials"));
    assert!(report.credentials[0].failed().contains(&"claims") && report.credentials[1].verified.is_some());
}

#[test]
fn what_is_bound_to_a_key_is_in_no_presentation_by_another() {
    let (holder, thief) = (key(KeyKind::P256, 9), key(KeyKind::P256, 8));
    let jwk = json!({ "jwk": holder.id().to_jwk().unwrap() });
    for cnf in [jwk, json!({ "kid": holder.id().verification_method() })] {
        let bound = changed(&[], &[("cnf", cnf)]);
        // Alone nobody says that they hold it, and the report says so.
        let alone = check(&bound);
        assert!(alone.verified.is_some(), "{:?}", alone.checks);
        let binding = alone.checks.iter().find(|check| check.name == "key-binding").unwrap();
        assert_eq!(binding.result, CheckResult::Waived);
        assert!(binding.detail.contains("nobody shows"), "{}", binding.detail);

        let held = json!([envelope(&bound, false)]);
        let policy = Policy { challenge: Some("n-1".to_owned()), ..Policy::new(now()) };
        for (presenter, failed) in [(&holder, &[][..]), (&thief, &["key-binding"][..])] {
            let document = presentation(presenter, held.clone());
            let options = TokenOptions { nonce: Some("n-1".to_owned()), ..TokenOptions::new(now()) };
            let token = issue_token(&document, &options, presenter).unwrap();
            let mut options = IssueOptions::new(Suite::EcdsaJcs2019, now());
            options.challenge = Some("n-1".to_owned());
            let proved = issue(&document, &options, presenter).unwrap();
            for report in [
                verify_presentation_token(&token, &policy),
                verify_presentation(proved.to_string().as_bytes(), &policy),
            ] {
                assert_eq!(report.credentials[0].failed(), failed, "{:?}", report.credentials[0].checks);
                assert_eq!(report.presentation.verified.is_some(), failed.is_empty());
            }
        }
        // A presentation without a proof shows no key at all.
        let unsigned = Policy { unsigned: true, ..Policy::new(now()) };
        let report = verify_presentation(presentation(&holder, held).to_string().as_bytes(), &unsigned);
        assert_eq!(report.presentation.failed(), ["credentials"]);
        assert_eq!(report.credentials[0].failed(), ["key-binding"]);
    }
    for cnf in [json!({}), json!(7), json!({ "x5c": [] })] {
        let held = json!([envelope(&changed(&[], &[("cnf", cnf)]), false)]);
        let options = TokenOptions { nonce: Some("n-1".to_owned()), ..TokenOptions::new(now()) };
        let token = issue_token(&presentation(&holder, held), &options, &holder).unwrap();
        let policy = Policy { challenge: Some("n-1".to_owned()), ..Policy::new(now()) };
        assert_eq!(verify_presentation_token(&token, &policy).credentials[0].failed(), ["key-binding"]);
    }
}

#[test]
fn a_token_is_no_answer_where_only_another_proof_is() {
    let good = signed(KeyKind::Ed25519);
    let header = Policy { presentation_header: Some(b"of one verifier".to_vec()), ..Policy::new(now()) };
    assert_eq!(verify_token(&good, &header).failed(), ["challenge"]);
    let pseudonym = Policy { pseudonym_context: Some("heart-2026".to_owned()), ..Policy::new(now()) };
    assert_eq!(verify_token(&good, &pseudonym).failed(), ["audience"]);
}

#[test]
fn an_envelope_says_nothing_but_its_token() {
    let policy = Policy::new(now());
    let good = envelope(&signed(KeyKind::P256), false);
    assert!(verify_credential(good.to_string().as_bytes(), &policy).verified.is_some());
    for (name, value) in [
        ("issuer", json!("did:example:victim")),
        ("id", json!("https://example.org/credential")),
        ("id", json!("data:text/plain,x")),
        ("id", json!(format!("data:application/vp+jwt,{}", signed(KeyKind::P256)))),
        ("id", json!(7)),
        ("type", json!(["EnvelopedVerifiableCredential", "VerifiableCredential"])),
        ("type", json!("EnvelopedVerifiablePresentation")),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        let verification = verify_credential(bad.to_string().as_bytes(), &policy);
        assert!(verification.verified.is_none() && verification.failed().contains(&"envelope"), "{name}");
    }
}

#[test]
fn what_has_to_be_fetched_is_named_through_envelopes() {
    let header = json!({ "alg": "EdDSA", "typ": "vc+jwt", "kid": "did:web:biobank.example#key-1" });
    let mut document = credential("did:web:biobank.example");
    document["credentialStatus"] = json!({
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "5",
        "statusListCredential": "https://biobank.example/status/1",
    });
    let token = forged(KeyKind::Ed25519, 7, &header.to_string(), &document.to_string());
    let bare = json!({ "verifiableCredential": [envelope(&token, false), document] });
    let header = json!({ "alg": "EdDSA", "typ": "vp+jwt", "kid": "did:web:lab.example#key-1" });
    let presented = forged(KeyKind::Ed25519, 7, &header.to_string(), &bare.to_string());
    let bytes = envelope(&presented, true).to_string().into_bytes();
    let dids: Vec<String> = named_dids(&bytes).iter().map(ToString::to_string).collect();
    assert_eq!(dids, ["did:web:lab.example", "did:web:biobank.example"]);
    assert_eq!(named_lists(&bytes), ["https://biobank.example/status/1"]);
    // Nobody fetched them, so nobody is verified.
    let report = verify_presentation(&bytes, &Policy { challenge: Some("n".to_owned()), ..Policy::new(now()) });
    assert!(report.presentation.failed().contains(&"resolution") && report.credentials.len() == 2);
    // A stranger does not choose where, and how often, somebody fetches.
    let many: Vec<_> =
        (0..60).map(|n| json!({ "proof": { "verificationMethod": format!("did:web:v{n}.example#k") } })).collect();
    assert_eq!(named_dids(json!({ "verifiableCredential": many }).to_string().as_bytes()).len(), 8);
}
