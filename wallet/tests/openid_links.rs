//! A researcher's link and a biobank's offer over real HTTP, and what goes wrong with them.

mod common;

use bridge::{CheckResult, Code, Role, Shown};
use common::{CHOICE, Cast, grant, heart, profile, withdraw};
use consent::{Outcome, Purpose};
use identity::openid::{OfferLink, Transaction, consent_query};
use identity::{SigningKey, sign_jws};
use server::verifier::{Place, Question, RunningQuestion, ask};
use wallet::check::{Bound, Expected};
use wallet::presentation::{Asked, answer, as_proof, decline, read, share};
use wallet::research::{Checker, studies};
use wallet::{Event, Profile, enrol, now, sync, views};

const PLACE: Place = Place {
    listen: std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0),
    tls_listen: None,
    tls: None,
    public: None,
};

async fn granted() -> (Cast, Purpose) {
    let cast = Cast::ready().await;
    grant(&cast.participant, &heart(), &CHOICE).await.unwrap();
    sync::sync(&cast.participant).await.unwrap();
    let all = studies(&cast.researcher).await.unwrap().studies;
    let purpose = all.iter().find(|study| study.study == heart()).unwrap().purpose.clone();
    (cast, purpose)
}

/// The researcher's own key and the biobank's word for it.
fn researcher(cast: &Cast) -> (SigningKey, String, String) {
    let connection = cast.researcher.connection().unwrap();
    let (organisation, word) =
        cast.researcher.read(|story| story.membership.clone().map(|m| (m.organisation, m.statement))).unwrap().unwrap();
    (cast.researcher.biobank_key(&connection), organisation, word)
}

fn question(key: SigningKey, purpose: &Purpose, attestation: Option<String>) -> Question {
    Question {
        key,
        name: "The study team".into(),
        query: consent_query(&heart()),
        transaction: Some(Transaction::new("consent", purpose)),
        attestation,
        encrypted: true,
        expires: now().plus_seconds(300),
    }
}

fn chosen() -> Vec<Shown> {
    vec![Shown { id: "consent".into(), study: heart() }]
}

