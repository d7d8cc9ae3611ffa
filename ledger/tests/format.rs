//! FORMAT.md is a set of test vectors: each named code block is made again here and compared byte for byte, and each
//! line of a block whose name begins with "refused" must be refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use common::{MemoryLog, hash, note_key};
use consent::{ConsentState, Notice, StudyId, Vocabulary as _, Withdrawal};
use identity::{SigningKey, sign_jws, to_canonical};
use ledger::{
    Act, BundleId, CHANGE_TYPE, Checkpoint, ConsentEntry, ConsentEvent, EntryError, GRANT_TYPE, Given, Hash,
    RESUME_TYPE, Receipt, SUSPEND_TYPE, State, TileId, VerifierKey, WITHDRAW_TYPE, apply, commit_notice,
    commit_subject, inclusion_proof,
};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The kinds of the story, in its order, as the document names them.
const STORY: [&str; 6] = ["grant", "change", "suspend", "resume", "withdraw", "grant-again"];
const TYPES: [&str; 5] = [GRANT_TYPE, CHANGE_TYPE, SUSPEND_TYPE, RESUME_TYPE, WITHDRAW_TYPE];
const NOTICE_TEXT: &str = "The Heart Study asks for your sample.";

/// The named code blocks: "```text name".
fn blocks() -> BTreeMap<String, String> {
    let document = include_str!("../FORMAT.md");
    let mut found = BTreeMap::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("```text ") {
            let body: String = lines.by_ref().take_while(|l| *l != "```").map(|l| format!("{l}\n")).collect();
            assert!(found.insert(name.to_owned(), body).is_none(), "two blocks are called {name}");
        }
    }
    found
}

struct Example {
    entries: Vec<ConsentEntry>,
    log: MemoryLog,
    subject: Hash,
    notice: Notice,
}

/// The story of the document: a donor gives consent, changes it, pauses it, lets it go on, takes it back, and gives
/// it again.
fn example() -> Example {
    let study_key = SigningKey::from_seed([1; 32]);
    let donor = SigningKey::from_seed([2; 32]).did();
    let study: StudyId = "heart-2026".parse().unwrap();
    let subject = commit_subject(&[7; 32], &donor, &study);
    let sha256 = hex::encode(Sha256::digest(NOTICE_TEXT));
    let uri = "urn:consent-wallet:study:heart-2026".into();
    let notice = Notice { uri, version: 1, sha256, language: "en".into() };
    let given = |until: &str| Given { credential: hash(4), policy: hash(3), until: until.parse().ok() };
    let story = [
        ("2026-11-22T12:00:00Z", Act::Grant(given("2027-12-31"))),
        ("2026-11-25T10:00:00Z", Act::Change(given("2028-12-31"))),
        ("2026-12-01T09:15:00Z", Act::Suspend { until: "2027-01-31".parse().ok() }),
        ("2026-12-20T08:00:00Z", Act::Resume),
        ("2027-02-03T08:30:00Z", Act::Withdraw { level: Withdrawal::NoUse }),
        ("2027-06-01T09:15:00Z", Act::Grant(given(""))),
    ];
    let mut entries = Vec::<ConsentEntry>::new();
    for (time, act) in story {
        let (previous, time) = (entries.last().map(|last| last.hash()), time.parse().unwrap());
        let event = ConsentEvent { subject, previous, notice: commit_notice(&[7; 32], &notice), time, act };
        entries.push(ConsentEntry::sign(&study_key, &event));
    }
    let log = MemoryLog::of(entries.iter().map(|e| e.bytes().to_vec()).collect());
    Example { entries, log, subject, notice }
}

/// The lines of what an entry changed, as rules 2.31 and 2.32 have it.
fn changed(state: &State, index: u64, entry: &ConsentEntry) -> (Hash, String) {
    let applied = apply(state, index, entry).unwrap();
    let lines: String = applied
        .changes
        .iter()
        .map(|(key, record)| format!("{key} {}\n", String::from_utf8(record.to_bytes()).unwrap()))
        .collect();
    let (before, name) = (state.hash(), entry.hash());
    let digest = Sha256::digest(format!("consent-wallet/state/v2\n{before}\n{index} {name}\n{lines}"));
    (Hash::from_bytes(digest.into()), lines)
}

