//! The wallet is killed (SIGKILL) at each step of an append and started again: nothing is lost, nothing is there
//! twice, and the log audits clean.

mod common;

use common::{Biobank, Cast, FOUNDED, grant, heart};
use consent::{ConsentState, DataKind};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use wallet::{Profile, sync, views};

/// Each place at which the wallet can die, and whether the answer was given before it.
const STEPS: [(&str, bool); 8] = [
    ("before-signed", false),
    ("after-signed", true),
    ("before-post", true),
    ("after-post", true),
    ("before-sent", true),
    ("after-sent", true),
    ("before-recorded", true),
    ("after-recorded", true),
];

const FOLDER: &str = "CONSENT_WALLET_TEST_FOLDER";

/// Not a test of its own: the process that is killed. It does nothing unless it is told where.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let profile = open(Path::new(&folder));
    grant(&profile, &heart(), &[DataKind::Genome]).await.unwrap();
    sync::sync(&profile).await.unwrap();
    panic!("the process was to be killed before it got here");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_step_and_started_again() {
    for (step, given) in STEPS {
        let cast = Cast::ready().await;
        let folder = cast.participant.dir.clone();
        // Closed here, opened by the process that dies.
        let Cast { participant, root: _root, biobank, .. } = cast;
        drop(participant);
        kill_at(step, &folder);

        let profile = open(&folder);
        sync::sync(&profile).await.unwrap();
        let state = profile.read(|story| story.state(&heart(), wallet::now().date())).unwrap();
        assert_eq!(state == ConsentState::Active, given, "{step}");
        if !given {
            grant(&profile, &heart(), &[DataKind::Genome]).await.unwrap();
            sync::sync(&profile).await.unwrap();
        }
        let home = views::home(&profile).unwrap();
        assert!(
            matches!(&home.consents[0].record, bridge::RecordView::Recorded(r) if r.index == FOUNDED),
            "{step}: {home:?}"
        );
        audit(&biobank, FOUNDED + 1, step).await;
    }
}

/// Runs the child until it stops at a step, then kills it.
fn kill_at(step: &str, folder: &Path) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(FOLDER, folder)
        .env("CONSENT_WALLET_STOP_AT", step)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let stopped = lines.map_while(Result::ok).any(|line| line == format!("stopped at {step}"));
    assert!(stopped, "the wallet never came to {step}");
    child.kill().unwrap();
    child.wait().unwrap();
}

fn open(folder: &Path) -> Profile {
    Profile::open(bridge::Role::Participant, folder, identity::ProfileSecret::from_bytes([2; 32])).unwrap()
}

async fn audit(biobank: &Biobank, size: u64, step: &str) {
    let client = ledger::client::LogClient::new(&biobank.address).unwrap();
    let vkey = client.log_info().await.unwrap().vkey;
    let report = ledger::client::audit(&client, &vkey).await.unwrap();
    assert!(report.is_clean() && report.checkpoint.size == size, "{step}: {report:?}");
}
