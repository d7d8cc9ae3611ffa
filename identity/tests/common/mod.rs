//! Shared test data.
#![allow(dead_code, reason = "each test file uses a part")]

use consent::{DataKind, Modifier, Notice, Permission, Policy, Preferences, Terms, Timestamp};
use identity::{ConsentClaims, Credential, EnrolmentClaims, Presentation, SigningKey, issue_consent, present};
use serde_json::Value;

pub const DAY: i64 = 86_400;

pub fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

pub fn key(number: u8) -> SigningKey {
    SigningKey::from_seed([number; 32])
}

pub fn donor() -> SigningKey {
    key(1)
}

pub fn biobank() -> SigningKey {
    key(2)
}

pub fn attacker() -> SigningKey {
    key(66)
}

pub fn policy() -> Policy {
    Policy {
        permissions: vec![Permission::Hmb],
        modifiers: vec![Modifier::Npu, Modifier::Gs { places: vec!["DE".to_owned(), "FR".to_owned()] }],
        data: Some(vec![DataKind::Genome, DataKind::HealthRecord]),
        until: Some("2028-12-31".parse().unwrap()),
        ..Policy::default()
    }
}

pub fn consent_claims() -> ConsentClaims {
    ConsentClaims {
        subject: donor().did(),
        biobank: biobank().did(),
        study: "heart-2026".parse().unwrap(),
        version: 3,
        recipient: "https://ror.org/02n0bts35".to_owned(),
        notice: Notice {
            uri: "urn:consent-wallet:study:heart-2026".to_owned(),
            version: 3,
            sha256: "ab".repeat(32),
            language: "de-AT".to_owned(),
        },
        policy: policy(),
        preferences: Preferences::default(),
        terms: Terms::default(),
        supersedes: None,
    }
}

pub fn enrolment_claims() -> EnrolmentClaims {
    EnrolmentClaims {
        donor: donor().did(),
        biobank: biobank().did(),
        biobank_name: "Biobank Graz".to_owned(),
        donor_number: "D-0042".to_owned(),
    }
}

pub async fn consent_credential() -> Credential {
    issue_consent(&donor(), &consent_claims(), now()).await.unwrap()
}

pub async fn presentation(challenge: Option<&str>) -> Presentation {
    let credential = consent_credential().await;
    present(&donor(), &[credential], challenge, "wallet.example", now(), now().plus_seconds(600)).await.unwrap()
}

/// The JSON of a value after a change.
pub fn changed(value: &Value, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = value.clone();
    change(&mut value);
    serde_json::to_vec(&value).unwrap()
}
