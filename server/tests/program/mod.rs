//! `biobankd` as a process, run the way an operator runs it.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test takes its part, and may break off")]

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Runs a command of the program to its end: whether it went well, and everything that it said.
pub fn biobankd(arguments: &[&str]) -> (bool, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_biobankd")).args(arguments).output().unwrap();
    (run.status.success(), String::from_utf8([run.stdout, run.stderr].concat()).unwrap())
}

pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A service.
pub struct Service {
    pub address: String,
    pub child: Child,
    told: Arc<Mutex<String>>,
}

impl Service {
    /// Starts a service over a folder, on a port of its own.
    pub fn start(data: &Path, more: &[&str]) -> Self {
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        // As systemd would run it, but for the signal of a full disk: here a write that is refused is an error.
        let mut child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_biobankd"), "serve", "--data"])
            .arg(data)
            .args(["--listen", &listen])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (told, lines) = (Arc::<Mutex<String>>::default(), BufReader::new(child.stderr.take().unwrap()).lines());
        let heard = told.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                heard.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        Self { address: format!("http://{listen}"), child, told }
    }

    /// The same, and waits until it can take entries.
    pub async fn ready(data: &Path, more: &[&str]) -> Self {
        let service = Self::start(data, more);
        service.until(200).await;
        service
    }

    /// What it says of itself; 0 if it does not answer.
    pub async fn readiness(&self) -> u16 {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        http.get(format!("{}/readyz", self.address)).send().await.map_or(0, |answer| answer.status().as_u16())
    }

    /// Waits until it says this.
    pub async fn until(&self, status: u16) {
        let begun = Instant::now();
        while self.readiness().await != status {
            assert!(begun.elapsed() < Duration::from_secs(60), "it never says {status}: {}", self.told());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Everything that it told the operator.
    pub fn told(&self) -> String {
        self.told.lock().unwrap().clone()
    }

    /// Waits until it ends.
    pub fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not end: {}", self.told());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as systemd does.
    pub fn end(mut self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        let status = self.ended();
        assert!(status.success(), "{}", self.told());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
