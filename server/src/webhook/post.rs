//! One delivery: a signed request (RFC 9421) with a digest of its content (RFC 9530), and an answer that is looked at
//! only so far as it says yes or no.

use super::rows::Hook;
use super::{event_name, study_of, subject_of};
use crate::biobank::Biobank;
use crate::clock::now;
use crate::code::make_nonce;
use crate::stream::Told;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identity::{RequestHeaders, sign_request};
use ledger::Entry;
use reqwest::redirect;
use serde_json::json;
use std::fmt;
use std::sync::Weak;
use std::time::Duration;
use url::Url;

/// How long a receiver may take, with the connection and its answer.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);

/// Why a delivery did not count. It is shown to staff: it names no address and repeats nothing of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The address is none that a hook may have.
    Address,
    /// No connection.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// An answer that is no yes; also one that leads elsewhere.
    Status(u16),
    /// Something failed on this side.
    Internal,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("address not allowed"),
            Self::Unreachable => f.write_str("unreachable"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Internal => f.write_str("internal"),
        }
    }
}

/// A request that is ready to go.
struct Draft {
    url: Url,
    http: reqwest::Client,
    headers: RequestHeaders,
    body: String,
}

/// Tells a data holder of an entry.
pub(super) async fn post(biobank: &Weak<Biobank>, id: &str, hook: &Hook, told: &Told) -> Result<(), Refused> {
    let open = biobank.upgrade().ok_or(Refused::Internal)?;
    let (id, hook, told) = (id.to_owned(), hook.clone(), told.clone());
    // The desk is read, and nothing of the service is held while the receiver thinks.
    let draft = tokio::task::spawn_blocking(move || draft(&open, &id, &hook, &told)).await;
    let Draft { url, http, headers, body } = draft.map_err(|_| Refused::Internal)??;
    let request = http
        .post(url)
        .header("content-type", "application/json")
        .header("content-digest", headers.content_digest)
        .header("signature-input", headers.signature_input)
        .header("signature", headers.signature)
        .body(body);
    match request.send().await {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(Refused::Status(answer.status().as_u16())),
        Err(error) if error.is_timeout() => Err(Refused::TimedOut),
        Err(_) => Err(Refused::Unreachable),
    }
}

fn draft(biobank: &Biobank, id: &str, hook: &Hook, told: &Told) -> Result<Draft, Refused> {
    let reach = biobank.webhooks.reach;
    let url = reach.check(&hook.url).ok_or(Refused::Address)?;
    let entry = Entry::parse(&told.bytes).map_err(|_| Refused::Internal)?;
    let study = study_of(biobank, &entry);
    let mut said = json!({
        "id": format!("{id}-{}", told.index),
        "event": event_name(entry.said().typ()),
        "origin": biobank.institution.origin,
        "index": told.index,
        "hash": told.hash,
        "entry": STANDARD.encode(&told.bytes),
    });
    if let (Some(study), Some(subject)) = (&study, subject_of(&entry)) {
        // The holder of the data knows donors by these pseudonyms, and by nothing else.
        let pseudonym = biobank.snapshots.pseudonym(biobank, study, &subject);
        said["pseudonym"] = json!(pseudonym.map_err(|_| Refused::Internal)?);
    }
    if let Some(study) = study {
        said["study"] = json!(study);
    }
    let body = said.to_string();
    let host = url.host_str().ok_or(Refused::Address)?;
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let (path, query) = (url.path(), url.query().unwrap_or(""));
    let nonce = make_nonce().map_err(|_| Refused::Internal)?;
    let headers = sign_request(&biobank.key, "POST", &authority, path, query, body.as_bytes(), now(), &nonce);
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        .dns_resolver(reach)
        .build()
        .map_err(|_| Refused::Internal)?;
    Ok(Draft { url, http, headers, body })
}
