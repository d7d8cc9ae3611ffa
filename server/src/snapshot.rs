//! Snapshots: on a day, the pseudonyms of a study whose donors allow a purpose. Made once, by the first who asks or at
//! midnight, written to the log as a root, and kept at the desk as a set.
//!
//! The set is at the desk before its root is in the log, and the log takes one root a study, day and purpose: after a
//! crash the same set goes on, and no second one is ever made.

mod rows;

pub(crate) use rows::{KeptLeaf, KeptSnapshot, Of};

use crate::Problem;
use crate::access::{self, Subject, commitment, decision};
use crate::biobank::{Biobank, StartError, read_or_make_seed};
use crate::clock::now;
use crate::log::{AppendError, ReadError};
use consent::{Date, Outcome, Purpose, StudyId, StudyRequest};
use ledger::event::InstitutionEvent;
use ledger::{Entry, Event, Hash, Key, Pseudonym, PseudonymKey, PseudonymProof, Record, SnapshotSet, padded_size};
use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use zeroize::Zeroizing;

/// How many sets are kept in memory for those who ask for proofs.
const RECENT: usize = 4;
/// How many requests for access are looked through at once.
const PAGE: usize = 256;
/// How long the root may take until the public record shows it.
const PUBLISHED_WITHIN: Duration = Duration::from_secs(20);
/// How often the clock is looked at for midnight; it can be set.
const LOOK: Duration = Duration::from_secs(30);

/// Which set: study, day, purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SnapshotId {
    pub study: StudyId,
    pub epoch: Date,
    pub purpose: Hash,
}

/// The secret of all pseudonyms, and the sets that were asked for lately.
pub struct Snapshots {
    secret: Zeroizing<[u8; 32]>,
    /// One set is made at a time.
    making: tokio::sync::Mutex<()>,
    recent: Mutex<VecDeque<(SnapshotId, Arc<SnapshotSet>)>>,
}

impl Snapshots {
    /// Reads the secret of an institution's pseudonyms, or makes it at the first time. Without it no later set fits the
    /// earlier ones.
    pub fn open(dir: &Path) -> Result<Self, StartError> {
        let secret = Zeroizing::new(read_or_make_seed(&dir.join("pseudonym.key"))?);
        Ok(Self { secret, making: tokio::sync::Mutex::default(), recent: Mutex::default() })
    }

    pub(crate) fn key(&self, study: &StudyId) -> Result<PseudonymKey, Problem> {
        PseudonymKey::derive(&self.secret, study).map_err(Problem::internal)
    }

    /// The pseudonym of a subject in a study.
    pub(crate) fn pseudonym(&self, biobank: &Biobank, study: &StudyId, subject: &Hash) -> Result<Pseudonym, Problem> {
        Ok(made(biobank, &self.key(study)?, study, &Of::Subject(*subject))?.0)
    }
}

/// A pseudonym or a decoy, with its proof: from the desk, or made and kept there.
fn made(
    biobank: &Biobank,
    key: &PseudonymKey,
    study: &StudyId,
    of: &Of,
) -> Result<(Pseudonym, PseudonymProof), Problem> {
    if let Some(kept) = biobank.desk.kept_pseudonym(study, of).map_err(Problem::internal)? {
        return Ok(kept);
    }
    let made = match of {
        Of::Subject(subject) => key.pseudonym(subject),
        Of::Decoy(number) => key.decoy(*number),
    };
    made.map_err(Problem::internal)
}

/// The set of this id; made now if it is today's and there is none yet.
pub(crate) async fn find_or_make(biobank: &Arc<Biobank>, id: SnapshotId) -> Result<KeptSnapshot, Problem> {
    let (books, wanted) = (biobank.clone(), id.clone());
    let find = move || books.desk.snapshot(&wanted).map_err(Problem::internal);
    let found = tokio::task::spawn_blocking(find).await.map_err(Problem::internal)??;
    if let Some(kept) = found.filter(|kept| kept.index.is_some()) {
        return Ok(kept);
    }
    if id.epoch != now().date() {
        return Err(Problem::not_found());
    }
    // A caller who goes away does not end the work: the next one finds it done.
    let biobank = biobank.clone();
    tokio::spawn(async move { make(&biobank, &id).await }).await.map_err(Problem::internal)?
}