/// The table of steps: for each state and each act, the state after it, found by trying.
fn moves() -> String {
    let given = Given { credential: hash(4), policy: hash(3), until: None };
    let until = |day: &str| Act::Grant(Given { until: day.parse().ok(), ..given });
    let leave = |level| Act::Withdraw { level };
    let acts = [
        ("grant", Act::Grant(given)),
        ("change", Act::Change(given)),
        ("suspend", Act::Suspend { until: None }),
        ("resume", Act::Resume),
        ("noContact", leave(Withdrawal::NoContact)),
        ("noAccess", leave(Withdrawal::NoAccess)),
        ("noUse", leave(Withdrawal::NoUse)),
        ("destroySample", leave(Withdrawal::DestroySample)),
    ];
    let pasts = [
        vec![],
        vec![Act::Grant(given)],
        vec![Act::Grant(given), Act::Suspend { until: None }],
        vec![until("2026-11-23")],
        vec![Act::Grant(given), leave(Withdrawal::NoContact)],
        vec![Act::Grant(given), leave(Withdrawal::NoAccess)],
        vec![Act::Grant(given), leave(Withdrawal::NoUse)],
        vec![Act::Grant(given), leave(Withdrawal::DestroySample)],
    ];
    let day = |state: &State, day: &str| state.subject(&hash(2)).map(|subject| subject.state_at(day.parse().unwrap()));
    let code = |state: Option<ConsentState>| state.map_or("-", |state| state.code());
    let line = |cells: Vec<&str>| {
        let wide = cells.iter().map(|cell| format!("{cell:<23}")).collect::<String>();
        format!("{}\n", wide.trim_end())
    };
    let mut table = line(std::iter::once("").chain(acts.iter().map(|(name, _)| *name)).collect());
    for past in pasts {
        let mut state = State::new();
        let mut latest = None;
        let next = |latest, time: &str, act| common::sign(1, hash(2), latest, time, act);
        for (index, act) in (0..).zip(past) {
            let entry = next(latest, "2026-11-22T12:00:00Z", act);
            state.apply(index, &entry).unwrap();
            latest = Some(entry.hash());
        }
        let mut cells = vec![code(day(&state, "2026-11-24"))];
        for (_, act) in acts {
            let mut after = state.clone();
            let judged = after.apply(9, &next(latest, "2026-11-24T12:00:00Z", act));
            cells.push(if judged.is_ok() { code(day(&after, "2026-11-24")) } else { "-" });
        }
        table += &line(cells);
    }
    table
}

/// What dates do: the state on some days, after some of the entries of the story.
fn days(entries: &[ConsentEntry], subject: &Hash) -> String {
    let mut text = String::new();
    let on = [
        (1, "2027-12-31"),
        (1, "2028-01-01"),
        (3, "2026-12-01"),
        (3, "2027-01-31"),
        (3, "2027-02-01"),
        (3, "2028-12-31"),
        (3, "2029-01-01"),
        (4, "2026-12-20"),
        (5, "2027-02-03"),
        (5, "2029-01-01"),
        (6, "2029-01-01"),
    ];
    for (count, day) in on {
        let mut state = State::new();
        for (index, entry) in (0..).zip(&entries[..count]) {
            state.apply(index, entry).unwrap();
        }
        let is = state.subject(subject).unwrap().state_at(day.parse().unwrap());
        text += &format!("{count} {day} {}\n", is.code());
    }
    text
}

fn made() -> BTreeMap<String, String> {
    let Example { entries, log, subject, notice } = example();
    let checkpoint = log.checkpoint();
    let (mut state, mut state_lines) = (State::new(), String::new());
    for (index, entry) in (0..).zip(&entries) {
        let (hash, lines) = changed(&state, index, entry);
        state.apply(index, entry).unwrap();
        assert_eq!(state.hash(), hash);
        state_lines += &lines;
    }
    let path = inclusion_proof(4, 6, |id: TileId| log.files.get(&id.path()).cloned().ok_or(())).unwrap();
    let receipt = Receipt { extra: None, index: 4, path, checkpoint: checkpoint.note().to_owned() }.to_string();
    let bundle = &log.files["tile/entries/000.p/6"];
    let paths = [(0_u8, 0_u64, 256_u16), (0, 0, 3), (1, 273, 112), (0, 1_234_067, 256), (63, 1000, 255)];
    let lines = |items: Vec<String>| items.iter().map(|i| format!("{i}\n")).collect::<String>();
    let mut blocks = BTreeMap::from(
        [
            ("donor", format!("{}\n", SigningKey::from_seed([2; 32]).did())),
            ("study-key", format!("{}\n", SigningKey::from_seed([1; 32]).did())),
            ("commitment", format!("{subject}\n")),
            ("notice-text", format!("{NOTICE_TEXT}\n")),
            ("notice", format!("{}\n", String::from_utf8(to_canonical(&notice).unwrap()).unwrap())),
            ("notice-commitment", format!("{}\n", commit_notice(&[7; 32], &notice))),
            ("moves", moves()),
            ("days", days(&entries, &subject)),
            ("state-lines", state_lines),
            ("state", format!("{}\n", state.hash())),
            ("entry-hashes", lines(entries.iter().map(|e| e.hash().to_string()).collect())),
            ("vkey", format!("{}\n", note_key().verifier())),
            ("checkpoint", checkpoint.note().to_owned()),
            ("root", format!("{}\n", checkpoint.root)),
            ("tile", format!("{}\n", hex::encode(&log.files["tile/0/000.p/6"]))),
            ("bundle", format!("{} bytes, leaf hash {}\n", bundle.len(), ledger::leaf_hash(bundle))),
            ("bundle-begin", format!("{}\n", hex::encode(&bundle[..16]))),
            (
                "paths",
                lines(paths.map(|(level, index, width)| TileId { level, index, width }.path()).to_vec())
                    + &lines(paths.map(|(_, index, width)| BundleId { index, width }.path()).to_vec()),
            ),
            ("receipt", receipt),
        ]
        .map(|(name, text)| (name.to_owned(), text)),
    );
    for (name, entry) in STORY.into_iter().zip(&entries) {
        blocks.insert(format!("{name}-payload"), format!("{}\n", entry.event().payload()));
        blocks.insert(name.to_owned(), format!("{}\n", String::from_utf8(entry.bytes().to_vec()).unwrap()));
    }
    blocks
}

