//! Tokens, SD-JWTs and status lists beside other people's libraries: ours verified by them, theirs by us, and tampered
//! ones by neither.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may break off and print")]

use consent::Timestamp;
use identity::jose::{
    Binding, Concealed, TokenOptions, issue_sd_jwt, issue_token, present_sd_jwt, verify_presentation_token,
    verify_sd_jwt, verify_sd_jwt_presentation, verify_token,
};
use identity::status::{Status, StatusBits, StatusError, status_entries};
use identity::vc::{KeyKind, Policy, Signer};
use proof::interop::{Seen, note, npm, pypi};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const KINDS: [(KeyKind, &str); 3] = [(KeyKind::Ed25519, "EdDSA"), (KeyKind::P256, "ES256"), (KeyKind::P384, "ES384")];
const V2: &str = "https://www.w3.org/ns/credentials/v2";
const EXAMPLES: &str = "https://www.w3.org/ns/credentials/examples/v2";
const LAB: &str = "https://lab.example";
const NONCE: &str = "n-0123456789";
const LIST: &str = "https://biobank.example/status/1";

fn key(kind: KeyKind, number: u8) -> Signer {
    Signer::from_secret(kind, &vec![number; kind.secret_len()]).unwrap()
}

fn policy(now: Timestamp) -> Policy {
    Policy { challenge: Some(NONCE.to_owned()), domain: Some(LAB.to_owned()), ..Policy::new(now) }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("third_party").join(name)
}

