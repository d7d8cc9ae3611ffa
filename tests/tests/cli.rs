//! `consentctl` as people and pipelines use it: its exit status is the answer.

mod stage;

use proof::{FOUNDED, program, withdraw};
use stage::Stage;
use std::path::Path;
use std::process::Command;
use wallet::sync;

impl Stage {
    /// Runs `consentctl verify` on a proof; gives its exit status and what it printed.
    fn verify(&self, proof: &Path, purpose: Option<&consent::Purpose>, more: &[&str]) -> (i32, String) {
        let mut command = Command::new(program("CONSENTCTL", "consentctl"));
        command.arg("verify").arg(proof).arg("--cache").arg(self.root.path().join("cache")).args(more);
        if let Some(purpose) = purpose {
            let file = self.root.path().join("purpose.json");
            std::fs::write(&file, serde_json::to_vec(purpose).unwrap()).unwrap();
            command.arg("--purpose").arg(file);
        }
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_status_is_the_answer() {
    let stage = Stage::set().await;
    let address = stage.biobank.address();
    let live = ["--ledger", address.as_str()];

    let (status, said) = stage.verify(&stage.proof, Some(&stage.purpose), &live);
    assert_eq!(status, 0, "{said}");
    assert!(said.starts_with("permit\n"), "{said}");
    let abroad = consent::Purpose { places: vec!["US".into()], ..stage.purpose.clone() };
    assert_eq!(stage.verify(&stage.proof, Some(&abroad), &live).0, 1);
    let vague = consent::Purpose { topics: vec![], ..stage.purpose.clone() };
    let (status, said) = stage.verify(&stage.proof, Some(&vague), &live);
    assert_eq!(status, 2, "no topic is stated, so a person has to decide: {said}");
    assert_eq!(stage.verify(&stage.proof, None, &live).0, 1, "nothing is stated, and this donor asked for much");

    // Not valid: a changed file, another study, another organisation, another biobank, no file at all.
    let changed = stage.root.path().join("changed.json");
    let text = std::fs::read_to_string(&stage.proof).unwrap().replace("2028-12-31", "2038-12-31");
    std::fs::write(&changed, text).unwrap();
    assert_eq!(stage.verify(&changed, Some(&stage.purpose), &live).0, 3);
    for more in [["--study", "sleep-memory"], ["--audience", "https://other.example"]] {
        assert_eq!(stage.verify(&stage.proof, Some(&stage.purpose), &[&live[..], &more].concat()).0, 3, "{more:?}");
    }
    let company = consent::Organisation { id: "https://company.example".into(), ..stage.purpose.organisation.clone() };
    let other = consent::Purpose { organisation: company, ..stage.purpose.clone() };
    assert_eq!(stage.verify(&stage.proof, Some(&other), &live).0, 3);

    // Could not check: no ledger named, nobody there, no such file.
    assert_eq!(stage.verify(&stage.proof, Some(&stage.purpose), &[]).0, 4);
    assert_eq!(stage.verify(&stage.proof, Some(&stage.purpose), &["--ledger", "http://127.0.0.1:9"]).0, 4);
    assert_eq!(stage.verify(Path::new("no such file"), Some(&stage.purpose), &live).0, 4);

    let (status, json) = stage.verify(&stage.proof, Some(&stage.purpose), &[&live[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((status, json["outcome"].as_str()), (0, Some("permit")));

    withdraw(&stage.participant, &"heart-rhythm".parse().unwrap()).unwrap();
    sync::sync(&stage.participant).await.unwrap();
    let (status, said) = stage.verify(&stage.proof, Some(&stage.purpose), &live);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("withdrawn"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_followed_from_its_former_key_to_the_one_of_today() {
    let mut stage = Stage::set().await;
    let address = stage.biobank.address();
    let live = ["--ledger", address.as_str()];
    assert_eq!(stage.verify(&stage.proof, Some(&stage.purpose), &live).0, 0);
    let former = ledger::client::LogClient::new(&address).unwrap().log_info().await.unwrap().vkey.to_string();
    stage.biobank.kill();
    let data = stage.biobank.dir.to_str().unwrap();
    let rotated =
        Command::new(program("BIOBANKD", "biobankd")).args(["rotate", "--data", data, "log"]).output().unwrap();
    assert!(rotated.status.success(), "{rotated:?}");
    stage.biobank.restart(&[]).unwrap();
    // The proof holds a receipt of the former key, and the copy of the record ends with its signature.
    assert_eq!(stage.verify(&stage.proof, Some(&stage.purpose), &live).0, 0);
    let ledger = |arguments: &[&str]| {
        let output = Command::new(program("CONSENTCTL", "consentctl")).arg("ledger").args(arguments).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    for command in ["audit", "replay"] {
        assert_eq!(ledger(&[command, &address]).0, 0);
        let (status, said) = ledger(&[command, &address, "--vkey", &former]);
        assert!(status == 0 && said.contains("since entry"), "{said}");
        let stranger = "biobank.example/log+fa7b07fe+AW56HN0psLeP0Tr0xVmP7/TvKpcWbjym8uT7/M2AUFvx";
        let (status, said) = ledger(&[command, &address, "--vkey", stranger]);
        assert!(status == 4 && said.contains("another key"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_finds_what_was_changed_behind_the_logs_back() {
    let mut stage = Stage::set().await;
    let audit = |address: &str| {
        let output =
            Command::new(program("CONSENTCTL", "consentctl")).args(["ledger", "audit", address]).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let address = stage.biobank.address();
    let (status, said) = audit(&address);
    assert_eq!(status, 0, "{said}");
    let size = FOUNDED + 3;
    assert!(said.starts_with(&format!("sound: biobank.example/log, {size} entries")), "{said}");
    // One byte of the published entries changes, as a hand in the folder could do it.
    let bundle = stage.biobank.dir.join(format!("log/public/tile/entries/000.p/{size}"));
    let mut bytes = std::fs::read(&bundle).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let (status, said) = audit(&address);
    assert_ne!(status, 0, "{said}");
    stage.biobank.kill();
    assert_eq!(audit(&address).0, 4, "nobody is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_by_address_is_compared_with_what_others_understood() {
    let mut stage = Stage::set().await;
    let address = stage.biobank.address();
    let replay = |more: &[&str]| {
        let mut command = Command::new(program("CONSENTCTL", "consentctl"));
        let output = command.args(["ledger", "replay", address.as_str()]).args(more).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let state_of = |said: &str| said.lines().find_map(|line| line.strip_prefix("state ")).unwrap().to_owned();

    let (status, said) = replay(&[]);
    assert_eq!(status, 0, "{said}");
    let size = FOUNDED + 3;
    assert!(said.starts_with(&format!("origin biobank.example/log\nsize {size}\n")), "{said}");
    let state = state_of(&said);
    assert_eq!(replay(&["--expect", &state]), (0, said.clone()));
    let other = format!("{}{}", if state.starts_with('0') { '1' } else { '0' }, &state[1..]);
    let (status, said) = replay(&["--expect", &other]);
    assert_eq!(status, 1, "{said}");
    assert!(said.ends_with("finding: the state is not the expected one\n"), "{said}");
    assert_eq!(replay(&["--expect", "not a hash"]).0, 2, "a slip is no finding");

    // The records: one a line, in their order, the same whoever writes them out.
    let written = |name: &str| {
        let file = stage.root.path().join(name);
        let (status, said) = replay(&["--state-out", file.to_str().unwrap()]);
        assert_eq!(status, 0, "{said}");
        std::fs::read_to_string(file).unwrap()
    };
    let before = written("before");
    assert_eq!(written("again"), before);
    let records: Vec<(&str, serde_json::Value)> = before
        .lines()
        .map(|line| line.split_once(' ').map(|(key, json)| (key, serde_json::from_str(json).unwrap())).unwrap())
        .collect();
    assert!(records.is_sorted_by(|(a, _), (b, _)| a < b), "{before}");
    let of_kind = |kind: &str| records.iter().filter(|(key, _)| key.starts_with(kind)).count();
    assert_eq!((of_kind("authority"), of_kind("study/"), of_kind("subject/")), (1, 3, 1), "{before}");
    let nowhere = stage.root.path().join("no folder/state");
    assert_eq!(replay(&["--state-out", nowhere.to_str().unwrap()]).0, 4);

    // The log goes on; what it came to then, it came to still.
    withdraw(&stage.participant, &"heart-rhythm".parse().unwrap()).unwrap();
    sync::sync(&stage.participant).await.unwrap();
    assert_eq!(replay(&["--expect", &state]).0, 1);
    let (status, said) = replay(&["--until", &size.to_string(), "--expect", &state]);
    assert_eq!(status, 0, "{said}");
    assert_ne!(written("after"), before);
    stage.biobank.kill();
    assert_eq!(replay(&[]).0, 4, "nobody is there");
}
