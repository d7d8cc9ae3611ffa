//! The reader against servers that are honest, that lie, and that do not behave.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]
#![cfg(feature = "client")]

mod common;

use common::server::{ENTRIES, Manner, Server, log_of};
use common::{MemoryLog, every_kind, grant, hash, note_key, sign, suspend, withdraw};
use consent::ConsentState;
use ledger::client::{ClientError, Finding, LogClient, Mirror, audit};
use ledger::{Act, CHANGE_TYPE, GRANT_TYPE, Hash, RESUME_TYPE, Rejected, SUSPEND_TYPE, TileId, WITHDRAW_TYPE};
use std::time::{Duration, Instant};

#[test]
fn addresses_that_are_not_safe_are_refused() {
    for good in [
        "https://biobank.example",
        "https://biobank.example/log/",
        "http://127.0.0.1:8480",
        "http://[::1]:1/",
        "http://localhost:2",
    ] {
        assert!(LogClient::new(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "biobank.example",
        "http://biobank.example",
        "http://10.0.0.1",
        "http://localhost.example",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "https://user@biobank.example",
        "https://biobank.example/?a",
        "https://biobank.example/#a",
        "http://127.0.0.1.example",
        "http://0.0.0.0",
    ] {
        assert!(matches!(LogClient::new(bad), Err(ClientError::Address)), "{bad}");
    }
    assert_eq!(LogClient::new("https://b.example/log").unwrap().base().as_str(), "https://b.example/log/");
}

#[tokio::test]
async fn servers_that_do_not_behave_are_left() {
    let key = note_key();
    let ask = async |manner| {
        let start = Instant::now();
        let answer = Server::start(log_of(3), manner).client().checkpoint(key.verifier()).await;
        assert!(start.elapsed() < Duration::from_secs(5));
        answer
    };
    assert_eq!(ask(Manner::Honest).await.unwrap().size, 3);
    assert!(matches!(ask(Manner::Endless).await, Err(ClientError::TooLarge)));
    assert!(matches!(ask(Manner::Silent).await, Err(ClientError::TimedOut)));
    assert!(matches!(ask(Manner::Dripping).await, Err(ClientError::TimedOut)));
    assert!(matches!(ask(Manner::Redirecting).await, Err(ClientError::Status(302))));
    let nobody = LogClient::new("http://127.0.0.1:1").unwrap();
    assert!(matches!(nobody.checkpoint(key.verifier()).await, Err(ClientError::Unreachable(_))));
}

#[tokio::test]
async fn a_log_that_claims_too_much_is_refused_before_anything_is_downloaded() {
    let mut log = log_of(1);
    log.entries = vec![Vec::new(); 10_001];
    let note = log.sign(Hash::from_bytes([1; 32])).note().to_owned();
    log.files.insert("checkpoint".into(), note.into_bytes());
    let server = Server::start(log, Manner::Honest);
    let dir = tempfile::tempdir().unwrap();
    let key = note_key();
    let mut mirror = Mirror::open(dir.path(), key.verifier()).unwrap();
    assert!(matches!(mirror.sync(&server.client()).await, Err(ClientError::TooLong)));
    assert_eq!(server.asked(), ["checkpoint"]);
}

#[tokio::test]
async fn consistency_and_inclusion_come_from_tiles() {
    let server = Server::start(log_of(600), Manner::Honest);
    let (client, new) = (server.client(), log_of(600).checkpoint());
    for old in [0, 1, 2, 7, 255, 256, 257, 512, 599, 600] {
        client.check_consistency(&log_of(old).checkpoint(), &new).await.unwrap();
    }
    for index in [0, 255, 256, 511, 512, 599] {
        let hash = ledger::EntryHash::of(&ENTRIES[index]);
        client.check_inclusion(hash, index as u64, &new).await.unwrap();
        assert!(client.check_inclusion(hash, (index as u64 + 1) % 600, &new).await.is_err());
    }
    // Nothing but tiles was asked for.
    assert!(server.asked().iter().all(|path| path.starts_with("tile/") && !path.starts_with("tile/entries")));
    assert!(matches!(client.check_consistency(&new, &log_of(9).checkpoint()).await, Err(ClientError::Shrunk { .. })));
    let mut other = ENTRIES[..300].to_vec();
    other.swap(3, 4);
    let other = MemoryLog::of(other).checkpoint();
    assert!(matches!(client.check_consistency(&other, &new).await, Err(ClientError::Forked { .. })));
    // A perfect tree is a node itself: the other way through the arithmetic.
    let mut other = ENTRIES[..256].to_vec();
    other.swap(3, 4);
    let other = MemoryLog::of(other).checkpoint();
    assert!(matches!(client.check_consistency(&other, &new).await, Err(ClientError::Forked { .. })));
    // With false tiles nothing can be said about the log's past.
    let mut log = log_of(600);
    log.files.get_mut("tile/1/000.p/2").unwrap()[5] ^= 1;
    server.show(log);
    let old = log_of(300).checkpoint();
    assert!(matches!(client.check_consistency(&old, &new).await, Err(ClientError::BadTiles)));
}

#[tokio::test]
async fn a_mirror_follows_a_log_and_survives_being_closed() {
    let server = Server::start(log_of(0), Manner::Honest);
    let (dir, key) = (tempfile::tempdir().unwrap(), note_key());
    for size in [0, 1, 3, 255, 256, 300, 300, 513, 600] {
        server.show(log_of(size));
        let mut mirror = Mirror::open(dir.path(), key.verifier()).unwrap();
        let before = mirror.size();
        let report = mirror.sync(&server.client()).await.unwrap();
        assert_eq!((report.from, report.to), (before, size as u64));
        assert_eq!(mirror.state().subjects().count(), size);
        if size > 0 {
            assert_eq!(mirror.entry(size as u64 - 1).unwrap().as_ref(), ENTRIES.get(size - 1));
        }
        assert_eq!(mirror.entry(size as u64).unwrap(), None);
        assert_eq!(mirror.refused(), 0);
    }
    // What is held is not fetched again.
    server.asked();
    let mut mirror = Mirror::open(dir.path(), key.verifier()).unwrap();
    mirror.sync(&server.client()).await.unwrap();
    assert_eq!(server.asked(), ["checkpoint"]);
}

#[tokio::test]
async fn a_mirror_refuses_a_log_that_shrinks_or_forks_and_stays_as_it_was() {
    let (dir, key) = (tempfile::tempdir().unwrap(), note_key());
    let server = Server::start(log_of(300), Manner::Honest);
    let mut mirror = Mirror::open(dir.path(), key.verifier()).unwrap();
    mirror.sync(&server.client()).await.unwrap();
    let digest = mirror.state_hash();

    server.show(log_of(299));
    assert!(matches!(mirror.sync(&server.client()).await, Err(ClientError::Shrunk { .. })));

    for (change, size) in [(3, 300), (3, 600), (290, 301), (290, 600), (260, 512)] {
        let mut entries = ENTRIES[..size].to_vec();
        entries[change] = withdraw(1, &grant(1, 0)).bytes().to_vec();
        let forked = MemoryLog::of(entries);
        server.show(forked.clone());
        match mirror.sync(&server.client()).await {
            Err(ClientError::Forked { held, offered }) => {
                assert_eq!(*held, log_of(300).checkpoint());
                assert_eq!(*offered, forked.checkpoint());
            }
            other => panic!("{change} of {size}: {other:?}"),
        }
    }

    // Wrong entries under a right checkpoint are no fork.
    let mut log = log_of(600);
    let bundle = log.files.get_mut("tile/entries/001").unwrap();
    let last = bundle.len() - 1;
    bundle[last] ^= 1;
    server.show(log);
    assert!(matches!(mirror.sync(&server.client()).await, Err(ClientError::BadEntries)));

    assert_eq!((mirror.size(), mirror.state_hash()), (300, digest));
    let mut mirror = Mirror::open(dir.path(), key.verifier()).unwrap();
    assert_eq!((mirror.size(), mirror.state_hash()), (300, digest));
    server.show(log_of(600));
    mirror.sync(&server.client()).await.unwrap();
    assert_eq!(mirror.size(), 600);
}

#[tokio::test]
async fn a_mirror_notices_that_its_folder_was_changed_and_ignores_the_rest_of_a_cut_off_sync() {
    let (dir, key) = (tempfile::tempdir().unwrap(), note_key());
    let server = Server::start(log_of(300), Manner::Honest);
    Mirror::open(dir.path(), key.verifier()).unwrap().sync(&server.client()).await.unwrap();
    // The rest of a sync that was cut off before its checkpoint.
    let log = log_of(600);
    for (path, bytes) in log.files.iter().filter(|(path, _)| path.starts_with("tile/entries/")) {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::write(dir.path().join("checkpoint.tmp"), "half a checkp").unwrap();
    assert_eq!(Mirror::open(dir.path(), key.verifier()).unwrap().size(), 300);
    // The partial bundle is gone, but the full one holds its beginning.
    std::fs::remove_dir_all(dir.path().join("tile/entries/001.p")).unwrap();
    assert_eq!(Mirror::open(dir.path(), key.verifier()).unwrap().size(), 300);
    let bundle = dir.path().join("tile/entries/000");
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&bundle, &bytes).unwrap();
    assert!(matches!(Mirror::open(dir.path(), key.verifier()), Err(ClientError::Damaged)));
    std::fs::write(&bundle, &bytes[..1000]).unwrap();
    assert!(matches!(Mirror::open(dir.path(), key.verifier()), Err(ClientError::Damaged)));
}

#[tokio::test]
async fn a_mirror_checks_each_signature_once() {
    let (dir, key) = (tempfile::tempdir().unwrap(), note_key());
    let mut entries = ENTRIES[..300].to_vec();
    // A signature that is false, a text that is none, and an entry that the rules refuse.
    let last = entries[7].len() - 5;
    entries[7][last] = if entries[7][last] == b'A' { b'B' } else { b'A' };
    entries[8] = b"not an entry".to_vec();
    entries[290] = entries[5].clone();
    let server = Server::start(MemoryLog::of(entries[..290].to_vec()), Manner::Honest);
    let mut mirror = Mirror::open(dir.path(), key.verifier()).unwrap();
    mirror.sync(&server.client()).await.unwrap();
    server.show(MemoryLog::of(entries));
    mirror.sync(&server.client()).await.unwrap();
    let (state, open) = (mirror.state_hash(), || Mirror::open(dir.path(), key.verifier()).unwrap());
    assert_eq!((mirror.refused(), mirror.size()), (3, 300));
    let file = dir.path().join("checked.json");
    let checked = std::fs::read_to_string(&file).unwrap();
    assert!(checked.contains("[7,8]") && checked.contains("300"), "{checked}");
    assert_eq!((open().refused(), open().state_hash()), (3, state));
    // What was found once is believed for the same entries ...
    std::fs::write(&file, checked.replace("[7,8]", "[8]")).unwrap();
    assert_eq!(open().refused(), 2);
    // ... and for no others: then, or without it, everything is checked again, and noted.
    let root = mirror.checkpoint().unwrap().root.to_string();
    let fewer = checked.replace("[7,8]", "[8]");
    let other = fewer.replace(&root, &"00".repeat(32));
    let size = |size: &str| fewer.replace("\"size\":300", size);
    for wrong in ["", "{}", &other, &size("\"size\":299"), &size("\"size\":301"), &size("\"size\":-1")] {
        std::fs::write(&file, wrong).unwrap();
        assert_eq!((open().refused(), open().state_hash()), (3, state), "{wrong}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), checked);
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!((open().refused(), open().state_hash()), (3, state));
    // A copy that was cut off between checkpoint and note goes on from the note.
    let half = MemoryLog::of(ENTRIES[..260].to_vec());
    let begun = tempfile::tempdir().unwrap();
    server.show(half);
    Mirror::open(begun.path(), key.verifier()).unwrap().sync(&server.client()).await.unwrap();
    let note = std::fs::read(begun.path().join("checked.json")).unwrap();
    server.show(log_of(600));
    Mirror::open(begun.path(), key.verifier()).unwrap().sync(&server.client()).await.unwrap();
    std::fs::write(begun.path().join("checked.json"), note).unwrap();
    assert_eq!(Mirror::open(begun.path(), key.verifier()).unwrap().state().subjects().count(), 600);
}

#[tokio::test]
async fn an_audit_finds_what_is_wrong() {
    let key = note_key();
    let first = grant(1, 0);
    let mut entries = ENTRIES[..300].to_vec();
    entries.push(withdraw(1, &first).bytes().to_vec());
    // A life with an entry of every kind, and a consent that is paused until Christmas.
    entries.extend(every_kind().map(|entry| entry.bytes().to_vec()));
    let second = grant(1, 1);
    let pause = sign(1, second.event().subject, Some(second.hash()), "2026-11-23T12:00:00Z", suspend("2026-12-24"));
    entries.push(pause.bytes().to_vec());
    let server = Server::start(MemoryLog::of(entries.clone()), Manner::Honest);
    let report = audit(&server.client(), key.verifier()).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    let counts = [(CHANGE_TYPE, 1), (GRANT_TYPE, 301), (RESUME_TYPE, 1), (SUSPEND_TYPE, 2), (WITHDRAW_TYPE, 2)];
    assert_eq!(report.kinds, counts.into());
    let ended = [(ConsentState::Withdrawn, 1), (ConsentState::DestroySample, 1)];
    let on = |day: &str| report.states_on(day.parse().unwrap()).into_iter().collect::<Vec<_>>();
    assert_eq!(
        on("2026-12-24"),
        [vec![(ConsentState::Active, 298), (ConsentState::Suspended, 1)], ended.to_vec()].concat()
    );
    assert_eq!(on("2026-12-25"), [vec![(ConsentState::Active, 299)], ended.to_vec()].concat());

    // A log that took what it must not take.
    let wrong = sign(1, hash(9), None, "2026-11-23T12:00:00Z", Act::Resume);
    entries.push(wrong.bytes().to_vec());
    entries.push(withdraw(1, &first).bytes().to_vec());
    entries.push(b"not an entry".to_vec());
    let mut log = MemoryLog::of(entries);
    log.files.get_mut("tile/0/000").unwrap()[5] ^= 1;
    log.files.remove("tile/1/000.p/1");
    server.show(log);
    let report = audit(&server.client(), key.verifier()).await.unwrap();
    let tile = |level, width| TileId { level, index: 0, width };
    assert_eq!(report.finding_count, 6);
    assert!(report.findings.contains(&Finding::Repeated(withdraw(1, &first).hash())));
    assert!(report.findings.contains(&Finding::Tile(tile(0, 256))));
    assert!(report.findings.contains(&Finding::Tile(tile(1, 1))));
    assert!(report.findings.contains(&Finding::AgainstRules(307, Rejected::NotGranted)));
    assert!(report.findings.iter().any(|f| matches!(f, Finding::AgainstRules(308, Rejected::Impossible(_)))));
    assert!(report.findings.iter().any(|f| matches!(f, Finding::Unreadable(309, _))));
    assert_eq!(report.kinds, counts.into(), "what breaks a rule does not count");
}
