//! Requests for access, which a committee answers: who may ask and decide, what is shown to whom, and that an answer
//! only becomes narrower.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod stage;

use consent::{Flag, Outcome, Purpose};
use identity::SigningKey;
use ledger::event::{AccessDecision, AccessRequest, InstitutionEvent};
use ledger::{Entry, EntryHash, Hash, Receipt};
use serde_json::{Value, json};
use stage::{Answer, Biobank, HOSPITAL, hash_of, now, refused, text};

/// A request for access, signed.
fn request(key: &SigningKey, organisation: &str, purpose: &Purpose, version: u32) -> Entry {
    let said = AccessRequest {
        organisation: organisation.parse().unwrap(),
        purpose: hash_of(purpose),
        study: "heart-rhythm".parse().unwrap(),
        time: now(),
        version,
    };
    Entry::sign(key, &InstitutionEvent::AccessRequest(said)).unwrap()
}

fn verdict(key: &SigningKey, request: EntryHash, outcome: Outcome, reasons: &str) -> Entry {
    let reasons = Hash::from(identity::sha256(reasons.as_bytes()));
    let until = (outcome == Outcome::Permit).then(|| now().plus_seconds(86_400 * 30).date());
    let said = AccessDecision { outcome, reasons, request, time: now(), until };
    Entry::sign(key, &InstitutionEvent::AccessDecision(said)).unwrap()
}

fn words(entry: &Entry) -> String {
    String::from_utf8(entry.bytes().to_vec()).unwrap()
}

async fn ask(biobank: &Biobank, key: &SigningKey, entry: &Entry, purpose: &Purpose) -> Answer {
    let body = json!({ "entry": words(entry), "purpose": purpose });
    biobank.sends(key, "/v1/access-requests", &body).await
}

async fn judge(biobank: &Biobank, key: &SigningKey, request: EntryHash, entry: &Entry, reasons: &str) -> Answer {
    let body = json!({ "entry": words(entry), "reasons": reasons });
    biobank.sends(key, &format!("/v1/access-requests/{request}/decision"), &body).await
}

