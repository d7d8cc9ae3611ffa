//! Studies and policies, the sets of who consents, and the places where checkpoints are kept as well.

use super::{Applied, Effect, Records, Rejected, Rules, follows};
use crate::event::{Anchor, PolicyVersion, Role, Snapshot, StudyVersion};
use crate::record::{AnchorRecord, Key, PolicyRecord, Record, SnapshotRecord, StudyRecord};

impl<R: Records> Rules<'_, R> {
    pub(super) fn study(&self, said: &StudyVersion) -> Result<Applied, Rejected> {
        self.by(&[Role::Institution, Role::Staff])?;
        let key = Key::study(&said.study);
        let next = StudyRecord {
            latest: self.index,
            open: said.open,
            organisation: said.organisation.to_string(),
            request: said.request,
            time: said.time,
            version: said.version,
        };
        if let Some(known) = self.find_study(&said.study) {
            follows(known.time, said.time)?;
            // One version has one text. What is left to say of it is whether it is open.
            let same = known.version == next.version && known.request == next.request;
            let turned = same && known.open != next.open && known.organisation == next.organisation;
            if next.version <= known.version && !turned {
                return Err(Rejected::NotNew(key));
            }
        }
        let effect = Effect::Study { study: said.study.clone(), version: said.version, open: said.open };
        Ok(Applied::one(key, Record::Study(next), effect))
    }

    pub(super) fn policy(&self, said: &PolicyVersion) -> Result<Applied, Rejected> {
        self.by_institution()?;
        let key = Key::policy(said.policy.as_str());
        let known = match self.records.record(&key) {
            Some(Record::Policy(known)) => known.version,
            _ => 0,
        };
        if said.version <= known {
            return Err(Rejected::NotNew(key));
        }
        let record = PolicyRecord { document: said.document, latest: self.index, version: said.version };
        Ok(Applied::one(key, Record::Policy(record), Effect::None))
    }

    pub(super) fn snapshot(&self, said: &Snapshot) -> Result<Applied, Rejected> {
        self.by_institution()?;
        if self.find_study(&said.study).is_none() {
            return Err(Rejected::NotThere(Key::study(&said.study)));
        }
        let key = Key::snapshot(&said.study, said.epoch, &said.purpose);
        if self.records.record(&key).is_some() {
            return Err(Rejected::NotNew(key));
        }
        let record = SnapshotRecord { entry: self.index, key: said.key, root: said.root, size: said.size };
        Ok(Applied::one(key, Record::Snapshot(record), Effect::None))
    }

    pub(super) fn anchor(&self, said: &Anchor) -> Result<Applied, Rejected> {
        self.by_institution()?;
        let key = Key::anchor(said.kind.as_str());
        let known = match self.records.record(&key) {
            Some(Record::Anchor(known)) => known.size,
            _ => 0,
        };
        // A checkpoint that is kept elsewhere covers entries before this one, and more than the one before it.
        if said.size > self.index || said.size <= known {
            return Err(Rejected::NotNew(key));
        }
        let record = AnchorRecord { entry: self.index, root: said.root, size: said.size };
        Ok(Applied::one(key, Record::Anchor(record), Effect::None))
    }
}
