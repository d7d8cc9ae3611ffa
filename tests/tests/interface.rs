//! The interface's words, colours and page, read as files: nothing is missing, hard to read or unsafe.

#[path = "../../consent/words/readability.rs"]
mod readability;

use bridge::{Code, Role};
use consent::{DataKind, ReasonCode, Vocabulary};
use readability::{grade, hard, messages, sentences};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources(folder: &str) -> String {
    files(folder, ".rs").iter().map(|path| fs::read_to_string(path).unwrap()).collect::<Vec<_>>().join("\n")
}

/// The words of consent: the interface and the core share them.
const SHARED: &str = "consent/words/en.ftl";

/// All messages that the interface can show; one id stands in one file only.
fn locale() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for path in files("ui/locales/en", ".ftl").into_iter().chain([root().join(SHARED)]) {
        for (id, value) in messages(&fs::read_to_string(&path).unwrap()) {
            assert!(
                all.insert(id.clone(), value).is_none(),
                "{id} stands twice, the second time in {}",
                path.display()
            );
        }
    }
    all
}

/// What stands in double quotes and looks like a message id.
fn quoted_ids(source: &str) -> BTreeSet<String> {
    let is_id = |text: &&str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_:".contains(c))
    };
    source.split('"').filter(is_id).map(str::to_owned).collect()
}

#[track_caller]
fn assert_known(ids: impl IntoIterator<Item = String>) {
    let locale = locale();
    let missing: Vec<String> = ids.into_iter().filter(|id| !locale.contains_key(id)).collect();
    assert!(missing.is_empty(), "the locale lacks {missing:?}");
}

#[test]
fn each_failure_says_what_happened_and_what_to_do() {
    assert_known(Code::ALL.iter().flat_map(|code| ["err", "rec"].map(|kind| format!("{kind}-{}", code.name()))));
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    for id in locale().keys() {
        if let Some(code) = id.strip_prefix("err-").or(id.strip_prefix("rec-")) {
            assert!(codes.contains(code), "{id} belongs to no failure");
        }
    }
}

#[test]
fn each_sentence_of_the_matcher_has_words() {
    assert_known(ReasonCode::ALL.iter().map(|code| format!("reason-{}", code.code())));
    // Ids that stand in the source as a whole; those that are put together are counted by the tests of `consent`.
    let said = quoted_ids(&sources("consent/src"));
    let starts = ["rule-", "reason-", "clause-", "question-", "result-", "contact-", "term-", "statement-"];
    let whole = |id: &String| starts.iter().any(|start| id.starts_with(start) && id.len() > start.len());
    assert_known(said.into_iter().filter(whole));
}

#[test]
fn each_step_in_the_activity_has_words() {
    let of_the_core = ["activity-", "history-", "fit-"];
    let said = quoted_ids(&sources("wallet/src")).into_iter();
    assert_known(said.filter(|id| of_the_core.iter().any(|start| id.starts_with(start))));
    let steps = "profile-created joined join-failed connected granted refused deferred asked-again withdrew sent recorded \
                 send-failed proof-saved proof-shared ask-declined ask-received invited checked asked log-forked \
                 log-key-changed confirmed failed";
    assert_known(steps.split_whitespace().map(|step| format!("activity-{step}")));
}

#[test]
fn each_check_of_a_proof_has_a_name() {
    let names = "size json context type proof-count suite purpose signer-is-issuer created expires challenge audience transaction-data \
                 valid-from valid-until signature claims holder ledger-entry ledger-record ledger-quorum ledger-live consent-decision";
    assert_known(names.split_whitespace().map(|name| format!("check-{name}")));
}

