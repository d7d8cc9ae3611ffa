//! What the biobank keeps beside the log: invitations, donors, accounts and the mailbox. Mutable, in
//! `desk.redb` or, with the log, in PostgreSQL.
//!
//! Donors are numbers here. Codes are kept as digests: whoever reads these tables can not use an invitation.

mod mailbox;

pub use mailbox::Letter;
pub(crate) use mailbox::{MAILBOX, MAILBOX_AGE};

use crate::code;
use crate::tables::{Embedded, Rows, Span, Table, Tables, TablesError};
use consent::{StudyId, Timestamp};
use identity::{Credential, Did};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;
use thiserror::Error;

/// Digest of a code -> `Invitation`.
const INVITATIONS: Table = Table("invitations");
/// Pairwise DID of a donor -> digest of the invitation.
const DONORS: Table = Table("donors");
/// Study DID of a donor -> `StudyKey`.
const STUDY_KEYS: Table = Table("study-keys");
/// Digest of a code -> `PairingCode`.
const PAIRINGS: Table = Table("pairings");
/// DID of a member of staff or a researcher -> `Account`.
const ACCOUNTS: Table = Table("accounts");
/// `<donor>\n<study>` -> study DID: a donor has one key for a study.
const SUBJECTS: Table = Table("subjects");

/// How many rows are read at once.
pub(crate) const PAGE: usize = 64;
/// How long a code for an account can be used, in seconds.
pub const PAIRING_AGE: i64 = 7 * 86_400;

/// Why the desk could not answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeskError {
    /// The database failed.
    #[error("desk database: {0}")]
    Database(#[from] TablesError),
    /// A row is not what this version writes.
    #[error("desk row: {0}")]
    Row(#[from] serde_json::Error),
    /// No randomness.
    #[error("random numbers: {0}")]
    Random(getrandom::Error),
}

impl From<getrandom::Error> for DeskError {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}

/// An invitation of one donor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invitation {
    /// The donor's number at the desk.
    pub donor: String,
    /// When it was made.
    pub invited: Timestamp,
    /// Until when it can be used.
    pub expires: Timestamp,
    /// By whom it was used.
    pub accepted: Option<Accepted>,
}

/// The use of an invitation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Accepted {
    /// The pairwise DID that answered the challenge.
    pub did: Did,
    /// When.
    pub at: Timestamp,
    /// The credential that was issued, kept so that a lost answer can be given again.
    pub credential: Credential,
}

/// A key that a donor uses for one study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyKey {
    /// The donor's pairwise DID.
    pub donor: Did,
    /// The study.
    pub study: StudyId,
    /// What opens the subject commitment on the log (hex). Deleting this row unlinks the log from the donor.
    pub salt: String,
}

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AccountRole {
    /// Staff of the biobank.
    Staff,
    /// A researcher of an organisation.
    Researcher,
    /// The data access committee.
    Committee,
    /// Who checks the biobank from outside.
    Auditor,
    /// Another institution.
    Member,
}

impl AccountRole {
    /// Every role, in the order of the list above.
    pub const ALL: [Self; 5] = [Self::Staff, Self::Researcher, Self::Committee, Self::Auditor, Self::Member];

    /// Its name in JSON and in the attributes that policies read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Researcher => "researcher",
            Self::Committee => "committee",
            Self::Auditor => "auditor",
            Self::Member => "member",
        }
    }

    /// Its type in the policies.
    pub(crate) fn policy_name(self) -> &'static str {
        match self {
            Self::Staff => "Staff",
            Self::Researcher => "Researcher",
            Self::Committee => "Committee",
            Self::Auditor => "Auditor",
            Self::Member => "Member",
        }
    }
}

/// A member of staff or a researcher.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// What the account may do.
    pub role: AccountRole,
    /// The organisation's identifier.
    pub organisation: String,
    /// The organisation's name.
    pub organisation_name: String,
}

/// A one-time code that makes an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PairingCode {
    /// The account that it makes.
    pub account: Account,
    /// Until when it can be used. Codes from before there was a last moment count as over.
    #[serde(default)]
    pub expires: Option<Timestamp>,
    /// Who used it.
    pub used_by: Option<Did>,
}

/// What became of a step at the desk that can be tried twice.
#[derive(Debug)]
pub enum Step<T> {
    /// Done now, or done before by the same caller.
    Done(T),
    /// No such thing.
    Unknown,
    /// Used by somebody else.
    Used,
    /// Too old.
    Expired,
    /// No room.
    Full,
}

