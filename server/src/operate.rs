//! What an operator does with a biobank's folder, beside running the service over it.

use crate::places::{log_of, store_of};
use crate::relocate::{Migrate, migrate};
use crate::remaking::remake;
use clap::{Args, Subcommand};
use identity::SigningKey;
use ledger::{Hash, Key, NoteKey, Record};
use redb::{Builder, ConcurrencyMode, ReadableDatabase, TableDefinition, TableHandle as _};
use server::log::{self, Embedded, Known, Store as _};
use server::succession::{self, KeyFile};
use server::{Institution, Rotated, StoreAddress, federation, rotate_institution_key, rotate_log_key};
use sha2::{Digest as _, Sha256};
use std::fmt::Display;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The retention policy on the log: the record's name, and its text in the folder.
const RETENTION: &str = "retention";
/// The line of a retention policy that allows pruning.
const MINIMUM: &str = "minimum index ";
/// Files of a biobank that hold no secret.
const PLAIN: &[&str] = &[
    "institution.json",
    "studies.json",
    "retention.txt",
    server::TRUST_FILE,
    succession::FILE,
    federation::POLICY_FILE,
    federation::PEERS_FILE,
];
/// Pairs of checkpoints that convict other logs.
const EVIDENCE: &str = "evidence";
/// Files that are keys. Those of a witness and a mirror are not among them: a copy of what they have signed would be
/// behind, and a key without its memory could sign two trees of one size. A member that lost them joins with new ones.
const KEYS: &[&str] = &[
    KeyFile::Institution.name(),
    KeyFile::Institution.next(),
    KeyFile::Log.name(),
    KeyFile::Log.next(),
    "log.ml-dsa-44.key",
    "pseudonym.key",
    "visa.key",
];

pub type Failure = Box<dyn std::error::Error>;

/// What an operator can do.
#[derive(Subcommand)]
pub enum Operation {
    /// Audits the whole log: entries, signatures, rules, tiles, index, records, checkpoint.
    Check(Check),
    /// Copies a biobank to another folder, also while its service runs.
    Backup(Backup),
    /// Brings a copy back. It never goes behind what was published.
    Restore(Restore),
    /// Makes the index, the records and every tile again from the entries alone.
    Rebuild(Rebuild),
    /// Stops publishing the oldest entries, if the retention policy on the log says so.
    Prune(Prune),
    /// Moves a log to another store, by a replay.
    Migrate(Migrate),
    /// Puts a new key in the place of one that the institution signs with. The service is stopped.
    Rotate(Rotate),
}

/// How to make what follows from the entries again.
#[derive(Args)]
pub struct Rebuild {
    /// Folder of the biobank.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the log is, as `biobankd serve` takes it. In a database the records alone can be made again.
    #[arg(long, value_name = "STORE", default_value = "embedded")]
    store: StoreAddress,
}

