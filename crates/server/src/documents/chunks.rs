//! `GET /api/v1/documents/{id}/chunks`: lists the passages of a document in their order: those of the version that is found.

use domain::access::can;
use domain::{ChunkId, DocumentId};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::knowledge::chunks::{self, Chunk};

use super::find;
use crate::http::body::{Path, Query};
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// A passage of a document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Chunk")]
pub(crate) struct ChunkView {
    id: ChunkId,
    document_id: DocumentId,
    /// Which passage of the document, from 0.
    place: i64,
    /// The headings above it, from the outermost, parted by ` > `.
    heading: String,
    text: String,
    /// The page it begins on, from 1.
    page: Option<i64>,
    /// Where it begins in the document's text, in bytes.
    starts: i64,
    /// Where it ends.
    ends: i64,
}

impl From<Chunk> for ChunkView {
    fn from(chunk: Chunk) -> Self {
        Self {
            id: chunk.id,
            document_id: chunk.document_id,
            place: chunk.place,
            heading: chunk.heading,
            text: chunk.text,
            page: chunk.page,
            starts: chunk.starts,
            ends: chunk.ends,
        }
    }
}

pub(crate) async fn list(
    local: Local<can::KnowledgeRead>,
    Path(id): Path<DocumentId>,
    Query(paging): Query<Paging>,
) -> Result<Found<Page<ChunkView>>> {
    let caller = local.each();
    let limit = cursor::limit(paging.limit)?;
    let mut tx = caller.read().await?;
    let (document, _) = find(&mut tx, caller.scope(), id).await?;
    // A new version has other passages: the next page of the old one would be none of them.
    let bound = caller.list("chunks", &(id, document.shown));
    let after = bound.read(paging.cursor.as_deref())?;
    let rows = chunks::list(&mut tx, id, after, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |chunk| chunk.place).map(ChunkView::from)))
}
