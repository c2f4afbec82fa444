//! `DELETE /api/v1/limits/{id}`: takes a rate limit away.

use domain::LimitId;
use domain::access::can;
use store::audit::Event;
use store::org::rate_limits;

use crate::http::body::{IfMatch, Path};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn delete(
    caller: Caller<can::LimitsWrite>,
    Path(id): Path<LimitId>,
    expected: IfMatch,
) -> Result<Done> {
    let mut tx = caller.begin().await?;
    let limit = rate_limits::get(&mut tx, id).await?;
    expected.check(limit.version)?;
    rate_limits::delete(&mut tx, id).await?;
    tx.record(Event::new("limit.deleted", id).before(&limit)).await?;
    let reply = caller.commit(tx, Done).await?;
    caller.app().rules.forget(caller.scope());
    Ok(reply)
}
