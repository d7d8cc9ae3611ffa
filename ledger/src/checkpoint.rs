//! Checkpoints (C2SP tlog-checkpoint): the size and the root for which a log stands with its signature.

use crate::cosignature::{Algorithm, Cosigner, CosignerKey};
use crate::hash::Hash;
use crate::note::{NoteError, NoteKey, NoteSignature, SignedNote, VerifierKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

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
    /// An empty log with a root that is not that of the empty tree.
    #[error("the checkpoint of an empty log has another root than the empty tree")]
    EmptyRoot,
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
        let checkpoint = Self::parse(signed.verify(key)?)?;
        if checkpoint.origin != key.name() {
            return Err(CheckpointError::OtherOrigin);
        }
        Ok(SignedCheckpoint { checkpoint, note: note.to_owned() })
    }

    /// Reads a checkpoint that one of these keys signed. A false signature of any of them refuses it.
    pub fn open_with(note: &str, keys: &[LogKey]) -> Result<SignedCheckpoint, CheckpointError> {
        let signed = SignedNote::parse(note)?;
        let checkpoint = Self::parse(signed.claimed_text());
        let mut signers = Vec::new();
        for key in keys {
            match key.check(&signed, &checkpoint) {
                Ok(()) => signers.push(key.name()),
                Err(NoteError::Unsigned) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // What nobody signed is not even looked at.
        if signers.is_empty() {
            return Err(NoteError::Unsigned.into());
        }
        let checkpoint = checkpoint?;
        // Another log's signature beside the right one is a stranger's.
        if !signers.contains(&checkpoint.origin.as_str()) {
            return Err(CheckpointError::OtherOrigin);
        }
        Ok(SignedCheckpoint { checkpoint, note: note.to_owned() })
    }

    /// Reads a checkpoint of the log whose keys these are. It must be signed by Ed25519, whatever else signs it (5.2 of
    /// the format): what convicts the log later is judged by that key alone.
    pub fn open_of_log(note: &str, keys: &[LogKey]) -> Result<SignedCheckpoint, CheckpointError> {
        let signed = Self::open_with(note, keys)?;
        let note = SignedNote::parse(note)?;
        let by_ed25519 = |key: &LogKey| matches!(&key.0, Kind::Ed25519(key) if note.verify(key).is_ok());
        if keys.iter().any(by_ed25519) { Ok(signed) } else { Err(NoteError::Unsigned.into()) }
    }

    /// Reads the text of a checkpoint. Extension lines are allowed by the format and mean nothing here.
    pub(crate) fn parse(text: &str) -> Result<Self, CheckpointError> {
        let checkpoint = Self::read(text).ok_or(CheckpointError::Malformed)?;
        // The empty tree has one root.
        let sound = checkpoint.size > 0 || checkpoint.root == Hash::empty_root();
        if sound { Ok(checkpoint) } else { Err(CheckpointError::EmptyRoot) }
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let origin = lines.next().filter(|o| !o.is_empty())?.to_owned();
        let number = lines.next()?;
        let size: u64 = number.parse().ok()?;
        let root = Hash::from_base64(lines.next()?).ok()?;
        // Writing the number again refuses signs and leading zeroes.
        let plain = size.to_string() == number && lines.all(|line| !line.is_empty());
        plain.then_some(Self { origin, size, root })
    }
}

/// A key by which a log signs: Ed25519 (type 0x01) or ML-DSA-44 (type 0x06). Its name is the origin of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Ed25519(VerifierKey),
    MlDsa44(CosignerKey),
}

impl LogKey {
    /// A log's ML-DSA-44 key. None if the key is one for Ed25519 cosignatures, which only witnesses make.
    pub fn ml_dsa_44(key: CosignerKey) -> Option<Self> {
        (key.algorithm() == Algorithm::MlDsa44).then_some(Self(Kind::MlDsa44(key)))
    }

