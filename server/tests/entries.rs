//! What the institution says to its log by itself, entries one by one and many at once, and the proofs that anybody
//! can ask for.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod stage;

use consent::Withdrawal;
use identity::{SigningKey, sha256};
use ledger::event::{
    InstitutionEvent, KeyRotation, Label, MemberChange, PolicyVersion, Role, SampleEvent, SampleStep, StudyVersion,
    prove_study_key,
};
use ledger::{Act, Checkpoint, Entry, Event, Frontier, Hash, Receipt, State, verify_consistency};
use serde_json::{Value, json};
use server::{Allowance, Allowances, Network, Rates};
use stage::{Biobank, HOSPITAL, hash_of, now, refused, text};
use std::path::Path;

const PAUSE: Act = Act::Suspend { until: None };

fn leave(level: Withdrawal) -> Act {
    Act::Withdraw { level }
}

/// The whole public log: what each entry says, and who says it.
async fn log(biobank: &Biobank) -> Vec<Entry> {
    let size = Checkpoint::open(text(&biobank.get("/checkpoint").await.1), &biobank.vkey).unwrap().size;
    let path = format!("{}/tile/entries/000.p/{size}", biobank.address);
    let bytes = biobank.http.get(path).send().await.unwrap().bytes().await.unwrap();
    let mut rest = bytes.as_ref();
    let mut entries = Vec::new();
    while let [high, low, after @ ..] = rest {
        let (entry, next) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        entries.push(Entry::parse(entry).unwrap());
        rest = next;
    }
    assert_eq!(entries.len() as u64, size);
    entries
}

/// What the institution said about its studies: name, version, whether open.
fn studies(entries: &[Entry]) -> Vec<(String, u32, bool)> {
    let said = |entry: &Entry| match entry.said() {
        Event::Institution(InstitutionEvent::Study(said)) => Some((said.study.to_string(), said.version, said.open)),
        _ => None,
    };
    entries.iter().filter_map(said).collect()
}

fn change_studies(data: &Path, change: impl FnOnce(&mut Vec<Value>)) {
    let path = data.join("studies.json");
    let mut studies = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut studies);
    std::fs::write(path, serde_json::to_vec(&studies).unwrap()).unwrap();
}

#[tokio::test]
async fn the_institution_founds_its_log_and_says_nothing_twice() {
    let mut biobank = Biobank::open().await;
    let first = log(&biobank).await;
    assert!(first.iter().all(|entry| *entry.signer() == biobank.did));
    let Event::Institution(InstitutionEvent::Member(founding)) = first[0].said() else { panic!("no founding") };
    assert_eq!((&founding.member, founding.role, founding.active), (&biobank.did, Role::Institution, true));
    let policies: Vec<&PolicyVersion> = first
        .iter()
        .filter_map(|entry| match entry.said() {
            Event::Institution(InstitutionEvent::Policy(said)) => Some(said),
            _ => None,
        })
        .collect();
    let names: Vec<&str> = policies.iter().map(|policy| policy.policy.as_str()).collect();
    assert_eq!(names, ["access-rules", "retention"]);
    assert_eq!(policies[1].document, Hash::from(sha256(include_bytes!("../policies/retention.txt"))));
    let named = ["heart-rhythm", "diabetes-families", "sleep-memory"];
    assert_eq!(studies(&first), named.map(|name| (name.to_owned(), 1, true)));
    let Some(Event::Institution(InstitutionEvent::Study(said))) =
        first.iter().map(Entry::said).find(|said| matches!(said, Event::Institution(InstitutionEvent::Study(_))))
    else {
        panic!("no study")
    };
    assert_eq!(said.request, hash_of(&biobank.study("heart-rhythm").await), "what donors read is what the log names");
    biobank.restarted(|_| ()).await;
    assert_eq!(log(&biobank).await.len(), first.len());

    // Whoever pairs becomes a member, once.
    let researcher = biobank.researcher().await;
    biobank.researcher().await;
    let second = log(&biobank).await;
    assert_eq!(second.len(), first.len() + 1);
    let Some(Event::Institution(InstitutionEvent::Member(member))) = second.last().map(Entry::said) else { panic!() };
    assert_eq!(
        (&member.member, member.role, member.organisation.as_str()),
        (&researcher.did(), Role::Researcher, HOSPITAL)
    );
    biobank.restarted(|_| ()).await;
    assert_eq!(log(&biobank).await.len(), second.len());

    // The log is sound for anybody who replays it.
    let (mut state, mut tree) = (State::new(), Frontier::new());
    for (index, entry) in (0..).zip(&second) {
        state.apply(index, entry).unwrap();
        tree.push(entry.hash().leaf());
    }
    let checkpoint = Checkpoint::open(text(&biobank.get("/checkpoint").await.1), &biobank.vkey).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (tree.size(), tree.root()));
}

