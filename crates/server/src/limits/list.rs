//! `GET /api/v1/limits`: lists the rate limits.

use domain::access::can;
use store::org::rate_limits;

use super::LimitView;
use crate::http::body::Query;
use crate::http::caller::Caller;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(
    caller: Caller<can::LimitsRead>,
    Query(query): Query<Paging>,
) -> Result<Found<Page<LimitView>>> {
    let limit = cursor::limit(query.limit)?;
    let bound = caller.list("limits", &());
    let after = bound.read(query.cursor.as_deref())?;
    let rows = rate_limits::list(&mut caller.read().await?, after, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |row| row.id).map(LimitView::from)))
}
