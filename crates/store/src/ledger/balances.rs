//! What is held and settled against each limit in a period: counters beside the books, derived from them when they are missing.

use domain::limits::{Counted, LimitKey};
use domain::{LimitId, Time};
use serde::Deserialize;

use super::Page;
use crate::Result;
use crate::sql::after_id;

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

/// A counter, and what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Counter {
    /// Whose limit.
    pub limit_id: LimitId,
    /// What it counts.
    pub counted: Counted,
    /// When the period began.
    pub starts_at: Time,
    /// Held by calls under way.
    pub held: i64,
    /// Used.
    pub settled: i64,
}

/// All counters, in the order of their limits, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(page: &mut Page<'_>, after: Option<&Counter>, limit: i64) -> Result<Vec<Counter>> {
    page.sql(
        "SELECT limit_id, counted, starts_at, held, settled FROM balances
         WHERE org_id = $1 AND (limit_id, counted, starts_at) > ($2, $3, $4) ORDER BY limit_id, counted, starts_at LIMIT $5",
    )
    .bind(after_id(after.map(|counter| counter.limit_id)))
    .bind(after.map_or("", |counter| counter.counted.as_str()))
    .bind(after.map_or(Time::from_micros(i64::MIN), |counter| counter.starts_at))
    .bind(limit)
    .all()
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
