//! Sources of documents elsewhere: how far each round with them is, and which document each of their items is.

use domain::{CollectionId, DocumentId, JobId, SourceId, Time, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::documents::{self, Fault};
use crate::org::Tx;
use crate::sql::{Json, after_id};
use crate::{Error, OrNotFound, Result};

const ROUND: &str = "progress of a round with a source, whose setting up is in the log, as is each document of it";

/// How far the house is with a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SourceStatus")]
pub enum Sync {
    /// A round is to begin.
    Queued,
    /// A round is under way.
    Syncing,
    /// The last round is over.
    Done,
    /// The last round could not be ended; `error` says why.
    Failed,
}

/// What became of the items of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SourceCounts")]
pub struct Counts {
    /// New documents.
    pub added: i64,
    /// New versions of documents.
    pub changed: i64,
    /// Items that are as they were.
    pub unchanged: i64,
    /// Documents that went, because their item did.
    pub removed: i64,
    /// Items that could not be brought; `error` says why of the last.
    pub refused: i64,
}

/// A source.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Source {
    /// The id.
    pub id: SourceId,
    /// Where its documents go.
    pub collection_id: CollectionId,
    /// What people call it.
    pub name: String,
    /// Which it is, as its connector reads it.
    pub settings: Json<Value>,
    /// How far the house is with it.
    pub status: Sync,
    /// What went wrong last.
    pub fault: Option<Json<Fault>>,
    /// How far the round is, or where the next one begins.
    pub cursor: Option<String>,
    /// Which round, from 1; 0 before the first.
    pub round: i64,
    /// What became of the items of this round.
    pub counts: Json<Counts>,
    /// The work on it.
    pub job_id: JobId,
    /// Who set it up.
    pub made_by: UserId,
    /// When a round was last over.
    pub synced_at: Option<Time>,
    /// When it was set up.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// An item of a source, and the document that it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    /// What the source knows it by.
    pub key: String,
    /// The document.
    pub document_id: DocumentId,
    /// By which the source knows whether it changed.
    pub mark: Option<String>,
    /// The round in which it was last seen.
    pub round: i64,
}

/// Adds a source, which waits for its first round.
/// # Errors
/// [`Error::NotFound`] when its collection is gone.
pub async fn insert(tx: &mut Tx, source: &Source) -> Result<()> {
    let added = tx
        .sql(
            "INSERT INTO sources (id, collection_id, name, settings, status, round, counts, job_id, made_by, created_at, updated_at)
             SELECT $1, $2, $3, $4, 'queued', 0, $5, $6, $7, $8, $8 WHERE EXISTS (SELECT 1 FROM collections WHERE id = $2)",
        )
        .bind(source.id)
        .bind(source.collection_id)
        .bind(&source.name)
        .bind(source.settings.text())
        .bind(source.counts.text())
        .bind(source.job_id)
        .bind(source.made_by)
        .bind(source.created_at)
        .run()
        .await?;
    if added == 0 { Err(Error::NotFound("collection")) } else { Ok(()) }
}

/// The source with this id, if there is one.
/// # Errors
/// As the database.
pub async fn find(tx: &mut Tx, id: SourceId) -> Result<Option<Source>> {
    tx.sql(
        "SELECT id, collection_id, name, settings, status, fault, cursor, round, counts, job_id, made_by, synced_at, created_at, updated_at
         FROM sources WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
}

/// The source with this id.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, id: SourceId) -> Result<Source> {
    find(tx, id).await.or_not_found("source")
}

/// The sources of a collection, by id, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, collection: CollectionId, after: Option<SourceId>, limit: i64) -> Result<Vec<Source>> {
    tx.sql(
        "SELECT id, collection_id, name, settings, status, fault, cursor, round, counts, job_id, made_by, synced_at, created_at, updated_at
         FROM sources WHERE collection_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(collection)
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// Lets a source wait for another round, unless one waits or is under way.
/// # Errors
/// As the database.
pub async fn ask(tx: &mut Tx, id: SourceId, job: JobId) -> Result<()> {
    let now = tx.now();
    tx.sql(
        "UPDATE sources SET status = 'queued', job_id = $2, updated_at = $3 WHERE id = $1 AND status IN ('done', 'failed')",
    )
    .bind(id)
    .bind(job)
    .bind(now)
    .run()
    .await?;
    Ok(())
}

/// Writes back how far the round with a source is; says whether the source is still there.
/// # Errors
/// As the database.
pub async fn note(tx: &mut Tx, source: &Source) -> Result<bool> {
    let (now, status) = (
        tx.now(),
        match source.status {
            Sync::Queued => "queued",
            Sync::Syncing => "syncing",
            Sync::Done => "done",
            Sync::Failed => "failed",
        },
    );
    let noted = tx
        .sql(
            "UPDATE sources SET status = $2, fault = $3, cursor = $4, round = $5, counts = $6, synced_at = $7, updated_at = $8 WHERE id = $1",
        )
        .bind(source.id)
        .bind(status)
        .bind(source.fault.as_ref().map(Json::text))
        .bind(source.cursor.as_deref())
        .bind(source.round)
        .bind(source.counts.text())
        .bind(source.synced_at)
        .bind(now)
        .unaudited(ROUND)
        .run()
        .await?;
    Ok(noted == 1)
}

/// Removes a source. Its documents stay.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn delete(tx: &mut Tx, id: SourceId) -> Result<()> {
    let removed = tx.sql("DELETE FROM sources WHERE id = $1").bind(id).run().await?;
    if removed == 0 { Err(Error::NotFound("source")) } else { Ok(()) }
}

/// The item that a source knows by a key, if there is one.
/// # Errors
/// As the database.
pub async fn item(tx: &mut Tx, source: SourceId, key: &str) -> Result<Option<Item>> {
    tx.sql("SELECT key, document_id, mark, round FROM source_items WHERE source_id = $1 AND key = $2")
        .bind(source)
        .bind(key)
        .optional()
        .await
}

/// Notes which document an item is, and that it was seen.
/// # Errors
/// As the database.
pub async fn seen(tx: &mut Tx, source: SourceId, item: &Item) -> Result<()> {
    let now = tx.now();
    let known = tx
        .sql(
            "UPDATE source_items SET document_id = $3, mark = $4, round = $5, updated_at = $6 WHERE source_id = $1 AND key = $2",
        )
        .bind(source)
        .bind(&item.key)
        .bind(item.document_id)
        .bind(item.mark.as_deref())
        .bind(item.round)
        .bind(now)
        .unaudited(ROUND)
        .run()
        .await?;
    documents::freshen(tx, item.document_id).await?;
    if known == 0 {
        tx.sql(
            "INSERT INTO source_items (source_id, key, document_id, mark, round, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $6)",
        )
        .bind(source)
        .bind(&item.key)
        .bind(item.document_id)
        .bind(item.mark.as_deref())
        .bind(item.round)
        .bind(now)
        .unaudited(ROUND)
        .run()
        .await?;
    }
    Ok(())
}

/// Items of a source that were not seen in a round, by key, at most `limit`.
/// # Errors
/// As the database.
pub async fn unseen(tx: &mut Tx, source: SourceId, round: i64, limit: i64) -> Result<Vec<Item>> {
    tx.sql(
        "SELECT key, document_id, mark, round FROM source_items WHERE source_id = $1 AND round < $2 ORDER BY key LIMIT $3",
    )
    .bind(source)
    .bind(round)
    .bind(limit)
    .all()
    .await
}
