//! Pseudonyms of a holder, one for each context such as a study (draft-irtf-cfrg-bbs-per-verifier-linkability; vc-di-bbs,
//! the feature `pseudonym`).
//!
//! A credential is signed together with a secret that only its holder has, which neither holder nor issuer chose alone.
//! A proof shows a point that comes of secret and context. The same holder has one point in a context, points of two
//! contexts can not be told to be of one holder, and without the secret nobody proves anything.

use crate::random;
use crate::vc::keys::BadSecret;
use affinidi_bbs::hash::{scalar_from_bytes, scalar_to_bytes};
use affinidi_bbs::{Ciphersuite, Scalar, nym_commit};
use zeroize::Zeroizing;

/// How many bytes a commitment has: a point and three numbers.
pub(super) const COMMITMENT: usize = 48 + 3 * 32;

/// A holder's half of the secret behind its pseudonyms. It can not be printed or cloned, and is wiped when dropped.
pub struct PseudonymSecret {
    nym: Zeroizing<[u8; 32]>,
    blind: Zeroizing<[u8; 32]>,
}

impl PseudonymSecret {
    /// A new secret, and the commitment to it that the issuer signs with the credential.
    pub fn make() -> Result<(Self, Vec<u8>), BadSecret> {
        let nym = random_number();
        let number = scalar_from_bytes(&nym).ok_or(BadSecret)?;
        let (commitment, blind) = nym_commit(number, &[], Ciphersuite::default()).map_err(|_| BadSecret)?;
        Ok((Self { nym, blind: Zeroizing::new(scalar_to_bytes(&blind)) }, commitment))
    }

    /// Reads what [`PseudonymSecret::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8; 64]) -> Result<Self, BadSecret> {
        let half = |half: &[u8]| {
            let half: [u8; 32] = half.try_into().map_err(|_| BadSecret)?;
            scalar_from_bytes(&half).map(|_| Zeroizing::new(half)).ok_or(BadSecret)
        };
        Ok(Self { nym: half(&bytes[..32])?, blind: half(&bytes[32..])? })
    }

    /// The secret as bytes, to be kept where secrets are kept.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 64]> {
        let mut bytes = Zeroizing::new([0; 64]);
        bytes[..32].copy_from_slice(&*self.nym);
        bytes[32..].copy_from_slice(&*self.blind);
        bytes
    }

    /// The whole secret, with the issuer's part, and what hides the commitment.
    pub(super) fn numbers(&self, entropy: &[u8; 32]) -> Option<(Scalar, Scalar)> {
        let (nym, blind) = (scalar_from_bytes(&self.nym)?, scalar_from_bytes(&self.blind)?);
        Some((nym + scalar_from_bytes(entropy)?, blind))
    }
}

/// A random number below the order of the group, in 32 bytes.
pub(super) fn random_number() -> Zeroizing<[u8; 32]> {
    loop {
        // More than half of all are too large.
        let bytes = Zeroizing::new(random::bytes::<32>());
        if scalar_from_bytes(&bytes).is_some() {
            return bytes;
        }
    }
}
