//! Decisions, grants, visas and the credentials that they rest on: each door tried by whom it must not open
//! for, over HTTP, against a running biobank.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod stage;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consent::{DataKind, Purpose, Topic, Withdrawal};
use identity::{SigningKey, sign_jws, to_canonical, verify_jws};
use ledger::event::InstitutionEvent;
use ledger::{Act, ConsentEntry, Entry, Event, Frontier, Hash, Receipt, leaf_hash};
use serde_json::{Value, json};
use stage::{Biobank, HOSPITAL, hash_of, now, refused, text};

fn leave(level: Withdrawal) -> Act {
    Act::Withdraw { level }
}

fn code_of(reasons: &Value) -> Vec<&str> {
    reasons.as_array().unwrap().iter().map(|reason| text(&reason["code"])).collect()
}

#[tokio::test]
async fn a_decision_rests_on_the_credential_and_can_be_checked_without_the_service() {
    let biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let (donor, entry, credential) = biobank.consenting(1).await;
    let purpose = donor.purpose();
    // The log alone says that a consent stands, not what it allows.
    let (status, before) = biobank.decision(&researcher, &donor.name(), &purpose).await;
    assert_eq!(status, 200, "{before}");
    let before = biobank.read(&before["decision"], "decision.v1+jws");
    assert_eq!(before["outcome"], "review");
    assert_eq!(code_of(&before["reasons"]), ["credential-not-held"]);

    assert_eq!(biobank.hand_over(&donor, &credential).await.0, 204);
    // By the commitment or by the study key: the same subject.
    for name in [donor.name(), donor.key().did().to_string()] {
        let (_, answered) = biobank.decision(&researcher, &name, &purpose).await;
        let decision = biobank.read(&answered["decision"], "decision.v1+jws");
        assert_eq!(decision["outcome"], "permit", "{decision}");
        assert_eq!(decision["subject"], json!(donor.subject()));
        assert_eq!(decision["purpose"], json!(hash_of(&purpose)));
        assert_eq!(decision["requester"], json!(researcher.did()));
        assert_eq!(decision["consent"], json!(entry.hash()));
        assert_eq!(decision["latest"], json!(entry.hash()));
        assert_eq!(decision["state"], "active");
        assert!(!decision["duties"].as_array().unwrap().is_empty(), "the study owes something in return");
        assert!(code_of(&decision["reasons"]).contains(&"topic-covered"));
        let size = decision["checkpoint"]["size"].as_u64().unwrap();
        // The entries that it rests on come with receipts, and each of them names an entry of this log.
        for shown in answered["receipts"].as_array().unwrap() {
            let bytes = text(&shown["entry"]).as_bytes();
            let included = Receipt::verify(text(&shown["receipt"]), bytes, &biobank.vkey).unwrap();
            assert_eq!(json!(included.entry()), shown["hash"]);
            assert!(included.index() < size && included.checkpoint().size >= size);
            let read = ConsentEntry::parse(bytes).unwrap();
            assert_eq!(read.event().subject, donor.subject());
        }
        assert_eq!(answered["receipts"].as_array().unwrap().len(), 1);
    }
    // Less than that is decided by what the donor allowed.
    let commercial = Purpose { commercial: Some(true), ..purpose.clone() };
    let other = Purpose {
        organisation: consent::Organisation { id: "https://other.example".into(), ..purpose.organisation.clone() },
        ..purpose.clone()
    };
    let nobody = Purpose {
        organisation: consent::Organisation { id: String::new(), ..purpose.organisation.clone() },
        ..purpose.clone()
    };
    let unknown = Purpose { unknown: vec!["telepathy".into()], ..purpose.clone() };
    for (purpose, outcome, code) in [
        (commercial, "deny", "commercial"),
        (other, "deny", "other-recipient"),
        (nobody, "review", "recipient-not-named"),
        (unknown, "review", "unknown-term"),
    ] {
        let (_, answered) = biobank.decision(&researcher, &donor.name(), &purpose).await;
        let decision = biobank.read(&answered["decision"], "decision.v1+jws");
        assert_eq!(decision["outcome"], outcome, "{decision}");
        assert!(code_of(&decision["reasons"]).contains(&code), "{decision}");
        assert!(decision.get("duties").is_none(), "who may not, owes nothing");
    }
}

