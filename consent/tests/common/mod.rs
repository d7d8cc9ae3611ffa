//! What the tests of this crate share: a small hierarchy, and generators over the whole vocabulary.

// Each test file is a program of its own and takes what it needs.
#![allow(dead_code)]

use consent::ontology::Ontology;
use consent::*;
use proptest::collection::vec;
use proptest::option::{self, weighted};
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::LazyLock;

/// Cancer and one way down from it, diabetes beside it, a retired term with a successor.
pub const DISEASES: &str = "data-version: releases/2026-11-22/doid.obo

[Term]
id: DOID:4
name: disease

[Term]
id: DOID:162
name: cancer
is_a: DOID:4

[Term]
id: DOID:10155
name: intestinal cancer
is_a: DOID:162

[Term]
id: DOID:9256
name: colorectal cancer
is_a: DOID:10155

[Term]
id: DOID:9351
name: diabetes mellitus
is_a: DOID:4

[Term]
id: DOID:7
name: obsolete growth
is_obsolete: true
replaced_by: DOID:162
";

pub static DOID: LazyLock<Ontology> = LazyLock::new(|| Ontology::from_obo(DISEASES).unwrap());

static BOTH: LazyLock<Vec<&'static Ontology>> = LazyLock::new(|| {
    #[cfg(feature = "mondo")]
    return vec![&*DOID, Ontology::mondo()];
    #[cfg(not(feature = "mondo"))]
    vec![&*DOID]
});

/// The rules over the small hierarchy, and MONDO where it is built in.
pub fn matcher() -> Matcher<'static> {
    Matcher::new(&BOTH)
}

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn today() -> Date {
    day("2026-11-22")
}

/// Terms of both hierarchies, a retired one, and some that are none.
pub const TERMS: &[&str] = &[
    "DOID:4",
    "DOID:162",
    "DOID:10155",
    "DOID:9256",
    "DOID:9351",
    "DOID:7",
    "DOID:999",
    "MONDO:0045024",
    "MONDO:0005105",
    "MONDO:0005015",
    "OMIM:1",
    "cancer",
];
const PLACES: &[&str] = &["NL", "BE", "NO", "GB", "US", "US-CA", "DE-BY", "NL-CW", "EU", "EEA", "Holland"];
const PARTIES: &[&str] =
    &["https://ror.org/04dkp9463", "did:example:uni", "https://orcid.org/0000-0002-1825-0097", "The University"];
const PROJECTS: &[&str] = &["P-7", "https://doi.org/10.1/x", "a project on hearts"];
const DAYS: &[&str] = &["2024-02-29", "2026-01-01", "2026-11-22", "2027-06-01", "2031-12-31"];

/// Some of them, in any order, none twice.
fn some<T: Copy + PartialEq + std::fmt::Debug + 'static>(
    pool: &'static [T],
    range: std::ops::RangeInclusive<usize>,
) -> impl Strategy<Value = Vec<T>> {
    vec(select(pool), range).prop_map(|drawn| {
        drawn.iter().enumerate().filter(|(place, one)| !drawn[..*place].contains(one)).map(|(_, one)| *one).collect()
    })
}

fn texts(pool: &'static [&str], most: usize) -> impl Strategy<Value = Vec<String>> {
    some(pool, 1..=most).prop_map(|texts| texts.into_iter().map(str::to_owned).collect())
}

fn terms<T: Vocabulary + PartialEq + std::fmt::Debug>(
    range: std::ops::RangeInclusive<usize>,
) -> impl Strategy<Value = Vec<T>> {
    some(T::ALL, range)
}

pub fn any_day() -> impl Strategy<Value = Date> {
    select(DAYS).prop_map(day)
}

/// A day on which something is decided: since the Union has the members that it has.
pub fn any_today() -> impl Strategy<Value = Date> {
    prop_oneof![6 => Just(today()), 1 => any_day()]
}

fn unknown() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![8 => Just(Vec::new()), 1 => vec("[a-zA-Z0-9 \u{e9}-]{1,12}", 1..3)]
}

fn any_focus() -> impl Strategy<Value = Focus> {
    // A topic of the same name as a group of people is written, and so read, as the group.
    let topics: Vec<Topic> =
        Topic::ALL.iter().copied().filter(|topic| matches!(Focus::read(topic.code()), Some(Focus::Topic(_)))).collect();
    prop_oneof![3 => select(Flag::ALL).prop_map(Focus::Flag), 1 => select(topics).prop_map(Focus::Topic)]
}

