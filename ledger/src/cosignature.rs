//! Cosignatures (C2SP tlog-cosignature): a cosigner states that at a time it knew of no larger tree of a log than
//! this one, and that this one contains all that it knew before.
//!
//! Two algorithms: Ed25519 over the text of the checkpoint, and ML-DSA-44 (FIPS 204), which a quantum computer does
//! not forge, over a structure that names the cosigner, the log, the size and the root. A log may sign its own
//! checkpoints by the second as well.

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::note::{NoteError, NoteSignature, SignedNote, is_key_name, key_id, key_text, parse_key_text};
use identity::{PublicKey, SigningKey};
use ml_dsa::{KeyInit as _, Keypair as _, MlDsa44, Signer as _, Verifier as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

/// The type of an Ed25519 cosignature.
const ED25519: u8 = 0x04;
/// The type of an ML-DSA-44 cosignature.
const ML_DSA_44: u8 = 0x06;
/// What sets these messages apart from all others, in twelve bytes.
const LABEL: &[u8; 12] = b"subtree/v1\n\0";

/// By which algorithm a cosigner signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Ed25519, as widely understood as today.
    Ed25519,
    /// ML-DSA-44, for those who must believe it in decades.
    MlDsa44,
}

/// The public half of a cosigner's key, written `name+hash+base64`.
#[derive(Clone)]
pub struct CosignerKey {
    name: String,
    id: [u8; 4],
    public: Public,
}

#[derive(Clone)]
enum Public {
    Ed25519(PublicKey),
    MlDsa44(Box<ml_dsa::VerifyingKey<MlDsa44>>),
}

impl CosignerKey {
    /// The key of this name with these bytes (32 for Ed25519, 1,312 for ML-DSA-44).
    pub fn new(name: &str, algorithm: Algorithm, public: &[u8]) -> Result<Self, NoteError> {
        let (code, key) = match algorithm {
            Algorithm::Ed25519 => {
                let bytes = public.try_into().map_err(|_| NoteError::BadKey)?;
                (ED25519, Public::Ed25519(PublicKey::from_bytes(bytes).map_err(|_| NoteError::BadKey)?))
            }
            Algorithm::MlDsa44 => {
                let key = ml_dsa::VerifyingKey::new_from_slice(public).map_err(|_| NoteError::BadKey)?;
                (ML_DSA_44, Public::MlDsa44(Box::new(key)))
            }
        };
        // The signed structure of ML-DSA-44 has one byte for the length of the name.
        let fits = algorithm == Algorithm::Ed25519 || name.len() <= 255;
        if !is_key_name(name) || !fits {
            return Err(NoteError::BadKey);
        }
        Ok(Self { name: name.to_owned(), id: key_id(name, code, public), public: key })
    }

    /// The name of the cosigner.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// By which algorithm it signs.
    pub fn algorithm(&self) -> Algorithm {
        match self.public {
            Public::Ed25519(_) => Algorithm::Ed25519,
            Public::MlDsa44(_) => Algorithm::MlDsa44,
        }
    }

    /// The raw public key.
    pub fn public_bytes(&self) -> Vec<u8> {
        match &self.public {
            Public::Ed25519(key) => key.as_bytes().to_vec(),
            Public::MlDsa44(key) => key.encode().to_vec(),
        }
    }

    pub(crate) fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The time of this cosigner's statement on a checkpoint, which must be what the text of the note says. Of several
    /// statements the latest counts; one false line refuses all. Zero means that nothing is said of a time.
    pub(crate) fn time_on(&self, note: &SignedNote, checkpoint: &Checkpoint) -> Result<u64, NoteError> {
        let mut latest = None;
        for signature in note.lines_by(&self.name, self.id) {
            latest = latest.max(Some(self.check(signature, note.claimed_text(), checkpoint)?));
        }
        latest.ok_or(NoteError::Unsigned)
    }

    fn check(&self, signature: &NoteSignature, text: &str, checkpoint: &Checkpoint) -> Result<u64, NoteError> {
        let (time, raw) = signature.bytes().split_first_chunk::<8>().ok_or(NoteError::BadSignature)?;
        let time = u64::from_be_bytes(*time);
        if i64::try_from(time).is_err() {
            return Err(NoteError::BadSignature);
        }
        match &self.public {
            Public::Ed25519(key) => {
                let raw = raw.try_into().map_err(|_| NoteError::BadSignature)?;
                key.verify(ed25519_message(time, text).as_bytes(), raw).map_err(|_| NoteError::BadSignature)?;
            }
            Public::MlDsa44(key) => {
                let raw = ml_dsa::Signature::<MlDsa44>::try_from(raw).map_err(|_| NoteError::BadSignature)?;
                let message = ml_dsa_message(&self.name, time, checkpoint).ok_or(NoteError::BadSignature)?;
                key.verify(&message, &raw).map_err(|_| NoteError::BadSignature)?;
            }
        }
        Ok(time)
    }
}

impl PartialEq for CosignerKey {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.algorithm() == other.algorithm() && self.public_bytes() == other.public_bytes()
    }
}

impl Eq for CosignerKey {}

