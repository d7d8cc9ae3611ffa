//! Snapshots: what a set shows, what it hides, and that no proof shows more than is true.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use consent::StudyId;
use identity::{SigningKey, to_canonical};
use ledger::event::{InstitutionEvent, Snapshot};
use ledger::{
    Entry, Hash, MAX_SNAPSHOT, MIN_SNAPSHOT, Presence, ProofError, Pseudonym, PseudonymKey, PseudonymProof, SetProof,
    SnapshotError, SnapshotSet, commit_subject, leaf_hash, node_hash, padded_size,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn study(name: &str) -> StudyId {
    name.parse().unwrap()
}

fn key(name: &str) -> PseudonymKey {
    PseudonymKey::derive(&[9; 32], &study(name)).unwrap()
}

fn hash(byte: u8) -> Hash {
    Hash::from_bytes([byte; 32])
}

/// A set with the pseudonyms of these subjects, and decoys up to the next step.
fn set(key: &PseudonymKey, subjects: &[Hash]) -> SnapshotSet {
    let real = subjects.iter().map(|subject| key.pseudonym(subject).unwrap().0);
    let decoys = padded_size(subjects.len() as u64).unwrap() - subjects.len() as u64;
    SnapshotSet::new(real.chain((0..decoys).map(|number| key.decoy(number).unwrap().0)).collect()).unwrap()
}

fn logged(set: &SnapshotSet, key: &PseudonymKey) -> Snapshot {
    let (epoch, time) = ("2026-11-23".parse().unwrap(), "2026-11-23T00:00:01Z".parse().unwrap());
    set.event(study("heart-2026"), epoch, hash(4), key.public(), time)
}

/// RFC 6962, section 2.1, word by word: an independent way to the root.
fn merkle_tree_hash(leaves: &[Pseudonym]) -> Hash {
    match leaves {
        [leaf] => leaf_hash(leaf.as_bytes()),
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(merkle_tree_hash(left), merkle_tree_hash(right))
        }
    }
}

#[test]
fn the_library_is_the_suite_that_the_document_names() {
    // The test vector of https://c2sp.org/vrf-r255.
    let bytes = |text: &str| hex::decode(text).unwrap();
    let secret = bytes("3431c2b03533e280b23232e280b34e2c3132c2b03238e280b23131e280b34500");
    let public = bytes("54136cd90d99fbd1d4e855d9556efea87ba0337f2a6ce22028d0f5726fcb854e");
    let proof = bytes(
        "0a97d961262fb549b4175c5117860f42ae44a123f93c476c439eddd1c0cff9265c805525233e2284dbed45e593b8eea31d5ca9734d72\
         bcbba9738d5237f955f3b2422351149d1312503b6441a47c940c",
    );
    let output = bytes(
        "dd653f0879b48c3ef69e13551239bec4cbcc1c18fe8894de2e9e1c790e18273603bf1c6c25d7a797aeff3c43fd32b974d3fcbd4bcce9\
         16007097922a3ea3a794",
    );
    let secret = vrf_r255::SecretKey::from_bytes(secret.try_into().unwrap()).unwrap();
    assert_eq!(vrf_r255::PublicKey::from(secret).to_bytes().to_vec(), public);
    let made = secret.prove(b"c2sp.org/vrf-r255");
    assert_eq!(made.to_bytes().to_vec(), proof);
    let checked = vrf_r255::PublicKey::from(secret).verify(b"c2sp.org/vrf-r255", &made).unwrap();
    assert_eq!(checked.to_vec(), output);
}

