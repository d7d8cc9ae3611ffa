//! Entries from strangers: one spelling, and nothing that is not signed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use common::{every_kind, given, hash, sign, suspend};
use consent::{Notice, Withdrawal};
use identity::{SigningKey, sign_jws};
use ledger::event::InstitutionEvent;
use ledger::{
    Act, CHANGE_TYPE, ConsentEntry, Entry, EntryError, EntryHash, GRANT_TYPE, Hash, MAX_ENTRY, RESUME_TYPE,
    SUSPEND_TYPE, WITHDRAW_TYPE, commit_notice, commit_subject,
};
use proptest::prelude::*;
use serde_json::{Map, Value};

const TYPES: [&str; 5] = [GRANT_TYPE, CHANGE_TYPE, SUSPEND_TYPE, RESUME_TYPE, WITHDRAW_TYPE];

/// What is wrong with a payload under a type, if anything is; its signature is always right.
fn fault(typ: &str, payload: &str) -> Option<EntryError> {
    ConsentEntry::parse(sign_jws(&SigningKey::from_seed([1; 32]), typ, payload.as_bytes()).as_bytes()).err()
}

#[test]
fn entries_read_as_they_are_written() {
    let mut entries = every_kind().to_vec();
    // The same kinds without what may be missing, and every level.
    let short = |act| sign(1, hash(2), None, "2026-11-22T12:00:00Z", act);
    entries.extend([Act::Grant(given("")), Act::Change(given("")), suspend(""), Act::Resume].map(short));
    entries.extend(
        [Withdrawal::NoContact, Withdrawal::NoAccess, Withdrawal::NoUse, Withdrawal::DestroySample]
            .map(|level| short(Act::Withdraw { level })),
    );
    for entry in &entries {
        assert_eq!(ConsentEntry::parse(entry.bytes()), Ok(entry.clone()));
        assert_eq!(entry.hash(), EntryHash::of(entry.bytes()));
        assert_eq!(*entry.signer(), SigningKey::from_seed([1; 32]).did());
        // The payload is canonical by another program's account too.
        let value: Value = serde_json::from_str(&entry.event().payload()).unwrap();
        assert_eq!(serde_json_canonicalizer::to_string(&value).unwrap(), entry.event().payload());
        assert!(entry.bytes().len() < MAX_ENTRY / 2, "{}", entry.bytes().len());
    }
    assert_eq!(every_kind().map(|entry| entry.event().typ()), TYPES);
}

#[test]
fn every_changed_bit_of_an_entry_is_noticed() {
    for entry in every_kind() {
        for at in 0..entry.bytes().len() {
            for bit in 0..8 {
                let mut bytes = entry.bytes().to_vec();
                bytes[at] ^= 1 << bit;
                assert!(ConsentEntry::parse(&bytes).is_err(), "{}, byte {at}, bit {bit}", entry.event().typ());
            }
        }
        for end in 0..entry.bytes().len() {
            assert!(ConsentEntry::parse(&entry.bytes()[..end]).is_err(), "{} cut at {end}", entry.event().typ());
        }
    }
}

#[test]
fn a_payload_counts_only_under_a_type_that_has_its_members() {
    // A change has the members of a grant, and a pause may have those of a resumption: the signed type tells them apart.
    let alike = [(GRANT_TYPE, CHANGE_TYPE), (CHANGE_TYPE, GRANT_TYPE), (RESUME_TYPE, SUSPEND_TYPE)];
    for (typ, entry) in TYPES.into_iter().zip(every_kind()) {
        for other in TYPES {
            let fits = typ == other || alike.contains(&(typ, other));
            let wanted = (!fits).then_some(EntryError::Content);
            assert_eq!(fault(other, &entry.event().payload()), wanted, "{typ} as {other}");
        }
        let (next, upper, padded) = (typ.replace("v1", "v2"), typ.to_uppercase(), format!("{typ} "));
        for unknown in ["JWT", "", &next, &upper, &padded] {
            assert_eq!(fault(unknown, &entry.event().payload()), Some(EntryError::Kind), "{unknown}");
        }
    }
}

