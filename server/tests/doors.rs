//! Every door of the service, tried by whom it must not open for: over HTTP, against a running biobank.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

use consent::Withdrawal;
use identity::{ProfileSecret, SigningKey, present, sign_jws, sign_request};
use ledger::{Act, ConsentEntry, ConsentEvent, EntryHash, Given, Hash, commit_subject};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use server::{Institution, Options, Running, start};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

#[allow(clippy::disallowed_methods, reason = "the test's clock")]
fn now() -> consent::Timestamp {
    consent::Timestamp::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap())
}

struct Biobank {
    dir: TempDir,
    running: Running,
    http: Client,
    did: identity::Did,
}

/// What came back: the status, and the code of a refusal.
type Answer = (u16, String);

impl Biobank {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let institution = Institution { name: "Example Biobank".into(), origin: "biobank.example/log".into() };
        let listen = ([127, 0, 0, 1], 0).into();
        let data = dir.path().join("biobank");
        let running = start(Options { demo: true, ..Options::new(data, listen, institution) }).await.unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        let log: Value = http.get(format!("{}/v1/log", running.address)).send().await.unwrap().json().await.unwrap();
        let did = log["did"].as_str().unwrap().parse().unwrap();
        Self { dir, running, http, did }
    }

    fn told(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.dir.path().join("biobank/demo.json")).unwrap()).unwrap()
    }

    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        answer(self.http.post(format!("{}{path}", self.running.address)).body(body).send().await.unwrap()).await
    }

    /// A request signed by a key, with a nonce; `at` moves its time, in seconds.
    async fn signed_at(
        &self,
        key: &SigningKey,
        method: Method,
        path: &str,
        body: &Value,
        nonce: &str,
        at: i64,
    ) -> Answer {
        let body = body.to_string();
        let authority = self.running.address.trim_start_matches("http://");
        let created = now().plus_seconds(at);
        let headers = sign_request(key, method.as_str(), authority, path, "", body.as_bytes(), created, nonce);
        let request = self
            .http
            .request(method, format!("{}{path}", self.running.address))
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature)
            .header("content-digest", headers.content_digest)
            .body(body);
        answer(request.send().await.unwrap()).await
    }

    async fn signed(&self, key: &SigningKey, method: Method, path: &str, body: &Value) -> Answer {
        self.signed_at(key, method, path, body, &uuid::Uuid::new_v4().to_string(), 0).await
    }

    async fn paired(&self, code: &str, seed: u8) -> SigningKey {
        let key = SigningKey::from_seed([seed; 32]);
        let code = self.told()[code].clone();
        assert_eq!(self.signed(&key, Method::POST, "/v1/pair", &json!({ "code": code })).await.0, 200);
        key
    }

    /// An enrolled donor with a registered key for the heart study.
    async fn donor(&self, seed: u8) -> Donor {
        // The same key may use its code again.
        let staff = self.paired("staffCode", 200).await;
        let (status, invitation) = self.signed(&staff, Method::POST, "/v1/invitations", &json!({})).await;
        assert_eq!(status, 200, "{invitation}");
        let invitation: Value = serde_json::from_str(&invitation).unwrap();
        let code = &invitation["code"];
        let (_, challenge) = self.post("/v1/enrolment/challenge", json!({ "code": code }).to_string()).await;
        let challenge: Value = serde_json::from_str(&challenge).unwrap();
        let secret = ProfileSecret::from_bytes([seed; 32]);
        let pairwise = secret.derive_biobank_key(&self.did);
        let (from, until) = (now(), now().plus_seconds(600));
        let presentation =
            present(&pairwise, &[], challenge["challenge"].as_str(), self.did.as_str(), from, until).await.unwrap();
        let body = json!({ "code": code, "presentation": presentation }).to_string();
        assert_eq!(self.post("/v1/enrolment", body).await.0, 200);
        Donor { secret, pairwise, biobank: self.did.clone() }
    }

    /// The same, with a registered key.
    async fn registered_donor(&self, seed: u8) -> Donor {
        let donor = self.donor(seed).await;
        let registration = donor.registration(&donor.key());
        assert_eq!(self.signed(&donor.pairwise, Method::POST, "/v1/study-keys", &registration).await.0, 204);
        donor
    }

    /// How many entries the published log has.
    async fn size(&self) -> u64 {
        let checkpoint = self.http.get(format!("{}/checkpoint", self.running.address)).send().await.unwrap();
        checkpoint.text().await.unwrap().lines().nth(1).unwrap().parse().unwrap()
    }

    async fn append(&self, entry: &ConsentEntry) -> Answer {
        self.post("/v1/entries", entry.bytes().to_vec()).await
    }

    /// Appends an act of a donor after their latest entry; the entry if it was taken.
    async fn takes(&self, donor: &Donor, latest: &mut Option<EntryHash>, act: Act) -> Answer {
        let entry = donor.says(&donor.key(), *latest, act);
        let answer = self.append(&entry).await;
        if answer.0 == 200 {
            *latest = Some(entry.hash());
        }
        answer
    }

    async fn participants(&self, researcher: &SigningKey) -> Vec<String> {
        let path = format!("/v1/studies/{}/participants", Donor::study());
        let (status, text) = self.signed(researcher, Method::GET, &path, &Value::Null).await;
        assert_eq!(status, 200, "{text}");
        let list: Value = serde_json::from_str(&text).unwrap();
        list["participants"].as_array().unwrap().iter().map(|did| did.as_str().unwrap().to_owned()).collect()
    }
}

