//! What a window and a browser share: a driver that takes a while to answer, and a folder for pictures.

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use thirtyfour::prelude::*;

/// How long anything may take to be there.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A port that nobody listens on.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A session of a driver that was just started.
pub(crate) async fn connect(port: u16, capabilities: &Capabilities) -> WebDriverResult<WebDriver> {
    let begun = Instant::now();
    loop {
        match WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities.clone()).await {
            Err(_) if begun.elapsed() <= PATIENCE => tokio::time::sleep(Duration::from_millis(200)).await,
            session => return session,
        }
    }
}

/// The folder that pictures go to.
pub(crate) fn pictures() -> io::Result<PathBuf> {
    let folder = std::env::var_os("PICTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/pictures"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
