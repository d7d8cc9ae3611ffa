//! Several nodes of one member over one database: what one of them signed binds the others.
#![allow(clippy::unwrap_used, reason = "a test may break off")]

mod cluster;
#[path = "../../ledger/tests/institution/mod.rs"]
mod institution;
mod member;

use cluster::Cluster;
use institution::{Log, log_keys};
use member::{Member, here, text};
use server::StoreAddress;
use server::federation::{KnownLog, Peers};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_with_the_keys_of_one_witness_sign_one_history() {
    let Some(cluster) = Cluster::start(0).await else { return };
    let address: StoreAddress = cluster.database("nodes").await.parse().unwrap();
    let root = tempfile::tempdir().unwrap();
    let mut one = Member::new(&root, "host").await;
    let (log, forged) = (Log::of(40), Log::of(40).forked_at(5));
    let logs = vec![KnownLog { keys: log_keys(), mirror: false, address: None }];
    // What it signed while its log lay in files is not forgotten when the log moves.
    one.federate("quorum none\n", &Peers { logs, ..Peers::default() }).await;
    assert_eq!(one.show(&log.request(0, 10)).await.0, 200);
    one.close().await;
    one.store = address.clone();
    one.open().await;
    assert_eq!(text(&one.show(&forged.request(0, 20)).await), "10\n");

    // The second node gets a copy of the folder, as the guide says.
    let dir = root.path().join("copy");
    fs::create_dir(&dir).unwrap();
    for file in fs::read_dir(&one.dir).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
        fs::copy(file.path(), dir.join(file.file_name())).unwrap();
    }
    let mut two = Member { dir, name: one.name.clone(), store: address, running: None, http: one.http.clone() };
    two.open().await;
    assert_eq!(one.show(&log.request(10, 20)).await.0, 200);
    let behind = two.show(&forged.request(10, 20)).await;
    assert_eq!((behind.0, text(&behind)), (409, "20\n"));
    assert_eq!(two.show(&forged.request(20, 20)).await.0, 422);
    assert_eq!(two.show(&log.request(20, 40)).await.0, 200);
    assert_eq!(one.show(&forged.request(20, 40)).await.0, 409);
    assert_eq!(text(&one.get(&here()).await), text(&two.get(&here()).await));
    two.close().await;
    one.close().await;
}
