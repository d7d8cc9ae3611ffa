//! The telling of uses: who holds a grant says whose data were used, the log gets one commitment, and each donor can
//! see and check their own line. A use that should not have been is kept like any other, and says so.

use super::rows::{KeptUse, PAGE, ToldUse};
use crate::Problem;
use crate::biobank::Biobank;
use consent::{DataKind, Timestamp};
use identity::{Did, sha256, to_canonical};
use ledger::event::{AccessGrant, AccessUse, InstitutionEvent};
use ledger::uses::{MAX_USE_LINES, UseFlag, UseLine, Uses};
use ledger::{Entry, EntryHash, Event, Hash, Key, Record};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;

/// What the holder of a grant tells.
pub struct Report {
    /// The grant.
    pub grant: EntryHash,
    /// Whose data: commitments or study keys.
    pub subjects: Vec<String>,
    /// Which kinds.
    pub data: Vec<DataKind>,
    /// When.
    pub time: Timestamp,
}

/// A report that is ready for the log.
pub struct Told {
    /// The entry.
    pub entry: Entry,
    /// How many lines it has.
    pub lines: usize,
    /// How many of them have something that speaks against them.
    pub flagged: usize,
    digest: Hash,
    time: Timestamp,
    subjects: Vec<Hash>,
}

/// Checks a report, keeps its lines, and signs the entry. The same report again is the same entry.
pub fn tell(biobank: &Biobank, caller: &Did, mut report: Report, now: Timestamp) -> Result<Told, Problem> {
    if !(1..=MAX_USE_LINES).contains(&report.subjects.len()) || report.data.is_empty() {
        return Err(Problem::malformed());
    }
    report.data.sort_unstable();
    report.data.dedup();
    let grant = match super::records(biobank, &[Key::grant(&report.grant)])?.into_values().next() {
        Some(Record::Access(grant)) if grant.holder == *caller => grant,
        // Whose grant it is is nobody else's business.
        _ => return Err(Problem::not_found()),
    };
    // A use can be told late, but it was in the hour, and it was.
    if report.time < grant.time || report.time >= grant.expires || report.time > now {
        return Err(Problem::against_rules());
    }
    let kept = biobank.desk.grant(&report.grant).map_err(Problem::internal)?;
    let granted = kept.map(|kept| kept.subjects).unwrap_or_default();
    let mut lines = Vec::with_capacity(report.subjects.len());
    for subject in super::subjects(biobank, &report.subjects)? {
        let policy = biobank.desk.policy(&subject.name).map_err(Problem::internal)?;
        let consent = subject.state.as_ref().map(|state| state.grant.entry);
        let live = subject.state.as_ref().is_some_and(|state| state.state_at(report.time.date()).allows_use());
        let policy = policy.filter(|policy| Some(policy.entry) == consent);
        let shared = policy.is_none_or(|kept| report.data.iter().all(|kind| kept.policy.shared().contains(kind)));
        let mut flags = Vec::new();
        flags.extend((!shared).then_some(UseFlag::DataNotShared));
        flags.extend((!live).then_some(UseFlag::NoLiveConsent));
        flags.extend(granted.binary_search(&subject.name).is_err().then_some(UseFlag::NotInGrant));
        let mut salt = [0u8; 32];
        getrandom::fill(&mut salt).map_err(Problem::internal)?;
        lines.push(UseLine { consent, data: report.data.clone(), flags, salt: salt.into(), subject: subject.name });
    }
    let mut subjects: Vec<Hash> = lines.iter().map(|line| line.subject).collect();
    subjects.sort_unstable();
    let digest = digest(&report, &subjects)?;
    let flagged = lines.iter().filter(|line| !line.flags.is_empty()).count();
    let uses = Uses::new(lines).map_err(|_| Problem::malformed())?;
    let said = AccessUse { grant: report.grant, time: report.time, uses: uses.commitment() };
    let entry = Entry::sign(&biobank.key, &InstitutionEvent::AccessUse(said)).map_err(Problem::internal)?;
    let text = String::from_utf8(entry.bytes().to_vec()).map_err(Problem::internal)?;
    let kept: Vec<(EntryHash, KeptUse)> =
        uses.shown().map(|shown| (entry.hash(), KeptUse { entry: text.clone(), grant: report.grant, shown })).collect();
    let told = biobank.desk.keep_uses(&digest, &ToldUse { entry: text, flagged }, report.time, &kept);
    let told = told.map_err(Problem::internal)?;
    let entry = Entry::parse(told.entry.as_bytes()).map_err(Problem::internal)?;
    Ok(Told { entry, lines: subjects.len(), flagged: told.flagged, digest, time: report.time, subjects })
}

