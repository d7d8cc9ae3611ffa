//! The profile in a real Secret Service. Each test starts a session bus and a keyring of its own in a scratch folder,
//! so the keyring of whoever runs it is never touched.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may break off and print")]
#![cfg(all(feature = "keychain", target_os = "linux"))]

use identity::*;
use std::path::Path;
use std::process::{Command, Stdio};

const PROFILE: &str = "participant";
const CHILD: &str = "CONSENT_WALLET_KEYCHAIN_TEST";

/// Runs the named test again, inside a session of its own. Returns true in that inner run.
fn inside(name: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let home = tempfile::tempdir().unwrap();
    let script = r#"
        printf 'pw\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
        exec "$0" --exact "$1" --include-ignored --nocapture
    "#;
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "bash", "-c", script]).arg(std::env::current_exe().unwrap()).arg(name);
    assert!(run(&mut command, home.path()), "the inner run of {name} failed");
    false
}

fn run(command: &mut Command, home: &Path) -> bool {
    let command = command.env(CHILD, "1").env("HOME", home).env("XDG_RUNTIME_DIR", home).stdin(Stdio::null());
    for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "GNOME_KEYRING_CONTROL", "DISPLAY"] {
        command.env_remove(name);
    }
    command.status().unwrap().success()
}

fn tell(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

fn empty_keychain() {
    tell("secret-tool", &["clear", "service", KEYCHAIN_SERVICE, "username", PROFILE]);
}

fn lock_keychain() {
    let collection = "/org/freedesktop/secrets/collection/login";
    let (to, at, what) = ("org.freedesktop.secrets", "/org/freedesktop/secrets", "org.freedesktop.Secret.Service");
    tell("busctl", &["--user", "call", to, at, what, "Lock", "ao", "1", collection]);
}

async fn state(dir: &Path) -> &'static str {
    match inspect_profile(dir, PROFILE).await.unwrap() {
        ProfileState::FirstRun => "first-run",
        ProfileState::Ready(_) => "ready",
        ProfileState::KeychainAbsent => "absent",
        ProfileState::KeychainLocked { fingerprint: None } => "locked",
        ProfileState::KeychainLocked { fingerprint: Some(_) } => "locked-marked",
        ProfileState::KeyMissing { .. } => "missing",
        ProfileState::KeyForeign { .. } => "foreign",
        ProfileState::KeyWithoutProfile => "without-profile",
    }
}

#[tokio::test]
#[ignore = "needs a session bus and an unlocked keyring; scripts/test runs it"]
async fn a_secret_is_stored_read_and_never_overwritten() {
    if !inside("a_secret_is_stored_read_and_never_overwritten") {
        return;
    }
    assert_eq!(keychain_name(), "secret-service");
    assert!(read_secret(PROFILE).await.unwrap().is_none());
    let secret = ProfileSecret::make();
    store_secret(PROFILE, &secret).await.unwrap();
    assert_eq!(read_secret(PROFILE).await.unwrap().unwrap().expose(), secret.expose());
    assert_eq!(store_secret(PROFILE, &ProfileSecret::make()).await, Err(KeychainError::Occupied));
    assert_eq!(read_secret(PROFILE).await.unwrap().unwrap().expose(), secret.expose());
    assert!(read_secret("staff").await.unwrap().is_none());
}

#[tokio::test]
#[ignore = "needs a session bus and an unlocked keyring; scripts/test runs it"]
async fn a_profile_goes_through_its_states() {
    if !inside("a_profile_goes_through_its_states") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("profile");
    assert_eq!(state(&dir).await, "first-run");
    assert!(matches!(adopt_profile(&dir, PROFILE).await, Err(ProfileError::WrongState)));
    let secret = create_profile(&dir, PROFILE).await.unwrap();
    assert_eq!(state(&dir).await, "ready");
    assert!(matches!(create_profile(&dir, PROFILE).await, Err(ProfileError::WrongState)));
    assert!(matches!(adopt_profile(&dir, PROFILE).await, Err(ProfileError::WrongState)));

    // The marker is lost, or the program was broken off between the two steps.
    let marker = std::fs::read(dir.join("wallet.json")).unwrap();
    std::fs::remove_file(dir.join("wallet.json")).unwrap();
    assert_eq!(state(&dir).await, "without-profile");
    assert!(matches!(create_profile(&dir, PROFILE).await, Err(ProfileError::WrongState)));
    assert_eq!(adopt_profile(&dir, PROFILE).await.unwrap().expose(), secret.expose());
    assert_eq!(std::fs::read(dir.join("wallet.json")).unwrap(), marker);
    assert_eq!(state(&dir).await, "ready");

    // The keychain is emptied.
    empty_keychain();
    assert_eq!(state(&dir).await, "missing");
    assert!(matches!(create_profile(&dir, PROFILE).await, Err(ProfileError::WrongState)));
    assert!(matches!(adopt_profile(&dir, PROFILE).await, Err(ProfileError::WrongState)));
    assert!(read_secret(PROFILE).await.unwrap().is_none(), "no new identity took the place of the old one");

    // Somebody else's secret is put there.
    store_secret(PROFILE, &ProfileSecret::make()).await.unwrap();
    assert_eq!(state(&dir).await, "foreign");
    assert!(matches!(create_profile(&dir, PROFILE).await, Err(ProfileError::WrongState)));

    // The right one comes back.
    empty_keychain();
    store_secret(PROFILE, &secret).await.unwrap();
    assert_eq!(state(&dir).await, "ready");
}

#[tokio::test]
#[ignore = "needs a session bus and an unlocked keyring; scripts/test runs it"]
async fn a_locked_keychain_is_no_empty_one() {
    if !inside("a_locked_keychain_is_no_empty_one") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    create_profile(scratch.path(), PROFILE).await.unwrap();
    lock_keychain();
    let started = std::time::Instant::now();
    assert_eq!(state(scratch.path()).await, "locked-marked");
    let error = read_secret(PROFILE).await.err();
    assert!(matches!(error, Some(KeychainError::Locked | KeychainError::TimedOut)), "{error:?}");
    println!("locked keychain: {error:?} after {:?}", started.elapsed());
    assert!(matches!(create_profile(scratch.path(), PROFILE).await, Err(ProfileError::WrongState)));
    std::fs::remove_file(scratch.path().join("wallet.json")).unwrap();
    assert_eq!(state(scratch.path()).await, "locked");
}

/// Needs no keyring: the address of the bus leads nowhere.
#[tokio::test]
async fn without_a_session_bus_the_keychain_is_absent() {
    if std::env::var_os(CHILD).is_none() {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "without_a_session_bus_the_keychain_is_absent", "--nocapture"]);
        command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}/no-bus", home.path().display()));
        assert!(run(&mut command, home.path()));
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    assert_eq!(read_secret(PROFILE).await.err(), Some(KeychainError::Absent));
    assert_eq!(store_secret(PROFILE, &ProfileSecret::make()).await, Err(KeychainError::Absent));
    assert_eq!(state(scratch.path()).await, "absent");
    assert!(matches!(create_profile(scratch.path(), PROFILE).await, Err(ProfileError::WrongState)));
}
