use super::{AppendError, Embedded, FAIL_POINTS, Faults, LogStore, OpenError, check};
use consent::{ConsentState, ImpossibleMove, Move, Withdrawal};
use identity::SigningKey;
use ledger::{
    Act, ConsentEntry, ConsentEvent, EntryHash, Given, Hash, NoteKey, Receipt, Rejected, State, TileEdge, TileId,
};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

const ORIGIN: &str = "biobank.example/log";

fn note_key() -> NoteKey {
    NoteKey::new(ORIGIN, SigningKey::from_seed([5; 32])).unwrap()
}

fn open(dir: &Path) -> LogStore {
    LogStore::open(dir, note_key(), ORIGIN).unwrap()
}

fn sign(subject: Hash, previous: Option<EntryHash>, act: Act) -> ConsentEntry {
    let (notice, time) = (Hash::from_bytes([6; 32]), "2026-11-22T12:00:00Z".parse().unwrap());
    ConsentEntry::sign(&SigningKey::from_seed([1; 32]), &ConsentEvent { subject, previous, notice, time, act })
}

fn given(mark: u8) -> Given {
    let hash = Hash::from_bytes([mark; 32]);
    Given { credential: hash, policy: hash, until: None }
}

fn grant(number: u32) -> ConsentEntry {
    let mut subject = [0; 32];
    subject[..4].copy_from_slice(&number.to_be_bytes());
    sign(Hash::from_bytes(subject), None, Act::Grant(given(3)))
}

fn after(of: &ConsentEntry, act: Act) -> ConsentEntry {
    sign(of.event().subject, Some(of.hash()), act)
}

fn withdraw(of: &ConsentEntry) -> ConsentEntry {
    after(of, Act::Withdraw { level: Withdrawal::NoUse })
}

/// Made once: signing in debug builds takes a while.
static ENTRIES: LazyLock<Vec<ConsentEntry>> = LazyLock::new(|| (0..620).map(grant).collect());

async fn append_all(log: &LogStore, entries: &[ConsentEntry]) -> Vec<u64> {
    let waiting = entries.iter().map(|entry| log.append(entry.clone()));
    let mut indices = Vec::new();
    for answer in futures_in_order(waiting).await {
        indices.push(answer.unwrap().index);
    }
    indices
}

/// Polls all at once, so that they fall into few batches; answers in the order of the questions.
async fn futures_in_order<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut answers: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, answer) in futures.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *answer = Some(value);
            }
        }
        if answers.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}

/// Reads the whole log as a stranger would, through `read_tile`, and says which entries it holds.
fn verify(log: &LogStore) -> Vec<Vec<u8>> {
    let checkpoint = log.signed_checkpoint();
    assert_eq!(log.checkpoint(), checkpoint.note());
    let (mut edge, mut state, mut entries) = (TileEdge::new(), State::new(), Vec::new());
    let mut tiles = BTreeMap::new();
    for number in 0..checkpoint.size.div_ceil(256) {
        let id = ledger::BundleId::in_tree(number, checkpoint.size).unwrap();
        let bytes = log.read_tile(&id.path()).unwrap().unwrap();
        for entry in id.entries(&bytes).unwrap() {
            tiles.extend(edge.push(entry));
            state.apply(entries.len() as u64, &ConsentEntry::parse(entry).unwrap()).unwrap();
            entries.push(entry.to_vec());
        }
    }
    tiles.extend(edge.partial_tiles());
    assert_eq!(edge.root(), checkpoint.root);
    assert_eq!(log.tip().unwrap().state, state.hash());
    // The records, by pages: some of them are in memory, some on disk, some in both.
    let mut records = Vec::new();
    while let page = log.records_from("", records.last().map(|(key, _)| key), 100).unwrap()
        && !page.is_empty()
    {
        records.extend(page);
    }
    assert!(records.iter().map(|(key, record)| (key, record)).eq(state.records()));
    for (id, bytes) in tiles {
        assert_eq!(log.read_tile(&id.path()).unwrap().unwrap(), bytes, "{id}");
        if id.width > 1 && !id.is_full() {
            let narrower = TileId { width: id.width - 1, ..id };
            assert_eq!(log.read_tile(&narrower.path()).unwrap().unwrap(), bytes[..bytes.len() - 32]);
        }
    }
    for (index, entry) in entries.iter().enumerate().filter(|(i, _)| i % 50 == 0 || i + 3 > entries.len()) {
        let receipt = log.receipt(&EntryHash::of(entry)).unwrap().unwrap();
        let included = Receipt::verify(&receipt, entry, log.verifier()).unwrap();
        assert_eq!(included.index(), index as u64);
    }
    entries
}

