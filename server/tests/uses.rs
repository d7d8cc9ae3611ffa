//! Uses: told by whoever holds a grant, shown to those whose data they were, and to nobody else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod stage;

use consent::{DataKind, Purpose, Withdrawal};
use identity::SigningKey;
use ledger::event::{AccessUse, InstitutionEvent};
use ledger::uses::{ShownUse, UseFlag};
use ledger::{Act, Entry, EntryHash, Event, Hash, Receipt};
use serde_json::{Value, json};
use stage::{Answer, Biobank, Donor, HOSPITAL, hash_of, now, refused, text};

/// What a donor holds in hand after checking one use: the line, what its entry says, and what the grant's entry says.
struct Checked {
    shown: ShownUse,
    said: AccessUse,
    purpose: Value,
    organisation: String,
}

/// Checks what a donor is shown as their wallet would: with the log's key, the institution's DID, and nothing else.
async fn check(biobank: &Biobank, donor: &Donor) -> Vec<Checked> {
    let (status, answer) = biobank.asks(&donor.key(), &format!("/v1/uses/{}", donor.name())).await;
    assert_eq!(status, 200, "{answer}");
    let grants = answer["grants"].as_array().unwrap();
    let one = |shown: &Value| {
        let entry = Entry::parse(text(&shown["entry"]).as_bytes()).unwrap();
        assert_eq!(*entry.signer(), biobank.did);
        Receipt::verify(text(&shown["receipt"]), entry.bytes(), &biobank.vkey).unwrap();
        let Event::Institution(InstitutionEvent::AccessUse(said)) = entry.said().clone() else { panic!("no use") };
        let line: ShownUse = serde_json::from_value(shown["line"].clone()).unwrap();
        line.verify(&said).unwrap();
        assert_eq!(line.line.subject, donor.subject());
        let grant = grants.iter().find(|grant| grant["hash"] == json!(said.grant)).unwrap();
        let entry = Entry::parse(text(&grant["entry"]).as_bytes()).unwrap();
        assert_eq!(entry.hash(), said.grant);
        Receipt::verify(text(&grant["receipt"]), entry.bytes(), &biobank.vkey).unwrap();
        let Event::Institution(InstitutionEvent::AccessGrant(granted)) = entry.said() else { panic!("no grant") };
        assert_eq!(granted.purpose, hash_of(&grant["purpose"]), "the words are those that were granted");
        let organisation = text(&grant["organisation"]).to_owned();
        Checked { shown: line, said, purpose: grant["purpose"].clone(), organisation }
    };
    answer["uses"].as_array().unwrap().iter().map(one).collect()
}

async fn tell(biobank: &Biobank, key: &SigningKey, body: &Value) -> Answer {
    biobank.sends(key, "/v1/uses", body).await
}

/// A grant about one donor; its name.
async fn granted(biobank: &Biobank, researcher: &SigningKey, donor: &Donor, purpose: &Purpose) -> Value {
    let (status, granted) = biobank.granted(researcher, &donor.name(), purpose).await;
    assert_eq!(status, 200, "{granted}");
    granted["hash"].clone()
}

#[tokio::test]
async fn each_donor_sees_and_checks_their_own_line() {
    let biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let (one, entry) = biobank.sharing(1).await;
    let (two, _) = biobank.sharing(2).await;
    let purpose = one.purpose();
    let grant = granted(&biobank, &researcher, &one, &purpose).await;
    let time = now();
    let body = json!({ "grant": grant, "subjects": [one.name(), two.key().did()], "data": ["genome"], "time": time });
    let (status, told) = tell(&biobank, &researcher, &body).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!((&told["lines"], &told["flagged"]), (&json!(2), &json!(1)));
    let seen = check(&biobank, &one).await;
    assert_eq!(seen.len(), 1);
    let seen = &seen[0];
    assert_eq!(seen.shown.line.consent, Some(entry.hash()), "under which version");
    assert_eq!((seen.shown.line.data.as_slice(), seen.said.time), ([DataKind::Genome].as_slice(), time));
    assert_eq!((&seen.purpose, seen.organisation.as_str()), (&json!(purpose), HOSPITAL));
    assert!(seen.shown.line.flags.is_empty());
    // The grant was about the other donor: the use is told all the same, and says so.
    assert_eq!(check(&biobank, &two).await[0].shown.line.flags, [UseFlag::NotInGrant]);
    // Neither the log's entry nor one donor's line says a word of the other.
    let shown = serde_json::to_string(&seen.shown).unwrap();
    assert!(!shown.contains(&two.name()) && !text(&told["entry"]).contains(&two.name()));

    // The same report again, in another order, is the same entry.
    let again =
        json!({ "grant": grant, "subjects": [two.name(), one.name()], "data": ["genome", "genome"], "time": time });
    assert_eq!(tell(&biobank, &researcher, &again).await.1["hash"], told["hash"]);
    assert_eq!(check(&biobank, &one).await.len(), 1);
    // Another time is another use.
    let later = json!({ "grant": grant, "subjects": [one.name()], "data": ["healthRecord"], "time": time });
    assert_eq!(tell(&biobank, &researcher, &later).await.0, 200);
    assert_eq!(check(&biobank, &one).await.len(), 2);

    // Who else asks.
    let path = format!("/v1/uses/{}", one.name());
    for (who, key) in [
        ("another donor", two.key()),
        ("the researcher", biobank.researcher().await),
        ("staff", biobank.staff().await),
        ("an auditor", biobank.account("auditor", HOSPITAL, 12).await),
        ("the donor's key for the biobank", SigningKey::from_seed([1; 32])),
        ("a stranger", SigningKey::from_seed([77; 32])),
    ] {
        assert_eq!(refused(&biobank.asks(&key, &path).await), (403, "not-allowed"), "{who}");
    }
    assert_eq!(biobank.get(&path).await.0, 401);
    let nobody = format!("/v1/uses/{}", Hash::from([9; 32]));
    assert_eq!(biobank.asks(&one.key(), &nobody).await.0, 403);
    assert_eq!(biobank.asks(&one.key(), "/v1/uses/nonsense").await.0, 404);
}

