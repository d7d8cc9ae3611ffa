//! The program behind the window: at most one open profile, and one method a command.

use crate::enrol::Offer;
use crate::event::Event;
use crate::profile::Profile;
use crate::stream::{Heard, Listener};
use crate::{alarm, answer, asks, choices, connect, enrol, presentation, proof, receipt, research, staff, sync, views};
use bridge::{
    AcceptInvitation, Activity, AnswerAsk, AskAgain, AskForProof, Asks, Check, CheckView, ChoicesView, CloseProfile,
    Code, Command, Connect, ConsentView, CreateProfile, DeclinePresentation, Defer, Demo, Diseases, Donors, Failure,
    Home, ImportChoices, ImportView, InvitationPreview, InvitationView, Invite, KeyView, Look, OpenProfile,
    PrepareStep, Present, PresentationView, ReadActivity, ReadAsks, ReadChoices, ReadConsent, ReadDonors, ReadHome,
    ReadInvitation, ReadKey, ReadPresentation, ReadRequest, ReadSharing, ReadStudies, ReceiptView, Refuse, RequestView,
    ReuseKey, ReviewAnswer, Role, SaveChoices, SaveEvidence, SaveProof, SaveReceipt, SavedFile, SearchDiseases,
    Session, Sharing, Sign, SignStep, SimulateChoices, SimulationView, Stage, StepView, Studies, SummaryView, Sync,
    SyncView,
};
use identity::{
    KeychainError, ProfileError, ProfileSecret, ProfileState, adopt_profile, create_profile, inspect_profile,
};
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How many rounds are left out while a stream brings the news.
const QUIET_ROUNDS: u32 = 10;
/// How long a round waits for what comes together with the news that started it.
const BURST: Duration = Duration::from_millis(250);

/// Where the program keeps its files.
#[derive(Debug, Clone)]
pub struct Places {
    /// The folder of all profiles.
    pub profiles: PathBuf,
    /// Where proofs are saved.
    pub downloads: PathBuf,
    /// A file that tells of a biobank to try on this machine.
    pub demo: Option<PathBuf>,
    /// An invitation link that the program was started with.
    pub invitation: Option<String>,
    /// A suffix of the keychain entries, so that tests and demos keep theirs apart.
    pub keychain_suffix: String,
}

/// What is open.
#[derive(Default)]
struct Desktop {
    profile: Option<Arc<Profile>>,
    /// The role whose profile could not be opened, why, and the marker's fingerprint.
    closed: Option<(Role, Stage, Option<String>)>,
    offer: Option<Offer>,
    /// The request for a presentation that was read last.
    asked: Option<presentation::Asked>,
    /// Hears of news for the open profile.
    listener: Option<Listener>,
    /// How much of it was answered with a round.
    answered: u64,
    /// How many events there were, whether the biobank answered, and how much was heard, when the window was told last.
    told: Option<(usize, bool, u64)>,
}

/// The program.
pub struct App {
    places: Places,
    desktop: Mutex<Desktop>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DemoFile {
    address: String,
    staff_code: String,
    researcher_code: String,
}

impl App {
    /// A program with nothing open.
    pub fn new(places: Places) -> Self {
        Self { places, desktop: Mutex::default() }
    }

    /// The open profile.
    pub fn profile(&self) -> Result<Arc<Profile>, Failure> {
        self.desktop().profile.clone().ok_or_else(|| Code::NotPossible.into())
    }

    /// One round of sync. Says whether anything that a screen shows has changed since the last time it said so,
    /// whoever changed it.
    pub async fn tick(&self) -> bool {
        let Ok(profile) = self.profile() else { return false };
        if let Err(failure) = sync::sync(&profile).await {
            tracing::warn!(%failure, "sync");
        }
        let rows = profile.read(|story| story.rows.len()).ok();
        let mut desktop = self.desktop();
        let now = rows.map(|rows| (rows, profile.weather().online, desktop.answered));
        std::mem::replace(&mut desktop.told, now) != now
    }

