//! Notes, checkpoints, policies and receipts: what is read is written again as it came, and nothing that was changed
//! still counts as signed.

use crate::{ORIGIN, key, log_key};
use ledger::{
    Algorithm, Checkpoint, Cosigner, CosignerKey, LogKey, MAX_NOTE_BYTES, MAX_POLICY_BYTES, MAX_RECEIPT_BYTES,
    MAX_SIGNATURES, NoteSignature, Receipt, SignedNote, TrustPolicy, VerifierKey,
};

/// Notes, their signature lines, and the texts of keys.
pub fn note(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let log = log_key();
    if let Ok(note) = SignedNote::parse(text) {
        assert!(text.len() <= MAX_NOTE_BYTES);
        assert_eq!(note.to_string(), text);
        // The fuzzer does not know the key, so only a note of a seed can pass; then the text is the head of the note.
        if let Ok(signed) = note.verify(log.verifier()) {
            assert!(text.starts_with(signed));
        }
    }
    if let Ok(lines) = NoteSignature::parse_lines(text) {
        assert!(lines.len() <= MAX_SIGNATURES);
        assert_eq!(lines.iter().map(ToString::to_string).collect::<String>(), text);
    }
    if let Ok(verifier) = text.parse::<VerifierKey>() {
        assert_eq!(verifier.to_string(), text);
    }
    if let Ok(cosigner) = text.parse::<CosignerKey>() {
        assert_eq!(cosigner.to_string(), text);
        let again = CosignerKey::new(cosigner.name(), cosigner.algorithm(), &cosigner.public_bytes());
        assert_eq!(again, Ok(cosigner));
    }
    if let Ok(log) = text.parse::<LogKey>() {
        assert_eq!(log.to_string(), text);
    }
    // Whatever may be signed is read again as the same text, by its own key alone.
    if let Ok(signed) = log.sign(text) {
        let note = SignedNote::parse(&signed);
        assert!(note.is_ok() || signed.len() > MAX_NOTE_BYTES);
        let Ok(note) = note else { return };
        assert_eq!(note.verify(log.verifier()), Ok(text));
        let stranger = ledger::NoteKey::new(ORIGIN, key(6)).unwrap();
        assert!(note.verify(stranger.verifier()).is_err());
        let longer = format!("x{signed}");
        assert!(SignedNote::parse(&longer).and_then(|note| note.verify(log.verifier()).map(|_| ())).is_err());
    }
}

/// Checkpoints: as they come, and any text with the signature of the log under it.
pub fn checkpoint(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let log = log_key();
    check_checkpoint(text);
    if let Ok(note) = log.sign(text) {
        check_checkpoint(&note);
    }
}

fn check_checkpoint(note: &str) {
    let log = log_key();
    let opened = Checkpoint::open(note, log.verifier());
    // One key in a list says the same as the key alone.
    let listed = Checkpoint::open_with(note, &[LogKey::from(log.verifier().clone())]);
    assert_eq!(opened.is_ok(), listed.is_ok());
    let Ok(signed) = opened else { return };
    assert_eq!(signed.note(), note);
    assert_eq!(signed.origin, ORIGIN);
    assert!(note.starts_with(&signed.text()));
    assert!(signed.size > 0 || signed.root == ledger::Hash::empty_root());
    // Two kinds of cosignatures are added and still all is well.
    let cosigner = Cosigner::ed25519("witness.example/w1", key(9)).unwrap();
    let line = signed.cosign(&cosigner, 1).unwrap();
    let lines = line.to_string();
    let both = signed.with_cosignatures(&lines, &[cosigner.key().clone()]);
    let Ok(both) = both else { return assert!(note.matches("\n\u{2014} ").count() >= MAX_SIGNATURES - 1) };
    assert_eq!(both.root, signed.root);
    assert!(Checkpoint::open(both.note(), log.verifier()).is_ok());
}

/// Policies: what is read means the same when it is written and read again.
pub fn policy(data: &[u8]) {
    let Ok(policy) = TrustPolicy::parse(data) else { return };
    assert!(data.len() <= MAX_POLICY_BYTES);
    let text = policy.to_string();
    let again = TrustPolicy::parse(text.as_bytes());
    assert_eq!(again.as_ref(), Ok(&policy));
    assert_eq!(again.unwrap().to_string(), text);
    // A bare checkpoint of our log passes only if the policy believes the log and asks for nobody else, or for what
    // can be had without a signature; then it must say so without a time.
    let log = log_key();
    let root = ledger::Hash::from_bytes([7; 32]);
    let signed = Checkpoint { origin: ORIGIN.into(), size: 9, root }.sign(&log).unwrap();
    if let Ok(quorum) = policy.verify(signed.note(), Some(1)) {
        assert_eq!(quorum.checkpoint().root, root);
        assert_eq!(quorum.time(), None);
        assert!(policy.logs().iter().any(|known| known.key.name() == ORIGIN));
    }
    for witness in policy.witnesses() {
        assert!(matches!(witness.key.algorithm(), Algorithm::Ed25519 | Algorithm::MlDsa44));
    }
}

/// Receipts.
pub fn receipt(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let log = log_key();
    let parsed = Receipt::parse(text);
    if let Ok(receipt) = &parsed {
        assert!(text.len() <= MAX_RECEIPT_BYTES);
        assert_eq!(receipt.to_string(), text);
        assert!(receipt.path.len() <= 64);
    }
    for entry in [&b""[..], b"entry", data] {
        if let Ok(included) = Receipt::verify(text, entry, log.verifier()) {
            assert!(parsed.is_ok());
            assert!(included.index() < included.checkpoint().size);
        }
    }
}
