//! The studies of a biobank: each request is signed by it, or it does not exist for the wallet.

use bridge::{Code, Failure};
use consent::{Answer, StudyId, StudyRequest};
use identity::{Did, verify_jws};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const STUDY_REQUEST_TYPE: &str = "study-request.v1+jws";

/// Reads one signed request, if the biobank signed it by this key.
pub fn read_signed(jws: &str, speaker: &Did) -> Result<StudyRequest, Failure> {
    let invalid = |check: &str| Failure::new(Code::NotValid).with("check", check);
    let verified = verify_jws(jws).map_err(|_| invalid("signature"))?;
    if verified.signer != *speaker {
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
    if !is_plain(&request) {
        return Err(invalid("claims"));
    }
    // What would be said to the study itself has to be understood as well.
    if !request.purpose.unknown.is_empty() || !request.purpose.organisation.unknown.is_empty() {
        return Err(invalid("claims"));
    }
    Ok(request)
}

/// The longest line and the longest text of a request, in characters.
const LONGEST_LINE: usize = 300;
const LONGEST_TEXT: usize = 20_000;

/// Whether a request says only what a request may say: lines that are lines, texts that a person can read, and no
/// answer that is the donor's to give.
fn is_plain(request: &StudyRequest) -> bool {
    // Marks that turn the direction of writing can make a text look like another one.
    let odd = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let line = |text: &String| !text.trim().is_empty() && text.chars().count() <= LONGEST_LINE && !text.contains(odd);
    let lines = [&request.title, &request.organisation_name, &request.why, &request.organisation.id];
    let offers = request.offers.len() <= 20 && request.offers.iter().all(|offer| line(&offer.detail));
    let text = request.text.chars().count() <= LONGEST_TEXT && !request.text.replace('\n', " ").contains(odd);
    // A study can rule something out beforehand; a yes and a "not sure" are the donor's.
    let answers = request.policy.answers.iter().all(|(_, answer)| answer == Answer::No);
    let terms = &request.terms;
    let of_the_study = terms.acting_for.is_none() && terms.comprehension.is_none() && terms.assets.is_empty();
    let ethics = terms.ethics.iter().all(|ethics| line(&ethics.committee) && line(&ethics.number));
    lines.into_iter().all(line) && offers && text && answers && of_the_study && ethics
}

/// Reads a request that was checked before it entered the journal.
pub(crate) fn read_checked(jws: &str) -> Option<(StudyId, StudyRequest)> {
    let request: StudyRequest = serde_json::from_slice(&verify_jws(jws).ok()?.payload).ok()?;
    Some((request.id.clone(), request))
}

/// The requests by study; of one study the highest version.
pub(crate) fn newest(requests: &[String]) -> BTreeMap<StudyId, StudyRequest> {
    let mut studies: BTreeMap<StudyId, StudyRequest> = BTreeMap::new();
    for (id, request) in requests.iter().filter_map(|jws| read_checked(jws)) {
        if studies.get(&id).is_none_or(|known| known.version < request.version) {
            studies.insert(id, request);
        }
    }
    studies
}

/// SHA-256 (hex) of everything that the request screen shows of a study: what was seen is what is signed.
pub fn notice_digest(request: &StudyRequest) -> String {
    let shown = identity::canonical::to_canonical(request).unwrap_or_default();
    hex::encode(Sha256::digest(shown))
}
