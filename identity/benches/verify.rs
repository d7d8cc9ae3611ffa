//! How many consents a second are verified and issued on one core; beside the library alone and the bare signature.
//! `scripts/bench verify` runs it, with openssl and the library of Digital Bazaar, and prints the table.
//!
//! The name of each benchmark ends in the number of credentials or signatures of one round. With CONSENT_FILE set, the
//! consent that is measured is written there for the programs of others.

#![allow(clippy::unwrap_used, reason = "the inputs are made here")]

use consent::{
    Answer, Asset, ContactKind, DataKind, EthicsApproval, Modifier, Notice, Permission, Policy, Preferences, Question,
    ResultKind, Terms, Timestamp, Withdrawal, WithdrawalTerms,
};
use criterion::{BenchmarkGroup, Criterion, Throughput};
use ed25519_dalek::{Signature, Signer, SigningKey as RawKey};
use identity::{
    CHUNK, CONSENT_CONTEXT, CONTEXT_CONSENT, ConsentClaims, Credential, SigningKey, issue_consent, verify_chunk,
    verify_consent, verify_consent_by_library,
};
use ssi::claims::VerificationParameters;
use ssi::claims::data_integrity::{AnyDataIntegrity, DataIntegrityDocument};
use ssi::dids::{DIDKey, VerificationMethodDIDResolver};
use ssi::json_ld::ContextLoader;
use ssi::verification_methods::AnyMethod;
use std::collections::HashMap;
use std::hint::black_box;

type Group<'c> = BenchmarkGroup<'c, criterion::measurement::WallTime>;

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A consent as the wallet makes them: one permission, three conditions, some answers and terms.
fn claims(key: &SigningKey) -> ConsentClaims {
    ConsentClaims {
        subject: key.did(),
        biobank: SigningKey::from_seed([2; 32]).did(),
        study: "heart-2026".parse().unwrap(),
        version: 3,
        recipient: "https://ror.org/02n0bts35".to_owned(),
        notice: Notice {
            uri: "urn:consent-wallet:study:heart-2026".to_owned(),
            version: 2,
            sha256: "ab".repeat(32),
            language: "en".to_owned(),
        },
        policy: Policy {
            permissions: vec![Permission::Hmb],
            modifiers: vec![
                Modifier::Npu,
                Modifier::Irb,
                Modifier::Gs { places: vec!["NL".to_owned(), "BE".to_owned()] },
            ],
            data: Some(vec![DataKind::Genome, DataKind::Sample, DataKind::HealthRecord]),
            answers: [(Question::AiTraining, Answer::No)].into_iter().collect(),
            issued: Some("2026-11-22".parse().unwrap()),
            until: Some("2028-12-31".parse().unwrap()),
            ..Policy::default()
        },
        preferences: Preferences {
            results: [(ResultKind::Actionable, Answer::Yes)].into_iter().collect(),
            contact: [(ContactKind::Recontact, Answer::Yes)].into_iter().collect(),
        },
        terms: Terms {
            legal_basis: vec!["eu-gdpr:A6-1-a".to_owned(), "eu-gdpr:A9-2-a".to_owned()],
            jurisdiction: Some("NL".to_owned()),
            ethics: Some(EthicsApproval {
                committee: "METC Leiden".to_owned(),
                number: "P26.041".to_owned(),
                valid_until: "2029-12-31".parse().unwrap(),
            }),
            assets: vec![Asset { kind: DataKind::Sample, ids: vec!["NL-1234".to_owned()], from: None, until: None }],
            withdrawal: Some(WithdrawalTerms {
                levels: vec![Withdrawal::NoContact, Withdrawal::NoUse],
                grace_days: None,
            }),
            ..Terms::default()
        },
        supersedes: None,
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let keys: Vec<_> = (0..=255).map(|seed| SigningKey::from_seed([seed; 32])).collect();
    let consents: Vec<_> = (0..CHUNK)
        .map(|n| {
            let key = &keys[n % keys.len()];
            runtime.block_on(issue_consent(key, &claims(key), now())).unwrap().to_bytes()
        })
        .collect();
    if let Some(file) = std::env::var_os("CONSENT_FILE") {
        std::fs::write(file, &consents[1]).unwrap();
    }
    ours(&mut criterion, &runtime, &consents);
    library(&mut criterion, &runtime, &consents[1]);
    signatures(&mut criterion);
    issue(&mut criterion, &runtime, &keys[1]);
    criterion.final_summary();
}

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> Group<'c> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(1));
    group
}