async fn make(biobank: &Arc<Biobank>, id: &SnapshotId) -> Result<KeptSnapshot, Problem> {
    let _one_at_a_time = biobank.snapshots.making.lock().await;
    let (books, wanted) = (biobank.clone(), id.clone());
    let drafted = tokio::task::spawn_blocking(move || draft(&books, &wanted)).await.map_err(Problem::internal)??;
    if drafted.index.is_some() {
        return Ok(drafted);
    }
    let entry = Entry::parse(drafted.entry.as_bytes()).map_err(Problem::internal)?;
    let appended = biobank.log.append(entry).await.map_err(|error| match error {
        AppendError::Busy => Problem::busy(),
        AppendError::Stopped => Problem::stopped(),
        error @ AppendError::Rejected(_) => Problem::internal(error),
    })?;
    let kept = KeptSnapshot { index: Some(appended.index), ..drafted };
    let (books, wanted, row) = (biobank.clone(), id.clone(), kept.clone());
    let write = move || books.desk.keep_snapshot(&wanted, &row).map_err(Problem::internal);
    tokio::task::spawn_blocking(write).await.map_err(Problem::internal)??;
    Ok(kept)
}

/// The set as it is at this moment, signed and at the desk; or what was drafted before.
fn draft(biobank: &Biobank, id: &SnapshotId) -> Result<KeptSnapshot, Problem> {
    if let Some(before) = biobank.desk.snapshot(id).map_err(Problem::internal)? {
        return Ok(before);
    }
    let study = biobank.studies.iter().find(|study| study.id == id.study).ok_or_else(Problem::not_found)?;
    let purpose = purpose(biobank, study, &id.purpose)?.ok_or_else(Problem::not_found)?;
    let key = biobank.snapshots.key(&id.study)?;
    let mut members: Vec<Of> = live(biobank, study, &purpose, id.epoch)?.into_iter().map(Of::Subject).collect();
    let count = members.len() as u64;
    let decoys = padded_size(count).map_err(Problem::internal)? - count;
    members.extend((0..decoys).map(Of::Decoy));
    let mut leaves = Vec::with_capacity(members.len());
    for of in members {
        let (pseudonym, proof) = made(biobank, &key, &id.study, &of)?;
        leaves.push(KeptLeaf { pseudonym, proof, of });
    }
    leaves.sort_unstable_by_key(|leaf| leaf.pseudonym);
    let set = SnapshotSet::new(leaves.iter().map(|leaf| leaf.pseudonym).collect()).map_err(Problem::internal)?;
    let said = set.event(id.study.clone(), id.epoch, id.purpose, key.public(), now());
    let entry = Entry::sign(&biobank.key, &InstitutionEvent::Snapshot(said)).map_err(Problem::internal)?;
    let entry = String::from_utf8(entry.bytes().to_vec()).map_err(Problem::internal)?;
    let drafted = KeptSnapshot { entry, index: None };
    biobank.desk.draft_snapshot(id, &drafted, &leaves).map_err(Problem::internal)
}

/// The purpose with this hash: the study's own, or one that the committee allowed its organisation. Sets of any
/// purpose would let a researcher find out single answers by comparing them.
fn purpose(biobank: &Biobank, study: &StudyRequest, hash: &Hash) -> Result<Option<Purpose>, Problem> {
    if own_purpose(study)? == *hash {
        return Ok(Some(study.purpose.clone()));
    }
    let mut after: Option<Key> = None;
    loop {
        let page = biobank.log.records_from("request/", after.as_ref(), PAGE).map_err(Problem::internal)?;
        let allowed = page.iter().any(|(_, record)| {
            matches!(record, Record::Request(request) if request.purpose == *hash
                && request.study == study.id
                && request.organisation == study.organisation.id
                && request.outcome == Some(Outcome::Permit)
                && request.until.is_none_or(|until| now().date() <= until))
        });
        if allowed {
            let text = biobank.desk.purpose(hash).map_err(Problem::internal)?;
            return text.map(serde_json::from_value).transpose().map_err(Problem::internal);
        }
        let Some((last, _)) = page.last().filter(|_| page.len() == PAGE) else { return Ok(None) };
        after = Some(last.clone());
    }
}

/// The hash of the purpose that a study names itself.
pub(crate) fn own_purpose(study: &StudyRequest) -> Result<Hash, Problem> {
    let text = identity::canonical::to_canonical(&study.purpose).map_err(Problem::internal)?;
    Ok(Hash::from_bytes(identity::canonical::sha256(&text)))
}

