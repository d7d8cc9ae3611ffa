//! DIDs and DID URLs (W3C DID Core 1.0, section 3).

use super::ResolveError;
use std::fmt;

/// The longest DID URL that is read, in bytes: a `did:jwk` of a large key fits.
pub const MAX_DID_URL: usize = 2_048;

/// A DID URL that keeps to the syntax: a DID, and what it names below it.
///
/// The syntax has ASCII letters only, so a name that merely looks like another one is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DidUrl {
    text: String,
    /// Where the DID ends.
    did: usize,
    /// Where the identifier inside the method begins.
    id: usize,
}

impl DidUrl {
    /// Reads a DID URL.
    pub fn parse(text: &str) -> Result<Self, ResolveError> {
        let rest = text.strip_prefix("did:").filter(|_| text.len() <= MAX_DID_URL).ok_or(ResolveError::InvalidDid)?;
        let (method, _) = rest.split_once(':').ok_or(ResolveError::InvalidDid)?;
        if method.is_empty() || !method.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            return Err(ResolveError::InvalidDid);
        }
        let did = text.find(['/', '?', '#']).unwrap_or(text.len());
        let id = "did:".len() + method.len() + 1;
        let named = text.get(id..did).filter(|id| !id.is_empty() && !id.ends_with(':'));
        if !named.is_some_and(|id| is_made_of(id, |b| is_id(b) || b == b':')) {
            return Err(ResolveError::InvalidDid);
        }
        let (before, fragment) = text[did..].split_once('#').unwrap_or((&text[did..], ""));
        let (path, query) = before.split_once('?').unwrap_or((before, ""));
        let fine = is_made_of(path, |b| is_path(b) || b == b'/')
            && [query, fragment].into_iter().all(|part| is_made_of(part, |b| is_path(b) || b"/?".contains(&b)));
        if !fine {
            return Err(ResolveError::InvalidDidUrl);
        }
        Ok(Self { text: text.to_owned(), did, id })
    }

    /// Reads a DID with nothing below it.
    pub fn parse_did(text: &str) -> Result<Self, ResolveError> {
        let url = Self::parse(text).map_err(|_| ResolveError::InvalidDid)?;
        if url.did == text.len() { Ok(url) } else { Err(ResolveError::InvalidDid) }
    }

    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The DID.
    pub fn did(&self) -> &str {
        &self.text[..self.did]
    }

    /// The name of the method, as in `web`.
    pub fn method(&self) -> &str {
        &self.text["did:".len()..self.id - 1]
    }

    /// The identifier inside the method.
    pub fn id(&self) -> &str {
        &self.text[self.id..self.did]
    }

    /// What stands between the DID and the fragment: a path, a query, or nothing.
    pub fn path_and_query(&self) -> &str {
        self.text[self.did..].split('#').next().unwrap_or_default()
    }

    /// What stands after `#`.
    pub fn fragment(&self) -> Option<&str> {
        self.text[self.did..].split_once('#').map(|(_, fragment)| fragment)
    }
}

impl fmt::Display for DidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `idchar` without its escapes.
fn is_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

/// `pchar` without its escapes (RFC 3986, section 3.3).
fn is_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._~-!$&'()*+,;=:@".contains(&byte)
}

/// Whether a text has these bytes and whole escapes (`%2F`) only.
fn is_made_of(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fine = match byte {
            b'%' => (0..2).all(|_| bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())),
            other => allowed(other),
        };
        if !fine {
            return false;
        }
    }
    true
}
