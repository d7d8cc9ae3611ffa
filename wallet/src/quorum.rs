//! The other institutions of a biobank's consortium: each that signs a checkpoint has seen the same record.

use crate::event::Connection;
use bridge::{Code, Failure, QuorumView};
use consent::Timestamp;
use ledger::{PolicyError, Standing, TrustPolicy};
use std::collections::BTreeMap;

/// The policy that this profile holds its biobank to; none where the biobank is in no consortium.
pub fn policy(connection: &Connection) -> Result<Option<TrustPolicy>, Failure> {
    // It was read before it was stored, so a text that can not be read is a damaged journal.
    let read = |text: &String| TrustPolicy::parse(text.as_bytes()).map_err(|_| Failure::from(Code::Storage));
    connection.policy.as_ref().map(read).transpose()
}

/// What they did about a checkpoint whose log's signature was checked already.
pub fn view(policy: &TrustPolicy, note: &str, now: Timestamp) -> QuorumView {
    let (reached, votes) = match policy.verify(note, u64::try_from(now.unix()).ok()) {
        Ok(quorum) => (true, quorum.votes().to_vec()),
        Err(PolicyError::Pending(pending)) => (false, pending.votes),
        Err(_) => (false, Vec::new()),
    };
    // One institution can sign with several keys (`Name:algorithm`): it has signed when all of them have.
    let mut institutions = BTreeMap::new();
    for vote in &votes {
        let name = vote.witness.split(':').next().unwrap_or(&vote.witness);
        *institutions.entry(name).or_insert(true) &= matches!(vote.standing, Standing::Signed(_));
    }
    let names = |signed: bool| {
        institutions.iter().filter(|(_, all)| **all == signed).map(|(name, _)| (*name).to_owned()).collect()
    };
    QuorumView { reached, signed: names(true), missing: names(false) }
}
