//! Members compare what a log has shown to each of them, and what it shows now. A log that shows one history to one
//! witness and another to the next is found by neither of them alone.

use super::courier::{client, fetch};
use super::{Federation, HostError, KnownLog, copy, rows};
use crate::biobank::Biobank;
use ledger::{Checkpoint, Witnessed, consistency_proof, origin_hash, root_from_tiles};
use std::collections::HashMap;
use std::io;
use std::sync::Weak;
use std::time::Duration;
use url::Url;

/// How often the others are asked.
const EVERY: Duration = Duration::from_secs(10);

/// What is asked in a round: whose checkpoint of which log.
struct Question {
    address: Url,
    path: String,
    origin: String,
    /// Whether the log itself is asked.
    own: bool,
}

/// Compares until the service ends.
pub async fn run(biobank: Weak<Biobank>) {
    let Ok(http) = client() else { return };
    // What was witnessed of each log by the end of the last round. By the next one the log itself has shown it, because
    // it waits for its witnesses two seconds at most.
    let mut shown = HashMap::new();
    loop {
        let Some(questions) = biobank.upgrade().and_then(|open| open.federation.as_ref().map(questions)) else {
            return;
        };
        for Question { address, path, origin, own } in questions {
            // Who is down, or does not know the log, is asked again in the next round.
            let Ok(note) = fetch(&http, &address, &path).await else { continue };
            let Some(open) = biobank.upgrade() else { return };
            let before = shown.get(&origin).copied().filter(|_| own);
            let compared = move || match &open.federation {
                Some(federation) => federation.compare(&origin, &note, before),
                None => Ok(()),
            };
            if let Ok(Err(error)) = tokio::task::spawn_blocking(compared).await {
                tracing::error!(%error, "two views of a log could not be compared");
            }
        }
        let Some(open) = biobank.upgrade() else { return };
        let sizes = move || open.federation.as_ref().map(Federation::witnessed_sizes).unwrap_or_default();
        shown = tokio::task::spawn_blocking(sizes).await.unwrap_or_default();
        tokio::time::sleep(EVERY).await;
    }
}

fn questions(federation: &Federation) -> Vec<Question> {
    let mut all = Vec::new();
    for log in &federation.peers.logs {
        let origin = log.origin().to_owned();
        if let Some(address) = log.address.clone() {
            all.push(Question { address, path: "checkpoint".into(), origin: origin.clone(), own: true });
        }
        for peer in &federation.peers.witnesses {
            let path = format!("{}/checkpoint", origin_hash(&origin));
            all.push(Question { address: peer.address.clone(), path, origin: origin.clone(), own: false });
        }
    }
    all
}

impl Federation {
    /// Compares a checkpoint that another member has seen, or that the log itself shows, with what is known here. One
    /// that is ahead of what is known here waits until this member has caught up. The log itself has shown so many
    /// entries `before`.
    fn compare(&self, origin: &str, note: &str, before: Option<u64>) -> Result<(), HostError> {
        let Some(log) = self.log(origin) else { return Ok(()) };
        // What the log has not signed is the other member's own word, and convicts nobody.
        let (Some(vkey), Ok(seen)) = (log.vkey(), Checkpoint::open_of_log(note, &log.keys)) else { return Ok(()) };
        if let Some(held) = before.filter(|before| seen.size < *before) {
            tracing::warn!(origin, shown = seen.size, held, "this log shows less than it did: it went back");
            self.figures.went_back(origin);
        }
        let witnessed = rows::read::<Witnessed>(self.tables.as_ref(), rows::WITNESSED, origin)?.value;
        let other = witnessed.filter(|held| held.size == seen.size && held.root != seen.root);
        if let Some(held) = other {
            tracing::error!(
                origin,
                size = seen.size,
                "this log shows another tree to another member; evidence is kept"
            );
            self.evidence.keep(vkey, &held.note, seen.note(), &[]);
            return Ok(());
        }
        // With the entries at hand every size that is not beyond them can be compared.
        let (_, state) = self.mirror_row(origin)?;
        let Some(latest) = state.latest.filter(|latest| seen.size > 0 && seen.size <= latest.size) else {
            return Ok(());
        };
        let dir = self.copy_dir(origin);
        let read = |id| copy::tile(&dir, id, state.next)?.ok_or_else(copy::missing);
        if root_from_tiles(seen.size, read).map_err(io::Error::other)? == seen.root {
            return Ok(());
        }
        let proof = match seen.size {
            size if size == latest.size => Vec::new(),
            size => consistency_proof(size, latest.size, read).map_err(io::Error::other)?,
        };
        tracing::error!(origin, size = seen.size, "this log shows another past to another member; evidence is kept");
        self.evidence.keep(vkey, seen.note(), &latest.note, &proof);
        Ok(())
    }
    /// How many entries each log had when it was last witnessed here.
    fn witnessed_sizes(&self) -> HashMap<String, u64> {
        let size = |log: &KnownLog| {
            let seen = rows::read::<Witnessed>(self.tables.as_ref(), rows::WITNESSED, log.origin()).ok()?;
            Some((log.origin().to_owned(), seen.value?.size))
        };
        self.peers.logs.iter().filter_map(size).collect()
    }
}
