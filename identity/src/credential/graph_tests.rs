//! What is signed is the graph, not the text: that nothing of a consent stays out of the graph.
//!
//! The checks of `claims` stand before the signature and would refuse many of these changes first. Here the library
//! is asked alone, so that each member is held by the signature itself.

use super::claims::ConsentClaims;
use super::{Credential, issue_consent, linked, verify_consent};
use crate::SigningKey;
use consent::*;
use serde_json::{Value, json};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(super) fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

/// Each question of a vocabulary with an answer, so that each answer stands somewhere.
fn answered<Q: Vocabulary + PartialEq>() -> Answers<Q> {
    Q::ALL.iter().enumerate().map(|(place, question)| (*question, Answer::ALL[(place + 1) % 3])).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Every modifier, with each argument that it can have.
fn modifiers() -> Vec<Modifier> {
    let all = vec![
        Modifier::Rs {
            topics: vec![
                Focus::Flag(Flag::Female),
                Focus::Topic(Topic::Hmb),
                Focus::Topic(Topic::Ds),
                Focus::Topic(Topic::Genetic),
            ],
        },
        Modifier::Nmds,
        Modifier::Gso,
        Modifier::Npuncu,
        Modifier::Npu,
        Modifier::Ncu,
        Modifier::Pub,
        Modifier::Col { with: texts(&["https://orcid.org/0000-0002-1825-0097"]) },
        Modifier::Irb,
        Modifier::Gs { places: texts(&["NL", "EEA", "US-CA"]) },
        Modifier::Mor { date: day("2027-01-01") },
        Modifier::Ts { months: 24 },
        Modifier::Us { users: texts(&["https://orcid.org/0000-0001-5109-3700"]) },
        Modifier::Ps { projects: texts(&["https://biobank.example/projects/7"]) },
        Modifier::Is { institutions: texts(&["https://ror.org/02n0bts35", "https://ror.org/027bh9e22"]) },
        Modifier::Rtn,
        Modifier::Cc,
        Modifier::Npoa,
        Modifier::Nctrl,
        Modifier::Nagr,
        Modifier::Nri,
        Modifier::Nrl,
    ];
    let codes: Vec<_> = all.iter().map(Modifier::code).collect();
    assert!(Modifier::TERMS.iter().all(|(code, _)| codes.contains(code)), "a modifier is missing here");
    all
}

pub(super) fn maximal() -> ConsentClaims {
    let mut answers = answered::<Question>();
    // With NCTRL and NAGR a yes would be a contradiction.
    answers.set(Question::Controls, Some(Answer::No));
    answers.set(Question::Aggregate, Some(Answer::Undecided));
    ConsentClaims {
        subject: key().did(),
        biobank: SigningKey::from_seed([2; 32]).did(),
        study: "heart-2026".parse().unwrap(),
        version: 3,
        recipient: "https://ror.org/02n0bts35".to_owned(),
        notice: Notice {
            uri: "urn:consent-wallet:study:heart-2026".to_owned(),
            version: 2,
            sha256: "ab".repeat(32),
            language: "de-AT".to_owned(),
        },
        policy: Policy {
            permissions: vec![Permission::Ds],
            diseases: texts(&["MONDO:0004975", "MONDO:0005148"]),
            ontology: Some(TermSystem { system: "MONDO".to_owned(), version: "2026-05-05".to_owned() }),
            modifiers: modifiers(),
            data: Some(DataKind::ALL.to_vec()),
            answers,
            recipients: OrganisationKind::ALL.to_vec(),
            issued: Some(day("2026-11-22")),
            until: Some(day("2028-12-31")),
            ..Policy::default()
        },
        preferences: Preferences { results: answered(), contact: answered() },
        terms: Terms {
            legal_basis: texts(&["eu-gdpr:A6-1-a", "eu-gdpr:A9-2-a"]),
            jurisdiction: Some("NL".to_owned()),
            ethics: Some(EthicsApproval {
                committee: "METC Leiden".to_owned(),
                number: "P26.041".to_owned(),
                valid_until: day("2029-12-31"),
            }),
            assets: vec![
                Asset {
                    kind: DataKind::Sample,
                    ids: texts(&["NL-1234", "NL-1235"]),
                    from: Some(day("2024-01-01")),
                    until: Some(day("2025-12-31")),
                },
                Asset { kind: DataKind::Genome, ids: Vec::new(), from: None, until: None },
            ],
            collect_until: Some(day("2027-12-31")),
            retain_until: Some(day("2041-12-31")),
            withdrawal: Some(WithdrawalTerms { levels: Withdrawal::ALL.to_vec(), grace_days: Some(90) }),
            acting_for: Some(ActingFor {
                relation: "parent".to_owned(),
                evidence: "urn:evidence:1".to_owned(),
                assent: Some(true),
                majority: Some(day("2031-03-04")),
            }),
            community: Some("https://community.example/board".to_owned()),
            provenance: Some("cd".repeat(32)),
            comprehension: Some(Comprehension { quiz: "risk-1".to_owned(), score: 80, at: day("2026-11-22") }),
        },
        supersedes: Some("ef".repeat(32)),
    }
}

async fn issued(claims: &ConsentClaims) -> Credential {
    issue_consent(&key(), claims, now()).await.unwrap()
}

/// The paths of all values inside a value, in JSON pointer form: leaves, and whatever holds them.
fn paths(value: &Value, at: &str, leaves: &mut Vec<String>, inner: &mut Vec<String>) {
    let mut go = |name: String, child: &Value| {
        let at = format!("{at}/{name}");
        inner.push(at.clone());
        paths(child, &at, leaves, inner);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, child)| go(name.clone(), child)),
        Value::Array(items) => items.iter().enumerate().for_each(|(place, child)| go(place.to_string(), child)),
        _ => leaves.push(at.to_owned()),
    }
}