#[test]
fn an_auditor_checks_a_pseudonym_without_the_key() {
    let secret = key("heart-2026");
    let (pseudonym, proof) = secret.pseudonym(&hash(1)).unwrap();
    assert_eq!(proof.verify(&secret.public(), &hash(1)), Ok(pseudonym));
    assert_eq!(secret.pseudonym(&hash(1)).unwrap().0, pseudonym, "a subject has one pseudonym");
    let wrong = Err(SnapshotError::Pseudonym);
    assert_eq!(proof.verify(&secret.public(), &hash(2)), wrong, "another subject");
    assert_eq!(proof.verify(&key("sleep").public(), &hash(1)), wrong, "another study's key");
    assert_eq!(proof.verify(&Hash::from_bytes([0; 32]), &hash(1)), Err(SnapshotError::Key), "the identity is no key");
    assert_eq!(proof.verify(&hash(0xff), &hash(1)), Err(SnapshotError::Key), "no point");
    for at in 0..80 {
        let mut bent = *proof.as_bytes();
        bent[at] ^= 1;
        assert_eq!(PseudonymProof::from_bytes(bent).verify(&secret.public(), &hash(1)), wrong, "byte {at}");
    }
}

#[test]
fn a_decoy_is_no_pseudonym_and_can_be_told_by_proof_alone() {
    let secret = key("heart-2026");
    let (decoy, proof) = secret.decoy(3).unwrap();
    assert_eq!(proof.verify_decoy(&secret.public(), 3), Ok(decoy));
    assert_eq!(proof.verify_decoy(&secret.public(), 4), Err(SnapshotError::Pseudonym));
    // A subject whose bytes are those of a decoy's number is still another input.
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&3u64.to_be_bytes());
    assert_eq!(proof.verify(&secret.public(), &Hash::from_bytes(bytes)), Err(SnapshotError::Pseudonym));
}

#[test]
fn studies_can_not_be_joined_by_their_pseudonyms() {
    let donor = SigningKey::from_seed([2; 32]).did();
    let mut seen = BTreeSet::new();
    for name in ["heart-2026", "sleep-memory", "diabetes-families"] {
        let subject = commit_subject(&[7; 32], &donor, &study(name));
        let secret = key(name);
        assert!(seen.insert(secret.pseudonym(&subject).unwrap().0), "{name}");
        // Not even the same subject has the same pseudonym in two studies, and no two studies share a decoy or a key.
        assert!(seen.insert(secret.pseudonym(&hash(1)).unwrap().0), "{name}");
        assert!(seen.insert(secret.decoy(0).unwrap().0), "{name}");
        assert!(seen.insert(Pseudonym::from_bytes(*secret.public().as_bytes())), "{name}");
    }
    let other = PseudonymKey::derive(&[8; 32], &study("heart-2026")).unwrap();
    assert_ne!(other.public(), key("heart-2026").public(), "another institution has other pseudonyms");
}

#[test]
fn the_size_tells_a_step_and_not_the_count() {
    for (count, size) in
        [(0, 64), (1, 64), (64, 64), (65, 128), (1000, 1024), (1025, 2048), (MAX_SNAPSHOT, MAX_SNAPSHOT)]
    {
        assert_eq!(padded_size(count), Ok(size), "{count}");
    }
    assert_eq!(padded_size(MAX_SNAPSHOT + 1), Err(SnapshotError::Size));
    assert_eq!(padded_size(u64::MAX), Err(SnapshotError::Size));
    let subjects: Vec<Hash> = (0..64).map(hash).collect();
    let secret = key("heart-2026");
    assert_eq!(set(&secret, &[]).size(), set(&secret, &subjects).size());
}

#[test]
fn a_set_is_sorted_and_holds_nothing_twice() {
    let many = |count: u8| (0..count).map(|byte| Pseudonym::from_bytes([byte; 32])).collect::<Vec<_>>();
    for count in [0, 1, 32, 63, 65, 100] {
        assert_eq!(SnapshotSet::new(many(count)), Err(SnapshotError::Size), "{count}");
    }
    let mut twice = many(64);
    twice[10] = twice[40];
    assert_eq!(SnapshotSet::new(twice), Err(SnapshotError::Twice));
    let (mut mixed, sorted) = (many(64), many(64));
    mixed.reverse();
    let set = SnapshotSet::new(mixed).unwrap();
    assert_eq!(set.pseudonyms(), sorted);
    assert_eq!(set.root(), merkle_tree_hash(&sorted));
}

