//! The mirror's side: keeps the entries of other logs, and signs what it holds.

use super::{Copy, Federation, HostError, KnownLog, copy, rows};
use ledger::{
    AddCheckpoint, AddEntries, BadUpload, BundleId, EntryPackage, MAX_PACKAGES, MirrorReply, Mirrored, Refusal, Target,
    TileId, UploadReader, origin_hash,
};
use rows::Seen;
use std::io;
use std::path::PathBuf;
use std::sync::PoisonError;

/// How much of an upload is looked at at a time.
const PIECE: usize = 64 << 10;

/// An upload as it is read.
struct Upload<'a> {
    reader: UploadReader,
    pieces: std::slice::Chunks<'a, u8>,
    /// How many packages were read.
    packages: usize,
}

impl Upload<'_> {
    fn head(&mut self) -> Result<AddEntries, MirrorReply> {
        loop {
            if let Some(head) = self.reader.head()? {
                return Ok(head.clone());
            }
            self.reader.feed(self.pieces.next().ok_or(MirrorReply::BadRequest)?);
        }
    }

    /// The next package; none at the end, or after as many as one request may have.
    fn package(&mut self) -> Result<Option<EntryPackage>, BadUpload> {
        while self.packages < MAX_PACKAGES {
            if let Some(package) = self.reader.package()? {
                self.packages += 1;
                return Ok(Some(package));
            }
            let Some(piece) = self.pieces.next() else { break };
            self.reader.feed(piece);
        }
        Ok(None)
    }
}

impl Federation {
    /// A log whose entries are kept here.
    fn mirrored(&self, origin: &str) -> Option<&KnownLog> {
        self.log(origin).filter(|log| log.mirror)
    }

    pub(super) fn copy_dir(&self, origin: &str) -> PathBuf {
        self.mirror_dir.join(origin_hash(origin))
    }

    pub(super) fn mirror_row(&self, origin: &str) -> Result<(Seen<Mirrored>, Mirrored), HostError> {
        let mut seen = rows::read::<Mirrored>(self.tables.as_ref(), rows::MIRRORED, origin)?;
        let state = seen.value.take().unwrap_or_default();
        Ok((seen, state))
    }

    /// Changes a row as `change` says, from whatever it says by then.
    fn change_row<T>(
        &self,
        origin: &str,
        mut change: impl FnMut(&mut Mirrored) -> Result<T, HostError>,
    ) -> Result<(T, Mirrored), HostError> {
        loop {
            let (seen, mut state) = self.mirror_row(origin)?;
            let outcome = change(&mut state)?;
            if rows::replace(self.tables.as_ref(), rows::MIRRORED, origin, &seen, &state)? {
                return Ok((outcome, state));
            }
        }
    }

    /// Takes a checkpoint up to which entries may come. Nothing is signed. Waits for the disk.
    pub fn mirror_checkpoint(&self, body: &[u8], now: u64) -> Result<String, HostError> {
        let request = AddCheckpoint::parse(body).ok_or(Refusal::BadRequest)?;
        let log = self.mirrored(request.origin()).ok_or(Refusal::UnknownLog)?;
        let taken = self.change_row(log.origin(), |state| {
            let update = self.mirror.add_checkpoint(&request, &log.keys, state, now).inspect_err(|refusal| {
                self.notice(log, &request, state.pending.as_ref(), refusal);
            })?;
            state.pending = Some(update.next);
            Ok(update.body)
        })?;
        Ok(taken.0)
    }

