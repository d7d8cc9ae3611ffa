//! OpenID4VP with somebody else's library (`@openid4vc/openid4vp`): their verifier and our wallet, our verifier and their
//! wallet, and their requests with one thing changed.
//!
//! The cases are those of the OpenID Foundation's conformance suite for wallets, by their names.

mod common;
#[path = "../../tests/src/interop.rs"]
mod interop;
mod peer;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bridge::{CheckResult, Code, PresentationView, Shown};
use common::{CHOICE, Cast, grant, heart};
use consent::Purpose;
use identity::SigningKey;
use identity::openid::{Link, Request, Transaction, consent_query};
use interop::{Seen, note, npm};
use peer::{Peer, asked, signed, skip};
use serde_json::{Value, json};
use server::verifier::{Place, Question, ask};
use wallet::check::{Bound, Expected, check};
use wallet::presentation::{Asked, as_proof, read, share};
use wallet::{now, sync};

async fn granted() -> Cast {
    let cast = Cast::ready().await;
    grant(&cast.participant, &heart(), &CHOICE).await.unwrap();
    sync::sync(&cast.participant).await.unwrap();
    cast
}

fn everything(view: &PresentationView) -> Vec<Shown> {
    let credentials = view.wants.iter().flat_map(|want| &want.credentials);
    credentials.map(|one| Shown { id: one.id.clone(), study: one.studies[0].study.clone() }).collect()
}

/// Reads a link and shows everything that it asks for.
async fn show(cast: &Cast, link: &str) -> PresentationView {
    let asked: Asked = read(&cast.participant, link).await.unwrap();
    let view = asked.view();
    share(&cast.participant, &asked, &everything(&view)).await.unwrap();
    view
}

#[tokio::test(flavor = "multi_thread")]
async fn their_verifier_takes_what_our_wallet_shows() {
    let Some(modules) = skip() else { return };
    let cast = granted().await;
    let query = consent_query(&heart());
    // HappyFlow, AlternateHappyFlow, RequestUriMethodPost, IgnoresUnusableEncryptionKey, and both kinds of keys.
    for (by, encrypted) in
        [("value", json!(false)), ("get", json!(false)), ("post", json!("P-256")), ("get", json!("X25519"))]
    {
        let mut verifier = Peer::start(&modules, "verifier.js", &asked(&query, by, &encrypted));
        let made = verifier.hear();
        let view = show(&cast, made["link"].as_str().unwrap()).await;
        assert_eq!((view.name.as_deref(), view.organisation), (Some("Their verifier"), None), "{by}");
        let said = verifier.hear();
        assert_eq!(said["answer"]["payload"]["state"], "their state", "{by}: {said}");
        assert_eq!(said["answer"]["jarm"].is_null(), encrypted == json!(false), "{by}");
        // What arrived is a proof to our own verifier, bound to their request.
        let answer = identity::openid::Answer {
            presentations: serde_json::from_value(said["answer"]["presentations"].clone()).unwrap(),
            records: serde_json::from_value(said["answer"]["payload"]["consent_records"].clone()).unwrap(),
            state: None,
        };
        let proof = serde_json::to_vec(&as_proof(&answer, "consent").unwrap()).unwrap();
        let bound = Bound {
            client_id: made["payload"]["client_id"].as_str().unwrap().into(),
            nonce: made["payload"]["nonce"].as_str().unwrap().into(),
            transaction: None,
        };
        let failed = failed(&proof, Some(bound.clone())).await;
        assert!(failed.is_empty(), "{by}: {failed:?}");
        for (bound, name) in [
            (Bound { nonce: "another".into(), ..bound.clone() }, "challenge"),
            (Bound { client_id: "decentralized_identifier:did:key:z".into(), ..bound.clone() }, "audience"),
            (Bound { transaction: Some("a hash".into()), ..bound.clone() }, "transaction-data"),
        ] {
            assert_eq!(self::failed(&proof, Some(bound)).await, [name], "{by}");
        }
        // As a file for the organisation it is worth nothing.
        assert_eq!(self::failed(&proof, None).await, ["challenge", "audience"]);
    }
    note("OpenID4VP 1.0, our wallet", &npm("npm-openid", "@openid4vc/openid4vp"), Seen { ours: 4, ..Seen::default() });
}