/// Whole verifications, each from bytes to claims.
fn ours(criterion: &mut Criterion, runtime: &tokio::runtime::Runtime, consents: &[Vec<u8>]) {
    let mut group = group(criterion, "verify");
    let mut next = consents.iter().cycle();
    group.bench_function("fast@1", |bencher| {
        bencher.iter(|| {
            let bytes = next.next().unwrap();
            assert!(runtime.block_on(verify_consent(black_box(bytes), now())).verified.is_some());
        });
    });
    group.bench_function("general@1", |bencher| {
        bencher.iter(|| {
            let bytes = next.next().unwrap();
            assert!(runtime.block_on(verify_consent_by_library(black_box(bytes), now())).verified.is_some());
        });
    });
    group.bench_function(format!("batch@{CHUNK}"), |bencher| {
        bencher.iter(|| {
            let results = verify_chunk(black_box(consents), now());
            assert!(results.iter().all(|result| result.verified.is_some()));
        });
    });
    group.finish();
}

/// The library alone: no check but the signature.
fn library(criterion: &mut Criterion, runtime: &tokio::runtime::Runtime, consent: &[u8]) {
    let texts = [
        ("https://www.w3.org/ns/credentials/v2", include_str!("../contexts/credentials-v2.jsonld")),
        (CONTEXT_CONSENT, CONSENT_CONTEXT),
    ];
    let texts: HashMap<_, _> = texts.into_iter().map(|(iri, text)| (iri.to_owned(), text.to_owned())).collect();
    let loader = ContextLoader::empty().with_context_map_from(texts).unwrap();
    let mut group = group(criterion, "verify");
    group.bench_function("ssi@1", |bencher| {
        bencher.iter(|| {
            let document: AnyDataIntegrity<DataIntegrityDocument> = serde_json::from_slice(black_box(consent)).unwrap();
            let resolver = VerificationMethodDIDResolver::<DIDKey, AnyMethod>::new(DIDKey);
            let parameters = VerificationParameters::from_resolver(resolver).with_json_ld_loader(&loader);
            assert!(runtime.block_on(document.verify(parameters)).unwrap().is_ok());
        });
    });
    group.finish();
}

/// The bare signature of 64 bytes, which is what a credential's is about.
fn signatures(criterion: &mut Criterion) {
    let key = RawKey::from_bytes(&[1; 32]);
    let message = [7; 64];
    let signature: Signature = key.sign(&message);
    let public = key.verifying_key();
    let mut group = group(criterion, "raw");
    group.bench_function("dalek@1", |bencher| {
        bencher.iter(|| ed25519_dalek::Verifier::verify(&public, black_box(&message), &signature).unwrap());
    });
    group.bench_function("strict@1", |bencher| {
        bencher.iter(|| public.verify_strict(black_box(&message), &signature).unwrap());
    });
    let claims: Vec<_> = (0..CHUNK)
        .map(|n| {
            let key = SigningKey::from_seed([n.to_le_bytes()[0]; 32]);
            (key.public(), key.sign(&message))
        })
        .collect();
    group.bench_function(format!("batch@{CHUNK}"), |bencher| {
        bencher.iter(|| {
            let claims: Vec<_> = claims
                .iter()
                .map(|(key, signature)| identity::Claim { key: *key, message: &message, signature })
                .collect();
            assert!(identity::all_verify(black_box(&claims)));
        });
    });
    group.finish();
}

fn issue(criterion: &mut Criterion, runtime: &tokio::runtime::Runtime, key: &SigningKey) {
    let claims = claims(key);
    let mut group = group(criterion, "issue");
    group.bench_function("ours@1", |bencher| {
        bencher.iter(|| -> Credential { runtime.block_on(issue_consent(key, black_box(&claims), now())).unwrap() });
    });
    group.finish();
}
