//! Finding out which log a biobank keeps, and joining an institution as staff or researcher.

use crate::event::{Connection, Event, Membership};
use crate::profile::Profile;
use crate::remote::Remote;
use bridge::{Code, Failure, Role};
use identity::{Did, verify_jws};
use ledger::TrustPolicy;
use ledger::client::LogInfo;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

const ACCOUNT_TYPE: &str = "account.v1+jws";

/// Asks an address which biobank and which log it is. The log's key counts only under the biobank's signature;
/// `expected` pins the biobank where an invitation or a credential named it.
pub async fn discover(remote: &Remote, expected: Option<&Did>) -> Result<Connection, Failure> {
    discover_after(remote, expected, None).await
}

/// The same for who was told by which key the biobank speaks: it has to have come so far, so that whoever stole a key
/// that it had before can not stand in for it.
pub async fn discover_after(
    remote: &Remote,
    expected: Option<&Did>,
    speaker: Option<&Did>,
) -> Result<Connection, Failure> {
    let invalid = |check: &str| Failure::new(Code::NotValid).with("check", check);
    let info: LogInfo = remote.get("/v1/log").await?;
    if expected.is_some_and(|did| *did != info.did) {
        return Err(invalid("signer-is-issuer"));
    }
    let stated = info.stated().map_err(|_| invalid("signer-is-issuer"))?;
    if speaker.is_some_and(|speaker| !stated.spoke.contains(speaker)) {
        return Err(invalid("signer-is-issuer"));
    }
    if stated.policy.as_ref().is_some_and(|text| TrustPolicy::parse(text.as_bytes()).is_err()) {
        return Err(invalid("claims"));
    }
    Ok(Connection {
        address: remote.address().to_owned(),
        speaker: (stated.keys.institution != info.did).then_some(stated.keys.institution),
        biobank: info.did,
        name: info.name,
        vkey: stated.keys.log.to_string(),
        former: stated.former.iter().map(ToString::to_string).collect(),
        policy: stated.policy,
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

/// Reads the biobank's word for who a researcher is, if this key of the biobank gave it.
pub(crate) fn read_account(jws: &str, speaker: &Did) -> Option<AccountStatement> {
    let statement = verify_jws(jws).ok()?;
    let signed = statement.signer == *speaker && statement.typ == ACCOUNT_TYPE;
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
    let word = read_account(&paired.account, connection.speaker());
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

/// The biobank's word for who this researcher is. One that a former key of the biobank gave counts for no donor any more,
/// and the biobank is asked for it again.
pub(crate) async fn account(profile: &Profile, remote: &Remote, statement: String) -> Result<String, Failure> {
    let connection = profile.connection()?;
    let counts = |jws: &str| read_account(jws, connection.speaker()).is_some();
    if counts(&statement) {
        return Ok(statement);
    }
    let key = profile.biobank_key(&connection);
    let renewed: Paired = remote.ask(&key, Method::GET, "/v1/account", None).await?;
    if !counts(&renewed.account) {
        return Err(Failure::new(Code::NotValid).with("check", "signer-is-issuer"));
    }
    profile.record(Event::AccountRenewed { statement: renewed.account.clone() })?;
    Ok(renewed.account)
}
