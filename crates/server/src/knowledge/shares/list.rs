//! `GET /api/v1/collections/{id}/shares` and `GET /api/v1/threads/{id}/shares`: lists with whom something is shared, for those who may
//! change that.

use store::org::knowledge::shares;

use super::{ShareView, Shareable};
use crate::http::body::{Path, Query};
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list<S: Shareable>(
    local: Local<S::Can>,
    Path(id): Path<S>,
    Query(paging): Query<Paging>,
) -> Result<Found<Page<ShareView>>> {
    let caller = local.each();
    let mut tx = id.look(&caller, caller.read().await?).await?;
    let limit = cursor::limit(paging.limit)?;
    let bound = caller.list(&format!("{} shares", S::NAME), &id);
    let after = bound.read(paging.cursor.as_deref())?;
    let rows = shares::list(&mut tx, id.shared(), after, limit + 1).await?;
    let page = bound.page(rows, limit, |(subject, _)| *subject);
    Ok(Found(page.map(|(subject, since)| ShareView::of(subject, since))))
}
