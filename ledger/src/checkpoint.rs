//! Checkpoints (C2SP tlog-checkpoint): the size and the root for which a log stands with its signature.

use crate::hash::Hash;
use crate::note::{NoteError, NoteKey, SignedNote, VerifierKey};
use std::ops::Deref;

/// The head of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many entries it holds.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

/// What can be wrong with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The note around it is wrong.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The signed text is not a checkpoint.
    #[error("the signed text is not a checkpoint")]
    Malformed,
    /// Signed by the key, but for a log of another name.
    #[error("the checkpoint belongs to another log")]
    OtherOrigin,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// Signs the checkpoint as a note. The name of the key must be the origin.
    pub fn sign(&self, key: &NoteKey) -> Result<SignedCheckpoint, CheckpointError> {
        // Opening what was just written keeps one definition of what a valid checkpoint is.
        Self::open(&key.sign(&self.text())?, key.verifier())
    }

    /// Reads a checkpoint that this key signed.
    pub fn open(note: &str, key: &VerifierKey) -> Result<SignedCheckpoint, CheckpointError> {
        let signed = SignedNote::parse(note)?;
        let checkpoint = Self::parse(signed.verify(key)?).ok_or(CheckpointError::Malformed)?;
        if checkpoint.origin != key.name() {
            return Err(CheckpointError::OtherOrigin);
        }
        Ok(SignedCheckpoint { checkpoint, note: note.to_owned() })
    }

    /// Reads the text of a checkpoint. Extension lines are allowed by the format and mean nothing here.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let origin = lines.next().filter(|o| !o.is_empty())?.to_owned();
        let number = lines.next()?;
        let size: u64 = number.parse().ok()?;
        let root = Hash::from_base64(lines.next()?).ok()?;
        // Writing the number again refuses signs and leading zeroes.
        let plain = size.to_string() == number && lines.all(|line| !line.is_empty());
        // The empty tree has one root.
        let sound = size > 0 || root == Hash::empty_root();
        (plain && sound).then_some(Self { origin, size, root })
    }
}

/// A checkpoint whose signature was checked, with the note as it came. Only [`Checkpoint::open`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
}

impl SignedCheckpoint {
    /// The note, byte for byte.
    pub fn note(&self) -> &str {
        &self.note
    }
}

impl Deref for SignedCheckpoint {
    type Target = Checkpoint;

    fn deref(&self) -> &Checkpoint {
        &self.checkpoint
    }
}
