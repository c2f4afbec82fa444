//! `GET /api/v1/jobs/{id}`: shows how far a job is.

use domain::JobId;
use domain::access::can;

use super::{JobView, find};
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::Found;

pub(crate) async fn get(local: Local<can::KnowledgeRead>, Path(id): Path<JobId>) -> Result<Found<JobView>> {
    let caller = local.each();
    let mut tx = caller.read().await?;
    Ok(Found(find(&mut tx, caller.scope(), id).await?))
}
