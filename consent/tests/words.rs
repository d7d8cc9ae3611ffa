//! The words of consent: each term has its sentence in `WORDS.md` and in `words/en.ftl`, the same one, and easy to read.

#[path = "../words/readability.rs"]
mod readability;

use consent::words::{self, ENGLISH};
use consent::{
    Answer, ConsentState, ContactKind, DataKind, Date, Direction, Effect, Flag, Focus, Message, Modifier,
    OrganisationKind, Outcome, Permission, Place, Policy, Purpose, Question, Reason, ReasonCode, ResultKind, Topic,
    Vocabulary, Withdrawal,
};
use readability::{hard, messages};
use std::collections::{BTreeMap, BTreeSet};

const WORDS: &str = include_str!("../WORDS.md");

/// Duties of a permit: modifiers, and what two levels of withdrawal leave.
const DUTIES: [&str; 10] =
    ["PUB", "COL", "IRB", "RTN", "NRI", "NRL", "NPOA", "NMDS", "no-contact", "existing-data-only"];
/// What a person signs.
const STATEMENT: &str = "title version why allow shared kept until open-end ethics law collect retain grace text request answer risk stop care change pause \
                         pause-until resume withdraw";
/// The places that a form offers by label.
const LABELLED: [&str; 7] = ["NL", "BE", "DE", "FR", "LU", "US", "EU"];

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn say(message: &Message) -> String {
    words::sentence("en", message)
}

fn rule(policy: &Policy) -> Message {
    let mut rules = consent::rules(policy);
    assert_eq!(rules.len(), 1);
    rules.remove(0)
}

/// One modifier of each kind, its argument filled with a sample.
fn modifiers() -> Vec<Modifier> {
    let list = || vec!["https://ror.org/027bh9e22".to_owned()];
    let all = vec![
        Modifier::Rs { topics: vec![Focus::Flag(Flag::Pediatric)] },
        Modifier::Nmds,
        Modifier::Gso,
        Modifier::Npuncu,
        Modifier::Npu,
        Modifier::Ncu,
        Modifier::Pub,
        Modifier::Col { with: Vec::new() },
        Modifier::Irb,
        Modifier::Gs { places: vec!["NL".to_owned(), "BE".to_owned()] },
        Modifier::Mor { date: day("2027-03-01") },
        Modifier::Ts { months: 24 },
        Modifier::Us { users: list() },
        Modifier::Ps { projects: list() },
        Modifier::Is { institutions: list() },
        Modifier::Rtn,
        Modifier::Cc,
        Modifier::Npoa,
        Modifier::Nctrl,
        Modifier::Nagr,
        Modifier::Nri,
        Modifier::Nrl,
    ];
    let terms: Vec<_> = all.iter().map(|modifier| (modifier.code(), modifier.id())).collect();
    assert_eq!(terms, Modifier::TERMS, "a modifier has no sample here");
    all
}

fn countries() -> Vec<String> {
    let letters = || b'A'..=b'Z';
    let codes = letters().flat_map(|a| letters().map(move |b| String::from_utf8(vec![a, b]).unwrap()));
    let all: Vec<_> = codes.filter(|code| matches!(Place::read(code), Some(Place::Country(_)))).collect();
    assert_eq!(all.len(), 249);
    all
}

/// The rows below each heading of `WORDS.md`, without head and line, code marks taken off.
fn tables() -> BTreeMap<String, Vec<Vec<String>>> {
    let mut tables: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    let mut heading = String::new();
    for line in WORDS.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut heading);
        } else if let Some(row) = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")) {
            let cells = row.split(" | ").map(|cell| cell.trim_matches('`').to_owned()).collect();
            tables.entry(heading.clone()).or_default().push(cells);
        }
    }
    for rows in tables.values_mut() {
        // The heads of columns.
        rows.remove(0);
    }
    tables
}

