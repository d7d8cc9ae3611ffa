//! A proof of consent: the file that a participant gives to a researcher.

use crate::clock::now;
use crate::event::Event;
use crate::profile::Profile;
use bridge::{Code, Failure};
use consent::StudyId;
use identity::{Credential, Presentation, present};
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// How long a proof in a file can be used, in seconds: thirty days.
pub const FILE_AGE: i64 = 30 * 86_400;
/// How long a proof that answers a question can be used, in seconds: seven days.
pub const ANSWER_AGE: i64 = 7 * 86_400;
/// The largest proof that is read, in bytes.
pub const MAX_PROOF: usize = 1 << 20;

/// What a proof holds: the presentation, and the entry with its receipt.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// `consent-proof.v1`.
    pub format: String,
    /// The holder's presentation of the consent credential.
    pub presentation: serde_json::Value,
    /// The entry that recorded the consent.
    pub entry: String,
    /// The entry's receipt (C2SP tlog-proof).
    pub receipt: String,
}

/// The format that this version writes and reads.
pub const FORMAT: &str = "consent-proof.v1";

/// A live consent with what proves that it is recorded.
pub(crate) struct Recorded {
    /// The organisation that it is given to.
    pub organisation: String,
    /// The signed consent.
    pub credential: Credential,
    /// The entry that recorded it.
    pub entry: String,
    /// The entry's receipt.
    pub receipt: String,
}

/// The consent of a study, if it is live and recorded: without a receipt there is nothing to prove yet.
pub(crate) fn shown(profile: &Profile, study: &StudyId) -> Result<Recorded, Failure> {
    let found = profile.read(|story| {
        let answer = story.answers.get(study).filter(|answer| answer.state(now().date()).allows_use())?;
        let sending = story.find(answer.grant.as_ref()?)?;
        Some(Recorded {
            organisation: answer.request.organisation.id.clone(),
            credential: answer.credential.clone()?,
            entry: String::from_utf8(sending.entry.bytes().to_vec()).ok()?,
            receipt: sending.receipt.clone()?,
        })
    })?;
    found.ok_or_else(|| Code::NotPossible.into())
}

/// Makes a proof of a live, recorded consent; `challenge` binds it to a question.
pub async fn make(profile: &Profile, study: &StudyId, challenge: Option<&str>) -> Result<Proof, Failure> {
    let connection = profile.connection()?;
    let Recorded { organisation, credential, entry, receipt } = shown(profile, study)?;
    let key = profile.study_key(&connection, study);
    let age = if challenge.is_some() { ANSWER_AGE } else { FILE_AGE };
    let now = now();
    let presentation: Presentation = present(&key, &[credential], challenge, &organisation, now, now.plus_seconds(age))
        .await
        .map_err(|_| Code::Internal)?;
    let presentation = serde_json::to_value(presentation).map_err(|_| Code::Internal)?;
    Ok(Proof { format: FORMAT.to_owned(), presentation, entry, receipt })
}

/// Writes a proof into a folder under a name that is free.
pub async fn save(profile: &Profile, study: &StudyId, folder: &Path) -> Result<PathBuf, Failure> {
    let proof = make(profile, study, None).await?;
    let text = serde_json::to_string_pretty(&proof).map_err(|_| Code::Internal)?;
    let path = write_new(folder, study.as_str(), "consent.json", text.as_bytes()).map_err(|_| Code::Storage)?;
    profile.record(Event::ProofSaved { study: study.clone() })?;
    Ok(path)
}

/// Writes a file that only its owner can read, under a name that is free.
pub(crate) fn write_new(folder: &Path, name: &str, ending: &str, bytes: &[u8]) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    for number in 1..1_000 {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{name}{suffix}.{ending}"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // Whom the proof goes to is for the person to say, not for others on this machine to take.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => return file.write_all(bytes).and_then(|()| file.sync_all()).map(|()| path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}
