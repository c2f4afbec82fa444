//! `GET /api/v1/limits/{id}`: shows a rate limit.

use domain::LimitId;
use domain::access::can;

use super::LimitView;
use super::sight::Sight;
use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(
    caller: Caller<can::LimitsRead>,
    Path(id): Path<LimitId>,
) -> Result<Versioned<Found<LimitView>>> {
    let limit = Sight::of(&caller).get(id).await?;
    Ok(Versioned(limit.version, Found(limit.into())))
}
