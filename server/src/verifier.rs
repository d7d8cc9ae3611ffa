//! One question of a researcher to one donor, by OpenID4VP 1.0: the place where a wallet fetches the request, and where
//! it posts the answer. It ends with the answer that its researcher takes, or by the clock.

use crate::clock::now;
use crate::tls::TlsFiles;
use crate::vc_api::{Places, RunningVcApi};
use crate::{Problem, StartError};
use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, middleware};
use consent::Timestamp;
use identity::SigningKey;
use identity::openid::{Answer, AnswerKey, Draft, Link, Transaction, read_answer};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// How often a request may be fetched: people try twice, and a preview of a link counts too.
const MAX_FETCHES: usize = 32;
/// How many answers wait to be looked at. Only who has the link can post one.
const MAX_ANSWERS: usize = 4;
/// The longest answer, and the longest form that fetches a request, in bytes.
const MAX_ANSWER: usize = 2 << 20;
const MAX_FORM: usize = 4 << 10;
/// How long a caller may take, its body included.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is asked, and by whom.
pub struct Question {
    /// The researcher's key: its DID is the client.
    pub key: SigningKey,
    /// The name that the researcher gives themselves.
    pub name: String,
    /// The query (DCQL).
    pub query: Value,
    /// What the donor is to agree to.
    pub transaction: Option<Transaction>,
    /// The biobank's word for who the researcher is.
    pub attestation: Option<String>,
    /// Whether the answer has to be encrypted.
    pub encrypted: bool,
    /// When it ends.
    pub expires: Timestamp,
}

/// Where to ask.
#[derive(Debug, Clone)]
pub struct Place {
    /// An address of this machine without TLS; port 0 takes a free one.
    pub listen: SocketAddr,
    /// An address with TLS.
    pub tls_listen: Option<SocketAddr>,
    /// Certificate and key; without them one is made that nobody vouches for.
    pub tls: Option<TlsFiles>,
    /// The address under which wallets reach it, where that is another one.
    pub public: Option<String>,
}

/// A question that can be answered until this is dropped.
pub struct RunningQuestion {
    /// The link for the donor.
    pub link: String,
    /// Whom the presentation has to be addressed to.
    pub client_id: String,
    /// What it has to be bound to.
    pub nonce: String,
    answers: mpsc::Receiver<Answer>,
    _service: RunningVcApi,
}

impl RunningQuestion {
    /// The next answer; none after the question ended.
    pub async fn answer(&mut self) -> Option<Answer> {
        self.answers.recv().await
    }
}

struct Desk {
    question: Question,
    /// Where it is reached.
    address: String,
    /// The name of the request in its addresses: who does not know it can not fetch it.
    id: String,
    nonce: String,
    state: String,
    key: Option<AnswerKey>,
    fetches: AtomicUsize,
    answers: mpsc::Sender<Answer>,
}

/// Asks. The link is for one donor: whoever has it can answer.
pub fn ask(question: Question, place: &Place) -> Result<RunningQuestion, StartError> {
    let (sender, answers) = mpsc::channel(MAX_ANSWERS);
    let places = Places::take(place.listen, place.tls_listen)?;
    let desk = Arc::new(Desk {
        address: place.public.clone().unwrap_or_else(|| places.address()).trim_end_matches('/').to_owned(),
        id: secret()?,
        nonce: secret()?,
        state: secret()?,
        key: question.encrypted.then(AnswerKey::make),
        fetches: AtomicUsize::new(0),
        answers: sender,
        question,
    });
    let service = places.serve(router(desk.clone()), place.tls.as_ref())?;
    let client_id = Draft::client_id(&desk.question.key);
    let link = Link::to(&client_id, &format!("{}/request/{}", desk.address, desk.id));
    Ok(RunningQuestion { link, client_id, nonce: desk.nonce.clone(), answers, _service: service })
}

fn secret() -> Result<String, StartError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/request/{id}", get(fetch).post(fetch_with_nonce))
        .route("/response/{id}", post(answer))
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(middleware::from_fn(async |request: Request, next: middleware::Next| {
            let answer = tokio::time::timeout(PATIENCE, next.run(request)).await;
            answer.unwrap_or_else(|_| Problem::timed_out().into_response())
        }))
        .with_state(desk)
}

impl Desk {
    /// Whether this is the question that is meant, and it is still open.
    fn open(&self, id: &str) -> Result<(), Problem> {
        let open = now() <= self.question.expires && !self.answers.is_closed();
        if open && id == self.id { Ok(()) } else { Err(Problem::not_found()) }
    }

    fn request(&self, id: &str, wallet_nonce: Option<&str>) -> Result<Response, Problem> {
        self.open(id)?;
        if self.fetches.fetch_add(1, Ordering::Relaxed) >= MAX_FETCHES {
            return Err(Problem::not_found());
        }
        let question = &self.question;
        let draft = Draft {
            response_uri: &format!("{}/response/{}", self.address, self.id),
            nonce: &self.nonce,
            state: &self.state,
            query: &question.query,
            name: &question.name,
            attestation: question.attestation.as_deref(),
            transaction: question.transaction.as_ref(),
            key: self.key.as_ref(),
            expires: question.expires,
        };
        let signed = draft.sign(&question.key, wallet_nonce, now());
        let kind = (header::CONTENT_TYPE, "application/oauth-authz-req+jwt");
        Ok(([kind, (header::CACHE_CONTROL, "no-store")], signed).into_response())
    }
}

async fn fetch(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Result<Response, Problem> {
    desk.request(&id, None)
}

async fn fetch_with_nonce(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let form = body(request, MAX_FORM).await?;
    let nonce = url::form_urlencoded::parse(&form).find(|(name, _)| name == "wallet_nonce");
    let nonce = nonce.map(|(_, nonce)| nonce.into_owned()).filter(|nonce| nonce.len() <= 512);
    desk.request(&id, nonce.as_deref())
}

async fn answer(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    desk.open(&id)?;
    let form = body(request, MAX_ANSWER).await?;
    let answer = read_answer(&form, desk.key.as_ref()).map_err(|refused| {
        tracing::info!(%refused, "an answer was refused");
        Problem::malformed()
    })?;
    if answer.state.as_ref() != Some(&desk.state) {
        return Err(Problem::malformed());
    }
    // Its researcher looks at one after the other; nobody waits here for that.
    desk.answers.try_send(answer).map_err(|_| Problem::not_found())?;
    Ok(Json(json!({})))
}

/// A form, whole.
async fn body(request: Request, most: usize) -> Result<Bytes, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim() != "application/x-www-form-urlencoded" {
        return Err(Problem::malformed());
    }
    to_bytes(request.into_body(), most).await.map_err(|_| Problem::too_large())
}
