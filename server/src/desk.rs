//! What the biobank keeps beside the log: invitations, donors, accounts and the mailbox. Mutable, in redb.
//!
//! Donors are numbers here. Codes are kept as digests: whoever reads this file can not use an invitation.

use crate::code;
use consent::{StudyId, Timestamp};
use identity::{Credential, Did};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;
use thiserror::Error;

/// Digest of a code -> `Invitation`.
const INVITATIONS: TableDefinition<&str, &[u8]> = TableDefinition::new("invitations");
/// Pairwise DID of a donor -> digest of the invitation.
const DONORS: TableDefinition<&str, &[u8]> = TableDefinition::new("donors");
/// Study DID of a donor -> `StudyKey`.
const STUDY_KEYS: TableDefinition<&str, &[u8]> = TableDefinition::new("study-keys");
/// Digest of a code -> `PairingCode`.
const PAIRINGS: TableDefinition<&str, &[u8]> = TableDefinition::new("pairings");
/// DID of a member of staff or a researcher -> `Account`.
const ACCOUNTS: TableDefinition<&str, &[u8]> = TableDefinition::new("accounts");
/// `<donor>\n<study>` -> study DID: a donor has one key for a study.
const SUBJECTS: TableDefinition<&str, &[u8]> = TableDefinition::new("subjects");
/// `<receiver>\n<time>\n<id>` -> `Letter`.
const MAILBOX: TableDefinition<&str, &[u8]> = TableDefinition::new("mailbox");

/// How many letters of one sender wait for one receiver at most: nobody fills a mailbox for the others.
const LETTERS_A_SENDER: usize = 16;
/// How many bytes of letters are handed out at once; the rest comes when those are taken.
const LETTERS_AT_ONCE: usize = 2 << 20;
/// How long a code for an account can be used, in seconds.
pub const PAIRING_AGE: i64 = 7 * 86_400;
/// How long a letter waits, in seconds.
const MAILBOX_AGE: i64 = 30 * 86_400;

/// Why the desk could not answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeskError {
    /// The database failed.
    #[error("desk database: {0}")]
    Database(Box<redb::Error>),
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

macro_rules! database_errors {
    ($($error:ident)*) => { $(impl From<redb::$error> for DeskError {
        fn from(error: redb::$error) -> Self {
            Self::Database(Box::new(error.into()))
        }
    })* };
}
database_errors!(DatabaseError TransactionError TableError StorageError CommitError);

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

/// A sealed message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Letter {
    /// Its id.
    pub id: String,
    /// The sealed bytes (base64).
    pub sealed: String,
    /// Who left it.
    pub from: Did,
    /// When it came.
    pub at: Timestamp,
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
    db: Database,
}

impl Desk {
    /// Opens or makes the database in a folder.
    pub fn open(dir: &Path) -> Result<Self, DeskError> {
        let db = Database::create(dir.join("desk.redb"))?;
        let write = db.begin_write()?;
        for table in [INVITATIONS, DONORS, STUDY_KEYS, SUBJECTS, PAIRINGS, ACCOUNTS, MAILBOX] {
            write.open_table(table)?;
        }
        write.commit()?;
        Ok(Self { db })
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
        let write = self.db.begin_write()?;
        let step = {
            let mut invitations = write.open_table(INVITATIONS)?;
            let Some(mut invitation) = read::<Invitation>(&invitations, digest)? else { return Ok(Step::Unknown) };
            match &invitation.accepted {
                Some(before) if before.did == accepted.did => Step::Done(before.credential.clone()),
                Some(_) => Step::Used,
                None if accepted.at > invitation.expires => Step::Expired,
                None => {
                    let credential = accepted.credential.clone();
                    write.open_table(DONORS)?.insert(accepted.did.as_str(), digest.as_bytes())?;
                    invitation.accepted = Some(accepted);
                    invitations.insert(digest, serde_json::to_vec(&invitation)?.as_slice())?;
                    Step::Done(credential)
                }
            }
        };
        write.commit()?;
        Ok(step)
    }

    /// Whether this pairwise DID is an enrolled donor's.
    pub fn is_donor(&self, did: &Did) -> Result<bool, DeskError> {
        Ok(self.db.begin_read()?.open_table(DONORS)?.get(did.as_str())?.is_some())
    }

