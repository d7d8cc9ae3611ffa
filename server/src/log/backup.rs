//! Copies of a log, taken while it is written to, and the way back from one.
//!
//! The public folder is a whole copy of the log at each moment: its checkpoint says where it ends, and full tiles and
//! bundles never change. So a backup needs nothing from the service that writes.

use super::check::{CheckError, read_bundle, read_tile};
use super::embedded::{BASE, PUBLIC, Views, found};
use super::fail::Faults;
use super::store::StoreError;
use super::{Embedded, OpenError};
use ledger::{
    BundleId, Checkpoint, SignedCheckpoint, TILE_WIDTH, TileId, VerifierKey, root_from_tiles, roots_from_tiles,
};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Why there is no copy, or no way back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// A file could not be used.
    #[error("a file can not be used: {0}")]
    Io(#[from] io::Error),
    /// The log could not be read.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The log could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no checkpoint that the log's key signed.
    #[error("there is no checkpoint of this log")]
    NoLog,
    /// The older copy at the same place is not of this log.
    #[error("the folder holds a copy of another log, or a newer one")]
    OtherLog,
    /// What is to be copied is not what the checkpoint says.
    #[error("the log is damaged: {0}")]
    Damaged(String),
    /// There is a log where one is to be restored.
    #[error(
        "there is a log already. Move its folder away first, and give its public folder as --mirror, so that nothing \
         that was published from it is lost"
    )]
    Occupied,
    /// More was published than the copy holds.
    #[error(
        "{published} entries were published, and the copy holds {held}. Going on from there would give numbers a \
         second time: the log would be forked, and every witness and wallet would say so. Give --mirror a folder with \
         the entries up to {published}: a mirror of another institution, or any copy of the public folder. If nobody \
         has them, this log has ended: found a new one, with another origin and key"
    )]
    Behind {
        /// Entries that the world has seen.
        published: u64,
        /// Entries that are there.
        held: u64,
    },
    /// Nobody said what was published.
    #[error(
        "what was published last is not known. Give --newest a file with the newest checkpoint that anybody has seen \
         (ask the witnesses), or --mirror a folder, or say --nothing-newer if nothing was published since the copy"
    )]
    NothingKnown,
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(what) => Self::Damaged(what),
            error => Self::Check(error.into()),
        }
    }
}

/// Copies the log in `log` to the folder `to`. The service may run. A copy that is there already is continued.
pub fn backup(log: &Path, to: &Path, key: &VerifierKey) -> Result<SignedCheckpoint, BackupError> {
    backup_after(log, to, key, &[])
}

/// The same for a log that had other keys before: an older copy may end with the signature of one of them.
pub fn backup_after(
    log: &Path,
    to: &Path,
    key: &VerifierKey,
    former: &[VerifierKey],
) -> Result<SignedCheckpoint, BackupError> {
    // A log that nobody has open is brought to its end first: not everything durable may be published.
    let newest = match Embedded::open(log, key) {
        Ok(open) => {
            open.settle()?;
            super::Store::tip(&open)?.map(|tip| tip.checkpoint)
        }
        Err(OpenError::Database(error)) if matches!(*error, redb::Error::DatabaseAlreadyOpen) => None,
        Err(error) => return Err(error.into()),
    };
    let public = log.join(PUBLIC);
    let checkpoint = match newest {
        Some(newest) => newest,
        None => read_checkpoint(&public, key)?.ok_or(BackupError::NoLog)?,
    };
    if let Some(older) = read_older(&to.join(PUBLIC), key, former)? {
        compare(&public, &older, &checkpoint)?;
    }
    let minimum = pruned_before(log)?;
    if minimum > 0 {
        copy(&log.join(BASE), &to.join(BASE))?;
    }
    let to = to.join(PUBLIC);
    for number in minimum / TILE_WIDTH..checkpoint.size.div_ceil(TILE_WIDTH) {
        let Some(id) = BundleId::in_tree(number, checkpoint.size) else { break };
        let bytes = read_bundle(&public, id)?.ok_or_else(|| BackupError::Damaged(id.path()))?;
        let tile = TileId { level: 0, index: id.index, width: id.width };
        let hashes = read_tile(&public, tile)?.ok_or_else(|| BackupError::Damaged(tile.path()))?;
        let entries = id.entries(&bytes).map_err(|_| BackupError::Damaged(id.path()))?;
        let leaves: Vec<u8> = entries.iter().flat_map(|entry| *ledger::leaf_hash(entry).as_bytes()).collect();
        if leaves != hashes {
            return Err(BackupError::Damaged(id.path()));
        }
        write_new(&to.join(id.path()), &bytes)?;
    }
    for id in tiles(checkpoint.size) {
        // Below the minimum index only those are there that something else needs.
        match read_tile(&public, id)? {
            Some(bytes) => write_new(&to.join(id.path()), &bytes)?,
            None if id.is_pruned(minimum) => {}
            None => return Err(BackupError::Damaged(id.path())),
        }
    }
    let root = root_from_tiles(checkpoint.size, |id| read_tile(&to, id)?.ok_or_else(|| missing(id)));
    if root.ok() != Some(checkpoint.root) {
        return Err(BackupError::Damaged("the tiles do not lead to the checkpoint".into()));
    }
    // Last, so that a copy that was cut off still ends where the one before did.
    replace(&to.join("checkpoint"), checkpoint.note().as_bytes())?;
    Ok(checkpoint)
}

/// How many entries a copy holds.
pub fn held_size(copied: &Path, key: &VerifierKey) -> Result<u64, BackupError> {
    Ok(read_checkpoint(&copied.join(PUBLIC), key)?.ok_or(BackupError::NoLog)?.size)
}

