//! A service for institutions: signs and verifies credentials of any kind over HTTP (the W3C VC-API).
//!
//! It keeps nothing but its keys, knows nothing of a biobank, and fetches nothing. Whoever may have things signed speaks
//! in the institution's name, so that is for programs on the same machine, unless the operator says otherwise.

mod answer;
mod identifiers;
mod issuing;
mod keyring;
mod routes;
mod verifying;

pub use keyring::Instance;
pub use routes::{ROUTES, VcRoute};

use crate::StartError;
use crate::door::{Connections, Door};
use crate::tls::{TlsFiles, self_signed};
use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use keyring::Keyring;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

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
    /// The folder of the keys, made if missing; without it the keys end with the service.
    pub keys: Option<PathBuf>,
    /// Whether test suites may ask for less than all checks, and have things signed in other names.
    pub conformance: bool,
    /// Whether callers from elsewhere may have things signed.
    pub issue_for_all: bool,
}

impl VcOptions {
    /// Strict, and for this machine only.
    pub fn new(listen: SocketAddr) -> Self {
        Self { listen, tls_listen: None, tls: None, keys: None, conformance: false, issue_for_all: false }
    }
}

/// What the routes work with.
struct Desk {
    keys: Keyring,
    conformance: bool,
    issue_for_all: bool,
    work: Semaphore,
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
    let (conformance, issue_for_all) = (options.conformance, options.issue_for_all);
    let desk = Arc::new(Desk { keys, conformance, issue_for_all, work: Semaphore::new(AT_ONCE) });
    serve(routes::router(desk), options.listen, options.tls_listen, options.tls.as_ref())
}

/// Serves these routes at one or two addresses, with the bounds of this service.
pub(crate) fn serve(
    routes: Router,
    listen: SocketAddr,
    tls_listen: Option<SocketAddr>,
    tls: Option<&TlsFiles>,
) -> Result<RunningVcApi, StartError> {
    if !listen.ip().to_canonical().is_loopback() {
        return Err(StartError::Network(format!("{listen} can be reached by others: that takes TLS")));
    }
    let (handle, door) = (Handle::new(), Door::new(Connections::default()));
    let mut tasks = Vec::new();

    let (listener, address) = bind(listen)?;
    let app = routes.clone().into_make_service_with_connect_info::<SocketAddr>();
    tasks.push(tokio::spawn(server(listener, &handle)?.acceptor(door.clone()).serve(app)));
    let mut tls_address = None;
    if let Some(place) = tls_listen {
        let config: RustlsConfig = match tls {
            Some(files) => files.read()?,
            None => self_signed(place.ip())?,
        };
        let (listener, address) = bind(place)?;
        tls_address = Some(format!("https://{address}"));
        let tls = RustlsAcceptor::new(config).handshake_timeout(HANDSHAKE_TIME).acceptor(door);
        let app = routes.into_make_service_with_connect_info::<SocketAddr>();
        tasks.push(tokio::spawn(server(listener, &handle)?.acceptor(tls).serve(app)));
    }
    Ok(RunningVcApi { address: format!("http://{address}"), tls_address, tasks, handle })
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
