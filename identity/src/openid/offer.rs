//! A credential offer (OpenID4VCI 1.0, section 4.1): whole in a link, or by the address where it lies. Only the
//! pre-authorised code is known: nobody signs in to a biobank with a browser.

use super::link::parameters;
use super::reading::{address, object, text, texts};
use super::{Read, Refused};
use serde_json::{Map, Value, json};

pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
const CHECK: &str = "offer";
/// How many credentials one offer may name.
const MAX_ITEMS: usize = 8;
/// The longest code, in bytes.
const MAX_CODE: usize = 512;

/// What a person has to type: it came by another way than the offer (`tx_code`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRule {
    /// Whether it has digits only.
    pub numeric: bool,
    /// How many signs it has, if the offer says so.
    pub length: Option<u8>,
}

/// An offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The credential issuer's identifier, an address.
    pub issuer: String,
    /// The credentials, as the issuer's metadata names them.
    pub configurations: Vec<String>,
    /// The pre-authorised code.
    pub code: String,
    /// What has to be typed, if anything.
    pub pin: Option<PinRule>,
}

/// A link that carries an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferLink {
    /// Whole.
    Whole(Offer),
    /// At an address.
    At(String),
}

impl OfferLink {
    /// The scheme of these links.
    pub const SCHEME: &str = "openid-credential-offer";

    /// Reads a link.
    pub fn read(link: &str) -> Read<Self> {
        let mut said = parameters(link, Self::SCHEME)?;
        match (said.remove("credential_offer"), said.remove("credential_offer_uri")) {
            (Some(offer), None) => Offer::read(offer.as_bytes()).map(Self::Whole),
            (None, Some(uri)) => address(&uri, CHECK).map(|uri| Self::At(uri.to_owned())),
            _ => Err(refused("not one offer")),
        }
    }
}

fn refused(detail: &str) -> Refused {
    Refused::new(CHECK, detail)
}

impl Offer {
    /// Reads an offer.
    pub fn read(bytes: &[u8]) -> Read<Self> {
        let said = object(bytes)?;
        let issuer = address(text(&said, "credential_issuer", CHECK)?, CHECK)?;
        if issuer.contains('?') {
            return Err(refused("an issuer has no query"));
        }
        let configurations = texts(&said, "credential_configuration_ids", MAX_ITEMS, CHECK)?;
        let grant = said.get("grants").and_then(|grants| grants.get(GRANT)).and_then(Value::as_object);
        let grant = grant.ok_or_else(|| refused("no pre-authorised code"))?;
        // Another server than the issuer would have to be trusted for a reason that nobody has.
        if grant.contains_key("authorization_server") {
            return Err(refused("it names a server of its own"));
        }
        let code = text(grant, "pre-authorized_code", CHECK)?;
        if code.len() > MAX_CODE {
            return Err(refused("the code is too long"));
        }
        Ok(Self {
            issuer: issuer.trim_end_matches('/').to_owned(),
            configurations: configurations.ok_or_else(|| refused("no credential is named"))?,
            code: code.to_owned(),
            pin: pin(grant)?,
        })
    }

    /// The offer in a link.
    pub fn to_link(&self) -> String {
        let mut grant = json!({ "pre-authorized_code": self.code });
        if let Some(pin) = &self.pin {
            grant["tx_code"] = json!({ "input_mode": if pin.numeric { "numeric" } else { "text" } });
            if let Some(length) = pin.length {
                grant["tx_code"]["length"] = json!(length);
            }
        }
        let offer = json!({
            "credential_issuer": self.issuer,
            "credential_configuration_ids": self.configurations,
            "grants": { GRANT: grant },
        });
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("credential_offer", &offer.to_string())
            .finish();
        format!("{}://?{query}", OfferLink::SCHEME)
    }
}

fn pin(grant: &Map<String, Value>) -> Read<Option<PinRule>> {
    let Some(rule) = grant.get("tx_code") else { return Ok(None) };
    let rule = rule.as_object().ok_or_else(|| refused("tx_code is not an object"))?;
    let numeric = match rule.get("input_mode").map(Value::as_str) {
        None | Some(Some("numeric")) => true,
        Some(Some("text")) => false,
        _ => return Err(refused("input_mode is neither numeric nor text")),
    };
    let length = match rule.get("length") {
        None => None,
        Some(length) => {
            let length = length.as_u64().and_then(|length| u8::try_from(length).ok()).filter(|length| *length > 0);
            Some(length.ok_or_else(|| refused("length is not a number from 1 to 255"))?)
        }
    };
    Ok(Some(PinRule { numeric, length }))
}
