//! `consentctl call` and `consentctl pair`: requests that a key signs (RFC 9421), for those who work with a biobank from
//! a terminal or a program and not from the window.

use identity::{SigningKey, sign_request};
use reqwest::{Client, Method, Response, redirect};
use serde_json::{Value, json};
use std::io::{self, Read, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use url::{Host, Url};
use wallet::exchange::visa::read_key;

/// The largest body that a biobank reads.
const MAX_BODY: u64 = 16 << 20;
/// The largest file that holds a capability, or the answer with one.
const MAX_CAPABILITY: u64 = 16 << 10;
/// How long a connection may take, and how long a silence may last: a stream of events says something every 15 s.
const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(60);
/// The header that carries a capability.
const CAPABILITY: &str = "consent-capability";

#[derive(clap::Args)]
pub struct Arguments {
    /// The key that signs: a file as `consentctl key make` writes it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// File with a capability that was made for this key, or with the answer in which it came.
    #[arg(long, value_name = "FILE")]
    capability: Option<PathBuf>,
    /// GET, POST, DELETE or another.
    #[arg(value_parser = method)]
    method: Method,
    /// Where to, with the query: https anywhere, or http to this machine.
    #[arg(value_parser = address)]
    url: Url,
    /// File with the body; `-` reads standard input.
    #[arg(long, value_name = "FILE|-")]
    body: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct Pair {
    /// The key that gets the account: a file as `consentctl key make` writes it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The biobank, as in https://biobank.example.
    #[arg(long, value_name = "URL", value_parser = address)]
    ledger: Url,
    /// The one-time code; `-` reads it from standard input.
    code: String,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let Arguments { key, capability, method, url, body } = arguments;
    end(async {
        let key = open_key(&key)?;
        let capability = capability.as_deref().map(read_capability).transpose()?;
        let body = body.as_deref().map(|path| read(path, MAX_BODY)).transpose()?;
        Call { key, capability, method, url, body: body.unwrap_or_default() }.make().await
    })
    .await
}

pub async fn pair(arguments: Pair) -> ExitCode {
    let Pair { key, mut ledger, code } = arguments;
    end(async {
        let key = open_key(&key)?;
        let code = match code.as_str() {
            "-" => text(read(Path::new("-"), MAX_CAPABILITY)?)?,
            code => code.to_owned(),
        };
        ledger.set_path(&format!("{}/v1/pair", ledger.path().trim_end_matches('/')));
        let body = json!({ "code": code.trim() }).to_string().into_bytes();
        Call { key, capability: None, method: Method::POST, url: ledger, body }.make().await
    })
    .await
}

/// 0 answered, 1 refused, 4 could not ask.
async fn end(work: impl Future<Output = Result<bool, String>>) -> ExitCode {
    match work.await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("consentctl: {reason}");
            ExitCode::from(4)
        }
    }
}

struct Call {
    key: SigningKey,
    capability: Option<String>,
    method: Method,
    url: Url,
    body: Vec<u8>,
}

impl Call {
    /// Signs the request, sends it, and prints the answer as it comes. Whether it was granted.
    async fn make(self) -> Result<bool, String> {
        let Self { key, capability, method, url, body } = self;
        let host = url.host_str().unwrap_or_default();
        let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let (query, nonce) = (url.query().unwrap_or_default(), uuid::Uuid::new_v4().to_string());
        let signed = sign_request(&key, method.as_str(), &authority, url.path(), query, &body, wallet::now(), &nonce);
        // A redirect would carry a signed request to an address that nobody named.
        let mut client =
            Client::builder().connect_timeout(CONNECT).read_timeout(SILENCE).redirect(redirect::Policy::none());
        if url.scheme() == "http" {
            // A proxy of the environment must not see what is meant for this machine.
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| error.to_string())?;
        let mut request = client
            .request(method, url)
            .header("signature-input", signed.signature_input)
            .header("signature", signed.signature)
            .header("content-digest", signed.content_digest);
        if let Some(capability) = capability {
            request = request.header(CAPABILITY, capability);
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json").body(body);
        }
        let answer = request.send().await.map_err(|_| "the biobank can not be reached".to_owned())?;
        let status = answer.status();
        let wait = answer.headers().get("retry-after").and_then(|wait| wait.to_str().ok()).map(str::to_owned);
        print(answer).await?;
        if !status.is_success() {
            let wait = wait.map_or_else(String::new, |wait| format!("; come back in {wait} s"));
            eprintln!("consentctl: {status}{wait}");
        }
        Ok(status.is_success())
    }
}

async fn print(mut answer: Response) -> Result<(), String> {
    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (json, mut last) = (kind.contains("json"), b'\n');
    let written = |error: io::Error| format!("the answer can not be written: {error}");
    while let Some(piece) = answer.chunk().await.map_err(|_| "the answer broke off".to_owned())? {
        last = piece.last().copied().unwrap_or(last);
        let mut out = io::stdout().lock();
        out.write_all(&piece).and_then(|()| out.flush()).map_err(written)?;
    }
    // Other answers are printed to the byte.
    if json && last != b'\n' {
        io::stdout().write_all(b"\n").map_err(written)?;
    }
    Ok(())
}

pub(crate) fn open_key(path: &Path) -> Result<SigningKey, String> {
    read_key(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The capability in a file: the text itself, or the answer that held it.
fn read_capability(path: &Path) -> Result<String, String> {
    let text = text(read(path, MAX_CAPABILITY)?)?;
    let answer = serde_json::from_str::<Value>(&text).unwrap_or_default();
    let capability = answer["capability"].as_str().unwrap_or_else(|| text.trim());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !capability.is_empty() && capability.bytes().all(plain) {
        Ok(capability.to_owned())
    } else {
        Err(format!("{}: this is no capability", path.display()))
    }
}

/// Reads a file, or standard input, up to a size.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let told = |error: io::Error| format!("{}: {error}", path.display());
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().take(most + 1).read_to_end(&mut bytes).map_err(told)?;
    } else {
        std::fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(told)?;
    }
    if bytes.len() as u64 > most { Err(format!("{}: more than {most} bytes", path.display())) } else { Ok(bytes) }
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "this is no text".to_owned())
}

/// Methods are written large on the wire, and that is what is signed.
fn method(text: &str) -> Result<Method, String> {
    text.to_ascii_uppercase().parse().map_err(|_| "this is no method of HTTP".to_owned())
}

/// What a signed request may be sent to.
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "this is no address".to_owned())?;
    let safe = match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Ipv4(ip))) => IpAddr::V4(ip).is_loopback(),
        ("http", Some(Host::Ipv6(ip))) => IpAddr::V6(ip).is_loopback(),
        ("http", Some(Host::Domain(name))) => name == "localhost",
        _ => false,
    };
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if safe && bare {
        Ok(url)
    } else {
        Err("an address begins with https://, or with http:// and names this machine".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_requests_go_over_tls_or_stay_on_this_machine() {
        for good in
            ["https://biobank.example/v1/donors?a=b", "http://127.0.0.1:8480/", "http://[::1]:1", "http://localhost/x"]
        {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "http://biobank.example/",
            "http://10.0.0.1/",
            "http://127.0.0.1.example/",
            "https://user@biobank.example/",
            "https://biobank.example/#a",
            "file:///etc/passwd",
            "biobank.example",
            "",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
