//! Writes the inputs to begin with: `seeds FOLDER` makes a folder for each target out of the examples in
//! `ledger/FORMAT.md` and what this version of the crates writes.

use fuzz::{ORIGIN, key, log_key};
use ledger::{AddCheckpoint, AddEntries, EntryPackage, TileEdge, TileId, leaf_hash};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const TEXTS: [&str; 7] = ["note", "checkpoint", "tile_path", "entry", "witness", "policy", "receipt"];

struct Seeds(PathBuf);

impl Seeds {
    fn put(&self, target: &str, name: &str, bytes: impl AsRef<[u8]>) {
        let folder = self.0.join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

// What was compiled for fuzzing asks for the fuzzer's symbols wherever it is linked, in this program too.
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::note(data));

fn main() {
    let folder = std::env::args().nth(1).expect("usage: seeds FOLDER");
    let seeds = Seeds(folder.into());
    let format = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../ledger/FORMAT.md")).unwrap();
    examples(&seeds, &format);
    own(&seeds);
    dids(&seeds);
}

/// DIDs of every method, a document, and a list of trusted issuers.
fn dids(seeds: &Seeds) {
    let did = key(1).did();
    let multibase = did.as_str().trim_start_matches("did:key:");
    seeds.put("did", "key", format!("{did}#{multibase}"));
    seeds.put("did", "jwk", "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9#0");
    seeds.put("did", "web", "did:web:biobank.example%3A8443:lab:one/path?a=b#key");
    let web = "did:web:biobank.example";
    let method =
        format!(r##"{{"id":"#k","type":"Multikey","controller":"{web}","publicKeyMultibase":"{multibase}"}}"##);
    let document = format!(
        r##"{{"id":"{web}","verificationMethod":[{method}],"assertionMethod":["#k"],"service":[{{"id":"#s"}}]}}"##
    );
    seeds.put("did", "document", format!("{web}#k\n{document}"));
    seeds.put("trusted", "one", r#"{"issued":"2026-11-01T00:00:00Z","issuers":[{"issuer":"did:web:lab.example","types":["LabResult"],"until":"2027-01-01T00:00:00Z"}],"until":"2027-01-01T00:00:00Z","version":1}"#);
}

/// Each example of the document: as it stands, each of its lines, and payloads under every `typ`.
fn examples(seeds: &Seeds, format: &str) {
    let mut logs = BTreeMap::<&str, String>::new();
    for block in format.split("```text ").skip(1) {
        let Some((name, rest)) = block.split_once('\n') else { continue };
        let Some((body, _)) = rest.split_once("```") else { continue };
        let name = name.trim().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let lines: Vec<&str> = body.lines().collect();
        for target in TEXTS {
            seeds.put(target, &name, body);
            seeds.put(target, &format!("{name}-bare"), body.trim_end());
            for (number, line) in lines.iter().enumerate().filter(|_| lines.len() > 1) {
                seeds.put(target, &format!("{name}-{number}"), line);
            }
        }
        for (number, payload) in lines.iter().enumerate().filter(|(_, line)| line.starts_with('{')) {
            for typ in fuzz::kinds() {
                let short = typ.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
                let text = format!("{typ}\n{payload}");
                // Only what is well formed is worth a file under each kind.
                let jws = identity::sign_jws(&key(1), typ, payload.as_bytes());
                if ledger::Entry::parse(jws.as_bytes()).is_ok() {
                    seeds.put("entry", &format!("{name}-{number}-{short}"), text);
                    for seed in 0..3 {
                        let line = format!("{seed}{typ} {payload}\n");
                        seeds.put("rules", &format!("{name}-{number}-{short}-{seed}"), &line);
                        logs.entry(["by-zero", "by-one", "by-two"][seed]).or_default().push_str(&line);
                    }
                }
            }
        }
    }
    for (name, log) in logs {
        seeds.put("rules", name, log);
    }
}

/// What is not text, or has no example.
fn own(seeds: &Seeds) {
    let (mut edge, mut tiles) = (TileEdge::new(), BTreeMap::new());
    for number in 0..5 {
        tiles.extend(edge.push_leaf(leaf_hash(&fuzz::leaf(number))));
    }
    tiles.extend(edge.partial_tiles());
    let read = |id: TileId| tiles.get(&id).cloned().ok_or(());

    let proof = ledger::consistency_proof(3, 5, read).unwrap();
    let request = AddCheckpoint { old_size: 3, proof, checkpoint: fuzz::signed(5) };
    seeds.put("witness", "grow", request.to_string());
    let proof: Vec<u8> = request.proof.iter().flat_map(|hash| *hash.as_bytes()).collect();
    seeds.put("witness", "grow-short", [&[3, 5, 0][..], &proof].concat());
    seeds.put("witness", "first", [0, 5, 0]);
    seeds.put("witness", "fork", [3, 3, 1]);

    let head = AddEntries { origin: ORIGIN.into(), start: 0, end: 5, ticket: Vec::new() }.to_bytes().unwrap();
    let entries = (0..5).map(fuzz::leaf).collect();
    let range = ledger::package_ranges(0, 5).next().unwrap();
    let package = EntryPackage::make(range, 5, entries, read).unwrap().to_bytes().unwrap();
    seeds.put("mirror", "upload", [&[7][..], &head, &package].concat());
    seeds.put("mirror", "info", "\u{7}5\n0\ndGlja2V0\n");

    for (number, value) in fuzz::proof_values().iter().enumerate() {
        seeds.put("proof_value", &format!("right-{number}"), value);
    }

    let mut bundle = vec![4];
    (0..5).for_each(|number| ledger::append_to_bundle(&mut bundle, &fuzz::leaf(number)).unwrap());
    seeds.put("entry_bundle", "five", bundle);
    seeds.put("entry_bundle", "tile", [&[1][..], &[9; 64]].concat());
    seeds.put("proof", "sizes", [2, 188, 1, 7, 0, 200]);
    seeds.put("proof", "one", [0, 0]);

    let now = consent::Timestamp::from_unix(1_795_000_000);
    let (host, path, body) = ("biobank.example", "/v1/pair", br#"{"code":"AAAA-AAAA"}"#);
    let signed = identity::sign_request(&key(2), "POST", host, path, "a=b", body, now, "0123456789");
    let lines = [&signed.signature_input, &signed.signature, &signed.content_digest, "POST", host, path, "a=b"];
    seeds.put("request", "signed", format!("{}\n{}", lines.join("\n"), String::from_utf8_lossy(body)));
    tokens(seeds, now);
    let query = identity::openid::consent_query(&"heart-rhythm".parse().unwrap());
    let content = r#"{"credentialSubject":{"study":"heart-rhythm","dataUse":{"permissions":["GRU"]}}}"#;
    seeds.put("dcql", "consent", format!("{query}\n{content}"));
    let draft = identity::openid::Draft {
        response_uri: "https://verifier.example/response",
        nonce: "0123456789abcdef",
        state: "1",
        query: &query,
        name: "Verifier",
        attestation: None,
        transaction: Some(&identity::openid::Transaction::new("consent", &consent::Purpose::default())),
        key: None,
        expires: now.plus_seconds(300),
    };
    let jws = draft.sign(&key(1), None, now);
    let payload = identity::verify_jws(&jws).unwrap().payload;
    let link = identity::openid::Link::to(&identity::openid::Draft::client_id(&key(1)), "https://verifier.example/1");
    seeds.put("request_object", "signed", format!("{link}\n{jws}"));
    seeds.put("request_object", "content", format!("{link}\n{}", String::from_utf8_lossy(&payload)));
    let offer = identity::openid::Offer {
        issuer: "https://biobank.example".into(),
        configurations: vec![identity::openid::ENROLMENT_CONFIGURATION.into()],
        code: "code".into(),
        pin: Some(identity::openid::PinRule { numeric: false, length: Some(9) }),
    };
    seeds.put("credential_offer", "link", offer.to_link());
    let metadata = identity::openid::issuer_metadata("https://biobank.example", "Example");
    seeds.put("credential_offer", "metadata", metadata.to_string());
    seeds.put("note", "key", log_key().verifier().to_string());
    let witness = ledger::Cosigner::ed25519("witness.example/w1", key(9)).unwrap();
    seeds.put("note", "cosigner", witness.key().to_string());
    let long = ledger::Cosigner::ml_dsa_44("witness.example/w2", &[9; 32]).unwrap();
    seeds.put("note", "cosigner-long", long.key().to_string());
    let policy = format!(
        "log {} https://biobank.example/\nwitness a {}\nwitness b {} https://w2.example/\ngroup g 2 a b\nquorum g\n",
        log_key().verifier(),
        witness.key(),
        long.key()
    );
    seeds.put("policy", "two", policy);
    seeds.put("policy", "none", format!("# comment\n\nlog {}\nquorum none\n", log_key().verifier()));
    for path in ["tile/0/000", "tile/8/x001/x234/067.p/8", "tile/entries/x001/000", "tile/63/999.p/255"] {
        seeds.put("tile_path", &path.replace('/', "-"), path);
    }
}

/// Tokens, SD-JWTs and status lists: whole, and what the targets sign.
fn tokens(seeds: &Seeds, now: consent::Timestamp) {
    use identity::jose::{Binding, Concealed, TokenOptions, issue_sd_jwt, issue_token, present_sd_jwt};
    use identity::status::{BitstringEntry, ListTerms, Purpose, StatusBits, list_credential};
    let key = fuzz::signer();
    let (id, v2) = (key.id(), "https://www.w3.org/ns/credentials/v2");
    let (issuer, url) = (id.as_str(), "https://biobank.example/status/1");
    let credential = json!({
        "@context": [v2],
        "type": ["VerifiableCredential"],
        "issuer": issuer,
        "credentialSubject": { "id": "did:example:1" },
        "credentialStatus": BitstringEntry::new(url.to_owned(), 5, Purpose::Revocation).to_json(),
    });
    let presentation = json!({ "@context": [v2], "type": ["VerifiablePresentation"], "holder": issuer });
    let options =
        TokenOptions { nonce: Some("n".into()), audience: Some("lab.example".into()), ..TokenOptions::new(now) };
    seeds.put("token", "credential", issue_token(&credential, &TokenOptions::new(now), &key).unwrap());
    seeds.put("token", "presentation", issue_token(&presentation, &options, &key).unwrap());
    seeds.put("token", "document", credential.to_string());
    seeds.put("status", "entry", credential["credentialStatus"].to_string());

    let claims = json!({ "iss": issuer, "vct": "urn:x", "a": { "b": 1 }, "list": ["x", "y"] });
    let concealed = Concealed { pointers: &["/a", "/a/b", "/list/0"], decoys: 1, holder: Some(&id) };
    let held = issue_sd_jwt(&claims, &concealed, &key).unwrap();
    let binding = Binding { key: &key, nonce: "n", audience: "lab.example", now };
    seeds.put("sd_jwt", "held", &held);
    seeds.put("sd_jwt", "presented", present_sd_jwt(&held, &["/a/b"], Some(&binding)).unwrap());
    seeds.put("sd_jwt", "claims", claims.to_string());

    let bits = StatusBits::new(1).unwrap();
    let (valid_until, purpose) = (now.plus_seconds(3600), Purpose::Revocation);
    let terms = ListTerms { url, issuer, purpose, valid_from: now, valid_until, ttl: 300 };
    let list = list_credential(&bits, &terms).unwrap();
    seeds.put("status", "packed", bits.encode().unwrap());
    seeds.put("status", "signed", issue_token(&list, &TokenOptions::new(now), &key).unwrap());
    let token = json!({ "sub": url, "iat": now.unix(), "status_list": { "bits": 1, "lst": "eNrbuRgAAhcBXQ" } });
    seeds.put("status", "token", token.to_string());
}
