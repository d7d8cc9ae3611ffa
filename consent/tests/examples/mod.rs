//! The table of examples: what is said of each rule, and the short words in which the rows are written.

use super::common::{matcher, today};
use consent::Outcome::{Deny, Permit, Review};
use consent::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A policy, a purpose, the answer, and a reason that must be among those given.
pub type Example = (Value, Value, Outcome, &'static str);

pub fn with(mut base: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}

/// A purpose that says all that can be said, about these topics. `null` takes a member away.
pub fn ask(topics: &[&str], more: Value) -> Value {
    let base = json!({
        "topics": topics,
        "commercial": false,
        "organisation": {"id": "https://ror.org/04dkp9463", "kind": "academic"},
        "places": ["NL"],
        "data": ["genome"],
        "publishesOn": "2027-06-01",
        "ethicsApproval": {"committee": "METC", "number": "2026-17", "validUntil": "2027-12-31"},
        "users": ["https://orcid.org/0000-0002-1825-0097"],
        "project": "P-7",
        "genetic": true,
    });
    with(base, more)
}

pub fn plain(topics: &[&str]) -> Value {
    ask(topics, json!({}))
}

/// Research on these diseases.
pub fn about(diseases: &[&str]) -> Value {
    ask(&["DS"], json!({"diseases": diseases}))
}

pub fn may(permissions: &[&str]) -> Value {
    json!({"permissions": permissions})
}

pub fn cancer() -> Value {
    json!({"permissions": ["DS"], "diseases": ["DOID:162"]})
}

/// A policy under one condition.
pub fn under(permission: &str, modifier: Value) -> Value {
    json!({"permissions": [permission], "modifiers": [modifier]})
}

pub fn code(code: &str) -> Value {
    json!({"code": code})
}

pub fn answered(permission: &str, question: &str, answer: &str) -> Value {
    json!({"permissions": [permission], "answers": {question: answer}})
}

pub fn read(policy: &Value, purpose: &Value) -> (Policy, Purpose) {
    (serde_json::from_value(policy.clone()).unwrap(), serde_json::from_value(purpose.clone()).unwrap())
}

pub fn outcome(policy: &Value, purpose: &Value, at: Date) -> Outcome {
    let (policy, purpose) = read(policy, purpose);
    matcher().decide(&policy, &purpose, at).outcome
}

/// Holds each example, and says which reasons they gave.
pub fn hold(examples: Vec<Example>) -> BTreeSet<ReasonCode> {
    let mut codes = BTreeSet::new();
    for (policy, purpose, expected, code) in examples {
        let (read_policy, read_purpose) = read(&policy, &purpose);
        let decision = matcher().decide(&read_policy, &read_purpose, today());
        assert_eq!(decision.outcome, expected, "{policy}\n{purpose}\n{decision:#?}");
        let strictest = decision.reasons.iter().filter(|reason| reason.outcome == expected);
        let told = strictest.map(|reason| reason.code.code()).any(|told| told == code);
        assert!(told, "{code} is missing: {policy}\n{purpose}\n{decision:#?}");
        codes.extend(decision.reasons.iter().map(|reason| reason.code));
    }
    codes
}

/// What other matchers permit and must not be permitted: rows of the table that was run through a port of DUOS V4.
pub fn unsafe_elsewhere() -> Vec<Example> {
    let all = json!({"permissions": ["HMB"], "modifiers": [
        {"code": "GS", "places": ["US"]}, {"code": "IRB"}, {"code": "COL"},
        {"code": "MOR", "date": "2027-01-01"}, {"code": "GSO"}]});
    let american = json!({"places": ["US"]});
    vec![
        // 1: a consent for cancer does not cover general research.
        (cancer(), plain(&["GRU"]), Deny, "topic-not-covered"),
        // 2: nor does one for ancestry.
        (may(&["POA"]), plain(&["GRU"]), Deny, "topic-not-covered"),
        // 3: nothing said is nothing permitted.
        (json!({}), plain(&["GRU"]), Deny, "nothing-permitted"),
        // 4: methods alone against NMDS.
        (with(cancer(), json!({"modifiers": [{"code": "NMDS"}]})), plain(&["methods"]), Deny, "no-methods"),
        // 5: five conditions hold one by one.
        (all.clone(), ask(&["HMB"], american.clone()), Permit, "topic-covered"),
        (all.clone(), plain(&["HMB"]), Deny, "place-not-allowed"),
        (all.clone(), ask(&["HMB"], with(american.clone(), json!({"ethicsApproval": null}))), Review, "ethics-missing"),
        (
            all.clone(),
            ask(&["HMB"], with(american.clone(), json!({"publishesOn": "2026-12-31"}))),
            Deny,
            "before-moratorium",
        ),
        (
            all.clone(),
            ask(&["HMB"], with(american.clone(), json!({"publishesOn": null}))),
            Review,
            "publication-not-stated",
        ),
        (all.clone(), ask(&["HMB"], with(american.clone(), json!({"genetic": null}))), Review, "genetic-not-stated"),
        (all, ask(&["HMB"], with(american, json!({"genetic": false}))), Deny, "not-genetic"),
        // 6: two permissions that contradict each other.
        (
            json!({"permissions": ["HMB", "DS"], "diseases": ["DOID:162"]}),
            about(&["DOID:9351"]),
            Review,
            "permissions-contradict",
        ),
        // 7: a question that is open does not hide a denial.
        (cancer(), ask(&["HMB"], json!({"sensitive": ["pediatric"]})), Deny, "topic-not-covered"),
        // 8: profit not stated.
        (under("HMB", code("NPU")), ask(&["HMB"], json!({"organisation": {}})), Deny, "profit-not-stated"),
        // 9: a purpose that lists nothing.
        (may(&["HMB"]), json!({}), Review, "no-topic"),
        (json!({}), json!({}), Deny, "nothing-permitted"),
        // 10: two restrictions hold both.
        (
            json!({"permissions": ["HMB"], "modifiers": [{"code": "GS", "places": ["US"]}, {"code": "GS", "places": ["EU"]}]}),
            plain(&["HMB"]),
            Deny,
            "place-not-allowed",
        ),
    ]
}

pub fn topics() -> Vec<Example> {
    let mut all = Vec::new();
    // NRES >= GRU >= {HMB, POA}; each row a permission, each column a topic.
    for (permission, covered) in [
        ("NRES", [true, true, true]),
        ("GRU", [true, true, true]),
        ("HMB", [false, true, false]),
        ("POA", [false, false, true]),
    ] {
        for (topic, covered) in ["GRU", "HMB", "POA"].into_iter().zip(covered) {
            let (outcome, code) = if covered { (Permit, "topic-covered") } else { (Deny, "topic-not-covered") };
            all.push((may(&[permission]), plain(&[topic]), outcome, code));
        }
    }
    all.extend([
        (may(&["GRU"]), plain(&["GRU", "HMB", "POA"]), Permit, "topic-covered"),
        (may(&["HMB"]), plain(&["HMB", "POA"]), Deny, "topic-not-covered"),
        (cancer(), plain(&["HMB"]), Deny, "topic-not-covered"),
        (cancer(), plain(&["POA"]), Deny, "topic-not-covered"),
        (may(&["HMB"]), plain(&["genetic"]), Permit, "topic-covered"),
        (may(&["HMB"]), plain(&["drugDevelopment"]), Permit, "topic-covered"),
        (cancer(), ask(&["genetic"], json!({"diseases": ["DOID:162"]})), Permit, "topic-with-disease"),
        (cancer(), plain(&["genetic"]), Deny, "topic-not-covered"),
        (may(&["POA"]), plain(&["genetic"]), Review, "topic-of-ancestry"),
        (may(&["POA"]), plain(&["drugDevelopment"]), Deny, "topic-not-covered"),
        (under("GRU", code("NPOA")), plain(&["POA"]), Deny, "no-ancestry"),
        (under("GRU", code("NPOA")), plain(&["HMB"]), Permit, "topic-covered"),
        // The union of several permissions, and review where one takes back what another gives.
        (may(&["HMB", "POA"]), plain(&["HMB", "POA"]), Permit, "topic-covered"),
        (may(&["HMB", "POA"]), plain(&["GRU"]), Deny, "topic-not-covered"),
        (may(&["GRU", "POA"]), plain(&["HMB"]), Review, "permissions-contradict"),
        (may(&["GRU", "POA"]), plain(&["GRU"]), Review, "permissions-contradict"),
        (may(&["GRU", "POA"]), plain(&["POA"]), Permit, "topic-covered"),
        (may(&["NRES", "HMB"]), plain(&["GRU"]), Review, "permissions-contradict"),
        (
            json!({"permissions": ["HMB", "DS"], "diseases": ["DOID:162"]}),
            plain(&["HMB"]),
            Review,
            "permissions-contradict",
        ),
        (
            json!({"permissions": ["HMB", "DS"], "diseases": ["DOID:162"]}),
            about(&["DOID:10155"]),
            Permit,
            "disease-covered",
        ),
        // The contradiction about health says nothing about ancestry.
        (
            json!({"permissions": ["HMB", "DS", "POA"], "diseases": ["DOID:162"]}),
            plain(&["POA"]),
            Permit,
            "topic-covered",
        ),
        (
            json!({"permissions": ["POA", "DS"], "diseases": ["DOID:162"]}),
            about(&["DOID:9351"]),
            Deny,
            "disease-not-covered",
        ),
    ]);
    all
}

pub fn diseases() -> Vec<Example> {
    vec![
        (cancer(), about(&["DOID:162"]), Permit, "disease-covered"),
        (cancer(), about(&["DOID:9256"]), Permit, "disease-covered"),
        (cancer(), about(&["http://purl.obolibrary.org/obo/DOID_9256"]), Permit, "disease-covered"),
        (cancer(), about(&["DOID:9351"]), Deny, "disease-not-covered"),
        // A wider disease than the donor named.
        (cancer(), about(&["DOID:4"]), Deny, "disease-not-covered"),
        // Many of the purpose must all be covered; many of the policy are alternatives.
        (cancer(), about(&["DOID:10155", "DOID:9351"]), Deny, "disease-not-covered"),
        (
            json!({"permissions": ["DS"], "diseases": ["DOID:9351", "DOID:162"]}),
            about(&["DOID:10155", "DOID:9351"]),
            Permit,
            "disease-covered",
        ),
        (json!({"permissions": ["DS"]}), about(&["DOID:162"]), Deny, "disease-not-covered"),
        (may(&["HMB"]), about(&["DOID:162"]), Permit, "topic-covered"),
        (may(&["GRU"]), about(&["DOID:162", "DOID:9351"]), Permit, "topic-covered"),
        (may(&["POA"]), about(&["DOID:162"]), Deny, "topic-not-covered"),
        // What nobody can place.
        (may(&["HMB"]), about(&["DOID:999"]), Review, "disease-unknown"),
        (may(&["NRES"]), about(&["cancer"]), Review, "disease-unknown"),
        (may(&["POA"]), about(&["DOID:999"]), Deny, "topic-not-covered"),
        (cancer(), about(&["DOID:7"]), Review, "disease-retired"),
        (cancer(), about(&["OMIM:114500"]), Review, "disease-unknown"),
        (json!({"permissions": ["DS"], "diseases": ["DOID:7"]}), about(&["DOID:162"]), Review, "disease-retired"),
        (json!({"permissions": ["DS"], "diseases": ["OMIM:1"]}), about(&["DOID:162"]), Review, "disease-unknown"),
        // One clear answer is enough beside an unclear one.
        (
            json!({"permissions": ["DS"], "diseases": ["OMIM:1", "DOID:162"]}),
            about(&["DOID:162"]),
            Permit,
            "disease-covered",
        ),
        // About diseases, and no disease named.
        (cancer(), plain(&["DS"]), Review, "no-disease"),
        (may(&["HMB"]), plain(&["DS"]), Review, "no-disease"),
        (may(&["POA"]), plain(&["DS"]), Deny, "topic-not-covered"),
        // A disease is looked at whatever the topic says.
        (cancer(), ask(&["genetic"], json!({"diseases": ["DOID:9351"]})), Deny, "disease-not-covered"),
    ]
}

pub fn methods_controls_aggregate() -> Vec<Example> {
    let hmb_with = |modifier: &str| under("HMB", code(modifier));
    vec![
        (may(&["GRU"]), plain(&["methods"]), Permit, "topic-covered"),
        (may(&["HMB"]), plain(&["methods"]), Permit, "topic-covered"),
        (may(&["POA"]), plain(&["methods"]), Permit, "topic-covered"),
        (cancer(), plain(&["methods"]), Review, "methods-on-disease-data"),
        (json!({}), plain(&["methods"]), Deny, "topic-not-covered"),
        (hmb_with("NMDS"), plain(&["methods"]), Deny, "no-methods"),
        (hmb_with("NMDS"), ask(&["methods"], json!({"diseases": ["DOID:162"]})), Permit, "methods-with-disease"),
        (
            with(cancer(), json!({"modifiers": [{"code": "NMDS"}]})),
            ask(&["DS", "methods"], json!({"diseases": ["DOID:9256"]})),
            Permit,
            "methods-with-disease",
        ),
        (
            with(cancer(), json!({"modifiers": [{"code": "NMDS"}]})),
            ask(&["DS", "methods"], json!({"diseases": ["DOID:9351"]})),
            Deny,
            "disease-not-covered",
        ),
        (may(&["HMB"]), plain(&["controls"]), Permit, "topic-covered"),
        (hmb_with("NCTRL"), plain(&["controls"]), Deny, "answered-no"),
        (cancer(), ask(&["controls"], json!({"diseases": ["DOID:10155"]})), Permit, "controls-of-disease"),
        (
            with(cancer(), json!({"modifiers": [{"code": "NCTRL"}]})),
            ask(&["controls"], json!({"diseases": ["DOID:10155"]})),
            Permit,
            "controls-of-disease",
        ),
        (cancer(), plain(&["controls"]), Deny, "topic-not-covered"),
        (may(&["POA"]), plain(&["controls"]), Deny, "topic-not-covered"),
        (may(&["HMB"]), plain(&["HMB", "controls"]), Review, "not-answered"),
        (answered("HMB", "controls", "yes"), plain(&["HMB", "controls"]), Permit, "answered-yes"),
        (answered("HMB", "controls", "no"), plain(&["controls"]), Deny, "answered-no"),
        (answered("HMB", "controls", "undecided"), plain(&["controls"]), Review, "answered-not-sure"),
        (may(&["GRU"]), plain(&["aggregate"]), Permit, "topic-covered"),
        (hmb_with("NAGR"), plain(&["aggregate"]), Deny, "answered-no"),
        (may(&["POA"]), plain(&["aggregate"]), Deny, "topic-not-covered"),
        (answered("HMB", "aggregate", "no"), plain(&["aggregate"]), Deny, "answered-no"),
        (answered("HMB", "aggregate", "undecided"), plain(&["aggregate"]), Review, "answered-not-sure"),
        (answered("HMB", "aiTraining", "yes"), plain(&["aiTraining"]), Permit, "answered-yes"),
        (answered("HMB", "aiTraining", "no"), plain(&["aiTraining"]), Deny, "answered-no"),
        (may(&["NRES"]), plain(&["aiTraining"]), Review, "not-answered"),
        (under("GRU", code("CC")), plain(&["clinicalCare"]), Permit, "care-allowed"),
        (may(&["NRES"]), plain(&["clinicalCare"]), Permit, "care-allowed"),
        (may(&["GRU"]), plain(&["clinicalCare"]), Deny, "care-not-allowed"),
        // CC adds care and no research.
        (
            with(cancer(), json!({"modifiers": [{"code": "CC"}]})),
            plain(&["HMB", "clinicalCare"]),
            Deny,
            "topic-not-covered",
        ),
        (under("GRU", code("NRI")), plain(&["GRU", "reidentification"]), Deny, "no-identification"),
        (under("GRU", code("NRL")), plain(&["GRU", "relinking"]), Deny, "no-identification"),
        (may(&["NRES"]), plain(&["reidentification"]), Review, "identification-unclear"),
        (may(&["NRES"]), plain(&["relinking"]), Review, "identification-unclear"),
    ]
}

pub fn who_and_what() -> Vec<Example> {
    let company = json!({"organisation": {"id": "did:web:drugs.example", "kind": "commercial"}});
    let silent = json!({"organisation": {"id": "did:web:drugs.example"}, "commercial": null});
    let paid = json!({"commercial": true});
    let genome = json!({"permissions": ["GRU"], "data": ["genome"]});
    let state_only = json!({"permissions": ["GRU"], "recipients": ["government", "academic"]});
    vec![
        (under("GRU", code("NPU")), plain(&["GRU"]), Permit, "non-profit"),
        (under("GRU", code("NPU")), ask(&["GRU"], company.clone()), Deny, "for-profit"),
        (under("GRU", code("NPU")), ask(&["GRU"], silent.clone()), Deny, "profit-not-stated"),
        // NPU is about the organisation, NCU about the use.
        (under("GRU", code("NPU")), ask(&["GRU"], paid.clone()), Permit, "non-profit"),
        (under("GRU", code("NCU")), ask(&["GRU"], company.clone()), Permit, "not-commercial"),
        (under("GRU", code("NCU")), ask(&["GRU"], paid.clone()), Deny, "commercial"),
        (under("GRU", code("NCU")), ask(&["GRU"], silent.clone()), Deny, "commercial-not-stated"),
        (under("GRU", code("NPUNCU")), plain(&["GRU"]), Permit, "non-profit"),
        (under("GRU", code("NPUNCU")), ask(&["GRU"], company.clone()), Deny, "for-profit"),
        (under("GRU", code("NPUNCU")), ask(&["GRU"], paid), Deny, "commercial"),
        (under("GRU", code("NPUNCU")), ask(&["GRU"], silent.clone()), Deny, "commercial-not-stated"),
        (state_only.clone(), plain(&["GRU"]), Permit, "recipient-allowed"),
        (state_only.clone(), ask(&["GRU"], company), Deny, "recipient-not-allowed"),
        (state_only, ask(&["GRU"], silent), Deny, "recipient-not-stated"),
        (genome.clone(), plain(&["GRU"]), Permit, "data-covered"),
        (genome.clone(), ask(&["GRU"], json!({"data": ["genome", "survey"]})), Deny, "data-not-shared"),
        (genome, ask(&["GRU"], json!({"data": null})), Review, "no-data-stated"),
        (json!({"permissions": ["GRU"], "data": []}), plain(&["GRU"]), Deny, "data-not-shared"),
    ]
}

pub fn where_and_when() -> Vec<Example> {
    let only = |places: &[&str]| under("HMB", json!({"code": "GS", "places": places}));
    let from = |places: &[&str]| ask(&["HMB"], json!({"places": places}));
    let months = |issued: &str, months: u32| json!({"permissions": ["HMB"], "issued": issued, "modifiers": [{"code": "TS", "months": months}]});
    let not_before = |date: &str| under("HMB", json!({"code": "MOR", "date": date}));
    let hmb = plain(&["HMB"]);
    vec![
        (only(&["NL", "BE"]), from(&["NL"]), Permit, "place-allowed"),
        (only(&["NL", "BE"]), from(&["NL", "US"]), Deny, "place-not-allowed"),
        (only(&["NL"]), from(&[]), Review, "no-place-stated"),
        (only(&["EU"]), from(&["NL", "DE-BY"]), Permit, "place-allowed"),
        (only(&["EU"]), from(&["NO"]), Deny, "place-not-allowed"),
        (only(&["EU"]), from(&["GB"]), Deny, "place-not-allowed"),
        (only(&["EU"]), from(&["EEA"]), Deny, "place-not-allowed"),
        (only(&["EEA"]), from(&["NO", "EU"]), Permit, "place-allowed"),
        // Curaçao is a part of the Netherlands, and not of the Union.
        (only(&["EU"]), from(&["NL-CW"]), Deny, "place-not-allowed"),
        (only(&["NL"]), from(&["NL-CW"]), Permit, "place-allowed"),
        (only(&["US"]), from(&["US-CA"]), Permit, "place-allowed"),
        (only(&["US-CA"]), from(&["US"]), Deny, "place-not-allowed"),
        (only(&["US-CA"]), from(&["US-TX"]), Deny, "place-not-allowed"),
        (only(&["NL"]), from(&["Holland"]), Review, "place-unknown"),
        (only(&["NL", "Holland"]), from(&["NL"]), Review, "place-unknown"),
        (only(&["nl"]), from(&["NL"]), Deny, "place-not-allowed"),
        (months("2026-01-01", 24), hmb.clone(), Permit, "within-time"),
        (months("2024-11-23", 24), hmb.clone(), Permit, "within-time"),
        // Issued plus 24 months is today: over.
        (months("2024-11-22", 24), hmb.clone(), Deny, "time-over"),
        (months("2026-11-22", 0), hmb.clone(), Deny, "time-over"),
        (months("2026-01-01", u32::MAX), hmb.clone(), Permit, "within-time"),
        (under("HMB", json!({"code": "TS", "months": 24})), hmb.clone(), Review, "issue-not-stated"),
        (json!({"permissions": ["HMB"], "until": "2026-11-22"}), hmb.clone(), Permit, "topic-covered"),
        (json!({"permissions": ["HMB"], "until": "2026-11-21"}), hmb.clone(), Deny, "expired"),
        (json!({"permissions": ["HMB"], "issued": "2026-11-22"}), hmb.clone(), Permit, "topic-covered"),
        (json!({"permissions": ["HMB"], "issued": "2026-11-23"}), hmb.clone(), Deny, "not-yet"),
        (not_before("2027-06-01"), hmb.clone(), Permit, "after-moratorium"),
        (not_before("2027-06-02"), hmb.clone(), Deny, "before-moratorium"),
        (not_before("2027-01-01"), ask(&["HMB"], json!({"publishesOn": null})), Review, "publication-not-stated"),
        (not_before("2026-11-22"), ask(&["HMB"], json!({"publishesOn": null})), Permit, "after-moratorium"),
    ]
}

pub fn parties() -> Vec<Example> {
    let institutions = |ids: &[&str]| under("HMB", json!({"code": "IS", "institutions": ids}));
    let users = |ids: &[&str]| under("HMB", json!({"code": "US", "users": ids}));
    let projects = |ids: &[&str]| under("HMB", json!({"code": "PS", "projects": ids}));
    let hmb = plain(&["HMB"]);
    vec![
        (institutions(&["https://ror.org/04dkp9463"]), hmb.clone(), Permit, "party-approved"),
        (institutions(&["https://ror.org/008xxew50"]), hmb.clone(), Deny, "party-not-approved"),
        (
            institutions(&["https://ror.org/04dkp9463"]),
            ask(&["HMB"], json!({"organisation": {}})),
            Review,
            "party-not-stated",
        ),
        // Names are for a person, even where they are equal.
        (
            institutions(&["University of Amsterdam"]),
            ask(&["HMB"], json!({"organisation": {"id": "University of Amsterdam"}})),
            Review,
            "party-unclear",
        ),
        (
            institutions(&["04dkp9463"]),
            ask(&["HMB"], json!({"organisation": {"id": "04dkp9463"}})),
            Review,
            "party-unclear",
        ),
        (institutions(&["https://ror.org/04DKP9463"]), hmb.clone(), Deny, "party-not-approved"),
        (users(&["https://orcid.org/0000-0002-1825-0097"]), hmb.clone(), Permit, "party-approved"),
        (
            users(&["https://orcid.org/0000-0002-1825-0097"]),
            ask(&["HMB"], json!({"users": ["https://orcid.org/0000-0002-1825-0097", "did:example:other"]})),
            Deny,
            "party-not-approved",
        ),
        (users(&["did:example:a"]), ask(&["HMB"], json!({"users": []})), Review, "party-not-stated"),
        (
            users(&["did:example:a", "Dr Jansen"]),
            ask(&["HMB"], json!({"users": ["did:example:a"]})),
            Review,
            "party-unclear",
        ),
        (users(&["Dr Jansen"]), ask(&["HMB"], json!({"users": ["Dr Jansen"]})), Review, "party-unclear"),
        (projects(&["P-7"]), hmb.clone(), Permit, "party-approved"),
        (projects(&["P-8"]), hmb.clone(), Deny, "party-not-approved"),
        (projects(&["P-7"]), ask(&["HMB"], json!({"project": null})), Review, "party-not-stated"),
        (projects(&["the heart study"]), ask(&["HMB"], json!({"project": "the heart study"})), Review, "party-unclear"),
        // Two lists hold both.
        (
            json!({"permissions": ["HMB"], "modifiers": [{"code": "PS", "projects": ["P-7"]}, {"code": "PS", "projects": ["P-8"]}]}),
            hmb,
            Deny,
            "party-not-approved",
        ),
    ]
}

pub fn ethics_genetics_and_groups() -> Vec<Example> {
    let approval = |number: &str, until: &str| {
        ask(&["HMB"], json!({"ethicsApproval": {"committee": "METC", "number": number, "validUntil": until}}))
    };
    let only = |topics: &[&str]| under("HMB", json!({"code": "RS", "topics": topics}));
    let of = |flags: &[&str]| ask(&["HMB"], json!({"sensitive": flags}));
    let mut all = vec![
        (under("HMB", code("IRB")), plain(&["HMB"]), Permit, "ethics-approved"),
        (under("HMB", code("IRB")), approval("1", "2026-11-22"), Permit, "ethics-approved"),
        (under("HMB", code("IRB")), approval("1", "2026-11-21"), Review, "ethics-expired"),
        (under("HMB", code("IRB")), approval(" ", "2027-11-21"), Review, "ethics-missing"),
        (under("HMB", code("IRB")), ask(&["HMB"], json!({"ethicsApproval": null})), Review, "ethics-missing"),
        (under("HMB", code("GSO")), plain(&["HMB"]), Permit, "genetic-work"),
        (under("HMB", code("GSO")), ask(&["genetic"], json!({"genetic": null})), Permit, "genetic-work"),
        (under("HMB", code("GSO")), ask(&["genetic"], json!({"genetic": false})), Deny, "not-genetic"),
        (under("HMB", code("GSO")), ask(&["HMB"], json!({"genetic": null})), Review, "genetic-not-stated"),
        (only(&["pediatric"]), of(&["pediatric"]), Permit, "focus-matched"),
        (only(&["pediatric"]), of(&[]), Deny, "focus-not-matched"),
        // A word among the topics is a hint, and "one age group" may be children.
        (only(&["pediatric"]), plain(&["HMB", "pediatric"]), Review, "focus-unclear"),
        (only(&["pediatric"]), of(&["age"]), Review, "focus-unclear"),
        (only(&["female"]), of(&["gender"]), Review, "focus-unclear"),
        (only(&["female"]), of(&["male"]), Deny, "focus-not-matched"),
        (only(&["female", "pediatric"]), of(&["female"]), Deny, "focus-not-matched"),
        (only(&["drugDevelopment"]), plain(&["drugDevelopment"]), Review, "focus-unclear"),
        (only(&["drugDevelopment"]), plain(&["HMB"]), Deny, "focus-not-matched"),
        // Who restricts research to children allows research on children, but not against an answer.
        (
            with(only(&["pediatric"]), json!({"answers": {"pediatric": "undecided"}})),
            of(&["pediatric"]),
            Review,
            "answered-not-sure",
        ),
        (with(only(&["pediatric"]), json!({"answers": {"pediatric": "no"}})), of(&["pediatric"]), Deny, "answered-no"),
        (may(&["HMB"]), plain(&["HMB", "population"]), Review, "not-answered"),
        (answered("HMB", "population", "yes"), plain(&["HMB", "population"]), Permit, "answered-yes"),
    ];
    // Each delicate matter is a question of its own.
    for flag in Flag::ALL {
        let question = flag.question().code();
        all.extend([
            (may(&["GRU"]), of(&[flag.code()]), Review, "not-answered"),
            (answered("GRU", question, "yes"), of(&[flag.code()]), Permit, "answered-yes"),
            (answered("GRU", question, "no"), of(&[flag.code()]), Deny, "answered-no"),
            (answered("GRU", question, "undecided"), of(&[flag.code()]), Review, "answered-not-sure"),
        ]);
    }
    all
}

pub fn standing() -> Vec<Example> {
    let in_state = |state: ConsentState| json!({"permissions": ["NRES"], "status": state.code()});
    let rows = [
        (ConsentState::Requested, Deny, "not-given"),
        (ConsentState::Deferred, Deny, "not-given"),
        (ConsentState::Refused, Deny, "refused"),
        (ConsentState::Active, Permit, "topic-covered"),
        (ConsentState::Suspended, Deny, "paused"),
        (ConsentState::Superseded, Deny, "superseded"),
        (ConsentState::Expired, Deny, "expired"),
        (ConsentState::NoContact, Permit, "no-contact"),
        (ConsentState::NoAccess, Permit, "no-access"),
        (ConsentState::Withdrawn, Deny, "withdrawn"),
        (ConsentState::DestroySample, Deny, "withdrawn"),
        (ConsentState::Revoked, Deny, "revoked"),
        (ConsentState::Invalidated, Deny, "invalidated"),
    ];
    assert_eq!(rows.len(), ConsentState::ALL.len());
    rows.into_iter().map(|(state, outcome, code)| (in_state(state), plain(&["GRU"]), outcome, code)).collect()
}

/// A word that is not understood, at every place where a word can stand.
pub fn unknown_words() -> Vec<Example> {
    let policies = [
        json!({"permissions": ["GRU", "EVERYTHING"]}),
        json!({"permissions": ["GRU"], "modifiers": ["XYZ"]}),
        json!({"permissions": ["GRU"], "modifiers": [{"code": "XYZ", "places": ["NL"]}]}),
        json!({"permissions": ["GRU"], "modifiers": [{}]}),
        json!({"permissions": ["GRU"], "modifiers": [{"code": "GS"}]}),
        json!({"permissions": ["GRU"], "modifiers": [{"code": "GS", "places": []}]}),
        json!({"permissions": ["GRU"], "modifiers": [{"code": "IRB", "committee": "METC"}]}),
        // An argument that does not belong to the term is a condition that nobody would keep.
        json!({"permissions": ["GRU"], "modifiers": [{"code": "CC", "places": ["NL"]}]}),
        json!({"permissions": ["GRU"], "modifiers": [{"code": "NCU", "date": "2027-01-01"}]}),
        json!({"permissions": ["GRU"], "modifiers": [{"code": "GS", "places": ["NL"], "months": 12}]}),
        json!({"permissions": ["GRU"], "modifiers": [{"code": "RS", "topics": ["pediatric", "left-handed"]}]}),
        json!({"permissions": ["GRU"], "modifiers": [{"code": "MOR", "date": "next year"}]}),
        json!({"permissions": ["GRU"], "modifiers": [{"code": "TS"}]}),
        json!({"permissions": ["GRU"], "modifiers": [{"code": "TS", "months": 5_000_000_000_u64}]}),
        json!({"permissions": ["GRU"], "modifiers": ["RS-G"]}),
        json!({"permissions": ["GRU"], "modifiers": ["https://w3id.org/consent-wallet/v1#CC"]}),
        json!({"permissions": ["GRU"], "data": ["genome", "dreams"]}),
        json!({"permissions": ["GRU"], "answers": {"telepathy": "yes"}}),
        json!({"permissions": ["GRU"], "answers": {"controls": "perhaps"}}),
        json!({"permissions": ["GRU"], "recipients": ["academic", "secretSociety"]}),
        json!({"permissions": ["GRU"], "status": "asleep"}),
        json!({"permissions": ["GRU"], "exceptOnSundays": true}),
        json!({"permissions": ["GRU"], "unknown": ["something from before"]}),
    ];
    let mut all: Vec<Example> =
        policies.into_iter().map(|policy| (policy, plain(&["GRU"]), Review, "unknown-term")).collect();
    let purposes = [
        ask(&["GRU", "sorcery"], json!({})),
        ask(&["GRU"], json!({"data": ["genome", "dreams"]})),
        ask(&["GRU"], json!({"sensitive": ["leftHanded"]})),
        ask(&["GRU"], json!({"organisation": {"kind": "secretSociety"}})),
        ask(&["GRU"], json!({"organisation": {"kind": "academic", "owner": "somebody"}})),
        ask(&["GRU"], json!({"ethicsApproval": {"number": "1", "validUntil": "2027-01-01", "onlyFor": "adults"}})),
        ask(&["GRU"], json!({"alsoFor": "resale"})),
        ask(&["GRU"], json!({"unknown": ["something from before"]})),
    ];
    all.extend(purposes.into_iter().map(|purpose| (may(&["GRU"]), purpose, Review, "unknown-term")));
    all
}
