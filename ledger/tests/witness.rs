//! A witness: each answer of the specification, and that no order of requests makes it sign two histories.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod institution;

use identity::SigningKey;
use institution::{Log, NOW, ORIGIN, ed25519, lines, log_key, log_keys, ml_dsa};
use ledger::{
    AddCheckpoint, Answer, Checkpoint, CheckpointError, CosignedCheckpoint, Cosigner, Hash, LogKey,
    MAX_ADD_CHECKPOINT_BYTES, NoteKey, Refusal, SIZE_CONTENT_TYPE, Update, Witness, Witnessed, origin_hash,
};
use proptest::prelude::*;

fn witness() -> Witness {
    Witness::new(vec![ed25519(1), ml_dsa(1)])
}

fn ask(request: &AddCheckpoint, stored: Option<&Witnessed>) -> Result<Update, Refusal> {
    witness().add_checkpoint(request, &log_keys(), stored, NOW)
}

/// What a witness keeps that has signed this size.
fn at(log: &Log, size: u64) -> Witnessed {
    ask(&log.request(0, size), None).unwrap().next
}

#[test]
fn it_signs_the_first_checkpoint_and_each_that_contains_the_one_before() {
    let log = Log::of(40);
    let mut stored: Option<Witnessed> = None;
    for (old, new) in [(0, 0), (0, 1), (1, 1), (1, 8), (8, 21), (21, 40), (40, 40)] {
        let Update { next, body } = ask(&log.request(old, new), stored.as_ref()).unwrap();
        assert_eq!((next.size, next.root, next.time), (new, log.root(new), NOW));
        assert_eq!(body.lines().count(), 2);
        assert!(body.lines().all(|line| line.starts_with("\u{2014} witness.example/")) && body.ends_with('\n'));
        assert_eq!(next.note, format!("{}{body}", log.checkpoint(new).note()));
        let keys: Vec<_> = witness().cosigners().iter().map(|cosigner| cosigner.key().clone()).collect();
        let merged = log.checkpoint(new).with_cosignatures(&body, &keys).unwrap();
        assert_eq!(merged.note(), next.note);
        for key in &keys {
            assert_eq!(CosignedCheckpoint::open(&next.note, key).unwrap().time(), NOW);
        }
        stored = Some(next);
    }
}

#[test]
fn status_400_for_what_is_no_request() {
    let log = Log::of(9);
    let good = log.request(3, 9).to_string();
    assert_eq!(AddCheckpoint::parse(good.as_bytes()).unwrap(), log.request(3, 9));
    let (head, checkpoint) = good.split_once("\n\n").unwrap();
    let hash = Hash::from_bytes([1; 32]).to_base64();
    let with_lines = |count: usize| format!("old 3\n{}\n{checkpoint}", format!("{hash}\n").repeat(count));
    assert!(AddCheckpoint::parse(with_lines(63).as_bytes()).is_some());
    for bad in [
        String::new(),
        "\n\n".into(),
        head.to_owned(),
        checkpoint.to_owned(),
        good.replacen("old 3", "old 03", 1),
        good.replacen("old 3", "old +3", 1),
        good.replacen("old 3", "old -3", 1),
        good.replacen("old 3", "old  3", 1),
        good.replacen("old 3", "Old 3", 1),
        good.replacen("old 3", "old 18446744073709551616", 1),
        good.replacen("old 3\n", "old 3\r\n", 1),
        good.replacen("old 3\n", "old 3\nAAAA\n", 1),
        good.replacen("old 3\n", &format!("old 3\n{hash} \n"), 1),
        good.replacen("old 3\n", "", 1),
        good.trim_end().to_owned(),
        with_lines(64),
        format!("old 3\n\n{ORIGIN}\n9\n{hash}\n"),
        format!("old 3\n\n{}", "x".repeat(MAX_ADD_CHECKPOINT_BYTES)),
    ] {
        assert_eq!(AddCheckpoint::parse(bad.as_bytes()), None, "{bad:?}");
    }
    assert_eq!(AddCheckpoint::parse(b"old 3\n\n\xff\n"), None);
    // An old size beyond the checkpoint, whatever is stored: this is how a rollback looks that does not hide.
    let back = AddCheckpoint { old_size: 9, proof: vec![], checkpoint: log.checkpoint(5).note().into() };
    let refused = ask(&back, Some(&at(&log, 9))).unwrap_err();
    assert_eq!((refused.clone(), refused.status()), (Refusal::BadRequest, 400));
    // A text that the log signed, but that is no checkpoint.
    let odd =
        AddCheckpoint { old_size: 0, proof: vec![], checkpoint: log_key().sign(&format!("{ORIGIN}\nx\n")).unwrap() };
    assert_eq!(ask(&odd, None).unwrap_err().status(), 400);
}