/// Another value that is as well formed as the one that stands there: never a word that the context does not know.
fn another(leaf: &Value) -> Value {
    let Value::String(text) = leaf else {
        return match leaf {
            Value::Bool(yes) => json!(!yes),
            number => json!(number.as_u64().unwrap() + 1),
        };
    };
    fn next<Q: Vocabulary>(code: &str) -> Option<&'static str> {
        let place = Q::ALL.iter().position(|term| term.code() == code)?;
        Some(Q::ALL[(place + 1) % Q::ALL.len()].code())
    }
    let modifier = Modifier::TERMS.iter().position(|(code, _)| code == text);
    let word = modifier
        .map(|place| Modifier::TERMS[(place + 1) % Modifier::TERMS.len()].0)
        .or_else(|| next::<Answer>(text))
        .or_else(|| next::<DataKind>(text))
        .or_else(|| next::<OrganisationKind>(text))
        .or_else(|| next::<Withdrawal>(text))
        .or_else(|| next::<Topic>(text))
        .or_else(|| next::<Flag>(text));
    let uri = ["did:", "https:", "urn:"].iter().any(|start| text.starts_with(start));
    match word {
        Some(word) => json!(word),
        None if text.parse::<Date>().is_ok() => json!("2030-02-03"),
        None if text.starts_with("did:key:") => json!(SigningKey::from_seed([9; 32]).did()),
        None if uri => json!(format!("{text}0")),
        None => json!(format!("{text}x")),
    }
}

fn remove(value: &mut Value, path: &str) {
    let (parent, name) = path.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.remove(name)),
        Value::Array(items) => drop(items.remove(name.parse().unwrap())),
        _ => unreachable!("only these hold others"),
    }
}

#[tokio::test]
async fn a_consent_that_says_all_there_is_verifies() {
    let claims = maximal();
    let credential = issued(&claims).await;
    let verification = verify_consent(&credential.to_bytes(), now()).await;
    assert!(verification.failed().is_empty(), "{:#?}", verification.checks);
    assert_eq!(verification.verified.unwrap().into_inner().claims, claims);
}

