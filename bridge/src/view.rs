//! What the screens show.

use consent::{ConsentState, DataKind, DataOffer, Date, Message, Outcome, Purpose, StudyId, Timestamp};
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
    pub forked: bool,
}

/// Who invites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvitationPreview {
    /// The biobank's name.
    pub biobank: String,
    /// Its address.
    pub address: String,
    /// Its DID, for the disclosure.
    pub did: String,
    /// Until when the invitation can be used.
    pub expires: Timestamp,
}

/// The participant's first page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Home {
    /// The biobank's name.
    pub biobank: String,
    /// Requests that wait for an answer.
    pub requests: Vec<RequestCard>,
    /// What was answered, live consents first.
    pub consents: Vec<ConsentCard>,
    /// The last few events.
    pub lately: Vec<ActivityRow>,
    /// Proofs that researchers ask for.
    pub asks: u32,
    /// The state of the record.
    pub sync: SyncView,
}

/// A request in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestCard {
    /// The study.
    pub study: StudyId,
    /// Its name.
    pub title: String,
    /// Who asks.
    pub organisation: String,
    /// Why, in one sentence.
    pub why: String,
    /// Whether the person said "later" before.
    pub deferred: bool,
}

/// An answer in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsentCard {
    /// The study.
    pub study: StudyId,
    /// Its name.
    pub title: String,
    /// Who uses the data.
    pub organisation: String,
    /// Allowed, stopped, refused.
    pub state: ConsentState,
    /// What is shared.
    pub data: Vec<DataKind>,
    /// Its rules.
    pub rules: Vec<Message>,
    /// The last day.
    pub until: Option<Date>,
    /// Where the last answer stands in the record.
    pub record: RecordView,
    /// When the person answered.
    pub answered: Timestamp,
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
}

/// One study's request, to be read and answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestView {
    /// The study.
    pub study: StudyId,
    /// Its name.
    pub title: String,
    /// Who asks.
    pub organisation: String,
    /// The biobank whose signature on this request checked.
    pub checked_by: String,
    /// The day on which the biobank checked the study.
    pub checked_on: Date,
    /// Why.
    pub why: String,
    /// What can be chosen. Nothing is chosen beforehand.
    pub offers: Vec<DataOffer>,
    /// The rules, as sentences.
    pub rules: Vec<Message>,
    /// The last day.
    pub until: Option<Date>,
    /// The full text.
    pub text: String,
    /// Position among the waiting requests, from 1.
    pub position: u32,
    /// How many requests wait.
    pub of: u32,
    /// SHA-256 of the text as it will be signed (hex).
    pub notice: String,
    /// The pseudonym (DID) that would sign.
    pub signer: String,
}

/// What would be signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SummaryView {
    /// The study.
    pub study: StudyId,
    /// Its name.
    pub title: String,
    /// Who asks.
    pub organisation: String,
    /// What will be shared.
    pub shared: Vec<DataKind>,
    /// What stays with the person.
    pub kept: Vec<DataKind>,
    /// The rules.
    pub rules: Vec<Message>,
    /// The last day.
    pub until: Option<Date>,
}

/// What became of a signed answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptView {
    /// The study.
    pub study: StudyId,
    /// Its name.
    pub title: String,
    /// Active or withdrawn.
    pub state: ConsentState,
    /// Where it stands in the record.
    pub record: RecordView,
}

/// What is shared, and who asks for proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sharing {
    /// All answers.
    pub consents: Vec<ConsentCard>,
    /// Questions for proof that wait.
    pub asks: Vec<AskCard>,
}

/// A researcher's question for proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskCard {
    /// Which question.
    pub id: String,
    /// The study.
    pub study: StudyId,
    /// Its name.
    pub title: String,
    /// Who asks.
    pub organisation: String,
    /// When.
    pub asked: Timestamp,
    /// What for.
    pub purpose: Purpose,
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

