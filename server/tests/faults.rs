//! The fault table of the log: at each step of a write the step fails, fails although it happened, or the process is
//! killed; files are torn at several lengths; the disk is full; times go backwards. After each, the log is opened
//! again, everything that was acknowledged is there under its number, nothing is there twice, and the audit compares
//! all that is stored with what the entries give. `cargo test --test faults -- --nocapture` prints the table.

mod flaky;
mod log_stage;

use flaky::{Flaky, Trouble};
use ledger::{ConsentEntry, EntryHash, Receipt};
use log_stage::{ENTRIES, ORIGIN, append, audit, grant, note_key, open, sign};
use server::log::{
    Embedded, FAIL_POINTS, Faults, Known, LogStore, OpenError, SETTLE_POINTS, Store, parse_entries, rebuild, restore,
};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Just below a border of tiles, so that partial and full files are both written.
const BEFORE: usize = 250;
const NEW: usize = 12;

fn row(fault: &str, place: &str, outcome: &str) {
    println!("| {fault:<22} | {place:<34} | {outcome} |");
}

fn steps() -> impl Iterator<Item = &'static str> {
    FAIL_POINTS.iter().chain(SETTLE_POINTS).copied()
}

/// Appends one entry after another until one is not acknowledged; `plan` hears how many were before each. Those that
/// were acknowledged, by their number.
async fn append_until_it_fails(log: &LogStore, plan: impl Fn(usize)) -> BTreeMap<u64, EntryHash> {
    let mut acknowledged = BTreeMap::new();
    for entry in &ENTRIES[BEFORE..BEFORE + NEW] {
        plan(acknowledged.len());
        match log.append(entry.clone()).await {
            Ok(appended) => acknowledged.insert(appended.index, entry.hash()),
            Err(_) => break,
        };
    }
    acknowledged
}

/// Opens a log after a fault and holds it to everything that was promised. How many entries it has.
async fn hold(dir: &Path, acknowledged: &BTreeMap<u64, EntryHash>, what: &str) -> u64 {
    let log = open(dir);
    let held = log.signed_checkpoint().size;
    assert!(held >= (BEFORE + acknowledged.len()) as u64, "{what}: {held}");
    for (index, hash) in acknowledged {
        let entry = log.entry(*index).unwrap().unwrap();
        assert_eq!(EntryHash::of(&entry), *hash, "{what}");
        let receipt = log.receipt(hash).unwrap().unwrap();
        assert_eq!(Receipt::verify(&receipt, &entry, log.verifier()).unwrap().index(), *index, "{what}");
    }
    // Who got no answer asks again: nothing is lost and nothing is doubled.
    let again = append(&log, &ENTRIES[..BEFORE + NEW]).await;
    assert!(again.iter().copied().eq(0..(BEFORE + NEW) as u64), "{what}");
    assert_eq!(log.signed_checkpoint().size, held.max((BEFORE + NEW) as u64), "{what}");
    drop(log);
    assert_eq!(audit(dir), Vec::<String>::new(), "{what}");
    held
}