#[tokio::test]
async fn the_log_follows_the_list_of_studies_and_the_policies() {
    let mut biobank = Biobank::open().await;
    let before = log(&biobank).await;
    let later = async |biobank: &Biobank| studies(&log(biobank).await[before.len()..]);
    // A new version, one taken off the list.
    biobank
        .restarted(|data| {
            change_studies(data, |studies| {
                studies[0]["version"] = 2.into();
                studies.remove(2);
            });
            std::fs::write(data.join("retention.txt"), "Everything, for ever.").unwrap();
        })
        .await;
    let said = [("heart-rhythm".to_owned(), 2, true), ("sleep-memory".to_owned(), 1, false)];
    assert_eq!(later(&biobank).await, said);
    let Event::Institution(InstitutionEvent::Policy(policy)) = log(&biobank).await[before.len()].said().clone() else {
        panic!("no policy")
    };
    assert_eq!((policy.policy.as_str(), policy.version), ("retention", 2));
    assert_eq!(policy.document, Hash::from(sha256(b"Everything, for ever.")));
    // The same version with another text: the log has its text, so this one is not offered to anybody.
    biobank.restarted(|data| change_studies(data, |studies| studies[0]["why"] = "For another reason.".into())).await;
    let (_, list) = biobank.get("/v1/studies").await;
    assert_eq!(list["studies"].as_array().unwrap().len(), 1);
    assert_eq!(later(&biobank).await.len(), 2, "and it is not closed by mistake");
    // An older version does not come back either; a new one does.
    biobank.restarted(|data| change_studies(data, |studies| studies[0]["version"] = 1.into())).await;
    assert_eq!(biobank.get("/v1/studies").await.1["studies"].as_array().unwrap().len(), 1);
    biobank.restarted(|data| change_studies(data, |studies| studies[0]["version"] = 3.into())).await;
    assert_eq!(biobank.get("/v1/studies").await.1["studies"].as_array().unwrap().len(), 2);
    assert_eq!(later(&biobank).await.last(), Some(&("heart-rhythm".to_owned(), 3, true)));
}

