//! `bbs-2023` (vc-di-bbs, section 3.4): one BBS signature of all statements, and proofs of it that two verifiers can not
//! tell to be of one credential.
//!
//! Signatures and proofs are by `affinidi-bbs`. What is signed and disclosed is found out here, as for `ecdsa-sd-2023`.

use super::cbor::{Components, has, large_number, list, map, number, write};
use super::parts::{Label, Labels, MAX_STATEMENTS, Parts, divide, relabelled};
use super::{Disclosure, Request, Signed};
use crate::sha256;
use crate::vc::keys::{KeyId, Signer};
use affinidi_bbs::hash::scalar_from_bytes;
use affinidi_bbs::{Ciphersuite, Proof, Pseudonym, Signature};
use serde_json::{Map, Value as Json};

pub(super) const BASE: [u8; 3] = [0xd9, 0x5d, 0x02];
pub(super) const DERIVED: [u8; 3] = [0xd9, 0x5d, 0x03];
/// The same with a pseudonym.
pub(super) const BASE_OF_HOLDER: [u8; 3] = [0xd9, 0x5d, 0x08];
const DERIVED_BY_HOLDER: [u8; 3] = [0xd9, 0x5d, 0x09];

/// The longest presentation header, in bytes.
pub(super) const MAX_HEADER: usize = 1_000;

/// A proof begins with three points, compressed; four numbers and one for each hidden statement follow.
const POINT: usize = 48;
const POINTS: usize = 3 * POINT;
const NUMBER: usize = 32;
/// The bit that says that a compressed point is the one at infinity.
const AT_INFINITY: u8 = 0x40;

/// What the issuer gives to the holder.
pub(super) struct Base {
    signature: [u8; 80],
    header: [u8; 64],
    key: [u8; 96],
    hmac: [u8; 32],
    pointers: Vec<String>,
    /// The issuer's part of the secret behind the holder's pseudonyms.
    entropy: Option<[u8; 32]>,
}

/// What the holder gives to a verifier.
pub(super) struct Derived {
    proof: Vec<u8>,
    labels: Vec<Label>,
    mandatory: Vec<usize>,
    others: Vec<usize>,
    pub(super) presentation_header: Vec<u8>,
    pub(super) pseudonym: Option<Shown>,
}

/// A pseudonym, and how many statements the issuer signed that are not mandatory.
pub(super) struct Shown {
    pub(super) point: [u8; POINT],
    statements: usize,
}

impl Base {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let of_holder = has(text, BASE_OF_HOLDER);
        let mut components = Components::read(text, if of_holder { BASE_OF_HOLDER } else { BASE })?;
        let base = Self {
            signature: components.exactly()?,
            header: components.exactly()?,
            key: components.exactly()?,
            hmac: components.exactly()?,
            pointers: components.pointers()?,
            entropy: of_holder.then(|| components.large_number()).transpose()?,
        };
        components.end().map(|()| base)
    }

    fn write(&self) -> Result<String, String> {
        let (signature, header, key) = (self.signature.as_slice(), self.header.as_slice(), self.key.as_slice());
        let pointers = list(self.pointers.iter().cloned());
        let mut all = vec![signature.into(), header.into(), key.into(), self.hmac.as_slice().into(), pointers];
        all.extend(self.entropy.as_ref().map(large_number));
        write(if self.entropy.is_some() { &BASE_OF_HOLDER } else { &BASE }, all)
    }
}

impl Derived {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let by_holder = has(text, DERIVED_BY_HOLDER);
        let mut components = Components::read(text, if by_holder { DERIVED_BY_HOLDER } else { DERIVED })?;
        let rank = |label| {
            let rank = number(label)?;
            if rank < MAX_STATEMENTS { Ok(Label::Rank(rank as u32)) } else { Err("a label is too large".to_owned()) }
        };
        let derived = Self {
            proof: components.bytes()?,
            labels: components.labels(rank)?,
            mandatory: components.places()?,
            others: components.places()?,
            presentation_header: components.bytes()?,
            pseudonym: by_holder.then(|| Shown::read(&mut components)).transpose()?,
        };
        components.end()?;
        derived.check_proof()?;
        if derived.presentation_header.len() > MAX_HEADER {
            return Err("the presentation header is too long".to_owned());
        }
        Ok(derived)
    }

    /// The form of the proof itself (draft-irtf-cfrg-bbs-signatures, `octets_to_proof`). The library does not refuse
    /// the point at infinity, with which anybody could prove anything.
    fn check_proof(&self) -> Result<(), String> {
        let numbers = self.proof.len().checked_sub(POINTS).filter(|rest| rest % NUMBER == 0).map(|rest| rest / NUMBER);
        let hidden = numbers.and_then(|numbers| numbers.checked_sub(4)).ok_or("the proof has not the right length")?;
        let all = hidden + self.others.len();
        if all > MAX_STATEMENTS {
            return Err("the proof is of too many statements".to_owned());
        }
        if let Some(shown) = &self.pseudonym {
            // The secret and what hides the commitment to it are signed too.
            if shown.statements + 2 != all {
                return Err("the proof is not of as many statements as it says".to_owned());
            }
            // They come last. The holder chose them, so shown there a statement would be the holder's own.
            if self.others.iter().any(|place| *place >= shown.statements) {
                return Err("a statement stands where the issuer signed none".to_owned());
            }
        }
        if self.proof[..POINTS].chunks(POINT).any(|point| point[0] & AT_INFINITY != 0) {
            return Err("a point of the proof is the one at infinity".to_owned());
        }
        Ok(())
    }

    fn write(&self) -> Result<String, String> {
        let places = |places: &[usize]| list(places.iter().map(|place| *place as u64));
        let (mandatory, others) = (places(&self.mandatory), places(&self.others));
        let (proof, header) = (self.proof.as_slice().into(), self.presentation_header.as_slice().into());
        let mut all = vec![proof, map(&self.labels), mandatory, others, header];
        let Some(shown) = &self.pseudonym else { return write(&DERIVED, all) };
        all.extend([shown.point.as_slice().into(), (shown.statements as u64).into()]);
        write(&DERIVED_BY_HOLDER, all)
    }
}

