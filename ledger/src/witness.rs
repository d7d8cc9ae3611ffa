//! A witness (C2SP tlog-witness) as arithmetic: what was stored and what is asked go in, what must be stored and what
//! is answered come out. It knows no network, no disk and no clock.
//!
//! The host must put [`Update::next`] in the place of exactly what it gave as stored, durably and in one step, before
//! it sends the answer; if something else is there by then, it asks again with that.

use crate::checkpoint::{Checkpoint, CheckpointError, LogKey, SignedCheckpoint};
use crate::cosignature::Cosigner;
use crate::hash::Hash;
use crate::merkle::{ProofError, verify_consistency};
use crate::note::{MAX_NOTE_BYTES, MAX_SIGNATURES, NoteError, SignedNote};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The most hashes of a consistency proof in a request.
pub const MAX_PROOF_LINES: usize = 63;
/// The longest request that is read.
pub const MAX_ADD_CHECKPOINT_BYTES: usize = MAX_NOTE_BYTES + 4096;
/// The content type of the answer that says at which size the witness is.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";
/// The content type of signature lines.
pub const LINES_CONTENT_TYPE: &str = "text/plain; charset=utf-8";

/// What a log asks of a witness: to sign a checkpoint that contains the one the witness has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// At which size the log thinks that the witness is.
    pub old_size: u64,
    /// From there to the size of the checkpoint.
    pub proof: Vec<Hash>,
    /// The note.
    pub checkpoint: String,
}

impl AddCheckpoint {
    /// Reads the body of a request. None if it is not one.
    pub fn parse(body: &[u8]) -> Option<Self> {
        if body.len() > MAX_ADD_CHECKPOINT_BYTES {
            return None;
        }
        let (head, checkpoint) = std::str::from_utf8(body).ok()?.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let old_size = parse_size(lines.next()?.strip_prefix("old ")?)?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == MAX_PROOF_LINES {
                return None;
            }
            proof.push(Hash::from_base64(line).ok()?);
        }
        // Only its first line is looked at before the keys of the log are known.
        SignedNote::parse(checkpoint).ok()?;
        Some(Self { old_size, proof, checkpoint: checkpoint.to_owned() })
    }

    /// Of which log it claims to be.
    pub fn origin(&self) -> &str {
        self.checkpoint.split('\n').next().unwrap_or_default()
    }
}

/// The body of the request.
impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// A decimal number written in the one way.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}

/// The name of a log in the addresses of witnesses and mirrors: SHA-256 of its origin in hexadecimal.
pub fn origin_hash(origin: &str) -> String {
    hex::encode(Sha256::digest(origin))
}

/// What a witness keeps of a log: the largest checkpoint that it has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witnessed {
    /// How many entries the log had.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// When it was signed, in seconds since 1970.
    pub time: u64,
    /// The note with the signatures of the log and of the witness, as monitors read it.
    pub note: String,
}

/// What there is to store, and then to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// What takes the place of what was stored.
    pub next: Witnessed,
    /// The signature lines. None from a mirror, which signs when it holds the entries.
    pub body: String,
}

/// Why a witness does not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Not a request, not a checkpoint, or one that ends before it begins.
    #[error("not a request to witness a checkpoint")]
    BadRequest,
    /// Not signed by the log's Ed25519 key, or falsely by any of its keys.
    #[error("the checkpoint is not signed by its log, or not by Ed25519")]
    Unsigned,
    /// No log of this name is witnessed here.
    #[error("no log of this origin is witnessed here")]
    UnknownLog,
    /// The witness is at another size.
    #[error("the witness is at size {0}")]
    Conflict(u64),
    /// The proof proves nothing.
    #[error("the checkpoint does not contain the one before")]
    Inconsistent,
    /// The log has signed another past. The host should keep the evidence.
    #[error("the log has signed two histories")]
    Forked(Box<Fork>),
}

impl Refusal {
    /// The status code of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unsigned => 403,
            Self::UnknownLog => 404,
            Self::Conflict(_) => 409,
            Self::Inconsistent | Self::Forked(_) => 422,
        }
    }

    /// The content type of the answer.
    pub fn content_type(&self) -> &'static str {
        if matches!(self, Self::Conflict(_)) { SIZE_CONTENT_TYPE } else { LINES_CONTENT_TYPE }
    }

    /// The body of the answer: the size in a conflict, one line on the reason in all others.
    pub fn body(&self) -> String {
        match self {
            Self::Conflict(size) => format!("{size}\n"),
            other => format!("{other}\n"),
        }
    }
}

/// Two checkpoints that the log signed and that can not both be true: evidence that anybody can check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The note that was witnessed.
    pub held: String,
    /// The note that was shown later.
    pub shown: String,
    /// From another tree of the size that was witnessed to the one that was shown; empty if the sizes are equal.
    pub proof: Vec<Hash>,
}