#[tokio::test]
async fn entries_stay_and_read_back_at_every_border() {
    let dir = tempfile::tempdir().unwrap();
    let mut held = 0;
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 513, 620] {
        let log = open(dir.path());
        assert_eq!(log.signed_checkpoint().size, held as u64);
        let indices = append_all(&log, &ENTRIES[held..size]).await;
        assert_eq!(indices, (held as u64..size as u64).collect::<Vec<_>>());
        held = size;
        let entries = verify(&log);
        assert!(entries.iter().zip(ENTRIES.iter()).all(|(stored, entry)| stored == entry.bytes()));
        assert_eq!(entries.len(), size);
    }
    verify(&open(dir.path()));
}

#[tokio::test]
async fn the_same_entry_twice_has_one_place() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    // In one batch, in a later one, and after closing.
    let twice = [ENTRIES[0].clone(), ENTRIES[1].clone(), ENTRIES[0].clone()];
    assert_eq!(append_all(&log, &twice).await, [0, 1, 0]);
    assert_eq!(append_all(&log, &twice).await, [0, 1, 0]);
    drop(log);
    let log = open(dir.path());
    assert_eq!(append_all(&log, &twice).await, [0, 1, 0]);
    assert_eq!(verify(&log).len(), 2);
}

#[tokio::test]
async fn the_rules_are_kept_within_and_across_batches() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let first = grant(7);
    let pause = after(&first, Act::Suspend { until: None });
    let goes_on = after(&pause, Act::Resume);
    let change = after(&goes_on, Act::Change(given(4)));
    let end = withdraw(&change);
    let rejected = |answer| match answer {
        Err(AppendError::Rejected(why)) => why,
        other => panic!("{other:?}"),
    };
    let impossible = |from, step| Rejected::Impossible(ImpossibleMove { from, step });
    assert_eq!(rejected(log.append(end.clone()).await), Rejected::NotGranted);
    // In one batch: each entry is judged after those before it, and what is refused stops nobody else.
    let batch = [&first, &pause, &after(&pause, Act::Change(given(4))), &grant(8), &goes_on];
    let answers = futures_in_order(batch.map(|entry| log.append(entry.clone())).into_iter()).await;
    let mut indices = Vec::new();
    for (place, answer) in (0..).zip(answers) {
        match place {
            2 => assert_eq!(rejected(answer), impossible(ConsentState::Suspended, Move::Change)),
            _ => indices.push(answer.unwrap().index),
        }
    }
    assert_eq!(indices, [0, 1, 2, 3]);
    let batch = [change.clone(), end.clone(), withdraw(&end)].into_iter().map(|entry| log.append(entry));
    let mut answers = futures_in_order(batch).await.into_iter();
    assert_eq!(answers.next().unwrap().unwrap().index, 4);
    assert_eq!(answers.next().unwrap().unwrap().index, 5);
    let twice = impossible(ConsentState::Withdrawn, Move::Withdraw(Withdrawal::NoUse));
    assert_eq!(rejected(answers.next().unwrap()), twice);
    let late = sign(first.event().subject, None, Act::Grant(given(9)));
    assert_eq!(rejected(log.append(late).await), Rejected::PreviousMismatch { latest: Some(end.hash()) });
    assert_eq!(verify(&log).len(), 6);
    let written = |log: &LogStore| log.subject(&first.event().subject).unwrap().map(|s| s.standing.written);
    assert_eq!(written(&log), Some(ConsentState::Withdrawn));
    drop(log);
    let log = open(dir.path());
    assert_eq!((verify(&log).len(), written(&log)), (6, Some(ConsentState::Withdrawn)));
}

#[tokio::test]
async fn only_paths_of_the_published_log_are_served() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    append_all(&log, &ENTRIES[..3]).await;
    std::fs::write(dir.path().join("public/tile/secret"), "x").unwrap();
    for path in [
        "",
        "checkpoint",
        "tile/secret",
        "tile/../../log.redb",
        "tile/0/000",
        "tile/0/000.p/4",
        "tile/0/001.p/1",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/000.p/4",
        "/tile/0/000.p/3",
        "tile/0/000.p/3/",
    ] {
        assert_eq!(log.read_tile(path).unwrap(), None, "{path}");
    }
    for path in ["tile/0/000.p/1", "tile/0/000.p/2", "tile/0/000.p/3", "tile/entries/000.p/1", "tile/entries/000.p/3"] {
        assert!(log.read_tile(path).unwrap().is_some(), "{path}");
    }
    assert_eq!(log.receipt(&ENTRIES[9].hash()).unwrap(), None);
}

/// Leaves a log as a kill leaves it that comes before anything behind the commits was flushed.
async fn append_and_crash(dir: &Path, entries: &[ConsentEntry]) {
    let faults = Faults::planned();
    let log = LogStore::open_with(dir, note_key(), ORIGIN, faults.clone()).unwrap();
    faults.fail_at(Some("before-index"));
    append_all(&log, entries).await;
}

