//! A biobank that runs, and people who call it: what the tests of its services share.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test takes its part, and may break off")]

mod document;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consent::{Policy, Purpose, StudyId, StudyRequest, Timestamp};
use identity::{
    ConsentClaims, Credential, Did, ProfileSecret, SigningKey, issue_consent, policy_hash, present, sha256, sign_jws,
    sign_request, to_canonical, verify_jws,
};
use ledger::{Act, ConsentEntry, ConsentEvent, EntryHash, Given, Hash, VerifierKey, commit_subject};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use server::{Institution, Network, Options, Running, start};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// The organisation of the demo's studies.
pub const HOSPITAL: &str = "https://hospital.example/organisation";

#[allow(clippy::disallowed_methods, reason = "the test's clock")]
pub fn now() -> Timestamp {
    Timestamp::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap())
}

/// Status and JSON of an answer, which is one of those that `openapi.json` names; a text that is no JSON comes as a
/// string.
pub type Answer = (u16, Value);

pub struct Biobank {
    pub dir: TempDir,
    pub running: Option<Running>,
    pub address: String,
    pub http: Client,
    pub did: Did,
    pub vkey: VerifierKey,
}

impl Biobank {
    pub async fn open() -> Self {
        Self::open_with(Network::default()).await
    }

    pub async fn open_with(network: Network) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let running = start(options(dir.path().join("biobank"), network)).await.unwrap();
        let address = running.address.clone();
        Self { running: Some(running), ..Self::at(dir, address).await }
    }

    /// One that answers at an address; what it told of itself as a demo lies in `biobank` below the folder.
    pub async fn at(dir: TempDir, address: String) -> Self {
        let http = Client::builder().no_proxy().build().unwrap();
        let log: Value = http.get(format!("{address}/v1/log")).send().await.unwrap().json().await.unwrap();
        let (did, vkey) = (text(&log["did"]).parse().unwrap(), text(&log["vkey"]).parse().unwrap());
        Self { dir, address, running: None, http, did, vkey }
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("biobank")
    }

    /// Stops, lets the folder be changed, and starts again.
    pub async fn restarted(&mut self, change: impl FnOnce(&std::path::Path)) {
        self.close().await;
        change(&self.data());
        self.open_again().await;
    }

    pub async fn close(&mut self) {
        self.running.take().unwrap().close().await;
    }

    pub async fn open_again(&mut self) {
        let running = start(options(self.data(), Network::default())).await.unwrap();
        self.address = running.address.clone();
        self.running = Some(running);
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.http.get(format!("{}{path}", self.address))).await
    }

    pub async fn post(&self, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.http.post(format!("{}{path}", self.address)).header("content-type", kind);
        answer(request.body(body)).await
    }

    /// A request that a key signs. The path may have a query.
    pub async fn signed(&self, key: &SigningKey, method: Method, path: &str, body: &Value) -> Answer {
        answer(self.request(key, method, path, body)).await
    }

    pub fn request(&self, key: &SigningKey, method: Method, path: &str, body: &Value) -> RequestBuilder {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let authority = self.address.trim_start_matches("http://");
        let (plain, query) = path.split_once('?').unwrap_or((path, ""));
        let nonce = uuid::Uuid::new_v4().to_string();
        let headers = sign_request(key, method.as_str(), authority, plain, query, body.as_bytes(), now(), &nonce);
        self.http
            .request(method, format!("{}{path}", self.address))
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature)
            .header("content-digest", headers.content_digest)
            .body(body)
    }

    pub async fn asks(&self, key: &SigningKey, path: &str) -> Answer {
        self.signed(key, Method::GET, path, &Value::Null).await
    }

    pub async fn sends(&self, key: &SigningKey, path: &str, body: &Value) -> Answer {
        self.signed(key, Method::POST, path, body).await
    }

    fn told(&self, code: &str) -> Value {
        let told: Value = serde_json::from_slice(&std::fs::read(self.data().join("demo.json")).unwrap()).unwrap();
        told[code].clone()
    }

    async fn paired(&self, key: SigningKey, code: &Value) -> SigningKey {
        let (status, answer) = self.sends(&key, "/v1/pair", &json!({ "code": code })).await;
        assert_eq!(status, 200, "{answer}");
        key
    }

    pub async fn staff(&self) -> SigningKey {
        // The same key may use its code again.
        self.paired(SigningKey::from_seed([200; 32]), &self.told("staffCode")).await
    }

    pub async fn researcher(&self) -> SigningKey {
        self.paired(SigningKey::from_seed([201; 32]), &self.told("researcherCode")).await
    }

    /// Somebody with an account in a role.
    pub async fn account(&self, role: &str, organisation: &str, seed: u8) -> SigningKey {
        let staff = self.staff().await;
        let body = json!({ "role": role, "organisation": organisation, "organisationName": "An organisation" });
        let (status, made) = self.sends(&staff, "/v1/pairing-codes", &body).await;
        assert_eq!(status, 200, "{made}");
        self.paired(SigningKey::from_seed([seed; 32]), &made["code"]).await
    }

    pub async fn study(&self, study: &str) -> StudyRequest {
        let (_, list) = self.get("/v1/studies").await;
        let all = list["studies"].as_array().unwrap().clone();
        let read = |jws: &Value| serde_json::from_slice(&verify_jws(text(jws)).unwrap().payload).unwrap();
        all.iter().map(read).find(|request: &StudyRequest| request.id.as_str() == study).unwrap()
    }

    /// An enrolled donor with a registered key for a study.
    pub async fn donor_of(&self, seed: u8, study: &str) -> Donor {
        let staff = self.staff().await;
        let (_, invitation) = self.sends(&staff, "/v1/invitations", &json!({})).await;
        let code = &invitation["code"];
        let asked = json!({ "code": code }).to_string();
        let (_, challenge) = self.post("/v1/enrolment/challenge", "application/json", asked).await;
        let secret = ProfileSecret::from_bytes([seed; 32]);
        let pairwise = secret.derive_biobank_key(&self.did);
        let (from, until) = (now(), now().plus_seconds(600));
        let challenge = challenge["challenge"].as_str();
        let presentation = present(&pairwise, &[], challenge, self.did.as_str(), from, until).await.unwrap();
        let body = json!({ "code": code, "presentation": presentation }).to_string();
        assert_eq!(self.post("/v1/enrolment", "application/json", body).await.0, 200);
        let donor = Donor { secret, pairwise, biobank: self.did.clone(), request: self.study(study).await };
        let registered = self.sends(&donor.pairwise, "/v1/study-keys", &donor.registration()).await;
        assert_eq!(registered.0, 204, "{registered:?}");
        donor
    }

    pub async fn donor(&self, seed: u8) -> Donor {
        self.donor_of(seed, "heart-rhythm").await
    }

    /// A donor who gave consent; the entry and the credential.
    pub async fn consenting(&self, seed: u8) -> (Donor, ConsentEntry, Credential) {
        let donor = self.donor(seed).await;
        let (entry, credential) = donor.gives(None).await;
        assert_eq!(self.append(entry.bytes()).await.0, 200);
        (donor, entry, credential)
    }

    /// The same, and the credential was handed over.
    pub async fn sharing(&self, seed: u8) -> (Donor, ConsentEntry) {
        let (donor, entry, credential) = self.consenting(seed).await;
        let handed = self.hand_over(&donor, &credential).await;
        assert_eq!(handed.0, 204, "{handed:?}");
        (donor, entry)
    }

    pub async fn hand_over(&self, donor: &Donor, credential: &Credential) -> Answer {
        self.sends(&donor.key(), "/v1/credentials", &json!({ "credential": credential })).await
    }

    pub async fn append(&self, entry: &[u8]) -> Answer {
        self.post("/v1/entries", "application/jose", entry.to_vec()).await
    }

    /// Asks for a decision about a subject.
    pub async fn decision(&self, key: &SigningKey, subject: &str, purpose: &Purpose) -> Answer {
        let purpose = URL_SAFE_NO_PAD.encode(to_canonical(purpose).unwrap());
        self.asks(key, &format!("/v1/decision?subject={subject}&purpose={purpose}")).await
    }

    /// The payload of a decision that this biobank signed.
    pub fn read(&self, decision: &Value, typ: &str) -> Value {
        let jws = verify_jws(text(decision)).unwrap();
        assert_eq!((&jws.signer, jws.typ.as_str()), (&self.did, typ));
        serde_json::from_slice(&jws.payload).unwrap()
    }

    /// Asks for a decision and makes it into a grant.
    pub async fn granted(&self, key: &SigningKey, subject: &str, purpose: &Purpose) -> Answer {
        let (status, decided) = self.decision(key, subject, purpose).await;
        assert_eq!(status, 200, "{decided}");
        self.sends(key, "/v1/access-grants", &json!({ "decision": decided["decision"], "purpose": purpose })).await
    }
}

