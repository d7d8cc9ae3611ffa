//! Decisions: whether what a donor allowed covers a purpose, signed by the institution, with the entries that it rests
//! on. Without the donor's credential there is no yes: the log alone says that a consent stands, not what it allows.

use super::rows::KeptPolicy;
use super::{Asked, Subject};
use crate::Problem;
use crate::biobank::Biobank;
use consent::{ConsentState, Date, Decision, Outcome, Policy, Purpose, StudyId, Timestamp, Vocabulary as _, decide};
use identity::{Did, sha256, sign_jws, to_canonical, verify_jws};
use ledger::{EntryHash, Frontier, Hash, leaf_hash};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The `typ` of a decision about one subject.
pub const DECISION_TYPE: &str = "decision.v1+jws";
/// The `typ` of a decision about many.
pub const DECISIONS_TYPE: &str = "decisions.v1+jws";
/// The most subjects of one question.
pub const MAX_SUBJECTS: usize = 1_000;

/// A consent is in force, and the credential that says what it allows was not handed over.
const NOT_HELD: &str = "credential-not-held";
/// The purpose names another organisation than the one that the consent is given to.
const OTHER_RECIPIENT: &str = "other-recipient";
/// The purpose names no organisation.
const RECIPIENT_NOT_NAMED: &str = "recipient-not-named";

/// The answer about one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The entry of the version that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<EntryHash>,
    /// What the user of the data owes in return, if permitted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duties: Vec<Value>,
    /// The latest entry of the subject: it says that nothing ended the consent since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<EntryHash>,
    /// Permit, review or deny.
    pub outcome: Outcome,
    /// Every reason with its code and the clauses that were compared, the strictest first.
    pub reasons: Vec<Value>,
    /// Where the consent stands.
    pub state: ConsentState,
    /// The study.
    pub study: StudyId,
    /// Whose consent: the commitment.
    pub subject: Hash,
}

impl Answer {
    /// Whether a committee's yes can stand in for the answer: a person may settle what the rules leave to a person,
    /// but nobody can allow what a donor is not known to have allowed.
    pub fn is_for_a_person(&self) -> bool {
        self.outcome == Outcome::Review && !self.reasons.iter().any(|reason| reason["code"] == NOT_HELD)
    }
}

/// The checkpoint under which a decision was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Under {
    /// Its root.
    pub root: Hash,
    /// Its size.
    pub size: u64,
}

/// What a decision says beside its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The newest checkpoint.
    pub checkpoint: Under,
    /// The hash of the purpose.
    pub purpose: Hash,
    /// Who asked.
    pub requester: Did,
    /// As of when.
    pub time: Timestamp,
}

/// A decision about one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct One {
    /// The frame.
    #[serde(flatten)]
    pub frame: Frame,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}

/// A decision about many: the root over their answers, in the order in which they were asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Many {
    /// The frame.
    #[serde(flatten)]
    pub frame: Frame,
    /// The Merkle tree hash (RFC 6962) of the canonical JSON of each answer.
    pub root: Hash,
    /// How many.
    pub size: u64,
    /// The study.
    pub study: StudyId,
}

/// Answers for one subject on a day.
pub fn answer(subject: &Subject, kept: Option<&KeptPolicy>, purpose: &Purpose, day: Date) -> Answer {
    let state = subject.state.as_ref();
    let stands = state.map_or(ConsentState::Requested, |state| state.state_at(day));
    let consent = state.map(|state| state.grant.entry);
    let answer = |outcome, reasons, duties| Answer {
        consent,
        duties,
        latest: state.map(|state| state.latest),
        outcome,
        reasons,
        state: stands,
        study: subject.study.clone(),
        subject: subject.name,
    };
    // The credential of another version says nothing about this one.
    let kept = kept.filter(|kept| Some(kept.entry) == consent);
    let (policy, recipient) = match kept {
        Some(kept) => (Policy { status: Some(stands), ..kept.policy.clone() }, Some(&kept.recipient)),
        None if stands.allows_use() => {
            return answer(Outcome::Review, vec![own(Outcome::Review, NOT_HELD, stands.code(), "")], Vec::new());
        }
        // What has ended, has ended whatever it allowed.
        None => (Policy { status: Some(stands), ..Policy::default() }, None),
    };
    let decision = decide(&policy, purpose, day);
    let (mut outcome, mut reasons, mut duties) = parts(&decision);
    let organisation = purpose.organisation.id.as_str();
    let objection = match recipient {
        Some(recipient) if organisation.is_empty() => {
            Some(own(Outcome::Review, RECIPIENT_NOT_NAMED, recipient, organisation))
        }
        Some(recipient) if organisation != recipient => {
            Some(own(Outcome::Deny, OTHER_RECIPIENT, recipient, organisation))
        }
        _ => None,
    };
    if let Some((stricter, reason)) = objection.map(|reason| (outcome_of(&reason), reason)) {
        let place = reasons.iter().position(|before| outcome_of(before) < stricter).unwrap_or(reasons.len());
        reasons.insert(place, reason);
        outcome = outcome.max(stricter);
        duties.clear();
    }
    answer(outcome, reasons, duties)
}