#[test]
fn there_is_one_spelling_of_each_payload() {
    for entry in every_kind() {
        let (typ, good) = (entry.event().typ(), entry.event().payload());
        let members: Map<String, Value> = serde_json::from_str(&good).unwrap();
        let mut others = vec![
            format!(" {good}"),
            format!("{good}\n"),
            good.replacen(':', ": ", 1),
            good.replacen(',', ", ", 1),
            good.replace("12:00:00Z", "12:00:00.5Z"),
            good.replace("12:00:00Z", "12:00:00.0Z"),
            good.replace("12:00:00Z", "13:00:00+01:00"),
            good.replace("12:00:00Z", "12:00:00z"),
            good.replace("12:00:00Z", "12:00:60Z"),
            good.replacen("02", "0\\u0032", 1),
            good.replace("\"notice\":\"06", "\"notice\":\"6"),
            good.replace("\"notice\":\"0606", "\"notice\":\"0A06"),
            good.replacen('}', ",\"why\":\"x\"}", 1),
            good.replacen('{', "{\"about\":\"x\",", 1),
            good.replace("\"time\"", "\"Time\""),
            format!("[{good}]"),
        ];
        others.extend(members.keys().flat_map(|name| {
            let with = |value: Value| {
                let mut changed = members.clone();
                changed.insert(name.clone(), value);
                Value::Object(changed).to_string()
            };
            let twice = good.replacen('}', &format!(",\"{name}\":{}}}", members[name]), 1);
            [with(Value::Null), with(7.into()), with("".into()), with(Value::Array(vec![members[name].clone()])), twice]
        }));
        // The members in every order that begins with another one.
        let texts: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        others.extend((1..texts.len()).map(|by| {
            let mut turned = texts.clone();
            turned.rotate_left(by);
            format!("{{{}}}", turned.join(","))
        }));
        assert_eq!(fault(typ, &good), None);
        for other in others {
            assert_ne!(other, good, "{typ}: nothing was changed");
            assert_eq!(fault(typ, &other), Some(EntryError::Content), "{typ}: {other}");
        }
    }
}

#[test]
fn dates_and_levels_have_one_spelling() {
    let [change, suspend, withdraw] = [1, 2, 4].map(|kind| every_kind()[kind].event().payload());
    for day in ["2028-2-29", "2028-02-30", "2028-02-29T00:00:00Z", "20280229", "tomorrow", " 2028-02-29", "-2028-02-29"]
    {
        assert_eq!(fault(CHANGE_TYPE, &change.replace("2028-02-29", day)), Some(EntryError::Content), "{day}");
        assert_eq!(fault(SUSPEND_TYPE, &suspend.replace("2026-12-24", day)), Some(EntryError::Content), "{day}");
    }
    // Other spellings that the vocabulary reads elsewhere, and words that it does not know.
    let own = "https://w3id.org/consent-wallet/v1#destroySample";
    for level in ["destroy", own, "DestroySample", "destroysample", "withdrawn", "all", "destroySample "] {
        let payload = withdraw.replace("destroySample", level);
        assert_eq!(fault(WITHDRAW_TYPE, &payload), Some(EntryError::Content), "{level}");
    }
    assert_eq!(fault(WITHDRAW_TYPE, &withdraw.replace("destroySample", "noContact")), None);
}

#[test]
fn what_is_no_signed_text_is_refused() {
    assert_eq!(ConsentEntry::parse(&vec![b'a'; MAX_ENTRY + 1]), Err(EntryError::TooLong));
    assert_eq!(ConsentEntry::parse(&vec![b'a'; MAX_ENTRY]), Err(EntryError::Signature));
    assert_eq!(ConsentEntry::parse(&[0xff; 40]), Err(EntryError::Signature));
    assert_eq!(ConsentEntry::parse(&[]), Err(EntryError::Signature));
}

