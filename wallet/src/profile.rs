//! An open profile: its secret, its journal, and the story that the journal tells.

use crate::clock::now;
use crate::event::{Connection, Event};
use crate::journal::{Journal, JournalError, Row};
use crate::remote::Remote;
use crate::story::Story;
use bridge::{Code, Failure, Role};
use consent::{StudyId, Timestamp};
use identity::{ProfileSecret, SigningKey};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

/// What is known of the biobank's reachability, not journaled.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// Whether the biobank answered last time.
    pub online: bool,
    /// When the record was last checked.
    pub checked: Option<Timestamp>,
}

/// An open profile.
pub struct Profile {
    /// Whose.
    pub role: Role,
    /// Its folder.
    pub dir: PathBuf,
    secret: ProfileSecret,
    book: Mutex<Book>,
    weather: Mutex<Weather>,
    /// One sync at a time.
    pub(crate) syncing: tokio::sync::Mutex<()>,
    /// Held while the profile is open: one window a profile.
    _lock: File,
}

struct Book {
    journal: Journal,
    story: Story,
}

impl Profile {
    /// Opens the journal of a profile whose secret is at hand.
    pub fn open(role: Role, dir: &Path, secret: ProfileSecret) -> Result<Self, Failure> {
        #[cfg(unix)]
        std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .map_err(|_| Code::Storage)?;
        let lock = File::create(dir.join("lock")).map_err(|_| Code::Storage)?;
        lock.try_lock().map_err(|_| Code::AlreadyOpen)?;
        let journal = Journal::open(dir, &secret.derive_database_key()).map_err(storage)?;
        let mut story = Story::default();
        journal.read().map_err(storage)?.into_iter().for_each(|row| story.add(row));
        // A consent that is not seen could not be taken back: better no wallet than one that forgets.
        if story.unreadable > 0 {
            return Err(Code::WalletTooOld.into());
        }
        Ok(Self {
            role,
            dir: dir.to_owned(),
            secret,
            book: Mutex::new(Book { journal, story }),
            weather: Mutex::default(),
            syncing: tokio::sync::Mutex::default(),
            _lock: lock,
        })
    }

    /// The secret, for deriving keys.
    pub fn secret(&self) -> &ProfileSecret {
        &self.secret
    }

    /// The key that is for this biobank alone: what it signs is worth nothing to another one.
    pub fn biobank_key(&self, connection: &Connection) -> SigningKey {
        self.secret.derive_biobank_key(&connection.biobank)
    }

    /// The key for one study.
    pub fn study_key(&self, connection: &Connection, study: &StudyId) -> SigningKey {
        self.secret.derive_study_key(&connection.biobank, study)
    }

    /// Looks at the story. The lock is never held over a wait.
    pub fn read<T>(&self, look: impl FnOnce(&Story) -> T) -> Result<T, Failure> {
        Ok(look(&self.book()?.story))
    }

    /// Journals an event.
    pub fn record(&self, event: Event) -> Result<(), Failure> {
        self.record_if(event, |_| Ok(()))
    }

    /// Journals an event if the story still allows it at the moment of writing.
    pub fn record_if(&self, event: Event, allow: impl FnOnce(&Story) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut book = self.book()?;
        allow(&book.story)?;
        let row = Row { at: now(), event };
        book.journal.append(&row).map_err(storage)?;
        book.story.add(row);
        Ok(())
    }

    /// The biobank, or that there is none yet.
    pub fn connection(&self) -> Result<Connection, Failure> {
        self.read(|story| story.connection.clone())?.ok_or_else(|| Code::NotConnected.into())
    }

    /// The biobank's services.
    pub fn remote(&self) -> Result<Remote, Failure> {
        Remote::new(&self.connection()?.address)
    }

    /// What is known of the biobank's reachability.
    pub fn weather(&self) -> Weather {
        self.weather.lock().map(|weather| *weather).unwrap_or_default()
    }

    pub(crate) fn set_online(&self, online: bool) {
        if let Ok(mut weather) = self.weather.lock() {
            weather.online = online;
        }
    }

    pub(crate) fn set_checked(&self, at: Timestamp) {
        if let Ok(mut weather) = self.weather.lock() {
            *weather = Weather { online: true, checked: Some(at) };
        }
    }

    fn book(&self) -> Result<MutexGuard<'_, Book>, Failure> {
        // A poisoned lock means that a deed panicked half-way: the journal on the disk is what counts then.
        self.book.lock().map_err(|_| Code::Internal.into())
    }
}

pub(crate) fn storage(error: JournalError) -> Failure {
    tracing::error!(%error, "journal");
    Code::Storage.into()
}
