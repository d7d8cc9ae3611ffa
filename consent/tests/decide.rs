//! The matcher: each rule by example. The properties that hold for all policies and purposes are in `properties.rs`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;
mod examples;

use common::{day, matcher, today};
use consent::Outcome::{Deny, Permit, Review};
use consent::*;
use examples::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn each_rule_by_example_and_each_reason_in_one_of_them() {
    let groups = [
        unsafe_elsewhere(),
        topics(),
        diseases(),
        methods_controls_aggregate(),
        who_and_what(),
        where_and_when(),
        parties(),
        ethics_genetics_and_groups(),
        standing(),
        unknown_words(),
    ];
    let told: BTreeSet<ReasonCode> = groups.into_iter().flat_map(hold).collect();
    let untold: Vec<_> = ReasonCode::ALL.iter().filter(|code| !told.contains(code)).collect();
    assert!(untold.is_empty(), "no example gives {untold:?}");
}

#[test]
fn an_unknown_word_never_permits_whatever_is_asked() {
    for (policy, purpose, ..) in unknown_words() {
        let (policy, mut purpose) = read(&policy, &purpose);
        for topic in Topic::ALL {
            purpose.topics = vec![*topic];
            for matcher in [matcher(), matcher().facet()] {
                assert_ne!(matcher.decide(&policy, &purpose, today()).outcome, Permit, "{policy:?} {purpose:?}");
            }
        }
    }
}

#[test]
fn a_consent_that_is_not_in_force_says_so_and_nothing_else() {
    let gone =
        json!({"permissions": ["HMB"], "status": "withdrawn", "until": "2026-01-01", "modifiers": ["XYZ", "NPU"]});
    let (policy, purpose) = read(&gone, &ask(&["POA"], json!({"organisation": {}})));
    let decision = matcher().decide(&policy, &purpose, today());
    let codes: Vec<_> = decision.reasons.iter().map(|reason| reason.code.code()).collect();
    assert_eq!((decision.outcome, codes), (Deny, vec!["withdrawn", "expired"]));
}

#[test]
fn the_union_changes_its_members_and_the_rule_with_it() {
    let only_eu = under("HMB", json!({"code": "GS", "places": ["EU"]}));
    let british = ask(&["HMB"], json!({"places": ["GB"]}));
    assert_eq!(outcome(&only_eu, &british, day("2020-01-31")), Permit);
    assert_eq!(outcome(&only_eu, &british, day("2020-02-01")), Deny);
    let croatian = ask(&["HMB"], json!({"places": ["HR"]}));
    assert_eq!(outcome(&only_eu, &croatian, day("2013-06-30")), Deny);
    assert_eq!(outcome(&only_eu, &croatian, day("2013-07-01")), Permit);
}

#[test]
fn months_end_with_the_last_day_of_a_shorter_month() {
    let month = json!({"permissions": ["HMB"], "issued": "2027-01-31", "modifiers": [{"code": "TS", "months": 1}]});
    assert_eq!(outcome(&month, &plain(&["HMB"]), day("2027-02-27")), Permit);
    assert_eq!(outcome(&month, &plain(&["HMB"]), day("2027-02-28")), Deny);
    let year = json!({"permissions": ["HMB"], "issued": "2024-02-29", "modifiers": [{"code": "TS", "months": 12}]});
    assert_eq!(outcome(&year, &plain(&["HMB"]), day("2025-02-27")), Permit);
    assert_eq!(outcome(&year, &plain(&["HMB"]), day("2025-02-28")), Deny);
}

#[test]
fn a_permit_names_its_duties_and_nothing_else_does() {
    let owes = json!({"permissions": ["GRU"], "status": "withdrawnNoAccess", "modifiers": [
        {"code": "RTN"}, {"code": "PUB"}, {"code": "COL", "with": ["did:example:b", "did:example:a"]},
        {"code": "IRB"}, {"code": "NRI"}, {"code": "NRL"}, {"code": "PUB"}]});
    let (policy, purpose) = read(&owes, &plain(&["HMB"]));
    let decision = matcher().decide(&policy, &purpose, today());
    let duties: Vec<_> = decision.duties.iter().map(|duty| (duty.code.as_ref(), duty.with.join(" "))).collect();
    let expected = [
        ("COL", "did:example:a did:example:b"),
        ("IRB", ""),
        ("NRI", ""),
        ("NRL", ""),
        ("PUB", ""),
        ("RTN", ""),
        ("existing-data-only", ""),
        ("no-contact", ""),
    ];
    assert_eq!(decision.outcome, Permit);
    assert_eq!(duties, expected.map(|(code, with)| (code, with.to_owned())));
    for topics in [&["reidentification"][..], &[]] {
        let (policy, purpose) = read(&owes, &plain(topics));
        let decision = matcher().decide(&policy, &purpose, today());
        assert!(decision.outcome != Permit && decision.duties.is_empty());
    }
}

