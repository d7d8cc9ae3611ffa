//! The interface's words, colours and page, read as files: nothing is missing, hard to read or unsafe.

use bridge::{Code, Role};
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

/// The messages of a Fluent file: id, and everything up to the next id.
fn messages(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if line.starts_with([' ', '}']) {
            let (_, value) = found.last_mut().expect("a message begins with its id");
            value.push('\n');
            value.push_str(line);
        } else {
            let (id, value) = line.split_once(" = ").unwrap_or_else(|| panic!("not a message: {line}"));
            found.push((id.to_owned(), value.to_owned()));
        }
    }
    found
}

/// All messages of the locale; one id stands in one file only.
fn locale() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for path in files("ui/locales/en", ".ftl") {
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
    let ids = quoted_ids(&sources("consent/src"));
    let said: Vec<String> = ids.into_iter().filter(|id| id.starts_with("rule-") || id.starts_with("reason-")).collect();
    assert!(said.len() > 30, "the matcher says {} sentences: is its source read?", said.len());
    assert_known(said);
}

#[test]
fn each_step_in_the_activity_has_words() {
    assert_known(quoted_ids(&sources("wallet/src")).into_iter().filter(|id| id.starts_with("activity-")));
    let steps = "profile-created joined join-failed connected granted refused deferred asked-again withdrew sent recorded \
                 send-failed proof-saved proof-shared ask-declined ask-received invited checked asked log-forked failed";
    assert_known(steps.split_whitespace().map(|step| format!("activity-{step}")));
}

#[test]
fn each_check_of_a_proof_has_a_name() {
    let names = "size json context type proof-count suite purpose signer-is-issuer created expires challenge audience \
                 valid-from valid-until signature claims holder ledger-entry ledger-record ledger-live consent-decision";
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
            || ["rule-", "reason-", "activity-"].iter().any(|outside| id.starts_with(outside))
            || families.iter().any(|start| id.starts_with(start))
    };
    let left_over: Vec<String> = locale().into_keys().filter(|id| !used(id)).collect();
    assert!(left_over.is_empty(), "no screen says {left_over:?}");
}

#[test]
fn each_role_and_each_kind_of_data_has_its_words() {
    let roles = Role::ALL.map(Role::name);
    let of_role = ["role-", "brand-", "choose-", "first-lead-", "first-answers-text-", "activity-lead-"];
    assert_known(roles.iter().flat_map(|role| of_role.map(|start| format!("{start}{role}"))));
    let kinds = ["genome", "healthRecord", "survey", "sample", "imaging", "device"];
    let of_kind = ["data-", "data-my-", "term-", "review-share-", "review-keep-"];
    assert_known(kinds.iter().flat_map(|kind| of_kind.map(|start| format!("{start}{kind}"))));
    let places = ["NL", "BE", "DE", "FR", "LU", "US", "EU"];
    assert_known(places.iter().flat_map(|place| ["place-", "term-"].map(|start| format!("{start}{place}"))));
}

/// The sentences that a message can become: each variant of a choice on its own, gaps filled with a short word.
fn sentences(value: &str) -> Vec<String> {
    let mut texts = Vec::new();
    if value.contains("->") {
        texts.extend(value.lines().filter_map(|line| Some(line.split_once("] ")?.1.to_owned())));
    } else {
        texts.push(value.to_owned());
    }
    let without_gaps = texts.iter().map(|text| {
        let mut out = String::new();
        for (place, part) in text.split('{').enumerate() {
            match part.split_once('}') {
                Some((_, rest)) if place > 0 => {
                    out.push_str("it");
                    out.push_str(rest);
                }
                _ => out.push_str(part),
            }
        }
        out
    });
    without_gaps
        .flat_map(|text| text.split_inclusive(['.', '?', '!', ':']).map(str::to_owned).collect::<Vec<_>>())
        .map(|sentence| sentence.trim().to_owned())
        .filter(|sentence| sentence.chars().any(char::is_alphabetic))
        .collect()
}

fn words(sentence: &str) -> Vec<String> {
    sentence
        .split(|c: char| !c.is_alphanumeric() && c != '’' && c != '\'')
        .filter(|word| word.chars().any(char::is_alphabetic))
        .map(str::to_lowercase)
        .collect()
}

/// A rough count: groups of vowels, without a silent `e` or `ed` at the end.
fn syllables(word: &str) -> usize {
    let letters: Vec<char> = word.chars().filter(|c| c.is_ascii_alphabetic()).collect();
    let vowel = |c: char| "aeiouy".contains(c);
    let mut count =
        letters.iter().enumerate().filter(|(i, c)| vowel(**c) && (*i == 0 || !vowel(letters[i - 1]))).count();
    let text: String = letters.iter().collect();
    let silent = (text.ends_with('e') && !text.ends_with("le"))
        || (text.ends_with("ed") && !text.ends_with("ted") && !text.ends_with("ded"));
    if silent && count > 1 {
        count -= 1;
    }
    // "biobank" has two vowels where "action" has one.
    let apart = text.match_indices("io").filter(|(i, _)| !text[..*i].ends_with(['t', 's', 'c', 'x'])).count();
    (count + apart).max(1)
}

fn grade(sentences: &[String]) -> f64 {
    let words: Vec<String> = sentences.iter().flat_map(|sentence| words(sentence)).collect();
    let syllables: usize = words.iter().map(|word| syllables(word)).sum();
    let count = words.len() as f64;
    0.39 * count / sentences.len() as f64 + 11.8 * syllables as f64 / count - 15.59
}

#[test]
fn participants_read_short_sentences_of_grade_six_at_most() {
    let rules = messages(&read("ui/locales/en/consent.ftl")).into_iter().filter(|(id, _)| id.starts_with("rule-"));
    let mut all = Vec::new();
    let mut hard = Vec::new();
    for (id, value) in messages(&read("ui/locales/en/participant.ftl")).into_iter().chain(rules) {
        let sentences = sentences(&value);
        for sentence in &sentences {
            let length = words(sentence).len();
            if length > 15 {
                hard.push(format!("{id}: {length} words: {sentence}"));
            }
        }
        // The formula is made for running text: on a label of two words it measures only the words.
        let length: usize = sentences.iter().map(|sentence| words(sentence).len()).sum();
        if length >= 6 && grade(&sentences) > 6.0 {
            hard.push(format!("{id}: grade {:.1}: {}", grade(&sentences), sentences.join(" ")));
        }
        all.extend(sentences);
    }
    assert!(hard.is_empty(), "hard to read:\n{}", hard.join("\n"));
    assert!(grade(&all) <= 4.0, "the whole file has grade {:.1}", grade(&all));
}

#[test]
fn the_counter_of_grades_agrees_with_plain_and_with_hard_text() {
    assert_eq!(["key", "biobank", "answer", "recorded", "shared", "people"].map(syllables), [1, 3, 2, 3, 1, 2]);
    let plain = sentences("You can stop at any time. Your care stays the same.");
    let hard = sentences("Participation necessitates comprehensive authorisation of pseudonymised information.");
    assert!(grade(&plain) < 3.0 && grade(&hard) > 12.0);
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