/// The key, as far as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyView {
    /// The fingerprint of the wallet.
    pub fingerprint: String,
    /// Where the secret lives: `secret-service`, `apple-keychain` or `windows-credential-manager`.
    pub keychain: String,
    /// The pseudonyms in use: for whom, and the DID.
    pub pseudonyms: Vec<Pseudonym>,
}

/// A DID and for whom it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pseudonym {
    /// The biobank or study that knows the person by it.
    pub name: String,
    /// The DID.
    pub did: String,
}

/// The donors and invitations of a biobank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Donors {
    /// The biobank's name.
    pub biobank: String,
    /// One row an invitation, latest first.
    pub rows: Vec<DonorRow>,
}

/// A donor, by pseudonym.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DonorRow {
    /// The number under which the desk knows the donor.
    pub donor: String,
    /// Sent, accepted or expired.
    pub state: InvitationState,
    /// When the invitation was made.
    pub invited: Timestamp,
    /// Until when it can be used.
    pub expires: Timestamp,
    /// When the donor joined.
    pub joined: Option<Timestamp>,
    /// Consents in force.
    pub live: u32,
    /// Consents taken back.
    pub withdrawn: u32,
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InvitationState {
    /// Out, not used.
    Sent,
    /// Used.
    Accepted,
    /// Too old.
    Expired,
}

/// A one-time invitation. The code is shown once and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvitationView {
    /// The donor's number.
    pub donor: String,
    /// The link.
    pub link: String,
    /// The link as a picture.
    pub qr: QrView,
    /// Eight characters, as `ABCD-EFGH`.
    pub code: String,
    /// The biobank's address, to be typed with the code.
    pub address: String,
    /// Until when.
    pub expires: Timestamp,
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

/// The studies of a biobank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Studies {
    /// The researcher's organisation.
    pub organisation: String,
    /// The studies of this organisation.
    pub studies: Vec<StudyCard>,
}

/// A study and the purpose that it stated when it was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StudyCard {
    /// The study.
    pub study: StudyId,
    /// Its name.
    pub title: String,
    /// A purpose to start from; the researcher changes it.
    pub purpose: Purpose,
}

/// The answer to a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckView {
    /// Permit, review or deny; nothing if the proof itself is not valid or could not be checked.
    pub outcome: Option<Outcome>,
    /// Every reason, the strictest first.
    pub reasons: Vec<consent::Reason>,
    /// What the user of the data owes.
    pub duties: Vec<String>,
    /// Every check that was made, in order.
    pub checks: Vec<CheckRow>,
    /// The study, if the proof says which.
    pub study: Option<StudyId>,
    /// The kinds of data that the consent covers.
    pub data: Vec<DataKind>,
    /// Who signed (DID).
    pub signer: Option<String>,
    /// The entry by which the consent was given.
    pub given: Option<Recorded>,
    /// The entry by which it was withdrawn.
    pub withdrawn: Option<Recorded>,
    /// How fresh: when the record was read and verified from end to end.
    pub live_at: Option<Timestamp>,
    /// How many entries the record had then.
    pub log_size: Option<u64>,
}

/// One named check and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckRow {
    /// Which check (`check-…`).
    pub name: String,
    /// Passed, failed or not made.
    pub result: CheckResult,
    /// Evidence or reason, for the disclosure.
    pub detail: String,
}

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckResult {
    /// It held.
    Passed,
    /// It did not hold.
    Failed,
    /// It could not be made.
    NotMade,
}

/// Questions for proof and what came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asks {
    /// Latest first.
    pub asks: Vec<AskRow>,
}

/// One question and its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskRow {
    /// Which question.
    pub id: String,
    /// The study.
    pub study: StudyId,
    /// Its name.
    pub title: String,
    /// When it was asked.
    pub asked: Timestamp,
    /// How many donors were asked.
    pub sent: u32,
    /// The answers, each checked again just now.
    pub answers: Vec<CheckView>,
}
