//! Sealed letters: HPKE (RFC 9180) to the X25519 half of a did:key.

use crate::{Did, SigningKey, random};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use std::convert::Infallible;
use zeroize::Zeroizing;

/// The first byte of a sealed letter: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305 in base mode.
const VERSION: u8 = 1;
/// The length of an encapsulated X25519 key.
const ENCAPSULATED: usize = 32;

/// Why a letter could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Not a sealed letter, or of a version that is not known.
    #[error("not a sealed letter of a known version")]
    Form,
    /// The key of the addressee can not be used.
    #[error("nothing can be sealed to this key")]
    Key,
    /// For another key, with another purpose, or altered.
    #[error("the letter can not be opened with this key and purpose")]
    Open,
}

/// Seals bytes so that only the holder of `to` can open them. `info` says what for, and must be the same on opening.
///
/// The letter does not say who sealed it; sign what must be attributed.
pub fn seal(to: &Did, info: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
    type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
    let key = PublicKey::from_bytes(&to.public_key().to_x25519()).map_err(|_| SealError::Key)?;
    let (encapsulated, cipher) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &key,
        info.as_bytes(),
        plain,
        to.as_str().as_bytes(),
        &mut SystemRandom,
    )
    .map_err(|_| SealError::Key)?;
    let mut sealed = vec![VERSION];
    sealed.extend_from_slice(&encapsulated.to_bytes());
    sealed.extend_from_slice(&cipher);
    Ok(sealed)
}

/// Opens a sealed letter.
pub fn open(key: &SigningKey, info: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
    type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;
    let (version, rest) = sealed.split_first().ok_or(SealError::Form)?;
    if *version != VERSION {
        return Err(SealError::Form);
    }
    let (encapsulated, cipher) = rest.split_at_checked(ENCAPSULATED).ok_or(SealError::Form)?;
    let encapsulated = Encapsulated::from_bytes(encapsulated).map_err(|_| SealError::Form)?;
    let private = PrivateKey::from_bytes(key.to_x25519().as_slice()).map_err(|_| SealError::Key)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &private,
        &encapsulated,
        info.as_bytes(),
        cipher,
        key.did().as_str().as_bytes(),
    )
    .map(Zeroizing::new)
    .map_err(|_| SealError::Open)
}

/// The crate's one source of randomness in the shape that `hpke` asks for.
struct SystemRandom;

impl TryRng for SystemRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(random::bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(random::bytes()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(32) {
            let bytes = Zeroizing::new(random::bytes::<32>());
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for SystemRandom {}
