//! `GET /api/v1/collections/{id}/sources`: lists the sources of a collection, in the order in which they were set up.

use domain::access::{Permission, can};
use domain::{CollectionId, SourceId};
use store::org::knowledge::sources;

use super::SourceView;
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
) -> Result<Found<Page<SourceView>>> {
    let caller = local.each();
    let limit = cursor::limit(paging.limit)?;
    let mut tx = caller.read().await?;
    sight::find(&mut tx, caller.scope(), Permission::KnowledgeRead, id).await?;
    let bound = caller.list("sources", &id);
    let after: Option<SourceId> = bound.read(paging.cursor.as_deref())?;
    let rows = sources::list(&mut tx, id, after, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |source| source.id).map(SourceView::from)))
}