    /// Registers a study key, once.
    pub fn register_study_key(&self, did: &Did, key: &StudyKey) -> Result<Step<()>, DeskError> {
        let write = self.db.begin_write()?;
        let step = {
            let mut keys = write.open_table(STUDY_KEYS)?;
            match read::<StudyKey>(&keys, did.as_str())? {
                Some(before) if before == *key => Step::Done(()),
                Some(_) => Step::Used,
                None => {
                    let mut subjects = write.open_table(SUBJECTS)?;
                    let subject = format!("{}\n{}", key.donor, key.study);
                    if subjects.get(subject.as_str())?.is_some() {
                        return Ok(Step::Used);
                    }
                    subjects.insert(subject.as_str(), did.as_str().as_bytes())?;
                    keys.insert(did.as_str(), serde_json::to_vec(key)?.as_slice())?;
                    Step::Done(())
                }
            }
        };
        write.commit()?;
        Ok(step)
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
        let write = self.db.begin_write()?;
        let step = {
            let mut pairings = write.open_table(PAIRINGS)?;
            let Some(mut pairing) = read::<PairingCode>(&pairings, digest)? else { return Ok(Step::Unknown) };
            match &pairing.used_by {
                Some(before) if before == did => Step::Done(pairing.account),
                Some(_) => Step::Used,
                None if pairing.expires.is_none_or(|expires| now > expires) => Step::Expired,
                None => {
                    let account = pairing.account.clone();
                    write.open_table(ACCOUNTS)?.insert(did.as_str(), serde_json::to_vec(&account)?.as_slice())?;
                    pairing.used_by = Some(did.clone());
                    pairings.insert(digest, serde_json::to_vec(&pairing)?.as_slice())?;
                    Step::Done(account)
                }
            }
        };
        write.commit()?;
        Ok(step)
    }

    /// The account of a DID.
    pub fn account(&self, did: &Did) -> Result<Option<Account>, DeskError> {
        self.get(ACCOUNTS, did.as_str())
    }

    /// Leaves a letter. Letters that waited too long make room.
    pub fn post(&self, from: &Did, to: &Did, sealed: String, now: Timestamp) -> Result<Step<String>, DeskError> {
        let letter = Letter { id: code::make_nonce()?, sealed, from: from.clone(), at: now };
        let write = self.db.begin_write()?;
        {
            let mut mailbox = write.open_table(MAILBOX)?;
            let (from, to_end) = span(to);
            mailbox.retain_in(from.as_str()..to_end.as_str(), |_, letter| {
                serde_json::from_slice::<Letter>(letter).is_ok_and(|l| l.at.plus_seconds(MAILBOX_AGE) > now)
            })?;
            let mut of_sender = 0;
            for row in mailbox.range(from.as_str()..to_end.as_str())? {
                of_sender += usize::from(serde_json::from_slice::<Letter>(row?.1.value())?.from == letter.from);
            }
            if of_sender >= LETTERS_A_SENDER {
                return Ok(Step::Full);
            }
            let key = format!("{to}\n{}\n{}", letter.at, letter.id);
            mailbox.insert(key.as_str(), serde_json::to_vec(&letter)?.as_slice())?;
        }
        write.commit()?;
        Ok(Step::Done(letter.id))
    }

    /// The letters for a receiver, oldest first.
    pub fn letters(&self, to: &Did) -> Result<Vec<Letter>, DeskError> {
        let mailbox = self.db.begin_read()?.open_table(MAILBOX)?;
        let (from, to_end) = span(to);
        let (mut letters, mut size) = (Vec::new(), 0);
        for row in mailbox.range(from.as_str()..to_end.as_str())? {
            let row = row?.1;
            size += row.value().len();
            if size > LETTERS_AT_ONCE {
                break;
            }
            letters.push(serde_json::from_slice(row.value())?);
        }
        Ok(letters)
    }

    /// Takes a letter out of the receiver's mailbox.
    pub fn take(&self, to: &Did, id: &str) -> Result<(), DeskError> {
        let write = self.db.begin_write()?;
        {
            let mut mailbox = write.open_table(MAILBOX)?;
            let (from, to_end) = span(to);
            mailbox.retain_in(from.as_str()..to_end.as_str(), |key, _| key.rsplit('\n').next() != Some(id))?;
        }
        write.commit()?;
        Ok(())
    }

    fn get<T: DeserializeOwned>(&self, table: TableDefinition<&str, &[u8]>, key: &str) -> Result<Option<T>, DeskError> {
        read(&self.db.begin_read()?.open_table(table)?, key)
    }

    fn put<T: Serialize>(&self, table: TableDefinition<&str, &[u8]>, key: &str, value: &T) -> Result<(), DeskError> {
        let write = self.db.begin_write()?;
        write.open_table(table)?.insert(key, serde_json::to_vec(value)?.as_slice())?;
        write.commit()?;
        Ok(())
    }

    fn all<T: DeserializeOwned>(&self, table: TableDefinition<&str, &[u8]>) -> Result<Vec<(String, T)>, DeskError> {
        let mut rows = Vec::new();
        for row in self.db.begin_read()?.open_table(table)?.iter()? {
            let (key, value) = row?;
            rows.push((key.value().to_owned(), serde_json::from_slice(value.value())?));
        }
        Ok(rows)
    }
}

/// The keys of one receiver's letters: a DID never holds a line break, and `\u{b}` follows it.
fn span(to: &Did) -> (String, String) {
    (format!("{to}\n"), format!("{to}\u{b}"))
}

fn read<T: DeserializeOwned>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    key: &str,
) -> Result<Option<T>, DeskError> {
    Ok(table.get(key)?.map(|row| serde_json::from_slice(row.value())).transpose()?)
}