impl Shown {
    fn read(components: &mut Components) -> Result<Self, String> {
        let (point, statements) = (components.exactly()?, components.number()?);
        if statements > MAX_STATEMENTS {
            return Err("the proof is of too many statements".to_owned());
        }
        Ok(Self { point, statements })
    }
}

/// What is signed beside the messages.
fn header(proof_hash: &[u8], mandatory: &[String]) -> Result<[u8; 64], String> {
    let header = [proof_hash, &sha256(mandatory.concat().as_bytes())].concat();
    header.try_into().map_err(|_| "not two hashes of 32 bytes".to_owned())
}

fn messages(lines: &[String]) -> Vec<&[u8]> {
    lines.iter().map(String::as_bytes).collect()
}

/// What makes a base proof another one each time: random numbers, and what a holder committed itself to.
pub(super) struct Fresh<'a> {
    pub(super) hmac: [u8; 32],
    /// The holder's commitment and the issuer's part of the secret.
    pub(super) holder: Option<(&'a [u8], [u8; 32])>,
}

pub(super) fn sign(
    signed: &Signed<'_>,
    pointers: &[String],
    issuer: &Signer,
    fresh: &Fresh<'_>,
) -> Result<String, String> {
    let id = issuer.id();
    let (Some(secret), Some(public)) = (issuer.bbs(), id.bbs()) else {
        return Err("not a key of BLS12-381".to_owned());
    };
    let parts = Parts::of(signed.document, Labels::Rank, &fresh.hmac)?;
    let places: Vec<usize> = parts.choose(pointers)?.places.into_iter().collect();
    let (mandatory, others) = divide(parts.lines, &places)?;
    let header = header(&signed.proof_hash, &mandatory)?;
    let messages = messages(&others);
    let signature = match fresh.holder {
        None => affinidi_bbs::sign(secret, public, &header, &messages),
        Some((commitment, entropy)) => {
            let entropy = scalar_from_bytes(&entropy).ok_or("not a number of the group")?;
            let suite = Ciphersuite::default();
            affinidi_bbs::blind_sign_with_nym(secret, public, commitment, entropy, &header, &messages, suite)
        }
    };
    let signature = signature.map_err(|error| error.to_string())?.to_bytes();
    let (key, entropy) = (public.to_bytes(), fresh.holder.map(|(_, entropy)| entropy));
    Base { signature, header, key, hmac: fresh.hmac, pointers: pointers.to_vec(), entropy }.write()
}

pub(super) fn derive(
    document: &Map<String, Json>,
    value: &str,
    asked: &Request<'_>,
    issuer: &KeyId,
) -> Result<Disclosure, String> {
    let base = Base::read(value)?;
    let public = issuer.bbs().filter(|public| public.to_bytes() == base.key);
    let public = public.ok_or("the base proof is of another key than the one that it names")?;
    if asked.presentation_header.len() > MAX_HEADER {
        return Err("the presentation header is too long".to_owned());
    }
    let parts = Parts::of(document, Labels::Rank, &base.hmac)?;
    let disclosed = asked.disclose(document, &parts, &base.pointers)?;
    let (_, others) = divide(parts.lines, &disclosed.all_mandatory)?;
    let signature = Signature::from_bytes(&base.signature).map_err(|error| error.to_string())?;
    let (ours, messages) = (asked.presentation_header, messages(&others));
    let (header, places) = (&base.header, &disclosed.others);
    let made = match (asked.pseudonym, base.entropy) {
        (None, None) => {
            affinidi_bbs::proof_gen(public, &signature, header, ours, &messages, places).map(|proof| (proof, None))
        }
        (Some((secret, context)), Some(entropy)) => {
            let (secret, blind) = secret.numbers(&entropy).ok_or("not a number of the group")?;
            let (context, suite) = (context.as_bytes(), Ciphersuite::default());
            affinidi_bbs::proof_gen_with_nym(
                public,
                &signature,
                header,
                ours,
                secret,
                context,
                &messages,
                places,
                &[],
                &[],
                blind,
                suite,
            )
            .map(|(proof, point)| (proof, Some(Shown { point: point.to_bytes(), statements: messages.len() })))
        }
        (Some(_), None) => return Err("the base proof is not for pseudonyms".to_owned()),
        (None, Some(_)) => return Err("the base proof is for pseudonyms".to_owned()),
    };
    let (proof, pseudonym) = made.map_err(|error| error.to_string())?;
    let derived = Derived {
        proof: proof.to_bytes().to_vec(),
        labels: disclosed.labels,
        mandatory: disclosed.mandatory,
        others: disclosed.others,
        presentation_header: ours.to_vec(),
        pseudonym,
    };
    Ok(Disclosure { document: disclosed.document, value: derived.write()? })
}

