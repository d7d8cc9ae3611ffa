//! A store behind a connection that breaks once, as a test plans it.

use ledger::{BundleId, EntryHash, Key, Record, SignedCheckpoint, TileId};
use server::log::{Embedded, Head, Store, StoreError, Tip, Turn, Write};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The connection breaks before the commit.
    BreaksBefore,
    /// The connection breaks after the commit: it happened.
    BreaksAfter,
    /// It breaks after the commit, and the store can not be reached for a while.
    StaysAway,
    /// Another writer took the turn.
    TurnLost,
    /// It breaks after the commit, as the checkpoint is to be shown.
    BreaksAtPublishing,
}

impl Trouble {
    pub const ALL: [Self; 5] =
        [Self::BreaksBefore, Self::BreaksAfter, Self::StaysAway, Self::TurnLost, Self::BreaksAtPublishing];
}

pub struct Flaky {
    inner: Embedded,
    plan: Mutex<Option<Trouble>>,
    /// How often the turn can still not be taken.
    away: Mutex<u32>,
}

impl Flaky {
    pub fn new(inner: Embedded) -> Arc<Self> {
        Arc::new(Self { inner, plan: Mutex::default(), away: Mutex::default() })
    }

    pub fn plan(&self, trouble: Trouble) {
        *self.plan.lock().unwrap() = Some(trouble);
    }

    pub fn is_over(&self) -> bool {
        self.plan.lock().unwrap().is_none() && *self.away.lock().unwrap() == 0
    }
}

fn broken<T>() -> Result<T, StoreError> {
    Err(StoreError::Interrupted("a test broke the connection".into()))
}

impl Store for Flaky {
    fn take_turn(&self) -> Result<Head, StoreError> {
        let mut away = self.away.lock().unwrap();
        if *away > 0 {
            *away -= 1;
            return broken();
        }
        self.inner.take_turn()
    }

    fn commit(&self, turn: Turn, write: &Write<'_>) -> Result<Turn, StoreError> {
        let trouble = self.plan.lock().unwrap().take_if(|trouble| *trouble != Trouble::BreaksAtPublishing);
        match trouble {
            None => self.inner.commit(turn, write),
            Some(Trouble::BreaksBefore) => broken(),
            Some(Trouble::TurnLost) => {
                self.inner.take_turn()?;
                let lost = self.inner.commit(turn, write);
                assert!(matches!(lost, Err(StoreError::NotYourTurn)));
                lost
            }
            Some(trouble) => {
                if trouble == Trouble::StaysAway {
                    *self.away.lock().unwrap() = 3;
                }
                self.inner.commit(turn, write)?;
                broken()
            }
        }
    }

    fn publish(&self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        if self.plan.lock().unwrap().take_if(|trouble| *trouble == Trouble::BreaksAtPublishing).is_some() {
            return broken();
        }
        self.inner.publish(checkpoint)
    }

    fn retire(&self) -> Result<(), StoreError> {
        self.inner.retire()
    }

    fn tip(&self) -> Result<Option<Tip>, StoreError> {
        self.inner.tip()
    }

    fn published(&self) -> Result<Option<String>, StoreError> {
        self.inner.published()
    }

    fn records(&self, keys: &[Key]) -> Result<BTreeMap<Key, Option<Record>>, StoreError> {
        self.inner.records(keys)
    }

    fn records_from(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError> {
        self.inner.records_from(prefix, after, limit)
    }

    fn indices(&self, hashes: &[EntryHash]) -> Result<HashMap<EntryHash, u64>, StoreError> {
        self.inner.indices(hashes)
    }

    fn count_indices(&self) -> Result<u64, StoreError> {
        self.inner.count_indices()
    }

    fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.tile(id)
    }

    fn bundle(&self, id: BundleId) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.bundle(id)
    }
}
