//! Lists of trusted issuers: who, in the eyes of one biobank, may issue what, and until when.
//!
//! A list is a signed message like all others of the project (JWS over canonical JSON). Each version names the one
//! before by its hash, so a reader who kept what it saw is never led back to an older one, or to another past.

use crate::canonical::{parse_strict, sha256, to_canonical};
use crate::did_document::DidUrl;
use crate::vc::{Finding, Judge};
use crate::{Did, JwsError, SigningKey, sign_jws, verify_jws};
use consent::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the header of a list says that it is.
pub const TRUST_TYPE: &str = "consent-trusted-issuers.v1+jws";
/// The most issuers of one list, and the most types of one issuer.
const MAX_ISSUERS: usize = 300;
const MAX_TYPES: usize = 16;
const MAX_NAME: usize = 256;

/// One issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustedIssuer {
    /// Its DID, of any method.
    pub issuer: String,
    /// The types of credentials that it may issue, as `type` of a credential names them.
    pub types: Vec<String>,
    /// Until when a credential of it is trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What a list says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustClaims {
    /// 1, and one more each time.
    pub version: u64,
    /// SHA-256 of the version before, in hex; the first one has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// When it was signed.
    pub issued: Timestamp,
    /// Until when it counts. A reader who gets no newer one by then trusts nobody.
    pub until: Timestamp,
    /// Whom the biobank trusts.
    pub issuers: Vec<TrustedIssuer>,
}

/// Which version of a list was seen, for whoever reads it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenVersion {
    /// Its version.
    pub version: u64,
    /// SHA-256 of the signed message, in hex.
    pub sha256: String,
}

/// Why a list was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Not a signed message.
    #[error("not a signed list: {0}")]
    Jws(#[from] JwsError),
    /// A message of another kind, or with other members.
    #[error("not a list of trusted issuers: {0}")]
    Form(&'static str),
    /// Signed by somebody else than the biobank whose list was asked for.
    #[error("the list is signed by somebody else")]
    Signer,
    /// Signed in the future.
    #[error("the list is from the future")]
    Future,
    /// An older version than one that was seen before, or another text of the same one.
    #[error("version {0} was seen before, and this list is older, or another one of that version")]
    Rollback(u64),
    /// The next version after the one that was seen, but it names another one as the one before.
    #[error("the list does not follow the one that was seen before")]
    Fork,
}

/// A list whose signature was checked. Only [`TrustList::read`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustList {
    biobank: Did,
    claims: TrustClaims,
    seen: SeenVersion,
}

impl TrustList {
    /// Signs a list in a biobank's name.
    pub fn sign(key: &SigningKey, claims: &TrustClaims) -> Result<String, TrustError> {
        claims.check()?;
        let payload = to_canonical(claims).map_err(|_| TrustError::Form("no canonical form"))?;
        let signed = sign_jws(key, TRUST_TYPE, &payload);
        // What is too long to be read is not to be signed.
        verify_jws(&signed)?;
        Ok(signed)
    }

    /// Reads a biobank's list. `seen` is the newest version that the reader took before.
    pub fn read(jws: &str, biobank: &Did, seen: Option<&SeenVersion>, now: Timestamp) -> Result<Self, TrustError> {
        let signed = verify_jws(jws)?;
        if signed.typ != TRUST_TYPE {
            return Err(TrustError::Form("another kind of message"));
        }
        if signed.signer != *biobank {
            return Err(TrustError::Signer);
        }
        let value = parse_strict(&signed.payload, crate::MAX_JWS, 4).map_err(|_| TrustError::Form("no strict JSON"))?;
        let claims: TrustClaims = serde_json::from_value(value).map_err(|_| TrustError::Form("unexpected members"))?;
        if to_canonical(&claims).ok().as_ref() != Some(&signed.payload) {
            return Err(TrustError::Form("not in canonical form"));
        }
        claims.check()?;
        if claims.issued > now.plus_seconds(300) {
            return Err(TrustError::Future);
        }
        let found = SeenVersion { version: claims.version, sha256: hex::encode(sha256(jws.as_bytes())) };
        if let Some(seen) = seen.filter(|seen| **seen != found) {
            if found.version <= seen.version {
                return Err(TrustError::Rollback(seen.version));
            }
            if found.version == seen.version + 1 && claims.previous.as_ref() != Some(&seen.sha256) {
                return Err(TrustError::Fork);
            }
        }
        Ok(Self { biobank: signed.signer, claims, seen: found })
    }

