//! Access to what a study holds: asked for, decided, granted, used.

use super::{Applied, Effect, MAX_GRANT_SECONDS, Records, Rejected, Rules};
use crate::event::{AccessDecision, AccessGrant, AccessRequest, AccessUse, Role};
use crate::hash::EntryHash;
use crate::record::{AccessRecord, Key, Record, RequestRecord};
use consent::Outcome;

impl<R: Records> Rules<'_, R> {
    fn find_request(&self, request: &EntryHash) -> Result<&RequestRecord, Rejected> {
        let key = Key::request(request);
        match self.records.record(&key) {
            Some(Record::Request(known)) => Ok(known),
            _ => Err(Rejected::NotThere(key)),
        }
    }

    pub(super) fn request(&self, said: &AccessRequest) -> Result<Applied, Rejected> {
        let member = self.by(&[Role::Researcher])?;
        if member.organisation != said.organisation.as_str() {
            return Err(Rejected::NotAllowed);
        }
        let current = self.find_study(&said.study).filter(|study| study.open && study.version == said.version);
        if current.is_none() {
            return Err(Rejected::NotThere(Key::study(&said.study)));
        }
        // A second time it would take back the answer.
        let key = Key::request(&self.entry.hash());
        if self.records.record(&key).is_some() {
            return Err(Rejected::NotNew(key));
        }
        let record = RequestRecord {
            decided: None,
            organisation: said.organisation.to_string(),
            outcome: None,
            purpose: said.purpose,
            requester: self.entry.signer().clone(),
            study: said.study.clone(),
            until: None,
        };
        Ok(Applied::one(key, Record::Request(record), Effect::None))
    }

    pub(super) fn decision(&self, said: &AccessDecision) -> Result<Applied, Rejected> {
        self.by(&[Role::Committee])?;
        let mut record = self.find_request(&said.request)?.clone();
        // A no is the end of a request; a yes can only be taken back; what is under review can become either.
        let possible = match (record.outcome, said.outcome) {
            (None, _) | (Some(Outcome::Review), Outcome::Permit | Outcome::Deny) => true,
            (Some(Outcome::Permit), Outcome::Deny) => true,
            (Some(_), _) => false,
        };
        if !possible {
            return Err(Rejected::NotNew(Key::request(&said.request)));
        }
        if said.until.is_some_and(|until| until < said.time.date() || said.outcome != Outcome::Permit) {
            return Err(Rejected::Time);
        }
        (record.decided, record.outcome, record.until) = (Some(self.index), Some(said.outcome), said.until);
        let effect = Effect::Decision { request: said.request, outcome: said.outcome };
        Ok(Applied::one(Key::request(&said.request), Record::Request(record), effect))
    }

    pub(super) fn grant(&self, said: &AccessGrant) -> Result<Applied, Rejected> {
        self.by_institution()?;
        let holder = self.find_member(&said.holder).filter(|member| member.active);
        let holder = holder.filter(|member| member.role == Role::Researcher);
        let holder = holder.ok_or_else(|| Rejected::NotThere(Key::member(&said.holder)))?;
        if said.expires <= said.time || said.expires > said.time.plus_seconds(MAX_GRANT_SECONDS) {
            return Err(Rejected::Time);
        }
        if let Some(request) = &said.request {
            let known = self.find_request(request)?;
            let same = known.purpose == said.purpose && known.organisation == holder.organisation;
            if known.outcome != Some(Outcome::Permit) || !same {
                return Err(Rejected::NotThere(Key::request(request)));
            }
            if known.until.is_some_and(|until| said.expires.date() > until) {
                return Err(Rejected::Time);
            }
        }
        let key = Key::grant(&self.entry.hash());
        if self.records.record(&key).is_some() {
            return Err(Rejected::NotNew(key));
        }
        let record = AccessRecord {
            expires: said.expires,
            holder: said.holder.clone(),
            purpose: said.purpose,
            time: said.time,
            used: None,
        };
        Ok(Applied::one(key, Record::Access(record), Effect::None))
    }

    pub(super) fn used(&self, said: &AccessUse) -> Result<Applied, Rejected> {
        let key = Key::grant(&said.grant);
        let Some(Record::Access(grant)) = self.records.record(&key) else { return Err(Rejected::NotThere(key)) };
        // Who holds the grant tells of its use, or the institution that watches over it.
        let holds = grant.holder == *self.entry.signer() && self.by(&[Role::Researcher]).is_ok();
        if !holds && self.by_institution().is_err() {
            return Err(Rejected::NotAllowed);
        }
        if said.time < grant.time || said.time >= grant.expires {
            return Err(Rejected::Time);
        }
        let record = AccessRecord { used: Some(self.index), ..grant.clone() };
        Ok(Applied::one(key, Record::Access(record), Effect::Use { grant: said.grant }))
    }
}
