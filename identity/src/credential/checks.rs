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
    /// An earlier failure left nothing to check.
    NotMade,
}

/// One check by name, with its result and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The name, one of `size`, `json`, `context`, `type`, `proof-count`, `suite`, `purpose`, `signer-is-issuer`,
    /// `created`, `expires`, `challenge`, `audience`, `transaction-data`, `valid-from`, `valid-until`, `signature`, `claims`; of any
    /// credential also `id`, `issuer`, `holder`, `subject`, `members`, `terms`, `credentials`, `proof-shape` and
    /// `previous-proof`.
    pub name: &'static str,
    /// The result.
    pub result: CheckResult,
    /// Why, in words for the technical details; holds no personal data.
    pub detail: String,
}

/// All checks, and the verified content if every one of them passed.
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
        let not_made = |name: &&'static str| Check { name, result: CheckResult::NotMade, detail: String::new() };
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
                self.0.push(Check { name, result, detail });
                value
            }
        }
    }

    /// Says more about a check that passed.
    pub(crate) fn remark(&mut self, name: &str, remark: &str) {
        for check in self.0.iter_mut().filter(|check| check.name == name && check.result == CheckResult::Passed) {
            check.detail = remark.to_owned();
        }
    }

    pub(crate) fn all_passed(&self, names: &[&str]) -> bool {
        let passed = |check: &&Check| check.result == CheckResult::Passed;
        names.iter().all(|name| self.0.iter().filter(passed).any(|check| check.name == *name))
    }

    /// The end: `content` becomes verified if it exists and every check passed.
    pub(crate) fn conclude<T>(self, content: Option<T>) -> Verification<T> {
        let passed = self.0.iter().all(|check| check.result == CheckResult::Passed);
        let verified = if passed { content.map(Verified) } else { None };
        Verification { checks: self.0, verified }
    }
}
