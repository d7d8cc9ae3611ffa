//! `consentctl export`.

use consent::ontology::Ontology;
use consent::{Matcher, Purpose};
use identity::Did;
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wallet::exchange::source::{self, Ledger, SourceError};
use wallet::exchange::visa::{self, Grant, VisaError};
use wallet::exchange::{ConsentRecord, dpv, fhir, odrl, pdf};
use wallet::proof::MAX_PROOF;

/// The forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// HL7 FHIR R5 Consent (JSON).
    Fhir,
    /// W3C ODRL 2.2 with terms for DUO (JSON-LD).
    Odrl,
    /// ISO/IEC TS 27560 receipt in the Data Privacy Vocabulary (JSON-LD).
    Dpv,
    /// GA4GH visa, ControlledAccessGrants (JWT). Needs --ledger and the arguments of a visa.
    Visa,
    /// A receipt to print (PDF/A-3).
    Pdf,
}

#[derive(clap::Args)]
pub struct Arguments {
    /// The form.
    #[arg(long, value_enum)]
    format: Format,
    /// A proof of consent as the wallet saved it, or a bare credential; `-` reads standard input.
    file: PathBuf,
    /// Where to write [default: standard output].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The ledger that recorded the consent: where it stands now is looked up there.
    #[arg(long, value_name = "URL")]
    ledger: Option<String>,
    /// The biobank that the ledger must belong to [default: the one that the consent names].
    #[arg(long, value_name = "DID")]
    biobank: Option<Did>,
    /// Where the verified copy of the ledger is kept between runs [default: the user's cache folder].
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    #[command(flatten)]
    visa: Visa,
}

#[derive(clap::Args)]
#[command(next_help_heading = "For a visa")]
struct Visa {
    /// The purpose, as JSON: there is a visa only if the decision is permit.
    #[arg(long, value_name = "FILE", required_if_eq("format", "visa"))]
    purpose: Option<PathBuf>,
    /// Who gets access, by the name that the data holder knows.
    #[arg(long, value_name = "ID", required_if_eq("format", "visa"))]
    subject: Option<String>,
    /// The data set or study, as an https URL.
    #[arg(long, value_name = "URL", required_if_eq("format", "visa"))]
    dataset: Option<String>,
    /// The organisation that decides, as an https URL [default: no organisation, as for a participant].
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// The key of the biobank or the participant: a file with 64 hexadecimal digits, readable for its owner alone.
    #[arg(long, value_name = "FILE", required_if_eq("format", "visa"))]
    key: Option<PathBuf>,
}

/// A reason and the exit status that goes with it.
type Refusal = (u8, String);

pub async fn run(arguments: Arguments) -> ExitCode {
    match export(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err((status, reason)) => {
            eprintln!("consentctl: {reason}");
            ExitCode::from(status)
        }
    }
}

async fn export(arguments: &Arguments) -> Result<(), Refusal> {
    let to_terminal = arguments.output.is_none() && std::io::stdout().is_terminal();
    if arguments.format == Format::Pdf && to_terminal {
        return Err((4, "a PDF is no text: name a file with -o".to_owned()));
    }
    let bytes = read(&arguments.file)?;
    let folder = match &arguments.cache {
        Some(folder) => folder.clone(),
        None => dirs::cache_dir().unwrap_or_else(std::env::temp_dir).join("consentctl"),
    };
    let ledger = arguments.ledger.as_ref().map(|address| Ledger {
        address,
        biobank: arguments.biobank.as_ref(),
        folder: &folder,
    });
    let record = source::read(&bytes, ledger, wallet::now()).await.map_err(|error| {
        let status = if matches!(error, SourceError::NotValid(_)) { 3 } else { 4 };
        (status, format!("{}: {error}", arguments.file.display()))
    })?;
    let json = |value: serde_json::Value| format!("{value:#}\n").into_bytes();
    let written = match arguments.format {
        Format::Fhir => json(fhir::export(&record)),
        Format::Odrl => json(odrl::export(&record)),
        Format::Dpv => json(dpv::export(&record)),
        Format::Pdf => pdf::export(&record).map_err(|error| (4, error.to_string()))?,
        Format::Visa => visa(&record, &arguments.visa)?.into_bytes(),
    };
    write(arguments.output.as_deref(), &written).map_err(|error| (4, format!("could not write: {error}")))
}

fn visa(record: &ConsentRecord, arguments: &Visa) -> Result<String, Refusal> {
    let missing = || (2, "a visa needs --purpose, --subject, --dataset and --key".to_owned());
    let purpose = arguments.purpose.as_ref().ok_or_else(missing)?;
    let purpose: Purpose =
        serde_json::from_slice(&read(purpose)?).map_err(|error| (4, format!("{}: {error}", purpose.display())))?;
    let key = arguments.key.as_ref().ok_or_else(missing)?;
    let key = visa::read_key(key).map_err(|error| (4, format!("{}: {error}", key.display())))?;
    let grant = Grant {
        subject: arguments.subject.clone().ok_or_else(missing)?,
        value: arguments.dataset.clone().ok_or_else(missing)?,
        source: arguments.source.clone(),
        purpose,
    };
    let mondo = [Ontology::mondo()];
    let made = visa::export(record, &grant, &Matcher::new(&mondo), &key, wallet::now());
    made.map(|token| format!("{token}\n")).map_err(|error| {
        let status = match &error {
            VisaError::NotPermitted { outcome: "deny", .. } => 1,
            VisaError::NotPermitted { .. } => 2,
            VisaError::StateUnknown => 4,
            _ => 3,
        };
        let advice = if matches!(error, VisaError::StateUnknown) { "; name the record with --ledger" } else { "" };
        (status, format!("{error}{advice}"))
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Refusal> {
    let told = |error| (4, format!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    // One byte more than allowed: whoever reads it says that it is too large.
    let limit = MAX_PROOF as u64 + 1;
    if path == Path::new("-") {
        std::io::stdin().take(limit).read_to_end(&mut bytes).map_err(told)?;
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(told)?;
    }
    Ok(bytes)
}

fn write(path: Option<&Path>, bytes: &[u8]) -> std::io::Result<()> {
    let Some(path) = path else {
        let mut out = std::io::stdout().lock();
        return out.write_all(bytes).and_then(|()| out.flush());
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // A consent is personal: for others on this machine to read only if its owner says so.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all())
}
