//! Invitations and donors.

use super::blocking;
use super::openid::offer_link;
use crate::Problem;
use crate::biobank::Biobank;
use crate::clock::now;
use crate::code;
use crate::desk::StudyKey;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use consent::ConsentState;
use serde_json::{Value, json};
use std::sync::Arc;

/// How long an invitation can be used, in seconds.
const INVITATION_AGE: i64 = 7 * 86_400;

pub async fn invite(State(biobank): State<Arc<Biobank>>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    blocking(move || {
        let (code, invitation) = biobank.desk.invite(now(), INVITATION_AGE).map_err(Problem::internal)?;
        let offer = code::digest(&code).and_then(|digest| offer_link(&biobank, &headers, &digest));
        let mut answer = json!({ "donor": invitation.donor, "code": code::show(&code), "expires": invitation.expires });
        if let Some(offer) = offer {
            answer["offer"] = json!(offer);
        }
        Ok(Json(answer))
    })
    .await
}

pub async fn donors(State(biobank): State<Arc<Biobank>>) -> Result<Json<Value>, Problem> {
    blocking(move || {
        let keys = biobank.desk.study_keys().map_err(Problem::internal)?;
        let mut invitations = biobank.desk.invitations().map_err(Problem::internal)?;
        invitations.sort_by(|a, b| b.invited.cmp(&a.invited).then_with(|| a.donor.cmp(&b.donor)));
        let now = now();
        let rows: Vec<Value> = invitations
            .iter()
            .map(|invitation| {
                let state = match &invitation.accepted {
                    Some(_) => "accepted",
                    None if now > invitation.expires => "expired",
                    None => "sent",
                };
                let did = invitation.accepted.as_ref().map(|accepted| &accepted.did);
                let of_donor: Vec<_> =
                    keys.iter().filter(|(_, key)| Some(&key.donor) == did).map(|(_, key)| key).collect();
                json!({
                    "donor": invitation.donor,
                    "state": state,
                    "invited": invitation.invited,
                    "expires": invitation.expires,
                    "joined": invitation.accepted.as_ref().map(|accepted| accepted.at),
                    "live": count(&biobank, &of_donor, |state| state == ConsentState::Active),
                    "withdrawn": count(&biobank, &of_donor, |state| state.withdrawal().is_some()),
                })
            })
            .collect();
        Ok(Json(json!({ "donors": rows })))
    })
    .await
}

/// In how many studies the log says this of a donor.
fn count(biobank: &Biobank, keys: &[&StudyKey], is: impl Fn(ConsentState) -> bool) -> usize {
    keys.iter().filter(|key| super::studies::state_of(biobank, key).is_some_and(&is)).count()
}
