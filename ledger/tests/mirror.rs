//! A mirror: it keeps only what is proved and signs only what it holds, whatever is cut off, sent twice or forged.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod institution;

use institution::{Log, NOW, ORIGIN, ed25519, log_keys, ml_dsa};
use ledger::{
    AddCheckpoint, AddEntries, BundleId, CosignedCheckpoint, EntryPackage, Hash, INFO_CONTENT_TYPE, Mirror,
    MirrorAnswer, MirrorInfo, MirrorReply, Mirrored, Refusal, TileId, UploadReader, package_ranges,
};
use proptest::prelude::*;

/// What a host does with the arithmetic, in memory.
struct Host {
    mirror: Mirror,
    state: Mirrored,
    entries: Vec<Vec<u8>>,
}

impl Host {
    fn new() -> Self {
        let mirror = Mirror::new(vec![ed25519(9), ml_dsa(9)], [7; 32]);
        Self { mirror, state: Mirrored::default(), entries: Vec::new() }
    }

    fn add_checkpoint(&mut self, request: &AddCheckpoint) -> Result<String, Refusal> {
        let update = self.mirror.add_checkpoint(request, &log_keys(), &self.state, NOW)?;
        self.state.pending = Some(update.next);
        Ok(update.body)
    }

    /// Takes an upload that arrives in pieces of this many bytes.
    fn add_entries(&mut self, upload: &[u8], piece: usize) -> Result<String, MirrorReply> {
        let (mut reader, mut target, mut kept) = (UploadReader::new(), None, false);
        for bytes in upload.chunks(piece) {
            reader.feed(bytes);
            if target.is_none() {
                let Some(head) = reader.head()? else { continue };
                target = Some(self.mirror.begin(head, &log_keys(), &self.state)?);
            }
            let Some(target) = &target else { continue };
            while let Some(package) = reader.package()? {
                let held = &self.entries[package.range.base as usize..package.range.start as usize];
                self.mirror.check(target, held, &package)?;
                self.entries.extend_from_slice(package.entries_from(self.state.next));
                self.state.next = self.entries.len() as u64;
                kept = true;
            }
        }
        let target = target.ok_or(MirrorReply::BadRequest)?;
        if !reader.is_complete() {
            return Err(self.mirror.interrupted(&target, &self.state, kept));
        }
        let update = self.mirror.finish(&target, &log_keys(), &self.state, NOW)?;
        self.state.latest = Some(update.next);
        Ok(update.body)
    }
}

/// An upload of the entries from `start`, under the checkpoint of size `end`, with its first so many packages.
fn upload(log: &Log, start: u64, end: u64, ticket: &[u8], packages: usize) -> Vec<u8> {
    let log = Log { entries: log.entries[..end as usize].to_vec() };
    let head = AddEntries { origin: ORIGIN.into(), start, end, ticket: ticket.to_vec() };
    let mut bytes = head.to_bytes().unwrap();
    for range in package_ranges(start, end).take(packages) {
        let entries = log.entries[range.start as usize..range.end as usize].to_vec();
        bytes.extend(EntryPackage::make(range, end, entries, log.reader()).unwrap().to_bytes().unwrap());
    }
    bytes
}

fn info(reply: &MirrorReply) -> MirrorInfo {
    assert_eq!(reply.content_type(), INFO_CONTENT_TYPE);
    let Some(MirrorAnswer::At(info)) = MirrorAnswer::read(reply.status(), reply.content_type(), &reply.body()) else {
        panic!("{reply:?}")
    };
    info
}

