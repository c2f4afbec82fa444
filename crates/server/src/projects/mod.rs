//! Projects: groups of things inside an organisation, private unless they are open to all its members.

mod archive;
mod create;
mod delete;
mod get;
mod list;
mod members;
mod restore;
mod teams;
mod update;

use domain::text::{Description, ProjectName};
use domain::{ProjectId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::projects::Project;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/projects", "Lists the projects that the caller can see.", list::list)
        .post("/api/v1/projects", "Makes a project; its maker becomes its admin.", create::create)
        .get("/api/v1/projects/{id}", "Shows a project.", get::get)
        .patch("/api/v1/projects/{id}", "Changes a project.", update::update)
        .delete("/api/v1/projects/{id}", "Deletes an archived project and all its keys.", delete::delete)
        .put("/api/v1/projects/{id}/archive", "Archives a project: nothing in it changes any more.", archive::archive)
        .delete("/api/v1/projects/{id}/archive", "Restores an archived project.", restore::restore)
        .get("/api/v1/projects/{id}/members", "Lists who was put into a project.", members::list::list)
        .put("/api/v1/projects/{id}/members/{user_id}", "Gives somebody a role in a project.", members::put::put)
        .delete("/api/v1/projects/{id}/members/{user_id}", "Takes somebody out of a project.", members::delete::delete)
        .get("/api/v1/projects/{id}/teams", "Lists the teams that were put into a project.", teams::list::list)
        .put("/api/v1/projects/{id}/teams/{team_id}", "Gives a team a role in a project.", teams::put::put)
        .delete("/api/v1/projects/{id}/teams/{team_id}", "Takes a team out of a project.", teams::delete::delete)
}

/// A project.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Project")]
pub(crate) struct ProjectView {
    id: ProjectId,
    name: ProjectName,
    description: Description,
    /// Whether all members of the organisation reach it, each with their role there.
    open: bool,
    /// When it was archived.
    archived_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self {
            id: project.id,
            name: project.name,
            description: project.description,
            open: project.open,
            archived_at: project.archived_at,
            created_at: project.created_at,
            updated_at: project.updated_at,
        }
    }
}
