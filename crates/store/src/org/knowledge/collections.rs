//! Collections: who may see the documents in them.

use domain::text::{CollectionName, Description};
use domain::{CollectionId, Id, MembershipId, ProjectId, TeamId, Time, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{forgotten, numbers};
use crate::deliveries::Departure;
use crate::org::Tx;
use crate::sql::{Transaction, after_id};
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

/// With whom a collection is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharer {
    /// A person, for as long as this stay lasts.
    User(UserId, MembershipId),
    /// A team, with all below it.
    Team(TeamId),
}

/// A person or a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// A person.
    User(UserId),
    /// A team.
    Team(TeamId),
}

impl Subject {
    /// Its level and its id, as they are stored.
    pub(super) fn stored(self) -> (&'static str, TeamId) {
        match self {
            Self::User(user) => ("user", TeamId::from_uuid(user.uuid())),
            Self::Team(team) => ("team", team),
        }
    }

    /// As [`Subject::stored`] said.
    pub(super) fn read(level: &str, id: TeamId) -> Self {
        match level {
            "user" => Self::User(UserId::from_uuid(id.uuid())),
            _ => Self::Team(id),
        }
    }
}

impl Sharer {
    /// Who it is, and in which stay.
    pub(super) fn parts(self) -> (Subject, Option<MembershipId>) {
        match self {
            Self::User(user, membership) => (Subject::User(user), Some(membership)),
            Self::Team(team) => (Subject::Team(team), None),
        }
    }
}

/// Collections that an organisation can have: who may see what is decided over all of them for each search.
pub const MOST: i64 = 2000;

/// Adds a collection; its number is given here.
/// # Errors
/// [`Error::NotFound`] when its project is gone; [`Error::Refused`] when there are [`MOST`] already.
pub async fn insert(tx: &mut Tx, collection: &Collection) -> Result<()> {
    tx.transaction().admit_more()?;
    // Of those that sources make a search sees those alone that the asker reads.
    let there: i64 = tx.sql("SELECT count(*) FROM collections WHERE within IS NULL").one().await?;
    if there >= MOST && collection.within.is_none() {
        return Err(Error::Refused(format!("an organisation can have {MOST} collections")));
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

/// Shares a collection; says whether it was not shared so before. What was shared with an earlier stay of a person is shared anew.
/// # Errors
/// As the database.
pub async fn share(tx: &mut Tx, id: CollectionId, with: Sharer) -> Result<bool> {
    let now = tx.now();
    let (subject, membership) = with.parts();
    let (level, stored) = subject.stored();
    let there: Option<Option<MembershipId>> = tx
        .sql("SELECT membership_id FROM shares WHERE collection_id = $1 AND level = $2 AND subject = $3")
        .bind(id)
        .bind(level)
        .bind(stored)
        .optional()
        .await?;
    match there {
        Some(before) if before == membership => return Ok(false),
        Some(_) => unshare(tx, id, subject).await?,
        None => false,
    };
    let added = tx
        .sql(
            "INSERT INTO shares (collection_id, level, subject, membership_id, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(level)
        .bind(stored)
        .bind(membership)
        .bind(now)
        .run()
        .await?;
    Ok(added == 1)
}

/// Ends a share; says whether there was one.
/// # Errors
/// As the database.
pub async fn unshare(tx: &mut Tx, id: CollectionId, with: Subject) -> Result<bool> {
    let (level, subject) = with.stored();
    let removed = tx
        .sql("DELETE FROM shares WHERE collection_id = $1 AND level = $2 AND subject = $3")
        .bind(id)
        .bind(level)
        .bind(subject)
        .run()
        .await?;
    Ok(removed == 1)
}

/// With whom a collection is shared, and since when: at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn shares(tx: &mut Tx, id: CollectionId, after: Option<Subject>, limit: i64) -> Result<Vec<(Subject, Time)>> {
    let (level, subject) = after.map_or(("", TeamId::from_uuid(Uuid::nil())), Subject::stored);
    let rows: Vec<(String, TeamId, Time)> = tx
        .sql(
            "SELECT level, subject, created_at FROM shares
             WHERE collection_id = $1 AND (level > $2 OR (level = $2 AND subject > $3)) ORDER BY level, subject LIMIT $4",
        )
        .bind(id)
        .bind(level)
        .bind(subject)
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(level, subject, since)| (Subject::read(&level, subject), since)).collect())
}

/// Since when a collection is shared with a person or a team.
/// # Errors
/// [`Error::NotFound`] when it is not.
pub async fn shared_since(tx: &mut Tx, id: CollectionId, with: Subject) -> Result<Time> {
    let (level, subject) = with.stored();
    tx.sql("SELECT created_at FROM shares WHERE collection_id = $1 AND level = $2 AND subject = $3")
        .bind(id)
        .bind(level)
        .bind(subject)
        .optional()
        .await
        .or_not_found("share")
}

/// Ends all shares of a collection; gives how many there were.
/// # Errors
/// As the database.
pub async fn unshare_all(tx: &mut Tx, id: CollectionId) -> Result<u64> {
    tx.sql("DELETE FROM shares WHERE collection_id = $1").bind(id).run().await
}

/// The collections that are shared with a person in one of their stays, or with a team that the person is in, or one above that:
/// whoever is in a team is in the teams above it.
/// # Errors
/// As the database.
pub async fn shared(tx: &mut Tx, user: UserId, membership: MembershipId) -> Result<Vec<CollectionId>> {
    tx.sql(
        "SELECT DISTINCT collection_id FROM shares
         WHERE (level = 'user' AND subject = $1 AND membership_id = $2) OR (level = 'team' AND subject IN (
           WITH RECURSIVE up (id, parent_id) AS (
             SELECT teams.id, teams.parent_id FROM teams JOIN team_members ON team_members.team_id = teams.id
             WHERE team_members.user_id = $1 AND team_members.membership_id = $2
             UNION SELECT t.id, t.parent_id FROM teams t JOIN up ON t.id = up.parent_id)
           SELECT id FROM up))",
    )
    .bind(user)
    .bind(membership)
    .all()
    .await
}

/// The projects that have collections, and whether each is open to all members.
/// # Errors
/// As the database.
pub async fn places(tx: &mut Tx) -> Result<Vec<(ProjectId, bool)>> {
    tx.sql("SELECT id, open FROM projects WHERE id IN (SELECT project_id FROM collections)").all().await
}

/// Ends what was shared with somebody whose stay has ended.
pub(crate) async fn depart(tx: &mut Transaction, departure: &Departure) -> Result<()> {
    tx.sql("DELETE FROM shares WHERE level = 'user' AND subject = $1 AND membership_id = $2")
        .bind(departure.user)
        .bind(departure.membership)
        .unaudited("the end of the stay is in the log")
        .run()
        .await?;
    Ok(())
}
