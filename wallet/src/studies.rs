//! The studies of a biobank: each request is signed by it, or it does not exist for the wallet.

use bridge::{Code, Failure};
use consent::{StudyId, StudyRequest};
use identity::{Did, verify_jws};
use sha2::{Digest, Sha256};

const STUDY_REQUEST_TYPE: &str = "study-request.v1+jws";

/// Reads one signed request, if this biobank signed it.
pub fn read_signed(jws: &str, biobank: &Did) -> Result<StudyRequest, Failure> {
    let invalid = |check: &str| Failure::new(Code::NotValid).with("check", check);
    let verified = verify_jws(jws).map_err(|_| invalid("signature"))?;
    if verified.signer != *biobank {
        return Err(invalid("signer-is-issuer"));
    }
    if verified.typ != STUDY_REQUEST_TYPE {
        return Err(invalid("type"));
    }
    let request: StudyRequest = serde_json::from_slice(&verified.payload).map_err(|_| invalid("claims"))?;
    let mut proposed = request.policy.clone();
    proposed.data = Some(request.offers.iter().map(|offer| offer.kind).collect());
    // A policy is signed with the day on which it is given; any day will do to see whether it could be.
    proposed.issued = Some(request.checked);
    proposed.validate().map_err(|_| invalid("claims"))?;
    // What would be said to the study itself has to be understood as well.
    if !request.purpose.unknown.is_empty() || !request.purpose.organisation.unknown.is_empty() {
        return Err(invalid("claims"));
    }
    Ok(request)
}

/// Reads a request that was checked before it entered the journal.
pub(crate) fn read_checked(jws: &str) -> Option<(StudyId, StudyRequest)> {
    let request: StudyRequest = serde_json::from_slice(&verify_jws(jws).ok()?.payload).ok()?;
    Some((request.id.clone(), request))
}

/// SHA-256 (hex) of everything that the request screen shows of a study: what was seen is what is signed.
pub fn notice_digest(request: &StudyRequest) -> String {
    let shown = identity::canonical::to_canonical(request).unwrap_or_default();
    hex::encode(Sha256::digest(shown))
}
