//! What a person sees when the keychain is not as it should be. Each state has a screen of its own, and none of them
//! makes a new identity over an old one.

use proof::{Biobankd, Window};
use std::process::{Command, Stdio};
use thirtyfour::error::WebDriverResult;

const LOGIN: &str = "/org/freedesktop/secrets/collection/login";

#[tokio::test(flavor = "multi_thread")]
async fn each_state_of_the_keychain_has_its_screen() -> WebDriverResult<()> {
    let root = tempfile::tempdir().unwrap();
    let (data, log) = (root.path().join("wallet"), root.path().join("wallet.log"));
    let suffix = format!(" (states {})", std::process::id());
    let arguments = ["--data", data.to_str().unwrap(), "--keychain-suffix", &suffix];
    let marker = data.join("profiles/participant/wallet.json");
    let entry = format!("participant{suffix}");

    println!("no keychain at all");
    let window = Window::open_in(&arguments, &log, "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent").await?;
    window.press("I am a participant").await?;
    window.heading("Your keychain is not running").await?;
    window.picture("keychain-absent").await?;
    window.close().await?;
    assert!(!marker.exists(), "nothing was made");

    println!("first run, with an invitation to open");
    let biobank = Biobankd::start(&root.path().join("biobank")).unwrap();
    let link = format!("consent-wallet://join?at={}&code=ZZZZ-ZZZZ", biobank.address());
    let with_link = [&[link.as_str()], &arguments[..]].concat();
    let window = Window::open(&with_link, &log).await?;
    window.press("I am a participant").await?;
    window.press("Make my key").await?;
    window.heading("Open your invitation").await?;
    assert_eq!(window.value_of("Link or code").await?, link, "the link that the app was started with is filled in");
    window.press("Open").await?;
    window.find("//*[@role='alert']").await?;
    window.close().await?;
    let first = std::fs::read_to_string(&marker).unwrap();

    println!("locked");
    lock();
    let window = Window::open(&arguments, &log).await?;
    window.press("I am a participant").await?;
    window.heading("Your keychain is locked").await?;
    window.picture("keychain-locked").await?;
    window.close().await?;
    unlock();
    let window = Window::open(&arguments, &log).await?;
    window.press("I am a participant").await?;
    window.heading("Open your invitation").await?;
    window.close().await?;

    println!("marker without entry");
    let secret = identity::read_secret(&entry).await.unwrap().expect("the key is there");
    forget(&entry);
    let window = Window::open(&arguments, &log).await?;
    window.press("I am a participant").await?;
    window.heading("Your key is not in the keychain").await?;
    window.picture("keychain-missing").await?;
    assert!(!window.read().await?.contains("Make my key"), "no new identity is offered over the old one");
    window.close().await?;

    println!("the key of another wallet");
    identity::store_secret(&entry, &identity::ProfileSecret::make()).await.unwrap();
    let window = Window::open(&arguments, &log).await?;
    window.press("I am a participant").await?;
    window.heading("This key belongs to another wallet").await?;
    window.picture("keychain-foreign").await?;
    window.close().await?;
    forget(&entry);

    println!("entry without marker");
    identity::store_secret(&entry, &secret).await.unwrap();
    std::fs::rename(data.join("profiles/participant"), data.join("aside")).unwrap();
    let window = Window::open(&arguments, &log).await?;
    window.press("I am a participant").await?;
    window.heading("We found your key").await?;
    window.picture("keychain-without-profile").await?;
    window.press("Use this key").await?;
    window.heading("Open your invitation").await?;
    window.close().await?;
    assert_eq!(std::fs::read_to_string(&marker).unwrap(), first, "the same identity as before");
    drop(biobank);
    Ok(())
}

fn lock() {
    let service = ["org.freedesktop.secrets", "/org/freedesktop/secrets", "org.freedesktop.Secret.Service"];
    run(Command::new("busctl").args(["--user", "call"]).args(service).args(["Lock", "ao", "1", LOGIN]));
}

/// As logging in again does it, with the password of the keyring.
fn unlock() {
    let again = "printf 'scratch\\n' | gnome-keyring-daemon --replace --unlock --components=secrets";
    run(Command::new("sh").args(["-c", again]));
}

fn forget(entry: &str) {
    run(Command::new("secret-tool").args(["clear", "service", identity::KEYCHAIN_SERVICE, "username", entry]));
}

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}");
}
