//! Accounts of staff, researchers and others, and what their holders hand on.

use super::{Address, NO_CONTENT, Signed, blocking};
use crate::Problem;
use crate::access;
use crate::biobank::Biobank;
use crate::capability::{Capability, MAX_CAPABILITY_AGE};
use crate::clock::now;
use crate::code;
use crate::desk::{Account, AccountRole, PAIRING_AGE, Step};
use crate::founding;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use identity::Did;
use ledger::MemberRecord;
use ledger::event::{InstitutionEvent, Label, MemberChange};
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
        // Who left comes back under another key: the log's last word on this one stands.
        if access::has_left(&desk, &signed.caller)? {
            return Err(Problem::not_allowed());
        }
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
    Ok(Json(vouched(&biobank, &caller, &account)))
}

/// The biobank's word for who the caller is, under its key of today.
pub async fn own(State(biobank): State<Arc<Biobank>>, signed: Signed) -> Result<Json<Value>, Problem> {
    blocking(move || {
        let account =
            biobank.desk.account(&signed.caller).map_err(Problem::internal)?.ok_or_else(Problem::not_found)?;
        Ok(Json(vouched(&biobank, &signed.caller, &account)))
    })
    .await
}

fn vouched(biobank: &Biobank, did: &Did, account: &Account) -> Value {
    json!({
        "role": account.role,
        "name": biobank.institution.name,
        "account": biobank.vouch(did, account),
        "organisation": account.organisation,
        "organisationName": account.organisation_name,
    })
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

/// Ends an account. The log says so first: from then on no door opens to it, whatever the desk still holds.
pub async fn remove(
    State(biobank): State<Arc<Biobank>>,
    Path(did): Path<String>,
    _: Signed,
) -> Result<StatusCode, Problem> {
    let did: Did = did.parse().map_err(|_| Problem::not_found())?;
    let (books, who) = (biobank.clone(), did.clone());
    let member = blocking(move || {
        books.desk.account(&who).map_err(Problem::internal)?.ok_or_else(Problem::not_found)?;
        access::member(&books, &who)
    })
    .await?;
    if let Some(member) = member {
        founding::say(&biobank, &leaving(&did, &member)?).await?;
    }
    blocking(move || {
        // A clock that is behind the log says nothing in it; then the account stays, and staff come again.
        if access::member(&biobank, &did)?.is_some() {
            return Err(Problem::stopped());
        }
        biobank.desk.remove_account(&did).map_err(Problem::internal)?;
        Ok(NO_CONTENT)
    })
    .await
}

fn leaving(did: &Did, member: &MemberRecord) -> Result<InstitutionEvent, Problem> {
    let organisation: Label = member.organisation.parse().map_err(Problem::internal)?;
    let (member, role) = (did.clone(), member.role);
    Ok(InstitutionEvent::Member(MemberChange { active: false, member, organisation, role, time: now() }))
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
