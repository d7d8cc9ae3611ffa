//! What a verifier asks for, and whom it asks about what stands in no credential.

use super::Suite;
use crate::credential::Checks;
use crate::did_document::{Local, Resolver};
use crate::jose::Algorithm;
use consent::Timestamp;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// What a [`Judge`] answers, by the name of its check, and the member of a credential that makes the question. Whether
/// an issuer is trusted is always a question.
pub(crate) const QUESTIONS: [&str; 3] = ["schema", "status", "trust"];

/// What somebody who was asked about a credential says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// As it must be, and from what that is known: which list, which version, how old.
    Holds(String),
    /// Not as it must be, and why.
    Fails(String),
    /// They can not tell, and why. That is never a yes.
    Unknown(String),
}

/// Whoever answers one question about credentials: whether one was taken back, keeps to its schema, or is by an issuer
/// who may issue it. It is asked in the middle of the work, so it answers from what was fetched before.
pub trait Judge: fmt::Debug + Send + Sync {
    /// Judges a credential at a moment. Its proofs may be wrong: other checks say so.
    fn judge(&self, credential: &Map<String, Value>, now: Timestamp) -> Finding;
}

/// What a verifier asks for.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The moment of the verification.
    pub now: Timestamp,
    /// The challenge that was given out. A presentation that is signed has to answer one.
    pub challenge: Option<String>,
    /// The verifier's own name. What is addressed to somebody has to be addressed to it.
    pub domain: Option<String>,
    /// The presentation header that was given out. Proofs have to answer it, so only those by `bbs-2023` are good then.
    pub presentation_header: Option<Vec<u8>>,
    /// The context of the pseudonym that was asked for. Proofs have to show one, so only those by `bbs-2023` are good
    /// then.
    pub pseudonym_context: Option<String>,
    /// The suites that are good enough.
    pub suites: Vec<Suite>,
    /// The algorithms of signed tokens that are good enough.
    pub algorithms: Vec<Algorithm>,
    /// Whether the key has to be that of whom the document names. A verifier that says no learns that somebody signed,
    /// and not who; only test suites have a reason to.
    pub binding: bool,
    /// Whether a presentation may come without a proof: then nobody shows that they hold anything.
    pub unsigned: bool,
    /// How long ago a proof may have been made, in seconds; without it, at any time.
    pub max_proof_age: Option<i64>,
    /// Where DID documents come from.
    pub resolver: Arc<dyn Resolver>,
    /// How old a DID document may be, in seconds.
    pub max_document_age: i64,
    /// Who knows the schemas of credentials.
    pub schema: Option<Arc<dyn Judge>>,
    /// Who knows which credentials were taken back.
    pub status: Option<Arc<dyn Judge>>,
    /// Who knows which issuers may issue what.
    pub trust: Option<Arc<dyn Judge>>,
    /// Which of `schema`, `status` and `trust` may stay open. The report says that nobody looked; a no stays a no.
    pub waived: Vec<&'static str>,
}

impl Policy {
    /// Everything that this program knows, with all checks. A credential that names a status needs somebody who knows
    /// it; schemas and lists of trusted issuers are for those who have them.
    pub fn new(now: Timestamp) -> Self {
        let suites = vec![
            Suite::EddsaRdfc2022,
            Suite::EddsaJcs2022,
            Suite::EcdsaRdfc2019,
            Suite::EcdsaJcs2019,
            Suite::EcdsaSd2023,
            Suite::Bbs2023,
            Suite::Ed25519Signature2020,
        ];
        Self {
            now,
            challenge: None,
            domain: None,
            presentation_header: None,
            pseudonym_context: None,
            suites,
            algorithms: Algorithm::ALL.to_vec(),
            binding: true,
            unsigned: false,
            max_proof_age: None,
            resolver: Arc::new(Local),
            max_document_age: 86_400,
            schema: None,
            status: None,
            trust: None,
            waived: vec!["schema", "trust"],
        }
    }

    /// Lets a question stay open, if it is one that can be; answers whether it is.
    pub fn waive(&mut self, name: &str) -> bool {
        let known = QUESTIONS.iter().find(|question| **question == name);
        self.waived.extend(known);
        known.is_some()
    }

    /// Asks about everything that the credential itself can not show. `status` is the member that names a status.
    pub(crate) fn ask(&self, checks: &mut Checks, credential: &Map<String, Value>, status: &str) {
        for (name, member, judge) in [
            ("schema", Some("credentialSchema"), &self.schema),
            ("status", Some(status), &self.status),
            ("trust", None, &self.trust),
        ] {
            if let Some(member) = member.filter(|member| !credential.contains_key(*member)) {
                checks.record(name, Ok(()));
                checks.show(name, &format!("the credential has no {member}"));
                continue;
            }
            // A list of issuers goes by names of types, and a context of the document's own can give any type any name.
            let renamed = name == "trust" && judge.is_some() && has_own_context(credential);
            let finding = match judge {
                Some(_) if renamed => Some(Finding::Fails("a context of its own says what its types mean".to_owned())),
                Some(judge) => Some(judge.judge(credential, self.now)),
                None => None,
            };
            match finding.unwrap_or_else(|| Finding::Unknown("nobody was asked".to_owned())) {
                Finding::Holds(evidence) => {
                    checks.record(name, Ok(()));
                    checks.show(name, &evidence);
                }
                Finding::Fails(reason) => drop(checks.record::<()>(name, Err(reason))),
                Finding::Unknown(reason) if self.waived.contains(&name) => checks.waive(name, &reason),
                Finding::Unknown(reason) => checks.leave(name, &reason),
            }
        }
    }
}

/// Whether a credential brings definitions along.
fn has_own_context(credential: &Map<String, Value>) -> bool {
    match credential.get("@context") {
        Some(Value::Array(contexts)) => contexts.iter().any(Value::is_object),
        Some(context) => context.is_object(),
        None => false,
    }
}
