//! What the service answers to: one table, from which the router, the checks in front of it and the API's description
//! are made.
//!
//! A new route is one row here, one handler, and in `policies/` its action with whoever may do it.

mod access;
mod accounts;
mod decision;
mod desk;
mod enrolment;
mod entries;
mod federation;
mod gate;
mod jwks;
mod mailbox;
mod openapi;
mod openid;
mod operation;
mod record;
mod snapshots;
mod stream;
mod studies;
mod trusted;
mod uses;
mod webhooks;

pub use gate::Surroundings;
pub use jwks::PATH as KEYS_PATH;

use crate::Problem;
use crate::access as log_says;
use crate::biobank::Biobank;
use crate::caller::{account_of, organisation_of};
use crate::guard::Resource;
use crate::limits::Rate;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};
use futures_util::StreamExt as _;
use identity::Did;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::sync::Arc;
use tower_http::compression::CompressionLayer;
use tower_http::decompression::RequestDecompressionLayer;

/// Who can call a route at all, before the policies decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anybody, unsigned.
    Anybody,
    /// Programs on the service's own machine, unsigned.
    Machine,
    /// Whoever signs, known to the biobank or not.
    Signer,
    /// Whoever signs and is on the books, or shows a capability.
    Known,
}

/// What a route reads, and how many bytes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    /// Nothing: a body is not looked at.
    Nothing,
    /// JSON.
    Json(usize),
    /// Bytes in a form of their own.
    Bytes(usize),
}

/// What a call is about, as the policies see it.
#[derive(Clone, Copy)]
enum Over {
    /// The biobank as a whole.
    Biobank,
    /// Something that the path names. It may wait for the disk.
    Named(fn(&Biobank, &Names) -> Result<Resource, Problem>),
}

/// The parameters of a path.
struct Names(Vec<(String, String)>);

impl Names {
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// One row of the table.
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// What it does, as the policies name it.
    pub action: &'static str,
    /// Who can call it.
    pub who: Who,
    /// What it reads.
    pub accepts: Accepts,
    /// What a call costs.
    pub rate: Rate,
    over: Over,
    handler: fn() -> MethodRouter<Arc<Biobank>>,
}

/// A signed request that says little or nothing.
const BRIEF: Accepts = Accepts::Json(4 << 10);
/// A request of a few members.
const SHORT: Accepts = Accepts::Json(16 << 10);
/// A form of a few members (OpenID4VCI).
const FORM: Accepts = Accepts::Bytes(4 << 10);
/// A presentation with its credentials.
const LONG: Accepts = Accepts::Json(1 << 20);
/// An access request: an entry and its purpose.
const REQUEST: Accepts = Accepts::Json(32 << 10);
/// A credential.
const CREDENTIAL: Accepts = Accepts::Json(128 << 10);
/// Subjects, or what was decided about them.
const LIST: Accepts = Accepts::Json(2 << 20);
/// One entry or many.
const ENTRIES: Accepts = Accepts::Bytes(entries::MAX_ENTRIES_BYTES);
/// A checkpoint of another log, with its proof.
const CHECKPOINT: Accepts = Accepts::Bytes(ledger::MAX_ADD_CHECKPOINT_BYTES);
/// Entries of another log, after they are unpacked: as much as one request may bring.
const UPLOAD: Accepts = Accepts::Bytes(ledger::MAX_UPLOAD_BYTES);
/// A sealed letter of 256 KiB, and room around it.
const LETTER: Accepts = Accepts::Json((256 << 10) + (1 << 10));

macro_rules! routes {
    ($($method:ident $path:literal $action:literal $who:ident $accepts:expr, $rate:ident, $over:expr, $handler:path;)*) => {
        /// Every route of the service.
        pub static ROUTES: &[Route] = &[$(Route {
            method: stringify!($method),
            path: $path,
            action: $action,
            who: Who::$who,
            accepts: $accepts,
            rate: Rate::$rate,
            over: $over,
            handler: || on(MethodFilter::$method, $handler),
        }),*];
    };
}

