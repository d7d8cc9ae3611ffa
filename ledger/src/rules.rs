//! The rules of a log: what an entry changes, or why it changes nothing. Pure: no clock, no fractions, no order but
//! that of the entries, and nothing is read but the records that [`crate::keys_of`] names.

use crate::entry::{ConsentEvent, Entry, Event};
use crate::event::{
    AccessDecision, AccessGrant, AccessRequest, AccessUse, Anchor, Ending, InstitutionEvent, KeyRebinding, KeyRotation,
    MemberChange, PolicyVersion, Role, SampleEvent, SampleStep, Snapshot, StudyVersion,
};
use crate::hash::{EntryHash, Hash};
use crate::record::{
    AccessRecord, AnchorRecord, AuthorityRecord, GrantRecord, Key, MemberRecord, PolicyRecord, Record, RequestRecord,
    SampleRecord, SnapshotRecord, StudyRecord, SubjectState,
};
use consent::{ConsentState, ImpossibleMove, Move, Outcome, StudyId};
use identity::Did;

/// The longest grant of access, in seconds.
pub const MAX_GRANT_SECONDS: i64 = 3600;

/// Why an entry changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The first entry of a subject gives no consent.
    #[error("there is no consent that could be changed or ended")]
    NotGranted,
    /// The life cycle does not know the step from where the consent stands.
    #[error("{0}")]
    Impossible(ImpossibleMove),
    /// The entry follows another entry than the latest one.
    #[error("the entry does not follow the latest one of its subject")]
    PreviousMismatch {
        /// The latest entry of the subject; none if there is none.
        latest: Option<EntryHash>,
    },
    /// Another key than the one that is bound to it speaks for the subject.
    #[error("another key speaks for this subject")]
    ForeignKey,
    /// The signer may not say this.
    #[error("the signer may not say this")]
    NotAllowed,
    /// The entry names something that the log does not know, or that is not open.
    #[error("the entry is about something that is not there: {0}")]
    NotThere(Key),
    /// It was said before, or something newer was.
    #[error("the same or something newer was said before: {0}")]
    NotNew(Key),
    /// Times or dates do not fit each other.
    #[error("the times of the entry do not fit")]
    Time,
    /// The number is not above those that were seen.
    #[error("an entry is applied out of order")]
    OutOfOrder,
}

/// What an entry brings about beside the records: what others have to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// A consent changed its state, as of the day on which the entry was signed.
    Consent {
        /// Whose.
        subject: Hash,
        /// Where it stood.
        before: ConsentState,
        /// Where it stands.
        after: ConsentState,
    },
    /// Another key speaks for a subject.
    Key {
        /// For whom.
        subject: Hash,
        /// The key.
        key: Did,
    },
    /// A study has a new version, opens or closes.
    Study {
        /// Which.
        study: StudyId,
        /// The version.
        version: u32,
        /// Whether it is open.
        open: bool,
    },
    /// A request for access was answered.
    Decision {
        /// Which.
        request: EntryHash,
        /// How.
        outcome: Outcome,
    },
    /// Data were used.
    Use {
        /// Under which grant.
        grant: EntryHash,
    },
    /// Who may act changed.
    Member {
        /// Who.
        member: Did,
        /// Whether from now on they may.
        active: bool,
    },
    /// Nothing that others have to be told.
    None,
}

/// What an entry does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The records that it writes, in the order of the rules.
    pub changes: Vec<(Key, Record)>,
    /// What it brings about.
    pub effect: Effect,
}

/// Records by their keys. A host gives those that [`crate::keys_of`] names.
pub trait Records {
    /// The record under a key, if there is one.
    fn record(&self, key: &Key) -> Option<&Record>;
}