/// Whatever single value is another one, is gone, or stands in another place: the signature no longer holds.
#[tokio::test]
async fn each_value_of_a_consent_is_in_the_signed_graph() {
    let document = issued(&maximal()).await.value().clone();
    assert_eq!(linked::verify(document.clone()).await, Ok(()));
    let (mut leaves, mut inner) = (Vec::new(), Vec::new());
    paths(&document["credentialSubject"], "/credentialSubject", &mut leaves, &mut inner);
    assert!(leaves.len() > 100, "{} values", leaves.len());
    for path in &leaves {
        let mut changed = document.clone();
        let leaf = changed.pointer_mut(path).unwrap();
        *leaf = another(leaf);
        assert_ne!(changed, document, "{path} was not changed");
        let said = changed.pointer(path).cloned();
        assert!(linked::verify(changed).await.is_err(), "{path} can be {said:?} without notice");
    }
    for path in &inner {
        let mut changed = document.clone();
        remove(&mut changed, path);
        assert!(linked::verify(changed).await.is_err(), "{path} can be taken out without notice");
    }
}

/// Each permission and each topic that a restriction can name means something of its own in the graph.
#[tokio::test]
async fn no_two_terms_mean_the_same_in_the_graph() {
    let mut claims = maximal();
    claims.policy.modifiers = vec![Modifier::Rs { topics: vec![Focus::Flag(Flag::Age)] }];
    let document = issued(&claims).await.value().clone();
    let topics: Vec<_> = Topic::ALL.iter().map(|topic| topic.code()).collect();
    let flags = Flag::ALL.iter().map(|flag| flag.code()).filter(|code| !topics.contains(code));
    for code in topics.iter().copied().chain(flags).filter(|code| *code != "age") {
        let mut changed = document.clone();
        changed["credentialSubject"]["dataUse"]["modifiers"][0]["topics"] = json!([code]);
        assert!(linked::verify(changed).await.is_err(), "{code} is as good as age");
    }
    for permission in Permission::ALL.iter().filter(|permission| **permission != Permission::Ds) {
        let mut changed = document.clone();
        changed["credentialSubject"]["dataUse"]["permissions"] = json!([permission]);
        assert!(linked::verify(changed).await.is_err(), "{permission:?} is as good as DS");
    }
}

/// A list is a set in the graph: one that repeats an item would have two texts for one meaning, and one of many equal
/// objects would never come to an end.
#[tokio::test]
async fn what_repeats_is_refused_before_the_graph_is_made() {
    let document = issued(&maximal()).await.value().clone();
    let (mut leaves, mut inner) = (Vec::new(), Vec::new());
    paths(&document["credentialSubject"], "/credentialSubject", &mut leaves, &mut inner);
    let lists: Vec<_> = inner.iter().filter(|path| document.pointer(path).unwrap().is_array()).collect();
    assert!(lists.len() >= 15, "{lists:?}");
    for path in lists {
        let mut changed = document.clone();
        let list = changed.pointer_mut(path).unwrap().as_array_mut().unwrap();
        let first = list[0].clone();
        list.push(first);
        let bytes = serde_json::to_vec(&changed).unwrap();
        assert_eq!(verify_consent(&bytes, now()).await.failed(), ["claims"], "{path}");
    }
    // The same in another order is the same.
    let turned = |name: &str, one: Value, other: Value| {
        let mut changed = document.clone();
        *changed.pointer_mut(&format!("/credentialSubject/{name}")).unwrap() = json!([one, other]);
        serde_json::to_vec(&changed).unwrap()
    };
    let places = |places: [&str; 2]| json!({ "code": "GS", "places": places });
    let asset = |ids: [&str; 2]| json!({ "kind": "sample", "ids": ids });
    for bytes in [
        turned("dataUse/modifiers", places(["NL", "BE"]), places(["BE", "NL"])),
        turned("terms/assets", asset(["1", "2"]), asset(["2", "1"])),
    ] {
        assert_eq!(verify_consent(&bytes, now()).await.failed(), ["claims"]);
    }
}