fn options(data: PathBuf, network: Network) -> Options {
    let institution = Institution { name: "Example Biobank".into(), origin: "biobank.example/log".into() };
    Options { demo: true, network, ..Options::new(data, ([127, 0, 0, 1], 0).into(), institution) }
}

pub async fn answer(request: RequestBuilder) -> Answer {
    let (http, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().to_string(), request.url().path().to_owned());
    let response = http.execute(request).await.unwrap();
    let status = response.status().as_u16();
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    document::hold(&method, &path, status, kind.as_deref(), &body);
    (status, body)
}

/// A JSON text.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// The code of a refusal.
pub fn refused((status, body): &Answer) -> (u16, &str) {
    (*status, body["code"].as_str().unwrap_or_default())
}

/// The hash of a value's canonical JSON.
pub fn hash_of(value: &impl serde::Serialize) -> Hash {
    Hash::from(sha256(&to_canonical(value).unwrap()))
}

pub struct Donor {
    pub secret: ProfileSecret,
    pub pairwise: SigningKey,
    pub biobank: Did,
    pub request: StudyRequest,
}

impl Donor {
    pub fn study(&self) -> StudyId {
        self.request.id.clone()
    }

    pub fn key(&self) -> SigningKey {
        self.secret.derive_study_key(&self.biobank, &self.request.id)
    }

