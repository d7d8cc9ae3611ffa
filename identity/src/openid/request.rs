//! A verifier's request (OpenID4VP 1.0, sections 5 and 8; RFC 9101): read by a wallet, and made by a researcher.

use super::answer::{AnswerKey, Sealing};
use super::encryption::Recipient;
use super::link::{Link, Source};
use super::reading::{address, list, optional_text, text};
use super::transaction::Transaction;
use super::{Client, Format, MAX_NONCE, Query, Read, Refused, jwt};
use crate::credential::{CRYPTOSUITE, PROOF_TYPE, TYPE_CONSENT};
use crate::{SigningKey, sign_jws, to_canonical};
use consent::{StudyId, Timestamp};
use serde_json::{Map, Value, json};

/// The `typ` of a signed request (RFC 9101, section 10.8).
pub const REQUEST_TYPE: &str = "oauth-authz-req+jwt";
/// To whom a request is addressed that a verifier makes without knowing the wallet (section 5.8).
const ANY_WALLET: &str = "https://self-issued.me/v2";
/// How many statements about itself a verifier may bring along.
const MAX_ATTESTATIONS: usize = 8;

/// A request that passed every check.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// The whole client identifier: presentations are addressed to it.
    pub client_id: String,
    /// Who asks.
    pub client: Client,
    /// The name that the verifier gives itself. Nobody else says so.
    pub name: Option<String>,
    /// What others say of the verifier, as signed texts that are not checked yet.
    pub attestations: Vec<String>,
    /// Where the answer goes.
    pub response_uri: String,
    /// What the presentations have to be bound to.
    pub nonce: String,
    /// What the answer hands back.
    pub state: Option<String>,
    /// What is asked for.
    pub query: Query,
    /// How the answer travels.
    pub sealing: Sealing,
    /// What a person agrees to beside it.
    pub transaction: Option<Transaction>,
    /// When it ends, if it says so.
    pub expires: Option<Timestamp>,
}

impl Request {
    /// Reads the request of a link. `fetched` is what its address gave, where it has one, and `wallet_nonce` what was
    /// sent there. Nothing of a request that is refused is worth showing.
    pub fn read(link: &Link, fetched: Option<&str>, wallet_nonce: Option<&str>, now: Timestamp) -> Read<Self> {
        let client = Client::read(&link.client_id)?;
        let (claims, origin) = match (&link.source, fetched) {
            (Source::Plain(said), None) => {
                if !matches!(client, Client::Address(_)) {
                    return Err(Refused::new("signature", "the request is not signed"));
                }
                return Self::of(client, &link.client_id, said, None);
            }
            (Source::Signed(jws), None) => (jws.as_str(), None),
            (Source::At { uri, .. }, Some(fetched)) => (fetched, Some(uri.as_str())),
            _ => return Err(Refused::new("link", "there is no request")),
        };
        let signed = jwt::open(claims, REQUEST_TYPE)?;
        if text(&signed.claims, "client_id", "client-id")? != link.client_id {
            return Err(Refused::new("client-id", "the request is not from whom the link names"));
        }
        match &client {
            Client::Did(did) if **did == signed.signer => {}
            Client::Did(_) => return Err(Refused::new("signature", "signed by another key than the client's")),
            Client::Address(_) => return Err(Refused::new("client-id", "signed, and from nobody in particular")),
        }
        let expires = jwt::times(&signed.claims, now)?;
        let addressed = optional_text(&signed.claims, "aud", "audience")?;
        if addressed.is_some_and(|to| to != ANY_WALLET && Some(to) != origin) {
            return Err(Refused::new("audience", "addressed to somebody else"));
        }
        if optional_text(&signed.claims, "wallet_nonce", "wallet-nonce")? != wallet_nonce {
            return Err(Refused::new("wallet-nonce", "not the nonce that was sent"));
        }
        Self::of(client, &link.client_id, &signed.claims, expires)
    }

    fn of(client: Client, client_id: &str, said: &Map<String, Value>, expires: Option<Timestamp>) -> Read<Self> {
        if text(said, "response_type", "response-type")? != "vp_token" {
            return Err(Refused::new("response-type", "something else than vp_token is asked for"));
        }
        let none = Map::new();
        let metadata = match said.get("client_metadata") {
            None => &none,
            Some(metadata) => {
                metadata.as_object().ok_or_else(|| Refused::new("metadata", "client_metadata is not an object"))?
            }
        };
        let sealing = match text(said, "response_mode", "response-mode")? {
            _ if said.contains_key("expected_origins") => {
                return Err(Refused::new("response-mode", "meant for a browser's interface"));
            }
            "direct_post" => Sealing::Open,
            "direct_post.jwt" => Sealing::To(Box::new(Recipient::read(metadata)?)),
            _ => return Err(Refused::new("response-mode", "neither direct_post nor direct_post.jwt")),
        };
        let query = query(said)?;
        formats(metadata, &query)?;
        let transaction = said.get("transaction_data").map(|data| Transaction::read(data, &query)).transpose()?;
        Ok(Self {
            response_uri: response_uri(said, &client)?,
            nonce: nonce(said)?,
            state: short(optional_text(said, "state", "state")?, "state")?,
            name: optional_text(metadata, "client_name", "metadata")?.map(str::to_owned),
            attestations: attestations(said)?,
            client_id: client_id.to_owned(),
            client,
            query,
            sealing,
            transaction,
            expires,
        })
    }
}

