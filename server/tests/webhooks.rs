//! Webhooks against real receivers: one that fails, one that is late, one that leads elsewhere, and a service that is
//! killed. What counts is that nothing is lost, that the order holds, and that whoever hears knows who speaks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod stage;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use consent::Withdrawal;
use identity::{RequestHeaders, SigningKey, verify_request};
use ledger::{Act, ConsentEntry, EntryHash};
use reqwest::Method;
use serde_json::{Value, json};
use stage::{Biobank, now, refused, text};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a receiver does with a delivery.
enum Reply {
    Status(u16),
    /// Yes, but after this long.
    Late(Duration),
    Elsewhere(String),
}

/// A data holder's receiver: keeps what came, and answers as told; with yes when nothing more is said.
#[derive(Default)]
struct Holder {
    came: Mutex<Vec<Came>>,
    replies: Mutex<VecDeque<Reply>>,
}

/// A delivery as it came.
#[derive(Clone)]
struct Came {
    headers: RequestHeaders,
    authority: String,
    path: String,
    body: Bytes,
}

impl Came {
    fn said(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn hash(&self) -> String {
        text(&self.said()["hash"]).to_owned()
    }
}

impl Holder {
    fn that(replies: impl IntoIterator<Item = Reply>) -> Arc<Self> {
        Arc::new(Self { replies: Mutex::new(replies.into_iter().collect()), ..Self::default() })
    }

    async fn open(self: &Arc<Self>) -> SocketAddr {
        self.open_at(([127, 0, 0, 1], 0).into()).await
    }

    async fn open_at(self: &Arc<Self>, address: SocketAddr) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let holder = Arc::clone(self);
        let app = Router::new().fallback(move |request: Request| holder.clone().take(request));
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }

    async fn take(self: Arc<Self>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let header = |name: &str| parts.headers[name].to_str().unwrap().to_owned();
        assert_eq!((parts.method.as_str(), header("content-type").as_str()), ("POST", "application/json"));
        let came = Came {
            headers: RequestHeaders {
                signature_input: header("signature-input"),
                signature: header("signature"),
                content_digest: header("content-digest"),
            },
            authority: header("host"),
            path: parts.uri.path().to_owned(),
            body: to_bytes(body, 1 << 20).await.unwrap(),
        };
        self.came.lock().unwrap().push(came);
        let reply = self.replies.lock().unwrap().pop_front();
        match reply {
            None => StatusCode::NO_CONTENT.into_response(),
            Some(Reply::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
            Some(Reply::Late(wait)) => {
                tokio::time::sleep(wait).await;
                StatusCode::OK.into_response()
            }
            Some(Reply::Elsewhere(url)) => Redirect::temporary(&url).into_response(),
        }
    }

    fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// Waits until this many deliveries came; their entries.
    async fn hashes(&self, count: usize) -> Vec<String> {
        until("a delivery never came", || self.came().len() >= count).await;
        self.came().iter().map(Came::hash).collect()
    }
}

/// What never becomes so breaks the test off.
async fn until(what: &str, so: impl Fn() -> bool) {
    for _ in 0..1_200 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}");
}

async fn register(biobank: &Biobank, staff: &SigningKey, address: SocketAddr, events: &[&str]) -> String {
    let body = json!({ "url": format!("http://{address}/hook"), "events": events, "study": "heart-rhythm" });
    let (status, made) = biobank.sends(staff, "/v1/webhooks", &body).await;
    assert_eq!(status, 201, "{made}");
    text(&made["id"]).to_owned()
}

async fn listed(biobank: &Biobank, staff: &SigningKey) -> Vec<Value> {
    let (status, list) = biobank.asks(staff, "/v1/webhooks").await;
    assert_eq!(status, 200, "{list}");
    list["webhooks"].as_array().unwrap().clone()
}

fn names(entries: &[&ConsentEntry]) -> Vec<String> {
    entries.iter().map(|entry| entry.hash().to_string()).collect()
}

const MOVES: [&str; 3] = ["consent-grant", "consent-suspend", "consent-withdraw"];

