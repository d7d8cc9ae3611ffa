//! What institutions and keys say to a log: everything beside the donors' own acts. One structure a kind; its members
//! are those of the payload, in canonical JSON.

use crate::entry::EntryError;
use crate::hash::{EntryHash, Hash};
use consent::{Date, Outcome, StudyId, Timestamp};
use identity::{Did, SigningKey, sign_jws, verify_jws};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::json;
use std::fmt;
use std::str::FromStr;

/// The `typ` by which a new key shows that somebody holds it.
const KEY_PROOF_TYPE: &str = "key-proof.v1+jws";
/// The `typ` by which a second member of staff agrees to a re-binding.
const KEY_APPROVAL_TYPE: &str = "key-approval.v1+jws";
/// The longest name of an organisation, a policy, a place or a reference, in bytes.
const MAX_LABEL: usize = 256;

/// A short printable text without blanks at its ends: a name or an identifier, never a person's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label(String);

impl Label {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, EntryError> {
        let plain = !text.chars().any(char::is_control) && text.trim() == text;
        if plain && (1..=MAX_LABEL).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(EntryError::Content)
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What somebody may do at an institution, as far as its log knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Speaks for the institution itself. One key has this role; the first entry that names it founds the log.
    Institution,
    /// Registers samples and studies, and re-binds keys, two together.
    Staff,
    /// Asks for access, and tells of use.
    Researcher,
    /// Decides on access.
    Committee,
    /// Reads what is not public.
    Auditor,
    /// Another institution of the consortium.
    Member,
}

/// Somebody joins, changes the role, or leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    /// Whether the member may act from now on.
    pub active: bool,
    /// Who.
    pub member: Did,
    /// For which organisation.
    pub organisation: Label,
    /// As what.
    pub role: Role,
    /// When.
    pub time: Timestamp,
}

/// The institution speaks with another key from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstitutionKey {
    /// The new key.
    pub key: Did,
    /// The new key's signature that somebody holds it.
    pub proof: String,
    /// When.
    pub time: Timestamp,
}

/// The log signs its checkpoints with this key as well, or from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogKey {
    /// When.
    pub time: Timestamp,
    /// The verifier key (C2SP signed-note).
    pub vkey: Label,
}

/// A version of a study is published, or a study opens or closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyVersion {
    /// Whether donors may join and researchers ask.
    pub open: bool,
    /// Who runs it.
    pub organisation: Label,
    /// The SHA-256 of the canonical JSON of the request that donors read.
    pub request: Hash,
    /// The study.
    pub study: StudyId,
    /// When.
    pub time: Timestamp,
    /// The version of its protocol.
    pub version: u32,
}

/// A version of a policy is published: rules of access, of retention, of the federation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyVersion {
    /// The SHA-256 of its text.
    pub document: Hash,
    /// Its name.
    pub policy: Label,
    /// When.
    pub time: Timestamp,
    /// Its version.
    pub version: u32,
}

/// The institution, an ethics board or a court ends a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// Why.
    pub cause: Cause,
    /// Whose consent: the commitment to donor and study.
    pub subject: Hash,
    /// When.
    pub time: Timestamp,
}

/// Why an institution ends a consent. The first three revoke it, the others say that it is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// An ethics board.
    Ethics,
    /// A court or an authority.
    Court,
    /// The institution can not keep what it promised, for instance because a study ended.
    Institution,
    /// Somebody else signed.
    Fraud,
    /// The donor could not decide.
    Capacity,
    /// The donor came of age and did not confirm.
    Majority,
}

impl Cause {
    /// The move in the life of the consent.
    pub fn step(self) -> consent::Move {
        match self {
            Self::Ethics | Self::Court | Self::Institution => consent::Move::Revoke,
            Self::Fraud | Self::Capacity | Self::Majority => consent::Move::Invalidate,
        }
    }
}

/// A donor speaks with another study key from now on, and says so with the old one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRotation {
    /// The new key.
    pub key: Did,
    /// The latest entry of the subject.
    pub previous: EntryHash,
    /// The new key's signature that somebody holds it.
    pub proof: String,
    /// The commitment to donor and study.
    pub subject: Hash,
    /// When.
    pub time: Timestamp,
}

/// A donor lost the study key: one member of staff binds the consent to a new one, and another agrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRebinding {
    /// The signature of the second member of staff.
    pub approval: String,
    /// The new key.
    pub key: Did,
    /// The latest entry of the subject.
    pub previous: EntryHash,
    /// The new key's signature that somebody holds it.
    pub proof: String,
    /// The commitment to donor and study.
    pub subject: Hash,
    /// When.
    pub time: Timestamp,
}

