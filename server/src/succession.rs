//! The files of a change of the log's key: the new key while it waits, the former keys, and what readers are told.

use crate::biobank::{StartError, io_error};
use ledger::{NoteKey, Succession};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// What readers are told of the log's former keys, the oldest change first.
pub const FILE: &str = "successions.json";
/// The new key of the log until it is the one.
pub const NEXT_KEY: &str = "log.key.next";
/// The key of the log.
const KEY: &str = "log.key";

/// Whether a change was begun and not finished.
pub fn is_begun(dir: &Path) -> bool {
    dir.join(NEXT_KEY).exists()
}

/// What readers are told; nothing for a log that has its first key.
pub fn read(dir: &Path) -> Result<Vec<Succession>, StartError> {
    let path = dir.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| StartError::Json(path.display().to_string(), e)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(io_error(&path, error)),
    }
}

/// Keeps what readers are told of a change. What was kept of the same change before, by a run that was cut off, is
/// replaced.
pub fn keep(dir: &Path, told: &Succession) -> Result<(), StartError> {
    let mut all = read(dir)?;
    all.retain(|known| known.entry != told.entry);
    all.push(told.clone());
    let path = dir.join(FILE);
    let json = serde_json::to_vec_pretty(&all).map_err(|e| StartError::Json(path.display().to_string(), e))?;
    write(dir, FILE, &json).map_err(|error| io_error(&path, error))
}

/// Makes the new key.
pub fn make_next(dir: &Path) -> Result<(), StartError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    write(dir, NEXT_KEY, &seed).map_err(|error| io_error(&dir.join(NEXT_KEY), error))
}

/// Keeps a former key away, under a name with its id. Nothing needs it any more; it is the only thing that can show
/// what it did not sign.
pub fn keep_former(dir: &Path, key: &NoteKey) -> io::Result<()> {
    let vkey = key.verifier().to_string();
    // Name, id, key: the name has no "+" in it, the key may have.
    let id = vkey.split('+').nth(1).unwrap_or_default();
    write(dir, &format!("{KEY}.{id}"), &fs::read(dir.join(KEY))?)
}

/// The new key becomes the key. The last step: as long as it is not made, the change goes on.
pub fn place_next(dir: &Path) -> io::Result<()> {
    fs::rename(dir.join(NEXT_KEY), dir.join(KEY))?;
    flush_folder(dir)
}

/// Writes a file beside its place, for this user alone, flushes it, and moves it there.
fn write(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let beside = dir.join(format!("{name}.tmp"));
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, dir.join(name))?;
    flush_folder(dir)
}

fn flush_folder(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(dir)?.sync_all()?;
    Ok(())
}
