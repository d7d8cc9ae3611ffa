//! Signed notes (C2SP signed-note) with Ed25519 signatures: a text, an empty line, and who signed it.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use identity::{PublicKey, SigningKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// The longest note that is read: room for 16 post-quantum cosignatures beside the log's own.
pub const MAX_NOTE_BYTES: usize = 128 * 1024;
/// The most signature lines that are read. C2SP asks for at least 16.
const MAX_SIGNATURES: usize = 32;
/// The type of a plain Ed25519 signature over the text.
const ED25519: u8 = 0x01;

/// What can be wrong with a note or with the name of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Not a signed note.
    #[error("not a signed note")]
    Malformed,
    /// Longer than this program reads.
    #[error("a note is too long or has too many signatures")]
    TooLarge,
    /// No signature of the key that was asked for.
    #[error("the note is not signed by the expected key")]
    Unsigned,
    /// A signature of the key that was asked for, but over something else.
    #[error("the signature of the note is false")]
    BadSignature,
    /// Not a verifier key, or not one for Ed25519.
    #[error("not an Ed25519 verifier key")]
    BadKey,
}

/// The public half of a note key, written `name+hash+base64`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: PublicKey,
}

impl VerifierKey {
    fn new(name: &str, public: &[u8; 32]) -> Result<Self, NoteError> {
        if !is_key_name(name) {
            return Err(NoteError::BadKey);
        }
        let key = PublicKey::from_bytes(public).map_err(|_| NoteError::BadKey)?;
        Ok(Self { name: name.to_owned(), id: key_id(name, public), key })
    }

    /// The name of the key; for a log, its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The raw public key.
    pub fn public_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![ED25519];
        typed.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id), BASE64_STANDARD.encode(typed))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        if text.len() > 1024 {
            return Err(NoteError::BadKey);
        }
        // A name has no plus, but base64 may: only the first two are separators.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(typed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::BadKey);
        };
        let typed = BASE64_STANDARD.decode(typed).map_err(|_| NoteError::BadKey)?;
        let Some((&ED25519, public)) = typed.split_first() else { return Err(NoteError::BadKey) };
        let key = Self::new(name, public.try_into().map_err(|_| NoteError::BadKey)?)?;
        // Writing it again covers the hash and every second spelling.
        if key.to_string() == text { Ok(key) } else { Err(NoteError::BadKey) }
    }
}

impl Serialize for VerifierKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VerifierKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The key that signs notes under a name.
pub struct NoteKey {
    verifier: VerifierKey,
    key: SigningKey,
}

impl NoteKey {
    /// A note key with this name (for a log: its origin).
    pub fn new(name: &str, key: SigningKey) -> Result<Self, NoteError> {
        let verifier = VerifierKey::new(name, key.public().as_bytes())?;
        Ok(Self { verifier, key })
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text, which must end in a newline and hold no other control characters.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        if !is_text(text) {
            return Err(NoteError::Malformed);
        }
        let mut signature = self.verifier.id.to_vec();
        signature.extend_from_slice(&self.key.sign(text.as_bytes()));
        Ok(format!("{text}\n\u{2014} {} {}\n", self.verifier.name, BASE64_STANDARD.encode(signature)))
    }
}

/// One signature line of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

/// A note that was read but not yet believed: its text shows itself only to those who name a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// Reads a note.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        // The last empty line parts text and signatures; the text keeps its own newline.
        let (text, lines) = note.rfind("\n\n").map(|at| (&note[..=at], &note[at + 2..])).ok_or(NoteError::Malformed)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        if !is_text(text) {
            return Err(NoteError::Malformed);
        }
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::TooLarge);
            }
            signatures.push(parse_signature(line)?);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text, if this key signed it. A false signature of the key refuses the note even beside a good one.
    pub fn verify(&self, key: &VerifierKey) -> Result<&str, NoteError> {
        let mut signed = false;
        for signature in self.signatures.iter().filter(|s| s.name == key.name && s.id == key.id) {
            let bytes = signature.bytes.as_slice().try_into().map_err(|_| NoteError::BadSignature)?;
            key.key.verify(self.text.as_bytes(), bytes).map_err(|_| NoteError::BadSignature)?;
            signed = true;
        }
        if signed { Ok(&self.text) } else { Err(NoteError::Unsigned) }
    }
}

fn parse_signature(line: &str) -> Result<NoteSignature, NoteError> {
    let (name, code) = line.strip_prefix("\u{2014} ").and_then(|l| l.split_once(' ')).ok_or(NoteError::Malformed)?;
    let bytes = BASE64_STANDARD.decode(code).map_err(|_| NoteError::Malformed)?;
    match bytes.split_first_chunk::<4>() {
        Some((id, rest)) if is_key_name(name) && !rest.is_empty() => {
            Ok(NoteSignature { name: name.to_owned(), id: *id, bytes: rest.to_vec() })
        }
        _ => Err(NoteError::Malformed),
    }
}

/// SHA-256(name || newline || type || public key), its first four bytes.
fn key_id(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let hash: [u8; 32] =
        Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(public).finalize().into();
    [hash[0], hash[1], hash[2], hash[3]]
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 512 && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

fn is_text(text: &str) -> bool {
    text.ends_with('\n') && text.chars().all(|c| c >= ' ' || c == '\n')
}
