//! Limits, connections, TLS, and what browsers are told.

use crate::filled;
use crate::setup::{Answer, Biobank, Door, institution, key};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use server::{
    Accepts, Allowance, Allowances, CAPABILITY_HEADER, Connections, Network, Options, ROUTES, Rates, StartError, Times,
    TlsFiles, Who, start,
};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

const FREE: Allowance = Allowance { per_second: 0, burst: 0 };
const FREE_ALL: Allowances = Allowances { read: FREE, write: FREE, costly: FREE };

fn with_rates(rates: Rates) -> Network {
    Network { rates, ..Network::default() }
}

#[tokio::test]
async fn who_asks_too_often_waits_and_nobody_else_does() {
    let few = Allowance { per_second: 1, burst: 5 };
    let caller = Allowances { read: few, ..FREE_ALL };
    let biobank = Biobank::open_with(with_rates(Rates { address: FREE_ALL, caller })).await;
    let other = biobank.door.account(&biobank.staff, 1, "auditor", "https://audit.example").await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(biobank.door.signed(&biobank.staff, "GET", "/v1/donors", &Value::Null).await);
    }
    assert!(answers[..5].iter().all(|answer| answer.status == 200));
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(refused.len() > 5, "{}", refused.len());
    for answer in refused {
        assert_eq!(answer.refusal().1, "too-many-requests");
        assert!((1..=10).contains(&answer.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap()));
    }
    // Another caller reads, and the same caller writes.
    assert_eq!(biobank.door.signed(&other, "GET", "/v1/mailbox", &Value::Null).await.status, 200);
    assert_eq!(biobank.door.signed(&biobank.staff, "POST", "/v1/invitations", &json!({})).await.status, 200);
}

#[tokio::test]
async fn an_address_has_an_allowance_for_what_nobody_signed() {
    let few = Allowance { per_second: 1, burst: 5 };
    let address = Allowances { write: few, ..FREE_ALL };
    let network = Network { behind_proxy: true, ..with_rates(Rates { address, caller: FREE_ALL }) };
    let biobank = Biobank::open_with(network).await;
    let post = async |from: &str| {
        let url = format!("{}/v1/entries", biobank.door.address);
        let request = biobank.door.http.post(url).header("x-forwarded-for", from).body("no entry");
        Answer::of(request.send().await.unwrap()).await.status
    };
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(post("192.0.2.7").await);
    }
    assert!(statuses.contains(&429) && statuses[..5].iter().all(|status| *status == 400), "{statuses:?}");
    assert_eq!(post("192.0.2.8").await, 400, "another address is heard");
    // What a caller writes before the address that the proxy saw changes nothing.
    assert_eq!(post("198.51.100.1, 192.0.2.7").await, 429);
}

#[tokio::test]
async fn many_keys_with_a_capability_have_one_allowance() {
    let few = Allowance { per_second: 1, burst: 5 };
    let caller = Allowances { read: few, ..FREE_ALL };
    let biobank = Biobank::open_with(with_rates(Rates { address: FREE_ALL, caller })).await;
    let mut handed = Vec::new();
    for seed in 30..50 {
        let holder = key(seed);
        let wanted =
            json!({ "holder": holder.did(), "actions": ["listDonors"], "resource": "/v1/donors", "seconds": 600 });
        let made = biobank.door.signed(&biobank.staff, "POST", "/v1/capabilities", &wanted).await.json();
        handed.push((holder, made["capability"].as_str().unwrap().to_owned()));
    }
    let mut statuses = Vec::new();
    for (holder, capability) in &handed {
        let shown = [(CAPABILITY_HEADER, capability.as_str())];
        statuses.push(biobank.door.call(holder, "GET", "/v1/donors", Vec::new(), &shown).await.status);
    }
    assert!(statuses[..5].iter().all(|status| *status == 200), "{statuses:?}");
    assert!(statuses.iter().filter(|status| **status == 429).count() > 5, "{statuses:?}");
}

