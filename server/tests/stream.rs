//! The stream over HTTP, against a running biobank: what is told, to whom, and that nothing is missed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may break off and print")]

mod stage;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use consent::Withdrawal;
use identity::{SigningKey, seal, sign_request};
use ledger::{Act, EntryHash};
use reqwest::Response;
use serde_json::{Value, json};
use stage::{Biobank, now, text};
use std::time::{Duration, Instant};

/// An open stream, cut into events.
struct Events {
    response: Response,
    buffer: String,
}

/// Name, id and data of an event.
type Event = (String, Option<u64>, Value);

impl Events {
    async fn open(biobank: &Biobank, path: &str, last: Option<u64>) -> Self {
        let mut request = biobank.http.get(format!("{}{path}", biobank.address));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        Self::of(request.send().await.unwrap())
    }

    async fn own(biobank: &Biobank, key: &SigningKey) -> Self {
        Self::of(own(biobank, key).await)
    }

    fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { response, buffer: String::new() }
    }

    /// The next event; none when the stream has ended. What never comes breaks the test off.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let Some(event) = field("event: ") else { continue };
                let data = serde_json::from_str(&field("data: ").unwrap()).unwrap();
                return Some((event, field("id: ").map(|id| id.parse().unwrap()), data));
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.response.chunk()).await.unwrap();
            self.buffer.push_str(std::str::from_utf8(&chunk.ok()??).unwrap());
        }
    }

    async fn entry(&mut self) -> (u64, Value) {
        let (name, id, data) = self.next().await.unwrap();
        assert_eq!(name, "entry", "{data}");
        (id.unwrap(), data)
    }
}

async fn own(biobank: &Biobank, key: &SigningKey) -> Response {
    let (authority, path) = (biobank.address.trim_start_matches("http://"), "/v1/stream/own");
    let nonce = uuid::Uuid::new_v4().to_string();
    let headers = sign_request(key, "GET", authority, path, "", b"", now(), &nonce);
    let request = biobank
        .http
        .get(format!("{}{path}", biobank.address))
        .header("signature-input", headers.signature_input)
        .header("signature", headers.signature)
        .header("content-digest", headers.content_digest);
    request.send().await.unwrap()
}

