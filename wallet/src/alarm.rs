//! The alarm: the biobank's record contradicts what this computer saw of it. Both checkpoints are kept, and can be
//! handed to anybody.
//!
//! A record that is shorter than before can be an old copy, put in place by mistake: that alarm ends when all that was
//! seen is there again. One that shows another past never ends.

use crate::event::{Connection, Event};
use crate::profile::Profile;
use crate::proof::write_new;
use crate::story::Story;
use crate::succession;
use crate::sync::{accept, client_failure, raise_alarm};
use bridge::{AlarmView, Code, Failure, HeadView};
use consent::Timestamp;
use ledger::client::{ClientError, LogClient};
use ledger::{Checkpoint, Evidence, Hash, VerifierKey};
use std::path::{Path, PathBuf};

/// Two checkpoints that can not both be true, and when that was noticed.
#[derive(Debug, Clone)]
pub struct Alarm {
    /// The one that was trusted.
    pub trusted: String,
    /// The one that does not follow from it; of a log that is still shorter, the newest.
    pub seen: String,
    /// The proof that it does not, if the log could be made to give one.
    pub proof: Vec<Hash>,
    /// When.
    pub noticed: Timestamp,
    /// Whether there was a second contradiction: then it stays, whatever the log shows from now on.
    pub lasting: bool,
}

impl Alarm {
    /// What is left of this contradiction and an earlier one: the first, unless only this one convicts the biobank.
    pub fn after(self, earlier: Option<Self>, connection: Option<&Connection>) -> Self {
        let Some(earlier) = earlier else { return self };
        let proves = |alarm: &Self| connection.is_some_and(|connection| alarm.is_proven(connection));
        let counts = if !proves(&earlier) && proves(&self) { self } else { earlier };
        Self { lasting: true, ..counts }
    }

    fn evidence(&self, connection: &Connection) -> Option<Evidence> {
        let signed_both =
            |key: &VerifierKey| [&self.trusted, &self.seen].into_iter().all(|note| Checkpoint::open(note, key).is_ok());
        // One key convicts itself. Where the log's key changed in between, both notes are kept for people to judge.
        let by_former = succession::former(connection).ok()?.into_iter().find(signed_both);
        let vkey = by_former.map_or_else(|| succession::key(connection).ok(), Some)?;
        Some(Evidence::new(vkey, &self.trusted, &self.seen, self.proof.clone()))
    }

    fn is_proven(&self, connection: &Connection) -> bool {
        let verdict = self.evidence(connection).and_then(|evidence| evidence.judge().ok());
        verdict.is_some_and(ledger::Verdict::proves_a_fork)
    }
}

/// The alarm as a screen shows it.
pub fn view(story: &Story) -> Option<AlarmView> {
    let (alarm, connection) = (story.alarm.as_ref()?, story.connection.as_ref()?);
    let keys = succession::keys(connection).ok()?;
    let head = |note: &str| {
        let checkpoint = Checkpoint::open_with(note, &keys).ok()?;
        Some(HeadView { size: checkpoint.size, root: checkpoint.root.to_string() })
    };
    Some(AlarmView {
        before: head(&alarm.trusted)?,
        after: head(&alarm.seen)?,
        noticed: alarm.noticed,
        proven: alarm.is_proven(connection),
    })
}

/// Writes the evidence into a folder under a name that is free.
pub fn save(profile: &Profile, folder: &Path) -> Result<PathBuf, Failure> {
    let evidence = profile.read(|story| story.alarm.as_ref()?.evidence(story.connection.as_ref()?))?;
    let evidence = evidence.ok_or(Code::NotPossible)?;
    Ok(write_new(folder, "record-alarm", "evidence.json", evidence.to_json().as_bytes()).map_err(|_| Code::Storage)?)
}

/// Looks again at a log that was only shorter than before. The alarm ends if all that was ever seen is its beginning
/// now: what was trusted, and what was shown instead. Otherwise it stays, and this fails.
pub async fn look_again(
    profile: &Profile,
    client: &LogClient,
    connection: &Connection,
    alarm: &Alarm,
) -> Result<(), Failure> {
    let stays = || Failure::from(Code::LogForked);
    let keys = succession::keys(connection)?;
    let open = |note: &str| Checkpoint::open_with(note, &keys).map_err(|_| stays());
    let (trusted, shorter) = (open(&alarm.trusted)?, open(&alarm.seen)?);
    if alarm.lasting || shorter.size >= trusted.size {
        return Err(stays());
    }
    let shown = client.checkpoint(&succession::key(connection)?).await.map_err(offline_or_stays)?;
    match client.check_consistency(&shorter, &shown).await {
        Ok(()) => {}
        Err(ClientError::Forked { .. } | ClientError::Shrunk { .. }) => {
            // Neither of the two was trusted, and yet they contradict each other: the alarm stays.
            return raise_alarm(profile, client, &shorter, &shown).await;
        }
        Err(error) => return Err(offline_or_stays(error)),
    }
    if shown.size < trusted.size {
        // Whoever goes on from an old copy signs another past than the one that was trusted: what was signed is kept.
        if *shown != *shorter {
            profile.record(Event::StillShorter { note: shown.note().to_owned() })?;
        }
        return Err(stays());
    }
    accept(profile, client, &shown).await.map_err(|failure| match failure.code {
        Code::Offline | Code::Storage => failure,
        _ => stays(),
    })?;
    profile.record(Event::LogReturned)
}

/// While there is an alarm, a log that can not be read is no news, unless nobody answers at all.
fn offline_or_stays(error: ClientError) -> Failure {
    let failure = client_failure(error);
    if failure.code == Code::Offline { failure } else { Code::LogForked.into() }
}