#[test]
fn a_withdrawal_is_an_absence_in_the_next_set_and_a_step_looks_like_any_other() {
    let secret = key("heart-2026");
    let subjects: Vec<Hash> = (1..=10).map(hash).collect();
    let (left, _) = secret.pseudonym(&hash(4)).unwrap();
    let before = set(&secret, &subjects);
    let stayed: Vec<Hash> = subjects.iter().copied().filter(|subject| *subject != hash(4)).collect();
    let after = set(&secret, &stayed);
    assert_eq!(before.prove(&left).verify(&logged(&before, &secret), &left), Ok(Presence::Present));
    assert_eq!(after.prove(&left).verify(&logged(&after, &secret), &left), Ok(Presence::Absent));
    // One leaf went, one came, the size is the same: one who joins looks the same the other way round.
    let (old, new): (BTreeSet<_>, BTreeSet<_>) =
        (before.pseudonyms().iter().collect(), after.pseudonyms().iter().collect());
    assert_eq!((old.difference(&new).count(), new.difference(&old).count(), before.size()), (1, 1, after.size()));
    // A proof of the day before says nothing of the day after.
    assert_eq!(before.prove(&left).verify(&logged(&after, &secret), &left), Err(ProofError::Root.into()));
}

#[test]
fn no_proof_shows_absence_of_what_is_there_or_presence_of_what_is_not() {
    let secret = key("heart-2026");
    let set = set(&secret, &[hash(1), hash(2)]);
    let said = logged(&set, &secret);
    let all = set.pseudonyms().to_vec();
    let leaf = |at: usize| set.prove(&all[at]).leaves.remove(0);
    let proof = |leaves| SetProof { leaves };
    let target = all[20];
    let elsewhere = Pseudonym::from_bytes({
        let mut bytes = *target.as_bytes();
        bytes[31] ^= 1;
        bytes
    });
    let wrong = Err(SnapshotError::Leaves);
    // The neighbours of what is there do not stand side by side.
    assert_eq!(proof(vec![leaf(19), leaf(21)]).verify(&said, &target), wrong);
    assert_eq!(proof(vec![leaf(20), leaf(21)]).verify(&said, &target), wrong);
    assert_eq!(proof(vec![leaf(19), leaf(20)]).verify(&said, &target), wrong);
    assert_eq!(proof(vec![leaf(21), leaf(20)]).verify(&said, &target), wrong);
    assert_eq!(proof(vec![]).verify(&said, &target), wrong);
    assert_eq!(proof(vec![leaf(19), leaf(20), leaf(21)]).verify(&said, &elsewhere), wrong);
    // The first leaf speaks for what is before it alone, the last for what is behind it.
    assert_eq!(proof(vec![leaf(0)]).verify(&said, &target), wrong);
    assert_eq!(proof(vec![leaf(63)]).verify(&said, &target), wrong);
    assert_eq!(proof(vec![leaf(5)]).verify(&said, &target), wrong);
    // Numbers and pseudonyms that were exchanged lead nowhere.
    let mut moved = leaf(21);
    moved.index = 20;
    assert_eq!(proof(vec![leaf(19), moved]).verify(&said, &target), Err(ProofError::Root.into()));
    let mut renamed = leaf(20);
    renamed.pseudonym = elsewhere;
    assert_eq!(proof(vec![renamed]).verify(&said, &elsewhere), Err(ProofError::Root.into()));
    let mut claimed = leaf(20);
    claimed.index = u64::MAX;
    assert_eq!(proof(vec![claimed, leaf(0)]).verify(&said, &elsewhere), wrong);
    let mut longer = leaf(20);
    longer.path.push(hash(1));
    assert_eq!(proof(vec![longer]).verify(&said, &target), Err(ProofError::Length.into()));
    // A set of another size than any set has is none.
    for size in [0, 1, 63, 65, MAX_SNAPSHOT * 2] {
        let bent = Snapshot { size, ..said.clone() };
        assert_eq!(proof(vec![leaf(20)]).verify(&bent, &target), Err(SnapshotError::Size), "{size}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_asked_the_proof_says_what_is_true(
        seeds in prop::collection::btree_set(any::<[u8; 32]>(), 64..=64),
        asked in any::<[u8; 32]>(),
    ) {
        let secret = key("heart-2026");
        let set = SnapshotSet::new(seeds.iter().copied().map(Pseudonym::from_bytes).collect()).unwrap();
        let said = logged(&set, &secret);
        prop_assert_eq!(set.root(), merkle_tree_hash(set.pseudonyms()));
        for pseudonym in set.pseudonyms() {
            prop_assert_eq!(set.prove(pseudonym).verify(&said, pseudonym), Ok(Presence::Present));
        }
        let near = |bytes: &[u8; 32], step: u8| {
            let mut bytes = *bytes;
            bytes[31] = bytes[31].wrapping_add(step);
            Pseudonym::from_bytes(bytes)
        };
        let asked = seeds.iter().flat_map(|seed| [near(seed, 1), near(seed, 255)]).chain([
            Pseudonym::from_bytes(asked),
            Pseudonym::from_bytes([0; 32]),
            Pseudonym::from_bytes([255; 32]),
        ]);
        for pseudonym in asked {
            let there = set.pseudonyms().contains(&pseudonym);
            let expected = if there { Presence::Present } else { Presence::Absent };
            let proof = set.prove(&pseudonym);
            prop_assert_eq!(proof.verify(&said, &pseudonym), Ok(expected));
            // What was sent is what is read.
            let sent = serde_json::to_vec(&proof).unwrap();
            prop_assert_eq!(&serde_json::from_slice::<SetProof>(&sent).unwrap(), &proof);
        }
    }
}

/// The named blocks of the document's last part.
fn blocks() -> BTreeMap<String, String> {
    let document = include_str!("../FORMAT.md");
    let mut found = BTreeMap::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("```json snapshot") {
            let body: String = lines.by_ref().take_while(|l| *l != "```").map(|l| format!("{l}\n")).collect();
            assert!(found.insert(format!("snapshot{name}"), body).is_none(), "two blocks have one name");
        }
    }
    found
}

