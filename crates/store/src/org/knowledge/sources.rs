//! Sources of documents elsewhere: how far each round with them is, and which document each of their items is.

use std::ops::RangeInclusive;

use domain::{CollectionId, DocumentId, JobId, SourceId, Time, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::circles;
use super::documents::Fault;
use crate::org::Tx;
use crate::sql::{Json, SealedColumns, after_id};
use crate::{Error, OrNotFound, Result};

const ROUND: &str = "progress of a round with a source, whose setting up is in the log, as is each document of it";

const SEALED: SealedColumns =
    SealedColumns { table: "sources", key: &["id"], texts: &["name", "settings", "fault", "cursor"], bytes: &[] };
/// The column whose texts are looked for.
const KEY: &str = "source_items.key";
/// How many hours may lie between two rounds that begin by themselves, failures and all.
pub const EVERY: RangeInclusive<i64> = 1..=720;
/// How often the time until the next round doubles while rounds fail, at most.
const DOUBLINGS: i64 = 5;
const HOUR: i64 = 3_600_000_000;

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
    /// After how many hours it is asked by itself, from [`EVERY`]; none when only by hand.
    pub every_hours: Option<i64>,
    /// When that is, unless a round waits or is under way.
    pub next_sync_at: Option<Time>,
    /// Rounds that failed since the last that did not.
    pub failures: i64,
    /// Counts the changes that people make.
    pub version: i64,
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
    let row = SEALED.row(source.id);
    let added = tx
        .sql(
            "INSERT INTO sources (id, collection_id, name, settings, status, round, counts, job_id, made_by, every_hours, failures, version,
                                  created_at, updated_at)
             SELECT $1, $2, $3, $4, 'queued', 0, $5, $6, $7, $9, 0, $10, $8, $8 WHERE EXISTS (SELECT 1 FROM collections WHERE id = $2)",
        )
        .bind(source.id)
        .bind(source.collection_id)
        .seal(&row, "name", &source.name)
        .seal(&row, "settings", source.settings.text())
        .bind(source.counts.text())
        .bind(source.job_id)
        .bind(source.made_by)
        .bind(source.created_at)
        .bind(source.every_hours)
        .bind(source.version)
        .run()
        .await?;
    if added == 0 { Err(Error::NotFound("collection")) } else { Ok(()) }
}

/// The source with this id, if there is one.
/// # Errors
/// As the database.
pub async fn find(tx: &mut Tx, id: SourceId) -> Result<Option<Source>> {
    tx.sql(
        "SELECT id, collection_id, name, settings, status, fault, cursor, round, counts, job_id, made_by, synced_at, every_hours, next_sync_at, failures, version, created_at, updated_at
         FROM sources WHERE id = $1",
    )
    .opens(&SEALED)
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
        "SELECT id, collection_id, name, settings, status, fault, cursor, round, counts, job_id, made_by, synced_at, every_hours, next_sync_at, failures, version, created_at, updated_at
         FROM sources WHERE collection_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .opens(&SEALED)
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
    let row = SEALED.row(source.id);
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
        .seal(&row, "fault", source.fault.as_ref().map(Json::text))
        .seal(&row, "cursor", source.cursor.as_deref())
        .bind(source.round)
        .bind(source.counts.text())
        .bind(source.synced_at)
        .bind(now)
        .unaudited(ROUND)
        .run()
        .await?;
    Ok(noted == 1)
}

/// Ends a round as [`note`] does, and says when the next one begins by itself; a source whose rounds fail is asked ever more seldom. None
/// when the source is gone.
/// # Errors
/// As the database.
pub async fn over(tx: &mut Tx, source: &Source) -> Result<Option<Source>> {
    if !note(tx, source).await? {
        return Ok(None);
    }
    let (now, factor) = (tx.now(), HOUR << source.failures.clamp(0, DOUBLINGS));
    tx.sql(
        "UPDATE sources SET failures = $2,
           next_sync_at = CASE WHEN every_hours * $4 > $5 THEN $3 + $5 ELSE $3 + every_hours * $4 END
         WHERE id = $1",
    )
    .bind(source.id)
    .bind(source.failures)
    .bind(now)
    .bind(factor)
    .bind(EVERY.end() * HOUR)
    .unaudited(ROUND)
    .run()
    .await?;
    find(tx, source.id).await
}

/// Writes back what people change of a source: its name, and when it is asked by itself. Counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn update(tx: &mut Tx, source: &Source) -> Result<()> {
    let (now, row) = (tx.now(), SEALED.row(source.id));
    let updated = tx
        .sql(
            "UPDATE sources SET name = $2, every_hours = $3, next_sync_at = $4, failures = $5, version = version + 1, updated_at = $6
             WHERE id = $1 AND version = $7",
        )
        .bind(source.id)
        .seal(&row, "name", &source.name)
        .bind(source.every_hours)
        .bind(source.next_sync_at)
        .bind(source.failures)
        .bind(now)
        .bind(source.version)
        .run()
        .await?;
    if updated == 0 { Err(Error::Stale("source")) } else { Ok(()) }
}

