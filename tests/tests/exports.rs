//! Consents in the forms of others, made by the real program from a real consent, and read by other people's programs.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may break off and print")]

mod stage;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consent::Purpose;
use identity::SigningKey;
use proof::{FOUNDED, program, withdraw};
use serde_json::Value;
use stage::Stage;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use wallet::sync;

impl Stage {
    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn export(&self, format: &str, file: &Path, more: &[&str]) -> Output {
        let mut command = Command::new(program("CONSENTCTL", "consentctl"));
        command.args(["export", "--format", format]).arg(file).arg("--cache").arg(self.path("cache")).args(more);
        command.output().unwrap()
    }

    fn json(&self, format: &str, file: &Path, more: &[&str]) -> Value {
        let output = self.export(format, file, more);
        assert!(output.status.success(), "{format}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The credential inside the proof, as a file of its own.
    fn credential(&self) -> PathBuf {
        let proof: Value = serde_json::from_slice(&std::fs::read(&self.proof).unwrap()).unwrap();
        let held = &proof["presentation"]["verifiableCredential"];
        let file = self.path("credential.json");
        std::fs::write(&file, held.get(0).unwrap_or(held).to_string()).unwrap();
        file
    }
}

fn refused(output: &Output, status: i32, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.contains(words), "{said}");
    assert!(output.stdout.is_empty(), "nothing is written where something is refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_consent_is_written_in_every_form() {
    let stage = Stage::set().await;
    let address = stage.biobank.address();
    let live = ["--ledger", address.as_str()];

    // As signed, from the proof and from the bare credential; and as the record says.
    for file in [&stage.proof, &stage.credential()] {
        let odrl = stage.json("odrl", file, &[]);
        assert_eq!((&odrl["@type"], &odrl["own:stateAsSigned"]), (&"Agreement".into(), &true.into()));
        assert!(odrl["permission"].is_array());
        let dpv = stage.json("dpv", file, &[]);
        assert_eq!(dpv["@type"], "dpv:ConsentReceipt");
        assert!(dpv.get("own:entry").is_none(), "nobody looked at the record");
    }
    let dpv = stage.json("dpv", &stage.proof, &live);
    assert_eq!(dpv["own:entry"]["own:number"], FOUNDED + 2);
    assert_eq!(dpv["dpv:hasConsentStatus"][0]["@type"], "dpv:ConsentGiven");
    assert_eq!(stage.json("odrl", &stage.proof, &live)["own:stateAsSigned"], false);
    refused(&stage.export("dpv", &stage.credential(), &live), 4, "bare credential");

    let paper = stage.path("receipt.pdf");
    let output = stage.export("pdf", &stage.proof, &["-o", paper.to_str().unwrap()]);
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(std::fs::read(&paper).unwrap().starts_with(b"%PDF-1.7"));
    let again = stage.export("pdf", &stage.proof, &[]);
    assert!(again.stdout.starts_with(b"%PDF-1.7"), "a pipe may take it");

    // FHIR, read back as choices. This one has a last day and asks researchers for something, and choices can say
    // neither: dropped from what they limit, more would be allowed than was signed.
    let fhir = stage.path("fhir.json");
    assert!(stage.export("fhir", &stage.proof, &["-o", fhir.to_str().unwrap()]).status.success());
    let import = || -> Value {
        let output = Command::new(program("CONSENTCTL", "consentctl")).arg("import").arg(&fhir).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let told = import();
    assert!(told["choices"]["scope"].is_null(), "{told:#}");
    assert!(told["leftOut"].to_string().contains("choices can not ask researchers for this"), "{told:#}");
    // Without that: what was signed, and nothing beside.
    let mut consent: Value = serde_json::from_slice(&std::fs::read(&fhir).unwrap()).unwrap();
    assert!(consent["provision"][0].as_object_mut().unwrap().remove("securityLabel").is_some());
    for at in ["/period", "/provision/0/period"] {
        assert!(consent.pointer_mut(at).unwrap().as_object_mut().unwrap().remove("end").is_some());
    }
    std::fs::write(&fhir, consent.to_string()).unwrap();
    let told = import();
    let signed = stage.json("dpv", &stage.proof, &[]);
    let purpose = signed["dpv:hasProcess"]["dpv:hasPurpose"][0]["skos:notation"].clone();
    assert_eq!((&told["choices"]["scope"], &told["choices"]["what"]["genome"]), (&purpose, &"yes".into()), "{told:#}");
    // It names no kind of organisation that is welcome: others get nothing of what is open.
    assert_eq!(told["policy"]["permissions"], Value::Array(Vec::new()), "{told:#}");
    assert!(!told["leftOut"].as_array().unwrap().is_empty());

    withdraw(&stage.participant, &"heart-rhythm".parse().unwrap()).unwrap();
    sync::sync(&stage.participant).await.unwrap();
    let odrl = stage.json("odrl", &stage.proof, &live);
    assert!(odrl.get("permission").is_none(), "what was taken back permits nothing: {odrl:#}");
    let fhir = stage.json("fhir", &stage.proof, &live);
    assert_eq!((&fhir["status"], &fhir["decision"]), (&"inactive".into(), &"deny".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visa_is_made_for_a_permit_of_a_live_consent_and_for_nothing_else() {
    let stage = Stage::set().await;
    let address = stage.biobank.address();
    let (key, purpose) = (stage.path("key"), stage.path("purpose.json"));
    let write_key = |seed: [u8; 32]| {
        std::fs::write(&key, hex::encode(seed)).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    let visa = |wanted: &Purpose, more: &[&str]| {
        std::fs::write(&purpose, serde_json::to_vec(wanted).unwrap()).unwrap();
        let mut all = vec!["--purpose", purpose.to_str().unwrap(), "--key", key.to_str().unwrap()];
        all.extend(["--subject", "researcher-7", "--dataset", "https://biobank.example/datasets/heart-rhythm"]);
        all.extend(more);
        stage.export("visa", &stage.proof, &all)
    };
    let live = ["--ledger", address.as_str()];
    // The biobank decides, with the key that it keeps.
    let seed: [u8; 32] = std::fs::read(stage.biobank.dir.join("institution.key")).unwrap().try_into().unwrap();
    write_key(seed);

    let output = visa(&stage.purpose, &live);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let token = String::from_utf8(output.stdout).unwrap();
    let part = |number: usize| -> Value {
        let part = token.trim().split('.').nth(number).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let (header, claims) = (part(0), part(1));
    assert_eq!(header["typ"], "vnd.ga4gh.visa+jwt");
    assert_eq!(claims["iss"], SigningKey::from_seed(seed).did().as_str());
    assert_eq!(claims["ga4gh_visa_v1"]["type"], "ControlledAccessGrants");
    let (signed, signature) = token.trim().rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap().try_into().unwrap();
    SigningKey::from_seed(seed).public().verify(signed.as_bytes(), &signature).unwrap();

    let abroad = Purpose { places: vec!["US".into()], ..stage.purpose.clone() };
    refused(&visa(&abroad, &live), 1, "the decision is deny");
    let vague = Purpose { topics: vec![], ..stage.purpose.clone() };
    refused(&visa(&vague, &live), 2, "the decision is review");
    refused(&visa(&stage.purpose, &[]), 4, "--ledger");
    refused(&visa(&stage.purpose, &["--ledger", "http://127.0.0.1:9"]), 4, "could not check");
    refused(&stage.export("visa", &stage.proof, &live), 2, "--purpose");

    write_key([66; 32]);
    refused(&visa(&stage.purpose, &live), 3, "neither the biobank's nor the participant's");
    write_key(seed);
    #[cfg(unix)]
    {
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        refused(&visa(&stage.purpose, &live), 4, "chmod 600");
        write_key(seed);
    }
    withdraw(&stage.participant, &"heart-rhythm".parse().unwrap()).unwrap();
    sync::sync(&stage.participant).await.unwrap();
    refused(&visa(&stage.purpose, &live), 1, "withdrawn");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_are_refused_with_their_reason() {
    let stage = Stage::set().await;
    let text = std::fs::read_to_string(&stage.proof).unwrap();
    let file = stage.path("hostile.json");
    let export = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        stage.export("dpv", &file, &[])
    };
    let bent = text.replacen("2028-12-31", "2038-12-31", 9);
    assert_ne!(bent, text);
    refused(&export(bent.as_bytes()), 3, "signature");
    let credential = std::fs::read_to_string(stage.credential()).unwrap();
    let bent = credential.replacen("genome", "sample", 1);
    assert_ne!(bent, credential);
    refused(&export(bent.as_bytes()), 3, "signature");
    let twice = text.replacen('{', "{\"format\":\"x\",", 1);
    refused(&export(twice.as_bytes()), 3, "named twice");
    refused(&export(&vec![b' '; 2 << 20]), 3, "longer than");
    refused(&export("[".repeat(10_000).as_bytes()), 3, "nested deeper");
    for bytes in [&b""[..], b"\xff\xfe", b"null", b"{}", br#"{"format":"consent-proof.v9"}"#] {
        refused(&export(bytes), 3, "not valid");
    }
    refused(&stage.export("dpv", Path::new("no such file"), &[]), 4, "no such file");

    let import = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        Command::new(program("CONSENTCTL", "consentctl")).arg("import").arg(&file).output().unwrap()
    };
    refused(&import(&vec![b' '; 2 << 20]), 3, "larger than one megabyte");
    refused(&import("[".repeat(10_000).as_bytes()), 3, "nested deeper");
    refused(&import(b"\xff\xfe"), 3, "UTF-8");
    refused(&import(b"%PDF-1.7"), 3, "neither");
}

/// A second opinion on FHIR: the models of the Python package `fhir.resources`, and the codes that they list.
#[tokio::test(flavor = "multi_thread")]
async fn fhir_resources_reads_what_we_write() {
    let Some(python) = std::env::var_os("FHIR_PYTHON") else {
        println!("skipped: FHIR_PYTHON names no Python with fhir.resources (scripts/setup makes one)");
        return;
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let check = |files: &[&Path]| {
        let output = Command::new(&python).arg(here.join("fhir_consent.py")).args(files).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let stage = Stage::set().await;
    let (signed, live, whole) =
        (stage.path("signed.json"), stage.path("live.json"), here.join("../wallet/src/exchange/golden/fhir.json"));
    assert!(stage.export("fhir", &stage.proof, &["-o", signed.to_str().unwrap()]).status.success());
    let address = stage.biobank.address();
    let arguments = ["--ledger", address.as_str(), "-o", live.to_str().unwrap()];
    assert!(stage.export("fhir", &stage.proof, &arguments).status.success());
    assert_eq!(check(&[&signed, &live, &whole]), (true, String::new()));

    // The second opinion has teeth: it refuses what is wrong.
    let text = std::fs::read_to_string(&whole).unwrap();
    for (from, to) in [
        ("\"status\": \"active\"", "\"status\": \"given\""),
        ("\"decision\": \"permit\"", "\"decision\": \"yes\""),
        ("\"date\":", "\"dateTime\":"),
        ("\"start\": \"2026", "\"start\": \"20x6"),
    ] {
        let bent = text.replacen(from, to, 1);
        assert_ne!(bent, text, "{from}");
        std::fs::write(&signed, bent).unwrap();
        assert!(!check(&[&signed]).0, "{to} is let through");
    }
}
