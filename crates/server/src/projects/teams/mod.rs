//! The teams that were put into a project: their people, and those of the teams below them, have the role there.

pub(super) mod delete;
pub(super) mod list;
pub(super) mod put;

use domain::role::Role;
use domain::{TeamId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::projects::ProjectTeam;

/// A team in a project.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ProjectTeam")]
pub(crate) struct ProjectTeamView {
    team_id: TeamId,
    /// The role that the team's people have in the project.
    role: Role,
    /// Since when they have it.
    created_at: Time,
}

impl From<ProjectTeam> for ProjectTeamView {
    fn from(team: ProjectTeam) -> Self {
        Self { team_id: team.team_id, role: team.role, created_at: team.created_at }
    }
}