#[tokio::test]
async fn an_address_that_is_none_can_not_fall_out_of_the_graph() {
    let key = key();
    let wrong: [fn(&mut ConsentClaims); 8] = [
        |claims| claims.terms.community = Some("board".to_owned()),
        |claims| claims.recipient = "Leiden".to_owned(),
        |claims| claims.notice.uri = "study".to_owned(),
        |claims| claims.terms.jurisdiction = Some("Netherlands".to_owned()),
        |claims| claims.notice.sha256 = "AB".repeat(32),
        |claims| claims.notice.language = "de_AT".to_owned(),
        |claims| claims.supersedes = Some("no hash".to_owned()),
        |claims| {
            claims.terms.comprehension = Some(Comprehension { quiz: "q".to_owned(), score: 101, at: day("2026-11-22") })
        },
    ];
    for (number, wrong) in wrong.into_iter().enumerate() {
        let mut claims = maximal();
        wrong(&mut claims);
        assert!(issue_consent(&key, &claims, now()).await.is_err(), "claim {number}");
    }
}

/// The context gives each word of each vocabulary the identifier that the vocabulary gives it.
#[test]
fn the_context_names_every_term() {
    let context: Value = serde_json::from_str(super::CONSENT_CONTEXT).unwrap();
    let data_use = &context["@context"]["dataUse"]["@context"];
    let terms = &context["@context"]["terms"]["@context"];
    let preferences = &context["@context"]["preferences"]["@context"];
    let iri = |id: &str| match id.strip_prefix("DUO:") {
        Some(number) => format!("http://purl.obolibrary.org/obo/DUO_{number}"),
        None => id.to_owned(),
    };
    let holds = |scope: &Value, code: &str, id: &str| {
        let term = &scope[code];
        let found = term.as_str().or_else(|| term["@id"].as_str());
        assert_eq!(found, Some(iri(id).as_str()), "{code}");
    };
    fn each<Q: Vocabulary>(mut hold: impl FnMut(&str, &str)) {
        Q::ALL.iter().for_each(|term| hold(term.code(), term.id()));
    }
    each::<Permission>(|code, id| holds(data_use, code, id));
    Modifier::TERMS.iter().for_each(|(code, id)| holds(data_use, code, id));
    each::<DataKind>(|code, id| holds(data_use, code, id));
    each::<DataKind>(|code, id| holds(&terms["assets"]["@context"], code, id));
    each::<OrganisationKind>(|code, id| holds(data_use, code, id));
    each::<Question>(|code, id| holds(&data_use["answers"]["@context"], code, id));
    each::<ResultKind>(|code, id| holds(&preferences["results"]["@context"], code, id));
    each::<ContactKind>(|code, id| holds(&preferences["contact"]["@context"], code, id));
    each::<Withdrawal>(|code, id| holds(&terms["withdrawal"]["@context"], code, id));
    for scope in [&data_use["answers"], &preferences["results"], &preferences["contact"]] {
        each::<Answer>(|code, id| holds(&scope["@context"], code, id));
    }
    // Permissions, topics and flags share words: HMB, DS and POA stand for the permission everywhere, "controls" for
    // the topic. (A context for topics alone would name them apart; the library can not read one beside protected
    // terms.) All other words stand for themselves.
    let mut shared = Vec::new();
    let ids = Topic::ALL.iter().map(|term| (term.code(), term.id()));
    for (code, id) in ids.chain(Flag::ALL.iter().map(|term| (term.code(), term.id()))) {
        let found = data_use[code].as_str().unwrap();
        if found != iri(id) {
            shared.push((code, found));
        }
    }
    let obo = |number: u32| format!("http://purl.obolibrary.org/obo/DUO_{number:07}");
    let expected = [("HMB", obo(6)), ("DS", obo(7)), ("POA", obo(11)), ("controls", obo(36))];
    assert_eq!(shared, expected.each_ref().map(|(code, id)| (*code, id.as_str())));
}