#[test]
fn each_message_that_a_screen_names_exists_and_none_is_left_over() {
    let source = sources("ui/src");
    // `t!("id"`, also over a line's end, but not `format!(…)` and not the examples in comments.
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let code = code.replace("format!(", "format(");
    let named = code.split("t!(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    assert_known(named.map(str::to_owned));

    // Ids that are put together: `format!("choose-{name}-text")` uses all that begin with `choose-`.
    let families: BTreeSet<&str> = source
        .split("format!(\"")
        .skip(1)
        .filter_map(|rest| rest.split('{').next())
        .filter(|start| start.ends_with('-') && start.len() > 3)
        .collect();
    let literal = quoted_ids(&source);
    let stages = ["keychain-absent", "keychain-locked", "key-missing", "key-foreign", "key-without-profile"];
    let used = |id: &String| {
        literal.contains(id)
            || stages.iter().any(|stage| id.starts_with(stage))
            || ["activity-", "history-", "fit-"].iter().any(|start| id.starts_with(start))
            || families.iter().any(|start| id.starts_with(start))
    };
    // A test of `consent` holds that nothing is left over in the words that the core shares.
    let shared: BTreeSet<String> = messages(&read(SHARED)).into_iter().map(|(id, _)| id).collect();
    let left_over: Vec<String> = locale().into_keys().filter(|id| !shared.contains(id) && !used(id)).collect();
    assert!(left_over.is_empty(), "no screen says {left_over:?}");
}

#[test]
fn each_role_and_each_kind_of_data_has_its_words() {
    let roles = Role::ALL.map(Role::name);
    let of_role = ["role-", "brand-", "choose-", "first-lead-", "first-answers-text-", "activity-lead-"];
    assert_known(roles.iter().flat_map(|role| of_role.map(|start| format!("{start}{role}"))));
    let of_kind = ["data-", "data-my-", "term-", "review-share-", "review-keep-"];
    assert_known(DataKind::ALL.iter().flat_map(|kind| of_kind.map(|start| format!("{start}{}", kind.code()))));
    let places = ["NL", "BE", "DE", "FR", "LU", "US", "EU"];
    assert_known(places.iter().flat_map(|place| ["place-", "term-"].map(|start| format!("{start}{place}"))));
}

#[test]
fn participants_read_short_sentences_of_grade_six_at_most() {
    // Of the shared words, reasons and duties are for researchers; terms and labels stand inside other sentences, which
    // the tests of `consent` read.
    let theirs = "rule clause question result contact answer state withdrawal effect direction statement";
    let theirs: Vec<&str> = theirs.split(' ').collect();
    let shared = messages(&read(SHARED));
    let shared = shared.into_iter().filter(|(id, _)| theirs.iter().any(|family| id.split('-').next() == Some(family)));
    let (mut all, mut too_hard) = (Vec::new(), Vec::new());
    let own = ["participant", "choices"].map(|file| messages(&read(&format!("ui/locales/en/{file}.ftl"))));
    for (id, value) in own.into_iter().flatten().chain(shared) {
        too_hard.extend(hard(&id, &value));
        all.extend(sentences(&value));
    }
    assert!(too_hard.is_empty(), "hard to read:\n{}", too_hard.join("\n"));
    assert!(grade(&all) <= 4.0, "the whole file has grade {:.1}", grade(&all));
}

/// The colours of a block of `tokens.css`, by name.
fn colours(block: &str) -> BTreeMap<String, [f64; 3]> {
    let parse = |line: &str| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": #")?;
        let number = u32::from_str_radix(value.trim_end_matches(';'), 16).ok()?;
        let part = |shift: u32| f64::from((number >> shift) & 0xff) / 255.0;
        Some((name.to_owned(), [part(16), part(8), part(0)]))
    };
    block.lines().filter_map(parse).collect()
}

/// Contrast as WCAG 2.2 defines it.
fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let light = |colour: [f64; 3]| {
        let [r, g, b] = colour.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (light(a), light(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_stands_out_from_its_ground_in_both_schemes() {
    let tokens = read("ui/style/tokens.css");
    let (light, dark) = tokens.split_once("prefers-color-scheme: dark").expect("a dark scheme");
    let light = colours(light);
    let dark: BTreeMap<_, _> = light.clone().into_iter().chain(colours(dark)).collect();
    assert_eq!(light.len(), colours(tokens.split_once("dark)").unwrap().1).len(), "each colour has its dark sister");
    let grounds = ["bg", "raised", "sunken"];
    let mut pairs: Vec<(&str, &str, f64)> = Vec::new();
    for ground in grounds {
        pairs.extend(["text", "soft", "accent", "ok", "stop", "wait"].map(|text| (text, ground, 4.5)));
        // Edges of controls and the focus ring are shapes, not text.
        pairs.extend(["edge", "focus"].map(|shape| (shape, ground, 3.0)));
    }
    pairs.push(("on-accent", "accent", 4.5));
    for ground in ["accent-ground", "ok-ground", "wait-ground", "stop-ground"] {
        pairs.extend(["text", "soft"].map(|text| (text, ground, 4.5)));
    }
    pairs.extend([("accent", "accent-ground", 4.5), ("ok", "ok-ground", 4.5), ("wait", "wait-ground", 4.5)]);
    pairs.push(("stop", "stop-ground", 4.5));
    let mut weak = Vec::new();
    for (scheme, colours) in [("light", &light), ("dark", &dark)] {
        for (text, ground, least) in &pairs {
            let found = contrast(colours[*text], colours[*ground]);
            if found < *least {
                weak.push(format!("{scheme}: {text} on {ground} has {found:.2}, needs {least}"));
            }
        }
    }
    assert!(weak.is_empty(), "{}", weak.join("\n"));
}

#[test]
fn the_page_keeps_the_strict_content_security_policy() {
    let page = read("ui/index.html");
    assert!(!page.contains("<style") && !page.contains("style="), "no inline style");
    for script in page.split("<script").skip(1) {
        let (head, body) = script.split_once('>').unwrap();
        assert!(head.contains(" src=") && body.starts_with("</script>"), "no inline script");
    }
    assert!(page.contains("lang=\"en\""), "a screen reader needs the language");
    for outside in ["http:", "https:", "//cdn"] {
        assert!(!page.contains(outside), "the page loads nothing from outside");
    }
    let source = sources("ui/src");
    for door in [" style=", "onload=", "innerHTML", "set_inner_html", "from_html_unchecked", "eval("] {
        assert!(!source.contains(door), "{door} goes around the policy");
    }
    for sheet in files("ui/style", ".css") {
        let sheet = fs::read_to_string(sheet).unwrap();
        assert!(!sheet.contains("@import") && !sheet.contains("http"), "styles load nothing from outside");
    }
}

#[test]
fn the_font_comes_with_its_licence() {
    assert!(read("ui/fonts/OFL.txt").contains("SIL Open Font License, Version 1.1"));
    let sheet = read("ui/style/app.css");
    for font in sheet.split("url(\"../").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(root().join("ui").join(font).is_file(), "{font} is missing");
    }
}