#[test]
fn it_signs_once_it_holds_the_entries_and_not_before() {
    let (log, mut host) = (Log::of(700), Host::new());
    for (old, new, piece) in [(0, 1, 1), (1, 1, 7), (1, 256, 100), (256, 300, 1000), (300, 700, 4096), (700, 700, 3)] {
        assert_eq!(host.add_checkpoint(&log.request(old, new)).unwrap(), "", "nothing is signed yet");
        let body = host.add_entries(&upload(&log, old, new, b"", 99), piece).unwrap();
        let latest = host.state.latest.clone().unwrap();
        assert_eq!((latest.size, latest.root, host.state.next), (new, log.root(new), new));
        assert_eq!(latest.note, format!("{}{body}", log.checkpoint(new).note()));
        for cosigner in host.mirror.cosigners() {
            assert_eq!(CosignedCheckpoint::open(&latest.note, cosigner.key()).unwrap().time(), NOW);
        }
        assert_eq!(MirrorAnswer::read(200, "text/plain", &body), Some(MirrorAnswer::Lines(body)));
    }
    assert_eq!(host.entries, log.entries);
    let copy = serde_json::to_string(&host.state).unwrap();
    assert_eq!(serde_json::from_str::<Mirrored>(&copy).unwrap(), host.state);
}

#[test]
fn packages_end_where_bundles_end() {
    let ranges = |start, end| package_ranges(start, end).map(|r| (r.base, r.start, r.end)).collect::<Vec<_>>();
    assert_eq!(ranges(0, 0), []);
    assert_eq!(ranges(9, 3), []);
    assert_eq!(ranges(0, 256), [(0, 0, 256)]);
    assert_eq!(ranges(250, 520), [(0, 250, 256), (256, 256, 512), (512, 512, 520)]);
    assert_eq!(ranges(257, 258), [(256, 257, 258)]);
    let last = u64::MAX - u64::MAX % 256;
    assert_eq!(ranges(u64::MAX - 1, u64::MAX), [(last, u64::MAX - 1, u64::MAX)]);
}

#[test]
fn an_upload_goes_on_where_it_was_cut() {
    let (log, mut host) = (Log::of(1000), Host::new());
    host.add_checkpoint(&log.request(0, 900)).unwrap();
    // Who knows nothing asks first.
    let reply = host.add_entries(&upload(&log, 0, 0, b"", 0), 50).unwrap_err();
    assert_eq!((reply.status(), info(&reply).size, info(&reply).next), (409, 900, 0));
    // Two packages of four, then a third that is cut in the middle.
    let reply = host.add_entries(&upload(&log, 0, 900, b"", 2), 50).unwrap_err();
    assert_eq!((reply.status(), info(&reply).size, info(&reply).next), (202, 900, 512));
    let rest = upload(&log, 512, 900, b"", 2);
    let reply = host.add_entries(&rest[..rest.len() - 1], 50).unwrap_err();
    assert_eq!((reply.status(), info(&reply).next), (202, 768));
    // Meanwhile the log has grown: the ticket keeps the old checkpoint alive.
    host.add_checkpoint(&log.request(900, 1000)).unwrap();
    let ticket = info(&reply).ticket;
    let reply = host.add_entries(&upload(&log, 768, 900, b"", 9), 50).unwrap_err();
    assert_eq!((reply.status(), info(&reply).size, info(&reply).next), (409, 1000, 768));
    host.add_entries(&upload(&log, 768, 900, &ticket, 9), 50).unwrap();
    assert_eq!(host.state.latest.as_ref().unwrap().size, 900);
    host.add_entries(&upload(&log, 900, 1000, b"", 9), 50).unwrap();
    assert_eq!(host.entries, log.entries);
    // An old ticket does not take the mirror back.
    let reply = host.add_entries(&upload(&log, 768, 900, &ticket, 9), 50).unwrap_err();
    assert_eq!((reply.status(), info(&reply).size), (409, 1000));
    // What is there already may come again, and is not kept twice.
    host.add_entries(&upload(&log, 700, 1000, b"", 9), 50).unwrap();
    assert_eq!(host.entries, log.entries);
}

