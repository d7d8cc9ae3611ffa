//! What the desk forgets with time, each day and at each start: the credentials of consents that are over, and letters
//! that waited too long. Most of them go as something else happens; here go those at which nobody called.

use crate::biobank::Biobank;
use crate::clock::now;
use crate::desk::{Desk, DeskError, Letter, MAILBOX, MAILBOX_AGE, PAGE, each_row};
use crate::log::ReadError;
use consent::{ConsentState, Timestamp};
use ledger::{Key, Record};
use std::sync::Weak;
use std::time::Duration;

/// How often the clock is looked at for midnight; it can be set.
const LOOK: Duration = Duration::from_secs(30);
/// How long until the desk is tried again after it failed.
const REST: Duration = Duration::from_secs(600);

/// Why not everything was forgotten that should be.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Desk(#[from] DeskError),
    #[error(transparent)]
    Log(#[from] ReadError),
}

/// Sweeps now and each day (UTC), as long as the service is there.
pub(crate) async fn daily(biobank: Weak<Biobank>) {
    let Some(mut closing) = biobank.upgrade().map(|open| open.closing.subscribe()) else { return };
    let mut swept = None;
    loop {
        let today = now().date();
        let mut rest = LOOK;
        if swept != Some(today) {
            let Some(open) = biobank.upgrade() else { return };
            match tokio::task::spawn_blocking(move || sweep(&open)).await {
                Ok(Ok(())) => swept = Some(today),
                Ok(Err(error)) => {
                    tracing::error!(%error, "not everything was forgotten whose time is over");
                    rest = REST;
                }
                Err(_) => return,
            }
        }
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            _ = closing.changed() => return,
        }
    }
}

/// Whether a consent allows no use any more and never will again. After a pause it can.
pub(crate) fn is_over(state: ConsentState) -> bool {
    use ConsentState::{DestroySample, Expired, Invalidated, Revoked, Withdrawn};
    matches!(state, Expired | Withdrawn | DestroySample | Revoked | Invalidated)
}

/// Forgets what is over as of now. Waits for the disk.
fn sweep(biobank: &Biobank) -> Result<(), SweepError> {
    let time = now();
    let letters = biobank.desk.forget_letters(time)?;
    let (mut credentials, mut after) = (0_u64, String::new());
    loop {
        let page = biobank.desk.held_policies(&after)?;
        let Some((last, _, _)) = page.last() else { break };
        after = format!("{last}\0");
        let keys: Vec<Key> = page.iter().map(|(_, subject, _)| Key::subject(subject)).collect();
        let mut states = biobank.log.records(&keys)?;
        for ((_, subject, entry), key) in page.into_iter().zip(&keys) {
            // What the log has never heard of was not handed over by anybody.
            let Some(Record::Subject(state)) = states.remove(key).flatten() else { continue };
            // Another version took its place, or the one in force is over.
            if state.grant.entry != entry || is_over(state.state_at(time.date())) {
                credentials += u64::from(biobank.desk.forget_credential_of(&subject, &entry)?);
            }
        }
    }
    if letters > 0 || credentials > 0 {
        tracing::info!(letters, credentials, "forgotten, because their time is over");
    }
    Ok(())
}

impl Desk {
    /// Forgets the letters that waited too long, and says how many there were.
    fn forget_letters(&self, now: Timestamp) -> Result<u64, DeskError> {
        let mut too_old = Vec::new();
        each_row(
            &(String::new(), None),
            |span| self.tables().range(MAILBOX, span, PAGE),
            |key, bytes| {
                let letter: Letter = serde_json::from_slice(&bytes)?;
                if letter.at.plus_seconds(MAILBOX_AGE) <= now {
                    too_old.push(key);
                }
                Ok(true)
            },
        )?;
        for some in too_old.chunks(PAGE) {
            self.change(|rows| some.iter().try_for_each(|key| Ok(rows.remove(MAILBOX, key)?)))?;
        }
        Ok(too_old.len() as u64)
    }
}
