//! Cosignatures: messages byte for byte, signatures of another implementation, every changed bit, and merging.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod institution;

use identity::SigningKey;
use institution::{Log, NOW, ORIGIN, ed25519, lines, log_key, log_keys, ml_dsa};
use ledger::{
    Algorithm, Checkpoint, CheckpointError, CosignedCheckpoint, Cosigner, CosignerKey, LogKey, NoteError, NoteKey,
    NoteSignature, SignedNote, TrustPolicy, VerifierKey,
};

fn signed(cosigners: &[Cosigner]) -> String {
    let mut checkpoint = Log::of(6).checkpoint(6);
    for cosigner in cosigners {
        checkpoint = checkpoint.with(checkpoint.cosign(cosigner, NOW).unwrap()).unwrap();
    }
    checkpoint.note().to_owned()
}

fn raw(line: &NoteSignature) -> Vec<u8> {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    BASE64_STANDARD.decode(line.to_string().trim_end().rsplit(' ').next().unwrap()).unwrap()
}

#[test]
fn an_ed25519_cosignature_is_over_the_words_of_the_specification() {
    let checkpoint = Log::of(6).checkpoint(6);
    let bytes = raw(&checkpoint.cosign(&ed25519(1), NOW).unwrap());
    assert_eq!(bytes.len(), 4 + 8 + 64);
    assert_eq!(bytes[4..12], NOW.to_be_bytes());
    let message = format!("cosignature/v1\ntime {NOW}\n{ORIGIN}\n6\n{}\n", Log::of(6).root(6).to_base64());
    let key = SigningKey::from_seed([101; 32]).public();
    key.verify(message.as_bytes(), bytes[12..].try_into().unwrap()).unwrap();
}

#[test]
fn an_ml_dsa_cosignature_is_over_the_structure_of_the_specification() {
    use ml_dsa::{KeyInit as _, MlDsa44, Signature, Verifier as _, VerifyingKey};
    let checkpoint = Log::of(6).checkpoint(6);
    let cosigner = ml_dsa(1);
    let bytes = raw(&checkpoint.cosign(&cosigner, NOW).unwrap());
    assert_eq!(bytes.len(), 4 + 8 + 2420);
    assert_eq!(cosigner.key().public_bytes().len(), 1312);
    let name = "witness.example/pq1";
    let mut message = b"subtree/v1\n\0".to_vec();
    message.push(name.len() as u8);
    message.extend_from_slice(name.as_bytes());
    message.extend_from_slice(&NOW.to_be_bytes());
    message.push(ORIGIN.len() as u8);
    message.extend_from_slice(ORIGIN.as_bytes());
    message.extend_from_slice(&0_u64.to_be_bytes());
    message.extend_from_slice(&6_u64.to_be_bytes());
    message.extend_from_slice(Log::of(6).root(6).as_bytes());
    let key = VerifyingKey::<MlDsa44>::new_from_slice(&cosigner.key().public_bytes()).unwrap();
    key.verify(&message, &Signature::try_from(&bytes[12..]).unwrap()).unwrap();
}

/// The example of tlog-cosignature: a checkpoint, a log and a witness of its authors. Its keys are not given, so only
/// the form can be checked: it is read, and written again byte for byte.
#[test]
fn the_example_of_the_specification_is_read() {
    let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9\
        nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ\
        qhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    assert_eq!(SignedNote::parse(note).unwrap().to_string(), note);
    let line = &NoteSignature::parse_lines(lines(note)).unwrap()[1];
    assert_eq!(raw(line)[4..12], 1_679_315_147_u64.to_be_bytes());
}