#[test]
fn status_400_for_what_is_no_upload() {
    let (log, mut host) = (Log::of(300), Host::new());
    host.add_checkpoint(&log.request(0, 300)).unwrap();
    let good = upload(&log, 0, 300, b"", 9);
    let first = upload(&log, 0, 300, b"", 1).len();
    for end in [0, 1, 5, 30, 45, 60, first - 1] {
        let reply = Host { state: host.state.clone(), ..Host::new() }.add_entries(&good[..end], 16).unwrap_err();
        assert_eq!((reply.clone(), reply.status()), (MirrorReply::BadRequest, 400), "cut at {end}");
    }
    let head =
        |origin: &str, start, end| AddEntries { origin: origin.into(), start, end, ticket: vec![] }.to_bytes().unwrap();
    for bytes in [head("", 0, 300), head(ORIGIN, 9, 3), head(&"o".repeat(60_000), 0, 300)] {
        assert_eq!(host.add_entries(&bytes, 999).unwrap_err().status(), 400);
    }
    let mut not_text = head("ab", 0, 300);
    not_text[2] = 0xff;
    assert_eq!(host.add_entries(&not_text, 999).unwrap_err().status(), 400);
    // More hashes than a proof can have.
    let range = package_ranges(0, 1).next().unwrap();
    let long = EntryPackage { range, entries: vec![b"x".to_vec()], proof: vec![Hash::empty_root(); 64] };
    assert!(long.to_bytes().is_err());
    let mut bytes = head(ORIGIN, 299, 300);
    host.state.next = 299;
    host.entries = log.entries[..299].to_vec();
    bytes.extend([0, 1, b'x', 64]);
    assert_eq!(host.add_entries(&bytes, 999).unwrap_err().status(), 400);
    assert!(AddEntries { origin: "o".repeat(65_536), start: 0, end: 0, ticket: vec![] }.to_bytes().is_err());
}

#[test]
fn status_404_and_409_by_the_head_alone() {
    let (log, mut host) = (Log::of(3000), Host::new());
    let begin = |host: &Host, origin: &str, start, end, ticket: &[u8]| {
        let head = AddEntries { origin: origin.into(), start, end, ticket: ticket.to_vec() };
        host.mirror.begin(&head, &log_keys(), &host.state)
    };
    let refused = |host: &Host, start, end, ticket: &[u8]| begin(host, ORIGIN, start, end, ticket).unwrap_err();
    assert_eq!(begin(&host, "other.example", 0, 0, b"").unwrap_err().status(), 404);
    assert_eq!(info(&refused(&host, 0, 0, b"")), MirrorInfo { size: 0, next: 0, ticket: vec![] });
    host.add_checkpoint(&log.request(0, 2800)).unwrap();
    let at = |reply: MirrorReply| (reply.status(), info(&reply).size, info(&reply).next);
    assert_eq!(at(refused(&host, 1, 2800, b"")), (409, 2800, 0));
    assert_eq!(at(refused(&host, 0, 2799, b"")), (409, 2800, 0));
    assert!(begin(&host, ORIGIN, 0, 2800, b"").is_ok());
    host.add_entries(&upload(&log, 0, 2800, b"", 9), 4096).unwrap_err();
    assert_eq!(host.state.next, 2304);
    assert_eq!(at(refused(&host, 255, 2800, b"")), (409, 2800, 2304));
    assert!(begin(&host, ORIGIN, 256, 2800, b"").is_ok());
    // Tickets: only one's own, for this log, unchanged.
    let ticket = info(&refused(&host, 2305, 2800, b"")).ticket;
    host.add_checkpoint(&log.request(2800, 3000)).unwrap();
    assert!(begin(&host, ORIGIN, 2304, 2800, &ticket).is_ok());
    for at_byte in 0..ticket.len() {
        let mut forged = ticket.clone();
        forged[at_byte] ^= 1;
        assert_eq!(refused(&host, 2304, 2800, &forged).status(), 409, "byte {at_byte}");
    }
    assert_eq!(refused(&host, 2304, 2800, &ticket[..31]).status(), 409);
    let stranger = Host { mirror: Mirror::new(vec![], [8; 32]), ..Host::new() };
    let stranger = Host { state: host.state.clone(), ..stranger };
    assert_eq!(refused(&stranger, 2304, 2800, &ticket).status(), 409);
    let plain = [&[0; 32][..], log.checkpoint(2800).note().as_bytes()].concat();
    assert_eq!(refused(&host, 2304, 2800, &plain).status(), 409, "a true checkpoint without the tag is no ticket");
}

