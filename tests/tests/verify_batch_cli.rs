//! `consentctl verify-batch` as pipelines use it: many lines, one verdict each, in order, and a place to go on.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may the functions beside it")]

mod stage;

use consent::{DataKind, Notice, Permission, Policy, Preferences, Terms};
use identity::{ConsentClaims, SigningKey, issue_consent};
use proof::{program, withdraw};
use serde_json::{Value, json};
use stage::Stage;
use std::path::Path;
use std::process::{Command, Output};
use wallet::sync;

async fn consents(count: u8) -> Vec<Value> {
    let mut all = Vec::new();
    for seed in 1..=count {
        let key = SigningKey::from_seed([seed; 32]);
        let claims = ConsentClaims {
            subject: key.did(),
            biobank: SigningKey::from_seed([200; 32]).did(),
            study: "heart-2026".parse().unwrap(),
            version: 1,
            recipient: "https://ror.org/02n0bts35".to_owned(),
            notice: Notice {
                uri: "urn:consent-wallet:study:heart-2026".to_owned(),
                version: 1,
                sha256: "00".repeat(32),
                language: "en".to_owned(),
            },
            policy: Policy {
                permissions: vec![Permission::Hmb],
                data: Some(vec![DataKind::Genome]),
                ..Policy::default()
            },
            preferences: Preferences::default(),
            terms: Terms::default(),
            supersedes: None,
        };
        let credential = issue_consent(&key, &claims, "2026-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
        all.push(credential.value().clone());
    }
    all
}

fn run(file: &Path, arguments: &[&str]) -> (Output, Vec<String>) {
    let mut command = Command::new(program("CONSENTCTL", "consentctl"));
    let output = command.arg("verify-batch").arg(file).args(arguments).output().unwrap();
    let lines = String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect();
    (output, lines)
}

fn write(folder: &Path, lines: &[String]) -> std::path::PathBuf {
    let file = folder.join("consents.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    file
}

#[tokio::test]
async fn each_line_has_its_verdict_and_the_order_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let good = consents(40).await;
    let mut lines: Vec<String> = good.iter().map(Value::to_string).collect();
    let (output, said) = run(&write(folder.path(), &lines), &["--threads", "3"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let expected: Vec<_> = (1..=40).map(|number| format!("{number} valid")).collect();
    assert_eq!(said, expected);

    // Each of these is found among the others, and the others stay valid.
    let mut changed = good[4].clone();
    changed["credentialSubject"]["study"] = json!("lung-2026");
    lines[4] = changed.to_string();
    lines[6] = "no JSON".to_owned();
    lines[8] = String::new();
    lines[10] = "x".repeat((1 << 20) + 1);
    let mut spoofed = good[12].clone();
    spoofed["issuer"] = good[13]["issuer"].clone();
    lines[12] = spoofed.to_string();
    lines[14] = json!({ "format": "consent-proof.v1", "presentation": {}, "entry": "", "receipt": "" }).to_string();
    let file = write(folder.path(), &lines);
    let (output, said) = run(&file, &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(said.len(), 39, "an empty line is passed over");
    let rows: Vec<Value> = said.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    for row in &rows {
        let number = row["line"].as_u64().unwrap();
        let (verdict, failed) = match number {
            5 => ("not valid", json!(["signature"])),
            7 => ("not valid", json!(["json"])),
            11 => ("not valid", json!(["size"])),
            13 => ("not valid", json!(["signer-is-issuer"])),
            15 => ("not valid", row["failed"].clone()),
            _ => ("valid", json!([])),
        };
        assert_eq!((&row["verdict"], &row["failed"]), (&json!(verdict), &failed), "{row}");
    }
    assert_eq!(rows[13]["kind"], "proof");
    assert!(rows.windows(2).all(|pair| pair[0]["line"].as_u64() < pair[1]["line"].as_u64()));

    let (output, said) = run(&file, &["--resume", "39"]);
    assert_eq!((output.status.code(), said), (Some(0), vec!["39 valid".to_owned(), "40 valid".to_owned()]));
}

#[test]
fn a_file_that_is_not_there_and_wrong_arguments_are_no_verdict() {
    let (output, said) = run(Path::new("/nowhere/at/all"), &[]);
    assert_eq!((output.status.code(), said.len()), (Some(2), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere/at/all"));
    let (output, _) = run(Path::new("/dev/null"), &["--threads", "0"]);
    assert_eq!(output.status.code(), Some(2));
}

/// What Ctrl-C is to a terminal: the answers so far are whole, and the last word says where to go on.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_interrupt_says_where_to_go_on() {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::Stdio;
    let line = format!("{}\n", consents(1).await[0]);
    let mut command = Command::new(program("CONSENTCTL", "consentctl"));
    command.args(["verify-batch", "-", "--threads", "1"]);
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (running.stdin.take().unwrap(), BufReader::new(running.stdout.take().unwrap()));
    input.write_all(line.as_bytes()).unwrap();
    let mut said = String::new();
    output.read_line(&mut said).unwrap();
    assert_eq!(said, "1 valid\n");
    let interrupt = Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    // It waits for input at this moment: what comes is still answered, and nothing after it. What can no longer be
    // written is no failure of this test.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let _ = input.write_all(line.as_bytes());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "2 valid\n");
    let mut aside = String::new();
    running.stderr.take().unwrap().read_to_string(&mut aside).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(130));
    assert!(aside.contains("--resume 3"), "{aside}");
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_are_held_against_the_record_which_is_read_once() {
    let stage = Stage::set().await;
    let (address, cache) = (stage.biobank.address(), stage.root.path().join("cache"));
    let purpose = stage.root.path().join("purpose.json");
    std::fs::write(&purpose, serde_json::to_vec(&stage.purpose).unwrap()).unwrap();
    let proof: Value = serde_json::from_slice(&std::fs::read(&stage.proof).unwrap()).unwrap();
    let mut other = proof.clone();
    other["receipt"] = json!("c2sp.org/tlog-proof@v1");
    let bent = proof.to_string().replace("2028-12-31", "2038-12-31");
    let lines = [proof.to_string(), bent, other.to_string(), consents(1).await[0].to_string()];
    let file = write(stage.root.path(), &lines);
    let against = |more: &[&str]| {
        let all = ["--ledger", &address, "--purpose", purpose.to_str().unwrap(), "--cache", cache.to_str().unwrap()];
        run(&file, &[&all[..], more].concat())
    };
    let (output, said) = against(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said[0], "1 permit");
    assert!(said[1].starts_with("2 not valid: ") && said[1].contains("signature"), "{said:?}");
    assert_eq!((said[2].as_str(), said[3].as_str()), ("3 not valid: ledger-entry", "4 valid"));
    let (_, said) = against(&["--study", "sleep-memory"]);
    assert_eq!(said[0], "1 not valid: holder");
    // What was taken back is no yes any more, although its proof is as good as before.
    withdraw(&stage.participant, &"heart-rhythm".parse().unwrap()).unwrap();
    sync::sync(&stage.participant).await.unwrap();
    assert_eq!(against(&[]).1[0], "1 deny");
    // Nobody answers without the record, and without a ledger the answer says no more than it knows.
    let (output, said) = run(&file, &["--ledger", "http://127.0.0.1:9"]);
    assert_eq!((output.status.code(), said.len()), (Some(4), 0));
    assert_eq!(run(&file, &[]).1[0], "1 valid");
}
