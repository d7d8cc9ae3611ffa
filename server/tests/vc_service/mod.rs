//! The service for institutions as its tests ask it, over HTTP.
#![allow(dead_code, reason = "each test takes its part")]

use reqwest::Client;
use serde_json::{Value, json};
use server::vc_api::{RunningVcApi, VcOptions, start};

pub const V2: &str = "https://www.w3.org/ns/credentials/v2";
pub const EXAMPLES: &str = "https://www.w3.org/ns/credentials/examples/v2";

pub struct Service {
    pub running: RunningVcApi,
    pub http: Client,
    pub keys: Value,
}

impl Service {
    pub async fn open(options: VcOptions) -> Self {
        let running = start(options).await.unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        let keys = http.get(format!("{}/keys", running.address)).send().await.unwrap().json().await.unwrap();
        Self { running, http, keys }
    }

    pub async fn plain() -> Self {
        Self::open(VcOptions::new("127.0.0.1:0".parse().unwrap())).await
    }

    pub async fn post(&self, path: &str, body: String) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.running.address)).body(body);
        let answer = request.header("content-type", "application/json").send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    pub async fn post_to(&self, path: String, body: String) -> (u16, Value) {
        self.post(&path, body).await
    }

    pub async fn signed(&self, instance: &str, key: &str) -> Value {
        let body = json!({ "credential": credential(&self.keys[key]) }).to_string();
        let (status, mut said) = self.post(&format!("/{instance}/credentials/issue"), body).await;
        assert_eq!(status, 201, "{said}");
        said["verifiableCredential"].take()
    }

    pub async fn verified(&self, credential: &Value, options: Value) -> (u16, Value) {
        let body = json!({ "verifiableCredential": credential, "options": options });
        self.post("/credentials/verify", body.to_string()).await
    }
}

pub fn credential(issuer: &Value) -> Value {
    json!({
        "@context": [V2, EXAMPLES],
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": issuer,
        "credentialSubject": { "id": "did:example:abcdefgh", "alumniOf": "The School of Examples" },
    })
}
