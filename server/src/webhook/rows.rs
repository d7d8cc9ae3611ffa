//! What the desk keeps of webhooks: where each one stands in the log, and what could not be delivered.
//!
//! There is no queue to lose: the log is the queue. A hook remembers the number of the entry that comes next, and
//! everything behind it is still to be delivered.

use crate::desk::{Desk, DeskError, PAGE, each_row, read, write};
use crate::tables::Table;
use consent::{StudyId, Timestamp};
use ledger::EntryHash;
use serde::{Deserialize, Serialize};

/// Id -> `Hook`.
const HOOKS: Table = Table("webhooks");
/// `<id>\n<index>` -> `DeadLetter`.
const DEAD: Table = Table("webhook-dead-letters");
/// Id -> `Lease`, where several nodes share the desk.
const LEASES: Table = Table("webhook-leases");
/// How long a node has a hook to itself, in seconds: longer than any delivery takes.
pub(crate) const LEASE: i64 = 60;
/// How many hooks there may be.
const MAX_HOOKS: usize = 64;
/// How many dead letters of one hook are kept; of more, the oldest go, and are counted.
const MAX_DEAD: usize = 1_000;

/// A data holder's address, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hook {
    /// Where to deliver.
    pub url: String,
    /// The kinds of entries to tell of, as in `consent-withdraw`.
    pub events: Vec<String>,
    /// The one study to tell of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study: Option<StudyId>,
    /// When it was registered.
    pub created: Timestamp,
    /// The first entry that was neither delivered nor passed over.
    pub next: u64,
    /// How often that one was tried.
    #[serde(default)]
    pub attempts: u32,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The last entry that arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<u64>,
    /// How many dead letters had to make room for newer ones, and how many entries were pruned before the hook could be
    /// told of them, wanted or not: nobody sees which these were.
    #[serde(default)]
    pub dropped: u64,
}

/// An entry that a hook was not told of, although it was tried for long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The entry's number.
    pub index: u64,
    /// The entry.
    pub hash: EntryHash,
    /// Its kind.
    pub event: String,
    /// What went wrong last.
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was given up.
    pub at: Timestamp,
    /// Whether somebody asked for one more try.
    #[serde(default)]
    pub again: bool,
}

/// The node that delivers for a hook.
#[derive(Serialize, Deserialize)]
struct Lease {
    holder: String,
    until: Timestamp,
}

fn dead_key(id: &str, index: u64) -> String {
    format!("{id}\n{index:020}")
}

/// The keys of one hook's dead letters: an id is hexadecimal, and `\u{b}` follows the line break.
fn dead_of(id: &str) -> (String, Option<String>) {
    (format!("{id}\n"), Some(format!("{id}\u{b}")))
}

impl Desk {
    /// Registers a hook; false if there are too many.
    pub fn add_hook(&self, id: &str, hook: &Hook) -> Result<bool, DeskError> {
        self.change(|rows| {
            let there = rows.range(HOOKS, ("", None), MAX_HOOKS)?;
            if there.len() >= MAX_HOOKS && there.iter().all(|(before, _)| before != id) {
                return Ok(false);
            }
            write(rows, HOOKS, id, hook)?;
            Ok(true)
        })
    }

    /// All hooks.
    pub fn hooks(&self) -> Result<Vec<(String, Hook)>, DeskError> {
        self.all(HOOKS)
    }

    /// A hook.
    pub fn hook(&self, id: &str) -> Result<Option<Hook>, DeskError> {
        self.get(HOOKS, id)
    }

    /// Whether this node delivers for a hook for the next while. One node at a time does, so that the order holds.
    pub fn lease_hook(&self, id: &str, node: &str, now: Timestamp) -> Result<bool, DeskError> {
        let lease = Lease { holder: node.to_owned(), until: now.plus_seconds(LEASE) };
        self.change(|rows| match read::<Lease>(rows, LEASES, id)? {
            // A lease from a clock far ahead does not keep everybody out for long.
            Some(other) if other.holder != node && other.until > now && other.until <= lease.until => Ok(false),
            _ => write(rows, LEASES, id, &lease).map(|()| true),
        })
    }

