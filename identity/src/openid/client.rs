//! Who a request says that it is from (OpenID4VP 1.0, section 5.9).

use super::{Read, Refused};
use crate::vc::KeyId;

/// A verifier, by its client identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Client {
    /// `decentralized_identifier:`: the request is signed by a key of this DID.
    Did(Box<KeyId>),
    /// `redirect_uri:`: nobody in particular. The request is not signed, and only this address gets the answer.
    Address(String),
}

impl Client {
    /// Reads a client identifier. One without a prefix would be known to the wallet beforehand, and none is.
    pub fn read(text: &str) -> Read<Self> {
        let refused = |detail: &str| Refused::new("client-id", detail);
        match text.split_once(':') {
            Some(("decentralized_identifier", did)) => {
                did.parse().map(|did| Self::Did(Box::new(did))).map_err(|error| refused(&format!("{error}")))
            }
            Some(("redirect_uri", address)) => {
                super::reading::address(address, "client-id").map(|address| Self::Address(address.to_owned()))
            }
            _ => Err(refused("a client identifier of a kind that is not known")),
        }
    }
}