/// The checks that fail, without a record to look at.
async fn failed(proof: &[u8], request: Option<Bound>) -> Vec<String> {
    let view = check(proof, &Purpose::default(), &Expected { request, ..Expected::default() }, None, now()).await;
    let failed = view.checks.into_iter().filter(|row| row.result == CheckResult::Failed);
    failed.map(|row| row.name).collect()
}

/// A change of one thing in their request, before it is signed again, and the check that refuses it; none if it is good.
type Case = (&'static str, fn(&mut Value), Option<&'static str>);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("HappyFlow", |_| {}, None),
    ("FewerClaimsThanAvailable", |r| r["dcql_query"]["credentials"][0]["claims"] = json!([{ "path": ["credentialSubject", "study"] }]), None),
    ("NoClaimsInDcqlQuery", |r| drop(r["dcql_query"]["credentials"][0].as_object_mut().unwrap().remove("claims")), None),
    ("InvalidClientIdPrefix", |r| r["client_id"] = json!("made_up:somebody"), Some("client-id")),
    ("MismatchedClientIdInRequestObject", |r| r["client_id"] = json!(format!("decentralized_identifier:{}", peer::key(9).did())), Some("client-id")),
    ("MissingNonce", |r| drop(r.as_object_mut().unwrap().remove("nonce")), Some("nonce")),
    ("RedirectUriWithDirectPost", |r| r["redirect_uri"] = json!("https://verifier.example/back"), Some("response-uri")),
    ("UnknownTransactionDataType", |r| r["transaction_data"] = json!([URL_SAFE_NO_PAD.encode(json!({ "type": "payment", "credential_ids": ["consent"] }).to_string())]), Some("transaction-data")),
    ("WrongExpectedOrigins", |r| { r["response_mode"] = json!("dc_api"); r["expected_origins"] = json!(["https://other.example"]) }, Some("response-mode")),
    ("expected origins alone", |r| r["expected_origins"] = json!(["https://other.example"]), Some("response-mode")),
    ("no usable encryption key", |r| { r["response_mode"] = json!("direct_post.jwt"); r["client_metadata"]["jwks"] = json!({ "keys": [{ "kty": "oct", "k": "AA", "kid": "1", "alg": "ECDH-ES" }] }) }, Some("encryption")),
    ("another audience", |r| r["aud"] = json!("https://wallet.example"), Some("audience")),
    ("over", |r| r["exp"] = json!(now().unix() - 1), Some("expires")),
    ("from tomorrow", |r| r["iat"] = json!(now().unix() + 86_400), Some("expires")),
    ("a nonce that was not sent", |r| r["wallet_nonce"] = json!("x"), Some("wallet-nonce")),
    ("two languages", |r| r["presentation_definition"] = json!({}), Some("query")),
    ("no query", |r| drop(r.as_object_mut().unwrap().remove("dcql_query")), Some("query")),
    ("an id_token", |r| r["response_type"] = json!("vp_token id_token"), Some("response-type")),
    ("an answer by a page", |r| r["response_uri"] = json!("javascript:alert(1)"), Some("response-uri")),
    ("another suite", |r| r["client_metadata"]["vp_formats_supported"]["ldp_vc"]["cryptosuite_values"] = json!(["bbs-2023"]), Some("metadata")),
];

