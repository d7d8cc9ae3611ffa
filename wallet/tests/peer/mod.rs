//! Programs of others, spoken to a line of JSON at a time.
#![allow(dead_code, unused_imports, reason = "each test file uses a part")]
#![allow(clippy::print_stdout, reason = "a test says that it was skipped")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::SigningKey;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// The folder of the libraries, if they are set up.
pub fn skip() -> Option<PathBuf> {
    let modules = std::env::var_os("THIRD_PARTY_OPENID").map(PathBuf::from);
    if modules.is_none() {
        println!("skipped: scripts/test sets up @openid4vc and names its folder in THIRD_PARTY_OPENID");
    }
    modules
}

/// A program of others that runs until this is dropped.
pub struct Peer {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts a script of `tests/third_party/npm-openid` with its first line.
    pub fn start(modules: &Path, script: &str, first: &Value) -> Self {
        let folder = modules.parent().unwrap();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/third_party/npm-openid");
        // Node looks for modules beside the script. Each start has its own copy, as tests run side by side.
        let own = tempfile::Builder::new().prefix("run-").tempdir_in(folder).unwrap();
        for name in ["common.js", "package.json", script] {
            std::fs::copy(sources.join(name), own.path().join(name)).unwrap();
        }
        let child =
            Command::new("node").arg(own.path().join(script)).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut peer = Self { child, lines };
        peer.say(first);
        // It has read its files once it speaks.
        peer.lines.fill_buf().unwrap();
        peer
    }

    pub fn say(&mut self, line: &Value) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    pub fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_default()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// What their verifier is told to ask, with the key of seed 7.
pub fn asked(query: &Value, by: &str, encrypted: &Value) -> Value {
    let own = key(7);
    json!({
        "did": own.did(),
        "own": {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": URL_SAFE_NO_PAD.encode(own.public().as_bytes()),
            "d": URL_SAFE_NO_PAD.encode([7; 32]),
        },
        "payload": {
            "nonce": "a-nonce-of-theirs-0123456789",
            "state": "their state",
            "dcql_query": query,
            "client_metadata": { "client_name": "Their verifier", "vp_formats_supported": { "ldp_vc": {} } },
        },
        "encrypted": encrypted,
        "by": by,
    })
}

/// The header of a request that this key signs.
pub fn header(key: &SigningKey) -> Value {
    json!({ "alg": "EdDSA", "kid": key.did().verification_method(), "typ": "oauth-authz-req+jwt" })
}

/// Signs what is in a request, whatever its header says.
pub fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let text = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes())))
}
