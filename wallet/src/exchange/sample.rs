//! One consent that says much, for the tests of all formats.

use super::{ConsentRecord, Moment};
use consent::*;
use identity::{ConsentClaims, SigningKey};

pub fn key(number: u8) -> SigningKey {
    SigningKey::from_seed([number; 32])
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn policy() -> Policy {
    Policy {
        permissions: vec![Permission::Ds],
        diseases: texts(&["MONDO:0004981", "MONDO:0005148"]),
        ontology: Some(TermSystem { system: "MONDO".into(), version: "2026-05-05".into() }),
        modifiers: vec![
            Modifier::Npu,
            Modifier::Nmds,
            Modifier::Npoa,
            Modifier::Gs { places: texts(&["NL", "BE"]) },
            Modifier::Ts { months: 24 },
            Modifier::Mor { date: "2027-01-01".parse().unwrap() },
            Modifier::Is { institutions: texts(&["https://ror.org/02n0bts35"]) },
            Modifier::Us { users: texts(&["https://orcid.org/0000-0002-1825-0097"]) },
            Modifier::Ps { projects: texts(&["https://biobank.example/projects/7"]) },
            Modifier::Rs { topics: vec![Focus::Flag(Flag::Female)] },
            Modifier::Irb,
            Modifier::Pub,
            Modifier::Col { with: texts(&["https://orcid.org/0000-0001-5109-3700"]) },
            Modifier::Rtn,
            Modifier::Nri,
            Modifier::Nrl,
            Modifier::Cc,
        ],
        data: Some(vec![DataKind::Genome, DataKind::Sample]),
        answers: Answers::default()
            .with(Question::Controls, Answer::Yes)
            .with(Question::AiTraining, Answer::No)
            .with(Question::Aggregate, Answer::Undecided),
        recipients: vec![OrganisationKind::Academic, OrganisationKind::NonProfit],
        issued: Some("2026-11-22".parse().unwrap()),
        until: Some("2028-12-31".parse().unwrap()),
        ..Policy::default()
    }
}

pub fn claims(policy: Policy) -> ConsentClaims {
    ConsentClaims {
        subject: key(1).did(),
        biobank: key(2).did(),
        study: "heart-rhythm".parse().unwrap(),
        version: 3,
        recipient: "https://ror.org/027bh9e22".into(),
        notice: Notice {
            uri: "urn:consent-wallet:study:heart-rhythm".into(),
            version: 3,
            sha256: "ab".repeat(32),
            language: "en".into(),
        },
        policy,
        preferences: Preferences {
            results: Answers::default()
                .with(ResultKind::Actionable, Answer::Yes)
                .with(ResultKind::Incidental, Answer::Undecided),
            contact: Answers::default()
                .with(ContactKind::NotifyEachUse, Answer::Yes)
                .with(ContactKind::ShareContact, Answer::No),
        },
        terms: Terms {
            legal_basis: texts(&["eu-gdpr:A6-1-a", "eu-gdpr:A9-2-a"]),
            jurisdiction: Some("NL".into()),
            ethics: Some(EthicsApproval {
                committee: "METC Leiden".into(),
                number: "P26.041".into(),
                valid_until: "2029-12-31".parse().unwrap(),
            }),
            assets: vec![Asset {
                kind: DataKind::Sample,
                ids: texts(&["NL-1234"]),
                from: Some("2024-01-01".parse().unwrap()),
                until: None,
            }],
            collect_until: Some("2027-12-31".parse().unwrap()),
            retain_until: Some("2041-12-31".parse().unwrap()),
            withdrawal: Some(WithdrawalTerms { levels: Withdrawal::ALL.to_vec(), grace_days: Some(90) }),
            acting_for: None,
            community: None,
            provenance: None,
            comprehension: Some(Comprehension { quiz: "risk-1".into(), score: 80, at: "2026-11-22".parse().unwrap() }),
        },
        supersedes: Some("ef".repeat(32)),
    }
}

pub fn record() -> ConsentRecord {
    of(policy())
}

pub fn of(policy: Policy) -> ConsentRecord {
    let issued = at("2026-11-22T12:00:00Z");
    ConsentRecord {
        credential_id: "urn:uuid:0b3f9d0e-7a43-4c8e-9d6e-3f1b2a4c5d6e".into(),
        credential_hash: [0xcd; 32],
        issued,
        valid_until: policy.until.map(Date::end),
        state: ConsentState::Active,
        state_since: issued,
        state_checked: Some(at("2026-11-23T08:30:00Z")),
        study_title: "Heart Rhythm Study".into(),
        organisation_name: "Leiden Hospital".into(),
        biobank_name: "Biobank of the Lowlands".into(),
        statement: "You say yes to this:\n- They may use your DNA data.\n".into(),
        entry: Some((1204, "1f".repeat(32))),
        events: vec![Moment {
            at: issued,
            state: ConsentState::Active,
            words: "You said yes.".into(),
            entry: Some((1204, "1f".repeat(32))),
        }],
        claims: claims(policy),
    }
}