fn expected() -> Vec<(&'static str, Vec<[String; 3]>)> {
    fn of<T: Vocabulary>(message: impl Fn(T) -> Message) -> Vec<[String; 3]> {
        T::ALL.iter().map(|term| [term.code().to_owned(), term.id().to_owned(), say(&message(*term))]).collect()
    }
    let named = |kind: &str, code: &str| Message::new(format!("{kind}-{code}"));
    let permission = |permission| {
        let diseases = if permission == Permission::Ds { vec!["asthma".to_owned()] } else { Vec::new() };
        rule(&Policy { permissions: vec![permission], diseases, ..Policy::default() })
    };
    let modifier = |modifier: Modifier| {
        let (code, id) = (modifier.code().to_owned(), modifier.id().to_owned());
        [code, id, say(&rule(&Policy { modifiers: vec![modifier], ..Policy::default() }))]
    };
    let about = |focus| {
        let modifiers = vec![Modifier::Rs { topics: vec![focus] }];
        rule(&Policy { modifiers, ..Policy::default() })
    };
    vec![
        ("Permissions", of(permission)),
        ("Modifiers", modifiers().into_iter().map(modifier).collect()),
        ("Topics", of(|topic| about(Focus::Topic(topic)))),
        ("Groups of people and delicate matters", of(|flag| about(Focus::Flag(flag)))),
        ("Questions", of(|question: Question| named("question", question.code()))),
        ("Answers", of(|answer: Answer| named("answer", answer.code()))),
        ("Kinds of data and samples", of(|kind: DataKind| Message::new("clause-data").with("data", kind.code()))),
        (
            "Kinds of organisation",
            of(|kind: OrganisationKind| rule(&Policy { recipients: vec![kind], ..Policy::default() })),
        ),
        ("Results", of(|kind: ResultKind| named("result", kind.code()))),
        ("Contact", of(|kind: ContactKind| named("contact", kind.code()))),
        ("States", of(|state: ConsentState| named("state", state.code()))),
        ("Withdrawal", of(|level: Withdrawal| named("withdrawal", &format!("{}-text", level.code())))),
    ]
}

#[test]
fn each_term_has_one_row_with_its_identifier_its_sentence_and_its_source() {
    let tables = tables();
    for (heading, expected) in expected() {
        let rows = tables.get(heading).unwrap_or_else(|| panic!("no table {heading}"));
        let found: Vec<_> = rows.iter().map(|row| row[..3].to_vec()).collect();
        let lines: Vec<_> = expected.iter().map(|[code, id, text]| format!("| `{code}` | `{id}` | {text} |")).collect();
        assert_eq!(found, expected, "{heading} should have\n{}", lines.join("\n"));
        assert!(rows.iter().all(|row| row.len() == 4 && row[3].len() > 2), "{heading}: a row lacks its source");
    }
    let countries: Vec<_> = countries().into_iter().map(|code| vec![code.clone(), words::term("en", &code)]).collect();
    assert_eq!(tables["Countries"], countries);
}

#[test]
fn each_sentence_is_short_and_of_grade_six_at_most() {
    let sentences = expected().into_iter().flat_map(|(_, rows)| rows).map(|[code, _, sentence]| (code, sentence));
    let too_hard: Vec<_> = sentences.flat_map(|(code, sentence)| hard(&code, &sentence)).collect();
    assert!(too_hard.is_empty(), "hard to read:\n{}", too_hard.join("\n"));
}

