//! A log that our crate writes, read by a program in Go over golang.org/x/mod/sumdb, which shares no code with us.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

#[path = "../third_party/common.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod common;

use common::{Served, build_checklog, entry, note_key, put, sign, write_log};
use consent::Withdrawal;
use identity::SigningKey;
use ledger::{
    Act, Checkpoint, ConsentEntry, Cosigner, EntryHash, Frontier, Hash, Receipt, SignedNote, TileId, VerifierKey,
    consistency_proof, inclusion_proof, leaf_hash,
};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(program: &Path, place: &str) -> Output {
    Command::new(program).args(["log", &note_key(5).verifier().to_string(), place]).output().unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        if item.path().is_dir() {
            copy(&item.path(), &to.join(item.file_name()));
        } else {
            fs::copy(item.path(), to.join(item.file_name())).unwrap();
        }
    }
}

fn flip(dir: &Path, path: &str, at: usize) {
    let path = dir.join(path);
    let mut bytes = fs::read(&path).unwrap();
    let at = at.min(bytes.len() - 1);
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_third_party_accepts_our_log_and_refuses_every_changed_one() {
    let work = tempfile::tempdir().unwrap();
    let program = build_checklog(work.path());
    let log = work.path().join("log");
    let entries: Vec<ConsentEntry> = (0..600).map(entry).collect();
    let root = write_log(&log, &entries);
    let accepted = run(&program, log.to_str().unwrap());
    assert!(accepted.status.success(), "{}", String::from_utf8_lossy(&accepted.stderr));
    assert_eq!(String::from_utf8_lossy(&accepted.stdout), "accepted: 600 entries\n");

    // Sizes around the borders of tiles.
    for size in [0, 1, 255, 256, 257, 512] {
        let small = work.path().join(format!("log-{size}"));
        fs::create_dir_all(&small).unwrap();
        write_log(&small, &entries[..size]);
        let accepted = run(&program, small.to_str().unwrap());
        assert!(accepted.status.success(), "{size}: {}", String::from_utf8_lossy(&accepted.stderr));
    }

    type Change<'a> = (&'a str, Box<dyn Fn(&Path) + 'a>);
    let changes: Vec<Change<'_>> = vec![
        ("root in the checkpoint", Box::new(|dir| flip(dir, "checkpoint", 30))),
        ("signature", Box::new(|dir| flip(dir, "checkpoint", 160))),
        (
            "signed by a stranger",
            Box::new(|dir| drop(put(dir, "checkpoint", sign(600, root, &note_key(6)).as_bytes()))),
        ),
        ("another root", {
            Box::new(|dir| drop(put(dir, "checkpoint", sign(600, Hash::from_bytes([1; 32]), &note_key(5)).as_bytes())))
        }),
        ("another size", Box::new(|dir| drop(put(dir, "checkpoint", sign(599, root, &note_key(5)).as_bytes())))),
        ("leaf tile", Box::new(|dir| flip(dir, "tile/0/000", 0))),
        ("end of a leaf tile", Box::new(|dir| flip(dir, "tile/0/001", 8191))),
        ("partial tile", Box::new(|dir| flip(dir, "tile/0/002.p/88", 2000))),
        ("upper tile", Box::new(|dir| flip(dir, "tile/1/000.p/2", 33))),
        ("missing tile", Box::new(|dir| fs::remove_file(dir.join("tile/0/001")).unwrap())),
        ("short tile", Box::new(|dir| drop(put(dir, "tile/0/001", &[0; 32])))),
        ("first entry", Box::new(|dir| flip(dir, "tile/entries/000", 100))),
        ("last entry", Box::new(|dir| flip(dir, "tile/entries/002.p/88", usize::MAX))),
        ("length of an entry", Box::new(|dir| flip(dir, "tile/entries/001", 1))),
        ("missing bundle", Box::new(|dir| fs::remove_file(dir.join("tile/entries/001")).unwrap())),
        ("two bundles for each other", {
            Box::new(|dir| {
                let (one, two) = (dir.join("tile/entries/000"), dir.join("tile/entries/001"));
                let (first, second) = (fs::read(&one).unwrap(), fs::read(&two).unwrap());
                fs::write(one, second).unwrap();
                fs::write(two, first).unwrap();
            })
        }),
    ];
    for (what, change) in changes {
        let changed = tempfile::tempdir().unwrap();
        copy(&log, changed.path());
        change(changed.path());
        let refused = run(&program, changed.path().to_str().unwrap());
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{what} was not refused: {said}");
        assert!(said.starts_with("refused: "), "{what}: {said}");
    }
}

