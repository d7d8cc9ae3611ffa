//! What a change means: in words, in direction, and for the studies that run.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use Direction::{Narrower, Other, Wider};
use common::{day, matcher, today};
use consent::*;
use serde_json::{Value, json};

fn policy(more: Value) -> Policy {
    let mut value = json!({"permissions": ["HMB"], "data": ["genome"], "issued": "2026-01-01", "until": "2031-12-31"});
    for (name, member) in more.as_object().unwrap() {
        value[name] = member.clone();
    }
    let policy: Policy = serde_json::from_value(value).unwrap();
    policy
}

/// A difference in short: its direction, and both sentences with what fills their gaps.
fn short(difference: &Difference) -> (Direction, String, String) {
    let say = |message: &Option<Message>| {
        message.as_ref().map_or_else(String::new, |message| {
            let gaps: Vec<_> = message.args.values().map(String::as_str).collect();
            // Names may hold a comma, so they stand on lines of their own.
            format!("{} {}", message.id, gaps.join(" ").replace('\n', ", ")).trim_end().to_owned()
        })
    };
    (difference.direction, say(&difference.before), say(&difference.after))
}

fn told(before: Value, after: Value) -> Vec<(Direction, String, String)> {
    let none = Preferences::default();
    explain((&policy(before), &none), (&policy(after), &none)).iter().map(short).collect()
}

fn row(direction: Direction, before: &str, after: &str) -> (Direction, String, String) {
    (direction, before.to_owned(), after.to_owned())
}

#[test]
fn the_same_twice_has_no_differences() {
    let full =
        json!({"modifiers": [{"code": "GS", "places": ["NL", "BE"]}, "NPU"], "recipients": ["academic", "nonProfit"]});
    let turned =
        json!({"modifiers": ["NPU", {"code": "GS", "places": ["BE", "NL"]}], "recipients": ["nonProfit", "academic"]});
    assert_eq!(told(full.clone(), full.clone()), []);
    assert_eq!(told(full, turned), []);
}

#[test]
fn one_change_is_told_with_its_direction_and_back_again_with_the_other() {
    let places = |places: &[&str]| json!({"modifiers": [{"code": "GS", "places": places}]});
    let months = |months: u32| json!({"modifiers": [{"code": "TS", "months": months}], "until": null});
    let from = |date: &str| json!({"modifiers": [{"code": "MOR", "date": date}]});
    let named = |diseases: &[&str]| json!({"permissions": ["DS"], "diseases": diseases});
    // From, to, how the way there is told; the way back is the other direction.
    for (before, after, narrower) in [
        (json!({}), json!({"modifiers": ["NPU"]}), ("", "rule-npu")),
        (json!({"modifiers": ["CC"]}), json!({}), ("rule-cc", "")),
        (json!({"permissions": ["GRU"]}), json!({}), ("rule-gru", "rule-hmb")),
        (json!({}), named(&["DOID:162"]), ("rule-hmb", "rule-ds DOID:162")),
        (named(&["DOID:162", "DOID:9351"]), named(&["DOID:162"]), ("rule-ds DOID:162, DOID:9351", "rule-ds DOID:162")),
        (places(&["EU"]), places(&["NL"]), ("rule-gs EU", "rule-gs NL")),
        (places(&["US", "NL"]), places(&["US-CA"]), ("rule-gs NL, US", "rule-gs US-CA")),
        (places(&["EEA"]), places(&["EU"]), ("rule-gs EEA", "rule-gs EU")),
        (months(24), months(12), ("rule-ts 24", "rule-ts 12")),
        (from("2027-01-01"), from("2028-01-01"), ("rule-mor 2027-01-01", "rule-mor 2028-01-01")),
        (json!({}), json!({"recipients": ["academic"]}), ("", "rule-recipients academic")),
        (
            json!({"recipients": ["academic", "commercial"]}),
            json!({"recipients": ["academic"]}),
            ("rule-recipients academic, commercial", "rule-recipients academic"),
        ),
        (json!({"data": ["genome", "survey"]}), json!({}), ("clause-data survey", "")),
        (json!({}), json!({"until": "2027-12-31"}), ("clause-until 2031-12-31", "clause-until 2027-12-31")),
        (json!({"until": null}), json!({}), ("", "clause-until 2031-12-31")),
        (
            json!({"answers": {"aiTraining": "yes"}}),
            json!({"answers": {"aiTraining": "undecided"}}),
            ("question-aiTraining yes", "question-aiTraining undecided"),
        ),
        (
            json!({"answers": {"controls": "undecided"}}),
            json!({"answers": {"controls": "no"}}),
            ("question-controls undecided", "question-controls no"),
        ),
    ] {
        let (old, new) = narrower;
        assert_eq!(told(before.clone(), after.clone()), [row(Narrower, old, new)]);
        assert_eq!(told(after.clone(), before.clone()), [row(Wider, new, old)]);
        assert!(!widens(&policy(before.clone()), &policy(after.clone())), "{before} {after}");
        assert!(widens(&policy(after), &policy(before)));
    }
}

