//! The life of a consent: requested, given, withdrawn.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a consent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ConsentState {
    /// Asked, not answered (DPV `ConsentRequested`).
    Requested,
    /// "Decide later" (DPV `ConsentRequestDeferred`).
    Deferred,
    /// Answered with no (DPV `ConsentRefused`).
    Refused,
    /// Given, and valid for use (DPV `ConsentGiven`).
    Active,
    /// Taken back (DPV `ConsentWithdrawn`).
    Withdrawn,
}

/// A step that a person takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Move {
    /// A study asks (again).
    Ask,
    /// The donor wants to decide later.
    Defer,
    /// The donor says no.
    Refuse,
    /// The donor says yes.
    Give,
    /// The donor takes it back.
    Withdraw,
}

/// A move that the life cycle does not know from this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImpossibleMove {
    /// Where the consent stands.
    pub from: ConsentState,
    /// What was tried.
    pub step: Move,
}

impl fmt::Display for ImpossibleMove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a consent that is {:?} can not take the step {:?}", self.from, self.step)
    }
}

impl std::error::Error for ImpossibleMove {}

/// The state after a move.
pub fn advance(from: ConsentState, step: Move) -> Result<ConsentState, ImpossibleMove> {
    use ConsentState::{Active, Deferred, Refused, Requested, Withdrawn};
    match (from, step) {
        (Requested, Move::Defer) => Ok(Deferred),
        (Requested | Deferred, Move::Refuse) => Ok(Refused),
        (Requested | Deferred, Move::Give) => Ok(Active),
        (Active, Move::Withdraw) => Ok(Withdrawn),
        (Refused | Withdrawn, Move::Ask) => Ok(Requested),
        _ => Err(ImpossibleMove { from, step }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let step =
            prop_oneof![Just(Move::Ask), Just(Move::Defer), Just(Move::Refuse), Just(Move::Give), Just(Move::Withdraw)];
        proptest::collection::vec(step, 0..30)
    }

    proptest! {
        #[test]
        fn a_withdrawn_consent_is_active_again_only_after_being_asked_and_given_again(steps in moves()) {
            let mut state = ConsentState::Requested;
            let mut asked = true;
            for step in steps {
                let Ok(next) = advance(state, step) else { continue };
                if step == Move::Ask { asked = true }
                if step == Move::Withdraw || step == Move::Refuse { asked = false }
                prop_assert!(next != ConsentState::Active || (asked && step == Move::Give));
                state = next;
            }
        }
    }

    #[test]
    fn withdrawing_twice_is_impossible_and_says_so() {
        let error = advance(ConsentState::Withdrawn, Move::Withdraw).unwrap_err();
        assert_eq!(error.to_string(), "a consent that is Withdrawn can not take the step Withdraw");
    }
}
