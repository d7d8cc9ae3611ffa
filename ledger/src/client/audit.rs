//! Reading a whole log again, as somebody who believes nothing but the signature of its checkpoint.

mod rest;

pub use rest::{Remainder, audit_from};

use super::parallel::map_while;
use super::source::{LogSource, join_all};
use super::{ClientError, LogClient};
use crate::checkpoint::SignedCheckpoint;
use crate::entry::{Entry, EntryError, Event};
use crate::event::InstitutionEvent;
use crate::hash::{EntryHash, Hash};
use crate::note::VerifierKey;
use crate::prove::{consistency_tiles, roots_from_tiles};
use crate::rules::Rejected;
use crate::state::State;
use crate::tile::{BundleId, TILE_WIDTH, TileEdge, TileId};
use consent::{ConsentState, Date};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// The most findings that are kept; after that they are only counted.
const MAX_FINDINGS: usize = 100;
/// Bundles that are fetched at once and checked together.
const BUNDLES_AT_ONCE: usize = 16;
/// The most anchors that are compared with the tree; a log that is anchored each hour for ten years has fewer.
const MAX_ANCHORS: usize = 100_000;

/// Something in a log that must not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The entries do not lead to the signed root.
    Root,
    /// A tile differs from the one that the entries give, or is missing.
    Tile(TileId),
    /// An entry that can not be read.
    Unreadable(u64, EntryError),
    /// An entry that the rules refuse.
    AgainstRules(u64, Rejected),
    /// An entry that is in the log more than once.
    Repeated(EntryHash),
    /// The checkpoint is signed by another key than the one that the entries name.
    OtherKey,
    /// An entry says that a checkpoint is kept elsewhere, and the log never had that checkpoint.
    Anchor(u64),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the entries do not lead to the signed root"),
            Self::Tile(tile) => write!(f, "{} is missing or not the one that the entries give", tile.path()),
            Self::Unreadable(index, error) => write!(f, "entry {index} can not be read: {error}"),
            Self::AgainstRules(index, rejected) => write!(f, "entry {index} is against the rules: {rejected}"),
            Self::Repeated(hash) => write!(f, "the entry {hash} is in the log more than once"),
            Self::OtherKey => f.write_str("the checkpoint is signed by another key than the one that the log names"),
            Self::Anchor(index) => write!(f, "entry {index} names a checkpoint that this log never had"),
        }
    }
}

/// What an audit saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    /// The checkpoint that was audited.
    pub checkpoint: SignedCheckpoint,
    /// How many entries were read: all, or as many as were asked for.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// How many entries of each kind count or counted, by their `typ`.
    pub kinds: BTreeMap<&'static str, u64>,
    /// What the log says.
    pub state: State,
    /// What is wrong, at most 100 of it.
    pub findings: Vec<Finding>,
    /// How much is wrong.
    pub finding_count: u64,
}

impl AuditReport {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.finding_count == 0
    }

    /// How many subjects are in each state on a day: what ended by a date has ended. States that nobody is in are left
    /// out.
    pub fn states_on(&self, day: Date) -> BTreeMap<ConsentState, u64> {
        let mut states = BTreeMap::new();
        for (_, subject) in self.state.subjects() {
            *states.entry(subject.state_at(day)).or_insert(0) += 1;
        }
        states
    }

    fn note(&mut self, finding: Finding) {
        self.finding_count += 1;
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }
}

/// Reads the whole log: each entry, each tile, the root and the rules.
pub async fn audit(client: &LogClient, key: &VerifierKey) -> Result<AuditReport, ClientError> {
    audit_until(&LogSource::Http(client.clone()), key, None, |_, _| {}).await
}

/// Reads a log up to a size, or all of it, and says now and then how many entries of how many were read.
pub async fn audit_until(
    source: &LogSource,
    key: &VerifierKey,
    until: Option<u64>,
    mut progress: impl FnMut(u64, u64),
) -> Result<AuditReport, ClientError> {
    let checkpoint = source.checkpoint(key).await?;
    let (whole, size) = (checkpoint.size, until.unwrap_or(checkpoint.size));
    if size > whole {
        return Err(ClientError::TooShort);
    }
    let mut reading = Reading::new(checkpoint, size, key);
    let mut waiting = Batch::default();
    let bundles = size.div_ceil(TILE_WIDTH);
    for first in (0..bundles).step_by(BUNDLES_AT_ONCE) {
        let numbers = first..bundles.min(first + BUNDLES_AT_ONCE as u64);
        let numbered = (first * TILE_WIDTH..size).zip(fetch(source, numbers, whole).await?);
        let bytes: Vec<Vec<u8>> = numbered.map(|(_, bytes)| bytes).collect();
        // The rules go through one batch while the signatures of the next are checked.
        let (read, ()) = map_while(&bytes, |bytes| Entry::parse(bytes), || reading.judge(&waiting));
        reading.compare(source, &waiting.full).await?;
        let before = reading.read;
        waiting = Batch { full: reading.grow(&bytes), entries: read };
        progress(before, size);
    }
    reading.judge(&waiting);
    reading.compare(source, &waiting.full).await?;
    reading.finish(source).await
}

/// The entries of some bundles. By the size of the whole log: of an older one the partial bundle may be gone.
async fn fetch(source: &LogSource, numbers: Range<u64>, whole: u64) -> Result<Vec<Vec<u8>>, ClientError> {
    let first = numbers.start * TILE_WIDTH;
    let ids = numbers.map(|number| BundleId::in_tree(number, whole)).collect::<Option<Vec<_>>>();
    let ids = ids.ok_or(ClientError::BadEntries)?;
    let fetched = join_all(ids.iter().map(|id| source.bundle(*id))).await;
    match fetched.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(bundles) => Ok(bundles.into_iter().flatten().collect()),
        Err(ClientError::NotFound) => Err(source.lacks(first, whole).await),
        Err(error) => Err(error),
    }
}

