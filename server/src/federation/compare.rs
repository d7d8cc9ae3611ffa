//! Members compare what a log has shown to each of them. A log that shows one history to one witness and another to the
//! next is found by neither of them alone.

use super::courier::{client, fetch};
use super::{Federation, HostError, copy, rows};
use crate::biobank::Biobank;
use ledger::{Checkpoint, Witnessed, consistency_proof, origin_hash, root_from_tiles};
use std::io;
use std::sync::Weak;
use std::time::Duration;

/// How often the others are asked.
const EVERY: Duration = Duration::from_secs(10);

/// Compares until the service ends.
pub async fn run(biobank: Weak<Biobank>) {
    let Ok(http) = client() else { return };
    loop {
        let Some(open) = biobank.upgrade() else { return };
        let Some(federation) = &open.federation else { return };
        let mut questions = Vec::new();
        for peer in &federation.peers.witnesses {
            for log in &federation.peers.logs {
                let path = format!("{}/checkpoint", origin_hash(log.origin()));
                questions.push((peer.address.clone(), path, log.origin().to_owned()));
            }
        }
        drop(open);
        for (address, path, origin) in questions {
            // Who is down, or does not know the log, is asked again in the next round.
            let Ok(note) = fetch(&http, &address, &path).await else { continue };
            let Some(open) = biobank.upgrade() else { return };
            let compared = move || match &open.federation {
                Some(federation) => federation.compare(&origin, &note),
                None => Ok(()),
            };
            if let Ok(Err(error)) = tokio::task::spawn_blocking(compared).await {
                tracing::error!(%error, "two members' views of a log could not be compared");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

impl Federation {
    /// Compares a checkpoint that another member has seen with what is known here. One that is ahead of what is known
    /// here waits until this member has caught up.
    fn compare(&self, origin: &str, note: &str) -> Result<(), HostError> {
        let Some(log) = self.log(origin) else { return Ok(()) };
        // What the log has not signed is the other member's own word, and convicts nobody.
        let (Some(vkey), Ok(seen)) = (log.vkey(), Checkpoint::open_with(note, &log.keys)) else { return Ok(()) };
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
}
