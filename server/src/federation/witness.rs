//! The witness' side: signs what contains all that it has signed before, and keeps what convicts a log.

use super::{Federation, HostError, rows};
use ledger::{AddCheckpoint, Refusal, Witnessed};

impl Federation {
    /// Answers a request to witness a checkpoint. What is signed was stored before. Waits for the disk.
    pub fn witness(&self, body: &[u8], now: u64) -> Result<String, HostError> {
        let request = AddCheckpoint::parse(body).ok_or(Refusal::BadRequest)?;
        let log = self.log(request.origin()).ok_or(Refusal::UnknownLog)?;
        // Each turn of this loop means that somebody else was faster, so somebody always gets on.
        loop {
            let seen = rows::read::<Witnessed>(self.tables.as_ref(), rows::WITNESSED, log.origin())?;
            let stored = seen.value.as_ref();
            match self.witness.add_checkpoint(&request, &log.keys, stored, now) {
                Ok(update) => {
                    let tables = self.tables.as_ref();
                    if rows::replace(tables, rows::WITNESSED, log.origin(), &seen, &update.next)? {
                        self.figures.signed(log.origin(), update.next.size);
                        return Ok(update.body);
                    }
                }
                Err(refusal) => {
                    self.notice(log, &request, stored, &refusal);
                    return Err(refusal.into());
                }
            }
        }
    }

    /// The checkpoint that was witnessed last, with the signatures of its log and of this witness.
    pub fn witnessed(&self, origin_hash: &str) -> Result<Option<String>, HostError> {
        let Some(log) = self.log_by_hash(origin_hash) else { return Ok(None) };
        let seen = rows::read::<Witnessed>(self.tables.as_ref(), rows::WITNESSED, log.origin())?;
        Ok(seen.value.map(|stored| stored.note))
    }

    /// Keeps what a refusal says of the log, and tells the operator. Only what two signatures of the log show counts:
    /// the request can come from anybody, and an old checkpoint beside a wrong size says nothing of the log.
    pub(super) fn notice(
        &self,
        log: &super::KnownLog,
        request: &AddCheckpoint,
        stored: Option<&Witnessed>,
        refusal: &Refusal,
    ) {
        let origin = log.origin();
        let (Some(vkey), Some(stored)) = (log.vkey(), stored) else { return };
        match refusal {
            Refusal::Forked(fork) => {
                tracing::error!(origin, size = stored.size, "this log has signed two histories; evidence is kept");
                self.evidence.keep(vkey, &fork.held, &fork.shown, &fork.proof);
            }
            Refusal::Inconsistent => {
                tracing::warn!(origin, size = stored.size, "a checkpoint of this log does not contain the one before");
                self.evidence.keep(vkey, &stored.note, &request.checkpoint, &request.proof);
            }
            _ => {}
        }
    }
}
