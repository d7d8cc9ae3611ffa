//! The log in PostgreSQL, for several nodes in front of one database.
//!
//! One row holds the head of the log. Whoever writes names the size and the epoch that it had, and only one of two that
//! do so at once changes the row: the other one has lost the turn. That row, the entries, their records and tiles
//! change in one statement, so a batch is there wholly or not at all.

use super::embedded::Views;
use super::store::{Head, Store, StoreError, Tip, Turn, Write};
use crate::postgres::{Database, DatabaseError, Session};
use ledger::{
    BundleId, Checkpoint, EntryHash, Hash, Key, Record, SignedCheckpoint, TILE_WIDTH, TileEdge, TileId, VerifierKey,
    append_to_bundle, empty_state_hash,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_postgres::Row as SqlRow;
use tokio_postgres::types::ToSql;

const TAKE_TURN: &str =
    "UPDATE log_head SET epoch = epoch + 1 WHERE one RETURNING size, epoch, state, checkpoint, moved";
const TIP: &str = "SELECT size, epoch, state, checkpoint, moved FROM log_head";
/// Who was about to write has lost the turn, and gets no other.
const RETIRE: &str = "UPDATE log_head SET moved = true, epoch = epoch + 1 WHERE one";
/// The other parts look at what the first one changed: nothing, if the turn is another's.
const COMMIT: &str = "WITH turn AS ( \
        UPDATE log_head SET size = $3, state = $4, checkpoint = $5 WHERE one AND size = $1 AND epoch = $2 RETURNING 1 \
    ), entries AS ( \
        INSERT INTO log_entries (number, hash, bytes) \
        SELECT $1 + place - 1, hash, bytes \
        FROM unnest($6::bytea[], $7::bytea[]) WITH ORDINALITY AS new (hash, bytes, place) \
        WHERE EXISTS (SELECT FROM turn) \
    ), records AS ( \
        INSERT INTO log_records (key, value) \
        SELECT key, value FROM unnest($8::text[], $9::bytea[]) AS new (key, value) WHERE EXISTS (SELECT FROM turn) \
        ON CONFLICT (key) DO UPDATE SET value = excluded.value \
    ), tiles AS ( \
        INSERT INTO log_tiles (level, number, root, hashes) \
        SELECT level, number, root, hashes \
        FROM unnest($10::smallint[], $11::bigint[], $12::bytea[], $13::bytea[]) AS new (level, number, root, hashes) \
        WHERE EXISTS (SELECT FROM turn) \
    ) SELECT count(*) FROM turn";
/// A checkpoint of the same size as one that is known must have its root, which is the third line. Of two of one size
/// the one with more signatures stays: a node that could collect none, or fewer, does not take them away.
const PUBLISH: &str = "UPDATE log_head SET published = $1, published_size = $2 WHERE one \
    AND (size > $2 OR size = $2 AND split_part(checkpoint, E'\\n', 3) = split_part($1, E'\\n', 3)) \
    AND (published_size < $2 \
        OR published_size = $2 AND length(published) <= length($1) \
            AND split_part(published, E'\\n', 3) = split_part($1, E'\\n', 3))";
const PUBLISHED: &str = "SELECT published FROM log_head";
const SHOWN: &str = "SELECT published_size, split_part(published, E'\\n', 3) FROM log_head";
const RECORDS: &str = "SELECT key, value FROM log_records WHERE key = ANY($1)";
const RECORDS_FROM: &str =
    "SELECT key, value FROM log_records WHERE key >= $1 AND key < $2 AND key > $3 ORDER BY key LIMIT $4";
const INDICES: &str = "SELECT hash, number FROM log_entries WHERE hash = ANY($1)";
const COUNT: &str = "SELECT count(*) FROM log_entries";
const FULL_TILE: &str = "SELECT hashes FROM log_tiles WHERE level = $1 AND number = $2";
const ROOTS: &str = "SELECT root FROM log_tiles WHERE level = $1 AND number >= $2 AND number < $3 ORDER BY number";
const LEAVES: &str = "SELECT hash FROM log_entries WHERE number >= $1 AND number < $2 ORDER BY number";
const ENTRIES: &str = "SELECT bytes FROM log_entries WHERE number >= $1 AND number < $2 ORDER BY number";

/// Nobody writes from here to the end of the transaction, and who was about to has lost the turn.
const HOLD: &str = "UPDATE log_head SET state = $1, epoch = epoch + 1 WHERE one AND size = $2";
const FORGET_RECORDS: &str = "DELETE FROM log_records";
const PUT_RECORDS: &str =
    "INSERT INTO log_records (key, value) SELECT key, value FROM unnest($1::text[], $2::bytea[]) AS new (key, value)";
/// Records that are put there at once.
const REPLACED: usize = 1000;

/// Full tiles that are kept in memory, 8 KiB each; they never change.
const TILES_KEPT: usize = 1024;

/// The log in a database.
pub struct Postgres {
    database: Arc<Database>,
    key: VerifierKey,
    /// The last checkpoint that was read, so that its signature is not checked each time.
    last: Mutex<Option<SignedCheckpoint>>,
    tiles: Mutex<HashMap<TileId, Vec<u8>>>,
    /// Whether this process has raised the epoch.
    began: AtomicBool,
}

impl Postgres {
    /// The log that this key signs.
    pub fn new(database: Arc<Database>, key: VerifierKey) -> Self {
        let (last, tiles, began) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        Self { database, key, last, tiles, began }
    }

    fn query(&self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<SqlRow>, StoreError> {
        self.database.read(async |session| rows(session, sql, values).await).map_err(failed)
    }

    /// Puts these records in the place of those that are stored, if the log has this size.
    pub(super) fn replace_records(&self, size: u64, state: &Hash, views: &Views) -> Result<(), StoreError> {
        let (seen, size, unread) = (views.read()?, sql_number(size)?, RefCell::new(None));
        let done = self.database.write(async |session| {
            let client = session.client();
            client.batch_execute("BEGIN").await?;
            if client.execute(HOLD, &[&state.as_bytes().as_slice(), &size]).await? != 1 {
                client.batch_execute("ROLLBACK").await?;
                return Ok(false);
            }
            client.batch_execute(FORGET_RECORDS).await?;
            let mut after: Option<Key> = None;
            loop {
                let page = match seen.records_from("", after.as_ref(), REPLACED) {
                    Ok(page) => page,
                    Err(error) => {
                        unread.replace(Some(error));
                        break;
                    }
                };
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
                let keys: Vec<&str> = page.iter().map(|(key, _)| key.as_str()).collect();
                let values: Vec<Vec<u8>> = page.iter().map(|(_, record)| record.to_bytes()).collect();
                client.execute(PUT_RECORDS, &[&keys, &values]).await?;
            }
            client.batch_execute(if unread.borrow().is_none() { "COMMIT" } else { "ROLLBACK" }).await?;
            Ok(true)
        });
        match (done.map_err(failed)?, unread.into_inner()) {
            (_, Some(error)) => Err(error),
            (true, None) => Ok(()),
            (false, None) => Err(StoreError::NotYourTurn),
        }
    }

    fn open_checkpoint(&self, note: &str) -> Result<SignedCheckpoint, StoreError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(checkpoint) = last.as_ref().filter(|checkpoint| checkpoint.note() == note) {
            return Ok(checkpoint.clone());
        }
        let checkpoint = Checkpoint::open(note, &self.key)
            .map_err(|error| StoreError::Damaged(format!("the checkpoint: {error}")))?;
        *last = Some(checkpoint.clone());
        Ok(checkpoint)
    }

    fn read_tip(&self, row: &SqlRow) -> Result<(Turn, Option<Tip>), StoreError> {
        let turn = Turn { size: number(column(row, 0)?)?, epoch: number(column(row, 1)?)? };
        let (state, note): (Option<Vec<u8>>, Option<String>) = (column(row, 2)?, column(row, 3)?);
        let (Some(state), Some(note)) = (state, note) else {
            return if turn.size == 0 { Ok((turn, None)) } else { Err(damaged("the head lacks its checkpoint")) };
        };
        let (checkpoint, state) = (self.open_checkpoint(&note)?, hash(&state)?);
        if checkpoint.size != turn.size {
            return Err(damaged("the checkpoint has another size than the log"));
        }
        Ok((turn, Some(Tip { turn, checkpoint, state })))
    }

    /// A full tile as it was stored.
    fn full_tile(&self, id: TileId) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(bytes) = self.tiles.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Some(bytes.clone()));
        }
        let found = self.query(FULL_TILE, &[&i16::from(id.level), &sql_number(id.index)?])?;
        let Some(row) = found.first() else { return Ok(None) };
        let bytes: Vec<u8> = column(row, 0)?;
        id.hashes(&bytes).map_err(|_| damaged(&id.path()))?;
        let mut kept = self.tiles.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= TILES_KEPT {
            // Those that are wanted come back with the next question.
            kept.clear();
        }
        kept.insert(id, bytes.clone());
        Ok(Some(bytes))
    }
}

