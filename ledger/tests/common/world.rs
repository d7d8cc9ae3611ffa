//! An institution with everybody in it, and a log that every rule is tried on. Whatever is said is said to a state, to
//! a batch and to records that answer only for the keys that an entry names: all three must agree.

use super::{given, hash};
use consent::{Outcome, Timestamp};
use identity::{Did, SigningKey};
use ledger::event::{
    AccessDecision, AccessGrant, AccessRequest, AccessUse, Anchor, Asking, Cause, Ending, InstitutionEvent,
    InstitutionKey, KeyRebinding, KeyRotation, LogKeyChange, MemberChange, PolicyVersion, Role, SampleEvent,
    SampleStep, Snapshot, StudyVersion, approve_rebinding, prove_institution_key, prove_study_key,
};
use ledger::{
    Act, Batch, ConsentEntry, ConsentEvent, Effect, Entry, EntryHash, Hash, Key, NoteKey, Record, Records, Rejected,
    State, apply, keys_of,
};
use std::collections::BTreeSet;

pub const INSTITUTION: u8 = 10;
pub const STAFF: u8 = 11;
pub const SECOND_STAFF: u8 = 12;
pub const FOREIGN_STAFF: u8 = 13;
pub const RESEARCHER: u8 = 14;
pub const OTHER_RESEARCHER: u8 = 15;
pub const COMMITTEE: u8 = 16;
pub const AUDITOR: u8 = 17;
pub const PARTNER: u8 = 18;
pub const DONOR: u8 = 1;
pub const STRANGER: u8 = 99;

pub const MEMBERS: [(u8, Role, &str); 8] = [
    (STAFF, Role::Staff, "biobank"),
    (SECOND_STAFF, Role::Staff, "biobank"),
    (FOREIGN_STAFF, Role::Staff, "elsewhere"),
    (RESEARCHER, Role::Researcher, "university"),
    (OTHER_RESEARCHER, Role::Researcher, "company"),
    (COMMITTEE, Role::Committee, "biobank"),
    (AUDITOR, Role::Auditor, "biobank"),
    (PARTNER, Role::Member, "partner"),
];

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

pub fn did(seed: u8) -> Did {
    key(seed).did()
}

pub fn at(time: &str) -> Timestamp {
    format!("2026-11-23T{time}Z").parse().unwrap()
}

pub fn vkey(seed: u8) -> ledger::LogKey {
    NoteKey::new(super::ORIGIN, key(seed)).unwrap().verifier().clone().into()
}

/// Records that answer only for the keys that an entry names.
struct Named<'a> {
    state: &'a State,
    keys: BTreeSet<Key>,
}

impl Records for Named<'_> {
    fn record(&self, key: &Key) -> Option<&Record> {
        assert!(self.keys.contains(key), "the rules read {key}, and keys_of does not name it");
        self.state.record(key)
    }
}

#[derive(Clone)]
pub struct World {
    pub state: State,
    pub next: u64,
    /// Everything that was taken.
    pub log: Vec<Entry>,
}

impl World {
    pub fn empty() -> Self {
        Self { state: State::new(), next: 0, log: Vec::new() }
    }

    /// With the institution, its members, an open study, a consent and a sample.
    pub fn new() -> Self {
        let mut world = Self::empty();
        world.must(INSTITUTION, member(INSTITUTION, Role::Institution, "biobank", true, "08:00:00"));
        for (seed, role, organisation) in MEMBERS {
            world.must(INSTITUTION, member(seed, role, organisation, true, "08:00:00"));
        }
        world.must(STAFF, study(1, true, "08:30:00"));
        world.give(&consent(DONOR, None, "09:00:00", Act::Grant(given("")))).unwrap();
        world.must(STAFF, sample(SampleStep::Collect, 1, None, None));
        world
    }

    pub fn say(&mut self, seed: u8, event: InstitutionEvent) -> Result<Effect, Rejected> {
        self.give(&Entry::sign(&key(seed), &event).unwrap())
    }

    pub fn check(&self, seed: u8, event: InstitutionEvent) -> Result<Effect, Rejected> {
        self.clone().say(seed, event)
    }

