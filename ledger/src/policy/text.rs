//! How a policy is written and read: one line for each log, witness and group, and one for the quorum.

use super::{Group, Part, TrustPolicy, TrustedLog, TrustedWitness};
use crate::checkpoint::LogKey;
use crate::cosignature::CosignerKey;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The longest policy that is read: room for post-quantum keys of all logs and witnesses.
pub const MAX_POLICY_BYTES: usize = 256 * 1024;
/// The most logs, the most witnesses and the most groups.
pub const MAX_POLICY_ITEMS: usize = 32;
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

impl TrustPolicy {
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
