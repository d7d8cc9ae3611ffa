//! Enrolment by OpenID4VCI 1.0: from the link of an offer to the credential.

use crate::clock::now;
use crate::connect::discover;
use crate::enrol::{Offer, Way};
use crate::remote::Remote;
use bridge::{Code, Failure};
use identity::openid::{
    self, IssuerMetadata, OfferLink, Refused, credential_request, read_credential_answer, read_nonce,
    read_server_metadata, read_token, token_request,
};
use identity::{Credential, SigningKey};

const JSON: &str = "application/json";

/// The link of an offer in what a person pasted, if there is one.
pub fn link_in(text: &str) -> Option<&str> {
    text.split_whitespace()
        .find(|word| word.strip_prefix(OfferLink::SCHEME).is_some_and(|rest| rest.starts_with("://")))
}

/// Reads an offer and asks its issuer which biobank it is.
pub async fn read(link: &str) -> Result<Offer, Failure> {
    let offer = match OfferLink::read(link).map_err(refused)? {
        OfferLink::Whole(offer) => offer,
        OfferLink::At(uri) => {
            let (remote, path) = Remote::at(&uri)?;
            openid::Offer::read(remote.text(&path, None, JSON).await?.as_bytes()).map_err(refused)?
        }
    };
    let connection = discover(&Remote::new(&offer.issuer)?, None).await?;
    Ok(Offer { connection, way: Way::Openid { offer: Box::new(offer), pin: None } })
}

fn refused(refused: Refused) -> Failure {
    tracing::info!(%refused, "an offer was refused");
    Failure::new(Code::NotValid).with("check", refused.check)
}

/// Takes the credential that is offered. What it says is for the caller to check.
pub async fn fetch(offer: &openid::Offer, key: &SigningKey, pin: Option<&str>) -> Result<Credential, Failure> {
    let [configuration, ..] = offer.configurations.as_slice() else { return Err(Code::NotPossible.into()) };
    let (issuer, remote) = (&offer.issuer, Remote::new(&offer.issuer)?);
    let metadata = remote.text("/.well-known/openid-credential-issuer", None, JSON).await?;
    let metadata = IssuerMetadata::read(metadata.as_bytes(), issuer, configuration).map_err(refused)?;
    let server = remote.text("/.well-known/oauth-authorization-server", None, JSON).await?;
    let tokens = read_server_metadata(server.as_bytes(), issuer).map_err(refused)?;

    let (place, path) = Remote::at(&tokens)?;
    let token = place.text(&path, Some(token_request(offer, pin)), JSON).await?;
    let token = read_token(token.as_bytes()).map_err(refused)?;
    let nonce = match &metadata.nonce_endpoint {
        None => None,
        Some(endpoint) => {
            let (place, path) = Remote::at(endpoint)?;
            let nonce = place.text(&path, Some(String::new()), JSON).await?;
            Some(read_nonce(nonce.as_bytes()).map_err(refused)?)
        }
    };
    let request = credential_request(key, issuer, configuration, nonce.as_deref(), now());
    let (place, path) = Remote::at(&metadata.credential_endpoint)?;
    let answer = place.bearing(&path, &token, &request).await?;
    let credential = read_credential_answer(&answer).map_err(refused)?;
    Credential::try_from(credential).map_err(|_| Failure::new(Code::NotValid).with("check", "credential"))
}
