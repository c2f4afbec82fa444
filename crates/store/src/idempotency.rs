//! Answers that are kept under the key a caller gave, so that a repeated request gets the first answer and does nothing twice.
//!
//! Organisations' stores and the control database have the same table. An answer is written in the transaction of what it
//! answers; it is sealed by the caller, since it may hold a secret that is shown once.

use domain::Time;
use serde::Deserialize;

use crate::sql::Transaction;
use crate::{OrTaken, Result};

/// For how long an answer counts.
pub const KEPT: std::time::Duration = std::time::Duration::from_hours(24);

/// Stands in the place of the status of an answer that was kept, and of which a document was deleted since.
pub const FORGOTTEN: i64 = 1;

/// An answer as kept.
#[derive(Debug, Clone, Deserialize)]
pub struct Stored {
    /// The hash of the request that it answers; another request under the same key is a mistake of the caller.
    pub request: Vec<u8>,
    /// The status; [`FORGOTTEN`] when the answer is.
    pub status: i64,
    /// The answer, sealed.
    pub response: Vec<u8>,
    /// When it was given.
    pub created_at: Time,
}

/// The answer kept under a scope, a hash over the caller and their key, if there is one.
pub(crate) async fn find(transaction: &mut Transaction, scope: &[u8; 32]) -> Result<Option<Stored>> {
    transaction
        .sql("SELECT request, status, response, created_at FROM idempotency WHERE scope = $1")
        .bind(scope)
        .optional()
        .await
}

/// Keeps an answer. [`crate::Error::Taken`] when another request with the same scope was faster: its answer counts.
pub(crate) async fn insert(
    transaction: &mut Transaction,
    scope: &[u8; 32],
    request: &[u8; 32],
    status: i64,
    response: &[u8],
    now: Time,
) -> Result<()> {
    transaction
        .sql("DELETE FROM idempotency WHERE scope = $1 AND created_at < $2")
        .bind(scope)
        .bind(now - KEPT)
        .unaudited("too old to be repeated")
        .run()
        .await?;
    transaction
        .sql("INSERT INTO idempotency (scope, request, status, response, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(scope)
        .bind(request)
        .bind(status)
        .bind(response)
        .bind(now)
        .unaudited("part of what it answers")
        .run()
        .await
        .or_taken("Idempotency-Key")?;
    Ok(())
}

/// Forgets answers given before the given time; at most a thousand.
pub(crate) async fn sweep(transaction: &mut Transaction, before: Time) -> Result<u64> {
    transaction
        .sql(
            "DELETE FROM idempotency WHERE scope IN (
               SELECT scope FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT 1000)",
        )
        .bind(before)
        .unaudited("kept long enough")
        .run()
        .await
}