/// How to audit.
#[derive(Args)]
pub struct Check {
    /// Folder of the biobank.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the log is, as `biobankd serve` takes it.
    #[arg(long, value_name = "STORE", default_value = "embedded")]
    store: StoreAddress,
    /// Reads the public folder only, so that the service may run. A log in a database can be read at any time.
    #[arg(long)]
    running: bool,
    /// Folder with room for another index. It is taken beside the log if none is given.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// How to copy.
#[derive(Args)]
pub struct Backup {
    /// Folder of the biobank.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder of the copy. One that is there already is continued.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Copies the private keys too. Whoever has them can write in the institution's name.
    #[arg(long)]
    with_keys: bool,
}

/// How to bring a copy back.
#[derive(Args)]
pub struct Restore {
    /// Folder of the copy.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Folder of the biobank. It holds the keys, unless the copy does, and no log.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder in the C2SP layout with entries that the copy may lack.
    #[arg(long, value_name = "DIR")]
    mirror: Option<PathBuf>,
    /// File with the newest checkpoint that anybody has seen.
    #[arg(long, value_name = "FILE")]
    newest: Option<PathBuf>,
    /// I know that nothing was published since the copy was made.
    #[arg(long)]
    nothing_newer: bool,
}

/// How to prune.
#[derive(Args)]
pub struct Prune {
    /// Folder of the biobank.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The first entry that stays readable: a multiple of 256.
    #[arg(long, value_name = "N")]
    before: u64,
    /// The retention policy whose hash is on the log, with a line "minimum index N".
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Deletes the files as well. Without it they are only no longer shown.
    #[arg(long)]
    delete: bool,
}

/// Which key to change.
#[derive(Args)]
pub struct Rotate {
    /// Folder of the biobank.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the log is: `embedded`, or postgres://USER@HOST/DATABASE. Every node is stopped then.
    #[arg(long, value_name = "STORE", default_value = "embedded")]
    store: StoreAddress,
    #[command(subcommand)]
    key: RotatedKey,
}

/// A key that the institution can change.
#[derive(Subcommand)]
enum RotatedKey {
    /// The key that signs the log's checkpoints. After a crash, run it again: it finishes what it began.
    Log {
        /// Although the last entry of the log is a change of its key.
        #[arg(long)]
        again: bool,
    },
    /// The key by which the institution speaks: to the log, to donors, to researchers. It stays known by the DID that it
    /// was founded with. After a crash, run it again: it finishes what it began.
    Institution {
        /// Although the last entry of the log is a change of the institution's key.
        #[arg(long)]
        again: bool,
    },
}

/// Does it, and says what came of it.
pub fn operate(operation: Operation) -> ExitCode {
    let done = match operation {
        Operation::Check(arguments) => check(&arguments),
        Operation::Backup(arguments) => backup(&arguments).map(|()| true),
        Operation::Restore(arguments) => restore(&arguments),
        Operation::Rebuild(arguments) => rebuild(&arguments),
        Operation::Prune(arguments) => prune(&arguments).map(|()| true),
        Operation::Migrate(arguments) => migrate(&arguments).map(|()| true),
        Operation::Rotate(arguments) => rotate(&arguments).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

pub fn say(text: impl std::fmt::Display) -> Result<(), Failure> {
    Ok(write!(io::stdout(), "{text}")?)
}

/// The log's key and origin, out of the biobank's folder.
pub fn read_key(data: &Path) -> Result<NoteKey, Failure> {
    let told = |name: &str, error: io::Error| format!("{}: {error}", data.join(name).display());
    let institution = fs::read(data.join("institution.json")).map_err(|error| told("institution.json", error))?;
    let institution: Institution = serde_json::from_slice(&institution)?;
    let seed = fs::read(data.join("log.key")).map_err(|error| told("log.key", error))?;
    let seed: [u8; 32] = seed.try_into().map_err(|_| "log.key: a key file has 32 bytes")?;
    Ok(NoteKey::new(&institution.origin, SigningKey::from_seed(seed))?)
}

fn check(arguments: &Check) -> Result<bool, Failure> {
    let key = read_key(&arguments.data)?;
    let scratch = arguments.scratch.clone().unwrap_or_else(|| arguments.data.join("check"));
    let audit = if let StoreAddress::Postgres(address) = &arguments.store {
        let store = store_of(address, &key)?;
        log::check(&store, key.verifier(), &scratch, None)
    } else if arguments.running {
        let log = log_of(&arguments.data)?;
        let base = log.join("base.redb");
        let base = base.exists().then_some(base);
        log::check_public(&log.join("public"), key.verifier(), &scratch, base.as_deref())
    } else {
        let store = Embedded::open(&log_of(&arguments.data)?, key.verifier())?;
        log::check(&store, key.verifier(), &scratch, store.base().as_deref())
    };
    let _ = fs::remove_file(scratch.join("check.redb"));
    if arguments.scratch.is_none() {
        let _ = fs::remove_dir(&scratch);
    }
    let audit = audit?;
    say(&audit)?;
    Ok(audit.is_sound())
}

fn backup(arguments: &Backup) -> Result<(), Failure> {
    let Backup { data, to, with_keys } = arguments;
    let key = read_key(data)?;
    make_private(to)?;
    // The log first: then the desk knows everybody who speaks in the copy of the log.
    let former = succession::former_log_keys(&succession::read(data)?);
    let checkpoint = log::backup_after(&log_of(data)?, &to.join("log"), key.verifier(), &former)?;
    let desk = data.join("desk.redb");
    if desk.exists() {
        copy_tables(&desk, &to.join("desk.redb"))?;
    }
    let secrets = if *with_keys { KEYS } else { &[] };
    for name in PLAIN.iter().chain(secrets).filter(|name| data.join(name).exists()) {
        // `copy` takes the rights along: a key stays readable by its owner alone.
        fs::copy(data.join(name), to.join(name))?;
    }
    copy_evidence(data, to)?;
    say(format_args!("{} entries, root {}\n", checkpoint.size, checkpoint.root))?;
    if !with_keys && !to.join("log.key").exists() {
        say("the keys are not part of the copy; without log.key nobody can go on with the log\n")?;
    }
    Ok(())
}

fn restore(arguments: &Restore) -> Result<bool, Failure> {
    let Restore { from, data, mirror, newest, nothing_newer } = arguments;
    make_private(data)?;
    let occupied = |name: &str| data.join(name).exists() && from.join(name).exists();
    if occupied("desk.redb") {
        return Err(format!("{}: move it away first", data.join("desk.redb").display()).into());
    }
    for name in PLAIN.iter().chain(KEYS) {
        if from.join(name).exists() && !data.join(name).exists() {
            fs::copy(from.join(name), data.join(name))?;
        }
    }
    let key = read_key(data)?;
    let newest = newest.as_ref().map(fs::read_to_string).transpose()?;
    let known = Known { mirror: mirror.as_deref(), newest: newest.as_deref(), nothing_newer: *nothing_newer };
    let store = log::restore(&from.join("log"), &data.join("log"), key.verifier(), known)?;
    if from.join("desk.redb").exists() {
        copy_tables(&from.join("desk.redb"), &data.join("desk.redb"))?;
    }
    copy_evidence(from, data)?;
    // Out of the copy, whose desk is as old as its log.
    let held = log::held_size(&from.join("log"), key.verifier())?;
    if let Some(newer) = store.tip()?.map(|tip| tip.turn.size.saturating_sub(held)).filter(|newer| *newer > 0) {
        say(format_args!(
            "{newer} entries are newer than the copy of the desk: it does not know donors and staff who came since. \
             Invite them again; until then a withdrawal of theirs is refused\n"
        ))?;
    }
    if data.join(federation::POLICY_FILE).exists() && !data.join("witness.key").exists() {
        say("the keys of witness and mirror are new from the next start on: give the others the new sheet\n")?;
    }
    audit(&store, &key, data)
}

fn rebuild(arguments: &Rebuild) -> Result<bool, Failure> {
    let key = read_key(&arguments.data)?;
    if let StoreAddress::Postgres(address) = &arguments.store {
        return remake(&arguments.data, address, &key);
    }
    let store = log::rebuild(&log_of(&arguments.data)?, key.verifier())?;
    audit(&store, &key, &arguments.data)
}

/// What was made is not believed before it was audited.
fn audit(store: &Embedded, key: &NoteKey, data: &Path) -> Result<bool, Failure> {
    let scratch = data.join("check");
    let audit = log::check(store, key.verifier(), &scratch, store.base().as_deref());
    let _ = fs::remove_dir_all(&scratch);
    let audit = audit?;
    say(&audit)?;
    Ok(audit.is_sound())
}

fn prune(arguments: &Prune) -> Result<(), Failure> {
    let Prune { data, before, policy, delete } = arguments;
    let key = read_key(data)?;
    let text = fs::read_to_string(policy)?;
    {
        let store = Embedded::open(&log_of(data)?, key.verifier())?;
        let name = Key::policy(RETENTION);
        let Some(Record::Policy(said)) = store.records(std::slice::from_ref(&name))?.remove(&name).flatten() else {
            return Err("the log holds no retention policy, so nothing may be pruned".into());
        };
        if said.document != Hash::from_bytes(Sha256::digest(text.as_bytes()).into()) {
            return Err("the file is not the retention policy whose hash is on the log".into());
        }
    }
    let allowed = text.lines().filter_map(|line| line.trim().strip_prefix(MINIMUM)?.trim().parse::<u64>().ok()).max();
    if allowed.is_none_or(|allowed| *before > allowed) {
        return Err(format!("the retention policy has no line \"{MINIMUM}N\" that goes as far as {before}").into());
    }
    log::prune(&data.join("log"), key.verifier(), *before, *delete)?;
    say(format_args!("entries before {before} are no longer published\n"))
}

fn rotate(arguments: &Rotate) -> Result<(), Failure> {
    let Rotate { data, store, key } = arguments;
    match key {
        RotatedKey::Log { again } => say_rotated("log", &rotate_log_key(data, store, *again)?),
        RotatedKey::Institution { again } => say_rotated("institution", &rotate_institution_key(data, store, *again)?),
    }
}

fn say_rotated<K: Display>(whose: &str, Rotated { former, key }: &Rotated<K>) -> Result<(), Failure> {
    match former {
        Some(former) => say(format_args!("the {whose}'s key is {key}\nbefore it was {former}\n")),
        None => say(format_args!("the {whose}'s key is {key}, as its last entry says: nothing is left to do\n")),
    }
}

/// A folder for its owner alone.
pub fn make_private(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    #[cfg(unix)]
    fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

/// Copies what convicts other logs: nobody else may have it. Each file is named after what it holds.
fn copy_evidence(from: &Path, to: &Path) -> Result<(), Failure> {
    let (from, to) = (from.join(EVIDENCE), to.join(EVIDENCE));
    let files = match fs::read_dir(&from) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    make_private(&to)?;
    for file in files {
        let name = file?.file_name();
        if !to.join(&name).exists() {
            fs::copy(from.join(&name), to.join(&name))?;
        }
    }
    Ok(())
}

/// Copies a database of tables, as it is at one moment, also while the service writes to it.
fn copy_tables(from: &Path, to: &Path) -> Result<(), Failure> {
    let mut shared = Builder::new();
    shared.set_concurrency_mode(ConcurrencyMode::SingleWriter);
    match shared.open_read_only(from) {
        Ok(open) => copy_all(&open, to),
        // After a crash only a writer can put it in order. If the service runs, this is refused.
        Err(_) => copy_all(&shared.open(from)?, to),
    }
}

fn copy_all(from: &impl ReadableDatabase, to: &Path) -> Result<(), Failure> {
    let beside = to.with_extension("next");
    let _ = fs::remove_file(&beside);
    let read = from.begin_read()?;
    let copy = redb::Database::create(&beside)?;
    let write = copy.begin_write()?;
    for table in read.list_tables()? {
        let definition: TableDefinition<'_, &str, &[u8]> = TableDefinition::new(table.name());
        let mut copied = write.open_table(definition)?;
        for row in read.open_table(definition)?.range::<&str>(..)? {
            let (key, value) = row?;
            copied.insert(key.value(), value.value())?;
        }
    }
    write.commit()?;
    drop(copy);
    fs::rename(&beside, to)?;
    Ok(())
}
