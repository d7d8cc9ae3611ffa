//! A log that our crate writes, read by a program in Go over golang.org/x/mod/sumdb, which shares no code with us.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use identity::SigningKey;
use ledger::{
    Act, BundleId, Checkpoint, ConsentEntry, ConsentEvent, Given, Hash, NoteKey, TILE_WIDTH, TileEdge, append_to_bundle,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ORIGIN: &str = "biobank.example/log";

fn note_key(seed: u8) -> NoteKey {
    NoteKey::new(ORIGIN, SigningKey::from_seed([seed; 32])).unwrap()
}

fn entry(number: u32) -> ConsentEntry {
    let mut subject = [0; 32];
    subject[..4].copy_from_slice(&number.to_be_bytes());
    let hash = Hash::from_bytes([3; 32]);
    let (subject, time) = (Hash::from_bytes(subject), "2026-11-22T12:00:00Z".parse().unwrap());
    let act = Act::Grant(Given { credential: hash, policy: hash, until: None });
    let event = ConsentEvent { subject, previous: None, notice: hash, time, act };
    ConsentEntry::sign(&SigningKey::from_seed([1; 32]), &event)
}

fn put(dir: &Path, path: &str, bytes: &[u8]) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Writes a log as a web server would show it, and returns its root.
fn write_log(dir: &Path, entries: &[ConsentEntry]) -> Hash {
    let (mut edge, size) = (TileEdge::new(), entries.len() as u64);
    for (number, entries) in (0..).zip(entries.chunks(TILE_WIDTH as usize)) {
        let mut bundle = Vec::new();
        for entry in entries {
            append_to_bundle(&mut bundle, entry.bytes()).unwrap();
            edge.push(entry.bytes()).iter().for_each(|(id, bytes)| put(dir, &id.path(), bytes));
        }
        put(dir, &BundleId::in_tree(number, size).unwrap().path(), &bundle);
    }
    edge.partial_tiles().iter().for_each(|(id, bytes)| put(dir, &id.path(), bytes));
    put(dir, "checkpoint", sign(size, edge.root(), &note_key(5)).as_bytes());
    edge.root()
}

fn sign(size: u64, root: Hash, key: &NoteKey) -> String {
    Checkpoint { origin: ORIGIN.into(), size, root }.sign(key).unwrap().note().to_owned()
}

/// Builds the Go program with the packages that Debian installs; no network.
fn build(dir: &Path) -> PathBuf {
    let program = dir.join("checklog");
    let made = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("go/checklog"))
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOPROXY", "off")
        .env("GOFLAGS", "")
        .env("GOCACHE", dir.join("cache"))
        .output();
    let made = made.unwrap_or_else(|error| {
        panic!("this test needs Go ({error}): install the packages golang and golang-golang-x-mod-dev")
    });
    let why = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "install the package golang-golang-x-mod-dev if a package is missing:\n{why}");
    program
}

fn run(program: &Path, place: &str) -> Output {
    Command::new(program).arg(note_key(5).verifier().to_string()).arg(place).output().unwrap()
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
    let program = build(work.path());
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
        ("signed by a stranger", Box::new(|dir| put(dir, "checkpoint", sign(600, root, &note_key(6)).as_bytes()))),
        ("another root", {
            Box::new(|dir| put(dir, "checkpoint", sign(600, Hash::from_bytes([1; 32]), &note_key(5)).as_bytes()))
        }),
        ("another size", Box::new(|dir| put(dir, "checkpoint", sign(599, root, &note_key(5)).as_bytes()))),
        ("leaf tile", Box::new(|dir| flip(dir, "tile/0/000", 0))),
        ("end of a leaf tile", Box::new(|dir| flip(dir, "tile/0/001", 8191))),
        ("partial tile", Box::new(|dir| flip(dir, "tile/0/002.p/88", 2000))),
        ("upper tile", Box::new(|dir| flip(dir, "tile/1/000.p/2", 33))),
        ("missing tile", Box::new(|dir| fs::remove_file(dir.join("tile/0/001")).unwrap())),
        ("short tile", Box::new(|dir| put(dir, "tile/0/001", &[0; 32]))),
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
