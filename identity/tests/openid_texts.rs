//! OpenID4VP and OpenID4VCI as texts: queries, encrypted answers, offers and proofs, and what is refused of them.
#![allow(clippy::unwrap_used, reason = "a test may break off")]

use consent::{Purpose, Timestamp};
use identity::openid::{
    Answer, AnswerKey, CONSENT_TYPES, Draft, ENROLMENT_CONFIGURATION, Format, Held, IssuerMetadata, Link, Method,
    Offer, OfferLink, PinRule, Query, Request, Source, Transaction, consent_query, credential_request, find, form,
    issuer_metadata, read_answer, read_credential_request, read_token_request, token_request,
};
use identity::{SigningKey, sign_jws};
use serde_json::{Value, json};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn now() -> Timestamp {
    Timestamp::from_unix(1_795_000_000)
}

fn draft<'a>(query: &'a Value, key: Option<&'a AnswerKey>) -> Draft<'a> {
    Draft {
        response_uri: "https://verifier.example/response",
        nonce: "0123456789abcdef",
        state: "state",
        query,
        name: "Verifier",
        attestation: Some("a word"),
        transaction: None,
        key,
        expires: now().plus_seconds(300),
    }
}

fn read(jws: String, client: &SigningKey) -> Result<Request, &'static str> {
    let link = Link { client_id: Draft::client_id(client), source: Source::Signed(jws) };
    Request::read(&link, None, None, now()).map_err(|refused| refused.check)
}

#[test]
fn what_a_researcher_asks_is_what_a_wallet_reads() {
    let (query, purpose) = (consent_query(&"heart-rhythm".parse().unwrap()), Purpose::default());
    let transaction = Transaction::new("consent", &purpose);
    let draft = Draft { transaction: Some(&transaction), ..draft(&query, None) };
    let request = read(draft.sign(&key(1), None, now()), &key(1)).unwrap();
    assert_eq!(request.query, Query::read(&query).unwrap());
    assert_eq!((request.nonce.as_str(), request.state.as_deref()), ("0123456789abcdef", Some("state")));
    assert_eq!(request.attestations, ["a word"]);
    assert_eq!(request.transaction.map(|read| read.hash()), Some(transaction.hash()));
    assert_eq!(request.expires, Some(now().plus_seconds(300)));
    assert_eq!(read(draft.sign(&key(2), None, now()), &key(1)), Err("client-id"));
    assert_eq!(read(draft.sign(&key(1), Some("unasked"), now()), &key(1)), Err("wallet-nonce"));
    assert_eq!(read(draft.sign(&key(1), None, now().plus_seconds(1_000)), &key(1)), Err("expires"));
    // Another kind of message under the same key is no request.
    assert_eq!(read(sign_jws(&key(1), "account.v1+jws", b"{}"), &key(1)), Err("typ"));
    let words = json!({ "type": identity::openid::PURPOSE_TRANSACTION, "credential_ids": ["consent"], "purpose": { "topics": ["XYZ"] } });
    for data in [json!([]), json!(["e30", "e30"]), json!(["%"]), json!("e30"), json!([encoded(&words)])] {
        assert_eq!(with(&draft, "transaction_data", data.clone()), Err("transaction-data"), "{data}");
    }
    let unbound = json!({ "credentials": [{ "id": "consent", "format": "ldp_vc", "require_cryptographic_holder_binding": false, "meta": { "type_values": [["A"]] } }] });
    assert_eq!(with(&draft, "dcql_query", unbound), Err("transaction-data"));
}

