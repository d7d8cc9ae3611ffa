//! Writes the inputs to begin with: `seeds FOLDER` makes a folder for each target out of the examples in
//! `ledger/FORMAT.md` and what this version of the crates writes.

use fuzz::{ORIGIN, key, log_key};
use ledger::{AddCheckpoint, AddEntries, EntryPackage, TileEdge, TileId, leaf_hash};
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
