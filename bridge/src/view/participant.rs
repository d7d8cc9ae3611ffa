//! What a participant sees.

use crate::view::{ActivityRow, RecordView, SyncView};
use consent::{
    Choice, Choices, ConsentState, ContactKind, DataKind, DataOffer, Date, Difference, Effect, Message, Outcome,
    Purpose, Question, ResultKind, StudyId, Timestamp, Withdrawal,
};
use serde::{Deserialize, Serialize};

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
    /// Until when the invitation can be used, if it says so.
    pub expires: Option<Timestamp>,
    /// Whether a code has to be typed that came by another way.
    pub pin: bool,
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
    /// Whether it fits the person's choices.
    pub fits: Outcome,
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
    /// The last day of the pause, if it is paused and the pause has one.
    pub paused_until: Option<Date>,
    /// Where the last answer stands in the record.
    pub record: RecordView,
    /// When the person answered.
    pub answered: Timestamp,
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
    /// Questions to answer with yes, no or "not sure". None is answered beforehand, and none has to be.
    pub questions: Vec<Question>,
    /// Results that the study can tell.
    pub results: Vec<ResultKind>,
    /// Reasons for which it would like to get in touch.
    pub contact: Vec<ContactKind>,
    /// Whether it fits the person's choices, and what stands against it.
    pub fits: FitView,
    /// What the person chose before, when a standing consent is changed.
    pub current: Option<Choice>,
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
    /// The text that is signed, paragraph by paragraph, and its digest.
    pub statement: StatementView,
    /// What is different from the version in force; empty for a first answer.
    pub differences: Vec<Difference>,
    /// What it would do to the study's stated use.
    pub effects: Vec<EffectView>,
}

/// A text that is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementView {
    /// The text, paragraph by paragraph.
    pub paragraphs: Vec<String>,
    /// SHA-256 of the text (hex): what is seen is what is signed.
    pub digest: String,
}

/// Whether a use fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FitView {
    /// Permit fits, deny does not, review is for the person to say.
    pub outcome: Outcome,
    /// What stands against it, or is open.
    pub reasons: Vec<Message>,
}

/// What a change would do to one study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EffectView {
    /// The study.
    pub study: StudyId,
    /// Its name.
    pub title: String,
    /// What would happen.
    pub effect: Effect,
    /// Why, where it would stop or needs a look.
    pub reasons: Vec<Message>,
}

/// A step that a donor takes with a consent that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "camelCase", deny_unknown_fields)]
pub enum DonorStep {
    /// Pauses it.
    Pause {
        /// The last day of the pause; without one it lasts until the donor resumes.
        until: Option<Date>,
    },
    /// Lets it go on.
    Resume,
    /// Takes it back.
    Withdraw {
        /// How far.
        level: Withdrawal,
    },
}

/// What a step means, before it is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// The study.
    pub study: StudyId,
    /// Its name.
    pub title: String,
    /// Who uses the data.
    pub organisation: String,
    /// The step.
    pub step: DonorStep,
    /// The text that is signed.
    pub statement: StatementView,
    /// What it would do to the study's stated use.
    pub effects: Vec<EffectView>,
}

/// What a donor can do with a consent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Possible {
    /// Change what is shared.
    Change,
    /// Let it last longer.
    Extend,
    /// Pause it.
    Pause,
    /// Let it go on.
    Resume,
    /// Leave the study, or go a level further.
    Leave,
    /// Answer anew.
    AskAgain,
    /// Save a proof for the researcher.
    Prove,
}

/// One consent, with everything that happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsentView {
    /// What the list shows.
    pub card: ConsentCard,
    /// What was chosen last.
    pub choice: Choice,
    /// What can be done now.
    pub possible: Vec<Possible>,
    /// The levels at which it can be taken back from here, weakest first.
    pub levels: Vec<Withdrawal>,
    /// Each signed step, latest first.
    pub history: Vec<HistoryRow>,
}

/// One signed step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRow {
    /// The entry (hex).
    pub entry: String,
    /// What was done, as a sentence (`history-…`).
    pub message: Message,
    /// The number of the version, counted from 1, where a version was signed.
    pub version: Option<u32>,
    /// What that version is now.
    pub state: Option<ConsentState>,
    /// When.
    pub at: Timestamp,
    /// What it changed against the version before.
    pub differences: Vec<Difference>,
    /// The text that was shown and signed.
    pub statement: StatementView,
    /// Whether the text, made anew from what was signed, has the digest that was signed. A row of an old wallet may
    /// have none.
    pub same: Option<bool>,
    /// Where it stands in the record.
    pub record: RecordView,
}

/// The person's choices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChoicesView {
    /// What was saved last.
    pub choices: Choices,
    /// Names of the diseases in it.
    pub diseases: Vec<DiseaseView>,
    /// When it was saved; nothing if never.
    pub saved: Option<Timestamp>,
}

/// What other choices would mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SimulationView {
    /// What is different from the saved choices.
    pub differences: Vec<Difference>,
    /// What they would do to each study that runs or asks.
    pub effects: Vec<EffectView>,
}

/// Choices that were read from a file of another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportView {
    /// What could be read, on top of the saved choices. Nothing is saved yet.
    pub choices: Choices,
    /// Names of the diseases in it.
    pub diseases: Vec<DiseaseView>,
    /// How many answers were read.
    pub read: u32,
    /// What could not be represented, each in the words of the file.
    pub left_out: Vec<String>,
}

/// A disease by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiseaseView {
    /// The term: `MONDO:0005015`.
    pub term: String,
    /// Its name.
    pub label: String,
    /// The other name that was found, if it was not the name.
    pub synonym: Option<String>,
}

/// Diseases that were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diseases {
    /// The best first.
    pub found: Vec<DiseaseView>,
    /// The hierarchy and its version: `MONDO 2026-05-05`.
    pub ontology: String,
}

/// In which form a receipt is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReceiptFormat {
    /// To print and keep.
    Pdf,
    /// HL7 FHIR R5 Consent.
    Fhir,
    /// ODRL policy.
    Odrl,
    /// DPV / ISO/IEC TS 27560 consent record.
    Dpv,
}

impl ReceiptFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pdf, Self::Fhir, Self::Odrl, Self::Dpv];

    /// The name in a command and in the ids of its words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Fhir => "fhir",
            Self::Odrl => "odrl",
            Self::Dpv => "dpv",
        }
    }
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

/// A request to show something, as it came by a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PresentationView {
    /// The organisation, if the biobank vouches for who asks.
    pub organisation: Option<String>,
    /// The name that whoever asks gives themselves.
    pub name: Option<String>,
    /// The client identifier, for the disclosure.
    pub client: String,
    /// The host that the answer goes to.
    pub goes_to: String,
    /// What for, if the person is to agree to a purpose.
    pub purpose: Option<Purpose>,
    /// What is wanted; at least one thing.
    pub wants: Vec<WantView>,
}

/// One thing that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WantView {
    /// Whether nothing can be shown without it.
    pub required: bool,
    /// What has to be shown together.
    pub credentials: Vec<AskedCredential>,
}

/// One credential that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskedCredential {
    /// Its name in the request.
    pub id: String,
    /// The consents that fit, at least one.
    pub studies: Vec<StudyName>,
    /// The clauses that are asked for, as members of the consent. All others are told beside them.
    pub asked: Vec<String>,
}

/// A study by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StudyName {
    /// Which.
    pub study: StudyId,
    /// Its name.
    pub title: String,
}

/// What a person shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The name of the credential in the request.
    pub id: String,
    /// The study whose consent it is.
    pub study: StudyId,
}
