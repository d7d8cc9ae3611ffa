//! What the tests with other people's programs share: logs in files, a served log with entries of real donors, and
//! the programs.

use identity::{Did, ProfileSecret, SigningKey, present, sign_jws, sign_request};
use ledger::{
    Act, BundleId, Checkpoint, ConsentEntry, ConsentEvent, EntryHash, Given, Hash, NoteKey, TILE_WIDTH, TileEdge,
    append_to_bundle, commit_subject,
};
use proof::Biobankd;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub const ORIGIN: &str = "biobank.example/log";

pub fn note_key(seed: u8) -> NoteKey {
    NoteKey::new(ORIGIN, SigningKey::from_seed([seed; 32])).unwrap()
}

/// An entry like any other; each number gives another one.
pub fn entry(number: u32) -> ConsentEntry {
    let mut subject = [0; 32];
    subject[..4].copy_from_slice(&number.to_be_bytes());
    let hash = Hash::from_bytes([3; 32]);
    let (subject, time) = (Hash::from_bytes(subject), "2026-11-22T12:00:00Z".parse().unwrap());
    let act = Act::Grant(Given { credential: hash, policy: hash, until: None });
    ConsentEntry::sign(
        &SigningKey::from_seed([1; 32]),
        &ConsentEvent { subject, previous: None, notice: hash, time, act },
    )
}

pub fn put(dir: &Path, path: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Writes a log as a web server would show it, and returns its root.
pub fn write_log(dir: &Path, entries: &[ConsentEntry]) -> Hash {
    let (mut edge, size) = (TileEdge::new(), entries.len() as u64);
    for (number, entries) in (0..).zip(entries.chunks(TILE_WIDTH as usize)) {
        let mut bundle = Vec::new();
        for entry in entries {
            append_to_bundle(&mut bundle, entry.bytes()).unwrap();
            edge.push(entry.bytes()).iter().for_each(|(id, bytes)| drop(put(dir, &id.path(), bytes)));
        }
        put(dir, &BundleId::in_tree(number, size).unwrap().path(), &bundle);
    }
    edge.partial_tiles().iter().for_each(|(id, bytes)| drop(put(dir, &id.path(), bytes)));
    put(dir, "checkpoint", sign(size, edge.root(), &note_key(5)).as_bytes());
    edge.root()
}

pub fn sign(size: u64, root: Hash, key: &NoteKey) -> String {
    Checkpoint { origin: ORIGIN.into(), size, root }.sign(key).unwrap().note().to_owned()
}

/// A folder of this crate.
pub fn third_party(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("third_party").join(name)
}

/// Builds the Go program with the packages that Debian installs; no network.
pub fn build_checklog(dir: &Path) -> PathBuf {
    let program = dir.join("checklog");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&program).arg(".").current_dir(third_party("go/checklog"));
    go.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOPROXY", "off").env("GOFLAGS", "");
    if std::env::var_os("GOCACHE").is_none() {
        go.env("GOCACHE", dir.join("cache"));
    }
    let made = go.output().unwrap_or_else(|error| {
        panic!("this test needs Go ({error}): install the packages golang and golang-golang-x-mod-dev")
    });
    let why = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "install the package golang-golang-x-mod-dev if a package is missing:\n{why}");
    program
}

/// Runs a program with something on its standard input.
pub fn feed(command: &mut Command, input: &[u8]) -> Output {
    use std::io::Write as _;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output
}

#[allow(clippy::disallowed_methods, reason = "the test's clock")]
pub fn now() -> consent::Timestamp {
    consent::Timestamp::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap())
}

/// A running `biobankd --demo`, asked over HTTP.
pub struct Served {
    pub biobank: Biobankd,
    pub did: Did,
    pub vkey: String,
    pub http: Client,
}

impl Served {
    pub async fn open(dir: &Path) -> Self {
        let biobank = Biobankd::start(dir).unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        let log = http.get(format!("{}/v1/log", biobank.address())).send().await.unwrap();
        let log: Value = log.json().await.unwrap();
        let did = log["did"].as_str().unwrap().parse().unwrap();
        Self { biobank, did, vkey: log["vkey"].as_str().unwrap().into(), http }
    }

