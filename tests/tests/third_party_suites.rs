//! The suites of credentials beside their reference implementation: ours verified by it, its verified by us, and
//! tampered ones by neither.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may break off and print")]

use identity::did_document::{DidUrl, Local, Resolver};
use identity::vc::{DeriveOptions, IssueOptions, KeyKind, Policy, Signer, Suite, derive, issue, verify_credential};
use proof::interop::{Seen, note, npm};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SUITES: [(Suite, KeyKind, Option<&str>); 6] = [
    (Suite::EddsaRdfc2022, KeyKind::Ed25519, None),
    (Suite::EddsaJcs2022, KeyKind::Ed25519, None),
    (Suite::EcdsaRdfc2019, KeyKind::P256, Some("P-256")),
    (Suite::EcdsaRdfc2019, KeyKind::P384, Some("P-384")),
    (Suite::EcdsaJcs2019, KeyKind::P256, Some("P-256")),
    (Suite::EcdsaJcs2019, KeyKind::P384, Some("P-384")),
];

const CONTEXTS: [(&str, &str); 5] = [
    ("https://www.w3.org/2018/credentials/v1", "credentials-v1"),
    ("https://www.w3.org/ns/credentials/v2", "credentials-v2"),
    ("https://www.w3.org/ns/credentials/examples/v2", "credentials-examples-v2"),
    ("https://w3id.org/security/data-integrity/v2", "data-integrity-v2"),
    ("https://w3id.org/security/multikey/v1", "multikey-v1"),
];

fn contexts() -> Map<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../identity/contexts");
    let read = |name: &str| std::fs::read(folder.join(format!("{name}.jsonld"))).unwrap();
    CONTEXTS.iter().map(|(url, name)| ((*url).to_owned(), serde_json::from_slice(&read(name)).unwrap())).collect()
}

/// Documents with what can go wrong: both models, languages, numbers, lists, nothing's name, status and nesting.
fn documents() -> Vec<Value> {
    let subject = json!({
        "alumniOf": { "type": "School", "name": [{ "@value": "École", "@language": "fr-CA" }, { "@value": "x", "@direction": "rtl" }] },
        // No 1e-7: a number whose JavaScript text has no point is a whole one for them, and they sign 0 in its place.
        "numbers": [1, -2, 0.5, 0.001, 123456.789, true],
        "list": { "@list": ["b", "a", { "x": "y" }] },
        "friends": [{ "name": "one" }, { "name": "two" }, { "name": "two" }],
        "text": "tab\t, line\n, quote\" and \\ and \u{7f}",
    });
    vec![
        json!({
            "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
            "type": ["VerifiableCredential", "AlumniCredential"],
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialStatus": {
                "type": "BitstringStatusListEntry",
                "statusPurpose": "message",
                "statusListIndex": "7",
                "statusSize": 2,
                "statusListCredential": "https://example.org/status/1",
            },
            "credentialSubject": subject,
        }),
        json!({
            "@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/security/data-integrity/v2"],
            "type": ["VerifiableCredential"],
            "issuanceDate": "2026-01-01T00:00:00Z",
            "credentialSubject": { "id": "did:example:1" },
        }),
    ]
}

fn peer() -> String {
    npm("npm-suites", "@digitalbazaar/vc")
}

fn modules() -> Option<PathBuf> {
    let found = std::env::var_os("THIRD_PARTY_SUITES").map(PathBuf::from);
    if found.is_none() {
        println!("skipped: scripts/test sets up @digitalbazaar/vc and names its folder in THIRD_PARTY_SUITES");
    }
    found
}

