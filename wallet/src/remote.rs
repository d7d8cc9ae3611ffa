//! Talks to `biobankd`. Addresses are https, or plain http on this machine; answers are bounded in time and size.

use crate::clock::now;
use bridge::{Code, Failure};
use identity::{Did, SigningKey, sign_request};
use reqwest::{Method, Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::IpAddr;
use std::time::Duration;
use url::Url;

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 8 << 20;

/// How long one stream of events may last before it is opened anew.
const STREAM_LIFE: Duration = Duration::from_secs(12 * 3_600);

/// A biobank's address and how to reach it.
#[derive(Clone)]
pub struct Remote {
    base: Url,
    http: reqwest::Client,
}

impl Remote {
    /// Takes an address that the wallet may talk to.
    pub fn new(address: &str) -> Result<Self, Failure> {
        let refused =
            || Failure::new(Code::AddressNotAllowed).with("address", address.chars().take(200).collect::<String>());
        let base = Url::parse(address.trim()).map_err(|_| refused())?;
        let plain =
            base.path() == "/" && base.query().is_none() && base.username().is_empty() && base.password().is_none();
        let safe = match (base.scheme(), base.host_str()) {
            ("https", Some(_)) => true,
            ("http", Some("localhost")) => true,
            ("http", Some(host)) => host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
            _ => false,
        };
        if !safe || !plain {
            return Err(refused());
        }
        let here = base.scheme() == "http";
        let http = if here { reqwest::Client::builder().no_proxy() } else { reqwest::Client::builder() };
        let http = http
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(30))
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|_| Failure::new(Code::Internal))?;
        Ok(Self { base, http })
    }

    /// Takes an address with a path that somebody else named: the place, if the wallet may talk to it, and the rest.
    pub fn at(address: &str) -> Result<(Self, String), Failure> {
        let url = Url::parse(address).map_err(|_| Failure::new(Code::AddressNotAllowed))?;
        let remote = Self::new(&url[..url::Position::BeforePath])?;
        Ok((remote, url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()))
    }

    /// Reads a text, or posts a form and reads what comes back.
    pub async fn text(&self, path: &str, form: Option<String>, accept: &str) -> Result<String, Failure> {
        let address = format!("{}{path}", self.address());
        let request = match form {
            None => self.http.get(address),
            Some(form) => {
                self.http.post(address).header("content-type", "application/x-www-form-urlencoded").body(form)
            }
        };
        let bytes = bounded(request.header("accept", accept).send().await.map_err(unreachable)?).await?;
        String::from_utf8(bytes).map_err(|_| Failure::new(Code::ServerRefused).with("reason", "unreadable"))
    }

    /// Posts JSON with a token that whoever has it may use (RFC 6750).
    pub async fn bearing(&self, path: &str, token: &str, body: &Value) -> Result<Vec<u8>, Failure> {
        let request = self
            .http
            .post(format!("{}{path}", self.address()))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body.to_string());
        bounded(request.send().await.map_err(unreachable)?).await
    }

    /// The address without a trailing slash.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Reads a public route.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let request = self.http.get(format!("{}{path}", self.address()));
        parse(bounded(request.send().await.map_err(unreachable)?).await?)
    }

    /// Posts to a public route.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, Failure> {
        let request = self.http.post(format!("{}{path}", self.address())).body(body.to_string());
        parse(bounded(request.send().await.map_err(unreachable)?).await?)
    }

    /// Appends an entry to the log. The entry carries its own signature.
    pub async fn append(&self, entry: &[u8]) -> Result<(), Failure> {
        let request = self.http.post(format!("{}/v1/entries", self.address())).body(entry.to_vec());
        bounded(request.send().await.map_err(unreachable)?).await.map(drop)
    }

    /// Sends a request that is signed by a key of ours (RFC 9421).
    pub async fn signed(
        &self,
        key: &SigningKey,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Vec<u8>, Failure> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let nonce = uuid::Uuid::new_v4().to_string();
        let headers = sign_request(key, method.as_str(), &self.authority(), path, "", body.as_bytes(), now(), &nonce);
        let request = self
            .http
            .request(method, format!("{}{path}", self.address()))
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature)
            .header("content-digest", headers.content_digest)
            .body(body);
        bounded(request.send().await.map_err(unreachable)?).await
    }

    /// Opens a stream of events that goes on after the last one that was seen. It lasts as long as both sides want.
    pub async fn listen(&self, key: &SigningKey, path: &str, last: Option<u64>) -> Result<Response, Failure> {
        let nonce = uuid::Uuid::new_v4().to_string();
        let headers = sign_request(key, "GET", &self.authority(), path, "", b"", now(), &nonce);
        let mut request = self
            .http
            .get(format!("{}{path}", self.address()))
            .timeout(STREAM_LIFE)
            .header("accept", "text/event-stream")
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature)
            .header("content-digest", headers.content_digest);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.map_err(unreachable)?;
        if response.status().is_success() {
            return Ok(response);
        }
        bounded(response).await.and(Err(Code::Offline.into()))
    }

    /// Like `signed`, with an answer in JSON.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        key: &SigningKey,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Failure> {
        parse(self.signed(key, method, path, body).await?)
    }

    /// Leaves a sealed letter for a DID.
    pub async fn post_letter(&self, key: &SigningKey, to: &Did, sealed: &str) -> Result<(), Failure> {
        let body = serde_json::json!({ "sealed": sealed });
        self.signed(key, Method::POST, &format!("/v1/mailbox/{to}"), Some(&body)).await.map(drop)
    }

    fn authority(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

fn unreachable(_: reqwest::Error) -> Failure {
    Failure::new(Code::Offline)
}

fn parse<T: DeserializeOwned>(bytes: Vec<u8>) -> Result<T, Failure> {
    serde_json::from_slice(&bytes).map_err(|_| Failure::new(Code::ServerRefused).with("reason", "unreadable"))
}

/// Reads a whole answer up to the limit; refusals become failures by their code.
async fn bounded(mut response: Response) -> Result<Vec<u8>, Failure> {
    let status = response.status();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Err(Code::TooLarge.into());
        }
        bytes.extend_from_slice(&chunk);
    }
    if status.is_success() { Ok(bytes) } else { Err(refusal(status, &bytes)) }
}

fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = problem["code"].as_str().unwrap_or_default();
    match (status.as_u16(), code) {
        (_, "code-unknown") => Code::InvitationUnknown.into(),
        (_, "code-used") => Code::InvitationUsed.into(),
        (_, "code-expired") => Code::InvitationExpired.into(),
        (_, "too-many-tries") => Code::TooManyTries.into(),
        // A server that stumbles, or has enough of us for now, is one to ask again, like one that does not answer.
        (408 | 429 | 500..=599, _) => Code::Offline.into(),
        _ => Failure::new(Code::ServerRefused).with("reason", code.chars().take(40).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_allowed() {
        for address in ["https://biobank.example", "http://127.0.0.1:8480", "http://localhost:1", "http://[::1]:8480/"]
        {
            assert!(Remote::new(address).is_ok(), "{address}");
        }
        for address in [
            "http://biobank.example",
            "http://192.168.0.1",
            "file:///etc/passwd",
            "https://user@biobank.example",
            "https://x/path",
            "http://127.0.0.1.example.org",
            "javascript:alert(1)",
            "",
            "consent-wallet://join",
        ] {
            assert_eq!(Remote::new(address).err().map(|f| f.code), Some(Code::AddressNotAllowed), "{address}");
        }
    }
}
