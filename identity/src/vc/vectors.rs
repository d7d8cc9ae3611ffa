//! The vectors of the W3C specification, with every value in between. They lie beside the repository; without them
//! these tests say that they were skipped.

use super::jsonld::statements;
use super::keys::{KeyKind, Signer};
use super::suite::{Hash, Suite};
use super::transform::{canonical, signed_bytes, without_proof};
use super::{IssueOptions, Policy, issue, verify_credential};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

fn folder() -> Option<PathBuf> {
    let given = std::env::var_os("VC_VECTORS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/vc-di-eddsa");
    let found = given.unwrap_or(beside);
    if found.is_dir() {
        return Some(found);
    }
    println!("skipped: the vectors of vc-di-eddsa are not there (VC_VECTORS names their folder)");
    None
}

fn text(path: PathBuf) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: PathBuf) -> Value {
    super::read_json(text(path).as_bytes()).unwrap()
}

fn object(path: PathBuf) -> Map<String, Value> {
    json(path).as_object().cloned().unwrap()
}

fn key(pair: &Value) -> Signer {
    let secret = pair["privateKeyMultibase"].as_str().unwrap().strip_prefix('z').unwrap();
    let secret = bs58::decode(secret).into_vec().unwrap();
    let key = Signer::from_secret(KeyKind::Ed25519, &secret[2..]).unwrap();
    assert_eq!(key.id().multibase(), pair["publicKeyMultibase"].as_str().unwrap());
    key
}

/// Policy and options for the vectors: their issuer is a name of the web, signed for by a did:key.
fn policy() -> Policy {
    Policy { binding: false, ..Policy::new("2026-11-22T12:00:00Z".parse().unwrap()) }
}

fn options(suite: Suite, proof: &Map<String, Value>) -> IssueOptions {
    let created = proof["created"].as_str().unwrap().parse().unwrap();
    let mut options = IssueOptions { own_name: false, ..IssueOptions::new(suite, created) };
    options.id = proof.get("id").and_then(Value::as_str).map(str::to_owned);
    options.previous =
        super::proof::texts(proof, "previousProof").unwrap_or_default().iter().map(|x| x.to_string()).collect();
    options
}

#[test]
fn every_value_in_between_is_that_of_the_specification() {
    let Some(folder) = folder() else { return };
    let pair = json(folder.join("keyPair.json"));
    for (suite, dir, end) in [
        (Suite::EddsaRdfc2022, "eddsa-rdfc-2022", "DataInt"),
        (Suite::EddsaJcs2022, "eddsa-jcs-2022", "JCS"),
        (Suite::Ed25519Signature2020, "Ed25519Signature2020", "EdSig"),
    ] {
        let file = |start: &str, kind: &str| folder.join(dir).join(format!("{start}{end}.{kind}"));
        let signed = object(file("signed", "json"));
        let (document, mut proof) = (without_proof(&signed), object(file("proofConfig", "json")));
        if suite != Suite::EddsaJcs2022 {
            let canon = canonical(&statements(&Value::Object(document.clone())).unwrap(), Hash::Sha256).unwrap();
            assert_eq!(canon, text(file("canonDoc", "txt")), "{suite}");
            let canon = canonical(&statements(&Value::Object(proof.clone())).unwrap(), Hash::Sha256).unwrap();
            assert_eq!(canon, text(file("proofCanon", "txt")), "{suite}");
        } else {
            let canon = crate::to_canonical(&document).unwrap();
            assert_eq!(String::from_utf8(canon).unwrap(), text(file("canonDoc", "txt")));
            let canon = crate::to_canonical(&proof).unwrap();
            assert_eq!(String::from_utf8(canon).unwrap(), text(file("proofCanon", "txt")));
        }
        let bytes = signed_bytes(&document, &proof, suite, Hash::Sha256).unwrap();
        assert_eq!(hex::encode(&bytes), text(file("combinedHash", "txt")).trim(), "{suite}");
        let signature = key(&pair).sign(&bytes).unwrap();
        assert_eq!(hex::encode(&signature), text(file("sigHex", "txt")).trim(), "{suite}");
        proof.remove("@context");

        let verification = verify_credential(&serde_json::to_vec(&signed).unwrap(), &policy());
        assert!(verification.verified.is_some(), "{suite}: {:?}", verification.checks);
        if suite.signs() {
            let made = issue(&Value::Object(document), &options(suite, &proof), &key(&pair)).unwrap();
            assert_eq!(made, Value::Object(signed), "{suite}");
        }
    }
}

#[test]
fn sets_and_chains_of_proofs_are_those_of_the_specification() {
    let Some(folder) = folder() else { return };
    let folder = folder.join("proof-set-chain");
    let (pairs, unsigned) = (json(folder.join("multiKeyPairs.json")), json(folder.join("unsigned.json")));
    let keys: Vec<Signer> = (1..=4).map(|number| key(&pairs[format!("keyPair{number}")])).collect();
    let expected = json(folder.join("signedProofChain2.json"));
    let mut made = unsigned;
    for (proof, key) in expected["proof"].as_array().unwrap().iter().zip(&keys) {
        made = issue(&made, &options(Suite::EddsaRdfc2022, proof.as_object().unwrap()), key).unwrap();
    }
    assert_eq!(made, expected);
    for name in ["signedProofSet1", "signedProofSet2", "signedProofChain1", "signedProofChain2"] {
        let signed = json(folder.join(format!("{name}.json")));
        let verification = verify_credential(&serde_json::to_vec(&signed).unwrap(), &policy());
        assert!(verification.verified.is_some(), "{name}: {:?}", verification.checks);
    }
}
