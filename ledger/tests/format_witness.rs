//! The sections of FORMAT.md on cosignatures, witnesses, mirrors and policies: each block that is named behind
//! "```c2sp" is made again here from the entries of the document's example and compared byte for byte, and each
//! policy of the block "refused-policies" must be refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod institution;

use identity::SigningKey;
use institution::{Log, ORIGIN, lines, log_keys};
use ledger::{
    AddCheckpoint, AddEntries, CosignedCheckpoint, Cosigner, EntryPackage, Mirror, MirrorInfo, Mirrored, Quorum,
    SignedCheckpoint, TrustPolicy, Witness, origin_hash, package_ranges,
};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// 2027-06-02, the day after the last entry of the example.
const TIME: u64 = 1_811_894_400;
const STORY: [&str; 6] = ["grant", "change", "suspend", "resume", "withdraw", "grant-again"];

/// The named code blocks behind this word.
fn blocks(word: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut lines = include_str!("../FORMAT.md").lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix(&format!("```{word} ")) {
            let body: String = lines.by_ref().take_while(|l| *l != "```").map(|l| format!("{l}\n")).collect();
            assert!(found.insert(name.to_owned(), body).is_none(), "two blocks are called {name}");
        }
    }
    found
}

/// The log of the document.
fn log() -> Log {
    let story = blocks("text");
    let log = Log { entries: STORY.map(|name| story[name].trim_end().as_bytes().to_vec()).to_vec() };
    assert_eq!(log.root(6).to_string(), story["root"].trim_end());
    assert_eq!(log.checkpoint(6).note(), story["checkpoint"]);
    log
}

fn ed25519() -> Cosigner {
    Cosigner::ed25519("witness.example/w1", SigningKey::from_seed([8; 32])).unwrap()
}

fn ml_dsa() -> Cosigner {
    Cosigner::ml_dsa_44("witness.example/w2", &[9; 32]).unwrap()
}

fn mirror() -> Mirror {
    Mirror::new(vec![Cosigner::ed25519("mirror.example/m1", SigningKey::from_seed([10; 32])).unwrap()], [11; 32])
}

/// What is too long to print.
fn digest(text: &str) -> String {
    format!("{} bytes, SHA-256 {}\n", text.len(), hex::encode(Sha256::digest(text)))
}

fn policy() -> TrustPolicy {
    blocks("c2sp")["policy"].replacen("ML-DSA-KEY", &ml_dsa().key().to_string(), 1).parse().unwrap()
}

fn head() -> AddEntries {
    AddEntries { origin: ORIGIN.into(), start: 2, end: 6, ticket: Vec::new() }
}

fn package() -> EntryPackage {
    let log = log();
    let range = package_ranges(2, 6).next().unwrap();
    EntryPackage::make(range, 6, log.entries[2..6].to_vec(), log.reader()).unwrap()
}

fn cosigned() -> SignedCheckpoint {
    let checkpoint = log().checkpoint(6);
    [ed25519(), ml_dsa()]
        .iter()
        .fold(checkpoint, |signed, cosigner| signed.with(signed.cosign(cosigner, TIME).unwrap()).unwrap())
}

