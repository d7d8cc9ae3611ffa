//! The log in PostgreSQL: one log whoever writes, the same log as in files, and what it refuses.
#![allow(clippy::unwrap_used, reason = "a test may break off")]

mod cluster;
mod log_stage;
mod program;

use cluster::Cluster;
use identity::SigningKey;
use ledger::event::{InstitutionEvent, MemberChange, Role};
use ledger::{Checkpoint, Entry, Hash, Key, NoteKey, Receipt, TileEdge, empty_state_hash};
use log_stage::{ENTRIES, ORIGIN, append, grants, note_key};
use program::{biobankd, path};
use server::log::{
    Embedded, LogStore, Postgres, Row, Store, StoreError, Turn, Write, announce, check, named_key, sign_again,
    was_just_changed,
};
use server::{Database, DatabaseError};
use std::collections::BTreeMap;
use std::sync::Arc;

fn store(address: &str) -> Arc<Postgres> {
    let database = Database::open(&address.parse().unwrap(), true).unwrap();
    Arc::new(Postgres::new(database, note_key().verifier().clone()))
}

fn node(address: &str) -> LogStore {
    LogStore::over(store(address), note_key()).unwrap()
}

fn audit(store: &dyn Store) -> Vec<String> {
    let scratch = tempfile::tempdir().unwrap();
    check(store, note_key().verifier(), scratch.path(), None).unwrap().findings
}