// Method, path, action, who, body, cost, what it is about, handler.
routes! {
    GET    "/healthz"                          "readHealth"       Anybody Accepts::Nothing, Read,   Over::Biobank, operation::health;
    GET    "/readyz"                           "readHealth"       Anybody Accepts::Nothing, Read,   Over::Biobank, operation::ready;
    GET    "/metrics"                          "readMetrics"      Machine Accepts::Nothing, Read,   Over::Biobank, operation::metrics;
    GET    "/checkpoint"                       "readLog"          Anybody Accepts::Nothing, Read,   Over::Biobank, record::checkpoint;
    GET    "/tile/{*path}"                     "readLog"          Anybody Accepts::Nothing, Read,   Over::Biobank, record::tile;
    GET    "/v1/openapi.json"                  "readLog"          Anybody Accepts::Nothing, Read,   Over::Biobank, openapi::document;
    GET    "/v1/log"                           "readLog"          Anybody Accepts::Nothing, Read,   Over::Biobank, record::log;
    GET    "/v1/jwks.json"                     "readLog"          Anybody Accepts::Nothing, Read,   Over::Biobank, jwks::keys;
    GET    "/v1/trusted-issuers"               "readLog"          Anybody Accepts::Nothing, Read,   Over::Biobank, trusted::list;
    POST   "/v1/entries"                       "appendEntry"      Anybody ENTRIES,          Later,  Over::Biobank, entries::append;
    GET    "/v1/entries/{hash}/proof"          "readProof"        Anybody Accepts::Nothing, Read,   Over::Biobank, record::proof;
    GET    "/v1/consistency"                   "readProof"        Anybody Accepts::Nothing, Read,   Over::Biobank, record::consistency;
    GET    "/v1/studies"                       "listStudies"      Anybody Accepts::Nothing, Read,   Over::Biobank, studies::list;
    GET    "/v1/studies/{study}/participants"  "listParticipants" Known   BRIEF,            Costly, Over::Named(study), studies::participants;
    POST   "/v1/invitations"                   "invite"           Known   BRIEF,            Write,  Over::Biobank, desk::invite;
    GET    "/v1/donors"                        "listDonors"       Known   BRIEF,            Read,   Over::Biobank, desk::donors;
    POST   "/v1/pair"                          "pair"             Signer  SHORT,            Costly, Over::Biobank, accounts::pair;
    GET    "/v1/account"                       "readAccount"      Known   BRIEF,            Read,   Over::Biobank, accounts::own;
    POST   "/v1/pairing-codes"                 "makePairingCode"  Known   SHORT,            Write,  Over::Biobank, accounts::make_code;
    DELETE "/v1/accounts/{did}"                "removeAccount"    Known   BRIEF,            Write,  Over::Biobank, accounts::remove;
    POST   "/v1/capabilities"                  "issueCapability"  Known   SHORT,            Write,  Over::Biobank, accounts::issue_capability;
    POST   "/v1/enrolment/challenge"           "startEnrolment"   Anybody SHORT,            Costly, Over::Biobank, enrolment::challenge;
    POST   "/v1/enrolment"                     "enrol"            Anybody LONG,             Costly, Over::Biobank, enrolment::enrol;
    GET    "/.well-known/openid-credential-issuer" "readLog"      Anybody Accepts::Nothing, Read,   Over::Biobank, openid::issuer_document;
    GET    "/.well-known/oauth-authorization-server" "readLog"    Anybody Accepts::Nothing, Read,   Over::Biobank, openid::server_document;
    POST   "/v1/openid/token"                  "startEnrolment"   Anybody FORM,             Costly, Over::Biobank, openid::token;
    POST   "/v1/openid/nonce"                  "startEnrolment"   Anybody Accepts::Nothing, Read,   Over::Biobank, openid::nonce;
    POST   "/v1/openid/credential"             "enrol"            Anybody SHORT,            Costly, Over::Biobank, openid::credential;
    POST   "/v1/study-keys"                    "registerStudyKey" Known   SHORT,            Write,  Over::Biobank, enrolment::register_study_key;
    POST   "/v1/credentials"                   "handCredential"   Known   CREDENTIAL,       Costly, Over::Biobank, decision::hand_over;
    GET    "/v1/credentials/{subject}"         "readCredential"   Known   BRIEF,            Read,   Over::Biobank, decision::credential;
    GET    "/v1/decision"                      "decide"           Known   BRIEF,            Read,   Over::Biobank, decision::one;
    POST   "/v1/decisions"                     "decide"           Known   LIST,             Write,  Over::Biobank, decision::many;
    POST   "/v1/access-requests"               "requestAccess"    Known   REQUEST,          Write,  Over::Biobank, access::ask;
    GET    "/v1/access-requests"               "listRequests"     Known   BRIEF,            Read,   Over::Biobank, access::requests;
    POST   "/v1/access-requests/{hash}/decision" "decideRequest"  Known   SHORT,            Write,  Over::Biobank, access::decide;
    POST   "/v1/access-grants"                 "grantAccess"      Known   LIST,             Write,  Over::Biobank, access::grant;
    GET    "/v1/access-grants/{hash}/visa"     "takeVisa"         Known   BRIEF,            Read,   Over::Biobank, access::take_visa;
    POST   "/v1/uses"                          "tellUse"          Known   LIST,             Write,  Over::Biobank, uses::tell;
    GET    "/v1/uses/{subject}"                "readUses"         Known   BRIEF,            Read,   Over::Biobank, uses::of;
    GET    "/v1/mailbox"                       "readMailbox"      Known   BRIEF,            Read,   Over::Biobank, mailbox::read;
    POST   "/v1/mailbox/{name}"                "postLetter"       Known   LETTER,           Write,  Over::Named(mailbox), mailbox::post;
    DELETE "/v1/mailbox/{name}"                "takeLetter"       Known   BRIEF,            Write,  Over::Biobank, mailbox::take;
    GET    "/v1/stream"                        "readStream"       Anybody Accepts::Nothing, Costly, Over::Biobank, stream::public;
    GET    "/v1/stream/own"                    "readOwnStream"    Known   BRIEF,            Costly, Over::Biobank, stream::own;
    POST   "/witness/add-checkpoint"           "signOthers"       Anybody CHECKPOINT,       Read,   Over::Biobank, federation::witness;
    GET    "/witness/{origin}/checkpoint"      "readLog"          Anybody Accepts::Nothing, Read,   Over::Biobank, federation::witnessed;
    POST   "/mirror/add-checkpoint"            "signOthers"       Anybody CHECKPOINT,       Read,   Over::Biobank, federation::mirror_checkpoint;
    POST   "/mirror/add-entries"               "signOthers"       Anybody UPLOAD,           Costly, Over::Biobank, federation::mirror_entries;
    GET    "/mirror/{origin}/checkpoint"       "readLog"          Anybody Accepts::Nothing, Read,   Over::Biobank, federation::mirrored;
    GET    "/mirror/{origin}/tile/{*path}"     "readLog"          Anybody Accepts::Nothing, Read,   Over::Biobank, federation::mirrored_tile;
    GET    "/v1/evidence"                      "readLog"          Anybody Accepts::Nothing, Read,   Over::Biobank, federation::evidence;
    GET    "/v1/evidence/{id}"                 "readLog"          Anybody Accepts::Nothing, Read,   Over::Biobank, federation::evidence_file;
    GET    "/v1/snapshots/{study}/{epoch}"     "readSnapshot"     Known   BRIEF,            Costly, Over::Named(any_study), snapshots::set;
    GET    "/v1/snapshots/{study}/{epoch}/proofs" "readSnapshotProofs" Known BRIEF,         Costly, Over::Named(any_study), snapshots::proofs;
    GET    "/v1/snapshots/{study}/{epoch}/{pseudonym}" "readSnapshot" Known BRIEF,          Read,   Over::Named(any_study), snapshots::member;
    POST   "/v1/webhooks"                      "registerWebhook"  Known   SHORT,            Write,  Over::Biobank, webhooks::register;
    GET    "/v1/webhooks"                      "listWebhooks"     Known   BRIEF,            Read,   Over::Biobank, webhooks::list;
    POST   "/v1/webhooks/{id}/retry"           "retryWebhook"     Known   BRIEF,            Write,  Over::Biobank, webhooks::retry;
    DELETE "/v1/webhooks/{id}"                 "removeWebhook"    Known   BRIEF,            Write,  Over::Biobank, webhooks::remove;
}