/// How many other sources are asked by themselves; with `earlier` only those that were set up before it.
/// # Errors
/// As the database.
pub async fn scheduled(tx: &mut Tx, other_than: SourceId, earlier: bool) -> Result<i64> {
    tx.sql("SELECT count(*) FROM sources WHERE every_hours IS NOT NULL AND (id < $1 OR (id > $1 AND NOT $2))")
        .bind(other_than)
        .bind(earlier)
        .one()
        .await
}

/// Removes a source. Its documents stay, but for those with readers of their own: nobody would say any more who reads them. Gives the
/// originals that these had: what nothing else needs can go when this is committed.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn delete(tx: &mut Tx, id: SourceId) -> Result<Vec<String>> {
    let originals = circles::dissolve(tx, id).await?;
    let removed = tx.sql("DELETE FROM sources WHERE id = $1").bind(id).run().await?;
    if removed == 0 { Err(Error::NotFound("source")) } else { Ok(originals) }
}

/// The item that a source knows by a key, if there is one.
/// # Errors
/// As the database.
pub async fn item(tx: &mut Tx, source: SourceId, key: &str) -> Result<Option<Item>> {
    let stand_in = tx.stand_in(KEY, key)?;
    let found: Option<Item> = tx
        .sql("SELECT key, document_id, mark, round FROM source_items WHERE source_id = $1 AND key = $2")
        .bind(source)
        .bind(stand_in)
        .optional()
        .await?;
    Ok(found.map(|item| Item { key: key.to_owned(), ..item }))
}

/// Whether a document is another item, too, of this source or of another one: the same content is there once.
/// # Errors
/// As the database.
pub async fn is_another(tx: &mut Tx, document: DocumentId, source: SourceId, key: &str) -> Result<bool> {
    let key = tx.stand_in(KEY, key)?;
    is_other(tx, document, source, &key).await
}

async fn is_other(tx: &mut Tx, document: DocumentId, source: SourceId, key: &str) -> Result<bool> {
    let others: i64 = tx
        .sql("SELECT count(*) FROM source_items WHERE document_id = $1 AND (source_id <> $2 OR key <> $3)")
        .bind(document)
        .bind(source)
        .bind(key)
        .one()
        .await?;
    Ok(others > 0)
}

/// Forgets which document an item is: it is brought anew.
/// # Errors
/// As the database.
pub async fn part(tx: &mut Tx, source: SourceId, key: &str) -> Result<()> {
    let key = tx.stand_in(KEY, key)?;
    forget(tx, source, &key).await
}

async fn forget(tx: &mut Tx, source: SourceId, key: &str) -> Result<()> {
    tx.sql("DELETE FROM source_items WHERE source_id = $1 AND key = $2")
        .bind(source)
        .bind(key)
        .unaudited(ROUND)
        .run()
        .await?;
    Ok(())
}

/// An item that is gone, and the document that it was.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Gone {
    /// What stands for its key.
    key: String,
    /// The document.
    pub document_id: DocumentId,
}

/// What is known of an item that is gone, if there was one.
/// # Errors
/// As the database.
pub async fn gone(tx: &mut Tx, source: SourceId, key: &str) -> Result<Option<Gone>> {
    let key = tx.stand_in(KEY, key)?;
    tx.sql("SELECT key, document_id FROM source_items WHERE source_id = $1 AND key = $2")
        .bind(source)
        .bind(key)
        .optional()
        .await
}

/// The items of a source that were not seen in a round, at most `limit`.
/// # Errors
/// As the database.
pub async fn unseen(tx: &mut Tx, source: SourceId, round: i64, limit: i64) -> Result<Vec<Gone>> {
    tx.sql("SELECT key, document_id FROM source_items WHERE source_id = $1 AND round < $2 ORDER BY key LIMIT $3")
        .bind(source)
        .bind(round)
        .bind(limit)
        .all()
        .await
}

/// Forgets an item that is gone; says whether its document is another item, too, and stays.
/// # Errors
/// As the database.
pub async fn let_go(tx: &mut Tx, source: SourceId, gone: &Gone) -> Result<bool> {
    let stays = is_other(tx, gone.document_id, source, &gone.key).await?;
    forget(tx, source, &gone.key).await?;
    Ok(stays)
}

/// Notes which document an item is, and that the source still names it. Whether its content came, too, says [`super::documents::freshen`].
/// # Errors
/// As the database.
pub async fn seen(tx: &mut Tx, source: SourceId, item: &Item) -> Result<()> {
    let (now, key) = (tx.now(), tx.stand_in(KEY, &item.key)?);
    let known = tx
        .sql(
            "UPDATE source_items SET document_id = $3, mark = $4, round = $5, updated_at = $6 WHERE source_id = $1 AND key = $2",
        )
        .bind(source)
        .bind(&key)
        .bind(item.document_id)
        .bind(item.mark.as_deref())
        .bind(item.round)
        .bind(now)
        .unaudited(ROUND)
        .run()
        .await?;
    if known == 0 {
        tx.sql(
            "INSERT INTO source_items (source_id, key, document_id, mark, round, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $6)",
        )
        .bind(source)
        .bind(&key)
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
