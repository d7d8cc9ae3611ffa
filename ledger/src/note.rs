//! Signed notes (C2SP signed-note): a text, an empty line, and who signed it.
//!
//! Here are the lines of all kinds and the plain Ed25519 signature; what signs checkpoints with a time is in
//! `cosignature`.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use identity::{PublicKey, SigningKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// The longest note that is read: room for 16 post-quantum cosignatures beside the log's own.
pub const MAX_NOTE_BYTES: usize = 128 * 1024;
/// The most signature lines that are read. C2SP asks for at least 16.
pub const MAX_SIGNATURES: usize = 32;
/// The longest verifier key that is read: 1,312 bytes of ML-DSA-44 in base64 beside a name.
pub(crate) const MAX_KEY_TEXT: usize = 4096;
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
    /// Not a verifier key, or not one of the type that is needed here.
    #[error("not a verifier key of the type that is needed")]
    BadKey,
    /// A time at which nothing can be cosigned: zero, or beyond 63 bits.
    #[error("not a time of a cosignature")]
    BadTime,
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
        Ok(Self { name: name.to_owned(), id: key_id(name, ED25519, public), key })
    }

    /// The name of the key; for a log, its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The raw public key.
    pub fn public_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    pub(crate) fn id(&self) -> [u8; 4] {
        self.id
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&key_text(&self.name, self.id, ED25519, self.key.as_bytes()))
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
        let (name, algorithm, public) = parse_key_text(text)?;
        if algorithm != ED25519 {
            return Err(NoteError::BadKey);
        }
        let key = Self::new(name, public.as_slice().try_into().map_err(|_| NoteError::BadKey)?)?;
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
        Ok(format!("{text}\n{}", self.line(text)))
    }

    /// The signature over a text that is known to be one.
    fn line(&self, text: &str) -> NoteSignature {
        let VerifierKey { name, id, .. } = &self.verifier;
        NoteSignature { name: name.clone(), id: *id, bytes: self.key.sign(text.as_bytes()).to_vec() }
    }
}

/// One signature line of a note. Nothing is known of it until a key has checked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl NoteSignature {
    pub(crate) fn new(name: &str, id: [u8; 4], bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), id, bytes }
    }

    /// Reads signature lines, each ending in a newline, as witnesses answer with.
    pub fn parse_lines(text: &str) -> Result<Vec<Self>, NoteError> {
        if text.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        let lines = text.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::TooLarge);
            }
            signatures.push(Self::parse(line)?);
        }
        Ok(signatures)
    }

    fn parse(line: &str) -> Result<Self, NoteError> {
        let (name, code) =
            line.strip_prefix("\u{2014} ").and_then(|l| l.split_once(' ')).ok_or(NoteError::Malformed)?;
        let bytes = BASE64_STANDARD.decode(code).map_err(|_| NoteError::Malformed)?;
        match bytes.split_first_chunk::<4>() {
            Some((id, rest)) if is_key_name(name) && !rest.is_empty() => Ok(Self::new(name, *id, rest.to_vec())),
            _ => Err(NoteError::Malformed),
        }
    }

    /// Whether a key of this name and id is meant.
    pub(crate) fn is_by(&self, name: &str, id: [u8; 4]) -> bool {
        self.name == name && self.id == id
    }

    /// What the algorithm of the key made.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The line with the newline at its end.
impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = BASE64_STANDARD.encode([&self.id[..], &self.bytes].concat());
        writeln!(f, "\u{2014} {} {code}", self.name)
    }
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
        if !is_text(text) {
            return Err(NoteError::Malformed);
        }
        Ok(Self { text: text.to_owned(), signatures: NoteSignature::parse_lines(lines)? })
    }

    /// A text that nobody has signed yet.
    pub(crate) fn bare(text: &str) -> Self {
        Self { text: text.to_owned(), signatures: Vec::new() }
    }

    /// The text that somebody claims to have signed: enough to look up whose keys to ask, not to believe.
    pub(crate) fn claimed_text(&self) -> &str {
        &self.text
    }

    /// The signature lines under this name and key id.
    pub(crate) fn lines_by<'a>(&'a self, name: &'a str, id: [u8; 4]) -> impl Iterator<Item = &'a NoteSignature> {
        self.signatures.iter().filter(move |signature| signature.is_by(name, id))
    }

    /// Adds a signature line. One under the same name and key id gives way: a later cosignature says more.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        let NoteSignature { name, id, .. } = &signature;
        self.signatures.retain(|held| !held.is_by(name, *id));
        if self.signatures.len() == MAX_SIGNATURES {
            return Err(NoteError::TooLarge);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// The same text with those signatures only that a condition takes.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&NoteSignature) -> bool) {
        self.signatures.retain(keep);
    }

    /// Leaves out the last ones if there are more than so many.
    pub(crate) fn truncate(&mut self, most: usize) {
        self.signatures.truncate(most);
    }

    /// The text, if this key signed it. A false signature of the key refuses the note even beside a good one.
    pub fn verify(&self, key: &VerifierKey) -> Result<&str, NoteError> {
        let mut signed = false;
        for signature in self.lines_by(&key.name, key.id) {
            let bytes = signature.bytes.as_slice().try_into().map_err(|_| NoteError::BadSignature)?;
            key.key.verify(self.text.as_bytes(), bytes).map_err(|_| NoteError::BadSignature)?;
            signed = true;
        }
        if signed { Ok(&self.text) } else { Err(NoteError::Unsigned) }
    }
}

/// The note, byte for byte as it was read.
impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| write!(f, "{signature}"))
    }
}

/// SHA-256(name || newline || type || public key), its first four bytes.
pub(crate) fn key_id(name: &str, algorithm: u8, public: &[u8]) -> [u8; 4] {
    let hash: [u8; 32] =
        Sha256::new().chain_update(name).chain_update([b'\n', algorithm]).chain_update(public).finalize().into();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// A verifier key: `name+id+base64(type || public key)`.
pub(crate) fn key_text(name: &str, id: [u8; 4], algorithm: u8, public: &[u8]) -> String {
    format!("{name}+{}+{}", hex::encode(id), BASE64_STANDARD.encode([&[algorithm], public].concat()))
}

/// Takes a verifier key apart, loosely; the callers write it again and compare, which refuses every second spelling
/// and a false id.
pub(crate) fn parse_key_text(text: &str) -> Result<(&str, u8, Vec<u8>), NoteError> {
    if text.len() > MAX_KEY_TEXT {
        return Err(NoteError::BadKey);
    }
    // A name has no plus, but base64 may: only the first two are separators.
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(_), Some(typed)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NoteError::BadKey);
    };
    let typed = BASE64_STANDARD.decode(typed).map_err(|_| NoteError::BadKey)?;
    let (algorithm, public) = typed.split_first().ok_or(NoteError::BadKey)?;
    Ok((name, *algorithm, public.to_vec()))
}

pub(crate) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 512 && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

fn is_text(text: &str) -> bool {
    text.ends_with('\n') && text.chars().all(|c| c >= ' ' || c == '\n')
}
