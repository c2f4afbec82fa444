//! Teams: groups of people, in a tree. Who is in a team is in the teams above it.

use domain::role::Role;
use domain::text::TeamName;
use domain::{TeamId, Time};
use serde::{Deserialize, Serialize};

use super::Tx;
use crate::sql::after_id;
use crate::{Error, OrNotFound, OrTaken, Result};

/// The most levels of a tree of teams. Whoever is in a team is in all above it, so a tree without bound would cost every request
/// of its people more than its square.
const LEVELS: i64 = 16;

/// A team.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Team {
    /// The id.
    pub id: TeamId,
    /// The team above it.
    pub parent_id: Option<TeamId>,
    /// What it is called, unique among its siblings.
    pub name: TeamName,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// How many teams there are.
/// # Errors
/// As the database.
pub async fn count(tx: &mut Tx) -> Result<i64> {
    tx.sql("SELECT count(*) FROM teams").one().await
}

/// Adds a team.
/// # Errors
/// [`Error::Taken`] when a sibling has the name; [`Error::Refused`] when the team above does not exist, or is on the lowest level
/// that a tree can have.
pub async fn insert(tx: &mut Tx, team: &Team) -> Result<()> {
    if let Some(parent) = team.parent_id {
        refuse_deeper(levels_above(tx, parent).await? + 1)?;
    }
    tx.sql("INSERT INTO teams (id, parent_id, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)")
        .bind(team.id)
        .bind(team.parent_id)
        .bind(&team.name)
        .bind(team.created_at)
        .run()
        .await
        .or_taken("team name")?;
    // What is held at the team above holds here too.
    tx.shift_authority();
    Ok(())
}

/// The team with this id, if there is one.
/// # Errors
/// As the database.
pub async fn find(tx: &mut Tx, id: TeamId) -> Result<Option<Team>> {
    tx.sql("SELECT id, parent_id, name, version, created_at, updated_at FROM teams WHERE id = $1")
        .bind(id)
        .optional()
        .await
}

/// The team with this id.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, id: TeamId) -> Result<Team> {
    find(tx, id).await.or_not_found("team")
}

/// All teams, by id, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, after: Option<TeamId>, limit: i64) -> Result<Vec<Team>> {
    tx.sql(
        "SELECT id, parent_id, name, version, created_at, updated_at FROM teams
         WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// Writes back a team's name and the team above it; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given; [`Error::Taken`] when a sibling has the name; [`Error::Refused`] when
/// the team above is the team itself, is below it, does not exist, or leaves too few levels for those below.
pub async fn update(tx: &mut Tx, team: &Team) -> Result<()> {
    if let Some(parent) = team.parent_id {
        if is_above(tx, team.id, parent).await? {
            return Err(Error::Refused("a team cannot be below itself".into()));
        }
        refuse_deeper(levels_above(tx, parent).await? + levels_below(tx, team.id).await?)?;
    }
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE teams SET parent_id = $2, name = $3, version = version + 1, updated_at = $4
             WHERE id = $1 AND version = $5",
        )
        .bind(team.id)
        .bind(team.parent_id)
        .bind(&team.name)
        .bind(now)
        .bind(team.version)
        .run()
        .await
        .or_taken("team name")?;
    tx.shift_authority();
    if changed == 0 { Err(Error::Stale("team")) } else { Ok(()) }
}

fn refuse_deeper(levels: i64) -> Result<()> {
    if levels <= LEVELS {
        return Ok(());
    }
    Err(Error::Refused(format!("teams are at most {LEVELS} levels deep")))
}

/// On which level a team is, counted from the top.
async fn levels_above(tx: &mut Tx, team: TeamId) -> Result<i64> {
    tx.sql(
        "SELECT CAST(COALESCE(MAX(level), 0) AS BIGINT) FROM (
           WITH RECURSIVE up (parent_id, level) AS (
             SELECT parent_id, 1 FROM teams WHERE id = $1
             UNION ALL SELECT t.parent_id, up.level + 1 FROM teams t JOIN up ON t.id = up.parent_id WHERE up.level < 100)
           SELECT level FROM up) levels",
    )
    .bind(team)
    .one()
    .await
}

