//! Status lists: what was set is read, a bomb is not unpacked, and what can not be told never counts as live.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use consent::Timestamp;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use identity::did_document::Local;
use identity::jose::{TokenOptions, issue_token};
use identity::status::{
    BitstringEntry, ListTerms, MAX_UNPACKED, MIN_ENTRIES, Purpose, Status, StatusBits, StatusEntry, StatusError,
    StatusLists, list_credential, status_entries,
};
use identity::vc::{Finding, IssueOptions, Judge, KeyKind, Policy, Signer, Suite, issue, verify_credential};
use identity::{CheckResult, SigningKey};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

const URL: &str = "https://biobank.example/status/1";

fn key(number: u8) -> Signer {
    Signer::from_secret(KeyKind::Ed25519, &[number; 32]).unwrap()
}

fn now() -> Timestamp {
    "2026-11-22T13:00:00Z".parse().unwrap()
}

fn options() -> IssueOptions {
    IssueOptions::new(Suite::EddsaJcs2022, now())
}

fn list_of(bits: &StatusBits, purpose: Purpose, number: u8) -> Value {
    let issuer = key(number).id();
    let terms = ListTerms {
        url: URL,
        issuer: issuer.as_str(),
        purpose,
        valid_from: now(),
        valid_until: now().plus_seconds(3600),
        ttl: 300,
    };
    list_credential(bits, &terms).unwrap()
}

fn signed(list: &Value, number: u8) -> Vec<u8> {
    issue(list, &options(), &key(number)).unwrap().to_string().into_bytes()
}

fn entry(index: u64, purpose: Purpose) -> BitstringEntry {
    BitstringEntry::new(URL.to_owned(), index, purpose)
}

fn entries(credential: Value) -> Result<Vec<StatusEntry>, StatusError> {
    status_entries(credential.as_object().unwrap())
}

fn read(entry: &Value, list: &[u8]) -> Result<Status, StatusError> {
    let entries = entries(json!({ "@context": [], "credentialStatus": entry }))?;
    entries[0].read(key(7).id().as_str(), list, &Policy::new(now())).map(|reading| reading.status)
}

#[test]
fn what_was_set_is_read() {
    for size in 1..=8 {
        let mut bits = StatusBits::new(size).unwrap();
        assert!(bits.len() >= MIN_ENTRIES);
        let largest = u8::MAX >> (8 - size);
        for (place, index) in [0, 1, 7, 8, 65_537, MIN_ENTRIES as u64 - 1].into_iter().enumerate() {
            let value = largest - (place as u8).min(largest);
            assert_eq!(bits.set(index, value), Some(()));
            let again = StatusBits::decode(&bits.encode().unwrap(), size).unwrap();
            assert_eq!((again.get(index), again == bits), (Some(value), true));
        }
        assert_eq!(bits.get(bits.len() as u64), None);
        assert_eq!(bits.set(u64::MAX, 0), None);
        if size < 8 {
            assert_eq!(bits.set(0, largest + 1), None, "more bits than an entry has");
        }
    }
    assert!(StatusBits::new(0).is_none() && StatusBits::new(9).is_none());
    // The first entry is the highest bit of the first byte.
    let mut bits = StatusBits::new(1).unwrap();
    bits.set(0, 1).unwrap();
    bits.set(9, 1).unwrap();
    assert_eq!(bits.as_bytes()[..2], [0x80, 0x40]);
}

#[test]
fn revoked_suspended_and_messages_are_told_apart() {
    let mut bits = StatusBits::new(1).unwrap();
    bits.set(5, 1).unwrap();
    for (purpose, set) in [(Purpose::Revocation, Status::Revoked), (Purpose::Suspension, Status::Suspended)] {
        let list = signed(&list_of(&bits, purpose, 7), 7);
        assert_eq!(read(&entry(5, purpose).to_json(), &list), Ok(set));
        assert_eq!(read(&entry(6, purpose).to_json(), &list), Ok(Status::Live));
        assert_eq!(read(&entry(bits.len() as u64, purpose).to_json(), &list), Err(StatusError::Range));
    }
    let mut bits = StatusBits::new(2).unwrap();
    bits.set(5, 2).unwrap();
    let entry = BitstringEntry {
        size: 2,
        messages: ["fine", "asked", "moved", "lost"].map(str::to_owned).to_vec(),
        references: vec!["https://biobank.example/help".to_owned()],
        ..entry(5, Purpose::Message)
    };
    let list = list_of(&bits, Purpose::Message, 7);
    let references = entry.references.clone();
    let told = Status::Message { value: 2, text: "moved".to_owned(), references };
    assert_eq!(read(&entry.to_json(), &signed(&list, 7)), Ok(told.clone()));
    // The list may be a token as well.
    let token = issue_token(&list, &TokenOptions::new(now()), &key(7)).unwrap();
    assert_eq!(read(&entry.to_json(), token.as_bytes()), Ok(told));
}

