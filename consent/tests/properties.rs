//! What holds for every policy and every purpose, whatever stands in them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use common::{any_modifier, any_policy, any_purpose, any_restriction, any_today, day, matcher, today};
use consent::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestRng, TestRunner};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::fmt::Debug;

/// So many cases, or more where `PROPTEST_CASES` says so.
fn cases(least: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(least), max_shrink_iters: 20_000, ..usual }
}

fn outcome(policy: &Policy, purpose: &Purpose, at: Date) -> Outcome {
    matcher().decide(policy, purpose, at).outcome
}

fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
}

/// A pair of terms, the second a kind of the first.
fn any_disease_and_kind() -> impl Strategy<Value = (String, String)> {
    let pairs = [
        ("DOID:4", "DOID:162"),
        ("DOID:4", "DOID:9351"),
        ("DOID:162", "DOID:10155"),
        ("DOID:162", "DOID:9256"),
        ("DOID:10155", "DOID:9256"),
        #[cfg(feature = "mondo")]
        ("MONDO:0045024", "MONDO:0005105"),
    ];
    select(pairs.to_vec()).prop_map(|(wide, narrow)| (wide.to_owned(), narrow.to_owned()))
}

/// JSON of any shape, with the words of the domain in it.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        select(vec![
            "permissions",
            "modifiers",
            "code",
            "GS",
            "places",
            "NL",
            "GRU",
            "DS",
            "HMB",
            "topics",
            "diseases",
            "TS",
            "months",
            "date",
            "answers",
            "controls",
            "yes",
            "status",
            "active",
            "data",
            "organisation",
            "kind",
            "unknown",
            "MOR",
            "2027-01-01",
            "RS",
            "pediatric",
            "CC",
            "DUO:0000044",
            "issued",
            "sensitive",
            "ethicsApproval",
            "",
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        4 => word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((word.clone(), inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Members of a policy or a purpose with anything in them.
fn any_document() -> impl Strategy<Value = Value> {
    let names = [
        "permissions",
        "diseases",
        "modifiers",
        "data",
        "answers",
        "recipients",
        "issued",
        "until",
        "status",
        "unknown",
        "topics",
        "organisation",
        "places",
        "users",
        "project",
        "genetic",
        "sensitive",
        "ethicsApproval",
        "publishesOn",
    ];
    vec((select(names.to_vec()), any_json()), 0..4).prop_map(|members| {
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
        Value::Object(
            [("permissions".to_owned(), json!(["GRU"])), ("topics".to_owned(), json!(["GRU"]))]
                .into_iter()
                .chain(members)
                .collect(),
        )
    })
}

/// Turns every list round.
fn reversed(policy: &Policy, purpose: &Purpose) -> (Policy, Purpose) {
    let (mut policy, mut purpose) = (policy.clone(), purpose.clone());
    policy.permissions.reverse();
    policy.diseases.reverse();
    policy.modifiers.reverse();
    policy.recipients.reverse();
    policy.unknown.reverse();
    policy.data.iter_mut().for_each(|data| data.reverse());
    for modifier in &mut policy.modifiers {
        match modifier {
            Modifier::Rs { topics } => topics.reverse(),
            Modifier::Gs { places: list }
            | Modifier::Us { users: list }
            | Modifier::Ps { projects: list }
            | Modifier::Is { institutions: list }
            | Modifier::Col { with: list } => list.reverse(),
            _ => {}
        }
    }
    purpose.topics.reverse();
    purpose.diseases.reverse();
    purpose.places.reverse();
    purpose.data.reverse();
    purpose.users.reverse();
    purpose.sensitive.reverse();
    purpose.unknown.reverse();
    (policy, purpose)
}

#[test]
fn the_generators_reach_every_answer() {
    let mut runner =
        TestRunner::new_with_rng(ProptestConfig::default(), TestRng::deterministic_rng(Default::default()));
    let mut counts = [0; 3];
    for _ in 0..2000 {
        let (policy, purpose) = (any_policy(), any_purpose()).new_tree(&mut runner).unwrap().current();
        counts[outcome(&policy, &purpose, today()) as usize] += 1;
    }
    assert!(counts.iter().all(|count| *count > 40), "permit, review, deny: {counts:?}");
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn one_more_condition_never_turns_a_no_into_a_yes(policy in any_policy(), purpose in any_purpose(), extra in any_restriction(), at in any_today()) {
        let mut narrower = policy.clone();
        narrower.modifiers.push(extra);
        if outcome(&policy, &purpose, at) == Outcome::Deny {
            prop_assert_eq!(outcome(&narrower, &purpose, at), Outcome::Deny);
        }
    }

    #[test]
    fn a_kind_of_a_disease_is_covered_where_the_disease_is(policy in any_policy(), purpose in any_purpose(), (wide, narrow) in any_disease_and_kind(), own in any::<bool>()) {
        let mut policy = policy;
        if own {
            policy.permissions = vec![Permission::Ds];
            policy.diseases.push(wide.clone());
        }
        let about = |disease: &String| {
            let mut purpose = purpose.clone();
            purpose.diseases.retain(|other| *other != wide && *other != narrow);
            purpose.diseases.push(disease.clone());
            purpose
        };
        if outcome(&policy, &about(&wide), today()) == Outcome::Permit {
            prop_assert_eq!(outcome(&policy, &about(&narrow), today()), Outcome::Permit);
        }
    }

    #[test]
    fn one_more_topic_never_turns_a_no_into_a_yes(policy in any_policy(), purpose in any_purpose(), extra in select(Topic::ALL)) {
        let mut wider = purpose.clone();
        wider.topics.push(extra);
        if outcome(&policy, &purpose, today()) == Outcome::Deny {
            prop_assert_ne!(outcome(&policy, &wider, today()), Outcome::Permit);
        }
    }

    #[test]
    fn more_places_data_and_people_never_turn_a_no_into_a_yes(policy in any_policy(), purpose in any_purpose(), other in any_purpose()) {
        let mut wider = purpose.clone();
        wider.places.extend(other.places);
        wider.data.extend(other.data);
        wider.users.extend(other.users);
        if outcome(&policy, &purpose, today()) == Outcome::Deny {
            prop_assert_eq!(outcome(&policy, &wider, today()), Outcome::Deny);
        }
    }

    #[test]
    fn order_changes_nothing(policy in any_policy(), purpose in any_purpose(), at in any_today()) {
        let (turned_policy, turned_purpose) = reversed(&policy, &purpose);
        prop_assert_eq!(matcher().decide(&policy, &purpose, at), matcher().decide(&turned_policy, &turned_purpose, at));
        prop_assert_eq!(matcher().facet().decide(&policy, &purpose, at), matcher().facet().decide(&turned_policy, &turned_purpose, at));
    }

    #[test]
    fn a_decision_is_the_strictest_of_its_reasons(policy in any_policy(), purpose in any_purpose(), at in any_today()) {
        let decision = matcher().decide(&policy, &purpose, at);
        let strictest = decision.reasons.iter().map(|reason| reason.outcome).max();
        prop_assert_eq!(Some(decision.outcome), strictest);
        prop_assert!(decision.outcome == Outcome::Permit || decision.duties.is_empty());
        prop_assert!(decision.reasons.is_sorted_by(|a, b| a.outcome >= b.outcome));
        let twins = decision.reasons.windows(2).any(|pair| pair[0] == pair[1]);
        prop_assert!(!twins && decision.evaluated.is_sorted());
    }

    #[test]
    fn no_state_but_those_of_use_permits(policy in any_policy(), purpose in any_purpose(), state in select(ConsentState::ALL)) {
        let standing = Policy { status: Some(state), ..policy.clone() };
        let now = outcome(&standing, &purpose, today());
        if !state.allows_use() {
            prop_assert_eq!(now, Outcome::Deny);
        }
        // And a state never helps.
        prop_assert!(now >= outcome(&policy, &purpose, today()));
    }

    #[test]
    fn a_facet_never_denies_what_the_whole_permits(policy in any_policy(), purpose in any_purpose()) {
        let (whole, facet) = (matcher().decide(&policy, &purpose, today()), matcher().facet().decide(&policy, &purpose, today()));
        if whole.outcome == Outcome::Permit {
            prop_assert_ne!(facet.outcome, Outcome::Deny);
        }
        if facet.outcome == Outcome::Deny {
            prop_assert_eq!(whole.outcome, Outcome::Deny);
        }
    }

    #[test]
    fn what_is_not_understood_never_permits(policy in any_policy(), purpose in any_purpose(), word in "[a-z]{1,8}", place in 0..3) {
        let (mut policy, mut purpose) = (policy, purpose);
        match place {
            0 => policy.unknown.push(word),
            1 => purpose.unknown.push(word),
            _ => purpose.organisation.unknown.push(word),
        }
        prop_assert_ne!(outcome(&policy, &purpose, today()), Outcome::Permit);
    }

    #[test]
    fn what_is_written_reads_back_the_same(policy in any_policy(), state in proptest::option::of(select(ConsentState::ALL)), purpose in any_purpose()) {
        let policy = Policy { status: state, ..policy };
        same(&policy);
        same(&purpose);
        same(&matcher().decide(&policy, &purpose, today()).into_owned());
    }

    #[test]
    fn reading_and_deciding_are_total(policy in any_document(), purpose in any_document(), at in any_today()) {
        // Whatever parses is decided; what does not is an error. Neither panics.
        let read = (serde_json::from_value::<Policy>(policy), serde_json::from_value::<Purpose>(purpose));
        if let (Ok(policy), Ok(purpose)) = read {
            let decision = matcher().decide(&policy, &purpose, at);
            prop_assert!(!decision.reasons.is_empty());
            same(&policy);
            same(&purpose);
            prop_assert!(policy.validate().is_ok() || policy.validate().is_err());
        }
    }

    #[test]
    fn what_can_be_signed_was_understood(policy in any_policy()) {
        if policy.validate().is_ok() {
            prop_assert!(policy.unknown.is_empty() && policy.permissions.len() == 1 && !policy.shared().is_empty());
            same(&policy);
        }
    }
}

/// A policy and another one that differs from it in a few members, as versions of one consent do.
fn any_change() -> impl Strategy<Value = (Policy, Policy)> {
    (any_policy(), any_policy(), vec(0..11_usize, 1..4), any_modifier()).prop_map(|(before, other, edits, extra)| {
        let mut after = before.clone();
        for edit in edits {
            match edit {
                0 => after.permissions.clone_from(&other.permissions),
                1 => after.diseases.clone_from(&other.diseases),
                2 => after.modifiers.clone_from(&other.modifiers),
                3 => after.data.clone_from(&other.data),
                4 => after.answers = other.answers,
                5 => after.recipients.clone_from(&other.recipients),
                6 => after.issued = other.issued,
                7 => after.until = other.until,
                8 => after.modifiers.push(extra.clone()),
                9 => drop(after.modifiers.pop()),
                _ => drop(after.diseases.pop()),
            }
        }
        (before, after)
    })
}

proptest! {
    #![proptest_config(cases(3000))]

    /// The law behind "narrowing counts at once": what a version without wider clauses permits, the one before
    /// permitted. Stronger than "never permits what was denied": nor what a person had to look at.
    #[test]
    fn what_does_not_widen_permits_nothing_new((before, after) in any_change(), purposes in vec((any_purpose(), any_today()), 3)) {
        if !widens(&before, &after) {
            for (purpose, at) in purposes {
                if outcome(&after, &purpose, at) == Outcome::Permit {
                    prop_assert_eq!(outcome(&before, &purpose, at), Outcome::Permit, "{:?} on {}", purpose, at);
                }
            }
        }
    }

    #[test]
    fn the_same_again_does_not_widen(policy in any_policy(), purpose in any_purpose()) {
        let (turned, _) = reversed(&policy, &purpose);
        prop_assert!(!widens(&policy, &policy) && !widens(&policy, &turned) && !widens(&turned, &policy));
    }
}

/// All permissions together with all that decides about methods and controls, by each topic and each two topics: small
/// enough to try every change there is.
#[test]
fn no_change_of_permissions_lets_anything_in_unseen() {
    let mut policies = Vec::new();
    for set in 0..32_u32 {
        let permissions: Vec<_> = (0..5).filter(|bit| set >> bit & 1 == 1).map(|bit| Permission::ALL[bit]).collect();
        for diseases in [["DOID:162"], ["DOID:10155"]] {
            for (modifiers, answer) in [
                (vec![], None),
                (vec![Modifier::Nctrl], Some(Answer::Yes)),
                (vec![Modifier::Nmds, Modifier::Cc], Some(Answer::No)),
                (vec![], Some(Answer::Undecided)),
            ] {
                let mut answers = Answers::default();
                answers.set(Question::Controls, answer);
                let diseases = diseases.iter().map(|term| (*term).to_owned()).collect();
                policies.push(Policy {
                    permissions: permissions.clone(),
                    diseases,
                    modifiers,
                    answers,
                    ..Policy::default()
                });
            }
        }
    }
    let mut purposes = Vec::new();
    for (place, one) in Topic::ALL.iter().enumerate() {
        for other in &Topic::ALL[place..] {
            let topics = if one == other { vec![*one] } else { vec![*one, *other] };
            for diseases in [&[][..], &["DOID:9256"], &["DOID:9351"]] {
                let diseases = diseases.iter().map(|term| (*term).to_owned()).collect();
                purposes.push(Purpose { topics: topics.clone(), diseases, ..Purpose::default() });
            }
        }
    }
    let permits = |policy: &Policy| -> Vec<bool> {
        purposes.iter().map(|purpose| outcome(policy, purpose, today()) == Outcome::Permit).collect()
    };
    let permitted: Vec<_> = policies.iter().map(permits).collect();
    let (mut narrower, mut seen) = (0, 0);
    for (before, old) in policies.iter().zip(&permitted) {
        for (after, new) in policies.iter().zip(&permitted) {
            let new_one = old.iter().zip(new).position(|(old, new)| *new && !old);
            if widens(before, after) {
                seen += usize::from(new_one.is_some());
            } else {
                narrower += 1;
                assert_eq!(new_one.map(|place| &purposes[place]), None, "from {before:?} to {after:?}");
            }
        }
    }
    // The rule is no use if everything counts as wider.
    assert!(narrower > policies.len() * 20 && seen > 0, "{narrower} of {}", policies.len().pow(2));
}

#[test]
fn what_widens_is_told_as_wider_for_each_member() {
    let full = || Policy {
        permissions: vec![Permission::Ds],
        diseases: vec!["DOID:162".into()],
        modifiers: vec![Modifier::Npu],
        data: Some(vec![DataKind::Genome]),
        answers: Answers::default().with(Question::Aggregate, Answer::No),
        recipients: vec![OrganisationKind::Academic],
        issued: Some(day("2026-01-01")),
        until: Some(day("2027-01-01")),
        ..Policy::default()
    };
    let wider: [fn(&mut Policy); 9] = [
        |policy| policy.permissions = vec![Permission::Hmb],
        |policy| policy.diseases.push("DOID:9351".into()),
        |policy| policy.modifiers.clear(),
        |policy| policy.data = None,
        |policy| policy.data = Some(vec![DataKind::Genome, DataKind::Survey]),
        |policy| policy.answers = Answers::default(),
        |policy| policy.recipients.clear(),
        |policy| policy.issued = None,
        |policy| policy.until = None,
    ];
    for (place, widen) in wider.iter().enumerate() {
        let mut after = full();
        widen(&mut after);
        assert!(widens(&full(), &after), "{place}");
        // And back again nothing is new.
        assert!(!widens(&after, &full()), "{place}");
    }
}
