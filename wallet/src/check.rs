//! Checking a proof of consent: is it genuine, is it recorded, is it live, and does it cover the purpose?
//!
//! Every check has a name, a result and its evidence. The answer is permit, review or deny only if all checks
//! passed up to the decision; a proof that is not valid, or a record that can not be read, has no answer.

use crate::proof::{FILE_AGE, FORMAT, MAX_PROOF, Proof};
use bridge::{CheckResult, CheckRow, CheckView, Code, Failure, ReasonView, Recorded};
use consent::{ConsentState, Message, Purpose, Reason, Timestamp, Vocabulary, decide, disease_name};
use identity::{Check, ConsentClaims, Did, ExpectedPresentation, policy_hash, verify_consent, verify_presentation};
use ledger::client::Mirror;
use ledger::{ConsentEntry, Hash, Receipt, SubjectState, TrustPolicy, VerifierKey};

/// What the checker expects of a proof.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// For whom the proof must be made; without it, for the recipient that the consent itself names.
    pub audience: Option<String>,
    /// The question that it must answer, if it came as an answer.
    pub challenge: Option<String>,
    /// The study that it must be about, if one was named.
    pub study: Option<consent::StudyId>,
    /// The request of OpenID4VP that it must answer, if it came as an answer to one.
    pub request: Option<Bound>,
}

/// What a presentation is bound to that answers a request of OpenID4VP 1.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Who asked: the presentation is addressed to this client, and not to the organisation.
    pub client_id: String,
    /// The request's nonce.
    pub nonce: String,
    /// The hash of its transaction data, if there was any.
    pub transaction: Option<String>,
}

/// The record that proofs are checked against: a copy of the whole log, verified from the first entry to the last.
pub struct Record<'a> {
    /// Whose log it is.
    pub biobank: &'a Did,
    /// The key that signs its checkpoints.
    pub vkey: &'a VerifierKey,
    /// The keys that signed them before: the copy holds what their receipts say, or it does not.
    pub former: &'a [VerifierKey],
    /// Which other institutions must have signed the record, where there are any.
    pub policy: Option<&'a TrustPolicy>,
    /// The copy, and when it was brought up to date; or why it could not be.
    pub mirror: Result<(&'a Mirror, Timestamp), Failure>,
}

/// Checks a proof. Never fails: what is wrong is in the view. Without a record there is no answer, but all that the
/// proof itself shows is checked.
pub async fn check(
    proof: &[u8],
    purpose: &Purpose,
    expected: &Expected,
    record: Option<&Record<'_>>,
    now: Timestamp,
) -> CheckView {
    let mut view = empty_view();
    if let Some((claims, policy_state)) = walk(proof, purpose, expected, record, now, &mut view).await {
        let policy = consent::Policy { status: Some(policy_state), ..claims.policy };
        let decision = decide(&policy, purpose, now.date());
        pass(&mut view, "consent-decision", format!("{:?}", decision.outcome).to_lowercase());
        view.outcome = Some(decision.outcome);
        view.reasons = decision.reasons.iter().map(reason).collect();
        view.duties = decision.duties.iter().map(|duty| duty.code.to_string()).collect();
    }
    view
}