async fn rows(
    session: &mut Session,
    sql: &'static str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<SqlRow>, tokio_postgres::Error> {
    let statement = session.prepare(sql).await?;
    session.client().query(&statement, values).await
}

impl Store for Postgres {
    /// The epoch goes up once a process, so that a batch from before its start can not come after it. From then on the
    /// nodes share the epoch and the size decides: of those who write at once one always succeeds. If each who lost
    /// raised the epoch, they could take the turn from one another for ever and nobody would write.
    fn take_turn(&self) -> Result<Head, StoreError> {
        let taken = if self.began.load(Ordering::Acquire) {
            self.query(TIP, &[])?
        } else {
            let taken = self.database.write(async |session| rows(session, TAKE_TURN, &[]).await).map_err(failed)?;
            self.began.store(true, Ordering::Release);
            taken
        };
        let row = taken.first().ok_or_else(|| damaged("there is no head"))?;
        if column(row, 4)? {
            return Err(StoreError::Moved);
        }
        let (turn, tip) = self.read_tip(row)?;
        let Some(Tip { checkpoint, state, .. }) = tip else {
            let (edge, state) = (TileEdge::new(), empty_state_hash());
            return Ok(Head { turn, checkpoint: None, state, edge, tail: Vec::new() });
        };
        // Another node may be writing again by now, but what lies below this size stays as it is.
        let edge =
            TileEdge::read(turn.size, |id| self.tile(id)?.ok_or_else(|| damaged(&id.path()))).map_err(|error| {
                match error {
                    ledger::ProveError::Read(error) => error,
                    other => damaged(&other.to_string()),
                }
            })?;
        if edge.root() != checkpoint.root {
            return Err(damaged("the tiles do not lead to the checkpoint"));
        }
        let tail = match BundleId::in_tree(turn.size / TILE_WIDTH, turn.size) {
            Some(id) => self.bundle(id)?.ok_or_else(|| damaged(&id.path()))?,
            None => Vec::new(),
        };
        Ok(Head { turn, checkpoint: Some(checkpoint), state, edge, tail })
    }