/// How many levels a team and those below it take.
async fn levels_below(tx: &mut Tx, team: TeamId) -> Result<i64> {
    tx.sql(
        "SELECT CAST(COALESCE(MAX(level), 0) AS BIGINT) FROM (
           WITH RECURSIVE down (id, level) AS (
             SELECT id, 1 FROM teams WHERE id = $1
             UNION ALL SELECT t.id, down.level + 1 FROM teams t JOIN down ON t.parent_id = down.id WHERE down.level < 100)
           SELECT level FROM down) levels",
    )
    .bind(team)
    .one()
    .await
}

/// Whether `upper` is `lower` or above it. `UNION` drops what was seen before, so a cycle could not hang it.
async fn is_above(tx: &mut Tx, upper: TeamId, lower: TeamId) -> Result<bool> {
    tx.sql(
        "SELECT EXISTS (
           WITH RECURSIVE up (id) AS (SELECT $1 UNION SELECT t.parent_id FROM teams t JOIN up ON t.id = up.id)
           SELECT 1 FROM up WHERE id = $2)",
    )
    .bind(lower)
    .bind(upper)
    .one()
    .await
}

/// The roles, each once, that people would come to hold at a team if it were below `upper`: those held at `upper` and above it,
/// without what is held above the team already.
/// # Errors
/// As the database.
pub async fn roles_brought(tx: &mut Tx, team: TeamId, upper: TeamId) -> Result<Vec<Role>> {
    tx.sql(
        "SELECT DISTINCT role FROM team_members
         WHERE team_id IN (
           WITH RECURSIVE up (id, parent_id) AS (
             SELECT id, parent_id FROM teams WHERE id = $1
             UNION SELECT t.id, t.parent_id FROM teams t JOIN up ON t.id = up.parent_id)
           SELECT id FROM up)
         AND team_id NOT IN (
           WITH RECURSIVE own (id, parent_id) AS (
             SELECT id, parent_id FROM teams WHERE id = $2
             UNION SELECT t.id, t.parent_id FROM teams t JOIN own ON t.id = own.parent_id)
           SELECT id FROM own)
         ORDER BY role",
    )
    .bind(upper)
    .bind(team)
    .all()
    .await
}

/// A team that was deleted. What was used in it still counts to the teams above.
#[derive(Debug, Clone, Deserialize)]
pub struct FormerTeam {
    /// The id.
    pub id: TeamId,
    /// The team above it.
    pub parent_id: Option<TeamId>,
    /// What it was called.
    pub name: TeamName,
}

/// Teams that were deleted, by id, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn former(tx: &mut Tx, after: Option<TeamId>, limit: i64) -> Result<Vec<FormerTeam>> {
    tx.sql("SELECT id, parent_id, name FROM former_teams WHERE id > $1 ORDER BY id LIMIT $2")
        .bind(after_id(after))
        .bind(limit)
        .all()
        .await
}

/// Removes a team; its members leave it, and what it was given in projects ends, and so do its budgets and what was
/// shared with it.
/// # Errors
/// [`Error::Refused`] when there are teams below it; [`Error::NotFound`] when there is no such team.
pub async fn delete(tx: &mut Tx, id: TeamId) -> Result<()> {
    if tx.sql("SELECT EXISTS (SELECT 1 FROM teams WHERE parent_id = $1)").bind(id).one().await? {
        return Err(Error::Refused("there are teams below this team; move or remove them first".into()));
    }
    tx.sql("DELETE FROM budgets WHERE level = 'team' AND subject = $1").bind(id).run().await?;
    tx.sql("DELETE FROM shares WHERE level = 'team' AND subject = $1").bind(id).run().await?;
    let now = tx.now();
    tx.sql("INSERT INTO former_teams (id, parent_id, name, deleted_at) SELECT id, parent_id, name, $2 FROM teams WHERE id = $1")
        .bind(id)
        .bind(now)
        .run()
        .await?;
    let removed = tx.sql("DELETE FROM teams WHERE id = $1").bind(id).run().await?;
    tx.shift_authority();
    if removed == 0 { Err(Error::NotFound("team")) } else { Ok(()) }
}