/// What is known of what the world has seen.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// A folder in the C2SP layout, with entries that the copy may lack.
    pub mirror: Option<&'a Path>,
    /// A note with the newest checkpoint that anybody has seen.
    pub newest: Option<&'a str>,
    /// Somebody vouches that nothing was published since the copy.
    pub nothing_newer: bool,
}

/// Brings a copy back to `log`, with what a mirror has beyond it. It never goes behind what was published.
pub fn restore(from: &Path, log: &Path, key: &VerifierKey, known: Known<'_>) -> Result<Embedded, BackupError> {
    if log.join(PUBLIC).exists() || fs::read_dir(log).is_ok_and(|mut there| there.next().is_some()) {
        return Err(BackupError::Occupied);
    }
    let held = read_checkpoint(&from.join(PUBLIC), key)?.ok_or(BackupError::NoLog)?;
    let mirrored = match known.mirror {
        Some(mirror) => read_checkpoint(mirror, key)?,
        None => None,
    };
    let told = known.newest.map(|note| Checkpoint::open(note, key).map_err(|_| BackupError::NoLog)).transpose()?;
    if mirrored.is_none() && told.is_none() && !known.nothing_newer {
        return Err(BackupError::NothingKnown);
    }
    let longest = match (&mirrored, known.mirror) {
        (Some(mirrored), Some(mirror)) if mirrored.size > held.size => {
            compare(mirror, &held, mirrored)?;
            mirrored
        }
        (Some(mirrored), _) => {
            compare(&from.join(PUBLIC), mirrored, &held)?;
            &held
        }
        _ => &held,
    };
    // Told of something newer than we can bring back, or of something else: the log must not go on.
    if let Some(told) = &told {
        if told.size > longest.size {
            return Err(BackupError::Behind { published: told.size, held: longest.size });
        }
        let copied = from.join(PUBLIC);
        compare(known.mirror.filter(|_| longest.size > held.size).unwrap_or(&copied), told, longest)?;
    }
    let minimum = pruned_before(from)?;
    if minimum > 0 {
        copy(&from.join(BASE), &log.join(BASE))?;
    }
    let public = log.join(PUBLIC);
    let copied = from.join(PUBLIC);
    let places: Vec<&Path> = [Some(copied.as_path()), known.mirror].into_iter().flatten().collect();
    for number in minimum / TILE_WIDTH..longest.size.div_ceil(TILE_WIDTH) {
        let Some(id) = BundleId::in_tree(number, longest.size) else { break };
        let bytes = first_of(&places, |place| read_bundle(place, id))?;
        write_new(&public.join(id.path()), &bytes.ok_or_else(|| BackupError::Damaged(id.path()))?)?;
    }
    if minimum > 0 {
        for id in tiles(longest.size) {
            if let Some(bytes) = first_of(&places, |place| read_tile(place, id))? {
                write_new(&public.join(id.path()), &bytes)?;
            }
        }
    }
    replace(&public.join("checkpoint"), longest.note().as_bytes())?;
    found(log, longest, minimum)?;
    let open = Embedded::open(log, key)?;
    open.settle()?;
    Ok(open)
}

fn first_of(
    places: &[&Path],
    read: impl Fn(&Path) -> Result<Option<Vec<u8>>, StoreError>,
) -> Result<Option<Vec<u8>>, StoreError> {
    for place in places {
        if let Some(bytes) = read(place)? {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

fn missing(id: TileId) -> StoreError {
    StoreError::Damaged(id.path())
}

/// Checks with the tiles of the longer log that it begins with the shorter one.
fn compare(public: &Path, shorter: &SignedCheckpoint, longer: &SignedCheckpoint) -> Result<(), BackupError> {
    if shorter.size == 0 {
        return Ok(());
    }
    if shorter.size > longer.size {
        return Err(BackupError::OtherLog);
    }
    let roots = roots_from_tiles(shorter.size, longer.size, |id| read_tile(public, id)?.ok_or_else(|| missing(id)));
    match roots {
        Ok(roots) if roots == (shorter.root, longer.root) => Ok(()),
        Ok(_) => Err(BackupError::OtherLog),
        Err(error) => Err(BackupError::Damaged(error.to_string())),
    }
}

/// The checkpoint of a public folder, if there is one.
fn read_checkpoint(public: &Path, key: &VerifierKey) -> Result<Option<SignedCheckpoint>, BackupError> {
    match fs::read_to_string(public.join("checkpoint")) {
        Ok(note) => Checkpoint::open(&note, key).map(Some).map_err(|_| BackupError::NoLog),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn read_older(
    public: &Path,
    key: &VerifierKey,
    former: &[VerifierKey],
) -> Result<Option<SignedCheckpoint>, BackupError> {
    let by_former = former.iter().find_map(|key| read_checkpoint(public, key).ok().flatten());
    if by_former.is_some() { Ok(by_former) } else { read_checkpoint(public, key) }
}

/// The minimum index, as the copy of the index says that pruning left.
fn pruned_before(log: &Path) -> Result<u64, BackupError> {
    let base = log.join(BASE);
    if !base.exists() {
        return Ok(0);
    }
    let views = Views::open(&base, &Faults::default()).map_err(|error| OpenError::Database(Box::new(error)))?;
    Ok(views.made()?.0)
}

/// Every tile of a log with `size` entries.
fn tiles(size: u64) -> impl Iterator<Item = TileId> {
    let level = move |level: u8| (0..).map_while(move |index| TileId::in_tree(level, index, size));
    (0..8).flat_map(level)
}

/// Writes a file that never changes, unless it is there.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) { Ok(()) } else { replace(path, bytes) }
}

/// Writes a file, flushed, in one step.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let beside = folder.join("next.tmp");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    replace(to, &fs::read(from)?)
}
