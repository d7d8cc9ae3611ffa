//! The layout of ARCHITECTURE.md, held: who uses whom, which crate may know what, what the window may call.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may the functions beside it")]

use cargo_metadata::{Dependency, DependencyKind, MetadataCommand, Package};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who uses whom, by name of the package. `proof` sees everything, and nobody sees it.
const EDGES: &[(&str, &[&str])] = &[
    ("consent", &[]),
    ("identity", &["consent"]),
    ("ledger", &["consent", "identity"]),
    ("bridge", &["consent"]),
    ("wallet", &["consent", "identity", "ledger", "bridge"]),
    ("server", &["consent", "identity", "ledger"]),
    ("consent-ui", &["bridge", "consent"]),
    ("consent-wallet", &["bridge", "wallet"]),
    ("consentctl", &["consent", "identity", "ledger", "wallet", "bridge", "server"]),
    ("proof", &["bridge", "consent", "identity", "ledger", "server", "wallet"]),
];

/// Crates from outside that one crate alone may use, in whichever way.
const DOORS: &[(&str, &str)] =
    &[("tauri", "consent-wallet"), ("keyring", "identity"), ("axum", "server"), ("did-key", "identity")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn packages() -> Vec<Package> {
    // What the manifests say, without resolving: no network and no lock is needed.
    MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap().packages
}

fn package<'a>(packages: &'a [Package], name: &str) -> &'a Package {
    packages.iter().find(|package| package.name.as_str() == name).unwrap()
}

fn normal(package: &Package) -> impl Iterator<Item = &Dependency> {
    package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal)
}

fn json(path: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(root().join(path)).unwrap()).unwrap()
}

#[test]
fn crates_see_whom_the_layout_says_and_nobody_else() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(ours, EDGES.iter().map(|(name, _)| *name).collect(), "the crates of the workspace");
    for (name, expected) in EDGES {
        let seen: BTreeSet<&str> = normal(package(&packages, name))
            .map(|dependency| dependency.name.as_str())
            .filter(|dependency| ours.contains(dependency))
            .collect();
        assert_eq!(seen, expected.iter().copied().collect(), "what {name} uses");
    }
}

#[test]
fn ledger_and_server_know_no_keychain() {
    let packages = packages();
    for name in ["ledger", "server"] {
        let found: Vec<_> = normal(package(&packages, name)).filter(|used| used.name == "identity").collect();
        assert_eq!(found.len(), 1, "{name} names identity once");
        assert!(!found[0].uses_default_features, "{name} takes identity's default features");
        assert!(!found[0].features.iter().any(|feature| feature == "keychain"), "{name} takes the keychain");
        let passed_on =
            package(&packages, name).features.values().flatten().any(|feature| feature.contains("keychain"));
        assert!(!passed_on, "a feature of {name} takes the keychain");
    }
}

#[test]
fn no_program_can_be_made_to_ask_this_machine() {
    for package in packages() {
        let takes = |used: &&Dependency| used.name == "identity" && used.features.iter().any(|name| name == "loopback");
        let users: Vec<_> = package.dependencies.iter().filter(takes).collect();
        assert!(users.iter().all(|used| used.kind == DependencyKind::Development), "{} takes it", package.name);
        let passed_on = package.features.iter().filter(|(name, _)| *name != "loopback");
        let passed_on = passed_on.flat_map(|(_, features)| features).any(|feature| feature.contains("loopback"));
        assert!(!passed_on, "a feature of {} takes it", package.name);
    }
}

#[test]
fn each_door_has_one_keeper() {
    let packages = packages();
    for (door, keeper) in DOORS {
        let users: Vec<_> =
            packages.iter().filter(|package| package.dependencies.iter().any(|used| used.name == *door)).collect();
        let names: Vec<&str> = users.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, [*keeper], "who uses {door}");
    }
    let second_opinion = package(&packages, "identity").dependencies.iter().filter(|used| used.name == "did-key");
    for used in second_opinion {
        assert_eq!(used.kind, DependencyKind::Development, "did-key gives second opinions in tests, and nothing else");
    }
}

#[test]
fn window_may_call_the_commands_of_bridge_and_listen() {
    let capability = json("src-tauri/capabilities/main.json");
    let opened: Vec<&str> =
        capability["permissions"].as_array().unwrap().iter().map(|permission| permission.as_str().unwrap()).collect();
    let unique: BTreeSet<&str> = opened.iter().copied().collect();
    assert_eq!(opened.len(), unique.len(), "a permission is named twice");
    let mut expected: BTreeSet<String> =
        bridge::NAMES.iter().map(|name| format!("allow-{}", name.replace('_', "-"))).collect();
    expected.extend(["core:event:allow-listen", "core:event:allow-unlisten"].map(str::to_owned));
    assert_eq!(unique, expected.iter().map(String::as_str).collect(), "what the window may call");
    assert!(capability.get("remote").is_none(), "a page from elsewhere may call nothing");

    let files: Vec<_> = std::fs::read_dir(root().join("src-tauri/capabilities")).unwrap().collect();
    assert_eq!(files.len(), 1, "there is one capability");
}

#[test]
fn window_runs_no_foreign_script() {
    let config = json("src-tauri/tauri.conf.json");
    let app = &config["app"];
    assert_eq!(app["withGlobalTauri"], Value::Bool(false), "the bridge is not on the global object");
    let policy = app["security"]["csp"].as_str().unwrap();
    assert!(policy.contains("default-src 'self'"), "{policy}");
    for door in ["'unsafe-inline'", "'unsafe-eval'", "https:", "http://*", " *", "blob:"] {
        assert!(!policy.contains(door), "the content security policy opens {door}");
    }
    assert!(app["security"].get("dangerousDisableAssetCspModification").is_none());
    assert!(app["security"].get("devCsp").is_none(), "development runs under the same policy");
}

#[test]
fn no_file_names_a_folder_of_somebodys_machine() {
    let root = root();
    let listed = Command::new("git").arg("-C").arg(&root).args(["ls-files", "-z"]).output().unwrap();
    if !listed.status.success() {
        // An unpacked archive has no list of files; the check belongs to the repository.
        assert!(!root.join(".git").exists(), "git cannot list the files: {}", String::from_utf8_lossy(&listed.stderr));
        return;
    }
    let names = String::from_utf8(listed.stdout).unwrap();
    let mut found = Vec::new();
    for name in names.split('\0').filter(|name| !name.is_empty() && !name.ends_with("Cargo.lock")) {
        // A tracked file that is gone from the folder is about to be removed.
        let Ok(bytes) = std::fs::read(root.join(name)) else { continue };
        for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            if names_a_machine(line) {
                found.push(format!("{name}:{}", number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Whether a line has an absolute path that exists on one machine only.
fn names_a_machine(line: &str) -> bool {
    // In pieces, so that this file does not find itself.
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")].iter().any(|start| {
        line.match_indices(start).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + start.len()..].chars().next();
            // Part of a longer path or of a variable, such as `docs/...` or `$X/...`, is not absolute.
            let absolute = !before.is_some_and(|c| c.is_alphanumeric() || "_-.}>".contains(c));
            absolute && after.is_some_and(|c| c.is_alphanumeric() || c == '.')
        })
    })
}

#[test]
fn machine_paths_are_told_from_other_paths() {
    for (piece, expected) in [("see /ho", true), ("https://example.org/ho", false), ("$ROOT/ho", false), ("(/ho", true)]
    {
        let line = format!("{piece}{}", "me/ada/x");
        assert_eq!(names_a_machine(&line), expected, "{line}");
    }
    assert!(!names_a_machine(concat!("a folder under /ho", "me/<name>")));
}
