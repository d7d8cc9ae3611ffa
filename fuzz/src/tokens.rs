//! Signed tokens, SD-JWTs and status lists of strangers: as they come, and with parts signed here, so that the fuzzer
//! gets beyond the signature.

use consent::Timestamp;
use identity::jose::{verify_presentation_token, verify_sd_jwt, verify_sd_jwt_presentation, verify_token};
use identity::status::{MAX_UNPACKED, MIN_ENTRIES, StatusBits, status_entries};
use identity::vc::{KeyKind, Policy, Signer, read_json};
use identity::{CheckResult, Verification, sign_jws};
use serde_json::{Value, json};

const NOW: i64 = 1_795_000_000;

fn policy() -> Policy {
    Policy {
        challenge: Some("n".to_owned()),
        domain: Some("lab.example".to_owned()),
        ..Policy::new(Timestamp::from_unix(NOW))
    }
}

/// Something is verified if, and only if, every check passed or was waived.
fn sound(verification: &Verification<Value>) {
    let good = |check: &identity::Check| matches!(check.result, CheckResult::Passed | CheckResult::Waived);
    assert_eq!(verification.verified.is_some(), verification.checks.iter().all(good));
}

/// Tokens: the input, and the input as the payload of a token of each type.
pub fn token(data: &[u8]) {
    let policy = policy();
    let read = |text: &str| {
        sound(&verify_token(text, &Policy { challenge: None, domain: None, ..policy.clone() }));
        sound(&verify_presentation_token(text, &policy).presentation);
    };
    if let Ok(text) = std::str::from_utf8(data) {
        read(text);
    }
    for typ in ["vc+jwt", "vp+jwt"] {
        read(&sign_jws(&crate::key(1), typ, data));
    }
}

/// SD-JWTs: the input, and its first line as what the issuer signed with the other lines as disclosures.
pub fn sd_jwt(data: &[u8]) {
    let read = |text: &str| {
        sound(&verify_sd_jwt(text, &Policy { challenge: None, domain: None, ..policy() }));
        sound(&verify_sd_jwt_presentation(text, &policy()));
    };
    let Ok(text) = std::str::from_utf8(data) else { return };
    read(text);
    let (payload, disclosures) = text.split_once('\n').unwrap_or((text, ""));
    for typ in ["dc+sd-jwt", "vc+sd-jwt"] {
        let token = sign_jws(&crate::key(1), typ, payload.as_bytes());
        read(&format!("{token}~{}", disclosures.replace('\n', "~")));
    }
}

/// Status lists: the input as an entry, as a packed list, as what a server answers, and as a signed token list.
pub fn status(data: &[u8]) {
    let (policy, issuer) = (Policy::new(Timestamp::from_unix(NOW)), crate::key(1).did().to_string());
    let list = "https://biobank.example/status/1";
    let entry = json!({
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "5",
        "statusListCredential": list,
    });
    let known = [
        json!({ "@context": [], "credentialStatus": entry }),
        json!({ "status": { "status_list": { "idx": 5, "uri": list } } }),
    ];
    let signed = sign_jws(&crate::key(1), "statuslist+jwt", data);
    for entry in known.iter().flat_map(|credential| status_entries(credential.as_object().unwrap()).unwrap()) {
        let _ = entry.read(&issuer, data, &policy);
        let _ = entry.read(&issuer, signed.as_bytes(), &policy);
    }
    if let Ok(value) = read_json(data) {
        for name in ["credentialStatus", "status"] {
            let _ = status_entries(&serde_json::Map::from_iter([(name.to_owned(), value.clone())]));
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    for size in 0..=9 {
        let Ok(bits) = StatusBits::decode(text, size) else { continue };
        assert!(bits.len() >= MIN_ENTRIES && bits.as_bytes().len() <= MAX_UNPACKED);
        assert!(bits.get(bits.len() as u64 - 1).is_some() && bits.get(bits.len() as u64).is_none());
        assert_eq!(StatusBits::decode(&bits.encode().unwrap(), size).as_ref(), Ok(&bits));
    }
}

/// The key whose tokens pass, as one for any credential.
pub fn signer() -> Signer {
    Signer::from_secret(KeyKind::Ed25519, &[1; 32]).unwrap()
}
