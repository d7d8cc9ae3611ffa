//! Checkpoints and proofs of inclusion, read by the code that the users of sigstore trust, in Python and in JavaScript.
//! Neither knows proofs of consistency; those are read by the program in Go.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "in a test a panic is the report")]

#[path = "../third_party/common.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod common;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use common::{ORIGIN, entry, feed, note_key, sign, third_party, write_log};
use identity::SigningKey;
use ledger::{Checkpoint, ConsentEntry, Cosigner, Frontier, Hash, TileId, inclusion_proof, leaf_hash};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What is asked of the programs, and the verdict that each must give.
#[derive(Default)]
struct Cases {
    all: Vec<Value>,
    expected: BTreeMap<String, bool>,
}

#[derive(Clone)]
struct Case {
    vkey: String,
    note: String,
    index: u64,
    hashes: Vec<Hash>,
    entry: Vec<u8>,
}

impl Cases {
    fn add(&mut self, name: impl Into<String>, good: bool, case: &Case) {
        let name = name.into();
        self.all.push(json!({
            "name": name,
            "vkey": case.vkey,
            "note": case.note,
            "index": case.index,
            "hashes": case.hashes.iter().map(|hash| hash.to_base64()).collect::<Vec<_>>(),
            "entry": BASE64_STANDARD.encode(&case.entry),
        }));
        assert!(self.expected.insert(name, good).is_none(), "a name for each case");
    }

    /// Lets a program judge all cases.
    fn judge(&self, mut program: Command) {
        let output = feed(&mut program, &serde_json::to_vec(&self.all).unwrap());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        let mut seen = BTreeMap::new();
        for line in said.lines() {
            let (name, verdict) = line.split_once('\t').unwrap();
            assert!(verdict == "accepted" || verdict.starts_with("refused: "), "{line}");
            assert_eq!(self.expected.get(name), Some(&(verdict == "accepted")), "{line}");
            seen.insert(name, verdict);
        }
        assert_eq!(seen.len(), self.expected.len());
        let good = self.expected.values().filter(|good| **good).count();
        println!("{good} proofs accepted, {} changed ones refused", seen.len() - good);
    }
}

fn cases() -> Cases {
    let work = tempfile::tempdir().unwrap();
    let entries: Vec<ConsentEntry> = (0..600).map(entry).collect();
    write_log(work.path(), &entries);
    let mut cases = Cases::default();
    for size in [1_usize, 2, 3, 7, 8, 255, 256, 257, 600] {
        // Tiles of a smaller tree are the beginnings of the tiles of the whole.
        let read = |id: TileId| -> std::io::Result<Vec<u8>> {
            let whole = TileId::in_tree(id.level, id.index, 600).unwrap();
            let mut bytes = std::fs::read(work.path().join(whole.path()))?;
            bytes.truncate(32 * usize::from(id.width));
            Ok(bytes)
        };
        let mut tree = Frontier::new();
        entries[..size].iter().for_each(|entry| tree.push(leaf_hash(entry.bytes())));
        let note = sign(size as u64, tree.root(), &note_key(5));
        for index in BTreeSet::from([0, 1, size / 2, size - 1]).into_iter().filter(|index| *index < size) {
            let hashes = inclusion_proof(index as u64, size as u64, read).unwrap();
            let entry = entries[index].bytes().to_vec();
            let (vkey, index) = (note_key(5).verifier().to_string(), index as u64);
            let case = Case { vkey, note: note.clone(), index, hashes, entry };
            let name = |what: &str| format!("{what}, entry {index} of {size}");
            cases.add(name("good"), true, &case);
            changed(&mut cases, &case, &name, size as u64, tree.root());
        }
    }
    cases
}