#[tokio::test]
async fn the_committee_settles_what_is_left_to_a_person_and_nothing_else() {
    let biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let committee = biobank.account("committee", HOSPITAL, 31).await;
    let foreign = biobank.account("researcher", "https://other.example", 32).await;
    let (donor, _) = biobank.sharing(1).await;
    let (unseen, _, _) = biobank.consenting(2).await;
    // Children among the people studied: the rules leave that to a person.
    let purpose = Purpose { sensitive: vec![Flag::Pediatric], ..donor.purpose() };
    let asked = request(&researcher, HOSPITAL, &purpose, 1);
    // Doors: another purpose than the entry's, another signer, another organisation, another role, a stale version.
    let other = donor.purpose();
    assert_eq!(refused(&ask(&biobank, &researcher, &asked, &other).await), (400, "malformed"));
    assert_eq!(refused(&ask(&biobank, &foreign, &asked, &purpose).await), (403, "not-allowed"));
    let posing = request(&foreign, HOSPITAL, &purpose, 1);
    assert_eq!(refused(&ask(&biobank, &foreign, &posing, &purpose).await), (403, "not-allowed"));
    assert_eq!(refused(&ask(&biobank, &committee, &asked, &purpose).await), (403, "not-allowed"));
    let stale = request(&researcher, HOSPITAL, &purpose, 2);
    assert_eq!(refused(&ask(&biobank, &researcher, &stale, &purpose).await), (409, "against-rules"));
    let (status, taken) = ask(&biobank, &researcher, &asked, &purpose).await;
    assert_eq!(status, 200, "{taken}");
    Receipt::verify(text(&taken["receipt"]), asked.bytes(), &biobank.vkey).unwrap();
    assert_eq!(ask(&biobank, &researcher, &asked, &purpose).await.0, 200, "the same request again is the same");

    // Who reads requests.
    let list = async |key: &SigningKey| biobank.asks(key, "/v1/access-requests").await;
    for key in [&researcher, &committee] {
        let (_, found) = list(key).await;
        let found = found["requests"].as_array().unwrap();
        assert_eq!(found.len(), 1, "what never reached the log is not listed");
        assert_eq!((&found[0]["purpose"], &found[0]["outcome"]), (&json!(purpose), &Value::Null));
        assert_eq!(found[0]["requester"], json!(researcher.did()));
    }
    assert_eq!(list(&foreign).await.1["requests"], json!([]));
    assert_eq!(list(&donor.key()).await.0, 403);
    assert_eq!(list(&biobank.staff().await).await.0, 403);

    // Before the committee speaks there is no grant, and a request that was not answered is no yes.
    let decided = async |name: String| biobank.decision(&researcher, &name, &purpose).await.1["decision"].clone();
    let grant = async |decision: Value, request: Option<EntryHash>| {
        let wish = json!({ "decision": decision, "purpose": purpose, "request": request });
        biobank.sends(&researcher, "/v1/access-grants", &wish).await
    };
    let not_permitted = (409, "not-permitted");
    assert_eq!(refused(&grant(decided(donor.name()).await, None).await), not_permitted);
    assert_eq!(refused(&grant(decided(donor.name()).await, Some(asked.hash())).await), not_permitted);

    // The committee alone answers, with the reasons that it gives.
    let hash = asked.hash();
    let yes = verdict(&committee, hash, Outcome::Permit, "A good study.");
    assert_eq!(refused(&judge(&biobank, &committee, hash, &yes, "Other words.").await), (400, "malformed"));
    assert_eq!(refused(&judge(&biobank, &researcher, hash, &yes, "A good study.").await), (403, "not-allowed"));
    let own = verdict(&researcher, hash, Outcome::Permit, "A good study.");
    assert_eq!(refused(&judge(&biobank, &researcher, hash, &own, "A good study.").await), (403, "not-allowed"));
    let elsewhere = EntryHash::of(b"elsewhere");
    assert_eq!(refused(&judge(&biobank, &committee, elsewhere, &yes, "A good study.").await), (403, "not-allowed"));
    let about_nothing = verdict(&committee, elsewhere, Outcome::Permit, "?");
    assert_eq!(refused(&judge(&biobank, &committee, elsewhere, &about_nothing, "?").await), (404, "not-found"));
    assert_eq!(judge(&biobank, &committee, hash, &yes, "A good study.").await.0, 200);
    let (_, found) = list(&researcher).await;
    assert_eq!(found["requests"][0]["outcome"], "permit");
    assert_eq!(found["requests"][0]["answers"][0]["reasons"], "A good study.");

    // Now what was left to a person is settled. What no donor is known to have allowed is not.
    assert_eq!(refused(&grant(decided(donor.name()).await, None).await), not_permitted, "without naming the request");
    let (status, granted) = grant(decided(donor.name()).await, Some(hash)).await;
    assert_eq!(status, 200, "{granted}");
    assert_eq!(refused(&grant(decided(unseen.name()).await, Some(hash)).await), not_permitted);
    let denied = Purpose { commercial: Some(true), ..purpose.clone() };
    let (_, decision) = biobank.decision(&researcher, &donor.name(), &denied).await;
    let wish = json!({ "decision": decision["decision"], "purpose": denied, "request": hash });
    assert_eq!(refused(&biobank.sends(&researcher, "/v1/access-grants", &wish).await), not_permitted);
    // And the committee can take its yes back.
    let no = verdict(&committee, hash, Outcome::Deny, "Not any more.");
    assert_eq!(judge(&biobank, &committee, hash, &no, "Not any more.").await.0, 200);
    assert_eq!(refused(&grant(decided(donor.name()).await, Some(hash)).await), not_permitted);
    assert_eq!(refused(&judge(&biobank, &committee, hash, &yes, "A good study.").await), (200, ""), "said before");
    assert_eq!(refused(&grant(decided(donor.name()).await, Some(hash)).await), not_permitted, "and taken back since");
}
