//! `consentctl key`, `pair` and `call` against a real biobank: what everybody without a window does from a terminal.

use proof::{Biobankd, program};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

struct Terminal {
    root: tempfile::TempDir,
    biobank: Biobankd,
}

/// Exit status, standard output, standard error.
type Said = (i32, String, String);

fn consentctl(arguments: &[&str], input: &str) -> Said {
    let mut child = Command::new(program("CONSENTCTL", "consentctl"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who fails beforehand reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

impl Terminal {
    fn open() -> Self {
        let root = tempfile::tempdir().unwrap();
        let biobank = Biobankd::start(&root.path().join("biobank")).unwrap();
        Self { root, biobank }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A new key; its DID.
    fn key(&self, name: &str) -> String {
        let (status, did, told) = consentctl(&["key", "make", path(&self.file(name))], "");
        assert_eq!(status, 0, "{told}");
        assert!(did.starts_with("did:key:z6Mk") && did.ends_with('\n'), "{did}");
        did.trim().to_owned()
    }

    fn pair(&self, key: &str, code: &str, input: &str) -> Said {
        consentctl(&["pair", "--key", path(&self.file(key)), "--ledger", &self.biobank.address(), code], input)
    }

    /// A new key with an account, by a code of the demo.
    fn paired(&self, key: &str, code: &str) -> String {
        let did = self.key(key);
        let code = self.biobank.told()[code].as_str().unwrap().to_owned();
        let (status, said, told) = self.pair(key, &code, "");
        assert_eq!(status, 0, "{said}{told}");
        did
    }

    fn call(&self, key: &str, method: &str, route: &str, body: Option<&Value>) -> Said {
        self.call_with(key, method, route, body, &[])
    }

    fn call_with(&self, key: &str, method: &str, route: &str, body: Option<&Value>, more: &[&str]) -> Said {
        let (key, url) = (self.file(key), format!("{}{route}", self.biobank.address()));
        let mut arguments = vec!["call", "--key", path(&key), method, &url];
        arguments.extend(more);
        if body.is_some() {
            arguments.extend(["--body", "-"]);
        }
        consentctl(&arguments, &body.map(Value::to_string).unwrap_or_default())
    }

    /// What is granted.
    fn granted(&self, key: &str, method: &str, route: &str, body: Option<&Value>) -> Value {
        let (status, said, told) = self.call(key, method, route, body);
        assert_eq!(status, 0, "{method} {route}: {said}{told}");
        if said.is_empty() { Value::Null } else { json_of(&said) }
    }

    /// The code of what is refused.
    fn refused(&self, key: &str, method: &str, route: &str) -> String {
        let (status, said, told) = self.call(key, method, route, None);
        assert_eq!(status, 1, "{method} {route}: {said}{told}");
        json_of(&said)["code"].as_str().unwrap().to_owned()
    }
}

fn today() -> String {
    wallet::now().date().to_string()
}

#[test]
fn a_key_is_made_once_and_read_by_its_owner_alone() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("staff.key");
    let (status, did, _) = consentctl(&["key", "make", path(&file)], "");
    assert_eq!(status, 0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.trim_end().len(), 64);
    let (status, said, told) = consentctl(&["key", "make", path(&file)], "");
    assert_eq!((status, said.as_str()), (4, ""), "{told}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "a key is never written over");
    assert_eq!(consentctl(&["key", "show", path(&file)], "").1, did);
    let other = root.path().join("other.key");
    assert_ne!(consentctl(&["key", "make", path(&other)], "").1, did);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        mode(0o640);
        let call = ["call", "--key", path(&file), "GET", "http://127.0.0.1:9/v1/donors"];
        for arguments in [&["key", "show", path(&file)][..], &call] {
            let (status, said, told) = consentctl(arguments, "");
            assert_eq!((status, said.as_str()), (4, ""), "{arguments:?}");
            assert!(told.contains("chmod 600"), "{told}");
        }
        mode(0o600);
    }
    for wrong in ["", "00", &"0".repeat(65), &"x".repeat(64)] {
        std::fs::write(&other, wrong).unwrap();
        assert_eq!(consentctl(&["key", "show", path(&other)], "").0, 4, "{wrong:?}");
    }
    assert_eq!(consentctl(&["key", "show", path(&root.path().join("none"))], "").0, 4);
}

#[test]
fn staff_do_from_a_terminal_what_has_no_button() {
    let terminal = Terminal::open();
    terminal.paired("staff.key", "staffCode");
    // Codes for others: the printed code is one that pairs.
    let wanted = json!({ "role": "auditor", "organisation": "https://audit.example", "organisationName": "Audit" });
    let made = terminal.granted("staff.key", "POST", "/v1/pairing-codes", Some(&wanted));
    terminal.key("auditor.key");
    let code = made["code"].as_str().unwrap();
    let (status, said, told) = terminal.pair("auditor.key", "-", &format!("{code}\n"));
    assert_eq!(status, 0, "{said}{told}");
    assert_eq!(json_of(&said)["role"], "auditor");
    terminal.key("late.key");
    let (status, said, told) = terminal.pair("late.key", code, "");
    assert_eq!((status, json_of(&said)["code"].as_str()), (1, Some("code-used")), "{told}");
    assert!(told.contains("consentctl: 4"), "the status is told apart from the answer: {told}");
    assert_eq!(terminal.pair("late.key", "AAAA-AAAA", "").0, 1);
    assert_eq!(terminal.refused("auditor.key", "POST", "/v1/pairing-codes"), "not-allowed");

    // Webhooks: made, looked at with their dead letters, tried again, taken away.
    let hook = json!({ "url": "https://holder.example/hook", "events": ["consent-withdraw"] });
    let id = terminal.granted("staff.key", "POST", "/v1/webhooks", Some(&hook))["id"].as_str().unwrap().to_owned();
    let hooks = terminal.granted("staff.key", "get", "/v1/webhooks", None);
    let row = &hooks["webhooks"][0];
    assert_eq!((row["id"].as_str(), &row["dead"], &row["deadLetters"]), (Some(id.as_str()), &json!(0), &json!([])));
    assert_eq!(terminal.refused("auditor.key", "GET", "/v1/webhooks"), "not-allowed");
    assert_eq!(terminal.granted("staff.key", "POST", &format!("/v1/webhooks/{id}/retry"), None), Value::Null);
    assert_eq!(terminal.granted("staff.key", "DELETE", &format!("/v1/webhooks/{id}"), None), Value::Null);
    assert_eq!(terminal.granted("staff.key", "GET", "/v1/webhooks", None)["webhooks"], json!([]));

    // A capability for a program, in the file as it was printed and by itself; for this program only.
    let holder = terminal.key("program.key");
    let wanted = json!({ "holder": holder, "actions": ["listDonors"], "resource": "/v1/donors", "seconds": 600 });
    let made = terminal.granted("staff.key", "POST", "/v1/capabilities", Some(&wanted));
    let (answer, bare) = (terminal.file("answer.json"), terminal.file("bare.jws"));
    std::fs::write(&answer, made.to_string()).unwrap();
    std::fs::write(&bare, format!("{}\n", made["capability"].as_str().unwrap())).unwrap();
    for file in [&answer, &bare] {
        let (status, said, told) =
            terminal.call_with("program.key", "GET", "/v1/donors", None, &["--capability", path(file)]);
        assert_eq!(status, 0, "{said}{told}");
        assert_eq!(json_of(&said)["donors"], json!([]));
        let (status, ..) = terminal.call_with("late.key", "GET", "/v1/donors", None, &["--capability", path(file)]);
        assert_eq!(status, 1, "it is made for another key");
    }
    assert_eq!(terminal.call("program.key", "GET", "/v1/donors", None).0, 1, "without it the key is a stranger");
    let broken = terminal.file("broken");
    std::fs::write(&broken, "two words").unwrap();
    assert_eq!(terminal.call_with("program.key", "GET", "/v1/donors", None, &["--capability", path(&broken)]).0, 4);
}

#[test]
fn committee_auditor_and_member_of_the_demo_get_as_far_as_their_roles_go() {
    let mut terminal = Terminal::open();
    for (key, code) in [
        ("staff.key", "staffCode"),
        ("committee.key", "committeeCode"),
        ("auditor.key", "auditorCode"),
        ("member.key", "memberCode"),
    ] {
        terminal.paired(key, code);
    }
    assert_eq!(terminal.granted("committee.key", "GET", "/v1/access-requests", None)["requests"], json!([]));
    assert_eq!(terminal.refused("member.key", "GET", "/v1/access-requests"), "not-allowed");
    // The query is signed with the rest.
    let set = format!("/v1/snapshots/heart-rhythm/{}?from=0", today());
    assert_eq!(terminal.granted("auditor.key", "GET", &set, None)["pseudonyms"].as_array().unwrap().len(), 64);
    let proofs = format!("/v1/snapshots/heart-rhythm/{}/proofs?from=60", today());
    assert_eq!(terminal.granted("auditor.key", "GET", &proofs, None)["leaves"].as_array().unwrap().len(), 4);
    for key in ["committee.key", "member.key", "staff.key"] {
        assert_eq!(terminal.refused(key, "GET", &set), "not-allowed", "{key}");
    }
    assert_eq!(terminal.granted("member.key", "GET", "/v1/mailbox", None)["letters"], json!([]));
    // What can not be asked: nobody there, a body that is not, an address that is not safe.
    terminal.biobank.kill();
    let (status, said, told) = terminal.call("auditor.key", "GET", &set, None);
    assert_eq!((status, said.as_str()), (4, ""), "{told}");
    let key = terminal.file("auditor.key");
    let call = ["call", "--key", path(&key), "POST", "http://127.0.0.1:9/v1/pair", "--body", "no such file"];
    assert_eq!(consentctl(&call, "").0, 4);
    assert_eq!(consentctl(&["call", "--key", path(&key), "GET", "http://biobank.example/v1/donors"], "").0, 2);
}

fn sha256(text: &str) -> String {
    hex::encode(identity::sha256(text.as_bytes()))
}

#[test]
fn a_researcher_asks_and_a_committee_decides_in_the_log_from_a_terminal() {
    let terminal = Terminal::open();
    terminal.paired("researcher.key", "researcherCode");
    terminal.paired("committee.key", "committeeCode");
    let signed = |key: &str, kind: &str, said: &Value| {
        consentctl(&["ledger", "entry", "--key", path(&terminal.file(key)), kind, "-"], &said.to_string())
    };
    let entry = |key: &str, kind: &str, said: &Value| {
        let (status, entry, told) = signed(key, kind, said);
        assert_eq!(status, 0, "{told}");
        entry.trim_end().to_owned()
    };
    let studies = terminal.granted("researcher.key", "GET", "/v1/studies", None);
    let read = |jws: &Value| identity::verify_jws(jws.as_str().unwrap()).unwrap().payload;
    let all: Vec<Value> = studies["studies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|jws| json_of(&String::from_utf8(read(jws)).unwrap()))
        .collect();
    let study = all.iter().find(|study| study["id"] == "heart-rhythm").unwrap();
    let purpose = &study["purpose"];
    let hash = sha256(&String::from_utf8(identity::to_canonical(purpose).unwrap()).unwrap());
    let asks = json!({
        "organisation": study["organisation"]["id"], "purpose": hash, "study": "heart-rhythm", "version": study["version"],
    });
    let asked = entry("researcher.key", "access-request", &asks);
    let body = json!({ "entry": asked, "purpose": purpose });
    let request = terminal.granted("researcher.key", "POST", "/v1/access-requests", Some(&body));
    let request = request["hash"].as_str().unwrap();
    let open = terminal.granted("committee.key", "GET", "/v1/access-requests", None);
    assert_eq!((&open["requests"][0]["hash"], &open["requests"][0]["outcome"]), (&json!(request), &Value::Null));

    let reasons = "Approved at the meeting of 26 November.";
    let says = json!({ "outcome": "permit", "reasons": sha256(reasons), "request": request, "until": today() });
    let route = format!("/v1/access-requests/{request}/decision");
    let decided = json!({ "entry": entry("committee.key", "access-decision", &says), "reasons": reasons });
    // What a researcher says about the own request is not the committee's word.
    let own = json!({ "entry": entry("researcher.key", "access-decision", &says), "reasons": reasons });
    for (key, body) in [("researcher.key", &own), ("committee.key", &own)] {
        let (status, said, _) = terminal.call(key, "POST", &route, Some(body));
        assert_eq!((status, json_of(&said)["code"].as_str()), (1, Some("not-allowed")), "{key}");
    }
    assert_eq!(terminal.call("researcher.key", "POST", "/v1/entries", Some(&json!(own["entry"]))).0, 1);
    terminal.granted("committee.key", "POST", &route, Some(&decided));
    let answered = terminal.granted("researcher.key", "GET", "/v1/access-requests", None);
    assert_eq!(answered["requests"][0]["outcome"], json!("permit"));

    // What makes no entry is not signed.
    for (kind, said, status) in [
        ("access-decision", json!({ "outcome": "maybe", "reasons": sha256(""), "request": request }), 4),
        ("access-decision", json!({ "outcome": "deny", "reasons": sha256(""), "request": request, "more": 1 }), 4),
        ("access-decision", json!([]), 4),
        ("access-decision", json!({ "outcome": "deny", "reasons": "x".repeat(1 << 20), "request": request }), 4),
        ("institution-key", json!({}), 2),
        ("nothing", json!({}), 2),
    ] {
        let (code, said, told) = signed("committee.key", kind, &said);
        assert_eq!((code, said.as_str()), (status, ""), "{kind}: {told}");
    }
}
