//! The alarm: the biobank's record contradicts what this computer saw of it. Both checkpoints are kept, and can be
//! handed to anybody.

use crate::profile::Profile;
use crate::proof::write_new;
use crate::story::Story;
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
    let head = |note: &str| {
        let checkpoint = Checkpoint::open(note, &evidence.vkey).ok()?;
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
    let vkey: VerifierKey = story.connection.as_ref()?.vkey.parse().ok()?;
    Some(Evidence::new(vkey, &alarm.trusted, &alarm.seen, alarm.proof.clone()))
}
