//! `consentctl import`.

use serde_json::json;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wallet::exchange::{Imported, MAX_IMPORT, import};

#[derive(clap::Args)]
pub struct Arguments {
    /// The file; `-` reads standard input.
    file: PathBuf,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    let told = match read(&arguments.file) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => import(&text).map_err(|error| (3, error.to_string())),
            Err(_) => Err((3, "the file is not text in UTF-8".to_owned())),
        },
        Err(error) => Err((4, error.to_string())),
    };
    match told {
        Ok(Imported { format, choices, read, left_out, .. }) => {
            let policy = choices.cautious_policy();
            let told =
                json!({ "format": format, "choices": choices, "policy": policy, "read": read, "leftOut": left_out });
            // Whoever stopped reading has seen enough.
            drop(writeln!(std::io::stdout(), "{told:#}"));
            ExitCode::SUCCESS
        }
        Err((status, reason)) => {
            eprintln!("consentctl: {}: {reason}", arguments.file.display());
            ExitCode::from(status)
        }
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than allowed: the import itself says that the file is too large.
    let limit = MAX_IMPORT as u64 + 1;
    if path == Path::new("-") {
        std::io::stdin().take(limit).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