async fn answer(response: reqwest::Response) -> Answer {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let problem: Value = serde_json::from_str(&text).unwrap_or_default();
    (status, problem["code"].as_str().filter(|_| status >= 400).map_or(text, str::to_owned))
}

struct Donor {
    secret: ProfileSecret,
    pairwise: SigningKey,
    biobank: identity::Did,
}

impl Donor {
    fn study() -> consent::StudyId {
        "heart-rhythm".parse().unwrap()
    }

    fn key(&self) -> SigningKey {
        self.secret.derive_study_key(&self.biobank, &Self::study())
    }

    fn salt(&self) -> [u8; 32] {
        self.secret.derive_subject_salt(&self.biobank, &Self::study())
    }

    fn registration(&self, key: &SigningKey) -> Value {
        let said = json!({ "donor": self.pairwise.did(), "study": Self::study() });
        let binding = sign_jws(key, "study-key.v1+jws", &identity::to_canonical(&said).unwrap());
        json!({ "study": Self::study(), "salt": hex::encode(self.salt()), "binding": binding })
    }

    fn says(&self, key: &SigningKey, previous: Option<EntryHash>, act: Act) -> ConsentEntry {
        let subject = commit_subject(&self.salt(), &self.pairwise.did(), &Self::study());
        let notice = Hash::from([6; 32]);
        ConsentEntry::sign(key, &ConsentEvent { subject, previous, notice, time: now(), act })
    }

    fn grant(&self, key: &SigningKey) -> ConsentEntry {
        self.says(key, None, Act::Grant(given(7)))
    }
}

/// A version without a last day.
fn given(mark: u8) -> Given {
    Given { policy: Hash::from([mark; 32]), credential: Hash::from([mark; 32]), until: None }
}

const PAUSE: Act = Act::Suspend { until: None };

fn leave(level: Withdrawal) -> Act {
    Act::Withdraw { level }
}

#[tokio::test]
async fn a_signed_request_counts_once_and_only_while_it_is_fresh() {
    let biobank = Biobank::open().await;
    let staff = biobank.paired("staffCode", 1).await;
    let ask = |nonce, at| biobank.signed_at(&staff, Method::GET, "/v1/donors", &Value::Null, nonce, at);
    assert_eq!(ask("nonce-one", 0).await.0, 200);
    assert_eq!(ask("nonce-one", 0).await, (401, "replayed".into()));
    assert_eq!(ask("nonce-two", -301).await, (401, "bad-signature".into()), "too old");
    assert_eq!(ask("nonce-six", -100).await, (401, "replayed".into()), "from before the service started");
    assert_eq!(ask("nonce-ten", 900).await, (401, "bad-signature".into()), "from the future");
    let unsigned = biobank.http.get(format!("{}/v1/donors", biobank.running.address)).send().await.unwrap();
    assert_eq!(answer(unsigned).await, (401, "bad-signature".into()));
}

