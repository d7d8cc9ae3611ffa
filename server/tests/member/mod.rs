//! A member of a federation, and peers of it that are made by hand.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test takes its part, and may break off")]

use super::institution::{Log, ORIGIN, log_keys};
use consent::Timestamp;
use identity::SigningKey;
use ledger::event::{InstitutionEvent, PolicyVersion};
use ledger::{AddCheckpoint, AddEntries, Entry, EntryPackage, Evidence, Hash, Verdict, origin_hash, package_ranges};
use reqwest::Client;
use serde_json::Value;
use server::federation::{KnownLog, PEERS_FILE, POLICY_FILE, Peers, Sheet};
use server::{Institution, Options, Running, StoreAddress, start};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

#[allow(clippy::disallowed_methods, reason = "the test's clock")]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Status, content type, body.
pub type Answer = (u16, String, Vec<u8>);

pub fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.2).unwrap()
}

pub struct Member {
    pub dir: PathBuf,
    pub name: String,
    /// Where its log lies.
    pub store: StoreAddress,
    pub running: Option<Running>,
    pub http: Client,
}

impl Member {
    /// An institution that was started once, and does not run.
    pub async fn new(root: &TempDir, name: &str) -> Self {
        let http = Client::builder().no_proxy().build().unwrap();
        let (dir, store) = (root.path().join(name), StoreAddress::Embedded);
        let mut member = Self { dir, name: name.to_owned(), store, running: None, http };
        member.open().await;
        member.close().await;
        member
    }

    pub async fn open(&mut self) {
        let institution = Institution { name: self.name.clone(), origin: format!("{}.example/log", self.name) };
        let listen = ([127, 0, 0, 1], 0).into();
        let options = Options { store: self.store.clone(), ..Options::new(self.dir.clone(), listen, institution) };
        self.running = Some(start(options).await.unwrap());
    }

    pub async fn close(&mut self) {
        if let Some(running) = self.running.take() {
            running.close().await;
        }
    }

    pub fn address(&self) -> Url {
        self.running.as_ref().map_or("http://127.0.0.1:1", |running| &running.address).parse().unwrap()
    }

    pub fn sheet(&self) -> Sheet {
        Sheet::of(&self.dir, &self.address()).unwrap()
    }

    /// Writes the files of a federation by hand, and starts.
    pub async fn federate(&mut self, quorum: &str, peers: &Peers) {
        let log = self.sheet().log[0].clone();
        std::fs::write(self.dir.join(POLICY_FILE), format!("log {log}\n{quorum}")).unwrap();
        std::fs::write(self.dir.join(PEERS_FILE), serde_json::to_string(peers).unwrap()).unwrap();
        self.open().await;
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.http.get(self.address().join(path).unwrap()).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        answer(self.http.post(self.address().join(path).unwrap()).body(body).send().await.unwrap()).await
    }

    pub async fn show(&self, request: &AddCheckpoint) -> Answer {
        self.post("/witness/add-checkpoint", request.to_string()).await
    }

    /// What is kept, each file judged.
    pub async fn evidence(&self) -> Vec<Verdict> {
        let list: Value = serde_json::from_slice(&self.get("/v1/evidence").await.2).unwrap();
        let mut verdicts = Vec::new();
        for kept in list["evidence"].as_array().unwrap() {
            assert_eq!(kept["origin"], ORIGIN);
            let file = self.get(&format!("/v1/evidence/{}", kept["id"].as_str().unwrap())).await;
            verdicts.push(Evidence::parse(&file.2).unwrap().judge().unwrap());
        }
        verdicts
    }

    /// An entry of the institution itself.
    pub fn says(&self, version: u32) -> Entry {
        let key = SigningKey::from_seed(std::fs::read(self.dir.join("institution.key")).unwrap().try_into().unwrap());
        let policy = "test".parse().unwrap();
        let time = Timestamp::from_unix(now().try_into().unwrap());
        let document = Hash::from_bytes([version as u8; 32]);
        Entry::sign(&key, &InstitutionEvent::Policy(PolicyVersion { document, policy, time, version })).unwrap()
    }
}

pub async fn answer(response: reqwest::Response) -> Answer {
    let status = response.status().as_u16();
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    (status, kind.unwrap_or_default(), response.bytes().await.unwrap().to_vec())
}

/// A member that signs for the log made by hand.
pub async fn host(root: &TempDir) -> Member {
    let mut member = Member::new(root, "host").await;
    let logs = vec![KnownLog { keys: log_keys(), mirror: true, address: None }];
    member.federate("quorum none\n", &Peers { logs, ..Peers::default() }).await;
    member
}

pub fn here() -> String {
    format!("/witness/{}/checkpoint", origin_hash(ORIGIN))
}

/// An upload of the entries from `start`, under the checkpoint of size `end`, with its first so many packages.
pub fn upload(log: &Log, start: u64, end: u64, packages: usize) -> Vec<u8> {
    let log = Log { entries: log.entries[..end as usize].to_vec() };
    let head = AddEntries { origin: ORIGIN.into(), start, end, ticket: Vec::new() };
    let mut bytes = head.to_bytes().unwrap();
    for range in package_ranges(start, end).take(packages) {
        let entries = log.entries[range.start as usize..range.end as usize].to_vec();
        bytes.extend(EntryPackage::make(range, end, entries, log.reader()).unwrap().to_bytes().unwrap());
    }
    bytes
}

/// A peer made by hand: what it answers to a body, or nothing for ever.
pub async fn peer(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let answer = std::sync::Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                let body = loop {
                    let mut part = [0; 65536];
                    let Ok(count @ 1..) = stream.read(&mut part).await else { return };
                    bytes.extend_from_slice(&part[..count]);
                    let read = String::from_utf8_lossy(&bytes).into_owned();
                    let Some((head, body)) = read.split_once("\r\n\r\n") else { continue };
                    let length = head
                        .lines()
                        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
                    if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                        break body.to_owned();
                    }
                };
                match answer(&body) {
                    Some(text) => drop(stream.write_all(text.as_bytes()).await),
                    None => std::future::pending().await,
                }
            });
        }
    });
    address
}

pub fn ok(body: &str) -> Option<String> {
    Some(format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}

pub fn conflict(size: u64) -> Option<String> {
    let body = format!("{size}\n");
    let head = "HTTP/1.1 409 Conflict\r\nconnection: close\r\ncontent-type: text/x.tlog.size";
    Some(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}
