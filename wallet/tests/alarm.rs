//! A biobank whose folder is replaced: by an older copy, by one that others wrote on from, and by the whole one again.
//! What was only shorter for a while ends its alarm; what shows another past never does.

mod common;

use bridge::{AlarmView, Code, RecordView, Role};
use common::{CHOICE, Cast, FOUNDED, grant, heart, profile, withdraw};
use consent::{DataKind, StudyId};
use ledger::client::LogClient;
use ledger::{EntryHash, Evidence, Verdict};
use std::path::{Path, PathBuf};
use wallet::{Event, alarm, sync, views};

/// The older copy ends with the participant's first answer.
const OLDER: u64 = FOUNDED + 1;
/// How many entries the participant trusts: two more of their own.
const TRUSTED: u64 = OLDER + 2;

fn diabetes() -> StudyId {
    "diabetes-families".parse().unwrap()
}

/// The main people, and two copies of the log: after the participant's first answer, and with all that they said.
struct Stage {
    cast: Cast,
    older: PathBuf,
    whole: PathBuf,
}

impl Stage {
    async fn set() -> Self {
        let mut cast = Cast::ready().await;
        let (older, whole) = (cast.root.path().join("older"), cast.root.path().join("whole"));
        grant(&cast.participant, &heart(), &CHOICE).await.unwrap();
        sync::sync(&cast.participant).await.unwrap();
        cast.biobank.close().await;
        copy(&cast.biobank.dir.join("log"), &older);
        cast.biobank.reopen().await;
        grant(&cast.participant, &diabetes(), &[DataKind::Genome]).await.unwrap();
        withdraw(&cast.participant, &diabetes()).unwrap();
        assert_eq!(sync::sync(&cast.participant).await.unwrap().waiting, 0);
        cast.biobank.close().await;
        copy(&cast.biobank.dir.join("log"), &whole);
        cast.biobank.reopen().await;
        Self { cast, older, whole }
    }

    /// The biobank goes on from this copy of its log.
    async fn goes_on_from(&mut self, log: &Path) {
        self.cast.biobank.close().await;
        let place = self.cast.biobank.dir.join("log");
        std::fs::remove_dir_all(&place).unwrap();
        copy(log, &place);
        self.cast.biobank.reopen().await;
    }

    /// So many other donors join and say yes to a study: the log grows by as much.
    async fn others_answer(&self, count: u8) {
        for seed in 60..60 + count {
            let other = profile(self.cast.root.path(), Role::Participant, seed);
            self.cast.enrol(&other).await.unwrap();
            grant(&other, &heart(), &CHOICE).await.unwrap();
            assert_eq!(sync::sync(&other).await.unwrap().waiting, 0);
        }
    }

    /// A round that ends in the alarm, and the alarm.
    async fn alarmed(&self) -> AlarmView {
        let failure = sync::sync(&self.cast.participant).await.unwrap_err();
        assert_eq!(failure.code, Code::LogForked, "{failure:?}");
        sync::view(&self.cast.participant).unwrap().alarm.expect("an alarm")
    }

    /// What anybody makes of the file that the wallet saves.
    fn verdict(&self) -> Verdict {
        let file = alarm::save(&self.cast.participant, &self.cast.root.path().join("downloads")).unwrap();
        Evidence::parse(&std::fs::read(file).unwrap()).unwrap().judge().unwrap()
    }

    /// How often each of the two sentences on the alarm stands in the activity.
    fn told(&self) -> (usize, usize) {
        let rows = views::activity(&self.cast.participant).unwrap().rows;
        let count = |id: &str| rows.iter().filter(|row| row.message.id == id).count();
        (count("activity-log-forked"), count("activity-log-returned"))
    }