#[test]
fn each_id_that_the_core_can_make_has_words_and_none_is_left_over() {
    fn of<T: Vocabulary>(kinds: &[&str]) -> Vec<String> {
        let codes = T::ALL.iter().map(|term| term.code());
        codes.flat_map(|code| kinds.iter().map(move |kind| kind.replace('*', code))).collect()
    }
    let written = |name: &dyn Fn() -> serde_json::Value| name().as_str().unwrap().to_owned();
    let effects = [Effect::GoesOn, Effect::Stops, Effect::Opens, Effect::NeedsLook, Effect::StaysOut];
    let directions = [Direction::Wider, Direction::Narrower, Direction::Other];
    let fixed = "list-two month date rule-recipients rule-unknown clause-data clause-until term-DS-of term-unknown";

    let mut made: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
    made.extend(Permission::ALL.iter().map(|term| format!("rule-{}", term.code().to_lowercase())));
    made.extend(Modifier::TERMS.iter().map(|(code, _)| format!("rule-{}", code.to_lowercase())));
    made.extend(of::<Permission>(&["term-*"]));
    made.extend(of::<Topic>(&["term-*", "topic-*"]));
    made.extend(of::<Flag>(&["term-*", "flag-*"]));
    made.extend(of::<Question>(&["term-*", "question-*", "question-*-help"]));
    made.extend(of::<Answer>(&["term-*", "answer-*"]));
    made.extend(of::<DataKind>(&["term-*", "data-*"]));
    made.extend(of::<OrganisationKind>(&["term-*", "recipient-*"]));
    made.extend(of::<ResultKind>(&["term-*", "result-*", "result-*-help"]));
    made.extend(of::<ContactKind>(&["term-*", "contact-*", "contact-*-help"]));
    made.extend(of::<ConsentState>(&["term-*", "state-*"]));
    made.extend(of::<Withdrawal>(&["term-*", "withdrawal-*", "withdrawal-*-text"]));
    made.extend(countries().into_iter().chain(["EU", "EEA"].map(str::to_owned)).map(|code| format!("term-{code}")));
    made.extend(LABELLED.map(|code| format!("place-{code}")));
    made.extend(ReasonCode::ALL.iter().map(|code| format!("reason-{}", code.code())));
    made.extend(DUTIES.map(|code| format!("duty-{code}")));
    for effect in effects {
        let name = written(&|| serde_json::to_value(effect).unwrap());
        made.extend([format!("effect-{name}"), format!("effect-{name}-text")]);
    }
    made.extend(directions.map(|it| format!("direction-{}", written(&|| serde_json::to_value(it).unwrap()))));
    let steps = "granted changed paused resumed no-contact no-access withdrew";
    made.extend(steps.split(' ').map(|step| format!("history-{step}")));
    made.extend(STATEMENT.split_whitespace().map(|name| format!("statement-{name}")));

    let made: BTreeSet<String> = made.into_iter().collect();
    let there = messages(ENGLISH);
    let ids: BTreeSet<String> = there.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(there.len(), ids.len(), "an id stands twice");
    let missing: Vec<_> = made.difference(&ids).collect();
    let left_over: Vec<_> = ids.difference(&made).collect();
    assert!(missing.is_empty() && left_over.is_empty(), "missing {missing:?}, left over {left_over:?}");
}

#[test]
fn the_file_is_sound_and_each_message_is_one_sentence_or_more() {
    assert!(fluent_bundle::FluentResource::try_new(ENGLISH.to_owned()).is_ok());
    for (id, value) in messages(ENGLISH) {
        assert!(!value.contains('\''), "{id}: a typewriter's apostrophe");
        let ends = |text: &str| text.ends_with(['.', '?', ':']);
        let whole = ["rule", "reason", "duty", "clause", "question"].contains(&id.split('-').next().unwrap());
        assert!(!whole || ends(&value) || value.contains("->"), "{id} is no whole sentence");
    }
}

#[test]
fn each_reason_says_something_whatever_its_gaps_hold() {
    let clauses = ["", "HMB", "NL, BE", "IS", "US", "2028-12-31", "MONDO:0004979", "word of another version"];
    for code in ReasonCode::ALL {
        for policy in clauses {
            for purpose in clauses {
                let (policy, purpose) = (policy.into(), purpose.into());
                let text = say(&Reason { outcome: Outcome::Review, code: *code, policy, purpose }.message());
                assert!(!text.contains(['{', '$', '\u{2068}']) && !text.starts_with("reason-"), "{text}");
            }
        }
    }
}

fn reason(code: ReasonCode, policy: &'static str, purpose: &'static str) -> String {
    say(&Reason { outcome: Outcome::Deny, code, policy: policy.into(), purpose: purpose.into() }.message())
}

