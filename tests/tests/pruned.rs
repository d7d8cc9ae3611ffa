//! A log that its operator pruned, and what readers are told of it.

use proof::{Biobankd, program};
use std::path::Path;
use std::process::Command;

/// Exit status, standard output, standard error.
type Said = (Option<i32>, String, String);

fn run(variable: &str, name: &str, arguments: &[&str]) -> Said {
    let run = Command::new(program(variable, name)).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (run.status.code(), text(run.stdout), text(run.stderr))
}

fn consentctl(arguments: &[&str]) -> Said {
    run("CONSENTCTL", "consentctl", arguments)
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_of_a_pruned_log_hear_what_can_be_checked_and_what_can_not() {
    let scratch = tempfile::tempdir().unwrap();
    let mut biobank = Biobankd::start(&scratch.path().join("biobank")).unwrap();
    let (address, data) = (biobank.address(), biobank.dir.clone());
    // A holder of data who can not be reached waits for consents.
    let key = scratch.path().join("staff.key");
    assert_eq!(consentctl(&["key", "make", path(&key)]).0, Some(0));
    let code = biobank.told()["staffCode"].as_str().unwrap().to_owned();
    assert_eq!(consentctl(&["pair", "--key", path(&key), "--ledger", &address, &code]).0, Some(0));
    let call = |method: &str, route: &str, body: Option<serde_json::Value>| {
        let (file, url) = (scratch.path().join("body"), format!("{address}{route}"));
        std::fs::write(&file, body.as_ref().map(ToString::to_string).unwrap_or_default()).unwrap();
        let more = if body.is_some() { vec!["--body", path(&file)] } else { Vec::new() };
        let (status, said, told) = consentctl(&[&["call", "--key", path(&key), method, &url], &more[..]].concat());
        assert_eq!(status, Some(0), "{said}{told}");
        serde_json::from_str::<serde_json::Value>(&said).unwrap()
    };
    let hook = serde_json::json!({ "url": "https://holder.example/hook", "events": ["consent-grant"] });
    call("POST", "/v1/webhooks", Some(hook));
    let code = serde_json::json!({ "role": "staff", "organisation": "https://b.example", "organisationName": "Load" });
    let code = call("POST", "/v1/pairing-codes", Some(code))["code"].as_str().unwrap().to_owned();
    let load = ["load", "--ledger", &address, "--staff-code", &code, "--entries", "300", "--batch", "64"];
    let (status, said, told) = consentctl(&[&load[..], &["--connections", "2", "--subjects", "12"]].concat());
    assert_eq!(status, Some(0), "{said}{told}");
    // The policy enters the log at the next start; then the log may be pruned.
    biobank.kill();
    let policy = data.join("retention.txt");
    std::fs::write(&policy, "Retention\n\nminimum index 256\n").unwrap();
    biobank.restart(&[]).unwrap();
    let (status, whole, told) = consentctl(&["ledger", "audit", &address]);
    assert_eq!(status, Some(0), "{whole}{told}");
    biobank.kill();
    let prune = ["prune", "--data", path(&data), "--before", "256", "--policy", path(&policy), "--delete"];
    let (status, said, told) = run("BIOBANKD", "biobankd", &prune);
    assert_eq!(status, Some(0), "{said}{told}");
    biobank.restart(&[]).unwrap();

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let log = http.get(format!("{address}/v1/log")).send().await.unwrap().json::<serde_json::Value>().await.unwrap();
    assert_eq!(log["minimum"], 256);
    // What was pruned reaches no holder any more: staff are told, and it goes on behind it.
    let seen = async || {
        for _ in 0..100 {
            let hook = call("GET", "/v1/webhooks", None)["webhooks"][0].clone();
            if hook["dropped"].as_u64().unwrap() > 0 {
                return hook;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("nobody says that entries were passed over");
    };
    let hook = seen().await;
    assert!(hook["lastError"].as_str().unwrap().contains("pruned"), "{hook}");
    let public = data.join("log/public");
    let vkey = log["vkey"].as_str().unwrap();
    for place in [&[address.as_str()][..], &[path(&public), "--vkey", vkey]] {
        for command in ["audit", "replay"] {
            let (status, said, told) = consentctl(&[&["ledger", command], place].concat());
            assert_eq!((status, said.as_str()), (Some(4), ""), "{command}: {told}");
            assert!(told.contains("shows its entries from number 256 on"), "{told}");
            assert!(told.contains("`ledger audit --from 256` checks the rest, and nothing can replay it"), "{told}");
        }
        let (status, said, told) = consentctl(&[&["ledger", "audit", "--from", "256"], place].concat());
        assert_eq!(status, Some(0), "{said}{told}");
        assert!(said.starts_with("sound from entry 256 on: biobank.example/log, "), "{said}");
        assert!(said.contains("not checked without the entries before: the rules, how consents stand"), "{said}");
        assert_eq!(consentctl(&[&["ledger", "audit", "--from", "0"], place].concat()).0, Some(4));
    }
    // And what is left is looked at in earnest.
    let note = std::fs::read_to_string(public.join("checkpoint")).unwrap();
    let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
    let bundle = public.join(format!("tile/entries/001.p/{}", size - 256));
    let mut bytes = std::fs::read(&bundle).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let (status, said, _) = consentctl(&["ledger", "audit", "--from", "256", path(&public), "--vkey", vkey]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.starts_with("NOT SOUND from entry 256 on"), "{said}");
}