#[tokio::test]
async fn many_entries_are_judged_one_by_one_and_answered_in_their_places() {
    let biobank = Biobank::open().await;
    let (one, two) = (biobank.donor(1).await, biobank.donor(2).await);
    let (first, _) = one.gives(None).await;
    let (second, _) = two.gives(None).await;
    let pause = one.says(Some(first.hash()), PAUSE);
    let stray = two.says(Some(first.hash()), PAUSE);
    let words = |entry: &Entry| String::from_utf8(entry.bytes().to_vec()).unwrap();
    let batch = json!([
        words(&first),
        "no entry",
        words(&second),
        words(&pause),
        words(&first),
        words(&stray),
        words(&one.says(Some(pause.hash()), PAUSE)),
    ]);
    let (status, answer) = biobank.post("/v1/entries", "application/json", batch.to_string()).await;
    assert_eq!(status, 200, "{answer}");
    let results = answer["results"].as_array().unwrap();
    let codes: Vec<(u64, &str)> = results
        .iter()
        .map(|result| (result["status"].as_u64().unwrap(), result["code"].as_str().unwrap_or_default()))
        .collect();
    let good = (200, "");
    assert_eq!(
        codes,
        [good, (400, "bad-entry"), good, good, good, (409, "previous-mismatch"), (409, "against-rules")],
        "each in its place"
    );
    assert_eq!(results[0]["index"], results[4]["index"], "the same entry is the same entry");
    for (place, entry) in [(0, &first), (2, &second), (3, &pause)] {
        let included = Receipt::verify(text(&results[place]["receipt"]), entry.bytes(), &biobank.vkey).unwrap();
        assert_eq!(Some(included.index()), results[place]["index"].as_u64());
        assert_eq!(results[place]["hash"], json!(entry.hash()));
    }
    // Bounds.
    let many = json!(vec!["x"; 1_025]).to_string();
    assert_eq!(refused(&biobank.post("/v1/entries", "application/json", many).await), (413, "too-large"));
    let large = json!(["x".repeat(5 << 20)]).to_string();
    assert_eq!(refused(&biobank.post("/v1/entries", "application/json", large).await), (413, "too-large"));
    for body in ["", "{}", "[7]", "[[\"x\"]]", "[", "\"x\""] {
        assert_eq!(refused(&biobank.post("/v1/entries", "application/json", body).await), (400, "malformed"), "{body}");
    }
    assert_eq!(biobank.post("/v1/entries", "application/json", "[]").await, (200, json!({ "results": [] })));
    assert_eq!(refused(&biobank.append(&vec![b'a'; 5_000]).await), (413, "too-large"));
    assert_eq!(
        refused(&biobank.post("/v1/entries?wait=forever", "", first.bytes().to_vec()).await),
        (400, "malformed")
    );
    let (status, waited) =
        biobank.post("/v1/entries?wait=witnessed", "application/jose", second.bytes().to_vec()).await;
    assert_eq!(status, 202, "nobody witnesses this log");
    Receipt::verify(text(&waited["receipt"]), second.bytes(), &biobank.vkey).unwrap();
}

