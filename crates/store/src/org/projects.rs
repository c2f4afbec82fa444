//! Projects: groups of things, and the teams that were given a role in them.

use domain::role::Role;
use domain::text::{Description, ProjectName};
use domain::{ProjectId, TeamId, Time};
use serde::{Deserialize, Serialize};

use super::Tx;
use crate::sql::after_id;
use crate::{Error, OrNotFound, OrTaken, Result};

/// A project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Project {
    /// The id.
    pub id: ProjectId,
    /// What it is called, unique in the organisation.
    pub name: ProjectName,
    /// What it is for.
    pub description: Description,
    /// Whether all members reach it with their role at the organisation.
    pub open: bool,
    /// When it was archived.
    pub archived_at: Option<Time>,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// How many projects there are.
/// # Errors
/// As the database.
pub async fn count(tx: &mut Tx) -> Result<i64> {
    tx.sql("SELECT count(*) FROM projects").one().await
}

/// Adds a project.
/// # Errors
/// [`Error::Taken`] when the name is in use.
pub async fn insert(tx: &mut Tx, project: &Project) -> Result<()> {
    tx.sql(
        "INSERT INTO projects (id, name, description, open, archived_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(project.id)
    .bind(&project.name)
    .bind(&project.description)
    .bind(project.open)
    .bind(project.archived_at)
    .bind(project.created_at)
    .run()
    .await
    .or_taken("project name")?;
    Ok(())
}

/// The project with this id, if there is one.
/// # Errors
/// As the database.
pub async fn find(tx: &mut Tx, id: ProjectId) -> Result<Option<Project>> {
    tx.sql(
        "SELECT id, name, description, open, archived_at, version, created_at, updated_at FROM projects WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
}

/// The project with this id.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, id: ProjectId) -> Result<Project> {
    find(tx, id).await.or_not_found("project")
}

/// All projects, archived or not or both, by id, at most `limit` after the one given. Knows nothing of rights: the caller drops
/// what must not be seen, and reads on until its page is full.
/// # Errors
/// As the database.
pub async fn list_all(
    tx: &mut Tx,
    archived: Option<bool>,
    after: Option<ProjectId>,
    limit: i64,
) -> Result<Vec<Project>> {
    tx.sql(
        "SELECT id, name, description, open, archived_at, version, created_at, updated_at FROM projects
         WHERE ($1 IS NULL OR (archived_at IS NOT NULL) = $1) AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(archived)
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// Writes back what can change of a project; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given; [`Error::Taken`] when the name is in use.
pub async fn update(tx: &mut Tx, project: &Project) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE projects SET name = $2, description = $3, open = $4, archived_at = $5, version = version + 1,
                                 updated_at = $6
             WHERE id = $1 AND version = $7",
        )
        .bind(project.id)
        .bind(&project.name)
        .bind(&project.description)
        .bind(project.open)
        .bind(project.archived_at)
        .bind(now)
        .bind(project.version)
        .run()
        .await
        .or_taken("project name")?;
    // Whether it is open decides who may work in it.
    tx.shift_authority();
    if changed == 0 { Err(Error::Stale("project")) } else { Ok(()) }
}

/// Removes a project, its budgets and rate limits, its collections and conversations, and what people and teams were given in it.
/// # Errors
/// [`Error::NotFound`] when there is no such project.
pub async fn delete(tx: &mut Tx, id: ProjectId) -> Result<()> {
    tx.sql("DELETE FROM budgets WHERE level = 'project' AND subject = $1").bind(id).run().await?;
    tx.sql("DELETE FROM rate_limits WHERE level = 'project' AND subject = $1").bind(id).run().await?;
    let removed = tx.sql("DELETE FROM projects WHERE id = $1").bind(id).run().await?;
    super::knowledge::citings::forget_gone(tx).await?;
    super::knowledge::forgotten(tx).await?;
    tx.shift_authority();
    if removed == 0 { Err(Error::NotFound("project")) } else { Ok(()) }
}

/// A team in a project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProjectTeam {
    /// The project.
    pub project_id: ProjectId,
    /// The team.
    pub team_id: TeamId,
    /// The role that its people have in the project.
    pub role: Role,
    /// Since when they have it.
    pub created_at: Time,
}

/// Puts a team into a project; takes the place of the role it has there.
/// # Errors
/// [`Error::Refused`] when there is no such project or team.
pub async fn add_team(tx: &mut Tx, team: &ProjectTeam) -> Result<()> {
    remove_team(tx, team.project_id, team.team_id).await?;
    tx.sql("INSERT INTO project_teams (project_id, team_id, role, created_at) VALUES ($1, $2, $3, $4)")
        .bind(team.project_id)
        .bind(team.team_id)
        .bind(team.role)
        .bind(team.created_at)
        .run()
        .await?;
    Ok(())
}

/// Takes a team out of a project; says whether it was in it.
/// # Errors
/// As the database.
pub async fn remove_team(tx: &mut Tx, project: ProjectId, team: TeamId) -> Result<bool> {
    let removed = tx
        .sql("DELETE FROM project_teams WHERE project_id = $1 AND team_id = $2")
        .bind(project)
        .bind(team)
        .run()
        .await?;
    tx.shift_authority();
    Ok(removed > 0)
}

/// What being in a team gives in projects: what was given to it and to the teams above it.
/// # Errors
/// As the database.
pub async fn given_by_team(tx: &mut Tx, team: TeamId) -> Result<Vec<(ProjectId, bool, Role)>> {
    tx.sql(
        "SELECT p.id, p.open, g.role FROM project_teams g JOIN projects p ON p.id = g.project_id
         WHERE g.team_id IN (
           WITH RECURSIVE up (id, parent_id) AS (
             SELECT id, parent_id FROM teams WHERE id = $1
             UNION SELECT t.id, t.parent_id FROM teams t JOIN up ON t.id = up.parent_id)
           SELECT id FROM up)",
    )
    .bind(team)
    .all()
    .await
}

/// The teams that were put into a project, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list_teams(
    tx: &mut Tx,
    project: ProjectId,
    after: Option<TeamId>,
    limit: i64,
) -> Result<Vec<ProjectTeam>> {
    tx.sql(
        "SELECT project_id, team_id, role, created_at FROM project_teams
         WHERE project_id = $1 AND team_id > $2 ORDER BY team_id LIMIT $3",
    )
    .bind(project)
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}
