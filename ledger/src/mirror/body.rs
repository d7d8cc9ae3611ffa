//! The bodies of a mirror's requests and answers, byte for byte.

use crate::entry::MAX_ENTRY;
use crate::hash::Hash;
use crate::merkle::ProofError;
use crate::prove::ProveError;
use crate::subtree::subtree_proof;
use crate::tile::{TILE_WIDTH, TileError, TileId, append_to_bundle};
use crate::witness::{MAX_PROOF_LINES, parse_size};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use std::fmt;

/// The content type of entries on their way to a mirror.
pub const ENTRIES_CONTENT_TYPE: &str = "application/octet-stream";
/// The content type of the answer that says where a mirror is.
pub const INFO_CONTENT_TYPE: &str = "text/x.tlog.mirror-info";
/// How many packages of one request are taken: a mirror that got more says where to go on after them.
pub const MAX_PACKAGES: usize = 32;
/// The longest upload of a consent log's entries: a head, and so many full packages of the longest entries.
pub const MAX_UPLOAD_BYTES: usize =
    2 * (2 + MAX_FIELD) + 16 + MAX_PACKAGES * (TILE_WIDTH as usize * (2 + MAX_ENTRY) + 1 + 32 * MAX_PROOF_LINES);
/// The longest origin and the longest ticket that are read.
const MAX_FIELD: usize = 16 * 1024;

/// What an upload begins with: entries from `start` up to, not including, `end` of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddEntries {
    /// The name of the log.
    pub origin: String,
    /// The first entry.
    pub start: u64,
    /// The size of the checkpoint under which they are shown.
    pub end: u64,
    /// What the mirror said last, or nothing.
    pub ticket: Vec<u8>,
}

impl AddEntries {
    /// The bytes of the head. [`TileError::EntryTooLong`] if origin or ticket do not fit.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TileError> {
        let mut bytes = Vec::new();
        append_to_bundle(&mut bytes, self.origin.as_bytes())?;
        bytes.extend_from_slice(&self.start.to_be_bytes());
        bytes.extend_from_slice(&self.end.to_be_bytes());
        append_to_bundle(&mut bytes, &self.ticket)?;
        Ok(bytes)
    }
}

/// The entries of one package: from `start` up to, not including, `end`, in the bundle that begins at `base`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackageRange {
    /// The first entry of the bundle.
    pub base: u64,
    /// The first entry of the package.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}

/// How the entries from `start` up to, not including, `end` are packed.
pub fn package_ranges(start: u64, end: u64) -> impl Iterator<Item = PackageRange> {
    let mut next = (start < end).then_some(start);
    std::iter::from_fn(move || {
        let start = next?;
        let base = start - start % TILE_WIDTH;
        let stop = base.saturating_add(TILE_WIDTH).min(end);
        next = (stop < end).then_some(stop);
        Some(PackageRange { base, start, end: stop })
    })
}

/// Entries, and the proof that they and those before them in their bundle are a part of the checkpoint's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPackage {
    /// Which entries.
    pub range: PackageRange,
    /// Their bytes.
    pub entries: Vec<Vec<u8>>,
    /// The subtree consistency proof.
    pub proof: Vec<Hash>,
}

impl EntryPackage {
    /// Packs entries; the proof is made from the tiles of the log at the size of the checkpoint.
    pub fn make<E>(
        range: PackageRange,
        size: u64,
        entries: Vec<Vec<u8>>,
        read: impl FnMut(TileId) -> Result<Vec<u8>, E>,
    ) -> Result<Self, ProveError<E>> {
        if range.end.checked_sub(range.start) != Some(entries.len() as u64) {
            return Err(ProofError::Size.into());
        }
        let proof = subtree_proof(range.base, range.end, size, read)?;
        Ok(Self { range, entries, proof })
    }

    /// The bytes of the package.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TileError> {
        let mut bytes = Vec::new();
        self.entries.iter().try_for_each(|entry| append_to_bundle(&mut bytes, entry))?;
        let count = u8::try_from(self.proof.len()).ok().filter(|count| usize::from(*count) <= MAX_PROOF_LINES);
        bytes.push(count.ok_or(TileError::Width)?);
        self.proof.iter().for_each(|hash| bytes.extend_from_slice(hash.as_bytes()));
        Ok(bytes)
    }

    /// Those of the entries that a mirror does not have yet whose next entry this is.
    pub fn entries_from(&self, next: u64) -> &[Vec<u8>] {
        let known = usize::try_from(next.saturating_sub(self.range.start)).unwrap_or(usize::MAX);
        self.entries.get(known..).unwrap_or_default()
    }
}

