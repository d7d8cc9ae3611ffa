//! `consentctl ledger evidence`: whether two checkpoints convict the log that signed them. No connection is needed.

use ledger::{Evidence, EvidenceError, MAX_EVIDENCE_BYTES, Verdict, VerifierKey};
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// The file, as a wallet saves it or an institution shows it at /v1/evidence.
    file: PathBuf,
    /// The key of the log that is meant [default: the one in the file, which whoever made it chose].
    #[arg(long, value_name = "VKEY")]
    vkey: Option<VerifierKey>,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(&arguments.file)
        .and_then(|file| file.take(MAX_EVIDENCE_BYTES as u64 + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        eprintln!("consentctl: {}: {error}", arguments.file.display());
        return ExitCode::from(4);
    }
    match judge(&bytes, arguments.vkey.as_ref()) {
        Ok((verdict, text)) => {
            println!("{text}");
            if verdict.proves_a_fork() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            println!("no evidence: {error}");
            ExitCode::FAILURE
        }
    }
}

fn judge(bytes: &[u8], expected: Option<&VerifierKey>) -> Result<(Verdict, String), EvidenceError> {
    let evidence = Evidence::parse(bytes)?;
    if expected.is_some_and(|key| *key != evidence.vkey) {
        return Ok((Verdict::Nothing, "not proved: the file is about another log".to_owned()));
    }
    let verdict = evidence.judge()?;
    let first = ledger::Checkpoint::open(&evidence.first, &evidence.vkey)?;
    let second = ledger::Checkpoint::open(&evidence.second, &evidence.vkey)?;
    let why = match verdict {
        Verdict::Fork => "proved: the log signed two different trees of one size",
        Verdict::Rewritten => "proved: the log signed a larger tree that does not contain the smaller one",
        Verdict::Shorter => "not proved: an older checkpoint was shown, which anybody could do",
        Verdict::Nothing => "not proved: both checkpoints can be true, as far as this file shows",
    };
    let text = format!(
        "{why}\n  log {}\n  {} entries, root {}\n  {} entries, root {}",
        evidence.vkey, first.size, first.root, second.size, second.root
    );
    Ok((verdict, text))
}
