//! The whole-log audit: everything that is stored is compared with what the entries alone give.

use super::embedded::{Views, apply, parse_all};
use super::fail::Faults;
use super::store::{Store, StoreError, Tip};
use ledger::{
    BundleId, Checkpoint, Entry, EntryHash, Hash, Key, Record, SignedCheckpoint, TILE_WIDTH, TileEdge, TileId,
    VerifierKey,
};
use std::fmt;
use std::path::Path;

/// Bundles that are read and judged at once.
const BUNDLES: u64 = 64;
/// Records that are compared at once.
const RECORDS: usize = 1000;
/// The most findings that are told one by one.
const MOST: usize = 100;

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audit {
    /// The first entry that was read; those before were pruned.
    pub minimum: u64,
    /// Entries in the log.
    pub size: u64,
    /// The root that the entries give.
    pub root: Hash,
    /// The state hash that the entries give.
    pub state: Hash,
    /// What is not as it should be, each in a line. An audit without any found everything sound.
    pub findings: Vec<String>,
}

impl Audit {
    /// Whether nothing was found.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, finding: String) {
        if self.findings.len() < MOST {
            self.findings.push(finding);
        }
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "wrong: {finding}")?;
        }
        let word = if self.is_sound() { "sound" } else { "NOT SOUND" };
        writeln!(f, "{word}: {} entries, from {} on read", self.size, self.minimum)?;
        writeln!(f, "root {}\nstate {}", self.root, self.state)
    }
}

/// Why an audit could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be used.
    #[error("a file can not be used: {0}")]
    Io(#[from] std::io::Error),
    /// The scratch database could not be used.
    #[error("the scratch database can not be used: {0}")]
    Database(#[from] Box<redb::Error>),
    /// There is no log, or none that this key signed.
    #[error("no log of this key is here")]
    NoLog,
}

/// Audits a store. `scratch` is a folder on a disk with room for another index; `base` is the copy of the index that
/// pruning left, if entries were pruned.
pub fn check(store: &dyn Store, key: &VerifierKey, scratch: &Path, base: Option<&Path>) -> Result<Audit, CheckError> {
    let tip = store.tip()?.ok_or(CheckError::NoLog)?;
    let published = store.published()?.map(|note| Checkpoint::open(&note, key));
    let views = scratch_views(scratch, base)?;
    let source = Source {
        size: tip.turn.size,
        minimum: store.minimum()?,
        bundle: &|id| store.bundle(id),
        tile: &|id| store.tile(id),
    };
    let mut shown_root = None;
    let shown_size = published.as_ref().and_then(|shown| shown.as_ref().ok()).map(|shown| shown.size);
    let mut audit = walk(
        &source,
        &views,
        |first, entries, audit| {
            let hashes: Vec<EntryHash> = entries.iter().map(Entry::hash).collect();
            let numbers = store.indices(&hashes)?;
            for (hash, index) in hashes.iter().zip(first..) {
                match numbers.get(hash) {
                    Some(number) if *number == index => {}
                    Some(number) => audit.find(format!("the index says {number} for entry {index}")),
                    None => audit.find(format!("the index lacks entry {index}")),
                }
            }
            Ok(())
        },
        |edge| {
            if Some(edge.size()) == shown_size {
                shown_root = Some(edge.root());
            }
        },
    )?;
    compare_end(&mut audit, &tip.checkpoint, Some(tip.state));
    match published {
        Some(Ok(shown)) if shown.size > tip.turn.size => audit.find("more is published than stored".into()),
        Some(Ok(shown)) if shown_root.is_some_and(|root| root != shown.root) => {
            audit.find("the published checkpoint has another root".into());
        }
        Some(Ok(_)) => {}
        Some(Err(_)) => audit.find("the published checkpoint does not bear the log's signature".into()),
        None => audit.find("no checkpoint is published".into()),
    }
    let counted = store.count_indices()?;
    if counted != tip.turn.size {
        audit.find(format!("the index has {counted} rows for {} entries", tip.turn.size));
    }
    compare_key(&views, key, &mut audit)?;
    if audit.state == tip.state {
        compare_records(store, &views, &mut audit)?;
    }
    Ok(audit)
}

/// The records that the entries of a store give, in a scratch index. What is stored of the state is not looked at.
pub(super) fn replay(store: &dyn Store, tip: &Tip, scratch: &Path) -> Result<(Views, Audit), CheckError> {
    let views = scratch_views(scratch, None)?;
    let (bundle, tile) = (|id| store.bundle(id), |id| store.tile(id));
    let source = Source { size: tip.turn.size, minimum: 0, bundle: &bundle, tile: &tile };
    let mut audit = walk(&source, &views, |_, _, _| Ok(()), |_| {})?;
    compare_end(&mut audit, &tip.checkpoint, None);
    Ok((views, audit))
}

/// Audits a public folder in the C2SP layout, as anybody could: also that of a service that runs.
pub fn check_public(
    public: &Path,
    key: &VerifierKey,
    scratch: &Path,
    base: Option<&Path>,
) -> Result<Audit, CheckError> {
    let note = std::fs::read_to_string(public.join("checkpoint"))?;
    let checkpoint = Checkpoint::open(&note, key).map_err(|_| CheckError::NoLog)?;
    let views = scratch_views(scratch, base)?;
    let (size, minimum) = (checkpoint.size, views.made()?.0);
    let source = Source { size, minimum, bundle: &|id| read_bundle(public, id), tile: &|id| read_tile(public, id) };
    let mut audit = walk(&source, &views, |_, _, _| Ok(()), |_| {})?;
    compare_end(&mut audit, &checkpoint, None);
    compare_key(&views, key, &mut audit)?;
    Ok(audit)
}

/// Where an audit reads from.
struct Source<'a> {
    size: u64,
    minimum: u64,
    bundle: &'a dyn Fn(BundleId) -> Result<Option<Vec<u8>>, StoreError>,
    tile: &'a dyn Fn(TileId) -> Result<Option<Vec<u8>>, StoreError>,
}

