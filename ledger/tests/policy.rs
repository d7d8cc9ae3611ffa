//! Policies: what is read and what is not, which checkpoints are final, and receipts under a policy.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod institution;

use identity::SigningKey;
use institution::{Log, NOW, ed25519, lines, log_key, log_keys, ml_dsa};
use ledger::{
    CLOCK_TOLERANCE, Checkpoint, CheckpointError, Cosigner, LogKey, MAX_POLICY_BYTES, NoteError, NoteKey, PolicyError,
    PolicyTextError, Receipt, ReceiptError, SignedCheckpoint, Standing, TrustPolicy, TrustedWitness, inclusion_proof,
};
use proptest::prelude::*;

fn log_line() -> String {
    format!("log {} https://biobank.example/\n", log_key().verifier())
}

fn witness_line(number: u8) -> String {
    format!("witness w{number} {}\n", ed25519(number).key())
}

/// A log, five witnesses, and these lines.
fn policy(rest: &str) -> Result<TrustPolicy, PolicyTextError> {
    let witnesses: String = (1..=5).map(witness_line).collect();
    TrustPolicy::parse(format!("{}{witnesses}{rest}", log_line()).as_bytes())
}

fn cosigned(cosigners: &[(Cosigner, u64)]) -> SignedCheckpoint {
    let checkpoint = Log::of(6).checkpoint(6);
    cosigners
        .iter()
        .fold(checkpoint, |signed, (cosigner, time)| signed.with(signed.cosign(cosigner, *time).unwrap()).unwrap())
}

fn by(numbers: &[u8]) -> SignedCheckpoint {
    cosigned(&numbers.iter().map(|number| (ed25519(*number), NOW)).collect::<Vec<_>>())
}

