//! Trust policies (C2SP tlog-policy): which logs are believed, and how many of which witnesses must have signed a
//! checkpoint before it counts as final.
//!
//! A log alone can show different trees to different people. A witness that signs both is caught by whoever sees both,
//! so a checkpoint that enough witnesses signed is the one that everybody sees.

mod text;

pub use text::{MAX_POLICY_BYTES, MAX_POLICY_ITEMS, PolicyTextError};

use crate::checkpoint::{Checkpoint, CheckpointError, LogKey, SignedCheckpoint};
use crate::cosignature::CosignerKey;
use crate::note::{NoteError, SignedNote};

/// How far the clock of a witness may be ahead of the reader's, in seconds.
pub const CLOCK_TOLERANCE: u64 = 300;
/// A log that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedLog {
    /// Its key; the name is the origin.
    pub key: LogKey,
    /// Where it can be read.
    pub url: Option<String>,
}

/// A witness that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedWitness {
    /// Its name within the policy.
    pub name: String,
    /// Its key.
    pub key: CosignerKey,
    /// Where checkpoints are submitted to it.
    pub url: Option<String>,
}

/// So many of these, which are witnesses or groups.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    threshold: usize,
    members: Vec<Part>,
}

/// What a name stands for: its place in the list of witnesses or of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Witness(usize),
    Group(usize),
}

/// Which logs are believed, and which witnesses must have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustPolicy {
    logs: Vec<TrustedLog>,
    witnesses: Vec<TrustedWitness>,
    groups: Vec<Group>,
    quorum: Option<Part>,
}

impl TrustPolicy {
    /// The policy that believes one log and asks for no witness.
    pub fn of_log(key: LogKey) -> Self {
        let logs = vec![TrustedLog { key, url: None }];
        Self { logs, witnesses: Vec::new(), groups: Vec::new(), quorum: None }
    }

    /// The policy that believes one log once so many of these witnesses have signed.
    pub fn of_quorum(log: LogKey, threshold: usize, witnesses: Vec<TrustedWitness>) -> Result<Self, PolicyTextError> {
        let mut text = format!("log {log}\n");
        for TrustedWitness { name, key, url } in &witnesses {
            text.push_str(&format!("witness {name} {key} {}\n", url.as_deref().unwrap_or_default()));
        }
        let names: Vec<&str> = witnesses.iter().map(|witness| witness.name.as_str()).collect();
        // The name of the group must not be one of theirs.
        let group = (0..).map(|n| format!("quorum-{n}")).find(|g| !names.contains(&g.as_str())).unwrap_or_default();
        text.push_str(&format!("group {group} {threshold} {}\nquorum {group}\n", names.join(" ")));
        // Reading it applies all the rules in one place; a name that is more than one word shows in what comes out.
        let policy = Self::parse(text.as_bytes())?;
        if policy.witnesses == witnesses { Ok(policy) } else { Err(PolicyTextError::Line(2)) }
    }

    /// The logs.
    pub fn logs(&self) -> &[TrustedLog] {
        &self.logs
    }

    /// The witnesses.
    pub fn witnesses(&self) -> &[TrustedWitness] {
        &self.witnesses
    }

    /// Whether the witnesses for which this holds are a quorum.
    fn is_quorum(&self, signed: impl Fn(usize) -> bool) -> bool {
        let mut groups = Vec::with_capacity(self.groups.len());
        // A group names only what stands above it, so one pass from the top decides all of them.
        for group in &self.groups {
            let holds = |part: &&Part| match **part {
                Part::Witness(at) => signed(at),
                Part::Group(at) => groups.get(at).copied().unwrap_or(false),
            };
            let count = group.members.iter().filter(holds).count();
            groups.push(count >= group.threshold);
        }
        match self.quorum {
            None => true,
            Some(Part::Witness(at)) => signed(at),
            Some(Part::Group(at)) => groups.get(at).copied().unwrap_or(false),
        }
    }

    /// Reads a checkpoint, and says that it is final if one of the logs signed it and a quorum of the witnesses. With
    /// a time in seconds since 1970, statements from the future do not count.
    pub fn verify(&self, note: &str, now: Option<u64>) -> Result<Quorum, PolicyError> {
        let keys: Vec<LogKey> = self.logs.iter().map(|log| log.key.clone()).collect();
        let checkpoint = Checkpoint::open_with(note, &keys)?;
        let signed = SignedNote::parse(note).map_err(CheckpointError::from)?;
        let latest = now.map_or(u64::MAX, |now| now.saturating_add(CLOCK_TOLERANCE));
        let vote = |witness: &TrustedWitness| {
            let standing = match witness.key.time_on(&signed, &checkpoint) {
                Ok(0) => Standing::Untimed,
                Ok(time) if time > latest => Standing::Future(time),
                Ok(time) => Standing::Signed(time),
                Err(NoteError::Unsigned) => Standing::Absent,
                Err(_) => Standing::False,
            };
            Vote { witness: witness.name.clone(), standing }
        };
        let votes: Vec<Vote> = self.witnesses.iter().map(vote).collect();
        let since = |time| self.is_quorum(|at| votes.get(at).and_then(Vote::time).is_some_and(|t| t >= time));
        if !since(0) {
            return Err(PolicyError::Pending(Box::new(Pending { checkpoint, votes })));
        }
        let mut times: Vec<u64> = votes.iter().filter_map(Vote::time).collect();
        times.sort_unstable();
        let time = if self.quorum.is_none() { None } else { times.into_iter().rev().find(|time| since(*time)) };
        Ok(Quorum { checkpoint, votes, time })
    }
}

/// What a witness has to do with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It signed, at this time in seconds since 1970.
    Signed(u64),
    /// It did not sign.
    Absent,
    /// A signature under its name is false.
    False,
    /// It signed at a time that has not come yet.
    Future(u64),
    /// It signed without a time, which is not how a witness signs.
    Untimed,
}

/// One witness of the policy and its standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Its name within the policy.
    pub witness: String,
    /// What it did.
    pub standing: Standing,
}

impl Vote {
    /// When it signed, if that counts.
    fn time(&self) -> Option<u64> {
        if let Standing::Signed(time) = self.standing { Some(time) } else { None }
    }
}

/// Evidence that a checkpoint is final under a policy. Only a check makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    checkpoint: SignedCheckpoint,
    votes: Vec<Vote>,
    time: Option<u64>,
}

impl Quorum {
    /// The checkpoint.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// What each witness of the policy did, in the order of the policy.
    pub fn votes(&self) -> &[Vote] {
        &self.votes
    }

    /// The latest time at which a quorum still knew of no larger tree. None if the policy asks for no witness.
    pub fn time(&self) -> Option<u64> {
        self.time
    }
}

/// A checkpoint that its log signed, for which witnesses are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The checkpoint.
    pub checkpoint: SignedCheckpoint,
    /// What each witness of the policy did, in the order of the policy.
    pub votes: Vec<Vote>,
}

/// Why a checkpoint is not final.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not a checkpoint, or not signed by a log of the policy.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Signed by its log, but not yet by enough witnesses.
    #[error("the checkpoint has no quorum of witnesses yet")]
    Pending(Box<Pending>),
}
