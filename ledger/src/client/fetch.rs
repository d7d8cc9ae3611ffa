//! The requests themselves.

use super::ClientError;
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::entry::MAX_ENTRY;
use crate::hash::{EntryHash, Hash};
use crate::note::{MAX_NOTE_BYTES, VerifierKey};
use crate::prove::{consistency_proof, consistency_tiles, inclusion_proof, inclusion_tiles, roots_from_tiles};
use crate::receipt::MAX_RECEIPT_BYTES;
use crate::succession::{KeyChange, Keys, Succession, follow};
use crate::tile::{BundleId, MAX_TILE_BYTES, TILE_WIDTH, TileId};
use identity::verify_jws;
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;
use url::{Host, Url};

/// The longest JSON answer that is read.
const MAX_JSON_BYTES: usize = 64 * 1024;
/// The largest bundle of a consent log, whose entries are shorter than C2SP would allow.
const MAX_CONSENT_BUNDLE_BYTES: usize = TILE_WIDTH as usize * (2 + MAX_ENTRY);

/// How long this reader waits and how much it takes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until a connection stands.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub read: Duration,
    /// For one whole answer.
    pub total: Duration,
    /// Entries of a log; a log that claims more is refused before anything is downloaded.
    pub entries: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(20),
            total: Duration::from_secs(60),
            entries: 50_000_000,
        }
    }
}

/// The `typ` under which an institution signs the key of its log.
const LOG_KEY_TYPE: &str = "log-key.v1+jws";

/// What a log says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogInfo {
    /// The name of the log.
    pub origin: String,
    /// The key that signs its checkpoints.
    pub vkey: VerifierKey,
    /// Who runs it. An institution keeps this name when it speaks by another key.
    pub did: identity::Did,
    /// The name of who runs it.
    pub name: String,
    /// The institution's signature under origin and key.
    #[serde(default)]
    pub statement: String,
    /// How the keys came to be these, the oldest change first; nothing for a log that has its first ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successions: Vec<Succession>,
}

/// What the institution signs.
#[derive(Deserialize)]
struct Statement {
    origin: String,
    vkey: VerifierKey,
    #[serde(default)]
    former: Vec<VerifierKey>,
    policy: Option<String>,
}

/// What the institution says of its log, checked to be signed by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The keys of today.
    pub keys: Keys,
    /// The keys by which the institution spoke, from its founding to today.
    pub spoke: Vec<identity::Did>,
    /// The keys that the log had before, the oldest first.
    pub former: Vec<VerifierKey>,
    /// Which other institutions must have signed a checkpoint (C2SP tlog-policy); none where there are none.
    pub policy: Option<String>,
}

impl LogInfo {
    /// What the institution says of its log, if the DID that it is named by signed it, or a key to which successions
    /// lead from that. Whether the institution is the one that was meant is for the caller to say.
    pub fn stated(&self) -> Result<Stated, ClientError> {
        let mut keys = self.first_keys();
        let mut spoke = vec![keys.institution.clone()];
        for change in follow(&keys.clone(), &self.successions) {
            keys.go_over(&change);
            if spoke.last() != Some(&keys.institution) {
                spoke.push(keys.institution.clone());
            }
        }
        let said = self.statement_of(&keys.institution)?;
        if keys.log != self.vkey {
            return Err(ClientError::OtherKey);
        }
        Ok(Stated { keys, spoke, former: said.former, policy: said.policy })
    }

    /// The checked changes that lead from keys that are trusted to those of today; nothing if they are the same.
    pub fn changes_since(&self, trusted: &Keys) -> Result<Vec<KeyChange>, ClientError> {
        let (changes, mut keys) = (follow(trusted, &self.successions), trusted.clone());
        changes.iter().for_each(|change| keys.go_over(change));
        self.statement_of(&keys.institution)?;
        if keys.log == self.vkey { Ok(changes) } else { Err(ClientError::OtherKey) }
    }

    /// The same for a reader who trusts a key of the log only: who spoke for the institution then is told by the
    /// successions, which the key of the log vouches for.
    pub fn changes_since_log_key(&self, log: &VerifierKey) -> Result<Vec<KeyChange>, ClientError> {
        let mut keys = self.first_keys();
        let changes = follow(&keys, &self.successions);
        let mut ahead = changes.iter();
        while keys.log != *log {
            keys.go_over(ahead.next().ok_or(ClientError::OtherKey)?);
        }
        self.changes_since(&keys)
    }

