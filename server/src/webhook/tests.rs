//! Patience, dead letters and second tries, with waits of milliseconds in place of hours.

use super::*;
use crate::biobank::Institution;
use crate::founding::found;
use crate::log::LogStore;
use crate::serve::Options;
use crate::stream;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use identity::SigningKey;
use ledger::{Act, ConsentEntry, ConsentEvent, EntryHash, Given, NoteKey};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;

const ORIGIN: &str = "biobank.example/log";
const QUICK: Pace = Pace { first: Duration::from_millis(1), longest: Duration::from_millis(4) };

/// What arrived, and what is answered to which entry.
#[derive(Default)]
struct Holder {
    came: Mutex<Vec<u64>>,
    answers: Mutex<BTreeMap<u64, StatusCode>>,
}

impl Holder {
    /// Listens on this machine; its address.
    async fn open(self: &Arc<Self>) -> String {
        let holder = Arc::clone(self);
        let take = move |Json(said): Json<Value>| async move {
            let index = said["index"].as_u64().unwrap();
            holder.came.lock().unwrap().push(index);
            holder.answers.lock().unwrap().get(&index).copied().unwrap_or(StatusCode::NO_CONTENT)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", post(take))).await });
        address
    }

    fn came(&self) -> Vec<u64> {
        self.came.lock().unwrap().clone()
    }
}

/// An institution with the two entries of its policies.
async fn founded(dir: &std::path::Path) -> Biobank {
    let first = Institution { name: "Example Biobank".into(), origin: ORIGIN.into() };
    let options = Options::new(dir.to_owned(), ([127, 0, 0, 1], 0).into(), first);
    let mut biobank = Biobank::open(&options).unwrap();
    found(&mut biobank, dir).await.unwrap();
    biobank
}

/// One whose log has 260 entries and shows those from 256 on.
pub(crate) async fn pruned(dir: &std::path::Path) -> Arc<Biobank> {
    drop(founded(dir).await);
    let seed = std::fs::read(dir.join("log.key")).unwrap().try_into().unwrap();
    let key = || NoteKey::new(ORIGIN, SigningKey::from_seed(seed)).unwrap();
    let log = LogStore::open(&dir.join("log"), key(), ORIGIN).unwrap();
    let consent = |number: u64| {
        let (subject, hash) = (EntryHash::of(&number.to_be_bytes()), ledger::Hash::from_bytes([3; 32]));
        let act = Act::Grant(Given { credential: hash, policy: hash, until: None });
        let subject = (*subject.as_bytes()).into();
        let said = ConsentEvent { subject, previous: None, notice: hash, time: now(), act };
        ledger::Entry::from(ConsentEntry::sign(&SigningKey::from_seed([1; 32]), &said))
    };
    let entries = (log.signed_checkpoint().size..260).map(consent);
    for answer in log.append_many(entries.collect()).await {
        answer.unwrap();
    }
    drop(log);
    crate::log::prune(&dir.join("log"), key().verifier(), 256, true).unwrap();
    Arc::new(founded(dir).await)
}

/// An institution with deliveries under way.
async fn institution(dir: &std::path::Path) -> Arc<Biobank> {
    let mut biobank = founded(dir).await;
    biobank.webhooks = Webhooks::new(Reach::Demo, QUICK);
    let biobank = Arc::new(biobank);
    tokio::spawn(stream::follow(Arc::downgrade(&biobank)));
    tokio::spawn(run(Arc::downgrade(&biobank)));
    biobank
}

fn hook(url: String) -> Hook {
    Hook {
        url,
        events: vec!["policy".into()],
        study: None,
        created: now(),
        next: 0,
        attempts: 0,
        retry_at: None,
        last_error: None,
        delivered: None,
        dropped: 0,
    }
}

/// Waits until it is so. What never becomes so breaks the test off.
async fn until(what: &str, so: impl Fn() -> bool) {
    for _ in 0..600 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}");
}