    /// The origin of the log.
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::Ed25519(key) => key.name(),
            Kind::MlDsa44(key) => key.name(),
        }
    }

    /// The raw public key.
    pub fn public_bytes(&self) -> Vec<u8> {
        match &self.0 {
            Kind::Ed25519(key) => key.public_bytes().to_vec(),
            Kind::MlDsa44(key) => key.public_bytes(),
        }
    }

    /// Whether a signature line is said to be by this key.
    pub(crate) fn is_named(&self, signature: &NoteSignature) -> bool {
        match &self.0 {
            Kind::Ed25519(key) => signature.is_by(key.name(), key.id()),
            Kind::MlDsa44(key) => signature.is_by(key.name(), key.id()),
        }
    }

    fn check(&self, note: &SignedNote, checkpoint: &Result<Checkpoint, CheckpointError>) -> Result<(), NoteError> {
        match (&self.0, checkpoint) {
            (Kind::Ed25519(key), _) => note.verify(key).map(|_| ()),
            // A log may sign without a time: it knows its largest tree at any.
            (Kind::MlDsa44(key), Ok(checkpoint)) => key.time_on(note, checkpoint).map(|_| ()),
            // Its signature is over the fields, and there are none.
            (Kind::MlDsa44(_), Err(_)) => Err(NoteError::Unsigned),
        }
    }
}

impl From<VerifierKey> for LogKey {
    fn from(key: VerifierKey) -> Self {
        Self(Kind::Ed25519(key))
    }
}

impl fmt::Display for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Ed25519(key) => fmt::Display::fmt(key, f),
            Kind::MlDsa44(key) => fmt::Display::fmt(key, f),
        }
    }
}

impl FromStr for LogKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        match text.parse::<VerifierKey>() {
            Ok(key) => Ok(key.into()),
            Err(_) => Self::ml_dsa_44(text.parse()?).ok_or(NoteError::BadKey),
        }
    }
}

impl Serialize for LogKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LogKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A checkpoint that its log signed, with the note as it came. Only a check makes one.
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

    /// Signs it as a cosigner, at a time in seconds since 1970. For a log's own ML-DSA-44 key, and for whoever
    /// checked by other means that the tree contains all before it; a witness does that by [`crate::Witness`].
    pub fn cosign(&self, cosigner: &Cosigner, time: u64) -> Result<NoteSignature, NoteError> {
        cosigner.sign(&SignedNote::parse(&self.note)?, &self.checkpoint, time)
    }

    /// The same checkpoint with one more signature line.
    pub fn with(&self, signature: NoteSignature) -> Result<Self, NoteError> {
        let mut note = SignedNote::parse(&self.note)?;
        note.add(signature)?;
        Ok(Self { checkpoint: self.checkpoint.clone(), note: note.to_string() })
    }

    /// The same checkpoint with those of these signature lines that known cosigners made for it. Lines of strangers,
    /// false ones, ones without a time and ones that are older than what is there are left out; without any good one
    /// the answer is worth nothing.
    pub fn with_cosignatures(&self, lines: &str, keys: &[CosignerKey]) -> Result<Self, NoteError> {
        let (mut note, mut any) = (SignedNote::parse(&self.note)?, false);
        let bare = SignedNote::bare(note.claimed_text());
        // Nobody cosigns under the name of the log, so no line can push out the log's own.
        let keys: Vec<_> = keys.iter().filter(|key| key.name() != self.origin).collect();
        for line in NoteSignature::parse_lines(lines)? {
            let Some(key) = keys.iter().find(|key| line.is_by(key.name(), key.id())) else { continue };
            let mut alone = bare.clone();
            alone.add(line.clone())?;
            let Ok(time) = key.time_on(&alone, &self.checkpoint) else { continue };
            let held = key.time_on(&note, &self.checkpoint).unwrap_or(0);
            if time > held {
                note.add(line)?;
            }
            any |= time > 0;
        }
        if !any {
            return Err(NoteError::Unsigned);
        }
        Ok(Self { checkpoint: self.checkpoint.clone(), note: note.to_string() })
    }
}

impl Deref for SignedCheckpoint {
    type Target = Checkpoint;

    fn deref(&self) -> &Checkpoint {
        &self.checkpoint
    }
}
