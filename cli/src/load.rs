//! `consentctl load`: how many signed entries a second a log takes, how fast it answers, and whether it kept its word.

mod drive;
mod people;
mod reads;
mod wire;

use crate::audit::print_findings;
use crate::replay::{Reading, read};
use drive::{Job, Tally, drive};
use ledger::EntryHash;
use people::{Staff, Subject};
use reads::{MAX_SUBJECTS, Reads};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use wire::Address;

/// The most entries of one request, as the service has it.
const MAX_ENTRIES: usize = 1_024;
/// Subjects that take part unless it is said: few enough to register them in seconds.
const SUBJECTS: usize = 600;

#[derive(clap::Args)]
pub struct Arguments {
    /// The ledger, as in http://127.0.0.1:8480.
    #[arg(long, value_name = "URL")]
    ledger: String,
    /// How many entries to send; with --read, how many reads or decisions.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=50_000_000))]
    entries: u32,
    /// How many connections at once.
    #[arg(long, value_name = "C", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=500))]
    connections: u16,
    /// How many entries or reads a second; as fast as it goes if none is given.
    #[arg(long, value_name = "R")]
    rate: Option<u32>,
    /// Entries in one request, at most 1,024; with --read decisions, subjects of one question, at most 1,000.
    #[arg(long, value_name = "B", default_value_t = 1)]
    batch: u16,
    /// Read instead of write.
    #[arg(long, value_enum)]
    read: Option<Reads>,
    /// Then once more, at half of the rate that was reached.
    #[arg(long)]
    then_half: bool,
    /// One-time code for an account of staff: it lets the test's people in.
    #[arg(long, value_name = "CODE")]
    staff_code: Option<String>,
    /// Donors times studies that take part.
    #[arg(long, value_name = "M")]
    subjects: Option<usize>,
    /// Wait until other institutions have confirmed each entry.
    #[arg(long)]
    wait_witnessed: bool,
    /// File with the purpose of --read decisions, as JSON.
    #[arg(long, value_name = "FILE")]
    purpose: Option<PathBuf>,
    /// What to call the store in the report; the service does not tell.
    #[arg(long, value_name = "NAME", default_value = "as the service has it")]
    store: String,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    match load(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("consentctl: {reason}");
            ExitCode::from(4)
        }
    }
}

async fn load(arguments: &Arguments) -> Result<bool, String> {
    let address = Address::parse(&arguments.ledger)?;
    let most = if arguments.read.is_some() { MAX_SUBJECTS } else { MAX_ENTRIES };
    if !(1..=most).contains(&usize::from(arguments.batch)) {
        return Err(format!("--batch is 1 to {most}"));
    }
    let mut test = Test::prepare(arguments, address).await?;
    let first = test.round(arguments.rate.map(f64::from))?;
    let mut clean = first.errors.is_empty();
    let mut acknowledged = first.acknowledged.clone();
    if arguments.then_half {
        let half = test.round(Some(first.rate() / 2.0))?;
        clean &= half.errors.is_empty();
        acknowledged.extend(half.acknowledged);
    }
    Ok(if arguments.read.is_some() { clean } else { test.audit(&acknowledged).await? && clean })
}

/// A test whose people are in.
struct Test<'a> {
    arguments: &'a Arguments,
    address: Address,
    staff: Option<Staff>,
    subjects: Vec<Subject>,
}

impl<'a> Test<'a> {
    async fn prepare(arguments: &'a Arguments, address: Address) -> Result<Self, String> {
        let mut test = Self { arguments, address, staff: None, subjects: Vec::new() };
        if matches!(arguments.read, None | Some(Reads::Decisions)) {
            let code = arguments.staff_code.as_ref();
            let code = code.ok_or("--staff-code is needed: only staff let people in (biobankd --staff-code FILE)")?;
            let mut staff = Staff::connect(&test.address, code)?;
            if arguments.read.is_none() {
                let most = (arguments.entries as usize).max(1);
                let wanted = arguments.subjects.unwrap_or(SUBJECTS.max(arguments.connections.into())).clamp(1, most);
                test.subjects = staff.enrol(wanted).await?;
            }
            test.staff = Some(staff);
        }
        Ok(test)
    }

