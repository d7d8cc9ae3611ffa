//! What a person agrees to beside showing a credential (OpenID4VP 1.0, sections 5.1 and 8.4).
//!
//! One type is known: the purpose for which a researcher wants to use what the consent allows. The presentation holds the
//! SHA-256 of the text as it came, in base64url, as the `nonce` of its proof. Appendix B defines this for SD-JWT VC only,
//! and leaves each type to say where the hash goes.

use super::dcql::Query;
use super::reading::{object, text, texts};
use super::{MAX_BYTES, Read, Refused};
use crate::canonical::{sha256, to_canonical};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consent::Purpose;
use serde_json::{Value, json};

/// The type of the one kind of transaction data that is known.
pub const PURPOSE_TRANSACTION: &str = "urn:consent-wallet:transaction:purpose:v1";

const CHECK: &str = "transaction-data";

/// A purpose that a person is asked to agree to.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// The text as it came, which is what is hashed.
    text: String,
    /// With which credentials it is authorised: names of credential queries.
    pub credentials: Vec<String>,
    /// What for.
    pub purpose: Purpose,
}

impl Transaction {
    /// States a purpose that the presentation of `credential`, the name of a credential query, authorises.
    pub fn new(credential: &str, purpose: &Purpose) -> Self {
        let content = json!({ "type": PURPOSE_TRANSACTION, "credential_ids": [credential], "purpose": purpose });
        // Texts and lists always have a canonical form.
        let text = URL_SAFE_NO_PAD.encode(to_canonical(&content).unwrap_or_default());
        Self { text, credentials: vec![credential.to_owned()], purpose: purpose.clone() }
    }

    /// The text, as a request holds it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the proof of the presentation has to hold.
    pub fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(sha256(self.text.as_bytes()))
    }

    /// Reads the transaction data of a request. A type that is not known is refused, and so is more than one: the proof
    /// has room for one, and a person should agree to one thing at a time.
    pub(super) fn read(value: &Value, query: &Query) -> Read<Self> {
        let refused = |detail: &str| Refused::new(CHECK, detail);
        let Some([Value::String(text)]) = value.as_array().map(Vec::as_slice) else {
            return Err(refused("not a list of one text"));
        };
        let bytes =
            Some(text).filter(|text| text.len() <= MAX_BYTES).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let said = object(&bytes.ok_or_else(|| refused("not base64url"))?)?;
        if self::text(&said, "type", CHECK)? != PURPOSE_TRANSACTION {
            return Err(refused("a type that is not known"));
        }
        if said.keys().any(|name| !["type", "credential_ids", "purpose"].contains(&name.as_str())) {
            return Err(refused("there is a member that is not known"));
        }
        let credentials =
            texts(&said, "credential_ids", 32, CHECK)?.ok_or_else(|| refused("credential_ids is missing"))?;
        let bound = |id: &String| query.credentials.iter().any(|one| one.id == *id && one.holder_binding);
        if !credentials.iter().all(bound) {
            return Err(refused("a credential is not asked for, or not with the holder's signature"));
        }
        let purpose = said.get("purpose").and_then(|purpose| serde_json::from_value::<Purpose>(purpose.clone()).ok());
        // Nobody can agree to words that can not be shown.
        let purpose = purpose.filter(|purpose| purpose.unknown.is_empty());
        let purpose = purpose.ok_or_else(|| refused("purpose is not of the expected form"))?;
        Ok(Self { text: text.clone(), credentials, purpose })
    }
}