impl KeyRebinding {
    /// Who agreed. The signature was checked when the entry was read.
    pub fn approver(&self) -> Option<Did> {
        verify_jws(&self.approval).ok().map(|jws| jws.signer)
    }
}

/// A researcher asks for access to what a study holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRequest {
    /// For which organisation.
    pub organisation: Label,
    /// The SHA-256 of the canonical JSON of the purpose.
    pub purpose: Hash,
    /// The study.
    pub study: StudyId,
    /// When.
    pub time: Timestamp,
    /// The version of the study that was read.
    pub version: u32,
}

/// The data access committee answers a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessDecision {
    /// Yes, no, or not yet.
    pub outcome: Outcome,
    /// The SHA-256 of the reasons as they were given to the researcher.
    pub reasons: Hash,
    /// The request, by its entry.
    pub request: EntryHash,
    /// When.
    pub time: Timestamp,
    /// The last day of a yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// The institution lets one key use data for one purpose, for an hour at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessGrant {
    /// The SHA-256 of the signed decision on which the grant rests.
    pub decision: Hash,
    /// When it ends.
    pub expires: Timestamp,
    /// To whom.
    pub holder: Did,
    /// The SHA-256 of the canonical JSON of the purpose.
    pub purpose: Hash,
    /// The request that a committee allowed, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<EntryHash>,
    /// When it begins.
    pub time: Timestamp,
}

/// Data were used under a grant. Which donors' they were only those donors can tell, with what the institution hands
/// to each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessUse {
    /// The grant, by its entry.
    pub grant: EntryHash,
    /// When.
    pub time: Timestamp,
    /// The commitment to the list of subjects.
    pub uses: Hash,
}

/// A step in the life of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleEvent {
    /// The sample that this one was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Hash>,
    /// Where it is, as a code of the institution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Label>,
    /// The latest entry of the same sample; none for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<EntryHash>,
    /// The commitment to the sample's number.
    pub sample: Hash,
    /// What happened.
    pub step: SampleStep,
    /// When.
    pub time: Timestamp,
}

/// What can happen to a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SampleStep {
    /// Taken from a donor.
    Collect,
    /// Made from another sample.
    Derive,
    /// Brought to another place.
    Move,
    /// Nothing is left of it.
    Consume,
    /// Destroyed.
    Destroy,
}

/// The set of study pseudonyms with a live consent for a purpose on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The day.
    pub epoch: Date,
    /// The public key under which the pseudonyms were made (C2SP vrf-r255).
    pub key: Hash,
    /// The SHA-256 of the canonical JSON of the purpose.
    pub purpose: Hash,
    /// The root over the set.
    pub root: Hash,
    /// How many leaves it has, with those that hide the true count.
    pub size: u64,
    /// The study.
    pub study: StudyId,
    /// When.
    pub time: Timestamp,
}

/// A checkpoint of this log was written down somewhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// What kind of place, as a code.
    pub kind: Label,
    /// Where to find it there.
    pub reference: Label,
    /// The root of the checkpoint.
    pub root: Hash,
    /// Its size.
    pub size: u64,
    /// When.
    pub time: Timestamp,
}

/// One row a kind that an institution or a key says: variant, structure, `typ`.
macro_rules! institution_events {
    ($($(#[$doc:meta])* $variant:ident($content:ident) = $typ:literal;)*) => {
        /// What an entry says that is no act of a donor.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum InstitutionEvent { $($(#[$doc])* $variant($content),)* }

        impl InstitutionEvent {
            /// The `typ` of each kind, in the order of this type.
            pub const TYPES: &'static [&'static str] = &[$($typ,)*];

            /// The `typ` header of this kind.
            pub fn typ(&self) -> &'static str {
                match self { $(Self::$variant(_) => $typ,)* }
            }

            /// When it was said.
            pub fn time(&self) -> Timestamp {
                match self { $(Self::$variant(content) => content.time,)* }
            }

            /// The canonical JSON (RFC 8785).
            pub fn payload(&self) -> Vec<u8> {
                match self { $(Self::$variant(content) => canonical(content),)* }
            }

            /// Reads the payload of a `typ`, and takes only the one spelling that `payload` writes.
            pub(crate) fn parse(typ: &str, payload: &[u8]) -> Result<Self, EntryError> {
                let event = match typ {
                    $($typ => Self::$variant(read(payload)?),)*
                    _ => return Err(EntryError::Kind),
                };
                event.check_inner_signatures()?;
                Ok(event)
            }
        }
    };
}

