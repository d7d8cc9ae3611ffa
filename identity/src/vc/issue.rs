//! Signing any credential or presentation.

use super::jsonld::with_room;
use super::keys::Signer;
use super::model::{self, Model};
use super::proof::{MAX_PROOFS, PURPOSE_CREDENTIAL, PURPOSE_PRESENTATION, followed, proofs};
use super::suite::{Form, Hash, Suite};
use super::transform::{signed_bytes, with_suite_context, without_proof};
use super::{TYPE_CREDENTIAL, TYPE_PRESENTATION, jsonld, selective};
use consent::Timestamp;
use serde_json::{Map, Value, json};

/// How to sign.
#[derive(Debug, Clone)]
pub struct IssueOptions {
    /// The suite.
    pub suite: Suite,
    /// When the proof is made.
    pub created: Timestamp,
    /// When the proof ends.
    pub expires: Option<Timestamp>,
    /// Who it is for.
    pub domain: Option<String>,
    /// What it answers.
    pub challenge: Option<String>,
    /// The name of the proof, by which others can follow it.
    pub id: Option<String>,
    /// The proofs that it follows.
    pub previous: Vec<String>,
    /// The full name of the key, where the issuer's DID is not the key itself, as `did:web:biobank.example#key-1`.
    pub method: Option<String>,
    /// JSON pointers (RFC 6901) to what every proof derived from this one discloses; without any list, what decides
    /// whether the credential holds. For the suites of selective disclosure only.
    pub mandatory: Option<Vec<String>>,
    /// A holder's commitment to the secret behind its pseudonyms ([`super::PseudonymSecret`]). For `bbs-2023` only.
    pub commitment: Option<Vec<u8>>,
    /// Whether the key has to be the issuer's or holder's own. Only test suites have a reason to say no.
    pub own_name: bool,
}

impl IssueOptions {
    /// A plain proof in somebody's own name.
    pub fn new(suite: Suite, created: Timestamp) -> Self {
        Self {
            suite,
            created,
            expires: None,
            domain: None,
            challenge: None,
            id: None,
            previous: Vec::new(),
            method: None,
            mandatory: None,
            commitment: None,
            own_name: true,
        }
    }
}

/// Why a document was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The document does not follow the data model, or its terms can not be told.
    #[error("the document can not be signed: {0}")]
    Document(String),
    /// The suite is for verification only, or not for this kind of key.
    #[error("the suite does not go with this key")]
    Suite,
    /// The document names somebody else as its issuer or holder.
    #[error("the document is in somebody else's name")]
    OtherName,
    /// It is to follow a proof that the document does not have, or options contradict each other.
    #[error("the options can not be met: {0}")]
    Options(String),
    /// The signature could not be made.
    #[error("the signature could not be made")]
    Signature,
}

/// Adds a proof to a credential (or to a presentation), beside those that it has.
pub fn issue(document: &Value, options: &IssueOptions, key: &Signer) -> Result<Value, IssueError> {
    with_room(|| add_proof(document, options, key)).unwrap_or(Err(IssueError::Signature))
}