#[test]
fn a_list_that_is_not_the_issuers_own_says_nothing() {
    let bits = StatusBits::new(1).unwrap();
    let good = list_of(&bits, Purpose::Revocation, 7);
    let asked = entry(5, Purpose::Revocation).to_json();
    assert_eq!(read(&asked, &signed(&good, 7)), Ok(Status::Live));
    assert_eq!(read(&asked, &signed(&list_of(&bits, Purpose::Revocation, 8), 8)), Err(StatusError::OtherList));
    assert_eq!(read(&asked, &signed(&list_of(&bits, Purpose::Suspension, 7), 7)), Err(StatusError::OtherPurpose));
    let with = |pointer: &str, value: Value| {
        let mut list = good.clone();
        *list.pointer_mut(pointer).unwrap() = value;
        read(&asked, &signed(&list, 7))
    };
    assert_eq!(with("/id", json!("https://biobank.example/status/2")), Err(StatusError::OtherList));
    assert_eq!(with("/type", json!(["VerifiableCredential"])), Err(StatusError::OtherList));
    assert_eq!(with("/validUntil", json!("2026-11-22T13:00:00Z")), Ok(Status::Live));
    assert_eq!(
        with("/validFrom", json!("2026-11-22T13:30:00Z")),
        Err(StatusError::NotVerified(vec!["valid-from"])),
        "a list that is still to come"
    );
    assert!(matches!(with("/credentialSubject/ttl", json!(0)), Err(StatusError::Malformed(_))));
    assert!(matches!(with("/credentialSubject/encodedList", json!("x")), Err(StatusError::Malformed(_))));
    // Changed after it was signed, unsigned, over, and no list at all.
    let mut forged: Value = serde_json::from_slice(&signed(&good, 7)).unwrap();
    forged["credentialSubject"]["ttl"] = json!(1);
    let failed = read(&asked, forged.to_string().as_bytes());
    assert_eq!(failed, Err(StatusError::NotVerified(vec!["signature"])));
    assert!(matches!(read(&asked, good.to_string().as_bytes()), Err(StatusError::NotVerified(_))));
    for bytes in [&b""[..], b"{}", b"\xff\xfe", b"<html>", b"eyJ.eyJ.x"] {
        assert!(matches!(read(&asked, bytes), Err(StatusError::NotVerified(_))));
    }
    let entries = entries(json!({ "@context": [], "credentialStatus": asked })).unwrap();
    let late = entries[0].read(key(7).id().as_str(), &signed(&good, 7), &Policy::new(now().plus_seconds(3601)));
    assert_eq!(late, Err(StatusError::NotVerified(vec!["valid-until"])));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn bombs_short_lists_and_what_hangs_behind_are_refused() {
    let text = |bytes: &[u8]| format!("u{}", BASE64.encode(bytes));
    let decode = |bytes: &[u8]| StatusBits::decode(&text(bytes), 1);
    let bomb = gzip(&vec![0; MAX_UNPACKED + 1]);
    assert!(bomb.len() < 20_000);
    assert_eq!(decode(&bomb), Err(StatusError::TooLong));
    assert!(decode(&gzip(&vec![0; MAX_UNPACKED])).is_ok());
    assert_eq!(decode(&gzip(&vec![0; MIN_ENTRIES / 8 - 1])), Err(StatusError::Length));
    assert_eq!(StatusBits::decode(&text(&gzip(&vec![0; MIN_ENTRIES / 8])), 2), Err(StatusError::Length));
    let good = gzip(&vec![0; MIN_ENTRIES / 8]);
    assert_eq!(decode(&[&good[..], b"x"].concat()), Err(StatusError::Packed));
    assert_eq!(decode(&[&good[..], &good].concat()), Err(StatusError::Packed));
    assert_eq!(decode(&good[..good.len() - 1]), Err(StatusError::Packed));
    assert_eq!(decode(b""), Err(StatusError::Packed));
    for text in ["", "u!", &text(&good)[1..], &format!("z{}", &text(&good)[1..]), &format!("{}=", text(&good))] {
        assert!(matches!(StatusBits::decode(text, 1), Err(StatusError::Malformed(_))));
    }
}

#[test]
fn entries_have_their_forms() {
    let good = entry(5, Purpose::Revocation).to_json();
    for (name, value) in [
        ("type", json!("StatusList2021Entry")),
        ("type", Value::Null),
        ("id", json!(URL)),
        ("statusListIndex", json!(5)),
        ("statusListIndex", json!("-1")),
        ("statusListIndex", json!("05")),
        ("statusListIndex", json!("+5")),
        ("statusListIndex", json!("99999999999999999999999")),
        ("statusListCredential", json!("not a url")),
        ("statusListCredential", json!(7)),
        ("statusPurpose", json!("destruction")),
        ("statusPurpose", json!("message")),
        ("statusSize", json!(0)),
        ("statusSize", json!(-1)),
        ("statusSize", json!(2)),
        ("statusSize", json!(64)),
        ("statusSize", json!("1")),
        ("statusMessage", json!([])),
        ("statusMessage", json!([{ "status": "0x0", "message": "a" }])),
        ("statusMessage", json!([{ "status": "0x0", "message": "a" }, { "status": "0x0", "message": "b" }])),
        ("statusMessage", json!([{ "status": "0x0", "message": "a" }, { "status": "0x2", "message": "b" }])),
        ("statusMessage", json!([{ "status": "0", "message": "a" }, { "status": "1", "message": "b" }])),
        ("statusReference", json!("not a url")),
        ("statusReference", json!([7])),
    ] {
        let mut bad = good.clone();
        bad[name] = value.clone();
        assert!(entries(json!({ "@context": [], "credentialStatus": bad })).is_err(), "{name} {value}");
    }
    let nine = vec![good; 9];
    assert!(entries(json!({ "@context": [], "credentialStatus": nine })).is_err());
    for status in
        [json!(7), json!({}), json!({ "status_list": { "idx": 1 } }), json!({ "status_list": {}, "other": {} })]
    {
        assert!(entries(json!({ "status": status })).is_err());
    }
}

#[test]
fn a_credential_counts_only_while_every_list_says_so() {
    let credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": { "id": key(7).id().as_str() },
        "credentialSubject": { "id": "did:example:1" },
        "credentialStatus": [entry(5, Purpose::Revocation).to_json()],
    });
    let credential = issue(&credential, &options(), &key(7)).unwrap();
    let with = |credential: &Value, lists: BTreeMap<String, Vec<u8>>| {
        let status = StatusLists { lists, resolver: Arc::new(Local) };
        let policy = Policy { status: Some(Arc::new(status)), ..Policy::new(now()) };
        let verification = verify_credential(credential.to_string().as_bytes(), &policy);
        let check = verification.checks.iter().find(|check| check.name == "status").unwrap().clone();
        (verification.verified.is_some(), check.result, check.detail)
    };
    let mut bits = StatusBits::new(1).unwrap();
    let lists =
        |bits: &StatusBits| BTreeMap::from([(URL.to_owned(), signed(&list_of(bits, Purpose::Revocation, 7), 7))]);
    assert_eq!(with(&credential, lists(&bits)), (true, CheckResult::Passed, String::new()));
    bits.set(5, 1).unwrap();
    assert_eq!(with(&credential, lists(&bits)), (false, CheckResult::Failed, format!("{URL}: revoked")));
    let absent = with(&credential, BTreeMap::new());
    assert_eq!((absent.0, absent.1), (false, CheckResult::NotMade));
    assert!(absent.2.starts_with("could not be checked"), "{}", absent.2);
    // One list that says no is enough, whatever the other one would say.
    let mut two = credential.clone();
    let other = BitstringEntry::new("https://biobank.example/status/2".to_owned(), 5, Purpose::Suspension);
    two["credentialStatus"] = json!([other.to_json(), entry(5, Purpose::Revocation).to_json()]);
    assert_eq!(with(&two, lists(&bits)).1, CheckResult::Failed);
    assert_eq!(with(&two, lists(&StatusBits::new(1).unwrap())).1, CheckResult::NotMade);
    // A status that names no list, or is none of this kind of credential, is no yes.
    let mut none = credential.clone();
    none["credentialStatus"] = json!([]);
    assert_eq!(with(&none, lists(&bits)).1, CheckResult::NotMade);
    let odd = json!({ "@context": [], "status": { "status_list": { "idx": 6, "uri": URL } } });
    let judge = StatusLists { lists: lists(&bits), resolver: Arc::new(Local) };
    assert!(matches!(judge.judge(odd.as_object().unwrap(), now()), Finding::Unknown(_)));
}

