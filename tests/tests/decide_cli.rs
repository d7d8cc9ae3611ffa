//! `consentctl decide` as pipelines use it: one line in, one line out, and nothing that a line says stops the others.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may the functions beside it")]

use proof::program;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// What became of the input: each line of the output, the exit status, and what was said beside.
struct Told {
    lines: Vec<Value>,
    text: String,
    status: i32,
    aside: String,
}

fn decide(arguments: &[&str], input: &[u8]) -> Told {
    let mut command = Command::new(program("CONSENTCTL", "consentctl"));
    command.arg("decide").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    let input = input.to_vec();
    // Beside the reading: both pipes are smaller than what goes through them. A command that never reads is not a
    // failure of this thread.
    let writing = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = running.wait_with_output().unwrap();
    writing.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    Told {
        lines: text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        text,
        status: output.status.code().unwrap(),
        aside: String::from_utf8(output.stderr).unwrap(),
    }
}

fn lines(of: &[Value]) -> Vec<u8> {
    of.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

fn decisions(told: &Told) -> Vec<&str> {
    told.lines.iter().map(|line| line["decision"].as_str().unwrap_or("error")).collect()
}

/// The codes of a line's reasons.
fn codes(line: &Value) -> Vec<&str> {
    line["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap()).collect()
}

/// Four diseases in the form of the publishers: cancer over carcinoma over colon carcinoma, and diabetes beside them.
const DISEASES: &str = "format-version: 1.2\ndata-version: 2026-01-01\n\n\
    [Term]\nid: DOID:162\nname: cancer\n\n\
    [Term]\nid: DOID:305\nname: carcinoma\nis_a: DOID:162\n\n\
    [Term]\nid: DOID:1520\nname: colon carcinoma\nis_a: DOID:305\n\n\
    [Term]\nid: DOID:9351\nname: diabetes mellitus\n";

/// A line with everything in it that a line can have.
fn full() -> Value {
    json!({"id": "1", "at": "2026-11-22",
        "policy": {"permissions": ["DS"], "diseases": ["DOID:162"],
            "modifiers": [{"code": "NPU"}, {"code": "GS", "places": ["NL", "BE"]}, {"code": "TS", "months": 24},
                {"code": "MOR", "date": "2027-01-01"}, {"code": "IS", "institutions": ["https://ror.org/05xvt9f17"]},
                {"code": "US", "users": ["https://orcid.org/0000-0002-1825-0097"]},
                {"code": "PS", "projects": ["P-17"]}, {"code": "RS", "topics": ["pediatric"]}, {"code": "NMDS"},
                {"code": "NCTRL"}, {"code": "NAGR"}, {"code": "IRB"}, {"code": "PUB"}],
            "answers": {"controls": "yes", "aggregate": "undecided", "aiTraining": "no"},
            "issued": "2026-01-01", "status": "active"},
        "purpose": {"topics": ["DS"], "diseases": ["DOID:1520"], "commercial": false,
            "organisation": {"id": "https://ror.org/05xvt9f17", "kind": "nonProfit"}, "places": ["NL"],
            "publishesOn": "2027-06-01",
            "ethicsApproval": {"committee": "METC", "number": "M-1", "validUntil": "2027-12-31"},
            "users": ["https://orcid.org/0000-0002-1825-0097"], "project": "P-17", "genetic": true,
            "sensitive": ["pediatric"]}})
}

#[test]
fn a_line_with_everything_is_permitted_with_its_reasons_and_duties() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("diseases.obo");
    std::fs::write(&file, DISEASES).unwrap();
    let own = ["--ontology", file.to_str().unwrap()];

    let told = decide(&own, &lines(&[full()]));
    assert_eq!((told.lines.len(), told.status, told.aside.as_str()), (1, 0, ""), "{}", told.text);
    let answer = &told.lines[0];
    assert_eq!((&answer["id"], &answer["decision"]), (&json!("1"), &json!("permit")), "{answer}");
    let covered = json!({"outcome": "permit", "code": "disease-covered", "policy": "DS", "purpose": "DOID:1520"});
    assert!(answer["reasons"].as_array().unwrap().contains(&covered), "{answer}");
    assert_eq!(answer["duties"], json!([{"code": "IRB"}, {"code": "PUB"}]));
    assert!(answer["evaluated"].as_array().unwrap().contains(&json!("DOID:1520")));

    // More than one disease is more than the donor said; another disease, too. A melanoma is a cancer, in MONDO.
    let mut wide = full();
    wide["purpose"]["topics"] = json!(["HMB", "DS", "POA", "GRU", "methods", "controls", "aggregate"]);
    let mut other = full();
    other["purpose"]["diseases"] = json!(["DOID:9351"]);
    let mut mondo = full();
    mondo["policy"]["diseases"] = json!(["MONDO:0045024"]);
    mondo["purpose"]["diseases"] = json!(["MONDO:0005105"]);
    let mut mixed = full();
    mixed["purpose"]["diseases"] = json!(["MONDO:0005105"]);
    let told = decide(&own, &lines(&[wide, other, mondo.clone(), mixed]));
    assert_eq!(decisions(&told), ["deny", "deny", "permit", "review"], "{}", told.text);

    // Without the file nobody knows its diseases; the hierarchy that is built in is there all the same.
    let told = decide(&[], &lines(&[full(), mondo]));
    assert_eq!(decisions(&told), ["review", "permit"], "{}", told.text);
    assert!(codes(&told.lines[0]).contains(&"disease-unknown"));
}

#[test]
fn bad_lines_are_told_by_number_and_the_rest_goes_on() {
    let good = |id: u32| json!({"id": id, "policy": {"permissions": ["GRU"]}, "purpose": {"topics": ["HMB"]}});
    let deep =
        |id: &str| format!(r#"{{"id":"{id}","policy":{{"x":{}{}}},"purpose":{{}}}}"#, "[".repeat(400), "]".repeat(400));
    let bad: [(String, &str, Value); 15] = [
        ("nonsense".into(), "not JSON", json!(null)),
        ("{\"id\":2,\"policy\":{".into(), "not JSON", json!(2)),
        ("[1,2]".into(), "invalid type", json!(null)),
        ("7".into(), "invalid type", json!(null)),
        (r#"{"id":"a","policy":{},"purpose":{}} {}"#.into(), "not JSON", json!("a")),
        (r#"{"id":"b","policy":{}}"#.into(), "there is no purpose", json!("b")),
        (r#"{"purpose":{},"id":"c"}"#.into(), "there is no policy", json!("c")),
        (r#"{"id":"d","policy":null,"purpose":{}}"#.into(), "invalid type", json!("d")),
        (r#"{"id":"e","policy":{},"policy":{},"purpose":{}}"#.into(), "twice", json!("e")),
        (
            r#"{"id":"f","policy":{"permissions":["HMB"],"permissions":["GRU"]},"purpose":{}}"#.into(),
            "twice",
            json!("f"),
        ),
        (r#"{"id":"g","at":"tomorrow","policy":{},"purpose":{}}"#.into(), "date", json!("g")),
        (r#"{"id":["h"],"policy":{},"purpose":{}}"#.into(), "an id is", json!(null)),
        (r#"{"id":"i","policy":{"diseases":"MONDO:0004992"},"purpose":{}}"#.into(), "expected a list", json!("i")),
        (deep("j"), "inside of each other", json!(null)),
        (
            format!(r#"{{"id":"k","policy":{{"x":"{}"}},"purpose":{{}}}}"#, "x".repeat(2 << 20)),
            "longer than",
            json!(null),
        ),
    ];
    let mut input = Vec::new();
    for (n, (line, ..)) in bad.iter().enumerate() {
        input.extend(format!("{}\n\n{line}\n", good(n as u32)).into_bytes());
    }
    input.extend(b"{\"id\":\"\xff\",\"policy\":{},\"purpose\":{}}\n");
    input.extend(good(99).to_string().into_bytes());
    let told = decide(&[], &input);
    assert_eq!(told.status, 1);
    assert_eq!(told.lines.len(), 2 * bad.len() + 2);
    for (n, (line, error, id)) in bad.iter().enumerate() {
        let (before, after) = (&told.lines[2 * n], &told.lines[2 * n + 1]);
        assert_eq!((&before["id"], &before["decision"]), (&json!(n), &json!("permit")));
        assert_eq!(after["line"], json!(3 * n + 3), "{after}");
        assert_eq!(after.get("decision"), None);
        let said = after["error"].as_str().unwrap();
        assert!(said.contains(error), "{}: {said}", &line[..line.len().min(80)]);
        assert!(said.chars().count() <= 200);
        if !id.is_null() {
            assert_eq!(&after["id"], id);
        }
    }
    let not_text = &told.lines[2 * bad.len()];
    assert!(not_text["error"].as_str().unwrap().contains("UTF-8"), "{not_text}");
    assert_eq!(told.lines.last().unwrap()["id"], json!(99), "the last line has no newline");
}

#[test]
fn lines_that_would_multiply_are_refused_and_not_worked_on() {
    // A megabyte each; compared term by term they would take minutes, or tens of gigabytes.
    let many = |term: &str, count: usize| json!(vec![term; count]);
    let input = [
        json!({"id": 1, "policy": {"permissions": many("GRU", 90_000)}, "purpose": {"topics": many("GRU", 10_000)}}),
        json!({"id": 2, "policy": {"permissions": ["GRU"], "modifiers": [{"code": "GS", "places": ["x".repeat(500_000)]}]},
            "purpose": {"topics": ["GRU"], "places": many("", 900)}}),
        json!({"id": 3, "policy": {"permissions": ["DS"], "diseases": many("MONDO:0004992", 20_000)},
            "purpose": {"topics": ["DS"], "diseases": many("MONDO:0005015", 20_000)}}),
        json!({"id": 4, "policy": {"permissions": ["DS"], "diseases": many("MONDO:0004992", 900)},
            "purpose": {"topics": ["DS"], "diseases": many("MONDO:0005015", 900)}}),
    ];
    let told = decide(&[], &lines(&input));
    assert_eq!(decisions(&told), ["error", "error", "error", "deny"]);
}

#[test]
fn what_is_not_understood_goes_to_review() {
    let general = json!({"topics": ["GRU"]});
    let permits = json!({"permissions": ["GRU"]});
    let input = [
        json!({"policy": permits, "purpose": general}),
        json!({"policy": {"permissions": ["GRU", "XYZ"]}, "purpose": general}),
        json!({"policy": {"permissions": ["GRU"], "modifiers": [{"code": "XYZ"}]}, "purpose": general}),
        json!({"policy": {"permissions": ["GRU"], "modifiers": [{"code": "GS"}]}, "purpose": general}),
        json!({"policy": {"permissions": ["GRU"], "xyz": [[1]]}, "purpose": general}),
        json!({"policy": permits, "purpose": {"topics": ["GRU", "XYZ"]}}),
        json!({"policy": permits, "purpose": {"topics": ["GRU"], "organisation": {"kind": "xyz"}}}),
        json!({"policy": permits, "purpose": general, "status": "withdrawn"}),
        json!({"policy": permits, "purpose": {"topics": ["DS"], "diseases": ["DOID:162"]}}),
    ];
    let told = decide(&[], &lines(&input));
    let expected = ["permit", "review", "review", "review", "review", "review", "review", "review", "review"];
    assert_eq!(decisions(&told), expected, "{}", told.text);
    assert_eq!(told.status, 0, "a review is an answer");
    assert!(told.lines[1..8].iter().all(|line| codes(line).contains(&"unknown-term")), "{}", told.text);
}

#[test]
fn an_id_comes_back_as_it_came() {
    let ids = [r#""a \u00e9 b""#, "1.50", "1e3", "123456789012345678901234567890", "true", "null", "-0"];
    let input: String = ids
        .iter()
        .map(|id| {
            format!(
                "{{\"policy\":{{\"permissions\":[\"GRU\"]}},\"id\" : {id} ,\"purpose\":{{\"topics\":[\"GRU\"]}}}}\r\n"
            )
        })
        .collect();
    let told = decide(&[], input.as_bytes());
    for (id, line) in ids.iter().zip(told.text.lines()) {
        assert!(line.starts_with(&format!("{{\"id\":{id},\"decision\":\"permit\"")), "{line}");
    }
    let none = decide(&[], b"{\"policy\":{},\"purpose\":{}}\n");
    assert_eq!(none.lines[0].get("id"), None);
}

#[test]
fn a_facet_is_looked_at_without_topics() {
    let line = json!({"policy": {"modifiers": [{"code": "NPU"}]}, "purpose": {"organisation": {"kind": "nonProfit"}}});
    let company =
        json!({"policy": {"modifiers": [{"code": "NPU"}]}, "purpose": {"organisation": {"kind": "commercial"}}});
    let input = lines(&[line, company]);
    assert_eq!(decisions(&decide(&["--facet"], &input)), ["permit", "deny"]);
    assert_eq!(decisions(&decide(&[], &input)), ["deny", "deny"]);
}

#[test]
fn the_day_is_the_one_that_the_line_names_in_utc() {
    let on = |at: Value| json!({"at": at, "policy": {"permissions": ["GRU"], "until": "2026-11-22"}, "purpose": {"topics": ["GRU"]}});
    let input = [
        on(json!("2026-11-22")),
        on(json!("2026-11-23")),
        on(json!("2026-11-22T23:59:59Z")),
        on(json!("2026-11-22T23:30:00-01:00")),
        on(json!("2026-11-23T00:30:00+01:00")),
    ];
    assert_eq!(decisions(&decide(&[], &lines(&input))), ["permit", "deny", "permit", "deny", "permit"]);
    // Today lies after a day long past, and before one far ahead.
    let until = |day: &str| json!({"policy": {"permissions": ["GRU"], "until": day}, "purpose": {"topics": ["GRU"]}});
    assert_eq!(decisions(&decide(&[], &lines(&[until("2020-01-01"), until("9999-12-31")]))), ["deny", "permit"]);
}

/// The list of answers that the most used matcher gets wrong, in the order in which it is kept.
#[test]
fn none_of_the_known_wrong_answers_is_given() {
    let cancer = json!(["MONDO:0004992"]);
    let line = |policy: Value, purpose: Value| json!({"at": "2026-11-22", "policy": policy, "purpose": purpose});
    let ds = json!({"permissions": ["DS"], "diseases": cancer});
    let full = |modifiers: Value| json!({"permissions": ["HMB"], "modifiers": modifiers});
    let five = json!([{"code": "GS", "places": ["US"]}, {"code": "IRB"}, {"code": "COL"}, {"code": "MOR", "date": "2027-01-01"},
        {"code": "GSO"}]);
    let proven = json!({"topics": ["HMB"], "places": ["US"], "publishesOn": "2027-06-01", "genetic": true,
        "ethicsApproval": {"committee": "C", "number": "1", "validUntil": "2027-12-31"}});
    let input = [
        line(ds.clone(), json!({"topics": ["GRU"]})),
        line(json!({"permissions": ["POA"]}), json!({"topics": ["GRU"]})),
        line(json!({}), json!({"topics": ["GRU"]})),
        line(
            json!({"permissions": ["DS"], "diseases": cancer, "modifiers": [{"code": "NMDS"}]}),
            json!({"topics": ["methods"]}),
        ),
        line(full(five.clone()), json!({"topics": ["HMB"]})),
        line(full(five), proven),
        line(
            json!({"permissions": ["HMB", "DS"], "diseases": cancer}),
            json!({"topics": ["DS"], "diseases": ["MONDO:0005015"]}),
        ),
        line(ds, json!({"topics": ["HMB"], "sensitive": ["pediatric"]})),
        line(full(json!([{"code": "NPU"}])), json!({"topics": ["HMB"]})),
    ];
    let told = decide(&[], &lines(&input));
    let expected = ["deny", "deny", "deny", "deny", "review", "permit", "review", "deny", "deny"];
    assert_eq!(decisions(&told), expected, "{}", told.text);
    assert_eq!(told.lines[5]["duties"], json!([{"code": "COL"}, {"code": "IRB"}]));
}

#[test]
fn five_thousand_lines_keep_their_order() {
    let line = |n: usize| {
        let permission = ["GRU", "HMB", "POA"][n % 3];
        let places: Vec<&str> = std::iter::repeat_n("NL", n % 97).collect();
        json!({"id": n, "policy": {"permissions": [permission]}, "purpose": {"topics": ["HMB"], "places": places}})
    };
    let input: Vec<Value> = (0..5_000).map(line).collect();
    let told = decide(&[], &lines(&input));
    assert_eq!((told.lines.len(), told.status), (5_000, 0));
    for (n, answer) in told.lines.iter().enumerate() {
        assert_eq!(answer["id"], json!(n));
        assert_eq!(answer["decision"], json!(["permit", "permit", "deny"][n % 3]), "{answer}");
    }
}

#[test]
fn wrong_arguments_and_unusable_hierarchies_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("diseases.obo");
    std::fs::write(&file, "this is no hierarchy\n").unwrap();
    let line = lines(&[full()]);
    for (arguments, word) in [
        (vec!["--ontology", file.to_str().unwrap()], "diseases.obo: the file is neither OBO nor a table"),
        (vec!["--ontology", "no such file"], "no such file: "),
        (vec!["--ontology"], "--ontology"),
        (vec!["--fascet"], "--fascet"),
    ] {
        let told = decide(&arguments, &line);
        assert_eq!((told.status, told.text.as_str()), (2, ""), "{arguments:?}");
        assert!(told.aside.contains(word), "{arguments:?}: {}", told.aside);
    }
    let nothing = decide(&[], b"");
    assert_eq!((nothing.status, nothing.text.as_str(), nothing.aside.as_str()), (0, "", ""));
}

#[test]
fn a_line_is_answered_while_the_input_stays_open_and_a_closed_output_ends_it_quietly() {
    let mut command = Command::new(program("CONSENTCTL", "consentctl"));
    command.arg("decide").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    let mut answers = BufReader::new(running.stdout.take().unwrap());
    for _ in 0..3 {
        stdin.write_all(&lines(&[full()])).unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert!(answer.starts_with("{\"id\":\"1\",\"decision\":"), "{answer}");
    }
    drop(answers);
    stdin.write_all(&lines(&[full()])).unwrap();
    // The input is still open: it ends because nobody reads.
    let output = running.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
    drop(stdin);
}
