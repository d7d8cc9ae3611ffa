//! `biobankd` is killed (SIGKILL) at each step of an append and started again: what was acknowledged is there,
//! nothing is there twice, and the log audits clean, by `consentctl` too.

use bridge::{RecordView, Role};
use consent::DataKind;
use identity::ProfileSecret;
use proof::{Biobankd, FOUNDED, grant, program};
use server::log::{FAIL_POINTS, SETTLE_POINTS};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use wallet::{Profile, connect, enrol, staff, sync, views};

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_step_and_started_again() {
    // What follows in the background is flushed at a border of bundles only: `server/tests/faults.rs` goes there.
    let behind = SETTLE_POINTS.iter().filter(|name| name.ends_with("index"));
    for name in FAIL_POINTS.iter().chain(behind) {
        println!("{name}");
        let root = tempfile::tempdir().unwrap();
        let mut biobank = Biobankd::start(&root.path().join("biobank")).unwrap();
        let participant = enrolled(root.path(), &biobank).await;
        let study = "heart-rhythm".parse().unwrap();

        biobank.kill();
        let armed = root.path().join("armed");
        let stop = [("BIOBANKD_STOP_AT", *name), ("BIOBANKD_STOP_WHEN", armed.to_str().unwrap())];
        biobank.restart(&stop).unwrap();
        std::fs::write(&armed, "").unwrap();
        grant(&participant, &study, &[DataKind::Genome]).await.unwrap();
        // The service stops in the middle of this request; the wallet waits for an answer that never comes.
        let waiting = tokio::spawn({
            let participant = participant.clone();
            async move { sync::sync(&participant).await }
        });
        stopped(&biobank.log, name).await;
        biobank.kill();
        let _ = waiting.await;

        biobank.restart(&[]).unwrap();
        sync::sync(&participant).await.unwrap();
        let home = views::home(&participant).unwrap();
        let recorded = matches!(&home.consents[0].record, RecordView::Recorded(entry) if entry.index == FOUNDED + 1);
        assert!(recorded, "{name}: {:?}", home.consents[0].record);
        let audit =
            Command::new(program("CONSENTCTL", "consentctl")).args(["ledger", "audit", &biobank.address()]).output();
        let said = String::from_utf8(audit.unwrap().stdout).unwrap();
        assert!(said.starts_with("sound:") && said.contains(&format!(" {} entries", FOUNDED + 2)), "{name}: {said}");
        // And everything that is stored is what the entries alone give.
        biobank.kill();
        let data = root.path().join("biobank");
        let check =
            Command::new(program("BIOBANKD", "biobankd")).arg("check").arg("--data").arg(data).output().unwrap();
        let said = String::from_utf8(check.stdout).unwrap();
        assert!(check.status.success() && said.starts_with("sound:"), "{name}: {said}");
    }
}

async fn enrolled(root: &Path, biobank: &Biobankd) -> std::sync::Arc<Profile> {
    let told = biobank.told();
    let desk = profile(root, Role::Staff, 1);
    connect::connect(&desk, &biobank.address(), told["staffCode"].as_str().unwrap()).await.unwrap();
    let invitation = staff::invite(&desk).await.unwrap();
    let participant = profile(root, Role::Participant, 2);
    let offer = enrol::read_invitation(&invitation.link, None).await.unwrap();
    enrol::accept(&participant, &offer).await.unwrap();
    sync::sync(&participant).await.unwrap();
    participant.into()
}

fn profile(root: &Path, role: Role, seed: u8) -> Profile {
    let dir = root.join(role.name());
    std::fs::create_dir_all(&dir).unwrap();
    Profile::open(role, &dir, ProfileSecret::from_bytes([seed; 32])).unwrap()
}

async fn stopped(log: &Path, name: &str) {
    let begun = Instant::now();
    while !std::fs::read_to_string(log).unwrap().contains(&format!("stopped at {name}")) {
        assert!(begun.elapsed() < Duration::from_secs(20), "biobankd never came to {name}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
