//! `biobankd trust`: says in the institution's name whose credentials count.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "commands speak by printing")]

use clap::Args;
use identity::TrustedIssuer;
use server::publish_trusted_issuers;
use std::path::PathBuf;
use std::process::ExitCode;

/// Whom to trust.
#[derive(Args)]
pub struct Trust {
    /// Folder of the institution; the service was started there once, and may run.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// For how many days the list counts. Sign a new one before: after its end it trusts nobody.
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3_660))]
    days: u16,
    /// All issuers, as [{"issuer": "did:web:lab.example", "types": ["LabResult"], "until": "2027-12-31T00:00:00Z"}];
    /// "until" may be left out.
    #[arg(value_name = "FILE")]
    issuers: PathBuf,
}

/// Signs the next version.
pub fn trust(trust: &Trust) -> ExitCode {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", trust.issuers.display());
    let issuers = std::fs::read(&trust.issuers).map_err(|error| told(&error)).and_then(|bytes| {
        let value = identity::parse_strict(&bytes, 1 << 20, 4).map_err(|error| told(&error))?;
        serde_json::from_value::<Vec<TrustedIssuer>>(value).map_err(|error| told(&error))
    });
    let signed = issuers.and_then(|issuers| {
        publish_trusted_issuers(&trust.data, issuers, trust.days).map_err(|error| error.to_string())
    });
    match signed {
        Ok(list) => {
            let claims = list.claims();
            println!("version {} with {} issuers, until {}", claims.version, claims.issuers.len(), claims.until);
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("biobankd: {why}");
            ExitCode::FAILURE
        }
    }
}
