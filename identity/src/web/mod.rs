//! One client for the documents of strangers. Whoever names an address makes this program send a request there, so it
//! goes over https to the public internet only, to the very addresses that were looked at, and carries nothing along.

mod address;
mod resolver;

pub use address::{addresses_of, is_public};
pub use resolver::WebResolver;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, Response, StatusCode, header, redirect};
use std::net::IpAddr;
use std::time::Duration;
use url::{Host, Url};

/// The longest address.
const MAX_URL: usize = 2_048;
/// How often an answer may point elsewhere.
const MAX_REDIRECTS: usize = 3;
const CONNECT: Duration = Duration::from_secs(5);
/// How long all of it may take, redirects and the whole body included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a document was not fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Not an https address of the public internet, or one that leads there; or more than its parts allow.
    #[error("the address is none that may be asked")]
    Address,
    /// No connection: no such name, nobody there, a certificate that nobody vouches for, or addresses that are not
    /// public.
    #[error("no connection")]
    Unreachable,
    /// Not all of the answer came in ten seconds.
    #[error("no answer in time")]
    TimedOut,
    /// It led on more than three times.
    #[error("too many redirects")]
    Redirects,
    /// An answer that is no yes.
    #[error("the answer has status {0}")]
    Status(u16),
    /// Another media type than those that were asked for.
    #[error("the answer has another media type")]
    Kind,
    /// Packed, though nothing packed was asked for.
    #[error("the answer is packed")]
    Packed,
    /// More bytes than asked for.
    #[error("the answer is too long")]
    TooLong,
    /// The client could not be made.
    #[error("the client could not be made")]
    Internal,
}

/// Where a client may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Public,
    /// This machine, and no other. Only tests can make it.
    #[cfg(feature = "loopback")]
    ThisMachine,
}

impl Reach {
    fn allows(self, ip: IpAddr) -> bool {
        match self {
            Self::Public => is_public(ip),
            #[cfg(feature = "loopback")]
            Self::ThisMachine => ip.is_loopback(),
        }
    }

    /// An address that may be asked. Numbers never pass the look-up of names, so they are looked at here.
    fn check(self, url: &Url) -> Result<(), FetchError> {
        let bare = url.username().is_empty() && url.password().is_none() && url.as_str().len() <= MAX_URL;
        // Ports below 1024 belong to services that understand something else, and could take a request for it.
        let port = url.port_or_known_default().is_some_and(|port| port == 443 || port >= 1_024);
        let host = match url.host() {
            Some(Host::Domain(name)) => self != Self::Public || (name.contains('.') && !name.ends_with('.')),
            Some(Host::Ipv4(ip)) => self.allows(ip.into()),
            Some(Host::Ipv6(ip)) => self.allows(ip.into()),
            None => false,
        };
        if url.scheme() == "https" && bare && port && host { Ok(()) } else { Err(FetchError::Address) }
    }
}

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = *self;
        Box::pin(async move {
            let found = addresses_of(name.as_str(), |ip| reach.allows(ip)).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The client.
#[derive(Debug, Clone)]
pub struct Fetcher {
    http: Client,
    reach: Reach,
}

/// What is fetched, and how much of it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Media types without parameters; the answer has to have one of them.
    pub kinds: &'a [&'a str],
    /// The most bytes.
    pub max_bytes: usize,
}

impl Fetcher {
    /// A client for the public internet.
    pub fn public() -> Result<Self, FetchError> {
        Self::make(Reach::Public, Client::builder())
    }

    /// A client that asks this machine only, and trusts this root certificate (DER) only: for tests against real
    /// servers. The programs are built without the feature that it needs.
    #[cfg(feature = "loopback")]
    pub fn loopback(root: &[u8]) -> Result<Self, FetchError> {
        let root = reqwest::Certificate::from_der(root).map_err(|_| FetchError::Internal)?;
        Self::make(Reach::ThisMachine, Client::builder().tls_certs_only([root]))
    }

    fn make(reach: Reach, builder: ClientBuilder) -> Result<Self, FetchError> {
        let http = builder
            .https_only(true)
            // A proxy would look names up by itself.
            .no_proxy()
            // Each step is checked like the first one.
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .connect_timeout(CONNECT)
            .dns_resolver(reach)
            .build()
            .map_err(|_| FetchError::Internal)?;
        Ok(Self { http, reach })
    }

    /// Fetches a document, with all of it in ten seconds.
    pub async fn fetch(&self, address: &str, wanted: Wanted<'_>) -> Result<Vec<u8>, FetchError> {
        let work = async {
            let mut url = Url::parse(address).map_err(|_| FetchError::Address)?;
            for _ in 0..=MAX_REDIRECTS {
                self.reach.check(&url)?;
                let request = self.http.get(url.clone()).header(header::ACCEPT, wanted.kinds.join(", "));
                let answer = request.send().await.map_err(told)?;
                match next(&url, &answer)? {
                    Some(elsewhere) => url = elsewhere,
                    None => return body(answer, wanted).await,
                }
            }
            Err(FetchError::Redirects)
        };
        tokio::time::timeout(PATIENCE, work).await.unwrap_or(Err(FetchError::TimedOut))
    }
}

fn told(error: reqwest::Error) -> FetchError {
    if error.is_timeout() { FetchError::TimedOut } else { FetchError::Unreachable }
}

/// Where an answer leads on to.
fn next(url: &Url, answer: &Response) -> Result<Option<Url>, FetchError> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let place = answer.headers().get(header::LOCATION).and_then(|place| place.to_str().ok());
    place.and_then(|place| url.join(place).ok()).map(Some).ok_or(FetchError::Address)
}

async fn body(mut answer: Response, wanted: Wanted<'_>) -> Result<Vec<u8>, FetchError> {
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status().as_u16()));
    }
    let text = |name| answer.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    if text(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(FetchError::Packed);
    }
    let kind = text(header::CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !wanted.kinds.iter().any(|wanted| wanted.eq_ignore_ascii_case(kind)) {
        return Err(FetchError::Kind);
    }
    let mut found = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(told)? {
        if chunk.len() > wanted.max_bytes - found.len() {
            return Err(FetchError::TooLong);
        }
        found.extend_from_slice(&chunk);
    }
    Ok(found)
}
