//! What is held and settled against each limit in a period: counters beside the books, derived from them when they are missing.

use domain::Time;
use domain::limits::LimitKey;
use serde::Deserialize;

use super::Page;
use crate::Result;

/// What is held and settled, in the limit's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub struct Balance {
    /// Held by calls under way.
    pub held: i64,
    /// Used.
    pub settled: i64,
}

/// The balance of a limit in the period that began at a time.
/// # Errors
/// As the database.
pub async fn find(page: &mut Page<'_>, key: LimitKey, from: Time) -> Result<Option<Balance>> {
    page.sql(
        "SELECT held, settled FROM balances WHERE org_id = $1 AND limit_id = $2 AND counted = $3 AND starts_at = $4",
    )
    .bind(key.id)
    .bind(key.counted.as_str())
    .bind(from)
    .optional()
    .await
}

/// Writes a balance.
/// # Errors
/// As the database.
pub async fn put(page: &mut Page<'_>, key: LimitKey, from: Time, balance: Balance) -> Result<()> {
    page.sql(
        "INSERT INTO balances (org_id, limit_id, counted, starts_at, held, settled) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (org_id, limit_id, counted, starts_at) DO UPDATE SET held = excluded.held, settled = excluded.settled",
    )
    .bind(key.id)
    .bind(key.counted.as_str())
    .bind(from)
    .bind(balance.held)
    .bind(balance.settled)
    .run()
    .await?;
    Ok(())
}

/// Throws all balances away; each is derived anew when it is next looked at. Needed when the past counts differently: a team was
/// moved, or the organisation's clocks.
/// # Errors
/// As the database.
pub async fn clear(page: &mut Page<'_>) -> Result<()> {
    page.sql("DELETE FROM balances WHERE org_id = $1").run().await?;
    Ok(())
}