#[tokio::test]
async fn a_consent_that_stands_no_more_permits_nothing_at_once() {
    let biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let (donor, entry) = biobank.sharing(1).await;
    let purpose = donor.purpose();
    let mut latest = entry.hash();
    let decided = async |biobank: &Biobank| {
        let (_, answered) = biobank.decision(&researcher, &donor.name(), &purpose).await;
        let decision = biobank.read(&answered["decision"], "decision.v1+jws");
        (text(&decision["outcome"]).to_owned(), text(&decision["reasons"][0]["code"]).to_owned(), decision)
    };
    for (act, outcome, code) in [
        (Act::Suspend { until: None }, "deny", "paused"),
        (Act::Resume, "permit", ""),
        (leave(Withdrawal::NoContact), "permit", ""),
        (leave(Withdrawal::NoAccess), "permit", ""),
        (leave(Withdrawal::NoUse), "deny", "withdrawn"),
        (leave(Withdrawal::DestroySample), "deny", "withdrawn"),
    ] {
        let step = donor.says(Some(latest), act);
        assert_eq!(biobank.append(step.bytes()).await.0, 200);
        latest = step.hash();
        let (found, reason, decision) = decided(&biobank).await;
        assert_eq!(found, outcome, "{act:?}: {decision}");
        assert!(code.is_empty() || reason == code, "{act:?}: {reason}");
        assert_eq!(decision["latest"], json!(latest), "the latest entry is named");
        assert_eq!(decision["consent"], json!(entry.hash()));
    }
    // A subject that never gave consent is nobody, and a registered key that never signed is a no.
    let silent = biobank.donor(2).await;
    let (_, answered) = biobank.decision(&researcher, &silent.key().did().to_string(), &purpose).await;
    let decision = biobank.read(&answered["decision"], "decision.v1+jws");
    assert_eq!((text(&decision["outcome"]), code_of(&decision["reasons"])), ("deny", vec!["not-given"]));
    assert_eq!(answered["receipts"], json!([]));
    let nobody = Hash::from([9; 32]).to_string();
    assert_eq!(refused(&biobank.decision(&researcher, &nobody, &purpose).await), (404, "not-found"));
}

