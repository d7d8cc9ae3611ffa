//! `biobankd`: runs the services of one biobank.

mod arguments;
mod telling;

use arguments::{Arguments, Command, Serve};
use clap::Parser;
use server::{Running, start};
use std::process::ExitCode;
use telling::tell;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Serve(serve)) => run(serve).await,
        None => match arguments.serve {
            Some(serve) => run(serve).await,
            // Clap asks for the folder before this is reached.
            None => ExitCode::FAILURE,
        },
    }
}

/// Answers requests until a signal, a failed disk or a failed listener ends it.
async fn run(serve: Serve) -> ExitCode {
    tell(serve.log);
    let mut running = match start(serve.options()).await {
        Ok(running) => running,
        Err(error) => {
            tracing::error!(%error, "could not start");
            return ExitCode::FAILURE;
        }
    };
    let stopped = running.stopped();
    tokio::pin!(stopped);
    let code = loop {
        tokio::select! {
            ended = running.ended() => break match ended {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => { tracing::error!(%error, "stopped"); ExitCode::FAILURE }
            },
            () = &mut stopped => {
                tracing::error!("the log can not be written; a new start repairs it");
                break ExitCode::FAILURE;
            }
            () = asked_to_end() => break ExitCode::SUCCESS,
            () = asked_to_reread() => reread(&running),
        }
    };
    tracing::info!("closing");
    running.close().await;
    code
}

fn reread(running: &Running) {
    match running.reread_certificate() {
        Ok(()) => tracing::info!("certificate read again"),
        Err(error) => tracing::error!(%error, "the new certificate can not be used; the old one stays"),
    }
}

/// Waits for ctrl-c or SIGTERM.
#[cfg(unix)]
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Waits for ctrl-c.
#[cfg(not(unix))]
async fn asked_to_end() {
    let _ = tokio::signal::ctrl_c().await;
}

/// Waits for SIGHUP.
#[cfg(unix)]
async fn asked_to_reread() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::hangup()) {
        Ok(mut hangup) => drop(hangup.recv().await),
        Err(_) => std::future::pending().await,
    }
}

/// There is no such signal here.
#[cfg(not(unix))]
async fn asked_to_reread() {
    std::future::pending().await
}
