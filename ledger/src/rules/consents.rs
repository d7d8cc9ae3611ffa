//! The life of a consent, and the keys that speak for a donor.

use super::{Applied, Effect, Records, Rejected, Rules, follows};
use crate::entry::ConsentEvent;
use crate::event::{Asking, Ending, KeyRebinding, KeyRotation, Role};
use crate::hash::{EntryHash, Hash};
use crate::record::{GrantRecord, InstitutionWord, Key, Record, SubjectState};
use consent::{ConsentState, ImpossibleMove, Move};
use identity::Did;

impl<R: Records> Rules<'_, R> {
    /// What a subject becomes by a donor's entry.
    pub(super) fn consent(&self, event: &ConsentEvent) -> Result<Applied, Rejected> {
        let known = self.find_subject(&event.subject);
        // A foreign key learns nothing of the subject, not even its latest entry.
        if known.is_some_and(|subject| subject.signer != *self.entry.signer()) {
            return Err(Rejected::ForeignKey);
        }
        let latest = known.map(|subject| subject.latest);
        if known.is_none() && event.given().is_none() {
            return Err(Rejected::NotGranted);
        }
        if event.previous != latest && !ends_whatever_came(known, event) {
            return Err(Rejected::PreviousMismatch { latest });
        }
        let (on, step, standing) = (event.time.date(), event.step(), known.map(|it| it.standing).unwrap_or_default());
        let before = standing.at(on);
        if let (Move::Give, Some(cause)) = (step, known.and_then(SubjectState::closed)) {
            // Whoever signed falsely, or against a court, could otherwise just sign again.
            let from = if cause.step() == Move::Revoke { ConsentState::Revoked } else { ConsentState::Invalidated };
            return Err(Rejected::Impossible(ImpossibleMove { from, step }));
        }
        let standing = standing.after(step, on, event.until()).map_err(Rejected::Impossible)?;
        let (signer, hash, index) = (self.entry.signer().clone(), self.entry.hash(), self.index);
        let grant = match (event.given(), known) {
            (Some(given), _) => {
                let (policy, credential, time) = (given.policy, given.credential, event.time);
                GrantRecord { entry: hash, index, policy, credential, time }
            }
            (None, Some(known)) => known.grant.clone(),
            (None, None) => return Err(Rejected::NotGranted),
        };
        let effect = Effect::Consent { subject: event.subject, before, after: standing.at(on) };
        let institution = known.and_then(|known| known.institution.clone());
        let subject = SubjectState { signer, standing, grant, institution, latest: hash, latest_index: index };
        Ok(Applied::one(Key::subject(&event.subject), Record::Subject(subject), effect))
    }

    /// The latest entry of the subject is this one now.
    fn subject(&self, subject: Hash, state: SubjectState, effect: Effect) -> Applied {
        let state = SubjectState { latest: self.entry.hash(), latest_index: self.index, ..state };
        Applied::one(Key::subject(&subject), Record::Subject(state), effect)
    }

    pub(super) fn ending(&self, said: &Ending) -> Result<Applied, Rejected> {
        self.by_institution()?;
        let known = self.find_subject(&said.subject).ok_or(Rejected::NotGranted)?;
        if let Some(word) = &known.institution {
            follows(word.time, said.time)?;
            if word.cause == Some(said.cause) {
                return Err(Rejected::NotNew(Key::subject(&said.subject)));
            }
        }
        let on = said.time.date();
        let before = known.standing.at(on);
        // Where nothing may be used the state stays as it is, but the way back is closed all the same: who signed
        // falsely must not be able to prevent that by taking the consent back first.
        let standing = match known.standing.after(said.cause.step(), on, None) {
            Ok(standing) => standing,
            Err(_) if !before.allows_use() => known.standing,
            Err(impossible) => return Err(Rejected::Impossible(impossible)),
        };
        let institution = Some(InstitutionWord { cause: Some(said.cause), time: said.time });
        let effect = Effect::Consent { subject: said.subject, before, after: standing.at(on) };
        Ok(self.subject(said.subject, SubjectState { standing, institution, ..known.clone() }, effect))
    }

    pub(super) fn asking(&self, said: &Asking) -> Result<Applied, Rejected> {
        self.by_institution()?;
        let known = self.find_subject(&said.subject).ok_or(Rejected::NotGranted)?;
        let Some(InstitutionWord { cause: Some(_), time }) = known.institution else {
            return Err(Rejected::NotNew(Key::subject(&said.subject)));
        };
        follows(time, said.time)?;
        // The state stays: what was ended stays ended until the donor says yes.
        let institution = Some(InstitutionWord { cause: None, time: said.time });
        let effect = Effect::Asked { subject: said.subject };
        Ok(self.subject(said.subject, SubjectState { institution, ..known.clone() }, effect))
    }

    pub(super) fn rotation(&self, said: &KeyRotation) -> Result<Applied, Rejected> {
        let known = self.find_subject(&said.subject).ok_or(Rejected::NotGranted)?;
        if known.signer != *self.entry.signer() {
            return Err(Rejected::ForeignKey);
        }
        self.bind(said.subject, known, said.previous, &said.key)
    }

    pub(super) fn rebinding(&self, said: &KeyRebinding) -> Result<Applied, Rejected> {
        let first = self.by(&[Role::Staff])?;
        let approver = said.approver().ok_or(Rejected::NotAllowed)?;
        let second = self.find_member(&approver).filter(|member| member.active && member.role == Role::Staff);
        // Two people, of one organisation.
        let two = approver != *self.entry.signer() && second.is_some_and(|it| it.organisation == first.organisation);
        if !two {
            return Err(Rejected::NotAllowed);
        }
        let known = self.find_subject(&said.subject).ok_or(Rejected::NotGranted)?;
        self.bind(said.subject, known, said.previous, &said.key)
    }

    fn bind(&self, subject: Hash, known: &SubjectState, previous: EntryHash, key: &Did) -> Result<Applied, Rejected> {
        if known.latest != previous {
            return Err(Rejected::PreviousMismatch { latest: Some(known.latest) });
        }
        if known.signer == *key {
            return Err(Rejected::NotNew(Key::subject(&subject)));
        }
        // Nobody who acts at the institution, or ever did, speaks for a donor with the same key.
        if self.find_member(key).is_some() {
            return Err(Rejected::NotAllowed);
        }
        let state = SubjectState { signer: key.clone(), ..known.clone() };
        Ok(self.subject(subject, state, Effect::Key { subject, key: key.clone() }))
    }
}

/// Whether this is a withdrawal from what the subject last gave: it counts wherever it stands, so that whoever has not
/// seen the latest entry can still take the consent back. It says so by naming the version that it ends, or by being
/// no older than it: one that was signed before the consent was given (again) is an old one that somebody held back.
fn ends_whatever_came(known: Option<&SubjectState>, event: &ConsentEvent) -> bool {
    let ends = |grant: &GrantRecord| event.previous == Some(grant.entry) || event.time >= grant.time;
    matches!(event.step(), Move::Withdraw(_)) && known.is_some_and(|subject| ends(&subject.grant))
}
