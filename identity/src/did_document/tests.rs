use super::*;
use serde_json::{Value, json};

const KEY: &str = "did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b";

fn did(text: &str) -> DidUrl {
    DidUrl::parse_did(text).unwrap()
}

#[test]
fn did_urls_have_their_parts_and_look_alikes_are_none() {
    let url = DidUrl::parse("did:web:example.org:u%41:x/p/q?a=b#key-1").unwrap();
    assert_eq!((url.did(), url.method(), url.id()), ("did:web:example.org:u%41:x", "web", "example.org:u%41:x"));
    assert_eq!((url.path_and_query(), url.fragment()), ("/p/q?a=b", Some("key-1")));
    for bad in [
        "",
        "did",
        "did:",
        "did:web",
        "did:web:",
        "did::x",
        "did:Web:x",
        "DID:web:x",
        "did:web:x:",
        "did:web:ex\u{430}mple.org", // a Cyrillic а
        "did:web:exam\u{200b}ple.org",
        "did:web:example.org\u{2024}",
        "did:web:x%4",
        "did:web:x%zz",
        "did:web:x y",
        "did:web:x\n",
        "did\u{ff1a}web:x",
        "did:web:@",
        "did:web:x\0",
    ] {
        assert_eq!(DidUrl::parse(bad), Err(ResolveError::InvalidDid), "{bad:?}");
    }
    for bad in ["did:web:x/^", "did:web:x?`", "did:web:x#a#b", "did:web:x#\u{e9}", "did:web:x/%"] {
        assert_eq!(DidUrl::parse(bad), Err(ResolveError::InvalidDidUrl), "{bad:?}");
    }
    let long = format!("did:web:{}", "a".repeat(MAX_DID_URL));
    assert_eq!(DidUrl::parse(&long), Err(ResolveError::InvalidDid));
    assert_eq!(DidUrl::parse_did("did:web:x#y"), Err(ResolveError::InvalidDid));
}

#[test]
fn each_did_web_has_one_address() {
    for (good, address) in [
        ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
        ("did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"),
        ("did:web:xn--80ak6aa92e.com", "https://xn--80ak6aa92e.com/.well-known/did.json"),
    ] {
        assert_eq!(address_of(&did(good)).unwrap().as_deref(), Some(address));
    }
    for bad in [
        "did:web:127.0.0.1",
        "did:web:2130706433",
        "did:web:0x7f.1",
        "did:web:10.0.0.1%3A8443",
        "did:web:%5B%3A%3A1%5D",
        "did:web:example.com%3A",
        "did:web:example.com%3A0",
        "did:web:example.com%3A080",
        "did:web:example.com%3A70000",
        "did:web:example.com%3a443",
        "did:web:example.com%2Fx",
        "did:web:example.com%40evil.example",
        "did:web:user%3Aword%40example.com",
        "did:web:Example.com",
        "did:web:example..com",
        "did:web:example.com.",
        "did:web:-example.com",
        "did:web:example_.com",
        "did:web:example.com:..:x",
        "did:web:example.com:.",
        "did:web:example.com::x",
        "did:web:example.com:%2E%2E:x",
        "did:web:example.com:a%2Fb",
    ] {
        assert_eq!(address_of(&did(bad)), Err(ResolveError::InvalidDid), "{bad}");
    }
    assert_eq!(address_of(&did("did:example:x")), Err(ResolveError::Method));
    assert_eq!(address_of(&did(KEY)), Ok(None));
}

