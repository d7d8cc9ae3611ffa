//! Enrolment by OpenID4VCI 1.0, for wallets of every make: a link that anybody may see, and the code of the invitation as
//! the PIN, which comes by another way.
//!
//! The same limits count for the code here as at `/v1/enrolment`, and the same invitation is used up.

use super::enrolment::admit;
use super::{Address, blocking};
use crate::Problem;
use crate::biobank::Biobank;
use crate::clock::now;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use consent::Timestamp;
use identity::openid::{
    ENROLMENT_CONFIGURATION, Offer, PinRule, credential_answer, issuer_metadata, read_credential_request,
    read_token_request, server_metadata,
};
use identity::sha256;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// How long a nonce for a proof counts, in seconds.
const NONCE_AGE: i64 = 300;
/// How long a token counts, in seconds: as long as the challenge that it holds.
const TOKEN_AGE: i64 = 600;
/// How many signs the code of an invitation has, as people see it.
const CODE_LENGTH: u8 = 9;
const NOT_STORED: (header::HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

pub async fn issuer_document(State(biobank): State<Arc<Biobank>>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    issuer(&biobank, &headers).map(|issuer| Json(issuer_metadata(&issuer, &biobank.institution.name)))
}

pub async fn server_document(State(biobank): State<Arc<Biobank>>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    issuer(&biobank, &headers).map(|issuer| Json(server_metadata(&issuer)))
}

/// The address that this biobank issues under. Where it is not known, only programs on this machine are told what they
/// called it themselves: a proof that was made for another address must never count here.
fn issuer(biobank: &Biobank, headers: &HeaderMap) -> Result<String, Problem> {
    if let Some(address) = &biobank.address {
        return Ok(address.to_string());
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    let here = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if here { Ok(format!("http://{host}")) } else { Err(Problem::not_found()) }
}

/// The link of an invitation's offer. Without the invitation's code it is worth nothing.
pub(super) fn offer_link(biobank: &Biobank, headers: &HeaderMap, digest: &str) -> Option<String> {
    let offer = Offer {
        issuer: issuer(biobank, headers).ok()?,
        configurations: vec![ENROLMENT_CONFIGURATION.to_owned()],
        code: only_we_make(biobank, "offer", digest),
        pin: Some(PinRule { numeric: false, length: Some(CODE_LENGTH) }),
    };
    Some(offer.to_link())
}

/// A text that nobody can make without the biobank's key: signatures of Ed25519 are the same each time.
fn only_we_make(biobank: &Biobank, what: &str, about: &str) -> String {
    hex::encode(sha256(&biobank.key.sign(format!("consent-wallet/openid-{what}/v1\n{about}").as_bytes())))
}

fn same(said: &str, right: &str) -> bool {
    said.as_bytes().ct_eq(right.as_bytes()).into()
}

pub async fn token(
    State(biobank): State<Arc<Biobank>>,
    Address(from): Address,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    blocking(move || {
        let (code, pin) = read_token_request(&body).map_err(|_| Problem::malformed())?;
        let digest = biobank.hear_code(&pin.unwrap_or_default(), from)?;
        let invitation = biobank.desk.invitation(&digest).map_err(Problem::internal)?;
        let right = same(&code, &only_we_make(&biobank, "offer", &digest));
        let Some(invitation) = invitation.filter(|_| right) else { return Err(biobank.wrong_code(from)) };
        if invitation.accepted.is_none() && now() > invitation.expires {
            return Err(Problem::code_expired());
        }
        let token = format!("{digest}.{}", biobank.challenge(&digest)?);
        let answer = json!({ "access_token": token, "token_type": "Bearer", "expires_in": TOKEN_AGE });
        Ok(([NOT_STORED], Json(answer)))
    })
    .await
}

pub async fn nonce(State(biobank): State<Arc<Biobank>>) -> impl IntoResponse {
    let made = now().unix();
    let nonce = format!("{made}.{}", only_we_make(&biobank, "nonce", &made.to_string()));
    ([NOT_STORED], Json(json!({ "c_nonce": nonce })))
}

/// Whether this is a nonce of ours that still counts. That it is used once is for the token to see to.
fn is_nonce(biobank: &Biobank, nonce: &str, now: Timestamp) -> bool {
    let Some((made, seal)) = nonce.split_once('.') else { return false };
    let fresh = made.parse().is_ok_and(|made: i64| (now.unix().saturating_sub(NONCE_AGE)..=now.unix()).contains(&made));
    fresh && same(seal, &only_we_make(biobank, "nonce", made))
}

pub async fn credential(
    State(biobank): State<Arc<Biobank>>,
    Address(from): Address,
    headers: HeaderMap,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let (issuer, now) = (issuer(&biobank, &headers)?, now());
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let Some((digest, challenge)) = token.and_then(|token| token.split_once('.')) else {
        return Err(Problem::presentation_refused());
    };
    // A proof that is not right costs the caller nothing but another try.
    let proof = read_credential_request(&body, &issuer, now).ok().filter(|(_, nonce)| is_nonce(&biobank, nonce, now));
    let Some((holder, _)) = proof else { return Err(Problem::presentation_refused()) };
    if !biobank.take_challenge(digest)?.is_some_and(|right| same(challenge, &right)) {
        return Err(Problem::presentation_refused());
    }
    let credential = admit(&biobank, digest.to_owned(), holder, from, now).await?;
    Ok(([NOT_STORED], Json(credential_answer(credential.value()))))
}
