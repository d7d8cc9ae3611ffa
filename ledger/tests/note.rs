//! Notes, checkpoints and receipts: against the crate `signed_note`, and with every byte changed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use common::{MemoryLog, ORIGIN, grant, note_key};
use identity::SigningKey;
use ledger::{
    Checkpoint, CheckpointError, Hash, NoteError, NoteKey, Receipt, ReceiptError, SignedNote, TileId, VerifierKey,
    inclusion_proof,
};
use signed_note::{Note, StandardSigner, StandardVerifier, Verifier, VerifierList};

fn verifiers(key: &VerifierKey) -> VerifierList {
    VerifierList::new(vec![Box::new(StandardVerifier::new(&key.to_string()).unwrap()) as Box<dyn Verifier>])
}

#[test]
fn they_read_our_notes_and_we_read_theirs() {
    let key = note_key();
    let text = "first line\n\nafter an empty line\n";
    let note = key.sign(text).unwrap();
    let theirs = Note::from_bytes(note.as_bytes()).unwrap();
    assert_eq!(theirs.verify(&verifiers(key.verifier())).unwrap().0.len(), 1);
    assert_eq!(SignedNote::parse(&note).unwrap().verify(key.verifier()), Ok(text));

    let same = NoteKey::new("other.example/log", SigningKey::from_seed([8; 32])).unwrap();
    let id = same.verifier().to_string().split('+').nth(1).unwrap().to_owned();
    let secret = BASE64_STANDARD.encode([&[1_u8][..], &[8; 32]].concat());
    let signer = StandardSigner::new(&format!("PRIVATE+KEY+other.example/log+{id}+{secret}")).unwrap();
    let mut theirs = Note::new(text.as_bytes(), &[]).unwrap();
    theirs.add_sigs(&[&signer]).unwrap();
    let note = String::from_utf8(theirs.to_bytes()).unwrap();
    assert_eq!(SignedNote::parse(&note).unwrap().verify(same.verifier()), Ok(text));
}

#[test]
fn cosignatures_of_strangers_are_passed_over_and_a_false_one_of_ours_is_not() {
    let (key, text) = (note_key(), "a text\n");
    let stranger = NoteKey::new("witness.example/w", SigningKey::from_seed([9; 32])).unwrap();
    let line = |note: &str| note.split_once("\n\n").unwrap().1.to_owned();
    let ours = key.sign(text).unwrap();
    let both = format!("{ours}{}", line(&stranger.sign(text).unwrap()));
    assert!(SignedNote::parse(&both).unwrap().verify(key.verifier()).is_ok());
    assert!(SignedNote::parse(&both).unwrap().verify(stranger.verifier()).is_ok());
    let only = stranger.sign(text).unwrap();
    assert_eq!(SignedNote::parse(&only).unwrap().verify(key.verifier()), Err(NoteError::Unsigned));
    let false_too = format!("{ours}{}", line(&key.sign("another text\n").unwrap()));
    assert_eq!(SignedNote::parse(&false_too).unwrap().verify(key.verifier()), Err(NoteError::BadSignature));
    // The same name with another key is a stranger.
    let namesake = NoteKey::new(ORIGIN, SigningKey::from_seed([9; 32])).unwrap();
    assert!(SignedNote::parse(&ours).unwrap().verify(namesake.verifier()).is_err());
    // At least 16 signatures must be read.
    let many: String = (0..15).map(|_| line(&stranger.sign(text).unwrap())).collect();
    assert!(SignedNote::parse(&format!("{ours}{many}")).unwrap().verify(key.verifier()).is_ok());
    let flood: String = (0..60).map(|_| line(&stranger.sign(text).unwrap())).collect();
    assert_eq!(SignedNote::parse(&format!("{ours}{flood}")), Err(NoteError::TooLarge));
}

#[test]
fn texts_that_are_no_notes_are_refused() {
    let good = note_key().sign("a text\n").unwrap();
    let (text, line) = good.split_once("\n\n").unwrap();
    let unended = good.trim_end_matches('\n');
    for bad in [
        "",
        "\n",
        "\n\n",
        text,
        unended,
        &format!("{text}\n{line}"),
        &format!("{text}\u{7}\n\n{line}"),
        &format!("{text}\r\n\n{line}"),
        &format!("{text}\n\n{}", line.replace('\u{2014}', "-")),
        &format!("{text}\n\n{}", line.replace("log ", "log  ")),
        &format!("{text}\n\n{}", line.replace("biobank", "bio+bank")),
        &format!("{text}\n\n{line}\n"),
        &format!("{text}\n\n\u{2014} name AAAA\n"),
        &format!("{text}\n\n\u{2014} name AAAAAAAA\u{a0}\n"),
    ] {
        assert!(SignedNote::parse(bad).is_err(), "{bad:?}");
        assert!(Note::from_bytes(bad.as_bytes()).is_err(), "they take {bad:?}");
    }
    for text in ["", "no newline", "control \u{1}\n"] {
        assert_eq!(note_key().sign(text), Err(NoteError::Malformed));
    }
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb"] {
        assert!(NoteKey::new(name, SigningKey::from_seed([1; 32])).is_err(), "{name:?}");
    }
}