/// The checks in order; stops at the first that fails, so that later ones are shown as not made.
async fn walk(
    bytes: &[u8],
    purpose: &Purpose,
    expected: &Expected,
    record: Option<&Record<'_>>,
    now: Timestamp,
    view: &mut CheckView,
) -> Option<(ConsentClaims, ConsentState)> {
    let proof = read_proof(bytes, view)?;
    let held = presented(&proof, expected, now, view).await?;
    let [credential] = held.credentials.as_slice() else {
        return fail(view, "claims", "a proof holds exactly one credential");
    };
    let bytes = serde_json::to_vec(credential).ok()?;
    let consent = verify_consent(&bytes, now).await;
    add_all(view, &consent.checks);
    let consent = consent.verified?.into_inner();
    let claims = consent.claims;
    view.study = Some(claims.study.clone());
    view.data = claims.policy.shared().to_vec();
    view.signer = Some(claims.subject.to_string());
    if held.holder != claims.subject {
        return fail(view, "holder", "the presentation is not made by the consent's subject");
    }
    if expected.audience.as_ref().is_some_and(|audience| *audience != claims.recipient) {
        return fail(view, "holder", "the consent is given to another organisation");
    }
    if expected.study.as_ref().is_some_and(|study| *study != claims.study) {
        return fail(view, "holder", "the consent is about another study");
    }
    // A purpose of one organisation is not covered by a consent that another one was given.
    if !purpose.organisation.id.is_empty() && purpose.organisation.id != claims.recipient {
        return fail(view, "holder", "the stated organisation is not the one that the consent is given to");
    }
    pass(view, "holder", held.holder.to_string());
    let Some(record) = record else {
        row(view, "ledger-entry", CheckResult::NotMade, "no record was named");
        return None;
    };
    let entry = recorded(&proof, &claims, &consent.credential, record, now, view)?;
    let (mirror, at) = match &record.mirror {
        Ok(found) => found,
        Err(failure) if failure.code == Code::LogForked => return fail(view, "ledger-record", failure.to_string()),
        Err(failure) => {
            row(view, "ledger-record", CheckResult::NotMade, failure.to_string());
            return None;
        }
    };
    view.live_at = Some(*at);
    view.log_size = Some(mirror.size());
    let index = view.given.as_ref().map(|given| given.index)?;
    if !mirror.entry(index).is_ok_and(|found| found.as_deref() == Some(entry.bytes())) {
        return fail(view, "ledger-record", "the record has another entry at this place");
    }
    let root = mirror.checkpoint().map_or_else(String::new, |checkpoint| checkpoint.root.to_string());
    // An entry that breaks the rules counts for nothing, and could be a withdrawal: then nobody can say yes.
    if mirror.refused() > 0 {
        return fail(view, "ledger-record", format!("{} entries of the record break its rules", mirror.refused()));
    }
    pass(view, "ledger-record", format!("{} entries, root {root}", mirror.size()));
    if let Some(policy) = record.policy {
        let note = mirror.checkpoint().map_or("", |checkpoint| checkpoint.note());
        quorum(policy, note, now, view)?;
    }
    let Some(subject) = mirror.state().subject(&entry.event().subject) else {
        return fail(view, "ledger-live", "the record does not know this subject");
    };
    live(subject, &entry, *at, view).map(|state| (claims, state))
}

fn read_proof(bytes: &[u8], view: &mut CheckView) -> Option<Proof> {
    if bytes.len() > MAX_PROOF {
        return fail(view, "size", format!("larger than {MAX_PROOF} bytes"));
    }
    let strict = identity::canonical::parse_strict(bytes, MAX_PROOF, 32).ok();
    let proof =
        strict.and_then(|value| serde_json::from_value::<Proof>(value).ok()).filter(|proof| proof.format == FORMAT);
    match proof {
        Some(proof) => Some(proof),
        None => fail(view, "json", "not a proof of consent"),
    }
}

async fn presented(
    proof: &Proof,
    expected: &Expected,
    now: Timestamp,
    view: &mut CheckView,
) -> Option<identity::HeldCredentials> {
    let audience = expected.audience.clone().or_else(|| {
        let credential = &proof.presentation["verifiableCredential"];
        let credential = credential.get(0).unwrap_or(credential);
        Some(credential["credentialSubject"]["recipient"].as_str()?.to_owned())
    });
    let mut expected_of = ExpectedPresentation {
        challenge: expected.challenge.clone(),
        domain: audience.unwrap_or_default(),
        transaction: None,
        now,
        max_age_seconds: FILE_AGE,
    };
    if let Some(request) = expected.request.clone() {
        expected_of.challenge = Some(request.nonce);
        expected_of.domain = request.client_id;
        expected_of.transaction = request.transaction;
    }
    let bytes = serde_json::to_vec(&proof.presentation).ok()?;
    let verification = verify_presentation(&bytes, &expected_of).await;
    add_all(view, &verification.checks);
    verification.verified.map(identity::Verified::into_inner)
}

/// The entry says what the credential says, its subject signed it, and its receipt proves it into the log.
fn recorded(
    proof: &Proof,
    claims: &ConsentClaims,
    credential: &identity::Credential,
    record: &Record<'_>,
    now: Timestamp,
    view: &mut CheckView,
) -> Option<ConsentEntry> {
    const NAME: &str = "ledger-entry";
    if claims.biobank != *record.biobank {
        return fail(view, NAME, "the consent belongs to another biobank's record");
    }
    let Ok(entry) = ConsentEntry::parse(proof.entry.as_bytes()) else {
        return fail(view, NAME, "the entry is not well formed");
    };
    let Some(given) = entry.event().given() else { return fail(view, NAME, "the entry gives no consent") };
    let same_credential = given.credential == Hash::from(credential.hash());
    let same_policy = given.policy == Hash::from(policy_hash(credential.id(), &claims.policy));
    let same_end = given.until == claims.policy.until;
    if !same_credential || !same_policy || !same_end || *entry.signer() != claims.subject {
        return fail(view, NAME, "the entry does not record this consent");
    }
    let by = |key: &VerifierKey| Receipt::verify(&proof.receipt, entry.bytes(), key);
    let by_former = record.former.iter().find_map(|key| by(key).ok());
    match by_former.map_or_else(|| by(record.vkey), Ok) {
        Ok(included) => {
            let given =
                Recorded { index: included.index(), hash: entry.hash().to_string(), checked: now, quorum: None };
            pass(view, NAME, format!("entry {}, {}", given.index, given.hash));
            view.given = Some(given);
            Some(entry)
        }
        Err(error) => fail(view, NAME, error.to_string()),
    }
}

