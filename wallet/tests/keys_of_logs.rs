//! The biobank's log gets another key: wallets and researchers go over to it, and to no key that was slipped in.

mod common;

use bridge::{CheckResult, Code, RecordView, Role};
use common::{CHOICE, Cast, grant, heart, profile, withdraw};
use consent::{Outcome, Purpose};
use server::{StoreAddress, rotate_log_key};
use std::path::Path;
use wallet::{Profile, connect, proof, research, sync, views};

/// The service stops, the folder changes, and the service starts again.
async fn meanwhile(cast: &mut Cast, change: impl FnOnce(&Path)) {
    cast.biobank.close().await;
    change(&cast.biobank.dir);
    cast.biobank.reopen().await;
}

fn rotate(dir: &Path) {
    rotate_log_key(dir, &StoreAddress::Embedded, true).unwrap();
}

/// A consent is given, recorded, and handed to a researcher as a proof.
async fn granted() -> (Cast, String, Purpose) {
    let cast = Cast::ready().await;
    grant(&cast.participant, &heart(), &CHOICE).await.unwrap();
    sync::sync(&cast.participant).await.unwrap();
    let proof = proof::make(&cast.participant, &heart(), None).await.unwrap();
    let studies = research::studies(&cast.researcher).await.unwrap().studies;
    let purpose = studies.iter().find(|study| study.study == heart()).unwrap().purpose.clone();
    let proof = serde_json::to_string(&proof).unwrap();
    assert_eq!(outcome(&cast.researcher, &proof, &purpose).await, Some(Outcome::Permit));
    (cast, proof, purpose)
}

async fn outcome(researcher: &Profile, proof: &str, purpose: &Purpose) -> Option<Outcome> {
    let view = research::check(researcher, proof, purpose, None).await.unwrap();
    if view.outcome.is_none() {
        assert!(view.checks.iter().any(|row| row.name == "ledger-record" && row.result != CheckResult::Passed));
    }
    view.outcome
}