#[test]
fn status_403_without_a_good_signature_of_the_log() {
    let log = Log::of(9);
    let stranger = NoteKey::new(ORIGIN, SigningKey::from_seed([6; 32])).unwrap();
    let checkpoint = Checkpoint { origin: ORIGIN.into(), size: 9, root: log.root(9) };
    let by_stranger = checkpoint.sign(&stranger).unwrap().note().to_owned();
    let moved = format!("{ORIGIN}\n9\n{}\n\n{}", log.root(9).to_base64(), lines(log.checkpoint(8).note()));
    let beside = format!("{}{}", log.checkpoint(9).note(), lines(log.checkpoint(8).note()));
    for note in [by_stranger.clone(), moved, beside] {
        let refused = ask(&AddCheckpoint { old_size: 0, proof: vec![], checkpoint: note }, None).unwrap_err();
        assert_eq!((refused.clone(), refused.status()), (Refusal::Unsigned, 403));
    }
    // By its ML-DSA-44 key alone a log says nothing that convicts it later: each checkpoint bears its Ed25519 key's too.
    let second = Cosigner::ml_dsa_44(ORIGIN, &[55; 32]).unwrap();
    let keys = [log_keys(), vec![LogKey::ml_dsa_44(second.key().clone()).unwrap()]].concat();
    let line = log.checkpoint(9).cosign(&second, NOW).unwrap();
    let alone = format!("{}\n{line}", log.checkpoint(9).text());
    Checkpoint::open_with(&alone, &keys).unwrap();
    let ask_both = |checkpoint: String| {
        witness().add_checkpoint(&AddCheckpoint { old_size: 0, proof: vec![], checkpoint }, &keys, None, NOW)
    };
    assert_eq!(ask_both(alone).unwrap_err(), Refusal::Unsigned);
    ask_both(log.checkpoint(9).with(line).unwrap().note().to_owned()).unwrap();
    // A stranger's signature beside the log's is passed over, and not passed on.
    let both = format!("{}{}", log.checkpoint(9).note(), lines(&by_stranger));
    let update = ask(&AddCheckpoint { old_size: 0, proof: vec![], checkpoint: both }, None).unwrap();
    assert_eq!(update.next.note, format!("{}{}", log.checkpoint(9).note(), update.body));
}

#[test]
fn status_404_for_a_log_that_is_not_witnessed() {
    let request = Log::of(9).request(0, 9);
    let other: LogKey =
        NoteKey::new("other.example/log", SigningKey::from_seed([5; 32])).unwrap().verifier().clone().into();
    for keys in [vec![], vec![other]] {
        let refused = witness().add_checkpoint(&request, &keys, None, NOW).unwrap_err();
        assert_eq!((refused.clone(), refused.status()), (Refusal::UnknownLog, 404));
    }
    assert_eq!(request.origin(), ORIGIN);
    assert_eq!(origin_hash("example.com/behind-the-sofa").len(), 64);
    assert_eq!(origin_hash(""), Hash::empty_root().to_string());
}

