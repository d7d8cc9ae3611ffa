//! Who may use what: decisions from the log and the credentials that donors handed over, grants of an hour, and the
//! telling of uses. Every function waits for the disk, so it belongs on a thread that may wait.

pub mod decision;
pub mod grant;
pub mod rows;
pub mod uses;
pub mod visa;

use crate::Problem;
use crate::biobank::Biobank;
use crate::desk::StudyKey;
use consent::{Purpose, StudyId};
use identity::{Did, parse_strict, sha256, to_canonical};
use ledger::event::Role;
use ledger::{Hash, Key, MemberRecord, Record, StudyRecord, SubjectState, commit_subject};
use serde_json::Value;
use std::collections::BTreeMap;

/// The longest purpose, in bytes of its canonical JSON.
pub const MAX_PURPOSE: usize = 16 << 10;
/// How the keys of studies begin in the log's state.
const STUDIES: &str = "study/";
const STUDIES_AT_ONCE: usize = 256;
/// The deepest purpose.
const PURPOSE_DEPTH: usize = 8;

/// A purpose as it was sent, and the hash by which the log names it: that of the canonical JSON.
pub struct Asked {
    /// What it says.
    pub purpose: Purpose,
    /// The JSON.
    pub value: Value,
    /// Its name.
    pub hash: Hash,
}

impl Asked {
    /// Reads a purpose. Words that this version does not know stay in it, and are a matter for review.
    pub fn read(value: Value) -> Result<Self, Problem> {
        let canonical = to_canonical(&value).map_err(|_| Problem::malformed())?;
        if canonical.len() > MAX_PURPOSE {
            return Err(Problem::too_large());
        }
        // Read again in the strict way, so that nobody else can read it in another.
        let strict = parse_strict(&canonical, MAX_PURPOSE, PURPOSE_DEPTH).map_err(|_| Problem::malformed())?;
        let purpose = serde_json::from_value(strict).map_err(|_| Problem::malformed())?;
        Ok(Self { purpose, value, hash: Hash::from(sha256(&canonical)) })
    }

    /// Reads the bytes of a purpose, which must be its canonical JSON.
    pub fn read_canonical(bytes: &[u8]) -> Result<Self, Problem> {
        let value = parse_strict(bytes, MAX_PURPOSE, PURPOSE_DEPTH).map_err(|_| Problem::malformed())?;
        if to_canonical(&value).map_err(|_| Problem::malformed())? != bytes {
            return Err(Problem::malformed());
        }
        Self::read(value)
    }
}

/// A donor in a study, as far as the biobank knows.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The commitment.
    pub name: Hash,
    /// What the log says; nothing if no entry was ever written.
    pub state: Option<SubjectState>,
    /// The study.
    pub study: StudyId,
    /// The key that speaks for the subject.
    pub speaker: Did,
}

/// The commitment behind a study key's row.
pub fn commitment(key: &StudyKey) -> Option<Hash> {
    let salt: [u8; 32] = hex::decode(&key.salt).ok()?.try_into().ok()?;
    Some(commit_subject(&salt, &key.donor, &key.study))
}

/// The records under these keys, of one moment.
pub fn records(biobank: &Biobank, keys: &[Key]) -> Result<BTreeMap<Key, Record>, Problem> {
    let found = biobank.log.records(keys).map_err(Problem::internal)?;
    Ok(found.into_iter().filter_map(|(key, record)| Some((key, record?))).collect())
}

/// All studies that the log knows.
pub fn studies(biobank: &Biobank) -> Result<Vec<(StudyId, StudyRecord)>, Problem> {
    let (mut studies, mut after) = (Vec::new(), None);
    loop {
        let page = biobank.log.records_from(STUDIES, after.as_ref(), STUDIES_AT_ONCE).map_err(Problem::internal)?;
        after = page.last().map(|(key, _)| key.clone());
        let last = page.len() < STUDIES_AT_ONCE;
        for (key, record) in page {
            if let (Record::Study(study), Some(Ok(id))) = (record, key.as_str().strip_prefix(STUDIES).map(str::parse)) {
                studies.push((id, study));
            }
        }
        if last {
            return Ok(studies);
        }
    }
}

