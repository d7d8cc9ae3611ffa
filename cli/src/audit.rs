//! `consentctl ledger audit`: whether a log is sound, and how the consents in it stand.

use crate::replay::{Reading, read};
use consent::Vocabulary as _;
use ledger::client::AuditReport;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    reading: Reading,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    match read(&arguments.reading, None).await {
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

/// The kinds of a donor's acts, as people call them; all others are an institution's.
const ACTS: [(&str, &str); 5] = [
    (ledger::GRANT_TYPE, "grants"),
    (ledger::CHANGE_TYPE, "changes"),
    (ledger::SUSPEND_TYPE, "pauses"),
    (ledger::RESUME_TYPE, "resumed"),
    (ledger::WITHDRAW_TYPE, "withdrawals"),
];

fn print(report: &AuditReport) {
    let sound = if report.is_clean() { "sound" } else { "NOT SOUND" };
    println!("{sound}: {}, {} entries, root {}", report.checkpoint.origin, report.size, report.root);
    let count = |typ: &str| report.kinds.get(typ).copied().unwrap_or_default();
    let mut counts: Vec<_> = ACTS.iter().map(|(typ, name)| format!("{} {name}", count(typ))).collect();
    let others: u64 = report.kinds.values().sum::<u64>() - ACTS.iter().map(|(typ, _)| count(typ)).sum::<u64>();
    counts.push(format!("{others} of institutions"));
    println!("  {}", counts.join(", "));
    let today = wallet::now().date();
    let states: Vec<_> =
        report.states_on(today).iter().map(|(state, count)| format!("{count} {}", state.code())).collect();
    println!("  consents on {today}: {}", if states.is_empty() { "none".into() } else { states.join(", ") });
    println!("  state {}", report.state.hash());
    print_findings(report);
}

pub fn print_findings(report: &AuditReport) {
    for finding in &report.findings {
        println!("  finding: {finding}");
    }
    if report.finding_count > report.findings.len() as u64 {
        println!("  and {} more", report.finding_count - report.findings.len() as u64);
    }
}
