//! Entries: what a log holds, what a donor's study key signs, and the commitment that stands for the donor.

use crate::event::InstitutionEvent;
use crate::hash::{EntryHash, Hash};
#[cfg(feature = "client")]
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use consent::{Date, Move, Notice, StudyId, Timestamp, Vocabulary, Withdrawal};
use hmac::{Hmac, Mac as _};
use identity::{Did, SigningKey, sign_jws, verify_jws};
use serde::Deserialize;
use sha2::Sha256;
use std::ops::Deref;

/// The `typ` of a grant.
pub const GRANT_TYPE: &str = "consent-grant.v1+jws";
/// The `typ` of a change.
pub const CHANGE_TYPE: &str = "consent-change.v1+jws";
/// The `typ` of a pause.
pub const SUSPEND_TYPE: &str = "consent-suspend.v1+jws";
/// The `typ` of the end of a pause.
pub const RESUME_TYPE: &str = "consent-resume.v1+jws";
/// The `typ` of a withdrawal.
pub const WITHDRAW_TYPE: &str = "consent-withdraw.v1+jws";
/// The longest entry. A grant of consent has about 1,000 bytes.
pub const MAX_ENTRY: usize = 4096;
/// Parts this use of HMAC from every other.
const SUBJECT_DOMAIN: &[u8] = b"consent-wallet/subject/v1\n";
const NOTICE_DOMAIN: &[u8] = b"consent-wallet/notice/v1\n";

/// What a donor says to a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentEvent {
    /// The commitment to donor and study.
    pub subject: Hash,
    /// The latest entry of the same subject; none for the first.
    pub previous: Option<EntryHash>,
    /// The commitment to the text that the donor was shown.
    pub notice: Hash,
    /// When the donor decided.
    pub time: Timestamp,
    /// What was decided.
    pub act: Act,
}

/// What a donor decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Consent is given.
    Grant(Given),
    /// Another version takes the place of the one in force.
    Change(Given),
    /// Consent is paused.
    Suspend {
        /// The last day of the pause; without one it lasts until the donor resumes.
        until: Option<Date>,
    },
    /// The pause is over.
    Resume,
    /// Consent is taken back.
    Withdraw {
        /// How far.
        level: Withdrawal,
    },
}

/// A version of a consent, as far as the log may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// The hash of the credential that says what was allowed.
    pub credential: Hash,
    /// The salted hash of the policy in that credential.
    pub policy: Hash,
    /// The last day, if there is one.
    pub until: Option<Date>,
}

/// The members of a payload, in the order of the canonical form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    credential: Option<Hash>,
    level: Option<Withdrawal>,
    notice: Hash,
    policy: Option<Hash>,
    previous: Option<EntryHash>,
    subject: Hash,
    time: Timestamp,
    until: Option<Date>,
}

/// What can be wrong with the bytes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Longer than any entry may be.
    #[error("an entry is longer than {MAX_ENTRY} bytes")]
    TooLong,
    /// Not a signed text, or the signature is false.
    #[error("the signature of an entry is not valid")]
    Signature,
    /// Signed, but of a kind that this version does not know.
    #[error("not a kind of entry that is known here")]
    Kind,
    /// Signed, but not the one canonical form of a known event.
    #[error("the content of an entry is not in its canonical form")]
    Content,
}

impl ConsentEvent {
    /// The step in the life of the consent.
    pub fn step(&self) -> Move {
        match self.act {
            Act::Grant(_) => Move::Give,
            Act::Change(_) => Move::Change,
            Act::Suspend { .. } => Move::Suspend,
            Act::Resume => Move::Resume,
            Act::Withdraw { level } => Move::Withdraw(level),
        }
    }

    /// The version that the act gives, if it gives one.
    pub fn given(&self) -> Option<&Given> {
        match &self.act {
            Act::Grant(given) | Act::Change(given) => Some(given),
            _ => None,
        }
    }

    /// The last day of the version or of the pause.
    pub fn until(&self) -> Option<Date> {
        match self.act {
            Act::Grant(given) | Act::Change(given) => given.until,
            Act::Suspend { until } => until,
            Act::Resume | Act::Withdraw { .. } => None,
        }
    }

