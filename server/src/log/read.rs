//! What is read from the log. All of it waits for the disk, but for the checkpoint.

use super::{LogStore, ReadError};
use crate::log::store::Tip;
use ledger::{
    BundleId, EntryHash, Hash, Key, ProveError, Receipt, Record, SignedCheckpoint, SubjectState, TILE_WIDTH, TileId,
    consistency_proof, inclusion_proof, verify_consistency, verify_inclusion,
};
use std::collections::BTreeMap;

impl LogStore {
    /// The published checkpoint, as its note.
    pub fn checkpoint(&self) -> String {
        self.shared.shown().note().to_owned()
    }

    /// The published checkpoint.
    pub fn signed_checkpoint(&self) -> SignedCheckpoint {
        self.shared.shown()
    }

    /// The published checkpoint, also if another process published it a moment ago: who reads from several must not see
    /// the log shrink. Waits for a store that others write to.
    pub fn newest_checkpoint(&self) -> Result<SignedCheckpoint, ReadError> {
        if self.shared.store.is_shared() {
            self.shared.look()?;
        }
        Ok(self.signed_checkpoint())
    }

    /// The published checkpoint, a newer one if the one that is known here is shorter than `size`.
    fn checkpoint_over(&self, size: u64) -> Result<SignedCheckpoint, ReadError> {
        let known = self.signed_checkpoint();
        if known.size >= size { Ok(known) } else { self.newest_checkpoint() }
    }

    /// The newest durable end of the log. It may be ahead of what is published.
    pub fn tip(&self) -> Result<Tip, ReadError> {
        // The log got its first checkpoint as it was opened.
        self.shared.store.tip()?.ok_or(ReadError::Damaged)
    }

    /// What the newest durable entries say of a subject. A withdrawal counts from the moment at which it is durable,
    /// so this may be ahead of the published checkpoint.
    pub fn subject(&self, commitment: &Hash) -> Result<Option<SubjectState>, ReadError> {
        match self.record(&Key::subject(commitment))? {
            Some(Record::Subject(subject)) => Ok(Some(subject)),
            _ => Ok(None),
        }
    }

    /// A record of the state after the newest durable entry.
    pub fn record(&self, key: &Key) -> Result<Option<Record>, ReadError> {
        Ok(self.records(std::slice::from_ref(key))?.remove(key).flatten())
    }

    /// Records of the state, all of one moment.
    pub fn records(&self, keys: &[Key]) -> Result<BTreeMap<Key, Option<Record>>, ReadError> {
        Ok(self.shared.store.records(keys)?)
    }

    /// Up to `limit` records whose keys begin with `prefix`, after the key `after`, sorted by key.
    pub fn records_from(
        &self,
        prefix: &str,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, ReadError> {
        Ok(self.shared.store.records_from(prefix, after, limit)?)
    }

    /// The number of an entry that is durable.
    pub fn index_of(&self, hash: &EntryHash) -> Result<Option<u64>, ReadError> {
        Ok(self.shared.store.indices(std::slice::from_ref(hash))?.remove(hash))
    }

    /// An entry by its number; none if the log is shorter, or the entry was pruned.
    pub fn entry(&self, index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.entries_from(index, 1)?.into_iter().next().filter(|(at, _)| *at == index).map(|(_, bytes)| bytes))
    }

    /// Up to `limit` durable entries from number `from` on. Fewer may come although there are more: ask again from
    /// behind the last.
    pub fn entries_from(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, ReadError> {
        let size = self.tip()?.turn.size;
        let from = from.max(self.shared.store.minimum()?);
        let Some(id) = BundleId::in_tree(from / TILE_WIDTH, size).filter(|_| from < size) else {
            return Ok(Vec::new());
        };
        let bytes = self.shared.store.bundle(id)?.ok_or(ReadError::Damaged)?;
        let entries = id.entries(&bytes).map_err(|_| ReadError::Damaged)?;
        let numbered = (id.index * TILE_WIDTH..).zip(entries).skip_while(|(index, _)| *index < from);
        Ok(numbered.take(limit).map(|(index, entry)| (index, entry.to_vec())).collect())
    }

    /// The tile or bundle at a path like `tile/0/000.p/7`; none if there is no such path below the checkpoint.
    pub fn read_tile(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        // Only paths that are read as an address get near the disk, and nothing beyond the checkpoint is shown.
        if let Ok(id) = BundleId::parse(path) {
            let end = id.index.saturating_mul(TILE_WIDTH).saturating_add(id.width.into());
            let size = self.checkpoint_over(end)?.size;
            let there = BundleId::in_tree(id.index, size).is_some_and(|there| there.width >= id.width);
            return if there { Ok(self.shared.store.bundle(id)?) } else { Ok(None) };
        }
        let Ok(id) = TileId::parse(path) else { return Ok(None) };
        let hashes = id.index.saturating_mul(TILE_WIDTH).saturating_add(id.width.into());
        let size = self.checkpoint_over(hashes.checked_shl(8 * u32::from(id.level)).unwrap_or(u64::MAX))?.size;
        let there = TileId::in_tree(id.level, id.index, size).is_some_and(|there| there.width >= id.width);
        if there { Ok(self.shared.store.tile(id)?) } else { Ok(None) }
    }

    /// The receipt of an entry (C2SP tlog-proof) under the published checkpoint; none if that does not cover it, or
    /// the entry was pruned. It is the newest one, also if another process published it: who has just seen that must
    /// not be handed a smaller one.
    pub fn receipt(&self, hash: &EntryHash) -> Result<Option<String>, ReadError> {
        let checkpoint = self.newest_checkpoint()?;
        let available = self.shared.store.minimum()?..checkpoint.size;
        let Some(index) = self.index_of(hash)?.filter(|index| available.contains(index)) else { return Ok(None) };
        let path = proof(inclusion_proof(index, checkpoint.size, |id| self.tile(id)))?;
        // What can not be shown must not be handed out either.
        verify_inclusion(index, checkpoint.size, hash.leaf(), &path, checkpoint.root)
            .map_err(|_| ReadError::Damaged)?;
        Ok(Some(Receipt { extra: None, index, path, checkpoint: checkpoint.note().to_owned() }.to_string()))
    }

    /// The hashes that show that the published log begins with its first `old_size` entries, which had `old_root`; the
    /// published checkpoint comes with them. None if the sizes or the roots do not fit.
    pub fn consistency(
        &self,
        old_size: u64,
        old_root: Hash,
    ) -> Result<Option<(SignedCheckpoint, Vec<Hash>)>, ReadError> {
        let checkpoint = self.checkpoint_over(old_size)?;
        if old_size == 0 || old_size > checkpoint.size {
            return Ok(None);
        }
        let path = self.consistency_path(old_size, checkpoint.size)?;
        let fits = verify_consistency(old_size, old_root, checkpoint.size, checkpoint.root, &path).is_ok();
        Ok(fits.then_some((checkpoint, path)))
    }

    /// The hashes that lead from one size of the log to a later one (RFC 6962, section 2.1.2).
    pub fn consistency_path(&self, old_size: u64, new_size: u64) -> Result<Vec<Hash>, ReadError> {
        proof(consistency_proof(old_size, new_size, |id| self.tile(id)))
    }

    fn tile(&self, id: TileId) -> Result<Vec<u8>, ReadError> {
        self.shared.store.tile(id)?.ok_or(ReadError::Damaged)
    }
}

fn proof(made: Result<Vec<Hash>, ProveError<ReadError>>) -> Result<Vec<Hash>, ReadError> {
    made.map_err(|error| match error {
        ProveError::Read(error) => error,
        _ => ReadError::Damaged,
    })
}