/// Reads every entry, checks its signature, judges it by the rules, and compares the tiles. The records go to `views`.
fn walk(
    source: &Source<'_>,
    views: &Views,
    mut each: impl FnMut(u64, &[Entry], &mut Audit) -> Result<(), StoreError>,
    mut grown: impl FnMut(&TileEdge),
) -> Result<Audit, CheckError> {
    let Source { size, minimum, .. } = *source;
    let (made, mut state) = views.made()?;
    let mut audit = Audit { minimum, size, root: Hash::empty_root(), state, findings: Vec::new() };
    let read = |id: TileId| (source.tile)(id)?.ok_or_else(|| StoreError::Damaged(id.path()));
    let edge = if made == minimum { TileEdge::read(minimum, read).ok() } else { None };
    let Some(mut edge) = edge else {
        audit.find(format!("what was kept of the entries before {minimum} does not lead on"));
        return Ok(audit);
    };
    grown(&edge);
    let mut first = minimum;
    while first < size {
        let mut entries = Vec::new();
        for number in first / TILE_WIDTH..(first / TILE_WIDTH + BUNDLES).min(size.div_ceil(TILE_WIDTH)) {
            let read = BundleId::in_tree(number, size).map(|id| (id, (source.bundle)(id)));
            let Some((id, bytes)) = read else { break };
            let bytes = bytes?.unwrap_or_default();
            let Ok(bundle) = id.entries(&bytes) else {
                audit.find(format!("{id} is missing or torn"));
                return Ok(audit);
            };
            entries.extend(bundle.into_iter().map(<[u8]>::to_vec));
        }
        let entries = match parse_all(&entries) {
            Ok(entries) => entries,
            Err((place, error)) => {
                audit.find(format!("entry {}: {error}", first + place as u64));
                return Ok(audit);
            }
        };
        for entry in &entries {
            for (id, expected) in edge.push(entry.bytes()) {
                compare_tile(source, id, &expected, &mut audit)?;
            }
            grown(&edge);
        }
        each(first, &entries, &mut audit)?;
        match apply(views, first, state, &entries) {
            Ok(generation) => {
                views.keep(&generation)?;
                state = generation.state;
            }
            Err(StoreError::Damaged(what)) => {
                audit.find(what);
                return Ok(audit);
            }
            Err(error) => return Err(error.into()),
        }
        first += entries.len() as u64;
    }
    for (id, expected) in edge.partial_tiles() {
        compare_tile(source, id, &expected, &mut audit)?;
    }
    (audit.root, audit.state) = (edge.root(), state);
    Ok(audit)
}