/// Judges entry number `index`.
pub fn apply(records: &impl Records, index: u64, entry: &Entry) -> Result<Applied, Rejected> {
    let event = match entry.said() {
        Event::Consent(event) => return consent(records, index, entry, event),
        Event::Institution(event) => event,
    };
    let rules = Rules { records, index, entry };
    match event {
        InstitutionEvent::Member(said) => rules.member(said),
        InstitutionEvent::InstitutionKey(said) => {
            let mut authority = rules.by_institution()?;
            let MemberRecord { organisation, .. } = rules.find_member(entry.signer()).ok_or(Rejected::NotAllowed)?;
            if rules.find_member(&said.key).is_some() {
                return Err(Rejected::NotNew(Key::member(&said.key)));
            }
            authority.key = said.key.clone();
            let organisation = organisation.clone();
            let old = MemberRecord {
                active: false,
                organisation: organisation.clone(),
                role: Role::Institution,
                since: index,
            };
            let new = MemberRecord { active: true, organisation, role: Role::Institution, since: index };
            let changes = vec![
                (Key::authority(), Record::Authority(authority)),
                (Key::member(entry.signer()), Record::Member(old)),
                (Key::member(&said.key), Record::Member(new)),
            ];
            Ok(Applied { changes, effect: Effect::Member { member: said.key.clone(), active: true } })
        }
        InstitutionEvent::LogKey(said) => {
            let mut authority = rules.by_institution()?;
            authority.vkey = Some(said.vkey.to_string());
            rules.write(Key::authority(), Record::Authority(authority), Effect::None)
        }
        InstitutionEvent::Study(said) => rules.study(said),
        InstitutionEvent::Policy(said) => rules.policy(said),
        InstitutionEvent::Ending(said) => rules.ending(said),
        InstitutionEvent::KeyRotation(said) => rules.rotation(said),
        InstitutionEvent::KeyRebinding(said) => rules.rebinding(said),
        InstitutionEvent::AccessRequest(said) => rules.request(said),
        InstitutionEvent::AccessDecision(said) => rules.decision(said),
        InstitutionEvent::AccessGrant(said) => rules.grant(said),
        InstitutionEvent::AccessUse(said) => rules.used(said),
        InstitutionEvent::Sample(said) => rules.sample(said),
        InstitutionEvent::Snapshot(said) => rules.snapshot(said),
        InstitutionEvent::Anchor(said) => rules.anchor(said),
    }
}

/// What a subject becomes by a donor's entry.
fn consent(records: &impl Records, index: u64, entry: &Entry, event: &ConsentEvent) -> Result<Applied, Rejected> {
    let key = Key::subject(&event.subject);
    let known = match records.record(&key) {
        Some(Record::Subject(known)) => Some(known),
        _ => None,
    };
    // A foreign key learns nothing of the subject, not even its latest entry.
    if known.is_some_and(|subject| subject.signer != *entry.signer()) {
        return Err(Rejected::ForeignKey);
    }
    let latest = known.map(|subject| subject.latest);
    if known.is_none() && event.given().is_none() {
        return Err(Rejected::NotGranted);
    }
    if event.previous != latest && !ends_whatever_came(known, event) {
        return Err(Rejected::PreviousMismatch { latest });
    }
    let (on, standing) = (event.time.date(), known.map(|subject| subject.standing).unwrap_or_default());
    let before = standing.at(on);
    let standing = standing.after(event.step(), on, event.until()).map_err(Rejected::Impossible)?;
    let (signer, hash) = (entry.signer().clone(), entry.hash());
    let grant = match (event.given(), known) {
        (Some(given), _) => {
            let (policy, credential, time) = (given.policy, given.credential, event.time);
            GrantRecord { entry: hash, index, policy, credential, time }
        }
        (None, Some(known)) => known.grant.clone(),
        (None, None) => return Err(Rejected::NotGranted),
    };
    let effect = Effect::Consent { subject: event.subject, before, after: standing.at(on) };
    let subject = SubjectState { signer, standing, grant, latest: hash, latest_index: index };
    Ok(Applied { changes: vec![(key, Record::Subject(subject))], effect })
}

/// Whether this is a withdrawal from what the subject last gave: it counts wherever it stands, so that whoever has not
/// seen the latest entry can still take the consent back. One that was signed before the consent was given (again) is
/// an old one that somebody held back.
fn ends_whatever_came(known: Option<&SubjectState>, event: &ConsentEvent) -> bool {
    matches!(event.step(), Move::Withdraw(_)) && known.is_some_and(|subject| event.time >= subject.grant.time)
}

