//! One key takes the place of another: that of a log, or that by which its institution speaks. What the log hands out
//! about it, and how a reader who trusts the former key comes to trust the new one.
//!
//! Both keys have to agree each time: the institution signs the entry that names the new key, and the key of the log
//! signs a checkpoint that covers it. Who holds one of the two alone can not lead a reader anywhere.

use crate::entry::{Entry, Event};
use crate::event::InstitutionEvent;
use crate::note::VerifierKey;
use crate::receipt::{Included, Receipt};
use identity::Did;
use serde::{Deserialize, Serialize};

/// Who is believed about a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The key that signs its checkpoints.
    pub log: VerifierKey,
    /// The key by which the institution speaks.
    pub institution: Did,
}

/// What a log hands out about a change of one of its keys, in the order of the changes. Nothing in it is believed before
/// [`follow`] has checked it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Succession {
    /// The key of the log until then.
    pub key: VerifierKey,
    /// The entry, `log-key-change` or `institution-key`.
    pub entry: String,
    /// Its receipt under a checkpoint that this key signed. Where the log's key changes it is the last one.
    pub receipt: String,
}

/// The key that counts from a change on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Of the log.
    Log(VerifierKey),
    /// Of the institution.
    Institution(Did),
}

/// A change of a key that was checked. Only the check makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange {
    included: Included,
    next: Next,
}

impl KeyChange {
    /// The entry, its place, and the checkpoint that covers it.
    pub fn included(&self) -> &Included {
        &self.included
    }

    /// The key from then on.
    pub fn next(&self) -> &Next {
        &self.next
    }
}

impl Keys {
    /// Goes over to the key of a change.
    pub fn go_over(&mut self, change: &KeyChange) {
        match &change.next {
            Next::Log(key) => self.log = key.clone(),
            Next::Institution(did) => self.institution = did.clone(),
        }
    }
}

/// The changes that lead away from the keys that are trusted, as far as they hold. What does not hold ends the way, so
/// the last one leads to the keys of today only if all of them do.
pub fn follow(trusted: &Keys, told: &[Succession]) -> Vec<KeyChange> {
    let (mut changes, mut keys) = (Vec::new(), trusted.clone());
    for succession in told {
        // Each pair of keys is left once: what others left is not for whoever stands here.
        let Ok(entry) = Entry::parse(succession.entry.as_bytes()) else { continue };
        if succession.key != keys.log || *entry.signer() != keys.institution {
            continue;
        }
        let Some(change) = check(succession, &entry) else { break };
        keys.go_over(&change);
        changes.push(change);
    }
    changes
}

/// That the holder of a new key of the institution agrees was checked as the entry was read.
fn check(told: &Succession, entry: &Entry) -> Option<KeyChange> {
    let next = match entry.said() {
        // One of another algorithm stands beside the log's key, and takes the place of none.
        Event::Institution(InstitutionEvent::LogKey(said)) => Next::Log(said.vkey.to_string().parse().ok()?),
        Event::Institution(InstitutionEvent::InstitutionKey(said)) => Next::Institution(said.key.clone()),
        _ => return None,
    };
    if matches!(&next, Next::Log(next) if next.name() != told.key.name() || *next == told.key) {
        return None;
    }
    let included = Receipt::verify(&told.receipt, entry.bytes(), &told.key).ok()?;
    Some(KeyChange { included, next })
}