    pub fn subject(&self) -> Hash {
        let salt = self.secret.derive_subject_salt(&self.biobank, &self.request.id);
        commit_subject(&salt, &self.pairwise.did(), &self.request.id)
    }

    pub fn name(&self) -> String {
        self.subject().to_string()
    }

    fn registration(&self) -> Value {
        let salt = self.secret.derive_subject_salt(&self.biobank, &self.request.id);
        let said = json!({ "donor": self.pairwise.did(), "study": self.request.id });
        let binding = sign_jws(&self.key(), "study-key.v1+jws", &to_canonical(&said).unwrap());
        json!({ "study": self.request.id, "salt": hex::encode(salt), "binding": binding })
    }

    pub fn policy(&self) -> Policy {
        let data = self.request.offers.iter().map(|offer| offer.kind).collect();
        Policy { data: Some(data), issued: Some(now().date()), ..self.request.policy.clone() }
    }

    /// What the study wants to do: covered by what it asked for.
    pub fn purpose(&self) -> Purpose {
        self.request.purpose.clone()
    }

    /// An entry of this donor.
    pub fn says(&self, previous: Option<EntryHash>, act: Act) -> ConsentEntry {
        let event = ConsentEvent { subject: self.subject(), previous, notice: Hash::from([6; 32]), time: now(), act };
        ConsentEntry::sign(&self.key(), &event)
    }

    /// A consent to all that the study asks for, or a new version of it.
    pub async fn gives(&self, previous: Option<EntryHash>) -> (ConsentEntry, Credential) {
        self.gives_policy(previous, self.policy()).await
    }

    pub async fn gives_policy(&self, previous: Option<EntryHash>, policy: Policy) -> (ConsentEntry, Credential) {
        let until = policy.until;
        let claims = ConsentClaims {
            subject: self.key().did(),
            biobank: self.biobank.clone(),
            study: self.request.id.clone(),
            version: self.request.version,
            recipient: self.request.organisation.id.clone(),
            notice: consent::Notice {
                uri: "urn:consent-wallet:study:heart-rhythm".into(),
                version: 1,
                sha256: "06".repeat(32),
                language: "en".into(),
            },
            policy: policy.clone(),
            preferences: consent::Preferences::default(),
            terms: self.request.terms.clone(),
            supersedes: None,
        };
        let credential = issue_consent(&self.key(), &claims, now()).await.unwrap();
        let given =
            Given { credential: credential.hash().into(), policy: policy_hash(credential.id(), &policy).into(), until };
        let act = if previous.is_some() { Act::Change(given) } else { Act::Grant(given) };
        (self.says(previous, act), credential)
    }
}
