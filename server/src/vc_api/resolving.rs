//! What a caller asks about a DID, checked, and what is found (DID Resolution, sections 3 and 4).

use super::Desk;
use axum::http::StatusCode;
use consent::Timestamp;
use identity::did_document::{DidUrl, KeyFormat, ResolveError, Resolved, address_of, key_document};

/// An error of a resolution: its status, its name in the specification of today, and its name in that of before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) word: &'static str,
    pub(super) title: String,
}

impl Trouble {
    fn new(status: StatusCode, code: &'static str, word: &'static str, title: &str) -> Self {
        Self { status, code, word, title: title.to_owned() }
    }

    fn options(word: &'static str, title: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_OPTIONS", word, title)
    }

    fn feature(title: &str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "FEATURE_NOT_SUPPORTED", "featureNotSupported", title)
    }

    pub(super) fn representation() -> Self {
        let title = "No form that the caller reads.";
        Self::new(StatusCode::NOT_ACCEPTABLE, "REPRESENTATION_NOT_SUPPORTED", "representationNotSupported", title)
    }

    pub(super) fn nothing_there() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "notFound", "The document has no part of this name.")
    }
}

impl From<ResolveError> for Trouble {
    fn from(error: ResolveError) -> Self {
        let (status, code, word) = match &error {
            ResolveError::InvalidDidUrl => (StatusCode::BAD_REQUEST, "INVALID_DID_URL", "invalidDidUrl"),
            ResolveError::Method => (StatusCode::NOT_IMPLEMENTED, "METHOD_NOT_SUPPORTED", "methodNotSupported"),
            ResolveError::KeyType => (StatusCode::BAD_REQUEST, "INVALID_DID", "unsupportedPublicKeyType"),
            ResolveError::KeyLength => (StatusCode::BAD_REQUEST, "INVALID_DID", "invalidPublicKeyLength"),
            ResolveError::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND", "notFound"),
            ResolveError::Deactivated => (StatusCode::GONE, "DEACTIVATED", "deactivated"),
            ResolveError::InvalidDocument(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "INVALID_DID_DOCUMENT", "invalidDidDocument")
            }
            ResolveError::Unreachable(_) | ResolveError::NotAtHand => {
                (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "internalError")
            }
            _ => (StatusCode::BAD_REQUEST, "INVALID_DID", "invalidDid"),
        };
        Self::new(status, code, word, &error.to_string())
    }
}

/// The options of a caller, by their names.
pub(super) struct Options(pub(super) Vec<(String, String)>);

impl Options {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The media types that the caller reads: the option `accept`, or else what the header of that name says.
    pub(super) fn accepted(&self, header: &str) -> Vec<String> {
        let kinds = self.get("accept").unwrap_or(header).split(',');
        let kinds = kinds.map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        kinds.filter(|kind| !kind.is_empty()).collect()
    }

    /// Refuses options that are not understood or not in their form: one that is passed over could have been the one
    /// that mattered. Services are named for whoever goes on from the document, so only their form is looked at.
    pub(super) fn check(&self, url: &DidUrl) -> Result<(), Trouble> {
        for (name, value) in &self.0 {
            let fine = value.is_ascii() && self.0.iter().filter(|(other, _)| other == name).count() == 1;
            let form = match name.as_str() {
                "accept" | "service" | "serviceType" | "publicKeyFormat" => true,
                "enableExperimentalPublicKeyTypes" => matches!(value.as_str(), "true" | "false"),
                "relativeRef" => !value.contains([' ', '#', '?']),
                // In UTC and in whole seconds.
                "versionTime" => value.len() == 20 && value.ends_with('Z') && value.parse::<Timestamp>().is_ok(),
                "versionId" | "hl" if fine => return Err(Trouble::feature("Versions of documents are not kept.")),
                _ => false,
            };
            if !fine || !form {
                let title = format!("{name:.40} is no option that is known, or not in its form.");
                return Err(Trouble::options("invalidOptions", &title));
            }
        }
        if self.get("versionTime").is_some() && address_of(url)?.is_some() {
            return Err(Trouble::feature("Versions of documents are not kept."));
        }
        Ok(())
    }

    /// How keys are to be written down (did:key method, section 3.1.1).
    fn format(&self, url: &DidUrl) -> Result<KeyFormat, Trouble> {
        let Some(name) = self.get("publicKeyFormat") else { return Ok(KeyFormat::Multikey) };
        match KeyFormat::named(name).filter(|_| url.method() == "key") {
            Some(format) => Ok(format),
            None if self.get("enableExperimentalPublicKeyTypes") == Some("false") => {
                Err(Trouble::options("invalidPublicKeyType", "A format of keys that is experimental."))
            }
            None => Err(Trouble::options("unsupportedPublicKeyType", "A format of keys that is not known.")),
        }
    }
}

/// The document of a DID URL, as the options want it.
pub(super) async fn find(desk: &Desk, url: &DidUrl, options: &Options) -> Result<Resolved, Trouble> {
    options.check(url)?;
    let format = options.format(url)?;
    let mut found = desk.resolve(url).await?;
    if format != KeyFormat::Multikey {
        found.document = key_document(url, format)?;
    }
    Ok(found)
}
