//! The publisher: collects signatures under the newest checkpoint, and shows it. With its quorum it is final. Without,
//! it is shown all the same after a while, because what the log holds must be seen, whoever else is down.

use super::Federation;
use super::courier::{Brought, Courier, client};
use crate::biobank::Biobank;
use crate::clock::now;
use ledger::SignedCheckpoint;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// How long a checkpoint waits for its quorum before it is shown without.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often something is published at most.
const INTERVAL: Duration = Duration::from_secs(1);
/// Answers that may wait to be looked at.
const MAX_WAITING: usize = 64;

/// Publishes until the service ends. Does nothing for an institution that is in no federation.
pub async fn run(biobank: Weak<Biobank>) {
    let Some(open) = biobank.upgrade() else { return };
    let Some(federation) = &open.federation else { return };
    let http = match client() {
        Ok(http) => http,
        // Without it nobody can be asked, and the log goes on publishing by itself.
        Err(error) => return tracing::error!(%error, "no connections to the federation"),
    };
    let (brings, brought) = mpsc::channel(MAX_WAITING);
    let wanted = watch::Sender::new(None);
    let peers = &federation.peers;
    let both = peers.witnesses.iter().map(|peer| (peer, false)).chain(peers.mirrors.iter().map(|peer| (peer, true)));
    for (peer, is_mirror) in both {
        let courier = Courier {
            biobank: biobank.clone(),
            peer: peer.clone(),
            is_mirror,
            wanted: wanted.subscribe(),
            brings: brings.clone(),
            http: http.clone(),
            known: 0,
            next: 0,
        };
        tokio::spawn(courier.run());
    }
    tokio::spawn(super::compare::run(biobank.clone()));
    let newest = open.log.take_over_publishing();
    drop(open);
    Publisher { biobank, newest, wanted, brought }.run().await;
}

struct Publisher {
    biobank: Weak<Biobank>,
    newest: watch::Receiver<SignedCheckpoint>,
    wanted: watch::Sender<Option<SignedCheckpoint>>,
    brought: mpsc::Receiver<Brought>,
}

/// A checkpoint on its way to the public.
struct Round {
    /// With all signatures so far.
    note: SignedCheckpoint,
    begun: Instant,
    /// When it was published, and whether it had its quorum.
    shown: Option<(Instant, bool)>,
    /// Whether there are signatures that were not published.
    more: bool,
}

impl Publisher {
    /// One round for each checkpoint that is worth one: of those that come while it lasts, the last.
    async fn run(mut self) {
        loop {
            let Some(mut round) = self.begin() else { return };
            loop {
                let may_end = round.shown.map(|(at, _)| at + INTERVAL);
                let late = round.begun + PATIENCE;
                tokio::select! {
                    brought = self.brought.recv() => {
                        // Couriers end with the service.
                        let Some(brought) = brought else { return };
                        if !self.take(&mut round, &brought).await { return }
                    }
                    () = sleep_until(late), if round.shown.is_none() => {
                        if !self.show(&mut round).await { return }
                    }
                    () = sleep_until(may_end.unwrap_or(late)), if round.more && round.shown.is_some() => {
                        if !self.show(&mut round).await { return }
                    }
                    grown = grown(&mut self.newest, may_end), if round.shown.is_some() => {
                        if grown { break }
                        return
                    }
                }
            }
        }
    }

    /// Sends the couriers off with the newest checkpoint. None when the service has ended.
    fn begin(&mut self) -> Option<Round> {
        let biobank = self.biobank.upgrade()?;
        let federation = biobank.federation.as_ref()?;
        let newest = self.newest.borrow_and_update().clone();
        let shown = biobank.log.signed_checkpoint();
        let signed = federation.sign_own(&newest);
        // After a restart the signatures from before still hold.
        let same = shown.text() == newest.text();
        let note = if same { federation.sign_own(&shown) } else { signed.clone() };
        self.wanted.send_replace(Some(signed));
        Some(Round { note, begun: Instant::now(), shown: None, more: false })
    }

    /// Adds signatures; publishes as soon as they are a quorum.
    async fn take(&self, round: &mut Round, brought: &Brought) -> bool {
        // What comes late, for a checkpoint before this one, is worth nothing any more.
        if brought.of.text() != round.note.text() {
            return true;
        }
        let Ok(note) = round.note.with_cosignatures(&brought.lines, &brought.peer.keys) else { return true };
        (round.note, round.more) = (note, true);
        let Some(biobank) = self.biobank.upgrade() else { return false };
        let is_final = biobank.federation.as_ref().is_some_and(|federation| federation.is_final(&round.note));
        drop(biobank);
        let was_final = round.shown.is_some_and(|(_, was)| was);
        if is_final && !was_final { self.show(round).await } else { true }
    }

    /// Publishes what there is. False when the service has ended.
    async fn show(&self, round: &mut Round) -> bool {
        let Some(biobank) = self.biobank.upgrade() else { return false };
        let note = round.note.clone();
        let work = move || publish(&biobank, &note);
        match tokio::task::spawn_blocking(work).await {
            Ok(Some(is_final)) => {
                (round.shown, round.more) = (Some((Instant::now(), is_final)), false);
                true
            }
            // The disk failed, and the log has stopped or will: a new start publishes.
            Ok(None) => {
                round.shown = Some((Instant::now(), false));
                true
            }
            Err(_) => false,
        }
    }
}

/// Waits until there is a newer checkpoint and it may be published. False when the log was closed.
async fn grown(newest: &mut watch::Receiver<SignedCheckpoint>, from: Option<Instant>) -> bool {
    if let Some(from) = from {
        sleep_until(from).await;
    }
    newest.changed().await.is_ok()
}

/// Publishes a note; says whether it is final.
fn publish(biobank: &Arc<Biobank>, note: &SignedCheckpoint) -> Option<bool> {
    let federation = biobank.federation.as_ref()?;
    let is_final = federation.is_final(note);
    if let Err(error) = biobank.log.publish(note) {
        tracing::error!(%error, "a checkpoint could not be published");
        return None;
    }
    if !is_final {
        tracing::warn!(size = note.size, "published without its quorum: pending");
    }
    federation.figures.published(note.size, is_final);
    if is_final {
        // Of two nodes over one log the other may be ahead by now.
        federation.final_size.send_modify(|size| *size = note.size.max(*size));
    }
    Some(is_final)
}

impl Federation {
    /// The checkpoint with the log's second signature.
    fn sign_own(&self, checkpoint: &SignedCheckpoint) -> SignedCheckpoint {
        let time = u64::try_from(now().unix()).unwrap_or(1).max(1);
        // It fails for a time before 1970 or a note that is full: then the first signature has to do.
        let line = checkpoint.cosign(&self.cosigner, time);
        line.and_then(|line| checkpoint.with(line)).unwrap_or_else(|_| checkpoint.clone())
    }

    /// Whether a quorum has signed it.
    fn is_final(&self, note: &SignedCheckpoint) -> bool {
        self.policy.verify(note.note(), u64::try_from(now().unix()).ok()).is_ok()
    }

    /// Waits until a final checkpoint covers entry `index`.
    pub async fn wait_final(&self, index: u64) -> bool {
        self.final_size.subscribe().wait_for(|size| *size > index).await.is_ok()
    }

    /// Whether a final checkpoint covers entry `index`.
    pub fn covers(&self, index: u64) -> bool {
        *self.final_size.borrow() > index
    }
}
