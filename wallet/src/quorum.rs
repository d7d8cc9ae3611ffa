//! The other institutions of a biobank's consortium: each that signs a checkpoint has seen the same record.

use crate::event::Connection;
use bridge::{Code, Failure, QuorumView};
use consent::Timestamp;
use ledger::{PolicyError, Standing, TrustPolicy};
use std::collections::BTreeMap;

/// What ends the names of one institution's keys in a policy that `biobankd join` wrote. A name may hold colons itself.
const ALGORITHMS: [&str; 2] = [":ed25519", ":ml-dsa-44"];

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
    // One institution can sign with several keys: it has signed when all of them have.
    let mut institutions = BTreeMap::new();
    for vote in &votes {
        *institutions.entry(institution(&vote.witness)).or_insert(true) &= matches!(vote.standing, Standing::Signed(_));
    }
    let names = |signed: bool| {
        institutions.iter().filter(|(_, all)| **all == signed).map(|(name, _)| (*name).to_owned()).collect()
    };
    QuorumView { reached, signed: names(true), missing: names(false) }
}

/// Whose key it is.
fn institution(witness: &str) -> &str {
    ALGORITHMS.iter().find_map(|algorithm| witness.strip_suffix(algorithm)).unwrap_or(witness)
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::SigningKey;
    use ledger::{Checkpoint, Cosigner, Hash, NoteKey};

    #[test]
    fn an_institution_is_its_whole_name_and_has_signed_when_each_of_its_keys_has() {
        let key = NoteKey::new("biobank.example/log", SigningKey::from_seed([5; 32])).unwrap();
        let cosigner = |number: u8| {
            Cosigner::ed25519(&format!("w{number}.example"), SigningKey::from_seed([100 + number; 32])).unwrap()
        };
        let mut policy = format!("log {}\n", key.verifier());
        let names = ["Uni:A:ed25519", "Uni:A:ml-dsa-44", "Uni:B:ed25519", "Uni:B:ml-dsa-44", "Uni:C"];
        for (name, number) in names.iter().zip(1..) {
            policy.push_str(&format!("witness {name} {}\n", cosigner(number).key()));
        }
        policy.push_str(&format!("group all 2 {}\nquorum all\n", names.join(" ")));
        let policy = TrustPolicy::parse(policy.as_bytes()).unwrap();
        let origin = "biobank.example/log".to_owned();
        let mut note = Checkpoint { origin, size: 0, root: Hash::empty_root() }.sign(&key).unwrap();
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let time = u64::try_from(now.unix()).unwrap();
        for number in [1, 2, 3] {
            note = note.with(note.cosign(&cosigner(number), time).unwrap()).unwrap();
        }
        let seen = view(&policy, note.note(), now);
        assert!(seen.reached);
        assert_eq!((seen.signed, seen.missing), (vec!["Uni:A".to_owned()], vec!["Uni:B".into(), "Uni:C".into()]));
    }
}