/// A batch of one entry after a head, with records of its own making: enough to see who may write.
fn write_one(store: &dyn Store, turn: Turn, before: &TileEdge, number: usize) -> Result<Turn, StoreError> {
    let entry = &ENTRIES[number];
    let mut edge = before.clone();
    let tiles = edge.push(entry.bytes());
    let origin = ORIGIN.to_owned();
    let checkpoint = Checkpoint { origin, size: edge.size(), root: edge.root() }.sign(&note_key()).unwrap();
    let rows = [Row { index: turn.size, hash: entry.hash(), bytes: entry.bytes() }];
    let records = BTreeMap::new();
    let state = Hash::from_bytes([7; 32]);
    store.commit(
        turn,
        &Write { rows: &rows, records: &records, state, checkpoint: &checkpoint, tiles: &tiles, bundles: &[] },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_reads_back_at_every_border_and_from_every_node() {
    let Some(cluster) = Cluster::start(0).await else { return };
    let address = cluster.database("borders").await;
    let mut held = 0;
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 513, 620] {
        let log = node(&address);
        assert_eq!(log.signed_checkpoint().size, held as u64);
        let indices = append(&log, &ENTRIES[held..size]).await;
        assert_eq!(indices, (held as u64..size as u64).collect::<Vec<_>>());
        // The same entries again have the same places, here and at another node.
        assert_eq!(append(&log, &ENTRIES[held..size]).await, indices);
        assert_eq!(append(&node(&address), &ENTRIES[held..size]).await, indices);
        held = size;
        if [1, 257, 620].contains(&size) {
            assert_eq!(audit(store(&address).as_ref()), Vec::<String>::new(), "at {size}");
        }
    }
    let store = store(&address);
    let all = store.records_from("subject/", None, 1000).unwrap();
    assert_eq!(all.len(), 620);
    let mut paged = Vec::new();
    loop {
        let page = store.records_from("subject/", paged.last().map(|(key, _): &(Key, _)| key), 99).unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert!(all.is_sorted_by(|a, b| a.0 < b.0));
    assert_eq!(store.records_from("study/", None, 10).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_write_at_once_make_one_log() {
    let Some(cluster) = Cluster::start(0).await else { return };
    let address = cluster.database("two").await;
    let nodes: Vec<Arc<LogStore>> = (0..2).map(|_| Arc::new(node(&address))).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for part in 0..8_usize {
        let node = nodes[part % 2].clone();
        tasks.spawn(async move {
            let mut places = Vec::new();
            // The parts overlap: each entry is sent to both nodes.
            for chunk in ENTRIES[part / 2 * 100..part / 2 * 100 + 100].chunks(7) {
                let indices = append(&node, chunk).await;
                places.extend(chunk.iter().map(|entry| entry.hash()).zip(indices));
            }
            places
        });
    }
    let mut places = BTreeMap::new();
    for (hash, index) in tasks.join_all().await.into_iter().flatten() {
        assert_eq!(*places.entry(hash).or_insert(index), index, "one entry has one place");
    }
    assert_eq!(places.len(), 400);
    let store = store(&address);
    let tip = store.tip().unwrap().unwrap();
    assert_eq!(tip.turn.size, 400);
    assert_eq!(tip.turn.epoch, 2, "each raised it once");
    assert_eq!(audit(store.as_ref()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_turn_writes_nothing() {
    let Some(cluster) = Cluster::start(0).await else { return };
    let (one, two) = {
        let address = cluster.database("turns").await;
        (store(&address), store(&address))
    };
    drop(LogStore::over(one.clone(), note_key()).unwrap());
    let first = one.take_turn().unwrap();
    assert_eq!((first.turn, first.state), (Turn { size: 0, epoch: 1 }, empty_state_hash()));
    let second = two.take_turn().unwrap();
    assert_eq!(second.turn.epoch, first.turn.epoch + 1);
    assert!(matches!(write_one(one.as_ref(), first.turn, &first.edge, 0), Err(StoreError::NotYourTurn)));
    assert_eq!(one.indices(&[ENTRIES[0].hash()]).unwrap().len(), 0);
    let turn = write_one(two.as_ref(), second.turn, &second.edge, 1).unwrap();
    assert_eq!(turn, Turn { size: 1, ..second.turn });
    // The right epoch and a size that is over; the size and an epoch to come.
    let now = two.take_turn().unwrap();
    assert_eq!(now.turn, turn, "a process that has begun takes the turn as it is");
    for wrong in [second.turn, Turn { epoch: turn.epoch + 1, ..turn }, Turn { epoch: turn.epoch - 1, ..turn }] {
        let edge = if wrong.size == 0 { second.edge.clone() } else { now.edge.clone() };
        assert!(matches!(write_one(two.as_ref(), wrong, &edge, 2), Err(StoreError::NotYourTurn)), "{wrong:?}");
    }
    assert_eq!(one.tip().unwrap().unwrap().turn.size, 1);
    // Nothing is shown that is not there, and nothing but what is there.
    let sign = |size, root| Checkpoint { origin: ORIGIN.to_owned(), size, root }.sign(&note_key()).unwrap();
    one.publish(&one.tip().unwrap().unwrap().checkpoint).unwrap();
    assert!(one.publish(&sign(9, Hash::from_bytes([1; 32]))).is_err(), "beyond the log");
    assert!(one.publish(&sign(1, Hash::from_bytes([1; 32]))).is_err(), "another root");
    two.publish(&sign(0, Hash::empty_root())).unwrap();
    assert!(two.published().unwrap().unwrap().contains("\n1\n"), "a larger one that is shown stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_stays_and_belongs_to_one_key() {
    let Some(cluster) = Cluster::start(0).await else { return };
    let address = cluster.database("stays").await;
    append(&node(&address), &ENTRIES[..300]).await;
    let client = cluster.primary().database("stays").await.unwrap();
    for sql in [
        "UPDATE log_entries SET bytes = '' WHERE number = 3",
        "DELETE FROM log_entries WHERE number = 299",
        "TRUNCATE log_entries",
        "DELETE FROM log_tiles",
    ] {
        let error = client.batch_execute(sql).await.unwrap_err();
        assert!(error.as_db_error().unwrap().message().contains("append-only"), "{sql}");
    }
    let stranger = ledger::NoteKey::new(ORIGIN, identity::SigningKey::from_seed([6; 32])).unwrap();
    let database = Database::open(&address.parse().unwrap(), true).unwrap();
    let strange = Postgres::new(database, stranger.verifier().clone());
    assert!(LogStore::over(Arc::new(strange), stranger).is_err());
    // Who can change the tables all the same is found out.
    client.batch_execute("ALTER TABLE log_entries DISABLE TRIGGER ALL").await.unwrap();
    let swap = "UPDATE log_entries SET bytes = (SELECT bytes FROM log_entries WHERE number = 8) WHERE number = 7";
    client.batch_execute(swap).await.unwrap();
    assert!(!audit(store(&address).as_ref()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_could_lose_what_it_acknowledged_is_refused() {
    let Some(cluster) = Cluster::start(0).await else { return };
    let address = cluster.database("safe").await;
    let client = cluster.primary().client().await;
    for setting in ["synchronous_commit = 'off'", "fsync = 'off'", "full_page_writes = 'off'"] {
        let name = setting.split(' ').next().unwrap();
        client.batch_execute(&format!("ALTER SYSTEM SET {setting}")).await.unwrap();
        client.batch_execute("SELECT pg_reload_conf(), pg_sleep(0.3)").await.unwrap();
        let error = Database::open(&address.parse().unwrap(), true).err().unwrap();
        assert!(matches!(&error, DatabaseError::Refused(why) if why.contains(name)), "{error}");
        client.batch_execute(&format!("ALTER SYSTEM RESET {name}")).await.unwrap();
    }
    client.batch_execute("SELECT pg_reload_conf(), pg_sleep(0.3)").await.unwrap();
    Database::open(&address.parse().unwrap(), true).unwrap();
    let wrong = address.replace("passfile=", "passfile=/nowhere/");
    assert!(matches!(Database::open(&wrong.parse().unwrap(), true), Err(DatabaseError::Io(..))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_moves_between_the_stores_and_stays_the_same() {
    let Some(cluster) = Cluster::start(0).await else { return };
    let address = cluster.database("moves").await;
    let (here, back) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    append(&log_stage::open(here.path()), &grants(0, 700)).await;
    let before = Embedded::open(here.path(), note_key().verifier()).unwrap();
    let between = store(&address);
    let after = Embedded::open(back.path(), note_key().verifier()).unwrap();
    server::log::migrate(&before, between.as_ref(), &note_key(), |_, _| ()).unwrap();
    server::log::migrate(between.as_ref(), &after, &note_key(), |_, _| ()).unwrap();
    let ends = [before.tip(), between.tip(), after.tip()].map(|tip| tip.unwrap().unwrap());
    for end in &ends[1..] {
        assert_eq!((end.turn.size, end.state), (ends[0].turn.size, ends[0].state));
        assert_eq!(end.checkpoint.note(), ends[0].checkpoint.note());
    }
    let all = before.records_from("", None, 10_000).unwrap();
    assert_eq!(between.records_from("", None, 10_000).unwrap(), all);
    assert_eq!(after.records_from("", None, 10_000).unwrap(), all);
    assert_eq!(audit(between.as_ref()), Vec::<String>::new());
    // And the log goes on where it is.
    assert_eq!(
        append(&LogStore::over(between, note_key()).unwrap(), &grants(700, 5)).await,
        (700..705).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_gets_another_key_and_a_node_with_the_former_one_writes_no_more() {
    let Some(cluster) = Cluster::start(0).await else { return };
    let address = cluster.database("another_key").await;
    let institution = SigningKey::from_seed([40; 32]);
    let (time, organisation) = ("2026-11-22T12:00:00Z".parse().unwrap(), "biobank".parse().unwrap());
    let founds = MemberChange { active: true, member: institution.did(), organisation, role: Role::Institution, time };
    let running = node(&address);
    running.append(Entry::sign(&institution, &InstitutionEvent::Member(founds)).unwrap()).await.unwrap();
    append(&running, &ENTRIES[..3]).await;
    let new_key = || NoteKey::new(ORIGIN, SigningKey::from_seed([6; 32])).unwrap();
    let next = new_key();
    let former = store(&address);
    let told = announce(former.as_ref(), &note_key(), next.verifier(), &institution, time).unwrap();
    sign_again(former.as_ref(), &told, &next).unwrap();
    // Whoever knows the former key alone reads and writes nothing more.
    assert!(store(&address).tip().is_err());
    assert!(running.append(ENTRIES[3].clone()).await.is_err());
    let database = Database::open(&address.parse().unwrap(), true).unwrap();
    let store: Arc<dyn Store> = Arc::new(Postgres::new(database, next.verifier().clone()));
    assert_eq!(named_key(store.as_ref()).unwrap(), Some(next.verifier().to_string()));
    assert!(was_just_changed(store.as_ref(), &ledger::Next::Log(next.verifier().clone())).unwrap());
    let log = LogStore::over(store.clone(), new_key()).unwrap();
    append(&log, &ENTRIES[3..6]).await;
    drop(log);
    let scratch = tempfile::tempdir().unwrap();
    let audit = check(store.as_ref(), next.verifier(), scratch.path(), None).unwrap();
    assert_eq!((audit.size, audit.findings), (8, Vec::new()));
    let keys = ledger::Keys { log: note_key().verifier().clone(), institution: institution.did() };
    let changes = ledger::follow(&keys, &[told.succession]);
    assert_eq!(changes.last().unwrap().next(), &ledger::Next::Log(next.verifier().clone()));
}

/// A folder with keys and a desk of one row, as the service makes it.
fn folder(data: &std::path::Path) {
    std::fs::create_dir_all(data).unwrap();
    std::fs::write(data.join("log.key"), [5; 32]).unwrap();
    std::fs::write(data.join("institution.json"), format!(r#"{{"name":"Example","origin":"{ORIGIN}"}}"#)).unwrap();
    let desk = redb::Database::create(data.join("desk.redb")).unwrap();
    let write = desk.begin_write().unwrap();
    let accounts = redb::TableDefinition::<&str, &[u8]>::new("accounts");
    write.open_table(accounts).unwrap().insert("did:key:z6MkSomebody", b"{}".as_slice()).unwrap();
    write.commit().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_moves_a_log_with_its_desk_and_the_old_store_is_closed() {
    let Some(cluster) = Cluster::start(0).await else { return };
    let (first, second) = (cluster.database("first").await, cluster.database("second").await);
    let dir = tempfile::tempdir().unwrap();
    let (data, back) = (dir.path().join("data"), dir.path().join("back"));
    folder(&data);
    append(&log_stage::open(&data.join("log")), &ENTRIES[..300]).await;
    let file = |folder: &std::path::Path| format!("embedded:{}", folder.join("log").display());
    let migrate = |from: &str, to: &str| biobankd(&["migrate", "--data", path(&data), "--from", from, "--to", to]);
    let running = node(&first);
    // Into a database, into another one, and back into files: the desk goes along each time.
    for (from, to) in [(file(&data), first.clone()), (first.clone(), second.clone()), (second.clone(), file(&back))] {
        let (done, said) = migrate(&from, &to);
        assert!(done && said.contains("300 entries") && said.contains("1 rows of the desk"), "{said}");
        let moved = |said: &str| said.contains("moved to another store");
        if from == file(&data) {
            let (done, said) = biobankd(&["check", "--data", path(&data)]);
            assert!(!done && moved(&said), "{said}");
            let (sound, said) = biobankd(&["check", "--data", path(&data), "--store", &first]);
            assert!(sound && said.contains("sound: 300 entries"), "{said}");
        } else {
            let error = LogStore::over(store(&from), note_key()).err().unwrap();
            assert!(moved(&error.to_string()), "{error}");
        }
    }
    // A node that was left running has lost its turn for good.
    assert!(running.append(ENTRIES[300].clone()).await.is_err());
    // A node's folder holds no log of its own, and no command makes one there.
    let bare = dir.path().join("node");
    folder(&bare);
    for verb in ["check", "rebuild"] {
        let (done, said) = biobankd(&[verb, "--data", path(&bare)]);
        assert!(!done && said.contains("there is no log here"), "{verb}: {said}");
    }
    assert!(!bare.join("log").exists());
    let (sound, said) = biobankd(&["check", "--data", path(&bare), "--store", &second]);
    assert!(sound, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_somebody_changed_are_made_again_from_the_entries() {
    let Some(cluster) = Cluster::start(0).await else { return };
    let address = cluster.database("records").await;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("node");
    folder(&data);
    let running = node(&address);
    append(&running, &ENTRIES[..300]).await;
    let client = cluster.primary().database("records").await.unwrap();
    let some = Key::subject(&ENTRIES[7].event().subject);
    client.execute("DELETE FROM log_records WHERE key = $1", &[&some.as_str()]).await.unwrap();
    client.execute("UPDATE log_head SET state = $1", &[&[7_u8; 32].as_slice()]).await.unwrap();
    let program = |verb: &str| biobankd(&[verb, "--data", path(&data), "--store", &address]);
    let (sound, said) = program("check");
    assert!(!sound && said.contains("state hash"), "{said}");
    let (sound, said) = program("rebuild");
    assert!(sound && said.contains("sound: 300 entries"), "{said}");
    assert!(store(&address).records(std::slice::from_ref(&some)).unwrap()[&some].is_some());
    // A node that ran meanwhile goes on. Entries that lead elsewhere change nothing.
    append(&running, &ENTRIES[300..310]).await;
    client.batch_execute("ALTER TABLE log_entries DISABLE TRIGGER ALL").await.unwrap();
    let swap = "UPDATE log_entries SET bytes = (SELECT bytes FROM log_entries WHERE number = 8) WHERE number = 7";
    client.batch_execute(swap).await.unwrap();
    let (sound, said) = program("rebuild");
    assert!(!sound && said.contains("NOT SOUND"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_hears_of_what_another_one_published_before_it_answers_and_witnesses_it() {
    let Some(cluster) = Cluster::start(0).await else { return };
    let address = cluster.database("hears").await;
    let (one, two) = (node(&address), node(&address));
    let mut publisher = two.take_over_publishing();
    for entry in &ENTRIES[..8] {
        append(&one, std::slice::from_ref(entry)).await;
        // Whoever has just read the newest checkpoint from one node gets no receipt under a smaller one from the other.
        let newest = one.newest_checkpoint().unwrap();
        let receipt = two.receipt(&entry.hash()).unwrap().unwrap();
        let under = Receipt::verify(&receipt, entry.bytes(), note_key().verifier()).unwrap();
        assert_eq!(under.checkpoint().size, newest.size);
    }
    // The node that asks others to sign is told of what it did not write itself.
    let told = async { publisher.wait_for(|newest| newest.size == 8).await.map(|newest| newest.clone()) };
    let newest = tokio::time::timeout(std::time::Duration::from_secs(5), told).await.unwrap().unwrap();
    // And what it collected is not taken away by a node that could collect nothing.
    let cosigner = ledger::Cosigner::ed25519("w.example", identity::SigningKey::from_seed([9; 32])).unwrap();
    let signed = newest.with(newest.cosign(&cosigner, 1_795_348_800).unwrap()).unwrap();
    two.publish(&signed).unwrap();
    one.publish(&newest).unwrap();
    for node in [&one, &two] {
        assert_eq!(node.newest_checkpoint().unwrap().note(), signed.note());
    }
}
