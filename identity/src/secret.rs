//! The one secret of a profile and everything that is derived from it.

use crate::{Did, SigningKey, random};
use consent::StudyId;
use hkdf::Hkdf;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// The first step of every path: the letters `CPRT` as a number.
const PURPOSE: u32 = 0x4350_5254;
// Role 0 was once planned for the profile itself; no key has it.
const ROLE_BIOBANK: u32 = 1;
const ROLE_STUDY: u32 = 2;

const LABEL_BIOBANK: &[u8] = b"consent-wallet/v1 biobank key";
const LABEL_STUDY: &[u8] = b"consent-wallet/v1 study key";
const LABEL_DATABASE: &[u8] = b"consent-wallet/v1 database key";
const LABEL_SALT: &[u8] = b"consent-wallet/v1 subject salt";
const LABEL_FINGERPRINT: &[u8] = b"consent-wallet/v1 fingerprint";

/// The 32 bytes from which all keys of a profile come. They live in the keychain of the operating system.
///
/// This type can not be printed, serialised or cloned, and is wiped when it is dropped.
pub struct ProfileSecret(Zeroizing<[u8; 32]>);

impl ProfileSecret {
    /// A new random secret.
    pub fn make() -> Self {
        Self(Zeroizing::new(random::bytes()))
    }

    /// From bytes that were read back from the keychain or from a recovery sheet.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves, for the keychain and the recovery sheet and nothing else.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// A public name of this secret. It tells secrets apart and says nothing about them.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(self.expand(LABEL_FINGERPRINT, &[]))
    }

    /// The donor's key towards one biobank. Two biobanks can not tell that they know the same donor.
    pub fn derive_biobank_key(&self, biobank: &Did) -> SigningKey {
        self.derive_keyed(ROLE_BIOBANK, &encode(LABEL_BIOBANK, &[biobank.as_str()]))
    }

    /// The donor's key for one study: the pseudonym under which consent is recorded.
    pub fn derive_study_key(&self, biobank: &Did, study: &StudyId) -> SigningKey {
        self.derive_keyed(ROLE_STUDY, &encode(LABEL_STUDY, &[biobank.as_str(), study.as_str()]))
    }

    /// The key of the encrypted database.
    pub fn derive_database_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.expand(LABEL_DATABASE, &[]))
    }

    /// The salt that hides the donor in the ledger's commitments for one study.
    pub fn derive_subject_salt(&self, biobank: &Did, study: &StudyId) -> [u8; 32] {
        self.expand(LABEL_SALT, &[biobank.as_str(), study.as_str()])
    }

    /// `m/1129337428'/role'/h0'/h1'/h2'/h3'` where h is SHA-256 of what the key is for, cut into 31-bit words.
    fn derive_keyed(&self, role: u32, what_for: &[u8]) -> SigningKey {
        let hash = Sha256::digest(what_for);
        let mut path = vec![PURPOSE, role];
        path.extend(hash.chunks_exact(4).take(4).map(|w| u32::from_be_bytes([w[0], w[1], w[2], w[3]]) & 0x7fff_ffff));
        self.derive_key(&path)
    }

    /// SLIP-0010 for Ed25519; every step is hardened.
    fn derive_key(&self, path: &[u32]) -> SigningKey {
        let seed = Zeroizing::new(slip10_ed25519::derive_ed25519_private_key(self.0.as_slice(), path));
        SigningKey::from_seed(*seed)
    }

    /// HKDF-SHA256 (RFC 5869) without salt: the secret is uniformly random already.
    #[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 8160 bytes and N is at most 32")]
    fn expand<const N: usize>(&self, label: &[u8], parts: &[&str]) -> [u8; N] {
        let mut out = [0; N];
        let hkdf = Hkdf::<Sha256>::new(None, self.0.as_slice());
        hkdf.expand(&encode(label, parts), &mut out).expect("the length is allowed");
        out
    }
}

/// Joins parts so that two different lists never give the same bytes: each part follows its length.
fn encode(label: &[u8], parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in std::iter::once(label).chain(parts.iter().map(|part| part.as_bytes())) {
        // DIDs and study names are short; their types bound them.
        bytes.extend_from_slice(&(part.len() as u32).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// The public name of a [`ProfileSecret`], written as `ABCD-EFGH-JKMN-PQRS` in Crockford's base 32.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 10]);

/// A text that is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a fingerprint of the form ABCD-EFGH-JKMN-PQRS")]
pub struct FingerprintError;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0.iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
        for place in 0..16u32 {
            if place > 0 && place % 4 == 0 {
                f.write_str("-")?;
            }
            let letter = ALPHABET[(bits >> (75 - 5 * place) & 31) as usize];
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let mut bits = 0u128;
        for letter in text.bytes().filter(|byte| *byte != b'-') {
            let value = ALPHABET.iter().position(|known| *known == letter).ok_or(FingerprintError)?;
            bits = bits << 5 | value as u128;
        }
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&bits.to_be_bytes()[6..]);
        // Writing it again refuses other groupings and lengths.
        let fingerprint = Self(bytes);
        if fingerprint.to_string() == text { Ok(fingerprint) } else { Err(FingerprintError) }
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
