//! `PATCH /api/v1/user/config`: changes the own configuration.

use domain::access::can;
use domain::config::{Config, ConfigPatch};
use store::Tx;
use store::audit::Event;
use store::org::configs;

use super::{ConfigView, parse};
use crate::http::body::{Body, IfMatch};
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};

pub(crate) async fn update(
    caller: Caller<can::ConfigWrite>,
    expected: IfMatch,
    Body(patch): Body<ConfigPatch>,
) -> Result<Versioned<Found<ConfigView>>> {
    let mut tx = caller.begin().await?;
    let stored = configs::current(&mut tx, caller.user()).await?;
    expected.check(stored.as_ref().map_or(0, |stored| stored.version))?;
    let before = parse(stored.as_ref())?;
    let after = before.clone().merge(patch).map_err(|error| Problem::field("notifications", error.to_string()))?;
    write(&caller, tx, stored.map_or(0, |stored| stored.version), &before, &after).await
}

/// Writes a configuration as the next version.
pub(super) async fn write(
    caller: &Caller<can::ConfigWrite>,
    mut tx: Tx,
    version: i64,
    before: &Config,
    after: &Config,
) -> Result<Versioned<Found<ConfigView>>> {
    let value = serde_json::to_string(after).map_err(|error| Problem::internal(error.to_string()))?;
    let version = configs::put(&mut tx, caller.user(), version, &value).await?;
    tx.record(Event::new("config.updated", caller.user()).before(before).after(after)).await?;
    let stored = configs::Config { version, value, created_at: caller.ambient().now() };
    let rules = caller.app().rules.of(caller.scope()).await?;
    caller.commit(tx, Versioned(version, Found(ConfigView::of(Some(&stored), rules.zone())?))).await
}
