//! By which model an organisation's passages are embedded: the one whose vectors answer, and the one that is taking its place.
//!
//! There is no row as long as nothing was chosen: then the vectors are those of the model inside the program. Both models' vectors stand
//! side by side until the coming one has as many; then all else goes in one transaction ([`switch`]).

use domain::{JobId, Time, UserId};
use serde::{Deserialize, Serialize};

use super::changed;
use super::chunks::Chunk;
use super::documents::Fault;
use crate::Result;
use crate::org::Tx;
use crate::sql::Json;

/// What the house notes of its work; the choice that caused it is in the log.
const PROGRESS: &str = "progress of work whose cause is in the log";

/// By which model passages are embedded. Models are named as on vectors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Embedding {
    /// The model that the organisation chose; none for the installation's.
    pub choice: Option<String>,
    /// The model whose vectors answer.
    pub current: String,
    /// How many numbers its vectors have; none until there is one.
    pub size: Option<i64>,
    /// The model that is taking its place.
    pub coming: Option<String>,
    /// How many numbers its vectors have; none until there is one.
    pub coming_size: Option<i64>,
    /// Why the work does not go on for now.
    pub fault: Option<Json<Fault>>,
    /// Since when.
    pub failing_since: Option<Time>,
    /// The work on it.
    pub job_id: JobId,
    /// Who chose last.
    pub made_by: UserId,
    /// Counts choices, for ETags.
    pub version: i64,
    /// When something was chosen first.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Embedding {
    /// Lets a model take the place of the current one, or stay; what was coming before does not come any more.
    pub fn aim(&mut self, wanted: &str) {
        if self.coming.as_deref() == Some(wanted) {
            return;
        }
        self.coming = (self.current != wanted).then(|| wanted.to_owned());
        (self.coming_size, self.fault, self.failing_since) = (None, None, None);
    }

    /// How many numbers the vectors of a model have: none when nobody knows yet, nothing at all when it is none of the two.
    #[must_use]
    pub fn size_of(&self, model: &str) -> Option<Option<i64>> {
        if self.coming.as_deref() == Some(model) {
            return Some(self.coming_size);
        }
        (self.current == model).then_some(self.size)
    }
}

/// The row, if something was chosen.
/// # Errors
/// As the database.
pub async fn find(tx: &mut Tx) -> Result<Option<Embedding>> {
    tx.sql(
        "SELECT choice, current, size, coming, coming_size, fault, failing_since, job_id, made_by, version, created_at, updated_at
         FROM embedding WHERE one = 1",
    )
    .optional()
    .await
}

/// The model whose vectors answer; none when nothing was chosen.
/// # Errors
/// As the database.
pub async fn current(tx: &mut Tx) -> Result<Option<String>> {
    tx.sql("SELECT current FROM embedding WHERE one = 1").optional().await
}

/// Writes the row, as a choice that its caller records. Vectors of models that are none of the two go.
/// # Errors
/// As the database.
pub async fn choose(tx: &mut Tx, row: &Embedding) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE embedding SET choice = $1, current = $2, size = $3, coming = $4, coming_size = $5, fault = $6, failing_since = $7,
                                  job_id = $8, made_by = $9, version = $10, updated_at = $11 WHERE one = 1",
        )
        .bind(row.choice.as_deref())
        .bind(&row.current)
        .bind(row.size)
        .bind(row.coming.as_deref())
        .bind(row.coming_size)
        .bind(row.fault.as_ref().map(Json::text))
        .bind(row.failing_since)
        .bind(row.job_id)
        .bind(row.made_by)
        .bind(row.version)
        .bind(now)
        .run()
        .await?;
    if changed == 0 {
        tx.sql(
            "INSERT INTO embedding (one, choice, current, size, coming, coming_size, fault, failing_since, job_id, made_by, version,
                                    created_at, updated_at)
             VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
        )
        .bind(row.choice.as_deref())
        .bind(&row.current)
        .bind(row.size)
        .bind(row.coming.as_deref())
        .bind(row.coming_size)
        .bind(row.fault.as_ref().map(Json::text))
        .bind(row.failing_since)
        .bind(row.job_id)
        .bind(row.made_by)
        .bind(row.version)
        .bind(now)
        .run()
        .await?;
    }
    tx.sql("DELETE FROM vectors WHERE model <> $1 AND model <> $2")
        .bind(&row.current)
        .bind(row.coming.as_deref().unwrap_or(&row.current))
        .unaudited(PROGRESS)
        .run()
        .await?;
    Ok(())
}