    /// Waits until there is a reason for a round: news from the biobank, or time. `round` is how far rounds are apart
    /// while nobody brings news, or while something still waits to be recorded.
    pub async fn wait(&self, round: Duration) {
        for _ in 0..QUIET_ROUNDS {
            let Some(mut heard) = self.listen() else { return tokio::time::sleep(round).await };
            let answered = self.desktop().answered;
            let news = tokio::time::timeout(round, heard.wait_for(|heard| heard.count != answered)).await;
            if let Some(count) = news.ok().and_then(Result::ok).map(|heard| heard.count) {
                self.desktop().answered = count;
                // What comes in one burst is answered with one round, and a busy record with few.
                return tokio::time::sleep(BURST).await;
            }
            if !heard.borrow().live || sync::is_waiting(self.profile()) {
                return;
            }
        }
    }

    /// What is heard for the open profile; it begins to listen when it was not yet.
    fn listen(&self) -> Option<watch::Receiver<Heard>> {
        let mut desktop = self.desktop();
        let profile = desktop.profile.clone()?;
        Some(desktop.listener.get_or_insert_with(|| Listener::of(&profile)).heard())
    }

    fn desktop(&self) -> std::sync::MutexGuard<'_, Desktop> {
        self.desktop.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self, role: Role) -> PathBuf {
        self.places.profiles.join(role.name())
    }

    fn entry(&self, role: Role) -> String {
        format!("{}{}", role.name(), self.places.keychain_suffix)
    }

    fn demo(&self, role: Role) -> Option<Demo> {
        let text = std::fs::read(self.places.demo.as_ref()?).ok()?;
        let file: DemoFile = serde_json::from_slice(&text).ok()?;
        let code = match role {
            Role::Participant => None,
            Role::Staff => Some(file.staff_code),
            Role::Researcher => Some(file.researcher_code),
        };
        Some(Demo { address: file.address, code })
    }

    fn session(&self) -> Result<Session, Failure> {
        let desktop = self.desktop();
        let (role, stage, fingerprint, institution) = match (&desktop.profile, &desktop.closed) {
            (Some(profile), _) => {
                let institution = profile.read(|story| story.connection.as_ref().map(|c| c.name.clone()))?;
                let stage = if institution.is_some() { Stage::Ready } else { Stage::Unconnected };
                (Some(profile.role), stage, Some(profile.secret().fingerprint().to_string()), institution)
            }
            (None, Some((role, stage, fingerprint))) => (Some(*role), *stage, fingerprint.clone(), None),
            (None, None) => (None, Stage::Choose, None, None),
        };
        let demo = role.and_then(|role| self.demo(role));
        let invitation = self.places.invitation.clone().filter(|_| role == Some(Role::Participant));
        Ok(Session { role, stage, institution, demo, invitation, fingerprint })
    }

    fn enter(&self, role: Role, secret: ProfileSecret, first: bool) -> Result<Session, Failure> {
        let profile = Profile::open(role, &self.folder(role), secret)?;
        if first {
            profile.record(Event::ProfileCreated)?;
        }
        *self.desktop() = Desktop { profile: Some(Arc::new(profile)), ..Desktop::default() };
        self.session()
    }

