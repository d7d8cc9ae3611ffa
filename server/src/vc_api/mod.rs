//! A service for institutions: signs and verifies credentials of any kind over HTTP (the W3C VC-API).
//!
//! It keeps nothing but its keys and its status lists, and knows nothing of a biobank. Whoever may have things signed
//! speaks in the institution's name, so that is for programs on the same machine, unless the operator says otherwise. It
//! fetches nothing either, unless it is told to: the addresses are chosen by whoever wrote the document that is checked,
//! and who sees the requests learns who was checked, and when.

mod answer;
mod conformance;
mod deriving;
mod fetched;
mod identifiers;
mod issuing;
mod keyring;
mod lists;
mod page;
mod resolving;
mod routes;
mod status;
mod trusting;
mod verifying;

pub use keyring::Instance;
pub use routes::{ROUTES, VcRoute};
pub use trusting::{TrustPlace, TrustSource};

use crate::StartError;
use crate::clock::now;
use crate::door::{Connections, Door};
use crate::tls::{TlsFiles, self_signed};
use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use fetched::FetchedLists;
use identity::did_document::{CacheTimes, DidUrl, Local, ResolveError, Resolved, Resolver};
use identity::vc::named_dids;
use identity::web::{Fetcher, WebResolver};
use keyring::Keyring;
use lists::Lists;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use trusting::Trust;
use url::Url;

/// How long it waits for the head of a request and for a handshake.
const HEAD_TIME: Duration = Duration::from_secs(20);
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
const MAX_HEADERS: usize = 64;
const MAX_HEAD: usize = 64 << 10;
/// How much work is done at once, whatever waits.
const AT_ONCE: usize = 8;

/// How to run the service.
#[derive(Debug, Clone)]
pub struct VcOptions {
    /// Where to listen without TLS: an address of this machine; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where to listen with TLS.
    pub tls_listen: Option<SocketAddr>,
    /// Certificate and key; without them one is made at each start, which callers can only trust by hand.
    pub tls: Option<TlsFiles>,
    /// The folder of the keys and status lists, made if missing; without it they end with the service.
    pub keys: Option<PathBuf>,
    /// Under which address verifiers reach the status lists, as in `https://biobank.example/vc`. Without it, the
    /// service's own address, with TLS if it has one.
    pub url: Option<Url>,
    /// Whether test suites may ask for less than all checks, and have things signed in other names.
    pub conformance: bool,
    /// Whether callers from elsewhere may have things signed.
    pub issue_for_all: bool,
    /// The client for DID documents of `did:web` and for status lists; without it only DIDs that are keys are known, and
    /// only the service's own lists.
    pub web: Option<Fetcher>,
    /// The list of trusted issuers. With one, an issuer that is not on it is none.
    pub trust: Option<TrustSource>,
}

impl VcOptions {
    /// Strict, and for this machine only.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls_listen: None,
            tls: None,
            keys: None,
            url: None,
            conformance: false,
            issue_for_all: false,
            web: None,
            trust: None,
        }
    }
}

/// What the routes work with.
struct Desk {
    keys: Keyring,
    lists: Lists,
    conformance: bool,
    issue_for_all: bool,
    web: Option<WebResolver>,
    fetched: Option<FetchedLists>,
    trust: Option<Arc<Trust>>,
    work: Arc<Semaphore>,
}

impl Desk {
    async fn resolve(&self, did: &DidUrl) -> Result<Resolved, ResolveError> {
        match &self.web {
            Some(web) => web.resolve(did, now()).await,
            None => Local.resolve(did),
        }
    }

    /// Has at hand what the verification of a document will ask for.
    async fn look_up(&self, document: &[u8]) -> Arc<dyn Resolver> {
        match &self.web {
            Some(web) => Arc::new(web.look_up(&named_dids(document), now()).await),
            None => Arc::new(Local),
        }
    }
}

/// A service that answers until it is dropped.
pub struct RunningVcApi {
    /// Its address without TLS, as in `http://127.0.0.1:8490`.
    pub address: String,
    /// Its address with TLS.
    pub tls_address: Option<String>,
    tasks: Vec<JoinHandle<std::io::Result<()>>>,
    handle: Handle<SocketAddr>,
}

impl RunningVcApi {
    /// Waits until one of its listeners ends.
    pub async fn ended(&mut self) -> std::io::Result<()> {
        let (first, _, _) = futures_util::future::select_all(&mut self.tasks).await;
        first.map_err(std::io::Error::other)?
    }
}