#[tokio::test]
async fn a_withdrawal_is_taken_when_everything_else_is_told_to_wait() {
    let one = Allowance { per_second: 1, burst: 1 };
    let free = Allowance { per_second: 0, burst: 0 };
    let address = Allowances { read: free, write: one, costly: free };
    let rates = Rates { address, caller: Allowances { read: free, write: free, costly: free } };
    let biobank = Biobank::open_with(Network { rates, ..Network::default() }).await;
    let (donor, other) = (biobank.donor(1).await, biobank.donor(2).await);
    let (first, _) = donor.gives(None).await;
    let mut taken = 0;
    // The only call of this second; the next ones are one too many.
    while biobank.append(first.bytes()).await.0 != 200 {
        taken += 1;
        assert!(taken < 100);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let pause = donor.says(Some(first.hash()), PAUSE);
    let mut refusals = 0;
    for _ in 0..20 {
        refusals += usize::from(biobank.append(pause.bytes()).await.0 == 429);
    }
    assert!(refusals >= 15, "{refusals}");
    let latest = if biobank.append(pause.bytes()).await.0 == 429 { None } else { Some(pause.hash()) };
    let gone = donor.says(latest, leave(Withdrawal::NoUse));
    let words = |entry: &Entry| String::from_utf8(entry.bytes().to_vec()).unwrap();
    // In a crowd, and with a junk that only calls itself a withdrawal.
    let junk = format!("{}.e30.AAAA", words(&gone).split('.').next().unwrap());
    let (consent, _) = other.gives(None).await;
    let batch = json!([words(&consent), words(&gone), junk]).to_string();
    let (status, answer) = biobank.post("/v1/entries", "application/json", batch).await;
    assert_eq!(status, 200, "{answer}");
    let results: Vec<u64> =
        answer["results"].as_array().unwrap().iter().map(|it| it["status"].as_u64().unwrap()).collect();
    assert_eq!(results[1..], [200, 400]);
    assert!(matches!(results[0], 429 | 200), "the others wait for their turn");
}

#[tokio::test]
async fn what_institutions_say_is_taken_from_those_whom_the_rules_allow() {
    let biobank = Biobank::open().await;
    let (staff, researcher) = (biobank.staff().await, biobank.researcher().await);
    let stranger = SigningKey::from_seed([77; 32]);
    let label = |text: &str| text.parse::<Label>().unwrap();
    let sample = InstitutionEvent::Sample(SampleEvent {
        parent: None,
        place: Some(label("freezer-7")),
        previous: None,
        sample: Hash::from([5; 32]),
        step: SampleStep::Collect,
        time: now(),
    });
    let study = InstitutionEvent::Study(StudyVersion {
        open: true,
        organisation: label(HOSPITAL),
        request: Hash::from([4; 32]),
        study: "other-study".parse().unwrap(),
        time: now(),
        version: 1,
    });
    let member = InstitutionEvent::Member(MemberChange {
        active: true,
        member: stranger.did(),
        organisation: label("x"),
        role: Role::Staff,
        time: now(),
    });
    let policy = InstitutionEvent::Policy(PolicyVersion {
        document: Hash::from([4; 32]),
        policy: label("retention"),
        time: now(),
        version: 9,
    });
    let not_allowed = (403, "not-allowed");
    for event in [&sample, &study, &member, &policy] {
        let entry = Entry::sign(&stranger, event).unwrap();
        assert_eq!(refused(&biobank.append(entry.bytes()).await), (403, "unknown-signer"), "{event:?}");
        let entry = Entry::sign(&researcher, event).unwrap();
        assert_eq!(refused(&biobank.append(entry.bytes()).await), not_allowed, "{event:?}");
    }
    for event in [&member, &policy] {
        let entry = Entry::sign(&staff, event).unwrap();
        assert_eq!(refused(&biobank.append(entry.bytes()).await), not_allowed, "{event:?}");
    }
    for event in [&sample, &study] {
        let entry = Entry::sign(&staff, event).unwrap();
        assert_eq!(biobank.append(entry.bytes()).await.0, 200, "{event:?}");
    }
    let again = Entry::sign(&staff, &sample).unwrap();
    assert!(matches!(biobank.append(again.bytes()).await.0, 200 | 409), "the same entry, or one after it");
}

#[tokio::test]
async fn another_key_of_a_donor_takes_over_and_the_old_one_is_done() {
    let biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let (donor, entry) = biobank.sharing(1).await;
    let (other, _) = biobank.sharing(2).await;
    let next = SigningKey::from_seed([55; 32]);
    let rotation = |signer: &SigningKey, proof: String| {
        let said =
            KeyRotation { key: next.did(), previous: entry.hash(), proof, subject: donor.subject(), time: now() };
        Entry::sign(signer, &InstitutionEvent::KeyRotation(said))
    };
    let proof = prove_study_key(&next, &donor.subject(), &entry.hash());
    let stolen = rotation(&other.key(), proof.clone()).unwrap();
    assert_eq!(refused(&biobank.append(stolen.bytes()).await), (403, "unknown-signer"));
    let rotated = rotation(&donor.key(), proof).unwrap();
    let (status, answer) = biobank.append(rotated.bytes()).await;
    assert_eq!(status, 200, "{answer}");
    // Nothing of the consent changed, and it is still decided on.
    let (_, answered) = biobank.decision(&researcher, &donor.name(), &donor.purpose()).await;
    assert_eq!(biobank.read(&answered["decision"], "decision.v1+jws")["outcome"], "permit");
    let path = format!("/v1/uses/{}", donor.name());
    assert_eq!(biobank.asks(&donor.key(), &path).await.0, 403);
    assert_eq!(biobank.asks(&next, &path).await.0, 200);
    // The old key says nothing more; the new one takes the consent back.
    let old = donor.says(Some(rotated.hash()), leave(Withdrawal::NoUse));
    assert_eq!(refused(&biobank.append(old.bytes()).await), (403, "unknown-signer"));
    assert_eq!(biobank.append(rotated.bytes()).await.0, 403, "a rotation that comes again moves nothing");
    assert_eq!(biobank.asks(&next, &path).await.0, 200);
    let event = donor.says(Some(rotated.hash()), leave(Withdrawal::NoUse)).event().clone();
    let new = ledger::ConsentEntry::sign(&next, &event);
    assert_eq!(biobank.append(new.bytes()).await.0, 200);
    let (_, answered) = biobank.decision(&researcher, &donor.name(), &donor.purpose()).await;
    assert_eq!(biobank.read(&answered["decision"], "decision.v1+jws")["outcome"], "deny");
}

#[tokio::test]
async fn anybody_can_check_that_the_log_only_grew() {
    let biobank = Biobank::open().await;
    let note = |value: &Value| Checkpoint::open(text(value), &biobank.vkey).unwrap();
    let old = note(&biobank.get("/checkpoint").await.1);
    biobank.consenting(1).await;
    biobank.consenting(2).await;
    let new = note(&biobank.get("/checkpoint").await.1);
    let (status, answer) = biobank.get(&format!("/v1/consistency?from={}", old.size)).await;
    assert_eq!((status, &answer["to"]), (200, &json!(new.size)));
    let proof = |answer: &Value| -> Vec<Hash> {
        let lines = answer["proof"].as_array().unwrap();
        lines.iter().map(|line| Hash::from_base64(text(line)).unwrap()).collect()
    };
    verify_consistency(old.size, old.root, new.size, new.root, &proof(&answer)).unwrap();
    assert_eq!(note(&answer["checkpoint"]).root, new.root);
    // Between any two sizes of the past the hashes lead from one root to the other.
    let between = format!("/v1/consistency?from={}&to={}", old.size, new.size - 1);
    let (_, answer) = biobank.get(&between).await;
    assert_eq!(answer["checkpoint"], Value::Null);
    let mut tree = Frontier::new();
    let entries = log(&biobank).await;
    entries[..entries.len() - 1].iter().for_each(|entry| tree.push(entry.hash().leaf()));
    verify_consistency(old.size, old.root, new.size - 1, tree.root(), &proof(&answer)).unwrap();
    let itself = format!("/v1/consistency?from={0}&to={0}", new.size);
    assert_eq!(biobank.get(&itself).await.1["proof"], json!([]));
    for (query, status) in [
        ("from=0".to_owned(), 400),
        (format!("from={}", new.size + 1), 400),
        (format!("from=1&to={}", new.size + 1), 404),
        ("from=3&to=2".to_owned(), 400),
        ("from=-1".to_owned(), 400),
        ("from=x".to_owned(), 400),
        ("to=2".to_owned(), 400),
        ("from=1&more=2".to_owned(), 400),
        (String::new(), 400),
    ] {
        assert_eq!(biobank.get(&format!("/v1/consistency?{query}")).await.0, status, "{query}");
    }
}

#[tokio::test]
async fn a_folder_with_the_key_of_another_institution_does_not_start() {
    let mut biobank = Biobank::open().await;
    biobank.running.take().unwrap().close().await;
    std::fs::write(biobank.data().join("institution.key"), [7; 32]).unwrap();
    let institution = server::Institution { name: "Other".into(), origin: "other.example/log".into() };
    let options = server::Options::new(biobank.data(), ([127, 0, 0, 1], 0).into(), institution);
    let error = server::start(options).await.err().unwrap();
    assert!(matches!(error, server::StartError::OtherInstitution), "{error}");
}

/// The service's own clock went back behind what the institution said last: then it says nothing, and goes on.
#[tokio::test]
async fn a_clock_that_is_behind_the_record_keeps_nobody_from_starting() {
    let mut biobank = Biobank::open().await;
    let before = log(&biobank).await;
    let mut studies = before.iter().filter_map(|entry| match entry.said() {
        Event::Institution(InstitutionEvent::Study(said)) if said.study.as_str() != "heart-rhythm" => {
            Some(said.clone())
        }
        _ => None,
    });
    let listed = studies.next().unwrap();
    // Said by a clock that was an hour ahead, and is right again.
    let key = SigningKey::from_seed(std::fs::read(biobank.data().join("institution.key")).unwrap().try_into().unwrap());
    let said = StudyVersion { open: false, time: now().plus_seconds(3_600), ..listed };
    let closed = Entry::sign(&key, &InstitutionEvent::Study(said)).unwrap();
    assert_eq!(biobank.append(closed.bytes()).await.0, 200);
    // At each start the institution would say that the study, which is on its list, is open.
    for _ in 0..2 {
        biobank.restarted(|_| ()).await;
        assert_eq!(log(&biobank).await.len(), before.len() + 1, "it waits for a later start");
    }
    // Donors are heard all the same.
    let (_, entry, _) = biobank.consenting(1).await;
    assert_eq!(log(&biobank).await.last().unwrap().hash(), entry.hash());
}