fn add_proof(document: &Value, options: &IssueOptions, key: &Signer) -> Result<Value, IssueError> {
    let (id, suite) = (key.id(), options.suite);
    if !suite.signs() || !suite.takes(id.kind()) {
        return Err(IssueError::Suite);
    }
    let document = document.as_object().ok_or_else(|| IssueError::Document("not an object".to_owned()))?;
    if suite.form() == Form::Parts && !options.previous.is_empty() {
        return Err(IssueError::Options("a proof of parts can not follow another one".to_owned()));
    }
    if suite.form() != Form::Parts && options.mandatory.is_some() {
        return Err(IssueError::Options("the suite discloses everything".to_owned()));
    }
    selective::check_commitment(suite, options.commitment.as_deref()).map_err(IssueError::Options)?;
    let presents = model::types(document, TYPE_PRESENTATION, false).is_ok();
    let (model, name) = form(document, presents).map_err(IssueError::Document)?;
    let method = options.method.clone().unwrap_or_else(|| id.verification_method());
    // Whether the key is one of that DID, its document says, and every verifier asks it.
    let own = method.split('#').next().unwrap_or_default();
    if options.own_name && name.is_some_and(|name| name != own) {
        return Err(IssueError::OtherName);
    }
    let mut document = document.clone();
    if model == Model::One {
        // This model does not know such proofs, so the document has to say what they mean, however it is hashed.
        let contexts = with_suite_context(document.get("@context").unwrap_or(&Value::Null), suite);
        document.insert("@context".to_owned(), contexts);
    }
    // Also where the JSON is hashed: a document with terms that nobody can tell is not one to sign.
    jsonld::statements(&Value::Object(without_proof(&document))).map_err(IssueError::Document)?;

    let existing = proofs(&document).map_err(IssueError::Document)?;
    if existing.len() >= MAX_PROOFS {
        return Err(IssueError::Document("too many proofs".to_owned()));
    }
    let mut proof = proof_options(&document, options, presents, method);
    let previous = followed(&proof, &existing).map_err(IssueError::Options)?;
    let mut bare = without_proof(&document);
    let value = if suite.form() == Form::Parts {
        let pointers = selective::mandatory(&bare, options.mandatory.as_deref()).map_err(IssueError::Options)?;
        selective::sign(&bare, &proof, suite, &pointers, options.commitment.as_deref(), key)
            .map_err(IssueError::Document)?
    } else {
        if !previous.is_empty() {
            bare.insert("proof".to_owned(), json!(previous));
        }
        let bytes = signed_bytes(&bare, &proof, suite, Hash::of_key(id.kind())).map_err(IssueError::Document)?;
        format!("z{}", bs58::encode(key.sign(&bytes).ok_or(IssueError::Signature)?).into_string())
    };
    proof.insert("proofValue".to_owned(), json!(value));

    let mut all: Vec<Value> = existing.into_iter().cloned().map(Value::Object).collect();
    all.push(Value::Object(proof));
    let proof = if all.len() == 1 { all.remove(0) } else { Value::Array(all) };
    document.insert("proof".to_owned(), proof);
    Ok(Value::Object(document))
}

/// Looks at a credential or presentation before it is signed in any way, and hands back who it says that it is from.
pub(crate) fn sound(document: &Map<String, Value>, presents: bool) -> Result<Option<&str>, IssueError> {
    let (_, name) = form(document, presents).map_err(IssueError::Document)?;
    jsonld::statements(&Value::Object(document.clone())).map_err(IssueError::Document)?;
    Ok(name)
}

/// The data model of a document that keeps to it, and who it says that it is from.
fn form(document: &Map<String, Value>, presents: bool) -> Result<(Model, Option<&str>), String> {
    let model = model::context(document)?;
    model::id(document)?;
    if presents {
        let holder = document.get("holder").map(|_| model::party(document, "holder")).transpose()?;
        return Ok((model, holder));
    }
    model::types(document, TYPE_CREDENTIAL, true)?;
    let issuer = model::party(document, "issuer")?;
    model::subject(document)?;
    model::validity(document, model)?;
    model::members(document, model, true)?;
    Ok((model, Some(issuer)))
}

fn proof_options(
    document: &Map<String, Value>,
    options: &IssueOptions,
    presents: bool,
    method: String,
) -> Map<String, Value> {
    let purpose = if presents { PURPOSE_PRESENTATION } else { PURPOSE_CREDENTIAL };
    let mut proof = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            proof.insert(name.to_owned(), value);
        }
    };
    if options.suite.form() == Form::Json {
        add("@context", document.get("@context").cloned());
    }
    add("type", Some(json!(options.suite.proof_type())));
    add("id", options.id.as_ref().map(|id| json!(id)));
    add("cryptosuite", Some(json!(options.suite.name())));
    add("created", options.suite.is_dated().then(|| json!(options.created)));
    add("expires", options.expires.map(|expires| json!(expires)));
    add("verificationMethod", Some(json!(method)));
    add("proofPurpose", Some(json!(purpose)));
    add("domain", options.domain.as_ref().map(|domain| json!(domain)));
    add("challenge", options.challenge.as_ref().map(|challenge| json!(challenge)));
    add(
        "previousProof",
        match options.previous.as_slice() {
            [] => None,
            [one] => Some(json!(one)),
            several => Some(json!(several)),
        },
    );
    proof
}
