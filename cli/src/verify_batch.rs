//! `consentctl verify-batch`.

use crate::stream::{self, End, Lines};
use crate::verify::{cache, read_purpose};
use bridge::{CheckResult as Shown, CheckView};
use consent::{Outcome, Purpose, Timestamp};
use identity::{CheckResult, Did, Verification, verify_chunk};
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
use wallet::research::Checker;

/// How much one read asks for: so many credentials that their signatures are worth checking together.
const BLOCK: usize = 1 << 21;
/// As deep as a proof may be.
const DEEPEST: usize = 32;
/// The verdict on what failed a check.
const NOT_VALID: &str = "not valid";

#[derive(clap::Args)]
pub struct Arguments {
    /// One credential or proof a line; `-` reads standard input.
    file: PathBuf,
    /// How many threads [default: one for each core].
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// The ledger that recorded the consents, as in https://biobank.example. It is read once, before the first line; then
    /// the answer to a proof is permit, deny or review.
    #[arg(long, value_name = "URL")]
    ledger: Option<String>,
    /// The biobank that the ledger must belong to.
    #[arg(long, value_name = "DID", requires = "ledger")]
    biobank: Option<Did>,
    /// The purpose, as JSON (see the crate `consent`). Without it the answer is "review" at best.
    #[arg(long, value_name = "FILE", requires = "ledger")]
    purpose: Option<PathBuf>,
    /// The organisation that proofs must be made for [default: the one that each consent names].
    #[arg(long, value_name = "ID")]
    audience: Option<String>,
    /// The study that proofs must be about.
    #[arg(long, value_name = "STUDY")]
    study: Option<consent::StudyId>,
    /// Where the verified copy of the ledger is kept between runs [default: the user's cache folder].
    #[arg(long, value_name = "DIR", requires = "ledger")]
    cache: Option<PathBuf>,
    /// Begin at this line, as an earlier run said.
    #[arg(long, value_name = "N", default_value_t = 1)]
    resume: u64,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let against = match Against::open(&arguments).await {
        Ok(against) => against,
        Err(reason) => {
            eprintln!("consentctl: {reason}");
            return ExitCode::from(4);
        }
    };
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
        let rows = judge(&lines, &against, now);
        let bad = rows.iter().filter(|row| !row.is_good()).count();
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
    fn new(line: u64, kind: &'static str, verdict: &'static str, failed: Vec<String>, not_made: Vec<String>) -> Self {
        Self { line, kind, verdict, failed, not_made }
    }

    /// Whether it can be used for what was asked.
    fn is_good(&self) -> bool {
        ["valid", "permit"].contains(&self.verdict)
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

/// What proofs are held against.
struct Against {
    checker: Option<Checker>,
    purpose: Purpose,
    expected: Expected,
}

impl Against {
    /// Reads the ledger, if one was named. One that can not be read answers nothing.
    async fn open(arguments: &Arguments) -> Result<Self, String> {
        let purpose = read_purpose(arguments.purpose.as_deref())?;
        let (audience, study) = (arguments.audience.clone(), arguments.study.clone());
        let expected = Expected { audience, study, ..Expected::default() };
        let Some(address) = &arguments.ledger else { return Ok(Self { checker: None, purpose, expected }) };
        let folder = cache(arguments.cache.as_deref())?;
        let checker = Checker::at(address, arguments.biobank.as_ref(), &folder).await.map_err(|e| e.to_string())?;
        match checker.failure() {
            Some(failure) => Err(failure.to_string()),
            None => Ok(Self { checker: Some(checker), purpose, expected }),
        }
    }

    async fn check(&self, proof: &[u8], now: Timestamp) -> CheckView {
        match &self.checker {
            Some(checker) => checker.check(proof, &self.purpose, &self.expected, now).await,
            None => check(proof, &self.purpose, &self.expected, None, now).await,
        }
    }
}

/// All credentials of a piece together, and each proof alone.
fn judge(lines: &[(u64, Option<&[u8]>)], against: &Against, now: Timestamp) -> Vec<Row> {
    // Only the library, which is asked about what is not in our own form, ever waits for anything.
    let runtime = tokio::runtime::Builder::new_current_thread().build().ok();
    let proofs: Vec<_> = lines.iter().map(|(_, line)| line.is_some_and(is_proof)).collect();
    let credentials = lines.iter().zip(&proofs).filter(|(_, is_proof)| !**is_proof);
    let credentials: Vec<_> = credentials.filter_map(|((_, line), _)| *line).collect();
    let mut verified = verify_chunk(&credentials, now).into_iter();
    let rows = lines.iter().zip(proofs).map(|((number, line), is_proof)| match line {
        None => Row::new(*number, "unknown", NOT_VALID, vec!["size".to_owned()], Vec::new()),
        Some(line) if is_proof => match &runtime {
            Some(runtime) => proof(*number, &runtime.block_on(against.check(line, now))),
            None => Row::new(*number, "proof", "could not check", Vec::new(), Vec::new()),
        },
        Some(_) => verified.next().map_or_else(
            || Row::new(*number, "credential", NOT_VALID, Vec::new(), Vec::new()),
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
    let verdict = if verification.verified.is_some() { "valid" } else { NOT_VALID };
    Row::new(line, "credential", verdict, named(CheckResult::Failed), named(CheckResult::NotMade))
}

/// Whether a line says that it is a proof of consent, whatever else it is.
fn is_proof(line: &[u8]) -> bool {
    // Few credentials hold this text at all, so the line is read twice only where it is a proof.
    line.windows(FORMAT.len()).any(|window| window == FORMAT.as_bytes())
        && identity::parse_strict(line, stream::LONGEST, DEEPEST).is_ok_and(|value| value.get("format").is_some())
}

/// A proof: with the record what is decided, without it everything that it shows by itself.
fn proof(line: u64, view: &CheckView) -> Row {
    let named = |result: Shown| {
        let checks = view.checks.iter().filter(|check| check.result == result);
        checks.map(|check| check.name.clone()).collect::<Vec<_>>()
    };
    let failed = named(Shown::Failed);
    // The last check without the record; it is there only if all before it passed.
    let came_to_the_end = view.checks.iter().any(|check| check.name == "holder" && check.result == Shown::Passed);
    let verdict = match view.outcome {
        Some(Outcome::Permit) => "permit",
        Some(Outcome::Deny) => "deny",
        Some(Outcome::Review) => "review",
        None if !failed.is_empty() || !came_to_the_end => NOT_VALID,
        None if view.live_at.is_some() => "could not check",
        None => "valid",
    };
    Row::new(line, "proof", verdict, failed, named(Shown::NotMade))
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