fn encoded(value: &Value) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The request with one member exchanged.
fn with(draft: &Draft<'_>, name: &str, value: Value) -> Result<Request, &'static str> {
    let jws = draft.sign(&key(1), None, now());
    let mut said: Value = serde_json::from_slice(&identity::verify_jws(&jws).unwrap().payload).unwrap();
    said[name] = value;
    read(sign_jws(&key(1), identity::openid::REQUEST_TYPE, said.to_string().as_bytes()), &key(1))
}

#[test]
fn links_are_read_strictly() {
    let uri = "https://verifier.example/request";
    let link = Link::to(&Draft::client_id(&key(1)), uri);
    let read = Link::read(&link).unwrap();
    assert_eq!(read.source, Source::At { uri: uri.into(), method: Method::Post });
    let client = format!("client_id={}", Draft::client_id(&key(1)));
    for (link, check) in [
        ("https://verifier.example".to_owned(), "link"),
        (format!("openid4vp://?{client}&{client}"), "link"),
        (format!("openid4vp://?{client}&request=a&request_uri={uri}"), "link"),
        (format!("openid4vp://?{client}&request_uri_method=post"), "link"),
        (format!("openid4vp://?{client}&request_uri={uri}&request_uri_method=POST"), "link"),
        (format!("openid4vp://?{client}&request_uri=file:///etc/passwd"), "link"),
        (format!("openid4vp://?{client}&request_uri=https://a:b@verifier.example/"), "link"),
        (format!("openid4vp://?{client}&dcql_query=1,%22client_id%22:1"), "link"),
        (format!("openid4vp://?{client}&dcql_query={{"), "json"),
        ("openid4vp://?request=a".to_owned(), "link"),
        ("openid4vp://?client_id=verifier".to_owned(), "client-id"),
        ("openid4vp://?client_id=x509_san_dns:verifier.example".to_owned(), "client-id"),
        ("openid4vp://?client_id=decentralized_identifier:did:web:verifier.example".to_owned(), "client-id"),
        (format!("openid4vp://?{}", "a".repeat(70_000)), "size"),
    ] {
        assert_eq!(Link::read(&link).unwrap_err().check, check, "{}", &link[..link.len().min(120)]);
    }
}

fn found(query: &Value, claims: &Value) -> Option<Vec<Vec<usize>>> {
    let held = Held { format: Format::LdpVc, types: CONSENT_TYPES, claims };
    let wants = find(&Query::read(query).unwrap(), &[held])?;
    Some(wants.into_iter().flat_map(|want| want.credentials).map(|(_, found)| found[0].claims.clone()).collect())
}

#[test]
fn queries_find_what_is_there_and_nothing_else() {
    let claims = json!({ "a": { "b": [{ "c": 1 }, { "c": "two" }, {}] }, "d": true, "e": null });
    let ask = |claims: Value, sets: Option<Value>| {
        let mut one = json!({ "id": "x", "format": "ldp_vc", "meta": { "type_values": [["Other"], ["ResearchConsentCredential"]] }, "claims": claims });
        if let Some(sets) = sets {
            one["claim_sets"] = sets;
        }
        json!({ "credentials": [one] })
    };
    for (claims_asked, expected) in [
        (json!([{ "path": ["a", "b", null, "c"] }]), true),
        (json!([{ "path": ["a", "b", 1, "c"], "values": ["two", 3] }]), true),
        (json!([{ "path": ["a", "b", 0, "c"], "values": [1] }]), true),
        (json!([{ "path": ["d"], "values": [true] }, { "path": ["a"] }]), true),
        (json!([{ "path": ["e"] }]), true),
        (json!([{ "path": ["a", "b", 0, "c"], "values": ["1"] }]), false),
        (json!([{ "path": ["a", "b", 3] }]), false),
        (json!([{ "path": ["a", 0] }]), false),
        (json!([{ "path": ["d", null] }]), false),
        (json!([{ "path": ["a"] }, { "path": ["z"] }]), false),
    ] {
        assert_eq!(found(&ask(claims_asked.clone(), None), &claims).is_some(), expected, "{claims_asked}");
    }
    // The first set that can be met, though a later one could be, too.
    let both = json!([{ "id": "z", "path": ["z"] }, { "id": "a", "path": ["a"] }, { "id": "d", "path": ["d"] }]);
    let sets = json!([["z", "a"], ["d"], ["a"]]);
    assert_eq!(found(&ask(both.clone(), Some(sets)), &claims), Some(vec![vec![2]]));
    assert_eq!(found(&ask(both, Some(json!([["z"]]))), &claims), None);
    for (member, value) in [
        ("format", json!("mso_mdoc")),
        ("format", json!("jwt_vc_json")),
        ("meta", json!({ "type_values": [["ResearchConsentCredential", "Other"]] })),
        ("trusted_authorities", json!([{ "type": "aki", "values": ["x"] }])),
    ] {
        let mut query = ask(json!([{ "path": ["a"] }]), None);
        query["credentials"][0][member] = value;
        assert_eq!(found(&query, &claims), None, "{query}");
    }
}

#[test]
fn queries_that_say_nothing_clear_are_refused() {
    let good = consent_query(&"heart-rhythm".parse().unwrap());
    assert!(Query::read(&good).is_ok());
    let changes: [(&str, Value); 14] = [
        ("/credentials", json!([])),
        ("/credentials", json!([good["credentials"][0], good["credentials"][0]])),
        ("/credentials/0/id", json!("a b")),
        ("/credentials/0/format", json!(1)),
        ("/credentials/0/meta", json!({})),
        ("/credentials/0/meta", json!({ "type_values": [[]] })),
        ("/credentials/0/multiple", json!("no")),
        ("/credentials/0/claims", json!([])),
        ("/credentials/0/claims/0/path", json!([])),
        ("/credentials/0/claims/0/path", json!([null])),
        ("/credentials/0/claims/0/path", json!(["a", -1])),
        ("/credentials/0/claims/0/path", json!(vec!["a"; 33])),
        ("/credentials/0/claims/0/values", json!([1.5])),
        ("/credentials/0/claims/0/values", json!([{}])),
    ];
    for (place, value) in changes {
        let mut query = good.clone();
        *query.pointer_mut(place).unwrap() = value;
        assert_eq!(Query::read(&query).unwrap_err().check, "query", "{query}");
    }
    for sets in [json!([]), json!([{ "options": [] }]), json!([{ "options": [["nobody"]] }])] {
        let mut query = good.clone();
        query["credential_sets"] = sets;
        assert_eq!(Query::read(&query).unwrap_err().check, "query", "{query}");
    }
    let mut later = good;
    later["credentials"][0]["something_new"] = json!(true);
    assert!(Query::read(&later).is_ok());
}

#[test]
fn an_encrypted_answer_is_for_one_key_and_whole() {
    let (query, own, other) = (consent_query(&"heart-rhythm".parse().unwrap()), AnswerKey::make(), AnswerKey::make());
    let request = read(draft(&query, Some(&own)).sign(&key(1), None, now()), &key(1)).unwrap();
    let answer = Answer {
        state: request.state.clone(),
        presentations: [("consent".to_owned(), vec![json!({ "holder": "did:key:z" })])].into(),
        records: [("consent".to_owned(), vec![json!({ "entry": "e" })])].into(),
    };
    let body = form(&answer, &request.sealing).unwrap();
    assert_eq!(read_answer(body.as_bytes(), Some(&own)), Ok(answer.clone()));
    let check = |body: &str, key: Option<&AnswerKey>| read_answer(body.as_bytes(), key).unwrap_err().check;
    assert_eq!(check(&body, Some(&other)), "encryption");
    assert_eq!(check(&body, None), "encryption");
    let open = form(&answer, &identity::openid::Sealing::Open).unwrap();
    assert_eq!(read_answer(open.as_bytes(), None), Ok(answer));
    assert_eq!(check(&open, Some(&own)), "encryption");
    assert_eq!(check(&format!("{open}&state=2"), None), "json");
    assert_eq!(check("error=access_denied", None), "response-type");
    assert_eq!(check("state=1", None), "json");
    // Every sign of it counts.
    for place in ["response=".len(), body.len() / 2, body.len() - 2] {
        let mut changed = body.clone();
        let other = if &changed[place..=place] == "A" { "B" } else { "A" };
        changed.replace_range(place..=place, other);
        assert!(["encryption", "json"].contains(&check(&changed, Some(&own))), "{place}");
    }
    let parts: Vec<&str> = body.split('.').collect();
    for wrong in [parts[..4].join("."), [&parts[..4], &[""]].concat().join("."), format!("{body}.a")] {
        assert_eq!(check(&wrong, Some(&own)), "encryption");
    }
}

#[test]
fn offers_and_proofs_say_what_they_said() {
    let issuer = "https://biobank.example";
    let offer = Offer {
        issuer: issuer.into(),
        configurations: vec![ENROLMENT_CONFIGURATION.into()],
        code: "code".into(),
        pin: Some(PinRule { numeric: false, length: Some(9) }),
    };
    assert_eq!(OfferLink::read(&offer.to_link()), Ok(OfferLink::Whole(offer.clone())));
    assert_eq!(
        read_token_request(token_request(&offer, Some("ABCD-EFGH")).as_bytes()),
        Ok(("code".into(), Some("ABCD-EFGH".into())))
    );
    assert_eq!(read_token_request(b"grant_type=password").unwrap_err().check, "token");
    for wrong in [
        json!({}),
        json!({ "credential_issuer": "http:", "credential_configuration_ids": ["a"] }),
        json!({ "credential_issuer": issuer, "credential_configuration_ids": ["a"], "grants": { "authorization_code": {} } }),
        json!({ "credential_issuer": issuer, "credential_configuration_ids": [], "grants": {} }),
    ] {
        assert_eq!(Offer::read(wrong.to_string().as_bytes()).unwrap_err().check, "offer", "{wrong}");
    }
    let metadata = issuer_metadata(issuer, "Example").to_string();
    let read = |issuer: &str, name: &str| IssuerMetadata::read(metadata.as_bytes(), issuer, name).map_err(|r| r.check);
    assert!(read(issuer, ENROLMENT_CONFIGURATION).is_ok());
    assert_eq!(read("https://other.example", ENROLMENT_CONFIGURATION).err(), Some("metadata"));
    assert_eq!(read(issuer, "Diploma").err(), Some("metadata"));

    let body = credential_request(&key(1), issuer, ENROLMENT_CONFIGURATION, Some("nonce"), now()).to_string();
    let read = |body: &str, issuer: &str, now| {
        read_credential_request(body.as_bytes(), issuer, now).map_err(|refused| refused.check)
    };
    assert_eq!(read(&body, issuer, now()), Ok((key(1).did(), "nonce".into())));
    assert_eq!(read(&body, "https://other.example", now()), Err("audience"));
    assert_eq!(read(&body, issuer, now().plus_seconds(301)), Err("expires"));
    assert_eq!(read(&body, issuer, now().plus_seconds(-301)), Err("expires"));
    let unbound = credential_request(&key(1), issuer, ENROLMENT_CONFIGURATION, None, now()).to_string();
    assert_eq!(read(&unbound, issuer, now()), Err("proof"));
    let other = credential_request(&key(1), issuer, "Diploma", Some("nonce"), now()).to_string();
    assert_eq!(read(&other, issuer, now()), Err("credential"));
}