/// Whether the program accepts; it must say so, or say why not.
fn accepts(program: &Path, command: &str, vkey: &str, files: &[&Path]) -> bool {
    let output = Command::new(program).args([command, vkey]).args(files).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => assert!(output.stdout.starts_with(b"accepted")),
        Some(1) => assert!(said.starts_with("refused: "), "{said}"),
        other => panic!("{other:?}: {said}"),
    }
    output.status.success()
}

#[test]
fn a_third_party_reads_receipts_and_proofs_of_consistency() {
    let work = tempfile::tempdir().unwrap();
    let (program, log) = (build_checklog(work.path()), work.path().join("log"));
    let entries: Vec<ConsentEntry> = (0..300).map(entry).collect();
    let root = write_log(&log, &entries);
    let read = |id: TileId| fs::read(log.join(id.path()));
    let (vkey, stranger) = (note_key(5).verifier().to_string(), note_key(6).verifier().to_string());
    let file = |name: &str, text: &str| put(work.path(), name, text.as_bytes());

    let receipt = |index: u64, size: u64, note: String| {
        let path = inclusion_proof(index, size, read).unwrap();
        Receipt { extra: None, index, path, checkpoint: note }
    };
    let head = sign(300, root, &note_key(5));
    for index in [0, 1, 255, 256, 299] {
        let held = put(work.path(), "entry", entries[index].bytes());
        let good = receipt(index as u64, 300, head.clone());
        let check = |receipt: &Receipt, vkey: &str, entry: &Path| {
            accepts(&program, "receipt", vkey, &[&file("receipt", &receipt.to_string()), entry])
        };
        assert!(check(&good, &vkey, &held), "{index}");
        assert!(check(&Receipt { extra: Some(b"anything".to_vec()), ..good.clone() }, &vkey, &held));
        let other = put(work.path(), "other", entries[(index + 1) % 300].bytes());
        assert!(!check(&good, &vkey, &other), "another entry at {index}");
        assert!(!check(&good, &stranger, &held), "another key");
        assert!(!check(&Receipt { index: (index as u64 + 1) % 300, ..good.clone() }, &vkey, &held), "another place");
        let mut short = good.clone();
        let last = short.path.pop().unwrap();
        assert!(!check(&short, &vkey, &held), "a missing hash");
        assert!(!check(&Receipt { path: [short.path, vec![last, last]].concat(), ..good.clone() }, &vkey, &held));
        let bare = sign(300, Hash::from_bytes([1; 32]), &note_key(5));
        assert!(!check(&Receipt { checkpoint: bare, ..good.clone() }, &vkey, &held), "another root");
        let forged = good.checkpoint.replacen("300", "301", 1);
        assert!(!check(&Receipt { checkpoint: forged, ..good }, &vkey, &held), "another size than was signed");
    }

    let root_at = |size: usize| {
        let mut tree = Frontier::new();
        entries[..size].iter().for_each(|entry| tree.push(leaf_hash(entry.bytes())));
        tree.root()
    };
    let new = file("new", &head);
    for size in [1, 2, 255, 256, 257, 299, 300] {
        let old = file("old", &sign(size as u64, root_at(size), &note_key(5)));
        let hashes = consistency_proof(size as u64, 300, read).unwrap();
        let lines = |hashes: &[Hash]| hashes.iter().map(|hash| hash.to_base64() + "\n").collect::<String>();
        let proof = file("proof", &lines(&hashes));
        let check = |old: &Path, proof: &Path| accepts(&program, "consistency", &vkey, &[old, &new, proof]);
        assert!(check(&old, &proof), "{size}");
        // A log that rewrote what it had said.
        let rewritten = file("rewritten", &sign(size as u64, Hash::from_bytes([9; 32]), &note_key(5)));
        assert!(!check(&rewritten, &proof), "{size}");
        assert!(!check(&old, &file("longer", &lines(&[&hashes[..], &[root]].concat()))), "{size}");
        if let Some((_, rest)) = hashes.split_first() {
            assert!(!check(&old, &file("shorter", &lines(rest))), "{size}");
            assert!(!check(&old, &file("changed", &lines(&[&[root][..], rest].concat()))), "{size}");
        }
        assert!(!accepts(&program, "consistency", &stranger, &[&old, &new, &proof]));
    }
}

