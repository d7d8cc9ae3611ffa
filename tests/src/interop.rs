//! What a program of somebody else and ours made of each other's, for the table in docs/interop.md. A test that ran to
//! its end notes what it saw; `scripts/interop` makes the table of the notes.

#![allow(
    dead_code,
    clippy::expect_used,
    reason = "each crate that shares this takes its part, and a test may break off"
)]

use std::path::Path;

/// How many of each there were.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    /// Of ours, that the other program took.
    pub ours: usize,
    /// Of theirs, that ours took.
    pub theirs: usize,
    /// Tampered or misused ones that the other program refused.
    pub refused_by_them: usize,
    /// Tampered or misused ones that ours refused.
    pub refused_by_us: usize,
}

/// Notes a row of the table, if somebody collects them.
pub fn note(format: &str, peer: &str, seen: Seen) {
    let Some(folder) = std::env::var_os("INTEROP") else { return };
    let Seen { ours, theirs, refused_by_them, refused_by_us } = seen;
    let count = |count: usize| if count == 0 { "–".to_owned() } else { count.to_string() };
    let [ours, theirs, by_them, by_us] = [ours, theirs, refused_by_them, refused_by_us].map(count);
    let row = format!("| {format} | {peer} | {ours} | {theirs} | {by_them} | {by_us} |\n");
    let name: String = format!("{format} {peer}").chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    std::fs::create_dir_all(&folder).expect("the folder of the notes");
    std::fs::write(Path::new(&folder).join(name), row).expect("a note");
}

/// A package of npm with the version that is locked in this folder of tests/third_party.
pub fn npm(folder: &str, package: &str) -> String {
    let wanted = third_party(&format!("{folder}/package.json"));
    let wanted: serde_json::Value = serde_json::from_str(&wanted).expect("JSON");
    format!("{package} {} (npm)", wanted["dependencies"][package].as_str().expect("a version"))
}

/// A package of PyPI with the version that is locked.
pub fn pypi(package: &str) -> String {
    let wanted = third_party("python/requirements.txt");
    let version = wanted.lines().find_map(|line| line.strip_prefix(package)?.strip_prefix("=="));
    format!("{package} {} (PyPI)", version.expect("a version"))
}

fn third_party(name: &str) -> String {
    // The tests of two crates share this file; both lie one folder below the root.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/third_party");
    std::fs::read_to_string(folder.join(name)).expect("a file of tests/third_party")
}
