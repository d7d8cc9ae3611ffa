//! The life of samples.

use super::{Applied, Effect, Records, Rejected, Rules};
use crate::event::{Role, SampleEvent, SampleStep};
use crate::record::{Key, Record, SampleRecord};

impl<R: Records> Rules<'_, R> {
    pub(super) fn sample(&self, said: &SampleEvent) -> Result<Applied, Rejected> {
        self.by(&[Role::Institution, Role::Staff])?;
        let key = Key::sample(&said.sample);
        let known = match self.records.record(&key) {
            Some(Record::Sample(known)) => Some(known),
            _ => None,
        };
        let latest = known.map(|sample| sample.latest);
        if said.previous != latest {
            return Err(Rejected::PreviousMismatch { latest });
        }
        let begins = matches!(said.step, SampleStep::Collect | SampleStep::Derive);
        if begins != known.is_none() || known.is_some_and(|sample| !sample.is_there()) {
            return Err(if begins { Rejected::NotNew(key) } else { Rejected::NotThere(key) });
        }
        match (said.step, &said.parent) {
            (SampleStep::Derive, Some(parent)) => {
                let parent = Key::sample(parent);
                let there = matches!(self.records.record(&parent), Some(Record::Sample(it)) if it.is_there());
                if !there {
                    return Err(Rejected::NotThere(parent));
                }
            }
            (SampleStep::Derive, None) => return Err(Rejected::NotThere(key)),
            (_, Some(_)) => return Err(Rejected::NotAllowed),
            (_, None) => {}
        }
        let record = SampleRecord {
            latest: self.entry.hash(),
            parent: said.parent.or(known.and_then(|sample| sample.parent)),
            place: said.place.as_ref().map(ToString::to_string).or(known.and_then(|sample| sample.place.clone())),
            step: said.step,
        };
        Ok(Applied::one(key, Record::Sample(record), Effect::None))
    }
}
