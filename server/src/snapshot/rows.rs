//! What the desk keeps of snapshots: pseudonyms with their proofs, so that none is computed twice, and the sets.

use super::SnapshotId;
use crate::desk::{Desk, DeskError, PAGE, each_row, read, write};
use crate::tables::Table;
use consent::StudyId;
use ledger::{Hash, Pseudonym, PseudonymProof};
use serde::{Deserialize, Serialize};

/// `<study>\n<subject or number of a decoy>` -> pseudonym and proof.
const PSEUDONYMS: Table = Table("pseudonyms");
/// `<study>\n<day>\n<purpose>` -> `KeptSnapshot`.
const SNAPSHOTS: Table = Table("snapshots");
/// `<study>\n<day>\n<purpose>\n<number>` -> a part of the leaves.
const LEAVES: Table = Table("snapshot-leaves");
/// How many leaves lie in one row.
const PART: usize = 1_024;

/// What a leaf stands for. Researchers are never told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Of {
    /// A subject.
    Subject(Hash),
    /// A decoy.
    Decoy(u64),
}

impl Of {
    fn key(&self, study: &StudyId) -> String {
        match self {
            Self::Subject(subject) => format!("{study}\n{subject}"),
            Self::Decoy(number) => format!("{study}\ndecoy {number:020}"),
        }
    }
}

/// A leaf of a set with its proof.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptLeaf {
    pub pseudonym: Pseudonym,
    pub proof: PseudonymProof,
    #[serde(flatten)]
    pub of: Of,
}

/// A set's entry, and its number once the log took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptSnapshot {
    pub entry: String,
    pub index: Option<u64>,
}

impl SnapshotId {
    fn key(&self) -> String {
        format!("{}\n{}\n{}", self.study, self.epoch, self.purpose)
    }

    /// The keys of the leaves; `\u{b}` follows the line break.
    fn leaves(&self) -> (String, Option<String>) {
        let key = self.key();
        (format!("{key}\n"), Some(format!("{key}\u{b}")))
    }
}

impl Desk {
    /// A pseudonym that was made before.
    pub(super) fn kept_pseudonym(
        &self,
        study: &StudyId,
        of: &Of,
    ) -> Result<Option<(Pseudonym, PseudonymProof)>, DeskError> {
        self.get(PSEUDONYMS, &of.key(study))
    }

    /// A set, without its leaves.
    pub(super) fn snapshot(&self, id: &SnapshotId) -> Result<Option<KeptSnapshot>, DeskError> {
        self.get(SNAPSHOTS, &id.key())
    }

    /// Keeps a set before the log hears of it. If there is one of this study, day and purpose, that one counts.
    pub(super) fn draft_snapshot(
        &self,
        id: &SnapshotId,
        drafted: &KeptSnapshot,
        leaves: &[KeptLeaf],
    ) -> Result<KeptSnapshot, DeskError> {
        let key = id.key();
        self.change(|rows| {
            if let Some(before) = read::<KeptSnapshot>(rows, SNAPSHOTS, &key)? {
                return Ok(before);
            }
            for leaf in leaves {
                let key = leaf.of.key(&id.study);
                if rows.get(PSEUDONYMS, &key)?.is_none() {
                    write(rows, PSEUDONYMS, &key, &(leaf.pseudonym, leaf.proof))?;
                }
            }
            for (number, part) in leaves.chunks(PART).enumerate() {
                write(rows, LEAVES, &format!("{key}\n{number:08}"), &part)?;
            }
            write(rows, SNAPSHOTS, &key, drafted)?;
            Ok(drafted.clone())
        })
    }

    /// Writes down the number that a set got in the log.
    pub(super) fn keep_snapshot(&self, id: &SnapshotId, kept: &KeptSnapshot) -> Result<(), DeskError> {
        self.put(SNAPSHOTS, &id.key(), kept)
    }

    /// The leaves of a set, sorted by pseudonym.
    pub(crate) fn snapshot_leaves(&self, id: &SnapshotId) -> Result<Vec<KeptLeaf>, DeskError> {
        let mut leaves = Vec::new();
        each_row(
            &id.leaves(),
            |span| self.tables().range(LEAVES, span, PAGE),
            |_, bytes| {
                leaves.extend(serde_json::from_slice::<Vec<KeptLeaf>>(&bytes)?);
                Ok(true)
            },
        )?;
        Ok(leaves)
    }
}
