//! Starts a biobank, and ends it in good order.

use crate::biobank::{Biobank, Institution, StartError};
use crate::clock::now;
use crate::desk::{Account, AccountRole, PAIRING_AGE};
use crate::door::{Connections, Door};
use crate::founding;
use crate::limits::Rates;
use crate::postgres::StoreAddress;
use crate::public::PublicAddress;
use crate::routes::{Surroundings, router};
use crate::tls::TlsFiles;
use crate::webhook::{self, Reach};
use crate::{code, demo, federation, snapshot, stream, sweep};
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How many header fields a request may have, and how many bytes they take together.
const MAX_HEADERS: usize = 64;
const MAX_HEAD: usize = 64 << 10;
/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long requests that run may go on when the service ends.
const GRACE: Duration = Duration::from_secs(10);

/// How to run a biobank.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds everything: keys, log, desk.
    pub data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who the institution is, at the first start.
    pub institution: Institution,
    /// Whether to fill an empty folder with demo content.
    pub demo: bool,
    /// Where to write a one-time code for an account of staff, for the first of them.
    pub staff_code: Option<PathBuf>,
    /// Where log and desk are.
    pub store: StoreAddress,
    /// Whether the operator knows that commits of the database wait for no standby.
    pub allow_unreplicated: bool,
    /// How it stands in its network.
    pub network: Network,
}

impl Options {
    /// Without demo content, and in a network as it is when nothing is said.
    pub fn new(data: PathBuf, listen: SocketAddr, institution: Institution) -> Self {
        Self {
            data,
            listen,
            institution,
            demo: false,
            staff_code: None,
            store: StoreAddress::Embedded,
            allow_unreplicated: false,
            network: Network::default(),
        }
    }
}

/// How a service stands in its network.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// Certificate and key; plain HTTP without them.
    pub tls: Option<TlsFiles>,
    /// Whether a proxy in front speaks TLS, and adds the caller's address to `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// Where everybody reaches it, if that is known.
    pub address: Option<PublicAddress>,
    /// How often who may call.
    pub rates: Rates,
    /// How many connections may stand open.
    pub connections: Connections,
    /// How long it waits for callers.
    pub times: Times,
}

/// How long a service waits for its callers.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// For the head of a request, also of the next one on an open connection.
    pub head: Duration,
    /// For a request until its answer begins, the reading of its body included.
    pub request: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { head: Duration::from_secs(20), request: Duration::from_secs(30) }
    }
}

/// A biobank that answers requests until it is dropped or stopped.
pub struct Running {
    /// Its address, as in `http://127.0.0.1:8080`.
    pub address: String,
    task: JoinHandle<std::io::Result<()>>,
    handle: Handle<SocketAddr>,
    certificate: Option<(TlsFiles, RustlsConfig)>,
    biobank: Arc<Biobank>,
}

impl Running {
    /// Waits until the service ends.
    pub async fn ended(&mut self) -> std::io::Result<()> {
        (&mut self.task).await.map_err(std::io::Error::other)?
    }