/// Takes a report back that the log refused.
pub fn drop_report(biobank: &Biobank, told: &Told) -> Result<(), Problem> {
    let entry = told.entry.hash();
    biobank.desk.drop_uses(&told.digest, told.time, &entry, &told.subjects).map_err(Problem::internal)
}

fn digest(report: &Report, subjects: &[Hash]) -> Result<Hash, Problem> {
    let said = json!({ "data": report.data, "grant": report.grant, "subjects": subjects, "time": report.time });
    Ok(Hash::from(sha256(&to_canonical(&said).map_err(Problem::internal)?)))
}

/// The uses of a subject's data with everything that shows them: for the key that speaks for the subject, and nobody
/// else.
pub fn of(biobank: &Biobank, caller: &Did, subject: &Hash, after: Option<&str>) -> Result<Value, Problem> {
    let state = super::state(biobank, subject)?;
    if state.is_none_or(|state| state.signer != *caller) {
        return Err(Problem::not_allowed());
    }
    let rows = biobank.desk.uses_of(subject, after).map_err(Problem::internal)?;
    let next = if rows.len() == PAGE { rows.last().map(|(key, _)| key.clone()) } else { None };
    let mut grants = BTreeMap::new();
    let mut uses = Vec::with_capacity(rows.len());
    for (_, row) in rows {
        // A use whose entry did not reach the log was never told.
        let Some(receipt) = receipt(biobank, row.entry.as_bytes())? else { continue };
        if let Place::Vacant(place) = grants.entry(row.grant) {
            place.insert(shown_grant(biobank, &row.grant)?);
        }
        uses.push(json!({
            "entry": row.entry,
            "receipt": receipt,
            "grant": row.grant,
            "line": row.shown,
        }));
    }
    Ok(json!({ "uses": uses, "grants": grants.into_values().collect::<Vec<_>>(), "next": next }))
}

/// A grant as a donor is shown it: who, what for, and the entry with its receipt.
fn shown_grant(biobank: &Biobank, hash: &EntryHash) -> Result<Value, Problem> {
    let Some(kept) = biobank.desk.grant(hash).map_err(Problem::internal)? else {
        return Ok(json!({ "hash": hash }));
    };
    let said = said(&kept.entry)?;
    let holder = super::records(biobank, &[Key::member(&said.holder)])?.into_values().next();
    let organisation = match holder {
        Some(Record::Member(member)) => Some(member.organisation),
        _ => None,
    };
    Ok(json!({
        "hash": hash,
        "entry": kept.entry,
        "receipt": receipt(biobank, kept.entry.as_bytes())?,
        "organisation": organisation,
        "purpose": biobank.desk.purpose(&said.purpose).map_err(Problem::internal)?,
        "study": kept.study,
    }))
}

/// What a grant that was kept says.
pub fn said(entry: &str) -> Result<AccessGrant, Problem> {
    let entry = Entry::parse(entry.as_bytes()).map_err(Problem::internal)?;
    match entry.said() {
        Event::Institution(InstitutionEvent::AccessGrant(said)) => Ok(said.clone()),
        _ => Err(Problem::internal("a kept grant is none")),
    }
}

/// The receipt of an entry by its bytes.
pub fn receipt(biobank: &Biobank, entry: &[u8]) -> Result<Option<String>, Problem> {
    biobank.log.receipt(&EntryHash::of(entry)).map_err(Problem::internal)
}
