//! Snapshots over HTTP: who is in the set, who sees it, and that everything in it can be checked from outside.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod stage;

use consent::Withdrawal;
use identity::SigningKey;
use ledger::event::{InstitutionEvent, Snapshot};
use ledger::{Act, Entry, Event, Hash, Presence, Pseudonym, PseudonymProof, Receipt, SetProof, SnapshotSet};
use reqwest::Method;
use serde_json::{Value, json};
use stage::{Biobank, Donor, hash_of, now, refused, text};

fn path(study: &str) -> String {
    format!("/v1/snapshots/{study}/{}", now().date())
}

/// What the log says of a set, after signature and receipt were checked.
fn said(biobank: &Biobank, answer: &Value) -> Snapshot {
    let entry = Entry::parse(text(&answer["entry"]).as_bytes()).unwrap();
    assert_eq!(*entry.signer(), biobank.did);
    Receipt::verify(text(&answer["receipt"]), entry.bytes(), &biobank.vkey).unwrap();
    let Event::Institution(InstitutionEvent::Snapshot(said)) = entry.said() else { panic!("another entry") };
    assert_eq!(serde_json::to_value(said).unwrap(), answer["snapshot"]);
    said.clone()
}

async fn set(biobank: &Biobank, key: &SigningKey, study: &str) -> (Snapshot, SnapshotSet) {
    let (status, answer) = biobank.asks(key, &path(study)).await;
    assert_eq!(status, 200, "{answer}");
    let said = said(biobank, &answer);
    let pseudonyms: Vec<Pseudonym> = serde_json::from_value(answer["pseudonyms"].clone()).unwrap();
    assert!(answer["next"].is_null());
    let set = SnapshotSet::new(pseudonyms.clone()).unwrap();
    assert_eq!(set.pseudonyms(), pseudonyms, "sorted as it came");
    assert_eq!((set.root(), set.size()), (said.root, said.size));
    (said, set)
}

