//! `consentctl ledger replay`: what a log comes to, entry by entry, for whoever wants to compare it with what others
//! understood.

use crate::audit::print_findings;
use identity::Did;
use ledger::client::{AuditReport, ClientError, LogClient, LogSource, audit_until};
use ledger::event::Role;
use ledger::{Hash, Key, KeyChange, Next, Record, Records as _, SignedCheckpoint, VerifierKey};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(2);

#[derive(clap::Args)]
pub struct Reading {
    /// The ledger: an address, as in https://biobank.example, or a folder with its public files (C2SP tlog-tiles).
    #[arg(value_name = "URL|FOLDER")]
    place: String,
    /// The key that must sign the log's checkpoints, or one that the log had before, which is followed to the one of
    /// today [default: the one that the institution has signed as its log's; a folder has no default and is not asked
    /// for former keys].
    #[arg(long, value_name = "VKEY")]
    vkey: Option<VerifierKey>,
}

impl Reading {
    /// The log at an address, under the key that its institution has signed.
    pub fn of(place: &str) -> Self {
        Self { place: place.to_owned(), vkey: None }
    }
}

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    reading: Reading,
    /// Stop after this many entries.
    #[arg(long, value_name = "SIZE")]
    until: Option<u64>,
    /// Fail unless this is the state hash.
    #[arg(long, value_name = "STATEHASH")]
    expect: Option<Hash>,
    /// Write every record of the state to this file, a line each: key, space, canonical JSON.
    #[arg(long, value_name = "FILE")]
    state_out: Option<PathBuf>,
}

/// Why a log could not be read.
#[derive(Debug)]
pub enum ReadError {
    Client(ClientError),
    /// A folder, and no key.
    NoKey,
    /// The institution that signed the key of the log is not the one that the log names.
    OtherInstitution,
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Client(error @ ClientError::Pruned(first)) => {
                write!(f, "{error}; `ledger audit --from {first}` checks the rest, and nothing can replay it")
            }
            Self::Client(error) => error.fmt(f),
            Self::NoKey => f.write_str("a folder does not say who signs the log: --vkey is needed"),
            Self::OtherInstitution => {
                f.write_str("the log's key is signed by another institution than the one that the log itself names")
            }
        }
    }
}

impl From<ClientError> for ReadError {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

/// Where a log is read, and the key that must sign it.
pub struct Found {
    pub source: LogSource,
    pub vkey: VerifierKey,
    /// The institution that says so, if nobody named the key of today.
    pub institution: Option<Did>,
    /// How the key that was named came to be this one.
    changes: Vec<KeyChange>,
}

impl Found {
    /// Looks up the key, and follows it if the one that was named is a former one.
    pub async fn look_up(reading: &Reading) -> Result<Self, ReadError> {
        let source = LogSource::open(&reading.place)?;
        let mut changes = Vec::new();
        let (vkey, institution) = match (&reading.vkey, &source) {
            (Some(vkey), LogSource::Http(client)) if is_former(client, vkey).await? => {
                let info = client.log_info().await?;
                changes = info.changes_since_log_key(vkey)?;
                let stated = info.stated()?;
                (stated.keys.log, Some(stated.keys.institution))
            }
            (Some(vkey), _) => (vkey.clone(), None),
            (None, LogSource::Http(client)) => {
                let info = client.log_info().await?;
                let stated = info.stated()?;
                (stated.keys.log, Some(stated.keys.institution))
            }
            (None, LogSource::Folder(_)) => return Err(ReadError::NoKey),
        };
        Ok(Self { source, vkey, institution, changes })
    }

    /// Proves that what each former key signed last is the beginning of this, and prints the changes.
    pub async fn follow(&self, checkpoint: &SignedCheckpoint) -> Result<(), ReadError> {
        for change in &self.changes {
            let last = change.included();
            if let LogSource::Http(client) = &self.source {
                client.check_consistency(last.checkpoint(), checkpoint).await?;
            }
            match change.next() {
                Next::Log(key) => eprintln!("consentctl: since entry {} the log's key is {key}", last.index()),
                Next::Institution(did) => {
                    eprintln!("consentctl: since entry {} the institution speaks by {did}", last.index());
                }
            }
        }
        Ok(())
    }
}

/// Reads a log, and prints who signed its key if nobody named one.
pub async fn read(reading: &Reading, until: Option<u64>) -> Result<AuditReport, ReadError> {
    let found = Found::look_up(reading).await?;
    let mut told = Instant::now();
    let report = audit_until(&found.source, &found.vkey, until, |done, of| {
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            eprintln!("consentctl: {done} of {of} entries");
        }
    })
    .await?;
    found.follow(&report.checkpoint).await?;
    if let Some(did) = found.institution {
        let founded = report.state.record(&Key::authority()).is_some();
        // Of an older size the state does not know the keys that came later.
        let own = matches!(
            report.state.record(&Key::member(&did)),
            Some(Record::Member(member)) if member.role == Role::Institution && member.active
        );
        if founded && !own && report.size == report.checkpoint.size {
            return Err(ReadError::OtherInstitution);
        }
        eprintln!("consentctl: the log's key is signed by {did}");
    }
    Ok(report)
}

/// Whether the log is signed by another key than this one.
async fn is_former(client: &LogClient, vkey: &VerifierKey) -> Result<bool, ClientError> {
    match client.checkpoint(vkey).await {
        Err(error) if error.is_other_key() => Ok(true),
        checkpoint => checkpoint.map(|_| false),
    }
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let report = match read(&arguments.reading, arguments.until).await {
        Ok(report) => report,
        Err(reason) => {
            eprintln!("consentctl: {reason}");
            return ExitCode::from(4);
        }
    };
    println!("origin {}", report.checkpoint.origin);
    println!("size {}", report.size);
    println!("root {}", report.root);
    println!("state {}", report.state.hash());
    for (typ, count) in &report.kinds {
        println!("  {count} {typ}");
    }
    print_findings(&report);
    if let Some(path) = &arguments.state_out
        && let Err(error) = write_state(path, &report)
    {
        eprintln!("consentctl: {}: {error}", path.display());
        return ExitCode::from(4);
    }
    let expected = arguments.expect.is_none_or(|expected| expected == report.state.hash());
    if !expected {
        println!("  finding: the state is not the expected one");
    }
    if expected && report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn write_state(path: &Path, report: &AuditReport) -> io::Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    for (key, record) in report.state.records() {
        file.write_all(key.as_str().as_bytes())?;
        file.write_all(b" ")?;
        file.write_all(&record.to_bytes())?;
        file.write_all(b"\n")?;
    }
    file.flush()
}
