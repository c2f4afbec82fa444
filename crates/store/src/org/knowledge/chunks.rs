//! Passages: what is searched, and what answers cite.

use domain::{ChunkId, DocumentId};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{changed, lost, numbers, words};
use crate::org::Tx;
use crate::sql::{Bind as _, Pair, SealedColumns};
use crate::{OrNotFound, Result};

const MADE: &str = "made out of a document, whose coming is in the log";
/// Passages whose words are told apart at once.
const BATCH: usize = 64;

pub(super) const SEALED: SealedColumns =
    SealedColumns { table: "chunks", key: &["id"], texts: &["heading", "text"], bytes: &[] };
/// Words can nearly be read out of vectors.
const VECTOR: SealedColumns =
    SealedColumns { table: "vectors", key: &["chunk", "model"], texts: &[], bytes: &["value"] };

/// A passage of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The number under which its words and vectors are found.
    pub number: i64,
    /// The id.
    pub id: ChunkId,
    /// The document.
    pub document_id: DocumentId,
    /// The number of its collection.
    pub collection: i64,
    /// Which passage of the document, from 0.
    pub place: i64,
    /// The headings above it, from the outermost, parted by ` > `.
    pub heading: String,
    /// What it says.
    pub text: String,
    /// The page it begins on, from 1.
    pub page: Option<i64>,
    /// Where it begins in the document's text, in bytes.
    pub starts: i64,
    /// Where it ends.
    pub ends: i64,
}

/// A passage that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The headings above it.
    pub heading: String,
    /// What it says.
    pub text: String,
    /// The page it begins on, from 1.
    pub page: Option<i64>,
    /// Where it begins in the document's text, in bytes.
    pub starts: i64,
    /// Where it ends.
    pub ends: i64,
}

/// Puts passages in place of those that a document had, into the collection in which it is by now. Their words are found as soon as this
/// is committed.
/// # Errors
/// [`crate::Error::NotFound`] when the document is gone.
pub async fn replace(tx: &mut Tx, document: DocumentId, drafts: &[Draft]) -> Result<()> {
    let collection: i64 = tx
        .sql("SELECT number FROM collections WHERE id = (SELECT collection_id FROM documents WHERE id = $1)")
        .bind(document)
        .optional()
        .await
        .or_not_found("document")?;
    if !drafts.is_empty() {
        tx.transaction().admit_more()?;
    }
    let gone = tx.sql("DELETE FROM chunks WHERE document_id = $1").bind(document).unaudited(MADE).run().await?;
    let count = i64::try_from(drafts.len()).unwrap_or(i64::MAX);
    let first = if count == 0 { 0 } else { numbers(tx, count).await? };
    let mut place = 0;
    for drafts in drafts.chunks(BATCH) {
        // A file's own index makes its words of the texts.
        let mut words = words::of(tx, drafts)?.into_iter();
        for draft in drafts {
            let id: ChunkId = tx.ambient().id();
            let row = SEALED.row(id);
            let mut added = tx
                .sql(Pair {
                    sqlite: "INSERT INTO chunks (number, id, document_id, collection, place, heading, text, page, starts, ends)
                        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                    postgres: "INSERT INTO chunks (number, id, document_id, collection, place, heading, text, page, starts, ends, words, length)
                        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, ($11::text)::tsvector, $12)",
                })
                .bind(first + place)
                .bind(id)
                .bind(document)
                .bind(collection)
                .bind(place)
                .seal(&row, "heading", &draft.heading)
                .seal(&row, "text", &draft.text)
                .bind(draft.page)
                .bind(draft.starts)
                .bind(draft.ends);
            if let Some((words, length)) = words.next() {
                added = added.bind(words).bind(length);
            }
            added.unaudited(MADE).run().await?;
            place += 1;
        }
    }
    if gone > 0 { lost(tx).await } else { changed(tx).await }
}

/// The passages of a document in their order, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, document: DocumentId, after: Option<i64>, limit: i64) -> Result<Vec<Chunk>> {
    tx.sql(
        "SELECT number, id, document_id, collection, place, heading, text, page, starts, ends
         FROM chunks WHERE document_id = $1 AND place > $2 ORDER BY place LIMIT $3",
    )
    .opens(&SEALED)
    .bind(document)
    .bind(after.unwrap_or(-1))
    .bind(limit)
    .all()
    .await
}

