//! The copy of a log that a mirror holds: a folder in the layout of C2SP tlog-tiles, which any web server can show.
//!
//! Files are flushed before the row that counts their entries is written. So what a crash leaves behind is at most
//! more than the row says, and is written again.

use ledger::{BundleId, TILE_WIDTH, TileEdge, TileId, append_to_bundle};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A copy while entries are added to it.
pub struct Copy {
    dir: PathBuf,
    edge: TileEdge,
    /// The unfinished bundle.
    tail: Vec<u8>,
}

impl Copy {
    /// Opens a copy that holds so many entries.
    pub fn open(dir: PathBuf, size: u64) -> io::Result<Self> {
        let edge = TileEdge::read(size, |id| tile(&dir, id, size)?.ok_or_else(missing)).map_err(io::Error::other)?;
        let tail = match BundleId::in_tree(size / TILE_WIDTH, size) {
            Some(id) => bundle(&dir, id, size)?.ok_or_else(missing)?,
            None => Vec::new(),
        };
        Ok(Self { dir, edge, tail })
    }

    /// How many entries it holds, and their root.
    pub fn edge(&self) -> &TileEdge {
        &self.edge
    }

    /// The entries from `start` up to, not including, `end`, which lie in one bundle.
    pub fn entries(&self, start: u64, end: u64) -> io::Result<Vec<Vec<u8>>> {
        let Some(id) = BundleId::in_tree(start / TILE_WIDTH, self.edge.size()).filter(|_| start < end) else {
            return Ok(Vec::new());
        };
        let bytes = if id.is_full() {
            bundle(&self.dir, id, self.edge.size())?.ok_or_else(missing)?
        } else {
            self.tail.clone()
        };
        let entries = id.entries(&bytes).map_err(io::Error::other)?;
        let numbered = (id.index * TILE_WIDTH..).zip(entries).filter(|(index, _)| (start..end).contains(index));
        Ok(numbered.map(|(_, entry)| entry.to_vec()).collect())
    }

    /// Adds entries at the end. They are durable when this returns.
    pub fn append(&mut self, entries: &[Vec<u8>]) -> io::Result<()> {
        let (mut edge, mut tail) = (self.edge.clone(), self.tail.clone());
        let mut files = Vec::new();
        for entry in entries {
            files.extend(edge.push(entry).into_iter().map(|(id, bytes)| (id.path(), bytes)));
            append_to_bundle(&mut tail, entry).map_err(io::Error::other)?;
            if edge.size() % TILE_WIDTH == 0 {
                let full = BundleId { index: (edge.size() - 1) / TILE_WIDTH, width: TILE_WIDTH as u16 };
                files.push((full.path(), std::mem::take(&mut tail)));
            }
        }
        files.extend(edge.partial_tiles().into_iter().map(|(id, bytes)| (id.path(), bytes)));
        if let Some(partial) = BundleId::in_tree(edge.size() / TILE_WIDTH, edge.size()) {
            files.push((partial.path(), tail.clone()));
        }
        for (path, bytes) in files {
            write_durably(&self.dir.join(path), &bytes)?;
        }
        // What failed before this line leaves the copy as it was.
        (self.edge, self.tail) = (edge, tail);
        Ok(())
    }

    /// Takes away the partial files beside full ones that lie below the counted entries. Nothing depends on it.
    pub fn tidy(&self, counted: u64) {
        let Some(index) = (counted / TILE_WIDTH).checked_sub(1) else { return };
        let width = TILE_WIDTH as u16;
        let mut full = vec![BundleId { index, width }.path()];
        let mut index = Some(index);
        for level in 0..8_u8 {
            let Some(at) = index else { break };
            full.push(TileId { level, index: at, width }.path());
            index = ((at + 1) / TILE_WIDTH).checked_sub(1);
        }
        for path in full {
            let _ = std::fs::remove_dir_all(self.dir.join(format!("{path}.p")));
        }
    }

    /// Shows a checkpoint beside the files.
    pub fn show(&self, note: &str) -> io::Result<()> {
        write_durably(&self.dir.join("checkpoint"), note.as_bytes())
    }
}

/// A tile of a copy that holds so many entries, cut from a wider one if need be.
pub fn tile(dir: &Path, id: TileId, held: u64) -> io::Result<Option<Vec<u8>>> {
    let wider = [Some(id), TileId::in_tree(id.level, id.index, held), Some(id.full())];
    for there in wider.into_iter().flatten().filter(|there| there.width >= id.width) {
        if let Some(mut bytes) = read(&dir.join(there.path()))? {
            bytes.truncate(32 * usize::from(id.width));
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

/// A bundle of a copy that holds so many entries, cut from a wider one if need be.
pub fn bundle(dir: &Path, id: BundleId, held: u64) -> io::Result<Option<Vec<u8>>> {
    let wider = [Some(id), BundleId::in_tree(id.index, held), Some(id.full())];
    for there in wider.into_iter().flatten().filter(|there| there.width >= id.width) {
        let Some(bytes) = read(&dir.join(there.path()))? else { continue };
        let mut cut = Vec::new();
        for entry in there.entries(&bytes).map_err(io::Error::other)?.into_iter().take(usize::from(id.width)) {
            append_to_bundle(&mut cut, entry).map_err(io::Error::other)?;
        }
        return Ok(Some(cut));
    }
    Ok(None)
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn missing() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "a file of the copy is missing")
}

/// Writes a file whole or not at all, and on the disk when this returns.
pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let parent = path.parent().ok_or_else(missing)?;
    make_folders(parent)?;
    let draft = path.with_extension("draft");
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&draft, path)?;
    flush_folder(parent)
}

/// Makes folders that are missing, and flushes the one above each.
fn make_folders(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(above) = dir.parent() {
        make_folders(above)?;
        match std::fs::create_dir(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => flush_folder(above)?,
        }
    }
    Ok(())
}

fn flush_folder(dir: &Path) -> io::Result<()> {
    // Folders can be flushed on Unix only; elsewhere the file system does it by itself.
    #[cfg(unix)]
    File::open(dir)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}