/// Whether a checkpoint is final that these witnesses signed.
fn is_final(policy: &TrustPolicy, numbers: &[u8]) -> bool {
    match policy.verify(by(numbers).note(), Some(NOW)) {
        Ok(quorum) => {
            assert_eq!(quorum.checkpoint(), &by(numbers));
            true
        }
        Err(PolicyError::Pending(pending)) => {
            assert_eq!(pending.checkpoint, by(numbers));
            false
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn each_rule_of_a_quorum_is_kept() {
    let none = policy("quorum none\n").unwrap();
    assert!(is_final(&none, &[]));
    assert_eq!(none.verify(by(&[1]).note(), None).unwrap().time(), None);
    let one = policy("quorum w2\n").unwrap();
    assert!(is_final(&one, &[2]) && is_final(&one, &[1, 2]) && !is_final(&one, &[1, 3, 4, 5]));
    let any = policy("group g any w1 w2 w3\nquorum g\n").unwrap();
    assert!(is_final(&any, &[3]) && !is_final(&any, &[4]) && !is_final(&any, &[]));
    let all = policy("group g all w1 w2 w3\nquorum g\n").unwrap();
    assert!(is_final(&all, &[1, 2, 3, 4]) && !is_final(&all, &[1, 2, 4, 5]));
    let two = policy("group g 2 w1 w2 w3\nquorum g\n").unwrap();
    assert!(is_final(&two, &[1, 3]) && !is_final(&two, &[1, 4, 5]));
    // The example of the specification, in small.
    let nested = policy("group x 2 w1 w2 w3\ngroup y any w4 w5\ngroup both all x y\nquorum both\n").unwrap();
    for (numbers, wanted) in [
        (&[1, 2, 4][..], true),
        (&[2, 3, 5], true),
        (&[1, 2, 3, 4, 5], true),
        (&[1, 2, 3], false),
        (&[1, 4, 5], false),
        (&[4, 5], false),
        (&[], false),
    ] {
        assert_eq!(is_final(&nested, numbers), wanted, "{numbers:?}");
    }
}

#[test]
fn the_quorum_tells_who_signed_and_when() {
    let policy = policy("group g 2 w1 w2 w3 w4 w5\nquorum g\n").unwrap();
    let other = Log::of(5).checkpoint(5).cosign(&ed25519(5), NOW).unwrap();
    let signed = cosigned(&[(ed25519(1), NOW - 50), (ed25519(2), NOW - 10), (ed25519(3), NOW + CLOCK_TOLERANCE + 1)]);
    let signed = signed.with(other).unwrap();
    let quorum = policy.verify(signed.note(), Some(NOW)).unwrap();
    let standings: Vec<(&str, Standing)> = quorum.votes().iter().map(|v| (v.witness.as_str(), v.standing)).collect();
    assert_eq!(
        standings,
        [
            ("w1", Standing::Signed(NOW - 50)),
            ("w2", Standing::Signed(NOW - 10)),
            ("w3", Standing::Future(NOW + CLOCK_TOLERANCE + 1)),
            ("w4", Standing::Absent),
            ("w5", Standing::False),
        ]
    );
    // Two of them vouch for the earlier of the two times.
    assert_eq!(quorum.time(), Some(NOW - 50));
    // Without a clock of one's own the future can not be told.
    assert_eq!(policy.verify(signed.note(), None).unwrap().time(), Some(NOW - 10));
    // What is missing is told too.
    let Err(PolicyError::Pending(pending)) = policy.verify(by(&[4]).note(), Some(NOW)) else { panic!("final") };
    assert_eq!(pending.votes.iter().filter(|vote| vote.standing == Standing::Absent).count(), 4);
    let future = cosigned(&[(ed25519(1), NOW), (ed25519(2), NOW + CLOCK_TOLERANCE + 1)]);
    assert!(matches!(policy.verify(future.note(), Some(NOW)), Err(PolicyError::Pending(_))));
}

/// What a cosigner says of a subtree has no time and is no witness's statement on a checkpoint.
#[test]
fn a_cosignature_without_a_time_does_not_count() {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    use ml_dsa::{MlDsa44, Signer as _, SigningKey};
    let (name, checkpoint) = ("witness.example/pq1", Log::of(6).checkpoint(6));
    let line = checkpoint.cosign(&ml_dsa(1), NOW).unwrap().to_string();
    let id = BASE64_STANDARD.decode(line.trim_end().rsplit(' ').next().unwrap()).unwrap()[..4].to_vec();
    let mut message = [b"subtree/v1\n\0", &[name.len() as u8][..], name.as_bytes(), &[0; 8]].concat();
    message.push(checkpoint.origin.len() as u8);
    message.extend([checkpoint.origin.as_bytes(), &[0; 8], &6_u64.to_be_bytes(), checkpoint.root.as_bytes()].concat());
    let signature = SigningKey::<MlDsa44>::from_seed(&[101; 32].into()).sign(&message).encode();
    let untimed = BASE64_STANDARD.encode([&id, &[0; 8][..], &signature].concat());
    let note = format!("{}\u{2014} {name} {untimed}\n", checkpoint.note());
    let text = format!("{}witness pq {}\nquorum pq\n", log_line(), ml_dsa(1).key());
    let policy: TrustPolicy = text.parse().unwrap();
    let Err(PolicyError::Pending(pending)) = policy.verify(&note, Some(NOW)) else { panic!("final") };
    assert_eq!(pending.votes[0].standing, Standing::Untimed);
}

#[test]
fn the_log_must_have_signed() {
    let policy = policy("group g any w1 w2\nquorum g\n").unwrap();
    let signed = by(&[1, 2]);
    let text = signed.note().split_once("\n\n").unwrap().0;
    let unsigned: String = lines(signed.note()).lines().skip(1).map(|line| format!("{line}\n")).collect();
    assert_eq!(
        policy.verify(&format!("{text}\n\n{unsigned}"), None),
        Err(PolicyError::Checkpoint(CheckpointError::Note(NoteError::Unsigned)))
    );
    let namesake = NoteKey::new("biobank.example/log", SigningKey::from_seed([6; 32])).unwrap();
    let by_namesake = Checkpoint::clone(&signed).sign(&namesake).unwrap();
    assert!(matches!(policy.verify(by_namesake.note(), None), Err(PolicyError::Checkpoint(_))));
    assert!(matches!(policy.verify("no note", None), Err(PolicyError::Checkpoint(_))));
    // Any one of several logs is enough.
    let second = format!("log {}\n{}quorum none\n", namesake.verifier(), log_line());
    let several: TrustPolicy = second.parse().unwrap();
    assert!(several.verify(by_namesake.note(), None).is_ok() && several.verify(signed.note(), None).is_ok());
    // A policy without logs is one for those who know the log from elsewhere; alone it believes nothing.
    let nobody: TrustPolicy = "quorum none\n".parse().unwrap();
    assert!(nobody.verify(signed.note(), None).is_err());
}

#[test]
fn every_changed_bit_of_a_final_checkpoint_is_noticed() {
    let policy = policy("group g all w1 w2\nquorum g\n").unwrap();
    let signed = by(&[1, 2]);
    for at in 0..signed.note().len() {
        for bit in 0..8 {
            let mut bytes = signed.note().as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(policy.verify(&changed, Some(NOW)).is_err(), "byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn comments_tabs_and_empty_lines_are_passed_over() {
    let text = format!(
        "# who may say so\n\n \t\n\twitness\tw1   {}  \n  # \u{e9}\n{}  group g  any\tw1 \nquorum g\n# after\n",
        ed25519(1).key(),
        log_line()
    );
    let read: TrustPolicy = text.parse().unwrap();
    let plain = format!("{}{}group g 1 w1\nquorum g\n", log_line(), witness_line(1));
    assert_eq!(read.to_string(), plain);
    assert_eq!(plain.parse(), Ok(read.clone()));
    assert_eq!(read.logs()[0].url.as_deref(), Some("https://biobank.example/"));
    assert_eq!(read.witnesses()[0].url, None);
    // A comment may hold any bytes, a name must be UTF-8.
    assert!(TrustPolicy::parse(b"# \xff\xfe\nquorum none\n").is_ok());
    assert_eq!(TrustPolicy::parse(b"quorum \xff\n"), Err(PolicyTextError::Character(1)));
    // Names are bytes: a Kelvin sign is no K.
    let kelvin = format!("witness \u{212a} {}\nwitness K {}\nquorum K\n", ed25519(1).key(), ed25519(2).key());
    assert_eq!(kelvin.parse::<TrustPolicy>().unwrap().witnesses().len(), 2);
}

#[test]
fn what_is_no_policy_is_refused() {
    use PolicyTextError::{Character, Key, Line, Name, NoQuorum, TooLarge, Twice};
    let second_name = Cosigner::ed25519("other.example", SigningKey::from_seed([101; 32])).unwrap();
    // The first six lines are a log and five witnesses.
    for (rest, wanted) in [
        (String::new(), NoQuorum),
        ("quorum w1".into(), Line(7)),
        ("quorum w6\n".into(), Name(7)),
        ("quorum w1 w2\n".into(), Line(7)),
        ("quorum\n".into(), Line(7)),
        ("quorum w1\nquorum w2\n".into(), Twice(8)),
        ("quorum none\nquorum none\n".into(), Twice(8)),
        ("Quorum w1\n".into(), Line(7)),
        ("group\n".into(), Line(7)),
        ("group g any\nquorum g\n".into(), Line(7)),
        ("group g 0 w1\nquorum g\n".into(), Line(7)),
        ("group g 2 w1\nquorum g\n".into(), Line(7)),
        ("group g 01 w1\nquorum g\n".into(), Line(7)),
        ("group g +1 w1\nquorum g\n".into(), Line(7)),
        ("group g some w1\nquorum g\n".into(), Line(7)),
        ("group g any none\nquorum g\n".into(), Name(7)),
        ("group g any g\nquorum g\n".into(), Name(7)),
        ("group g any h\ngroup h any w1\nquorum g\n".into(), Name(7)),
        ("group g any w1 w1\nquorum g\n".into(), Twice(7)),
        ("group g any w1\ngroup h any w1\nquorum g\n".into(), Twice(8)),
        ("group w1 any w2\nquorum w1\n".into(), Twice(7)),
        ("group none any w2\nquorum none\n".into(), Twice(7)),
        ("quorum g\ngroup g any w1\n".into(), Name(7)),
        (format!("witness none {}\nquorum none\n", ed25519(6).key()), Twice(7)),
        (format!("witness w1 {}\nquorum w1\n", ed25519(6).key()), Twice(7)),
        (format!("witness again {}\nquorum w1\n", second_name.key()), Twice(7)),
        (format!("witness w6 {} https://x https://y\nquorum w1\n", ed25519(6).key()), Line(7)),
        (format!("witness w6 {}\nquorum w1\n", log_key().verifier()), Key(7)),
        ("witness w6\nquorum w1\n".into(), Line(7)),
        ("witness w6 key\nquorum w1\n".into(), Key(7)),
        (format!("log {}\nquorum w1\n", ed25519(6).key()), Key(7)),
        (format!("log {}\nquorum w1\n", log_key().verifier()), Twice(7)),
        ("log\nquorum w1\n".into(), Line(7)),
        ("quorum w1\r\n".into(), Character(7)),
        ("quorum w1\u{7f}\n".into(), Character(7)),
        ("# a bell \u{7}\nquorum w1\n".into(), Character(7)),
        (format!("{}quorum w1\n", (6..=33).map(witness_line).collect::<String>()), TooLarge),
        (format!("# {}\nquorum w1\n", "x".repeat(MAX_POLICY_BYTES)), TooLarge),
    ] {
        assert_eq!(policy(&rest), Err(wanted), "{rest:?}");
    }
    let log = |number: u8| {
        let key = NoteKey::new(&format!("{number}.example"), SigningKey::from_seed([number; 32])).unwrap();
        format!("log {}\n", key.verifier())
    };
    let many = |logs: u8, witnesses: u8| {
        let text: String = (1..=logs).map(log).chain((1..=witnesses).map(witness_line)).collect();
        let groups: String = (1..=witnesses).map(|number| format!("group g{number} any w{number}\n")).collect();
        format!("{text}{groups}quorum g1\n").parse::<TrustPolicy>()
    };
    assert!(many(32, 32).is_ok());
    assert_eq!(many(33, 1), Err(TooLarge));
}

#[test]
fn policies_are_made_without_writing_them() {
    let log: LogKey = log_keys().remove(0);
    assert!(TrustPolicy::of_log(log.clone()).verify(by(&[]).note(), None).is_ok());
    let witness = |number: u8, url: Option<&str>| TrustedWitness {
        name: format!("quorum-{number}"),
        key: ml_dsa(number).key().clone(),
        url: url.map(str::to_owned),
    };
    let witnesses = vec![witness(0, Some("https://witness.example/")), witness(1, None), witness(2, None)];
    let policy = TrustPolicy::of_quorum(log.clone(), 2, witnesses.clone()).unwrap();
    assert_eq!(policy.witnesses(), witnesses);
    assert_eq!(policy.to_string().parse(), Ok(policy.clone()));
    assert!(policy.verify(cosigned(&[(ml_dsa(0), NOW), (ml_dsa(2), NOW)]).note(), Some(NOW)).is_ok());
    assert!(policy.verify(cosigned(&[(ml_dsa(0), NOW)]).note(), Some(NOW)).is_err());
    assert!(TrustPolicy::of_quorum(log.clone(), 4, witnesses.clone()).is_err());
    assert!(TrustPolicy::of_quorum(log.clone(), 0, witnesses.clone()).is_err());
    for name in ["two words", "", "none", "w\nquorum none", "quorum-1"] {
        let odd = TrustedWitness { name: name.into(), ..witness(0, None) };
        let list = [vec![odd], witnesses[1..].to_vec()].concat();
        assert!(TrustPolicy::of_quorum(log.clone(), 2, list).is_err(), "{name:?}");
    }
}

#[test]
fn a_receipt_holds_under_a_policy() {
    let log = Log::of(6);
    let policy = policy("group g 2 w1 w2 w3\nquorum g\n").unwrap();
    let path = inclusion_proof(4, 6, log.reader()).unwrap();
    let receipt = |checkpoint: SignedCheckpoint| {
        Receipt { extra: None, index: 4, path: path.clone(), checkpoint: checkpoint.note().to_owned() }.to_string()
    };
    let (included, quorum) = Receipt::verify_with(&receipt(by(&[1, 3])), &log.entries[4], &policy, Some(NOW)).unwrap();
    assert_eq!((included.index(), included.checkpoint()), (4, quorum.checkpoint()));
    assert_eq!(quorum.time(), Some(NOW));
    assert!(Receipt::verify(&receipt(by(&[1, 3])), &log.entries[4], log_key().verifier()).is_ok());
    assert!(matches!(
        Receipt::verify_with(&receipt(by(&[1, 3])), &log.entries[3], &policy, Some(NOW)),
        Err(ReceiptError::Proof(_))
    ));
    // Recorded, but not yet witnessed: the plain check still holds, and the answer has what is there.
    assert!(Receipt::verify(&receipt(by(&[1])), &log.entries[4], log_key().verifier()).is_ok());
    let Err(ReceiptError::Policy(PolicyError::Pending(pending))) =
        Receipt::verify_with(&receipt(by(&[1])), &log.entries[4], &policy, Some(NOW))
    else {
        panic!("final")
    };
    assert_eq!(pending.votes[0].standing, Standing::Signed(NOW));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against a second reading of the rule: count the members that hold, group by group.
    #[test]
    fn quorums_are_counted(
        first in 1_usize..=3,
        second in 1_usize..=2,
        outer in 1_usize..=2,
        signed in prop::collection::btree_set(1_u8..=5, 0..=5),
    ) {
        let text = format!(
            "group a {first} w1 w2 w3\ngroup b {second} w4 w5\ngroup c {outer} a b\nquorum c\n"
        );
        let count = |numbers: &[u8]| numbers.iter().filter(|number| signed.contains(number)).count();
        let (a, b) = (count(&[1, 2, 3]) >= first, count(&[4, 5]) >= second);
        let wanted = usize::from(a) + usize::from(b) >= outer;
        let signed: Vec<u8> = signed.into_iter().collect();
        prop_assert_eq!(is_final(&policy(&text).unwrap(), &signed), wanted);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(policy) = TrustPolicy::parse(&bytes) {
            prop_assert_eq!(policy.to_string().parse::<TrustPolicy>(), Ok(policy));
        }
    }

    #[test]
    fn near_policies_are_read_or_refused(words in prop::collection::vec(
        prop::sample::select(vec!["log", "witness", "group", "quorum", "none", "any", "all", "2", "w1", "g", "#", "\n", "\t"]),
        0..24,
    )) {
        let text = format!("{}{}\n", witness_line(1), words.join(" "));
        if let Ok(policy) = text.parse::<TrustPolicy>() {
            prop_assert_eq!(policy.to_string().parse::<TrustPolicy>(), Ok(policy));
        }
    }
}