#[test]
fn what_goes_both_ways_is_neither() {
    for (before, after) in [
        (json!({"permissions": ["POA"]}), json!({})),
        (
            json!({"permissions": ["DS"], "diseases": ["DOID:162"]}),
            json!({"permissions": ["DS"], "diseases": ["DOID:9351"]}),
        ),
        (
            json!({"modifiers": [{"code": "GS", "places": ["NL"]}]}),
            json!({"modifiers": [{"code": "GS", "places": ["BE"]}]}),
        ),
        (json!({"recipients": ["academic"]}), json!({"recipients": ["government"]})),
        (
            json!({"modifiers": [{"code": "PS", "projects": ["P-1"]}]}),
            json!({"modifiers": [{"code": "PS", "projects": ["P-2"]}]}),
        ),
        // A name that nobody can check was a matter for a person.
        (
            json!({"modifiers": [{"code": "US", "users": ["did:example:a", "Dr Jansen"]}]}),
            json!({"modifiers": [{"code": "US", "users": ["did:example:a"]}]}),
        ),
        // Restricted to children, and so open to research on children.
        (json!({}), json!({"modifiers": ["RS-PD"]})),
        (json!({"unknown": ["XYZ"]}), json!({})),
    ] {
        let told = told(before.clone(), after.clone());
        assert!(!told.is_empty() && told.iter().all(|(direction, ..)| *direction != Narrower), "{told:?}");
        assert!(widens(&policy(before), &policy(after)));
    }
}

#[test]
fn what_hides_between_clauses_is_found() {
    let two = |first: &str, second: &str| json!({"modifiers": [{"code": "GS", "places": [first]}, {"code": "GS", "places": [second]}]});
    let (dutch, both) = (policy(two("NL", "EU")), policy(two("EU", "EU")));
    assert!(widens(&dutch, &both) && !widens(&both, &dutch), "the first of two of a kind changed");
    // Kinds of data no longer said, or nothing shared before.
    assert!(widens(&policy(json!({})), &policy(json!({"data": null}))));
    assert!(widens(&policy(json!({"data": []})), &policy(json!({"data": null}))));
    // The same months, counted from a later day.
    let months = |issued: &str| json!({"modifiers": [{"code": "TS", "months": 12}], "issued": issued, "until": null});
    assert!(widens(&policy(months("2026-01-01")), &policy(months("2026-06-01"))));
    assert_eq!(told(months("2026-01-01"), months("2026-06-01")), [row(Wider, "rule-ts 12", "rule-ts 12")]);
    // A last day that was there before and comes first holds them both.
    let until =
        |issued: &str| json!({"modifiers": [{"code": "TS", "months": 12}], "issued": issued, "until": "2026-12-31"});
    assert!(!widens(&policy(until("2026-01-01")), &policy(json!({"until": "2026-12-31"}))));
    assert!(widens(&policy(until("2025-01-01")), &policy(until("2026-06-01"))));
    // Ancestry and a disease, and then another disease.
    let before = policy(json!({"permissions": ["POA", "DS"], "diseases": ["DOID:162"]}));
    assert!(widens(&before, &policy(json!({"permissions": ["DS"], "diseases": ["DOID:9351"]}))));
    // Controls for others refused, and then a disease named whose controls are always allowed.
    let before = policy(json!({"modifiers": ["NCTRL"]}));
    let after = policy(json!({"modifiers": ["NCTRL"], "permissions": ["DS"], "diseases": ["DOID:162"]}));
    assert!(widens(&before, &after));
    // One word for two conditions says the same as both.
    let (one, parts) = (policy(json!({"modifiers": ["NPUNCU"]})), policy(json!({"modifiers": ["NPU", "NCU"]})));
    assert!(!widens(&one, &parts) && !widens(&parts, &one) && widens(&one, &policy(json!({"modifiers": ["NPU"]}))));
}

