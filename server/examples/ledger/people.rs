//! People without number: each is derived from a number, says yes once, and has a place at the desk.

use super::{Outcome, grow};
use consent::{Date, Policy, StudyId, StudyRequest, Timestamp, decide};
use identity::{Did, SigningKey, sha256};
use ledger::{Act, ConsentEntry, ConsentEvent, Given, Hash, Key, Record, commit_subject};
use redb::{Database, ReadableDatabase as _, TableDefinition};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

/// Rows of the desk that are written in one commit.
const ROWS: u64 = 10_000;
/// Subjects of one question, as over HTTP.
const SUBJECTS: u64 = 1_000;
/// When all of them decided. The demo's studies last longer.
const TIME: i64 = 1_790_000_000;

type Table = TableDefinition<'static, &'static str, &'static [u8]>;
const STUDY_KEYS: Table = TableDefinition::new("study-keys");
const POLICIES: Table = TableDefinition::new("policies");

/// A donor in the first study.
pub struct Person {
    key: SigningKey,
    salt: [u8; 32],
    donor: Did,
    study: StudyId,
}

impl Person {
    /// The person of this number, always the same.
    #[expect(clippy::expect_used, reason = "a fixed text that is a study's id")]
    pub fn of(number: u64) -> Self {
        let seed = |what: &str| sha256(format!("{what} {number}").as_bytes());
        let study = "heart-rhythm".parse().expect("an id");
        // The donor's own key signs nothing here, so any key will do, and one saves time.
        let donor = SigningKey::from_seed([7; 32]).did();
        Self { key: SigningKey::from_seed(seed("key")), salt: seed("salt"), donor, study }
    }

    fn name(&self) -> Hash {
        commit_subject(&self.salt, &self.donor, &self.study)
    }

    /// Says yes.
    pub fn grant(&self) -> ConsentEntry {
        let some = |what: &str| Hash::from(sha256(&[what.as_bytes(), &self.salt].concat()));
        let given = Given { credential: some("credential"), policy: some("policy"), until: None };
        let (time, act) = (Timestamp::from_unix(TIME), Act::Grant(given));
        let (subject, notice) = (self.name(), some("notice"));
        ConsentEntry::sign(&self.key, &ConsentEvent { subject, previous: None, notice, time, act })
    }
}

fn study(dir: &Path) -> Outcome<StudyRequest> {
    let studies: Vec<StudyRequest> = serde_json::from_slice(&std::fs::read(dir.join("studies.json"))?)?;
    studies.into_iter().find(|study| study.id.as_str() == "heart-rhythm").ok_or_else(|| "not a demo's folder".into())
}

/// Where the people begin, and how many of `count` there are: a demo's log has entries of its institution before them.
fn first(dir: &Path, count: u64) -> Outcome<(u64, u64)> {
    let log = grow::open(dir)?;
    let mut number = 0;
    while let Some(bytes) = log.entry(number)? {
        if matches!(ledger::Entry::parse(&bytes)?.said(), ledger::Event::Consent(_)) {
            break;
        }
        number += 1;
    }
    Ok((number, count.min(log.signed_checkpoint().size - number)))
}

/// Writes the rows that enrolment and the handing over of credentials would write, as the desk has them.
pub fn fill_desk(dir: &Path, count: u64) -> Outcome {
    let (study, (first, count)) = (study(dir)?, first(dir, count)?);
    // A yes to all that the study offers.
    let policy = Policy { data: Some(study.offers.iter().map(|offer| offer.kind).collect()), ..study.policy.clone() };
    let desk = Database::create(dir.join("desk.redb"))?;
    for begin in (first..first + count).step_by(ROWS as usize) {
        let write = desk.begin_write()?;
        {
            let (mut keys, mut policies) = (write.open_table(STUDY_KEYS)?, write.open_table(POLICIES)?);
            for number in begin..(begin + ROWS).min(first + count) {
                let person = Person::of(number);
                let (entry, name) = (person.grant().hash(), person.name().to_string());
                let row = json!({ "donor": person.donor, "study": person.study, "salt": hex::encode(person.salt) });
                keys.insert(person.key.did().as_str(), row.to_string().as_bytes())?;
                let row = json!({ "entry": entry, "policy": policy, "recipient": study.organisation.id });
                policies.insert(name.as_str(), row.to_string().as_bytes())?;
            }
        }
        write.commit()?;
    }
    std::fs::write(dir.join("purpose.json"), serde_json::to_vec(&study.purpose)?)?;
    println!("{count} subjects at the desk; a purpose that they allow in {}", dir.join("purpose.json").display());
    Ok(())
}

/// Decides about subjects from all over the log, as the service does, but neither asked over HTTP nor signed.
pub fn decide_all(dir: &Path, count: u64, asked: u64) -> Outcome {
    let (study, (first, count)) = (study(dir)?, first(dir, count)?);
    let day: Date = Timestamp::from_unix(TIME).date();
    // Names beforehand: whoever asks knows them.
    let names: Vec<Hash> =
        (0..asked).map(|number| Person::of(first + number.wrapping_mul(2_654_435_761) % count).name()).collect();
    let log = grow::open(dir)?;
    let desk = Database::open(dir.join("desk.redb"))?;
    let mut permitted = 0_u64;
    let begun = Instant::now();
    for names in names.chunks(SUBJECTS as usize) {
        let keys: Vec<Key> = names.iter().map(Key::subject).collect();
        let found = log.records(&keys)?;
        let policies = desk.begin_read()?.open_table(POLICIES)?;
        for (name, key) in names.iter().zip(&keys) {
            let Some(Some(Record::Subject(subject))) = found.get(key) else { continue };
            let Some(row) = policies.get(name.to_string().as_str())? else { continue };
            let mut row: Value = serde_json::from_slice(row.value())?;
            let policy: Policy = serde_json::from_value(row["policy"].take())?;
            let policy = Policy { status: Some(subject.state_at(day)), ..policy };
            permitted += u64::from(decide(&policy, &study.purpose, day).outcome == consent::Outcome::Permit);
        }
    }
    let rate = names.len() as f64 / begun.elapsed().as_secs_f64();
    println!("{rate:.0} decisions/s over {count} live consents, one thread; {permitted} of {} permitted", names.len());
    if permitted == names.len() as u64 { Ok(()) } else { Err("not all that should be permitted were".into()) }
}
