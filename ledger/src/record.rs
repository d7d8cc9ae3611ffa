//! What the state of a log is made of: records under keys, so that a host can keep them in any database and look up
//! just those that an entry touches.

use crate::entry::{Entry, Event};
use crate::event::{Cause, InstitutionEvent, Role, SampleStep};
use crate::hash::{EntryHash, Hash};
use consent::{ConsentState, Date, Outcome, Standing, StudyId, Timestamp};
use identity::Did;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of a record, as in `subject/8bb6…`. Its text is stable: it is what is hashed and stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Who speaks for the institution.
    pub fn authority() -> Self {
        Self("authority".into())
    }

    /// A member of the institution.
    pub fn member(did: &Did) -> Self {
        Self(format!("member/{did}"))
    }

    /// A donor in a study, by the commitment to both.
    pub fn subject(subject: &Hash) -> Self {
        Self(format!("subject/{subject}"))
    }

    /// A study.
    pub fn study(study: &StudyId) -> Self {
        Self(format!("study/{study}"))
    }

    /// A policy.
    pub fn policy(name: &str) -> Self {
        Self(format!("policy/{name}"))
    }

    /// A request for access, by its entry.
    pub fn request(entry: &EntryHash) -> Self {
        Self(format!("request/{entry}"))
    }

    /// A grant of access, by its entry.
    pub fn grant(entry: &EntryHash) -> Self {
        Self(format!("grant/{entry}"))
    }

    /// A sample, by the commitment to its number.
    pub fn sample(sample: &Hash) -> Self {
        Self(format!("sample/{sample}"))
    }

    /// A set of live pseudonyms.
    pub fn snapshot(study: &StudyId, epoch: Date, purpose: &Hash) -> Self {
        Self(format!("snapshot/{study}/{epoch}/{purpose}"))
    }

    /// The latest anchor of a kind.
    pub fn anchor(kind: &str) -> Self {
        Self(format!("anchor/{kind}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A key as it was stored.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The version of a consent that counts, or counted last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRecord {
    /// The hash of the credential.
    pub credential: Hash,
    /// Its entry.
    pub entry: EntryHash,
    /// Its number in the log.
    pub index: u64,
    /// The salted hash of the policy.
    pub policy: Hash,
    /// When the donor decided.
    pub time: Timestamp,
}

/// The last word of the institution on a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstitutionWord {
    /// Why it ended the consent; none after it has asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// When. An older word is one that somebody held back.
    pub time: Timestamp,
}

/// What the log says of one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectState {
    /// The last version. It counts only while the standing allows use.
    #[serde(rename = "version")]
    pub grant: GrantRecord,
    /// What the institution said of it last, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub institution: Option<InstitutionWord>,
    /// The last entry.
    pub latest: EntryHash,
    /// Its number in the log.
    #[serde(rename = "latestIndex")]
    pub latest_index: u64,
    /// The only key that may speak for the subject: the one that spoke first, or the one it was bound to since.
    pub signer: Did,
    /// Where the consent stands, with its dates.
    pub standing: Standing,
}

impl SubjectState {
    /// The state on a day: what ends by a date has ended on that day, whoever is online.
    pub fn state_at(&self, day: Date) -> ConsentState {
        self.standing.at(day)
    }

    /// Why the institution ended the consent, as long as it has not asked again: until then a yes does not count.
    pub fn closed(&self) -> Option<Cause> {
        self.institution.as_ref().and_then(|word| word.cause)
    }
}

/// What the log says of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// Whether the member may act.
    pub active: bool,
    /// For which organisation.
    pub organisation: String,
    /// As what.
    pub role: Role,
    /// The entry that says so.
    pub since: u64,
    /// When it was said. An older word is one that somebody held back.
    pub time: Timestamp,
}

/// What the log says of a study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyRecord {
    /// The entry that says so.
    pub latest: u64,
    /// Whether donors may join and researchers ask.
    pub open: bool,
    /// Who runs it.
    pub organisation: String,
    /// The hash of the request that donors read.
    pub request: Hash,
    /// When it was said. An older word is one that somebody held back.
    pub time: Timestamp,
    /// The version of its protocol.
    pub version: u32,
}

/// What the log says of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// The hash of its text.
    pub document: Hash,
    /// The entry that says so.
    pub latest: u64,
    /// Its version.
    pub version: u32,
}

