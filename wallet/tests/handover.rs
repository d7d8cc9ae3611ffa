//! The biobank gets the credential of a consent once the consent is recorded, and has nothing of one that is over.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod common;

use common::{CHOICE, Cast, grant, heart, withdraw};
use identity::{ProfileSecret, sign_request};
use ledger::{EntryHash, commit_subject};
use serde_json::Value;
use wallet::sync;

/// What the biobank holds of the participant's consent to the heart study, asked for with the study key.
async fn held(cast: &Cast) -> (u16, Value) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let log = http.get(format!("{}/v1/log", cast.biobank.address)).send().await.unwrap().bytes().await.unwrap();
    let log: Value = serde_json::from_slice(&log).unwrap();
    let biobank = log["did"].as_str().unwrap().parse().unwrap();
    let secret = ProfileSecret::from_bytes([2; 32]);
    let (study, donor) = (heart(), secret.derive_biobank_key(&biobank).did());
    let subject = commit_subject(&secret.derive_subject_salt(&biobank, &study), &donor, &study);
    let path = format!("/v1/credentials/{subject}");
    let authority = cast.biobank.address.trim_start_matches("http://");
    let nonce = uuid::Uuid::new_v4().to_string();
    let key = secret.derive_study_key(&biobank, &study);
    let headers = sign_request(&key, "GET", authority, &path, "", b"", wallet::now(), &nonce);
    let request = http
        .get(format!("{}{path}", cast.biobank.address))
        .header("signature-input", headers.signature_input)
        .header("signature", headers.signature)
        .header("content-digest", headers.content_digest);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_consent_is_handed_over_and_an_ended_one_is_not_kept() {
    let mut cast = Cast::ready().await;
    // Nobody is there: nothing is lost, and nothing is handed over before it is recorded.
    cast.biobank.close().await;
    let entry: EntryHash = grant(&cast.participant, &heart(), &CHOICE).await.unwrap();
    sync::sync(&cast.participant).await.unwrap();
    cast.biobank.reopen().await;
    sync::sync(&cast.participant).await.unwrap();
    let (status, kept) = held(&cast).await;
    assert_eq!((status, kept["entry"].as_str()), (200, Some(entry.to_string().as_str())), "{kept}");
    let credential = identity::Credential::try_from(kept["credential"].clone()).unwrap();
    let claims = identity::verify_consent(&credential.to_bytes(), wallet::now()).await.verified.unwrap().into_inner();
    assert_eq!(claims.claims.policy.shared(), CHOICE);
    // Another round hands over nothing again: the journal says that it is done.
    let before = wallet::views::activity(&cast.participant).unwrap().rows.len();
    sync::sync(&cast.participant).await.unwrap();
    assert_eq!(wallet::views::activity(&cast.participant).unwrap().rows.len(), before);
    withdraw(&cast.participant, &heart()).unwrap();
    sync::sync(&cast.participant).await.unwrap();
    assert_eq!(held(&cast).await.0, 404);
}