/// Entries that were read and are to be judged, and the tiles that they filled.
#[derive(Default)]
struct Batch {
    entries: Vec<Result<Entry, EntryError>>,
    full: Vec<(TileId, Vec<u8>)>,
}

struct Reading {
    report: AuditReport,
    edge: TileEdge,
    /// Entries that were judged.
    read: u64,
    /// The name of each entry.
    seen: Vec<EntryHash>,
    /// Number, size and root of each anchor.
    anchors: Vec<(u64, u64, Hash)>,
    /// The key that signs the checkpoint.
    key: String,
    /// The entry that named the log's key last, and the key.
    named: Option<(u64, String)>,
}

impl Reading {
    fn new(checkpoint: SignedCheckpoint, size: u64, key: &VerifierKey) -> Self {
        let report = AuditReport {
            checkpoint,
            size,
            root: Hash::empty_root(),
            kinds: BTreeMap::new(),
            state: State::new(),
            findings: Vec::new(),
            finding_count: 0,
        };
        let (edge, seen, anchors) = (TileEdge::new(), Vec::new(), Vec::new());
        Self { report, edge, read: 0, seen, anchors, key: key.to_string(), named: None }
    }

    fn grow(&mut self, entries: &[Vec<u8>]) -> Vec<(TileId, Vec<u8>)> {
        let mut full = Vec::new();
        for entry in entries {
            let hash = EntryHash::of(entry);
            self.seen.push(hash);
            full.extend(self.edge.push_leaf(hash.leaf()));
        }
        full
    }

    fn judge(&mut self, batch: &Batch) {
        for entry in &batch.entries {
            let index = self.read;
            self.read += 1;
            let report = &mut self.report;
            match entry {
                Err(error) => report.note(Finding::Unreadable(index, *error)),
                Ok(entry) => match report.state.apply(index, entry) {
                    Err(rejected) => report.note(Finding::AgainstRules(index, rejected)),
                    Ok(_) => {
                        *report.kinds.entry(entry.said().typ()).or_insert(0) += 1;
                        if let Event::Institution(InstitutionEvent::Anchor(said)) = entry.said()
                            && self.anchors.len() < MAX_ANCHORS
                        {
                            self.anchors.push((index, said.size, said.root));
                        }
                        if let Event::Institution(InstitutionEvent::LogKey(said)) = entry.said()
                            && said.vkey.to_string().parse::<VerifierKey>().is_ok()
                        {
                            self.named = Some((index, said.vkey.to_string()));
                        }
                    }
                },
            }
        }
    }

    /// A tile that is wrong or missing is a finding; a log that can not be reached is an error.
    async fn compare(&mut self, source: &LogSource, tiles: &[(TileId, Vec<u8>)]) -> Result<(), ClientError> {
        let shown = join_all(tiles.iter().map(|(tile, _)| source.tile(*tile))).await;
        for ((tile, expected), shown) in tiles.iter().zip(shown) {
            match shown {
                Ok(bytes) if bytes == *expected => {}
                Ok(_) | Err(ClientError::NotFound | ClientError::BadTiles | ClientError::TooLarge) => {
                    self.report.note(Finding::Tile(*tile));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn finish(mut self, source: &LogSource) -> Result<AuditReport, ClientError> {
        let (size, whole) = (self.report.size, self.report.checkpoint.size);
        self.report.root = self.edge.root();
        let signed = if size == whole {
            // Of an older size the partial tiles may be gone.
            let partial = self.edge.partial_tiles();
            self.compare(source, &partial).await?;
            // The last word of a key is the checkpoint over the entry that names another.
            if self.named.as_ref().is_some_and(|(index, named)| *named != self.key && index + 1 != size) {
                self.report.note(Finding::OtherKey);
            }
            Some(self.report.checkpoint.root)
        } else {
            root_at(source, size, &self.report.checkpoint).await?
        };
        if signed != Some(self.report.root) {
            self.report.note(Finding::Root);
        }
        self.seen.sort_unstable();
        for pair in self.seen.windows(2).filter(|pair| pair[0] == pair[1]) {
            self.report.note(Finding::Repeated(pair[0]));
        }
        for (index, anchored, root) in std::mem::take(&mut self.anchors) {
            if root_at(source, anchored, &self.report.checkpoint).await? != Some(root) {
                self.report.note(Finding::Anchor(index));
            }
        }
        Ok(self.report)
    }
}

/// The root that the log stands for at a size, by the tiles under its checkpoint; none if they do not lead there.
async fn root_at(source: &LogSource, size: u64, checkpoint: &SignedCheckpoint) -> Result<Option<Hash>, ClientError> {
    match size {
        0 => return Ok(Some(Hash::empty_root())),
        _ if size == checkpoint.size => return Ok(Some(checkpoint.root)),
        _ if size > checkpoint.size => return Ok(None),
        _ => {}
    }
    let ids: Vec<TileId> = consistency_tiles(size, checkpoint.size)?.into_iter().collect();
    let mut tiles = BTreeMap::new();
    for (id, tile) in ids.iter().zip(join_all(ids.iter().map(|id| source.tile(*id))).await) {
        match tile {
            Ok(tile) => drop(tiles.insert(*id, tile)),
            Err(ClientError::NotFound | ClientError::BadTiles | ClientError::TooLarge) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let roots = roots_from_tiles(size, checkpoint.size, |id| tiles.get(&id).cloned().ok_or(()));
    Ok(roots.ok().filter(|(_, whole)| *whole == checkpoint.root).map(|(root, _)| root))
}
