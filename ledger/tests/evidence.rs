//! Two checkpoints of one log, judged by a stranger.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use common::{MemoryLog, grant, hash, note_key};
use ledger::{Evidence, EvidenceError, TileId, Verdict, consistency_proof};

fn log(seed: u8, count: u32) -> MemoryLog {
    MemoryLog::of((0..count).map(|number| grant(seed, number).bytes().to_vec()).collect())
}

fn judge(first: &MemoryLog, second: &MemoryLog, proof: Vec<ledger::Hash>) -> Verdict {
    let (first, second) = (first.checkpoint(), second.checkpoint());
    let file = Evidence::new(note_key().verifier().clone(), first.note(), second.note(), proof).to_json();
    Evidence::parse(file.as_bytes()).unwrap().judge().unwrap()
}

fn proof(old: u64, new: &MemoryLog) -> Vec<ledger::Hash> {
    let read = |id: TileId| new.files.get(&id.path()).cloned().ok_or(());
    consistency_proof(old, new.entries.len() as u64, read).unwrap()
}

#[test]
fn two_histories_convict_a_log_and_one_does_not() {
    let (short, long, other) = (log(1, 5), log(1, 9), log(2, 5));
    let other_long = log(2, 9);
    assert_eq!(judge(&short, &other, vec![]), Verdict::Fork);
    assert_eq!(judge(&short, &short, vec![]), Verdict::Nothing);
    assert_eq!(judge(&short, &long, proof(5, &long)), Verdict::Nothing);
    assert_eq!(judge(&short, &other_long, proof(5, &other_long)), Verdict::Rewritten);
    // Whichever was seen first, another past is another past.
    assert_eq!(judge(&other_long, &short, proof(5, &other_long)), Verdict::Rewritten);
    assert_eq!(judge(&long, &short, proof(5, &long)), Verdict::Shorter);
    // Without the proof, or with one that leads nowhere, nobody is convicted.
    assert_eq!(judge(&short, &other_long, vec![]), Verdict::Nothing);
    assert_eq!(judge(&short, &other_long, vec![hash(1); 4]), Verdict::Nothing);
    assert!(Verdict::Fork.proves_a_fork() && Verdict::Rewritten.proves_a_fork());
    assert!(!Verdict::Shorter.proves_a_fork() && !Verdict::Nothing.proves_a_fork());
}

#[test]
fn what_the_key_did_not_sign_convicts_nobody() {
    let (one, other) = (log(1, 5).checkpoint(), log(2, 5).checkpoint());
    let key = note_key().verifier().clone();
    let forged = other.note().replacen("\n5\n", "\n6\n", 1);
    let evidence = Evidence::new(key.clone(), one.note(), &forged, vec![]);
    assert!(matches!(evidence.judge(), Err(EvidenceError::Checkpoint(_))));
    let good = Evidence::new(key, one.note(), other.note(), vec![]).to_json();
    for bad in [
        &good[1..],
        &good.replace("log-evidence.v1", "log-evidence.v2"),
        "{}",
        "",
        &good.replace("\"first\"", "\"frist\""),
    ] {
        assert_eq!(Evidence::parse(bad.as_bytes()), Err(EvidenceError::Malformed), "{bad}");
    }
    let many = vec![hash(1); 65];
    let many = Evidence::new(note_key().verifier().clone(), one.note(), other.note(), many).to_json();
    assert_eq!(Evidence::parse(many.as_bytes()), Err(EvidenceError::Malformed));
}