/// A study of the list, by the organisation that runs it.
fn study(biobank: &Biobank, names: &Names) -> Result<Resource, Problem> {
    let id = names.get("study").parse().map_err(|_| Problem::not_found())?;
    let organisation = organisation_of(biobank, &id).ok_or_else(Problem::not_found)?;
    Ok(Resource::of("Study").with("organisation", organisation.as_str()))
}

/// A study by the organisation that runs it, also one that is off the list: what was made of it before stays.
fn any_study(biobank: &Biobank, names: &Names) -> Result<Resource, Problem> {
    let id = names.get("study").parse().map_err(|_| Problem::not_found())?;
    let organisation = match organisation_of(biobank, &id) {
        Some(organisation) => organisation,
        None => log_says::study(biobank, &id)?.ok_or_else(Problem::not_found)?.organisation,
    };
    Ok(Resource::of("Study").with("organisation", organisation.as_str()))
}

/// A mailbox, by what its owner is.
fn mailbox(biobank: &Biobank, names: &Names) -> Result<Resource, Problem> {
    let owner: Did = names.get("name").parse().map_err(|_| Problem::malformed())?;
    let mailbox = Resource::of("Mailbox");
    if let Some(account) = account_of(biobank, &owner)? {
        return Ok(mailbox.with("of", account.role.name()).with("organisation", account.organisation.as_str()));
    }
    let Some(key) = biobank.desk.study_key(&owner).map_err(Problem::internal)? else {
        return Ok(mailbox.with("of", "nobody"));
    };
    let mailbox = mailbox.with("of", "participant");
    Ok(match organisation_of(biobank, &key.study) {
        Some(organisation) => mailbox.with("organisation", organisation.as_str()),
        None => mailbox,
    })
}

