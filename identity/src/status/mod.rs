//! Whether a credential still counts: Bitstring Status List 1.0, made and read, and Token Status List, read.
//!
//! Nothing is fetched here. [`status_entries`] says which lists are needed, and whoever has a network hands in their
//! bytes. A list that is missing, damaged or somebody else's never says that a credential is live.

mod bits;
mod bitstring;
mod token_list;

pub use bits::{MAX_UNPACKED, MIN_ENTRIES, StatusBits};
pub use bitstring::{BitstringEntry, ListTerms, list_credential};
pub use token_list::TokenEntry;

use crate::did_document::Resolver;
use crate::vc::{Finding, Judge, Policy};
use consent::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How many statuses one credential may have: each can need a list.
const MAX_STATUSES: usize = 8;

/// What a list is about (Bitstring Status List, section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A credential ends for good.
    Revocation,
    /// A credential does not count for a while.
    Suspension,
    /// There is a newer credential.
    Refresh,
    /// Whatever the messages of the entry say.
    Message,
}

impl Purpose {
    const ALL: [Self; 4] = [Self::Revocation, Self::Suspension, Self::Refresh, Self::Message];

    /// Its name in credentials.
    pub fn name(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Suspension => "suspension",
            Self::Refresh => "refresh",
            Self::Message => "message",
        }
    }

    /// The purpose with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a list says of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Nothing speaks against it.
    Live,
    /// It ended for good.
    Revoked,
    /// It does not count at present.
    Suspended,
    /// Its issuer has something to say, which does not end it.
    Message {
        /// The value of the entry.
        value: u8,
        /// The words that the credential has for this value.
        text: String,
        /// Where to read more, as URLs.
        references: Vec<String>,
    },
}

/// What a list says, and for how long whoever fetched it may keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The status.
    pub status: Status,
    /// Seconds, counted from when the list was fetched.
    pub ttl: Option<u64>,
}

/// Why a status could not be told. None of these means that a credential is live.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// A member has another form than it must have (`MALFORMED_VALUE_ERROR`).
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// A status of a type or with a meaning that is not known.
    #[error("a status that is not known")]
    Unknown,
    /// There is no such list at hand (`STATUS_RETRIEVAL_ERROR`).
    #[error("the list could not be had")]
    NotThere,
    /// The list did not pass these checks (`STATUS_VERIFICATION_ERROR`).
    #[error("the list did not pass its checks: {}", .0.join(", "))]
    NotVerified(Vec<&'static str>),
    /// The list is somebody else's, or another list of theirs.
    #[error("not the list that the credential names, by its own issuer")]
    OtherList,
    /// The list is about something else.
    #[error("the list has another purpose")]
    OtherPurpose,
    /// Not GZIP or ZLIB as it must be, or something behind it.
    #[error("the list can not be unpacked")]
    Packed,
    /// More than [`MAX_UNPACKED`] bytes.
    #[error("the list is longer than any that is read")]
    TooLong,
    /// Fewer than [`MIN_ENTRIES`] entries (`STATUS_LIST_LENGTH_ERROR`).
    #[error("the list has too few entries to hide anybody")]
    Length,
    /// The list has no such entry (`RANGE_ERROR`).
    #[error("the list has no such entry")]
    Range,
}

/// Where a status of a credential is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusEntry {
    /// In a Bitstring Status List.
    Bitstring(BitstringEntry),
    /// In a Token Status List.
    Token(TokenEntry),
}

impl StatusEntry {
    /// The URL of the list.
    pub fn list(&self) -> &str {
        match self {
            Self::Bitstring(entry) => &entry.list,
            Self::Token(entry) => &entry.list,
        }
    }

    /// Reads the status from the bytes that the URL of the list answered with. The list must be of the credential's
    /// own issuer, and pass the checks of this policy.
    pub fn read(&self, issuer: &str, list: &[u8], policy: &Policy) -> Result<Reading, StatusError> {
        match self {
            Self::Bitstring(entry) => entry.read(issuer, list, policy),
            Self::Token(entry) => entry.read(issuer, list, policy),
        }
    }
}

/// All statuses that a credential has: of a W3C credential, or of the claims of an SD-JWT VC.
pub fn status_entries(credential: &Map<String, Value>) -> Result<Vec<StatusEntry>, StatusError> {
    let mut entries = Vec::new();
    match credential.get("credentialStatus") {
        None => {}
        Some(Value::Array(several)) => {
            if several.len() > MAX_STATUSES {
                return Err(StatusError::Malformed("too many statuses"));
            }
            for one in several {
                entries.push(StatusEntry::Bitstring(BitstringEntry::parse(one)?));
            }
        }
        Some(one) => entries.push(StatusEntry::Bitstring(BitstringEntry::parse(one)?)),
    }
    // In a W3C credential a member of this name is whatever its contexts say.
    if let Some(status) = credential.get("status").filter(|_| !credential.contains_key("@context")) {
        entries.push(StatusEntry::Token(TokenEntry::parse(status)?));
    }
    Ok(entries)
}

/// The lists that are at hand, each under its URL: answers the question `status` of a verification.
#[derive(Clone)]
pub struct StatusLists {
    /// What the URLs of the lists answered with.
    pub lists: BTreeMap<String, Vec<u8>>,
    /// Where the DID documents of those who signed them come from.
    pub resolver: Arc<dyn Resolver>,
}

impl Judge for StatusLists {
    fn judge(&self, credential: &Map<String, Value>, now: Timestamp) -> Finding {
        let policy = Policy { resolver: self.resolver.clone(), ..Policy::new(now) };
        let unknown = |error: StatusError| Finding::Unknown(format!("could not be checked: {error}"));
        let entries = match status_entries(credential) {
            Ok(entries) => entries,
            Err(error) => return unknown(error),
        };
        // Nobody asks about a credential without a status, so here is one that was not understood.
        if entries.is_empty() {
            return unknown(StatusError::Unknown);
        }
        let party = credential.get("issuer").or_else(|| credential.get("iss"));
        let issuer = party.and_then(|party| party.as_str().or_else(|| party.get("id")?.as_str())).unwrap_or_default();
        let (mut told, mut open) = (Vec::new(), None);
        for entry in &entries {
            let list = self.lists.get(entry.list()).ok_or(StatusError::NotThere);
            match list.and_then(|list| entry.read(issuer, list, &policy)).map(|reading| reading.status) {
                Ok(Status::Live) => told.push(format!("{}: live", entry.list())),
                Ok(Status::Revoked) => return Finding::Fails(format!("{}: revoked", entry.list())),
                Ok(Status::Suspended) => return Finding::Fails(format!("{}: suspended", entry.list())),
                Ok(Status::Message { value, text, .. }) => told.push(format!("{}: {value:#x}, {text}", entry.list())),
                // Another list may still say no.
                Err(error) => open = Some(error),
            }
        }
        open.map_or_else(|| Finding::Holds(told.join("; ")), unknown)
    }
}

impl fmt::Debug for StatusLists {
    /// Their addresses only: a list is long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.lists.keys()).finish()
    }
}