institution_events! {
    /// Somebody joins or leaves.
    Member(MemberChange) = "member.v1+jws";
    /// The institution's new key.
    InstitutionKey(InstitutionKey) = "institution-key.v1+jws";
    /// The log's new key.
    LogKey(LogKey) = "log-key-change.v1+jws";
    /// A study's version.
    Study(StudyVersion) = "study.v1+jws";
    /// A policy's version.
    Policy(PolicyVersion) = "policy.v1+jws";
    /// The end of a consent that the donor did not choose.
    Ending(Ending) = "consent-end.v1+jws";
    /// A donor's new key, said with the old one.
    KeyRotation(KeyRotation) = "key-rotate.v1+jws";
    /// A donor's new key, said by two members of staff.
    KeyRebinding(KeyRebinding) = "key-rebind.v1+jws";
    /// A researcher asks.
    AccessRequest(AccessRequest) = "access-request.v1+jws";
    /// A committee answers.
    AccessDecision(AccessDecision) = "access-decision.v1+jws";
    /// The institution lets somebody use data.
    AccessGrant(AccessGrant) = "access-grant.v1+jws";
    /// Data were used.
    AccessUse(AccessUse) = "access-use.v1+jws";
    /// The life of a sample.
    Sample(SampleEvent) = "sample.v1+jws";
    /// A set of live pseudonyms.
    Snapshot(Snapshot) = "snapshot.v1+jws";
    /// A checkpoint is kept elsewhere.
    Anchor(Anchor) = "anchor.v1+jws";
}

impl InstitutionEvent {
    /// The signatures inside of an entry are checked as it is read, so that the rules need no cryptography.
    fn check_inner_signatures(&self) -> Result<(), EntryError> {
        match self {
            Self::InstitutionKey(said) => check_proof(&said.proof, &said.key, &said.key.to_string()),
            Self::KeyRotation(said) => check_proof(&said.proof, &said.key, &binding(&said.subject, &said.previous)),
            Self::KeyRebinding(said) => {
                let binding = binding(&said.subject, &said.previous);
                check_proof(&said.proof, &said.key, &binding)?;
                let approval = verify_jws(&said.approval).map_err(|_| EntryError::Signature)?;
                let same = approval.payload == statement(&said.key, &binding);
                if same && approval.typ == KEY_APPROVAL_TYPE { Ok(()) } else { Err(EntryError::Signature) }
            }
            _ => Ok(()),
        }
    }
}

/// The signature of a new study key that somebody holds it, for one subject after one entry.
pub fn prove_study_key(key: &SigningKey, subject: &Hash, previous: &EntryHash) -> String {
    sign_jws(key, KEY_PROOF_TYPE, &statement(&key.did(), &binding(subject, previous)))
}

/// The signature of a second member of staff under a re-binding.
pub fn approve_rebinding(staff: &SigningKey, key: &Did, subject: &Hash, previous: &EntryHash) -> String {
    sign_jws(staff, KEY_APPROVAL_TYPE, &statement(key, &binding(subject, previous)))
}

/// The signature of an institution's new key that somebody holds it.
pub fn prove_institution_key(key: &SigningKey) -> String {
    let did = key.did();
    sign_jws(key, KEY_PROOF_TYPE, &statement(&did, &did.to_string()))
}

fn binding(subject: &Hash, previous: &EntryHash) -> String {
    format!("{subject} {previous}")
}

fn statement(key: &Did, what: &str) -> Vec<u8> {
    canonical(&json!({ "for": what, "key": key }))
}

fn check_proof(proof: &str, key: &Did, what: &str) -> Result<(), EntryError> {
    let jws = verify_jws(proof).map_err(|_| EntryError::Signature)?;
    let holds = jws.signer == *key && jws.typ == KEY_PROOF_TYPE && jws.payload == statement(key, what);
    if holds { Ok(()) } else { Err(EntryError::Signature) }
}

fn canonical(content: &impl Serialize) -> Vec<u8> {
    // Texts, whole numbers below 2^53 and codes always have a canonical form; what has none is refused when it is read.
    identity::to_canonical(content).unwrap_or_default()
}

fn read<T: DeserializeOwned + Serialize>(payload: &[u8]) -> Result<T, EntryError> {
    let content: T = serde_json::from_slice(payload).map_err(|_| EntryError::Content)?;
    if canonical(&content) == payload { Ok(content) } else { Err(EntryError::Content) }
}
