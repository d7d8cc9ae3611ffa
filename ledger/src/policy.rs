//! Trust policies (C2SP tlog-policy): which logs are believed, and how many of which witnesses must have signed a
//! checkpoint before it counts as final.
//!
//! A log alone can show different trees to different people. A witness that signs both is caught by whoever sees both,
//! so a checkpoint that enough witnesses signed is the one that everybody sees.

use crate::checkpoint::{Checkpoint, CheckpointError, LogKey, SignedCheckpoint};
use crate::cosignature::CosignerKey;
use crate::note::{NoteError, SignedNote};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The longest policy that is read: room for post-quantum keys of all logs and witnesses.
pub const MAX_POLICY_BYTES: usize = 256 * 1024;
/// The most logs, the most witnesses and the most groups.
pub const MAX_POLICY_ITEMS: usize = 32;
/// How far the clock of a witness may be ahead of the reader's, in seconds.
pub const CLOCK_TOLERANCE: u64 = 300;
/// The quorum of those who ask for no witness.
const NONE: &str = "none";

/// What can be wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyTextError {
    /// Longer than this program reads.
    #[error("a policy is too long or names too much")]
    TooLarge,
    /// A character that may not be there, or a text that is not UTF-8.
    #[error("line {0} has a character that may not be there")]
    Character(usize),
    /// Not one of the lines that a policy has.
    #[error("line {0} is not a line of a policy")]
    Line(usize),
    /// Not a key of a log or a witness.
    #[error("line {0} has no usable key")]
    Key(usize),
    /// The same name or key twice, or a second quorum.
    #[error("line {0} says something twice")]
    Twice(usize),
    /// A name that is not defined above.
    #[error("line {0} has a name that is not defined above it")]
    Name(usize),
    /// No quorum.
    #[error("a policy has no quorum")]
    NoQuorum,
}

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

    /// Reads a policy.
    pub fn parse(text: &[u8]) -> Result<Self, PolicyTextError> {
        if text.len() > MAX_POLICY_BYTES {
            return Err(PolicyTextError::TooLarge);
        }
        let mut reader = Reader::default();
        // Every line ends in a newline, the last one too.
        let lines = text.split(|byte| *byte == b'\n').count();
        let body = text.strip_suffix(b"\n").ok_or(PolicyTextError::Line(lines))?;
        for (line, number) in body.split(|byte| *byte == b'\n').zip(1..) {
            reader.line(line, number)?;
        }
        let quorum = reader.quorum.ok_or(PolicyTextError::NoQuorum)?;
        Ok(Self { logs: reader.logs, witnesses: reader.witnesses, groups: reader.groups, quorum })
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

/// A policy while it is being read.
#[derive(Default)]
struct Reader {
    logs: Vec<TrustedLog>,
    witnesses: Vec<TrustedWitness>,
    groups: Vec<Group>,
    /// Those that are in a group: each may be in one only.
    members: BTreeSet<Part>,
    quorum: Option<Option<Part>>,
}

impl Reader {
    fn line(&mut self, line: &[u8], number: usize) -> Result<(), PolicyTextError> {
        if line.iter().any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f) {
            return Err(PolicyTextError::Character(number));
        }
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            return Ok(());
        }
        // The specification takes any bytes above ASCII in names; here they must be UTF-8, as it recommends.
        let line = std::str::from_utf8(line).map_err(|_| PolicyTextError::Character(number))?;
        let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        let full = |count| if count < MAX_POLICY_ITEMS { Ok(()) } else { Err(PolicyTextError::TooLarge) };
        match (words.next(), words.next(), words.collect::<Vec<_>>().as_slice()) {
            (Some("log"), Some(key), rest @ ([] | [_])) => {
                full(self.logs.len())?;
                let key: LogKey = key.parse().map_err(|_| PolicyTextError::Key(number))?;
                if self.logs.iter().any(|log| log.key.public_bytes() == key.public_bytes()) {
                    return Err(PolicyTextError::Twice(number));
                }
                self.logs.push(TrustedLog { key, url: rest.first().map(ToString::to_string) });
            }
            (Some("witness"), Some(name), [key, rest @ ..]) if rest.len() <= 1 => {
                full(self.witnesses.len())?;
                let key: CosignerKey = key.parse().map_err(|_| PolicyTextError::Key(number))?;
                let same = self.witnesses.iter().any(|held| held.key.public_bytes() == key.public_bytes());
                if same || name == NONE || self.part(name).is_some() {
                    return Err(PolicyTextError::Twice(number));
                }
                self.witnesses.push(TrustedWitness {
                    name: name.to_owned(),
                    key,
                    url: rest.first().map(ToString::to_string),
                });
            }
            (Some("group"), Some(name), [threshold, members @ ..]) => {
                full(self.groups.len())?;
                if name == NONE || self.part(name).is_some() {
                    return Err(PolicyTextError::Twice(number));
                }
                let group = self.group(name, threshold, members, number)?;
                self.groups.push(group);
            }
            (Some("quorum"), Some(name), []) => {
                let part = if name == NONE { None } else { Some(self.named(name, number)?) };
                if self.quorum.replace(part).is_some() {
                    return Err(PolicyTextError::Twice(number));
                }
            }
            _ => return Err(PolicyTextError::Line(number)),
        }
        Ok(())
    }

    fn group(&mut self, name: &str, threshold: &str, names: &[&str], number: usize) -> Result<Group, PolicyTextError> {
        let mut members = Vec::new();
        for member in names {
            let part = self.named(member, number)?;
            if !self.members.insert(part) {
                return Err(PolicyTextError::Twice(number));
            }
            members.push(part);
        }
        let threshold = match threshold {
            "any" => Some(1),
            "all" => Some(members.len()),
            // Writing the number again refuses signs and leading zeroes.
            digits => digits.parse::<usize>().ok().filter(|k| k.to_string() == digits),
        };
        match threshold {
            Some(threshold) if (1..=members.len()).contains(&threshold) => {
                Ok(Group { name: name.to_owned(), threshold, members })
            }
            _ => Err(PolicyTextError::Line(number)),
        }
    }

    fn named(&self, name: &str, number: usize) -> Result<Part, PolicyTextError> {
        self.part(name).ok_or(PolicyTextError::Name(number))
    }

    fn part(&self, name: &str) -> Option<Part> {
        let witness = self.witnesses.iter().position(|witness| witness.name == name).map(Part::Witness);
        witness.or_else(|| self.groups.iter().position(|group| group.name == name).map(Part::Group))
    }
}

/// The policy in its plainest spelling.
impl fmt::Display for TrustPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = |url: &Option<String>| url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
        for log in &self.logs {
            writeln!(f, "log {}{}", log.key, url(&log.url))?;
        }
        for witness in &self.witnesses {
            writeln!(f, "witness {} {}{}", witness.name, witness.key, url(&witness.url))?;
        }
        let name = |part: Part| match part {
            Part::Witness(at) => self.witnesses.get(at).map(|witness| witness.name.as_str()),
            Part::Group(at) => self.groups.get(at).map(|group| group.name.as_str()),
        };
        for group in &self.groups {
            write!(f, "group {} {}", group.name, group.threshold)?;
            group.members.iter().filter_map(|part| name(*part)).try_for_each(|member| write!(f, " {member}"))?;
            writeln!(f)?;
        }
        writeln!(f, "quorum {}", self.quorum.and_then(name).unwrap_or(NONE))
    }
}

impl FromStr for TrustPolicy {
    type Err = PolicyTextError;

    fn from_str(text: &str) -> Result<Self, PolicyTextError> {
        Self::parse(text.as_bytes())
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
