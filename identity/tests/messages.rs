//! Signed messages, signed requests, sealed letters and canonical JSON.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may break off and print")]

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use consent::Timestamp;
use identity::canonical::{JsonError, parse_strict, to_canonical};
use identity::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn key(number: u8) -> SigningKey {
    SigningKey::from_seed([number; 32])
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A message with this header text, rightly signed by `key`.
fn jws_with_header(key: &SigningKey, header: &str, payload: &[u8]) -> String {
    let signed = format!("{}.{}", b64(header), b64(payload));
    format!("{signed}.{}", b64(key.sign(signed.as_bytes())))
}

#[test]
fn a_message_verifies_and_names_its_signer() {
    let jws = sign_jws(&key(1), "test.v1+jws", br#"{"a":1}"#);
    let verified = verify_jws(&jws).unwrap();
    assert_eq!((verified.signer, verified.typ.as_str()), (key(1).did(), "test.v1+jws"));
    assert_eq!(verified.payload, br#"{"a":1}"#);
    let header = URL_SAFE_NO_PAD.decode(jws.split('.').next().unwrap()).unwrap();
    let kid = key(1).did().verification_method();
    assert_eq!(String::from_utf8(header).unwrap(), format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"test.v1+jws"}}"#));
}

#[test]
fn other_headers_are_refused() {
    let signer = key(1);
    let kid = signer.did().verification_method();
    let stranger = key(2).did().verification_method();
    let did = signer.did();
    let cases = [
        (format!(r#"{{"alg":"none","kid":"{kid}","typ":"t"}}"#), JwsError::Algorithm),
        (format!(r#"{{"alg":"HS256","kid":"{kid}","typ":"t"}}"#), JwsError::Algorithm),
        (format!(r#"{{"alg":"EdDSA","kid":"{stranger}","typ":"t"}}"#), JwsError::Signature),
        (format!(r#"{{"alg":"EdDSA","kid":"{did}","typ":"t"}}"#), JwsError::Key),
        (format!(r#"{{"alg":"EdDSA","kid":"{did}#{}","typ":"t"}}"#, key(2).did().fingerprint()), JwsError::Key),
        (r#"{"alg":"EdDSA","kid":"did:web:x.example#1","typ":"t"}"#.to_owned(), JwsError::Key),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"t","x5u":"http://x"}}"#), JwsError::Header),
        (format!(r#"{{"alg":"EdDSA","b64":false,"crit":"b64","kid":"{kid}","typ":"t"}}"#), JwsError::Header),
        (format!(r#"{{"alg":"EdDSA","crit":["b64"],"kid":"{kid}","typ":"t"}}"#), JwsError::Header),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#), JwsError::Header),
        (format!(r#"{{"kid":"{kid}","typ":"t"}}"#), JwsError::Header),
        (format!(r#"{{"alg":"EdDSA","alg":"none","kid":"{kid}","typ":"t"}}"#), JwsError::Header),
        (format!(r#"{{"kid":"{kid}","alg":"EdDSA","typ":"t"}}"#), JwsError::Header),
        (format!(r#"{{ "alg":"EdDSA","kid":"{kid}","typ":"t"}}"#), JwsError::Header),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"\u0074"}}"#), JwsError::Header),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":1}}"#), JwsError::Header),
        ("null".to_owned(), JwsError::Header),
    ];
    for (header, error) in cases {
        assert_eq!(verify_jws(&jws_with_header(&signer, &header, b"x")), Err(error), "{header}");
    }
}

#[test]
fn other_texts_of_the_same_message_are_refused() {
    let jws = sign_jws(&key(1), "t", b"payload!");
    let [head, payload, signature]: [&str; 3] = jws.split('.').collect::<Vec<_>>().try_into().unwrap();
    let pad = |part: &str| URL_SAFE.encode(URL_SAFE_NO_PAD.decode(part).unwrap());
    // The last letter of 64 bytes carries four bits that mean nothing; they must be zero.
    let last = if signature.ends_with('A') { "B" } else { "x" };
    let stray = format!("{}{last}", &signature[..85]);
    let form = [
        format!("{head}.{}.{signature}", pad(payload)),
        format!("{head}.{payload}.{}", pad(signature)),
        format!("{head}.{payload}.{stray}"),
        format!("{head}.{payload}"),
        format!("{head}.{payload}.{signature}."),
        format!("{head}.{payload}.{signature}.x"),
        format!(" {jws}"),
        format!("{jws}\n"),
        String::new(),
        "..".to_owned(),
    ];
    for text in form {
        let error = verify_jws(&text).unwrap_err();
        assert!(matches!(error, JwsError::Form | JwsError::Header), "{text}: {error}");
    }
    let edited = format!("{head}.{}.{signature}", b64("payload?"));
    assert_eq!(verify_jws(&edited), Err(JwsError::Signature));
    assert_eq!(verify_jws(&format!("{head}.{payload}.{}", b64([0; 64]))), Err(JwsError::Signature));
    assert_eq!(verify_jws(&format!("{head}.{payload}.")), Err(JwsError::Signature));
    let long = sign_jws(&key(1), "t", &vec![b'x'; 64 * 1024]);
    assert_eq!(verify_jws(&long), Err(JwsError::TooLong));
    assert!(verify_jws(&sign_jws(&key(1), "t", &vec![b'x'; 48_000])).is_ok());
}

struct Request {
    headers: RequestHeaders,
    method: &'static str,
    authority: &'static str,
    path: &'static str,
    query: &'static str,
    body: &'static [u8],
    now: Timestamp,
}

fn created() -> Timestamp {
    Timestamp::from_unix(1_795_000_000)
}

fn request() -> Request {
    let (method, authority, path, query, body) = ("POST", "biobank.example", "/v1/entries", "a=1", &b"{}"[..]);
    let headers = sign_request(&key(1), method, authority, path, query, body, created(), "n0nce-12");
    Request { headers, method, authority, path, query, body, now: created().plus_seconds(5) }
}

fn check(r: &Request) -> Result<Caller, RequestError> {
    verify_request(&r.headers, r.method, r.authority, r.path, r.query, r.body, r.now, 60)
}

#[test]
fn a_request_verifies_and_names_its_caller() {
    let request = request();
    println!("{:#?}", request.headers);
    let caller = check(&request).unwrap();
    assert_eq!((caller.did, caller.nonce.as_str(), caller.created), (key(1).did(), "n0nce-12", created()));
    assert!(check(&Request { authority: "BIOBANK.example", ..self::request() }).is_ok());
}

/// The signature base, written out by hand from RFC 9421, section 2.5.
#[test]
fn the_signature_base_is_that_of_the_rfc() {
    let request = request();
    let kid = key(1).did().verification_method();
    let parameters = format!(
        r#"("@method" "@authority" "@path" "@query" "content-digest");created=1795000000;nonce="n0nce-12";keyid="{kid}";tag="consent-wallet""#
    );
    let lines = [
        r#""@method": POST"#.to_owned(),
        r#""@authority": biobank.example"#.to_owned(),
        r#""@path": /v1/entries"#.to_owned(),
        r#""@query": ?a=1"#.to_owned(),
        r#""content-digest": sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:"#.to_owned(),
        format!(r#""@signature-params": {parameters}"#),
    ];
    let signature = base64::engine::general_purpose::STANDARD.encode(key(1).sign(lines.join("\n").as_bytes()));
    assert_eq!(request.headers.signature_input, format!("sig1={parameters}"));
    assert_eq!(request.headers.signature, format!("sig1=:{signature}:"));
    assert_eq!(request.headers.content_digest, "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:");
}

#[test]
fn every_changed_part_of_a_request_is_noticed() {
    use RequestError::*;
    let signature = |r: Request| assert_eq!(check(&r), Err(Signature));
    signature(Request { method: "PUT", ..request() });
    signature(Request { method: "post", ..request() });
    signature(Request { authority: "biobank.example:8443", ..request() });
    signature(Request { authority: "other.example", ..request() });
    signature(Request { path: "/v1/entries/", ..request() });
    signature(Request { query: "", ..request() });
    signature(Request { query: "a=2", ..request() });
    assert_eq!(check(&Request { body: b"{ }", ..request() }), Err(Digest));
    assert_eq!(check(&Request { path: "/v1\n\"@query\": ?x", ..request() }), Err(Form));
    assert_eq!(check(&Request { now: created().plus_seconds(61), ..request() }), Err(TooOld));
    assert_eq!(check(&Request { now: created().plus_seconds(-301), ..request() }), Err(TooNew));

    let header = |edit: fn(&mut RequestHeaders)| {
        let mut request = request();
        edit(&mut request.headers);
        check(&request)
    };
    assert_eq!(header(|h| h.content_digest = "sha-256=:AAAA:".to_owned()), Err(Digest));
    assert_eq!(header(|h| h.content_digest = h.content_digest.replace("256", "512")), Err(Digest));
    assert_eq!(header(|h| h.signature_input = h.signature_input.replace("n0nce", "other")), Err(Signature));
    assert_eq!(header(|h| h.signature_input = h.signature_input.replace("1795000000", "1795000001")), Err(Signature));
    let stranger = |h: &mut RequestHeaders| {
        let (old, new) = (key(1).did().verification_method(), key(2).did().verification_method());
        h.signature_input = h.signature_input.replace(&old, &new);
    };
    assert_eq!(header(stranger), Err(Signature));
    assert_eq!(header(|h| h.signature_input = h.signature_input.replace(r#" "@query""#, "")), Err(Form));
    assert_eq!(header(|h| h.signature_input = h.signature_input.replace("consent-wallet", "x")), Err(Form));
    assert_eq!(header(|h| h.signature_input = h.signature_input.replace("=1795", "=+1795")), Err(Form));
    assert_eq!(header(|h| h.signature_input.push_str(";alg=\"none\"")), Err(Form));
    assert_eq!(header(|h| h.signature_input = "x".repeat(100_000)), Err(Form));
    assert_eq!(header(|h| h.signature_input = h.signature_input.replace("did:key:z", "did:key:x")), Err(Key));
    assert_eq!(header(|h| h.signature = h.signature.replace("sig1", "sig2")), Err(Form));
    assert_eq!(header(|h| h.signature = "sig1=:AAAA:".to_owned()), Err(Form));
    assert_eq!(header(|h| h.signature.clear()), Err(Form));
    let other = self::request().headers;
    let bad = sign_request(&key(1), "POST", "biobank.example", "/v1/entries", "a=1", b"{}", created(), "short");
    assert_ne!(bad, other);
    assert_eq!(check(&Request { headers: bad, ..request() }), Err(Form));
}

#[test]
fn a_letter_opens_for_its_addressee_only() {
    let sealed = seal(&key(1).did(), "mailbox", b"dear donor").unwrap();
    assert_eq!(open(&key(1), "mailbox", &sealed).unwrap().as_slice(), b"dear donor");
    assert_eq!(open(&key(2), "mailbox", &sealed), Err(SealError::Open));
    assert_eq!(open(&key(1), "other", &sealed), Err(SealError::Open));
    assert_ne!(seal(&key(1).did(), "mailbox", b"dear donor").unwrap(), sealed);
    for at in 0..sealed.len() {
        let mut bent = sealed.clone();
        bent[at] ^= 1;
        assert!(open(&key(1), "mailbox", &bent).is_err(), "byte {at}");
    }
    for length in 0..sealed.len() {
        assert!(open(&key(1), "mailbox", &sealed[..length]).is_err(), "{length} bytes");
    }
    assert!(open(&key(1), "mailbox", &[sealed.as_slice(), b"x"].concat()).is_err());
    // An encapsulated key of small order gives a shared secret that everybody knows.
    let mut weak = sealed.clone();
    weak[1..33].fill(0);
    assert_eq!(open(&key(1), "mailbox", &weak), Err(SealError::Open));
    assert_eq!(open(&key(1), "i", &seal(&key(1).did(), "i", b"").unwrap()).unwrap().len(), 0);
}

#[test]
fn canonical_json_is_that_of_rfc_8785() {
    // Section 3.2.3 of the RFC, without the numbers that this program does not use.
    let value =
        json!({ "\u{20ac}": "Euro", "\r": "CR", "1": "One", "\u{1f600}": "Smile", "\u{80}": "C", "\u{fb33}": "D" });
    let text = String::from_utf8(to_canonical(&value).unwrap()).unwrap();
    assert_eq!(
        text,
        "{\"\\r\":\"CR\",\"1\":\"One\",\"\u{80}\":\"C\",\"\u{20ac}\":\"Euro\",\"\u{1f600}\":\"Smile\",\"\u{fb33}\":\"D\"}"
    );
    let value = json!({ "b": [1, -2, 9007199254740991i64, true, null], "a": "\u{1f}\"\\/ü" });
    let text = String::from_utf8(to_canonical(&value).unwrap()).unwrap();
    assert_eq!(text, r#"{"a":"\u001f\"\\/ü","b":[1,-2,9007199254740991,true,null]}"#);
}

#[test]
fn strict_json_refuses_what_two_readers_could_see_differently() {
    let read = |text: &str| parse_strict(text.as_bytes(), 1000, 4);
    for text in ["{}", " [1, -2 ,0, true,false,null, \"\\u00fc\"] ", r#"{"a":{"a":{"a":[]}}}"#, "9007199254740991"] {
        assert_eq!(read(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }
    for text in [r#"{"a":1,"a":2}"#, r#"{"a":1,"\u0061":1}"#, r#"[{"x":{"a":1,"b":2,"a":3}}]"#] {
        assert_eq!(read(text), Err(JsonError::DuplicateMember), "{text}");
    }
    for text in ["1.0", "1e2", "-0", "01", "9007199254740992", "-9007199254740992", "1e999", "--1", "-"] {
        assert_eq!(read(text), Err(JsonError::Number), "{text}");
    }
    let syntax = [
        "",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "'a'",
        "tru",
        "nul",
        "[1 2]",
        "{} {}",
        "\"\\x\"",
        "\"\n\"",
        "\"a",
        "\"\\",
        "\"\\ud800\"",
        "NaN",
        "/**/1",
        "\u{feff}{}",
        "+1",
        "{\"$serde_json::private::Number\":\"1\"}",
        "{\"a\" 1}",
        "[",
        "]",
    ];
    for text in syntax {
        assert!(matches!(read(text), Err(JsonError::Syntax(_) | JsonError::Number)), "{text}");
    }
    assert_eq!(read("[[[[[]]]]]"), Err(JsonError::TooDeep(4)));
    assert_eq!(read(&" ".repeat(1001)), Err(JsonError::TooLong(1000)));
    assert_eq!(parse_strict(b"\"\xff\"", 10, 1), Err(JsonError::Syntax(0)));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9007199254740991i64..=9007199254740991).prop_map(Value::from),
        "\\PC*".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("\\PC*", inner, 0..5).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn strict_json_reads_what_canonical_json_writes(value in any_json()) {
        let bytes = to_canonical(&value).unwrap();
        let read = parse_strict(&bytes, bytes.len(), 8).unwrap();
        prop_assert_eq!(&read, &value);
        prop_assert_eq!(to_canonical(&read).unwrap(), bytes);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>, text in r#"[\[\]{}",:0-9a-u\\ -]{0,40}"#) {
        let _ = parse_strict(&bytes, 1000, 8);
        // Whatever the strict reader accepts, the common reader accepts too, with the same meaning.
        if let Ok(value) = parse_strict(text.as_bytes(), 1000, 8) {
            prop_assert_eq!(value, serde_json::from_str::<Value>(&text).unwrap());
        }
    }

    #[test]
    fn every_bent_byte_of_a_message_is_noticed(at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let jws = sign_jws(&key(1), "t", b"payload");
        let mut bytes = jws.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = with;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert_eq!(verify_jws(&text).is_ok(), text == jws);
        }
    }
}
