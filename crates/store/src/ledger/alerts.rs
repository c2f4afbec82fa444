//! Which thresholds of a limit were passed in a period: each is told once.

use domain::limits::{Counted, LimitKey};
use domain::{LimitId, Time};
use serde::Deserialize;

use super::Page;
use crate::Result;
use crate::sql::Statement;

/// A threshold that was passed and not told yet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Alert {
    /// Whose limit.
    pub limit_id: LimitId,
    /// What it counts.
    pub counted: Counted,
    /// When the period began.
    pub starts_at: Time,
    /// Which threshold, in percent of the limit.
    pub percent: i64,
    /// When it was passed.
    pub at: Time,
}

/// Notes that a threshold was passed. False when that is known already.
/// # Errors
/// As the database.
pub async fn insert(page: &mut Page<'_>, limit: LimitKey, from: Time, percent: i64) -> Result<bool> {
    Ok(inserting(page, limit, from, percent).run().await? == 1)
}

/// The statement that notes a threshold; it changes one row, or none when that is known already.
pub(super) fn inserting<'p>(page: &'p mut Page<'_>, limit: LimitKey, from: Time, percent: i64) -> Statement<'p> {
    let now = page.now();
    page.sql(
        "INSERT INTO alerts (org_id, limit_id, counted, starts_at, percent, at) VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (org_id, limit_id, counted, starts_at, percent) DO NOTHING",
    )
    .bind(limit.id)
    .bind(limit.counted.as_str())
    .bind(from)
    .bind(percent)
    .bind(now)
}

/// The thresholds that were passed and not told yet, the oldest first.
/// # Errors
/// As the database.
pub async fn untold(page: &mut Page<'_>) -> Result<Vec<Alert>> {
    page.sql(
        "SELECT limit_id, counted, starts_at, percent, at FROM alerts
         WHERE org_id = $1 AND told_at IS NULL ORDER BY at, percent LIMIT 100",
    )
    .all()
    .await
}

/// Notes that somebody was told.
/// # Errors
/// As the database.
pub async fn told(page: &mut Page<'_>, alert: &Alert) -> Result<()> {
    let now = page.now();
    page.sql("UPDATE alerts SET told_at = $6 WHERE org_id = $1 AND limit_id = $2 AND counted = $3 AND starts_at = $4 AND percent = $5")
        .bind(alert.limit_id)
        .bind(alert.counted.as_str())
        .bind(alert.starts_at)
        .bind(alert.percent)
        .bind(now)
        .run()
        .await?;
    Ok(())
}
