#![doc = include_str!("../README.md")]

mod biobank;
mod caller;
mod clock;
mod code;
mod demo;
mod desk;
pub mod log;
mod problem;
mod routes;

pub use biobank::{Institution, StartError};
pub use desk::{Account, AccountRole};
pub use problem::Problem;

use biobank::Biobank;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

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
}

/// A biobank that answers requests until it is dropped or stopped.
pub struct Running {
    /// Its address, as in `http://127.0.0.1:8080`.
    pub address: String,
    task: JoinHandle<std::io::Result<()>>,
    biobank: Arc<Biobank>,
}

impl Running {
    /// Waits until the service ends.
    pub async fn ended(&mut self) -> std::io::Result<()> {
        (&mut self.task).await.map_err(std::io::Error::other)?
    }

    /// Waits until the log's disk fails. Whoever runs the service ends it then, so that a new start repairs the log.
    pub fn stopped(&self) -> impl Future<Output = ()> + use<> {
        let biobank = self.biobank.clone();
        async move {
            while !biobank.log.is_stopped() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts a biobank.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let io = |error| StartError::Io(options.listen.to_string(), error);
    let listener = TcpListener::bind(options.listen).await.map_err(io)?;
    let address = format!("http://{}", listener.local_addr().map_err(io)?);
    if options.demo {
        demo::plant(&options.data)?;
    }
    let biobank = Arc::new(Biobank::open(&options.data, &options.institution)?);
    if options.demo {
        demo::tell(&biobank, &options.data, &address)?;
    }
    tracing::info!(%address, origin = biobank.institution.origin, "biobank open");
    let app = routes::router(biobank.clone());
    let task = tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(Running { address, task, biobank })
}