    /// Says what must be taken; the name of its entry.
    pub fn must(&mut self, seed: u8, event: InstitutionEvent) -> EntryHash {
        let entry = Entry::sign(&key(seed), &event).unwrap();
        self.give(&entry).unwrap_or_else(|why| panic!("{event:?}: {why}"));
        entry.hash()
    }

    /// Judges an entry in every way that there is, and takes it if the rules do.
    pub fn give(&mut self, entry: &Entry) -> Result<Effect, Rejected> {
        assert_eq!(Entry::parse(entry.bytes()).as_ref(), Ok(entry));
        let before = self.state.clone();
        let keys: BTreeSet<Key> = keys_of(entry).into_iter().collect();
        let named = apply(&Named { state: &before, keys: keys.clone() }, self.next, entry);
        if let Ok(applied) = &named {
            assert!(applied.changes.is_sorted_by(|(one, _), (other, _)| one < other), "{:?}", applied.changes);
            for (key, record) in &applied.changes {
                assert_eq!(Record::from_bytes(&record.to_bytes()).as_ref(), Some(record));
                assert!(keys.contains(key), "a host looks up what it writes: {key}");
                assert!(record.to_bytes().len() < 6144, "a record stays small: {key}");
            }
        }
        let known = keys.into_iter().map(|key| (key.clone(), before.record(&key).cloned()));
        let mut batch = Batch::new(self.next, before.hash(), known.collect());
        let pushed = batch.push(entry);
        let applied = self.state.apply(self.next, entry);
        assert_eq!(pushed.as_ref().map(|(_, effect)| effect), applied.as_ref());
        assert_eq!(named.as_ref().map(|it| &it.effect), applied.as_ref());
        if applied.is_ok() {
            let mut kept = before.clone();
            kept.keep(batch);
            assert_eq!(kept, self.state, "a batch and a state agree");
            assert_ne!(before.hash(), self.state.hash());
            self.next += 1;
            self.log.push(entry.clone());
        } else {
            assert_eq!(before, self.state, "what is refused changes nothing");
            assert_eq!(batch.hash(), before.hash());
            assert!(batch.into_changes().is_empty());
        }
        applied
    }

    pub fn latest(&self) -> EntryHash {
        self.state.subject(&hash(2)).unwrap().latest
    }

    pub fn request(&mut self) -> EntryHash {
        self.must(RESEARCHER, request("university", 1, "10:00:00"))
    }

    /// A request that was allowed until the end of the year.
    pub fn allowed(&mut self) -> EntryHash {
        let request = self.request();
        self.must(COMMITTEE, decision(request, Outcome::Permit, "2026-12-31"));
        request
    }
}

pub fn consent(seed: u8, previous: Option<EntryHash>, time: &str, act: Act) -> ConsentEntry {
    let event = ConsentEvent { subject: hash(2), previous, notice: hash(6), time: at(time), act };
    ConsentEntry::sign(&key(seed), &event)
}

pub fn member(seed: u8, role: Role, organisation: &str, active: bool, time: &str) -> InstitutionEvent {
    let organisation = organisation.parse().unwrap();
    InstitutionEvent::Member(MemberChange { active, member: did(seed), organisation, role, time: at(time) })
}

pub fn institution_key(new: u8, old: u8, time: &str) -> InstitutionEvent {
    let proof = prove_institution_key(&key(new), &did(old));
    InstitutionEvent::InstitutionKey(InstitutionKey { key: did(new), proof, time: at(time) })
}

pub fn log_key(seed: u8, time: &str) -> InstitutionEvent {
    InstitutionEvent::LogKey(LogKeyChange { time: at(time), vkey: vkey(seed) })
}

pub fn study(version: u32, open: bool, time: &str) -> InstitutionEvent {
    let (study, organisation) = ("heart-2026".parse().unwrap(), "university".parse().unwrap());
    let request = hash(u8::try_from(version).unwrap());
    InstitutionEvent::Study(StudyVersion { open, organisation, request, study, time: at(time), version })
}

pub fn policy(version: u32) -> InstitutionEvent {
    let policy = "access".parse().unwrap();
    InstitutionEvent::Policy(PolicyVersion { document: hash(1), policy, time: at("10:00:00"), version })
}

pub fn ending(cause: Cause, time: &str) -> InstitutionEvent {
    InstitutionEvent::Ending(Ending { cause, subject: hash(2), time: at(time) })
}