/// Notes how many numbers a model's vectors have, once the first is there.
/// # Errors
/// As the database.
pub async fn learn(tx: &mut Tx, model: &str, size: i64) -> Result<()> {
    let now = tx.now();
    tx.sql(
        "UPDATE embedding SET size = CASE WHEN current = $1 THEN $2 ELSE size END,
                              coming_size = CASE WHEN coming = $1 THEN $2 ELSE coming_size END, updated_at = $3 WHERE one = 1",
    )
    .bind(model)
    .bind(size)
    .bind(now)
    .unaudited(PROGRESS)
    .run()
    .await?;
    Ok(())
}

/// Notes why the work does not go on, or that it does.
/// # Errors
/// As the database.
pub async fn note(tx: &mut Tx, fault: Option<&Json<Fault>>) -> Result<()> {
    let now = tx.now();
    tx.sql(
        "UPDATE embedding SET fault = $1, failing_since = CASE WHEN $1 IS NULL THEN NULL ELSE COALESCE(failing_since, $2) END,
                              updated_at = $2 WHERE one = 1",
    )
    .bind(fault.map(Json::text))
    .bind(now)
    .unaudited(PROGRESS)
    .run()
    .await?;
    Ok(())
}

/// Passages of all documents that have no vector of a model, by number, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn lacking(tx: &mut Tx, model: &str, after: i64, limit: i64) -> Result<Vec<Chunk>> {
    tx.sql(
        "SELECT number, id, document_id, collection, place, heading, text, page, starts, ends FROM chunks
         WHERE number > $1 AND NOT EXISTS (SELECT 1 FROM vectors WHERE model = $2 AND chunk = chunks.number) ORDER BY number LIMIT $3",
    )
    .opens(&super::chunks::SEALED)
    .bind(after)
    .bind(model)
    .bind(limit)
    .all()
    .await
}

/// How many passages have a vector of a model, and how many there are.
/// # Errors
/// As the database.
pub async fn progress(tx: &mut Tx, model: &str) -> Result<(i64, i64)> {
    let done: i64 = tx.sql("SELECT count(*) FROM vectors WHERE model = $1").bind(model).one().await?;
    let all: i64 = tx.sql("SELECT count(*) FROM chunks").one().await?;
    Ok((done, all))
}

/// Puts the coming model in the place of the current one, whose vectors go, unless a passage would not be found by its meaning any more
/// that is now. Says whether it did.
/// # Errors
/// As the database.
pub async fn switch(tx: &mut Tx, coming: &str) -> Result<bool> {
    let now = tx.now();
    let turned = tx
        .sql(
            "UPDATE embedding SET current = coming, size = coming_size, coming = NULL, coming_size = NULL, fault = NULL, failing_since = NULL,
                                  updated_at = $2
             WHERE one = 1 AND coming = $1 AND NOT EXISTS (
               SELECT 1 FROM vectors old WHERE old.model = embedding.current
                 AND NOT EXISTS (SELECT 1 FROM vectors fresh WHERE fresh.model = $1 AND fresh.chunk = old.chunk))",
        )
        .bind(coming)
        .bind(now)
        .run()
        .await?;
    if turned == 0 {
        return Ok(false);
    }
    tx.sql("DELETE FROM vectors WHERE model <> $1").bind(coming).unaudited(PROGRESS).run().await?;
    tx.sql(
        "UPDATE documents SET updated_at = $2, embedded = (SELECT count(*) FROM chunks JOIN vectors ON vectors.chunk = chunks.number
                                                           WHERE chunks.document_id = documents.id AND vectors.model = $1)",
    )
    .bind(coming)
    .bind(now)
    .unaudited(PROGRESS)
    .run()
    .await?;
    changed(tx).await?;
    Ok(true)
}