#[tokio::test]
async fn a_step_that_fails_whether_it_happened_or_not_loses_nothing() {
    // At once, and where an entry fills a bundle and a tile.
    let border = 256 - BEFORE - 1;
    for (point, from) in steps().flat_map(|point| [(point, 0), (point, border)]) {
        let dir = tempfile::tempdir().unwrap();
        append(&open(dir.path()), &ENTRIES[..BEFORE]).await;
        let faults = Faults::planned();
        let log = LogStore::open_with(dir.path(), note_key(), ORIGIN, faults.clone()).unwrap();
        let acknowledged = append_until_it_fails(&log, |done| faults.fail_at((done >= from).then_some(point))).await;
        if SETTLE_POINTS.contains(&point) {
            // It fails behind the answers, and must not go unnoticed.
            let begun = Instant::now();
            while !log.is_stopped() {
                assert!(begun.elapsed() < Duration::from_secs(20), "{point} is never reached");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        assert!(log.is_stopped(), "{point}");
        assert!(log.append(ENTRIES[600].clone()).await.is_err(), "{point}");
        drop(log);
        let held = hold(dir.path(), &acknowledged, point).await;
        let fault = if point.starts_with("after") { "failed but happened" } else { "failed" };
        let place = format!("{point}, entry {}", BEFORE + from);
        row(fault, &place, &format!("{} of {NEW} acknowledged, {} held", acknowledged.len(), held - BEFORE as u64));
    }
}

/// The process that is killed.
#[tokio::test]
#[ignore = "started by the test below"]
async fn child() {
    let Ok(dir) = std::env::var("LOG_TEST_DIR") else { return };
    let log = open(Path::new(&dir));
    for entry in &ENTRIES[BEFORE..] {
        println!("acknowledged {}", log.append(entry.clone()).await.unwrap().index);
    }
}

#[tokio::test]
async fn a_process_that_is_killed_at_any_step_loses_nothing() {
    for point in steps() {
        let dir = tempfile::tempdir().unwrap();
        append(&open(dir.path()), &ENTRIES[..BEFORE]).await;
        let acknowledged_by = dir.path().join("said");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .env("LOG_TEST_DIR", dir.path())
            .env("BIOBANKD_STOP_AT", point)
            .stdout(std::fs::File::create(&acknowledged_by).unwrap())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stopped = format!("stopped at {point}");
        let reached = BufReader::new(child.stderr.take().unwrap()).lines().any(|line| line.unwrap() == stopped);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(reached, "{point} is never reached");
        let said = std::fs::read_to_string(&acknowledged_by).unwrap();
        let numbers = said.lines().filter_map(|line| line.split("acknowledged ").nth(1)?.parse::<usize>().ok());
        let acknowledged: BTreeMap<_, _> = numbers.map(|n| (n as u64, ENTRIES[n].hash())).collect();
        let held = hold(dir.path(), &acknowledged, point).await;
        row("kill -9", point, &format!("{} acknowledged, {} held", acknowledged.len(), held - BEFORE as u64));
    }
}

/// Lets the disk take no more than so many bytes: by our own files and below the databases, not by a file system, so
/// that the test needs no rights and is exact.
#[tokio::test]
async fn a_full_disk_loses_nothing() {
    for space in [0, 1, 700, 4_096, 20_000, 60_000, 150_000, 400_000, 800_000, 2_000_000] {
        let dir = tempfile::tempdir().unwrap();
        append(&open(dir.path()), &ENTRIES[..BEFORE]).await;
        let faults = Faults::planned();
        let log = LogStore::open_with(dir.path(), note_key(), ORIGIN, faults.clone()).unwrap();
        faults.leave_space(space);
        let acknowledged = append_until_it_fails(&log, |_| ()).await;
        assert!(log.is_stopped() || acknowledged.len() == NEW, "{space}");
        drop(log);
        let what = format!("after {space} bytes");
        let held = hold(dir.path(), &acknowledged, &what).await;
        row("full disk", &what, &format!("{} acknowledged, {} held", acknowledged.len(), held - BEFORE as u64));
    }
}

/// Each kind of file of the log, where it lies when it has as many entries as here.
const FILES: &[(&str, &str)] = &[
    ("journal", "log.redb"),
    ("index", "index.redb"),
    ("checkpoint", "public/checkpoint"),
    ("full bundle", "public/tile/entries/000"),
    ("partial bundle", "public/tile/entries/001.p/6"),
    ("full tile", "public/tile/0/000"),
    ("partial tile", "public/tile/0/001.p/6"),
    ("tile above", "public/tile/1/000.p/1"),
];

/// What becomes of a torn file.
fn tear(path: &Path, how: usize) -> String {
    let bytes = std::fs::read(path).unwrap();
    let (half, last) = (bytes.len() / 2, bytes.len() - 1);
    let torn = match how {
        0 => Vec::new(),
        1 => bytes[..1].to_vec(),
        2 => bytes[..half].to_vec(),
        3 => bytes[..last].to_vec(),
        // As long as it should be, but the end was never written.
        _ => [&bytes[..half], &vec![0; bytes.len() - half]].concat(),
    };
    let (kept, length) = (if how < 4 { torn.len() } else { half }, bytes.len());
    std::fs::write(path, torn).unwrap();
    let rest = if how < 4 { "cut" } else { "zeroed" };
    format!("{rest} at {kept} of {length}")
}

#[tokio::test]
async fn files_that_are_torn_are_mended_found_or_refused() {
    let stages = tempfile::tempdir().unwrap();
    for crashed in [true, false] {
        let stage = stages.path().join(if crashed { "crashed" } else { "closed" });
        let faults = Faults::planned();
        let log = LogStore::open_with(&stage, note_key(), ORIGIN, faults.clone()).unwrap();
        // A crash comes before anything behind the commits was flushed; a close flushes all of it.
        faults.fail_at(crashed.then_some("before-flush"));
        append(&log, &ENTRIES[..BEFORE + NEW]).await;
        drop(log);
        for (kind, file) in FILES {
            for how in 0..5 {
                let (dir, copy) = (stages.path().join("torn"), stages.path().join("copy"));
                copy_all(&stage, &dir);
                copy_all(&stage.join("public"), &copy.join("public"));
                let torn = tear(&dir.join(file), how);
                let outcome = after_the_tear(&dir, &copy).await;
                let when = if crashed { "torn by a crash" } else { "torn after a close" };
                // What a crash can tear is mended by the next start alone; so is what can be made again.
                let lasting = matches!(*kind, "full bundle") && !crashed;
                match *kind {
                    "journal" => assert_ne!(outcome, "found by the audit", "{torn}"),
                    _ if lasting => assert_eq!(outcome, "found by the audit", "{kind} {torn}"),
                    _ => assert_eq!(outcome, "mended by the start", "{kind} {when} {torn}"),
                }
                row(when, &format!("{kind}, {torn}"), outcome);
                std::fs::remove_dir_all(dir).unwrap();
                std::fs::remove_dir_all(copy).unwrap();
            }
        }
    }
}

/// Opens a torn log; whatever comes of it, it comes back with every entry.
async fn after_the_tear(dir: &Path, copy: &Path) -> &'static str {
    let all = (BEFORE + NEW) as u64;
    let known = Known { mirror: None, newest: None, nothing_newer: true };
    let restored = |outcome| {
        let back = dir.with_extension("back");
        drop(restore(copy, &back, note_key().verifier(), known).unwrap());
        assert_eq!((entries(&back), audit(&back)), (all, Vec::new()));
        std::fs::remove_dir_all(back).unwrap();
        outcome
    };
    match LogStore::open(dir, note_key(), ORIGIN) {
        Ok(log) => drop(log),
        // Never a log that forgets: either it says that it went back, or it can not be read.
        Err(OpenError::WentBack | OpenError::Damaged(_) | OpenError::Database(_) | OpenError::Store(_)) => {
            return restored("refused, restored");
        }
        Err(other) => panic!("{other}"),
    }
    if audit(dir).is_empty() {
        assert_eq!(entries(dir), all);
        return "mended by the start";
    }
    // The only copy of its entries on this machine: nothing here can make it again.
    assert!(rebuild(dir, note_key().verifier()).is_err());
    restored("found by the audit")
}

fn entries(dir: &Path) -> u64 {
    Embedded::open(dir, note_key().verifier()).unwrap().tip().unwrap().unwrap().turn.size
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let (from, to): (PathBuf, PathBuf) = (file.as_ref().unwrap().path(), to.join(file.unwrap().file_name()));
        if from.is_dir() { copy_all(&from, &to) } else { assert!(std::fs::copy(from, to).is_ok()) }
    }
}

