//! Snapshots: on a day, the set of a study's pseudonyms with a live consent for a purpose. A pseudonym is a verifiable
//! random function of the subject, so that nobody makes or links one without the key, and an auditor checks each one
//! without it. The set is a Merkle tree over sorted leaves: who is in it can be shown, and who is not.

use crate::event::Snapshot;
use crate::hash::{Hash, leaf_hash, node_hash};
use crate::merkle::{ProofError, verify_inclusion};
use consent::{Date, StudyId, Timestamp};
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::Sha256;
use std::fmt;
use std::str::FromStr;

/// Parts the derivation of keys from every other use of HMAC.
const KEY_DOMAIN: &[u8] = b"consent-wallet/pseudonym-key/v1\n";
/// What stands before a subject, and before the number of a decoy: no subject is ever the input of a decoy.
const SUBJECT_DOMAIN: &[u8] = b"consent-wallet/pseudonym/v1\n";
const DECOY_DOMAIN: &[u8] = b"consent-wallet/decoy/v1\n";
/// The smallest set. Sizes are powers of two, so that the size says no more than the next step above the count.
pub const MIN_SNAPSHOT: u64 = 64;
/// The largest set that is made or read.
pub const MAX_SNAPSHOT: u64 = 1 << 24;
/// The length of a proof of a pseudonym (C2SP vrf-r255).
const PROOF_BYTES: usize = 80;

/// What can be wrong with a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The number of leaves is no power of two between the smallest and the largest set.
    #[error("a set has a power of two of leaves, {MIN_SNAPSHOT} to {MAX_SNAPSHOT}")]
    Size,
    /// A pseudonym is there twice.
    #[error("a pseudonym is in the set twice")]
    Twice,
    /// The public key is none.
    #[error("the key of the pseudonyms is none")]
    Key,
    /// The pseudonym was not made from this subject under this key.
    #[error("the pseudonym does not belong to this subject")]
    Pseudonym,
    /// The leaves of a proof say nothing of the pseudonym.
    #[error("the proof is about other pseudonyms")]
    Leaves,
    /// A leaf is not in the set.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// A donor in one study, as researchers of that study know them. As text it is 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pseudonym(Hash);

