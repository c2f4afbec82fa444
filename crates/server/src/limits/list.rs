//! `GET /api/v1/limits`: lists the rate limits that the caller may know of.

use domain::access::can;

use super::LimitView;
use super::sight::Sight;
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
    let rows = Sight::of(&caller).list(after, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |row| row.id).map(LimitView::from)))
}