    fn commit(&self, turn: Turn, write: &Write<'_>) -> Result<Turn, StoreError> {
        let next = Turn { size: turn.size + write.rows.len() as u64, ..turn };
        let in_order = write.rows.iter().zip(turn.size..).all(|(row, index)| row.index == index);
        if !in_order || write.checkpoint.size != next.size {
            return Err(StoreError::Failed("a batch that does not follow the log".into()));
        }
        let hashes: Vec<&[u8]> = write.rows.iter().map(|row| row.hash.as_bytes().as_slice()).collect();
        let entries: Vec<&[u8]> = write.rows.iter().map(|row| row.bytes).collect();
        let keys: Vec<&str> = write.records.keys().map(Key::as_str).collect();
        let records: Vec<Vec<u8>> = write.records.values().map(Record::to_bytes).collect();
        let full: Vec<_> = write.tiles.iter().filter(|(id, _)| id.is_full()).collect();
        let levels: Vec<i16> = full.iter().map(|(id, _)| i16::from(id.level)).collect();
        let places = full.iter().map(|(id, _)| sql_number(id.index)).collect::<Result<Vec<_>, _>>()?;
        let roots = full.iter().map(|(id, bytes)| root_over(*id, bytes)).collect::<Result<Vec<_>, _>>()?;
        let tiles: Vec<&[u8]> = full.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        let (size, epoch, after) = (sql_number(turn.size)?, sql_number(turn.epoch)?, sql_number(next.size)?);
        let (state, note) = (write.state.as_bytes().as_slice(), write.checkpoint.note());
        let values: [&(dyn ToSql + Sync); 13] = [
            &size, &epoch, &after, &state, &note, &hashes, &entries, &keys, &records, &levels, &places, &roots, &tiles,
        ];
        let done = self.database.write(async |session| rows(session, COMMIT, &values).await).map_err(failed)?;
        let written: i64 = column(done.first().ok_or_else(|| damaged("no answer"))?, 0)?;
        if written == 1 { Ok(next) } else { Err(StoreError::NotYourTurn) }
    }