/// The subjects of a study whose consent is live on a day and allows a purpose: those for whom a decision would say
/// yes. Without the credential nobody is among them.
fn live(biobank: &Biobank, study: &StudyRequest, purpose: &Purpose, day: Date) -> Result<Vec<Hash>, Problem> {
    let mut live = BTreeSet::new();
    for (did, key) in biobank.desk.study_keys().map_err(Problem::internal)? {
        let Some(name) = commitment(&key).filter(|_| key.study == study.id) else { continue };
        let (Ok(speaker), state) = (did.parse(), access::state(biobank, &name)?) else { continue };
        if state.is_none() {
            continue;
        }
        let subject = Subject { name, state, study: key.study, speaker };
        let kept = biobank.desk.policy(&name).map_err(Problem::internal)?;
        if decision::answer(&subject, kept.as_ref(), purpose, day).outcome == Outcome::Permit {
            live.insert(name);
        }
    }
    Ok(live.into_iter().collect())
}

/// What the log says of a set, and the receipt for it.
pub(crate) struct Logged {
    pub said: ledger::event::Snapshot,
    pub entry: String,
    pub receipt: String,
}

/// The evidence that a set is in the log.
pub(crate) async fn logged(biobank: &Arc<Biobank>, kept: KeptSnapshot) -> Result<Logged, Problem> {
    let index = kept.index.ok_or_else(Problem::busy)?;
    // Normally it is there already; the answer waits for who publishes, and not longer than callers wait.
    let published = tokio::time::timeout(PUBLISHED_WITHIN, biobank.log.wait_published(index)).await;
    if published != Ok(true) {
        return Err(Problem::busy());
    }
    let books = biobank.clone();
    let read = move || {
        let entry = Entry::parse(kept.entry.as_bytes()).map_err(Problem::internal)?;
        let Event::Institution(InstitutionEvent::Snapshot(said)) = entry.said() else {
            return Err(Problem::internal("the desk keeps another entry in place of a snapshot"));
        };
        let receipt = books.log.receipt(&entry.hash()).map_err(|error: ReadError| Problem::internal(error))?;
        let receipt = receipt.ok_or_else(Problem::busy)?;
        Ok(Logged { said: said.clone(), entry: kept.entry, receipt })
    };
    tokio::task::spawn_blocking(read).await.map_err(Problem::internal)?
}

/// The tree over a set that was made. Waits for the disk.
pub(crate) fn tree(biobank: &Biobank, id: &SnapshotId) -> Result<Arc<SnapshotSet>, Problem> {
    let recent = &biobank.snapshots.recent;
    let found = |id: &SnapshotId| {
        let recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().find(|(known, _)| known == id).map(|(_, set)| Arc::clone(set))
    };
    if let Some(set) = found(id) {
        return Ok(set);
    }
    let leaves = biobank.desk.snapshot_leaves(id).map_err(Problem::internal)?;
    let set = SnapshotSet::new(leaves.into_iter().map(|leaf| leaf.pseudonym).collect()).map_err(Problem::internal)?;
    let set = Arc::new(set);
    let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
    recent.push_back((id.clone(), Arc::clone(&set)));
    if recent.len() > RECENT {
        recent.pop_front();
    }
    Ok(set)
}

/// At midnight (UTC), makes the day's set of each study for its own purpose.
pub(crate) async fn at_midnight(biobank: Weak<Biobank>) {
    let (mut day, Some(mut closing)) = (now().date(), biobank.upgrade().map(|open| open.closing.subscribe())) else {
        return;
    };
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = closing.changed() => return,
        }
        let today = now().date();
        // A clock that was set back makes nothing again.
        if today <= day {
            continue;
        }
        day = today;
        let Some(open) = biobank.upgrade() else { return };
        for study in &open.studies {
            let made = match own_purpose(study) {
                Ok(purpose) => find_or_make(&open, SnapshotId { study: study.id.clone(), epoch: day, purpose }).await,
                Err(problem) => Err(problem),
            };
            if made.is_err() {
                tracing::warn!(
                    study = study.id.as_str(),
                    "the snapshot of the day was not made; who asks for it makes it"
                );
            }
        }
    }
}