/// What the log says of a member that may act.
pub fn member(biobank: &Biobank, did: &Did) -> Result<Option<MemberRecord>, Problem> {
    match records(biobank, &[Key::member(did)])?.into_values().next() {
        Some(Record::Member(member)) if member.active => Ok(Some(member)),
        _ => Ok(None),
    }
}

/// Whether the log says of somebody that they do not act any more.
pub fn has_left(biobank: &Biobank, did: &Did) -> Result<bool, Problem> {
    let known = records(biobank, &[Key::member(did)])?;
    Ok(known.values().any(|record| matches!(record, Record::Member(member) if !member.active)))
}

/// What the log says of a study.
pub fn study(biobank: &Biobank, study: &StudyId) -> Result<Option<StudyRecord>, Problem> {
    match records(biobank, &[Key::study(study)])?.into_values().next() {
        Some(Record::Study(study)) => Ok(Some(study)),
        _ => Ok(None),
    }
}

/// What the log says of a subject.
pub fn state(biobank: &Biobank, subject: &Hash) -> Result<Option<SubjectState>, Problem> {
    match records(biobank, &[Key::subject(subject)])?.into_values().next() {
        Some(Record::Subject(state)) => Ok(Some(state)),
        _ => Ok(None),
    }
}

/// Finds subjects by the study keys or the commitments that stand for them, all at once. Whom the biobank can not tell
/// apart from somebody who never was here is not found.
pub fn subjects(biobank: &Biobank, names: &[String]) -> Result<Vec<Subject>, Problem> {
    let mut wanted: Vec<(Hash, Option<(Did, StudyKey)>)> = Vec::with_capacity(names.len());
    for name in names {
        if let Ok(hash) = name.parse::<Hash>() {
            wanted.push((hash, None));
            continue;
        }
        let did: Did = name.parse().map_err(|_| Problem::malformed())?;
        let key = biobank.desk.study_key(&did).map_err(Problem::internal)?.ok_or_else(Problem::not_found)?;
        wanted.push((commitment(&key).ok_or_else(Problem::not_found)?, Some((did, key))));
    }
    let keys: Vec<Key> = wanted.iter().map(|(hash, _)| Key::subject(hash)).collect();
    let found = records(biobank, &keys)?;
    let mut subjects = Vec::with_capacity(wanted.len());
    for ((name, key), record) in wanted.into_iter().zip(keys) {
        // One subject can be named twice.
        let state = match found.get(&record) {
            Some(Record::Subject(state)) => Some(state.clone()),
            _ => None,
        };
        let (speaker, key) = match (&state, key) {
            (Some(state), key) => {
                let by_name = key.filter(|(did, _)| *did == state.signer).map(|(_, key)| key);
                let key = match by_name {
                    Some(key) => Some(key),
                    None => biobank.desk.study_key(&state.signer).map_err(Problem::internal)?,
                };
                (state.signer.clone(), key)
            }
            (None, Some((did, key))) => (did, Some(key)),
            (None, None) => return Err(Problem::not_found()),
        };
        let study = key.ok_or_else(Problem::not_found)?.study;
        subjects.push(Subject { name, state, study, speaker });
    }
    Ok(subjects)
}

/// Whether a caller may hear what a donor allowed: the donor; a researcher of the organisation that runs the study; the
/// committee; an auditor. What the desk says of an account counts only as long as the log says it as well.
pub fn may_ask(biobank: &Biobank, caller: &Did, of: &StudyId, subjects: &[Subject]) -> Result<(), Problem> {
    if subjects.iter().all(|subject| subject.speaker == *caller) && !subjects.is_empty() {
        return Ok(());
    }
    let member = member(biobank, caller)?.ok_or_else(Problem::not_allowed)?;
    let allowed = match member.role {
        Role::Committee | Role::Auditor => true,
        Role::Researcher => study(biobank, of)?.is_some_and(|study| study.organisation == member.organisation),
        _ => false,
    };
    if allowed { Ok(()) } else { Err(Problem::not_allowed()) }
}
