//! The organisations whose files lie in the bucket. Which of the two places is the true one the data folder says itself
//! (`cold/`); this is for who lists them, and for who takes away what a crash left behind.

use domain::{OrgId, Time};
use serde::{Deserialize, Serialize};

use super::ControlTx;
use crate::Result;
use crate::sql::after_id;

const MOVED: &str = "where a file lies; nothing in it changes";

/// An organisation whose file lies in the bucket, or is on its way there or back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Frozen {
    /// Which.
    pub org_id: OrgId,
    /// The SHA-256 of the file, in hexadecimal; empty while it goes up.
    pub hash: String,
    /// How long it is.
    pub bytes: i64,
    /// Since when.
    pub created_at: Time,
}

/// Notes that a file goes up, or is there; one that is not whole is none. Says whether it was noted.
/// # Errors
/// As the database.
pub(crate) async fn put(tx: &mut ControlTx, org: OrgId, hash: &str, bytes: i64) -> Result<bool> {
    let now = tx.now();
    let noted = tx
        .sql(
            "INSERT INTO frozen (org_id, hash, bytes, created_at)
             SELECT id, $2, $3, $4 FROM organisations WHERE id = $1 AND status NOT IN ('creating', 'erasing')
             ON CONFLICT (org_id) DO UPDATE SET hash = excluded.hash, bytes = excluded.bytes, created_at = excluded.created_at",
        )
        .bind(org)
        .bind(hash)
        .bind(bytes)
        .bind(now)
        .unaudited(MOVED)
        .run()
        .await?;
    Ok(noted == 1)
}

/// Notes that a file lies nowhere but in its place.
/// # Errors
/// As the database.
pub(crate) async fn remove(tx: &mut ControlTx, org: OrgId) -> Result<()> {
    tx.sql("DELETE FROM frozen WHERE org_id = $1").bind(org).unaudited(MOVED).run().await?;
    Ok(())
}

/// Since when an organisation's file lies in the bucket.
/// # Errors
/// As the database.
pub async fn find(tx: &mut ControlTx, org: OrgId) -> Result<Option<Frozen>> {
    tx.sql("SELECT org_id, hash, bytes, created_at FROM frozen WHERE org_id = $1").bind(org).optional().await
}

/// Those whose files lie in the bucket, by id, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut ControlTx, after: Option<OrgId>, limit: i64) -> Result<Vec<Frozen>> {
    tx.sql("SELECT org_id, hash, bytes, created_at FROM frozen WHERE org_id > $1 ORDER BY org_id LIMIT $2")
        .bind(after_id(after))
        .bind(limit)
        .all()
        .await
}