#[tokio::test]
async fn only_those_whose_business_it_is_hear_a_decision() {
    let biobank = Biobank::open().await;
    let (donor, _) = biobank.sharing(1).await;
    let (other, _) = biobank.sharing(2).await;
    let purpose = donor.purpose();
    let status = async |key: &SigningKey| biobank.decision(key, &donor.name(), &purpose).await.0;
    assert_eq!(status(&biobank.researcher().await).await, 200);
    assert_eq!(status(&biobank.account("committee", HOSPITAL, 11).await).await, 200);
    assert_eq!(status(&biobank.account("auditor", "https://audit.example", 12).await).await, 200);
    assert_eq!(status(&donor.key()).await, 200, "the subject itself");
    for (who, key) in [
        ("staff", biobank.staff().await),
        ("a researcher of another organisation", biobank.account("researcher", "https://other.example", 13).await),
        ("another institution", biobank.account("member", "https://member.example", 14).await),
        ("another donor", other.key()),
        ("the donor's key for the biobank", SigningKey::from_seed([1; 32])),
        ("a stranger", SigningKey::from_seed([77; 32])),
    ] {
        assert_eq!(refused(&biobank.decision(&key, &donor.name(), &purpose).await), (403, "not-allowed"), "{who}");
        let many = json!({ "subjects": [donor.name()], "purpose": purpose });
        assert_eq!(refused(&biobank.sends(&key, "/v1/decisions", &many).await), (403, "not-allowed"), "{who}");
    }
    // One's own among others is not enough.
    let both = json!({ "subjects": [donor.name(), other.name()], "purpose": purpose });
    assert_eq!(biobank.sends(&donor.key(), "/v1/decisions", &both).await.0, 403);
    // What is not signed is not heard.
    assert_eq!(biobank.get(&format!("/v1/decision?subject={}&purpose=e30", donor.name())).await.0, 401);
    let researcher = biobank.researcher().await;
    let purposes = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let canonical = to_canonical(&purpose).unwrap();
    let spaced = [b" ".as_slice(), &canonical].concat();
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    for (purpose, status) in [
        (purposes(&spaced), 400),
        (purposes(br#"{"topics":["HMB"],"topics":["GRU"]}"#), 400),
        (purposes(deep.as_bytes()), 400),
        (purposes(b"[]"), 400),
        ("not base64!".replace(' ', "%20"), 400),
        (String::new(), 400),
    ] {
        let path = format!("/v1/decision?subject={}&purpose={purpose}", donor.name());
        assert_eq!(biobank.asks(&researcher, &path).await.0, status, "{purpose}");
    }
    let long = json!({ "subjects": [donor.name()], "purpose": { "topics": [], "users": ["x".repeat(20_000)] } });
    assert_eq!(refused(&biobank.sends(&researcher, "/v1/decisions", &long).await), (413, "too-large"));
}

#[tokio::test]
async fn many_decisions_come_under_one_signature() {
    let biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let (donors, purpose) = {
        let (one, entry) = biobank.sharing(1).await;
        let (two, _) = biobank.sharing(2).await;
        let (three, _, _) = biobank.consenting(3).await;
        let gone = one.says(Some(entry.hash()), leave(Withdrawal::NoUse));
        assert_eq!(biobank.append(gone.bytes()).await.0, 200);
        let purpose = one.purpose();
        ([one, two, three], purpose)
    };
    let names: Vec<String> = donors.iter().map(stage::Donor::name).collect();
    let asked = json!({ "subjects": names, "purpose": purpose });
    let (status, answered) = biobank.sends(&researcher, "/v1/decisions", &asked).await;
    assert_eq!(status, 200, "{answered}");
    let frame = biobank.read(&answered["decision"], "decisions.v1+jws");
    let answers = answered["answers"].as_array().unwrap();
    let outcomes: Vec<&str> = answers.iter().map(|answer| text(&answer["outcome"])).collect();
    assert_eq!(outcomes, ["deny", "permit", "review"], "in the order of the question");
    let mut tree = Frontier::new();
    answers.iter().for_each(|answer| tree.push(leaf_hash(&to_canonical(answer).unwrap())));
    assert_eq!(frame["root"], json!(tree.root()), "the signature is over every answer");
    assert_eq!((frame["size"].as_u64(), text(&frame["study"])), (Some(3), "heart-rhythm"));
    // A grant is about those who are covered; each answer counts as it was signed.
    let wish = |answers: Value| json!({ "decision": answered["decision"], "answers": answers, "purpose": purpose });
    let mut changed = answers.clone();
    changed[0]["outcome"] = "permit".into();
    let fewer = json!(answers[..2]);
    for answers in [json!(changed), fewer, json!([])] {
        assert_eq!(refused(&biobank.sends(&researcher, "/v1/access-grants", &wish(answers)).await), (400, "malformed"));
    }
    assert_eq!(biobank.sends(&researcher, "/v1/access-grants", &wish(json!(answers))).await.0, 200);
    // Bounds, and one study a question.
    let sleep = biobank.donor_of(4, "sleep-memory").await;
    let (entry, _) = sleep.gives(None).await;
    assert_eq!(biobank.append(entry.bytes()).await.0, 200);
    let mixed = json!({ "subjects": [donors[1].name(), sleep.name()], "purpose": purpose });
    assert_eq!(biobank.sends(&researcher, "/v1/decisions", &mixed).await.0, 403);
    for subjects in [json!([]), json!(vec![names[0].clone(); 1_001]), json!(["nonsense"]), json!([7])] {
        let asked = json!({ "subjects": subjects, "purpose": purpose });
        assert_eq!(biobank.sends(&researcher, "/v1/decisions", &asked).await.0, 400);
    }
}

#[tokio::test]
async fn a_credential_is_taken_from_its_donor_and_only_while_it_is_the_one_in_force() {
    let biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let (donor, first, credential) = biobank.consenting(1).await;
    let (other, _, foreign) = biobank.consenting(2).await;
    let body = |credential: &identity::Credential| json!({ "credential": credential });
    // Somebody else's credential, by whoever brings it.
    let not_in_force = (409, "not-in-force");
    assert_eq!(refused(&biobank.hand_over(&donor, &foreign).await), not_in_force);
    assert_eq!(refused(&biobank.sends(&other.key(), "/v1/credentials", &body(&credential)).await), not_in_force);
    let researchers = biobank.sends(&researcher, "/v1/credentials", &body(&credential)).await;
    assert_eq!(refused(&researchers), (403, "not-allowed"));
    let pairwise = biobank.sends(&donor.pairwise, "/v1/credentials", &body(&credential)).await;
    assert_eq!(refused(&pairwise), (403, "not-allowed"), "the key for the biobank is not the key that consented");
    // One changed character has another hash.
    let mut changed = json!(credential);
    changed["credentialSubject"]["dataUse"]["until"] = "2099-01-01".into();
    let bent = biobank.sends(&donor.key(), "/v1/credentials", &json!({ "credential": changed })).await;
    assert_eq!(refused(&bent), not_in_force);
    for nonsense in [json!({}), json!({ "credential": 7 }), json!({ "credential": {}, "more": 1 })] {
        assert_eq!(refused(&biobank.sends(&donor.key(), "/v1/credentials", &nonsense).await), (400, "malformed"));
    }
    let large = json!({ "credential": { "id": "x".repeat(200 << 10) } });
    assert_eq!(biobank.sends(&donor.key(), "/v1/credentials", &large).await.0, 413);

    assert_eq!(biobank.hand_over(&donor, &credential).await.0, 204);
    assert_eq!(biobank.hand_over(&donor, &credential).await.0, 204, "twice is once");
    // A narrower version: from its entry on the old one decides nothing, and does not come back.
    let mut narrow = donor.policy();
    narrow.data = Some(vec![DataKind::HealthRecord]);
    let (change, newer) = donor.gives_policy(Some(first.hash()), narrow).await;
    assert_eq!(biobank.append(change.bytes()).await.0, 200);
    let outcome = async || {
        let (_, answered) = biobank.decision(&researcher, &donor.name(), &donor.purpose()).await;
        text(&biobank.read(&answered["decision"], "decision.v1+jws")["outcome"]).to_owned()
    };
    assert_eq!(outcome().await, "review");
    assert_eq!(refused(&biobank.hand_over(&donor, &credential).await), not_in_force);
    assert_eq!(outcome().await, "review");
    assert_eq!(biobank.hand_over(&donor, &newer).await.0, 204);
    assert_eq!(outcome().await, "deny", "the genome is not shared any more");
    // Who reads it: the donor, and an auditor.
    let path = format!("/v1/credentials/{}", donor.name());
    let auditor = biobank.account("auditor", "https://audit.example", 12).await;
    for key in [&auditor, &donor.key()] {
        let (status, kept) = biobank.asks(key, &path).await;
        assert_eq!((status, &kept["entry"]), (200, &json!(change.hash())));
        assert_eq!(kept["credential"], json!(newer));
    }
    for key in [&researcher, &other.key(), &donor.pairwise, &biobank.staff().await] {
        assert_eq!(refused(&biobank.asks(key, &path).await), (403, "not-allowed"));
    }
    // After the end nothing is kept and nothing is taken.
    let gone = donor.says(Some(change.hash()), leave(Withdrawal::NoUse));
    assert_eq!(biobank.append(gone.bytes()).await.0, 200);
    assert_eq!(refused(&biobank.asks(&auditor, &path).await), (404, "not-found"));
    assert_eq!(refused(&biobank.hand_over(&donor, &newer).await), not_in_force);
}

/// Signs as the institution, with the key from its folder.
fn institution(biobank: &Biobank) -> SigningKey {
    let seed = std::fs::read(biobank.data().join("institution.key")).unwrap();
    SigningKey::from_seed(seed.try_into().unwrap())
}

#[tokio::test]
async fn a_grant_needs_a_fresh_yes_and_a_withdrawal_ends_that_at_once() {
    let biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let (donor, entry) = biobank.sharing(1).await;
    let purpose = donor.purpose();
    let (_, decided) = biobank.decision(&researcher, &donor.name(), &purpose).await;
    let wish = json!({ "decision": decided["decision"], "purpose": purpose });
    let (status, granted) = biobank.sends(&researcher, "/v1/access-grants", &wish).await;
    assert_eq!(status, 200, "{granted}");
    // The grant is on the log, bound to key, purpose and decision.
    let bytes = text(&granted["entry"]).as_bytes();
    let included = Receipt::verify(text(&granted["receipt"]), bytes, &biobank.vkey).unwrap();
    assert_eq!(json!(included.entry()), granted["hash"]);
    let grant = Entry::parse(bytes).unwrap();
    assert_eq!(*grant.signer(), biobank.did);
    let Event::Institution(InstitutionEvent::AccessGrant(said)) = grant.said() else { panic!("not a grant") };
    assert_eq!(said.holder, researcher.did());
    assert_eq!(said.purpose, hash_of(&purpose));
    assert_eq!(said.decision, Hash::from(identity::sha256(text(&decided["decision"]).as_bytes())));
    assert!(said.expires <= said.time.plus_seconds(3_600));
    // Its visa, for its holder alone.
    let path = format!("/v1/access-grants/{}/visa", text(&granted["hash"]));
    let (status, visa) = biobank.asks(&researcher, &path).await;
    assert_eq!(status, 200, "{visa}");
    let claims: Value = {
        let visa = text(&visa["visa"]);
        let (signed, signature) = visa.rsplit_once('.').unwrap();
        let signature: [u8; 64] = URL_SAFE_NO_PAD.decode(signature).unwrap().try_into().unwrap();
        biobank.did.public_key().verify(signed.as_bytes(), &signature).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split('.').nth(1).unwrap()).unwrap()).unwrap()
    };
    assert_eq!((text(&claims["sub"]), claims["exp"].as_i64()), (researcher.did().as_str(), Some(said.expires.unix())));
    assert_eq!(claims["ga4gh_visa_v1"]["type"], "ControlledAccessGrants");
    let second = biobank.account("researcher", HOSPITAL, 21).await;
    assert_eq!(refused(&biobank.asks(&second, &path).await), (404, "not-found"));
    let none = format!("/v1/access-grants/{}/visa", entry.hash());
    assert_eq!(refused(&biobank.asks(&researcher, &none).await), (404, "not-found"));
    assert_eq!(biobank.asks(&donor.key(), &path).await.0, 403);

    // The same decision by another key, for another purpose, changed, forged, old, or for too long.
    let grant = async |key: &SigningKey, wish: Value| biobank.sends(key, "/v1/access-grants", &wish).await;
    assert_eq!(refused(&grant(&second, wish.clone()).await), (403, "not-allowed"));
    assert_eq!(refused(&grant(&donor.key(), wish.clone()).await), (403, "not-allowed"));
    let other = Purpose { topics: vec![Topic::Hmb], ..purpose.clone() };
    let with = |member: &str, value: Value| {
        let mut wish = wish.clone();
        wish[member] = value;
        wish
    };
    assert_eq!(refused(&grant(&researcher, with("purpose", json!(other))).await), (400, "malformed"));
    for seconds in [0, -1, 3_601, i64::MAX] {
        assert_eq!(
            refused(&grant(&researcher, with("seconds", seconds.into())).await),
            (400, "malformed"),
            "{seconds}"
        );
    }
    let payload = verify_jws(text(&decided["decision"])).unwrap().payload;
    let forged = sign_jws(&researcher, "decision.v1+jws", &payload);
    assert_eq!(refused(&grant(&researcher, with("decision", forged.into())).await), (403, "not-allowed"));
    let bent = text(&decided["decision"]).replacen("eyJ", "eyK", 2);
    assert_eq!(refused(&grant(&researcher, with("decision", bent.into())).await), (400, "malformed"));
    let mut old: Value = serde_json::from_slice(&payload).unwrap();
    old["time"] = json!(now().plus_seconds(-601));
    let old = sign_jws(&institution(&biobank), "decision.v1+jws", &to_canonical(&old).unwrap());
    assert_eq!(refused(&grant(&researcher, with("decision", old.into())).await), (409, "decision-old"));
    // The institution's word of another kind is no decision.
    let statement = biobank.get("/v1/log").await.1["statement"].clone();
    assert_eq!(refused(&grant(&researcher, with("decision", statement)).await), (400, "malformed"));

    // The donor takes the consent back: the decision is minutes old, and worth nothing.
    let gone = donor.says(Some(entry.hash()), leave(Withdrawal::NoUse));
    assert_eq!(biobank.append(gone.bytes()).await.0, 200);
    assert_eq!(refused(&grant(&researcher, wish.clone()).await), (409, "not-permitted"));
    assert_eq!(refused(&biobank.asks(&researcher, &path).await), (409, "not-permitted"), "nor is there a visa");
    let (_, decided) = biobank.decision(&researcher, &donor.name(), &purpose).await;
    let denied = json!({ "decision": decided["decision"], "purpose": purpose });
    assert_eq!(refused(&grant(&researcher, denied).await), (409, "not-permitted"));
}