fn audit(dir: &Path) -> Vec<String> {
    let (store, scratch) = (Embedded::open(dir, note_key().verifier()).unwrap(), tempfile::tempdir().unwrap());
    check(&store, note_key().verifier(), scratch.path(), None).unwrap().findings
}

#[tokio::test]
async fn public_files_that_are_torn_missing_or_left_over_are_mended() {
    let dir = tempfile::tempdir().unwrap();
    append_and_crash(dir.path(), &ENTRIES[..300]).await;
    let public = dir.path().join("public");
    std::fs::write(public.join("next-7.tmp"), "half a ti").unwrap();
    std::fs::write(public.join("checkpoint"), "").unwrap();
    std::fs::write(public.join("tile/0/000"), "torn").unwrap();
    std::fs::write(public.join("tile/entries/000"), "").unwrap();
    std::fs::write(public.join("tile/0/001.p/44"), "").unwrap();
    std::fs::write(public.join("tile/0/001.p/7"), "").unwrap();
    std::fs::write(public.join("tile/entries/001.p/7"), "").unwrap();
    std::fs::create_dir_all(public.join("tile/0/000.p")).unwrap();
    std::fs::write(public.join("tile/0/000.p/9"), "left over").unwrap();
    std::fs::remove_dir_all(public.join("tile/1")).unwrap();
    let log = open(dir.path());
    assert_eq!(verify(&log).len(), 300);
    assert!(!public.join("next-7.tmp").exists() && !public.join("tile/0/000.p").exists());
    assert_eq!(log.read_tile("tile/0/000.p/9").unwrap().unwrap().len(), 9 * 32);
    append_all(&log, &ENTRIES[300..310]).await;
    assert_eq!(verify(&log).len(), 310);
    drop(log);
    assert_eq!(audit(dir.path()), Vec::<String>::new());
}

#[tokio::test]
async fn an_index_that_is_lost_or_belongs_elsewhere_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    append_all(&open(dir.path()), &ENTRIES[..300]).await;
    let index = dir.path().join("index.redb");
    let old = std::fs::read(&index).unwrap();
    append_all(&open(dir.path()), &ENTRIES[300..600]).await;
    // Lost, empty, cut off, torn in the middle, of a shorter log, of another log.
    let whole = std::fs::read(&index).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    append_all(&open(elsewhere.path()), &ENTRIES[5..605]).await;
    let foreign = std::fs::read(elsewhere.path().join("index.redb")).unwrap();
    let mut torn = whole.clone();
    torn[..4096].fill(7);
    for (what, bytes) in
        [("empty", &whole[..0]), ("cut", &whole[..5000]), ("torn", &torn), ("short", &old), ("foreign", &foreign)]
    {
        std::fs::write(&index, bytes).unwrap();
        assert_eq!(verify(&open(dir.path())).len(), 600, "{what}");
        assert_eq!(audit(dir.path()), Vec::<String>::new(), "{what}");
    }
    std::fs::remove_file(&index).unwrap();
    assert_eq!(verify(&open(dir.path())).len(), 600);
    // A later index beside an older journal, as a careless restore leaves it.
    std::fs::copy(&index, elsewhere.path().join("index.redb")).unwrap();
    assert_eq!(verify(&open(elsewhere.path())).len(), 600);
}

#[tokio::test]
async fn a_log_that_can_not_be_mended_is_not_opened() {
    let open = |dir: &Path, key: NoteKey| LogStore::open(dir, key, ORIGIN).err();
    let dir = tempfile::tempdir().unwrap();
    append_all(&self::open(dir.path()), &ENTRIES[..300]).await;
    append_all(&self::open(dir.path()), &ENTRIES[300..301]).await;

    // Another key, another name.
    let stranger = NoteKey::new(ORIGIN, SigningKey::from_seed([6; 32])).unwrap();
    assert!(matches!(open(dir.path(), stranger), Some(OpenError::OtherLog)));
    let elsewhere = NoteKey::new("other.example/log", SigningKey::from_seed([5; 32])).unwrap();
    assert!(matches!(open(dir.path(), elsewhere), Some(OpenError::KeyName)));
    // Two processes at once.
    let first = self::open(dir.path());
    assert!(matches!(open(dir.path(), note_key()), Some(OpenError::Database(_))));
    drop(first);

    // A journal from an old copy beside a newer public checkpoint.
    let old = tempfile::tempdir().unwrap();
    append_all(&self::open(old.path()), &ENTRIES[..5]).await;
    std::fs::copy(dir.path().join("public/checkpoint"), old.path().join("public/checkpoint")).unwrap();
    assert!(matches!(open(old.path(), note_key()), Some(OpenError::WentBack)));

    // A full tile is made again from its entries.
    let tile = dir.path().join("public/tile/0/000");
    std::fs::write(&tile, "torn").unwrap();
    assert_eq!(verify(&self::open(dir.path())).len(), 301);

    // A full bundle that is the only copy of its entries. No start reads it, unless it has to: the audit does.
    let bundle = dir.path().join("public/tile/entries/000");
    let mut bytes = std::fs::read(&bundle).unwrap();
    std::fs::write(&bundle, &bytes[..bytes.len() - 9]).unwrap();
    assert_eq!(audit(dir.path()), ["tile/entries/000 is missing or torn"]);
    bytes[200] ^= 1;
    std::fs::write(&bundle, &bytes).unwrap();
    assert_eq!(audit(dir.path()), ["entry 0: the signature of an entry is not valid"]);
    std::fs::remove_file(dir.path().join("index.redb")).unwrap();
    assert!(matches!(open(dir.path(), note_key()), Some(OpenError::Damaged(_))));
}