#[tokio::test]
async fn strangers_are_refused_and_take_no_room() {
    let biobank = Biobank::open().await;
    let stranger = SigningKey::from_seed([9; 32]);
    for (method, path) in [
        (Method::GET, "/v1/donors"),
        (Method::POST, "/v1/invitations"),
        (Method::GET, "/v1/mailbox"),
        (Method::DELETE, "/v1/mailbox/0"),
        (Method::POST, "/v1/study-keys"),
        (Method::GET, "/v1/studies/heart-rhythm/participants"),
    ] {
        let refused = biobank.signed(&stranger, method, path, &json!({})).await;
        assert_eq!(refused, (403, "not-allowed".into()), "{path}");
    }
    // Known nonces of strangers would be remembered: the same one is refused for the same reason, not as a replay.
    for _ in 0..2 {
        let again = biobank.signed_at(&stranger, Method::GET, "/v1/donors", &json!({}), "the-same-nonce", 0).await;
        assert_eq!(again, (403, "not-allowed".into()));
    }
    // And a staff account is not a researcher's.
    let staff = biobank.paired("staffCode", 1).await;
    let path = "/v1/studies/heart-rhythm/participants";
    assert_eq!(biobank.signed(&staff, Method::GET, path, &Value::Null).await, (403, "not-allowed".into()));
    let code = biobank.told()["staffCode"].clone();
    let second = biobank.signed(&stranger, Method::POST, "/v1/pair", &json!({ "code": code })).await;
    assert_eq!(second, (409, "code-used".into()));
}

#[tokio::test]
async fn an_entry_needs_a_key_that_is_registered_for_its_subject() {
    let biobank = Biobank::open().await;
    let donor = biobank.donor(3).await;
    let entry = donor.grant(&donor.key());
    let append = |entry: &ConsentEntry| biobank.post("/v1/entries", entry.bytes().to_vec());
    assert_eq!(append(&entry).await, (403, "unknown-signer".into()));
    // A binding that another donor sends binds nothing.
    let other = biobank.donor(4).await;
    let foreign =
        biobank.signed(&other.pairwise, Method::POST, "/v1/study-keys", &donor.registration(&donor.key())).await;
    assert_eq!(foreign, (401, "bad-signature".into()));
    let own = donor.registration(&donor.key());
    assert_eq!(biobank.signed(&donor.pairwise, Method::POST, "/v1/study-keys", &own).await.0, 204);
    // One key a donor and study.
    let second = SigningKey::from_seed([99; 32]);
    let refused = biobank.signed(&donor.pairwise, Method::POST, "/v1/study-keys", &donor.registration(&second)).await;
    assert_eq!(refused, (403, "not-allowed".into()));
    // The right key for somebody else's subject.
    let stolen = other.grant(&donor.key());
    assert_eq!(append(&stolen).await, (403, "unknown-signer".into()));
    assert_eq!(append(&entry).await.0, 200);
    assert_eq!(append(&entry).await.0, 200, "the same entry again is the same entry");
    let twice = donor.grant(&donor.key());
    // Within the same second the second grant is the same entry; later it does not follow the first.
    let answered = append(&twice).await.0;
    assert_eq!(answered, if twice.bytes() == entry.bytes() { 200 } else { 409 });
    for body in [b"".to_vec(), b"no entry".to_vec(), vec![0xff; 100]] {
        assert_eq!(biobank.post("/v1/entries", body).await, (400, "bad-entry".into()));
    }
    assert_eq!(biobank.post("/v1/entries", vec![b'a'; 100_000]).await, (413, "too-large".into()));
    assert_eq!(biobank.post("/v1/enrolment", vec![b' '; 3 << 20]).await, (413, "too-large".into()));
}

