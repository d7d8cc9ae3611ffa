//! Webhooks, for staff: where data holders want to be told, what waits for them, and what did not arrive.

use super::{NO_CONTENT, Signed, blocking};
use crate::Problem;
use crate::biobank::Biobank;
use crate::clock::now;
use crate::code::make_nonce;
use crate::desk::DeskError;
use crate::stream::published;
use crate::webhook::{Hook, event_names};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use consent::StudyId;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// How many dead letters of a hook are shown; all of them are counted.
const SHOWN: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HookRequest {
    url: String,
    events: Vec<String>,
    study: Option<StudyId>,
}

/// Registers a hook. It hears of entries from now on.
pub async fn register(
    State(biobank): State<Arc<Biobank>>,
    signed: Signed,
) -> Result<(StatusCode, Json<Value>), Problem> {
    blocking(move || {
        let HookRequest { url, mut events, study } = signed.json()?;
        let url = biobank.webhooks.reach.check(&url).ok_or_else(Problem::address_not_allowed)?;
        let names = event_names();
        events.sort_unstable();
        events.dedup();
        if events.is_empty() || events.iter().any(|event| !names.contains(event.as_str())) {
            return Err(Problem::malformed());
        }
        if study.as_ref().is_some_and(|study| biobank.studies.iter().all(|known| known.id != *study)) {
            return Err(Problem::not_found());
        }
        let id = make_nonce().map_err(Problem::internal)?;
        let hook = Hook {
            url: url.into(),
            events,
            study,
            created: now(),
            next: published(&biobank),
            attempts: 0,
            retry_at: None,
            last_error: None,
            delivered: None,
            dropped: 0,
        };
        if !biobank.desk.add_hook(&id, &hook).map_err(Problem::internal)? {
            return Err(Problem::too_many_hooks());
        }
        biobank.webhooks.wake();
        Ok((StatusCode::CREATED, Json(json!({ "id": id, "next": hook.next }))))
    })
    .await
}

pub async fn list(State(biobank): State<Arc<Biobank>>, _: Signed) -> Result<Json<Value>, Problem> {
    blocking(move || {
        let size = published(&biobank);
        let hooks = biobank.desk.hooks().map_err(Problem::internal)?;
        let rows: Result<Vec<Value>, DeskError> = hooks
            .into_iter()
            .map(|(id, hook)| {
                let dead = biobank.desk.dead_letters(&id)?;
                let mut row = serde_json::to_value(&hook)?;
                row["id"] = id.into();
                // Entries between these two are not judged yet: some of them may be of no interest to this hook.
                row["pending"] = size.saturating_sub(hook.next).into();
                row["dead"] = dead.len().into();
                row["deadLetters"] = json!(dead.iter().rev().take(SHOWN).collect::<Vec<_>>());
                Ok(row)
            })
            .collect();
        Ok(Json(json!({ "webhooks": rows.map_err(Problem::internal)? })))
    })
    .await
}

/// Tries at once what waits, and once more every dead letter.
pub async fn retry(
    State(biobank): State<Arc<Biobank>>,
    Path(id): Path<String>,
    _: Signed,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        if !biobank.desk.retry_hook(&id).map_err(Problem::internal)? {
            return Err(Problem::not_found());
        }
        biobank.webhooks.wake();
        Ok(StatusCode::ACCEPTED)
    })
    .await
}

pub async fn remove(
    State(biobank): State<Arc<Biobank>>,
    Path(id): Path<String>,
    _: Signed,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        if !biobank.desk.remove_hook(&id).map_err(Problem::internal)? {
            return Err(Problem::not_found());
        }
        biobank.webhooks.wake();
        Ok(NO_CONTENT)
    })
    .await
}
