//! Documents: what people put in, and how far the house is with it.

use domain::{CollectionId, DocumentId, Id, JobId, Time, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::collections::Collection;
use super::{changed, forgotten, moved};
use crate::org::Tx;
use crate::sql::{Json, Pair, SealedColumns, after_id};
use crate::{Error, OrNotFound, Result};

pub(super) const SEALED: SealedColumns =
    SealedColumns { table: "documents", key: &["id"], texts: &["title", "name", "tags", "fault"], bytes: &[] };

/// How far the house is with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits to be read.
    Queued,
    /// It is being read.
    Processing,
    /// It can be found by its words; by its meaning as soon as all its passages are embedded.
    Ready,
    /// It could not be read; `error` says why. An earlier version that could be read is still found.
    Failed,
}

impl Status {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

/// Why a document could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// A stable name.
    pub code: String,
    /// What happened, and what to do.
    pub message: String,
}

/// A document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Document {
    /// The id.
    pub id: DocumentId,
    /// Where it is.
    pub collection_id: CollectionId,
    /// What it is called.
    pub title: String,
    /// Whether a person called it so: then what it calls itself does not take the title's place.
    pub titled: bool,
    /// The name of its file.
    pub name: String,
    /// Where it came from: `upload`, `text`, `web`, `correction`.
    pub source: String,
    /// What kind of file it is; empty until it is read.
    pub kind: String,
    /// Words that people give it.
    pub tags: Json<Vec<String>>,
    /// How far the house is with it.
    pub status: Status,
    /// Why it could not be read.
    pub fault: Option<Json<Fault>>,
    /// The hash of the newest original.
    pub content_hash: String,
    /// Its size in bytes.
    pub size: i64,
    /// The newest version.
    pub latest: i64,
    /// The version whose passages are found; 0 for none.
    pub shown: i64,
    /// How many passages that has.
    pub passages: i64,
    /// How many of them are found by their meaning.
    pub embedded: i64,
    /// The work on the newest version.
    pub job_id: JobId,
    /// Who added it.
    pub made_by: UserId,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When it was added.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// What the documents of a collection are found by for their name.
fn name_key(tx: &Tx, name: &str) -> Result<String> {
    tx.stand_in("documents.name", name)
}

/// What documents are found by for their tags: a list of texts, as they have it.
pub(super) fn tag_keys(tx: &Tx, tags: &[String]) -> Result<String> {
    let keys = tags.iter().map(|tag| tx.stand_in("documents.tags", tag)).collect::<Result<Vec<_>>>()?;
    Ok(Json(keys).text())
}

/// Adds a document.
/// # Errors
/// [`Error::NotFound`] when its collection is gone.
pub async fn insert(tx: &mut Tx, document: &Document) -> Result<()> {
    let row = SEALED.row(document.id);
    let (name_key, tag_keys) = (name_key(tx, &document.name)?, tag_keys(tx, &document.tags.0)?);
    let added = tx
        .sql(
            "INSERT INTO documents (id, collection_id, title, titled, name, name_key, source, kind, tags, tag_keys, status, content_hash, size,
                                    latest, shown, passages, embedded, job_id, made_by, version, created_at, updated_at, text_bytes, fresh_at)
             SELECT $1, $2, $3, $12, $4, $14, $5, $6, $7, $15, 'queued', $8, $9, 1, 0, 0, 0, $13, $10, 1, $11, $11, 0, $11
             WHERE EXISTS (SELECT 1 FROM collections WHERE id = $2)",
        )
        .bind(document.id)
        .bind(document.collection_id)
        .seal(&row, "title", &document.title)
        .seal(&row, "name", &document.name)
        .bind(&document.source)
        .bind(&document.kind)
        .seal(&row, "tags", document.tags.text())
        .bind(&document.content_hash)
        .bind(document.size)
        .bind(document.made_by)
        .bind(document.created_at)
        .bind(document.titled)
        .bind(document.job_id)
        .bind(name_key)
        .bind(tag_keys)
        .run()
        .await?;
    if added == 0 { Err(Error::NotFound("collection")) } else { Ok(()) }
}

/// The document with this id, if there is one.
/// # Errors
/// As the database.
pub async fn find(tx: &mut Tx, id: DocumentId) -> Result<Option<Document>> {
    tx.sql(
        "SELECT id, collection_id, title, titled, name, source, kind, tags, status, fault, content_hash, size, latest, shown, passages,
                embedded, job_id, made_by, version, created_at, updated_at
         FROM documents WHERE id = $1",
    )
    .opens(&SEALED)
    .bind(id)
    .optional()
    .await
}

/// The document with this id.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, id: DocumentId) -> Result<Document> {
    find(tx, id).await.or_not_found("document")
}

