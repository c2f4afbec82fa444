//! Facts about the installation as a whole: named values.

use domain::Time;

use super::ControlTx;
use crate::Result;

/// A value, if it was set.
/// # Errors
/// As the database.
pub async fn find(tx: &mut ControlTx, name: &str) -> Result<Option<String>> {
    tx.sql("SELECT value FROM installation WHERE name = $1").bind(name).optional().await
}

/// Sets a value.
/// # Errors
/// As the database.
pub async fn set(tx: &mut ControlTx, name: &str, value: &str) -> Result<()> {
    let now = tx.now();
    tx.sql(
        "INSERT INTO installation (name, value, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
    )
    .bind(name)
    .bind(value)
    .bind(now)
    .unaudited("a fact about the installation, set by itself")
    .run()
    .await?;
    Ok(())
}

/// Takes a value away; says whether there was one.
/// # Errors
/// As the database.
pub async fn remove(tx: &mut ControlTx, name: &str) -> Result<bool> {
    let removed = tx
        .sql("DELETE FROM installation WHERE name = $1")
        .bind(name)
        .unaudited("a fact about the installation, set by itself")
        .run()
        .await?;
    Ok(removed > 0)
}

/// The names of values between two texts that were set before a time, in their order.
/// # Errors
/// As the database.
pub async fn older(tx: &mut ControlTx, (from, to): (&str, &str), before: Time, limit: i64) -> Result<Vec<String>> {
    tx.sql("SELECT name FROM installation WHERE name >= $1 AND name < $2 AND updated_at < $3 ORDER BY name LIMIT $4")
        .bind(from)
        .bind(to)
        .bind(before)
        .bind(limit)
        .all()
        .await
}