    /// Changes a hook if it still stands where `before` stood; false if it does not, or is gone.
    pub fn move_hook(&self, id: &str, before: &Hook, after: &Hook) -> Result<bool, DeskError> {
        self.change(|rows| match read::<Hook>(rows, HOOKS, id)? {
            Some(now) if now == *after => Ok(true),
            Some(now) if now == *before => write(rows, HOOKS, id, after).map(|()| true),
            _ => Ok(false),
        })
    }

    /// Gives an entry up: the hook goes on behind it.
    pub fn bury(&self, id: &str, before: &Hook, after: &Hook, letter: &DeadLetter) -> Result<bool, DeskError> {
        self.change(|rows| {
            let mut hook = match read::<Hook>(rows, HOOKS, id)? {
                Some(now) if Hook { dropped: after.dropped, ..now.clone() } == *after => return Ok(true),
                Some(now) if now == *before => after.clone(),
                _ => return Ok(false),
            };
            let (from, to) = dead_of(id);
            let there = rows.range(DEAD, (&from, to.as_deref()), MAX_DEAD)?;
            if let Some((oldest, _)) = there.first().filter(|_| there.len() >= MAX_DEAD) {
                rows.remove(DEAD, oldest)?;
                hook.dropped = hook.dropped.saturating_add(1);
                tracing::error!(hook = id, dropped = hook.dropped, "too many dead letters: the oldest is gone");
            }
            write(rows, DEAD, &dead_key(id, letter.index), letter)?;
            write(rows, HOOKS, id, &hook)?;
            Ok(true)
        })
    }

    /// Puts letters there at once, as many failures would.
    #[cfg(test)]
    pub(crate) fn fill_with_dead(
        &self,
        id: &str,
        letters: impl Iterator<Item = DeadLetter> + Clone,
    ) -> Result<(), DeskError> {
        self.change(|rows| {
            letters.clone().try_for_each(|letter| write(rows, DEAD, &dead_key(id, letter.index), &letter))
        })
    }

    /// The dead letters of a hook, oldest entry first.
    pub fn dead_letters(&self, id: &str) -> Result<Vec<DeadLetter>, DeskError> {
        let mut letters = Vec::new();
        each_row(
            &dead_of(id),
            |span| self.tables().range(DEAD, span, PAGE),
            |_, bytes| {
                letters.push(serde_json::from_slice(&bytes)?);
                Ok(true)
            },
        )?;
        Ok(letters)
    }

    /// Writes what became of a dead letter that was tried again; without a letter it arrived.
    pub fn settle(&self, id: &str, index: u64, letter: Option<&DeadLetter>) -> Result<(), DeskError> {
        let key = dead_key(id, index);
        self.change(|rows| match letter {
            // A hook that was deleted meanwhile leaves nothing behind.
            Some(letter) if rows.get(DEAD, &key)?.is_some() => write(rows, DEAD, &key, letter),
            Some(_) => Ok(()),
            None => Ok(rows.remove(DEAD, &key)?),
        })
    }

    /// Asks for one more try: of what waits at once, and of every dead letter. False if there is no such hook.
    pub fn retry_hook(&self, id: &str) -> Result<bool, DeskError> {
        self.change(|rows| {
            let Some(hook) = read::<Hook>(rows, HOOKS, id)? else { return Ok(false) };
            write(rows, HOOKS, id, &Hook { attempts: 0, retry_at: None, ..hook })?;
            let mut again = Vec::new();
            each_row(
                &dead_of(id),
                |span| rows.range(DEAD, span, PAGE),
                |key, bytes| {
                    again.push((key, DeadLetter { again: true, ..serde_json::from_slice(&bytes)? }));
                    Ok(true)
                },
            )?;
            for (key, letter) in again {
                write(rows, DEAD, &key, &letter)?;
            }
            Ok(true)
        })
    }

    /// Forgets a hook and its dead letters; false if there is none.
    pub fn remove_hook(&self, id: &str) -> Result<bool, DeskError> {
        self.change(|rows| {
            let there = rows.get(HOOKS, id)?.is_some();
            rows.remove(HOOKS, id)?;
            rows.remove(LEASES, id)?;
            let mut dead = Vec::new();
            each_row(
                &dead_of(id),
                |span| rows.range(DEAD, span, PAGE),
                |key, _| {
                    dead.push(key);
                    Ok(true)
                },
            )?;
            for key in dead {
                rows.remove(DEAD, &key)?;
            }
            Ok(there)
        })
    }
}
