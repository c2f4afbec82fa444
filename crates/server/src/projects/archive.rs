//! `PUT /api/v1/projects/{id}/archive`: archives a project. Repeating it changes nothing.

use domain::access::can;
use domain::{ProjectId, Time};
use store::audit::Event;
use store::org::projects::{self, Project};

use super::ProjectView;
use crate::http::body::{IfMatch, Path};
use crate::http::caller::{Caller, Local};
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn archive(
    local: Local<can::ProjectsUpdate>,
    Path(id): Path<ProjectId>,
    expected: IfMatch,
) -> Result<Versioned<Found<ProjectView>>> {
    let (caller, _) = local.project(id).await?;
    let now = caller.ambient().now();
    set(&caller, id, expected, Some(now), "project.archived").await
}

/// Archives or restores; one that is so already stays as it is.
pub(super) async fn set(
    caller: &Caller<can::ProjectsUpdate>,
    id: ProjectId,
    expected: IfMatch,
    archived_at: Option<Time>,
    action: &'static str,
) -> Result<Versioned<Found<ProjectView>>> {
    let mut tx = caller.begin().await?;
    let before = projects::get(&mut tx, id).await?;
    expected.check(before.version)?;
    if before.archived_at.is_some() == archived_at.is_some() {
        return Ok(Versioned(before.version, Found(before.into())));
    }
    projects::update(&mut tx, &Project { archived_at, ..before.clone() }).await?;
    let project = projects::get(&mut tx, id).await?;
    tx.record(Event::new(action, id).before(&before).after(&project)).await?;
    caller.commit(tx, Versioned(project.version, Found(project.into()))).await
}
