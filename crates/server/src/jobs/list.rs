//! `GET /api/v1/jobs`: lists what is under way in the collections that the caller sees, or the documents there that could not be read, in
//! the order in which it came.

use std::collections::BTreeSet;

use domain::access::{Permission, can};
use domain::{CollectionId, JobId};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Tx;
use store::org::knowledge::{documents, imports};

use super::{JobView, Waiting};
use crate::http::body::Query;
use crate::http::caller::Local;
use crate::http::cursor;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};
use crate::knowledge::sight;

/// Rows read at a time, of which those that the caller sees are kept.
const BATCH: i64 = 500;

/// Which jobs, and which page of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListJobs {
    /// Whether to list the documents that could not be read, as long as they are there, and not what is under way.
    #[serde(default)]
    failed: bool,
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Where jobs stand that are under way: few, for they pass.
#[derive(Debug, Clone, Copy)]
enum Open {
    Documents,
    Archives,
}

pub(crate) async fn list(
    local: Local<can::KnowledgeRead>,
    Query(query): Query<ListJobs>,
) -> Result<Found<Page<JobView>>> {
    let caller = local.each();
    let limit = cursor::limit(query.limit)?;
    let bound = caller.list("jobs", &query.failed);
    let mut tx = caller.read().await?;
    let seen = sight::seen(&mut tx, caller.scope(), Permission::KnowledgeRead).await?;
    let seen: BTreeSet<CollectionId> = seen.into_iter().map(|collection| collection.id).collect();
    let after: Option<JobId> = bound.read(query.cursor.as_deref())?;
    let wanted = usize::try_from(limit + 1).unwrap_or(usize::MAX);
    if query.failed {
        let seen: Vec<CollectionId> = seen.into_iter().collect();
        let failed = documents::failed(&mut tx, &seen, after, limit + 1).await?;
        let jobs: Vec<JobView> = failed.into_iter().map(JobView::from).collect();
        return Ok(Found(bound.page(jobs, limit, |job| job.id)));
    }
    let mut jobs = Vec::new();
    for place in [Open::Documents, Open::Archives] {
        let (mut next, mut found) = (after, 0);
        while found < wanted {
            let rows = read(&mut tx, place, next).await?;
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

async fn read(tx: &mut Tx, rows: Open, after: Option<JobId>) -> store::Result<Vec<JobView>> {
    Ok(match rows {
        Open::Documents => documents::open(tx, after, BATCH).await?.into_iter().map(JobView::from).collect(),
        Open::Archives => imports::open(tx, after, BATCH).await?.into_iter().map(JobView::from).collect(),
    })
}
