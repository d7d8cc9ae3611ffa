//! Keys, DIDs and what is derived from the one secret.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may break off and print")]

use consent::StudyId;
use ed25519_dalek::{Signer as _, SigningKey as Dalek};
use identity::{Did, DidError, Fingerprint, ProfileSecret, ProfileState, PublicKey, SigningKey};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::{Debug, Display};

/// Does not compile if the type has the trait: two implementations would then fit.
macro_rules! assert_lacks {
    ($type:ty: $($trait:path),+) => {$(
        const _: fn() = || {
            trait Ambiguous<A> {
                fn some() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct Invalid;
            impl<T: ?Sized + $trait> Ambiguous<Invalid> for T {}
            let _ = <$type as Ambiguous<_>>::some;
        };
    )+};
}
assert_lacks!(ProfileSecret: Debug, Display, Clone, serde::Serialize, PartialEq);
assert_lacks!(SigningKey: Debug, Display, Clone, serde::Serialize, PartialEq);
assert_lacks!(ProfileState: Debug, Display, Clone, serde::Serialize, PartialEq);

fn biobank(number: u8) -> Did {
    SigningKey::from_seed([number; 32]).did()
}

fn study(name: &str) -> StudyId {
    name.parse().unwrap()
}

#[test]
fn rfc_8032_test_1() {
    let seed: [u8; 32] = decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let key = SigningKey::from_seed(seed);
    assert_eq!(
        hex::encode(key.public().as_bytes()),
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    );
    let signature = key.sign(b"");
    assert_eq!(
        hex::encode(signature),
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    );
    key.public().verify(b"", &signature).unwrap();
    assert!(key.public().verify(b"x", &signature).is_err());
}

/// The first example of the did:key specification.
#[test]
fn a_did_reads_as_it_is_written() {
    let text = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
    let did: Did = text.parse().unwrap();
    assert_eq!(did.to_string(), text);
    assert_eq!(did.verification_method(), format!("{text}#{}", did.fingerprint()));
    assert_eq!(did.public_key().did(), did);
    assert_eq!(serde_json::to_string(&did).unwrap(), format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<Did>(&format!("\"{text}\"")).unwrap(), did);
}

#[test]
fn other_texts_are_no_dids() {
    let good = biobank(1).to_string();
    let of = |prefix: &[u8], key: &[u8]| format!("did:key:z{}", bs58::encode([prefix, key].concat()).into_string());
    let ed = &[0xed, 0x01][..];
    let cases = [
        (String::new(), DidError::Method),
        ("did:web:biobank.example".to_owned(), DidError::Method),
        (good.to_uppercase(), DidError::Method),
        (format!("{good}?service=x"), DidError::Encoding),
        (format!("{good}#{}", &good[8..]), DidError::Encoding),
        (format!(" {good}"), DidError::Method),
        (format!("{good} "), DidError::Encoding),
        (good.replacen('z', "m", 1), DidError::Encoding),
        (format!("did:key:z1{}", &good[9..]), DidError::KeyType),
        (format!("did:key:z{}", "2".repeat(100_000)), DidError::Encoding),
        (of(ed, &[0xff; 32]), DidError::Key),
        (of(ed, &[0; 32]), DidError::Key),
        (of(ed, &[1; 31]), DidError::Encoding),
        (of(ed, &[1; 33]), DidError::Encoding),
        (of(&[0xec, 0x01], &[9; 32]), DidError::KeyType),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<Did>().err(), Some(error), "{}", &text[..text.len().min(80)]);
    }
}

#[test]
fn weak_and_noncanonical_points_are_no_keys() {
    // The eight points of small order, and those of them that have a second text (y + p).
    let small = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0100000000000000000000000000000000000000000000000000000000000080",
    ];
    for text in small {
        assert!(PublicKey::from_bytes(&decode(text)).is_err(), "{text}");
    }
    // y = p + 3 is the point y = 3 in a second text, if 3 is on the curve at all; refused either way.
    for low in 0xed..=0xff {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (low, 0x7f);
        assert!(PublicKey::from_bytes(&bytes).is_err(), "{low}");
    }
}

#[test]
fn each_purpose_has_its_own_key_and_always_the_same() {
    let secret = || ProfileSecret::from_bytes([42; 32]);
    let keys = |secret: &ProfileSecret| {
        let mut keys = Vec::new();
        for number in [1, 2] {
            keys.push(secret.derive_biobank_key(&biobank(number)).did());
            for name in ["a", "b"] {
                keys.push(secret.derive_study_key(&biobank(number), &study(name)).did());
            }
        }
        keys
    };
    let first = keys(&secret());
    assert_eq!(first, keys(&secret()));
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), first.len());
    let others = keys(&ProfileSecret::from_bytes([43; 32]));
    assert!(others.iter().all(|key| !first.contains(key)));

    let salt = |number, name| secret().derive_subject_salt(&biobank(number), &study(name));
    let bytes = [salt(1, "a"), salt(1, "b"), salt(2, "a"), *secret().derive_database_key(), [42; 32]];
    assert_eq!(bytes.iter().collect::<BTreeSet<_>>().len(), bytes.len());
    assert_eq!(salt(1, "a"), salt(1, "a"));
    let (random, other) = (ProfileSecret::make(), ProfileSecret::make());
    assert_ne!(random.expose(), other.expose());
}

/// Changing any of these would cut every donor off from the consents they gave.
#[test]
fn derived_keys_never_change() {
    let secret = ProfileSecret::from_bytes([42; 32]);
    let (biobank, study) = (biobank(1), study("heart-2026"));
    let found = [
        secret.derive_biobank_key(&biobank).did().to_string(),
        secret.derive_study_key(&biobank, &study).did().to_string(),
        hex::encode(*secret.derive_database_key()),
        hex::encode(secret.derive_subject_salt(&biobank, &study)),
        secret.fingerprint().to_string(),
    ];
    assert_eq!(found, PINNED);
}

