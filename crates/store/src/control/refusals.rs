//! Which check refused a request, for `rowhouse auth explain`; the last ten thousand or so.

use domain::Time;
use serde::{Deserialize, Serialize};

use super::ControlTx;
use crate::Result;
use crate::keys::sha256;

/// A request that was refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refused {
    /// The id of the request.
    pub request_id: String,
    /// When it was refused.
    pub at: Time,
    /// Which check refused it.
    pub stage: String,
    /// Why, in words; never a secret.
    pub detail: String,
}

/// Notes which check refused a request. The first refusal of a request counts; now and then the oldest ones are removed.
/// # Errors
/// As the database.
pub async fn insert(tx: &mut ControlTx, request_id: &str, stage: &str, detail: &str) -> Result<()> {
    let now = tx.now();
    tx.sql("INSERT INTO refusals (request_id, at, stage, detail) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
        .bind(request_id)
        .bind(now)
        .bind(stage)
        .bind(detail)
        .unaudited("a note for whoever looks for the cause")
        .run()
        .await?;
    // One time in 64: finding the ten-thousandth is dear.
    if sha256(now.micros().to_be_bytes())[0].is_multiple_of(64) {
        tx.sql("DELETE FROM refusals WHERE at < (SELECT at FROM refusals ORDER BY at DESC LIMIT 1 OFFSET 9999)")
            .unaudited("the last ten thousand are kept")
            .run()
            .await?;
    }
    Ok(())
}

/// Which check refused the request with this id, if one did and it is still known.
/// # Errors
/// As the database.
pub async fn find(tx: &mut ControlTx, request_id: &str) -> Result<Option<Refused>> {
    tx.sql("SELECT request_id, at, stage, detail FROM refusals WHERE request_id = $1").bind(request_id).optional().await
}
