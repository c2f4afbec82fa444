//! How a document becomes one of a collection: its original lies sealed on the disk by then, and reading it is a job.

use domain::access::{Permission, can};
use domain::{CollectionId, JobId};
use knowledge::intake;
use schemars::JsonSchema;
use serde::Serialize;
use store::Json;
use store::audit::Event;
use store::control::jobs;
use store::org::knowledge::documents::{self, Document, Status};
use store::org::knowledge::versions::{self, Version};

use super::DocumentView;
use super::receive::{Desk, Received, came_between};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Accepted;
use crate::knowledge::{originals, sight};

/// A document that was taken in.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UploadedDocument")]
pub(crate) struct Uploaded {
    pub(super) document: DocumentView,
    /// The job that reads it; null when the same file was there already.
    pub(super) job_id: Option<JobId>,
}

/// Takes what was received into a collection; what does not become a document is forgotten.
pub(super) async fn arrive(
    caller: &Caller<can::KnowledgeWrite>,
    collection: CollectionId,
    received: Received,
    source: &str,
    desk: &Desk,
) -> Result<Accepted<Uploaded>> {
    let hash = received.written.hash.clone();
    let outcome = take(caller, collection, received, source, desk).await;
    if outcome.is_err() {
        originals::forget(caller.store(), caller.scope(), vec![hash]).await;
    }
    caller.store().wake_workers();
    outcome
}

async fn take(
    caller: &Caller<can::KnowledgeWrite>,
    collection: CollectionId,
    received: Received,
    source: &str,
    desk: &Desk,
) -> Result<Accepted<Uploaded>> {
    let mut tx = caller.read().await?;
    let known = match documents::same(&mut tx, collection, &received.written.hash).await? {
        Some(known) => documents::find(&mut tx, known).await?,
        None => None,
    };
    drop(tx);
    let id = known.as_ref().map_or_else(|| caller.ambient().id(), |known| known.id);
    let now = caller.ambient().now();
    let job = if known.as_ref().is_some_and(|known| known.status != Status::Failed) {
        None
    } else {
        // Queued before the document is committed: nothing is ever committed that nobody comes for.
        let mut tx = caller.begin_control().await?;
        let job = jobs::queue(&mut tx, caller.org(), intake::READ, id, caller.user(), now).await?;
        tx.commit().await?;
        Some(job)
    };
    let mut tx = caller.begin().await?;
    // What the caller may do can have ended while the file was on its way.
    sight::find(&mut tx, caller.scope(), Permission::KnowledgeWrite, collection).await?;
    desk.require(&received.written.hash).await?;
    if let Some(known) = documents::same(&mut tx, collection, &received.written.hash).await? {
        let before = documents::get(&mut tx, known).await?;
        if before.status != Status::Failed {
            documents::freshen(&mut tx, known).await?;
            return caller.commit(tx, Accepted(Uploaded { document: before.into(), job_id: None })).await;
        }
        let Some(job) = job.filter(|_| known == id) else { return Err(came_between()) };
        documents::retry(&mut tx, id, job).await?;
        let document = documents::get(&mut tx, id).await?;
        tx.record(Event::new("document.retried", id).before(&before).after(&document)).await?;
        return caller.commit(tx, Accepted(Uploaded { document: document.into(), job_id: Some(job) })).await;
    }
    let Some(job) = job.filter(|_| known.is_none()) else { return Err(came_between()) };
    let size = received.size();
    let Received { written, name, title, tags } = received;
    let document = Document {
        id,
        collection_id: collection,
        titled: title.is_some(),
        title: title.unwrap_or_else(|| name.clone()),
        name,
        source: source.to_owned(),
        kind: String::new(),
        tags: Json(tags.unwrap_or_default()),
        status: Status::Queued,
        fault: None,
        content_hash: written.hash,
        size,
        latest: 1,
        shown: 0,
        passages: 0,
        embedded: 0,
        job_id: job,
        made_by: caller.user(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    documents::insert(&mut tx, &document).await?;
    versions::insert(&mut tx, &newest(&document)).await?;
    desk.room.require(&mut tx, true).await?;
    tx.record(Event::new("document.created", id).after(&document)).await?;
    caller.commit(tx, Accepted(Uploaded { document: document.into(), job_id: Some(job) })).await
}

/// The newest version of a document, as it came.
pub(super) fn newest(document: &Document) -> Version {
    Version {
        document_id: document.id,
        number: document.latest,
        name: document.name.clone(),
        content_hash: document.content_hash.clone(),
        size: document.size,
        made_by: document.made_by,
        created_at: document.updated_at,
    }
}