#[test]
fn status_422_for_entries_that_are_not_those_of_the_checkpoint() {
    let log = Log::of(700);
    let fork = log.forked_at(300);
    let mut host = Host::new();
    host.add_checkpoint(&log.request(0, 700)).unwrap();
    // The first package is the same in both histories, the second is not.
    let reply = host.add_entries(&upload(&fork, 0, 700, b"", 9), 64).unwrap_err();
    assert_eq!((reply.clone(), reply.status()), (MirrorReply::Unproven, 422));
    assert_eq!((host.entries.as_slice(), host.state.latest.as_ref()), (&[][..], None), "its proof is of another tree");
    host.add_entries(&upload(&log, 0, 700, b"", 1), 64).unwrap_err();
    let good = upload(&log, 256, 700, b"", 9);
    let head = AddEntries { origin: ORIGIN.into(), start: 256, end: 700, ticket: vec![] }.to_bytes().unwrap().len();
    let first = upload(&log, 256, 700, b"", 1).len();
    for at in (head..first).step_by(53) {
        let mut changed = good.clone();
        changed[at] ^= 0x10;
        let mut other = Host { state: host.state.clone(), entries: host.entries.clone(), ..Host::new() };
        let refused = other.add_entries(&changed, 4096).unwrap_err();
        assert!([400, 422].contains(&refused.status()), "byte {at}: {refused:?}");
        assert_eq!(other.entries, log.entries[..256], "nothing unproved is kept");
    }
    host.add_entries(&good, 4096).unwrap();
}

#[test]
fn a_package_in_the_middle_of_a_bundle_needs_what_is_before_it() {
    let (log, mut host) = (Log::of(300), Host::new());
    host.add_checkpoint(&log.request(0, 300)).unwrap();
    let head = AddEntries { origin: ORIGIN.into(), start: 0, end: 300, ticket: vec![] };
    let target = host.mirror.begin(&head, &log_keys(), &host.state).unwrap();
    let range = package_ranges(270, 300).next().unwrap();
    let package = EntryPackage::make(range, 300, log.entries[270..300].to_vec(), log.reader()).unwrap();
    assert_eq!(host.mirror.check(&target, &log.entries[256..270], &package), Ok(()));
    for held in [&log.entries[256..269], &log.entries[257..270], &log.entries[256..271], &[]] {
        assert_eq!(host.mirror.check(&target, held, &package), Err(MirrorReply::Unproven));
    }
    assert_eq!(package.entries_from(0).len(), 30);
    assert_eq!(package.entries_from(290), &log.entries[290..300]);
    assert!(package.entries_from(300).is_empty() && package.entries_from(u64::MAX).is_empty());
    let short = EntryPackage { entries: package.entries[1..].to_vec(), ..package.clone() };
    assert!(host.mirror.check(&target, &log.entries[256..270], &short).is_err());
    assert!(EntryPackage::make(range, 300, vec![], log.reader()).is_err());
    // It never signs while an entry is missing, whatever it is asked.
    assert_eq!(host.mirror.finish(&target, &log_keys(), &host.state, NOW).unwrap_err().status(), 202);
}

#[test]
fn a_forked_checkpoint_never_becomes_pending() {
    let (log, mut host) = (Log::of(300), Host::new());
    host.add_checkpoint(&log.request(0, 300)).unwrap();
    let refused = host.add_checkpoint(&log.forked_at(7).request(300, 300)).unwrap_err();
    assert!(matches!(refused, Refusal::Forked(_)));
    assert_eq!(host.add_checkpoint(&log.request(0, 200)).unwrap_err(), Refusal::Conflict(300));
}

#[test]
fn answers_are_read_as_they_are_meant() {
    let info = MirrorInfo { size: 7, next: 3, ticket: b"for you".to_vec() };
    assert_eq!(info.to_string(), "7\n3\nZm9yIHlvdQ==\n");
    assert_eq!(MirrorInfo::parse(&info.to_string()), Some(info));
    assert_eq!(MirrorInfo::parse("7\n3\n\n").unwrap().ticket, b"");
    let long = format!("7\n3\n{}\n", "A".repeat(40_000));
    for bad in ["", "7\n3\n", "7\n3\n\n\n", "07\n3\n\n", "7\n+3\n\n", "7\n3\n!\n", "7\n3\nAAAA", "7\n3", &long] {
        assert_eq!(MirrorInfo::parse(bad), None, "{bad:?}");
    }
    assert_eq!(MirrorAnswer::read(404, "", ""), Some(MirrorAnswer::Refused(404)));
    assert_eq!(MirrorAnswer::read(409, "text/plain", "7\n3\n\n"), None);
    assert_eq!(MirrorAnswer::read(202, INFO_CONTENT_TYPE, "7\n"), None);
}