#[tokio::test]
async fn each_step_of_a_consent_is_taken_in_its_order_and_refused_out_of_it() {
    let biobank = Biobank::open().await;
    let donor = biobank.registered_donor(3).await;
    let refused: Answer = (409, "against-rules".into());
    let founded = biobank.size().await;
    let mut latest = None;
    for act in [PAUSE, Act::Resume, Act::Change(given(8)), leave(Withdrawal::NoContact)] {
        assert_eq!(biobank.takes(&donor, &mut latest, act).await, refused, "{act:?} where nothing was given");
    }
    // In the order of a life: after each act that is taken, some that are not possible from there.
    let (give, change, resume) = (Act::Grant(given(7)), Act::Change(given(8)), Act::Resume);
    let life = [
        (give, vec![give, resume]),
        (change, vec![give, resume]),
        (PAUSE, vec![PAUSE, change, give]),
        (resume, vec![resume, give]),
        (leave(Withdrawal::NoContact), vec![PAUSE, resume, change, leave(Withdrawal::NoContact)]),
        (leave(Withdrawal::NoUse), vec![leave(Withdrawal::NoAccess), leave(Withdrawal::NoUse), change, resume]),
        (leave(Withdrawal::DestroySample), vec![leave(Withdrawal::NoContact), PAUSE, change]),
        (give, vec![give]),
    ];
    let taken = life.len() as u64;
    for (act, impossible) in life {
        assert_eq!(biobank.takes(&donor, &mut latest, act).await.0, 200, "{act:?}");
        for other in impossible {
            let answer = biobank.takes(&donor, &mut latest, other).await;
            assert_eq!(answer, refused, "{other:?} after {act:?}");
        }
    }
    // What follows nothing, or an entry of another time, is told apart: an honest caller can catch up.
    for previous in [None, Some(EntryHash::of(b"x"))] {
        let behind = donor.says(&donor.key(), previous, PAUSE);
        assert_eq!(biobank.append(&behind).await, (409, "previous-mismatch".into()));
    }
    assert_eq!(biobank.size().await, founded + taken, "what is refused is not in the log");
}

#[tokio::test]
async fn a_refused_entry_holds_nobody_else_up() {
    let biobank = Biobank::open().await;
    let (one, two) = (biobank.registered_donor(3).await, biobank.registered_donor(4).await);
    let first = one.grant(&one.key());
    assert_eq!(biobank.append(&first).await.0, 200);
    let granted = two.grant(&two.key());
    assert_eq!(biobank.append(&granted).await.0, 200);
    // At once: a pile of entries that break a rule, do not follow or are not signed right, and one good withdrawal.
    let bad: Vec<ConsentEntry> = (0..20)
        .map(|mark| match mark % 3 {
            0 => one.says(&one.key(), Some(first.hash()), Act::Resume),
            1 => one.says(&one.key(), None, Act::Change(given(mark))),
            _ => one.says(&two.key(), Some(granted.hash()), leave(Withdrawal::NoUse)),
        })
        .collect();
    let good = two.says(&two.key(), Some(granted.hash()), leave(Withdrawal::DestroySample));
    let mut waiting = tokio::task::JoinSet::new();
    let order = bad[..10].iter().chain([&good]).chain(&bad[10..]);
    for entry in order {
        let (hash, body) = (entry.hash(), entry.bytes().to_vec());
        let (http, url) = (biobank.http.clone(), format!("{}/v1/entries", biobank.running.address));
        waiting.spawn(async move { (hash, answer(http.post(url).body(body).send().await.unwrap()).await.0) });
    }
    for (hash, status) in waiting.join_all().await {
        let wanted = if hash == good.hash() { vec![200] } else { vec![403, 409] };
        assert!(wanted.contains(&status), "{status}");
    }
    // The receipt of the good one is there.
    let proof = format!("{}/v1/entries/{}/proof", biobank.running.address, good.hash());
    assert_eq!(biobank.http.get(proof).send().await.unwrap().status().as_u16(), 200);
    // And the log goes on for the donor whose entries were refused.
    assert_eq!(biobank.append(&one.says(&one.key(), Some(first.hash()), PAUSE)).await.0, 200);
}

#[tokio::test]
async fn researchers_see_only_those_whose_consent_is_active() {
    let biobank = Biobank::open().await;
    let researcher = biobank.paired("researcherCode", 2).await;
    let (donor, other) = (biobank.registered_donor(3).await, biobank.registered_donor(4).await);
    assert!(biobank.participants(&researcher).await.is_empty(), "a key alone is no consent");
    assert_eq!(biobank.append(&other.grant(&other.key())).await.0, 200);
    let (own, others) = (donor.key().did().to_string(), other.key().did().to_string());
    let yesterday = now().plus_seconds(-86_400).date();
    let tomorrow = now().plus_seconds(86_400).date();
    let until = |until| Given { until: Some(until), ..given(7) };
    let mut latest = None;
    let life = [
        (Act::Grant(given(7)), true),
        (PAUSE, false),
        (Act::Resume, true),
        (Act::Change(given(8)), true),
        (Act::Suspend { until: Some(tomorrow) }, false),
        (Act::Resume, true),
        // A pause that is over by its date hides nobody.
        (Act::Suspend { until: Some(yesterday) }, true),
        (leave(Withdrawal::NoContact), false),
        (leave(Withdrawal::NoAccess), false),
        (leave(Withdrawal::NoUse), false),
        (leave(Withdrawal::DestroySample), false),
        (Act::Grant(until(tomorrow)), true),
        // The last day is over: nobody has to say so.
        (Act::Change(until(yesterday)), false),
        (Act::Grant(given(9)), true),
    ];
    for (act, listed) in life {
        assert_eq!(biobank.takes(&donor, &mut latest, act).await.0, 200, "{act:?}");
        let mut wanted = vec![others.clone()];
        wanted.extend(listed.then(|| own.clone()));
        let mut seen = biobank.participants(&researcher).await;
        wanted.sort();
        seen.sort();
        assert_eq!(seen, wanted, "{act:?}");
    }
}