#[test]
fn every_block_is_what_the_code_makes() {
    let (written, made) = (blocks(), made());
    let mut wrong = String::new();
    for (name, text) in &made {
        if written.get(name) != Some(text) {
            wrong.push_str(&format!("```text {name}\n{text}```\n"));
        }
    }
    assert!(wrong.is_empty(), "FORMAT.md should say:\n{wrong}");
    for name in written.keys().filter(|name| !name.starts_with("refused")) {
        assert!(made.contains_key(name.as_str()), "nothing checks the block {name}");
    }
}

#[test]
fn every_block_reads_back() {
    let blocks = blocks();
    let (key, mut state) = (blocks["vkey"].trim().parse::<VerifierKey>().unwrap(), State::new());
    for (index, name) in (0..).zip(STORY) {
        let entry = ConsentEntry::parse(blocks[name].trim_end().as_bytes()).unwrap();
        assert_eq!(entry.hash().to_string(), blocks["entry-hashes"].lines().nth(index as usize).unwrap());
        state.apply(index, &entry).unwrap();
    }
    let checkpoint = Checkpoint::open(&blocks["checkpoint"], &key).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root.to_string()), (6, blocks["root"].trim().to_owned()));
    let included = Receipt::verify(&blocks["receipt"], blocks["withdraw"].trim_end().as_bytes(), &key).unwrap();
    assert_eq!((included.index(), included.checkpoint()), (4, &checkpoint));
    for path in blocks["paths"].lines() {
        assert!(TileId::parse(path).is_ok() != BundleId::parse(path).is_ok(), "{path}");
    }
}

#[test]
fn what_must_be_refused_is_refused() {
    let blocks = blocks();
    for path in blocks["refused-paths"].lines() {
        assert!(TileId::parse(path).is_err() && BundleId::parse(path).is_err(), "{path}");
    }
    for key in blocks["refused-vkeys"].lines() {
        assert!(key.parse::<VerifierKey>().is_err(), "{key}");
    }
    let kinds = [
        ("refused-grants", vec![GRANT_TYPE, CHANGE_TYPE]),
        ("refused-pauses", vec![SUSPEND_TYPE]),
        ("refused-resumptions", vec![RESUME_TYPE]),
        ("refused-withdrawals", vec![WITHDRAW_TYPE]),
        ("refused-payloads", TYPES.to_vec()),
    ];
    for (name, types) in &kinds {
        for payload in blocks[*name].lines() {
            for typ in types {
                assert_eq!(fault(typ, payload), Some(EntryError::Content), "{typ}: {payload}");
            }
        }
    }
    assert_eq!(blocks.keys().filter(|name| name.starts_with("refused")).count(), 2 + kinds.len());
}

fn fault(typ: &str, payload: &str) -> Option<EntryError> {
    ConsentEntry::parse(sign_jws(&SigningKey::from_seed([1; 32]), typ, payload.as_bytes()).as_bytes()).err()
}

/// The table of rule 1.4: for each kind, what each member may be, tried one by one.
#[test]
fn the_table_of_members_is_what_a_reader_takes() {
    let document = include_str!("../FORMAT.md");
    let rows: Vec<Vec<&str>> = document
        .lines()
        .skip_while(|line| !line.starts_with("| member |"))
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows[0][1..6], ["grant", "change", "suspend", "resume", "withdraw"]);
    let members = &rows[2..];
    let value = |name: &str| match name {
        "`level`" => "noUse".to_owned(),
        "`time`" => "2026-11-22T12:00:00Z".to_owned(),
        "`until`" => "2026-12-24".to_owned(),
        _ => hash(7).to_string(),
    };
    let text = |names: &[&str]| {
        let members: Vec<_> =
            names.iter().map(|name| format!("\"{}\":\"{}\"", name.trim_matches('`'), value(name))).collect();
        format!("{{{}}}", members.join(","))
    };
    for (column, typ) in (1..).zip(TYPES) {
        let names = |but: &str, also: &str| -> Vec<&str> {
            let wanted = |row: &&Vec<&str>| row[0] != but && (!row[column].is_empty() || row[0] == also);
            members.iter().filter(wanted).map(|row| row[0]).collect()
        };
        assert_eq!(fault(typ, &text(&names("", ""))), None, "{typ} with all that it may have");
        for row in members {
            let changed = if row[column].is_empty() { names("", row[0]) } else { names(row[0], "") };
            let may = row[column] == "may";
            let wanted = (!may).then_some(EntryError::Content);
            assert_eq!(fault(typ, &text(&changed)), wanted, "{typ}, {}", row[0]);
        }
    }
}
