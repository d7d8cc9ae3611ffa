//! A DID document as a verifier reads it (W3C DID Core 1.0, section 5): whose it is, and which key is for what.

use super::{DidUrl, ResolveError};
use crate::canonical::parse_document;
use crate::vc::KeyId;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The longest document that is read, in bytes, and the most levels of arrays and objects.
pub const MAX_DOCUMENT: usize = 128 << 10;
const MAX_DEPTH: usize = 12;
/// The most verification methods, embedded ones included.
const MAX_METHODS: usize = 64;

/// Members that hold the private half of a key.
const PRIVATE: [&str; 4] = ["privateKeyMultibase", "privateKeyBase58", "privateKeyJwk", "privateKeyHex"];

/// What a key of a document may be for (section 5.3).
const RELATIONSHIPS: [&str; 5] =
    ["authentication", "assertionMethod", "keyAgreement", "capabilityInvocation", "capabilityDelegation"];

/// A DID document that was read: its JSON, and its verification methods by their full names.
#[derive(Debug, Clone, PartialEq)]
pub struct DidDocument {
    json: Value,
    id: String,
    methods: BTreeMap<String, Method>,
    /// Of each relationship the full names of its methods.
    relationships: BTreeMap<&'static str, Vec<String>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Method {
    json: Value,
    controller: String,
    /// The key, or why it can not be used.
    key: Result<KeyId, String>,
}

impl DidDocument {
    /// Reads the document that was found for a DID. It has to say that it is this DID's own.
    pub fn read(bytes: &[u8], did: &DidUrl) -> Result<Self, ResolveError> {
        let json = parse_document(bytes, MAX_DOCUMENT, MAX_DEPTH).map_err(|error| bad(error.to_string()))?;
        Self::from_json(json, did)
    }

    pub(super) fn from_json(json: Value, did: &DidUrl) -> Result<Self, ResolveError> {
        let object = json.as_object().ok_or_else(|| bad("not an object"))?;
        if object.get("id").and_then(Value::as_str) != Some(did.did()) {
            return Err(bad("its id is not the DID that was asked for"));
        }
        for controller in texts(object, "controller")? {
            DidUrl::parse_did(controller).map_err(|_| bad("controller is not a DID"))?;
        }
        let mut document = Self {
            id: did.did().to_owned(),
            methods: BTreeMap::new(),
            relationships: BTreeMap::new(),
            json: Value::Null,
        };
        for method in list(object, "verificationMethod")? {
            document.add(method)?;
        }
        for name in RELATIONSHIPS {
            let mut named = Vec::new();
            for item in list(object, name)? {
                named.push(match item {
                    Value::String(reference) => document.full_name(reference)?,
                    embedded => document.add(embedded)?,
                });
            }
            document.relationships.insert(name, named);
        }
        document.json = json;
        Ok(document)
    }

    /// The DID that it is of.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// All of it.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The verification method or the service with this full name.
    pub fn part(&self, url: &str) -> Option<&Value> {
        let services = self.json.get("service").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let is_named = |service: &&Value| {
            let id = service.get("id").and_then(Value::as_str);
            id.and_then(|id| self.full_name(id).ok()).is_some_and(|id| id == url)
        };
        self.methods.get(url).map(|method| &method.json).or_else(|| services.iter().find(is_named))
    }

    /// The key with this full name, if the document lists it for this purpose. The document of one DID can list keys
    /// of another one; they speak for that one, and are no keys of this DID.
    pub fn key_for(&self, purpose: &str, method: &str) -> Result<&KeyId, String> {
        let found = self.methods.get(method).ok_or("the DID document has no such verification method")?;
        if !self.relationships.get(purpose).is_some_and(|listed| listed.iter().any(|name| name == method)) {
            return Err(format!("the DID document does not list the key for {purpose:.40}"));
        }
        if found.controller != self.id {
            return Err("the key is another DID's, as its controller says".to_owned());
        }
        found.key.as_ref().map_err(Clone::clone)
    }

    /// Takes a verification method in, and tells its full name.
    fn add(&mut self, json: &Value) -> Result<String, ResolveError> {
        let object = json.as_object().ok_or_else(|| bad("a verification method is not an object"))?;
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let id = self.full_name(text("id").ok_or_else(|| bad("a verification method has no id"))?)?;
        let controller = text("controller").and_then(|did| DidUrl::parse_did(did).ok());
        let controller = controller.ok_or_else(|| bad("the controller of a verification method is not a DID"))?;
        text("type").ok_or_else(|| bad("a verification method has no type"))?;
        let in_key = object.get("publicKeyJwk").is_some_and(|key| key.get("d").is_some());
        if in_key || PRIVATE.iter().any(|name| object.contains_key(*name)) {
            return Err(bad("it holds a private key, which is nobody's own any more"));
        }
        let method = Method { json: json.clone(), controller: controller.did().to_owned(), key: key(object) };
        if self.methods.len() >= MAX_METHODS {
            return Err(bad("too many verification methods"));
        }
        if self.methods.insert(id.clone(), method).is_some() {
            return Err(bad("two verification methods have the same id"));
        }
        Ok(id)
    }

    /// A name in full: documents may leave their own DID out of names (section 3.2.2).
    fn full_name(&self, name: &str) -> Result<String, ResolveError> {
        let full = if name.starts_with('#') { format!("{}{name}", self.id) } else { name.to_owned() };
        DidUrl::parse(&full).map_err(|_| bad("a name in it is not a DID URL"))?;
        Ok(full)
    }
}

fn bad(reason: impl Into<String>) -> ResolveError {
    ResolveError::InvalidDocument(reason.into())
}

fn list<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a [Value], ResolveError> {
    match object.get(name) {
        None => Ok(&[]),
        Some(Value::Array(items)) if items.len() <= MAX_METHODS => Ok(items),
        Some(_) => Err(bad(format!("{name} is not a list, or too long"))),
    }
}

/// One text, several, or none.
fn texts<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Vec<&'a str>, ResolveError> {
    let found = match object.get(name) {
        None => Some(Vec::new()),
        Some(Value::String(one)) => Some(vec![one.as_str()]),
        Some(Value::Array(items)) => items.iter().map(Value::as_str).collect(),
        Some(_) => None,
    };
    found.ok_or_else(|| bad(format!("{name} is neither a text nor a list of texts")))
}

/// The key of a verification method, by the type that it says it has. A key of an unknown kind spoils no document: it
/// can only not be used.
fn key(method: &Map<String, Value>) -> Result<KeyId, String> {
    let text = |name: &str| method.get(name).and_then(Value::as_str);
    match (text("type").unwrap_or_default(), text("publicKeyMultibase"), method.get("publicKeyJwk")) {
        ("Multikey" | "Ed25519VerificationKey2020", Some(multibase), None) => {
            KeyId::from_multibase(multibase).map_err(|error| error.to_string())
        }
        ("JsonWebKey" | "JsonWebKey2020", None, Some(jwk)) => KeyId::from_jwk(jwk).map_err(|error| error.to_string()),
        _ => Err("the verification method is of a type that is not known".to_owned()),
    }
}
