//! One courier for each witness and mirror: takes the newest checkpoint there, and brings signatures back. A courier
//! that is kept waiting keeps no other one waiting.

use super::Peer;
use crate::biobank::Biobank;
use crate::clock::now;
use crate::log::ReadError;
use ledger::{
    AddCheckpoint, AddEntries, Answer, Checkpoint, ENTRIES_CONTENT_TYPE, EntryPackage, LINES_CONTENT_TYPE,
    MAX_NOTE_BYTES, MAX_PACKAGES, MirrorAnswer, SignedCheckpoint, origin_hash, package_ranges,
};
use reqwest::{Client, header, redirect};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use url::Url;

/// How long a witness may take.
const WITNESS_PATIENCE: Duration = Duration::from_secs(2);
/// How long a mirror may take, which has entries to write.
const MIRROR_PATIENCE: Duration = Duration::from_secs(30);
/// How long a courier stays away after a failure, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A log that nobody writes to is signed again after this time, so that its checkpoint does not look forgotten.
const REFRESH: Duration = Duration::from_secs(3600);
/// How many bytes of entries go into one upload; what is left goes into the next.
const MAX_UPLOAD: usize = 4 << 20;

/// What a courier brings.
pub(super) struct Brought {
    /// Under which checkpoint.
    pub of: SignedCheckpoint,
    /// The signatures, checked.
    pub lines: String,
    /// Whose they are.
    pub peer: Peer,
}

/// Why a courier comes back without signatures.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The service has ended.
    #[error("closing")]
    Closing,
    #[error("no answer in time")]
    Late,
    #[error("unreachable")]
    Unreachable,
    #[error("an answer that is none")]
    Garbage,
    #[error("status {0}")]
    Refused(u16),
    #[error("no signature by a key of this peer under this checkpoint")]
    Worthless,
    #[error("it is said to be at size {0}, beyond this log")]
    Ahead(u64),
    /// The peer has to get the entries from another mirror, or to begin with a copy of it.
    #[error("it lacks entries from {0} on, and this log was pruned and has them from {1} on only")]
    Pruned(u64, u64),
    #[error("the own log could not be read: {0}")]
    Log(#[from] ReadError),
}

/// A courier to one peer.
pub(super) struct Courier {
    pub biobank: Weak<Biobank>,
    pub peer: Peer,
    pub is_mirror: bool,
    pub wanted: watch::Receiver<Option<SignedCheckpoint>>,
    pub brings: mpsc::Sender<Brought>,
    pub http: Client,
    /// At which size the peer was last.
    pub known: u64,
    /// The first entry that a mirror does not have.
    pub next: u64,
}

/// The connections of all couriers. Nothing but the address in the file is ever called.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(MIRROR_PATIENCE).build()
}

