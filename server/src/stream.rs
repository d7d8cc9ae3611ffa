//! News for those who listen: every entry as soon as the public record holds it, and that a letter came.
//!
//! One task follows the log and keeps the newest entries at hand; each listener has a task of its own that reads from
//! there, and from the log's files what is older. Who reads too slowly is let go: nothing waits for a listener, and
//! whoever comes back says which entry was the last.

use crate::Problem;
use crate::biobank::Biobank;
use crate::limits::household;
use crate::log::ReadError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identity::Did;
use ledger::EntryHash;
use serde_json::json;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};

/// How many of the newest entries are kept in memory, at most 4 KiB each.
const KEPT: usize = 1_024;
/// How far back a listener may begin. Before that the bundles of the log say the same with less work.
pub(crate) const BACKLOG: u64 = 65_536;
/// How many listeners there may be in all, and of one caller or one address.
const LISTENERS: usize = 1_024;
const LISTENERS_OF_ONE: usize = 8;
/// How many of the seats are for those who sign: addresses cost nothing to whoever wants to take all seats.
const KEPT_FOR_CALLERS: usize = LISTENERS / 4;
/// How many events wait for a listener that does not read, and how long.
const QUEUE: usize = 64;
const SLOW: Duration = Duration::from_secs(10);
/// How often a quiet stream shows that it is there.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many entries are read from the log at once.
const PAGE: usize = 256;
/// How long the follower rests after the log could not be read.
const REST: Duration = Duration::from_secs(1);

/// An entry that the public record holds.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub index: u64,
    pub hash: EntryHash,
    pub bytes: Vec<u8>,
}

/// Somebody got a letter. What it says is nobody's business here.
#[derive(Debug, Clone)]
struct Rung {
    to: Did,
    /// The donor behind the receiver, if the receiver is a study key.
    donor: Option<Did>,
}

/// Who listens: one that signed the request, or an address as it is counted ([`Listener::at`]).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Listener {
    Caller(Did),
    Address(IpAddr),
}

impl Listener {
    /// Somebody at an address.
    pub fn at(address: IpAddr) -> Self {
        Self::Address(household(address))
    }

    fn is_meant(&self, rung: &Rung) -> bool {
        matches!(self, Self::Caller(did) if *did == rung.to || Some(did) == rung.donor.as_ref())
    }
}

/// What goes out to all listeners.
pub struct Stream {
    newest: Mutex<VecDeque<Arc<Told>>>,
    /// The size of the public record as listeners were told.
    size: watch::Sender<u64>,
    letters: broadcast::Sender<Arc<Rung>>,
    seats: Mutex<HashMap<Listener, usize>>,
}

impl Stream {
    /// Nothing was told yet of a record with this many entries.
    pub fn new(size: u64) -> Self {
        Self {
            newest: Mutex::default(),
            size: watch::Sender::new(size),
            letters: broadcast::Sender::new(QUEUE),
            seats: Mutex::default(),
        }
    }

    /// The size of the public record, and a way to wait for more.
    pub fn sizes(&self) -> watch::Receiver<u64> {
        self.size.subscribe()
    }

    /// Tells whoever it concerns that a letter came.
    pub fn ring(&self, to: &Did, donor: Option<&Did>) {
        // Without listeners there is nobody to tell; they look for letters when they come.
        let _ = self.letters.send(Arc::new(Rung { to: to.clone(), donor: donor.cloned() }));
    }

    fn newest(&self) -> MutexGuard<'_, VecDeque<Arc<Told>>> {
        // The list is whole after every statement that holds the lock.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, entries: Vec<Told>) {
        let Some(size) = entries.last().map(|last| last.index + 1) else { return };
        let mut newest = self.newest();
        newest.extend(entries.into_iter().map(Arc::new));
        let surplus = newest.len().saturating_sub(KEPT);
        newest.drain(..surplus);
        drop(newest);
        self.size.send_replace(size);
    }

    /// Entries from `first` on that are kept in memory; none if they begin later.
    fn kept(&self, first: u64) -> Vec<Arc<Told>> {
        let newest = self.newest();
        let Some(oldest) = newest.front().map(|told| told.index) else { return Vec::new() };
        let Some(skip) = first.checked_sub(oldest).and_then(|skip| usize::try_from(skip).ok()) else {
            return Vec::new();
        };
        newest.iter().skip(skip).take(QUEUE).cloned().collect()
    }

    fn sit(self: &Arc<Self>, listener: &Listener) -> Result<Seat, Problem> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let taken: usize = seats.values().sum();
        let own = seats.get(listener).copied().unwrap_or_default();
        let most = match listener {
            Listener::Caller(_) => LISTENERS,
            Listener::Address(_) => LISTENERS - KEPT_FOR_CALLERS,
        };
        if taken >= most || own >= LISTENERS_OF_ONE {
            return Err(Problem::too_many_listeners());
        }
        seats.insert(listener.clone(), own + 1);
        Ok(Seat { stream: Arc::clone(self), listener: listener.clone() })
    }
}