/// The leaves as an auditor checks them: the subjects among them with their pseudonyms.
async fn audited(biobank: &Biobank, auditor: &SigningKey, study: &str) -> Vec<(Hash, Pseudonym)> {
    let (status, answer) = biobank.asks(auditor, &format!("{}/proofs", path(study))).await;
    assert_eq!(status, 200, "{answer}");
    let said = said(biobank, &answer);
    let leaves = answer["leaves"].as_array().unwrap();
    let (mut subjects, mut decoys, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for leaf in leaves {
        let pseudonym: Pseudonym = serde_json::from_value(leaf["pseudonym"].clone()).unwrap();
        let proof: PseudonymProof = serde_json::from_value(leaf["proof"].clone()).unwrap();
        all.push(pseudonym);
        match leaf["decoy"].as_u64() {
            Some(number) => {
                assert_eq!(proof.verify_decoy(&said.key, number), Ok(pseudonym));
                decoys.push(number);
            }
            None => {
                let subject: Hash = text(&leaf["subject"]).parse().unwrap();
                assert_eq!(proof.verify(&said.key, &subject), Ok(pseudonym));
                subjects.push((subject, pseudonym));
            }
        }
    }
    decoys.sort_unstable();
    assert_eq!(decoys, (0..said.size - subjects.len() as u64).collect::<Vec<_>>(), "no decoy more than is needed");
    assert_eq!(SnapshotSet::new(all).unwrap().root(), said.root);
    subjects
}

async fn leaves(biobank: &Biobank, donor: &Donor, previous: ledger::EntryHash) {
    let left = donor.says(Some(previous), Act::Withdraw { level: Withdrawal::NoUse });
    assert_eq!(biobank.append(left.bytes()).await.0, 200);
}

#[tokio::test]
async fn the_set_holds_whose_consent_is_live_and_allows_the_purpose_and_each_leaf_can_be_checked() {
    let biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let auditor = biobank.account("auditor", "https://audit.example/", 50).await;
    let (stays, _) = biobank.sharing(3).await;
    let (left, granted) = biobank.sharing(4).await;
    leaves(&biobank, &left, granted.hash()).await;
    // Gave consent, but what they allowed was never handed over: nobody can tell that it covers the purpose.
    let (silent, _, _) = biobank.consenting(5).await;
    let (paused, granted) = biobank.sharing(6).await;
    let pause = paused.says(Some(granted.hash()), Act::Suspend { until: None });
    assert_eq!(biobank.append(pause.bytes()).await.0, 200);
    let (said, set) = set(&biobank, &researcher, "heart-rhythm").await;
    assert_eq!((said.size, said.epoch, said.purpose), (64, now().date(), hash_of(&stays.purpose())));
    let subjects = audited(&biobank, &auditor, "heart-rhythm").await;
    assert_eq!(subjects.iter().map(|(subject, _)| *subject).collect::<Vec<_>>(), [stays.subject()]);
    for gone in [&left, &silent, &paused] {
        assert!(subjects.iter().all(|(subject, _)| *subject != gone.subject()));
    }
    // One proof each: for the one that is there, and for one that is not.
    let (_, there) = subjects[0];
    let nobody = Pseudonym::from_bytes([7; 32]);
    for (pseudonym, expected) in [(there, Presence::Present), (nobody, Presence::Absent)] {
        let (status, answer) = biobank.asks(&researcher, &format!("{}/{pseudonym}", path("heart-rhythm"))).await;
        assert_eq!(status, 200, "{answer}");
        let proof: SetProof = serde_json::from_value(answer["proof"].clone()).unwrap();
        assert_eq!(proof.verify(&self::said(&biobank, &answer), &pseudonym), Ok(expected));
        assert_eq!(answer["present"], json!(expected == Presence::Present));
        assert_eq!(proof, set.prove(&pseudonym));
    }
    // Another study of the same people has other pseudonyms and another key.
    let (other, elsewhere) = self::set(&biobank, &researcher, "sleep-memory").await;
    assert_ne!(other.key, said.key);
    assert!(elsewhere.pseudonyms().iter().all(|pseudonym| !set.pseudonyms().contains(pseudonym)));
}

#[tokio::test]
async fn a_set_is_made_once_a_day_whatever_happens_meanwhile() {
    let mut biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let auditor = biobank.account("auditor", "https://audit.example/", 50).await;
    let (donor, granted) = biobank.sharing(3).await;
    // Two at the same moment get the same one.
    let (one, two) =
        tokio::join!(set(&biobank, &researcher, "heart-rhythm"), set(&biobank, &researcher, "heart-rhythm"));
    assert_eq!(one, two);
    let size = |biobank: &Biobank| {
        let url = format!("{}/checkpoint", biobank.address);
        let http = biobank.http.clone();
        async move { http.get(url).send().await.unwrap().text().await.unwrap().lines().nth(1).unwrap().to_owned() }
    };
    leaves(&biobank, &donor, granted.hash()).await;
    let before = size(&biobank).await;
    assert_eq!(set(&biobank, &researcher, "heart-rhythm").await, one, "who leaves is missing from the next one");
    assert_eq!(size(&biobank).await, before);
    biobank.restarted(|_| {}).await;
    assert_eq!(set(&biobank, &researcher, "heart-rhythm").await, one, "the same after a new start");
    assert_eq!(audited(&biobank, &auditor, "heart-rhythm").await.len(), 1);
}

#[tokio::test]
async fn a_set_stays_when_its_study_goes() {
    let mut biobank = Biobank::open().await;
    let (researcher, foreign) =
        (biobank.researcher().await, biobank.account("researcher", "https://x.example", 52).await);
    let auditor = biobank.account("auditor", "https://audit.example/", 50).await;
    let (donor, _) = biobank.sharing(3).await;
    let (made, _) = set(&biobank, &researcher, "heart-rhythm").await;
    biobank
        .restarted(|dir| {
            let file = dir.join("studies.json");
            let mut studies: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            studies.retain(|study| study["id"] != "heart-rhythm");
            std::fs::write(file, serde_json::to_vec(&studies).unwrap()).unwrap();
        })
        .await;
    let ask =
        async |key: &SigningKey, below: &str| biobank.asks(key, &format!("{}{below}", path("heart-rhythm"))).await;
    // The purpose is named: the log says it beside the set.
    let named = format!("?purpose={}", made.purpose);
    for key in [&researcher, &auditor] {
        let (status, answer) = ask(key, &named).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(said(&biobank, &answer), made);
        assert_eq!(refused(&ask(key, "").await), (400, "malformed"));
        assert_eq!(refused(&ask(key, &format!("?purpose={}", "04".repeat(32))).await), (404, "not-found"));
    }
    let (status, answer) = ask(&auditor, &format!("/proofs{named}")).await;
    assert_eq!(status, 200, "{answer}");
    let leaves = answer["leaves"].as_array().unwrap();
    assert!(leaves.iter().any(|leaf| leaf["subject"] == json!(donor.subject())));
    assert_eq!(refused(&ask(&foreign, &named).await), (403, "not-allowed"));
}

#[tokio::test]
async fn sets_are_for_the_studys_researchers_and_for_auditors() {
    let biobank = Biobank::open().await;
    let (researcher, staff) = (biobank.researcher().await, biobank.staff().await);
    let foreign = biobank.account("researcher", "https://other.example/", 50).await;
    let auditor = biobank.account("auditor", "https://audit.example/", 51).await;
    let donor = biobank.donor(3).await;
    let set = path("heart-rhythm");
    let (proofs, member) = (format!("{set}/proofs"), format!("{set}/{}", "07".repeat(32)));
    for (key, who, may) in [
        (&researcher, "researcher", [200, 403, 200]),
        (&auditor, "auditor", [200, 200, 200]),
        (&foreign, "another organisation's researcher", [403, 403, 403]),
        (&staff, "staff", [403, 403, 403]),
        (&donor.pairwise, "donor", [403, 403, 403]),
        (&donor.key(), "study key", [403, 403, 403]),
    ] {
        for (path, status) in [&set, &proofs, &member].into_iter().zip(may) {
            assert_eq!(biobank.asks(key, path).await.0, status, "{who} {path}");
        }
    }
    assert_eq!(biobank.get(&set).await.0, 401);
    let purpose = "04".repeat(32);
    for (bad, refusal) in [
        ("/v1/snapshots/heart-rhythm/2020-01-01".to_owned(), (404, "not-found")),
        ("/v1/snapshots/heart-rhythm/2999-01-01".to_owned(), (404, "not-found")),
        ("/v1/snapshots/heart-rhythm/today".to_owned(), (400, "malformed")),
        (path("no-such-study"), (404, "not-found")),
        (format!("{set}/no-pseudonym"), (400, "malformed")),
        (format!("{set}?purpose=x"), (400, "malformed")),
        (format!("{set}?from=-1"), (400, "malformed")),
        // A purpose of one's own choice would show single answers when sets are compared.
        (format!("{set}?purpose={purpose}"), (404, "not-found")),
    ] {
        assert_eq!(refused(&biobank.asks(&researcher, &bad).await), refusal, "{bad}");
    }
    // A page behind the end is empty, and says so.
    let (status, behind) = biobank.asks(&researcher, &format!("{set}?from=64")).await;
    assert_eq!((status, &behind["pseudonyms"], &behind["next"]), (200, &json!([]), &Value::Null));
    let refused = biobank.signed(&researcher, Method::POST, &set, &json!({})).await;
    assert_eq!(refused.0, 405);
}
