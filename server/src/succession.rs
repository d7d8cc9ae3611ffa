//! The files of a change of the log's key or the institution's: the new key while it waits, the former keys, and what
//! readers are told.

use crate::biobank::{StartError, io_error};
use identity::Did;
use ledger::event::InstitutionEvent;
use ledger::{Entry, Event, Succession, VerifierKey};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// What readers are told of former keys, the oldest change first.
pub const FILE: &str = "successions.json";

/// A key that can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFile {
    /// The one that signs the log.
    Log,
    /// The one by which the institution speaks.
    Institution,
}

impl KeyFile {
    /// The key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Log => "log.key",
            Self::Institution => "institution.key",
        }
    }

    /// The new key until it is the one.
    pub const fn next(self) -> &'static str {
        match self {
            Self::Log => "log.key.next",
            Self::Institution => "institution.key.next",
        }
    }

    /// Whether a change was begun and not finished.
    pub fn is_begun(self, dir: &Path) -> bool {
        dir.join(self.next()).exists()
    }

    /// Makes the new key.
    pub fn make_next(self, dir: &Path) -> Result<(), StartError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        write(dir, self.next(), &seed).map_err(|error| io_error(&dir.join(self.next()), error))
    }

    /// Keeps a former key away, under a name with its id. Nothing needs it any more; it is the only thing that can show
    /// what it did not sign.
    pub fn keep_former(self, dir: &Path, id: &str) -> Result<(), StartError> {
        let keep = || write(dir, &format!("{}.{id}", self.name()), &fs::read(dir.join(self.name()))?);
        keep().map_err(|error| io_error(&dir.join(self.name()), error))
    }

    /// The new key becomes the key. The last step: as long as it is not made, the change goes on.
    pub fn place_next(self, dir: &Path) -> Result<(), StartError> {
        let place = || fs::rename(dir.join(self.next()), dir.join(self.name())).and_then(|()| flush_folder(dir));
        place().map_err(|error| io_error(&dir.join(self.next()), error))
    }
}

/// What readers are told; nothing as long as log and institution have their first keys.
pub fn read(dir: &Path) -> Result<Vec<Succession>, StartError> {
    let path = dir.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| StartError::Json(path.display().to_string(), e)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(io_error(&path, error)),
    }
}

/// The keys that the log had before.
pub fn former_log_keys(told: &[Succession]) -> Vec<VerifierKey> {
    let of_the_log = |told: &&Succession| matches!(entry(told), Some((_, InstitutionEvent::LogKey(_))));
    told.iter().filter(of_the_log).map(|told| told.key.clone()).collect()
}

/// The DID by which the institution goes on being known, if it speaks by another key by now.
pub fn founder(told: &[Succession]) -> Option<Did> {
    told.iter().filter_map(entry).find_map(|(signer, said)| match said {
        InstitutionEvent::InstitutionKey(_) => Some(signer),
        _ => None,
    })
}

fn entry(told: &Succession) -> Option<(Did, InstitutionEvent)> {
    let entry = Entry::parse(told.entry.as_bytes()).ok()?;
    match entry.said() {
        Event::Institution(said) => Some((entry.signer().clone(), said.clone())),
        _ => None,
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