impl Pseudonym {
    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Hash::from_bytes(bytes))
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The leaf of the set: the hash of the 32 bytes.
    fn leaf(&self) -> Hash {
        leaf_hash(self.as_bytes())
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Pseudonym {
    type Err = crate::HashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// The secret of one study's pseudonyms. It can not be printed, and does not leave the institution.
pub struct PseudonymKey(vrf_r255::SecretKey);

impl PseudonymKey {
    /// The key of a study, from the institution's secret for all of them. No two studies share one.
    pub fn derive(secret: &[u8; 32], study: &StudyId) -> Result<Self, SnapshotError> {
        // About every second candidate is below the order of the group; that 256 are not has probability 2^-256.
        let found = (0..=u8::MAX).find_map(|attempt| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
            mac.update(KEY_DOMAIN);
            mac.update(study.as_str().as_bytes());
            mac.update(&[b'\n', attempt]);
            let mut candidate: [u8; 32] = mac.finalize().into_bytes().into();
            // The order is a little above 2^252, and the number is little-endian: the top three bits are never set.
            candidate[31] &= 0x1f;
            Option::<vrf_r255::SecretKey>::from(vrf_r255::SecretKey::from_bytes(candidate)).map(Self)
        });
        found.ok_or(SnapshotError::Key)
    }

    /// The key that checks pseudonyms, as snapshots name it.
    pub fn public(&self) -> Hash {
        vrf_r255::PublicKey::from(self.0).to_bytes().into()
    }

    /// The pseudonym of a subject, with the proof that it is.
    pub fn pseudonym(&self, subject: &Hash) -> Result<(Pseudonym, PseudonymProof), SnapshotError> {
        self.make(&input_of_subject(subject))
    }

    /// A value that nobody can tell from a pseudonym without the key or its proof. The same numbers are the same
    /// decoys in every snapshot of a study: what comes and goes between two of them does not tell which leaves are real.
    pub fn decoy(&self, number: u64) -> Result<(Pseudonym, PseudonymProof), SnapshotError> {
        self.make(&input_of_decoy(number))
    }

    fn make(&self, input: &[u8]) -> Result<(Pseudonym, PseudonymProof), SnapshotError> {
        // The library gives the output only to who checks the proof: what is handed out was checked once.
        let proof = PseudonymProof(self.0.prove(input).to_bytes());
        Ok((proof.open(&self.public(), input)?, proof))
    }
}

/// Evidence that a pseudonym belongs to a subject, or is a decoy. As text it is 160 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PseudonymProof([u8; PROOF_BYTES]);

impl PseudonymProof {
    /// From its bytes; they are checked when the proof is.
    pub const fn from_bytes(bytes: [u8; PROOF_BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; PROOF_BYTES] {
        &self.0
    }

    /// The one pseudonym that this subject has under this key.
    pub fn verify(&self, key: &Hash, subject: &Hash) -> Result<Pseudonym, SnapshotError> {
        self.open(key, &input_of_subject(subject))
    }

    /// The decoy with this number under this key.
    pub fn verify_decoy(&self, key: &Hash, number: u64) -> Result<Pseudonym, SnapshotError> {
        self.open(key, &input_of_decoy(number))
    }

    fn open(&self, key: &Hash, input: &[u8]) -> Result<Pseudonym, SnapshotError> {
        let key = vrf_r255::PublicKey::from_bytes(*key.as_bytes()).ok_or(SnapshotError::Key)?;
        let proof = vrf_r255::Proof::from_bytes(self.0).ok_or(SnapshotError::Pseudonym)?;
        let output = Option::<[u8; 64]>::from(key.verify(input, &proof)).ok_or(SnapshotError::Pseudonym)?;
        let (first, _) = output.split_first_chunk::<32>().ok_or(SnapshotError::Pseudonym)?;
        Ok(Pseudonym::from_bytes(*first))
    }
}

impl fmt::Debug for PseudonymProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for PseudonymProof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for PseudonymProof {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; PROOF_BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(de::Error::custom)?;
        Ok(Self(bytes))
    }
}

fn input_of_subject(subject: &Hash) -> Vec<u8> {
    [SUBJECT_DOMAIN, subject.as_bytes()].concat()
}

fn input_of_decoy(number: u64) -> Vec<u8> {
    [DECOY_DOMAIN, &number.to_be_bytes()].concat()
}

/// How many leaves a set with this many pseudonyms has: the next power of two, and never fewer than the smallest set.
pub fn padded_size(pseudonyms: u64) -> Result<u64, SnapshotError> {
    let size = pseudonyms.max(MIN_SNAPSHOT).checked_next_power_of_two().ok_or(SnapshotError::Size)?;
    if size <= MAX_SNAPSHOT { Ok(size) } else { Err(SnapshotError::Size) }
}

/// A whole set, decoys included, with its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotSet {
    sorted: Vec<Pseudonym>,
    /// From the leaves up to the root; each level has half of the one below.
    levels: Vec<Vec<Hash>>,
}

