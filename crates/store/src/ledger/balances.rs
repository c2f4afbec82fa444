//! What is held and settled against each limit in a period: counters beside the books, derived from them when they are missing.

use domain::limits::{Counted, LimitKey};
use domain::{LimitId, Time};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Page, hex};
use crate::Result;
use crate::sql::{Pair, Statement, after_id};

/// What is held and settled, in the limit's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub struct Balance {
    /// Held by calls under way.
    pub held: i64,
    /// Used.
    pub settled: i64,
}

impl Balance {
    /// Holds an amount.
    pub fn hold(&mut self, amount: i64) {
        self.held = self.held.saturating_add(amount);
    }

    /// Ends a hold of an amount as what was used.
    pub fn end(&mut self, held: i64, used: i64) {
        self.held = self.held.saturating_sub(held).max(0);
        self.settled = self.settled.saturating_add(used);
    }
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

/// The statement that finds the counters of limits in periods, those that there are.
pub(super) fn finding<'p>(page: &'p mut Page<'_>, wanted: &[(LimitKey, Time)]) -> Statement<'p> {
    let wanted: Vec<_> = wanted.iter().map(|(key, from)| json!([hex(key.id), key.counted, from.micros()])).collect();
    page.sql(Pair {
        sqlite:
            "SELECT b.limit_id, b.counted, b.starts_at, b.held, b.settled FROM json_each($2) w CROSS JOIN balances b
                 WHERE b.org_id = $1 AND b.limit_id = unhex(w.value ->> 0) AND b.counted = w.value ->> 1
                   AND b.starts_at = w.value ->> 2",
        postgres: "SELECT b.limit_id, b.counted, b.starts_at, b.held, b.settled FROM json_array_elements($2::json) w
                 JOIN balances b ON b.org_id = $1 AND b.limit_id = (w ->> 0)::uuid AND b.counted = w ->> 1
                   AND b.starts_at = (w ->> 2)::bigint",
    })
    .bind(Value::from(wanted).to_string())
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

/// The statement that writes balances, each of another limit or period.
pub(super) fn putting<'p>(page: &'p mut Page<'_>, balances: &[(LimitKey, Time, Balance)]) -> Statement<'p> {
    let row = |(key, from, balance): &(LimitKey, Time, Balance)| {
        json!([hex(key.id), key.counted, from.micros(), balance.held, balance.settled])
    };
    let rows: Vec<_> = balances.iter().map(row).collect();
    page.sql(Pair {
        sqlite: "INSERT INTO balances (org_id, limit_id, counted, starts_at, held, settled)
                 SELECT $1, unhex(w.value ->> 0), w.value ->> 1, w.value ->> 2, w.value ->> 3, w.value ->> 4
                 FROM json_each($2) w WHERE true
                 ON CONFLICT (org_id, limit_id, counted, starts_at)
                 DO UPDATE SET held = excluded.held, settled = excluded.settled",
        postgres: "INSERT INTO balances (org_id, limit_id, counted, starts_at, held, settled)
                 SELECT $1, (w ->> 0)::uuid, w ->> 1, (w ->> 2)::bigint, (w ->> 3)::bigint, (w ->> 4)::bigint
                 FROM json_array_elements($2::json) w
                 ON CONFLICT (org_id, limit_id, counted, starts_at)
                 DO UPDATE SET held = excluded.held, settled = excluded.settled",
    })
    .bind(Value::from(rows).to_string())
}

/// Throws all balances away; each is derived anew when it is next looked at. Needed when the past counts differently: a team was
/// moved, or the organisation's clocks.
/// # Errors
/// As the database.
pub async fn clear(page: &mut Page<'_>) -> Result<()> {
    page.sql("DELETE FROM balances WHERE org_id = $1").run().await?;
    Ok(())
}