fn made() -> BTreeMap<String, String> {
    let log = log();
    let checkpoint = log.checkpoint(6);
    let by_ed25519 = checkpoint.cosign(&ed25519(), TIME).unwrap();
    let by_ml_dsa = checkpoint.cosign(&ml_dsa(), TIME).unwrap();
    let package = package().to_bytes().unwrap();
    let policy = [
        format!("log {} https://biobank.example/", institution::log_key().verifier()),
        format!("witness w1 {} https://witness.example/", ed25519().key()),
        "witness w2 ML-DSA-KEY".into(),
        format!("witness m1 {}", mirror().cosigners()[0].key()),
        "group seen 1 w1 w2".into(),
        "group seen-and-held 2 seen m1".into(),
        "quorum seen-and-held".into(),
    ];
    [
        ("cosigner-key", format!("{}\n", ed25519().key())),
        ("cosigner-key-ml-dsa-44", digest(&ml_dsa().key().to_string())),
        ("cosigned", checkpoint.with(by_ed25519).unwrap().note().to_owned()),
        ("cosignature-ml-dsa-44", digest(&by_ml_dsa.to_string())),
        ("add-checkpoint", log.request(2, 6).to_string()),
        ("origin-hash", format!("{}\n", origin_hash(ORIGIN))),
        ("upload-head", format!("{}\n", hex::encode(head().to_bytes().unwrap()))),
        ("package", digest(&hex::encode(&package))),
        ("mirror-info", MirrorInfo { size: 6, next: 2, ticket: b"opaque".to_vec() }.to_string()),
        ("policy", policy.join("\n") + "\n"),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .into()
}

#[test]
fn every_block_is_what_the_code_makes() {
    let (written, made) = (blocks("c2sp"), made());
    let mut wrong = String::new();
    for (name, text) in &made {
        if written.get(name) != Some(text) {
            wrong.push_str(&format!("```c2sp {name}\n{text}```\n"));
        }
    }
    assert!(wrong.is_empty(), "FORMAT.md should say:\n{wrong}");
    for name in written.keys().filter(|name| !name.starts_with("refused")) {
        assert!(made.contains_key(name.as_str()), "nothing checks the block {name}");
    }
}

#[test]
fn every_block_reads_back() {
    let blocks = blocks("c2sp");
    let key = blocks["cosigner-key"].trim_end().parse().unwrap();
    let opened = CosignedCheckpoint::open(&blocks["cosigned"], &key).unwrap();
    assert_eq!((opened.time(), opened.size), (TIME, 6));
    // The witness that has size 2 signs the request of the document, and its answer is the document's line.
    let witness = Witness::new(vec![ed25519()]);
    let log = log();
    let at_two = witness.add_checkpoint(&log.request(0, 2), &log_keys(), None, TIME).unwrap().next;
    let request = AddCheckpoint::parse(blocks["add-checkpoint"].as_bytes()).unwrap();
    let update = witness.add_checkpoint(&request, &log_keys(), Some(&at_two), TIME).unwrap();
    assert_eq!(update.next.note, blocks["cosigned"]);
    assert!(lines(&blocks["cosigned"]).ends_with(&update.body));
    assert!(MirrorInfo::parse(&blocks["mirror-info"]).is_some());
}

#[test]
fn the_mirror_takes_the_upload_and_the_policy_is_met_with_its_signature() {
    let (log, mirror) = (log(), mirror());
    let pending = mirror.add_checkpoint(&log.request(0, 6), &log_keys(), &Mirrored::default(), TIME).unwrap().next;
    let mut state = Mirrored { pending: Some(pending), latest: None, next: 2 };
    let target = mirror.begin(&head(), &log_keys(), &state).unwrap();
    mirror.check(&target, &log.entries[..2], &package()).unwrap();
    state.next = 6;
    let body = mirror.finish(&target, &log_keys(), &state, TIME).unwrap().body;
    let missing = policy().verify(cosigned().note(), Some(TIME));
    assert!(missing.is_err(), "seen, but held by nobody");
    let held = cosigned().with_cosignatures(&body, &[mirror.cosigners()[0].key().clone()]).unwrap();
    assert_eq!(policy().verify(held.note(), Some(TIME)).as_ref().map(Quorum::time), Ok(Some(TIME)));
}

#[test]
fn what_must_be_refused_is_refused() {
    let blocks = blocks("c2sp");
    let key = ed25519().key().to_string();
    let mut count = 0;
    for line in blocks["refused-policies"].lines() {
        // One policy a line; "|" stands for the end of a line, KEY for the key above.
        let text = line.replace('|', "\n").replacen("KEY", &key, 1) + "\n";
        assert!(text.parse::<TrustPolicy>().is_err(), "{line}");
        count += 1;
    }
    assert!(count >= 10);
    assert!(format!("witness w1 {key}\nquorum w1\n").parse::<TrustPolicy>().is_ok());
}