fn ask(modules: &Path, name: &str, question: &Value) -> Value {
    let folder = modules.parent().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("third_party/npm-suites/checksuites.js");
    // Node looks for modules beside the script. Tests that run at once do not share one.
    let beside = folder.join(format!("checksuites-{name}.js"));
    std::fs::copy(script, &beside).unwrap();
    let mut node = Command::new("node");
    let mut node =
        node.arg(&beside).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    node.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

const PARTS: [(Suite, KeyKind, &str); 2] =
    [(Suite::EcdsaSd2023, KeyKind::P256, "P-256"), (Suite::Bbs2023, KeyKind::Bls12381G2, "BLS12-381")];

/// A document without lists, whose parts nobody can name, and what is mandatory and chosen of it.
fn in_parts() -> (Value, [&'static str; 3], [&'static str; 3]) {
    let mut document = documents().remove(0);
    document["credentialSubject"].as_object_mut().unwrap().remove("list");
    let mandatory = ["/issuer", "/validFrom", "/credentialSubject/friends/1"];
    let chosen = ["/credentialSubject/alumniOf/name/0", "/credentialSubject/friends/0", "/credentialSubject/numbers"];
    (document, mandatory, chosen)
}

fn texts(pointers: &[&str]) -> Vec<String> {
    pointers.iter().map(|pointer| (*pointer).to_owned()).collect()
}

#[test]
fn either_derives_from_what_the_other_signed_and_verifies_what_the_other_derived() {
    let Some(modules) = modules() else { return };
    let now = wallet::now();
    let (document, mandatory, chosen) = in_parts();
    let pointers = DeriveOptions { pointers: texts(&chosen), ..DeriveOptions::default() };
    let (mut bases, mut sign) = (Vec::new(), Vec::new());
    for (suite, kind, curve) in PARTS {
        let key = Signer::from_secret(kind, &vec![7; kind.secret_len()]).unwrap();
        let mut own = document.clone();
        own["issuer"] = json!(key.id().as_str());
        let options = IssueOptions { mandatory: Some(texts(&mandatory)), ..IssueOptions::new(suite, now) };
        bases.push(issue(&own, &options, &key).unwrap());
        sign.push(json!({ "suite": suite.name(), "curve": curve, "credential": document, "mandatory": mandatory }));
    }
    let question = json!({ "contexts": contexts(), "sign": sign, "derive": [], "verify": [], "resolve": [] });
    let signed = ask(&modules, "parts", &question)["signed"].as_array().unwrap().clone();
    bases.extend(signed);

    let ours: Vec<Value> = bases.iter().map(|base| derive(base, &pointers).unwrap()).collect();
    let mut tampered = ours.clone();
    tampered.iter_mut().for_each(|bad| bad["credentialSubject"]["friends"][0]["name"] = json!("three"));
    let asked: Vec<Value> = bases.iter().map(|base| json!({ "credential": base, "selective": chosen })).collect();
    let verify = [ours.clone(), tampered, bases].concat();
    let question = json!({ "contexts": contexts(), "sign": [], "derive": asked, "verify": verify, "resolve": [] });
    let said = ask(&modules, "parts", &question);
    let count = ours.len();
    assert_eq!(count, 2 * PARTS.len());
    let check = |document: &Value| verify_credential(document.to_string().as_bytes(), &Policy::new(now));
    for number in 0..count {
        assert_eq!(said["verified"][number], json!(true), "{number}: {}", said["errors"][number]);
        assert_eq!(said["verified"][number + count], json!(false), "{number}: tampered");
        assert_eq!(said["verified"][number + 2 * count], json!(false), "{number}: a base proof");
        let theirs = &said["derived"][number];
        let (mut one, mut other) = (theirs.clone(), ours[number].clone());
        assert!(check(theirs).verified.is_some(), "{number}: {:?}", check(theirs).checks);
        for document in [&mut one, &mut other] {
            document.as_object_mut().unwrap().remove("proof");
        }
        assert_eq!(one, other, "both disclose the same");
        let mut bad = theirs.clone();
        bad["credentialSubject"]["friends"][0]["name"] = json!("three");
        assert!(check(&bad).failed().contains(&"signature"));
    }
    let each = count / PARTS.len();
    for (suite, _, curve) in PARTS {
        let seen = Seen { ours: each, theirs: each, refused_by_them: 2 * each, refused_by_us: each };
        note(&format!("`{}` {curve}, derived", suite.name()), &peer(), seen);
    }
}

#[test]
fn both_sign_what_the_other_verifies() {
    let Some(modules) = modules() else { return };
    let now = wallet::now();
    let (mut ours, mut tampered, mut sign) = (Vec::new(), Vec::new(), Vec::new());
    for document in documents() {
        for (suite, kind, curve) in SUITES {
            let key = Signer::from_secret(kind, &vec![7; kind.secret_len()]).unwrap();
            let mut own = document.clone();
            own["issuer"] = json!(key.id().as_str());
            let signed = issue(&own, &IssueOptions::new(suite, now), &key).unwrap();
            let mut bad = signed.clone();
            bad["credentialSubject"]["id"] = json!("did:example:another");
            ours.push(signed);
            tampered.push(bad);
            sign.push(json!({ "suite": suite.name(), "curve": curve, "credential": document }));
        }
    }
    let count = ours.len();
    let verify = [ours, tampered].concat();
    let question = json!({ "contexts": contexts(), "sign": sign, "derive": [], "verify": verify, "resolve": [] });
    let said = ask(&modules, "sign", &question);
    for number in 0..count {
        assert_eq!(said["verified"][number], json!(true), "{number}: {}", said["errors"][number]);
        assert_eq!(said["verified"][number + count], json!(false), "{number}");
        let theirs = &said["signed"][number];
        // Nobody is there to ask about the status of an example.
        let mut policy = Policy::new(now);
        policy.waive("status");
        let verification = verify_credential(theirs.to_string().as_bytes(), &policy);
        assert!(verification.verified.is_some(), "{number}: {:?}", verification.checks);
        let mut bad = theirs.clone();
        bad["credentialSubject"]["id"] = json!("did:example:another");
        assert!(verify_credential(bad.to_string().as_bytes(), &Policy::new(now)).failed().contains(&"signature"));
    }
    let each = count / SUITES.len();
    for (suite, _, curve) in SUITES {
        let seen = Seen { ours: each, theirs: each, refused_by_them: each, refused_by_us: each };
        note(format!("`{}` {}", suite.name(), curve.unwrap_or_default()).trim_end(), &peer(), seen);
    }
}

#[test]
fn a_key_has_the_document_that_the_reference_gives_it() {
    let Some(modules) = modules() else { return };
    let dids: Vec<String> = [KeyKind::Ed25519, KeyKind::P256, KeyKind::P384]
        .into_iter()
        .flat_map(|kind| (1..4).map(move |number| Signer::from_secret(kind, &vec![number; kind.secret_len()])))
        .map(|key| key.unwrap().id().to_string())
        .collect();
    let said =
        ask(&modules, "resolve", &json!({ "contexts": {}, "sign": [], "derive": [], "verify": [], "resolve": dids }));
    for (number, did) in dids.iter().enumerate() {
        let found = Local.resolve(&DidUrl::parse_did(did).unwrap()).unwrap();
        assert_eq!(found.document.json(), &said["documents"][number]);
    }
    let seen = Seen { ours: dids.len(), ..Seen::default() };
    note("documents of `did:key`", &npm("npm-suites", "@digitalbazaar/did-method-key"), seen);
}