/// Two writers over one store, as two nodes are: each takes the turn from the other again and again.
#[tokio::test(flavor = "multi_thread")]
async fn two_writers_never_fork_and_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Embedded::open(dir.path(), note_key().verifier()).unwrap());
    let nodes = [0, 1].map(|_| LogStore::over(store.clone(), note_key()).unwrap());
    let [one, two] = &nodes;
    let write = async |log: &LogStore, entries: &[ConsentEntry]| {
        let mut numbers = Vec::new();
        for chunk in entries.chunks(7) {
            numbers.extend(append(log, chunk).await);
        }
        numbers
    };
    let (first, second) = tokio::join!(write(one, &ENTRIES[..300]), write(two, &ENTRIES[300..600]));
    let mut all: Vec<u64> = first.iter().chain(&second).copied().collect();
    all.sort_unstable();
    assert!(all.iter().copied().eq(0..600));
    // Whoever is asked, an entry has one number.
    assert_eq!(append(two, &ENTRIES[..300]).await, first);
    assert_eq!(append(one, &ENTRIES[300..600]).await, second);
    assert!(!one.is_stopped() && !two.is_stopped());
    drop(nodes);
    drop(store);
    assert_eq!((entries(dir.path()), audit(dir.path())), (600, Vec::new()));
    row("two writers", "600 entries, seven at a time", "every number once, no fork");
}

