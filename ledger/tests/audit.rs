//! Whole logs read again: from servers and folders, sound and not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]
#![cfg(feature = "client")]

mod common;

use common::server::{Manner, Server};
use common::{MemoryLog, grant, note_key};
use identity::SigningKey;
use ledger::client::{ClientError, Finding, LogInfo, LogSource, Mirror, audit, audit_from, audit_until};
use ledger::{BundleId, Frontier, State, TileId};

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
    // Whether a beginning was pruned or lost can not be told apart; a hole in the middle was not pruned.
    std::fs::remove_file(&path).unwrap();
    let read = async || audit_until(&folder.0, key.verifier(), None, |_, _| {}).await;
    assert!(matches!(read().await, Err(ClientError::Pruned(256))));
    std::fs::write(&path, &log.files["tile/entries/000"]).unwrap();
    std::fs::remove_file(folder.1.path().join("tile/entries/003")).unwrap();
    assert!(matches!(read().await, Err(ClientError::NotFound)));
}

/// The same log after everything was pruned that may be, with its entries before `minimum`.
fn pruned(log: &MemoryLog, minimum: u64) -> MemoryLog {
    let mut log = log.clone();
    log.files.retain(|path, _| {
        let bundle = BundleId::parse(path).is_ok_and(|id| id.is_pruned(minimum));
        !bundle && !TileId::parse(path).is_ok_and(|id| id.is_pruned(minimum))
    });
    log
}

#[tokio::test]
async fn what_is_left_of_a_pruned_log_is_checked_and_called_no_more_than_that() {
    let key = note_key();
    let entries: Vec<_> = (0..1_000).map(|number| grant(1, number).bytes().to_vec()).collect();
    let whole = MemoryLog::of(entries.clone());
    let log = pruned(&whole, 512);
    assert!(!log.files.contains_key("tile/entries/001") && log.files.contains_key("tile/entries/002"));
    let (folder, server) = (folder_of(&log), Server::start(log.clone(), Manner::Honest));
    let sources = [LogSource::Folder(folder.path().into()), LogSource::open(&server.address).unwrap()];
    for source in &sources {
        // It can not be read from the beginning, and says from where on it can.
        for until in [None, Some(300), Some(600)] {
            let read = audit_until(source, key.verifier(), until, |_, _| {}).await;
            assert!(matches!(read, Err(ClientError::Pruned(512))), "{read:?}");
        }
        let from = async |first| audit_from(source, key.verifier(), first, |_, _| {}).await;
        assert!(matches!(from(256).await, Err(ClientError::Pruned(512))));
        assert!(matches!(from(1_024).await, Err(ClientError::TooShort)));
        let mut told = Vec::new();
        let rest = audit_from(source, key.verifier(), 600, |done, of| told.push((done, of))).await.unwrap();
        assert!(rest.is_clean(), "{:?}", rest.findings);
        assert_eq!((rest.from, rest.root, told), (512, log.checkpoint().root, vec![(1_000, 1_000)]));
        assert_eq!(rest.kinds, [("consent-grant.v1+jws", 488)].into());
        // From further on, also in the last bundle: fewer of them, the same root.
        let last = from(999).await.unwrap();
        assert_eq!((last.from, last.root, last.is_clean(), last.kinds.values().sum()), (768, rest.root, true, 232_u64));
    }
    // What was changed is found: an entry, a tile, and what stands for the entries before.
    let audit = async |change: &dyn Fn(&mut MemoryLog)| {
        let mut log = log.clone();
        change(&mut log);
        server.show(log);
        audit_from(&sources[1], key.verifier(), 512, |_, _| {}).await.unwrap().findings
    };
    let bent = |path: &'static str, at: usize| move |log: &mut MemoryLog| log.files.get_mut(path).unwrap()[at] ^= 1;
    let found = audit(&bent("tile/entries/002", 400)).await;
    assert!(found.iter().any(|f| matches!(f, Finding::Unreadable(512, _))) && found.contains(&Finding::Root));
    assert!(matches!(audit(&bent("tile/0/002", 7)).await[..], [Finding::Tile(_)]));
    assert!(audit(&bent("tile/1/000.p/3", 7)).await.contains(&Finding::Root));
    // A log of which nothing is left to read but its end.
    server.show(pruned(&MemoryLog::of(entries[..768].to_vec()), 768));
    let none = audit_from(&sources[1], key.verifier(), 768, |_, _| {}).await.unwrap();
    assert_eq!((none.is_clean(), none.kinds.len()), (true, 0));
    assert!(matches!(audit_until(&sources[1], key.verifier(), None, |_, _| {}).await, Err(ClientError::NotFound)));

    // A copy that was begun before goes on; one that is too old, or new, is told why it can not.
    let dir = tempfile::tempdir().unwrap();
    let mut old = tempfile::tempdir().unwrap();
    for (copy, size) in [(&dir, 600), (&old, 300)] {
        server.show(MemoryLog::of(entries[..size].to_vec()));
        Mirror::open(copy.path(), key.verifier()).unwrap().sync(&server.client()).await.unwrap();
    }
    server.show(log);
    let mut mirror = Mirror::open(dir.path(), key.verifier()).unwrap();
    assert_eq!(mirror.sync(&server.client()).await.unwrap().to, 1_000);
    assert_eq!(mirror.state().subjects().count(), 1_000);
    for size in [300, 0] {
        let mut mirror = Mirror::open(old.path(), key.verifier()).unwrap();
        let told = mirror.sync(&server.client()).await.unwrap_err();
        assert!(matches!(told, ClientError::Pruned(512)) && told.to_string().contains("from number 512 on"), "{told}");
        assert_eq!(mirror.size(), size, "it stays as it was");
        old = tempfile::tempdir().unwrap();
    }
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
    assert_eq!(info(say(&institution, typ, &origin, &right)).stated().unwrap().keys.log, vkey);
    let other = ledger::NoteKey::new(common::ORIGIN, SigningKey::from_seed([6; 32])).unwrap().verifier().to_string();
    for statement in [
        String::new(),
        say(&SigningKey::from_seed([11; 32]), typ, &origin, &right),
        say(&institution, "account.v1+jws", &origin, &right),
        say(&institution, typ, "other.example/log", &right),
        say(&institution, typ, &origin, &other),
        identity::sign_jws(&institution, typ, b"{}"),
    ] {
        assert!(matches!(info(statement.clone()).stated(), Err(ClientError::Statement)), "{statement}");
    }
}
