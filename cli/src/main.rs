//! `consentctl`: check a proof of consent, audit a log.
//!
//! Prints are this program's face: everything else goes through exit codes.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod audit;
mod verify;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Research consent for terminals and pipelines.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check a proof of consent.
    ///
    /// Exit status: 0 permit, 1 deny, 2 review, 3 not valid, 4 could not check.
    Verify(verify::Arguments),
    /// Work with a ledger.
    #[command(subcommand)]
    Ledger(Ledger),
}

#[derive(Subcommand)]
enum Ledger {
    /// Download a whole log, rebuild its tree, check every signature and every rule.
    ///
    /// Exit status: 0 sound, 1 not sound, 4 could not check.
    Audit(audit::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Verify(arguments) => verify::run(arguments).await,
        Command::Ledger(Ledger::Audit(arguments)) => audit::run(arguments).await,
    }
}
