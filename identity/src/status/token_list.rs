//! Token Status List (draft-ietf-oauth-status-list): the reference in a token, and the `statuslist+jwt`.

use super::bits::token_entry;
use super::{Reading, Status, StatusError};
use crate::credential::Checks;
use crate::jose::token::{moment, read};
use crate::vc::{PURPOSE_CREDENTIAL, Policy, is_url};
use serde_json::Value;

const TYP: &str = "statuslist+jwt";

/// An entry of a list, as a token names it (section 6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEntry {
    /// The URL of the list.
    pub list: String,
    /// The place in the list, from 0.
    pub index: u64,
}

impl TokenEntry {
    /// Reads the claim `status`.
    pub(super) fn parse(status: &Value) -> Result<Self, StatusError> {
        // Another mechanism beside this one could say something else.
        let entry = status.as_object().filter(|status| status.len() == 1).and_then(|status| status.get("status_list"));
        let entry = entry.ok_or(StatusError::Unknown)?;
        let list = entry.get("uri").and_then(Value::as_str).filter(|url| is_url(url));
        let index = entry.get("idx").and_then(Value::as_u64).ok_or(StatusError::Malformed("idx is no number"))?;
        Ok(Self { list: list.ok_or(StatusError::Malformed("uri is no URL"))?.to_owned(), index })
    }

    /// The status by the token that the URL of the list answered with (section 8.3).
    pub(super) fn read(&self, issuer: &str, list: &[u8], policy: &Policy) -> Result<Reading, StatusError> {
        let text = std::str::from_utf8(list).map_err(|_| StatusError::NotVerified(vec!["form"]))?;
        let token =
            read(text.trim(), &[TYP], &policy.algorithms).map_err(|(name, _)| StatusError::NotVerified(vec![name]))?;
        let named = match token.payload.get("iss") {
            None => issuer,
            Some(named) if named == issuer => issuer,
            Some(_) => return Err(StatusError::OtherList),
        };
        let mut checks =
            Checks::new(&["created", "expires", "freshness", "resolution", "signer-is-issuer", "signature"]);
        token.times(&mut checks, policy);
        if let Ok(None) = moment(&token.payload, "iat") {
            checks.record::<()>("created", Err("iat is missing".to_owned()));
        }
        token.prove(&mut checks, Some(named), PURPOSE_CREDENTIAL, policy);
        let verification = checks.conclude(Some(()));
        if verification.verified.is_none() {
            return Err(StatusError::NotVerified(verification.failed()));
        }
        if token.payload.get("sub").and_then(Value::as_str) != Some(&self.list) {
            return Err(StatusError::OtherList);
        }
        let ttl = match token.payload.get("ttl") {
            None => None,
            Some(ttl) => Some(ttl.as_u64().filter(|ttl| *ttl > 0).ok_or(StatusError::Malformed("ttl is no time"))?),
        };
        let held = token.payload.get("status_list").ok_or(StatusError::Malformed("status_list is missing"))?;
        let bits = match held.get("bits").and_then(Value::as_u64) {
            Some(1) => 1,
            Some(2) => 2,
            Some(4) => 4,
            Some(8) => 8,
            _ => return Err(StatusError::Malformed("bits is not 1, 2, 4 or 8")),
        };
        let packed = held.get("lst").and_then(Value::as_str).ok_or(StatusError::Malformed("lst is missing"))?;
        // Section 7.1: what an application means by the other values, only that application knows.
        let status = match token_entry(packed, bits, self.index)? {
            0 => Status::Live,
            1 => Status::Revoked,
            2 => Status::Suspended,
            _ => return Err(StatusError::Unknown),
        };
        Ok(Reading { status, ttl })
    }
}