pub(super) fn verify(signed: &Signed<'_>, value: &str, issuer: &KeyId, context: Option<&str>) -> Result<bool, String> {
    let derived = Derived::read(value)?;
    let public = issuer.bbs().ok_or("not a key of BLS12-381")?;
    let (mandatory, others) = divide(relabelled(signed.document, &derived.labels)?, &derived.mandatory)?;
    if others.len() != derived.others.len() {
        return Err("there is not one place for each statement".to_owned());
    }
    let (proof, header) = (Proof::from_bytes(&derived.proof), header(&signed.proof_hash, &mandatory)?);
    let (ours, messages, places) = (&derived.presentation_header, messages(&others), &derived.others);
    match (&derived.pseudonym, context) {
        (None, None) => affinidi_bbs::proof_verify(public, &proof, &header, ours, &messages, places),
        (Some(Shown { point, statements }), Some(context)) => {
            let point = Pseudonym::from_bytes(point).map_err(|error| error.to_string())?;
            let (context, suite) = (context.as_bytes(), Ciphersuite::default());
            affinidi_bbs::proof_verify_with_nym(
                public,
                &proof,
                &header,
                ours,
                &point,
                context,
                *statements,
                &messages,
                places,
                &[],
                &[],
                suite,
            )
        }
        _ => return Err("a pseudonym is missing, or was not asked for".to_owned()),
    }
    .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use affinidi_bbs::generators::{calculate_domain, create_generators, p1_generator, point_to_bytes};
    use affinidi_bbs::hash::{hash_to_scalar, messages_to_scalars, scalar_to_bytes};

    /// A proof that was made without any signature. When the library refuses it, the check here is no longer needed.
    #[test]
    fn the_point_at_infinity_would_prove_anything() {
        let secret = affinidi_bbs::SecretKey::from_bytes(&[7; 32]).unwrap();
        let (public, suite, message) = (affinidi_bbs::sk_to_pk(&secret), Ciphersuite::default(), b"never signed");
        let generators = create_generators(2, suite).unwrap();
        let domain = calculate_domain(&public, &generators[0], &generators[1..], b"header", suite).unwrap();
        let scalars = messages_to_scalars(&[message], suite).unwrap();
        let number = |text: &[u8]| hash_to_scalar(text, b"test", suite).unwrap();
        let (e, r1, r2) = (number(b"e"), number(b"r1"), number(b"r2"));
        let b = p1_generator() + generators[0] * domain + generators[1] * scalars[0];
        let infinity = point_to_bytes(&(b - b));
        let asked = [
            &1_u64.to_be_bytes()[..],
            &0_u64.to_be_bytes(),
            &scalar_to_bytes(&scalars[0]),
            &infinity,
            &infinity,
            &point_to_bytes(&b),
            &point_to_bytes(&(b * r1)),
            &point_to_bytes(&(b * r2)),
            &scalar_to_bytes(&domain),
            &0_u64.to_be_bytes(),
        ];
        let challenge = hash_to_scalar(&asked.concat(), &[&suite.api_id()[..], b"H2S_"].concat(), suite).unwrap();
        let numbers = [e, r1, r2 - challenge, challenge].map(|number| scalar_to_bytes(&number)).concat();
        let proof = [&infinity[..], &infinity, &point_to_bytes(&b), &numbers].concat();
        let taken = affinidi_bbs::proof_verify(&public, &Proof::from_bytes(&proof), b"header", b"", &[message], &[0]);
        assert!(taken.unwrap(), "the library takes it");

        let (labels, mandatory, others, presentation_header) = (Vec::new(), Vec::new(), vec![0], Vec::new());
        let forged = Derived { proof, labels, mandatory, others, presentation_header, pseudonym: None };
        assert_eq!(forged.check_proof(), Err("a point of the proof is the one at infinity".to_owned()));
        assert!(Derived::read(&forged.write().unwrap()).is_err());
    }
}
