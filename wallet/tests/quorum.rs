//! A researcher's check where other institutions must have signed the record: below the quorum there is no answer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod common;

use bridge::{CheckResult, CheckRow, CheckView};
use common::{CHOICE, Cast, grant, heart};
use consent::{Outcome, Purpose};
use identity::SigningKey;
use ledger::client::{LogClient, Mirror};
use ledger::{Cosigner, SignedCheckpoint, TrustPolicy, TrustedWitness, VerifierKey};
use std::path::PathBuf;
use wallet::check::{Expected, Record, check};
use wallet::{Connection, Event, proof, research, sync};

const NAMES: [&str; 3] = ["Alpha", "Beta", "Gamma"];

/// Which witnesses signed, each so many seconds from now.
type Signed<'a> = &'a [(u8, i64)];

/// The witness with this number; those beyond the names are strangers.
fn witness(number: u8) -> Cosigner {
    Cosigner::ed25519(&format!("witness-{number}.example"), SigningKey::from_seed([100 + number; 32])).unwrap()
}

/// A consent that is recorded, its proof, and a copy of the log.
struct Stage {
    cast: Cast,
    proof: Vec<u8>,
    purpose: Purpose,
    connection: Connection,
    vkey: VerifierKey,
    folder: PathBuf,
    checkpoint: SignedCheckpoint,
    /// Two of three must have signed.
    policy: TrustPolicy,
}

impl Stage {
    async fn set() -> Self {
        let cast = Cast::ready().await;
        grant(&cast.participant, &heart(), &CHOICE).await.unwrap();
        sync::sync(&cast.participant).await.unwrap();
        let proof = serde_json::to_vec(&proof::make(&cast.participant, &heart(), None).await.unwrap()).unwrap();
        let studies = research::studies(&cast.researcher).await.unwrap().studies;
        let purpose = studies.iter().find(|study| study.study == heart()).unwrap().purpose.clone();
        let connection = cast.researcher.connection().unwrap();
        let vkey: VerifierKey = connection.vkey.parse().unwrap();
        let folder = cast.root.path().join("copy");
        let mut mirror = Mirror::open(&folder, &vkey).unwrap();
        mirror.sync(&LogClient::new(&connection.address).unwrap()).await.unwrap();
        let checkpoint = mirror.checkpoint().unwrap().clone();
        let of = |(name, number): (&&str, u8)| TrustedWitness {
            name: (*name).to_owned(),
            key: witness(number).key().clone(),
            url: None,
        };
        let policy = TrustPolicy::of_quorum(vkey.clone().into(), 2, NAMES.iter().zip(0..).map(of).collect()).unwrap();
        Self { cast, proof, purpose, connection, vkey, folder, checkpoint, policy }
    }

    /// A check with a record that these witnesses have signed.
    async fn checked(&self, signed: Signed<'_>) -> CheckView {
        let at = |later: i64| u64::try_from(wallet::now().unix() + later).unwrap();
        let note = signed.iter().fold(self.checkpoint.clone(), |note, (number, later)| {
            note.with(note.cosign(&witness(*number), at(*later)).unwrap()).unwrap()
        });
        std::fs::write(self.folder.join("checkpoint"), note.note()).unwrap();
        let mirror = Mirror::open(&self.folder, &self.vkey).unwrap();
        let record = Record {
            biobank: &self.connection.biobank,
            vkey: &self.vkey,
            former: &[],
            policy: Some(&self.policy),
            mirror: Ok((&mirror, wallet::now())),
        };
        check(&self.proof, &self.purpose, &Expected::default(), Some(&record), wallet::now()).await
    }
}

fn row<'a>(view: &'a CheckView, name: &str) -> Option<&'a CheckRow> {
    view.checks.iter().find(|row| row.name == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_quorum_there_is_no_answer_and_it_says_who_is_missing() {
    let stage = Stage::set().await;
    let cases: [(&str, Signed, &str); 4] = [
        ("nobody", &[], "not signed yet by Alpha, Beta, Gamma"),
        ("one of two", &[(0, 0)], "not signed yet by Beta, Gamma"),
        ("one, and a stranger", &[(0, 0), (9, 0)], "not signed yet by Beta, Gamma"),
        ("one, and one in an hour", &[(0, 0), (1, 3600)], "not signed yet by Beta, Gamma"),
    ];
    for (name, signed, reason) in cases {
        let view = stage.checked(signed).await;
        assert_eq!(view.outcome, None, "{name}");
        let quorum = row(&view, "ledger-quorum").unwrap();
        assert_eq!((quorum.result, quorum.detail.as_str()), (CheckResult::NotMade, reason), "{name}");
        assert_eq!(wallet::check::why_not(&view), Some(quorum), "{name}: nothing else is wrong");
        assert!(row(&view, "consent-decision").is_none(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_quorum_the_answer_is_that_of_the_consent() {
    let stage = Stage::set().await;
    let view = stage.checked(&[(0, 0), (2, 0)]).await;
    let quorum = row(&view, "ledger-quorum").unwrap();
    assert_eq!((quorum.result, quorum.detail.as_str()), (CheckResult::Passed, "Alpha, Gamma"));
    assert_eq!(view.outcome, Some(Outcome::Permit), "{:#?}", view.checks);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_researcher_is_held_to_the_policy_that_came_when_they_connected() {
    let stage = Stage::set().await;
    let researcher = &stage.cast.researcher;
    let text = String::from_utf8(stage.proof.clone()).unwrap();
    let view = research::check(researcher, &text, &stage.purpose, None).await.unwrap();
    assert_eq!((view.outcome, row(&view, "ledger-quorum")), (Some(Outcome::Permit), None), "no policy, no quorum");
    // The biobank told of a policy, and shows a record that nobody else has signed.
    let connection = Connection { policy: Some(stage.policy.to_string()), ..stage.connection.clone() };
    let membership = researcher.read(|story| story.membership.clone()).unwrap().unwrap();
    researcher.record(Event::Connected { connection, membership }).unwrap();
    let view = research::check(researcher, &text, &stage.purpose, None).await.unwrap();
    assert_eq!(view.outcome, None);
    assert!(row(&view, "ledger-quorum").is_some_and(|row| row.result == CheckResult::NotMade), "{:#?}", view.checks);
}