    /// Where the successions begin. Who comes for the first time trusts no key of the log yet: the first one is taken
    /// from the log's own word, and each change has to hold from there.
    fn first_keys(&self) -> Keys {
        let first = self.successions.first().map_or(&self.vkey, |succession| &succession.key);
        Keys { log: first.clone(), institution: self.did.clone() }
    }

    /// The statement, if this key signed it.
    fn statement_of(&self, institution: &identity::Did) -> Result<Statement, ClientError> {
        let statement = verify_jws(&self.statement).map_err(|_| ClientError::Statement)?;
        let said: Statement = serde_json::from_slice(&statement.payload).map_err(|_| ClientError::Statement)?;
        let signed = statement.signer == *institution && statement.typ == LOG_KEY_TYPE;
        let same = said.vkey == self.vkey && said.origin == self.origin && self.vkey.name() == self.origin;
        if signed && same { Ok(said) } else { Err(ClientError::Statement) }
    }
}

/// A reader of one log.
#[derive(Debug, Clone)]
pub struct LogClient {
    base: Url,
    http: Client,
    limits: Limits,
}

impl LogClient {
    /// A reader of the log at this address.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        Self::with_limits(base, Limits::default())
    }

    /// A reader with other limits.
    pub fn with_limits(base: &str, limits: Limits) -> Result<Self, ClientError> {
        let mut base = Url::parse(base).map_err(|_| ClientError::Address)?;
        let trusted = match base.scheme() {
            "https" => base.host().is_some(),
            "http" => names_this_machine(&base),
            _ => false,
        };
        if !trusted || base.query().is_some() || base.fragment().is_some() || !base.username().is_empty() {
            return Err(ClientError::Address);
        }
        // Without the slash `join` would replace the last part of the path.
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let mut builder = Client::builder()
            .connect_timeout(limits.connect)
            .read_timeout(limits.read)
            .timeout(limits.total)
            // A redirect could lead from a trusted address to any other.
            .redirect(redirect::Policy::none());
        if base.scheme() == "http" {
            // A proxy of the environment must not see what is meant for this machine.
            builder = builder.no_proxy();
        }
        Ok(Self { base, http: builder.build().map_err(ClientError::Unreachable)?, limits })
    }

    /// The address of the log.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// What the log says about itself.
    pub async fn log_info(&self) -> Result<LogInfo, ClientError> {
        let bytes = self.get("v1/log", MAX_JSON_BYTES).await?.ok_or(ClientError::NotFound)?;
        serde_json::from_slice(&bytes).map_err(|_| ClientError::Malformed("a description of itself"))
    }

    /// The present checkpoint.
    pub async fn checkpoint(&self, key: &VerifierKey) -> Result<SignedCheckpoint, ClientError> {
        let bytes = self.get("checkpoint", MAX_NOTE_BYTES).await?.ok_or(ClientError::NotFound)?;
        let note = String::from_utf8(bytes).map_err(|_| ClientError::Malformed("a checkpoint"))?;
        let checkpoint = Checkpoint::open(&note, key)?;
        if checkpoint.size > self.limits.entries {
            return Err(ClientError::TooLong);
        }
        Ok(checkpoint)
    }

    /// The receipt of an entry, as text. It still has to be checked with [`crate::Receipt::verify`].
    pub async fn proof(&self, entry: &EntryHash) -> Result<String, ClientError> {
        let path = format!("v1/entries/{entry}/proof");
        let bytes = self.get(&path, MAX_RECEIPT_BYTES).await?.ok_or(ClientError::NotFound)?;
        String::from_utf8(bytes).map_err(|_| ClientError::Malformed("a receipt"))
    }

    /// Shows from the tiles of the newer tree that the older one is its beginning.
    pub async fn check_consistency(&self, old: &SignedCheckpoint, new: &SignedCheckpoint) -> Result<(), ClientError> {
        let (held, offered) = (Box::new(old.clone()), Box::new(new.clone()));
        if old.origin != new.origin {
            return Err(ClientError::Checkpoint(crate::CheckpointError::OtherOrigin));
        }
        if new.size < old.size {
            return Err(ClientError::Shrunk { held, offered });
        }
        if new.size == old.size {
            return if new.root == old.root { Ok(()) } else { Err(ClientError::Forked { held, offered }) };
        }
        if old.size == 0 {
            // Everything begins with nothing.
            return Ok(());
        }
        let tiles = self.tiles(consistency_tiles(old.size, new.size)?).await?;
        let (old_root, new_root) = roots_from_tiles(old.size, new.size, reader(&tiles))?;
        if new_root != new.root {
            return Err(ClientError::BadTiles);
        }
        // The tiles are those that the log signed for, and they stand for another past.
        if old_root != old.root { Err(ClientError::Forked { held, offered }) } else { Ok(()) }
    }

    /// The proof between two sizes, from the tiles of the newer tree: with two signed checkpoints that contradict each
    /// other it is evidence that anybody can check.
    pub async fn consistency_proof(&self, old_size: u64, new_size: u64) -> Result<Vec<Hash>, ClientError> {
        let tiles = self.tiles(consistency_tiles(old_size, new_size)?).await?;
        Ok(consistency_proof(old_size, new_size, reader(&tiles))?)
    }

    /// Shows from tiles that the entry is number `index` of the log with this checkpoint.
    pub async fn check_inclusion(
        &self,
        entry: EntryHash,
        index: u64,
        checkpoint: &SignedCheckpoint,
    ) -> Result<(), ClientError> {
        let tiles = self.tiles(inclusion_tiles(index, checkpoint.size)?).await?;
        let path = inclusion_proof(index, checkpoint.size, reader(&tiles))?;
        Ok(crate::verify_inclusion(index, checkpoint.size, entry.leaf(), &path, checkpoint.root)?)
    }

    /// A tile. A partial one may have been replaced by the full one, whose beginning is the same.
    pub async fn tile(&self, id: TileId) -> Result<Vec<u8>, ClientError> {
        let wanted = 32 * usize::from(id.width);
        let mut bytes = match self.get(&id.path(), MAX_TILE_BYTES).await? {
            Some(bytes) if bytes.len() == wanted => return Ok(bytes),
            Some(_) => return Err(ClientError::BadTiles),
            None if id.is_full() => return Err(ClientError::NotFound),
            None => self.get(&id.full().path(), MAX_TILE_BYTES).await?.ok_or(ClientError::NotFound)?,
        };
        if bytes.len() != MAX_TILE_BYTES {
            return Err(ClientError::BadTiles);
        }
        bytes.truncate(wanted);
        Ok(bytes)
    }

    /// The entries of a bundle.
    pub(super) async fn bundle(&self, id: BundleId) -> Result<Vec<Vec<u8>>, ClientError> {
        let (id, bytes) = match self.get(&id.path(), MAX_CONSENT_BUNDLE_BYTES).await? {
            Some(bytes) => (id, bytes),
            None if id.is_full() => return Err(ClientError::NotFound),
            None => {
                let bytes = self.get(&id.full().path(), MAX_CONSENT_BUNDLE_BYTES).await?;
                (id.full(), bytes.ok_or(ClientError::NotFound)?)
            }
        };
        let entries = id.entries(&bytes).map_err(|_| ClientError::BadEntries)?;
        Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
    }

    async fn tiles(&self, ids: BTreeSet<TileId>) -> Result<BTreeMap<TileId, Vec<u8>>, ClientError> {
        let mut tiles = BTreeMap::new();
        for id in ids {
            tiles.insert(id, self.tile(id).await?);
        }
        Ok(tiles)
    }

    fn url(&self, path: &str) -> Result<Url, ClientError> {
        self.base.join(path).map_err(|_| ClientError::Address)
    }

    /// The body at a path; none if the log says that there is none.
    async fn get(&self, path: &str, cap: usize) -> Result<Option<Vec<u8>>, ClientError> {
        match self.send(self.http.get(self.url(path)?), cap).await? {
            (StatusCode::OK, body) => Ok(Some(body)),
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (other, _) => Err(ClientError::Status(other.as_u16())),
        }
    }

    async fn send(&self, request: RequestBuilder, cap: usize) -> Result<(StatusCode, Vec<u8>), ClientError> {
        let response = request.send().await.map_err(transport)?;
        Ok((response.status(), read_body(response, cap).await?))
    }
}

/// Reads a body piece by piece, so that no more than `cap` is ever held.
async fn read_body(mut response: Response, cap: usize) -> Result<Vec<u8>, ClientError> {
    if response.content_length().is_some_and(|length| length > cap as u64) {
        return Err(ClientError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(transport)? {
        if body.len() + piece.len() > cap {
            return Err(ClientError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn transport(error: reqwest::Error) -> ClientError {
    // The address can hold a hash that names a person's entry: it does not belong in a log of errors.
    if error.is_timeout() { ClientError::TimedOut } else { ClientError::Unreachable(error.without_url()) }
}

fn names_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn reader(tiles: &BTreeMap<TileId, Vec<u8>>) -> impl Fn(TileId) -> Result<Vec<u8>, ()> {
    |id| tiles.get(&id).cloned().ok_or(())
}