    /// Makes the requests, which does not count, and sends them.
    fn round(&mut self, pace: Option<f64>) -> Result<Tally, String> {
        let jobs = self.jobs()?;
        // The last request of a line may be smaller than the others.
        let requests = jobs.iter().map(Vec::len).sum::<usize>() as f64 / f64::from(self.arguments.entries);
        let before = machine_load();
        let tally = drive(&self.address, jobs, pace.map(|pace| pace * requests));
        self.print(&tally, pace, &before);
        Ok(tally)
    }

    fn batch(&self) -> usize {
        self.arguments.batch.into()
    }

    fn jobs(&mut self) -> Result<Vec<Vec<Job>>, String> {
        let (count, lines) = (self.arguments.entries as usize, usize::from(self.arguments.connections));
        let batch = self.batch();
        match self.arguments.read {
            None => {
                let path = if self.arguments.wait_witnessed { "/v1/entries?wait=witnessed" } else { "/v1/entries" };
                Ok(people::say(&mut self.subjects, count, lines, batch, path))
            }
            Some(Reads::Proofs) => reads::proofs(&self.address, count, lines),
            Some(Reads::Tiles) => reads::tiles(&self.address, count, lines),
            Some(Reads::Decisions) => {
                let staff = self.staff.as_mut().ok_or("no staff")?;
                reads::decisions(staff, &self.address, purpose(self.arguments.purpose.as_ref())?, (count, lines, batch))
            }
        }
    }

    fn print(&self, tally: &Tally, pace: Option<f64>, before: &str) {
        let Arguments { connections, batch, store, wait_witnessed, .. } = self.arguments;
        let what = match self.arguments.read {
            None => "durable signed entries",
            Some(Reads::Proofs) => "proofs",
            Some(Reads::Tiles) => "full tiles and bundles",
            Some(Reads::Decisions) if *batch == 1 => "decisions, asked and signed singly",
            Some(Reads::Decisions) => "decisions, asked in batches and signed once for each",
        };
        let pace = pace.map_or("as fast as it goes".to_owned(), |pace| format!("{pace:.0}/s asked for"));
        let wait = match (self.arguments.read, wait_witnessed) {
            (Some(_), _) => "",
            (None, true) => ", each answered when witnessed or after 25 s",
            (None, false) => ", each answered when durable",
        };
        println!("{what}: {:.0}/s", tally.rate());
        println!("  mode: store {store}; {connections} connections, {batch} in a request, {pace}{wait}");
        let [p50, p99, max] = [50.0, 99.0, 100.0].map(|percent| milliseconds(tally.percentile(percent)));
        println!("  latency of a request: p50 {p50}, p99 {p99}, max {max}");
        println!("  {} in {:.1} s; asked to come later {} times", tally.done, tally.took.as_secs_f64(), tally.busy);
        if self.arguments.read.is_none() {
            println!("  {} subjects; {} answers came with a receipt", self.subjects.len(), tally.receipts);
        }
        println!("  load of the machine: {before} before, {} after (this program's part included)", machine_load());
        for (error, count) in &tally.errors {
            println!("  error: {error} ({count} times)");
        }
    }

    /// Reads the whole log as a stranger would, and looks for each entry that was acknowledged.
    async fn audit(&self, acknowledged: &[(u64, EntryHash)]) -> Result<bool, String> {
        let reading = Reading::of(&self.arguments.ledger);
        let report = read(&reading, None).await.map_err(|error| error.to_string())?;
        let (missing, acknowledged) = (reads::missing(&self.address, acknowledged)?, acknowledged.len());
        println!(
            "audit: {}, {} entries, root {}, state {}",
            if report.is_clean() { "sound" } else { "NOT SOUND" },
            report.size,
            report.root,
            report.state.hash()
        );
        print_findings(&report);
        match missing {
            0 => println!("  all {acknowledged} acknowledged entries are there, each under its number"),
            _ => println!("  {missing} of {acknowledged} acknowledged entries ARE NOT THERE"),
        }
        Ok(report.is_clean() && missing == 0)
    }
}

/// What is asked of a decision, unless a file says it: something that most general consents cover.
fn purpose(file: Option<&PathBuf>) -> Result<Value, String> {
    match file {
        Some(path) => {
            let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))
        }
        None => Ok(json!({ "topics": ["HMB"], "organisation": { "id": "https://hospital.example/organisation" } })),
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

/// How busy the machine was in the last minute, where it can be asked.
fn machine_load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    load.and_then(|load| load.split(' ').next().map(str::to_owned)).unwrap_or_else(|| "unknown".to_owned())
}
