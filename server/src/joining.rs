//! `biobankd member` and `biobankd join`: how an institution comes into a federation.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "commands speak by printing")]

use clap::Args;
use server::federation::{self, Sheet};
use std::path::PathBuf;
use std::process::ExitCode;
use url::Url;

/// What the others need to know.
#[derive(Args)]
pub struct Member {
    /// Folder of the institution; the service was started there once.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Address at which the others reach the service.
    #[arg(long, value_name = "URL")]
    address: Url,
}

/// Who the others are.
#[derive(Args)]
pub struct Join {
    /// Folder of the institution; the service was started there once.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// How many of the others must have signed a checkpoint before it is final: more than half of them.
    #[arg(long, value_name = "N")]
    quorum: usize,
    /// Keep the entries of the others as well, and let them keep those of this log.
    #[arg(long)]
    mirror: bool,
    /// What the others printed (`biobankd member`). The own one may be among them.
    #[arg(required = true, value_name = "FILE")]
    members: Vec<PathBuf>,
}

/// Prints the sheet.
pub fn member(member: &Member) -> ExitCode {
    let sheet = Sheet::of(&member.data, &member.address).map_err(|error| error.to_string());
    match sheet.and_then(|sheet| serde_json::to_string_pretty(&sheet).map_err(|error| error.to_string())) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(why) => refuse(&why),
    }
}

/// Writes the files.
pub fn join(join: &Join) -> ExitCode {
    let read = |path: &PathBuf| -> Result<Sheet, String> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))
    };
    let joined = join.members.iter().map(read).collect::<Result<Vec<_>, _>>().and_then(|sheets| {
        federation::join(&join.data, &sheets, join.quorum, join.mirror).map_err(|error| error.to_string())
    });
    match joined {
        Ok(()) => {
            println!("wrote {} and {}", federation::POLICY_FILE, federation::PEERS_FILE);
            ExitCode::SUCCESS
        }
        Err(why) => refuse(&why),
    }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("biobankd: {why}");
    ExitCode::FAILURE
}
