//! `PATCH /api/v1/sources/{id}`: changes what a source is called, or when it is asked by itself.

use std::time::Duration;

use domain::SourceId;
use domain::access::{Permission, can};
use domain::plan::Meter;
use domain::text::DocumentTitle;
use schemars::JsonSchema;
use serde::Deserialize;
use store::audit::Event;
use store::org::knowledge::sources;
use tenancy::entitlements;

use super::{SourceView, find, hours, queue};
use crate::http::body::{Body, IfMatch, Path, present};
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateSource {
    #[serde(default)]
    name: Option<DocumentTitle>,
    /// After how many hours it is asked by itself, 1 to 720, counted from its last round; `null` for only by hand.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<i64>")]
    every: Option<Option<i64>>,
}

pub(crate) async fn update(
    local: Local<can::KnowledgeWrite>,
    Path(id): Path<SourceId>,
    expected: IfMatch,
    Body(body): Body<UpdateSource>,
) -> Result<Versioned<Found<SourceView>>> {
    let caller = local.each();
    let every = body.every.map(hours).transpose()?;
    let mut tx = caller.read().await?;
    find(&mut tx, caller.scope(), Permission::KnowledgeRead, id).await?;
    drop(tx);
    let room = entitlements::room(caller.house(), caller.org(), Meter::Schedules).await?;
    // Whoever comes for it reads in the source when it is due.
    if every.flatten().is_some() {
        queue(&caller, id).await?;
    }
    let mut tx = caller.begin().await?;
    let (before, seen) = find(&mut tx, caller.scope(), Permission::KnowledgeRead, id).await?;
    if !seen.may_change_added(caller.scope(), before.made_by) {
        drop(tx);
        return Err(caller.deny(Permission::KnowledgeManage, &id.to_string()).await);
    }
    seen.place.require_changeable()?;
    expected.check(before.version)?;
    let mut source = before.clone();
    if let Some(name) = body.name {
        name.as_str().clone_into(&mut source.name);
    }
    if let Some(every) = every.filter(|every| *every != before.every_hours) {
        if every.is_some() {
            room.require(sources::scheduled(&mut tx, id, false).await?)?;
        }
        let pause = |hours: i64| Duration::from_hours(hours.unsigned_abs());
        let last = before.synced_at.unwrap_or(before.created_at);
        source.next_sync_at = every.map(|hours| (last + pause(hours)).max(caller.ambient().now()));
        (source.every_hours, source.failures) = (every, 0);
    }
    sources::update(&mut tx, &source).await?;
    let source = sources::get(&mut tx, id).await?;
    tx.record(Event::new("source.updated", id).before(&before).after(&source)).await?;
    let reply = caller.commit(tx, Versioned(source.version, Found(source.into()))).await?;
    caller.store().wake_workers();
    Ok(reply)
}
