//! Pairs of checkpoints that a log signed and that do not go together, one file each. Whoever has a file can judge it
//! without asking anybody (`consentctl ledger evidence FILE`).

use super::MAX_OTHERS;
use ledger::{Checkpoint, Evidence, Hash, Verdict, VerifierKey, origin_hash};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::io;
use std::path::PathBuf;

/// The most files that are kept of one log. One that signs without end fills no disk with its misdeeds, and takes no
/// other log's room.
const MAX_FILES: usize = 64;
/// From this many of one log on only what convicts it is kept, so that there is room for it.
const MAX_OPEN: usize = 16;
/// How many characters of a file's name say which log it is about.
const LOG_CHARS: usize = 8;
/// How many characters the name has.
const ID_CHARS: usize = 32;
/// The end of a file's name.
const SUFFIX: &str = ".json";

/// A piece of evidence as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The name under which the whole is found.
    pub id: String,
    /// Of which log.
    pub origin: String,
    /// `fork` or `rewritten` convict the log; `open` means that the two checkpoints alone do not.
    pub verdict: &'static str,
}

/// The folder of evidence.
pub struct EvidenceFolder {
    dir: PathBuf,
}

impl EvidenceFolder {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Keeps two notes of a log, once. A failure is told to the operator and to nobody else: whoever asked gets the
    /// refusal in any case.
    pub(super) fn keep(&self, vkey: VerifierKey, held: &str, shown: &str, proof: &[Hash]) {
        if let Err(error) = self.write(vkey, held, shown, proof) {
            tracing::error!(%error, "evidence against a log could not be kept");
        }
    }

    fn write(&self, vkey: VerifierKey, held: &str, shown: &str, proof: &[Hash]) -> io::Result<()> {
        // The same two trees are one piece of evidence, however often they are signed.
        let mut name = Sha256::new();
        for note in [held, shown] {
            let tree = Checkpoint::open(note, &vkey).map_err(io::Error::other)?;
            name.update(tree.text());
        }
        let evidence = Evidence::new(vkey, held, shown, proof.to_vec());
        let proven = evidence.judge().is_ok_and(Verdict::proves_a_fork);
        name.update([u8::from(proven)]);
        let name = hex::encode(name.finalize());
        let of = origin_hash(evidence.vkey.name());
        let (Some(of), Some(name)) = (of.get(..LOG_CHARS), name.get(..ID_CHARS - LOG_CHARS)) else { return Ok(()) };
        std::fs::create_dir_all(&self.dir)?;
        let path = self.dir.join(format!("{of}{name}{SUFFIX}"));
        let most = if proven { MAX_FILES } else { MAX_OPEN };
        let names = std::fs::read_dir(&self.dir)?.collect::<io::Result<Vec<_>>>()?;
        let kept = names.iter().filter(|file| file.file_name().to_string_lossy().starts_with(of)).count();
        if path.exists() || kept >= most {
            return Ok(());
        }
        super::copy::write_durably(&path, evidence.to_json().as_bytes())
    }

    /// What is kept, sorted by name.
    pub fn list(&self) -> io::Result<Vec<Kept>> {
        let files = match std::fs::read_dir(&self.dir) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut kept = Vec::new();
        for file in files.take(MAX_FILES * MAX_OTHERS) {
            let name = file?.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)) else { continue };
            let Some(evidence) = self.read(id)?.and_then(|bytes| Evidence::parse(&bytes).ok()) else { continue };
            let verdict = match evidence.judge() {
                Ok(Verdict::Fork) => "fork",
                Ok(Verdict::Rewritten) => "rewritten",
                _ => "open",
            };
            kept.push(Kept { id: id.to_owned(), origin: evidence.vkey.name().to_owned(), verdict });
        }
        kept.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(kept)
    }

    /// One file.
    pub fn read(&self, id: &str) -> io::Result<Option<Vec<u8>>> {
        // Only names that were made here lead to a file.
        if id.len() != ID_CHARS || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        match std::fs::read(self.dir.join(format!("{id}{SUFFIX}"))) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::SigningKey;
    use ledger::NoteKey;

    #[test]
    fn one_log_that_misbehaves_without_end_takes_no_room_from_another() {
        let dir = tempfile::tempdir().unwrap();
        let folder = EvidenceFolder::new(dir.path().join("evidence"));
        let key = |origin: &str| NoteKey::new(origin, SigningKey::from_seed([5; 32])).unwrap();
        let (loud, quiet) = (key("loud.example/log"), key("quiet.example/log"));
        let tree = |key: &NoteKey, size: u64, root: u8| {
            let origin = key.verifier().name().to_owned();
            Checkpoint { origin, size, root: Hash::from_bytes([root; 32]) }.sign(key).unwrap()
        };
        let keep = |key: &NoteKey, sizes: (u64, u64), root: u8| {
            let (held, shown) = (tree(key, sizes.0, 1), tree(key, sizes.1, root));
            folder.keep(key.verifier().clone(), held.note(), shown.note(), &[]);
        };
        let kept = |key: &NoteKey, convicts: bool| {
            let of = |kept: &Kept| kept.origin == key.verifier().name() && (kept.verdict == "fork") == convicts;
            folder.list().unwrap().iter().filter(|kept| of(kept)).count()
        };
        for root in 2..102 {
            keep(&loud, (7, 8), root);
        }
        assert_eq!(kept(&loud, false), MAX_OPEN);
        for root in 2..102 {
            keep(&loud, (7, 7), root);
        }
        assert_eq!((kept(&loud, false), kept(&loud, true)), (MAX_OPEN, MAX_FILES - MAX_OPEN));
        keep(&quiet, (7, 8), 2);
        keep(&quiet, (7, 7), 2);
        keep(&quiet, (7, 7), 2);
        assert_eq!((kept(&quiet, false), kept(&quiet, true)), (1, 1), "each once");
        assert!(folder.list().unwrap().iter().all(|kept| folder.read(&kept.id).unwrap().is_some()));
    }
}
