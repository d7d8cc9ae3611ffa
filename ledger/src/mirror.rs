//! A mirror (C2SP tlog-mirror) as arithmetic: a witness that signs only what it holds in full.
//!
//! Checkpoints come as to a witness and become what is pending. Entries come in packages; each package is checked
//! against a pending checkpoint before it is kept, so whatever is kept belongs to one history. When all entries up to
//! a checkpoint are there, the mirror signs it. The host stores, and stores before it answers.

mod body;

pub use body::{
    AddEntries, BadUpload, ENTRIES_CONTENT_TYPE, EntryPackage, INFO_CONTENT_TYPE, MAX_PACKAGES, MAX_UPLOAD_BYTES,
    MirrorInfo, PackageRange, UploadReader, package_ranges,
};

use crate::checkpoint::{Checkpoint, LogKey, SignedCheckpoint};
use crate::cosignature::Cosigner;
use crate::hash::leaf_hash;
use crate::merkle::Frontier;
use crate::note::MAX_NOTE_BYTES;
use crate::subtree::verify_subtree;
use crate::tile::TILE_WIDTH;
use crate::witness::{AddCheckpoint, LINES_CONTENT_TYPE, Refusal, Update, Witness, Witnessed};
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// How many entries that are there already a request may send again.
const MAX_RESENT: u64 = 8 * TILE_WIDTH;
/// The longest note that goes into a ticket.
const MAX_TICKET_NOTE: usize = 12 * 1024;
/// What sets the authentication of tickets apart from all else.
const TICKET_LABEL: &str = "consent-wallet/mirror-ticket/v1";

/// What a mirror keeps of a log, beside the entries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirrored {
    /// The largest checkpoint that the log has shown.
    pub pending: Option<Witnessed>,
    /// The largest checkpoint whose entries are all here, with the mirror's signature.
    pub latest: Option<Witnessed>,
    /// The first entry that is not here.
    pub next: u64,
}

impl Mirrored {
    fn latest_size(&self) -> u64 {
        self.latest.as_ref().map_or(0, |latest| latest.size)
    }
}

/// What a mirror answers when it does not sign (yet).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorReply {
    /// Some entries were kept, more are to come.
    #[error("more entries are to come")]
    Accepted(MirrorInfo),
    /// Not an upload.
    #[error("not an upload of entries")]
    BadRequest,
    /// No log of this name is mirrored here.
    #[error("no log of this origin is mirrored here")]
    UnknownLog,
    /// Not from there, or not up to there.
    #[error("the mirror is elsewhere")]
    Conflict(MirrorInfo),
    /// The entries are not those of the checkpoint.
    #[error("the entries are not those of the checkpoint")]
    Unproven,
}

impl MirrorReply {
    /// The status code of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Accepted(_) => 202,
            Self::BadRequest => 400,
            Self::UnknownLog => 404,
            Self::Conflict(_) => 409,
            Self::Unproven => 422,
        }
    }

    /// The content type of the answer.
    pub fn content_type(&self) -> &'static str {
        if matches!(self, Self::Accepted(_) | Self::Conflict(_)) { INFO_CONTENT_TYPE } else { LINES_CONTENT_TYPE }
    }

    /// The body of the answer: where the mirror is, or one line on the reason.
    pub fn body(&self) -> String {
        match self {
            Self::Accepted(info) | Self::Conflict(info) => info.to_string(),
            other => format!("{other}\n"),
        }
    }
}

impl From<BadUpload> for MirrorReply {
    fn from(_: BadUpload) -> Self {
        Self::BadRequest
    }
}

/// The checkpoint against which the entries of an upload are checked. Only [`Mirror::begin`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(SignedCheckpoint);

/// A mirror: the keys by which it signs what it holds, and the one by which it knows its own tickets again.
pub struct Mirror {
    witness: Witness,
    ticket_key: [u8; 32],
}

impl Mirror {
    /// A mirror that signs with these keys. None of them may sign as a witness: "I saw it" and "I hold it" are two
    /// statements.
    pub fn new(cosigners: Vec<Cosigner>, ticket_key: [u8; 32]) -> Self {
        Self { witness: Witness::new(cosigners), ticket_key }
    }

    /// The keys by which it signs.
    pub fn cosigners(&self) -> &[Cosigner] {
        self.witness.cosigners()
    }

    /// Decides on a checkpoint. What comes out takes the place of [`Mirrored::pending`]; nothing is signed.
    pub fn add_checkpoint(
        &self,
        request: &AddCheckpoint,
        keys: &[LogKey],
        state: &Mirrored,
        now: u64,
    ) -> Result<Update, Refusal> {
        Witness::default().add_checkpoint(request, keys, state.pending.as_ref(), now)
    }

    /// Decides whether an upload may go on, by its head alone. `keys` are those of the log that the head names, none
    /// if it is not mirrored here.
    pub fn begin(&self, head: &AddEntries, keys: &[LogKey], state: &Mirrored) -> Result<Target, MirrorReply> {
        let keys: Vec<LogKey> = keys.iter().filter(|key| key.name() == head.origin).cloned().collect();
        if keys.is_empty() {
            return Err(MirrorReply::UnknownLog);
        }
        if head.start > head.end {
            return Err(MirrorReply::BadRequest);
        }
        let target =
            self.target(head, &keys, state).ok_or_else(|| MirrorReply::Conflict(self.info(&head.origin, state)))?;
        let resent = head.end.min(state.next).saturating_sub(head.start);
        if head.start > state.next || resent > MAX_RESENT {
            // A checkpoint that still has entries to come is good for the next try as well.
            let same = state.next <= head.end;
            let info = if same { self.info_at(&target, state.next) } else { self.info(&head.origin, state) };
            return Err(MirrorReply::Conflict(info));
        }
        Ok(target)
    }