fn is_recorded(profile: &Profile) -> bool {
    matches!(views::home(profile).unwrap().consents[0].record, RecordView::Recorded(_))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_and_a_researcher_live_through_changes_of_the_logs_key() {
    let (mut cast, old_proof, purpose) = granted().await;
    let first = cast.participant.connection().unwrap().vkey;
    meanwhile(&mut cast, rotate).await;
    sync::sync(&cast.participant).await.unwrap();
    let connection = cast.participant.connection().unwrap();
    assert_eq!(connection.former, std::slice::from_ref(&first));
    assert_ne!(connection.vkey, first);
    let rows = views::activity(&cast.participant).unwrap().rows;
    assert_eq!(rows.iter().filter(|row| row.message.id == "activity-log-key-changed").count(), 1);
    // What was proven under the former key counts on, and is told once only.
    assert!(is_recorded(&cast.participant));
    assert_eq!(outcome(&cast.researcher, &old_proof, &purpose).await, Some(Outcome::Permit));
    assert_eq!(cast.researcher.connection().unwrap().former, std::slice::from_ref(&first));
    // One copy of the log, as before.
    assert_eq!(std::fs::read_dir(cast.researcher.dir.join("record")).unwrap().count(), 1);

    // Two more changes while nobody looks, and something signed meanwhile.
    cast.biobank.close().await;
    withdraw(&cast.participant, &heart()).unwrap();
    rotate(&cast.biobank.dir);
    rotate(&cast.biobank.dir);
    cast.biobank.reopen().await;
    sync::sync(&cast.participant).await.unwrap();
    assert!(is_recorded(&cast.participant));
    let connection = cast.participant.connection().unwrap();
    assert_eq!((connection.former.len(), &connection.former[0]), (3, &first));
    assert!(sync::view(&cast.participant).unwrap().alarm.is_none());
    assert_eq!(outcome(&cast.researcher, &old_proof, &purpose).await, Some(Outcome::Deny));

    // The journal says the same when it is read again, and the next round goes on from there.
    let Cast { participant, biobank, root, staff, .. } = cast;
    let dir = participant.dir.clone();
    drop(participant);
    let again = Profile::open(Role::Participant, &dir, identity::ProfileSecret::from_bytes([2; 32])).unwrap();
    assert_eq!(again.connection().unwrap(), connection);
    sync::sync(&again).await.unwrap();

    // Who comes now starts with the key of today, and knows those before.
    let invitation = wallet::staff::invite(&staff).await.unwrap();
    let newcomer = profile(root.path(), Role::Participant, 12);
    let offer = wallet::enrol::read_invitation(&invitation.link, None).await.unwrap();
    assert_eq!((&offer.connection.vkey, &offer.connection.former), (&connection.vkey, &connection.former));
    wallet::enrol::accept(&newcomer, &offer).await.unwrap();
    sync::sync(&newcomer).await.unwrap();
    drop(biobank);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_former_one_did_not_hand_over_to_is_refused() {
    let (mut cast, proof, purpose) = granted().await;
    let connection = cast.participant.connection().unwrap();
    // The institution speaks for another key, and the entries are those that were always there: with the institution's
    // key alone, a thief can copy them and sign them anew.
    let refused = async |cast: &Cast, what: &str| {
        let failure = sync::sync(&cast.participant).await.unwrap_err();
        assert_eq!(failure.code, Code::ServerRefused, "{what}");
        assert_eq!(cast.participant.connection().unwrap(), connection, "{what}");
        assert!(sync::view(&cast.participant).unwrap().alarm.is_none(), "{what}");
        assert_eq!(outcome(&cast.researcher, &proof, &purpose).await, None, "{what}");
        assert_eq!(cast.researcher.connection().unwrap().vkey, connection.vkey, "{what}");
    };
    let told = "successions.json";
    let mut kept = Vec::new();
    meanwhile(&mut cast, |dir| {
        rotate(dir);
        kept = std::fs::read(dir.join(told)).unwrap();
        std::fs::remove_file(dir.join(told)).unwrap();
    })
    .await;
    refused(&cast, "nothing is told").await;
    let mut list: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    // The receipt of the donor's own entry in the place of that of the change.
    let receipt = cast.participant.read(|story| story.sending[0].receipt.clone()).unwrap();
    list[0]["receipt"] = receipt.into();
    meanwhile(&mut cast, |dir| std::fs::write(dir.join(told), list.to_string()).unwrap()).await;
    refused(&cast, "another receipt").await;
    // The change of another log, by another institution, each part of it genuine.
    let elsewhere = Cast::ready().await;
    let mut elsewhere = elsewhere;
    meanwhile(&mut elsewhere, rotate).await;
    let theirs = std::fs::read(elsewhere.biobank.dir.join(told)).unwrap();
    meanwhile(&mut cast, |dir| std::fs::write(dir.join(told), theirs).unwrap()).await;
    refused(&cast, "another log").await;
    // And with what is true, both go over.
    meanwhile(&mut cast, |dir| std::fs::write(dir.join(told), kept).unwrap()).await;
    sync::sync(&cast.participant).await.unwrap();
    assert_eq!(outcome(&cast.researcher, &proof, &purpose).await, Some(Outcome::Permit));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_shrinks_or_forks_behind_a_change_of_its_key_is_an_alarm() {
    // Shortened before the change, and after it.
    for before in [true, false] {
        let (mut cast, proof, purpose) = granted().await;
        let copy = cast.root.path().join("copy");
        if before {
            meanwhile(&mut cast, |dir| copy_log(dir, &copy)).await;
            withdraw(&cast.participant, &heart()).unwrap();
            sync::sync(&cast.participant).await.unwrap();
            assert_eq!(outcome(&cast.researcher, &proof, &purpose).await, Some(Outcome::Deny));
            meanwhile(&mut cast, |dir| {
                // The withdrawal is unmade, and the key changed over it.
                std::fs::remove_dir_all(dir.join("log")).unwrap();
                copy_log_back(&copy, dir);
                rotate(dir);
                rotate(dir);
            })
            .await;
        } else {
            meanwhile(&mut cast, |dir| {
                copy_log(dir, &copy);
                rotate(dir);
                // Under the new key the log begins anew.
                std::fs::remove_dir_all(dir.join("log")).unwrap();
            })
            .await;
        }
        let failure = sync::sync(&cast.participant).await.unwrap_err();
        assert_eq!(failure.code, Code::LogForked, "{before}");
        let alarm = sync::view(&cast.participant).unwrap().alarm.expect("an alarm");
        assert_ne!((alarm.before.size, &alarm.before.root), (alarm.after.size, &alarm.after.root));
        wallet::alarm::save(&cast.participant, cast.root.path()).unwrap();
        // It stays.
        assert_eq!(sync::sync(&cast.participant).await.unwrap_err().code, Code::LogForked);
        assert_eq!(outcome(&cast.researcher, &proof, &purpose).await, None, "{before}");
        // Another researcher who comes now has nothing to compare with; who comes back with the same profile has.
        let code = cast.biobank.researcher_code.clone();
        connect::connect(&cast.researcher, &cast.biobank.address, &code).await.unwrap();
        assert_eq!(outcome(&cast.researcher, &proof, &purpose).await, None, "{before}");
    }
}

fn copy_log(data: &Path, to: &Path) {
    copy_all(&data.join("log"), to);
}

fn copy_log_back(from: &Path, data: &Path) {
    copy_all(from, &data.join("log"));
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy_all(&file.path(), &target);
        } else {
            std::fs::copy(file.path(), target).unwrap();
        }
    }
}
