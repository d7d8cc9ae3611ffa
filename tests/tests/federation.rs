//! Five institutions, each a `biobankd` of its own, that witness and mirror each other: a checkpoint is final once three
//! of the other four have signed it. One is killed, one is cut off, one is slow, one forks its log, one goes back to an
//! old copy; and at every point the participants of whoever lives can take their consent back.
//!
//! They talk over the loopback interface. To be cut off is to be stopped (SIGSTOP): the network still takes the bytes,
//! and nobody answers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use bridge::{DonorStep, RecordView, Role};
use consent::{DataKind, Withdrawal};
use identity::{ProfileSecret, SigningKey};
use ledger::{
    AddCheckpoint, BundleId, Checkpoint, EntryHash, Frontier, Hash, NoteKey, PolicyError, Receipt, TileEdge, TileId,
    TrustPolicy, VerifierKey, consistency_proof, leaf_hash, origin_hash,
};
use proof::{Biobankd, grant, program, step};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wallet::{Profile, connect, enrol, staff, sync, views};

const NAMES: [&str; 5] = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon"];
const ALPHA: usize = 0;
const BETA: usize = 1;
const GAMMA: usize = 2;
const DELTA: usize = 3;
const EPSILON: usize = 4;
/// How many of the other four make a checkpoint final.
const QUORUM: &str = "3";
/// How long the slow one's network holds the bytes, each way.
const DELAY: Duration = Duration::from_millis(350);
/// How long something that must happen is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

struct Institution {
    biobank: Biobankd,
    participant: Arc<Profile>,
    vkey: VerifierKey,
    policy: TrustPolicy,
}

struct Federation {
    root: tempfile::TempDir,
    all: Vec<Institution>,
    http: reqwest::Client,
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn consentctl(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(program("CONSENTCTL", "consentctl")).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// A network that is slow both ways, in front of a port of this machine.
async fn slow_network(port: u16) -> u16 {
    async fn carry(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin) {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            tokio::time::sleep(DELAY).await;
            if to.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(carry(near_in, far_out));
                carry(far_in, near_out).await;
            });
        }
    });
    own
}

fn profile(dir: &Path, role: Role, seed: u8) -> Profile {
    fs::create_dir_all(dir).unwrap();
    Profile::open(role, dir, ProfileSecret::from_bytes([seed; 32])).unwrap()
}

/// A participant who said yes to two studies.
async fn enrolled(dir: &Path, biobank: &Biobankd, seed: u8) -> Arc<Profile> {
    let desk = profile(&dir.join("staff"), Role::Staff, seed + 100);
    connect::connect(&desk, &biobank.address(), biobank.told()["staffCode"].as_str().unwrap()).await.unwrap();
    let invitation = staff::invite(&desk).await.unwrap();
    let participant = profile(&dir.join("participant"), Role::Participant, seed);
    enrol::accept(&participant, &enrol::read_invitation(&invitation.link, None).await.unwrap()).await.unwrap();
    sync::sync(&participant).await.unwrap();
    grant(&participant, &"heart-rhythm".parse().unwrap(), &[DataKind::Genome]).await.unwrap();
    participant.into()
}