/// A `statuslist+jwt` with members changed, signed by a key of ours.
fn token_list(number: u8, header: Value, payload: Value, bits: u8, bytes: &[u8]) -> Vec<u8> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).unwrap();
    let lst = BASE64.encode(packer.finish().unwrap());
    let mut head = json!({ "alg": "EdDSA", "typ": "statuslist+jwt", "kid": key(number).id().verification_method() });
    let mut claims = json!({
        "iss": key(number).id().as_str(),
        "sub": URL,
        "iat": now().unix(),
        "exp": now().unix() + 60,
        "ttl": 300,
        "status_list": { "bits": bits, "lst": lst },
    });
    for (object, changes) in [(&mut head, header), (&mut claims, payload)] {
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                object.as_object_mut().unwrap().remove(name);
            } else {
                object[name] = value.clone();
            }
        }
    }
    let signed = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()));
    let signature = SigningKey::from_seed([number; 32]).sign(signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(signature)).into_bytes()
}

fn read_token(index: u64, list: &[u8]) -> Result<Status, StatusError> {
    let claims = json!({ "status": { "status_list": { "idx": index, "uri": URL } } });
    let entries = entries(claims).unwrap();
    entries[0].read(key(7).id().as_str(), list, &Policy::new(now())).map(|reading| reading.status)
}

