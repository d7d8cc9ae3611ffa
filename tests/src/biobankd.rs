//! A real `biobankd` process.

use crate::program;
use serde_json::Value;
use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A biobank that runs until it is stopped or dropped.
pub struct Biobankd {
    /// Its folder.
    pub dir: PathBuf,
    /// The port on this machine, kept over restarts.
    pub port: u16,
    /// What it writes to its log, over all restarts.
    pub log: PathBuf,
    child: Option<Child>,
}

impl Biobankd {
    /// Starts a demo biobank in a folder.
    pub fn start(dir: &Path) -> io::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        std::fs::create_dir_all(dir)?;
        let mut biobank = Self { dir: dir.to_owned(), port, log: dir.with_extension("log"), child: None };
        biobank.restart(&[])?;
        Ok(biobank)
    }

    /// Starts it again at the same address, with more environment, and waits until it answers.
    pub fn restart(&mut self, environment: &[(&str, &str)]) -> io::Result<()> {
        let told = self.dir.join("demo.json");
        let _ = std::fs::remove_file(&told);
        let log = File::options().create(true).append(true).open(&self.log)?;
        let child = Command::new(program("BIOBANKD", "biobankd"))
            .args(["--demo", "--listen", &format!("127.0.0.1:{}", self.port), "--data"])
            .arg(&self.dir)
            .envs(environment.iter().copied())
            .env("RUST_LOG", "debug")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        self.child = Some(child);
        let begun = Instant::now();
        while !told.exists() {
            if begun.elapsed() > Duration::from_secs(30) {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "biobankd does not start; see its log"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Its address.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it told about itself: address and one-time codes.
    pub fn told(&self) -> Value {
        std::fs::read(self.dir.join("demo.json"))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    /// The number of its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Kills it without a warning (SIGKILL).
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Biobankd {
    fn drop(&mut self) {
        self.kill();
    }
}
