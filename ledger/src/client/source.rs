//! Where a whole log is read from: a server, or a folder that holds its public files.

use super::{ClientError, LogClient};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::entry::MAX_ENTRY;
use crate::note::{MAX_NOTE_BYTES, VerifierKey};
use crate::tile::{BundleId, MAX_TILE_BYTES, TILE_WIDTH, TileId};
use std::future::{Future, poll_fn};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::Poll;

/// The largest bundle of a consent log, whose entries are shorter than C2SP would allow.
const MAX_CONSENT_BUNDLE_BYTES: usize = TILE_WIDTH as usize * (2 + MAX_ENTRY);

/// A log in the layout of C2SP tlog-tiles.
#[derive(Debug, Clone)]
pub enum LogSource {
    /// Behind an address.
    Http(LogClient),
    /// In a folder: a mirror's, a backup, or a web server's own.
    Folder(PathBuf),
}

impl LogSource {
    /// A log at an address, as in `https://biobank.example`, or in a folder.
    pub fn open(place: &str) -> Result<Self, ClientError> {
        if place.contains("://") { Ok(Self::Http(LogClient::new(place)?)) } else { Ok(Self::Folder(place.into())) }
    }

    /// The present checkpoint.
    pub async fn checkpoint(&self, key: &VerifierKey) -> Result<SignedCheckpoint, ClientError> {
        match self {
            Self::Http(client) => client.checkpoint(key).await,
            Self::Folder(folder) => {
                let note = read_file(&folder.join("checkpoint"), MAX_NOTE_BYTES)?.ok_or(ClientError::NotFound)?;
                let note = String::from_utf8(note).map_err(|_| ClientError::Malformed("a checkpoint"))?;
                Ok(Checkpoint::open(&note, key)?)
            }
        }
    }

    /// The entries of a bundle, as many as `id` says.
    pub(super) async fn bundle(&self, id: BundleId) -> Result<Vec<Vec<u8>>, ClientError> {
        let mut entries = match self {
            Self::Http(client) => client.bundle(id).await?,
            Self::Folder(folder) => {
                let read = |id: BundleId| read_file(&folder.join(id.path()), MAX_CONSENT_BUNDLE_BYTES);
                let (found, bytes) = match read(id)? {
                    Some(bytes) => (id, bytes),
                    None => (id.full(), read(id.full())?.ok_or(ClientError::NotFound)?),
                };
                let entries = found.entries(&bytes).map_err(|_| ClientError::BadEntries)?;
                entries.into_iter().map(<[u8]>::to_vec).collect()
            }
        };
        entries.truncate(usize::from(id.width));
        Ok(entries)
    }

    /// Why entry number `index` of a log of this size is not there: the log begins later, or something is missing.
    pub(super) async fn lacks(&self, index: u64, size: u64) -> ClientError {
        match self.begins_at(size).await {
            Ok(Some(begins)) if index < begins => ClientError::Pruned(begins),
            Ok(_) => ClientError::NotFound,
            Err(error) => error,
        }
    }

    /// The first entry that the log still shows (C2SP tlog-tiles, minimum index); none if it shows none. It is looked
    /// for and not asked for: a folder, a mirror or a plain web server can not be asked, and nobody signs the answer.
    async fn begins_at(&self, size: u64) -> Result<Option<u64>, ClientError> {
        let Some(last) = size.div_ceil(TILE_WIDTH).checked_sub(1) else { return Ok(None) };
        if self.shows(0, size).await? {
            return Ok(Some(0));
        }
        if !self.shows(last, size).await? {
            return Ok(None);
        }
        // What is pruned is a beginning: between a bundle that is missing and one that is there lies one seam.
        let (mut missing, mut there) = (0, last);
        while there - missing > 1 {
            let middle = missing + (there - missing) / 2;
            if self.shows(middle, size).await? { there = middle } else { missing = middle }
        }
        Ok(Some(there * TILE_WIDTH))
    }

    async fn shows(&self, bundle: u64, size: u64) -> Result<bool, ClientError> {
        let id = BundleId::in_tree(bundle, size).ok_or(ClientError::BadEntries)?;
        match self.bundle(id).await {
            Ok(_) => Ok(true),
            Err(ClientError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A tile, as wide as `id` says.
    pub(super) async fn tile(&self, id: TileId) -> Result<Vec<u8>, ClientError> {
        match self {
            Self::Http(client) => client.tile(id).await,
            Self::Folder(folder) => {
                let wanted = 32 * usize::from(id.width);
                let read = |id: TileId| read_file(&folder.join(id.path()), MAX_TILE_BYTES);
                let (length, mut bytes) = match read(id)? {
                    Some(bytes) => (wanted, bytes),
                    None => (MAX_TILE_BYTES, read(id.full())?.ok_or(ClientError::NotFound)?),
                };
                if bytes.len() != length {
                    return Err(ClientError::BadTiles);
                }
                bytes.truncate(wanted);
                Ok(bytes)
            }
        }
    }
}

/// A file of at most `cap` bytes; none if there is no such file.
fn read_file(path: &Path, cap: usize) -> Result<Option<Vec<u8>>, ClientError> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Vec::new();
    file.take(cap as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > cap { Err(ClientError::TooLarge) } else { Ok(Some(bytes)) }
}

/// Waits for all of them at once, so that a distant server is asked in one breath.
pub(super) async fn join_all<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    enum Slot<F: Future> {
        Waits(Pin<Box<F>>),
        Done(F::Output),
    }
    let mut slots: Vec<_> = futures.into_iter().map(|future| Some(Slot::Waits(Box::pin(future)))).collect();
    poll_fn(move |context| {
        let mut waits = false;
        for slot in &mut slots {
            if let Some(Slot::Waits(future)) = slot {
                match future.as_mut().poll(context) {
                    Poll::Ready(output) => *slot = Some(Slot::Done(output)),
                    Poll::Pending => waits = true,
                }
            }
        }
        if waits {
            return Poll::Pending;
        }
        let done = slots.iter_mut().filter_map(|slot| match slot.take() {
            Some(Slot::Done(output)) => Some(output),
            _ => None,
        });
        Poll::Ready(done.collect())
    })
    .await
}
