//! OpenID for Verifiable Presentations 1.0 and OpenID for Verifiable Credential Issuance 1.0, as far as both are texts:
//! what a link, a request, a query, an offer and an answer say. Who fetches and sends them is somebody else.
//!
//! A person is asked only about a request that passed every check of [`Request::read`]. What is refused says which check
//! refused it, and is not shown as something that one could agree to.

mod answer;
mod client;
mod dcql;
mod encryption;
mod issuance;
mod jwt;
mod link;
mod matching;
mod offer;
mod reading;
mod request;
mod transaction;

pub use answer::{Answer, AnswerKey, Sealing, form, read_answer};
pub use client::Client;
pub use dcql::{ClaimQuery, CredentialQuery, CredentialSet, Format, Query, Step};
pub use issuance::{
    ENROLMENT_CONFIGURATION, IssuerMetadata, credential_answer, credential_request, issuer_metadata,
    read_credential_answer, read_credential_request, read_nonce, read_server_metadata, read_token, read_token_request,
    server_metadata, token_request,
};
pub use link::{Link, Method, Source};
pub use matching::{CONSENT_TYPES, Found, Held, Want, find};
pub use offer::{Offer, OfferLink, PinRule};
pub use request::{Draft, REQUEST_TYPE, Request, consent_query};
pub use transaction::{PURPOSE_TRANSACTION, Transaction};

/// The longest link, request, offer or answer to any of them that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// The most levels of arrays and objects in any of them.
const MAX_DEPTH: usize = 16;
/// The longest single text in any of them, in bytes.
const MAX_TEXT: usize = 2_048;
/// The longest `nonce` or `state`, in bytes.
const MAX_NONCE: usize = 512;

/// Why a text was refused: the check that refused it, and what was wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{check}: {detail}")]
pub struct Refused {
    /// The name of the check, one of `size`, `json`, `link`, `client-id`, `typ`, `signature`, `expires`, `audience`,
    /// `wallet-nonce`, `response-type`, `response-mode`, `response-uri`, `nonce`, `state`, `query`, `encryption`,
    /// `transaction-data`, `verifier-info`, `offer`, `metadata`, `token`, `credential`, `proof`.
    pub check: &'static str,
    /// Why, in words for the technical details.
    pub detail: String,
}

impl Refused {
    pub(crate) fn new(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, detail: detail.into() }
    }
}

/// The result of reading something that others wrote.
pub type Read<T> = Result<T, Refused>;
