//! What the proofs share: a real biobank process, a real window and a real browser, driven by WebDriver.

mod biobankd;
mod browser;
#[path = "../../wallet/tests/common/deeds.rs"]
mod deeds;
mod driver;
pub mod interop;
mod keyboard;
mod secrets;
mod window;

pub use biobankd::Biobankd;
pub use browser::{Browser, Look};
pub use deeds::{choose, grant, step, withdraw};
pub use keyboard::Keyboard;
pub use secrets::{find_secret, holds_secret};
pub use window::Window;

use std::path::PathBuf;

/// What the demo's record holds before anybody connects: the biobank, two policies, and three studies. Whoever connects
/// adds an entry.
pub const FOUNDED: u64 = 6;

/// A program under test: named by the environment, or built beside this test.
pub fn program(variable: &str, name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return path.into();
    }
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.parent()?.join(name)));
    beside.filter(|path| path.exists()).unwrap_or_else(|| name.into())
}