/// The documents of a collection, by id, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(
    tx: &mut Tx,
    collection: CollectionId,
    after: Option<DocumentId>,
    limit: i64,
) -> Result<Vec<Document>> {
    tx.sql(
        "SELECT id, collection_id, title, titled, name, source, kind, tags, status, fault, content_hash, size, latest, shown, passages,
                embedded, job_id, made_by, version, created_at, updated_at
         FROM documents WHERE collection_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .opens(&SEALED)
    .bind(collection)
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// The document of a collection that has this original already.
/// # Errors
/// As the database.
pub async fn same(tx: &mut Tx, collection: CollectionId, content_hash: &str) -> Result<Option<DocumentId>> {
    // From the versions, by their content: a collection may hold many documents.
    tx.sql(
        "SELECT documents.id FROM versions CROSS JOIN documents WHERE versions.content_hash = $2 AND documents.id = versions.document_id
           AND documents.content_hash = $2 AND documents.collection_id = $1 ORDER BY documents.id LIMIT 1",
    )
    .bind(collection)
    .bind(content_hash)
    .optional()
    .await
}

/// The document of a collection whose file has this name. When several have it, one that this person added, else the one that came first.
/// # Errors
/// As the database.
pub async fn named(tx: &mut Tx, collection: CollectionId, name: &str, user: UserId) -> Result<Option<DocumentId>> {
    let key = name_key(tx, name)?;
    tx.sql(
        "SELECT id FROM documents WHERE collection_id = $1 AND name_key = $2
         ORDER BY CASE WHEN made_by = $3 THEN 0 ELSE 1 END, id LIMIT 1",
    )
    .bind(collection)
    .bind(key)
    .bind(user)
    .optional()
    .await
}

/// The document on whose newest version a job works or worked, if there is one.
/// # Errors
/// As the database.
pub async fn of_job(tx: &mut Tx, job: JobId) -> Result<Option<Document>> {
    tx.sql(
        "SELECT id, collection_id, title, titled, name, source, kind, tags, status, fault, content_hash, size, latest, shown, passages,
                embedded, job_id, made_by, version, created_at, updated_at
         FROM documents WHERE job_id = $1",
    )
    .opens(&SEALED)
    .bind(job)
    .optional()
    .await
}

/// The documents that wait for something, by job, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn open(tx: &mut Tx, after: Option<JobId>, limit: i64) -> Result<Vec<Document>> {
    // As the index has it.
    tx.sql(
        "SELECT id, collection_id, title, titled, name, source, kind, tags, status, fault, content_hash, size, latest, shown, passages,
                embedded, job_id, made_by, version, created_at, updated_at
         FROM documents WHERE (status IN ('queued', 'processing') OR embedded < passages) AND job_id > $1 ORDER BY job_id LIMIT $2",
    )
    .opens(&SEALED)
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// The documents of these collections whose newest version could not be read, by job, at most `limit` after the one given. There may be
/// very many in others: of those the index alone is read.
/// # Errors
/// As the database.
pub async fn failed(
    tx: &mut Tx,
    collections: &[CollectionId],
    after: Option<JobId>,
    limit: i64,
) -> Result<Vec<Document>> {
    let collections: Vec<String> = collections.iter().map(|id| id.uuid().simple().to_string()).collect();
    tx.sql(Pair {
        sqlite: "SELECT id, collection_id, title, titled, name, source, kind, tags, status, fault, content_hash, size, latest, shown, passages,
                embedded, job_id, made_by, version, created_at, updated_at
            FROM documents INDEXED BY documents_failed
            WHERE status = 'failed' AND job_id > $1 AND collection_id IN (SELECT unhex(value) FROM json_each($2)) ORDER BY job_id LIMIT $3",
        postgres: "SELECT id, collection_id, title, titled, name, source, kind, tags, status, fault, content_hash, size, latest, shown, passages,
                embedded, job_id, made_by, version, created_at, updated_at
            FROM documents
            WHERE status = 'failed' AND job_id > $1 AND collection_id = ANY (SELECT jsonb_array_elements_text($2::jsonb)::uuid) ORDER BY job_id LIMIT $3",
    })
    .opens(&SEALED)
    .bind(after_id(after))
    .bind(Json(collections).text())
    .bind(limit)
    .all()
    .await
}

/// The documents of a collection that changed after a moment, or at it and have a later id, by when they did, at most `limit`.
/// # Errors
/// As the database.
pub async fn changed_since(
    tx: &mut Tx,
    collection: CollectionId,
    since: Time,
    after: Option<DocumentId>,
    limit: i64,
) -> Result<Vec<Document>> {
    tx.sql(
        "SELECT id, collection_id, title, titled, name, source, kind, tags, status, fault, content_hash, size, latest, shown, passages,
                embedded, job_id, made_by, version, created_at, updated_at
         FROM documents WHERE collection_id = $1 AND (updated_at, id) > ($2, $3) ORDER BY updated_at, id LIMIT $4",
    )
    .opens(&SEALED)
    .bind(collection)
    .bind(since)
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// How many documents there are, and how many bytes their originals have; the same original counts once. An archive counts until it is
/// opened: then its files do.
/// # Errors
/// As the database.
pub async fn totals(tx: &mut Tx) -> Result<(i64, i64)> {
    let documents: i64 = tx.sql("SELECT count(*) FROM documents").one().await?;
    let bytes: i64 = tx
        .sql("SELECT CAST(COALESCE(sum(size), 0) AS BIGINT) FROM (
               SELECT content_hash, size FROM versions UNION SELECT content_hash, size FROM imports WHERE status = 'queued') originals")
        .one()
        .await?;
    Ok((documents, bytes))
}

/// Writes back the title and the tags of a document; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn update(tx: &mut Tx, document: &Document) -> Result<()> {
    let (now, row) = (tx.now(), SEALED.row(document.id));
    let tag_keys = tag_keys(tx, &document.tags.0)?;
    let changed = tx
        .sql(
            "UPDATE documents SET title = $2, titled = $6, tags = $3, tag_keys = $7, version = version + 1, updated_at = $4
             WHERE id = $1 AND version = $5",
        )
        .bind(document.id)
        .seal(&row, "title", &document.title)
        .seal(&row, "tags", document.tags.text())
        .bind(now)
        .bind(document.version)
        .bind(document.titled)
        .bind(tag_keys)
        .run()
        .await?;
    if changed == 0 { Err(Error::Stale("document")) } else { Ok(()) }
}

/// Calls the file of a document by another name. A title that was only the name of the file goes with it.
/// # Errors
/// [`Error::Stale`] when the document is not as given.
pub async fn rename(tx: &mut Tx, document: &Document, name: &str) -> Result<()> {
    let (now, row) = (tx.now(), SEALED.row(document.id));
    let title = if !document.titled && document.title == document.name { name } else { &document.title };
    let name_key = name_key(tx, name)?;
    let renamed = tx
        .sql(
            "UPDATE documents SET name = $2, name_key = $3, title = $4, version = version + 1, updated_at = $5
             WHERE id = $1 AND version = $6",
        )
        .bind(document.id)
        .seal(&row, "name", name)
        .bind(name_key)
        .seal(&row, "title", title)
        .bind(now)
        .bind(document.version)
        .run()
        .await?;
    if renamed == 0 { Err(Error::Stale("document")) } else { Ok(()) }
}

/// Gives a document a new original, which waits to be read; what was found of it is found until then. The title and the tags of the
/// document given are taken, too.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn renew(tx: &mut Tx, document: &Document) -> Result<()> {
    let (now, row) = (tx.now(), SEALED.row(document.id));
    let (name_key, tag_keys) = (name_key(tx, &document.name)?, tag_keys(tx, &document.tags.0)?);
    let changed = tx
        .sql(
            "UPDATE documents SET name = $2, content_hash = $3, size = $4, latest = latest + 1, status = 'queued', fault = NULL,
                                  title = $5, titled = $6, tags = $7, source = $8, job_id = $9, version = version + 1, updated_at = $10,
                                  name_key = $12, tag_keys = $13, fresh_at = $10
             WHERE id = $1 AND version = $11",
        )
        .bind(document.id)
        .seal(&row, "name", &document.name)
        .bind(&document.content_hash)
        .bind(document.size)
        .seal(&row, "title", &document.title)
        .bind(document.titled)
        .seal(&row, "tags", document.tags.text())
        .bind(&document.source)
        .bind(document.job_id)
        .bind(now)
        .bind(document.version)
        .bind(name_key)
        .bind(tag_keys)
        .run()
        .await?;
    if changed == 0 { Err(Error::Stale("document")) } else { Ok(()) }
}

/// Brings a document into another collection, with its passages and vectors as they are. The rule by which documents go there is looked at
/// as early as the one where it was.
/// # Errors
/// [`Error::Stale`] when the document is not as given.
pub async fn relocate(tx: &mut Tx, document: &Document, to: &Collection) -> Result<()> {
    let now = tx.now();
    // First: whoever brings passages of it waits for this, or this for them.
    let relocated = tx
        .sql("UPDATE documents SET collection_id = $2, version = version + 1, updated_at = $3 WHERE id = $1 AND version = $4")
        .bind(document.id)
        .bind(to.id)
        .bind(now)
        .bind(document.version)
        .run()
        .await?;
    if relocated == 0 {
        return Err(Error::Stale("document"));
    }
    tx.sql("UPDATE chunks SET collection = $2 WHERE document_id = $1")
        .bind(document.id)
        .bind(to.number)
        .unaudited(PROGRESS)
        .run()
        .await?;
    tx.sql("UPDATE vectors SET collection = $2 WHERE chunk IN (SELECT number FROM chunks WHERE document_id = $1)")
        .bind(document.id)
        .bind(to.number)
        .unaudited(PROGRESS)
        .run()
        .await?;
    tx.sql(
        "UPDATE collections SET due_at = (SELECT due_at FROM collections WHERE id = $2)
         WHERE id = $1 AND retain_days IS NOT NULL AND due_at > (SELECT due_at FROM collections WHERE id = $2)",
    )
    .bind(to.id)
    .bind(document.collection_id)
    .unaudited(PROGRESS)
    .run()
    .await?;
    moved(tx).await
}

/// Lets a version that could not be read wait to be read once more: its original came again, whole this time.
/// # Errors
/// As the database.
pub async fn retry(tx: &mut Tx, id: DocumentId, job: JobId) -> Result<()> {
    let now = tx.now();
    tx.sql(
        "UPDATE documents SET status = 'queued', fault = NULL, job_id = $2, version = version + 1, updated_at = $3, fresh_at = $3
         WHERE id = $1 AND status = 'failed'",
    )
    .bind(id)
    .bind(job)
    .bind(now)
    .run()
    .await?;
    Ok(())
}

/// Notes that a document came again as it was: it is as fresh as a new one.
/// # Errors
/// As the database.
pub async fn freshen(tx: &mut Tx, id: DocumentId) -> Result<()> {
    let now = tx.now();
    tx.sql("UPDATE documents SET fresh_at = $2 WHERE id = $1").bind(id).bind(now).unaudited(CAME).run().await?;
    Ok(())
}

/// Nothing of it changed.
const CAME: &str = "the same came again";

/// Notes how many bytes the passages of a document have.
/// # Errors
/// As the database.
pub async fn weigh(tx: &mut Tx, id: DocumentId, text_bytes: i64) -> Result<()> {
    tx.sql("UPDATE documents SET text_bytes = $2 WHERE id = $1")
        .bind(id)
        .bind(text_bytes)
        .unaudited(PROGRESS)
        .run()
        .await?;
    Ok(())
}

/// What the house notes of its work on documents; the change that caused it is in the log.
const PROGRESS: &str = "progress of work whose cause is in the log";

/// Notes how far the house is with a version, unless a newer one came meanwhile; says whether it noted that.
/// # Errors
/// As the database.
pub async fn progress(
    tx: &mut Tx,
    id: DocumentId,
    latest: i64,
    status: Status,
    fault: Option<&Json<Fault>>,
) -> Result<bool> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE documents SET status = $3, fault = $4, version = version + 1, updated_at = $5 WHERE id = $1 AND latest = $2",
        )
        .bind(id)
        .bind(latest)
        .bind(status.as_str())
        .seal(&SEALED.row(id), "fault", fault.map(Json::text))
        .bind(now)
        .unaudited(PROGRESS)
        .run()
        .await?;
    Ok(changed == 1)
}