#[test]
fn patience_ends_after_half_a_day() {
    let waits: Vec<u64> = (1..).map_while(|attempts| Pace::NORMAL.wait(attempts)).map(|wait| wait.as_secs()).collect();
    assert_eq!(waits, (0..16).map(|exponent| 1 << exponent).chain([12 * 3_600]).collect::<Vec<u64>>());
    assert_eq!(Pace::NORMAL.wait(1_000), None);
}

#[test]
fn a_clock_that_was_set_back_lengthens_no_wait() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let waiting =
        Hook { attempts: 3, retry_at: Some(at("2026-11-23T12:00:04Z")), ..hook("http://127.0.0.1:1024/".into()) };
    let wait = |now| wait(&waiting, Pace::NORMAL, at(now)).as_secs();
    assert_eq!(wait("2026-11-23T12:00:01Z"), 3);
    assert_eq!(wait("2026-11-23T12:00:04Z"), 0);
    assert_eq!(wait("2026-11-24T00:00:00Z"), 0);
    assert_eq!(wait("2020-01-01T00:00:00Z"), 4);
}

#[test]
fn hooks_ask_for_kinds_by_their_names() {
    let names = event_names();
    for name in ["consent-grant", "consent-withdraw", "consent-end", "key-rotate", "access-use", "snapshot"] {
        assert!(names.contains(name), "{name}");
    }
    assert!(names.iter().all(|name| !name.contains('.') && !name.contains('+')));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_arrives_is_given_up_kept_in_sight_and_can_be_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let biobank = institution(dir.path()).await;
    let holder = Arc::new(Holder::default());
    let url = holder.open().await;
    // The log begins with the institution itself and its two policies: of these the holder does not take the first.
    holder.answers.lock().unwrap().insert(1, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(biobank.desk.add_hook("a", &hook(url)).unwrap());
    biobank.webhooks.wake();
    until("the second entry never came", || holder.came().contains(&2)).await;
    assert_eq!(holder.came(), [1, 1, 1, 1, 2], "in order, and the next one only when the first is given up");
    until("it was not written down", || biobank.desk.hook("a").unwrap().unwrap().delivered == Some(2)).await;
    let dead = biobank.desk.dead_letters("a").unwrap();
    assert_eq!(dead.len(), 1);
    let letter = &dead[0];
    let told = (letter.index, letter.event.as_str(), letter.error.as_str(), letter.attempts);
    assert_eq!(told, (1, "policy", "status 500", 4));
    // One more try that fails leaves it where it is, and is counted.
    assert!(biobank.desk.retry_hook("a").unwrap());
    biobank.webhooks.wake();
    until("it was not tried again", || biobank.desk.dead_letters("a").unwrap()[0].attempts == 5).await;
    // When the holder takes it, it is gone.
    holder.answers.lock().unwrap().clear();
    assert!(biobank.desk.retry_hook("a").unwrap());
    biobank.webhooks.wake();
    until("it is still dead", || biobank.desk.dead_letters("a").unwrap().is_empty()).await;
    assert_eq!(holder.came(), [1, 1, 1, 1, 2, 1, 1]);
    assert_eq!(biobank.desk.hook("a").unwrap().unwrap().next, 3);
}

/// A letter about an entry, for which somebody asked for one more try.
fn dead(index: u64) -> DeadLetter {
    let (hash, event, error) = (EntryHash::of(&index.to_be_bytes()), "policy".into(), "status 500".into());
    DeadLetter { index, hash, event, error, attempts: 4, at: now(), again: true }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_whose_entry_was_pruned_keeps_no_other_from_its_try() {
    let dir = tempfile::tempdir().unwrap();
    let biobank = pruned(dir.path()).await;
    let hook = Hook { next: 260, ..hook("http://127.0.0.1:1024/".into()) };
    assert!(biobank.desk.add_hook("a", &hook).unwrap());
    for index in [1, 2, 258] {
        assert!(biobank.desk.bury("a", &hook, &hook_after(&hook, index), &dead(index)).unwrap());
        assert!(biobank.desk.move_hook("a", &hook_after(&hook, index), &hook).unwrap());
    }
    let Todo::Again(due) = todo(&biobank, "a").unwrap() else { panic!("the letter that can be read is not due") };
    assert_eq!(due.1.index, 258);
    let letters = biobank.desk.dead_letters("a").unwrap();
    let told: Vec<_> = letters.iter().map(|letter| (letter.again, letter.error.as_str())).collect();
    assert_eq!(told, [(false, PRUNED), (false, PRUNED), (true, "status 500")]);
}

fn hook_after(hook: &Hook, index: u64) -> Hook {
    Hook { delivered: Some(index), ..hook.clone() }
}

#[tokio::test]
async fn a_letter_that_makes_room_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let biobank = founded(dir.path()).await;
    let first = hook("http://127.0.0.1:1024/".into());
    assert!(biobank.desk.add_hook("a", &first).unwrap());
    biobank.desk.fill_with_dead("a", (0..1_000).map(dead)).unwrap();
    let after = Hook { next: 1_001, ..first.clone() };
    // The same step twice is one step.
    for _ in 0..2 {
        assert!(biobank.desk.bury("a", &first, &after, &dead(1_000)).unwrap());
        assert_eq!(biobank.desk.hook("a").unwrap().unwrap(), Hook { dropped: 1, ..after.clone() });
    }
    let letters = biobank.desk.dead_letters("a").unwrap();
    assert_eq!((letters.len(), letters[0].index), (1_000, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_leads_inside_is_never_followed() {
    let dir = tempfile::tempdir().unwrap();
    let biobank = institution(dir.path()).await;
    let holder = Arc::new(Holder::default());
    holder.open().await;
    // As if it had been registered by an earlier version, or the desk had been edited.
    let inside = "https://10.0.0.1/hook";
    assert!(biobank.desk.add_hook("a", &hook(inside.into())).unwrap());
    biobank.webhooks.wake();
    until("nothing was tried", || biobank.desk.dead_letters("a").unwrap().len() == 2).await;
    assert!(biobank.desk.dead_letters("a").unwrap().iter().all(|letter| letter.error == "address not allowed"));
    assert!(holder.came().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_staff_change_counts_over_what_is_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let biobank = institution(dir.path()).await;
    let before = hook("http://127.0.0.1:1024/".into());
    let (after, other) = (Hook { next: 7, ..before.clone() }, Hook { next: 9, ..before.clone() });
    assert!(biobank.desk.add_hook("b", &Hook { events: vec!["snapshot".into()], ..before.clone() }).unwrap());
    assert!(!biobank.desk.move_hook("b", &before, &after).unwrap(), "it stood elsewhere");
    assert!(biobank.desk.remove_hook("b").unwrap());
    assert!(!biobank.desk.move_hook("b", &before, &after).unwrap(), "a deleted hook does not come back");
    assert!(!biobank.desk.remove_hook("b").unwrap());
    assert!(biobank.desk.add_hook("b", &before).unwrap());
    assert!(biobank.desk.move_hook("b", &before, &after).unwrap());
    assert!(biobank.desk.move_hook("b", &before, &after).unwrap(), "the same step twice is one step");
    assert!(!biobank.desk.move_hook("b", &before, &other).unwrap());
    // There is room for 64, and a letter of a hook that is gone is not kept.
    for number in 0..63 {
        assert!(biobank.desk.add_hook(&format!("c{number}"), &before).unwrap(), "{number}");
    }
    assert!(!biobank.desk.add_hook("d", &before).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_at_a_time_delivers_for_a_hook() {
    let dir = tempfile::tempdir().unwrap();
    let biobank = institution(dir.path()).await;
    let at = |seconds| "2026-11-23T12:00:00Z".parse::<Timestamp>().unwrap().plus_seconds(seconds);
    let has = |node: &str, seconds| biobank.desk.lease_hook("a", node, at(seconds)).unwrap();
    assert!(has("one", 0));
    assert!(!has("two", 1), "the first has it");
    assert!(has("one", 30), "and keeps it as long as it comes again");
    assert!(!has("two", 89));
    assert!(has("two", 90), "a node that does not come again loses it");
    assert!(!has("one", 91));
    // A node whose clock is a day ahead does not lock the others out.
    assert!(has("ahead", 86_400));
    assert!(has("one", 92));
}
