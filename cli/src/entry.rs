//! `consentctl ledger entry`: an entry that a key signs, for those whose word belongs in the log and who have no window
//! for it.

use crate::call::{open_key, read};
use identity::{parse_strict, sign_jws, to_canonical};
use ledger::event::InstitutionEvent;
use ledger::{Entry, MAX_ENTRY};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What follows the name of a kind in its `typ`.
const SUFFIX: &str = ".v1+jws";
/// Changes of keys have steps around them, which `biobankd rotate` makes.
const NOT_BY_HAND: [&str; 2] = ["institution-key", "log-key-change"];

#[derive(clap::Args)]
pub struct Arguments {
    /// The key that signs: a file as `consentctl key make` writes it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the entry is, as in access-decision.
    #[arg(value_parser = kind)]
    kind: String,
    /// File with its members as JSON; `-` reads standard input. Without "time" it is now.
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
}

/// A kind of entry, as its `typ`.
fn kind(text: &str) -> Result<String, String> {
    if NOT_BY_HAND.contains(&text) {
        return Err("this one is made by `biobankd rotate`".to_owned());
    }
    let typ = format!("{text}{SUFFIX}");
    if InstitutionEvent::TYPES.contains(&typ.as_str()) {
        return Ok(typ);
    }
    let names = InstitutionEvent::TYPES.iter().filter_map(|typ| typ.strip_suffix(SUFFIX));
    let names: Vec<&str> = names.filter(|name| !NOT_BY_HAND.contains(name)).collect();
    Err(format!("the kinds are {}", names.join(", ")))
}

pub fn run(arguments: &Arguments) -> ExitCode {
    match sign(&arguments.key, &arguments.kind, &arguments.file) {
        Ok(entry) => {
            println!("{entry}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("consentctl: {reason}");
            ExitCode::from(4)
        }
    }
}

/// Signs the members as they are, and reads the entry as everybody will: what no log would take is not handed out.
fn sign(key: &Path, typ: &str, file: &Path) -> Result<String, String> {
    let key = open_key(key)?;
    let told = |reason: &dyn std::fmt::Display| format!("{}: {reason}", file.display());
    let mut said = parse_strict(&read(file, MAX_ENTRY as u64)?, MAX_ENTRY, 1).map_err(|error| told(&error))?;
    let Value::Object(members) = &mut said else { return Err(told(&"the members are a JSON object")) };
    members.entry("time").or_insert_with(|| wallet::now().to_string().into());
    let entry = sign_jws(&key, typ, &to_canonical(&said).map_err(|error| told(&error))?);
    Entry::parse(entry.as_bytes()).map_err(|error| told(&error))?;
    Ok(entry)
}
