//! `PATCH /api/v1/limits/{id}`: changes how much a rate limit lets through. What was taken stays taken.

use domain::LimitId;
use domain::access::can;
use schemars::JsonSchema;
use serde::Deserialize;
use store::audit::Event;
use store::org::rate_limits;

use super::{LimitView, check};
use crate::http::body::{Body, IfMatch, Path, present};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays, `null` takes a bound away.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateLimit {
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<i64>")]
    requests_per_minute: Option<Option<i64>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<i64>")]
    tokens_per_minute: Option<Option<i64>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<i64>")]
    concurrency: Option<Option<i64>>,
}

pub(crate) async fn update(
    caller: Caller<can::LimitsWrite>,
    Path(id): Path<LimitId>,
    expected: IfMatch,
    Body(body): Body<UpdateLimit>,
) -> Result<Versioned<Found<LimitView>>> {
    let mut tx = caller.begin().await?;
    let before = rate_limits::get(&mut tx, id).await?;
    expected.check(before.version)?;
    let mut limit = before.clone();
    limit.requests_per_minute = body.requests_per_minute.unwrap_or(limit.requests_per_minute);
    limit.tokens_per_minute = body.tokens_per_minute.unwrap_or(limit.tokens_per_minute);
    limit.concurrency = body.concurrency.unwrap_or(limit.concurrency);
    check(&limit)?;
    rate_limits::update(&mut tx, &limit).await?;
    let limit = rate_limits::get(&mut tx, id).await?;
    tx.record(Event::new("limit.updated", id).before(&before).after(&limit)).await?;
    let reply = caller.commit(tx, Versioned(limit.version, Found(limit.into()))).await?;
    caller.app().rules.forget(caller.scope());
    Ok(reply)
}
