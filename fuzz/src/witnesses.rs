//! What witnesses and mirrors read, and what they decide.

use crate::{ORIGIN, byte, key, log_key, number};
use ledger::{
    AddCheckpoint, AddEntries, Answer, Checkpoint, Cosigner, Hash, LogKey, MAX_ADD_CHECKPOINT_BYTES, MAX_PROOF_LINES,
    Mirror, MirrorAnswer, MirrorInfo, Mirrored, Refusal, TileEdge, UploadReader, Witness, Witnessed, leaf_hash,
    package_ranges, verify_consistency,
};

/// The body of `add-checkpoint`, the decision on it and the answer to it.
pub fn witness(data: &[u8]) {
    let witness = Witness::new(vec![Cosigner::ed25519("witness.example/w1", key(9)).unwrap()]);
    let keys = [LogKey::from(log_key().verifier().clone())];
    let stored = Witnessed { size: 3, root: root(3), time: 1_000, note: note(3, root(3)) };
    if let Some(request) = AddCheckpoint::parse(data) {
        assert!(data.len() <= MAX_ADD_CHECKPOINT_BYTES && request.proof.len() <= MAX_PROOF_LINES);
        assert_eq!(request.to_string().as_bytes(), data);
        judge(&witness, &request, &keys, None);
        judge(&witness, &request, &keys, Some(&stored));
        assert_eq!(witness.add_checkpoint(&request, &[], None, 5), Err(Refusal::UnknownLog));
    }
    // The same with a checkpoint that the log did sign.
    let mut rest = data;
    let (old, size, truth) = (u64::from(byte(&mut rest)), u64::from(byte(&mut rest)), byte(&mut rest));
    let root = if truth % 2 == 0 { root(size) } else { Hash::from_bytes([truth; 32]) };
    let (proof, _) = rest.as_chunks::<32>();
    let proof: Vec<Hash> = proof.iter().take(MAX_PROOF_LINES).copied().map(Hash::from_bytes).collect();
    if size > 0 {
        let request = AddCheckpoint { old_size: old, proof, checkpoint: note(size, root) };
        assert_eq!(AddCheckpoint::parse(request.to_string().as_bytes()).as_ref(), Some(&request));
        judge(&witness, &request, &keys, None);
        judge(&witness, &request, &keys, Some(&stored));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        for status in [200, 409, 422] {
            let _ = Answer::read(status, "text/x.tlog.size", text);
        }
    }
}

fn judge(witness: &Witness, request: &AddCheckpoint, keys: &[LogKey], stored: Option<&Witnessed>) {
    match witness.add_checkpoint(request, keys, stored, 900) {
        Ok(update) => {
            // A witness never goes back, never signs two trees of one size, and never says an earlier time.
            let next = update.next;
            assert!(next.size >= request.old_size && next.time >= stored.map_or(900, |stored| stored.time));
            if let Some(stored) = stored {
                assert!(next.size > stored.size || next.root == stored.root);
                let proven = verify_consistency(stored.size, stored.root, next.size, next.root, &request.proof);
                assert_eq!(proven, Ok(()));
            }
            let log = log_key();
            let signed = Checkpoint::open(&request.checkpoint, log.verifier()).unwrap();
            let lines = signed.with_cosignatures(&update.body, &[witness.cosigners()[0].key().clone()]);
            assert!(lines.is_ok() || request.checkpoint.matches("\n\u{2014} ").count() > 16);
        }
        Err(refusal) => {
            assert!([400, 403, 404, 409, 422].contains(&refusal.status()));
            let read = Answer::read(refusal.status(), refusal.content_type(), &refusal.body());
            match refusal {
                Refusal::Conflict(size) => assert_eq!(read, Some(Answer::At(size))),
                Refusal::Forked(fork) => assert!(fork.verify(keys).is_ok()),
                _ => assert_eq!(read, Some(Answer::Refused(refusal.status()))),
            }
        }
    }
}

/// The bodies of uploads to a mirror, in pieces as they may arrive.
pub fn mirror(data: &[u8]) {
    let mut rest = data;
    let piece = usize::from(byte(&mut rest)).max(1);
    let whole = read(rest, usize::MAX);
    // How the bytes arrive makes no difference.
    assert_eq!(read(rest, piece), whole);
    let mirror = Mirror::new(vec![Cosigner::ed25519("mirror.example/m1", key(8)).unwrap()], [4; 32]);
    let keys = [LogKey::from(log_key().verifier().clone())];
    let pending = Witnessed { size: 5, root: root(5), time: 1_000, note: note(5, root(5)) };
    let state = Mirrored { pending: Some(pending), latest: None, next: 0 };
    if let Some((head, packages)) = &whole {
        let written: Vec<u8> = packages.iter().flat_map(|package| package.to_bytes().unwrap()).collect();
        let bytes = [head.to_bytes().unwrap(), written].concat();
        assert!(rest.starts_with(&bytes));
        match mirror.begin(head, &keys, &state) {
            Ok(target) => {
                assert_eq!(head.origin, ORIGIN);
                for package in packages {
                    // The leaves of our tree are known: whatever is taken is of them.
                    if mirror.check(&target, &[], package).is_ok() {
                        let told: Vec<Vec<u8>> = (package.range.start..package.range.end).map(leaf).collect();
                        assert_eq!(package.entries, told);
                    }
                }
                assert!(mirror.finish(&target, &keys, &state, 1).is_err());
                let _ = mirror.interrupted(&target, &state, true);
            }
            Err(reply) => {
                assert!([400, 404, 409, 422].contains(&reply.status()));
                let _ = MirrorAnswer::read(reply.status(), reply.content_type(), &reply.body());
            }
        }
    }
    if let Ok(text) = std::str::from_utf8(rest)
        && let Some(info) = MirrorInfo::parse(text)
    {
        assert_eq!(info.to_string(), text);
    }
    let (start, end) = (number(&mut rest), number(&mut rest));
    let mut next = start;
    for range in package_ranges(start, end).take(40) {
        assert!(range.base <= range.start && range.start == next && range.start < range.end && range.end <= end);
        next = range.end;
    }
}

fn read(data: &[u8], piece: usize) -> Option<(AddEntries, Vec<ledger::EntryPackage>)> {
    let (mut reader, mut packages) = (UploadReader::new(), Vec::new());
    let mut head = None;
    for bytes in data.chunks(piece.min(data.len()).max(1)) {
        reader.feed(bytes);
        match reader.head() {
            Ok(Some(read)) => head = Some(read.clone()),
            Ok(None) => continue,
            Err(_) => return None,
        }
        loop {
            match reader.package() {
                Ok(Some(package)) => packages.push(package),
                Ok(None) => break,
                // What came before the bad package was good.
                Err(_) => return head.map(|head| (head, packages)),
            }
        }
    }
    head.map(|head| (head, packages))
}

/// The entries of the tree that all of this is about.
pub fn leaf(number: u64) -> Vec<u8> {
    format!("entry {number}").into_bytes()
}

/// Its root at a size.
pub fn root(size: u64) -> Hash {
    let mut edge = TileEdge::new();
    for number in 0..size {
        edge.push_leaf(leaf_hash(&leaf(number)));
    }
    edge.root()
}

/// A checkpoint that the log signed.
pub fn note(size: u64, root: Hash) -> String {
    let checkpoint = Checkpoint { origin: ORIGIN.into(), size, root };
    checkpoint.sign(&log_key()).unwrap().note().to_owned()
}