#[test]
fn the_document_holds_what_is_made_here() {
    let donor = SigningKey::from_seed([2; 32]).did();
    let secret = key("heart-2026");
    let subject = commit_subject(&[7; 32], &donor, &study("heart-2026"));
    let set = set(&secret, &[subject]);
    let said = logged(&set, &secret);
    let entry = Entry::sign(&SigningKey::from_seed([6; 32]), &InstitutionEvent::Snapshot(said.clone())).unwrap();
    assert_eq!(set.size(), MIN_SNAPSHOT);
    let (pseudonym, proof) = secret.pseudonym(&subject).unwrap();
    let (decoy, decoy_proof) = secret.decoy(0).unwrap();
    let absent = Pseudonym::from_bytes([0x80; 32]);
    let line = |value: &serde_json::Value| format!("{}\n", String::from_utf8(to_canonical(value).unwrap()).unwrap());
    let shown = |proof: &SetProof| line(&serde_json::to_value(proof).unwrap());
    let made = BTreeMap::from([
        (
            "snapshot-pseudonym".to_owned(),
            line(&serde_json::json!({ "proof": proof, "pseudonym": pseudonym, "subject": subject })),
        ),
        (
            "snapshot-decoy".to_owned(),
            line(&serde_json::json!({ "number": 0, "proof": decoy_proof, "pseudonym": decoy })),
        ),
        ("snapshot-payload".to_owned(), line(&serde_json::to_value(&said).unwrap())),
        ("snapshot-entry".to_owned(), format!("{}\n", String::from_utf8(entry.bytes().to_vec()).unwrap())),
        ("snapshot-present".to_owned(), shown(&set.prove(&pseudonym))),
        ("snapshot-absent".to_owned(), shown(&set.prove(&absent))),
    ]);
    let written = blocks();
    for (name, text) in &made {
        assert_eq!(written.get(name).map_or("", String::as_str), text, "{name}");
    }
    assert_eq!(written.len(), made.len());
    // The document's own words are checked as a reader of it would.
    assert_eq!(set.prove(&absent).verify(&said, &absent), Ok(Presence::Absent));
}
