//! The way into every route: how often, how much, who, and whether they may; and what is told of it afterwards.

use super::{Accepts, Address, Names, Over, Route, Signed, Who, blocking};
use crate::Problem;
use crate::biobank::Biobank;
use crate::bodies::Share;
use crate::caller::{Known, Presented, identify};
use crate::guard::{Principal, Resource};
use crate::limits::{Rate, too_deep};
use crate::problem::{Cause, Refused};
use axum::RequestPartsExt;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The header that names a request to its caller and to the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How the service stands in its network.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings {
    /// Whether a proxy stands in front, whose word on addresses counts.
    pub proxy: bool,
    /// Whether callers come over TLS.
    pub tls: bool,
    /// How long a request may take until its answer begins, the reading of its body included.
    pub patience: Duration,
}

/// What the log may hear of a request.
#[derive(Clone)]
struct Seen {
    route: &'static Route,
    caller: String,
    policies: Arc<str>,
}

/// Checks a request against its row of the table, and lets it pass or refuses it.
pub async fn gate(
    State((biobank, row)): State<(Arc<Biobank>, &'static Route)>,
    request: Request,
    next: Next,
) -> Response {
    let mut seen = Seen { route: row, caller: String::new(), policies: "".into() };
    // A router without surroundings waits for nobody: only a mistake in the program makes one.
    let patience = request.extensions().get::<Surroundings>().map_or(Duration::ZERO, |around| around.patience);
    let passed = tokio::time::timeout(patience, pass(&biobank, row, request, next, &mut seen)).await;
    let mut response = match passed {
        Ok(Ok(response)) => response,
        Ok(Err(problem)) => problem.into_response(),
        Err(_) => Problem::timed_out().into_response(),
    };
    response.extensions_mut().insert(seen);
    response
}

async fn pass(
    biobank: &Arc<Biobank>,
    row: &'static Route,
    request: Request,
    next: Next,
    seen: &mut Seen,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let (address, local) = origin(&parts);
    let signed = matches!(row.who, Who::Signer | Who::Known);
    // What a signature costs to check is counted before it is checked. Who is on the books is counted as themselves
    // afterwards; anybody else can make as many names as they like, so there the address counts in full.
    biobank.limits.address(address, if row.who == Who::Known { Rate::Read } else { row.rate })?;
    // Counted until the answer begins: from then on nobody needs the body.
    let mut share = biobank.bodies.share(address);
    let body = if knows_no_logs(biobank, row) { Bytes::new() } else { read(row, body, &mut share).await? };
    parts.extensions.insert(Address(address));
    // Read for every path that names something: what is no text is refused here, in this service's words.
    let names = if row.path.contains('{') { names(&mut parts).await? } else { Names(Vec::new()) };
    let body = if signed {
        let presented = Presented::read(&parts)?;
        let (books, said) = (biobank.clone(), body.clone());
        // Looking the caller up waits for the disk.
        let (known, what) = blocking(move || {
            let known = identify(&books, &presented, &said, row.action, row.who == Who::Signer)?;
            let what = about(&books, row, &names)?;
            Ok((known, what))
        })
        .await?;
        let Known { did, principal, delegated_by } = known;
        seen.caller = biobank.guard.fingerprint(&did);
        // A capability hands on rights and not calls: however many keys show one, its maker has one allowance.
        let counted = delegated_by.as_ref().map(|maker| biobank.guard.fingerprint(maker));
        biobank.limits.caller(counted.as_deref().unwrap_or(&seen.caller), row.rate)?;
        decide(biobank, row, &principal, &what, delegated_by.is_some(), seen)?;
        parts.extensions.insert(Signed { caller: did, body });
        Body::empty()
    } else {
        let who = if row.who == Who::Machine && local { Principal::Machine } else { Principal::Anybody };
        let what = match row.over {
            Over::Biobank => Resource::biobank(),
            Over::Named(_) => {
                let books = biobank.clone();
                blocking(move || about(&books, row, &names)).await?
            }
        };
        decide(biobank, row, &who, &what, false, seen)?;
        Body::from(body)
    };
    Ok(next.run(Request::from_parts(parts, body)).await)
}

fn decide(
    biobank: &Biobank,
    row: &'static Route,
    who: &Principal,
    what: &Resource,
    delegated: bool,
    seen: &mut Seen,
) -> Result<(), Problem> {
    let verdict = biobank.guard.decide(who, row.action, what, delegated);
    seen.policies = verdict.policies.clone();
    verdict.or_refuse()
}

fn about(biobank: &Biobank, row: &Route, names: &Names) -> Result<Resource, Problem> {
    match row.over {
        Over::Biobank => Ok(Resource::biobank()),
        Over::Named(find) => find(biobank, names),
    }
}

async fn names(parts: &mut Parts) -> Result<Names, Problem> {
    let params: RawPathParams = parts.extract().await.map_err(|_| Problem::not_found())?;
    Ok(Names(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
}

/// Whether the answer is that no log of others is known here, whatever the body says: then none of it is read.
fn knows_no_logs(biobank: &Biobank, row: &Route) -> bool {
    row.action == "signOthers" && biobank.federation.is_none()
}

/// Reads a body up to what the row accepts.
async fn read(row: &Route, body: Body, share: &mut Share<'_>) -> Result<Bytes, Problem> {
    match row.accepts {
        Accepts::Nothing => Ok(Bytes::new()),
        Accepts::Bytes(limit) => share.read(body, limit).await,
        Accepts::Json(limit) => {
            let body = share.read(body, limit).await?;
            if too_deep(&body) { Err(Problem::too_deep()) } else { Ok(body) }
        }
    }
}

/// The address of the caller, and whether it is a program on this machine.
fn origin(parts: &Parts) -> (IpAddr, bool) {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let trusted = parts.extensions.get::<Surroundings>().is_some_and(|around| around.proxy);
    // A proxy adds the address that it saw at the end: what stands before is the caller's own word.
    let mut said = parts.headers.get_all("x-forwarded-for").iter();
    let last = said.next_back().and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    let forwarded = parts.headers.contains_key("x-forwarded-for") || parts.headers.contains_key("forwarded");
    let address = if trusted { last.unwrap_or(peer) } else { peer };
    (address, peer.to_canonical().is_loopback() && !forwarded)
}

/// Gives each request an id, each answer its headers, and the operator one line and two figures of it.
pub async fn observe(State(biobank): State<Arc<Biobank>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = crate::code::make_nonce().unwrap_or_default();
    let method = request.method().clone();
    let tls = request.extensions().get::<Surroundings>().is_some_and(|around| around.tls);
    let mut response = next.run(request).await;
    let took = begun.elapsed();
    let seen = response.extensions_mut().remove::<Seen>();
    let refused = response.extensions_mut().remove::<Refused>().map_or("", |Refused(code)| code);
    let cause = response.extensions_mut().remove::<Cause>();
    protect(&mut response, seen.as_ref(), tls);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let status = response.status().as_u16();
    // The path is not told: it can hold an identifier. Nor is a method that nobody knows.
    let (route, action) = seen.as_ref().map_or(("", ""), |seen| (seen.route.path, seen.route.action));
    let method = known_method(&method);
    biobank.metrics.answered(method, route, status, took);
    let (caller, policies) = seen.as_ref().map_or(("", ""), |seen| (seen.caller.as_str(), &seen.policies));
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if let Some(Cause(cause)) = cause {
        tracing::error!(request = id, method, route, status, %cause, "failed");
    } else if status >= 400 {
        tracing::info!(request = id, method, route, action, status, micros, caller, policies, refused, "refused");
    } else if caller.is_empty() && method == "GET" {
        // Public reads are many, and say nothing that a figure does not.
        tracing::debug!(request = id, method, route, action, status, micros, policies, "answered");
    } else {
        tracing::info!(request = id, method, route, action, status, micros, caller, policies, "answered");
    }
    response
}

/// Says to browsers what not to do with an answer. There is no word on other origins: none may read it.
fn protect(response: &mut Response, seen: Option<&Seen>, tls: bool) {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox"),
    );
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    let public = seen.is_some_and(|seen| seen.route.who == Who::Anybody && seen.route.method == "GET");
    if !public || !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
