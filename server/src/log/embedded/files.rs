//! The public folder of a log: its checkpoint, tiles and entry bundles, laid out so that any web server could serve it.
//!
//! Nothing is flushed as it is written: what is not flushed yet is still in the journal, and is written again at the
//! next start.

use crate::log::fail::Faults;
use ledger::{BundleId, TILE_WIDTH, TileId};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The folder.
#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
    faults: Faults,
    /// Makes the names of files that are being written differ.
    written: AtomicU64,
}

impl Files {
    pub(super) fn open(dir: &Path, faults: &Faults) -> io::Result<Self> {
        fs::create_dir_all(dir.join("tile/entries"))?;
        let files = Self { dir: dir.to_owned(), faults: faults.clone(), written: AtomicU64::new(0) };
        files.remove_rest()?;
        Ok(files)
    }

    /// The bytes at a path; none if nothing is there.
    pub(super) fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.dir.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A tile of a log with `size` entries. Where no file has just this width it is cut from a wider one: the widest
    /// partial one, or the full one, which can come (and make the partial ones go) before the checkpoint is shown.
    pub(super) fn read_tile(&self, id: TileId, size: u64) -> io::Result<Option<Vec<u8>>> {
        let length = 32 * usize::from(id.width);
        let wider = TileId::in_tree(id.level, id.index, size).unwrap_or(id);
        for place in [id, wider, id.full()] {
            if let Some(mut bytes) = self.read(&place.path())?.filter(|bytes| bytes.len() >= length) {
                bytes.truncate(length);
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// A bundle of a log with `size` entries, found like a tile.
    pub(super) fn read_bundle(&self, id: BundleId, size: u64) -> io::Result<Option<Vec<u8>>> {
        let wider = BundleId::in_tree(id.index, size).unwrap_or(id);
        for place in [id, wider, id.full()] {
            if let Some(mut bytes) = self.read(&place.path())?
                && let Ok(entries) = place.entries(&bytes)
            {
                let length = entries.iter().take(usize::from(id.width)).map(|entry| 2 + entry.len()).sum();
                bytes.truncate(length);
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    pub(super) fn write_tile(&self, id: TileId, bytes: &[u8]) -> io::Result<()> {
        self.write(&id.path(), bytes, "tile-temp")?;
        self.faults.point("after-tile")?;
        if id.is_full() { self.remove_partials(&id.path()) } else { Ok(()) }
    }

    pub(super) fn write_bundle(&self, id: BundleId, bytes: &[u8]) -> io::Result<()> {
        self.write(&id.path(), bytes, "bundle-temp")?;
        self.faults.point("after-bundle")?;
        if id.is_full() { self.remove_partials(&id.path()) } else { Ok(()) }
    }

    pub(super) fn write_checkpoint(&self, note: &str) -> io::Result<()> {
        self.write("checkpoint", note.as_bytes(), "checkpoint-temp")?;
        self.faults.point("after-checkpoint")
    }

    /// Writes beside the place and moves there, so that readers see the whole old file or the whole new one.
    fn write(&self, path: &str, bytes: &[u8], point: &str) -> io::Result<()> {
        let path = self.dir.join(path);
        let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        // Only the name has to differ from those of other threads, in whatever order they come.
        let beside = self.dir.join(format!("next-{}.tmp", self.written.fetch_add(1, Ordering::Relaxed)));
        let mut file = File::create(&beside)?;
        let room = self.faults.take_space(bytes.len());
        file.write_all(bytes.get(..room).unwrap_or(bytes))?;
        if room < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        drop(file);
        self.faults.point(point)?;
        match fs::rename(&beside, &path) {
            // Most folders are there; asking each time would cost more than being told once in a while.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(folder)?;
                fs::rename(&beside, &path)
            }
            done => done,
        }
    }

    /// Flushes files that are complete, and the folders that name them.
    pub(super) fn flush(&self, paths: &[String]) -> io::Result<()> {
        let mut folders = BTreeSet::new();
        for path in paths {
            let path = self.dir.join(path);
            File::open(&path)?.sync_data()?;
            // A folder may be new, and then it is itself an entry of the folders above it.
            let above = path.ancestors().skip(1).take_while(|above| above.starts_with(&self.dir));
            folders.extend(above.map(Path::to_owned));
        }
        folders.iter().try_for_each(|folder| sync_folder(folder))
    }

    /// Removes a file that was pruned.
    pub(super) fn remove(&self, path: &str) -> io::Result<()> {
        match fs::remove_file(self.dir.join(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes the folder of partial files beside a full tile or bundle. Readers that still ask for one are served
    /// from the wider file.
    pub(super) fn remove_partials(&self, full: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.dir.join(format!("{full}.p"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether nothing was ever published here.
    pub(super) fn is_empty(&self) -> io::Result<bool> {
        let entries = fs::read_dir(self.dir.join("tile/entries"))?.next().is_some();
        Ok(!entries && !self.dir.join("checkpoint").exists())
    }

    /// Removes the rest of writes that were cut off.
    fn remove_rest(&self) -> io::Result<()> {
        for file in fs::read_dir(&self.dir)? {
            let file = file?;
            let name = file.file_name();
            if name.to_str().is_some_and(|name| name.starts_with("next") && name.ends_with(".tmp")) {
                fs::remove_file(file.path())?;
            }
        }
        Ok(())
    }
}

/// The full bundles from one number of entries up to another, and the full tiles that these entries complete.
pub(super) fn full_paths(from: u64, to: u64) -> Vec<String> {
    let width = TILE_WIDTH as u16;
    let mut paths: Vec<String> =
        (from / TILE_WIDTH..to / TILE_WIDTH).map(|index| BundleId { index, width }.path()).collect();
    for level in 0..8_u8 {
        let span = 8 * (u32::from(level) + 1);
        let (first, end) = (from.checked_shr(span).unwrap_or(0), to.checked_shr(span).unwrap_or(0));
        paths.extend((first..end).map(|index| TileId { level, index, width }.path()));
    }
    paths
}

#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Other systems have no way to flush a folder.
#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