#[test]
fn status_409_says_at_which_size_the_witness_is() {
    let log = Log::of(20);
    for (old, new, stored) in [(0, 9, Some(5)), (5, 9, None), (4, 9, Some(5)), (6, 9, Some(5)), (3, 4, Some(5))] {
        let stored = stored.map(|size| at(&log, size));
        let size = stored.as_ref().map_or(0, |stored| stored.size);
        let refused = ask(&log.request(old, new), stored.as_ref()).unwrap_err();
        assert_eq!((refused.clone(), refused.status()), (Refusal::Conflict(size), 409));
        assert_eq!((refused.content_type(), refused.body()), (SIZE_CONTENT_TYPE, format!("{size}\n")));
        assert_eq!(Answer::read(409, refused.content_type(), &refused.body()), Some(Answer::At(size)));
    }
}

#[test]
fn status_422_for_a_proof_that_proves_nothing() {
    let log = Log::of(20);
    let stored = at(&log, 5);
    let good = log.request(5, 13);
    let refused = |request: &AddCheckpoint, stored: Option<&Witnessed>| {
        let refused = ask(request, stored).unwrap_err();
        assert_eq!((refused.clone(), refused.status()), (Refusal::Inconsistent, 422));
    };
    let with = |proof: Vec<Hash>| AddCheckpoint { proof, ..good.clone() };
    refused(&with(vec![]), Some(&stored));
    refused(&with(good.proof[1..].to_vec()), Some(&stored));
    refused(&with([good.proof.clone(), vec![log.root(1)]].concat()), Some(&stored));
    for at in 0..good.proof.len() {
        let mut proof = good.proof.clone();
        proof[at] = log.root(2);
        refused(&with(proof), Some(&stored));
    }
    // From nothing there is nothing to prove, and between equal sizes neither.
    refused(&AddCheckpoint { proof: vec![log.root(1)], ..log.request(0, 9) }, None);
    refused(&AddCheckpoint { proof: vec![log.root(1)], ..log.request(5, 5) }, Some(&stored));
    // An empty log has one root.
    let root = log.root(1).to_base64();
    let empty = log_key().sign(&format!("{ORIGIN}\n0\n{root}\n")).unwrap();
    refused(&AddCheckpoint { old_size: 0, proof: vec![], checkpoint: empty }, None);
    // Another history from a size where the proof leaves out the old root, so that it does not show whose fault it is.
    refused(&log.forked_at(3).request(4, 13), Some(&at(&log, 4)));
}

#[test]
fn a_fork_is_refused_with_evidence_that_anybody_can_check() {
    let log = Log::of(20);
    let stored = at(&log, 13);
    let refused = ask(&log.forked_at(7).request(13, 13), Some(&stored)).unwrap_err();
    assert_eq!(refused.status(), 422);
    let Refusal::Forked(fork) = refused else { panic!("{refused:?}") };
    let (held, shown) = fork.verify(&log_keys()).unwrap();
    assert_eq!((held.size, shown.size), (13, 13));
    assert_ne!(held.root, shown.root);
    let mut same = fork.as_ref().clone();
    same.shown.clone_from(&same.held);
    assert!(same.verify(&log_keys()).is_err(), "the same twice is no fork");
    let mut grown = fork.as_ref().clone();
    grown.shown = log.checkpoint(14).note().to_owned();
    assert!(grown.verify(&log_keys()).is_err(), "growth is no fork");
    let mut forged = fork.as_ref().clone();
    forged.shown = forged.shown.replacen(&shown.root.to_base64(), &log.root(2).to_base64(), 1);
    assert!(matches!(forged.verify(&log_keys()), Err(CheckpointError::Note(_))), "a framed log is not guilty");
    let copy = serde_json::to_string(&fork).unwrap();
    assert_eq!(serde_json::from_str::<ledger::Fork>(&copy).unwrap(), *fork);
}

#[test]
fn a_log_that_grew_from_another_past_convicts_itself_by_its_own_proof() {
    let log = Log::of(20);
    let refused = ask(&log.forked_at(3).request(5, 13), Some(&at(&log, 5))).unwrap_err();
    assert_eq!(refused.status(), 422);
    let Refusal::Forked(fork) = refused else { panic!("{refused:?}") };
    let (held, shown) = fork.verify(&log_keys()).unwrap();
    assert_eq!((held.size, shown.size), (5, 13));
    let mut bare = fork.as_ref().clone();
    bare.proof.clear();
    assert!(bare.verify(&log_keys()).is_err(), "without the proof nothing is shown");
}

