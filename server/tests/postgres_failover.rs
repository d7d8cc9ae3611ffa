//! Three nodes in front of three PostgreSQL servers, and the server that takes writes is killed under load: nothing that
//! was acknowledged is lost, and no two checkpoints that anybody saw contradict each other.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may break off, and says what it measured")]

mod cluster;

use cluster::Cluster;
use consent::{StudyId, Timestamp};
use identity::SigningKey;
use ledger::client::{LogClient, audit};
use ledger::{
    Act, BundleId, Checkpoint, ConsentEntry, ConsentEvent, EntryHash, Given, Hash, SignedCheckpoint, TILE_WIDTH,
    TileEdge, VerifierKey, commit_subject,
};
use reqwest::Client;
use serde_json::{Value, json};
use server::log::{Postgres, Store as _, check};
use server::{Database, DatabaseAddress};
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const STUDY: &str = "heart-rhythm";
const CLIENTS: u8 = 6;
const NODES: usize = 3;

/// A `biobankd`.
struct Node {
    data: PathBuf,
    address: String,
    process: Child,
}

impl Node {
    async fn start(data: PathBuf, store: &str) -> Self {
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        fs::create_dir_all(&data).unwrap();
        let log = fs::File::create(data.with_extension("stderr")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_biobankd"));
        command.arg("--data").arg(&data).args(["--listen", &listen.to_string(), "--demo", "--store", store]);
        for limit in ["caller.write=0", "caller.read=0", "address.write=0", "address.read=0"] {
            command.args(["--limit", limit]);
        }
        let process = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let node = Self { data, address: format!("http://{listen}"), process };
        let http = Client::builder().no_proxy().build().unwrap();
        for _ in 0..600 {
            if http.get(format!("{}/checkpoint", node.address)).send().await.is_ok_and(|a| a.status().is_success()) {
                return node;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let log = fs::read_to_string(node.data.with_extension("stderr")).unwrap_or_default();
        panic!("a node does not start: {log}");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One donor, whose entries follow each other.
struct Donor {
    key: SigningKey,
    pairwise: SigningKey,
    salt: [u8; 32],
    study: StudyId,
    number: i64,
}

impl Donor {
    fn new(seed: u8) -> Self {
        let study = STUDY.parse().unwrap();
        let (key, pairwise) = (SigningKey::from_seed([seed; 32]), SigningKey::from_seed([seed + 100; 32]));
        Self { key, pairwise, salt: [seed; 32], study, number: 0 }
    }

    /// What the desk knows of the donor's key once it is registered.
    fn row(&self) -> (String, Vec<u8>) {
        let row = json!({ "donor": self.pairwise.did(), "study": self.study, "salt": hex::encode(self.salt) });
        (self.key.did().to_string(), row.to_string().into_bytes())
    }

    /// The next entry: a consent, then pauses and their ends by turns.
    fn next(&mut self, previous: Option<EntryHash>) -> ConsentEntry {
        let hash = Hash::from_bytes([3; 32]);
        let act = match self.number {
            0 => Act::Grant(Given { credential: hash, policy: hash, until: None }),
            number if number % 2 == 1 => Act::Suspend { until: None },
            _ => Act::Resume,
        };
        let subject = commit_subject(&self.salt, &self.pairwise.did(), &self.study);
        let time = Timestamp::from_unix(1_790_000_000 + self.number);
        self.number += 1;
        ConsentEntry::sign(&self.key, &ConsentEvent { subject, previous, notice: hash, time, act })
    }
}

/// Sends entries until told to stop, each until some node acknowledges it, and tells where they lie.
async fn load(
    mut donor: Donor,
    nodes: Arc<Vec<String>>,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
) -> Vec<(EntryHash, u64)> {
    let http = Client::builder().no_proxy().timeout(Duration::from_secs(8)).build().unwrap();
    let mut places: Vec<(EntryHash, u64)> = Vec::new();
    let mut turn = usize::from(donor.salt[0]);
    while !stop.load(Ordering::Relaxed) {
        let entry = donor.next(places.last().map(|(hash, _)| *hash));
        let index = loop {
            turn += 1;
            let url = format!("{}/v1/entries", nodes[turn % nodes.len()]);
            let request = http.post(url).header("content-type", "application/jose").body(entry.bytes().to_vec());
            if let Ok(answer) = request.send().await {
                let status = answer.status().as_u16();
                let body: Value = answer.json().await.unwrap_or_default();
                match status {
                    200 | 202 => break body["index"].as_u64().unwrap(),
                    // Whatever is not sure of itself is asked again; a refusal of a good entry is a fault.
                    500.. => {}
                    _ => panic!("{status} {body}"),
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        acknowledged.fetch_add(1, Ordering::Relaxed);
        places.push((entry.hash(), index));
    }
    places
}

/// Reads the checkpoints of all nodes by turns. None is behind one that was read before it, at whatever node.
async fn watch(nodes: Arc<Vec<String>>, key: VerifierKey, stop: Arc<AtomicBool>) -> BTreeMap<u64, SignedCheckpoint> {
    let http = Client::builder().no_proxy().timeout(Duration::from_secs(8)).build().unwrap();
    let (mut seen, mut largest) = (BTreeMap::<u64, SignedCheckpoint>::new(), 0);
    while !stop.load(Ordering::Relaxed) {
        for node in nodes.iter() {
            let Ok(answer) = http.get(format!("{node}/checkpoint")).send().await else { continue };
            if !answer.status().is_success() {
                continue;
            }
            let Ok(note) = answer.text().await else { continue };
            let checkpoint = Checkpoint::open(&note, &key).unwrap();
            assert!(checkpoint.size >= largest, "the log shrank from {largest} to {}", checkpoint.size);
            largest = checkpoint.size;
            let held = seen.entry(checkpoint.size).or_insert_with(|| checkpoint.clone());
            assert_eq!(held.root, checkpoint.root, "the log forked at {largest}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    seen
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap().map(|file| file.unwrap()) {
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

/// Waits until the load has brought so many more acknowledgements, and says how long the longest gap was.
async fn wait_for(acknowledged: &AtomicU64, more: u64) -> Duration {
    let (mut last, mut at, mut longest) = (acknowledged.load(Ordering::Relaxed), Instant::now(), Duration::ZERO);
    let end = last + more;
    while last < end {
        assert!(at.elapsed() < Duration::from_secs(90), "nothing is acknowledged any more");
        tokio::time::sleep(Duration::from_millis(10)).await;
        let now = acknowledged.load(Ordering::Relaxed);
        if now > last {
            longest = longest.max(at.elapsed());
            (last, at) = (now, Instant::now());
        }
    }
    longest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_killed_under_load_loses_nothing() {
    let Some(mut cluster) = Cluster::start(2).await else { return };
    let store = cluster.database("biobank").await;
    let dir = tempfile::tempdir().unwrap();
    let first = Node::start(dir.path().join("node0"), &store).await;
    let mut nodes = vec![first];
    for number in 1..NODES {
        let data = dir.path().join(format!("node{number}"));
        copy_folder(&nodes[0].data, &data);
        nodes.push(Node::start(data, &store).await);
    }
    let addresses = Arc::new(nodes.iter().map(|node| node.address.clone()).collect::<Vec<_>>());
    let info: Value = reqwest::get(format!("{}/v1/log", addresses[0])).await.unwrap().json().await.unwrap();
    let key: VerifierKey = info["vkey"].as_str().unwrap().parse().unwrap();

    let desk = cluster.primary().database("biobank").await.unwrap();
    let donors: Vec<Donor> = (1..=CLIENTS).map(Donor::new).collect();
    for donor in &donors {
        let (did, row) = donor.row();
        let sql = "INSERT INTO desk_rows (shelf, key, value) VALUES ('study-keys', $1, $2)";
        desk.execute(sql, &[&did, &row]).await.unwrap();
    }
    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let watcher = tokio::spawn(watch(addresses.clone(), key.clone(), stop.clone()));
    let mut clients = tokio::task::JoinSet::new();
    for donor in donors {
        clients.spawn(load(donor, addresses.clone(), stop.clone(), acknowledged.clone()));
    }
    let quiet = wait_for(&acknowledged, 150).await;
    cluster.kill(0);
    let killed = Instant::now();
    let before = acknowledged.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let chosen = cluster.promote().await;
    let promoted = killed.elapsed();
    // One answer of each client may have been on its way.
    wait_for(&acknowledged, (before + u64::from(CLIENTS) + 1).saturating_sub(acknowledged.load(Ordering::Relaxed)))
        .await;
    let gap = killed.elapsed();
    wait_for(&acknowledged, 150).await;
    // A node is lost as well, in the middle of its work.
    drop(nodes.remove(0));
    wait_for(&acknowledged, 60).await;
    stop.store(true, Ordering::Relaxed);
    let places: Vec<(EntryHash, u64)> = clients.join_all().await.into_iter().flatten().collect();
    let seen = watcher.await.unwrap();
    eprintln!(
        "{} entries acknowledged; {} was promoted after {promoted:?}, and entries flowed again after {gap:?}; the longest \
         pause in quiet times was {quiet:?}",
        places.len(),
        cluster.servers[chosen].name
    );

    // As a stranger sees it, at each node that is left.
    let mut ends = Vec::new();
    for node in &nodes {
        let report = audit(&LogClient::new(&node.address).unwrap(), &key).await.unwrap();
        assert!(report.is_clean(), "{:?}", report.findings);
        ends.push((report.checkpoint.note().to_owned(), report.state.hash()));
    }
    assert!(ends.iter().all(|end| *end == ends[0]));
    // As the store sees itself: every row against a replay.
    let address: DatabaseAddress = store.parse().unwrap();
    let log = Postgres::new(Database::open(&address, false).unwrap(), key.clone());
    let scratch = tempfile::tempdir().unwrap();
    let audited = check(&log, &key, scratch.path(), None).unwrap();
    assert!(audited.is_sound(), "{audited}");
    assert_eq!(audited.state, ends[0].1);
    // Everything that was acknowledged is where it was said to be, once.
    let names: Vec<EntryHash> = places.iter().map(|(hash, _)| *hash).collect();
    let held = log.indices(&names).unwrap();
    for (hash, index) in &places {
        assert_eq!(held.get(hash), Some(index), "an acknowledged entry");
    }
    // And everything that was ever shown is a beginning of this log.
    let (mut edge, mut roots) = (TileEdge::new(), 0);
    for number in 0..audited.size.div_ceil(TILE_WIDTH) {
        let id = BundleId::in_tree(number, audited.size).unwrap();
        for entry in id.entries(&log.bundle(id).unwrap().unwrap()).unwrap() {
            edge.push(entry);
            if let Some(checkpoint) = seen.get(&edge.size()) {
                assert_eq!(edge.root(), checkpoint.root, "at {}", edge.size());
                roots += 1;
            }
        }
    }
    assert_eq!(roots, seen.keys().filter(|size| **size > 0).count());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_while_no_standby_has_it() {
    let Some(mut cluster) = Cluster::start(1).await else { return };
    let store = cluster.database("biobank").await;
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path().join("node"), &store).await;
    let desk = cluster.primary().database("biobank").await.unwrap();
    let mut donor = Donor::new(1);
    let (did, row) = donor.row();
    let sql = "INSERT INTO desk_rows (shelf, key, value) VALUES ('study-keys', $1, $2)";
    desk.execute(sql, &[&did, &row]).await.unwrap();
    cluster.kill(1);
    let entry = donor.next(None);
    let http = Client::builder().no_proxy().timeout(Duration::from_secs(4)).build().unwrap();
    let post = || {
        let request = http.post(format!("{}/v1/entries", node.address)).header("content-type", "application/jose");
        request.body(entry.bytes().to_vec()).send()
    };
    assert!(post().await.is_err(), "no answer yet");
    // An operator who cuts the wait short gets the entry onto this server only. It does not count for that.
    let cut = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    assert!(desk.query_one(cut, &[]).await.unwrap().get::<_, i64>(0) > 0);
    let answer = post().await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status().is_server_error()), "still no answer");
    cluster.restart(1).await;
    let mut status = 0;
    for _ in 0..30 {
        status = post().await.map_or(0, |answer| answer.status().as_u16());
        if matches!(status, 200 | 202) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(matches!(status, 200 | 202), "{status}");
}