/// Notes that the passages of a version are there, unless a newer one came meanwhile. What the document calls itself is its title,
/// unless a person gave it one.
/// # Errors
/// As the database.
pub async fn show(
    tx: &mut Tx,
    id: DocumentId,
    latest: i64,
    title: Option<&str>,
    kind: &str,
    passages: i64,
) -> Result<bool> {
    let now = tx.now();
    let shown = tx
        .sql(
            "UPDATE documents SET status = 'ready', fault = NULL, shown = $2, title = CASE WHEN titled THEN title ELSE COALESCE($3, title) END,
                                  kind = $4, passages = $5, embedded = 0, version = version + 1, updated_at = $6
             WHERE id = $1 AND latest = $2",
        )
        .bind(id)
        .bind(latest)
        .seal(&SEALED.row(id), "title", title)
        .bind(kind)
        .bind(passages)
        .bind(now)
        .unaudited(PROGRESS)
        .run()
        .await?;
    changed(tx).await?;
    Ok(shown == 1)
}

/// Removes a document with everything that was made of it, and its words out of the answers that cite it. Its originals stay until
/// [`super::versions::unused`] says so.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn delete(tx: &mut Tx, id: DocumentId) -> Result<()> {
    let removed = tx.sql("DELETE FROM documents WHERE id = $1").bind(id).run().await?;
    super::citings::forget(tx, id).await?;
    forgotten(tx).await?;
    if removed == 0 { Err(Error::NotFound("document")) } else { Ok(()) }
}