/// A connection that breaks before a commit or after it, and a turn that is lost: the writer finds out what happened.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_or_a_lost_turn_is_settled_by_the_writer_itself() {
    for trouble in Trouble::ALL {
        let dir = tempfile::tempdir().unwrap();
        let flaky = Flaky::new(Embedded::open(dir.path(), note_key().verifier()).unwrap());
        let log = LogStore::over(flaky.clone(), note_key()).unwrap();
        append(&log, &ENTRIES[..BEFORE]).await;
        flaky.plan(trouble);
        let mut heard = log.subscribe();
        assert_eq!(append(&log, &ENTRIES[BEFORE..BEFORE + 1]).await, [BEFORE as u64], "{trouble:?}");
        assert_eq!(log.signed_checkpoint().size, BEFORE as u64 + 1, "{trouble:?}");
        assert_eq!(append(&log, &ENTRIES[BEFORE + 1..BEFORE + NEW]).await.len(), NEW - 1);
        assert!(flaky.is_over() && !log.is_stopped(), "{trouble:?}");
        assert!(log.wait_published((BEFORE + NEW) as u64 - 1).await);
        // The last of them is told of; an entry whose commit was in doubt need not be.
        let mut last = None;
        while let Ok(next) = heard.try_recv() {
            last = Some((next.index, next.hash));
        }
        assert_eq!(last, Some(((BEFORE + NEW) as u64 - 1, ENTRIES[BEFORE + NEW - 1].hash())));
        drop((log, flaky));
        assert_eq!((entries(dir.path()), audit(dir.path())), ((BEFORE + NEW) as u64, Vec::new()), "{trouble:?}");
        row("connection", &format!("{trouble:?}"), "settled, every entry once");
    }
}

/// With a publisher the log is durable before it is public, and public only when the publisher says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_decides_when_a_checkpoint_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    append(&log, &ENTRIES[..3]).await;
    let mut publisher = log.take_over_publishing();
    publisher.mark_unchanged();
    append(&log, &ENTRIES[3..8]).await;
    assert_eq!((log.signed_checkpoint().size, log.tip().unwrap().turn.size), (3, 8));
    assert!(log.subject(&ENTRIES[7].event().subject).unwrap().is_some());
    assert_eq!(log.receipt(&ENTRIES[7].hash()).unwrap(), None);
    assert_eq!(log.read_tile("tile/0/000.p/8").unwrap(), None);
    publisher.changed().await.unwrap();
    let newest = publisher.borrow_and_update().clone();
    assert_eq!(newest.size, 8);
    let (published, waited) = (log.publish(&newest), log.wait_published(7).await);
    assert!(published.is_ok() && waited && log.receipt(&ENTRIES[7].hash()).unwrap().is_some());
    // A smaller one later changes nothing; without the publisher the log shows its checkpoints itself.
    drop(publisher);
    append(&log, &ENTRIES[8..9]).await;
    log.publish(&newest).unwrap();
    assert_eq!(log.signed_checkpoint().size, 9);
}

#[tokio::test]
async fn many_signatures_are_checked_strictly_and_each_alone() {
    let mut bytes: Vec<Vec<u8>> = ENTRIES[..200].iter().map(|entry| entry.bytes().to_vec()).collect();
    bytes[150].pop();
    bytes[70] = b"no entry".to_vec();
    let parsed = parse_entries(bytes).await;
    let bad: Vec<usize> = (0..200).filter(|place| parsed[*place].is_err()).collect();
    assert_eq!((parsed.len(), bad), (200, vec![70, 150]));
    assert!(
        parsed
            .iter()
            .zip(ENTRIES.iter())
            .all(|(read, entry)| read.as_ref().is_ok_and(|e| e.hash() == entry.hash()) || read.is_err())
    );
}

/// The log reads no clock: the order of entries is that of their numbers, whatever their signers' clocks say.
#[tokio::test]
async fn clocks_that_go_backwards_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    append(&log, &ENTRIES[..BEFORE]).await;
    let years = ["2030-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2026-11-22T12:00:00Z"];
    let given = grant(7_000).event().act;
    let entries: Vec<_> = (0..9_u32)
        .map(|n| {
            let subject = grant(8_000 + n).event().subject;
            sign(subject, None, years[n as usize % 3], given)
        })
        .collect();
    let numbers = append(&log, &entries).await;
    assert!(numbers.iter().copied().eq(BEFORE as u64..BEFORE as u64 + 9));
    drop(log);
    assert_eq!(audit(dir.path()), Vec::<String>::new());
    row("clock goes backwards", "times of entries", "numbers follow the order of arrival");
}