fn all_differ(all: &[Hash]) {
    for (i, one) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|other| other != one), "number {i}");
    }
}

#[test]
fn a_commitment_depends_on_each_of_its_parts() {
    let (a, b) = (SigningKey::from_seed([1; 32]).did(), SigningKey::from_seed([2; 32]).did());
    let (heart, lung) = ("heart".parse().unwrap(), "lung".parse().unwrap());
    all_differ(&[
        commit_subject(&[1; 32], &a, &heart),
        commit_subject(&[2; 32], &a, &heart),
        commit_subject(&[1; 32], &b, &heart),
        commit_subject(&[1; 32], &a, &lung),
    ]);
}

#[test]
fn a_commitment_to_a_notice_depends_on_each_of_its_parts() {
    let notice = |uri: &str, version, sha256: &str, language: &str| Notice {
        uri: uri.into(),
        version,
        sha256: sha256.into(),
        language: language.into(),
    };
    let (one, two) = ("aa".repeat(32), "bb".repeat(32));
    all_differ(&[
        commit_notice(&[1; 32], &notice("urn:a", 1, &one, "en")),
        commit_notice(&[2; 32], &notice("urn:a", 1, &one, "en")),
        commit_notice(&[1; 32], &notice("urn:b", 1, &one, "en")),
        commit_notice(&[1; 32], &notice("urn:a", 2, &one, "en")),
        commit_notice(&[1; 32], &notice("urn:a", 1, &two, "en")),
        commit_notice(&[1; 32], &notice("urn:a", 1, &one, "nl")),
        // What ends one part does not begin the next.
        commit_notice(&[1; 32], &notice("urn:a", 1, &one, &format!("en\n2\n{two}\nnl"))),
        commit_notice(&[1; 32], &notice(&format!("urn:a\n1\n{one}\nen"), 2, &two, "nl")),
        commit_notice(&[1; 32], &notice("urn:a\",\"version\":1", 1, &one, "en")),
    ]);
    // A notice is never taken for a subject.
    let (key, study) = (SigningKey::from_seed([1; 32]).did(), "heart".parse().unwrap());
    assert_ne!(commit_notice(&[1; 32], &notice(key.as_str(), 1, "", "heart")), commit_subject(&[1; 32], &key, &study));
}

const NAMES: [&str; 12] =
    ["active", "approval", "expires", "key", "previous", "proof", "root", "size", "subject", "time", "version", "vkey"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        text in "\\PC{0,300}",
        names in prop::collection::vec(prop::sample::select(NAMES.to_vec()), 0..8),
        values in prop::collection::vec("-?[0-9]{1,30}|true|null|\"[a-zA-Z0-9:-]{0,70}\"|\\[\\]", 8),
    ) {
        prop_assert!(ConsentEntry::parse(&bytes).is_err());
        prop_assert!(ConsentEntry::parse(text.as_bytes()).is_err());
        for typ in TYPES {
            prop_assert!(fault(typ, &text).is_some());
        }
        // Under each kind of an institution: any text, and an object of members with any of the names.
        let key = SigningKey::from_seed([1; 32]);
        let members: Vec<_> = names.iter().zip(&values).map(|(name, value)| format!("\"{name}\":{value}")).collect();
        for payload in [text.clone(), format!("{{{}}}", members.join(","))] {
            for typ in InstitutionEvent::TYPES {
                prop_assert!(Entry::parse(sign_jws(&key, typ, payload.as_bytes()).as_bytes()).is_err());
            }
        }
        let _ = ledger::SignedNote::parse(&text);
        let _ = ledger::Receipt::parse(&text);
        let _ = ledger::TileId::parse(&text);
        let _ = ledger::BundleId { index: 0, width: 3 }.entries(&bytes);
    }
}