#[test]
fn reasons_choose_their_words_by_what_was_compared() {
    assert_eq!(reason(ReasonCode::Expired, "2028-12-31", "2029-01-01"), "The consent ended on 31 December 2028.");
    assert_eq!(reason(ReasonCode::Expired, "expired", ""), "The consent is over.");
    assert_eq!(reason(ReasonCode::TopicNotCovered, "", "GRU"), "The consent does not cover any kind of research.");
    assert_eq!(
        reason(ReasonCode::PlaceNotAllowed, "BE, NL", "US"),
        "The donor does not allow use in the United States, only in Belgium and the Netherlands."
    );
    // US is a country and a modifier: as a modifier it never becomes the country.
    let unclear = reason(ReasonCode::PartyUnclear, "Dr Ada, Leiden", "US");
    assert!(unclear.starts_with("The consent names the person “Dr Ada, Leiden”"), "{unclear}");
    for code in [ReasonCode::PartyNotStated, ReasonCode::PartyApproved, ReasonCode::PartyNotApproved] {
        let said = reason(code, "US", "did:key:z6Mk");
        assert!(!said.contains("United States"), "{said}");
    }
}

#[test]
fn each_reason_that_a_decision_gives_is_said_in_words() {
    let policy = Policy {
        permissions: vec![Permission::Hmb],
        modifiers: modifiers(),
        data: Some(vec![DataKind::Genome]),
        recipients: vec![OrganisationKind::Academic],
        issued: Some(day("2026-01-01")),
        until: Some(day("2028-12-31")),
        unknown: vec!["XYZ".to_owned()],
        ..Policy::default()
    };
    let purpose = Purpose { topics: Topic::ALL.to_vec(), sensitive: Flag::ALL.to_vec(), ..Purpose::default() };
    let decision = consent::Matcher::new(&[]).decide(&policy, &purpose, day("2026-11-22"));
    assert!(decision.reasons.len() > 30);
    for reason in &decision.reasons {
        let text = say(&reason.message());
        assert!(text.ends_with(['.', '”']) && !text.contains("  ") && !text.contains(['{', '}']), "{text}");
        for code in Topic::ALL.iter().map(|topic| topic.code()).filter(|code| code.contains(char::is_uppercase)) {
            assert!(!text.split([' ', '.', ',']).any(|word| word == code), "a code in {text}");
        }
    }
}

#[test]
fn gaps_are_filled_with_words() {
    let places = vec!["US-CA".to_owned(), "NL".to_owned(), "EEA".to_owned()];
    let policy = Policy { modifiers: vec![Modifier::Gs { places }], ..Policy::default() };
    let expected = "They may only use it in US-CA, the Netherlands and the European Economic Area.";
    assert_eq!(say(&rule(&policy)), expected);
    let months = |months| say(&rule(&Policy { modifiers: vec![Modifier::Ts { months }], ..Policy::default() }));
    assert_eq!(months(1), "They may use it for one month.");
    assert_eq!(months(1200), "They may use it for 1200 months.");
    let answered = Message::new("statement-answer").with("question", "question-gender").with("answer", "undecided");
    assert_eq!(say(&answered), "May they study one sex or gender? You answered: not sure.");
    let free = Message::new("statement-answer").with("question", "May we call?").with("answer", "yes");
    assert_eq!(say(&free), "May we call? You answered: yes.");
    let until = Message::new("clause-until").with("date", "2028-02-29");
    assert_eq!(say(&until), "They may use it until 29 February 2028.");
}

#[test]
fn names_with_commas_stay_whole() {
    let of = |diseases: &str| say(&Message::new("rule-ds").with("diseases", diseases));
    assert_eq!(
        of("neuropathy, ataxia, and pain"),
        "They may only use it for research on neuropathy, ataxia, and pain."
    );
    assert_eq!(
        of("lung cancer\nneuropathy, ataxia\nasthma"),
        "They may only use it for research on lung cancer, neuropathy, ataxia and asthma."
    );
    assert_eq!(of("deafness, X-linked"), "They may only use it for research on deafness, X-linked.");
    assert_eq!(of("MADEUP:1, MADEUP:2"), "They may only use it for research on MADEUP:1 and MADEUP:2.");
}

#[cfg(feature = "mondo")]
#[test]
fn diseases_are_named_by_the_hierarchy() {
    assert_eq!(words::term("en", "MONDO:0004979"), "asthma");
    let said = reason(ReasonCode::DiseaseNotCovered, "MONDO:0004979, MONDO:0004992", "MONDO:0005015");
    let expected = "The donor allowed research on asthma and cancer. That does not cover diabetes mellitus.";
    assert_eq!(said, expected);
}