#[test]
fn token_lists_are_read_and_every_odd_one_is_refused() {
    // The example of the draft, section 4.1: 1001 1101 1100 0101 from the last bit of each byte.
    let one = token_list(7, json!({}), json!({}), 1, &[0xb9, 0xa3]);
    for (index, set) in (0..).zip([1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]) {
        assert_eq!(read_token(index, &one), Ok(if set == 1 { Status::Revoked } else { Status::Live }));
    }
    assert_eq!(read_token(16, &one), Err(StatusError::Range));
    assert_eq!(read_token(u64::MAX, &one), Err(StatusError::Range));
    // With two bits: 1, 2, 0, 3.
    let two = token_list(7, json!({}), json!({}), 2, &[0b11_00_10_01]);
    let told: Vec<_> = (0..4).map(|index| read_token(index, &two)).collect();
    assert_eq!(told, [Ok(Status::Revoked), Ok(Status::Suspended), Ok(Status::Live), Err(StatusError::Unknown)]);
    let eight = token_list(7, json!({}), json!({}), 8, &[0, 2, 255]);
    assert_eq!((read_token(1, &eight), read_token(2, &eight)), (Ok(Status::Suspended), Err(StatusError::Unknown)));

    let none = json!({});
    for (number, header, payload) in [
        (8, none.clone(), none.clone()),
        (8, none.clone(), json!({ "iss": key(7).id().as_str() })),
        (8, none.clone(), json!({ "iss": Value::Null })),
        (7, json!({ "typ": "JWT" }), none.clone()),
        (7, json!({ "typ": "statuslist+cwt" }), none.clone()),
        (7, json!({ "alg": "none" }), none.clone()),
        (7, json!({ "alg": "ES256" }), none.clone()),
        (7, none.clone(), json!({ "sub": "https://biobank.example/status/2" })),
        (7, none.clone(), json!({ "sub": Value::Null })),
        (7, none.clone(), json!({ "iat": Value::Null })),
        (7, none.clone(), json!({ "iat": now().unix() + 301 })),
        (7, none.clone(), json!({ "exp": now().unix() - 1 })),
        (7, none.clone(), json!({ "ttl": 0 })),
        (7, none.clone(), json!({ "ttl": "300" })),
        (7, none.clone(), json!({ "status_list": Value::Null })),
        (7, none.clone(), json!({ "status_list": { "bits": 3, "lst": "eNpzdAEAAMgAhg" } })),
        (7, none.clone(), json!({ "status_list": { "bits": 1 } })),
        (7, none.clone(), json!({ "status_list": { "bits": 1, "lst": "" } })),
        (7, none.clone(), json!({ "status_list": { "bits": 1, "lst": "eNp=" } })),
    ] {
        let what = format!("{number} {header} {payload}");
        assert!(read_token(0, &token_list(number, header, payload, 1, &[0; 16])).is_err(), "{what}");
    }
    let bomb = token_list(7, json!({}), json!({}), 1, &vec![0; MAX_UNPACKED + 1]);
    assert_eq!(read_token(0, &bomb), Err(StatusError::TooLong));
}
