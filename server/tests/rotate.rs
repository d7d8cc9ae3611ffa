//! Another key for the log, or for the institution: what the command does, what a crash at each of its steps leaves, and what starts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod stage;

use identity::{Did, SigningKey};
use ledger::client::{LogClient, LogSource, audit, audit_until};
use ledger::event::Role;
use ledger::{Checkpoint, Key, Keys, Next, NoteKey, Record, Records as _, VerifierKey};
use reqwest::Method;
use serde_json::{Value, json};
use server::log::{Embedded, REKEY_POINTS, announce};
use server::{CAPABILITY_HEADER, Institution, Options, StartError, start};
use stage::{Biobank, answer, now, refused, text};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

const ORIGIN: &str = "biobank.example/log";
const CHANGE: &str = "log-key-change.v1+jws";

fn biobankd(arguments: &[&str]) -> (bool, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_biobankd")).args(arguments).output().unwrap();
    (run.status.success(), String::from_utf8([run.stdout, run.stderr].concat()).unwrap())
}

fn rotate(data: &Path, more: &[&str]) -> (bool, String) {
    biobankd(&[&["rotate", "--data", data.to_str().unwrap(), "log"], more].concat())
}

/// The same, of one of both keys, killed at a step.
fn cut_off(data: &Path, whose: &str, point: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_biobankd"))
        .args(["rotate", "--data", data.to_str().unwrap(), whose])
        .env("BIOBANKD_STOP_AT", point)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stopped = format!("stopped at {point}");
    let reached = BufReader::new(child.stderr.take().unwrap()).lines().any(|line| line.unwrap().contains(&stopped));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(reached, "{point}");
}

fn note_key(data: &Path, name: &str) -> NoteKey {
    let seed: [u8; 32] = std::fs::read(data.join(name)).unwrap().try_into().unwrap();
    NoteKey::new(ORIGIN, SigningKey::from_seed(seed)).unwrap()
}

fn vkey(data: &Path) -> VerifierKey {
    note_key(data, "log.key").verifier().clone()
}

fn published(data: &Path) -> String {
    std::fs::read_to_string(data.join("log/public/checkpoint")).unwrap()
}

/// A folder in which the service ran, with a consent in it.
async fn founded() -> Biobank {
    let mut biobank = Biobank::open().await;
    biobank.consenting(7).await;
    biobank.running.take().unwrap().close().await;
    biobank
}