#[tokio::test]
async fn letters_are_for_their_receiver_and_nobody_fills_a_mailbox() {
    let biobank = Biobank::open().await;
    let donor = biobank.donor(3).await;
    assert_eq!(
        biobank.signed(&donor.pairwise, Method::POST, "/v1/study-keys", &donor.registration(&donor.key())).await.0,
        204
    );
    let researcher = biobank.paired("researcherCode", 2).await;
    let letter = json!({ "sealed": "AAAA" });
    let to_donor = format!("/v1/mailbox/{}", donor.key().did());
    for _ in 0..16 {
        assert_eq!(biobank.signed(&researcher, Method::POST, &to_donor, &letter).await.0, 202);
    }
    assert_eq!(biobank.signed(&researcher, Method::POST, &to_donor, &letter).await, (507, "mailbox-full".into()));
    // Donors do not write to donors, nor staff to anybody.
    assert_eq!(biobank.signed(&donor.key(), Method::POST, &to_donor, &letter).await, (403, "not-allowed".into()));
    assert_eq!(biobank.signed(&donor.pairwise, Method::POST, &to_donor, &letter).await, (403, "not-allowed".into()));
    let (_, letters) = biobank.signed(&donor.key(), Method::GET, "/v1/mailbox", &Value::Null).await;
    let letters: Value = serde_json::from_str(&letters).unwrap();
    assert_eq!(letters["letters"].as_array().unwrap().len(), 16);
    // Somebody else takes the letter: it stays.
    let take = format!("/v1/mailbox/{}", letters["letters"][0]["id"].as_str().unwrap());
    assert_eq!(biobank.signed(&researcher, Method::DELETE, &take, &Value::Null).await.0, 204);
    let count = async || {
        let (_, text) = biobank.signed(&donor.key(), Method::GET, "/v1/mailbox", &Value::Null).await;
        serde_json::from_str::<Value>(&text).unwrap()["letters"].as_array().unwrap().len()
    };
    assert_eq!(count().await, 16);
    assert_eq!(biobank.signed(&donor.key(), Method::DELETE, &take, &Value::Null).await.0, 204);
    assert_eq!(count().await, 15);
    let large = json!({ "sealed": "A".repeat(300 << 10) });
    assert_eq!(biobank.signed(&researcher, Method::POST, &to_donor, &large).await, (413, "too-large".into()));
    let garbled = json!({ "sealed": "not base64!" });
    assert_eq!(biobank.signed(&researcher, Method::POST, &to_donor, &garbled).await, (400, "malformed".into()));
}

#[tokio::test]
async fn paths_lead_nowhere_but_to_the_log() {
    let biobank = Biobank::open().await;
    for path in [
        "/tile/../institution.key",
        "/tile/%2e%2e/institution.key",
        "/tile/..%2f..%2finstitution.key",
        "/tile/0/999",
        "/tile/",
        "/tile/entries/000.p/0",
        "/tile/0/0",
        "/institution.key",
        "/v1/entries/zz/proof",
        "/v1/nothing",
    ] {
        let response = biobank.http.get(format!("{}{path}", biobank.running.address)).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 404, "{path}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_folder_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let biobank = Biobank::open().await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let dir = biobank.dir.path().join("biobank");
    assert_eq!(mode(&dir), 0o700);
    for key in ["institution.key", "log.key"] {
        assert_eq!(mode(&dir.join(key)), 0o600, "{key}");
    }
}
