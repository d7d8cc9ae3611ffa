//! A consent from a file, for those who export without a wallet: a proof of consent, or a bare credential.
//!
//! The signature is checked first, always. Where the consent stands is known only to the record: without it, the state
//! is the one that was signed, and every export says that nobody looked.

use super::ConsentRecord;
use crate::check::{Expected, Record, check, why_not};
use crate::connect::discover;
use crate::proof::{FORMAT, MAX_PROOF, Proof};
use crate::remote::Remote;
use crate::research::up_to_date;
use crate::succession;
use bridge::{CheckResult, CheckView, Code, Failure};
use consent::{ConsentState, Purpose, Timestamp};
use identity::{ConsentCredential, Did, canonical::parse_strict, verify_consent};
use ledger::ConsentEntry;
use serde_json::Value;
use std::path::Path;

/// A credential in a presentation in a proof.
const MAX_DEPTH: usize = 32;

/// Where to look for the state of a consent.
#[derive(Debug, Clone, Copy)]
pub struct Ledger<'a> {
    /// The address of the log.
    pub address: &'a str,
    /// Whose log it must be; without it, that of the biobank that the consent names.
    pub biobank: Option<&'a Did>,
    /// Where the verified copy is kept.
    pub folder: &'a Path,
}

/// Why there is no record of a consent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Neither a proof nor a credential, or a signature or another check that failed.
    #[error("not valid: {0}")]
    NotValid(String),
    /// A credential does not say which entry of the record is its own.
    #[error("only a proof of consent can be looked up in the record; this is a bare credential")]
    NoEntry,
    /// The record could not be read.
    #[error("could not check: {0}")]
    Unreachable(String),
}

/// Reads a consent and checks its signature; with a ledger, looks up where it stands.
pub async fn read(bytes: &[u8], ledger: Option<Ledger<'_>>, now: Timestamp) -> Result<ConsentRecord, SourceError> {
    let value = parse_strict(bytes, MAX_PROOF, MAX_DEPTH).map_err(|error| SourceError::NotValid(error.to_string()))?;
    if value.get("format").is_none() {
        let consent = credential(&value, now).await?;
        return if ledger.is_some() { Err(SourceError::NoEntry) } else { Ok(as_signed(&consent, &value, now)) };
    }
    let proof = serde_json::from_value::<Proof>(value).ok().filter(|proof| proof.format == FORMAT);
    let proof = proof.ok_or_else(|| SourceError::NotValid("not a proof of consent".to_owned()))?;
    let expected = Expected {
        // Whoever exports was not the one who asked: the question that the proof answers is taken from the proof.
        challenge: proof.presentation["proof"]["challenge"].as_str().map(str::to_owned),
        ..Expected::default()
    };
    let held = &proof.presentation["verifiableCredential"];
    let held = held.get(0).unwrap_or(held);
    let Some(ledger) = ledger else {
        let view = check(bytes, &Purpose::default(), &expected, None, now).await;
        refuse_failed(&view)?;
        return Ok(as_signed(&credential(held, now).await?, held, now));
    };
    let consent = credential(held, now).await?;
    looked_up(bytes, &proof, as_signed(&consent, held, now), &expected, ledger, now).await
}

async fn looked_up(
    bytes: &[u8],
    proof: &Proof,
    record: ConsentRecord,
    expected: &Expected,
    ledger: Ledger<'_>,
    now: Timestamp,
) -> Result<ConsentRecord, SourceError> {
    let unreachable = |failure: Failure| SourceError::Unreachable(failure.to_string());
    let remote = Remote::new(ledger.address).map_err(unreachable)?;
    let biobank = ledger.biobank.unwrap_or(&record.claims.biobank);
    let connection = discover(&remote, Some(biobank)).await.map_err(unreachable)?;
    let vkey = succession::key(&connection).map_err(|_| unreachable(Code::NotValid.into()))?;
    let former = succession::former(&connection).map_err(unreachable)?;
    let (mirror, at) = up_to_date(&connection, ledger.folder).await.map_err(unreachable)?;
    let policy = crate::quorum::policy(&connection).map_err(unreachable)?;
    let (biobank, policy, mirrored) = (&connection.biobank, policy.as_ref(), Ok((&mirror, at)));
    let found = Record { biobank, vkey: &vkey, former: &former, policy, mirror: mirrored };
    let view = check(bytes, &Purpose::default(), expected, Some(&found), now).await;
    refuse_failed(&view)?;
    if view.checks.iter().any(|row| row.result == CheckResult::NotMade) {
        return Err(SourceError::Unreachable(told(&view)));
    }
    // The check has seen this entry in the record, and its subject.
    let unknown = || SourceError::NotValid("the record does not know this subject".to_owned());
    let entry = ConsentEntry::parse(proof.entry.as_bytes()).map_err(|_| unknown())?;
    let subject = mirror.state().subject(&entry.event().subject).ok_or_else(unknown)?;
    let replaced = subject.grant.entry != entry.hash();
    let latest = mirror.entry(subject.latest_index).ok().flatten().and_then(|bytes| ledger::Entry::parse(&bytes).ok());
    let given = view.given.as_ref().map(|given| (given.index, given.hash.clone()));
    Ok(ConsentRecord {
        state: if replaced { ConsentState::Superseded } else { subject.state_at(at.date()) },
        state_since: latest.map_or(record.state_since, |latest| latest.said().time()),
        state_checked: Some(at),
        biobank_name: connection.name,
        entry: given,
        ..record
    })
}

fn refuse_failed(view: &CheckView) -> Result<(), SourceError> {
    if view.checks.iter().any(|row| row.result == CheckResult::Failed) {
        return Err(SourceError::NotValid(told(view)));
    }
    Ok(())
}

fn told(view: &CheckView) -> String {
    why_not(view).map_or_else(String::new, |row| format!("{}: {}", row.name, row.detail))
}

/// The verified consent. One that is over is read as of its last moment: it can still be told what it said.
async fn credential(value: &Value, now: Timestamp) -> Result<ConsentCredential, SourceError> {
    let until = value["validUntil"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let at = until.map_or(now, |until| now.min(until));
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let verification = verify_consent(&bytes, at).await;
    let failed = verification.failed().join(", ");
    let verified = verification.verified.map(identity::Verified::into_inner);
    verified.ok_or_else(|| SourceError::NotValid(format!("the credential fails at: {failed}")))
}

fn as_signed(consent: &ConsentCredential, value: &Value, now: Timestamp) -> ConsentRecord {
    // The verification has read this moment.
    let issued = value["validFrom"].as_str().and_then(|text| text.parse().ok()).unwrap_or(now);
    let mut record = ConsentRecord::as_signed(consent, issued);
    // What ends by a date has ended on that day, whoever looks.
    if let Some(until) = record.valid_until.filter(|until| now > *until) {
        (record.state, record.state_since) = (ConsentState::Expired, until);
    }
    record
}