    /// The checkpoint of the size that the upload names: the pending one, the mirror's own, or that of a ticket.
    fn target(&self, head: &AddEntries, keys: &[LogKey], state: &Mirrored) -> Option<Target> {
        if head.end < state.latest_size() {
            return None;
        }
        let stored = [&state.pending, &state.latest].into_iter().flatten().find(|stored| stored.size == head.end);
        let note = match stored {
            Some(stored) => stored.note.clone(),
            None => self.open_ticket(&head.origin, &head.ticket)?,
        };
        let signed = Checkpoint::open_with(&note, keys).ok()?;
        (signed.size == head.end).then_some(Target(signed))
    }

    /// Checks a package. `held` are the leaves of its bundle before the package, as the mirror has them.
    pub fn check(&self, target: &Target, held: &[Vec<u8>], package: &EntryPackage) -> Result<(), MirrorReply> {
        let range = package.range;
        let whole = range.start.checked_sub(range.base) == Some(held.len() as u64)
            && range.end.checked_sub(range.start) == Some(package.entries.len() as u64);
        let mut subtree = Frontier::new();
        held.iter().chain(&package.entries).for_each(|entry| subtree.push(leaf_hash(entry)));
        let Target(checkpoint) = target;
        let proof = (range.base, range.end);
        match verify_subtree(proof, subtree.root(), checkpoint.size, checkpoint.root, &package.proof) {
            Ok(()) if whole => Ok(()),
            _ => Err(MirrorReply::Unproven),
        }
    }

    /// The answer to an upload that ended before all was there: whether any of its packages was kept decides.
    pub fn interrupted(&self, target: &Target, state: &Mirrored, kept: bool) -> MirrorReply {
        if !kept {
            return MirrorReply::BadRequest;
        }
        if state.next <= target.0.size {
            return MirrorReply::Accepted(self.info_at(target, state.next));
        }
        // Somebody else was faster: what is pending is the next aim.
        MirrorReply::Accepted(self.info(&target.0.origin, state))
    }

    /// Signs the checkpoint once all its entries are durably kept. What comes out takes the place of
    /// [`Mirrored::latest`], in one step with the check that the state is still this one.
    pub fn finish(&self, target: &Target, keys: &[LogKey], state: &Mirrored, now: u64) -> Result<Update, MirrorReply> {
        let Target(checkpoint) = target;
        if state.next < checkpoint.size {
            return Err(MirrorReply::Accepted(self.info_at(target, state.next)));
        }
        if checkpoint.size < state.latest_size() {
            return Err(MirrorReply::Conflict(self.info(&checkpoint.origin, state)));
        }
        self.witness.sign(checkpoint, keys, state.latest.as_ref(), now).map_err(|_| MirrorReply::BadRequest)
    }

    /// Where the mirror is, by its pending checkpoint.
    fn info(&self, origin: &str, state: &Mirrored) -> MirrorInfo {
        let Some(pending) = &state.pending else {
            return MirrorInfo { size: 0, next: state.next, ticket: Vec::new() };
        };
        MirrorInfo { size: pending.size, next: state.next, ticket: self.ticket(origin, &pending.note) }
    }

    fn info_at(&self, target: &Target, next: u64) -> MirrorInfo {
        let Target(checkpoint) = target;
        let ticket = self.ticket(&checkpoint.origin, checkpoint.note());
        MirrorInfo { size: checkpoint.size, next, ticket }
    }

    /// A ticket holds a checkpoint that was pending, so that an upload can go on when another one has taken its place.
    fn ticket(&self, origin: &str, note: &str) -> Vec<u8> {
        if note.len() > MAX_TICKET_NOTE {
            return Vec::new();
        }
        let Some(mac) = self.mac(origin, note.as_bytes()) else { return Vec::new() };
        [&mac.finalize().into_bytes()[..], note.as_bytes()].concat()
    }

    fn open_ticket(&self, origin: &str, ticket: &[u8]) -> Option<String> {
        let (tag, note) = ticket.split_first_chunk::<32>()?;
        self.mac(origin, note)?.verify_slice(tag).ok()?;
        String::from_utf8(note.to_vec()).ok()
    }

    fn mac(&self, origin: &str, note: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.ticket_key).ok()?;
        // An origin has no newline, so the parts can not run into each other.
        mac.update(format!("{TICKET_LABEL}\n{origin}\n").as_bytes());
        mac.update(note);
        Some(mac)
    }
}

/// What a mirror answered to an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MirrorAnswer {
    /// Signature lines, yet to be checked by [`SignedCheckpoint::with_cosignatures`].
    Lines(String),
    /// Where to go on.
    At(MirrorInfo),
    /// It does not take the upload, with this status code.
    Refused(u16),
}

impl MirrorAnswer {
    /// Reads an answer. None if it is not what a mirror may answer.
    pub fn read(status: u16, content_type: &str, body: &str) -> Option<Self> {
        match status {
            200 if body.len() <= MAX_NOTE_BYTES => Some(Self::Lines(body.to_owned())),
            202 | 409 if content_type == INFO_CONTENT_TYPE => MirrorInfo::parse(body).map(Self::At),
            200 | 202 | 409 => None,
            status => Some(Self::Refused(status)),
        }
    }
}
