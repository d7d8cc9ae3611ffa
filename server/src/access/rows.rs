//! What the desk keeps for access: the credentials that donors handed over, purposes in words, requests, grants, and
//! each donor's lines of uses. The log holds the hashes of all of it.

use crate::desk::{Desk, DeskError, PAGE as ROWS, each_row, read, write};
use crate::tables::{Table, TablesError};
use consent::{Policy, StudyId, Timestamp};
use identity::Credential;
use ledger::uses::ShownUse;
use ledger::{EntryHash, Hash};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Subject -> `KeptCredential`: of the version in force, and no other.
const CREDENTIALS: Table = Table("credentials");
/// Subject -> `KeptPolicy`: the part of the credential that decides, so that a decision reads little.
const POLICIES: Table = Table("policies");
/// Hash of a purpose -> its JSON.
const PURPOSES: Table = Table("purposes");
/// Entry of a request -> `KeptRequest`.
const REQUESTS: Table = Table("access-requests");
/// Entry of a grant -> `KeptGrant`.
const GRANTS: Table = Table("access-grants");
/// Digest of a report -> `ToldUse`: the same report again is the same entry.
const TOLD: Table = Table("told-uses");
/// `<subject>\n<time>\n<entry>` -> `KeptUse`.
const USES: Table = Table("uses");

/// The most requests or uses that are handed out at once.
pub const PAGE: usize = 100;

/// A credential as its donor signed it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptCredential {
    /// The entry that records it.
    pub entry: EntryHash,
    /// The credential.
    pub credential: Credential,
}

/// What a donor allowed, out of the credential.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptPolicy {
    /// The entry that records it.
    pub entry: EntryHash,
    /// The policy.
    pub policy: Policy,
    /// The organisation that it was given to.
    pub recipient: String,
}

/// A request for access, and what the committee said to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptRequest {
    /// The signed entry.
    pub entry: String,
    /// The answers, oldest first.
    #[serde(default)]
    pub answers: Vec<KeptAnswer>,
}

/// An answer of the committee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// The signed entry.
    pub entry: String,
    /// The reasons as they were given.
    pub reasons: String,
}

/// What a grant of access rests on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptGrant {
    /// The signed entry.
    pub entry: String,
    /// The signed decision.
    pub decision: String,
    /// The study.
    pub study: StudyId,
    /// Whose data it is about, sorted.
    pub subjects: Vec<Hash>,
}

/// A report of use that was taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ToldUse {
    /// The signed entry.
    pub entry: String,
    /// How many lines have something that speaks against them.
    pub flagged: usize,
}

/// One subject's part of a use.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptUse {
    /// The signed entry that tells of the use.
    pub entry: String,
    /// The grant.
    pub grant: EntryHash,
    /// The line with its way into the entry.
    pub shown: ShownUse,
}

impl Desk {
    /// Keeps the credential of the version in force, in place of the one before.
    pub fn keep_credential(
        &self,
        subject: &Hash,
        credential: &KeptCredential,
        policy: &KeptPolicy,
    ) -> Result<(), DeskError> {
        let key = subject.to_string();
        self.change(|rows| {
            write(rows, CREDENTIALS, &key, credential)?;
            write(rows, POLICIES, &key, policy)
        })
    }

    /// Forgets what a subject allowed: nothing is in force any more.
    pub fn forget_credential(&self, subject: &Hash) -> Result<(), DeskError> {
        let key = subject.to_string();
        self.change(|rows| {
            rows.remove(CREDENTIALS, &key)?;
            Ok(rows.remove(POLICIES, &key)?)
        })
    }

    /// The same, of one version: the one that took its place stays. Whether there was something to forget.
    pub fn forget_credential_of(&self, subject: &Hash, entry: &EntryHash) -> Result<bool, DeskError> {
        let key = subject.to_string();
        self.change(|rows| {
            let held = read::<KeptPolicy>(rows, POLICIES, &key)?.is_some_and(|held| held.entry == *entry);
            if held {
                rows.remove(CREDENTIALS, &key)?;
                rows.remove(POLICIES, &key)?;
            }
            Ok(held)
        })
    }

    /// Subjects whose credentials are kept, from a key on, some of them: the key, the subject, and the entry that
    /// records the credential.
    pub fn held_policies(&self, from: &str) -> Result<Vec<(String, Hash, EntryHash)>, DeskError> {
        let rows = self.tables().range(POLICIES, (from, None), ROWS)?;
        let read = |(key, bytes): (String, Vec<u8>)| {
            let kept: KeptPolicy = serde_json::from_slice(&bytes)?;
            // Every key is the commitment of a subject, as it was written.
            let subject = key.parse().map_err(|_| TablesError::new("a policy of nobody"))?;
            Ok((key, subject, kept.entry))
        };
        rows.into_iter().map(read).collect()
    }

    /// What a subject allowed, if the credential was handed over.
    pub fn policy(&self, subject: &Hash) -> Result<Option<KeptPolicy>, DeskError> {
        self.get(POLICIES, &subject.to_string())
    }