    fn retire(&self) -> Result<(), StoreError> {
        self.database.write(async |session| rows(session, RETIRE, &[]).await).map(drop).map_err(failed)
    }

    fn tip(&self) -> Result<Option<Tip>, StoreError> {
        let found = self.query(TIP, &[])?;
        Ok(self.read_tip(found.first().ok_or_else(|| damaged("there is no head"))?)?.1)
    }

    fn published(&self) -> Result<Option<String>, StoreError> {
        let found = self.query(PUBLISHED, &[])?;
        column(found.first().ok_or_else(|| damaged("there is no head"))?, 0)
    }

    /// Another node may have published a larger one a moment ago, or the same with more signatures: then that one stays,
    /// and all is well.
    fn publish(&self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        let size = sql_number(checkpoint.size)?;
        let note = checkpoint.note();
        let done = self.database.write(async |session| {
            let statement = session.prepare(PUBLISH).await?;
            session.client().execute(&statement, &[&note, &size]).await
        });
        let done = done.map_err(failed)?;
        if done == 1 {
            return Ok(());
        }
        let found = self.query(SHOWN, &[])?;
        let shown = found.first().ok_or_else(|| damaged("there is no head"))?;
        let (published, root): (i64, Option<&str>) = (column(shown, 0)?, column(shown, 1)?);
        let same = published == size && root == Some(checkpoint.root.to_base64().as_str());
        if published > size || same { Ok(()) } else { Err(damaged("a checkpoint that the log does not have")) }
    }

    fn records(&self, keys: &[Key]) -> Result<BTreeMap<Key, Option<Record>>, StoreError> {
        let mut found: BTreeMap<Key, Option<Record>> = keys.iter().map(|key| (key.clone(), None)).collect();
        let names: Vec<&str> = keys.iter().map(Key::as_str).collect();
        if !names.is_empty() {
            let rows = self.query(RECORDS, &[&names])?;
            found.extend(
                rows.iter()
                    .map(record)
                    .map(|row| row.map(|(key, record)| (key, Some(record))))
                    .collect::<Result<Vec<_>, _>>()?,
            );
        }
        Ok(found)
    }

