//! Who may act, and under which keys the institution and its log speak.

use super::{Applied, Effect, Records, Rejected, Rules, follows};
use crate::event::{InstitutionKey, LogKeyChange, MemberChange, Role};
use crate::record::{AuthorityRecord, Key, MemberRecord, Record};

/// The length of an Ed25519 key; the other kind of a log's keys is much longer.
const ED25519_BYTES: usize = 32;

impl<R: Records> Rules<'_, R> {
    pub(super) fn member(&self, said: &MemberChange) -> Result<Applied, Rejected> {
        let (key, time) = (Key::member(&said.member), said.time);
        let (active, role, organisation) = (said.active, said.role, said.organisation.to_string());
        let record = MemberRecord { active, organisation, role, since: self.index, time };
        let effect = Effect::Member { member: said.member.clone(), active };
        if self.find_authority().is_none() {
            // The log is founded: the institution names itself.
            if role != Role::Institution || !active || said.member != *self.entry.signer() {
                return Err(Rejected::NotAllowed);
            }
            let authority = AuthorityRecord { key: said.member.clone(), ml_dsa_vkey: None, time, vkey: None };
            let changes = vec![(Key::authority(), Record::Authority(authority)), (key, Record::Member(record))];
            return Ok(Applied::new(changes, effect));
        }
        self.by_institution()?;
        let known = self.find_member(&said.member);
        // The institution changes its own key by an entry of its own kind, and can not lock itself out. A key that
        // spoke for it once never comes back as anything else.
        if role == Role::Institution || known.is_some_and(|known| known.role == Role::Institution) {
            return Err(Rejected::NotAllowed);
        }
        match known {
            None if !active => return Err(Rejected::NotThere(key)),
            None => {}
            Some(known) => {
                follows(known.time, time)?;
                let same = (known.active, known.role, &known.organisation) == (active, role, &record.organisation);
                if same {
                    return Err(Rejected::NotNew(key));
                }
            }
        }
        Ok(Applied::one(key, Record::Member(record), effect))
    }

    pub(super) fn institution_key(&self, said: &InstitutionKey) -> Result<Applied, Rejected> {
        let authority = self.by_institution()?;
        follows(authority.time, said.time)?;
        let now = self.find_member(self.entry.signer()).ok_or(Rejected::NotAllowed)?;
        // Neither a member nor a former key of the institution.
        if self.find_member(&said.key).is_some() {
            return Err(Rejected::NotNew(Key::member(&said.key)));
        }
        let authority = AuthorityRecord { key: said.key.clone(), time: said.time, ..authority.clone() };
        let old = MemberRecord { active: false, since: self.index, time: said.time, ..now.clone() };
        let new = MemberRecord { active: true, ..old.clone() };
        let changes = vec![
            (Key::authority(), Record::Authority(authority)),
            (Key::member(self.entry.signer()), Record::Member(old)),
            (Key::member(&said.key), Record::Member(new)),
        ];
        Ok(Applied::new(changes, Effect::Member { member: said.key.clone(), active: true }))
    }

    pub(super) fn log_key(&self, said: &LogKeyChange) -> Result<Applied, Rejected> {
        let mut authority = self.by_institution()?.clone();
        follows(authority.time, said.time)?;
        let text = said.vkey.to_string();
        let known = [&authority.vkey, &authority.ml_dsa_vkey];
        if known.into_iter().any(|known| known.as_ref() == Some(&text)) {
            return Err(Rejected::NotNew(Key::authority()));
        }
        // The name of the key is the origin, and a log has one.
        let name = |vkey: &str| vkey.split('+').next().map(str::to_owned);
        if known.into_iter().flatten().any(|known| name(known).as_deref() != Some(said.vkey.name())) {
            return Err(Rejected::NotAllowed);
        }
        let ed25519 = said.vkey.public_bytes().len() == ED25519_BYTES;
        *(if ed25519 { &mut authority.vkey } else { &mut authority.ml_dsa_vkey }) = Some(text);
        authority.time = said.time;
        Ok(Applied::one(Key::authority(), Record::Authority(authority), Effect::None))
    }
}
