//! Versions of documents: each original, and what was read from it.

use domain::{DocumentId, Time, UserId};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::org::Tx;
use crate::sql::{Bind as _, SealedColumns};
use crate::{OrNotFound, Result};

const SEALED: SealedColumns =
    SealedColumns { table: "versions", key: &["document_id", "number"], texts: &["name"], bytes: &["content"] };

/// A version, without what was read from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    /// Whose.
    pub document_id: DocumentId,
    /// Which, from 1.
    pub number: i64,
    /// The name of the file.
    pub name: String,
    /// The hash of the original.
    pub content_hash: String,
    /// Its size in bytes.
    pub size: i64,
    /// Who brought it.
    pub made_by: UserId,
    /// When.
    pub created_at: Time,
}

/// Adds a version.
/// # Errors
/// As the database.
pub async fn insert(tx: &mut Tx, version: &Version) -> Result<()> {
    let row = SEALED.row_of(&[version.document_id.value(), version.number.value()]);
    tx.sql(
        "INSERT INTO versions (document_id, number, name, content_hash, size, made_by, created_at, text_bytes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
    )
    .bind(version.document_id)
    .bind(version.number)
    .seal(&row, "name", &version.name)
    .bind(&version.content_hash)
    .bind(version.size)
    .bind(version.made_by)
    .bind(version.created_at)
    .run()
    .await?;
    Ok(())
}

/// The versions of a document, the newest first, at most `limit` before the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, document: DocumentId, before: Option<i64>, limit: i64) -> Result<Vec<Version>> {
    tx.sql(
        "SELECT document_id, number, name, content_hash, size, made_by, created_at
         FROM versions WHERE document_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3",
    )
    .opens(&SEALED)
    .bind(document)
    .bind(before.unwrap_or(i64::MAX))
    .bind(limit)
    .all()
    .await
}

/// One version of a document.
/// # Errors
/// [`crate::Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, document: DocumentId, number: i64) -> Result<Version> {
    tx.sql(
        "SELECT document_id, number, name, content_hash, size, made_by, created_at
         FROM versions WHERE document_id = $1 AND number = $2",
    )
    .opens(&SEALED)
    .bind(document)
    .bind(number)
    .optional()
    .await
    .or_not_found("version")
}

/// Keeps what was read from a version.
/// # Errors
/// As the database.
pub async fn keep_content(tx: &mut Tx, document: DocumentId, number: i64, content: Vec<u8>) -> Result<()> {
    let row = SEALED.row_of(&[document.value(), number.value()]);
    let bytes = i64::try_from(content.len()).unwrap_or(i64::MAX);
    tx.sql("UPDATE versions SET content = $3, text_bytes = $4 WHERE document_id = $1 AND number = $2")
        .bind(document)
        .bind(number)
        .seal(&row, "content", content)
        .bind(bytes)
        .unaudited("what was read; that it came is in the log")
        .run()
        .await?;
    Ok(())
}

#[derive(Deserialize)]
struct Content {
    content: Option<ByteBuf>,
}

/// What was read from a version; none when that could not be read, or not yet.
/// # Errors
/// As the database.
pub async fn content(tx: &mut Tx, document: DocumentId, number: i64) -> Result<Option<Vec<u8>>> {
    let found: Option<Content> = tx
        .sql("SELECT document_id, number, content FROM versions WHERE document_id = $1 AND number = $2")
        .opens(&SEALED)
        .bind(document)
        .bind(number)
        .optional()
        .await?;
    Ok(found.and_then(|found| found.content).map(ByteBuf::into_vec))
}

/// The originals of a document.
/// # Errors
/// As the database.
pub async fn originals(tx: &mut Tx, document: DocumentId) -> Result<Vec<String>> {
    tx.sql("SELECT DISTINCT content_hash FROM versions WHERE document_id = $1").bind(document).all().await
}

/// The originals that any version needs, and archives whose files are not all out.
/// # Errors
/// As the database.
pub async fn needed(tx: &mut Tx) -> Result<Vec<String>> {
    tx.sql("SELECT content_hash FROM versions UNION SELECT content_hash FROM imports WHERE content_hash <> ''")
        .all()
        .await
}

/// Whether no version needs an original any more, and no archive.
/// # Errors
/// As the database.
pub async fn unused(tx: &mut Tx, content_hash: &str) -> Result<bool> {
    let used: bool =
        tx.sql("SELECT EXISTS (SELECT 1 FROM versions WHERE content_hash = $1) OR EXISTS (SELECT 1 FROM imports WHERE content_hash = $1)")
            .bind(content_hash)
            .one()
            .await?;
    Ok(!used)
}