/// Pruning of C2SP tlog-tiles: what lies below the minimum index as a whole may be gone, and nothing else.
#[test]
fn what_may_be_pruned_lies_below_the_minimum_as_a_whole() {
    let tile = |level, index, width| TileId { level, index, width };
    assert_eq!(tile(0, 3, 256).end_index(), Some(1024));
    assert_eq!(tile(1, 0, 9).end_index(), Some(65_536));
    assert_eq!((tile(7, 0, 9).end_index(), tile(63, 0, 9).end_index()), (None, None));
    assert_eq!(BundleId { index: 3, width: 9 }.end_index(), Some(1024));
    assert_eq!(BundleId { index: u64::MAX, width: 9 }.end_index(), None);
    assert!(tile(0, 3, 256).is_pruned(1024) && !tile(0, 3, 256).is_pruned(1023));
    assert!(!tile(0, 3, 255).is_pruned(u64::MAX), "partial tiles have a rule of their own");
    assert!(BundleId { index: 0, width: 256 }.is_pruned(256) && !BundleId { index: 0, width: 256 }.is_pruned(255));
    assert!(!tile(7, 0, 256).is_pruned(u64::MAX));
    // What the specification promises above the minimum can be made without any pruned tile: consistency between
    // sizes from the minimum on, and inclusion of entries from there on.
    let log = Log::of(900);
    for minimum in [0, 1, 255, 256, 300, 512, 767, 768, 900_u64] {
        let kept = |size: u64| {
            let log = Log { entries: log.entries[..size as usize].to_vec() };
            move |id: TileId| if id.is_pruned(minimum) { Err(id) } else { Ok(log.tile(id)) }
        };
        for old in (minimum.max(1)..=900).step_by(97) {
            assert!(ledger::consistency_proof(old, 900, kept(900)).is_ok(), "{old} of 900 from {minimum}");
            assert_eq!(ledger::root_from_tiles(old, kept(old)).ok(), Some(log.root(old)));
        }
        for index in (minimum..900).step_by(89) {
            assert!(ledger::inclusion_proof(index, 900, kept(900)).is_ok(), "{index} of 900 from {minimum}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the log grows, whatever is cut off and however the bytes arrive: what the mirror signed, it holds.
    #[test]
    fn whatever_is_signed_is_held(steps in prop::collection::vec((0_u64..300, 0_usize..20_000, 1_usize..5000), 1..6)) {
        let (log, mut host) = (Log::of(1500), Host::new());
        let mut size = 0;
        for (more, cut, piece) in steps {
            let old = size;
            size += more;
            host.add_checkpoint(&log.request(old, size)).unwrap();
            let bytes = upload(&log, host.state.next, size, b"", 99);
            let cut = cut.min(bytes.len());
            match host.add_entries(&bytes[..cut], piece) {
                Ok(_) => prop_assert_eq!(host.state.latest.as_ref().unwrap().size, size),
                Err(reply) => prop_assert!([202, 400].contains(&reply.status())),
            }
            prop_assert_eq!(&host.entries, &log.entries[..host.entries.len()]);
            let latest = host.state.latest.as_ref().map_or(0, |latest| latest.size);
            prop_assert!(latest <= host.state.next && host.state.next <= size);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600), piece in 1_usize..50) {
        let mut reader = UploadReader::new();
        for part in bytes.chunks(piece) {
            reader.feed(part);
            if reader.head().is_err() || reader.package().is_err() {
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some(info) = MirrorInfo::parse(&text) {
            prop_assert_eq!(info.to_string(), text);
        }
    }
}