/// Every modifier but CC, the only one that widens.
pub fn any_restriction() -> impl Strategy<Value = Modifier> {
    let plain = [
        Modifier::Nmds,
        Modifier::Gso,
        Modifier::Npuncu,
        Modifier::Npu,
        Modifier::Ncu,
        Modifier::Pub,
        Modifier::Irb,
        Modifier::Rtn,
        Modifier::Npoa,
        Modifier::Nctrl,
        Modifier::Nagr,
        Modifier::Nri,
        Modifier::Nrl,
    ];
    prop_oneof![
        8 => select(plain.to_vec()),
        1 => vec(any_focus(), 1..3).prop_map(|mut topics| {
            topics.sort();
            topics.dedup();
            Modifier::Rs { topics }
        }),
        1 => option::of(texts(PARTIES, 2)).prop_map(|with| Modifier::Col { with: with.unwrap_or_default() }),
        2 => texts(PLACES, 4).prop_map(|places| Modifier::Gs { places }),
        1 => any_day().prop_map(|date| Modifier::Mor { date }),
        1 => select(vec![1_u32, 10, 24, 60, u32::MAX]).prop_map(|months| Modifier::Ts { months }),
        1 => texts(PARTIES, 4).prop_map(|users| Modifier::Us { users }),
        1 => texts(PROJECTS, 3).prop_map(|projects| Modifier::Ps { projects }),
        1 => texts(PARTIES, 4).prop_map(|institutions| Modifier::Is { institutions }),
    ]
}

pub fn any_modifier() -> impl Strategy<Value = Modifier> {
    prop_oneof![9 => any_restriction(), 1 => Just(Modifier::Cc)]
}

/// Four bits a question: most are not answered, most answers are yes.
pub fn any_answers() -> impl Strategy<Value = Answers<Question>> {
    any::<u64>().prop_map(|bits| {
        let answer = |place: usize| match bits >> (place * 4) & 15 {
            0..7 => None,
            7..12 => Some(Answer::Yes),
            12..14 => Some(Answer::No),
            _ => Some(Answer::Undecided),
        };
        Question::ALL.iter().enumerate().filter_map(|(place, question)| Some((*question, answer(place)?))).collect()
    })
}

prop_compose! {
    /// A policy with anything in it but a status.
    pub fn any_policy()(
        permissions in prop_oneof![1 => terms::<Permission>(0..=5), 6 => terms::<Permission>(1..=1)],
        diseases in prop_oneof![1 => Just(vec![]), 4 => texts(TERMS, 4)],
        ontology in weighted(0.2, Just(TermSystem { system: "DOID".into(), version: "2026-11-22".into() })),
        modifiers in prop_oneof![2 => Just(vec![]), 3 => vec(any_modifier(), 1..4)],
        data in weighted(0.3, terms::<DataKind>(0..=6)),
        answers in any_answers(),
        recipients in prop_oneof![4 => Just(vec![]), 1 => terms::<OrganisationKind>(1..=3)],
        issued in weighted(0.4, prop_oneof![4 => Just(day("2026-01-01")), 1 => any_day()]),
        until in weighted(0.3, prop_oneof![4 => Just(day("2031-12-31")), 1 => any_day()]),
        unknown in unknown(),
    ) -> Policy {
        Policy { permissions, diseases, ontology, modifiers, data, answers, recipients, issued, until, status: None, unknown }
    }
}

prop_compose! {
    /// A purpose that says most of what can be said.
    pub fn any_purpose()(
        topics in prop_oneof![1 => terms::<Topic>(0..=8), 4 => terms::<Topic>(1..=2)],
        diseases in prop_oneof![2 => Just(vec![]), 3 => texts(&["DOID:10155", "DOID:9256", "MONDO:0005105"], 2), 1 => texts(TERMS, 4)],
        commercial in prop_oneof![4 => Just(Some(false)), 1 => any::<Option<bool>>()],
        (id, kind) in (select(PARTIES), weighted(0.9, select(OrganisationKind::ALL))),
        odd in unknown(),
        places in prop_oneof![1 => Just(vec![]), 3 => Just(vec!["NL".to_owned()]), 2 => texts(PLACES, 3)],
        data in prop_oneof![1 => Just(vec![]), 3 => terms::<DataKind>(1..=2)],
        publishes_on in weighted(0.8, any_day()),
        ethics in weighted(0.8, (prop_oneof![8 => Just("2026-17"), 1 => Just("")], any_day())),
        users in prop_oneof![1 => Just(vec![]), 3 => texts(PARTIES, 2)],
        (project, genetic) in (weighted(0.8, select(PROJECTS)), any::<Option<bool>>()),
        sensitive in prop_oneof![3 => Just(vec![]), 1 => terms::<Flag>(1..=2)],
        unknown in unknown(),
    ) -> Purpose {
        Purpose {
            topics, diseases, commercial,
            organisation: Organisation { id: id.to_owned(), kind, unknown: odd },
            places, data, publishes_on,
            ethics_approval: ethics.map(|(number, valid_until)| EthicsApproval {
                committee: "METC".into(), number: number.to_owned(), valid_until,
            }),
            users,
            project: project.map(str::to_owned),
            genetic, sensitive, unknown,
        }
    }
}