#[test]
fn keys_read_as_they_are_written_and_nothing_else_is_one() {
    for cosigner in [ed25519(1), ml_dsa(1)] {
        let text = cosigner.key().to_string();
        assert_eq!(text.parse().as_ref(), Ok(cosigner.key()));
        assert_eq!(
            serde_json::from_str::<CosignerKey>(&serde_json::to_string(cosigner.key()).unwrap()).unwrap(),
            *cosigner.key()
        );
        // A key of a witness is not that of a log, and the other way round.
        assert_eq!(text.parse::<VerifierKey>(), Err(NoteError::BadKey));
        for at in 0..text.len().min(120) {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(changed.parse::<CosignerKey>().is_err(), "byte {at}");
            }
        }
    }
    assert_eq!(log_key().verifier().to_string().parse::<CosignerKey>(), Err(NoteError::BadKey));
    assert!(log_key().verifier().to_string().parse::<LogKey>().is_ok());
    assert!(ml_dsa(1).key().to_string().parse::<LogKey>().is_ok());
    assert!(ed25519(1).key().to_string().parse::<LogKey>().is_err(), "no log signs as a witness does");
    assert_eq!(LogKey::ml_dsa_44(ed25519(1).key().clone()), None);
    let public = ml_dsa(1).key().public_bytes();
    assert!(CosignerKey::new(&"n".repeat(255), Algorithm::MlDsa44, &public).is_ok());
    assert!(CosignerKey::new(&"n".repeat(256), Algorithm::MlDsa44, &public).is_err());
    assert!(CosignerKey::new("a b", Algorithm::MlDsa44, &public).is_err());
    assert!(CosignerKey::new("a", Algorithm::MlDsa44, &public[1..]).is_err());
    assert!(CosignerKey::new("a", Algorithm::Ed25519, &[0; 32]).is_err(), "a point of small order");
    let long = format!("{}\n{}", "a+00000000+", "A".repeat(8192));
    assert_eq!(long.parse::<CosignerKey>(), Err(NoteError::BadKey));
}

#[test]
fn times_are_those_that_can_be_written() {
    let checkpoint = Log::of(6).checkpoint(6);
    for cosigner in [ed25519(1), ml_dsa(1)] {
        assert_eq!(checkpoint.cosign(&cosigner, 0), Err(NoteError::BadTime));
        assert_eq!(checkpoint.cosign(&cosigner, 1 << 63), Err(NoteError::BadTime));
        let last = checkpoint.with(checkpoint.cosign(&cosigner, (1 << 63) - 1).unwrap()).unwrap();
        assert_eq!(CosignedCheckpoint::open(last.note(), cosigner.key()).unwrap().time(), (1 << 63) - 1);
    }
}

#[test]
fn an_origin_that_does_not_fit_the_structure_is_not_signed() {
    let origin = format!("{}/log", "o".repeat(300));
    let key = NoteKey::new(&origin, SigningKey::from_seed([5; 32])).unwrap();
    let checkpoint = Checkpoint { origin, size: 1, root: Log::of(1).root(1) }.sign(&key).unwrap();
    assert_eq!(checkpoint.cosign(&ml_dsa(1), NOW), Err(NoteError::TooLarge));
    assert!(checkpoint.cosign(&ed25519(1), NOW).is_ok());
}

