//! The key of a log, or of its institution, gives way to another, and what somebody who holds one of the keys that it
//! takes can not do.
#![cfg(feature = "client")]

mod common;

use common::server::{Manner, Server};
use common::world::{INSTITUTION, did, institution_key, key, log_key, member};
use common::{MemoryLog, ORIGIN, grant};
use ledger::client::{ClientError, Finding, LogInfo, Mirror, audit};
use ledger::event::{InstitutionEvent, Role};
use ledger::{Checkpoint, Entry, Keys, Next, NoteKey, Receipt, Succession, VerifierKey, follow, inclusion_proof};

/// The log's first key is that of `common`.
const FIRST: u8 = 5;
const SECOND: u8 = 6;
const THIRD: u8 = 7;
/// The institution's key after its first one.
const SUCCESSOR: u8 = 41;

fn note_key(seed: u8) -> NoteKey {
    NoteKey::new(ORIGIN, key(seed)).unwrap()
}

fn vkey(seed: u8) -> VerifierKey {
    note_key(seed).verifier().clone()
}

fn says(signer: u8, event: &InstitutionEvent) -> Vec<u8> {
    Entry::sign(&key(signer), event).unwrap().bytes().to_vec()
}

/// An institution and two donors.
fn begin() -> Vec<Vec<u8>> {
    let founds = member(INSTITUTION, Role::Institution, "biobank", true, "08:00:00");
    let mut entries = vec![says(INSTITUTION, &founds)];
    entries.extend((0..2).map(|number| grant(1, number).bytes().to_vec()));
    entries
}

/// The log over these entries, under a key.
fn signed(entries: &[Vec<u8>], by: u8) -> MemoryLog {
    let mut log = MemoryLog::of(entries.to_vec());
    let open = log.checkpoint();
    let checkpoint = Checkpoint { origin: ORIGIN.into(), size: open.size, root: open.root };
    log.files.insert("checkpoint".into(), checkpoint.sign(&note_key(by)).unwrap().note().as_bytes().to_vec());
    log
}

/// What the log hands out about its last entry, under a checkpoint of this key over all of them.
fn told(entries: &[Vec<u8>], key: u8, by: u8) -> Succession {
    let log = signed(entries, by);
    let (index, size) = (entries.len() as u64 - 1, entries.len() as u64);
    let path = inclusion_proof(index, size, |id| log.files.get(&id.path()).cloned().ok_or(())).unwrap();
    let checkpoint = String::from_utf8(log.files["checkpoint"].clone()).unwrap();
    let entry = String::from_utf8(entries.last().unwrap().clone()).unwrap();
    Succession { key: vkey(key), entry, receipt: Receipt { extra: None, index, path, checkpoint }.to_string() }
}

/// The entries of a log whose first key gave way to the second, and what it says of it.
fn changed() -> (Vec<Vec<u8>>, Succession) {
    let mut entries = begin();
    entries.push(says(INSTITUTION, &log_key(SECOND, "12:00:00")));
    let told = told(&entries, FIRST, FIRST);
    (entries, told)
}

fn keys(log: u8, institution: u8) -> Keys {
    Keys { log: vkey(log), institution: did(institution) }
}

/// Where somebody arrives who trusts these keys.
fn end(trusted: &Keys, told: &[Succession]) -> Keys {
    let mut keys = trusted.clone();
    follow(trusted, told).iter().for_each(|change| keys.go_over(change));
    keys
}

fn arrives(trusted: u8, told: &[Succession]) -> Option<VerifierKey> {
    let keys = end(&keys(trusted, INSTITUTION), told);
    (keys.log != vkey(trusted)).then_some(keys.log)
}

#[test]
fn a_key_is_followed_over_each_change_and_from_where_one_stands() {
    let (mut entries, first) = changed();
    entries.push(says(INSTITUTION, &log_key(THIRD, "13:00:00")));
    let second = told(&entries, SECOND, SECOND);
    let all = [first.clone(), second.clone()];
    assert_eq!(arrives(FIRST, &all), Some(vkey(THIRD)));
    assert_eq!(arrives(SECOND, &all), Some(vkey(THIRD)));
    assert_eq!(arrives(THIRD, &all), None);
    let changes = follow(&keys(FIRST, INSTITUTION), &all);
    let places: Vec<_> = changes.iter().map(|change| change.included().index()).collect();
    assert_eq!(places, [3, 4]);
    // Out of order, or with one missing, it leads nowhere new.
    assert_eq!(arrives(FIRST, &[second.clone(), first]), Some(vkey(SECOND)));
    assert_eq!(arrives(FIRST, &[second]), None);
}

