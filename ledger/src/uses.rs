//! Uses: how one entry commits to all whose data were used, so that each of them can be shown their own line, and
//! nobody who is not shown a line learns anything from the log but that there was a use.

use crate::event::AccessUse;
use crate::hash::{EntryHash, Hash, leaf_hash, node_hash};
use crate::merkle::{ProofError, verify_inclusion};
use consent::DataKind;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The most lines of one use.
pub const MAX_USE_LINES: usize = 10_000;
/// Parts this commitment from every other.
const DOMAIN: &str = "consent-wallet/uses/v1\n";

/// What speaks against a use, found when it was told. A use that happened is kept, whatever speaks against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UseFlag {
    /// Data of a kind that the consent does not share.
    DataNotShared,
    /// No consent that allows use was in force.
    NoLiveConsent,
    /// The grant is not about this subject.
    NotInGrant,
}

/// One subject's line of a use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UseLine {
    /// The entry of the version of the consent that counted, or counted last; none if there never was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<EntryHash>,
    /// The kinds of data.
    pub data: Vec<DataKind>,
    /// What speaks against the use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<UseFlag>,
    /// 32 random bytes: without them nobody can tell the line from its hash, also not by trying all subjects.
    pub salt: Hash,
    /// The commitment to donor and study.
    pub subject: Hash,
}

impl UseLine {
    /// The canonical JSON, which is the leaf.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Texts and codes always have a canonical form.
        identity::to_canonical(self).unwrap_or_default()
    }

    fn leaf(&self) -> Hash {
        leaf_hash(&self.to_bytes())
    }
}

/// Why a list of uses has no commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsesError {
    /// No line, or more than [`MAX_USE_LINES`].
    #[error("a use has between 1 and {MAX_USE_LINES} lines")]
    Count,
    /// A subject has two lines.
    #[error("a use has one line for each subject")]
    Twice,
}

/// The tree over the lines of one use: that of RFC 6962, with the lines in the order of their leaf hashes, which says
/// nothing of the subjects.
#[derive(Debug, Clone)]
pub struct Uses {
    lines: Vec<UseLine>,
    /// The nodes of each height, from the leaves up to the root.
    levels: Vec<Vec<Hash>>,
}

impl Uses {
    /// The tree over these lines.
    pub fn new(lines: Vec<UseLine>) -> Result<Self, UsesError> {
        if !(1..=MAX_USE_LINES).contains(&lines.len()) {
            return Err(UsesError::Count);
        }
        let mut subjects: Vec<&Hash> = lines.iter().map(|line| &line.subject).collect();
        subjects.sort_unstable();
        if subjects.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
            return Err(UsesError::Twice);
        }
        let mut lines: Vec<(Hash, UseLine)> = lines.into_iter().map(|line| (line.leaf(), line)).collect();
        lines.sort_unstable_by_key(|(leaf, _)| *leaf);
        let (leaves, lines): (Vec<Hash>, Vec<UseLine>) = lines.into_iter().unzip();
        let mut levels = vec![leaves];
        while let Some(last) = levels.last().filter(|level| level.len() > 1) {
            let above = last.chunks(2).filter_map(join).collect();
            levels.push(above);
        }
        Ok(Self { lines, levels })
    }

    /// What the entry says of the list.
    pub fn commitment(&self) -> Hash {
        let root = self.levels.last().and_then(|level| level.first()).copied().unwrap_or_else(Hash::empty_root);
        commit(self.lines.len() as u64, root)
    }

    /// Each line with its way to the root.
    pub fn shown(&self) -> impl Iterator<Item = ShownUse> {
        self.lines.iter().enumerate().map(|(index, line)| {
            let siblings =
                self.levels.iter().enumerate().filter_map(|(height, level)| level.get((index >> height) ^ 1));
            ShownUse {
                index: index as u64,
                line: line.clone(),
                path: siblings.copied().collect(),
                size: self.lines.len() as u64,
            }
        })
    }
}

/// What one donor is shown of a use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownUse {
    /// The place of the line.
    pub index: u64,
    /// The line.
    pub line: UseLine,
    /// From the sibling of the leaf up to the child of the root.
    pub path: Vec<Hash>,
    /// How many lines there are.
    pub size: u64,
}

impl ShownUse {
    /// Checks that the entry which says this commits to this line.
    pub fn verify(&self, said: &AccessUse) -> Result<(), ProofError> {
        let root = self.root().ok_or(ProofError::Length)?;
        verify_inclusion(self.index, self.size, self.line.leaf(), &self.path, root)?;
        if commit(self.size, root) == said.uses { Ok(()) } else { Err(ProofError::Root) }
    }

    /// Where the path leads. Whether it is a path of this tree is for [`verify_inclusion`] to say.
    fn root(&self) -> Option<Hash> {
        if self.index >= self.size || self.path.len() > 64 {
            return None;
        }
        let (mut index, mut last, mut node) = (self.index, self.size - 1, self.line.leaf());
        let mut path = self.path.iter();
        while last > 0 {
            if index & 1 == 1 {
                node = node_hash(*path.next()?, node);
            } else if index < last {
                node = node_hash(node, *path.next()?);
            }
            (index, last) = (index >> 1, last >> 1);
        }
        Some(node)
    }
}

/// Two siblings under one node. A node without a sibling goes up as it is: the shape of RFC 6962.
fn join(siblings: &[Hash]) -> Option<Hash> {
    match *siblings {
        [left, right] => Some(node_hash(left, right)),
        [alone] => Some(alone),
        _ => None,
    }
}

fn commit(size: u64, root: Hash) -> Hash {
    Hash::from_bytes(Sha256::digest(format!("{DOMAIN}{size}\n{root}\n")).into())
}
