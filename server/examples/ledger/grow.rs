//! A log that grows, entry by entry through its one writer.

use super::Outcome;
use super::people::Person;
use identity::SigningKey;
use ledger::{Entry, NoteKey};
use server::Institution;
use server::log::LogStore;
use std::path::Path;
use std::time::{Duration, Instant};

/// Entries that are handed to the writer at once. It commits at most 1,024 of them together.
const AT_ONCE: u64 = 4_096;
/// Entries before a power of ten over which the cost of one is taken.
const WINDOW: u64 = 8 * AT_ONCE;

/// The log in a biobank's folder.
pub fn open(dir: &Path) -> Outcome<LogStore> {
    let institution: Institution = serde_json::from_slice(&std::fs::read(dir.join("institution.json"))?)?;
    let seed: [u8; 32] = std::fs::read(dir.join("log.key"))?.try_into().map_err(|_| "log.key: 32 bytes")?;
    let key = NoteKey::new(&institution.origin, SigningKey::from_seed(seed))?;
    Ok(LogStore::open(&dir.join("log"), key, &institution.origin)?)
}

/// Opens the log and tells what that cost.
pub fn open_once(dir: &Path) -> Outcome {
    let begun = Instant::now();
    let log = open(dir)?;
    let took = begun.elapsed();
    println!("{},{:.1},{}", log.signed_checkpoint().size, took.as_secs_f64() * 1e3, peak());
    Ok(())
}

/// Grants by one subject after the other, until the log has so many entries.
pub async fn grow(dir: &Path, upto: u64) -> Outcome {
    println!("entries,entries_per_second,microseconds_per_entry,open_ms,open_peak_kb,grow_peak_kb,bytes_on_disk");
    let mut log = open(dir)?;
    let mut size = log.signed_checkpoint().size;
    // Who takes part is numbered by what the log held, so that a log can be grown further.
    let mut person = size;
    let begun = size;
    for mark in (4..=9).map(|power| 10_u64.pow(power)).filter(|mark| *mark > begun && *mark <= upto) {
        let mut windows: Vec<(u64, Duration)> = Vec::new();
        while size < mark {
            let count = AT_ONCE.min(mark - size);
            let entries = sign(person, count);
            person += count;
            // Signing was before: this is what the institution's own machine has to do.
            let begun = Instant::now();
            let answers = log.append_many(entries).await;
            windows.push((count, begun.elapsed()));
            if let Some(error) = answers.into_iter().find_map(Result::err) {
                return Err(error.into());
            }
            size += count;
        }
        let (mut count, mut took) = (0, Duration::ZERO);
        for (entries, time) in windows.into_iter().rev() {
            if count < WINDOW {
                (count, took) = (count + entries, took + time);
            }
        }
        drop(log);
        let opened = std::process::Command::new(std::env::current_exe()?).arg("open").arg(dir).output()?;
        let opened = String::from_utf8(opened.stdout)?;
        let (_, cost) = opened.trim().split_once(',').ok_or("the log could not be opened again")?;
        let each = took.as_secs_f64() / count as f64;
        println!("{mark},{:.0},{:.1},{cost},{},{}", 1.0 / each, each * 1e6, peak(), bytes(&dir.join("log"))?);
        log = open(dir)?;
    }
    Ok(())
}

/// What `count` people say, signed on two threads.
pub fn sign(first: u64, count: u64) -> Vec<Entry> {
    let half = first + count / 2;
    let make =
        |range: std::ops::Range<u64>| range.map(|number| Entry::from(Person::of(number).grant())).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let second = scope.spawn(move || make(half..first + count));
        let mut entries = make(first..half);
        entries.extend(second.join().unwrap_or_default());
        entries
    })
}

/// The most memory that this process ever had, in KiB, where the system tells.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

fn bytes(path: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() { bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}
