//! Sources: documents that are elsewhere and come by themselves when they change. What they bring belongs to a collection, and is seen
//! by who sees that; what has readers of its own, by those of them.

mod circle;
mod create;
mod delete;
mod get;
mod list;
pub(crate) mod round;
mod schedule;
mod sync;
mod update;

use connectors::pages::Which;
use domain::access::{Permission, Requires};
use domain::{CollectionId, JobId, SourceId, Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::control::jobs;
use store::org::knowledge::documents::Fault;
use store::org::knowledge::sources::{self, Counts, EVERY, Source, Sync};
use store::{Error, Scope, Tx};

use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::knowledge::sight::{self, Seen};
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/collections/{id}/sources", "Lists the sources of a collection.", list::list)
        .post("/api/v1/collections/{id}/sources", "Sets up a source, and brings what it has.", create::create)
        .get("/api/v1/sources/{id}", "Shows a source, and how far it is.", get::get)
        .patch("/api/v1/sources/{id}", "Changes a source's name, or when it is asked by itself.", update::update)
        .delete(
            "/api/v1/sources/{id}",
            "Takes a source away; its documents stay, but for those with readers of their own.",
            delete::delete,
        )
        .post("/api/v1/sources/{id}/sync", "Brings what changed at a source.", sync::sync)
}

/// The kind of job that asks a source.
pub(crate) const SYNC: &str = "sync";

/// A source.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Source")]
pub(crate) struct SourceView {
    id: SourceId,
    collection_id: CollectionId,
    name: String,
    /// The pages that are listed; null for a sitemap.
    urls: Option<Vec<String>>,
    /// The sitemap that names the pages; null for a list.
    sitemap: Option<String>,
    status: Sync,
    /// What went wrong last, with the whole round or with an item.
    error: Option<Fault>,
    /// What became of the items of the last round, so far; those with readers of their own are not counted.
    counts: Counts,
    /// The work on it.
    job_id: JobId,
    /// When a round was last over.
    synced_at: Option<Time>,
    /// After how many hours it is asked by itself; null when only by hand.
    every: Option<i64>,
    /// When that is; null when only by hand, and while a round waits or is under way.
    next_sync_at: Option<Time>,
    /// Rounds that failed since the last that did not: it is asked ever more seldom.
    failures: i64,
    created_by: UserId,
    created_at: Time,
    updated_at: Time,
}

impl From<Source> for SourceView {
    fn from(source: Source) -> Self {
        let (urls, sitemap) = match which(&source) {
            Some(Which::Listed(urls)) => (Some(urls), None),
            Some(Which::Sitemap(url)) => (None, Some(url)),
            None => (None, None),
        };
        let rests = matches!(source.status, Sync::Done | Sync::Failed);
        Self {
            id: source.id,
            collection_id: source.collection_id,
            name: source.name,
            urls,
            sitemap,
            status: source.status,
            error: source.fault.map(|fault| fault.0),
            counts: source.counts.0,
            job_id: source.job_id,
            synced_at: source.synced_at,
            every: source.every_hours,
            next_sync_at: source.next_sync_at.filter(|_| rests),
            failures: source.failures,
            created_by: source.made_by,
            created_at: source.created_at,
            updated_at: source.updated_at,
        }
    }
}

/// Which pages a source has, as far as this program knows its settings.
fn which(source: &Source) -> Option<Which> {
    serde_json::from_value(source.settings.0.clone()).ok()
}

/// A source whose collection the caller sees, by a permission.
/// # Errors
/// [`Error::NotFound`] when there is none, and when the caller does not see it.
async fn find(tx: &mut Tx, scope: &Scope, permission: Permission, id: SourceId) -> store::Result<(Source, Seen)> {
    let source = sources::get(tx, id).await?;
    match sight::find(tx, scope, permission, source.collection_id).await {
        Ok(seen) => Ok((source, seen)),
        Err(Error::NotFound(_)) => Err(Error::NotFound("source")),
        Err(error) => Err(error),
    }
}

/// How often a source is asked by itself, as somebody wrote it.
fn hours(every: Option<i64>) -> Result<Option<i64>> {
    let wrong = || Problem::field("every", format!("must be {} to {} hours", EVERY.start(), EVERY.end()));
    every.map(|hours| EVERY.contains(&hours).then_some(hours).ok_or_else(wrong)).transpose()
}

/// Queues a round, before what it is for is committed: nothing is ever committed that nobody comes for.
async fn queue<P: Requires>(caller: &Caller<P>, id: SourceId) -> Result<JobId> {
    let mut tx = caller.begin_control().await?;
    let job = jobs::nudge(&mut tx, caller.org(), SYNC, id, caller.user(), caller.ambient().now()).await?;
    tx.commit().await?;
    Ok(job)
}
