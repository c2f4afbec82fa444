//! `PUT /api/v1/user/config/restore`: goes back to an earlier version of the own configuration, as a new version.

use domain::access::can;
use schemars::JsonSchema;
use serde::Deserialize;
use store::org::configs;

use super::update::write;
use super::{ConfigView, parse};
use crate::http::body::{Body, IfMatch};
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};

/// Which version.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestoreConfig {
    version: u32,
}

pub(crate) async fn restore(
    caller: Caller<can::ConfigWrite>,
    expected: IfMatch,
    Body(body): Body<RestoreConfig>,
) -> Result<Versioned<Found<ConfigView>>> {
    let mut tx = caller.begin().await?;
    let stored = configs::current(&mut tx, caller.user()).await?;
    let version = stored.as_ref().map_or(0, |stored| stored.version);
    expected.check(version)?;
    let wanted = i64::from(body.version);
    let earlier = configs::versions(&mut tx, caller.user(), Some(wanted + 1), 1).await?.pop();
    let earlier = earlier.filter(|earlier| earlier.version == wanted);
    let earlier = earlier.ok_or_else(|| Problem::field("version", "is none of the versions that are kept"))?;
    write(&caller, tx, version, &parse(stored.as_ref())?, &parse(Some(&earlier))?).await
}
