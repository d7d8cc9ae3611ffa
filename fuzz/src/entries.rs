//! Entries and the rules over them.

use crate::key;
use identity::sign_jws;
use ledger::event::InstitutionEvent;
use ledger::{
    Batch, CHANGE_TYPE, ConsentEntry, Entry, Event, GRANT_TYPE, MAX_ENTRY, RESUME_TYPE, Record, Records, SUSPEND_TYPE,
    State, WITHDRAW_TYPE, keys_of,
};

/// How many entries of one input are judged.
const MAX_ENTRIES: usize = 12;
/// How many keys sign in `rules`.
const KEYS: u8 = 6;

/// All kinds of entries.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    [GRANT_TYPE, CHANGE_TYPE, SUSPEND_TYPE, RESUME_TYPE, WITHDRAW_TYPE]
        .into_iter()
        .chain(InstitutionEvent::TYPES.iter().copied())
}

/// One entry: as it comes, and signed here, so that the fuzzer gets beyond the signature. The signed form is a line
/// with the `typ` and then the payload.
pub fn entry(data: &[u8]) {
    check(data);
    let Some(at) = data.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(typ) = std::str::from_utf8(&data[..at]) else { return };
    let jws = sign_jws(&key(1), typ, &data[at + 1..]);
    if let Some(entry) = check(jws.as_bytes()) {
        assert_eq!(entry.said().typ(), typ);
        assert_eq!(entry.signer(), &key(1).did());
        // There is one text for each thing that can be said: saying it again gives the same bytes.
        let again = match entry.said() {
            Event::Consent(event) => ConsentEntry::sign(&key(1), event).bytes().to_vec(),
            Event::Institution(event) => Entry::sign(&key(1), event).unwrap().bytes().to_vec(),
        };
        assert_eq!(again, entry.bytes());
    }
}

fn check(bytes: &[u8]) -> Option<Entry> {
    let entry = Entry::parse(bytes).ok()?;
    assert!(bytes.len() <= MAX_ENTRY);
    assert_eq!(entry.bytes(), bytes);
    assert_eq!(entry.hash(), ledger::EntryHash::of(bytes));
    assert_eq!(ConsentEntry::parse(bytes).is_ok(), matches!(entry.said(), Event::Consent(_)));
    assert!(keys_of(&entry).len() <= 8);
    Some(entry)
}

/// A log: each line of the input is a digit for the key, the `typ` and the payload. State and batch must agree, and a
/// refused entry must leave no trace.
pub fn rules(data: &[u8]) {
    let mut state = State::new();
    let mut index = 0;
    for line in data.split(|byte| *byte == b'\n').take(MAX_ENTRIES) {
        let Some(entry) = signed(line) else { continue };
        let known = keys_of(&entry).into_iter().map(|key| {
            let record = state.record(&key).cloned();
            (key, record)
        });
        let before = (state.hash(), state.records().count());
        let mut batch = Batch::new(index, state.hash(), known.collect());
        let judged = batch.push(&entry);
        assert_eq!(state.check(&entry).is_ok(), judged.is_ok());
        let applied = state.apply(index, &entry);
        assert_eq!(applied.is_ok(), judged.is_ok());
        match judged {
            Ok(_) => {
                index += 1;
                assert_eq!(batch.hash(), state.hash());
                for (key, record) in batch.into_changes() {
                    assert_eq!(state.record(&key), Some(&record));
                    // What a host keeps is what it gets back, and no record grows without bound.
                    let bytes = record.to_bytes();
                    assert!(bytes.len() <= 8192);
                    assert_eq!(Record::from_bytes(&bytes), Some(record));
                }
            }
            Err(_) => assert_eq!((state.hash(), state.records().count()), before),
        }
    }
}

fn signed(line: &[u8]) -> Option<Entry> {
    let (seed, line) = line.split_first()?;
    let line = std::str::from_utf8(line).ok()?;
    let (typ, payload) = line.split_once(' ')?;
    Entry::parse(sign_jws(&key(seed.wrapping_sub(b'0') % KEYS), typ, payload.as_bytes()).as_bytes()).ok()
}
