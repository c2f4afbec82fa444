//! Collections: who may see the documents in them.

use domain::text::{CollectionName, Description};
use domain::{CollectionId, ProjectId, Time, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{forgotten, numbers};
use crate::org::Tx;
use crate::sql::after_id;
use crate::{Error, OrNotFound, Result};

/// Who sees a collection or a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Whoever made it, and nobody else.
    Private,
    /// Whoever made it, and the people and teams it is shared with.
    Shared,
    /// Everybody who may read knowledge, or ask when it is a conversation, in its project; in the organisation where it has none.
    Project,
}

impl Reach {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Shared => "shared",
            Self::Project => "project",
        }
    }
}

/// A collection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Collection {
    /// The id.
    pub id: CollectionId,
    /// The number that its passages carry.
    pub number: i64,
    /// The project it belongs to; none for the organisation as a whole.
    pub project_id: Option<ProjectId>,
    /// What it is called.
    pub name: CollectionName,
    /// What is in it.
    pub description: Description,
    /// Who sees it.
    pub access: Reach,
    /// Who made it.
    pub made_by: UserId,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// After how many days a document goes that neither changed nor came again; none for never.
    pub retain_days: Option<i64>,
    /// When that is looked at next.
    pub due_at: Option<Time>,
    /// The collection in which it is, when it holds what a source brought there that has readers of its own (`circles.rs`).
    pub within: Option<CollectionId>,
}

/// Collections that an organisation can have: who may see what is decided over all of them for each search.
pub const MOST: i64 = 2000;

/// Adds a collection; its number is given here.
/// # Errors
/// [`Error::NotFound`] when its project is gone; [`Error::Refused`] when there are [`MOST`] already.
pub async fn insert(tx: &mut Tx, collection: &Collection) -> Result<()> {
    tx.transaction().admit_more()?;
    // Of those that sources make a search sees those alone that the asker reads, so they are not counted.
    if collection.within.is_none() {
        let there: i64 = tx.sql("SELECT count(*) FROM collections WHERE within IS NULL").one().await?;
        if there >= MOST {
            return Err(Error::Refused(format!("an organisation can have {MOST} collections")));
        }
    }
    let number = numbers(tx, 1).await?;
    let added = tx
        .sql(
            "INSERT INTO collections (id, number, project_id, name, description, access, made_by, version, created_at, updated_at,
                                      retain_days, due_at, within)
             SELECT $1, $2, $3, $4, $5, $6, $7, 1, $8, $8, $9, $10, $11 WHERE $3 IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = $3)",
        )
        .bind(collection.id)
        .bind(number)
        .bind(collection.project_id)
        .bind(&collection.name)
        .bind(&collection.description)
        .bind(collection.access.as_str())
        .bind(collection.made_by)
        .bind(collection.created_at)
        .bind(collection.retain_days)
        .bind(collection.due_at)
        .bind(collection.within)
        .run()
        .await?;
    if added == 0 { Err(Error::NotFound("project")) } else { Ok(()) }
}

/// All collections that are within no other, by id, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, after: Option<CollectionId>, limit: i64) -> Result<Vec<Collection>> {
    tx.sql(
        "SELECT id, number, project_id, name, description, access, made_by, version, created_at, updated_at, retain_days, due_at, within
         FROM collections WHERE id > $1 AND within IS NULL ORDER BY id LIMIT $2",
    )
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// The collection with this id.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, id: CollectionId) -> Result<Collection> {
    find(tx, id).await.or_not_found("collection")
}

/// The collection with this id, if there is one.
/// # Errors
/// As the database.
pub async fn find(tx: &mut Tx, id: CollectionId) -> Result<Option<Collection>> {
    tx.sql(
        "SELECT id, number, project_id, name, description, access, made_by, version, created_at, updated_at, retain_days, due_at, within
         FROM collections WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
}

/// Writes back what can change of a collection, and of those within it; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn update(tx: &mut Tx, collection: &Collection) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE collections SET name = $2, description = $3, access = $4, retain_days = $7, due_at = $8, version = version + 1,
                                    updated_at = $5
             WHERE id = $1 AND version = $6",
        )
        .bind(collection.id)
        .bind(&collection.name)
        .bind(&collection.description)
        .bind(collection.access.as_str())
        .bind(now)
        .bind(collection.version)
        .bind(collection.retain_days)
        .bind(collection.due_at)
        .run()
        .await?;
    if changed == 0 {
        return Err(Error::Stale("collection"));
    }
    super::circles::follow(tx, collection).await
}

/// Removes a collection with all documents in it, and their words out of the answers that cite them. Their originals stay until
/// [`super::versions::unused`] says so.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn delete(tx: &mut Tx, id: CollectionId) -> Result<()> {
    let removed = tx.sql("DELETE FROM collections WHERE id = $1").bind(id).run().await?;
    super::citings::forget_gone(tx).await?;
    forgotten(tx).await?;
    if removed == 0 { Err(Error::NotFound("collection")) } else { Ok(()) }
}

/// The projects that have collections, and whether each is open to all members.
/// # Errors
/// As the database.
pub async fn places(tx: &mut Tx) -> Result<Vec<(ProjectId, bool)>> {
    tx.sql("SELECT id, open FROM projects WHERE id IN (SELECT project_id FROM collections)").all().await
}
