//! Hears of news from the biobank as it happens, so that rounds need not ask every few seconds. What is heard is a
//! hint and no more: it starts a round, and the round fetches and checks as it always does. Without a stream, or with
//! a biobank that has none, rounds go on by the clock.

use crate::profile::Profile;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bridge::{Failure, Role};
use ledger::event::InstitutionEvent;
use ledger::{Entry, Event, Hash, commit_subject};
use reqwest::Response;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;

const PATH: &str = "/v1/stream/own";
/// The longest line that is read. An entry has at most 4 KiB, and base64 makes it a third longer.
const MAX_LINE: usize = 16 << 10;
/// A biobank says at least every 15 seconds that it is there.
const SILENCE: Duration = Duration::from_secs(45);
/// The first and the longest pause before the stream is opened again.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// What was heard so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// Goes up with each piece of news that concerns this profile.
    pub count: u64,
    /// Whether the stream is open.
    pub live: bool,
}

/// Listens for one profile until it is dropped.
pub struct Listener {
    heard: watch::Receiver<Heard>,
    task: AbortHandle,
}

impl Listener {
    /// Begins to listen. The profile is not kept open by it.
    pub fn of(profile: &Arc<Profile>) -> Self {
        let (told, heard) = watch::channel(Heard::default());
        let task = tokio::spawn(listen(Arc::downgrade(profile), told)).abort_handle();
        Self { heard, task }
    }

    /// What was heard, and a way to wait for more.
    pub fn heard(&self) -> watch::Receiver<Heard> {
        self.heard.clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens the stream again and again, more and more seldom while it can not be had.
async fn listen(profile: Weak<Profile>, told: watch::Sender<Heard>) {
    let (mut last, mut failures) = (None, 0);
    while let Some(open) = profile.upgrade() {
        let opened = open_stream(&open, last);
        drop(open);
        if let Some(call) = opened
            && let Ok(response) = call.await
        {
            told.send_modify(|heard| *heard = Heard { count: heard.count + 1, live: true });
            let lines = read(&profile, &told, response, &mut last).await;
            told.send_modify(|heard| heard.live = false);
            // A stream that said something was one: the next one is tried soon.
            failures = if lines > 0 { 0 } else { failures };
        }
        tokio::time::sleep(pause(failures)).await;
        failures = failures.saturating_add(1);
    }
}

/// The call that opens the stream, as a future that holds nothing of the profile.
fn open_stream(
    profile: &Profile,
    last: Option<u64>,
) -> Option<impl Future<Output = Result<Response, Failure>> + use<>> {
    let (connection, remote) = (profile.connection().ok()?, profile.remote().ok()?);
    let key = profile.biobank_key(&connection);
    Some(async move { remote.listen(&key, PATH, last).await })
}

/// Doubling from the first to the longest pause, and of that a random part of at least half: when a biobank comes
/// back, not all wallets come at the same moment.
fn pause(failures: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
    let mut random = [0; 2];
    // Without randomness everybody waits for the whole time, which is only impolite.
    let share = getrandom::fill(&mut random).map_or(1.0, |()| f64::from(u16::from_le_bytes(random)) / 65_535.0);
    longest.mul_f64(0.5 + share / 2.0)
}

/// Reads until the stream ends, falls silent or is no stream; how many lines it had.
async fn read(
    profile: &Weak<Profile>,
    told: &watch::Sender<Heard>,
    mut response: Response,
    last: &mut Option<u64>,
) -> usize {
    let (mut lines, mut events) = (0, Lines::default());
    while let Ok(Ok(Some(chunk))) = tokio::time::timeout(SILENCE, response.chunk()).await {
        for byte in chunk {
            let Ok(found) = events.push(byte) else { return lines };
            let Some(line) = found else { continue };
            lines += 1;
            let Some(news) = line else { continue };
            if let Some(index) = news.id {
                *last = Some(index);
            }
            let Some(open) = profile.upgrade() else { return lines };
            if concerns(&open, &news) {
                told.send_modify(|heard| heard.count += 1);
            }
        }
    }
    lines
}

/// One event of the stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct News {
    id: Option<u64>,
    name: String,
    data: String,
}

/// Cuts bytes into lines and lines into events (the event stream format of the HTML standard, as far as it is used
/// here).
#[derive(Default)]
struct Lines {
    line: Vec<u8>,
    news: News,
}

/// A line that is longer than any that a biobank writes.
#[derive(Debug, PartialEq, Eq)]
struct TooLong;

impl Lines {
    /// Something when a line ended; an event in it when the line was empty and ended one.
    fn push(&mut self, byte: u8) -> Result<Option<Option<News>>, TooLong> {
        if byte != b'\n' {
            self.line.push(byte);
            return if self.line.len() > MAX_LINE { Err(TooLong) } else { Ok(None) };
        }
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_suffix('\r').unwrap_or(&line);
        if line.is_empty() {
            let news = std::mem::take(&mut self.news);
            return Ok(Some((!news.name.is_empty()).then_some(news)));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.news.id = value.parse().ok(),
            "event" => value.clone_into(&mut self.news.name),
            "data" => value.clone_into(&mut self.news.data),
            // Comments, and what a later version adds.
            _ => {}
        }
        Ok(Some(None))
    }
}

#[derive(Deserialize)]
struct Told {
    entry: String,
}

/// Whether a piece of news is a reason for this profile to look.
fn concerns(profile: &Profile, news: &News) -> bool {
    if news.name != "entry" {
        // A letter, or a gap: then nobody knows what was missed.
        return matches!(news.name.as_str(), "mailbox" | "gap");
    }
    let told: Option<Told> = serde_json::from_str(&news.data).ok();
    let entry = told.and_then(|told| STANDARD.decode(told.entry).ok()).and_then(|bytes| Entry::parse(&bytes).ok());
    // What this version does not understand may be important: looking costs little.
    let Some(entry) = entry else { return true };
    let own = |subject: &Hash| profile.role != Role::Participant || subjects(profile).contains(subject);
    match entry.said() {
        Event::Consent(said) => own(&said.subject),
        Event::Institution(InstitutionEvent::Ending(said)) => own(&said.subject),
        Event::Institution(InstitutionEvent::KeyRotation(said)) => own(&said.subject),
        Event::Institution(InstitutionEvent::KeyRebinding(said)) => own(&said.subject),
        Event::Institution(InstitutionEvent::Study(_) | InstitutionEvent::LogKey(_)) => true,
        Event::Institution(InstitutionEvent::InstitutionKey(_)) => true,
        Event::Institution(InstitutionEvent::AccessDecision(_)) => profile.role != Role::Participant,
        Event::Institution(_) => false,
    }
}

/// The commitments that stand for this donor in the studies that were ever answered.
fn subjects(profile: &Profile) -> BTreeSet<Hash> {
    let Ok(connection) = profile.connection() else { return BTreeSet::new() };
    let donor = profile.biobank_key(&connection).did();
    let studies = profile.read(|story| story.sending.iter().map(|sending| sending.study.clone()).collect());
    let studies: BTreeSet<_> = studies.unwrap_or_default();
    let salt = |study| profile.secret().derive_subject_salt(&connection.biobank, study);
    studies.iter().map(|study| commit_subject(&salt(study), &donor, study)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &[u8]) -> Result<Vec<News>, TooLong> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for byte in text {
            found.extend(lines.push(*byte)?.flatten());
        }
        Ok(found)
    }