impl Federation {
    /// Founds five institutions, lets them tell each other of themselves, and starts them as a federation.
    async fn found() -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut biobanks = Vec::new();
        let mut sheets: Vec<PathBuf> = Vec::new();
        for (at, name) in NAMES.iter().enumerate() {
            let dir = root.path().join(name);
            fs::create_dir_all(&dir).unwrap();
            let origin = format!("{}.example/log", name.to_lowercase());
            fs::write(dir.join("institution.json"), json!({ "name": name, "origin": origin }).to_string()).unwrap();
            let mut biobank = Biobankd::start(&dir).unwrap();
            biobank.kill();
            let port = if at == DELTA { slow_network(biobank.port).await } else { biobank.port };
            let mut member = Command::new(program("BIOBANKD", "biobankd"));
            member.args(["member", "--address", &format!("http://127.0.0.1:{port}"), "--data"]).arg(&dir);
            let sheet = root.path().join(format!("{name}.json"));
            fs::write(&sheet, run(&mut member).stdout).unwrap();
            sheets.push(sheet);
            biobanks.push(biobank);
        }
        for biobank in &mut biobanks {
            let mut join = Command::new(program("BIOBANKD", "biobankd"));
            run(join.args(["join", "--quorum", QUORUM, "--mirror", "--data"]).arg(&biobank.dir).args(&sheets));
            biobank.restart(&[]).unwrap();
        }
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut all = Vec::new();
        for (biobank, seed) in biobanks.into_iter().zip(1..) {
            let policy = TrustPolicy::parse(&fs::read(biobank.dir.join("federation.policy")).unwrap()).unwrap();
            let seed_of_log = fs::read(biobank.dir.join("log.key")).unwrap().try_into().unwrap();
            let origin = format!("{}.example/log", NAMES[usize::from(seed) - 1].to_lowercase());
            let vkey = NoteKey::new(&origin, SigningKey::from_seed(seed_of_log)).unwrap().verifier().clone();
            let participant = enrolled(&root.path().join(format!("people-{seed}")), &biobank, seed).await;
            all.push(Institution { biobank, participant, vkey, policy });
        }
        Self { root, all, http }
    }

    async fn text(&self, at: usize, path: &str) -> Option<String> {
        let url = format!("{}{path}", self.all[at].biobank.address());
        let answer = self.http.get(url).timeout(Duration::from_secs(5)).send().await.ok()?;
        if answer.status().is_success() { answer.text().await.ok() } else { None }
    }

    /// Waits until an answer of an institution is as it must become.
    async fn until(&self, at: usize, path: &str, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let text = self.text(at, path).await;
            if let Some(text) = text.as_ref().filter(|text| holds(text)) {
                return text.clone();
            }
            let log = fs::read_to_string(&self.all[at].biobank.log).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(12).collect();
            assert!(begun.elapsed() < PATIENCE, "{} {path}: never {what}: {text:?}\n{last:#?}", NAMES[at]);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn final_under(&self, at: usize, note: &str) -> bool {
        match self.all[at].policy.verify(note, None) {
            Ok(_) => true,
            Err(PolicyError::Pending(_)) => false,
            Err(error) => panic!("{}: {error}", NAMES[at]),
        }
    }

    /// The participant takes the consent back, as far as this level; the entry has a number when this returns.
    async fn withdraws(&self, at: usize, level: Withdrawal) -> (EntryHash, u64) {
        let participant = &self.all[at].participant;
        let entry = step(participant, &"heart-rhythm".parse().unwrap(), DonorStep::Withdraw { level }).unwrap();
        // A round may find that the log is not right, or not published yet. The withdrawal goes out in any case.
        let said = sync::sync(participant).await.map(|_| ());
        let receipt = self.until(at, &format!("/v1/entries/{entry}/proof"), "in the log", |_| true).await;
        let index = Receipt::parse(&receipt).unwrap().index;
        println!("  {}: withdrawn ({level:?}), entry {index}, round {said:?}", NAMES[at]);
        (entry, index)
    }

    /// Waits until the receipt of an entry is final.
    async fn becomes_final(&self, at: usize, entry: &EntryHash) {
        let holds = |receipt: &str| self.final_under(at, &Receipt::parse(receipt).unwrap().checkpoint);
        self.until(at, &format!("/v1/entries/{entry}/proof"), "final", holds).await;
    }

    /// Stops a process, or lets it go on.
    fn signal(&self, at: usize, signal: &str) {
        run(Command::new("kill").args([signal, &self.pid(at).to_string()]));
    }

    fn pid(&self, at: usize) -> u32 {
        self.all[at].biobank.pid().unwrap()
    }

    /// The entries of an institution's log, as anybody reads them.
    async fn entries(&self, at: usize) -> Vec<Vec<u8>> {
        let note = self.text(at, "/checkpoint").await.unwrap();
        let size = Checkpoint::open(&note, &self.all[at].vkey).unwrap().size;
        let id = BundleId::in_tree(0, size).unwrap();
        assert!(size < 256, "one bundle holds all of it");
        let url = format!("{}/{}", self.all[at].biobank.address(), id.path());
        let bytes = self.http.get(url).send().await.unwrap().bytes().await.unwrap();
        id.entries(&bytes).unwrap().into_iter().map(<[u8]>::to_vec).collect()
    }

    /// Shows a checkpoint to an institution; the status of the answer.
    async fn show(&self, at: usize, path: &str, request: &AddCheckpoint) -> u16 {
        let url = format!("{}{path}", self.all[at].biobank.address());
        self.http.post(url).body(request.to_string()).send().await.unwrap().status().as_u16()
    }

    /// The evidence that an institution keeps against another, judged by the program that anybody has.
    async fn convicts(&self, at: usize, whom: usize) -> Vec<String> {
        let list: Value = serde_json::from_str(&self.text(at, "/v1/evidence").await.unwrap()).unwrap();
        let mut verdicts = Vec::new();
        for kept in list["evidence"].as_array().unwrap() {
            assert_eq!(kept["origin"], self.all[whom].vkey.name());
            let path = format!("/v1/evidence/{}", kept["id"].as_str().unwrap());
            let file = self.root.path().join("evidence.json");
            fs::write(&file, self.text(at, &path).await.unwrap()).unwrap();
            let key = self.all[whom].vkey.to_string();
            let (code, said) = consentctl(&["ledger", "evidence", file.to_str().unwrap(), "--vkey", &key]);
            assert_eq!(code, Some(0), "{said}");
            assert!(said.starts_with("proved: "), "{said}");
            println!("  {} holds against {}: {}", NAMES[at], NAMES[whom], said.lines().next().unwrap());
            let other = self.all[(whom + 1) % 5].vkey.to_string();
            assert_eq!(consentctl(&["ledger", "evidence", file.to_str().unwrap(), "--vkey", &other]).0, Some(1));
            verdicts.push(kept["verdict"].as_str().unwrap().to_owned());
        }
        verdicts.sort();
        verdicts
    }
}

