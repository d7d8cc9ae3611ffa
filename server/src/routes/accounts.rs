//! Accounts of staff, researchers and others, and what their holders hand on.

use super::{Address, Signed, blocking};
use crate::Problem;
use crate::biobank::Biobank;
use crate::capability::{Capability, MAX_CAPABILITY_AGE};
use crate::clock::now;
use crate::code;
use crate::desk::{Account, AccountRole, PAIRING_AGE, Step};
use crate::founding;
use axum::Json;
use axum::extract::State;
use identity::Did;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The longest name and the longest identifier of an organisation.
const MAX_NAME: usize = 200;

#[derive(Deserialize)]
struct PairRequest {
    code: String,
}

pub async fn pair(
    State(biobank): State<Arc<Biobank>>,
    Address(from): Address,
    signed: Signed,
) -> Result<Json<Value>, Problem> {
    let (desk, caller) = (biobank.clone(), signed.caller.clone());
    let account = blocking(move || {
        let request: PairRequest = signed.json()?;
        let digest = desk.hear_code(&request.code, from)?;
        match desk.desk.pair(&digest, &signed.caller, now()).map_err(Problem::internal)? {
            Step::Done(account) => Ok(account),
            Step::Used => Err(Problem::code_used()),
            Step::Expired => Err(Problem::code_expired()),
            Step::Unknown | Step::Full => Err(desk.wrong_code(from)),
        }
    })
    .await?;
    // If this fails the same code can be used again by the same key, and the next start enters whoever is missing.
    founding::enter(&biobank, &caller, &account).await?;
    Ok(Json(json!({
        "role": account.role,
        "name": biobank.institution.name,
        "account": biobank.vouch(&caller, &account),
        "organisation": account.organisation,
        "organisationName": account.organisation_name,
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CodeRequest {
    role: AccountRole,
    organisation: String,
    organisation_name: String,
}

/// A one-time code for an account in any role.
pub async fn make_code(State(biobank): State<Arc<Biobank>>, signed: Signed) -> Result<Json<Value>, Problem> {
    blocking(move || {
        let request: CodeRequest = signed.json()?;
        let fits = |text: &str| (1..=MAX_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if !fits(&request.organisation) || !fits(&request.organisation_name) {
            return Err(Problem::malformed());
        }
        let CodeRequest { role, organisation, organisation_name } = request;
        let expires = now().plus_seconds(PAIRING_AGE);
        let account = Account { role, organisation, organisation_name };
        let code = biobank.desk.make_pairing(account, expires).map_err(Problem::internal)?;
        Ok(Json(json!({ "code": code::show(&code), "expires": expires })))
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CapabilityRequest {
    holder: Did,
    actions: Vec<String>,
    resource: String,
    seconds: i64,
}

/// Hands on what the caller may do to another key, for a while.
pub async fn issue_capability(State(biobank): State<Arc<Biobank>>, signed: Signed) -> Result<Json<Value>, Problem> {
    let request: CapabilityRequest = signed.json()?;
    let issued = now();
    // Bounded before it is added, so that no number is too large for a date.
    let seconds = request.seconds.clamp(0, MAX_CAPABILITY_AGE + 1);
    let capability = Capability {
        by: signed.caller,
        holder: request.holder,
        actions: request.actions,
        resource: request.resource,
        issued,
        expires: issued.plus_seconds(seconds),
    };
    if !capability.is_sound() || !capability.actions.iter().all(|action| biobank.guard.is_delegable(action)) {
        return Err(Problem::malformed());
    }
    let signed = capability.sign(&biobank.key)?;
    Ok(Json(json!({ "capability": signed, "expires": capability.expires })))
}
