//! Many Ed25519 signatures at once, with the verdict of the strict check.
//!
//! A signature (R, s) of a message by the key A is right in the strict sense if D = s·B - h·A - R is the neutral
//! point, R is written in its one canonical way, and neither A nor R is of small order; h is SHA-512(R, A, message).
//! The usual check of many, that a random sum of all D is neutral, is weaker: the curve has points of order 2, 4 and 8,
//! and the parts of D in that small group cancel out by chance in one of eight cases or more. A signer can make such
//! signatures on purpose, and then two readers of the same list differ. So both parts of D are looked at:
//!
//! 1. The large part: a sum of all D with random factors of 128 bits, times 8, which takes away all of small order.
//!    It is neutral by chance once in 2^128.
//! 2. The small part: it is that of -(R + h·A), and for it h counts modulo 8 only. Sums over 64 random halves of the
//!    list are multiplied by the order of the large group, which leaves the small part alone. If a single D has one,
//!    each sum shows it in at least half of the cases, so all miss it once in 2^64.
//!
//! The random numbers come from the operating system after the signatures are there, so nobody can try signatures
//! against them beforehand. What is accepted here is what the strict check accepts but for these two chances.

use crate::{PublicKey, random};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, IsIdentity, VartimeMultiscalarMul};
use sha2::{Digest, Sha512};
use std::iter::once;

/// Groups of eight sums over random halves.
const GROUPS: usize = 8;

/// That a key signed a message.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'m> {
    /// Whose signature it is said to be.
    pub key: PublicKey,
    /// The message.
    pub message: &'m [u8],
    /// The signature.
    pub signature: &'m [u8; 64],
}

