//! The biobank's log, or the biobank, gets another key: wallets and researchers go over to it, and to no key that was
//! slipped in.

mod common;

use bridge::{CheckResult, Code, RecordView, Role};
use common::{CHOICE, Cast, grant, heart, profile, withdraw};
use consent::{Outcome, Purpose};
use server::{StoreAddress, rotate_institution_key, rotate_log_key};
use std::path::Path;
use wallet::{Profile, asks, connect, proof, research, sync, views};

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
async fn a_wallet_and_a_researcher_go_over_to_the_biobanks_new_key() {
    let (mut cast, old_proof, purpose) = granted().await;
    let before = cast.participant.connection().unwrap();
    let change = |dir: &Path| drop(rotate_institution_key(dir, &StoreAddress::Embedded, true).unwrap());
    // The wallet has seen more of the log than the checkpoint that is shown for the change.
    meanwhile(&mut cast, change).await;
    let word = |profile: &Profile| profile.read(|story| story.membership.clone().unwrap().statement).unwrap();
    let stale = word(&cast.researcher);
    sync::sync(&cast.participant).await.unwrap();
    let after = cast.participant.connection().unwrap();
    let speaker = after.speaker.clone().expect("another key");
    assert_eq!(wallet::Connection { speaker: None, ..after.clone() }, before);
    let told = |id: &str| {
        let rows = views::activity(&cast.participant).unwrap().rows;
        rows.iter().filter(|row| row.message.id == id).count()
    };
    assert_eq!((told("activity-biobank-key-changed"), told("activity-log-key-changed")), (1, 0));
    // The same donor, the same studies, the same keys; what was proven counts on.
    assert!(cast.participant.read(|story| story.studies.contains_key(&heart())).unwrap());
    assert_eq!(outcome(&cast.researcher, &old_proof, &purpose).await, Some(Outcome::Permit));

    // The word of the former key for a researcher counts for no donor: the researcher gets a new one by asking.
    asks::ask(&cast.researcher, &heart(), &purpose).await.unwrap();
    assert_ne!(word(&cast.researcher), stale);
    assert_eq!(cast.researcher.connection().unwrap().speaker, Some(speaker));
    sync::sync(&cast.participant).await.unwrap();
    let came = cast.participant.read(|story| story.asks.clone()).unwrap();
    assert_eq!(came.len(), 1, "the question came");
    asks::answer(&cast.participant, &came[0].id, true).await.unwrap();
    let answers = research::asks(&cast.researcher).await.unwrap().asks[0].answers.clone();
    assert_eq!(answers[0].outcome, Some(Outcome::Permit));

    // Both kinds of change while nobody looks, in both orders.
    meanwhile(&mut cast, |dir| {
        rotate(dir);
        change(dir);
        change(dir);
        rotate(dir);
    })
    .await;
    withdraw(&cast.participant, &heart()).unwrap();
    sync::sync(&cast.participant).await.unwrap();
    assert!(is_recorded(&cast.participant));
    assert!(sync::view(&cast.participant).unwrap().alarm.is_none());
    let connection = cast.participant.connection().unwrap();
    assert_eq!((connection.former.len(), &connection.biobank), (2, &before.biobank));
    assert_eq!(outcome(&cast.researcher, &old_proof, &purpose).await, Some(Outcome::Deny));
    // Who comes now joins under the old name, and is enrolled by the new key. The link says which one that is, and whoever
    // answers with less than the way to it is not the biobank.
    sync::sync(&cast.staff).await.unwrap();
    let invitation = wallet::staff::invite(&cast.staff).await.unwrap();
    let encoded = |did: &identity::Did| did.as_str().replace(':', "%3A");
    let stranger = identity::SigningKey::from_seed([99; 32]).did();
    assert!(invitation.link.contains(&format!("now={}", encoded(connection.speaker()))), "{}", invitation.link);
    let led_away = invitation.link.replace(&encoded(connection.speaker()), &encoded(&stranger));
    let failure = wallet::enrol::read_invitation(&led_away, None).await.unwrap_err();
    assert_eq!(failure.args["check"], "signer-is-issuer");
    let newcomer = profile(cast.root.path(), Role::Participant, 12);
    let offer = wallet::enrol::read_invitation(&invitation.link, None).await.unwrap();
    assert_eq!(offer.connection, wallet::Connection { address: offer.connection.address.clone(), ..connection });
    wallet::enrol::accept(&newcomer, &offer).await.unwrap();
    sync::sync(&newcomer).await.unwrap();
    assert!(newcomer.read(|story| story.studies.contains_key(&heart())).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_that_the_former_one_did_not_hand_over_to_is_not_heard() {
    let (mut cast, proof, purpose) = granted().await;
    let connection = cast.participant.connection().unwrap();
    let told = "successions.json";
    let mut kept = Vec::new();
    meanwhile(&mut cast, |dir| {
        rotate_institution_key(dir, &StoreAddress::Embedded, true).unwrap();
        kept = std::fs::read(dir.join(told)).unwrap();
    })
    .await;
    let receipt = cast.participant.read(|story| story.sending[0].receipt.clone()).unwrap();
    let mut list: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    list[0]["receipt"] = receipt.into();
    meanwhile(&mut cast, |dir| std::fs::write(dir.join(told), list.to_string()).unwrap()).await;
    // No study, no question and no account of the new key is believed, and nothing that was there is lost.
    let studies = cast.participant.read(|story| story.signed_studies.clone()).unwrap();
    assert_eq!(sync::sync(&cast.participant).await.unwrap_err().code, Code::ServerRefused);
    assert_eq!(cast.participant.connection().unwrap(), connection);
    assert_eq!(cast.participant.read(|story| story.signed_studies.clone()).unwrap(), studies);
    assert!(asks::ask(&cast.researcher, &heart(), &purpose).await.is_err());
    let code = cast.biobank.researcher_code.clone();
    assert!(connect::connect(&cast.researcher, &cast.biobank.address, &code).await.is_err());
    // The record is the same one, so a proof is judged as before, and a withdrawal goes out.
    assert_eq!(outcome(&cast.researcher, &proof, &purpose).await, Some(Outcome::Permit));
    withdraw(&cast.participant, &heart()).unwrap();
    sync::sync(&cast.participant).await.unwrap_err();
    assert_eq!(outcome(&cast.researcher, &proof, &purpose).await, Some(Outcome::Deny));
    meanwhile(&mut cast, |dir| std::fs::write(dir.join(told), kept).unwrap()).await;
    sync::sync(&cast.participant).await.unwrap();
    assert!(cast.participant.connection().unwrap().speaker.is_some());
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
