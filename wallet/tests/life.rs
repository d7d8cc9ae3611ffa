//! The life of a consent without a window: changed, paused, resumed, extended, taken back by levels; what each step
//! means before it is signed, and what the history says afterwards.

mod common;

use bridge::{Code, DonorStep, Possible, RecordView};
use common::{CHOICE, Cast, choose, grant, heart, step};
use consent::{
    Answer, Answers, Choice, Choices, ConsentState, ContactKind, DataKind, Date, Direction, Effect, OrganisationKind,
    Outcome, Permission, Preferences, Question, Vocabulary, Withdrawal,
};
use wallet::{answer, choices, proof, research, sync, views};

fn whole() -> Choice {
    Choice {
        data: CHOICE.to_vec(),
        answers: Answers::default().with(Question::AiTraining, Answer::No),
        preferences: Preferences {
            contact: Answers::default().with(ContactKind::Recontact, Answer::Undecided),
            ..Preferences::default()
        },
        until: "2027-12-31".parse().ok(),
    }
}

fn tomorrow() -> Date {
    wallet::now().plus_seconds(86_400).date()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_first_answer_to_the_last_level() {
    let cast = Cast::ready().await;
    let (participant, heart) = (&cast.participant, heart());
    choose(participant, &heart, &whole()).await.unwrap();
    sync::sync(participant).await.unwrap();
    let view = views::consent(participant, &heart).unwrap();
    // A question that was asked and left open is signed as "not sure".
    let signed = Choice { answers: whole().answers.with(Question::Controls, Answer::Undecided), ..whole() };
    assert_eq!(view.choice, signed);
    let all = [Possible::Change, Possible::Extend, Possible::Pause, Possible::Leave, Possible::Prove];
    assert_eq!(view.possible, all);
    assert_eq!(view.levels.len(), 4);

    // Narrower: what it changes is told before, and counts at once.
    let less = Choice { data: vec![DataKind::Genome], ..signed.clone() };
    let notice = views::request(participant, &heart).unwrap();
    assert_eq!(notice.current, Some(signed.clone()));
    let review = views::summary(participant, &heart, &notice.notice, &less).unwrap();
    assert_eq!(review.differences.len(), 1);
    assert_eq!(review.differences[0].direction, Direction::Narrower);
    assert_eq!(review.effects[0].effect, Effect::GoesOn, "with the kind that is left");
    choose(participant, &heart, &less).await.unwrap();
    sync::sync(participant).await.unwrap();
    assert_eq!(
        research_says(&cast, &[DataKind::HealthRecord]).await,
        (Some(Outcome::Deny), "reason-data-not-shared".into())
    );
    assert_eq!(research_says(&cast, &[DataKind::Genome]).await.0, Some(Outcome::Permit));

    // Longer, up to the last day of the study and not beyond.
    let beyond = Choice { until: "2030-01-01".parse().ok(), ..less.clone() };
    assert_eq!(choose(participant, &heart, &beyond).await.unwrap_err().code, Code::NotPossible);
    let longer = Choice { until: "2028-12-31".parse().ok(), ..less.clone() };
    choose(participant, &heart, &longer).await.unwrap();

    step(participant, &heart, DonorStep::Pause { until: Some(tomorrow()) }).unwrap();
    sync::sync(participant).await.unwrap();
    let view = views::consent(participant, &heart).unwrap();
    assert_eq!((view.card.state, view.card.paused_until), (ConsentState::Suspended, Some(tomorrow())));
    assert_eq!(view.possible, [Possible::Resume, Possible::Leave]);
    assert_eq!(views::request(participant, &heart).unwrap_err().code, Code::NotPossible, "first it has to go on");
    let failure = answer::grant(participant, &heart, &notice.notice, &less, &review.statement.digest).await;
    assert_eq!(failure.unwrap_err().code, Code::NotPossible);
    let failure = step(participant, &heart, DonorStep::Pause { until: None }).unwrap_err();
    assert_eq!(failure.code, Code::NotPossible);

    step(participant, &heart, DonorStep::Resume).unwrap();
    sync::sync(participant).await.unwrap();
    for (level, left) in [(Withdrawal::NoContact, 3), (Withdrawal::NoUse, 1), (Withdrawal::DestroySample, 0)] {
        step(participant, &heart, DonorStep::Withdraw { level }).unwrap();
        sync::sync(participant).await.unwrap();
        let view = views::consent(participant, &heart).unwrap();
        assert_eq!((view.card.state, view.levels.len()), (level.state(), left));
        let expected = if level == Withdrawal::NoContact { Outcome::Permit } else { Outcome::Deny };
        if level == Withdrawal::NoContact {
            assert_eq!(research_says(&cast, &[DataKind::Genome]).await.0, Some(expected));
        }
    }
    let failure = step(participant, &heart, DonorStep::Withdraw { level: Withdrawal::NoAccess }).unwrap_err();
    assert_eq!(failure.code, Code::NotPossible, "a withdrawal only becomes stronger");

    let view = views::consent(participant, &heart).unwrap();
    let ids: Vec<_> = view.history.iter().rev().map(|row| row.message.id.as_str()).collect();
    let expected = [
        "history-granted",
        "history-changed",
        "history-changed",
        "history-paused",
        "history-resumed",
        "history-no-contact",
        "history-withdrew",
        "history-withdrew",
    ];
    assert_eq!(ids, expected);
    assert!(view.history.iter().all(|row| row.same == Some(true)), "what was seen is what was signed");
    assert!(view.history.iter().all(|row| matches!(row.record, RecordView::Recorded(_))));
    let versions: Vec<_> = view.history.iter().rev().filter_map(|row| Some((row.version?, row.state?))).collect();
    let over = ConsentState::Superseded;
    assert_eq!(versions, [(1, over), (2, over), (3, ConsentState::DestroySample)]);
    assert!(view.history[0].statement.paragraphs.len() > 2);
    assert_eq!(sync::view(participant).unwrap().waiting, 0);
}

/// What the researcher's check says of a fresh proof for a use of these kinds of data.
async fn research_says(cast: &Cast, data: &[DataKind]) -> (Option<Outcome>, String) {
    let path = proof::save(&cast.participant, &heart(), &cast.root.path().join("downloads")).await.unwrap();
    let studies = research::studies(&cast.researcher).await.unwrap().studies;
    let mut purpose = studies.into_iter().find(|study| study.study == heart()).unwrap().purpose;
    purpose.data = data.to_vec();
    let text = std::fs::read_to_string(path).unwrap();
    let view = research::check(&cast.researcher, &text, &purpose, None).await.unwrap();
    (view.outcome, view.reasons.first().map(|reason| reason.message.id.clone()).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_proof_tells_of_the_pause_and_of_the_version_that_took_its_place() {
    let cast = Cast::ready().await;
    let (participant, heart) = (&cast.participant, heart());
    grant(participant, &heart, &CHOICE).await.unwrap();
    sync::sync(participant).await.unwrap();
    let path = proof::save(participant, &heart, &cast.root.path().join("downloads")).await.unwrap();
    let old = std::fs::read_to_string(path).unwrap();
    let purpose = research::studies(&cast.researcher).await.unwrap().studies;
    let purpose = purpose.into_iter().find(|study| study.study == heart).unwrap().purpose;
    let says = async || {
        let view = research::check(&cast.researcher, &old, &purpose, None).await.unwrap();
        (view.outcome, view.reasons[0].message.id.clone())
    };
    assert_eq!(says().await.0, Some(Outcome::Permit));
    step(participant, &heart, DonorStep::Pause { until: None }).unwrap();
    sync::sync(participant).await.unwrap();
    assert_eq!(says().await, (Some(Outcome::Deny), "reason-paused".to_owned()));
    step(participant, &heart, DonorStep::Resume).unwrap();
    sync::sync(participant).await.unwrap();
    assert_eq!(says().await.0, Some(Outcome::Permit));
    grant(participant, &heart, &[DataKind::Genome]).await.unwrap();
    sync::sync(participant).await.unwrap();
    assert_eq!(says().await, (Some(Outcome::Deny), "reason-superseded".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed_that_was_not_asked_or_not_shown() {
    let cast = Cast::ready().await;
    let (participant, heart) = (&cast.participant, heart());
    let refused = async |choice: Choice| choose(participant, &heart, &choice).await.unwrap_err().code;
    assert_eq!(refused(Choice::default()).await, Code::NothingChosen);
    assert_eq!(refused(Choice { data: vec![DataKind::Imaging], ..whole() }).await, Code::NotPossible);
    let other = Answers::default().with(Question::IllegalBehavior, Answer::Yes);
    assert_eq!(refused(Choice { answers: other, ..whole() }).await, Code::NotPossible);
    assert_eq!(refused(Choice { until: "2020-01-01".parse().ok(), ..whole() }).await, Code::NotPossible);
    choose(participant, &heart, &whole()).await.unwrap();
    let leave = DonorStep::Withdraw { level: Withdrawal::NoUse };
    let shown = views::step(participant, &heart, DonorStep::Pause { until: None }).unwrap().statement.digest;
    assert_eq!(answer::step(participant, &heart, leave, &shown).unwrap_err().code, Code::RequestChanged);
    let past = DonorStep::Pause { until: "2020-01-01".parse().ok() };
    assert_eq!(step(participant, &heart, past).unwrap_err().code, Code::NotPossible);
}

#[tokio::test(flavor = "multi_thread")]
async fn choices_sign_nothing_and_tell_which_studies_fit() {
    let cast = Cast::ready().await;
    let participant = &cast.participant;
    assert!(views::home(participant).unwrap().requests.iter().all(|card| card.fits == Outcome::Review));
    let mine = Choices {
        scope: Some(Permission::Ds),
        diseases: vec!["MONDO:0005015".into()],
        commercial: Some(Answer::No),
        who: Answers::default().with(OrganisationKind::Academic, Answer::Yes),
        what: DataKind::ALL.iter().map(|kind| (*kind, Answer::Yes)).collect(),
        places: Some(vec!["EU".into()]),
        questions: Answers::default().with(Question::AiTraining, Answer::No),
        ..Choices::default()
    };
    let tried = choices::simulate(participant, mine.clone()).unwrap();
    let effect = |study: &str| tried.effects.iter().find(|one| one.study.as_str() == study).unwrap();
    assert_eq!(effect("diabetes-families").effect, Effect::Opens);
    assert_eq!(effect("heart-rhythm").effect, Effect::Stops);
    assert_eq!(effect("heart-rhythm").reasons[0].id, "fit-purpose");
    assert!(choices::view(participant).unwrap().saved.is_none(), "trying saves nothing");
    choices::save(participant, mine.clone()).unwrap();
    let view = choices::view(participant).unwrap();
    assert_eq!(view.choices.ontology.as_ref().map(|ontology| ontology.version.as_str()), Some("2026-05-05"));
    assert_eq!(view.diseases[0].label, "diabetes mellitus");
    let request = views::request(participant, &heart()).unwrap();
    assert_eq!(request.fits.outcome, Outcome::Deny);
    assert!(views::home(participant).unwrap().consents.is_empty());
    assert_eq!(sync::view(participant).unwrap().waiting, 0);
    let unknown = Choices { diseases: vec!["MONDO:9999999".into()], ..mine };
    assert_eq!(choices::save(participant, unknown).unwrap_err().code, Code::NotPossible);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mild_withdrawal_keeps_the_way_out_open() {
    let cast = Cast::ready().await;
    let (participant, heart) = (&cast.participant, heart());
    grant(participant, &heart, &CHOICE).await.unwrap();
    step(participant, &heart, DonorStep::Withdraw { level: Withdrawal::NoContact }).unwrap();
    // Use goes on, so a new question must not take the place of the consent that stands.
    assert_eq!(answer::ask_again(participant, &heart).unwrap_err().code, Code::NotPossible);
    let view = views::consent(participant, &heart).unwrap();
    assert!(!view.possible.contains(&Possible::AskAgain));
    step(participant, &heart, DonorStep::Withdraw { level: Withdrawal::NoUse }).unwrap();
    sync::sync(participant).await.unwrap();
    assert_eq!(sync::view(participant).unwrap().waiting, 0);
}

#[test]
fn diseases_are_found_by_name() {
    let found = choices::search("asthma");
    assert_eq!(found.found[0].label, "asthma");
    assert_eq!(found.ontology, "MONDO 2026-05-05");
    assert!(choices::search(&"x".repeat(100_000)).found.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_goes_out_though_an_entry_before_it_is_refused() {
    let cast = Cast::ready().await;
    let (participant, heart) = (&cast.participant, heart());
    choose(participant, &heart, &whole()).await.unwrap();
    sync::sync(participant).await.unwrap();
    let given = proof::save(participant, &heart, &cast.root.path().join("downloads")).await.unwrap();
    // A second device, from a copy of the first, pauses the consent; the first does not know and changes it.
    let (here, there) = (participant.dir.clone(), cast.root.path().join("copy/participant-2"));
    std::fs::create_dir_all(&there).unwrap();
    for file in std::fs::read_dir(here).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
        std::fs::copy(file.path(), there.join(file.file_name())).unwrap();
    }
    let second = common::profile(&cast.root.path().join("copy"), bridge::Role::Participant, 2);
    step(&second, &heart, DonorStep::Pause { until: None }).unwrap();
    sync::sync(&second).await.unwrap();
    let less = Choice { data: vec![DataKind::Genome], ..whole() };
    choose(participant, &heart, &less).await.unwrap();
    assert!(sync::sync(participant).await.is_err(), "the log has another latest entry");
    step(participant, &heart, DonorStep::Withdraw { level: Withdrawal::NoUse }).unwrap();
    let _ = sync::sync(participant).await;
    let after = sync::sync(participant).await.unwrap();
    assert_eq!(after.waiting, 0, "what the withdrawal overtook is not sent again");
    let history = views::consent(participant, &heart).unwrap().history;
    assert!(matches!(history.iter().map(|row| &row.record).next_back(), Some(RecordView::Recorded(_))), "{history:?}");
    let purpose = research::studies(&cast.researcher).await.unwrap().studies.remove(0).purpose;
    let given = std::fs::read_to_string(given).unwrap();
    let checked = research::check(&cast.researcher, &given, &purpose, Some(&heart)).await.unwrap();
    assert!(checked.withdrawn.is_some(), "{checked:?}");
}
