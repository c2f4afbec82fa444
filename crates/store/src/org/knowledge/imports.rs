//! Archives of many files that came at once: how far the house is with each, and what became of its files.

use domain::{CollectionId, DocumentId, JobId, Time, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::documents::Fault;
use crate::org::Tx;
use crate::sql::{Bind as _, Json, SealedColumns, after_id};
use crate::{Error, Result};

const PART: &str = "progress of an archive, whose coming is in the log, as is each document out of it";

const SEALED: SealedColumns =
    SealedColumns { table: "imports", key: &["id"], texts: &["name", "tags", "fault"], bytes: &[] };
const MEMBER: SealedColumns =
    SealedColumns { table: "import_files", key: &["import_id", "place"], texts: &["name", "fault"], bytes: &[] };

/// How far the house is with an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It waits to be opened.
    Queued,
    /// Its files come out, one after the other.
    Processing,
    /// All its files are out.
    Done,
    /// It could not be opened.
    Failed,
}

/// An archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Import {
    /// The job.
    pub id: JobId,
    /// Where its files go.
    pub collection_id: CollectionId,
    /// The name of its file.
    pub name: String,
    /// Words that each document out of it gets.
    pub tags: Json<Vec<String>>,
    /// How far the house is with it.
    pub status: Stage,
    /// Why it could not be opened.
    pub fault: Option<Json<Fault>>,
    /// The hash of its original, which is kept until all its files are out; then it is empty.
    pub content_hash: String,
    /// Its size in bytes, as long as it is kept.
    pub size: i64,
    /// How many of its files are done with.
    pub done: i64,
    /// How many it lists; may grow, when there are archives inside of it.
    pub total: i64,
    /// Who brought it.
    pub made_by: UserId,
    /// When.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// What became of a file of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is a new document.
    Added,
    /// It is a new version of the document of this name.
    Changed,
    /// There is a document with the same content already.
    Unchanged,
    /// It was not taken; `error` says why.
    Refused,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

/// A file of an archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Member {
    /// Which file, from 0.
    pub place: i64,
    /// Its name, with its folders.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was not taken.
    pub fault: Option<Json<Fault>>,
    /// The document.
    pub document_id: Option<DocumentId>,
}

/// Adds an archive.
/// # Errors
/// [`Error::NotFound`] when its collection is gone.
pub async fn insert(tx: &mut Tx, import: &Import) -> Result<()> {
    let row = SEALED.row(import.id);
    let added = tx
        .sql(
            "INSERT INTO imports (id, collection_id, name, tags, status, content_hash, size, done, total, made_by, created_at, updated_at)
             SELECT $1, $2, $3, $4, 'queued', $5, $6, 0, 0, $7, $8, $8 WHERE EXISTS (SELECT 1 FROM collections WHERE id = $2)",
        )
        .bind(import.id)
        .bind(import.collection_id)
        .seal(&row, "name", &import.name)
        .seal(&row, "tags", import.tags.text())
        .bind(&import.content_hash)
        .bind(import.size)
        .bind(import.made_by)
        .bind(import.created_at)
        .run()
        .await?;
    if added == 0 { Err(Error::NotFound("collection")) } else { Ok(()) }
}

/// The archive with this id, if there is one.
/// # Errors
/// As the database.
pub async fn find(tx: &mut Tx, id: JobId) -> Result<Option<Import>> {
    tx.sql(
        "SELECT id, collection_id, name, tags, status, fault, content_hash, size, done, total, made_by, created_at, updated_at
         FROM imports WHERE id = $1",
    )
    .opens(&SEALED)
    .bind(id)
    .optional()
    .await
}

/// The archives that are not done with, by id, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn open(tx: &mut Tx, after: Option<JobId>, limit: i64) -> Result<Vec<Import>> {
    tx.sql(
        "SELECT id, collection_id, name, tags, status, fault, content_hash, size, done, total, made_by, created_at, updated_at
         FROM imports WHERE status IN ('queued', 'processing') AND id > $1 ORDER BY id LIMIT $2",
    )
    .opens(&SEALED)
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// The archives of a collection that changed at a time or later, at most `limit`.
/// # Errors
/// As the database.
pub async fn changed_since(tx: &mut Tx, collection: CollectionId, since: Time, limit: i64) -> Result<Vec<Import>> {
    tx.sql(
        "SELECT id, collection_id, name, tags, status, fault, content_hash, size, done, total, made_by, created_at, updated_at
         FROM imports WHERE collection_id = $1 AND updated_at >= $2 ORDER BY updated_at LIMIT $3",
    )
    .opens(&SEALED)
    .bind(collection)
    .bind(since)
    .bind(limit)
    .all()
    .await
}

/// Notes that an archive was opened, and how many files it lists.
/// # Errors
/// As the database.
pub async fn begin(tx: &mut Tx, id: JobId, total: i64) -> Result<()> {
    let now = tx.now();
    tx.sql("UPDATE imports SET status = 'processing', total = $2, updated_at = $3 WHERE id = $1")
        .bind(id)
        .bind(total)
        .bind(now)
        .unaudited(PART)
        .run()
        .await?;
    Ok(())
}

/// Notes what became of the next file of an archive; says whether it was the next one, and the archive is still there.
/// # Errors
/// As the database.
pub async fn note(tx: &mut Tx, id: JobId, member: &Member) -> Result<bool> {
    let now = tx.now();
    let counted = tx
        .sql(
            "UPDATE imports SET done = done + 1, total = CASE WHEN total > done THEN total ELSE done + 1 END, updated_at = $3
             WHERE id = $1 AND done = $2 AND status = 'processing'",
        )
        .bind(id)
        .bind(member.place)
        .bind(now)
        .unaudited(PART)
        .run()
        .await?;
    if counted == 0 {
        return Ok(false);
    }
    let row = MEMBER.row_of(&[id.value(), member.place.value()]);
    tx.sql(
        "INSERT INTO import_files (import_id, place, name, outcome, fault, document_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id)
    .bind(member.place)
    .seal(&row, "name", &member.name)
    .bind(member.outcome.as_str())
    .seal(&row, "fault", member.fault.as_ref().map(Json::text))
    .bind(member.document_id)
    .bind(now)
    .unaudited(PART)
    .run()
    .await?;
    Ok(true)
}

/// Notes that an archive is done with, or why it cannot be; its original is needed no more.
/// # Errors
/// As the database.
pub async fn finish(tx: &mut Tx, id: JobId, fault: Option<&Json<Fault>>) -> Result<()> {
    let now = tx.now();
    tx.sql(
        "UPDATE imports SET status = CASE WHEN $2 IS NULL THEN 'done' ELSE 'failed' END, fault = $2, content_hash = '', size = 0,
                            total = done, updated_at = $3
         WHERE id = $1",
    )
    .bind(id)
    .seal(&SEALED.row(id), "fault", fault.map(Json::text))
    .bind(now)
    .unaudited(PART)
    .run()
    .await?;
    Ok(())
}

/// What became of the files of an archive, in its order, at most `limit` after the one given. Of those whose document was deleted
/// since nothing is left.
/// # Errors
/// As the database.
pub async fn members(tx: &mut Tx, id: JobId, after: Option<i64>, limit: i64) -> Result<Vec<Member>> {
    tx.sql(
        "SELECT import_id, place, name, outcome, fault, document_id FROM import_files
         WHERE import_id = $1 AND place > $2 ORDER BY place LIMIT $3",
    )
    .opens(&MEMBER)
    .bind(id)
    .bind(after.unwrap_or(-1))
    .bind(limit)
    .all()
    .await
}
