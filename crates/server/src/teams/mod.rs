//! Teams: a tree of groups of people inside an organisation.

mod create;
mod delete;
mod get;
mod list;
mod members;
mod update;

use domain::text::TeamName;
use domain::{TeamId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::teams::Team;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/teams", "Lists the teams.", list::list)
        .post("/api/v1/teams", "Makes a team, at the top or below another.", create::create)
        .get("/api/v1/teams/{id}", "Shows a team.", get::get)
        .patch("/api/v1/teams/{id}", "Renames or moves a team.", update::update)
        .delete("/api/v1/teams/{id}", "Deletes a team that has none below it.", delete::delete)
        .get("/api/v1/teams/{id}/members", "Lists who is in a team.", members::list::list)
        .put("/api/v1/teams/{id}/members/{user_id}", "Gives somebody a role in a team.", members::put::put)
        .delete("/api/v1/teams/{id}/members/{user_id}", "Takes somebody out of a team.", members::delete::delete)
}

/// A team.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Team")]
pub(crate) struct TeamView {
    id: TeamId,
    /// The team above it.
    parent_id: Option<TeamId>,
    name: TeamName,
    created_at: Time,
    updated_at: Time,
}

impl From<Team> for TeamView {
    fn from(team: Team) -> Self {
        Self {
            id: team.id,
            parent_id: team.parent_id,
            name: team.name,
            created_at: team.created_at,
            updated_at: team.updated_at,
        }
    }
}
