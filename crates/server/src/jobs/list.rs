//! `GET /api/v1/jobs`: lists what is under way in the collections that the caller sees, in the order in which it came.

use std::collections::BTreeSet;

use domain::access::{Permission, can};
use domain::{CollectionId, JobId};
use store::Tx;
use store::org::knowledge::{documents, imports};

use super::{JobKind, JobView, Waiting};
use crate::http::body::Query;
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};
use crate::knowledge::sight;

/// Rows read at a time, of which those that the caller sees are kept.
const BATCH: i64 = 500;

pub(crate) async fn list(
    local: Local<can::KnowledgeRead>,
    Query(paging): Query<Paging>,
) -> Result<Found<Page<JobView>>> {
    let caller = local.each();
    let limit = cursor::limit(paging.limit)?;
    let bound = caller.list("jobs", &());
    let mut tx = caller.read().await?;
    let seen = sight::seen(&mut tx, caller.scope(), Permission::KnowledgeRead).await?;
    let seen: BTreeSet<CollectionId> = seen.into_iter().map(|collection| collection.id).collect();
    let after: Option<JobId> = bound.read(paging.cursor.as_deref())?;
    let wanted = usize::try_from(limit + 1).unwrap_or(usize::MAX);
    let mut jobs = Vec::new();
    for kind in [JobKind::Document, JobKind::Archive] {
        let (mut next, mut found) = (after, 0);
        while found < wanted {
            let rows = open(&mut tx, kind, next).await?;
            let Some(last) = rows.last() else { break };
            next = Some(last.id);
            let before = jobs.len();
            jobs.extend(rows.into_iter().filter(|job| job.collection_id.is_some_and(|id| seen.contains(&id))));
            found += jobs.len() - before;
        }
    }
    let waiting = Waiting::read(&mut tx).await?;
    jobs = jobs.into_iter().map(|job| waiting.explain(job)).collect();
    let embedding = waiting.job(&mut tx, caller.scope()).await?;
    jobs.extend(embedding.filter(|job| !job.state.is_end() && after.is_none_or(|after| after < job.id)));
    jobs.sort_by_key(|job| job.id);
    jobs.truncate(wanted);
    Ok(Found(bound.page(jobs, limit, |job| job.id)))
}

async fn open(tx: &mut Tx, kind: JobKind, after: Option<JobId>) -> store::Result<Vec<JobView>> {
    Ok(match kind {
        JobKind::Document => documents::open(tx, after, BATCH).await?.into_iter().map(JobView::from).collect(),
        JobKind::Archive => imports::open(tx, after, BATCH).await?.into_iter().map(JobView::from).collect(),
        // There is one.
        JobKind::Embedding => Vec::new(),
    })
}
