//! What a screen can ask for.

use crate::view::*;
use consent::{Choice, Choices, Purpose, StudyId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A question to the core, with the name that it has in the window and the type of its answer.
pub trait Command: Serialize + DeserializeOwned {
    /// The name of the window's command.
    const NAME: &'static str;
    /// What comes back when it goes well.
    type View: Serialize + DeserializeOwned;
}

macro_rules! commands {
    ($($(#[$doc:meta])* $command:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* } = $name:ident -> $view:ty;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $command { $($(#[$field_doc])* pub $field: $type),* }

            impl Command for $command {
                const NAME: &'static str = stringify!($name);
                type View = $view;
            }
        )*

        /// The names of all commands.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Calls a macro once with every command: `each_command!(m)` expands to `m! { (name, Command), … }`.
        #[macro_export]
        macro_rules! each_command {
            ($callback:ident) => { $callback! { $(($name, $command)),* } };
        }
    };
}

commands! {
    /// Which screen comes first.
    Look {} = look -> Session;
    /// Opens the profile of a role, if it exists; otherwise the session says what is missing.
    OpenProfile {
        /// Whose profile.
        role: Role
    } = open_profile -> Session;
    /// Makes a new profile: its secret goes into the keychain. Never over an old one.
    CreateProfile {
        /// Whose profile.
        role: Role
    } = create_profile -> Session;
    /// Takes up a key that the keychain still holds although the profile's folder is gone.
    ReuseKey {
        /// Whose profile.
        role: Role
    } = reuse_key -> Session;
    /// Closes the profile and forgets its keys.
    CloseProfile {} = close_profile -> Session;

    /// Reads a link, a pasted text or a code, and asks the biobank who it is.
    ReadInvitation {
        /// What the person typed or pasted.
        text: String,
        /// The biobank's address, where the text has none.
        address: Option<String>
    } = read_invitation -> InvitationPreview;
    /// Accepts the invitation that was read last.
    AcceptInvitation {
        /// What was typed, where the invitation asks for it.
        pin: Option<String>
    } = accept_invitation -> Home;
    /// The participant's first page.
    ReadHome {} = read_home -> Home;
    /// One study's request.
    ReadRequest {
        /// Which study.
        study: StudyId
    } = read_request -> RequestView;
    /// What would be signed, in sentences.
    ReviewAnswer {
        /// Which study.
        study: StudyId,
        /// The digest of the request as it was shown: what was seen is what is signed.
        notice: String,
        /// What the person chose.
        choice: Choice
    } = review_answer -> SummaryView;
    /// Signs an answer, or the change of one, and sends it.
    Sign {
        /// Which study.
        study: StudyId,
        /// The digest of the request as it was shown.
        notice: String,
        /// What the person chose.
        choice: Choice,
        /// The digest of the text that the review showed.
        digest: String
    } = sign -> ReceiptView;
    /// Says no.
    Refuse {
        /// Which study.
        study: StudyId
    } = refuse -> Home;
    /// Decides later.
    Defer {
        /// Which study.
        study: StudyId
    } = defer -> Home;
    /// What a pause, its end or a withdrawal means, and the text that would be signed.
    PrepareStep {
        /// Which study.
        study: StudyId,
        /// What the person is about to do.
        step: DonorStep
    } = prepare_step -> StepView;
    /// Signs a pause, its end or a withdrawal, and sends it.
    SignStep {
        /// Which study.
        study: StudyId,
        /// What the person does.
        step: DonorStep,
        /// The digest of the text that was shown.
        digest: String
    } = sign_step -> ReceiptView;
    /// One consent, with everything that happened to it.
    ReadConsent {
        /// Which study.
        study: StudyId
    } = read_consent -> ConsentView;
    /// Writes a receipt of a consent into the downloads folder.
    SaveReceipt {
        /// Which study.
        study: StudyId,
        /// In which form.
        format: ReceiptFormat
    } = save_receipt -> SavedFile;
    /// The person's choices.
    ReadChoices {} = read_choices -> ChoicesView;
    /// What other choices would mean for the studies that run or ask. Saves nothing.
    SimulateChoices {
        /// The choices to try.
        choices: Choices
    } = simulate_choices -> SimulationView;
    /// Saves the choices.
    SaveChoices {
        /// What to save.
        choices: Choices
    } = save_choices -> ChoicesView;
    /// Reads choices from the text of another system's file (a CTRL answer set, FHIR R5 Consent). Saves nothing.
    ImportChoices {
        /// The content of the file.
        text: String
    } = import_choices -> ImportView;
    /// Finds diseases by name.
    SearchDiseases {
        /// What was typed.
        query: String
    } = search_diseases -> Diseases;
    /// What is shared, and who asks for proof.
    ReadSharing {} = read_sharing -> Sharing;
    /// Writes both checkpoints of an alarm into the downloads folder.
    SaveEvidence {} = save_evidence -> SavedFile;
    /// Writes a proof of consent for the study's researcher into the downloads folder.
    SaveProof {
        /// Which study.
        study: StudyId
    } = save_proof -> SavedFile;
    /// Answers a researcher's question for proof.
    AnswerAsk {
        /// Which question.
        id: String,
        /// Whether to send the proof.
        share: bool
    } = answer_ask -> Sharing;
    /// Reads a link of OpenID4VP and looks for what it asks for. Shows nothing to anybody.
    ReadPresentation {
        /// What the person pasted.
        text: String
    } = read_presentation -> PresentationView;
    /// Shows what the person chose to whoever asked last.
    Present {
        /// What to show.
        chosen: Vec<Shown>
    } = present -> Activity;
    /// Shows nothing to whoever asked last.
    DeclinePresentation {} = decline_presentation -> Activity;
    /// The key, as far as it may be shown.
    ReadKey {} = read_key -> KeyView;

    /// Everything that happened in this profile, latest first.
    ReadActivity {} = read_activity -> Activity;
    /// Sends what waits and asks for news.
    Sync {} = sync -> SyncView;

    /// Connects a staff or researcher profile to its institution.
    Connect {
        /// The biobank's address.
        address: String,
        /// The one-time code from its operator.
        code: String
    } = connect -> Session;
    /// The donors and invitations of the biobank.
    ReadDonors {} = read_donors -> Donors;
    /// Makes a one-time invitation.
    Invite {} = invite -> InvitationView;

    /// The studies that a researcher can state as purpose.
    ReadStudies {} = read_studies -> Studies;
    /// Asks to be asked again, after a no or a withdrawal.
    AskAgain {
        /// Which study.
        study: StudyId
    } = ask_again -> Home;
    /// Checks a proof against a purpose and the live record.
    Check {
        /// The content of the file.
        proof: String,
        /// The study that it must be about, if one is stated.
        study: Option<StudyId>,
        /// What for.
        purpose: Purpose
    } = check -> CheckView;
    /// Asks all donors of a study for proof.
    AskForProof {
        /// Which study.
        study: StudyId,
        /// What for.
        purpose: Purpose
    } = ask_for_proof -> Asks;
    /// The questions asked and the answers that came, each checked again just now.
    ReadAsks {} = read_asks -> Asks;
}
