//! `biobankd`: runs the services of one biobank.

mod arguments;
mod joining;
mod operate;
mod places;
mod relocate;
mod remaking;
mod telling;
mod trusting;

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
        Some(Command::Member(member)) => joining::member(&member),
        Some(Command::Join(join)) => joining::join(&join),
        Some(Command::Trust(trust)) => trusting::trust(&trust),
        Some(Command::Operate(operation)) => {
            tell(telling::LogForm::Text);
            operate::operate(operation)
        }
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
    // Asked for before the start, so that no signal falls between.
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!(%error, "no signals");
            return ExitCode::FAILURE;
        }
    };
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
            asked = signals.next() => match asked {
                Asked::End => break ExitCode::SUCCESS,
                Asked::Reread => reread(&running),
            },
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

/// What a signal asks for.
enum Asked {
    /// To end: SIGTERM, or ctrl-c.
    End,
    /// To read the certificate again: SIGHUP.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal here"))]
    Reread,
}

/// The signals that the service listens to.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::End,
            _ = self.interrupt.recv() => Asked::End,
            _ = self.hangup.recv() => Asked::Reread,
        }
    }
}

/// The signals that the service listens to.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Asked {
        let _ = tokio::signal::ctrl_c().await;
        Asked::End
    }
}