#[test]
fn a_clock_that_goes_backwards_makes_no_contradiction() {
    let log = Log::of(20);
    let first = witness().add_checkpoint(&log.request(0, 5), &log_keys(), None, NOW).unwrap().next;
    let second = witness().add_checkpoint(&log.request(5, 9), &log_keys(), Some(&first), NOW - 999).unwrap().next;
    assert_eq!(second.time, NOW);
    let unset = witness().add_checkpoint(&log.request(0, 5), &log_keys(), None, 0).unwrap().next;
    assert_eq!(unset.time, 1, "a statement without a time would be none");
    assert_eq!(witness().add_checkpoint(&log.request(0, 5), &log_keys(), None, u64::MAX), Err(Refusal::BadRequest));
}

#[test]
fn answers_are_read_as_they_are_meant() {
    assert_eq!(Answer::read(200, "text/plain", "\u{2014} x\n"), Some(Answer::Lines("\u{2014} x\n".into())));
    assert_eq!(Answer::read(422, "text/plain", "no\n"), Some(Answer::Refused(422)));
    assert_eq!(Answer::read(503, "", ""), Some(Answer::Refused(503)));
    for body in ["7", "07\n", "+7\n", "7\n\n", "", "\n", "18446744073709551616\n"] {
        assert_eq!(Answer::read(409, SIZE_CONTENT_TYPE, body), None, "{body:?}");
    }
    // As witnesses of an older specification answer to a fork.
    assert_eq!(Answer::read(409, "text/plain", "no\n"), Some(Answer::Refused(409)));
}

#[test]
fn what_is_kept_survives_storage() {
    let stored = at(&Log::of(9), 9);
    assert_eq!(serde_json::from_str::<Witnessed>(&serde_json::to_string(&stored).unwrap()).unwrap(), stored);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Requests of an honest log and of its fork, in any order and with any sizes: what is kept never shrinks, what
    /// is signed is always a prefix of what is signed later, and so never two histories.
    #[test]
    fn no_order_of_requests_makes_two_histories(
        cut in 0_usize..24,
        requests in prop::collection::vec((any::<bool>(), 0_u64..24, 0_u64..24, any::<bool>()), 1..24),
    ) {
        let honest = Log::of(24);
        let fork = honest.forked_at(cut);
        let mut stored: Option<Witnessed> = None;
        let mut signed: Vec<(u64, Hash)> = Vec::new();
        for (forked, old, new, knows) in requests {
            let log = if forked { &fork } else { &honest };
            let old = if knows { stored.as_ref().map_or(0, |stored| stored.size) } else { old };
            let request = AddCheckpoint {
                old_size: old,
                proof: if old <= new { log.proof(old, new) } else { vec![] },
                checkpoint: log.checkpoint(new).note().to_owned(),
            };
            // Without keys that sign, for speed: the decision is the same.
            match Witness::default().add_checkpoint(&request, &log_keys(), stored.as_ref(), NOW) {
                Ok(update) => {
                    prop_assert!(stored.as_ref().is_none_or(|stored| stored.size <= update.next.size));
                    signed.push((update.next.size, update.next.root));
                    stored = Some(update.next);
                }
                Err(refused) => prop_assert!([400, 409, 422].contains(&refused.status())),
            }
        }
        let on = |log: &Log| signed.iter().all(|(size, root)| log.root(*size) == *root);
        prop_assert!(on(&honest) || on(&fork), "{signed:?}");
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Some(request) = AddCheckpoint::parse(&bytes) {
            prop_assert_eq!(request.to_string().into_bytes(), bytes);
        }
    }

    #[test]
    fn requests_read_as_they_are_written(old in 0_u64..40, more in 0_u64..40) {
        let log = Log::of(80);
        let request = log.request(old, old + more);
        prop_assert_eq!(AddCheckpoint::parse(request.to_string().as_bytes()), Some(request));
    }
}