/// Whether every one of these signatures is right, by the rules of [`PublicKey::verify`]. If not, only single checks
/// tell which one is wrong.
pub fn all_verify(claims: &[Claim<'_>]) -> bool {
    let Some(parts) = claims.iter().map(Parts::read).collect::<Option<Vec<_>>>() else { return false };
    has_no_large_part(&parts) && has_no_small_part(&parts)
}

struct Parts {
    a: EdwardsPoint,
    r: EdwardsPoint,
    s: Scalar,
    h: Scalar,
}

impl Parts {
    /// What the strict check looks at before it calculates.
    fn read(claim: &Claim<'_>) -> Option<Self> {
        let (r_bytes, s_bytes) = claim.signature.split_first_chunk::<32>()?;
        let s = Option::from(Scalar::from_canonical_bytes(s_bytes.try_into().ok()?))?;
        let r = CompressedEdwardsY(*r_bytes).decompress()?;
        // The points with two texts that differ in the sign only are of small order.
        if !crate::key::is_reduced(r_bytes) || r.is_small_order() {
            return None;
        }
        let hash = Sha512::new().chain_update(r_bytes).chain_update(claim.key.as_bytes()).chain_update(claim.message);
        let h = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        Some(Self { a: claim.key.to_edwards(), r, s, h })
    }

    /// A point whose part of small order is that of D, but for the sign.
    fn small(&self) -> EdwardsPoint {
        let mut sum = self.r;
        let mut power = self.a;
        for bit in 0..3 {
            if self.h.as_bytes()[0] >> bit & 1 == 1 {
                sum += power;
            }
            power += power;
        }
        sum
    }
}

fn has_no_large_part(parts: &[Parts]) -> bool {
    let mut bytes = vec![0; 16 * parts.len()];
    random::fill(&mut bytes);
    let (factors, _) = bytes.as_chunks::<16>();
    let factors: Vec<_> = factors.iter().map(|bytes| Scalar::from(u128::from_le_bytes(*bytes))).collect();
    let of_base: Scalar = parts.iter().zip(&factors).map(|(parts, factor)| parts.s * factor).sum();
    let of_keys = parts.iter().zip(&factors).map(|(parts, factor)| parts.h * factor);
    let scalars = once(-of_base).chain(factors.iter().copied()).chain(of_keys);
    let base = curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
    let points = once(base).chain(parts.iter().map(|parts| parts.r)).chain(parts.iter().map(|parts| parts.a));
    EdwardsPoint::vartime_multiscalar_mul(scalars, points).mul_by_cofactor().is_identity()
}

fn has_no_small_part(parts: &[Parts]) -> bool {
    let points: Vec<_> = parts.iter().map(Parts::small).collect();
    let mut bytes = vec![0; points.len()];
    (0..GROUPS).all(|_| {
        // Eight halves at once: each point goes to the heap that its random byte names, and bit by bit the heaps whose
        // number has the bit are one sum.
        random::fill(&mut bytes);
        let mut heaps = vec![EdwardsPoint::identity(); 256];
        points.iter().zip(&bytes).for_each(|(point, heap)| heaps[usize::from(*heap)] += point);
        (0..8).rev().all(|bit| {
            let (without, with) = heaps.split_at_mut(1 << bit);
            let with = &with[..1 << bit];
            without.iter_mut().zip(with).for_each(|(without, with)| *without += with);
            with.iter().sum::<EdwardsPoint>().is_torsion_free()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};

    fn signed(count: u8) -> Vec<(PublicKey, Vec<u8>, [u8; 64])> {
        (0..count)
            .map(|n| {
                let (key, message) = (SigningKey::from_seed([n + 1; 32]), vec![n; usize::from(n)]);
                (key.public(), message.clone(), key.sign(&message))
            })
            .collect()
    }

    fn judged(all: &[(PublicKey, Vec<u8>, [u8; 64])]) -> bool {
        let claims = all.iter().map(|(key, message, signature)| Claim { key: *key, message, signature });
        all_verify(&claims.collect::<Vec<_>>())
    }

    #[test]
    fn right_signatures_pass_and_one_wrong_one_does_not() {
        assert!(judged(&[]));
        for count in [1, 2, 3, 100] {
            let good = signed(count);
            assert!(judged(&good), "{count} signatures");
            for wrong in 0..usize::from(count) {
                let mut all = good.clone();
                all[wrong].2[wrong % 64] ^= 1;
                assert!(!judged(&all), "signature {wrong} of {count}");
                let mut all = good.clone();
                all[wrong].1.push(0);
                assert!(!judged(&all), "message {wrong} of {count}");
            }
        }
    }

    /// A signature that is right but for parts of small order in R and in the key, with the hash that belongs to it.
    fn mixed(seed: u8, in_key: usize, in_r: usize) -> Option<(PublicKey, Vec<u8>, [u8; 64])> {
        let secret = Scalar::from_bytes_mod_order([seed; 32]);
        let a = (ED25519_BASEPOINT_POINT * secret + EIGHT_TORSION[in_key]).compress();
        let nonce = Scalar::from_bytes_mod_order([seed ^ 0x55; 32]);
        let r = (ED25519_BASEPOINT_POINT * nonce + EIGHT_TORSION[in_r]).compress();
        let message = vec![seed; 9];
        let hash = Sha512::new().chain_update(r.0).chain_update(a.0).chain_update(&message);
        let s = nonce + Scalar::from_bytes_mod_order_wide(&hash.finalize().into()) * secret;
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&r.0);
        signature[32..].copy_from_slice(s.as_bytes());
        Some((PublicKey::from_bytes(&a.0).ok()?, message, signature))
    }

    /// The reason for the second step: without it a check of many takes some of these, by chance.
    #[test]
    fn parts_of_small_order_get_the_verdict_of_the_strict_check() {
        let (mut taken, mut refused) = (0, 0);
        for seed in 1..=20 {
            for (in_key, in_r) in (0..8).flat_map(|key| (0..8).map(move |r| (key, r))) {
                let (key, message, signature) = mixed(seed, in_key, in_r).unwrap();
                let strict = key.verify(&message, &signature).is_ok();
                let alone = [(key, message.clone(), signature)];
                assert_eq!(judged(&alone), strict, "seed {seed}, parts {in_key} and {in_r}");
                *if strict { &mut taken } else { &mut refused } += 1;
            }
        }
        assert!(taken > 100 && refused > 1000, "{taken} taken, {refused} refused");
        // Two whose parts cancel each other out.
        let all = [mixed(1, 0, 4).unwrap(), mixed(2, 0, 4).unwrap()];
        assert!(all.iter().all(|(key, message, signature)| key.verify(message, signature).is_err()));
        for _ in 0..50 {
            assert!(!judged(&all));
        }
    }

    #[test]
    fn what_has_two_texts_or_small_order_is_refused_as_by_the_strict_check() {
        let good = signed(1);
        let order: [u8; 32] = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
            .unwrap()
            .try_into()
            .unwrap();
        let mut again = good.clone();
        let mut carry = 0;
        for (byte, of_order) in again[0].2[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(of_order) + carry;
            (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
        }
        assert!(!judged(&again), "s plus the order");
        for point in EIGHT_TORSION {
            let mut small = good.clone();
            small[0].2[..32].copy_from_slice(&point.compress().0);
            assert!(!judged(&small) && small[0].0.verify(&small[0].1, &small[0].2).is_err());
        }
    }
}
