//! News from a real biobank: heard without asking, by whom it concerns, and after the biobank was away too. No rounds by
//! the clock run in these tests, so what is heard was brought by the stream.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod common;

use bridge::Role;
use common::{CHOICE, Cast, grant, heart, profile, withdraw};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use wallet::stream::{Heard, Listener};
use wallet::{Profile, asks, enrol, staff, sync};

/// Waits until something is so of what was heard. What never is breaks the test off.
async fn until(heard: &mut watch::Receiver<Heard>, what: &str, so: impl FnMut(&Heard) -> bool) -> Heard {
    match tokio::time::timeout(Duration::from_secs(60), heard.wait_for(so)).await {
        Ok(Ok(heard)) => *heard,
        _ => panic!("{what}"),
    }
}

/// Begins to listen; how much was heard by the time the stream is open.
async fn listen(profile: &Arc<Profile>) -> (Listener, watch::Receiver<Heard>, u64) {
    let listener = Listener::of(profile);
    let mut heard = listener.heard();
    let open = until(&mut heard, "the stream was not opened", |heard| heard.live).await;
    (listener, heard, open.count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_and_a_letter_are_heard_by_whom_they_concern() {
    let Cast { root, biobank: _running, staff, participant, researcher } = Cast::ready().await;
    let (participant, researcher) = (Arc::new(participant), Arc::new(researcher));
    let (_of_researcher, mut by_researcher, before) = listen(&researcher).await;
    let (_of_participant, mut by_participant, quiet) = listen(&participant).await;
    // The donor's own entry is a reason to look for both.
    grant(&participant, &heart(), &CHOICE).await.unwrap();
    sync::sync(&participant).await.unwrap();
    until(&mut by_researcher, "the grant was not heard", |heard| heard.count > before).await;
    let own = until(&mut by_participant, "the own grant was not heard", |heard| heard.count > quiet).await.count;
    // A question to the donor rings, and the round that follows reads it.
    let purpose = researcher.read(|story| story.studies[&heart()].purpose.clone()).unwrap();
    asks::ask(&researcher, &heart(), &purpose).await.unwrap();
    let rung = until(&mut by_participant, "the letter was not heard", |heard| heard.count > own).await.count;
    sync::sync(&participant).await.unwrap();
    assert_eq!(participant.read(|story| story.asks.len()).unwrap(), 1);
    // What another donor does is none of this one's business.
    let other = profile(root.path(), Role::Participant, 9);
    let invitation = staff::invite(&staff).await.unwrap();
    enrol::accept(&other, &enrol::read_invitation(&invitation.link, None).await.unwrap()).await.unwrap();
    sync::sync(&other).await.unwrap();
    let before = by_researcher.borrow().count;
    grant(&other, &heart(), &CHOICE).await.unwrap();
    sync::sync(&other).await.unwrap();
    until(&mut by_researcher, "the other donor's grant was not heard", |heard| heard.count > before).await;
    assert_eq!(by_participant.borrow().count, rung, "a donor is not woken by the entries of others");
    // And a withdrawal is heard by who uses the data.
    let before = by_researcher.borrow().count;
    withdraw(&participant, &heart()).unwrap();
    sync::sync(&participant).await.unwrap();
    until(&mut by_researcher, "the withdrawal was not heard", |heard| heard.count > before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_biobank_was_away_the_stream_goes_on_where_it_stopped() {
    let Cast { root: _root, mut biobank, staff, participant, .. } = Cast::ready().await;
    let staff = Arc::new(staff);
    let (listener, mut heard, _) = listen(&staff).await;
    biobank.close().await;
    until(&mut heard, "the end of the stream was not noticed", |heard| !heard.live).await;
    grant(&participant, &heart(), &CHOICE).await.unwrap();
    biobank.reopen().await;
    let back = until(&mut heard, "the stream did not come back", |heard| heard.live).await.count;
    sync::sync(&participant).await.unwrap();
    until(&mut heard, "nothing was heard after the biobank came back", |heard| heard.count > back).await;
    // Who stops listening holds nothing open.
    drop(listener);
    let gone = Arc::downgrade(&staff);
    drop(staff);
    assert_eq!(gone.strong_count(), 0);
}
