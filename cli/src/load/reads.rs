//! What a load test reads: proofs, tiles, decisions; and whether a log holds what it said that it holds.

use super::drive::{Expects, Job};
use super::people::{Staff, ask, get};
use super::wire::{Address, Wire};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consent::Purpose;
use identity::{SigningKey, to_canonical};
use ledger::{BundleId, Entry, EntryHash, Event, Hash, TILE_WIDTH, TileId};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How many bundles are read to find out whom or what to ask for.
const BUNDLES: u64 = 400;
/// The most subjects of one question, as the service has it.
pub const MAX_SUBJECTS: usize = 1_000;
/// How many subjects are asked about one by one to find some that are in one study.
const ONE_BY_ONE: usize = 2_000;

/// What to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Reads {
    /// Receipts of entries.
    Proofs,
    /// Tiles of hashes and bundles of entries, full ones.
    Tiles,
    /// Whether a purpose is covered: signed questions, one subject each, or `--batch` of them.
    Decisions,
}

/// The size of the published log.
fn size(wire: &mut Wire) -> Result<u64, String> {
    let note = String::from_utf8_lossy(&ask(wire, &get("/checkpoint"))?).into_owned();
    let size = note.lines().nth(1).and_then(|line| line.parse().ok());
    size.ok_or_else(|| "the checkpoint can not be read".to_owned())
}

fn bundle(wire: &mut Wire, number: u64, size: u64) -> Result<Vec<Vec<u8>>, String> {
    let id = BundleId::in_tree(number, size).ok_or("a bundle beyond the log")?;
    let bytes = ask(wire, &get(&format!("/{}", id.path())))?;
    let entries = id.entries(&bytes).map_err(|error| error.to_string())?;
    Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
}

/// Entries from all over the log.
fn sample(wire: &mut Wire) -> Result<Vec<Vec<u8>>, String> {
    let size = size(wire)?;
    let bundles = size.div_ceil(TILE_WIDTH);
    let picked: BTreeSet<u64> = (0..bundles.min(BUNDLES)).map(|n| n * bundles / bundles.min(BUNDLES)).collect();
    let mut entries = Vec::new();
    for number in picked {
        entries.extend(bundle(wire, number, size)?);
    }
    if entries.is_empty() { Err("the log is empty".to_owned()) } else { Ok(entries) }
}

/// Spreads jobs over lines.
fn spread(jobs: impl Iterator<Item = Job>, lines: usize) -> Vec<Vec<Job>> {
    let mut spread: Vec<Vec<Job>> = (0..lines).map(|_| Vec::new()).collect();
    for (number, job) in jobs.enumerate() {
        if let Some(line) = spread.get_mut(number % lines) {
            line.push(job);
        }
    }
    spread
}

/// Requests for so many receipts, of entries from all over the log.
pub fn proofs(address: &Address, count: usize, lines: usize) -> Result<Vec<Vec<Job>>, String> {
    let mut wire = Wire::open(address).map_err(|error| error.to_string())?;
    let paths: Vec<String> =
        sample(&mut wire)?.iter().map(|entry| format!("/v1/entries/{}/proof", EntryHash::of(entry))).collect();
    let jobs = mixed(&paths).take(count).map(|path| Job { request: get(path), expects: Expects::Ok });
    Ok(spread(jobs, lines))
}

/// Requests for so many full tiles and bundles.
pub fn tiles(address: &Address, count: usize, lines: usize) -> Result<Vec<Vec<Job>>, String> {
    let mut wire = Wire::open(address).map_err(|error| error.to_string())?;
    let full = size(&mut wire)? / TILE_WIDTH;
    if full == 0 {
        return Err("the log has no full tile yet".to_owned());
    }
    let width = TILE_WIDTH as u16;
    let tile = |index| format!("/{}", TileId { level: 0, index, width }.path());
    let paths: Vec<String> =
        (0..full).flat_map(|index| [tile(index), format!("/{}", BundleId { index, width }.path())]).collect();
    let jobs = mixed(&paths).take(count).map(|path| Job { request: get(path), expects: Expects::Ok });
    Ok(spread(jobs, lines))
}

/// All of them again and again, in steps that jump about.
fn mixed(paths: &[String]) -> impl Iterator<Item = &String> {
    let count = paths.len();
    (0..).filter_map(move |number: usize| paths.get(number.wrapping_mul(2_654_435_761) % count.max(1)))
}

