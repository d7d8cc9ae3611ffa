//! Encrypted answers: compact JWE (RFC 7516) by ECDH-ES (RFC 7518, section 4.6; RFC 8037) with AES-GCM, as OpenID4VP 1.0,
//! section 8.3 asks for, and no other form.

use super::reading::{object, optional_text, text};
use super::{MAX_BYTES, Read, Refused};
use crate::random;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use curve25519_dalek::MontgomeryPoint;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const CHECK: &str = "encryption";
const ALGORITHM: &str = "ECDH-ES";
/// How many keys a verifier may offer.
const MAX_KEYS: usize = 16;
/// The lengths of the nonce and of the tag of AES-GCM, in bytes (RFC 7518, section 5.3).
const NONCE: usize = 12;
const TAG: usize = 16;

/// The algorithm of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    A128Gcm,
    A256Gcm,
}

impl Content {
    fn name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::A256Gcm, Self::A128Gcm].into_iter().find(|content| content.name() == name)
    }

    fn key_len(self) -> usize {
        if self == Self::A128Gcm { 16 } else { 32 }
    }
}

/// A public key of one of the two curves.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Public {
    P256(p256::PublicKey),
    X25519([u8; 32]),
}

/// How an answer is encrypted: to which key of the verifier, and how its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    key: Public,
    kid: String,
    content: Content,
}

impl Recipient {
    /// The first key of `client_metadata` that can be used. Those that can not are passed over; if none is left, the
    /// request can not be answered.
    pub(super) fn read(metadata: &Map<String, Value>) -> Read<Self> {
        let refused = |detail: &str| Refused::new(CHECK, detail);
        let content = match metadata.get("encrypted_response_enc_values_supported") {
            None => Content::A128Gcm,
            Some(names) => {
                let names = names.as_array().filter(|names| names.len() <= MAX_KEYS);
                let names = names.ok_or_else(|| refused("the algorithms of the content are not a list"))?;
                let known = names.iter().find_map(|name| Content::of(name.as_str()?));
                known.ok_or_else(|| refused("no algorithm of the content is known"))?
            }
        };
        let keys = metadata.get("jwks").and_then(|set| set.get("keys")).and_then(Value::as_array);
        let keys = keys.filter(|keys| keys.len() <= MAX_KEYS).ok_or_else(|| refused("there is no list of keys"))?;
        let usable = keys.iter().find_map(|key| Some((public(key.as_object()?)?, key["kid"].as_str()?)));
        let (key, kid) = usable.ok_or_else(|| refused("no key can be used"))?;
        Ok(Self { key, kid: kid.to_owned(), content })
    }

    /// Encrypts bytes so that only the holder of the key can read them.
    pub(super) fn seal(&self, plain: &[u8]) -> Read<String> {
        let refused = || Refused::new(CHECK, "nothing can be encrypted to this key");
        let (secret, epk) = match &self.key {
            Public::P256(key) => {
                let own = p256_secret();
                let shared = p256::ecdh::diffie_hellman(own.to_nonzero_scalar(), key.as_affine());
                (Zeroizing::new(shared.raw_secret_bytes().to_vec()), p256_jwk(&own.public_key()))
            }
            Public::X25519(key) => {
                let own = Zeroizing::new(random::bytes::<32>());
                let epk = MontgomeryPoint::mul_base_clamped(*own).to_bytes();
                (x25519(&own, key).ok_or_else(refused)?, x25519_jwk(&epk))
            }
        };
        let head = json!({ "alg": ALGORITHM, "enc": self.content.name(), "kid": self.kid, "epk": epk });
        let head = URL_SAFE_NO_PAD.encode(head.to_string());
        let key = derive(&secret, self.content);
        let nonce = random::bytes::<NONCE>();
        let mut cipher = crypt(self.content, &key, &nonce, plain, head.as_bytes(), true).ok_or_else(refused)?;
        let tag = cipher.split_off(cipher.len() - TAG);
        let [nonce, cipher, tag] = [&nonce[..], &cipher, &tag].map(|part| URL_SAFE_NO_PAD.encode(part));
        Ok(format!("{head}..{nonce}.{cipher}.{tag}"))
    }
}

/// A verifier's private key for one answer. It can not be printed or cloned, and is wiped when it is dropped.
pub struct AnswerKey {
    secret: p256::SecretKey,
    kid: String,
}

impl AnswerKey {
    /// A new key on P-256.
    pub fn make() -> Self {
        let kid = URL_SAFE_NO_PAD.encode(random::bytes::<16>());
        Self { secret: p256_secret(), kid }
    }

    /// What `client_metadata` of a request says of it.
    pub(super) fn metadata(&self) -> Value {
        let mut key = p256_jwk(&self.secret.public_key());
        for (name, value) in [("use", "enc"), ("alg", ALGORITHM), ("kid", &self.kid)] {
            key[name] = json!(value);
        }
        json!({
            "jwks": { "keys": [key] },
            "encrypted_response_enc_values_supported": [Content::A256Gcm.name(), Content::A128Gcm.name()],
        })
    }