/// Every kind of change to one proof.
fn changed(cases: &mut Cases, case: &Case, name: &dyn Fn(&str) -> String, size: u64, root: Hash) {
    let mut no = |what: &str, case: Case| cases.add(name(what), false, &case);
    let other = Hash::from_bytes([9; 32]);
    let resigned = |size, root, seed| sign(size, root, &note_key(seed));
    no("entry", Case { entry: [&case.entry[..], b" "].concat(), ..case.clone() });
    no("empty entry", Case { entry: Vec::new(), ..case.clone() });
    no("place beyond the end", Case { index: size, ..case.clone() });
    if size > 1 {
        no("place", Case { index: (case.index + 1) % size, ..case.clone() });
    }
    no("one hash more", Case { hashes: [&case.hashes[..], &[other]].concat(), ..case.clone() });
    for at in 0..case.hashes.len() {
        let mut hashes = case.hashes.clone();
        hashes[at] = other;
        no(&format!("hash {at}"), Case { hashes: hashes.clone(), ..case.clone() });
        hashes.remove(at);
        no(&format!("no hash {at}"), Case { hashes, ..case.clone() });
    }
    if case.hashes.len() > 1 {
        no("hashes turned around", Case { hashes: case.hashes.iter().rev().copied().collect(), ..case.clone() });
    }
    no("another root, signed", Case { note: resigned(size, other, 5), ..case.clone() });
    no("signed by a stranger", Case { note: resigned(size, root, 6), ..case.clone() });
    no("key of a stranger", Case { vkey: note_key(6).verifier().to_string(), ..case.clone() });
    let root = root.to_base64();
    let forged = [
        ("root in the note", case.note.replacen(&root, &other.to_base64(), 1)),
        ("size in the note", case.note.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size + 1), 1)),
        ("origin in the note", case.note.replacen(ORIGIN, "biobank.example/gol", 1)),
        ("a line more in the note", case.note.replacen(&root, &format!("{root}\nmore"), 1)),
        ("no signature", case.note.lines().take(3).fold(String::new(), |text, line| text + line + "\n") + "\n"),
        ("no text", case.note.split_once("\n\n").unwrap().1.to_owned()),
    ];
    for (what, note) in forged {
        assert_ne!(note, case.note);
        no(what, Case { note, ..case.clone() });
    }
    // A bit of the signature itself: after the name come four bytes of the key's id.
    let at = case.note.rfind(' ').unwrap() + 20;
    let mut note = case.note.clone();
    let turned = if note.as_bytes()[at] == b'A' { "B" } else { "A" };
    note.replace_range(at..=at, turned);
    no("signature", Case { note, ..case.clone() });
}

/// The same with cosignatures beside the signature of the log.
fn cosigned(cases: &mut Cases) {
    let root = leaf_hash(entry(0).bytes());
    let mut signed = Checkpoint { origin: ORIGIN.into(), size: 1, root }.sign(&note_key(5)).unwrap();
    for cosigner in [
        Cosigner::ed25519("witness.example/w1", SigningKey::from_seed([9; 32])).unwrap(),
        Cosigner::ml_dsa_44("witness.example/w2", &[9; 32]).unwrap(),
    ] {
        signed = signed.with(signed.cosign(&cosigner, 1_795_000_000).unwrap()).unwrap();
    }
    let vkey = note_key(5).verifier().to_string();
    let entry = entry(0).bytes().to_vec();
    let case = Case { vkey, note: signed.note().to_owned(), index: 0, hashes: Vec::new(), entry };
    cases.add("cosigned", true, &case);
    let lines = case.note.lines().filter(|line| !line.starts_with("\u{2014} biobank"));
    let note = lines.fold(String::new(), |text, line| text + line + "\n");
    cases.add("cosigned, not by the log", false, &Case { note, ..case });
}

#[test]
fn the_python_of_sigstore_accepts_our_proofs_and_refuses_every_changed_one() {
    let Some(python) = std::env::var_os("THIRD_PARTY_PYTHON") else {
        println!("skipped: scripts/test sets up a Python with sigstore and names it in THIRD_PARTY_PYTHON");
        return;
    };
    let mut cases = cases();
    cosigned(&mut cases);
    let mut program = Command::new(python);
    program.arg(third_party("python/checkproofs.py"));
    cases.judge(program);
}

#[test]
fn the_javascript_of_sigstore_accepts_our_proofs_and_refuses_every_changed_one() {
    let Some(modules) = std::env::var_os("THIRD_PARTY_NODE_MODULES") else {
        println!("skipped: scripts/test installs @sigstore/verify and names its folder in THIRD_PARTY_NODE_MODULES");
        return;
    };
    let mut cases = cases();
    cosigned(&mut cases);
    let mut program = Command::new("node");
    program.arg(third_party("npm/checkproofs.js")).env("NODE_PATH", modules);
    cases.judge(program);
}
