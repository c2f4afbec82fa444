//! `GET /api/v1/collections/{id}/shares`: lists with whom a collection is shared, for those who may change that.

use domain::CollectionId;
use domain::access::{Permission, can};
use store::org::knowledge::collections;

use crate::http::body::{Path, Query};
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};
use crate::knowledge::share::ShareView;
use crate::knowledge::sight;

pub(crate) async fn list(
    local: Local<can::KnowledgeWrite>,
    Path(id): Path<CollectionId>,
    Query(paging): Query<Paging>,
) -> Result<Found<Page<ShareView>>> {
    let caller = local.each();
    let mut tx = caller.read().await?;
    let seen = sight::find(&mut tx, caller.scope(), Permission::KnowledgeRead, id).await?;
    if !seen.may_change(caller.scope()) {
        drop(tx);
        return Err(caller.deny(Permission::KnowledgeManage, &id.to_string()).await);
    }
    let limit = cursor::limit(paging.limit)?;
    let bound = caller.list("collection shares", &id);
    let after = bound.read(paging.cursor.as_deref())?;
    let rows = collections::shares(&mut tx, id, after, limit + 1).await?;
    let page = bound.page(rows, limit, |(subject, _)| *subject);
    Ok(Found(page.map(|(subject, since)| ShareView::of(subject, since))))
}