impl Courier {
    /// Goes until the service ends.
    pub async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let wanted = self.wanted.borrow_and_update().clone();
            let Some(wanted) = wanted else {
                if self.wanted.changed().await.is_err() {
                    return;
                }
                continue;
            };
            let begun = Instant::now();
            let outcome = self.ask(&wanted).await;
            let Some(biobank) = self.biobank.upgrade() else { return };
            let Some(federation) = &biobank.federation else { return };
            let address = self.peer.address.as_str();
            match outcome {
                Ok(lines) => {
                    pause = FIRST_PAUSE;
                    federation.figures.asked(address, begun.elapsed(), now().unix());
                    drop(biobank);
                    let brought = Brought { of: wanted, lines, peer: self.peer.clone() };
                    if self.brings.send(brought).await.is_err() {
                        return;
                    }
                    tokio::select! {
                        changed = self.wanted.changed() => if changed.is_err() { return },
                        () = tokio::time::sleep(REFRESH) => {}
                    }
                }
                Err(failure) => {
                    federation.figures.failed(address);
                    tracing::warn!(peer = address, size = wanted.size, %failure, "not signed");
                    drop(biobank);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn ask(&mut self, wanted: &SignedCheckpoint) -> Result<String, Failure> {
        let patience = if self.is_mirror { MIRROR_PATIENCE } else { WITNESS_PATIENCE };
        let work = async {
            let mut lines = self.show(wanted).await?;
            if self.is_mirror {
                lines = self.upload(wanted).await?;
            }
            // What does not hold is worth as much as no answer.
            wanted.with_cosignatures(&lines, &self.peer.keys).map_err(|_| Failure::Worthless)?;
            Ok(lines)
        };
        tokio::time::timeout(patience, work).await.unwrap_or(Err(Failure::Late))
    }

    /// Shows the checkpoint, from the size at which the peer says it is.
    async fn show(&mut self, wanted: &SignedCheckpoint) -> Result<String, Failure> {
        // The second try starts from the size in the first answer. A peer that names a third one is not waited for.
        for _ in 0..3 {
            let (old_size, note) = (self.known, wanted.clone());
            let body = self
                .read_log(move |biobank| {
                    let proof = match old_size {
                        0 => Vec::new(),
                        size if size == note.size => Vec::new(),
                        size => biobank.log.consistency_path(size, note.size)?,
                    };
                    Ok(AddCheckpoint { old_size, proof, checkpoint: note.note().to_owned() }.to_string())
                })
                .await?;
            let (status, kind, body) = self.post("add-checkpoint", LINES_CONTENT_TYPE, body.into_bytes()).await?;
            match Answer::read(status, &kind, &body).ok_or(Failure::Garbage)? {
                Answer::Lines(lines) => {
                    self.known = wanted.size;
                    return Ok(lines);
                }
                Answer::At(size) if size <= wanted.size => self.known = size,
                Answer::At(size) => {
                    self.look_ahead(wanted).await;
                    return Err(Failure::Ahead(size));
                }
                Answer::Refused(status) => return Err(Failure::Refused(status)),
            }
        }
        Err(Failure::Garbage)
    }

    /// A peer says that it has seen more than this log holds. If it can show the log's own signature for that, the log
    /// was put back to an old copy, and every entry from now on writes a second history.
    async fn look_ahead(&self, wanted: &SignedCheckpoint) {
        let path = format!("{}/checkpoint", origin_hash(&wanted.origin));
        let Ok(note) = fetch(&self.http, &self.peer.address, &path).await else { return };
        let Some(biobank) = self.biobank.upgrade() else { return };
        let Ok(seen) = Checkpoint::open(&note, &biobank.vkey) else { return };
        let Ok(tip) = biobank.log.tip() else { return };
        if seen.size > tip.turn.size {
            let (peer, signed, held) = (self.peer.address.as_str(), seen.size, tip.turn.size);
            tracing::error!(peer, signed, held, "THIS LOG WENT BACK: it has signed more entries than it holds");
            if let Some(federation) = &biobank.federation {
                federation.figures.ahead(seen.size - tip.turn.size);
            }
        }
    }

    /// Sends a mirror what it lacks, until it signs.
    async fn upload(&mut self, wanted: &SignedCheckpoint) -> Result<String, Failure> {
        let (mut end, mut ticket, mut idle) = (wanted.size, Vec::new(), 0);
        while idle < 3 {
            let start = self.next.min(end);
            let head = AddEntries { origin: wanted.origin.clone(), start, end, ticket: ticket.clone() };
            let packed = move |biobank: Arc<Biobank>| {
                let minimum = biobank.log.store().minimum()?;
                if head.start < minimum { Ok(Err(minimum)) } else { pack(&biobank, &head).map(Ok) }
            };
            let body = self.read_log(packed).await?.map_err(|minimum| Failure::Pruned(start, minimum))?;
            let (status, kind, body) = self.post("add-entries", ENTRIES_CONTENT_TYPE, body).await?;
            match MirrorAnswer::read(status, &kind, &body).ok_or(Failure::Garbage)? {
                MirrorAnswer::Lines(lines) => {
                    self.next = end;
                    if end == wanted.size {
                        return Ok(lines);
                    }
                    (end, ticket) = (wanted.size, Vec::new());
                }
                MirrorAnswer::At(info) if info.size <= wanted.size => {
                    idle = if info.next > self.next { 0 } else { idle + 1 };
                    (self.next, end, ticket) = (info.next, info.size, info.ticket);
                }
                MirrorAnswer::At(info) => return Err(Failure::Ahead(info.size)),
                MirrorAnswer::Refused(status) => return Err(Failure::Refused(status)),
            }
        }
        Err(Failure::Garbage)
    }

    /// Reads the own log on a thread that may wait for the disk.
    async fn read_log<T: Send + 'static>(
        &self,
        read: impl FnOnce(Arc<Biobank>) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, Failure> {
        let biobank = self.biobank.upgrade().ok_or(Failure::Closing)?;
        let work = tokio::task::spawn_blocking(move || read(biobank));
        Ok(work.await.map_err(|_| Failure::Closing)??)
    }

    async fn post(&self, name: &str, kind: &str, body: Vec<u8>) -> Result<(u16, String, String), Failure> {
        let url = format!("{}/{name}", self.peer.address.as_str().trim_end_matches('/'));
        let request = self.http.post(url).header(header::CONTENT_TYPE, kind).body(body);
        receive(request.send().await.map_err(|_| Failure::Unreachable)?).await
    }
}

/// Reads a note below an address.
pub(super) async fn fetch(http: &Client, address: &Url, path: &str) -> Result<String, Failure> {
    let url = format!("{}/{path}", address.as_str().trim_end_matches('/'));
    let answer = http.get(url).timeout(WITNESS_PATIENCE).send().await.map_err(|_| Failure::Unreachable)?;
    match receive(answer).await? {
        (200, _, body) => Ok(body),
        (status, ..) => Err(Failure::Refused(status)),
    }
}

/// Status, type and text of an answer, as long as it is no longer than an answer may be.
async fn receive(mut answer: reqwest::Response) -> Result<(u16, String, String), Failure> {
    let status = answer.status().as_u16();
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_owned();
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|_| Failure::Unreachable)? {
        body.extend_from_slice(&part);
        if body.len() > MAX_NOTE_BYTES {
            return Err(Failure::Garbage);
        }
    }
    Ok((status, kind, String::from_utf8(body).map_err(|_| Failure::Garbage)?))
}

/// The upload that goes on from `head.start`, as far as one request goes. A mirror keeps the packages of one that ends
/// early, and says where to go on.
fn pack(biobank: &Biobank, head: &AddEntries) -> Result<Vec<u8>, ReadError> {
    let mut bytes = head.to_bytes().map_err(|_| ReadError::Damaged)?;
    for range in package_ranges(head.start, head.end).take(MAX_PACKAGES) {
        if bytes.len() > MAX_UPLOAD {
            break;
        }
        let count = usize::try_from(range.end - range.start).map_err(|_| ReadError::Damaged)?;
        let entries = biobank.log.entries_from(range.start, count)?.into_iter().map(|(_, entry)| entry).collect();
        let tile = |id| biobank.log.store().tile(id)?.ok_or(ReadError::Damaged);
        let package = EntryPackage::make(range, head.end, entries, tile).map_err(|_| ReadError::Damaged)?;
        bytes.extend(package.to_bytes().map_err(|_| ReadError::Damaged)?);
    }
    Ok(bytes)
}
