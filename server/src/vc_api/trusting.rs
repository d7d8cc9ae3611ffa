//! The list of trusted issuers that this service goes by, and which version of it was seen.

use crate::StartError;
use crate::clock::now;
use crate::succession::write;
use identity::web::{Fetcher, Wanted};
use identity::{Did, MAX_JWS, SeenVersion, TrustList};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The file that keeps which version was seen.
const MEMORY: &str = "trusted-issuers.seen.json";
/// How often the list is read again.
const AGAIN: Duration = Duration::from_secs(600);

/// Where a list is.
#[derive(Debug, Clone)]
pub enum TrustPlace {
    /// A file.
    File(PathBuf),
    /// An https address of the public internet, and the client for it.
    Web(String, Fetcher),
}

/// Whose list it is, and where.
#[derive(Debug, Clone)]
pub struct TrustSource {
    /// The biobank that signs the list.
    pub biobank: Did,
    /// Where the list is.
    pub place: TrustPlace,
}

/// The newest list that was taken.
pub(super) struct Trust {
    source: TrustSource,
    /// The folder that keeps which version was seen, if there is one.
    memory: Option<PathBuf>,
    list: RwLock<Arc<TrustList>>,
}

impl Trust {
    /// Reads the list. A service that was told to go by one does not start without it.
    pub(super) async fn open(source: TrustSource, folder: Option<&Path>) -> Result<Self, StartError> {
        let memory = folder.map(Path::to_owned);
        let seen = memory.as_deref().map(|folder| recall(&folder.join(MEMORY))).transpose()?.flatten();
        let list = read(&source, seen.as_ref()).await.map_err(StartError::Trust)?;
        let trust = Self { source, memory, list: RwLock::new(Arc::new(list)) };
        trust.remember()?;
        Ok(trust)
    }

    pub(super) fn list(&self) -> Arc<TrustList> {
        self.list.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the list again and again. Where that fails the one that was read counts until its own end.
    pub(super) async fn keep_up(self: Arc<Self>) -> std::io::Result<()> {
        loop {
            tokio::time::sleep(AGAIN).await;
            let seen = self.list().seen().clone();
            match read(&self.source, Some(&seen)).await {
                Ok(list) => {
                    *self.list.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(list);
                    if let Err(error) = self.remember() {
                        tracing::error!(%error, "which list of trusted issuers was seen could not be kept");
                    }
                }
                Err(error) => tracing::warn!(error, "the list of trusted issuers was not read again"),
            }
        }
    }

    fn remember(&self) -> Result<(), StartError> {
        let Some(folder) = &self.memory else { return Ok(()) };
        let seen = serde_json::to_vec(self.list().seen()).map_err(|error| json(folder, error))?;
        write(folder, MEMORY, &seen).map_err(|error| StartError::Io(folder.display().to_string(), error))
    }
}

fn json(path: &Path, error: serde_json::Error) -> StartError {
    StartError::Json(path.display().to_string(), error)
}

/// What was seen before. A file that can not be read is not taken for none: then an older list could pass.
fn recall(path: &Path) -> Result<Option<SeenVersion>, StartError> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| json(path, error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StartError::Io(path.display().to_string(), error)),
    }
}

async fn read(source: &TrustSource, seen: Option<&SeenVersion>) -> Result<TrustList, String> {
    let bytes = match &source.place {
        TrustPlace::File(path) => {
            tokio::fs::read(path).await.map_err(|error| format!("{}: {error}", path.display()))?
        }
        TrustPlace::Web(url, client) => {
            let wanted = Wanted { kinds: &["application/jose"], max_bytes: MAX_JWS };
            client.fetch(url, wanted).await.map_err(|error| error.to_string())?
        }
    };
    let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    TrustList::read(text.trim_end(), &source.biobank, seen, now()).map_err(|error| error.to_string())
}