/// Enough other institutions saw the same record. One alone could show each reader another.
fn quorum(policy: &TrustPolicy, note: &str, now: Timestamp, view: &mut CheckView) -> Option<()> {
    const NAME: &str = "ledger-quorum";
    let quorum = crate::quorum::view(policy, note, now);
    let missing = quorum.missing.join(", ");
    if quorum.reached {
        pass(view, NAME, quorum.signed.join(", "));
        return Some(());
    }
    row(view, NAME, CheckResult::NotMade, format!("not signed yet by {missing}"));
    None
}

/// Where the consent of this entry stands by the folded record: what the record says is what is decided on.
fn live(subject: &SubjectState, entry: &ConsentEntry, at: Timestamp, view: &mut CheckView) -> Option<ConsentState> {
    const NAME: &str = "ledger-live";
    let latest = Recorded { index: subject.latest_index, hash: subject.latest.to_string(), checked: at, quorum: None };
    let state = subject.state_at(at.date());
    if subject.grant.entry != entry.hash() {
        // A later version, or a consent that was given anew: this one is history.
        pass(view, NAME, format!("replaced by entry {}", subject.grant.index));
        return Some(ConsentState::Superseded);
    }
    if state.withdrawal().is_some() {
        pass(view, NAME, format!("withdrawn by entry {}", latest.index));
        view.withdrawn = Some(latest);
    } else if subject.latest == entry.hash() {
        pass(view, NAME, "no later entry changes it");
    } else {
        pass(view, NAME, format!("{} by entry {}", state.code(), latest.index));
    }
    Some(state)
}

/// A message with the names of diseases in place of their terms: the window has no hierarchy.
fn named(mut message: Message) -> Message {
    for value in message.args.values_mut() {
        let is_term =
            |word: &str| word.split_once(':').is_some_and(|(_, digits)| digits.bytes().all(|b| b.is_ascii_digit()));
        if value.split(", ").all(is_term) {
            *value = value.split(", ").map(disease_name).collect::<Vec<_>>().join("\n");
        }
    }
    message
}

/// A reason as a screen shows it.
fn reason(reason: &Reason<'_>) -> ReasonView {
    ReasonView {
        outcome: reason.outcome,
        message: named(reason.message()),
        policy: reason.policy.to_string(),
        purpose: reason.purpose.to_string(),
    }
}

/// The failure that names the first check that did not pass.
pub fn first_failed(checks: &[Check]) -> Failure {
    let failed = checks.iter().find(|check| check.result == identity::CheckResult::Failed);
    Failure::new(Code::NotValid).with("check", failed.map_or("signature", |check| check.name))
}

/// Why there is no answer: the first check that did not pass.
pub fn why_not(view: &CheckView) -> Option<&CheckRow> {
    view.checks.iter().find(|check| check.result != CheckResult::Passed)
}

fn empty_view() -> CheckView {
    CheckView {
        outcome: None,
        reasons: Vec::new(),
        duties: Vec::new(),
        checks: Vec::new(),
        study: None,
        data: Vec::new(),
        signer: None,
        given: None,
        withdrawn: None,
        live_at: None,
        log_size: None,
    }
}

fn add_all(view: &mut CheckView, checks: &[Check]) {
    for check in checks {
        let result = match check.result {
            identity::CheckResult::Passed => CheckResult::Passed,
            identity::CheckResult::Failed => CheckResult::Failed,
            _ => CheckResult::NotMade,
        };
        // The presentation and the credential in it pass through the same checks: one row each, the worse result.
        match view.checks.iter_mut().find(|before| before.name == check.name) {
            Some(before) if before.result == CheckResult::Passed => {
                before.result = result;
                if result != CheckResult::Passed {
                    before.detail.clone_from(&check.detail);
                }
            }
            Some(_) => {}
            None => row(view, check.name, result, check.detail.clone()),
        }
    }
}

fn row(view: &mut CheckView, name: &str, result: CheckResult, detail: impl Into<String>) {
    view.checks.push(CheckRow { name: name.to_owned(), result, detail: detail.into() });
}

fn pass(view: &mut CheckView, name: &str, detail: impl Into<String>) {
    row(view, name, CheckResult::Passed, detail);
}

fn fail<T>(view: &mut CheckView, name: &str, detail: impl Into<String>) -> Option<T> {
    row(view, name, CheckResult::Failed, detail);
    None
}