    fn record(&self, entry: &EntryHash) -> RecordView {
        views::receipt(&self.cast.participant, &heart(), entry).unwrap().record
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for item in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy(&item.path(), &place);
        } else {
            std::fs::copy(item.path(), place).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_shows_another_past_is_convicted_and_the_alarm_never_ends() {
    let mut stage = Stage::set().await;
    let (older, whole) = (stage.older.clone(), stage.whole.clone());
    stage.goes_on_from(&older).await;
    // As many entries as before, and the last two are of other donors.
    stage.others_answer(2).await;
    let alarm = stage.alarmed().await;
    assert_eq!((alarm.before.size, alarm.after.size, alarm.proven), (TRUSTED, TRUSTED, true));
    assert_ne!(alarm.before.root, alarm.after.root);
    assert_eq!(stage.verdict(), Verdict::Fork);

    let entry = withdraw(&stage.cast.participant, &heart()).unwrap();
    assert_eq!(stage.alarmed().await, alarm, "the first contradiction is the one that is shown");
    assert_eq!(stage.record(&entry), RecordView::Sent, "a withdrawal goes out, and nothing more is confirmed");
    let client = LogClient::new(&stage.cast.biobank.address).unwrap();
    assert!(client.proof(&entry).await.is_ok(), "it is in the log");

    stage.goes_on_from(&whole).await;
    assert_eq!(stage.alarmed().await, alarm);
    assert_eq!(stage.told(), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_larger_log_with_another_past_is_convicted_by_its_own_tiles() {
    let mut stage = Stage::set().await;
    let older = stage.older.clone();
    stage.goes_on_from(&older).await;
    stage.others_answer(3).await;
    let alarm = stage.alarmed().await;
    assert_eq!((alarm.before.size, alarm.after.size, alarm.proven), (TRUSTED, TRUSTED + 1, true));
    assert_eq!(stage.verdict(), Verdict::Rewritten);
    let entry = withdraw(&stage.cast.participant, &heart()).unwrap();
    stage.alarmed().await;
    assert_eq!(stage.record(&entry), RecordView::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_whole_again_ends_the_alarm() {
    let mut stage = Stage::set().await;
    let (older, whole) = (stage.older.clone(), stage.whole.clone());
    stage.goes_on_from(&older).await;
    let alarm = stage.alarmed().await;
    assert_eq!((alarm.before.size, alarm.after.size, alarm.proven), (TRUSTED, OLDER, false));
    assert_eq!(stage.verdict(), Verdict::Shorter);
    assert_eq!(stage.alarmed().await, alarm, "nothing has changed");
    // The shorter log takes an entry, and nobody sees it there.
    let entry = withdraw(&stage.cast.participant, &heart()).unwrap();
    stage.cast.participant.record(Event::Sent { entry }).unwrap();

    stage.goes_on_from(&whole).await;
    assert_eq!(sync::sync(&stage.cast.participant).await.unwrap().alarm, None);
    assert_eq!(stage.told(), (1, 1), "both stand in the activity");
    let nothing = alarm::save(&stage.cast.participant, stage.cast.root.path()).unwrap_err();
    assert_eq!(nothing.code, Code::NotPossible);
    // What the shorter log took is sent again.
    sync::sync(&stage.cast.participant).await.unwrap();
    assert!(matches!(stage.record(&entry), RecordView::Recorded(at) if at.index == TRUSTED));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wrote_on_from_an_old_copy_can_not_take_it_back() {
    let mut stage = Stage::set().await;
    let (older, whole) = (stage.older.clone(), stage.whole.clone());
    stage.goes_on_from(&older).await;
    let first = stage.alarmed().await;
    stage.others_answer(1).await;
    let grown = stage.alarmed().await;
    assert_eq!((grown.after.size, grown.proven, grown.noticed), (OLDER + 1, false, first.noticed));
    assert_eq!(stage.told(), (1, 0), "it is the same alarm");
    stage.goes_on_from(&whole).await;
    let alarm = stage.alarmed().await;
    assert_eq!((alarm.before.size, alarm.after.size, alarm.proven), (OLDER + 1, TRUSTED, true));
    assert_eq!(stage.verdict(), Verdict::Rewritten);
    assert_eq!(stage.told(), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_goes_back_twice_is_not_believed_again() {
    let mut stage = Stage::set().await;
    let (older, whole) = (stage.older.clone(), stage.whole.clone());
    stage.goes_on_from(&older).await;
    stage.others_answer(1).await;
    let alarm = stage.alarmed().await;
    assert_eq!((alarm.after.size, alarm.proven), (OLDER + 1, false));
    stage.goes_on_from(&older).await;
    assert_eq!(stage.alarmed().await, alarm);
    stage.goes_on_from(&whole).await;
    assert_eq!(stage.alarmed().await, alarm);
    assert_eq!(stage.told(), (2, 0));
}