    fn records_from(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError> {
        // No key holds the last character there is.
        let end = format!("{prefix}{}", char::MAX);
        let (after, limit) = (after.map_or("", Key::as_str), i64::try_from(limit).unwrap_or(i64::MAX));
        self.query(RECORDS_FROM, &[&prefix, &end, &after, &limit])?.iter().map(record).collect()
    }

    fn indices(&self, hashes: &[EntryHash]) -> Result<HashMap<EntryHash, u64>, StoreError> {
        let names: Vec<&[u8]> = hashes.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        if names.is_empty() {
            return Ok(HashMap::new());
        }
        let read = |row: &SqlRow| {
            let name: Vec<u8> = column(row, 0)?;
            Ok((EntryHash::from_leaf(hash(&name)?), number(column(row, 1)?)?))
        };
        self.query(INDICES, &[&names])?.iter().map(read).collect()
    }

    fn count_indices(&self) -> Result<u64, StoreError> {
        let found = self.query(COUNT, &[])?;
        number(column(found.first().ok_or_else(|| damaged("no answer"))?, 0)?)
    }

    fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, StoreError> {
        if id.is_full() {
            return self.full_tile(id);
        }
        let first = id.index.checked_mul(TILE_WIDTH).ok_or_else(|| damaged(&id.path()))?;
        let (from, to) = (sql_number(first)?, sql_number(first.saturating_add(id.width.into()))?);
        let found = match id.level.checked_sub(1) {
            None => self.query(LEAVES, &[&from, &to])?,
            Some(below) => self.query(ROOTS, &[&i16::from(below), &from, &to])?,
        };
        if found.len() < usize::from(id.width) {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(32 * found.len());
        for row in &found {
            bytes.extend_from_slice(hash(&column::<Vec<u8>>(row, 0)?)?.as_bytes());
        }
        Ok(Some(bytes))
    }

    fn bundle(&self, id: BundleId) -> Result<Option<Vec<u8>>, StoreError> {
        let first = id.index.checked_mul(TILE_WIDTH).ok_or_else(|| damaged(&id.path()))?;
        let (from, to) = (sql_number(first)?, sql_number(first.saturating_add(id.width.into()))?);
        let found = self.query(ENTRIES, &[&from, &to])?;
        if found.len() < usize::from(id.width) {
            return Ok(None);
        }
        let mut bundle = Vec::new();
        for row in &found {
            append_to_bundle(&mut bundle, column(row, 0)?).map_err(|_| damaged(&id.path()))?;
        }
        Ok(Some(bundle))
    }

    fn is_shared(&self) -> bool {
        true
    }
}

/// The root over a full tile, which is a hash of the level above.
fn root_over(id: TileId, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut edge = TileEdge::new();
    for hash in id.hashes(bytes).map_err(|_| damaged(&id.path()))? {
        edge.push_leaf(hash);
    }
    Ok(edge.root().as_bytes().to_vec())
}

fn failed(error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::Lost(why) => StoreError::Interrupted(why),
        error => StoreError::Failed(error.to_string()),
    }
}

fn column<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a SqlRow, at: usize) -> Result<T, StoreError> {
    row.try_get(at).map_err(|_| damaged("a row has another form than it should"))
}

fn record(row: &SqlRow) -> Result<(Key, Record), StoreError> {
    let (key, value): (&str, &[u8]) = (column(row, 0)?, column(row, 1)?);
    let record = Record::from_bytes(value).ok_or_else(|| damaged(&format!("the record {key}")))?;
    Ok((Key::from_stored(key), record))
}

fn hash(bytes: &[u8]) -> Result<Hash, StoreError> {
    bytes.try_into().map(Hash::from_bytes).map_err(|_| damaged("a hash"))
}

fn number(stored: i64) -> Result<u64, StoreError> {
    stored.try_into().map_err(|_| damaged("a number below zero"))
}

fn sql_number(number: u64) -> Result<i64, StoreError> {
    number.try_into().map_err(|_| damaged("a number that is too large"))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}
