//! The DID document of a key.

use super::contexts::{DID_V1, MULTIKEY_V1};
use super::keys::KeyId;
use serde_json::{Value, json};

impl KeyId {
    /// The DID document: the key as a Multikey, for everything that it may do.
    pub fn document(&self) -> Value {
        let method = self.verification_method();
        json!({
            "@context": [DID_V1, MULTIKEY_V1],
            "id": self.as_str(),
            "verificationMethod": [{
                "id": method,
                "type": "Multikey",
                "controller": self.as_str(),
                "publicKeyMultibase": self.multibase(),
            }],
            "authentication": [method],
            "assertionMethod": [method],
            "capabilityDelegation": [method],
            "capabilityInvocation": [method],
        })
    }
}