/// The desk's database.
pub struct Desk {
    tables: Box<dyn Tables>,
}

impl Desk {
    /// Opens or makes the database in a folder.
    pub fn open(dir: &Path) -> Result<Self, DeskError> {
        Ok(Self::over(Box::new(Embedded::open(&dir.join("desk.redb"))?)))
    }

    /// A desk over tables that are open.
    pub fn over(tables: Box<dyn Tables>) -> Self {
        Self { tables }
    }

    /// Makes an invitation and gives its code, which is kept nowhere.
    pub fn invite(&self, now: Timestamp, valid_seconds: i64) -> Result<(String, Invitation), DeskError> {
        let code = code::make_code()?;
        let number = code::make_code()?;
        let donor = format!("{}-{}", &number[..3], &number[3..6]);
        let invitation = Invitation { donor, invited: now, expires: now.plus_seconds(valid_seconds), accepted: None };
        let digest = code::digest(&code).unwrap_or_default();
        self.put(INVITATIONS, &digest, &invitation)?;
        Ok((code, invitation))
    }

    /// The invitation behind a code's digest.
    pub fn invitation(&self, digest: &str) -> Result<Option<Invitation>, DeskError> {
        self.get(INVITATIONS, digest)
    }

    /// All invitations.
    pub fn invitations(&self) -> Result<Vec<Invitation>, DeskError> {
        self.all(INVITATIONS).map(|rows| rows.into_iter().map(|(_, invitation)| invitation).collect())
    }

    /// Uses an invitation, once: of two callers at the same moment one wins, and may ask again.
    pub fn accept(&self, digest: &str, accepted: Accepted) -> Result<Step<Credential>, DeskError> {
        self.change(|rows| {
            let Some(mut invitation) = read::<Invitation>(rows, INVITATIONS, digest)? else { return Ok(Step::Unknown) };
            Ok(match &invitation.accepted {
                Some(before) if before.did == accepted.did => Step::Done(before.credential.clone()),
                Some(_) => Step::Used,
                None if accepted.at > invitation.expires => Step::Expired,
                None => {
                    rows.put(DONORS, accepted.did.as_str(), digest.as_bytes())?;
                    invitation.accepted = Some(accepted.clone());
                    write(rows, INVITATIONS, digest, &invitation)?;
                    Step::Done(accepted.credential.clone())
                }
            })
        })
    }

    /// Whether this pairwise DID is an enrolled donor's.
    pub fn is_donor(&self, did: &Did) -> Result<bool, DeskError> {
        Ok(self.tables.get(DONORS, did.as_str())?.is_some())
    }

    /// Registers a study key, once.
    pub fn register_study_key(&self, did: &Did, key: &StudyKey) -> Result<Step<()>, DeskError> {
        let subject = format!("{}\n{}", key.donor, key.study);
        self.change(|rows| match read::<StudyKey>(rows, STUDY_KEYS, did.as_str())? {
            Some(before) if before == *key => Ok(Step::Done(())),
            Some(_) => Ok(Step::Used),
            None if rows.get(SUBJECTS, &subject)?.is_some() => Ok(Step::Used),
            None => {
                rows.put(SUBJECTS, &subject, did.as_str().as_bytes())?;
                write(rows, STUDY_KEYS, did.as_str(), key)?;
                Ok(Step::Done(()))
            }
        })
    }

    /// Puts another key in the place of a donor's study key, as the log says.
    pub fn move_study_key(&self, from: &str, to: &Did) -> Result<(), DeskError> {
        self.change(|rows| {
            let Some(key) = read::<StudyKey>(rows, STUDY_KEYS, from)? else { return Ok(()) };
            // A key that is bound already stays where it is.
            if rows.get(STUDY_KEYS, to.as_str())?.is_none() {
                rows.put(SUBJECTS, &format!("{}\n{}", key.donor, key.study), to.as_str().as_bytes())?;
                rows.remove(STUDY_KEYS, from)?;
                write(rows, STUDY_KEYS, to.as_str(), &key)?;
            }
            Ok(())
        })
    }

    /// The donor behind a study key.
    pub fn study_key(&self, did: &Did) -> Result<Option<StudyKey>, DeskError> {
        self.get(STUDY_KEYS, did.as_str())
    }

    /// All study keys with their DIDs.
    pub fn study_keys(&self) -> Result<Vec<(String, StudyKey)>, DeskError> {
        self.all(STUDY_KEYS)
    }

