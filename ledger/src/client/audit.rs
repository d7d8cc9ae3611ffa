//! Reading a whole log again, as somebody who believes nothing but the signature of its checkpoint.

use super::{ClientError, LogClient};
use crate::checkpoint::SignedCheckpoint;
use crate::entry::{Act, Entry, EntryError};
use crate::hash::Hash;
use crate::note::VerifierKey;
use crate::state::{Rejected, State};
use crate::tile::{BundleId, TILE_WIDTH, TileEdge, TileId};

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
    /// Grants that count or counted.
    pub grants: u64,
    /// Withdrawals.
    pub withdrawals: u64,
    /// Subjects whose consent stands.
    pub active: u64,
    /// Entries that change, pause or resume a consent.
    pub changes: u64,
    /// The hash over the state.
    pub digest: Hash,
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
        grants: 0,
        withdrawals: 0,
        changes: 0,
        active: 0,
        digest: Hash::empty_root(),
        findings: Vec::new(),
        finding_count: 0,
    };
    let (mut edge, mut state) = (TileEdge::new(), State::new());
    for number in 0..size.div_ceil(TILE_WIDTH) {
        let id = BundleId::in_tree(number, size).ok_or(ClientError::BadEntries)?;
        for bytes in client.bundle(id).await?.iter().take(usize::from(id.width)) {
            let index = edge.size();
            judge(index, bytes, &mut state, &mut report);
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
    report.active =
        state.subjects().filter(|(_, subject)| subject.standing.written == consent::ConsentState::Active).count()
            as u64;
    report.digest = state.digest();
    Ok(report)
}

fn judge(index: u64, bytes: &[u8], state: &mut State, report: &mut AuditReport) {
    match Entry::parse(bytes) {
        Err(error) => report.note(Finding::Unreadable(index, error)),
        Ok(entry) => match (state.apply(index, &entry), entry.event().act) {
            (Err(rejected), _) => report.note(Finding::AgainstRules(index, rejected)),
            (Ok(()), Act::Grant(_)) => report.grants += 1,
            (Ok(()), Act::Withdraw { .. }) => report.withdrawals += 1,
            (Ok(()), Act::Change(_) | Act::Suspend { .. } | Act::Resume) => report.changes += 1,
        },
    }
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
