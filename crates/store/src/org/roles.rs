//! Custom roles: sets of permissions that an organisation named itself.

use domain::access::{Permission, PermissionSet};
use domain::role::Role;
use domain::text::{Description, RoleName};
use domain::{ProjectId, RoleId, Time};
use serde::{Deserialize, Serialize};

use super::Tx;
use crate::sql::{Json, after_id};
use crate::{Error, OrNotFound, OrTaken, Result};

/// A custom role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CustomRole {
    /// The id.
    pub id: RoleId,
    /// What it is called, unique in the organisation.
    pub name: RoleName,
    /// What it is for.
    pub description: Description,
    /// What it allows, by the permissions' names.
    #[serde(serialize_with = "as_list")]
    pub permissions: Json<Vec<String>>,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl CustomRole {
    /// What it allows. A permission that this version no longer knows gives nothing.
    #[must_use]
    pub fn allows(&self) -> PermissionSet {
        self.permissions.0.iter().filter_map(|name| name.parse::<Permission>().ok()).collect()
    }
}

fn as_list<S: serde::Serializer>(list: &Json<Vec<String>>, serializer: S) -> Result<S::Ok, S::Error> {
    list.0.serialize(serializer)
}

/// How many roles there are.
/// # Errors
/// As the database.
pub async fn count(tx: &mut Tx) -> Result<i64> {
    tx.sql("SELECT count(*) FROM roles").one().await
}

/// Adds a role.
/// # Errors
/// [`Error::Taken`] when the name is in use.
pub async fn insert(tx: &mut Tx, role: &CustomRole) -> Result<()> {
    tx.sql(
        "INSERT INTO roles (id, name, description, permissions, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5)",
    )
    .bind(role.id)
    .bind(&role.name)
    .bind(&role.description)
    .bind(serde_json::to_string(&role.permissions.0).unwrap_or_default())
    .bind(role.created_at)
    .run()
    .await
    .or_taken("role name")?;
    Ok(())
}

/// The role with this id, if there is one.
/// # Errors
/// As the database.
pub async fn find(tx: &mut Tx, id: RoleId) -> Result<Option<CustomRole>> {
    tx.sql("SELECT id, name, description, permissions, version, created_at, updated_at FROM roles WHERE id = $1")
        .bind(id)
        .optional()
        .await
}

/// The role with this id.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, id: RoleId) -> Result<CustomRole> {
    find(tx, id).await.or_not_found("role")
}

/// All custom roles, by id, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, after: Option<RoleId>, limit: i64) -> Result<Vec<CustomRole>> {
    tx.sql(
        "SELECT id, name, description, permissions, version, created_at, updated_at FROM roles
         WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// Writes back what can change of a role; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given; [`Error::Taken`] when the name is in use.
pub async fn update(tx: &mut Tx, role: &CustomRole) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE roles SET name = $2, description = $3, permissions = $4, version = version + 1, updated_at = $5
             WHERE id = $1 AND version = $6",
        )
        .bind(role.id)
        .bind(&role.name)
        .bind(&role.description)
        .bind(serde_json::to_string(&role.permissions.0).unwrap_or_default())
        .bind(now)
        .bind(role.version)
        .run()
        .await
        .or_taken("role name")?;
    tx.shift_authority();
    if changed == 0 { Err(Error::Stale("role")) } else { Ok(()) }
}

/// Removes a role. Wherever it is still held it allows nothing from then on, so look at [`uses`] first.
/// # Errors
/// [`Error::NotFound`] when there is no such role.
pub async fn delete(tx: &mut Tx, id: RoleId) -> Result<()> {
    let removed = tx.sql("DELETE FROM roles WHERE id = $1").bind(id).run().await?;
    tx.shift_authority();
    if removed == 0 { Err(Error::NotFound("role")) } else { Ok(()) }
}

/// How often a role is held in teams and projects. Who holds it at the organisation stands in the control database.
/// # Errors
/// As the database.
pub async fn uses(tx: &mut Tx, id: RoleId) -> Result<i64> {
    tx.sql(
        "SELECT (SELECT count(*) FROM team_members WHERE role = $1) + (SELECT count(*) FROM project_members WHERE role = $1)
              + (SELECT count(*) FROM project_teams WHERE role = $1)",
    )
    .bind(Role::Custom(id))
    .one()
    .await
}

/// The private projects in which a role is held, by somebody or by a team; archived ones too, since they can come back.
/// # Errors
/// As the database.
pub async fn private_projects(tx: &mut Tx, id: RoleId) -> Result<Vec<ProjectId>> {
    tx.sql(
        "SELECT p.id FROM projects p
         WHERE p.open = $2 AND (EXISTS (SELECT 1 FROM project_members m WHERE m.project_id = p.id AND m.role = $1)
                             OR EXISTS (SELECT 1 FROM project_teams g WHERE g.project_id = p.id AND g.role = $1))
         ORDER BY p.id",
    )
    .bind(Role::Custom(id))
    .bind(false)
    .all()
    .await
}