async fn asked(profile: &Profile, running: &RunningQuestion) -> Asked {
    read(profile, &running.link).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_answered_checked_and_listed() {
    let (cast, purpose) = granted().await;
    let (key, organisation, word) = researcher(&cast);
    let hash = Transaction::new("consent", &purpose).hash();
    let mut running = ask(question(key, &purpose, Some(word)), &PLACE).unwrap();
    let asked = asked(&cast.participant, &running).await;
    let view = asked.view();
    assert!(view.organisation.is_some());
    assert_eq!(view.purpose.as_ref(), Some(&purpose));
    assert_eq!(view.wants[0].credentials[0].asked, ["study", "dataUse"]);
    share(&cast.participant, &asked, &chosen()).await.unwrap();
    let rows = views::activity(&cast.participant).unwrap().rows;
    assert_eq!(rows[0].message.id, "activity-presented");

    let came = running.answer().await.unwrap();
    let proof = serde_json::to_vec(&as_proof(&came, "consent").unwrap()).unwrap();
    let bound = Bound { client_id: running.client_id.clone(), nonce: running.nonce.clone(), transaction: Some(hash) };
    let folder = cast.root.path().join("mirror");
    let check = async |expected: Expected| {
        let checker = Checker::at(&cast.biobank.address, None, &folder).await.unwrap();
        checker.check(&proof, &purpose, &expected, now()).await
    };
    let expected =
        Expected { audience: Some(organisation), study: Some(heart()), request: Some(bound.clone()), challenge: None };
    let view = check(expected.clone()).await;
    assert_eq!(view.outcome, Some(Outcome::Permit), "{:?}", view.checks);
    for name in ["challenge", "audience", "transaction-data", "ledger-live"] {
        assert!(view.checks.iter().any(|row| row.name == name && row.result == CheckResult::Passed), "{name}");
    }
    // The same answer to another question is no answer.
    for (bound, name) in [
        (Bound { nonce: "another".into(), ..bound.clone() }, "challenge"),
        (Bound { client_id: "decentralized_identifier:did:key:z".into(), ..bound.clone() }, "audience"),
        (Bound { transaction: None, ..bound.clone() }, "transaction-data"),
        (Bound { transaction: Some("another".into()), ..bound }, "transaction-data"),
    ] {
        let view = check(Expected { request: Some(bound), ..expected.clone() }).await;
        assert_eq!(view.outcome, None);
        assert!(view.checks.iter().any(|row| row.name == name && row.result == CheckResult::Failed), "{name}");
    }
    let view = check(Expected { audience: Some("https://other.example".into()), ..expected.clone() }).await;
    assert!(view.checks.iter().any(|row| row.name == "holder" && row.result == CheckResult::Failed));
    withdraw(&cast.participant, &heart()).unwrap();
    sync::sync(&cast.participant).await.unwrap();
    assert_eq!(check(expected).await.outcome, Some(Outcome::Deny));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_nobody_vouches_for_is_shown_so() {
    let (cast, purpose) = granted().await;
    let (_, _, word) = researcher(&cast);
    let stranger = || SigningKey::from_seed([77; 32]);
    let own = sign_jws(&stranger(), "account.v1+jws", br#"{"did":"x"}"#);
    // No word, the word for somebody else's key, and a word of their own.
    for word in [None, Some(word), Some(own), Some("nonsense".into())] {
        let running = ask(question(stranger(), &purpose, word), &PLACE).unwrap();
        let asked = asked(&cast.participant, &running).await;
        assert_eq!((asked.view().organisation, asked.view().name.as_deref()), (None, Some("The study team")));
        decline(&cast.participant, &asked).unwrap();
        let said = cast.participant.read(|story| story.rows.last().map(|row| row.event.clone())).unwrap();
        assert_eq!(said, Some(Event::NotPresented { to: "The study team".into() }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_ends_and_takes_only_what_answers_it() {
    let (cast, purpose) = granted().await;
    let (key, ..) = researcher(&cast);
    let mut running = ask(question(key, &purpose, None), &PLACE).unwrap();
    let asked = asked(&cast.participant, &running).await;
    for chosen in [
        vec![],
        vec![Shown { id: "other".into(), study: heart() }],
        vec![Shown { id: "consent".into(), study: "another".parse().unwrap() }],
    ] {
        assert!(answer(&cast.participant, &asked, &chosen).await.is_err());
    }
    let uri = url::Url::parse(&running.link).unwrap();
    let uri = uri.query_pairs().find(|(name, _)| name == "request_uri").unwrap().1.into_owned();
    let response = uri.replace("/request/", "/response/");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = "application/x-www-form-urlencoded";
    let post = async |uri: &str, kind: &str, body: String| {
        http.post(uri).header("content-type", kind).body(body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(post(&response, form, "vp_token=%7B%7D".into()).await, 400, "not encrypted");
    assert_eq!(post(&response, form, "response=a.b.c.d.e".into()).await, 400);
    assert_eq!(post(&response, "application/json", "{}".into()).await, 400);
    assert_eq!(post(&response, form, "a".repeat(3 << 20)).await, 413);
    assert_eq!(post(&format!("{response}0"), form, "response=a".into()).await, 404);
    assert_eq!(http.get(format!("{uri}0")).send().await.unwrap().status(), 404);
    share(&cast.participant, &asked, &chosen()).await.unwrap();
    assert!(running.answer().await.is_some());
    // Fetched often enough, it is gone.
    let mut last = 200;
    for _ in 0..40 {
        last = http.get(&uri).send().await.unwrap().status().as_u16();
    }
    assert_eq!(last, 404);
    drop(running);
    let failure = read(&cast.participant, "openid4vp://?client_id=x").await.unwrap_err();
    assert_eq!((failure.code, failure.args["check"].as_str()), (Code::NotValid, "client-id"));
    assert_eq!(share(&cast.participant, &asked, &chosen()).await.unwrap_err().code, Code::Offline);

    let (key, ..) = researcher(&cast);
    let over = Question { expires: now().plus_seconds(-1), ..question(key, &purpose, None) };
    let running = ask(over, &PLACE).unwrap();
    assert!(read(&cast.participant, &running.link).await.is_err());
    let (key, ..) = researcher(&cast);
    let elsewhere = Place { public: Some("http://192.0.2.1".into()), ..PLACE };
    let running = ask(question(key, &purpose, None), &elsewhere).unwrap();
    assert_eq!(read(&cast.participant, &running.link).await.unwrap_err().code, Code::AddressNotAllowed);
}

/// What staff get for a new donor: the offer's link, and the code that goes by another way.
async fn offered(cast: &Cast) -> (String, String) {
    let connection = cast.staff.connection().unwrap();
    let key = cast.staff.biobank_key(&connection);
    let body = serde_json::json!({});
    let invited: serde_json::Value =
        cast.staff.remote().unwrap().ask(&key, reqwest::Method::POST, "/v1/invitations", Some(&body)).await.unwrap();
    (invited["offer"].as_str().unwrap().to_owned(), invited["code"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_enrols_once_with_its_code() {
    let cast = Cast::ready().await;
    let (link, code) = offered(&cast).await;
    assert!(!link.contains(&code), "the link alone is worth nothing");
    let newcomer = profile(cast.root.path(), Role::Participant, 31);
    let offer = enrol::read_invitation(&format!("Dear donor, {link}"), None).await.unwrap();
    let view = enrol::preview(&offer);
    assert_eq!((view.biobank.as_str(), view.pin, view.expires), ("Example Biobank", true, None));
    let (other, _) = offered(&cast).await;
    let other = enrol::read_invitation(&other, None).await.unwrap();
    for (offer, typed) in [(&offer, None), (&offer, Some("AAAA-AAAA")), (&other, Some(code.as_str()))] {
        let failure = enrol::accept(&newcomer, &offer.clone().typed(typed.map(str::to_owned))).await.unwrap_err();
        assert_eq!(failure.code, Code::InvitationUnknown);
    }
    let typed = offer.typed(Some(code.to_lowercase()));
    enrol::accept(&newcomer, &typed).await.unwrap();
    assert_eq!(newcomer.connection().unwrap().biobank, cast.participant.connection().unwrap().biobank);
    sync::sync(&newcomer).await.unwrap();
    let second = profile(cast.root.path(), Role::Participant, 32);
    assert_eq!(enrol::accept(&second, &typed).await.unwrap_err().code, Code::InvitationUsed);
    // One invitation, whichever door is used.
    let failure = enrol::read_invitation(&code, Some(&cast.biobank.address)).await;
    let own = enrol::accept(&second, &failure.unwrap()).await.unwrap_err();
    assert_eq!(own.code, Code::InvitationUsed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_a_nonce_and_a_proof_count_once_and_here() {
    let cast = Cast::ready().await;
    let (link, code) = offered(&cast).await;
    let OfferLink::Whole(offer) = OfferLink::read(&link).unwrap() else { panic!("a whole offer") };
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let at = |path: &str| format!("{}{path}", cast.biobank.address);
    let token = async || {
        let form = identity::openid::token_request(&offer, Some(&code));
        let sent = http.post(at("/v1/openid/token")).header("content-type", "application/x-www-form-urlencoded");
        let sent = sent.body(form).send().await.unwrap();
        assert_eq!(sent.headers()["cache-control"], "no-store");
        identity::openid::read_token(&sent.bytes().await.unwrap()).unwrap()
    };
    let nonce = async || {
        let sent = http.post(at("/v1/openid/nonce")).send().await.unwrap();
        identity::openid::read_nonce(&sent.bytes().await.unwrap()).unwrap()
    };
    let key = SigningKey::from_seed([41; 32]);
    let credential = async |token: &str, issuer: &str, nonce: &str| {
        let configuration = identity::openid::ENROLMENT_CONFIGURATION;
        let body = identity::openid::credential_request(&key, issuer, configuration, Some(nonce), now());
        let sent = http.post(at("/v1/openid/credential")).bearer_auth(token).header("content-type", "application/json");
        sent.body(body.to_string()).send().await.unwrap().status().as_u16()
    };
    let (good, fresh) = (token().await, nonce().await);
    let old = format!("{}.{}", now().unix() - 1_000, fresh.split_once('.').unwrap().1);
    for (token, issuer, nonce, what) in [
        ("x.y", offer.issuer.as_str(), fresh.as_str(), "a token of nobody"),
        ("x", &offer.issuer, &fresh, "no token"),
        (&good, "https://evil.example", &fresh, "a proof for another issuer"),
        (&good, &offer.issuer, "1.2", "a nonce of nobody"),
        (&good, &offer.issuer, &old, "an old nonce"),
    ] {
        assert_eq!(credential(token, issuer, nonce).await, 403, "{what}");
    }
    assert_eq!(credential(&good, &offer.issuer, &fresh).await, 200);
    assert_eq!(credential(&good, &offer.issuer, &fresh).await, 403, "a token counts once");
    // Who calls under a name of elsewhere is told nothing that a proof could be made for.
    let sent = http.get(at("/.well-known/openid-credential-issuer")).header("host", "evil.example");
    assert_eq!(sent.send().await.unwrap().status(), 404);
}