    /// The `typ` header of this kind.
    pub fn typ(&self) -> &'static str {
        match self.act {
            Act::Grant(_) => GRANT_TYPE,
            Act::Change(_) => CHANGE_TYPE,
            Act::Suspend { .. } => SUSPEND_TYPE,
            Act::Resume => RESUME_TYPE,
            Act::Withdraw { .. } => WITHDRAW_TYPE,
        }
    }

    /// The canonical JSON (RFC 8785). All values are hexadecimal digits, dates or codes and the members are sorted
    /// here, so nothing needs escaping and the function can not fail.
    pub fn payload(&self) -> String {
        let mut members: Vec<(&str, String)> = Vec::with_capacity(7);
        if let Some(given) = self.given() {
            members.push(("credential", given.credential.to_string()));
        }
        if let Act::Withdraw { level } = self.act {
            members.push(("level", level.code().to_owned()));
        }
        members.push(("notice", self.notice.to_string()));
        if let Some(given) = self.given() {
            members.push(("policy", given.policy.to_string()));
        }
        if let Some(previous) = self.previous {
            members.push(("previous", previous.to_string()));
        }
        members.push(("subject", self.subject.to_string()));
        members.push(("time", self.time.to_string()));
        if let Some(until) = self.until() {
            members.push(("until", until.to_string()));
        }
        let members: Vec<_> = members.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
        format!("{{{}}}", members.join(","))
    }

    /// Reads the payload of a `typ`, and takes only the one spelling that [`ConsentEvent::payload`] writes.
    fn parse(typ: &str, payload: &[u8]) -> Result<Self, EntryError> {
        let read = || serde_json::from_slice::<Payload>(payload).map_err(|_| EntryError::Content);
        let given = |read: &Payload| {
            let (Some(credential), Some(policy)) = (read.credential, read.policy) else {
                return Err(EntryError::Content);
            };
            Ok(Given { credential, policy, until: read.until })
        };
        let (act, read) = match typ {
            GRANT_TYPE => read().and_then(|read| Ok((Act::Grant(given(&read)?), read)))?,
            CHANGE_TYPE => read().and_then(|read| Ok((Act::Change(given(&read)?), read)))?,
            SUSPEND_TYPE => read().map(|read| (Act::Suspend { until: read.until }, read))?,
            RESUME_TYPE => read().map(|read| (Act::Resume, read))?,
            WITHDRAW_TYPE => {
                let read = read()?;
                (Act::Withdraw { level: read.level.ok_or(EntryError::Content)? }, read)
            }
            _ => return Err(EntryError::Kind),
        };
        let Payload { subject, previous, notice, time, .. } = read;
        let event = Self { subject, previous, notice, time, act };
        if event.payload().as_bytes() == payload { Ok(event) } else { Err(EntryError::Content) }
    }
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A donor's act, signed by the study key.
    Consent(ConsentEvent),
    /// Everything else.
    Institution(InstitutionEvent),
}

impl Event {
    fn parse(typ: &str, payload: &[u8]) -> Result<Self, EntryError> {
        match ConsentEvent::parse(typ, payload) {
            Err(EntryError::Kind) => Ok(Self::Institution(InstitutionEvent::parse(typ, payload)?)),
            event => event.map(Self::Consent),
        }
    }

    /// The `typ` header of this kind.
    pub fn typ(&self) -> &'static str {
        match self {
            Self::Consent(event) => event.typ(),
            Self::Institution(event) => event.typ(),
        }
    }

    /// When it was said, by the clock of who signed.
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Consent(event) => event.time,
            Self::Institution(event) => event.time(),
        }
    }
}

/// A signed event, as it lies in a log. Whoever holds one knows that its signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    bytes: Vec<u8>,
    hash: EntryHash,
    event: Event,
    signer: Did,
}

impl Entry {
    /// Signs what an institution or a key says.
    pub fn sign(key: &SigningKey, event: &InstitutionEvent) -> Result<Self, EntryError> {
        // Reading it back keeps one definition of what an entry may be, lengths and inner signatures included.
        Self::parse(sign_jws(key, event.typ(), &event.payload()).as_bytes())
    }

