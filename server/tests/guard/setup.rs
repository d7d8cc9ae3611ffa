//! A running biobank, and keys that call it.

use identity::{SigningKey, sign_request};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use server::{Institution, Network, Options, Running, start};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub const HOSPITAL: &str = "https://hospital.example/organisation";

#[allow(clippy::disallowed_methods, reason = "the test's clock")]
pub fn now() -> consent::Timestamp {
    consent::Timestamp::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap())
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // A stream of news has no end to wait for.
        let endless =
            headers.get("content-type").is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
        let text = if endless { String::new() } else { response.text().await.unwrap() };
        Self { status, headers, text }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Status and code of a refusal.
    pub fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap().to_owned())
    }
}

/// Whom to call, over which client.
pub struct Door {
    pub address: String,
    pub http: Client,
}

impl Door {
    pub fn at(address: &str) -> Self {
        Self { address: address.to_owned(), http: Client::builder().no_proxy().build().unwrap() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.http.get(format!("{}{path}", self.address)).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        Answer::of(self.http.post(format!("{}{path}", self.address)).body(body).send().await.unwrap()).await
    }

    pub async fn signed(&self, key: &SigningKey, method: &str, path: &str, body: &Value) -> Answer {
        self.call(key, method, path, body.to_string().into_bytes(), &[]).await
    }

    /// A signed call with more headers.
    pub async fn call(
        &self,
        key: &SigningKey,
        method: &str,
        path: &str,
        body: Vec<u8>,
        more: &[(&str, &str)],
    ) -> Answer {
        let authority = self.address.split_once("://").unwrap().1;
        let nonce = uuid::Uuid::new_v4().to_string();
        let headers = sign_request(key, method, authority, path, "", &body, now(), &nonce);
        let mut request = self
            .http
            .request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", self.address))
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature)
            .header("content-digest", headers.content_digest)
            .body(body);
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// Makes an account for a key by a code.
    pub async fn pair(&self, key: &SigningKey, code: &str) {
        let paired = self.signed(key, "POST", "/v1/pair", &json!({ "code": code })).await;
        assert_eq!(paired.status, 200, "{paired:?}");
    }

    /// An account in any role, made by staff.
    pub async fn account(&self, staff: &SigningKey, seed: u8, role: &str, organisation: &str) -> SigningKey {
        let wanted = json!({ "role": role, "organisation": organisation, "organisationName": "Somewhere" });
        let made = self.signed(staff, "POST", "/v1/pairing-codes", &wanted).await;
        assert_eq!(made.status, 200, "{made:?}");
        let key = key(seed);
        self.pair(&key, made.json()["code"].as_str().unwrap()).await;
        key
    }
}

/// A biobank in this process.
pub struct Biobank {
    pub dir: TempDir,
    /// It answers until this is dropped.
    _running: Running,
    pub door: Door,
    pub staff: SigningKey,
}

pub fn institution() -> Institution {
    Institution { name: "Example Biobank".into(), origin: "biobank.example/log".into() }
}

impl Biobank {
    pub async fn open() -> Self {
        Self::open_with(Network::default()).await
    }

    /// With demo content and one account of staff.
    pub async fn open_with(network: Network) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("biobank");
        let options = Options { demo: true, network, ..Options::new(data, ([127, 0, 0, 1], 0).into(), institution()) };
        let running = start(options).await.unwrap();
        let door = Door::at(&running.address);
        let staff = key(200);
        let biobank = Self { dir, _running: running, door, staff };
        biobank.door.pair(&biobank.staff, biobank.told()["staffCode"].as_str().unwrap()).await;
        biobank
    }

    pub fn told(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.dir.path().join("biobank/demo.json")).unwrap()).unwrap()
    }
}
