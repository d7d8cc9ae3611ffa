//! The address at which everybody reaches the service. The service can not know it by itself: it may listen behind a
//! proxy, and the origin of its log is a name and no address.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use url::Url;

/// The longest one: with a path behind it, it is still a URL that GA4GH Passport allows (255 characters).
const MAX_ADDRESS: usize = 200;

/// An https address without query, which may have a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicAddress(String);

/// A text that is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("write it as https://biobank.example, with a path if need be, at most {MAX_ADDRESS} characters")]
pub struct NoPublicAddress;

impl FromStr for PublicAddress {
    type Err = NoPublicAddress;

    fn from_str(text: &str) -> Result<Self, NoPublicAddress> {
        let url = Url::parse(text).map_err(|_| NoPublicAddress)?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.host_str().is_some();
        let address = url.as_str().trim_end_matches('/');
        if url.scheme() == "https" && bare && address.len() <= MAX_ADDRESS {
            Ok(Self(address.to_owned()))
        } else {
            Err(NoPublicAddress)
        }
    }
}

impl PublicAddress {
    /// The address without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A route of the service.
    pub fn route(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl fmt::Display for PublicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_and_nothing_beside() {
        let read = |text: &str| text.parse::<PublicAddress>();
        assert_eq!(read("https://biobank.example/").unwrap().as_str(), "https://biobank.example");
        let below = read("https://biobank.example:8443/ledger/").unwrap();
        assert_eq!(below.route("/v1/jwks.json"), "https://biobank.example:8443/ledger/v1/jwks.json");
        for wrong in [
            "http://biobank.example",
            "https://user@biobank.example",
            "https://biobank.example/?a",
            "https://biobank.example/#a",
            "https://",
            "biobank.example",
            "",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read(&format!("https://biobank.example/{}", "x".repeat(200))).is_err());
    }
}
