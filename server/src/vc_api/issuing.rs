//! `POST /{instance}/credentials/issue`.

use super::answer::{Refusal, typed};
use super::keyring::{INSTANCES, Instance, suite_of};
use super::routes::{at_work, body};
use super::verifying::{only, text, texts};
use super::{Desk, conformance};
use crate::Problem;
use crate::clock::now;
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::Response;
use identity::status::{BitstringEntry, Purpose};
use identity::vc::{IssueError, IssueOptions, is_url, issue};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

const OPTIONS: [&str; 9] = [
    "created",
    "expires",
    "domain",
    "challenge",
    "proofId",
    "previousProof",
    "mandatoryPointers",
    "statusMessage",
    "statusReference",
];

#[derive(Deserialize)]
pub(super) struct Form {
    /// Anything but nothing or 0: the credential as it is, without `verifiableCredential` around it.
    #[serde(default)]
    bare: String,
    /// Which status the credential gets: a purpose, or 1 for revocation.
    #[serde(default)]
    status: String,
}

pub(super) async fn post(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    Path(instance): Path<String>,
    Query(form): Query<Form>,
    request: Request,
) -> Result<Response, Refusal> {
    let instance = INSTANCES.iter().find(|one| one.name == instance).ok_or_else(Problem::not_found)?;
    if !desk.issue_for_all && !is_here(caller, request.headers()) {
        return Err(Problem::not_allowed().into());
    }
    let mut said = body(request).await?;
    let mut credential =
        said.remove("credential").ok_or_else(|| Refusal::Options("credential is missing".to_owned()))?;
    let options = said.remove("options").unwrap_or(Value::Null);
    let purpose = status_of(&form.status)?;
    // A list by another key would be another issuer's, and count for nobody.
    if purpose.is_some() && suite_of(instance.kind).is_none() {
        return Err(Refusal::Options(format!("{} gives no status: its key can sign no list", instance.name)));
    }
    // The test suite gets words of its own.
    let words = (!desk.conformance).then(|| words_of(&options, purpose.is_some())).transpose()?;
    let (messages, references) = words.unwrap_or_default();
    let mut options = options_of(instance, &options, desk.conformance)?;
    if purpose.is_some() && credential.get("credentialStatus").is_some() {
        return Err(Refusal::Options("the credential has a status already".to_owned()));
    }
    let signed = at_work(&desk, move |desk| {
        let key = desk.keys.of(instance.kind).ok_or(IssueError::Suite).map_err(refusal)?;
        if let Some((purpose, credential)) = purpose.zip(credential.as_object_mut()) {
            let entry =
                desk.lists.take(instance.kind, purpose).map_err(|error| Refusal::from(Problem::internal(error)))?;
            let mut entry = BitstringEntry { messages, references, ..entry }.to_json();
            if desk.conformance {
                conformance::count_bits(&mut entry);
            }
            credential.insert("credentialStatus".to_owned(), entry);
            if let Some(pointers) = &mut options.mandatory {
                always_disclose_state(pointers, credential);
            }
        }
        issue(&credential, &options, key).map_err(refusal)
    })
    .await??;
    let bare = !matches!(form.bare.as_str(), "" | "0");
    let answer = if bare { signed } else { json!({ "verifiableCredential": signed }) };
    Ok(typed(StatusCode::CREATED, "application/json", &answer))
}

fn refusal(error: IssueError) -> Refusal {
    match error {
        IssueError::Signature => Problem::internal("a signature could not be made").into(),
        IssueError::Options(_) => Refusal::Options(error.to_string()),
        _ => Refusal::Document(error.to_string()),
    }
}

/// A holder who could leave out the status, or the times, would show a revoked credential as a good one.
fn always_disclose_state(pointers: &mut Vec<String>, credential: &Map<String, Value>) {
    let members = ["credentialStatus", "validFrom", "validUntil", "issuanceDate", "expirationDate"];
    for member in members.iter().filter(|member| credential.contains_key(**member)) {
        let pointer = format!("/{member}");
        if !pointers.contains(&pointer) {
            pointers.push(pointer);
        }
    }
}

fn status_of(said: &str) -> Result<Option<Purpose>, Refusal> {
    match said {
        "" | "0" => Ok(None),
        "1" | "revocation" => Ok(Some(Purpose::Revocation)),
        "suspension" => Ok(Some(Purpose::Suspension)),
        _ => Err(Refusal::Options("status is neither revocation nor suspension".to_owned())),
    }
}

/// What a status says beside its place: a message for either of its values, and where to read more.
fn words_of(options: &Value, has_status: bool) -> Result<(Vec<String>, Vec<String>), Refusal> {
    let none = Map::new();
    let said = options.as_object().unwrap_or(&none);
    let messages = texts(said, "statusMessage")?.unwrap_or_default();
    let references = one_or_more(said, "statusReference")?;
    let says_nothing = messages.is_empty() && references.is_empty();
    let wrong = if !has_status && !says_nothing {
        "there is no status to say this of"
    } else if !matches!(messages.len(), 0 | 2) {
        "statusMessage is not one text for unset and one for set"
    } else if !references.iter().all(|url| is_url(url)) {
        "statusReference is no URL and no list of URLs"
    } else {
        return Ok((messages, references));
    };
    Err(Refusal::Options(wrong.to_owned()))
}

/// Whether a program on this machine calls. One behind a proxy does not, though the proxy may be here. Nor does a web
/// page from elsewhere: whoever owns its name can let it lead to this machine, but the browser still says that name.
pub(super) fn is_here(caller: SocketAddr, headers: &HeaderMap) -> bool {
    let forwarded = ["forwarded", "x-forwarded-for", "via"].iter().any(|name| headers.contains_key(*name));
    let all = |name: HeaderName, good: fn(&str) -> bool| {
        headers.get_all(name).iter().all(|value| value.to_str().is_ok_and(good))
    };
    caller.ip().to_canonical().is_loopback()
        && !forwarded
        && headers.contains_key(header::HOST)
        && all(header::HOST, is_own_name)
        && all(header::ORIGIN, |origin| origin.split_once("://").is_some_and(|(_, name)| is_own_name(name)))
}

/// Whether a name, with a port or without, can only be this machine's.
fn is_own_name(name: &str) -> bool {
    let Ok(name) = name.parse::<Authority>() else { return false };
    let host = name.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn options_of(instance: &Instance, said: &Value, conformance: bool) -> Result<IssueOptions, Refusal> {
    let none = Map::new();
    let said = match said {
        Value::Null => &none,
        Value::Object(said) => said,
        _ => return Err(Refusal::Options("options is not an object".to_owned())),
    };
    if !conformance {
        only(said, &OPTIONS)?;
    }
    let moment = |name| {
        let text = text(said, name)?;
        text.map(|text| text.parse().map_err(|_| Refusal::Options(format!("{name} is not a date and time"))))
            .transpose()
    };
    let mut options = IssueOptions::new(instance.suite, moment("created")?.unwrap_or_else(now));
    options.expires = moment("expires")?;
    options.domain = text(said, "domain")?;
    options.challenge = text(said, "challenge")?;
    options.id = text(said, "proofId")?;
    options.own_name = !conformance;
    options.mandatory = texts(said, "mandatoryPointers")?;
    options.previous = one_or_more(said, "previousProof")?;
    Ok(options)
}

fn one_or_more(said: &Map<String, Value>, name: &str) -> Result<Vec<String>, Refusal> {
    match said.get(name) {
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        _ => Ok(texts(said, name)?.unwrap_or_default()),
    }
}
