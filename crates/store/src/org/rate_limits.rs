//! Rate limits: how much may be done in a minute and at the same time, by whom or where. What was done stands in no table: it is
//! forgotten within a minute.

use domain::limits::Level;
use domain::operation::Operation;
use domain::{ApiKeyId, LimitId, Time, UserId};
use serde::{Deserialize, Serialize};

use super::Tx;
use super::budgets::Subject;
use crate::sql::{Transaction, after_id};
use crate::{Error, OrNotFound, Result};

/// The most rate limits that an organisation can have: all of them are kept in memory. What a key leaves to the one that takes its place
/// comes on top, for as long as both work.
const MOST: i64 = 500;

/// A rate limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// The id.
    pub id: LimitId,
    /// Where it stands.
    pub level: Level,
    /// The project, person or key; none for the organisation, and for a limit that each of them has for itself.
    pub subject: Option<Subject>,
    /// What it counts; all that costs something when there is none.
    pub operation: Option<Operation>,
    /// How often a minute.
    pub requests_per_minute: Option<i64>,
    /// How many tokens of models a minute.
    pub tokens_per_minute: Option<i64>,
    /// How many at the same time.
    pub concurrency: Option<i64>,
    /// Who made it.
    pub made_by: UserId,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// Adds a rate limit.
/// # Errors
/// [`Error::Taken`] when there is one for the same subject and operation; [`Error::Refused`] when there are as many as there can be.
pub async fn insert(tx: &mut Tx, limit: &RateLimit) -> Result<()> {
    // An organisation's writers take turns, so nobody adds the same between the questions and the answer.
    if is_taken(tx.transaction(), limit).await? {
        return Err(Error::Taken("limit"));
    }
    let there: i64 = tx.sql("SELECT CAST(COUNT(*) AS BIGINT) FROM rate_limits").one().await?;
    if there >= MOST {
        return Err(Error::Refused(format!("an organisation can have {MOST} rate limits")));
    }
    add(tx.transaction(), limit).await
}

/// Whether there is one for the same subject and operation.
pub(crate) async fn is_taken(tx: &mut Transaction, limit: &RateLimit) -> Result<bool> {
    tx.sql(
        "SELECT EXISTS (SELECT 1 FROM rate_limits WHERE level = $1 AND COALESCE(operation, '') = $2
                        AND (subject = $3 OR (subject IS NULL AND $3 IS NULL)))",
    )
    .bind(limit.level.as_str())
    .bind(limit.operation.map_or("", Operation::as_str))
    .bind(limit.subject)
    .one()
    .await
}

pub(crate) async fn add(tx: &mut Transaction, limit: &RateLimit) -> Result<()> {
    tx.sql(
        "INSERT INTO rate_limits (id, level, subject, operation, requests_per_minute, tokens_per_minute, concurrency, made_by,
                                  version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
    )
    .bind(limit.id)
    .bind(limit.level.as_str())
    .bind(limit.subject)
    .bind(limit.operation.map(Operation::as_str))
    .bind(limit.requests_per_minute)
    .bind(limit.tokens_per_minute)
    .bind(limit.concurrency)
    .bind(limit.made_by)
    .bind(limit.version)
    .bind(limit.created_at)
    .run()
    .await?;
    Ok(())
}

/// All rate limits, by id, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, after: Option<LimitId>, limit: i64) -> Result<Vec<RateLimit>> {
    tx.sql(
        "SELECT id, level, subject, operation, requests_per_minute, tokens_per_minute, concurrency, made_by, version, created_at,
                updated_at
         FROM rate_limits WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// Whether a rate limit stands on a key.
/// # Errors
/// As the database.
pub async fn is_on_key(tx: &mut Tx, key: ApiKeyId) -> Result<bool> {
    tx.sql("SELECT EXISTS (SELECT 1 FROM rate_limits WHERE level = 'key' AND subject = $1)").bind(key).one().await
}

/// The rate limits that stand on a key.
pub(crate) async fn on_key(tx: &mut Transaction, key: ApiKeyId) -> Result<Vec<RateLimit>> {
    tx.sql(
        "SELECT id, level, subject, operation, requests_per_minute, tokens_per_minute, concurrency, made_by, version, created_at,
                updated_at
         FROM rate_limits WHERE level = 'key' AND subject = $1 ORDER BY id",
    )
    .bind(key)
    .all()
    .await
}

/// The rate limit with this id.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, id: LimitId) -> Result<RateLimit> {
    tx.sql(
        "SELECT id, level, subject, operation, requests_per_minute, tokens_per_minute, concurrency, made_by, version, created_at,
                updated_at
         FROM rate_limits WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
    .or_not_found("limit")
}

/// Writes back how much a rate limit allows; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn update(tx: &mut Tx, limit: &RateLimit) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE rate_limits SET requests_per_minute = $2, tokens_per_minute = $3, concurrency = $4, version = version + 1,
                                    updated_at = $5
             WHERE id = $1 AND version = $6",
        )
        .bind(limit.id)
        .bind(limit.requests_per_minute)
        .bind(limit.tokens_per_minute)
        .bind(limit.concurrency)
        .bind(now)
        .bind(limit.version)
        .run()
        .await?;
    if changed == 0 { Err(Error::Stale("limit")) } else { Ok(()) }
}

/// Takes a rate limit away.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn delete(tx: &mut Tx, id: LimitId) -> Result<()> {
    remove(tx.transaction(), id).await
}

pub(crate) async fn remove(tx: &mut Transaction, id: LimitId) -> Result<()> {
    let removed = tx.sql("DELETE FROM rate_limits WHERE id = $1").bind(id).run().await?;
    if removed == 0 { Err(Error::NotFound("limit")) } else { Ok(()) }
}
