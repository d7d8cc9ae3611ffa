//! What FORMAT.md says of institutions and keys: each block that is named behind "```said" is made again here and
//! compared byte for byte, each line of "refused" must be refused, and the tables are tried out cell by cell.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use common::hash;
use common::world::*;
use consent::Outcome;
use identity::{sign_jws, verify_jws};
use ledger::event::{InstitutionEvent, KeyRebinding, SampleStep};
use ledger::{Entry, EntryError, EntryHash, Rejected};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const DOCUMENT: &str = include_str!("../FORMAT.md");

fn blocks() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut lines = DOCUMENT.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("```said ") {
            let body: String = lines.by_ref().take_while(|l| *l != "```").map(|l| format!("{l}\n")).collect();
            assert!(found.insert(name.to_owned(), body).is_none(), "two blocks are called {name}");
        }
    }
    found
}

/// The cells of the table whose head begins with this cell.
fn table(head: &str) -> Vec<Vec<&'static str>> {
    let begin = format!("| {head} |");
    let lines = DOCUMENT.lines().skip_while(|line| !line.starts_with(&begin)).take_while(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// The world of the document, and one of each kind that could come next; what may be there is there.
fn kinds(signer: u8) -> (World, Vec<InstitutionEvent>) {
    let mut world = World::new();
    let request = world.request();
    let grant = InstitutionEvent::AccessGrant(access(RESEARCHER, None, "11:00:00", "12:00:00"));
    let grant = world.must(INSTITUTION, grant);
    let mut kinds = one_of_each(&world, signer, request, grant);
    for kind in &mut kinds {
        match kind {
            InstitutionEvent::AccessDecision(_) => *kind = decision(request, Outcome::Permit, "2026-12-31"),
            InstitutionEvent::AccessGrant(said) => said.request = Some(request),
            InstitutionEvent::Sample(_) => *kind = sample(SampleStep::Derive, 2, Some(1), Some(request)),
            _ => {}
        }
    }
    (world, kinds)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn rebinding_of(kinds: &[InstitutionEvent]) -> &KeyRebinding {
    let found = kinds.iter().find_map(|kind| match kind {
        InstitutionEvent::KeyRebinding(said) => Some(said),
        _ => None,
    });
    found.unwrap()
}

/// A story in which every kind of record is written.
fn story() -> World {
    let mut world = World::new();
    let request = world.allowed();
    let grant = InstitutionEvent::AccessGrant(access(RESEARCHER, Some(request), "12:00:00", "13:00:00"));
    let grant = world.must(INSTITUTION, grant);
    world.must(RESEARCHER, used(grant, "12:30:00"));
    world.must(INSTITUTION, policy(1));
    world.must(INSTITUTION, log_key(5, "13:00:00"));
    world.must(INSTITUTION, snapshot("2026-11-23"));
    world.must(INSTITUTION, anchor(5));
    world.must(INSTITUTION, ending(ledger::event::Cause::Court, "14:00:00"));
    world
}

fn made() -> BTreeMap<&'static str, String> {
    let (_, kinds) = kinds(INSTITUTION);
    let founding = World::new().log.remove(0);
    let binding = rebinding_of(&kinds);
    let world = story();
    let record = |(key, record): (&ledger::Key, &ledger::Record)| format!("{key} {}\n", text(record.to_bytes()));
    BTreeMap::from([
        ("entry", format!("{}\n", text(founding.bytes().to_vec()))),
        ("payloads", kinds.iter().map(|kind| format!("{} {}\n", kind.typ(), text(kind.payload()))).collect()),
        ("key-statement", format!("{}\n", text(verify_jws(&binding.proof).unwrap().payload))),
        ("key-proof", format!("{}\n", binding.proof)),
        ("key-approval", format!("{}\n", binding.approval)),
        ("records", world.state.records().map(record).collect()),
        ("state", format!("{}\n", world.state.hash())),
    ])
}

#[test]
fn every_block_is_what_the_code_makes() {
    let (written, made) = (blocks(), made());
    let mut wrong = String::new();
    for (name, text) in &made {
        if written.get(*name) != Some(text) {
            wrong.push_str(&format!("```said {name}\n{text}```\n"));
        }
    }
    assert!(wrong.is_empty(), "FORMAT.md should say:\n{wrong}");
    assert!(written.keys().all(|name| name == "refused" || made.contains_key(name.as_str())));
}

/// What is wrong with a payload under a type, if anything is; the signature is always right.
fn fault(typ: &str, payload: &str) -> Option<EntryError> {
    Entry::parse(sign_jws(&key(INSTITUTION), typ, payload.as_bytes()).as_bytes()).err()
}

#[test]
fn what_must_be_refused_is_refused() {
    for line in blocks()["refused"].lines() {
        let (typ, payload) = line.split_once(' ').unwrap();
        assert_eq!(fault(typ, payload), Some(EntryError::Content), "{line}");
    }
}

#[test]
fn the_table_of_kinds_names_the_members_and_who_speaks() {
    let rows = table("kind");
    assert_eq!(rows[0], ["kind", "members", "who"]);
    let roles: [(u8, &str); 7] = [
        (INSTITUTION, "institution"),
        (STAFF, "staff"),
        (RESEARCHER, "researcher"),
        (COMMITTEE, "committee"),
        (AUDITOR, "auditor"),
        (PARTNER, "member"),
        (DONOR, "donor"),
    ];
    let rows = &rows[2..];
    assert_eq!(
        rows.iter().map(|row| row[0].trim_matches('`')).collect::<Vec<_>>(),
        InstitutionEvent::TYPES.iter().map(|typ| typ.trim_end_matches(".v1+jws")).collect::<Vec<_>>()
    );
    for (signer, role) in roles {
        let (world, _) = kinds(signer);
        let (request, grant) = (world.log[world.log.len() - 2].hash(), world.log.last().unwrap().hash());
        for (row, event) in rows.iter().zip(one_of_each(&world, signer, request, grant)) {
            let mut world = world.clone();
            if matches!(event, InstitutionEvent::Asking(_)) {
                world.must(INSTITUTION, ending(ledger::event::Cause::Court, "11:59:59"));
            }
            let heard = world.say(signer, event);
            let wanted = row[2].split(", ").any(|who| who == role);
            let refused = matches!(heard, Err(Rejected::NotAllowed | Rejected::ForeignKey));
            assert_eq!((heard.is_ok(), refused), (wanted, !wanted), "{} by {role}: {heard:?}", row[0]);
        }
    }
    for (row, event) in rows.iter().zip(kinds(INSTITUTION).1) {
        let members: Map<String, Value> = serde_json::from_slice(&event.payload()).unwrap();
        let listed: Vec<(&str, bool)> = row[1]
            .split(", ")
            .map(|name| (name.trim_end_matches(" (may)").trim_matches('`'), name.ends_with("(may)")))
            .collect();
        assert_eq!(members.keys().collect::<Vec<_>>(), listed.iter().map(|(name, _)| name).collect::<Vec<_>>());
        for (name, may) in listed {
            let mut without = members.clone();
            without.remove(name);
            let wanted = (!may).then_some(EntryError::Content);
            let payload = serde_json_canonicalizer::to_string(&without).unwrap();
            assert_eq!(fault(event.typ(), &payload), wanted, "{} {name}", event.typ());
        }
    }
}

#[test]
fn there_is_one_spelling_of_each_payload() {
    for event in kinds(INSTITUTION).1 {
        let good = text(event.payload());
        let members: Map<String, Value> = serde_json::from_str(&good).unwrap();
        assert_eq!(serde_json_canonicalizer::to_string(&members).unwrap(), good);
        assert_eq!(fault(event.typ(), &good), None);
        let mut others = vec![
            format!(" {good}"),
            format!("{good}\n"),
            good.replacen(':', ": ", 1),
            good.replacen("2026-11-23T", "2026-11-23t", 1),
            good.replace("00Z", "00.0Z"),
            good.replace("Z\"", "+00:00\""),
            good.replacen('}', ",\"why\":\"x\"}", 1),
            format!("[{good}]"),
        ];
        others.extend(members.keys().flat_map(|name| {
            let with = |value: Value| {
                let mut changed = members.clone();
                changed.insert(name.clone(), value);
                Value::Object(changed).to_string()
            };
            let twice = good.replacen('}', &format!(",\"{name}\":{}}}", members[name]), 1);
            let numbers = [(-1).into(), (1_u64 << 53).into(), u64::MAX.into(), serde_json::json!(0.5)];
            let texts = ["", " ", " x", "x ", "x\ny", "\u{202e}x", "x\u{200b}", "x\u{a0}y"].map(Value::from);
            let kinds = [Value::Null, "A".repeat(257).into(), Value::Array(vec![members[name].clone()])];
            [vec![twice], numbers.into_iter().chain(texts).chain(kinds).map(with).collect()].concat()
        }));
        for other in others.into_iter().filter(|other| *other != good) {
            let fault = fault(event.typ(), &other);
            assert!(matches!(fault, Some(EntryError::Content | EntryError::Signature)), "{}: {other}", event.typ());
        }
        for typ in InstitutionEvent::TYPES.iter().filter(|typ| **typ != event.typ()) {
            assert!(fault(typ, &good).is_some(), "{} as {typ}", event.typ());
        }
        for typ in [event.typ().replace("v1", "v2"), event.typ().to_uppercase(), format!("{} ", event.typ())] {
            assert_eq!(fault(&typ, &good), Some(EntryError::Kind));
        }
    }
}

#[test]
fn every_changed_bit_of_an_entry_of_each_kind_is_noticed() {
    for event in kinds(INSTITUTION).1 {
        let entry = Entry::sign(&key(INSTITUTION), &event).unwrap();
        assert_eq!(Entry::parse(entry.bytes()).as_ref(), Ok(&entry));
        assert_eq!(entry.hash(), EntryHash::of(entry.bytes()));
        let bits = entry.bytes().len() * 8;
        // Every bit of the signature and of the header's end, and every seventh of the rest, keeps this short.
        for bit in (0..bits).filter(|bit| bit % 7 == 0 || bits - bit < 8 * 90) {
            let mut bytes = entry.bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Entry::parse(&bytes).is_err(), "{}, bit {bit}", event.typ());
        }
        for end in (0..entry.bytes().len()).step_by(3) {
            assert!(Entry::parse(&entry.bytes()[..end]).is_err(), "{} cut at {end}", event.typ());
        }
    }
    assert_eq!(Entry::parse(&hash(1).as_bytes()[..]), Err(EntryError::Signature));
}