impl Drop for RunningVcApi {
    fn drop(&mut self) {
        self.handle.shutdown();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Starts the service.
pub async fn start(options: VcOptions) -> Result<RunningVcApi, StartError> {
    let keys = Keyring::open(options.keys.as_deref())?;
    let places = Places::take(options.listen, options.tls_listen)?;
    let url = options.url.as_ref().map_or(places.address(), |url| url.as_str().trim_end_matches('/').to_owned());
    let lists = Lists::open(options.keys.as_deref(), url, &keys)?;
    let (conformance, issue_for_all) = (options.conformance, options.issue_for_all);
    let fetched = options.web.clone().map(FetchedLists::new);
    let web = options.web.map(|fetcher| WebResolver::new(fetcher, CacheTimes::default()));
    let trust = match options.trust {
        Some(source) => Some(Arc::new(Trust::open(source, options.keys.as_deref()).await?)),
        None => None,
    };
    let desk = Arc::new(Desk {
        keys,
        lists,
        conformance,
        issue_for_all,
        web,
        fetched,
        trust: trust.clone(),
        work: Arc::new(Semaphore::new(AT_ONCE)),
    });
    let mut running = places.serve(routes::router(desk), options.tls.as_ref())?;
    running.tasks.extend(trust.map(|trust| tokio::spawn(trust.keep_up())));
    Ok(running)
}

/// The one or two addresses of a service of this kind, taken before it serves at them.
pub(crate) struct Places {
    plain: (TcpListener, SocketAddr),
    tls: Option<(TcpListener, SocketAddr)>,
}

impl Places {
    /// Takes them. Without TLS a service is for programs on the same machine only.
    pub(crate) fn take(listen: SocketAddr, tls_listen: Option<SocketAddr>) -> Result<Self, StartError> {
        if !listen.ip().to_canonical().is_loopback() {
            return Err(StartError::Network(format!("{listen} can be reached by others: that takes TLS")));
        }
        Ok(Self { plain: bind(listen)?, tls: tls_listen.map(bind).transpose()? })
    }

    /// The address by which others reach it: with TLS, if there is one.
    pub(crate) fn address(&self) -> String {
        match &self.tls {
            Some((_, address)) => format!("https://{address}"),
            None => format!("http://{}", self.plain.1),
        }
    }

    /// Serves these routes at them, with the bounds of this service.
    pub(crate) fn serve(self, routes: Router, tls: Option<&TlsFiles>) -> Result<RunningVcApi, StartError> {
        let (handle, door) = (Handle::new(), Door::new(Connections::default()));
        let mut tasks = Vec::new();
        let (listener, address) = self.plain;
        let app = routes.clone().into_make_service_with_connect_info::<SocketAddr>();
        tasks.push(tokio::spawn(server(listener, &handle)?.acceptor(door.clone()).serve(app)));
        let mut tls_address = None;
        if let Some((listener, place)) = self.tls {
            let config: RustlsConfig = match tls {
                Some(files) => files.read()?,
                None => self_signed(place.ip())?,
            };
            tls_address = Some(format!("https://{place}"));
            let tls = RustlsAcceptor::new(config).handshake_timeout(HANDSHAKE_TIME).acceptor(door);
            let app = routes.into_make_service_with_connect_info::<SocketAddr>();
            tasks.push(tokio::spawn(server(listener, &handle)?.acceptor(tls).serve(app)));
        }
        Ok(RunningVcApi { address: format!("http://{address}"), tls_address, tasks, handle })
    }
}

fn bind(place: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let io = |error| StartError::Io(place.to_string(), error);
    let listener = TcpListener::bind(place).map_err(io)?;
    let address = listener.local_addr().map_err(io)?;
    Ok((listener, address))
}

fn server(listener: TcpListener, handle: &Handle<SocketAddr>) -> Result<axum_server::Server<SocketAddr>, StartError> {
    let mut server = axum_server::from_tcp(listener)
        .map_err(|error| StartError::Io("listener".to_owned(), error))?
        .http1_only()
        .handle(handle.clone())
        .first_request_timeout(HEAD_TIME)
        .accept_error_handler(|_, error| tracing::debug!(%error, "a connection was not taken"));
    server.http_builder().http1().header_read_timeout(HEAD_TIME).max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD);
    Ok(server)
}
