//! `GET /api/v1/user/config/versions`: lists the versions of the own configuration, the newest first; the last fifty are kept.

use domain::access::can;
use store::org::configs;

use super::ConfigView;
use crate::http::body::Query;
use crate::http::caller::Caller;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(
    caller: Caller<can::ConfigRead>,
    Query(paging): Query<Paging>,
) -> Result<Found<Page<ConfigView>>> {
    let limit = cursor::limit(paging.limit)?;
    let bound = caller.list("configurations", &());
    let before = bound.read(paging.cursor.as_deref())?;
    let rules = caller.app().rules.of(caller.scope()).await?;
    let mut tx = caller.read().await?;
    let rows = configs::versions(&mut tx, caller.user(), before, limit + 1).await?;
    let views = rows.iter().map(|row| ConfigView::of(Some(row), rules.zone())).collect::<Result<Vec<_>>>()?;
    Ok(Found(bound.page(views, limit, |view| view.version)))
}
