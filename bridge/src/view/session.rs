//! What every role sees.

use consent::{Message, Timestamp};
use serde::{Deserialize, Serialize};

/// Who uses a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// A donor.
    Participant,
    /// Staff of a biobank.
    Staff,
    /// A researcher.
    Researcher,
}

impl Role {
    /// All roles, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Participant, Self::Staff, Self::Researcher];

    /// The name that it has in folders, in the keychain and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Participant => "participant",
            Self::Staff => "staff",
            Self::Researcher => "researcher",
        }
    }
}

/// Where the program stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The open profile, or the one that could not be opened.
    pub role: Option<Role>,
    /// Which screen comes next.
    pub stage: Stage,
    /// The institution's name, once connected.
    pub institution: Option<String>,
    /// A biobank to try on this machine, if one was started for that.
    pub demo: Option<Demo>,
    /// An invitation link that the program was started with; untrusted text like one that is pasted.
    pub invitation: Option<String>,
    /// The fingerprint in the marker file, if a wallet exists.
    pub fingerprint: Option<String>,
}

/// Which screen comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// No profile is open: choose one.
    Choose,
    /// The profile does not exist yet: explain, then make it.
    FirstRun,
    /// There is no keychain service.
    KeychainAbsent,
    /// The keychain is locked.
    KeychainLocked,
    /// The marker tells of a wallet whose key is not in the keychain.
    KeyMissing,
    /// The key in the keychain belongs to another wallet than the marker's.
    KeyForeign,
    /// The keychain holds a key, but the profile's folder is gone.
    KeyWithoutProfile,
    /// Open, but not enrolled or connected.
    Unconnected,
    /// Open and connected.
    Ready,
}

/// A biobank on this machine for trying things out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Demo {
    /// Its address.
    pub address: String,
    /// The one-time code for this role, if it needs one.
    pub code: Option<String>,
}

/// Whether everything is sent and checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncView {
    /// Entries that wait to be sent or to be proven.
    pub waiting: u32,
    /// Whether the biobank answered at the last try.
    pub online: bool,
    /// The last moment at which the record was checked.
    pub checked: Option<Timestamp>,
    /// An alarm: the record went back or forked.
    pub alarm: Option<AlarmView>,
}

/// The biobank's record contradicts what this computer saw of it before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlarmView {
    /// What was believed.
    pub before: HeadView,
    /// What was shown then.
    pub after: HeadView,
    /// When it was noticed.
    pub noticed: Timestamp,
    /// Whether the two alone convict the biobank: not if the record only became shorter.
    pub proven: bool,
}

/// The head of a record, as its biobank signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeadView {
    /// Entries in it.
    pub size: u64,
    /// The hash over all of them.
    pub root: String,
}

/// Where an answer stands in the record. `Recorded` exists only where an inclusion proof checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RecordView {
    /// Said on this computer only; there is nothing to record (a "no", a "later").
    Local,
    /// Signed and saved; will be sent.
    Saved,
    /// The server has it; the proof is not here yet.
    Sent,
    /// In the record, by a proof that was checked here.
    Recorded(Recorded),
    /// The server refused it.
    Refused,
}

/// An entry whose proof was checked on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// Its place in the record, counted from 0.
    pub index: u64,
    /// The hash of the entry (hex).
    pub hash: String,
    /// When the proof was checked.
    pub checked: Timestamp,
    /// What the other institutions of the consortium did, where the biobank is in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<QuorumView>,
}

/// What the other institutions of a consortium have to do with an entry: each that signed has seen the same record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuorumView {
    /// Whether enough of them signed.
    pub reached: bool,
    /// Who signed.
    pub signed: Vec<String>,
    /// Who did not, or not yet.
    pub missing: Vec<String>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedFile {
    /// Where it is.
    pub path: String,
}

/// Everything that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// Latest first.
    pub rows: Vec<ActivityRow>,
}

/// One step. Holds no value of any attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityRow {
    /// When.
    pub at: Timestamp,
    /// What, as a sentence (`activity-…`).
    pub message: Message,
    /// Whether it went well.
    pub ok: bool,
    /// Why not, if not.
    pub failure: Option<crate::Failure>,
    /// The entry in the record, if there is one and its proof was checked.
    pub record: Option<Recorded>,
}

/// A QR picture: an SVG path of unit squares in a square of `size` units, without the quiet zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QrView {
    /// Modules on a side.
    pub size: u32,
    /// The `d` of an SVG path.
    pub path: String,
}
