//! Jobs: what is under way for documents, as whoever sees their collection sees it.
//!
//! What a job does stands with the document or the archive that it is about, so it is told as long as that is there, and to nobody
//! who does not see it.

mod events;
mod files;
mod get;
mod list;
mod listeners;
mod waiting;

use domain::access::Permission;
use domain::{CollectionId, DocumentId, JobId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::knowledge::documents::{self, Document, Fault, Status};
use store::org::knowledge::imports::{self, Import, Stage};
use store::{Error, Scope, Tx};

pub(crate) use self::listeners::Listeners;
use self::waiting::Waiting;
use crate::knowledge::sight;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/collections/{id}/events", "Tells of what is under way in a collection.", events::events)
        .get("/api/v1/jobs", "Lists what is under way for documents, or what failed.", list::list)
        .get("/api/v1/jobs/{id}", "Shows how far a job is.", get::get)
        .get("/api/v1/jobs/{id}/files", "Lists what became of the files of an archive.", files::files)
}

/// What a job is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobKind {
    /// A document is read and embedded.
    Document,
    /// The files of an archive become documents.
    Archive,
    /// All passages of the organisation are embedded by another model.
    Embedding,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobState {
    /// It waits.
    Queued,
    /// The document is being read, the files of the archive come out, or the passages are embedded anew.
    Reading,
    /// The document is found by its words; by its meaning as soon as all its passages are embedded.
    Searchable,
    /// The document is found by its words and by its meaning: the end.
    Embedded,
    /// All files of the archive are out, or the other model answers: the end.
    Done,
    /// It cannot be done; `error` says why.
    Failed,
}

impl JobState {
    /// Whether nothing more happens.
    fn is_end(self) -> bool {
        matches!(self, Self::Embedded | Self::Done | Self::Failed)
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Job")]
pub(crate) struct JobView {
    pub(crate) id: JobId,
    kind: JobKind,
    /// Where; null for what is about all collections.
    pub(crate) collection_id: Option<CollectionId>,
    /// The document; null for an archive.
    document_id: Option<DocumentId>,
    /// The name of the file, or of the model.
    name: String,
    pub(crate) state: JobState,
    /// How many passages are embedded, or how many files are out; percent of all passages for another model.
    done: i64,
    /// Of how many; null while that is not known.
    total: Option<i64>,
    /// Why it failed, and what to do; or why it waits.
    error: Option<Fault>,
    created_at: Time,
    updated_at: Time,
}

impl From<Document> for JobView {
    fn from(document: Document) -> Self {
        let state = match document.status {
            Status::Queued => JobState::Queued,
            Status::Processing => JobState::Reading,
            Status::Failed => JobState::Failed,
            Status::Ready if document.embedded < document.passages => JobState::Searchable,
            Status::Ready => JobState::Embedded,
        };
        // Until the newest version is read, what is counted is of the one before.
        let counted = document.status == Status::Ready;
        Self {
            id: document.job_id,
            kind: JobKind::Document,
            collection_id: Some(document.collection_id),
            document_id: Some(document.id),
            name: document.name,
            state,
            done: if counted { document.embedded } else { 0 },
            total: counted.then_some(document.passages),
            error: document.fault.map(|fault| fault.0),
            created_at: document.created_at,
            updated_at: document.updated_at,
        }
    }
}

impl From<Import> for JobView {
    fn from(import: Import) -> Self {
        let state = match import.status {
            Stage::Queued => JobState::Queued,
            Stage::Processing => JobState::Reading,
            Stage::Done => JobState::Done,
            Stage::Failed => JobState::Failed,
        };
        Self {
            id: import.id,
            kind: JobKind::Archive,
            collection_id: Some(import.collection_id),
            document_id: None,
            name: import.name,
            state,
            done: import.done,
            total: (import.status != Stage::Queued).then_some(import.total),
            error: import.fault.map(|fault| fault.0),
            created_at: import.created_at,
            updated_at: import.updated_at,
        }
    }
}

/// A job whose collection the caller sees.
/// # Errors
/// [`Error::NotFound`] when there is none, and when the caller does not see it.
async fn find(tx: &mut Tx, scope: &Scope, id: JobId) -> store::Result<JobView> {
    let found = match documents::of_job(tx, id).await? {
        Some(document) => Some(JobView::from(document)),
        None => imports::find(tx, id).await?.map(JobView::from),
    };
    let waiting = Waiting::read(tx).await?;
    let found = match found {
        Some(job) => Some(waiting.explain(job)),
        None => waiting.job(tx, scope).await?.filter(|job| job.id == id),
    };
    let job = found.ok_or(Error::NotFound("job"))?;
    let Some(collection) = job.collection_id else { return Ok(job) };
    match sight::find(tx, scope, Permission::KnowledgeRead, collection).await {
        Ok(_) => Ok(job),
        Err(Error::NotFound(_)) => Err(Error::NotFound("job")),
        Err(error) => Err(error),
    }
}
