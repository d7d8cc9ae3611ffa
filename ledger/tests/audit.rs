//! Whole logs read again: from servers and folders, sound and not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]
#![cfg(feature = "client")]

mod common;

use common::server::{Manner, Server};
use common::{MemoryLog, grant, note_key};
use identity::SigningKey;
use ledger::client::{ClientError, Finding, LogInfo, LogSource, audit, audit_until};
use ledger::{Frontier, State};

/// The files of a log, as a backup or another web server would hold them.
fn folder_of(log: &MemoryLog) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, bytes) in &log.files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    dir
}

#[tokio::test]
async fn a_folder_and_a_server_are_read_alike_and_up_to_any_size() {
    // More than are fetched at once, so that the seams are tried as well.
    let entries: Vec<_> = (0..4_400).map(|number| grant(1, number)).collect();
    let log = MemoryLog::of(entries.iter().map(|entry| entry.bytes().to_vec()).collect());
    let key = note_key();
    let (folder, server) = (folder_of(&log), Server::start(log.clone(), Manner::Honest));
    let folder = LogSource::open(folder.path().to_str().unwrap()).map(|source| (source, folder)).unwrap();
    assert!(matches!(LogSource::open(&server.address), Ok(LogSource::Http(_))));
    let mut told = Vec::new();
    let whole = audit_until(&folder.0, key.verifier(), None, |done, of| told.push((done, of))).await.unwrap();
    assert!(whole.is_clean(), "{:?}", whole.findings);
    assert_eq!((whole.size, whole.root, told.len()), (4_400, log.checkpoint().root, 2));
    assert_eq!(audit(&server.client(), key.verifier()).await.unwrap(), whole);
    let (mut state, mut tree, mut sizes) = (State::new(), Frontier::new(), vec![0, 300, 4_097]);
    for index in 0..4_400 {
        if sizes.first() == Some(&index) {
            sizes.remove(0);
            let report = audit_until(&folder.0, key.verifier(), Some(index), |_, _| {}).await.unwrap();
            assert!(report.is_clean(), "{index}: {:?}", report.findings);
            assert_eq!((report.size, report.state.hash(), report.root), (index, state.hash(), tree.root()));
            assert_eq!(report.kinds.values().sum::<u64>(), index);
        }
        let entry = &entries[usize::try_from(index).unwrap()];
        state.apply(index, entry).unwrap();
        tree.push(entry.hash().leaf());
    }
    assert_eq!((whole.state.hash(), sizes.len()), (state.hash(), 0));
    let beyond = audit_until(&folder.0, key.verifier(), Some(4_401), |_, _| {}).await;
    assert!(matches!(beyond, Err(ClientError::TooShort)));
    // A beginning that is not the one that was signed.
    let path = folder.1.path().join("tile/entries/000");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let report = audit_until(&folder.0, key.verifier(), Some(1_000), |_, _| {}).await.unwrap();
    assert!(report.findings.contains(&Finding::Root), "{:?}", report.findings);
    // What is not there, or too much of it.
    std::fs::write(&path, vec![0; 2_000_000]).unwrap();
    assert!(matches!(audit_until(&folder.0, key.verifier(), None, |_, _| {}).await, Err(ClientError::TooLarge)));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(audit_until(&folder.0, key.verifier(), None, |_, _| {}).await, Err(ClientError::NotFound)));
}

#[tokio::test]
async fn an_audit_compares_anchors_with_the_tree() {
    use common::world::{INSTITUTION, World, anchor};
    use ledger::event::InstitutionEvent;
    let (mut world, key) = (World::new(), note_key());
    let bytes = |world: &World| world.log.iter().map(|entry| entry.bytes().to_vec()).collect::<Vec<_>>();
    let kept = MemoryLog::of(bytes(&world)[..5].to_vec()).checkpoint().root;
    let InstitutionEvent::Anchor(mut said) = anchor(5) else { panic!() };
    said.root = kept;
    world.must(INSTITUTION, InstitutionEvent::Anchor(said));
    let sound = folder_of(&MemoryLog::of(bytes(&world)));
    let source = LogSource::Folder(sound.path().into());
    let report = audit_until(&source, key.verifier(), None, |_, _| {}).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.state, world.state);
    assert_eq!(report.kinds["member.v1+jws"], 9);
    // A checkpoint that this log never had.
    let index = world.next;
    world.must(INSTITUTION, anchor(7));
    let forged = folder_of(&MemoryLog::of(bytes(&world)));
    let source = LogSource::Folder(forged.path().into());
    let report = audit_until(&source, key.verifier(), None, |_, _| {}).await.unwrap();
    assert_eq!((report.findings, report.finding_count), (vec![Finding::Anchor(index)], 1));
}

#[test]
fn the_key_of_a_log_counts_only_under_the_signature_of_its_institution() {
    let institution = SigningKey::from_seed([10; 32]);
    let (origin, vkey) = (common::ORIGIN.to_owned(), note_key().verifier().clone());
    let say = |key: &SigningKey, typ: &str, origin: &str, vkey: &str| {
        let payload = format!(r#"{{"origin":"{origin}","vkey":"{vkey}"}}"#);
        identity::sign_jws(key, typ, payload.as_bytes())
    };
    let info = |statement: String| LogInfo {
        origin: origin.clone(),
        vkey: vkey.clone(),
        did: institution.did(),
        name: "Biobank".into(),
        statement,
        successions: Vec::new(),
    };
    let (typ, right) = ("log-key.v1+jws", vkey.to_string());
    assert_eq!(info(say(&institution, typ, &origin, &right)).stated_key().unwrap(), &vkey);
    let other = ledger::NoteKey::new(common::ORIGIN, SigningKey::from_seed([6; 32])).unwrap().verifier().to_string();
    for statement in [
        String::new(),
        say(&SigningKey::from_seed([11; 32]), typ, &origin, &right),
        say(&institution, "account.v1+jws", &origin, &right),
        say(&institution, typ, "other.example/log", &right),
        say(&institution, typ, &origin, &other),
        identity::sign_jws(&institution, typ, b"{}"),
    ] {
        assert!(matches!(info(statement.clone()).stated_key(), Err(ClientError::Statement)), "{statement}");
    }
}