#[tokio::test]
async fn nothing_is_shown_or_answered_after_the_disk_failed() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    append_all(&log, &ENTRIES[..2]).await;
    // A file where a folder has to be: the write fails for every user, also for root.
    std::fs::remove_dir_all(dir.path().join("public/tile/0")).unwrap();
    std::fs::write(dir.path().join("public/tile/0"), "in the way").unwrap();
    assert!(matches!(log.append(ENTRIES[2].clone()).await, Err(AppendError::Stopped)));
    assert!(matches!(log.append(ENTRIES[3].clone()).await, Err(AppendError::Stopped)));
    assert_eq!(log.signed_checkpoint().size, 2);
    drop(log);
    std::fs::remove_file(dir.path().join("public/tile/0")).unwrap();
    // The entry was durable before the failure, so it is there, once.
    let log = open(dir.path());
    assert_eq!(verify(&log).len(), 3);
    assert_eq!(append_all(&log, &ENTRIES[2..4]).await, [2, 3]);
}

/// The process that is killed: appends ten entries at a time over what is there, and prints what is acknowledged.
#[tokio::test]
#[ignore = "started by the test below"]
async fn child() {
    let Ok(dir) = std::env::var("LOG_TEST_DIR") else { return };
    let log = open(Path::new(&dir));
    let start = log.signed_checkpoint().size as usize;
    for chunk in ENTRIES[start..].chunks(10) {
        append_all(&log, chunk).await;
        println!("acknowledged {}", log.signed_checkpoint().size);
    }
}

/// Kills a writer at each step of a write, and once in the middle of anything, and reads the log again.
#[test]
fn no_acknowledged_entry_is_lost_at_any_step() {
    for at in FAIL_POINTS {
        // The table in `tests/faults.rs` has the same at a border of tiles.
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["log::tests::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .env("LOG_TEST_DIR", dir.path())
            .env("BIOBANKD_STOP_AT", at)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stopped = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .any(|line| line.unwrap() == format!("stopped at {at}"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(stopped, "{at} is never reached");
        // The very first checkpoint may not have been shown.
        let public = std::fs::read_to_string(dir.path().join("public/checkpoint")).unwrap_or_default();
        let shown: u64 = public.lines().nth(1).map_or(0, |size| size.parse().unwrap());

        let log = open(dir.path());
        let held = verify(&log).len();
        assert!(held as u64 >= shown && held <= 10, "{at}: {held}, shown {shown}");
        // Who got no answer asks again: nothing is lost and nothing is doubled.
        let indices = runtime.block_on(append_all(&log, &ENTRIES[..10]));
        assert_eq!(indices, (0..10).collect::<Vec<_>>());
        assert_eq!(verify(&log).len(), 10);
        drop(log);
        assert_eq!(audit(dir.path()), Vec::<String>::new(), "{at}");
    }
}

#[test]
fn a_writer_that_is_killed_at_any_moment_has_kept_what_it_acknowledged() {
    for round in 0..3_u64 {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["log::tests::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .env("LOG_TEST_DIR", dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut acknowledged = 0;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.by_ref() {
            if let Some(count) = line.unwrap().strip_prefix("acknowledged ") {
                acknowledged = count.parse().unwrap();
                if acknowledged > 100 + round * 110 {
                    break;
                }
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(7 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            if let Some(count) = line.strip_prefix("acknowledged ") {
                acknowledged = count.parse().unwrap();
            }
        }
        let entries = verify(&open(dir.path()));
        assert!(entries.len() as u64 >= acknowledged && acknowledged > 100);
        assert!(entries.iter().zip(ENTRIES.iter()).all(|(stored, entry)| stored == entry.bytes()));
    }
}
