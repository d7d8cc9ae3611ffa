//! Several machines or caches answer for one biobank: a receipt may be older than the newest checkpoint, and only another
//! history is an alarm.

mod common;

use bridge::{Code, Role};
use common::{Biobank, CHOICE, Cast, grant, heart, profile};
use identity::SigningKey;
use ledger::{Checkpoint, Entry, NoteKey, Receipt, leaf_hash, node_hash};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use wallet::{connect, sync};

/// What is answered to who asks for a receipt; the biobank's own answer if there is none here.
type Receipts = Arc<Mutex<Option<String>>>;

/// Stands between the wallet and the biobank, as a balancer with a second machine behind it would.
async fn between(biobank: SocketAddr, receipts: Receipts) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let receipts = receipts.clone();
            tokio::spawn(async move {
                let mut read = Vec::new();
                let end = loop {
                    if let Some(end) = read.windows(4).position(|part| part == b"\r\n\r\n") {
                        break end;
                    }
                    let Ok(1..) = stream.read_buf(&mut read).await else { return };
                };
                let head = String::from_utf8_lossy(&read[..end]).into_owned();
                let line = head.lines().next().unwrap_or_default();
                let other = receipts.lock().unwrap().clone().filter(|_| line.contains("/proof "));
                if let Some(body) = other {
                    let length = body.len();
                    let answer =
                        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
                    return drop(stream.write_all(answer.as_bytes()).await);
                }
                // One request a connection, so that each is looked at.
                let mut to = TcpStream::connect(biobank).await.unwrap();
                let asked = [&read[..end], b"\r\nconnection: close", &read[end..]].concat();
                if to.write_all(&asked).await.is_ok() {
                    let _ = copy_bidirectional(&mut stream, &mut to).await;
                }
            });
        }
    });
    address
}

/// Everybody connected through what stands between.
async fn cast(receipts: Receipts) -> (Cast, String) {
    let root = tempfile::tempdir().unwrap();
    let mut biobank = Biobank::open(&root.path().join("biobank")).await;
    let straight = biobank.address.clone();
    biobank.address = between(straight.trim_start_matches("http://").parse().unwrap(), receipts).await;
    let staff = profile(root.path(), Role::Staff, 1);
    let participant = profile(root.path(), Role::Participant, 2);
    let researcher = profile(root.path(), Role::Researcher, 3);
    connect::connect(&staff, &biobank.address, &biobank.staff_code).await.unwrap();
    let cast = Cast { root, biobank, staff, participant, researcher };
    cast.enrol(&cast.participant).await.unwrap();
    (cast, straight)
}

/// The log's own key, as whoever runs it has it.
fn log_key(cast: &Cast) -> NoteKey {
    let seed = std::fs::read(cast.biobank.dir.join("log.key")).unwrap().try_into().unwrap();
    NoteKey::new("biobank.example/log", SigningKey::from_seed(seed)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_may_be_older_than_the_newest_checkpoint_but_not_of_another_history() {
    let receipts: Receipts = Arc::default();
    let (cast, straight) = cast(receipts.clone()).await;
    let entry = grant(&cast.participant, &heart(), &CHOICE).await.unwrap();
    // The biobank has it, and the machine that is asked for receipts has nothing that could be read yet.
    *receipts.lock().unwrap() = Some("not yet".into());
    assert_eq!(sync::sync(&cast.participant).await.unwrap_err().code, Code::NotValid);
    let get = async |path: String| reqwest::get(format!("{straight}{path}")).await.unwrap().text().await.unwrap();
    let early = get(format!("/v1/entries/{entry}/proof")).await;
    // The log grows, and the wallet sees how far.
    connect::connect(&cast.researcher, &cast.biobank.address, &cast.biobank.researcher_code).await.unwrap();
    assert!(sync::sync(&cast.participant).await.is_err());
    let newest = get("/checkpoint".into()).await;
    let vkey = log_key(&cast).verifier().clone();
    let size = |note: &str| Checkpoint::open(note, &vkey).unwrap().size;
    assert!(size(&Receipt::parse(&early).unwrap().checkpoint) < size(&newest));

    *receipts.lock().unwrap() = Some(early);
    let seen = sync::sync(&cast.participant).await.unwrap();
    assert!(seen.alarm.is_none());
    assert_eq!(seen.waiting, 0, "recorded under the smaller checkpoint");

    // A smaller tree that the log signed and that is not the beginning of the trusted one: that is a fork, and proven.
    let again = common::withdraw(&cast.participant, &heart()).unwrap();
    *receipts.lock().unwrap() = Some("not yet".into());
    assert!(sync::sync(&cast.participant).await.is_err());
    let index = Receipt::parse(&get(format!("/v1/entries/{again}/proof")).await).unwrap().index;
    let path = format!("{straight}/tile/entries/000.p/{}", index + 1);
    let bundle = reqwest::get(path).await.unwrap().bytes().await.unwrap();
    let mut rest = bundle.as_ref();
    let mut entries = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (bytes, after) = after.split_at(u16::from_be_bytes(*length).into());
        entries.push(bytes.to_vec());
        rest = after;
    }
    let bytes = entries.pop().unwrap();
    assert_eq!(Entry::parse(&bytes).unwrap().hash(), again);
    let others = node_hash(leaf_hash(b"made up"), leaf_hash(b"as well"));
    let root = node_hash(others, leaf_hash(&bytes));
    let forged = Checkpoint { origin: "biobank.example/log".into(), size: 3, root };
    let checkpoint = forged.sign(&log_key(&cast)).unwrap().note().to_owned();
    let forged = Receipt { extra: None, index: 2, path: vec![others], checkpoint };
    *receipts.lock().unwrap() = Some(forged.to_string());
    assert_eq!(sync::sync(&cast.participant).await.unwrap_err().code, Code::LogForked);
    let alarm = sync::view(&cast.participant).unwrap().alarm.expect("an alarm");
    assert!(alarm.proven, "{alarm:?}");
    let file = wallet::alarm::save(&cast.participant, cast.root.path()).unwrap();
    let evidence = ledger::Evidence::parse(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(evidence.judge(), Ok(ledger::Verdict::Rewritten));
}