#[test]
fn every_changed_bit_of_a_cosigned_checkpoint_is_noticed() {
    for cosigner in [ed25519(1), ml_dsa(1)] {
        let note = Log::of(6).checkpoint(6);
        let line = note.cosign(&cosigner, NOW).unwrap().to_string();
        // Alone, so that no other signature can be what notices.
        let text = note.note().split_once("\n\n").unwrap().0.to_owned();
        let alone = format!("{text}\n\n{line}");
        let opened = CosignedCheckpoint::open(&alone, cosigner.key()).unwrap();
        assert_eq!((opened.time(), opened.size, opened.note()), (NOW, 6, alone.as_str()));
        for at in (0..alone.len()).filter(|at| *at < 260 || at % 5 == 0) {
            // All bits of what is short; of the long signature one bit in every fifth byte, to keep the test short.
            let bits = if at < 260 { 0..8 } else { at % 7..at % 7 + 1 };
            for bit in bits {
                let mut bytes = alone.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                if let Ok(changed) = String::from_utf8(bytes) {
                    assert!(CosignedCheckpoint::open(&changed, cosigner.key()).is_err(), "byte {at}, bit {bit}");
                }
            }
        }
        for end in (0..alone.len()).filter(|end| alone.is_char_boundary(*end)) {
            assert!(CosignedCheckpoint::open(&alone[..end], cosigner.key()).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn extension_lines_are_signed_by_ed25519_and_mean_nothing_to_ml_dsa() {
    let root = Log::of(6).root(6).to_base64();
    let note = log_key().sign(&format!("{ORIGIN}\n6\n{root}\nan extension\n")).unwrap();
    let checkpoint = Checkpoint::open_with(&note, &log_keys()).unwrap();
    let plain = Log::of(6).checkpoint(6);
    for (cosigner, bound) in [(ed25519(1), true), (ml_dsa(1), false)] {
        let line = checkpoint.cosign(&cosigner, NOW).unwrap();
        assert!(CosignedCheckpoint::open(checkpoint.with(line.clone()).unwrap().note(), cosigner.key()).is_ok());
        let moved = plain.with(line).unwrap();
        assert_eq!(CosignedCheckpoint::open(moved.note(), cosigner.key()).is_err(), bound);
    }
}

#[test]
fn a_signature_of_one_kind_never_passes_for_another() {
    // The same Ed25519 key as a log key and as a cosigner's, under one name.
    let name = "both.example/x";
    let (log, cosigner) = (
        NoteKey::new(name, SigningKey::from_seed([9; 32])).unwrap(),
        Cosigner::ed25519(name, SigningKey::from_seed([9; 32])).unwrap(),
    );
    let checkpoint = Checkpoint { origin: name.into(), size: 6, root: Log::of(6).root(6) }.sign(&log).unwrap();
    assert_eq!(
        CosignedCheckpoint::open(checkpoint.note(), cosigner.key()),
        Err(CheckpointError::Note(NoteError::Unsigned))
    );
    let text = checkpoint.note().split_once("\n\n").unwrap().0;
    let cosigned = format!("{text}\n\n{}", checkpoint.cosign(&cosigner, NOW).unwrap());
    assert_eq!(Checkpoint::open(&cosigned, log.verifier()), Err(CheckpointError::Note(NoteError::Unsigned)));
    // An ML-DSA signature names its signer: it can not be moved to another name with the same key.
    let (one, other) =
        (Cosigner::ml_dsa_44("one.example", &[1; 32]).unwrap(), Cosigner::ml_dsa_44("two.example", &[1; 32]).unwrap());
    let bytes = raw(&checkpoint.cosign(&one, NOW).unwrap());
    let id = raw(&checkpoint.cosign(&other, NOW).unwrap())[..4].to_vec();
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    let moved = BASE64_STANDARD.encode([&id, &bytes[4..]].concat());
    let note = format!("{text}\n\n\u{2014} two.example {moved}\n");
    assert_eq!(CosignedCheckpoint::open(&note, other.key()), Err(CheckpointError::Note(NoteError::BadSignature)));
}

#[test]
fn a_log_may_sign_by_ml_dsa_too() {
    let cosigner = Cosigner::ml_dsa_44(ORIGIN, &[6; 32]).unwrap();
    let key = LogKey::ml_dsa_44(cosigner.key().clone()).unwrap();
    let both = Log::of(6).checkpoint(6);
    let both = both.with(both.cosign(&cosigner, NOW).unwrap()).unwrap();
    assert_eq!(Checkpoint::open_with(both.note(), std::slice::from_ref(&key)).unwrap(), both);
    assert_eq!(Checkpoint::open_with(both.note(), &log_keys()).unwrap(), both);
    assert_eq!(Checkpoint::open(both.note(), log_key().verifier()).unwrap(), both);
    let keys = [log_keys(), vec![key.clone()]].concat();
    assert_eq!(Checkpoint::open_with(both.note(), &keys).unwrap(), both);
    // One false signature of the log refuses all, whichever it is.
    let other = Log::of(5).checkpoint(5);
    let false_pq = both.with(other.cosign(&cosigner, NOW).unwrap()).unwrap();
    assert_eq!(Checkpoint::open_with(false_pq.note(), &keys), Err(CheckpointError::Note(NoteError::BadSignature)));
    assert!(Checkpoint::open_with(false_pq.note(), &log_keys()).is_ok(), "to whom the key is unknown it is a stranger");
    assert_eq!(serde_json::from_str::<LogKey>(&serde_json::to_string(&key).unwrap()).unwrap(), key);
    // Another log's key beside the right one changes nothing, and alone it is not enough.
    let stranger = NoteKey::new("other.example/log", SigningKey::from_seed([5; 32])).unwrap();
    let (text, _) = both.note().split_once("\n\n").unwrap();
    let line = lines(&stranger.sign(&format!("{text}\n")).unwrap()).to_owned();
    let mixed = format!("{}{line}", both.note());
    assert!(Checkpoint::open_with(&mixed, &[log_keys(), vec![stranger.verifier().clone().into()]].concat()).is_ok());
    assert_eq!(Checkpoint::open_with(&mixed, &[stranger.verifier().clone().into()]), Err(CheckpointError::OtherOrigin));
}

#[test]
fn a_log_takes_in_what_its_witnesses_signed_and_nothing_else() {
    let checkpoint = Log::of(6).checkpoint(6);
    let (one, two, stranger) = (ed25519(1), ml_dsa(2), ed25519(3));
    let keys = [one.key().clone(), two.key().clone()];
    let line = |cosigner: &Cosigner, time| checkpoint.cosign(cosigner, time).unwrap().to_string();
    let false_line = Log::of(5).checkpoint(5).cosign(&two, NOW).unwrap().to_string();
    let answer = format!("{}{}{false_line}", line(&one, NOW), line(&stranger, NOW));
    let merged = checkpoint.with_cosignatures(&answer, &keys).unwrap();
    assert_eq!(merged.note(), format!("{}{}", checkpoint.note(), line(&one, NOW)));
    for worthless in [line(&stranger, NOW), false_line] {
        assert_eq!(checkpoint.with_cosignatures(&worthless, &keys), Err(NoteError::Unsigned));
    }
    assert_eq!(checkpoint.with_cosignatures("", &keys), Err(NoteError::Malformed));
    assert_eq!(checkpoint.with_cosignatures("no line\n", &keys), Err(NoteError::Malformed));
    // A later statement takes the place of an earlier one, never the other way round.
    let later = merged.with_cosignatures(&line(&one, NOW + 9), &keys).unwrap();
    assert_eq!(CosignedCheckpoint::open(later.note(), one.key()).unwrap().time(), NOW + 9);
    assert_eq!(later.with_cosignatures(&line(&one, NOW), &keys).unwrap(), later);
    // A witness with the name of the log is none.
    let namesake = Cosigner::ed25519(ORIGIN, SigningKey::from_seed([8; 32])).unwrap();
    assert!(checkpoint.with_cosignatures(&line(&namesake, NOW), &[namesake.key().clone()]).is_err());
    assert!(Checkpoint::open(later.note(), log_key().verifier()).is_ok());
}

#[test]
fn notes_hold_sixteen_signatures_and_at_most_thirty_two() {
    let cosigners: Vec<Cosigner> = (1..=15).map(ml_dsa).collect();
    let note = signed(&cosigners);
    assert!(Checkpoint::open(&note, log_key().verifier()).is_ok());
    for cosigner in &cosigners {
        assert_eq!(CosignedCheckpoint::open(&note, cosigner.key()).unwrap().time(), NOW);
    }
    let mut full = Log::of(6).checkpoint(6);
    for number in 1..=31 {
        full = full.with(full.cosign(&ml_dsa(number), NOW).unwrap()).unwrap();
    }
    assert!(Checkpoint::open(full.note(), log_key().verifier()).is_ok());
    assert_eq!(full.with(full.cosign(&ml_dsa(32), NOW).unwrap()), Err(NoteError::TooLarge));
    // The place of one that is there can still be taken.
    assert!(full.with(full.cosign(&ml_dsa(31), NOW + 1).unwrap()).is_ok());
}

/// A note with three signatures that the Python package `cryptography` made, and the policy that asks for both
/// cosignatures.
#[test]
fn cosignatures_of_another_implementation_are_believed() {
    let note = include_str!("data/cosigned.note");
    let policy: TrustPolicy = include_str!("data/cosigned.policy").parse().unwrap();
    let quorum = policy.verify(note, Some(NOW)).unwrap();
    assert_eq!((quorum.checkpoint().size, quorum.time()), (6, Some(NOW)));
    assert_eq!(quorum.checkpoint().root, Log::of(6).root(6));
    // Ed25519 has one signature for each message, so ours are the same lines. ML-DSA signs with chance or without.
    let ours = signed(&[ed25519(1), ml_dsa(1)]);
    assert_eq!(ours.lines().take(6).collect::<Vec<_>>(), note.lines().take(6).collect::<Vec<_>>());
    let keys: Vec<CosignerKey> = policy.witnesses().iter().map(|witness| witness.key.clone()).collect();
    assert_eq!(keys, [ed25519(1).key().clone(), ml_dsa(1).key().clone()]);
}

/// The crate `signed_note` knows none of these signature types and must pass over them.
#[test]
fn another_reader_passes_over_cosignatures() {
    use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
    let note = Note::from_bytes(signed(&[ed25519(1), ml_dsa(1), ml_dsa(2)]).as_bytes()).unwrap();
    let key = StandardVerifier::new(&log_key().verifier().to_string()).unwrap();
    let (known, unknown) = note.verify(&VerifierList::new(vec![Box::new(key) as Box<dyn Verifier>])).unwrap();
    assert_eq!((known.len(), unknown.len()), (1, 3));
}
