//! `GET /api/v1/threads/{id}/shares`: lists with whom a conversation is shared, for whose it is.

use domain::ThreadId;
use domain::access::can;
use store::org::knowledge::thread_shares;

use crate::http::body::{Path, Query};
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};
use crate::knowledge::share::ShareView;
use crate::threads::own_in;

pub(crate) async fn list(
    local: Local<can::AnswersUse>,
    Path(id): Path<ThreadId>,
    Query(paging): Query<Paging>,
) -> Result<Found<Page<ShareView>>> {
    let caller = local.each();
    let (mut tx, ..) = own_in(&caller, caller.read().await?, id).await?;
    let limit = cursor::limit(paging.limit)?;
    let bound = caller.list("thread shares", &id);
    let after = bound.read(paging.cursor.as_deref())?;
    let rows = thread_shares::list(&mut tx, id, after, limit + 1).await?;
    let page = bound.page(rows, limit, |(subject, _)| *subject);
    Ok(Found(page.map(|(subject, since)| ShareView::of(subject, since))))
}