fn response_uri(said: &Map<String, Value>, client: &Client) -> Read<String> {
    const CHECK: &str = "response-uri";
    if said.contains_key("redirect_uri") {
        return Err(Refused::new(CHECK, "redirect_uri does not go with an answer that is posted"));
    }
    let uri = address(text(said, "response_uri", CHECK)?, CHECK)?;
    match client {
        Client::Address(own) if own != uri => Err(Refused::new(CHECK, "not the address that the client is")),
        _ => Ok(uri.to_owned()),
    }
}

fn nonce(said: &Map<String, Value>) -> Read<String> {
    let nonce = short(Some(text(said, "nonce", "nonce")?), "nonce")?.unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if nonce.bytes().all(fits) { Ok(nonce) } else { Err(Refused::new("nonce", "not of characters for an address")) }
}

fn short(text: Option<&str>, check: &'static str) -> Read<Option<String>> {
    if text.is_some_and(|text| text.len() > MAX_NONCE) {
        return Err(Refused::new(check, format!("longer than {MAX_NONCE} bytes")));
    }
    Ok(text.map(str::to_owned))
}

fn query(said: &Map<String, Value>) -> Read<Query> {
    // Other languages for the same question: answering one of two would answer something that nobody asked.
    if ["scope", "presentation_definition", "presentation_definition_uri"].iter().any(|name| said.contains_key(*name)) {
        return Err(Refused::new("query", "asked in another language than DCQL"));
    }
    Query::read(said.get("dcql_query").ok_or_else(|| Refused::new("query", "dcql_query is missing"))?)
}

/// Whether the verifier can read what this wallet would sign (section 11.1, appendix B.1.3).
fn formats(metadata: &Map<String, Value>, query: &Query) -> Read<()> {
    let asked = query.credentials.iter().any(|one| one.format == Format::LdpVc);
    let Some(formats) = metadata.get("vp_formats_supported").filter(|_| asked) else { return Ok(()) };
    let takes = |name: &str, value: &str| {
        let values = &formats["ldp_vc"][name];
        values.is_null() || values.as_array().is_some_and(|values| values.iter().any(|one| one == value))
    };
    if formats["ldp_vc"].is_object()
        && takes("proof_type_values", PROOF_TYPE)
        && takes("cryptosuite_values", CRYPTOSUITE)
    {
        Ok(())
    } else {
        Err(Refused::new("metadata", "the verifier does not read what this wallet signs"))
    }
}

/// Statements in the form of a JWT. Others may have been meant for other wallets.
fn attestations(said: &Map<String, Value>) -> Read<Vec<String>> {
    let all = list(said, "verifier_info", MAX_ATTESTATIONS, "verifier-info")?.unwrap_or_default();
    Ok(all
        .iter()
        .filter(|one| one["format"] == "jwt")
        .filter_map(|one| Some(one["data"].as_str()?.to_owned()))
        .collect())
}

/// A query for the consent of a study, under the name `consent`.
pub fn consent_query(study: &StudyId) -> Value {
    let kinds = [crate::credential::CONTEXT_CONSENT, "#", TYPE_CONSENT].concat();
    json!({ "credentials": [{
        "id": "consent",
        "format": "ldp_vc",
        "multiple": false,
        "meta": { "type_values": [[kinds]] },
        "claims": [{ "path": ["credentialSubject", "study"], "values": [study] }, { "path": ["credentialSubject", "dataUse"] }],
    }] })
}

/// What a researcher asks.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    /// Where the answer goes.
    pub response_uri: &'a str,
    /// What the presentations have to be bound to: new for each request, and not to be guessed.
    pub nonce: &'a str,
    /// What the answer hands back.
    pub state: &'a str,
    /// The query.
    pub query: &'a Value,
    /// The name that the researcher gives themselves.
    pub name: &'a str,
    /// The biobank's word for who the researcher is.
    pub attestation: Option<&'a str>,
    /// What the person is to agree to.
    pub transaction: Option<&'a Transaction>,
    /// The key that the answer is to be encrypted to.
    pub key: Option<&'a AnswerKey>,
    /// When the request ends.
    pub expires: Timestamp,
}

impl Draft<'_> {
    /// The client identifier of whoever has this key.
    pub fn client_id(key: &SigningKey) -> String {
        format!("decentralized_identifier:{}", key.did())
    }

    /// Signs the request, with the nonce of the wallet that fetches it if it sent one.
    pub fn sign(&self, key: &SigningKey, wallet_nonce: Option<&str>, now: Timestamp) -> String {
        let mut metadata = self.key.map_or_else(|| json!({}), AnswerKey::metadata);
        metadata["client_name"] = json!(self.name);
        metadata["vp_formats_supported"] =
            json!({ "ldp_vc": { "proof_type_values": [PROOF_TYPE], "cryptosuite_values": [CRYPTOSUITE] } });
        let mut said = json!({
            "aud": ANY_WALLET,
            "client_id": Self::client_id(key),
            "response_type": "vp_token",
            "response_mode": if self.key.is_some() { "direct_post.jwt" } else { "direct_post" },
            "response_uri": self.response_uri,
            "nonce": self.nonce,
            "state": self.state,
            "dcql_query": self.query,
            "client_metadata": metadata,
            "iat": now.unix(),
            "exp": self.expires.unix(),
        });
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                said[name] = value;
            }
        };
        add("wallet_nonce", wallet_nonce.map(|nonce| json!(nonce)));
        add("transaction_data", self.transaction.map(|transaction| json!([transaction.text()])));
        add("verifier_info", self.attestation.map(|word| json!([{ "format": "jwt", "data": word }])));
        // Texts and whole numbers always have a canonical form.
        sign_jws(key, REQUEST_TYPE, &to_canonical(&said).unwrap_or_default())
    }
}