/// Bytes that are no upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an upload of entries")]
pub struct BadUpload;

/// Reads an upload piece by piece, and holds no more of it than one package and what was given to it last.
#[derive(Debug, Default)]
pub struct UploadReader {
    buffer: Vec<u8>,
    head: Option<AddEntries>,
    /// The first entry of the package that comes next.
    at: u64,
}

impl UploadReader {
    /// A reader of an upload that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what has arrived. Ask for all packages that are there before giving more.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The head, once it is there.
    pub fn head(&mut self) -> Result<Option<&AddEntries>, BadUpload> {
        if self.head.is_none() {
            let mut cut = Cut(&self.buffer);
            let Some((origin, start, end, ticket)) = cut.head()? else { return Ok(None) };
            let origin = String::from_utf8(origin.to_vec()).map_err(|_| BadUpload)?;
            let head = AddEntries { origin, start, end, ticket: ticket.to_vec() };
            if head.origin.is_empty() || start > end {
                return Err(BadUpload);
            }
            self.at = start;
            self.buffer = cut.0.to_vec();
            self.head = Some(head);
        }
        Ok(self.head.as_ref())
    }

    /// The next package, once all of it is there. None as well when none is left.
    pub fn package(&mut self) -> Result<Option<EntryPackage>, BadUpload> {
        let Some(head) = &self.head else { return Ok(None) };
        let Some(range) = package_ranges(self.at, head.end).next() else { return Ok(None) };
        let mut cut = Cut(&self.buffer);
        let Some(package) = cut.package(range)? else { return Ok(None) };
        self.at = range.end;
        let left = cut.0.len();
        let used = self.buffer.len() - left;
        self.buffer.drain(..used);
        Ok(Some(package))
    }

    /// Whether all packages of the upload were read.
    pub fn is_complete(&self) -> bool {
        self.head.as_ref().is_some_and(|head| self.at == head.end)
    }
}

/// The head of an upload: origin, start, end, ticket.
type Head<'a> = (&'a [u8], u64, u64, &'a [u8]);

/// What is left to read. None where more must arrive first.
struct Cut<'a>(&'a [u8]);

impl<'a> Cut<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*number))
    }

    fn prefixed(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        self.take(u16::from_be_bytes(*length).into())
    }

    fn head(&mut self) -> Result<Option<Head<'a>>, BadUpload> {
        let mut parts = || Some((self.prefixed()?, self.number()?, self.number()?, self.prefixed()?));
        match parts() {
            Some((origin, _, _, ticket)) if origin.len().max(ticket.len()) > MAX_FIELD => Err(BadUpload),
            parts => Ok(parts),
        }
    }

    /// Nothing is copied before all of the package is there: it may be asked for after every few bytes.
    fn package(&mut self, range: PackageRange) -> Result<Option<EntryPackage>, BadUpload> {
        let mut entries = Vec::new();
        for _ in range.start..range.end {
            let Some(entry) = self.prefixed() else { return Ok(None) };
            entries.push(entry);
        }
        let Some([count]) = self.take(1) else { return Ok(None) };
        if usize::from(*count) > MAX_PROOF_LINES {
            return Err(BadUpload);
        }
        let Some(proof) = self.take(32 * usize::from(*count)) else { return Ok(None) };
        let (hashes, _) = proof.as_chunks::<32>();
        let proof = hashes.iter().copied().map(Hash::from_bytes).collect();
        Ok(Some(EntryPackage { range, entries: entries.into_iter().map(<[u8]>::to_vec).collect(), proof }))
    }
}

/// Where a mirror is: what it answers when an upload can not go on as asked, or is not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorInfo {
    /// The size of a checkpoint up to which entries may be sent.
    pub size: u64,
    /// The first entry that the mirror does not have.
    pub next: u64,
    /// What to send along with the next try.
    pub ticket: Vec<u8>,
}

impl MirrorInfo {
    /// Reads the body of an answer.
    pub fn parse(body: &str) -> Option<Self> {
        if body.len() > 2 * MAX_FIELD {
            return None;
        }
        let lines: Vec<&str> = body.strip_suffix('\n')?.split('\n').collect();
        let [size, next, ticket] = lines.as_slice() else { return None };
        let ticket = BASE64_STANDARD.decode(ticket).ok()?;
        Some(Self { size: parse_size(size)?, next: parse_size(next)?, ticket })
    }
}

/// The body of the answer.
impl fmt::Display for MirrorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.size, self.next, BASE64_STANDARD.encode(&self.ticket))
    }
}
