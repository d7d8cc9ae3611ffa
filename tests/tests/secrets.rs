//! Every answer that the core gives to the web view is searched for secrets, with a real keychain and a real biobank.

use bridge::*;
use consent::{Choice, DataKind};
use proof::{Biobankd, find_secret, holds_secret};
use serde::Serialize;
use wallet::{App, Places};

/// What went to the web view.
struct Sent(Vec<u8>);

impl Sent {
    fn keep<T: Serialize>(&mut self, answer: Result<T, Failure>) -> T {
        let answer = answer.unwrap();
        self.0.extend(serde_json::to_vec(&answer).unwrap());
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_to_the_web_view_holds_a_secret() {
    let root = tempfile::tempdir().unwrap();
    let biobank = Biobankd::start(&root.path().join("biobank")).unwrap();
    let suffix = format!(" (secrets {})", std::process::id());
    let app = App::new(Places {
        profiles: root.path().join("profiles"),
        downloads: root.path().join("downloads"),
        demo: Some(biobank.dir.join("demo.json")),
        invitation: None,
        keychain_suffix: suffix.clone(),
    });
    let mut sent = Sent(Vec::new());
    let study: consent::StudyId = "heart-rhythm".parse().unwrap();

    sent.keep(app.look(Look {}).await);
    for role in [Role::Staff, Role::Researcher] {
        sent.keep(app.open_profile(OpenProfile { role }).await);
        let demo = sent.keep(app.create_profile(CreateProfile { role }).await).demo.unwrap();
        sent.keep(app.connect(Connect { address: demo.address, code: demo.code.unwrap() }).await);
    }
    let studies = sent.keep(app.read_studies(ReadStudies {}).await);
    let purpose = studies.studies[0].purpose.clone();
    sent.keep(app.open_profile(OpenProfile { role: Role::Staff }).await);
    let invitation = sent.keep(app.invite(Invite {}).await);
    sent.keep(app.read_donors(ReadDonors {}).await);
    sent.keep(app.open_profile(OpenProfile { role: Role::Participant }).await);
    sent.keep(app.create_profile(CreateProfile { role: Role::Participant }).await);
    sent.keep(app.read_invitation(ReadInvitation { text: invitation.link, address: None }).await);
    sent.keep(app.accept_invitation(AcceptInvitation { pin: None }).await);
    let data = vec![DataKind::Genome];
    let notice = sent.keep(app.read_request(ReadRequest { study: study.clone() }).await).notice;
    let choice = Choice { data, ..Choice::default() };
    let review = ReviewAnswer { study: study.clone(), notice: notice.clone(), choice: choice.clone() };
    let digest = sent.keep(app.review_answer(review).await).statement.digest;
    let receipt = sent.keep(app.sign(Sign { study: study.clone(), notice, choice, digest }).await);
    assert!(matches!(receipt.record, RecordView::Recorded(_)));
    let other = || "sleep-memory".parse().unwrap();
    sent.keep(app.defer(Defer { study: other() }).await);
    sent.keep(app.refuse(Refuse { study: other() }).await);
    sent.keep(app.ask_again(AskAgain { study: other() }).await);
    let file = sent.keep(app.save_proof(SaveProof { study: study.clone() }).await);
    let proof = std::fs::read_to_string(file.path).unwrap();
    sent.keep(app.open_profile(OpenProfile { role: Role::Researcher }).await);
    sent.keep(app.check(Check { proof, study: Some(study.clone()), purpose: purpose.clone() }).await);
    sent.keep(app.ask_for_proof(AskForProof { study: study.clone(), purpose }).await);
    sent.keep(app.open_profile(OpenProfile { role: Role::Participant }).await);
    sent.keep(app.sync(Sync {}).await);
    let sharing = sent.keep(app.read_sharing(ReadSharing {}).await);
    sent.keep(app.answer_ask(AnswerAsk { id: sharing.asks[0].id.clone(), share: true }).await);
    for step in
        [DonorStep::Pause { until: None }, DonorStep::Resume, DonorStep::Withdraw { level: consent::Withdrawal::NoUse }]
    {
        let digest = sent.keep(app.prepare_step(PrepareStep { study: study.clone(), step }).await).statement.digest;
        sent.keep(app.sign_step(SignStep { study: study.clone(), step, digest }).await);
    }
    sent.keep(app.read_consent(ReadConsent { study: study.clone() }).await);
    for format in ReceiptFormat::ALL {
        sent.keep(app.save_receipt(SaveReceipt { study: study.clone(), format }).await);
    }
    let choices = sent.keep(app.read_choices(ReadChoices {}).await).choices;
    sent.keep(app.simulate_choices(SimulateChoices { choices: choices.clone() }).await);
    sent.keep(app.save_choices(SaveChoices { choices }).await);
    let text = r#"{"questions":[{"id":"health","question":"Health research?","answer":"yes"}]}"#.to_owned();
    sent.keep(app.import_choices(ImportChoices { text }).await);
    sent.keep(app.search_diseases(SearchDiseases { query: "asthma".to_owned() }).await);
    sent.keep(app.read_home(ReadHome {}).await);
    sent.keep(app.read_activity(ReadActivity {}).await);
    sent.keep(app.read_key(ReadKey {}).await);
    sent.keep(app.open_profile(OpenProfile { role: Role::Researcher }).await);
    sent.keep(app.read_asks(ReadAsks {}).await);
    sent.keep(app.close_profile(CloseProfile {}).await);

    let biobank_did = biobank_did(&biobank).await;
    for role in Role::ALL {
        let secret = identity::read_secret(&format!("{}{suffix}", role.name())).await.unwrap().unwrap();
        for (what, bytes) in [
            ("secret", *secret.expose()),
            ("database key", *secret.derive_database_key()),
            ("salt", secret.derive_subject_salt(&biobank_did, &study)),
        ] {
            assert!(!holds_secret(&sent.0, &bytes), "the {what} of {} went to the web view", role.name());
            // The biobank holds the salt of its donors, by design: it opens the commitments on its log.
            if what != "salt" {
                assert_eq!(find_secret(root.path(), &bytes).unwrap().0, None, "the {what} of {}", role.name());
            }
        }
    }
    assert!(sent.0.len() > 10_000, "the answers were searched");
}

async fn biobank_did(biobank: &Biobankd) -> identity::Did {
    let client = ledger::client::LogClient::new(&biobank.address()).unwrap();
    client.log_info().await.unwrap().did
}