pub fn asking(time: &str) -> InstitutionEvent {
    InstitutionEvent::Asking(Asking { subject: hash(2), time: at(time) })
}

pub fn rotation(new: u8, previous: EntryHash) -> InstitutionEvent {
    let proof = prove_study_key(&key(new), &hash(2), &previous);
    InstitutionEvent::KeyRotation(KeyRotation {
        key: did(new),
        previous,
        proof,
        subject: hash(2),
        time: at("10:00:00"),
    })
}

pub fn rebinding(new: u8, approver: u8, previous: EntryHash) -> InstitutionEvent {
    let proof = prove_study_key(&key(new), &hash(2), &previous);
    let approval = approve_rebinding(&key(approver), &did(new), &hash(2), &previous);
    let (key, subject, time) = (did(new), hash(2), at("10:00:00"));
    InstitutionEvent::KeyRebinding(KeyRebinding { approval, key, previous, proof, subject, time })
}

pub fn request(organisation: &str, version: u32, time: &str) -> InstitutionEvent {
    let (study, organisation) = ("heart-2026".parse().unwrap(), organisation.parse().unwrap());
    InstitutionEvent::AccessRequest(AccessRequest { organisation, purpose: hash(5), study, time: at(time), version })
}

pub fn decision(request: EntryHash, outcome: Outcome, until: &str) -> InstitutionEvent {
    let (reasons, time, until) = (hash(8), at("11:00:00"), until.parse().ok());
    InstitutionEvent::AccessDecision(AccessDecision { outcome, reasons, request, time, until })
}

pub fn access(holder: u8, request: Option<EntryHash>, from: &str, to: &str) -> AccessGrant {
    let (holder, time, expires) = (did(holder), at(from), at(to));
    AccessGrant { decision: hash(9), expires, holder, purpose: hash(5), request, time }
}

pub fn used(grant: EntryHash, time: &str) -> InstitutionEvent {
    InstitutionEvent::AccessUse(AccessUse { grant, time: at(time), uses: hash(11) })
}

pub fn sample(step: SampleStep, number: u8, parent: Option<u8>, previous: Option<EntryHash>) -> InstitutionEvent {
    let (parent, place) = (parent.map(hash), "freezer-3".parse().ok());
    InstitutionEvent::Sample(SampleEvent { parent, place, previous, sample: hash(number), step, time: at("10:00:00") })
}

pub fn snapshot(epoch: &str) -> InstitutionEvent {
    let (epoch, study) = (epoch.parse().unwrap(), "heart-2026".parse().unwrap());
    let (key, purpose, root, time) = (hash(1), hash(5), hash(3), at("10:00:00"));
    InstitutionEvent::Snapshot(Snapshot { epoch, key, purpose, root, size: 64, study, time })
}

pub fn anchor(size: u64) -> InstitutionEvent {
    let (kind, reference) = ("rfc3161".parse().unwrap(), "tsa.example/17".parse().unwrap());
    InstitutionEvent::Anchor(Anchor { kind, reference, root: hash(3), size, time: at("10:00:00") })
}

/// One of each kind, as this signer would have to say it to be heard in this world.
pub fn one_of_each(world: &World, signer: u8, request: EntryHash, grant: EntryHash) -> Vec<InstitutionEvent> {
    let (latest, second) = (world.latest(), if signer == SECOND_STAFF { STAFF } else { SECOND_STAFF });
    vec![
        member(50, Role::Staff, "biobank", true, "12:00:00"),
        institution_key(51, signer, "12:00:00"),
        log_key(5, "12:00:00"),
        study(2, true, "12:00:00"),
        policy(1),
        ending(Cause::Court, "12:00:00"),
        asking("12:00:00"),
        rotation(52, latest),
        rebinding(52, second, latest),
        self::request("university", 1, "12:00:00"),
        decision(request, Outcome::Deny, ""),
        InstitutionEvent::AccessGrant(access(RESEARCHER, None, "12:00:00", "13:00:00")),
        used(grant, "11:30:00"),
        sample(SampleStep::Collect, 2, None, None),
        snapshot("2026-11-23"),
        anchor(5),
    ]
}

/// The commitment of the one consent in this world.
pub fn subject() -> Hash {
    hash(2)
}