    /// The credential of a subject, if it was handed over.
    pub fn credential(&self, subject: &Hash) -> Result<Option<KeptCredential>, DeskError> {
        self.get(CREDENTIALS, &subject.to_string())
    }

    /// The purpose with this hash.
    pub fn purpose(&self, hash: &Hash) -> Result<Option<Value>, DeskError> {
        self.get(PURPOSES, &hash.to_string())
    }

    /// Keeps a request and its purpose.
    pub fn keep_request(&self, hash: &EntryHash, entry: &str, purpose: (&Hash, &Value)) -> Result<(), DeskError> {
        let (key, request) = (hash.to_string(), KeptRequest { entry: entry.to_owned(), answers: Vec::new() });
        self.change(|rows| {
            write(rows, PURPOSES, &purpose.0.to_string(), purpose.1)?;
            // The same request again keeps its answers.
            if rows.get(REQUESTS, &key)?.is_none() {
                write(rows, REQUESTS, &key, &request)?;
            }
            Ok(())
        })
    }

    /// Keeps an answer to a request, once.
    pub fn keep_answer(&self, request: &EntryHash, answer: &KeptAnswer) -> Result<(), DeskError> {
        let key = request.to_string();
        self.change(|rows| {
            let Some(mut kept) = read::<KeptRequest>(rows, REQUESTS, &key)? else { return Ok(()) };
            if !kept.answers.contains(answer) {
                kept.answers.push(answer.clone());
                write(rows, REQUESTS, &key, &kept)?;
            }
            Ok(())
        })
    }

    /// A request.
    pub fn request(&self, hash: &EntryHash) -> Result<Option<KeptRequest>, DeskError> {
        self.get(REQUESTS, &hash.to_string())
    }

    /// Up to [`PAGE`] requests that `wanted` names, in the order of their hashes, after this one.
    pub fn requests(
        &self,
        after: Option<&EntryHash>,
        mut wanted: impl FnMut(&KeptRequest) -> bool,
    ) -> Result<Vec<(String, KeptRequest)>, DeskError> {
        let from = after.map_or_else(String::new, |hash| format!("{hash}\0"));
        let mut found = Vec::new();
        each_row(
            &(from, None),
            |span| self.tables().range(REQUESTS, span, ROWS),
            |key, bytes| {
                let request: KeptRequest = serde_json::from_slice(&bytes)?;
                if wanted(&request) {
                    found.push((key, request));
                }
                Ok(found.len() < PAGE)
            },
        )?;
        Ok(found)
    }

    /// Keeps what a grant rests on.
    pub fn keep_grant(&self, hash: &EntryHash, grant: &KeptGrant, purpose: (&Hash, &Value)) -> Result<(), DeskError> {
        self.change(|rows| {
            write(rows, PURPOSES, &purpose.0.to_string(), purpose.1)?;
            write(rows, GRANTS, &hash.to_string(), grant)
        })
    }

    /// What a grant rests on.
    pub fn grant(&self, hash: &EntryHash) -> Result<Option<KeptGrant>, DeskError> {
        self.get(GRANTS, &hash.to_string())
    }

    /// Keeps a report of use with the lines of all its subjects; the report of before if there was the same.
    pub fn keep_uses(
        &self,
        digest: &Hash,
        told: &ToldUse,
        time: Timestamp,
        lines: &[(EntryHash, KeptUse)],
    ) -> Result<ToldUse, DeskError> {
        let key = digest.to_string();
        self.change(|rows| {
            if let Some(before) = read::<ToldUse>(rows, TOLD, &key)? {
                return Ok(before);
            }
            for (entry, line) in lines {
                write(rows, USES, &format!("{}\n{time}\n{entry}", line.shown.line.subject), line)?;
            }
            write(rows, TOLD, &key, told)?;
            Ok(told.clone())
        })
    }

    /// Drops a report that the log refused.
    pub fn drop_uses(&self, digest: &Hash, time: Timestamp, entry: &EntryHash, of: &[Hash]) -> Result<(), DeskError> {
        self.change(|rows| {
            rows.remove(TOLD, &digest.to_string())?;
            for subject in of {
                rows.remove(USES, &format!("{subject}\n{time}\n{entry}"))?;
            }
            Ok(())
        })
    }

    /// Up to [`PAGE`] uses of a subject's data, oldest first, after this key; each with its key.
    pub fn uses_of(&self, subject: &Hash, after: Option<&str>) -> Result<Vec<(String, KeptUse)>, DeskError> {
        let start = format!("{subject}\n");
        let from = after.map_or_else(|| start.clone(), |after| format!("{start}{after}\0"));
        let mut found = Vec::new();
        // A line break ends the subject, and `\u{b}` follows it.
        each_row(
            &(from, Some(format!("{subject}\u{b}"))),
            |span| self.tables().range(USES, span, ROWS),
            |key, bytes| {
                let name = key.strip_prefix(&start).unwrap_or_default().to_owned();
                found.push((name, serde_json::from_slice(&bytes)?));
                Ok(found.len() < PAGE)
            },
        )?;
        Ok(found)
    }
}