/// The passage with this number, if it is still there.
/// # Errors
/// As the database.
pub async fn find(tx: &mut Tx, number: i64) -> Result<Option<Chunk>> {
    tx.sql(
        "SELECT number, id, document_id, collection, place, heading, text, page, starts, ends FROM chunks WHERE number = $1",
    )
    .opens(&SEALED)
    .bind(number)
    .optional()
    .await
}

/// The passage with this id.
/// # Errors
/// [`crate::Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, id: ChunkId) -> Result<Chunk> {
    tx.sql("SELECT number, id, document_id, collection, place, heading, text, page, starts, ends FROM chunks WHERE id = $1")
        .opens(&SEALED)
        .bind(id)
        .optional()
        .await
        .or_not_found("passage")
}

/// Passages of a document that have no vector of a model yet, in their order, at most `limit`.
/// # Errors
/// As the database.
pub async fn without_vector(tx: &mut Tx, document: DocumentId, model: &str, limit: i64) -> Result<Vec<Chunk>> {
    tx.sql(
        "SELECT number, id, document_id, collection, place, heading, text, page, starts, ends FROM chunks
         WHERE document_id = $1 AND NOT EXISTS (SELECT 1 FROM vectors WHERE model = $2 AND chunk = chunks.number)
         ORDER BY place LIMIT $3",
    )
    .opens(&SEALED)
    .bind(document)
    .bind(model)
    .bind(limit)
    .all()
    .await
}

/// A vector: 8 bits a dimension, times a scale in billionths. One without dimensions stands for a passage of which its model gives none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Vector {
    /// The passage.
    pub chunk: i64,
    /// The number of its collection.
    pub collection: i64,
    /// What each dimension is multiplied by, in billionths.
    pub scale: i64,
    /// The dimensions, each a signed byte.
    pub value: ByteBuf,
}

impl Vector {
    /// What stands in the place of a vector when the model's server refuses the passage: it counts as embedded, so nobody asks for it
    /// again, and no search finds it by its meaning, since it has another size than all vectors.
    #[must_use]
    pub fn none(chunk: &Chunk) -> Self {
        Self { chunk: chunk.number, collection: chunk.collection, scale: 0, value: ByteBuf::new() }
    }
}

/// Adds the vector of a passage, if the passage is still there, for the collection in which that is by now; says whether it was.
/// # Errors
/// As the database.
pub async fn embed(tx: &mut Tx, model: &str, vector: &Vector) -> Result<bool> {
    let row = VECTOR.row_of(&[vector.chunk.value(), model.value()]);
    let added = tx
        .sql(Pair {
            sqlite: "INSERT INTO vectors (model, chunk, collection, scale, value)
                SELECT $1, $2, collection, $3, $4 FROM chunks WHERE number = $2
                ON CONFLICT DO NOTHING",
            // Whoever moves the passage waits until this is committed, and finds the vector then.
            postgres: "INSERT INTO vectors (model, chunk, collection, scale, value)
                SELECT $1, $2, collection, $3, $4 FROM chunks WHERE number = $2 FOR SHARE
                ON CONFLICT DO NOTHING",
        })
        .bind(model)
        .bind(vector.chunk)
        .bind(vector.scale)
        .seal(&row, "value", vector.value.as_slice())
        .unaudited(MADE)
        .run()
        .await?;
    Ok(added == 1)
}

/// Counts how many passages of a document have a vector of a model, and notes that on the document; what is found changes.
/// # Errors
/// As the database.
pub async fn count_embedded(tx: &mut Tx, document: DocumentId, model: &str) -> Result<()> {
    let now = tx.now();
    tx.sql(
        "UPDATE documents SET updated_at = $3, embedded = (SELECT count(*) FROM chunks JOIN vectors ON vectors.chunk = chunks.number
                                                           WHERE chunks.document_id = $1 AND vectors.model = $2)
         WHERE id = $1",
    )
    .bind(document)
    .bind(model)
    .bind(now)
    .unaudited(MADE)
    .run()
    .await?;
    changed(tx).await
}

/// The vectors of a model whose passages have numbers from `first` to `last`, by number, at most `limit`.
/// # Errors
/// As the database.
pub async fn vectors(tx: &mut Tx, model: &str, first: i64, last: i64, limit: i64) -> Result<Vec<Vector>> {
    tx.sql(
        "SELECT chunk, model, collection, scale, value FROM vectors
         WHERE model = $1 AND chunk >= $2 AND chunk <= $3 ORDER BY chunk LIMIT $4",
    )
    .opens(&VECTOR)
    .bind(model)
    .bind(first)
    .bind(last)
    .bind(limit)
    .all()
    .await
}