#[test]
fn notes_with_several_signatures_are_read_by_a_third_party_and_by_us() {
    let work = tempfile::tempdir().unwrap();
    let (program, log) = (build_checklog(work.path()), work.path().join("log"));
    let entries: Vec<ConsentEntry> = (0..9).map(entry).collect();
    let root = write_log(&log, &entries);

    // Ours: cosignatures of both algorithms beside the signature of the log.
    let mut signed = Checkpoint { origin: common::ORIGIN.into(), size: 9, root }.sign(&note_key(5)).unwrap();
    for number in 0..14 {
        let name = format!("witness.example/{number}");
        let cosigner = match number % 2 {
            0 => Cosigner::ed25519(&name, SigningKey::from_seed([100 + number; 32])).unwrap(),
            _ => Cosigner::ml_dsa_44(&name, &[100 + number; 32]).unwrap(),
        };
        signed = signed.with(signed.cosign(&cosigner, 1_795_000_000).unwrap()).unwrap();
    }
    put(&log, "checkpoint", signed.note().as_bytes());
    let accepted = run(&program, log.to_str().unwrap());
    assert!(accepted.status.success(), "{}", String::from_utf8_lossy(&accepted.stderr));
    // The cosignatures alone are not the log's word.
    let without: String = signed
        .note()
        .lines()
        .filter(|line| !line.starts_with("\u{2014} biobank"))
        .fold(String::new(), |text, line| text + line + "\n");
    assert_ne!(without, signed.note());
    put(&log, "checkpoint", without.as_bytes());
    assert_eq!(run(&program, log.to_str().unwrap()).status.code(), Some(1));

    // Theirs: each of the signers is believed by us, a stranger is not, and no changed text.
    let output = Command::new(&program).args(["sign", "notes.example", "16"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (keys, note) = text.split_once("\n\n").unwrap();
    let keys: Vec<VerifierKey> = keys.lines().map(|key| key.parse().unwrap()).collect();
    assert_eq!(keys.len(), 16);
    let read = SignedNote::parse(note).unwrap();
    assert_eq!(read.to_string(), note);
    let changed = SignedNote::parse(&note.replacen("second", "third", 1)).unwrap();
    for key in &keys {
        assert_eq!(read.verify(key), Ok("notes.example\nand a second line\n"));
        assert!(changed.verify(key).is_err());
    }
    assert!(read.verify(note_key(5).verifier()).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_party_reads_a_served_log_over_http() {
    let work = tempfile::tempdir().unwrap();
    let program = build_checklog(work.path());
    let served = Served::open(&work.path().join("biobank")).await;
    let staff = served.paired("staffCode", 200).await;
    let mut hashes: Vec<(EntryHash, Vec<u8>)> = Vec::new();
    let mut notes: Vec<PathBuf> = Vec::new();
    for seed in 1..4 {
        let donor = served.donor(&staff, seed).await;
        let mut latest = None;
        for turn in 0..20 {
            let entry = if turn % 2 == 0 {
                donor.grants(latest)
            } else {
                donor.says(latest, Act::Withdraw { level: Withdrawal::NoUse })
            };
            let (status, said) = served.post("/v1/entries", entry.bytes().to_vec()).await;
            assert!(status == 200 || status == 202, "{status}: {said}");
            latest = Some(entry.hash());
            hashes.push((entry.hash(), entry.bytes().to_vec()));
        }
        notes.push(put(work.path(), &format!("note-{seed}"), &served.get("/checkpoint").await.1));
    }
    let output = Command::new(&program).args(["log", &served.vkey, &served.biobank.address()]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The institution says some things of its own as well.
    let size: usize = said.trim_start_matches("accepted: ").trim_end_matches(" entries\n").parse().unwrap();
    assert!(size >= hashes.len(), "{said}");

    for (hash, entry) in &hashes {
        let (status, receipt) = served.get(&format!("/v1/entries/{hash}/proof")).await;
        assert_eq!(status, 200);
        let files = [put(work.path(), "receipt", &receipt), put(work.path(), "entry", entry)];
        assert!(accepts(&program, "receipt", &served.vkey, &[&files[0], &files[1]]), "{hash}");
        assert!(!accepts(&program, "receipt", &served.vkey, &[&files[0], &files[0]]), "{hash}");
    }
    let sizes: Vec<u64> = notes.iter().map(|note| size_in(note)).collect();
    assert!(sizes.is_sorted() && sizes[0] < sizes[2], "{sizes:?}");
    for (note, size) in notes.iter().zip(&sizes).take(2) {
        let (status, proof) = served.get(&format!("/v1/consistency?from={size}&to={}", sizes[2])).await;
        assert_eq!(status, 200);
        let proof: Value = serde_json::from_slice(&proof).unwrap();
        let lines: Vec<&str> = proof["proof"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let lines = put(work.path(), "lines", lines.join("\n").as_bytes());
        assert!(accepts(&program, "consistency", &served.vkey, &[note, &notes[2], &lines]));
        assert!(!accepts(&program, "consistency", &served.vkey, &[&notes[2], note, &lines]));
    }
}

fn size_in(note: &Path) -> u64 {
    fs::read_to_string(note).unwrap().lines().nth(1).unwrap().parse().unwrap()
}