/// Questions about so many subjects of the log, `batch` in each request, each line from an auditor of its own.
pub fn decisions(
    staff: &mut Staff,
    address: &Address,
    purpose: Value,
    (count, lines, batch): (usize, usize, usize),
) -> Result<Vec<Vec<Job>>, String> {
    let known: Result<Purpose, _> = serde_json::from_value(purpose.clone());
    known.map_err(|error| format!("the purpose can not be read: {error}"))?;
    let auditors = staff.auditors(lines)?;
    let mut wire = Wire::open(address).map_err(|error| error.to_string())?;
    let subjects = subjects(&mut wire, staff, &auditors, &purpose)?;
    let canonical = to_canonical(&purpose).map_err(|error| error.to_string())?;
    let canonical = URL_SAFE_NO_PAD.encode(canonical);
    // Nobody twice in one question.
    let mut asked = subjects.chunks(batch).cycle();
    let mut spread: Vec<Vec<Job>> = (0..lines).map(|_| Vec::new()).collect();
    for number in 0..count.div_ceil(batch) {
        let (Some(line), Some(key)) = (spread.get_mut(number % lines), auditors.get(number % lines)) else { continue };
        line.push(match asked.next().unwrap_or_default() {
            [one] if batch == 1 => {
                let path = format!("/v1/decision?subject={one}&purpose={canonical}");
                Job { request: staff.sign(key, "GET", &path, Vec::new()), expects: Expects::Ok }
            }
            some => {
                let body = json!({ "subjects": some, "purpose": purpose }).to_string().into_bytes();
                let request = staff.sign(key, "POST", "/v1/decisions", body);
                Job { request, expects: Expects::Decisions(some.len()) }
            }
        });
    }
    Ok(spread)
}

/// Subjects of one study, because a question is about one study. Which subjects share one only the biobank knows: if
/// not all of them do, they are asked about one by one.
fn subjects(wire: &mut Wire, staff: &mut Staff, auditors: &[SigningKey], purpose: &Value) -> Result<Vec<Hash>, String> {
    let mut names = BTreeSet::new();
    for bytes in sample(wire)? {
        if let Ok(entry) = Entry::parse(&bytes)
            && let Event::Consent(event) = entry.said()
        {
            names.insert(event.subject);
        }
    }
    let names: Vec<Hash> = names.into_iter().collect();
    let mut keys = auditors.iter().cycle();
    let mut asked = |names: &[Hash]| -> Result<Value, String> {
        let body = json!({ "subjects": names, "purpose": purpose }).to_string().into_bytes();
        let key = keys.next().ok_or("no auditors")?;
        let answer = ask(wire, &staff.sign(key, "POST", "/v1/decisions", body))?;
        serde_json::from_slice(&answer).map_err(|error| error.to_string())
    };
    if !names.is_empty() && names.chunks(MAX_SUBJECTS).all(|some| asked(some).is_ok()) {
        return Ok(names);
    }
    let mut studies: BTreeMap<String, Vec<Hash>> = BTreeMap::new();
    for name in names.into_iter().take(ONE_BY_ONE) {
        let answer = asked(&[name])?;
        let study = answer["answers"][0]["study"].as_str().unwrap_or_default().to_owned();
        studies.entry(study).or_default().push(name);
    }
    studies.into_values().max_by_key(Vec::len).ok_or_else(|| "the log has no consents".to_owned())
}

/// How many of these entries the log does not hold under the numbers that it gave them.
pub fn missing(address: &Address, acknowledged: &[(u64, EntryHash)]) -> Result<u64, String> {
    let mut wire = Wire::open(address).map_err(|error| error.to_string())?;
    let size = size(&mut wire)?;
    let mut bundles: BTreeMap<u64, Vec<(u64, EntryHash)>> = BTreeMap::new();
    for (index, hash) in acknowledged {
        bundles.entry(index / TILE_WIDTH).or_default().push((*index, *hash));
    }
    let mut missing = 0;
    for (number, wanted) in bundles {
        let held = if number * TILE_WIDTH < size { bundle(&mut wire, number, size)? } else { Vec::new() };
        let there = |(index, hash): &(u64, EntryHash)| {
            held.get((index % TILE_WIDTH) as usize).is_some_and(|bytes| EntryHash::of(bytes) == *hash)
        };
        missing += wanted.iter().filter(|wanted| !there(wanted)).count() as u64;
    }
    Ok(missing)
}
