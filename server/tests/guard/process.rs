//! The service as a process: what it logs, its figures, and how it ends.

use crate::filled;
use crate::setup::{Door, key};
use identity::{ProfileSecret, SigningKey, present};
use serde_json::{Value, json};
use server::{ROUTES, Who};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub struct Process {
    dir: TempDir,
    child: Child,
    pub log: PathBuf,
}

impl Process {
    pub fn start(more: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let child = Command::new(env!("CARGO_BIN_EXE_biobankd"))
            .args(["--demo", "--log", "json", "--listen", "127.0.0.1:0", "--data"])
            .arg(dir.path().join("biobank"))
            .args(more)
            .env("RUST_LOG", "debug")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let process = Self { dir, child, log };
        wait_for(|| process.told_path().exists());
        process
    }

    pub fn told_path(&self) -> PathBuf {
        self.dir.path().join("biobank/demo.json")
    }

    pub fn told(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.told_path()).unwrap()).unwrap()
    }

    fn door(&self) -> Door {
        Door::at(self.told()["address"].as_str().unwrap())
    }

    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait_for(mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never came to that");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Enrols a donor; what must not be found in a log afterwards.
async fn enrol(door: &Door, staff: &SigningKey, secret: &ProfileSecret) -> (SigningKey, Vec<String>) {
    let invitation = door.signed(staff, "POST", "/v1/invitations", &json!({})).await.json();
    let challenge =
        door.post("/v1/enrolment/challenge", json!({ "code": invitation["code"] }).to_string()).await.json();
    let biobank: identity::Did = challenge["did"].as_str().unwrap().parse().unwrap();
    let pairwise = secret.derive_biobank_key(&biobank);
    let (from, until) = (crate::setup::now(), crate::setup::now().plus_seconds(600));
    let presentation =
        present(&pairwise, &[], challenge["challenge"].as_str(), biobank.as_str(), from, until).await.unwrap();
    let body = json!({ "code": invitation["code"], "presentation": presentation }).to_string();
    assert_eq!(door.post("/v1/enrolment", body).await.status, 200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let code = text(&invitation["code"]);
    let secrets = vec![code.replace('-', ""), code, text(&invitation["donor"]), text(&challenge["challenge"])];
    (pairwise, secrets)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_of_every_route_and_of_nobody() {
    let process = Process::start(&[]);
    let (door, told) = (process.door(), process.told());
    let (staff, researcher, stranger) = (key(200), key(1), key(99));
    let code = |name: &str| told[name].as_str().unwrap().to_owned();
    door.pair(&staff, &code("staffCode")).await;
    door.pair(&researcher, &code("researcherCode")).await;
    let (donor, mut personal) = enrol(&door, &staff, &ProfileSecret::from_bytes([7; 32])).await;
    let wanted =
        json!({ "holder": stranger.did(), "actions": ["listDonors"], "resource": "/v1/donors", "seconds": 60 });
    let issued = door.signed(&staff, "POST", "/v1/capabilities", &wanted).await.json();
    let capability = issued["capability"].as_str().unwrap().to_owned();
    let header = [(server::CAPABILITY_HEADER, capability.as_str())];
    assert_eq!(door.call(&stranger, "GET", "/v1/donors", Vec::new(), &header).await.status, 200);
    let said = json!({ "code": code("staffCode"), "sealed": "AAAA", "name": "Somebody Real", "email": "a@b.example" });
    for row in ROUTES {
        let path = filled(row.path);
        for key in [&staff, &researcher, &donor, &stranger] {
            door.signed(key, row.method, &path, &said).await;
        }
        if row.who == Who::Anybody && row.method == "POST" {
            door.post(&path, said.to_string()).await;
        }
    }
    door.get("/v1/mailbox/did:key:z6MkSomebodyElse?email=a@b.example").await;
    let lines = process.lines();
    for row in ROUTES {
        let of_row = |line: &&Value| line["route"] == row.path && line["method"] == row.method;
        let line = lines.iter().find(of_row).unwrap_or_else(|| panic!("nothing of {} {}", row.method, row.path));
        assert!(line["request"].as_str().is_some_and(|id| id.len() == 32), "{line}");
        assert!(line["status"].is_u64() && line["micros"].is_u64() && line["policies"].is_string(), "{line}");
    }
    let decided = lines.iter().find(|line| line["action"] == "invite" && line["status"] == 200).unwrap();
    assert_eq!(decided["policies"], "staff-at-the-desk");
    let refused = lines.iter().find(|line| line["action"] == "listDonors" && line["status"] == 403).unwrap();
    assert_eq!((&refused["policies"], &refused["refused"]), (&json!(""), &json!("not-allowed")));
    assert_eq!(decided["caller"].as_str().unwrap().len(), 12, "a fingerprint");
    personal.extend([code("staffCode"), code("researcherCode"), capability.clone()]);
    personal.extend(capability.split('.').map(str::to_owned));
    personal
        .extend([&staff, &researcher, &donor, &stranger].map(|key| key.did().as_str()["did:key:".len()..].to_owned()));
    personal
        .extend(["did:key", "z6Mk", "Somebody Real", "a@b.example", "Example University Hospital"].map(str::to_owned));
    let text = std::fs::read_to_string(&process.log).unwrap();
    for word in personal {
        assert!(!text.contains(&word), "the log tells {word}");
    }
    // The address of whoever calls is theirs too: the only one is where the service itself listens.
    for line in text.lines().filter(|line| !line.contains("biobank open")) {
        assert!(!line.contains("127.0.0.1"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_for_the_own_machine_and_count_what_was_asked() {
    let process = Process::start(&["--behind-proxy"]);
    let door = process.door();
    for _ in 0..3 {
        assert_eq!(door.get("/v1/log").await.status, 200);
    }
    door.get("/v1/donors").await;
    door.get("/somewhere/else").await;
    let answer = door.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    for line in [
        r#"biobankd_requests_total{method="GET",route="/v1/log",status="200"} 3"#,
        r#"biobankd_requests_total{method="GET",route="/v1/donors",status="401"} 1"#,
        r#"biobankd_requests_total{method="GET",route="",status="404"} 1"#,
        r#"biobankd_request_seconds_count{route="/v1/log"} 3"#,
        "biobankd_connections_refused_total 0",
        "# EOF",
    ] {
        assert!(answer.text.lines().any(|found| found == line), "{line}\n{}", answer.text);
    }
    assert!(answer.text.lines().any(|line| line.starts_with("biobankd_log_entries ")), "{}", answer.text);
    assert!(!answer.text.contains("did:"));
    let by_proxy = door.http.get(format!("{}/metrics", door.address)).header("x-forwarded-for", "192.0.2.1");
    assert_eq!(by_proxy.send().await.unwrap().status().as_u16(), 403, "through the proxy comes somebody else");
    assert_eq!(door.get("/healthz").await.status, 200);
    assert_eq!(door.get("/readyz").await.status, 200);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_it_after_what_runs_and_a_new_start_is_clean() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    for name in ["TERM", "INT"] {
        let mut process = Process::start(&[]);
        let door = process.door();
        let host = door.address.trim_start_matches("http://").to_owned();
        // A request that has begun, and ends after the signal.
        let mut stream = tokio::net::TcpStream::connect(&host).await.unwrap();
        let head = format!("POST /v1/enrolment/challenge HTTP/1.1\r\nHost: {host}\r\nContent-Length: 20\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(b"{\"code\":\"AAAA").await.unwrap();
        wait_for(|| File::open(&process.log).is_ok());
        assert_eq!(door.get("/readyz").await.status, 200);
        process.signal(name);
        wait_for(|| std::fs::read_to_string(&process.log).unwrap().contains("closing"));
        stream.write_all(b"AAAA\"}").await.unwrap();
        stream.write_all(b" ").await.unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).await.unwrap();
        assert!(heard.starts_with("HTTP/1.1 404") && heard.contains("code-unknown"), "{name}: {heard}");
        wait_for(|| process.child.try_wait().unwrap().is_some());
        assert!(process.child.wait().unwrap().success(), "{name}");
        assert!(door.http.get(format!("{}/healthz", door.address)).send().await.is_err(), "nobody answers any more");
        assert_opens_again(process.dir.path()).await;
    }
}

/// Nothing holds the folder any more, and the log is what it was.
async fn assert_opens_again(dir: &Path) {
    let listen = ([127, 0, 0, 1], 0).into();
    let options = server::Options::new(dir.join("biobank"), listen, crate::setup::institution());
    let running = server::start(options).await.unwrap();
    assert_eq!(Door::at(&running.address).get("/readyz").await.status, 200);
    running.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_leaves_its_folder_and_its_port_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let options =
        server::Options::new(dir.path().join("biobank"), ([127, 0, 0, 1], 0).into(), crate::setup::institution());
    let first = server::start(options.clone()).await.unwrap();
    let door = Door::at(&first.address);
    // This client keeps its connection open, as wallets do.
    assert_eq!(door.get("/readyz").await.status, 200);
    let listen = first.address.trim_start_matches("http://").parse().unwrap();
    drop(first);
    let begun = Instant::now();
    let second = loop {
        match server::start(server::Options { listen, ..options.clone() }).await {
            Ok(running) => break running,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(60), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(door.get("/readyz").await.status, 200, "the same client goes on");
    second.close().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_first_of_the_staff_get_their_code_in_a_file_of_their_own() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("code");
    let process = Process::start(&["--staff-code", file.to_str().unwrap()]);
    let code = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let door = process.door();
    door.pair(&key(1), code.trim()).await;
    assert_eq!(door.signed(&key(1), "GET", "/v1/donors", &Value::Null).await.status, 200);
    assert!(!std::fs::read_to_string(&process.log).unwrap().contains(code.trim()));
    // A file that is there is never written into.
    let mut second = Command::new(env!("CARGO_BIN_EXE_biobankd"));
    second
        .args(["serve", "--listen", "127.0.0.1:0", "--staff-code"])
        .arg(&file)
        .arg("--data")
        .arg(place.path().join("b"));
    assert!(!second.stderr(Stdio::null()).status().unwrap().success());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), code);
}
