//! Answers of others: what is taken over, what is not, and that nothing grows on the way.

mod consents;

use super::*;
use crate::exchange::{fhir, sample};
use consent::{ConsentState, ContactKind, DataKind, Modifier, Policy, Question, ResultKind};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(value: &Value) -> Imported {
    import_at(&value.to_string(), sample::at("2026-11-24T10:00:00Z")).unwrap()
}

fn asked(questions: Value) -> Imported {
    read(&json!({ "questions": questions }))
}

/// The examples of the module's document.
#[test]
fn the_examples_of_the_document_are_read_as_it_says() {
    let document = include_str!("../ctrl.rs");
    let example = |kind: &str| -> String {
        let from = document.split_once(&format!("//! ```{kind}\n")).unwrap().1;
        let lines = from.split_once("//! ```").unwrap().0.lines();
        lines.map(|line| line.trim_start_matches("//!").trim()).collect::<Vec<_>>().join("\n")
    };
    let imported = import(&example("json")).unwrap();
    assert_eq!(imported.format, Format::CtrlJson);
    assert_eq!((imported.read, imported.left_out.as_slice()), (7, &[][..]), "six questions and one disease");
    let choices = imported.choices;
    assert_eq!(choices.scope, Some(Permission::Ds));
    assert_eq!(choices.diseases, ["MONDO:0004981"]);
    assert_eq!(choices.ancestry, Some(Answer::No));
    assert_eq!(choices.who.get(OrganisationKind::Commercial), Some(Answer::Undecided));
    assert_eq!(choices.places, Some(vec!["AU".to_owned(), "NZ".to_owned()]));
    assert_eq!(choices.questions.get(Question::AiTraining), Some(Answer::No));

    let imported = import(&example("csv")).unwrap();
    assert_eq!((imported.format, imported.read, imported.left_out.len()), (Format::CtrlCsv, 3, 0));
    assert_eq!(imported.choices.who.get(OrganisationKind::Academic), Some(Answer::Yes));
    assert_eq!(imported.choices.places, Some(vec!["AU".to_owned(), "NZ".to_owned()]));
}

#[test]
fn every_term_can_be_answered_by_its_id_and_by_our_own_words() {
    fn hold<T: Vocabulary + PartialEq>(group: &str, read: impl Fn(&Choices) -> Answers<T>) {
        for term in T::ALL {
            let id = format!("{group}.{}", term.code());
            let imported = asked(json!([{ "id": id, "answer": "no" }]));
            assert_eq!(read(&imported.choices).get(*term), Some(Answer::No), "{id}");
            if matches!(group, "question" | "result" | "contact") {
                let words = words::sentence("en", &consent::Message::new(format!("{group}-{}", term.code())));
                let imported = asked(json!([{ "question": words, "answer": "Not sure" }]));
                assert_eq!(read(&imported.choices).get(*term), Some(Answer::Undecided), "{words}");
            }
        }
    }
    hold::<OrganisationKind>("who", |choices| choices.who);
    hold::<DataKind>("what", |choices| choices.what);
    hold::<Question>("question", |choices| choices.questions);
    hold::<ResultKind>("result", |choices| choices.preferences.results);
    hold::<ContactKind>("contact", |choices| choices.preferences.contact);
    for (wording, id) in super::ctrl::WORDINGS {
        let answer = if *id == "where" { json!("NL") } else { json!("yes") };
        let imported = asked(json!([
            { "question": format!("  {}?! ", wording.to_uppercase()), "answer": answer },
            { "id": "purpose.disease", "answer": "not_sure" },
        ]));
        assert!(!imported.left_out.iter().any(|line| line.contains("not known")), "{wording}: {imported:?}");
        assert_eq!(imported.read, 2, "{wording}");
    }
}

#[test]
fn what_is_not_known_is_listed_and_not_taken_over() {
    let imported = asked(json!([
        { "id": "purpose.health", "answer": "yes" },
        { "question": "May we sell your house?", "answer": "yes" },
        { "id": "who.academic", "answer": "perhaps" },
        { "id": "who.academic", "question": "Companies", "answer": "yes" },
        { "id": "what.genome", "answer": "yes", "unless": "on Sundays" },
        { "id": "where", "answer": ["NL", "Europe"] },
        { "id": "purpose.disease", "answer": "yes", "diseases": ["cancer"] },
        { "id": "contact.recontact" },
        "yes",
        { "answer": "yes" },
    ]));
    assert_eq!(imported.read, 1);
    assert_eq!(imported.left_out.len(), 9, "{:#?}", imported.left_out);
    assert_eq!(imported.choices, Choices { scope: Some(Permission::Hmb), ..Choices::default() });
    let imported = read(&json!({ "questions": [], "limits": ["none"] }));
    assert_eq!(imported.left_out, ["limits: this part of the file is not understood"]);
}

