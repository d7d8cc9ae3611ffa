//! One key of a log takes the place of another: what the log hands out about it, and how a reader who trusts the former
//! key comes to trust the new one.
//!
//! Both have to agree: the institution signs the entry that names the new key, and the former key signs the checkpoint
//! that covers that entry. Who holds one of the two keys alone can not lead a reader anywhere.

use crate::entry::{Entry, Event};
use crate::event::InstitutionEvent;
use crate::note::VerifierKey;
use crate::receipt::{Included, Receipt};
use identity::Did;
use serde::{Deserialize, Serialize};

/// What a log hands out about a change of its key. Nothing in it is believed before [`follow_key`] has checked it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Succession {
    /// The key until then.
    pub former: VerifierKey,
    /// The entry `log-key-change`.
    pub entry: String,
    /// Its receipt under the last checkpoint that the former key signed.
    pub receipt: String,
}

/// A change of a log's key that was checked. Only the check makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange {
    included: Included,
    next: VerifierKey,
}

impl KeyChange {
    /// The entry, its place, and the last checkpoint of the former key.
    pub fn included(&self) -> &Included {
        &self.included
    }

    /// The key from then on.
    pub fn next(&self) -> &VerifierKey {
        &self.next
    }
}

/// The changes that lead away from the key `trusted`, as far as they hold. What does not hold ends the way, so the last
/// one leads to the key of today only if all of them do.
pub fn follow_key(trusted: &VerifierKey, institution: &Did, told: &[Succession]) -> Vec<KeyChange> {
    let (mut changes, mut key) = (Vec::new(), trusted.clone());
    for succession in told {
        if succession.former != key {
            continue;
        }
        let Some(change) = check(succession, institution) else { break };
        key = change.next.clone();
        changes.push(change);
    }
    changes
}

fn check(told: &Succession, institution: &Did) -> Option<KeyChange> {
    let entry = Entry::parse(told.entry.as_bytes()).ok().filter(|entry| entry.signer() == institution)?;
    let Event::Institution(InstitutionEvent::LogKey(said)) = entry.said() else { return None };
    // One of another algorithm stands beside the log's key, and takes the place of none.
    let next: VerifierKey = said.vkey.to_string().parse().ok()?;
    if next.name() != told.former.name() || next == told.former {
        return None;
    }
    let included = Receipt::verify(&told.receipt, entry.bytes(), &told.former).ok()?;
    Some(KeyChange { included, next })
}
