//! `consentctl request`: a researcher asks one donor for proof of consent, by a link of OpenID4VP.

use crate::tls::Tls;
use crate::verify::{cache, read, read_purpose, show, tell};
use bridge::CheckView;
use consent::{Purpose, StudyId};
use identity::Did;
use identity::openid::{Answer, Transaction, consent_query};
use server::verifier::{Place, Question, RunningQuestion, ask};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use wallet::check::{Bound, Expected};
use wallet::exchange::visa::read_key;
use wallet::presentation::as_proof;
use wallet::research::Checker;

/// The name of the credential in the query and in the answer.
const CONSENT: &str = "consent";

#[derive(clap::Args)]
pub struct Arguments {
    /// The study whose consent is asked for.
    #[arg(long, value_name = "STUDY")]
    study: StudyId,
    /// The organisation that the consent must be given to.
    #[arg(long, value_name = "ID")]
    audience: String,
    /// The ledger that records consents, as in https://biobank.example.
    #[arg(long, value_name = "URL")]
    ledger: String,
    /// The biobank that the ledger must belong to [default: the one that the consent names].
    #[arg(long, value_name = "DID")]
    biobank: Option<Did>,
    /// The purpose, as JSON (see the crate `consent`): the donor is asked to agree to it, and it is what is decided on.
    #[arg(long, value_name = "FILE")]
    purpose: PathBuf,
    /// The key that asks: 64 hexadecimal digits (see `key make`). Its DID is what the donor sees.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The name to ask under.
    #[arg(long)]
    name: String,
    /// The biobank's signed word for who has this key, as `pair` prints it under "account". Without it the wallet says
    /// that nobody vouches for the name.
    #[arg(long, value_name = "FILE")]
    account: Option<PathBuf>,
    /// For how many minutes.
    #[arg(long, default_value = "30", value_parser = clap::value_parser!(u16).range(1..=1440))]
    minutes: u16,
    /// Take the answer as it is, and not encrypted.
    #[arg(long)]
    plain: bool,
    /// Address of this machine to listen on without TLS; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    #[command(flatten)]
    tls: Tls,
    /// The address under which wallets reach this program, where that is another one: https, or this machine.
    #[arg(long, value_name = "URL")]
    public: Option<String>,
    /// Where the verified copy of the ledger is kept between runs [default: the user's cache folder].
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Print what came of it as JSON.
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    show(answered(&arguments).await, arguments.json)
}

async fn answered(arguments: &Arguments) -> Result<CheckView, String> {
    let purpose = read_purpose(Some(&arguments.purpose))?;
    let key = read_key(&arguments.key).map_err(|error| format!("{}: {error}", arguments.key.display()))?;
    let attestation = match &arguments.account {
        Some(path) => Some(String::from_utf8(read(path)?).map_err(|error| error.to_string())?.trim().to_owned()),
        None => None,
    };
    let transaction = Transaction::new(CONSENT, &purpose);
    let hash = transaction.hash();
    let question = Question {
        key,
        name: arguments.name.clone(),
        query: consent_query(&arguments.study),
        transaction: Some(transaction),
        attestation,
        encrypted: !arguments.plain,
        expires: wallet::now().plus_seconds(i64::from(arguments.minutes) * 60),
    };
    let place = Place {
        listen: arguments.listen,
        tls_listen: arguments.tls.tls_listen,
        tls: arguments.tls.clone().files(),
        public: arguments.public.clone(),
    };
    let mut running = ask(question, &place).map_err(|error| error.to_string())?;
    println!("{}", running.link);
    let patience = Duration::from_secs(u64::from(arguments.minutes) * 60);
    tokio::time::timeout(patience, valid(arguments, &purpose, &hash, &mut running))
        .await
        .unwrap_or_else(|_| Err("nobody answered in time".to_owned()))
}

/// Looks at answers until one is a valid proof, whatever it says: who can only disturb does not end the question.
async fn valid(
    arguments: &Arguments,
    purpose: &Purpose,
    hash: &str,
    running: &mut RunningQuestion,
) -> Result<CheckView, String> {
    let folder = cache(arguments.cache.as_deref())?;
    let expected = Expected {
        audience: Some(arguments.audience.clone()),
        challenge: None,
        study: Some(arguments.study.clone()),
        request: Some(Bound {
            client_id: running.client_id.clone(),
            nonce: running.nonce.clone(),
            transaction: Some(hash.to_owned()),
        }),
    };
    while let Some(answer) = running.answer().await {
        let Some(proof) = proof(&answer) else { continue };
        let (ledger, biobank) = (&arguments.ledger, arguments.biobank.as_ref());
        // The record as it is when the answer came.
        let checker = Checker::at(ledger, biobank, &folder).await.map_err(|failure| failure.to_string())?;
        let view = checker.check(&proof, purpose, &expected, wallet::now()).await;
        if view.outcome.is_some() {
            return Ok(view);
        }
        eprintln!("an answer that is no proof: {}", tell(&view));
    }
    Err("the question ended".to_owned())
}

fn proof(answer: &Answer) -> Option<Vec<u8>> {
    serde_json::to_vec(&as_proof(answer, CONSENT)?).ok()
}
