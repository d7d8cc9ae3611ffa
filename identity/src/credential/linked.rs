//! The border to the credential library: JSON-LD, canonicalisation and the Data Integrity proof.
//!
//! What the library is asked: "make this signature" and "is this signature right". Everything else that makes a
//! credential valid is checked in `verify`, because the library compares neither issuer, purpose, challenge nor domain.

use super::{CONTEXT_CONSENT, CONTEXT_V2};
use crate::Did;
use serde_json::Value;
use ssi::JWK;
use ssi::claims::data_integrity::{
    AnyDataIntegrity, AnySuite, CryptographicSuite, DataIntegrityDocument, ProofOptions,
};
use ssi::claims::{SignatureEnvironment, VerificationParameters};
use ssi::dids::{DIDKey, VerificationMethodDIDResolver};
use ssi::json_ld::ContextLoader;
use ssi::jwk::{Base64urlUInt, OctetParams, Params};
use ssi::verification_methods::{AnyMethod, SingleSecretSigner};
use std::collections::HashMap;
use std::future::Future;
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// The text of the context of this program's own terms.
pub const CONSENT_CONTEXT: &str = include_str!("../../contexts/consent-v1.jsonld");
/// SHA-256 of [`CONSENT_CONTEXT`]. A context never changes; a new version has a new address.
pub const CONSENT_CONTEXT_SHA256: &str = "7ad7d45998bb7a76219407fbbaa1406f5a8ff25cb4e4e9c439d01fc1c4c8bf56";
pub(super) const CREDENTIALS_CONTEXT: &str = include_str!("../../contexts/credentials-v2.jsonld");
/// SHA-256 of the bundled text of `https://www.w3.org/ns/credentials/v2`.
pub const CREDENTIALS_CONTEXT_SHA256: &str = "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734";

/// JSON-LD processing is recursive; this is room for far more than the nesting that is let in.
const STACK: usize = 8 * 1024 * 1024;

/// The two contexts that are known. There is no other loader behind it, so nothing is ever fetched.
static CONTEXTS: LazyLock<Option<ContextLoader>> = LazyLock::new(|| {
    let texts = [(CONTEXT_V2, CREDENTIALS_CONTEXT), (CONTEXT_CONSENT, CONSENT_CONTEXT)];
    let texts: HashMap<_, _> = texts.into_iter().map(|(iri, text)| (iri.to_owned(), text.to_owned())).collect();
    ContextLoader::empty().with_context_map_from(texts).ok()
});

fn contexts() -> Result<&'static ContextLoader, String> {
    CONTEXTS.as_ref().ok_or_else(|| "the bundled contexts can not be read".to_owned())
}

type Resolver = VerificationMethodDIDResolver<DIDKey, AnyMethod>;

fn resolver() -> Resolver {
    VerificationMethodDIDResolver::new(DIDKey)
}

/// Adds an `eddsa-rdfc-2022` proof with these options to a document.
pub(super) async fn sign(
    document: Value,
    seed: Zeroizing<[u8; 32]>,
    did: Did,
    options: Value,
) -> Result<Value, String> {
    on_big_stack(move || async move {
        let jwk = JWK::from(Params::OKP(OctetParams {
            curve: "Ed25519".to_owned(),
            public_key: Base64urlUInt(did.public_key().as_bytes().to_vec()),
            private_key: Some(Base64urlUInt(seed.to_vec())),
        }));
        let document: DataIntegrityDocument = serde_json::from_value(document).map_err(|error| error.to_string())?;
        let options: ProofOptions<AnyMethod, _> = serde_json::from_value(options).map_err(|error| error.to_string())?;
        let environment = SignatureEnvironment { json_ld_loader: contexts()?, eip712_loader: () };
        let signer = SingleSecretSigner::new(jwk).into_local();
        let signed = AnySuite::EdDsaRdfc2022
            .sign_with(environment, document, resolver(), signer, options, Default::default())
            .await
            .map_err(|error| error.to_string())?;
        serde_json::to_value(signed).map_err(|error| error.to_string())
    })
    .await
}

/// Whether the one proof of this document is a right signature of the key that it names.
pub(super) async fn verify(document: Value) -> Result<(), String> {
    on_big_stack(move || judge(document)).await
}

/// The same for callers that do not wait as a task does: the thread that calls is held up.
pub(super) fn verify_now(document: Value) -> Result<(), String> {
    let (done, result) = std::sync::mpsc::sync_channel(1);
    start_on_big_stack(move || judge(document), move |outcome| drop(done.send(outcome)))?;
    result.recv().unwrap_or_else(|_| Err(BROKE_OFF.to_owned()))
}

