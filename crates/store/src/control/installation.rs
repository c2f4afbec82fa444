//! Facts about the installation as a whole: named values.

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
