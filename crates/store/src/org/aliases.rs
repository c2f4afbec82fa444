//! Names that an organisation or one of its projects gives to models: whom to ask, in order.

use domain::models::AliasName;
use domain::text::ModelName;
use domain::{AliasId, ProjectId, Time, UserId};
use serde::{Deserialize, Serialize};

use super::Tx;
use crate::sql::{Json, after_id};
use crate::{Error, OrTaken, Result};

/// An alias.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alias {
    /// The id.
    pub id: AliasId,
    /// The project it is for, if only one.
    pub project_id: Option<ProjectId>,
    /// The name, unique in its project or among those of the whole organisation.
    pub name: AliasName,
    /// Whom to ask, in order.
    pub targets: Json<Vec<AliasTarget>>,
    /// Who made it, or changed it last.
    pub made_by: UserId,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// A model of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasTarget {
    /// The provider's id, or the name of one of the installation's.
    pub provider: String,
    /// The provider's name for the model.
    pub model: ModelName,
}

/// Adds an alias.
/// # Errors
/// [`Error::Taken`] when there is one of this name there; [`Error::NotFound`] when its project is gone.
pub async fn insert(tx: &mut Tx, alias: &Alias) -> Result<()> {
    let added = tx
        .sql(
            "INSERT INTO aliases (id, project_id, name, targets, made_by, version, created_at, updated_at)
             SELECT $1, $2, $3, $4, $5, $6, $7, $7
             WHERE $2 IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = $2)",
        )
        .bind(alias.id)
        .bind(alias.project_id)
        .bind(&alias.name)
        .bind(alias.targets.text())
        .bind(alias.made_by)
        .bind(alias.version)
        .bind(alias.created_at)
        .run()
        .await
        .or_taken("alias")?;
    if added == 0 { Err(Error::NotFound("project")) } else { Ok(()) }
}

/// All aliases, by id, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, after: Option<AliasId>, limit: i64) -> Result<Vec<Alias>> {
    tx.sql(
        "SELECT id, project_id, name, targets, made_by, version, created_at, updated_at FROM aliases
         WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// The alias of this name in a project, or among those of the whole organisation, if there is one.
/// # Errors
/// As the database.
pub async fn find(tx: &mut Tx, project: Option<ProjectId>, name: &AliasName) -> Result<Option<Alias>> {
    let statement = match project {
        Some(project) => tx
            .sql(
                "SELECT id, project_id, name, targets, made_by, version, created_at, updated_at FROM aliases
                 WHERE project_id = $2 AND name = $1",
            )
            .bind(name)
            .bind(project),
        None => tx
            .sql(
                "SELECT id, project_id, name, targets, made_by, version, created_at, updated_at FROM aliases
                 WHERE project_id IS NULL AND name = $1",
            )
            .bind(name),
    };
    statement.optional().await
}

/// Writes back the targets of an alias; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn update(tx: &mut Tx, alias: &Alias) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE aliases SET targets = $2, made_by = $3, version = version + 1, updated_at = $4
             WHERE id = $1 AND version = $5",
        )
        .bind(alias.id)
        .bind(alias.targets.text())
        .bind(alias.made_by)
        .bind(now)
        .bind(alias.version)
        .run()
        .await?;
    if changed == 0 { Err(Error::Stale("alias")) } else { Ok(()) }
}

/// Takes an alias away.
/// # Errors
/// As the database.
pub async fn delete(tx: &mut Tx, id: AliasId) -> Result<bool> {
    Ok(tx.sql("DELETE FROM aliases WHERE id = $1").bind(id).run().await? == 1)
}
