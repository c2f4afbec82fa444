//! Under which master keys something may be wrapped: their names. A key that wraps an organisation's cannot be taken off the list; the
//! database itself refuses.

use super::ControlTx;
use crate::{Error, Result};

/// The names on the list, the newest first: one, or two while a new key takes over.
pub(crate) async fn listed(tx: &mut ControlTx) -> Result<Vec<String>> {
    tx.sql("SELECT name FROM master_keys ORDER BY number DESC").all().await
}

/// Puts a new key on the list: it wraps from now on. [`Error::Refused`] when another one was put there at the same moment.
pub(crate) async fn list(tx: &mut ControlTx, name: &str) -> Result<()> {
    let now = tx.now();
    let listed = tx
        .sql(
            "INSERT INTO master_keys (number, name, created_at)
             SELECT coalesce(max(number), 0) + 1, $1, $2 FROM master_keys",
        )
        .bind(name)
        .bind(now)
        .run()
        .await;
    match listed {
        Err(Error::Taken(_)) => Err(Error::Refused("another rotation began at the same moment; run it again".into())),
        other => other.map(drop),
    }
}

/// Takes all keys but one off the list that wrap nothing any more. [`Error::Refused`] when one began to wrap something meanwhile.
pub(crate) async fn unlist_all_but(tx: &mut ControlTx, name: &str) -> Result<()> {
    tx.sql(
        "DELETE FROM master_keys
         WHERE name <> $1 AND NOT EXISTS (SELECT 1 FROM organisations WHERE wrapped_by = master_keys.name)",
    )
    .bind(name)
    .run()
    .await
    .map(drop)
}