#[tokio::test]
async fn a_holder_hears_what_it_asked_for_in_order_and_knows_who_speaks() {
    let biobank = Biobank::open().await;
    let (staff, holder) = (biobank.staff().await, Holder::that([]));
    let address = holder.open().await;
    // Before the hook there was a consent: it is not told of.
    biobank.consenting(3).await;
    register(&biobank, &staff, address, &["consent-withdraw", "consent-grant", "consent-grant"]).await;
    let (donor, granted, _) = biobank.consenting(4).await;
    let paused = donor.says(Some(granted.hash()), Act::Suspend { until: None });
    let left = donor.says(Some(paused.hash()), Act::Withdraw { level: Withdrawal::NoUse });
    let other = biobank.donor_of(5, "sleep-memory").await;
    let elsewhere = other.gives(None).await.0;
    for entry in [&paused, &elsewhere, &left] {
        assert_eq!(biobank.append(entry.bytes()).await.0, 200);
    }
    // Neither the pause nor the other study: neither was asked for.
    assert_eq!(holder.hashes(2).await, names(&[&granted, &left]));
    let mut ids = Vec::new();
    for (came, (entry, event)) in holder.came().iter().zip([(&granted, "consent-grant"), (&left, "consent-withdraw")]) {
        let caller =
            verify_request(&came.headers, "POST", &came.authority, &came.path, "", &came.body, now(), 300).unwrap();
        assert_eq!(caller.did, biobank.did);
        let bent = [came.body.as_ref(), b" "].concat();
        assert!(verify_request(&came.headers, "POST", &came.authority, &came.path, "", &bent, now(), 300).is_err());
        let said = came.said();
        assert_eq!((text(&said["event"]), text(&said["study"])), (event, "heart-rhythm"));
        assert_eq!(text(&said["origin"]), "biobank.example/log");
        assert_eq!(STANDARD.decode(text(&said["entry"])).unwrap(), entry.bytes());
        ids.push(text(&said["id"]).to_owned());
    }
    let pseudonyms: Vec<Value> = holder.came().iter().map(|came| came.said()["pseudonym"].clone()).collect();
    assert!(text(&pseudonyms[0]).len() == 64 && pseudonyms[0] == pseudonyms[1], "one donor, one pseudonym");
    // Nothing in it says who the donor is.
    let whole = format!("{:?}", holder.came().iter().map(|came| came.said().to_string()).collect::<Vec<_>>());
    assert!(!whole.contains(donor.pairwise.did().as_str()));
    assert_ne!(ids[0], ids[1]);
    let row = &listed(&biobank, &staff).await[0];
    assert_eq!((&row["dead"], &row["deadLetters"]), (&json!(0), &json!([])), "{row}");
}

