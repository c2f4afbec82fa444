//! `PUT /api/v1/projects/{id}/teams/{team_id}`: puts a team into a project, or gives it another role in it.

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::{ProjectId, TeamId};
use serde_json::json;
use store::audit::Event;
use store::org::projects::{self, ProjectTeam};
use store::org::teams;

use super::ProjectTeamView;
use crate::http::body::{Body, Path};
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::granting::GiveRole;
use crate::http::reply::Found;

pub(crate) async fn put(
    local: Local<can::ProjectsMembers>,
    Path((id, team)): Path<(ProjectId, TeamId)>,
    Body(body): Body<GiveRole>,
) -> Result<Found<ProjectTeamView>> {
    let (caller, project) = local.project(id).await?;
    caller.may_give(body.role, Object::Project { id, open: project.open }).await?;
    let given = ProjectTeam { project_id: id, team_id: team, role: body.role, created_at: caller.ambient().now() };
    let mut tx = caller.begin().await?;
    projects::get(&mut tx, id).await?;
    // A custom role may have been deleted meanwhile.
    tenancy::roles::permissions(&mut tx, body.role).await?;
    teams::get(&mut tx, team).await?;
    if !caller.scope().grants().allow(Permission::TeamsRead, Object::Team(team)) {
        return Err(Problem::not_found());
    }
    projects::add_team(&mut tx, &given).await?;
    let event = Event::new("project.team_set", id).after(&given).detail(json!({ "team": team, "role": body.role }));
    tx.record(event).await?;
    caller.commit(tx, Found(given.into())).await
}
