//! `consentctl vc-api`: credentials of any kind, signed and verified for other programs.

use crate::tls::Tls;
use identity::Did;
use identity::web::{FetchError, Fetcher};
use server::vc_api::{TrustPlace, TrustSource, VcOptions, start};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use url::Url;

#[derive(clap::Args)]
pub struct Arguments {
    /// Address of this machine to listen on without TLS; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8490")]
    listen: SocketAddr,
    #[command(flatten)]
    tls: Tls,
    /// Folder for the keys and status lists, made if missing; without it they end with the service.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Address under which verifiers reach the status lists [default: the one that it listens on].
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
    /// Let callers from elsewhere have things signed, too.
    #[arg(long)]
    issue_for_all: bool,
    /// Resolve did:web and read status lists: fetch them over https from hosts of the public internet. Whoever wrote a credential chooses
    /// the host, and that host learns that this institution is checking.
    #[arg(long)]
    resolve_web: bool,
    /// List of trusted issuers that a biobank signed (`biobankd trust`, `GET /v1/trusted-issuers`): then only they may
    /// issue what they are listed for. A file, or an https address of the public internet; it is read every ten minutes.
    #[arg(long, value_name = "FILE|URL", requires = "trust_by")]
    trust: Option<String>,
    /// The biobank whose list it is.
    #[arg(long, value_name = "DID", requires = "trust")]
    trust_by: Option<Did>,
    /// For test suites: check the proof only where a caller asks for it or gives no options, sign in other names, and
    /// write a status as their suite looks for it. Never for real use.
    #[arg(long)]
    conformance: bool,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let web = arguments.resolve_web.then(Fetcher::public).transpose();
    let trust = arguments.trust.zip(arguments.trust_by).map(|(place, biobank)| source(place, biobank)).transpose();
    let (web, trust) = match web.and_then(|web| Ok((web, trust?))) {
        Ok(both) => both,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(4);
        }
    };
    let options = VcOptions {
        tls_listen: arguments.tls.tls_listen,
        tls: arguments.tls.files(),
        keys: arguments.keys,
        url: arguments.url,
        conformance: arguments.conformance,
        issue_for_all: arguments.issue_for_all,
        web,
        trust,
        ..VcOptions::new(arguments.listen)
    };
    let mut running = match start(options).await {
        Ok(running) => running,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(4);
        }
    };
    println!("{}", running.address);
    if let Some(address) = &running.tls_address {
        println!("{address}");
    }
    tokio::select! {
        ended = running.ended() => {
            if let Err(error) = ended {
                eprintln!("{error}");
            }
            ExitCode::from(4)
        }
        _ = tokio::signal::ctrl_c() => ExitCode::SUCCESS,
    }
}

fn source(place: String, biobank: Did) -> Result<TrustSource, FetchError> {
    let place = if place.starts_with("https://") {
        TrustPlace::Web(place, Fetcher::public()?)
    } else {
        TrustPlace::File(PathBuf::from(place))
    };
    Ok(TrustSource { biobank, place })
}