    /// Closes what is open, and waits a little until the round that may be running has let go of it: its journal can
    /// be opened again only then.
    async fn leave(&self) {
        let open = std::mem::take(&mut *self.desktop()).profile;
        let gone = open.as_ref().map(Arc::downgrade).unwrap_or_default();
        drop(open);
        for _ in 0..50 {
            if gone.strong_count() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Journals a failure of a step that the person should find again, and passes it on.
    fn remember<T>(&self, command: &str, result: Result<T, Failure>) -> Result<T, Failure> {
        if let (Err(failure), Ok(profile)) = (&result, self.profile()) {
            profile.record(Event::Failed { command: command.to_owned(), failure: failure.clone() })?;
        }
        result
    }

    /// See `bridge::Look`.
    pub async fn look(&self, _: Look) -> Result<Session, Failure> {
        self.session()
    }

    /// See `bridge::OpenProfile`.
    pub async fn open_profile(&self, OpenProfile { role }: OpenProfile) -> Result<Session, Failure> {
        if self.desktop().profile.as_ref().is_some_and(|open| open.role == role) {
            return self.session();
        }
        self.leave().await;
        let state = inspect_profile(&self.folder(role), &self.entry(role)).await.map_err(profile_failure)?;
        let (stage, fingerprint) = match state {
            ProfileState::Ready(secret) => return self.enter(role, secret, false),
            ProfileState::FirstRun => (Stage::FirstRun, None),
            ProfileState::KeychainAbsent => (Stage::KeychainAbsent, None),
            ProfileState::KeychainLocked { fingerprint } => (Stage::KeychainLocked, fingerprint),
            ProfileState::KeyMissing { fingerprint } => (Stage::KeyMissing, Some(fingerprint)),
            ProfileState::KeyForeign { fingerprint } => (Stage::KeyForeign, Some(fingerprint)),
            ProfileState::KeyWithoutProfile => (Stage::KeyWithoutProfile, None),
        };
        self.desktop().closed = Some((role, stage, fingerprint.map(|fingerprint| fingerprint.to_string())));
        self.session()
    }

    /// See `bridge::CreateProfile`.
    pub async fn create_profile(&self, CreateProfile { role }: CreateProfile) -> Result<Session, Failure> {
        let secret = create_profile(&self.folder(role), &self.entry(role)).await.map_err(profile_failure)?;
        self.enter(role, secret, true)
    }

    /// See `bridge::ReuseKey`.
    pub async fn reuse_key(&self, ReuseKey { role }: ReuseKey) -> Result<Session, Failure> {
        let secret = adopt_profile(&self.folder(role), &self.entry(role)).await.map_err(profile_failure)?;
        self.enter(role, secret, true)
    }

    /// See `bridge::CloseProfile`.
    pub async fn close_profile(&self, _: CloseProfile) -> Result<Session, Failure> {
        self.leave().await;
        self.session()
    }

    /// See `bridge::ReadInvitation`.
    pub async fn read_invitation(&self, command: ReadInvitation) -> Result<InvitationPreview, Failure> {
        let read = enrol::read_invitation(&command.text, command.address.as_deref()).await;
        let offer = match read {
            Ok(offer) => offer,
            Err(failure) => {
                self.profile()?.record(Event::JoinFailed { failure: failure.clone() })?;
                return Err(failure);
            }
        };
        let preview = enrol::preview(&offer);
        self.desktop().offer = Some(offer);
        Ok(preview)
    }

    /// See `bridge::AcceptInvitation`.
    pub async fn accept_invitation(&self, AcceptInvitation { pin }: AcceptInvitation) -> Result<Home, Failure> {
        let profile = self.profile()?;
        let offer = self.desktop().offer.clone().ok_or(Code::NotPossible)?.typed(pin);
        enrol::accept(&profile, &offer).await?;
        sync_for_a_moment(&profile).await;
        views::home(&profile)
    }

    /// See `bridge::ReadHome`.
    pub async fn read_home(&self, _: ReadHome) -> Result<Home, Failure> {
        views::home(&*self.profile()?)
    }

    /// See `bridge::ReadRequest`.
    pub async fn read_request(&self, ReadRequest { study }: ReadRequest) -> Result<RequestView, Failure> {
        views::request(&*self.profile()?, &study)
    }

    /// See `bridge::ReviewAnswer`.
    pub async fn review_answer(
        &self,
        ReviewAnswer { study, notice, choice }: ReviewAnswer,
    ) -> Result<SummaryView, Failure> {
        views::summary(&*self.profile()?, &study, &notice, &choice)
    }

    /// See `bridge::Sign`.
    pub async fn sign(&self, Sign { study, notice, choice, digest }: Sign) -> Result<ReceiptView, Failure> {
        let profile = self.profile()?;
        let entry = self.remember(Sign::NAME, answer::grant(&profile, &study, &notice, &choice, &digest).await)?;
        sync_for_a_moment(&profile).await;
        views::receipt(&profile, &study, &entry)
    }

    /// See `bridge::Refuse`.
    pub async fn refuse(&self, Refuse { study }: Refuse) -> Result<Home, Failure> {
        let profile = self.profile()?;
        answer::refuse(&profile, &study)?;
        views::home(&profile)
    }

    /// See `bridge::Defer`.
    pub async fn defer(&self, Defer { study }: Defer) -> Result<Home, Failure> {
        let profile = self.profile()?;
        answer::defer(&profile, &study)?;
        views::home(&profile)
    }

    /// See `bridge::AskAgain`.
    pub async fn ask_again(&self, AskAgain { study }: AskAgain) -> Result<Home, Failure> {
        let profile = self.profile()?;
        answer::ask_again(&profile, &study)?;
        views::home(&profile)
    }

    /// See `bridge::PrepareStep`.
    pub async fn prepare_step(&self, PrepareStep { study, step }: PrepareStep) -> Result<StepView, Failure> {
        views::step(&*self.profile()?, &study, step)
    }

    /// See `bridge::SignStep`.
    pub async fn sign_step(&self, SignStep { study, step, digest }: SignStep) -> Result<ReceiptView, Failure> {
        let profile = self.profile()?;
        let entry = self.remember(SignStep::NAME, answer::step(&profile, &study, step, &digest))?;
        sync_for_a_moment(&profile).await;
        views::receipt(&profile, &study, &entry)
    }

    /// See `bridge::ReadConsent`.
    pub async fn read_consent(&self, ReadConsent { study }: ReadConsent) -> Result<ConsentView, Failure> {
        views::consent(&*self.profile()?, &study)
    }

    /// See `bridge::SaveReceipt`.
    pub async fn save_receipt(&self, SaveReceipt { study, format }: SaveReceipt) -> Result<SavedFile, Failure> {
        let saved = receipt::save(&*self.profile()?, &study, format, &self.places.downloads).await;
        let path = self.remember(SaveReceipt::NAME, saved)?;
        Ok(SavedFile { path: path.display().to_string() })
    }

    /// See `bridge::ReadChoices`.
    pub async fn read_choices(&self, _: ReadChoices) -> Result<ChoicesView, Failure> {
        choices::view(&*self.profile()?)
    }

    /// See `bridge::SimulateChoices`.
    pub async fn simulate_choices(&self, command: SimulateChoices) -> Result<SimulationView, Failure> {
        choices::simulate(&*self.profile()?, command.choices)
    }

    /// See `bridge::SaveChoices`.
    pub async fn save_choices(&self, command: SaveChoices) -> Result<ChoicesView, Failure> {
        let profile = self.profile()?;
        self.remember(SaveChoices::NAME, choices::save(&profile, command.choices))?;
        choices::view(&profile)
    }

    /// See `bridge::ImportChoices`.
    pub async fn import_choices(&self, ImportChoices { text }: ImportChoices) -> Result<ImportView, Failure> {
        choices::import(&*self.profile()?, &text)
    }

    /// See `bridge::SearchDiseases`.
    pub async fn search_diseases(&self, SearchDiseases { query }: SearchDiseases) -> Result<Diseases, Failure> {
        Ok(choices::search(&query))
    }

    /// See `bridge::ReadSharing`.
    pub async fn read_sharing(&self, _: ReadSharing) -> Result<Sharing, Failure> {
        views::sharing(&*self.profile()?)
    }

    /// See `bridge::SaveEvidence`.
    pub async fn save_evidence(&self, _: SaveEvidence) -> Result<SavedFile, Failure> {
        let saved = alarm::save(&*self.profile()?, &self.places.downloads);
        let path = self.remember(SaveEvidence::NAME, saved)?;
        Ok(SavedFile { path: path.display().to_string() })
    }

    /// See `bridge::SaveProof`.
    pub async fn save_proof(&self, SaveProof { study }: SaveProof) -> Result<SavedFile, Failure> {
        let saved = proof::save(&*self.profile()?, &study, &self.places.downloads).await;
        let path = self.remember(SaveProof::NAME, saved)?;
        Ok(SavedFile { path: path.display().to_string() })
    }

    /// See `bridge::AnswerAsk`.
    pub async fn answer_ask(&self, AnswerAsk { id, share }: AnswerAsk) -> Result<Sharing, Failure> {
        let profile = self.profile()?;
        self.remember(AnswerAsk::NAME, asks::answer(&profile, &id, share).await)?;
        views::sharing(&profile)
    }

    /// See `bridge::ReadPresentation`.
    pub async fn read_presentation(&self, command: ReadPresentation) -> Result<PresentationView, Failure> {
        self.desktop().asked = None;
        let profile = self.profile()?;
        let link = presentation::link_in(&command.text).ok_or(Code::LinkUnreadable)?;
        let asked = self.remember(ReadPresentation::NAME, presentation::read(&profile, link).await)?;
        let view = asked.view();
        self.desktop().asked = Some(asked);
        Ok(view)
    }

    /// See `bridge::Present`.
    pub async fn present(&self, Present { chosen }: Present) -> Result<Activity, Failure> {
        let profile = self.profile()?;
        let asked = self.desktop().asked.clone().ok_or(Code::NotPossible)?;
        self.remember(Present::NAME, presentation::share(&profile, &asked, &chosen).await)?;
        self.desktop().asked = None;
        views::activity(&profile)
    }

    /// See `bridge::DeclinePresentation`.
    pub async fn decline_presentation(&self, _: DeclinePresentation) -> Result<Activity, Failure> {
        let profile = self.profile()?;
        let asked = self.desktop().asked.take().ok_or(Code::NotPossible)?;
        presentation::decline(&profile, &asked)?;
        views::activity(&profile)
    }

    /// See `bridge::ReadKey`.
    pub async fn read_key(&self, _: ReadKey) -> Result<KeyView, Failure> {
        views::key(&*self.profile()?)
    }

    /// See `bridge::ReadActivity`.
    pub async fn read_activity(&self, _: ReadActivity) -> Result<Activity, Failure> {
        views::activity(&*self.profile()?)
    }

    /// See `bridge::Sync`.
    pub async fn sync(&self, _: Sync) -> Result<SyncView, Failure> {
        let profile = self.profile()?;
        match sync::sync(&profile).await {
            Err(failure) if failure.code == Code::LogForked => sync::view(&profile),
            result => result,
        }
    }

    /// See `bridge::Connect`.
    pub async fn connect(&self, Connect { address, code }: Connect) -> Result<Session, Failure> {
        self.remember(Connect::NAME, connect::connect(&*self.profile()?, &address, &code).await)?;
        self.session()
    }

    /// See `bridge::ReadDonors`.
    pub async fn read_donors(&self, _: ReadDonors) -> Result<Donors, Failure> {
        staff::donors(&*self.profile()?).await
    }

    /// See `bridge::Invite`.
    pub async fn invite(&self, _: Invite) -> Result<InvitationView, Failure> {
        self.remember(Invite::NAME, staff::invite(&*self.profile()?).await)
    }

    /// See `bridge::ReadStudies`.
    pub async fn read_studies(&self, _: ReadStudies) -> Result<Studies, Failure> {
        research::studies(&*self.profile()?).await
    }

    /// See `bridge::Check`.
    pub async fn check(&self, Check { proof, study, purpose }: Check) -> Result<CheckView, Failure> {
        research::check(&*self.profile()?, &proof, &purpose, study.as_ref()).await
    }

    /// See `bridge::AskForProof`.
    pub async fn ask_for_proof(&self, AskForProof { study, purpose }: AskForProof) -> Result<Asks, Failure> {
        let profile = self.profile()?;
        self.remember(AskForProof::NAME, asks::ask(&profile, &study, &purpose).await)?;
        research::asks(&profile).await
    }

    /// See `bridge::ReadAsks`.
    pub async fn read_asks(&self, _: ReadAsks) -> Result<Asks, Failure> {
        research::asks(&*self.profile()?).await
    }
}

/// Sends what was just signed, if the biobank is quick. Nobody waits for more than a moment: what is signed is in the
/// journal, and the window's own rounds go on with it.
async fn sync_for_a_moment(profile: &Profile) {
    const MOMENT: Duration = Duration::from_secs(4);
    match tokio::time::timeout(MOMENT, sync::sync(profile)).await {
        Ok(Err(failure)) => tracing::warn!(%failure, "sync"),
        Ok(Ok(_)) => {}
        Err(_) => tracing::warn!("the biobank is slow; going on later"),
    }
}

fn profile_failure(error: ProfileError) -> Failure {
    tracing::warn!(%error, "profile");
    match error {
        ProfileError::Keychain(KeychainError::Absent) => Code::KeychainAbsent.into(),
        ProfileError::Keychain(KeychainError::Locked | KeychainError::TimedOut) => Code::KeychainLocked.into(),
        ProfileError::Keychain(_) => Code::Internal.into(),
        ProfileError::WrongState | ProfileError::Busy => Code::NotPossible.into(),
        _ => Code::Storage.into(),
    }
}