/// A listener's place; free again when the listener is gone.
struct Seat {
    stream: Arc<Stream>,
    listener: Listener,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.stream.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = seats.get_mut(&self.listener) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                seats.remove(&self.listener);
            }
        }
    }
}

/// The size of the public record.
pub(crate) fn published(biobank: &Biobank) -> u64 {
    biobank.log.signed_checkpoint().size
}

/// Entries of the public record from `first` up to, not including, `end`: some of them, in their order. Waits for the
/// disk.
pub(crate) fn read_entries(biobank: &Biobank, first: u64, end: u64) -> Result<Vec<Told>, ReadError> {
    let found = biobank.log.entries_from(first, PAGE)?;
    let numbered = found.into_iter().take_while(|(index, _)| *index < end.min(published(biobank)));
    Ok(numbered.map(|(index, bytes)| Told { index, hash: EntryHash::of(&bytes), bytes }).collect())
}

/// Like [`read_entries`], from a thread that may wait. None when the service is gone or the log can not be read.
async fn fetch_entries(biobank: &Weak<Biobank>, first: u64, end: u64) -> Option<Vec<Told>> {
    let biobank = biobank.upgrade()?;
    match tokio::task::spawn_blocking(move || read_entries(&biobank, first, end)).await.ok()? {
        Ok(entries) => Some(entries),
        Err(error) => {
            tracing::error!(%error, "the stream can not read the record");
            None
        }
    }
}

/// Follows the log as long as the service is there.
pub(crate) async fn follow(biobank: Weak<Biobank>) {
    let Some((stream, mut sizes, mut closing)) =
        biobank.upgrade().map(|open| (Arc::clone(&open.stream), open.log.watch_published(), open.closing.subscribe()))
    else {
        return;
    };
    loop {
        let (told, size) = (*stream.size.borrow(), *sizes.borrow_and_update());
        if told < size {
            match fetch_entries(&biobank, told, size).await.filter(|entries| !entries.is_empty()) {
                Some(entries) => stream.tell(entries),
                None if biobank.strong_count() == 0 => return,
                // What can not be read now is read in a later round; the log has its own alarm.
                None => tokio::time::sleep(REST).await,
            }
            continue;
        }
        tokio::select! {
            changed = sizes.changed() => if changed.is_err() { return },
            _ = closing.changed() => return,
        }
    }
}

/// Opens a stream: what it will carry, as server-sent events.
///
/// `first` is the first entry that is wanted; without it, the next one. `waiting` says that letters wait already.
pub(crate) fn open(
    biobank: &Arc<Biobank>,
    listener: Listener,
    first: Option<u64>,
    waiting: bool,
) -> Result<mpsc::Receiver<String>, Problem> {
    let stream = &biobank.stream;
    let seat = stream.sit(&listener)?;
    let (out, receiver) = mpsc::channel(QUEUE);
    let sizes = stream.sizes();
    let next = first.unwrap_or(*sizes.borrow());
    let listening = Listening {
        biobank: Arc::downgrade(biobank),
        letters: stream.letters.subscribe(),
        closing: biobank.closing.subscribe(),
        sizes,
        next,
        out,
        seat,
    };
    tokio::spawn(listening.run(waiting));
    Ok(receiver)
}

/// One listener's end of the stream.
struct Listening {
    biobank: Weak<Biobank>,
    letters: broadcast::Receiver<Arc<Rung>>,
    closing: watch::Receiver<bool>,
    sizes: watch::Receiver<u64>,
    /// The number of the entry that comes next.
    next: u64,
    out: mpsc::Sender<String>,
    seat: Seat,
}

impl Listening {
    /// Ends when the listener leaves or is too slow, or the service closes: the reason is the same to all, come back.
    async fn run(mut self, waiting: bool) {
        let _ = self.talk(waiting).await;
    }