struct Rules<'a, R> {
    records: &'a R,
    index: u64,
    entry: &'a Entry,
}

impl<R: Records> Rules<'_, R> {
    fn write(&self, key: Key, record: Record, effect: Effect) -> Result<Applied, Rejected> {
        Ok(Applied { changes: vec![(key, record)], effect })
    }

    fn find_member(&self, did: &Did) -> Option<&MemberRecord> {
        match self.records.record(&Key::member(did)) {
            Some(Record::Member(member)) => Some(member),
            _ => None,
        }
    }

    /// The signer acts in one of these roles.
    fn by(&self, roles: &[Role]) -> Result<&MemberRecord, Rejected> {
        let member = self.find_member(self.entry.signer()).filter(|member| member.active);
        member.filter(|member| roles.contains(&member.role)).ok_or(Rejected::NotAllowed)
    }

    /// The signer speaks for the institution.
    fn by_institution(&self) -> Result<AuthorityRecord, Rejected> {
        match self.records.record(&Key::authority()) {
            Some(Record::Authority(authority)) if authority.key == *self.entry.signer() => Ok(authority.clone()),
            _ => Err(Rejected::NotAllowed),
        }
    }

    fn member(&self, said: &MemberChange) -> Result<Applied, Rejected> {
        let record = Record::Member(MemberRecord {
            active: said.active,
            organisation: said.organisation.to_string(),
            role: said.role,
            since: self.index,
        });
        let effect = Effect::Member { member: said.member.clone(), active: said.active };
        let key = Key::member(&said.member);
        if self.records.record(&Key::authority()).is_none() {
            // The log is founded: the institution names itself.
            let founds = said.role == Role::Institution && said.active && said.member == *self.entry.signer();
            if !founds {
                return Err(Rejected::NotAllowed);
            }
            let authority = Record::Authority(AuthorityRecord { key: said.member.clone(), vkey: None });
            return Ok(Applied { changes: vec![(Key::authority(), authority), (key, record)], effect });
        }
        self.by_institution()?;
        // The institution changes its own key by an entry of its own kind, and can not lock itself out.
        if said.role == Role::Institution || said.member == *self.entry.signer() {
            return Err(Rejected::NotAllowed);
        }
        self.write(key, record, effect)
    }

    fn find_study(&self, study: &StudyId) -> Option<&StudyRecord> {
        match self.records.record(&Key::study(study)) {
            Some(Record::Study(study)) => Some(study),
            _ => None,
        }
    }

    fn study(&self, said: &StudyVersion) -> Result<Applied, Rejected> {
        self.by(&[Role::Institution, Role::Staff])?;
        let key = Key::study(&said.study);
        let next = StudyRecord {
            latest: self.index,
            open: said.open,
            organisation: said.organisation.to_string(),
            request: said.request,
            version: said.version,
        };
        if let Some(known) = self.find_study(&said.study) {
            // One version has one text. What is left to say of it is whether it is open.
            let same = known.version == next.version && known.request == next.request;
            let turned = same && known.open != next.open && known.organisation == next.organisation;
            if next.version <= known.version && !turned {
                return Err(Rejected::NotNew(key));
            }
        }
        let effect = Effect::Study { study: said.study.clone(), version: said.version, open: said.open };
        self.write(key, Record::Study(next), effect)
    }

    fn policy(&self, said: &PolicyVersion) -> Result<Applied, Rejected> {
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
        self.write(key, Record::Policy(record), Effect::None)
    }

    fn find_subject(&self, subject: &Hash) -> Result<&SubjectState, Rejected> {
        match self.records.record(&Key::subject(subject)) {
            Some(Record::Subject(known)) => Ok(known),
            _ => Err(Rejected::NotGranted),
        }
    }

    /// The latest entry of the subject is this one now.
    fn subject(&self, subject: Hash, mut state: SubjectState, effect: Effect) -> Result<Applied, Rejected> {
        (state.latest, state.latest_index) = (self.entry.hash(), self.index);
        self.write(Key::subject(&subject), Record::Subject(state), effect)
    }

    fn ending(&self, said: &Ending) -> Result<Applied, Rejected> {
        self.by_institution()?;
        let mut state = self.find_subject(&said.subject)?.clone();
        let on = said.time.date();
        let before = state.standing.at(on);
        state.standing = state.standing.after(said.cause.step(), on, None).map_err(Rejected::Impossible)?;
        let effect = Effect::Consent { subject: said.subject, before, after: state.standing.at(on) };
        self.subject(said.subject, state, effect)
    }

    fn rotation(&self, said: &KeyRotation) -> Result<Applied, Rejected> {
        let state = self.find_subject(&said.subject)?;
        if state.signer != *self.entry.signer() {
            return Err(Rejected::ForeignKey);
        }
        self.bind(said.subject, state, said.previous, &said.key)
    }

    fn rebinding(&self, said: &KeyRebinding) -> Result<Applied, Rejected> {
        let first = self.by(&[Role::Staff])?;
        let approver = said.approver().ok_or(Rejected::NotAllowed)?;
        let second = self.find_member(&approver).filter(|member| member.active && member.role == Role::Staff);
        // Two people, of one institution.
        let two = approver != *self.entry.signer() && second.is_some_and(|it| it.organisation == first.organisation);
        if !two {
            return Err(Rejected::NotAllowed);
        }
        self.bind(said.subject, self.find_subject(&said.subject)?, said.previous, &said.key)
    }

    fn bind(&self, subject: Hash, known: &SubjectState, previous: EntryHash, key: &Did) -> Result<Applied, Rejected> {
        if known.latest != previous {
            return Err(Rejected::PreviousMismatch { latest: Some(known.latest) });
        }
        if known.signer == *key {
            return Err(Rejected::NotNew(Key::subject(&subject)));
        }
        let state = SubjectState { signer: key.clone(), ..known.clone() };
        self.subject(subject, state, Effect::Key { subject, key: key.clone() })
    }

    fn find_request(&self, request: &EntryHash) -> Result<&RequestRecord, Rejected> {
        let key = Key::request(request);
        match self.records.record(&key) {
            Some(Record::Request(known)) => Ok(known),
            _ => Err(Rejected::NotThere(key)),
        }
    }

    fn request(&self, said: &AccessRequest) -> Result<Applied, Rejected> {
        let member = self.by(&[Role::Researcher])?;
        if member.organisation != said.organisation.as_str() {
            return Err(Rejected::NotAllowed);
        }
        let current = self.find_study(&said.study).filter(|study| study.open && study.version == said.version);
        if current.is_none() {
            return Err(Rejected::NotThere(Key::study(&said.study)));
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
        self.write(Key::request(&self.entry.hash()), Record::Request(record), Effect::None)
    }

    fn decision(&self, said: &AccessDecision) -> Result<Applied, Rejected> {
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
        self.write(Key::request(&said.request), Record::Request(record), effect)
    }

    fn grant(&self, said: &AccessGrant) -> Result<Applied, Rejected> {
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
        let record = AccessRecord {
            expires: said.expires,
            holder: said.holder.clone(),
            purpose: said.purpose,
            time: said.time,
            used: None,
        };
        self.write(Key::grant(&self.entry.hash()), Record::Access(record), Effect::None)
    }

    fn used(&self, said: &AccessUse) -> Result<Applied, Rejected> {
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
        self.write(key, Record::Access(record), Effect::Use { grant: said.grant })
    }

    fn sample(&self, said: &SampleEvent) -> Result<Applied, Rejected> {
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
        self.write(key, Record::Sample(record), Effect::None)
    }

    fn snapshot(&self, said: &Snapshot) -> Result<Applied, Rejected> {
        self.by_institution()?;
        if self.find_study(&said.study).is_none() {
            return Err(Rejected::NotThere(Key::study(&said.study)));
        }
        let key = Key::snapshot(&said.study, said.epoch, &said.purpose);
        if self.records.record(&key).is_some() {
            return Err(Rejected::NotNew(key));
        }
        let record = SnapshotRecord { entry: self.index, key: said.key, root: said.root, size: said.size };
        self.write(key, Record::Snapshot(record), Effect::None)
    }

    fn anchor(&self, said: &Anchor) -> Result<Applied, Rejected> {
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
        self.write(key, Record::Anchor(record), Effect::None)
    }
}