    /// Makes a one-time code for an account.
    pub fn make_pairing(&self, account: Account, expires: Timestamp) -> Result<String, DeskError> {
        let code = code::make_code()?;
        let digest = code::digest(&code).unwrap_or_default();
        self.put(PAIRINGS, &digest, &PairingCode { account, expires: Some(expires), used_by: None })?;
        Ok(code)
    }

    /// Uses a one-time code for an account. Who used it in time may say so again later.
    pub fn pair(&self, digest: &str, did: &Did, now: Timestamp) -> Result<Step<Account>, DeskError> {
        self.change(|rows| {
            let Some(mut pairing) = read::<PairingCode>(rows, PAIRINGS, digest)? else { return Ok(Step::Unknown) };
            match &pairing.used_by {
                Some(before) if before == did => {}
                Some(_) => return Ok(Step::Used),
                None if pairing.expires.is_none_or(|expires| now > expires) => return Ok(Step::Expired),
                None => {
                    write(rows, ACCOUNTS, did.as_str(), &pairing.account)?;
                    pairing.used_by = Some(did.clone());
                    write(rows, PAIRINGS, digest, &pairing)?;
                }
            }
            Ok(Step::Done(pairing.account))
        })
    }

    /// All accounts with their DIDs.
    pub fn accounts(&self) -> Result<Vec<(String, Account)>, DeskError> {
        self.all(ACCOUNTS)
    }

    /// The account of a DID.
    pub fn account(&self, did: &Did) -> Result<Option<Account>, DeskError> {
        self.get(ACCOUNTS, did.as_str())
    }

    /// Takes the account of a DID away.
    pub fn remove_account(&self, did: &Did) -> Result<(), DeskError> {
        self.change(|rows| Ok(rows.remove(ACCOUNTS, did.as_str())?))
    }

    /// The tables themselves, for rows that other modules own.
    pub(crate) fn tables(&self) -> &dyn Tables {
        &*self.tables
    }

    /// Runs a change; see [`Tables::change`] for what it may find.
    pub(crate) fn change<T>(
        &self,
        mut work: impl FnMut(&mut dyn Rows) -> Result<T, DeskError>,
    ) -> Result<T, DeskError> {
        let mut outcome = None;
        self.tables.change(&mut |rows| {
            outcome = Some(work(rows)?);
            Ok(())
        })?;
        outcome.ok_or_else(|| TablesError::new("a change that did not run").into())
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, table: Table, key: &str) -> Result<Option<T>, DeskError> {
        Ok(self.tables.get(table, key)?.map(|value| serde_json::from_slice(&value)).transpose()?)
    }

    pub(crate) fn put<T: Serialize>(&self, table: Table, key: &str, value: &T) -> Result<(), DeskError> {
        self.change(|rows| write(rows, table, key, value))
    }

    pub(crate) fn all<T: DeserializeOwned>(&self, table: Table) -> Result<Vec<(String, T)>, DeskError> {
        let mut rows = Vec::new();
        each_row(
            &(String::new(), None),
            |span| self.tables.range(table, span, PAGE),
            |key, value| {
                rows.push((key, serde_json::from_slice(&value)?));
                Ok(true)
            },
        )?;
        Ok(rows)
    }
}

impl From<DeskError> for TablesError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Database(error) => error,
            other => Self::new(other),
        }
    }
}

pub(crate) fn read<T: DeserializeOwned>(rows: &mut dyn Rows, table: Table, key: &str) -> Result<Option<T>, DeskError> {
    Ok(rows.get(table, key)?.map(|value| serde_json::from_slice(&value)).transpose()?)
}

pub(crate) fn write<T: Serialize>(rows: &mut dyn Rows, table: Table, key: &str, value: &T) -> Result<(), DeskError> {
    Ok(rows.put(table, key, &serde_json::to_vec(value)?)?)
}

/// Reads a span page by page, until `row` says that it is enough.
pub(crate) fn each_row(
    (from, to): &(String, Option<String>),
    mut page: impl FnMut(Span<'_>) -> Result<Vec<(String, Vec<u8>)>, TablesError>,
    mut row: impl FnMut(String, Vec<u8>) -> Result<bool, DeskError>,
) -> Result<(), DeskError> {
    let mut next = from.clone();
    loop {
        let rows = page((&next, to.as_deref()))?;
        let last = rows.len() < PAGE;
        if let Some((key, _)) = rows.last() {
            // The smallest key above the last one that was read.
            next = format!("{key}\0");
        }
        for (key, value) in rows {
            if !row(key, value)? {
                return Ok(());
            }
        }
        if last {
            return Ok(());
        }
    }
}
