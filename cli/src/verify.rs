//! `consentctl verify`.

use bridge::{CheckResult, CheckView, Code, Failure};
use consent::{Outcome, Purpose};
use identity::Did;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wallet::check::{Expected, check, why_not};
use wallet::proof::MAX_PROOF;
use wallet::research::Checker;

#[derive(clap::Args)]
pub struct Arguments {
    /// The proof, as the wallet saved it; `-` reads standard input.
    file: PathBuf,
    /// The ledger that recorded the consent, as in https://biobank.example. Without it nobody can say that the
    /// consent is live, and the answer is "could not check".
    #[arg(long, value_name = "URL")]
    ledger: Option<String>,
    /// The purpose, as JSON (see the crate `consent`). Without it the answer is "review" at best.
    #[arg(long, value_name = "FILE")]
    purpose: Option<PathBuf>,
    /// The biobank that the ledger must belong to [default: the one that the consent names].
    #[arg(long, value_name = "DID")]
    biobank: Option<Did>,
    /// The organisation that the proof must be made for [default: the one that the consent names].
    #[arg(long, value_name = "ID")]
    audience: Option<String>,
    /// The study that the proof must be about.
    #[arg(long, value_name = "STUDY")]
    study: Option<consent::StudyId>,
    /// Where the verified copy of the ledger is kept between runs [default: the user's cache folder].
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    show(answer(&arguments).await, arguments.json)
}

/// Prints what came of a check; the exit status is the answer.
pub(crate) fn show(answer: Result<CheckView, String>, as_json: bool) -> ExitCode {
    match answer {
        Ok(view) => {
            if as_json {
                println!("{}", serde_json::to_string_pretty(&view).unwrap_or_default());
            } else {
                print!("{}", tell(&view));
            }
            ExitCode::from(status(&view))
        }
        Err(reason) => {
            if as_json {
                println!("{}", serde_json::json!({ "error": reason }));
            }
            eprintln!("consentctl: {reason}");
            ExitCode::from(4)
        }
    }
}

async fn answer(arguments: &Arguments) -> Result<CheckView, String> {
    let proof = read(&arguments.file)?;
    let purpose = read_purpose(arguments.purpose.as_deref())?;
    let expected =
        Expected { audience: arguments.audience.clone(), study: arguments.study.clone(), ..Expected::default() };
    let Some(address) = &arguments.ledger else {
        return Ok(check(&proof, &purpose, &expected, None, wallet::now()).await);
    };
    let folder = cache(arguments.cache.as_deref())?;
    match Checker::at(address, arguments.biobank.as_ref(), &folder).await {
        Ok(checker) => Ok(checker.check(&proof, &purpose, &expected, wallet::now()).await),
        // The proof itself can still be looked at; its liveness can not.
        Err(Failure { code: Code::Offline, .. }) => Ok(check(&proof, &purpose, &expected, None, wallet::now()).await),
        Err(failure) => Err(failure.to_string()),
    }
}

/// Where copies of ledgers are kept.
pub(crate) fn cache(named: Option<&Path>) -> Result<PathBuf, String> {
    match named {
        Some(folder) => Ok(folder.to_owned()),
        None => Ok(dirs::cache_dir().ok_or("no cache folder: name one with --cache")?.join("consentctl")),
    }
}

pub(crate) fn read_purpose(file: Option<&Path>) -> Result<Purpose, String> {
    match file {
        Some(path) => serde_json::from_slice(&read(path)?).map_err(|error| format!("{}: {error}", path.display())),
        None => Ok(Purpose::default()),
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let told = |error| format!("{}: {error}", path.display());
    let mut bytes = Vec::new();
    // One byte more than allowed: the check itself says that the proof is too large.
    let limit = MAX_PROOF as u64 + 1;
    if path == Path::new("-") {
        std::io::stdin().take(limit).read_to_end(&mut bytes).map_err(told)?;
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(told)?;
    }
    Ok(bytes)
}

pub(crate) fn status(view: &CheckView) -> u8 {
    match view.outcome {
        Some(Outcome::Permit) => 0,
        Some(Outcome::Deny) => 1,
        Some(Outcome::Review) => 2,
        None if view.checks.iter().any(|check| check.result == CheckResult::Failed) => 3,
        None => 4,
    }
}

pub(crate) fn tell(view: &CheckView) -> String {
    let mut lines = vec![match status(view) {
        0 => "permit".to_owned(),
        1 => "deny".to_owned(),
        2 => "review".to_owned(),
        3 => "not valid".to_owned(),
        _ => "could not check".to_owned(),
    }];
    if let Some(check) = why_not(view) {
        lines.push(format!("  because {}: {}", check.name, check.detail));
    }
    for reason in &view.reasons {
        let outcome = format!("{:?}", reason.outcome).to_lowercase();
        let compared = format!("policy {:?}, purpose {:?}", reason.policy, reason.purpose);
        lines.push(format!("  {outcome:<7} {} ({compared})", reason.message.id.trim_start_matches("reason-")));
    }
    let mut say = |name: &str, value: Option<String>| lines.extend(value.map(|value| format!("  {name:<10} {value}")));
    say("duties", (!view.duties.is_empty()).then(|| view.duties.join(", ")));
    say("study", view.study.as_ref().map(ToString::to_string));
    say("signed by", view.signer.clone());
    say("given", view.given.as_ref().map(|given| format!("entry {} {}", given.index, given.hash)));
    say("withdrawn", view.withdrawn.as_ref().map(|gone| format!("entry {} {}", gone.index, gone.hash)));
    say("live as of", view.live_at.map(|at| format!("{at}, {} entries", view.log_size.unwrap_or_default())));
    lines.push(String::new());
    lines.join("\n")
}
