//! `GET /api/v1/limits/{id}`: shows a rate limit.

use domain::LimitId;
use domain::access::can;
use store::org::rate_limits;

use super::LimitView;
use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(
    caller: Caller<can::LimitsRead>,
    Path(id): Path<LimitId>,
) -> Result<Versioned<Found<LimitView>>> {
    let limit = rate_limits::get(&mut caller.read().await?, id).await?;
    Ok(Versioned(limit.version, Found(limit.into())))
}