    /// Waits until the log's disk fails. Whoever runs the service ends it then, so that a new start repairs the log.
    pub fn stopped(&self) -> impl Future<Output = ()> + use<> {
        let biobank = Arc::downgrade(&self.biobank);
        async move {
            while biobank.upgrade().is_some_and(|biobank| !biobank.log.is_stopped()) {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    /// Reads the certificate and its key again, for connections that come from now on.
    pub fn reread_certificate(&self) -> Result<(), StartError> {
        self.certificate.as_ref().map_or(Ok(()), |(files, config)| files.reread(config))
    }

    /// Takes no more connections, lets the requests that run come to their end, and closes the log.
    pub async fn close(mut self) {
        self.biobank.closing.send_replace(true);
        self.handle.graceful_shutdown(Some(GRACE));
        // Who waited for the end has it already, and a task can be waited for only once.
        if !self.task.is_finished() {
            let _ = self.ended().await;
        }
        // A request that was cut off may still be at its disk work: the log closes when the last one lets go of it.
        let begun = tokio::time::Instant::now();
        while Arc::strong_count(&self.biobank) > 1 && begun.elapsed() < GRACE {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.biobank.closing.send_replace(true);
        self.handle.shutdown();
        self.task.abort();
    }
}

/// Starts a biobank.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let network = &options.network;
    let exposed = !options.listen.ip().to_canonical().is_loopback();
    if exposed && network.tls.is_none() && !network.behind_proxy {
        return Err(StartError::Network(format!(
            "{} can be reached by others: give a certificate and a key, or say that a proxy in front has them",
            options.listen
        )));
    }
    let certificate = match network.tls.clone() {
        Some(files) => Some((files.clone(), files.read()?)),
        None => None,
    };
    let io = |error| StartError::Io(options.listen.to_string(), error);
    let listener = TcpListener::bind(options.listen).map_err(io)?;
    let scheme = if certificate.is_some() { "https" } else { "http" };
    let address = format!("{scheme}://{}", listener.local_addr().map_err(io)?);
    if options.demo {
        demo::plant(&options.data)?;
    }
    let mut biobank = Biobank::open(&options)?;
    founding::found(&mut biobank, &options.data).await?;
    if options.demo {
        biobank.webhooks.reach = Reach::Demo;
    }
    let biobank = Arc::new(biobank);
    if let Some(path) = &options.staff_code {
        write_staff_code(&biobank, path)?;
    }
    if options.demo {
        demo::tell(&biobank, &options.data, &address)?;
    }
    // They hold nothing open, and end when the service does.
    tokio::spawn(stream::follow(Arc::downgrade(&biobank)));
    tokio::spawn(webhook::run(Arc::downgrade(&biobank)));
    tokio::spawn(federation::run(Arc::downgrade(&biobank)));
    tokio::spawn(snapshot::at_midnight(Arc::downgrade(&biobank)));
    tokio::spawn(sweep::daily(Arc::downgrade(&biobank)));
    tracing::info!(%address, origin = biobank.institution.origin, "biobank open");
    let patience = network.times.request;
    let around = Surroundings { proxy: network.behind_proxy, tls: certificate.is_some(), patience };
    let app = router(biobank.clone(), around).into_make_service_with_connect_info::<SocketAddr>();
    let handle = Handle::new();
    let mut server = axum_server::from_tcp(listener)
        .map_err(io)?
        .http1_only()
        .handle(handle.clone())
        .first_request_timeout(network.times.head)
        // The address of who came is nobody's business in a log.
        .accept_error_handler(|_, error| tracing::debug!(%error, "a connection was not taken"));
    server
        .http_builder()
        .http1()
        .header_read_timeout(network.times.head)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD);
    // A proxy is one address: there the bound of one would be the bound of all.
    let of_one = if network.behind_proxy { network.connections.all } else { network.connections.of_one };
    let door = Door::new(Connections { of_one, ..network.connections });
    biobank.metrics.register(|registry| door.count(registry));
    let task = match &certificate {
        Some((_, config)) => {
            let tls = RustlsAcceptor::new(config.clone()).handshake_timeout(HANDSHAKE_TIME).acceptor(door);
            tokio::spawn(server.acceptor(tls).serve(app))
        }
        None => tokio::spawn(server.acceptor(door).serve(app)),
    };
    Ok(Running { address, task, handle, certificate, biobank })
}

/// Writes a code for an account of staff to a file that only this user can read.
fn write_staff_code(biobank: &Biobank, path: &Path) -> Result<(), StartError> {
    let error = |error| StartError::Io(path.display().to_string(), error);
    let account = Account {
        role: AccountRole::Staff,
        organisation: biobank.did.to_string(),
        organisation_name: biobank.institution.name.clone(),
    };
    let mut options = std::fs::OpenOptions::new();
    // Never into a file that is there: it could be somebody else's, or readable by others.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(error)?;
    let code = biobank.desk.make_pairing(account, now().plus_seconds(PAIRING_AGE))?;
    writeln!(file, "{}", code::show(&code)).and_then(|()| file.sync_all()).map_err(error)
}