/// Computed by a second implementation of the README's description, in another language.
const PINNED: [&str; 5] = [
    "did:key:z6MkexguGNcA57Xve1qwRQ4LXAAwy7yzyYpx2bC11pSpJySD",
    "did:key:z6MknSaEDyrDhtpLtWh2se4bHpa3Hms3k9jRAe5YB9KYPJnE",
    "629005899ec40159f07877e23bf722c8903ac841cafd77d1ed7b6d1763c790f8",
    "b0cfad6533cf0192f0f64dcdd8af4c63281155799146c2c66a48a8dc91f45aa2",
    "A7G1-B398-30TX-SDXC",
];

/// SLIP-0010, test vectors 1 and 2 for ed25519.
#[test]
fn slip_0010_vectors() {
    let one = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
    let two = hex::decode(
        "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542",
    )
    .unwrap();
    let cases: [(&[u8], &[u32], &str, &str); 4] = [
        (
            &one,
            &[],
            "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7",
            "a4b2856bfec510abab89753fac1ac0e1112364e7d250545963f135f2a33188ed",
        ),
        (
            &one,
            &[0, 1, 2, 2, 1_000_000_000],
            "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793",
            "3c24da049451555d51a7014a37337aa4e12d41e485abccfa46b47dfb2af54b7a",
        ),
        (
            &two,
            &[],
            "171cb88b1b3c1db25add599712e36245d75bc65a1a5c9e18d76f9f2b1eab4012",
            "8fe9693f8fa62a4305a140b9764c5ee01e455963744fe18204b4fb948249308a",
        ),
        (
            &two,
            &[0, 2_147_483_647, 1, 2_147_483_646, 2],
            "551d333177df541ad876a60ea71f00447931c0a9da16f227c11ea080d7391b8d",
            "47150c75db263559a70d5778bf36abbab30fb061ad69f69ece61a72b0cfa4fc0",
        ),
    ];
    for (seed, path, private, public) in cases {
        let key = slip10_ed25519::derive_ed25519_private_key(seed, path);
        assert_eq!(hex::encode(key), private);
        assert_eq!(hex::encode(SigningKey::from_seed(key).public().as_bytes()), public);
    }
}

#[test]
fn a_fingerprint_reads_as_it_is_written() {
    for number in 0..=255 {
        let fingerprint = ProfileSecret::from_bytes([number; 32]).fingerprint();
        let text = fingerprint.to_string();
        assert_eq!(text.len(), 19);
        assert_eq!(text.parse(), Ok(fingerprint));
        assert_eq!(serde_json::to_string(&fingerprint).unwrap(), format!("\"{text}\""));
    }
    let cases =
        ["", "ABCD", "abcd-efgh-jkmn-pqrs", "ABCDEFGHJKMNPQRS", "UBCD-EFGH-JKMN-PQRS", "ABCD-EFGH-JKMN-PQRS-0000"];
    for text in cases {
        assert!(text.parse::<Fingerprint>().is_err(), "{text}");
    }
}

proptest! {
    /// An independent encoder of another author agrees on the identifier that a person will live with, and on the
    /// key to which letters are sealed. It gets public keys only.
    #[test]
    fn did_key_agrees_with_us(seed: [u8; 32]) {
        use did_key::{CONFIG_LD_PUBLIC, DIDCore, Ed25519KeyPair, Fingerprint as _};
        let key = SigningKey::from_seed(seed);
        let did = key.did();
        let other = did_key::from_existing_key::<Ed25519KeyPair>(key.public().as_bytes(), None);
        prop_assert_eq!(other.fingerprint(), did.fingerprint());
        let document = other.get_did_document(CONFIG_LD_PUBLIC);
        prop_assert_eq!(&document.id, did.as_str());
        let agreement = document.key_agreement.clone().unwrap().remove(0);
        let (_, multibase) = agreement.split_once('#').unwrap();
        let bytes = bs58::decode(multibase.strip_prefix('z').unwrap()).into_vec().unwrap();
        prop_assert_eq!(&bytes[..2], &[0xec, 0x01]);
        prop_assert_eq!(&bytes[2..], &key.public().to_x25519());
    }

    /// The credential library writes the same DID.
    #[test]
    fn ssi_agrees_with_us(seed: [u8; 32]) {
        use ssi::jwk::{Base64urlUInt, JWK, OctetParams, Params};
        let key = SigningKey::from_seed(seed);
        let jwk = JWK::from(Params::OKP(OctetParams {
            curve: "Ed25519".to_owned(),
            public_key: Base64urlUInt(key.public().as_bytes().to_vec()),
            private_key: None,
        }));
        let url = ssi::dids::DIDKey::generate_url(&jwk).unwrap();
        prop_assert_eq!(url.as_str(), key.did().verification_method());
    }

    #[test]
    fn a_signature_is_good_for_one_key_and_one_message(seed: [u8; 32], message: Vec<u8>, at in 0usize..512) {
        let key = SigningKey::from_seed(seed);
        let signature = key.sign(&message);
        prop_assert_eq!(signature, Dalek::from_bytes(&seed).sign(&message).to_bytes());
        prop_assert!(key.public().verify(&message, &signature).is_ok());
        let mut bent = signature;
        bent[at / 8] ^= 1 << (at % 8);
        prop_assert!(key.public().verify(&message, &bent).is_err());
    }

    #[test]
    fn no_text_makes_the_did_reader_panic(text in "did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{0,60}|\\PC*") {
        if let Ok(did) = text.parse::<Did>() {
            prop_assert_eq!(did.as_str(), text);
        }
    }
}

fn decode(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}