    async fn talk(&mut self, waiting: bool) -> Option<()> {
        // How long a browser waits before it comes back, in milliseconds.
        self.send("retry: 2000\n\n".to_owned()).await?;
        if waiting {
            self.send(mailbox()).await?;
        }
        loop {
            self.catch_up().await?;
            tokio::select! {
                changed = self.sizes.changed() => changed.ok()?,
                rung = self.letters.recv() => match rung {
                    Ok(rung) if !self.seat.listener.is_meant(&rung) => {}
                    // Among those that were missed may be one for this listener.
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {
                        if matches!(self.seat.listener, Listener::Caller(_)) {
                            self.send(mailbox()).await?;
                        }
                    }
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                _ = self.closing.changed() => return None,
                () = self.out.closed() => return None,
                () = tokio::time::sleep(HEARTBEAT) => self.send(": here\n\n".to_owned()).await?,
            }
        }
    }

    /// Sends all entries that the record holds by now.
    async fn catch_up(&mut self) -> Option<()> {
        loop {
            let size = *self.sizes.borrow_and_update();
            if self.next >= size {
                return Some(());
            }
            if size - self.next > BACKLOG {
                self.leave_out(size - BACKLOG).await?;
            }
            let kept = self.seat.stream.kept(self.next);
            let page = if kept.is_empty() {
                fetch_entries(&self.biobank, self.next, size).await?.into_iter().map(Arc::new).collect()
            } else {
                kept
            };
            let first = page.first()?.index;
            if first > self.next {
                // What comes before was pruned.
                self.leave_out(first).await?;
            }
            for told in page {
                let data = json!({
                    "index": told.index,
                    "hash": told.hash,
                    "size": size.max(told.index + 1),
                    "entry": STANDARD.encode(&told.bytes),
                });
                self.send(event("entry", Some(told.index), &data)).await?;
                self.next = told.index + 1;
            }
        }
    }

    /// Goes on at an entry, and says that those before are not told.
    async fn leave_out(&mut self, to: u64) -> Option<()> {
        self.send(event("gap", None, &json!({ "from": self.next, "to": to }))).await?;
        self.next = to;
        Some(())
    }

    /// None if the listener has not read for too long, or is gone.
    async fn send(&self, text: String) -> Option<()> {
        tokio::time::timeout(SLOW, self.out.send(text)).await.ok()?.ok()
    }
}

fn mailbox() -> String {
    event("mailbox", None, &json!({}))
}

/// One event as it is written. Canonical JSON has no line breaks, so the data is one line.
fn event(name: &str, id: Option<u64>, data: &serde_json::Value) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("{id}event: {name}\ndata: {data}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::biobank::Institution;
    use crate::serve::Options;
    use identity::SigningKey;

    fn told(index: u64) -> Told {
        let bytes = index.to_be_bytes().to_vec();
        Told { index, hash: EntryHash::of(&bytes), bytes }
    }

    #[test]
    fn the_newest_entries_are_at_hand_and_no_others() {
        let stream = Stream::new(10);
        assert!(stream.kept(10).is_empty());
        stream.tell((10..13).map(told).collect());
        assert_eq!(*stream.sizes().borrow(), 13);
        let numbers = |first| stream.kept(first).iter().map(|told| told.index).collect::<Vec<_>>();
        assert!(numbers(9).is_empty(), "what was before is read from the record");
        assert_eq!(numbers(10), [10, 11, 12]);
        assert_eq!(numbers(12), [12]);
        assert!(numbers(13).is_empty());
        stream.tell((13..13 + KEPT as u64).map(told).collect());
        assert_eq!(stream.newest().len(), KEPT);
        assert_eq!((numbers(12), numbers(13).len()), (Vec::new(), QUEUE));
    }

    #[test]
    fn a_network_is_one_listener_and_no_crowd_takes_the_seats_of_those_who_sign() {
        let stream = Arc::new(Stream::new(0));
        let mut seats = Vec::new();
        for host in 1..=LISTENERS_OF_ONE {
            let address = format!("2001:db8::{host:x}").parse().unwrap();
            seats.push(stream.sit(&Listener::at(address)).unwrap());
        }
        assert!(stream.sit(&Listener::at("2001:db8::ffff".parse().unwrap())).is_err(), "the same network");
        for network in 1.. {
            let address = format!("2001:db8:{network:x}::1").parse().unwrap();
            match stream.sit(&Listener::at(address)) {
                Ok(seat) => seats.push(seat),
                Err(_) => break,
            }
        }
        assert_eq!(seats.len(), LISTENERS - KEPT_FOR_CALLERS);
        assert!(stream.sit(&Listener::Caller(SigningKey::from_seed([1; 32]).did())).is_ok());
    }

    #[tokio::test]
    async fn who_begins_before_what_was_pruned_is_told_of_the_gap() {
        let dir = tempfile::tempdir().unwrap();
        let biobank = crate::webhook::tests::pruned(dir.path()).await;
        let caller = Listener::Caller(SigningKey::from_seed([1; 32]).did());
        let mut events = open(&biobank, caller, Some(1), false).unwrap();
        assert!(events.recv().await.unwrap().starts_with("retry"));
        let gap = events.recv().await.unwrap();
        assert!(gap.starts_with("event: gap\n") && gap.contains(r#"{"from":1,"to":256}"#), "{gap}");
        assert!(events.recv().await.unwrap().starts_with("id: 256\nevent: entry\n"));
    }

    #[tokio::test]
    async fn who_does_not_read_is_let_go_and_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let first = Institution { name: "Example Biobank".into(), origin: "biobank.example/log".into() };
        let options = Options::new(dir.path().to_owned(), ([127, 0, 0, 1], 0).into(), first);
        let biobank = Arc::new(Biobank::open(&options).unwrap());
        let did = SigningKey::from_seed([1; 32]).did();
        let mut silent = open(&biobank, Listener::Caller(did.clone()), None, false).unwrap();
        let taken = || biobank.stream.seats.lock().unwrap().len();
        assert_eq!(taken(), 1);
        for _ in 0..4 * QUEUE {
            biobank.stream.ring(&did, None);
            tokio::task::yield_now().await;
        }
        for _ in 0..600 {
            if taken() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(taken(), 0);
        // What was sent before is there still; then the stream ends, and the listener comes again.
        let mut read = 0;
        while silent.recv().await.is_some() {
            read += 1;
        }
        assert_eq!(read, QUEUE);
    }
}
