//! `biobankd`: runs the services of one biobank.

use clap::Parser;
use server::{Institution, Options, start};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Runs the services of one biobank over its ledger.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Folder for keys, log and desk; made if missing.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// Name of the institution, at the first start.
    #[arg(long, default_value = "Example Biobank")]
    name: String,
    /// Origin line of the log, at the first start.
    #[arg(long, default_value = "biobank.example/log")]
    origin: String,
    /// Fill an empty folder with demo studies, and write one-time codes to DIR/demo.json.
    #[arg(long)]
    demo: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let institution = Institution { name: arguments.name, origin: arguments.origin };
    let options = Options { data: arguments.data, listen: arguments.listen, institution, demo: arguments.demo };
    let mut running = match start(options).await {
        Ok(running) => running,
        Err(error) => {
            tracing::error!(%error, "could not start");
            return ExitCode::FAILURE;
        }
    };
    let stopped = running.stopped();
    tokio::select! {
        ended = running.ended() => match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => { tracing::error!(%error, "stopped"); ExitCode::FAILURE }
        },
        () = stopped => {
            tracing::error!("the log can not be written; a new start repairs it");
            ExitCode::FAILURE
        }
        _ = tokio::signal::ctrl_c() => ExitCode::SUCCESS,
    }
}
