//! Credentials that are disclosed in parts: what a verifier sees is what the issuer signed, and every trick is refused
//! by the check that names it.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use identity::Verification;
use identity::vc::{
    DeriveError, DeriveOptions, IssueError, IssueOptions, KeyKind, Policy, PseudonymSecret, Signer, Suite, derive,
    derive_as, issue, pseudonym, verify_credential, verify_presentation,
};
use serde_json::{Value, json};

const SUITES: [(Suite, KeyKind); 2] = [(Suite::EcdsaSd2023, KeyKind::P256), (Suite::Bbs2023, KeyKind::Bls12381G2)];
const MANDATORY: [&str; 3] = ["/issuer", "/validUntil", "/credentialSubject/id"];
const CHOSEN: [&str; 2] = ["/credentialSubject/alumniOf", "/credentialSubject/friends/1"];

fn key(kind: KeyKind, number: u8) -> Signer {
    Signer::from_secret(kind, &vec![number; kind.secret_len()]).unwrap()
}

fn credential(issuer: &Signer) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": issuer.id().as_str(),
        "validUntil": "2027-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:abcdefgh",
            "alumniOf": { "type": "School", "name": "The School of Examples" },
            "friends": [{ "name": "one" }, { "name": "two" }, { "name": "three" }],
            "secret": "hidden",
        },
    })
}

fn texts(pointers: &[&str]) -> Vec<String> {
    pointers.iter().map(|pointer| (*pointer).to_owned()).collect()
}

fn options(suite: Suite) -> IssueOptions {
    let created = "2026-11-22T12:00:00Z".parse().unwrap();
    IssueOptions { mandatory: Some(texts(&MANDATORY)), ..IssueOptions::new(suite, created) }
}

fn base(suite: Suite, kind: KeyKind) -> Value {
    let key = key(kind, 7);
    issue(&credential(&key), &options(suite), &key).unwrap()
}

fn chosen(pointers: &[&str]) -> DeriveOptions {
    DeriveOptions { pointers: texts(pointers), ..DeriveOptions::default() }
}

fn derived(suite: Suite, kind: KeyKind) -> Value {
    derive(&base(suite, kind), &chosen(&CHOSEN)).unwrap()
}

fn policy() -> Policy {
    Policy::new("2026-11-22T13:00:00Z".parse().unwrap())
}

fn check(document: &Value) -> Verification<Value> {
    verify_credential(document.to_string().as_bytes(), &policy())
}

#[track_caller]
fn fails_at(document: &Value, check_name: &str) {
    let verification = check(document);
    assert!(verification.verified.is_none());
    assert!(verification.failed().contains(&check_name), "{:?}", verification.checks);
}

fn bytes_of(document: &Value) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(&document["proof"]["proofValue"].as_str().unwrap()[1..]).unwrap()
}

