//! The vectors of vc-di-ecdsa (appendix A.5) and vc-di-bbs (appendix A), which share one document.

use super::parts::{Labels, Parts};
use super::{DeriveOptions, PseudonymSecret, Signed, bbs, derive, derive_as, ecdsa, pseudonym};
use crate::vc::keys::{KeyKind, Signer};
use crate::vc::suite::Suite;
use crate::vc::transform::without_proof;
use crate::vc::{Policy, verify_credential};
use serde_json::{Map, Value, json};

fn vectors() -> Value {
    crate::vc::read_json(include_bytes!("../../../tests/vectors/vc-di-selective.json")).unwrap()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn hmac(vectors: &Value) -> [u8; 32] {
    hex::decode(vectors["hmacKey"].as_str().unwrap()).unwrap().try_into().unwrap()
}

fn p256(multibase: &Value) -> Signer {
    let bytes = bs58::decode(&multibase.as_str().unwrap()[1..]).into_vec().unwrap();
    Signer::from_secret(KeyKind::P256, &bytes[2..]).unwrap()
}

fn policy() -> Policy {
    Policy { binding: false, ..Policy::new("2026-11-22T12:00:00Z".parse().unwrap()) }
}

#[test]
fn statements_are_labelled_and_ordered_as_in_the_specification() {
    let vectors = vectors();
    let parts = Parts::of(&object(&vectors["document"]), Labels::Rank, &hmac(&vectors)).unwrap();
    assert_eq!(json!(parts.lines), vectors["bbs-2023"]["lines"]);
    let mandatory = parts.choose(&texts(&vectors["mandatoryPointers"])).unwrap();
    assert_eq!(mandatory.places.len(), 14);
}

#[test]
fn base_proofs_are_those_of_the_specification() {
    let vectors = vectors();
    let (document, pointers, hmac) =
        (object(&vectors["document"]), texts(&vectors["mandatoryPointers"]), hmac(&vectors));

    let vector = &vectors["ecdsa-sd-2023"];
    let (key, own) = (p256(&vector["key"]), p256(&vector["ownKey"]));
    let signed = Signed::of(&document, &object(&vector["base"]["proof"]), Suite::EcdsaSd2023).unwrap();
    let value = ecdsa::sign(&signed, &pointers, &key, hmac, &own).unwrap();
    assert_eq!(json!(value), vector["base"]["proof"]["proofValue"]);

    let vector = &vectors["bbs-2023"];
    let secret = hex::decode(vector["key"].as_str().unwrap()).unwrap();
    let key = Signer::from_secret(KeyKind::Bls12381G2, &secret).unwrap();
    let signed = Signed::of(&document, &object(&vector["base"]["proof"]), Suite::Bbs2023).unwrap();
    let value = bbs::sign(&signed, &pointers, &key, &bbs::Fresh { hmac, holder: None }).unwrap();
    assert_eq!(json!(value), vector["base"]["proof"]["proofValue"]);
}

#[test]
fn derived_proofs_are_those_of_the_specification() {
    let vectors = vectors();
    let pointers = texts(&vectors["selectivePointers"]);

    let vector = &vectors["ecdsa-sd-2023"];
    let options = DeriveOptions { pointers: pointers.clone(), ..DeriveOptions::default() };
    assert_eq!(derive(&vector["base"], &options).unwrap(), vector["derived"]);
    let verification = verify_credential(vector["derived"].to_string().as_bytes(), &policy());
    assert!(verification.verified.is_some(), "{:?}", verification.checks);

    // A proof of BBS is another one each time; the rest is the same.
    let vector = &vectors["bbs-2023"];
    let presentation_header = hex::decode(vector["presentationHeader"].as_str().unwrap()).unwrap();
    let options = DeriveOptions { pointers, presentation_header: presentation_header.clone(), proof_id: None };
    let made = derive(&vector["base"], &options).unwrap();
    assert_eq!(without_proof(&object(&made)), without_proof(&object(&vector["derived"])));
    assert_ne!(made, derive(&vector["base"], &options).unwrap());
    let policy = Policy { presentation_header: Some(presentation_header), ..policy() };
    for derived in [&made, &vector["derived"]] {
        let verification = verify_credential(derived.to_string().as_bytes(), &policy);
        assert!(verification.verified.is_some(), "{:?}", verification.checks);
    }
}

#[test]
fn pseudonyms_are_those_of_the_specification() {
    let (vectors, bytes) = (vectors(), |text: &Value| hex::decode(text.as_str().unwrap()).unwrap());
    let vector = &vectors["pseudonym"];
    let document = without_proof(&object(&vector["base"]));
    let key = Signer::from_secret(KeyKind::Bls12381G2, &bytes(&vectors["bbs-2023"]["key"])).unwrap();
    let signed = Signed::of(&document, &object(&vector["base"]["proof"]), Suite::Bbs2023).unwrap();
    let (commitment, entropy) = (bytes(&vector["commitment"]), bytes(&vector["entropy"]).try_into().unwrap());
    let fresh = bbs::Fresh { hmac: hmac(&vectors), holder: Some((&commitment, entropy)) };
    let value = bbs::sign(&signed, &texts(&vector["mandatoryPointers"]), &key, &fresh).unwrap();
    assert_eq!(json!(value), vector["base"]["proof"]["proofValue"]);

    let (presentation_header, context) = (bytes(&vector["presentationHeader"]), vector["context"].as_str().unwrap());
    let secret = [bytes(&vector["proverNym"]), bytes(&vector["blind"])].concat().try_into().unwrap();
    let secret = PseudonymSecret::from_bytes(&secret).unwrap();
    let pointers = ["/issuanceDate", "/credentialSubject/driversLicense/family_name"].map(str::to_owned).to_vec();
    let options = DeriveOptions { pointers, presentation_header: presentation_header.clone(), proof_id: None };
    let made = derive_as(&secret, context, &vector["base"], &options).unwrap();
    let policy = Policy {
        presentation_header: Some(presentation_header),
        pseudonym_context: Some(context.to_owned()),
        ..policy()
    };
    // The vector leaves out when it was issued, which the data model 1.1 wants to know.
    for (derived, failed) in [(&made, &[][..]), (&vector["derived"], &["valid-from"])] {
        assert_eq!(hex::encode(pseudonym(derived).unwrap()), vector["pseudonym"].as_str().unwrap());
        let verification = verify_credential(derived.to_string().as_bytes(), &policy);
        assert_eq!(verification.failed(), failed, "{:?}", verification.checks);
    }
}
