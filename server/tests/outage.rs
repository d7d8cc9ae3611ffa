//! A disk that fails and a database that goes away: what the service says of itself, and how it comes back.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod cluster;
mod program;
mod stage;

use cluster::Cluster;
use program::Service;
use stage::Biobank;
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_disk_fails_says_so_and_ends_and_the_next_start_goes_on() {
    // The folder and the callers of a biobank; processes take the place of the one in the test.
    let mut biobank = Biobank::open().await;
    let donor = biobank.donor(3).await;
    let (entry, _) = donor.gives(None).await;
    biobank.close().await;
    let mut service = Service::ready(&biobank.data(), &[]).await;
    biobank.address.clone_from(&service.address);
    // From now on the disk takes nothing more.
    let id = service.child.id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &id, "--fsize=0:"]).status().unwrap().success());
    assert!(biobank.append(entry.bytes()).await.0 >= 500, "it was not acknowledged");
    // It looks at its log once a second, so it may be gone already.
    assert!(matches!(service.readiness().await, 503 | 0));
    assert!(!service.ended().success(), "systemd starts again what has failed");
    let service = Service::ready(&biobank.data(), &[]).await;
    biobank.address.clone_from(&service.address);
    assert_eq!(biobank.append(entry.bytes()).await.0, 200);
    service.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_its_database_says_so_and_goes_on_when_it_is_back() {
    let Some(mut cluster) = Cluster::start(0).await else { return };
    let store = cluster.database("outage").await;
    let (dir, more) = (tempfile::tempdir().unwrap(), ["--allow-unreplicated", "--store", &store]);
    let data = dir.path().join("node");
    let mut service = Service::ready(&data, &more).await;
    cluster.kill(0);
    // Nobody writes: it finds out by itself, and has nothing to end for.
    service.until(503).await;
    // A start meanwhile ends with a failure: systemd tries again, as often as it takes.
    assert!(!Service::start(&data, &more).ended().success());
    assert!(service.child.try_wait().unwrap().is_none(), "{}", service.told());
    cluster.restart(0).await;
    service.until(200).await;
    Service::ready(&data, &more).await.end();
    service.end();
}