    /// Decrypts an answer.
    pub(super) fn open(&self, compact: &str) -> Read<Zeroizing<Vec<u8>>> {
        let refused = |detail: &str| Refused::new(CHECK, detail);
        // Base64 and encryption make the text longer than what is in it.
        if compact.len() > 2 * super::answer::MAX_ANSWER {
            return Err(Refused::new("size", "the answer is too long"));
        }
        let parts: Vec<&str> = compact.split('.').collect();
        let [head, "", nonce, cipher, tag] = parts[..] else { return Err(refused("not a compact JWE of this form")) };
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| refused("not base64url"));
        if head.len() > MAX_BYTES {
            return Err(Refused::new("size", "the header is too long"));
        }
        let said = object(&decode(head)?)?;
        if text(&said, "alg", CHECK)? != ALGORITHM
            || ["zip", "crit"].iter().any(|name| said.contains_key(*name))
            || optional_text(&said, "kid", CHECK)?.is_some_and(|kid| kid != self.kid)
        {
            return Err(refused("another algorithm, or for another key"));
        }
        let content = Content::of(text(&said, "enc", CHECK)?).ok_or_else(|| refused("enc is not known"))?;
        let theirs = said.get("epk").and_then(Value::as_object).and_then(point);
        let Some(Public::P256(theirs)) = theirs else { return Err(refused("epk is not a point of P-256")) };
        let parties = [("apu", &said), ("apv", &said)].map(|(name, said)| match said.get(name) {
            None => Some(Vec::new()),
            Some(value) => value.as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()),
        });
        let [Some(from), Some(to)] = parties else { return Err(refused("apu or apv is not base64url")) };
        let shared = p256::ecdh::diffie_hellman(self.secret.to_nonzero_scalar(), theirs.as_affine());
        let key = derive_for(shared.raw_secret_bytes(), content, &from, &to);
        let nonce: [u8; NONCE] = decode(nonce)?.try_into().map_err(|_| refused("the nonce has another length"))?;
        let (cipher, tag) = (decode(cipher)?, decode(tag)?);
        let whole = (tag.len() == TAG).then(|| [cipher, tag].concat());
        let plain = whole.and_then(|whole| crypt(content, &key, &nonce, &whole, head.as_bytes(), false));
        plain.map(Zeroizing::new).ok_or_else(|| refused("it can not be opened with this key"))
    }
}

/// A key that an answer can be encrypted to: for this, by this algorithm, and a point of one of the curves.
fn public(key: &Map<String, Value>) -> Option<Public> {
    let may = |name: &str, only: &str| key.get(name).is_none_or(|value| value == only);
    let fits = key.get("alg").is_some_and(|algorithm| algorithm == ALGORITHM) && may("use", "enc");
    if fits { point(key) } else { None }
}

fn point(key: &Map<String, Value>) -> Option<Public> {
    let coordinate = |name: &str| -> Option<[u8; 32]> {
        URL_SAFE_NO_PAD.decode(key.get(name)?.as_str().filter(|text| text.len() == 43)?).ok()?.try_into().ok()
    };
    match (key.get("kty")?.as_str()?, key.get("crv")?.as_str()?) {
        ("EC", "P-256") => {
            let point =
                p256::EncodedPoint::from_affine_coordinates(&coordinate("x")?.into(), &coordinate("y")?.into(), false);
            p256::PublicKey::from_sec1_bytes(point.as_bytes()).ok().map(Public::P256)
        }
        ("OKP", "X25519") => coordinate("x").map(Public::X25519),
        _ => None,
    }
}

fn p256_secret() -> p256::SecretKey {
    loop {
        // Some numbers are no private key, far less than one in a billion.
        if let Ok(key) = p256::SecretKey::from_slice(&*Zeroizing::new(random::bytes::<32>())) {
            return key;
        }
    }
}

fn p256_jwk(key: &p256::PublicKey) -> Value {
    let point = key.to_encoded_point(false);
    let text = |coordinate: Option<&p256::FieldBytes>| coordinate.map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    json!({ "kty": "EC", "crv": "P-256", "x": text(point.x()), "y": text(point.y()) })
}

fn x25519_jwk(key: &[u8; 32]) -> Value {
    json!({ "kty": "OKP", "crv": "X25519", "x": URL_SAFE_NO_PAD.encode(key) })
}

/// The shared secret; none if the other key is of small order, so that anybody could know it (RFC 7748, section 6.1).
fn x25519(own: &[u8; 32], theirs: &[u8; 32]) -> Option<Zeroizing<Vec<u8>>> {
    let shared = Zeroizing::new(MontgomeryPoint(*theirs).mul_clamped(*own).to_bytes());
    shared.iter().any(|byte| *byte != 0).then(|| Zeroizing::new(shared.to_vec()))
}

fn derive(shared: &[u8], content: Content) -> Zeroizing<Vec<u8>> {
    derive_for(shared, content, b"", b"")
}

/// Concat KDF (NIST SP 800-56A, section 5.8.2.1) in its one round: no key here is longer than SHA-256.
fn derive_for(shared: &[u8], content: Content, from: &[u8], to: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    let mut hash = Sha256::new();
    hash.update(1_u32.to_be_bytes());
    hash.update(shared);
    for part in [content.name().as_bytes(), from, to] {
        hash.update(length(part.len()));
        hash.update(part);
    }
    hash.update(length(content.key_len() * 8));
    let mut key = Zeroizing::new(hash.finalize().to_vec());
    key.truncate(content.key_len());
    key
}

fn crypt(content: Content, key: &[u8], nonce: &[u8; NONCE], msg: &[u8], aad: &[u8], seals: bool) -> Option<Vec<u8>> {
    fn with<A: Aead>(cipher: &A, nonce: &[u8; NONCE], payload: Payload<'_, '_>, seals: bool) -> Option<Vec<u8>> {
        let nonce = nonce.as_slice().try_into().ok()?;
        if seals { cipher.encrypt(nonce, payload).ok() } else { cipher.decrypt(nonce, payload).ok() }
    }
    let payload = Payload { msg, aad };
    match content {
        Content::A128Gcm => with(&Aes128Gcm::new_from_slice(key).ok()?, nonce, payload, seals),
        Content::A256Gcm => with(&Aes256Gcm::new_from_slice(key).ok()?, nonce, payload, seals),
    }
}