#[tokio::test]
async fn who_forges_withdrawals_is_counted_like_anybody_else() {
    let one = Allowance { per_second: 1, burst: 1 };
    let address = Allowances { write: one, ..FREE_ALL };
    let network = Network { behind_proxy: true, ..with_rates(Rates { address, caller: FREE_ALL }) };
    let biobank = Biobank::open_with(network).await;
    let head = URL_SAFE_NO_PAD.encode(json!({ "alg": "EdDSA", "typ": ledger::WITHDRAW_TYPE }).to_string());
    let post = async |from: &str, count: usize| {
        let url = format!("{}/v1/entries", biobank.door.address);
        let request = biobank.door.http.post(url).header("x-forwarded-for", from);
        let request = request.header("content-type", "application/json");
        let request = request.body(json!(vec![format!("{head}.e30.AAAA"); count]).to_string());
        let answer = Answer::of(request.send().await.unwrap()).await.json();
        let results = answer["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["status"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    // Beyond the rate they are looked at, because they could be real, until too many were not.
    assert_eq!(post("192.0.2.7", 60).await, vec![400; 60]);
    assert_eq!(post("192.0.2.7", 60).await, vec![400; 60]);
    let mut waits = 0;
    for _ in 0..20 {
        waits += usize::from(post("192.0.2.7", 2).await == [429; 2]);
    }
    assert!(waits > 10, "{waits}");
    for _ in 0..10 {
        assert_eq!(post("192.0.2.8", 2).await, [400; 2], "those of another address are looked at");
    }
}

#[tokio::test]
async fn without_a_proxy_nobody_says_where_they_come_from() {
    let few = Allowance { per_second: 1, burst: 5 };
    let address = Allowances { write: few, ..FREE_ALL };
    let biobank = Biobank::open_with(with_rates(Rates { address, caller: FREE_ALL })).await;
    let mut statuses = Vec::new();
    for last in 0..20 {
        let url = format!("{}/v1/entries", biobank.door.address);
        let request = biobank.door.http.post(url).header("x-forwarded-for", format!("192.0.2.{last}")).body("no entry");
        statuses.push(request.send().await.unwrap().status().as_u16());
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[tokio::test]
async fn wrong_codes_of_one_address_lock_nobody_else_out() {
    let biobank = Biobank::open_with(Network { behind_proxy: true, ..Network::default() }).await;
    let invitation = biobank.door.signed(&biobank.staff, "POST", "/v1/invitations", &json!({})).await.json();
    let ask = async |from: &str, code: &Value| {
        let url = format!("{}/v1/enrolment/challenge", biobank.door.address);
        let body = json!({ "code": code }).to_string();
        let request = biobank.door.http.post(url).header("x-forwarded-for", from).body(body);
        Answer::of(request.send().await.unwrap()).await
    };
    for _ in 0..20 {
        assert_eq!(ask("192.0.2.7", &json!("AAAA-AAAA")).await.refusal(), (404, "code-unknown".to_owned()));
    }
    let locked = ask("192.0.2.7", &invitation["code"]).await;
    assert_eq!(locked.refusal(), (429, "too-many-tries".to_owned()));
    assert!(locked.headers.contains_key("retry-after"));
    assert_eq!(ask("192.0.2.8", &invitation["code"]).await.status, 200);
}

#[tokio::test]
async fn no_route_reads_more_or_deeper_than_its_row_says() {
    let biobank = Biobank::open().await;
    // Who is in no federation reads nothing of what other logs send: its bounds are held in the tests of a federation.
    for row in ROUTES.iter().filter(|row| row.action != "signOthers") {
        let (limit, json) = match row.accepts {
            Accepts::Nothing => continue,
            Accepts::Json(limit) => (limit, true),
            Accepts::Bytes(limit) => (limit, false),
        };
        let path = filled(row.path);
        let send = async |body: Vec<u8>| match row.who {
            Who::Anybody | Who::Machine => biobank.door.post(&path, body).await,
            Who::Known | Who::Signer => biobank.door.call(&biobank.staff, row.method, &path, body, &[]).await,
        };
        assert_eq!(send(vec![b' '; limit + 1]).await.refusal(), (413, "too-large".to_owned()), "{}", row.path);
        if json {
            let deep = "[".repeat(40).into_bytes();
            assert_eq!(send(deep).await.refusal(), (400, "too-deep".to_owned()), "{}", row.path);
        }
        let fits = send(vec![b' '; limit.min(1_000)]).await;
        assert!(!["too-large", "too-deep"].iter().any(|code| fits.text.contains(code)), "{} {fits:?}", row.path);
    }
}

#[tokio::test]
async fn no_other_origin_reads_and_no_browser_guesses() {
    let biobank = Biobank::open().await;
    for row in ROUTES {
        for method in ["OPTIONS", row.method] {
            let url = format!("{}{}", biobank.door.address, filled(row.path));
            let request = biobank.door.http.request(method.parse().unwrap(), url);
            let request =
                request.header("origin", "https://evil.example").header("access-control-request-method", "GET");
            let answer = Answer::of(request.send().await.unwrap()).await;
            for name in answer.headers.keys() {
                assert!(!name.as_str().starts_with("access-control"), "{} {name}", row.path);
            }
            assert_eq!(answer.headers["x-content-type-options"], "nosniff");
            assert!(answer.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
            assert!(answer.headers.contains_key("cache-control"), "{}", row.path);
            if row.who != Who::Anybody || method == "OPTIONS" {
                assert_eq!(answer.headers["cache-control"], "no-store", "{}", row.path);
            }
            assert!(!answer.headers.contains_key("strict-transport-security"), "not without TLS");
        }
    }
}

/// A connection on which a caller says something; what comes back until the service hangs up. It may do so before it
/// has read everything: then there is nothing to read here either.
fn until_closed(address: &str, said: &[u8]) -> String {
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let _ = stream.write_all(said);
    let mut heard = Vec::new();
    if let Err(error) = stream.read_to_end(&mut heard) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "the service does not hang up");
    }
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_dawdles_is_left() {
    let times = Times { head: Duration::from_millis(300), request: Duration::from_millis(600) };
    let biobank = Biobank::open_with(Network { times, ..Network::default() }).await;
    let address = biobank.door.address.clone();
    let say = |said: &'static [u8]| {
        let address = address.clone();
        tokio::task::spawn_blocking(move || until_closed(&address, said))
    };
    // Nothing, half a head, and a head whose body never comes.
    assert!(!say(b"").await.unwrap().starts_with("HTTP/1.1 2"));
    assert!(!say(b"GET /v1/log HTTP/1.1\r\nHost: x\r\n").await.unwrap().starts_with("HTTP/1.1 2"));
    let slow = say(b"POST /v1/enrolment HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{").await.unwrap();
    assert!(slow.starts_with("HTTP/1.1 408") && slow.contains("timed-out"), "{slow}");
    // Too many and too large headers.
    let many = format!("GET /v1/log HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(200));
    let large = format!("GET /v1/log HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "b".repeat(200_000));
    for said in [many, large] {
        let address = address.clone();
        let heard = tokio::task::spawn_blocking(move || until_closed(&address, said.as_bytes()));
        assert!(!heard.await.unwrap().starts_with("HTTP/1.1 2"));
    }
    assert_eq!(biobank.door.get("/healthz").await.status, 200, "and others are served");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_federation_no_upload_is_read() {
    let times = Times { request: Duration::from_millis(600), ..Times::default() };
    let biobank = Biobank::open_with(Network { times, ..Network::default() }).await;
    for path in ["/witness/add-checkpoint", "/mirror/add-checkpoint", "/mirror/add-entries"] {
        // The body never comes, and nobody waits for it.
        let said = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n");
        let address = biobank.door.address.clone();
        let heard = tokio::task::spawn_blocking(move || until_closed(&address, said.as_bytes())).await.unwrap();
        assert!(heard.starts_with("HTTP/1.1 404"), "{path}: {heard}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_of_one_address_find_no_room_and_small_ones_do() {
    const SIZE: usize = 4 << 20;
    let biobank = Biobank::open_with(with_rates(Rates { address: FREE_ALL, caller: FREE_ALL })).await;
    let address = biobank.door.address.trim_start_matches("http://").to_owned();
    // Bodies of which the last byte does not come.
    let held = tokio::task::spawn_blocking(move || {
        let hold = |_| {
            let mut stream = TcpStream::connect(&address).unwrap();
            let head = format!("POST /v1/entries HTTP/1.1\r\nHost: x\r\nContent-Length: {SIZE}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            // The last ones are refused while they come.
            let _ = stream.write_all(&vec![b' '; SIZE - 1]);
            stream
        };
        (0..18).map(hold).collect::<Vec<_>>()
    });
    let held = held.await.unwrap();
    // Who is refused early may see the connection end instead of the answer: then they ask again.
    let until = async |status: u16| {
        for _ in 0..300 {
            let request = biobank.door.http.post(format!("{}/v1/entries", biobank.door.address));
            let answer = request.body(vec![b' '; 80 << 10]).send().await;
            if answer.is_ok_and(|answer| answer.status().as_u16() == status) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("a large body was never answered with {status}");
    };
    until(429).await;
    assert_eq!(biobank.door.post("/v1/entries", "no entry").await.status, 400, "a small one is heard");
    drop(held);
    // Now it is read, and found to be no entry.
    until(413).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_allowed_are_turned_away_until_one_closes() {
    let connections = Connections { all: 8, of_one: 3 };
    let biobank = Biobank::open_with(Network { connections, ..Network::default() }).await;
    let address = biobank.door.address.trim_start_matches("http://").to_owned();
    // The client keeps connections of its own open: they count, so their number is not known here.
    let asked = tokio::task::spawn_blocking(move || {
        let ask = |stream: &mut TcpStream| {
            let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            matches!(stream.read(&mut [0; 64]), Ok(count) if count > 0)
        };
        let mut open = Vec::new();
        let mut refused = 0;
        for _ in 0..6 {
            let mut stream = TcpStream::connect(&address).unwrap();
            if ask(&mut stream) { open.push(stream) } else { refused += 1 }
        }
        let inside = open.len();
        drop(open);
        // The places are free as soon as the service has seen that they are.
        let again = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            ask(&mut TcpStream::connect(&address).unwrap())
        });
        (inside, refused, again)
    });
    let (inside, refused, again) = asked.await.unwrap();
    assert!(inside <= 3 && refused >= 3 && again, "{inside} {refused} {again}");
}

fn write_certificate(dir: &Path) -> (TlsFiles, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles { certificate: dir.join("cert.pem"), key: dir.join("key.pem") };
    std::fs::write(&files.certificate, cert.pem()).unwrap();
    std::fs::write(&files.key, signing_key.serialize_pem()).unwrap();
    (files, cert.pem())
}

fn tls_door(running: &server::Running, pem: &str) -> Door {
    let root = reqwest::Certificate::from_pem(pem.as_bytes()).unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([root]).build().unwrap();
    Door { address: running.address.replace("127.0.0.1", "localhost"), http }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_it_speaks_tls_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (files, pem) = write_certificate(dir.path());
    let network = Network { tls: Some(files), ..Network::default() };
    let data = dir.path().join("biobank");
    let options = Options { demo: true, network, ..Options::new(data, ([127, 0, 0, 1], 0).into(), institution()) };
    let running = start(options).await.unwrap();
    assert!(running.address.starts_with("https://"));
    let door = tls_door(&running, &pem);
    let answer = door.get("/v1/log").await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers.contains_key("strict-transport-security"));
    // Signed requests come through: the host is the one that was signed.
    let told: Value = serde_json::from_slice(&std::fs::read(dir.path().join("biobank/demo.json")).unwrap()).unwrap();
    door.pair(&key(1), told["staffCode"].as_str().unwrap()).await;
    let plain = door.address.replace("https://", "http://");
    assert!(Door::at(&plain).http.get(format!("{plain}/v1/log")).send().await.is_err(), "no plain HTTP");
    // A new certificate counts for new connections after it is read again; a broken one changes nothing.
    let (_, newer) = write_certificate(dir.path());
    assert!(tls_door(&running, &newer).http.get(format!("{}/v1/log", door.address)).send().await.is_err());
    running.reread_certificate().unwrap();
    assert_eq!(tls_door(&running, &newer).get("/v1/log").await.status, 200);
    std::fs::write(dir.path().join("cert.pem"), "broken").unwrap();
    assert!(running.reread_certificate().is_err());
    assert_eq!(tls_door(&running, &newer).get("/v1/log").await.status, 200);
}

#[tokio::test]
async fn it_listens_to_others_only_by_tls_or_behind_a_proxy() {
    let dir = tempfile::tempdir().unwrap();
    let try_start = async |listen: &str, network: Network| {
        let options = Options::new(dir.path().join("biobank"), listen.parse().unwrap(), institution());
        start(Options { network, ..options }).await
    };
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = try_start(listen, Network::default()).await;
        assert!(matches!(refused, Err(StartError::Network(_))), "{listen}");
    }
    assert!(!dir.path().join("biobank").exists(), "nothing was made for a start that is refused");
    let behind = Network { behind_proxy: true, ..Network::default() };
    assert!(try_start("0.0.0.0:0", behind).await.is_ok());
    let missing = TlsFiles { certificate: dir.path().join("none"), key: dir.path().join("none") };
    let missing = try_start("127.0.0.1:0", Network { tls: Some(missing), ..Network::default() }).await;
    assert!(matches!(missing, Err(StartError::Network(_))));
}

#[tokio::test]
async fn answers_that_anybody_may_read_are_compressed_and_no_others() {
    let biobank = Biobank::open().await;
    let ask = async |path: &str| {
        let request = biobank.door.http.get(format!("{}{path}", biobank.door.address));
        request.header("accept-encoding", "gzip").send().await.unwrap().headers().get("content-encoding").cloned()
    };
    assert_eq!(ask("/v1/studies").await.unwrap(), "gzip");
    let donors =
        biobank.door.call(&biobank.staff, "GET", "/v1/donors", Vec::new(), &[("accept-encoding", "gzip")]).await;
    assert_eq!((donors.status, donors.headers.get("content-encoding")), (200, None));
    // Tiles and bundles come packed as well, and never change: whoever stands between may keep them.
    let url = |path: &str| format!("{}{path}", biobank.door.address);
    let note = biobank.door.http.get(url("/checkpoint")).send().await.unwrap().text().await.unwrap();
    let size = note.lines().nth(1).unwrap();
    for path in [format!("/tile/0/000.p/{size}"), format!("/tile/entries/000.p/{size}")] {
        assert_eq!(ask(&path).await.unwrap(), "gzip", "{path}");
        let plain = biobank.door.http.get(url(&path)).send().await.unwrap();
        assert_eq!(plain.headers().get("content-encoding"), None);
        assert_eq!(plain.headers()["cache-control"], "public, max-age=31536000, immutable", "{path}");
        let bytes = plain.bytes().await.unwrap();
        assert!(!path.contains("/0/") || bytes.len() == 32 * size.parse::<usize>().unwrap());
    }
    assert_eq!(biobank.door.http.get(url("/checkpoint")).send().await.unwrap().headers()["cache-control"], "no-cache");
}
