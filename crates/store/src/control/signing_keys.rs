//! The keys that access tokens are signed with; private halves are sealed.

use domain::Time;
use serde::Deserialize;

use super::ControlTx;
use crate::Result;

#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) kid: String,
    pub(crate) sealed: Vec<u8>,
    pub(crate) created_at: Time,
    pub(crate) retired_at: Option<Time>,
}

/// Adds a key and retires those before it.
pub(crate) async fn insert(tx: &mut ControlTx, kid: &str, sealed: &[u8], public: &[u8]) -> Result<()> {
    let now = tx.now();
    tx.sql("UPDATE signing_keys SET retired_at = $1 WHERE retired_at IS NULL").bind(now).run().await?;
    tx.sql("INSERT INTO signing_keys (kid, sealed, public, created_at) VALUES ($1, $2, $3, $4)")
        .bind(kid)
        .bind(sealed)
        .bind(public)
        .bind(now)
        .run()
        .await?;
    Ok(())
}

pub(crate) async fn list(tx: &mut ControlTx) -> Result<Vec<Row>> {
    tx.sql("SELECT kid, sealed, created_at, retired_at FROM signing_keys ORDER BY created_at, kid").all().await
}

/// Removes a key; says whether there was one.
pub(crate) async fn remove(tx: &mut ControlTx, kid: &str) -> Result<bool> {
    Ok(tx.sql("DELETE FROM signing_keys WHERE kid = $1").bind(kid).run().await? > 0)
}