#[tokio::test]
async fn a_receiver_that_fails_or_leads_elsewhere_is_tried_again_and_the_order_holds() {
    let biobank = Biobank::open().await;
    let staff = biobank.staff().await;
    let trap = Holder::that([]);
    let elsewhere = format!("http://{}/hook", trap.open().await);
    let holder =
        Holder::that([Reply::Status(500), Reply::Elsewhere(elsewhere), Reply::Status(204), Reply::Status(429)]);
    register(&biobank, &staff, holder.open().await, &MOVES).await;
    let (_, first, _) = biobank.consenting(3).await;
    let (_, second, _) = biobank.consenting(4).await;
    let (_, third, _) = biobank.consenting(5).await;
    let arrived = holder.hashes(6).await;
    // Three tries of the first, two of the second, one of the third; none came before its turn.
    assert_eq!(arrived, names(&[&first, &first, &first, &second, &second, &third]));
    assert_eq!(trap.came().len(), 0, "an answer that leads elsewhere is not followed");
    // The same delivery has the same id, so a receiver can tell that it had it before; its signature is fresh.
    let came = holder.came();
    assert_eq!(came[0].said()["id"], came[2].said()["id"]);
    assert_ne!(came[0].headers.signature_input, came[2].headers.signature_input);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_does_not_count_and_the_delivery_comes_again() {
    let biobank = Biobank::open().await;
    let staff = biobank.staff().await;
    let holder = Holder::that([Reply::Late(Duration::from_secs(30))]);
    register(&biobank, &staff, holder.open().await, &MOVES).await;
    let (_, only, _) = biobank.consenting(3).await;
    until("it was not tried again", || holder.came().len() >= 2).await;
    assert_eq!(holder.hashes(2).await, names(&[&only, &only]));
}

#[tokio::test]
async fn staff_see_what_waits_try_it_again_and_delete_it() {
    let biobank = Biobank::open().await;
    let staff = biobank.staff().await;
    // Nobody listens there.
    let address = nowhere().await;
    let id = register(&biobank, &staff, address, &MOVES).await;
    let (_, only, _) = biobank.consenting(3).await;
    let mut row = Value::Null;
    for _ in 0..200 {
        row = listed(&biobank, &staff).await.remove(0);
        // The waits are 1, 2, 4, 8 seconds: after the third try there is time to look.
        if row["attempts"].as_u64() >= Some(3) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((text(&row["id"]), text(&row["lastError"])), (id.as_str(), "unreachable"), "{row}");
    assert!(row["pending"].as_u64() >= Some(1) && row["retryAt"].is_string(), "{row}");
    // The holder comes up, and staff do not want to wait.
    let holder = Holder::that([]);
    holder.open_at(address).await;
    assert_eq!(biobank.sends(&staff, &format!("/v1/webhooks/{id}/retry"), &Value::Null).await.0, 202);
    assert_eq!(holder.hashes(1).await, names(&[&only]));
    let path = format!("/v1/webhooks/{id}");
    assert_eq!(biobank.signed(&staff, Method::DELETE, &path, &Value::Null).await.0, 204);
    assert_eq!(biobank.signed(&staff, Method::DELETE, &path, &Value::Null).await.0, 404);
    assert_eq!(biobank.sends(&staff, &format!("{path}/retry"), &Value::Null).await.0, 404);
    assert_eq!(listed(&biobank, &staff).await.len(), 0);
}

/// An address at which nobody listens any more.
async fn nowhere() -> SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn hooks_are_for_staff_and_lead_out() {
    let biobank = Biobank::open().await;
    let (staff, donor) = (biobank.staff().await, biobank.donor(3).await);
    let researcher = biobank.researcher().await;
    let good = json!({ "url": "https://holder.example/hook", "events": ["consent-withdraw"] });
    for (key, who) in [(&researcher, "researcher"), (&donor.pairwise, "donor"), (&donor.key(), "study key")] {
        for (method, path) in [
            (Method::POST, "/v1/webhooks"),
            (Method::GET, "/v1/webhooks"),
            (Method::POST, "/v1/webhooks/0/retry"),
            (Method::DELETE, "/v1/webhooks/0"),
        ] {
            let answer = biobank.signed(key, method, path, &good).await;
            assert_eq!(refused(&answer), (403, "not-allowed"), "{who} {path}");
        }
    }
    assert_eq!(biobank.get("/v1/webhooks").await.0, 401);
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    for url in [
        "http://holder.example/hook",
        "https://10.0.0.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/hook",
        "https://holder.example:22/",
        "http://192.168.0.1:8080/",
        "file:///etc/passwd",
    ] {
        let answer = biobank.sends(&staff, "/v1/webhooks", &with("url", json!(url))).await;
        assert_eq!(refused(&answer), (400, "address-not-allowed"), "{url}");
    }
    for bad in [
        with("events", json!([])),
        with("events", json!(["everything"])),
        with("events", json!("consent-withdraw")),
        with("more", json!(1)),
        json!({}),
    ] {
        let answer = biobank.sends(&staff, "/v1/webhooks", &bad).await;
        assert_eq!(refused(&answer), (400, "malformed"), "{bad}");
    }
    let answer = biobank.sends(&staff, "/v1/webhooks", &with("study", json!("no-such-study"))).await;
    assert_eq!(refused(&answer), (404, "not-found"));
    assert_eq!(biobank.sends(&staff, "/v1/webhooks", &good).await.0, 201);
}

/// The service as a process that can be killed.
struct Process(Child);

impl Process {
    fn start(data: &Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_biobankd"))
            .args(["--demo", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL: nothing is written after this.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for the address that a process tells, and points the test's callers there.
async fn meet(biobank: &mut Biobank) {
    let told = biobank.data().join("demo.json");
    until("the service did not start", || told.exists()).await;
    let told: Value = serde_json::from_slice(&std::fs::read(told).unwrap()).unwrap();
    biobank.address = text(&told["address"]).to_owned();
}

#[tokio::test]
async fn a_service_that_is_killed_goes_on_where_it_was_and_loses_nothing() {
    // The folder, the codes and the callers of a biobank; the process takes the place of the one in the test.
    let mut biobank = Biobank::open().await;
    let staff = biobank.staff().await;
    let address = nowhere().await;
    register(&biobank, &staff, address, &MOVES).await;
    let mut given = Vec::new();
    for seed in 3..6 {
        given.push(biobank.consenting(seed).await.1);
    }
    biobank.running.take().unwrap().close().await;
    let holder = Holder::that([Reply::Status(503)]);
    let mut came = 0;
    for round in 0..3 {
        std::fs::remove_file(biobank.data().join("demo.json")).unwrap();
        let process = Process::start(&biobank.data());
        meet(&mut biobank).await;
        if round == 0 {
            // Killed while nobody listens: what waits must still wait.
            given.push(biobank.consenting(6).await.1);
            drop(process);
            holder.open_at(address).await;
            continue;
        }
        // Killed right after a delivery came, whether or not it was written down.
        until("nothing came after the service was killed", || holder.came().len() > came).await;
        came = holder.came().len();
        drop(process);
    }
    std::fs::remove_file(biobank.data().join("demo.json")).unwrap();
    let _process = Process::start(&biobank.data());
    let all = names(&given.iter().collect::<Vec<_>>());
    let last = all.last().unwrap().clone();
    until("the last entry never came", || holder.came().iter().any(|came| came.hash() == last)).await;
    // At least once, each of them, and none before the one in front of it had come.
    let mut seen: Vec<String> = Vec::new();
    for hash in holder.came().iter().map(Came::hash) {
        if seen.contains(&hash) {
            assert_eq!(Some(&hash), seen.last(), "only the newest one comes again");
        } else {
            seen.push(hash);
        }
    }
    assert_eq!(seen, all);
    assert!(seen.iter().all(|hash| hash.parse::<EntryHash>().is_ok()));
}