    /// What it says.
    pub fn claims(&self) -> &TrustClaims {
        &self.claims
    }

    /// What to keep, so that no older one is taken later.
    pub fn seen(&self) -> &SeenVersion {
        &self.seen
    }

    /// What the next version says, with these issuers.
    pub fn next(&self, issuers: Vec<TrustedIssuer>, issued: Timestamp, until: Timestamp) -> TrustClaims {
        let previous = Some(self.seen.sha256.clone());
        TrustClaims { version: self.seen.version.saturating_add(1), previous, issued, until, issuers }
    }
}

impl TrustClaims {
    /// The first version, with these issuers.
    pub fn first(issuers: Vec<TrustedIssuer>, issued: Timestamp, until: Timestamp) -> Self {
        Self { version: 1, previous: None, issued, until, issuers }
    }

    fn check(&self) -> Result<(), TrustError> {
        // Beyond 2^53 two readers could see two numbers.
        if self.version == 0 || self.version >= 1 << 53 {
            return Err(TrustError::Form("no version"));
        }
        let digest =
            |text: &String| text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if self.previous.is_some() != (self.version > 1) || !self.previous.iter().all(digest) {
            return Err(TrustError::Form("the hash of the version before"));
        }
        if self.until < self.issued || self.issuers.len() > MAX_ISSUERS {
            return Err(TrustError::Form("its end, or too many issuers"));
        }
        for (number, one) in self.issuers.iter().enumerate() {
            DidUrl::parse_did(&one.issuer).map_err(|_| TrustError::Form("an issuer that is no DID"))?;
            let fine = |name: &String| (1..=MAX_NAME).contains(&name.len()) && !name.chars().any(char::is_control);
            if one.types.is_empty() || one.types.len() > MAX_TYPES || !one.types.iter().all(fine) {
                return Err(TrustError::Form("the types of an issuer"));
            }
            if self.issuers[..number].iter().any(|other| other.issuer == one.issuer) {
                return Err(TrustError::Form("an issuer twice"));
            }
        }
        Ok(())
    }
}

impl Judge for TrustList {
    fn judge(&self, credential: &Map<String, Value>, now: Timestamp) -> Finding {
        if now > self.claims.until {
            return Finding::Unknown("the list of trusted issuers is over".to_owned());
        }
        let issuer = match credential.get("issuer") {
            Some(Value::String(id)) => Some(id.as_str()),
            Some(Value::Object(issuer)) => issuer.get("id").and_then(Value::as_str),
            _ => None,
        };
        let Some(listed) = self.claims.issuers.iter().find(|one| Some(one.issuer.as_str()) == issuer) else {
            return Finding::Fails("the issuer is not on the list of trusted issuers".to_owned());
        };
        if listed.until.is_some_and(|until| now > until) {
            return Finding::Fails("the issuer was trusted, and is not any more".to_owned());
        }
        let types = credential.get("type").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // The type that all credentials have says nothing. Each other one has to be one that this issuer may issue.
        let mut own = types.iter().filter_map(Value::as_str).filter(|name| *name != "VerifiableCredential").peekable();
        if own.peek().is_none() || !own.all(|name| listed.types.iter().any(|known| known == name)) {
            return Finding::Fails("the issuer is not trusted with credentials of this type".to_owned());
        }
        let version = self.claims.version;
        Finding::Holds(format!("version {version} of the list of {}, signed {}", self.biobank, self.claims.issued))
    }
}
