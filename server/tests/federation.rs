//! One member of a federation, and around it logs, witnesses and mirrors made by hand, good and hostile.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

#[path = "../../ledger/tests/institution/mod.rs"]
mod institution;
mod member;

use identity::SigningKey;
use institution::{Log, ORIGIN, ed25519, log_keys};
use ledger::{
    AddCheckpoint, BundleId, Checkpoint, CosignedCheckpoint, Hash, MirrorInfo, NoteKey, Receipt, TileId, TrustPolicy,
    Verdict, Witness, append_to_bundle, origin_hash,
};
use member::{Member, conflict, here, host, now, ok, peer, text, upload};
use serde_json::Value;
use server::federation::{KnownLog, PEERS_FILE, POLICY_FILE, Peer, Peers, Sheet, join};
use server::{Institution, Options, start};
use std::path::Path;
use url::Url;

#[tokio::test]
async fn a_witness_answers_as_the_specification_says() {
    let root = tempfile::tempdir().unwrap();
    let (mut member, log) = (host(&root).await, Log::of(40));
    assert_eq!(member.get(&here()).await.0, 404, "nothing was signed yet");

    let signed = member.show(&log.request(0, 10)).await;
    assert_eq!((signed.0, signed.1.as_str()), (200, "text/plain; charset=utf-8"));
    let keys = member.sheet().witness.keys;
    let both = log.checkpoint(10).with_cosignatures(text(&signed), &keys).unwrap();
    for key in &keys {
        let time = CosignedCheckpoint::open(both.note(), key).unwrap().time();
        assert!(now() - time < 600, "by its own clock");
    }
    assert_eq!(text(&member.get(&here()).await), both.note());

    let mut cases = vec![
        ("no request", "old ten\n\n".to_owned(), 400),
        ("an old size beyond the new one", log.request(10, 10).to_string().replacen("old 10", "old 11", 1), 400),
        ("at another size", log.request(5, 20).to_string(), 409),
        ("knows nothing of the witness", log.request(0, 20).to_string(), 409),
        ("grown", log.request(10, 20).to_string(), 200),
        ("the same again", log.request(20, 20).to_string(), 200),
    ];
    let mut unproven = log.request(20, 30);
    unproven.proof[0] = Hash::from_bytes([1; 32]);
    cases.push(("a proof that proves nothing", unproven.to_string(), 422));
    let stranger = NoteKey::new(ORIGIN, SigningKey::from_seed([77; 32])).unwrap();
    let checkpoint = Checkpoint { origin: ORIGIN.into(), size: 30, root: log.root(30) }.sign(&stranger).unwrap();
    let request = AddCheckpoint { checkpoint: checkpoint.note().to_owned(), ..log.request(20, 30) };
    cases.push(("signed by another key", request.to_string(), 403));
    let other = NoteKey::new("other.example/log", SigningKey::from_seed([5; 32])).unwrap();
    let checkpoint = Checkpoint { origin: "other.example/log".into(), size: 30, root: log.root(30) };
    let request =
        AddCheckpoint { checkpoint: checkpoint.sign(&other).unwrap().note().to_owned(), ..log.request(20, 30) };
    cases.push(("a log that nobody here knows", request.to_string(), 404));
    for (what, body, status) in cases {
        let answer = member.post("/witness/add-checkpoint", body).await;
        assert_eq!(answer.0, status, "{what}: {}", text(&answer));
        if status == 409 {
            assert_eq!((answer.1.as_str(), text(&answer)), ("text/x.tlog.size", "10\n"), "{what}");
        }
    }
    assert_eq!(member.post("/witness/add-checkpoint", vec![b'x'; 200_000]).await.0, 413);

    // What was signed is known after a new start.
    member.close().await;
    member.open().await;
    let answer = member.show(&log.request(10, 30)).await;
    assert_eq!((answer.0, text(&answer)), (409, "20\n"));
    assert_eq!(member.show(&log.request(20, 30)).await.0, 200);
    // An unproven one is kept, but convicts nobody.
    assert_eq!(member.evidence().await, [Verdict::Nothing]);
    member.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_histories_at_once_one_is_signed() {
    let root = tempfile::tempdir().unwrap();
    let (mut member, log) = (host(&root).await, Log::of(60));
    let forged = log.forked_at(30);
    assert_eq!(member.show(&log.request(0, 20)).await.0, 200);
    let ask = |which: &Log| member.post("/witness/add-checkpoint", which.request(20, 40).to_string());
    let answers = tokio::join!(ask(&log), ask(&forged), ask(&log), ask(&forged), ask(&forged), ask(&log));
    let answers = [answers.0, answers.1, answers.2, answers.3, answers.4, answers.5];
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.0).collect();
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    // The same request twice at once may get the same signature twice; the other history gets none.
    let of_log = [true, false, true, false, false, true];
    let signed: Vec<bool> = of_log.into_iter().zip(&statuses).filter(|(_, s)| **s == 200).map(|(of, _)| of).collect();
    let first = signed[0];
    assert!(signed.iter().all(|of| *of == first), "{statuses:?}");
    let (signed, other) = if first { (&log, &forged) } else { (&forged, &log) };
    assert!(text(&member.get(&here()).await).starts_with(&signed.checkpoint(40).text()));
    // The other history comes again, from where the witness is now; in its own size and longer.
    assert_eq!(member.show(&other.request(40, 40)).await.0, 422);
    assert_eq!(member.show(&other.request(40, 50)).await.0, 422);
    assert_eq!(member.show(&other.request(40, 50)).await.0, 422, "kept once");
    let mut verdicts = member.evidence().await;
    verdicts.sort_by_key(|verdict| format!("{verdict:?}"));
    assert_eq!(verdicts, [Verdict::Fork, Verdict::Rewritten]);
    assert_eq!(member.get("/v1/evidence/..%2finstitution").await.0, 404);
    // The honest history goes on.
    assert_eq!(member.show(&signed.request(40, 60)).await.0, 200);
    member.close().await;
}