    /// Reads an entry and checks its signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        let jws = verify_jws(text_of(bytes)?).map_err(|_| EntryError::Signature)?;
        let event = Event::parse(&jws.typ, &jws.payload)?;
        if let Event::Institution(event) = &event {
            event.check_inner_signatures(&jws.signer)?;
        }
        Ok(Self { hash: EntryHash::of(bytes), bytes: bytes.to_vec(), event, signer: jws.signer })
    }

    /// Reads an entry again whose signature was checked before. Only for bytes that are known to be the same.
    #[cfg(feature = "client")]
    pub(crate) fn read_again(bytes: &[u8]) -> Result<Self, EntryError> {
        #[derive(Deserialize)]
        struct Header {
            kid: String,
            typ: String,
        }
        let decode = |part: Option<&str>| {
            BASE64_URL_SAFE_NO_PAD.decode(part.unwrap_or_default()).map_err(|_| EntryError::Signature)
        };
        let mut parts = text_of(bytes)?.split('.');
        let (header, payload) = (decode(parts.next())?, decode(parts.next())?);
        let Header { kid, typ } = serde_json::from_slice(&header).map_err(|_| EntryError::Signature)?;
        let signer = kid.split('#').next().unwrap_or_default().parse().map_err(|_| EntryError::Signature)?;
        let event = Event::parse(&typ, &payload)?;
        Ok(Self { hash: EntryHash::of(bytes), bytes: bytes.to_vec(), event, signer })
    }

    /// The bytes as they lie in the log.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name of the entry.
    pub fn hash(&self) -> EntryHash {
        self.hash
    }

    /// What it says.
    pub fn said(&self) -> &Event {
        &self.event
    }

    /// Who says it. For a donor's entry this is the study key, a pseudonym in one study.
    pub fn signer(&self) -> &Did {
        &self.signer
    }
}

/// A donor's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentEntry {
    entry: Entry,
    event: ConsentEvent,
}

impl ConsentEntry {
    /// Signs an act.
    pub fn sign(key: &SigningKey, event: &ConsentEvent) -> Self {
        let bytes = sign_jws(key, event.typ(), event.payload().as_bytes()).into_bytes();
        let (hash, said) = (EntryHash::of(&bytes), Event::Consent(event.clone()));
        Self { entry: Entry { hash, bytes, event: said, signer: key.did() }, event: event.clone() }
    }

    /// Reads a donor's entry and checks its signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        Entry::parse(bytes)?.try_into()
    }

    /// What the donor says.
    pub fn event(&self) -> &ConsentEvent {
        &self.event
    }
}

impl From<ConsentEntry> for Entry {
    fn from(consent: ConsentEntry) -> Self {
        consent.entry
    }
}

impl TryFrom<Entry> for ConsentEntry {
    type Error = EntryError;

    fn try_from(entry: Entry) -> Result<Self, EntryError> {
        match &entry.event {
            Event::Consent(event) => Ok(Self { event: event.clone(), entry }),
            Event::Institution(_) => Err(EntryError::Kind),
        }
    }
}

impl Deref for ConsentEntry {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        &self.entry
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, EntryError> {
    if bytes.len() > MAX_ENTRY {
        return Err(EntryError::TooLong);
    }
    std::str::from_utf8(bytes).map_err(|_| EntryError::Signature)
}

/// The commitment to a donor (the key at this biobank) and a study: HMAC-SHA256 under a salt that never leaves the
/// donor and the biobank. Without the salt nobody can tell whose it is, also not by trying all donors.
pub fn commit_subject(salt: &[u8; 32], donor: &Did, study: &StudyId) -> Hash {
    commit(salt, &[SUBJECT_DOMAIN, donor.as_str().as_bytes(), b"\n", study.as_str().as_bytes()])
}

/// The commitment to the text that was shown: HMAC-SHA256 under the same salt. Without the salt nobody can tell which
/// text, and so which study, it was.
pub fn commit_notice(salt: &[u8; 32], notice: &Notice) -> Hash {
    // Canonical JSON, because plain lines could be cut in two ways. Four texts and numbers always have one.
    let parts = identity::to_canonical(notice).unwrap_or_default();
    commit(salt, &[NOTICE_DOMAIN, &parts])
}

fn commit(salt: &[u8; 32], parts: &[&[u8]]) -> Hash {
    // HMAC takes keys of every length, so there is no error to lose here.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(salt) else { return Hash::empty_root() };
    parts.iter().for_each(|part| mac.update(part));
    let bytes: [u8; 32] = mac.finalize().into_bytes().into();
    Hash::from_bytes(bytes)
}
