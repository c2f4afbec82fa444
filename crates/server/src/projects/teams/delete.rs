//! `DELETE /api/v1/projects/{id}/teams/{team_id}`: takes a team out of a project.

use domain::access::can;
use domain::{ProjectId, TeamId};
use serde_json::json;
use store::audit::Event;
use store::org::projects;

use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::Done;

pub(crate) async fn delete(
    local: Local<can::ProjectsMembers>,
    Path((id, team)): Path<(ProjectId, TeamId)>,
) -> Result<Done> {
    let (caller, _) = local.project(id).await?;
    let mut tx = caller.begin().await?;
    if !projects::remove_team(&mut tx, id, team).await? {
        return Err(Problem::not_found());
    }
    tx.record(Event::new("project.team_removed", id).detail(json!({ "team": team }))).await?;
    caller.commit(tx, Done).await
}
