//! A visa of the service, read by a clearinghouse that knows nothing of this project: by its issuer, its key set and the
//! library for JWT that most programs in Python use.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "in a test a panic is the report")]

#[path = "../third_party/common.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod common;
#[path = "../../server/tests/stage/mod.rs"]
mod stage;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use common::{feed, third_party};
use proof::interop::{Seen, note, pypi};
use serde_json::{Value, json};
use server::Network;
use stage::{Biobank, text};
use std::process::Command;

const ADDRESS: &str = "https://ledger.biobank.example";

/// A visa, and the key set beside it.
async fn visa(biobank: &Biobank) -> (String, Value) {
    let researcher = biobank.researcher().await;
    let (donor, _) = biobank.sharing(1).await;
    let (status, granted) = biobank.granted(&researcher, &donor.name(), &donor.purpose()).await;
    assert_eq!(status, 200, "{granted}");
    let path = format!("/v1/access-grants/{}/visa", text(&granted["hash"]));
    let (status, visa) = biobank.asks(&researcher, &path).await;
    assert_eq!(status, 200, "{visa}");
    let answer = biobank.http.get(format!("{}/v1/jwks.json", biobank.address)).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/jwk-set+json");
    assert_eq!(answer.headers()["cache-control"], "public, max-age=600");
    (text(&visa["visa"]).to_owned(), answer.json().await.unwrap())
}

fn part(visa: &str, number: usize) -> Value {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(visa.split('.').nth(number).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// The same visa with another member in one of its parts, under the old signature.
fn bent(visa: &str, number: usize, member: &str, value: &str) -> String {
    let mut json = part(visa, number);
    json[member] = value.into();
    let mut parts: Vec<String> = visa.split('.').map(str::to_owned).collect();
    parts[number] = BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    parts.join(".")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clearinghouse_reads_our_visa_and_refuses_every_changed_one() {
    let network = Network { address: Some(ADDRESS.parse().unwrap()), ..Network::default() };
    let biobank = Biobank::open_with(network).await;
    let (visa, keys) = visa(&biobank).await;
    let (header, claims) = (part(&visa, 0), part(&visa, 1));
    let jku = format!("{ADDRESS}/v1/jwks.json");
    assert_eq!((&claims["iss"], &header["jku"]), (&json!(ADDRESS), &json!(jku)));
    // The key of the set has the name that the visa says, and signs as the profile wants it.
    let [key] = keys["keys"].as_array().unwrap().as_slice() else { panic!("{keys}") };
    assert_eq!((&key["kid"], &key["kty"], &key["crv"]), (&header["kid"], &json!("EC"), &json!("P-256")));
    assert_eq!((&header["alg"], &key["alg"]), (&json!("ES256"), &json!("ES256")));

    let Some(python) = std::env::var_os("THIRD_PARTY_PYTHON") else {
        println!("skipped: scripts/test sets up a Python with PyJWT and names it in THIRD_PARTY_PYTHON");
        return;
    };
    let other = Biobank::open().await;
    let fetched = |biobank: &Biobank| format!("{}/v1/jwks.json", biobank.address);
    let trusted = json!({ "iss": ADDRESS, "jku": jku });
    let case = |name: &str, visa: &str, more: Value| {
        let mut case = json!({
            "name": name, "visa": visa, "trusted": trusted, "fetched": fetched(&biobank), "algorithms": ["RS256", "ES256"],
        });
        more.as_object().unwrap().iter().for_each(|(member, value)| case[member] = value.clone());
        case
    };
    let none = || json!({});
    let (signed, signature) = visa.rsplit_once('.').unwrap();
    let mut turned = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    turned[7] ^= 1;
    let turned = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(turned));
    let cases = [
        case("good", &visa, none()),
        case("another subject", &bent(&visa, 1, "sub", "somebody else"), none()),
        case("another issuer in it", &bent(&visa, 1, "iss", "https://other.example"), none()),
        case("another key named", &bent(&visa, 0, "kid", "did:key:z6Mkother#z6Mkother"), none()),
        case("other keys named", &bent(&visa, 0, "jku", "https://other.example/v1/jwks.json"), none()),
        case("another signature", &turned, none()),
        case("no signature", &format!("{signed}."), none()),
        case("another issuer is trusted", &visa, json!({ "trusted": { "iss": "https://other.example", "jku": jku } })),
        case("keys of another biobank", &visa, json!({ "fetched": fetched(&other) })),
        case("another algorithm is allowed", &visa, json!({ "algorithms": ["RS256"] })),
    ];
    let mut program = Command::new(python);
    program.arg(third_party("python/checkvisa.py")).env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "*");
    let input = serde_json::to_vec(&cases).unwrap();
    let output = tokio::task::spawn_blocking(move || feed(&mut program, &input)).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<(&str, &str)> = said.lines().map(|line| line.split_once('\t').unwrap()).collect();
    assert_eq!(lines.len(), cases.len(), "{said}");
    for (name, verdict) in lines {
        assert_eq!(verdict == "accepted", name == "good", "{name}: {verdict}");
    }
    let seen = Seen { ours: 1, refused_by_them: cases.len() - 1, ..Seen::default() };
    note("GA4GH visa", &pypi("PyJWT"), seen);
}