#[test]
fn several_changes_are_told_with_the_wider_ones_first() {
    let before = json!({"modifiers": ["NPU"], "data": ["genome", "survey"]});
    let after = json!({"modifiers": ["NCU"], "data": ["genome", "imaging"], "answers": {"controls": "no"}});
    assert_eq!(
        told(before, after),
        [
            row(Wider, "rule-npu", ""),
            row(Wider, "", "clause-data imaging"),
            row(Narrower, "", "rule-ncu"),
            row(Narrower, "clause-data survey", ""),
            row(Narrower, "", "question-controls no"),
        ]
    );
}

#[test]
fn wishes_are_told_and_widen_nothing() {
    let same = policy(json!({}));
    let wish = |value: Value| serde_json::from_value::<Preferences>(value).unwrap();
    let before = wish(json!({"results": {"raw": "yes"}, "contact": {"newStudies": "yes"}}));
    let after = wish(json!({"results": {"raw": "no", "family": "yes"}}));
    let told: Vec<_> = explain((&same, &before), (&same, &after)).iter().map(short).collect();
    assert_eq!(
        told,
        [
            row(Other, "", "result-family yes"),
            row(Other, "result-raw yes", "result-raw no"),
            row(Other, "contact-newStudies yes", ""),
        ]
    );
}

#[test]
fn a_simulation_says_what_each_study_would_see() {
    let purpose = |value: Value| serde_json::from_value::<Purpose>(value).unwrap();
    let about = |topics: &[&str]| json!({"topics": topics, "places": ["NL"], "data": ["genome"], "organisation": {}});
    let (health, ancestry) = (purpose(about(&["HMB"])), purpose(about(&["POA"])));
    let (methods, vague) = (purpose(about(&["methods"])), purpose(about(&[])));
    let study: StudyId = "heart-rhythm".parse().unwrap();
    let (wide, narrow) = (policy(json!({"permissions": ["GRU"]})), policy(json!({"modifiers": ["NMDS"]})));
    let gone = policy(json!({"permissions": ["GRU"], "status": "withdrawn"}));
    for (before, after, purpose, effect) in [
        (Some(&wide), &narrow, &health, Effect::GoesOn),
        (Some(&wide), &narrow, &ancestry, Effect::Stops),
        (Some(&wide), &narrow, &methods, Effect::Stops),
        (Some(&narrow), &wide, &ancestry, Effect::Opens),
        (Some(&narrow), &narrow, &ancestry, Effect::StaysOut),
        (Some(&wide), &wide, &vague, Effect::NeedsLook),
        (Some(&gone), &wide, &vague, Effect::NeedsLook),
        (Some(&wide), &gone, &vague, Effect::Stops),
        (None, &narrow, &health, Effect::Opens),
        (None, &narrow, &ancestry, Effect::StaysOut),
        (None, &gone, &health, Effect::StaysOut),
    ] {
        let found = simulate(&matcher(), &[Use { study: &study, before, after, purpose }], today());
        assert_eq!((found.len(), found[0].effect, found[0].study), (1, effect, &study), "{purpose:?}");
        assert_eq!(found[0].after, matcher().decide(after, purpose, today()));
    }
    // On the day on which it ends by itself.
    let use_ = Use { study: &study, before: Some(&narrow), after: &narrow, purpose: &health };
    assert_eq!(simulate(&matcher(), std::slice::from_ref(&use_), day("2031-12-31"))[0].effect, Effect::GoesOn);
    assert_eq!(simulate(&matcher(), std::slice::from_ref(&use_), day("2032-01-01"))[0].effect, Effect::StaysOut);
    assert!(simulate(&matcher(), &[], today()).is_empty());
}
