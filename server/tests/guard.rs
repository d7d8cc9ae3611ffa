//! The guard of the service from outside: roles, capabilities, limits, TLS, what is logged, how it ends.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

#[path = "guard/donor.rs"]
mod donor;
#[path = "guard/network.rs"]
mod network;
#[path = "guard/process.rs"]
mod process;
#[path = "guard/setup.rs"]
mod setup;
mod stage;

use identity::SigningKey;
use ledger::Entry;
use ledger::event::{InstitutionEvent, MemberChange, Role};
use serde_json::{Value, json};
use server::{CAPABILITY_HEADER, ROUTES, Who};
use setup::{Biobank, Door, HOSPITAL, key};

/// A path of the table with something in place of its parameters: what is not known here is a nought.
pub fn filled(path: &str) -> String {
    let known = path.replace("{*path}", "0/000").replace("{hash}", &"0".repeat(64)).replace("{study}", "heart-rhythm");
    let known = known.replace("{name}", key(77).did().as_str());
    let fill = |segment: &str| if segment.starts_with('{') { "0".to_owned() } else { segment.to_owned() };
    known.split('/').map(fill).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn each_role_gets_as_far_as_the_written_table_says() {
    let biobank = Biobank::open().await;
    let door = &biobank.door;
    let table = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/who-may.txt")).unwrap();
    let mut callers: Vec<(&str, SigningKey)> = vec![("stranger", key(99))];
    for (seed, role) in [(1, "researcher"), (2, "committee"), (3, "auditor"), (4, "member")] {
        callers.push((role, door.account(&biobank.staff, seed, role, HOSPITAL).await));
    }
    callers.push(("staff", key(200)));
    let mut refused = 0;
    for row in ROUTES.iter().filter(|row| matches!(row.who, Who::Known | Who::Signer)) {
        // A mailbox of somebody who is not there is nobody's, and the heart study is the hospital's.
        let start = format!("{:6} {} ({})", row.method, row.path, row.action);
        let line = ["", " of own organisation", " to nobody"].iter().find_map(|about| {
            let start = format!("{start}{about}: ");
            table.lines().find_map(|line| line.strip_prefix(start.as_str()))
        });
        let line = line.unwrap_or_else(|| panic!("{start} is not in the table"));
        let allowed: Vec<&str> = line.split(", ").map(|role| role.trim_end_matches('*')).collect();
        for (role, key) in &callers {
            // Staff belong to the biobank here, not to the hospital: no route of the table differs for them by that.
            let answer = door.signed(key, row.method, &filled(row.path), &json!({ "code": "AAAA-AAAA" })).await;
            let refusal = answer.status == 403 && answer.json()["code"] == "not-allowed";
            assert_eq!(refusal, !allowed.contains(role), "{role} at {} {}: {answer:?}", row.method, row.path);
            refused += usize::from(refusal);
        }
        let unsigned = door.http.request(row.method.parse().unwrap(), format!("{}{}", door.address, filled(row.path)));
        let unsigned = setup::Answer::of(unsigned.send().await.unwrap()).await;
        assert_eq!(unsigned.refusal(), (401, "bad-signature".to_owned()), "{}", row.path);
    }
    assert!(refused > 20, "{refused}");
}

async fn capability(biobank: &Biobank, by: &SigningKey, said: Value) -> setup::Answer {
    biobank.door.signed(by, "POST", "/v1/capabilities", &said).await
}

#[tokio::test]
async fn a_capability_opens_what_it_names_for_whom_it_names() {
    let biobank = Biobank::open().await;
    let (door, holder, other) = (&biobank.door, key(31), key(32));
    let wanted = json!({ "holder": holder.did(), "actions": ["listDonors"], "resource": "/v1/donors", "seconds": 600 });
    let issued = capability(&biobank, &biobank.staff, wanted.clone()).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    let text = issued.json()["capability"].as_str().unwrap().to_owned();
    let show = async |key: &SigningKey, method, path, text: &str| {
        let answer = door.call(key, method, path, Vec::new(), &[(CAPABILITY_HEADER, text)]).await;
        if answer.status == 200 { (200, String::new()) } else { answer.refusal() }
    };
    let refused = |status, code: &str| (status, code.to_owned());
    assert_eq!(door.signed(&holder, "GET", "/v1/donors", &Value::Null).await.refusal(), refused(403, "not-allowed"));
    assert_eq!(show(&holder, "GET", "/v1/donors", &text).await.0, 200);
    // Found by somebody else, or bent, it is worth nothing.
    assert_eq!(show(&other, "GET", "/v1/donors", &text).await, refused(401, "bad-capability"));
    assert_eq!(show(&holder, "GET", "/v1/donors", &text[1..]).await, refused(401, "bad-capability"));
    // It opens nothing else, and whoever shows one acts by it alone: staff too.
    assert_eq!(show(&holder, "POST", "/v1/invitations", &text).await, refused(403, "not-allowed"));
    let own =
        json!({ "holder": biobank.staff.did(), "actions": ["invite"], "resource": "/v1/invitations", "seconds": 60 });
    let own = capability(&biobank, &biobank.staff, own).await.json()["capability"].as_str().unwrap().to_owned();
    assert_eq!(show(&biobank.staff, "GET", "/v1/donors", &own).await, refused(403, "not-allowed"));
    // No capability makes another one, reads a mailbox or lasts longer than a day.
    for wrong in [
        json!({ "actions": ["issueCapability"] }),
        json!({ "actions": ["readMailbox"] }),
        json!({ "actions": ["noSuchAction"] }),
        json!({ "actions": [] }),
        json!({ "actions": vec!["listDonors"; 17] }),
        json!({ "seconds": 86_401 }),
        json!({ "seconds": 0 }),
        json!({ "seconds": i64::MAX }),
        json!({ "seconds": i64::MIN }),
        json!({ "resource": "v1" }),
        json!({ "resource": format!("/{}", "a".repeat(600)) }),
        json!({ "holder": "nobody" }),
    ] {
        let mut said = wanted.clone();
        for (name, value) in wrong.as_object().unwrap() {
            said[name] = value.clone();
        }
        let answer = capability(&biobank, &biobank.staff, said).await;
        assert_eq!(answer.refusal(), refused(400, "malformed"), "{wrong}");
    }
}

#[tokio::test]
async fn a_capability_gives_no_more_than_its_maker_has() {
    let biobank = Biobank::open().await;
    let door = &biobank.door;
    let researcher = door.account(&biobank.staff, 1, "researcher", HOSPITAL).await;
    let foreign = door.account(&biobank.staff, 2, "researcher", "https://elsewhere.example").await;
    let auditor = door.account(&biobank.staff, 3, "auditor", HOSPITAL).await;
    let holder = key(31);
    let path = "/v1/studies/heart-rhythm/participants";
    let wanted = |actions: Value| json!({ "holder": holder.did(), "actions": actions, "resource": "/", "seconds": 60 });
    let all = json!(["listParticipants", "listDonors", "invite"]);
    for (by, at_list, at_donors) in [(&researcher, 200, 403), (&foreign, 403, 403), (&biobank.staff, 403, 200)] {
        let text =
            capability(&biobank, by, wanted(all.clone())).await.json()["capability"].as_str().unwrap().to_owned();
        let shown = [(CAPABILITY_HEADER, text.as_str())];
        assert_eq!(door.call(&holder, "GET", path, Vec::new(), &shown).await.status, at_list);
        assert_eq!(door.call(&holder, "GET", "/v1/donors", Vec::new(), &shown).await.status, at_donors);
        // Another action that is not named, whoever made it.
        assert_eq!(door.call(&holder, "GET", "/v1/mailbox", Vec::new(), &shown).await.status, 403);
    }
    assert_eq!(capability(&biobank, &auditor, wanted(all)).await.refusal(), (403, "not-allowed".to_owned()));
}

/// Asks at every route that wants somebody known: for this key there is none.
async fn is_shut_out(door: &Door, key: &SigningKey, who: &str) {
    for row in ROUTES.iter().filter(|row| row.who == Who::Known) {
        let answer = door.signed(key, row.method, &filled(row.path), &json!({})).await;
        assert_eq!(answer.refusal(), (403, "not-allowed".to_owned()), "{who} at {} {}", row.method, row.path);
    }
}

#[tokio::test]
async fn an_account_ends_at_every_door_and_so_does_what_it_handed_on() {
    let biobank = Biobank::open().await;
    let (door, holder) = (&biobank.door, key(31));
    let researcher = door.account(&biobank.staff, 1, "researcher", HOSPITAL).await;
    let auditor = door.account(&biobank.staff, 2, "auditor", "https://audit.example").await;
    let second = door.account(&biobank.staff, 3, "staff", "https://biobank.example").await;
    let list = "/v1/studies/heart-rhythm/participants";
    let wanted = json!({ "holder": holder.did(), "actions": ["listParticipants"], "resource": list, "seconds": 600 });
    let text = capability(&biobank, &researcher, wanted).await.json()["capability"].as_str().unwrap().to_owned();
    let shown = [(CAPABILITY_HEADER, text.as_str())];
    assert_eq!(door.call(&holder, "GET", list, Vec::new(), &shown).await.status, 200);
    let institution = std::fs::read(biobank.dir.path().join("biobank/institution.key")).unwrap();
    let institution = SigningKey::from_seed(institution.try_into().unwrap());
    let left = async |member: &SigningKey, role, organisation: &str| {
        let organisation = organisation.parse().unwrap();
        // Not of the moment in which the service may say the same: that would be the same entry.
        let time = setup::now().plus_seconds(1);
        let said = MemberChange { active: false, member: member.did(), organisation, role, time };
        let entry = Entry::sign(&institution, &InstitutionEvent::Member(said)).unwrap();
        door.post("/v1/entries", entry.bytes().to_vec()).await.status
    };
    // The log says it, and the desk has not heard of it.
    assert_eq!(left(&researcher, Role::Researcher, HOSPITAL).await, 200);
    is_shut_out(door, &researcher, "who left").await;
    assert_eq!(door.call(&holder, "GET", list, Vec::new(), &shown).await.status, 403, "nor by a capability");
    // Neither a new code nor another role brings the same key back, and the code is not used up by trying.
    let wanted = json!({ "role": "auditor", "organisation": HOSPITAL, "organisationName": "Somewhere" });
    let code = door.signed(&biobank.staff, "POST", "/v1/pairing-codes", &wanted).await.json()["code"].clone();
    let again = door.signed(&researcher, "POST", "/v1/pair", &json!({ "code": code })).await;
    assert_eq!(again.refusal(), (403, "not-allowed".to_owned()));
    door.pair(&key(4), code.as_str().unwrap()).await;

    // Staff end an account: the log hears of it too.
    let end = async |by: &SigningKey, whose: &SigningKey| {
        door.signed(by, "DELETE", &format!("/v1/accounts/{}", whose.did()), &Value::Null).await.status
    };
    assert_eq!(end(&auditor, &biobank.staff).await, 403);
    assert_eq!(end(&second, &key(99)).await, 404, "who has none");
    assert_eq!(end(&second, &auditor).await, 204);
    assert_eq!(end(&second, &auditor).await, 404);
    is_shut_out(door, &auditor, "whose account was ended").await;
    assert_eq!(left(&auditor, Role::Auditor, "https://audit.example").await, 409, "it is said already");
    assert_eq!(end(&second, &researcher).await, 204, "the desk forgets who left before");
    assert_eq!(end(&second, &biobank.staff).await, 204);
    let code = door.signed(&biobank.staff, "POST", "/v1/pairing-codes", &wanted).await;
    assert_eq!(code.refusal(), (403, "not-allowed".to_owned()));
}

#[tokio::test]
async fn a_path_that_is_no_text_leads_nowhere() {
    let biobank = Biobank::open().await;
    for row in ROUTES.iter().filter(|row| row.path.contains('{')) {
        let fill = |segment: &str| if segment.starts_with('{') { "%FF".to_owned() } else { segment.to_owned() };
        let path = row.path.split('/').map(fill).collect::<Vec<_>>().join("/");
        let answer = biobank.door.signed(&biobank.staff, row.method, &path, &json!({})).await;
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{} {answer:?}", row.path);
        assert_eq!(answer.refusal(), (404, "not-found".to_owned()), "{}", row.path);
    }
}

#[tokio::test]
async fn codes_for_accounts_are_made_by_staff_and_used_once() {
    let biobank = Biobank::open().await;
    let door = &biobank.door;
    let wanted = json!({ "role": "auditor", "organisation": "https://audit.example", "organisationName": "Audit" });
    let made = door.signed(&biobank.staff, "POST", "/v1/pairing-codes", &wanted).await.json();
    let expires: consent::Timestamp = serde_json::from_value(made["expires"].clone()).unwrap();
    let (soon, late) = (setup::now().plus_seconds(6 * 86_400), setup::now().plus_seconds(8 * 86_400));
    assert!(soon < expires && expires < late, "seven days");
    let paired = door.signed(&key(1), "POST", "/v1/pair", &json!({ "code": made["code"] })).await;
    assert_eq!(paired.json()["role"], "auditor");
    let again = door.signed(&key(2), "POST", "/v1/pair", &json!({ "code": made["code"] })).await;
    assert_eq!(again.refusal(), (409, "code-used".to_owned()));
    for (name, value) in [
        ("role", json!("owner")),
        ("organisation", json!("")),
        ("organisationName", json!("a\nb")),
        ("organisationName", json!("a".repeat(201))),
        ("more", json!(1)),
    ] {
        let mut wrong = wanted.clone();
        wrong[name] = value;
        let answer = door.signed(&biobank.staff, "POST", "/v1/pairing-codes", &wrong).await;
        assert_eq!(answer.refusal(), (400, "malformed".to_owned()), "{name}");
    }
    let by_other = door.signed(&key(1), "POST", "/v1/pairing-codes", &wanted).await;
    assert_eq!(by_other.refusal(), (403, "not-allowed".to_owned()));
}

#[tokio::test]
async fn a_refusal_has_its_details_and_every_answer_an_id() {
    let biobank = Biobank::open().await;
    let mut ids = std::collections::BTreeSet::new();
    for (path, status, code) in [("/v1/nothing", 404, "not-found"), ("/v1/donors", 401, "bad-signature")] {
        let answer = biobank.door.get(path).await;
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let body = answer.json();
        assert_eq!(body["status"], status);
        assert_eq!(body["code"], code);
        assert_eq!(body["type"], format!("urn:consent-wallet:problem:{code}"));
        for member in ["title", "detail"] {
            assert!(body[member].as_str().is_some_and(|text| text.ends_with('.')), "{body}");
        }
        ids.insert(answer.headers["x-request-id"].to_str().unwrap().to_owned());
    }
    let fine = biobank.door.get("/v1/log").await;
    ids.insert(fine.headers["x-request-id"].to_str().unwrap().to_owned());
    assert_eq!(ids.len(), 3);
    // An id that the caller brings is not taken over: it would stand in the log.
    let forged = biobank.door.http.get(format!("{}/v1/log", biobank.door.address)).header("x-request-id", "forged");
    assert_ne!(forged.send().await.unwrap().headers()["x-request-id"], "forged");
    let wrong = biobank.door.http.put(format!("{}/v1/log", biobank.door.address)).send().await.unwrap();
    assert_eq!(setup::Answer::of(wrong).await.refusal(), (405, "method-not-allowed".to_owned()));
}
