//! Snapshots: the set for the study's own researchers, single proofs, and what an auditor checks.

use super::{Signed, blocking};
use crate::Problem;
use crate::biobank::Biobank;
use crate::snapshot::{KeptSnapshot, SnapshotId, find_or_make, logged, own_purpose, tree};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use consent::StudyId;
use ledger::{Hash, Pseudonym};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// How many leaves one answer holds.
const LEAVES: usize = 16_384;

#[derive(Deserialize)]
pub struct Asked {
    /// The hash of the purpose; the study's own if none is named.
    purpose: Option<Hash>,
    /// The number of the leaf to begin with.
    #[serde(default)]
    from: usize,
}

type Asking = Result<Query<Asked>, QueryRejection>;

fn read(biobank: &Biobank, study: &str, epoch: &str, asked: Asking) -> Result<(SnapshotId, usize), Problem> {
    let Query(asked) = asked.map_err(|_| Problem::malformed())?;
    let study: StudyId = study.parse().map_err(|_| Problem::not_found())?;
    let listed = biobank.studies.iter().find(|known| known.id == study);
    let purpose = match (asked.purpose, listed) {
        (Some(purpose), _) => purpose,
        (None, Some(listed)) => own_purpose(listed)?,
        // What a study that is off the list was for is not known any more; the log names it beside each set.
        (None, None) => return Err(Problem::malformed()),
    };
    let epoch = epoch.parse().map_err(|_| Problem::malformed())?;
    Ok((SnapshotId { study, epoch, purpose }, asked.from))
}

/// What the log says of a set, with its receipt.
async fn evidence(biobank: &Arc<Biobank>, id: &SnapshotId) -> Result<Value, Problem> {
    let kept: KeptSnapshot = find_or_make(biobank, id.clone()).await?;
    let logged = logged(biobank, kept).await?;
    Ok(json!({ "snapshot": logged.said, "entry": logged.entry, "receipt": logged.receipt }))
}

/// The set, decoys among it.
pub async fn set(
    State(biobank): State<Arc<Biobank>>,
    Path((study, epoch)): Path<(String, String)>,
    asked: Asking,
    _: Signed,
) -> Result<Json<Value>, Problem> {
    let (id, from) = read(&biobank, &study, &epoch, asked)?;
    let mut answer = evidence(&biobank, &id).await?;
    blocking(move || {
        let set = tree(&biobank, &id)?;
        let page: Vec<&Pseudonym> = set.pseudonyms().iter().skip(from).take(LEAVES).collect();
        answer["next"] = next(from, page.len(), set.pseudonyms().len());
        answer["pseudonyms"] = json!(page);
        Ok(Json(answer))
    })
    .await
}

/// Proof that one pseudonym is in the set, or that it is not.
pub async fn member(
    State(biobank): State<Arc<Biobank>>,
    Path((study, epoch, pseudonym)): Path<(String, String, String)>,
    asked: Asking,
    _: Signed,
) -> Result<Json<Value>, Problem> {
    let (id, _) = read(&biobank, &study, &epoch, asked)?;
    let pseudonym: Pseudonym = pseudonym.parse().map_err(|_| Problem::malformed())?;
    let mut answer = evidence(&biobank, &id).await?;
    blocking(move || {
        let proof = tree(&biobank, &id)?.prove(&pseudonym);
        answer["present"] = proof.leaves.iter().any(|leaf| leaf.pseudonym == pseudonym).into();
        answer["proof"] = json!(proof);
        Ok(Json(answer))
    })
    .await
}

/// Each leaf with the subject or the number of the decoy that it was made from, and the proof of it.
pub async fn proofs(
    State(biobank): State<Arc<Biobank>>,
    Path((study, epoch)): Path<(String, String)>,
    asked: Asking,
    _: Signed,
) -> Result<Json<Value>, Problem> {
    let (id, from) = read(&biobank, &study, &epoch, asked)?;
    let mut answer = evidence(&biobank, &id).await?;
    blocking(move || {
        let leaves = biobank.desk.snapshot_leaves(&id).map_err(Problem::internal)?;
        let page: Vec<_> = leaves.iter().skip(from).take(LEAVES).collect();
        answer["next"] = next(from, page.len(), leaves.len());
        answer["leaves"] = json!(page);
        Ok(Json(answer))
    })
    .await
}

/// Where the next page begins; nothing after the last one.
fn next(from: usize, shown: usize, of: usize) -> Value {
    let next = from.saturating_add(shown);
    if shown > 0 && next < of { next.into() } else { Value::Null }
}