/// A tree over some entries: its root, and the proof that it grew from `old`.
fn tree(entries: &[Vec<u8>], old: u64) -> (Hash, Vec<Hash>) {
    let (mut edge, mut frontier) = (TileEdge::new(), Frontier::new());
    let mut tiles: BTreeMap<TileId, Vec<u8>> = BTreeMap::new();
    for entry in entries {
        tiles.extend(edge.push(entry));
        frontier.push(leaf_hash(entry));
    }
    tiles.extend(edge.partial_tiles());
    assert_eq!(edge.root(), frontier.root());
    let size = entries.len() as u64;
    let proof = if old == size {
        Vec::new()
    } else {
        consistency_proof(old, size, |id| tiles.get(&id).cloned().ok_or(())).unwrap()
    };
    (edge.root(), proof)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_institutions() {
    println!("five biobankd processes on loopback; final = {QUORUM} of the other four");
    let mut federation = Federation::found().await;

    println!("all are up");
    for (member, name) in federation.all.iter().zip(NAMES) {
        let (participant, begun) = (member.participant.clone(), Instant::now());
        // The wallet itself sees its first yes become final, by the policy that the institution signed.
        loop {
            let round = sync::sync(&participant).await.map(|_| ());
            let record = views::home(&participant).unwrap().consents[0].record.clone();
            if matches!(&record, RecordView::Recorded(entry) if entry.quorum.as_ref().is_some_and(|q| q.reached)) {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{name}: {record:?}, {round:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    println!("{} is killed", NAMES[ALPHA]);
    federation.all[ALPHA].biobank.kill();
    for at in [BETA, GAMMA, DELTA, EPSILON] {
        let (entry, _) = federation.withdraws(at, Withdrawal::NoContact).await;
        federation.becomes_final(at, &entry).await;
    }

    println!("and {} is cut off", NAMES[BETA]);
    federation.signal(BETA, "-STOP");
    let mut pending = Vec::new();
    for at in [GAMMA, DELTA, EPSILON] {
        let (entry, index) = federation.withdraws(at, Withdrawal::NoAccess).await;
        let receipt = federation.text(at, &format!("/v1/entries/{entry}/proof")).await.unwrap();
        let note = Receipt::parse(&receipt).unwrap().checkpoint;
        assert!(!federation.final_under(at, &note), "{}: two of four are no quorum", NAMES[at]);
        assert!(Checkpoint::open(&note, &federation.all[at].vkey).unwrap().size > index);
        pending.push((at, entry));
    }
    // What is pending stays pending, and is shown all the same.
    for (at, entry) in &pending {
        let metrics = federation.text(*at, "/metrics").await.unwrap();
        assert!(metrics.contains("biobankd_checkpoint_final 0"), "{}: {metrics}", NAMES[*at]);
        let receipt = federation.text(*at, &format!("/v1/entries/{entry}/proof")).await.unwrap();
        assert!(!federation.final_under(*at, &Receipt::parse(&receipt).unwrap().checkpoint));
    }

    println!("both are back");
    federation.signal(BETA, "-CONT");
    federation.all[ALPHA].biobank.restart(&[]).unwrap();
    for (at, entry) in &pending {
        federation.becomes_final(*at, entry).await;
    }
    for at in [ALPHA, BETA] {
        let (entry, _) = federation.withdraws(at, Withdrawal::NoAccess).await;
        federation.becomes_final(at, &entry).await;
    }

    println!("{} signs a second history", NAMES[EPSILON]);
    let entries = federation.entries(EPSILON).await;
    let size = entries.len() as u64;
    // The others have seen all of it.
    let own_hash = origin_hash(federation.all[EPSILON].vkey.name());
    for at in [ALPHA, BETA, GAMMA] {
        for place in ["witness", "mirror"] {
            let seen = |note: &str| note.split('\n').nth(1) == Some(&size.to_string());
            federation.until(at, &format!("/{place}/{own_hash}/checkpoint"), "up to date", seen).await;
        }
    }
    let seed = fs::read(federation.all[EPSILON].biobank.dir.join("log.key")).unwrap().try_into().unwrap();
    let key = NoteKey::new(federation.all[EPSILON].vkey.name(), SigningKey::from_seed(seed)).unwrap();
    let mut forged = entries.clone();
    forged[1].push(b'!');
    for longer in [0, 2] {
        forged.extend((0..longer).map(|n| format!("made up {n}").into_bytes()));
        let (root, proof) = tree(&forged, size);
        let origin = key.verifier().name().to_owned();
        let checkpoint = Checkpoint { origin, size: forged.len() as u64, root }.sign(&key).unwrap();
        let request = AddCheckpoint { old_size: size, proof, checkpoint: checkpoint.note().to_owned() };
        assert_eq!(federation.show(GAMMA, "/witness/add-checkpoint", &request).await, 422);
        assert_eq!(federation.show(BETA, "/mirror/add-checkpoint", &request).await, 422);
    }
    assert_eq!(federation.convicts(GAMMA, EPSILON).await, ["fork", "rewritten"]);
    assert_eq!(federation.convicts(BETA, EPSILON).await, ["fork", "rewritten"]);
    assert_eq!(federation.convicts(ALPHA, EPSILON).await, [""; 0], "who was shown nothing holds nothing");
    let (entry, _) = federation.withdraws(EPSILON, Withdrawal::NoUse).await;
    federation.becomes_final(EPSILON, &entry).await;

    println!("{} goes back to an old copy", NAMES[DELTA]);
    let (log, copy) = (federation.all[DELTA].biobank.dir.join("log"), federation.root.path().join("old-copy"));
    federation.all[DELTA].biobank.kill();
    run(Command::new("cp").arg("-a").arg(&log).arg(&copy));
    federation.all[DELTA].biobank.restart(&[]).unwrap();
    let (lost, _) = federation.withdraws(DELTA, Withdrawal::NoUse).await;
    federation.becomes_final(DELTA, &lost).await;
    federation.all[DELTA].biobank.kill();
    fs::remove_dir_all(&log).unwrap();
    fs::rename(&copy, &log).unwrap();
    federation.all[DELTA].biobank.restart(&[]).unwrap();
    let behind = |metrics: &str| metrics.lines().any(|line| line == "biobankd_witness_ahead 1");
    federation.until(DELTA, "/metrics", "told that it went back", behind).await;
    assert!(fs::read_to_string(&federation.all[DELTA].biobank.log).unwrap().contains("THIS LOG WENT BACK"));
    let told = format!("biobankd_watched_went_back_total{{origin=\"{}\"}}", federation.all[DELTA].vkey.name());
    federation.until(GAMMA, "/metrics", "aware of it", |metrics| metrics.contains(&told)).await;
    assert!(federation.text(DELTA, &format!("/v1/entries/{lost}/proof")).await.is_none(), "it has lost an entry");
    // Its participants can still take more back.
    let (_, index) = federation.withdraws(DELTA, Withdrawal::DestroySample).await;
    println!("  {}: entry {index} in spite of it", NAMES[DELTA]);
    // But whoever goes on from an old copy writes a second history, and is convicted by it.
    let delta = federation.all[DELTA].vkey.name().to_owned();
    let against = |list: &str| list.contains(&format!("\"origin\":\"{delta}\",\"verdict\":\"fork\""));
    federation.until(GAMMA, "/v1/evidence", "holding the fork", against).await;

    println!("what the others have is whole");
    for at in [ALPHA, BETA, GAMMA, EPSILON] {
        let (code, said) = consentctl(&["ledger", "audit", &federation.all[at].biobank.address()]);
        assert_eq!(code, Some(0), "{}: {said}", NAMES[at]);
    }
    // Beta's copy of Gamma's log is the log itself, and can be read without Gamma.
    let note = federation.text(GAMMA, "/checkpoint").await.unwrap();
    let head = Checkpoint::open(&note, &federation.all[GAMMA].vkey).unwrap();
    let hash = origin_hash(&head.origin);
    let held = |note: &str| note.starts_with(&head.text());
    federation.until(BETA, &format!("/mirror/{hash}/checkpoint"), "the whole log", held).await;
    federation.all[GAMMA].biobank.kill();
    let folder = federation.all[BETA].biobank.dir.join("mirror").join(hash);
    let key = federation.all[GAMMA].vkey.to_string();
    let (code, said) = consentctl(&["ledger", "replay", folder.to_str().unwrap(), "--vkey", &key]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&head.root.to_string()), "{said}");
}