#[test]
fn who_holds_one_key_alone_leads_nobody_to_another() {
    let (entries, good) = changed();
    assert_eq!(arrives(FIRST, std::slice::from_ref(&good)), Some(vkey(SECOND)));
    // A thief of the log's key: the entry is another's than the institution's.
    let mut stolen = begin();
    stolen.push(says(99, &log_key(SECOND, "12:00:00")));
    assert_eq!(arrives(FIRST, &[told(&stolen, FIRST, FIRST)]), None);
    // A thief of the institution's key: the checkpoint is signed by any key but the former one.
    for by in [SECOND, THIRD] {
        assert_eq!(arrives(FIRST, &[told(&entries, FIRST, by)]), None);
        assert_eq!(arrives(FIRST, &[told(&entries, by, by)]), None);
    }
    // The log does not hold the entry: the receipt is that of another one.
    let other = told(&entries[..3], FIRST, FIRST);
    assert_eq!(arrives(FIRST, &[Succession { receipt: other.receipt.clone(), ..good.clone() }]), None);
    assert_eq!(arrives(FIRST, &[Succession { entry: other.entry, ..good.clone() }]), None);
    // A key of another log.
    let foreign = NoteKey::new("elsewhere.example/log", key(SECOND)).unwrap().verifier().clone();
    let mut led_away = begin();
    let time = "2026-11-23T12:00:00Z".parse().unwrap();
    let said = ledger::event::LogKeyChange { time, vkey: foreign.into() };
    led_away.push(says(INSTITUTION, &InstitutionEvent::LogKey(said)));
    assert_eq!(arrives(FIRST, &[told(&led_away, FIRST, FIRST)]), None);
    // Any bent byte.
    for at in (0..good.receipt.len()).step_by(7) {
        let mut bytes = good.receipt.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(receipt) = String::from_utf8(bytes) else { continue };
        assert_eq!(arrives(FIRST, &[Succession { receipt, ..good.clone() }]), None, "byte {at}");
    }
}

