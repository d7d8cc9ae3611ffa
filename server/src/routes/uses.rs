//! Uses: told by whoever holds a grant, shown to those whose data they were.

use super::{Signed, access::shown, blocking};
use crate::Problem;
use crate::access::uses::{self, Report};
use crate::biobank::Biobank;
use crate::clock::now;
use crate::log::AppendError;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use consent::{DataKind, Timestamp};
use ledger::{EntryHash, Hash};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UseRequest {
    grant: EntryHash,
    subjects: Vec<String>,
    data: Vec<DataKind>,
    time: Timestamp,
}

/// Takes a report of use. What should not have been used is told like everything else, and says so.
pub async fn tell(State(biobank): State<Arc<Biobank>>, signed: Signed) -> Result<(StatusCode, Json<Value>), Problem> {
    let books = biobank.clone();
    let told = blocking(move || {
        let asked: UseRequest = signed.json()?;
        let report = Report { grant: asked.grant, subjects: asked.subjects, data: asked.data, time: asked.time };
        uses::tell(&books, &signed.caller, report, now())
    })
    .await?;
    let appended = biobank.log.append(told.entry.clone()).await;
    blocking(move || {
        let index = match appended {
            Ok(appended) => appended.index,
            Err(AppendError::Rejected(_)) => {
                uses::drop_report(&biobank, &told)?;
                return Err(Problem::against_rules());
            }
            // What may have reached the log stays: the same report again settles it.
            Err(AppendError::Busy) => return Err(Problem::busy()),
            Err(AppendError::Stopped) => return Err(Problem::stopped()),
        };
        let (status, Json(mut answer)) = shown(&biobank, &told.entry, index)?;
        answer["lines"] = told.lines.into();
        answer["flagged"] = told.flagged.into();
        Ok((status, Json(answer)))
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    after: Option<String>,
}

/// The uses of a subject's data, for the subject alone.
pub async fn of(
    State(biobank): State<Arc<Biobank>>,
    Path(subject): Path<String>,
    page: Result<Query<Page>, QueryRejection>,
    signed: Signed,
) -> Result<Json<Value>, Problem> {
    let Query(Page { after }) = page.map_err(|_| Problem::malformed())?;
    blocking(move || {
        let subject: Hash = subject.parse().map_err(|_| Problem::not_found())?;
        uses::of(&biobank, &signed.caller, &subject, after.as_deref()).map(Json)
    })
    .await
}
