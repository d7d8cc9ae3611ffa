//! What the policy of a verifier leaves open, and what it never does.

use identity::vc::{Finding, IssueOptions, Judge, KeyKind, Policy, Signer, Suite, issue, verify_credential};
use identity::{CheckResult, Verification};
use serde_json::{Value, json};
use std::sync::Arc;

fn policy() -> Policy {
    Policy::new("2026-11-22T13:00:00Z".parse().unwrap())
}

fn signed(more: Value) -> Value {
    let key = Signer::from_secret(KeyKind::Ed25519, &[7; 32]).unwrap();
    let mut credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": key.id().as_str(),
        "credentialSubject": { "id": "did:example:abcdefgh", "alumniOf": "The School of Examples" },
    });
    credential.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    issue(&credential, &IssueOptions::new(Suite::EddsaJcs2022, "2026-11-22T12:00:00Z".parse().unwrap()), &key).unwrap()
}

/// Somebody who was asked about a credential, and says this.
#[derive(Debug)]
struct Says(Finding);

impl Judge for Says {
    fn judge(&self, credential: &serde_json::Map<String, Value>, _: consent::Timestamp) -> Finding {
        assert!(credential.contains_key("credentialSubject"));
        self.0.clone()
    }
}

#[test]
fn what_nobody_knows_is_no_yes() {
    let asking = signed(json!({
        "credentialStatus": { "type": "BitstringStatusListEntry", "id": "urn:status:7" },
        "credentialSchema": { "type": "JsonSchema", "id": "https://example.org/schema" },
    }));
    let plain = signed(json!({}));
    let verify = |document: &Value, policy: &Policy| verify_credential(document.to_string().as_bytes(), policy);
    let result = |verification: &Verification<Value>, name: &str| {
        verification.checks.iter().find(|check| check.name == name).unwrap().clone()
    };
    // Where a credential names none there is nothing to ask; nobody said whom to trust, and the report says so.
    let found = verify(&plain, &policy());
    assert!(found.verified.is_some());
    assert_eq!(result(&found, "status").result, CheckResult::Passed);
    assert_eq!(result(&found, "trust").result, CheckResult::Waived);
    let found = verify(&asking, &policy());
    assert!(found.verified.is_none() && found.failed().is_empty());
    assert_eq!(result(&found, "status").result, CheckResult::NotMade);
    assert_eq!(
        (result(&found, "schema").result, result(&found, "schema").detail.as_str()),
        (CheckResult::Waived, "nobody was asked")
    );
    for (finding, waived, expected) in [
        (Finding::Holds("list 1, 3 s old".into()), false, CheckResult::Passed),
        (Finding::Fails("taken back".into()), false, CheckResult::Failed),
        (Finding::Fails("taken back".into()), true, CheckResult::Failed),
        (Finding::Unknown("the list could not be fetched".into()), false, CheckResult::NotMade),
        (Finding::Unknown("the list could not be fetched".into()), true, CheckResult::Waived),
    ] {
        let mut policy = Policy { status: Some(Arc::new(Says(finding.clone()))), ..policy() };
        assert!(!waived || policy.waive("status"));
        let found = verify(&asking, &policy);
        let check = result(&found, "status");
        assert_eq!(check.result, expected, "{finding:?}");
        let (Finding::Holds(words) | Finding::Fails(words) | Finding::Unknown(words)) = finding;
        assert_eq!(if expected == CheckResult::Passed { check.evidence } else { check.detail }, words);
        assert_eq!(found.verified.is_some(), matches!(expected, CheckResult::Passed | CheckResult::Waived));
    }
    for name in ["signature", "issuer", "status "] {
        assert!(!policy().waive(name), "{name}");
    }
    // How old a proof may be, where the verifier says so.
    for (seconds, fresh) in [(3_600, true), (3_599, false)] {
        let found = verify(&plain, &Policy { max_proof_age: Some(seconds), ..policy() });
        assert_eq!(found.failed(), if fresh { &[][..] } else { &["freshness"] });
    }
}