#[test]
fn keys_are_documents_in_every_format() {
    for (name, member) in [
        ("Multikey", "publicKeyMultibase"),
        ("JsonWebKey2020", "publicKeyJwk"),
        ("Ed25519VerificationKey2020", "publicKeyMultibase"),
    ] {
        let document = key_document(&did(KEY), KeyFormat::named(name).unwrap()).unwrap();
        let method = &document.json()["verificationMethod"][0];
        assert_eq!((method["type"].as_str(), method[member].is_null()), (Some(name), false));
        let id = method["id"].as_str().unwrap();
        assert_eq!(document.key_for("assertionMethod", id).unwrap().as_str(), KEY);
        assert_eq!(document.part(id), Some(method));
        assert!(document.key_for("keyAgreement", id).is_err());
    }
    assert_eq!(KeyFormat::named("Ed25519VerificationKey2018"), None);
    let p256 = did("did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169");
    assert_eq!(key_document(&p256, KeyFormat::Ed25519VerificationKey2020), Err(ResolveError::KeyType));
    assert!(key_document(&p256, KeyFormat::JsonWebKey2020).is_ok());
    for (bad, error) in [
        ("did:key:z0OIl", ResolveError::InvalidDid),
        ("did:key:-4:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b", ResolveError::InvalidDid),
        ("did:key:2:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b", ResolveError::InvalidDid),
        ("did:key:6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b", ResolveError::InvalidDid),
        ("did:key:zTjsVPtY", ResolveError::KeyLength),
        ("did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc", ResolveError::KeyType),
    ] {
        assert_eq!(Local.resolve(&did(bad)), Err(error), "{bad}");
    }
}

/// Of the did:jwk specification, section "Examples".
const JWK: &str = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9";

#[test]
fn did_jwk_is_its_key() {
    let found = Local.resolve(&did(JWK)).unwrap();
    let key = found.document.key_for("assertionMethod", &format!("{JWK}#0")).unwrap();
    assert_eq!(found.document.json()["verificationMethod"][0]["publicKeyJwk"], key.to_jwk().unwrap());
    use base64::Engine as _;
    let encoded =
        |jwk: Value| format!("did:jwk:{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(jwk.to_string()));
    let good = key.to_jwk().unwrap();
    for (name, value) in [
        ("d", json!("AAAA")),
        ("use", json!("enc")),
        ("use", json!(7)),
        ("crv", json!("secp256k1")),
        ("crv", json!("P-384")),
        ("kty", json!("RSA")),
        ("x", json!("AAAA")),
        ("x", json!("acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0=")),
        ("y", good["x"].clone()),
        ("y", Value::Null),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert!(Local.resolve(&did(&encoded(bad.clone()))).is_err(), "{bad}");
    }
    for bad in ["did:jwk:e30", "did:jwk:W10", "did:jwk:AA", "did:jwk:eyJhIjoxLCJhIjoyfQ", "did:jwk:e30%3D"] {
        assert!(Local.resolve(&did(bad)).is_err(), "{bad}");
    }
}

const WEB: &str = "did:web:biobank.example";

fn document() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": WEB,
        "verificationMethod": [
            { "id": "#a", "type": "Multikey", "controller": WEB, "publicKeyMultibase": &KEY[8..] },
            { "id": format!("{WEB}#b"), "type": "Multikey", "controller": KEY, "publicKeyMultibase": &KEY[8..] },
            { "id": format!("{WEB}#c"), "type": "RsaKey", "controller": WEB, "n": "x" },
        ],
        "assertionMethod": ["#a", format!("{WEB}#b"), "#c", {
            "id": "#e", "type": "Multikey", "controller": WEB, "publicKeyMultibase": &KEY[8..],
        }],
        "service": [{ "id": "#files", "type": "LinkedDomains", "serviceEndpoint": "https://biobank.example" }],
    })
}

