//! The alarm: the biobank's record contradicts what this computer saw of it. Both checkpoints are kept, and can be
//! handed to anybody.

use crate::profile::Profile;
use crate::proof::write_new;
use crate::story::Story;
use crate::succession;
use bridge::{AlarmView, Code, Failure, HeadView};
use consent::Timestamp;
use ledger::{Checkpoint, Evidence, Hash, VerifierKey};
use std::path::{Path, PathBuf};

/// Two checkpoints that can not both be true, and when that was noticed.
#[derive(Debug, Clone)]
pub struct Alarm {
    /// The one that was trusted.
    pub trusted: String,
    /// The one that does not follow from it.
    pub seen: String,
    /// The proof that it does not, if the log could be made to give one.
    pub proof: Vec<Hash>,
    /// When.
    pub noticed: Timestamp,
}

/// The alarm as a screen shows it.
pub fn view(story: &Story) -> Option<AlarmView> {
    let alarm = story.alarm.as_ref()?;
    let evidence = evidence(story)?;
    let keys = succession::keys(story.connection.as_ref()?).ok()?;
    let head = |note: &str| {
        let checkpoint = Checkpoint::open_with(note, &keys).ok()?;
        Some(HeadView { size: checkpoint.size, root: checkpoint.root.to_string() })
    };
    Some(AlarmView {
        before: head(&alarm.trusted)?,
        after: head(&alarm.seen)?,
        noticed: alarm.noticed,
        proven: evidence.judge().is_ok_and(ledger::Verdict::proves_a_fork),
    })
}

/// Writes the evidence into a folder under a name that is free.
pub fn save(profile: &Profile, folder: &Path) -> Result<PathBuf, Failure> {
    let evidence = profile.read(evidence)?.ok_or(Code::NotPossible)?;
    Ok(write_new(folder, "record-alarm", "evidence.json", evidence.to_json().as_bytes()).map_err(|_| Code::Storage)?)
}

fn evidence(story: &Story) -> Option<Evidence> {
    let alarm = story.alarm.as_ref()?;
    let connection = story.connection.as_ref()?;
    let signed_both =
        |key: &VerifierKey| [&alarm.trusted, &alarm.seen].into_iter().all(|note| Checkpoint::open(note, key).is_ok());
    // One key convicts itself. Where the log's key changed in between, both notes are kept for people to judge.
    let by_former = succession::former(connection).ok()?.into_iter().find(signed_both);
    let vkey = by_former.map_or_else(|| succession::key(connection).ok(), Some)?;
    Some(Evidence::new(vkey, &alarm.trusted, &alarm.seen, alarm.proof.clone()))
}