#[tokio::test]
async fn whoever_the_log_no_longer_knows_gets_nothing() {
    let biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let (donor, _) = biobank.sharing(1).await;
    let purpose = donor.purpose();
    assert_eq!(biobank.granted(&researcher, &donor.name(), &purpose).await.0, 200);
    let (_, decided) = biobank.decision(&researcher, &donor.name(), &purpose).await;
    let said = ledger::event::MemberChange {
        active: false,
        member: researcher.did(),
        organisation: HOSPITAL.parse().unwrap(),
        role: ledger::event::Role::Researcher,
        time: now(),
    };
    let left = Entry::sign(&institution(&biobank), &InstitutionEvent::Member(said)).unwrap();
    let (status, answer) = biobank.append(left.bytes()).await;
    assert_eq!(status, 200, "{answer}");
    // The desk still has the account; the log's word counts at the gate, for a decision of before too.
    assert_eq!(biobank.decision(&researcher, &donor.name(), &purpose).await.0, 403);
    let wish = json!({ "decision": decided["decision"], "purpose": purpose });
    assert_eq!(refused(&biobank.sends(&researcher, "/v1/access-grants", &wish).await), (403, "not-allowed"));
    // A restart does not bring them back.
    let mut biobank = biobank;
    biobank.restarted(|_| ()).await;
    assert_eq!(biobank.decision(&researcher, &donor.name(), &purpose).await.0, 403);
}
