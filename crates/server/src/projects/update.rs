//! `PATCH /api/v1/projects/{id}`: changes a project's name, description, or who reaches it.

use domain::ProjectId;
use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::text::{Description, ProjectName};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::org::projects;
use tenancy::roles;

use super::ProjectView;
use crate::http::body::{Body, IfMatch, Path};
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateProject {
    #[serde(default)]
    name: Option<ProjectName>,
    #[serde(default)]
    description: Option<Description>,
    /// Whether all members of the organisation reach it. Takes `projects.members` too, and to open it all that members get there.
    #[serde(default)]
    open: Option<bool>,
}

pub(crate) async fn update(
    local: Local<can::ProjectsUpdate>,
    Path(id): Path<ProjectId>,
    expected: IfMatch,
    Body(body): Body<UpdateProject>,
) -> Result<Versioned<Found<ProjectView>>> {
    let (caller, project) = local.project(id).await?;
    let gives_access = body.open.is_some_and(|open| open != project.open);
    let object = Object::Project { id, open: project.open };
    if gives_access && !caller.scope().grants().allow(Permission::ProjectsMembers, object) {
        return Err(caller.deny(Permission::ProjectsMembers, &id.to_string()).await);
    }
    if gives_access && !project.open {
        caller.told(roles::opening_within(caller.house(), caller.scope(), id).await, id).await?;
    }
    let mut tx = caller.begin().await?;
    let before = projects::get(&mut tx, id).await?;
    expected.check(before.version)?;
    // What it takes to open or close it was asked of the project as it was a moment ago.
    if body.open.is_some() && before.open != project.open {
        return Err(store::Error::Stale("project").into());
    }
    if before.archived_at.is_some() {
        return Err(Problem::new("conflict", "The project is archived; restore it first."));
    }
    let mut project = before.clone();
    if let Some(name) = body.name {
        project.name = name;
    }
    if let Some(description) = body.description {
        project.description = description;
    }
    if let Some(open) = body.open {
        project.open = open;
    }
    projects::update(&mut tx, &project).await?;
    let project = projects::get(&mut tx, id).await?;
    let detail = json!({ "open": { "from": before.open, "to": project.open } });
    tx.record(Event::new("project.updated", id).before(&before).after(&project).detail(detail)).await?;
    caller.commit(tx, Versioned(project.version, Found(project.into()))).await
}
