//! The database that several nodes share: connections to whichever server takes writes, kept and made again.

mod address;
mod schema;
mod session;

pub use address::{AddressError, DatabaseAddress, StoreAddress};
pub use session::Session;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use session::{describe, passes};
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake};
use std::thread::Thread;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Connections of one node at most.
const CONNECTIONS: usize = 8;
/// How long a caller waits for a connection, and a read for its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before the next try to connect, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The connection broke, or there is none. Whether a write happened is not known.
    #[error("{0}")]
    Lost(String),
    /// The database refused what was asked, and would again.
    #[error("{0}")]
    Refused(String),
    /// A file could not be used.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        if passes(&error) { Self::Lost(describe(&error)) } else { Self::Refused(describe(&error)) }
    }
}

impl DatabaseError {
    /// An error while a connection is made: wrong passwords and the like can be mended while we wait.
    fn lost(error: &tokio_postgres::Error) -> Self {
        Self::Lost(describe(error))
    }
}

/// A database.
pub struct Database {
    pool: Arc<Pool>,
    /// Connections live on threads of their own, so that callers on any thread can wait for them. Taken as this ends.
    runtime: Option<Runtime>,
}

struct Pool {
    config: Config,
    tls: MakeRustlsConnect,
    room: Arc<Semaphore>,
    idle: Mutex<Vec<Session>>,
    /// Whether the operator knows that commits wait for no other server.
    alone: AtomicBool,
}

/// A connection that nobody else uses. It is closed as it is dropped, unless it is given back.
pub struct Lease {
    /// The connection.
    pub session: Session,
    pool: Arc<Pool>,
    _room: OwnedSemaphorePermit,
}

impl Database {
    /// Connects, and brings the tables to the form of this version. `alone` is said by an operator who wants no warning
    /// when commits wait for no other server.
    pub fn open(address: &DatabaseAddress, alone: bool) -> Result<Arc<Self>, DatabaseError> {
        let io = |error| DatabaseError::Io("password file".into(), error);
        let config = address.with_password().map_err(io)?;
        let tls = MakeRustlsConnect::new(tls_config(address.root.as_deref())?);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("database")
            .enable_all()
            .build()
            .map_err(|error| DatabaseError::Io("threads".into(), error))?;
        let (room, idle) = (Arc::new(Semaphore::new(CONNECTIONS)), Mutex::default());
        let pool = Arc::new(Pool { config, tls, room, idle, alone: AtomicBool::new(alone) });
        let database = Arc::new(Self { pool, runtime: Some(runtime) });
        database.write(async |session| schema::migrate(session).await)?;
        tracing::info!(%address, "database open");
        Ok(database)
    }

    /// Waits for a future on whatever thread this is. The runtime's own way to wait would panic on a thread of another.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        struct Unpark(Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let _entered = self.runtime.as_ref().map(Runtime::enter);
        let waker = Arc::new(Unpark(std::thread::current())).into();
        // A task may do only so much before it has to let others run, and here there is no way to let them.
        let (mut future, mut context) = (pin!(tokio::task::unconstrained(future)), Context::from_waker(&waker));
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(done) => return done,
                Poll::Pending => std::thread::park(),
            }
        }
    }

    /// A connection; waits a while for the database to come back.
    pub async fn lease(&self) -> Result<Lease, DatabaseError> {
        let (end, mut pause) = (Instant::now() + PATIENCE, FIRST_PAUSE);
        loop {
            match self.pool.clone().lease(end).await {
                Err(DatabaseError::Lost(why)) if Instant::now() + pause < end => {
                    tracing::debug!(why, "no connection to the database");
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                answer => return answer,
            }
        }
    }

    /// Reads; asks again on another connection if one breaks.
    pub fn read<T>(
        &self,
        work: impl AsyncFn(&mut Session) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, DatabaseError> {
        self.wait(async {
            let end = Instant::now() + 2 * PATIENCE;
            loop {
                let mut lease = self.lease().await?;
                let late = |_| DatabaseError::Lost("the database does not answer in time".into());
                match timeout_at(end, work(&mut lease.session)).await.map_err(late)? {
                    Ok(answer) => {
                        lease.give_back();
                        return Ok(answer);
                    }
                    Err(error) => match DatabaseError::from(error) {
                        DatabaseError::Lost(_) if Instant::now() < end => sleep(FIRST_PAUSE).await,
                        error => return Err(error),
                    },
                }
            }
        })
    }

    /// Writes, once. It takes as long as the database takes: a commit waits for a standby, and to give up waiting does
    /// not take the commit back.
    pub fn write<T>(
        &self,
        work: impl AsyncFn(&mut Session) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, DatabaseError> {
        self.wait(async {
            let mut lease = self.lease().await?;
            let done = work(&mut lease.session).await;
            lease.settle(done)
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Pool {
    async fn lease(self: Arc<Self>, end: Instant) -> Result<Lease, DatabaseError> {
        let late = |_| DatabaseError::Lost("no connection to the database is free in time".into());
        let room = timeout_at(end, self.room.clone().acquire_owned()).await.map_err(late)?;
        let room = room.map_err(|_| DatabaseError::Lost("closed".into()))?;
        if let Some(session) = self.take_idle() {
            return Ok(Lease { session, pool: self, _room: room });
        }
        // Whoever waits may give up, but the connection is made to its end: a server that waits for its standby would
        // otherwise collect half-made ones without bound.
        let (told, hear) = oneshot::channel();
        tokio::spawn(async move {
            let made = Session::open(&self.config, self.tls.clone()).await.map(|(session, safety)| {
                if !safety.replicated && !self.alone.swap(true, Ordering::Relaxed) {
                    tracing::warn!("commits wait for no standby: if this database server is lost, entries are lost");
                }
                Lease { session, pool: self, _room: room }
            });
            if let Err(Ok(lease)) = told.send(made) {
                lease.give_back();
            }
        });
        let late = |_| DatabaseError::Lost("the database does not take a connection in time".into());
        timeout_at(end, hear).await.map_err(late)?.map_err(|_| DatabaseError::Lost("closed".into()))?
    }

    fn take_idle(&self) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(session) = idle.pop() {
            if !session.is_spoilt() {
                return Some(session);
            }
        }
        None
    }
}

impl Lease {
    /// Takes the answer to a write, unless the server said that it is not on a standby.
    pub fn settle<T>(self, done: Result<T, tokio_postgres::Error>) -> Result<T, DatabaseError> {
        let answer = done?;
        if self.session.is_spoilt() {
            // The other connections see that commit now. New ones wait until it is on a standby.
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
            return Err(DatabaseError::Lost("the commit is on no standby".into()));
        }
        self.give_back();
        Ok(answer)
    }

    /// Leaves the connection to others, if it is as it was.
    pub fn give_back(self) {
        if !self.session.is_spoilt() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(self.session);
        }
    }
}

/// TLS that takes only what hangs on these certificates. Without them there is no TLS, and this is not asked for.
fn tls_config(root: Option<&Path>) -> Result<ClientConfig, DatabaseError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = root {
        let io = |error: rustls::pki_types::pem::Error| {
            DatabaseError::Io(path.display().to_string(), std::io::Error::other(error))
        };
        for certificate in CertificateDer::pem_file_iter(path).map_err(io)? {
            roots.add(certificate.map_err(io)?).map_err(|error| DatabaseError::Refused(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(DatabaseError::Refused(format!("{} holds no certificate", path.display())));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| DatabaseError::Refused(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
