//! Each person's configuration in the organisation: the newest version counts, older ones can be listed.

use domain::{Time, UserId};
use serde::{Deserialize, Serialize};

use super::Tx;
use crate::{Error, Result};

/// How many versions are kept per person.
const KEPT: i64 = 50;

/// A version of a configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Config {
    /// The version, from 1 without gaps.
    pub version: i64,
    /// What is configured, as JSON text.
    pub value: String,
    /// When it was written.
    pub created_at: Time,
}

/// A person's configuration, if they have written one.
/// # Errors
/// As the database.
pub async fn current(tx: &mut Tx, user: UserId) -> Result<Option<Config>> {
    Ok(versions(tx, user, None, 1).await?.pop())
}

/// The versions of a person's configuration, the newest first; at most `limit` before the one given.
/// # Errors
/// As the database.
pub async fn versions(tx: &mut Tx, user: UserId, before: Option<i64>, limit: i64) -> Result<Vec<Config>> {
    tx.sql(
        "SELECT version, value, created_at FROM configs WHERE user_id = $1 AND version < $2
         ORDER BY version DESC LIMIT $3",
    )
    .bind(user)
    .bind(before.unwrap_or(i64::MAX))
    .bind(limit)
    .all()
    .await
}

/// Writes a person's configuration and gives its version; keeps the newest fifty.
/// # Errors
/// [`Error::Stale`] when the newest version is not the one expected; 0 is expected before the first.
pub async fn put(tx: &mut Tx, user: UserId, expected_version: i64, value: &str) -> Result<i64> {
    if current(tx, user).await?.map_or(0, |config| config.version) != expected_version {
        return Err(Error::Stale("configuration"));
    }
    let (version, now) = (expected_version + 1, tx.now());
    tx.sql("INSERT INTO configs (user_id, version, value, created_at) VALUES ($1, $2, $3, $4)")
        .bind(user)
        .bind(version)
        .bind(value)
        .bind(now)
        .run()
        .await?;
    tx.sql("DELETE FROM configs WHERE user_id = $1 AND version <= $2").bind(user).bind(version - KEPT).run().await?;
    Ok(version)
}
