//! What an operator does with a log: audit, copies, the way back, making it again, pruning, moving. Through the
//! program where it matters that it is another process than the service.

mod log_stage;

use consent::Timestamp;
use identity::SigningKey;
use ledger::event::{InstitutionEvent, MemberChange, PolicyVersion, Role};
use ledger::{Checkpoint, Entry, Hash, Key, NoteKey};
use log_stage::{ENTRIES, ORIGIN, append, audit, grants, note_key, open};
use redb::ReadableTable as _;
use server::log::{BackupError, Embedded, Known, MigrateError, OpenError, Store, backup, migrate, rebuild, restore};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::process::Command;

const NOTHING: Known<'_> = Known { mirror: None, newest: None, nothing_newer: true };

fn root(dir: &Path) -> (u64, Hash, Hash) {
    let tip = Embedded::open(dir, note_key().verifier()).unwrap().tip().unwrap().unwrap();
    (tip.turn.size, tip.checkpoint.root, tip.state)
}

#[tokio::test]
async fn a_copy_is_taken_while_the_log_is_written_and_comes_back_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (log_dir, copy, back) = (dir.path().join("log"), dir.path().join("copy"), dir.path().join("back"));
    let log = open(&log_dir);
    append(&log, &ENTRIES[..300]).await;
    let key = note_key();
    // The journal is locked by the open log, as by a service that runs.
    assert!(matches!(Embedded::open(&log_dir, key.verifier()), Err(OpenError::Database(_))));
    let writer = async {
        for chunk in ENTRIES[300..560].chunks(20) {
            append(&log, chunk).await;
        }
    };
    let copier = tokio::task::spawn_blocking({
        let (log_dir, copy) = (log_dir.clone(), copy.clone());
        move || (0..5).map(|_| backup(&log_dir, &copy, note_key().verifier()).unwrap().size).collect::<Vec<_>>()
    });
    let ((), sizes) = tokio::join!(writer, copier);
    let sizes = sizes.unwrap();
    assert!(sizes.is_sorted() && sizes[0] >= 300);
    // Each copy is one of the public log, and the last of them is what comes back.
    let held = *sizes.last().unwrap();
    drop(restore(&copy, &back, key.verifier(), NOTHING).unwrap());
    assert_eq!(root(&back).0, held);
    assert_eq!(audit(&back), Vec::<String>::new());
    // And it goes on.
    let again = open(&back);
    append(&again, &ENTRIES[..620]).await;
    assert_eq!(again.signed_checkpoint().size, 620);
    drop(again);
    assert_eq!(audit(&back), Vec::<String>::new());
}

#[tokio::test]
async fn a_log_never_goes_behind_what_was_published() {
    let dir = tempfile::tempdir().unwrap();
    let (log_dir, copy) = (dir.path().join("log"), dir.path().join("copy"));
    append(&open(&log_dir), &ENTRIES[..300]).await;
    let key = note_key();
    let key = key.verifier();
    backup(&log_dir, &copy, key).unwrap();
    append(&open(&log_dir), &ENTRIES[300..600]).await;
    let public = log_dir.join("public");
    let newest = std::fs::read_to_string(public.join("checkpoint")).unwrap();
    let to = |name: &str| dir.path().join(name);

    // Over a log that is there; without a word on what was published; behind what was published.
    assert!(matches!(restore(&copy, &log_dir, key, NOTHING), Err(BackupError::Occupied)));
    let silent = Known { nothing_newer: false, ..NOTHING };
    assert!(matches!(restore(&copy, &to("a"), key, silent), Err(BackupError::NothingKnown)));
    let told = Known { newest: Some(&newest), ..silent };
    let behind = restore(&copy, &to("a"), key, told).unwrap_err();
    assert!(matches!(behind, BackupError::Behind { published: 600, held: 300 }));
    assert!(behind.to_string().contains("forked") && behind.to_string().contains("--mirror"));
    assert!(!to("a").join("log.redb").exists());

    // With the entries that were published since, it comes back to where the world saw it.
    let mirrored = Known { mirror: Some(&public), newest: Some(&newest), nothing_newer: false };
    drop(restore(&copy, &to("b"), key, mirrored).unwrap());
    assert_eq!(root(&to("b")), root(&log_dir));
    assert_eq!(audit(&to("b")), Vec::<String>::new());
    assert_eq!(std::fs::read_to_string(to("b").join("public/checkpoint")).unwrap(), newest);

    // A mirror of another log with the same name and key: what forked once must not go on.
    let fork = to("fork");
    append(&open(&fork), &grants(9_000, 400)).await;
    let forked = Known { mirror: Some(&fork.join("public")), ..silent };
    assert!(matches!(restore(&copy, &to("c"), key, forked), Err(BackupError::OtherLog)));
    assert!(matches!(backup(&fork, &copy, key), Err(BackupError::OtherLog)));
    let other = std::fs::read_to_string(fork.join("public/checkpoint")).unwrap();
    let known = Known { mirror: Some(&public), newest: Some(&other), nothing_newer: false };
    assert!(matches!(restore(&copy, &to("c"), key, known), Err(BackupError::OtherLog)));

    // A copy that was changed is not brought back.
    let bundle = copy.join("public/tile/entries/000");
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[300] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    assert!(matches!(restore(&copy, &to("d"), key, NOTHING), Err(BackupError::Open(OpenError::Damaged(_)))));
}

