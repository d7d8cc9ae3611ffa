//! What a person does at the screens, without the screens: read, review, sign.

use bridge::{DonorStep, Failure};
use consent::{Choice, DataKind, StudyId, Withdrawal};
use ledger::EntryHash;
use wallet::{Profile, answer, views};

/// Signs a consent to the request as it is listed now, or changes the one in force.
pub async fn grant(profile: &Profile, study: &StudyId, data: &[DataKind]) -> Result<EntryHash, Failure> {
    choose(profile, study, &Choice { data: data.to_vec(), ..Choice::default() }).await
}

/// Signs a choice as a person does: request, review, signature.
pub async fn choose(profile: &Profile, study: &StudyId, choice: &Choice) -> Result<EntryHash, Failure> {
    let notice = views::request(profile, study).map(|request| request.notice).unwrap_or_default();
    let review = views::summary(profile, study, &notice, choice)?;
    answer::grant(profile, study, &notice, choice, &review.statement.digest).await
}

/// Takes a step as a person does: what it means, then the signature.
pub fn step(profile: &Profile, study: &StudyId, step: DonorStep) -> Result<EntryHash, Failure> {
    let shown = views::step(profile, study, step)?;
    answer::step(profile, study, step, &shown.statement.digest)
}

/// Leaves a study.
pub fn withdraw(profile: &Profile, study: &StudyId) -> Result<EntryHash, Failure> {
    step(profile, study, DonorStep::Withdraw { level: Withdrawal::NoUse })
}
