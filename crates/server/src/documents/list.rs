//! `GET /api/v1/collections/{id}/documents`: lists the documents of a collection, in the order in which they came.

use domain::CollectionId;
use domain::access::{Permission, can};
use store::org::knowledge::documents;

use super::DocumentView;
use crate::http::body::{Path, Query};
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};
use crate::knowledge::sight;

pub(crate) async fn list(
    local: Local<can::KnowledgeRead>,
    Path(id): Path<CollectionId>,
    Query(paging): Query<Paging>,
) -> Result<Found<Page<DocumentView>>> {
    let caller = local.each();
    let limit = cursor::limit(paging.limit)?;
    let bound = caller.list("documents", &id);
    let mut tx = caller.read().await?;
    sight::find(&mut tx, caller.scope(), Permission::KnowledgeRead, id).await?;
    let after = bound.read(paging.cursor.as_deref())?;
    let rows = documents::list(&mut tx, id, after, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |document| document.id).map(DocumentView::from)))
}
