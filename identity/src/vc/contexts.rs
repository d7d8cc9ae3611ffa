//! The contexts that are known. They are part of the program, each with its hash; nothing is ever fetched.

use json_ld::{IriBuf, RemoteDocument};
use json_syntax::{Parse, Value};
use std::collections::HashMap;
use std::sync::LazyLock;

/// A bundled context.
pub(super) struct Bundled {
    /// Its address, as documents name it.
    pub(super) url: &'static str,
    /// Its text, byte for byte as published.
    pub(super) text: &'static str,
    /// SHA-256 of the text, which a test compares.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares it"))]
    pub(super) sha256: &'static str,
}

pub(super) const V1: &str = "https://www.w3.org/2018/credentials/v1";
pub(super) const V2: &str = "https://www.w3.org/ns/credentials/v2";
pub(super) const DATA_INTEGRITY_V1: &str = "https://w3id.org/security/data-integrity/v1";
pub(super) const DATA_INTEGRITY_V2: &str = "https://w3id.org/security/data-integrity/v2";
pub(crate) const ED25519_2020: &str = "https://w3id.org/security/suites/ed25519-2020/v1";
pub(crate) const DID_V1: &str = "https://www.w3.org/ns/did/v1";
pub(crate) const MULTIKEY_V1: &str = "https://w3id.org/security/multikey/v1";

macro_rules! bundled {
    ($($url:expr, $file:literal, $sha256:expr;)*) => {
        pub(super) const BUNDLED: &[Bundled] = &[$(
            Bundled { url: $url, text: include_str!(concat!("../../contexts/", $file)), sha256: $sha256 },
        )*];
    };
}

bundled! {
    V1, "credentials-v1.jsonld", "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc";
    V2, "credentials-v2.jsonld", "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734";
    "https://www.w3.org/ns/credentials/examples/v2", "credentials-examples-v2.jsonld",
        "e6600df812cdc1872f20b42ab0c1cecac39755b7ed381e7f6a88dac7baab54d6";
    "https://www.w3.org/ns/credentials/undefined-terms/v2", "credentials-undefined-terms-v2.jsonld",
        "82dab514ba44eb18f5d1b0f638c5e140c6a556fbfb5089601bdc0fa5eb8b2581";
    DATA_INTEGRITY_V1, "data-integrity-v1.jsonld", "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554";
    DATA_INTEGRITY_V2, "data-integrity-v2.jsonld", "0f77743daf5b4e8fc067fc5ba5b21044283053aa717fc6b0219843bed3b00363";
    MULTIKEY_V1, "multikey-v1.jsonld", "c5f3806f8286920573221938917988a18a4cc5a09e968d29649613c7a1c2b1f6";
    ED25519_2020, "ed25519-2020-v1.jsonld", "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588";
    DID_V1, "did-v1.jsonld", "62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f";
    "https://w3id.org/vdl/v1", "vdl-v1.jsonld", "5e61aa138bc6a1bf92299edd01408df52f20c24057b9dbea72ccaeef5b792010";
    "https://w3id.org/vdl/aamva/v1", "vdl-aamva-v1.jsonld", "8394e1f448f15c12b173b264a6f6006f85b343a81548f8e5f1a532bc258894e6";
    crate::CONTEXT_CONSENT, "consent-v1.jsonld", crate::CONSENT_CONTEXT_SHA256;
}

/// The bundled context with this address.
pub(super) fn bundled(url: &str) -> Option<&'static Bundled> {
    BUNDLED.iter().find(|context| context.url == url)
}

/// What the expansion may load: these documents, and no others.
pub(super) static LOADER: LazyLock<HashMap<IriBuf, RemoteDocument>> = LazyLock::new(|| {
    let read = |context: &Bundled| {
        let iri = IriBuf::new(context.url.to_owned()).ok()?;
        let (document, _) = Value::parse_str(context.text).ok()?;
        Some((iri.clone(), RemoteDocument::new(Some(iri), None, document)))
    };
    BUNDLED.iter().filter_map(read).collect()
});

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;

    #[test]
    fn the_bundled_contexts_are_the_pinned_ones() {
        for context in BUNDLED {
            assert_eq!(hex::encode(crate::sha256(context.text.as_bytes())), context.sha256, "{}", context.url);
        }
        assert_eq!(LOADER.len(), BUNDLED.len(), "each can be read");
        // As the data model publishes it.
        let hash = crate::sha256(bundled(V2).unwrap().text.as_bytes());
        assert_eq!(BASE64_STANDARD.encode(hash), "WZVc7WaX1h4D8rJVb+vlMIqxaEKEb1tYbX8fet7JJzQ=");
    }
}
