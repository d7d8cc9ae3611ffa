//! The keys by which an institution signs for itself and for others, each in a file of its own.

use crate::biobank::{StartError, read_or_make_seed};
use identity::SigningKey;
use ledger::{Cosigner, NoteError};
use std::path::Path;

/// Secrets of a member.
pub struct Keys {
    /// The log's second signature, by ML-DSA-44.
    pub log: Cosigner,
    /// "I have seen it": by Ed25519 and by ML-DSA-44.
    pub witness: Vec<Cosigner>,
    /// "I hold it": other keys than the witness', because it is another statement.
    pub mirror: Vec<Cosigner>,
    /// By which a mirror knows its own tickets again.
    pub ticket: [u8; 32],
}

impl Keys {
    /// Reads the key files beside `log.key`, or makes them.
    pub fn read_or_make(dir: &Path, origin: &str) -> Result<Self, StartError> {
        let seed = |name: &str| read_or_make_seed(&dir.join(name));
        let pair = |role: &str| -> Result<Vec<Cosigner>, StartError> {
            // A name as C2SP recommends it: an address without a scheme, and not the log's own.
            let name = format!("{origin}/{role}");
            let ed25519 = SigningKey::from_seed(seed(&format!("{role}.key"))?);
            let ml_dsa = seed(&format!("{role}.ml-dsa-44.key"))?;
            let both = [Cosigner::ed25519(&name, ed25519), Cosigner::ml_dsa_44(&name, &ml_dsa)];
            Ok(both.into_iter().collect::<Result<_, NoteError>>()?)
        };
        Ok(Self {
            log: Cosigner::ml_dsa_44(origin, &seed("log.ml-dsa-44.key")?)?,
            witness: pair("witness")?,
            mirror: pair("mirror")?,
            ticket: seed("mirror.ticket.key")?,
        })
    }
}