fn parts(decision: &Decision<'_>) -> (Outcome, Vec<Value>, Vec<Value>) {
    let reasons = decision.reasons.iter().map(|reason| json!(reason)).collect();
    (decision.outcome, reasons, decision.duties.iter().map(|duty| json!(duty)).collect())
}

/// A reason of the service, in the form of those of the matcher.
fn own(outcome: Outcome, code: &str, policy: &str, purpose: &str) -> Value {
    json!({ "outcome": outcome, "code": code, "policy": policy, "purpose": purpose })
}

fn outcome_of(reason: &Value) -> Outcome {
    serde_json::from_value(reason["outcome"].clone()).unwrap_or(Outcome::Deny)
}

/// Answers for all of these at one moment.
pub fn answers(
    biobank: &Biobank,
    subjects: &[Subject],
    purpose: &Purpose,
    now: Timestamp,
) -> Result<Vec<Answer>, Problem> {
    let one = |subject: &Subject| {
        let kept = biobank.desk.policy(&subject.name).map_err(Problem::internal)?;
        Ok(answer(subject, kept.as_ref(), purpose, now.date()))
    };
    subjects.iter().map(one).collect()
}

/// The frame of a decision that is made now.
pub fn frame(biobank: &Biobank, requester: &Did, asked: &Asked, now: Timestamp) -> Frame {
    let checkpoint = biobank.log.signed_checkpoint();
    let checkpoint = Under { root: checkpoint.root, size: checkpoint.size };
    Frame { checkpoint, purpose: asked.hash, requester: requester.clone(), time: now }
}

/// The root over the answers.
pub fn root_of(answers: &[Answer]) -> Hash {
    let mut tree = Frontier::new();
    for answer in answers {
        tree.push(leaf_hash(&to_canonical(answer).unwrap_or_default()));
    }
    tree.root()
}

/// Signs a decision.
pub fn sign(biobank: &Biobank, typ: &str, decision: &impl Serialize) -> Result<String, Problem> {
    Ok(sign_jws(&biobank.key, typ, &to_canonical(decision).map_err(Problem::internal)?))
}

/// A decision that was read again: its frame, its answers, and the hash by which a grant names it.
pub struct Read {
    /// The frame.
    pub frame: Frame,
    /// The answers.
    pub answers: Vec<Answer>,
    /// SHA-256 of the signed text.
    pub hash: Hash,
}

/// Reads a decision that this institution signed with its key of today: one that a former key signed, which may be in
/// other hands by now, has to be asked for again. Of one about many, the answers come beside it.
pub fn read(biobank: &Biobank, text: &str, beside: Vec<Answer>) -> Result<Read, Problem> {
    let jws = verify_jws(text).map_err(|_| Problem::malformed())?;
    if jws.signer != biobank.key.did() {
        return Err(Problem::not_allowed());
    }
    let hash = Hash::from(sha256(text.as_bytes()));
    match jws.typ.as_str() {
        DECISION_TYPE => {
            let one: One = serde_json::from_slice(&jws.payload).map_err(|_| Problem::malformed())?;
            Ok(Read { frame: one.frame, answers: vec![one.answer], hash })
        }
        DECISIONS_TYPE => {
            let many: Many = serde_json::from_slice(&jws.payload).map_err(|_| Problem::malformed())?;
            if many.size != beside.len() as u64 || many.root != root_of(&beside) {
                return Err(Problem::malformed());
            }
            Ok(Read { frame: many.frame, answers: beside, hash })
        }
        _ => Err(Problem::malformed()),
    }
}
