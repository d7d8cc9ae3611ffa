//! What links, verifiers and issuers of OpenID say.

use consent::Timestamp;
use identity::openid::{
    Draft, Format, Held, IssuerMetadata, Link, Offer, OfferLink, Query, Request, Source, find, read_answer,
    read_credential_answer, read_credential_request, read_nonce, read_server_metadata, read_token, read_token_request,
};
use serde_json::Value;

const NOW: i64 = 1_795_000_000;

/// A link and, behind a line break, what its address gives. Content that is JSON is signed here as well, so that what
/// stands behind the signature is reached.
pub fn request_object(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let now = Timestamp::from_unix(NOW);
    if let Ok(link) = Link::read(first) {
        let _ = Request::read(&link, None, None, now);
        let _ = Request::read(&link, Some(rest), Some("nonce"), now);
    }
    let key = crate::key(1);
    let jws = identity::sign_jws(&key, identity::openid::REQUEST_TYPE, rest.as_bytes());
    let link = Link { client_id: Draft::client_id(&key), source: Source::Signed(jws) };
    if let Ok(request) = Request::read(&link, None, None, now) {
        assert_eq!(request.client_id, link.client_id);
        assert!(!request.nonce.is_empty());
        assert!(!request.query.credentials.is_empty());
    }
    let _ = read_answer(data, None);
}

/// Links of offers, offers, and all that an issuer and a wallet say to each other.
pub fn credential_offer(data: &[u8]) {
    let now = Timestamp::from_unix(NOW);
    let text = String::from_utf8_lossy(data);
    let _ = OfferLink::read(&text);
    if let Ok(offer) = Offer::read(data) {
        // What is read and written again says the same.
        assert_eq!(OfferLink::read(&offer.to_link()), Ok(OfferLink::Whole(offer)));
    }
    let issuer = "https://biobank.example";
    let _ = IssuerMetadata::read(data, issuer, identity::openid::ENROLMENT_CONFIGURATION);
    let _ = read_server_metadata(data, issuer);
    let _ = read_token(data);
    let _ = read_token_request(data);
    let _ = read_nonce(data);
    let _ = read_credential_answer(data);
    let _ = read_credential_request(data, issuer, now);
}

/// A query and, behind a line break, a credential. What is found is really there.
pub fn dcql(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (first, rest) = text.split_once('\n').unwrap_or((text, "{}"));
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    let (Some(query), Some(claims)) = (read(first), read(rest)) else { return };
    let Ok(query) = Query::read(&query) else { return };
    let held = Held { format: Format::LdpVc, types: identity::openid::CONSENT_TYPES, claims: &claims };
    assert_eq!(find(&query, &[]), None);
    for want in find(&query, &[held]).into_iter().flatten() {
        assert!(!want.credentials.is_empty());
        for (id, found) in want.credentials {
            let asked = query.credentials.iter().find(|one| one.id == id).unwrap();
            assert!(asked.format == Format::LdpVc && !found.is_empty());
            assert!(found.iter().all(|one| one.held == 0 && one.claims.iter().all(|at| *at < asked.claims.len())));
        }
    }
}
