//! Entries: what a donor's study key signs, and the commitment that stands for the donor.

use crate::hash::{EntryHash, Hash};
use consent::{StudyId, Timestamp};
use hmac::{Hmac, Mac as _};
use identity::{Did, SigningKey, sign_jws, verify_jws};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The `typ` of a grant.
pub const GRANT_TYPE: &str = "consent-grant.v1+jws";
/// The `typ` of a withdrawal.
pub const WITHDRAW_TYPE: &str = "consent-withdraw.v1+jws";
/// The longest entry. A grant has about 800 bytes.
pub const MAX_ENTRY: usize = 4096;
/// Parts this use of HMAC from every other.
const COMMITMENT_DOMAIN: &[u8] = b"consent-wallet/subject/v1\n";

/// What a donor says to a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentEvent {
    /// Consent is given.
    Grant(Grant),
    /// Consent is taken back.
    Withdraw(Withdraw),
}

/// Consent is given. Members are in the order of the canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The hash of the credential that says what was allowed.
    pub credential: Hash,
    /// The salted hash of the policy in that credential.
    pub policy: Hash,
    /// The withdrawal that this grant follows; none for the first grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<EntryHash>,
    /// The commitment to donor and study.
    pub subject: Hash,
    /// When the donor decided.
    pub time: Timestamp,
}

/// Consent is taken back. Members are in the order of the canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// The grant that this withdrawal ends.
    pub previous: EntryHash,
    /// The commitment to donor and study.
    pub subject: Hash,
    /// When the donor decided.
    pub time: Timestamp,
}

/// What can be wrong with the bytes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Longer than any entry may be.
    #[error("an entry is longer than {MAX_ENTRY} bytes")]
    TooLong,
    /// Not a signed text, or the signature is false.
    #[error("the signature of an entry is not valid")]
    Signature,
    /// Signed, but of a kind that this version does not know.
    #[error("not a kind of entry that is known here")]
    Kind,
    /// Signed, but not the one canonical form of a known event.
    #[error("the content of an entry is not in its canonical form")]
    Content,
}

impl ConsentEvent {
    /// The commitment to donor and study.
    pub fn subject(&self) -> &Hash {
        match self {
            Self::Grant(grant) => &grant.subject,
            Self::Withdraw(withdraw) => &withdraw.subject,
        }
    }

    /// The entry of the same subject that this one follows.
    pub fn previous(&self) -> Option<EntryHash> {
        match self {
            Self::Grant(grant) => grant.previous,
            Self::Withdraw(withdraw) => Some(withdraw.previous),
        }
    }

    /// When the donor decided.
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Grant(grant) => grant.time,
            Self::Withdraw(withdraw) => withdraw.time,
        }
    }

    /// The `typ` header of this kind.
    pub fn typ(&self) -> &'static str {
        match self {
            Self::Grant(_) => GRANT_TYPE,
            Self::Withdraw(_) => WITHDRAW_TYPE,
        }
    }

    /// The canonical JSON (RFC 8785). All values are hexadecimal digits or a date and the members are sorted here, so
    /// nothing needs escaping and the function can not fail.
    pub fn payload(&self) -> String {
        match self {
            Self::Grant(Grant { credential, policy, previous, subject, time }) => {
                let previous = previous.map(|p| format!(r#""previous":"{p}","#)).unwrap_or_default();
                format!(
                    r#"{{"credential":"{credential}","policy":"{policy}",{previous}"subject":"{subject}","time":"{time}"}}"#
                )
            }
            Self::Withdraw(Withdraw { previous, subject, time }) => {
                format!(r#"{{"previous":"{previous}","subject":"{subject}","time":"{time}"}}"#)
            }
        }
    }

    /// Reads the payload of a `typ`, and takes only the one spelling that [`ConsentEvent::payload`] writes.
    fn parse(typ: &str, payload: &[u8]) -> Result<Self, EntryError> {
        let event = match typ {
            GRANT_TYPE => serde_json::from_slice(payload).map(Self::Grant),
            WITHDRAW_TYPE => serde_json::from_slice(payload).map(Self::Withdraw),
            _ => return Err(EntryError::Kind),
        }
        .map_err(|_| EntryError::Content)?;
        if event.payload().as_bytes() == payload { Ok(event) } else { Err(EntryError::Content) }
    }
}

/// A signed event, as it lies in a log. Whoever holds one knows that its signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    bytes: Vec<u8>,
    hash: EntryHash,
    event: ConsentEvent,
    signer: Did,
}

impl Entry {
    /// Signs an event.
    pub fn sign(key: &SigningKey, event: &ConsentEvent) -> Self {
        let bytes = sign_jws(key, event.typ(), event.payload().as_bytes()).into_bytes();
        Self { hash: EntryHash::of(&bytes), bytes, event: event.clone(), signer: key.did() }
    }

    /// Reads an entry and checks its signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > MAX_ENTRY {
            return Err(EntryError::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| EntryError::Signature)?;
        let jws = verify_jws(text).map_err(|_| EntryError::Signature)?;
        let event = ConsentEvent::parse(&jws.typ, &jws.payload)?;
        Ok(Self { hash: EntryHash::of(bytes), bytes: bytes.to_vec(), event, signer: jws.signer })
    }

    /// The bytes as they lie in the log.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name of the entry.
    pub fn hash(&self) -> EntryHash {
        self.hash
    }

    /// What it says.
    pub fn event(&self) -> &ConsentEvent {
        &self.event
    }

    /// Who says it: the study key, a pseudonym of the donor in one study.
    pub fn signer(&self) -> &Did {
        &self.signer
    }
}

/// The commitment to a donor (the key at this biobank) and a study: HMAC-SHA256 under a salt that never leaves the
/// donor and the biobank. Without the salt nobody can tell whose it is, also not by trying all donors.
pub fn commit_subject(salt: &[u8; 32], donor: &Did, study: &StudyId) -> Hash {
    // HMAC takes keys of every length, so there is no error to lose here.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(salt) else { return Hash::empty_root() };
    mac.update(COMMITMENT_DOMAIN);
    mac.update(donor.as_str().as_bytes());
    mac.update(b"\n");
    mac.update(study.as_str().as_bytes());
    let bytes: [u8; 32] = mac.finalize().into_bytes().into();
    Hash::from_bytes(bytes)
}
