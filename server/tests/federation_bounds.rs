//! What the doors of a federation take, what they count, and what they answer to who waits.
#![allow(clippy::unwrap_used, reason = "a test may break off")]

#[path = "../../ledger/tests/institution/mod.rs"]
mod institution;
mod member;

use flate2::Compression;
use flate2::write::GzEncoder;
use institution::{Log, ORIGIN, ed25519, log_key, log_keys};
use ledger::{
    AddCheckpoint, AddEntries, Checkpoint, EntryPackage, MirrorInfo, Receipt, TileEdge, TileId, package_ranges,
};
use member::{Answer, Member, answer, host, ok, peer, text, upload};
use serde_json::Value;
use server::federation::{KnownLog, Peer, Peers};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

const WENT_BACK: &str = "biobankd_watched_went_back_total{origin=\"biobank.example/log\"}";

/// Asks for the figures until they show something.
async fn until(member: &Member, shows: &str) {
    let begun = Instant::now();
    loop {
        let figures = member.get("/metrics").await;
        if text(&figures).contains(shows) {
            return;
        }
        assert!(begun.elapsed().as_secs() < 60, "no {shows} in {}", text(&figures));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_log_itself_can_show_that_it_went_back() {
    let root = tempfile::tempdir().unwrap();
    let log = Log::of(30);
    // What it shows at its own address: ten entries, as if it had been put back to an old copy.
    let shown = log.checkpoint(10).note().to_owned();
    let address = peer(move |_| ok(&shown)).await;
    let mut member = Member::new(&root, "host").await;
    let quiet = Peers { logs: vec![KnownLog { keys: log_keys(), mirror: false, address: None }], ..Peers::default() };
    member.federate("quorum none\n", &quiet).await;
    assert_eq!(member.show(&log.request(0, 20)).await.0, 200);
    // Anybody can bring an old checkpoint of it beside a wrong size.
    for (old, new) in [(0, 5), (0, 10), (4, 19)] {
        assert_eq!(member.show(&log.request(old, new)).await.0, 409);
    }
    assert!(!text(&member.get("/metrics").await).contains(WENT_BACK));
    member.close().await;
    let logs = vec![KnownLog { keys: log_keys(), mirror: false, address: Some(address) }];
    member.federate("quorum none\n", &Peers { logs, ..Peers::default() }).await;
    until(&member, WENT_BACK).await;
    member.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_witnesses_in_vain_is_told_so() {
    let root = tempfile::tempdir().unwrap();
    let mut own = Member::new(&root, "own").await;
    // Where nobody witnesses there is nobody to wait for.
    own.open().await;
    let entry = own.says(1);
    let alone = own.post("/v1/entries?wait=witnessed", entry.bytes().to_vec()).await;
    let said: Value = serde_json::from_slice(&alone.2).unwrap();
    assert_eq!((alone.0, said["receipt"].is_string()), (202, true));
    own.close().await;

    let key = ed25519(1).key().clone();
    let quorum = format!("witness w {key}\nquorum w\n");
    let witnesses = vec![Peer { address: "http://127.0.0.1:1/".parse().unwrap(), keys: vec![key] }];
    own.federate(&quorum, &Peers { witnesses, ..Peers::default() }).await;
    until(&own, "biobankd_peer_failures_total{").await;
    let entry = own.says(2);
    let taken = own.post("/v1/entries", entry.bytes().to_vec()).await;
    let said: Value = serde_json::from_slice(&taken.2).unwrap();
    assert_eq!((taken.0, said["status"].as_u64()), (202, Some(202)), "durable, and not shown yet");
    assert!(said["receipt"].is_null() && said["index"].is_u64(), "{said}");
    let proof = format!("/v1/entries/{}/proof", entry.hash());
    assert_eq!(own.get(&proof).await.0, 404);
    // Then it is shown without the witness, and whoever wants more is told that it is not more.
    let begun = Instant::now();
    let waited = own.post("/v1/entries?wait=witnessed", entry.bytes().to_vec()).await;
    assert!(begun.elapsed().as_secs() >= 20);
    let said: Value = serde_json::from_slice(&waited.2).unwrap();
    assert_eq!((waited.0, said["status"].as_u64()), (202, Some(202)), "{said}");
    let receipt = said["receipt"].as_str().unwrap();
    let vkey = own.sheet().log[0].to_string().parse().unwrap();
    Receipt::verify(receipt, entry.bytes(), &vkey).unwrap();
    assert_eq!(own.get(&proof).await.0, 200);
    own.close().await;
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

async fn send(member: &Member, coding: &str, body: Vec<u8>) -> Answer {
    let url = member.address().join("/mirror/add-entries").unwrap();
    answer(member.http.post(url).header("content-encoding", coding).body(body).send().await.unwrap()).await
}

#[tokio::test]
async fn an_upload_may_come_packed_and_what_it_unpacks_to_is_bounded() {
    let root = tempfile::tempdir().unwrap();
    let (mut member, log) = (host(&root).await, Log::of(700));
    assert_eq!(member.post("/mirror/add-checkpoint", log.request(0, 700).to_string()).await.0, 200);
    let whole = upload(&log, 0, 700, 9);
    let bomb = packed(&vec![0; ledger::MAX_UPLOAD_BYTES + 1]);
    assert!(bomb.len() < 1 << 20);
    let mut torn = packed(&whole);
    torn.truncate(40);
    for (what, coding, body, status) in [
        ("too much comes out", "gzip", bomb, 413),
        ("not packed at all", "gzip", whole.clone(), 400),
        ("broken off", "gzip", torn, 400),
        ("packed in another way", "br", packed(&whole), 400),
        ("whole", "gzip", packed(&whole), 200),
    ] {
        assert_eq!(send(&member, coding, body).await.0, status, "{what}");
    }
    member.close().await;
}

/// A log of long entries, with its tiles made once.
struct Long {
    entries: Vec<Vec<u8>>,
    edge: TileEdge,
    tiles: BTreeMap<TileId, Vec<u8>>,
}

impl Long {
    fn of(size: u32, bytes: usize) -> Self {
        let (mut edge, mut tiles) = (TileEdge::new(), BTreeMap::new());
        let entry = |number: u32| [number.to_be_bytes().to_vec(), vec![b'x'; bytes - 4]].concat();
        let entries: Vec<Vec<u8>> = (0..size).map(entry).collect();
        entries.iter().for_each(|entry| tiles.extend(edge.push(entry)));
        tiles.extend(edge.partial_tiles());
        Self { entries, edge, tiles }
    }

    fn request(&self) -> AddCheckpoint {
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: self.edge.size(), root: self.edge.root() };
        let checkpoint = checkpoint.sign(&log_key()).unwrap().note().to_owned();
        AddCheckpoint { old_size: 0, proof: Vec::new(), checkpoint }
    }

    fn upload(&self, start: u64) -> Vec<u8> {
        let end = self.edge.size();
        let head = AddEntries { origin: ORIGIN.into(), start, end, ticket: Vec::new() };
        let mut bytes = head.to_bytes().unwrap();
        for range in package_ranges(start, end) {
            let entries = self.entries[range.start as usize..range.end as usize].to_vec();
            let package = EntryPackage::make(range, end, entries, |id| self.tiles.get(&id).cloned().ok_or(()));
            bytes.extend(package.unwrap().to_bytes().unwrap());
        }
        bytes
    }
}

#[tokio::test]
async fn a_mirror_takes_32_packages_of_the_longest_entries_at_once_and_no_more() {
    let root = tempfile::tempdir().unwrap();
    let (mut member, long) = (host(&root).await, Long::of(32 * 256, ledger::MAX_ENTRY));
    assert_eq!(member.post("/mirror/add-checkpoint", long.request().to_string()).await.0, 200);
    let body = long.upload(0);
    assert!(body.len() > 32 << 20);
    assert_eq!(member.post("/mirror/add-entries", body).await.0, 200);
    member.close().await;

    let other = tempfile::tempdir().unwrap();
    let (mut member, long) = (host(&other).await, Long::of(32 * 256 + 10, 16));
    assert_eq!(member.post("/mirror/add-checkpoint", long.request().to_string()).await.0, 200);
    let answer = member.post("/mirror/add-entries", long.upload(0)).await;
    assert_eq!(answer.0, 202, "{}", text(&answer));
    let next = MirrorInfo::parse(text(&answer)).unwrap().next;
    assert_eq!(next, 32 * 256);
    assert_eq!(member.post("/mirror/add-entries", long.upload(next)).await.0, 200);
    member.close().await;
}
