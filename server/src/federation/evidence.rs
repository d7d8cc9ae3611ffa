//! Pairs of checkpoints that a log signed and that do not go together, one file each. Whoever has a file can judge it
//! without asking anybody (`consentctl ledger evidence FILE`).

use ledger::{Checkpoint, Evidence, Hash, Verdict, VerifierKey};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::io;
use std::path::PathBuf;

/// The most files that are kept. A log that signs without end fills no disk with its misdeeds.
const MAX_FILES: usize = 256;
/// From this many on only what convicts a log is kept, so that there is room for it.
const MAX_OPEN: usize = 64;
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
        let id = hex::encode(&name.finalize()[..16]);
        std::fs::create_dir_all(&self.dir)?;
        let path = self.dir.join(format!("{id}{SUFFIX}"));
        let most = if proven { MAX_FILES } else { MAX_OPEN };
        if path.exists() || std::fs::read_dir(&self.dir)?.count() >= most {
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
        for file in files.take(MAX_FILES) {
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
        if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        match std::fs::read(self.dir.join(format!("{id}{SUFFIX}"))) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