#[test]
fn they_read_our_checkpoints() {
    let checkpoint = MemoryLog::of(vec![b"x".to_vec()]).checkpoint();
    let note = Note::from_bytes(checkpoint.note().as_bytes()).unwrap();
    note.verify(&verifiers(note_key().verifier())).unwrap();
    let theirs = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!((theirs.origin(), theirs.size()), (ORIGIN, 1));
    assert_eq!(theirs.hash().0, *checkpoint.root.as_bytes());
}

#[test]
fn every_changed_bit_of_a_checkpoint_is_noticed() {
    let checkpoint = MemoryLog::of(vec![b"x".to_vec(), b"y".to_vec()]).checkpoint();
    let key = note_key();
    for at in 0..checkpoint.note().len() {
        for bit in 0..8 {
            let mut bytes = checkpoint.note().as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            if let Ok(note) = String::from_utf8(bytes) {
                assert!(Checkpoint::open(&note, key.verifier()).is_err(), "byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn signed_texts_that_are_no_checkpoints_are_refused() {
    let (key, root) = (note_key(), Hash::from_bytes([1; 32]).to_base64());
    let open = |text: String| Checkpoint::open(&key.sign(&text).unwrap(), key.verifier()).map(|c| c.size);
    assert_eq!(open(format!("{ORIGIN}\n7\n{root}\n")), Ok(7));
    assert_eq!(open(format!("{ORIGIN}\n7\n{root}\nextension\n")), Ok(7));
    assert_eq!(open(format!("other.example/log\n7\n{root}\n")), Err(CheckpointError::OtherOrigin));
    for text in [
        "\n".to_owned(),
        format!("{ORIGIN}\n7\n"),
        format!("{ORIGIN}\n07\n{root}\n"),
        format!("{ORIGIN}\n+7\n{root}\n"),
        format!("{ORIGIN}\n-7\n{root}\n"),
        format!("{ORIGIN}\n18446744073709551616\n{root}\n"),
        format!("{ORIGIN}\n7\n{}\n", &root[4..]),
        format!("{ORIGIN}\n7\n{root} \n"),
        format!("{ORIGIN}\n7\n{root}\n\nafter a gap\n"),
        format!("\n7\n{root}\n"),
    ] {
        assert_eq!(open(text.clone()), Err(CheckpointError::Malformed), "{text:?}");
    }
    assert_eq!(open(format!("{ORIGIN}\n0\n{root}\n")), Err(CheckpointError::EmptyRoot));
    assert_eq!(open(format!("{ORIGIN}\n0\n{}\n", Hash::empty_root().to_base64())), Ok(0));
}

fn receipts() -> (MemoryLog, Vec<Receipt>) {
    let log = MemoryLog::of((0..7).map(|i| grant(1, i).bytes().to_vec()).collect());
    let checkpoint = log.checkpoint().note().to_owned();
    let receipt = |index| {
        let path = inclusion_proof(index, 7, |id: TileId| log.files.get(&id.path()).cloned().ok_or(())).unwrap();
        Receipt { extra: None, index, path, checkpoint: checkpoint.clone() }
    };
    let receipts = (0..7).map(receipt).collect();
    (log, receipts)
}

#[test]
fn receipts_read_as_they_are_written_and_prove_their_entry_only() {
    let (log, receipts) = receipts();
    let key = note_key();
    for (entry, receipt) in log.entries.iter().zip(&receipts) {
        let text = receipt.to_string();
        assert_eq!(Receipt::parse(&text).as_ref(), Ok(receipt));
        let included = Receipt::verify(&text, entry, key.verifier()).unwrap();
        assert_eq!((included.index(), included.checkpoint().size), (receipt.index, 7));
        for other in log.entries.iter().filter(|other| *other != entry) {
            assert!(matches!(Receipt::verify(&text, other, key.verifier()), Err(ReceiptError::Proof(_))));
        }
        let stranger = NoteKey::new(ORIGIN, SigningKey::from_seed([9; 32])).unwrap();
        assert!(Receipt::verify(&text, entry, stranger.verifier()).is_err());
    }
    let with_extra = Receipt { extra: Some(b"for you".to_vec()), ..receipts[0].clone() };
    assert_eq!(Receipt::parse(&with_extra.to_string()), Ok(with_extra));
}

#[test]
fn every_changed_bit_of_a_receipt_is_noticed() {
    let (log, receipts) = receipts();
    let (text, key) = (receipts[4].to_string(), note_key());
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(Receipt::verify(&changed, &log.entries[4], key.verifier()).is_err(), "byte {at}, bit {bit}");
            }
        }
    }
    for end in 0..text.len() {
        if text.is_char_boundary(end) {
            assert!(Receipt::verify(&text[..end], &log.entries[4], key.verifier()).is_err(), "cut at {end}");
        }
    }
}