impl SnapshotSet {
    /// The set of these pseudonyms and decoys, in any order.
    pub fn new(mut pseudonyms: Vec<Pseudonym>) -> Result<Self, SnapshotError> {
        let size = u64::try_from(pseudonyms.len()).map_err(|_| SnapshotError::Size)?;
        if !size.is_power_of_two() || !(MIN_SNAPSHOT..=MAX_SNAPSHOT).contains(&size) {
            return Err(SnapshotError::Size);
        }
        pseudonyms.sort_unstable();
        if pseudonyms.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(SnapshotError::Twice);
        }
        let mut levels = vec![pseudonyms.iter().map(Pseudonym::leaf).collect::<Vec<_>>()];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below.chunks(2).filter_map(|pair| Some(node_hash(*pair.first()?, *pair.last()?))).collect();
            levels.push(above);
        }
        Ok(Self { sorted: pseudonyms, levels })
    }

    /// All leaves, sorted.
    pub fn pseudonyms(&self) -> &[Pseudonym] {
        &self.sorted
    }

    /// The root over the set.
    pub fn root(&self) -> Hash {
        self.levels.last().and_then(|top| top.first()).copied().unwrap_or_else(Hash::empty_root)
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.sorted.len() as u64
    }

    /// What the log says of this set.
    pub fn event(&self, study: StudyId, epoch: Date, purpose: Hash, key: Hash, time: Timestamp) -> Snapshot {
        Snapshot { epoch, key, purpose, root: self.root(), size: self.size(), study, time }
    }

    /// Proof that a pseudonym is in the set, or that it is not: the leaves between which it would be.
    pub fn prove(&self, pseudonym: &Pseudonym) -> SetProof {
        let leaves = match self.sorted.binary_search(pseudonym) {
            Ok(index) => vec![self.leaf(index)],
            Err(index) => [index.checked_sub(1), Some(index)].into_iter().flatten().map(|at| self.leaf(at)).collect(),
        };
        SetProof { leaves: leaves.into_iter().flatten().collect() }
    }

    fn leaf(&self, index: usize) -> Option<ProvenLeaf> {
        let pseudonym = *self.sorted.get(index)?;
        let below_root = self.levels.iter().take(self.levels.len() - 1);
        let path = below_root.enumerate().filter_map(|(level, nodes)| nodes.get((index >> level) ^ 1).copied());
        Some(ProvenLeaf { index: index as u64, path: path.collect(), pseudonym })
    }
}

/// A leaf of a set, and the way from it to the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenLeaf {
    /// Its number among the sorted leaves.
    pub index: u64,
    /// From the sibling of the leaf up to the child of the root.
    pub path: Vec<Hash>,
    /// The leaf.
    pub pseudonym: Pseudonym,
}

/// Whether a pseudonym had a live consent in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It had.
    Present,
    /// It had not.
    Absent,
}

/// Proof that a pseudonym is in a set (one leaf), or not (its neighbours).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetProof {
    /// The leaf itself; or the one before and the one after, of which the first leaf has no one before it and the last
    /// no one after it.
    pub leaves: Vec<ProvenLeaf>,
}

impl SetProof {
    /// What the proof shows of a pseudonym under the set that the log names.
    ///
    /// Absence rests on the set being sorted. Whoever gets the whole set makes the tree again and knows; whoever does
    /// not relies on those.
    pub fn verify(&self, set: &Snapshot, pseudonym: &Pseudonym) -> Result<Presence, SnapshotError> {
        if !set.size.is_power_of_two() || !(MIN_SNAPSHOT..=MAX_SNAPSHOT).contains(&set.size) {
            return Err(SnapshotError::Size);
        }
        let presence = match self.leaves.as_slice() {
            [leaf] if leaf.pseudonym == *pseudonym => Presence::Present,
            [first] if first.index == 0 && *pseudonym < first.pseudonym => Presence::Absent,
            [last] if last.index == set.size - 1 && last.pseudonym < *pseudonym => Presence::Absent,
            [before, after] => {
                let neighbours = before.index.checked_add(1) == Some(after.index);
                let between = before.pseudonym < *pseudonym && *pseudonym < after.pseudonym;
                if !neighbours || !between {
                    return Err(SnapshotError::Leaves);
                }
                Presence::Absent
            }
            _ => return Err(SnapshotError::Leaves),
        };
        for leaf in &self.leaves {
            verify_inclusion(leaf.index, set.size, leaf.pseudonym.leaf(), &leaf.path, set.root)?;
        }
        Ok(presence)
    }
}
