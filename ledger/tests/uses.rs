//! The commitment to a list of uses: its vectors in FORMAT.md, each line's way to the root, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use common::hash;
use consent::DataKind;
use ledger::event::AccessUse;
use ledger::uses::{MAX_USE_LINES, ShownUse, UseFlag, UseLine, Uses, UsesError};
use ledger::{EntryHash, Frontier, Hash, leaf_hash};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

fn line(mark: u16) -> UseLine {
    let bytes = |what: u8| {
        let mut bytes = [what; 32];
        bytes[..2].copy_from_slice(&mark.to_be_bytes());
        Hash::from_bytes(bytes)
    };
    UseLine {
        consent: Some(EntryHash::from_leaf(bytes(3))),
        data: vec![DataKind::Genome],
        flags: Vec::new(),
        salt: bytes(1),
        subject: bytes(2),
    }
}

fn said(uses: Hash) -> AccessUse {
    AccessUse { grant: EntryHash::of(b"grant"), time: "2026-11-23T10:00:00Z".parse().unwrap(), uses }
}

/// The block of FORMAT.md with this name: "```json name".
fn block(name: &str) -> String {
    let document = include_str!("../FORMAT.md");
    let start = format!("```json {name}\n");
    let body = document.split_once(&start).unwrap_or_else(|| panic!("no block {name}")).1;
    body.split_once("\n```").unwrap().0.to_owned()
}

#[test]
fn the_document_has_the_vectors_of_this_code() {
    let unlike = UseLine {
        consent: None,
        data: vec![DataKind::HealthRecord, DataKind::Genome],
        flags: vec![UseFlag::NoLiveConsent, UseFlag::NotInGrant],
        ..line(3)
    };
    let uses = Uses::new(vec![line(1), line(2), unlike]).unwrap();
    let shown: Vec<ShownUse> = uses.shown().collect();
    let lines: Vec<String> = shown.iter().map(|it| String::from_utf8(it.line.to_bytes()).unwrap()).collect();
    assert_eq!(block("use-lines"), lines.join("\n"), "FORMAT.md should say:\n{}", lines.join("\n"));
    assert_eq!(block("uses-commitment"), uses.commitment().to_string());
    let second = String::from_utf8(identity::to_canonical(&shown[1]).unwrap()).unwrap();
    assert_eq!(block("use-shown"), second, "FORMAT.md should say:\n{second}");
    // What is written is read again, and checks against the entry's member.
    let read: ShownUse = serde_json::from_str(&block("use-shown")).unwrap();
    read.verify(&said(block("uses-commitment").parse().unwrap())).unwrap();
}

#[test]
fn the_root_is_that_of_rfc_6962_over_the_sorted_leaves() {
    for count in 1..70u16 {
        let uses = Uses::new((0..count).rev().map(line).collect()).unwrap();
        let mut leaves: Vec<Hash> = (0..count).map(|mark| leaf_hash(&line(mark).to_bytes())).collect();
        leaves.sort();
        let mut tree = Frontier::new();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        let wanted = Sha256::digest(format!("consent-wallet/uses/v1\n{count}\n{}\n", tree.root()));
        assert_eq!(uses.commitment(), Hash::from_bytes(wanted.into()), "{count}");
        assert_eq!(uses.shown().count(), usize::from(count));
    }
}

#[test]
fn a_list_has_one_line_a_subject_and_a_bounded_length() {
    assert_eq!(Uses::new(Vec::new()).unwrap_err(), UsesError::Count);
    let twice = UseLine { salt: hash(9), ..line(1) };
    assert_eq!(Uses::new(vec![line(1), line(2), twice]).unwrap_err(), UsesError::Twice);
    let long = (0..u16::try_from(MAX_USE_LINES).unwrap()).map(line).collect::<Vec<_>>();
    assert!(Uses::new(long.clone()).is_ok());
    let longer = long.into_iter().chain([line(u16::MAX)]).collect();
    assert_eq!(Uses::new(longer).unwrap_err(), UsesError::Count);
}

#[test]
fn a_line_of_another_spelling_is_not_read() {
    let good = block("use-shown");
    for (from, to) in [
        ("\"index\":1", "\"index\":-1"),
        ("\"index\":1", "\"index\":1,\"index\":1"),
        ("\"size\":3", "\"size\":3,\"more\":0"),
        ("genome", "telepathy"),
        ("\"salt\"", "\"Salt\""),
    ] {
        let other = good.replacen(from, to, 1);
        assert_ne!(other, good, "{from}");
        assert!(serde_json::from_str::<ShownUse>(&other).is_err(), "{to}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_line_checks_and_nothing_else_does(count in 1..200u16, pick in 0..200usize, other in 0..200u64) {
        let uses = Uses::new((0..count).map(line).collect()).unwrap();
        let entry = said(uses.commitment());
        for shown in uses.shown() {
            prop_assert!(shown.verify(&entry).is_ok());
        }
        let shown = uses.shown().nth(pick % usize::from(count)).unwrap();
        let wrong = |shown: ShownUse| shown.verify(&entry).is_err();
        // Each member is bound: what a donor is shown can not be changed by whoever shows it.
        let with = |change: fn(&mut UseLine)| {
            let mut line = shown.line.clone();
            change(&mut line);
            ShownUse { line, ..shown.clone() }
        };
        prop_assert!(wrong(with(|line| line.consent = None)));
        prop_assert!(wrong(with(|line| line.data.push(DataKind::Survey))));
        prop_assert!(wrong(with(|line| line.flags.push(UseFlag::NotInGrant))));
        prop_assert!(wrong(with(|line| line.salt = Hash::empty_root())));
        prop_assert!(wrong(with(|line| line.subject = Hash::empty_root())));
        let larger = ShownUse { size: shown.size + 1 + other, ..shown.clone() };
        prop_assert!(wrong(larger));
        let empty = ShownUse { size: 0, ..shown.clone() };
        prop_assert!(wrong(empty));
        if other != shown.index {
            let moved = ShownUse { index: other, ..shown.clone() };
            prop_assert!(wrong(moved));
        }
        let mut longer = shown.clone();
        longer.path.push(Hash::empty_root());
        prop_assert!(wrong(longer));
        if !shown.path.is_empty() {
            let mut shorter = shown.clone();
            shorter.path.pop();
            prop_assert!(wrong(shorter));
        }
        prop_assert!(shown.verify(&said(Hash::empty_root())).is_err());
    }
}