#[test]
fn a_document_lists_which_key_is_for_what() {
    let read = |value: &Value| DidDocument::read(value.to_string().as_bytes(), &did(WEB));
    let found = read(&document()).unwrap();
    for name in ["a", "e"] {
        assert_eq!(found.key_for("assertionMethod", &format!("{WEB}#{name}")).unwrap().as_str(), KEY);
        assert!(found.key_for("authentication", &format!("{WEB}#{name}")).is_err());
    }
    for (name, reason) in [("b", "controller"), ("c", "type"), ("d", "no such")] {
        let error = found.key_for("assertionMethod", &format!("{WEB}#{name}")).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
    assert!(found.part(&format!("{WEB}#files")).is_some() && found.part(&format!("{WEB}#nothing")).is_none());
    for (place, value) in [
        ("/id", json!("did:web:other.example")),
        ("/id", json!("did:web:BIOBANK.example")),
        ("/id", Value::Null),
        ("/verificationMethod", json!("#a")),
        ("/verificationMethod/0/controller", json!("biobank")),
        ("/verificationMethod/0/id", json!("a")),
        ("/verificationMethod/0/id", json!(format!("{WEB}#b"))),
        ("/verificationMethod/0/type", Value::Null),
        (
            "/verificationMethod/0",
            json!({ "id": "#a", "type": "Multikey", "controller": WEB, "privateKeyMultibase": "z" }),
        ),
        (
            "/verificationMethod/0",
            json!({ "id": "#a", "type": "JsonWebKey", "controller": WEB, "publicKeyJwk": { "d": "x" } }),
        ),
        ("/assertionMethod", json!(["\u{430}"])),
        ("/assertionMethod", json!([7])),
        ("/assertionMethod", json!(vec!["#a"; 65])),
    ] {
        let mut bad = document();
        *bad.pointer_mut(place).unwrap() = value;
        assert!(matches!(read(&bad), Err(ResolveError::InvalidDocument(_))), "{place}");
    }
    let mut bad = document();
    bad["controller"] = json!(["x"]);
    assert!(read(&bad).is_err());
    let twice = format!("{{\"id\":\"{WEB}\",\"id\":\"{WEB}\"}}");
    assert!(DidDocument::read(twice.as_bytes(), &did(WEB)).is_err());
    let long = format!("{{\"id\":\"{WEB}\",\"x\":\"{}\"}}", "x".repeat(MAX_DOCUMENT));
    assert!(DidDocument::read(long.as_bytes(), &did(WEB)).is_err());
}

#[test]
fn the_cache_knows_ages_and_forgets() {
    let at = Timestamp::from_unix;
    let web = did(WEB);
    let read = || DidDocument::read(document().to_string().as_bytes(), &web);
    let mut cache = Cache::new(CacheTimes { found: 100, failed: 10 }, 2);
    assert!(cache.get(&web, at(1_000)).is_none());
    cache.put(&web, read(), at(1_000));
    let found = cache.get(&web, at(1_060)).unwrap().unwrap();
    assert_eq!((found.age, found.age.seconds(at(1_060))), (Age::Cached(at(1_000)), 60));
    assert!(cache.get(&web, at(1_100)).is_none(), "too old");
    assert!(cache.get(&web, at(999)).is_none(), "the clock went back");
    cache.put(&web, Err(ResolveError::NotFound), at(1_200));
    assert_eq!(cache.get(&web, at(1_209)), Some(Err(ResolveError::NotFound)));
    assert!(cache.get(&web, at(1_210)).is_none(), "a no is kept for a shorter time");
    for (number, seconds) in [("a", 1_300), ("b", 1_301), ("c", 1_302)] {
        cache.put(&did(&format!("did:web:{number}.example")), Err(ResolveError::NotFound), at(seconds));
    }
    assert!(cache.get(&did("did:web:a.example"), at(1_303)).is_none(), "the oldest one made room");
    assert!(cache.get(&did("did:web:c.example"), at(1_303)).is_some());
}

#[test]
fn only_what_is_at_hand_is_known() {
    let web = did(WEB);
    let mut at_hand = AtHand::default();
    assert_eq!(at_hand.resolve(&web), Err(ResolveError::NotAtHand));
    assert_eq!(at_hand.resolve(&did("did:example:x")), Err(ResolveError::Method));
    assert!(at_hand.resolve(&did(KEY)).is_ok());
    assert_eq!(Local.resolve(&web), Err(ResolveError::Method));
    at_hand.put(&web, Err(ResolveError::Deactivated));
    assert_eq!(at_hand.resolve(&DidUrl::parse(&format!("{WEB}#a")).unwrap()), Err(ResolveError::Deactivated));
}