    pub async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let answer = self.http.get(format!("{}{path}", self.biobank.address())).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    pub async fn post(&self, path: &str, body: Vec<u8>) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.biobank.address()));
        read(request.body(body).send().await.unwrap()).await
    }

    /// A signed request.
    pub async fn signed(&self, key: &SigningKey, method: Method, path: &str, body: &Value) -> (u16, Value) {
        static NONCE: AtomicU64 = AtomicU64::new(0);
        let nonce = format!("third-party-{}", NONCE.fetch_add(1, Ordering::Relaxed));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let authority = format!("127.0.0.1:{}", self.biobank.port);
        let headers = sign_request(key, method.as_str(), &authority, path, "", body.as_bytes(), now(), &nonce);
        let request = self.http.request(method, format!("{}{path}", self.biobank.address()));
        let request = request
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature)
            .header("content-digest", headers.content_digest);
        read(request.body(body).send().await.unwrap()).await
    }

    /// The key of somebody who used one of the codes of the demo.
    pub async fn paired(&self, code: &str, seed: u8) -> SigningKey {
        let key = SigningKey::from_seed([seed; 32]);
        let body = json!({ "code": self.biobank.told()[code] });
        assert_eq!(self.signed(&key, Method::POST, "/v1/pair", &body).await.0, 200);
        key
    }

    /// An enrolled donor with a registered key for the heart study.
    pub async fn donor(&self, staff: &SigningKey, seed: u8) -> Donor {
        let (status, invitation) = self.signed(staff, Method::POST, "/v1/invitations", &json!({})).await;
        assert_eq!(status, 200, "{invitation}");
        let code = &invitation["code"];
        let body = json!({ "code": code }).to_string().into_bytes();
        let (_, asked) = self.post("/v1/enrolment/challenge", body).await;
        let secret = ProfileSecret::from_bytes([seed; 32]);
        let pairwise = secret.derive_biobank_key(&self.did);
        let (from, until, domain) = (now(), now().plus_seconds(600), self.did.as_str());
        let presentation = present(&pairwise, &[], asked["challenge"].as_str(), domain, from, until).await.unwrap();
        let body = json!({ "code": code, "presentation": presentation }).to_string().into_bytes();
        assert_eq!(self.post("/v1/enrolment", body).await.0, 200);
        let donor = Donor { secret, pairwise, biobank: self.did.clone() };
        let registration = donor.registration();
        assert_eq!(self.signed(&donor.pairwise, Method::POST, "/v1/study-keys", &registration).await.0, 204);
        donor
    }
}

async fn read(answer: reqwest::Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub struct Donor {
    pub secret: ProfileSecret,
    pub pairwise: SigningKey,
    pub biobank: Did,
}

impl Donor {
    fn study() -> consent::StudyId {
        "heart-rhythm".parse().unwrap()
    }

    pub fn key(&self) -> SigningKey {
        self.secret.derive_study_key(&self.biobank, &Self::study())
    }

    fn salt(&self) -> [u8; 32] {
        self.secret.derive_subject_salt(&self.biobank, &Self::study())
    }

    fn registration(&self) -> Value {
        let said = json!({ "donor": self.pairwise.did(), "study": Self::study() });
        let binding = sign_jws(&self.key(), "study-key.v1+jws", &identity::to_canonical(&said).unwrap());
        json!({ "study": Self::study(), "salt": hex::encode(self.salt()), "binding": binding })
    }

    pub fn says(&self, previous: Option<EntryHash>, act: Act) -> ConsentEntry {
        let subject = commit_subject(&self.salt(), &self.pairwise.did(), &Self::study());
        let notice = Hash::from([6; 32]);
        ConsentEntry::sign(&self.key(), &ConsentEvent { subject, previous, notice, time: now(), act })
    }

    pub fn grants(&self, previous: Option<EntryHash>) -> ConsentEntry {
        let hash = Hash::from([7; 32]);
        self.says(previous, Act::Grant(Given { policy: hash, credential: hash, until: None }))
    }
}
