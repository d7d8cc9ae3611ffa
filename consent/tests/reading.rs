//! Documents: what is read, what is kept for a person to look at, and what is no document at all.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use common::{day, matcher, today};
use consent::*;
use serde_json::{Value, json};

fn policy(value: Value) -> Policy {
    serde_json::from_value(value).unwrap()
}

fn purpose(value: Value) -> Purpose {
    serde_json::from_value(value).unwrap()
}

fn modifiers(modifiers: Value) -> Vec<Modifier> {
    let policy = policy(json!({"permissions": ["GRU"], "modifiers": modifiers}));
    assert!(policy.unknown.is_empty(), "{:?}", policy.unknown);
    policy.modifiers
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn the_example_of_the_command_is_read_as_it_is_meant() {
    let read = policy(json!({
        "permissions": ["DS"], "diseases": ["DOID:162"],
        "modifiers": [{"code": "NPU"}, {"code": "GS", "places": ["NL", "BE"]}, {"code": "TS", "months": 24},
            {"code": "MOR", "date": "2027-01-01"}, {"code": "IS", "institutions": ["https://ror.org/04dkp9463"]},
            {"code": "US", "users": ["https://orcid.org/0000-0002-1825-0097"]}, {"code": "PS", "projects": ["P-7"]},
            {"code": "RS", "topics": ["pediatric"]}, {"code": "NMDS"}, {"code": "NCTRL"}, {"code": "NAGR"}, {"code": "IRB"}],
        "answers": {"controls": "yes", "aggregate": "undecided", "aiTraining": "no"}, "issued": "2026-01-01", "status": "active",
    }));
    let expected = Policy {
        permissions: vec![Permission::Ds],
        diseases: strings(&["DOID:162"]),
        modifiers: vec![
            Modifier::Npu,
            Modifier::Gs { places: strings(&["NL", "BE"]) },
            Modifier::Ts { months: 24 },
            Modifier::Mor { date: day("2027-01-01") },
            Modifier::Is { institutions: strings(&["https://ror.org/04dkp9463"]) },
            Modifier::Us { users: strings(&["https://orcid.org/0000-0002-1825-0097"]) },
            Modifier::Ps { projects: strings(&["P-7"]) },
            Modifier::Rs { topics: vec![Focus::Flag(Flag::Pediatric)] },
            Modifier::Nmds,
            Modifier::Nctrl,
            Modifier::Nagr,
            Modifier::Irb,
        ],
        answers: Answers::default()
            .with(Question::Controls, Answer::Yes)
            .with(Question::Aggregate, Answer::Undecided)
            .with(Question::AiTraining, Answer::No),
        issued: Some(day("2026-01-01")),
        status: Some(ConsentState::Active),
        ..Policy::default()
    };
    assert_eq!(read, expected);
    let read = purpose(json!({
        "topics": ["HMB", "DS", "POA", "GRU", "methods", "controls", "aggregate"], "diseases": ["DOID:10155"],
        "commercial": false, "organisation": {"id": "https://ror.org/04dkp9463", "kind": "nonProfit"}, "places": ["NL"],
        "publishesOn": "2027-06-01",
        "ethicsApproval": {"committee": "METC", "number": "2026-17", "validUntil": "2027-12-31"},
        "users": [], "project": "P-7", "genetic": true, "sensitive": [],
    }));
    use Topic::{Aggregate, Controls, Ds, Gru, Hmb, Methods, Poa};
    let expected = Purpose {
        topics: vec![Hmb, Ds, Poa, Gru, Methods, Controls, Aggregate],
        diseases: strings(&["DOID:10155"]),
        commercial: Some(false),
        organisation: Organisation {
            id: "https://ror.org/04dkp9463".into(),
            kind: Some(OrganisationKind::NonProfit),
            unknown: vec![],
        },
        places: strings(&["NL"]),
        publishes_on: Some(day("2027-06-01")),
        ethics_approval: Some(EthicsApproval {
            committee: "METC".into(),
            number: "2026-17".into(),
            valid_until: day("2027-12-31"),
        }),
        project: Some("P-7".into()),
        genetic: Some(true),
        ..Purpose::default()
    };
    assert_eq!(read, expected);
}

#[test]
fn every_term_is_read_by_its_code_its_id_and_its_iri() {
    for permission in Permission::ALL {
        let iri = format!("http://purl.obolibrary.org/obo/{}", permission.id().replace(':', "_"));
        for text in [permission.code(), permission.id(), &iri] {
            assert_eq!(policy(json!({"permissions": [text]})).permissions, [*permission], "{text}");
        }
    }
    let argument = |code: &str| match code {
        "RS" => json!({"topics": ["female"]}),
        "GS" => json!({"places": ["NL"]}),
        "MOR" => json!({"date": "2027-01-01"}),
        "TS" => json!({"months": 6}),
        "US" => json!({"users": ["did:example:a"]}),
        "PS" => json!({"projects": ["P-7"]}),
        "IS" => json!({"institutions": ["did:example:a"]}),
        _ => json!({}),
    };
    for (code, id) in Modifier::TERMS {
        let mut spellings = vec![(*code).to_owned(), (*id).to_owned()];
        if let Some(number) = id.strip_prefix("DUO:") {
            spellings.push(format!("http://purl.obolibrary.org/obo/DUO_{number}"));
        }
        for text in spellings {
            let mut object = argument(code);
            object["code"] = json!(text);
            let read = modifiers(json!([object]));
            assert_eq!(read.iter().map(Modifier::code).collect::<Vec<_>>(), [*code], "{text}");
            // A term without an argument may also stand as a plain text.
            if argument(code) == json!({}) {
                assert_eq!(modifiers(json!([text])), read);
            }
        }
    }
}

#[test]
fn older_words_are_read_as_what_they_meant() {
    // DUO's own OWL file spells this one with eight digits.
    for npoa in ["NPOA", "DUO:0000044", "DUO_00000044", "http://purl.obolibrary.org/obo/DUO_00000044"] {
        assert_eq!(modifiers(json!([npoa])), [Modifier::Npoa], "{npoa}");
    }
    // Obsolete: GRU-CC is GRU with CC; RU says what is so without it.
    for gru_cc in ["GRU-CC", "DUO:0000005"] {
        let read = policy(json!({"permissions": [gru_cc, "GRU"], "modifiers": ["CC", "NPU"]}));
        assert_eq!((read.permissions, read.modifiers), (vec![Permission::Gru], vec![Modifier::Cc, Modifier::Npu]));
    }
    assert_eq!(modifiers(json!(["RU", {"code": "DUO:0000014"}])), []);
    let only = |flag| vec![Modifier::Rs { topics: vec![Focus::Flag(flag)] }];
    assert_eq!(modifiers(json!(["RS-PD"])), only(Flag::Pediatric));
    assert_eq!(modifiers(json!(["RS-POP"])), only(Flag::Population));
    assert_eq!(modifiers(json!([{"code": "RS-G", "topics": ["F"]}])), only(Flag::Female));
    for code in ["DUO:0000002", "DUO:0000003", "gru", " GRU", "GRU-CC\u{1}", "GRU\u{200b}"] {
        let read = policy(json!({"permissions": [code]}));
        assert_eq!((read.permissions, read.modifiers, read.unknown.len()), (vec![], vec![], 1), "{code:?}");
    }
}

#[test]
fn nothing_said_may_be_said_with_null() {
    let names =
        ["diseases", "ontology", "modifiers", "data", "answers", "recipients", "issued", "until", "status", "unknown"];
    for name in names {
        assert_eq!(
            policy(json!({"permissions": ["GRU"], name: null})),
            policy(json!({"permissions": ["GRU"]})),
            "{name}"
        );
    }
    assert_eq!(policy(json!({"permissions": null})), Policy::default());
    let names = [
        "diseases",
        "commercial",
        "organisation",
        "places",
        "data",
        "publishesOn",
        "ethicsApproval",
        "users",
        "project",
        "genetic",
        "sensitive",
        "unknown",
    ];
    for name in names {
        assert_eq!(purpose(json!({"topics": ["GRU"], name: null})), purpose(json!({"topics": ["GRU"]})), "{name}");
    }
    assert_eq!(purpose(json!({"organisation": {"id": null, "kind": null}})), Purpose::default());
    assert_eq!(policy(json!({"answers": {"controls": null}})), Policy::default());
    // Kinds of data: not said is another thing than none.
    assert_eq!(policy(json!({"data": []})).data, Some(vec![]));
}

#[test]
fn a_member_that_stands_twice_is_an_error() {
    for text in [
        r#"{"permissions":["HMB"],"permissions":["NRES"]}"#,
        r#"{"permissions":["HMB"],"\u0070ermissions":["NRES"]}"#,
        r#"{"permissions":["HMB"],"modifiers":[{"code":"GS","places":["NL"],"places":["US"]}]}"#,
        r#"{"permissions":["HMB"],"answers":{"controls":"no","controls":"yes"}}"#,
        // The same question under two of its spellings.
        r#"{"permissions":["HMB"],"answers":{"gender":"no","DUO:0000035":"yes"}}"#,
        r#"{"permissions":["HMB"],"odd":1,"odd":2}"#,
    ] {
        assert!(serde_json::from_str::<Policy>(text).is_err(), "{text}");
    }
    for text in [
        r#"{"topics":["HMB"],"topics":["GRU"]}"#,
        r#"{"organisation":{"kind":"academic","kind":"commercial"}}"#,
        r#"{"ethicsApproval":{"number":"1","validUntil":"2026-01-01","validUntil":"2099-01-01"}}"#,
    ] {
        assert!(serde_json::from_str::<Purpose>(text).is_err(), "{text}");
    }
}

#[test]
fn what_has_the_wrong_shape_is_an_error() {
    for value in [
        json!([]),
        json!("GRU"),
        json!(null),
        json!({"permissions": "GRU"}),
        json!({"permissions": [1]}),
        json!({"diseases": [["DOID:162"]]}),
        json!({"modifiers": [1]}),
        json!({"modifiers": [{"code": 1}]}),
        json!({"modifiers": [{"code": "GS", "places": "NL"}]}),
        json!({"modifiers": [{"code": "TS", "months": -1}]}),
        json!({"modifiers": [{"code": "TS", "months": 1.5}]}),
        json!({"modifiers": [{"code": "TS", "months": "12"}]}),
        json!({"answers": ["controls"]}),
        json!({"answers": {"controls": true}}),
        json!({"issued": "yesterday"}),
        json!({"until": "2026-02-29"}),
        json!({"status": 1}),
        json!({"data": "genome"}),
        json!({"data": [1]}),
        json!({"ontology": {"system": "MONDO"}}),
    ] {
        assert!(serde_json::from_value::<Policy>(value.clone()).is_err(), "{value}");
    }
    for value in [
        json!([]),
        json!({"topics": "HMB"}),
        json!({"commercial": "no"}),
        json!({"organisation": "UvA"}),
        json!({"publishesOn": "soon"}),
        json!({"ethicsApproval": true}),
        json!({"ethicsApproval": {"number": "1"}}),
        json!({"users": "did:example:a"}),
        json!({"genetic": 1}),
        json!({"places": [null]}),
    ] {
        assert!(serde_json::from_value::<Purpose>(value.clone()).is_err(), "{value}");
    }
}

#[test]
fn what_is_not_understood_is_never_lost() {
    let odd = policy(json!({
        "permissions": ["GRU", "ALL"], "modifiers": [{"code": "XYZ", "places": ["NL"]}, {"code": "GS", "until": "2027"}, "NPU"],
        "data": ["genome", "dreams"], "answers": {"telepathy": "yes", "controls": "perhaps"}, "recipients": ["guild"],
        "status": "asleep", "exceptOnSundays": {"deep": [1, 2, {"er": null}]},
    }));
    let words = [
        "ALL",
        "XYZ places",
        "GS until",
        "dreams",
        "telepathy yes",
        "controls perhaps",
        "guild",
        "asleep",
        "exceptOnSundays",
    ];
    let sorted = |mut words: Vec<String>| {
        words.sort();
        words
    };
    assert_eq!(sorted(odd.unknown.clone()), sorted(strings(&words)));
    assert_eq!((&odd.permissions[..], &odd.modifiers[..]), (&[Permission::Gru][..], &[Modifier::Npu][..]));
    let asked = purpose(json!({
        "topics": ["GRU", "sorcery"], "sensitive": ["leftHanded"], "data": ["aura"], "alsoFor": "resale",
        "organisation": {"id": "did:example:a", "kind": "guild", "owner": "somebody"},
        "ethicsApproval": {"number": "1", "validUntil": "2027-01-01", "onlyFor": "adults"},
    }));
    assert_eq!(
        sorted(asked.unknown.clone()),
        sorted(strings(&["sorcery", "leftHanded", "aura", "alsoFor", "onlyFor"]))
    );
    assert_eq!(sorted(asked.organisation.unknown.clone()), ["guild", "owner"]);
    // Written and read again, and once more.
    let again: Policy = serde_json::from_str(&serde_json::to_string(&odd).unwrap()).unwrap();
    let asked_again: Purpose = serde_json::from_str(&serde_json::to_string(&asked).unwrap()).unwrap();
    assert_eq!((&again, &asked_again), (&odd, &asked));
    let (plain, open) = (purpose(json!({"topics": ["GRU"]})), policy(json!({"permissions": ["GRU"]})));
    assert_ne!(matcher().decide(&again, &plain, today()).outcome, Outcome::Permit);
    assert_ne!(matcher().decide(&open, &asked_again, today()).outcome, Outcome::Permit);
}

#[test]
fn what_stands_outside_a_policy_must_be_understood() {
    // There it would lead to no review, and be lost.
    assert!(serde_json::from_value::<Modifier>(json!({"code": "XYZ"})).is_err());
    assert!(serde_json::from_value::<Modifier>(json!("GS")).is_err());
    assert_eq!(serde_json::from_value::<Modifier>(json!("NPU")).unwrap(), Modifier::Npu);
    assert!(serde_json::from_value::<Preferences>(json!({"results": {"raw": "perhaps"}})).is_err());
    assert!(serde_json::from_value::<Preferences>(json!({"wishes": {}})).is_err());
    let odd = json!({"number": "1", "validUntil": "2027-01-01", "onlyFor": "adults"});
    assert!(serde_json::from_value::<EthicsApproval>(odd.clone()).is_err());
    assert!(serde_json::from_value::<EthicsApproval>(json!(null)).is_err());
    assert!(serde_json::from_value::<Terms>(json!({"ethics": odd})).is_err());
    let good = json!({"ethics": {"committee": "METC", "number": "1", "validUntil": "2027-01-01"}});
    let terms: Terms = serde_json::from_value(good.clone()).unwrap();
    assert_eq!(serde_json::to_value(&terms).unwrap(), good);
    let none: Terms = serde_json::from_value(json!({"ethics": null})).unwrap();
    assert!(none.is_empty());
}

#[test]
fn what_is_said_twice_counts_once() {
    let read = policy(json!({
        "permissions": ["HMB", "DUO:0000006"], "data": ["genome", "genome"], "recipients": ["academic", "academic"],
        "modifiers": [{"code": "RS", "topics": ["sex", "gender", "DUO:0000035"]}],
    }));
    assert_eq!(read.permissions, [Permission::Hmb]);
    assert_eq!(read.data, Some(vec![DataKind::Genome]));
    assert_eq!(read.recipients, [OrganisationKind::Academic]);
    assert_eq!(read.modifiers, [Modifier::Rs { topics: vec![Focus::Flag(Flag::Gender)] }]);
}

#[test]
fn documents_made_to_exhaust_a_reader_are_refused_or_stay_small() {
    let list = |count: usize| (0..count).map(|number| format!("w{number}")).collect::<Vec<_>>();
    // Lists and objects without end.
    for value in [
        json!({"permissions": list(2000)}),
        json!({"diseases": list(2000)}),
        json!({"unknown": list(2000)}),
        json!({"data": list(2000)}),
        json!({"modifiers": list(2000)}),
        json!({"recipients": vec!["academic"; 2000]}),
        json!({"modifiers": [{"code": "GS", "places": list(2000)}]}),
        Value::Object(list(2000).into_iter().map(|name| (name, Value::Null)).collect()),
        json!({"answers": Value::Object(list(2000).into_iter().map(|name| (name, json!("yes"))).collect())}),
    ] {
        assert!(serde_json::from_value::<Policy>(value).is_err());
    }
    for value in [json!({"topics": list(2000)}), json!({"users": list(2000)}), json!({"places": list(2000)})] {
        assert!(serde_json::from_value::<Purpose>(value).is_err());
    }
    // The longest that is taken, of unknown words of any length: a few short ones are kept.
    let words: Vec<_> = (0..1024).map(|number| format!("{number}{}", "x".repeat(1000))).collect();
    let read = policy(json!({"permissions": words, "data": words}));
    assert_eq!((read.unknown.len(), read.unknown.iter().map(String::len).max()), (32, Some(64)));
    let long = "x".repeat(1_000_000);
    let read =
        policy(json!({"permissions": [long], "modifiers": [{"code": long, long.clone(): 1}], long.clone(): long}));
    assert!(read.unknown.iter().all(|word| word.len() <= 200), "{:?}", read.unknown.len());
    // Depth is passed over without going down, or refused.
    let deep = |name: &str| format!(r#"{{"{name}":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(serde_json::from_str::<Policy>(&deep("odd")).unwrap().unknown, ["odd"]);
    assert!(serde_json::from_str::<Policy>(&deep("modifiers")).is_err());
}

#[test]
fn the_longest_lists_that_are_read_are_compared_in_a_moment() {
    let terms: Vec<_> = (0..1024).map(|number| format!("DOID:{number}")).collect();
    let places = vec!["US-CA"; 1024];
    let wide =
        policy(json!({"permissions": ["DS"], "diseases": terms, "modifiers": [{"code": "GS", "places": places}]}));
    let asked = purpose(json!({"topics": ["DS"], "diseases": terms, "places": vec!["NL"; 1024]}));
    let decision = matcher().decide(&wide, &asked, today());
    assert_eq!(decision.outcome, Outcome::Deny);
    assert!(decision.reasons.len() <= 1026, "{}", decision.reasons.len());
}