    #[test]
    fn events_are_cut_out_of_bytes() {
        let text = b"retry: 2000\n\n: here\n\nid: 7\nevent: entry\ndata: {\"index\":7}\n\nevent:mailbox\r\ndata:{}\r\n\r\nevent: half";
        let news = |id, name: &str, data: &str| News { id, name: name.into(), data: data.into() };
        assert_eq!(events(text).unwrap(), [news(Some(7), "entry", "{\"index\":7}"), news(None, "mailbox", "{}")]);
        assert_eq!(events(b"id: nothing\nevent: entry\n\n").unwrap(), [news(None, "entry", "")]);
        assert_eq!(events(&[0xff, 0xfe, b'\n', b'\n']).unwrap(), []);
    }

    #[test]
    fn a_line_without_end_is_no_stream() {
        assert_eq!(events(&vec![b'a'; MAX_LINE + 1]), Err(TooLong));
        assert_eq!(events(&[b"data: ".as_slice(), &vec![b'a'; MAX_LINE - 6], b"\n"].concat()), Ok(Vec::new()));
    }

    #[test]
    fn pauses_grow_and_differ() {
        for failures in 0..40 {
            let longest = FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
            let pauses: BTreeSet<_> = (0..20).map(|_| pause(failures)).collect();
            assert!(pauses.iter().all(|pause| (longest / 2..=longest).contains(pause)), "{failures}");
            assert!(pauses.len() > 1, "{failures}");
        }
    }
}