    /// Takes entries, and signs the checkpoint once all of them are on the disk. Waits for the disk.
    pub fn mirror_entries(&self, body: &[u8], now: u64) -> Result<String, HostError> {
        let mut upload = Upload { reader: UploadReader::new(), pieces: body.chunks(PIECE), packages: 0 };
        let head = upload.head()?;
        let log = self.mirrored(&head.origin).ok_or(MirrorReply::UnknownLog)?;
        // One upload at a time: the body is here already, so nobody can keep the others waiting by sending slowly. A
        // panic in the middle leaves a copy that is behind its files, which the next upload mends.
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, state) = self.mirror_row(log.origin())?;
        let target = self.mirror.begin(&head, &log.keys, &state)?;
        let mut copy = match copies.remove(log.origin()) {
            Some(copy) if copy.edge().size() == state.next => copy,
            _ => Copy::open(self.copy_dir(log.origin()), state.next)?,
        };
        let (kept, fault) = self.keep(&mut upload, &target, &mut copy)?;
        let mut state = state;
        if kept {
            let next = copy.edge().size();
            let count = |state: &mut Mirrored| {
                state.next = state.next.max(next);
                Ok(())
            };
            state = self.change_row(log.origin(), count)?.1;
            copy.tidy(state.next);
        }
        let answer = match fault {
            Some(MirrorReply::BadRequest) | None if !upload.reader.is_complete() => {
                Err(self.mirror.interrupted(&target, &state, kept).into())
            }
            Some(reply) => Err(reply.into()),
            None => self.sign_held(log, &target, &copy, now),
        };
        copies.insert(log.origin().to_owned(), copy);
        answer
    }

    /// Keeps what the upload brings, up to its end, its first fault, or as many packages as one request may have. Says
    /// whether anything of it was good.
    fn keep(
        &self,
        upload: &mut Upload<'_>,
        target: &Target,
        copy: &mut Copy,
    ) -> Result<(bool, Option<MirrorReply>), HostError> {
        let mut kept = false;
        loop {
            let package = match upload.package() {
                Ok(Some(package)) => package,
                Ok(None) => return Ok((kept, None)),
                Err(bad) => return Ok((kept, Some(bad.into()))),
            };
            let held = copy.entries(package.range.base, package.range.start)?;
            if let Err(reply) = self.mirror.check(target, &held, &package) {
                return Ok((kept, Some(reply)));
            }
            copy.append(package.entries_from(copy.edge().size()))?;
            kept = true;
        }
    }

    fn sign_held(&self, log: &KnownLog, target: &Target, copy: &Copy, now: u64) -> Result<String, HostError> {
        let (body, state) = self.change_row(log.origin(), |state| {
            let update = self.mirror.finish(target, &log.keys, state, now)?;
            // The last word before the signature is the disk's: what lies there has this root.
            let own = copy.edge().size() == update.next.size && copy.edge().root() != update.next.root;
            if own {
                return Err(io::Error::other("what is held has another root than the checkpoint").into());
            }
            state.latest = Some(update.next);
            Ok(update.body)
        })?;
        if let Some(latest) = &state.latest {
            self.figures.signed(log.origin(), latest.size);
            copy.show(&latest.note)?;
        }
        Ok(body)
    }

    /// The largest checkpoint whose entries are all here.
    pub fn mirror_shows(&self, origin_hash: &str) -> Result<Option<String>, HostError> {
        let Some(log) = self.log_by_hash(origin_hash).filter(|log| log.mirror) else { return Ok(None) };
        Ok(self.mirror_row(log.origin())?.1.latest.map(|latest| latest.note))
    }

    /// A tile or bundle of a mirrored log, below the checkpoint that is shown.
    pub fn mirror_tile(&self, origin_hash: &str, path: &str) -> Result<Option<Vec<u8>>, HostError> {
        let Some(log) = self.log_by_hash(origin_hash).filter(|log| log.mirror) else { return Ok(None) };
        let (_, state) = self.mirror_row(log.origin())?;
        let Some(size) = state.latest.map(|latest| latest.size) else { return Ok(None) };
        let dir = self.copy_dir(log.origin());
        // Only what is read as an address of the layout gets near the disk.
        if let Ok(id) = BundleId::parse(path) {
            let there = BundleId::in_tree(id.index, size).is_some_and(|there| there.width >= id.width);
            return if there { Ok(copy::bundle(&dir, id, state.next)?) } else { Ok(None) };
        }
        let Ok(id) = TileId::parse(path) else { return Ok(None) };
        let there = TileId::in_tree(id.level, id.index, size).is_some_and(|there| there.width >= id.width);
        if there { Ok(copy::tile(&dir, id, state.next)?) } else { Ok(None) }
    }
}
