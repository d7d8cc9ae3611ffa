//! What is checked in company gets the verdict that it would get alone, by us and by the library.

use super::graph_tests::{maximal, now};
use super::{
    CHUNK, Check, CheckResult, Verification, issue_consent, linked, present, signature, verify_chunk, verify_consent,
    verify_consent_by_library, verify_consents,
};
use crate::SigningKey;
use serde_json::{Value, json};

async fn consents(count: u8) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for seed in 1..=count {
        let key = SigningKey::from_seed([seed; 32]);
        let mut claims = maximal();
        claims.subject = key.did();
        all.push(issue_consent(&key, &claims, now()).await.unwrap().to_bytes());
    }
    all
}

fn results<T>(verification: &Verification<T>) -> Vec<(&'static str, CheckResult)> {
    verification.checks.iter().map(|Check { name, result, .. }| (*name, *result)).collect()
}

/// A consent with one member changed, as bytes.
fn changed(consent: &[u8], path: &str, value: Value) -> Vec<u8> {
    let mut document: Value = serde_json::from_slice(consent).unwrap();
    *document.pointer_mut(path).unwrap() = value;
    serde_json::to_vec(&document).unwrap()
}

#[tokio::test]
async fn one_bad_consent_changes_no_other_verdict() {
    let good = consents(20).await;
    assert!(verify_chunk(&good, now()).iter().all(|result| result.verified.is_some()));
    let other: Value = serde_json::from_slice(&good[1]).unwrap();
    for bad in [
        b"{}".to_vec(),
        b"no JSON".to_vec(),
        changed(&good[7], "/credentialSubject/study", json!("another")),
        changed(&good[7], "/proof/proofValue", other["proof"]["proofValue"].clone()),
        changed(&good[7], "/proof/proofValue", json!("z")),
        changed(&good[7], "/proof/proofValue", json!("zzz0")),
        changed(&good[7], "/issuer", other["issuer"].clone()),
        // Not in the form of the short way: the library is asked.
        changed(&good[7], "/proof/created", json!("2026-11-22T12:00:00.0Z")),
        changed(&good[7], "/credentialSubject/terms/provenance", json!("a\u{85}b")),
    ] {
        let alone = verify_consent(&bad, now()).await;
        assert!(alone.verified.is_none());
        assert_eq!(results(&alone), results(&verify_consent_by_library(&bad, now()).await));
        let mut all = good.clone();
        all[7] = bad;
        for (place, result) in verify_chunk(&all, now()).iter().enumerate() {
            if place == 7 {
                assert_eq!(results(result), results(&alone));
            } else {
                assert!(result.verified.is_some(), "{place}");
            }
        }
    }
}

#[tokio::test]
async fn many_keep_their_order_and_can_be_left() {
    let good = consents(3).await;
    let count = 2 * CHUNK + 3;
    let all =
        || (0..count).map(|place| if place % 500 == 7 { b"{}".to_vec() } else { good[place % good.len()].clone() });
    for threads in [0, 1, 3] {
        let mut seen = Vec::new();
        verify_consents(all(), now(), threads, |place, result| {
            assert_eq!(place, seen.len());
            seen.push(result.verified.is_some());
            true
        });
        let expected: Vec<_> = (0..count).map(|place| place % 500 != 7).collect();
        assert_eq!(seen, expected, "{threads} threads");
    }
    let mut seen = 0;
    verify_consents(all(), now(), 2, |_, _| {
        seen += 1;
        seen < 100
    });
    assert_eq!(seen, 100);
    verify_consents(std::iter::empty::<Vec<u8>>(), now(), 2, |_, _| unreachable!("there is none"));
}

/// A signature by the short way is the one that the library makes, to the last byte of the document.
#[tokio::test]
async fn what_the_library_signs_is_what_we_sign() {
    let key = SigningKey::from_seed([1; 32]);
    let consent = issue_consent(&key, &maximal(), now()).await.unwrap();
    let expires = now().plus_seconds(60);
    let shown =
        present(&key, std::slice::from_ref(&consent), Some("c \"1\""), "a.example", now(), expires).await.unwrap();
    for signed in [consent.value(), shown.value()] {
        let mut document = signed.clone();
        let mut options = document.as_object_mut().unwrap().remove("proof").unwrap();
        for of_the_library in ["type", "cryptosuite", "proofValue"] {
            options.as_object_mut().unwrap().remove(of_the_library);
        }
        assert!(signature::proof(&key, &document, &options).is_some(), "the short way was taken");
        assert_eq!(&linked::sign(document, key.seed(), key.did(), options).await.unwrap(), signed);
        assert_eq!(linked::verify(signed.clone()).await, Ok(()));
    }
}
