//! `consentctl key`: a key for terminals and programs, in a file of its own.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wallet::exchange::visa::read_key;
use zeroize::Zeroizing;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Write a new key to a new file that its owner alone can read, and print its DID.
    ///
    /// Exit status: 0 made, 4 could not; a file that is there is never written over.
    Make(File),
    /// Print the DID of the key in a file.
    ///
    /// Exit status: 0 printed, 4 could not read it, or others can.
    Show(File),
}

#[derive(clap::Args)]
pub struct File {
    /// The file: 64 hexadecimal digits, readable for its owner alone.
    file: PathBuf,
}

pub fn run(command: &Command) -> ExitCode {
    let (path, made) = match command {
        Command::Make(File { file }) => (file, make(file)),
        Command::Show(File { file }) => (file, Ok(())),
    };
    let told = made.map_err(|error| error.to_string());
    match told.and_then(|()| read_key(path).map_err(|error| error.to_string())) {
        Ok(key) => {
            println!("{}", key.did());
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("consentctl: {}: {reason}", path.display());
            ExitCode::from(4)
        }
    }
}

/// Never over a file that is there: it could be the only copy of another key, or readable by others.
fn make(path: &Path) -> io::Result<()> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut()).map_err(|_| io::Error::other("no random numbers"))?;
    let mut text = Zeroizing::new([b'\n'; 65]);
    hex::encode_to_slice(seed.as_ref(), &mut text[..64]).map_err(io::Error::other)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_ref()).and_then(|()| file.sync_all())
}
