//! FORMAT.md is a set of test vectors: each named code block is made again here and compared byte for byte, and each
//! line of a block whose name begins with "refused" must be refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use common::{MemoryLog, note_key};
use consent::StudyId;
use identity::SigningKey;
use ledger::{
    BundleId, Checkpoint, ConsentEvent, Entry, Grant, Hash, Receipt, State, TileId, VerifierKey, Withdraw,
    commit_subject, inclusion_proof,
};
use std::collections::BTreeMap;

/// The named code blocks: "```text name".
fn blocks() -> BTreeMap<String, String> {
    let document = include_str!("../FORMAT.md");
    let mut found = BTreeMap::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("```text ") {
            let body: String = lines.by_ref().take_while(|l| *l != "```").map(|l| format!("{l}\n")).collect();
            assert!(found.insert(name.to_owned(), body).is_none(), "two blocks are called {name}");
        }
    }
    found
}

struct Example {
    entries: [Entry; 3],
    log: MemoryLog,
    subject: Hash,
}

/// The story of the document: a donor gives consent, withdraws it, and gives it again.
fn example() -> Example {
    let study_key = SigningKey::from_seed([1; 32]);
    let donor = SigningKey::from_seed([2; 32]).did();
    let study: StudyId = "heart-2026".parse().unwrap();
    let subject = commit_subject(&[7; 32], &donor, &study);
    let (policy, credential) = (Hash::from_bytes([3; 32]), Hash::from_bytes([4; 32]));
    let grant = |previous, time: &str| {
        let time = time.parse().unwrap();
        Entry::sign(&study_key, &ConsentEvent::Grant(Grant { credential, policy, previous, subject, time }))
    };
    let first = grant(None, "2026-11-22T12:00:00Z");
    let time = "2026-11-23T08:30:00Z".parse().unwrap();
    let second = Entry::sign(&study_key, &ConsentEvent::Withdraw(Withdraw { previous: first.hash(), subject, time }));
    let third = grant(Some(second.hash()), "2026-12-01T09:15:00Z");
    let entries = [first, second, third];
    let log = MemoryLog::of(entries.iter().map(|e| e.bytes().to_vec()).collect());
    Example { entries, log, subject }
}

fn made() -> BTreeMap<&'static str, String> {
    let Example { entries, log, subject } = example();
    let checkpoint = log.checkpoint();
    let mut state = State::new();
    for (index, entry) in (0..).zip(&entries) {
        state.apply(index, entry).unwrap();
    }
    let path = inclusion_proof(1, 3, |id: TileId| log.files.get(&id.path()).cloned().ok_or(())).unwrap();
    let receipt = Receipt { extra: None, index: 1, path, checkpoint: checkpoint.note().to_owned() }.to_string();
    let bundle = &log.files["tile/entries/000.p/3"];
    let paths = [(0_u8, 0_u64, 256_u16), (0, 0, 3), (1, 273, 112), (0, 1_234_067, 256), (63, 1000, 255)];
    let lines = |items: Vec<String>| items.iter().map(|i| format!("{i}\n")).collect::<String>();
    let text = |entry: &Entry| format!("{}\n", String::from_utf8(entry.bytes().to_vec()).unwrap());
    BTreeMap::from([
        ("donor", format!("{}\n", SigningKey::from_seed([2; 32]).did())),
        ("study-key", format!("{}\n", SigningKey::from_seed([1; 32]).did())),
        ("commitment", format!("{subject}\n")),
        ("grant-payload", format!("{}\n", entries[0].event().payload())),
        ("grant", text(&entries[0])),
        ("withdraw-payload", format!("{}\n", entries[1].event().payload())),
        ("withdraw", text(&entries[1])),
        ("grant-again-payload", format!("{}\n", entries[2].event().payload())),
        ("grant-again", text(&entries[2])),
        ("entry-hashes", lines(entries.iter().map(|e| e.hash().to_string()).collect())),
        ("vkey", format!("{}\n", note_key().verifier())),
        ("checkpoint", checkpoint.note().to_owned()),
        ("root", format!("{}\n", checkpoint.root)),
        ("tile", format!("{}\n", hex::encode(&log.files["tile/0/000.p/3"]))),
        ("bundle", format!("{} bytes, leaf hash {}\n", bundle.len(), ledger::leaf_hash(bundle))),
        ("bundle-begin", format!("{}\n", hex::encode(&bundle[..16]))),
        (
            "paths",
            lines(paths.map(|(level, index, width)| TileId { level, index, width }.path()).to_vec())
                + &lines(paths.map(|(_, index, width)| BundleId { index, width }.path()).to_vec()),
        ),
        ("receipt", receipt),
        ("state", format!("{}\n", state.digest())),
    ])
}

#[test]
fn every_block_is_what_the_code_makes() {
    let (written, made) = (blocks(), made());
    let mut wrong = String::new();
    for (name, text) in &made {
        if written.get(*name) != Some(text) {
            wrong.push_str(&format!("```text {name}\n{text}```\n"));
        }
    }
    assert!(wrong.is_empty(), "FORMAT.md should say:\n{wrong}");
    for name in written.keys().filter(|name| !name.starts_with("refused")) {
        assert!(made.contains_key(name.as_str()), "nothing checks the block {name}");
    }
}

#[test]
fn every_block_reads_back() {
    let blocks = blocks();
    let (key, mut state) = (blocks["vkey"].trim().parse::<VerifierKey>().unwrap(), State::new());
    for (index, name) in (0..).zip(["grant", "withdraw", "grant-again"]) {
        let entry = Entry::parse(blocks[name].trim_end().as_bytes()).unwrap();
        assert_eq!(entry.hash().to_string(), blocks["entry-hashes"].lines().nth(index as usize).unwrap());
        state.apply(index, &entry).unwrap();
    }
    let checkpoint = Checkpoint::open(&blocks["checkpoint"], &key).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root.to_string()), (3, blocks["root"].trim().to_owned()));
    let included = Receipt::verify(&blocks["receipt"], blocks["withdraw"].trim_end().as_bytes(), &key).unwrap();
    assert_eq!((included.index(), included.checkpoint()), (1, &checkpoint));
    for path in blocks["paths"].lines() {
        assert!(TileId::parse(path).is_ok() != BundleId::parse(path).is_ok(), "{path}");
    }
}

#[test]
fn what_must_be_refused_is_refused() {
    let blocks = blocks();
    for path in blocks["refused-paths"].lines() {
        assert!(TileId::parse(path).is_err() && BundleId::parse(path).is_err(), "{path}");
    }
    for key in blocks["refused-vkeys"].lines() {
        assert!(key.parse::<VerifierKey>().is_err(), "{key}");
    }
    for payload in blocks["refused-payloads"].lines() {
        for typ in [ledger::GRANT_TYPE, ledger::WITHDRAW_TYPE] {
            let jws = identity::sign_jws(&SigningKey::from_seed([1; 32]), typ, payload.as_bytes());
            assert!(Entry::parse(jws.as_bytes()).is_err(), "{payload}");
        }
    }
    assert_eq!(blocks.keys().filter(|name| name.starts_with("refused")).count(), 3);
}
