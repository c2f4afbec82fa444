//! `POST /api/v1/projects`: makes a project.

use domain::access::can;
use domain::plan::Meter;
use domain::role::Role;
use domain::text::{Description, ProjectName};
use schemars::JsonSchema;
use serde::Deserialize;
use store::audit::Event;
use store::org::members::{self, Member};
use store::org::projects::{self, Project};
use tenancy::entitlements;

use super::ProjectView;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Created, Versioned};

/// A project to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateProject {
    name: ProjectName,
    #[serde(default)]
    description: Description,
    /// Whether all members of the organisation reach it; a project is private unless it is said.
    #[serde(default)]
    open: bool,
}

/// Who makes a project becomes its admin, or a private one would be out of its maker's reach. As its admin they could open it, and
/// an open one that is new gives nobody more than they hold at the organisation: there is nothing in it yet.
pub(crate) async fn create(
    caller: Caller<can::ProjectsCreate>,
    Body(body): Body<CreateProject>,
) -> Result<Versioned<Created<ProjectView>>> {
    let now = caller.ambient().now();
    let project = Project {
        id: caller.ambient().id(),
        name: body.name,
        description: body.description,
        open: body.open,
        archived_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let maker = Member {
        place_id: project.id,
        user_id: caller.user(),
        membership_id: caller.scope().membership(),
        role: Role::ADMIN,
        created_at: now,
    };
    let room = entitlements::room(caller.house(), caller.org(), Meter::Projects).await?;
    let mut tx = caller.begin().await?;
    room.require(projects::count(&mut tx).await?)?;
    projects::insert(&mut tx, &project).await?;
    members::put(&mut tx, &maker).await?;
    tx.record(Event::new("project.created", project.id).after(&project)).await?;
    caller.commit(tx, Versioned(project.version, Created(project.into()))).await
}
