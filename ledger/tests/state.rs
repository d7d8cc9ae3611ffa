//! Entries from strangers, and the properties of the state machine.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use common::{grant, withdraw};
use consent::ConsentState;
use identity::{SigningKey, sign_jws};
use ledger::{
    ConsentEvent, Entry, EntryError, EntryHash, GRANT_TYPE, Grant, Hash, MAX_ENTRY, Rejected, State, WITHDRAW_TYPE,
    Withdraw, commit_subject,
};
use proptest::prelude::*;

#[test]
fn entries_read_as_they_are_written() {
    for entry in [grant(1, 1), withdraw(1, &grant(1, 1))] {
        assert_eq!(Entry::parse(entry.bytes()), Ok(entry.clone()));
        assert_eq!(entry.hash(), EntryHash::of(entry.bytes()));
        assert_eq!(*entry.signer(), SigningKey::from_seed([1; 32]).did());
        // The payload is canonical by another program's account too.
        let value: serde_json::Value = serde_json::from_str(&entry.event().payload()).unwrap();
        assert_eq!(serde_json_canonicalizer::to_string(&value).unwrap(), entry.event().payload());
    }
}

#[test]
fn every_changed_bit_of_an_entry_is_noticed() {
    let entry = grant(1, 1);
    for at in 0..entry.bytes().len() {
        for bit in 0..8 {
            let mut bytes = entry.bytes().to_vec();
            bytes[at] ^= 1 << bit;
            assert!(Entry::parse(&bytes).is_err(), "byte {at}, bit {bit}");
        }
    }
    for end in 0..entry.bytes().len() {
        assert!(Entry::parse(&entry.bytes()[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn entries_that_are_signed_but_wrong_are_refused() {
    let key = SigningKey::from_seed([1; 32]);
    let (grant, withdraw) = (grant(1, 1), withdraw(1, &grant(1, 1)));
    let (grant, withdraw) = (grant.event().payload(), withdraw.event().payload());
    let parse = |typ: &str, payload: &str| Entry::parse(sign_jws(&key, typ, payload.as_bytes()).as_bytes()).err();
    assert_eq!(parse(GRANT_TYPE, &grant), None);
    assert_eq!(parse(WITHDRAW_TYPE, &withdraw), None);
    assert_eq!(parse(WITHDRAW_TYPE, &grant), Some(EntryError::Content));
    assert_eq!(parse(GRANT_TYPE, &withdraw), Some(EntryError::Content));
    assert_eq!(parse("consent-grant.v2+jws", &grant), Some(EntryError::Kind));
    assert_eq!(parse("JWT", &grant), Some(EntryError::Kind));
    assert_eq!(parse(GRANT_TYPE, &grant.replace(':', ": ")), Some(EntryError::Content));
    assert_eq!(parse(GRANT_TYPE, &grant.replace("12:00:00Z", "12:00:00.5Z")), Some(EntryError::Content));
    assert_eq!(Entry::parse(&vec![b'a'; MAX_ENTRY + 1]), Err(EntryError::TooLong));
    assert_eq!(Entry::parse(&[0xff; 40]), Err(EntryError::Signature));
}

#[test]
fn a_commitment_depends_on_each_of_its_parts() {
    let (a, b) = (SigningKey::from_seed([1; 32]).did(), SigningKey::from_seed([2; 32]).did());
    let (heart, lung) = ("heart".parse().unwrap(), "lung".parse().unwrap());
    let all = [
        commit_subject(&[1; 32], &a, &heart),
        commit_subject(&[2; 32], &a, &heart),
        commit_subject(&[1; 32], &b, &heart),
        commit_subject(&[1; 32], &a, &lung),
    ];
    for (i, one) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|other| other != one));
    }
}

#[test]
fn the_life_of_a_consent() {
    let (mut state, first) = (State::new(), grant(1, 1));
    let subject = *first.event().subject();
    assert_eq!(state.apply(0, &withdraw(1, &first)), Err(Rejected::NotGranted));
    assert_eq!(state.apply(0, &again(1, &first, None, 9)), Ok(()));
    let first = again(1, &first, None, 9);
    assert!(state.subject(&subject).unwrap().is_active());
    // Giving twice, once blindly and once knowingly.
    let blind = Rejected::PreviousMismatch { latest: Some(first.hash()) };
    assert_eq!(state.apply(1, &again(1, &first, None, 10)), Err(blind));
    assert_eq!(state.apply(1, &again(1, &first, Some(first.hash()), 10)), Err(Rejected::AlreadyActive));
    assert_eq!(state.apply(1, &again(2, &first, Some(first.hash()), 10)), Err(Rejected::ForeignKey));
    let end = withdraw(1, &first);
    assert_eq!(state.apply(0, &end), Err(Rejected::OutOfOrder));
    assert_eq!(state.apply(1, &end), Ok(()));
    assert_eq!(state.subject(&subject).unwrap().state, ConsentState::Withdrawn);
    assert_eq!(state.check(&withdraw(1, &end)), Err(Rejected::NotGranted));
    assert_eq!(state.check(&withdraw(1, &first)), Err(Rejected::PreviousMismatch { latest: Some(end.hash()) }));
    let renewed = again(1, &first, Some(end.hash()), 11);
    assert_eq!(state.apply(5, &renewed), Ok(()));
    let now = state.subject(&subject).unwrap();
    assert_eq!((now.is_active(), now.grant.entry, now.latest_index), (true, renewed.hash(), 5));
}

/// A grant for the subject of another entry.
fn again(seed: u8, of: &Entry, previous: Option<EntryHash>, mark: u8) -> Entry {
    let subject = *of.event().subject();
    Entry::sign(
        &SigningKey::from_seed([seed; 32]),
        &ConsentEvent::Grant(Grant {
            credential: Hash::from_bytes([mark; 32]),
            policy: Hash::from_bytes([mark; 32]),
            previous,
            subject,
            time: "2026-11-22T12:00:00Z".parse().unwrap(),
        }),
    )
}

/// What somebody, honest or not, does next: which key, which of three subjects, grant or withdrawal, and which of
/// the entries so far is named as the previous one.
fn deeds() -> impl Strategy<Value = Vec<(u8, u8, bool, Option<prop::sample::Index>)>> {
    prop::collection::vec((1_u8..3, 1_u8..4, any::<bool>(), any::<Option<prop::sample::Index>>()), 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_whatever_comes(deeds in deeds()) {
        let (mut state, mut log) = (State::new(), Vec::<Entry>::new());
        for (mark, (key, subject, gives, previous)) in deeds.into_iter().enumerate() {
            let subject = Hash::from_bytes([subject; 32]);
            // Half of the deeds follow the chain, so that some get through.
            let latest = state.subject(&subject).map(|s| s.latest);
            let named = match previous {
                Some(index) if !log.is_empty() => Some(index.get(&log).hash()),
                _ => latest,
            };
            let time = "2026-11-22T12:00:00Z".parse().unwrap();
            let hash = Hash::from_bytes([mark as u8; 32]);
            let event = if gives {
                ConsentEvent::Grant(Grant { credential: hash, policy: hash, previous: named, subject, time })
            } else {
                let previous = named.unwrap_or(EntryHash::from_leaf(hash));
                ConsentEvent::Withdraw(Withdraw { previous, subject, time })
            };
            let entry = Entry::sign(&SigningKey::from_seed([key; 32]), &event);
            let (before, index) = (state.clone(), log.len() as u64);
            let mut staged = before.stage();
            let judged = staged.apply(index, &entry);
            let changes = staged.into_changes();
            prop_assert_eq!(before.check(&entry).is_ok(), judged.is_ok());
            match state.apply(index, &entry) {
                Err(why) => {
                    prop_assert_eq!(judged, Err(why));
                    prop_assert_eq!(&state, &before);
                }
                Ok(()) => {
                    let mut kept = before.clone();
                    kept.keep(changes);
                    prop_assert_eq!(&kept, &state);
                    let now = state.subject(&subject).unwrap();
                    // The chain: what was accepted names what was latest, by the key that spoke first.
                    prop_assert_eq!(event.previous(), latest);
                    prop_assert_eq!(now.latest, entry.hash());
                    if let Some(was) = before.subject(&subject) {
                        prop_assert_eq!(&was.signer, entry.signer());
                        prop_assert_ne!(was.is_active(), gives);
                    }
                    // Consent stands after a grant and never after a withdrawal.
                    prop_assert_eq!(now.is_active(), gives);
                    log.push(entry);
                }
            }
        }
        // Whoever reads the accepted entries again understands the same.
        let mut again = State::new();
        for (index, entry) in (0..).zip(&log) {
            again.apply(index, &Entry::parse(entry.bytes()).unwrap()).unwrap();
        }
        prop_assert_eq!(again.digest(), state.digest());
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), text in "\\PC{0,300}") {
        prop_assert!(Entry::parse(&bytes).is_err());
        prop_assert!(Entry::parse(text.as_bytes()).is_err());
        let _ = ledger::SignedNote::parse(&text);
        let _ = ledger::Receipt::parse(&text);
        let _ = ledger::TileId::parse(&text);
        let _ = ledger::BundleId { index: 0, width: 3 }.entries(&bytes);
    }
}
