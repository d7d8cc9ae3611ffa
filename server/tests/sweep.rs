//! What the desk forgets by itself: nobody calls, and yet what is over by its date does not stay.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod stage;

use identity::SigningKey;
use ledger::{Act, ConsentEntry, ConsentEvent, Given, Hash, NoteKey};
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use serde_json::{Value, json};
use server::log::LogStore;
use stage::{Biobank, now};
use std::path::Path;
use std::time::Duration;

const ORIGIN: &str = "biobank.example/log";
const CREDENTIALS: [&str; 2] = ["credentials", "policies"];

/// A consent to nobody's study, given in the past.
fn consent(mark: u8, until: Option<&str>) -> ConsentEntry {
    let hash = Hash::from([mark; 32]);
    let until = until.map(|day| day.parse().unwrap());
    let act = Act::Grant(Given { credential: hash, policy: hash, until });
    let time = "2026-01-10T12:00:00Z".parse().unwrap();
    let said = ConsentEvent { subject: hash, previous: None, notice: hash, time, act };
    ConsentEntry::sign(&SigningKey::from_seed([mark; 32]), &said)
}

fn rows(desk: &Path, table: &str) -> Vec<(String, Value)> {
    let desk = Database::create(desk).unwrap();
    let table = desk.begin_read().unwrap().open_table(TableDefinition::<&str, &[u8]>::new(table)).unwrap();
    let read = |row: Result<(redb::AccessGuard<'_, &str>, redb::AccessGuard<'_, &[u8]>), _>| {
        let (key, value) = row.unwrap();
        (key.value().to_owned(), serde_json::from_slice(value.value()).unwrap())
    };
    table.iter().unwrap().map(read).collect()
}

fn put(desk: &Path, table: &str, key: &str, value: &Value) {
    let desk = Database::create(desk).unwrap();
    let write = desk.begin_write().unwrap();
    let mut table = write.open_table(TableDefinition::<&str, &[u8]>::new(table)).unwrap();
    table.insert(key, value.to_string().as_bytes()).unwrap();
    drop(table);
    write.commit().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_and_letters_whose_time_is_over_go_by_themselves() {
    let mut biobank = Biobank::open().await;
    let (donor, _) = biobank.sharing(3).await;
    biobank.close().await;
    let (data, desk) = (biobank.data(), biobank.data().join("desk.redb"));
    // As if the service had stood still since: a consent over by its date, one of which another version counts, one
    // without a last day.
    let (over, replaced, open) = (consent(40, Some("2026-02-01")), consent(41, None), consent(42, None));
    let seed = std::fs::read(data.join("log.key")).unwrap().try_into().unwrap();
    let key = NoteKey::new(ORIGIN, SigningKey::from_seed(seed)).unwrap();
    let log = LogStore::open(&data.join("log"), key, ORIGIN).unwrap();
    for entry in [&over, &replaced, &open] {
        log.append(entry.clone()).await.unwrap();
    }
    drop(log);
    for table in CREDENTIALS {
        let (_, kept) = rows(&desk, table).remove(0);
        for (entry, named) in [(&over, &over), (&replaced, &over), (&open, &open)] {
            let mut kept = kept.clone();
            kept["entry"] = json!(named.hash());
            put(&desk, table, &entry.event().subject.to_string(), &kept);
        }
    }
    let did = donor.pairwise.did();
    for (id, at) in [("old", now().plus_seconds(-31 * 86_400)), ("new", now().plus_seconds(-29 * 86_400))] {
        let letter = json!({ "id": id, "sealed": "AAAA", "from": did, "at": at });
        put(&desk, "mailbox", &format!("{did}\n{at}\n{id}"), &letter);
    }
    let mut kept = vec![donor.name(), open.event().subject.to_string()];
    kept.sort();
    for _ in 0..100 {
        biobank.open_again().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        biobank.close().await;
        let letters: Vec<Value> = rows(&desk, "mailbox").into_iter().map(|(_, letter)| letter["id"].clone()).collect();
        let left = CREDENTIALS.map(|table| rows(&desk, table).into_iter().map(|(key, _)| key).collect::<Vec<_>>());
        assert!(left.iter().all(|left| kept.iter().all(|name| left.contains(name))), "what counts stays");
        assert!(letters.contains(&json!("new")), "a letter that waits stays");
        if left.iter().all(|left| *left == kept) && letters == ["new"] {
            return;
        }
    }
    panic!("what is over is kept");
}