fn with_bytes(document: &Value, bytes: &[u8]) -> Value {
    let mut other = document.clone();
    other["proof"]["proofValue"] = json!(format!("u{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)));
    other
}

/// The document with other components in the value of its proof.
fn edited(document: &Value, edit: impl FnOnce(&mut Vec<Cbor>)) -> Value {
    let bytes = bytes_of(document);
    let mut components: Vec<Cbor> = ciborium::from_reader(&bytes[3..]).unwrap();
    edit(&mut components);
    let mut other = bytes[..3].to_vec();
    ciborium::into_writer(&components, &mut other).unwrap();
    with_bytes(document, &other)
}

/// Where label map, mandatory places and the other signatures or places are.
fn places(suite: Suite) -> (usize, usize, usize) {
    if suite == Suite::Bbs2023 { (1, 2, 3) } else { (3, 4, 2) }
}

#[test]
fn what_is_disclosed_verifies_and_the_rest_is_not_there() {
    for (suite, kind) in SUITES {
        let base = base(suite, kind);
        for (pointers, shown) in [(&CHOSEN[..], true), (&[], false), (&["/credentialSubject"], true)] {
            let derived = derive(&base, &chosen(pointers)).unwrap();
            assert!(check(&derived).verified.is_some(), "{suite}: {:?}", check(&derived).checks);
            assert_eq!(derived["credentialSubject"].get("alumniOf").is_some(), shown);
        }
        let derived = derive(&base, &chosen(&CHOSEN)).unwrap();
        assert_eq!(derived["credentialSubject"]["friends"], json!([{ "name": "two" }]));
        for hidden in ["hidden", "secret", "three", "\"one\""] {
            assert!(!derived.to_string().contains(hidden), "{hidden}");
        }
        // Without pointers, what decides whether it holds is mandatory.
        let key = key(kind, 7);
        let plain = issue(&credential(&key), &IssueOptions { mandatory: None, ..options(suite) }, &key).unwrap();
        let derived = derive(&plain, &chosen(&["/credentialSubject/secret"])).unwrap();
        assert_eq!(derived["validUntil"], json!("2027-01-01T00:00:00Z"));
        assert!(check(&derived).verified.is_some(), "{:?}", check(&derived).checks);
    }
}

#[test]
fn a_base_proof_is_not_for_a_verifier() {
    for (suite, kind) in SUITES {
        fails_at(&base(suite, kind), "proof-shape");
    }
}

#[test]
fn what_was_disclosed_can_neither_be_changed_nor_left_out() {
    for (suite, kind) in SUITES {
        let good = derived(suite, kind);
        for (place, value) in [
            ("/credentialSubject/alumniOf/name", json!("Another")),
            ("/credentialSubject/id", json!("did:example:other")),
            ("/validUntil", json!("2028-01-01T00:00:00Z")),
            ("/credentialSubject/friends/0/name", json!("one")),
            ("/proof/verificationMethod", json!(key(kind, 8).id().verification_method())),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(place).unwrap() = value;
            fails_at(&bad, "signature");
        }
        for (parent, name) in [("", "validUntil"), ("/credentialSubject", "id"), ("/credentialSubject", "alumniOf")] {
            let mut bad = good.clone();
            bad.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            fails_at(&bad, "signature");
        }
        let mut more = good.clone();
        more["credentialSubject"]["secret"] = json!("hidden");
        fails_at(&more, "signature");
    }
}

#[test]
fn a_proof_of_something_else_is_none() {
    for (suite, kind) in SUITES {
        let good = derived(suite, kind);
        let own = key(kind, 7);
        let mut document = credential(&own);
        document["credentialSubject"]["alumniOf"]["name"] = json!("Another");
        let other = derive(&issue(&document, &options(suite), &own).unwrap(), &chosen(&CHOSEN)).unwrap();
        let mut foreign = good.clone();
        foreign["proof"] = other["proof"].clone();
        fails_at(&foreign, "signature");
        // A signature of another message in a value that is right otherwise.
        let theirs: Vec<Cbor> = ciborium::from_reader(&bytes_of(&other)[3..]).unwrap();
        fails_at(&edited(&good, |components| components[0] = theirs[0].clone()), "signature");
        // Another issuer signs the same for the victim.
        let spoofed = issue(&credential(&own), &IssueOptions { own_name: false, ..options(suite) }, &key(kind, 8));
        let spoofed = derive(&spoofed.unwrap(), &chosen(&CHOSEN)).unwrap();
        assert_eq!(check(&spoofed).failed(), ["signer-is-issuer"]);
    }
    let (one, other) = (derived(SUITES[0].0, SUITES[0].1), derived(SUITES[1].0, SUITES[1].1));
    for (document, value) in [(&one, &other), (&other, &one)] {
        let mut bad = document.clone();
        bad["proof"]["proofValue"] = value["proof"]["proofValue"].clone();
        fails_at(&bad, "proof-shape");
    }
}

#[test]
fn a_value_has_one_spelling() {
    for (suite, kind) in SUITES {
        let good = derived(suite, kind);
        let (labels, mandatory, _) = places(suite);
        let (bytes, text) = (bytes_of(&good), good["proof"]["proofValue"].as_str().unwrap().to_owned());
        assert_eq!(edited(&good, |_| ()), good);
        for header in [[0xd9, 0x5d, 0x00], [0xd9, 0x5d, 0x02], [0xd9, 0x5d, 0x04], [0xd9, 0x5e, 0x01], [0, 0, 0]] {
            fails_at(&with_bytes(&good, &[&header[..], &bytes[3..]].concat()), "proof-shape");
        }
        for prefix in ["z", "U", "m", ""] {
            let mut bad = good.clone();
            bad["proof"]["proofValue"] = json!(format!("{prefix}{}", &text[1..]));
            fails_at(&bad, "proof-shape");
        }
        let mut padded = good.clone();
        padded["proof"]["proofValue"] = json!(format!("{text}="));
        fails_at(&padded, "proof-shape");
        fails_at(&with_bytes(&good, &[&bytes[..], &[0xf6]].concat()), "proof-shape");
        fails_at(&with_bytes(&good, &bytes[..bytes.len() - 1]), "proof-shape");
        fails_at(&with_bytes(&good, &bytes[..3]), "proof-shape");
        // The same array with a longer length, and without a length.
        assert_eq!(bytes[3], 0x85);
        fails_at(&with_bytes(&good, &[&bytes[..3], &[0x98, 5], &bytes[4..]].concat()), "proof-shape");
        fails_at(&with_bytes(&good, &[&bytes[..3], &[0x9f], &bytes[4..], &[0xff]].concat()), "proof-shape");
        let tagged = |components: &mut Vec<Cbor>| components[0] = Cbor::Tag(64, Box::new(components[0].clone()));
        fails_at(&edited(&good, tagged), "proof-shape");
        fails_at(&edited(&good, |components| components.push(Cbor::Null)), "proof-shape");
        fails_at(&edited(&good, |components| drop(components.pop())), "proof-shape");
        let reversed = |components: &mut Vec<Cbor>| components[labels].as_map_mut().unwrap().reverse();
        fails_at(&edited(&good, reversed), "proof-shape");
        let twice = |components: &mut Vec<Cbor>| {
            let map = components[labels].as_map_mut().unwrap();
            map[1].0 = map[0].0.clone();
        };
        fails_at(&edited(&good, twice), "proof-shape");
        fails_at(&edited(&good, |components| components[mandatory].as_array_mut().unwrap().reverse()), "proof-shape");
        let negative = |components: &mut Vec<Cbor>| components[mandatory].as_array_mut().unwrap()[0] = (-1).into();
        fails_at(&edited(&good, negative), "proof-shape");
        let deep = [&bytes[..3], &[0x81; 100_000], &[0xf6]].concat();
        fails_at(&with_bytes(&good, &deep), "proof-shape");
        // Lengths that are not there: a string of 2^62 bytes, an array and a map of 2^62 items.
        for first in [0x5b, 0x9b, 0xbb] {
            let endless = [&bytes[..3], &[0x85, first, 0x40, 0, 0, 0, 0, 0, 0, 0]].concat();
            fails_at(&with_bytes(&good, &endless), "proof-shape");
        }
    }
}

#[test]
fn labels_and_places_are_those_of_what_is_there() {
    for (suite, kind) in SUITES {
        let good = derived(suite, kind);
        let (labels, mandatory, others) = places(suite);
        let same = |components: &mut Vec<Cbor>| {
            let map = components[labels].as_map_mut().unwrap();
            map[1].1 = map[0].1.clone();
        };
        fails_at(&edited(&good, same), "proof-shape");
        let swapped = |components: &mut Vec<Cbor>| {
            let map = components[labels].as_map_mut().unwrap();
            let first = map[0].1.clone();
            map[0].1 = std::mem::replace(&mut map[1].1, first);
        };
        fails_at(&edited(&good, swapped), "signature");
        fails_at(&edited(&good, |components| drop(components[labels].as_map_mut().unwrap().pop())), "signature");
        let huge = |components: &mut Vec<Cbor>| {
            let label = |number: u64| match suite {
                Suite::Bbs2023 => number.into(),
                _ => Cbor::Bytes([&[0; 24][..], &number.to_be_bytes()].concat()),
            };
            components[labels] = Cbor::Map((0..2_001).map(|number: u64| (number.into(), label(number))).collect());
        };
        fails_at(&edited(&good, huge), "proof-shape");
        let far = |components: &mut Vec<Cbor>| components[mandatory].as_array_mut().unwrap().push(1_000_000.into());
        fails_at(&edited(&good, far), "signature");
        let fewer = |components: &mut Vec<Cbor>| drop(components[mandatory].as_array_mut().unwrap().pop());
        fails_at(&edited(&good, fewer), "signature");
        fails_at(&edited(&good, |components| drop(components[others].as_array_mut().unwrap().pop())), "signature");
    }
    let bbs = derived(Suite::Bbs2023, KeyKind::Bls12381G2);
    let last = |place: u64| {
        move |components: &mut Vec<Cbor>| *components[3].as_array_mut().unwrap().last_mut().unwrap() = place.into()
    };
    fails_at(&edited(&bbs, last(1_999)), "signature");
    fails_at(&edited(&bbs, |components| components[3].as_array_mut().unwrap().reverse()), "proof-shape");
    let large = |components: &mut Vec<Cbor>| components[1].as_map_mut().unwrap()[0].1 = 2_000.into();
    fails_at(&edited(&bbs, large), "proof-shape");
}

#[test]
fn a_proof_of_bbs_is_a_proof_and_not_the_point_at_infinity() {
    let good = derived(Suite::Bbs2023, KeyKind::Bls12381G2);
    let infinity = [&[0xc0][..], &[0; 47]].concat();
    for point in 0..3 {
        let at = |components: &mut Vec<Cbor>| {
            let proof = components[0].as_bytes_mut().unwrap();
            proof.splice(48 * point..48 * (point + 1), infinity.clone());
        };
        fails_at(&edited(&good, at), "proof-shape");
    }
    let both = |components: &mut Vec<Cbor>| {
        components[0].as_bytes_mut().unwrap().splice(..96, [infinity.clone(), infinity.clone()].concat());
    };
    fails_at(&edited(&good, both), "proof-shape");
    let cut = |by: usize| {
        edited(&good, |components| {
            let proof = components[0].as_bytes_mut().unwrap();
            proof.truncate(proof.len() - by);
        })
    };
    fails_at(&cut(1), "proof-shape");
    fails_at(&cut(32), "signature");
    fails_at(&edited(&good, |components| components[0] = Cbor::Bytes(vec![0x80; 271])), "proof-shape");
    let endless = |components: &mut Vec<Cbor>| components[0].as_bytes_mut().unwrap().extend(vec![0; 32 * 2_000]);
    fails_at(&edited(&good, endless), "proof-shape");
}

#[test]
fn a_proof_of_bbs_answers_one_verifier_and_can_not_be_linked() {
    let base = base(Suite::Bbs2023, KeyKind::Bls12381G2);
    assert!(base["proof"].get("created").is_none(), "a moment would tell which credential it is");
    let header = b"challenge of one verifier".to_vec();
    let options = DeriveOptions { presentation_header: header.clone(), ..chosen(&CHOSEN) };
    let answer = derive(&base, &options).unwrap();
    let with = |header: Option<&[u8]>| {
        let policy = Policy { presentation_header: header.map(<[u8]>::to_vec), ..policy() };
        verify_credential(answer.to_string().as_bytes(), &policy)
    };
    assert!(with(Some(&header)).verified.is_some(), "{:?}", with(Some(&header)).checks);
    assert_eq!(with(Some(b"of another")).failed(), ["challenge"]);
    assert_eq!(with(None).failed(), ["challenge"]);
    // The header is part of what is proven.
    let replayed = edited(&answer, |components| components[4] = Cbor::Bytes(b"of another".to_vec()));
    let policy = Policy { presentation_header: Some(b"of another".to_vec()), ..policy() };
    assert_eq!(verify_credential(replayed.to_string().as_bytes(), &policy).failed(), ["signature"]);
    // A credential by another suite has none to show.
    let other = derived(Suite::EcdsaSd2023, KeyKind::P256);
    assert_eq!(verify_credential(other.to_string().as_bytes(), &policy).failed(), ["challenge"]);
    let long = DeriveOptions { presentation_header: vec![0; 1_001], ..chosen(&CHOSEN) };
    assert!(matches!(derive(&base, &long), Err(DeriveError::Proof(_))));

    let again = derive(&base, &options).unwrap();
    let proof = |document: &Value| {
        let components: Vec<Cbor> = ciborium::from_reader(&bytes_of(document)[3..]).unwrap();
        components[0].as_bytes().unwrap().clone()
    };
    let (one, other) = (proof(&answer), proof(&again));
    assert!(one.chunks(16).zip(other.chunks(16)).all(|(one, other)| one != other));
}

#[test]
fn nothing_is_derived_from_what_was_not_signed() {
    for (suite, kind) in SUITES {
        let base = base(suite, kind);
        for bad in ["/nothing", "issuer", "/credentialSubject/friends/3", "/credentialSubject/friends/01", "/a~2"] {
            assert!(matches!(derive(&base, &chosen(&[bad])), Err(DeriveError::Options(_))), "{bad}");
            let own = key(kind, 7);
            let options = IssueOptions { mandatory: Some(texts(&[bad])), ..options(suite) };
            assert!(matches!(issue(&credential(&own), &options, &own), Err(IssueError::Options(_))), "{bad}");
        }
        let mut changed = base.clone();
        changed["credentialSubject"]["alumniOf"]["name"] = json!("Another");
        assert!(matches!(derive(&changed, &chosen(&CHOSEN)), Err(DeriveError::Proof(_))));
        // An issuer's pointers that somebody took away would leave out what is mandatory.
        let fewer = edited(&base, |components| drop(components[4].as_array_mut().unwrap().pop()));
        assert!(matches!(derive(&fewer, &chosen(&CHOSEN)), Err(DeriveError::Proof(_))));
        let derived = derive(&base, &chosen(&CHOSEN)).unwrap();
        assert!(matches!(derive(&derived, &chosen(&[])), Err(DeriveError::Proof(_))));
        assert!(matches!(derive(&json!([]), &chosen(&[])), Err(DeriveError::Document(_))));
        let mut two = base.clone();
        two["proof"] = json!([base["proof"], base["proof"]]);
        assert!(matches!(derive(&two, &chosen(&[])), Err(DeriveError::Document(_))));
        let all: Vec<String> = vec!["/issuer".to_owned(); 1_001];
        let many = DeriveOptions { pointers: all, ..DeriveOptions::default() };
        assert!(matches!(derive(&base, &many), Err(DeriveError::Options(_))));
    }
}

#[test]
fn what_has_no_parts_is_not_signed_for_its_parts() {
    for (suite, kind) in SUITES {
        let own = key(kind, 7);
        let with = |name: &str, value: Value| {
            let mut document = credential(&own);
            document["credentialSubject"][name] = value;
            issue(&document, &options(suite), &own)
        };
        for value in [json!({ "@list": ["a", "b"] }), json!({ "id": "_:b0" }), json!({ "id": "urn:bnid:0" })] {
            assert!(matches!(with("x", value.clone()), Err(IssueError::Document(_))), "{value}");
        }
        // What JSON says by itself is no thing that could have a name.
        let json = json!({ "@value": { "a": [{ "b": 1 }] }, "@type": "@json" });
        let made = derive(&with("x", json).unwrap(), &chosen(&["/credentialSubject/x"])).unwrap();
        assert!(check(&made).verified.is_some(), "{:?}", check(&made).checks);
        // Half a value means something else.
        let tagged = with("name", json!({ "@value": "one", "@language": "en" })).unwrap();
        assert!(derive(&tagged, &chosen(&["/credentialSubject/name/@value"])).is_err());
        assert!(derive(&tagged, &chosen(&["/credentialSubject/name"])).is_ok());

        let following = IssueOptions { previous: vec!["urn:proof:1".to_owned()], ..options(suite) };
        assert!(matches!(issue(&credential(&own), &following, &own), Err(IssueError::Options(_))));
        let many: Vec<Value> = (0..2_001).map(|number| json!({ "name": format!("{number}") })).collect();
        assert!(matches!(with("friends", json!(many)), Err(IssueError::Document(_))));
    }
    let ed = key(KeyKind::Ed25519, 7);
    let document = credential(&ed);
    assert!(matches!(issue(&document, &options(Suite::EddsaRdfc2022), &ed), Err(IssueError::Options(_))));
    assert_eq!(issue(&document, &options(Suite::Bbs2023), &ed), Err(IssueError::Suite));
}

#[test]
fn a_holder_has_one_pseudonym_in_each_study_and_nobody_else_has_it() {
    let own = key(KeyKind::Bls12381G2, 7);
    let (secret, commitment) = PseudonymSecret::make().unwrap();
    let secret = PseudonymSecret::from_bytes(&secret.to_bytes()).unwrap();
    let committed = |commitment: &[u8]| {
        let options = IssueOptions { commitment: Some(commitment.to_vec()), ..options(Suite::Bbs2023) };
        issue(&credential(&own), &options, &own)
    };
    let base = committed(&commitment).unwrap();
    let in_study = |study: &str| derive_as(&secret, study, &base, &chosen(&CHOSEN)).unwrap();
    let asked = |document: &Value, study: Option<&str>| {
        let policy = Policy { pseudonym_context: study.map(str::to_owned), ..policy() };
        verify_credential(document.to_string().as_bytes(), &policy)
    };
    let (one, again, other) = (in_study("heart-2026"), in_study("heart-2026"), in_study("lung-2026"));
    let verification = asked(&one, Some("heart-2026"));
    assert!(verification.verified.is_some(), "{:?}", verification.checks);
    assert_eq!(pseudonym(&one), pseudonym(&again));
    assert_ne!(one["proof"]["proofValue"], again["proof"]["proofValue"]);
    assert_ne!(pseudonym(&one), pseudonym(&other));

    // In another study, without being asked, and without one.
    assert_eq!(asked(&one, Some("lung-2026")).failed(), ["signature"]);
    assert_eq!(asked(&one, None).failed(), ["audience", "signature"]);
    let plain = derived(Suite::Bbs2023, KeyKind::Bls12381G2);
    assert_eq!(asked(&plain, Some("heart-2026")).failed(), ["audience", "signature"]);
    assert!(pseudonym(&plain).is_none());
    assert_eq!(asked(&derived(Suite::EcdsaSd2023, KeyKind::P256), Some("heart-2026")).failed(), ["audience"]);
    fails_at(&base, "proof-shape");
    // A presentation around it needs none of its own.
    let holder = key(KeyKind::P256, 9);
    let presentation = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": holder.id().as_str(),
        "verifiableCredential": [one],
    });
    let mut answering = IssueOptions::new(Suite::EcdsaRdfc2019, "2026-11-22T12:00:00Z".parse().unwrap());
    answering.challenge = Some("c1".to_owned());
    let presentation = issue(&presentation, &answering, &holder).unwrap();
    let asking =
        Policy { challenge: Some("c1".to_owned()), pseudonym_context: Some("heart-2026".to_owned()), ..policy() };
    let report = verify_presentation(presentation.to_string().as_bytes(), &asking);
    assert!(report.presentation.verified.is_some(), "{:?}", report.presentation.checks);
    // A statement of the holder's own, in the places of the secret and of what hides it.
    for behind in [0_u64, 1] {
        let injected = edited(&one, |components| {
            let signed = u64::try_from(components[6].as_integer().unwrap()).unwrap();
            *components[3].as_array_mut().unwrap().last_mut().unwrap() = (signed + behind).into();
        });
        let verification = asked(&injected, Some("heart-2026"));
        let refused = verification.checks.iter().find(|check| check.name == "proof-shape").unwrap();
        assert!(refused.detail.contains("where the issuer signed none"), "{}", refused.detail);
    }
    // Another's pseudonym, the point at infinity, and other numbers of statements.
    let others = pseudonym(&other).unwrap().to_vec();
    let swapped = edited(&one, |components| components[5] = Cbor::Bytes(others));
    assert_eq!(asked(&swapped, Some("heart-2026")).failed(), ["signature"]);
    let nobody = edited(&one, |components| components[5] = Cbor::Bytes([&[0xc0][..], &[0; 47]].concat()));
    assert_eq!(asked(&nobody, Some("heart-2026")).failed(), ["signature"]);
    for count in [0_u64, 1_000, 2_001, u64::MAX] {
        let bad = edited(&one, |components| components[6] = count.into());
        assert!(asked(&bad, Some("heart-2026")).failed().contains(&"proof-shape"), "{count}");
    }

    // Who holds the credential and not the secret proves nothing.
    let (thief, _) = PseudonymSecret::make().unwrap();
    assert!(matches!(derive_as(&thief, "heart-2026", &base, &chosen(&CHOSEN)), Err(DeriveError::Proof(_))));
    assert!(matches!(derive(&base, &chosen(&CHOSEN)), Err(DeriveError::Proof(_))));
    let without = self::base(Suite::Bbs2023, KeyKind::Bls12381G2);
    assert!(matches!(derive_as(&secret, "heart-2026", &without, &chosen(&CHOSEN)), Err(DeriveError::Proof(_))));

    // The issuer signs no commitment that its holder does not know the secret of.
    let mut wrong = commitment.clone();
    *wrong.last_mut().unwrap() ^= 1;
    assert!(matches!(committed(&wrong), Err(IssueError::Document(_))));
    assert!(matches!(committed(&commitment[..143]), Err(IssueError::Options(_))));
    let ecdsa = IssueOptions { commitment: Some(commitment), ..options(Suite::EcdsaSd2023) };
    let own = key(KeyKind::P256, 7);
    assert!(matches!(issue(&credential(&own), &ecdsa, &own), Err(IssueError::Options(_))));
    assert!(PseudonymSecret::from_bytes(&[0xff; 64]).is_err());
}
