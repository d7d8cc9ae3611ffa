//! `consentctl ledger audit`: whether a log is sound, and how the consents in it stand.

use crate::replay::{Found, ReadError, Reading, read};
use consent::Vocabulary as _;
use ledger::client::{AuditReport, Finding, Remainder, audit_from};
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    reading: Reading,
    /// Audit a pruned log from this entry on. Then signatures and tree are checked, and no rules: what the entries
    /// before said is not known. Without this a log that was pruned can not be audited.
    #[arg(long, value_name = "N")]
    from: Option<u64>,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let sound = match arguments.from {
        None => read(&arguments.reading, None).await.map(|report| {
            print(&report);
            report.is_clean()
        }),
        Some(first) => rest(&arguments.reading, first).await.map(|rest| {
            print_rest(&rest);
            rest.is_clean()
        }),
    };
    match sound {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
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
    println!("  {}", counts(&report.kinds));
    let today = wallet::now().date();
    let states: Vec<_> =
        report.states_on(today).iter().map(|(state, count)| format!("{count} {}", state.code())).collect();
    println!("  consents on {today}: {}", if states.is_empty() { "none".into() } else { states.join(", ") });
    println!("  state {}", report.state.hash());
    print_findings(report);
}

fn counts(kinds: &BTreeMap<&'static str, u64>) -> String {
    let count = |typ: &str| kinds.get(typ).copied().unwrap_or_default();
    let mut counts: Vec<_> = ACTS.iter().map(|(typ, name)| format!("{} {name}", count(typ))).collect();
    let others: u64 = kinds.values().sum::<u64>() - ACTS.iter().map(|(typ, _)| count(typ)).sum::<u64>();
    counts.push(format!("{others} of institutions"));
    counts.join(", ")
}

async fn rest(reading: &Reading, first: u64) -> Result<Remainder, ReadError> {
    let found = Found::look_up(reading).await?;
    let rest = audit_from(&found.source, &found.vkey, first, |_, _| {}).await?;
    found.follow(&rest.checkpoint).await?;
    if let Some(did) = found.institution {
        eprintln!("consentctl: the log's key is signed by {did}");
    }
    Ok(rest)
}

fn print_rest(rest: &Remainder) {
    let Remainder { checkpoint, from, root, kinds, findings, finding_count } = rest;
    let sound = if rest.is_clean() { "sound" } else { "NOT SOUND" };
    let (origin, size) = (&checkpoint.origin, checkpoint.size);
    println!("{sound} from entry {from} on: {origin}, {} of {size} entries, root {root}", size - from);
    println!("  {}", counts(kinds));
    println!("  not checked without the entries before: the rules, how consents stand, the state");
    tell(findings, *finding_count);
}

pub fn print_findings(report: &AuditReport) {
    tell(&report.findings, report.finding_count);
}

fn tell(findings: &[Finding], count: u64) {
    for finding in findings {
        println!("  finding: {finding}");
    }
    if count > findings.len() as u64 {
        println!("  and {} more", count - findings.len() as u64);
    }
}
