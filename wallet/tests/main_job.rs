//! The main job without a window: invite, enrol, grant, prove, check, withdraw; against a real biobank over HTTP.

mod common;

use bridge::{Code, RecordView, Role};
use common::{CHOICE, Cast, FOUNDED, grant, heart, profile, withdraw};
use consent::{Choice, ConsentState, DataKind, Outcome};
use wallet::{answer, asks, enrol, proof, research, staff, sync, views};

#[tokio::test(flavor = "multi_thread")]
async fn from_invitation_to_withdrawal() {
    let cast = Cast::ready().await;
    let home = views::home(&cast.participant).unwrap();
    assert_eq!(home.biobank, "Example Biobank");
    assert_eq!(home.requests.len(), 3);
    assert!(home.consents.is_empty());
    let donors = staff::donors(&cast.staff).await.unwrap();
    assert_eq!(donors.rows[0].state, bridge::InvitationState::Accepted);

    let request = views::request(&cast.participant, &heart()).unwrap();
    assert_eq!((request.position, request.of), (2, 3));
    let entry = grant(&cast.participant, &heart(), &CHOICE).await.unwrap();
    assert_eq!(views::receipt(&cast.participant, &heart(), &entry).unwrap().record, RecordView::Saved);
    sync::sync(&cast.participant).await.unwrap();
    let receipt = views::receipt(&cast.participant, &heart(), &entry).unwrap();
    let RecordView::Recorded(recorded) = receipt.record else { panic!("{:?}", receipt.record) };
    assert_eq!((recorded.index, receipt.state), (FOUNDED, ConsentState::Active));
    assert_eq!(staff::donors(&cast.staff).await.unwrap().rows[0].live, 1);

    let path = proof::save(&cast.participant, &heart(), &cast.root.path().join("downloads")).await.unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let studies = research::studies(&cast.researcher).await.unwrap();
    let purpose = studies.studies.iter().find(|study| study.study == heart()).unwrap().purpose.clone();
    let view = research::check(&cast.researcher, &text, &purpose, None).await.unwrap();
    assert_eq!(view.outcome, Some(Outcome::Permit), "{:#?}", view.checks);
    assert_eq!((view.given.as_ref().map(|g| g.index), view.log_size), (Some(FOUNDED), Some(FOUNDED + 1)));

    let mut abroad = purpose.clone();
    abroad.places = vec!["US".into()];
    let view = research::check(&cast.researcher, &text, &abroad, None).await.unwrap();
    assert_eq!((view.outcome, view.reasons[0].message.id.as_str()), (Some(Outcome::Deny), "reason-place-not-allowed"));

    // A second live consent has a mailbox of its own.
    grant(&cast.participant, &"diabetes-families".parse().unwrap(), &[DataKind::Genome]).await.unwrap();
    sync::sync(&cast.participant).await.unwrap();
    asks::ask(&cast.researcher, &heart(), &purpose).await.unwrap();
    sync::sync(&cast.participant).await.unwrap();
    let sharing = views::sharing(&cast.participant).unwrap();
    assert_eq!(sharing.asks.len(), 1);
    assert_eq!(sharing.asks[0].organisation, "Example University Hospital");
    asks::answer(&cast.participant, &sharing.asks[0].id, true).await.unwrap();
    let answered = research::asks(&cast.researcher).await.unwrap();
    assert_eq!(answered.asks[0].answers[0].outcome, Some(Outcome::Permit), "{:#?}", answered.asks[0].answers[0].checks);

    withdraw(&cast.participant, &heart()).unwrap();
    sync::sync(&cast.participant).await.unwrap();
    let view = research::check(&cast.researcher, &text, &purpose, None).await.unwrap();
    assert_eq!((view.outcome, view.reasons[0].message.id.as_str()), (Some(Outcome::Deny), "reason-withdrawn"));
    assert_eq!(view.withdrawn.map(|w| w.index), Some(FOUNDED + 2));
    assert_eq!(research::asks(&cast.researcher).await.unwrap().asks[0].answers[0].outcome, Some(Outcome::Deny));
    assert_eq!(staff::donors(&cast.staff).await.unwrap().rows[0].withdrawn, 1);

    let rows = views::activity(&cast.participant).unwrap().rows;
    let ids: Vec<_> = rows.iter().rev().map(|row| row.message.id.as_str()).collect();
    let granted = ["activity-granted", "activity-sent", "activity-recorded"];
    let withdrew = ["activity-withdrew", "activity-sent", "activity-recorded"];
    let expected = [
        &["activity-joined"][..],
        &granted,
        &["activity-proof-saved"],
        &granted,
        &["activity-ask-received", "activity-proof-shared"],
        &withdrew,
    ];
    assert_eq!(ids, expected.concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_works_once_and_a_failed_try_is_told() {
    let cast = Cast::ready().await;
    let invitation = staff::invite(&cast.staff).await.unwrap();
    let second = profile(cast.root.path(), Role::Participant, 9);
    let offer = enrol::read_invitation(&invitation.code.to_lowercase(), Some(&invitation.address)).await.unwrap();
    enrol::accept(&second, &offer).await.unwrap();
    let third = profile(cast.root.path(), Role::Participant, 10);
    let failure = enrol::accept(&third, &offer).await.unwrap_err();
    assert_eq!(failure.code, Code::InvitationUsed);
    let rows = views::activity(&third).unwrap().rows;
    assert_eq!((rows[0].message.id.as_str(), rows[0].ok), ("activity-join-failed", false));
    // The same donor may ask again: the answer could have been lost on the way.
    let again = profile(&cast.root.path().join("again"), Role::Participant, 9);
    enrol::accept(&again, &offer).await.unwrap();
    let unknown = enrol::read_invitation("ZZZZ-ZZZZ", Some(&invitation.address)).await.unwrap_err();
    assert_eq!(unknown.code, Code::InvitationUnknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_codes_is_stopped() {
    let cast = Cast::ready().await;
    let mut last = None;
    for n in 0..40 {
        last = enrol::read_invitation(&format!("ZZZZ-ZZ{n:02}"), Some(&cast.biobank.address)).await.err();
    }
    assert_eq!(last.map(|failure| failure.code), Some(Code::TooManyTries));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_given_offline_is_sent_by_itself_later() {
    let mut cast = Cast::ready().await;
    cast.biobank.close().await;
    let entry = grant(&cast.participant, &heart(), &[DataKind::Genome]).await.unwrap();
    let view = sync::sync(&cast.participant).await.unwrap();
    assert_eq!((view.online, view.waiting), (false, 1));
    assert_eq!(views::receipt(&cast.participant, &heart(), &entry).unwrap().record, RecordView::Saved);
    // Withdrawing needs nobody either.
    withdraw(&cast.participant, &heart()).unwrap();
    sync::sync(&cast.participant).await.unwrap();
    cast.biobank.reopen().await;
    let view = sync::sync(&cast.participant).await.unwrap();
    assert_eq!((view.online, view.waiting), (true, 0));
    let home = views::home(&cast.participant).unwrap();
    assert_eq!(home.consents[0].state, ConsentState::Withdrawn);
    assert!(matches!(&home.consents[0].record, RecordView::Recorded(recorded) if recorded.index == FOUNDED + 1));
    let rows = views::activity(&cast.participant).unwrap().rows;
    let failed = rows.iter().find(|row| row.message.id == "activity-send-failed").unwrap();
    assert_eq!(failed.failure.as_ref().map(|failure| failure.code), Some(Code::Offline));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_given_without_a_choice_and_nothing_twice() {
    let cast = Cast::ready().await;
    let code = |result: Result<_, bridge::Failure>| result.map(drop).unwrap_err().code;
    assert_eq!(code(grant(&cast.participant, &heart(), &[]).await), Code::NothingChosen);
    assert_eq!(code(grant(&cast.participant, &heart(), &[DataKind::Imaging]).await), Code::NotPossible);
    assert_eq!(code(withdraw(&cast.participant, &heart())), Code::NotPossible);
    let study = heart();
    let try_once = || grant(&cast.participant, &study, &CHOICE);
    let (one, two) = tokio::join!(try_once(), try_once());
    assert!(one.is_ok() != two.is_ok());
    answer::defer(&cast.participant, &"sleep-memory".parse().unwrap()).unwrap();
    let sleep: consent::StudyId = "sleep-memory".parse().unwrap();
    answer::refuse(&cast.participant, &sleep).unwrap();
    assert_eq!(views::request(&cast.participant, &sleep).unwrap_err().code, Code::NotPossible);
    // The same answer again is no change.
    assert_eq!(code(grant(&cast.participant, &study, &CHOICE).await), Code::NotPossible);
    // A no is not for ever: the person can ask to be asked again.
    answer::ask_again(&cast.participant, &sleep).unwrap();
    grant(&cast.participant, &sleep, &[DataKind::Survey]).await.unwrap();
    withdraw(&cast.participant, &sleep).unwrap();
    answer::ask_again(&cast.participant, &sleep).unwrap();
    grant(&cast.participant, &sleep, &[DataKind::Survey]).await.unwrap();
    let view = sync::sync(&cast.participant).await.unwrap();
    assert_eq!(view.waiting, 0, "the record takes a consent after a withdrawal");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_is_what_is_signed() {
    let mut cast = Cast::ready().await;
    let seen = views::request(&cast.participant, &heart()).unwrap().notice;
    change_studies(&mut cast, |studies| studies[0]["text"] = "Another text.".into()).await;
    let choice = Choice { data: CHOICE.to_vec(), ..Choice::default() };
    let failure = answer::grant(&cast.participant, &heart(), &seen, &choice, "").await.unwrap_err();
    assert_eq!(failure.code, Code::RequestChanged);
    // The request is the one of today, but the text in the review was another one.
    let now = views::request(&cast.participant, &heart()).unwrap().notice;
    let failure = answer::grant(&cast.participant, &heart(), &now, &choice, &"ab".repeat(32)).await.unwrap_err();
    assert_eq!(failure.code, Code::RequestChanged);
    grant(&cast.participant, &heart(), &CHOICE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_study_that_is_taken_off_the_list_can_still_be_left() {
    let mut cast = Cast::ready().await;
    grant(&cast.participant, &heart(), &CHOICE).await.unwrap();
    sync::sync(&cast.participant).await.unwrap();
    change_studies(&mut cast, |studies| *studies = serde_json::json!([])).await;
    let home = views::home(&cast.participant).unwrap();
    assert_eq!((home.requests.len(), home.consents.len()), (0, 1), "the consent is still shown");
    assert_eq!(home.consents[0].title, "Heart Rhythm Study");
    withdraw(&cast.participant, &heart()).unwrap();
    let view = sync::sync(&cast.participant).await.unwrap();
    assert_eq!(view.waiting, 0, "and its withdrawal is recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_study_says_only_what_a_study_may_say() {
    type Change = fn(&mut serde_json::Value);
    let forged: [(&str, Change); 6] = [
        ("the donor's answer", |study| study["policy"]["answers"] = serde_json::json!({"aiTraining": "yes"})),
        ("a paragraph in a line", |study| study["why"] = "They ask.\n\nYou share nothing.".into()),
        ("a turned direction", |study| study["title"] = "Heart \u{202e}ydutS".into()),
        ("a quiz that nobody took", |study| {
            study["terms"]["comprehension"] = serde_json::json!({"quiz": "q", "score": 100, "at": "2026-01-01"});
        }),
        ("a text without an end", |study| study["text"] = "long ".repeat(10_000).into()),
        ("a purpose that nobody understands", |study| study["purpose"]["topics"] = serde_json::json!(["HMB", "odd"])),
    ];
    for (what, change) in forged {
        let mut cast = Cast::ready().await;
        change_studies(&mut cast, |studies| change(&mut studies[0])).await;
        assert_eq!(views::home(&cast.participant).unwrap().requests.len(), 2, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_that_is_signed_covers_everything_that_is_signed() {
    let mut cast = Cast::ready().await;
    let choice = Choice { data: CHOICE.to_vec(), ..Choice::default() };
    let digest = |cast: &Cast| {
        let notice = views::request(&cast.participant, &heart()).unwrap().notice;
        views::summary(&cast.participant, &heart(), &notice, &choice).unwrap().statement.digest
    };
    let mut seen = vec![digest(&cast)];
    type Change = fn(&mut serde_json::Value);
    let changes: [Change; 4] = [
        |study| study["terms"]["retainUntil"] = "2099-01-01".into(),
        |study| study["terms"]["withdrawal"]["graceDays"] = 3_650.into(),
        |study| study["organisation"]["id"] = "https://other.example".into(),
        |study| study["offers"][0]["detail"] = "All of you.".into(),
    ];
    for change in changes {
        change_studies(&mut cast, |studies| change(&mut studies[0])).await;
        let now = digest(&cast);
        assert!(!seen.contains(&now));
        seen.push(now);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_of_a_study_does_not_come_back() {
    let mut cast = Cast::ready().await;
    change_studies(&mut cast, |studies| studies[0]["version"] = 2.into()).await;
    let newer = views::request(&cast.participant, &heart()).unwrap().notice;
    change_studies(&mut cast, |studies| studies[0]["version"] = 1.into()).await;
    // Also not at the second try, when the newer one is off the list.
    sync::sync(&cast.participant).await.unwrap();
    let waiting = views::home(&cast.participant).unwrap().requests;
    assert!(waiting.iter().all(|card| card.study != heart()));
    change_studies(&mut cast, |studies| studies[0]["version"] = 2.into()).await;
    assert_eq!(views::request(&cast.participant, &heart()).unwrap().notice, newer);
}

/// Restarts the biobank with other studies. What has another text gets another version, unless the test says which:
/// under a version that the record knows the biobank offers no other text.
async fn change_studies(cast: &mut Cast, change: impl FnOnce(&mut serde_json::Value)) {
    cast.biobank.close().await;
    let path = cast.biobank.dir.join("studies.json");
    let before: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut studies = before.clone();
    change(&mut studies);
    for study in studies.as_array_mut().unwrap() {
        let old = before.as_array().unwrap().iter().find(|old| old["id"] == study["id"]).unwrap();
        if study != old && study["version"] == old["version"] {
            study["version"] = (old["version"].as_u64().unwrap() + 1).into();
        }
    }
    std::fs::write(&path, studies.to_string()).unwrap();
    cast.biobank.reopen().await;
    sync::sync(&cast.participant).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_open_in_one_place_only() {
    let cast = Cast::ready().await;
    let dir = cast.participant.dir.clone();
    let second = wallet::Profile::open(Role::Participant, &dir, identity::ProfileSecret::from_bytes([2; 32]));
    assert_eq!(second.err().map(|failure| failure.code), Some(Code::AlreadyOpen));
}
