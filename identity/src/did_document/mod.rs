//! DID documents: who they are of, which keys are in them, how old they are.
//!
//! Nothing here asks the network. Documents of `did:key` and `did:jwk` are made from the DID itself; those of `did:web`
//! are read from what somebody fetched (the feature `web` has a client for that) and kept for a while in a [`Cache`].

mod cache;
mod document;
mod local;
mod url;
mod web;

pub use cache::{AtHand, Cache, CacheTimes};
pub use document::{DidDocument, MAX_DOCUMENT};
pub use local::{KeyFormat, key_document};
pub use url::{DidUrl, MAX_DID_URL};

use consent::Timestamp;
use std::fmt;

/// Why there is no document. The names in brackets are those of DID resolution, section 11.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Not a DID, or not in the one form of its method (INVALID_DID).
    #[error("not a DID in the form of its method")]
    InvalidDid,
    /// A DID, and something after it that is no part of a DID URL (INVALID_DID_URL).
    #[error("not a DID URL")]
    InvalidDidUrl,
    /// A method that is not known, or that this program was not told to use (METHOD_NOT_SUPPORTED).
    #[error("a DID of a method that is not used here")]
    Method,
    /// A kind of key that is not known.
    #[error("a kind of key that is not known")]
    KeyType,
    /// Too many or too few bytes for this kind of key.
    #[error("a public key of the wrong length")]
    KeyLength,
    /// Whoever has to know says that there is none (NOT_FOUND).
    #[error("there is no document of this DID")]
    NotFound,
    /// Whoever has to know says that there is none any more (a `deactivated` DID).
    #[error("this DID is not in use any more")]
    Deactivated,
    /// What was found is no document of this DID (INVALID_DID_DOCUMENT).
    #[error("what was found is not the document of this DID: {0}")]
    InvalidDocument(String),
    /// Nobody could be asked, or not in time; or the address is none that may be asked (INTERNAL_ERROR).
    #[error("the document could not be fetched: {0}")]
    Unreachable(String),
    /// The document was not looked up before this verification, or is older than the verifier allows.
    #[error("no document that is fresh enough is at hand")]
    NotAtHand,
}

/// A document, and where it is from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Resolved {
    /// The document.
    pub document: DidDocument,
    /// Its age.
    pub age: Age,
}

/// How old a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// It follows from the DID, and can not change.
    Fixed,
    /// It was fetched for this question.
    Fetched(Timestamp),
    /// It was fetched then, for an earlier question.
    Cached(Timestamp),
}

impl Age {
    /// The age in seconds at a moment; a clock that went back makes it 0.
    pub fn seconds(self, now: Timestamp) -> i64 {
        match self {
            Self::Fixed => 0,
            Self::Fetched(then) | Self::Cached(then) => now.unix().saturating_sub(then.unix()).max(0),
        }
    }

    /// The age in words, for a report.
    pub fn told(self, now: Timestamp) -> String {
        match self {
            Self::Fixed => "the DID itself says its key".to_owned(),
            Self::Fetched(_) => format!("document fetched {} s ago", self.seconds(now)),
            Self::Cached(_) => format!("document kept since {} s", self.seconds(now)),
        }
    }
}

/// Where a verification has its DID documents from. It is asked in the middle of the work, so it answers from what is
/// at hand: whoever has to fetch does so before (`vc::named_dids` says what is needed).
pub trait Resolver: fmt::Debug + Send + Sync {
    /// The document of a DID.
    fn resolve(&self, did: &DidUrl) -> Result<Resolved, ResolveError>;
}

/// Knows the DIDs that are keys, and no others.
#[derive(Debug, Clone, Copy, Default)]
pub struct Local;

impl Resolver for Local {
    fn resolve(&self, did: &DidUrl) -> Result<Resolved, ResolveError> {
        let document = match did.method() {
            "key" => key_document(did, KeyFormat::Multikey)?,
            "jwk" => local::jwk_document(did)?,
            _ => return Err(ResolveError::Method),
        };
        Ok(Resolved { document, age: Age::Fixed })
    }
}

/// Where the document of a DID has to be fetched: an https address, or `None` if it follows from the DID.
pub fn address_of(did: &DidUrl) -> Result<Option<String>, ResolveError> {
    match did.method() {
        "key" | "jwk" => Ok(None),
        "web" => web::document_address(did).map(Some),
        _ => Err(ResolveError::Method),
    }
}

#[cfg(test)]
mod tests;
