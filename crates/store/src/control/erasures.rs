//! Receipts of what was erased: ids and numbers, signed, nothing of what it was. They outlive what they are about.

use std::collections::BTreeMap;

use domain::{ErasureId, Time};
use serde::{Deserialize, Serialize};

use super::ControlTx;
use crate::keys::sha256;
use crate::sql::before_id;
use crate::{Error, OrNotFound, Result};

/// The rows that were erased, by store and table; none for a store that could not be read any more, only destroyed.
pub type Counts = BTreeMap<String, Option<BTreeMap<String, i64>>>;

/// The receipt of an erasure, or the note that one is under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Erasure {
    /// The id.
    pub id: ErasureId,
    /// What is erased: the id of an organisation or a person.
    pub subject: String,
    /// Who asked for it.
    pub requested_by: String,
    /// When they asked.
    pub requested_at: Time,
    /// When the erasure began; from then on it could not be undone.
    pub begun_at: Time,
    /// What was there, as JSON text of [`Counts`], exactly as signed; none before it was counted.
    pub counts: Option<String>,
    /// When all of it was gone.
    pub erased_at: Option<Time>,
    /// SHA-256 of [`Erasure::statement`].
    pub hash: Option<Vec<u8>>,
    /// The Ed25519 signature of [`Erasure::statement`], by the key that signs the heads of audit chains.
    pub signature: Option<Vec<u8>>,
}

impl Erasure {
    /// The text that is hashed and signed, a fact a line; none before the erasure is done.
    #[must_use]
    pub fn statement(&self) -> Option<String> {
        let (erased_at, counts) = (self.erased_at?, self.counts.as_ref()?);
        let Self { id, subject, requested_by, requested_at, begun_at, .. } = self;
        Some(format!(
            "rowhouse erasure\n{id}\n{subject}\n{requested_by}\n{requested_at}\n{begun_at}\n{erased_at}\n{counts}\n"
        ))
    }

    /// What was there; empty before it was counted.
    #[must_use]
    pub fn counted(&self) -> Counts {
        self.counts.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// Notes that something begins to be erased; repeating it changes nothing.
/// # Errors
/// As the database.
pub async fn begin(tx: &mut ControlTx, subject: &str, requested_by: &str, requested_at: Time) -> Result<()> {
    let (id, now) = (tx.store().ambient().id::<ErasureId>(), tx.now());
    tx.sql(
        "INSERT INTO erasures (id, subject, requested_by, requested_at, begun_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (subject) DO NOTHING",
    )
    .bind(id)
    .bind(subject)
    .bind(requested_by)
    .bind(requested_at)
    .bind(now)
    .run()
    .await?;
    Ok(())
}

/// The receipt about an organisation or a person, if their erasure has begun.
/// # Errors
/// As the database.
pub async fn find(tx: &mut ControlTx, subject: &str) -> Result<Option<Erasure>> {
    tx.sql(
        "SELECT id, subject, requested_by, requested_at, begun_at, counts, erased_at, hash, signature
         FROM erasures WHERE subject = $1",
    )
    .bind(subject)
    .optional()
    .await
}

/// The receipt about an organisation or a person.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn about(tx: &mut ControlTx, subject: &str) -> Result<Erasure> {
    find(tx, subject).await.or_not_found("erasure")
}

/// A receipt.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(tx: &mut ControlTx, id: ErasureId) -> Result<Erasure> {
    tx.sql(
        "SELECT id, subject, requested_by, requested_at, begun_at, counts, erased_at, hash, signature
         FROM erasures WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
    .or_not_found("erasure")
}

/// Receipts, the newest first: at most `limit`, before the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut ControlTx, before: Option<ErasureId>, limit: i64) -> Result<Vec<Erasure>> {
    tx.sql(
        "SELECT id, subject, requested_by, requested_at, begun_at, counts, erased_at, hash, signature
         FROM erasures WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(before_id(before))
    .bind(limit)
    .all()
    .await
}

/// Notes what is there before it goes; what was noted first stays.
/// # Errors
/// As the database.
pub async fn note(tx: &mut ControlTx, id: ErasureId, counts: &Counts) -> Result<()> {
    let counts = serde_json::to_string(counts).map_err(|error| Error::bug(error.to_string()))?;
    tx.sql("UPDATE erasures SET counts = $2 WHERE id = $1 AND counts IS NULL")
        .bind(id)
        .bind(counts)
        .unaudited("part of the erasure, whose beginning and end are recorded")
        .run()
        .await?;
    Ok(())
}

/// Completes a receipt with what was erased in other stores and in the control database, and signs it.
/// # Errors
/// [`Error::Stale`] when it was completed before; as the database.
pub async fn finish(
    tx: &mut ControlTx,
    mut erasure: Erasure,
    mut counts: Counts,
    control: BTreeMap<String, i64>,
) -> Result<Erasure> {
    counts.insert("control".into(), Some(control));
    erasure.counts = Some(serde_json::to_string(&counts).map_err(|error| Error::bug(error.to_string()))?);
    erasure.erased_at = Some(tx.now());
    let statement = erasure.statement().unwrap_or_default();
    let (hash, signature) = (sha256(&statement), tx.store().sign(statement.as_bytes()));
    let changed = tx
        .sql("UPDATE erasures SET counts = $2, erased_at = $3, hash = $4, signature = $5 WHERE id = $1 AND erased_at IS NULL")
        .bind(erasure.id)
        .bind(erasure.counts.clone())
        .bind(erasure.erased_at)
        .bind(hash)
        .bind(&signature[..])
        .run()
        .await?;
    if changed == 0 {
        return Err(Error::Stale("erasure"));
    }
    (erasure.hash, erasure.signature) = (Some(hash.to_vec()), Some(signature.to_vec()));
    Ok(erasure)
}