/// What the log says of a request for access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The entry that decided, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<u64>,
    /// For which organisation it was made.
    pub organisation: String,
    /// The answer, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The hash of the purpose.
    pub purpose: Hash,
    /// Who asked.
    pub requester: Did,
    /// The study.
    pub study: StudyId,
    /// The last day of a yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// What the log says of a grant of access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRecord {
    /// When it ends.
    pub expires: Timestamp,
    /// To whom.
    pub holder: Did,
    /// The hash of the purpose.
    pub purpose: Hash,
    /// When it begins.
    pub time: Timestamp,
    /// The number of the latest use under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}

/// What the log says of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleRecord {
    /// The last entry.
    pub latest: EntryHash,
    /// The sample it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Hash>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What happened last.
    pub step: SampleStep,
}

impl SampleRecord {
    /// Whether something is left of it.
    pub fn is_there(&self) -> bool {
        !matches!(self.step, SampleStep::Consume | SampleStep::Destroy)
    }
}

/// What the log says of a set of pseudonyms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRecord {
    /// The entry that says so.
    pub entry: u64,
    /// The key of the pseudonyms.
    pub key: Hash,
    /// The root over the set.
    pub root: Hash,
    /// How many leaves it has.
    pub size: u64,
}

/// What the log says of its anchors of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorRecord {
    /// The entry that says so.
    pub entry: u64,
    /// The root of the anchored checkpoint.
    pub root: Hash,
    /// Its size.
    pub size: u64,
}

/// Who speaks for the institution, and under which key the log is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityRecord {
    /// The institution's key.
    pub key: Did,
    /// The log's ML-DSA-44 key, if one was ever named.
    #[serde(default, rename = "mlDsaVkey", skip_serializing_if = "Option::is_none")]
    pub ml_dsa_vkey: Option<String>,
    /// When the institution last spoke of keys. An older word is one that somebody held back.
    pub time: Timestamp,
    /// The log's Ed25519 key, if one was ever named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vkey: Option<String>,
}

/// One record of the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Record {
    /// Who speaks for the institution.
    Authority(AuthorityRecord),
    /// A member.
    Member(MemberRecord),
    /// A donor in a study.
    Subject(SubjectState),
    /// A study.
    Study(StudyRecord),
    /// A policy.
    Policy(PolicyRecord),
    /// A request for access.
    Request(RequestRecord),
    /// A grant of access.
    Access(AccessRecord),
    /// A sample.
    Sample(SampleRecord),
    /// A set of pseudonyms.
    Snapshot(SnapshotRecord),
    /// The latest anchor of a kind.
    Anchor(AnchorRecord),
}

impl Record {
    /// The record as it is hashed and stored: canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Texts, codes and numbers below 2^53 always have a canonical form.
        identity::to_canonical(self).unwrap_or_default()
    }

    /// Reads a record as it was stored.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// Every record that the rules read to judge an entry. All others can not matter to it.
pub fn keys_of(entry: &Entry) -> Vec<Key> {
    use InstitutionEvent as E;
    let event = match entry.said() {
        Event::Consent(event) => return vec![Key::subject(&event.subject)],
        Event::Institution(event) => event,
    };
    let mut keys = vec![Key::authority(), Key::member(entry.signer())];
    match event {
        E::Member(said) => keys.push(Key::member(&said.member)),
        E::InstitutionKey(said) => keys.push(Key::member(&said.key)),
        E::LogKey(_) => {}
        E::Study(said) => keys.push(Key::study(&said.study)),
        E::Policy(said) => keys.push(Key::policy(said.policy.as_str())),
        E::Ending(said) => keys.push(Key::subject(&said.subject)),
        E::Asking(said) => keys.push(Key::subject(&said.subject)),
        E::KeyRotation(said) => keys.extend([Key::subject(&said.subject), Key::member(&said.key)]),
        E::KeyRebinding(said) => {
            keys.extend([Key::subject(&said.subject), Key::member(&said.key)]);
            keys.extend(said.approver().map(|did| Key::member(&did)));
        }
        E::AccessRequest(said) => keys.extend([Key::study(&said.study), Key::request(&entry.hash())]),
        E::AccessDecision(said) => keys.push(Key::request(&said.request)),
        E::AccessGrant(said) => {
            keys.extend([Key::member(&said.holder), Key::grant(&entry.hash())]);
            keys.extend(said.request.map(|request| Key::request(&request)));
        }
        E::AccessUse(said) => keys.push(Key::grant(&said.grant)),
        E::Sample(said) => {
            keys.push(Key::sample(&said.sample));
            keys.extend(said.parent.map(|parent| Key::sample(&parent)));
        }
        E::Snapshot(said) => {
            keys.extend([Key::study(&said.study), Key::snapshot(&said.study, said.epoch, &said.purpose)]);
        }
        E::Anchor(said) => keys.push(Key::anchor(said.kind.as_str())),
    }
    keys
}