/// What is served is the log, as far as it was signed, and nothing else.
async fn serves(member: &Member, log: &Log, size: u64) {
    let base = format!("/mirror/{}", origin_hash(ORIGIN));
    let note = member.get(&format!("{base}/checkpoint")).await;
    assert!(text(&note).starts_with(&log.checkpoint(size).text()));
    for key in &member.sheet().mirror.keys {
        CosignedCheckpoint::open(text(&note), key).unwrap();
    }
    let all = Log { entries: log.entries[..size as usize].to_vec() };
    for level in 0..2 {
        for id in (0..).map_while(|index| TileId::in_tree(level, index, size)) {
            let tile = member.get(&format!("{base}/{}", id.path())).await;
            assert_eq!((tile.0, tile.2), (200, all.tile(id)), "{id}");
        }
    }
    for id in (0..).map_while(|index| BundleId::in_tree(index, size)) {
        let mut expected = Vec::new();
        let first = id.index as usize * 256;
        for entry in &all.entries[first..first + usize::from(id.width)] {
            append_to_bundle(&mut expected, entry).unwrap();
        }
        let bundle = member.get(&format!("{base}/{}", id.path())).await;
        assert_eq!((bundle.0, bundle.2), (200, expected), "{id}");
    }
    let beyond = TileId { level: 0, index: size / 256, width: (size % 256) as u16 + 1 };
    for path in [beyond.path().as_str(), "tile/0/x000/000", "tile/9/000", "tile/entries/..%2f000", "checkpoint.draft"] {
        assert_eq!(member.get(&format!("{base}/{path}")).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_mirror_signs_what_it_holds_and_serves_it() {
    let root = tempfile::tempdir().unwrap();
    let (mut member, log) = (host(&root).await, Log::of(1100));
    let base = format!("/mirror/{}", origin_hash(ORIGIN));
    let shown = member.post("/mirror/add-checkpoint", log.request(0, 700).to_string()).await;
    assert_eq!((shown.0, text(&shown)), (200, ""), "taken, and not signed");
    assert_eq!(member.get(&format!("{base}/checkpoint")).await.0, 404);

    // Two packages of three: kept, and more to come.
    let answer = member.post("/mirror/add-entries", upload(&log, 0, 700, 2)).await;
    assert_eq!((answer.0, answer.1.as_str()), (202, "text/x.tlog.mirror-info"));
    let info = MirrorInfo::parse(text(&answer)).unwrap();
    assert_eq!((info.size, info.next), (700, 512));
    assert_eq!(member.get(&format!("{base}/checkpoint")).await.0, 404, "not before all is there");

    // A crash would leave the same: what was kept is there after a new start.
    member.close().await;
    member.open().await;
    // Other entries under the same checkpoint are not taken, and what was good before them stays.
    let mut false_one = upload(&log, 512, 700, 1);
    let at = false_one.len() - 1000;
    false_one[at] ^= 1;
    let answer = member.post("/mirror/add-entries", false_one).await;
    assert!([400, 422].contains(&answer.0), "{}", answer.0);
    assert_eq!(member.get(&format!("{base}/checkpoint")).await.0, 404);
    for (what, body, status) in [
        ("too far ahead", upload(&log, 600, 700, 9), 409),
        ("no such checkpoint", upload(&log, 512, 699, 9), 409),
        ("no upload", b"x".to_vec(), 400),
        ("not whole", upload(&log, 512, 700, 0), 400),
    ] {
        assert_eq!(member.post("/mirror/add-entries", body).await.0, status, "{what}");
    }
    let answer = member.post("/mirror/add-entries", upload(&log, 512, 700, 9)).await;
    assert_eq!(answer.0, 200);
    log.checkpoint(700).with_cosignatures(text(&answer), &member.sheet().mirror.keys).unwrap();
    serves(&member, &log, 700).await;

    // Entry by entry over the end of a bundle, with a new start between.
    for (old, new) in [(700, 701), (701, 768), (768, 769), (769, 1100)] {
        assert_eq!(member.post("/mirror/add-checkpoint", log.request(old, new).to_string()).await.0, 200);
        assert_eq!(member.post("/mirror/add-entries", upload(&log, old, new, 9)).await.0, 200);
        serves(&member, &log, new).await;
        member.close().await;
        member.open().await;
    }
    serves(&member, &log, 1100).await;
    // A mirror that was shown two histories keeps both.
    let forged = log.forked_at(5);
    assert_eq!(member.post("/mirror/add-checkpoint", forged.request(1100, 1100).to_string()).await.0, 422);
    assert_eq!(member.evidence().await, [Verdict::Fork]);
    // It is a witness of the log as well, and that is another statement: nothing was witnessed.
    assert_eq!(member.get(&here()).await.0, 404);
    member.close().await;
}

#[tokio::test]
async fn members_find_out_that_each_was_shown_another_history() {
    let root = tempfile::tempdir().unwrap();
    let (mut one, mut other) = (Member::new(&root, "one").await, Member::new(&root, "other").await);
    let (log, forged) = (Log::of(40), Log::of(40).forked_at(5));
    let logs = vec![KnownLog { keys: log_keys(), mirror: true, address: None }];
    other.federate("quorum none\n", &Peers { logs: logs.clone(), ..Peers::default() }).await;
    // The log shows each of them one of its histories, and neither has reason to complain.
    assert_eq!(other.show(&forged.request(0, 30)).await.0, 200);
    let witnesses = vec![other.sheet().witness];
    one.federate("quorum none\n", &Peers { witnesses, logs, ..Peers::default() }).await;
    assert_eq!(one.show(&log.request(0, 40)).await.0, 200);
    assert_eq!(one.post("/mirror/add-checkpoint", log.request(0, 40).to_string()).await.0, 200);
    assert_eq!(one.post("/mirror/add-entries", upload(&log, 0, 40, 9)).await.0, 200);
    until_convicted(&one, &[Verdict::Rewritten]).await;
    // In the same size the signed notes alone are enough.
    assert_eq!(other.show(&forged.request(30, 40)).await.0, 200);
    until_convicted(&one, &[Verdict::Fork, Verdict::Rewritten]).await;
    assert_eq!(other.evidence().await, [], "it asks nobody");
    one.close().await;
    other.close().await;
}

/// Waits until these verdicts can be read, and no others.
async fn until_convicted(member: &Member, expected: &[Verdict]) {
    let begun = std::time::Instant::now();
    loop {
        let mut verdicts = member.evidence().await;
        verdicts.sort_by_key(|verdict| format!("{verdict:?}"));
        if verdicts == expected {
            return;
        }
        assert!(begun.elapsed().as_secs() < 90, "{verdicts:?} in place of {expected:?}");
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_witnesses_are_passed_over_and_nobody_waits_for_them() {
    let root = tempfile::tempdir().unwrap();
    let mut good = Member::new(&root, "good").await;
    let mut own = Member::new(&root, "own").await;
    let own_keys = own.sheet().log;
    let logs = vec![KnownLog { keys: own_keys.clone(), mirror: true, address: None }];
    good.federate("quorum none\n", &Peers { logs, ..Peers::default() }).await;

    // What an honest witness would say, had it this key.
    let lines = move |body: &str, number: u8| {
        let request = AddCheckpoint::parse(body.as_bytes()).unwrap();
        let request = AddCheckpoint { old_size: 0, proof: Vec::new(), ..request };
        Witness::new(vec![ed25519(number)]).add_checkpoint(&request, &own_keys, None, now()).unwrap().body
    };
    let mut witnesses = Vec::new();
    let mut add = |number: u8, address: Url| {
        witnesses.push(Peer { address, keys: vec![ed25519(number).key().clone()] });
    };
    add(
        1,
        peer({
            let lines = lines.clone();
            move |body| ok(&lines(body, 50))
        })
        .await,
    );
    add(
        2,
        peer({
            let lines = lines.clone();
            move |body| ok(&lines(body, 2).replace("AAA", "AAB"))
        })
        .await,
    );
    add(3, peer(|_| ok(&"x".repeat(10 << 20))).await);
    add(4, peer(|_| ok("hello")).await);
    add(5, peer(|_| None).await);
    add(
        6,
        peer(|body| {
            // The right key, over a tree of another size that nobody signed.
            let origin = AddCheckpoint::parse(body.as_bytes()).unwrap().origin().to_owned();
            let forger = NoteKey::new(&origin, SigningKey::from_seed([66; 32])).unwrap();
            let other = Checkpoint { origin, size: 1, root: Hash::from_bytes([6; 32]) }.sign(&forger).unwrap();
            ok(&other.cosign(&ed25519(6), now()).unwrap().to_string())
        })
        .await,
    );
    add(7, peer(|_| conflict(u64::MAX)).await);
    add(8, peer(|body| conflict(if body.starts_with("old 1\n") { 2 } else { 1 })).await);
    add(
        9,
        peer(|_| Some("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".into())).await,
    );
    add(10, "http://127.0.0.1:1/".parse().unwrap());
    let sheet = good.sheet();
    witnesses.push(sheet.witness.clone());
    let mut quorum = String::new();
    for (number, peer) in witnesses[..10].iter().enumerate() {
        quorum.push_str(&format!("witness hostile-{number} {}\n", peer.keys[0]));
    }
    for (number, key) in sheet.witness.keys.iter().enumerate() {
        quorum.push_str(&format!("witness good-{number} {key}\n"));
    }
    quorum.push_str("group good all good-0 good-1\nquorum good\n");
    own.federate(&quorum, &Peers { witnesses, mirrors: vec![sheet.mirror.clone()], ..Peers::default() }).await;

    let policy_text = std::fs::read(own.dir.join(POLICY_FILE)).unwrap();
    let policy = TrustPolicy::parse(&policy_text).unwrap();
    for version in 1..4 {
        let entry = own.says(version);
        let answer = own.post("/v1/entries?wait=witnessed", entry.bytes().to_vec()).await;
        assert_eq!(answer.0, 200, "{}", text(&answer));
        let shown: Value = serde_json::from_slice(&answer.2).unwrap();
        let receipt = shown["receipt"].as_str().unwrap();
        let (included, quorum) = Receipt::verify_with(receipt, entry.bytes(), &policy, Some(now())).unwrap();
        assert_eq!(included.index(), shown["index"].as_u64().unwrap());
        let signed = quorum.votes().iter().filter(|vote| matches!(vote.standing, ledger::Standing::Signed(_)));
        assert_eq!(signed.map(|vote| vote.witness.as_str()).collect::<Vec<_>>(), ["good-0", "good-1"]);
        // Its own two, the witness' two, and perhaps the mirror's two: nothing of the others is passed on.
        let note = Receipt::parse(receipt).unwrap().checkpoint;
        let names: Vec<&str> = note.lines().filter_map(|line| line.strip_prefix("\u{2014} ")).collect();
        assert!(names.iter().all(|line| line.starts_with("own.example/") || line.starts_with("good.example/")));
        assert_eq!(names.iter().filter(|line| line.starts_with("own.example/log ")).count(), 2);
    }
    // The mirror holds it all in the end, and says so in the published note.
    let head = Checkpoint::open(text(&own.get("/checkpoint").await), &sheet_vkey(&own)).unwrap();
    loop {
        let note = own.get("/checkpoint").await;
        let held = sheet.mirror.keys.iter().all(|key| CosignedCheckpoint::open(text(&note), key).is_ok());
        if held {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let path = format!("/mirror/{}/checkpoint", origin_hash("own.example/log"));
    assert!(text(&good.get(&path).await).starts_with(&head.text()));
    // Wallets find the policy in what the institution signs about its log.
    let log: Value = serde_json::from_slice(&own.get("/v1/log").await.2).unwrap();
    let statement = identity::verify_jws(log["statement"].as_str().unwrap()).unwrap();
    let said: Value = serde_json::from_slice(&statement.payload).unwrap();
    assert_eq!(said["policy"].as_str().unwrap().as_bytes(), policy_text);
    let metrics = own.get("/metrics").await;
    assert!(text(&metrics).contains("biobankd_checkpoint_final 1"), "{}", text(&metrics));
    assert!(text(&metrics).contains("biobankd_peer_last_success"), "{}", text(&metrics));
    own.close().await;
    good.close().await;
}

fn sheet_vkey(member: &Member) -> ledger::VerifierKey {
    member.sheet().log[0].to_string().parse().unwrap()
}

#[tokio::test]
async fn who_joins_takes_more_than_half_of_the_others() {
    let root = tempfile::tempdir().unwrap();
    let mut members = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        members.push(Member::new(&root, name).await);
    }
    let mut sheets: Vec<Sheet> = members.iter().map(Member::sheet).collect();
    let dir: &Path = &members[0].dir;
    for quorum in [0, 1, 2, 5] {
        assert!(join(dir, &sheets, quorum, true).is_err(), "{quorum} of four others");
    }
    assert!(join(dir, &sheets[..1], 1, true).is_err(), "nobody else");
    // Two names that begin alike, and one that looks like another's key, stay apart.
    for (at, name) in [(1, "Uni:A"), (2, "Uni:B"), (3, "Uni"), (4, "Uni:ed25519")] {
        sheets[at].name = name.into();
    }
    join(dir, &sheets, 3, true).unwrap();
    let policy = TrustPolicy::parse(&std::fs::read(dir.join(POLICY_FILE)).unwrap()).unwrap();
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (2, 8));
    let mut names: Vec<&str> = policy.witnesses().iter().map(|witness| witness.name.as_str()).collect();
    names.dedup_by_key(|name| name.split(':').next().unwrap().to_owned());
    assert_eq!(names, ["Uni-A:ed25519", "Uni-B:ed25519", "Uni:ed25519", "Uni-ed25519:ed25519"]);
    let peers: Peers = serde_json::from_slice(&std::fs::read(dir.join(PEERS_FILE)).unwrap()).unwrap();
    assert_eq!((peers.witnesses.len(), peers.mirrors.len(), peers.logs.len()), (4, 4, 4));
    assert!(peers.logs.iter().all(|log| log.origin() != "a.example/log"));
    let beside = |(log, peer): (&KnownLog, &Peer)| log.address == peer.address.join(".").ok();
    assert!(peers.logs.iter().zip(&peers.witnesses).all(beside), "the log itself is asked as well");
    // Keys are nobody else's to read, and none stands for two statements.
    let keys: std::collections::BTreeSet<String> = sheets
        .iter()
        .flat_map(|sheet| sheet.witness.keys.iter().chain(&sheet.mirror.keys))
        .map(|key| hex::encode(key.public_bytes()))
        .collect();
    assert_eq!(keys.len(), 20);
    #[cfg(unix)]
    for name in ["witness.key", "witness.ml-dsa-44.key", "mirror.key", "mirror.ticket.key", "log.ml-dsa-44.key"] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    // A broken file stops the start, because going on without the others would not be noticed.
    for (file, content) in [(POLICY_FILE, "quorum none\n"), (PEERS_FILE, "{}"), (PEERS_FILE, "")] {
        let before = std::fs::read(dir.join(file)).unwrap();
        std::fs::write(dir.join(file), content).unwrap();
        let institution = Institution { name: "a".into(), origin: "a.example/log".into() };
        let options = Options::new(dir.to_owned(), ([127, 0, 0, 1], 0).into(), institution);
        assert!(start(options).await.is_err(), "{file}: {content:?}");
        std::fs::write(dir.join(file), before).unwrap();
    }
}
