//! `consentctl verify-batch`.

use crate::stream::{self, End, Lines};
use bridge::CheckResult as Shown;
use consent::{Purpose, Timestamp};
use identity::{CheckResult, Verification, verify_chunk};
use serde::Serialize;
use std::io::{self, IsTerminal, Read};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wallet::check::{Expected, check};
use wallet::proof::FORMAT;

/// How much one read asks for: so many credentials that their signatures are worth checking together.
const BLOCK: usize = 1 << 21;
/// As deep as a proof may be.
const DEEPEST: usize = 32;

#[derive(clap::Args)]
pub struct Arguments {
    /// One credential or proof a line; `-` reads standard input.
    file: PathBuf,
    /// How many threads [default: one for each core].
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// Begin at this line, as an earlier run said.
    #[arg(long, value_name = "N", default_value_t = 1)]
    resume: u64,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: Arguments) -> ExitCode {
    let input: Box<dyn Read + Send> = if arguments.file == Path::new("-") {
        Box::new(io::stdin())
    } else {
        match std::fs::File::open(&arguments.file) {
            Ok(file) => Box::new(file),
            Err(error) => return refuse(&format!("{}: {error}", arguments.file.display())),
        }
    };
    let threads = arguments.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZero::get);
    let (stop, progress) = (Arc::new(AtomicBool::new(false)), Arc::new(Progress::default()));
    tokio::spawn(listen(Arc::clone(&stop)));
    if io::stderr().is_terminal() {
        let progress = Arc::clone(&progress);
        std::thread::spawn(move || progress.show());
    }
    let (now, seen) = (wallet::now(), Arc::clone(&progress));
    let answer = move |lines: Lines<'_, '_>, out: &mut Vec<u8>| {
        let lines: Vec<_> = lines.filter(|(number, _)| *number >= arguments.resume).collect();
        let rows = judge(&lines, now);
        let bad = rows.iter().filter(|row| !row.is_valid()).count();
        rows.iter().for_each(|row| row.write(arguments.json, out));
        seen.add(rows.len(), bad);
        bad
    };
    let result = stream::run_pieces(input, io::stdout(), threads, BLOCK, Arc::clone(&stop), answer);
    progress.end();
    match result {
        Ok(End { next, .. }) if stop.load(Ordering::Relaxed) => {
            eprintln!("consentctl: stopped; go on with --resume {}", next.max(arguments.resume));
            ExitCode::from(130)
        }
        Ok(End { bad, .. }) => ExitCode::from(u8::from(bad > 0)),
        Err(stopped) => refuse(&stopped.to_string()),
    }
}

fn refuse(reason: &str) -> ExitCode {
    eprintln!("consentctl: {reason}");
    ExitCode::from(2)
}

/// The first Ctrl-C ends the work in order, the second one at once.
async fn listen(stop: Arc<AtomicBool>) {
    if tokio::signal::ctrl_c().await.is_ok() {
        stop.store(true, Ordering::Relaxed);
    }
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(130);
    }
}

/// What is said of one line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    line: u64,
    kind: &'static str,
    verdict: &'static str,
    failed: Vec<String>,
    not_made: Vec<String>,
}

impl Row {
    fn new(line: u64, kind: &'static str, is_valid: bool, failed: Vec<String>, not_made: Vec<String>) -> Self {
        Self { line, kind, verdict: if is_valid { "valid" } else { "not valid" }, failed, not_made }
    }

    fn is_valid(&self) -> bool {
        self.verdict == "valid"
    }

    fn write(&self, as_json: bool, out: &mut Vec<u8>) {
        if as_json {
            // Numbers and texts can always be written to memory.
            let _ = serde_json::to_writer(&mut *out, self);
        } else {
            out.extend_from_slice(format!("{} {}", self.line, self.verdict).as_bytes());
            if !self.failed.is_empty() {
                out.extend_from_slice(format!(": {}", self.failed.join(", ")).as_bytes());
            }
        }
        out.push(b'\n');
    }
}

/// All credentials of a piece together, and each proof alone.
fn judge(lines: &[(u64, Option<&[u8]>)], now: Timestamp) -> Vec<Row> {
    let proofs: Vec<_> = lines.iter().map(|(_, line)| line.is_some_and(is_proof)).collect();
    let credentials = lines.iter().zip(&proofs).filter(|(_, is_proof)| !**is_proof);
    let credentials: Vec<_> = credentials.filter_map(|((_, line), _)| *line).collect();
    let mut verified = verify_chunk(&credentials, now).into_iter();
    let rows = lines.iter().zip(proofs).map(|((number, line), is_proof)| match line {
        None => Row::new(*number, "unknown", false, vec!["size".to_owned()], Vec::new()),
        Some(line) if is_proof => proof(*number, line, now),
        Some(_) => verified.next().map_or_else(
            || Row::new(*number, "credential", false, Vec::new(), Vec::new()),
            |verification| credential(*number, &verification),
        ),
    });
    rows.collect()
}

fn credential<T>(line: u64, verification: &Verification<T>) -> Row {
    let named = |result: CheckResult| {
        let checks = verification.checks.iter().filter(|check| check.result == result);
        checks.map(|check| check.name.to_owned()).collect()
    };
    let is_valid = verification.verified.is_some();
    Row::new(line, "credential", is_valid, named(CheckResult::Failed), named(CheckResult::NotMade))
}

/// Whether a line says that it is a proof of consent, whatever else it is.
fn is_proof(line: &[u8]) -> bool {
    // Few credentials hold this text at all, so the line is read twice only where it is a proof.
    line.windows(FORMAT.len()).any(|window| window == FORMAT.as_bytes())
        && identity::parse_strict(line, stream::LONGEST, DEEPEST).is_ok_and(|value| value.get("format").is_some())
}

/// A proof, without the record: everything that it shows by itself.
fn proof(line: u64, bytes: &[u8], now: Timestamp) -> Row {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
        return Row::new(line, "proof", false, Vec::new(), Vec::new());
    };
    let view = runtime.block_on(check(bytes, &Purpose::default(), &Expected::default(), None, now));
    let named = |result: Shown| {
        let checks = view.checks.iter().filter(|check| check.result == result);
        checks.map(|check| check.name.clone()).collect::<Vec<_>>()
    };
    let failed = named(Shown::Failed);
    // The last check without the record; it is there only if all before it passed.
    let came_to_the_end = view.checks.iter().any(|check| check.name == "holder" && check.result == Shown::Passed);
    Row::new(line, "proof", failed.is_empty() && came_to_the_end, failed, named(Shown::NotMade))
}

/// How far it is, for whoever looks at the terminal.
#[derive(Default)]
struct Progress {
    lines: AtomicU64,
    bad: AtomicU64,
    is_over: AtomicBool,
}

impl Progress {
    fn add(&self, lines: usize, bad: usize) {
        self.lines.fetch_add(lines as u64, Ordering::Relaxed);
        self.bad.fetch_add(bad as u64, Ordering::Relaxed);
    }

    fn show(&self) {
        let began = Instant::now();
        while !self.is_over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(500));
            let (lines, bad) = (self.lines.load(Ordering::Relaxed), self.bad.load(Ordering::Relaxed));
            let rate = lines as f64 / began.elapsed().as_secs_f64();
            eprint!("\r{lines} lines, {bad} not valid, {rate:.0} a second ");
        }
    }

    fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        if io::stderr().is_terminal() {
            eprintln!();
        }
    }
}