#[test]
fn one_facet_can_be_looked_at_alone() {
    let facet = |policy: Value, purpose: Value| {
        let (policy, purpose) = read(&policy, &purpose);
        matcher().facet().decide(&policy, &purpose, today()).outcome
    };
    let npu = json!({"modifiers": [{"code": "NPU"}]});
    assert_eq!(facet(npu.clone(), plain(&[])), Permit);
    assert_eq!(facet(npu, json!({"organisation": {"kind": "commercial"}})), Deny);
    // The rule on diseases is none on topics.
    assert_eq!(facet(cancer(), ask(&[], json!({"diseases": ["DOID:9351"]}))), Deny);
    assert_eq!(facet(cancer(), plain(&[])), Review);
    assert_eq!(facet(json!({"permissions": ["GRU"], "status": "withdrawn"}), plain(&[])), Deny);
}

#[test]
fn a_decision_tells_what_was_compared_and_travels_as_json() {
    let (policy, purpose) = read(
        &with(cancer(), json!({"modifiers": [{"code": "PUB"}, {"code": "GS", "places": ["NL"]}]})),
        &about(&["DOID:10155"]),
    );
    let decision = matcher().decide(&policy, &purpose, today());
    let expected = json!({
        "decision": "permit",
        "reasons": [
            {"outcome": "permit", "code": "disease-covered", "policy": "DS", "purpose": "DOID:10155"},
            {"outcome": "permit", "code": "place-allowed", "policy": "GS", "purpose": "NL"},
        ],
        "duties": [{"code": "PUB"}],
        "evaluated": ["DOID:10155", "DS", "GS", "PUB"],
    });
    assert_eq!(serde_json::to_value(&decision).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Decision<'_>>(expected).unwrap(), decision);
}

/// The whole hierarchy that is built in.
#[cfg(feature = "mondo")]
#[test]
fn diseases_are_compared_by_mondo_when_nothing_else_is_said() {
    let tumour = json!({"permissions": ["DS"], "diseases": ["MONDO:0045024"]});
    let says = |disease: &str| {
        let (policy, purpose) = read(&tumour, &about(&[disease]));
        decide(&policy, &purpose, today()).outcome
    };
    assert_eq!(says("MONDO:0005105"), Permit, "melanoma is a tumour");
    assert_eq!(says("MONDO:0005015"), Deny, "diabetes is none");
    assert_eq!(says("MONDO:9999999"), Review);
    assert_eq!(says("DOID:1909"), Review, "melanoma of another hierarchy");
}

mod signing {
    use super::*;

    fn error(policy: Value) -> Option<PolicyError> {
        let (policy, _) = read(&policy, &json!({}));
        policy.validate().err()
    }

    fn good(more: Value) -> Value {
        with(json!({"permissions": ["HMB"], "data": ["genome"], "issued": "2026-11-22"}), more)
    }

    fn with_modifiers(modifiers: Value) -> Value {
        good(json!({"modifiers": modifiers}))
    }

    #[test]
    fn what_says_one_thing_can_be_signed() {
        let mondo = json!({"system": "MONDO", "version": "2026-05-05"});
        for policy in [
            good(json!({})),
            good(json!({"permissions": ["DS"], "diseases": ["MONDO:0005015"], "ontology": mondo})),
            good(json!({"permissions": ["NRES"], "modifiers": [{"code": "PUB"}, {"code": "IRB"}]})),
            with_modifiers(json!([{"code": "GS", "places": ["EU"]}, {"code": "GS", "places": ["NL"]}])),
            with_modifiers(
                json!([{"code": "COL"}, {"code": "TS", "months": 12}, {"code": "RS", "topics": ["female"]}]),
            ),
        ] {
            assert_eq!(error(policy.clone()), None, "{policy}");
        }
    }

    #[test]
    fn what_contradicts_itself_or_is_not_clear_can_not() {
        let doid = json!({"system": "DOID", "version": "2026-11-22"});
        let contradiction = PolicyError::Contradiction;
        let unclear = |text: &str| PolicyError::PartyUnclear(text.to_owned());
        for (policy, expected) in [
            (good(json!({"permissions": []})), PolicyError::NoPermission),
            (good(json!({"permissions": ["HMB", "DS"]})), PolicyError::SeveralPermissions),
            (good(json!({"permissions": ["GRU", "POA"]})), contradiction("GRU", "POA")),
            (good(json!({"permissions": ["POA"], "modifiers": ["NPOA"]})), contradiction("POA", "NPOA")),
            (good(json!({"permissions": ["NRES"], "modifiers": ["NCU"]})), contradiction("NRES", "NCU")),
            (good(json!({"data": null})), PolicyError::NoData),
            (good(json!({"data": []})), PolicyError::NoData),
            (good(json!({"permissions": ["DS"]})), PolicyError::DiseaseMismatch),
            (good(json!({"diseases": ["DOID:162"]})), PolicyError::DiseaseMismatch),
            (
                good(json!({"permissions": ["DS"], "diseases": ["DOID:162"]})),
                PolicyError::DiseaseUnclear("DOID:162".to_owned()),
            ),
            (
                good(json!({"permissions": ["DS"], "diseases": ["DOID:162", "MONDO:1"], "ontology": doid})),
                PolicyError::DiseaseUnclear("MONDO:1".to_owned()),
            ),
            (
                with_modifiers(json!([{"code": "GS", "places": ["US"]}, {"code": "GS", "places": ["EU"]}])),
                PolicyError::NoPlaceLeft,
            ),
            (with_modifiers(json!([{"code": "GS", "places": ["Mars"]}])), PolicyError::PlaceUnknown("Mars".to_owned())),
            (with_modifiers(json!([{"code": "IS", "institutions": ["UvA"]}])), unclear("UvA")),
            (with_modifiers(json!([{"code": "US", "users": ["Dr Jansen"]}])), unclear("Dr Jansen")),
            (with_modifiers(json!([{"code": "PS", "projects": ["my study"]}])), unclear("my study")),
            (with_modifiers(json!([{"code": "COL", "with": ["Dr Jansen"]}])), unclear("Dr Jansen")),
            (with_modifiers(json!(["NPU", "NPU"])), PolicyError::Repeated("NPU")),
            (with_modifiers(json!([{"code": "TS", "months": 0}])), PolicyError::TimeUnclear),
            (good(json!({"issued": null, "modifiers": [{"code": "TS", "months": 12}]})), PolicyError::TimeUnclear),
            (good(json!({"until": "2026-11-21"})), PolicyError::EndsBeforeItBegins),
            (with_modifiers(json!(["XYZ"])), PolicyError::UnknownTerm("XYZ".to_owned())),
            (good(json!({"modifiers": ["NCTRL"], "answers": {"controls": "yes"}})), contradiction("NCTRL", "controls")),
            (good(json!({"modifiers": ["NAGR"], "answers": {"aggregate": "yes"}})), contradiction("NAGR", "aggregate")),
            (good(json!({"modifiers": ["RS-PD"], "answers": {"pediatric": "no"}})), contradiction("RS", "pediatric")),
            (good(json!({"modifiers": ["NPU"], "recipients": ["commercial"]})), contradiction("NPU", "recipients")),
        ] {
            assert_eq!(error(policy.clone()), Some(expected), "{policy}");
        }
    }

    #[test]
    fn conditions_that_name_nothing_can_not_be_signed_by_a_program_either() {
        let (base, _) = read(&good(json!({})), &json!({}));
        for modifier in [
            Modifier::Rs { topics: vec![] },
            Modifier::Gs { places: vec![] },
            Modifier::Us { users: vec![] },
            Modifier::Ps { projects: vec![] },
            Modifier::Is { institutions: vec![] },
        ] {
            let code = modifier.code();
            let policy = Policy { modifiers: vec![modifier], ..base.clone() };
            assert_eq!(policy.validate(), Err(PolicyError::NothingNamed(code)));
            let (_, purpose) = read(&json!({}), &plain(&["HMB"]));
            assert_ne!(matcher().decide(&policy, &purpose, today()).outcome, Permit, "{code}");
        }
        let many: Vec<String> = (0..2000).map(|number| format!("P-{number}")).collect();
        let policy = Policy { modifiers: vec![Modifier::Ps { projects: many }], ..base };
        assert_eq!(policy.validate(), Err(PolicyError::TooLong("PS")));
    }
}
