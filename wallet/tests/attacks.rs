//! What a hostile biobank, researcher or file tries, and what the wallet does about it.

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bridge::{CheckResult, Code, Role};
use common::{CHOICE, Cast, grant, heart, profile};
use consent::{Outcome, Purpose};
use identity::{SigningKey, seal, sign_jws};
use serde_json::{Value, json};
use wallet::check::{Expected, check};
use wallet::{Remote, asks, enrol, proof, research, sync, views};

async fn granted() -> (Cast, Value, Purpose) {
    let cast = Cast::ready().await;
    grant(&cast.participant, &heart(), &CHOICE).await.unwrap();
    sync::sync(&cast.participant).await.unwrap();
    let proof = serde_json::to_value(proof::make(&cast.participant, &heart(), None).await.unwrap()).unwrap();
    let studies = research::studies(&cast.researcher).await.unwrap().studies;
    let purpose = studies.iter().find(|study| study.study == heart()).unwrap().purpose.clone();
    (cast, proof, purpose)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_proof_has_no_answer_and_says_which_check_failed() {
    let (cast, proof, purpose) = granted().await;
    let (other, other_proof, _) = granted().await;
    drop(other);
    let change = |edit: &dyn Fn(&mut Value)| {
        let mut changed = proof.clone();
        edit(&mut changed);
        changed.to_string()
    };
    let credential = "/presentation/verifiableCredential/0/credentialSubject/dataUse/until";
    let cases: [(&str, String, &[&str]); 9] = [
        ("not json", "{".into(), &["json"]),
        ("too large", " ".repeat(proof::MAX_PROOF + 1), &["size"]),
        ("a field more", change(&|v| v["more"] = 1.into()), &["json"]),
        ("another format", change(&|v| v["format"] = "consent-proof.v2".into()), &["json"]),
        (
            "a later last day",
            change(&|v| *v.pointer_mut(credential).unwrap() = "2099-12-31".into()),
            &["signature", "valid-until", "claims"],
        ),
        ("another entry", change(&|v| v["entry"] = other_proof["entry"].clone()), &["ledger-entry"]),
        ("another receipt", change(&|v| v["receipt"] = other_proof["receipt"].clone()), &["ledger-entry"]),
        ("a proof from another biobank", other_proof.to_string(), &["ledger-entry"]),
        (
            "no credential",
            change(&|v| v["presentation"]["verifiableCredential"] = json!([])),
            &["signature", "claims", "type"],
        ),
    ];
    for (name, text, failed) in cases {
        let view = research::check(&cast.researcher, &text, &purpose, None).await.unwrap();
        assert_eq!(view.outcome, None, "{name}");
        let first = view.checks.iter().find(|row| row.result == CheckResult::Failed);
        assert!(first.is_some_and(|row| failed.contains(&row.name.as_str())), "{name}: {first:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_for_one_audience_or_question_is_no_proof_for_another() {
    let (cast, proof, purpose) = granted().await;
    let bytes = proof.to_string().into_bytes();
    let elsewhere = Expected { audience: Some("https://other.example".into()), ..Expected::default() };
    let view = check(&bytes, &purpose, &elsewhere, None, wallet::now()).await;
    assert!(view.checks.iter().any(|row| row.name == "audience" && row.result == CheckResult::Failed));
    let asked = Expected { challenge: Some("a fresh question".into()), ..Expected::default() };
    let view = check(&bytes, &purpose, &asked, None, wallet::now()).await;
    assert!(view.checks.iter().any(|row| row.name == "challenge" && row.result == CheckResult::Failed));
    let late = wallet::now().plus_seconds(proof::FILE_AGE + 60);
    let view = check(&bytes, &purpose, &Expected::default(), None, late).await;
    assert_eq!(view.outcome, None);
    assert!(view.checks.iter().any(|row| row.result == CheckResult::Failed));
    drop(cast);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_record_there_is_no_answer() {
    let (mut cast, proof, purpose) = granted().await;
    cast.biobank.close().await;
    let view = research::check(&cast.researcher, &proof.to_string(), &purpose, None).await.unwrap();
    assert_eq!((view.outcome, view.live_at), (None, None));
    let row = view.checks.iter().find(|row| row.name == "ledger-record").unwrap();
    assert_eq!(row.result, CheckResult::NotMade);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_begins_anew_is_an_alarm_for_wallet_and_researcher() {
    let (mut cast, proof, purpose) = granted().await;
    assert_eq!(
        research::check(&cast.researcher, &proof.to_string(), &purpose, None).await.unwrap().outcome,
        Some(Outcome::Permit)
    );
    cast.biobank.close().await;
    // The institution keeps its keys and throws its history away.
    std::fs::remove_dir_all(cast.biobank.dir.join("log")).unwrap();
    cast.biobank.reopen().await;
    let failure = sync::sync(&cast.participant).await.unwrap_err();
    assert_eq!(failure.code, Code::LogForked);
    let alarm = sync::view(&cast.participant).unwrap().alarm.expect("an alarm");
    assert!(alarm.before.root != alarm.after.root, "{alarm:?}");
    let file = wallet::alarm::save(&cast.participant, cast.root.path()).unwrap();
    let evidence = ledger::Evidence::parse(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(evidence.judge().map(ledger::Verdict::proves_a_fork), Ok(alarm.proven));
    let rows = views::activity(&cast.participant).unwrap().rows;
    assert!(rows.iter().any(|row| row.message.id == "activity-log-forked"));
    let view = research::check(&cast.researcher, &proof.to_string(), &purpose, None).await.unwrap();
    assert_eq!(view.outcome, None);
    assert!(
        view.checks.iter().any(|row| row.name == "ledger-record" && row.result == CheckResult::Failed),
        "{:#?}",
        view.checks
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_that_are_not_questions_of_the_studys_researcher_are_thrown_away() {
    let (cast, _, purpose) = granted().await;
    let connection = cast.participant.connection().unwrap();
    let donor = cast.participant.study_key(&connection, &heart()).did();
    let remote = Remote::new(&cast.biobank.address).unwrap();
    let key = cast.researcher.biobank_key(&connection);
    let stranger = SigningKey::from_seed([77; 32]);
    let question = json!({
        "id": "q", "study": heart(), "challenge": "c", "purpose": purpose, "asked": wallet::now(), "account": "not a statement",
    });
    let forged = sign_jws(&stranger, "proof-request.v1+jws", question.to_string().as_bytes());
    for letter in ["", "hello", forged.as_str()] {
        let sealed = seal(&donor, "consent-wallet/proof-request/v1", letter.as_bytes()).unwrap();
        remote.post_letter(&key, &donor, &STANDARD.encode(sealed)).await.unwrap();
    }
    remote.post_letter(&key, &donor, &STANDARD.encode([1; 100])).await.unwrap();
    sync::sync(&cast.participant).await.unwrap();
    assert!(views::sharing(&cast.participant).unwrap().asks.is_empty());
    // And a stranger can not write at all.
    let failure = remote.post_letter(&stranger, &donor, &STANDARD.encode([1; 10])).await.unwrap_err();
    assert_eq!(failure.code, Code::ServerRefused);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_stay_apart() {
    let (cast, ..) = granted().await;
    let participant_invites = wallet::staff::invite(&cast.participant).await.unwrap_err();
    assert_eq!(participant_invites.code, Code::ServerRefused);
    assert_eq!(wallet::staff::donors(&cast.researcher).await.unwrap_err().code, Code::ServerRefused);
    assert!(asks::ask(&cast.staff, &heart(), &Purpose::default()).await.is_err());
    // A staff code does not make a researcher.
    let intruder = profile(cast.root.path(), Role::Researcher, 40);
    let failure =
        wallet::connect::connect(&intruder, &cast.biobank.address, &cast.biobank.staff_code).await.unwrap_err();
    assert_eq!(failure.code, Code::CodeWrong);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_names_another_biobank_is_refused() {
    let cast = Cast::ready().await;
    let liar = SigningKey::from_seed([5; 32]).did();
    let link = format!("consent-wallet://join?at={}&by={liar}&code=ABCDEFGH", cast.biobank.address);
    let failure = enrol::read_invitation(&link, None).await.unwrap_err();
    assert_eq!((failure.code, failure.args["check"].as_str()), (Code::NotValid, "signer-is-issuer"));
    let inward =
        enrol::read_invitation("consent-wallet://join?at=http://10.0.0.1&code=ABCDEFGH", None).await.unwrap_err();
    assert_eq!(inward.code, Code::AddressNotAllowed);
}
