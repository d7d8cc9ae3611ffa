//! A verification is a list of named checks. Nothing is verified unless every one of them passed.

use std::fmt;
use std::ops::Deref;

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckResult {
    /// As it must be.
    Passed,
    /// Not as it must be.
    Failed,
    /// Nobody could check: an earlier failure left nothing to look at, or nobody knew the answer. That is no yes.
    NotMade,
    /// Not checked, and the verifier had said beforehand that it need not be.
    Waived,
}

/// One check by name, with its result and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The name, one of `size`, `json`, `context`, `type`, `proof-count`, `suite`, `purpose`, `signer-is-issuer`,
    /// `created`, `expires`, `challenge`, `audience`, `transaction-data`, `valid-from`, `valid-until`, `signature`,
    /// `claims`; of any credential also `id`, `issuer`, `holder`, `subject`, `members`, `terms`, `credentials`, `proof-shape`,
    /// `freshness`, `previous-proof`, `resolution`, `schema`, `status` and `trust`; of tokens also `form`, `header`,
    /// `typ`, `algorithm`, `disclosures`, `key-binding` and `sd-hash`; of envelopes `envelope`.
    pub name: &'static str,
    /// The result.
    pub result: CheckResult,
    /// Why, in words for the technical details; holds no personal data.
    pub detail: String,
    /// From what the result is known, where that is not the document itself: whose list, and how old.
    pub evidence: String,
}

impl Check {
    fn new(name: &'static str, result: CheckResult, detail: String) -> Self {
        Self { name, result, detail, evidence: String::new() }
    }
}

/// All checks, and the verified content if every one of them passed (or was waived).
#[derive(Debug, Clone)]
pub struct Verification<T> {
    /// Every check, in a fixed order.
    pub checks: Vec<Check>,
    /// What was verified.
    pub verified: Option<Verified<T>>,
}

impl<T> Verification<T> {
    /// The names of the checks that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        self.checks.iter().filter(|check| check.result == CheckResult::Failed).map(|check| check.name).collect()
    }
}

/// Content that passed every check. Only the verify functions of this crate make one.
#[derive(Clone)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// Takes the content out; the proof that it was checked ends here.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Verified<T> {
    /// Nothing of the content, which is personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified")
    }
}

/// Collects results against a fixed list of names, so that a forgotten check shows as one that was not made.
pub(crate) struct Checks(Vec<Check>);

impl Checks {
    pub(crate) fn new(names: &[&'static str]) -> Self {
        let not_made = |name: &&'static str| Check::new(name, CheckResult::NotMade, String::new());
        Self(names.iter().map(not_made).collect())
    }

    /// Writes the result of a check and hands back its value if it passed.
    pub(crate) fn record<T>(&mut self, name: &'static str, result: Result<T, String>) -> Option<T> {
        let (result, detail, value) = match result {
            Ok(value) => (CheckResult::Passed, String::new(), Some(value)),
            Err(detail) => (CheckResult::Failed, detail, None),
        };
        match self.0.iter_mut().find(|check| check.name == name) {
            // A check that failed once stays failed.
            Some(check) if check.result == CheckResult::Failed => None,
            Some(check) => {
                (check.result, check.detail) = (result, detail);
                value
            }
            None => {
                self.0.push(Check::new(name, result, detail));
                value
            }
        }
    }

    /// Says from what it is known that a check passed; once more, if it was made more than once.
    pub(crate) fn show(&mut self, name: &str, evidence: &str) {
        for check in self.0.iter_mut().filter(|check| check.name == name && check.result == CheckResult::Passed) {
            if !check.evidence.is_empty() {
                check.evidence.push_str("; ");
            }
            check.evidence.push_str(evidence);
        }
    }

    /// Leaves a check open for this reason. Without it nothing is verified.
    pub(crate) fn leave(&mut self, name: &str, reason: &str) {
        self.stay(name, CheckResult::NotMade, reason);
    }

    /// Leaves a check open that the verifier does not ask for.
    pub(crate) fn waive(&mut self, name: &str, reason: &str) {
        self.stay(name, CheckResult::Waived, reason);
    }

    fn stay(&mut self, name: &str, result: CheckResult, reason: &str) {
        for check in self.0.iter_mut().filter(|check| check.name == name && check.result == CheckResult::NotMade) {
            (check.result, check.detail) = (result, reason.to_owned());
        }
    }

    pub(crate) fn all_passed(&self, names: &[&str]) -> bool {
        let passed = |check: &&Check| check.result == CheckResult::Passed;
        names.iter().all(|name| self.0.iter().filter(passed).any(|check| check.name == *name))
    }

    /// The end: `content` becomes verified if it exists and every check passed, or was waived.
    pub(crate) fn conclude<T>(self, content: Option<T>) -> Verification<T> {
        let passed = self.0.iter().all(|check| matches!(check.result, CheckResult::Passed | CheckResult::Waived));
        let verified = if passed { content.map(Verified) } else { None };
        Verification { checks: self.0, verified }
    }
}
