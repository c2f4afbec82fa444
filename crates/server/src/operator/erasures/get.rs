//! `GET /api/v1/operator/erasures/{id}`: shows the receipt of an erasure.

use domain::ErasureId;
use store::control::erasures;

use super::ErasureView;
use crate::http::body::Path;
use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::Found;

pub(crate) async fn get(operator: Operator, Path(id): Path<ErasureId>) -> Result<Found<ErasureView>> {
    let store = operator.person().store();
    let mut tx = store.read_control().await?;
    Ok(Found(ErasureView::of(store, erasures::get(&mut tx, id).await?)))
}