async fn starts(data: &Path) -> Result<(), StartError> {
    let institution = Institution { name: "Example Biobank".into(), origin: ORIGIN.into() };
    let options = Options::new(data.to_owned(), ([127, 0, 0, 1], 0).into(), institution);
    start(options).await?.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_gets_another_key_and_says_how() {
    let mut biobank = Biobank::open().await;
    let (data, first) = (biobank.data(), biobank.vkey.clone());
    let (_, before) = biobank.get("/v1/log").await;
    // Nothing is said of keys as long as there is the first one.
    assert!(before.get("successions").is_none());
    let said = identity::verify_jws(text(&before["statement"])).unwrap().payload;
    assert!(!String::from_utf8(said).unwrap().contains("former"));
    let old_seed = std::fs::read(data.join("log.key")).unwrap();
    let (old, entry, _) = biobank.consenting(7).await;

    let mut told = String::new();
    biobank
        .restarted(|data| {
            let (done, said) = rotate(data, &[]);
            assert!(done, "{said}");
            told = said;
        })
        .await;
    let second = vkey(&data);
    assert_ne!(first, second);
    assert_eq!(told, format!("the log's key is {second}\nbefore it was {first}\n"));
    // The former key is kept away under its id, and nobody else can read it.
    let id = first.to_string().split('+').nth(1).unwrap().to_owned();
    let kept = data.join(format!("log.key.{id}"));
    assert_eq!(std::fs::read(&kept).unwrap(), old_seed);
    #[cfg(unix)]
    for file in [&kept, &data.join("log.key")] {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    assert!(!data.join("log.key.next").exists());

    let client = LogClient::new(&biobank.address).unwrap();
    assert!(client.checkpoint(&first).await.unwrap_err().is_other_key());
    let checkpoint = client.checkpoint(&second).await.unwrap();
    let info = client.log_info().await.unwrap();
    assert_eq!((&info.vkey, &info.did, info.successions.len()), (&second, &biobank.did, 1));
    let since = |log: &VerifierKey| Keys { log: log.clone(), institution: biobank.did.clone() };
    let changes = info.changes_since(&since(&first)).unwrap();
    let last = changes[0].included().checkpoint();
    assert!(Checkpoint::open(last.note(), &first).is_ok());
    assert_eq!(last.size, changes[0].included().index() + 1);
    client.check_consistency(last, &checkpoint).await.unwrap();
    let report = audit(&client, &second).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.kinds[CHANGE], 1);
    // It works on: the same entry has its place, and new ones get one.
    assert_eq!(biobank.append(entry.bytes()).await.0, 200);
    biobank.consenting(8).await;
    drop(old);

    // Yet another one; a copy of the folder that was begun before is continued.
    let copy = biobank.dir.path().join("copy");
    let paths = (data.to_str().unwrap().to_owned(), copy.to_str().unwrap().to_owned());
    let back_up = || biobankd(&["backup", "--data", &paths.0, "--to", &paths.1]);
    assert!(back_up().0);
    biobank.restarted(|data| assert!(rotate(data, &[]).0)).await;
    let (done, said) = back_up();
    assert!(done, "{said}");
    assert!(copy.join("successions.json").exists() && !copy.join("log.key").exists());
    let info = LogClient::new(&biobank.address).unwrap().log_info().await.unwrap();
    let since = |log: &VerifierKey| Keys { log: log.clone(), institution: biobank.did.clone() };
    assert_eq!(info.changes_since(&since(&first)).unwrap().len(), 2);
    assert_eq!(info.changes_since(&since(&second)).unwrap().len(), 1);
    biobank.running.take().unwrap().close().await;
    let (sound, said) = biobankd(&["check", "--data", &paths.0]);
    assert!(sound, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_cut_off_anywhere_is_finished_and_made_once() {
    let biobank = founded().await;
    let first = vkey(&biobank.data());
    for point in REKEY_POINTS {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("biobank");
        copy_all(&biobank.data(), &data);
        cut_off(&data, "log", point);

        // Before the log was told, and after all is done, the service starts; in between it says what to do.
        let started = starts(&data).await;
        if ["next-key-made", "next-key-placed"].contains(point) {
            started.unwrap();
        } else {
            assert!(matches!(started, Err(StartError::Unfinished("log"))), "{point}: {started:?}");
        }
        let (done, said) = rotate(&data, &[]);
        assert!(done, "{point}: {said}");
        assert_eq!(said.contains("nothing is left to do"), *point == "next-key-placed", "{point}: {said}");
        let again = rotate(&data, &[]);
        assert!(again.0 && again.1.contains("nothing is left to do"), "{point}: {again:?}");

        let second = vkey(&data);
        assert_ne!(first, second, "{point}");
        let public = LogSource::Folder(data.join("log/public"));
        let report = audit_until(&public, &second, None, |_, _| {}).await.unwrap();
        assert!(report.is_clean(), "{point}: {:?}", report.findings);
        assert_eq!(report.kinds[CHANGE], 1, "{point}");
        let Some(Record::Authority(authority)) = report.state.record(&Key::authority()) else { panic!("{point}") };
        assert_eq!(authority.vkey.as_ref(), Some(&second.to_string()), "{point}");
        let members = report.state.records().filter(
            |(_, record)| matches!(record, Record::Member(member) if member.role == Role::Institution && member.active),
        );
        assert_eq!(members.count(), 1);
        let told = server::succession::read(&data).unwrap();
        let trusted = Keys { log: first.clone(), institution: authority.key.clone() };
        let changes = ledger::follow(&trusted, &told);
        assert_eq!(changes.last().unwrap().next(), &Next::Log(second.clone()), "{point}");
        starts(&data).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_starts_under_a_key_that_the_log_does_not_name() {
    let biobank = founded().await;
    let data = biobank.data();
    let before = published(&data);
    // While others hold the log to its key, it stays.
    std::fs::write(data.join("federation.json"), "{}").unwrap();
    let (done, said) = rotate(&data, &[]);
    assert!(!done && said.contains("federation"), "{said}");
    std::fs::remove_file(data.join("federation.json")).unwrap();
    assert!(!data.join("log.key.next").exists());
    // No folder of a biobank, no log in it, and another institution's key.
    let nowhere = biobank.dir.path().join("nowhere");
    assert!(rotate(&nowhere, &[]).1.contains("start the service once"));
    assert!(!nowhere.exists());
    let own = std::fs::read(data.join("institution.key")).unwrap();
    std::fs::write(data.join("institution.key"), [77; 32]).unwrap();
    let (done, said) = rotate(&data, &[]);
    assert!(!done && said.contains("another institution"), "{said}");
    std::fs::write(data.join("institution.key"), own).unwrap();
    assert_eq!(published(&data), before);
    std::fs::remove_file(data.join("log.key.next")).unwrap();

    // The log names a key, and another one lies here: nothing is signed with that.
    let (log_key, institution) = (note_key(&data, "log.key"), std::fs::read(data.join("institution.key")).unwrap());
    let institution = SigningKey::from_seed(institution.try_into().unwrap());
    let next = NoteKey::new(ORIGIN, SigningKey::from_seed([88; 32])).unwrap();
    {
        let store = Embedded::open(&data.join("log"), log_key.verifier()).unwrap();
        announce(&store, &log_key, next.verifier(), &institution, now()).unwrap();
    }
    let named = next.verifier().to_string();
    assert!(matches!(starts(&data).await, Err(StartError::OtherLogKey(key)) if key == named));
    let (sound, said) = biobankd(&["check", "--data", data.to_str().unwrap()]);
    assert!(!sound && said.contains("names another key"), "{said}");
    let (done, said) = rotate(&data, &[]);
    assert!(!done && said.contains(&named), "{said}");
    // The key that the log names, brought back as the next one, finishes it.
    std::fs::write(data.join("log.key.next"), [88; 32]).unwrap();
    assert!(matches!(starts(&data).await, Err(StartError::Unfinished("log"))));
    assert!(rotate(&data, &[]).0);
    assert_eq!(vkey(&data).to_string(), named);
    starts(&data).await.unwrap();
    // The former key is done.
    let id = log_key.verifier().to_string().split('+').nth(1).unwrap().to_owned();
    std::fs::copy(data.join(format!("log.key.{id}")), data.join("log.key")).unwrap();
    assert!(matches!(starts(&data).await, Err(StartError::FormerLogKey)));
    // Also where somebody lost what is told of it.
    std::fs::remove_file(data.join("successions.json")).unwrap();
    assert!(matches!(starts(&data).await, Err(StartError::Log(_))));
    assert!(!rotate(&data, &[]).0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_change_in_a_row_is_made_only_if_it_is_meant() {
    let biobank = founded().await;
    let data = biobank.data();
    assert!(rotate(&data, &[]).0);
    let second = vkey(&data);
    assert!(rotate(&data, &[]).1.contains("nothing is left to do"));
    assert_eq!(vkey(&data), second);
    assert!(rotate(&data, &["--again"]).0);
    assert_ne!(vkey(&data), second);
    // While the service runs, it is told so.
    let institution = Institution { name: "Example Biobank".into(), origin: ORIGIN.into() };
    let options = Options::new(data.clone(), ([127, 0, 0, 1], 0).into(), institution);
    let running = start(options).await.unwrap();
    let (done, said) = rotate(&data, &["--again"]);
    assert!(!done && !data.join("log.key.next").exists(), "{said}");
    running.close().await;
}

fn rotate_institution(data: &Path) -> (bool, String) {
    biobankd(&["rotate", "--data", data.to_str().unwrap(), "institution"])
}

fn institution_key(data: &Path, name: &str) -> SigningKey {
    SigningKey::from_seed(std::fs::read(data.join(name)).unwrap().try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_institution_speaks_by_another_key_and_keeps_its_name() {
    let mut biobank = Biobank::open().await;
    let (data, founder) = (biobank.data(), biobank.did.clone());
    let researcher = biobank.researcher().await;
    let staff = biobank.staff().await;
    let (donor, _) = biobank.sharing(7).await;
    let wanted =
        json!({ "holder": donor.key().did(), "actions": ["listDonors"], "resource": "/v1/donors", "seconds": 60 });
    let (_, capability) = biobank.sends(&staff, "/v1/capabilities", &wanted).await;
    let (_, decided) = biobank.decision(&researcher, &donor.name(), &donor.purpose()).await;
    biobank
        .restarted(|data| {
            let (done, said) = rotate_institution(data);
            assert!(done, "{said}");
            assert_eq!(said, format!("the institution's key is {}\nbefore it was {founder}\n", speaker(data)));
            assert!(rotate_institution(data).1.contains("nothing is left to do"));
        })
        .await;
    let speaker = speaker(&data);
    assert_ne!(speaker, founder);
    assert_eq!(institution_key(&data, &format!("institution.key.{}", founder.fingerprint())).did(), founder);

    // It is known by the name that it was founded with, and says how it came to speak otherwise.
    let info = LogClient::new(&biobank.address).unwrap().log_info().await.unwrap();
    assert_eq!((&info.did, &info.vkey), (&founder, &biobank.vkey));
    let (keys, former) = (info.stated().unwrap().keys, info.stated().unwrap().former);
    assert_eq!((&keys.institution, &keys.log, former.len()), (&speaker, &biobank.vkey, 0));
    let trusted = Keys { log: biobank.vkey.clone(), institution: founder.clone() };
    assert_eq!(info.changes_since(&trusted).unwrap()[0].next(), &Next::Institution(speaker.clone()));
    assert_eq!(biobank.get("/v1/studies").await.1["signer"], json!(speaker));

    // What the former key signed opens nothing any more, and the new one signs it again.
    let grant = json!({ "decision": decided["decision"], "purpose": donor.purpose() });
    assert_eq!(refused(&biobank.sends(&researcher, "/v1/access-grants", &grant).await).0, 403);
    let shown = text(&capability["capability"]);
    let request = biobank.request(&donor.key(), Method::GET, "/v1/donors", &Value::Null);
    let shown = answer(request.header(CAPABILITY_HEADER, shown)).await;
    assert_eq!(refused(&shown), (401, "bad-capability"));
    assert_eq!(biobank.granted(&researcher, &donor.name(), &donor.purpose()).await.0, 200);
    let (status, account) = biobank.asks(&researcher, "/v1/account").await;
    let word = identity::verify_jws(text(&account["account"])).unwrap();
    assert_eq!((status, word.signer), (200, speaker.clone()));
    assert_eq!(refused(&biobank.asks(&donor.pairwise, "/v1/account").await).0, 403, "donors have none");
    // Who comes now is enrolled under the same name.
    let (newcomer, ..) = biobank.consenting(8).await;
    assert_eq!(newcomer.biobank, founder);

    // Then the log's key, and the institution's again: one way leads through all of it.
    biobank
        .restarted(|data| {
            assert!(rotate(data, &[]).0);
            assert!(rotate_institution(data).0);
        })
        .await;
    let client = LogClient::new(&biobank.address).unwrap();
    let info = client.log_info().await.unwrap();
    let stated = info.stated().unwrap();
    assert_eq!((info.did.clone(), info.successions.len(), stated.former.len()), (founder, 3, 1));
    assert_eq!(info.changes_since(&trusted).unwrap().len(), 3);
    let report = audit(&client, &stated.keys.log).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.kinds["institution-key.v1+jws"], report.kinds[CHANGE]), (2, 1));
    biobank.close().await;
    let copy = biobank.dir.path().join("copy");
    let (done, said) =
        biobankd(&["backup", "--data", data.to_str().unwrap(), "--to", copy.to_str().unwrap(), "--with-keys"]);
    assert!(done && copy.join("institution.key").exists(), "{said}");
    let (sound, said) = biobankd(&["check", "--data", data.to_str().unwrap()]);
    assert!(sound, "{said}");
}

fn speaker(data: &Path) -> Did {
    institution_key(data, "institution.key").did()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_institutions_key_is_finished_from_any_step_and_made_once() {
    let biobank = founded().await;
    let founder = speaker(&biobank.data());
    for point in REKEY_POINTS.iter().filter(|point| **point != "signed-again") {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("biobank");
        copy_all(&biobank.data(), &data);
        cut_off(&data, "institution", point);
        let started = starts(&data).await;
        if ["next-key-made", "next-key-placed"].contains(point) {
            started.unwrap();
        } else {
            assert!(matches!(started, Err(StartError::Unfinished("institution"))), "{point}: {started:?}");
        }
        assert!(rotate_institution(&data).0, "{point}");
        let again = rotate_institution(&data);
        assert!(again.0 && again.1.contains("nothing is left to do"), "{point}: {again:?}");
        let told = server::succession::read(&data).unwrap();
        assert_eq!((told.len(), server::succession::founder(&told)), (1, Some(founder.clone())), "{point}");
        let trusted = Keys { log: vkey(&data), institution: founder.clone() };
        assert_eq!(ledger::follow(&trusted, &told)[0].next(), &Next::Institution(speaker(&data)), "{point}");
        starts(&data).await.unwrap();
        // The former key, or a folder that does not know what it was called, speaks for nobody.
        let kept = data.join(format!("institution.key.{}", founder.fingerprint()));
        let own = std::fs::read(data.join("institution.key")).unwrap();
        std::fs::copy(kept, data.join("institution.key")).unwrap();
        assert!(matches!(starts(&data).await, Err(StartError::OtherInstitution)), "{point}");
        std::fs::write(data.join("institution.key"), own).unwrap();
        std::fs::remove_file(data.join("successions.json")).unwrap();
        assert!(
            matches!(starts(&data).await, Err(StartError::Successions(name)) if name == founder.as_str()),
            "{point}"
        );
    }
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