#[test]
fn their_request_with_one_thing_changed_is_refused_by_name() {
    let Some(modules) = skip() else { return };
    let mut verifier = Peer::start(&modules, "verifier.js", &asked(&consent_query(&heart()), "value", &json!(false)));
    let made = verifier.hear();
    let (link, jwt) = (made["link"].as_str().unwrap(), made["jwt"].as_str().unwrap());
    let read = |link: &Link, jwt: &str| {
        let whole = Link { source: identity::openid::Source::Signed(jwt.to_owned()), ..link.clone() };
        Request::read(&whole, None, None, now()).map_err(|refused| refused.check)
    };
    let link = Link::read(link).unwrap();
    assert!(read(&link, jwt).is_ok());
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap();
    for (name, change, refused) in CASES {
        let mut claims = claims.clone();
        change(&mut claims);
        let own = signed(&peer::key(7), &peer::header(&peer::key(7)), &claims);
        assert_eq!(read(&link, &own).err(), *refused, "{name}");
    }

    // InvalidRequestObjectSignature: another signature, another signer, and headers that would have it otherwise.
    let (head, rest) = jwt.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    let mut other = signature.to_owned();
    other.replace_range(..1, if signature.starts_with('A') { "B" } else { "A" });
    assert_eq!(read(&link, &format!("{head}.{body}.{other}")).err(), Some("signature"));
    assert_eq!(read(&link, &format!("{head}.{body}.")).err(), Some("signature"));
    let good = peer::header(&peer::key(7));
    for (member, value) in [
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES256")),
        ("jwk", json!({ "kty": "OKP" })),
        ("crit", json!(["exp"])),
        ("kid", json!(peer::header(&peer::key(8))["kid"])),
    ] {
        let mut header = good.clone();
        header[member] = value;
        assert_eq!(read(&link, &signed(&peer::key(7), &header, &claims)).err(), Some("signature"), "{header}");
    }
    assert_eq!(read(&link, &signed(&peer::key(8), &peer::header(&peer::key(8)), &claims)).err(), Some("signature"));
    let mut header = good.clone();
    header["typ"] = json!("JWT");
    assert_eq!(read(&link, &signed(&peer::key(7), &header, &claims)).err(), Some("typ"));

    // MultiSignedOneInvalidSignature: several signatures are for a browser's interface, and no compact JWS.
    let multi = json!({ "payload": body, "signatures": [{ "protected": head, "signature": signature }, { "protected": head, "signature": other }] });
    assert_eq!(read(&link, &multi.to_string()).err(), Some("signature"));

    // ResponseUriNotClientId: who is an address alone gets no answer anywhere else, and signs nothing.
    let address = "redirect_uri:https://verifier.example/response";
    let plain = |response_uri: &str| {
        let mut said = claims.clone();
        said["client_id"] = json!(address);
        said["response_uri"] = json!(response_uri);
        let said = said.as_object().unwrap().clone();
        Request::read(
            &Link { client_id: address.into(), source: identity::openid::Source::Plain(said) },
            None,
            None,
            now(),
        )
        .map_err(|refused| refused.check)
    };
    assert_eq!(plain("https://other.example/response").err(), Some("response-uri"));
    assert!(plain("https://verifier.example/response").is_ok());
    let mut of_address = claims.clone();
    of_address["client_id"] = json!(address);
    let own = signed(&peer::key(7), &good, &of_address);
    let link = Link { client_id: address.into(), ..link };
    assert_eq!(read(&link, &own).err(), Some("client-id"));
    let good = CASES.iter().filter(|(.., refused)| refused.is_none()).count();
    let seen = Seen { theirs: good, refused_by_us: CASES.len() - good, ..Seen::default() };
    note("OpenID4VP 1.0, requests", &npm("npm-openid", "@openid4vc/openid4vp"), seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_optional_can_be_kept_and_what_is_missing_stops_everything() {
    let Some(modules) = skip() else { return };
    let cast = granted().await;
    let second = |mut query: Value, kind: &str, required: bool| {
        let mut other = query["credentials"][0].clone();
        other["id"] = json!("other");
        other["meta"] = json!({ "type_values": [[kind]] });
        other["claims"] = json!([{ "path": ["credentialSubject"] }]);
        query["credentials"].as_array_mut().unwrap().push(other);
        query["credential_sets"] =
            json!([{ "options": [["consent"]] }, { "options": [["other"]], "required": required }]);
        query
    };
    // RequiredNonMatchingCredential: nobody is asked to agree to half of it.
    for query in [
        second(consent_query(&heart()), "https://example.org#Diploma", true),
        consent_query(&"another-study".parse().unwrap()),
        // The enrolment says who the donor is: no query finds it.
        second(consent_query(&heart()), "BiobankEnrolmentCredential", true),
    ] {
        let mut verifier = Peer::start(&modules, "verifier.js", &asked(&query, "get", &json!(false)));
        let link = verifier.hear()["link"].as_str().unwrap().to_owned();
        assert_eq!(read(&cast.participant, &link).await.unwrap_err().code, Code::NothingFits);
    }
    // OptionalCredentialSet: one that is not there does not stand in the way, and one that is there can be kept.
    for (kind, wants) in [("https://example.org#Diploma", 1), ("ResearchConsentCredential", 2)] {
        let query = second(consent_query(&heart()), kind, false);
        let mut verifier = Peer::start(&modules, "verifier.js", &asked(&query, "get", &json!(false)));
        let link = verifier.hear()["link"].as_str().unwrap().to_owned();
        let asked = read(&cast.participant, &link).await.unwrap();
        let view = asked.view();
        assert_eq!((view.wants.len(), view.wants[0].required), (wants, true));
        let only = |id: &str| vec![Shown { id: id.into(), study: heart() }];
        let without = share(&cast.participant, &asked, &only("other")).await;
        assert_eq!(without.unwrap_err().code, Code::NotPossible);
        share(&cast.participant, &asked, &only("consent")).await.unwrap();
        let said = verifier.hear();
        let shown: Vec<_> = said["answer"]["presentations"].as_object().unwrap().keys().collect();
        assert_eq!(shown, ["consent"], "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn their_wallet_answers_our_verifier() {
    let Some(modules) = skip() else { return };
    let cast = granted().await;
    for encrypted in [true, false] {
        let purpose = Purpose::default();
        let transaction = Transaction::new("consent", &purpose);
        let question = Question {
            key: SigningKey::from_seed([21; 32]),
            name: "Our verifier".into(),
            query: consent_query(&heart()),
            transaction: Some(transaction.clone()),
            attestation: None,
            encrypted,
            expires: now().plus_seconds(300),
        };
        let place = Place { listen: ([127, 0, 0, 1], 0).into(), tls_listen: None, tls: None, public: None };
        let mut running = ask(question, &place).unwrap();
        let mut wallet = Peer::start(&modules, "wallet.js", &json!({ "link": running.link }));
        let request = wallet.hear();
        assert_eq!(request["client"], "decentralized_identifier", "{request}");
        assert_eq!(request["request"]["client_id"], running.client_id.as_str());
        // Their wallet carries what ours signed for this request.
        let asked = read(&cast.participant, &running.link).await.unwrap();
        assert_eq!(asked.view().purpose, Some(purpose));
        let answer = wallet::presentation::answer(&cast.participant, &asked, &everything(&asked.view())).await.unwrap();
        wallet.say(&json!({ "vp_token": answer.presentations, "consent_records": answer.records }));
        assert_eq!(wallet.hear(), json!({ "status": 200 }));
        let came = running.answer().await.unwrap();
        let proof = serde_json::to_vec(&as_proof(&came, "consent").unwrap()).unwrap();
        let bound = Bound {
            client_id: running.client_id.clone(),
            nonce: running.nonce.clone(),
            transaction: Some(transaction.hash()),
        };
        assert!(failed(&proof, Some(bound)).await.is_empty());
    }
    let seen = Seen { theirs: 2, ..Seen::default() };
    note("OpenID4VP 1.0, our verifier", &npm("npm-openid", "@openid4vc/openid4vp"), seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn their_wallet_enrols_at_our_biobank() {
    let Some(modules) = skip() else { return };
    let cast = Cast::ready().await;
    let connection = cast.staff.connection().unwrap();
    let staff = cast.staff.biobank_key(&connection);
    let invited: Value = cast
        .staff
        .remote()
        .unwrap()
        .ask(&staff, reqwest::Method::POST, "/v1/invitations", Some(&json!({})))
        .await
        .unwrap();
    let mut told = asked(&json!({}), "value", &json!(false));
    told["link"] = invited["offer"].clone();
    told["pins"] = json!(["AAAA-AAAA", invited["code"], invited["code"]]);
    let mut holder = Peer::start(&modules, "holder.js", &told);
    assert!(holder.hear()["refused"].as_str().unwrap().contains("404"), "a wrong PIN");
    let given = holder.hear();
    let credential = given["credential"].to_string();
    let verified = identity::verify_enrolment(
        credential.as_bytes(),
        &connection.biobank,
        connection.speaker(),
        &peer::key(7).did(),
        now(),
    )
    .await;
    assert!(verified.verified.is_some(), "{given}");
    // A lost answer is given again to the same holder.
    assert_eq!(holder.hear(), given);
    let seen = Seen { ours: 1, refused_by_us: 1, ..Seen::default() };
    note("OpenID4VCI 1.0, our issuer", &npm("npm-openid", "@openid4vc/openid4vci"), seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_wallet_enrols_through_their_issuer() {
    let Some(modules) = skip() else { return };
    let cast = Cast::ready().await;
    let connection = cast.participant.connection().unwrap();
    let log: Value = cast.participant.remote().unwrap().get("/v1/log").await.unwrap();
    // The biobank's own key signs what their issuer hands out.
    let seed: [u8; 32] = std::fs::read(cast.biobank.dir.join("institution.key")).unwrap().try_into().unwrap();
    assert_eq!(SigningKey::from_seed(seed).did(), connection.biobank);
    for (number, by, pin) in [(51, "value", Some("493536")), (52, "reference", None)] {
        let mut told = asked(&json!({}), by, &json!(false));
        told["log"] = log.clone();
        told["pin"] = json!(pin);
        let mut issuer = Peer::start(&modules, "issuer.js", &told);
        let link = issuer.hear()["link"].as_str().unwrap().to_owned();
        let newcomer = common::profile(cast.root.path(), bridge::Role::Participant, number);
        let offer = wallet::enrol::read_invitation(&link, None).await.unwrap();
        assert_eq!(wallet::enrol::preview(&offer).pin, pin.is_some());
        if pin.is_some() {
            let wrong = offer.clone().typed(Some("000000".into()));
            assert_eq!(wallet::enrol::accept(&newcomer, &wrong).await.unwrap_err().code, Code::ServerRefused);
            assert!(issuer.hear()["refused"].as_str().unwrap().contains("tx_code"));
        }
        let (own, runtime) = (SigningKey::from_seed(seed), tokio::runtime::Handle::current());
        let signing = tokio::task::spawn_blocking(move || {
            let claims = identity::EnrolmentClaims {
                donor: issuer.hear()["holder"].as_str().unwrap().parse().unwrap(),
                biobank: own.did(),
                biobank_name: "Example Biobank".into(),
                donor_number: "1".into(),
            };
            let signed = runtime.block_on(identity::issue_enrolment(&own, &claims, now(), now().plus_seconds(1_000)));
            issuer.say(&json!({ "credential": signed.unwrap().value() }));
            issuer
        });
        let joined = wallet::enrol::accept(&newcomer, &offer.typed(pin.map(str::to_owned))).await;
        drop(signing.await.unwrap());
        joined.unwrap();
        assert_eq!(newcomer.connection().unwrap().biobank, connection.biobank);
    }
    let seen = Seen { theirs: 2, refused_by_them: 1, ..Seen::default() };
    note("OpenID4VCI 1.0, our wallet", &npm("npm-openid", "@openid4vc/openid4vci"), seen);
}
