//! Reading a whole log again, as somebody who believes nothing but the signature of its checkpoint.

use super::{ClientError, LogClient};
use crate::checkpoint::SignedCheckpoint;
use crate::entry::{Act, Entry, EntryError, Event};
use crate::note::VerifierKey;
use crate::rules::Rejected;
use crate::state::State;
use crate::tile::{BundleId, TILE_WIDTH, TileEdge, TileId};
use consent::{ConsentState, Date};
use std::collections::BTreeMap;

/// The most findings that are kept; after that they are only counted.
const MAX_FINDINGS: usize = 100;

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
}

/// What an audit saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    /// The checkpoint that was audited.
    pub checkpoint: SignedCheckpoint,
    /// How many entries of each kind count or counted.
    pub entries: EntryCounts,
    /// What the log says.
    pub state: State,
    /// What is wrong, at most 100 of it.
    pub findings: Vec<Finding>,
    /// How much is wrong.
    pub finding_count: u64,
}

/// Entries that were applied, by what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EntryCounts {
    /// Consents that were given.
    pub grants: u64,
    /// Versions that took the place of one before.
    pub changes: u64,
    /// Pauses.
    pub pauses: u64,
    /// Pauses that the donor ended.
    pub resumptions: u64,
    /// Withdrawals, of every level.
    pub withdrawals: u64,
    /// What institutions and keys said.
    pub others: u64,
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
    let checkpoint = client.checkpoint(key).await?;
    let size = checkpoint.size;
    let mut report = AuditReport {
        checkpoint,
        entries: EntryCounts::default(),
        state: State::new(),
        findings: Vec::new(),
        finding_count: 0,
    };
    let mut edge = TileEdge::new();
    for number in 0..size.div_ceil(TILE_WIDTH) {
        let id = BundleId::in_tree(number, size).ok_or(ClientError::BadEntries)?;
        for bytes in client.bundle(id).await?.iter().take(usize::from(id.width)) {
            let index = edge.size();
            judge(index, bytes, &mut report);
            for (tile, expected) in edge.push(bytes) {
                compare(client, tile, &expected, &mut report).await?;
            }
        }
    }
    for (tile, expected) in edge.partial_tiles() {
        compare(client, tile, &expected, &mut report).await?;
    }
    if edge.root() != report.checkpoint.root {
        report.note(Finding::Root);
    }
    Ok(report)
}

fn judge(index: u64, bytes: &[u8], report: &mut AuditReport) {
    let entry = match Entry::parse(bytes) {
        Ok(entry) => entry,
        Err(error) => return report.note(Finding::Unreadable(index, error)),
    };
    if let Err(rejected) = report.state.apply(index, &entry) {
        return report.note(Finding::AgainstRules(index, rejected));
    }
    let counts = &mut report.entries;
    let kind = match entry.said() {
        Event::Institution(_) => &mut counts.others,
        Event::Consent(event) => match event.act {
            Act::Grant(_) => &mut counts.grants,
            Act::Change(_) => &mut counts.changes,
            Act::Suspend { .. } => &mut counts.pauses,
            Act::Resume => &mut counts.resumptions,
            Act::Withdraw { .. } => &mut counts.withdrawals,
        },
    };
    *kind += 1;
}

/// A tile that is wrong or missing is a finding; a log that can not be reached is an error.
async fn compare(
    client: &LogClient,
    tile: TileId,
    expected: &[u8],
    report: &mut AuditReport,
) -> Result<(), ClientError> {
    match client.tile(tile).await {
        Ok(bytes) if bytes == expected => {}
        Ok(_) | Err(ClientError::NotFound | ClientError::BadTiles | ClientError::TooLarge) => {
            report.note(Finding::Tile(tile));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
