//! Finding out which log a biobank keeps, and joining an institution as staff or researcher.

use crate::event::{Connection, Event, Membership};
use crate::profile::Profile;
use crate::remote::Remote;
use bridge::{Code, Failure, Role};
use identity::{Did, verify_jws};
use ledger::{TrustPolicy, VerifierKey};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

const LOG_KEY_TYPE: &str = "log-key.v1+jws";
const ACCOUNT_TYPE: &str = "account.v1+jws";

#[derive(Deserialize)]
struct LogInfo {
    did: Did,
    name: String,
    /// The biobank's own signature under its log's origin and key.
    statement: String,
}

#[derive(Deserialize)]
struct LogKey {
    vkey: String,
    /// The keys before it.
    #[serde(default)]
    former: Vec<VerifierKey>,
    /// Which other institutions must have signed; none where there are none.
    policy: Option<String>,
}

/// Asks an address which biobank and which log it is. The log's key counts only under the biobank's signature;
/// `expected` pins the biobank where an invitation or a credential named it.
pub async fn discover(remote: &Remote, expected: Option<&Did>) -> Result<Connection, Failure> {
    let invalid = |check: &str| Failure::new(Code::NotValid).with("check", check);
    let info: LogInfo = remote.get("/v1/log").await?;
    if expected.is_some_and(|did| *did != info.did) {
        return Err(invalid("signer-is-issuer"));
    }
    let statement = verify_jws(&info.statement).map_err(|_| invalid("signature"))?;
    if statement.signer != info.did || statement.typ != LOG_KEY_TYPE {
        return Err(invalid("signer-is-issuer"));
    }
    let key: LogKey = serde_json::from_slice(&statement.payload).map_err(|_| invalid("claims"))?;
    if key.policy.as_ref().is_some_and(|text| TrustPolicy::parse(text.as_bytes()).is_err()) {
        return Err(invalid("claims"));
    }
    Ok(Connection {
        address: remote.address().to_owned(),
        biobank: info.did,
        name: info.name,
        vkey: key.vkey,
        former: key.former.iter().map(ToString::to_string).collect(),
        policy: key.policy,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Paired {
    role: Role,
    organisation: String,
    organisation_name: String,
    account: String,
}

/// The biobank's word for who a researcher is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountStatement {
    pub did: Did,
    pub organisation: String,
    pub organisation_name: String,
}

/// Reads the biobank's word for who a researcher is.
pub(crate) fn read_account(jws: &str, biobank: &Did) -> Option<AccountStatement> {
    let statement = verify_jws(jws).ok()?;
    let signed = statement.signer == *biobank && statement.typ == ACCOUNT_TYPE;
    if signed { serde_json::from_slice(&statement.payload).ok() } else { None }
}

/// Connects a staff or researcher profile by its one-time code.
pub async fn connect(profile: &Profile, address: &str, code: &str) -> Result<(), Failure> {
    let remote = Remote::new(address)?;
    // A profile that is connected already stays with its biobank.
    let known = profile.read(|story| story.connection.as_ref().map(|connection| connection.biobank.clone()))?;
    let connection = discover(&remote, known.as_ref()).await?;
    let key = profile.biobank_key(&connection);
    let wrong_code = |failure: Failure| match failure.code {
        Code::InvitationUnknown | Code::InvitationUsed | Code::InvitationExpired => Code::CodeWrong.into(),
        _ => failure,
    };
    let body = json!({ "code": code });
    let paired: Paired = remote.ask(&key, Method::POST, "/v1/pair", Some(&body)).await.map_err(wrong_code)?;
    let word = read_account(&paired.account, &connection.biobank);
    if paired.role != profile.role || word.is_none_or(|word| word.did != key.did()) {
        return Err(Code::CodeWrong.into());
    }
    let membership = Membership {
        organisation: paired.organisation,
        organisation_name: paired.organisation_name,
        statement: paired.account,
    };
    profile.record(Event::Connected { connection, membership })
}
