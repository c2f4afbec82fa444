//! `GET /api/v1/jobs/{id}/files`: lists what became of the files of an archive, in its order. Of a document that was deleted since
//! nothing is left; a job about one document has no files.

use domain::access::can;
use domain::{DocumentId, JobId};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::knowledge::documents::Fault;
use store::org::knowledge::imports::{self, Member, Outcome};

use super::find;
use crate::http::body::{Path, Query};
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// A file of an archive.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ArchiveFile")]
pub(crate) struct FileView {
    /// Its name, with its folders.
    name: String,
    outcome: Outcome,
    /// The document; how far that is, its own job tells.
    document_id: Option<DocumentId>,
    /// Why it was not taken.
    error: Option<Fault>,
}

impl From<Member> for FileView {
    fn from(member: Member) -> Self {
        Self {
            name: member.name,
            outcome: member.outcome,
            document_id: member.document_id,
            error: member.fault.map(|fault| fault.0),
        }
    }
}

pub(crate) async fn files(
    local: Local<can::KnowledgeRead>,
    Path(id): Path<JobId>,
    Query(paging): Query<Paging>,
) -> Result<Found<Page<FileView>>> {
    let caller = local.each();
    let limit = cursor::limit(paging.limit)?;
    let bound = caller.list("archive files", &id);
    let mut tx = caller.read().await?;
    find(&mut tx, caller.scope(), id).await?;
    let after = bound.read(paging.cursor.as_deref())?;
    let rows = imports::members(&mut tx, id, after, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |member| member.place).map(FileView::from)))
}