impl Fork {
    /// Checks the evidence: whether one log did sign both, and they can not both be true. Gives the two.
    pub fn verify(&self, keys: &[LogKey]) -> Result<(SignedCheckpoint, SignedCheckpoint), CheckpointError> {
        let held = Checkpoint::open_with(&self.held, keys)?;
        let shown = Checkpoint::open_with(&self.shown, keys)?;
        // A proof that leads to the new root and to another old one shows what the log signed for the old size.
        let proof = verify_consistency(held.size, held.root, shown.size, shown.root, &self.proof);
        let forked = held.origin == shown.origin && proof == Err(ProofError::OldRoot);
        if forked { Ok((held, shown)) } else { Err(CheckpointError::Malformed) }
    }
}

/// A witness: the keys by which it signs.
#[derive(Default)]
pub struct Witness {
    cosigners: Vec<Cosigner>,
}

impl Witness {
    /// A witness that signs with each of these keys. Without any it does all but sign, as a mirror does with a
    /// checkpoint whose entries it has yet to get.
    pub fn new(cosigners: Vec<Cosigner>) -> Self {
        Self { cosigners }
    }

    /// The keys by which it signs.
    pub fn cosigners(&self) -> &[Cosigner] {
        &self.cosigners
    }

    /// Decides on a request. `keys` are those of the log that the request names, none if it is not witnessed here;
    /// `stored` is what the witness keeps of that log; `now` is in seconds since 1970.
    pub fn add_checkpoint(
        &self,
        request: &AddCheckpoint,
        keys: &[LogKey],
        stored: Option<&Witnessed>,
        now: u64,
    ) -> Result<Update, Refusal> {
        // The order of the checks is that of the specification.
        let keys: Vec<LogKey> = keys.iter().filter(|key| key.name() == request.origin()).cloned().collect();
        if keys.is_empty() {
            return Err(Refusal::UnknownLog);
        }
        let signed = Checkpoint::open_of_log(&request.checkpoint, &keys).map_err(|error| match error {
            CheckpointError::Note(NoteError::Unsigned | NoteError::BadSignature) => Refusal::Unsigned,
            CheckpointError::EmptyRoot => Refusal::Inconsistent,
            _ => Refusal::BadRequest,
        })?;
        if request.old_size > signed.size {
            return Err(Refusal::BadRequest);
        }
        let latest = stored.map_or(0, |stored| stored.size);
        if request.old_size != latest {
            return Err(Refusal::Conflict(latest));
        }
        check_growth(request, stored, &signed)?;
        self.sign(&signed, &keys, stored, now)
    }

    pub(crate) fn sign(
        &self,
        signed: &SignedCheckpoint,
        keys: &[LogKey],
        stored: Option<&Witnessed>,
        now: u64,
    ) -> Result<Update, Refusal> {
        // A clock that goes backwards must not make two statements contradict each other.
        let time = now.max(stored.map_or(1, |stored| stored.time)).max(1);
        let mut note = SignedNote::parse(signed.note()).map_err(|_| Refusal::BadRequest)?;
        // What nobody here has checked is not passed on under the name of this witness.
        note.retain(|signature| keys.iter().any(|key| key.is_named(signature)));
        note.truncate(MAX_SIGNATURES - self.cosigners.len().min(MAX_SIGNATURES));
        let mut body = String::new();
        for cosigner in &self.cosigners {
            let line = cosigner.sign(&note, signed, time).map_err(|_| Refusal::BadRequest)?;
            body.push_str(&line.to_string());
            note.add(line).map_err(|_| Refusal::BadRequest)?;
        }
        Ok(Update { next: Witnessed { size: signed.size, root: signed.root, time, note: note.to_string() }, body })
    }
}

/// Whether the checkpoint contains what is stored.
fn check_growth(request: &AddCheckpoint, stored: Option<&Witnessed>, signed: &SignedCheckpoint) -> Result<(), Refusal> {
    let Some(stored) = stored.filter(|stored| stored.size > 0) else {
        // Everything contains the empty tree, and there is nothing to prove.
        return if request.proof.is_empty() { Ok(()) } else { Err(Refusal::Inconsistent) };
    };
    match verify_consistency(stored.size, stored.root, signed.size, signed.root, &request.proof) {
        Ok(()) => Ok(()),
        Err(ProofError::OldRoot) => {
            let (held, shown) = (stored.note.clone(), signed.note().to_owned());
            Err(Refusal::Forked(Box::new(Fork { held, shown, proof: request.proof.clone() })))
        }
        Err(_) => Err(Refusal::Inconsistent),
    }
}

/// What a witness answered to a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Signature lines, yet to be checked by [`SignedCheckpoint::with_cosignatures`].
    Lines(String),
    /// The witness is at another size, from which the proof must start.
    At(u64),
    /// It does not sign, with this status code.
    Refused(u16),
}

impl Answer {
    /// Reads an answer. None if it is not what a witness may answer.
    pub fn read(status: u16, content_type: &str, body: &str) -> Option<Self> {
        match status {
            200 if body.len() <= MAX_NOTE_BYTES => Some(Self::Lines(body.to_owned())),
            // Some witnesses of an older specification answer a fork with 409 and no size.
            409 if content_type == SIZE_CONTENT_TYPE => Some(Self::At(parse_size(body.strip_suffix('\n')?)?)),
            200 => None,
            status => Some(Self::Refused(status)),
        }
    }
}