fn compare_tile(source: &Source<'_>, id: TileId, expected: &[u8], audit: &mut Audit) -> Result<(), StoreError> {
    match (source.tile)(id)? {
        Some(bytes) if bytes == expected => {}
        Some(_) => audit.find(format!("{id} is not what the entries give")),
        None => audit.find(format!("{id} is missing")),
    }
    Ok(())
}

fn compare_end(audit: &mut Audit, checkpoint: &SignedCheckpoint, state: Option<Hash>) {
    if audit.root != checkpoint.root && audit.is_sound() {
        audit.find("the entries do not lead to the root of the checkpoint".into());
    }
    if state.is_some_and(|state| state != audit.state) && audit.is_sound() {
        audit.find("the entries do not lead to the stored state hash".into());
    }
}

/// The key that signs must be the one that the entries name, once they name one.
fn compare_key(views: &Views, key: &VerifierKey, audit: &mut Audit) -> Result<(), StoreError> {
    if let Some(Some(Record::Authority(authority))) = views.read()?.records(&[&Key::authority()])?.pop()
        && authority.vkey.is_some_and(|named| named != key.to_string())
    {
        audit.find("the log names another key than the one that signs it: `biobankd rotate` finishes a change".into());
    }
    Ok(())
}

/// Compares the records, both ways.
fn compare_records(store: &dyn Store, views: &Views, audit: &mut Audit) -> Result<(), CheckError> {
    let seen = views.read()?;
    let mut after = None;
    loop {
        let expected = seen.records_from("", after.as_ref(), RECORDS)?;
        let stored = store.records_from("", after.as_ref(), RECORDS)?;
        if expected != stored {
            let other = expected.iter().zip(&stored).find(|(expected, stored)| expected != stored);
            let key = other.map(|((key, _), _)| key.to_string()).unwrap_or_else(|| "the last ones".into());
            audit.find(format!("the records are not what the entries give, from {key} on"));
            return Ok(());
        }
        let Some((key, _)) = expected.into_iter().next_back() else { return Ok(()) };
        after = Some(key);
    }
}

/// An index in a scratch folder, empty or as pruning left it.
fn scratch_views(scratch: &Path, base: Option<&Path>) -> Result<Views, CheckError> {
    std::fs::create_dir_all(scratch)?;
    let path = scratch.join("check.redb");
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    if let Some(base) = base {
        std::fs::copy(base, &path)?;
    }
    Ok(Views::open(&path, &Faults::default()).map_err(Box::new)?)
}

/// A tile of a public folder, cut from the full one if need be.
pub(super) fn read_tile(public: &Path, id: TileId) -> Result<Option<Vec<u8>>, StoreError> {
    let length = 32 * usize::from(id.width);
    for place in [id, id.full()] {
        if let Some(mut bytes) = read_file(&public.join(place.path()))?.filter(|bytes| bytes.len() >= length) {
            bytes.truncate(length);
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

/// A bundle of a public folder, cut from the full one if need be.
pub(super) fn read_bundle(public: &Path, id: BundleId) -> Result<Option<Vec<u8>>, StoreError> {
    for place in [id, id.full()] {
        if let Some(mut bytes) = read_file(&public.join(place.path()))?
            && let Ok(entries) = place.entries(&bytes)
        {
            let length = entries.iter().take(usize::from(id.width)).map(|entry| 2 + entry.len()).sum();
            bytes.truncate(length);
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

fn read_file(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(StoreError::Failed(error.to_string())),
    }
}
