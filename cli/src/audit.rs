//! `consentctl ledger audit`.

use consent::Vocabulary as _;
use ledger::VerifierKey;
use ledger::client::{AuditReport, LogClient, audit};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// The ledger, as in https://biobank.example.
    url: String,
    /// The key that must sign the log's checkpoints [default: the one that the ledger names].
    #[arg(long, value_name = "VKEY")]
    vkey: Option<VerifierKey>,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    match check(&arguments).await {
        Ok(report) => {
            print(&report);
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(reason) => {
            eprintln!("consentctl: {reason}");
            ExitCode::from(4)
        }
    }
}

async fn check(arguments: &Arguments) -> Result<AuditReport, ledger::client::ClientError> {
    let client = LogClient::new(&arguments.url)?;
    let vkey = match &arguments.vkey {
        Some(vkey) => vkey.clone(),
        None => client.log_info().await?.vkey,
    };
    audit(&client, &vkey).await
}

fn print(report: &AuditReport) {
    let sound = if report.is_clean() { "sound" } else { "NOT SOUND" };
    println!(
        "{sound}: {}, {} entries, root {}",
        report.checkpoint.origin, report.checkpoint.size, report.checkpoint.root
    );
    let counts = &report.entries;
    println!(
        "  {} grants, {} changes, {} pauses, {} resumed, {} withdrawals, {} of institutions",
        counts.grants, counts.changes, counts.pauses, counts.resumptions, counts.withdrawals, counts.others
    );
    let today = wallet::now().date();
    let states: Vec<_> =
        report.states_on(today).iter().map(|(state, count)| format!("{count} {}", state.code())).collect();
    println!("  consents on {today}: {}", if states.is_empty() { "none".into() } else { states.join(", ") });
    println!("  state {}", report.state.hash());
    for finding in &report.findings {
        println!("  finding: {finding:?}");
    }
    if report.finding_count > report.findings.len() as u64 {
        println!("  and {} more", report.finding_count - report.findings.len() as u64);
    }
}