#[tokio::test]
async fn each_entry_is_told_once_in_its_order_and_a_listener_goes_on_where_it_stopped() {
    let biobank = Biobank::open().await;
    let mut from_start = Events::open(&biobank, "/v1/stream?from=0", None).await;
    let mut from_now = Events::open(&biobank, "/v1/stream", None).await;
    let (donor, granted, _) = biobank.consenting(3).await;
    // From the founding on, without a gap.
    let mut last = 0;
    for expected in 0.. {
        let (index, data) = from_start.entry().await;
        let bytes = STANDARD.decode(text(&data["entry"])).unwrap();
        assert_eq!((index, data["index"].as_u64()), (expected, Some(expected)));
        assert_eq!(text(&data["hash"]), EntryHash::of(&bytes).to_string());
        assert!(data["size"].as_u64().unwrap() > index, "{data}");
        last = index;
        if bytes == granted.bytes() {
            break;
        }
    }
    // Who listens from now on hears the grant too, and nothing from before.
    loop {
        let (index, data) = from_now.entry().await;
        assert!(index <= last, "the grant was left out");
        if text(&data["hash"]) == granted.hash().to_string() {
            break;
        }
    }
    // While nobody listens a consent is paused and taken back; who comes again hears both.
    drop((from_start, from_now));
    let paused = donor.says(Some(granted.hash()), Act::Suspend { until: None });
    let left = donor.says(Some(paused.hash()), Act::Withdraw { level: Withdrawal::NoUse });
    for entry in [&paused, &left] {
        assert_eq!(biobank.append(entry.bytes()).await.0, 200);
    }
    let mut again = Events::open(&biobank, "/v1/stream?from=0", Some(last)).await;
    for entry in [&paused, &left] {
        last += 1;
        let (index, data) = again.entry().await;
        assert_eq!((index, text(&data["hash"])), (last, entry.hash().to_string().as_str()));
    }
    for bad in ["/v1/stream?from=-1", "/v1/stream?from=x", "/v1/stream?from=18446744073709551616"] {
        assert_eq!(biobank.get(bad).await.0, 400, "{bad}");
    }
    let headers = biobank.http.get(format!("{}/v1/stream", biobank.address)).header("last-event-id", "seven");
    assert_eq!(headers.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn an_institution_alone_tells_of_a_withdrawal_at_once() {
    let biobank = Biobank::open().await;
    let mut events = Events::open(&biobank, "/v1/stream", None).await;
    let mut took = Vec::new();
    for seed in 3..8 {
        let (donor, granted, _) = biobank.consenting(seed).await;
        let left = donor.says(Some(granted.hash()), Act::Withdraw { level: Withdrawal::NoUse });
        let begun = Instant::now();
        assert_eq!(biobank.append(left.bytes()).await.0, 200);
        while text(&events.entry().await.1["hash"]) != left.hash().to_string() {}
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    println!("from the post of a withdrawal to its event: {took:?}");
    // A busy machine can make some of them late; a wait of the service's own would make all of them late.
    assert!(took[0] < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn the_bell_rings_for_who_got_the_letter_and_for_nobody_else() {
    let biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let (one, two) = (biobank.donor(3).await, biobank.donor(4).await);
    let mut of_one = Events::own(&biobank, &one.pairwise).await;
    let mut of_two = Events::own(&biobank, &two.pairwise).await;
    let mut of_key = Events::own(&biobank, &one.key()).await;
    let mut of_all = Events::open(&biobank, "/v1/stream", None).await;
    let sealed = STANDARD.encode(seal(&one.key().did(), "a-test", b"hello").unwrap());
    let path = format!("/v1/mailbox/{}", one.key().did());
    assert_eq!(biobank.sends(&researcher, &path, &json!({ "sealed": sealed })).await.0, 202);
    // The donor listens with the key for the biobank, or with that of the study.
    for events in [&mut of_one, &mut of_key] {
        assert_eq!(events.next().await.unwrap(), ("mailbox".into(), None, json!({})));
    }
    // The next thing that the others hear is the entry of somebody else.
    biobank.consenting(5).await;
    of_two.entry().await;
    of_all.entry().await;
    // A letter that waits is told of to who comes later, until it is taken.
    let mut later = Events::own(&biobank, &one.pairwise).await;
    assert_eq!(later.next().await.unwrap().0, "mailbox");
    let (_, letters) = biobank.asks(&one.key(), "/v1/mailbox").await;
    let id = text(&letters["letters"][0]["id"]);
    let taken = biobank.signed(&one.key(), reqwest::Method::DELETE, &format!("/v1/mailbox/{id}"), &Value::Null).await;
    assert_eq!(taken.0, 204);
    let mut empty = Events::own(&biobank, &one.pairwise).await;
    biobank.consenting(6).await;
    empty.entry().await;
    // Who is not on the books has no bell.
    assert_eq!(own(&biobank, &SigningKey::from_seed([99; 32])).await.status(), 403);
    assert_eq!(biobank.get("/v1/stream/own").await.0, 401);
}

#[tokio::test]
async fn nobody_takes_all_the_seats() {
    let biobank = Biobank::open().await;
    let mut seated = Vec::new();
    let refused = loop {
        let response = biobank.http.get(format!("{}/v1/stream", biobank.address)).send().await.unwrap();
        if response.status() != 200 {
            break response;
        }
        seated.push(response);
        assert!(seated.len() < 100, "one address has no bound");
    };
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "too-many-listeners");
    // A signed caller has seats of their own, and who leaves makes room.
    let staff = biobank.staff().await;
    drop(Events::own(&biobank, &staff).await);
    seated.pop();
    for _ in 0..200 {
        if biobank.http.get(format!("{}/v1/stream", biobank.address)).send().await.unwrap().status() == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a seat stays taken by who left");
}

#[tokio::test]
async fn a_service_that_closes_ends_its_streams() {
    let mut biobank = Biobank::open().await;
    let mut events = Events::open(&biobank, "/v1/stream", None).await;
    let closing = biobank.running.take().unwrap().close();
    // Who comes in the moment of the start can still hear of the founding.
    let ended = async { while events.next().await.is_some() {} };
    tokio::join!(closing, ended);
}
