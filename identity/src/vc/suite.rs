//! The cryptographic suites of Data Integrity, as one table.

use super::keys::KeyKind;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384};
use std::fmt;
use std::str::FromStr;

/// How a proof was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// Ed25519 over canonical N-Quads.
    EddsaRdfc2022,
    /// Ed25519 over canonical JSON.
    EddsaJcs2022,
    /// ECDSA over canonical N-Quads.
    EcdsaRdfc2019,
    /// ECDSA over canonical JSON.
    EcdsaJcs2019,
    /// ECDSA on P-256 over each statement, so that a holder can leave some out.
    EcdsaSd2023,
    /// BBS over all statements, so that a holder can leave some out and nobody can link what is left.
    Bbs2023,
    /// The predecessor of `eddsa-rdfc-2022`, for verification only.
    Ed25519Signature2020,
}

/// What of a document is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Its statements (RDFC-1.0).
    Statements,
    /// Its JSON (RFC 8785).
    Json,
    /// Its statements, each for itself.
    Parts,
}

/// A suite that is not known, or not for this purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cryptosuite that is known")]
pub struct UnknownSuite;

struct Row {
    suite: Suite,
    name: &'static str,
    proof_type: &'static str,
    form: Form,
    keys: &'static [KeyKind],
    signs: bool,
}

const PROOF_TYPE: &str = "DataIntegrityProof";
const ED25519: &[KeyKind] = &[KeyKind::Ed25519];
const ECDSA: &[KeyKind] = &[KeyKind::P256, KeyKind::P384];
const P256: &[KeyKind] = &[KeyKind::P256];
const BLS: &[KeyKind] = &[KeyKind::Bls12381G2];

#[rustfmt::skip]
const TABLE: [Row; 7] = [
    Row { suite: Suite::EddsaRdfc2022, name: "eddsa-rdfc-2022", proof_type: PROOF_TYPE, form: Form::Statements, keys: ED25519, signs: true },
    Row { suite: Suite::EddsaJcs2022, name: "eddsa-jcs-2022", proof_type: PROOF_TYPE, form: Form::Json, keys: ED25519, signs: true },
    Row { suite: Suite::EcdsaRdfc2019, name: "ecdsa-rdfc-2019", proof_type: PROOF_TYPE, form: Form::Statements, keys: ECDSA, signs: true },
    Row { suite: Suite::EcdsaJcs2019, name: "ecdsa-jcs-2019", proof_type: PROOF_TYPE, form: Form::Json, keys: ECDSA, signs: true },
    Row { suite: Suite::EcdsaSd2023, name: "ecdsa-sd-2023", proof_type: PROOF_TYPE, form: Form::Parts, keys: P256, signs: true },
    Row { suite: Suite::Bbs2023, name: "bbs-2023", proof_type: PROOF_TYPE, form: Form::Parts, keys: BLS, signs: true },
    Row { suite: Suite::Ed25519Signature2020, name: "Ed25519Signature2020", proof_type: "Ed25519Signature2020", form: Form::Statements, keys: ED25519, signs: false },
];

impl Suite {
    fn row(self) -> &'static Row {
        let [first, ..] = &TABLE;
        TABLE.iter().find(|row| row.suite == self).unwrap_or(first)
    }

    /// The name, as `cryptosuite` says it; of the suite without that member, the type of its proofs.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether new proofs may be made with it.
    pub fn signs(self) -> bool {
        self.row().signs
    }

    /// Whether a key of this kind may sign with it.
    pub fn takes(self, kind: KeyKind) -> bool {
        self.row().keys.contains(&kind)
    }

    /// Whether a proof has to say when it was made. A Data Integrity proof may be silent; a verifier that sets an age
    /// does not take it then.
    pub(super) fn needs_date(self) -> bool {
        self == Self::Ed25519Signature2020
    }

    /// Whether new proofs say when they were made. By that moment one could link those that are unlinkable.
    pub(super) fn is_dated(self) -> bool {
        self != Self::Bbs2023
    }

    pub(super) fn form(self) -> Form {
        self.row().form
    }

    pub(super) fn proof_type(self) -> &'static str {
        self.row().proof_type
    }

    /// The suite that a proof names, by its type and its cryptosuite together.
    pub(super) fn of_proof(proof: &Map<String, Value>) -> Result<Self, UnknownSuite> {
        let kind = proof.get("type").and_then(Value::as_str);
        let cryptosuite = proof.get("cryptosuite").map(|name| name.as_str().unwrap_or_default());
        let named = |row: &&Row| {
            kind == Some(row.proof_type)
                && cryptosuite == if row.proof_type == PROOF_TYPE { Some(row.name) } else { None }
        };
        TABLE.iter().find(named).map(|row| row.suite).ok_or(UnknownSuite)
    }
}

impl FromStr for Suite {
    type Err = UnknownSuite;

    fn from_str(name: &str) -> Result<Self, UnknownSuite> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.suite).ok_or(UnknownSuite)
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The hash that goes with a key: of everything, the order of blank nodes included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    pub(super) fn of_key(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Ed25519 | KeyKind::P256 | KeyKind::Bls12381G2 => Self::Sha256,
            KeyKind::P384 => Self::Sha384,
        }
    }

    pub(super) fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
        }
    }
}
