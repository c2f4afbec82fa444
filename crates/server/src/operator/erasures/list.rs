//! `GET /api/v1/operator/erasures`: lists the receipts of erasures, the newest first.

use store::control::erasures;

use super::ErasureView;
use crate::http::body::Query;
use crate::http::caller::Operator;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(operator: Operator, Query(paging): Query<Paging>) -> Result<Found<Page<ErasureView>>> {
    let limit = cursor::limit(paging.limit)?;
    let bound = operator.person().list("operator/erasures");
    let before = bound.read(paging.cursor.as_deref())?;
    let store = operator.person().store();
    let mut tx = store.read_control().await?;
    let rows = erasures::list(&mut tx, before, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |erasure| erasure.id).map(|erasure| ErasureView::of(store, erasure))))
}