#[test]
fn a_language_without_words_gets_english_and_a_message_without_words_its_id() {
    let message = Message::new("rule-npu");
    let english = "Only groups that don’t make a profit may use it.";
    for language in ["en", "en-GB", "EN_us", "nl", "", "not a language"] {
        assert_eq!(words::sentence(language, &message), english, "{language}");
        assert_eq!(words::language(language), "en");
    }
    assert_eq!(say(&Message::new("rule-nothing").with("x", "y")), "rule-nothing");
    assert_eq!(words::term("en", "nothing"), "nothing");
    assert_eq!(words::list("en", Vec::new()), "");
    assert_eq!(words::languages().collect::<Vec<_>>(), ["en"]);
}

#[test]
fn groups_of_countries_are_listed_with_their_days() {
    // Every day on which a list could change: those of the table, and the days before and after.
    let rows = &tables()["Groups of countries"];
    let first = |row: &[String]| day(&row[2]);
    let last = |row: &[String]| if row[3] == "today" { day("9999-12-31") } else { day(&row[3]) };
    let mut days = vec![day("1957-12-31"), day("2026-11-22"), day("9999-12-31"), day("2020-02-01")];
    for row in rows {
        days.extend([first(row), first(row).day_before(), last(row), last(row).day_before()]);
    }
    days.sort();
    days.dedup();
    for (group, place) in [("EU", Place::Eu), ("EEA", Place::Eea)] {
        for on in &days {
            let found: BTreeSet<String> =
                countries().into_iter().filter(|code| Place::Country(code).within(place, *on)).collect();
            let holds = |row: &&Vec<String>| row[0] == group && (first(row)..=last(row)).contains(on);
            let listed: BTreeSet<String> = rows.iter().filter(holds).map(|row| row[1].clone()).collect();
            assert_eq!(found, listed, "{group} on {on}");
        }
    }
    for code in ["EU", "EEA"] {
        assert!(hard(code, &words::term("en", code)).is_empty());
    }
}

#[test]
fn other_spellings_are_read_as_the_table_says() {
    let rows = &tables()["Read, and written as something else"];
    assert!(rows.len() >= 15);
    for row in rows {
        let (text, member, becomes) = (&row[0], &row[1], &row[2]);
        let modifier = if text == "RS-G" { r#"{"code":"RS-G","topics":["female"]}"# } else { &format!("\"{text}\"") };
        let policy = match member.as_str() {
            "permission" => format!(r#"{{"permissions":["{text}"]}}"#),
            "modifier" => format!(r#"{{"permissions":[],"modifiers":[{modifier}]}}"#),
            other => panic!("{other} is no member of a policy"),
        };
        let policy: Policy = serde_json::from_str(&policy).unwrap();
        let permissions = policy.permissions.iter().map(|term| term.code().to_owned());
        let modifiers = policy.modifiers.iter().map(|modifier| match modifier {
            Modifier::Rs { topics } => format!("RS {}", topics[0].code()),
            other => other.code().to_owned(),
        });
        let read: Vec<String> = permissions.chain(modifiers).collect();
        let read = match (read.is_empty(), policy.unknown.is_empty()) {
            (true, true) => "nothing new".to_owned(),
            (true, false) => "review".to_owned(),
            (false, _) => read.join(" + "),
        };
        assert_eq!(&read, becomes, "{text}");
    }
}

#[test]
fn identifiers_have_the_forms_of_the_table() {
    let rows = &tables()["Organisations, people and projects"];
    for row in rows {
        let [kind, example, allowed] = [&row[0], &row[1], &row[2]];
        let ids = vec![example.clone()];
        let modifier = match kind.as_str() {
            "institution" => Modifier::Is { institutions: ids },
            "person" => Modifier::Us { users: ids },
            "project" => Modifier::Ps { projects: ids },
            other => panic!("{other}"),
        };
        let policy = Policy {
            permissions: vec![Permission::Gru],
            modifiers: vec![modifier],
            data: Some(vec![DataKind::Survey]),
            ..Policy::default()
        };
        assert_eq!(policy.validate().is_ok(), allowed == "yes", "{kind} {example}");
    }
    assert!(rows.len() >= 8);
}