#[tokio::test]
async fn index_records_and_tiles_are_made_again_from_the_entries_alone() {
    let dir = tempfile::tempdir().unwrap();
    append(&open(dir.path()), &ENTRIES[..600]).await;
    let before = root(dir.path());
    std::fs::remove_file(dir.path().join("index.redb")).unwrap();
    for tile in ["tile/0/000", "tile/0/001", "tile/1/000.p/2"] {
        std::fs::write(dir.path().join("public").join(tile), "garbage").unwrap();
    }
    drop(rebuild(dir.path(), note_key().verifier()).unwrap());
    assert_eq!((root(dir.path()), audit(dir.path())), (before, Vec::new()));
}

#[tokio::test]
async fn an_audit_tells_what_was_changed() {
    let dir = tempfile::tempdir().unwrap();
    append(&open(dir.path()), &ENTRIES[..600]).await;
    assert_eq!(audit(dir.path()), Vec::<String>::new());
    // A tile that no start reads: level 0 lies below a partial tile, so change one after the start.
    let store = Embedded::open(dir.path(), note_key().verifier()).unwrap();
    let tile = dir.path().join("public/tile/0/001");
    let good = std::fs::read(&tile).unwrap();
    let mut bad = good.clone();
    bad[77] ^= 1;
    std::fs::write(&tile, bad).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let found =
        |store: &Embedded| server::log::check(store, note_key().verifier(), scratch.path(), None).unwrap().findings;
    assert_eq!(found(&store), ["tile/0/001 is not what the entries give"]);
    std::fs::write(&tile, good).unwrap();
    drop(store);
    // Records and rows of the index that somebody edited.
    {
        let index = redb::Database::create(dir.path().join("index.redb")).unwrap();
        let write = index.begin_write().unwrap();
        {
            let records = redb::TableDefinition::<&str, &[u8]>::new("records");
            let mut records = write.open_table(records).unwrap();
            let key = Key::subject(&ENTRIES[7].event().subject);
            let old = records.get(key.as_str()).unwrap().unwrap().value().to_vec();
            let old = String::from_utf8(old).unwrap();
            let changed = old.replace("\"active\"", "\"withdrawn\"");
            assert_ne!(old, changed);
            drop(records.insert(key.as_str(), changed.as_bytes()).unwrap());
            let rows = redb::TableDefinition::<&[u8; 32], u64>::new("index");
            let mut rows = write.open_table(rows).unwrap();
            rows.insert(ENTRIES[3].hash().as_bytes(), 5).unwrap();
            rows.remove(ENTRIES[4].hash().as_bytes()).unwrap();
        }
        write.commit().unwrap();
    }
    let findings = audit(dir.path());
    let record = Key::subject(&ENTRIES[7].event().subject);
    assert_eq!(
        findings,
        [
            "the index says 5 for entry 3".to_owned(),
            "the index lacks entry 4".to_owned(),
            "the index has 599 rows for 600 entries".to_owned(),
            format!("the records are not what the entries give, from {record} on"),
        ]
    );
    drop(rebuild(dir.path(), note_key().verifier()).unwrap());
    assert_eq!(audit(dir.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_log_moves_to_another_store_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    append(&open(&first), &ENTRIES[..600]).await;
    let key = note_key();
    let store = |dir: &Path| Embedded::open(dir, note_key().verifier()).unwrap();
    // Cut off in the middle, and continued.
    append(&open(&second), &ENTRIES[..300]).await;
    let tip = migrate(&store(&first), &store(&second), &key, |_, _| {}).unwrap();
    assert_eq!((tip.turn.size, tip.checkpoint.root, tip.state), root(&first));
    assert_eq!((root(&second), audit(&second)), (root(&first), Vec::new()));
    let note = |dir: &Path| std::fs::read_to_string(dir.join("public/checkpoint")).unwrap();
    assert_eq!(note(&first), note(&second));
    // It goes on there, and back.
    append(&open(&second), &ENTRIES[600..620]).await;
    migrate(&store(&second), &store(&first), &key, |_, _| {}).unwrap();
    assert_eq!((root(&first), audit(&first)), (root(&second), Vec::new()));
    // Never over another log, or over more of this one.
    let other = dir.path().join("other");
    append(&open(&other), &grants(9_000, 3)).await;
    assert!(matches!(migrate(&store(&first), &store(&other), &key, |_, _| {}), Err(MigrateError::OtherLog)));
    let longer = dir.path().join("longer");
    append(&open(&longer), &grants(9_000, 700)).await;
    assert!(matches!(migrate(&store(&first), &store(&longer), &key, |_, _| {}), Err(MigrateError::OtherLog)));
    let none = dir.path().join("none");
    assert!(matches!(migrate(&store(&none), &store(&other), &key, |_, _| {}), Err(MigrateError::NoLog)));
}

fn biobankd(arguments: &[&str]) -> (bool, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_biobankd")).args(arguments).output().unwrap();
    let text = [run.stdout, run.stderr].concat();
    (run.status.success(), String::from_utf8(text).unwrap())
}

fn institution() -> SigningKey {
    SigningKey::from_seed([40; 32])
}

fn says(event: InstitutionEvent) -> Entry {
    Entry::sign(&institution(), &event).unwrap()
}

fn time() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A folder with keys, as the service makes it, and a log of this many entries of donors.
async fn folder(dir: &Path, text: Option<&str>, entries: usize) {
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join("log.key"), [5; 32]).unwrap();
    std::fs::write(dir.join("institution.json"), format!(r#"{{"name":"Example","origin":"{ORIGIN}"}}"#)).unwrap();
    let log = open(&dir.join("log"));
    let organisation: ledger::event::Label = "Example".parse().unwrap();
    let member =
        MemberChange { active: true, member: institution().did(), organisation, role: Role::Institution, time: time() };
    log.append(says(InstitutionEvent::Member(member))).await.unwrap();
    if let Some(text) = text {
        let document = Hash::from_bytes(Sha256::digest(text).into());
        let policy = PolicyVersion { document, policy: "retention".parse().unwrap(), time: time(), version: 1 };
        log.append(says(InstitutionEvent::Policy(policy))).await.unwrap();
    }
    append(&log, &ENTRIES[..entries]).await;
}

#[tokio::test]
async fn a_log_is_pruned_only_as_far_as_its_policy_says() {
    let dir = tempfile::tempdir().unwrap();
    let (data, text) = (dir.path().join("data"), "Retention\n\nminimum index 512\n");
    let file = dir.path().join("retention.txt");
    std::fs::write(&file, text).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let prune = |data: &Path, before: &str, policy: &Path, more: &[&str]| {
        let (data, policy) = (path(data), path(policy));
        let arguments = ["prune", "--data", &data, "--before", before, "--policy", &policy];
        biobankd(&[&arguments, more].concat())
    };
    // Without a policy on the log, with another text, too far, not at the end of a bundle, beyond the log.
    let bare = dir.path().join("bare");
    folder(&bare, None, 300).await;
    let (done, said) = prune(&bare, "256", &file, &[]);
    assert!(!done && said.contains("no retention policy"), "{said}");
    folder(&data, Some(text), 600).await;
    let other = dir.path().join("other.txt");
    std::fs::write(&other, "minimum index 100000\n").unwrap();
    assert!(prune(&data, "256", &other, &[]).1.contains("not the retention policy"));
    assert!(prune(&data, "768", &file, &[]).1.contains("as far as 768"));
    assert!(prune(&data, "300", &file, &[]).1.contains("before a whole bundle only"));

    let before = root(&data.join("log"));
    let (done, said) = prune(&data, "256", &file, &[]);
    assert!(done, "{said}");
    let log = open(&data.join("log"));
    assert_eq!(log.read_tile("tile/entries/000").unwrap(), None);
    assert_eq!(log.read_tile("tile/0/000").unwrap(), None);
    assert_eq!(log.entries_from(0, 1).unwrap()[0].0, 256);
    // What was said before still counts, is told again, and has no receipt any more.
    assert_eq!(log.append(ENTRIES[0].clone()).await.unwrap().index, 2);
    assert!(log.subject(&ENTRIES[0].event().subject).unwrap().is_some());
    assert_eq!(log.receipt(&ENTRIES[0].hash()).unwrap(), None);
    assert!(log.receipt(&ENTRIES[400].hash()).unwrap().is_some());
    drop(log);
    assert_eq!(root(&data.join("log")), before);

    // Further, and with the files.
    let (done, said) = prune(&data, "512", &file, &["--delete"]);
    assert!(done && !data.join("log/public/tile/entries/001").exists(), "{said}");
    let (sound, said) = biobankd(&["check", "--data", &path(&data)]);
    assert!(sound && said.contains("from 512 on read"), "{said}");
    let (sound, said) = biobankd(&["rebuild", "--data", &path(&data)]);
    assert!(sound, "{said}");
    assert_eq!(root(&data.join("log")), before);
    let (log, copy) = (open(&data.join("log")), dir.path().join("copy"));
    assert!(log.receipt(&ENTRIES[520].hash()).unwrap().is_some());
    append(&log, &ENTRIES[600..620]).await;
    // Copies of it come back pruned, with what the entries before said.
    let (done, said) = biobankd(&["backup", "--data", &path(&data), "--to", &path(&copy), "--with-keys"]);
    assert!(done, "{said}");
    drop(log);
    let back = dir.path().join("back");
    let (sound, said) = biobankd(&["restore", "--from", &path(&copy), "--data", &path(&back), "--nothing-newer"]);
    assert!(sound, "{said}");
    assert_eq!(root(&back.join("log")), root(&data.join("log")));
    assert!(prune(&data, "256", &file, &[]).1.contains("from 512"));
}

#[tokio::test]
async fn the_program_audits_and_copies_a_log_that_another_process_writes() {
    let dir = tempfile::tempdir().unwrap();
    let (data, copy, back) = (dir.path().join("data"), dir.path().join("copy"), dir.path().join("back"));
    folder(&data, None, 300).await;
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let log = open(&data.join("log"));
    assert!(!biobankd(&["check", "--data", &path(&data)]).0);
    let (sound, said) = biobankd(&["check", "--data", &path(&data), "--running"]);
    assert!(sound && said.contains("sound: 301 entries"), "{said}");
    assert!(!data.join("check").exists());
    let (done, said) = biobankd(&["backup", "--data", &path(&data), "--to", &path(&copy)]);
    assert!(done && said.contains("the keys are not part"), "{said}");
    assert!(!copy.join("log.key").exists());
    append(&log, &ENTRIES[300..310]).await;
    drop(log);
    // Without the key nobody goes on, and not behind what was published.
    let restore = |more: &[&str]| {
        let (from, to) = (path(&copy), path(&back));
        biobankd(&[&["restore", "--from", &from, "--data", &to], more].concat())
    };
    assert!(restore(&["--nothing-newer"]).1.contains("log.key"));
    std::fs::copy(data.join("log.key"), back.join("log.key")).unwrap();
    let newest = path(&data.join("log/public/checkpoint"));
    let (done, said) = restore(&["--newest", &newest]);
    assert!(!done && said.contains("311 entries were published, and the copy holds 301"), "{said}");
    let (done, said) = restore(&["--newest", &newest, "--mirror", &path(&data.join("log/public"))]);
    assert!(done && said.contains("sound: 311 entries"), "{said}");
    // It moves with its desk, not without; then the old store opens no more, for whatever.
    let store = |dir: &Path| format!("embedded:{}", path(&dir.join("log")));
    let (from, to) = (store(&back), store(&dir.path().join("moved")));
    let migrate = || biobankd(&["migrate", "--data", &path(&data), "--from", &from, "--to", &to]);
    let (done, said) = migrate();
    assert!(!done && said.contains("there is no desk"), "{said}");
    assert!(!back.join("desk.redb").exists());
    let desk = redb::Database::create(back.join("desk.redb")).unwrap();
    let write = desk.begin_write().unwrap();
    let accounts = redb::TableDefinition::<&str, &[u8]>::new("accounts");
    write.open_table(accounts).unwrap().insert("did:key:z6MkSomebody", b"{}".as_slice()).unwrap();
    write.commit().unwrap();
    drop(desk);
    let (done, said) = migrate();
    assert!(done && said.contains("311 entries") && said.contains("1 rows of the desk"), "{said}");
    assert_eq!(root(&dir.path().join("moved/log")), root(&data.join("log")));
    let (done, said) = migrate();
    assert!(!done && said.contains("holds something already"), "{said}");
    let copies = path(&dir.path().join("copies"));
    for (verb, more) in
        [("serve", &["--listen", "127.0.0.1:0"][..]), ("check", &[]), ("rebuild", &[]), ("backup", &["--to", &copies])]
    {
        let (done, said) = biobankd(&[&[verb, "--data", &path(&back)], more].concat());
        assert!(!done && said.contains("moved to another store"), "{verb}: {said}");
    }
    let stranger = NoteKey::new(ORIGIN, SigningKey::from_seed([6; 32])).unwrap();
    let note = std::fs::read_to_string(newest).unwrap();
    assert!(Checkpoint::open(&note, stranger.verifier()).is_err());
}