/// All routes of a biobank, each behind its gate.
pub fn router(biobank: Arc<Biobank>, around: Surroundings) -> Router {
    let mut router = Router::new();
    for row in ROUTES {
        let checked = (row.handler)().route_layer(from_fn_with_state((biobank.clone(), row), gate::gate));
        // What anybody may read holds no secret whose length a compressed answer could give away.
        let public = row.who == Who::Anybody && row.method == "GET";
        router = router.route(
            row.path,
            match row.action {
                // Other logs may send their entries packed (C2SP tlog-mirror). It is unpacked bit by bit as the gate reads,
                // so the bound of the row is one on what comes out, and a few bytes that would unpack to gigabytes stop there.
                "signOthers" => checked.layer(RequestDecompressionLayer::new().pass_through_unaccepted(true)),
                _ if public => checked.layer(CompressionLayer::new()),
                _ => checked,
            },
        );
    }
    router
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn_with_state(biobank.clone(), gate::observe))
        .layer(Extension(around))
        .with_state(biobank)
}

/// A request that the gate let pass with its signature checked: who called, and what was said.
#[derive(Clone)]
struct Signed {
    caller: Did,
    body: Bytes,
}

impl Signed {
    fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|_| Problem::malformed())
    }
}

impl FromRequest<Arc<Biobank>> for Signed {
    type Rejection = Problem;

    async fn from_request(mut request: Request, _: &Arc<Biobank>) -> Result<Self, Problem> {
        request.extensions_mut().remove().ok_or_else(|| Problem::internal("the table does not ask for a signature"))
    }
}

/// Where a request came from.
#[derive(Debug, Clone, Copy)]
struct Address(IpAddr);

impl FromRequestParts<Arc<Biobank>> for Address {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Biobank>) -> Result<Self, Problem> {
        parts.extensions.get().copied().ok_or_else(|| Problem::internal("a request that passed no gate"))
    }
}

/// A body of JSON that anybody may send.
struct Open<T>(T);

impl<T: DeserializeOwned> FromRequest<Arc<Biobank>> for Open<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<Biobank>) -> Result<Self, Problem> {
        // The gate has read it, and bounded it.
        let body = read_up_to(request.into_body(), usize::MAX).await?;
        serde_json::from_slice(&body).map(Self).map_err(|_| Problem::malformed())
    }
}

async fn read_up_to(body: Body, limit: usize) -> Result<Bytes, Problem> {
    let (mut parts, mut whole) = (body.into_data_stream(), Vec::new());
    while let Some(part) = parts.next().await {
        // It broke off, or is packed in another way than it says.
        let part = part.map_err(|_| Problem::malformed())?;
        if part.len() > limit - whole.len() {
            return Err(Problem::too_large());
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole.into())
}

/// Runs work that waits for the disk on a thread that may wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}

const NO_CONTENT: StatusCode = StatusCode::NO_CONTENT;
