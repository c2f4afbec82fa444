//! Failed sign-ins by account and by source, for the growing delay. A subject is a hash, so the table names nobody.

use domain::Time;
use serde::{Deserialize, Serialize};

use super::ControlTx;
use crate::Result;

/// The failed sign-ins of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// How many there were.
    pub failures: i64,
    /// When counting began.
    pub since: Time,
    /// Until when further tries are refused.
    pub blocked_until: Time,
}

/// The failed sign-ins of a subject, if there are any.
/// # Errors
/// As the database.
pub async fn find(tx: &mut ControlTx, subject: &[u8; 32]) -> Result<Option<Throttle>> {
    tx.sql("SELECT failures, since, blocked_until FROM throttles WHERE subject = $1").bind(subject).optional().await
}

/// The failed sign-ins of a subject; from now to the end of the transaction nobody else counts any.
/// # Errors
/// As the database.
pub async fn lock(tx: &mut ControlTx, subject: &[u8; 32]) -> Result<Throttle> {
    let now = tx.now();
    tx.sql(
        "INSERT INTO throttles (subject, failures, since, blocked_until) VALUES ($1, 0, $2, $2)
         ON CONFLICT (subject) DO UPDATE SET failures = throttles.failures
         RETURNING failures, since, blocked_until",
    )
    .bind(subject)
    .bind(now)
    .unaudited("takes the row's lock")
    .one()
    .await
}

/// Notes the failed sign-ins of a subject that was locked.
/// # Errors
/// As the database.
pub async fn set(tx: &mut ControlTx, subject: &[u8; 32], throttle: &Throttle) -> Result<()> {
    tx.sql("UPDATE throttles SET failures = $2, since = $3, blocked_until = $4 WHERE subject = $1")
        .bind(subject)
        .bind(throttle.failures)
        .bind(throttle.since)
        .bind(throttle.blocked_until)
        .unaudited("counts, which decide by themselves")
        .run()
        .await?;
    Ok(())
}

/// Forgets the failed sign-ins of a subject.
/// # Errors
/// As the database.
pub async fn clear(tx: &mut ControlTx, subject: &[u8; 32]) -> Result<()> {
    tx.sql("DELETE FROM throttles WHERE subject = $1")
        .bind(subject)
        .unaudited("part of a sign-in, which is recorded")
        .run()
        .await?;
    Ok(())
}

/// Forgets what began, and blocks nobody any more, before the given time; at most a thousand subjects.
/// # Errors
/// As the database.
pub async fn sweep(tx: &mut ControlTx, before: Time) -> Result<u64> {
    tx.sql(
        "DELETE FROM throttles WHERE subject IN (
           SELECT subject FROM throttles WHERE since < $1 AND blocked_until < $1 ORDER BY since LIMIT 1000)",
    )
    .bind(before)
    .unaudited("ended long ago")
    .run()
    .await
}