#[tokio::test]
async fn a_use_that_should_not_have_been_is_kept_and_says_so() {
    let biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let (donor, entry) = biobank.sharing(1).await;
    let grant = granted(&biobank, &researcher, &donor, &donor.purpose()).await;
    let gone = donor.says(Some(entry.hash()), Act::Withdraw { level: Withdrawal::NoUse });
    assert_eq!(biobank.append(gone.bytes()).await.0, 200);
    let silent = biobank.donor(2).await;
    let silent_name = silent.key().did();
    let body =
        json!({ "grant": grant, "subjects": [donor.name(), silent_name], "data": ["genome", "survey"], "time": now() });
    let (status, told) = tell(&biobank, &researcher, &body).await;
    assert_eq!((status, &told["flagged"]), (200, &json!(2)), "{told}");
    assert_eq!(check(&biobank, &donor).await[0].shown.line.flags, [UseFlag::NoLiveConsent]);
    // Who never consented has no key that the log knows; the line is there for when they have one.
    let (status, _) = biobank.asks(&silent.key(), &format!("/v1/uses/{}", silent.name())).await;
    assert_eq!(status, 403);
    let (first, _) = silent.gives(None).await;
    assert_eq!(biobank.append(first.bytes()).await.0, 200);
    let seen = check(&biobank, &silent).await;
    assert_eq!(seen[0].shown.line.flags, [UseFlag::NoLiveConsent, UseFlag::NotInGrant]);
    assert_eq!(seen[0].shown.line.consent, None);
    // A kind of data that is not shared.
    let (other, _) = biobank.sharing(3).await;
    let grant = granted(&biobank, &researcher, &other, &other.purpose()).await;
    let body = json!({ "grant": grant, "subjects": [other.name()], "data": ["survey"], "time": now() });
    assert_eq!(tell(&biobank, &researcher, &body).await.0, 200);
    assert_eq!(check(&biobank, &other).await[0].shown.line.flags, [UseFlag::DataNotShared]);
}

#[tokio::test]
async fn a_use_is_told_by_the_holder_of_a_grant_and_in_its_hour() {
    let biobank = Biobank::open().await;
    let researcher = biobank.researcher().await;
    let second = biobank.account("researcher", HOSPITAL, 21).await;
    let (donor, _) = biobank.sharing(1).await;
    let grant = granted(&biobank, &researcher, &donor, &donor.purpose()).await;
    let body = json!({ "grant": grant, "subjects": [donor.name()], "data": ["genome"], "time": now() });
    let with = |member: &str, value: Value| {
        let mut body = body.clone();
        body[member] = value;
        body
    };
    assert_eq!(refused(&tell(&biobank, &second, &body).await), (404, "not-found"), "not the holder");
    for key in [donor.key(), biobank.staff().await, biobank.account("committee", HOSPITAL, 31).await] {
        assert_eq!(refused(&tell(&biobank, &key, &body).await), (403, "not-allowed"));
    }
    let rules = (409, "against-rules");
    for (case, expected) in [
        (with("grant", json!(EntryHash::of(b"nothing"))), (404, "not-found")),
        (with("time", json!(now().plus_seconds(-7_200))), rules),
        (with("time", json!(now().plus_seconds(600))), rules),
        (with("time", "yesterday".into()), (400, "malformed")),
        (with("data", json!([])), (400, "malformed")),
        (with("data", json!(["telepathy"])), (400, "malformed")),
        (with("subjects", json!([])), (400, "malformed")),
        (with("subjects", json!([donor.name(), donor.key().did()])), (400, "malformed")),
        (with("subjects", json!(vec![donor.name(); 10_001])), (400, "malformed")),
        (with("subjects", json!([Hash::from([9; 32])])), (404, "not-found")),
        (with("more", 1.into()), (400, "malformed")),
    ] {
        assert_eq!(refused(&tell(&biobank, &researcher, &case).await), expected, "{expected:?}");
    }
    assert!(check(&biobank, &donor).await.is_empty(), "nothing of what was refused is kept");
    // Past the door for entries nobody tells a use: no donor would get their line.
    let said = AccessUse { grant: text(&grant).parse().unwrap(), time: now(), uses: Hash::from([1; 32]) };
    let entry = Entry::sign(&researcher, &InstitutionEvent::AccessUse(said)).unwrap();
    assert_eq!(refused(&biobank.append(entry.bytes()).await), (403, "not-allowed"));
    assert_eq!(tell(&biobank, &researcher, &body).await.0, 200);
}
