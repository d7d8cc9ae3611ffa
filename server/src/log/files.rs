//! The public folder of a log: its checkpoint, tiles and entry bundles, laid out so that any web server could serve it.

use super::fail::fail_point;
use ledger::{BundleId, TILE_WIDTH, TileId};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// How much a file has to survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// A loss of power: for full tiles and bundles, which are never written again.
    Flushed,
    /// The end of the process: for partial ones and the checkpoint, which each start writes again from the database.
    Derived,
}

/// The folder.
#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
}

impl Files {
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir.join("tile/entries"))?;
        Ok(Self { dir: dir.to_owned() })
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
        self.write(&id.path(), bytes, durability(id.is_full()), "tile-temp")?;
        fail_point("after-tile");
        if id.is_full() { self.remove_partials(&id.path()) } else { Ok(()) }
    }

    pub(super) fn write_bundle(&self, id: BundleId, bytes: &[u8]) -> io::Result<()> {
        self.write(&id.path(), bytes, durability(id.is_full()), "bundle-temp")?;
        fail_point("after-bundle");
        if id.is_full() { self.remove_partials(&id.path()) } else { Ok(()) }
    }

    pub(super) fn write_checkpoint(&self, note: &str) -> io::Result<()> {
        self.write("checkpoint", note.as_bytes(), Durability::Derived, "checkpoint-temp")
    }

    /// Writes beside the place and moves there, so that readers see the whole old file or the whole new one.
    fn write(&self, path: &str, bytes: &[u8], durability: Durability, point: &str) -> io::Result<()> {
        let path = self.dir.join(path);
        let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        fs::create_dir_all(folder)?;
        // One writer only, so one name is enough, and the rest of a crash is overwritten by the next write.
        let beside = self.dir.join("next.tmp");
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        if durability == Durability::Flushed {
            file.sync_data()?;
        }
        drop(file);
        fail_point(point);
        fs::rename(&beside, &path)?;
        if durability == Durability::Flushed {
            // A folder may be new, and then it is itself an entry of the folders above it.
            for above in folder.ancestors().take_while(|above| above.starts_with(&self.dir)) {
                sync_folder(above)?;
            }
        }
        Ok(())
    }

    /// Removes the folder of partial files beside a full tile or bundle. Readers that still ask for one are served
    /// from the wider file.
    pub(super) fn remove_partials(&self, full: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.dir.join(format!("{full}.p"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes the rest of a write that was cut off.
    pub(super) fn remove_rest(&self) -> io::Result<()> {
        match fs::remove_file(self.dir.join("next.tmp")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The number of the bundle that entry `index` lies in.
pub(super) fn bundle_of(index: u64) -> u64 {
    index / TILE_WIDTH
}

fn durability(full: bool) -> Durability {
    if full { Durability::Flushed } else { Durability::Derived }
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