const BROKE_OFF: &str = "the credential library broke off";

async fn judge(document: Value) -> Result<(), String> {
    let document: AnyDataIntegrity<DataIntegrityDocument> =
        serde_json::from_value(document).map_err(|error| error.to_string())?;
    let suite = document.proofs.first().map(|proof| proof.type_.clone());
    if document.proofs.len() != 1 || !matches!(suite, Some(AnySuite::EdDsaRdfc2022)) {
        return Err("not exactly one eddsa-rdfc-2022 proof".to_owned());
    }
    let parameters = VerificationParameters::from_resolver(resolver()).with_json_ld_loader(contexts()?);
    // Two layers of results: whether it could be checked, and what came of it. Both must be good.
    match document.verify(parameters).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(invalid)) => Err(invalid.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// The canonical N-Quads of a document without its proof, as the library signs them.
#[cfg(test)]
pub(super) async fn canonical(mut document: Value) -> Result<String, String> {
    use ssi::json_ld::Expandable;
    use ssi::rdf::{AnyLdEnvironment, LdEnvironment};
    document.as_object_mut().and_then(|members| members.remove("proof"));
    on_big_stack(move || async move {
        let document: DataIntegrityDocument = serde_json::from_value(document).map_err(|error| error.to_string())?;
        let mut graph = LdEnvironment::default();
        let expanded = document.expand_with(&mut graph, contexts()?).await.map_err(|error| error.to_string())?;
        graph.canonical_form_of(&expanded).map(|lines| lines.concat()).map_err(|error| error.to_string())
    })
    .await
}

/// The canonical N-Quads of the options of a document's proof, as the library signs them.
#[cfg(test)]
pub(super) async fn canonical_options(document: Value) -> Result<String, String> {
    on_big_stack(move || async move {
        let document: AnyDataIntegrity<DataIntegrityDocument> =
            serde_json::from_value(document).map_err(|error| error.to_string())?;
        let proof = document.proofs.first().ok_or("no proof")?;
        let environment = SignatureEnvironment { json_ld_loader: contexts()?, eip712_loader: () };
        let options = proof.configuration().expand(&environment, &document.claims).await;
        Ok(options.map_err(|error| error.to_string())?.nquads())
    })
    .await
}

/// Runs work on a thread with a stack of known size: the main thread of some systems has 1 MB only.
async fn on_big_stack<T, F, W>(work: F) -> Result<T, String>
where
    T: Send + 'static,
    F: FnOnce() -> W + Send + 'static,
    W: Future<Output = Result<T, String>>,
{
    let (done, result) = tokio::sync::oneshot::channel();
    // The caller may have lost interest; there is nobody left to tell.
    start_on_big_stack(work, move |outcome| drop(done.send(outcome)))?;
    // A panic in the library closes the channel, which is a failed check and no crash.
    result.await.unwrap_or_else(|_| Err(BROKE_OFF.to_owned()))
}

fn start_on_big_stack<T, F, W>(work: F, done: impl FnOnce(Result<T, String>) + Send + 'static) -> Result<(), String>
where
    T: Send + 'static,
    F: FnOnce() -> W + Send + 'static,
    W: Future<Output = Result<T, String>>,
{
    let body = move || {
        let outcome = match tokio::runtime::Builder::new_current_thread().build() {
            Ok(runtime) => runtime.block_on(work()),
            Err(error) => Err(error.to_string()),
        };
        done(outcome);
    };
    let thread = std::thread::Builder::new().name("credential".to_owned()).stack_size(STACK);
    thread.spawn(body).map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;
    use serde_json::json;
    use ssi::dids::{DIDBuf, DIDResolver, DIDURLBuf};
    use ssi::verification_methods::ProofPurpose;

    /// Whether the DID document of `did` lists this verification method for this purpose.
    async fn lists(did: &Did, method: &str, purpose: &str) -> Result<(), String> {
        let purpose = match purpose {
            "assertionMethod" => ProofPurpose::Assertion,
            "authentication" => ProofPurpose::Authentication,
            _ => return Err("a purpose that is not known".to_owned()),
        };
        let did = DIDBuf::from_string(did.to_string()).map_err(|_| "not a DID".to_owned())?;
        let method = DIDURLBuf::from_string(method.to_owned()).map_err(|_| "not a DID URL".to_owned())?;
        let output = DIDKey.resolve(&did).await.map_err(|error| error.to_string())?;
        if output.document.verification_relationships.contains(&did, &method, purpose.into()) {
            Ok(())
        } else {
            Err("the DID document does not list the key for this purpose".to_owned())
        }
    }

    async fn signed(key: &SigningKey, issuer: &Did, context: Value, subject: Value) -> Result<Value, String> {
        let document = json!({
            "@context": context,
            "type": ["VerifiableCredential", "ResearchConsentCredential"],
            "issuer": issuer,
            "credentialSubject": subject,
        });
        let options = json!({
            "verificationMethod": key.did().verification_method(),
            "proofPurpose": "assertionMethod",
            "created": "2026-11-22T12:00:00Z",
        });
        sign(document, key.seed(), key.did(), options).await
    }

    /// The reason for the checks in `verify`: if the library starts to make one of them, this test will tell.
    #[tokio::test]
    async fn the_library_alone_accepts_a_spoofed_issuer() {
        let (attacker, victim) = (SigningKey::from_seed([66; 32]), SigningKey::from_seed([1; 32]).did());
        let context = json!([CONTEXT_V2, CONTEXT_CONSENT]);
        let document = signed(&attacker, &victim, context, json!({ "study": "x" })).await.unwrap();
        assert_eq!(document["issuer"], json!(victim));
        assert_eq!(verify(document).await, Ok(()));
    }

    /// The second wall behind the exact comparison of members and contexts.
    #[tokio::test]
    async fn unknown_terms_and_contexts_can_not_be_signed_and_do_not_verify() {
        let key = SigningKey::from_seed([1; 32]);
        let (did, known) = (key.did(), json!([CONTEXT_V2, CONTEXT_CONSENT]));
        let good = signed(&key, &did, known.clone(), json!({ "study": "x" })).await.unwrap();
        assert_eq!(verify(good.clone()).await, Ok(()));

        assert!(signed(&key, &did, known, json!({ "study": "x", "unheardOf": "y" })).await.is_err());
        let foreign = json!([CONTEXT_V2, CONTEXT_CONSENT, "https://www.w3.org/2018/credentials/v1"]);
        assert!(signed(&key, &did, foreign.clone(), json!({ "study": "x" })).await.is_err());

        let mut unknown = good.clone();
        unknown["credentialSubject"]["unheardOf"] = json!("y");
        assert!(verify(unknown).await.is_err());
        let mut other = good.clone();
        other["@context"] = foreign;
        assert!(verify(other).await.is_err());
        // Our terms are protected: an inline context can not give them another meaning.
        let mut redefined = good;
        redefined["@context"] = json!([CONTEXT_V2, CONTEXT_CONSENT, { "study": "https://evil.example/" }]);
        assert!(verify(redefined).await.is_err());
    }

    /// What `signature::lists` says without a document is what stands in the document.
    #[tokio::test]
    async fn a_did_document_lists_the_key_for_its_purposes_only() {
        let did = SigningKey::from_seed([1; 32]).did();
        let method = did.verification_method();
        assert_eq!(lists(&did, &method, "assertionMethod").await, Ok(()));
        assert_eq!(lists(&did, &method, "authentication").await, Ok(()));
        assert!(lists(&did, &method, "keyAgreement").await.is_err());
        let other = SigningKey::from_seed([2; 32]).did().verification_method();
        assert!(lists(&did, &other, "assertionMethod").await.is_err());
        for (method, purpose) in [&method, &other].into_iter().flat_map(|method| {
            ["assertionMethod", "authentication", "keyAgreement", ""].map(|purpose| (method, purpose))
        }) {
            let known = super::super::signature::lists(&did, method, purpose);
            assert_eq!(known.is_ok(), lists(&did, method, purpose).await.is_ok(), "{method} for {purpose}");
        }
    }

    #[test]
    fn the_bundled_contexts_are_the_pinned_ones() {
        for (text, hash) in
            [(CONSENT_CONTEXT, CONSENT_CONTEXT_SHA256), (CREDENTIALS_CONTEXT, CREDENTIALS_CONTEXT_SHA256)]
        {
            assert_eq!(hex::encode(crate::sha256(text.as_bytes())), hash);
        }
        assert!(contexts().is_ok());
    }

    #[tokio::test]
    async fn a_panic_in_the_library_is_a_failed_check() {
        let outcome = on_big_stack(|| async { panic!("expected by this test") });
        let outcome: Result<(), String> = outcome.await;
        assert!(outcome.is_err());
    }
}
