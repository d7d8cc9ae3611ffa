//! Proof values of selective disclosure.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use identity::vc::{DeriveOptions, IssueOptions, KeyKind, Policy, Signer, Suite, derive, issue, verify_credential};
use serde_json::{Value, json};
use std::sync::LazyLock;

const SUITES: [(Suite, KeyKind); 2] = [(Suite::EcdsaSd2023, KeyKind::P256), (Suite::Bbs2023, KeyKind::Bls12381G2)];

/// A base proof and a derived one of each suite.
static SIGNED: LazyLock<Vec<[Value; 2]>> = LazyLock::new(|| {
    let made = SUITES.iter().map(|(suite, kind)| {
        let key = Signer::from_secret(*kind, &[7; 32]).unwrap();
        let document = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
            "type": ["VerifiableCredential"],
            "issuer": key.id().as_str(),
            "credentialSubject": { "name": "one", "friends": [{ "name": "two" }, { "name": "three" }] },
        });
        let options = IssueOptions::new(*suite, consent::Timestamp::from_unix(1_795_000_000));
        let base = issue(&document, &options, &key).unwrap();
        let pointers = vec!["/credentialSubject/friends/1".to_owned()];
        let derived = derive(&base, &DeriveOptions { pointers, ..DeriveOptions::default() }).unwrap();
        [base, derived]
    });
    made.collect()
});

fn bytes(document: &Value) -> Vec<u8> {
    let value = document["proof"]["proofValue"].as_str().unwrap_or_default();
    BASE64_URL_SAFE_NO_PAD.decode(value.trim_start_matches('u')).unwrap_or_default()
}

/// Values that are right, after a byte that says whose they are.
pub fn proof_values() -> Vec<Vec<u8>> {
    let all = SIGNED.iter().flatten().enumerate();
    all.map(|(number, document)| [&[number as u8][..], &bytes(document)].concat()).collect()
}

/// The first byte says which document gets the rest as the value of its proof. The document is not the one that was
/// signed, so nothing verifies and nothing is derived.
pub fn proof_value(data: &[u8]) {
    let mut rest = data;
    let number = usize::from(crate::byte(&mut rest));
    let mut document = SIGNED[number / 2 % 2][number % 2].clone();
    document["credentialSubject"]["friends"][0]["name"] = json!("another");
    document["proof"]["proofValue"] = json!(format!("u{}", BASE64_URL_SAFE_NO_PAD.encode(rest)));
    let policy = Policy::new(consent::Timestamp::from_unix(1_795_000_000));
    assert!(verify_credential(document.to_string().as_bytes(), &policy).verified.is_none());
    let pointers = vec!["/credentialSubject/friends/0".to_owned()];
    assert!(derive(&document, &DeriveOptions { pointers, ..DeriveOptions::default() }).is_err());
}