#[test]
fn two_answers_never_add_up() {
    let places = |one: Value, other: Value| {
        let imported = asked(json!([{ "id": "where", "answer": one }, { "id": "where", "answer": other }]));
        (imported.choices.places, imported.left_out.len())
    };
    let list = |places: &[&str]| Some(places.iter().map(|place| (*place).to_owned()).collect::<Vec<_>>());
    assert_eq!(places(json!("US"), json!("EU")), (None, 1), "nothing is left, and that is not anywhere");
    assert_eq!(places(json!("EU"), json!("NL US")), (list(&["NL"]), 0));
    assert_eq!(places(json!("EEA"), json!("EU")), (list(&["EU"]), 0));
    assert_eq!(places(json!("anywhere"), json!("NL")), (list(&["NL"]), 0));
    assert_eq!(places(json!("anywhere"), json!("anywhere")), (list(&[]), 0));
    assert_eq!(places(json!("NL"), json!("Narnia")), (None, 1), "one that is not understood could be any limit");
    assert_eq!(places(json!("anywhere US"), json!("NL")), (list(&["NL"]), 1));

    let yes_no = asked(json!([{ "id": "what.genome", "answer": "yes" }, { "id": "what.genome", "answer": "no" }]));
    assert_eq!(yes_no.choices.what.get(DataKind::Genome), Some(Answer::Undecided));
    assert_eq!(yes_no.left_out.len(), 1);

    let scope = |answers: &[(&str, &str)]| {
        let questions: Vec<_> = answers.iter().map(|(id, answer)| json!({ "id": id, "answer": answer })).collect();
        asked(json!(questions)).choices.scope
    };
    assert_eq!(scope(&[("purpose.any", "yes"), ("purpose.health", "yes")]), Some(Permission::Hmb));
    assert_eq!(scope(&[("purpose.any", "yes"), ("purpose.disease", "yes")]), None, "the narrowest, without a disease");
    assert_eq!(scope(&[("purpose.any", "yes"), ("purpose.origins", "yes")]), Some(Permission::Poa));
    assert_eq!(scope(&[("purpose.health", "yes"), ("purpose.origins", "yes")]), None, "neither is the narrower one");
    assert_eq!(scope(&[("purpose.any", "yes"), ("purpose.origins", "no")]), Some(Permission::Gru));
    assert_eq!(scope(&[("purpose.any", "no"), ("purpose.health", "yes")]), Some(Permission::Hmb));
    assert_eq!(scope(&[("purpose.any", "not_sure"), ("purpose.health", "yes")]), Some(Permission::Hmb));
    assert_eq!(scope(&[("purpose.any", "yes"), ("purpose.health", "no")]), None);
    assert_eq!(scope(&[("purpose.any", "yes"), ("purpose.any", "no")]), None);
    assert_eq!(scope(&[("purpose.disease", "yes")]), None, "no disease was named");
    assert_eq!(scope(&[("purpose.origins", "yes")]), Some(Permission::Poa));
    assert_eq!(scope(&[("purpose.origins", "yes"), ("purpose.origins", "no")]), None);
}

#[test]
fn tables_are_read_by_their_rules() {
    let good =
        "\u{feff}Question,Answer\r\n\"Universities\",\"yes\"\r\n\r\n\"May they \"\"train\"\" models,\nor not?\",no\r\n";
    let imported = import(good).unwrap();
    assert_eq!((imported.read, imported.left_out.len()), (1, 1), "{imported:?}");
    let lines = |count: usize| format!("question,answer\n{}", "zq,yes\n".repeat(count));
    let many = import(&lines(MAX_QUESTIONS)).unwrap();
    assert_eq!((many.read, many.left_out.len()), (0, MAX_LEFT_OUT + 1));
    for (text, error) in [
        ("question,answer\n\"a", ImportError::Table(2)),
        ("question,answer\nx\"y,no", ImportError::Table(2)),
        ("question,answer\n\"x\"y,no", ImportError::Table(2)),
        ("id;answer\nx;no", ImportError::Unknown),
        (&lines(MAX_QUESTIONS + 1), ImportError::TooMany),
        ("", ImportError::Unknown),
        ("%PDF-1.7", ImportError::Unknown),
    ] {
        assert_eq!(import(text), Err(error), "{text:?}");
    }
    assert_eq!(import("question,answer\na,b,c\nd\n").unwrap().left_out.len(), 2);
}

#[test]
fn files_that_are_none_are_refused_as_a_whole() {
    assert_eq!(import(&" ".repeat(MAX_IMPORT + 1)), Err(ImportError::TooLong));
    assert_eq!(import(&"[".repeat(1000)), Err(ImportError::Json(JsonError::TooDeep(MAX_DEPTH))));
    for text in ["{}", "[]", r#"{"questions":{}}"#, r#"{"resourceType":"Patient"}"#, r#"{"resourceType":7}"#] {
        assert_eq!(import(text), Err(ImportError::Unknown), "{text}");
    }
    let many = json!({ "questions": vec![json!({ "id": "zq", "answer": "yes" }); MAX_QUESTIONS + 1] });
    assert_eq!(import(&many.to_string()), Err(ImportError::TooMany));
    let twice = r#"{"questions":[{"id":"purpose.any","answer":"no","answer":"yes"}]}"#;
    assert_eq!(import(twice), Err(ImportError::Json(JsonError::DuplicateMember)));
}
