//! The whole way of a donor's data through the service as a process, and that its log does not tell of the donor.

use crate::process::Process;
use crate::stage::{Biobank, now, text};
use axum::Router;
use axum::http::StatusCode;
use consent::Withdrawal;
use ledger::Act;
use serde_json::{Value, json};
use std::time::Duration;

/// The biobank that a process runs, for the callers of the other tests.
async fn biobank_of(process: &Process) -> Biobank {
    let told = process.told();
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("biobank")).unwrap();
    std::fs::copy(process.told_path(), dir.path().join("biobank/demo.json")).unwrap();
    Biobank::at(dir, text(&told["address"]).to_owned()).await
}

/// A data holder's receiver that takes everything; its address.
async fn receiver() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let app = Router::new().fallback(|| async { StatusCode::NO_CONTENT });
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_nothing_of_a_donor_whose_data_are_used() {
    let process = Process::start(&[]);
    let biobank = biobank_of(&process).await;
    let (staff, researcher) = (biobank.staff().await, biobank.researcher().await);
    let auditor = biobank.account("auditor", "https://audit.example", 50).await;
    // One holder hears everything, another one can not be reached.
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}/", taken.local_addr().unwrap());
    drop(taken);
    for address in [receiver().await, nobody] {
        let events = ["consent-grant", "consent-withdraw", "access-grant", "access-use"];
        let hook = json!({ "url": format!("{address}holders-own-token"), "events": events });
        let (status, answer) = biobank.sends(&staff, "/v1/webhooks", &hook).await;
        assert_eq!(status, 201, "{answer}");
    }
    let (donor, entry, credential) = biobank.consenting(1).await;
    assert_eq!(biobank.hand_over(&donor, &credential).await.0, 204);
    let purpose = donor.purpose();
    let many = json!({ "subjects": [donor.name(), donor.key().did()], "purpose": purpose });
    assert_eq!(biobank.sends(&researcher, "/v1/decisions", &many).await.0, 200);
    let (status, granted) = biobank.granted(&researcher, &donor.name(), &purpose).await;
    assert_eq!(status, 200, "{granted}");
    let visa = format!("/v1/access-grants/{}/visa", text(&granted["hash"]));
    assert_eq!(biobank.asks(&researcher, &visa).await.0, 200);
    let used = json!({ "grant": granted["hash"], "subjects": [donor.name()], "data": ["genome"], "time": now() });
    assert_eq!(biobank.sends(&researcher, "/v1/uses", &used).await.0, 200);
    assert_eq!(biobank.asks(&donor.key(), &format!("/v1/uses/{}", donor.name())).await.0, 200);
    assert_eq!(biobank.asks(&auditor, &format!("/v1/credentials/{}", donor.name())).await.0, 200);
    let set = format!("/v1/snapshots/heart-rhythm/{}", now().date());
    let (status, proofs) = biobank.asks(&auditor, &format!("{set}/proofs")).await;
    assert_eq!(status, 200, "{proofs}");
    let mine = |leaf: &&Value| leaf["subject"] == json!(donor.subject());
    let pseudonym = text(&proofs["leaves"].as_array().unwrap().iter().find(mine).unwrap()["pseudonym"]).to_owned();
    assert_eq!(biobank.asks(&researcher, &format!("{set}/{pseudonym}")).await.1["present"], true);
    let letter = json!({ "sealed": "AAAA" });
    assert_eq!(biobank.sends(&researcher, &format!("/v1/mailbox/{}", donor.key().did()), &letter).await.0, 202);
    let left = donor.says(Some(entry.hash()), Act::Withdraw { level: Withdrawal::NoUse });
    assert_eq!(biobank.append(left.bytes()).await.0, 200);
    // What is refused is told of as well: none of it is theirs any more.
    assert_eq!(biobank.asks(&researcher, &visa).await.0, 409);
    assert_eq!(biobank.hand_over(&donor, &credential).await.0, 409);
    assert_eq!(biobank.append(entry.bytes()).await.0, 200, "sent again");
    heard(&biobank, &staff).await;

    let log = std::fs::read_to_string(&process.log).unwrap();
    assert!(log.lines().count() > 20 && log.contains("takeVisa"), "it tells of what was done");
    let bare = |key: &identity::SigningKey| key.did().as_str()["did:key:".len()..].to_owned();
    let salt = donor.secret.derive_subject_salt(&donor.biobank, &donor.study());
    for (what, word) in [
        ("the subject", donor.name()),
        ("the study key", bare(&donor.key())),
        ("the key for the biobank", bare(&donor.pairwise)),
        ("the salt", hex::encode(salt)),
        ("the pseudonym", pseudonym),
        ("the credential", credential.id().to_string()),
        ("the credential's hash", hex::encode(credential.hash())),
        ("the consent's entry", entry.hash().to_string()),
        ("the withdrawal's entry", left.hash().to_string()),
        ("the researcher", bare(&researcher)),
        ("where a data holder is told", "holders-own-token".to_owned()),
        ("any key", "did:key".to_owned()),
    ] {
        assert!(!log.contains(&word), "the log tells {what}: {:?}", log.lines().find(|line| line.contains(&word)));
    }
}

/// Waits until one holder was told of everything, and the other one was tried.
async fn heard(biobank: &Biobank, staff: &identity::SigningKey) {
    for _ in 0..600 {
        let hooks = biobank.asks(staff, "/v1/webhooks").await.1["webhooks"].as_array().unwrap().clone();
        let told = hooks.iter().any(|hook| hook["pending"] == 0 && hook["delivered"].is_u64());
        if told && hooks.iter().any(|hook| hook["lastError"].is_string()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the holder was not told");
}