fn ask(mut program: Command, question: &Value) -> Value {
    let mut running = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn ask_node(question: &Value) -> Option<Value> {
    let Some(modules) = std::env::var_os("THIRD_PARTY_JOSE").map(PathBuf::from) else {
        println!("skipped: scripts/test sets up jose and others and names their folder in THIRD_PARTY_JOSE");
        return None;
    };
    // Node looks for modules beside the script; each test has a copy of its own.
    let name = std::thread::current().name().unwrap_or("checkjose").replace(':', "-");
    let beside = modules.parent().unwrap().join(format!("{name}.js"));
    std::fs::copy(script("npm-jose/checkjose.js"), &beside).unwrap();
    let mut node = Command::new("node");
    node.arg(&beside);
    Some(ask(node, question))
}

fn ask_python(question: &Value) -> Option<Value> {
    let Some(python) = std::env::var_os("THIRD_PARTY_PYTHON") else {
        println!("skipped: scripts/test sets up sd-jwt and names its Python in THIRD_PARTY_PYTHON");
        return None;
    };
    let mut python = Command::new(python);
    python.arg(script("python/checksdjwt.py"));
    Some(ask(python, question))
}

/// Another text of the same length in the middle of a part.
fn tampered(text: &str, part: usize) -> String {
    let mut parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    let middle = parts[part].len() / 2;
    let other = if parts[part].as_bytes()[middle] == b'A' { "B" } else { "A" };
    parts[part].replace_range(middle..=middle, other);
    parts.join(".")
}

fn refused(answer: &Value) -> bool {
    answer["error"].is_string()
}

fn document() -> Value {
    json!({
        "@context": [V2, EXAMPLES],
        "type": ["VerifiableCredential", "AlumniCredential"],
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": { "id": "did:example:1", "alumniOf": "École \u{1f600}", "grade": 1.5 },
    })
}

#[test]
fn tokens_of_each_algorithm_in_both_directions() {
    let now = wallet::now();
    let (mut tokens, mut sign, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    for (kind, algorithm) in KINDS {
        let key = key(kind, 7);
        let mut own = document();
        own["issuer"] = json!(key.id().as_str());
        let token = issue_token(&own, &TokenOptions::new(now), &key).unwrap();
        let presentation = json!({ "@context": [V2], "type": ["VerifiablePresentation"], "holder": key.id().as_str() });
        let options = TokenOptions {
            nonce: Some(NONCE.to_owned()),
            audience: Some(LAB.to_owned()),
            expires: Some(now.plus_seconds(60)),
            created: now,
        };
        let presented = issue_token(&presentation, &options, &key).unwrap();
        for (token, typ, audience) in [
            (token.clone(), "vc+jwt", None),
            (tampered(&token, 1), "vc+jwt", None),
            (tampered(&token, 2), "vc+jwt", None),
            (presented.clone(), "vp+jwt", Some(LAB)),
            (presented, "vp+jwt", Some("https://other.example")),
        ] {
            let jwk = key.id().to_jwk().unwrap();
            tokens.push(json!({ "token": token, "jwk": jwk, "typ": typ, "audience": audience, "now": now.unix() }));
        }
        ours.push(own);
        let payload = |document: Value, more: Value| {
            let mut all = document;
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        let credential = payload(document(), json!({ "iat": now.unix() }));
        sign.push(json!({ "alg": algorithm, "typ": "vc+jwt", "payload": credential, "named": "issuer" }));
        let presentation = json!({ "@context": [V2], "type": ["VerifiablePresentation"] });
        let presentation = payload(presentation, json!({ "iat": now.unix(), "nonce": NONCE, "aud": LAB }));
        sign.push(json!({ "alg": algorithm, "typ": "vp+jwt", "payload": presentation, "named": "holder" }));
    }
    let Some(said) = ask_node(&json!({ "tokens": tokens, "sign": sign })) else { return };
    for (answers, own) in said["tokens"].as_array().unwrap().chunks(5).zip(&ours) {
        assert_eq!(answers[0]["credentialSubject"], own["credentialSubject"], "{}", answers[0]);
        assert_eq!(answers[3]["nonce"], NONCE, "{}", answers[3]);
        assert!([1, 2, 4].iter().all(|place| refused(&answers[*place])), "{answers:?}");
    }
    for pair in said["sign"].as_array().unwrap().chunks(2) {
        let (credential, presentation) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        let verification = verify_token(credential, &Policy::new(now));
        assert!(verification.verified.is_some(), "{:?}", verification.checks);
        let report = verify_presentation_token(presentation, &policy(now));
        assert!(report.presentation.verified.is_some(), "{:?}", report.presentation.checks);
        for part in 0..3 {
            assert!(verify_token(&tampered(credential, part), &Policy::new(now)).verified.is_none());
        }
        let other = Policy { domain: Some("https://other.example".to_owned()), ..policy(now) };
        assert_eq!(verify_presentation_token(presentation, &other).presentation.failed(), ["audience"]);
    }
    let seen = Seen {
        ours: tokens.len() * 2 / 5,
        theirs: sign.len(),
        refused_by_them: tokens.len() * 3 / 5,
        refused_by_us: sign.len() * 2,
    };
    note("`vc+jwt`, `vp+jwt`: EdDSA, ES256, ES384", &npm("npm-jose", "jose"), seen);
}

/// What is presented of an SD-JWT of ours, good and spoiled: whether others have to take it, and the text.
fn presentations(kind: KeyKind, holder: &Signer, now: Timestamp) -> Vec<(bool, String)> {
    let issuer = key(kind, 7);
    let claims = json!({
        "iss": issuer.id().as_str(),
        "iat": now.unix(),
        "vct": "urn:consent-wallet:enrolment",
        "name": "Ada",
        "address": { "street": "Main", "code": 7 },
        "list": ["a", "b"],
    });
    let pointers = ["/name", "/address", "/address/street", "/list/0"];
    let concealed = Concealed { pointers: &pointers, decoys: 3, holder: Some(&holder.id()) };
    let held = issue_sd_jwt(&claims, &concealed, &issuer).unwrap();
    let binding = Binding { key: holder, nonce: NONCE, audience: LAB, now };
    let good = present_sd_jwt(&held, &["/address/street", "/list/0"], Some(&binding)).unwrap();
    let (bound, kb) = good.rsplit_once('~').unwrap();
    let fewer = format!("{}~{kb}", bound.rsplit_once('~').unwrap().0);
    let replayed = present_sd_jwt(&held, &[], Some(&Binding { nonce: "another", ..binding })).unwrap();
    vec![(true, good.clone()), (false, tampered(&good, 1)), (false, fewer), (false, replayed)]
}

fn check_shown(answer: &Value) {
    assert_eq!(answer["address"], json!({ "street": "Main", "code": 7 }), "{answer}");
    assert_eq!((&answer["list"], answer.get("name")), (&json!(["a", "b"]), None));
}

#[test]
fn sd_jwts_of_javascript_in_both_directions() {
    let now = wallet::now();
    let (mut cases, mut expected, mut issue) = (Vec::new(), Vec::new(), Vec::new());
    for ((kind, algorithm), (holder, _)) in KINDS.into_iter().zip([KINDS[1], KINDS[0], KINDS[1]]) {
        for (good, text) in presentations(kind, &key(holder, 9), now) {
            let jwk = key(kind, 7).id().to_jwk().unwrap();
            cases.push(json!({ "text": text, "jwk": jwk, "alg": algorithm, "nonce": NONCE, "now": now.unix() }));
            expected.push(good);
        }
        issue.push(json!({
            "alg": algorithm,
            "claims": { "vct": "urn:x", "iat": now.unix(), "a": 1, "b": 2, "list": ["x", "y"], "o": { "p": 1, "q": 2 } },
            "frame": { "_sd": ["a", "b"], "_sd_decoy": 2, "list": { "_sd": [0] }, "o": { "_sd": ["p"] } },
            "show": { "a": true, "o": { "p": true } },
            "nonce": NONCE,
            "audience": LAB,
            "now": now.unix(),
        }));
    }
    let Some(said) = ask_node(&json!({ "sdJwts": cases, "issue": issue })) else { return };
    for (answer, good) in said["sdJwts"].as_array().unwrap().iter().zip(&expected) {
        assert_eq!(!refused(answer), *good, "{answer}");
        if *good {
            check_shown(answer);
        }
    }
    for answer in said["issue"].as_array().unwrap() {
        check_theirs(answer, now, |shown| {
            assert_eq!((&shown["a"], shown.get("b")), (&json!(1), None));
            assert_eq!((&shown["o"], &shown["list"]), (&json!({ "p": 1, "q": 2 }), &json!(["y"])));
        });
    }
    let good = expected.iter().filter(|good| **good).count();
    let seen = Seen {
        ours: good,
        theirs: issue.len(),
        refused_by_them: expected.len() - good,
        refused_by_us: issue.len() * 3,
    };
    note("SD-JWT VC with key binding", &npm("npm-jose", "@sd-jwt/sd-jwt-vc"), seen);
}

#[test]
fn sd_jwts_of_python_in_both_directions() {
    let now = wallet::now();
    let (mut cases, mut expected) = (Vec::new(), Vec::new());
    for ((kind, _), (holder, algorithm)) in KINDS.into_iter().zip([KINDS[1], KINDS[0], KINDS[1]]) {
        for (good, text) in presentations(kind, &key(holder, 9), now) {
            let jwk = key(kind, 7).id().to_jwk().unwrap();
            cases.push(json!({ "text": text, "jwk": jwk, "nonce": NONCE, "aud": LAB, "alg": algorithm }));
            expected.push(good);
        }
    }
    let claims = json!({ "a": 1, "b": { "c": true }, "list": ["x", "y"], "vct": "urn:x", "iat": now.unix() });
    let issue = json!([{ "claims": claims, "nonce": NONCE, "aud": LAB }]);
    let Some(said) = ask_python(&json!({ "verify": cases, "issue": issue })) else { return };
    for (answer, good) in said["verify"].as_array().unwrap().iter().zip(&expected) {
        assert_eq!(!refused(answer), *good, "{answer}");
        if *good {
            check_shown(answer);
        }
    }
    check_theirs(&said["issue"][0], wallet::now(), |shown| {
        assert_eq!((shown.get("a"), &shown["b"]), (None, &json!({ "c": true })));
    });
    let good = expected.iter().filter(|good| **good).count();
    let seen = Seen { ours: good, theirs: 1, refused_by_them: expected.len() - good, refused_by_us: 3 };
    note("SD-JWT VC with key binding", &pypi("sd-jwt"), seen);
}

/// What others issued and presented, and the same tampered with.
fn check_theirs(answer: &Value, now: Timestamp, shown: impl Fn(&Value)) {
    let (held, presented) = (answer["held"].as_str().unwrap(), answer["presented"].as_str().unwrap());
    let verification = verify_sd_jwt(held, &Policy::new(now));
    assert!(verification.verified.is_some(), "{:?}", verification.checks);
    let verification = verify_sd_jwt_presentation(presented, &policy(now));
    shown(verification.verified.as_deref().unwrap_or_else(|| panic!("{:?}", verification.checks)));
    let failed = |text: &str| verify_sd_jwt_presentation(text, &policy(now)).failed();
    let (bound, kb) = presented.rsplit_once('~').unwrap();
    assert!(failed(&format!("{bound}~")).contains(&"key-binding"));
    let fewer = bound.rsplit_once('~').unwrap().0;
    assert_eq!(failed(&format!("{fewer}~{kb}")), ["sd-hash"]);
    let replayed = Policy { challenge: Some("another".to_owned()), ..policy(now) };
    assert_eq!(verify_sd_jwt_presentation(presented, &replayed).failed(), ["challenge"]);
}

#[test]
fn status_lists_in_both_directions() {
    let now = wallet::now();
    let mut bits = StatusBits::new(1).unwrap();
    let set = [0, 1, 7, 8, 4711, 131_071];
    set.iter().for_each(|index| bits.set(*index, 1).unwrap());
    let encoded = bits.encode().unwrap();
    let asked: Vec<u64> = set.into_iter().chain([2, 6, 9, 4712, 131_070]).collect();
    let ask_bits: Vec<_> = asked.iter().map(|index| json!({ "encodedList": encoded, "index": index })).collect();
    let values: Vec<u8> = (0..64).map(|index| index % 4).collect();
    let tokens: Vec<_> = KINDS
        .iter()
        .flat_map(|(_, algorithm)| [2, 4, 8].map(|bits| (algorithm, bits)))
        .map(|(algorithm, bits)| {
            let payload = json!({ "sub": LIST, "iat": now.unix(), "exp": now.unix() + 60, "ttl": 300 });
            json!({ "alg": algorithm, "bits": bits, "list": values, "payload": payload })
        })
        .collect();
    let lists = json!([{ "length": 131_072, "set": set }]);
    let Some(said) = ask_node(&json!({ "bits": ask_bits, "lists": lists, "statusTokens": tokens })) else { return };
    for (index, answer) in asked.iter().zip(said["bits"].as_array().unwrap()) {
        assert_eq!(*answer, json!(set.contains(index)), "{index}");
    }
    assert_eq!(StatusBits::decode(said["lists"][0].as_str().unwrap(), 1).unwrap(), bits);

    for token in said["statusTokens"].as_array().unwrap() {
        let token = token.as_str().unwrap();
        let claims = token.split('.').nth(1).unwrap();
        let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let issuer = claims["iss"].as_str().unwrap();
        let read = |index: usize, token: &str| {
            let claims = json!({ "status": { "status_list": { "idx": index, "uri": LIST } } });
            let entries = status_entries(claims.as_object().unwrap()).unwrap();
            entries[0].read(issuer, token.as_bytes(), &Policy::new(now)).map(|reading| reading.status)
        };
        for (index, value) in values.iter().enumerate() {
            let expected = match value {
                0 => Ok(Status::Live),
                1 => Ok(Status::Revoked),
                2 => Ok(Status::Suspended),
                _ => Err(StatusError::Unknown),
            };
            assert_eq!(read(index, token), expected);
        }
        assert_eq!(read(64, token), Err(StatusError::Range));
        assert!(matches!(read(0, &tampered(token, 2)), Err(StatusError::NotVerified(_))));
    }
    let seen = Seen { ours: asked.len(), theirs: 1, ..Seen::default() };
    note("Bitstring Status List: entries, lists", &npm("npm-jose", "@digitalbazaar/vc-bitstring-status-list"), seen);
    let seen = Seen { theirs: tokens.len(), refused_by_us: tokens.len(), ..Seen::default() };
    note("Token Status List", &npm("npm-jose", "@sd-jwt/jwt-status-list"), seen);
}
