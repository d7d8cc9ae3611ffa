//! The link that carries a request: whole, or by the address where it lies (OpenID4VP 1.0, sections 5.1 and 5.10).

use super::reading::{address, object};
use super::{Client, MAX_BYTES, Read, Refused};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How a request is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Plainly.
    Get,
    /// With a nonce of the wallet's, which the request then has to hold.
    Post,
}

/// Where the request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In the link, signed.
    Signed(String),
    /// In the link, not signed: each parameter as it would be in JSON.
    Plain(Map<String, Value>),
    /// At an address.
    At {
        /// Where.
        uri: String,
        /// How to ask for it.
        method: Method,
    },
}

/// A link of OpenID4VP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The client identifier as the link has it.
    pub client_id: String,
    /// Where the request is.
    pub source: Source,
}

/// Parameters that are JSON in a link.
const JSON: [&str; 4] = ["dcql_query", "client_metadata", "transaction_data", "verifier_info"];

impl Link {
    /// The scheme of these links.
    pub const SCHEME: &str = "openid4vp";

    /// The link to a request at an address, which is fetched with a nonce of the wallet's.
    pub fn to(client_id: &str, request_uri: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", client_id)
            .append_pair("request_uri", request_uri)
            .append_pair("request_uri_method", "post")
            .finish();
        format!("{}://?{query}", Self::SCHEME)
    }

    /// Reads a link.
    pub fn read(link: &str) -> Read<Self> {
        let mut said = parameters(link, Self::SCHEME)?;
        let client_id = said.get("client_id").cloned().ok_or_else(|| refused("client_id is missing"))?;
        Client::read(&client_id)?;
        let method = match said.remove("request_uri_method").as_deref() {
            None | Some("get") => Method::Get,
            Some("post") => Method::Post,
            Some(_) => return Err(refused("request_uri_method is neither get nor post")),
        };
        let source = match (said.remove("request"), said.remove("request_uri")) {
            (Some(_), Some(_)) => return Err(refused("both request and request_uri")),
            (Some(request), None) => Source::Signed(request),
            (None, Some(uri)) => Source::At { uri: address(&uri, "link")?.to_owned(), method },
            (None, None) if method == Method::Post => return Err(refused("request_uri_method without request_uri")),
            (None, None) => Source::Plain(plain(said)?),
        };
        Ok(Self { client_id, source })
    }
}

fn refused(detail: &str) -> Refused {
    Refused::new("link", detail)
}

fn plain(said: BTreeMap<String, String>) -> Read<Map<String, Value>> {
    let value = |name: &str, text: String| {
        if !JSON.contains(&name) {
            return Ok(Value::String(text));
        }
        // The reader of objects is the one strict reader there is, so a list travels through it inside one.
        let whole = object(format!("{{\"{name}\":{text}}}").as_bytes())?;
        let mut members = whole.into_iter();
        members.next().filter(|_| members.next().is_none()).map(|(_, value)| value).ok_or_else(|| refused("no JSON"))
    };
    said.into_iter().map(|(name, text)| Ok((name.clone(), value(&name, text)?))).collect()
}

/// The parameters of a link of this scheme, none of them twice.
pub(super) fn parameters(link: &str, scheme: &str) -> Read<BTreeMap<String, String>> {
    if link.len() > MAX_BYTES {
        return Err(Refused::new("size", format!("longer than {MAX_BYTES} bytes")));
    }
    let rest = link.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
    let (_, query) = rest.and_then(|rest| rest.split_once('?')).ok_or_else(|| refused("not a link of this kind"))?;
    let mut said = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if said.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(refused("a parameter is there twice"));
        }
    }
    Ok(said)
}
