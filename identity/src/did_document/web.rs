//! `did:web`: where the document of a DID lies (did:web method specification, section 3.2).

use super::{DidUrl, ResolveError};

/// The address of the document of a `did:web`.
///
/// One text each: the host in small letters, its port escaped, and no escapes in the path. So a DID can not hide a
/// path from whoever compares it, and two DIDs never lead to the same document by their spelling alone.
pub(super) fn document_address(did: &DidUrl) -> Result<String, ResolveError> {
    let mut parts = did.id().split(':');
    let authority = parts.next().unwrap_or_default();
    let (host, port) = match authority.split_once('%') {
        None => (authority, None),
        Some((host, port)) => (host, Some(port.strip_prefix("3A").ok_or(ResolveError::InvalidDid)?)),
    };
    let port = match port {
        None => String::new(),
        Some(digits) => {
            let port: u16 = digits.parse().map_err(|_| ResolveError::InvalidDid)?;
            if port == 0 || port.to_string() != digits {
                return Err(ResolveError::InvalidDid);
            }
            format!(":{port}")
        }
    };
    if !is_host(host) {
        return Err(ResolveError::InvalidDid);
    }
    let mut path = String::new();
    for part in parts {
        if part.is_empty() || part == "." || part == ".." || part.contains('%') {
            return Err(ResolveError::InvalidDid);
        }
        path.push('/');
        path.push_str(part);
    }
    let folder = if path.is_empty() { "/.well-known" } else { &path };
    Ok(format!("https://{host}{port}{folder}/did.json"))
}

/// A name of the domain name system, and no address: the method forbids those.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // The last label of a name is never a number; every spelling of an IPv4 address ends with one (WHATWG URL, 3.5).
    let number = |label: &str| label.bytes().next().is_some_and(|b| b.is_ascii_digit());
    host.len() <= 253 && host.split('.').all(label) && !host.rsplit('.').next().is_some_and(number)
}