impl fmt::Display for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.public {
            Public::Ed25519(_) => ED25519,
            Public::MlDsa44(_) => ML_DSA_44,
        };
        f.write_str(&key_text(&self.name, self.id, code, &self.public_bytes()))
    }
}

/// Without the key itself, which would fill a page.
impl fmt::Debug for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{} ({:?})", self.name, hex::encode(self.id), self.algorithm())
    }
}

impl FromStr for CosignerKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, code, public) = parse_key_text(text)?;
        let algorithm = match code {
            ED25519 => Algorithm::Ed25519,
            ML_DSA_44 => Algorithm::MlDsa44,
            _ => return Err(NoteError::BadKey),
        };
        let key = Self::new(name, algorithm, &public)?;
        // Writing it again covers the hash and every second spelling.
        if key.to_string() == text { Ok(key) } else { Err(NoteError::BadKey) }
    }
}

impl Serialize for CosignerKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CosignerKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// One that signs what others' logs show: a witness, a mirror, or a log beside its own Ed25519 signature. It can not
/// be printed or cloned.
pub struct Cosigner {
    key: CosignerKey,
    secret: Secret,
}

enum Secret {
    Ed25519(Box<SigningKey>),
    MlDsa44(Box<ml_dsa::SigningKey<MlDsa44>>),
}

impl Cosigner {
    /// A cosigner by Ed25519. The key must be used under this name only: its signatures do not name the signer.
    pub fn ed25519(name: &str, key: SigningKey) -> Result<Self, NoteError> {
        let public = CosignerKey::new(name, Algorithm::Ed25519, key.public().as_bytes())?;
        Ok(Self { key: public, secret: Secret::Ed25519(Box::new(key)) })
    }

    /// A cosigner by ML-DSA-44, from the 32-byte seed of FIPS 204.
    pub fn ml_dsa_44(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        let secret = ml_dsa::SigningKey::<MlDsa44>::from_seed(&(*seed).into());
        let public = CosignerKey::new(name, Algorithm::MlDsa44, &secret.verifying_key().encode())?;
        Ok(Self { key: public, secret: Secret::MlDsa44(Box::new(secret)) })
    }

    /// The public half.
    pub fn key(&self) -> &CosignerKey {
        &self.key
    }

    /// Signs the checkpoint that is the text of the note. Whether it may be signed is the caller's question.
    pub(crate) fn sign(
        &self,
        note: &SignedNote,
        checkpoint: &Checkpoint,
        time: u64,
    ) -> Result<NoteSignature, NoteError> {
        if time == 0 || i64::try_from(time).is_err() {
            return Err(NoteError::BadTime);
        }
        let mut bytes = time.to_be_bytes().to_vec();
        match &self.secret {
            Secret::Ed25519(key) => bytes.extend(key.sign(ed25519_message(time, note.claimed_text()).as_bytes())),
            Secret::MlDsa44(key) => {
                let message = ml_dsa_message(&self.key.name, time, checkpoint).ok_or(NoteError::TooLarge)?;
                bytes.extend(key.try_sign(&message).map_err(|_| NoteError::BadKey)?.encode());
            }
        }
        Ok(NoteSignature::new(&self.key.name, self.key.id, bytes))
    }
}

/// Two lines of its own, then all of the checkpoint's text.
fn ed25519_message(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// The tree from its first leaf to its last, in the presentation language of TLS. None if a name is too long for it.
fn ml_dsa_message(name: &str, time: u64, checkpoint: &Checkpoint) -> Option<Vec<u8>> {
    let mut message = LABEL.to_vec();
    let mut opaque = |text: &str, number: u64| {
        message.push(u8::try_from(text.len()).ok().filter(|length| *length > 0)?);
        message.extend_from_slice(text.as_bytes());
        message.extend_from_slice(&number.to_be_bytes());
        Some(())
    };
    opaque(name, time)?;
    // A checkpoint is the subtree that starts at the first leaf.
    opaque(&checkpoint.origin, 0)?;
    message.extend_from_slice(&checkpoint.size.to_be_bytes());
    message.extend_from_slice(checkpoint.root.as_bytes());
    Some(message)
}

/// A checkpoint as a cosigner vouches for it. Only a check makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedCheckpoint {
    checkpoint: Checkpoint,
    time: u64,
    note: String,
}

impl CosignedCheckpoint {
    /// Reads a checkpoint that this cosigner signed, as a witness or a mirror serves it.
    pub fn open(note: &str, key: &CosignerKey) -> Result<Self, CheckpointError> {
        let signed = SignedNote::parse(note)?;
        let checkpoint = Checkpoint::parse(signed.claimed_text())?;
        let time = key.time_on(&signed, &checkpoint)?;
        Ok(Self { checkpoint, time, note: note.to_owned() })
    }

    /// When the cosigner knew of no larger tree, in seconds since 1970; zero if it does not say so.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// The note, byte for byte.
    pub fn note(&self) -> &str {
        &self.note
    }
}

impl Deref for CosignedCheckpoint {
    type Target = Checkpoint;

    fn deref(&self) -> &Checkpoint {
        &self.checkpoint
    }
}