#[test]
fn the_statement_has_to_name_the_key_that_the_changes_lead_to() {
    let (_, good) = changed();
    let info = |by: u8, stated: u8, successions: Vec<Succession>| {
        let payload = format!(r#"{{"origin":"{ORIGIN}","vkey":"{}"}}"#, vkey(stated));
        let statement = identity::sign_jws(&key(by), "log-key.v1+jws", payload.as_bytes());
        LogInfo {
            origin: ORIGIN.into(),
            vkey: vkey(stated),
            did: did(INSTITUTION),
            name: "B".into(),
            statement,
            successions,
        }
    };
    let changes = |info: LogInfo| info.changes_since(&keys(FIRST, INSTITUTION));
    assert_eq!(changes(info(INSTITUTION, SECOND, vec![good.clone()])).unwrap().len(), 1);
    for (by, stated, told) in [(INSTITUTION, THIRD, vec![good.clone()]), (INSTITUTION, SECOND, vec![])] {
        assert!(matches!(changes(info(by, stated, told)), Err(ClientError::OtherKey)));
    }
    assert!(matches!(changes(info(99, SECOND, vec![good])), Err(ClientError::Statement)));
}

/// A log whose own key, whose institution's key, and whose own key again gave way to another.
fn changed_both() -> (Vec<Vec<u8>>, [Succession; 3]) {
    let (mut entries, first) = changed();
    entries.push(says(INSTITUTION, &institution_key(SUCCESSOR, INSTITUTION, "13:00:00")));
    // Under a later checkpoint of the same key: the log goes on after such a change.
    let mut longer = entries.clone();
    longer.push(grant(1, 9).bytes().to_vec());
    let log = signed(&longer, SECOND);
    let path = inclusion_proof(4, 6, |id| log.files.get(&id.path()).cloned().ok_or(())).unwrap();
    let checkpoint = String::from_utf8(log.files["checkpoint"].clone()).unwrap();
    let entry = String::from_utf8(entries[4].clone()).unwrap();
    let second = Receipt { extra: None, index: 4, path, checkpoint }.to_string();
    let second = Succession { key: vkey(SECOND), entry, receipt: second };
    longer.push(says(SUCCESSOR, &log_key(THIRD, "14:00:00")));
    let third = told(&longer, SECOND, SECOND);
    (longer, [first, second, third])
}

#[test]
fn the_institutions_key_is_followed_among_those_of_the_log() {
    let (_, all) = changed_both();
    for (log, institution) in [(FIRST, INSTITUTION), (SECOND, INSTITUTION), (SECOND, SUCCESSOR), (THIRD, SUCCESSOR)] {
        assert_eq!(end(&keys(log, institution), &all), keys(THIRD, SUCCESSOR), "{log} {institution}");
    }
    let changes = follow(&keys(FIRST, INSTITUTION), &all);
    assert_eq!(changes[1].next(), &Next::Institution(did(SUCCESSOR)));
    assert_eq!(changes.iter().map(|change| change.included().index()).collect::<Vec<_>>(), [3, 4, 6]);
    // Without one of them, or in another order, nobody gets beyond what holds.
    let [first, second, third] = all;
    assert_eq!(end(&keys(FIRST, INSTITUTION), &[first.clone(), third.clone()]), keys(SECOND, INSTITUTION));
    assert_eq!(end(&keys(FIRST, INSTITUTION), &[second.clone(), third]), keys(FIRST, INSTITUTION));
    assert_eq!(end(&keys(FIRST, INSTITUTION), &[second, first]), keys(SECOND, INSTITUTION));
}

#[test]
fn who_holds_one_key_alone_speaks_for_no_institution() {
    let from = keys(FIRST, INSTITUTION);
    let mut entries = begin();
    entries.push(says(INSTITUTION, &institution_key(SUCCESSOR, INSTITUTION, "12:00:00")));
    let good = told(&entries, FIRST, FIRST);
    assert_eq!(end(&from, std::slice::from_ref(&good)), keys(FIRST, SUCCESSOR));
    // A thief of the institution's key: no checkpoint of the log's key covers the entry.
    for by in [SECOND, THIRD] {
        assert_eq!(end(&from, &[told(&entries, FIRST, by)]), from);
        assert_eq!(end(&from, &[told(&entries, by, by)]), from);
    }
    // A thief of the log's key: somebody else signs the entry, or the proof of the new key is for another institution.
    let mut stolen = begin();
    stolen.push(says(99, &institution_key(SUCCESSOR, 99, "12:00:00")));
    assert_eq!(end(&from, &[told(&stolen, FIRST, FIRST)]), from);
    assert!(Entry::sign(&key(INSTITUTION), &institution_key(SUCCESSOR, 99, "12:00:00")).is_err());
    // The receipt of another entry.
    let other = told(&entries[..3], FIRST, FIRST);
    assert_eq!(end(&from, &[Succession { receipt: other.receipt, ..good.clone() }]), from);
    // The key that it was speaks no more: what it signs later leads nowhere.
    let mut back = entries.clone();
    back.push(says(INSTITUTION, &institution_key(99, INSTITUTION, "13:00:00")));
    let after = [good, told(&back, FIRST, FIRST)];
    assert_eq!(end(&from, &after), keys(FIRST, SUCCESSOR));
    assert_eq!(end(&keys(FIRST, SUCCESSOR), &after), keys(FIRST, SUCCESSOR));
}

#[test]
fn the_statement_has_to_be_signed_by_the_key_that_the_changes_lead_to() {
    let (_, all) = changed_both();
    let info = |by: u8| {
        let payload = format!(
            r#"{{"former":["{}","{}"],"origin":"{ORIGIN}","vkey":"{}"}}"#,
            vkey(FIRST),
            vkey(SECOND),
            vkey(THIRD)
        );
        let statement = identity::sign_jws(&key(by), "log-key.v1+jws", payload.as_bytes());
        let (origin, name) = (ORIGIN.to_owned(), "B".to_owned());
        LogInfo { origin, vkey: vkey(THIRD), did: did(INSTITUTION), name, statement, successions: all.to_vec() }
    };
    let stated = info(SUCCESSOR).stated().unwrap();
    assert_eq!((stated.keys, stated.former), (keys(THIRD, SUCCESSOR), vec![vkey(FIRST), vkey(SECOND)]));
    assert_eq!(info(SUCCESSOR).changes_since_log_key(&vkey(SECOND)).unwrap().len(), 2);
    assert!(matches!(info(SUCCESSOR).changes_since_log_key(&vkey(99)), Err(ClientError::OtherKey)));
    // The founding key speaks no more, and a stranger never did.
    for by in [INSTITUTION, 99] {
        assert!(matches!(info(by).stated(), Err(ClientError::Statement)));
        assert!(matches!(info(by).changes_since(&keys(FIRST, INSTITUTION)), Err(ClientError::Statement)));
    }
    let cut = LogInfo { successions: all[..2].to_vec(), ..info(SUCCESSOR) };
    assert!(matches!(cut.stated(), Err(ClientError::OtherKey)));
    let hidden = LogInfo { successions: Vec::new(), ..info(SUCCESSOR) };
    assert!(matches!(hidden.stated(), Err(ClientError::Statement)));
}

#[tokio::test]
async fn a_copy_of_the_log_goes_on_under_the_new_key_and_under_no_other() {
    let (entries, _) = changed();
    let server = Server::start(signed(&begin(), FIRST), Manner::Honest);
    let dir = tempfile::tempdir().unwrap();
    Mirror::open(dir.path(), &vkey(FIRST)).unwrap().sync(&server.client()).await.unwrap();
    let after = || Mirror::open_after(dir.path(), &vkey(SECOND), &[vkey(FIRST)]).unwrap();
    // It does not forget what the former key signed.
    assert!(Mirror::open(dir.path(), &vkey(SECOND)).is_err());

    // Another key signs a log whose entries do not name it; one that shrinks; one that forks.
    let mut longer = begin();
    longer.push(grant(1, 9).bytes().to_vec());
    server.show(signed(&longer, SECOND));
    assert!(matches!(after().sync(&server.client()).await, Err(ClientError::OtherKey)));
    server.show(signed(&begin()[..2], SECOND));
    assert!(matches!(after().sync(&server.client()).await, Err(ClientError::Shrunk { .. })));
    let mut forked = entries.clone();
    forked[2] = grant(1, 8).bytes().to_vec();
    server.show(signed(&forked, SECOND));
    assert!(matches!(after().sync(&server.client()).await, Err(ClientError::Forked { .. })));
    assert_eq!((after().size(), after().checkpoint().unwrap().note()), (3, signed_note(&begin(), FIRST).as_str()));

    server.show(signed(&entries, SECOND));
    let mut mirror = after();
    mirror.sync(&server.client()).await.unwrap();
    assert_eq!(mirror.size(), 4);
    assert_eq!(after().checkpoint().unwrap().note(), signed_note(&entries, SECOND));
    // And once it did, the former key brings nothing to it.
    server.show(signed(&longer, FIRST));
    assert!(after().sync(&server.client()).await.unwrap_err().is_other_key());
}

fn signed_note(entries: &[Vec<u8>], by: u8) -> String {
    String::from_utf8(signed(entries, by).files["checkpoint"].clone()).unwrap()
}

#[tokio::test]
async fn an_audit_tells_when_a_former_key_goes_on() {
    let (mut entries, _) = changed();
    let found = async |entries: &[Vec<u8>], by: u8| {
        let server = Server::start(signed(entries, by), Manner::Honest);
        audit(&server.client(), &vkey(by)).await.unwrap().findings
    };
    // Its last word is the checkpoint over the entry.
    assert_eq!(found(&entries, FIRST).await, []);
    assert_eq!(found(&entries, SECOND).await, []);
    entries.push(grant(1, 9).bytes().to_vec());
    assert_eq!(found(&entries, FIRST).await, [Finding::OtherKey]);
    assert_eq!(found(&entries, SECOND).await, []);
}
